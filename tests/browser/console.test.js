// The staff's console with its scripts: what happens elsewhere is on the screen at once, and the queue goes by the keyboard alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE, act, faults, open, picture, report } from "./harness.js";

/** Within which time a change elsewhere is on the screen, in milliseconds. */
const WITHIN = 2_000;

let place;
before(async () => {
  place = await open({ cases: 120 });
});
after(() => place.stop());

/** Waits until an element says something. Gives how long that took, in milliseconds. */
async function says(page, selector, what) {
  const began = Date.now();
  await page.waitForFunction(
    ([selector, what]) => document.querySelector(selector)?.textContent.includes(what),
    [selector, what],
    { polling: 50, timeout: 15_000 },
  );
  return Date.now() - began;
}

/** Waits until the page's stream is open. */
async function watched(page, go) {
  const begun = page.waitForResponse((answer) => answer.url().includes("/staff/live"));
  await go();
  assert.equal((await begun).status(), 200);
}

test("a report made elsewhere is told in the queue within two seconds, and nothing moves until one asks", async () => {
  const desk = await place.staff("dispatcher", { script: true });
  await watched(desk, () => desk.goto("/staff?tab=open"));
  await desk.locator("#lines tr[data-number] a").nth(2).focus();
  const before = await desk.locator("#lines tr[data-number]").evaluateAll((rows) => rows.map((row) => row.dataset.number));
  const { number } = await report(await place.reader(), { text: "墙上的涂鸦" });
  const took = await says(desk, "#live-news", "新增 1 件");
  assert.ok(took < WITHIN, `${took} ms`);
  const now = await desk.locator("#lines tr[data-number]").evaluateAll((rows) => rows.map((row) => row.dataset.number));
  assert.deepEqual(now, before);
  const focused = () => desk.evaluate(() => document.activeElement?.closest("tr")?.dataset.number);
  assert.equal(await focused(), before[2]);
  assert.deepEqual(await faults(desk), []);
  await picture(desk, "console-1-told");
  // A new case need not be on the first page of what is due.
  await desk.locator("#live-show").click();
  const is = await desk.locator("#lines tr[data-number]").evaluateAll((rows) => rows.map((row) => row.dataset.number));
  assert.notDeepEqual(is, before);
  assert.ok(is.includes(number), `${number} is in ${is}`);
});

test("what happens to a case is said on its page within two seconds, and what was typed stays", async () => {
  const { number } = await report(await place.reader(), { text: "栏杆上的涂鸦", lat: "46.5190", lon: "132.2670" });
  const desk = await place.staff("dispatcher", { script: true });
  await watched(desk, () => desk.goto(`/staff/cases/${number}`));
  await desk.locator("#comment summary").click();
  await desk.locator("#comment textarea").fill("请从河边一侧进入");
  const unit = await place.staff("handler", { size: PHONE });
  await unit.goto(`/staff/cases/${number}`);
  await act(unit, "report_in");
  const took = await says(desk, "#live-news", "报到");
  assert.ok(took < WITHIN, `${took} ms`);
  assert.match(await desk.locator("#timeline li.fresh").first().innerText(), /报到/);
  assert.equal(await desk.locator("#comment textarea").inputValue(), "请从河边一侧进入");
  assert.deepEqual(await faults(desk), []);
  await picture(desk, "console-2-case-told");
  await desk.locator("#live-show").click();
  assert.equal(await desk.locator("#comment textarea").inputValue(), "请从河边一侧进入");
  assert.equal(await desk.locator("#live-news").innerText(), "");
  // The form is for the case as it is now, and is taken.
  await desk.locator("#comment button").click();
  assert.match(await desk.locator(".done").innerText(), /./);
  assert.match(await desk.locator(".timeline").innerText(), /请从河边一侧进入/);
});

test("what happens to a whistle is said on its page within two seconds: who reports in, and what was typed stays", async () => {
  const { number } = await report(await place.reader(), { text: "桥墩上的涂鸦", lat: "46.5201", lon: "132.2671" });
  const desk = await place.staff("dispatcher", { script: true });
  const unit = place.posts.get("handler").replace(/-H$/, "");
  const { number: whistle } = await desk.evaluate(
    async ([number, unit]) => {
      const { token } = await (await fetch("/field/session")).json();
      const headers = { "X-Form-Token": token, "Content-Type": "application/json" };
      const body = { kind: "joint", cases: [Number(number)], units: [unit], lead: unit, place: "桥头", matter: "需到场查看。" };
      return (await fetch("/api/v1/whistles", { method: "POST", headers, body: JSON.stringify(body) })).json();
    },
    [number, unit],
  );
  assert.ok(whistle);
  await watched(desk, () => desk.goto(`/staff/whistles/${whistle}`));
  const typed = desk.locator("#acts textarea").first();
  await typed.evaluate((one) => (one.closest("details").open = true));
  await typed.fill("请带梯子");
  const other = await place.staff("handler", { size: PHONE });
  await other.goto(`/staff/whistles/${whistle}`);
  await act(other, "report_in");
  const took = await says(desk, "#live-news", "报到");
  assert.ok(took < WITHIN, `${took} ms`);
  assert.match(await desk.locator("#timeline li.fresh").first().innerText(), /报到/);
  assert.equal(await typed.inputValue(), "请带梯子");
  assert.deepEqual(await faults(desk), []);
  await picture(desk, "console-2-whistle-told");
  await desk.locator("#live-show").click();
  // In its field, or beside the page where the act is no longer offered.
  const isKept = await desk.evaluate(() => {
    const fields = [...document.querySelectorAll("main textarea")].map((one) => one.value);
    return [document.querySelector("main").innerText, ...fields].some((text) => text.includes("请带梯子"));
  });
  assert.ok(isKept, "what was typed is lost");
  assert.equal(await desk.locator("#live-news").innerText(), "");
});

