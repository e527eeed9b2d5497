//! What all pictures share: measures, shades, patterns, type.

use plotters::{
    coord::Shift,
    prelude::{
        BLACK, Color, DrawingArea, DrawingAreaErrorKind, IntoFont, PathElement, RGBColor, Rectangle,
        SVGBackend, Text, WHITE,
    },
    style::{
        ShapeStyle, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type Failed = DrawingAreaErrorKind<std::io::Error>;

/// As wide as the text of a page of A4, in pixels of a page.
pub(crate) const WIDTH: u32 = 720;
pub(crate) const HEIGHT: u32 = 320;
pub(crate) const MARGIN: u32 = 14;
/// The height of the line that names the rows.
pub(crate) const LEGEND: i32 = 26;
pub(crate) const SMALL: f64 = 12.0;
pub(crate) const SMALLER: f64 = 10.5;

/// The first that is there; the first one is what a briefing is printed with.
const FAMILY: &str =
    "Noto Sans SC, Noto Sans CJK SC, Source Han Sans SC, PingFang SC, Microsoft YaHei, sans-serif";

pub(crate) const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
pub(crate) const LINE: RGBColor = RGBColor(0x55, 0x55, 0x55);

/// Colours that differ in lightness too, so that a copy in grey can be read. The fourth and following begin anew with another pattern.
const SHADES: [RGBColor; 7] = [
    RGBColor(0x1f, 0x4e, 0x79),
    RGBColor(0xe0, 0x9f, 0x3e),
    RGBColor(0x54, 0x8c, 0x5e),
    RGBColor(0x9e, 0x2a, 0x2b),
    RGBColor(0x8d, 0xa9, 0xc4),
    RGBColor(0x6b, 0x4e, 0x71),
    RGBColor(0x3a, 0x3a, 0x3a),
];

/// From light to dark, for five classes and for fields.
pub(crate) const RAMP: [RGBColor; 5] = [
    RGBColor(0xea, 0xf1, 0xf8),
    RGBColor(0xbc, 0xd3, 0xe8),
    RGBColor(0x7f, 0xab, 0xd1),
    RGBColor(0x3d, 0x78, 0xac),
    RGBColor(0x17, 0x43, 0x6e),
];

/// From which of [`RAMP`] on letters are white.
pub(crate) const DARK: usize = 3;

pub(crate) fn shade(row: usize) -> RGBColor {
    SHADES[row % SHADES.len()]
}

pub(crate) fn thin(colour: RGBColor) -> ShapeStyle {
    colour.stroke_width(1)
}

/// Text whose anchor is where it stands.
pub(crate) fn text(size: f64, colour: RGBColor, across: HPos, down: VPos) -> TextStyle<'static> {
    (FAMILY, size)
        .into_font()
        .color(&colour)
        .pos(Pos::new(across, down))
}

pub(crate) fn write(
    area: &Area<'_>,
    at: (i32, i32),
    said: &str,
    style: TextStyle<'static>,
) -> Result<(), Failed> {
    area.draw(&Text::new(said.to_owned(), at, style))
}

/// A box of a row: its colour, and the row's own pattern over it.
pub(crate) fn patterned(area: &Area<'_>, row: usize, from: (i32, i32), to: (i32, i32)) -> Result<(), Failed> {
    let (left, right) = (from.0.min(to.0), from.0.max(to.0));
    let (top, bottom) = (from.1.min(to.1), from.1.max(to.1));
    area.draw(&Rectangle::new(
        [(left, top), (right, bottom)],
        shade(row).filled(),
    ))?;
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        .map(|(x, y)| (f64::from(x), f64::from(y)));
    match row % 4 {
        0 => Ok(()),
        1 => hatch(area, &[corners.to_vec()], 6, false, WHITE),
        2 => hatch(area, &[corners.to_vec()], 6, true, WHITE),
        _ => {
            hatch(area, &[corners.to_vec()], 8, false, WHITE)?;
            hatch(area, &[corners.to_vec()], 8, true, WHITE)
        }
    }
}

/// Slanted lines inside rings, every `step` pixels: up to the right, or `falling`.
pub(crate) fn hatch(
    area: &Area<'_>,
    rings: &[Vec<(f64, f64)>],
    step: usize,
    falling: bool,
    colour: RGBColor,
) -> Result<(), Failed> {
    // On such a line x + y (or x − y) is the same everywhere, so it is known by that and its points by x.
    let slant = |(x, y): (f64, f64)| if falling { x - y } else { x + y };
    let all = || rings.iter().flatten().copied().map(slant);
    let (least, most) = (all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max));
    if least > most {
        return Ok(());
    }
    let mut along = (least / step as f64).ceil() * step as f64 + 0.5;
    while along < most {
        let mut crossings: Vec<f64> = Vec::new();
        for ring in rings {
            for (at, &from) in ring.iter().enumerate() {
                let to = ring[(at + 1) % ring.len()];
                let (before, after) = (slant(from) - along, slant(to) - along);
                if (before < 0.0) != (after < 0.0) {
                    crossings.push(from.0 + (to.0 - from.0) * before / (before - after));
                }
            }
        }
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let point = |x: f64| {
                let y = if falling { x - along } else { along - x };
                (x.round() as i32, y.round() as i32)
            };
            area.draw(&PathElement::new([point(pair[0]), point(pair[1])], thin(colour)))?;
        }
        along += step as f64;
    }
    Ok(())
}

/// About how wide a text is in pixels: a Chinese letter is as wide as high, others are half of it.
pub(crate) fn wide(said: &str, size: f64) -> i32 {
    let em: f64 = said
        .chars()
        .map(|letter| if u32::from(letter) >= 0x2e80 { 1.0 } else { 0.58 })
        .sum();
    (em * size).ceil() as i32
}

/// As many letters of a text as fit, with a mark where some are left out.
pub(crate) fn fitting(said: &str, size: f64, room: i32) -> String {
    if wide(said, size) <= room {
        return said.to_owned();
    }
    let mut kept = String::new();
    for letter in said.chars() {
        kept.push(letter);
        if wide(&kept, size) + size as i32 > room {
            kept.pop();
            break;
        }
    }
    kept + "…"
}

/// The line that names the rows, each beside a box of its pattern.
pub(crate) fn legend(area: &Area<'_>, names: &[&str]) -> Result<(), Failed> {
    let mut x = MARGIN as i32;
    for (row, name) in names.iter().enumerate() {
        patterned(area, row, (x, 8), (x + 22, 20))?;
        area.draw(&Rectangle::new([(x, 8), (x + 22, 20)], thin(LINE)))?;
        write(
            area,
            (x + 28, 14),
            name,
            text(SMALL, BLACK, HPos::Left, VPos::Center),
        )?;
        x += 28 + wide(name, SMALL) + 22;
    }
    Ok(())
}

/// A round number that is at least as large, for the end of an axis.
pub(crate) fn round_up(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(most.log10().floor());
    let step = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    step.into_iter()
        .map(|step| step * power)
        .find(|end| *end >= most)
        .unwrap_or(10.0 * power)
}

/// A number beside an axis.
pub(crate) fn tick(value: f64) -> String {
    let rounded = (value * 1000.0).round() / 1000.0;
    rounded.to_string()
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
