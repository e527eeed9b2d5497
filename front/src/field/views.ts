// What the app shows, by the part of the address after the `#`. Everything is made anew when something changed, but for a form that
// somebody fills in.

import { preview } from "../photos";
import { say } from "../told";
import { field, make } from "./dom";
import { hasRoom, shrink } from "./photos";
import {
  accountOf,
  type Case,
  type Draft,
  type Event as Happening,
  type Item,
  type Names,
  type Point,
  type Question,
  type Round,
  type Sent,
  type Service,
  type Shift,
  type Stop,
  type Told,
  type Whistle,
  type Who,
} from "./model";

export interface State {
  told: Told;
  who: Who | undefined;
  shift: Shift | undefined;
  items: Item[];
  sent: Sent[];
  /** What was entered into forms and not kept yet, by account and form. */
  drafts: Map<string, Draft>;
  /** The services that were chosen at stops. */
  services: Record<string, string>;
  signedOut: boolean;
  away: boolean;
  sending: boolean;
  notice: string;
}

type New = Omit<Item, "id" | "account" | "key" | "photos" | "made_at">;

export interface Deeds {
  /** Keeps something to be sent; false when there is no room. What can be taken back is sent a moment later. */
  keep(item: New, photos: Blob[], canBeTakenBack?: boolean): Promise<boolean>;
  drop(item: Item): Promise<void>;
  again(item: Item): Promise<void>;
  /** Gives another moment to take something back, a longer one while a photo is taken for it. */
  hold(item: Item, forPhoto: boolean): Promise<void>;
  /** Adds photos to what can be taken back; false where it is on its way, or there is no room. */
  addPhotos(item: Item, photos: Blob[]): Promise<boolean>;
  photosOf(item: Item): Promise<Blob[]>;
  /** Remembers the service that was chosen at a stop. */
  choose(stop: string, service: string): Promise<void>;
  /** Keeps what is being filled in. */
  draft(form: string, draft: Draft | undefined): void;
  /** Takes more rounds along. */
  more(): Promise<void>;
  sync(): void;
  /** Forgets what was fetched for who is signed in. */
  forget(): Promise<void>;
}

/** What can be done to a case without a network. The server has the last word on each. */
const OF_CASES = ["sign", "report_in", "handle", "handle_joint", "comment"];
/** What can be done next once something is kept, though the server does not offer it yet. */
const LEADS_TO: Record<string, string[]> = { sign: ["report_in"], report_in: ["handle"] };
/** The same of whistles. */
const OF_WHISTLES = ["sign", "contact", "report_in", "leave"];
const WHISTLE_LEADS_TO: Record<string, string[]> = { sign: ["contact", "report_in"], contact: ["report_in"], report_in: ["leave"] };
/** From how many rounds on there is a field to look for one: more than a phone shows at once. */
const MANY_ROUNDS = 8;
const OUTCOMES = ["resolved", "partly_resolved", "explained", "unfounded"];

/** Nothing can be shown but that somebody must sign in. */
const SIGN_IN = "/staff/sign-in?next=/field";

export class Views {
  /** Whether somebody fills in a form, which is not made anew under their hands. */
  private isFilling = false;
  private shown = "";
  /** What rounds are looked for by. */
  private wanted = "";
  /** Photos that are small already, as they come from a draft. */
  private readonly small = new WeakSet<Blob>();

  constructor(
    private readonly state: State,
    private readonly deeds: Deeds,
  ) {}

  private t(key: string, parts: Record<string, string | number> = {}): string {
    const texts = Object.entries(parts).map(([name, value]) => [name, String(value)]);
    return say(this.state.told.words, key, Object.fromEntries(texts) as Record<string, string>);
  }

  private name(names: Names | undefined): string {
    return names?.[this.state.told.language] ?? names?.own ?? "";
  }

  private time(iso: string): string {
    const zone = this.state.told.zone ?? undefined;
    const at = new Date(iso);
    const day = (one: Date) => one.toLocaleDateString("sv-SE", { timeZone: zone });
    const isToday = day(at) === day(new Date());
    return at.toLocaleString(this.state.told.language === "en" ? "en-GB" : "zh-CN", {
      timeZone: zone,
      hour: "2-digit",
      minute: "2-digit",
      ...(isToday ? {} : { day: "numeric", month: "short" }),
    });
  }

