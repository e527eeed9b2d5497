// What is kept on the phone, in IndexedDB. Each step is one transaction: it is kept whole, or not at all, also when the browser
// is ended in the middle.

import { openDB, type DBSchema, type IDBPDatabase, type IDBPObjectStore, type StoreNames } from "idb";
import { applied, type Answer } from "./applied";
import { accountOf, type Draft, type Item, type Sent, type Shift, type Who } from "./model";

interface Kept extends DBSchema {
  /** `who`, `shift`, `pages` of rounds, `language`, `clock`, `wait`, `services` that were chosen at stops. */
  meta: { key: string; value: unknown };
  outbox: { key: number; value: Item };
  photo: { key: number; value: Blob };
  sent: { key: number; value: Sent };
  /** By account and form. */
  draft: { key: string; value: Draft };
}

export type Keep = IDBPDatabase<Kept>;

/** The database of the app. */
export const NAME = "whistle-field";

/** How many sent things are shown. */
const SENT = 50;

/** How long a draft waits for whoever began it, in milliseconds: a week. */
const DRAFT_LASTS = 7 * 24 * 3600 * 1000;

export function open(): Promise<Keep> {
  return openDB<Kept>(NAME, 2, {
    upgrade(db, before) {
      if (before < 1) {
        db.createObjectStore("meta");
        db.createObjectStore("outbox", { keyPath: "id", autoIncrement: true });
        db.createObjectStore("photo", { autoIncrement: true });
        db.createObjectStore("sent", { keyPath: "id", autoIncrement: true });
      }
      if (before < 2) db.createObjectStore("draft");
    },
    // A newer page waits for this one to let go.
    blocking: (_now, _next, event) => {
      (event.target as IDBDatabase).close();
    },
  });
}

/** How far the server's clock is before the phone's, in milliseconds. */
export async function clock(keep: Keep): Promise<number> {
  return ((await keep.get("meta", "clock")) as number | undefined) ?? 0;
}

export async function who(keep: Keep): Promise<Who | undefined> {
  return (await keep.get("meta", "who")) as Who | undefined;
}

export async function shift(keep: Keep): Promise<Shift | undefined> {
  return (await keep.get("meta", "shift")) as Shift | undefined;
}

/** Keeps something to be sent, with its photos. Fails with a `QuotaExceededError` when there is no room; nothing of it is kept then. */
export async function put(keep: Keep, item: Omit<Item, "photos">, photos: Blob[]): Promise<void> {
  const tx = keep.transaction(["outbox", "photo"], "readwrite");
  // A failure of one step is that of the whole, which is heard of once.
  tx.done.catch(() => undefined);
  const ids = await Promise.all(photos.map((photo) => tx.objectStore("photo").add(photo)));
  await tx.objectStore("outbox").add({ ...item, photos: ids.map((id) => ({ id })) });
  await tx.done;
}

/** All that is to be sent, in its order. What an older app, or a fault, left incomplete is made whole enough to be shown. */
export async function items(keep: Keep): Promise<Item[]> {
  const all: Partial<Item>[] = await keep.getAll("outbox");
  return all.map((one) => ({ account: "", key: "", subject: "", label: "", made_at: new Date(0).toISOString(), path: "", ...one, body: one.body ?? {}, photos: one.photos ?? [] }));
}

/** What came of something that was sent. */
export interface Done {
  sent: Omit<Sent, "id">;
  /** What the server answered. */
  answer: Answer;
  /** The version that it led to, which what was done to the same after it is said to have seen. */
  version?: number;
}

/** Takes something out of what is to be sent; where it was sent, notes that, and does the same to the kept shift. */
export async function take(keep: Keep, item: Item, done?: Done): Promise<void> {
  const tx = keep.transaction(["outbox", "photo", "sent", "meta"], "readwrite");
  const outbox = tx.objectStore("outbox");
  if (item.id !== undefined) await outbox.delete(item.id);
  for (const { id } of item.photos) await tx.objectStore("photo").delete(id);
  if (done) {
    await tx.objectStore("sent").add(done.sent);
    const old = await tx.objectStore("sent").getAllKeys();
    for (const key of old.slice(0, Math.max(0, old.length - SENT))) await tx.objectStore("sent").delete(key);
    const shift = (await tx.objectStore("meta").get("shift")) as Shift | undefined;
    if (shift && accountOf(shift.who) === item.account) await tx.objectStore("meta").put(applied(shift, item, done.answer, new Date()), "shift");
  }
  if (done?.version !== undefined) await sees(outbox, item, done.version);
  await tx.done;
}

/** Notes something with what is to be sent, unless it was dropped or taken back meanwhile. */
export async function note(keep: Keep, item: Item, what: Partial<Item>): Promise<void> {
  if (item.id === undefined) return;
  const tx = keep.transaction("outbox", "readwrite");
  const kept = await tx.store.get(item.id);
  if (kept) await tx.store.put({ ...kept, ...what });
  await tx.done;
}

/** Adds photos to something that is held; false where it is on its way already. Fails like `put` when there is no room. */
export async function addPhotos(keep: Keep, item: Item, photos: Blob[], holdUntil: number): Promise<boolean> {
  const tx = keep.transaction(["outbox", "photo"], "readwrite");
  tx.done.catch(() => undefined);
  const kept = await tx.objectStore("outbox").get(item.id ?? 0);
  const isHeld = (kept?.hold_until ?? 0) > Date.now();
  if (kept && isHeld) {
    const ids = await Promise.all(photos.map((photo) => tx.objectStore("photo").add(photo)));
    await tx.objectStore("outbox").put({ ...kept, photos: [...kept.photos, ...ids.map((id) => ({ id }))], hold_until: holdUntil });
  }
  await tx.done;
  return isHeld;
}

/** The photos of something that can still be read. */
export async function photosOf(keep: Keep, item: Item): Promise<Blob[]> {
  const found = await Promise.all(item.photos.map(({ id }) => keep.get("photo", id).catch(() => undefined)));
  return found.filter((one) => one !== undefined);
}

/** What somebody began to fill in and did not keep, by form. Those that nobody came back to go. */
export async function drafts(keep: Keep): Promise<Map<string, Draft>> {
  const found = new Map<string, Draft>();
  for (const key of await keep.getAllKeys("draft")) {
    const draft = await keep.get("draft", key);
    if (draft && Date.now() - draft.at < DRAFT_LASTS) found.set(key, draft);
    else await keep.delete("draft", key);
  }
  return found;
}

/** Forgets what was fetched for who was signed in; what is not sent yet stays. */
export async function forgetShift(keep: Keep): Promise<void> {
  await keep.delete("meta", "shift");
  await keep.delete("meta", "pages");
}

/** Has something tried again that was refused, now that what happened meanwhile was seen. */
export async function again(keep: Keep, item: Item): Promise<void> {
  const tx = keep.transaction("outbox", "readwrite");
  const rest = { ...item };
  delete rest.refusal;
  delete rest.tries;
  await tx.store.put(rest);
  if (item.refusal?.version !== undefined) await sees(tx.store, item, item.refusal.version);
  await tx.done;
}

type Outbox = IDBPObjectStore<Kept, ArrayLike<StoreNames<Kept>>, "outbox", "readwrite">;

/** What was done to the same, and had seen as much of it as `item` had, has seen `version` now. */
async function sees(outbox: Outbox, item: Item, version: number): Promise<void> {
  for (const one of await outbox.getAll()) {
    const isSame = one.account === item.account && one.subject === item.subject;
    if (!isSame || one.body["seen"] !== item.body["seen"]) continue;
    await outbox.put({ ...one, body: { ...one.body, seen: version } });
  }
}
