//! Which area a point lies in, among a hundred thousand, in a fraction of a microsecond.
//!
//! A raster is laid over all areas. A raster cell that no border crosses knows its owner. A raster cell that
//! borders cross keeps just the edges that cross it and, for each polygon, one bit that stands for all edges
//! further away. A look-up thus reads one raster cell and, near a border, a handful of edges.
//!
//! The answer is exactly that of [`MultiPolygon::contains`] asked of every area in turn, also for points on
//! borders and vertices, because the bit rests on comparisons alone, never on a computed reference point:
//!
//! - Raster column and row are monotone functions of x and y. So an edge that within a raster row keeps to
//!   columns beyond the cell's is crossed by the ray to the east if its heights include y; one that keeps to
//!   columns before it is not crossed. Only edges that may come into the cell's own column are tested: the
//!   local ones.
//! - An edge's heights include y if exactly one of its ends is at or below y. Summed modulo two over all
//!   edges beyond, ends where two such edges meet cancel. What is left is the ends below the raster row (the
//!   bit) and the vertices of this raster row where an edge beyond meets a local one. Each of the latter is
//!   kept as a local edge straight up from that vertex, a *whisker*, which is crossed exactly by the rays at
//!   or above the vertex.
//!
//! Of areas that overlap, the one with the lowest index is the owner; the import refuses overlaps long
//! before.

#![allow(
    clippy::float_cmp,
    reason = "shared vertices are equal to the bit, or else not shared"
)]

use std::ops::Range;

use crate::geometry::{BBox, MultiPolygon, Point, Polygon, Vertex, ray_crosses};

/// Raster cells for each edge. Measured on 45-vertex hexagons, 1,000 and 10,000 areas: twice as many take a
/// third more memory and save about a tenth of the time, half as many cost about a fifth more time.
const CELLS_PER_EDGE: f64 = 1.0;
/// Below this a finer raster costs nothing worth saving (16 KiB).
const LEAST_CELLS: f64 = 4_096.0;
/// Keeps 100,000 areas of 45 vertices below 150 MB: 10 MB of raster, the rest records.
const MOST_CELLS: f64 = 2_500_000.0;
/// Times that an edge may be kept, on average; keeps a few long edges from filling a fine raster's cells.
const COPIES_PER_EDGE: f64 = 4.0;
/// Steps that the filling of all polygons' boxes may take while building (some 0.3 s).
const MOST_FILL_STEPS: f64 = 2e8;
/// Raster cells filled at a time, which bounds the memory needed while building.
const STRIP_CELLS: usize = 65_536;
/// Far more than the rounding in "where does this edge cross that line" (1e-13 degrees), far less than a
/// raster cell.
const SLACK: f64 = 1e-11;
/// Beyond the bounding box by more than this, rounding puts no point inside.
const RIM: f64 = 1e-9;
/// The far end of a whisker: north of everything.
const ABOVE_ALL: f64 = 1e3;
/// In a raster cell: the rest is a place in `records`. Otherwise it is 0 for nobody, or the owner's index
/// plus 1.
const IS_RECORD: u32 = 1 << 31;
/// Polygons of one record group: one bit each in a mask.
const SLOTS: usize = 8;
/// Of the edges of a raster cell, the first so many are looked at when a neighbour brings the same edge
/// again.
const MERGE_WINDOW: usize = 64;

/// The areas of one level of a place, made for "whose is this point". Immutable; share it by pointer.
#[derive(Debug, Clone)]
pub struct Grid {
    raster: Raster,
    cells: Vec<u32>,
    /// For each crossed raster cell one group or more, each: a header word (see [`Header`]), the owners two
    /// to a word, then runs of joined edges: a word of mask and vertex count, then x and y of each vertex as
    /// bits.
    records: Vec<u64>,
}

impl Grid {
    /// From areas and the numbers by which the caller knows them. Takes about 1 s for 100,000 areas of 45
    /// vertices.
    pub fn new<'a>(areas: impl IntoIterator<Item = (u32, &'a MultiPolygon)>) -> Self {
        let mut parts: Vec<Part<'a>> = areas
            .into_iter()
            .flat_map(|(owner, shape)| {
                shape
                    .polygons()
                    .iter()
                    .map(move |polygon| Part::new(owner, polygon))
            })
            .collect();
        parts.sort_by_key(|part| part.owner);

        let raster = Raster::over(&parts);
        let rows_at_a_time = (STRIP_CELLS / raster.columns).max(1);
        let strips = raster.rows.div_ceil(rows_at_a_time);
        let mut parts_of_strip: Vec<Vec<u32>> = vec![Vec::new(); strips];
        for (number, part) in (0..).zip(&parts) {
            let strip_of = |y: f64| raster.row(y) / rows_at_a_time;
            for numbers in &mut parts_of_strip[strip_of(part.bbox.south)..=strip_of(part.bbox.north)] {
                numbers.push(number);
            }
        }

        let mut grid = Self {
            raster,
            cells: Vec::with_capacity(raster.columns * raster.rows),
            records: Vec::new(),
        };
        for (strip, numbers) in parts_of_strip.iter().enumerate() {
            let first = strip * rows_at_a_time;
            let mut strip = Strip::new(raster, first..(first + rows_at_a_time).min(raster.rows));
            for &number in numbers {
                strip.add(number, &parts[number as usize]);
            }
            strip.write(&parts, &mut grid.cells, &mut grid.records);
        }
        grid.records.shrink_to_fit();
        grid
    }

    /// The area that the point lies in, or none: outside all, or in a gap between them.
    #[inline]
    pub fn owner(&self, point: Point) -> Option<u32> {
        let (x, y) = (point.lon, point.lat);
        if !self.raster.bounds.contains(point) {
            return None;
        }
        let cell = self.cells[self.raster.row(y) * self.raster.columns + self.raster.column(x)];
        if cell & IS_RECORD == 0 {
            return cell.checked_sub(1);
        }
        owner_in_record(&self.records[(cell & !IS_RECORD) as usize..], x, y)
    }

    /// Bytes held on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.cells.capacity() * size_of::<u32>() + self.records.capacity() * size_of::<u64>()
    }
}

