// Reporting in three steps on a phone, with a photo and a map: each step by itself, what goes wrong in it, the way back, the
// draft, the network away. And that all of it is the same form as without JavaScript.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GRAFFITI, PHONE, SPOT, faults, follow, open, photo, picture, receipt, report } from "./harness.js";

/** What the first page may cost, compressed, without the map. */
const FIRST_PAGE = 100_000;

/** What a large photo may cost once it is made small. */
const SENT_PHOTO = 1_000_000;

let place;
before(async () => {
  place = await open({ cases: 600, webgl: true });
});
after(() => place.stop());

/** A resident with a phone on which scripts run. */
async function resident(options = {}) {
  const page = await place.reader({ size: PHONE, script: true, ...options });
  // Drawing in software on a machine that does other things takes its time.
  page.setDefaultTimeout(30_000);
  return page;
}

/** Degrees, minutes, seconds as the three fractions of EXIF. */
function fractions(degrees) {
  const bytes = Buffer.alloc(24);
  const minutes = (degrees % 1) * 60;
  const all = [Math.floor(degrees), 1, Math.floor(minutes), 1, Math.round((minutes % 1) * 60 * 1000), 1000];
  all.forEach((number, i) => bytes.writeUInt32LE(number, 4 * i));
  return bytes;
}

/** A large JPEG as a phone takes it, with the place where it was taken. */
async function taken(page, { lat, lon }) {
  const drawn = await page.evaluate(() => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [4000, 3000];
    const pen = canvas.getContext("2d");
    for (let i = 0; i < 4000; i += 1) {
      pen.fillStyle = `hsl(${(i * 137) % 360} 60% 50%)`;
      pen.fillRect((i * 97) % 4000, (i * 61) % 3000, 60, 60);
    }
    return canvas.toDataURL("image/jpeg", 0.95).split(",")[1];
  });
  const jpeg = Buffer.from(drawn, "base64");
  const entry = (tag, kind, count, value) => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16LE(tag, 0);
    bytes.writeUInt16LE(kind, 2);
    bytes.writeUInt32LE(count, 4);
    if (typeof value === "string") bytes.write(value, 8, "latin1");
    else bytes.writeUInt32LE(value, 8);
    return bytes;
  };
  const number = (n) => Buffer.from([n, 0]);
  const end = Buffer.alloc(4);
  const tiff = Buffer.concat([
    Buffer.from("II*\0\x08\0\0\0", "latin1"),
    ...[number(1), entry(0x8825, 4, 1, 26), end],
    ...[number(4), entry(1, 2, 2, "N"), entry(2, 5, 3, 80), entry(3, 2, 2, "E"), entry(4, 5, 3, 104), end],
    fractions(lat),
    fractions(lon),
  ]);
  const exif = Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff]);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(0xffe1, 0);
  head.writeUInt16BE(exif.length + 2, 2);
  const buffer = Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]);
  return { name: "IMG_1.jpg", mimeType: "image/jpeg", buffer };
}

/** The visible step goes on. */
function next(page) {
  return page.locator("[data-step]:visible [data-next]").click();
}

/** Waits for the map under the pin. */
function standing(page) {
  return page.locator("#pin-map[data-idle]").waitFor({ timeout: 60_000 });
}

/** The heading that is shown. */
function heading(page) {
  return page.locator("h1:visible").innerText();
}

/** From the first step to the last, with a spot from a link. */
async function toCheck(page, text, { lat = SPOT.lat, lon = SPOT.lon, service = GRAFFITI } = {}) {
  await page.goto(`/report?at=${lat},${lon}`);
  await next(page);
  await page.locator("#where:not(:empty)").waitFor();
  await next(page);
  await page.locator("#description").fill(text);
  await page.locator("#service").selectOption(service);
  await page.locator("#publicity:not(:empty)").waitFor({ state: "attached" });
  await next(page);
  await page.locator("#said-what:not(:empty)").waitFor();
}

