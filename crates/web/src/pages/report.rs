//! Reporting: choose what it is, say where and what, look at what others reported nearby, send. Each step is a plain
//! form; what was entered travels along. The public's and the staff's way are the same but for a few fields.

use askama::Template;
use axum::{
    extract::{Path, Query as Asked},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use whistle_domain::{
    case::{Actor, Answer, Case, Channel, PhotoKind},
    command::{self, Act, Context, NewReport, Refusal, Whereabouts},
    geometry::Point,
    place::{Datatype, Level, Question, Service},
    transition::{Transition, Verb},
    words::{CaseNumber, Lang, ServiceCode},
};
use whistle_service::{
    Error,
    case::{Receipt, With},
    list::{Query, Viewer},
    media::KeptPhoto,
    secret::Contact,
};

use super::{
    cases::{PublicCase, number},
    door,
    fault::Fault,
    form::{Entered, Posted, Wrongs},
    page::Page,
    show::{Choice, Group, Line},
    steps::{self, Steps},
};

/// The most near duplicates offered by area, when no point is known.
const NEAR_BY_AREA: usize = 5;

#[derive(Template)]
#[template(path = "services.html")]
struct Services<'a> {
    p: &'a Page,
    q: &'a str,
    action: &'static str,
    /// Kept from a link such as a QR code's: the area or point it stands for.
    kept: Vec<(String, String)>,
    groups: Vec<ServiceGroup>,
    /// The same in three steps, for browsers with scripts.
    steps: Option<Steps>,
    e: &'a Entered,
    w: &'a Wrongs,
}

struct ServiceGroup {
    name: String,
    services: Vec<ServiceEntry>,
}

struct ServiceEntry {
    name: String,
    description: String,
    href: String,
}

/// The first step, or the second once a service is chosen.
pub(crate) async fn ask(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let fields = steps::from_link(&page, Entered::new(asked));
    Draft::new(page, fields, None).ask()
}

/// Open cases that may be the matter of a report that is being made, as a piece of a page.
pub(crate) async fn near(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let mut draft = Draft::new(page, Entered::new(asked), None);
    let service = draft.service().map(|service| service.code.clone());
    let whereabouts = draft.whereabouts();
    let near = match service.zip(whereabouts) {
        Some((service, whereabouts)) => draft.near(&service, &whereabouts).await?,
        None => Vec::new(),
    };
    let (p, join_base) = (&draft.page, draft.join_base());
    p.render(&NearPart { p, near, join_base })
}

/// The report as it was filled in.
pub(crate) async fn send(page: Page, posted: Posted) -> Result<Response, Fault> {
    Draft::posted(page, posted, None).send().await
}

/// A report that is being made.
pub(crate) struct Draft {
    page: Page,
    fields: Entered,
    photos: Vec<KeptPhoto>,
    wrongs: Wrongs,
    /// The member of staff who makes it; none for the public.
    staff: Option<Actor>,
}

/// A near duplicate.
struct NearLine {
    line: Line,
    metres: Option<i64>,
}

#[derive(Template)]
#[template(path = "parts_near.html")]
struct NearPart<'a> {
    p: &'a Page,
    near: Vec<NearLine>,
    join_base: &'static str,
}

/// A question of the service, as a field.
struct Field {
    id: String,
    label: String,
    hint: String,
    required: bool,
    kind: &'static str,
    value: String,
    choices: Vec<Choice>,
    wrong: Option<String>,
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage<'a> {
    p: &'a Page,
    e: &'a Entered,
    w: &'a Wrongs,
    action: &'static str,
    staff: bool,
    service: &'a str,
    service_name: &'a str,
    service_description: &'a str,
    public: bool,
    stop: &'a str,
    areas: Vec<Group>,
    fields: Vec<Field>,
    photos: &'a [KeptPhoto],
    key: String,
    channels: Vec<Choice>,
    standards: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "duplicates.html")]
struct Duplicates<'a> {
    p: &'a Page,
    action: &'static str,
    join_base: &'static str,
    near: Vec<NearLine>,
    carried: Vec<(String, String)>,
    photos: &'a [KeptPhoto],
}

#[derive(Template)]
#[template(path = "staff/receipt.html")]
struct StaffReceipt<'a> {
    p: &'a Page,
    number: String,
    code: &'a str,
}

