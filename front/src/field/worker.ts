// The worker of the app: keeps its shell, so that it opens without a network, and sends what was kept when the browser says that
// there is one again. The server writes a line before this that says what the shell is; with another shell, it is another worker.

import { open } from "./keep";
import { heldFor, send } from "./send";

/** The parts of a worker's world that the types of pages lack. */
interface Waits extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface Fetch extends Waits {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface World {
  SHELL: { version: string; files: string[]; place: string };
  location: Location;
  clients: { claim(): Promise<void>; matchAll(): Promise<{ postMessage(what: unknown): void }[]> };
  skipWaiting(): Promise<void>;
  addEventListener(kind: "install" | "activate", heard: (event: Waits) => void): void;
  addEventListener(kind: "fetch", heard: (event: Fetch) => void): void;
  addEventListener(kind: "sync", heard: (event: Waits & { tag: string }) => void): void;
}
const world = self as unknown as World;
const { version, files, place } = world.SHELL;

/** How long the worker stays for something that can still be taken back, in milliseconds: browsers end it soon after. */
const LONGEST_HOLD = 20_000;

const NAME = "whistle-field-";
const cacheName = NAME + version;

world.addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(cacheName);
    // All or none; past what the browser may have of before.
    await cache.addAll(files.map((file) => new Request(file, { cache: "reload" })));
    await world.skipWaiting();
  };
  event.waitUntil(keep());
});

world.addEventListener("activate", (event) => {
  const tidy = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith(NAME) && name !== cacheName);
    await Promise.all(old.map((name) => caches.delete(name)));
    await world.clients.claim();
  };
  event.waitUntil(tidy());
});

world.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== world.location.origin) return;
  if (files.includes(url.pathname)) event.respondWith(kept(url.pathname, request));
  else if (request.mode === "navigate" && url.pathname === "/field") event.respondWith(shell(url));
  else if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => shell(url)));
});

async function kept(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  return (await cache.match(path)) ?? fetch(request);
}

/** The shell in the language that was chosen last. */
async function shell(url: URL): Promise<Response> {
  const keep = await open();
  const chosen = url.searchParams.get("lang");
  if (chosen === "zh" || chosen === "en") {
    await keep.put("meta", chosen, "language");
    // The server's pages go along; without a network they do the next time.
    void fetch(`/field?lang=${chosen}`, { redirect: "manual" }).catch(() => undefined);
  }
  const language = (await keep.get("meta", "language")) === "en" ? "en" : "zh";
  keep.close();
  return kept(`/field/shell/${language}`, new Request(url));
}

world.addEventListener("sync", (event) => {
  if (event.tag !== "whistle-field-send") return;
  const all = async () => {
    const keep = await open();
    let went = await send(keep, place);
    // What can still be taken back is sent once it cannot, also when the app is closed meanwhile.
    const held = went === "done" ? await heldFor(keep) : undefined;
    if (held !== undefined && held < LONGEST_HOLD) {
      await new Promise((done) => setTimeout(done, held));
      went = await send(keep, place);
    }
    keep.close();
    for (const client of await world.clients.matchAll()) client.postMessage("sent");
    // The browser tries again by itself.
    if (went === "away") throw new Error("there is no server");
  };
  event.waitUntil(all());
});
