//! Places on the earth: points, boxes, shapes, and the one-column key by which rows near a point are found.
//!
//! Everything is WGS 84, longitude before latitude, in degrees, as in GeoJSON. Distances and areas are in
//! metres and square metres on a sphere, which is within 0.6 % of the ellipsoid: good for "who is near", not
//! for a land register. This module knows nothing of areas, cases or storage. How a point finds its area
//! among many is [`crate::grid`].

#![allow(
    clippy::float_cmp,
    reason = "a ring's vertices are the same or not; nothing is computed"
)]

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::tile::gathered;

/// Mean radius of the earth in metres (IUGG).
const EARTH_RADIUS: f64 = 6_371_008.8;

/// A place that cannot be: the sentence says what was given and, where it can, what would be right.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PointError {
    #[error("a point needs two finite numbers, not longitude {lon:?} and latitude {lat:?}")]
    NotFinite { lon: f64, lat: f64 },
    #[error(
        "latitude {lat:?} is outside -90 to 90; longitude comes first, so write longitude {lat:?}, latitude {lon:?}"
    )]
    Swapped { lon: f64, lat: f64 },
    #[error("longitude {0:?} is outside -180 to 180 (degrees, WGS 84)")]
    Longitude(f64),
    #[error("latitude {0:?} is outside -90 to 90 (degrees, WGS 84)")]
    Latitude(f64),
}

/// A place on the earth, in degrees of WGS 84. Values from outside come in by [`Point::new`] or serde, which
/// both check.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedPoint")]
pub struct Point {
    /// Degrees east, -180 to 180.
    pub lon: f64,
    /// Degrees north, -90 to 90.
    pub lat: f64,
}

#[derive(Deserialize)]
struct UncheckedPoint {
    lon: f64,
    lat: f64,
}

impl TryFrom<UncheckedPoint> for Point {
    type Error = PointError;

    fn try_from(raw: UncheckedPoint) -> Result<Self, PointError> {
        Self::new(raw.lon, raw.lat)
    }
}

impl Point {
    /// Refuses what is no place on earth, and says so when the two numbers look swapped.
    pub fn new(lon: f64, lat: f64) -> Result<Self, PointError> {
        if !lon.is_finite() || !lat.is_finite() {
            return Err(PointError::NotFinite { lon, lat });
        }
        if lon.abs() > 180.0 {
            return Err(PointError::Longitude(lon));
        }
        if lat.abs() > 90.0 {
            let fits_swapped = lat.abs() <= 180.0 && lon.abs() <= 90.0;
            return Err(if fits_swapped {
                PointError::Swapped { lon, lat }
            } else {
                PointError::Latitude(lat)
            });
        }
        Ok(Self { lon, lat })
    }

    /// Great-circle distance in metres (haversine).
    pub fn distance_metres(&self, other: &Self) -> f64 {
        let (north, other_north) = (self.lat.to_radians(), other.lat.to_radians());
        let half_north = (other_north - north) / 2.0;
        let half_east = (other.lon - self.lon).to_radians() / 2.0;
        let haversine = half_north.sin().powi(2) + north.cos() * other_north.cos() * half_east.sin().powi(2);
        2.0 * EARTH_RADIUS * haversine.sqrt().min(1.0).asin()
    }
}

/// A box between two meridians and two parallels, edges included. It never crosses the antimeridian.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 4]", into = "[f64; 4]")]
pub struct BBox {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

/// Why four numbers are no box.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum BBoxError {
    #[error("a corner of the box is no place: {0}")]
    Corner(#[from] PointError),
    #[error(
        "a box is west, south, east, north; {west}, {south}, {east}, {north} is upside down or crosses 180°"
    )]
    Order {
        west: f64,
        south: f64,
        east: f64,
        north: f64,
    },
}

impl TryFrom<[f64; 4]> for BBox {
    type Error = BBoxError;

    fn try_from([west, south, east, north]: [f64; 4]) -> Result<Self, BBoxError> {
        Self::new(west, south, east, north)
    }
}

impl From<BBox> for [f64; 4] {
    /// West, south, east, north: the order of GeoJSON's `bbox`.
    fn from(bbox: BBox) -> Self {
        [bbox.west, bbox.south, bbox.east, bbox.north]
    }
}

