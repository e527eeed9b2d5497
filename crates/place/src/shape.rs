//! One shape: read from GeoJSON, and checked for all that makes a shape no shape.
//!
//! Knows rings and where they go wrong. Knows nothing of areas and their neighbours; that is [`crate::tiling`].

use std::fmt;

use geo::{
    BooleanOps as _, BoundingRect as _, Coord, CoordinatePosition as _, Intersects as _, Line, LineString,
    MultiPolygon, Orient as _, Polygon,
    coordinate_position::CoordPos,
    line_intersection::{LineIntersection, line_intersection},
    orient::Direction,
};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// The most vertices of one area.
const MAX_VERTICES: usize = 500_000;
/// Parts of one area may overlap by as much as rounding gives: this many square metres.
const PART_TOLERANCE: f64 = 1.0;

/// What is wrong with a shape, and what would be right.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShapeFault {
    pub what: String,
    pub mend: &'static str,
}

fn fault(what: impl Into<String>, mend: &'static str) -> ShapeFault {
    ShapeFault {
        what: what.into(),
        mend,
    }
}

#[derive(Deserialize)]
struct Geometry<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow, default)]
    coordinates: Option<&'a RawValue>,
}

/// Longitude and latitude; a height is passed over.
struct Position(Coord);

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TwoNumbers;
        impl<'de> Visitor<'de> for TwoNumbers {
            type Value = Position;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a position: [longitude, latitude]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Position, A::Error> {
                let lacking = || A::Error::custom("a position has fewer than two numbers");
                let x = numbers.next_element()?.ok_or_else(lacking)?;
                let y = numbers.next_element()?.ok_or_else(lacking)?;
                while numbers.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Position(Coord { x, y }))
            }
        }
        deserializer.deserialize_seq(TwoNumbers)
    }
}

type Rings = Vec<Vec<Position>>;

/// Reads a GeoJSON geometry and checks it. The shape has its outer rings counter-clockwise and its holes clockwise,
/// and no vertex twice in a row.
pub(crate) fn read(geometry: Option<&RawValue>) -> Result<MultiPolygon, Vec<ShapeFault>> {
    let polygons = rings(geometry).map_err(|fault| vec![fault])?;
    let vertices: usize = polygons.iter().flatten().map(Vec::len).sum();
    if vertices > MAX_VERTICES {
        let what = format!("has {vertices} vertices, more than {MAX_VERTICES}");
        return Err(vec![fault(what, "simplify it")]);
    }
    let mut faults = Vec::new();
    if polygons.is_empty() {
        faults.push(fault("has no polygon", "draw its border"));
    }
    let mut built = Vec::with_capacity(polygons.len());
    for rings in polygons {
        let mut lines = Vec::with_capacity(rings.len());
        for ring in rings {
            let positions: Vec<Coord> = ring.into_iter().map(|p| p.0).collect();
            match checked_ring(positions) {
                Ok(line) => lines.push(line),
                Err(found) => faults.push(found),
            }
        }
        let mut lines = lines.into_iter();
        match lines.next() {
            Some(exterior) => built.push(Polygon::new(exterior, lines.collect())),
            None if faults.is_empty() => faults.push(fault("has a polygon without rings", "draw its border")),
            None => {}
        }
    }
    // Crossings among rings that are wrong by themselves would only say the same again.
    if faults.is_empty() {
        faults.extend(built.iter().filter_map(crossing));
    }
    if faults.is_empty() {
        faults.extend(built.iter().filter_map(stray_hole));
    }
    if faults.is_empty() {
        faults.extend(overlapping_parts(&built));
    }
    if faults.is_empty() {
        Ok(MultiPolygon::new(built).orient(Direction::Default))
    } else {
        Err(faults)
    }
}

fn rings(geometry: Option<&RawValue>) -> Result<Vec<Rings>, ShapeFault> {
    const DRAW: &str = "draw its border as a Polygon or MultiPolygon";
    let text = geometry.map_or("null", RawValue::get);
    if text == "null" {
        return Err(fault("has no geometry", DRAW));
    }
    // The position inside the geometry would mislead: lines are counted in the file.
    let reason = |error: serde_json::Error| {
        let reason = error.to_string();
        reason.split(" at line ").next().unwrap_or_default().to_owned()
    };
    let geometry: Geometry<'_> = serde_json::from_str(text).map_err(|error| {
        let reason = reason(error);
        fault(format!("has a geometry that cannot be read ({reason})"), DRAW)
    })?;
    let unreadable = |error: serde_json::Error| {
        let reason = reason(error);
        let mend = "write positions as [longitude, latitude], rings as lists of positions, polygons as lists of rings";
        fault(format!("has coordinates that cannot be read ({reason})"), mend)
    };
    let coordinates = geometry.coordinates.map_or("null", RawValue::get);
    match geometry.kind.as_str() {
        "Polygon" => serde_json::from_str(coordinates)
            .map(|rings| vec![rings])
            .map_err(unreadable),
        "MultiPolygon" => serde_json::from_str(coordinates).map_err(unreadable),
        other => Err(fault(format!("is a {other}, which has no inside"), DRAW)),
    }
}

/// A coordinate as faults name it, to the decimetre.
pub(crate) fn near(at: Coord) -> String {
    format!("{:.6}, {:.6}", at.x, at.y)
}

