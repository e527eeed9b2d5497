//! Whose is this point: our grid against an R-tree with `geo`'s point-in-polygon, in the same run.
//!
//! The places are made up: irregular hexagons of 30 to 60 vertices, 45 on average, that share every vertex
//! with their neighbours. All chance comes from a hash of the vertex, so every run measures the same place
//! and the same points.

use std::hint::black_box;
use std::time::Instant;

use geo::Contains;
use rstar::RTree;
use rstar::primitives::{GeomWithData, Rectangle};
use whistle_domain::geometry::{MultiPolygon, Point, Ring, Vertex};
use whistle_domain::grid::Grid;

const POINTS: usize = 2_000_000;
const ROUNDS: usize = 5;
/// The R-tree is asked for fewer, to keep the run short.
const RTREE_POINTS: usize = 300_000;
/// The targets, for the largest place.
const MOST_NANOSECONDS: f64 = 1_000.0;
const MOST_BUILD_SECONDS: f64 = 3.0;

/// Measures places of 1,024, 10,000 and 99,856 areas and says whether the largest meets the targets.
pub fn run() {
    println!(
        "grid: point to area; cells of 30-60 vertices (mean 45), {POINTS} random points, {ROUNDS} rounds"
    );
    println!(
        "{:>8} {:>9} {:>14} {:>16} {:>6} {:>9} {:>10}",
        "areas", "edges", "grid ns", "rstar+geo ns", "ratio", "build s", "MiB"
    );
    let [_, _, last] = [32, 100, 316].map(measure);
    let verdict = |met: bool| if met { "met" } else { "MISSED" };
    println!(
        "target, largest place: look-up < 1 µs {} ({:.0} ns), load < 3 s {} ({:.2} s)",
        verdict(last.nanoseconds < MOST_NANOSECONDS),
        last.nanoseconds,
        verdict(last.build_seconds < MOST_BUILD_SECONDS),
        last.build_seconds,
    );
}

struct Figures {
    nanoseconds: f64,
    build_seconds: f64,
}

fn measure(side: u64) -> Figures {
    let areas = hexagons(side);
    let edges: usize = areas
        .iter()
        .flat_map(MultiPolygon::polygons)
        .map(|polygon| polygon.exterior().len())
        .sum();
    let points = random_points(side);

    let start = Instant::now();
    let grid = Grid::new((0..).zip(&areas));
    let build_seconds = start.elapsed().as_secs_f64();

    let polygons: Vec<geo::Polygon<f64>> = areas.iter().map(geo_polygon).collect();
    let boxes = (0_u32..).zip(&areas).map(|(index, area)| {
        let bbox = area.bbox();
        GeomWithData::new(
            Rectangle::from_corners([bbox.west, bbox.south], [bbox.east, bbox.north]),
            index,
        )
    });
    let tree = RTree::bulk_load(boxes.collect());
    let rtree_owner = |point: &Point| {
        let place = geo::Point::new(point.lon, point.lat);
        tree.locate_all_at_point([point.lon, point.lat])
            .find(|candidate| polygons[candidate.data as usize].contains(&place))
            .map(|found| found.data)
    };

    for point in &points[..RTREE_POINTS] {
        assert_eq!(grid.owner(*point), rtree_owner(point), "at {point:?}");
    }

    // In turns, so that a busy machine troubles both alike.
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(nanoseconds_each(&points, |point| grid.owner(*point)));
        theirs.push(nanoseconds_each(&points[..RTREE_POINTS], rtree_owner));
    }
    let (ours, least) = median_and_least(ours);
    let (theirs, their_least) = median_and_least(theirs);
    println!(
        "{:>8} {:>9} {:>14} {:>16} {:>6.1} {:>9.3} {:>10.1}",
        areas.len(),
        edges,
        format!("{ours:.0} ({least:.0})"),
        format!("{theirs:.0} ({their_least:.0})"),
        theirs / ours,
        build_seconds,
        grid.heap_bytes() as f64 / f64::from(1 << 20),
    );
    Figures {
        nanoseconds: ours,
        build_seconds,
    }
}