  /** A day, such as 2026-05-08. */
  private day(iso: string): string {
    const noon = new Date(`${iso}T12:00:00Z`);
    return noon.toLocaleDateString(this.state.told.language === "en" ? "en-GB" : "zh-CN", { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" });
  }

  /** Two things with a colon between, which is another one in Chinese. */
  private colon(one: string, other: string): string {
    return one + (this.state.told.language === "zh" ? "：" : ": ") + other;
  }

  private moment(iso: string): HTMLElement {
    return make("time", { datetime: iso }, this.time(iso));
  }

  /** What is kept for who is signed in. */
  private own(): Item[] {
    const { who, items } = this.state;
    return who ? items.filter((one) => one.account === accountOf(who)) : [];
  }

  /** Where things stand: the network, and what is not sent yet. */
  bar(bar: HTMLElement): void {
    const { state } = this;
    const own = this.own();
    const refused = own.filter((one) => one.refusal).length;
    const others = state.items.length - own.length;
    const status = make("p", { role: "status", class: "field-status" });
    status.append(state.sending ? this.t("field-sending") : state.away ? this.t("field-away") : this.t("field-online"));
    if (own.length > 0) status.append(" ", make("strong", {}, this.t("field-kept-count", { n: own.length })));
    const parts: HTMLElement[] = [status];
    if (own.length > 0 || refused > 0) {
      const again = make("button", { type: "button", class: "second", id: "field-send", click: () => { this.deeds.sync(); } }, this.t("field-send-now"));
      parts.push(make("p", { class: "row" }, again, make("a", { href: "#outbox" }, this.t("field-outbox"))));
    }
    if (refused > 0) parts.push(make("p", { class: "wrong" }, this.t("field-refused-count", { n: refused })));
    if (others > 0) parts.push(make("p", { class: "note" }, this.t("field-others", { n: others })));
    if (state.notice) parts.push(make("p", { class: "note" }, state.notice));
    if (state.signedOut) {
      const text = own.length + others > 0 ? this.t("field-signed-out-kept") : this.t("field-signed-out");
      parts.push(make("div", { class: "summary" }, make("p", {}, text), make("p", {}, make("a", { href: SIGN_IN }, this.t("sign-in")))));
    }
    // Only what is another is changed, so that it is not read out again.
    const made = make("div", {}, parts);
    if (bar.firstElementChild?.isEqualNode(made)) return;
    const focused = document.activeElement?.id === "field-send";
    bar.replaceChildren(made);
    if (focused) document.getElementById("field-send")?.focus();
  }

  /** Shows what the address says, after it changed. */
  turn(view: HTMLElement): void {
    this.isFilling = false;
    this.shown = "";
    this.show(view);
    const heading = view.querySelector("h1");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus();
    scrollTo(0, 0);
  }

  show(view: HTMLElement): void {
    if (this.isFilling) return;
    const focused = document.activeElement?.id ?? "";
    const made = make("div", {}, this.parts());
    const text = made.innerHTML;
    if (text === this.shown) return;
    this.shown = text;
    view.replaceChildren(made);
    if (focused) document.getElementById(focused)?.focus();
    for (const form of view.querySelectorAll("form")) {
      form.addEventListener("input", () => (this.isFilling = true));
      this.bringBack(form);
    }
  }

  private parts(): (HTMLElement | string)[] {
    const { shift, signedOut } = this.state;
    const [what = "", code = "", more = ""] = location.hash.slice(1).split("/").map(decodeURIComponent);
    if (what === "outbox") return this.outbox();
    if (what === "leave") return this.leaving();
    if (!shift || signedOut) {
      return [make("h1", {}, this.t("field-title")), make("p", { class: "none" }, this.t(signedOut ? "field-nothing-shown" : "field-nothing-yet"))];
    }
    const stops = shift.rounds.flatMap((round) => round.stops);
    if (what === "round") return this.round(shift.rounds.find((one) => one.code === code), shift);
    if (what === "case") return this.case(shift.cases.find((one) => one.number === Number(code)), shift);
    if (what === "whistle") return this.whistle(shift.whistles.find((one) => one.number === Number(code)), shift);
    if (what === "report") return this.report(shift, stops.find((one) => one.code === code), more === "fixed");
    return this.home(shift);
  }

  private back(): HTMLElement {
    return make("p", {}, make("a", { href: "#" }, this.t("field-back")));
  }

  private missing(): HTMLElement[] {
    return [this.back(), make("h1", {}, this.t("field-title")), make("p", { class: "none" }, this.t("field-gone"))];
  }

  private home(shift: Shift): HTMLElement[] {
    const round = (one: Round) =>
      make(
        "li",
        {},
        make("a", { class: "line-title", href: `#round/${encodeURIComponent(one.code)}` }, this.name(one.name)),
        make("span", { class: one.due > 0 ? "tag flag" : "tag" }, this.t("field-due-count", { n: this.due(one), of: one.stops.length })),
      );
    const line = (href: string, title: string, tag: string, text: string, subject: string) =>
      make(
        "li",
        {},
        make("a", { class: "line-title", href }, title),
        make("span", { class: "tag is-open" }, tag),
        text && make("p", { class: "excerpt" }, text),
        this.kept(subject),
      );
    const cases = shift.cases.map((one) =>
      line(`#case/${one.number}`, `${one.number} ${this.name(one.service_name)}`, this.t(`stage-${one.stage}`), this.where(one, shift), `case:${one.number}`),
    );
    const whistles = shift.whistles.map((one) =>
      line(`#whistle/${one.number}`, `${shift.kinds[one.kind] ?? one.kind} ${one.number}`, this.t("field-called"), one.matter, `whistle:${one.number}`),
    );
    const list = (id: string, lines: HTMLElement[]) => [
      make("h2", { id }, this.t(`field-${id}`)),
      lines.length > 0 ? make("ul", { class: "lines", "aria-labelledby": id }, lines) : make("p", { class: "none" }, this.t(`field-no-${id}`)),
    ];
    return [
      make("h1", {}, this.t("field-title")),
      make("p", { class: "meta" }, shift.who.post_name, " · ", this.t("field-as-of", { x: this.time(shift.who.now) })),
      shift.who.may_report ? make("p", { class: "row" }, make("a", { class: "button big", href: "#report" }, this.t("field-report"))) : make("p", {}),
      ...(whistles.length > 0 ? list("whistles", whistles) : []),
      ...this.rounds(shift, shift.rounds.map(round)),
      ...list("cases", cases),
      this.recent(),
      make(
        "p",
        { class: "row" },
        shift.push && "PushManager" in globalThis && make("a", { href: "/staff/account/devices" }, this.t("field-push")),
        make("a", { href: "/staff" }, this.t("nav-queue")),
        make("a", { href: "#leave" }, this.t("sign-out")),
      ),
    ];
  }

  /** The rounds that were taken along, a field to look for one where there are many, and more of them. */
  private rounds(shift: Shift, lines: HTMLElement[]): HTMLElement[] {
    const list = make("ul", { class: "lines", "aria-labelledby": "rounds" }, lines);
    const look = () => {
      for (const line of lines) line.hidden = !line.textContent.toLowerCase().includes(this.wanted.trim().toLowerCase());
    };
    const wanted = make("input", { type: "search", maxlength: 100, value: this.wanted, input: () => { this.wanted = wanted.value; look(); } });
    look();
    const more = make("button", { type: "button", class: "second", id: "rounds-more", click: () => void this.deeds.more() }, this.t("field-more-rounds-take"));
    return [
      make("h2", { id: "rounds" }, this.t("field-rounds")),
      ...(lines.length > MANY_ROUNDS ? [field("rounds-wanted", this.t("field-rounds-wanted"), wanted)] : []),
      lines.length > 0 ? list : make("p", { class: "none" }, this.t("field-no-rounds")),
      ...(shift.next_rounds === null ? [] : [make("p", { class: "hint" }, this.t("field-more-rounds", { n: lines.length })), make("p", {}, more)]),
    ];
  }

  /** How many stops of a round are to be seen, what is kept taken into account. */
  private due(round: Round): number {
    const kept = new Set(this.own().map((one) => one.subject));
    return round.stops.filter((stop) => stop.is_due && !kept.has(`stop:${stop.code}`)).length;
  }

  private where(one: Case, shift: Shift): string {
    return [one.address, shift.areas[String(one.number)], one.description].filter(Boolean).join(" · ");
  }

  /** What is kept about something, and not sent yet. */
  private kept(subject: string): HTMLElement | null {
    const own = this.own().filter((one) => one.subject === subject);
    if (own.length === 0) return null;
    const line = (one: Item) =>
      make(
        "li",
        {},
        one.label,
        " · ",
        this.t(one.refusal ? "field-was-refused" : "field-kept"),
        " · ",
        this.t("field-made", { x: this.time(one.made_at) }),
        (one.hold_until ?? 0) > Date.now() && this.takingBack(one),
      );
    return make("ul", { class: "kept field-kept" }, own.map(line));
  }

  /** What was done with one tap: to take it back, or to add a photo, as long as it is not on its way. */
  private takingBack(item: Item): HTMLElement {
    const id = `photo-${item.id ?? 0}`;
    const photo = make("input", { type: "file", accept: "image/*", multiple: true, id, class: "unseen" });
    photo.addEventListener("click", () => void this.deeds.hold(item, true));
    photo.addEventListener("cancel", () => void this.deeds.hold(item, false));
    photo.addEventListener("change", () => void this.photosFor(item, [...(photo.files ?? [])]));
    return make(
      "span",
      { class: "row" },
      make("button", { type: "button", class: "second", id: `undo-${item.id ?? 0}`, click: () => void this.deeds.drop(item) }, this.t("field-undo")),
      make("label", { class: "button second", for: id }, item.photos.length > 0 ? this.t("field-photo-count", { n: item.photos.length }) : this.t("field-add-photo")),
      photo,
    );
  }

  private async photosFor(item: Item, files: File[]): Promise<void> {
    const small = await this.shrunk(files.slice(0, this.state.told.photos - item.photos.length));
    const isAdded = typeof small !== "string" && (await this.deeds.addPhotos(item, small));
    this.state.notice = isAdded ? "" : typeof small === "string" ? small : this.t("field-photo-late");
    if (!isAdded) await this.deeds.hold(item, false);
    this.deeds.sync();
  }

  private recent(): HTMLElement {
    const { who, sent } = this.state;
    const own = sent.filter((one) => who && one.account === accountOf(who));
    if (own.length === 0) return make("div", {});
    const line = (one: Sent) =>
      make(
        "li",
        {},
        one.number === undefined ? one.label : make("a", { href: `/staff/cases/${one.number}` }, `${one.label} · ${one.number}`),
        make("p", { class: "meta" }, this.t("field-made-received", { made: this.time(one.made_at), received: this.time(one.received_at) })),
      );
    return make("details", { id: "field-sent" }, make("summary", {}, this.t("field-sent", { n: own.length })), make("ul", { class: "lines" }, own.map(line)));
  }

  private round(round: Round | undefined, shift: Shift): HTMLElement[] {
    if (!round) return this.missing();
    const stop = (one: Stop) => {
      const title = this.name(one.name);
      const id = `stop-${one.code}`;
      const code = encodeURIComponent(one.code);
      const seen = () =>
        this.deeds.keep(
          { subject: `stop:${one.code}`, label: this.t("field-label-seen", { x: title }), path: `/stops/${code}/looks`, body: {} },
          [],
        );
      const last = one.last;
      const service = this.plainServiceOf(one, shift);
      const fixed = () => this.deeds.keep(this.fixedAt(one, service?.code ?? ""), [], true);
      const form = `#report/${code}/fixed`;
      // Two taps are one deed, as long as the first can be taken back.
      const isHeld = this.own().some((item) => item.subject === `stop:${one.code}` && (item.hold_until ?? 0) > Date.now());
      return make(
        "li",
        { class: "stop", id },
        make("h2", { class: "line-title" }, title),
        one.is_due && !this.kept(`stop:${one.code}`) && make("span", { class: "tag flag" }, this.t("field-due")),
        make("p", { class: "meta" }, [one.asset, this.t("field-every", { n: one.every_days }), `${one.point.lat.toFixed(5)}, ${one.point.lon.toFixed(5)}`].filter(Boolean).join(" · ")),
        last
          ? make(
              "p",
              {},
              this.t("field-last", { finding: this.t(`finding-${last.finding}`), day: this.day(last.made_on) }),
              last.unit && ` · ${shift.units[last.unit] ?? last.unit}`,
              last.received_on > last.made_on && ` (${this.t("field-received", { x: this.day(last.received_on) })})`,
            )
          : make("p", {}, this.t("field-never")),
        this.kept(`stop:${one.code}`),
        round.may_walk &&
          make(
            "p",
            { class: "row" },
            make("button", { type: "button", id: `${id}-seen`, "aria-label": this.colon(this.t("field-seen"), title), click: () => void this.tap(seen) }, this.t("field-seen")),
            service
              ? make("button", { type: "button", class: "second", id: `${id}-fixed`, disabled: isHeld, "aria-label": this.colon(this.t("field-fixed"), title), click: () => void this.tap(fixed) }, this.t("field-fixed"))
              : make("a", { class: "button second", href: form, "aria-label": this.colon(this.t("field-fixed"), title) }, this.t("field-fixed")),
            make("a", { class: "button second", href: `#report/${code}`, "aria-label": this.colon(this.t("field-found"), title) }, this.t("field-found")),
          ),
        round.may_walk && service && make("p", { class: "meta" }, this.t("field-fixed-as", { x: this.name(service.name) }), " ", make("a", { href: form, "aria-label": this.colon(this.t("field-fixed-more"), title) }, this.t("field-fixed-more"))),
      );
    };
    return [this.back(), make("h1", {}, this.name(round.name)), make("ul", { class: "lines" }, round.stops.map(stop))];
  }

  /** What is mostly the matter at a stop, or was chosen there last; none where it asks something that must be answered. */
  private plainServiceOf(stop: Stop, shift: Shift): Service | undefined {
    const code = this.state.services[stop.code] ?? stop.service;
    const service = shift.services.find((one) => one.code === code);
    return service?.questions.some((one) => one.answerable && one.required) ? undefined : service;
  }

  /** "Fixed on the spot" in one tap. */
  private fixedAt(stop: Stop, service: string): New {
    const said = this.t("field-fixed-said");
    const body = { service, channel: "patrol", description: said, fixed: said, stop: stop.code, point: stop.point, address: this.name(stop.name) };
    return { subject: `stop:${stop.code}`, label: this.t("field-label-fixed", { x: this.name(stop.name) }), path: "/reports", body };
  }

  private async tap(deed: () => Promise<boolean>): Promise<void> {
    this.state.notice = (await deed()) ? "" : this.t("field-no-room");
    this.deeds.sync();
  }

  /** A form that keeps what is entered, and goes on to another view. */
  private form(id: string, button: string, inside: (HTMLElement | null)[], take: (form: HTMLFormElement) => Promise<string>, next: string): HTMLFormElement {
    const wrong = make("p", { class: "wrong", role: "alert", id: `${id}-wrong` });
    wrong.hidden = true;
    const push = make("button", { class: "big" }, button);
    const form = make("form", { id, novalidate: true }, inside, wrong, push);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      push.disabled = true;
      const taken = take(form).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
      void taken.then((message) => {
        push.disabled = false;
        wrong.hidden = message === "";
        wrong.textContent = message;
        if (message) return;
        this.isFilling = false;
        this.deeds.draft(`${location.hash}/${id}`, undefined);
        if (location.hash === next) dispatchEvent(new Event("hashchange"));
        else location.hash = next;
      });
    });
    return form;
  }

