//! One case for staff: all of it, with exactly the forms that the transition table offers to this post.

use askama::Template;
use axum::{
    extract::{Path, Query as Asked},
    http::StatusCode,
    response::Response,
};
use whistle_domain::{
    case::{
        Actor, Case, Event, JointPart, Outcome, Request, Respondent, State, Supervision, SupervisionKind,
        Wish,
    },
    clock::Clock,
    command::{self, Whereabouts},
    place::{Level, Place},
    rights,
    transition::{Need, Transition, Verb},
    words::{CaseNumber, UnitCode},
};
use whistle_service::{
    Error,
    case::Reachable,
    notices::{Channel, Delivery},
};

use super::{
    live::Script,
    session::{Staff, StaffForm},
    whistles::{Line as WhistleLine, line},
};
use crate::pages::{
    cases::number,
    clocks::{self, ClockView},
    fault::Fault,
    form::{Entered, Wrongs},
    page::Page,
    show::{Answered, Choice, Entry, Group, Moment, Picture},
    words::verb,
};

/// The reporter of a report, as they can be reached.
pub(crate) struct ContactView {
    /// The case that they reported, where it was merged into this one.
    merged: Option<String>,
    report: String,
    name: String,
    email: String,
    phone: String,
    /// Since when no mail goes there, because it came back.
    failing: Option<Moment>,
}

/// What somebody was told of the case, without their address.
struct ToldView {
    at: Moment,
    reader: String,
    notice: String,
    state: String,
    /// Why it did not arrive; empty when it did.
    why: String,
    /// What the other side said of that, in its own language.
    said: String,
}

/// The form of one transition.
pub(super) struct ActForm {
    pub(super) verb: &'static str,
    pub(super) title: String,
    pub(super) button: String,
    pub(super) hint: String,
    pub(super) open: bool,
    pub(super) grave: bool,
    pub(super) text: TextField,
    pub(super) units: Vec<Choice>,
    pub(super) unit_field: &'static str,
    pub(super) outcomes: Vec<Choice>,
    pub(super) original: bool,
    pub(super) until: bool,
    pub(super) until_label: String,
    pub(super) services: Vec<Group>,
    pub(super) areas: Vec<Group>,
    pub(super) standards: Vec<Choice>,
    /// Limits to choose from for the unit's part.
    pub(super) limits: Vec<Choice>,
    /// Who can be asked a question.
    pub(super) respondents: Vec<Choice>,
    /// The answers that the open question offers.
    pub(super) answers: Vec<Choice>,
    /// Why the case is watched over.
    pub(super) kinds: Vec<Choice>,
    pub(super) photo: bool,
    pub(super) public: bool,
    pub(super) contact: bool,
    pub(super) entered: Entered,
    pub(super) wrongs: Wrongs,
}

/// Whether a form has a field for words.
#[derive(PartialEq, Eq)]
pub(super) enum TextField {
    Needed,
    Optional,
    None,
}

/// Another case that this one came from, or that came from it.
struct Related {
    label: String,
    number: String,
}

/// The part of another unit.
pub(super) struct PartView {
    pub(super) unit: String,
    pub(super) task: String,
    pub(super) state: String,
    overdue: bool,
    result: String,
}

/// What the unit asks of the station.
struct RequestView {
    what: String,
    since: Moment,
    why: String,
}

/// The question that awaits an answer, with the link by which it is answered.
struct QuestionView {
    of: String,
    text: String,
    choices: String,
    until: Moment,
    link: Option<String>,
    runs_on: bool,
}

/// Who watches over the case, and why.
struct SupervisionView {
    kind: String,
    post: String,
    since: Moment,
    why: String,
}

fn related(page: &Page, case: &Case) -> Vec<Related> {
    let one = |key: &str, number: &CaseNumber| Related {
        label: page.t(key),
        number: number.to_string(),
    };
    let from = case.split_from.iter().map(|number| one("split-from", number));
    let into = case.split_into.iter().map(|number| one("split-into", number));
    let absorbed = case.absorbed.iter().map(|number| one("absorbed", number));
    from.chain(into).chain(absorbed).collect()
}