impl Draft {
    pub(crate) fn new(page: Page, fields: Entered, staff: Option<Actor>) -> Self {
        Self {
            page,
            fields,
            photos: Vec::new(),
            wrongs: Wrongs::default(),
            staff,
        }
    }

    pub(crate) fn posted(page: Page, posted: Posted, staff: Option<Actor>) -> Self {
        let mut wrongs = Wrongs::default();
        for wrong in posted.wrong_photos {
            wrongs.add("photos", wrong);
        }
        Self {
            page,
            fields: posted.fields,
            photos: posted.photos,
            wrongs,
            staff,
        }
    }

    const fn action(&self) -> &'static str {
        if self.staff.is_some() {
            "/staff/report"
        } else {
            "/report"
        }
    }

    const fn join_base(&self) -> &'static str {
        if self.staff.is_some() {
            "/staff/cases"
        } else {
            "/cases"
        }
    }

    /// The page that asks for what is missing: the service, or all the rest.
    pub(crate) fn ask(&self) -> Result<Response, Fault> {
        match self.service() {
            Some(_) => self.form(StatusCode::OK),
            None => self.choose(),
        }
    }

    /// The stop of a round where staff found it.
    fn stop(&self) -> Option<&str> {
        self.staff.as_ref().and_then(|_| self.fields.some("stop"))
    }

    fn service(&self) -> Option<&Service> {
        let service = self.page.here.place.service(self.fields.get("service"))?;
        (!service.is_group() && (service.public || self.staff.is_some())).then_some(service)
    }

    fn choose(&self) -> Result<Response, Fault> {
        let page = &self.page;
        let services = page.here.place.services();
        let wanted = self.fields.get("q").trim().to_lowercase();
        let kept = self.fields.carried(&["q", "service", "lang", steps::PLAIN]);
        let entry = |service: &Service| {
            let mut query = kept.clone();
            query.push(("service".to_owned(), service.code.to_string()));
            ServiceEntry {
                name: service.name.get(page.lang()).to_owned(),
                description: service.description.get(page.lang()).to_owned(),
                href: super::form::with_query(self.action(), &query),
            }
        };
        let group = |group: &Service| ServiceGroup {
            name: group.name.get(page.lang()).to_owned(),
            services: services
                .iter()
                .filter(|s| s.group.as_ref() == Some(&group.code) && (s.public || self.staff.is_some()))
                .filter(|s| tells_of(s, &wanted) || tells_of(group, &wanted))
                .map(entry)
                .collect(),
        };
        let mut groups: Vec<_> = services.iter().filter(|s| s.is_group()).map(group).collect();
        groups.retain(|g| !g.services.is_empty());
        let in_steps = self.staff.is_none() && wanted.is_empty() && self.fields.some(steps::PLAIN).is_none();
        page.render(&Services {
            p: page,
            q: self.fields.get("q"),
            action: self.action(),
            groups,
            kept,
            steps: in_steps.then(|| Steps::new(page, &self.fields)).flatten(),
            e: &self.fields,
            w: &self.wrongs,
        })
    }

    fn form(&self, status: StatusCode) -> Result<Response, Fault> {
        let page = &self.page;
        let Some(service) = self.service() else {
            return self.choose();
        };
        let mut key = self.fields.get("key").to_owned();
        if key.is_empty() {
            key = page.app.whistle.fresh_token();
        }
        page.render_as(
            status,
            &ReportPage {
                p: page,
                e: &self.fields,
                w: &self.wrongs,
                action: self.action(),
                staff: self.staff.is_some(),
                service: service.code.as_str(),
                service_name: service.name.get(page.lang()),
                service_description: service.description.get(page.lang()),
                public: service.public,
                stop: self.stop().unwrap_or_default(),
                areas: page.area_groups(self.fields.get("area")),
                fields: service.questions.iter().map(|q| self.field(q)).collect(),
                photos: &self.photos,
                key,
                channels: self.channels(),
                standards: if self.may_name_standard() {
                    self.standards(service)
                } else {
                    Vec::new()
                },
            },
        )
    }

    fn field(&self, question: &Question) -> Field {
        let (page, id) = (&self.page, format!("answer-{}", question.code));
        let choice = |(key, name): &(String, whistle_domain::words::Text)| Choice {
            value: key.clone(),
            label: name.get(page.lang()).to_owned(),
            chosen: self.fields.has(&id, key),
        };
        Field {
            label: question.label.get(page.lang()).to_owned(),
            hint: question.hint.get(page.lang()).to_owned(),
            required: question.required,
            kind: match question.datatype {
                _ if !question.variable => "shown",
                Datatype::String => "string",
                Datatype::Number => "number",
                Datatype::Datetime => "datetime",
                Datatype::Text => "text",
                Datatype::SingleValueList => "single",
                Datatype::MultiValueList => "multi",
            },
            value: self.fields.get(&id).to_owned(),
            choices: question.values.iter().map(choice).collect(),
            wrong: self.wrongs.at(&id).map(str::to_owned),
            id,
        }
    }

    fn channels(&self) -> Vec<Choice> {
        let chosen = self.channel();
        let choice = |channel: Channel| Choice {
            value: channel.as_str().to_owned(),
            label: self.page.words.of("channel", channel.as_str()),
            chosen: channel == chosen,
        };
        STAFF_CHANNELS.into_iter().map(choice).collect()
    }

    fn channel(&self) -> Channel {
        let Some(Actor::Post { post, .. }) = &self.staff else {
            return Channel::Web;
        };
        let chosen = self.fields.get("channel");
        let named = STAFF_CHANNELS.into_iter().find(|c| c.as_str() == chosen);
        let post = self.page.here.place.post(post.as_str());
        let patrol = post.is_some_and(|p| p.roles.contains(&whistle_domain::rights::Role::Patrol));
        named.unwrap_or(if patrol { Channel::Patrol } else { Channel::Phone })
    }

    fn may_name_standard(&self) -> bool {
        let accept = Transition::of(Verb::Accept);
        let place = &self.page.here.place;
        self.staff
            .as_ref()
            .is_some_and(|actor| accept.permits_somewhere(actor, place))
    }

    fn standards(&self, service: &Service) -> Vec<Choice> {
        let choice = |standard: &whistle_domain::place::Standard| Choice {
            value: standard.code.to_string(),
            label: self.page.standard_name(standard.code.as_str()),
            chosen: self.fields.get("standard") == standard.code.as_str(),
        };
        self.page
            .here
            .place
            .standards_of(&service.code)
            .map(choice)
            .collect()
    }

    /// The report as the domain knows it; what is plainly missing is noted, all at once.
    fn read(&mut self) -> Option<NewReport> {
        let service = self.service()?.clone();
        let whereabouts = self.whereabouts();
        let fields = &self.fields;
        let mut wrongs = std::mem::take(&mut self.wrongs);
        let words = self.page.words;
        if whereabouts.is_none() && wrongs.at("lat").is_none() {
            wrongs.add("address", words.refusal(&Refusal::NoLocation));
        }
        let description = fields.get("description").trim().to_owned();
        if description.is_empty() && self.photos.is_empty() {
            wrongs.add("description", words.refusal(&Refusal::NoDescription));
        }
        let mut answers = Vec::new();
        for question in service.questions.iter().filter(|q| q.variable) {
            let id = format!("answer-{}", question.code);
            let values: Vec<String> = fields.all(&id).map(|v| v.trim().to_owned()).collect();
            if values.is_empty() && question.required {
                wrongs.add(id, words.x("answer-needed", question.label.get(words.0)));
            } else if !values.is_empty() {
                answers.push(Answer {
                    question: question.code.clone(),
                    values,
                });
            }
        }
        let fixed =
            (self.staff.is_some() && fields.has("fixed", "yes")).then(|| fields.get("done").to_owned());
        let shown = fields.has("photos_public", "yes");
        let photos = self.photos.iter();
        let new = NewReport {
            service: service.code.clone(),
            standard: self
                .staff
                .as_ref()
                .and_then(|_| fields.some("standard")?.parse().ok()),
            whereabouts: whereabouts.unwrap_or_default(),
            description,
            answers,
            channel: self.channel(),
            photos: photos
                .map(|photo| photo.shown(PhotoKind::Before, shown))
                .collect(),
            fixed,
        };
        self.wrongs = wrongs;
        Some(new)
    }

    /// Where it is, as far as something was entered.
    fn whereabouts(&mut self) -> Option<Whereabouts> {
        let point = self.point();
        let fields = &self.fields;
        let found = Whereabouts {
            point,
            address: fields.get("address").trim().to_owned(),
            area: fields.some("area").and_then(|a| a.parse().ok()),
        };
        let is_somewhere = point.is_some() || !found.address.is_empty() || found.area.is_some();
        is_somewhere.then_some(found)
    }

    fn point(&mut self) -> Option<Point> {
        let point = read_point(&self.fields);
        if point.is_err() {
            self.wrongs.add("lat", self.page.t("wrong-point"));
        }
        point.ok().flatten()
    }

    /// Sends the report, or shows what is wrong, or first what others reported nearby.
    pub(crate) async fn send(mut self) -> Result<Response, Fault> {
        let Some(new) = self.read() else {
            return self.choose();
        };
        if self.fields.has("step", "edit") {
            self.wrongs = Wrongs::default();
            return self.form(StatusCode::OK);
        }
        let by = self.staff.clone().unwrap_or(Actor::Public);
        if let Err(refusal) = self.try_out(&new, &by) {
            self.refuse(&refusal.into());
        }
        if let Err(error) = contact(&self.fields, self.language()).check() {
            self.refuse(&error);
        }
        if !self.wrongs.is_empty() {
            return self.form(StatusCode::BAD_REQUEST);
        }
        let decided = self.fields.has("step", "anyway") || new.fixed.is_some();
        if !decided {
            let near = self.near(&new.service, &new.whereabouts).await?;
            if !near.is_empty() {
                return self.offer(near);
            }
        }
        let with = self.with();
        match self.page.app.whistle.report(&self.page.here, new, by, with).await {
            Ok(receipt) => self.hand_over(&receipt),
            Err(error) => self.show_refused(error),
        }
    }

    /// What the domain says before anybody is shown anything.
    fn try_out(&self, new: &NewReport, by: &Actor) -> Result<(), Refusal> {
        let context = Context {
            place: &self.page.here.place,
            now: self.page.now,
            by,
            chance: 0.0,
        };
        command::report(new, CaseNumber(0), context).map(drop)
    }

    fn language(&self) -> Option<Lang> {
        language(&self.page, self.staff.as_ref().unwrap_or(&Actor::Public))
    }

    fn with(&self) -> With {
        With {
            contact: contact(&self.fields, self.language()),
            idempotency_key: self.fields.some("key").map(str::to_owned),
            made_at: None,
            stop: self.stop().and_then(|stop| stop.parse().ok()),
        }
    }

    /// Notes what a refusal says at the field it is about.
    fn refuse(&mut self, error: &Error) {
        let words = self.page.words;
        let (field, message) = match error {
            Error::Refused(Refusal::BadAnswer { question, .. }) => {
                (format!("answer-{question}"), self.wrong_answer(question))
            }
            Error::Refused(refusal) => (field_of(refusal).to_owned(), words.refusal(refusal)),
            Error::Invalid { field, .. } => ((*field).to_owned(), words.error(error)),
            other => ("description".to_owned(), words.error(other)),
        };
        if self.wrongs.at(&field).is_none() {
            self.wrongs.add(field, message);
        }
    }

    fn wrong_answer(&self, code: &str) -> String {
        let page = &self.page;
        let question = self
            .service()
            .and_then(|s| s.questions.iter().find(|q| q.code == code));
        let label = question.map_or(code, |q| q.label.get(page.lang()));
        if self.fields.get(&format!("answer-{code}")).is_empty() {
            return page.x("answer-needed", label);
        }
        match question.map(|q| q.datatype) {
            Some(Datatype::Number) => page.x("answer-number", label),
            Some(Datatype::Datetime) => page.x("answer-datetime", label),
            Some(Datatype::SingleValueList | Datatype::MultiValueList) => page.x("answer-choice", label),
            _ => page.x("answer-too-long", label),
        }
    }

    fn show_refused(mut self, error: Error) -> Result<Response, Fault> {
        match error {
            Error::KeyReused => {
                // The browser went back to a form that was sent: what is sent next is a report of its own.
                self.fields.set("key", &self.page.app.whistle.fresh_token());
            }
            Error::Refused(_) | Error::Invalid { .. } => {}
            other => return Err(other.into()),
        }
        self.refuse(&error);
        self.form(crate::status::status_of(&error))
    }

    /// Open cases that may be the same matter: around the point, or in the community when no point is known.
    async fn near(&self, service: &ServiceCode, whereabouts: &Whereabouts) -> Result<Vec<NearLine>, Fault> {
        let (whistle, here) = (&self.page.app.whistle, &self.page.here);
        let viewer = self.staff.as_ref().map_or(Viewer::Public, Viewer::Staff);
        if let Some(point) = whereabouts.point {
            let near = whistle.near(here, service.clone(), point, viewer).await?;
            let line = |near: whistle_domain::duplicate::Near| NearLine {
                line: self.near_line(&near.case),
                metres: Some(near.metres.round() as i64),
            };
            return Ok(near.into_iter().map(line).collect());
        }
        let Ok(location) = command::locate(&here.place, whereabouts) else {
            return Ok(Vec::new());
        };
        let Some(community) = location.areas.at(Level::Community) else {
            return Ok(Vec::new());
        };
        let hours = i64::from(here.place.jurisdiction.settings.duplicate_hours);
        let query = Query {
            open: Some(true),
            services: vec![service.clone()],
            area: Some(community.clone()),
            reported_from: Some(self.page.now - jiff::SignedDuration::from_hours(hours)),
            limit: NEAR_BY_AREA,
            ..Query::default()
        };
        let found = whistle.cases(here, &query, viewer).await?;
        let line = |case: &Case| NearLine {
            line: self.near_line(case),
            metres: None,
        };
        Ok(found.items.iter().map(line).collect())
    }

    fn near_line(&self, case: &Case) -> Line {
        if self.staff.is_some() {
            self.page.staff_line(case)
        } else {
            self.page.public_line(case)
        }
    }

    fn offer(&self, near: Vec<NearLine>) -> Result<Response, Fault> {
        self.page.render(&Duplicates {
            p: &self.page,
            action: self.action(),
            join_base: self.join_base(),
            near,
            carried: self.fields.carried(&["photo", "step", "token"]),
            photos: &self.photos,
        })
    }

    fn hand_over(&self, receipt: &Receipt) -> Result<Response, Fault> {
        if self.staff.is_some() {
            return staff_receipt(&self.page, receipt);
        }
        Ok(to_receipt(&self.page, receipt))
    }
}

