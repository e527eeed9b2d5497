//! From a record to what the domain is told: which service, where, when, how it ended; or why it cannot be told.

use std::{collections::HashMap, path::Path};

use jiff::{Timestamp, civil, tz::TimeZone};
use whistle_domain::{
    case::{Channel, MAX_TEXT, Outcome},
    command::{NewReport, Refusal, Whereabouts},
    geometry::Point,
    place::Place,
    words::{AreaCode, ServiceCode},
};

use super::{field::Field, read::Record};
use crate::error::{Error, Result};

/// Why a row is not imported: a stable word to count by, and a sentence.
#[derive(Debug)]
pub(super) struct Why {
    pub word: &'static str,
    pub sentence: String,
}

impl Why {
    pub fn new(word: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            word,
            sentence: sentence.into(),
        }
    }
}

impl From<Refusal> for Why {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.word(), refusal.to_string())
    }
}

/// What a row says.
#[derive(Debug)]
pub(super) struct Row {
    /// The number that the matter has there.
    pub reference: String,
    /// The report.
    pub new: NewReport,
    /// When it was made.
    pub reported_at: Timestamp,
    /// How it ended, if it did.
    pub closing: Option<Closing>,
}

/// How a matter ended there.
#[derive(Debug, Clone)]
pub(super) struct Closing {
    pub at: Timestamp,
    pub outcome: Outcome,
    pub text: String,
}

/// The most letters of another system's number.
const MAX_REFERENCE: usize = 200;

/// Knows what another system's words mean in this place.
pub(super) struct Translator<'p> {
    place: &'p Place,
    zone: &'p TimeZone,
    services: HashMap<String, ServiceCode>,
    now: Timestamp,
}

impl<'p> Translator<'p> {
    /// `mapping` names a CSV of two columns, their name and our code, for services that are called otherwise there.
    pub fn new(place: &'p Place, mapping: Option<&Path>, now: Timestamp) -> Result<Self> {
        let mut services = HashMap::new();
        let real = || place.services().iter().filter(|s| !s.is_group());
        for service in real() {
            services.insert(key(service.code.as_str()), service.code.clone());
        }
        for service in real() {
            let names = [
                Some(&service.name.own),
                service.name.zh.as_ref(),
                service.name.en.as_ref(),
            ];
            for name in names.into_iter().flatten() {
                services.entry(key(name)).or_insert_with(|| service.code.clone());
            }
        }
        if let Some(path) = mapping {
            for (theirs, ours) in read_mapping(path, place)? {
                services.entry(key(&theirs)).or_insert(ours);
            }
        }
        Ok(Self {
            place,
            zone: place.calendar.zone(),
            services,
            now,
        })
    }

    /// What a record says, but for rules that only the domain knows.
    pub fn row(&self, record: &Record) -> Result<Row, Why> {
        if let Some(what) = record.broken {
            return Err(Why::new("unreadable", what));
        }
        let reference = record.get(Field::Id);
        if reference.is_empty() {
            return Err(Why::new("no_id", "it has no id"));
        }
        if reference.chars().count() > MAX_REFERENCE {
            return Err(Why::new(
                "bad_id",
                format!("its id has more than {MAX_REFERENCE} letters"),
            ));
        }
        let service = self.service(record)?;
        let reported_at = self
            .time(record, Field::Reported)?
            .ok_or_else(|| Why::new("no_date", "it does not say when it was reported"))?;
        // Clocks of two machines may differ by a little, and a zone by a day.
        let soon = self.now + jiff::SignedDuration::from_hours(24);
        if reported_at > soon {
            return Err(Why::new(
                "future_date",
                format!("it was reported in the future, {reported_at}"),
            ));
        }
        let closing = self.closing(record, reported_at)?;
        let whereabouts = self.whereabouts(record)?;
        Ok(Row {
            reference: reference.to_owned(),
            reported_at,
            closing,
            new: NewReport {
                service,
                standard: None,
                whereabouts,
                description: description(record),
                answers: Vec::new(),
                channel: Channel::Import,
                photos: Vec::new(),
                fixed: None,
            },
        })
    }