impl BBox {
    /// Degrees, in GeoJSON's order. Refuses corners that are no places, and a box that is upside down.
    pub fn new(west: f64, south: f64, east: f64, north: f64) -> Result<Self, BBoxError> {
        Point::new(west, south)?;
        Point::new(east, north)?;
        if west > east || south > north {
            return Err(BBoxError::Order {
                west,
                south,
                east,
                north,
            });
        }
        Ok(Self {
            west,
            south,
            east,
            north,
        })
    }

    /// The smallest box that holds every place within `radius` metres of `centre`.
    ///
    /// A radius that reaches a pole takes in every longitude. At the antimeridian the box ends: what lies
    /// beyond is not in it, since no place that runs this service straddles it.
    pub fn around(centre: Point, radius: f64) -> Self {
        /// A tenth of a millimetre, so that rounding loses no place that lies at exactly `radius`.
        const MARGIN: f64 = 1e-9;
        let angle = (radius.max(0.0) / EARTH_RADIUS).min(std::f64::consts::PI);
        let (south, north) = (centre.lat - angle.to_degrees(), centre.lat + angle.to_degrees());
        let half_width = if south <= -90.0 || north >= 90.0 {
            360.0
        } else {
            (angle.sin() / centre.lat.to_radians().cos())
                .min(1.0)
                .asin()
                .to_degrees()
        };
        Self {
            west: (centre.lon - half_width - MARGIN).max(-180.0),
            south: (south - MARGIN).max(-90.0),
            east: (centre.lon + half_width + MARGIN).min(180.0),
            north: (north + MARGIN).min(90.0),
        }
    }

    /// Whether the point lies in the box or on its edge.
    pub fn contains(&self, point: Point) -> bool {
        self.west <= point.lon && point.lon <= self.east && self.south <= point.lat && point.lat <= self.north
    }

    /// Whether the two boxes have a place in common.
    pub fn intersects(&self, other: &Self) -> bool {
        self.west <= other.east
            && other.west <= self.east
            && self.south <= other.north
            && other.south <= self.north
    }

    /// The smallest box that holds both.
    pub fn union(&self, other: &Self) -> Self {
        Self {
            west: self.west.min(other.west),
            south: self.south.min(other.south),
            east: self.east.max(other.east),
            north: self.north.max(other.north),
        }
    }

    fn of_vertices<'a>(vertices: impl IntoIterator<Item = &'a Vertex>) -> Self {
        let nowhere = Self {
            west: 180.0,
            south: 90.0,
            east: -180.0,
            north: -90.0,
        };
        vertices.into_iter().fold(nowhere, |bbox, &[lon, lat]| {
            bbox.union(&Self {
                west: lon,
                south: lat,
                east: lon,
                north: lat,
            })
        })
    }
}

/// Longitude, latitude.
pub type Vertex = [f64; 2];

/// A closed line without its repeated last vertex; either direction.
pub type Ring = Vec<Vertex>;

/// Polygons, each its rings, outer ring first, rings closed: the `coordinates` of a GeoJSON MultiPolygon.
pub type Coordinates = Vec<Vec<Vec<Vertex>>>;

/// Why coordinates are no shape. Counting starts at 1, as people count.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ShapeError {
    #[error("the shape has no polygon")]
    NoPolygon,
    #[error("polygon {polygon} has no ring")]
    NoRing { polygon: usize },
    #[error(
        "polygon {polygon}, ring {ring}: {vertices} different vertices enclose nothing; three are the least"
    )]
    FewVertices {
        polygon: usize,
        ring: usize,
        vertices: usize,
    },
    #[error("polygon {polygon}, ring {ring}, vertex {vertex}: {reason}")]
    Vertex {
        polygon: usize,
        ring: usize,
        vertex: usize,
        reason: PointError,
    },
}

/// One outer ring less its holes.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    exterior: Ring,
    holes: Vec<Ring>,
}

/// The shape of an area: one polygon or more, each with or without holes.
///
/// Every vertex is a place on earth, every ring has three different vertices, there is at least one polygon.
/// That rings do not cross themselves is the import's to check; here they mean their even-odd inside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Coordinates", into = "Coordinates")]
pub struct MultiPolygon {
    polygons: Vec<Polygon>,
}

