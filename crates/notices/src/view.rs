//! What the words of a notice may name: the values of a case, or of a whistle, as its reader may know them.

use jiff::Timestamp;
use serde::Serialize;
use whistle_domain::{
    case::{Body, Case, Event, Outcome},
    clock::ClockKind,
    place::Place,
    public,
    whistle::{self, Whistle},
    words::{Lang, UnitCode},
};

use crate::told::Reader;

/// The names that a template may use, each with an example in Chinese and English.
pub const VARIABLES: [(&str, &str, &str); 25] = [
    ("place", "三江市", "Three Rivers"),
    ("number", "1042", "1042"),
    ("code", "7XK2M-9QRTV", "7XK2M-9QRTV"),
    ("service", "路灯不亮", "Street light out"),
    ("where", "人民路 12 号", "12 Renmin Road"),
    ("unit", "市政管理处", "Roads Department"),
    ("outcome", "已解决", "resolved"),
    ("text", "已更换灯泡。", "The lamp was replaced."),
    ("due", "2027-03-05 17:00", "2027-03-05 17:00"),
    ("other", "1017", "1017"),
    // Empty for most readers, and so in a preview.
    ("goes_on", "", ""),
    ("kind", "应急哨", "Emergency"),
    ("cases", "1042、1057", "1042, 1057"),
    ("when", "2027-03-05 14:00", "2027-03-05 14:00"),
    (
        "limits",
        "2027-03-05 12:10 前签收；2027-03-05 12:30 前报到",
        "sign by 2027-03-05 12:10; report in by 2027-03-05 12:30",
    ),
    (
        "duties",
        "1042 市政管理处：更换灯杆（2027-03-09 17:00 前）",
        "1042 Roads Department: replace the pole (by 2027-03-09 17:00)",
    ),
    ("choices", "已修好；未修好", "mended; not mended"),
    (
        "answer",
        "https://whistle.example.org/ask/1042-5-…",
        "https://whistle.example.org/ask/1042-5-…",
    ),
    (
        "question",
        "灯杆上的编号是多少？",
        "Which number is on the lamp post?",
    ),
    (
        "follow",
        "https://whistle.example.org/follow?number=1042",
        "https://whistle.example.org/follow?number=1042",
    ),
    (
        "link",
        "https://whistle.example.org/cases/1042",
        "https://whistle.example.org/cases/1042",
    ),
    (
        "staff",
        "https://whistle.example.org/staff/cases/1042",
        "https://whistle.example.org/staff/cases/1042",
    ),
    (
        "stop",
        "https://whistle.example.org/notices/stop?…",
        "https://whistle.example.org/notices/stop?…",
    ),
    ("count", "2", "2"),
    ("items", "", ""),
];

/// The values of one notice. What does not apply is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct View {
    /// The place's name.
    pub place: String,
    /// The case or whistle. To who reported a case that was merged into another: theirs, which their code opens.
    pub number: String,
    /// The reporter's pick-up code; never in a mail to a unit.
    pub code: String,
    /// What is asked for.
    pub service: String,
    /// Where it lies: as it was described, else the smallest area. Of a whistle, where to come.
    #[serde(rename = "where")]
    pub whereabouts: String,
    /// The unit that has it, or whose part in it the notice is about. Of a whistle, the station that blew it, or the called unit
    /// that the notice is about.
    pub unit: String,
    /// How it ended, or how the unit claims it did.
    pub outcome: String,
    /// What was written with the event, as the reader may read it.
    pub text: String,
    /// When the running clock is due, on the place's clock; of a question, until when it can be answered. To a unit with a part in
    /// the case, when that is due, if ever.
    pub due: String,
    /// The case that it is a duplicate of.
    pub other: String,
    /// The case as which the reader's goes on, where that was merged into another; empty where it is their own.
    pub goes_on: String,
    /// The kind of a whistle.
    pub kind: String,
    /// The cases of a whistle.
    pub cases: String,
    /// When a whistle's units meet, on the place's clock; empty for as soon as possible. Of a case that waits, or shall, the date
    /// until which.
    pub when: String,
    /// Until when the called unit must do what, in one line.
    pub limits: String,
    /// Who does what after a whistle, a line for each.
    pub duties: String,
    /// The answers to choose from, where a question offers some, in one line.
    pub choices: String,
    /// Where the reader answers without number and code, once: a question, or whether the work is done. Empty where there is
    /// nothing to answer.
    pub answer: String,
    /// The question that was answered, or was not.
    pub question: String,
    /// Where the reporter follows it; empty for a unit.
    pub follow: String,
    /// Its public page; empty when it has none.
    pub link: String,
    /// Its page for staff; empty for a reporter.
    pub staff: String,
    /// Where the reader says that they want no more.
    pub stop: String,
    /// How many notices a digest holds.
    pub count: String,
    /// The notices of a digest.
    pub items: Vec<Item>,
}