  /** Fills a form with what was entered before, and keeps what is entered from now on. A phone may end the page while its camera is open. */
  private bringBack(form: HTMLFormElement): void {
    const name = `${location.hash}/${form.id}`;
    const who = this.state.who;
    const files = form.querySelector<HTMLInputElement>("input[type=file]");
    let photos: Blob[] = [];
    const fields = () => [...new FormData(form)].filter((pair): pair is [string, string] => typeof pair[1] === "string");
    form.addEventListener("input", (event) => {
      if (event.target === files) return;
      this.deeds.draft(name, { fields: fields(), photos, at: Date.now() });
    });
    files?.addEventListener("change", () => {
      void this.shrunk([...(files.files ?? [])]).then((small) => {
        if (typeof small === "string") return;
        photos = small;
        this.deeds.draft(name, { fields: fields(), photos, at: Date.now() });
      });
    });
    const draft = who && this.state.drafts.get(`${accountOf(who)}|${name}`);
    if (!draft) return;
    this.isFilling = true;
    photos = draft.photos;
    this.refill(form, draft);
    const there = make("p", { class: "note", id: `${form.id}-draft` }, this.t("field-draft"), " ");
    const drop = make("button", { type: "button", class: "second" }, this.t("field-draft-drop"));
    drop.addEventListener("click", () => {
      this.deeds.draft(name, undefined);
      // The view is made anew, without it.
      dispatchEvent(new Event("hashchange"));
    });
    there.append(drop);
    form.prepend(there);
    const details = form.closest("details");
    if (details) details.open = true;
  }