impl TryFrom<Coordinates> for MultiPolygon {
    type Error = ShapeError;

    fn try_from(coordinates: Coordinates) -> Result<Self, ShapeError> {
        Self::new(coordinates)
    }
}

impl From<MultiPolygon> for Coordinates {
    fn from(shape: MultiPolygon) -> Self {
        let close = |mut ring: Ring| {
            ring.push(ring[0]);
            ring
        };
        let rings = |polygon: Polygon| {
            std::iter::once(polygon.exterior)
                .chain(polygon.holes)
                .map(close)
                .collect::<Vec<_>>()
        };
        shape.polygons.into_iter().map(rings).collect()
    }
}

impl MultiPolygon {
    /// From GeoJSON coordinates; rings may be closed or left open.
    pub fn new(coordinates: Coordinates) -> Result<Self, ShapeError> {
        if coordinates.is_empty() {
            return Err(ShapeError::NoPolygon);
        }
        let polygons = (1..).zip(coordinates).map(|(polygon, rings)| {
            let mut rings = (1..)
                .zip(rings)
                .map(|(number, ring)| checked_ring(ring, polygon, number));
            let exterior = rings.next().ok_or(ShapeError::NoRing { polygon })??;
            Ok(Polygon {
                exterior,
                holes: rings.collect::<Result<_, _>>()?,
            })
        });
        Ok(Self {
            polygons: polygons.collect::<Result<_, _>>()?,
        })
    }

    pub fn polygons(&self) -> &[Polygon] {
        &self.polygons
    }

    /// Square metres on the sphere; holes taken off.
    pub fn area(&self) -> f64 {
        self.polygons.iter().map(Polygon::area).sum()
    }

    pub fn bbox(&self) -> BBox {
        BBox::of_vertices(self.polygons.iter().flat_map(|polygon| &polygon.exterior))
    }

    /// Whether the point lies inside, by the even-odd rule, half-open: of two shapes that share an edge (the
    /// same two vertices in either direction) exactly one has a point on that edge.
    pub fn contains(&self, point: Point) -> bool {
        self.polygons.iter().any(|polygon| polygon.contains(point))
    }

    /// A point surely inside the largest polygon, away from its border where the shape allows: for labels and
    /// as the default place of an area. A shape without an inside (all vertices on one line) gives its first
    /// vertex.
    pub fn inside_point(&self) -> Point {
        let largest = self.polygons.iter().max_by(|a, b| a.area().total_cmp(&b.area()));
        let largest = largest.expect("a shape has at least one polygon");
        largest.inside_point()
    }
}

impl Polygon {
    pub fn exterior(&self) -> &[Vertex] {
        &self.exterior
    }

    pub fn holes(&self) -> &[Ring] {
        &self.holes
    }

    /// The outer ring, then the holes.
    pub fn rings(&self) -> impl Iterator<Item = &[Vertex]> {
        std::iter::once(self.exterior()).chain(self.holes.iter().map(Vec::as_slice))
    }

    /// Square metres on the sphere.
    pub fn area(&self) -> f64 {
        let holes: f64 = self.holes.iter().map(|hole| ring_area(hole)).sum();
        (ring_area(&self.exterior) - holes).max(0.0)
    }

    pub fn bbox(&self) -> BBox {
        BBox::of_vertices(&self.exterior)
    }

    /// See [`MultiPolygon::contains`].
    pub fn contains(&self, point: Point) -> bool {
        self.edges()
            .filter(|&(from, to)| ray_crosses(point.lon, point.lat, from, to))
            .count()
            % 2
            == 1
    }

    pub(crate) fn edges(&self) -> impl Iterator<Item = (Vertex, Vertex)> {
        self.rings().flat_map(edges_of)
    }

