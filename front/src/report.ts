// Reporting in three steps: a photo, the place, what it is; then a look at all of it before it is sent. The page behind it works
// without; here are only shown, checked and filled in the fields of one form, which goes where the plain form goes.

import "./report.css";
import { type Draft, forget, keep, keepPhotos, kept, keptPhotos } from "./draft";
import { type Point, takenAt } from "./gps";
import { type Named, placeNames, search } from "./names";
import { type Photo, preview, shrunk } from "./photos";
import type { Pin } from "./pin";
import { type Bounds, type Told, element, say, told } from "./told";

interface ReportTold extends Told {
  /** The most photos of a report. */
  photos: number;
  /** Where the names of the place are. */
  names: string;
}

/** The steps, by the names that they have in the address. */
const STEPS = ["photo", "place", "what", "check"] as const;
type Step = (typeof STEPS)[number];

/** Something to mend: the id of the field, and a sentence. */
interface Wrong {
  field: string;
  message: string;
}

/** How long the reporter must pause before the server is asked what the text is about, in milliseconds. */
const PAUSE = 400;

/** Fields that are not kept: who the reporter is. */
const NOT_KEPT = new Set(["name", "email", "phone", "key", "photos"]);

/** The end of the id of what is said at a field. */
const MADE_WRONG = "-made-wrong";

function input(id: string): HTMLInputElement {
  return element(id) as HTMLInputElement;
}

/** A choice as a button, named by a text. */
function button(text: string, pressed: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "second";
  made.textContent = text;
  made.addEventListener("click", pressed);
  return made;
}

class Report {
  private readonly root = element("steps");
  private readonly told = told(this.root) as ReportTold;
  private readonly form = element("report") as HTMLFormElement;
  private readonly service = element("service") as HTMLSelectElement;
  private readonly description = element("description") as HTMLTextAreaElement;
  private readonly title = document.title;
  private draft: Draft = { id: crypto.randomUUID(), key: input("key").value, fields: {} };
  private photos: Photo[] = [];
  private step: Step = "photo";
  private pin: Promise<Pin | null> | undefined;
  private names: Promise<Named[]> | undefined;
  /** What the server says of the place that is chosen. */
  private where: { text: string; inside: boolean } | null = null;
  /** Where the photo says that it was taken, while the reporter has not decided on it. */
  private taken: Point | null = null;
  private asking = 0;
  private sending = false;
  private sent = false;

  async start(): Promise<void> {
    for (const one of document.querySelectorAll<HTMLElement>(".unscripted")) one.hidden = true;
    this.listen();
    const before = kept();
    if (before) await this.takeUp(before);
    else void keptPhotos(this.draft);
    if (input("lat").value) void this.locate();
    this.root.hidden = false;
    this.show(this.asked(), false);
  }

  private words(key: string, parts: Record<string, string> = {}): string {
    return say(this.told.words, key, parts);
  }

  private listen(): void {
    window.addEventListener("hashchange", () => {
      this.show(this.asked(), true);
    });
    window.addEventListener("pageshow", ({ persisted }) => {
      // Back from the receipt: what was sent is not sent again.
      if (persisted && this.sent) location.replace(location.pathname);
    });
    for (const one of this.form.querySelectorAll<HTMLElement>("[data-next]")) {
      one.addEventListener("click", () => {
        this.next();
      });
    }
    this.form.addEventListener("change", () => {
      this.save();
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit(event.submitter as HTMLButtonElement | null);
    });
    for (const id of ["photos", "camera"]) {
      input(id).addEventListener("change", () => void this.take(input(id)));
    }
    element("here").addEventListener("click", () => {
      this.here();
    });
    element("no-point").addEventListener("click", () => {
      this.setPoint(null);
    });
    element("taken-yes").addEventListener("click", () => {
      this.useTaken();
    });
    element("taken-no").addEventListener("click", () => {
      this.taken = null;
      this.showTaken();
    });
    input("find").addEventListener("input", () => void this.find());
    input("find").addEventListener("keydown", (event) => {
      // Enter takes the first name, and does not send the report.
      if (event.key !== "Enter") return;
      event.preventDefault();
      element("found").querySelector("button")?.click();
    });
    this.description.addEventListener("input", () => {
      window.clearTimeout(this.asking);
      this.asking = window.setTimeout(() => void this.suggest(), PAUSE);
    });
    this.service.addEventListener("change", () => void this.chosen());
  }

