// Sends what was kept: in order, once, as whoever did it. Used by the page and by its worker, whichever is there; a lock sees to it
// that one of them does it at a time, and the server knows what it was sent before by its key.

import type { Answer } from "./applied";
import { items, type Keep, note, shift as keptShift, take } from "./keep";
import { accountOf, type Event, type Item, type Refusal, type Shift, type Who } from "./model";

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

/** How often the server may fail on one thing before that is set aside. */
const TRIES = 5;

/** How many pages of rounds are taken along at most; a phone has room for more, but nobody walks them. */
const MOST_PAGES = 20;

/** There is no network, or no server for now. */
class Away extends Error {}
/** The server is there, and failed on this, or did not get ready in time. */
class Failed extends Away {
  constructor(readonly status: number) {
    super();
  }
}
class SignedOut extends Error {}

/** Asks the server; `Away` when nothing comes of it. */
async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    const credentials = "same-origin";
    answer = await fetch(path, { credentials, redirect: "manual", signal: AbortSignal.timeout(PATIENCE), ...init });
  } catch (error) {
    throw error instanceof DOMException && error.name === "TimeoutError" ? new Failed(0) : new Away();
  }
  // A page of the staff's leads who is not signed in elsewhere.
  if (answer.type === "opaqueredirect" || answer.status === 401) throw new SignedOut();
  if (answer.status === 500) throw new Failed(answer.status);
  if (answer.status > 500 || answer.status === 429 || answer.status === 408) throw new Away();
  return answer;
}

/** What an answer says. One that breaks off is as good as none; the server knows what it did by the key. */
async function json(answer: Response): Promise<unknown> {
  try {
    return await answer.json();
  } catch (error) {
    throw error instanceof SyntaxError ? error : new Away();
  }
}

/** Who is signed in, as the server says; keeps it, and what its clock shows. */
export async function session(keep: Keep): Promise<Who> {
  const answer = await ask("/field/session", { cache: "no-store" });
  if (!answer.ok) throw new Away();
  const who = (await json(answer)) as Who;
  await keep.put("meta", Date.parse(who.now) - Date.now(), "clock");
  await keep.put("meta", who, "who");
  return who;
}

/** Fetches what is needed for a shift without a network, with as many pages of rounds as were asked for before. */
export async function fetchShift(keep: Keep): Promise<Went> {
  try {
    const answer = await ask("/field/shift", { cache: "no-store" });
    if (!answer.ok) return "away";
    let shift = (await json(answer)) as Shift;
    const pages = ((await keep.get("meta", "pages")) as number | undefined) ?? 1;
    for (let page = 1; page < pages && shift.next_rounds !== null; page += 1) shift = await withMore(shift);
    await keep.put("meta", shift, "shift");
    return "done";
  } catch (error) {
    return wentWrong(error);
  }
}

/** Takes one more page of rounds along, now and whenever the shift is fetched anew. */
export async function fetchMore(keep: Keep): Promise<Went> {
  try {
    const shift = await keptShift(keep);
    if (!shift?.next_rounds) return "done";
    const pages = ((await keep.get("meta", "pages")) as number | undefined) ?? 1;
    await keep.put("meta", await withMore(shift), "shift");
    await keep.put("meta", Math.min(MOST_PAGES, pages + 1), "pages");
    return "done";
  } catch (error) {
    return wentWrong(error);
  }
}

