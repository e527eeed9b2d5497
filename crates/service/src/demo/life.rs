//! One case of the demo from its report on, as people would have it: each deed by a post that may do it, at a time that
//! fits its clock, through the domain's rules. What the rules refuse is counted; nothing is pushed past them.

mod whistle;

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use whistle_domain::{
    case::{Actor, Case, Channel, Event, Outcome, Rating, Respondent, Stage, SupervisionKind},
    clock::ClockKind,
    command::{self, Act, Context, NewReport, Whereabouts},
    geometry::Point,
    limit::{Limit, LimitUnit},
    place::{AreaIndex, Level, Verification},
    rights::Role,
    round::Finding,
    transition::{Transition, Verb},
    words::{CaseNumber, Lang},
};

use super::{
    model,
    rounds::{Seen, Walked},
    words::{self, Say, Theme},
    world::{Coming, Ware, World, answers, log_normal, nearby},
};

pub(super) use self::whistle::{Blown, Whistles};

/// More deeds than any case needs; a story that has not ended by then is left as it is.
const MOST_DEEDS: usize = 60;

/// No work takes longer in the demo: two years.
const MOST_HOURS: f64 = 24.0 * 730.0;

/// The time of the work is reckoned from the report, but from no longer before its dispatch than this: what lay about at the desk
/// is not the unit's.
const LONG_BEFORE: SignedDuration = SignedDuration::from_hours(12);

/// The share of deeds that somebody forgets for weeks.
const FORGOTTEN: f64 = 0.006;

/// What the rules refused; empty, if the demo is as it should be.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    pub count: u64,
    /// The first few.
    pub first: Vec<String>,
}

impl Refusals {
    fn note(&mut self, what: &str, refusal: &dyn std::error::Error) {
        self.count += 1;
        if self.first.len() < 20 {
            self.first.push(format!("{what}: {refusal}"));
        }
    }
}

/// A case of late that another report may turn out to be about.
#[derive(Debug, Clone)]
pub(super) struct Recent {
    pub number: CaseNumber,
    pub new: NewReport,
    pub area: AreaIndex,
    pub point: Option<Point>,
    pub theme: Theme,
    pub closed_at: Option<Timestamp>,
}

pub(super) struct Life<'a, 'p> {
    world: &'a World<'p>,
    rng: &'a mut ChaCha8Rng,
    refusals: &'a mut Refusals,
    whistles: &'a mut Whistles,
    /// The whistle that was blown on it.
    blown: Option<Blown>,
    case: Case,
    events: Vec<Event>,
    theme: Theme,
    /// When the last deed was.
    at: Timestamp,
    /// The end of the demo's time: what would come after it has not happened yet.
    end: Timestamp,
    /// The case that this one is a duplicate of.
    twin: Option<CaseNumber>,
    /// When the unit that has it will be done, once that is known.
    done_at: Option<Timestamp>,
    /// Whether it was done in the rush at the end of a quarter.
    rushed: bool,
    reclassified: bool,
    rated: bool,
}

/// What came of it.
pub(super) struct Lived {
    pub case: Case,
    pub events: Vec<Event>,
    pub blown: Option<Blown>,
    /// The look that found it.
    pub seen: Option<Seen>,
    pub recent: Recent,
}

/// A whole case. None when the rules refuse the report, or nobody is there to take it.
#[expect(clippy::too_many_arguments, reason = "private, called once")]
pub(super) fn live(
    world: &World<'_>,
    rng: &mut ChaCha8Rng,
    refusals: &mut Refusals,
    whistles: &mut Whistles,
    number: CaseNumber,
    coming: Coming,
    end: Timestamp,
    twin: Option<&Recent>,
) -> Option<Lived> {
    let at = coming.at;
    let (told, walked) = if let Some(twin) = twin {
        (again(rng, world, twin), None)
    } else {
        let service = world.ware_of(coming).service;
        let at_a_stop = coming.by_patrol && rng.random_bool(model::AT_A_STOP);
        let walked = at_a_stop.then(|| world.stop_of(rng, service)).flatten();
        (report(rng, world, coming, walked), walked)
    };
    let (new, by, area, point, theme) = told;
    let finding = if new.fixed.is_some() {
        Finding::Fixed
    } else {
        Finding::Reported
    };
    let seen = walked.map(|walked| {
        walked.seen(
            world.place.calendar.zone().to_datetime(at).date(),
            finding,
            Some(number),
        )
    });
    let context = Context {
        place: world.place,
        now: at,
        by: &by,
        chance: rng.random(),
    };
    let events = match command::report(&new, number, context) {
        Ok(events) => events,
        Err(refusal) => {
            refusals.note("report", &refusal);
            return None;
        }
    };
    let case = Case::fold(number, &events).ok()?;
    let mut life = Life {
        world,
        rng,
        refusals,
        whistles,
        blown: None,
        case,
        events,
        theme,
        at,
        end,
        twin: twin.map(|t| t.number),
        done_at: None,
        rushed: false,
        reclassified: false,
        rated: false,
    };
    life.go_on();
    life.climb(end);
    let recent = Recent {
        number,
        new,
        area,
        point,
        theme,
        closed_at: life.case.times.closed_at,
    };
    Some(Lived {
        case: life.case,
        events: life.events,
        blown: life.blown,
        seen,
        recent,
    })
}

