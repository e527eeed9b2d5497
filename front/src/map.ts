// The page of the map: what stands in the form is in the address, the map and the list follow it. The drawing itself, which is
// large, is loaded beside.

import "./map.css";
import type { Drawing } from "./drawing";
import { type Bounds, type Told, element, say, told } from "./told";

/** How long the map must rest before the list follows it, in milliseconds. */
const REST = 250;

/** The filter, in the order in which addresses have it. */
const FIELDS = ["state", "service", "area", "period", "view"] as const;

const YEAR = /^(\d{4})(?:-(\d{2}))?$/;

class MapPage {
  private readonly frame = element("map");
  private readonly told: Told = told(this.frame);
  private readonly form = element("map-filters") as HTMLFormElement;
  private readonly months = element("map-months");
  private readonly month = element("map-month") as HTMLInputElement;
  private drawing: Drawing | undefined;
  private wanted: AbortController | undefined;
  private resting = 0;

  async start(): Promise<void> {
    for (const one of document.querySelectorAll<HTMLElement>(".scripted")) one.hidden = false;
    for (const one of document.querySelectorAll<HTMLElement>(".unscripted")) one.hidden = true;
    this.form.querySelector("button")?.setAttribute("hidden", "");
    element("map-frame").hidden = false;
    this.listen();
    this.showMonths();
    try {
      const { draw } = await import("./drawing");
      this.drawing = await draw(this.frame, this.told, {
        filter: this.filter(),
        bounds: this.boundsInAddress() ?? this.told.area ?? this.told.bounds,
        moved: () => {
          this.rest();
        },
      });
    } catch (error) {
      this.giveUp(error);
    }
  }

  private listen(): void {
    this.form.addEventListener("change", (event) => {
      this.changed((event.target as HTMLElement).id);
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.changed("");
    });
    this.month.addEventListener("input", () => {
      this.nameMonth();
    });
    this.month.addEventListener("change", () => {
      this.chooseMonth();
    });
    element("map-near").addEventListener("click", () => {
      this.near();
    });
    element("map-toggle").addEventListener("click", () => {
      this.toggle();
    });
    element("map-print").addEventListener("click", () => {
      window.print();
    });
  }

  private select(name: string): HTMLSelectElement {
    return this.form.elements.namedItem(name) as HTMLSelectElement;
  }

  /** What stands in the form; empty fields are left out. */
  private filter(): URLSearchParams {
    const filter = new URLSearchParams();
    for (const name of FIELDS) {
      const { value } = this.select(name);
      if (value) filter.set(name, value);
    }
    return filter;
  }

  private boundsInAddress(): Bounds | null {
    const text = new URLSearchParams(location.search).get("bbox");
    const sides = text?.split(",").map(Number) ?? [];
    return sides.length === 4 && sides.every(Number.isFinite) ? (sides as Bounds) : null;
  }

  /** Something in the form is another. */
  private changed(field: string): void {
    if (field === "period") this.showMonths();
    const filter = this.filter();
    this.drawing?.show(filter);
    if (field === "area") void this.goToArea();
    else void this.renew();
  }

  /** The map goes where the area is; where that is, the server says with the list. */
  private async goToArea(): Promise<void> {
    const page = await this.ask(this.filter());
    const map = page?.getElementById("map");
    const there = map ? told(map) : null;
    const bounds = there?.area ?? this.told.bounds;
    if (bounds) this.drawing?.go(bounds);
    await this.renew();
  }

  private rest(): void {
    window.clearTimeout(this.resting);
    this.resting = window.setTimeout(() => void this.renew(), REST);
  }

  /** Brings address and list in line with the form and the map. */
  private async renew(): Promise<void> {
    const filter = this.filter();
    const bounds = this.drawing?.bounds();
    if (bounds) filter.set("bbox", bounds.map((side) => side.toFixed(5)).join(","));
    const query = filter.toString().replaceAll("%2C", ",");
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
    const page = await this.ask(filter);
    if (!page) return;
    for (const id of ["list-count", "list-cases"]) {
      const fresh = page.getElementById(id);
      if (fresh) element(id).replaceChildren(...fresh.childNodes);
    }
    for (const one of document.querySelectorAll<HTMLElement>(".unscripted")) one.hidden = true;
    const summary = page.querySelector("main > .paper-only")?.textContent;
    const here = document.querySelector("main > .paper-only");
    if (here && summary) here.textContent = summary;
  }

