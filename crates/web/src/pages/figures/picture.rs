//! Charts and maps of answers, each with the table of its numbers behind it.

use whistle_chart::{Chart, Kind, MAX_VALUES, Map, Row, Shape, Value};
use whistle_domain::place::AreaIndex;
use whistle_figures::indicator::{Answer, Cut, Figures, Key, Unit};

use super::number::Shown;
use crate::pages::page::Page;

/// A chart with the table behind it.
pub(crate) struct Picture {
    /// What it is, over it.
    pub(crate) title: String,
    /// The SVG; none where there is nothing to draw.
    pub(crate) svg: Option<String>,
    /// The table.
    pub(crate) table: Table,
}

/// Numbers with heads.
pub(crate) struct Table {
    /// Of the first column, then of each other.
    pub(crate) heads: Vec<String>,
    pub(crate) rows: Vec<TableRow>,
}

/// A row of a table.
pub(crate) struct TableRow {
    pub(crate) name: String,
    /// Where its own figures are.
    pub(crate) page: Option<String>,
    pub(crate) cells: Vec<TableCell>,
}

/// A cell of a table.
pub(crate) struct TableCell {
    pub(crate) shown: Shown,
    /// Where its rows are.
    pub(crate) rows: Option<String>,
}

/// Which way an answer is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Draw {
    /// Bars beside each other.
    Bars,
    /// Lines over time.
    Lines,
}

/// Whether there is anything to see on a chart.
fn is_something(chart: &Chart) -> bool {
    let mut values = chart.rows.iter().flat_map(|row| &row.values);
    values.any(|value| value.size.is_some_and(|size| size > 0.0))
}

/// The rings of an area's largest piece: islands would be specks, and its number is written once.
fn rings(shape: &whistle_domain::geometry::MultiPolygon) -> Vec<Vec<(f64, f64)>> {
    let largest = shape
        .polygons()
        .iter()
        .max_by(|a, b| a.area().total_cmp(&b.area()));
    let rings = largest
        .into_iter()
        .flat_map(whistle_domain::geometry::Polygon::rings);
    rings
        .map(|ring| ring.iter().map(|[lon, lat]| (*lon, *lat)).collect())
        .collect()
}

impl Page {
    /// What each indicator of an answer is called.
    fn headings(&self, answer: &Answer) -> Vec<String> {
        let label = |code: &str| {
            let found = whistle_service::indicator::indicator(&self.here, code);
            found.map_or_else(|_| code.to_owned(), |it| self.label(it))
        };
        answer
            .headings
            .iter()
            .map(|heading| label(&heading.code))
            .collect()
    }

    /// An answer as a table. `rows` says where the rows of a cell are, `page` where the figures of a row.
    pub(crate) fn table_of(
        &self,
        answer: &Answer,
        cut: Cut,
        head: String,
        rows: &dyn Fn(&str, &Key) -> Option<String>,
    ) -> Table {
        let mut heads = vec![head];
        heads.extend(self.headings(answer));
        let line = |row: &Figures| {
            let key = row.key.as_ref()?;
            let cells = answer
                .headings
                .iter()
                .zip(&row.now)
                .map(|(heading, figure)| TableCell {
                    shown: self.figure(figure, heading.unit),
                    rows: rows(&heading.code, key).filter(|_| figure.denominator > 0),
                });
            Some(TableRow {
                name: self.key_name(cut, key),
                page: self.key_page(cut, key, answer.period),
                cells: cells.collect(),
            })
        };
        Table {
            heads,
            rows: answer.rows.iter().filter_map(line).collect(),
        }
    }

    /// An answer as a chart: a row for each indicator, a column for each row of the table.
    pub(crate) fn picture_of(&self, title: String, answer: &Answer, draw: Draw, table: Table) -> Picture {
        let steps = answer.rows.iter().map(|row| match &row.key {
            Some(Key::Step(step)) => Some(self.step(*step)),
            _ => None,
        });
        let steps: Option<Vec<String>> = steps.collect();
        let columns = steps.filter(|steps| steps.len() == table.rows.len());
        self.chart(title, draw, columns, table)
    }

    /// A table as a chart.
    pub(crate) fn chart(
        &self,
        title: String,
        draw: Draw,
        columns: Option<Vec<String>>,
        table: Table,
    ) -> Picture {
        let names = || table.rows.iter().map(|row| row.name.clone()).collect();
        let value = |row: &TableRow, at: usize| {
            let shown = row.cells.get(at).map(|cell| &cell.shown);
            Value {
                size: shown.and_then(|shown| shown.size),
                shown: shown.map(|shown| shown.text.clone()).unwrap_or_default(),
            }
        };
        let rows = table.heads.iter().skip(1).enumerate().map(|(at, name)| Row {
            name: name.clone(),
            values: table.rows.iter().map(|row| value(row, at)).collect(),
        });
        let chart = Chart {
            kind: if draw == Draw::Lines {
                Kind::Line
            } else {
                Kind::Bar
            },
            title: title.clone(),
            description: self.description(&table),
            columns: columns.unwrap_or_else(names),
            rows: rows.collect(),
        };
        let fits = chart.columns.len() * chart.rows.len() <= MAX_VALUES;
        Picture {
            svg: if is_something(&chart) && fits {
                self.drawn(whistle_chart::svg(&chart))
            } else {
                None
            },
            title,
            table,
        }
    }