/// One notice of a digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The case.
    pub number: String,
    /// The subject that the notice would have had.
    pub subject: String,
    /// Where the reader sees the case.
    pub link: String,
}

/// Where a notice leads: addresses of the install.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// The address under which the public reaches the install, without a slash at the end.
    pub base: String,
    /// See [`View::stop`].
    pub stop: String,
    /// See [`View::code`].
    pub code: String,
    /// See [`View::answer`].
    pub answer: String,
}

impl View {
    /// The values of a notice of one event of a case. `case` is as it was after that event, the last of `log`.
    pub fn new(
        case: &Case,
        log: &[Event],
        place: &Place,
        lang: Lang,
        reader: &Reader,
        links: &Links,
    ) -> Self {
        let base = &links.base;
        let event = log.last();
        let (number, goes_on) = match reader {
            Reader::Merged(own, _) => (*own, Some(case.number)),
            _ => (case.number, None),
        };
        let asks = match event.map(|event| &event.body) {
            Some(Body::Asked { choices, until, .. }) => Some((choices, until)),
            _ => None,
        };
        let is = |unit: &UnitCode| matches!(reader, Reader::Unit(reader) if reader == unit);
        let until = match event.map(|event| &event.body) {
            Some(Body::Parked { until } | Body::ParkAsked { until }) => Some(until),
            _ => None,
        };
        let had = match event.map(|event| &event.body) {
            // The case has no unit now; the reader wants to know whose it was.
            Some(Body::Returned { .. }) => event.and_then(|event| event.by.unit()),
            Some(Body::JointHandled { unit } | Body::JointReleased { unit }) if !is(unit) => Some(unit),
            _ => case.lead.as_ref(),
        };
        let outcome = case.state.outcome();
        let is_unit = matches!(reader, Reader::Unit(_));
        let to_unit = |link: String| if is_unit { link } else { String::new() };
        let is_reporter = matches!(reader, Reader::Reporter(_) | Reader::Merged(..));
        let to_reporter = |link: String| if is_reporter { link } else { String::new() };
        Self {
            place: place.jurisdiction.name.get(lang).to_owned(),
            number: number.to_string(),
            service: place
                .service(case.service.as_str())
                .map_or(case.service.as_str(), |service| service.name.get(lang))
                .to_owned(),
            whereabouts: whereabouts(case, place, lang, reader),
            unit: had.map(|code| unit(place, code, lang)).unwrap_or_default(),
            outcome: outcome
                .map(|it| outcome_word(it, lang).to_owned())
                .unwrap_or_default(),
            text: event.map(|_| text(case, log, reader)).unwrap_or_default(),
            due: asks
                .map(|(_, until)| *until)
                .or_else(|| due(case, &is))
                .map(|at| moment(place, at))
                .unwrap_or_default(),
            when: until.map(ToString::to_string).unwrap_or_default(),
            choices: asks
                .map(|(choices, _)| choices.join(between(lang)))
                .unwrap_or_default(),
            answer: links.answer.clone(),
            goes_on: goes_on.map(|it| it.to_string()).unwrap_or_default(),
            question: match reader {
                Reader::Unit(_) if case.access.is_some() => String::new(),
                _ => question(log),
            },
            other: case.duplicate_of.map(|it| it.to_string()).unwrap_or_default(),
            follow: to_reporter(format!("{base}/follow?number={number}")),
            link: if case.public {
                format!("{base}/cases/{}", case.number)
            } else {
                String::new()
            },
            staff: to_unit(format!("{base}/staff/cases/{number}")),
            stop: links.stop.clone(),
            code: links.code.clone(),
            ..Self::default()
        }
    }

