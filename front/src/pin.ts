// The map under a fixed pin: whoever reports moves the map until the pin stands where the matter is.

import type { StyleSpecification } from "maplibre-gl";
import { type Base, basemap } from "./basemap";
import type { Point } from "./gps";
import { MARGIN, NEAR, frame, sources } from "./ground";
import { colours, ground } from "./look";
import type { Named } from "./names";
import type { Bounds, Told } from "./told";

/** From this zoom on the pin means a spot; before, a fingertip covers half a community. */
const EXACT = 14;

/** Layers of basemaps in which things have names; see basemap.ts for the schemas. */
const WITH_NAMES = /^(transportation_name|roads?|places?|pois?|water_name)$/;

/** The most names that are taken from what the basemap shows. */
const MAX_NAMES = 5_000;

export interface Pin {
  /** Goes to a spot, close enough to see it. */
  go: (point: Point) => void;
  /** Shows a part of the place. */
  show: (bounds: Bounds) => void;
  /** What the basemap names in the part that is shown. */
  named: () => Named[];
}

function style(told: Told, base: Base | null): StyleSpecification {
  const look = colours();
  return {
    version: 8,
    sources: sources(told, base),
    layers: ground(look, told.language, base ? base.layers(look, told.language) : []),
  };
}

/** Draws it. `moved` is told where the pin stands when the reader has moved the map, or that they are not near enough yet. */
export async function drawPin(
  container: HTMLElement,
  told: Told,
  bounds: Bounds | null,
  moved: (point: Point | null) => void,
): Promise<Pin> {
  const base = told.basemap ? await basemap() : null;
  const map = frame(container, told, style(told, base), base !== null, bounds);
  map.once("idle", () => {
    container.dataset["idle"] = "";
  });
  map.on("moveend", ({ originalEvent }) => {
    // What this script moved is no word of the reader's.
    if (!originalEvent) return;
    const { lng: lon, lat } = map.getCenter();
    moved(map.getZoom() < EXACT ? null : { lon, lat });
  });
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => map.setStyle(style(told, base)));
  return {
    go: ({ lon, lat }) => {
      // Where nothing is drawn but the grid, its names and borders must still be in sight.
      map.jumpTo({ center: [lon, lat], zoom: Math.max(map.getZoom(), base ? NEAR + 1 : NEAR - 1) });
    },
    show: (part) => {
      map.fitBounds(part, { padding: MARGIN, maxZoom: NEAR, animate: false });
    },
    named: () => {
      const found: Named[] = [];
      const layers = new Set(map.getStyle().layers.map((one) => ("source-layer" in one ? (one["source-layer"] ?? "") : "")));
      // A layer of street names is drawn by no layer of ours, but stands in the same tiles.
      for (const sourceLayer of new Set([...layers, "transportation_name", "poi", "pois"])) {
        if (!base || !WITH_NAMES.test(sourceLayer)) continue;
        for (const { geometry, properties } of map.querySourceFeatures("base", { sourceLayer })) {
          const named = properties as Record<string, string | undefined>;
          const zh = named["name:zh"] ?? named["name"] ?? "";
          const at = middle(geometry);
          if (zh && at && found.length < MAX_NAMES) found.push({ zh, en: named["name:en"] ?? zh, at });
        }
      }
      return found;
    },
  };
}

/** A spot on what is drawn. */
function middle(geometry: GeoJSON.Geometry): [number, number] | null {
  const halfway = (line: GeoJSON.Position[] | undefined): [number, number] | null => {
    const spot = line?.[Math.floor(line.length / 2)];
    return spot ? [spot[0] ?? 0, spot[1] ?? 0] : null;
  };
  switch (geometry.type) {
    case "Point":
      return halfway([geometry.coordinates]);
    case "LineString":
      return halfway(geometry.coordinates);
    case "MultiLineString":
      return halfway(geometry.coordinates[0]);
    default:
      return null;
  }
}
