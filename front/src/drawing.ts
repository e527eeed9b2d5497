// The map itself: what it is drawn from, how it looks, and what a click does. Everything comes from the server of the page.

import {
  LngLatBounds,
  type Map as GlMap,
  type MapGeoJSONFeature,
  type MapLayerMouseEvent,
  Marker,
  Popup,
  type StyleSpecification,
  type VectorTileSource,
} from "maplibre-gl";
import { type Base, basemap } from "./basemap";
import { MARGIN, NEAR, frame, sources } from "./ground";
import { colours, layers, weight } from "./look";
import { type Bounds, type Told, element, say } from "./told";

/** From here on nothing more comes apart. */
const DEEPEST = 18;

export interface Start {
  filter: URLSearchParams;
  bounds: Bounds | null;
  /** The map came to rest somewhere else. */
  moved: () => void;
}

export interface Drawing {
  /** The part of the earth that is shown; none when it is all of the place. */
  bounds: () => Bounds | null;
  /** Goes there at once. */
  go: (bounds: Bounds) => void;
  /** Goes to where the reader is. */
  here: (lon: number, lat: number) => void;
  /** Shows what a filter lets through. */
  show: (filter: URLSearchParams) => void;
  resize: () => void;
}

function tiles(filter: URLSearchParams): string[] {
  const query = filter.toString();
  return [`${location.origin}/map/tiles/cases/{z}/{x}/{y}.mvt${query ? `?${query}` : ""}`];
}

function style(told: Told, base: Base | null, filter: URLSearchParams): StyleSpecification {
  const look = colours();
  const heat = filter.get("view") === "heat";
  return {
    version: 8,
    // No `glyphs`: letters are drawn from the reader's own fonts, as those of the page are.
    sources: {
      ...sources(told, base),
      cases: { type: "vector", tiles: tiles(filter), maxzoom: DEEPEST },
    },
    layers: layers(look, told.language, base ? base.layers(look, told.language) : [], heat),
  };
}

/** Draws the map. Fails where the browser cannot. */
export async function draw(container: HTMLElement, told: Told, start: Start): Promise<Drawing> {
  let filter = start.filter;
  const base = told.basemap ? await basemap() : null;
  const words = (key: string): string => say(told.words, key);
  const map = frame(container, told, style(told, base, filter), base !== null, start.bounds);
  map.once("idle", () => {
    performance.mark("map-idle");
    container.dataset["idle"] = "";
  });
  // Hidden, or on paper, the map has another size or none, and that is no move of the reader's.
  const isSeen = (): boolean => container.clientWidth > 0 && !window.matchMedia("print").matches;
  let part = start.bounds;
  map.on("moveend", () => {
    if (isSeen()) start.moved();
  });
  open(map, told);
  warm(map);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => map.setStyle(style(told, base, filter)));
  onPaper(map);
  let marker: Marker | undefined;
  return {
    bounds: () => {
      if (isSeen()) part = shown(map, told.bounds);
      return part;
    },
    go: (bounds) => {
      map.fitBounds(bounds, { padding: MARGIN, maxZoom: NEAR, animate: false });
    },
    here: (lon, lat) => {
      marker ??= new Marker({ color: colours().accent });
      marker.setLngLat([lon, lat]).setPopup(new Popup().setText(words("map-near-here"))).addTo(map);
      map.jumpTo({ center: [lon, lat], zoom: NEAR });
    },
    show: (wanted) => {
      const was = filter.get("view");
      filter = wanted;
      if (was !== filter.get("view")) map.setStyle(style(told, base, filter));
      else map.getSource<VectorTileSource>("cases")?.setTiles(tiles(filter));
    },
    resize: () => {
      map.resize();
    },
  };
}

function shown(map: GlMap, whole: Bounds | null): Bounds | null {
  const bounds = map.getBounds();
  if (whole && covers(bounds, whole)) return null;
  const within = (value: number, most: number): number => Math.max(-most, Math.min(most, value));
  return [
    within(bounds.getWest(), 180),
    within(bounds.getSouth(), 90),
    within(bounds.getEast(), 180),
    within(bounds.getNorth(), 90),
  ];
}