    fn service(&self, record: &Record) -> Result<ServiceCode, Why> {
        let said = [record.get(Field::ServiceCode), record.get(Field::ServiceName)];
        if said.iter().all(|s| s.is_empty()) {
            return Err(Why::new("no_service", "it names no service"));
        }
        said.iter()
            .filter(|s| !s.is_empty())
            .find_map(|s| self.services.get(&key(s)))
            .cloned()
            .ok_or_else(|| {
                let said: Vec<_> = said.into_iter().filter(|s| !s.is_empty()).collect();
                Why::new(
                    "unknown_service",
                    format!(
                        "no service here is called {:?}; say which it is in a file for --services",
                        said.join(" / ")
                    ),
                )
            })
    }

    fn whereabouts(&self, record: &Record) -> Result<Whereabouts, Why> {
        let (lat, lon) = (record.get(Field::Lat), record.get(Field::Lon));
        let point = if lat.is_empty() && lon.is_empty() {
            None
        } else {
            let bad = |what: String| Why::new("unreadable_point", what);
            let number = |text: &str| {
                // Spreadsheets of half the world write 47,3769.
                text.replacen(',', ".", 1)
                    .parse::<f64>()
                    .map_err(|_| bad(format!("{text:?} is no degree; write 47.3769")))
            };
            let (lat, lon) = (number(lat)?, number(lon)?);
            // Nothing lies at 0, 0: systems write it for "unknown".
            if lat == 0.0 && lon == 0.0 {
                None
            } else {
                Some(Point::new(lon, lat).map_err(|error| bad(error.to_string()))?)
            }
        };
        let (address, area) = (record.get(Field::Address), record.get(Field::Area));
        if point.is_none() && address.is_empty() && area.is_empty() {
            return Err(Why::new(
                "no_location",
                "it does not say where: no point, no address, no area",
            ));
        }
        let known = self.place.areas.find(area).is_some();
        if point.is_none() && address.is_empty() && !known {
            return Err(Why::new(
                "unknown_area",
                format!("it has no point, and area {area:?} is unknown here"),
            ));
        }
        Ok(Whereabouts {
            point,
            address: address.to_owned(),
            area: if known {
                area.parse::<AreaCode>().ok()
            } else {
                None
            },
        })
    }

    fn closing(&self, record: &Record, reported_at: Timestamp) -> Result<Option<Closing>, Why> {
        let status = record.get(Field::Status).to_lowercase().replace([' ', '-'], "_");
        let closed_at = self.time(record, Field::Closed)?;
        let said = Outcome::ALL
            .into_iter()
            .find(|o| o.as_str() == record.get(Field::Outcome).to_lowercase());
        let outcome = match status.as_str() {
            "" if closed_at.is_some() => said.unwrap_or(Outcome::Resolved),
            "closed" | "fixed" | "resolved" | "completed" | "complete" | "done" | "archived"
            | "processed" | "已结案" | "结案" | "已办结" | "办结" | "关闭" | "已关闭" | "erledigt"
            | "geschlossen" | "fermé" | "cerrado" => said.unwrap_or(Outcome::Resolved),
            "duplicate" | "closed_duplicate" => Outcome::Duplicate,
            "not_councils_responsibility" | "internal_referral" | "referred" => Outcome::Referred,
            "no_further_action" | "unable_to_fix" => Outcome::Explained,
            "cancelled" | "canceled" | "withdrawn" => Outcome::Withdrawn,
            "rejected" | "declined" => Outcome::Declined,
            _ => return Ok(None),
        };
        let at = match closed_at {
            Some(at) => at,
            None => self.time(record, Field::Updated)?.ok_or_else(|| {
                Why::new(
                    "no_closing_time",
                    "it is closed, but does not say when it was closed",
                )
            })?,
        };
        if at < reported_at {
            return Err(Why::new(
                "closed_before_reported",
                format!("it was closed at {at}, before it was reported at {reported_at}"),
            ));
        }
        let letters = record.get(Field::Resolution).chars().count();
        if letters > MAX_TEXT {
            return Err(Refusal::TextTooLong { letters }.into());
        }
        Ok(Some(Closing {
            at,
            outcome,
            text: record.get(Field::Resolution).to_owned(),
        }))
    }

    fn time(&self, record: &Record, field: Field) -> Result<Option<Timestamp>, Why> {
        let text = record.get(field);
        if text.is_empty() {
            return Ok(None);
        }
        read_time(text, self.zone).map(Some).ok_or_else(|| {
            Why::new(
                "unreadable_date",
                format!(
                    "{text:?} is no date; write 2026-05-08T10:20:00+02:00, 2026-05-08 10:20 or 2026-05-08"
                ),
            )
        })
    }
}