for (const lang of ["zh", "en"]) {
  test(`a resident reports in three steps with photo, pin and suggestion, in ${lang}`, async () => {
    const page = await resident({ lang });
    const found = [];
    page.on("pageerror", (error) => found.push(`${error}`));
    await page.addInitScript(() => {
      const real = FormData.prototype.append;
      FormData.prototype.append = function (name, value, ...rest) {
        if (value instanceof Blob) sessionStorage.setItem("sent-bytes", value.size);
        real.call(this, name, value, ...rest);
      };
    });
    await page.goto("/");
    await page.locator("main a.button.big").click();
    await page.locator("#steps").waitFor();
    assert.equal(await page.locator("h1:visible").count(), 1);
    const lat = Number(SPOT.lat) + 0.002;
    await page.locator("#photos").setInputFiles([await taken(page, { lat, lon: Number(SPOT.lon) }), photo()]);
    await page.locator("#previews li").nth(1).waitFor();
    // Nothing is filled in before the reporter agrees.
    assert.equal(await page.locator("#lat").inputValue(), "");
    found.push(...(await faults(page)));
    await picture(page, `steps-1-${lang}`);
    await page.locator("#taken-yes").click();
    assert.ok(Math.abs(Number(await page.locator("#lat").inputValue()) - lat) < 1e-5);
    await page.locator("#previews button").nth(1).click();
    await page.locator("#photos-may input").check();
    await next(page);

    assert.match(page.url(), /#place$/);
    await standing(page);
    assert.match(await page.locator("#where").innerText(), lang === "zh" ? /^位于：.+/ : /^This is in .+/);
    found.push(...(await faults(page)));
    await picture(page, `steps-2-${lang}`);
    const before = await page.locator("#lat").inputValue();
    await page.locator("#pin-frame").scrollIntoViewIfNeeded();
    const box = await page.locator("#pin-map canvas").boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x, y - 60, { steps: 8 });
    await page.mouse.up();
    await page.waitForFunction((before) => document.getElementById("lat").value !== before, before);
    assert.ok(Number(await page.locator("#lat").inputValue()) < Number(before), "the map went up, so the pin stands further south");
    await page.locator("#where:not(:empty)").waitFor();
    await next(page);

    await page.locator("#description").fill(lang === "zh" ? "小区门口的垃圾桶满了，垃圾堆在地上" : "The rubbish bin is overflowing, rubbish on the ground");
    const suggested = page.locator("#suggested button").first();
    await suggested.waitFor();
    found.push(...(await faults(page)));
    await picture(page, `steps-3-${lang}`);
    await suggested.click();
    assert.equal(await suggested.getAttribute("aria-pressed"), "true");
    assert.equal(await page.locator("#service option:checked").innerText(), await suggested.innerText());
    await page.locator("#publicity:not(:empty)").waitFor({ state: "attached" });
    await next(page);

    await page.locator("#said-place:not(:empty)").waitFor();
    found.push(...(await faults(page)));
    await picture(page, `steps-4-${lang}`);
    await page.locator("#send").click();
    await page.waitForURL(/\/receipt$/);
    const sent = Number(await page.evaluate(() => sessionStorage.getItem("sent-bytes")));
    assert.ok(sent > 10_000 && sent < SENT_PHOTO, `the photo has ${sent} bytes`);
    const pair = await receipt(page);
    assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), ["sent-bytes"], "the draft is gone");
    await follow(page, pair);
    assert.equal(await page.locator(".photos img").count(), 1);
    assert.deepEqual(found, []);
    // Back after sending is a new report, not the same again.
    await page.goto("/report");
    assert.equal(await page.locator("#previews li").count(), 0);
  });
}