pub(super) fn part(page: &Page, part: &JointPart) -> PartView {
    let stands = part.clock().is_some_and(Clock::is_paused);
    let state = match (&part.handed_in, part.due_at) {
        (Some(done), _) => page.words.x("joint-handed-in", &page.moment(done.at).text),
        (None, Some(_)) if stands => page.t("clock-standing"),
        (None, Some(due)) => page.words.x("joint-due", &page.moment(due).text),
        (None, None) => page.t("joint-at-work"),
    };
    PartView {
        unit: page.unit_name(part.unit.as_str()),
        task: part.task.clone(),
        state,
        overdue: part.is_overdue(page.now),
        result: part
            .handed_in
            .as_ref()
            .map(|done| done.result.clone())
            .unwrap_or_default(),
    }
}

fn request(page: &Page, request: &Request) -> RequestView {
    RequestView {
        what: match request.wish {
            Wish::Park { until } => page.words.x("flag-asks-to-park", &page.words.date(until)),
            Wish::Extend => page.t("flag-asks-to-extend"),
        },
        since: page.moment(request.at),
        why: request.why.clone(),
    }
}

/// The link is for whoever must hand it on: to a reporter who came to the counter, to somebody outside. Who may not answer
/// for a reporter does not get the reporter's.
fn question(page: &Page, case: &Case, by: &Actor) -> Option<QuestionView> {
    let question = case.question.as_ref()?;
    let is_reporters = matches!(question.of, Respondent::Reporter { .. });
    let answers = page
        .offered(case, by)
        .iter()
        .any(|line| line.verb == Verb::Answer);
    let link = page.app.whistle.question_link(&page.here, case);
    Some(QuestionView {
        of: page.respondent(question.of),
        text: question.text.clone(),
        choices: question.choices.join(" / "),
        until: page.moment(question.until),
        link: link
            .filter(|_| answers || !is_reporters)
            .map(|link| format!("{}/ask/{link}", page.base())),
        runs_on: !question.stops_clocks(),
    })
}

fn supervision(page: &Page, supervision: &Supervision) -> SupervisionView {
    SupervisionView {
        kind: page.words.of("supervision", supervision.kind.as_str()),
        post: supervision
            .post
            .as_ref()
            .map(|post| page.post_name(post.as_str()))
            .unwrap_or_default(),
        since: page.moment(supervision.since),
        why: supervision.why.clone(),
    }
}

#[derive(Template)]
#[template(path = "staff/case.html")]
struct CaseView<'a> {
    p: &'a Page,
    script: Script,
    number: String,
    version: u32,
    service: String,
    status: String,
    flags: Vec<String>,
    public: bool,
    description: String,
    answers: Vec<Answered>,
    address: String,
    area: String,
    point: Option<String>,
    lead: String,
    standard: String,
    closing: String,
    legal_basis: String,
    channel: String,
    reported: Moment,
    reports: i64,
    resolution: String,
    rating: Option<String>,
    original: Option<String>,
    related: Vec<Related>,
    joint: Vec<PartView>,
    request: Option<RequestView>,
    question: Option<QuestionView>,
    supervision: Option<SupervisionView>,
    may_reach: bool,
    /// Reports of cases that were merged into it.
    merged_reports: i64,
    contacts: Option<&'a [ContactView]>,
    photos: Vec<Picture>,
    clocks: Vec<ClockView>,
    timeline: Vec<Entry>,
    told: Vec<ToldView>,
    forms: Vec<ActForm>,
    /// Where the forms go; other pages of forms have more that goes along.
    base: String,
    picks: Vec<String>,
    query: String,
    whistles: Vec<WhistleLine>,
    may_blow: bool,
    key: String,
    refused: Option<String>,
    meanwhile: Vec<Entry>,
    done: Option<String>,
}

