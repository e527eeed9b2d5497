// How the map looks: the colours of the pages' style sheet, light or dark, and the layers that are drawn with them.

import type { ExpressionSpecification, LayerSpecification } from "maplibre-gl";

/** The tokens of the style sheet that the map is drawn with. */
export interface Colours {
  ink: string;
  soft: string;
  ground: string;
  ground2: string;
  line: string;
  accent: string;
  accentInk: string;
  accentSoft: string;
  warn: string;
}

/** Days after which an open case counts as old. The legend says it too. */
const OLD = 30;

const DAY = 24 * 3600;

/** As they are now. */
export function colours(): Colours {
  const set = getComputedStyle(document.documentElement);
  const token = (name: string): string => set.getPropertyValue(`--${name}`).trim();
  return {
    ink: token("ink"),
    soft: token("soft"),
    ground: token("ground"),
    ground2: token("ground-2"),
    line: token("line"),
    accent: token("accent"),
    accentInk: token("accent-ink"),
    accentSoft: token("accent-soft"),
    warn: token("warn"),
  };
}

const FONT = ["sans-serif"];

/** A name in the reader's language. */
export function name(language: "zh" | "en"): ExpressionSpecification {
  return ["coalesce", ["get", language], ["get", "en"], ["get", "zh"]];
}

const isMany: ExpressionSpecification = [">", ["get", "n"], 1];
const isOpen: ExpressionSpecification = [">", ["coalesce", ["get", "open"], 0], 0];

/** All layers, from the bottom: the ground, and the cases or where most of them are. */
export function layers(
  look: Colours,
  language: "zh" | "en",
  base: LayerSpecification[],
  heat: boolean,
): LayerSpecification[] {
  return [...ground(look, language, base), ...(heat ? [heatOf(look)] : casesOf(look))];
}

/** The layers of every map, from the bottom: the basemap's or the grid's areas, borders, names. */
export function ground(look: Colours, language: "zh" | "en", base: LayerSpecification[]): LayerSpecification[] {
  const hasBase = base.length > 0;
  const level = (word: string): ExpressionSpecification => ["==", ["get", "level"], word];
  const grid: LayerSpecification[] = hasBase
    ? []
    : [
        {
          id: "place",
          type: "fill",
          source: "grid",
          "source-layer": "areas",
          filter: level("city"),
          paint: { "fill-color": look.ground },
        },
      ];
  for (const [word, width, dash] of [
    ["cell", 0.5, true],
    ["community", 0.8, false],
    ["town", 1.4, false],
    ["city", 2.4, false],
  ] as const) {
    grid.push({
      id: `border-${word}`,
      type: "line",
      source: "grid",
      "source-layer": "areas",
      filter: level(word),
      layout: { "line-join": "round" },
      paint: {
        "line-color": word === "city" ? look.accent : look.soft,
        "line-opacity": word === "city" ? 1 : 0.55,
        "line-width": width,
        ...(dash ? { "line-dasharray": [3, 3] } : {}),
      },
    });
  }
  for (const [word, size, minzoom] of [
    ["cell", 11, 15],
    ["community", 11, 11],
    ["town", 13, 8],
  ] as const) {
    grid.push({
      id: `name-${word}`,
      type: "symbol",
      source: "grid",
      "source-layer": "names",
      filter: level(word),
      minzoom,
      layout: {
        "text-field": name(language),
        "text-font": FONT,
        "text-size": size,
        "text-max-width": 8,
        "text-padding": 6,
      },
      paint: { "text-color": look.soft, "text-halo-color": look.ground, "text-halo-width": 1.5 },
    });
  }
  return [{ id: "ground", type: "background", paint: { "background-color": look.ground2 } }, ...base, ...grid];
}

function casesOf(look: Colours): LayerSpecification[] {
  const old: ExpressionSpecification = [
    "all",
    ["!", isMany],
    isOpen,
    ["<", ["get", "from"], Math.floor(Date.now() / 1000) - OLD * DAY],
  ];
  return [
    {
      id: "cases",
      type: "circle",
      source: "cases",
      "source-layer": "cases",
      paint: {
        "circle-color": ["case", isOpen, look.accent, look.soft],
        "circle-radius": ["case", isMany, ["interpolate", ["linear"], ["log10", ["get", "n"]], 0, 10, 1, 13, 3, 19, 5, 26], 6],
        "circle-stroke-color": ["case", old, look.warn, look.ground],
        "circle-stroke-width": ["case", old, 3.5, 2],
      },
    },
    {
      id: "counts",
      type: "symbol",
      source: "cases",
      "source-layer": "cases",
      filter: isMany,
      layout: {
        "text-field": [
          "case",
          [">=", ["get", "n"], 10_000],
          ["concat", ["to-string", ["floor", ["/", ["get", "n"], 1000]]], "k"],
          ["to-string", ["get", "n"]],
        ],
        "text-font": FONT,
        "text-size": 12,
        "text-allow-overlap": true,
        "text-ignore-placement": true,
      },
      paint: { "text-color": ["case", isOpen, look.accentInk, look.ground] },
    },
  ];
}

/** How hot a square is beside the one that has the most cases. */
export function weight(most: number): ExpressionSpecification {
  return ["sqrt", ["/", ["get", "n"], Math.max(most, 1)]];
}

function heatOf(look: Colours): LayerSpecification {
  return {
    id: "cases",
    type: "heatmap",
    source: "cases",
    "source-layer": "cases",
    paint: {
      "heatmap-weight": weight(1),
      "heatmap-radius": ["interpolate", ["linear"], ["zoom"], 6, 14, 12, 24, 16, 34],
      "heatmap-opacity": 0.8,
      "heatmap-color": [
        "interpolate",
        ["linear"],
        ["heatmap-density"],
        0,
        "rgba(0, 0, 0, 0)",
        0.15,
        "rgba(60, 150, 170, 0.35)",
        0.45,
        look.accent,
        0.75,
        "#e0a52e",
        1,
        "#c8372d",
      ],
    },
  };
}
