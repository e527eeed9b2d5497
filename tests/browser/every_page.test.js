// Every page, public and staff, in both languages, on a phone and at a desk, light and dark by pairs: nothing for axe to find, no
// sideways scrolling, the right language, no error in the console, and not one request to another host.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, GRAFFITI, PHONE, act, faults, follow, open, photo, picture, report } from "./harness.js";

let place;
let pair;
let pages;

before(async () => {
  place = await open();
  const reporter = await place.reader();
  pair = await report(reporter, { text: "一段很长很长的描述，用来看排版。A-very-long-word-".repeat(6), phone: "13900000000" });
  await follow(reporter, pair);
  await reporter.locator("summary", { hasText: "补充照片" }).click();
  await reporter.getByLabel("照片", { exact: true }).setInputFiles(photo());
  await reporter.getByLabel("照片可以公开").check();
  await reporter.locator("details[open] button").click();
  const unit = await place.staff("handler");
  await unit.goto(`/staff/cases/${pair.number}`);
  await act(unit, "report_in");
  await act(unit, "handle", { text: "已清洗。" });
  const centre = await place.staff("dispatcher");
  for (const wide of [true, false]) {
    await centre.goto("/staff/briefings");
    if (wide) await centre.locator("[name=public]").check();
    await centre.locator("main form button").click();
    await centre.locator("main form button").click();
    await centre.waitForURL(/\/staff\/briefings\/\d+$/);
  }
  await reporter.goto("/cases?state=closed");
  const closed = await reporter.locator(".lines a").first().getAttribute("href");
  const n = pair.number;
  pages = {
    public: [
      ["home", "/"],
      ["services", "/report"],
      ["services-none", "/report?q=zzz"],
      ["report", "/report?service=GY-JG"],
      ["report-plain", "/report?service=MS-XF"],
      ["cases", "/cases"],
      ["cases-none", "/cases?service=JM-QS&state=closed&area=230599"],
      ["case", `/cases/${n}`],
      ["case-closed", closed],
      ["join", `/cases/${n}/join`],
      ["follow", "/follow"],
      ["figures", "/figures"],
      ["figures-area", "/figures/areas/230599100"],
      ["figures-unit", "/figures/units/CG"],
      ["figures-list", "/figures/indicators"],
      ["figures-one", "/figures/indicators/on_time_handling?by=area:town"],
      ["figures-one-months", "/figures/indicators/filed?by=month"],
      ["open-data", "/open-data"],
      ["briefings", "/briefings"],
      ["briefing", "/briefings/1"],
      ["privacy", "/privacy"],
      ["about", "/about"],
      ["sign-in", "/staff/sign-in"],
      ["nowhere", "/no-such-page", 404],
      ["wrong", "/report?service=GY-JG", 400, (page) => page.locator("main form button.big").click()],
      ["wrong-code", "/follow", 403, (page) => page.locator("main form button").click()],
      [
        "near",
        `/report?service=${GRAFFITI}`,
        200,
        async (page) => {
          await page.locator("summary").first().click();
          await page.locator("#lat").fill("46.5173");
          await page.locator("#lon").fill("132.2660");
          await page.locator("#description").fill("x");
          await page.locator("main form button.big").click();
          await page.locator(".near").waitFor();
        },
      ],
    ],
    reporter: [
      ["receipt", "/receipt"],
      ["follow-case", "/follow/case"],
    ],
    dispatcher: [
      ["queue-triage", "/staff"],
      ["queue-mine", "/staff?tab=mine"],
      ["queue-verify", "/staff?tab=verify"],
      ["queue-open", "/staff?tab=open"],
      ["board", "/staff/board"],
      ["staff-figures", "/staff/figures"],
      ["figures-rows", "/staff/figures/not_closed"],
      ["staff-briefings", "/staff/briefings"],
      ["staff-briefings-wrong", "/staff/briefings/draft?from=2026-02-01&to=2026-01-01&language=zh", 400],
      ["briefing-draft", "/staff/briefings/draft?from=2026-01-01&to=2026-12-31&language=zh"],
      ["briefing-changes", "/staff/briefings/2/changes?since=1"],
      ["search", "/staff/cases"],
      ["whistles", "/staff/whistles"],
      ["handover", "/staff/handover"],
      ["round", "/field/rounds/R-230599001001"],
      ["round-sheet", "/field/rounds/R-230599001001/print"],
      ["account", "/staff/account"],
      ["second-factor", "/staff/account/second-factor"],
      ["whistle-new", `/staff/whistles/new?case=${n}`],
      ["staff-case", `/staff/cases/${n}`],
      ["case-sheet", `/staff/cases/${n}/print`],
      ["round", "/staff/round?of=area"],
      ["poster", "/staff/poster?area=230599100"],
      [
        "staff-case-open",
        `/staff/cases/${n}`,
        200,
        (page) => page.locator("details").evaluateAll((all) => all.forEach((one) => (one.open = true))),
      ],
      ["staff-services", "/staff/report"],
      ["staff-report", "/staff/report?service=GY-JG"],
      ["stations", "/staff/stations"],
      ["station", "/staff/stations/230599"],
      ["staff-nowhere", "/staff/cases/999999", 404],
    ],
    handler: [
      ["unit-queue", "/staff"],
      ["field", "/field"],
      ["unit-case", `/staff/cases/${n}`],
    ],
    admin: [
      ["house", "/staff/house"],
      ["accounts", "/staff/accounts"],
      ["acts", "/staff/acts"],
      ["keys", "/staff/keys"],
      ["notices", "/staff/notices"],
      ["place", "/staff/place"],
      ["webhooks", "/staff/webhooks"],
    ],
  };
});
after(() => place.stop());