/// What was tried on the page and refused, to be shown with it again.
pub(crate) struct Tried<'a> {
    pub(crate) verb: Verb,
    pub(crate) entered: &'a Entered,
    pub(crate) wrongs: Wrongs,
    pub(crate) status: StatusCode,
    /// The version that the form was made for, when the case has moved on since.
    pub(crate) stale: Option<u32>,
}

/// The case and its log, if this post may see it. What it may not see is not there.
pub(crate) async fn seen(staff: &Staff, number: CaseNumber) -> Result<(Case, Vec<Event>), Fault> {
    let page = &staff.page;
    let (case, log) = page.app.whistle.case_and_log(&page.here, number).await?;
    if rights::may_see(&case, staff.actor(), &page.here.place) {
        return Ok((case, log));
    }
    Err(Fault::Service(Error::NotFound {
        what: "case",
        id: number.to_string(),
    }))
}

pub(crate) async fn case(
    staff: Staff,
    Path(text): Path<String>,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let (case, log) = seen(&staff, number(&text)?).await?;
    let asked = Entered::new(asked);
    let done = asked.some("done").and_then(verb);
    let done = done.map(|verb| staff.page.words.of("done", verb.as_str()));
    show(&staff, &case, &log, None, done, None).await
}

/// The same, with how the reporters can be reached; that somebody looked is logged.
pub(crate) async fn contacts(Path(text): Path<String>, form: StaffForm) -> Result<Response, Fault> {
    let staff = form.staff;
    let page = &staff.page;
    let (case, log) = seen(&staff, number(&text)?).await?;
    let found = page
        .app
        .whistle
        .contacts(&page.here, case.number, staff.actor())
        .await?;
    let view = |one: Reachable| ContactView {
        merged: (one.number != case.number).then(|| one.number.to_string()),
        report: page.words.n("actor-reporter", i64::from(one.report)),
        failing: one.failing_since.map(|at| page.moment(at)),
        name: one.contact.name,
        email: one.contact.email,
        phone: one.contact.phone,
    };
    let views: Vec<ContactView> = found.into_iter().map(view).collect();
    show(&staff, &case, &log, None, None, Some(&views)).await
}

