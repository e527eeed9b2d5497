//! Tiles of a web map: squares of the Mercator plane, four of which make one of the zoom above.
//!
//! A place on that plane is a [`Key`]: the bits of both coordinates in turns, so that all places of a tile, at any zoom,
//! are one unbroken run of keys. Sorted keys therefore answer "what is in this tile" with two searches, and "what lies close
//! together in it" by their first bits. Knows no case and no format of tiles.

use std::ops::RangeInclusive;

use crate::geometry::{BBox, Point, spread_bits};

/// The deepest zoom that is spoken of: a tile of it is a room.
pub const MAX_ZOOM: u8 = 24;

/// Units along the side of a tile, as vector tiles count.
pub const EXTENT: u32 = 4096;

/// Bits of each of the two coordinates of a [`Key`]: one centimetre at the equator.
const BITS: u32 = 32;

/// The latitude at which the plane ends, so that it is a square.
const LAST_LATITUDE: f64 = 85.051_128_779_806_59;

/// A square of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tile {
    zoom: u8,
    x: u32,
    y: u32,
}

/// A place on the plane; see the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u64);

/// Where a point lies on the plane: 0 to 1 from the west, 0 to 1 from the north.
pub fn project(point: Point) -> [f64; 2] {
    let latitude = point.lat.clamp(-LAST_LATITUDE, LAST_LATITUDE).to_radians();
    let north = latitude.tan().asinh() / std::f64::consts::PI;
    [
        (point.lon + 180.0) / 360.0,
        f64::midpoint(1.0, -north).clamp(0.0, 1.0),
    ]
}

/// The point at a place of the plane: the inverse of [`project`].
fn unproject([x, y]: [f64; 2]) -> Point {
    let north = (std::f64::consts::PI * (1.0 - 2.0 * y))
        .sinh()
        .atan()
        .to_degrees();
    Point {
        lon: (x * 360.0 - 180.0).clamp(-180.0, 180.0),
        lat: north.clamp(-90.0, 90.0),
    }
}

impl Tile {
    /// The tile at a zoom, counted from the west and the north; none where there is no such tile.
    pub fn new(zoom: u8, x: u32, y: u32) -> Option<Self> {
        let exists = zoom <= MAX_ZOOM && x < 1 << zoom && y < 1 << zoom;
        exists.then_some(Self { zoom, x, y })
    }

    /// How deep it is: 0 is the whole world.
    pub const fn zoom(self) -> u8 {
        self.zoom
    }

    /// The keys of all places in it.
    pub fn keys(self) -> RangeInclusive<Key> {
        let shift = BITS - u32::from(self.zoom);
        let first = if shift == BITS {
            0
        } else {
            interleaved(self.x << shift, self.y << shift)
        };
        // Of all zooms but the first, which holds every key.
        let rest = 1_u64.checked_shl(2 * shift).map_or(u64::MAX, |size| size - 1);
        Key(first)..=Key(first + rest)
    }

    /// Where a place of the plane lies in the tile, in units of [`EXTENT`] from its north-western corner; outside of 0 to that
    /// where it lies in another tile.
    pub fn units(self, [x, y]: [f64; 2]) -> [f64; 2] {
        let tiles = f64::from(1_u32 << self.zoom);
        let along = |share: f64, tile: u32| (share * tiles - f64::from(tile)) * f64::from(EXTENT);
        [along(x, self.x), along(y, self.y)]
    }

    /// The places of the earth in it.
    pub fn bbox(self) -> BBox {
        let tiles = f64::from(1_u32 << self.zoom);
        let corner = |x: u32, y: u32| unproject([f64::from(x) / tiles, f64::from(y) / tiles]);
        let (north_west, south_east) = (corner(self.x, self.y), corner(self.x + 1, self.y + 1));
        BBox {
            west: north_west.lon,
            south: south_east.lat,
            east: south_east.lon,
            north: north_west.lat,
        }
    }
}

impl Key {
    /// The key of a point.
    pub fn of(point: Point) -> Self {
        const STEPS: f64 = (1_u64 << BITS) as f64;
        // `as` sends what is beyond the last step to it.
        let [column, row] = project(point).map(|share| (share * STEPS) as u32);
        Self(interleaved(column, row))
    }

    /// What it shares with all that lie in the same tile of a zoom, and with none outside it.
    pub fn prefix(self, zoom: u8) -> u64 {
        let bits = 2 * (BITS - u32::from(zoom.min(BITS as u8)));
        self.0.checked_shr(bits).unwrap_or(0)
    }

    /// Its place on the plane.
    pub fn place(self) -> [f64; 2] {
        const STEPS: f64 = (1_u64 << BITS) as f64;
        // The middle of its step.
        [gathered(self.0), gathered(self.0 >> 1)].map(|step| (f64::from(step) + 0.5) / STEPS)
    }

    /// Its point.
    pub fn point(self) -> Point {
        unproject(self.place())
    }
}

fn interleaved(column: u32, row: u32) -> u64 {
    spread_bits(column) | spread_bits(row) << 1
}

/// Every other bit, from the lowest on.
pub(crate) fn gathered(bits: u64) -> u32 {
    let mut bits = bits & 0x5555_5555_5555_5555;
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333;
    bits = (bits | bits >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits >> 4) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits >> 8) & 0x0000_ffff_0000_ffff;
    (bits | bits >> 16) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_point() -> impl Strategy<Value = Point> {
        (-180.0..180.0, -85.0..85.0).prop_map(|(lon, lat)| Point { lon, lat })
    }

    /// The tile of a zoom that holds a key.
    fn tile_of(key: Key, zoom: u8) -> Tile {
        let prefix = key.prefix(zoom);
        Tile::new(zoom, gathered(prefix), gathered(prefix >> 1)).unwrap()
    }

    #[test]
    fn tiles_are_numbered_as_on_every_web_map() {
        // Beijing's Tian'anmen, by the formula of OpenStreetMap's wiki.
        let key = Key::of(Point::new(116.3975, 39.9087).unwrap());
        assert_eq!(tile_of(key, 10), Tile::new(10, 843, 388).unwrap());
        assert_eq!(tile_of(key, 16), Tile::new(16, 53957, 24832).unwrap());
    }

    #[test]
    fn there_is_one_tile_at_zoom_0_and_none_beyond_the_edge() {
        let world = Tile::new(0, 0, 0).unwrap();
        assert_eq!(world.keys(), Key(0)..=Key(u64::MAX));
        assert_eq!(
            (Tile::new(0, 1, 0), Tile::new(3, 0, 8), Tile::new(25, 0, 0)),
            (None, None, None)
        );
        assert!(world.bbox().north > 85.0 && world.bbox().west <= -180.0);
    }

    proptest! {
        #[test]
        fn a_point_is_in_the_run_of_keys_of_its_tile_at_every_zoom(point in any_point(), zoom in 0..=MAX_ZOOM) {
            let key = Key::of(point);
            let tile = tile_of(key, zoom);
            prop_assert!(tile.keys().contains(&key));
            let bbox = tile.bbox();
            let grown = BBox { west: bbox.west - 1e-6, south: bbox.south - 1e-6, east: bbox.east + 1e-6, north: bbox.north + 1e-6 };
            prop_assert!(grown.contains(point), "{bbox:?} {point:?}");
            let [x, y] = tile.units(project(point));
            prop_assert!((-0.5..=4096.5).contains(&x) && (-0.5..=4096.5).contains(&y), "{x} {y}");
        }

        #[test]
        fn a_key_leads_back_to_its_point(point in any_point()) {
            prop_assert!(Key::of(point).point().distance_metres(&point) < 0.02);
        }
    }
}
