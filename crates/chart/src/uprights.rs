//! Bars: standing, on top of each other, or lying where there are many or their names are long.

use plotters::{
    prelude::{BLACK, ChartBuilder, PathElement, WHITE},
    style::{
        Color,
        text_anchor::{HPos, VPos},
    },
};

use crate::{
    Chart, Kind,
    ink::{self, Area, Failed},
};

/// More bars than these lie down, so that their names stand beside them.
const STANDING: usize = 13;
/// The height of a lying bar and its gap.
const BAR: i32 = 18;
/// The most that names of lying bars take.
const NAMES: i32 = 180;

pub(crate) fn lying(chart: &Chart) -> bool {
    let room = (ink::WIDTH as i32 - 80) / chart.columns.len() as i32;
    chart.kind == Kind::Bar
        && (chart.columns.len() * chart.rows.len() > STANDING * 2
            || chart.columns.len() > STANDING
            || chart
                .columns
                .iter()
                .any(|name| ink::wide(name, ink::SMALL) > room))
}

pub(crate) fn lying_size(chart: &Chart) -> (u32, u32) {
    let bars = chart.columns.len() * chart.rows.len() + chart.columns.len() / 2;
    (
        ink::WIDTH,
        (ink::LEGEND + 2 * ink::MARGIN as i32 + bars as i32 * BAR) as u32,
    )
}

pub(crate) fn draw(chart: &Chart, area: &Area<'_>) -> Result<(), Failed> {
    if lying(chart) {
        draw_lying(chart, area)
    } else {
        draw_standing(chart, area)
    }
}

fn largest(chart: &Chart) -> f64 {
    let columns = 0..chart.columns.len();
    let sizes = |column: usize| chart.rows.iter().filter_map(move |row| row.values[column].size);
    match chart.kind {
        Kind::Stacked => columns.map(|column| sizes(column).sum()).fold(0.0, f64::max),
        _ => columns.flat_map(sizes).fold(0.0, f64::max),
    }
}

fn names(chart: &Chart) -> Vec<&str> {
    chart.rows.iter().map(|row| row.name.as_str()).collect()
}

fn draw_standing(chart: &Chart, area: &Area<'_>) -> Result<(), Failed> {
    ink::legend(area, &names(chart))?;
    let (columns, rows) = (chart.columns.len(), chart.rows.len());
    let end = ink::round_up(largest(chart) * 1.06);
    let mut plot = ChartBuilder::on(area)
        .margin(ink::MARGIN)
        .margin_top(ink::LEGEND + 12)
        .x_label_area_size(24)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..columns as f64, 0.0..end)?;
    plot.configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_labels(5)
        .light_line_style(WHITE.mix(0.0))
        .bold_line_style(ink::thin(ink::GRID))
        .axis_style(ink::thin(ink::LINE))
        .y_label_style(ink::text(ink::SMALL, BLACK, HPos::Right, VPos::Center))
        .y_label_formatter(&|value| ink::tick(*value))
        .draw()?;
    let pixel = |x: f64, y: f64| plot.plotting_area().map_coordinate(&(x, y));
    let room = pixel(1.0, 0.0).0 - pixel(0.0, 0.0).0;
    for column in 0..columns {
        let mut below = 0.0;
        for (at, row) in chart.rows.iter().enumerate() {
            let value = &row.values[column];
            let size = value.size.unwrap_or(0.0);
            let (left, right, foot) = match chart.kind {
                Kind::Stacked => (0.18, 0.82, below),
                _ => (
                    0.12 + 0.76 * at as f64 / rows as f64,
                    0.12 + 0.76 * (at + 1) as f64 / rows as f64,
                    0.0,
                ),
            };
            below += size;
            let from = pixel(column as f64 + left, foot);
            let to = pixel(column as f64 + right, foot + size);
            if size > 0.0 {
                ink::patterned(area, at, from, to)?;
            }
            let middle = i32::midpoint(from.0, to.0);
            let fits = ink::wide(&value.shown, ink::SMALLER) <= (to.0 - from.0).max(room / rows as i32) + 4;
            match chart.kind {
                // Inside, on a ground of its own, where there is room for it; the table says the others.
                Kind::Stacked if fits && from.1 - to.1 >= 16 => {
                    let (half, centre) = (
                        ink::wide(&value.shown, ink::SMALLER) / 2 + 2,
                        i32::midpoint(from.1, to.1),
                    );
                    let ground = [(middle - half, centre - 7), (middle + half, centre + 7)];
                    area.draw(&plotters::prelude::Rectangle::new(ground, WHITE.filled()))?;
                    let style = ink::text(ink::SMALLER, BLACK, HPos::Center, VPos::Center);
                    ink::write(area, (middle, centre), &value.shown, style)?;
                }
                Kind::Stacked => {}
                _ if fits => {
                    let style = ink::text(ink::SMALLER, BLACK, HPos::Center, VPos::Bottom);
                    ink::write(area, (middle, to.1 - 2), &value.shown, style)?;
                }
                _ => {}
            }
        }
        let (x, y) = pixel(column as f64 + 0.5, 0.0);
        let name = ink::fitting(&chart.columns[column], ink::SMALL, room);
        ink::write(
            area,
            (x, y + 7),
            &name,
            ink::text(ink::SMALL, BLACK, HPos::Center, VPos::Top),
        )?;
    }
    let ground = [pixel(0.0, 0.0), pixel(columns as f64, 0.0)];
    area.draw(&PathElement::new(ground, ink::thin(ink::LINE)))
}

fn draw_lying(chart: &Chart, area: &Area<'_>) -> Result<(), Failed> {
    ink::legend(area, &names(chart))?;
    let widest = |texts: &mut dyn Iterator<Item = &String>| {
        texts.map(|text| ink::wide(text, ink::SMALL)).max().unwrap_or(0)
    };
    let left = ink::MARGIN as i32 + widest(&mut chart.columns.iter()).min(NAMES) + 8;
    let shown = widest(
        &mut chart
            .rows
            .iter()
            .flat_map(|row| row.values.iter().map(|value| &value.shown)),
    );
    let length = f64::from(ink::WIDTH as i32 - left - shown - 6 - ink::MARGIN as i32);
    let largest = largest(chart).max(f64::MIN_POSITIVE);
    let mut y = ink::LEGEND + ink::MARGIN as i32;
    for (column, name) in chart.columns.iter().enumerate() {
        let height = BAR * chart.rows.len() as i32;
        let name = ink::fitting(name, ink::SMALL, NAMES);
        let style = ink::text(ink::SMALL, BLACK, HPos::Right, VPos::Center);
        ink::write(area, (left - 6, y + height / 2), &name, style)?;
        for (at, row) in chart.rows.iter().enumerate() {
            let value = &row.values[column];
            let right = left + (length * value.size.unwrap_or(0.0).max(0.0) / largest).round() as i32;
            if right > left {
                ink::patterned(area, at, (left, y + 3), (right, y + BAR - 2))?;
            }
            let style = ink::text(ink::SMALL, BLACK, HPos::Left, VPos::Center);
            ink::write(area, (right + 5, y + BAR / 2), &value.shown, style)?;
            y += BAR;
        }
        if column % 2 == 1 {
            y += BAR / 2;
        }
    }
    let top = ink::LEGEND + ink::MARGIN as i32 - 4;
    area.draw(&PathElement::new([(left, top), (left, y)], ink::thin(ink::LINE)))
}