test("two characters of a name are enough to find it, an area shows itself, and a place outside is said at once", async () => {
  const page = await resident();
  await page.goto("/report#place");
  await standing(page);
  const names = await (await page.request.get("/report/names")).json();
  const community = names.find((one) => one.in !== undefined && one.box);
  await page.locator("#find").fill(community.zh.slice(0, 2));
  const first = page.locator("#found button").first();
  await first.waitFor();
  assert.ok((await first.innerText()).includes(community.zh.slice(0, 2)));
  await picture(page, "steps-find");
  await page.locator("#find").fill(community.zh);
  await page.locator("#found button", { hasText: community.zh }).first().click();
  assert.equal(await page.locator("#area").inputValue(), community.code);
  assert.match(await page.locator("#where").innerText(), /移动地图/);
  await page.locator("#find").fill("没有这个名字");
  await page.getByText("没有找到这个名称").waitFor();

  await page.context().grantPermissions(["geolocation"], { origin: place.base });
  await page.context().setGeolocation({ longitude: 2.35, latitude: 48.85 });
  await page.locator("#here").click();
  await page.getByText(/不在.+范围内/).waitFor();
  await next(page);
  assert.match(await page.locator(".summary").innerText(), /不在.+范围内/);
  assert.match(page.url(), /#place$/);
  await picture(page, "steps-outside");
  await page.context().setGeolocation({ longitude: Number(SPOT.lon), latitude: Number(SPOT.lat) });
  await page.locator("#here").click();
  await page.getByText(/^位于/).waitFor();
  await next(page);
  assert.match(page.url(), /#what$/);
});

test("what is to be mended is said at its step, takes the focus, and is reached and mended by keyboard", async () => {
  const page = await resident({ lang: "en" });
  await page.goto("/report");
  await page.locator("#photo-next").focus();
  await page.keyboard.press("Enter");
  await page.locator("[data-step=place] h1:focus").waitFor();
  assert.match(await page.title(), /^Where is it\?/);
  await page.locator("[data-step=place] [data-next]").focus();
  await page.keyboard.press("Enter");
  await page.locator(".summary").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.className), "summary");
  assert.match(await page.title(), /^Error/);
  assert.deepEqual(await faults(page), []);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "find");
  await page.locator("#address").fill("12 Station Road");
  await page.locator("#address").press("Tab");
  await page.locator("[data-step=place] [data-next]").press("Enter");
  await page.locator("[data-step=what] h1:focus").waitFor();
  assert.equal(await page.locator(".summary").count(), 0);
  await page.locator("[data-step=what] [data-next]").press("Enter");
  const links = page.locator(".summary a");
  assert.equal(await links.count(), 2);
  await picture(page, "steps-wrong");
  await page.goBack();
  await page.locator("[data-step=place] h1:focus").waitFor();
  assert.equal(await page.locator("#address").inputValue(), "12 Station Road");
  await page.goForward();
  await page.locator("[data-step=what] h1:focus").waitFor();
  // A step that lies ahead is not reached by its address alone.
  await page.goto("/report#check");
  await page.reload();
  await page.locator("#steps").waitFor();
  assert.equal(await heading(page), "What is it?");
});

test("the same problem is offered before sending, and joined with what was entered", async () => {
  const spot = { lat: "46.5251", lon: "132.2661" };
  const first = await report(await place.reader(), { ...spot, text: "墙上有涂鸦" });
  const page = await resident();
  await toCheck(page, "我也看到了，越来越多", spot);
  await page.locator("#near").waitFor();
  assert.ok((await page.locator("#near").innerText()).includes(first.number));
  assert.deepEqual(await faults(page), []);
  await picture(page, "steps-near");
  await page.locator("#near li", { hasText: first.number }).locator("button").click();
  await page.waitForURL(/\/receipt$/);
  const second = await receipt(page);
  assert.equal(second.number, first.number);
  assert.notEqual(second.code, first.code);
});

test("a draft outlives the page but not the sending, and does not know who reports", async () => {
  const page = await resident();
  await page.goto("/report");
  await page.locator("#photos").setInputFiles(photo());
  await page.locator("#previews li").waitFor();
  await next(page);
  await page.locator("#address").fill("光明小学南墙");
  await page.locator("#area").selectOption({ index: 12 });
  await next(page);
  await page.locator("#description").fill("新喷的字");
  await page.locator("#service").selectOption(GRAFFITI);
  await page.locator("#publicity:not(:empty)").waitFor({ state: "attached" });
  await next(page);
  await page.locator("#phone").fill("13900000000");
  await page.locator("#phone").press("Tab");
  const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
  assert.match(kept, /光明小学南墙/);
  assert.doesNotMatch(kept, /13900000000/);
  await page.reload();
  await page.locator("#steps").waitFor();
  assert.equal(await heading(page), "核对后提交");
  assert.match(await page.locator("#said-place").innerText(), /光明小学南墙/);
  assert.equal(await page.locator("#previews li").count(), 1);
  assert.equal(await page.locator("#phone").inputValue(), "");
  await page.locator("#send").click();
  await page.waitForURL(/\/receipt$/);
  const left = await page.evaluate(
    () =>
      new Promise((done) => {
        const opening = indexedDB.open("whistle-report", 1);
        opening.onsuccess = () => {
          const all = opening.result.transaction("photos").objectStore("photos").count();
          all.onsuccess = () => done(all.result);
        };
      }),
  );
  assert.equal(left, 0, "no photo is left in the browser");
});

