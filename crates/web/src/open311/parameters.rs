//! What a client sent: parameters from query, form or multipart, and the files that came along.
//!
//! A parameter that is there but empty is as good as absent; one that is repeated and one that holds commas are both
//! lists (B1, B7).

use axum::{
    body::to_bytes,
    extract::{FromRequest, Multipart, Request, multipart::MultipartError},
    http::{StatusCode, header},
};
use bytes::Bytes;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use whistle_domain::geometry::{Point, PointError};
use whistle_service::media::{MAX_PHOTO_BYTES, MAX_PHOTOS_AT_ONCE};

use super::answer::{Fault, quoted};

/// The most bytes of a form without files: 4000 letters of four bytes, percent-encoded, and as much again for the rest.
const MAX_FORM: usize = 128 * 1024;

/// The most parameters of one request; the largest forms of cities have some forty questions.
const MAX_PARAMETERS: usize = 1000;

/// Names and values as they were sent, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// From a query or a form. Broken percent-encoding stays as it is written; what is no UTF-8 is replaced.
    pub(super) fn parse(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).take(MAX_PARAMETERS);
        Self(
            pairs
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// These, and after them others.
    pub(super) fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value that says something.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        let named = self.iter().filter(|(n, _)| *n == name);
        named
            .map(|(_, value)| value.trim())
            .find(|value| !value.is_empty())
    }

    /// Every value that says something, undivided.
    pub(super) fn every<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.iter()
            .filter(move |(n, _)| *n == name)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Every value, divided at commas.
    pub(super) fn list<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.every(name)
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.one(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
    }

    fn number(&self, name: &str) -> Result<Option<f64>, Fault> {
        let read = |value: &str| value.parse().ok().filter(|n: &f64| n.is_finite());
        self.one(name)
            .map(|value| {
                read(value)
                    .ok_or_else(|| Fault::bad("open311-no-number", &[("name", name), ("x", &quoted(value))]))
            })
            .transpose()
    }

    /// A positive whole number.
    pub(super) fn count(&self, name: &str) -> Result<Option<usize>, Fault> {
        let read = |value: &str| value.parse().ok().filter(|n| *n > 0);
        let wrong = |value: &str| Fault::bad("open311-no-count", &[("name", name), ("x", &quoted(value))]);
        self.one(name)
            .map(|value| read(value).ok_or_else(|| wrong(value)))
            .transpose()
    }

    /// A length in metres.
    pub(super) fn metres(&self, name: &str) -> Result<Option<f64>, Fault> {
        match self.number(name)? {
            Some(metres) if metres <= 0.0 => Err(Fault::bad("open311-no-metres", &[("name", name)])),
            metres => Ok(metres),
        }
    }

    /// `lat` and `long`, both or none.
    pub(super) fn point(&self) -> Result<Option<Point>, Fault> {
        match (self.number("lat")?, self.number("long")?) {
            (Some(lat), Some(lon)) => Point::new(lon, lat).map(Some).map_err(bad_point),
            (None, None) => Ok(None),
            _ => Err(Fault::bad("open311-half-point", &[])),
        }
    }

    /// A time from which on.
    pub(super) fn time_from(&self, name: &str, zone: &TimeZone) -> Result<Option<Timestamp>, Fault> {
        Ok(self.moment(name, zone)?.map(|moment| moment.from))
    }

    /// A time up to which: the whole of the second or day that is named.
    pub(super) fn time_to(&self, name: &str, zone: &TimeZone) -> Result<Option<Timestamp>, Fault> {
        Ok(self.moment(name, zone)?.map(|moment| moment.to))
    }

    fn moment(&self, name: &str, zone: &TimeZone) -> Result<Option<Moment>, Fault> {
        let wrong = |value: &str| Fault::bad("open311-no-time", &[("name", name), ("x", &quoted(value))]);
        self.one(name)
            .map(|value| Moment::read(value, zone).ok_or_else(|| wrong(value)))
            .transpose()
    }

    /// The answers to a service's questions: `attribute[CODE]=v`, `attribute[CODE][]=v1&attribute[CODE][]=v2`.
    pub(super) fn attributes(&self) -> Vec<(&str, Vec<&str>)> {
        let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, value) in self.iter() {
            let code = name
                .strip_prefix("attribute[")
                .and_then(|rest| rest.split_once(']'));
            let Some((code, _)) = code else { continue };
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            match all.iter_mut().find(|(known, _)| *known == code) {
                Some((_, values)) => values.push(value),
                None => all.push((code, vec![value])),
            }
        }
        all
    }
}

/// What was given as a point, and where it can be told what would be right.
fn bad_point(error: PointError) -> Fault {
    // With its point or its exponent, so that a huge number stays short.
    let told = |degrees: f64| format!("{degrees:?}");
    match error {
        PointError::NotFinite { .. } => Fault::bad("open311-no-point", &[]),
        PointError::Swapped { lon, lat } => Fault::bad(
            "open311-swapped-point",
            &[("lat", &told(lat)), ("long", &told(lon))],
        ),
        PointError::Longitude(lon) => Fault::bad("open311-no-longitude", &[("x", &told(lon))]),
        PointError::Latitude(lat) => Fault::bad("open311-no-latitude", &[("x", &told(lat))]),
    }
}

/// A time as precise as it was written: its first and last microsecond.
struct Moment {
    from: Timestamp,
    to: Timestamp,
}

