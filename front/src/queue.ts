// The queue: what changes while one looks, and the keyboard. Rows change where they stand; what would move them waits until one asks
// for it.

import { Keys } from "./keys";
import { Live, type News, Renewal, announce, toldToPage } from "./live";
import { Picked } from "./picked";
import { element, say } from "./told";

/** How long it is said that the list is up to date, in milliseconds. */
const SAID = 5_000;

class QueuePage {
  private readonly told = toldToPage();
  private readonly lines = element("lines");
  private readonly picked = new Picked(this.lines);
  /** The page as it is now, when its rows are not those that are shown. */
  private latest: Document | undefined;
  private readonly renewal = new Renewal(this.told.address, (page) => {
    if (page) this.came(page);
  });

  start(): void {
    element("live-show").addEventListener("click", () => {
      this.show();
    });
    element("live-close").addEventListener("click", () => {
      this.quiet("");
    });
    this.picked.start();
    new Keys(this.lines, this.picked).start();
    new Live(this.told, (news) => {
      if (!news || this.isNews(news)) this.renewal.ask();
    }).start();
  }

  private isNews({ kind, number, version }: News): boolean {
    if (kind !== "case") return false;
    const row = this.lines.querySelector<HTMLElement>(`tr[data-number="${CSS.escape(number)}"]`);
    return !row || Number(row.dataset["version"]) < version;
  }

  /** Rows that are in both change where they stand; of the others it is said how many there are. */
  private came(page: Document): void {
    const [here, there] = [rows(this.lines), rows(page.getElementById("lines"))];
    for (const [number, row] of here) {
      const fresh = there.get(number);
      if (fresh) change(row, fresh);
      else this.goes(row);
    }
    const fresh = [...there.keys()].filter((number) => !here.has(number)).length;
    const gone = [...here.keys()].filter((number) => !there.has(number)).length;
    const parts = [
      ...(fresh ? [say(this.told.words, "queue-news", { n: `${fresh}` })] : []),
      ...(gone ? [say(this.told.words, "queue-gone", { n: `${gone}` })] : []),
    ];
    this.latest = page;
    announce(parts.join(" · "));
    element("live-acts").hidden = parts.length === 0;
  }

  private goes(row: HTMLElement): void {
    if (row.classList.contains("gone")) return;
    row.classList.add("gone");
    const tag = document.createElement("span");
    tag.className = "tag flag";
    tag.textContent = say(this.told.words, "queue-row-gone");
    row.querySelector("td:nth-last-child(2)")?.append(" ", tag);
  }

  /** Takes the list as it is now; what was picked stays picked, and one stays at the row where one was. */
  private show(): void {
    const fresh = this.latest?.getElementById("lines");
    if (!fresh) return;
    const at = document.activeElement?.closest<HTMLElement>("tr[data-number]")?.dataset["number"];
    const picked = this.picked.numbers();
    const known = rows(this.lines);
    this.lines.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
    for (const [number, row] of rows(this.lines)) if (!known.has(number)) row.classList.add("fresh");
    this.picked.renewed(picked);
    this.quiet(say(this.told.words, "queue-fresh"));
    const now = rows(this.lines);
    const row = now.get(at ?? "") ?? now.values().next().value;
    (row?.querySelector<HTMLElement>("a") ?? element("main")).focus({ preventScroll: true });
  }

  private quiet(text: string): void {
    announce(text);
    element("live-acts").hidden = true;
    const forget = (): void => {
      if (element("live-news").textContent === text) announce("");
    };
    if (text) window.setTimeout(forget, SAID);
  }
}

/** The rows of a list by the numbers of their cases. */
function rows(list: HTMLElement | null): Map<string, HTMLElement> {
  const all = [...(list?.querySelectorAll<HTMLElement>("tr[data-number]") ?? [])];
  return new Map(all.map((row) => [row.dataset["number"] ?? "", row]));
}

/** A row says what its case is now. Where one just is, its cell stays, so that the focus does. */
function change(row: HTMLElement, fresh: HTMLElement): void {
  const isOther = row.dataset["version"] !== fresh.dataset["version"] || row.classList.contains("gone");
  const cells = [...fresh.children];
  [...row.children].forEach((cell, i) => {
    const other = cells[i];
    if (!other) return;
    const [box, now] = [cell.querySelector("input"), other.querySelector("input")];
    // It stays ticked, and stands for the case as it is shown now.
    if (box && now) box.value = now.value;
    if (box || cell.contains(document.activeElement)) return;
    // The time that is left runs on, also where nothing changed.
    if (cell.innerHTML !== other.innerHTML) {
      cell.replaceChildren(...[...other.childNodes].map((node) => document.importNode(node, true)));
    }
  });
  row.dataset["version"] = fresh.dataset["version"] ?? "";
  row.classList.remove("gone");
  if (isOther) row.classList.add("changed");
}

new QueuePage().start();
