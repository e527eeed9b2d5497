//! Export: all cases, whistles or calls of units as a table, for the public or for the staff, as CSV, GeoJSON or Parquet. Rows are read by pages and
//! written one by one: memory does not grow with their number, and nobody waits for the export.
//!
//! What the public gets holds no hidden case, no free text that is not masked, and no inner stage. No export holds contact data; the table of columns in `column` is all there is.

mod column;
mod sheet;
mod whistle;

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Serialize;
use whistle_domain::{
    case::Case,
    place::Place,
    words::{AccessClass, Lang, WhistleNumber},
};
use whistle_figures::indicator;
use whistle_store::{
    admin::Deed,
    list::{Filter, List, MAX_PAGE, Order, Sight},
    whistle as stored_whistle,
};

use self::{
    column::{COLUMNS, Cell, Column, Head, Subject},
    sheet::{CsvSheet, GeoJsonSheet, ParquetSheet, XlsxSheet},
};
use crate::{
    Whistle,
    error::{Error, Result},
    place::Here,
};

/// In which format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// A header and rows, RFC 4180, UTF-8.
    #[default]
    Csv,
    /// A FeatureCollection, one feature a line.
    GeoJson,
    /// Columns for analysts.
    Parquet,
    /// A sheet of a workbook, for offices.
    Xlsx,
}

impl ExportFormat {
    /// The format that a file's name asks for.
    pub fn of(path: &Path) -> Option<Self> {
        path.extension()?.to_str()?.parse().ok()
    }
}

impl std::str::FromStr for ExportFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "geojson" | "json" => Ok(Self::GeoJson),
            "parquet" => Ok(Self::Parquet),
            "xlsx" => Ok(Self::Xlsx),
            _ => Err(Error::invalid("format", "write csv, geojson, parquet or xlsx")),
        }
    }
}

/// What the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rows {
    /// Cases.
    #[default]
    Cases,
    /// Whistles; for the staff.
    Whistles,
    /// The calls of whistles: one row for each unit that one calls; for the staff.
    Calls,
}

impl Rows {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Cases => "cases",
            Self::Whistles => "whistles",
            Self::Calls => "calls",
        }
    }
}

impl std::str::FromStr for Rows {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Cases, Self::Whistles, Self::Calls]
            .into_iter()
            .find(|rows| rows.as_str() == text.trim().to_ascii_lowercase())
            .ok_or_else(|| Error::invalid("rows", "write cases, whistles or calls"))
    }
}

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Anyone: public cases only, free text masked.
    #[default]
    Open,
    /// The staff: all cases but those of a class of access that is not named, free text as it was written, inner columns. Never contact data.
    Full,
}

/// What to export.
#[derive(Debug, Clone, Default)]
pub struct ExportOptions {
    /// What the rows are.
    pub rows: Rows,
    /// In which format.
    pub format: ExportFormat,
    /// For whom.
    pub content: Content,
    /// Reported from this time on; of whistles, asked for.
    pub from: Option<Timestamp>,
    /// Reported before this time.
    pub to: Option<Timestamp>,
    /// In which language services and units are named.
    pub lang: Lang,
    /// For the staff: cases of these classes of access too; else none that has one.
    pub access: Vec<AccessClass>,
    /// Whether texts that somebody wrote are left out, and addresses.
    pub without_texts: bool,
    /// Whether a CSV begins with a byte order mark, by which old spreadsheets know UTF-8.
    pub mark: bool,
}

/// What was exported.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ExportReport {
    /// How many cases.
    pub cases: u64,
    /// How many whistles, where those were asked for or their calls.
    #[serde(skip_serializing_if = "is_none")]
    pub whistles: u64,
    /// How many calls of units, where those were asked for.
    #[serde(skip_serializing_if = "is_none")]
    pub calls: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_none(n: &u64) -> bool {
    *n == 0
}

enum Sheet<W: Write + Send> {
    Csv(Box<CsvSheet<W>>),
    GeoJson(GeoJsonSheet<W>),
    Parquet(Box<ParquetSheet<W>>),
    Xlsx(Box<XlsxSheet<W>>),
}

impl<W: Write + Send> Sheet<W> {
    fn begin(out: W, columns: &[Head], format: ExportFormat, name: &str, mark: bool) -> Result<Self> {
        Ok(match format {
            ExportFormat::Csv => Self::Csv(Box::new(CsvSheet::begin(out, columns, mark)?)),
            ExportFormat::GeoJson => Self::GeoJson(GeoJsonSheet::begin(out, columns)?),
            ExportFormat::Parquet => Self::Parquet(Box::new(ParquetSheet::begin(out, name, columns)?)),
            ExportFormat::Xlsx => Self::Xlsx(Box::new(XlsxSheet::begin(out, name, columns)?)),
        })
    }

