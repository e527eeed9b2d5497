// The keyboard of the queue: single letters, as long as nobody types in a field. They can be switched off (WCAG 2.1.4), and this browser
// remembers that.

import type { Picked } from "./picked";
import { element } from "./told";

const REMEMBERED = "whistle-keys";

export class Keys {
  private readonly help = element("keys") as HTMLDialogElement;
  private readonly use = element("keys-use") as HTMLInputElement;

  constructor(
    private readonly lines: HTMLElement,
    private readonly picked: Picked,
  ) {}

  start(): void {
    const button = element("keys-open");
    button.hidden = false;
    button.addEventListener("click", () => {
      this.help.showModal();
    });
    this.use.checked = remembered() !== "off";
    this.use.addEventListener("change", () => {
      remember(this.use.checked ? "on" : "off");
    });
    document.addEventListener("keydown", (event) => {
      if (this.isMeant(event) && this.press(event.key)) event.preventDefault();
    });
  }

  /** Whether a key is for us: not one that writes, none with another key held, none while a dialog is open. */
  private isMeant(event: KeyboardEvent): boolean {
    if (!this.use.checked || this.help.open || event.isComposing) return false;
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    return !(event.target instanceof Element && event.target.closest(WRITES));
  }

  private press(key: string): boolean {
    switch (key) {
      case "j":
        return this.move(1);
      case "k":
        return this.move(-1);
      case "o":
        return this.open();
      case "x":
        return this.pick();
      case "/":
        return this.seek();
      case "?":
        this.help.showModal();
        return true;
      default:
        return false;
    }
  }

  private rows(): HTMLElement[] {
    return [...this.lines.querySelectorAll<HTMLElement>("tr[data-number]")];
  }

  /** The row where one is. */
  private row(): HTMLElement | undefined {
    return document.activeElement?.closest<HTMLElement>("tr[data-number]") ?? undefined;
  }

  private move(by: number): boolean {
    const rows = this.rows();
    const row = this.row();
    const at = row ? rows.indexOf(row) + by : 0;
    rows[Math.min(Math.max(at, 0), rows.length - 1)]?.querySelector<HTMLElement>("a")?.focus();
    return rows.length > 0;
  }

  private open(): boolean {
    const link = this.row()?.querySelector<HTMLElement>("a");
    link?.click();
    return link !== undefined && link !== null;
  }

  private pick(): boolean {
    const row = this.row();
    if (row) this.picked.toggle(row);
    return row !== undefined;
  }

  /** To the search where there is one, else to the filter. */
  private seek(): boolean {
    const field =
      document.querySelector<HTMLElement>("input[type=search][name=q]") ??
      document.querySelector<HTMLElement>("form.filters select, form.filters input:not([type=hidden])");
    const folded = field?.closest("details");
    if (folded) folded.open = true;
    field?.focus();
    return field !== null;
  }
}

/** Where a letter is a letter. A box to tick is no such place. */
const WRITES = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

function remembered(): string | null {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    // A browser that keeps nothing has the keys on.
    return null;
  }
}

function remember(choice: "on" | "off"): void {
  try {
    localStorage.setItem(REMEMBERED, choice);
  } catch {
    // Then it holds for this page.
  }
}
