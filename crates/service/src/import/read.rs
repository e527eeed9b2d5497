//! From a file to records, one at a time: CSV, Open311 JSON and XML.

use std::{fmt, path::Path, rc::Rc};

use quick_xml::events::Event;
use serde::{
    Serialize,
    de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use super::{
    field::{FIELDS, Field, Mapping},
    open::{Counted, Opened, Position, open},
};
use crate::error::{Error, Result};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportFormat {
    /// Told from the first letter: `<` is XML, `[` or `{` is JSON, all else CSV.
    #[default]
    Auto,
    /// A header and rows, divided by commas, semicolons or tabs.
    Csv,
    /// An array of objects, or an object with such arrays; GeoJSON too.
    Json,
    /// `service_requests` with `request` elements.
    Xml,
}

impl std::str::FromStr for ImportFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "auto" | "" => Ok(Self::Auto),
            "csv" => Ok(Self::Csv),
            "json" | "geojson" => Ok(Self::Json),
            "xml" => Ok(Self::Xml),
            _ => Err(Error::invalid("format", "write auto, csv, json or xml")),
        }
    }
}

/// One record as the file has it.
#[derive(Debug)]
pub(super) struct Record {
    /// The line it begins on, from 1.
    pub line: u64,
    /// The values by field; blank where there is none.
    values: [String; FIELDS],
    /// The record as it stands in the file.
    pub original: Vec<String>,
    /// Why it cannot be read at all.
    pub broken: Option<&'static str>,
}

impl Record {
    fn at(line: u64) -> Self {
        Self {
            line,
            values: Default::default(),
            original: Vec::new(),
            broken: None,
        }
    }

    pub fn get(&self, field: Field) -> &str {
        &self.values[field.index()]
    }

    /// Takes a value over; of several columns that mean the same the first that is not blank counts.
    fn set(&mut self, field: Field, value: &str) {
        let (held, value) = (&mut self.values[field.index()], value.trim());
        if held.is_empty() && !value.is_empty() {
            value.clone_into(held);
        }
    }
}

/// A file whose records can be read.
pub(super) struct Input {
    text: Counted,
    mapping: Mapping,
    delimiter: u8,
    /// What it is.
    pub format: ImportFormat,
    /// How it was encoded.
    pub encoding: &'static str,
    /// How many bytes it has.
    pub bytes: u64,
    /// What the columns of [`Record::original`] are called.
    pub columns: Vec<String>,
}

impl Input {
    /// Opens a file and tells what it is.
    pub fn open(path: &Path, format: ImportFormat, encoding: Option<&str>, mapping: Mapping) -> Result<Self> {
        let Opened {
            text,
            head,
            encoding,
            bytes,
        } = open(path, encoding)?;
        check_text(&head)?;
        let format = match (format, head.trim_start().bytes().next()) {
            (ImportFormat::Auto, Some(b'<')) => ImportFormat::Xml,
            (ImportFormat::Auto, Some(b'[' | b'{')) => ImportFormat::Json,
            (ImportFormat::Auto, _) => ImportFormat::Csv,
            (format, _) => format,
        };
        let mut input = Self {
            text,
            mapping,
            delimiter: delimiter_of(&head),
            format,
            encoding,
            bytes,
            columns: vec!["record".to_owned()],
        };
        if format == ImportFormat::Csv {
            input.columns = csv::ReaderBuilder::new()
                .delimiter(input.delimiter)
                .flexible(true)
                .from_reader(head.as_bytes())
                .headers()
                .map_err(|error| Error::invalid("file", error.to_string()))?
                .iter()
                .map(ToOwned::to_owned)
                .collect();
            input.check_columns()?;
        }
        Ok(input)
    }

