// Notices on a device, from the button to the lock screen. The browser's own push service is out of reach here, so that one of ours
// takes its place: it opens what it gets with the platform's own cryptography, as the browser would, and hands it to the worker.

import assert from "node:assert/strict";
import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { faults, open, picture, report, signIn } from "./harness.js";

let place, service;
before(async () => {
  service = await pushService();
  place = await open({ cases: 20, name: "localhost", settings: { WHISTLE_PRIVATE_WEBHOOKS: "true" } });
});
after(async () => {
  await place?.stop();
  service?.server.close();
});

/** Takes messages, or answers another status; keeps what came. */
function pushService() {
  const it = { taken: [], status: 201 };
  it.server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      if (it.status === 201) it.taken.push({ headers: request.headers, url: request.url, body: Buffer.concat(parts) });
      response.writeHead(it.status).end();
    });
  });
  return new Promise((done) => {
    it.server.listen(0, "127.0.0.1", () => {
      it.base = `http://127.0.0.1:${it.server.address().port}`;
      done(it);
    });
  });
}

/** What a browser keeps of a subscription, and what it says of it. */
function subscription(name) {
  const keys = createECDH("prime256v1");
  keys.generateKeys();
  const auth = randomBytes(16);
  const endpoint = `${service.base}/${name}`;
  const said = { p256dh: keys.getPublicKey("base64url"), auth: auth.toString("base64url") };
  return { keys, auth, name, json: { endpoint, expirationTime: null, keys: said } };
}

/** RFC 8291 from the side of the browser. */
function opened({ keys, auth }, body) {
  const [salt, length] = [body.subarray(0, 16), body[20]];
  const [sender, sealed] = [body.subarray(21, 21 + length), body.subarray(21 + length)];
  const derive = (secret, from, what, bytes) => Buffer.from(hkdfSync("sha256", secret, from, what, bytes));
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), keys.getPublicKey(), sender]);
  const secret = derive(keys.computeSecret(sender), auth, info, 32);
  const key = derive(secret, salt, "Content-Encoding: aes128gcm\0", 16);
  const nonce = derive(secret, salt, "Content-Encoding: nonce\0", 12);
  const cipher = createDecipheriv("aes-128-gcm", key, nonce);
  cipher.setAuthTag(sealed.subarray(-16));
  const text = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
  return text.subarray(0, text.lastIndexOf(2)).toString();
}

