// What the server tells as it happens: numbers and versions, no more. Who hears of one asks for its own page again.
//
// A stream is open only while its page is in sight: a browser has few connections to one server, and nobody reads what is hidden.

import { element, say } from "./told";

/** What a page of the staff tells its script. The server writes it; see `crates/web/src/pages/staff/live.rs`. */
export interface Told {
  /** Where the page is asked for again. */
  address: string;
  /** When it was made, in microseconds since 1970. */
  made: number;
  /** The page's words by their keys. */
  words: Record<string, string>;
}

/** A case or a whistle that changed. */
export interface News {
  kind: "case" | "whistle";
  number: string;
  version: number;
}

/** How long to wait before a stream is asked for again, in milliseconds: twice as long after each failure. */
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 60_000;

/** After so many failures on end the page says that it may be out of date. */
const PATIENCE = 4;

/** What the server remembers of what changed, in milliseconds; who was away longer looks at everything. */
const REMEMBERED = 30_000;

/** A page is asked for again this long after a change, and ever later while changes keep coming, in milliseconds. */
const FIRST_GAP = 250;
const LONGEST_GAP = 10_000;

/** How often a page is asked for again though nothing was told: what left one's sight tells nothing. In milliseconds. */
const ANYHOW = 60_000;

/** Reads what the page was told. */
export function toldToPage(): Told {
  return JSON.parse(element("live").dataset["told"] ?? "{}") as Told;
}

/** Says something politely; nothing takes it away. */
export function announce(text: string): void {
  const news = element("live-news");
  if (news.textContent !== text) news.textContent = text;
  element("live").classList.toggle("is-told", text !== "");
}

/** Follows what changes for as long as the page is there. */
export class Live {
  private stream: EventSource | undefined;
  private pause = FIRST_PAUSE;
  private failures = 0;
  private waiting = 0;
  private over = false;
  private readonly began = performance.now();
  /** When the server was last heard of, in milliseconds since the page began. */
  private heard = 0;

  constructor(
    private readonly told: Told,
    private readonly happened: (news: News | null) => void,
  ) {}

  start(): void {
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.close();
      else this.open();
    });
    // A page that the browser brings back from where it kept it.
    window.addEventListener("pagehide", () => {
      this.close();
    });
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) this.open();
    });
    window.setInterval(() => {
      if (!document.hidden && !this.over) this.happened(null);
    }, ANYHOW);
    if (!document.hidden) this.open();
  }

  private elapsed(): number {
    return performance.now() - this.began;
  }

  private open(): void {
    if (this.stream || this.over) return;
    window.clearTimeout(this.waiting);
    const away = this.elapsed() - this.heard;
    const since = Math.round(this.told.made + this.heard * 1_000);
    const stream = new EventSource(`/staff/live?made=${since}`);
    this.stream = stream;
    stream.addEventListener("begin", () => {
      this.pause = FIRST_PAUSE;
      if (this.failures >= PATIENCE) announce("");
      this.failures = 0;
      this.heard = this.elapsed();
      if (away > REMEMBERED) this.happened(null);
    });
    for (const kind of ["case", "whistle"] as const) {
      stream.addEventListener(kind, (event: MessageEvent<string>) => {
        this.heard = this.elapsed();
        const { number, version } = JSON.parse(event.data) as Omit<News, "kind">;
        this.happened({ kind, number, version });
      });
    }
    stream.addEventListener("much", () => {
      this.heard = this.elapsed();
      this.happened(null);
    });
    stream.addEventListener("over", () => {
      this.over = true;
      this.close();
      announce(say(this.told.words, "live-over"));
    });
    stream.addEventListener("error", () => {
      this.failed();
    });
  }

  private close(): void {
    window.clearTimeout(this.waiting);
    // What was told up to now was heard; what comes after, the next stream begins with.
    if (this.stream?.readyState === EventSource.OPEN) this.heard = this.elapsed();
    this.stream?.close();
    this.stream = undefined;
  }

  private failed(): void {
    this.close();
    if (this.over) return;
    this.failures += 1;
    if (this.failures === PATIENCE) announce(say(this.told.words, "live-away"));
    // Not all at once, when a server comes back.
    const pause = this.pause * (0.5 + Math.random());
    this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
    this.waiting = window.setTimeout(() => {
      if (!document.hidden) this.open();
    }, pause);
  }
}

/** Asks for the page again soon after it is asked to, and never twice at once. */
export class Renewal {
  private gap = FIRST_GAP;
  private last = 0;
  private timer = 0;
  private running = false;
  private again = false;

  constructor(
    private readonly address: string,
    private readonly came: (page: Document | null) => void,
  ) {}

  ask(): void {
    if (this.running) {
      this.again = true;
      return;
    }
    if (this.timer) return;
    const now = performance.now();
    if (now - this.last > LONGEST_GAP) this.gap = FIRST_GAP;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      void this.run();
    }, this.gap);
    this.gap = Math.min(2 * this.gap, LONGEST_GAP);
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      const answer = await fetch(this.address, { redirect: "error" });
      if (answer.status === 404) this.came(null);
      else if (answer.ok) this.came(new DOMParser().parseFromString(await answer.text(), "text/html"));
      else throw new Error(`the page answers ${answer.status}`);
      this.last = performance.now();
    } catch (error) {
      console.warn(error);
      this.again = true;
      this.gap = LONGEST_GAP;
    }
    this.running = false;
    if (this.again) {
      this.again = false;
      this.ask();
    }
  }
}