    fn check_columns(&mut self) -> Result<()> {
        if let Some(column) = self.mapping.not_among(&self.columns) {
            return Err(Error::invalid(
                "map",
                format!(
                    "no column is called {column:?}; the header is {}",
                    self.columns.join(",")
                ),
            ));
        }
        let mut has = |wanted: &[Field]| {
            self.columns
                .iter()
                .any(|c| self.mapping.field(c).is_some_and(|f| wanted.contains(&f)))
        };
        let mut missing = Vec::new();
        for (wanted, what) in [
            (&[Field::Id][..], "an id"),
            (&[Field::Reported], "the time of the report (date)"),
            (
                &[Field::ServiceCode, Field::ServiceName],
                "the service (service_code or service_name)",
            ),
        ] {
            if !has(wanted) {
                missing.push(what);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::invalid(
            "file",
            format!(
                "no column holds {}; the header is {}; say which does with --map COLUMN=FIELD",
                missing.join(", nor "),
                self.columns.join(",")
            ),
        ))
    }

    /// Where reading has come to.
    pub fn position(&self) -> Rc<Position> {
        self.text.position()
    }

    /// Hands every record over, in the order of the file.
    pub fn each(self, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        match self.format {
            ImportFormat::Xml => self.each_element(visit),
            ImportFormat::Json => self.each_object(visit),
            ImportFormat::Csv | ImportFormat::Auto => self.each_row(visit),
        }
    }

    fn each_row(mut self, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        let position = self.text.position();
        let fields: Vec<_> = self.columns.iter().map(|c| self.mapping.field(c)).collect();
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .flexible(true)
            .from_reader(self.text);
        let mut cells = csv::StringRecord::new();
        while reader
            .read_record(&mut cells)
            .map_err(|error| broken_file(&error))?
        {
            position.begin_record();
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let mut record = Record::at(cells.position().map_or(0, csv::Position::line));
            for (cell, field) in cells.iter().zip(&fields) {
                if let Some(field) = field {
                    record.set(*field, cell);
                }
            }
            let surplus = cells
                .iter()
                .skip(fields.len())
                .any(|cell| !cell.trim().is_empty());
            if cells.len() < fields.len() || surplus {
                record.broken = Some("it has not as many cells as the header");
            }
            let has_lines = cells.iter().next_back().is_some_and(|cell| cell.contains('\n'));
            if has_lines && position.swallowed(reader.position().byte()) {
                record.broken = Some("a quotation mark in it is not closed, so that it took the rows below");
            }
            record.original = cells.iter().map(ToOwned::to_owned).collect();
            visit(record)?;
        }
        Ok(())
    }

    fn each_object(mut self, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        let mut objects = Objects {
            position: self.text.position(),
            mapping: &mut self.mapping,
            visit,
            failed: None,
            found: false,
        };
        let mut deserializer = serde_json::Deserializer::from_reader(&mut self.text);
        let read = deserializer
            .deserialize_any(Stream(&mut objects))
            .and_then(|()| deserializer.end());
        match (objects.failed, read) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(broken_file(&error)),
            (None, Ok(())) if objects.found => Ok(()),
            (None, Ok(())) => Err(Error::invalid(
                "file",
                "there is no array of requests in it; Open311 has [{…}, …]",
            )),
        }
    }

    fn each_element(mut self, visit: &mut dyn FnMut(Record) -> Result<()>) -> Result<()> {
        let position = self.text.position();
        let mut reader = quick_xml::Reader::from_reader(&mut self.text);
        reader.config_mut().expand_empty_elements = true;
        let mut buffer = Vec::new();
        // The record being read, with the depth inside it; the field being read, with its text.
        let mut record: Option<(Record, usize)> = None;
        let mut field: Option<(String, String)> = None;
        let mut values = serde_json::Map::new();
        let mut found = false;
        loop {
            buffer.clear();
            let event = reader
                .read_event_into(&mut buffer)
                .map_err(|error| Error::invalid("file", format!("line {}: {error}", position.line())))?;
            match event {
                Event::Start(tag) => {
                    let name = text_of(tag.local_name().as_ref());
                    match &mut record {
                        None if name == "request" => {
                            position.begin_record();
                            found = true;
                            record = Some((Record::at(position.line()), 0));
                        }
                        None => {}
                        Some((_, depth)) => {
                            *depth += 1;
                            if *depth == 1 {
                                field = Some((name, String::new()));
                            }
                        }
                    }
                }
                Event::Text(text) => {
                    if let Some((_, held)) = &mut field {
                        held.push_str(&text_of(text.as_ref()));
                    }
                }
                Event::CData(text) => {
                    if let Some((_, held)) = &mut field {
                        held.push_str(&text_of(text.as_ref()));
                    }
                }
                Event::GeneralRef(reference) => {
                    if let Some((_, held)) = &mut field {
                        let name = text_of(reference.as_ref());
                        match reference.resolve_char_ref() {
                            Ok(Some(letter)) => held.push(letter),
                            _ => held
                                .push_str(quick_xml::escape::resolve_predefined_entity(&name).unwrap_or("")),
                        }
                    }
                }
                Event::End(_) => {
                    if let Some((mut read, depth)) = record.take() {
                        if depth == 0 {
                            let original = Value::Object(std::mem::take(&mut values));
                            read.original = vec![original.to_string()];
                            visit(read)?;
                        } else {
                            if depth == 1
                                && let Some((name, value)) = field.take()
                            {
                                if let Some(field) = self.mapping.field(&name) {
                                    read.set(field, &value);
                                }
                                values.insert(name, Value::String(value));
                            }
                            record = Some((read, depth - 1));
                        }
                    }
                }
                Event::Eof if record.is_some() => {
                    return Err(Error::invalid(
                        "file",
                        format!("line {}: it ends inside a request", position.line()),
                    ));
                }
                Event::Eof => break,
                _ => {}
            }
            if record.is_none() {
                position.begin_record();
            }
        }
        if found {
            Ok(())
        } else {
            Err(Error::invalid(
                "file",
                "there is no <request> element in it; Open311 has <service_requests><request>…",
            ))
        }
    }
}

