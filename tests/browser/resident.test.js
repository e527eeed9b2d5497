// A resident with a phone, in Chinese, without JavaScript: reports, follows, joins, is asked whether it is fixed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE, SPOT, follow, open, photo, picture, receipt, report } from "./harness.js";

let place;
before(async () => {
  place = await open();
});
after(() => place.stop());

test("a resident reports on a phone, gets number and code, and follows with them", async () => {
  const page = await place.reader({ size: PHONE });
  await page.goto("/");
  assert.match(await page.locator("h1").innerText(), /发现问题/);
  await page.getByRole("link", { name: "上报问题" }).click();
  await page.getByLabel("搜索类别").fill("涂鸦");
  await page.getByRole("button", { name: "搜索" }).click();
  await picture(page, "resident-1-service");
  await page.getByRole("link", { name: "乱涂乱画" }).click();

  await page.getByLabel("地址或附近标志物").fill("光明小学南墙");
  const area = page.getByLabel("所在网格");
  await area.selectOption({ index: 12 });
  await page.getByLabel("情况描述").fill("墙上被人喷了字，约两米宽。");
  await page.getByLabel("照片", { exact: true }).setInputFiles([photo(), photo("wall-2.png")]);
  await page.getByLabel("照片可以公开").check();
  await page.getByLabel("称呼").fill("王女士");
  await page.getByLabel("电话").fill("13900000000");
  await picture(page, "resident-2-form");
  await page.getByRole("button", { name: "提交上报" }).click();
  if (await page.getByRole("heading", { name: "是不是同一个问题？" }).count()) {
    await page.getByRole("button", { name: "作为新问题提交" }).click();
  }

  assert.match(page.url(), /\/receipt$/, "number and code stay out of the address");
  const { number, code } = await receipt(page);
  assert.match(number, /^\d+$/);
  assert.match(code, /^[0-9A-Z]{5}-[0-9A-Z]{5}$/);
  assert.equal(await page.getByText("上报已收到").first().isVisible(), true);
  await picture(page, "resident-3-receipt");

  // Some days later, on another device, the code typed by hand in small letters.
  const later = await place.reader({ size: PHONE });
  await follow(later, { number, code: code.toLowerCase().replace("-", " ") });
  assert.match(later.url(), /\/follow\/case$/);
  assert.match(await later.locator(".said").first().innerText(), /约两米宽/);
  assert.equal(await later.locator(".photos img").count(), 2);
  const events = await later.locator(".timeline strong").allInnerTexts();
  assert.ok(events.includes("派遣"), "it went straight to the unit");
  assert.equal(await later.locator(".steps li.now").innerText(), "已派遣");
  await picture(later, "resident-4-follow");

  // The public sees the case without what is the reporter's own.
  await later.goto(`/cases/${number}`);
  const text = await later.locator("main").innerText();
  assert.doesNotMatch(text, /王女士|13900000000/);
});

test("the same problem reported again is offered, and joined with a code of one's own", async () => {
  const first = await report(await place.reader(), { text: "围墙上有涂鸦" });
  const page = await place.reader({ size: PHONE });
  await page.goto("/report?service=SR-LT");
  await page.getByText("填写坐标").click();
  await page.getByLabel("纬度").fill(SPOT.lat);
  await page.getByLabel("经度").fill(SPOT.lon);
  await page.getByLabel("情况描述").fill("涂鸦还在，字更多了");
  await page.getByLabel("照片", { exact: true }).setInputFiles(photo());
  await page.getByRole("button", { name: "提交上报" }).click();
  await page.getByRole("heading", { name: "是不是同一个问题？" }).waitFor();
  assert.match(await page.locator(".near").innerText(), new RegExp(`${first.number}[^]*`));
  await picture(page, "resident-5-near");
  await page.getByRole("button", { name: new RegExp(`加入此案.*${first.number}`) }).click();
  await page.getByText("已加入此案").waitFor();
  const second = await receipt(page);
  assert.equal(second.number, first.number);
  assert.notEqual(second.code, first.code);
  await page.getByRole("link", { name: "查看进度" }).click();
  assert.ok((await page.locator(".timeline strong").allInnerTexts()).includes("又有人上报"));
});

test("going back from the duplicates changes the report and loses nothing of it", async () => {
  const page = await place.reader();
  await page.goto("/report?service=SR-LT");
  await page.getByText("填写坐标").click();
  await page.getByLabel("纬度").fill(SPOT.lat);
  await page.getByLabel("经度").fill(SPOT.lon);
  await page.getByLabel("情况描述").fill("是另一面墙");
  await page.getByLabel("照片", { exact: true }).setInputFiles(photo());
  await page.getByLabel("电子邮箱").fill("wang@example.org");
  await page.getByRole("button", { name: "提交上报" }).click();
  await page.getByRole("button", { name: "返回修改" }).click();
  assert.equal(await page.getByLabel("情况描述").inputValue(), "是另一面墙");
  assert.equal(await page.getByLabel("纬度").inputValue(), SPOT.lat);
  assert.equal(await page.getByLabel("电子邮箱").inputValue(), "wang@example.org");
  assert.match(await page.locator(".kept").innerText(), /1 张照片/);
  await page.getByRole("button", { name: "提交上报" }).click();
  await page.getByRole("button", { name: "作为新问题提交" }).click();
  assert.match((await receipt(page)).number, /^\d+$/);
});

test("a reporter takes the report back", async () => {
  const page = await place.reader({ size: PHONE });
  await report(page, { lat: "46.5203", lon: "132.2600", text: "报错了" });
  await page.getByRole("link", { name: "查看进度" }).click();
  await page.locator("summary", { hasText: "撤回上报" }).click();
  await page.getByRole("button", { name: "撤回" }).click();
  assert.match(await page.locator(".tag").first().innerText(), /已结案/);
});

test("the receipt prints with number and code and without buttons and menus", async () => {
  const page = await place.reader();
  const { number, code } = await report(page, { lat: "46.5233", lon: "132.2640", text: "打印回执" });
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.getByText(`${number}`, { exact: true }).isVisible(), true);
  assert.equal(await page.getByText(code, { exact: true }).isVisible(), true);
  const paper = await page.locator(".receipt").innerText();
  assert.ok(paper.includes(`${place.base}/follow`), "paper says where to follow");
  for (const hidden of [".top nav", ".bottom", ".skip", "main button", "main a.button"]) {
    assert.equal(await page.locator(hidden).first().isVisible(), false, `${hidden} is printed`);
  }
  await picture(page, "receipt-print");
  const pages = (await page.pdf({ format: "A4" })).toString("latin1").match(/\/Type\s*\/Page\b/g);
  assert.equal(pages.length, 1, "one sheet");
});

test("whoever leaves a shared computer leaves nothing behind", async () => {
  const page = await place.reader();
  await report(page, { lat: "46.5263", lon: "132.2560", text: "公用电脑" });
  await page.getByRole("button", { name: "在此设备上退出查询" }).click();
  await page.goto("/follow/case");
  assert.match(page.url(), /\/follow$/);
  await page.goto("/receipt");
  assert.match(page.url(), /\/follow$/);
});

test("the language is switched on any page and stays", async () => {
  const page = await place.reader();
  await page.goto("/cases?state=closed");
  await page.getByRole("link", { name: "English" }).click();
  assert.match(page.url(), /state=closed/);
  assert.equal(await page.locator("h1").innerText(), "Public cases");
  await page.goto("/about");
  assert.equal(await page.locator("html").getAttribute("lang"), "en");
});
