//! The grid of a place as vector tiles: each area's polygon, level by level, and a point for its name.
//!
//! Neighbours share their borders vertex for vertex, so borders are thinned by what depends on a vertex alone: it is put onto a
//! raster as coarse as the picture allows, and those that fall together become one. An algorithm that looks along a line
//! (Douglas and Peucker's) begins at another vertex in each of two neighbours, and leaves slits between them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use bytes::Bytes;
use fast_mvt::{MvtCoord, MvtGeomType, MvtLayerBuilder, MvtResult, MvtTileBuilder};
use geo::{BooleanOps, BoundingRect, Coord, LineString, MultiPolygon, Polygon, Rect};
use whistle_domain::{
    geometry::{self, Point},
    place::{Area, Level, Place},
    tile::{EXTENT, MAX_ZOOM, Tile, project},
    words::Lang,
};

/// The most bytes of a tile.
pub(crate) const MAX_BYTES: usize = 500_000;

/// How far an area is drawn beyond the edge of its tile, in units of the tile, so that no border is drawn along the edge.
const BUFFER: f64 = 64.0;

/// The raster of vertices, in units of a tile: half a pixel of a tile that is shown 512 pixels wide.
const RASTER: f64 = 4.0;

/// A level is drawn once its areas are about so many pixels wide.
const SEEN: f64 = 24.0;

/// Pixels of a tile's side.
const PIXELS: f64 = 512.0;

/// The most bytes of finished tiles that are held for a place; when there are more, all are forgotten.
const MAX_HELD: usize = 16 << 20;

/// Places whose drawings are held.
const MAX_DRAWINGS: usize = 16;

/// The grids of places, ready to be cut into tiles.
#[derive(Default)]
pub(crate) struct Drawings(Mutex<Vec<Arc<Drawing>>>);

impl Drawings {
    /// The drawing of a place in the version that is given.
    pub(crate) fn of(&self, place: &Arc<Place>) -> Arc<Drawing> {
        let held = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of = |drawing: &Arc<Drawing>| std::ptr::eq(drawing.place.as_ptr(), Arc::as_ptr(place));
        if let Some(known) = held().iter().find(|drawing| is_of(drawing)) {
            return known.clone();
        }
        // Two may draw the same at once: that costs less than to let others wait.
        let drawn = Arc::new(Drawing::new(place));
        let mut all = held();
        // Who holds a place weakly keeps its address from being another's.
        all.retain(|drawing| drawing.place.strong_count() > 0 && !is_of(drawing));
        if all.len() >= MAX_DRAWINGS {
            all.remove(0);
        }
        all.push(drawn.clone());
        drawn
    }
}

/// A place's grid on the plane of the map.
pub(crate) struct Drawing {
    place: Weak<Place>,
    areas: Vec<Drawn>,
    /// How wide the areas of each level are on average, as shares of the plane.
    widths: [f64; Level::ALL.len()],
    version: String,
    tiles: Mutex<(HashMap<Tile, Bytes>, usize)>,
}

struct Drawn {
    code: String,
    level: Level,
    names: [String; 2],
    label: [f64; 2],
    rect: Rect,
    shape: MultiPolygon,
}

impl Drawing {
    fn new(place: &Arc<Place>) -> Self {
        let mut hash = std::hash::DefaultHasher::new();
        let mut areas = Vec::new();
        let mut widths = [(0.0, 0.0); Level::ALL.len()];
        for area in place.areas.all() {
            let Some(drawn) = Drawn::of(area) else { continue };
            drawn.identify(&mut hash);
            let (sum, count) = &mut widths[area.level.depth()];
            *sum += drawn.rect.width().max(drawn.rect.height());
            *count += 1.0;
            areas.push(drawn);
        }
        Self {
            place: Arc::downgrade(place),
            areas,
            widths: widths.map(|(sum, count)| if count > 0.0 { sum / count } else { 0.0 }),
            version: format!("{:016x}", std::hash::Hasher::finish(&hash)),
            tiles: Mutex::default(),
        }
    }