/// The ways by which staff take a report.
const STAFF_CHANNELS: [Channel; 3] = [Channel::Phone, Channel::Counter, Channel::Patrol];

/// The page on which a member of staff reads number and code to the caller.
pub(crate) fn staff_receipt(page: &Page, receipt: &Receipt) -> Result<Response, Fault> {
    page.render(&StaffReceipt {
        p: page,
        number: receipt.number.to_string(),
        code: &receipt.code,
    })
}

/// On to the receipt. Number and code go in a sealed cookie: an address would stay in histories and logs.
fn to_receipt(page: &Page, receipt: &Receipt) -> Response {
    let cookie = door::follow(page, receipt.number, &receipt.code);
    ([(header::SET_COOKIE, cookie)], Redirect::to("/receipt")).into_response()
}

/// The field that a refusal is about.
const fn field_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NoLocation => "address",
        Refusal::OutsidePlace { .. } => "lat",
        Refusal::UnknownArea(_) => "area",
        Refusal::TooManyPhotos => "photos",
        Refusal::UnknownStandard(_) | Refusal::MayNotNameStandard => "standard",
        _ => "description",
    }
}

/// In which language the reporter reads, as far as the page tells: at a desk it is in that of the staff.
fn language(page: &Page, by: &Actor) -> Option<Lang> {
    (!matches!(by, Actor::Post { .. })).then_some(page.lang())
}

