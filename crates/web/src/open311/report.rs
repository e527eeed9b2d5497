//! POST requests: a report from another system or an app.

use axum::{extract::Request, response::Response};
use bytes::Bytes;
use whistle_domain::{
    case::{Answer, Channel, MAX_TEXT, Photo, PhotoKind},
    command::{NewReport, Whereabouts},
    place::{Place, Service},
    words::{AreaCode, Lang},
};
use whistle_service::{Here, case::With, secret::Contact};

use super::{
    answer::{Fault, Faults, Node, quoted},
    asked::{Asked, public_service},
    parameters::{Parameters, Sent},
    words,
};

/// Photos sent through Open311 are public: the specification's media_url is a part of the public record, and clients say
/// so before they send one.
const PUBLIC: bool = true;

/// Files a report. Everything that is wrong with it is said at once.
pub(super) async fn report(asked: Asked, request: Request) -> Result<Response, Faults> {
    let Sent { parameters, files } = Sent::read(request, asked.app.settings.max_body).await?;
    let parameters = parameters.and(asked.query.clone());
    let filed = file(&asked, &parameters, files).await;
    filed.map_err(|faults| faults.for_reader_of(&parameters))
}

async fn file(asked: &Asked, parameters: &Parameters, files: Vec<Bytes>) -> Result<Response, Faults> {
    let whistle = &asked.app.whistle;
    let here = asked.here(parameters)?;
    let by = asked.done(whistle.reporter(&here, asked.key(parameters)?).await)?;
    let mut new = new_report(&here.place, parameters, !files.is_empty())?;
    new.photos = keep_photos(asked, &here, files).await?;
    let lang = asked.language(&here.place, parameters);
    let standard = here.place.default_standard(&new.service);
    let notice = words::notice(standard, lang);
    let with = With {
        contact: contact(parameters, lang),
        idempotency_key: asked.idempotency_key.clone(),
        ..With::default()
    };
    let receipt = asked.done(whistle.report(&here, new, by, with).await)?;
    let mut fields = vec![
        ("service_request_id", receipt.number.to_string().into()),
        ("service_notice", notice.into()),
    ];
    if parameters.is_true("extensions") {
        fields.push(("pickup_code", receipt.code.into()));
    }
    let node = Node::List("request", vec![Node::Object(fields)]);
    Ok(asked.answer("service_requests", &node))
}

fn new_report(place: &Place, parameters: &Parameters, has_photos: bool) -> Result<NewReport, Faults> {
    let mut faults = Faults::default();
    let service = match parameters.one("service_code") {
        Some(code) => faults.take(public_service(place, code)),
        None => faults.take(Err(Fault::bad("open311-missing", &[("name", "service_code")]))),
    };
    let whereabouts = faults.take(whereabouts(place, parameters)).unwrap_or_default();
    let description = description(place, parameters, service.filter(|_| !has_photos));
    let description = faults.take(description).unwrap_or_default();
    let answers = answers(parameters);
    for question in service.iter().flat_map(|service| &service.questions) {
        let answered = answers.iter().any(|answer| answer.question == question.code);
        if question.required && question.variable && !answered {
            faults.push(Fault::bad("open311-attribute-missing", &[("x", &question.code)]));
        }
    }
    let service = service.map(|service| service.code.clone());
    faults.none()?;
    let Some(service) = service else {
        return Err(Fault::bad("open311-missing", &[("name", "service_code")]).into());
    };
    Ok(NewReport {
        service,
        standard: None,
        whereabouts,
        description,
        answers,
        channel: Channel::Open311,
        photos: Vec::new(),
        fixed: None,
    })
}

/// The point, the address text, the area: one at least.
fn whereabouts(place: &Place, parameters: &Parameters) -> Result<Whereabouts, Fault> {
    let point = parameters.point()?;
    let address = parameters.one("address_string").unwrap_or_default().to_owned();
    let area = parameters
        .one("address_id")
        .map(|id| area(place, id))
        .transpose()?;
    if point.is_none() && address.is_empty() && area.is_none() {
        return Err(Fault::bad("open311-no-location", &[]));
    }
    Ok(Whereabouts { point, address, area })
}

/// Our addresses have no register of their own; an address_id is the code of an area.
fn area(place: &Place, id: &str) -> Result<AreaCode, Fault> {
    let index = place.areas.find(id);
    index
        .map(|index| place.areas.get(index).code.clone())
        .ok_or_else(|| Fault::bad("open311-no-address", &[("x", &quoted(id))]))
}

/// The text, with media_url below it: we fetch nothing that a client points to. A report may say nothing but which
/// service it asks for, so then the service's name is its text.
fn description(place: &Place, parameters: &Parameters, named: Option<&Service>) -> Result<String, Fault> {
    let mut text = parameters.one("description").unwrap_or_default().to_owned();
    for url in parameters.every("media_url") {
        add_line(&mut text, checked_url(url)?);
    }
    fits(&text)?;
    if let (true, Some(service)) = (text.is_empty(), named) {
        let lang = place.jurisdiction.languages.first().copied().unwrap_or_default();
        service.name.get(lang).clone_into(&mut text);
    }
    Ok(text)
}

/// Whether a case can hold the text.
pub(super) fn fits(text: &str) -> Result<(), Fault> {
    let letters = text.chars().count();
    if letters <= MAX_TEXT {
        return Ok(());
    }
    let (letters, most) = (letters.to_string(), MAX_TEXT.to_string());
    Err(Fault::bad(
        "open311-too-long",
        &[("letters", &letters), ("most", &most)],
    ))
}

/// Adds a line to a text.
pub(super) fn add_line(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

/// An address of the web that stands on one line.
pub(super) fn checked_url(url: &str) -> Result<&str, Fault> {
    const LONGEST: usize = 2000;
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_line = url.len() <= LONGEST && !url.contains(|c: char| c.is_whitespace() || c.is_control());
    if is_web && is_line {
        Ok(url)
    } else {
        Err(Fault::bad("open311-media-url", &[]))
    }
}

fn answers(parameters: &Parameters) -> Vec<Answer> {
    let owned = |(code, values): (&str, Vec<&str>)| Answer {
        question: code.to_owned(),
        values: values.into_iter().map(str::to_owned).collect(),
    };
    parameters.attributes().into_iter().map(owned).collect()
}

/// How the reporter can be reached; goes to the sealed contact data, never to the case. `device_id` and `account_id`
/// would tie a person's reports together and are not kept.
fn contact(parameters: &Parameters, lang: Lang) -> Contact {
    let one = |name| parameters.one(name).unwrap_or_default();
    let name = format!("{} {}", one("first_name"), one("last_name"));
    Contact {
        name: name.trim().to_owned(),
        email: one("email").to_owned(),
        phone: one("phone").to_owned(),
        lang: Some(lang),
        ..Contact::default()
    }
}

/// Keeps the photos that came as files.
pub(super) async fn keep_photos(asked: &Asked, here: &Here, files: Vec<Bytes>) -> Result<Vec<Photo>, Faults> {
    let mut photos: Vec<Photo> = Vec::with_capacity(files.len());
    for file in files {
        let kept = asked.app.whistle.keep_photo(here, file).await;
        let photo = asked.done(kept)?.shown(PhotoKind::Before, PUBLIC);
        if !photos.contains(&photo) {
            photos.push(photo);
        }
    }
    Ok(photos)
}
