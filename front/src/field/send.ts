// Sends what was kept: in order, once, as whoever did it. Used by the page and by its worker, whichever is there; a lock sees to it
// that one of them does it at a time, and the server knows what it was sent before by its key.

import type { Keep } from "./keep";
import { take } from "./keep";
import { accountOf, type Event, type Item, type Refusal, type Who } from "./model";

/** How it went. */
export type Went =
  /** All that could be sent was. */
  | "done"
  /** Somebody else is at it. */
  | "busy"
  /** There is no network, or no server; try again later. */
  | "away"
  /** Nobody is signed in. */
  | "signed_out";

/** How long an answer is waited for, in milliseconds: a photo over a bad line. */
const PATIENCE = 90_000;

/** How long it is waited before the next try, in seconds: at first, and at most. */
const FIRST_WAIT = 2;
const LONGEST_WAIT = 300;

class Away extends Error {}
class SignedOut extends Error {}

/** Asks the server; `Away` when nothing comes of it. */
async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    const credentials = "same-origin";
    answer = await fetch(path, { credentials, redirect: "manual", signal: AbortSignal.timeout(PATIENCE), ...init });
  } catch {
    throw new Away();
  }
  // A page of the staff's leads who is not signed in elsewhere.
  if (answer.type === "opaqueredirect" || answer.status === 401) throw new SignedOut();
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408) throw new Away();
  return answer;
}

/** Who is signed in, as the server says; keeps it, and what its clock shows. */
export async function session(keep: Keep): Promise<Who> {
  const answer = await ask("/field/session", { cache: "no-store" });
  if (!answer.ok) throw new Away();
  const who = (await answer.json()) as Who;
  await keep.put("meta", Date.parse(who.now) - Date.now(), "clock");
  await keep.put("meta", who, "who");
  return who;
}

/** Fetches what is needed for a shift without a network. */
export async function fetchShift(keep: Keep): Promise<Went> {
  try {
    const answer = await ask("/field/shift", { cache: "no-store" });
    if (!answer.ok) return "away";
    await keep.put("meta", await answer.json(), "shift");
    return "done";
  } catch (error) {
    return wentWrong(error);
  }
}

function wentWrong(error: unknown): Went {
  if (error instanceof SignedOut) return "signed_out";
  if (error instanceof Away) return "away";
  throw error;
}

/** When it may be tried again, in milliseconds since 1970. */
export async function waitsUntil(keep: Keep): Promise<number> {
  const wait = (await keep.get("meta", "wait")) as { until: number } | undefined;
  return wait?.until ?? 0;
}

/** Each try that comes to nothing doubles the wait. */
async function waitLonger(keep: Keep): Promise<void> {
  const wait = (await keep.get("meta", "wait")) as { seconds: number } | undefined;
  const seconds = Math.min(LONGEST_WAIT, (wait?.seconds ?? FIRST_WAIT / 2) * 2);
  await keep.put("meta", { seconds, until: Date.now() + seconds * 1000 }, "wait");
}

/** Sends all that can be sent. `changed` is called after each. */
export function send(keep: Keep, place: string, changed: () => void = () => undefined): Promise<Went> {
  return navigator.locks.request("whistle-field-send", { ifAvailable: true }, async (lock): Promise<Went> => {
    if (!lock) return "busy";
    try {
      const who = await session(keep);
      await sendAs(who, keep, place, changed);
      await keep.delete("meta", "wait");
      return "done";
    } catch (error) {
      const went = wentWrong(error);
      if (went === "away") await waitLonger(keep);
      return went;
    }
  });
}

async function sendAs(who: Who, keep: Keep, place: string, changed: () => void): Promise<void> {
  const account = accountOf(who);
  // Looked at anew after each: what follows one may have changed with it, or be dropped meanwhile.
  for (let after = 0; ; ) {
    const waiting = await keep.getAll("outbox");
    const held = new Set(waiting.filter((one) => one.refusal).map((one) => one.subject));
    const next = waiting.find((one) => (one.id ?? 0) > after && one.account === account && !held.has(one.subject));
    if (next?.id === undefined) return;
    after = next.id;
    await sendOne(next, who, keep, place);
    changed();
  }
}

/** A path of the API, with the place. */
function api(path: string, place: string): string {
  return `/api/v1${path}?jurisdiction_id=${encodeURIComponent(place)}`;
}

async function sendOne(item: Item, who: Who, keep: Keep, place: string): Promise<void> {
  const refusal = await sendPhotos(item, who, keep, place);
  if (refusal) return refuse(item, refusal, keep);
  const answer = await ask(api(item.path, place), {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": item.key, "X-Form-Token": who.token },
    body: JSON.stringify(bodyOf(item, who)),
  });
  if (!answer.ok) return refuse(item, await refusalOf(answer), keep);
  const done = (answer.status === 204 ? {} : await answer.json()) as { number?: number; version?: number };
  const received = Date.now() + Number(await keep.get("meta", "clock"));
  const sent = {
    account: item.account,
    label: item.label,
    made_at: item.made_at,
    received_at: new Date(received).toISOString(),
    ...(done.number === undefined || item.body["seen"] !== undefined ? {} : { number: done.number }),
  };
  await take(keep, item, sent, done.version);
}

/** Sends the photos that the server has not got. What it gives for each is kept at once, so that none is sent twice. */
async function sendPhotos(item: Item, who: Who, keep: Keep, place: string): Promise<Refusal | undefined> {
  for (const photo of item.photos) {
    if (photo.ticket) continue;
    const picture = await keep.get("photo", photo.id);
    if (!picture) continue;
    const answer = await ask(api("/photos", place), {
      method: "POST",
      headers: { "Content-Type": picture.type, "X-Form-Token": who.token },
      body: picture,
    });
    if (!answer.ok) return refusalOf(answer);
    photo.ticket = ((await answer.json()) as { id: string }).id;
    await keep.put("outbox", item);
  }
  return undefined;
}

/** What is sent: the act, when it was made, and the photos. */
function bodyOf(item: Item, who: Who): Record<string, unknown> {
  const body = { ...item.body };
  const tickets = item.photos.flatMap((photo) => photo.ticket ?? []);
  if (item.path === "/reports") {
    if (tickets.length > 0) body["photos"] = tickets;
  } else if (tickets.length > 0) {
    body["photos"] = tickets.map((id) => ({ id, kind: "after" }));
  }
  // A whistle takes the time of reporting in only; and no clock of a phone is before the server's.
  const isWhistle = item.subject.startsWith("whistle:");
  if (!isWhistle || body["verb"] === "report_in") {
    body["made_at"] = item.made_at < who.now ? item.made_at : who.now;
  }
  return body;
}

async function refusalOf(answer: Response): Promise<Refusal> {
  const said = (await answer.json().catch(() => ({}))) as {
    error?: { code?: string; message?: string; version?: number; changes?: { items: Event[] } };
  };
  const { code = "", message = "", version, changes } = said.error ?? {};
  const refusal: Refusal = { status: answer.status, code, message };
  if (version !== undefined) refusal.version = version;
  if (changes) refusal.changes = changes.items;
  return refusal;
}

/** Notes why something was not done. The server forgets a photo after a day: then it is sent again, the next time. */
async function refuse(item: Item, refusal: Refusal, keep: Keep): Promise<void> {
  const gone = (refusal.code === "not_found" || refusal.code === "invalid") && refusal.message.includes("photo");
  if (gone && item.photos.some((photo) => photo.ticket)) {
    for (const photo of item.photos) delete photo.ticket;
    await keep.put("outbox", item);
    throw new Away();
  }
  await keep.put("outbox", { ...item, refusal });
}
