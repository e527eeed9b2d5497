// What the server's page tells its script, in one attribute. The server writes it; see `crates/web/src/pages/map/mod.rs`.

/** West, south, east, north in degrees. */
export type Bounds = [number, number, number, number];

export interface Told {
  language: "zh" | "en";
  /** Of the whole place. */
  bounds: Bounds | null;
  /** Of the area that the filter names. */
  area: Bounds | null;
  /** The version of the grid; part of the addresses of its tiles. */
  grid: string;
  /** Whether the server has a basemap. */
  basemap: boolean;
  /** The page's words by their keys. */
  words: Record<string, string>;
}

/** Reads what an element was told. */
export function told(element: HTMLElement): Told {
  return JSON.parse(element.dataset["told"] ?? "{}") as Told;
}

/** A message with what belongs in its braces. */
export function say(words: Told["words"], key: string, parts: Record<string, string> = {}): string {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => parts[name] ?? whole);
}

/** The element of an id, which the server's page has. */
export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page lacks #${id}`);
  return found;
}