    /// What a screen reader says of a chart before the table.
    fn description(&self, table: &Table) -> String {
        self.x("figures-chart", &table.heads[1..].join(&self.t("figures-and")))
    }

    fn drawn(&self, drawn: Result<String, whistle_chart::Error>) -> Option<String> {
        match drawn {
            Ok(svg) => Some(svg),
            Err(error) => {
                tracing::warn!(request_id = self.request_id, %error, "a chart could not be drawn");
                None
            }
        }
    }

    /// Cases by hour and weekday.
    pub(crate) fn heat_of(
        &self,
        title: String,
        answer: &Answer,
        rows: &dyn Fn(&str, &Key) -> Option<String>,
    ) -> Picture {
        let weekdays: Vec<String> = (1..=7)
            .map(|day| self.t(&format!("figures-weekday-{day}")))
            .collect();
        let unit = answer
            .headings
            .first()
            .map_or(Unit::Count, |heading| heading.unit);
        let code = answer
            .headings
            .first()
            .map_or("", |heading| heading.code.as_str());
        let mut cells: Vec<Vec<TableCell>> = Vec::new();
        for weekday in 0..7 {
            let hours = (0..24).map(|hour| {
                let key = Key::Hour { weekday, hour };
                let found = answer.rows.iter().find(|row| row.key.as_ref() == Some(&key));
                let figure = found.and_then(|row| row.now.first()).copied().unwrap_or_default();
                TableCell {
                    shown: self.figure(&figure, unit),
                    rows: rows(code, &key).filter(|_| figure.denominator > 0),
                }
            });
            cells.push(hours.collect());
        }
        let columns: Vec<String> = (0..24).map(|hour| format!("{hour:02}")).collect();
        let values = |cells: &Vec<TableCell>| {
            let value = |cell: &TableCell| Value {
                size: cell.shown.size,
                shown: cell.shown.text.clone(),
            };
            cells.iter().map(value).collect()
        };
        let chart = Chart {
            kind: Kind::Heat,
            title: title.clone(),
            description: self.t("figures-heat-chart"),
            columns: columns.clone(),
            rows: weekdays
                .iter()
                .zip(&cells)
                .map(|(name, cells)| Row {
                    name: name.clone(),
                    values: values(cells),
                })
                .collect(),
        };
        let mut heads = vec![self.t("figures-weekday")];
        heads.extend(columns);
        let lines = weekdays.into_iter().zip(cells).map(|(name, cells)| TableRow {
            name,
            page: None,
            cells,
        });
        Picture {
            svg: if is_something(&chart) {
                self.drawn(whistle_chart::svg(&chart))
            } else {
                None
            },
            title,
            table: Table {
                heads,
                rows: lines.collect(),
            },
        }
    }

    /// The first indicator of an answer by area, as a map. Areas that an answer has no row for are not on it.
    pub(crate) fn map_of(&self, title: String, answer: &Answer, table: Table) -> Picture {
        let areas = &self.here.place.areas;
        let shape = |(row, line): (&Figures, &TableRow)| {
            let Some(Key::Code(code)) = &row.key else {
                return None;
            };
            let area = areas.get(areas.find(code)?);
            let shown = &line.cells.first()?.shown;
            Some(Shape {
                name: line.name.clone(),
                rings: rings(&area.shape),
                value: Value {
                    size: shown.size,
                    shown: shown.text.clone(),
                },
            })
        };
        let keyed = answer.rows.iter().filter(|row| row.key.is_some());
        let map = Map {
            title: title.clone(),
            description: self.description(&table),
            nothing: self.t("figures-no-number"),
            shapes: keyed.zip(&table.rows).filter_map(shape).collect(),
        };
        Picture {
            svg: if map.shapes.is_empty() {
                None
            } else {
                self.drawn(whistle_chart::map(&map))
            },
            title,
            table,
        }
    }

    /// Leaves the rows of areas within one.
    pub(crate) fn within(&self, answer: &Answer, area: Option<AreaIndex>) -> Answer {
        let areas = &self.here.place.areas;
        let lies_within = |row: &Figures| match (&row.key, area) {
            (_, None) => true,
            (Some(Key::Code(code)), Some(outer)) => areas
                .find(code)
                .is_some_and(|inner| areas.is_within(inner, outer)),
            // Of cases that are in no area of the level there is something to say where there are some.
            (_, Some(_)) => row
                .now
                .iter()
                .any(|figure| figure.denominator > 0 || figure.is_masked),
        };
        Answer {
            rows: answer
                .rows
                .iter()
                .filter(|row| lies_within(row))
                .cloned()
                .collect(),
            ..answer.clone()
        }
    }

    /// The rows of an answer, those with the most of its first indicator first, at most so many.
    pub(crate) fn most_first(answer: &Answer, most: usize) -> Answer {
        let mut rows = answer.rows.clone();
        rows.sort_by_key(|row| std::cmp::Reverse(row.now.first().map_or(0, |figure| figure.numerator)));
        rows.retain(|row| {
            row.now
                .iter()
                .any(|figure| figure.denominator > 0 || figure.is_masked)
        });
        rows.truncate(most);
        Answer {
            rows,
            ..answer.clone()
        }
    }
}