  // ---- steps ------------------------------------------------------------------------------------------------------------

  /** The step of the address. */
  private asked(): Step {
    const name = location.hash.slice(1);
    return STEPS.find((step) => step === name) ?? (name ? this.step : "photo");
  }

  /** Shows a step, or the first before it that has something to mend. */
  private show(step: Step, focus: boolean): void {
    for (const before of STEPS.slice(0, STEPS.indexOf(step))) {
      const wrongs = this.wrongsOf(before);
      if (wrongs.length === 0) continue;
      history.replaceState(null, "", `#${before}`);
      this.open(before, false);
      // Who came by an old address was not asked yet.
      if (focus) this.complain(wrongs);
      return;
    }
    if (step === this.step && !this.section(step).hidden) return;
    this.open(step, focus);
  }

  private section(step: Step): HTMLElement {
    const found = this.form.querySelector<HTMLElement>(`[data-step=${step}]`);
    if (!found) throw new Error(`the page lacks the step ${step}`);
    return found;
  }

  private open(step: Step, focus: boolean): void {
    this.step = step;
    for (const one of STEPS) this.section(one).hidden = one !== step;
    this.complain([]);
    const heading = this.section(step).querySelector("h1");
    document.title = `${heading?.textContent ?? ""} · ${this.title}`;
    if (focus) {
      window.scrollTo(0, 0);
      heading?.focus();
    }
    if (step === "place") this.draw();
    if (step === "check") void this.review();
  }

  private next(): void {
    const wrongs = this.wrongsOf(this.step);
    this.complain(wrongs);
    if (wrongs.length > 0) return;
    location.hash = STEPS[STEPS.indexOf(this.step) + 1] ?? "check";
  }

  private wrongsOf(step: Step): Wrong[] {
    const wrongs: Wrong[] = [];
    const need = (isThere: boolean, field: string, message: string): void => {
      if (!isThere) wrongs.push({ field, message });
    };
    if (step === "place") {
      const hasPoint = input("lat").value !== "";
      const isSomewhere = hasPoint || input("address").value.trim() !== "" || input("area").value !== "";
      need(isSomewhere, "find", this.words("steps-no-place"));
      need(!hasPoint || this.where?.inside !== false, "find", this.where?.text ?? "");
    }
    if (step === "what") {
      const says = this.description.value.trim() !== "" || this.photos.length > 0;
      need(says, "description", this.words("steps-no-text"));
      need(this.service.value !== "", "service", this.words("steps-no-service"));
      for (const one of element("questions").querySelectorAll<HTMLInputElement>("[aria-required=true]")) {
        const name = one.labels?.[0]?.textContent.trim() ?? "";
        need(one.value.trim() !== "", one.id, this.words("steps-no-answer", { x: name }));
      }
    }
    return wrongs;
  }

