//! Fields, the darker the more, each with its number where there is room.

use plotters::{
    prelude::{BLACK, Rectangle, WHITE},
    style::{
        Color,
        text_anchor::{HPos, VPos},
    },
};

use crate::{
    Chart,
    ink::{self, Area, Failed},
};

const FIELD: i32 = 26;
const NAMES: i32 = 90;

pub(crate) fn size(chart: &Chart) -> (u32, u32) {
    (
        ink::WIDTH,
        (2 * ink::MARGIN as i32 + 22 + chart.rows.len() as i32 * FIELD) as u32,
    )
}

pub(crate) fn draw(chart: &Chart, area: &Area<'_>) -> Result<(), Failed> {
    let margin = ink::MARGIN as i32;
    let widest = chart
        .rows
        .iter()
        .map(|row| ink::wide(&row.name, ink::SMALL))
        .max();
    let left = margin + widest.unwrap_or(0).min(NAMES) + 8;
    let right = ink::WIDTH as i32 - margin;
    let columns = chart.columns.len() as i32;
    let x = |column: i32| left + (right - left) * column / columns;
    let sizes = || {
        chart
            .rows
            .iter()
            .flat_map(|row| row.values.iter().filter_map(|value| value.size))
    };
    let most = sizes().fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    for (column, name) in chart.columns.iter().enumerate() {
        let middle = i32::midpoint(x(column as i32), x(column as i32 + 1));
        ink::write(
            area,
            (middle, margin + 16),
            name,
            ink::text(ink::SMALLER, BLACK, HPos::Center, VPos::Bottom),
        )?;
    }
    for (at, row) in chart.rows.iter().enumerate() {
        let top = margin + 20 + at as i32 * FIELD;
        let style = ink::text(ink::SMALL, BLACK, HPos::Right, VPos::Center);
        ink::write(
            area,
            (left - 6, top + FIELD / 2),
            &ink::fitting(&row.name, ink::SMALL, NAMES),
            style,
        )?;
        for (column, value) in row.values.iter().enumerate() {
            let (from, to) = (x(column as i32), x(column as i32 + 1));
            let field = [(from, top), (to, top + FIELD)];
            let class = value.size.map(|size| class(size, most));
            if let Some(class) = class {
                area.draw(&Rectangle::new(field, ink::RAMP[class].filled()))?;
            }
            area.draw(&Rectangle::new(field, ink::thin(WHITE)))?;
            if ink::wide(&value.shown, ink::SMALLER) < to - from {
                let colour = if class >= Some(ink::DARK) { WHITE } else { BLACK };
                let style = ink::text(ink::SMALLER, colour, HPos::Center, VPos::Center);
                ink::write(
                    area,
                    (i32::midpoint(from, to), top + FIELD / 2),
                    &value.shown,
                    style,
                )?;
            }
        }
    }
    Ok(())
}

fn class(size: f64, most: f64) -> usize {
    let steps = ink::RAMP.len();
    ((size / most * steps as f64) as usize).min(steps - 1)
}