    /// The values of a notice of one event of a whistle. `whistle` is as it was after that event, the last of `log`; the
    /// reader is a unit that is called, or a station.
    pub fn of_whistle(
        whistle: &Whistle,
        log: &[whistle::Event],
        place: &Place,
        lang: Lang,
        reader: &Reader,
        links: &Links,
    ) -> Self {
        let event = log.last();
        let body = event.map(|event| &event.body);
        let text = match body {
            Some(whistle::Body::Blown | whistle::Body::Raised { .. }) => whistle.matter.clone(),
            Some(whistle::Body::Minuted | whistle::Body::DutyGiven { .. }) => whistle.minutes.clone(),
            _ => event.map(|event| event.text.clone()).unwrap_or_default(),
        };
        let about = match body {
            Some(whistle::Body::CallRefused { unit }) => Some(unit),
            _ => whistle.stations.first(),
        };
        let over = overdue(whistle, log, place, lang, reader);
        let call = match reader {
            Reader::Unit(unit) => whistle.call(unit),
            Reader::Reporter(_) | Reader::Merged(..) | Reader::Asked(_) => None,
        };
        let running = || {
            let clocks = call.into_iter().flat_map(|call| call.clocks.all());
            clocks.filter(|clock| clock.is_running())
        };
        let limits: Vec<String> = running()
            .map(|clock| limit(clock.kind, &moment(place, clock.due_at), lang))
            .collect();
        let duties: Vec<String> = whistle
            .duties
            .iter()
            .map(|duty| {
                let (unit, at) = (unit(place, &duty.unit, lang), moment(place, duty.due_at));
                match lang {
                    Lang::Zh => format!("{} {unit}：{}（{at} 前）", duty.case, duty.what),
                    Lang::En => format!("{} {unit}: {} (by {at})", duty.case, duty.what),
                }
            })
            .collect();
        let limits = if over.is_empty() { limits } else { over };
        let cases: Vec<String> = whistle.cases.iter().map(ToString::to_string).collect();
        let (number, base) = (whistle.number, &links.base);
        // A unit's mailbox is read by others than the posts that name the class.
        let is_open = whistle.classes.is_empty();
        let written = |words: String| if is_open { words } else { String::new() };
        Self {
            place: place.jurisdiction.name.get(lang).to_owned(),
            number: number.to_string(),
            whereabouts: written(whistle.place.clone()),
            unit: about.map(|code| unit(place, code, lang)).unwrap_or_default(),
            text: written(text),
            due: call
                .and_then(|call| call.clocks.next_due())
                .map(|clock| moment(place, clock.due_at))
                .unwrap_or_default(),
            kind: place
                .whistle_kind(whistle.kind.as_str())
                .map_or(whistle.kind.as_str(), |kind| kind.name.get(lang))
                .to_owned(),
            cases: written(cases.join(match lang {
                Lang::Zh => "、",
                Lang::En => ", ",
            })),
            when: whistle.meet_at.map(|at| moment(place, at)).unwrap_or_default(),
            limits: limits.join(between(lang)),
            duties: written(duties.join("\n")),
            staff: format!("{base}/staff/whistles/{number}"),
            stop: links.stop.clone(),
            ..Self::default()
        }
    }

