// The way of a report by keyboard alone, from the home page to the receipt.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { open, picture, receipt } from "./harness.js";

let place;
before(async () => {
  place = await open({ cases: 20 });
});
after(() => place.stop());

/** The element that has the focus. JavaScript is off for the page, not for the test. */
const focused = (page) => page.locator(":focus");

/** Presses Tab until the element has the focus; it must be reached within `most` presses and be seen there. */
async function tabTo(page, selector, most = 120) {
  for (let pressed = 0; pressed < most; pressed += 1) {
    await page.keyboard.press("Tab");
    if (await page.locator(`${selector}:focus`).count()) {
      const outline = await focused(page).evaluate((one) => getComputedStyle(one).outlineStyle);
      assert.equal(outline, "solid", `${selector} shows no focus`);
      return pressed + 1;
    }
  }
  return assert.fail(`${selector} was not reached by Tab`);
}

test("a report is made with Tab, Enter, space and letters only", async () => {
  const page = await place.reader();
  await page.goto("/");
  await page.keyboard.press("Tab");
  assert.equal(await focused(page).getAttribute("href"), "#main", "the first stop skips the menu");
  await picture(page, "keyboard-1-skip");
  await page.keyboard.press("Enter");
  await tabTo(page, 'main a[href="/report"]', 3);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/report$/);

  await tabTo(page, "#q");
  await page.keyboard.type("graffiti");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=graffiti/);
  await tabTo(page, '.services a[href*="SR-LT"]');
  await page.keyboard.press("Enter");
  await page.waitForURL(/service=SR-LT/);

  await tabTo(page, "#address");
  await page.keyboard.type("South wall of the school");
  await tabTo(page, "#area", 1);
  await page.keyboard.press("ArrowDown");
  await tabTo(page, "summary", 1);
  await page.keyboard.press("Enter");
  await tabTo(page, "#lat", 1);
  await page.keyboard.type("46.5173");
  await tabTo(page, "#lon", 1);
  await page.keyboard.type("132.2660");
  await tabTo(page, "#description", 1);
  await page.keyboard.type("Sprayed letters");
  await tabTo(page, "#photos", 1);
  await tabTo(page, "[name=photos_public]", 2);
  await page.keyboard.press("Space");
  assert.equal(await focused(page).isChecked(), true);
  await tabTo(page, "#email");
  await page.keyboard.type("ada@example.org");
  await tabTo(page, "button.big");
  await picture(page, "keyboard-2-form");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/receipt$/);
  assert.match((await receipt(page)).code, /^[0-9A-Z]{5}-[0-9A-Z]{5}$/);
});

test("on a staff case the forms open and send by keyboard", async () => {
  const page = await place.staff("dispatcher");
  await page.goto("/staff?tab=open");
  await tabTo(page, ".queue a");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/staff\/cases\/\d+/);
  await tabTo(page, "#comment summary");
  await page.keyboard.press("Enter");
  await tabTo(page, "#comment textarea", 1);
  await page.keyboard.type("seen");
  await tabTo(page, "#comment button", 2);
  await page.keyboard.press("Enter");
  await page.waitForURL(/done=comment/);
  await page.locator(".done").waitFor();
});