/// The contact data of a form.
pub(crate) fn contact(fields: &Entered, lang: Option<Lang>) -> Contact {
    Contact {
        name: fields.get("name").trim().to_owned(),
        email: fields.get("email").trim().to_owned(),
        phone: fields.get("phone").trim().to_owned(),
        lang,
        ..Contact::default()
    }
}

/// Whether a service is about a word: by name, description or keyword, in any language.
fn tells_of(service: &Service, wanted: &str) -> bool {
    let texts = [&service.name, &service.description];
    let wordings = texts
        .iter()
        .flat_map(|t| [Some(&t.own), t.zh.as_ref(), t.en.as_ref()])
        .flatten();
    wordings
        .chain(&service.keywords)
        .any(|text| text.to_lowercase().contains(wanted))
}

#[derive(Template)]
#[template(path = "join.html")]
struct JoinPage<'a> {
    p: &'a Page,
    e: &'a Entered,
    w: &'a Wrongs,
    c: PublicCase,
    key: String,
}

/// The form of one who has the same matter to report.
pub(crate) async fn ask_to_join(page: Page, Path(text): Path<String>) -> Result<Response, Fault> {
    join_form(
        &page,
        number(&text)?,
        &Entered::default(),
        &Wrongs::default(),
        StatusCode::OK,
    )
    .await
}

