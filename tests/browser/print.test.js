// Paper: the sheet of a case, the day's round, the posters, the minutes of a whistle. How many A4 pages, and what stands on them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GRAFFITI, SPOT, faults, open, picture, report } from "./harness.js";

let place;
let pair;
before(async () => {
  place = await open({ cases: 600 });
  pair = await report(await place.reader(), { text: "学校南墙被喷了字，约两米宽", phone: "13900000000" });
});
after(() => place.stop());

/** How many pages a print has, and what can be read on it. */
async function printed(page, name) {
  await page.emulateMedia({ media: "print" });
  const pdf = (await page.pdf({ format: "A4", preferCSSPageSize: true })).toString("latin1");
  const text = await page.locator("body").innerText();
  await picture(page, name);
  await page.emulateMedia({ media: null });
  return { pages: pdf.match(/\/Type\s*\/Page\b/g).length, text };
}

test("the sheet of a case is one page with all that the desk needs, and no way to reach the reporter", async () => {
  for (const lang of ["zh", "en"]) {
    const page = await place.staff("dispatcher", { lang });
    await page.goto(`/staff/cases/${pair.number}`);
    await page.locator(`a[href='/staff/cases/${pair.number}/print']`).click();
    const { pages, text } = await printed(page, `print-sheet-${lang}`);
    assert.equal(pages, 1);
    assert.match(text, /学校南墙被喷了字/);
    assert.match(text, new RegExp(pair.number));
    for (const words of lang === "zh" ? ["现场记录", "核查人签字", "办理过程"] : ["Record on site", "Checked by"]) {
      assert.ok(text.includes(words), `${words} in ${text}`);
    }
    assert.doesNotMatch(text, /13900000000|Ctrl/);
    assert.equal(await page.locator(".sheet-head img").evaluate((one) => one.decode().then(() => one.naturalWidth > 100)), true);
    await page.context().close();
  }
});

test("a day's round lists the open cases of the unit by place, each with a box to tick", async () => {
  const page = await place.staff("handler");
  await page.goto("/staff");
  await page.locator("a[href='/staff/round']").click();
  const rows = await page.locator(".round tbody tr").count();
  assert.ok(rows > 0);
  const areas = await page.locator(".sheet h2").allInnerTexts();
  assert.equal(new Set(areas).size, areas.length, "each area once");
  const { pages, text } = await printed(page, "print-round");
  assert.ok(pages <= Math.ceil(rows / 4) + 1, `${pages} pages for ${rows} cases`);
  await page.setViewportSize({ width: 673, height: 1000 });
  await page.emulateMedia({ media: "print" });
  const first = await page.locator(".round").first().evaluate((one) => getComputedStyle(one.querySelector("tbody tr")).breakAfter);
  assert.equal(first, "auto", "a table that may not part begins on a page of its own");
  await page.emulateMedia({ media: null });
  assert.match(text, new RegExp(pair.number));
  assert.equal(await page.locator(".round .box").count(), rows);
});

