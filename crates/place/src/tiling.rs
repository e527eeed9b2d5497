//! How areas lie beside and inside each other: no overlap, no gap, nothing that sticks out.
//!
//! Most grids are drawn with shared edges. Where every edge of the areas below one parent is met by a neighbour's edge
//! in the other direction, or lies on the parent's own border, the areas tile the parent exactly: seen as chains, the
//! children's borders add up to the parent's, so at every point the children's winding numbers add up to the
//! parent's. That takes one sort of the edges and no geometry. Only where it fails are shapes cut against each other.

use geo::{
    BooleanOps as _, BoundingRect as _, Coord, Distance as _, Haversine, InteriorPoint as _, LineString,
    MultiPolygon, Polygon, unary_union,
};
use rstar::{
    AABB, RTree,
    primitives::{GeomWithData, Rectangle},
};

/// Up to so many square metres, two borders differ by no more than rounding.
const ROUNDING_SQUARE_METRES: f64 = 1.0;
/// Up to this share of the smaller area, too.
const ROUNDING_SHARE: f64 = 1e-6;
/// From this share on, a difference is an error whatever its form.
const GRAVE_SHARE: f64 = 1e-4;
/// A piece that is narrower on average is the trace of two borders drawn apart; a wider one is land, and an error.
/// Five decimals of a degree are 1.1 m.
const SLIVER_METRES: f64 = 2.0;
/// Up to so many overlaps are named below one parent.
const MAX_NAMED: usize = 100;

/// A piece of ground that belongs to two areas or to none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    /// All of it, which may be many pieces.
    pub square_metres: f64,
    /// Its part of the area that it is measured against.
    pub share: f64,
    /// A point inside its largest piece.
    pub near: Coord,
    /// Whether the folder must be refused for it.
    pub is_grave: bool,
}

/// What is wrong below one parent; numbers are places in the list of children.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Misfit {
    /// Two children overlap; the share is of the smaller one.
    Overlap(usize, usize, Piece),
    /// A child lies partly outside its parent; the share is of the child.
    Outside(usize, Piece),
    /// Ground of the parent belongs to no child; the share is of the parent.
    Gap(Piece),
}

/// Compares the children with each other and with their parent. All shapes are sound and wound as
/// [`crate::shape::read`] leaves them.
pub(crate) fn misfits(parent: &MultiPolygon, children: &[&MultiPolygon]) -> Vec<Misfit> {
    if children.is_empty() || tile_exactly(parent, children) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let areas: Vec<f64> = children.iter().map(|child| area(child)).collect();
    let parent_area = area(parent);
    let union = unary_union(children.iter().copied());
    let union_area = area(&union);

    if areas.iter().sum::<f64>() - union_area > ROUNDING_SQUARE_METRES {
        found.extend(overlaps(children, &areas));
    }
    let outside = union.difference(parent);
    if area(&outside) > ROUNDING_SQUARE_METRES {
        let hidden = RTree::bulk_load(outside.0.iter().filter_map(|piece| boxed(piece, 0)).collect());
        for (i, child) in children.iter().enumerate() {
            let touches =
                envelope(child).is_some_and(|e| hidden.locate_in_envelope_intersecting(e).next().is_some());
            if touches
                && let Some(piece) = piece(&child.difference(parent), areas[i])
                && piece.share > GRAVE_SHARE
            {
                found.push(Misfit::Outside(i, piece));
            }
        }
    }
    if parent_area - union_area + area(&outside) > ROUNDING_SQUARE_METRES {
        let gap = piece(&parent.difference(&union), parent_area);
        found.extend(gap.map(Misfit::Gap));
    }
    found
}

/// Square metres on the sphere. (The library's formula of the same authors adds holes that are wound as they should
/// be, and loses digits far from the equator.)
pub(crate) fn area(shape: &MultiPolygon) -> f64 {
    shape.iter().map(polygon_area).sum()
}

fn polygon_area(polygon: &Polygon) -> f64 {
    let holes: f64 = polygon.interiors().iter().map(ring_area).sum();
    ring_area(polygon.exterior()) - holes
}

/// Chamberlain and Duquette, "Some algorithms for polygons on a sphere" (2007), with latitudes counted from the first
/// vertex.
fn ring_area(ring: &LineString) -> f64 {
    const EARTH_RADIUS: f64 = 6_371_008.8;
    let origin = ring.0.first().map_or(0.0, |at| at.y.to_radians().sin());
    let height = |at: Coord| at.y.to_radians().sin() - origin;
    let trapezoid = |line: geo::Line| (line.end.x - line.start.x) * (height(line.start) + height(line.end));
    let twice: f64 = ring.lines().map(trapezoid).sum();
    twice.to_radians().abs() / 2.0 * EARTH_RADIUS * EARTH_RADIUS
}

