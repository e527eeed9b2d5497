// Passkeys, with an authenticator that the browser plays: added, named, signed in by, removed; and what is refused.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { faults, open, picture, signIn } from "./harness.js";

let place;
before(async () => {
  place = await open({ cases: 20, name: "localhost", settings: { WHISTLE_SECOND_FACTOR_FOR: "lead" } });
});
after(() => place?.stop());

/** A device of a page's browser, which has a key store and knows its holder by a finger. */
async function device(page, { isHolder = true } = {}) {
  const tools = await page.context().newCDPSession(page);
  await tools.send("WebAuthn.enable");
  const { authenticatorId } = await tools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: isHolder,
      automaticPresenceSimulation: true,
    },
  });
  return {
    async keys() {
      return (await tools.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
    },
    give: (credential) => tools.send("WebAuthn.addCredential", { authenticatorId, credential }),
    holder: (isUserVerified) => tools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
    async clear() {
      await tools.send("WebAuthn.clearCredentials", { authenticatorId });
    },
  };
}

async function add(page, name) {
  await page.goto("/staff/account/passkeys");
  await page.locator("#name").fill(name);
  await page.locator("form[data-passkey] button").click();
}

/** Waits for the row of a passkey just added. A table may stand on the page before, so waiting for that is not enough. */
function added(page, name) {
  return page.locator(`table input[name=name][value="${name}"]`).waitFor();
}

async function enter(page, next = "/staff") {
  await page.goto(next);
  await page.locator("form[data-passkey] button").click();
}

test("a passkey is added, signs in without name and password, is renamed and removed", async () => {
  const page = await place.staff("handler", { script: true });
  const phone = await device(page);
  await add(page, "本人手机");
  await added(page, "本人手机");
  assert.equal(await page.locator("table input[name=name]").inputValue(), "本人手机");
  const [key] = await phone.keys();
  assert.ok(key.isResidentCredential, "the device finds the account by itself");
  assert.equal(key.rpId, "localhost");
  await picture(page, "passkey-1-added");

  await page.getByRole("button", { name: "退出" }).first().click();
  await enter(page, "/staff/handover");
  await page.waitForURL("**/staff/handover");
  assert.match(await page.locator(".desk").innerText(), /handler/);

  // The same device is not offered a second one.
  await add(page, "又一个");
  await page.locator("form[data-passkey] [role=alert]").waitFor();
  assert.equal((await phone.keys()).length, 1);

  await page.locator("table input[name=name]").fill("旧手机");
  await page.getByRole("button", { name: "改名 本人手机" }).click();
  assert.equal(await page.locator("table input[name=name]").inputValue(), "旧手机");
  await page.getByRole("button", { name: "删除 旧手机" }).click();
  assert.equal(await page.locator("table").count(), 0);

  await page.getByRole("button", { name: "退出" }).first().click();
  await enter(page);
  await page.locator(".summary").waitFor();
  assert.match(await page.locator(".summary").innerText(), /没有找到此通行密钥/);
});

test("who does not show the device that they are its holder is not signed in", async () => {
  const page = await place.staff("patrol", { script: true });
  const phone = await device(page);
  await add(page, "手机");
  await added(page, "手机");
  await page.getByRole("button", { name: "退出" }).first().click();
  await phone.holder(false);
  await enter(page);
  await page.locator("form[data-passkey] [role=alert]").waitFor();
  assert.match(page.url(), /sign-in/);
});

test("a copy of a key is found out by its counter", async () => {
  const page = await place.staff("calls", { script: true });
  const phone = await device(page);
  await add(page, "安全密钥");
  await added(page, "安全密钥");
  const [key] = await phone.keys();
  for (let times = 0; times < 3; times += 1) {
    await page.context().clearCookies();
    await enter(page);
    await page.locator(".desk").waitFor();
  }
  await phone.clear();
  await phone.give({ ...key, signCount: 1 });
  await page.context().clearCookies();
  await enter(page);
  await page.locator(".summary").waitFor();
  assert.match(await page.locator(".summary").innerText(), /验证未通过/);
});

