// What every map of the place stands on: the grid and the basemap as sources, and a frame with its controls and words.

import "maplibre-gl/dist/maplibre-gl.css";
import "./ground.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import {
  AttributionControl,
  Map as GlMap,
  NavigationControl,
  ScaleControl,
  type SourceSpecification,
  type StyleSpecification,
  setWorkerUrl,
} from "maplibre-gl";
import type { Base } from "./basemap";
import { type Bounds, type Told, say } from "./told";

/** How near "near me" is. */
export const NEAR = 16;

export const MARGIN = 24;

/** The grid, and the basemap where there is one. */
export function sources(told: Told, base: Base | null): Record<string, SourceSpecification> {
  return {
    ...(base ? { base: base.source } : {}),
    grid: {
      type: "vector",
      tiles: [`${location.origin}/map/tiles/grid/{z}/{x}/{y}.mvt?v=${told.grid}`],
      maxzoom: 16,
      ...(told.bounds ? { bounds: told.bounds } : {}),
    },
  };
}

/** Makes a map. Fails where the browser cannot. */
export function frame(
  container: HTMLElement,
  told: Told,
  style: StyleSpecification,
  hasBase: boolean,
  bounds: Bounds | null,
): GlMap {
  if (!document.createElement("canvas").getContext("webgl2")) throw new Error("this browser has no WebGL 2");
  setWorkerUrl(workerUrl);
  const words = (key: string): string => say(told.words, key);
  const map = new GlMap({
    container,
    style,
    ...(bounds ? { bounds, fitBoundsOptions: { padding: MARGIN, maxZoom: NEAR } } : {}),
    minZoom: 2,
    maxZoom: 20,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    renderWorldCopies: false,
    attributionControl: false,
    fadeDuration: 0,
    locale: {
      "Map.Title": words("map-keys"),
      "NavigationControl.ZoomIn": words("map-zoom-in"),
      "NavigationControl.ZoomOut": words("map-zoom-out"),
      "AttributionControl.ToggleAttribution": words("map-attribution"),
      "AttributionControl.MapFeedback": words("map-attribution"),
      "Popup.Close": words("map-close"),
      "Marker.Title": words("map-marker"),
    },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-left");
  // What is drawn from the place's own grid needs no thanks; what is drawn from others' work says whose it is, always.
  if (hasBase) map.addControl(new AttributionControl({ compact: false }), "bottom-right");
  map.on("error", ({ error }) => {
    console.warn(error);
  });
  return map;
}