fn checked_ring(mut ring: Vec<Coord>) -> Result<LineString, ShapeFault> {
    for at in &ring {
        let (lon, lat) = (at.x, at.y);
        if lon.abs() <= 180.0 && lat.abs() <= 90.0 {
            continue;
        }
        let mend = if lat.abs() <= 180.0 && lon.abs() <= 90.0 {
            "the two look swapped: write longitude first"
        } else if lon.abs() > 360.0 {
            "these look like metres of a national grid: convert the file to WGS 84"
        } else {
            "write degrees of WGS 84"
        };
        return Err(fault(
            format!("has the position {lon}, {lat}, which is no place on earth"),
            mend,
        ));
    }
    let (Some(first), Some(last)) = (ring.first().copied(), ring.last().copied()) else {
        return Err(fault("has a ring without positions", "remove it"));
    };
    if first != last {
        return Err(fault(
            format!(
                "has a ring that is not closed: it begins at {} and ends at {}",
                near(first),
                near(last)
            ),
            "repeat its first position at its end",
        ));
    }
    ring.dedup();
    if ring.len() < 4 {
        return Err(fault(
            format!("has a ring of fewer than 3 corners near {}", near(first)),
            "remove it, or draw it with 3 or more",
        ));
    }
    Ok(LineString::new(ring))
}

struct Edge {
    line: Line,
    ring: usize,
    number: usize,
    /// How many edges its ring has.
    of: usize,
    low: Coord,
    high: Coord,
}

impl Edge {
    fn follows(&self, other: &Self) -> bool {
        self.ring == other.ring && (other.number + 1) % other.of == self.number
    }
}

/// Where two edges meet that should not.
fn clash(a: &Edge, b: &Edge) -> Option<Coord> {
    let (at, is_touch) = match line_intersection(a.line, b.line)? {
        LineIntersection::Collinear { intersection } if intersection.start != intersection.end => {
            return Some(intersection.start);
        }
        LineIntersection::Collinear { intersection } => (intersection.start, true),
        LineIntersection::SinglePoint {
            intersection,
            is_proper,
        } => (intersection, !is_proper),
    };
    let may_touch = a.ring != b.ring || a.follows(b) || b.follows(a);
    (!is_touch || !may_touch).then_some(at)
}

/// Where the border of a polygon crosses or touches itself, if it does. Rings may touch each other in points.
fn crossing(polygon: &Polygon) -> Option<ShapeFault> {
    let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
    let mut edges: Vec<Edge> = rings
        .enumerate()
        .flat_map(|(ring, line)| {
            let of = line.0.len() - 1;
            line.lines().enumerate().map(move |(number, line)| Edge {
                ring,
                number,
                of,
                low: Coord {
                    x: line.start.x.min(line.end.x),
                    y: line.start.y.min(line.end.y),
                },
                high: Coord {
                    x: line.start.x.max(line.end.x),
                    y: line.start.y.max(line.end.y),
                },
                line,
            })
        })
        .collect();
    // Sweep along the longer side, so that few edges lie above one another.
    let bounds = polygon.bounding_rect()?;
    let along_x = bounds.width() >= bounds.height();
    let low = |edge: &Edge| if along_x { edge.low.x } else { edge.low.y };
    let high = |edge: &Edge| if along_x { edge.high.x } else { edge.high.y };
    edges.sort_by(|a, b| low(a).total_cmp(&low(b)));
    for (i, a) in edges.iter().enumerate() {
        for b in edges[i + 1..].iter().take_while(|b| low(b) <= high(a)) {
            let is_apart = if along_x {
                a.high.y < b.low.y || b.high.y < a.low.y
            } else {
                a.high.x < b.low.x || b.high.x < a.low.x
            };
            if is_apart {
                continue;
            }
            let Some(at) = clash(a, b) else {
                continue;
            };
            let what = if a.ring == b.ring {
                format!("has a border that crosses or touches itself near {}", near(at))
            } else {
                format!("has a hole whose border crosses another ring near {}", near(at))
            };
            return Some(fault(what, "redraw it there"));
        }
    }
    None
}

/// A hole that does not lie inside its outer ring.
fn stray_hole(polygon: &Polygon) -> Option<ShapeFault> {
    let shell = Polygon::new(polygon.exterior().clone(), Vec::new());
    let outside = |hole: &LineString| {
        let mut corners = hole.0.iter().copied();
        corners.find(|at| shell.coordinate_position(at) == CoordPos::Outside)
    };
    let at = polygon.interiors().iter().find_map(outside)?;
    let what = format!("has a hole that lies outside its outer ring, near {}", near(at));
    Some(fault(what, "remove it, or make it a polygon of its own"))
}

fn overlapping_parts(polygons: &[Polygon]) -> Option<ShapeFault> {
    let boxes: Vec<_> = polygons.iter().map(geo::BoundingRect::bounding_rect).collect();
    for (i, a) in polygons.iter().enumerate() {
        for (j, b) in polygons.iter().enumerate().skip(i + 1) {
            let (Some(box_a), Some(box_b)) = (boxes[i], boxes[j]) else {
                continue;
            };
            if !box_a.intersects(&box_b) {
                continue;
            }
            let common = a.intersection(b);
            let area = crate::tiling::area(&common);
            if area > PART_TOLERANCE {
                let at = common.0.first().map(|p| p.exterior().0[0]).unwrap_or_default();
                let what = format!(
                    "has two polygons, {} and {}, that overlap by {area:.0} m² near {}",
                    i + 1,
                    j + 1,
                    near(at)
                );
                return Some(fault(what, "join them into one"));
            }
        }
    }
    None
}
