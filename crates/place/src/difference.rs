//! What would change: two folders compared by code, not by line.

use std::{collections::BTreeMap, fmt};

use geo::BooleanOps as _;
use serde::Serialize;
use whistle_domain::{escalation::Mark, limit::Limit};

use crate::{
    areas::{self, Plain, square_metres},
    calendar::CALENDAR,
    escalations::ESCALATIONS,
    fault::Faults,
    folder::{Folder, text_folder},
    indicators, jurisdiction,
    rounds::ROUNDS,
    routing::ROUTING,
    services::{QUESTIONS, SERVICES},
    standards::STANDARDS,
    table::{self, Layout, Row},
    tiling,
    units::{POSTS, UNITS},
    whistles::WHISTLES,
};

/// What happens to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sign {
    /// It is new.
    Added,
    /// It is no longer there.
    Removed,
    /// It is another than before.
    Changed,
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What happens.
    pub sign: Sign,
    /// The kind of thing: "unit", "standard", "setting".
    pub thing: String,
    /// Its code or key.
    pub code: String,
    /// Its name, or what is different, from → to.
    pub detail: String,
    /// The file that says so.
    pub file: String,
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.sign {
            Sign::Added => '+',
            Sign::Removed => '-',
            Sign::Changed => '~',
        };
        write!(out, "{sign} {} {}", self.thing, self.code)?;
        if !self.detail.is_empty() {
            write!(out, ": {}", self.detail)?;
        }
        Ok(())
    }
}

/// What applying `new` changes in `old`; `None` is a place that does not exist yet. Both may have faults: what cannot
/// be read is left out. In the order of the files, and in each by code.
pub fn difference(old: Option<&Folder>, new: &Folder) -> Vec<Change> {
    let nothing = Folder::default();
    let old = old.unwrap_or(&nothing);
    let mut changes = Vec::new();
    setting_changes(old, new, &mut changes);
    indicator_changes(old, new, &mut changes);
    area_changes(old, new, &mut changes);
    for table in TABLES {
        table_changes(table, old, new, &mut changes);
    }
    text_changes(old, new, &mut changes);
    changes
}

/// A CSV file, what one row is, and the columns that tell rows apart.
struct Keyed {
    layout: &'static Layout,
    thing: &'static str,
    key: &'static [&'static str],
}

const TABLES: &[Keyed] = &[
    Keyed {
        layout: &UNITS,
        thing: "unit",
        key: &["code"],
    },
    Keyed {
        layout: &POSTS,
        thing: "post",
        key: &["code"],
    },
    Keyed {
        layout: &SERVICES,
        thing: "service",
        key: &["code"],
    },
    Keyed {
        layout: &QUESTIONS,
        thing: "question",
        key: &["service", "code"],
    },
    Keyed {
        layout: &STANDARDS,
        thing: "standard",
        key: &["code"],
    },
    Keyed {
        layout: &ROUTING,
        thing: "rule",
        key: &["matter", "area"],
    },
    Keyed {
        layout: &ESCALATIONS,
        thing: "step",
        key: &["ladder", "clock", "at", "to"],
    },
    Keyed {
        layout: &WHISTLES,
        thing: "kind of whistle",
        key: &["code"],
    },
    Keyed {
        layout: &ROUNDS,
        thing: "stop",
        key: &["code"],
    },
    Keyed {
        layout: &CALENDAR,
        thing: "date",
        key: &["date"],
    },
];

