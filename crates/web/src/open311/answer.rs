//! Answers: one tree, written as XML or as JSON, so that the two cannot say different things. And faults.
//!
//! JSON follows the "Spark" rule of the specification: the root is dropped, a container of one repeated child is an
//! array even of none, an empty value is null.

use std::{borrow::Cow, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};
use whistle_domain::{command::Refusal, words::Lang};
use whistle_service::Error;

use super::{
    asked::{host, locale, spoken},
    parameters::Parameters,
};
use crate::{App, pages::words::Words, status};

/// In which format an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Xml,
    Json,
}

impl Format {
    pub(super) const ALL: [Self; 2] = [Self::Xml, Self::Json];

    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Json => "json",
        }
    }

    /// What discovery calls it.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Xml => "text/xml",
            Self::Json => "application/json",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Xml => "text/xml; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    /// The format that a path's ending asks for.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let (_, ending) = path.rsplit_once('.')?;
        Self::ALL.into_iter().find(|format| format.extension() == ending)
    }

    /// What a path asks for: XML, which the specification requires, when it does not say.
    pub(super) fn asked(path: &str) -> Self {
        Self::of_path(path).unwrap_or(Self::Xml)
    }
}

/// A value of an answer.
#[derive(Debug, Clone)]
pub(super) enum Node<'a> {
    /// `<x/>`, null.
    Null,
    Text(Cow<'a, str>),
    Bool(bool),
    Whole(i64),
    Degrees(f64),
    /// A container of children that all have this name.
    List(&'static str, Vec<Node<'a>>),
    /// Fields in the order of the specification.
    Object(Vec<(&'static str, Node<'a>)>),
}

impl<'a> From<&'a str> for Node<'a> {
    fn from(text: &'a str) -> Self {
        Self::from(Cow::Borrowed(text))
    }
}

impl From<String> for Node<'_> {
    fn from(text: String) -> Self {
        Self::from(Cow::<str>::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Node<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match clean(text) {
            empty if empty.is_empty() => Self::Null,
            text => Self::Text(text),
        }
    }
}

impl<'a, T: Into<Node<'a>>> From<Option<T>> for Node<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Node::Null, Into::into)
    }
}

/// The text without what XML 1.0 cannot carry, with line breaks as XML reads them.
fn clean(text: Cow<'_, str>) -> Cow<'_, str> {
    let carried = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{FFFD}' | '\u{1_0000}'..);
    if text.chars().all(carried) {
        return text;
    }
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(unix.chars().filter(|c| carried(*c)).collect())
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bool(bool) => serializer.serialize_bool(*bool),
            Self::Whole(number) => serializer.serialize_i64(*number),
            Self::Degrees(number) => serializer.serialize_f64(*number),
            Self::List(_, items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

fn write_xml(writer: &mut Writer<Vec<u8>>, name: &str, node: &Node<'_>) -> std::io::Result<()> {
    let mut whole = |text: &str| -> std::io::Result<()> {
        writer.write_event(Event::Start(BytesStart::new(name)))?;
        writer.write_event(Event::Text(BytesText::new(text)))?;
        writer.write_event(Event::End(BytesEnd::new(name)))
    };
    match node {
        Node::Text(text) => return whole(text),
        Node::Bool(bool) => return whole(if *bool { "true" } else { "false" }),
        Node::Whole(number) => return whole(&number.to_string()),
        Node::Degrees(number) => return whole(&number.to_string()),
        Node::List(_, items) if !items.is_empty() => {}
        Node::Object(fields) if !fields.is_empty() => {}
        Node::Null | Node::List(..) | Node::Object(_) => {
            return writer.write_event(Event::Empty(BytesStart::new(name)));
        }
    }
    writer.write_event(Event::Start(BytesStart::new(name)))?;
    match node {
        Node::List(child, items) => {
            for item in items {
                write_xml(writer, child, item)?;
            }
        }
        Node::Object(fields) => {
            for (field, value) in fields {
                write_xml(writer, field, value)?;
            }
        }
        _ => {}
    }
    writer.write_event(Event::End(BytesEnd::new(name)))
}

/// Writes a tree under its root's name.
pub(super) fn write(format: Format, status: StatusCode, root: &str, node: &Node<'_>) -> Response {
    let bytes = match format {
        Format::Json => serde_json::to_vec(node).expect("names are text and numbers finite"),
        Format::Xml => {
            let mut writer = Writer::new(Vec::with_capacity(4096));
            let declaration = Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None));
            writer
                .write_event(declaration)
                .and_then(|()| write_xml(&mut writer, root, node))
                .expect("writing to memory does not fail");
            writer.into_inner()
        }
    };
    let kind = [(header::CONTENT_TYPE, format.content_type())];
    (status, kind, Body::from(bytes)).into_response()
}

/// What a client sent, short enough to be said back.
pub(super) fn quoted(text: &str) -> String {
    const LETTERS: usize = 60;
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}

/// One thing that is wrong with a request, in the languages we speak: who reads it is known only when it is written.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    status: StatusCode,
    zh: String,
    en: String,
}