  /** Enters what a draft has; a choice first that brings further questions with it. */
  private refill(form: HTMLFormElement, draft: Draft): void {
    for (const round of ["first", "then"]) {
      for (const [name] of draft.fields) {
        const values = draft.fields.filter((one) => one[0] === name).map((one) => one[1]);
        for (const input of form.querySelectorAll<HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement>(`[name="${CSS.escape(name)}"]`)) {
          if (input instanceof HTMLSelectElement) for (const option of input.options) option.selected = values.includes(option.value);
          else if (input instanceof HTMLInputElement && input.type === "radio") input.checked = values.includes(input.value);
          else input.value = values[0] ?? "";
          if (round === "first") input.dispatchEvent(new Event("change"));
        }
      }
    }
    const files = form.querySelector<HTMLInputElement>("input[type=file]");
    if (!files || draft.photos.length === 0) return;
    const chosen = new DataTransfer();
    for (const [n, photo] of draft.photos.entries()) chosen.items.add(new File([photo], `${n + 1}.jpg`, { type: photo.type }));
    files.files = chosen.files;
    for (const file of files.files) this.small.add(file);
  }

  private photoField(id: string): HTMLElement {
    const n = this.state.told.photos;
    const input = make("input", { type: "file", name: "photos", accept: "image/*", multiple: true });
    return field(id, this.t("field-photos"), input, this.t("field-photos-hint", { n }));
  }