fn table_changes(table: &Keyed, old: &Folder, new: &Folder, changes: &mut Vec<Change>) {
    let rows = |folder: &Folder| -> BTreeMap<String, Row> {
        let bytes = folder.file(table.layout.file);
        let read = bytes.and_then(|bytes| table::read(table.layout, bytes, &mut Faults::default()));
        let rows = read.map(|table| table.rows).unwrap_or_default();
        rows.into_iter().map(|row| (key(table, &row), row)).collect()
    };
    pairwise(&rows(old), &rows(new), |code, sign, before, after| {
        let detail = match (before, after) {
            (Some(before), Some(after)) => {
                let differing = before
                    .cells()
                    .zip(after.cells())
                    .filter_map(|((column, from), (_, to))| {
                        let (from, to) = (meaning(column, from), meaning(column, to));
                        (from != to).then(|| format!("{column} {} → {}", or_nothing(&from), or_nothing(&to)))
                    });
                differing.collect::<Vec<_>>().join(", ")
            }
            (Some(row), None) | (None, Some(row)) => summary(table, row),
            (None, None) => String::new(),
        };
        if sign != Sign::Changed || !detail.is_empty() {
            changes.push(Change {
                sign,
                thing: table.thing.to_owned(),
                code: code.to_owned(),
                detail,
                file: table.layout.file.to_owned(),
            });
        }
    });
}

fn key(table: &Keyed, row: &Row) -> String {
    let parts = table.key.iter().map(|column| meaning(column, row.cell(column)));
    parts.collect::<Vec<_>>().join(" ")
}

/// What a new or removed row is, in a few words.
fn summary(table: &Keyed, row: &Row) -> String {
    let columns: &[&str] = match table.layout.file {
        "standards.csv" => &["service", "condition", "resolve"],
        "routing.csv" => &["unit"],
        "calendar.csv" => &["kind", "name"],
        "questions.csv" => &["label"],
        "escalations.csv" => &[],
        _ => &["name"],
    };
    let cells = columns
        .iter()
        .map(|column| row.cell(column))
        .filter(|cell| !cell.is_empty());
    cells.collect::<Vec<_>>().join(", ")
}

/// A cell without the ways of writing that make no difference.
fn meaning(column: &str, cell: &str) -> String {
    match column {
        "triage" | "sign" | "contact" | "report_in" | "resolve" | "verify" | "leave" => cell
            .parse::<Limit>()
            .map_or_else(|_| cell.to_owned(), |limit| limit.to_string()),
        "public" | "default" | "variable" | "required" => match crate::text::yes_no(cell) {
            Some(true) => "yes".to_owned(),
            Some(false) => "no".to_owned(),
            None => cell.to_owned(),
        },
        "every" => crate::rounds::days(cell).map_or_else(|| cell.to_owned(), |days| days.to_string()),
        "at" => cell
            .parse::<Mark>()
            .map_or_else(|_| cell.to_owned(), |mark| mark.to_string()),
        "area" if cell.is_empty() => "*".to_owned(),
        "date" => crate::calendar::read_date(cell).map_or_else(|| cell.to_owned(), |date| date.to_string()),
        _ => cell.to_owned(),
    }
}

fn or_nothing(text: &str) -> &str {
    match text {
        "" => "nothing",
        text => text,
    }
}

fn setting_changes(old: &Folder, new: &Folder, changes: &mut Vec<Change>) {
    let file = jurisdiction::FILE;
    let values = |folder: &Folder| folder.file(file).map(jurisdiction::flat).unwrap_or_default();
    pairwise(&values(old), &values(new), |code, sign, before, after| {
        let detail = match (before, after) {
            (Some(from), Some(to)) if from == to => return,
            (Some(from), Some(to)) => format!("{from} → {to}"),
            (one, other) => one.or(other).cloned().unwrap_or_default(),
        };
        changes.push(Change {
            sign,
            thing: "setting".to_owned(),
            code: code.to_owned(),
            detail,
            file: file.to_owned(),
        });
    });
}