  /** Says what is to be mended, on top and at each field, and takes the reader there. */
  private complain(wrongs: Wrong[]): void {
    for (const old of this.form.querySelectorAll(".summary, .wrong[data-made]")) old.remove();
    for (const old of this.form.querySelectorAll("[data-marked]")) {
      for (const name of ["data-marked", "aria-invalid"]) old.removeAttribute(name);
      const hints = (old.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && !id.endsWith(MADE_WRONG));
      if (hints.length) old.setAttribute("aria-describedby", hints.join(" "));
      else old.removeAttribute("aria-describedby");
      old.closest(".field")?.classList.remove("is-wrong");
    }
    document.title = document.title.replace(this.words("title-wrong"), "").trimStart();
    if (wrongs.length === 0) return;
    document.title = `${this.words("title-wrong")} ${document.title}`;
    const summary = document.createElement("div");
    summary.className = "summary";
    summary.tabIndex = -1;
    summary.setAttribute("role", "alert");
    const title = document.createElement("h2");
    title.textContent = this.words("summary-title");
    const list = document.createElement("ul");
    for (const wrong of wrongs) {
      const link = document.createElement("a");
      link.href = `#${wrong.field}`;
      link.textContent = wrong.message;
      link.addEventListener("click", (event) => {
        event.preventDefault();
        document.getElementById(wrong.field)?.focus();
      });
      const item = document.createElement("li");
      item.append(link);
      list.append(item);
      this.mark(wrong);
    }
    summary.append(title, list);
    this.section(this.step).prepend(summary);
    window.scrollTo(0, 0);
    summary.focus();
  }

  private mark({ field, message }: Wrong): void {
    const at = document.getElementById(field);
    if (!at || !this.section(this.step).contains(at)) return;
    const text = document.createElement("p");
    text.className = "wrong";
    text.id = field + MADE_WRONG;
    text.dataset["made"] = "";
    text.textContent = message;
    at.before(text);
    at.dataset["marked"] = "";
    at.setAttribute("aria-invalid", "true");
    at.setAttribute("aria-describedby", `${at.getAttribute("aria-describedby") ?? ""} ${text.id}`.trimStart());
    at.closest(".field")?.classList.add("is-wrong");
  }

  // ---- draft ------------------------------------------------------------------------------------------------------------

  private save(): void {
    if (this.sent) return;
    const fields: Record<string, string[]> = {};
    for (const [name, value] of new FormData(this.form)) {
      if (typeof value === "string" && value && !NOT_KEPT.has(name)) (fields[name] ??= []).push(value);
    }
    this.draft.fields = fields;
    keep(this.draft);
  }

  private async takeUp(before: Draft): Promise<void> {
    // A link that names a place is stronger than what was begun elsewhere.
    const named = new URLSearchParams(location.search);
    const isElsewhere = input("lat").value !== "" ? location.search !== "" : Boolean(named.get("area"));
    this.draft = before;
    input("key").value = before.key;
    this.photos = await keptPhotos(before);
    await this.showPhotos();
    const service = before.fields["service"]?.[0];
    if (service) {
      this.service.value = service;
      await this.chosen();
    }
    for (const [name, values] of Object.entries(before.fields)) {
      if (isElsewhere && ["lat", "lon", "address", "area"].includes(name)) continue;
      for (const field of this.form.querySelectorAll<HTMLInputElement>(`[name="${CSS.escape(name)}"]`)) {
        if (["checkbox", "radio"].includes(field.type)) field.checked = values.includes(field.value);
        else field.value = values[0] ?? "";
      }
    }
    void this.suggest();
  }

  // ---- photos -----------------------------------------------------------------------------------------------------------

  private async take(field: HTMLInputElement): Promise<void> {
    const files = [...(field.files ?? [])];
    field.value = "";
    const status = element("photos-status");
    status.textContent = this.words("steps-photos-reading");
    const wrongs: Wrong[] = [];
    for (const file of files) {
      if (this.photos.length >= this.told.photos) {
        wrongs.push({ field: "photos", message: this.words("steps-photos-many", { n: `${this.told.photos}` }) });
        break;
      }
      try {
        const at = await takenAt(file);
        this.photos.push(await shrunk(file));
        if (at && input("lat").value === "") this.taken ??= at;
      } catch (error) {
        console.info(error);
        wrongs.push({ field: "photos", message: this.words("steps-photo-broken", { x: file.name }) });
      }
    }
    await this.showPhotos();
    await keepPhotos(this.draft, this.photos);
    this.save();
    this.showTaken();
    status.textContent = this.words("steps-photos-taken", { n: `${this.photos.length}` });
    this.complain(wrongs);
  }

