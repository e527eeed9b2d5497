//! The formats of an export. Each takes rows one by one and keeps no more than a bounded part of them.

use std::{borrow::Cow, io::Write, sync::Arc};

use jiff::Timestamp;
use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel},
    data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::Type,
};

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, XlsxError};

use super::column::{Cell, Head, Kind};
use crate::error::{Error, Result};

fn failed(error: std::io::Error) -> Error {
    Error::io("writing the export")(error)
}

/// A time as every format but Parquet writes it: ISO 8601, UTC, to the second, as Open311 asks.
fn iso(time: Timestamp) -> String {
    let whole = Timestamp::from_second(time.as_microsecond().div_euclid(1_000_000)).unwrap_or(time);
    whole.to_string()
}

/// CSV by RFC 4180.
pub(super) struct CsvSheet<W: Write> {
    writer: csv::Writer<W>,
}

impl<W: Write> CsvSheet<W> {
    pub fn begin(mut out: W, columns: &[Head], mark: bool) -> Result<Self> {
        if mark {
            out.write_all("\u{feff}".as_bytes()).map_err(failed)?;
        }
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(out);
        writer
            .write_record(columns.iter().map(|c| c.name))
            .map_err(|error| failed(error.into()))?;
        Ok(Self { writer })
    }

    pub fn add<'c>(&mut self, cells: impl Iterator<Item = Cell<'c>>) -> Result<()> {
        for cell in cells {
            let text: Cow<'_, str> = match cell {
                Cell::Text(text) => harmless(text),
                Cell::Int(n) => n.to_string().into(),
                Cell::Float(x) => x.to_string().into(),
                Cell::Bool(yes) => if yes { "true" } else { "false" }.into(),
                Cell::Time(time) => iso(time).into(),
                Cell::Date(date) => date.to_string().into(),
                Cell::None => "".into(),
            };
            self.writer
                .write_field(text.as_bytes())
                .map_err(|error| failed(error.into()))?;
        }
        self.writer
            .write_record(None::<&[u8]>)
            .map_err(|error| failed(error.into()))
    }

    pub fn finish(mut self) -> Result<()> {
        self.writer.flush().map_err(failed)
    }
}

/// A text that no spreadsheet takes for a formula: an apostrophe stands before what could begin one (OWASP, CSV
/// injection).
fn harmless(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}").into()
    } else {
        text
    }
}

/// A GeoJSON FeatureCollection (RFC 7946), one feature a line.
pub(super) struct GeoJsonSheet<W: Write> {
    out: W,
    names: Vec<&'static str>,
    first: bool,
}

impl<W: Write> GeoJsonSheet<W> {
    pub fn begin(mut out: W, columns: &[Head]) -> Result<Self> {
        out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[\n")
            .map_err(failed)?;
        Ok(Self {
            out,
            names: columns.iter().map(|c| c.name).collect(),
            first: true,
        })
    }

    pub fn add<'c>(&mut self, cells: impl Iterator<Item = Cell<'c>>) -> Result<()> {
        let mut properties = serde_json::Map::new();
        let (mut lon, mut lat) = (None, None);
        for (name, cell) in self.names.iter().zip(cells) {
            let value = match (*name, cell) {
                ("long", Cell::Float(x)) => {
                    lon = Some(x);
                    continue;
                }
                ("lat", Cell::Float(x)) => {
                    lat = Some(x);
                    continue;
                }
                (_, Cell::Text(text)) => text.into_owned().into(),
                (_, Cell::Int(n)) => n.into(),
                (_, Cell::Float(x)) => x.into(),
                (_, Cell::Bool(yes)) => yes.into(),
                (_, Cell::Time(time)) => iso(time).into(),
                (_, Cell::Date(date)) => date.to_string().into(),
                (_, Cell::None) => continue,
            };
            properties.insert((*name).to_owned(), value);
        }
        let geometry = lon
            .zip(lat)
            .map(|(lon, lat)| serde_json::json!({ "type": "Point", "coordinates": [lon, lat] }));
        // The first column is the number.
        let id = self.names.first().and_then(|name| properties.get(*name)).cloned();
        let feature = serde_json::json!({
            "type": "Feature", "id": id, "geometry": geometry, "properties": properties,
        });
        let before = if std::mem::take(&mut self.first) {
            ""
        } else {
            ",\n"
        };
        write!(self.out, "{before}{feature}").map_err(failed)
    }