fn indicator_changes(old: &Folder, new: &Folder, changes: &mut Vec<Change>) {
    let file = indicators::FILE;
    let declared = |folder: &Folder| folder.file(file).map(indicators::declared).unwrap_or_default();
    pairwise(&declared(old), &declared(new), |code, sign, before, after| {
        let detail = match (before, after) {
            (Some(before), Some(after)) => {
                let mut differing = Vec::new();
                pairwise(before, after, |key, _, from, to| {
                    if from != to {
                        let shown =
                            |value: Option<&String>| value.map_or("nothing", String::as_str).to_owned();
                        differing.push(format!("{key} {} → {}", shown(from), shown(to)));
                    }
                });
                if differing.is_empty() {
                    return;
                }
                differing.join(", ")
            }
            (one, other) => {
                let keys = one.or(other);
                let label = ["label.zh", "label", "label.en", "says"];
                let label = label.iter().find_map(|key| keys.and_then(|keys| keys.get(*key)));
                label.cloned().unwrap_or_default()
            }
        };
        // Of an indicator that takes the place of a shipped one, the plan says so.
        let is_shipped = whistle_figures::indicator::Book::shipped().get(code).is_some();
        let detail = match (is_shipped, sign) {
            (true, Sign::Added) => format!("{detail}, instead of the shipped one"),
            (true, Sign::Removed) => format!("{detail}, the shipped one counts again"),
            _ => detail,
        };
        changes.push(Change {
            sign,
            thing: "indicator".to_owned(),
            code: code.to_owned(),
            detail,
            file: file.to_owned(),
        });
    });
}

fn area_changes(old: &Folder, new: &Folder, changes: &mut Vec<Change>) {
    if old.file(areas::FILE) == new.file(areas::FILE) {
        return;
    }
    let areas = |folder: &Folder| -> BTreeMap<String, Plain> {
        let features = folder.file(areas::FILE).map(areas::features).unwrap_or_default();
        features
            .into_iter()
            .map(|area| (area.code.clone(), area))
            .collect()
    };
    pairwise(&areas(old), &areas(new), |code, sign, before, after| {
        let detail = match (before, after) {
            (Some(before), Some(after)) => area_detail(before, after),
            (one, other) => one
                .or(other)
                .map(|area| area.name.own.clone())
                .unwrap_or_default(),
        };
        if sign != Sign::Changed || !detail.is_empty() {
            changes.push(Change {
                sign,
                thing: "area".to_owned(),
                code: code.to_owned(),
                detail,
                file: areas::FILE.to_owned(),
            });
        }
    });
}

fn area_detail(before: &Plain, after: &Plain) -> String {
    let mut parts = Vec::new();
    let mut differs = |what: &str, from: &str, to: &str| {
        if from != to {
            parts.push(format!("{what} {} → {}", or_nothing(from), or_nothing(to)));
        }
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    differs("name", &before.name.own, &after.name.own);
    differs("name_zh", &text(&before.name.zh), &text(&after.name.zh));
    differs("name_en", &text(&before.name.en), &text(&after.name.en));
    differs("kind", &before.kind, &after.kind);
    differs("parent", &text(&before.parent), &text(&after.parent));
    differs("level", before.level.as_str(), after.level.as_str());
    if before.shape != after.shape {
        let moved = tiling::area(&before.shape.xor(&after.shape));
        parts.push(format!(
            "redrawn, {} → {}, {} change hands",
            square_metres(tiling::area(&before.shape)),
            square_metres(tiling::area(&after.shape)),
            square_metres(moved),
        ));
    }
    parts.join(", ")
}

fn text_changes(old: &Folder, new: &Folder, changes: &mut Vec<Change>) {
    let texts = |folder: &Folder| -> BTreeMap<String, Vec<u8>> {
        let files = folder
            .files()
            .iter()
            .filter(|(path, _)| text_folder(path).is_some());
        files.map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
    };
    pairwise(&texts(old), &texts(new), |path, sign, before, after| {
        if before != after {
            changes.push(Change {
                sign,
                thing: "text".to_owned(),
                code: path.to_owned(),
                detail: String::new(),
                file: path.to_owned(),
            });
        }
    });
}

/// Goes through the keys of both in order, with what each side has.
fn pairwise<T>(
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
    mut each: impl FnMut(&str, Sign, Option<&T>, Option<&T>),
) {
    let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let (before, after) = (old.get(key), new.get(key));
        let sign = match (before.is_some(), after.is_some()) {
            (false, _) => Sign::Added,
            (_, false) => Sign::Removed,
            _ => Sign::Changed,
        };
        each(key, sign, before, after);
    }
}
