// The dispatch board: it is the page itself, asked for again when something happens, and once a minute for the clocks.

import { Live, Renewal, toldToPage } from "./live";

class BoardPage {
  private readonly told = toldToPage();
  private readonly renewal = new Renewal(this.told.address, (page) => {
    if (page) this.came(page);
  });

  start(): void {
    new Live(this.told, () => {
      this.renewal.ask();
    }).start();
  }

  /** The board as it is now; one stays at the link where one was. */
  private came(page: Document): void {
    const [here, fresh] = [document, page].map((one) => one.querySelector("[data-live=board]"));
    if (!here || !fresh) return;
    const at = here.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : null;
    here.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
    if (at) here.querySelector<HTMLElement>(`a[href="${CSS.escape(at)}"]`)?.focus({ preventScroll: true });
  }
}

new BoardPage().start();