    /// The middle of the widest stretch of inside that some parallels meet; the middle ones come first, so
    /// that they win among equals.
    fn inside_point(&self) -> Point {
        const SHARES: [f64; 7] = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8];
        let BBox { south, north, .. } = self.bbox();
        let mut widest = self.widest_inside(SHARES.map(|share| south + share * (north - south)));
        if widest.is_none() {
            // Nothing on those parallels, so the inside lies between two vertices' latitudes that they miss.
            let mut latitudes: Vec<f64> = self.edges().map(|([_, lat], _)| lat).collect();
            latitudes.sort_by(f64::total_cmp);
            widest = self.widest_inside(latitudes.windows(2).map(|pair| f64::midpoint(pair[0], pair[1])));
        }
        let [lon, lat] = self.exterior[0];
        widest.unwrap_or(Point { lon, lat })
    }

    fn widest_inside(&self, latitudes: impl IntoIterator<Item = f64>) -> Option<Point> {
        let mut widest = None;
        let mut width = 0.0;
        for lat in latitudes {
            let meets = self
                .edges()
                .filter(|([_, from], [_, to])| (*from <= lat) != (*to <= lat));
            let at = |(from, to): (Vertex, Vertex)| {
                from[0] + (lat - from[1]) / (to[1] - from[1]) * (to[0] - from[0])
            };
            let mut meets: Vec<f64> = meets.map(at).collect();
            meets.sort_by(f64::total_cmp);
            for stretch in meets.chunks_exact(2) {
                let middle = Point {
                    lon: f64::midpoint(stretch[0], stretch[1]),
                    lat,
                };
                if stretch[1] - stretch[0] > width && self.contains(middle) {
                    width = stretch[1] - stretch[0];
                    widest = Some(middle);
                }
            }
        }
        widest
    }
}

/// Does the ray from (x, y) to the east cross this edge?
///
/// The one test on which all insides rest, here and in [`crate::grid`]. It is half-open (an edge owns its
/// lower end, not its upper one; a point on the edge is not left of it) and it gives the same bit for an edge
/// and its reverse, since it always computes from the lower end. So the borders of two neighbours cancel
/// exactly, rounding included.
#[inline]
pub(crate) fn ray_crosses(x: f64, y: f64, from: Vertex, to: Vertex) -> bool {
    let (from_below, to_below) = (from[1] <= y, to[1] <= y);
    if from_below == to_below {
        return false;
    }
    let (low, high) = if from_below { (from, to) } else { (to, from) };
    (x - low[0]) * (high[1] - low[1]) < (y - low[1]) * (high[0] - low[0])
}

/// The edges of an unclosed ring, the closing one last.
fn edges_of(ring: &[Vertex]) -> impl Iterator<Item = (Vertex, Vertex)> {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1))
}

fn checked_ring(mut ring: Vec<Vertex>, polygon: usize, number: usize) -> Result<Ring, ShapeError> {
    for (vertex, &[lon, lat]) in (1..).zip(&ring) {
        Point::new(lon, lat).map_err(|reason| ShapeError::Vertex {
            polygon,
            ring: number,
            vertex,
            reason,
        })?;
    }
    if ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    let second = ring.iter().find(|&&vertex| vertex != ring[0]);
    let third = ring
        .iter()
        .find(|&&vertex| vertex != ring[0] && Some(&vertex) != second);
    if third.is_none() {
        let vertices = usize::from(!ring.is_empty()) + usize::from(second.is_some());
        return Err(ShapeError::FewVertices {
            polygon,
            ring: number,
            vertices,
        });
    }
    Ok(ring)
}

/// Area of a ring on the sphere, either direction (Chamberlain and Duquette, "Some algorithms for polygons on
/// a sphere", 2007).
fn ring_area(ring: &[Vertex]) -> f64 {
    let sum: f64 = edges_of(ring)
        .map(|(from, to)| {
            (to[0] - from[0]).to_radians() * (2.0 + from[1].to_radians().sin() + to[1].to_radians().sin())
        })
        .sum();
    (sum * EARTH_RADIUS * EARTH_RADIUS / 2.0).abs()
}

/// A place as one number, near numbers for near places: the bits of longitude and latitude in turns (Morton
/// order).
///
/// Kept in one indexed BIGINT column, it answers "what is near" on any database: [`Spot::cover`] gives a few
/// ranges of it, the caller then tests each row's own point. One step is 0.6 m east-west at the equator and
/// 0.3 m north-south. Only 52 bits are used, so a spot survives JSON readers that count in doubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spot(i64);

/// Bits of each of the two coordinates of a [`Spot`].
const SPOT_BITS: u32 = 26;