    /// What changes when a tile may: the same in every process of this release.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// A tile, made or remembered. Empty where the place is not.
    pub(crate) fn tile(&self, tile: Tile) -> MvtResult<Bytes> {
        let held = || self.tiles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = held().0.get(&tile) {
            return Ok(known.clone());
        }
        let bytes = Bytes::from(self.fitting(tile, MAX_BYTES)?);
        let mut tiles = held();
        if tiles.1 + bytes.len() > MAX_HELD {
            *tiles = Default::default();
        }
        tiles.1 += bytes.len();
        tiles.0.insert(tile, bytes.clone());
        Ok(bytes)
    }

    /// The tile, as fine as it can be in so many bytes: first its borders grow coarser, then its lowest levels go.
    fn fitting(&self, tile: Tile, most: usize) -> MvtResult<Vec<u8>> {
        const COARSER: [f64; 3] = [RASTER, 4.0 * RASTER, 16.0 * RASTER];
        for deepest in Level::ALL.into_iter().rev() {
            for raster in COARSER {
                let bytes = self.cut(tile, raster, deepest)?;
                if bytes.len() <= most {
                    return Ok(bytes);
                }
            }
        }
        Ok(Vec::new())
    }

    /// Whether the areas of a level are wide enough to be seen at a zoom.
    fn is_seen(&self, level: Level, zoom: u8) -> bool {
        let pixels = self.widths[level.depth()] * PIXELS * f64::from(1_u32 << zoom.min(MAX_ZOOM));
        level == Level::City || pixels >= SEEN
    }

    fn cut(&self, tile: Tile, raster: f64, deepest: Level) -> MvtResult<Vec<u8>> {
        let side = f64::from(EXTENT);
        let frame = Rect::new(
            Coord {
                x: -BUFFER,
                y: -BUFFER,
            },
            Coord {
                x: side + BUFFER,
                y: side + BUFFER,
            },
        );
        let seen = |area: &&Drawn| area.level <= deepest && self.is_seen(area.level, tile.zoom());
        let mut layer = MvtTileBuilder::new().layer("areas")?;
        for area in self.areas.iter().filter(seen) {
            let corner = |at: Coord| Coord::from(tile.units([at.x, at.y]));
            let rect = Rect::new(corner(area.rect.min()), corner(area.rect.max()));
            if !touch(&rect, &frame) {
                continue;
            }
            let shape = thinned(&area.shape, tile, raster);
            let shape = if holds(&frame, &rect) {
                shape
            } else {
                shape.intersection(&frame.to_polygon())
            };
            layer = add_area(layer, area, &shape)?;
        }
        let mut layer = layer.layer("names")?;
        for area in self.areas.iter().filter(seen) {
            let [x, y] = tile.units(area.label);
            // Each name is in one tile only.
            if (0.0..side).contains(&x) && (0.0..side).contains(&y) {
                let mut feature = layer.feature_of(MvtGeomType::Point);
                feature.points([MvtCoord {
                    x: x as i32,
                    y: y as i32,
                }])?;
                area.tag(&mut feature)?;
                layer = feature.end();
            }
        }
        if layer.num_features() == 0 {
            let tile = layer.end();
            // Two layers without features are no tile worth sending.
            return Ok(if tile.encoded_len() < 64 {
                Vec::new()
            } else {
                tile.encode()
            });
        }
        Ok(layer.encode())
    }
}

impl Drawn {
    fn of(area: &Area) -> Option<Self> {
        let ring = |ring: &[geometry::Vertex]| -> LineString {
            let place = |&[lon, lat]: &geometry::Vertex| Coord::from(project(Point { lon, lat }));
            ring.iter().map(place).collect()
        };
        let polygon = |polygon: &geometry::Polygon| {
            let holes = polygon.holes().iter().map(|hole| ring(hole)).collect();
            Polygon::new(ring(polygon.exterior()), holes)
        };
        let shape: MultiPolygon = area.shape.polygons().iter().map(polygon).collect();
        Some(Self {
            code: area.code.to_string(),
            level: area.level,
            names: [Lang::Zh, Lang::En].map(|lang| area.name.get(lang).to_owned()),
            label: project(area.shape.inside_point()),
            rect: shape.bounding_rect()?,
            shape,
        })
    }

