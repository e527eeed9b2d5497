//! Things of the domain in the reader's words: cases, places, clocks and timelines, ready for a template.

use jiff::Timestamp;
use whistle_domain::{
    case::{Actor, Body, Case, Event, Location, Photo, PhotoKind, Respondent, Wish},
    clock::Clock,
    limit::Limit,
    place::{AreaPath, Level, Service},
    public::{self, Step},
    transition::Transition,
    words::UnitCode,
};
use whistle_service::privacy::OwnView;

use super::page::Page;

/// Letters of a description in a list.
const EXCERPT: usize = 120;

/// Limits that forms offer for the part of a unit in a case or a whistle.
const LIMITS: [&str; 7] = [
    "2h running",
    "4h working",
    "1d working",
    "2d working",
    "3d working",
    "5d working",
    "10d working",
];

/// A time, for people and for machines.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) text: String,
    pub(crate) iso: String,
}

/// A case in a list.
pub(crate) struct Line {
    pub(crate) number: String,
    pub(crate) version: u32,
    pub(crate) href: String,
    pub(crate) service: String,
    pub(crate) area: String,
    pub(crate) excerpt: String,
    pub(crate) status: String,
    pub(crate) open: bool,
    pub(crate) reported: Moment,
    pub(crate) due: Option<Due>,
    pub(crate) lead: String,
    pub(crate) flags: Vec<String>,
}

/// When a case is due, and whether that is over.
pub(crate) struct Due {
    pub(crate) what: String,
    pub(crate) left: String,
    pub(crate) at: Moment,
    pub(crate) overdue: bool,
}

/// A step of the bar on the public page.
pub(crate) struct StepView {
    pub(crate) name: String,
    pub(crate) state: &'static str,
}

/// A line of a timeline.
pub(crate) struct Entry {
    pub(crate) version: u32,
    pub(crate) at: Moment,
    pub(crate) what: String,
    pub(crate) who: String,
    pub(crate) detail: String,
    pub(crate) text: String,
}

/// A photo on a page.
pub(crate) struct Picture {
    pub(crate) full: String,
    pub(crate) thumbnail: String,
    pub(crate) label: String,
}

/// An entry of a select.
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

/// Entries of a select under one heading.
pub(crate) struct Group {
    pub(crate) label: String,
    pub(crate) choices: Vec<Choice>,
}

/// A question with its answer.
pub(crate) struct Answered {
    pub(crate) label: String,
    pub(crate) value: String,
}