/// One [`Grid`] for each level of a place, so that a point in a gap of the lowest level still finds the area
/// above.
#[derive(Debug, Clone)]
pub struct LevelledGrid {
    /// Top level first.
    levels: Vec<Grid>,
}

impl LevelledGrid {
    /// From areas with their level, 0 being the top (the city), and the caller's numbers for them.
    pub fn new<'a>(areas: impl IntoIterator<Item = (u8, u32, &'a MultiPolygon)>) -> Self {
        let mut by_level: Vec<Vec<(u32, &MultiPolygon)>> = Vec::new();
        for (level, index, shape) in areas {
            let level = usize::from(level);
            by_level.resize(by_level.len().max(level + 1), Vec::new());
            by_level[level].push((index, shape));
        }
        Self {
            levels: by_level.into_iter().map(Grid::new).collect(),
        }
    }

    /// The area of the lowest level that has one at this point.
    pub fn deepest(&self, point: Point) -> Option<u32> {
        self.levels.iter().rev().find_map(|level| level.owner(point))
    }

    /// The area of this very level.
    pub fn at_level(&self, level: u8, point: Point) -> Option<u32> {
        self.levels.get(usize::from(level))?.owner(point)
    }

    /// Bytes held on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.levels.iter().map(Grid::heap_bytes).sum()
    }
}

/// Counts, for all polygons of a record at once, whether the ray to the east crosses their border an odd
/// number of times. Bit n of the masks is the n-th polygon of the group.
fn owner_in_record(mut words: &[u64], x: f64, y: f64) -> Option<u32> {
    loop {
        let header = Header::from_word(words[0]);
        let (owners, mut rest) = words[1..].split_at(header.owners.div_ceil(2));
        let mut inside = header.inside;
        for _ in 0..header.runs {
            let (mask, vertices) = (rest[0] as u8, (rest[0] >> 8) as usize);
            let (run, after) = rest[1..].split_at(2 * vertices);
            let mut vertices = run
                .chunks_exact(2)
                .map(|pair| [f64::from_bits(pair[0]), f64::from_bits(pair[1])]);
            let mut from = vertices.next().unwrap_or_default();
            for to in vertices {
                if ray_crosses(x, y, from, to) {
                    inside ^= mask;
                }
                from = to;
            }
            rest = after;
        }
        if inside != 0 {
            let slot = inside.trailing_zeros() as usize;
            return Some((owners[slot / 2] >> (32 * (slot % 2))) as u32);
        }
        if !header.more {
            return None;
        }
        words = rest;
    }
}

/// First word of a record group.
struct Header {
    /// Which polygons are inside when no local edge is crossed.
    inside: u8,
    /// Polygons in this group, at most [`SLOTS`].
    owners: usize,
    runs: usize,
    /// Another group follows, with polygons of higher index.
    more: bool,
}

impl Header {
    fn from_word(word: u64) -> Self {
        Self {
            inside: word as u8,
            owners: (word >> 8) as usize & 0x7f,
            more: word >> 15 & 1 == 1,
            runs: (word >> 16) as usize,
        }
    }

    fn to_word(&self) -> u64 {
        u64::from(self.inside)
            | (self.owners as u64) << 8
            | u64::from(self.more) << 15
            | (self.runs as u64) << 16
    }
}

/// One polygon of an area. An area of several polygons is several parts with the same owner.
struct Part<'a> {
    owner: u32,
    polygon: &'a Polygon,
    bbox: BBox,
}

impl<'a> Part<'a> {
    fn new(owner: u32, polygon: &'a Polygon) -> Self {
        // Holes of a broken polygon may stick out of its outer ring, and count all the same.
        let bbox = polygon
            .holes()
            .iter()
            .flatten()
            .fold(polygon.bbox(), |bbox, &[lon, lat]| {
                bbox.union(&BBox {
                    west: lon,
                    south: lat,
                    east: lon,
                    north: lat,
                })
            });
        Self { owner, polygon, bbox }
    }
}

/// The lines of the raster. `column` and `row` never decrease as their argument grows; all exactness rests on
/// that.
#[derive(Debug, Clone, Copy)]
struct Raster {
    bounds: BBox,
    columns: usize,
    rows: usize,
    /// Columns and rows for each degree.
    columns_per_degree: f64,
    rows_per_degree: f64,
}