test("the sheet of a round has each of its stops with boxes to tick, on A4, and is reached from the round's page", async () => {
  for (const lang of ["zh", "en"]) {
    const page = await place.staff("patrol", { lang });
    await page.goto("/field");
    await page.locator("a[href^='/field/rounds/']").first().click();
    const names = await page.locator("main .lines h2").allInnerTexts();
    const name = await page.locator("h1").innerText();
    await page.locator("a[href$='/print']").click();
    assert.equal(await page.locator("h1").innerText(), name);
    const rows = page.locator(".stops tbody tr");
    assert.equal(await rows.count(), names.length);
    assert.equal(await page.locator(".stops .box").count(), 3 * names.length);
    assert.deepEqual(await rows.locator("strong").allInnerTexts(), names);
    await picture(page, `round-sheet-${lang}`);
    // As wide as A4 between its margins.
    await page.setViewportSize({ width: 673, height: 1000 });
    const { pages, text } = await printed(page, `print-round-sheet-${lang}`);
    assert.ok(pages <= Math.ceil((names.length + 2) / 10), `${pages} pages for ${names.length} stops`);
    assert.ok(text.includes(lang === "zh" ? "巡查人" : "Walked by") && text.includes(lang === "zh" ? "看过，无异常" : "Seen, fine"));
    assert.doesNotMatch(text, /Ctrl/);
    await page.emulateMedia({ media: "print" });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 673, `${wide} px wide on paper of 673`);
    const cut = await page.locator(".stops .box").first().evaluate((one) => getComputedStyle(one).display);
    assert.equal(cut, "table-cell");
    await page.emulateMedia({ media: null });
    await page.context().close();
  }
  // Who may not see the round has no paper of it either.
  const page = await place.staff("patrol");
  const { rounds } = await (await place.staff("dispatcher")).request.get("/field/shift").then((answer) => answer.json());
  const seen = new Set((await page.request.get("/field/shift").then((answer) => answer.json())).rounds.map((one) => one.code));
  const other = rounds.find((one) => !seen.has(one.code));
  assert.ok(other, "the dispatcher sees more rounds than a patrol");
  assert.equal((await page.request.get(`/field/rounds/${other.code}/print`)).status(), 404);
});

test("posters of a town's communities are a page each, in both languages, with a code that opens the form there", async () => {
  const page = await place.staff("dispatcher", { script: true });
  await page.goto("/staff/poster");
  assert.deepEqual(await faults(page), []);
  await page.locator("#area").selectOption({ index: 1 });
  await page.locator("[name=each]").check();
  await page.locator("main form button").first().click();
  const posters = page.locator(".poster");
  const count = await posters.count();
  assert.ok(count > 1);
  assert.deepEqual(await faults(page), []);
  const { pages, text } = await printed(page, "print-posters");
  assert.equal(pages, count, "a page each");
  assert.ok(text.includes("扫码上报") && text.includes("Scan to report here"));
  assert.doesNotMatch(text, /Ctrl|为网格制作/);
  const link = (await posters.first().locator("img").getAttribute("alt")).match(/http\S+/)[0];
  const resident = await place.reader();
  await resident.goto(link);
  await resident.locator(`a[href*='service=${GRAFFITI}']`).click();
  assert.notEqual(await resident.locator("#area").inputValue(), "");
});

test("a poster of a thing says its name and code, and one outside the place is refused", async () => {
  const page = await place.staff("dispatcher", { lang: "en" });
  await page.goto("/staff/poster");
  await page.locator("#lat").fill(SPOT.lat);
  await page.locator("#lon").fill(SPOT.lon);
  await page.locator("#label").fill("Notice board, Station Road");
  await page.locator("#asset").fill("GG-017");
  await page.locator("main form button").nth(1).click();
  const { pages, text } = await printed(page, "print-poster-thing");
  assert.equal(pages, 1);
  // What does not fit would be cut off.
  await page.setViewportSize({ width: 673, height: 1000 });
  await page.emulateMedia({ media: "print" });
  const over = await page.locator(".poster").evaluate((one) => one.scrollHeight - one.clientHeight);
  assert.ok(over <= 0, `${over} px are cut off`);
  await page.emulateMedia({ media: null });
  assert.ok(text.includes("Notice board, Station Road") && text.includes("GG-017"));
  const link = (await page.locator(".poster img").getAttribute("alt")).match(/http\S+/)[0];
  const resident = await place.reader({ lang: "en" });
  await resident.goto(link);
  await resident.locator(`a[href*='service=${GRAFFITI}']`).click();
  assert.match(await resident.locator("#address").inputValue(), /Notice board, Station Road.*GG-017/);
  await page.locator("#lat").fill("10");
  await page.locator("#asset").fill("a b");
  await page.locator("main form button").nth(1).click();
  assert.equal(await page.locator(".summary a").count(), 2);
  assert.equal(await page.locator(".poster").count(), 0);
});