impl Page {
    /// A time on the place's clock.
    pub(crate) fn moment(&self, at: Timestamp) -> Moment {
        Moment {
            text: self.words.time(at, self.here.place.calendar.zone()),
            iso: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }

    /// The name of a service; its code once the place no longer knows it.
    pub(crate) fn service_name(&self, code: &str) -> String {
        let service = self.here.place.service(code);
        service.map_or_else(|| code.to_owned(), |s| s.name.get(self.lang()).to_owned())
    }

    /// The name of a unit.
    pub(crate) fn unit_name(&self, code: &str) -> String {
        let unit = self.here.place.unit(code);
        unit.map_or_else(|| code.to_owned(), |u| u.name.get(self.lang()).to_owned())
    }

    /// The name of an area.
    pub(crate) fn area_name(&self, code: &str) -> String {
        let areas = &self.here.place.areas;
        areas.find(code).map_or_else(
            || code.to_owned(),
            |i| areas.get(i).name.get(self.lang()).to_owned(),
        )
    }

    /// The names of a case's areas, from the town down; the city alone when nothing finer is known.
    pub(crate) fn path_name(&self, path: &AreaPath) -> String {
        let names: Vec<String> = [Level::Town, Level::Community, Level::Cell]
            .into_iter()
            .filter_map(|level| path.at(level))
            .map(|code| self.area_name(code.as_str()))
            .collect();
        match (names.is_empty(), path.at(Level::City)) {
            (true, Some(city)) => self.area_name(city.as_str()),
            _ => names.join(" › "),
        }
    }

    /// The name of a post with its unit's.
    pub(crate) fn post_name(&self, code: &str) -> String {
        let Some(post) = self.here.place.post(code) else {
            return code.to_owned();
        };
        let unit = self.unit_name(post.unit.as_str());
        self.words.post_of_unit(post.name.get(self.lang()), &unit)
    }

    /// Where a case stands for the public, with the outcome of a closed one.
    pub(crate) fn public_status(&self, case: &Case) -> String {
        match (case.state.is_open(), case.state.outcome()) {
            (false, Some(outcome)) => self
                .words
                .x("status-closed", &self.words.of("outcome", outcome.as_str())),
            _ => self.words.of("step", Step::of(case.state).as_str()),
        }
    }

    /// Where a case stands for staff.
    pub(crate) fn staff_status(&self, case: &Case) -> String {
        let stage = self.words.of("stage", case.state.stage().as_str());
        match case.state.outcome() {
            Some(outcome) => {
                let outcome = self.words.of("outcome", outcome.as_str());
                self.words.with(
                    "stage-with-outcome",
                    &[("stage", stage.into()), ("outcome", outcome.into())],
                )
            }
            None => stage,
        }
    }

    /// A case in a public list.
    pub(crate) fn public_line(&self, case: &Case) -> Line {
        Line {
            href: format!("/cases/{}", case.number),
            excerpt: excerpt(&public::description(case)),
            status: self.public_status(case),
            due: None,
            flags: Vec::new(),
            ..self.line(case)
        }
    }

    /// A case in a staff list.
    pub(crate) fn staff_line(&self, case: &Case) -> Line {
        Line {
            href: format!("/staff/cases/{}", case.number),
            excerpt: excerpt(&case.description),
            status: self.staff_status(case),
            due: case.clocks.next_due().map(|clock| self.due(clock)),
            flags: self.flags(case),
            ..self.line(case)
        }
    }

    fn line(&self, case: &Case) -> Line {
        Line {
            number: case.number.to_string(),
            version: case.version,
            href: String::new(),
            service: self.service_name(case.service.as_str()),
            area: self.path_name(&case.location.areas),
            excerpt: String::new(),
            status: String::new(),
            open: case.state.is_open(),
            reported: self.moment(case.times.reported_at),
            due: None,
            lead: self.lead(case),
            flags: Vec::new(),
        }
    }

    /// The name of the unit that leads; empty when none does.
    pub(crate) fn lead(&self, case: &Case) -> String {
        case.lead
            .as_ref()
            .map(|u| self.unit_name(u.as_str()))
            .unwrap_or_default()
    }

    /// The flags of a case in words.
    pub(crate) fn flags(&self, case: &Case) -> Vec<String> {
        let flags = &case.flags;
        let counted = |key: &str, n: u8| (n > 0).then(|| self.words.n(key, i64::from(n)));
        let set = |key: &str, on: bool| on.then(|| self.words.t(key));
        let parked = flags
            .parked_until
            .map(|date| self.words.x("flag-parked", &self.words.date(date)));
        [
            parked,
            case.supervision.as_ref().map(|supervision| {
                let kind = self.words.of("supervision", supervision.kind.as_str());
                self.words.x("flag-supervised", &kind)
            }),
            case.request.as_ref().map(|request| match request.wish {
                Wish::Park { until } => self.words.x("flag-asks-to-park", &self.words.date(until)),
                Wish::Extend => self.words.t("flag-asks-to-extend"),
            }),
            set("flag-asked", case.question.is_some()),
            set("flag-joint", case.has_open_part()),
            flags.escalated.map(|tier| {
                self.words
                    .x("flag-escalated", &self.words.of("tier", tier.as_str()))
            }),
            set("flag-on-the-spot", flags.on_the_spot),
            set("flag-recheck", flags.recheck),
            match &case.access {
                Some(class) => Some(self.words.x("flag-access", class.as_str())),
                None => set("flag-hidden", !case.public),
            },
            counted("flag-returned", flags.returned),
            counted("flag-reworked", flags.reworked),
            counted("flag-reopened", flags.reopened),
            counted("flag-extended", flags.extended),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// When a clock is due.
    pub(crate) fn due(&self, clock: &Clock) -> Due {
        Due {
            what: self.words.of("clock", clock.kind.as_str()),
            left: self.words.until(clock.due_at, self.now),
            at: self.moment(clock.due_at),
            overdue: clock.is_overdue(self.now),
        }
    }

    /// The bar of steps.
    pub(crate) fn steps(&self, case: &Case) -> Vec<StepView> {
        let now = Step::of(case.state);
        let here = Step::ALL.iter().position(|s| *s == now).unwrap_or(0);
        let view = |(i, step): (usize, &Step)| StepView {
            name: self.words.of("step", step.as_str()),
            state: match i.cmp(&here) {
                std::cmp::Ordering::Less => "past",
                std::cmp::Ordering::Equal => "now",
                std::cmp::Ordering::Greater => "next",
            },
        };
        Step::ALL.iter().enumerate().map(view).collect()
    }

    /// The timeline for the public, newest first.
    pub(crate) fn public_timeline(&self, log: &[Event]) -> Vec<Entry> {
        let entry = |entry: public::Entry| Entry {
            version: entry.version,
            at: self.moment(entry.at),
            what: self.words.of("event", entry.event),
            who: entry
                .unit
                .as_ref()
                .map(|u| self.unit_name(u.as_str()))
                .unwrap_or_default(),
            detail: entry
                .outcome
                .map(|o| self.words.of("outcome", o.as_str()))
                .unwrap_or_default(),
            text: entry.text,
        };
        public::timeline(log).into_iter().rev().map(entry).collect()
    }

    /// The timeline for staff with the looks at contact data, newest first.
    pub(crate) fn history(&self, log: &[Event], views: &[OwnView]) -> Vec<Entry> {
        let view = |view: &OwnView| Entry {
            version: 0,
            at: self.moment(view.at),
            what: self.t("contact-viewed"),
            who: self.post_name(&view.post),
            detail: String::new(),
            text: String::new(),
        };
        let times = log.iter().rev().map(|event| event.at);
        let mut all: Vec<(Timestamp, Entry)> = times.zip(self.staff_timeline(log)).collect();
        all.extend(views.iter().map(|one| (one.at, view(one))));
        // Stable: what happened in one moment stays in the order of the log.
        all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        all.into_iter().map(|(_, entry)| entry).collect()
    }

    /// The whole timeline for staff, newest first.
    pub(crate) fn staff_timeline(&self, log: &[Event]) -> Vec<Entry> {
        let entry = |(event, version): (&Event, u32)| Entry {
            version,
            at: self.moment(event.at),
            what: self.words.of("event", event.body.as_str()),
            who: self.actor(&event.by),
            detail: self.detail_and_made(event),
            text: event.text.clone(),
        };
        let mut all: Vec<Entry> = log.iter().zip(1..).map(entry).collect();
        all.reverse();
        all
    }

    /// What belongs to an event, and when it was made where that was before it was received.
    fn detail_and_made(&self, event: &Event) -> String {
        let made = event.made_at;
        let made = made.map(|at| self.words.x("made-at", &self.moment(at).text));
        let parts = [Some(self.detail(&event.body)), made];
        let parts = parts.into_iter().flatten().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(" · ")
    }

    /// Who did something, by post, never by name.
    pub(crate) fn actor(&self, actor: &Actor) -> String {
        match actor {
            Actor::Reporter { report } => self.words.n("actor-reporter", i64::from(*report)),
            Actor::Post { post, .. } => self.post_name(post.as_str()),
            Actor::Client { key } => self.words.n("actor-client", *key),
            Actor::Public => self.t("actor-public"),
            Actor::Asked { .. } => self.t("actor-asked"),
            Actor::System => self.t("actor-system"),
        }
    }

    /// What a notice says, by its word.
    pub(crate) fn notice_name(&self, word: &str) -> String {
        match word.strip_prefix("sms ") {
            Some(word) => self.words.x("told-sms", &self.words.of("notice", word)),
            None => self.words.of("notice", word),
        }
    }

    /// Why a notice did not arrive, by its word, and what the other side said of that.
    pub(crate) fn undelivered<'e>(&self, kept: &'e str) -> (String, &'e str) {
        let (why, said) = whistle_service::notices::Why::read(kept);
        let why = why.map(|why| self.words.of("undelivered", why.as_str()));
        (why.unwrap_or_default(), said)
    }

    /// Who is asked a question.
    pub(crate) fn respondent(&self, respondent: Respondent) -> String {
        match respondent {
            Respondent::Reporter { report } => self.words.n("actor-reporter", i64::from(report)),
            Respondent::Outside => self.t("actor-asked"),
        }
    }

    /// What an event says besides its text.
    fn detail(&self, body: &Body) -> String {
        match body {
            Body::Reported { channel, .. } | Body::Joined { channel, .. } => {
                self.words.of("channel", channel.as_str())
            }
            Body::Accepted { standard, .. } => self.standard_name(standard.as_str()),
            Body::Merged { into: number }
            | Body::Split { into: number }
            | Body::Absorbed { from: number, .. } => self.words.x("case-number", &number.to_string()),
            Body::Assigned { unit }
            | Body::Returned { right_unit: unit }
            | Body::JointAssigned { unit, .. }
            | Body::JointHandled { unit }
            | Body::JointReleased { unit } => self.unit_name(unit.as_str()),
            Body::Asked { of, until, .. } => {
                let until = self.moment(*until).text;
                self.words
                    .aside(&self.respondent(*of), &self.words.x("until-date", &until))
            }
            Body::Answered { choice } => choice.clone().unwrap_or_default(),
            Body::Handled { outcome, .. } | Body::Verified { outcome } | Body::Settled { outcome } => {
                self.words.of("outcome", outcome.as_str())
            }
            Body::Parked { until } | Body::ParkAsked { until } => {
                self.words.x("until-date", &self.words.date(*until))
            }
            Body::Reclassified { service, .. } => self.service_name(service.as_str()),
            Body::Relocated { location } => self.whereabouts(location),
            Body::Commented { public } => self.t(if *public { "said-public" } else { "said-inside" }),
            Body::Rated { rating } => self.words.of("rating", rating.as_str()),
            Body::Supervised { on: false, .. } => self.t("supervised-off"),
            Body::Supervised { kind, .. } => {
                let kind = self.words.of("supervision", kind.unwrap_or_default().as_str());
                self.words.x("supervised-on", &kind)
            }
            Body::Escalated {
                clock,
                part,
                level,
                unit,
                post,
                ..
            } => {
                let told = match (post, unit) {
                    (Some(post), _) => self.post_name(post.as_str()),
                    (None, Some(unit)) => self.unit_name(unit.as_str()),
                    (None, None) => self.t("step-nobody"),
                };
                let parts = [
                    (
                        "clock",
                        match part {
                            Some(part) => self.words.aside(
                                &self.words.of("clock", clock.as_str()),
                                &self.unit_name(part.as_str()),
                            ),
                            None => self.words.of("clock", clock.as_str()),
                        },
                    ),
                    ("level", self.words.of("tier", level.as_str())),
                    ("who", told),
                ];
                let parts = parts.map(|(key, text)| (key, text.into()));
                self.words.with("escalated-to", &parts)
            }
            Body::Whistled { whistle, stage } => self.words.aside(
                &self.words.x("whistle-number", &whistle.to_string()),
                &self.words.of("whistle-stage", stage.as_str()),
            ),
            Body::Shown { public } => self.t(if *public { "shown-public" } else { "shown-hidden" }),
            Body::Erased {
                contact,
                texts,
                photos,
            } => {
                let counted = |key: &str, n: usize| (n > 0).then(|| self.words.n(key, n as i64));
                let parts = [
                    contact.then(|| self.t("erased-contact")),
                    counted("erased-texts", *texts as usize),
                    counted("erased-photos", photos.len()),
                ];
                let parts: Vec<String> = parts.into_iter().flatten().collect();
                parts.join(&self.t("list-comma"))
            }
            _ => String::new(),
        }
    }

    /// A standard's condition; its code when it has none.
    pub(crate) fn standard_name(&self, code: &str) -> String {
        match self
            .here
            .place
            .standard(code)
            .map(|s| s.condition.get(self.lang()))
        {
            Some(condition) if !condition.is_empty() => self.words.aside(condition, code),
            _ => code.to_owned(),
        }
    }

    /// A location in words.
    pub(crate) fn whereabouts(&self, location: &Location) -> String {
        let areas = self.path_name(&location.areas);
        if location.address.is_empty() {
            areas
        } else {
            self.words.aside(&location.address, &areas)
        }
    }

    /// Photos of a case.
    pub(crate) fn pictures<'a>(&self, case: &Case, photos: impl Iterator<Item = &'a Photo>) -> Vec<Picture> {
        let picture = |photo: &Photo| {
            let full = format!("/cases/{}/photos/{}", case.number, photo.id);
            Picture {
                thumbnail: format!("{full}/thumbnail"),
                full,
                label: self.t(match photo.kind {
                    PhotoKind::Before => "photo-before",
                    PhotoKind::After => "photo-after",
                }),
            }
        };
        photos.map(picture).collect()
    }

    /// The answers to the service's questions.
    pub(crate) fn answers(&self, case: &Case) -> Vec<Answered> {
        let service = self.here.place.service(case.service.as_str());
        let answered = |answer: &whistle_domain::case::Answer| {
            let question = service.and_then(|s| s.questions.iter().find(|q| q.code == answer.question));
            let name = |value: &String| {
                let known = question.and_then(|q| q.values.iter().find(|(key, _)| key == value));
                known.map_or_else(|| value.clone(), |(_, name)| name.get(self.lang()).to_owned())
            };
            Answered {
                label: question.map_or_else(
                    || answer.question.clone(),
                    |q| q.label.get(self.lang()).to_owned(),
                ),
                value: answer
                    .values
                    .iter()
                    .map(name)
                    .collect::<Vec<_>>()
                    .join(&self.t("list-comma")),
            }
        };
        case.answers.iter().map(answered).collect()
    }

    /// The services by group, for a select.
    pub(crate) fn service_groups(&self, chosen: &str, public_only: bool) -> Vec<Group> {
        self.services_by_group(chosen, public_only, false)
    }

    /// The public services by group, each group's own entry first, for a select of what to look at.
    pub(crate) fn services_and_groups(&self, chosen: &str) -> Vec<Group> {
        self.services_by_group(chosen, true, true)
    }

    fn services_by_group(&self, chosen: &str, public_only: bool, with_whole: bool) -> Vec<Group> {
        let services = self.here.place.services();
        let choice = |service: &Service| Choice {
            value: service.code.to_string(),
            label: service.name.get(self.lang()).to_owned(),
            chosen: service.code.as_str() == chosen,
        };
        let group = |group: &Service| {
            let label = group.name.get(self.lang()).to_owned();
            let members = services.iter().filter(|s| s.group.as_ref() == Some(&group.code));
            let mut choices: Vec<Choice> = members.filter(|s| s.public || !public_only).map(choice).collect();
            if with_whole && !choices.is_empty() {
                let whole = Choice {
                    label: self.words.x("map-whole-group", &label),
                    ..choice(group)
                };
                choices.insert(0, whole);
            }
            Group { label, choices }
        };
        let mut groups: Vec<Group> = services.iter().filter(|s| s.is_group()).map(group).collect();
        groups.retain(|group| !group.choices.is_empty());
        groups
    }

    /// Towns with their communities, for a select. A place whose communities are too many offers its towns only.
    pub(crate) fn area_groups(&self, chosen: &str) -> Vec<Group> {
        /// A list longer than this is no help to anybody.
        const MOST: usize = 1_000;
        let areas = &self.here.place.areas;
        let communities = areas.all().iter().filter(|a| a.level == Level::Community).count();
        let choice = |index: u32, whole: bool| {
            let area = areas.get(index);
            let name = area.name.get(self.lang());
            Choice {
                value: area.code.to_string(),
                label: if whole {
                    self.words.x("whole-of", name)
                } else {
                    name.to_owned()
                },
                chosen: area.code.as_str() == chosen,
            }
        };
        let towns = (0..areas.all().len() as u32).filter(|i| areas.get(*i).level == Level::Town);
        let group = |town: u32| {
            let mut choices = vec![choice(town, true)];
            if communities <= MOST {
                let inner = areas
                    .children(town)
                    .filter(|i| areas.get(*i).level == Level::Community);
                choices.extend(inner.map(|i| choice(i, false)));
            }
            Group {
                label: areas.get(town).name.get(self.lang()).to_owned(),
                choices,
            }
        };
        let groups: Vec<Group> = towns.map(group).collect();
        if !groups.is_empty() {
            return groups;
        }
        // A place without towns: its communities under the city.
        let inner = (0..areas.all().len() as u32).filter(|i| areas.get(*i).level == Level::Community);
        let choices: Vec<Choice> = inner.take(MOST).map(|i| choice(i, false)).collect();
        vec![Group {
            label: self.place_name().to_owned(),
            choices,
        }]
    }

    /// All units, the wanted one first.
    pub(crate) fn units(
        &self,
        first: Option<&UnitCode>,
        but: Option<&UnitCode>,
        chosen: &str,
    ) -> Vec<Choice> {
        let mut units: Vec<_> = self
            .here
            .place
            .units()
            .iter()
            .filter(|u| Some(&u.code) != but)
            .collect();
        units.sort_by_key(|u| Some(&u.code) != first);
        let preset = if chosen.is_empty() {
            first.map_or("", UnitCode::as_str)
        } else {
            chosen
        };
        let choice = |unit: &whistle_domain::place::Unit| {
            let name = unit.name.get(self.lang());
            Choice {
                value: unit.code.to_string(),
                label: if Some(&unit.code) == first {
                    self.words.x("unit-suggested", name)
                } else {
                    name.to_owned()
                },
                chosen: unit.code.as_str() == preset,
            }
        };
        units.into_iter().map(choice).collect()
    }

    /// Limits for the part of a unit, with the chosen one where that is another.
    pub(crate) fn limits(&self, chosen: &str) -> Vec<Choice> {
        let chosen = chosen.parse::<Limit>().ok();
        let mut limits: Vec<Limit> = LIMITS.iter().filter_map(|text| text.parse().ok()).collect();
        limits.extend(chosen.filter(|limit| !limits.contains(limit)));
        let choice = |limit: Limit| Choice {
            value: limit.to_string(),
            label: limit.describe(self.lang()),
            chosen: Some(limit) == chosen,
        };
        limits.into_iter().map(choice).collect()
    }

    /// The beginning of a text, for a list.
    #[expect(clippy::unused_self, reason = "one of the page's ways to show things")]
    pub(crate) fn excerpt(&self, text: &str) -> String {
        excerpt(text)
    }

    /// What an actor is offered, as a list.
    pub(crate) fn offered(&self, case: &Case, actor: &Actor) -> Vec<&'static Transition> {
        whistle_domain::transition::offered(case, actor, &self.here.place, self.now).collect()
    }
}

/// The beginning of a text.
fn excerpt(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &flat[..end]),
        None => flat,
    }
}