/// What the reporter wrote; where the other system keeps no words of theirs, what it calls the matter.
fn description(record: &Record) -> String {
    let said = record.get(Field::Description);
    if !said.is_empty() {
        return said.to_owned();
    }
    let (name, closer) = (record.get(Field::ServiceName), record.get(Field::Subtype));
    match (name, closer) {
        ("", "") => record.get(Field::ServiceCode).to_owned(),
        (name, "") => name.to_owned(),
        ("", closer) => closer.to_owned(),
        (name, closer) => format!("{name}: {closer}"),
    }
}

/// How names of services are compared.
fn key(name: &str) -> String {
    name.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// Ways of writing a time that are not ISO 8601, of systems in use. Month before day only where a slash says so.
const WAYS: [&str; 9] = [
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%Y年%m月%d日 %H:%M",
    "%Y-%m-%d %H:%M",
];

/// The same for dates alone.
const DATES: [&str; 4] = ["%Y/%m/%d", "%m/%d/%Y", "%d.%m.%Y", "%Y年%m月%d日"];

/// Reads a time. One without a zone is the place's own; a date alone is its midnight.
fn read_time(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let local = |time: civil::DateTime| zone.to_timestamp(time).ok();
    let read = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text).ok())
        .or_else(|| Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text).ok())
        .or_else(|| text.parse::<civil::DateTime>().ok().and_then(local))
        .or_else(|| {
            WAYS.iter()
                .find_map(|way| civil::DateTime::strptime(way, text).ok())
                .and_then(local)
        })
        .or_else(|| {
            DATES
                .iter()
                .find_map(|way| civil::Date::strptime(way, text).ok())
                .and_then(|date| local(date.at(0, 0, 0, 0)))
        })?;
    // The store keeps microseconds.
    Timestamp::from_microsecond(read.as_microsecond()).ok()
}

/// The lines of a mapping file: their name, our code.
fn read_mapping(path: &Path, place: &Place) -> Result<Vec<(String, ServiceCode)>> {
    let what = format!("reading {}", path.display());
    let bytes = std::fs::read(path).map_err(Error::io(what))?;
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(_) => encoding_rs::GB18030.decode(&bytes).0.into_owned(),
    };
    let mut pairs = Vec::new();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    for (i, row) in reader.records().enumerate() {
        let row = row.map_err(|error| Error::invalid("services", error.to_string()))?;
        let (Some(theirs), Some(ours)) = (row.get(0), row.get(1)) else {
            return Err(Error::invalid(
                "services",
                format!(
                    "line {}: write their name and our code, as in Graffiti,SR-LT",
                    i + 1
                ),
            ));
        };
        match place.service(ours).filter(|s| !s.is_group()) {
            Some(service) => pairs.push((theirs.to_owned(), service.code.clone())),
            // A header.
            None if i == 0 => {}
            None => {
                return Err(Error::invalid(
                    "services",
                    format!("line {}: {ours:?} is no service of this place", i + 1),
                ));
            }
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::read_time;

    #[test]
    fn times_are_read_as_they_are_written_in_the_place() {
        let zone = TimeZone::get("Europe/Zurich").unwrap();
        for (text, utc) in [
            ("2026-05-08T10:20:00Z", "2026-05-08T10:20:00Z"),
            ("2026-05-08T10:20:00+02:00", "2026-05-08T08:20:00Z"),
            ("2026-05-08T10:20:00+0200", "2026-05-08T08:20:00Z"),
            ("2026-05-08T10:20:00", "2026-05-08T08:20:00Z"),
            ("2026-05-08 10:20", "2026-05-08T08:20:00Z"),
            ("2026-01-08", "2026-01-07T23:00:00Z"),
            ("2026/01/08", "2026-01-07T23:00:00Z"),
            ("01/08/2026 06:52:55 PM", "2026-01-08T17:52:55Z"),
            ("8.1.2026 18:52", "2026-01-08T17:52:00Z"),
            ("2026年1月8日", "2026-01-07T23:00:00Z"),
        ] {
            let read = read_time(text, &zone).map(|t| t.to_string());
            assert_eq!(read.as_deref(), Some(utc), "{text}");
        }
        for text in ["yesterday", "2026-13-01", "31/31/2026", "1746699600x"] {
            assert_eq!(read_time(text, &zone), None, "{text}");
        }
    }
}