    /// Made-up values, to look at a template with.
    pub fn example(lang: Lang) -> Self {
        let value = |name: &str| {
            let found = VARIABLES.iter().find(|(known, ..)| *known == name);
            let (_, zh, en) = found.copied().unwrap_or_default();
            match lang {
                Lang::Zh => zh.to_owned(),
                Lang::En => en.to_owned(),
            }
        };
        let item = |number: &str| Item {
            number: number.to_owned(),
            subject: format!("{} {number}", value("service")),
            link: format!("https://whistle.example.org/staff/cases/{number}"),
        };
        Self {
            place: value("place"),
            number: value("number"),
            code: value("code"),
            service: value("service"),
            whereabouts: value("where"),
            unit: value("unit"),
            outcome: value("outcome"),
            text: value("text"),
            due: value("due"),
            other: value("other"),
            goes_on: value("goes_on"),
            kind: value("kind"),
            cases: value("cases"),
            when: value("when"),
            limits: value("limits"),
            duties: value("duties"),
            choices: value("choices"),
            answer: value("answer"),
            question: value("question"),
            follow: value("follow"),
            link: value("link"),
            staff: value("staff"),
            stop: value("stop"),
            count: value("count"),
            items: vec![item("1042"), item("1043")],
        }
    }
}

/// When the reader must have done something about a case: the unit that leads it, within its running limit; another, by what is
/// said for its part.
fn due(case: &Case, is_reader: &impl Fn(&UnitCode) -> bool) -> Option<Timestamp> {
    let own = case
        .joint
        .iter()
        .find(|part| part.is_open() && is_reader(&part.unit));
    match own {
        Some(part) => part.due_at,
        None => case.clocks.next_due().map(|clock| clock.due_at),
    }
}

/// The question that the last event of a log is the end of.
fn question(log: &[Event]) -> String {
    let is_end = |event: &Event| matches!(event.body, Body::Answered { .. } | Body::Unanswered);
    let mut asked = log
        .iter()
        .rev()
        .filter(|event| matches!(event.body, Body::Asked { .. }));
    match log
        .last()
        .filter(|event| is_end(event))
        .and_then(|_| asked.next())
    {
        Some(asked) => asked.text.clone(),
        None => String::new(),
    }
}

/// What has run out by the command that the log ends with: the reader's own limits, or to a station those of all units.
fn overdue(
    whistle: &Whistle,
    log: &[whistle::Event],
    place: &Place,
    lang: Lang,
    reader: &Reader,
) -> Vec<String> {
    let Some(last) = log.last() else {
        return Vec::new();
    };
    let together = log.iter().rev().take_while(|event| event.at == last.at);
    let mut lines = Vec::new();
    for event in together {
        let whistle::Body::Overdue { unit: late, clock } = &event.body else {
            break;
        };
        let due_at = whistle
            .call(late)
            .and_then(|call| call.clocks.get(*clock))
            .map(|clock| moment(place, clock.due_at));
        let line = limit(*clock, &due_at.unwrap_or_default(), lang);
        let is_own = matches!(reader, Reader::Unit(reader) if reader == late);
        let is_called = matches!(reader, Reader::Unit(reader) if whistle.call(reader).is_some());
        if is_own {
            lines.push(line);
        } else if !is_called {
            let late = unit(place, late, lang);
            lines.push(match lang {
                Lang::Zh => format!("{late}：{line}"),
                Lang::En => format!("{late}: {line}"),
            });
        }
    }
    lines.reverse();
    lines
}

fn unit(place: &Place, code: &UnitCode, lang: Lang) -> String {
    let known = place.unit(code.as_str());
    known.map_or(code.as_str(), |unit| unit.name.get(lang)).to_owned()
}

