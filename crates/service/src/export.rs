//! Export: all cases as a table, for the public or for the staff, as CSV, GeoJSON or Parquet. Rows are read by pages and
//! written one by one: memory does not grow with their number, and nobody waits for the export.
//!
//! What the public gets holds no hidden case, no free text that is not masked, and no inner stage. No export holds contact data; the table of columns in `column` is all there is.

mod column;
mod sheet;

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Serialize;
use whistle_domain::words::{AccessClass, Lang};
use whistle_store::list::{Filter, List, MAX_PAGE, Order, Sight};

use self::{
    column::{COLUMNS, Cell, Column, Subject},
    sheet::{CsvSheet, GeoJsonSheet, ParquetSheet},
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
            _ => Err(Error::invalid("format", "write csv, geojson or parquet")),
        }
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
    /// In which format.
    pub format: ExportFormat,
    /// For whom.
    pub content: Content,
    /// Reported from this time on.
    pub from: Option<Timestamp>,
    /// Reported before this time.
    pub to: Option<Timestamp>,
    /// In which language services and units are named.
    pub lang: Lang,
    /// For the staff: cases of these classes of access too; else none that has one.
    pub access: Vec<AccessClass>,
    /// Whether a CSV begins with a byte order mark, by which old spreadsheets know UTF-8.
    pub mark: bool,
}

/// What was exported.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ExportReport {
    /// How many cases.
    pub cases: u64,
}

enum Sheet<W: Write + Send> {
    Csv(Box<CsvSheet<W>>),
    GeoJson(GeoJsonSheet<W>),
    Parquet(Box<ParquetSheet<W>>),
}

impl<W: Write + Send> Sheet<W> {
    fn begin(out: W, columns: &[&Column], options: &ExportOptions) -> Result<Self> {
        Ok(match options.format {
            ExportFormat::Csv => Self::Csv(Box::new(CsvSheet::begin(out, columns, options.mark)?)),
            ExportFormat::GeoJson => Self::GeoJson(GeoJsonSheet::begin(out, columns)?),
            ExportFormat::Parquet => Self::Parquet(Box::new(ParquetSheet::begin(out, columns)?)),
        })
    }

    fn add<'c>(&mut self, cells: impl Iterator<Item = Cell<'c>>) -> Result<()> {
        match self {
            Self::Csv(sheet) => sheet.add(cells),
            Self::GeoJson(sheet) => sheet.add(cells),
            Self::Parquet(sheet) => sheet.add(cells),
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Csv(sheet) => sheet.finish(),
            Self::GeoJson(sheet) => sheet.finish(),
            Self::Parquet(sheet) => sheet.finish(),
        }
    }
}

impl Whistle {
    /// Exports to a file. It is there whole or not at all: what is being written has another name until it is done.
    /// `progress` is told how many cases were written. Blocks; not for async threads.
    pub fn export(
        &self,
        here: &Here,
        options: &ExportOptions,
        file: &Path,
        progress: impl FnMut(u64),
    ) -> Result<ExportReport> {
        let what = || format!("writing {}", file.display());
        let part = part_of(file);
        let written = (|| {
            let mut out = File::create(&part).map_err(Error::io(what()))?;
            let report = self.export_to(here, options, &mut out, progress)?;
            out.sync_all().map_err(Error::io(what()))?;
            fs::rename(&part, file).map_err(Error::io(what()))?;
            Ok(report)
        })();
        if written.is_err() {
            // Half a file is of no use; that it cannot be removed either changes nothing.
            let _ = fs::remove_file(&part);
        }
        written
    }

    /// Exports to a writer, newest case first.
    pub fn export_to(
        &self,
        here: &Here,
        options: &ExportOptions,
        out: impl Write + Send,
        mut progress: impl FnMut(u64),
    ) -> Result<ExportReport> {
        let open = options.content == Content::Open;
        let columns: Vec<&Column> = COLUMNS.iter().filter(|c| c.open || !open).collect();
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
        let mut sheet = Sheet::begin(BufWriter::new(out), &columns, options)?;
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

/// The name of a file while it is written, beside it, so that it can be renamed.
fn part_of(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    file.with_file_name(name)
}
