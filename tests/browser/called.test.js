// A whistle walked by a station, its lead and three units, each in a browser of their own, in Chinese and English, on
// phones and desks, and two of them at the same moment. Without JavaScript.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, act, open, picture, report, verbs } from "./harness.js";

let place;
before(async () => {
  place = await open();
});
after(() => place.stop());

/** Looks at a page: nothing of it lies beyond the right edge. */
async function look(page, name) {
  const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= seen, `${name} is ${wide} wide on a screen of ${seen}`);
  await picture(page, `called-${name}`);
}

/** Sends a form of the page as if it were another, which the page does not offer. */
async function tries(page, own, verb, fields) {
  const form = page.locator(`details#${own} form`);
  await form.evaluate(
    (one, [verb, fields]) => {
      one.action = one.action.replace(/[^/]*$/, verb);
      one.closest("details").open = true;
      for (const [name, value] of Object.entries(fields)) {
        const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
        one.append(field);
      }
    },
    [verb, fields],
  );
  await form.locator("button").click();
  return page.locator(".summary").innerText();
}

/** This minute there, as a field for date and time takes it. */
function now() {
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "short" });
  return parts.format(new Date()).replace(" ", "T");
}

test("a station and three units walk a whistle to its end at once", async () => {
  place.add("power", "GD-H");
  const unit = (login) => place.posts.get(login).replace(/-H$/, "");
  const { number } = await report(await place.reader(), { text: "电杆倾斜，路面塌陷，墙上有涂鸦" });
  const desk = await place.staff("dispatcher", { lang: "en", size: DESK });
  const lead = await place.staff("lead", { lang: "zh", size: PHONE });
  const first = await place.staff("handler", { lang: "zh", size: PHONE });
  const second = await place.staff("handler2", { lang: "en", size: PHONE });
  const third = await place.staff("power", { lang: "zh", size: DESK });

  // This kind needs the word of the station's lead; until then no unit knows of it.
  await desk.goto(`/staff/whistles/new?case=${number}`);
  await desk.locator("#cases").fill(number);
  await desk.locator("#kind").selectOption("hard");
  await desk.locator("#matter").fill("The pole leans, and the road below it sinks.");
  await desk.locator("#place").fill("North gate of the square");
  for (const login of ["handler", "handler2", "power"]) {
    const box = desk.locator(`[name=unit][value="${unit(login)}"]`);
    await box.evaluate((one) => (one.closest("details").open = true));
    await box.check();
  }
  await desk.locator("#lead").selectOption(unit("handler2"));
  await look(desk, "1-to-blow-en-desk");
  await desk.locator("main form button.big").click();
  const whistle = new URL(desk.url()).pathname;
  assert.match(await desk.locator(".lead .tag").first().innerText(), /Awaiting approval|approv/i);
  await first.goto("/staff/whistles");
  assert.doesNotMatch(await first.locator("main").innerText(), /The pole leans/);
  assert.equal((await first.goto(whistle)).status(), 404);
  await lead.goto(whistle);
  assert.deepEqual((await verbs(lead)).slice(0, 1), ["approve"]);
  await look(lead, "2-to-approve-zh-phone");
  await act(lead, "approve");
  assert.match(await lead.locator(".done").innerText(), /已批准/);

  // Two sign at the same moment, from pages of the same age: one is told what happened meanwhile, and signs then.
  await first.goto("/staff/whistles");
  await look(first, "3-list-zh-phone");
  for (const page of [first, second]) await page.goto(whistle);
  await Promise.all([act(first, "sign"), act(second, "sign")]);
  const refused = [];
  for (const page of [first, second]) if ((await page.locator(".summary").count()) > 0) refused.push(page);
  assert.equal(refused.length, 1, "one of both is too late");
  const [late] = refused;
  assert.match(await late.locator(".summary .timeline").innerText(), late === first ? /签收/ : /Signed/);
  await look(late, late === first ? "4-too-late-zh-phone" : "4-too-late-en-phone");
  await act(late, "sign");
  assert.match(await late.locator(".done").innerText(), late === first ? /已签收/ : /Signed/);

  // The third does not come, and says why.
  await third.goto(whistle);
  await act(third, "refuse", { text: "台风抢修，全部人员在外，明日可到。" });
  await look(third, "5-refused-zh-desk");
  assert.match(await third.locator("main").innerText(), /已拒绝/);

  // What a unit may not do is not offered, and refused in words.
  await first.goto(whistle);
  assert.deepEqual((await verbs(first)).filter((verb) => ["confirm", "minutes", "close", "raise"].includes(verb)), []);
  const confirms = await tries(first, "contact", "confirm", { unit: unit("handler2"), present: "yes" });
  assert.match(confirms, /您的岗位不能办理：核实到场/);
  await look(first, "6-may-not-confirm-zh-phone");
  await second.goto(whistle);
  assert.match(await tries(second, "contact", "close", {}), /Your post may not do this: Close/);
  await look(second, "6-may-not-close-en-phone");

  // One had no connection, and reports in afterwards, with the time when it was there.
  await first.goto(whistle);
  await act(first, "report_in", { made_at: now(), text: "现场已设围挡。" });
  assert.match(await first.locator(".done").innerText(), /已报到/);
  assert.match(await first.locator("main").innerText(), /补报/);
  await look(first, "7-reported-in-later-zh-phone");
  await second.goto(whistle);
  await act(second, "report_in");
  assert.match(await second.locator(".done").innerText(), /Reported in/);

  // The station finds one there; the other it does not find, until that has come again.
  await desk.goto(whistle);
  await act(desk, "confirm", { unit: unit("handler"), present: "yes" });
  await act(desk, "confirm", { unit: unit("handler2"), present: "no" });
  await look(desk, "8-confirmed-en-desk");
  await second.goto(whistle);
  await act(second, "report_in");
  await desk.goto(whistle);
  await act(desk, "confirm", { unit: unit("handler2"), present: "yes" });

  // Minutes, with a duty for each who came.
  await desk.goto(whistle);
  assert.ok(!(await verbs(desk)).includes("close"), "there are no minutes yet");
  await act(desk, "minutes", {
    text: "The road is made safe first, then the wall is cleaned.",
    "duty-1-what": "Shore up the road",
    "duty-1-unit": unit("handler"),
    "duty-2-what": "Clean the wall",
    "duty-2-unit": unit("handler2"),
    "duty-2-limit": "5d working",
  });
  await look(desk, "9-minutes-en-desk");
  await first.goto(`${whistle}/minutes`);
  await look(first, "9-sheet-zh-phone");
  await first.goto(whistle);
  await act(first, "leave");
  await look(first, "10-left-zh-phone");

  // It ends; the lead unit, which has a duty, has the case; both sides rate, and the duties are done one by one.
  await desk.goto(whistle);
  await act(desk, "close", { text: "All know what to do." });
  assert.match(await desk.locator(".lead .tag").first().innerText(), /Closed/);
  for (const login of ["handler", "handler2"]) {
    await desk.goto(whistle);
    await act(desk, "rate_unit", { unit: unit(login), speed: "good", quality: "fair" });
  }
  await first.goto(whistle);
  await act(first, "finish");
  await first.goto(whistle);
  await act(first, "rate_whistle", { rating: "good" });
  await second.goto(whistle);
  await act(second, "rate_whistle", { rating: "poor", text: "One unit would have done." });
  await look(second, "11-rated-en-phone");
  await desk.goto(whistle);
  await look(desk, "11-rated-en-desk");
  await lead.goto(whistle);
  const told = await lead.locator("main").innerText();
  assert.match(told, /速度好，质量一般/);
  assert.match(told, /应哨单位评哨：差/);
  await look(lead, "11-rated-zh-phone");
  await lead.goto(`/staff/cases/${number}`);
  await look(lead, "12-its-case-zh-phone");
  const leads = lead.locator(".facts div", { hasText: "承办单位" }).locator("dd");
  await second.goto("/staff/whistles?tab=called_over");
  await look(second, "13-list-en-phone");
  assert.ok((await leads.innerText()).trim().length > 0);
});