/// Refuses what is no text; most often it is the spreadsheet's own file.
fn check_text(head: &str) -> Result<()> {
    let what = if head.starts_with("PK\u{3}\u{4}") {
        "this is a spreadsheet or a ZIP archive; save its table as CSV in UTF-8 and import that"
    } else if head.contains('\0') {
        "this is no text; import CSV, or Open311 JSON or XML"
    } else if head.trim().is_empty() {
        "there is nothing in it; import CSV with a header, or Open311 JSON or XML"
    } else {
        return Ok(());
    };
    Err(Error::invalid("file", what))
}

fn text_of(raw: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(raw.as_ref()).into_owned()
}

fn broken_file(error: &dyn fmt::Display) -> Error {
    Error::invalid("file", error.to_string())
}

/// The delimiter that the header line has most of; a comma when it has none.
fn delimiter_of(head: &str) -> u8 {
    let header = head
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let count = |wanted: char| header.chars().filter(|c| *c == wanted).count();
    [(b';', ';'), (b'\t', '\t')]
        .into_iter()
        .find(|(_, letter)| count(*letter) > count(','))
        .map_or(b',', |(delimiter, _)| delimiter)
}

/// What is done with the objects of a JSON file.
struct Objects<'a> {
    position: Rc<Position>,
    mapping: &'a mut Mapping,
    visit: &'a mut dyn FnMut(Record) -> Result<()>,
    failed: Option<Error>,
    found: bool,
}

impl Objects<'_> {
    fn take(&mut self, value: Value, line: u64) -> Result<(), ()> {
        let mut record = Record::at(line);
        if let Value::Object(object) = &value {
            self.fill(&mut record, object);
        } else {
            record.broken = Some("it is no object");
        }
        record.original = vec![value.to_string()];
        self.position.begin_record();
        (self.visit)(record).map_err(|error| self.failed = Some(error))
    }

    fn fill(&mut self, record: &mut Record, object: &serde_json::Map<String, Value>) {
        let is_feature = object.get("properties").is_some_and(Value::is_object);
        for (name, value) in object {
            if is_feature && name == "type" {
                continue;
            }
            match value {
                Value::Object(inner) if name == "properties" => self.fill(record, inner),
                Value::Object(inner) if name == "geometry" => {
                    if let Some(Value::Array(ordinates)) = inner.get("coordinates")
                        && let [Value::Number(lon), Value::Number(lat), ..] = ordinates.as_slice()
                    {
                        record.set(Field::Lon, &lon.to_string());
                        record.set(Field::Lat, &lat.to_string());
                    }
                }
                _ => {
                    if let Some(field) = self.mapping.field(name) {
                        match value {
                            Value::String(text) => record.set(field, text),
                            Value::Number(number) => record.set(field, &number.to_string()),
                            Value::Bool(yes) => record.set(field, &yes.to_string()),
                            Value::Null | Value::Array(_) | Value::Object(_) => {}
                        }
                    }
                }
            }
        }
    }
}

/// Visits an array of records, or an object that holds such arrays, without keeping them.
struct Stream<'s, 'a>(&'s mut Objects<'a>);

impl<'de> Visitor<'de> for Stream<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of requests, or an object that holds one")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.0.found = true;
        loop {
            let line = self.0.position.line();
            let Some(value) = seq.next_element::<Value>()? else {
                return Ok(());
            };
            self.0
                .take(value, line)
                .map_err(|()| serde::de::Error::custom("stopped"))?;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            self.0.position.begin_record();
            if matches!(
                name.as_str(),
                "requests"
                    | "service_requests"
                    | "features"
                    | "data"
                    | "results"
                    | "items"
                    | "records"
                    | "cases"
            ) {
                map.next_value_seed(Stream(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Stream<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}