function covers(outer: LngLatBounds, [west, south, east, north]: Bounds): boolean {
  return outer.contains([west, south]) && outer.contains([east, north]);
}

// ---- clicks ---------------------------------------------------------------------------------------------------------

function open(map: GlMap, told: Told): void {
  const layer = "cases";
  map.on("click", layer, (event: MapLayerMouseEvent) => {
    const feature = event.features?.[0];
    if (feature?.geometry.type !== "Point") return;
    const at = feature.geometry.coordinates as [number, number];
    const isOne = feature.properties["number"] !== undefined;
    if (!isOne && map.getZoom() < DEEPEST) {
      map.easeTo({ center: at, zoom: Math.min(map.getZoom() + 2, DEEPEST + 1) });
      return;
    }
    new Popup({ maxWidth: "18rem" })
      .setLngLat(at)
      .setDOMContent(isOne ? card(feature, told) : crowd(feature, told))
      .addTo(map);
  });
  for (const [event, cursor] of [
    ["mouseenter", "pointer"],
    ["mouseleave", ""],
  ] as const) {
    map.on(event, layer, () => {
      map.getCanvas().style.cursor = cursor;
    });
  }
}

function paragraph(text: string, kind = ""): HTMLParagraphElement {
  const made = document.createElement("p");
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

/** The name of a service, as the form has it. */
function serviceName(code: string): string {
  const options = (element("service") as HTMLSelectElement).options;
  return [...options].find((one) => one.value === code)?.text ?? code;
}

/** What a click on a single case shows. */
function card(feature: MapGeoJSONFeature, told: Told): HTMLElement {
  const { number, service, step, from } = feature.properties as Record<string, string | number>;
  const made = document.createElement("div");
  const reported = new Date(Number(from) * 1000);
  const locale = told.language === "zh" ? "zh-Hans" : "en-GB";
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(reported);
  const link = document.createElement("a");
  link.href = `/cases/${number}`;
  link.textContent = serviceName(`${service}`);
  const title = document.createElement("p");
  title.className = "line-title";
  title.append(link);
  made.append(
    title,
    paragraph(say(told.words, `step-${step}`), step === "closed" ? "tag" : "tag is-open"),
    paragraph(
      `${say(told.words, "map-number", { x: `${number}` })} · ${say(told.words, "map-reported", { x: date })}`,
      "meta",
    ),
  );
  return made;
}

/** What a click shows on cases that lie so close that they never come apart. */
function crowd(feature: MapGeoJSONFeature, told: Told): HTMLElement {
  const made = document.createElement("div");
  const { n, open: some } = feature.properties as Record<string, number>;
  made.append(
    paragraph(say(told.words, "map-cluster", { n: `${n}` }), "line-title"),
    paragraph(say(told.words, "map-cluster-open", { n: `${some}` }), "meta"),
  );
  const link = document.createElement("a");
  link.href = "#list";
  link.textContent = element("list-title").textContent;
  made.append(link);
  return made;
}

// ---- heat -------------------------------------------------------------------------------------------------------------

/** What is hot is said beside what is shown: fifty cases are many in a village and few in a city. */
function warm(map: GlMap): void {
  let most = 0;
  map.on("idle", () => {
    if (map.getLayer("cases")?.type !== "heatmap") {
      most = 0;
      return;
    }
    const squares = map.querySourceFeatures("cases", { sourceLayer: "cases" });
    const now = squares.reduce((sofar, one) => Math.max(sofar, Number(one.properties["n"])), 1);
    if (now === most) return;
    most = now;
    map.setPaintProperty("cases", "heatmap-weight", weight(most));
  });
}

// ---- paper ------------------------------------------------------------------------------------------------------------

/** A canvas is empty on paper unless it is drawn in that moment: a picture of it is printed in its place. */
function onPaper(map: GlMap): void {
  const picture = document.createElement("img");
  picture.className = "map-paper";
  picture.alt = "";
  map.getContainer().after(picture);
  window.addEventListener("beforeprint", () => {
    map.redraw();
    picture.src = map.getCanvas().toDataURL("image/png");
  });
}