/// Renders the page of a case.
pub(crate) async fn show(
    staff: &Staff,
    case: &Case,
    log: &[Event],
    tried: Option<Tried<'_>>,
    done: Option<String>,
    contacts: Option<&[ContactView]>,
) -> Result<Response, Fault> {
    let (page, place) = (&staff.page, &staff.page.here.place);
    let told = page.app.whistle.deliveries_of(&page.here, case.number).await?;
    let status = tried.as_ref().map_or(StatusCode::OK, |t| t.status);
    let since = tried.as_ref().and_then(|t| t.stale);
    let timeline = || page.staff_timeline(log).into_iter();
    let standard = case.standard.as_ref().and_then(|s| place.standard(s.as_str()));
    let refused = tried.as_ref().map(|t| {
        t.wrongs
            .at("done")
            .map_or_else(|| page.t("see-below"), str::to_owned)
    });
    let whistles = page
        .app
        .whistle
        .whistles_on(&page.here, case.number, staff.actor());
    let whistles = whistles.await?;
    let views = page.app.whistle.contact_views(&page.here, case.number).await?;
    let merged_reports = page
        .app
        .whistle
        .merged_reports(&page.here, case, staff.actor())
        .await?;
    let view = CaseView {
        p: page,
        script: page.record_script("cases", case.number.to_string(), case.version),
        number: case.number.to_string(),
        version: case.version,
        service: page.service_name(case.service.as_str()),
        status: page.staff_status(case),
        flags: page.flags(case),
        public: case.public,
        description: case.description.clone(),
        answers: page.answers(case),
        address: case.location.address.clone(),
        area: page.path_name(&case.location.areas),
        point: case.location.point.map(|p| format!("{:.6}, {:.6}", p.lat, p.lon)),
        lead: page.lead(case),
        standard: case
            .standard
            .as_ref()
            .map(|s| page.standard_name(s.as_str()))
            .unwrap_or_default(),
        closing: standard
            .map(|s| s.closing.get(page.lang()).to_owned())
            .unwrap_or_default(),
        legal_basis: standard.map(|s| s.legal_basis.clone()).unwrap_or_default(),
        channel: page.words.of("channel", case.channel.as_str()),
        reported: page.moment(case.times.reported_at),
        reports: i64::from(case.reports),
        resolution: case.resolution.clone(),
        rating: case.rating.map(|r| page.words.of("rating", r.as_str())),
        original: case.duplicate_of.map(|n| n.to_string()),
        related: related(page, case),
        joint: case.joint.iter().map(|one| part(page, one)).collect(),
        request: case.request.as_ref().map(|asked| request(page, asked)),
        question: question(page, case, staff.actor()),
        supervision: case
            .supervision
            .as_ref()
            .map(|watched| supervision(page, watched)),
        may_reach: rights::may_reach_reporters(case, staff.actor(), place, page.app.whistle.now()),
        merged_reports: i64::from(merged_reports),
        contacts,
        photos: page.pictures(case, case.photos.iter()),
        clocks: clocks::views(case, log, place, page.now, page.words),
        meanwhile: since.map_or_else(Vec::new, |seen| timeline().filter(|e| e.version > seen).collect()),
        timeline: page.history(log, &views),
        told: told.into_iter().map(|one| told_view(page, one)).collect(),
        forms: forms(staff, case, tried.as_ref()),
        base: format!("/staff/cases/{}", case.number),
        picks: Vec::new(),
        query: String::new(),
        whistles: whistles
            .iter()
            .map(|whistle| line(staff, whistle, false))
            .collect(),
        may_blow: case.state.is_open() && case.access.is_none() && page.may_blow(),
        key: page.app.whistle.fresh_token(),
        refused,
        done,
    };
    page.render_as(status, &view)
}

fn told_view(page: &Page, one: Delivery) -> ToldView {
    let (words, place) = (page.words, &page.here.place);
    let reader = match (&one.unit, one.report) {
        (Some(unit), _) => {
            let known = place.unit(unit.as_str());
            let name = known.map_or(unit.as_str(), |unit| unit.name.get(page.lang()));
            if one.channel == Channel::Push {
                words.aside(name, &words.t("told-device"))
            } else {
                name.to_owned()
            }
        }
        (None, 0) if one.channel == Channel::Webhook => words.n("told-webhook", one.webhook),
        (None, 0) => words.t("actor-asked"),
        (None, report) => {
            let reporter = words.n("actor-reporter", i64::from(report));
            match one.merged {
                Some(own) => words.aside(&reporter, &words.x("case-number", &own.to_string())),
                None => reporter,
            }
        }
    };
    let is_event = one.channel == Channel::Webhook && one.report == 0 && !one.notice.starts_with("sms ");
    let notice = if is_event {
        words.of("event", &one.notice)
    } else {
        page.notice_name(&one.notice)
    };
    let (why, said) = page.undelivered(&one.error);
    ToldView {
        at: page.moment(one.next_at),
        reader,
        notice,
        state: words.of("told", one.state.as_str()),
        why,
        said: said.to_owned(),
    }
}

/// A form for each transition on offer; the one that comes next in a smooth case is open.
fn forms(staff: &Staff, case: &Case, tried: Option<&Tried<'_>>) -> Vec<ActForm> {
    let mut offered = staff.page.offered(case, staff.actor());
    offered.sort_by_key(|line| rank(line.verb, case));
    let first = offered
        .first()
        .map(|line| line.verb)
        .filter(|verb| rank(*verb, case) == 0);
    let open = tried.map(|t| t.verb).or(first);
    offered
        .into_iter()
        .map(|line| form(&staff.page, case, line, open, tried))
        .collect()
}