impl Raster {
    /// As fine as serves look-ups, as coarse as the limits above demand.
    fn over(parts: &[Part]) -> Self {
        let Some(bounds) = parts
            .iter()
            .map(|part| part.bbox)
            .reduce(|all, bbox| all.union(&bbox))
        else {
            let nowhere = BBox {
                west: 1.0,
                south: 1.0,
                east: 0.0,
                north: 0.0,
            };
            return Self {
                bounds: nowhere,
                columns: 1,
                rows: 1,
                columns_per_degree: 0.0,
                rows_per_degree: 0.0,
            };
        };
        let bounds = BBox {
            west: bounds.west - RIM,
            south: bounds.south - RIM,
            east: bounds.east + RIM,
            north: bounds.north + RIM,
        };

        let (mut edges, mut edges_width, mut edges_height) = (0.0, 0.0, 0.0);
        let (mut boxes_width, mut boxes_height, mut boxes_area) = (0.0, 0.0, 0.0);
        for part in parts {
            for (from, to) in part.polygon.edges() {
                edges += 1.0;
                edges_width += (to[0] - from[0]).abs();
                edges_height += (to[1] - from[1]).abs();
            }
            let (width, height) = (part.bbox.east - part.bbox.west, part.bbox.north - part.bbox.south);
            boxes_width += width;
            boxes_height += height;
            boxes_area += width * height;
        }

        let mut wanted = (edges * CELLS_PER_EDGE).clamp(LEAST_CELLS, MOST_CELLS);
        loop {
            let raster = Self::of_about(wanted, bounds);
            let (across, up) = (raster.columns_per_degree, raster.rows_per_degree);
            let copies = edges + edges_width * across + edges_height * up;
            let fill_steps =
                boxes_area * across * up + boxes_width * across + boxes_height * up + parts.len() as f64;
            let affordable = copies <= COPIES_PER_EDGE * edges + LEAST_CELLS && fill_steps <= MOST_FILL_STEPS;
            if affordable || raster.columns * raster.rows == 1 {
                return raster;
            }
            wanted /= 2.0;
        }
    }

    /// About `wanted` raster cells, about square on the ground.
    fn of_about(wanted: f64, bounds: BBox) -> Self {
        let (width, height) = (bounds.east - bounds.west, bounds.north - bounds.south);
        let middle = f64::midpoint(bounds.south, bounds.north).to_radians();
        let wanted = wanted.max(1.0);
        let columns = (wanted * width * middle.cos() / height)
            .sqrt()
            .clamp(1.0, wanted)
            .round();
        let rows = (wanted / columns).clamp(1.0, wanted).round();
        Self {
            bounds,
            columns: columns as usize,
            rows: rows as usize,
            columns_per_degree: columns / width,
            rows_per_degree: rows / height,
        }
    }

    #[inline]
    fn column(&self, x: f64) -> usize {
        // `as` sends what is west of the raster to 0.
        (((x - self.bounds.west) * self.columns_per_degree) as usize).min(self.columns - 1)
    }

    #[inline]
    fn row(&self, y: f64) -> usize {
        (((y - self.bounds.south) * self.rows_per_degree) as usize).min(self.rows - 1)
    }

    /// The columns that an edge may come into within a row that it reaches: no computed crossing lies outside
    /// them.
    fn span(&self, from: Vertex, to: Vertex, row: usize) -> Span {
        let (mut one, mut other) = (from[0], to[0]);
        if self.row(from[1]) != self.row(to[1]) {
            let share = |row: usize, slack: f64| {
                let y = self.bounds.south + row as f64 / self.rows_per_degree + slack;
                ((y - from[1]) / (to[1] - from[1])).clamp(0.0, 1.0)
            };
            one = from[0] + share(row, -SLACK) * (to[0] - from[0]);
            other = from[0] + share(row + 1, SLACK) * (to[0] - from[0]);
        }
        Span {
            first: self.column(one.min(other) - SLACK),
            last: self.column(one.max(other) + SLACK),
        }
    }
}

/// Columns from `first` to `last`, both included.
#[derive(Clone, Copy)]
struct Span {
    first: usize,
    last: usize,
}

/// Some rows of the raster while they are being filled. Raster cells are numbered from the first of the
/// strip.
struct Strip {
    raster: Raster,
    rows: Range<usize>,
    /// In the order of parts; within a part in the order of its rings.
    edges: Vec<LocalEdge>,
    /// In the order of parts.
    touches: Vec<Touch>,
    /// The first part that holds the raster cell whole; [`NO_PART`] if none.
    whole: Vec<u32>,
    /// Of the part being added: a byte for each raster cell of its box.
    marks: Vec<u8>,
}

const NO_PART: u32 = u32::MAX;

/// An edge (or whisker) of a part that may come into a raster cell.
struct LocalEdge {
    cell: u32,
    part: u32,
    from: Vertex,
    to: Vertex,
}

/// A part with local edges in a raster cell, and whether a point that crosses none of them is inside.
struct Touch {
    cell: u32,
    part: u32,
    inside: bool,
}

/// The raster cell has local edges of the part being added.
const LOCAL: u8 = 1;
/// All raster cells from this one to the west have one more edge beyond that starts below the row.
const FLIP: u8 = 2;

impl Strip {
    fn new(raster: Raster, rows: Range<usize>) -> Self {
        let whole = vec![NO_PART; rows.len() * raster.columns];
        Self {
            raster,
            rows,
            edges: Vec::new(),
            touches: Vec::new(),
            whole,
            marks: Vec::new(),
        }
    }

