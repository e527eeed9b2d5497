//! Charts and maps as SVG, made on the server: for pages, for print, for a screen reader.
//!
//! Knows numbers, names and shapes. Does not know what they count, in which language they are, or where the picture goes. What a
//! chart says is never said by colour alone: bars and lines have patterns or marks of their own and bear their numbers, and whoever
//! shows one puts the table of its data beside it.

mod heat;
mod ink;
mod lines;
mod map;
mod uprights;

use plotters::prelude::{IntoDrawingArea, SVGBackend, WHITE};

pub use map::{CLASSES, Map, Shape, map};

/// The most numbers of one chart: a year of days, or 200 areas in two rows. More are no picture.
pub const MAX_VALUES: usize = 400;

/// The most rows of one chart: as many as patterns can be told apart. A heat chart has seven, the days of a week.
pub const MAX_ROWS: usize = 7;

/// What a chart looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bars beside each other; lying down where there are many or their names are long.
    Bar,
    /// The rows of a column on top of each other.
    Stacked,
    /// A line for each row, over columns in an order.
    Line,
    /// A field for each row and column, the darker the more.
    Heat,
}

/// A number of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// How much; none where there is nothing to count.
    pub size: Option<f64>,
    /// How it is written.
    pub shown: String,
}

/// A row of numbers, one for each column.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is.
    pub name: String,
    /// One for each column.
    pub values: Vec<Value>,
}

/// A chart: rows of numbers over the same columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// What it looks like.
    pub kind: Kind,
    /// Its title, for a screen reader: whoever shows it writes it above.
    pub title: String,
    /// What it shows, in a sentence, for a screen reader.
    pub description: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Nothing is in it.
    #[error("there is nothing to draw")]
    Empty,
    /// More than a picture can show.
    #[error(
        "there are {rows} rows of {columns} numbers, more than the {MAX_ROWS} rows and {MAX_VALUES} numbers of a chart"
    )]
    Crowded {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
    },
    /// A row that has not one number for each column.
    #[error("the row {0:?} has not one number for each column")]
    Uneven(String),
    /// What the library says.
    #[error("the drawing failed: {0}")]
    Drawing(String),
}

/// Draws a chart.
pub fn svg(chart: &Chart) -> Result<String, Error> {
    let (rows, columns) = (chart.rows.len(), chart.columns.len());
    if rows == 0 || columns == 0 {
        return Err(Error::Empty);
    }
    if rows > MAX_ROWS || rows * columns > MAX_VALUES {
        return Err(Error::Crowded { rows, columns });
    }
    if let Some(row) = chart.rows.iter().find(|row| row.values.len() != columns) {
        return Err(Error::Uneven(row.name.clone()));
    }
    let size = match chart.kind {
        Kind::Bar if uprights::lying(chart) => uprights::lying_size(chart),
        Kind::Heat => heat::size(chart),
        _ => (ink::WIDTH, ink::HEIGHT),
    };
    picture(&chart.title, &chart.description, size, |area| match chart.kind {
        Kind::Bar | Kind::Stacked => uprights::draw(chart, area),
        Kind::Line => lines::draw(chart, area),
        Kind::Heat => heat::draw(chart, area),
    })
}

/// A picture with a title and a description that a screen reader says.
fn picture(
    title: &str,
    description: &str,
    size: (u32, u32),
    draw: impl FnOnce(&ink::Area<'_>) -> Result<(), ink::Failed>,
) -> Result<String, Error> {
    let failed = |error: ink::Failed| Error::Drawing(error.to_string());
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        draw(&area).map_err(failed)?;
        area.present().map_err(failed)?;
    }
    let Some((head, body)) = text.split_once('>') else {
        return Err(Error::Drawing("nothing was written".to_owned()));
    };
    let (title, description) = (ink::escaped(title), ink::escaped(description));
    Ok(format!(
        "{head} role=\"img\" class=\"chart\">\n<title>{title}</title>\n<desc>{description}</desc>{body}"
    ))
}
