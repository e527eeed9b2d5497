// A briefing from the form to the resident who reads it: written, read, issued, had as a file, compared with the one before.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { faults, open, picture, report } from "./harness.js";

let place;
before(async () => {
  place = await open({ cases: 600 });
});
after(() => place.stop());

/** Writes one of this year so far, up to the button that issues it. */
async function draft(page, wide) {
  await page.goto("/staff/figures");
  await page.locator("main a[href='/staff/briefings']").click();
  const today = new Date().toISOString().slice(0, 10);
  await page.locator("#from").fill(`${today.slice(0, 4)}-01-01`);
  await page.locator("#to").fill(today);
  if (wide) await page.locator("[name=public]").check();
  await page.getByRole("button", { name: "生成草稿" }).click();
  await page.waitForURL(/draft\?/);
  await page.locator(".briefing .annex").waitFor();
}

async function saved(page, name) {
  const waits = page.waitForEvent("download");
  await page.getByRole("link", { name, exact: true }).click();
  return readFile(await (await waits).path());
}

test("a briefing is written, read, issued for everybody, and had as a file by a resident", async () => {
  const centre = await place.staff("dispatcher", { script: true });
  await draft(centre, true);
  assert.match(await centre.locator("main").innerText(), /草稿，尚未发布[\s\S]*没有手工填写的数字/);
  assert.deepEqual(await faults(centre), []);
  await centre.getByRole("button", { name: "发布", exact: true }).click();
  await centre.waitForURL("**/staff/briefings/1");

  const resident = await place.reader({ script: false });
  await resident.goto("/figures");
  await resident.locator("main a[href='/briefings']").click();
  await resident.getByRole("link", { name: "第 1 期" }).click();
  await picture(resident, "briefing-public");
  const number = resident.locator(".briefing a.number").first();
  const shown = await number.innerText();
  // The press has tests of its own; a program without optimisation takes long to set pages.
  const files = await resident.locator("main a[href*='/file/']").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  assert.deepEqual(files, ["pdf", "docx", "json"].map((format) => `/briefings/1/file/${format}`));
  const json = JSON.parse(await saved(resident, "json"));
  assert.ok(json.numbers.some((one) => one.shown === shown), "the file has the number of the page");
  await number.click();
  assert.match(resident.url(), /\/figures\/indicators\/\w+\?from=/);
  const page = await resident.locator("main").innerText();
  assert.match(page, /口径/);
  assert.ok(page.includes(shown), `the page of the number shows ${shown}`);
});

test("what is for the staff is not there for a resident, and what changed since is told number by number", async () => {
  const centre = await place.staff("dispatcher", { script: true });
  await draft(centre, false);
  await centre.getByRole("button", { name: "发布", exact: true }).click();
  await centre.waitForURL("**/staff/briefings/2");
  const resident = await place.reader();
  assert.equal((await resident.goto("/briefings/2")).status(), 404);
  assert.equal((await resident.goto("/briefings/2/file/pdf")).status(), 404);
  await resident.goto("/briefings");
  assert.doesNotMatch(await resident.locator("main").innerText(), /第 2 期/);

  // What is issued is what was read, though a case came meanwhile.
  await report(resident, { lat: "46.5195", text: "学校南墙被喷了字", phone: "13900000001" });
  await centre.waitForTimeout(1500);
  await draft(centre, false);
  const read = await centre.locator(".briefing").innerText();
  await report(resident, { text: "又一处涂鸦", phone: "13900000001" });
  await centre.waitForTimeout(1500);
  await centre.getByRole("button", { name: "发布", exact: true }).click();
  await centre.waitForURL("**/staff/briefings/3");
  assert.equal(await centre.locator(".briefing").innerText(), read);
  await draft(centre, false);
  await centre.getByRole("button", { name: "发布", exact: true }).click();
  await centre.waitForURL("**/staff/briefings/4");
  await centre.locator("#since").selectOption("3");
  await centre.getByRole("button", { name: "对比" }).click();
  await centre.waitForURL(/changes\?since=3/);
  assert.ok((await centre.locator("main tbody tr").count()) > 0);
  assert.deepEqual(await faults(centre), []);
  await picture(centre, "briefing-changes");
});

test("days that are none are said beside their field", async () => {
  const centre = await place.staff("dispatcher", { script: true });
  await centre.goto("/staff/briefings/draft?from=2026-06-30&to=2026-06-01&language=zh");
  assert.match(await centre.locator(".summary").innerText(), /最后一天早于第一天/);
  assert.equal(await centre.locator("#from").inputValue(), "2026-06-30");
  await centre.goto("/staff/briefings/draft?from=soon&to=2026-06-01&language=zh");
  assert.match(await centre.locator(".summary").innerText(), /请填写日期/);
});