impl From<i64> for Spot {
    /// From a column that holds one. Bits that no spot has are left out.
    fn from(number: i64) -> Self {
        Self(number & ((1 << (2 * SPOT_BITS)) - 1))
    }
}

impl From<Spot> for i64 {
    fn from(spot: Spot) -> Self {
        spot.0
    }
}

impl Spot {
    pub fn of(point: Point) -> Self {
        let (column, row) = spot_column_and_row(point.lon, point.lat);
        Self((spread_bits(column) | spread_bits(row) << 1) as i64)
    }

    /// The place that it stands for: the middle of its step, at most 0.4 m from every point of that spot.
    pub fn point(self) -> Point {
        const STEPS: f64 = (1_u32 << SPOT_BITS) as f64;
        let share = |bits: u64| (f64::from(gathered(bits)) + 0.5) / STEPS;
        Point {
            lon: share(self.0 as u64) * 360.0 - 180.0,
            lat: share(self.0 as u64 >> 1) * 180.0 - 90.0,
        }
    }

    /// Ranges of spots, ascending and apart, that hold every place of the box and, around it, as little else
    /// as so few ranges allow. At most `max_ranges` of them (0 is taken as 1); 16 is a good number for a
    /// database.
    pub fn cover(bbox: BBox, max_ranges: usize) -> Vec<RangeInclusive<i64>> {
        let max_ranges = max_ranges.max(1);
        let (west, south) = spot_column_and_row(bbox.west, bbox.south);
        let (east, north) = spot_column_and_row(bbox.east, bbox.north);

        // Quarter the world level by level. A quarter wholly in the box is a range; one that touches it is
        // quartered again, until there are so many that merging them back loses little.
        let mut ranges: Vec<RangeInclusive<i64>> = Vec::new();
        let mut quarters: Vec<(u32, u32)> = vec![(0, 0)];
        let mut bits = SPOT_BITS;
        let range_of = |(column, row): (u32, u32), bits: u32| {
            let first = (spread_bits(column << bits) | spread_bits(row << bits) << 1) as i64;
            first..=first + (1_i64 << (2 * bits)) - 1
        };
        while bits > 0 && ranges.len() + quarters.len() <= 8 * max_ranges && !quarters.is_empty() {
            bits -= 1;
            let size_less_one = (1_u32 << bits) - 1;
            let children = quarters.iter().flat_map(|&(column, row)| {
                let (column, row) = (column << 1, row << 1);
                [
                    (column, row),
                    (column | 1, row),
                    (column, row | 1),
                    (column | 1, row | 1),
                ]
            });
            let mut partial = Vec::new();
            for (column, row) in children {
                let (first_column, first_row) = (column << bits, row << bits);
                let (last_column, last_row) = (first_column + size_less_one, first_row + size_less_one);
                if first_column > east || last_column < west || first_row > north || last_row < south {
                    continue;
                }
                let within =
                    first_column >= west && last_column <= east && first_row >= south && last_row <= north;
                if within {
                    ranges.push(range_of((column, row), bits));
                } else {
                    partial.push((column, row));
                }
            }
            quarters = partial;
        }
        ranges.extend(quarters.into_iter().map(|quarter| range_of(quarter, bits)));
        join_nearest(ranges, max_ranges)
    }
}

/// Sorts disjoint ranges and joins them over the narrowest gaps until `max` are left.
fn join_nearest(mut ranges: Vec<RangeInclusive<i64>>, max: usize) -> Vec<RangeInclusive<i64>> {
    ranges.sort_unstable_by_key(|range| *range.start());
    let mut gaps: Vec<i64> = ranges
        .windows(2)
        .map(|pair| pair[1].start() - pair[0].end())
        .collect();
    gaps.sort_unstable_by(|a, b| b.cmp(a));
    // Gaps up to this one are closed: touching ranges always, wider ones as far as needed.
    let closed = gaps.get(max - 1).copied().unwrap_or(1).max(1);
    let mut joined: Vec<RangeInclusive<i64>> = Vec::with_capacity(max);
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start() - last.end() <= closed => *last = *last.start()..=*range.end(),
            _ => joined.push(range),
        }
    }
    joined
}