  /** The server's page for a filter; none when another was asked for meanwhile, or the network is away. */
  private async ask(filter: URLSearchParams): Promise<Document | null> {
    this.wanted?.abort();
    const asked = new AbortController();
    this.wanted = asked;
    try {
      const answer = await fetch(`/map?${filter.toString()}`, { signal: asked.signal });
      if (!answer.ok) throw new Error(`the list answers ${answer.status}`);
      const text = await answer.text();
      this.complain("");
      return new DOMParser().parseFromString(text, "text/html");
    } catch (error) {
      if (asked.signal.aborted) return null;
      console.warn(error);
      this.complain(say(this.told.words, "map-list-broken"));
      return null;
    }
  }

  private complain(text: string): void {
    const wrong = element("map-wrong");
    wrong.textContent = text;
    wrong.hidden = text === "";
  }

  private giveUp(error: unknown): void {
    console.warn(error);
    element("map-frame").hidden = true;
    element("map-legend").hidden = true;
    for (const id of ["map-near", "map-toggle"]) element(id).hidden = true;
    this.complain(say(this.told.words, "map-broken"));
  }

  // ---- a year, month by month -----------------------------------------------------------------------------------------

  /** The months are offered when a year is chosen. */
  private showMonths(): void {
    const year = YEAR.exec(this.select("period").value);
    this.months.hidden = !year;
    this.month.value = year?.[2] ? `${Number(year[2])}` : "0";
    this.nameMonth();
  }

  private nameMonth(): void {
    const year = YEAR.exec(this.select("period").value)?.[1];
    const month = Number(this.month.value);
    let name = say(this.told.words, "map-whole-year");
    if (year && month > 0) {
      const locale = this.told.language === "zh" ? "zh-Hans" : "en";
      const named = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric", timeZone: "UTC" });
      name = named.format(new Date(Date.UTC(Number(year), month - 1, 1)));
    }
    element("map-month-name").textContent = name;
    this.month.setAttribute("aria-valuetext", name);
  }

  private chooseMonth(): void {
    const periods = this.select("period");
    const year = YEAR.exec(periods.value)?.[1];
    if (!year) return;
    const month = Number(this.month.value);
    const value = month === 0 ? year : `${year}-${`${month}`.padStart(2, "0")}`;
    // A month is offered only while it is chosen.
    for (const old of periods.querySelectorAll("option[data-month]")) old.remove();
    if (month > 0 && ![...periods.options].some((one) => one.value === value)) {
      const option = new Option(element("map-month-name").textContent, value);
      option.dataset["month"] = "";
      periods.append(option);
    }
    periods.value = value;
    this.changed("month");
  }

  // ---- buttons ----------------------------------------------------------------------------------------------------

  /** Where the reader is, asked for at the press of the button and told to nobody. */
  private near(): void {
    const denied = (): void => {
      this.complain(say(this.told.words, "map-near-denied"));
    };
    if (!("geolocation" in navigator)) {
      denied();
      return;
    }
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const [west, south, east, north] = this.told.bounds ?? [-180, -90, 180, 90];
        const { longitude: lon, latitude: lat } = coords;
        if (lon < west || lon > east || lat < south || lat > north) {
          this.complain(say(this.told.words, "map-near-outside"));
          return;
        }
        this.complain("");
        this.drawing?.here(lon, lat);
      },
      denied,
      { enableHighAccuracy: true, timeout: 10_000, maximumAge: 0 },
    );
  }

  private toggle(): void {
    const frame = element("map-frame");
    frame.hidden = !frame.hidden;
    element("map-legend").hidden = frame.hidden;
    const button = element("map-toggle");
    button.setAttribute("aria-expanded", `${!frame.hidden}`);
    button.textContent = say(this.told.words, frame.hidden ? "map-show" : "map-hide");
    if (!frame.hidden) this.drawing?.resize();
  }
}

void new MapPage().start();