    pub fn finish(mut self) -> Result<()> {
        self.out.write_all(b"\n]}\n").map_err(failed)?;
        self.out.flush().map_err(failed)
    }
}

/// The most rows of a sheet, its head among them, as the format has it.
const SHEET_ROWS: u32 = 1_048_576;

/// A workbook of one sheet (ECMA-376). Rows wait in a temporary file, not in memory. Times are UTC.
pub(super) struct XlsxSheet<W: Write> {
    out: W,
    book: Workbook,
    rows: u32,
    time: Format,
    date: Format,
}

fn unmade(error: XlsxError) -> Error {
    failed(std::io::Error::other(error))
}

impl<W: Write> XlsxSheet<W> {
    pub fn begin(out: W, name: &str, columns: &[Head]) -> Result<Self> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet_with_constant_memory();
        let bold = Format::new().set_bold();
        (|| {
            sheet.set_name(name)?;
            sheet.set_freeze_panes(1, 0)?;
            for (at, column) in (0..).zip(columns) {
                // As wide as a time is written.
                sheet.set_column_width(at, 19)?;
                sheet.write_string_with_format(0, at, column.name, &bold)?;
            }
            Ok(())
        })()
        .map_err(unmade)?;
        Ok(Self {
            out,
            book,
            rows: 1,
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
            date: Format::new().set_num_format("yyyy-mm-dd"),
        })
    }

    pub fn add<'c>(&mut self, cells: impl Iterator<Item = Cell<'c>>) -> Result<()> {
        if self.rows == SHEET_ROWS {
            return Err(Error::invalid(
                "format",
                format!("a sheet has at most {SHEET_ROWS} rows; take a shorter period, or csv or parquet"),
            ));
        }
        self.write(cells).map_err(unmade)?;
        self.rows += 1;
        Ok(())
    }

    fn write<'c>(&mut self, cells: impl Iterator<Item = Cell<'c>>) -> Result<(), XlsxError> {
        let sheet = self.book.worksheet_from_index(0)?;
        for (at, cell) in (0..).zip(cells) {
            match cell {
                Cell::Text(text) => {
                    sheet.write_string(self.rows, at, &*text)?;
                }
                Cell::Int(n) => {
                    sheet.write_number(self.rows, at, n as f64)?;
                }
                Cell::Float(x) => {
                    sheet.write_number(self.rows, at, x)?;
                }
                Cell::Bool(yes) => {
                    sheet.write_boolean(self.rows, at, yes)?;
                }
                Cell::Time(time) => {
                    let time = ExcelDateTime::from_timestamp(time.as_second())?;
                    sheet.write_datetime_with_format(self.rows, at, &time, &self.time)?;
                }
                Cell::Date(date) => {
                    let date =
                        ExcelDateTime::from_ymd(date.year() as u16, date.month() as u8, date.day() as u8)?;
                    sheet.write_datetime_with_format(self.rows, at, &date, &self.date)?;
                }
                Cell::None => {}
            }
        }
        Ok(())
    }

    pub fn finish(mut self) -> Result<()> {
        let bytes = self.book.save_to_buffer().map_err(unmade)?;
        self.out.write_all(&bytes).map_err(failed)?;
        self.out.flush().map_err(failed)
    }
}

/// Rows of one row group: what analysts' engines read at once.
const GROUP_ROWS: usize = 100_000;

/// Bytes of text of one row group, which is kept in memory.
const GROUP_BYTES: usize = 48 << 20;

/// The values of one column in the making, with a level for each row: 1 where there is a value.
struct Held {
    levels: Vec<i16>,
    values: Values,
}

enum Values {
    Text(Vec<ByteArray>),
    Int(Vec<i64>),
    Float(Vec<f64>),
    Bool(Vec<bool>),
    Date(Vec<i32>),
}