    fn identify(&self, hash: &mut impl std::hash::Hasher) {
        use std::hash::Hash;
        (&self.code, &self.names).hash(hash);
        for polygon in &self.shape {
            let rings = polygon.interiors().iter().chain([polygon.exterior()]);
            for at in rings.flat_map(|ring| &ring.0) {
                (at.x.to_bits(), at.y.to_bits()).hash(hash);
            }
        }
    }

    fn tag(&self, feature: &mut fast_mvt::MvtFeatureBuilder) -> MvtResult<()> {
        feature.tag("code", self.code.as_str())?;
        feature.tag("level", self.level.as_str())?;
        feature.tag("zh", self.names[0].as_str())?;
        feature.tag("en", self.names[1].as_str())?;
        Ok(())
    }
}

fn add_area(layer: MvtLayerBuilder, area: &Drawn, shape: &MultiPolygon) -> MvtResult<MvtLayerBuilder> {
    let coords = |ring: &LineString| -> Vec<MvtCoord> {
        let mut coords: Vec<MvtCoord> = ring
            .coords()
            .map(|at| MvtCoord {
                x: at.x.round() as i32,
                y: at.y.round() as i32,
            })
            .collect();
        coords.dedup();
        coords
    };
    // A ring has its first coordinate at its end again.
    let encloses = |ring: &Vec<MvtCoord>| ring.len() >= 4;
    let polygons: Vec<Vec<Vec<MvtCoord>>> = shape
        .iter()
        .map(|polygon| {
            let exterior = coords(polygon.exterior());
            let holes = polygon.interiors().iter().map(coords);
            std::iter::once(exterior).chain(holes).collect()
        })
        .filter(|rings: &Vec<Vec<MvtCoord>>| encloses(&rings[0]))
        .collect();
    if polygons.is_empty() {
        return Ok(layer);
    }
    let mut feature = layer.feature_of(MvtGeomType::Polygon);
    for rings in polygons {
        for (i, ring) in rings.into_iter().enumerate() {
            if encloses(&ring) {
                feature.ring(ring, i == 0)?;
            }
        }
    }
    area.tag(&mut feature)?;
    Ok(feature.end())
}

/// The shape in units of a tile, its vertices on a raster, each once.
fn thinned(shape: &MultiPolygon, tile: Tile, raster: f64) -> MultiPolygon {
    let ring = |ring: &LineString| -> LineString {
        let on_raster = |value: f64| (value / raster).round() * raster;
        let units = ring.coords().map(|at| tile.units([at.x, at.y]).map(on_raster));
        let mut coords: Vec<Coord> = units.map(Coord::from).collect();
        coords.dedup();
        LineString::new(coords)
    };
    let polygon = |polygon: &Polygon| {
        let exterior = ring(polygon.exterior());
        // Three different vertices, and the first one again.
        let encloses = |ring: &LineString| ring.0.len() >= 4;
        let holes = polygon.interiors().iter().map(ring).filter(encloses).collect();
        encloses(&exterior).then(|| Polygon::new(exterior, holes))
    };
    shape.iter().filter_map(polygon).collect()
}

fn touch(one: &Rect, other: &Rect) -> bool {
    one.min().x <= other.max().x
        && other.min().x <= one.max().x
        && one.min().y <= other.max().y
        && other.min().y <= one.max().y
}

fn holds(outer: &Rect, inner: &Rect) -> bool {
    outer.min().x <= inner.min().x
        && inner.max().x <= outer.max().x
        && outer.min().y <= inner.min().y
        && inner.max().y <= outer.max().y
}

#[cfg(test)]
mod tests {
    use fast_mvt::{MvtGeometry, MvtReaderRef};
    use whistle_place::{Folder, compile};

    use super::*;

    fn village() -> Arc<Place> {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../place/tests/folders/village");
        let folder = Folder::read(std::path::Path::new(dir)).expect("a folder");
        Arc::new(compile(&folder, 1).expect("a place").place)
    }

