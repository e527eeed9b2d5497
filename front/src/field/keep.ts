// What is kept on the phone, in IndexedDB. Each step is one transaction: it is kept whole, or not at all, also when the browser
// is ended in the middle.

import { openDB, type DBSchema, type IDBPDatabase, type IDBPObjectStore, type StoreNames } from "idb";
import type { Item, Sent, Shift, Who } from "./model";

interface Kept extends DBSchema {
  /** `who`, `shift`, `language`, `clock`, `wait`. */
  meta: { key: string; value: unknown };
  outbox: { key: number; value: Item };
  photo: { key: number; value: Blob };
  sent: { key: number; value: Sent };
}

export type Keep = IDBPDatabase<Kept>;

/** How many sent things are shown. */
const SENT = 50;

export function open(): Promise<Keep> {
  return openDB<Kept>("whistle-field", 1, {
    upgrade(db) {
      db.createObjectStore("meta");
      db.createObjectStore("outbox", { keyPath: "id", autoIncrement: true });
      db.createObjectStore("photo", { autoIncrement: true });
      db.createObjectStore("sent", { keyPath: "id", autoIncrement: true });
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

/** Takes something out of what is to be sent, and notes that it was sent, where it was. What was done to the same after it is said to have seen `version`. */
export async function take(keep: Keep, item: Item, sent?: Omit<Sent, "id">, version?: number): Promise<void> {
  const tx = keep.transaction(["outbox", "photo", "sent"], "readwrite");
  const outbox = tx.objectStore("outbox");
  if (item.id !== undefined) await outbox.delete(item.id);
  for (const { id } of item.photos) await tx.objectStore("photo").delete(id);
  if (sent) {
    await tx.objectStore("sent").add(sent);
    const old = await tx.objectStore("sent").getAllKeys();
    for (const key of old.slice(0, Math.max(0, old.length - SENT))) await tx.objectStore("sent").delete(key);
  }
  if (version !== undefined) await sees(outbox, item, version);
  await tx.done;
}

/** Has something tried again that was refused, now that what happened meanwhile was seen. */
export async function again(keep: Keep, item: Item): Promise<void> {
  const tx = keep.transaction("outbox", "readwrite");
  const { refusal, ...rest } = item;
  await tx.store.put(rest);
  if (refusal?.version !== undefined) await sees(tx.store, item, refusal.version);
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