type Told = (NewReport, Actor, AreaIndex, Option<Point>, Theme);

/// A new matter.
fn report(rng: &mut ChaCha8Rng, world: &World<'_>, coming: Coming, at: Option<&Walked<'_>>) -> Told {
    let Ware { service, theme, .. } = world.ware_of(coming);
    let (area, point) = at.map_or_else(|| world.spot(rng), |at| (at.area, at.stop.point));
    let wanted = if coming.by_patrol {
        (Channel::Patrol, Some(Role::Patrol))
    } else {
        resident(rng)
    };
    // What residents cannot choose comes from the staff; where nobody holds the post, residents report themselves.
    let wanted = match wanted {
        (_, None) if !service.public => (Channel::Patrol, Some(Role::Patrol)),
        wanted => wanted,
    };
    let post = match at {
        Some(at) => Some(at.by.clone()),
        None => wanted.1.and_then(|role| world.at(rng, area, role)).cloned(),
    };
    let (channel, by) = match post {
        Some(post) => (wanted.0, post),
        None if wanted.1.is_some() && !service.public => (Channel::Import, Actor::System),
        None if wanted.1.is_some() => (Channel::Web, Actor::Public),
        None => (wanted.0, Actor::Public),
    };
    let staff = matches!(by, Actor::Post { .. });
    let may_name_standard = Transition::of(Verb::Accept).permits_somewhere(&by, world.place);
    let standard = (staff && rng.random_bool(0.8)).then(|| {
        let all: Vec<_> = world.place.standards_of(&service.code).collect();
        let default = all.iter().position(|s| s.default).unwrap_or_default();
        let i = if rng.random_bool(0.65) {
            default
        } else {
            rng.random_range(0..all.len())
        };
        all[i].code.clone()
    });
    let standard = standard.filter(|_| may_name_standard);
    let fixed = (channel == Channel::Patrol && theme.is_small() && rng.random_bool(model::ON_THE_SPOT))
        .then(|| words::say(rng, world.lang, Say::Spot).to_owned());
    let by_voice = matches!(channel, Channel::Phone | Channel::Counter);
    let without_point = by_voice && rng.random_bool(0.5);
    let address = if without_point || rng.random_bool(0.5) {
        world.address(rng, area)
    } else {
        String::new()
    };
    let community = world
        .place
        .areas
        .upward(area)
        .find(|i| world.place.areas.get(*i).level <= Level::Community)
        .unwrap_or(area);
    let whereabouts = Whereabouts {
        point: (!without_point).then_some(point),
        address,
        area: without_point.then(|| world.place.areas.get(community).code.clone()),
    };
    let lang = language(rng, world.lang);
    let new = NewReport {
        service: service.code.clone(),
        standard,
        whereabouts,
        description: words::description(rng, lang, *theme, service),
        answers: answers(rng, service),
        channel,
        photos: Vec::new(),
        fixed,
    };
    let point = new.whereabouts.point;
    (new, by, area, point, *theme)
}

/// How a resident reports, and who of the staff takes it down.
fn resident(rng: &mut ChaCha8Rng) -> (Channel, Option<Role>) {
    let mut drawn = rng.random::<f64>();
    let ways = [
        (model::PHONE, (Channel::Phone, Some(Role::CallTaker))),
        (model::ONLINE, (Channel::Web, None)),
        (model::OPEN311, (Channel::Open311, None)),
        (model::API, (Channel::Api, None)),
    ];
    for (share, way) in ways {
        if drawn < share {
            return way;
        }
        drawn -= share;
    }
    (Channel::Counter, Some(Role::CallTaker))
}

/// The same matter once more, by somebody who did not see that it was reported.
fn again(rng: &mut ChaCha8Rng, world: &World<'_>, twin: &Recent) -> Told {
    let mut new = twin.new.clone();
    new.channel = Channel::Web;
    new.standard = None;
    new.fixed = None;
    if let Some(point) = twin.point {
        let beside = nearby(rng, point, 30.0);
        let inside = world.place.areas.locate(beside).is_some();
        new.whereabouts.point = Some(if inside { beside } else { point });
    }
    if let Some(service) = world.place.service(new.service.as_str()) {
        let lang = language(rng, world.lang);
        new.description = words::description(rng, lang, twin.theme, service);
    }
    let point = new.whereabouts.point;
    (new, Actor::Public, twin.area, point, twin.theme)
}