impl Fault {
    /// A message of the catalogue with what belongs in it.
    pub(super) fn new(status: StatusCode, key: &str, parts: &[(&str, &str)]) -> Self {
        let parts: Vec<_> = parts.iter().map(|(name, part)| (*name, (*part).into())).collect();
        Self {
            status,
            zh: Words(Lang::Zh).with(key, &parts),
            en: Words(Lang::En).with(key, &parts),
        }
    }

    /// 400: it is not what it must be.
    pub(super) fn bad(key: &str, parts: &[(&str, &str)]) -> Self {
        Self::new(StatusCode::BAD_REQUEST, key, parts)
    }

    /// 404: there is no such thing.
    pub(super) fn not_found(key: &str, parts: &[(&str, &str)]) -> Self {
        Self::new(StatusCode::NOT_FOUND, key, parts)
    }

    /// An error of the service. English has its own words, which say most; an unexpected one was logged under its
    /// request's id and shows no more than that.
    fn of(status: StatusCode, error: &Error, request_id: &str) -> Self {
        match error {
            Error::NotFound {
                what: "jurisdiction",
                id,
            } => Self::new(status, "open311-no-jurisdiction", &[("x", &quoted(id))]),
            Error::NotFound { what: "case", id } => {
                Self::new(status, "open311-no-request", &[("x", &quoted(id))])
            }
            Error::WhichJurisdiction(codes) => Self::new(
                status,
                "open311-which-jurisdiction",
                &[("known", &codes.join(", "))],
            ),
            Error::BadKey(_) => Self::new(status, "open311-bad-key", &[]),
            Error::MissingScope(scope) => {
                Self::new(status, "open311-missing-scope", &[("x", &quoted(scope.as_str()))])
            }
            Error::KeyReused => Self::new(status, "open311-key-reused", &[]),
            Error::Busy(_) => Self::new(status, "open311-busy", &[]),
            Error::Store(_) | Error::Io { .. } => {
                status::message_of(error, request_id);
                Self::new(status, "open311-failed", &[("id", request_id)])
            }
            other => Self {
                status,
                zh: Words(Lang::Zh).error(other),
                en: status::message_of(other, request_id),
            },
        }
    }

    fn says(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// Everything that is wrong with a request. Written as it was asked for by [`Asking::finish`].
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    all: Vec<Fault>,
    retry_after: Option<Duration>,
    /// The language that the body asked for; only its reader knows it.
    lang: Option<Lang>,
}

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        self.all.push(fault);
    }

    /// Takes the value of a result, or its fault.
    pub(super) fn take<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.push(fault)).ok()
    }

    /// These faults in the language that the body of a form asks for.
    pub(super) fn for_reader_of(mut self, parameters: &Parameters) -> Self {
        self.lang = locale(parameters);
        self
    }

    /// Fails when there is any.
    pub(super) fn none(self) -> Result<(), Self> {
        if self.all.is_empty() { Ok(()) } else { Err(self) }
    }

    /// What an error of the service is here: 404 for what does not exist, 403 for the key, 400 for all else that the
    /// asker can mend (B9).
    pub(super) fn of(error: &Error, request_id: &str) -> Self {
        let status = match error {
            Error::Refused(Refusal::NotPublic(_)) => StatusCode::NOT_FOUND,
            other => match status::status_of(other) {
                StatusCode::UNAUTHORIZED => StatusCode::FORBIDDEN,
                kept if matches!(kept.as_u16(), 403 | 404) || kept.is_server_error() => kept,
                _ => StatusCode::BAD_REQUEST,
            },
        };
        Self {
            all: vec![Fault::of(status, error, request_id)],
            retry_after: status::retry_after(error),
            lang: None,
        }
    }

    /// The status of the answer: that of the gravest fault.
    fn status(&self) -> StatusCode {
        let grave = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
        grave
            .into_iter()
            .find(|status| self.all.iter().any(|fault| fault.status == *status))
            .or_else(|| self.all.first().map(|fault| fault.status))
            .unwrap_or(StatusCode::BAD_REQUEST)
    }

    fn write(&self, asking: Asking) -> Response {
        let lang = self.lang.unwrap_or(asking.lang);
        let errors = self.all.iter().map(|fault| {
            Node::Object(vec![
                ("code", fault.status.as_str().to_owned().into()),
                ("description", fault.says(lang).into()),
            ])
        });
        let node = Node::List("error", errors.collect());
        write(asking.format, self.status(), "errors", &node)
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self {
            all: vec![fault],
            ..Self::default()
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        Faults::from(self).into_response()
    }
}

