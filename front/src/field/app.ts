// The app of those who are out and about. All of it works without a network: what is done is kept on the phone and sent, in order
// and once, when there is one. What is shown as kept is kept; what is shown as sent the server has.

import "./field.css";
import { element } from "../told";
import { make } from "./dom";
import * as keeping from "./keep";
import { accountOf, type Draft, type Item, type Told } from "./model";
import { fetchMore, fetchShift, heldFor, send, session, waitsUntil } from "./send";
import { type State, Views } from "./views";

/** How often it is looked whether something can be sent, in milliseconds. */
const LOOKS = 5_000;
/** How long what was done with one tap can be taken back, in milliseconds; and while a photo is taken for it. */
const HOLD = 8_000;
const HOLD_FOR_PHOTO = 120_000;
/** How long after the last letter a draft is kept, in milliseconds. */
const DRAFT_AFTER = 400;
/** How old the shift's data may get while there is a network, in milliseconds. */
const FRESH = 120_000;

if (!isSecureContext) {
  // Browsers keep nothing for who may be listened in on; the server's own page does without.
  element("field-insecure").hidden = false;
  throw new Error("the app needs https");
}

const root = element("field-app");
const told = JSON.parse(root.dataset["told"] ?? "{}") as Told;
const keep = await keeping.open();
const bar = make("div", { class: "field-bar" });
const view = make("div", { id: "field-view" });

const state: State = {
  told,
  who: await keeping.who(keep),
  shift: await keeping.shift(keep),
  items: [],
  sent: [],
  drafts: await keeping.drafts(keep),
  services: (await keep.get("meta", "services")) as Record<string, string> | undefined ?? {},
  signedOut: false,
  away: !navigator.onLine,
  sending: false,
  notice: "",
};
let fetchedAt = 0;
/** The drafts that are to be kept in a moment. */
const drafting = new Map<string, number>();
/** Until what was done with one tap can no longer be taken back. */
let holding = 0;

const views = new Views(state, {
  keep: keepItem,
  drop: async (item) => {
    await keeping.take(keep, item);
    await changed();
  },
  again: async (item) => {
    // The server keeps an answer by its key only where something was done, so the same one goes on.
    await keeping.again(keep, item);
    await changed();
    void sync();
  },
  hold: async (item, forPhoto) => {
    await keeping.note(keep, item, { hold_until: Date.now() + (forPhoto ? HOLD_FOR_PHOTO : HOLD) });
    await changed();
  },
  addPhotos: async (item, photos) => {
    const isAdded = await keeping.addPhotos(keep, item, photos, Date.now() + HOLD).catch(() => false);
    await changed();
    return isAdded;
  },
  photosOf: (item) => keeping.photosOf(keep, item),
  choose: async (stop, service) => {
    state.services[stop] = service;
    await keep.put("meta", state.services, "services");
  },
  draft,
  more: async () => {
    const went = await fetchMore(keep);
    state.away = went === "away";
    state.shift = await keeping.shift(keep);
    show();
  },
  sync: () => void sync(true),
  forget: async () => {
    await keeping.forgetShift(keep);
    await keep.delete("meta", "who");
  },
});

/** Keeps what is being filled in, a moment after the last letter; none where it was kept to be sent. */
function draft(form: string, what: Draft | undefined): void {
  if (!state.who) return;
  const key = `${accountOf(state.who)}|${form}`;
  if (what) state.drafts.set(key, what);
  else state.drafts.delete(key);
  clearTimeout(drafting.get(key));
  const keepDraft = () => {
    const kept = what ? keep.put("draft", what, key) : keep.delete("draft", key);
    // Without room the form has it as long as the page is open.
    kept.catch((error: unknown) => {
      console.info(error);
    });
  };
  drafting.set(key, window.setTimeout(keepDraft, what ? DRAFT_AFTER : 0));
}

/** Reads what is kept anew, and shows it. */
async function changed(): Promise<void> {
  state.items = await keeping.items(keep);
  state.sent = (await keep.getAll("sent")).reverse();
  state.shift = await keeping.shift(keep);
  show();
  clearTimeout(holding);
  const held = await heldFor(keep);
  if (held !== undefined) holding = window.setTimeout(() => void changed().then(() => sync()), held + 1);
}

function show(): void {
  views.bar(bar);
  views.show(view);
}