test("an answer is taken once, and from no other browser", async () => {
  const page = await place.staff("dispatcher", { script: true });
  await device(page);
  await add(page, "电脑");
  await added(page, "电脑");
  await page.context().clearCookies();
  const sent = page.waitForRequest((one) => one.method() === "POST" && one.url().endsWith("/staff/sign-in/passkey"));
  await enter(page);
  const body = (await sent).postData();
  await page.locator(".desk").waitFor();
  const again = async (cookies) => {
    const answer = await fetch(`${place.base}/staff/sign-in/passkey`, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded", Cookie: cookies, "Accept-Language": "en" },
      body,
      redirect: "manual",
    });
    return [answer.status, await answer.text()];
  };
  const way = (await page.context().cookies()).find((cookie) => cookie.name === "whistle_way");
  let [status, text] = await again(`whistle_way=${way.value}`);
  assert.equal(status, 400);
  assert.match(text, /good once only/);
  [status, text] = await again("whistle_way=another");
  assert.equal(status, 400);
  assert.match(text, /not begun in this browser/);
});

test("a passkey is a second factor by itself, and then a password alone opens nothing", async () => {
  const page = await place.reader({ script: true, lang: "en" });
  await signIn(page, "lead", place.passwords.get("lead"));
  assert.equal(new URL(page.url()).pathname, "/staff/account/second-factor");
  await device(page);
  await page.getByRole("link", { name: "Or use a passkey instead" }).click();
  await page.locator("#name").fill("Computer");
  await page.locator("form[data-passkey] button").click();
  await added(page, "Computer");
  await page.goto("/staff");
  assert.equal(new URL(page.url()).pathname, "/staff", "shown once, the session has it");

  await page.context().clearCookies();
  await signIn(page, "lead", place.passwords.get("lead"));
  assert.match(await page.locator(".summary").innerText(), /Sign in with your passkey/);
  await page.locator("form[data-passkey] button").click();
  await page.locator(".desk").waitFor();

  // Without its last passkey, it needs another second factor at once.
  await page.goto("/staff/account/passkeys");
  await page.getByRole("button", { name: "Remove Computer" }).click();
  await page.goto("/staff");
  assert.equal(new URL(page.url()).pathname, "/staff/account/second-factor");
});

test("an account that is disabled has no passkeys any more", async () => {
  const page = await place.staff("handler2", { script: true });
  await device(page);
  await add(page, "手机");
  await added(page, "手机");
  const admin = await place.staff("admin");
  await admin.goto("/staff/accounts");
  await admin.getByRole("link", { name: "登录方式 handler2", exact: true }).click();
  assert.match(await admin.locator("main").innerText(), /共 1 个/);
  await admin.goto("/staff/accounts");
  await admin.getByRole("button", { name: "停用 handler2", exact: true }).click();
  await admin.getByRole("button", { name: "启用 handler2", exact: true }).click();
  await enter(page);
  await page.locator(".summary").waitFor();
  assert.match(await page.locator(".summary").innerText(), /没有找到此通行密钥/);
});

test("without JavaScript the page says what is missing, and all else works", async () => {
  const page = await place.staff("auditor");
  await page.goto("/staff/account/passkeys");
  assert.match(await page.locator("noscript").innerText(), /JavaScript/);
  assert.equal(await page.locator("form[data-passkey]").isVisible(), false);
});

test("axe finds nothing wrong on the pages of passkeys", async () => {
  for (const lang of ["zh", "en"]) {
    const page = await place.staff("auditor", { lang, script: true });
    await device(page);
    await add(page, lang);
    await added(page, lang);
    assert.deepEqual(await faults(page), []);
    const reader = await place.reader({ lang, script: true });
    await reader.goto("/staff/sign-in");
    assert.deepEqual(await faults(reader), []);
  }
});
