//! A map of areas in five classes.

use plotters::{
    prelude::{BLACK, PathElement, Polygon, Rectangle, WHITE},
    style::{
        Color,
        text_anchor::{HPos, VPos},
    },
};

use crate::{
    Error, Value,
    ink::{self, Area, Failed},
    picture,
};

/// Classes of a map.
pub const CLASSES: usize = 5;

/// The most areas of a map.
const MAX_SHAPES: usize = 2000;

/// The height of the drawing at most, and of the legend below it.
const TALL: f64 = 460.0;
const LEGEND: i32 = 30;

/// Rings of an area, in pixels.
type Rings = Vec<Vec<(f64, f64)>>;

/// An area.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Its name.
    pub name: String,
    /// Its rings of longitude and latitude, holes too.
    pub rings: Vec<Vec<(f64, f64)>>,
    /// Its number.
    pub value: Value,
}

/// A map.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Its title, for a screen reader.
    pub title: String,
    /// What it shows, for a screen reader.
    pub description: String,
    /// What an area without a number is called in the legend.
    pub nothing: String,
    /// The areas.
    pub shapes: Vec<Shape>,
}

/// Draws a map: each class has as many areas as the others, equal numbers are of one class, areas without a number are hatched.
pub fn map(map: &Map) -> Result<String, Error> {
    let points = || {
        map.shapes
            .iter()
            .flat_map(|shape| shape.rings.iter().flatten().copied())
    };
    if points().next().is_none() {
        return Err(Error::Empty);
    }
    if map.shapes.len() > MAX_SHAPES {
        return Err(Error::Crowded {
            rows: 1,
            columns: map.shapes.len(),
        });
    }
    let span = |of: fn((f64, f64)) -> f64| {
        let least = points().map(of).fold(f64::MAX, f64::min);
        (least, points().map(of).fold(f64::MIN, f64::max))
    };
    let (west, east) = span(|point| point.0);
    let (south, north) = span(|point| point.1);
    // A degree of longitude is shorter than one of latitude, as in the middle of the map.
    let narrow = f64::midpoint(south, north).to_radians().cos().max(0.01);
    let (across, up) = (((east - west) * narrow).max(1e-9), (north - south).max(1e-9));
    let room = f64::from(ink::WIDTH - 2 * ink::MARGIN);
    let scale = (room / across).min(TALL / up);
    let left = f64::from(ink::MARGIN) + (room - across * scale) / 2.0;
    let project = |(x, y): (f64, f64)| {
        (
            left + (x - west) * narrow * scale,
            f64::from(ink::MARGIN) + (north - y) * scale,
        )
    };
    let height = (up * scale).ceil() as i32 + 2 * ink::MARGIN as i32 + LEGEND;
    picture(
        &map.title,
        &map.description,
        (ink::WIDTH, height as u32),
        |area| draw(map, area, project, height),
    )
}

fn draw(
    map: &Map,
    area: &Area<'_>,
    project: impl Fn((f64, f64)) -> (f64, f64),
    height: i32,
) -> Result<(), Failed> {
    let classes = classes(map);
    let class_of = |value: &Value| {
        let size = value.size?;
        classes.iter().position(|class| size <= class.most)
    };
    let mut shapes: Vec<(&Shape, Rings)> = map
        .shapes
        .iter()
        .map(|shape| {
            let rings = shape
                .rings
                .iter()
                .map(|ring| ring.iter().copied().map(&project).collect());
            (shape, rings.collect())
        })
        .collect();
    // The large ones first: one that lies in the hole of another is drawn over it.
    shapes.sort_by(|a, b| size(&b.1).total_cmp(&size(&a.1)));
    for (shape, rings) in &shapes {
        let Some(outer) = rings.first() else { continue };
        let points: Vec<(i32, i32)> = outer
            .iter()
            .map(|(x, y)| (x.round() as i32, y.round() as i32))
            .collect();
        if let Some(class) = class_of(&shape.value) {
            area.draw(&Polygon::new(points.clone(), ink::RAMP[class].filled()))?;
        } else {
            area.draw(&Polygon::new(points.clone(), WHITE.filled()))?;
            ink::hatch(area, rings, 7, false, ink::LINE)?;
        }
        let closed = points.iter().chain(points.first()).copied();
        area.draw(&PathElement::new(
            closed.collect::<Vec<_>>(),
            ink::thin(ink::LINE),
        ))?;
    }
    for (shape, rings) in &shapes {
        write_number(area, &shape.value, class_of(&shape.value), rings)?;
    }
    let mut x = ink::MARGIN as i32;
    let y = height - LEGEND;
    let style = || ink::text(ink::SMALL, BLACK, HPos::Left, VPos::Center);
    for (at, class) in classes.iter().enumerate() {
        area.draw(&Rectangle::new(
            [(x, y), (x + 26, y + 14)],
            ink::RAMP[at].filled(),
        ))?;
        area.draw(&Rectangle::new([(x, y), (x + 26, y + 14)], ink::thin(ink::LINE)))?;
        ink::write(area, (x + 32, y + 7), &class.said, style())?;
        x += 32 + ink::wide(&class.said, ink::SMALL) + 18;
    }
    if map.shapes.iter().any(|shape| shape.value.size.is_none()) {
        let corners = [(x, y), (x + 26, y), (x + 26, y + 14), (x, y + 14)];
        let ring = corners.map(|(x, y)| (f64::from(x), f64::from(y))).to_vec();
        ink::hatch(area, &[ring], 7, false, ink::LINE)?;
        area.draw(&Rectangle::new([corners[0], corners[2]], ink::thin(ink::LINE)))?;
        ink::write(area, (x + 32, y + 7), &map.nothing, style())?;
    }
    Ok(())
}