    fn cell(&self, row: usize, column: usize) -> u32 {
        ((row - self.rows.start) * self.raster.columns + column) as u32
    }

    /// Parts come in ascending number.
    fn add(&mut self, number: u32, part: &Part) {
        let raster = self.raster;
        let rows = raster.row(part.bbox.south).max(self.rows.start)
            ..(raster.row(part.bbox.north) + 1).min(self.rows.end);
        // Twice, since the spans of edges add it to an end that may itself be rounded outwards.
        let columns =
            raster.column(part.bbox.west - 2.0 * SLACK)..raster.column(part.bbox.east + 2.0 * SLACK) + 1;
        self.marks.clear();
        self.marks.resize(rows.len() * columns.len(), 0);
        for ring in part.polygon.rings() {
            self.add_ring(number, ring, &rows, &columns);
        }

        // From east to west, so that `inside` has seen every edge beyond the raster cell.
        for (row, marks) in rows.zip(self.marks.chunks_exact(columns.len())) {
            let mut inside = false;
            for (column, mark) in columns.clone().zip(marks).rev() {
                inside ^= mark & FLIP != 0;
                let cell = ((row - self.rows.start) * raster.columns + column) as u32;
                if mark & LOCAL != 0 {
                    self.touches.push(Touch {
                        cell,
                        part: number,
                        inside,
                    });
                } else if inside && self.whole[cell as usize] == NO_PART {
                    self.whole[cell as usize] = number;
                }
            }
        }
    }

    fn add_ring(&mut self, part: u32, ring: &[Vertex], rows: &Range<usize>, columns: &Range<usize>) {
        let raster = self.raster;
        let mut from = ring[ring.len() - 1];
        let mut before = ring[ring.len() - 2];
        for &to in ring {
            let (from_row, to_row) = (raster.row(from[1]), raster.row(to[1]));
            if rows.contains(&from_row) {
                // Raster cells for which one of the two edges that meet at `from` is local and the other lies
                // beyond.
                let ahead = raster.span(from, to, from_row).first;
                let behind = raster.span(before, from, from_row).first;
                let above = [from[0], ABOVE_ALL];
                for column in behind..ahead {
                    let cell = self.cell(from_row, column);
                    self.edges.push(LocalEdge {
                        cell,
                        part,
                        from,
                        to: above,
                    });
                }
                for column in ahead..behind {
                    let cell = self.cell(from_row, column);
                    self.edges.push(LocalEdge {
                        cell,
                        part,
                        from: above,
                        to: from,
                    });
                }
            }
            let (lowest, highest) = (from_row.min(to_row), from_row.max(to_row));
            for row in lowest.max(rows.start)..(highest + 1).min(rows.end) {
                let span = raster.span(from, to, row);
                let marks = (row - rows.start) * columns.len();
                for column in span.first..=span.last {
                    self.marks[marks + column - columns.start] |= LOCAL;
                    let cell = self.cell(row, column);
                    self.edges.push(LocalEdge { cell, part, from, to });
                }
                if row > lowest && span.first > columns.start {
                    self.marks[marks + span.first - 1 - columns.start] ^= FLIP;
                }
            }
            before = from;
            from = to;
        }
    }

    /// Appends this strip's raster cells and their records.
    fn write(&self, parts: &[Part], cells: &mut Vec<u32>, records: &mut Vec<u64>) {
        let touches = Sorted::by_cell(&self.touches, self.whole.len(), |touch| touch.cell);
        let edges = Sorted::by_cell(&self.edges, self.whole.len(), |edge| edge.cell);
        let mut slots: Vec<Slot> = Vec::new();
        let mut joined: Vec<JoinedEdge> = Vec::new();
        for (cell, &whole) in self.whole.iter().enumerate() {
            // A part that holds the raster cell whole hides all after it.
            slots.clear();
            slots.extend(
                touches
                    .of(cell)
                    .map(|touch| Slot {
                        part: touch.part,
                        inside: touch.inside,
                    })
                    .filter(|slot| slot.part < whole),
            );
            if whole != NO_PART {
                slots.push(Slot {
                    part: whole,
                    inside: true,
                });
            }
            match slots.as_slice() {
                [] => cells.push(0),
                [only] if only.part == whole && parts[whole as usize].owner < IS_RECORD - 1 => {
                    cells.push(parts[whole as usize].owner + 1);
                }
                _ => {
                    cells.push(IS_RECORD | u32::try_from(records.len()).expect("records stay below 16 GiB"));
                    let mut groups = slots.chunks(SLOTS).peekable();
                    while let Some(group) = groups.next() {
                        join_edges(group, edges.of(cell), &mut joined);
                        write_group(group, &joined, groups.peek().is_some(), parts, records);
                    }
                }
            }
        }
    }
}

/// A polygon's place in a record group.
struct Slot {
    part: u32,
    inside: bool,
}

/// An edge with a bit for each slot whose border it is.
struct JoinedEdge {
    from: Vertex,
    to: Vertex,
    mask: u8,
}