/// A time of whole seconds: what is finer than a microsecond is not kept, and the log would fold to something else.
fn whole_seconds(seconds: f64) -> SignedDuration {
    SignedDuration::from_secs(seconds as i64)
}

/// Most write the place's first language.
fn language(rng: &mut ChaCha8Rng, first: Lang) -> Lang {
    match (first, rng.random_bool(0.08)) {
        (Lang::Zh, true) => Lang::En,
        (Lang::En, true) => Lang::Zh,
        (lang, false) => lang,
    }
}

impl<'a> Life<'a, '_> {
    fn go_on(&mut self) {
        for _ in 0..MOST_DEEDS {
            let went_on = match self.case.state.stage() {
                _ if self.case.flags.parked_until.is_some() => self.wake(),
                Stage::Reported => self.triage(),
                Stage::Accepted => self.assign(),
                Stage::Assigned => self.come(),
                Stage::InProgress => self.work(),
                Stage::Handled => self.check(),
                Stage::Closed => self.look_back(),
                Stage::ReopenRequested => self.answer_request(),
            };
            if !went_on {
                return;
            }
        }
    }

    /// Does something, if its time has come. False ends the story.
    fn act(&mut self, at: Timestamp, by: &Actor, act: &Act, text: &str) -> bool {
        let at = at.max(self.at);
        if at >= self.end {
            return false;
        }
        self.climb(at);
        let context = Context {
            place: self.world.place,
            now: at,
            by,
            chance: self.rng.random(),
        };
        match command::decide(&self.case, act, text, context) {
            Ok(events) => {
                for event in events {
                    if self.case.apply(&event).is_err() {
                        return false;
                    }
                    self.events.push(event);
                }
                self.at = at;
                true
            }
            Err(refusal) => {
                self.refusals.note(act.verb().as_str(), &refusal);
                false
            }
        }
    }

    /// Takes the steps of its clocks that are due before a time, each at its own, as the scheduler would have.
    fn climb(&mut self, until: Timestamp) {
        while let Some(step_at) = self.case.next_step_at()
            && step_at < until
        {
            let context = Context {
                place: self.world.place,
                now: step_at.max(self.at),
                by: &Actor::System,
                chance: 1.0,
            };
            let events = command::decide(&self.case, &Act::Escalate, "", context).unwrap_or_default();
            if events.is_empty() {
                return;
            }
            for event in events {
                if self.case.apply(&event).is_err() {
                    return;
                }
                self.at = event.at;
                self.events.push(event);
            }
        }
    }

    fn chance(&mut self, p: f64) -> bool {
        self.rng.random_bool(p)
    }

    fn say(&mut self, what: Say) -> &'static str {
        words::say(self.rng, self.world.lang, what)
    }

    fn who(&mut self, role: Role) -> Option<&'a Actor> {
        let world = self.world;
        world.in_area(self.rng, &self.case, role)
    }

    fn desk(&mut self) -> Option<&'a Actor> {
        self.who(Role::Dispatcher).or_else(|| self.who(Role::Lead))
    }

    fn minutes(&mut self, from: i64, to: i64) -> SignedDuration {
        SignedDuration::from_secs(self.rng.random_range(from * 60..=to * 60))
    }

    /// A time for the next deed by a clock: from some share of its limit to another; in working time, where the limit
    /// only counts that. Without such a clock, within some hours.
    fn by_clock(&mut self, kind: ClockKind, from: f64, to: f64) -> Timestamp {
        let share = self.rng.random_range(from..to);
        let (at, around_the_clock) = match self.case.clocks.get(kind).filter(|c| c.stopped_at.is_none()) {
            Some(clock) => {
                let whole = clock.due_at.duration_since(clock.started_at).as_secs() as f64;
                let away = SignedDuration::from_secs((whole * share) as i64);
                (
                    clock.started_at + away,
                    clock.limit.unit() == LimitUnit::RunningHours,
                )
            }
            None => (
                self.at + SignedDuration::from_secs((6.0 * 3600.0 * share) as i64),
                false,
            ),
        };
        let soonest = self.at + self.minutes(2, 40);
        let mut at = at.max(soonest);
        if self.chance(FORGOTTEN) {
            at += SignedDuration::from_hours(self.rng.random_range(150..1400));
        }
        if around_the_clock {
            at
        } else {
            self.in_working_time(at)
        }
    }

    fn in_working_time(&mut self, at: Timestamp) -> Timestamp {
        let calendar = &self.world.place.calendar;
        if calendar.is_working(at) {
            return at;
        }
        let into = self.rng.random_range(3..90);
        Limit::new(into, LimitUnit::WorkingHours).map_or(at, |limit| calendar.due(at, limit))
    }

    fn outsider(&self) -> bool {
        !matches!(self.case.channel, Channel::Patrol | Channel::Import)
    }

    /// Small things that happen beside the main thread, before its next deed.
    fn meanwhile(&mut self, next: Timestamp) {
        let next = next.min(self.end);
        let room = next.duration_since(self.at).as_secs();
        if room < 600 {
            return;
        }
        let between = self.at + SignedDuration::from_secs(self.rng.random_range(60..room));
        let drawn: f64 = self.rng.random();
        if drawn < 0.02 && self.case.public {
            let service = self.world.place.service(self.case.service.as_str());
            let lang = language(self.rng, self.world.lang);
            let text = service.map_or_else(String::new, |service| {
                words::description(self.rng, lang, self.theme, service)
            });
            let act = Act::Join {
                channel: Channel::Web,
            };
            self.act(between, &Actor::Public, &act, &text);
        } else if drawn < 0.05 {
            let world = self.world;
            if let Some(by) = world.in_lead(self.rng, &self.case) {
                let public = self.chance(0.5);
                let text = self.say(Say::Progress);
                self.act(between, by, &Act::Comment { public }, text);
            }
        } else if drawn < 0.07 {
            if let Some(by) = self.desk() {
                let text = self.say(Say::Note);
                self.act(between, by, &Act::Comment { public: false }, text);
            }
        } else if (0.078..0.09).contains(&drawn) && self.outsider() {
            self.ask(between, next);
        } else if drawn < 0.078
            && !self.case.flags.supervised
            && let Some(by) = self.who(Role::Lead)
            && Transition::of(Verb::Supervise).permits(by, &self.case, self.world.place)
        {
            let text = self.say(Say::Watched);
            let kind = match self.case.clocks.next_due() {
                Some(clock) if clock.is_overdue(between) => SupervisionKind::Overdue,
                _ if self.case.number.0 % 2 == 0 => SupervisionKind::Ordered,
                _ => SupervisionKind::Important,
            };
            self.act(between, by, &Act::Supervise { on: true, kind }, text);
        }
    }

    /// Asks the reporter something; most answer within a day.
    fn ask(&mut self, at: Timestamp, next: Timestamp) {
        let may_be_asked = Transition::of(Verb::Ask).from.contains(&self.case.state.stage());
        if !may_be_asked || self.case.question.is_some() {
            return;
        }
        // The unit that has the case must not let its own limit stand for as long.
        let Some(by) = self.desk().filter(|by| by.unit() != self.case.lead.as_ref()) else {
            return;
        };
        let text = self.say(Say::Asked);
        let act = Act::Ask {
            of: Respondent::Reporter { report: 1 },
            choices: Vec::new(),
            until: self.day_after(at, 3),
            // Most of them left word.
            reachable: true,
        };
        let is_asked = self.act(at, by, &act, text);
        let soon = self.at + self.minutes(20, 1200);
        if is_asked && soon < next && self.chance(0.8) {
            let text = self.say(Say::Answered);
            let reporter = Actor::Reporter { report: 1 };
            self.act(soon, &reporter, &Act::Answer { choice: None }, text);
        }
    }

    /// The day so many days after a time, in the place's own time zone.
    fn day_after(&self, at: Timestamp, days: i64) -> jiff::civil::Date {
        let zone = self.world.place.calendar.zone();
        let today = zone.to_datetime(at.max(self.at)).date();
        today.saturating_add(jiff::Span::new().days(days))
    }

    /// What a unit asks for, its station mostly grants soon after. Answers whether it was asked for at all.
    fn request(&mut self, at: Timestamp, act: &Act, why: &str) -> bool {
        let (world, desk) = (self.world, self.desk());
        let (Some(by), Some(desk)) = (world.in_lead(self.rng, &self.case), desk) else {
            return false;
        };
        if !self.act(at, by, act, why) {
            return false;
        }
        let soon = self.at + self.minutes(2, 40);
        if self.chance(0.8) {
            return self.act(soon, desk, &Act::GrantRequest, "");
        }
        let text = self.say(Say::Denied);
        self.act(soon, desk, &Act::RefuseRequest, text)
    }

    /// Calls another unit in, which does its part before a time, or is let off.
    fn call_in(&mut self, before: Timestamp) {
        let world = self.world;
        let room = before.duration_since(self.at).as_secs();
        let (Some(desk), Some(unit)) = (self.desk(), world.other_unit(self.rng, &self.case)) else {
            return;
        };
        if room < 7200 || before >= self.end {
            return;
        }
        let text = self.say(Say::CalledIn);
        // Some desks say by when.
        let limit = self
            .chance(0.5)
            .then(|| "1d working".parse().expect("a constant"));
        let act = Act::AssignJoint {
            unit: unit.clone(),
            limit,
        };
        let soon = self.at + self.minutes(5, 30);
        if !self.act(soon, desk, &act, text) {
            return;
        }
        let done = self.at + SignedDuration::from_secs(self.rng.random_range(600..room / 2));
        match world.for_case(self.rng, unit, &self.case) {
            Some(by) if self.chance(0.9) => {
                let text = self.say(Say::DidItsPart);
                self.act(done, by, &Act::HandleJoint, text);
            }
            _ => {
                let text = self.say(Say::Spared);
                self.act(done, desk, &Act::ReleaseJoint { unit: unit.clone() }, text);
            }
        }
    }

    fn triage(&mut self) -> bool {
        let at = self.by_clock(ClockKind::Triage, 0.05, 1.1);
        let by = if self.chance(0.4) {
            self.who(Role::CallTaker)
        } else {
            self.desk()
        };
        let Some(by) = by.or_else(|| self.desk()) else {
            return false;
        };
        if let Some(into) = self.twin.take() {
            return self.act(at, by, &Act::Merge { into }, "");
        }
        let drawn: f64 = self.rng.random();
        if drawn < 0.015 && self.outsider() && self.case.reports == 1 {
            return self.act(at, &Actor::Reporter { report: 1 }, &Act::Withdraw, "");
        }
        if drawn < 0.06 {
            let text = self.say(Say::Declined);
            return self.act(at, by, &Act::Decline, text);
        }
        if drawn < 0.085 {
            let text = self.say(Say::Referred);
            return self.act(at, by, &Act::Refer, text);
        }
        if drawn < 0.11 && !self.reclassified {
            self.reclassified = true;
            let world = self.world;
            let service = world.ware(self.rng).service;
            let act = Act::Reclassify {
                service: service.code.clone(),
            };
            return self.act(at, by, &act, "");
        }
        if drawn < 0.125
            && !self.reclassified
            && let Some(point) = self.case.location.point
        {
            self.reclassified = true;
            let point = nearby(self.rng, point, 120.0);
            if self.world.place.areas.locate(point).is_some() {
                let act = Act::Relocate {
                    whereabouts: Whereabouts {
                        point: Some(point),
                        address: self.case.location.address.clone(),
                        area: None,
                    },
                };
                return self.act(at, by, &act, "");
            }
        }
        let all: Vec<_> = self.world.place.standards_of(&self.case.service).collect();
        let standard = (all.len() > 1 && self.chance(0.3))
            .then(|| all[self.rng.random_range(0..all.len())].code.clone());
        self.act(at, by, &Act::Accept { standard }, "")
    }

    fn assign(&mut self) -> bool {
        let returned = self.case.flags.returned;
        let must_lead = returned >= self.world.place.jurisdiction.settings.max_returns;
        let at = if returned > 0 {
            self.by_clock(ClockKind::Triage, 0.1, 1.2)
        } else if self.chance(0.75) {
            self.at + self.minutes(2, 40)
        } else {
            let at = self.at + self.minutes(60, 1500);
            self.in_working_time(at)
        };
        if !must_lead && self.chance(0.01) && self.park(at) {
            return true;
        }
        let by = if must_lead {
            self.who(Role::Lead)
        } else {
            self.desk()
        };
        let Some(by) = by else { return false };
        let world = self.world;
        let routed = || {
            let code = self.case.standard.as_ref()?;
            let standard = world.place.standard(code.as_str())?;
            world
                .place
                .lead(standard, command::area_of(world.place, &self.case)?)
        };
        let unit = match (&self.case.right_unit, routed()) {
            (Some(right), _) => Some(right.clone()),
            (None, Some(_)) => None,
            (None, None) => match world.other_unit(self.rng, &self.case) {
                Some(unit) => Some(unit.clone()),
                None => return false,
            },
        };
        let text = if must_lead { self.say(Say::Decided) } else { "" };
        self.act(at, by, &Act::Assign { unit }, text)
    }

    /// Parks the case for some days. False when nobody can or it was parked before; the story goes on.
    fn park(&mut self, at: Timestamp) -> bool {
        if self.case.flags.was_parked || self.case.question.is_some() || at >= self.end {
            return false;
        }
        let Some(by) = self.desk() else { return false };
        let settings = &self.world.place.jurisdiction.settings;
        let days = self.thaw(at).unwrap_or_else(|| self.rng.random_range(3..=25));
        let days = days.min(i64::from(settings.max_park_days));
        let until = self.day_after(at, days.max(1));
        let text = self.say(Say::Parked);
        let has_unit = matches!(self.case.state.stage(), Stage::Assigned | Stage::InProgress);
        if has_unit && self.chance(0.6) {
            return self.request(at, &Act::AskToPark { until }, text);
        }
        self.act(at, by, &Act::Park { until }, text)
    }

    /// What is parked is woken by Whistle on its date.
    fn wake(&mut self) -> bool {
        let Some(until) = self.case.flags.parked_until else {
            return false;
        };
        let zone = self.world.place.calendar.zone();
        let Ok(midnight) = zone.to_timestamp(until.at(0, 0, 0, 0)) else {
            return false;
        };
        let at = midnight + SignedDuration::from_secs(self.rng.random_range(1..3));
        self.done_at = None;
        self.act(at, &Actor::System, &Act::Resume, "")
    }

    /// In how many days the frost is over, where works in the ground must wait for that.
    fn thaw(&mut self, at: Timestamp) -> Option<i64> {
        if !matches!(self.theme, Theme::Roads | Theme::Green) {
            return None;
        }
        let date = self.world.place.calendar.zone().to_datetime(at).date();
        let spring = match date.month() {
            11.. => date.year() + 1,
            ..3 => date.year(),
            _ => return None,
        };
        let thaw = jiff::civil::date(spring, 4, 1);
        Some(i64::from((thaw - date).get_days()) + self.rng.random_range(0..25))
    }

    /// When the unit that has the case will be done: as long as such a thing takes, and as the limit presses; then what is late
    /// lies about, or is rushed when the quarter ends.
    fn done_at(&mut self) -> Timestamp {
        if let Some(done_at) = self.done_at {
            return done_at;
        }
        let world = self.world;
        let mut pace = world.pace(&self.case.service);
        let flags = &self.case.flags;
        let again = flags.reworked > 0 || flags.reopened > 0;
        let anew = again || flags.extended > 0 || flags.was_parked;
        let (from, due) = match self.case.clocks.get(ClockKind::Resolve) {
            Some(clock) => (clock.started_at, Some(clock.due_at)),
            None => (self.at, None),
        };
        let from = if anew {
            self.at.max(from)
        } else {
            self.case.times.reported_at.max(from - LONG_BEFORE)
        };
        let left = due
            .map(|due| due.duration_since(from).as_secs_f64() / 3600.0)
            .filter(|hours| *hours > 0.0);
        let pressed = left.map(|hours| hours * (-model::IN_TIME_AT_LEAST * pace.spread).exp());
        let by_limit = left.unwrap_or(24.0) * model::MEDIAN_OF_LIMIT;
        let mut median = pace.median.unwrap_or(by_limit).min(pressed.unwrap_or(f64::MAX));
        if again {
            median *= model::AGAIN;
        }
        if world.is_slow(&self.case) {
            median *= model::SLOW;
            pace.stuck = (pace.stuck * 1.5).min(1.0);
        }
        let hours = log_normal(self.rng, median, pace.spread).min(MOST_HOURS);
        let mut at = from + whole_seconds(hours * 3600.0);
        self.rushed = false;
        if let Some(due) = due.filter(|due| *due < at) {
            if self.chance(pace.stuck) {
                let (median, spread) = model::LIES_ABOUT;
                let hours = log_normal(self.rng, median, spread).min(MOST_HOURS);
                at += whole_seconds(hours * 3600.0);
            }
            let rush = self.rush_after(due.max(self.at));
            if rush < at && self.chance(model::RUSHED) {
                let into = SignedDuration::from_hours(self.rng.random_range(0..24 * model::RUSH_DAYS));
                at = rush + into;
                self.rushed = true;
            }
        }
        self.done_at = Some(at);
        at
    }

    /// When the rush of the quarter begins in which a time lies, or of the next one when it has begun.
    fn rush_after(&self, at: Timestamp) -> Timestamp {
        let zone = self.world.place.calendar.zone();
        let date = zone.to_datetime(at).date();
        let rush_of = |quarters: i16| {
            let month = (i16::from(date.month()) - 1) / 3 * 3 + 3 * quarters;
            let next = jiff::civil::date(date.year() + month / 12, (month % 12) as i8 + 1, 1);
            let begins = next.saturating_sub(jiff::Span::new().days(model::RUSH_DAYS));
            zone.to_timestamp(begins.at(8, 0, 0, 0)).unwrap_or(at)
        };
        [1, 2]
            .map(rush_of)
            .into_iter()
            .find(|rush| *rush > at)
            .unwrap_or(at)
    }

    /// A time for a deed on the way to when the unit will be done: some share of what is left.
    fn on_the_way(&mut self, from: f64, to: f64) -> Timestamp {
        let left = self.done_at().duration_since(self.at).as_secs_f64().max(0.0);
        let soonest = self.at + self.minutes(2, 20);
        let at = self.at + whole_seconds(left * self.rng.random_range(from..to));
        self.where_it_counts(at.max(soonest))
    }

    /// In working time, where the limit of the work only counts that.
    fn where_it_counts(&mut self, at: Timestamp) -> Timestamp {
        let limit = self.case.clocks.get(ClockKind::Resolve).map(|clock| clock.limit);
        let around_the_clock = limit.is_some_and(|limit| limit.unit() == LimitUnit::RunningHours);
        if around_the_clock {
            at
        } else {
            self.in_working_time(at)
        }
    }

    fn give_back(&mut self, at: Timestamp) -> Option<bool> {
        let settings = &self.world.place.jurisdiction.settings;
        if self.case.flags.returned >= settings.max_returns {
            return None;
        }
        let world = self.world;
        let by = world.in_lead(self.rng, &self.case)?;
        let right_unit = world.other_unit(self.rng, &self.case)?.clone();
        let text = self.say(Say::Returned);
        self.done_at = None;
        Some(self.act(at, by, &Act::Return { right_unit }, text))
    }

    fn come(&mut self) -> bool {
        let slow = self.world.is_slow(&self.case);
        let has_limit = self.case.clocks.get(ClockKind::ReportIn).is_some();
        let on_the_way = self.on_the_way(0.1, 0.6);
        let at = match (has_limit, slow) {
            (true, false) => on_the_way.min(self.by_clock(ClockKind::ReportIn, 0.15, 1.05)),
            (true, true) => on_the_way.min(self.by_clock(ClockKind::ReportIn, 0.5, 1.8)),
            (false, _) => on_the_way,
        };
        self.meanwhile(at);
        if let Some(into) = self.twin.take() {
            let by = self.who(Role::CallTaker).or_else(|| self.desk());
            let soon = self.at + self.minutes(5, 90);
            return by.is_some_and(|by| self.act(soon, by, &Act::Merge { into }, ""));
        }
        let drawn: f64 = self.rng.random();
        if drawn < 0.008 && self.outsider() && self.case.reports == 1 {
            return self.act(at, &Actor::Reporter { report: 1 }, &Act::Withdraw, "");
        }
        // Who was handed a case that bounced is likelier to pass it on.
        let bounced = f64::from(self.case.flags.returned) * 0.12;
        if drawn < 0.05 + bounced
            && let Some(went_on) = self.give_back(at)
        {
            return went_on;
        }
        let waits = if self.thaw(at).is_some() {
            model::FROZEN
        } else {
            0.015
        };
        if drawn > 1.0 - waits && self.park(at) {
            return true;
        }
        let world = self.world;
        let Some(by) = world.in_lead(self.rng, &self.case) else {
            return false;
        };
        // Most are there before they would have signed.
        if self.case.times.signed_at.is_none() && self.chance(0.1) {
            let soon = self.at + self.minutes(2, 20);
            self.act(soon.min(at), by, &Act::Sign, "");
        }
        self.act(at, by, &Act::ReportIn, "")
    }

    fn work(&mut self) -> bool {
        if let Some(goes_on) = self.gather() {
            return goes_on;
        }
        let settings = &self.world.place.jurisdiction.settings;
        let may_extend = self.case.flags.extended < settings.max_extensions;
        if may_extend && self.chance(0.04) {
            let at = self.by_clock(ClockKind::Resolve, 0.6, 0.9);
            let in_time = self
                .case
                .clocks
                .get(ClockKind::Resolve)
                .is_some_and(|c| c.is_running() && at < c.due_at);
            let in_time = in_time && self.case.question.is_none();
            if in_time {
                // Who asks for more time takes it.
                self.done_at = None;
            }
            if in_time && self.chance(0.5) {
                let text = self.say(Say::Extended);
                return self.request(at, &Act::AskToExtend, text);
            }
            if in_time && let Some(by) = self.desk() {
                let text = self.say(Say::Extended);
                return self.act(at, by, &Act::Extend, text);
            }
        }
        let soonest = self.at + self.minutes(2, 40);
        let at = self.done_at().max(soonest);
        let at = self.where_it_counts(at);
        self.meanwhile(at);
        let drawn: f64 = self.rng.random();
        if drawn < 0.012
            && let Some(went_on) = self.give_back(at)
        {
            return went_on;
        }
        if drawn > 0.985 && self.park(at) {
            return true;
        }
        let world = self.world;
        let Some(by) = world.in_lead(self.rng, &self.case) else {
            return false;
        };
        if self.case.joint.is_empty() && self.chance(0.04) {
            self.call_in(at);
        }
        let (outcome, what) = match self.rng.random::<f64>() {
            d if d < 0.88 => (Outcome::Resolved, Say::Handled),
            d if d < 0.92 => (Outcome::PartlyResolved, Say::Handled),
            d if d < 0.96 => (Outcome::Explained, Say::Explained),
            _ => (Outcome::Unfounded, Say::Unfounded),
        };
        let text = self.say(what);
        self.done_at = None;
        self.act(at, by, &Act::Handle { outcome }, text)
    }

    fn check(&mut self) -> bool {
        let at = self.by_clock(ClockKind::Verify, 0.05, 1.08);
        self.meanwhile(at);
        let reporters = self
            .case
            .standard
            .as_ref()
            .and_then(|code| self.world.place.standard(code.as_str()))
            .is_some_and(|s| s.verification == Verification::Reporter);
        let by_reporter = self.outsider() && self.chance(if reporters { 0.65 } else { 0.1 });
        let reporter = Actor::Reporter { report: 1 };
        let by = if by_reporter {
            &reporter
        } else {
            let fixer = self.case.fixer.as_ref().map(|f| f.unit.clone());
            let parts: Vec<_> = self.case.joint.iter().map(|part| part.unit.clone()).collect();
            let roles = [Role::Patrol, Role::Dispatcher, Role::Lead];
            let other = (0..9).find_map(|i| {
                let actor = self.who(roles[i % 3])?;
                let had_part = actor.unit().is_some_and(|unit| parts.contains(unit));
                (actor.unit() != fixer.as_ref() && !had_part).then_some(actor)
            });
            match other {
                Some(actor) => actor,
                None if self.outsider() => &reporter,
                None => return false,
            }
        };
        // The reporter's word comes first; where it does not come, a post checks once the limit for it is over.
        let due = self.case.clocks.get(ClockKind::Verify).map(|clock| clock.due_at);
        let at = match due {
            Some(due) if reporters && !matches!(by, Actor::Reporter { .. }) => {
                let later = due + self.minutes(10, 900);
                at.max(later)
            }
            _ => at,
        };
        let share = if self.rushed {
            model::REWORKED_IN_RUSH
        } else {
            model::REWORKED
        };
        let fails = self.case.flags.reworked < 3 && self.chance(share);
        if fails {
            let text = self.say(Say::Reworked);
            let half = self.chance(0.3);
            let act = if half { Act::VerifyPartly } else { Act::Rework };
            self.act(at, by, &act, text)
        } else {
            self.act(at, by, &Act::Verify, "")
        }
    }

    fn look_back(&mut self) -> bool {
        if self.rated
            || !Outcome::OF_WORK
                .iter()
                .any(|o| Some(*o) == self.case.state.outcome())
        {
            return false;
        }
        self.rated = true;
        if self.case.public
            && self.chance(0.003)
            && let Some(by) = self.desk()
        {
            let (at, text) = (self.at + self.minutes(30, 3000), self.say(Say::Hidden));
            return self.act(at, by, &Act::Show { public: false }, text);
        }
        let reporter = Actor::Reporter { report: 1 };
        let mut unhappy = false;
        if self.outsider() && self.chance(0.35) {
            let rating = match self.rng.random::<f64>() {
                d if d < 0.7 => Rating::Good,
                d if d < 0.88 => Rating::Fair,
                _ => Rating::Poor,
            };
            unhappy = rating == Rating::Poor;
            let text = self.say(if rating == Rating::Good {
                Say::Thanks
            } else {
                Say::Poor
            });
            let at = self.at + self.minutes(30, 4000);
            if !self.act(at, &reporter, &Act::Rate { rating }, text) {
                return false;
            }
        }
        let at = self.at + self.minutes(20, 5000);
        if unhappy && self.chance(0.5) {
            let text = self.say(Say::Again);
            return self.act(at, &reporter, &Act::RequestReopen, text);
        }
        if self.chance(0.008)
            && let Some(by) = self.who(Role::Patrol)
        {
            let text = self.say(Say::Again);
            return self.act(at, by, &Act::RequestReopen, text);
        }
        false
    }

    fn answer_request(&mut self) -> bool {
        let Some(by) = self.desk() else { return false };
        let at = self.at + self.minutes(60, 2500);
        let at = self.in_working_time(at);
        // Whoever did the work does not say that it was good enough.
        let did_it = self
            .case
            .fixer
            .as_ref()
            .is_some_and(|fixer| by.unit() == Some(&fixer.unit));
        if did_it || self.chance(0.6) {
            let text = self.say(Say::Granted);
            self.act(at, by, &Act::Reopen, text)
        } else {
            let text = self.say(Say::Refused);
            self.act(at, by, &Act::RefuseReopen, text)
        }
    }
}