async function withMore(shift: Shift): Promise<Shift> {
  const answer = await ask(`/field/more-rounds?after=${encodeURIComponent(shift.next_rounds ?? "")}`, { cache: "no-store" });
  if (!answer.ok) throw new Away();
  const more = (await json(answer)) as Pick<Shift, "rounds" | "units" | "next_rounds">;
  return { ...shift, ...more, rounds: [...shift.rounds, ...more.rounds], units: { ...shift.units, ...more.units } };
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

/** Whether something waits for whoever did it: for a decision, or for a moment in which it can be taken back. */
function isHeld(item: Item): boolean {
  return item.refusal !== undefined || (item.hold_until ?? 0) > Date.now();
}

/** How long it takes until something that can still be taken back is to be sent, in milliseconds; none where nothing is. */
export async function heldFor(keep: Keep): Promise<number | undefined> {
  const until = (await items(keep)).filter((one) => !one.refusal && (one.hold_until ?? 0) > Date.now()).map((one) => one.hold_until ?? 0);
  return until.length > 0 ? Math.min(...until) - Date.now() : undefined;
}

async function sendAs(who: Who, keep: Keep, place: string, changed: () => void): Promise<void> {
  const account = accountOf(who);
  // About what the server failed this time: what follows about the same waits, all else goes on.
  const failed = new Set<string>();
  // Looked at anew after each: what follows one may have changed with it, or be dropped meanwhile.
  for (let after = 0; ; ) {
    const waiting = await items(keep);
    const held = new Set([...failed, ...waiting.filter(isHeld).map((one) => one.subject)]);
    const next = waiting.find((one) => (one.id ?? 0) > after && one.account === account && !held.has(one.subject));
    if (next?.id === undefined) break;
    after = next.id;
    if (!(await sendOrSetAside(next, who, keep, place))) failed.add(next.subject);
    changed();
  }
  if (failed.size > 0) throw new Away();
}

/** Sends one thing. What cannot be sent is set aside, and holds up nothing but what is about the same; false where it is tried again. */
async function sendOrSetAside(item: Item, who: Who, keep: Keep, place: string): Promise<boolean> {
  try {
    await sendOne(item, who, keep, place);
    return true;
  } catch (error) {
    if (error instanceof Failed) {
      const tries = (item.tries ?? 0) + 1;
      const givenUp: Refusal = { status: error.status, code: "given_up", message: "" };
      await note(keep, item, tries < TRIES ? { tries } : { tries, refusal: givenUp });
      return tries >= TRIES;
    }
    if (error instanceof Away || error instanceof SignedOut) throw error;
    console.error(error);
    await note(keep, item, { refusal: { status: 0, code: "broken", message: String(error) } });
    return true;
  }
}

/** A path of the API, with the place. */
function api(path: string, place: string): string {
  return `/api/v1${path}?jurisdiction_id=${encodeURIComponent(place)}`;
}

async function sendOne(item: Item, who: Who, keep: Keep, place: string): Promise<void> {
  if (!item.path || !item.key) throw new Error("it is not kept whole");
  const refusal = await sendPhotos(item, who, keep, place);
  if (refusal) return note(keep, item, { photos: item.photos, refusal });
  const answer = await ask(api(item.path, place), {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": item.key, "X-Form-Token": who.token },
    body: JSON.stringify(bodyOf(item, who)),
  });
  if (!answer.ok) return refuse(item, await refusalOf(answer), keep);
  const done = (answer.status === 204 ? {} : await json(answer)) as Answer;
  const received = Date.now() + Number(await keep.get("meta", "clock"));
  const sent = {
    account: item.account,
    label: item.label,
    made_at: item.made_at,
    received_at: new Date(received).toISOString(),
    ...(done.number === undefined || item.body["seen"] !== undefined ? {} : { number: done.number }),
  };
  // Not the version that there is now: where this was sent before and its answer was lost, others may have done something since.
  const version = Number(answer.headers.get("Act-Version") ?? Number.NaN);
  await take(keep, item, { sent, answer: done, ...(Number.isNaN(version) ? {} : { version }) });
}

/** Sends the photos that the server has not got. What it gives for each is kept at once, so that none is sent twice. */
async function sendPhotos(item: Item, who: Who, keep: Keep, place: string): Promise<Refusal | undefined> {
  for (const photo of item.photos) {
    if (photo.ticket) continue;
    const picture = await read(keep, photo.id);
    if (!picture) {
      // Sent without it only if whoever took it says so.
      item.photos = item.photos.filter((one) => one !== photo);
      return { status: 0, code: "photo_lost", message: "" };
    }
    const answer = await ask(api("/photos", place), {
      method: "POST",
      headers: { "Content-Type": picture.type, "X-Form-Token": who.token },
      body: picture,
    });
    if (!answer.ok) return refusalOf(answer);
    photo.ticket = ((await json(answer)) as { id: string }).id;
    await note(keep, item, { photos: item.photos });
  }
  return undefined;
}

/** A photo that is kept; none where the phone cannot read it any more. */
async function read(keep: Keep, id: number): Promise<Blob | undefined> {
  try {
    const picture = await keep.get("photo", id);
    return picture && new Blob([await picture.arrayBuffer()], { type: picture.type });
  } catch (error) {
    console.error(error);
    return undefined;
  }
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
  const said = (await json(answer).catch(() => ({}))) as {
    error?: { code?: string; message?: string; field?: string; version?: number; changes?: { items: Event[] } };
  };
  const { code = "", message = "", field, version, changes } = said.error ?? {};
  const refusal: Refusal = { status: answer.status, code, message };
  if (field !== undefined) refusal.field = field;
  if (version !== undefined) refusal.version = version;
  if (changes) refusal.changes = changes.items;
  return refusal;
}

/** Notes why something was not done. The server forgets a photo after a day: then it is sent again, the next time. */
async function refuse(item: Item, refusal: Refusal, keep: Keep): Promise<void> {
  const isGone = refusal.code === "photo_gone" || (refusal.code === "not_found" && refusal.field === "photo");
  if (isGone && item.photos.some((photo) => photo.ticket)) {
    await note(keep, item, { photos: item.photos.map(({ id }) => ({ id })) });
    throw new Failed(refusal.status);
  }
  await note(keep, item, { refusal });
}