/// Makes one edge of those that neighbours share. That saves memory only, so a search of bounded length will
/// do.
fn join_edges<'a>(group: &[Slot], edges: impl Iterator<Item = &'a LocalEdge>, joined: &mut Vec<JoinedEdge>) {
    joined.clear();
    for &LocalEdge { part, from, to, .. } in edges {
        let Some(slot) = group.iter().position(|slot| slot.part == part) else {
            continue;
        };
        let same = joined
            .iter_mut()
            .take(MERGE_WINDOW)
            .find(|edge| (edge.from == to && edge.to == from) || (edge.from == from && edge.to == to));
        match same {
            Some(edge) => edge.mask ^= 1 << slot,
            None => joined.push(JoinedEdge {
                from,
                to,
                mask: 1 << slot,
            }),
        }
    }
    joined.retain(|edge| edge.mask != 0);
}

fn write_group(group: &[Slot], edges: &[JoinedEdge], more: bool, parts: &[Part], records: &mut Vec<u64>) {
    let header = records.len();
    records.push(0);
    let owner = |slot: &Slot| u64::from(parts[slot.part as usize].owner);
    records.extend(
        group
            .chunks(2)
            .map(|pair| owner(&pair[0]) | pair.get(1).map_or(0, owner) << 32),
    );

    let runs = || edges.chunk_by(|one, next| one.to == next.from && one.mask == next.mask);
    for run in runs() {
        records.push((run.len() as u64 + 1) << 8 | u64::from(run[0].mask));
        let vertices = std::iter::once(run[0].from).chain(run.iter().map(|edge| edge.to));
        records.extend(vertices.flatten().map(f64::to_bits));
    }
    let inside = group
        .iter()
        .enumerate()
        .fold(0, |mask, (slot, of)| mask | u8::from(of.inside) << slot);
    records[header] = Header {
        inside,
        owners: group.len(),
        runs: runs().count(),
        more,
    }
    .to_word();
}

/// Things in the order of their raster cell; those of one cell in the order in which they were added.
struct Sorted<'a, T> {
    things: &'a [T],
    order: Vec<u32>,
    /// Where in `order` each raster cell begins; one more at the end.
    starts: Vec<u32>,
}

