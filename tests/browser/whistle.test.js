// A whistle: the station calls two units together from a case, one comes and one does not, the station confirms, writes the
// minutes, prints them, and closes. Without JavaScript.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, act, open, picture, report, verbs } from "./harness.js";

let place;
before(async () => {
  place = await open();
});
after(() => place.stop());

/** Blows an emergency whistle from the page of a case; gives the path of the whistle. */
async function blow(desk, number, units) {
  await desk.goto(`/staff/cases/${number}`);
  await desk.locator("#main").getByRole("link", { name: "吹哨", exact: true }).click();
  assert.equal(await desk.locator("#cases").inputValue(), number);
  await desk.locator("#kind").selectOption("emergency");
  await desk.locator("#matter").fill("墙体开裂，需多部门到场。");
  await desk.locator("#place").fill("文化广场北门");
  for (const unit of units) await desk.locator(`[name=unit][value="${unit}"]`).check();
  await desk.locator("#lead").selectOption(units[0]);
  await picture(desk, "whistle-1-to-blow");
  await desk.locator("main form button.big").click();
  assert.match(await desk.locator(".done").innerText(), /已吹哨/);
  return new URL(desk.url()).pathname;
}

test("two units are called, one comes, and the minutes fit on paper", async () => {
  const { number } = await report(await place.reader(), { text: "墙上的涂鸦" });
  const desk = await place.staff("dispatcher", { size: DESK });
  const unit = await place.staff("handler", { size: PHONE });

  // The unit of the handler is the one that leads the case; another is called beside it.
  await desk.goto(`/staff/cases/${number}`);
  const name = await desk.locator(".facts div", { hasText: "承办单位" }).locator("dd").innerText();
  await desk.goto("/staff/whistles/new");
  const boxes = desk.locator("#unit label.tick");
  const own = await boxes.filter({ hasText: name.trim() }).first().locator("input").getAttribute("value");
  const other = await boxes.filter({ hasNotText: name.trim() }).first().locator("input").getAttribute("value");
  const whistle = await blow(desk, number, [own, other]);
  assert.match(await desk.locator(".lead").innerText(), /已报到 0 \/ 2/);

  await unit.goto("/staff/whistles");
  assert.match(await unit.locator(".queue").innerText(), /待签收/);
  assert.match(await unit.locator(".queue").innerText(), /还剩 \d+ 分钟/);
  await picture(unit, "whistle-2-list-of-the-unit");
  await unit.goto(whistle);
  assert.deepEqual((await verbs(unit)).slice(0, 2), ["sign", "report_in"]);
  await act(unit, "sign");
  await act(unit, "report_in");
  assert.match(await unit.locator(".done").innerText(), /已报到/);
  assert.ok(!(await verbs(unit)).includes("confirm"), "a unit does not confirm itself");
  await picture(unit, "whistle-3-the-unit-is-there");

  await desk.goto(whistle);
  await act(desk, "confirm", { unit: own });
  assert.ok(!(await verbs(desk)).includes("close"), "there are no minutes yet");
  await act(desk, "minutes", { text: "先加固，后清洗。", "duty-1-what": "清洗墙面", "duty-1-unit": own });
  assert.match(await desk.locator("main").innerText(), /清洗墙面/);
  await picture(desk, "whistle-4-minutes-written");

  await desk.goto(`${whistle}/minutes`);
  await desk.emulateMedia({ media: "print" });
  assert.ok(!(await desk.locator("header.top nav").isVisible()), "nothing of the screen on paper");
  assert.match(await desk.locator("main").innerText(), /签字/);
  await picture(desk, "whistle-5-sheet-for-paper");
  const pages = (await desk.pdf({ preferCSSPageSize: true })).toString("latin1").match(/\/MediaBox *\[([^\]]+)\]/);
  const [, , width, height] = pages[1].trim().split(/\s+/).map(Number);
  assert.ok(Math.abs(width - 595) < 2 && Math.abs(height - 842) < 2, `A4, not ${width} × ${height}`);
  await desk.emulateMedia({ media: "screen" });

  await desk.goto(whistle);
  await act(desk, "close");
  assert.match(await desk.locator(".lead .tag").first().innerText(), /已结束/);
  await unit.goto("/staff/whistles");
  assert.match(await unit.locator("main").innerText(), /这里没有哨单/);
});
