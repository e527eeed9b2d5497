//! One whistle for staff: who is called, who has signed, who is there, with exactly the forms that the table offers to
//! this post; and its minutes, for paper.

use askama::Template;
use axum::{
    extract::{Path, Query as Asked},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::{SignedDuration, Timestamp, civil::DateTime};
use whistle_domain::{
    case::Rating,
    whistle::{
        Body, Call, Duty, Event, Stage, Whistle,
        command::{Act, NewDuty, Refusal, may_finish, station_to_raise_to},
        transition::{Need, TRANSITIONS, Transition, Verb, offered},
    },
    words::{UnitCode, WhistleNumber},
};
use whistle_service::Error;

use super::{
    live::Script,
    session::{Staff, StaffForm},
};
use crate::{
    pages::{
        fault::Fault,
        form::{Entered, Wrongs},
        page::Page,
        show::{Choice, Due, Entry, Moment},
    },
    status::status_of,
};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Empty rows for duties on the form of the minutes, besides those that are there.
const EMPTY_DUTIES: usize = 4;

/// The number in a path. What is no number is no whistle.
pub(super) fn number(text: &str) -> Result<WhistleNumber, Fault> {
    let unknown = |_| Error::NotFound {
        what: "whistle",
        id: text.chars().take(20).collect(),
    };
    Ok(text.parse().map_err(unknown)?)
}

/// A called unit on the page.
struct CallView {
    unit: String,
    leads: bool,
    state: String,
    due: Option<Due>,
    facts: Vec<(String, Moment)>,
    notes: Vec<String>,
}

/// A duty on the page.
struct DutyView {
    number: usize,
    case: String,
    unit: String,
    what: String,
    due: Moment,
    left: Option<(String, bool)>,
    done: Option<Moment>,
}

/// A row of the minutes' form.
struct DutyRow {
    number: usize,
    cases: Vec<Choice>,
    units: Vec<Choice>,
    limits: Vec<Choice>,
    what: String,
    wrong: Option<String>,
}

/// The form of one line of the table.
struct ActForm {
    verb: &'static str,
    title: String,
    hint: String,
    open: bool,
    grave: bool,
    text_needed: bool,
    text: String,
    units: Vec<Choice>,
    units_needed: bool,
    present: bool,
    made_at: bool,
    ratings: Vec<(&'static str, Vec<Choice>)>,
    duties: Vec<DutyRow>,
    open_duties: Vec<Choice>,
    wrongs: Wrongs,
}

#[derive(Template)]
#[template(path = "staff/whistle.html")]
struct WhistleView<'a> {
    p: &'a Page,
    script: Script,
    number: String,
    version: u32,
    kind: String,
    stage: String,
    open: bool,
    stations: Vec<String>,
    matter: String,
    cases: Vec<String>,
    place: String,
    meet: Option<Moment>,
    asked: Moment,
    calls: Vec<CallView>,
    there: String,
    /// Whether there is anything for the sheet yet.
    sheet: bool,
    minutes: String,
    duties: Vec<DutyView>,
    ending: String,
    timeline: Vec<Entry>,
    forms: Vec<ActForm>,
    key: String,
    refused: Option<String>,
    /// What happened since the page was shown on which that was tried.
    meanwhile: Vec<Entry>,
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "staff/minutes.html")]
struct MinutesView<'a> {
    p: &'a Page,
    number: String,
    kind: String,
    stations: Vec<String>,
    matter: String,
    cases: Vec<String>,
    place: String,
    meet: Option<Moment>,
    calls: Vec<CallView>,
    minutes: String,
    duties: Vec<DutyView>,
    ending: String,
    printed: Moment,
}

pub(super) async fn whistle(
    staff: Staff,
    Path(text): Path<String>,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let (whistle, log) = found(&staff, number(&text)?).await?;
    let asked = Entered::new(asked);
    let done = asked.some("done").and_then(verb);
    let done = done.map(|verb| match (verb, whistle.stage) {
        // It waits until somebody approves it: nobody is called yet.
        (Verb::Blow, Stage::Asked) => staff.page.t("whistle-done-ask"),
        _ => staff.page.words.of("whistle-done", verb.as_str()),
    });
    show(&staff, &whistle, &log, None, done)
}