/// The number, in the middle of an area that has room for it.
fn write_number(
    area: &Area<'_>,
    value: &Value,
    class: Option<usize>,
    rings: &[Vec<(f64, f64)>],
) -> Result<(), Failed> {
    let (Some(outer), Some(class)) = (rings.first(), class) else {
        return Ok(());
    };
    let (x, y) = middle(outer);
    let half = f64::from(ink::wide(&value.shown, ink::SMALLER)) / 2.0 + 1.0;
    let corners = [
        (x - half, y - 5.0),
        (x + half, y - 5.0),
        (x - half, y + 5.0),
        (x + half, y + 5.0),
    ];
    if !corners.into_iter().all(|corner| inside(outer, corner)) {
        return Ok(());
    }
    let colour = if class >= ink::DARK { WHITE } else { BLACK };
    let style = ink::text(ink::SMALLER, colour, HPos::Center, VPos::Center);
    ink::write(area, (x.round() as i32, y.round() as i32), &value.shown, style)
}

struct Class {
    most: f64,
    said: String,
}

fn classes(map: &Map) -> Vec<Class> {
    let mut values: Vec<(f64, &str)> = map
        .shapes
        .iter()
        .filter_map(|shape| Some((shape.value.size?, shape.value.shown.as_str())))
        .collect();
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut classes = Vec::new();
    let mut from = 0;
    for class in 1..=CLASSES {
        let mut to = (values.len() * class).div_ceil(CLASSES).max(from);
        while to > from && to < values.len() && values[to].0 <= values[to - 1].0 {
            to += 1;
        }
        if to > from {
            let ((_, least), (most, greatest)) = (values[from], values[to - 1]);
            let said = if least == greatest {
                least.to_owned()
            } else {
                format!("{least} – {greatest}")
            };
            classes.push(Class { most, said });
            from = to;
        }
    }
    classes
}

/// Twice the area of a ring, with its sign.
fn twice(ring: &[(f64, f64)]) -> f64 {
    pairs(ring).map(|((ax, ay), (bx, by))| ax * by - bx * ay).sum()
}

fn size(rings: &[Vec<(f64, f64)>]) -> f64 {
    rings.first().map_or(0.0, |ring| twice(ring).abs())
}

fn pairs(ring: &[(f64, f64)]) -> impl Iterator<Item = ((f64, f64), (f64, f64))> {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1))
}

/// The centre of gravity.
fn middle(ring: &[(f64, f64)]) -> (f64, f64) {
    let twice = twice(ring);
    if twice.abs() < 1e-9 {
        return ring.first().copied().unwrap_or_default();
    }
    let sum = pairs(ring).fold((0.0, 0.0), |sum, ((ax, ay), (bx, by))| {
        let part = ax * by - bx * ay;
        (sum.0 + (ax + bx) * part, sum.1 + (ay + by) * part)
    });
    (sum.0 / (3.0 * twice), sum.1 / (3.0 * twice))
}

fn inside(ring: &[(f64, f64)], (x, y): (f64, f64)) -> bool {
    let crossed = pairs(ring)
        .filter(|((ax, ay), (bx, by))| (ay > &y) != (by > &y) && x < ax + (y - ay) * (bx - ax) / (by - ay));
    crossed.count() % 2 == 1
}