  /** The photos of a form, made small; or why they cannot be kept. */
  private photosOf(form: HTMLFormElement): Promise<Blob[] | string> {
    return this.shrunk([...(form.querySelector<HTMLInputElement>("input[type=file]")?.files ?? [])]);
  }

  private async shrunk(files: File[]): Promise<Blob[] | string> {
    if (files.length > this.state.told.photos) return this.t("field-too-many-photos", { n: this.state.told.photos });
    const small: Blob[] = [];
    for (const file of files) {
      try {
        small.push(this.small.has(file) ? file : await shrink(file));
      } catch {
        return this.t("field-bad-photo", { x: file.name });
      }
    }
    const bytes = small.reduce((sum, one) => sum + one.size, 0);
    return (await hasRoom(bytes)) ? small : this.t("field-no-room");
  }

  private async keepForm(form: HTMLFormElement, item: New): Promise<string> {
    const photos = await this.photosOf(form);
    if (typeof photos === "string") return photos;
    return (await this.deeds.keep(item, photos)) ? "" : this.t("field-no-room");
  }

  private report(shift: Shift, stop: Stop | undefined, isFixed: boolean): HTMLElement[] {
    const title = isFixed ? this.t("field-fixed") : stop ? this.t("field-found") : this.t("field-report");
    const services = make("select", { name: "service", required: true });
    const asked = make("div", {});
    services.append(make("option", { value: "" }, this.t("field-choose")));
    for (const group of shift.services.filter((one) => !one.group)) {
      const of = shift.services.filter((one) => one.group === group.code);
      const option = (one: Service) => make("option", { value: one.code, selected: one.code === stop?.service }, this.name(one.name));
      if (of.length > 0) services.append(make("optgroup", { label: this.name(group.name) }, of.map(option)));
    }
    const ask = () => {
      const chosen = shift.services.find((one) => one.code === services.value);
      asked.replaceChildren(...(chosen?.questions ?? []).filter((one) => one.answerable).map((one) => this.question(one)));
    };
    services.addEventListener("change", ask);
    ask();
    const inside = [
      field("report-service", this.t("field-service"), services),
      asked,
      stop ? make("p", {}, this.t("field-at", { x: this.name(stop.name) })) : this.place(),
      field("report-description", this.t("field-description"), make("textarea", { name: "description", rows: 3, maxlength: 4000 })),
      isFixed ? field("report-fixed", this.t("field-done"), make("textarea", { name: "fixed", rows: 2, maxlength: 4000 })) : null,
      this.photoField("report-photos"),
    ];
    const round = stop && shift.rounds.find((one) => one.stops.includes(stop));
    const next = round ? `#round/${encodeURIComponent(round.code)}` : "#";
    const take = (form: HTMLFormElement) => this.takeReport(form, shift, stop, isFixed);
    return [this.back(), make("h1", {}, stop ? this.colon(title, this.name(stop.name)) : title), this.form("report", this.t("field-keep"), inside, take, next)];
  }

