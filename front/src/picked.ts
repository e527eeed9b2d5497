// Rows that are picked to do something to them together. The boxes are the form's own; this says how many, and picks all.

export class Picked {
  private readonly all = document.querySelector<HTMLInputElement>("#pick-all");
  private readonly count = document.getElementById("pick-count");

  constructor(private readonly lines: HTMLElement) {}

  start(): void {
    const label = this.all?.closest<HTMLElement>("label");
    if (label) label.hidden = false;
    this.all?.addEventListener("change", () => {
      for (const box of this.boxes()) box.checked = this.all?.checked ?? false;
      this.changed();
    });
    this.lines.addEventListener("change", () => {
      this.changed();
    });
    this.changed();
  }

  /** Picks a row, or no longer. */
  toggle(row: Element): void {
    const box = row.querySelector<HTMLInputElement>("input[name=case]");
    if (!box) return;
    box.checked = !box.checked;
    this.changed();
  }

  /** The numbers of the cases that are picked. */
  numbers(): Set<string> {
    const picked = this.boxes().filter((box) => box.checked);
    return new Set(picked.map((box) => box.closest<HTMLElement>("tr")?.dataset["number"] ?? ""));
  }

  /** The list is another; those that were picked are picked again where they are still there. */
  renewed(numbers: Set<string>): void {
    for (const box of this.boxes()) {
      box.checked = numbers.has(box.closest<HTMLElement>("tr")?.dataset["number"] ?? "");
    }
    this.changed();
  }

  private boxes(): HTMLInputElement[] {
    return [...this.lines.querySelectorAll<HTMLInputElement>("input[name=case]")];
  }

  private changed(): void {
    const boxes = this.boxes();
    const picked = boxes.filter((box) => box.checked).length;
    if (this.all) {
      this.all.checked = picked > 0 && picked === boxes.length;
      this.all.indeterminate = picked > 0 && picked < boxes.length;
    }
    if (this.count) this.count.textContent = `${picked}`;
  }
}