fn nanoseconds_each(points: &[Point], owner: impl Fn(&Point) -> Option<u32>) -> f64 {
    let start = Instant::now();
    let sum = points.iter().fold(0_u64, |sum, point| {
        sum + u64::from(owner(point).unwrap_or_default())
    });
    black_box(sum);
    start.elapsed().as_nanos() as f64 / points.len() as f64
}

fn median_and_least(mut figures: Vec<f64>) -> (f64, f64) {
    figures.sort_by(f64::total_cmp);
    (figures[figures.len() / 2], figures[0])
}

/// West-south corner of the place and the width of one area, in degrees.
const ORIGIN: Vertex = [116.0, 39.0];
const AREA_SIZE: f64 = 0.004;

/// `side` × `side` areas.
fn hexagons(side: u64) -> Vec<MultiPolygon> {
    let cells = (0..side).flat_map(|row| (0..side).map(move |column| (2 * column + row % 2, row)));
    let area = |(i, j): (u64, u64)| {
        let corners = [
            (i, j),
            (i + 1, j),
            (i + 2, j),
            (i + 2, j + 1),
            (i + 1, j + 1),
            (i, j + 1),
        ];
        let ring: Ring = (0..6)
            .flat_map(|at| side_between(corners[at], corners[(at + 1) % 6]))
            .collect();
        MultiPolygon::new(vec![vec![ring]]).expect("hexagons are shapes")
    };
    cells.map(area).collect()
}

fn corner((i, j): (u64, u64)) -> Vertex {
    let bend = if (i + j).is_multiple_of(2) { 0.15 } else { -0.15 };
    [
        ORIGIN[0] + AREA_SIZE * (i as f64 * 0.5 + 0.2 * chance(i, j, 1)),
        ORIGIN[1] + AREA_SIZE * (j as f64 * 0.85 + bend + 0.2 * chance(i, j, 2)),
    ]
}

/// The vertices of a side but its last: 5 to 10 edges, the same from both ends.
fn side_between(one: (u64, u64), other: (u64, u64)) -> Vec<Vertex> {
    let (low, high) = (one.min(other), one.max(other));
    let (a, b) = (low.0 << 16 | low.1, high.0 << 16 | high.1);
    let (from, to) = (corner(low), corner(high));
    let (east, north) = (to[0] - from[0], to[1] - from[1]);
    let edges = 5 + ((chance(a, b, 3) + 0.5) * 6.0) as u64;
    let mut line = vec![from];
    for edge in 1..edges {
        let share = edge as f64 / edges as f64;
        let aside = 0.15 * chance(a, b, 10 + edge);
        line.push([
            from[0] + share * east - aside * north,
            from[1] + share * north + aside * east,
        ]);
    }
    line.push(to);
    if one != low {
        line.reverse();
    }
    line.pop();
    line
}

fn random_points(side: u64) -> Vec<Point> {
    let (width, height) = (AREA_SIZE * side as f64, AREA_SIZE * 0.85 * side as f64);
    let point = |number: u64| {
        let (east, north) = (chance(number, side, 4) + 0.5, chance(number, side, 5) + 0.5);
        Point::new(ORIGIN[0] + width * east, ORIGIN[1] + height * north).expect("the place is on earth")
    };
    (0..POINTS as u64).map(point).collect()
}

/// -0.5 to 0.5, always the same for the same three numbers (SplitMix64's finish).
fn chance(a: u64, b: u64, c: u64) -> f64 {
    let mut bits = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.rotate_left(32) ^ c.rotate_left(58);
    for _ in 0..2 {
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
    }
    (bits >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
}

fn geo_polygon(area: &MultiPolygon) -> geo::Polygon<f64> {
    let ring = |ring: &[Vertex]| {
        ring.iter()
            .map(|&[lon, lat]| geo::Coord { x: lon, y: lat })
            .collect()
    };
    let polygon = &area.polygons()[0];
    geo::Polygon::new(
        ring(polygon.exterior()),
        polygon.holes().iter().map(|hole| ring(hole)).collect(),
    )
}