/// A time on the place's clock.
fn moment(place: &Place, at: Timestamp) -> String {
    let zone = place.calendar.zone();
    zone.to_datetime(at).strftime("%F %H:%M").to_string()
}

/// What stands between parts of a line.
const fn between(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "；",
        Lang::En => "; ",
    }
}

/// Until when a called unit must do something.
fn limit(kind: ClockKind, at: &str, lang: Lang) -> String {
    let (zh, en) = match kind {
        ClockKind::Sign => ("签收", "sign"),
        ClockKind::Contact => ("对接", "get in contact"),
        ClockKind::ReportIn => ("报到", "report in"),
        ClockKind::Leave => ("离场", "leave"),
        // A case's alone.
        ClockKind::Triage | ClockKind::Resolve | ClockKind::Verify | ClockKind::Joint => {
            return at.to_owned();
        }
    };
    match lang {
        Lang::Zh => format!("{at} 前{zh}"),
        Lang::En => format!("{en} by {at}"),
    }
}

/// What was written, for the reader: a reporter reads what the public does, a unit and who is asked what the actor wrote. Of a
/// case of a class of access nothing goes to a unit's mailbox, which others read.
fn text(case: &Case, log: &[Event], reader: &Reader) -> String {
    let is_question = log
        .last()
        .is_some_and(|event| matches!(event.body, Body::Asked { .. }));
    match reader {
        Reader::Unit(_) if case.access.is_some() => String::new(),
        Reader::Reporter(_) | Reader::Merged(..) if is_question => last_words(log),
        Reader::Unit(_) | Reader::Asked(_) => last_words(log),
        Reader::Reporter(_) | Reader::Merged(..) => {
            let entries = public::timeline(log);
            let last = entries.last().filter(|entry| entry.version as usize == log.len());
            last.map(|entry| entry.text.clone()).unwrap_or_default()
        }
    }
}

fn last_words(log: &[Event]) -> String {
    log.last().map(written).unwrap_or_default()
}

/// What was written with an event; of an answer, what was chosen before it.
fn written(event: &Event) -> String {
    match &event.body {
        Body::Answered { choice: Some(choice) } => format!("{choice}\n{}", event.text).trim_end().to_owned(),
        _ => event.text.clone(),
    }
}

/// The address as it was described, else the smallest area that has a name. Of several who reported a matter one reads
/// what another wrote, so it is masked.
fn whereabouts(case: &Case, place: &Place, lang: Lang, reader: &Reader) -> String {
    let address = match reader {
        Reader::Unit(_) if case.access.is_some() => String::new(),
        Reader::Unit(_) => case.location.address.clone(),
        Reader::Reporter(_) | Reader::Merged(..) | Reader::Asked(_) => public::address(case),
    };
    if !address.is_empty() {
        return address;
    }
    let mut areas = case.location.areas.0.iter().rev().flatten();
    areas
        .find_map(|code| {
            let index = place.areas.find(code.as_str())?;
            let name = place.areas.get(index).name.get(lang);
            (!name.is_empty()).then(|| name.to_owned())
        })
        .unwrap_or_default()
}

const fn outcome_word(outcome: Outcome, lang: Lang) -> &'static str {
    let (zh, en) = match outcome {
        Outcome::Resolved => ("已解决", "resolved"),
        Outcome::PartlyResolved => ("部分解决", "partly resolved"),
        Outcome::Explained => ("已说明", "explained"),
        Outcome::Declined => ("不予受理", "declined"),
        Outcome::Duplicate => ("重复上报", "a duplicate"),
        Outcome::Referred => ("已转交", "referred"),
        Outcome::Withdrawn => ("已撤回", "withdrawn"),
        Outcome::Unfounded => ("查无此事", "not found on site"),
    };
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_values_are_those_that_templates_are_checked_against() {
        let value = serde_json::to_value(View::example(Lang::En)).unwrap();
        let names: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, VARIABLES.map(|(name, ..)| name.to_owned()));
    }
}
