// What was entered and not sent yet, kept in this tab of this browser: a phone forgets a page while its camera is open. How the
// reporter can be reached is not among it.

import type { Photo } from "./photos";

const NAME = "whistle-report";

/** Photos of a tab that was closed are thrown away after so many milliseconds: a day. */
const STALE = 24 * 3600 * 1000;

/** What was entered. */
export interface Draft {
  /** By which the photos are found. */
  id: string;
  /** By which the server knows a report that is sent twice. */
  key: string;
  fields: Record<string, string[]>;
}

interface KeptPhotos {
  at: number;
  photos: Photo[];
}

/** The draft of this tab; none where there is none, or the browser keeps nothing. */
export function kept(): Draft | null {
  try {
    const text = sessionStorage.getItem(NAME);
    return text ? (JSON.parse(text) as Draft) : null;
  } catch {
    return null;
  }
}

export function keep(draft: Draft): void {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(draft));
  } catch (error) {
    // Full, or forbidden: the page goes on without.
    console.info(error);
  }
}

/** Forgets all of it. */
export async function forget(draft: Draft): Promise<void> {
  try {
    sessionStorage.removeItem(NAME);
    await inPhotos("readwrite", (store) => store.delete(draft.id));
  } catch (error) {
    console.info(error);
  }
}

export async function keepPhotos(draft: Draft, photos: Photo[]): Promise<void> {
  const value: KeptPhotos = { at: Date.now(), photos };
  try {
    await inPhotos("readwrite", (store) => store.put(value, draft.id));
  } catch (error) {
    console.info(error);
  }
}

/** The photos of a draft. Those of drafts that nobody will come back to go. */
export async function keptPhotos(draft: Draft): Promise<Photo[]> {
  try {
    const ids = await inPhotos("readonly", (store) => store.getAllKeys());
    let own: Photo[] = [];
    for (const id of ids) {
      const one = await inPhotos("readonly", (store) => store.get(id) as IDBRequest<KeptPhotos | undefined>);
      if (id === draft.id) own = one?.photos ?? [];
      else if (!one || Date.now() - one.at > STALE) await inPhotos("readwrite", (store) => store.delete(id));
    }
    return own;
  } catch (error) {
    console.info(error);
    return [];
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error("the browser's database failed"));
    };
  });
}

async function inPhotos<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore("photos");
  };
  const database = await done(opening);
  try {
    return await done(work(database.transaction("photos", mode).objectStore("photos")));
  } finally {
    database.close();
  }
}