fn spot_column_and_row(lon: f64, lat: f64) -> (u32, u32) {
    const STEPS: f64 = (1_u32 << SPOT_BITS) as f64;
    const LAST: u32 = (1 << SPOT_BITS) - 1;
    // `as` sends what is below the first step to 0; the east and north rim belong to the last one.
    let step = |share: f64| ((share * STEPS) as u32).min(LAST);
    (step((lon + 180.0) / 360.0), step((lat + 90.0) / 180.0))
}

/// Puts a zero before every bit.
pub(crate) fn spread_bits(value: u32) -> u64 {
    let mut bits = u64::from(value);
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff;
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & 0x5555_5555_5555_5555
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(lon: f64, lat: f64) -> Point {
        Point::new(lon, lat).unwrap()
    }

    fn square(west: f64, south: f64, side: f64) -> Ring {
        vec![
            [west, south],
            [west + side, south],
            [west + side, south + side],
            [west, south + side],
        ]
    }

    fn any_point() -> impl Strategy<Value = Point> {
        (-180.0..=180.0, -90.0..=90.0).prop_map(|(lon, lat)| point(lon, lat))
    }

    #[test]
    fn a_point_off_the_earth_is_refused_with_its_reason() {
        assert!(matches!(
            Point::new(f64::NAN, 1.0),
            Err(PointError::NotFinite { .. })
        ));
        assert_eq!(Point::new(181.0, 1.0), Err(PointError::Longitude(181.0)));
        assert_eq!(Point::new(100.0, 91.0), Err(PointError::Latitude(91.0)));
        assert_eq!(Point::new(1.0, 181.0), Err(PointError::Latitude(181.0)));
        assert_eq!(
            Point::new(39.9, 116.4).unwrap_err().to_string(),
            "latitude 116.4 is outside -90 to 90; longitude comes first, so write longitude 116.4, latitude 39.9"
        );
    }

    proptest! {
        #[test]
        fn a_spot_stands_for_a_place_within_half_a_metre(point in any_point()) {
            let spot = Spot::of(point);
            prop_assert_eq!(Spot::from(i64::from(spot)), spot);
            prop_assert!(spot.point().distance_metres(&point) < 0.5);
            prop_assert_eq!(Spot::of(spot.point()), spot);
        }
    }

    #[test]
    fn a_point_from_json_is_checked_too() {
        let beijing: Point = serde_json::from_str(r#"{"lon":116.4,"lat":39.9}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&beijing).unwrap(),
            r#"{"lon":116.4,"lat":39.9}"#
        );
        let refused = serde_json::from_str::<Point>(r#"{"lon":39.9,"lat":116.4}"#).unwrap_err();
        assert!(refused.to_string().contains("longitude comes first"), "{refused}");
    }

    #[test]
    fn distances_are_those_of_the_sphere() {
        let beijing_shanghai = point(116.4074, 39.9042).distance_metres(&point(121.4737, 31.2304));
        assert!(
            (beijing_shanghai - 1_067_300.0).abs() < 1_000.0,
            "{beijing_shanghai}"
        );
        let half_round = point(0.0, 0.0).distance_metres(&point(180.0, 0.0));
        assert!((half_round - std::f64::consts::PI * EARTH_RADIUS).abs() < 1.0);
        let over_the_antimeridian = point(179.999, 0.0).distance_metres(&point(-179.999, 0.0));
        assert!(
            (over_the_antimeridian - 222.39).abs() < 0.1,
            "{over_the_antimeridian}"
        );
    }

    #[test]
    fn a_box_upside_down_is_refused() {
        assert!(BBox::new(8.0, 47.0, 9.0, 48.0).is_ok());
        assert!(matches!(
            BBox::new(9.0, 47.0, 8.0, 48.0),
            Err(BBoxError::Order { .. })
        ));
        assert!(matches!(
            BBox::new(47.0, 8.0, 48.0, 99.0),
            Err(BBoxError::Corner(_))
        ));
        assert!(serde_json::from_str::<BBox>("[8.0,48.0,9.0,47.0]").is_err());
    }

    #[test]
    fn the_box_around_a_pole_takes_in_every_longitude_and_ends_at_the_antimeridian() {
        let pole = BBox::around(point(10.0, 89.9999), 100.0);
        assert_eq!((pole.west, pole.east, pole.north), (-180.0, 180.0, 90.0));
        let fiji = BBox::around(point(179.9999, -17.0), 1_000.0);
        assert_eq!(fiji.east, 180.0);
        assert!(fiji.west > 179.9);
    }

    #[test]
    fn a_shape_reads_and_writes_geojson_coordinates() {
        let text = "[[[[0.0,0.0],[4.0,0.0],[4.0,4.0],[0.0,0.0]],[[2.0,1.0],[3.0,1.0],[3.0,2.0],[2.0,1.0]]]]";
        let shape: MultiPolygon = serde_json::from_str(text).unwrap();
        assert_eq!(shape.polygons()[0].exterior().len(), 3);
        assert_eq!(shape.polygons()[0].holes().len(), 1);
        assert_eq!(serde_json::to_string(&shape).unwrap(), text);
    }

    #[test]
    fn coordinates_that_enclose_nothing_are_refused_with_their_place() {
        assert_eq!(MultiPolygon::new(vec![]), Err(ShapeError::NoPolygon));
        assert_eq!(
            MultiPolygon::new(vec![vec![]]),
            Err(ShapeError::NoRing { polygon: 1 })
        );
        let line = vec![[0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0]];
        assert_eq!(
            MultiPolygon::new(vec![vec![square(0.0, 0.0, 9.0), line]])
                .unwrap_err()
                .to_string(),
            "polygon 1, ring 2: 2 different vertices enclose nothing; three are the least"
        );
        let swapped = vec![[8.0, 47.0], [9.0, 47.0], [47.0, 108.0]];
        let refused = MultiPolygon::new(vec![vec![square(0.0, 0.0, 9.0)], vec![swapped]])
            .unwrap_err()
            .to_string();
        assert!(
            refused.starts_with("polygon 2, ring 1, vertex 3: latitude 108"),
            "{refused}"
        );
    }

    #[test]
    fn the_area_is_in_square_metres_less_the_holes() {
        let degree = MultiPolygon::new(vec![vec![square(8.0, 0.0, 1.0)]])
            .unwrap()
            .area();
        assert!((degree - 12_363.7e6).abs() < 2e6, "{degree}");
        let holed =
            MultiPolygon::new(vec![vec![square(8.0, 47.0, 0.02), square(8.005, 47.005, 0.01)]]).unwrap();
        let whole = MultiPolygon::new(vec![vec![square(8.0, 47.0, 0.02)]]).unwrap();
        assert!((holed.area() / whole.area() - 0.75).abs() < 1e-4);
    }

    #[test]
    fn neighbours_share_no_point_and_leave_none_out() {
        let left = MultiPolygon::new(vec![vec![square(0.0, 0.0, 1.0)]]).unwrap();
        let right = MultiPolygon::new(vec![vec![square(1.0, 0.0, 1.0)]]).unwrap();
        for lat in [0.0, 0.3, 0.999_999] {
            let border = point(1.0, lat);
            assert!(right.contains(border) && !left.contains(border));
        }
        assert!(left.contains(point(0.0, 0.0)), "west and south rim are inside");
        assert!(
            !left.contains(point(0.5, 1.0)) && !right.contains(point(2.0, 0.5)),
            "east and north rim are not"
        );
    }

    #[test]
    fn the_inside_point_of_a_ring_road_lies_on_the_road() {
        let ring_road = MultiPolygon::new(vec![vec![square(0.0, 0.0, 3.0), square(0.1, 0.1, 2.8)]]).unwrap();
        assert!(ring_road.contains(ring_road.inside_point()));
        let flat = MultiPolygon::new(vec![vec![vec![[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]]]).unwrap();
        assert_eq!(flat.inside_point(), point(0.0, 0.0));
    }

    #[test]
    fn a_spot_keeps_the_corners_of_the_world_apart() {
        let corners = [(-180.0, -90.0), (180.0, -90.0), (-180.0, 90.0), (180.0, 90.0)];
        let spots = corners.map(|(lon, lat)| i64::from(Spot::of(point(lon, lat))));
        let last = (1_i64 << 52) - 1;
        assert_eq!(spots[0], 0);
        assert_eq!(spots[3], last);
        assert_eq!(spots[1] | spots[2], last);
        assert_eq!(
            Spot::cover(BBox::new(-180.0, -90.0, 180.0, 90.0).unwrap(), 16),
            vec![0..=last]
        );
    }

    #[test]
    fn sixteen_ranges_cover_little_more_than_the_box() {
        // Deterministic places; the share of covered ground that lies outside the box is what a query reads
        // in vain.
        let mut waste = Vec::new();
        for step in 0..500 {
            let centre = point(
                100.0 + f64::from(step) * 0.013_37,
                20.0 + f64::from(step) * 0.047_11,
            );
            let bbox = BBox::around(centre, 150.0);
            let (west, south) = spot_column_and_row(bbox.west, bbox.south);
            let (east, north) = spot_column_and_row(bbox.east, bbox.north);
            let inside = i64::from(east - west + 1) * i64::from(north - south + 1);
            let covered: i64 = Spot::cover(bbox, 16)
                .iter()
                .map(|range| range.end() - range.start() + 1)
                .sum();
            waste.push(covered as f64 / inside as f64);
        }
        waste.sort_by(f64::total_cmp);
        println!("covered / box: median {:.3}, worst {:.3}", waste[250], waste[499]);
        assert!(waste[250] < 1.5 && waste[499] < 4.0);
    }

    proptest! {
        #[test]
        fn every_place_within_the_radius_is_in_the_box_around(
            centre in any_point(), bearing in 0.0..std::f64::consts::TAU,
            share in 0.0..0.999_999_f64, radius in 0.1..2e6_f64,
        ) {
            let angle = share * radius / EARTH_RADIUS;
            let (sin, cos) = centre.lat.to_radians().sin_cos();
            let other_sin = (sin * angle.cos() + cos * angle.sin() * bearing.cos()).clamp(-1.0, 1.0);
            let east = (bearing.sin() * angle.sin() * cos).atan2(angle.cos() - sin * other_sin);
            let lon = centre.lon + east.to_degrees();
            prop_assume!(lon.abs() <= 180.0);
            let other = point(lon, other_sin.asin().to_degrees());
            prop_assume!(centre.distance_metres(&other) <= radius);
            prop_assert!(BBox::around(centre, radius).contains(other));
        }

        #[test]
        fn the_cover_holds_every_spot_of_the_box(
            a in any_point(), b in any_point(), shrink in 0..22_i32, max in 0..40_usize,
            places in prop::collection::vec((0.0..=1.0_f64, 0.0..=1.0_f64), 40),
        ) {
            let scale = 0.5_f64.powi(shrink);
            let (lon, lat) = (a.lon + (b.lon - a.lon) * scale, a.lat + (b.lat - a.lat) * scale);
            let bbox = BBox::new(a.lon.min(lon), a.lat.min(lat), a.lon.max(lon), a.lat.max(lat)).unwrap();
            let ranges = Spot::cover(bbox, max);
            prop_assert!(ranges.len() <= max.max(1));
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end() + 1 < *pair[1].start()));
            for (east, north) in places {
                let place = point(
                    (bbox.west + east * (bbox.east - bbox.west)).min(bbox.east),
                    (bbox.south + north * (bbox.north - bbox.south)).min(bbox.north),
                );
                let spot = i64::from(Spot::of(place));
                prop_assert!(ranges.iter().any(|range| range.contains(&spot)), "{spot} not in {ranges:?}");
            }
        }

        #[test]
        fn the_inside_point_is_inside(
            radii in prop::collection::vec(0.05..1.0_f64, 3..30), hole in 0.01..0.9_f64,
        ) {
            let ring = |scale: f64| -> Ring {
                let turn = std::f64::consts::TAU / radii.len() as f64;
                let vertex = |(at, radius): (usize, &f64)| {
                    let (sin, cos) = (at as f64 * turn).sin_cos();
                    [8.0 + scale * radius * cos, 47.0 + scale * radius * sin]
                };
                radii.iter().enumerate().map(vertex).collect()
            };
            let shape = MultiPolygon::new(vec![vec![ring(1.0), ring(hole)]]).unwrap();
            prop_assert!(shape.contains(shape.inside_point()));
        }
    }
}