fn tile_exactly(parent: &MultiPolygon, children: &[&MultiPolygon]) -> bool {
    type Edge = [u64; 4];
    let mut edges: Vec<(Edge, i32)> = Vec::new();
    let mut add = |shape: &MultiPolygon, sign: i32| {
        let rings = shape
            .iter()
            .flat_map(|p| std::iter::once(p.exterior()).chain(p.interiors()));
        for line in rings.flat_map(LineString::lines) {
            // Adding nothing makes 0 of -0.
            let bits = |at: Coord| [(at.x + 0.0).to_bits(), (at.y + 0.0).to_bits()];
            let (from, to) = (bits(line.start), bits(line.end));
            edges.push(if from < to {
                ([from[0], from[1], to[0], to[1]], sign)
            } else {
                ([to[0], to[1], from[0], from[1]], -sign)
            });
        }
    };
    for child in children {
        add(child, 1);
    }
    add(parent, -1);
    edges.sort_unstable();
    edges
        .chunk_by(|a, b| a.0 == b.0)
        .all(|same| same.iter().map(|(_, sign)| sign).sum::<i32>() == 0)
}

type Boxed = GeomWithData<Rectangle<[f64; 2]>, usize>;

fn boxed<'a, S>(shape: &'a S, number: usize) -> Option<Boxed>
where
    S: geo::BoundingRect<f64>,
    S::Output: Into<Option<geo::Rect>> + 'a,
{
    let bounds: geo::Rect = shape.bounding_rect().into()?;
    let corners = Rectangle::from_corners([bounds.min().x, bounds.min().y], [bounds.max().x, bounds.max().y]);
    Some(GeomWithData::new(corners, number))
}

fn envelope(shape: &MultiPolygon) -> Option<AABB<[f64; 2]>> {
    let bounds = shape.bounding_rect()?;
    Some(AABB::from_corners(
        [bounds.min().x, bounds.min().y],
        [bounds.max().x, bounds.max().y],
    ))
}

fn overlaps(children: &[&MultiPolygon], areas: &[f64]) -> Vec<Misfit> {
    let boxes = children
        .iter()
        .enumerate()
        .filter_map(|(i, child)| boxed(*child, i));
    let tree = RTree::bulk_load(boxes.collect());
    let mut found = Vec::new();
    for (i, child) in children.iter().enumerate() {
        let Some(envelope) = envelope(child) else {
            continue;
        };
        let mut others: Vec<usize> = tree
            .locate_in_envelope_intersecting(envelope)
            .map(|other| other.data)
            .filter(|j| *j > i)
            .collect();
        others.sort_unstable();
        for j in others {
            let common = piece(&child.intersection(children[j]), areas[i].min(areas[j]));
            found.extend(common.map(|common| Misfit::Overlap(i, j, common)));
            if found.len() >= MAX_NAMED {
                return found;
            }
        }
    }
    found
}

/// Weighs ground against the area that it is a part of; none when it is no more than rounding.
fn piece(ground: &MultiPolygon, whole: f64) -> Option<Piece> {
    let square_metres = area(ground);
    let share = square_metres / whole.max(f64::MIN_POSITIVE);
    let is_wide = ground.iter().any(|piece| {
        let area = polygon_area(piece);
        area > ROUNDING_SQUARE_METRES && 2.0 * area / border_metres(piece) >= SLIVER_METRES
    });
    if square_metres <= ROUNDING_SQUARE_METRES || (share <= ROUNDING_SHARE && !is_wide) {
        return None;
    }
    let largest = ground
        .iter()
        .max_by(|a, b| polygon_area(a).total_cmp(&polygon_area(b)))?;
    let near = largest
        .interior_point()
        .map_or(largest.exterior().0[0], |point| point.0);
    Some(Piece {
        square_metres,
        share,
        near,
        is_grave: share > GRAVE_SHARE || is_wide,
    })
}

fn border_metres(piece: &Polygon) -> f64 {
    let rings = std::iter::once(piece.exterior()).chain(piece.interiors());
    let edges = rings.flat_map(LineString::lines);
    edges
        .map(|line| Haversine.distance(line.start.into(), line.end.into()))
        .sum()
}