  private async showPhotos(): Promise<void> {
    const list = element("previews");
    const shown = await Promise.all(this.photos.map((photo) => preview(photo)));
    list.replaceChildren(
      ...shown.map((canvas, i) => {
        const name = this.words("steps-photo", { n: `${i + 1}` });
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", name);
        const remove = button(this.words("steps-photo-remove"), () => void this.remove(i));
        remove.setAttribute("aria-label", `${this.words("steps-photo-remove")} ${name}`);
        const item = document.createElement("li");
        item.append(canvas, remove);
        return item;
      }),
    );
    element("photos-may").hidden = this.photos.length === 0;
    element("photo-next").textContent = this.words(this.photos.length ? "steps-next" : "steps-no-photo");
  }

  private async remove(i: number): Promise<void> {
    this.photos.splice(i, 1);
    if (this.photos.length === 0) this.taken = null;
    await this.showPhotos();
    this.showTaken();
    await keepPhotos(this.draft, this.photos);
    element("photos-status").textContent = this.words("steps-photos-taken", { n: `${this.photos.length}` });
    const buttons = element("previews").querySelectorAll("button");
    (buttons[Math.min(i, buttons.length - 1)] ?? input("photos")).focus();
  }

  private showTaken(): void {
    element("taken").hidden = this.taken === null;
  }

  private useTaken(): void {
    const point = this.taken;
    this.taken = null;
    this.showTaken();
    if (!point) return;
    this.goTo(point);
    element("photos-status").textContent = this.words("steps-taken-used");
    element("photo-next").focus();
  }

  // ---- place ------------------------------------------------------------------------------------------------------------

  private draw(): void {
    if (this.pin) return;
    const container = element("pin-map");
    element("pin-frame").hidden = false;
    this.pin = import("./pin")
      .then(({ drawPin }) =>
        drawPin(container, this.told, this.told.area ?? this.told.bounds, (point) => {
          if (point) this.setPoint(point);
          else if (input("lat").value === "") element("where").textContent = this.words("steps-nearer");
        }),
      )
      .catch((error: unknown) => {
        console.warn(error);
        element("pin-frame").hidden = true;
        element("where").textContent = this.words("steps-no-map");
        return null;
      });
    const point = this.point();
    if (point) void this.pin.then((pin) => pin?.go(point));
  }

  private point(): Point | null {
    const [lat, lon] = [input("lat").value, input("lon").value];
    return lat && lon ? { lat: Number(lat), lon: Number(lon) } : null;
  }

  private setPoint(point: Point | null): void {
    input("lat").value = point ? point.lat.toFixed(6) : "";
    input("lon").value = point ? point.lon.toFixed(6) : "";
    this.where = null;
    element("no-point").hidden = point === null;
    this.save();
    if (point) void this.locate();
    else element("where").textContent = "";
  }

  private goTo(point: Point): void {
    this.setPoint(point);
    void this.pin?.then((pin) => pin?.go(point));
  }

  /** In which area the point lies, in words; that it lies outside the place is said at once. */
  private async locate(): Promise<void> {
    const [lat, lon] = [input("lat").value, input("lon").value];
    element("no-point").hidden = false;
    const asked = new URLSearchParams({ lat, lon });
    try {
      const answer = await fetch(`/report/where?${asked.toString()}`);
      if (!answer.ok) throw new Error(`the grid answers ${answer.status}`);
      const where = (await answer.json()) as { text: string; inside: boolean };
      // Meanwhile the pin may stand elsewhere.
      if (input("lat").value !== lat || input("lon").value !== lon) return;
      this.where = where;
      const said = element("where");
      said.textContent = where.text;
      said.classList.toggle("wrong", !where.inside);
    } catch (error) {
      console.info(error);
      element("where").textContent = this.words("steps-no-network");
    }
  }

