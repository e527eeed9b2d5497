// What every browser test stands on: a demo place of its own, served on a free port, and a real browser.
//
// Readers have JavaScript off, as the pages must work without it. Only axe, which is JavaScript, gets a browser with it on.

import { spawn, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import { chromium } from "playwright-core";

const HERE = dirname(fileURLToPath(import.meta.url));
const WHISTLE = process.env.WHISTLE ?? join(HERE, "../../target/debug/whistle");
/** Where pictures for people are left: beside the tests, or where CI keeps what a run leaves. */
const SCREENSHOTS = process.env.WHISTLE_SCREENSHOTS ?? join(HERE, "screenshots");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A service whose one standard and one unit are plain, so that a report goes straight to the unit. */
export const GRAFFITI = "SR-LT";
/** A spot in the town. */
export const SPOT = { lat: "46.5173", lon: "132.2660" };
/** A phone, a desk. */
export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1440, height: 900 };

const BROWSER_ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Draws without a graphics card. */
const SOFTWARE_GL = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"];

/**
 * Starts a place with a history and a browser; `settings` are the server's, as variables. With a `name` of this machine, that
 * is the place's public address, and browsers come by it. With `webgl` the browser draws maps, in software. `place.stop()` ends both.
 */
export async function open({ cases = 400, until = "2026-05-08T00:00Z", settings = {}, name = "", webgl = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "whistle-browser-"));
  const made = execFileSync(
    WHISTLE,
    ["demo", "--dir", folder, "--cases", `${cases}`, "--seed", "1", "--until", until, "--no-serve", "--json"],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
  const { accounts } = JSON.parse(made);
  const passwords = new Map(accounts.map((a) => [a.login, a.password]));
  const posts = new Map(accounts.map((a) => [a.login, a.post]));
  const port = name ? await freePort() : 0;
  const address = name ? { WHISTLE_BASE_URL: `http://${name}:${port}` } : {};
  const env = { ...process.env, ...address, ...settings };
  const server = serve(folder, port, env);
  const listens = await listening(server);
  const base = address.WHISTLE_BASE_URL ?? listens;
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: webgl ? [...BROWSER_ARGUMENTS.filter((one) => one !== "--disable-gpu"), ...SOFTWARE_GL] : BROWSER_ARGUMENTS,
  });
  mkdirSync(SCREENSHOTS, { recursive: true });
  return new Place(folder, passwords, posts, server, base, browser, env);
}

function serve(folder, port, env) {
  const words = ["serve", "--data", folder, "--listen", `127.0.0.1:${port}`, "--rate", "0", "--log", "warn"];
  return spawn(WHISTLE, words, { stdio: ["ignore", "pipe", "inherit"], env });
}