  /** Where it is: an address, a point, or where one stands, if one says so for this report. */
  private place(): HTMLElement {
    const input = (name: string) => make("input", { name, inputmode: "decimal", maxlength: 30 });
    const [lat, lon] = [input("lat"), input("lon")];
    const here = make("button", { type: "button", class: "second" }, this.t("field-here"));
    here.addEventListener("click", () => {
      this.locate((point) => {
        this.isFilling = true;
        lat.value = point.lat.toFixed(6);
        lon.value = point.lon.toFixed(6);
      });
    });
    return make(
      "fieldset",
      {},
      make("legend", {}, this.t("field-where")),
      field("report-address", this.t("field-address"), make("input", { name: "address", maxlength: 254 })),
      make("div", { class: "pair" }, field("report-lat", this.t("where-lat"), lat), field("report-lon", this.t("where-lon"), lon)),
      make("p", {}, here),
      make("p", { class: "hint" }, this.t("field-here-hint")),
    );
  }

  /** Where the phone is, once, for what is being done: it goes nowhere else. */
  private locate(found: (point: Point) => void): void {
    const taken = ({ coords }: GeolocationPosition) => {
      found({ lon: coords.longitude, lat: coords.latitude });
    };
    const failed = () => {
      alert(this.t("field-here-denied"));
    };
    navigator.geolocation.getCurrentPosition(taken, failed, { enableHighAccuracy: true, timeout: 15_000 });
  }

  private question(question: Question): HTMLElement {
    const label = this.name(question.label) + (question.required ? "" : ` (${this.t("optional")})`);
    const name = `answer-${question.code}`;
    const isList = question.datatype.endsWith("valuelist") || question.values.length > 0;
    const several = question.datatype === "multivaluelist";
    const kinds: Record<string, string> = { number: "number", datetime: "datetime-local" };
    const options = question.values.map((one) => make("option", { value: one.key }, this.name(one.name)));
    const input = isList
      ? make("select", { name, multiple: several }, several ? [] : [make("option", { value: "" }, this.t("field-choose"))], options)
      : make("input", { name, type: kinds[question.datatype] ?? "text", maxlength: 1000 });
    return field(name, label, input, this.name(question.hint));
  }

  private async takeReport(form: HTMLFormElement, shift: Shift, stop: Stop | undefined, isFixed: boolean): Promise<string> {
    const data = new FormData(form);
    const text = (name: string) => ((data.get(name) as string | null) ?? "").trim();
    const service = shift.services.find((one) => one.code === text("service"));
    if (!service) return this.t("field-choose-service");
    const asked = service.questions.filter((one) => one.answerable);
    const values = (one: Question) => (data.getAll(`answer-${one.code}`) as string[]).filter(Boolean).map((value) => (one.datatype === "datetime" ? new Date(value).toISOString() : value));
    const lacking = asked.find((one) => one.required && values(one).length === 0);
    if (lacking) return this.t("field-answer", { x: this.name(lacking.label) });
    const body: Record<string, unknown> = {
      service: service.code,
      channel: "patrol",
      description: text("description"),
      answers: asked.filter((one) => values(one).length > 0).map((one) => ({ question: one.code, values: values(one) })),
    };
    if (stop) Object.assign(body, { stop: stop.code, point: stop.point, address: this.name(stop.name) });
    else {
      const [lat, lon] = [Number.parseFloat(text("lat")), Number.parseFloat(text("lon"))];
      const isPoint = Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
      if (!isPoint && (text("lat") || text("lon") || !text("address"))) return this.t("field-no-where");
      if (isPoint) body["point"] = { lon, lat };
      body["address"] = text("address");
    }
    if (isFixed) {
      if (!text("fixed")) return this.t("field-no-done");
      body["fixed"] = text("fixed");
    }
    const files = form.querySelector<HTMLInputElement>("input[type=file]")?.files?.length ?? 0;
    if (!body["description"] && files === 0) {
      if (!isFixed) return this.t("field-no-what");
      body["description"] = body["fixed"];
    }
    if (stop) await this.deeds.choose(stop.code, service.code);
    const what = { x: this.name(service.name) };
    const label = this.t(isFixed ? "field-label-fixed" : "field-label-report", what);
    return this.keepForm(form, { subject: stop ? `stop:${stop.code}` : `report:${crypto.randomUUID()}`, label, path: "/reports", body });
  }

  /** What may be done next: what the server offers, and what follows from what is kept. */
  private verbs(subject: string, offered: { verb: string }[] | undefined, all: string[], leads: Record<string, string[]>): string[] {
    const kept = this.own().filter((one) => one.subject === subject).map((one) => String(one.body["verb"]));
    const next = kept.flatMap((verb) => leads[verb] ?? []);
    const may = new Set([...(offered ?? []).map((one) => one.verb), ...next]);
    return all.filter((verb) => may.has(verb) && (verb === "comment" || !kept.includes(verb)));
  }