impl<'a, T> Sorted<'a, T> {
    fn by_cell(things: &'a [T], cells: usize, cell: impl Fn(&T) -> u32) -> Self {
        // After counting and after the placing below, `starts` has moved by one cell each time.
        let mut starts = vec![0_u32; cells + 2];
        for thing in things {
            starts[cell(thing) as usize + 2] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut order = vec![0_u32; things.len()];
        for (number, thing) in (0..).zip(things) {
            let next = &mut starts[cell(thing) as usize + 1];
            order[*next as usize] = number;
            *next += 1;
        }
        Self {
            things,
            order,
            starts,
        }
    }

    fn of(&self, cell: usize) -> impl Iterator<Item = &'a T> {
        let range = self.starts[cell] as usize..self.starts[cell + 1] as usize;
        self.order[range]
            .iter()
            .map(|&number| &self.things[number as usize])
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::geometry::{Coordinates, Ring};

    fn point(lon: f64, lat: f64) -> Point {
        Point::new(lon, lat).unwrap()
    }

    fn shape(coordinates: Coordinates) -> MultiPolygon {
        MultiPolygon::new(coordinates).unwrap()
    }

    fn square(west: f64, south: f64, side: f64) -> Ring {
        vec![
            [west, south],
            [west + side, south],
            [west + side, south + side],
            [west, south + side],
        ]
    }

    fn grid_of(areas: &[MultiPolygon]) -> Grid {
        Grid::new((0..).zip(areas))
    }

    /// What the grid must answer: every area asked in turn.
    fn owners(areas: &[MultiPolygon], place: Point) -> impl Iterator<Item = u32> {
        (0..)
            .zip(areas)
            .filter(move |(_, area)| area.contains(place))
            .map(|(index, _)| index)
    }

    /// Points where mistakes would show: all vertices and edge middles, their neighbours by one bit and by a
    /// little, all pairs of a vertex's longitude with the next one's latitude, the raster's own lines, and
    /// even places.
    fn hard_points(areas: &[MultiPolygon], grid: &Grid) -> Vec<Point> {
        let mut places: Vec<Vertex> = Vec::new();
        for (from, to) in areas
            .iter()
            .flat_map(MultiPolygon::polygons)
            .flat_map(Polygon::edges)
        {
            places.push(from);
            places.push([from[0], to[1]]);
            for share in [0.5, 0.3, 0.87] {
                places.push([
                    from[0] + share * (to[0] - from[0]),
                    from[1] + share * (to[1] - from[1]),
                ]);
            }
        }
        let raster = &grid.raster;
        let column_line = |column: usize| raster.bounds.west + column as f64 / raster.columns_per_degree;
        let row_line = |row: usize| raster.bounds.south + row as f64 / raster.rows_per_degree;
        for step in 0..=60 {
            places.push([
                column_line(step * raster.columns / 60),
                row_line(step * 7 % 60 * raster.rows / 60),
            ]);
        }
        for (from, to) in areas
            .iter()
            .flat_map(MultiPolygon::polygons)
            .flat_map(Polygon::edges)
        {
            // Where the edge meets the raster's lines that are nearest to its end.
            for line in [raster.column(to[0]), raster.column(to[0]) + 1].map(column_line) {
                places.push([
                    line,
                    from[1] + (line - from[0]) / (to[0] - from[0]) * (to[1] - from[1]),
                ]);
            }
            for line in [raster.row(to[1]), raster.row(to[1]) + 1].map(row_line) {
                places.push([
                    from[0] + (line - from[1]) / (to[1] - from[1]) * (to[0] - from[0]),
                    line,
                ]);
            }
        }
        let near = |x: f64| {
            [
                x,
                x.next_up(),
                x.next_down(),
                x + 3e-12,
                x - 3e-12,
                x + 1e-7,
                x - 1e-7,
            ]
        };
        let around = |[x, y]: Vertex| {
            near(x)
                .into_iter()
                .flat_map(move |x| near(y).map(|y| Point::new(x, y)))
        };
        places
            .into_iter()
            .flat_map(around)
            .filter_map(Result::ok)
            .collect()
    }

    /// A few hundred of many points, other ones for another start, so that a case is quick and cases differ.
    fn some(points: Vec<Point>, start: u16) -> Vec<Point> {
        let step = (points.len() / 300).max(1);
        points
            .into_iter()
            .skip(usize::from(start) % step)
            .step_by(step)
            .collect()
    }

    /// Bricks with bent sides: each has six neighbours, as hexagons do, and shares every vertex with them.
    /// The corners and the sides' inner vertices are moved by `wild` (0 to 1) of what keeps the sides apart.
    fn hexagons(
        columns: usize,
        rows: usize,
        size: f64,
        origin: Vertex,
        wild: f64,
        seed: u64,
    ) -> Vec<MultiPolygon> {
        let chance = |a: u64, b: u64, c: u64| {
            let mut bits = seed ^ a << 40 ^ b << 20 ^ c;
            for _ in 0..3 {
                bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            }
            (bits >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        let corner = |i: usize, j: usize| -> Vertex {
            let (a, b) = (i as u64, j as u64);
            let bend = if (i + j).is_multiple_of(2) { 0.15 } else { -0.15 };
            [
                origin[0] + size * (i as f64 * 0.5 + 0.2 * wild * chance(a, b, 1)),
                origin[1] + size * (j as f64 * 0.85 + bend + 0.2 * wild * chance(a, b, 2)),
            ]
        };
        // The vertices of a side but its last, the same from both ends.
        let side = |one: (usize, usize), other: (usize, usize)| -> Vec<Vertex> {
            let (low, high) = (one.min(other), one.max(other));
            let (a, b) = ((low.0 * 4096 + low.1) as u64, (high.0 * 4096 + high.1) as u64);
            let (from, to) = (corner(low.0, low.1), corner(high.0, high.1));
            let pieces = 1 + ((chance(a, b, 3) + 0.5) * 6.0) as u64;
            let mut line: Vec<Vertex> = vec![from];
            for piece in 1..pieces {
                let share = piece as f64 / pieces as f64;
                let aside = 0.15 * wild * chance(a, b, 10 + piece);
                let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
                line.push([
                    from[0] + share * dx - aside * dy,
                    from[1] + share * dy + aside * dx,
                ]);
            }
            line.push(to);
            if one != low {
                line.reverse();
            }
            line.pop();
            line
        };
        let mut areas = Vec::new();
        for row in 0..rows {
            for column in 0..columns {
                let i = 2 * column + row % 2;
                let corners = [
                    (i, row),
                    (i + 1, row),
                    (i + 2, row),
                    (i + 2, row + 1),
                    (i + 1, row + 1),
                    (i, row + 1),
                ];
                let ring = (0..6)
                    .flat_map(|at| side(corners[at], corners[(at + 1) % 6]))
                    .collect();
                areas.push(shape(vec![vec![ring]]));
            }
        }
        areas
    }

    #[test]
    fn a_grid_without_areas_owns_nothing() {
        assert_eq!(Grid::new([]).owner(point(0.0, 0.0)), None);
        assert_eq!(Grid::new([]).owner(point(-180.0, -90.0)), None);
        assert_eq!(LevelledGrid::new([]).deepest(point(0.0, 0.0)), None);
    }

    #[test]
    fn the_callers_own_numbers_come_back_also_the_largest() {
        let areas = [
            shape(vec![vec![square(0.0, 0.0, 1.0)]]),
            shape(vec![vec![square(1.0, 0.0, 1.0)]]),
        ];
        let grid = Grid::new([(u32::MAX, &areas[0]), (u32::MAX / 2, &areas[1])]);
        assert_eq!(grid.owner(point(0.5, 0.5)), Some(u32::MAX));
        assert_eq!(grid.owner(point(1.5, 0.5)), Some(u32::MAX / 2));
        assert_eq!(
            grid.owner(point(1.0, 0.5)),
            Some(u32::MAX / 2),
            "a shared edge belongs to the east side"
        );
    }

    #[test]
    fn a_hole_may_be_empty_or_hold_another_area() {
        let ring = shape(vec![vec![
            square(0.0, 0.0, 9.0),
            square(2.0, 2.0, 2.0),
            square(5.0, 5.0, 2.0),
        ]]);
        let island = shape(vec![vec![square(5.0, 5.0, 2.0)]]);
        let grid = grid_of(&[ring, island]);
        assert_eq!(grid.owner(point(1.0, 1.0)), Some(0));
        assert_eq!(grid.owner(point(3.0, 3.0)), None);
        assert_eq!(grid.owner(point(6.0, 6.0)), Some(1));
        assert_eq!(grid.owner(point(5.0, 5.0)), Some(1));
        assert_eq!(grid.owner(point(7.0, 7.0)), Some(0));
    }

    #[test]
    fn all_polygons_of_an_area_belong_to_it() {
        let scattered = shape(vec![vec![square(0.0, 0.0, 1.0)], vec![square(5.0, 5.0, 1.0)]]);
        let grid = grid_of(&[scattered]);
        assert_eq!(grid.owner(point(0.5, 0.5)), Some(0));
        assert_eq!(grid.owner(point(5.5, 5.5)), Some(0));
        assert_eq!(grid.owner(point(3.0, 3.0)), None);
    }

    #[test]
    fn where_areas_overlap_the_lowest_index_owns_whatever_the_order() {
        let areas: Vec<_> = (0..20)
            .map(|at| shape(vec![vec![square(f64::from(at) * 0.05, 0.0, 1.0)]]))
            .collect();
        let forward = grid_of(&areas);
        let backward = Grid::new((0..20).zip(&areas).rev());
        for step in 0..200 {
            let place = point(f64::from(step) * 0.01, 0.5);
            let lowest = owners(&areas, place).next();
            assert_eq!(forward.owner(place), lowest);
            assert_eq!(backward.owner(place), lowest);
        }
    }

    #[test]
    fn a_point_in_a_gap_of_the_cells_belongs_to_the_area_above() {
        let city = shape(vec![vec![square(0.0, 0.0, 10.0)]]);
        let town = shape(vec![vec![square(0.0, 0.0, 5.0)]]);
        let cell = shape(vec![vec![square(0.0, 0.0, 1.0)]]);
        let grid = LevelledGrid::new([(0, 7, &city), (3, 9, &cell), (1, 8, &town)]);
        assert_eq!(grid.deepest(point(0.5, 0.5)), Some(9));
        assert_eq!(grid.deepest(point(4.0, 4.0)), Some(8));
        assert_eq!(grid.deepest(point(9.0, 9.0)), Some(7));
        assert_eq!(grid.deepest(point(11.0, 9.0)), None);
        assert_eq!(grid.at_level(1, point(0.5, 0.5)), Some(8));
        assert_eq!(grid.at_level(2, point(0.5, 0.5)), None);
        assert_eq!(grid.at_level(4, point(0.5, 0.5)), None);
    }

    #[test]
    fn memory_stays_bounded_when_areas_are_long_and_lie_across_each_other() {
        // 2,000 slivers from rim to rim: every raster cell of a fine raster would be crossed by hundreds of
        // edges.
        let sliver = |at: u32| {
            let south = f64::from(at) * 0.001;
            shape(vec![vec![vec![
                [0.0, south],
                [10.0, 2.0 - south],
                [10.0, 2.0005 - south],
            ]]])
        };
        let areas: Vec<_> = (0..2_000).map(sliver).collect();
        let grid = grid_of(&areas);
        assert!(grid.heap_bytes() < 4 << 20, "{} bytes", grid.heap_bytes());
        for step in 0..300 {
            let place = point(f64::from(step) * 0.033, f64::from(step * 7 % 300) / 150.0);
            assert_eq!(grid.owner(place), owners(&areas, place).next());
        }
    }

    #[test]
    fn a_county_of_twelve_hundred_cells_takes_little_memory() {
        let areas = hexagons(40, 30, 0.01, [116.0, 39.0], 1.0, 5);
        let edges: usize = areas
            .iter()
            .flat_map(MultiPolygon::polygons)
            .map(|polygon| polygon.edges().count())
            .sum();
        let grid = grid_of(&areas);
        println!("{edges} edges, {} bytes", grid.heap_bytes());
        assert!(grid.heap_bytes() < 2 << 20);
    }

    proptest! {
        /// Every inner point has exactly one owner, and it is the grid's.
        #[test]
        fn in_a_tessellation_the_grid_agrees_with_asking_every_area(
            columns in 1..7_usize, rows in 1..7_usize, wild in 0.0..1.0_f64, seed: u64, start: u16,
            size in prop::sample::select(vec![1e-5, 0.01, 0.5, 4.0]),
            origin in prop::sample::select(vec![[0.0, 0.0], [116.3, 39.9], [-70.1, -33.0], [-60.0, -50.0]]),
            places in prop::collection::vec((-0.1..1.1_f64, -0.1..1.1_f64), 50),
        ) {
            let areas = hexagons(columns, rows, size, origin, wild, seed);
            let grid = grid_of(&areas);
            let mut points = some(hard_points(&areas, &grid), start);
            let BBox { west, south, east, north } = grid.raster.bounds;
            let scaled = |(x, y)| point(west + x * (east - west), south + y * (north - south));
            points.extend(places.into_iter().map(scaled));
            for place in points {
                let all: Vec<u32> = owners(&areas, place).collect();
                prop_assert!(all.len() <= 1, "{place:?} has the owners {all:?}");
                prop_assert_eq!(grid.owner(place), all.first().copied(), "{:?}", place);
                let (x, y) = ((place.lon - origin[0]) / size, (place.lat - origin[1]) / size);
                let (right, top) = (columns as f64 - 0.2, rows as f64 * 0.85 - 0.3);
                if (1.2..right).contains(&x) && (0.3..top).contains(&y) {
                    prop_assert_eq!(all.len(), 1, "{:?} has no owner", place);
                }
            }
        }

        /// Shapes that cross themselves and each other, with vertices on few lines, so that edges run along
        /// each other, along the axes and through vertices: the grid must still give the lowest area that has
        /// the point.
        #[test]
        fn among_broken_shapes_too_the_grid_agrees_with_asking_every_area(
            rings in prop::collection::vec(prop::collection::vec((0..9_i32, 0..9_i32), 3..12), 1..14),
            split in prop::collection::vec(0..3_u8, 14),
            step in prop::sample::select(vec![1e-12, 1e-6, 0.013, 1.0, 9.9]),
            offset in prop::sample::select(vec![0.0, 8.5, -77.7]), start: u16,
            places in prop::collection::vec((0..37_i32, 0..37_i32), 100),
        ) {
            let mut areas: Vec<Coordinates> = Vec::new();
            for (ring, split) in rings.iter().zip(split) {
                let at = |value: i32| offset + f64::from(value) * step;
                let ring: Ring = ring.iter().map(|&(x, y)| [at(x), at(y)]).collect();
                if MultiPolygon::new(vec![vec![ring.clone()]]).is_err() {
                    continue;
                }
                match (split, areas.last_mut()) {
                    (1, Some(area)) => area.push(vec![ring]),
                    (2, Some(area)) => area.last_mut().unwrap().push(ring),
                    _ => areas.push(vec![vec![ring]]),
                }
            }
            let areas: Vec<MultiPolygon> = areas.into_iter().map(shape).collect();
            let grid = grid_of(&areas);
            let mut points = some(hard_points(&areas, &grid), start);
            let quarter = |at: i32| offset + f64::from(at) * 0.25 * step;
            points.extend(places.into_iter().filter_map(|(x, y)| Point::new(quarter(x), quarter(y)).ok()));
            for place in points {
                prop_assert_eq!(grid.owner(place), owners(&areas, place).next(), "{:?}", place);
            }
        }
    }

    /// The folder of real public data that developers share; users' builds have none.
    fn shared_data() -> Option<PathBuf> {
        let shared = std::env::var_os("WHISTLE_SHARED").map(|shared| PathBuf::from(shared).join("data"));
        let above = || {
            let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
            here.ancestors()
                .map(|folder| folder.join("shared/data"))
                .find(|folder| folder.is_dir())
        };
        let found = shared.or_else(above).filter(|folder| folder.is_dir());
        if found.is_none() {
            println!("skipped: no shared/data above this crate and no WHISTLE_SHARED");
        }
        found
    }

    /// Level and shape of each area of a GeoJSON file.
    fn areas_of(file: PathBuf) -> Vec<(u8, MultiPolygon)> {
        let file: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let features = file["features"].as_array().unwrap();
        let area = |feature: &serde_json::Value| {
            let geometry = &feature["geometry"];
            let coordinates = geometry["coordinates"].clone();
            let coordinates = match geometry["type"].as_str() {
                Some("Polygon") => serde_json::Value::Array(vec![coordinates]),
                _ => coordinates,
            };
            let level = feature["properties"]["level"].as_u64().unwrap() as u8;
            (level, serde_json::from_value(coordinates).unwrap())
        };
        features.iter().map(area).collect()
    }

    #[test]
    fn of_zurichs_reports_exactly_one_lies_outside_every_zone() {
        let Some(data) = shared_data() else { return };
        let zones: Vec<_> = areas_of(data.join("zurich/areas.geojson"))
            .into_iter()
            .filter_map(|(level, shape)| (level == 3).then_some(shape))
            .collect();
        assert_eq!(zones.len(), 216);
        let square_kilometres = zones.iter().map(MultiPolygon::area).sum::<f64>() / 1e6;
        assert!(
            (square_kilometres - 91.9).abs() < 1.0,
            "Zürich has 91.9 km², not {square_kilometres}"
        );

        let grid = grid_of(&zones);
        let reports = std::fs::read_to_string(data.join("zurich/reports.csv")).unwrap();
        let mut outside = 0;
        let mut count = 0;
        for (number, report) in reports.lines().skip(1).enumerate() {
            let mut fields = report.rsplit(',').map(|field| field.parse::<f64>().unwrap());
            let (lat, lon) = (fields.next().unwrap(), fields.next().unwrap());
            let place = point(lon, lat);
            let owner = grid.owner(place);
            count += 1;
            outside += u32::from(owner.is_none());
            if number % 400 == 0 || owner.is_none() {
                assert!(owners(&zones, place).eq(owner), "{place:?}");
            }
        }
        assert_eq!((count, outside), (62_245, 1));
        for place in hard_points(&zones, &grid).into_iter().step_by(20_011) {
            assert_eq!(grid.owner(place), owners(&zones, place).next(), "{place:?}");
        }
    }

    #[test]
    fn in_new_york_every_inside_is_its_own_areas_and_central_park_is_nobodys() {
        let Some(data) = shared_data() else { return };
        let areas = areas_of(data.join("nyc/areas.geojson"));
        let grid = LevelledGrid::new(
            (0..)
                .zip(&areas)
                .map(|(index, (level, shape))| (*level, index, shape)),
        );
        for (index, (level, shape)) in (0..).zip(&areas) {
            assert_eq!(grid.at_level(*level, shape.inside_point()), Some(index));
        }
        assert_eq!(
            grid.deepest(point(-73.9654, 40.7829)),
            None,
            "the boroughs are made of districts, so they lack it too"
        );
    }
}