// Each language meets each size, each size each scheme, each scheme each language: what goes wrong goes wrong for one of these pairs,
// and all eight would take twice as long.
const READERS = [
  { lang: "zh", size: PHONE, name: "phone", scheme: "light" },
  { lang: "zh", size: DESK, name: "desk", scheme: "dark" },
  { lang: "en", size: PHONE, name: "phone", scheme: "dark" },
  { lang: "en", size: DESK, name: "desk", scheme: "light" },
];

for (const { lang, size, name, scheme } of READERS) {
  test(`every page in ${lang}, ${name}, ${scheme}`, async () => {
    const found = [];
    for (const [who, list] of Object.entries(pages)) {
      const options = { lang, size, scheme, script: true };
      const page = await (place.passwords.has(who) ? place.staff(who, options) : place.reader(options));
      if (who === "reporter") await follow(page, pair);
      let now = "";
      const expected = new Set();
      page.on("request", (request) => {
        const { origin } = new URL(request.url());
        if (origin !== place.base) found.push(`${now}: asks ${request.url()}`);
      });
      page.on("pageerror", (error) => found.push(`${now}: ${error}`));
      page.on("console", (message) => {
        const of_status = /status of (\d+)/.exec(message.text());
        if (message.type() === "error" && !(of_status && expected.has(Number(of_status[1])))) {
          found.push(`${now}: console: ${message.text()}`);
        }
      });
      for (const [title, address, status = 200, then] of list) {
        now = title;
        expected.clear();
        if (status !== 200) expected.add(status);
        const answer = await page.goto(address);
        if (then) await then(page);
        else if (answer.status() !== status) found.push(`${title}: answers ${answer.status()}`);
        found.push(...(await look(page, lang)).map((fault) => `${title}: ${fault}`));
        await picture(page, `page-${who}-${title}-${lang}-${name}-${scheme}`);
      }
      await page.context().close();
    }
    assert.deepEqual(found, []);
  });
}

/** What is wrong with the page that is shown. */
async function look(page, lang) {
  const found = await faults(page);
  const seen = await page.evaluate(() => ({
    lang: document.documentElement.lang,
    text: document.body.innerText,
    title: document.title,
    headings: [...document.querySelectorAll("h1")].filter((one) => one.checkVisibility()).length,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    cut: [...document.querySelectorAll("main button, main a.button, .tag, dd.big")]
      .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)
      .map((one) => one.textContent.trim()),
  }));
  if (seen.lang !== (lang === "zh" ? "zh-Hans" : "en")) found.push(`lang is ${seen.lang}`);
  if (seen.wide > 0) found.push(`is ${seen.wide} px too wide`);
  if (seen.headings !== 1) found.push(`has ${seen.headings} main headings`);
  if (seen.title.startsWith(" ·")) found.push("has no title");
  for (const text of seen.cut) found.push(`cuts off “${text}”`);
  // The catalogue's mark of a message that is missing.
  if (seen.text.includes("⟦")) found.push("lacks a word");
  return found;
}