  private case(one: Case | undefined, shift: Shift): HTMLElement[] {
    if (!one) return this.missing();
    const subject = `case:${one.number}`;
    const name = `${one.number} ${this.name(one.service_name)}`;
    const due = one.clocks.map((clock) => clock.due_at).sort()[0];
    const act = (verb: string) => {
      const id = `case-${verb}`;
      const outcome = (value: string, n: number) =>
        make("label", { class: "tick" }, make("input", { type: "radio", name: "outcome", value, checked: n === 0 }), make("span", {}, this.t(`outcome-${value}`)));
      const inside = [
        verb === "handle" ? make("fieldset", { class: "plain" }, make("legend", {}, this.t("field-outcome")), OUTCOMES.map(outcome)) : null,
        field(`${id}-text`, this.t(verb === "handle" || verb === "handle_joint" ? "field-done" : "field-remark"), make("textarea", { name: "text", rows: 2, maxlength: 4000 })),
        this.photoField(`${id}-photos`),
      ];
      const take = async (form: HTMLFormElement) => {
        const data = new FormData(form);
        const text = ((data.get("text") as string | null) ?? "").trim();
        if (!text && ["handle", "handle_joint", "comment"].includes(verb)) return this.t("field-no-text");
        const chosen = data.get("outcome");
        const body = { verb, text, seen: one.version, ...(chosen === null ? {} : { outcome: chosen }) };
        const label = this.colon(this.t(`verb-${verb}`), name);
        return this.keepForm(form, { subject, label, path: `/cases/${one.number}/acts`, body });
      };
      return this.act(id, this.t(`verb-${verb}`), this.form(`${id}-form`, this.t(`verb-${verb}`), inside, take, `#case/${one.number}`));
    };
    return [
      this.back(),
      make("h1", { "data-version": one.version }, name),
      make("p", {}, make("span", { class: "tag is-open" }, this.t(`stage-${one.stage}`)), due ? make("span", {}, " ", this.t("field-due-at", { x: this.time(due) })) : ""),
      make("p", {}, [one.address, shift.areas[String(one.number)]].filter(Boolean).join(" · ")),
      one.point ? make("p", { class: "meta" }, `${one.point.lat.toFixed(5)}, ${one.point.lon.toFixed(5)}`) : make("p", {}),
      make("p", { class: "said" }, one.description),
      make("p", {}, make("a", { href: `/staff/cases/${one.number}` }, this.t("field-whole-case"))),
      this.kept(subject) ?? make("div", {}),
      ...this.verbs(subject, one.offered, OF_CASES, LEADS_TO).map(act),
    ];
  }

  private act(id: string, title: string, form: HTMLElement): HTMLElement {
    return make("details", { class: "act", id }, make("summary", {}, title), form);
  }

  private whistle(one: Whistle | undefined, shift: Shift): HTMLElement[] {
    if (!one) return this.missing();
    const subject = `whistle:${one.number}`;
    const name = `${shift.kinds[one.kind] ?? one.kind} ${one.number}`;
    const act = (verb: string) => {
      const id = `whistle-${verb}`;
      let position: Point | undefined;
      const here = make("button", { type: "button", class: "second" }, this.t("field-send-here"));
      here.addEventListener("click", () => {
        this.locate((point) => {
          this.isFilling = true;
          position = point;
          here.textContent = this.t("field-here-taken");
        });
      });
      const inside = [
        field(`${id}-text`, this.t("field-remark"), make("textarea", { name: "text", rows: 2, maxlength: 4000 })),
        verb === "report_in" ? make("div", {}, make("p", {}, here), make("p", { class: "hint" }, this.t("field-send-here-hint"))) : null,
      ];
      const take = async (form: HTMLFormElement) => {
        const text = ((new FormData(form).get("text") as string | null) ?? "").trim();
        const body = { verb, text, seen: one.version, ...(position ? { position } : {}) };
        const label = this.colon(this.t(`whistle-verb-${verb}`), name);
        const path = `/whistles/${one.number}/acts`;
        return (await this.deeds.keep({ subject, label, path, body }, [])) ? "" : this.t("field-no-room");
      };
      const title = this.t(`whistle-verb-${verb}`);
      return this.act(id, title, this.form(`${id}-form`, title, inside, take, `#whistle/${one.number}`));
    };
    return [
      this.back(),
      make("h1", { "data-version": one.version }, name),
      make("p", { class: "said" }, one.matter),
      make("p", {}, [one.place, one.meet_at && this.time(one.meet_at)].filter(Boolean).join(" · ")),
      this.kept(subject) ?? make("div", {}),
      ...this.verbs(subject, one.offered, OF_WHISTLES, WHISTLE_LEADS_TO).map(act),
    ];
  }