/// 0 for what moves a case on, 1 for what moves it elsewhere, 2 for what goes beside it.
fn rank(verb: Verb, case: &Case) -> u8 {
    match verb {
        // To another unit than the one that has it: possible, but not what comes next.
        Verb::Assign if case.state != State::Accepted => 1,
        Verb::Accept
        | Verb::Assign
        | Verb::ReportIn
        | Verb::Handle
        | Verb::HandleJoint
        | Verb::Verify
        | Verb::Reopen
        | Verb::GrantRequest => 0,
        Verb::Comment | Verb::AddPhoto | Verb::Join | Verb::Supervise | Verb::Show => 2,
        _ => 1,
    }
}

pub(super) fn form(
    page: &Page,
    case: &Case,
    line: &Transition,
    open: Option<Verb>,
    tried: Option<&Tried<'_>>,
) -> ActForm {
    let (verb, place) = (line.verb, &page.here.place);
    let tried = tried.filter(|t| t.verb == verb);
    let entered = tried.map(|t| t.entered.clone()).unwrap_or_default();
    let word = form_word(verb, case);
    let mut form = ActForm {
        verb: verb.as_str(),
        title: page.words.of("verb", &word),
        button: page.words.of("verb", &word),
        hint: page.words.of("hint", &word),
        open: open == Some(verb),
        grave: matches!(
            verb,
            Verb::Decline
                | Verb::Merge
                | Verb::Refer
                | Verb::RefuseReopen
                | Verb::RefuseRequest
                | Verb::ReleaseJoint
                | Verb::Rework
        ),
        text: if line.needs(Need::Text) {
            TextField::Needed
        } else {
            TextField::Optional
        },
        units: Vec::new(),
        unit_field: "unit",
        outcomes: Vec::new(),
        original: line.needs(Need::Original),
        until: line.needs(Need::Until),
        until_label: page.t(if verb == Verb::Ask {
            "field-answer_by"
        } else {
            "field-until"
        }),
        services: Vec::new(),
        areas: Vec::new(),
        standards: Vec::new(),
        limits: Vec::new(),
        respondents: Vec::new(),
        answers: Vec::new(),
        kinds: Vec::new(),
        photo: matches!(verb, Verb::AddPhoto | Verb::Handle),
        public: verb == Verb::Comment,
        contact: verb == Verb::Join,
        wrongs: tried.map(|t| t.wrongs.clone()).unwrap_or_default(),
        entered,
    };
    if verb == Verb::AddPhoto {
        form.text = TextField::None;
    }
    if verb == Verb::ReleaseJoint {
        let open = case.joint.iter().filter(|part| part.is_open());
        let chosen = form.entered.get("unit");
        let units = open.map(|part| Choice {
            value: part.unit.to_string(),
            label: page.unit_name(part.unit.as_str()),
            chosen: part.unit.as_str() == chosen,
        });
        form.units = units.collect();
    } else if verb == Verb::AssignJoint {
        form.units = page.units(None, case.lead.as_ref(), form.entered.get("unit"));
        form.limits = page.limits(form.entered.get("limit"));
    } else if line.needs(Need::Unit) {
        let suggested = case.right_unit.clone().or_else(|| routed(place, case));
        let (has_it, chosen) = (case.lead.as_ref(), form.entered.get("unit"));
        let has_it = has_it.filter(|_| case.state != State::Accepted);
        form.units = page.units(suggested.as_ref(), has_it, chosen);
    }
    if line.needs(Need::RightUnit) {
        form.unit_field = "right_unit";
        form.units = page.units(None, case.lead.as_ref(), form.entered.get("right_unit"));
    }
    if line.needs(Need::Outcome) {
        let chosen = form.entered.some("outcome").unwrap_or("resolved").to_owned();
        form.outcomes = Outcome::OF_WORK.map(|o| outcome(page, o, &chosen)).into();
    }
    if line.needs(Need::Service) {
        let chosen = form.entered.some("service").unwrap_or(case.service.as_str());
        form.services = page.service_groups(chosen, false);
    }
    if verb == Verb::Ask {
        // Who reported first knows most, and stands first.
        let chosen = form.entered.some("report").unwrap_or("1");
        let choice = |value: String, label: String| Choice {
            chosen: value == chosen,
            value,
            label,
        };
        let outside = std::iter::once(choice(OUTSIDE.to_owned(), page.t("actor-asked")));
        let reporters = (1..=case.reports.min(MAX_ASKABLE)).map(|report| {
            choice(
                report.to_string(),
                page.words.n("actor-reporter", i64::from(report)),
            )
        });
        form.respondents = reporters.chain(outside).collect();
    }
    if verb == Verb::Answer
        && let Some(question) = &case.question
    {
        let chosen = form.entered.get("choice");
        let choice = |text: &String| Choice {
            value: text.clone(),
            label: text.clone(),
            chosen: text == chosen,
        };
        form.answers = question.choices.iter().map(choice).collect();
    }
    if verb == Verb::Supervise && !case.flags.supervised {
        let chosen = form.entered.some("kind").unwrap_or("important").to_owned();
        form.kinds = SupervisionKind::ALL
            .map(|kind| Choice {
                value: kind.as_str().to_owned(),
                label: page.words.of("supervision", kind.as_str()),
                chosen: kind.as_str() == chosen,
            })
            .into();
    }
    if line.needs(Need::Location) || verb == Verb::Split {
        let area = case
            .location
            .areas
            .at(Level::Community)
            .or(case.location.areas.deepest());
        let area = area.map_or("", |code| code.as_str());
        form.areas = page.area_groups(form.entered.some("area").unwrap_or(area));
        if tried.is_none() {
            form.entered.set("address", &case.location.address);
        }
    }
    if verb == Verb::Accept {
        form.standards = standards(page, case, form.entered.get("standard"));
    }
    form
}

