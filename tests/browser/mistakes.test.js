// What goes wrong says so in plain words, and nothing that was typed is lost.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE, act, follow, open, photo, picture, report, signIn } from "./harness.js";

let place;
before(async () => {
  place = await open();
});
after(() => place.stop());

test("a wrong code and an unknown number get the same words, and the number stays", async () => {
  const { number } = await report(await place.reader(), { text: "错误的查询码" });
  const page = await place.reader({ size: PHONE });
  const messages = [];
  for (const tried of [number, "99999999"]) {
    await follow(page, { number: tried, code: "AAAAA-AAAAA" });
    messages.push(await page.locator(".summary").innerText());
    assert.equal(await page.locator("#number").inputValue(), tried);
  }
  assert.match(messages[0], /编号与查询码不符/);
  assert.equal(messages[0], messages[1]);
  await picture(page, "mistake-1-code");
});

test("a wrong password says so, keeps the name, and not the password", async () => {
  const page = await place.reader({ size: PHONE });
  await signIn(page, "dispatcher", "not-the-password");
  assert.match(await page.locator(".summary").innerText(), /账号与密码不符/);
  assert.equal(await page.locator("#login").inputValue(), "dispatcher");
  assert.equal(await page.locator("#password").inputValue(), "");
  await picture(page, "mistake-2-password");
});

test("missing fields are all named at once, each with a link to it, and the photos stay", async () => {
  const page = await place.reader({ size: PHONE });
  await page.goto("/report?service=GY-JG");
  await page.getByLabel("电子邮箱").fill("wang@");
  await page.getByLabel("称呼").fill("王女士");
  await page.getByRole("button", { name: "提交上报" }).click();
  const links = page.locator(".summary a");
  const named = await links.evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  assert.deepEqual(named, ["#address", "#description", "#answer-traffic", "#email"]);
  for (const id of named) assert.equal(await page.locator(id).count(), 1, `${id} leads nowhere`);
  assert.equal(await page.locator("#address").getAttribute("aria-invalid"), "true");
  assert.match(await page.title(), /^有误/);
  assert.equal(await page.getByLabel("称呼").inputValue(), "王女士");
  await picture(page, "mistake-3-missing");

  await page.getByLabel("照片", { exact: true }).setInputFiles(photo());
  await page.getByLabel("是否在车行道上").selectOption({ index: 1 });
  await page.getByRole("button", { name: "提交上报" }).click();
  assert.match(await page.locator(".kept").innerText(), /1 张照片/);
  await page.getByLabel("地址或附近标志物").fill("中山路 15 号");
  await page.getByLabel("所在网格").selectOption({ index: 5 });
  await page.getByLabel("情况描述").fill("井盖松动");
  await page.getByLabel("电子邮箱").fill("wang@example.org");
  await page.getByRole("button", { name: "提交上报" }).click();
  const anyway = page.getByRole("button", { name: "作为新问题提交" });
  if (await anyway.count()) await anyway.click();
  assert.match(page.url(), /\/receipt$/);
});

test("coordinates that are none, or lie elsewhere, are refused at their field", async () => {
  const page = await place.reader({ size: PHONE });
  for (const [lat, lon, message] of [
    ["北纬", "131", /坐标无法识别/],
    ["10.5", "20.5", /不在本辖区内/],
  ]) {
    await page.goto("/report?service=SR-LT");
    await page.getByText("填写坐标").click();
    await page.getByLabel("纬度").fill(lat);
    await page.getByLabel("经度").fill(lon);
    await page.getByLabel("情况描述").fill("在哪里？");
    await page.getByRole("button", { name: "提交上报" }).click();
    assert.match(await page.locator(".summary").innerText(), message);
    assert.equal(await page.getByLabel("纬度").inputValue(), lat);
    assert.equal(await page.getByLabel("纬度").isVisible(), true, "the field in error is folded away");
    assert.equal(await page.getByLabel("情况描述").inputValue(), "在哪里？");
  }
});

test("the example of coordinates lies in the place", async () => {
  const page = await place.reader();
  await page.goto("/report?service=SR-LT");
  await page.getByText("填写坐标").click();
  const [lat, lon] = (await page.locator("details .hint").first().innerText()).match(/-?\d+\.\d+/g);
  await page.getByLabel("纬度").fill(lat);
  await page.getByLabel("经度").fill(lon);
  await page.getByLabel("情况描述").fill("照例子填的");
  await page.getByRole("button", { name: "提交上报" }).click();
  assert.equal(await page.locator(".summary").count(), 0);
});

test("a file that is no photo is refused, and the text stays", async () => {
  const page = await place.reader();
  await page.goto("/report?service=SR-LT");
  await page.getByLabel("情况描述").fill("附件不是照片");
  const file = { name: "notes.png", mimeType: "image/png", buffer: Buffer.from("not a photo") };
  await page.getByLabel("照片", { exact: true }).setInputFiles(file);
  await page.getByRole("button", { name: "提交上报" }).click();
  assert.match(await page.locator(".summary").innerText(), /不是可以读取的图片/);
  assert.equal(await page.getByLabel("情况描述").inputValue(), "附件不是照片");
});

test("a form sent from an old tab is refused with what happened meanwhile, and its text stays", async () => {
  const { number } = await report(await place.reader(), { lat: "46.5263", lon: "132.2560", text: "两个窗口" });
  const page = await place.staff("handler");
  const [one, other] = [page, await page.context().newPage()];
  await one.goto(`/staff/cases/${number}`);
  await act(one, "report_in");
  for (const tab of [one, other]) await tab.goto(`/staff/cases/${number}`);
  const desk = await place.staff("dispatcher");
  await desk.goto(`/staff/cases/${number}`);
  await act(desk, "extend", { text: "雨天延期。" });
  await act(one, "handle", { text: "写了很久的处置说明。" });
  assert.match(await one.locator(".summary").innerText(), /有了新的变化/);
  assert.match(await one.locator(".summary .timeline").innerText(), /雨天延期/);
  assert.equal(await one.locator("#handle textarea").inputValue(), "写了很久的处置说明。");
  await picture(one, "mistake-4-stale");
  await one.locator("#handle button").click();
  assert.match(await one.locator(".lead .tag").first().innerText(), /待核查/);
  // The other tab still shows a form that the case no longer takes.
  await act(other, "handle", { text: "重复的说明。" });
  assert.match(await other.locator(".summary").innerText(), /待核查|新的变化/);
});

test("a report sent again after going back is still filled in, and is offered as a duplicate of itself", async () => {
  const page = await place.reader();
  await page.goto("/report?service=SR-LT");
  await page.getByText("填写坐标").click();
  await page.getByLabel("纬度").fill("46.5203");
  await page.getByLabel("经度").fill("132.2600");
  await page.getByLabel("情况描述").fill("点了两次");
  await page.locator("main form button.big").click();
  const first = await page.locator(".receipt dd.big").first().innerText();
  await page.goBack();
  await page.locator("main form button.big").click();
  await page.getByRole("heading", { name: "是不是同一个问题？" }).waitFor();
  assert.match(await page.locator(".near").innerText(), new RegExp(first));
});

test("addresses that lead nowhere say so in the reader's language", async () => {
  const page = await place.reader({ lang: "en" });
  for (const address of ["/no-such-page", "/cases/999999", "/cases/abc"]) {
    const answer = await page.goto(address);
    assert.equal(answer.status(), 404, address);
    assert.notEqual(await page.locator("h1").innerText(), "");
  }
  await picture(page, "mistake-5-nowhere");
});
