// A shift without a network: what is done on the phone is kept there, sent in order and once when there is a network again, whatever
// happens to the browser or the server in between, and never as somebody else.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, act, faults, open, photo, picture, png, report, signIn } from "./harness.js";

let place;
before(async () => {
  place = await open();
});
after(() => place.stop());

/** Signs in on a phone and waits until the app can do without a network. */
async function phone(login, lang = "zh", size = PHONE) {
  const page = await place.staff(login, { lang, size, script: true });
  await page.goto("/field");
  await page.locator("#field-app[data-ready=yes]").waitFor();
  await page.locator("#rounds, #cases").first().waitFor();
  return page;
}

/** What the API says, as whoever is signed in on a page. */
function ask(page, path) {
  return page.evaluate(async (path) => {
    const { token } = await (await fetch("/field/session")).json();
    const answer = await fetch(`/api/v1${path}`, { headers: { "X-Form-Token": token } });
    return answer.json();
  }, path);
}

/** Does something over the API, as whoever is signed in on a page. */
function post(page, path, body) {
  return page.evaluate(
    async ([path, body]) => {
      const { token } = await (await fetch("/field/session")).json();
      const headers = { "X-Form-Token": token, "Content-Type": "application/json" };
      const answer = await fetch(`/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
      return answer.json();
    },
    [path, body],
  );
}

function go(page, hash) {
  return page.evaluate((hash) => {
    location.hash = hash;
  }, hash);
}

/** Waits until no more than so much is left on this phone to send. */
async function sent(page, all = 0) {
  const until = Date.now() + 120_000;
  while ((await kept(page)) > all) {
    assert.ok(Date.now() < until, `${await kept(page)} things are still not sent`);
    await page.waitForTimeout(20);
  }
}

/** Waits until something is so. */
async function until(is) {
  const end = Date.now() + 60_000;
  while (!(await is())) {
    assert.ok(Date.now() < end, `${is} is still not so`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Changes what is kept on this phone to be sent, as a fault would. */
function inOutbox(page, change) {
  // As one text: the page makes no code of texts.
  return page.evaluate(`(async () => {
    const opened = indexedDB.open("whistle-field");
    const db = await new Promise((done) => (opened.onsuccess = () => done(opened.result)));
    const store = db.transaction("outbox", "readwrite").objectStore("outbox");
    const items = await new Promise((done) => (store.getAll().onsuccess = (event) => done(event.target.result)));
    (${change})(items);
    for (const item of items) await new Promise((done) => (store.put(item).onsuccess = done));
    db.close();
  })()`);
}

/** How much is kept on this phone, to be sent. */
function kept(page) {
  return page.evaluate(async () => {
    const opened = indexedDB.open("whistle-field");
    const db = await new Promise((done) => (opened.onsuccess = () => done(opened.result)));
    const asked = db.transaction("outbox").objectStore("outbox").count();
    const count = await new Promise((done) => (asked.onsuccess = () => done(asked.result)));
    db.close();
    return count;
  });
}

/** Nothing lies beyond the right edge, and axe finds nothing. */
async function look(page, name) {
  const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= seen, `${name} is ${wide} wide on a screen of ${seen}`);
  assert.deepEqual(await faults(page), [], name);
  await picture(page, `field-${name}`);
}

/** Fills in a report at no stop, without sending it. */
async function fillReport(page, text, photos = []) {
  await go(page, "report");
  await page.locator("#report-service").selectOption("SR-LT");
  await page.locator("#report-lat").fill("46.5347");
  await page.locator("#report-lon").fill("132.2089");
  await page.locator("#report-description").fill(text);
  if (photos.length > 0) await page.locator("#report-photos").setInputFiles(photos);
}

async function keepReport(page, text, photos) {
  await fillReport(page, text, photos);
  await page.locator("form#report button.big").click();
  await page.locator("#rounds").waitFor();
}

test("a shift without a network arrives once, in order, with honest times, though the server dies in the middle", async () => {
  const page = await phone("patrol");
  const rounds = await ask(page, "/rounds");
  const round = rounds.items.find((one) => one.stops.length >= 6);
  const before = (await ask(page, "/cases?order=newest&limit=1")).items[0].number;
  // The demo's patrols have been there before.
  const looks = async (n) => (await ask(page, `/stops/${round.stops[n].code}/looks`)).items;
  const seen = [];
  for (const n of [0, 1, 2, 3, 4]) seen.push((await looks(n)).length);
  await page.context().setOffline(true);
  const began = Date.now();

  // Three that are fine, one fixed on the spot with a photo, one found with two.
  await go(page, `round/${round.code}`);
  for (const n of [0, 1, 2]) await page.locator(`#stop-${round.stops[n].code}-seen`).click();
  await page.locator(".field-kept").nth(2).waitFor();
  assert.match(await page.locator(".field-kept").first().innerText(), /已存在本机，尚未发送/);
  await look(page, "1-round-offline-zh");
  await go(page, `report/${round.stops[3].code}/fixed`);
  await page.locator("#report-fixed").fill("扶正并拧紧");
  await page.locator("#report-photos").setInputFiles([photo("fixed.png")]);
  await look(page, "2-fixed-offline-zh");
  await page.locator("form#report button.big").click();
  await page.locator(`#stop-${round.stops[3].code} .field-kept`).waitFor();
  await go(page, `report/${round.stops[4].code}`);
  await page.locator("#report-service").selectOption("SR-LT");
  await page.locator("#report-description").fill("巡查发现：墙面涂鸦");
  await page.locator("#report-photos").setInputFiles([photo("found-1.png"), photo("found-2.png")]);
  await page.locator("form#report button.big").click();
  await page.locator(`#stop-${round.stops[4].code} .field-kept`).waitFor();
  for (let n = 1; n <= 5; n += 1) await keepReport(page, `离线上报 ${n}`, n % 2 ? [photo(`report-${n}.png`)] : []);
  await page.waitForTimeout(2_000);

  // The browser is closed and opened again, still without a network.
  await page.reload();
  await page.locator("strong", { hasText: "10" }).waitFor();
  await look(page, "3-home-offline-zh");
  await go(page, "outbox");
  assert.equal(await page.locator("#field-view .lines > li").count(), 10);
  await look(page, "4-outbox-zh");

  // The server is killed as soon as it has taken the fourth of them.
  await page.context().setOffline(false);
  await sent(page, 6);
  await place.kill();
  await page.waitForTimeout(3_000);
  await place.restart();
  await page.locator("#field-send").click();
  await sent(page);

  const cases = (await ask(page, "/cases?order=newest&limit=50")).items.filter((one) => one.number > before);
  const told = cases.reverse().map((one) => one.description);
  assert.deepEqual(told, ["", "巡查发现：墙面涂鸦", 1, 2, 3, 4, 5].map((one) => (typeof one === "number" ? `离线上报 ${one}` : one)));
  assert.deepEqual(cases.map((one) => one.photos.length), [1, 2, 1, 0, 1, 0, 1]);
  assert.equal(cases[0].outcome, "resolved");
  for (const [n, finding] of ["fine", "fine", "fine", "fixed", "reported"].entries()) {
    const now = await looks(n);
    assert.deepEqual([now.length, now[0].finding], [Math.min(seen[n] + 1, 50), finding]);
    // The day alone, of the place; nobody's way can be made of it.
    const day = new Date(began).toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" });
    const [{ made_on, received_on, ...rest }] = now;
    assert.deepEqual([made_on, Object.keys(rest)], [day, ["finding"]]);
    assert.ok(received_on >= made_on);
  }
  const events = await ask(page, `/cases/${cases.at(-1).number}/events`);
  assert.ok(Date.parse(events.items[0].made_at) < Date.parse(events.items[0].at));
  await go(page, "");
  await page.locator("#field-sent summary").click();
  assert.match(await page.locator("#field-sent").innerText(), /办理，.*收到/);
  await look(page, "5-sent-zh");
});

test("fifty photos are kept without a network and all arrive", async () => {
  const page = await phone("patrol", "en");
  const before = (await ask(page, "/cases?order=newest&limit=1")).items[0].number;
  await page.context().setOffline(true);
  for (let n = 0; n < 5; n += 1) {
    const photos = Array.from({ length: 10 }, (_, i) => ({ name: `${n}-${i}.png`, mimeType: "image/png", buffer: png(n * 10 + i, 640, 480) }));
    await keepReport(page, `fifty ${n}`, photos);
  }
  await fillReport(page, "too many", Array.from({ length: 11 }, (_, i) => photo(`many-${i}.png`)));
  await page.locator("form#report button.big").click();
  await page.locator("#report-wrong:not([hidden])").waitFor();
  assert.match(await page.locator("#report-wrong").innerText(), /At most 10 photos/);
  await look(page, "6-too-many-en");
  await page.context().setOffline(false);
  await sent(page);
  const cases = (await ask(page, "/cases?order=newest&limit=50")).items.filter((one) => one.number > before);
  assert.deepEqual(cases.map((one) => one.photos.length), [10, 10, 10, 10, 10]);
  const ids = new Set(cases.flatMap((one) => one.photos.map((picture) => picture.id)));
  assert.equal(ids.size, 50);
});

test("when the phone has no room, that is said and the form keeps what was entered", async () => {
  const page = await phone("patrol", "en");
  await page.evaluate(() => {
    navigator.storage.estimate = () => Promise.resolve({ quota: 6_000_000, usage: 5_999_000 });
  });
  await fillReport(page, "no room for this", [photo()]);
  await page.locator("form#report button.big").click();
  await page.locator("#report-wrong:not([hidden])").waitFor();
  assert.match(await page.locator("#report-wrong").innerText(), /no room on this phone/);
  assert.equal(await page.locator("#report-description").inputValue(), "no room for this");
  await sent(page);
});

test("work on a case is handed in offline step by step, and what happened meanwhile is shown beside it", async () => {
  const own = await report(await place.reader(), { text: "Paint on the wall of the school" });
  const page = await phone("handler", "en");
  await page.context().setOffline(true);
  await go(page, `case/${own.number}`);
  for (const verb of ["sign", "report_in", "handle"]) {
    const form = page.locator(`details#case-${verb}`);
    await form.locator("summary").click();
    if (verb === "handle") {
      await form.locator("textarea").fill("All of it was cleaned.");
      await form.locator("input[type=file]").setInputFiles([photo("after.png")]);
    }
    await form.locator("form button.big").click();
    await page.locator(".field-kept > li", { hasText: { sign: "Sign", report_in: "Report in", handle: "Hand in" }[verb] }).waitFor();
  }
  await look(page, "7-case-offline-en");
  const deeds = await page.locator(".field-kept > li").count();
  assert.equal(deeds, 3);

  // Somebody else does something to it meanwhile.
  const desk = await place.staff("dispatcher", { lang: "en", size: DESK });
  await desk.goto(`/staff/cases/${own.number}`);
  await act(desk, "comment", { text: "Mind the wet paint." });
  await page.context().setOffline(false);
  await go(page, "outbox");
  await page.locator(".field-sides").waitFor({ timeout: 60_000 });
  assert.match(await page.locator(".field-sides").innerText(), /Yours[\s\S]*What happened meanwhile[\s\S]*Mind the wet paint\./);
  await look(page, "8-conflict-en");
  // What is about the same waits behind it.
  assert.equal(await page.locator("#field-view .lines > li").count(), deeds);
  await page.locator(".field-refused button", { hasText: "Do mine all the same" }).click();
  await sent(page);
  const { items } = await ask(page, `/cases/${own.number}/events`);
  const done = items.filter((one) => ["signed", "reported_in", "handled"].includes(one.event));
  assert.equal(new Set(done.map((one) => one.event)).size, deeds);
  assert.ok(done.slice(-deeds).every((one) => Date.parse(one.made_at) < Date.parse(one.at)), "each says when it was made");
  assert.equal((await ask(page, `/cases/${own.number}`)).photos.filter((one) => one.kind === "after").length, 1);
});

test("a unit that is called reports in without a network, and when it did counts", async () => {
  const { number } = await report(await place.reader(), { lat: "46.5213", text: "墙面涂鸦，需要几家单位一起处理" });
  const desk = await place.staff("dispatcher", { lang: "en", script: true });
  const unit = place.posts.get("handler").replace(/-H$/, "");
  const whistle = await post(desk, "/whistles", {
    kind: "joint",
    cases: [Number(number)],
    units: [unit],
    lead: unit,
    place: "North gate",
    matter: "The wall is about to fall.",
  });
  assert.ok(whistle.number, JSON.stringify(whistle));
  const page = await phone("handler", "zh");
  await page.context().setOffline(true);
  await go(page, `whistle/${whistle.number}`);
  for (const verb of ["sign", "report_in"]) {
    const form = page.locator(`details#whistle-${verb}`);
    await form.locator("summary").click();
    await form.locator("form button.big").click();
    await page.locator(".field-kept > li", { hasText: verb === "sign" ? "签收" : "报到" }).waitFor();
  }
  await look(page, "10-whistle-offline-zh");
  await page.waitForTimeout(2_000);
  await page.context().setOffline(false);
  await sent(page);
  const [call] = (await ask(page, `/whistles/${whistle.number}`)).calls;
  assert.equal(call.state, "reported_in");
  assert.ok(Date.parse(call.reported_in_at) < Date.parse(call.received_at), "it was there before it was received");
  assert.equal(call.near, undefined);
});

test("what is kept is never sent as somebody else, and a sign-in that is over keeps it", async () => {
  const page = await phone("patrol", "en");
  const round = (await ask(page, "/rounds")).items[0];
  const [stop] = round.stops.slice(-1);
  const had = (await ask(page, `/stops/${stop.code}/looks`)).items.length;
  await page.context().setOffline(true);
  await go(page, `round/${round.code}`);
  await page.locator(`#stop-${stop.code}-seen`).click();
  await page.locator(".field-kept").waitFor();
  await page.locator("form[action='/staff/sign-out'] button").click();
  await page.locator(".summary").waitFor();
  assert.match(await page.locator(".summary").first().innerText(), /Not sent yet on this phone: 1/);

  // The session ends meanwhile.
  const cookies = await page.context().cookies();
  await page.context().clearCookies({ name: cookies.find((one) => one.name.includes("session")).name });
  await page.context().setOffline(false);
  await go(page, "");
  await page.locator(".field-bar a[href^='/staff/sign-in']").waitFor();
  await look(page, "9-signed-out-en");
  assert.equal(await kept(page), 1);

  // Another signs in on the same phone: it is not sent.
  await signIn(page, "lead", place.passwords.get("lead"));
  await page.goto("/field");
  await page.locator(".field-bar .note").waitFor();
  assert.match(await page.locator(".field-bar").innerText(), /under another account or post: 1/);
  await page.waitForTimeout(3_000);
  assert.equal(await kept(page), 1);

  await page.context().clearCookies();
  await signIn(page, "patrol", place.passwords.get("patrol"));
  await page.goto("/field");
  await sent(page);
  assert.equal((await ask(page, `/stops/${stop.code}/looks`)).items.length, had + 1);
});

test("fixed on the spot is one tap that can be taken back for a moment, with a photo if one likes", async () => {
  const page = await phone("patrol", "zh");
  const rounds = await ask(page, "/rounds");
  const round = rounds.items.find((one) => one.stops.length >= 6);
  const stop = round.stops[5];
  const had = (await ask(page, `/stops/${stop.code}/looks`)).items.length;
  const newest = async () => (await ask(page, "/cases?order=newest&limit=1")).items[0];
  const before = await newest();
  await go(page, `report/${stop.code}/fixed`);
  await page.locator("#report-service").selectOption("SR-LT");
  await page.locator("#report-fixed").fill("x");
  await page.locator("form#report button.big").click();
  await sent(page);
  // What was chosen at the stop is remembered, so the next time it is one tap.
  await page.locator(`#stop-${stop.code}-fixed`).click();
  await page.locator(`#stop-${stop.code} .field-kept button`).waitFor();
  await look(page, "11-fixed-one-tap-zh");
  await page.locator(`#stop-${stop.code} .field-kept button`).click();
  await page.locator(`#stop-${stop.code} .field-kept`).waitFor({ state: "detached" });
  await page.waitForTimeout(9_000);
  assert.equal((await ask(page, `/stops/${stop.code}/looks`)).items.length, had + 1, "what was taken back is not sent");
  await page.locator(`#stop-${stop.code}-fixed`).click();
  await page.locator(`#stop-${stop.code} .field-kept input[type=file]`).setInputFiles([photo("tap.png")]);
  await page.locator(`#stop-${stop.code} .field-kept label`, { hasText: "1" }).waitFor();
  assert.equal(await kept(page), 1, "it waits for a moment");
  await sent(page);
  const made = await newest();
  assert.notEqual(made.number, before.number);
  assert.deepEqual([made.outcome, made.service, made.photos.length], ["resolved", "SR-LT", 1]);
  assert.equal((await ask(page, `/stops/${stop.code}/looks`)).items.length, had + 2);
});

test("an answer that was lost hides nothing that others did meanwhile", async () => {
  const own = await report(await place.reader(), { text: "涂鸦，答复会丢", lat: "46.5190" });
  const page = await phone("handler", "zh");
  const acts = `**/api/v1/cases/${own.number}/acts*`;
  await page.context().setOffline(true);
  await go(page, `case/${own.number}`);
  for (const verb of ["sign", "report_in"]) {
    const form = page.locator(`details#case-${verb}`);
    await form.locator("summary").click();
    await form.locator("form button.big").click();
    await page.locator(".field-kept > li", { hasText: verb === "sign" ? "签收" : "报到" }).waitFor();
  }
  // The server does the first, and its answer gets lost; nothing more gets through until somebody else has added something.
  let lost = 0;
  await page.context().route(acts, async (route) => {
    if (lost === 0) await route.fetch();
    lost += 1;
    await route.abort();
  });
  await page.context().setOffline(false);
  await until(() => lost > 0);
  const desk = await place.staff("dispatcher", { size: DESK });
  await desk.goto(`/staff/cases/${own.number}`);
  await act(desk, "comment", { text: "先断电再清洗" });
  await page.context().unroute(acts);
  await go(page, "outbox");
  await page.locator("#field-send").click();
  await page.locator(".field-sides").waitFor({ timeout: 60_000 });
  assert.match(await page.locator(".field-sides").innerText(), /先断电再清洗/);
  assert.equal(await kept(page), 1, "the first is done and said to be");
  const { items } = await ask(page, `/cases/${own.number}/events`);
  assert.equal(items.filter((one) => one.event === "signed").length, 1);
});

test("what was sent is not offered again, though the shift cannot be fetched anew", async () => {
  const own = await report(await place.reader(), { text: "涂鸦，之后断网", lat: "46.5195" });
  const page = await phone("handler", "zh");
  await go(page, `case/${own.number}`);
  await page.locator("details#case-sign").waitFor();
  await page.route("**/field/shift", (route) => route.abort());
  await page.locator("details#case-sign summary").click();
  await page.locator("details#case-sign form button.big").click();
  await sent(page);
  await page.locator("details#case-report_in").waitFor();
  assert.equal(await page.locator("details#case-sign").count(), 0);
});

test("what cannot be sent is set aside with its text and photos, and holds up nothing else", async () => {
  const page = await phone("patrol", "en");
  const before = (await ask(page, "/cases?order=newest&limit=1")).items[0].number;
  await page.context().setOffline(true);
  await keepReport(page, "too old to be sent", [photo("old.png")]);
  await keepReport(page, "kept in a broken way");
  await keepReport(page, "with a photo that is gone", [photo("gone.png")]);
  await keepReport(page, "as good as any");
  await inOutbox(page, (items) => {
    items[0].made_at = new Date(Date.now() - 31 * 24 * 3600 * 1000).toISOString();
    delete items[1].path;
    delete items[1].photos;
  });
  await page.evaluate(async () => {
    const opened = indexedDB.open("whistle-field");
    const db = await new Promise((done) => (opened.onsuccess = () => done(opened.result)));
    const store = db.transaction("photo", "readwrite").objectStore("photo");
    const keys = await new Promise((done) => (store.getAllKeys().onsuccess = (event) => done(event.target.result)));
    await new Promise((done) => (store.delete(keys.at(-1)).onsuccess = done));
    db.close();
  });
  await page.reload();
  await page.locator("strong", { hasText: "4" }).waitFor();
  await page.context().setOffline(false);
  await sent(page, 3);
  await go(page, "outbox");
  await page.locator(".field-refused").nth(2).waitFor();
  const told = await page.locator(".field-refused").allInnerTexts();
  assert.match(told[0], /thirty days[\s\S]*Copy the text/);
  assert.match(told[0], /too old to be sent/);
  assert.equal(await page.locator(".field-refused").first().getByRole("button", { name: "Try again" }).count(), 0);
  assert.match(told[2], /no longer read one of its photos/);
  await page.locator(".field-refused").first().getByRole("button", { name: /Show the photos/ }).click();
  await page.locator(".field-refused a[download] canvas").waitFor();
  await look(page, "12-set-aside-en");
  await page.locator(".field-refused").nth(2).getByRole("button", { name: "Try again" }).click();
  await sent(page, 2);
  for (const n of [1, 0]) await page.locator(".field-refused").nth(n).getByRole("button", { name: "Drop mine" }).click();
  await sent(page);
  const cases = (await ask(page, "/cases?order=newest&limit=20")).items.filter((one) => one.number > before);
  assert.deepEqual(cases.map((one) => one.description).sort(), ["as good as any", "with a photo that is gone"]);
});

test("a thing on which the server fails for ever is given up after some tries, and all else goes on meanwhile", async () => {
  const page = await phone("patrol", "en");
  await page.context().route("**/api/v1/reports*", (route) =>
    route.request().postData().includes("poison") ? route.fulfill({ status: 500, body: "{}" }) : route.continue(),
  );
  await page.context().setOffline(true);
  await keepReport(page, "poison");
  await keepReport(page, "all is well with this one");
  await page.context().setOffline(false);
  await sent(page, 1);
  await go(page, "outbox");
  for (let n = 0; n < 8 && (await page.locator(".field-refused").count()) === 0; n += 1) {
    await page.locator("#field-send").click();
    await page.waitForTimeout(500);
  }
  assert.match(await page.locator(".field-refused").innerText(), /failed on this five times/);
  await page.locator(".field-refused").getByRole("button", { name: "Drop mine" }).click();
  await sent(page);
});

test("signing out on any page of the staff takes the shift off the phone", async () => {
  const page = await phone("patrol", "zh");
  await page.goto("/staff/account");
  await page.locator("form[action='/staff/sign-out'] button").first().click();
  await page.locator("#login").waitFor();
  const left = () =>
    page.evaluate(async () => {
      const opened = indexedDB.open("whistle-field");
      const db = await new Promise((done) => (opened.onsuccess = () => done(opened.result)));
      const asked = db.transaction("meta").objectStore("meta").getAllKeys();
      const keys = await new Promise((done) => (asked.onsuccess = () => done(asked.result)));
      db.close();
      return keys.filter((key) => key === "shift" || key === "who");
    });
  await until(async () => (await left()).length === 0);
  await page.context().setOffline(true);
  await page.goto("/field");
  await page.locator(".none").waitFor();
  assert.equal(await page.locator("#rounds").count(), 0);
});

test("a form that the phone ends in the middle still has what was entered, photos too", async () => {
  const page = await phone("patrol", "zh");
  await fillReport(page, "填到一半", [photo("half.png")]);
  await page.locator("#report-address").fill("河边");
  await page.waitForTimeout(1_500);
  await page.reload();
  await page.locator("#report-draft").waitFor();
  assert.equal(await page.locator("#report-description").inputValue(), "填到一半");
  assert.equal(await page.locator("#report-service").inputValue(), "SR-LT");
  assert.equal(await page.locator("#report-photos").evaluate((one) => one.files.length), 1);
  await look(page, "13-draft-zh");
  await page.locator("form#report button.big").click();
  await page.locator("#rounds").waitFor();
  await sent(page);
  const [made] = (await ask(page, "/cases?order=newest&limit=1")).items;
  assert.deepEqual([made.description, made.photos.length], ["填到一半", 1]);
  await go(page, "report");
  await page.locator("form#report").waitFor();
  assert.equal(await page.locator("#report-description").inputValue(), "");
});

test("more rounds than are taken along at first are taken along when one asks for them, and found by name", async () => {
  const page = await phone("dispatcher", "zh");
  const shift = await page.evaluate(async () => (await fetch("/field/shift")).json());
  const rest = shift.rounds.slice(-2);
  await page.route("**/field/shift", (route) => route.fulfill({ json: { ...shift, rounds: shift.rounds.slice(0, -2), next_rounds: "X" } }));
  await page.route("**/field/more-rounds?after=X", (route) => route.fulfill({ json: { rounds: rest, units: {}, next_rounds: null } }));
  await page.reload();
  await page.locator("#rounds-more").waitFor();
  const lines = page.locator("ul[aria-labelledby=rounds] > li:visible");
  const had = await lines.count();
  await look(page, "14-more-rounds-zh");
  await page.locator("#rounds-more").click();
  await page.locator("#rounds-more").waitFor({ state: "detached" });
  assert.equal(await lines.count(), had + 2);
  await page.locator("#rounds-wanted").fill(rest[0].name.zh ?? rest[0].name.own);
  assert.equal(await lines.count(), 1);
});

test("the pages do without a script while there is a network, in both languages, on phones", async () => {
  for (const lang of ["zh", "en"]) {
    const page = await place.staff("patrol", { lang, size: PHONE });
    await page.goto("/field");
    await picture(page, `field-plain-home-${lang}`);
    await page.locator("a[href^='/field/rounds/']").first().click();
    await picture(page, `field-plain-round-${lang}`);
    const stop = page.locator("main li").last();
    await stop.locator("form button").click();
    assert.match(await page.locator(".done").innerText(), lang === "zh" ? /看过，无异常/ : /was seen, all well/);
    await page.locator("main li a", { hasText: lang === "zh" ? "当场处理" : "Fixed on the spot" }).first().click();
    assert.match(page.url(), /\/staff\/report\?.*stop=/);
    assert.ok(await page.locator("[name=fixed]").isChecked());
  }
});