/// The value that stands for somebody who reported nothing, among those that can be asked.
pub(super) const OUTSIDE: &str = "outside";

/// The most reporters offered to be asked: of a case that hundreds joined, the first know most.
const MAX_ASKABLE: u32 = 20;

/// The word of a form in the catalogue; two verbs are switches, and say what they would switch to.
fn form_word(verb: Verb, case: &Case) -> String {
    match verb {
        Verb::Supervise if case.flags.supervised => "supervise_off".to_owned(),
        Verb::Show if case.public => "show_off".to_owned(),
        other => other.as_str().to_owned(),
    }
}

fn outcome(page: &Page, outcome: Outcome, chosen: &str) -> Choice {
    Choice {
        value: outcome.as_str().to_owned(),
        label: page.words.of("outcome", outcome.as_str()),
        chosen: outcome.as_str() == chosen,
    }
}

fn standards(page: &Page, case: &Case, chosen: &str) -> Vec<Choice> {
    let choice = |standard: &whistle_domain::place::Standard| Choice {
        value: standard.code.to_string(),
        label: page.standard_name(standard.code.as_str()),
        chosen: standard.code.as_str() == chosen || (chosen.is_empty() && standard.default),
    };
    page.here.place.standards_of(&case.service).map(choice).collect()
}

/// The unit that routing names for a case.
fn routed(place: &Place, case: &Case) -> Option<UnitCode> {
    let held = case.standard.as_ref().and_then(|s| place.standard(s.as_str()));
    let standard = held.or_else(|| place.default_standard(&case.service))?;
    let area = command::area_of(place, case)?;
    place.lead(standard, area).map(|unit| unit.code.clone())
}

/// Where a form says it is.
pub(crate) fn whereabouts(fields: &Entered) -> Whereabouts {
    Whereabouts {
        point: crate::pages::report::read_point(fields).ok().flatten(),
        address: fields.get("address").trim().to_owned(),
        area: fields.some("area").and_then(|a| a.parse().ok()),
    }
}