  /** What is not sent yet, in its order, and what was refused, with both sides. */
  private outbox(): HTMLElement[] {
    const own = this.own();
    const lines = own.map((one) => (one.refusal ? this.refused(one) : this.waiting(one, own)));
    return [
      this.back(),
      make("h1", {}, this.t("field-outbox")),
      lines.length > 0 ? make("ul", { class: "lines" }, lines) : make("p", { class: "none" }, this.t("field-all-sent")),
      this.recent(),
    ];
  }

  private waiting(item: Item, own: Item[]): HTMLElement {
    const held = own.some((one) => one.refusal && one.subject === item.subject);
    return make(
      "li",
      {},
      make("strong", {}, item.label),
      make("p", { class: "meta" }, this.t("field-made", { x: this.time(item.made_at) }), item.photos.length > 0 && ` · ${this.t("field-photo-count", { n: item.photos.length })}`),
      make("p", {}, this.t(held ? "field-held" : "field-kept")),
    );
  }

  private refused(item: Item): HTMLElement {
    const refusal = item.refusal;
    const isStale = refusal?.changes !== undefined;
    const kind = item.subject.startsWith("whistle:") ? "whistle-event" : "event";
    const happened = (one: Happening) => make("li", {}, this.moment(one.at), " ", this.t(`${kind}-${one.event}`), one.text ? make("span", { class: "excerpt" }, ` ${one.text}`) : null);
    const texts = ["description", "fixed", "text", "address"].map((key) => item.body[key]).filter((one): one is string => typeof one === "string" && one !== "");
    const text = [...new Set(texts)].join("\n");
    const yours = make(
      "div",
      { class: "card" },
      make("h3", {}, this.t("field-yours")),
      make("p", {}, item.label),
      text && make("p", { class: "said" }, text),
      make("p", { class: "meta" }, this.t("field-made", { x: this.time(item.made_at) }), item.photos.length > 0 && ` · ${this.t("field-photo-count", { n: item.photos.length })}`),
    );
    const meanwhile = make(
      "div",
      { class: "card" },
      make("h3", {}, this.t("field-meanwhile")),
      make("ul", {}, (refusal?.changes ?? []).map(happened)),
    );
    const isOver = refusal?.field === "made_at";
    const why = `field-why-${isOver ? "over" : (refusal?.code ?? "")}`;
    const said = refusal?.message ?? "";
    const inWords = this.t(why) === why ? said : this.t(why);
    const reason = make("p", { class: "wrong" }, inWords === "" ? this.t("field-why-broken") : inWords);
    return make(
      "li",
      { class: "field-refused" },
      make("h2", { class: "line-title" }, isStale ? this.t("field-conflict") : this.t("field-was-refused")),
      isStale ? make("div", { class: "field-sides" }, yours, meanwhile) : make("div", {}, yours, reason),
      this.copying(item, text),
      make(
        "p",
        { class: "row" },
        // The same again would be refused for the same reason.
        !isOver && make("button", { type: "button", id: `again-${item.id ?? 0}`, click: () => void this.deeds.again(item) }, this.t(isStale ? "field-all-the-same" : "field-again")),
        make("button", { type: "button", class: "grave", id: `drop-${item.id ?? 0}`, click: () => void this.deeds.drop(item) }, this.t("field-drop")),
      ),
    );
  }

  /** What was written and photographed, to be taken elsewhere. */
  private copying(item: Item, text: string): HTMLElement {
    const photos = make("span", { class: "row" });
    const copy = make("button", { type: "button", class: "second" }, this.t("field-copy"));
    copy.addEventListener("click", () => {
      void navigator.clipboard.writeText(text).then(() => (copy.textContent = this.t("field-copied")));
    });
    const show = make("button", { type: "button", class: "second" }, this.t("field-photos-show", { n: item.photos.length }));
    show.addEventListener("click", () => {
      void this.deeds.photosOf(item).then(async (kept) => {
        photos.replaceChildren();
        for (const [n, photo] of kept.entries()) {
          const name = `${item.made_at.slice(0, 10)}-${item.id ?? 0}-${n + 1}.jpg`;
          const link = make("a", { href: URL.createObjectURL(photo), download: name }, name);
          photos.append(link);
          link.prepend(await preview({ name, blob: photo }).catch(() => ""));
        }
      });
    });
    return make("div", { class: "row" }, text && copy, item.photos.length > 0 && show, photos);
  }

  /** Signing out: says first what would stay behind on a phone that others use too. */
  private leaving(): HTMLElement[] {
    const own = this.own();
    const token = this.state.who?.token ?? "";
    const form = make(
      "form",
      { method: "post", action: "/staff/sign-out" },
      make("input", { type: "hidden", name: "token", value: token }),
      make("button", { class: own.length > 0 ? "grave" : "" }, this.t(own.length > 0 ? "field-leave-all-the-same" : "sign-out")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.deeds.forget().then(() => {
        form.submit();
      });
    });
    return [
      this.back(),
      make("h1", {}, this.t("sign-out")),
      own.length > 0
        ? make("div", { class: "summary" }, make("p", {}, this.t("field-leave-kept", { n: own.length })), make("p", {}, make("a", { href: "#outbox" }, this.t("field-outbox"))))
        : make("p", {}, this.t("field-leave")),
      this.state.away ? make("p", { class: "none" }, this.t("field-leave-away")) : form,
    ];
  }
}