/// The sheet for paper.
pub(super) async fn minutes(staff: Staff, Path(text): Path<String>) -> Result<Response, Fault> {
    let (whistle, _) = found(&staff, number(&text)?).await?;
    let page = &staff.page;
    page.render(&MinutesView {
        p: page,
        number: whistle.number.to_string(),
        kind: page.whistle_kind(&whistle),
        stations: page.stations(&whistle),
        matter: whistle.matter.clone(),
        cases: whistle.cases.iter().map(ToString::to_string).collect(),
        place: whistle.place.clone(),
        meet: whistle.meet_at.map(|at| page.moment(at)),
        calls: calls(page, &whistle),
        minutes: whistle.minutes.clone(),
        duties: duties(page, &whistle),
        ending: whistle.ending.clone(),
        printed: page.moment(page.now),
    })
}

/// The form of the minutes is sent where the sheet is shown.
pub(super) async fn write_minutes(Path(text): Path<String>, form: StaffForm) -> Result<Response, Fault> {
    act(Path((text, Verb::Minutes.as_str().to_owned())), form).await
}

pub(super) async fn act(
    Path((text, word)): Path<(String, String)>,
    StaffForm { staff, posted }: StaffForm,
) -> Result<Response, Fault> {
    let verb = verb(&word).ok_or(Fault::NoSuchPage)?;
    let number = number(&text)?;
    let found_first = found(&staff, number).await?;
    let fields = &posted.fields;
    let mut wrongs = Wrongs::default();
    let act = read(&staff.page, verb, fields, &found_first.0, &mut wrongs);
    let seen = fields.some("seen").and_then(|seen| seen.parse().ok());
    let again = |wrongs: Wrongs, status, (whistle, log): &(Whistle, Vec<Event>)| {
        let tried = Tried {
            verb,
            entered: fields,
            wrongs,
            status,
            stale: seen.filter(|seen| *seen < whistle.version),
        };
        show(&staff, whistle, log, Some(&tried), None)
    };
    let Some(act) = act.filter(|_| wrongs.is_empty()) else {
        return again(wrongs, StatusCode::BAD_REQUEST, &found_first);
    };
    let key = fields.some("key").map(str::to_owned);
    let text = fields.get("text").to_owned();
    let page = &staff.page;
    let by = staff.actor().clone();
    let done = page
        .app
        .whistle
        .act_on_whistle(&page.here, number, seen, act, text, by, key)
        .await;
    match done {
        Ok(_) => {
            let to = format!("/staff/whistles/{number}?done={}", verb.as_str());
            Ok(Redirect::to(&to).into_response())
        }
        Err(error @ (Error::Whistle(_) | Error::Invalid { .. } | Error::KeyReused)) => {
            wrongs.add("done", page.words.error(&error));
            // Perhaps somebody changed it this very moment.
            again(wrongs, status_of(&error), &found(&staff, number).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// What was tried on the page and refused.
struct Tried<'a> {
    verb: Verb,
    entered: &'a Entered,
    wrongs: Wrongs,
    status: StatusCode,
    /// The version that was seen, when something happened since.
    stale: Option<u32>,
}

async fn found(staff: &Staff, number: WhistleNumber) -> Result<(Whistle, Vec<Event>), Fault> {
    let page = &staff.page;
    let found = page
        .app
        .whistle
        .whistle_and_log(&page.here, number, staff.actor());
    Ok(found.await?)
}

fn verb(word: &str) -> Option<Verb> {
    let mut verbs = TRANSITIONS.iter().map(|line| line.verb);
    verbs.find(|verb| verb.as_str() == word)
}

fn show(
    staff: &Staff,
    whistle: &Whistle,
    log: &[Event],
    tried: Option<&Tried<'_>>,
    done: Option<String>,
) -> Result<Response, Fault> {
    let page = &staff.page;
    let status = tried.map_or(StatusCode::OK, |tried| tried.status);
    let refused = tried.map(|tried| {
        let whole = tried.wrongs.at("done");
        whole.map_or_else(|| page.t("see-below"), str::to_owned)
    });
    let view = WhistleView {
        p: page,
        script: page.record_script("whistles", whistle.number.to_string(), whistle.version),
        number: whistle.number.to_string(),
        version: whistle.version,
        kind: page.whistle_kind(whistle),
        stage: page.words.of("whistle-stage", whistle.stage.as_str()),
        open: whistle.stage.is_open(),
        stations: page.stations(whistle),
        matter: whistle.matter.clone(),
        cases: whistle.cases.iter().map(ToString::to_string).collect(),
        place: whistle.place.clone(),
        meet: whistle.meet_at.map(|at| page.moment(at)),
        asked: page.moment(whistle.times.asked_at),
        calls: calls(page, whistle),
        there: page.there(whistle),
        sheet: whistle.times.blown_at.is_some(),
        minutes: whistle.minutes.clone(),
        duties: duties(page, whistle),
        ending: whistle.ending.clone(),
        timeline: timeline(page, log),
        forms: forms(staff, whistle, tried),
        key: page.app.whistle.fresh_token(),
        refused,
        meanwhile: tried.and_then(|tried| tried.stale).map_or_else(Vec::new, |seen| {
            let timeline = timeline(page, log).into_iter();
            timeline.filter(|entry| entry.version > seen).collect()
        }),
        done,
    };
    page.render_as(status, &view)
}

impl Page {
    /// The name of a whistle's kind; its code once the place no longer knows it.
    pub(super) fn whistle_kind(&self, whistle: &Whistle) -> String {
        let code = whistle.kind.as_str();
        let kind = self.here.place.whistle_kind(code);
        kind.map_or_else(|| code.to_owned(), |kind| kind.name.get(self.lang()).to_owned())
    }

    /// The stations that answer for a whistle.
    pub(super) fn stations(&self, whistle: &Whistle) -> Vec<String> {
        let stations = whistle.stations.iter();
        stations.map(|unit| self.unit_name(unit.as_str())).collect()
    }

    /// How many of the called units are there.
    pub(super) fn there(&self, whistle: &Whistle) -> String {
        let there = whistle.calls.iter().filter(|call| call.reported_in_at.is_some());
        self.words.with(
            "whistle-there",
            &[
                ("n", (there.count() as i64).into()),
                ("all", (whistle.calls.len() as i64).into()),
            ],
        )
    }
}

fn calls(page: &Page, whistle: &Whistle) -> Vec<CallView> {
    let view = |call: &Call| {
        let fact = |key: &str, at: Option<Timestamp>| at.map(|at| (page.t(key), page.moment(at)));
        let late = call
            .received_at
            .filter(|at| call.reported_in_at.is_some_and(|made| made < *at));
        let facts = [
            fact("call-signed", call.signed_at),
            fact("call-contacted", call.contacted_at),
            fact("call-reported-in", call.reported_in_at),
            fact("call-received", late),
            fact("call-confirmed", call.confirmed_at),
            fact("call-left", call.left_at),
        ];
        let mut notes: Vec<String> = Vec::new();
        notes.extend(
            call.near
                .map(|near| page.t(if near { "call-near" } else { "call-not-near" })),
        );
        notes.extend(Some(call.reason.clone()).filter(|reason| !reason.is_empty()));
        let rated = |rating: Rating| page.words.of("mark", rating.as_str());
        notes.extend(call.rating.map(|rating| {
            let (speed, quality) = (rated(rating.speed), rated(rating.quality));
            page.words.with(
                "call-rating",
                &[("speed", speed.into()), ("quality", quality.into())],
            )
        }));
        notes.extend(
            call.rating_of_whistle
                .map(|rating| page.words.x("call-rating-of-whistle", &rated(rating))),
        );
        CallView {
            unit: page.unit_name(call.unit.as_str()),
            leads: call.unit == whistle.lead,
            state: page.words.of("call-state", call.state.as_str()),
            due: call.clocks.next_due().map(|clock| page.due(clock)),
            facts: facts.into_iter().flatten().collect(),
            notes,
        }
    };
    whistle.calls.iter().map(view).collect()
}

fn duties(page: &Page, whistle: &Whistle) -> Vec<DutyView> {
    let view = |(duty, number): (&Duty, usize)| DutyView {
        number,
        case: duty.case.to_string(),
        unit: page.unit_name(duty.unit.as_str()),
        what: duty.what.clone(),
        due: page.moment(duty.due_at),
        left: duty
            .done_at
            .is_none()
            .then(|| (page.words.until(duty.due_at, page.now), page.now > duty.due_at)),
        done: duty.done_at.map(|at| page.moment(at)),
    };
    whistle.duties.iter().zip(1..).map(view).collect()
}

fn timeline(page: &Page, log: &[Event]) -> Vec<Entry> {
    let detail = |body: &Body| match body {
        Body::Raised { station, .. } => page.unit_name(station.as_str()),
        Body::Confirmed { unit, present } => page.words.aside(
            &page.unit_name(unit.as_str()),
            &page.t(if *present {
                "call-is-there"
            } else {
                "call-is-not-there"
            }),
        ),
        Body::DutyDone { duty } => page.words.n("whistle-duty", i64::from(*duty)),
        other => other
            .unit()
            .map_or_else(String::new, |unit| page.unit_name(unit.as_str())),
    };
    let entry = |(event, version): (&Event, u32)| Entry {
        version,
        at: page.moment(event.at),
        what: page.words.of("whistle-event", event.body.as_str()),
        who: page.actor(&event.by),
        detail: detail(&event.body),
        text: event.text.clone(),
    };
    let mut all: Vec<Entry> = log.iter().zip(1..).map(entry).collect();
    all.reverse();
    all
}

/// A form for each line on offer; the first that moves the whistle on is open.
fn forms(staff: &Staff, whistle: &Whistle, tried: Option<&Tried<'_>>) -> Vec<ActForm> {
    let (page, actor) = (&staff.page, staff.actor());
    let mut lines: Vec<_> = offered(whistle, actor, &page.here.place).collect();
    lines.sort_by_key(|line| rank(line.verb, whistle));
    let first = lines.first().map(|line| line.verb);
    let open = tried.map(|tried| tried.verb).or(first);
    lines
        .into_iter()
        .map(|line| form(staff, whistle, line, open == Some(line.verb), tried))
        .collect()
}

/// 0 for what comes next, 1 for what may come, 2 for what leads elsewhere.
fn rank(verb: Verb, whistle: &Whistle) -> u8 {
    match verb {
        Verb::Approve | Verb::Sign | Verb::ReportIn | Verb::Confirm | Verb::Finish | Verb::RateUnit => 0,
        Verb::Close if !whistle.minutes.is_empty() => 0,
        Verb::Withdraw | Verb::RefuseApproval | Verb::Refuse | Verb::Raise => 2,
        _ => 1,
    }
}

fn form(
    staff: &Staff,
    whistle: &Whistle,
    line: &Transition,
    open: bool,
    tried: Option<&Tried<'_>>,
) -> ActForm {
    let (page, actor, verb) = (&staff.page, staff.actor(), line.verb);
    let tried = tried.filter(|tried| tried.verb == verb);
    let nothing = Entered::default();
    let entered = tried.map_or(&nothing, |tried| tried.entered);
    let word = verb.as_str();
    let unit = |unit: &UnitCode| Choice {
        value: unit.to_string(),
        label: page.unit_name(unit.as_str()),
        chosen: entered.get("unit") == unit.as_str(),
    };
    let ratings: &[&str] = match verb {
        Verb::RateUnit => &["speed", "quality"],
        Verb::RateWhistle => &["rating"],
        _ => &[],
    };
    let rating = |name: &&'static str| {
        let choice = |rating: Rating| Choice {
            value: rating.as_str().to_owned(),
            label: page.words.of("mark", rating.as_str()),
            chosen: entered.get(name) == rating.as_str(),
        };
        (*name, Rating::ALL.map(choice).into())
    };
    let text = if verb == Verb::Minutes && tried.is_none() {
        whistle.minutes.clone()
    } else {
        entered.get("text").to_owned()
    };
    ActForm {
        verb: word,
        title: page.words.of("whistle-verb", word),
        hint: page.words.of("whistle-hint", word),
        open,
        grave: matches!(verb, Verb::Withdraw | Verb::RefuseApproval | Verb::Refuse),
        text_needed: line.needs(Need::Text),
        text,
        units: if line.needs(Need::Unit) {
            line.units(whistle, actor).map(unit).collect()
        } else if verb == Verb::Raise && station_to_raise_to(whistle, &page.here.place).is_some() {
            let mut units = page.units(None, None, entered.get("unit"));
            let taken = |code: &str| {
                let parts = whistle
                    .calls
                    .iter()
                    .map(|call| &call.unit)
                    .chain(&whistle.stations);
                parts.into_iter().any(|unit| unit.as_str() == code)
            };
            units.retain(|choice| !taken(&choice.value));
            units
        } else {
            Vec::new()
        },
        units_needed: line.needs(Need::Unit),
        present: verb == Verb::Confirm,
        made_at: verb == Verb::ReportIn,
        ratings: ratings.iter().map(rating).collect(),
        duties: if verb == Verb::Minutes {
            duty_rows(page, whistle, tried)
        } else {
            Vec::new()
        },
        open_duties: if verb == Verb::Finish {
            open_duties(staff, whistle)
        } else {
            Vec::new()
        },
        wrongs: tried.map(|tried| tried.wrongs.clone()).unwrap_or_default(),
    }
}

fn open_duties(staff: &Staff, whistle: &Whistle) -> Vec<Choice> {
    let page = &staff.page;
    let duties = whistle.duties.iter().zip(1..);
    duties
        .filter(|(duty, _)| duty.done_at.is_none() && may_finish(whistle, &duty.unit, staff.actor()))
        .map(|(duty, number): (&Duty, i64)| Choice {
            value: number.to_string(),
            label: page.words.aside(&duty.what, &page.unit_name(duty.unit.as_str())),
            chosen: false,
        })
        .collect()
}

/// The rows of duties: what was entered, else what is there; and some empty ones.
fn duty_rows(page: &Page, whistle: &Whistle, tried: Option<&Tried<'_>>) -> Vec<DutyRow> {
    let kept: Vec<[String; 4]> = match tried {
        Some(tried) => entered_duties(tried.entered).map(|(_, row)| row).collect(),
        None => whistle
            .duties
            .iter()
            .map(|duty| {
                [
                    duty.case.to_string(),
                    duty.unit.to_string(),
                    duty.limit.to_string(),
                    duty.what.clone(),
                ]
            })
            .collect(),
    };
    let choice = |value: String, label: String, chosen: &str| Choice {
        chosen: value == chosen,
        value,
        label,
    };
    let row = |number: usize| {
        let nothing = Default::default();
        let [case, unit, limit, what] = kept.get(number - 1).unwrap_or(&nothing);
        let preset = if limit.is_empty() { "2d working" } else { limit };
        DutyRow {
            number,
            cases: whistle
                .cases
                .iter()
                .map(|number| choice(number.to_string(), number.to_string(), case))
                .collect(),
            units: whistle
                .calls
                .iter()
                .map(|call| choice(call.unit.to_string(), page.unit_name(call.unit.as_str()), unit))
                .collect(),
            limits: page.limits(preset),
            what: what.clone(),
            wrong: tried
                .and_then(|tried| tried.wrongs.at(&format!("duty-{number}-what")))
                .map(str::to_owned),
        }
    };
    (1..=kept.len() + EMPTY_DUTIES).map(row).collect()
}

/// The duties of a form, with the number of their row; a row without words says nothing.
fn entered_duties(fields: &Entered) -> impl Iterator<Item = (usize, [String; 4])> {
    /// More rows than any form has.
    const MOST: usize = 100;
    (1..=MOST).filter_map(move |number| {
        let field = |name: &str| fields.get(&format!("duty-{number}-{name}")).trim().to_owned();
        let row = [field("case"), field("unit"), field("limit"), field("what")];
        (!row[3].is_empty()).then_some((number, row))
    })
}

/// A date and time as the browser writes it, on the place's clock.
pub(super) fn local_time(page: &Page, text: &str) -> Option<Timestamp> {
    let civil: DateTime = text.parse().ok()?;
    page.here.place.calendar.zone().to_timestamp(civil).ok()
}

/// What a form asks for; what is missing or unreadable is noted at its field.
fn read(page: &Page, verb: Verb, fields: &Entered, whistle: &Whistle, wrongs: &mut Wrongs) -> Option<Act> {
    let missing = |need| page.words.whistle_refusal(&Refusal::Missing { verb, need });
    let mut unit = || {
        let unit = fields.get("unit").parse::<UnitCode>().ok();
        if unit.is_none() {
            wrongs.add("unit", missing(Need::Unit));
        }
        unit
    };
    let act = match verb {
        Verb::Approve => Act::Approve,
        Verb::RefuseApproval => Act::RefuseApproval,
        Verb::Withdraw => Act::Withdraw,
        Verb::Raise => Act::Raise {
            units: fields
                .some("unit")
                .and_then(|unit| unit.parse().ok())
                .into_iter()
                .collect(),
        },
        Verb::Sign => Act::Sign,
        Verb::Refuse => Act::Refuse,
        Verb::Contact => Act::Contact,
        Verb::ReportIn => {
            let made_at = fields.some("made_at");
            let read = made_at.map(|text| local_time(page, text));
            if read == Some(None) {
                wrongs.add("made_at", page.words.whistle_refusal(&Refusal::MadeTime));
            }
            // The field knows minutes, a call its second.
            let called_at = |at: Timestamp| {
                let calls = whistle.calls.iter().map(|call| call.called_at);
                let same = calls.filter(|called| at < *called && *called < at + MINUTE);
                same.max().unwrap_or(at)
            };
            Act::ReportIn {
                made_at: read.flatten().map(called_at),
                position: None,
            }
        }
        Verb::Confirm => Act::Confirm {
            unit: unit()?,
            present: !fields.has("present", "no"),
        },
        Verb::Leave => Act::Leave,
        Verb::Minutes => Act::Minutes {
            duties: read_duties(page, fields, whistle, wrongs),
        },
        Verb::Close => Act::Close,
        Verb::Finish => {
            let Ok(duty) = fields.get("duty").parse() else {
                wrongs.add("duty", missing(Need::Duty));
                return None;
            };
            Act::Finish { duty }
        }
        Verb::RateUnit | Verb::RateWhistle => {
            let rating = |name: &str| Rating::ALL.into_iter().find(|r| r.as_str() == fields.get(name));
            let act = if verb == Verb::RateUnit {
                let (unit, speed, quality) = (unit()?, rating("speed"), rating("quality"));
                speed
                    .zip(quality)
                    .map(|(speed, quality)| Act::RateUnit { unit, speed, quality })
            } else {
                rating("rating").map(|rating| Act::RateWhistle { rating })
            };
            if act.is_none() {
                wrongs.add("rating", missing(Need::Rating));
            }
            return act;
        }
        Verb::Blow | Verb::Remind | Verb::Reckon => {
            wrongs.add("done", page.words.whistle_refusal(&Refusal::NotAllowed(verb)));
            return None;
        }
    };
    Some(act)
}

fn read_duties(page: &Page, fields: &Entered, whistle: &Whistle, wrongs: &mut Wrongs) -> Vec<NewDuty> {
    let mut duties = Vec::new();
    for (number, [case, unit, limit, what]) in entered_duties(fields) {
        let only = (whistle.cases.len() == 1).then(|| whistle.cases[0]);
        let case = case.parse().ok().or(only);
        if let (Some(case), Ok(unit), Ok(limit)) = (case, unit.parse(), limit.parse()) {
            duties.push(NewDuty {
                case,
                unit,
                what,
                limit,
            });
        } else {
            let refusal = Refusal::BadDuty(number as u32);
            wrongs.add(
                format!("duty-{number}-what"),
                page.words.whistle_refusal(&refusal),
            );
        }
    }
    duties
}