/** Keeps something to be sent. Says why where that is not possible; nothing is lost then, for the form still has it. */
async function keepItem(item: Omit<Item, "id" | "account" | "key" | "photos" | "made_at">, photos: Blob[], canBeTakenBack = false): Promise<boolean> {
  if (!state.who) return false;
  const now = new Date(Date.now() + (await keeping.clock(keep)));
  const whole = { ...item, account: accountOf(state.who), key: crypto.randomUUID(), made_at: now.toISOString(), ...(canBeTakenBack ? { hold_until: Date.now() + HOLD } : {}) };
  try {
    await keeping.put(keep, whole, photos);
  } catch (error) {
    if (error instanceof DOMException) return false;
    throw error;
  }
  // The browser keeps it also when the phone runs out of room, where it grants that. Some ask first, and nothing waits for that.
  void navigator.storage.persist().catch(() => false);
  await changed();
  void askForSync();
  void sync();
  return true;
}

/** Asks the browser to send it when there is a network, also when the app is closed. Where it cannot, it is sent at opening. */
async function askForSync(): Promise<void> {
  const registration = (await navigator.serviceWorker.ready) as ServiceWorkerRegistration & {
    sync?: { register(tag: string): Promise<void> };
  };
  await registration.sync?.register("whistle-field-send").catch(() => undefined);
}

/** Sends what can be sent, then fetches what is new. */
async function sync(now = false): Promise<void> {
  if (state.sending || (!now && Date.now() < (await waitsUntil(keep)))) return;
  if (!navigator.onLine) {
    state.away = true;
    show();
    return;
  }
  state.sending = true;
  show();
  try {
    const went = await send(keep, told.place, () => void changed());
    state.away = went === "away";
    if (went === "signed_out") {
      state.signedOut = true;
      await forgetShift();
    }
    if (went === "done") await refresh();
  } finally {
    state.sending = false;
    await changed();
  }
}

/** What was taken along for the shift does not outlive the sign-in; what is not sent yet does. */
async function forgetShift(): Promise<void> {
  await keeping.forgetShift(keep);
  state.shift = undefined;
}

async function refresh(): Promise<void> {
  state.signedOut = false;
  const who = await keeping.who(keep);
  if (who && (await fetchShift(keep)) === "done") {
    fetchedAt = Date.now();
    state.shift = await keeping.shift(keep);
    state.who = state.shift?.who ?? who;
  }
}

/** Looks who is signed in, which may be somebody else than the last time. */
async function begin(): Promise<void> {
  await changed();
  if (!navigator.onLine) return;
  try {
    state.who = await session(keep);
    // What somebody else was to see is not shown.
    if (state.shift && accountOf(state.shift.who) !== accountOf(state.who)) await forgetShift();
  } catch {
    // Said by `sync`, which asks the same.
  }
  await sync(true);
}

async function register(): Promise<void> {
  await keep.put("meta", told.language, "language");
  const registration = await navigator.serviceWorker.register("/field/worker.js", { scope: "/field" });
  await registration.update().catch(() => undefined);
  await navigator.serviceWorker.ready;
  root.dataset["ready"] = "yes";
}

for (const plain of document.querySelectorAll(".field-plain")) plain.remove();
root.replaceChildren(bar, view);
// Who signs out by the server's page around the app is told what is not sent, too; where nothing is, the shift goes along.
for (const form of document.querySelectorAll<HTMLFormElement>("form[action='/staff/sign-out']")) {
  form.addEventListener("submit", (event) => {
    if (location.hash === "#leave") return;
    event.preventDefault();
    if (state.items.length > 0) location.hash = "leave";
    else
      void forgetShift().then(() => {
        form.submit();
      });
  });
}
addEventListener("hashchange", () => {
  views.turn(view);
});
addEventListener("online", () => void sync(true));
addEventListener("offline", () => {
  state.away = true;
  show();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void sync();
});
navigator.serviceWorker.addEventListener("message", () => void changed());
setInterval(() => {
  const mine = state.items.some((one) => state.who && one.account === accountOf(state.who) && !one.refusal && (one.hold_until ?? 0) < Date.now());
  if (navigator.onLine && (mine || state.away || Date.now() > fetchedAt + FRESH) && !state.signedOut) void sync();
}, LOOKS);
show();
void register().catch(() => {
  // The app works as long as the page is open; it does not open without a network.
  state.notice = told.words["field-no-worker"] ?? "";
  show();
});
await begin();
