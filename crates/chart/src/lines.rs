//! Lines over columns in an order, each with a mark of its own and its name at its end.

use plotters::{
    prelude::{BLACK, ChartBuilder, Circle, Cross, PathElement, Rectangle, TriangleMarker, WHITE},
    style::{
        Color,
        text_anchor::{HPos, VPos},
    },
};

use crate::{
    Chart,
    ink::{self, Area, Failed},
};

/// The most that the names at the ends take.
const NAMES: i32 = 130;

pub(crate) fn draw(chart: &Chart, area: &Area<'_>) -> Result<(), Failed> {
    let columns = chart.columns.len();
    let sizes = || {
        chart
            .rows
            .iter()
            .flat_map(|row| row.values.iter().filter_map(|value| value.size))
    };
    let end = ink::round_up(sizes().fold(0.0, f64::max) * 1.06);
    let widest = chart
        .rows
        .iter()
        .map(|row| ink::wide(&row.name, ink::SMALL))
        .max();
    let names = widest.unwrap_or(0).min(NAMES);
    let mut plot = ChartBuilder::on(area)
        .margin(ink::MARGIN)
        .margin_right(ink::MARGIN as i32 + names + 10)
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
    let pixel = |column: usize, size: f64| plot.plotting_area().map_coordinate(&(column as f64 + 0.5, size));
    let ends = [
        plot.plotting_area().map_coordinate(&(0.0, 0.0)),
        plot.plotting_area().map_coordinate(&(columns as f64, 0.0)),
    ];
    area.draw(&PathElement::new(ends, ink::thin(ink::LINE)))?;

    let widest = chart
        .columns
        .iter()
        .map(|name| ink::wide(name, ink::SMALL) + 8)
        .max()
        .unwrap_or(1);
    let step = (ends[1].0 - ends[0].0) / columns as i32;
    let every = (widest / step.max(1) + 1) as usize;
    for (column, name) in chart.columns.iter().enumerate().step_by(every) {
        let (x, y) = pixel(column, 0.0);
        ink::write(
            area,
            (x, y + 7),
            name,
            ink::text(ink::SMALL, BLACK, HPos::Center, VPos::Top),
        )?;
    }

    // Few enough points bear their numbers.
    let spoken = columns <= 13 && chart.rows.len() <= 2;
    let mut taken: Vec<i32> = Vec::new();
    for (at, row) in chart.rows.iter().enumerate() {
        let points: Vec<Option<(i32, i32)>> = row
            .values
            .iter()
            .enumerate()
            .map(|(column, value)| value.size.map(|size| pixel(column, size)))
            .collect();
        // Where there is nothing to count, the line has a gap.
        for piece in points.split(Option::is_none) {
            let piece: Vec<_> = piece.iter().flatten().copied().collect();
            area.draw(&PathElement::new(piece, ink::shade(at).stroke_width(2)))?;
        }
        for (point, value) in points.iter().zip(&row.values) {
            let Some(point) = *point else { continue };
            mark(area, at, point)?;
            if spoken {
                let below = at == 1;
                let style = ink::text(
                    ink::SMALLER,
                    BLACK,
                    HPos::Center,
                    if below { VPos::Top } else { VPos::Bottom },
                );
                let at = (point.0, if below { point.1 + 6 } else { point.1 - 6 });
                ink::write(area, at, &value.shown, style)?;
            }
        }
        if let Some(last) = points.iter().rev().flatten().next() {
            let mut y = last.1;
            while let Some(near) = taken.iter().find(|other| (**other - y).abs() < 14) {
                y = near + 14;
            }
            taken.push(y);
            mark(area, at, (ends[1].0 + 4, y))?;
            let name = ink::fitting(&row.name, ink::SMALL, NAMES);
            let style = ink::text(ink::SMALL, BLACK, HPos::Left, VPos::Center);
            ink::write(area, (ends[1].0 + 12, y), &name, style)?;
        }
    }
    Ok(())
}

fn mark(area: &Area<'_>, row: usize, at: (i32, i32)) -> Result<(), Failed> {
    let filled = ink::shade(row).filled();
    match row % 4 {
        0 => area.draw(&Circle::new(at, 3, filled)),
        1 => area.draw(&Rectangle::new(
            [(at.0 - 3, at.1 - 3), (at.0 + 3, at.1 + 3)],
            filled,
        )),
        2 => area.draw(&TriangleMarker::new(at, 5, filled)),
        _ => area.draw(&Cross::new(at, 4, ink::shade(row).stroke_width(2))),
    }
}