    fn add<'c>(&mut self, cells: impl Iterator<Item = Cell<'c>>) -> Result<()> {
        match self {
            Self::Csv(sheet) => sheet.add(cells),
            Self::GeoJson(sheet) => sheet.add(cells),
            Self::Parquet(sheet) => sheet.add(cells),
            Self::Xlsx(sheet) => sheet.add(cells),
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Csv(sheet) => sheet.finish(),
            Self::GeoJson(sheet) => sheet.finish(),
            Self::Parquet(sheet) => sheet.finish(),
            Self::Xlsx(sheet) => sheet.finish(),
        }
    }
}

impl Whistle {
    /// Exports to a file. It is there whole or not at all: what is being written has another name until it is done.
    /// `progress` is told how many rows were written. Blocks; not for async threads.
    pub fn export(
        &self,
        here: &Here,
        options: &ExportOptions,
        file: &Path,
        progress: impl FnMut(u64),
    ) -> Result<ExportReport> {
        written_whole(file, |out| self.export_to(here, options, out, progress))
    }

    /// Exports to a writer: cases newest first, whistles by their numbers. It is written down before anything goes out.
    pub fn export_to(
        &self,
        here: &Here,
        options: &ExportOptions,
        out: impl Write + Send,
        progress: impl FnMut(u64),
    ) -> Result<ExportReport> {
        if options.rows != Rows::Cases && options.content == Content::Open {
            return Err(Error::invalid(
                "full",
                "whistles are for the staff, who want the full export (--full)",
            ));
        }
        let mut detail = options.rows.as_str().to_owned();
        if options.content == Content::Full {
            detail.push_str(" full");
        }
        for class in &options.access {
            detail.push_str(" class=");
            detail.push_str(class.as_str());
        }
        self.note_act(here, Deed::Exported, "", &detail)?;
        match options.rows {
            Rows::Cases => self.export_cases(here, options, out, progress),
            Rows::Whistles | Rows::Calls => self.export_whistles(here, options, out, progress),
        }
    }

    fn export_whistles(
        &self,
        here: &Here,
        options: &ExportOptions,
        out: impl Write + Send,
        mut progress: impl FnMut(u64),
    ) -> Result<ExportReport> {
        let calls = options.rows == Rows::Calls;
        let columns = if calls { whistle::CALLS } else { whistle::WHISTLES };
        let heads: Vec<Head> = columns.iter().map(|column| column.head).collect();
        let mut sheet = begun(out, &heads, options)?;
        let mut report = ExportReport::default();
        let (now, mut after) = (self.clock.now(), WhistleNumber(0));
        loop {
            let page = self
                .store
                .read_blocking(|conn| stored_whistle::all_after(conn, here.id, after, MAX_PAGE))?;
            let Some(last) = page.last() else { break };
            after = last.number;
            let asked = |at: Timestamp| {
                options.from.is_none_or(|from| at >= from) && options.to.is_none_or(|to| at < to)
            };
            for blown in page.iter().filter(|blown| asked(blown.times.asked_at)) {
                let mut add = |call| {
                    let subject = whistle::Subject {
                        whistle: blown,
                        call,
                        place: &here.place,
                        lang: options.lang,
                        now,
                    };
                    sheet.add(columns.iter().map(|column| (column.cell)(subject)))
                };
                report.whistles += 1;
                if calls {
                    for call in &blown.calls {
                        add(Some(call))?;
                    }
                    report.calls += blown.calls.len() as u64;
                } else {
                    add(None)?;
                }
            }
            progress(report.whistles);
        }
        sheet.finish()?;
        Ok(report)
    }

    pub(crate) fn export_cases(
        &self,
        here: &Here,
        options: &ExportOptions,
        out: impl Write + Send,
        mut progress: impl FnMut(u64),
    ) -> Result<ExportReport> {
        let open = options.content == Content::Open;
        let is_wanted =
            |column: &&Column| (column.open || !open) && !(options.without_texts && column.is_text());
        let columns: Vec<&Column> = COLUMNS.iter().filter(is_wanted).collect();
        let filter = Filter {
            public: open,
            sight: (!open).then(|| Sight {
                everywhere: true,
                classes: options.access.iter().map(ToString::to_string).collect(),
                ..Sight::default()
            }),
            reported: (options.from.is_some() || options.to.is_some()).then(|| {
                options.from.map_or(i64::MIN, Timestamp::as_microsecond)
                    ..=options.to.map_or(i64::MAX, |to| to.as_microsecond() - 1)
            }),
            ..Filter::default()
        };
        let heads: Vec<Head> = columns.iter().map(|column| column.head).collect();
        let mut sheet = begun(out, &heads, options)?;
        let mut report = ExportReport::default();
        let (now, mut after) = (self.clock.now(), None);
        loop {
            let (cases, next) = self.store.read_blocking(|conn| {
                List::begin(conn, here.id, filter.clone(), Order::Newest).page(after, 0, MAX_PAGE)
            })?;
            for case in &cases {
                let subject = Subject {
                    case,
                    place: &here.place,
                    lang: options.lang,
                    now,
                    open,
                };
                sheet.add(columns.iter().map(|column| (column.cell)(subject)))?;
            }
            report.cases += cases.len() as u64;
            progress(report.cases);
            after = next;
            if after.is_none() {
                break;
            }
        }
        sheet.finish()?;
        Ok(report)
    }
}