    /// The tile of a zoom that holds the middle of the place.
    fn middle(place: &Place, zoom: u8) -> Tile {
        let [x, y] = project(place.areas.get(0).shape.inside_point());
        let tiles = f64::from(1_u32 << zoom);
        Tile::new(zoom, (x * tiles) as u32, (y * tiles) as u32).expect("a tile")
    }

    /// Codes of the areas of a tile with their bounds.
    fn read(bytes: &[u8], layer: &str) -> Vec<(String, MvtGeometry)> {
        let reader = MvtReaderRef::new(bytes).expect("a tile");
        let layer = reader.layers().find(|one| one.name() == layer);
        let features = layer.into_iter().flat_map(|layer| {
            let all: Vec<_> = layer
                .features()
                .map(|one| one.to_feature().expect("a feature"))
                .collect();
            all
        });
        features
            .map(|one| {
                let code = one.properties.iter().find(|(key, _)| key == "code");
                let code = code.map(|(_, value)| format!("{value:?}")).unwrap_or_default();
                (code, one.geometry)
            })
            .collect()
    }

    #[test]
    fn a_tile_of_the_whole_place_has_every_area_and_each_name_once() {
        let place = village();
        let drawing = Drawing::new(&place);
        for zoom in [10, 12] {
            let side = 1_u32 << zoom;
            let at = middle(&place, zoom);
            let [x0, y0] = project(place.areas.get(0).shape.inside_point())
                .map(|share| (share * f64::from(side)) as u32);
            assert_eq!(Tile::new(zoom, x0, y0), Some(at));
            let mut areas = std::collections::BTreeSet::new();
            let mut names = Vec::new();
            for x in x0.saturating_sub(40)..x0 + 40 {
                for y in y0.saturating_sub(40)..y0 + 40 {
                    let bytes = drawing.tile(Tile::new(zoom, x, y).unwrap()).unwrap();
                    areas.extend(read(&bytes, "areas").into_iter().map(|(code, _)| code));
                    names.extend(read(&bytes, "names").into_iter().map(|(code, _)| code));
                }
            }
            let seen = place
                .areas
                .all()
                .iter()
                .filter(|area| drawing.is_seen(area.level, zoom))
                .count();
            assert_eq!(areas.len(), seen, "zoom {zoom}");
            names.sort();
            assert_eq!(names, areas.into_iter().collect::<Vec<_>>(), "zoom {zoom}");
        }
    }

    #[test]
    fn nothing_is_drawn_further_beyond_the_edge_than_the_buffer() {
        let place = village();
        let drawing = Drawing::new(&place);
        for zoom in [6, 11, 14, 17] {
            let bytes = drawing.tile(middle(&place, zoom)).unwrap();
            let areas = read(&bytes, "areas");
            assert!(!areas.is_empty(), "zoom {zoom}");
            for (code, shape) in areas {
                let rect = shape.bounding_rect().expect("a shape");
                let edge = BUFFER as i32 + RASTER as i32;
                assert!(
                    rect.min().x >= -edge && rect.max().y <= EXTENT as i32 + edge,
                    "{code} at zoom {zoom}: {rect:?}"
                );
            }
        }
    }

    #[test]
    fn a_tile_that_would_be_too_large_grows_coarser_until_it_fits() {
        let place = village();
        let drawing = Drawing::new(&place);
        let tile = middle(&place, 9);
        let whole = drawing.fitting(tile, MAX_BYTES).unwrap();
        let less = drawing.fitting(tile, whole.len() - 1).unwrap();
        assert!(less.len() < whole.len() && !less.is_empty());
        assert!(drawing.fitting(tile, 1).unwrap().is_empty());
    }

    #[test]
    fn where_the_place_is_not_a_tile_is_empty_and_the_version_stays_the_same() {
        let place = village();
        let drawing = Drawing::new(&place);
        assert!(drawing.tile(Tile::new(8, 0, 0).unwrap()).unwrap().is_empty());
        assert_eq!(drawing.version(), Drawing::new(&village()).version());
    }
}
