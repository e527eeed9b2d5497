// The staff's way of a case: queue, report in, handle; another post verifies; the reporter has the last word.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, act, follow, open, picture, report, verbs } from "./harness.js";

let place;
before(async () => {
  place = await open();
});
after(() => place.stop());

test("from report to verified close, and back to work when the reporter asks", async () => {
  const reporter = await place.reader({ size: PHONE });
  const pair = await report(reporter, { text: "桥墩上的涂鸦", phone: "13900000000" });

  // The unit sees it in its queue and reports in; it has not yet anything to hand in, and nothing to verify.
  const fixer = await place.staff("handler", { size: PHONE });
  await fixer.goto("/staff?tab=mine");
  await picture(fixer, "staff-1-queue-of-the-unit");
  await fixer.goto(`/staff/cases/${pair.number}`);
  assert.deepEqual((await verbs(fixer)).slice(0, 1), ["report_in"]);
  assert.ok(!(await verbs(fixer)).includes("handle"));
  await act(fixer, "report_in");
  assert.match(await fixer.locator(".done").innerText(), /已报到/);

  // Who must answer for the case sees how to reach the reporter, after asking for it.
  assert.doesNotMatch(await fixer.locator("main").innerText(), /13900000000/);
  await fixer.getByRole("button", { name: "查看联系方式" }).click();
  assert.equal(await fixer.getByRole("link", { name: "13900000000" }).getAttribute("href"), "tel:13900000000");

  await act(fixer, "handle", { text: "已清洗并复刷墙面。" });
  assert.match(await fixer.locator(".lead .tag").first().innerText(), /待核查/);
  const left = await verbs(fixer);
  assert.ok(!left.includes("verify") && !left.includes("rework"), "who fixed it cannot verify it");
  await picture(fixer, "staff-2-handed-in");

  // Another post finds it among what is to be verified, sends it back once, and is content the second time.
  const desk = await place.staff("dispatcher");
  await desk.goto("/staff?tab=verify");
  await picture(desk, "staff-3-to-verify");
  await desk.goto(`/staff/cases/${pair.number}`);
  assert.ok((await verbs(desk)).includes("verify"));
  await picture(desk, "staff-4-case-of-the-desk");
  await act(desk, "rework", { text: "背面还有一处。" });
  await fixer.goto(`/staff/cases/${pair.number}`);
  assert.match(await fixer.locator(".timeline").innerText(), /背面还有一处/);
  await act(fixer, "handle", { text: "背面也已清洗。" });
  const patrol = await place.staff("patrol", { size: PHONE });
  await patrol.goto(`/staff/cases/${pair.number}`);
  await act(patrol, "verify");
  assert.match(await patrol.locator("main").innerText(), /核查通过/);

  // The reporter rates, and asks to reopen; the desk agrees; the unit has it again.
  await follow(reporter, pair);
  assert.match(await reporter.locator("main").innerText(), /背面也已清洗/);
  await reporter.getByLabel("不满意", { exact: true }).check();
  await reporter.locator("section.act").getByRole("button", { name: "提交" }).click();
  assert.match(await reporter.locator(".done").innerText(), /感谢/);
  await picture(reporter, "staff-5-reporter-rates");
  await reporter.locator("summary", { hasText: "申请重新办理" }).click();
  await reporter.getByLabel("为什么需要重新办理？").fill("今早又出现了。");
  await reporter.getByRole("button", { name: "提交申请" }).click();
  assert.match(await reporter.locator(".done").innerText(), /申请已提交/);

  await desk.goto("/staff?tab=reopen");
  await desk.getByRole("link", { name: new RegExp(`^${pair.number}`) }).click();
  await act(desk, "reopen", { text: "情况属实。" });
  await fixer.goto(`/staff/cases/${pair.number}`);
  assert.ok((await verbs(fixer)).includes("handle"));
  assert.match(await fixer.locator("main").innerText(), /重办 1 次/);
});

test("a unit returns what is not its own and names whose it is; the desk is offered that unit", async () => {
  const pair = await report(await place.reader(), { lat: "46.5233", lon: "132.2640", text: "配电箱上的涂鸦" });
  const unit = await place.staff("handler");
  await unit.goto(`/staff/cases/${pair.number}`);
  const wanted = await unit.locator("#return [name=right_unit] option").nth(3).getAttribute("value");
  await act(unit, "return", { right_unit: wanted, text: "设施属供电单位。" });
  const desk = await place.staff("dispatcher");
  await desk.goto("/staff?tab=assign");
  await desk.goto(`/staff/cases/${pair.number}`);
  assert.match(await desk.locator(".lead").first().innerText(), /退回 1 次/);
  assert.equal(await desk.locator("#assign [name=unit]").inputValue(), wanted);
  await picture(desk, "staff-6-returned");
  await act(desk, "assign");
  assert.match(await desk.locator(".done").innerText(), /已派遣/);
});

test("a call taker takes a report and reads number and code to the caller", async () => {
  const calls = await place.staff("calls");
  await calls.getByRole("link", { name: "登记上报" }).click();
  await calls.getByRole("link", { name: "路灯不亮" }).click();
  await calls.getByLabel("地址或附近标志物").fill("中山路 15 号门前");
  await calls.getByLabel("所在网格").selectOption({ index: 3 });
  await calls.getByLabel("情况描述").fill("来电人称三盏路灯不亮。");
  await calls.getByLabel("上报渠道").selectOption({ label: "电话" });
  await picture(calls, "staff-7-taking-a-report");
  await calls.getByRole("button", { name: "提交上报" }).click();
  const anyway = calls.getByRole("button", { name: "作为新问题提交" });
  if (await anyway.count()) await anyway.click();
  assert.match(await calls.locator(".receipt").innerText(), /[0-9A-Z]{5}-[0-9A-Z]{5}/);
  await calls.getByRole("link", { name: "打开案件" }).click();
  assert.match(await calls.locator(".facts").innerText(), /电话/);
});

test("a handler has no queues of the area; an auditor sees the whole and moves nothing", async () => {
  const handler = await place.staff("handler2");
  await handler.goto("/staff");
  const tabs = await handler.locator(".tabs a").evaluateAll((all) => all.map((one) => new URL(one.href).searchParams.get("tab")));
  assert.deepEqual(tabs.filter((tab) => !["mine", "joint", "escalated"].includes(tab)), []);
  const { number } = await report(await place.reader(), { lat: "46.5263", lon: "132.2560", text: "他人的案件" });
  const answer = await handler.goto(`/staff/cases/${number}`);
  assert.equal(answer.status(), 404, "a case of another unit");
  const auditor = await place.staff("auditor");
  await auditor.goto(`/staff/cases/${number}`);
  // Telling of the same matter again is everybody's right.
  assert.deepEqual((await verbs(auditor)).filter((verb) => verb !== "join"), []);
});

test("after signing out the case pages ask to sign in again, and lead back", async () => {
  const page = await place.staff("lead", { size: DESK });
  await page.goto("/staff?tab=open");
  const href = await page.locator(".queue a").first().getAttribute("href");
  await page.getByRole("button", { name: "退出" }).click();
  await page.goto(href);
  assert.match(page.url(), /\/staff\/sign-in\?next=/);
  await page.locator("#login").fill("lead");
  await page.locator("#password").fill(place.passwords.get("lead"));
  await page.locator("main form button").click();
  assert.equal(new URL(page.url()).pathname, href);
});