/// Writes a file that is there whole or not at all.
pub(crate) fn written_whole<T>(file: &Path, write: impl FnOnce(&mut File) -> Result<T>) -> Result<T> {
    let what = || format!("writing {}", file.display());
    let part = part_of(file);
    let written = (|| {
        let mut out = File::create(&part).map_err(Error::io(what()))?;
        let done = write(&mut out)?;
        out.sync_all().map_err(Error::io(what()))?;
        fs::rename(&part, file).map_err(Error::io(what()))?;
        Ok(done)
    })();
    if written.is_err() {
        // Half a file is of no use; that it cannot be removed either changes nothing.
        let _ = fs::remove_file(&part);
    }
    written
}

fn begun<W: Write + Send>(out: W, heads: &[Head], options: &ExportOptions) -> Result<Sheet<BufWriter<W>>> {
    Sheet::begin(
        BufWriter::new(out),
        heads,
        options.format,
        options.rows.as_str(),
        options.mark,
    )
}

/// Some cases as a table for who may see them, with inner columns and without what anybody wrote.
pub(crate) struct CaseSheet<W: Write + Send> {
    sheet: Sheet<BufWriter<W>>,
    columns: Vec<&'static Column>,
}

/// Begins a table of cases.
pub(crate) fn case_sheet<W: Write + Send>(out: W, format: ExportFormat) -> Result<CaseSheet<W>> {
    let columns: Vec<&Column> = COLUMNS.iter().filter(|column| !column.is_text()).collect();
    let heads: Vec<Head> = columns.iter().map(|column| column.head).collect();
    let sheet = Sheet::begin(BufWriter::new(out), &heads, format, Rows::Cases.as_str(), false)?;
    Ok(CaseSheet { sheet, columns })
}

impl<W: Write + Send> CaseSheet<W> {
    pub(crate) fn add(&mut self, case: &Case, place: &Place, lang: Lang, now: Timestamp) -> Result<()> {
        let subject = Subject {
            case,
            place,
            lang,
            now,
            open: false,
        };
        self.sheet
            .add(self.columns.iter().map(|column| (column.cell)(subject)))
    }

    pub(crate) fn finish(self) -> Result<()> {
        self.sheet.finish()
    }
}

/// Units, posts or areas as a table of codes and names.
pub(crate) fn code_sheet(
    out: impl Write + Send,
    place: &Place,
    subject: indicator::Subject,
    codes: &[String],
    format: ExportFormat,
    lang: Lang,
) -> Result<()> {
    const HEADS: [Head; 2] = [
        Head {
            name: "code",
            kind: column::Kind::Text,
        },
        Head {
            name: "name",
            kind: column::Kind::Text,
        },
    ];
    let mut sheet = Sheet::begin(BufWriter::new(out), &HEADS, format, subject.as_str(), false)?;
    for code in codes {
        let name = match subject {
            indicator::Subject::Post => place.post(code).map(|post| &post.name),
            indicator::Subject::Area => place.areas.find(code).map(|area| &place.areas.get(area).name),
            _ => place.unit(code).map(|unit| &unit.name),
        };
        let name = name.map_or(Cell::None, |name| Cell::text(name.get(lang)));
        sheet.add([Cell::text(code), name].into_iter())?;
    }
    sheet.finish()
}

/// A line of the dictionary of open data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OpenColumn {
    /// What it is called.
    pub name: &'static str,
    /// What it holds: text, int, float, bool, time, date.
    pub kind: &'static str,
}

/// The columns of cases that everybody gets, without texts.
pub fn open_columns() -> impl Iterator<Item = OpenColumn> {
    let open = COLUMNS.iter().filter(|column| column.open && !column.is_text());
    open.map(|column| OpenColumn {
        name: column.head.name,
        kind: column.head.kind.as_str(),
    })
}

/// The name of a file while it is written, beside it, so that it can be renamed.
fn part_of(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    file.with_file_name(name)
}