/** Who says that they sent it, by RFC 8292. */
function sender({ authorization }) {
  const [, token, key] = authorization.match(/^vapid t=(.+), k=(.+)$/);
  const [head, claims, signature] = token.split(".");
  const point = Buffer.from(key, "base64url");
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((one) => one.toString("base64url"));
  const holder = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  const right = verify(
    "sha256",
    Buffer.from(`${head}.${claims}`),
    { key: holder, dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  return { right, key, ...JSON.parse(Buffer.from(claims, "base64url")) };
}

/** Lets a page subscribe at our push service, and notes with which key it did. */
async function subscribing(page, { json }, { allowed = true } = {}) {
  if (allowed) await page.context().grantPermissions(["notifications"], { origin: place.base });
  await page.addInitScript(
    ({ json, allowed }) => {
      const store = globalThis.sessionStorage;
      const one = { toJSON: () => json, unsubscribe: async () => (store.setItem("gone", "yes"), true) };
      PushManager.prototype.getSubscription = async () => (store.getItem("with") ? one : null);
      PushManager.prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
        store.setItem("with", JSON.stringify({ key: [...applicationServerKey], userVisibleOnly }));
        return one;
      };
      Notification.requestPermission = async () => (allowed ? "granted" : "denied");
    },
    { json, allowed },
  );
}

async function switchOn(page, name) {
  await page.goto("/staff/account");
  await page.getByRole("link", { name: /在手机或电脑上接收|on your telephone or computer/ }).click();
  await page.locator("#name").fill(name);
  await page.locator("form[data-push=on] button").click();
}

/** Waits for something to be so. */
async function until(what, is) {
  for (let times = 0; times < 200; times += 1) {
    const found = await is();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`never: ${what}`);
}

test("where push is off, nothing is offered", async () => {
  const page = await place.staff("handler", { script: true });
  await page.goto("/staff/account");
  assert.doesNotMatch(await page.locator("main").innerText(), /设备通知/);
  await page.goto("/staff/account/devices");
  assert.match(await page.locator("main").innerText(), /未启用设备通知/);
});

test("a device is switched on, shows what its unit is told, in its language, and opens the case", async () => {
  const key = place.run("push", "on", "--contact", "mailto:ops@example.org").trim();
  const phone = subscription("phone");
  const page = await place.staff("handler", { script: true });
  await subscribing(page, phone);
  await switchOn(page, "值班手机");
  await page.locator("table").waitFor();
  assert.match(await page.locator("table").innerText(), /值班手机.*本设备/s);
  const asked = JSON.parse(await page.evaluate(() => sessionStorage.getItem("with")));
  assert.equal(Buffer.from(asked.key).toString("base64url"), key);
  assert.equal(asked.userVisibleOnly, true);
  await picture(page, "push-1-on");

  const reader = await place.reader();
  const { number } = await report(reader, { text: "墙上有涂鸦，电话 13900001111" });
  const { headers, url, body } = await until("something is sent", () => service.taken[0]);
  assert.equal(url, "/phone");
  const { right, ...said } = sender(headers);
  assert.ok(right, "signed by the key that the page showed");
  assert.deepEqual([said.key, said.aud, said.sub], [key, service.base, "mailto:ops@example.org"]);
  const text = opened(phone, body);
  assert.doesNotMatch(text, /涂鸦|1390000/);

  const worker = page.context().serviceWorkers()[0];
  const tools = await page.context().newCDPSession(page);
  const registered = new Promise((done) => {
    tools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const one = registrations.find(({ scopeURL }) => scopeURL === `${place.base}/staff/`);
      if (one) done(one.registrationId);
    });
  });
  await tools.send("ServiceWorker.enable");
  const registrationId = await registered;
  const deliver = () => tools.send("ServiceWorker.deliverPushMessage", { origin: place.base, registrationId, data: text });
  const shown = () =>
    worker.evaluate(async () => {
      const all = await self.registration.getNotifications();
      return all.map(({ title, body, lang, tag, data }) => ({ title, body, lang, tag, ...data }));
    });
  await deliver();
  const [one] = await until("it is shown", async () => {
    const all = await shown();
    return all.length > 0 && all;
  });
  assert.equal(one.title, `［${number}］新案件`);
  assert.equal(one.lang, "zh");
  assert.equal(one.link, `/staff/cases/${number}`);
  assert.ok(one.body.length > 0, "the area");
  // The same one twice is shown once.
  await deliver();
  await new Promise((done) => setTimeout(done, 500));
  assert.equal((await shown()).length, 1);

  const opens = await worker.evaluate(async () => {
    const [notification] = await self.registration.getNotifications();
    const opened = [];
    self.clients.openWindow = async (url) => opened.push(url);
    self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
    return opened;
  });
  assert.deepEqual(opens, [`${place.base}/staff/cases/${number}`]);
  assert.deepEqual(await shown(), [], "it is closed");

  // Whoever is not signed in any more is asked who they are first.
  await page.context().clearCookies({ name: "whistle_session" });
  await page.goto(opens[0]);
  await signIn(page, "handler", place.passwords.get("handler"));
  await page.goto("/staff/account/devices");
  await page.locator("table time").nth(1).waitFor();

  await page.getByRole("button", { name: "关闭 值班手机" }).click();
  await page.locator("table").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => sessionStorage.getItem("gone")), "yes");
});

test("who signs out is told nothing there any more, and a device that is gone is removed", async () => {
  place.run("push", "on", "--contact", "https://example.org/contact");
  const page = await place.staff("handler", { script: true, lang: "en" });
  await subscribing(page, subscription("tablet"));
  await switchOn(page, "");
  await page.locator("table").waitFor();
  assert.match(await page.locator("table").innerText(), /Device \d+ this one/);
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await signIn(page, "handler", place.passwords.get("handler"));
  await page.goto("/staff/account/devices");
  assert.equal(await page.locator("table").count(), 0);

  await switchOn(page, "tablet");
  await page.locator("table").waitFor();
  service.status = 410;
  // Elsewhere, or it would be offered to join the first.
  const { number } = await report(await place.reader(), { lat: "46.5195", text: "又一处涂鸦" });
  assert.match(number, /^\d+$/);
  await until("it is removed", async () => {
    await page.reload();
    return (await page.locator("table").count()) === 0;
  });
  service.status = 201;
});

test("who does not let the browser show notices is told so", async () => {
  const page = await place.staff("patrol", { script: true });
  await subscribing(page, subscription("never"), { allowed: false });
  await switchOn(page, "手机");
  await page.locator("form[data-push=on] [role=alert]").waitFor();
  assert.equal(await page.locator("table").count(), 0);
});

test("without JavaScript the page says what is missing", async () => {
  const page = await place.staff("patrol");
  await page.goto("/staff/account/devices");
  assert.match(await page.locator("noscript").innerText(), /JavaScript/);
  assert.equal(await page.locator("form[data-push=on]").isVisible(), false);
});

test("axe finds nothing wrong on the page of devices", async () => {
  for (const lang of ["zh", "en"]) {
    const page = await place.staff("patrol", { lang, script: true });
    await subscribing(page, subscription(lang));
    await switchOn(page, `device-${lang}`);
    await page.getByRole("cell", { name: `device-${lang}` }).first().waitFor();
    assert.deepEqual(await faults(page), []);
  }
});