test("the link of an area's poster is stronger than a draft that was begun elsewhere", async () => {
  const page = await resident();
  await page.goto("/report");
  await next(page);
  await page.locator("#address").fill("别处");
  const options = await page.locator("#area option").evaluateAll((all) => all.map((one) => one.value).filter(Boolean));
  const [here, elsewhere] = [options[3], options[9]];
  await page.locator("#area").selectOption(elsewhere);
  await next(page);
  await page.locator("#description").fill("同一件事");
  await page.locator("#description").press("Tab");
  await page.goto(`/report?area=${here}`);
  await page.locator("#steps").waitFor();
  assert.equal(await page.locator("#area").inputValue(), here);
  assert.equal(await page.locator("#address").inputValue(), "");
  assert.equal(await page.locator("#description").inputValue(), "同一件事");
});

test("without a network nothing is lost, and pressing again makes one case", async () => {
  const page = await resident();
  await toCheck(page, "断网时提交", { lat: "46.5333", lon: "132.2712" });
  await page.context().setOffline(true);
  await page.locator("#send").click();
  await page.locator(".summary", { hasText: "网络不通" }).waitFor();
  await picture(page, "steps-offline");
  await page.context().setOffline(false);
  // The first answer is lost on its way, after the report was filed.
  let filed = 0;
  await page.route("**/report", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    filed += 1;
    if (filed > 1) return route.continue();
    await route.fetch({ maxRedirects: 0 });
    return route.abort();
  });
  await page.locator("#send").click();
  await page.locator(".summary", { hasText: "网络不通" }).waitFor();
  await page.locator("#send").dblclick();
  await page.waitForURL(/\/receipt$/);
  assert.equal(filed, 2, "the second press of the two did nothing");
  const { items } = await (await page.request.get("/api/v1/cases?bbox=132.2711,46.5332,132.2713,46.5334")).json();
  assert.equal(items.length, 1, "one case");
});

test("what the server refuses is said at the step that it is about", async () => {
  const page = await resident({ lang: "en" });
  await toCheck(page, "x", { lat: "46.5343", lon: "132.2722" });
  await page.locator("#email").fill("no address");
  await page.locator("#send").click();
  await page.locator(".summary").waitFor();
  assert.equal(await page.locator("#email").getAttribute("aria-invalid"), "true");
  assert.match(page.url(), /#check$/);
});

test("a QR code's link opens the form at its place, with and without JavaScript", async () => {
  const address = `/report?at=${SPOT.lat},${SPOT.lon}&asset=LD-0042&label=${encodeURIComponent("中山路灯杆")}`;
  const page = await resident();
  await page.goto(address);
  await next(page);
  assert.match(await page.locator("#where").innerText(), /^位于/);
  assert.match(await page.locator("#address").inputValue(), /中山路灯杆.*LD-0042/);
  const plain = await place.reader({ size: PHONE });
  await plain.goto(address);
  assert.equal(await plain.locator("#steps").isVisible(), false);
  await plain.locator(`a[href*='service=${GRAFFITI}']`).click();
  assert.match(await plain.locator("#address").inputValue(), /中山路灯杆.*LD-0042/);
  assert.equal(Number(await plain.locator("#lat").inputValue()), Number(SPOT.lat));
});

test("the first page of the report costs little without its map", async () => {
  const page = await resident();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  let bytes = 0;
  devtools.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await page.goto("/report", { waitUntil: "networkidle" });
  console.log(`first page of the report: ${bytes} bytes`);
  assert.ok(bytes > 1_000 && bytes < FIRST_PAGE, `${bytes} bytes`);
});

test("who has no WebGL reports all the same", async () => {
  const page = await resident({ lang: "en" });
  await page.addInitScript(() => {
    const real = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
      return kind === "webgl2" ? null : real.call(this, kind, ...rest);
    };
  });
  await page.goto("/report#place");
  await page.getByText("cannot draw the map").waitFor();
  assert.equal(await page.locator("#pin-frame").isVisible(), false);
  await page.locator("#area").selectOption({ index: 3 });
  await next(page);
  assert.match(page.url(), /#what$/);
});
