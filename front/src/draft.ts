// What was entered and not sent yet, kept in this tab of this browser: a phone forgets a page while its camera is open. How the
// reporter can be reached is not among it.

import { openDB, type DBSchema, type IDBPDatabase } from "idb";
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
    await inPhotos((store) => store.delete("photos", draft.id));
  } catch (error) {
    console.info(error);
  }
}

export async function keepPhotos(draft: Draft, photos: Photo[]): Promise<void> {
  const value: KeptPhotos = { at: Date.now(), photos };
  try {
    await inPhotos((store) => store.put("photos", value, draft.id));
  } catch (error) {
    console.info(error);
  }
}

/** The photos of a draft. Those of drafts that nobody will come back to go. */
export async function keptPhotos(draft: Draft): Promise<Photo[]> {
  try {
    return await inPhotos(async (store) => {
      let own: Photo[] = [];
      for (const id of await store.getAllKeys("photos")) {
        const one = await store.get("photos", id);
        if (id === draft.id) own = one?.photos ?? [];
        else if (!one || Date.now() - one.at > STALE) await store.delete("photos", id);
      }
      return own;
    });
  } catch (error) {
    console.info(error);
    return [];
  }
}

interface Kept extends DBSchema {
  photos: { key: string; value: KeptPhotos };
}

async function inPhotos<T>(work: (database: IDBPDatabase<Kept>) => Promise<T>): Promise<T> {
  const database = await openDB<Kept>(NAME, 1, {
    upgrade(one) {
      one.createObjectStore("photos");
    },
  });
  try {
    return await work(database);
  } finally {
    database.close();
  }
}