impl IntoResponse for Faults {
    fn into_response(self) -> Response {
        let mut answer = self.status().into_response();
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs().max(1);
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer.extensions_mut().insert(self);
        answer
    }
}

/// In which format and language somebody asked; outlives their request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    format: Format,
    lang: Lang,
}

impl Asking {
    /// What a request asks for: the place's own language when neither `locale` nor the headers say.
    pub(super) fn of(app: &App, request: &Request) -> Self {
        let query = Parameters::parse(request.uri().query().unwrap_or_default().as_bytes());
        let places = app.whistle.places();
        let named = query.one("jurisdiction_id").and_then(|code| places.by_code(code));
        let here = named.or_else(|| places.by_host(host(request.headers()).unwrap_or_default()));
        let own = here.and_then(|here| here.place.jurisdiction.languages.first().copied());
        Self {
            format: Format::asked(request.uri().path()),
            lang: locale(&query)
                .or_else(|| spoken(request.headers()))
                .or(own)
                .unwrap_or_default(),
        }
    }

    /// Gives an answer of faults, or a refusal of the frame around us, its body as it was asked for.
    pub(super) fn finish(self, answer: Response) -> Response {
        let status = answer.status();
        let written = match answer.extensions().get::<Faults>() {
            Some(faults) => faults.write(self),
            None if refused_by_frame(&answer) => {
                Faults::from(Fault::new(status, told_by_frame(status), &[])).write(self)
            }
            None => return answer,
        };
        let (mut parts, _) = answer.into_parts();
        parts.extensions.remove::<Faults>();
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.remove(header::CONTENT_ENCODING);
        let (own, body) = written.into_parts();
        parts.headers.extend(own.headers);
        parts.status = own.status;
        Response::from_parts(parts, body)
    }
}

/// Whether an answer is a bare refusal of the frame: too large, too many, too slow, broken.
fn refused_by_frame(answer: &Response) -> bool {
    let ours = Format::ALL.iter().any(|format| {
        answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind == format.content_type())
    });
    let grave = matches!(answer.status().as_u16(), 408 | 413 | 429 | 500 | 503);
    grave && !ours
}

const fn told_by_frame(status: StatusCode) -> &'static str {
    match status.as_u16() {
        413 => "open311-too-large",
        429 => "open311-too-often",
        500 => "open311-broken",
        _ => "open311-busy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_carry_is_left_out_of_both_formats() {
        assert_eq!(clean("a\u{0}b\u{1b}c\u{FFFE}d".into()), "abcd");
        assert_eq!(
            clean("one\r\ntwo\rthree\tfour\n".into()),
            "one\ntwo\nthree\tfour\n"
        );
        assert_eq!(clean("三江 <&> 🚰".into()), "三江 <&> 🚰");
    }

    #[test]
    fn the_gravest_fault_gives_the_status() {
        let mut faults = Faults::from(Fault::bad("open311-no-box", &[]));
        faults.push(Fault::not_found("open311-not-listed", &[]));
        assert_eq!(faults.status(), StatusCode::NOT_FOUND);
        faults.push(Fault::new(StatusCode::FORBIDDEN, "open311-bad-key", &[]));
        assert_eq!(faults.status(), StatusCode::FORBIDDEN);
    }
}