  private here(): void {
    const denied = (): void => {
      element("where").textContent = this.words("map-near-denied");
    };
    if (!("geolocation" in navigator)) {
      denied();
      return;
    }
    element("where").textContent = this.words("steps-locating");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        this.goTo({ lat: coords.latitude, lon: coords.longitude });
      },
      denied,
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 0 },
    );
  }

  private async find(): Promise<void> {
    const text = input("find").value;
    this.names ??= placeNames(this.told.names);
    const own = await this.names;
    // Without a network there were none; the next letter asks again.
    if (own.length === 0) this.names = undefined;
    const pin = await this.pin;
    if (input("find").value !== text) return;
    const found = search([...own, ...(pin?.named() ?? [])], text);
    element("found").replaceChildren(
      ...found.map((one) => {
        const item = document.createElement("li");
        item.append(button(this.named(one, own), () => void this.goToNamed(one, own)));
        return item;
      }),
    );
    const status = element("found-status");
    if (!text.trim()) status.textContent = "";
    else status.textContent = this.words(found.length ? "steps-found" : "steps-not-found", { n: `${found.length}` });
  }

  private named(one: Named, own: Named[]): string {
    const name = (of: Named): string => (this.told.language === "zh" ? of.zh : of.en);
    const outer = one.in === undefined ? undefined : own[one.in];
    return outer ? `${name(one)} · ${name(outer)}` : name(one);
  }

  private async goToNamed(one: Named, own: Named[]): Promise<void> {
    element("found").replaceChildren();
    input("find").value = this.named(one, own);
    const box: Bounds | undefined = one.box;
    if (!box) {
      this.goTo({ lon: one.at[0], lat: one.at[1] });
    } else {
      const area = element("area") as HTMLSelectElement;
      this.setPoint(null);
      if ([...area.options].some((option) => option.value === one.code)) area.value = one.code ?? "";
      const pin = await this.pin;
      pin?.show(box);
      element("where").textContent = this.words("steps-now-exact", { x: this.named(one, own) });
    }
    this.save();
    element("found-status").textContent = "";
    // The button that was pressed is gone.
    input("find").focus();
  }

  // ---- what -------------------------------------------------------------------------------------------------------------

  /** Asks what the text may be about; the answer is codes of services, whose names the list has. */
  private async suggest(): Promise<void> {
    const text = this.description.value.trim();
    const list = element("suggested");
    let codes: string[] = [];
    if (text) {
      try {
        const answer = await fetch("/report/suggest", { method: "POST", body: new URLSearchParams({ text }) });
        if (answer.ok) codes = (await answer.json()) as string[];
      } catch (error) {
        console.info(error);
      }
    }
    if (this.description.value.trim() !== text) return;
    const options = [...this.service.options];
    const offered = codes.flatMap((code) => options.find((one) => one.value === code) ?? []);
    list.replaceChildren(
      ...offered.map((option) => {
        const item = document.createElement("li");
        const made = button(option.text, () => {
          this.service.value = option.value;
          void this.chosen();
          this.save();
        });
        made.dataset["code"] = option.value;
        item.append(made);
        return item;
      }),
    );
    element("suggested-part").hidden = offered.length === 0;
    this.showChosen();
  }

  private showChosen(): void {
    for (const one of element("suggested").querySelectorAll("button")) {
      one.setAttribute("aria-pressed", `${one.dataset["code"] === this.service.value}`);
    }
  }

  /** What the plain form asks of this service is asked here too. */
  private async chosen(): Promise<void> {
    this.showChosen();
    const code = this.service.value;
    const [questions, publicity] = [element("questions"), element("publicity")];
    if (!code) {
      questions.replaceChildren();
      publicity.textContent = "";
      return;
    }
    try {
      const answer = await fetch(`/report?${new URLSearchParams({ service: code }).toString()}`);
      if (!answer.ok) throw new Error(`the form answers ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (this.service.value !== code) return;
      questions.replaceChildren(...(page.getElementById("questions")?.childNodes ?? []));
      publicity.textContent = page.getElementById("publicity")?.textContent ?? "";
    } catch (error) {
      console.info(error);
      this.complain([{ field: "service", message: this.words("steps-no-network") }]);
    }
  }

  // ---- check ------------------------------------------------------------------------------------------------------------

  private async review(): Promise<void> {
    const area = element("area") as HTMLSelectElement;
    const service = this.service.selectedOptions[0]?.text ?? "";
    const place = [input("address").value.trim(), this.where?.text ?? "", area.value ? (area.selectedOptions[0]?.text ?? "") : ""];
    const said: Record<string, string> = {
      photo: this.photos.length ? this.words("steps-photos-taken", { n: `${this.photos.length}` }) : this.words("steps-none"),
      place: place.filter(Boolean).join("\n"),
      what: [service, this.description.value.trim()].filter(Boolean).join("\n"),
    };
    for (const [step, text] of Object.entries(said)) element(`said-${step}`).textContent = text;
    await this.near();
  }

  /** Asks for open cases that may be the same, so that one need not report it again. */
  private async near(): Promise<void> {
    const part = element("near");
    part.hidden = true;
    const asked = new URLSearchParams();
    for (const name of ["service", "lat", "lon", "area", "address"]) {
      const { value } = input(name);
      if (value) asked.set(name, value);
    }
    try {
      const answer = await fetch(`/report/near?${asked.toString()}`);
      if (!answer.ok) throw new Error(`the list answers ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.querySelector(".near");
      element("near-list").replaceChildren(...(found ? [found] : []));
      part.hidden = !found;
    } catch (error) {
      // The report can be sent without.
      console.info(error);
    }
  }

  /** Sends the report, or joins it to the case whose button was pressed. */
  private async submit(by: HTMLButtonElement | null): Promise<void> {
    if (this.step !== "check") {
      this.next();
      return;
    }
    if (this.sending) return;
    this.busy(true);
    const sent = new FormData(this.form);
    sent.set("step", "anyway");
    for (const photo of this.photos) sent.append("photos", photo.blob, photo.name);
    const address = by?.getAttribute("formaction") ?? this.form.getAttribute("action") ?? "/report";
    try {
      const answer = await fetch(address, { method: "POST", body: sent });
      if (answer.redirected) {
        this.sent = true;
        await forget(this.draft);
        location.assign(answer.url);
        return;
      }
      this.refused(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch (error) {
      console.info(error);
      this.complain([{ field: "send", message: this.words("steps-not-sent") }]);
    }
    this.busy(false);
  }

  private busy(isBusy: boolean): void {
    this.sending = isBusy;
    for (const one of this.section("check").querySelectorAll("button")) one.setAttribute("aria-disabled", `${isBusy}`);
    element("send-status").textContent = isBusy ? this.words("steps-sending") : "";
  }

  /** Says what the server's page says, at the step that it is about. */
  private refused(page: Document): void {
    const links = [...page.querySelectorAll<HTMLAnchorElement>(".summary a[href^='#']")];
    const wrongs = links.map((link) => ({
      field: link.getAttribute("href")?.slice(1) ?? "",
      message: link.textContent,
    }));
    // The server gives another key where this one was used for something else.
    const key = page.querySelector<HTMLInputElement>("input[name=key]")?.value;
    if (key) {
      input("key").value = key;
      this.draft.key = key;
      this.save();
    }
    const first = document.getElementById(wrongs[0]?.field ?? "");
    const step = STEPS.find((one) => first && this.section(one).contains(first)) ?? "check";
    history.pushState(null, "", `#${step}`);
    this.open(step, false);
    this.complain(wrongs.length ? wrongs : [{ field: "send", message: page.querySelector("h1")?.textContent ?? "" }]);
  }
}

void new Report().start();