impl Moment {
    /// ISO 8601 with a zone; without one the place's own is meant. A date alone is the whole day.
    fn read(text: &str, zone: &TimeZone) -> Option<Self> {
        const DATE: usize = "2026-05-08".len();
        let almost = |span: SignedDuration| span - SignedDuration::from_micros(1);
        if text.len() == DATE {
            let date: Date = text.parse().ok()?;
            let from = zone.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
            let next = zone.to_timestamp(date.tomorrow().ok()?.at(0, 0, 0, 0)).ok()?;
            let to = next.checked_sub(SignedDuration::from_micros(1)).ok()?;
            return Some(Self { from, to });
        }
        let from = text
            .parse()
            .or_else(|_| plus_restored(text).parse())
            .ok()
            .or_else(|| {
                let local: DateTime = text.parse().ok()?;
                zone.to_timestamp(local).ok()
            })?;
        let span = if text.contains('.') {
            SignedDuration::ZERO
        } else {
            almost(SignedDuration::from_secs(1))
        };
        let to = from.checked_add(span).unwrap_or(from);
        Some(Self { from, to })
    }
}

/// The `+` of a zone that a client forgot to encode arrives as a space.
fn plus_restored(text: &str) -> String {
    match text.rsplit_once(' ') {
        Some((time, zone)) if time.contains('T') => format!("{time}+{zone}"),
        _ => text.to_owned(),
    }
}

/// A body: its parameters and its files.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) parameters: Parameters,
    pub(super) files: Vec<Bytes>,
}

impl Sent {
    /// Reads a form with or without files. A file may have any name: `media`, `media[]`, `photo1`, `file_1`.
    pub(super) async fn read(request: Request, max_body: usize) -> Result<Self, Fault> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match kind.as_str() {
            "multipart/form-data" => Self::read_parts(request).await,
            "" | "application/x-www-form-urlencoded" => {
                let bytes = to_bytes(request.into_body(), MAX_FORM.min(max_body))
                    .await
                    .map_err(|_| form_too_large())?;
                Ok(Self {
                    parameters: Parameters::parse(&bytes),
                    files: Vec::new(),
                })
            }
            _ => Err(Fault::bad("open311-form-kind", &[])),
        }
    }

    async fn read_parts(request: Request) -> Result<Self, Fault> {
        let mut parts = Multipart::from_request(request, &())
            .await
            .map_err(|_| Fault::bad("open311-form-boundary", &[]))?;
        let broken = |error: MultipartError| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "open311-too-large", &[])
            }
            status => Fault::new(status, "open311-form-broken", &[]),
        };
        let mut sent = Self::default();
        let mut letters = 0;
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            let is_file = part.file_name().is_some()
                || part.content_type().is_some_and(|kind| kind.starts_with("image/"));
            let name = part.name().unwrap_or_default().to_owned();
            let bytes = part.bytes().await.map_err(broken)?;
            if is_file {
                sent.keep_file(bytes)?;
                continue;
            }
            letters += name.len() + bytes.len();
            if letters > MAX_FORM || sent.parameters.0.len() == MAX_PARAMETERS {
                return Err(form_too_large());
            }
            let value = String::from_utf8_lossy(&bytes).into_owned();
            sent.parameters.0.push((name, value));
        }
        Ok(sent)
    }

    fn keep_file(&mut self, bytes: Bytes) -> Result<(), Fault> {
        if bytes.is_empty() {
            // A browser sends a field of its form that was left empty.
            return Ok(());
        }
        if self.files.len() == MAX_PHOTOS_AT_ONCE {
            let most = MAX_PHOTOS_AT_ONCE.to_string();
            return Err(Fault::bad("open311-too-many-photos", &[("most", &most)]));
        }
        if bytes.len() > MAX_PHOTO_BYTES {
            let most = (MAX_PHOTO_BYTES >> 20).to_string();
            let parts = [("most", most.as_str())];
            return Err(Fault::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "open311-photo-too-large",
                &parts,
            ));
        }
        self.files.push(bytes);
        Ok(())
    }
}

fn form_too_large() -> Fault {
    let most = (MAX_FORM >> 10).to_string();
    let parts = [("most", most.as_str())];
    Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "open311-form-too-large", &parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Parameters {
        Parameters::parse(text.as_bytes())
    }

    #[test]
    fn empty_is_absent_and_lists_are_repeated_or_divided() {
        let sent = parse("status=&status=open,closed&status=+open+&x=%20");
        assert_eq!(sent.one("status"), Some("open,closed"));
        assert_eq!(
            sent.list("status").collect::<Vec<_>>(),
            ["open", "closed", "open"]
        );
        assert_eq!(sent.one("x"), None);
    }

    #[test]
    fn attributes_gather_their_values() {
        let sent =
            parse("attribute[A]=1&attribute%5BB%5D%5B%5D=x&attribute[B][]=y&attribute[C]=&attribute[D");
        assert_eq!(sent.attributes(), [("A", vec!["1"]), ("B", vec!["x", "y"])]);
    }

    #[test]
    fn times_are_read_with_zone_without_zone_and_with_a_lost_plus() {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let read = |text: &str| Moment::read(text, &zone).map(|m| m.from.to_string());
        let noon = Some("2026-05-08T04:00:00Z".to_owned());
        for text in [
            "2026-05-08T04:00:00Z",
            "2026-05-08T12:00:00+08:00",
            "2026-05-08T12:00:00 08:00",
            "2026-05-08T12:00:00",
            "2026-05-08T00:00:00-04:00",
        ] {
            assert_eq!(read(text), noon, "{text}");
        }
        assert_eq!(read("2026-05-08").as_deref(), Some("2026-05-07T16:00:00Z"));
        assert_eq!(read("yesterday"), None);
        let day = Moment::read("2026-05-08", &zone).map(|m| m.to.to_string());
        assert_eq!(day.as_deref(), Some("2026-05-08T15:59:59.999999Z"));
    }
}
