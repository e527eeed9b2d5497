//! A whistle in the life of a case: blown by its station, walked through the whistle's own rules by who may, until its duties
//! are parts of the case. Whatever the demo's end cuts off is left as it stands then.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use whistle_domain::{
    case::{Actor, Rating},
    command::{Act as CaseAct, Context},
    place::{Level, Post, WhistleKind},
    transition::{Transition as CaseTransition, Verb as CaseVerb},
    whistle::{
        CallState, Event, Stage, Whistle,
        command::{Act, NewDuty, NewWhistle, blow, decide, station_to_raise_to},
        transition::{Transition, Verb, may_blow},
    },
    words::{UnitCode, WhistleNumber},
};

use super::Life;
use crate::{
    demo::words::{self, Say},
    whistle::assignments,
};

/// How long a town is without a whistle after one, in hours, at least and at most: some two or three in a month.
const QUIET_HOURS: std::ops::Range<i64> = 150..450;

/// The share of cases at work on which one is blown, where the town has had none for so long.
const SHARE: f64 = 0.2;

/// How long a unit has for what it took upon itself.
const DUTY: &str = "2d working";

/// What the cases of a demo share: the numbers of whistles to come, and when each town may blow the next.
#[derive(Debug, Default)]
pub(in crate::demo) struct Whistles {
    pub numbers: VecDeque<WhistleNumber>,
    next: HashMap<String, Timestamp>,
}

/// A whistle with its log so far.
#[derive(Debug)]
pub(in crate::demo) struct Blown {
    pub whistle: Whistle,
    pub events: Vec<Event>,
    at: Timestamp,
}

