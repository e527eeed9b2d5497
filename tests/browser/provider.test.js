// Signing in by OpenID Connect, with a real, certified provider: an administrator names somebody, who comes, links, and
// goes. What no good provider does is tested in crates/service/tests/provider.rs.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Provider } from "oidc-provider";
import { faults, open, picture } from "./harness.js";

const SECRET = "a secret of both";

let place;
let server;

/** Listens before the place does, and knows where to send browsers back to once that listens too. */
async function provide() {
  let provider;
  server = createServer((request, response) => provider.callback()(request, response));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const sendBackTo = (base) => {
    provider = new Provider(issuer, {
      clients: [
        {
          client_id: "whistle",
          client_secret: SECRET,
          redirect_uris: [`${base}/staff/sign-in/provider/back`],
        },
      ],
      cookies: { keys: ["of the test"] },
      pkce: { required: () => true },
      claims: { openid: ["sub"], email: ["email", "email_verified"] },
      // Everybody who types a name is let in as that.
      findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({ sub: id, email: `${id}@city.example`, email_verified: id !== "liar" }),
      }),
    });
  };
  return { issuer, sendBackTo };
}

before(async () => {
  const { issuer, sendBackTo } = await provide();
  place = await open({
    cases: 20,
    settings: {
      WHISTLE_OIDC_ISSUER: issuer,
      WHISTLE_OIDC_CLIENT_ID: "whistle",
      WHISTLE_OIDC_CLIENT_SECRET: SECRET,
      WHISTLE_OIDC_LABEL_ZH: "市政统一认证",
      WHISTLE_OIDC_LABEL_EN: "City account",
    },
  });
  sendBackTo(place.base);
});
after(async () => {
  await place?.stop();
  server.closeAllConnections();
  server.close();
});

/** Signs in at the provider, and agrees to what it asks. */
async function throughTheProvider(page, name) {
  if (await page.locator("input[name=login]").count()) {
    await page.locator("input[name=login]").fill(name);
    await page.locator("input[name=password]").fill("anything");
    await page.locator("[type=submit]").click();
  }
  if (!page.url().startsWith(place.base)) await page.locator("[type=submit]").click();
  await page.waitForURL(`${place.base}/**`);
}

async function come(page, name, next = "/staff") {
  // The provider makes its keys and pages when it is first asked.
  page.setDefaultTimeout(20_000);
  await page.goto(next);
  await page.getByRole("link", { name: /市政统一认证|City account/ }).click();
  await throughTheProvider(page, name);
}

test("nobody comes in whom no account awaits; whom an administrator has named does, to the page they wanted", async () => {
  const page = await place.reader();
  await come(page, "mei");
  assert.match(await page.locator("[role=alert]").innerText(), /尚未关联/);
  await picture(page, "provider-1-unlinked");

  const admin = await place.staff("admin");
  await admin.goto("/staff/accounts");
  await admin.getByRole("link", { name: "登录方式 handler", exact: true }).click();
  await admin.locator("#name").fill("Mei@City.example");
  await admin.getByRole("button", { name: "预设关联" }).click();
  assert.match(await admin.locator("main").innerText(), /等待 mei@city.example 首次登录/);
  await picture(admin, "provider-2-awaited");

  await come(page, "mei", "/staff/handover");
  assert.equal(new URL(page.url()).pathname, "/staff/handover");
  assert.match(await page.locator(".desk").innerText(), /handler/);
  await admin.reload();
  assert.match(await admin.locator("main").innerText(), /已关联：mei@city.example/);

  // Signing out ends the session here; the provider still knows her, and lets her in without a word.
  await page.getByRole("button", { name: "退出" }).first().click();
  assert.equal(new URL(page.url()).pathname, "/staff/sign-in");
  await page.goto("/staff");
  assert.match(page.url(), /sign-in/);
  await come(page, "mei");
  assert.match(await page.locator(".desk").innerText(), /handler/);
});

test("an address that the provider has not verified lets nobody in", async () => {
  const admin = await place.staff("admin");
  await admin.goto("/staff/accounts");
  await admin.getByRole("link", { name: "登录方式 patrol", exact: true }).click();
  await admin.locator("#name").fill("liar@city.example");
  await admin.getByRole("button", { name: "预设关联" }).click();
  const page = await place.reader();
  await come(page, "liar");
  assert.match(await page.locator("[role=alert]").innerText(), /尚未关联/);
});

test("the holder links their own account, signs in by it, and ends it", async () => {
  const page = await place.staff("dispatcher", { lang: "en" });
  await page.goto("/staff/account");
  await page.getByRole("button", { name: "Link my account" }).click();
  await picture(page, "provider-3-link");
  await page.getByRole("link", { name: "Go to City account" }).click();
  await throughTheProvider(page, "dan");
  assert.match(await page.locator(".done").innerText(), /Your account is linked/);
  assert.match(await page.locator("main").innerText(), /Linked to dan@city.example/);
  await picture(page, "provider-4-linked");

  const elsewhere = await place.reader({ lang: "en" });
  await come(elsewhere, "dan");
  assert.match(await elsewhere.locator(".desk").innerText(), /dispatcher/);

  await page.getByRole("button", { name: "End the link" }).click();
  assert.match(await page.locator(".done").innerText(), /not linked any more/);
  await elsewhere.goto("/staff");
  assert.match(elsewhere.url(), /sign-in/, "other sessions end with the link");
});

test("an answer is good once, in the browser that began, and says so; who refuses at the provider is told", async () => {
  const page = await place.reader({ lang: "en" });
  const answers = [];
  page.on("request", (request) => {
    if (request.url().includes("/sign-in/provider/back")) answers.push(request.url());
  });
  await come(page, "nobody");
  assert.equal(answers.length, 1);
  await page.goto(answers[0]);
  assert.match(await page.locator("[role=alert]").innerText(), /good once only/);
  const thief = await place.reader({ lang: "en" });
  await thief.goto(answers[0]);
  assert.match(await thief.locator("[role=alert]").innerText(), /not begun in this browser/);

  await page.context().clearCookies();
  await page.goto("/staff/sign-in");
  await page.getByRole("link", { name: /City account/ }).click();
  await page.getByRole("link", { name: /cancel/i }).click();
  assert.match(await page.locator("[role=alert]").innerText(), /did not let you in/);
});

test("axe finds nothing wrong on the pages of the provider", async () => {
  for (const lang of ["zh", "en"]) {
    const reader = await place.reader({ lang, script: true });
    await reader.goto("/staff/sign-in?again=yes");
    assert.deepEqual(await faults(reader), []);
    const admin = await place.staff("admin", { lang, script: true });
    await admin.goto("/staff/accounts");
    assert.deepEqual(await faults(admin), []);
    await admin.locator("a[href$='/ways']").first().click();
    assert.deepEqual(await faults(admin), []);
    await admin.goto("/staff/account");
    assert.deepEqual(await faults(admin), []);
    await admin.locator("form[action='/staff/account/provider'] button").click();
    assert.deepEqual(await faults(admin), []);
  }
});

test("while the provider is away, the page says so, and the password is as good as ever", async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  const page = await place.reader({ lang: "en" });
  await page.goto("/staff/sign-in");
  // What the provider says of itself is remembered, so the browser goes there, and finds nobody.
  await page.getByRole("link", { name: /City account/ }).click().catch(() => {});
  await page.goto("/staff/sign-in");
  await page.locator("#login").fill("lead");
  await page.locator("#password").fill(place.passwords.get("lead"));
  await page.locator("main form button").click();
  assert.match(await page.locator(".desk").innerText(), /lead/);
});