async fn join_form(
    page: &Page,
    number: CaseNumber,
    fields: &Entered,
    wrongs: &Wrongs,
    status: StatusCode,
) -> Result<Response, Fault> {
    let (case, log) = page.app.whistle.public_case_and_log(&page.here, number).await?;
    let template = JoinPage {
        p: page,
        e: fields,
        w: wrongs,
        c: PublicCase::new(page, &case, &log),
        key: page.app.whistle.fresh_token(),
    };
    page.render_as(status, &template)
}

/// Joins a report to a case, from the offer of near duplicates or from the case's page.
pub(crate) async fn join(page: Page, Path(text): Path<String>, posted: Posted) -> Result<Response, Fault> {
    let number = number(&text)?;
    let joined = join_with(&page, number, &posted, Channel::Web, Actor::Public).await;
    match joined {
        Ok(receipt) => Ok(to_receipt(&page, &receipt)),
        Err(error @ (Error::Refused(_) | Error::Invalid { .. } | Error::KeyReused)) => {
            let mut wrongs = Wrongs::default();
            let field = match &error {
                Error::Invalid { field, .. } => field,
                _ => "description",
            };
            wrongs.add(field, page.words.error(&error));
            let status = crate::status::status_of(&error);
            join_form(&page, number, &posted.fields, &wrongs, status).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Joins, and adds the photos that came along. A photo too many is left out: the joining stands.
pub(crate) async fn join_with(
    page: &Page,
    number: CaseNumber,
    posted: &Posted,
    channel: Channel,
    by: Actor,
) -> Result<Receipt, Error> {
    let (whistle, here, fields) = (&page.app.whistle, &page.here, &posted.fields);
    let with = With {
        contact: contact(fields, language(page, &by)),
        idempotency_key: fields.some("key").map(str::to_owned),
        ..With::default()
    };
    let text = fields
        .some("text")
        .unwrap_or(fields.get("description"))
        .to_owned();
    let receipt = whistle.join(here, number, channel, text, by, with).await?;
    let reporter = Actor::Reporter {
        report: receipt.report,
    };
    let shown = fields.has("photos_public", "yes");
    let photos = if receipt.again {
        Vec::new()
    } else {
        posted.photos(PhotoKind::Before, shown)
    };
    for photo in photos {
        let act = Act::AddPhoto { photo };
        let added = whistle
            .act(here, number, None, act, String::new(), reporter.clone())
            .await;
        if let Err(Error::Refused(Refusal::TooManyPhotos)) = added {
            break;
        }
        added?;
    }
    Ok(receipt)
}

/// The point of a form; none when nothing was entered, an error when what was entered is no point.
pub(crate) fn read_point(fields: &Entered) -> Result<Option<Point>, NoPoint> {
    let (lat, lon) = (fields.some("lat"), fields.some("lon"));
    if lat.is_none() && lon.is_none() {
        return Ok(None);
    }
    let number = |text: &str| text.replace(',', ".").parse::<f64>().ok();
    let (lat, lon) = lat.and_then(number).zip(lon.and_then(number)).ok_or(NoPoint)?;
    Point::new(lon, lat).map(Some).map_err(|_| NoPoint)
}

/// What was entered is no point.
#[derive(Debug)]
pub(crate) struct NoPoint;