test("who signs out in one window is told so in the other within seconds", async () => {
  const desk = await place.staff("calls", { script: true });
  await watched(desk, () => desk.goto("/staff?tab=open"));
  const other = await desk.context().newPage();
  await other.goto("/staff/account");
  await desk.bringToFront();
  await other.locator("form[action='/staff/sign-out'] button").click();
  await says(desk, "#live-news", "已退出");
});

test("a queue goes by the keyboard alone, and the keys can be switched off for good", async () => {
  const desk = await place.staff("dispatcher", { script: true, lang: "en" });
  await desk.goto("/staff?tab=open");
  const at = () => desk.evaluate(() => document.activeElement?.closest("tr")?.dataset.number);
  const numbers = await desk.locator("#lines tr[data-number]").evaluateAll((rows) => rows.map((row) => row.dataset.number));
  await desk.keyboard.press("j");
  assert.equal(await at(), numbers[0]);
  await desk.keyboard.press("j");
  await desk.keyboard.press("j");
  assert.equal(await at(), numbers[2]);
  await desk.keyboard.press("k");
  assert.equal(await at(), numbers[1]);

  await desk.keyboard.press("?");
  assert.ok(await desk.locator("#keys").evaluate((one) => one.open));
  assert.deepEqual(await faults(desk), []);
  await picture(desk, "console-3-keys");
  await desk.keyboard.press("j");
  await desk.keyboard.press("Escape");
  assert.ok(!(await desk.locator("#keys").evaluate((one) => one.open)));
  assert.equal(await at(), numbers[1], "the dialog gives the focus back");

  await desk.keyboard.press("o");
  await desk.waitForURL(`**/staff/cases/${numbers[1]}`);
  await desk.goBack();

  await desk.locator("#keys-open").click();
  await desk.locator("#keys-use").uncheck();
  await desk.keyboard.press("Escape");
  await desk.reload();
  await desk.keyboard.press("j");
  assert.equal(await at(), undefined, "switched off");
});

test("a filter is kept as a view, begun with after signing in, and removed, without JavaScript", async () => {
  const desk = await place.staff("dispatcher", { lang: "en" });
  await desk.goto("/staff?tab=open");
  await desk.locator(".narrow-by > summary").click();
  await desk.locator("select[name=due]").selectOption("overdue");
  await desk.locator(".narrow-by > form button").click();
  await desk.locator(".narrow-by details summary").click();
  await desk.locator("#view-name").fill("Late ones");
  await desk.locator("form[action='/staff/views'] button").click();
  const view = desk.locator(".views a", { hasText: "Late ones" });
  assert.equal(await view.getAttribute("aria-current"), "page");
  await picture(desk, "console-4-view");
  await desk.locator(".views summary").click();
  await desk.getByRole("button", { name: "Begin with it after signing in" }).click();
  await desk.goto("/staff");
  assert.equal(await view.getAttribute("aria-current"), "page");
  assert.equal(await desk.locator("select[name=due]").inputValue(), "overdue");
  // Somebody else has it not: it is not shared.
  const other = await place.staff("calls", { lang: "en" });
  assert.equal(await other.locator(".views").count(), 0);
  await desk.locator(".views summary").click();
  await desk.getByRole("button", { name: "Remove" }).click();
  assert.equal(await desk.locator(".views").count(), 0);
  await desk.goto("/staff");
  assert.equal(await desk.locator("select[name=due]").inputValue(), "");
});

test("cases are picked by the keyboard and one remark is added to all of them", async () => {
  const desk = await place.staff("dispatcher", { script: true, size: PHONE });
  await desk.goto("/staff?tab=open");
  const numbers = await desk.locator("#lines tr[data-number]").evaluateAll((rows) => rows.map((row) => row.dataset.number));
  for (const key of ["j", "x", "j", "j", "x"]) await desk.keyboard.press(key);
  assert.equal(await desk.locator("#pick-count").innerText(), "2");
  assert.deepEqual(await faults(desk), []);
  await desk.locator("#bulk button").click();
  assert.match(await desk.locator(".lead").innerText(), /已选中 2 件/);
  await picture(desk, "console-5-picked");
  await act(desk, "comment", { text: "请于本周内回复。" });
  assert.match(await desk.locator("[role=status]").first().innerText(), /已办 2 件/);
  assert.deepEqual(await faults(desk), []);
  await picture(desk, "console-6-done");
  for (const number of [numbers[0], numbers[2]]) {
    await desk.goto(`/staff/cases/${number}`);
    assert.match(await desk.locator(".timeline").innerText(), /请于本周内回复/);
  }
  await desk.goto(`/staff/cases/${numbers[1]}`);
  assert.doesNotMatch(await desk.locator(".timeline").innerText(), /请于本周内回复/);
});

test("the board follows what happens, on a wall and on a phone", async () => {
  // Due within the hour: the board shows of each unit what is due first.
  const wall = await place.staff("dispatcher", { script: true });
  await watched(wall, () => wall.goto("/staff/board"));
  const { number } = await report(await place.reader(), { text: "楼道里有燃气味", lat: "46.5201", lon: "132.2691", service: "GY-RQ" });
  const took = await says(wall, ".board-page", number);
  assert.ok(took < WITHIN, `${took} ms`);
  assert.deepEqual(await faults(wall), []);
  await picture(wall, "console-7-board");
  const phone = await place.staff("dispatcher", { size: PHONE, lang: "en" });
  await phone.goto("/staff/board");
  const overflow = await phone.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(overflow, 0, "nothing is wider than the phone");
  await picture(phone, "console-8-board-phone");
});
