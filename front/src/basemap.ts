// The basemap: one PMTiles file on the server of the page, of which the browser asks for the pieces that it shows. Vector
// tiles in the layers of OpenMapTiles or Protomaps are drawn in the pages' colours; pictures are shown as they are.

import { addProtocol, type LayerSpecification, type SourceSpecification } from "maplibre-gl";
import { PMTiles, Protocol, TileType } from "pmtiles";
import type { Colours } from "./look";

export interface Base {
  source: SourceSpecification;
  layers: (look: Colours, language: "zh" | "en") => LayerSpecification[];
}

interface Metadata {
  attribution?: string;
  vector_layers?: { id: string }[];
  /** Where tilemaker puts what is its own. */
  json?: string;
}

/** Whose the data is of a file that does not say: both schemas that are drawn here are made of OpenStreetMap's. */
const OPENSTREETMAP = '<a href="https://www.openstreetmap.org/copyright">© OpenStreetMap contributors</a>';

/** Kinds of layers by their names in both schemas, in the order in which they are drawn. */
const FILLS: [RegExp, keyof Colours, number][] = [
  [/^(landcover|landuse|park|earth)$/, "ground2", 0.6],
  [/^(water|ocean)$/, "accentSoft", 1],
  [/^buildings?$/, "line", 0.6],
];
const WATERWAYS = /^(waterway|physical_line)$/;
const ROADS = /^(transportation|roads?)$/;
const PLACES = /^places?$/;

/** Opens the server's file; none when it cannot be read, so that the map is drawn on the grid alone. */
export async function basemap(): Promise<Base | null> {
  const address = `${location.origin}/map/base.pmtiles`;
  const archive = new PMTiles(address);
  try {
    const [header, metadata] = await Promise.all([archive.getHeader(), archive.getMetadata() as Promise<Metadata>]);
    const protocol = new Protocol({ metadata: true });
    protocol.add(archive);
    addProtocol("pmtiles", protocol.tile);
    const url = `pmtiles://${address}`;
    if (header.tileType !== TileType.Mvt) {
      return {
        source: { type: "raster", url, tileSize: 256 },
        layers: () => [{ id: "base", type: "raster", source: "base" }],
      };
    }
    const more = metadata.json ? (JSON.parse(metadata.json) as Metadata) : {};
    const names = (metadata.vector_layers ?? more.vector_layers ?? []).map((layer) => layer.id);
    return {
      source: { type: "vector", url, ...(metadata.attribution ? {} : { attribution: OPENSTREETMAP }) },
      layers: (look, language) => drawn(names, look, language),
    };
  } catch (error) {
    console.warn(error);
    return null;
  }
}

function drawn(names: string[], look: Colours, language: "zh" | "en"): LayerSpecification[] {
  const of = (pattern: RegExp): string[] => names.filter((name) => pattern.test(name));
  const common = (name: string): { id: string; source: string; "source-layer": string } => ({
    id: `base-${name}`,
    source: "base",
    "source-layer": name,
  });
  const all: LayerSpecification[] = [{ id: "base-ground", type: "background", paint: { "background-color": look.ground } }];
  for (const [pattern, colour, opacity] of FILLS) {
    for (const name of of(pattern)) {
      all.push({
        ...common(name),
        type: "fill",
        filter: ["==", ["geometry-type"], "Polygon"],
        paint: { "fill-color": look[colour], "fill-opacity": opacity },
      });
    }
  }
  for (const name of of(WATERWAYS)) {
    all.push({ ...common(name), type: "line", paint: { "line-color": look.accentSoft, "line-width": 1.5 } });
  }
  for (const name of of(ROADS)) {
    all.push({
      ...common(name),
      type: "line",
      filter: ["==", ["geometry-type"], "LineString"],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: {
        "line-color": look.line,
        "line-width": ["interpolate", ["exponential", 1.5], ["zoom"], 8, 0.4, 14, 1.6, 18, 8],
      },
    });
  }
  for (const name of of(PLACES)) {
    all.push({
      ...common(name),
      type: "symbol",
      layout: {
        "text-field": ["coalesce", ["get", `name:${language}`], ["get", "name"], ["get", "name:latin"]],
        "text-font": ["sans-serif"],
        "text-size": 12,
      },
      paint: { "text-color": look.soft, "text-halo-color": look.ground, "text-halo-width": 1.5 },
    });
  }
  return all;
}