impl<'a> Life<'a, '_> {
    /// Blows a whistle on the case, now and then. None when none is blown; else whether its story goes on.
    pub(super) fn gather(&mut self) -> Option<bool> {
        let town = self.case.location.areas.at(Level::Town)?.to_string();
        let at = self.at + self.minutes(20, 240);
        let at = self.in_working_time(at);
        let is_fit = self.blown.is_none()
            && self.case.joint.is_empty()
            && self.case.question.is_none()
            && at < self.end
            && self.whistles.next.get(&town).is_none_or(|next| at >= *next);
        if !is_fit || !self.chance(SHARE) {
            return None;
        }
        let mut blown = self.summon(at)?;
        let quiet = SignedDuration::from_hours(self.rng.random_range(QUIET_HOURS));
        self.whistles.next.insert(town, at + quiet);
        let goes_on = self.walk(&mut blown).is_some();
        self.blown = Some(blown);
        Some(goes_on)
    }

    /// The whistle as somebody asks for it.
    fn summon(&mut self, at: Timestamp) -> Option<Blown> {
        let world = self.world;
        let place = world.place;
        let kinds = place.whistle_kinds();
        // The first kind more than the last.
        let skewed: f64 = self.rng.random::<f64>().powi(2);
        let kind = kinds.get((skewed * kinds.len() as f64) as usize)?;
        let by = self.whistler(kind)?;
        let lead = self.case.lead.clone()?;
        let mut units = vec![lead.clone()];
        for _ in 0..self.rng.random_range(1..=2) {
            let other = world.other_unit(self.rng, &self.case)?;
            if !units.contains(other) {
                units.push(other.clone());
            }
        }
        if units.iter().any(|unit| by.unit() == Some(unit)) {
            return None;
        }
        let number = self.whistles.numbers.pop_front()?;
        let new = NewWhistle {
            kind: kind.code.clone(),
            cases: vec![self.case.number],
            units,
            lead,
            place: String::new(),
            meet_at: None,
            matter: self.say(Say::Summoned).to_owned(),
        };
        let context = Context {
            place,
            now: at,
            by,
            chance: 1.0,
        };
        match blow(&new, number, std::slice::from_ref(&self.case), context) {
            Ok(events) => Some(Blown {
                whistle: Whistle::fold(number, &events).ok()?,
                events,
                at,
            }),
            Err(refusal) => {
                self.refusals.note("blow", &refusal);
                None
            }
        }
    }

    /// Who blows it: a post of the town's station mostly, else of another one that the case lies in.
    fn whistler(&mut self, kind: &WhistleKind) -> Option<&'a Actor> {
        let (world, place) = (self.world, self.world.place);
        let of_town = self.chance(0.75);
        let may = |(post, actor): &'a (&Post, Actor)| {
            let area = place.areas.get(place.unit(post.unit.as_str())?.area);
            let fits = may_blow(kind, post, place) && self.case.location.areas.passes(&area.code);
            fits.then_some((area.level, actor))
        };
        let all: Vec<(Level, &Actor)> = world.everybody().iter().filter_map(may).collect();
        let in_town: Vec<_> = all
            .iter()
            .filter(|(level, _)| *level == Level::Town)
            .copied()
            .collect();
        let from = if of_town && !in_town.is_empty() {
            in_town
        } else {
            all
        };
        (!from.is_empty()).then(|| from[self.rng.random_range(0..from.len())].1)
    }

    /// Somebody who may do something to the whistle: the one who blew it, where they may.
    fn somebody(&mut self, verb: Verb, blown: &Blown) -> Option<&'a Actor> {
        let (world, place) = (self.world, self.world.place);
        let line = Transition::of(verb);
        let blew = blown.events.first().map(|event| &event.by);
        let may =
            |(_, actor): &'a (&Post, Actor)| line.permits(actor, &blown.whistle, place).then_some(actor);
        let all: Vec<&Actor> = world.everybody().iter().filter_map(may).collect();
        let same = all.iter().find(|actor| Some(**actor) == blew).copied();
        same.or_else(|| (!all.is_empty()).then(|| all[self.rng.random_range(0..all.len())]))
    }

    /// The whole of it, step by step. None where the demo's end cuts it off.
    fn walk(&mut self, blown: &mut Blown) -> Option<()> {
        if blown.whistle.stage == Stage::Asked {
            let by = self.somebody(Verb::Approve, blown)?;
            let soon = blown.at + self.minutes(10, 200);
            if self.chance(0.15) {
                let text = self.say(Say::NotApproved);
                return self.does(blown, soon, by, &Act::RefuseApproval, text);
            }
            self.does(blown, soon, by, &Act::Approve, "")?;
        }
        self.tell_case(blown)?;
        if self.chance(0.07) {
            let by = self.somebody(Verb::Withdraw, blown)?;
            let (soon, text) = (blown.at + self.minutes(5, 50), self.say(Say::CalledOff));
            self.does(blown, soon, by, &Act::Withdraw, text)?;
            return self.tell_case(blown);
        }
        if self.chance(0.12) && station_to_raise_to(&blown.whistle, self.world.place).is_some() {
            let by = self.somebody(Verb::Raise, blown)?;
            let (soon, text) = (blown.at + self.minutes(5, 90), self.say(Say::Raised));
            self.does(blown, soon, by, &Act::Raise { units: Vec::new() }, text)?;
        }
        self.come_together(blown)?;
        self.part(blown)?;
        self.fulfil(blown)
    }

    /// The units sign, come or do not come, and the station sees who is there.
    fn come_together(&mut self, blown: &mut Blown) -> Option<()> {
        let world = self.world;
        let units: Vec<UnitCode> = blown.whistle.calls.iter().map(|call| call.unit.clone()).collect();
        for unit in units {
            let leads = unit == blown.whistle.lead;
            let by = world.of_unit(self.rng, &unit)?;
            if !leads && self.chance(0.12) {
                let (soon, text) = (blown.at + self.minutes(5, 60), self.say(Say::DoesNotCome));
                self.does(blown, soon, by, &Act::Refuse, text)?;
                continue;
            }
            if self.chance(0.8) {
                let soon = blown.at + self.minutes(2, 25);
                self.does(blown, soon, by, &Act::Sign, "")?;
                if self.chance(0.4) {
                    let soon = blown.at + self.minutes(2, 20);
                    self.does(blown, soon, by, &Act::Contact, "")?;
                }
            }
            let soon = blown.at + self.minutes(5, 90);
            let here = Act::ReportIn {
                made_at: None,
                position: None,
            };
            self.does(blown, soon, by, &here, "")?;
            let by = self.somebody(Verb::Confirm, blown)?;
            let soon = blown.at + self.minutes(1, 20);
            let present = leads || self.chance(0.95);
            self.does(blown, soon, by, &Act::Confirm { unit, present }, "")?;
        }
        Some(())
    }

    /// The minutes, and the end: what the units take upon themselves becomes their part of the case.
    fn part(&mut self, blown: &mut Blown) -> Option<()> {
        let place = self.world.place;
        let duties: Vec<NewDuty> = blown
            .whistle
            .calls
            .iter()
            .filter(|call| call.state == CallState::Present)
            .map(|call| NewDuty {
                case: self.case.number,
                unit: call.unit.clone(),
                what: words::say(self.rng, self.world.lang, Say::Duty).to_owned(),
                limit: DUTY.parse().expect("a constant"),
            })
            .collect();
        let by = self.somebody(Verb::Minutes, blown)?;
        let (soon, text) = (blown.at + self.minutes(20, 90), self.say(Say::Minutes));
        self.does(blown, soon, by, &Act::Minutes { duties }, text)?;
        let by = self.somebody(Verb::Close, blown)?;
        let soon = blown.at + self.minutes(2, 30);
        self.does(blown, soon, by, &Act::Close, "")?;
        self.tell_case(blown)?;
        // Who may not call other units into the case closes the whistle all the same, and the duties stay in it.
        if CaseTransition::of(CaseVerb::AssignJoint).permits(by, &self.case, place) {
            let lead = blown.whistle.lead.clone();
            for (act, task) in assignments(&blown.whistle, &self.case, &lead) {
                self.going_on(blown.at, by, &act, &task)?;
            }
        }
        Some(())
    }

    /// The units do what they took upon themselves; some are late, some rate the whistle.
    fn fulfil(&mut self, blown: &mut Blown) -> Option<()> {
        let world = self.world;
        let parts: Vec<UnitCode> = self.case.joint.iter().map(|part| part.unit.clone()).collect();
        for unit in parts {
            let by = world.of_unit(self.rng, &unit)?;
            let late = self.chance(0.1);
            let hours = if late { 60..150 } else { 1..12 };
            let done = self.at + SignedDuration::from_hours(self.rng.random_range(hours));
            let (done, text) = (self.in_working_time(done), self.say(Say::DidItsPart));
            self.going_on(done, by, &CaseAct::HandleJoint, text)?;
        }
        for nth in 0..blown.whistle.duties.len() {
            let unit = blown.whistle.duties[nth].unit.clone();
            let by = world.of_unit(self.rng, &unit)?;
            if unit != blown.whistle.lead && self.chance(0.85) {
                let (duty, soon) = (nth as u32 + 1, self.at + self.minutes(2, 60));
                self.does(blown, soon, by, &Act::Finish { duty }, "")?;
            }
        }
        let calls = blown.whistle.calls.clone();
        for call in calls.iter().filter(|call| call.state == CallState::Present) {
            if self.chance(0.6) {
                let by = world.of_unit(self.rng, &call.unit)?;
                let (soon, rating) = (blown.at + self.minutes(5, 60), self.rating());
                self.does(blown, soon, by, &Act::RateWhistle { rating }, "")?;
            }
            if self.chance(0.8) {
                let by = self.somebody(Verb::RateUnit, blown)?;
                let act = Act::RateUnit {
                    unit: call.unit.clone(),
                    speed: self.rating(),
                    quality: self.rating(),
                };
                let soon = blown.at + self.minutes(2, 40);
                self.does(blown, soon, by, &act, "")?;
            }
        }
        Some(())
    }

    fn rating(&mut self) -> Rating {
        match self.rng.random::<f64>() {
            d if d < 0.7 => Rating::Good,
            d if d < 0.9 => Rating::Fair,
            _ => Rating::Poor,
        }
    }

    /// Does something to the whistle, after what has run out in it before was noted. None when its time has not come.
    fn does(&mut self, blown: &mut Blown, at: Timestamp, by: &Actor, act: &Act, text: &str) -> Option<()> {
        let at = at.max(blown.at).max(self.at);
        if at >= self.end {
            self.note_overdue(blown, self.end);
            return None;
        }
        self.note_overdue(blown, at);
        self.goes(blown, at, by, act, text)
    }

    /// Notes the limits that run out before a time, each at its own, as the scheduler would have.
    fn note_overdue(&mut self, blown: &mut Blown, before: Timestamp) {
        while let Some(step_at) = blown.whistle.step_at().filter(|at| *at < before) {
            let at = step_at.max(blown.at);
            if self.goes(blown, at, &Actor::System, &Act::Remind, "").is_none() {
                return;
            }
        }
    }

    fn goes(&mut self, blown: &mut Blown, at: Timestamp, by: &Actor, act: &Act, text: &str) -> Option<()> {
        let context = Context {
            place: self.world.place,
            now: at,
            by,
            chance: 1.0,
        };
        match decide(&blown.whistle, act, text, context) {
            Ok(events) => {
                for event in events {
                    blown.whistle.apply(&event).ok()?;
                    blown.events.push(event);
                }
                blown.at = at;
                Some(())
            }
            Err(refusal) => {
                self.refusals.note(act.verb().as_str(), &refusal);
                None
            }
        }
    }

    /// The case's own log says where the whistle stands now.
    fn tell_case(&mut self, blown: &Blown) -> Option<()> {
        let act = CaseAct::Whistle {
            whistle: blown.whistle.number,
            stage: blown.whistle.stage,
        };
        self.going_on(blown.at, &Actor::System, &act, "")
    }

    fn going_on(&mut self, at: Timestamp, by: &Actor, act: &CaseAct, text: &str) -> Option<()> {
        self.act(at, by, act, text).then_some(())
    }
}
