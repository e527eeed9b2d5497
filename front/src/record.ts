// The page of one case or one whistle: what happens to it while one looks is said at once, and its timeline shows it. The rest of
// the page is renewed when one asks for it, and nothing that was typed is lost.

import { Live, type News, Renewal, type Told, announce, toldToPage } from "./live";
import { element, say } from "./told";

interface RecordTold extends Told {
  kind: "cases" | "whistles";
  number: string;
  version: number;
}

/** Changes that are said; of more it is said how many. */
const SAID = 3;

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

class RecordPage {
  private readonly told = toldToPage() as RecordTold;
  private shown = this.told.version;
  private latest: Document | undefined;
  private readonly renewal = new Renewal(this.told.address, (page) => {
    this.came(page);
  });

  start(): void {
    element("live-show").addEventListener("click", () => {
      this.takeOver();
    });
    element("live-close").addEventListener("click", () => {
      this.quiet();
    });
    new Live(this.told, (news) => {
      if (!news || this.isNews(news)) this.renewal.ask();
    }).start();
  }

  private isNews({ kind, number, version }: News): boolean {
    return `${kind}s` === this.told.kind && number === this.told.number && version > this.shown;
  }

  private came(page: Document | null): void {
    if (!page) {
      // It is no longer this post's to see. What is on the screen was.
      this.quiet();
      return;
    }
    const entries = [...page.querySelectorAll<HTMLElement>("#timeline > .timeline > li")].filter(
      (entry) => Number(entry.dataset["version"]) > this.shown,
    );
    if (entries.length === 0) return;
    this.shown = Math.max(...entries.map((entry) => Number(entry.dataset["version"])));
    this.latest = page;
    announce(this.inWords(entries));
    element("live-acts").hidden = false;
    for (const entry of entries) entry.classList.add("fresh");
    document.querySelector("#timeline > .timeline")?.prepend(...entries.map((entry) => document.importNode(entry, true)));
    renew(page, "live");
  }

  /** The last changes in words: who, when, what. */
  private inWords(entries: HTMLElement[]): string {
    const text = (entry: HTMLElement, selector: string): string => entry.querySelector(selector)?.textContent.trim() ?? "";
    const lines = entries.slice(0, SAID).map((entry) => {
      const parts = { who: text(entry, ".meta"), at: text(entry, ".when"), what: text(entry, "strong") };
      return say(this.told.words, parts.who ? "live-changed-by" : "live-changed", parts);
    });
    const more = entries.length - SAID;
    if (more > 0) lines.push(say(this.told.words, "live-more", { n: `${more}` }));
    return lines.join("\n");
  }

  /** Brings the rest of the page in line, with what was typed. */
  private takeOver(): void {
    const page = this.latest;
    if (!page) return;
    const typed = typedIn(element("acts"));
    renew(page, "live");
    renew(page, "later", true);
    this.putBack(typed);
    this.quiet();
    element("main").focus();
  }

  private putBack(typed: Map<string, Map<string, Field[]>>): void {
    for (const [id, fields] of typed) {
      const form = document.getElementById(id);
      if (form instanceof HTMLDetailsElement) {
        form.open = true;
        for (const [name, old] of fields) {
          const fresh = [...form.querySelectorAll<Field>(`[name="${CSS.escape(name)}"]`)];
          old.forEach((field, i) => {
            const there = fresh[i];
            if (there) copy(field, there);
          });
        }
      } else {
        this.keepWords(fields);
      }
    }
  }

  /** The step of a form is no longer possible: what was written there stays to be read and copied. */
  private keepWords(fields: Map<string, Field[]>): void {
    const words = [...fields.values()].flat().filter((field) => field instanceof HTMLTextAreaElement);
    const text = words.map((field) => field.value.trim()).join("\n");
    if (!text) return;
    const [hint, said] = [document.createElement("p"), document.createElement("p")];
    hint.textContent = say(this.told.words, "live-unsent");
    said.className = "said";
    said.textContent = text;
    element("acts").prepend(hint, said);
  }

  private quiet(): void {
    announce("");
    element("live-acts").hidden = true;
  }
}

/** Puts parts of the fresh page in place of those of this one; not where one is just at work, unless `all`. */
function renew(page: Document, when: "live" | "later", all = false): void {
  for (const old of document.querySelectorAll<HTMLElement>(`[data-${when}]`)) {
    const fresh = page.querySelector(`[data-${when}="${old.getAttribute(`data-${when}`) ?? ""}"]`);
    if (!fresh || (!all && old.contains(document.activeElement))) continue;
    old.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
  }
}

/** Whether somebody changed a field. */
function isTouched(field: Field): boolean {
  if (field instanceof HTMLSelectElement) return [...field.options].some((one) => one.selected !== one.defaultSelected);
  if (field instanceof HTMLInputElement && field.type === "file") return field.value !== "";
  if (field instanceof HTMLInputElement && /^(?:radio|checkbox)$/.test(field.type)) return field.checked !== field.defaultChecked;
  return field.value !== field.defaultValue;
}

/** The fields of each form in which something was typed or chosen, by their names. */
function typedIn(acts: HTMLElement): Map<string, Map<string, Field[]>> {
  const typed = new Map<string, Map<string, Field[]>>();
  for (const form of acts.querySelectorAll<HTMLDetailsElement>("details.act")) {
    const fields = [...form.querySelectorAll<Field>("input:not([type=hidden]), textarea, select")];
    if (!fields.some(isTouched)) continue;
    const byName = new Map<string, Field[]>();
    for (const field of fields) byName.set(field.name, [...(byName.get(field.name) ?? []), field]);
    typed.set(form.id, byName);
  }
  return typed;
}

/** The fresh form has what was typed into the old one. Chosen files go along as the field that holds them. */
function copy(from: Field, to: Field): void {
  if (from instanceof HTMLInputElement && to instanceof HTMLInputElement) {
    if (from.type === "file") {
      to.replaceWith(from);
      return;
    }
    if (/^(?:radio|checkbox)$/.test(from.type)) {
      to.checked = from.checked;
      return;
    }
  }
  if (to instanceof HTMLSelectElement && ![...to.options].some((one) => one.value === from.value)) return;
  to.value = from.value;
}

new RecordPage().start();