/// Parquet with Zstandard: UTF-8 strings, times in microseconds UTC, days.
pub(super) struct ParquetSheet<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    held: Vec<Held>,
    rows: usize,
    bytes: usize,
}

impl<W: Write + Send> ParquetSheet<W> {
    pub fn begin(out: W, name: &str, columns: &[Head]) -> Result<Self> {
        let fields = columns
            .iter()
            .map(|column| {
                let (physical, logical) = match column.kind {
                    Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
                    Kind::Int => (Physical::INT64, None),
                    Kind::Float => (Physical::DOUBLE, None),
                    Kind::Bool => (Physical::BOOLEAN, None),
                    Kind::Time => (
                        Physical::INT64,
                        Some(LogicalType::timestamp(true, TimeUnit::MICROS)),
                    ),
                    Kind::Date => (Physical::INT32, Some(LogicalType::Date)),
                };
                Type::primitive_type_builder(column.name, physical)
                    .with_repetition(Repetition::OPTIONAL)
                    .with_logical_type(logical)
                    .build()
                    .map(Arc::new)
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(unwritten)?;
        let schema = Type::group_type_builder(name)
            .with_fields(fields)
            .build()
            .map_err(unwritten)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("whistle ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let held = columns
            .iter()
            .map(|column| Held {
                levels: Vec::new(),
                values: match column.kind {
                    Kind::Text => Values::Text(Vec::new()),
                    Kind::Int | Kind::Time => Values::Int(Vec::new()),
                    Kind::Float => Values::Float(Vec::new()),
                    Kind::Bool => Values::Bool(Vec::new()),
                    Kind::Date => Values::Date(Vec::new()),
                },
            })
            .collect();
        Ok(Self {
            writer: SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))
                .map_err(unwritten)?,
            held,
            rows: 0,
            bytes: 0,
        })
    }

    pub fn add<'c>(&mut self, cells: impl Iterator<Item = Cell<'c>>) -> Result<()> {
        for (held, cell) in self.held.iter_mut().zip(cells) {
            let there = match (&mut held.values, cell) {
                (Values::Text(values), Cell::Text(text)) => {
                    self.bytes += text.len();
                    values.push(ByteArray::from(text.into_owned().into_bytes()));
                    true
                }
                (Values::Int(values), Cell::Int(n)) => {
                    values.push(n);
                    true
                }
                (Values::Int(values), Cell::Time(time)) => {
                    values.push(time.as_microsecond());
                    true
                }
                (Values::Float(values), Cell::Float(x)) => {
                    values.push(x);
                    true
                }
                (Values::Bool(values), Cell::Bool(yes)) => {
                    values.push(yes);
                    true
                }
                (Values::Date(values), Cell::Date(date)) => {
                    values.push(whistle_store::case::day_number(date) as i32);
                    true
                }
                (_, cell) => {
                    debug_assert!(matches!(cell, Cell::None), "{cell:?} in another column");
                    false
                }
            };
            held.levels.push(i16::from(there));
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.write_group()?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        self.try_write_group().map_err(unwritten)
    }

    fn try_write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for held in &mut self.held {
            let Some(mut column) = group.next_column()? else {
                break;
            };
            let levels = Some(held.levels.as_slice());
            match &mut held.values {
                Values::Text(values) => {
                    column
                        .typed::<ByteArrayType>()
                        .write_batch(values, levels, None)?;
                    values.clear();
                }
                Values::Int(values) => {
                    column.typed::<Int64Type>().write_batch(values, levels, None)?;
                    values.clear();
                }
                Values::Float(values) => {
                    column.typed::<DoubleType>().write_batch(values, levels, None)?;
                    values.clear();
                }
                Values::Bool(values) => {
                    column.typed::<BoolType>().write_batch(values, levels, None)?;
                    values.clear();
                }
                Values::Date(values) => {
                    column.typed::<Int32Type>().write_batch(values, levels, None)?;
                    values.clear();
                }
            }
            column.close()?;
            held.levels.clear();
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    pub fn finish(mut self) -> Result<()> {
        self.write_group()?;
        self.writer.close().map_err(unwritten)?;
        Ok(())
    }
}

fn unwritten(error: ParquetError) -> Error {
    failed(std::io::Error::other(error))
}