/** A port that nobody listens on now. */
function freePort() {
  return new Promise((done) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

/** The address on the line that the server prints when it is ready. */
function listening(server) {
  return new Promise((done, failed) => {
    const lines = createInterface({ input: server.stdout });
    lines.on("line", (line) => {
      const found = line.match(/listening on (http:\S+)/);
      if (found) done(found[1]);
    });
    server.on("exit", (code) => failed(new Error(`whistle serve ended with ${code}`)));
    server.on("error", failed);
  });
}

class Place {
  constructor(folder, passwords, posts, server, base, browser, env) {
    Object.assign(this, { folder, passwords, posts, server, base, browser, env });
  }

  /** Ends the server in the middle of whatever it does. */
  async kill() {
    this.server.removeAllListeners("exit");
    const gone = new Promise((done) => this.server.once("exit", done));
    this.server.kill("SIGKILL");
    await gone;
  }

  /** Starts it again where it was. */
  async restart() {
    this.server = serve(this.folder, new URL(this.base).port, this.env);
    await listening(this.server);
  }

  /** Runs a command of the operator's on the place, and gives what it prints. */
  run(...words) {
    return execFileSync(WHISTLE, [...words, "--data", this.folder], { encoding: "utf8" });
  }

  /** Adds an account that holds one more post. */
  add(login, post) {
    const password = `${login}-lusu-bade-41`;
    const add = ["user", "add", login, "--post", post, "--password-stdin", "--data", this.folder];
    execFileSync(WHISTLE, add, { input: password, stdio: ["pipe", "ignore", "inherit"] });
    this.passwords.set(login, password);
    this.posts.set(login, post);
  }

  /** A reader with a browser of their own: no cookies, and no JavaScript unless asked for. */
  async reader({ lang = "zh", size = DESK, scheme = "light", script = false } = {}) {
    const context = await this.browser.newContext({
      baseURL: this.base,
      locale: lang === "zh" ? "zh-CN" : "en-GB",
      viewport: size,
      colorScheme: scheme,
      javaScriptEnabled: script,
      hasTouch: size === PHONE,
      isMobile: size === PHONE,
    });
    context.setDefaultTimeout(20_000);
    return context.newPage();
  }

  /** A reader who is signed in as one of the demo's accounts. */
  async staff(login, options = {}) {
    const page = await this.reader(options);
    await signIn(page, login, this.passwords.get(login));
    return page;
  }

  async stop() {
    await this.browser.close();
    this.server.removeAllListeners("exit");
    if (this.server.exitCode === null) {
      const gone = new Promise((done) => this.server.once("exit", done));
      this.server.kill("SIGTERM");
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Signs in with the form. */
export async function signIn(page, login, password) {
  await page.goto("/staff/sign-in");
  await page.locator("#login").fill(login);
  await page.locator("#password").fill(password);
  await page.locator("form[action='/staff/sign-in'] button").click();
}

/** Fills in and sends a report of graffiti at a spot; gives number and code from the receipt. */
export async function report(page, { lat = SPOT.lat, lon = SPOT.lon, text, phone, service = GRAFFITI } = {}) {
  await page.goto(`/report?service=${service}`);
  await page.locator("summary").first().click();
  await page.locator("#lat").fill(lat);
  await page.locator("#lon").fill(lon);
  await page.locator("#description").fill(text);
  if (phone) await page.locator("#phone").fill(phone);
  await page.locator("main form button.big").click();
  return receipt(page);
}

/** Number and code of the receipt that is shown. */
export async function receipt(page) {
  const [number, code] = await page.locator(".receipt dd.big").allInnerTexts();
  return { number, code };
}

/** Opens the reporter's page with number and code. */
export async function follow(page, { number, code }) {
  await page.goto("/follow");
  await page.locator("#number").fill(number);
  await page.locator("#code").fill(code);
  await page.locator("main form button").click();
}

/** The verbs of the forms on a staff case page. */
export function verbs(page) {
  return page.locator(".acts details.act").evaluateAll((all) => all.map((one) => one.id));
}

/** Sends a form of a staff case page, opened if it is folded. */
export async function act(page, verb, fields = {}) {
  const form = page.locator(`details#${verb}`);
  if (!(await form.evaluate((one) => one.open))) await form.locator("summary").click();
  for (const [name, value] of Object.entries(fields)) {
    const field = form.locator(`[name=${name}]`);
    const kind = await field.first().evaluate((one) => one.getAttribute("type") ?? one.tagName);
    if (kind === "SELECT") await field.selectOption(value);
    else if (kind === "radio") await form.locator(`[name=${name}][value=${value}]`).check();
    else await field.fill(value);
  }
  await form.locator("button").click();
}

/** For a human to look at. */
export function picture(page, name) {
  return page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}

/** What axe finds wrong on a page of a browser with JavaScript, one line each. The page's own policy stays in force. */
export async function faults(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      resultTypes: ["violations"],
    }),
  );
  return found.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")} (${node.any[0]?.message ?? rule.help})`),
  );
}

/** The check of a PNG's chunk. */
function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ -1) >>> 0;
}

/** A small real PNG: `width` × `height` points in a gradient. */
export function png(blue = 120, width = 64, height = 48) {
  const chunk = (kind, body) => {
    const head = Buffer.concat([Buffer.from(kind, "latin1"), body]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(body.length);
    check.writeUInt32BE(crc32(head));
    return Buffer.concat([length, head, check]);
  };
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  size.set([8, 2, 0, 0, 0], 8);
  const rows = [];
  for (let y = 0; y < height; y += 1) {
    rows.push(0);
    for (let x = 0; x < width; x += 1) rows.push((x * 255) / width, (y * 255) / height, blue);
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const points = deflateSync(Buffer.from(rows));
  return Buffer.concat([signature, chunk("IHDR", size), chunk("IDAT", points), chunk("IEND", Buffer.alloc(0))]);
}

/** The same as a file for an upload field; files of other names are other pictures. */
export function photo(name = "wall.png") {
  return { name, mimeType: "image/png", buffer: png(Buffer.from(name).reduce((sum, byte) => sum + byte, 0) % 256) };
}
