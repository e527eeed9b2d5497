//! CSV as it comes out of spreadsheets: any of three delimiters, English or Chinese headers, blank cells that mean
//! "as above". Knows columns, rows and lines; what a cell means is the caller's to say.

use std::{collections::HashMap, str::FromStr};

use csv::{ReaderBuilder, StringRecord};
use whistle_domain::words::Text;

use crate::{
    fault::{At, Faults, at, whole},
    text::{Lines, decode, did_you_mean, parsed, shown, yes_no},
};

/// The longest cell, in letters. A quotation mark that is never closed swallows the rest of the file; this names it.
const MAX_CELL: usize = 4_000;
/// The most rows of one file.
const MAX_ROWS: usize = 200_000;

/// What a column needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The column must be there and no cell may be blank.
    Filled,
    /// The column must be there; a blank cell takes the value of the row directly above.
    Carried,
    /// The column may be missing and its cells may be blank.
    Free,
}

/// One column of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub name: &'static str,
    /// Other headers that mean the same.
    pub aliases: &'static [&'static str],
    pub need: Need,
}

pub(crate) const fn filled(name: &'static str, aliases: &'static [&'static str]) -> Column {
    Column {
        name,
        aliases,
        need: Need::Filled,
    }
}

pub(crate) const fn carried(name: &'static str, aliases: &'static [&'static str]) -> Column {
    Column {
        name,
        aliases,
        need: Need::Carried,
    }
}

pub(crate) const fn free(name: &'static str, aliases: &'static [&'static str]) -> Column {
    Column {
        name,
        aliases,
        need: Need::Free,
    }
}

/// A file and its columns.
#[derive(Debug)]
pub(crate) struct Layout {
    pub file: &'static str,
    /// What one row is, for faults: "unit".
    pub row: &'static str,
    pub columns: &'static [Column],
}

/// The rows of a file.
#[derive(Debug)]
pub(crate) struct Table {
    pub rows: Vec<Row>,
    /// The codes of rows that were left out, with their lines: known, so that nothing that refers to them is blamed.
    lost: Vec<(String, u32)>,
}

impl Table {
    /// Codes of this file's things, to begin with those of the rows that could not be read.
    pub fn codes(&self, what: &'static str) -> Codes {
        let mut codes = Codes::of(what);
        for (code, line) in &self.lost {
            codes.lines.entry(code.clone()).or_insert(*line);
        }
        codes
    }
}

/// One row: its cells in the order of the layout's columns, trimmed.
#[derive(Debug)]
pub(crate) struct Row {
    layout: &'static Layout,
    line: u32,
    cells: Vec<String>,
}

impl Row {
    pub fn line(&self) -> u32 {
        self.line
    }

    pub fn at(&self) -> At<'static> {
        at(self.layout.file, self.line)
    }

    /// The cell of a column; blank when the file has no such column.
    pub fn cell(&self, column: &str) -> &str {
        let index = self.layout.columns.iter().position(|c| c.name == column);
        debug_assert!(index.is_some(), "{} has no column {column}", self.layout.file);
        index.map_or("", |i| &self.cells[i])
    }

    /// The cells with their columns' names.
    pub fn cells(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let names = self.layout.columns.iter().map(|c| c.name);
        names.zip(self.cells.iter().map(String::as_str))
    }

    /// The text in the columns `x`, `x_zh` and `x_en`. Where the own wording is blank, the Chinese or the English
    /// one stands for it.
    pub fn text(&self, column: &str) -> Text {
        let given = |suffix: &str| {
            let cell = self.cell(&format!("{column}{suffix}"));
            (!cell.is_empty()).then(|| cell.to_owned())
        };
        let (zh, en) = (given("_zh"), given("_en"));
        let own = given("").or_else(|| zh.clone()).or_else(|| en.clone());
        Text {
            own: own.unwrap_or_default(),
            zh,
            en,
        }
    }

    /// The cell's value by its `FromStr`. None and no fault when it is blank; none and a fault when it is wrong.
    pub fn value<T>(&self, column: &str, faults: &mut Faults) -> Option<T>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        let cell = self.cell(column);
        match cell {
            "" => None,
            _ => parsed(cell, self.at(), faults),
        }
    }

    /// One of some words; none when blank or wrong, with a fault when wrong.
    pub fn word<T: Copy>(&self, column: &str, words: &[(&str, T)], faults: &mut Faults) -> Option<T> {
        let cell = self.cell(column);
        if cell.is_empty() {
            return None;
        }
        let lower = cell.to_lowercase();
        let found = words.iter().find(|(word, _)| *word == lower);
        if found.is_none() {
            let english = words.iter().map(|(word, _)| *word).filter(|w| w.is_ascii());
            let choices = english.collect::<Vec<_>>().join(", ");
            faults.error(
                self.at(),
                format!("{column} {} is not known", shown(cell)),
                format!("write one of {choices}"),
            );
        }
        found.map(|(_, value)| *value)
    }

    /// Yes or no.
    pub fn yes_no(&self, column: &str, when_blank: bool, faults: &mut Faults) -> bool {
        match self.cell(column) {
            "" => when_blank,
            cell => yes_no(cell).unwrap_or_else(|| {
                faults.error(
                    self.at(),
                    format!("{column} {} is neither yes nor no", shown(cell)),
                    "write yes or no",
                );
                when_blank
            }),
        }
    }

    /// The parts of a cell that holds several, separated by `|`.
    pub fn parts(&self, column: &str) -> impl Iterator<Item = &str> {
        let parts = self.cell(column).split(['|', '｜']);
        parts.map(str::trim).filter(|part| !part.is_empty())
    }
}

/// Reads a file by its layout. Rows that cannot be read are left out, each with a fault; none when not even the
/// header can be.
pub(crate) fn read(layout: &'static Layout, bytes: &[u8], faults: &mut Faults) -> Option<Table> {
    let text = decode(layout.file, bytes, faults)?;
    let lines = Lines::of(&text);
    // Excel's own way to name the delimiter.
    let skip = match text.get(..4) {
        Some(start) if start.eq_ignore_ascii_case("sep=") => {
            text.find('\n').map_or(text.len(), |end| end + 1)
        }
        _ => 0,
    };
    let body = &text[skip..];
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter_of(body))
        .from_reader(body.as_bytes());

    let mut columns: Option<(Vec<Option<usize>>, usize)> = None;
    let mut rows = Vec::new();
    let mut lost = Vec::new();
    let code_column = layout.columns.iter().position(|c| c.name == "code");
    let mut above: Option<(u32, Vec<String>)> = None;
    let mut record = StringRecord::new();
    loop {
        let begin = skip + reader.position().byte() as usize;
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                faults.error(whole(layout.file), format!("cannot be read: {error}"), "");
                break;
            }
        }
        // The reader's own position is before the line ends that it passes over.
        let blank = text[begin..]
            .bytes()
            .take_while(|b| matches!(b, b'\r' | b'\n'))
            .count();
        let line = lines.at(begin + blank);
        let mut end = skip + reader.position().byte() as usize;
        end += usize::from(text[..end].ends_with('\r') && text[end..].starts_with('\n'));
        if record.iter().all(|cell| cell.trim().is_empty()) {
            above = None;
            continue;
        }
        let Some((columns, width)) = &columns else {
            columns = Some((header(layout, line, &record, faults)?, record.len()));
            continue;
        };
        if rows.len() == MAX_ROWS {
            let what = format!("has more than {MAX_ROWS} rows");
            faults.error(at(layout.file, line), what, "split the place");
            break;
        }
        // What was carried to the row just above counts as filled.
        let is_below = above.as_ref().is_some_and(|(end, _)| *end == line);
        let filled_above = above.take().filter(|_| is_below).map(|(_, cells)| cells);
        let (cells, is_sound) = cells_of(
            layout,
            line,
            columns,
            *width,
            &record,
            filled_above.as_deref(),
            faults,
        );
        above = Some((lines.at(end), cells.clone()));
        if is_sound {
            rows.push(Row { layout, line, cells });
        } else if let Some(column) = code_column {
            lost.push((cells[column].clone(), line));
        }
    }
    if columns.is_none() {
        let needed = needed_columns(layout).collect::<Vec<_>>().join(",");
        faults.error(
            whole(layout.file),
            "is empty",
            format!("begin with a header: {needed}"),
        );
        return None;
    }
    Some(Table { rows, lost })
}

