// The names of a place, searched in the browser: nothing that is typed leaves it.

import type { Bounds } from "./told";

/** Names that are offered at most: what fits below the field. */
const OFFERED = 8;

/** Something that has a name and lies somewhere. */
export interface Named {
  zh: string;
  en: string;
  at: [number, number];
  /** How far it reaches; none of a thing at a spot. */
  box?: Bounds;
  /** The code of an area. */
  code?: string;
  /** In which area it lies, by its number among the names. */
  in?: number;
}

/** The place's own names; none when the network is away. */
export async function placeNames(address: string): Promise<Named[]> {
  try {
    const answer = await fetch(address);
    return answer.ok ? ((await answer.json()) as Named[]) : [];
  } catch (error) {
    console.info(error);
    return [];
  }
}

/** Those that have a text in their name: those that are it first, then those that begin with it, then the shorter ones. */
export function search(names: Named[], text: string): Named[] {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const scored: [number, Named][] = [];
  for (const one of names) {
    const fits = [one.zh, one.en].map((name) => score(name.toLowerCase(), wanted));
    const best = Math.min(...fits);
    if (Number.isFinite(best)) scored.push([best, one]);
  }
  scored.sort(([one], [other]) => one - other);
  const offered: Named[] = [];
  for (const [, one] of scored) {
    // A street is in many tiles, and once in the list.
    const isThere = offered.some((other) => other.zh === one.zh && other.in === one.in);
    if (!isThere) offered.push(one);
    if (offered.length === OFFERED) break;
  }
  return offered;
}

function score(name: string, wanted: string): number {
  const at = name.indexOf(wanted);
  if (at < 0) return Infinity;
  const place = name === wanted ? 0 : at === 0 ? 1 : 2;
  return place * 1000 + name.length;
}