fn needed_columns(layout: &'static Layout) -> impl Iterator<Item = &'static str> {
    let needed = layout.columns.iter().filter(|c| c.need != Need::Free);
    needed.map(|c| c.name)
}

/// The delimiter that the header line has most of; a comma when it has none.
fn delimiter_of(text: &str) -> u8 {
    let header = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let mut counts = HashMap::from([(b',', 0), (b';', 0), (b'\t', 0)]);
    let mut is_quoted = false;
    for byte in header.bytes() {
        if byte == b'"' {
            is_quoted = !is_quoted;
        } else if !is_quoted && let Some(count) = counts.get_mut(&byte) {
            *count += 1;
        }
    }
    [b';', b'\t']
        .into_iter()
        .find(|delimiter| counts[delimiter] > counts[&b','])
        .unwrap_or(b',')
}

/// For each column of the layout, where the file has it. None when a needed one is missing.
fn header(
    layout: &'static Layout,
    line: u32,
    record: &StringRecord,
    faults: &mut Faults,
) -> Option<Vec<Option<usize>>> {
    let mut found: Vec<Option<usize>> = vec![None; layout.columns.len()];
    for (index, cell) in record.iter().enumerate() {
        let name = cell.trim().to_lowercase().replace([' ', '-'], "_");
        if name.is_empty() || name.starts_with('#') || name == "note" || name == "备注" {
            continue;
        }
        let is_it = |column: &Column| column.name == name || column.aliases.contains(&name.as_str());
        match layout.columns.iter().position(is_it) {
            Some(column) if found[column].is_some() => {
                let what = format!("column {} is there twice", layout.columns[column].name);
                faults.error(at(layout.file, line), what, "remove one of them");
            }
            Some(column) => found[column] = Some(index),
            None => {
                let names = layout.columns.iter().map(|c| c.name);
                let mend = did_you_mean(&name, names, "remove it, or begin its name with #");
                faults.warn(
                    at(layout.file, line),
                    format!("column {} is not known and was not read", shown(cell.trim())),
                    mend,
                );
            }
        }
    }
    let missing: Vec<&str> = layout
        .columns
        .iter()
        .zip(&found)
        .filter(|(column, index)| column.need != Need::Free && index.is_none())
        .map(|(column, _)| column.name)
        .collect();
    if !missing.is_empty() {
        let columns = layout
            .columns
            .iter()
            .map(|c| c.name)
            .collect::<Vec<_>>()
            .join(",");
        faults.error(
            at(layout.file, line),
            format!("the header lacks {}", missing.join(", ")),
            format!("the columns are {columns}"),
        );
        return None;
    }
    Some(found)
}

/// The cells of a record in the order of the columns, and whether they may be used.
fn cells_of(
    layout: &'static Layout,
    line: u32,
    columns: &[Option<usize>],
    width: usize,
    record: &StringRecord,
    above: Option<&[String]>,
    faults: &mut Faults,
) -> (Vec<String>, bool) {
    let mut is_sound = true;
    let surplus = record.iter().skip(width).any(|cell| !cell.trim().is_empty());
    if record.len() < width || surplus {
        faults.error(
            at(layout.file, line),
            format!("has {} cells where the header has {width}", record.len()),
            "put cells that hold a delimiter or a line end in quotation marks",
        );
        is_sound = false;
    }
    let mut cells = Vec::with_capacity(columns.len());
    for (index, (column, position)) in layout.columns.iter().zip(columns).enumerate() {
        let mut cell = position.and_then(|p| record.get(p)).unwrap_or_default().trim();
        if cell.chars().count() > MAX_CELL {
            faults.error(
                at(layout.file, line),
                format!("{} is longer than {MAX_CELL} letters", column.name),
                "shorten it; perhaps a quotation mark is not closed",
            );
            is_sound = false;
        }
        if cell.is_empty() && column.need == Need::Carried {
            cell = above.map_or("", |cells| &cells[index]);
        }
        let why = match column.need {
            Need::Filled => "",
            Need::Carried => " and no row directly above has one",
            Need::Free => {
                cells.push(cell.to_owned());
                continue;
            }
        };
        if cell.is_empty() && is_sound {
            faults.error(
                at(layout.file, line),
                format!("{} is blank{why}", column.name),
                format!("every {} needs one", layout.row),
            );
            is_sound = false;
        }
        cells.push(cell.to_owned());
    }
    (cells, is_sound)
}

/// The codes of a file and the lines that they are on; refuses the second of two equal ones.
#[derive(Debug, Clone)]
pub(crate) struct Codes {
    /// What has such a code: "unit".
    what: &'static str,
    lines: HashMap<String, u32>,
    in_order: Vec<String>,
}

impl Codes {
    pub fn of(what: &'static str) -> Self {
        Self {
            what,
            lines: HashMap::new(),
            in_order: Vec::new(),
        }
    }

    /// Notes a code; false, with a fault, when it is taken.
    pub fn add(&mut self, code: &str, at: At<'_>, faults: &mut Faults) -> bool {
        if let Some(first) = self.lines.get(code) {
            faults.error(
                at,
                format!("{} {} is already on line {first}", self.what, shown(code)),
                format!("give each {} its own code", self.what),
            );
            return false;
        }
        self.lines.insert(code.to_owned(), at.line.unwrap_or(1));
        self.in_order.push(code.to_owned());
        true
    }

    /// Notes a code whose line does not matter.
    pub fn note(&mut self, code: String) {
        self.lines.entry(code).or_insert(1);
    }

    /// The line of a code.
    pub fn line(&self, code: &str) -> Option<u32> {
        self.lines.get(code).copied()
    }

    /// All codes in order, those of rows that could not be read among them.
    pub fn known(&self) -> Vec<String> {
        let mut known: Vec<String> = self.lines.keys().cloned().collect();
        known.sort_unstable();
        known
    }

    /// Whether the code is there; a fault that offers the nearest one when not.
    pub fn expect(&self, code: &str, at: At<'_>, faults: &mut Faults) -> bool {
        let is_known = self.lines.contains_key(code);
        if !is_known {
            let otherwise = format!("write the code of a {}", self.what).replace(" a area", " an area");
            let mend = self.near(code, &otherwise);
            faults.error(at, format!("{} {} is not known", self.what, shown(code)), mend);
        }
        is_known
    }

    /// The question whether the nearest code was meant; what else to do when none is near.
    pub fn near(&self, code: &str, otherwise: &str) -> String {
        did_you_mean(code, self.in_order.iter().map(String::as_str), otherwise)
    }
}

/// What the columns of a name are called elsewhere.
pub(crate) const NAME: [Column; 3] = [
    filled("name", &["名称", "名稱"]),
    free("name_zh", &["中文名称", "中文名稱"]),
    free("name_en", &["英文名称", "英文名稱"]),
];
