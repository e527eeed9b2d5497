//! Who must be told what of the events of a case, and of a whistle: two tables, read for each command that was committed.

use whistle_domain::{
    case::{Actor, Body, Case, Event},
    command,
    place::Place,
    whistle::{self, CallState, Whistle},
    words::UnitCode,
};

use crate::Notice;

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reader {
    /// One who reported the case; the first report is 1.
    Reporter(u32),
    /// A unit, at its own address.
    Unit(UnitCode),
}

/// A notice that must go to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Who is told.
    pub reader: Reader,
    /// What.
    pub notice: Notice,
    /// Of which event of the log, from 1.
    pub version: u32,
}

/// What must be told of the events from `since` on of a case, whose log ends where the command ended. `reporters` are those
/// who can be reached. Each reader is told one thing of a command: what went straight through three stages is one
/// message.
pub fn told(case: &Case, log: &[Event], since: u32, place: &Place, reporters: &[u32]) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    let skipped = since.saturating_sub(1) as usize;
    for (event, version) in log.iter().zip(1u32..).skip(skipped) {
        for (reader, notice) in of_event(case, event, version, log, place, reporters) {
            tell(&mut all, reader, notice, version);
        }
    }
    // Where it went straight to its unit, the receipt says to which.
    for told in all.iter_mut().filter(|told| told.notice == Notice::Received) {
        told.version = log.len() as u32;
    }
    all
}

/// The same of a whistle; `whistle` is what the log folds to. Only units and stations are told.
pub fn told_of_whistle(whistle: &Whistle, log: &[whistle::Event], since: u32) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    let skipped = since.saturating_sub(1) as usize;
    for (event, version) in log.iter().zip(1u32..).skip(skipped) {
        // The duties follow their minutes; of all whose time ran out at once the stations are told together.
        let version = match event.body {
            whistle::Body::Minuted | whistle::Body::Overdue { .. } => log.len() as u32,
            _ => version,
        };
        for (unit, notice) in of_whistle_event(whistle, event) {
            // Nobody needs to be told of what they did themselves.
            if event.by.unit() != Some(unit) {
                tell(&mut all, Reader::Unit(unit.clone()), notice, version);
            }
        }
    }
    all
}

fn of_whistle_event<'w>(whistle: &'w Whistle, event: &'w whistle::Event) -> Vec<(&'w UnitCode, Notice)> {
    use whistle::Body;
    // Who does not come has no more to do with it, unless the minutes give it a duty.
    let coming = |notice: Notice| {
        let has_duty = |unit: &UnitCode| whistle.duties.iter().any(|duty| duty.unit == *unit);
        let calls = whistle.calls.iter();
        let calls = calls.filter(|call| call.state != CallState::Refused || has_duty(&call.unit));
        calls.map(|call| (&call.unit, notice)).collect()
    };
    match &event.body {
        Body::Blown => coming(Notice::UnitWhistled),
        Body::Raised { units, .. } => units.iter().map(|unit| (unit, Notice::UnitWhistled)).collect(),
        // Who was never called need not hear that it need not come.
        Body::Withdrawn if whistle.times.blown_at.is_some() => coming(Notice::UnitWhistleWithdrawn),
        Body::Minuted => coming(Notice::UnitMinuted),
        Body::CallRefused { .. } => {
            let stations = whistle.stations.iter();
            stations.map(|unit| (unit, Notice::StationRefused)).collect()
        }
        Body::Overdue { unit, .. } => {
            let readers = whistle.stations.iter().chain([unit]);
            readers.map(|reader| (reader, Notice::CallOverdue)).collect()
        }
        Body::Asked { .. }
        | Body::Refused
        | Body::Withdrawn
        | Body::Signed { .. }
        | Body::Contacted { .. }
        | Body::ReportedIn { .. }
        | Body::Confirmed { .. }
        | Body::Left { .. }
        | Body::DutyGiven { .. }
        | Body::Closed
        | Body::DutyDone { .. }
        | Body::UnitRated { .. }
        | Body::WhistleRated { .. }
        | Body::Reckoned => Vec::new(),
    }
}

/// One reader is told one thing of a command: the last in the order of the notices.
fn tell(all: &mut Vec<Told>, reader: Reader, notice: Notice, version: u32) {
    match all.iter_mut().find(|told| told.reader == reader) {
        Some(before) if before.notice > notice => {}
        Some(before) => (before.notice, before.version) = (notice, version),
        None => all.push(Told {
            reader,
            notice,
            version,
        }),
    }
}

fn of_event(
    case: &Case,
    event: &Event,
    version: u32,
    log: &[Event],
    place: &Place,
    reporters: &[u32],
) -> Vec<(Reader, Notice)> {
    let to_all = |notice: Notice| -> Vec<(Reader, Notice)> {
        // Nobody needs to be told of what they did themselves.
        let own = |report: u32| event.by == Actor::Reporter { report };
        let others = reporters.iter().copied().filter(|report| !own(*report));
        others.map(|report| (Reader::Reporter(report), notice)).collect()
    };
    let to_one = |report: u32, notice: Notice| -> Vec<(Reader, Notice)> {
        let reached = reporters.contains(&report);
        reached
            .then_some((Reader::Reporter(report), notice))
            .into_iter()
            .collect()
    };
    let unit = |unit: Option<&UnitCode>, notice: Notice| {
        let other = unit.filter(|unit| event.by.unit() != Some(unit));
        other.map(|unit| (Reader::Unit(unit.clone()), notice))
    };
    let to_units = |units: Vec<Option<&UnitCode>>, notice: Notice| -> Vec<(Reader, Notice)> {
        units.into_iter().filter_map(|one| unit(one, notice)).collect()
    };
    let lead = || lead_before(log, version);
    let station = || {
        let area = command::area_of(place, case);
        let station = area.and_then(|area| place.answering_station(area));
        station.map(|station| &station.code)
    };
    let asked_by = || asker(log, version).or_else(station);
    // All who worked on it, when it is over before they are done.
    let over = |mut all: Vec<(Reader, Notice)>| {
        let mut units = at_work(log, version);
        units.push(lead());
        all.extend(to_units(units, Notice::UnitTakenAway));
        all
    };
    match &event.body {
        Body::Reported { .. } => {
            let mut all = to_one(1, Notice::Received);
            // Where it went straight to its unit, there is nothing to decide.
            if lead_before(log, log.len() as u32).is_none() {
                all.extend(unit(station(), Notice::StationNew));
            }
            all
        }
        Body::Joined { report, .. } => to_one(*report, Notice::Joined),
        Body::Accepted { .. } => to_all(Notice::Accepted),
        Body::Declined => over(to_all(Notice::Declined)),
        Body::Merged { .. } => over(to_all(Notice::Merged)),
        Body::Referred => over(to_all(Notice::Referred)),
        Body::Withdrawn => over(Vec::new()),
        Body::Assigned { unit: assigned } => {
            let mut all = to_all(Notice::Assigned);
            all.extend(unit(Some(assigned), Notice::UnitAssigned));
            let before = lead_before(log, version - 1).filter(|before| *before != assigned);
            all.extend(unit(before, Notice::UnitTakenAway));
            all
        }
        Body::JointAssigned { unit: joint, .. } => to_units(vec![Some(joint)], Notice::UnitJoint),
        Body::JointHandled { .. } => to_units(vec![lead()], Notice::UnitPartDone),
        Body::JointReleased { unit: joint } => {
            let mut all = to_units(vec![lead()], Notice::UnitPartReleased);
            all.extend(unit(Some(joint), Notice::UnitTakenAway));
            all
        }
        Body::ParkAsked { .. } => to_units(vec![station()], Notice::StationParkAsked),
        Body::ExtensionAsked => to_units(vec![station()], Notice::StationExtensionAsked),
        Body::Parked { .. } => to_units(vec![lead()], Notice::UnitParked),
        Body::Extended => to_units(vec![lead()], Notice::UnitExtended),
        Body::RequestRefused => to_units(vec![lead()], Notice::UnitRequestRefused),
        Body::Answered { .. } => to_units(vec![asked_by(), lead()], Notice::UnitAnswered),
        Body::Unanswered => to_units(vec![asked_by(), lead()], Notice::UnitUnanswered),
        Body::ReopenRequested => to_units(vec![station()], Notice::StationReopen),
        Body::Supervised { on: true, .. } => to_units(vec![lead().or_else(station)], Notice::UnitSupervised),
        Body::ReportedIn => to_all(Notice::InProgress),
        Body::Returned { .. } => to_units(vec![station()], Notice::UnitReturned),
        Body::Handled { .. } => to_all(Notice::Handled),
        Body::Verified { .. } => to_all(Notice::Closed),
        Body::Escalated { unit: told, .. } => {
            unit(told.as_ref(), Notice::UnitEscalated).into_iter().collect()
        }
        Body::Reworked => unit(lead(), Notice::UnitRework).into_iter().collect(),
        Body::Reopened => {
            let mut all = to_all(Notice::Reopened);
            all.extend(unit(lead(), Notice::UnitReopened));
            all
        }
        Body::ReopenRefused => to_all(Notice::ReopenRefused),
        Body::Commented { public } => {
            let mut all = if *public {
                to_all(Notice::Comment)
            } else {
                Vec::new()
            };
            if matches!(event.by, Actor::Reporter { .. }) {
                // What is over is the station's to open again, not the unit's.
                let at_work = lead().filter(|_| case.state.is_open());
                all.extend(to_units(vec![station(), at_work], Notice::UnitComment));
            }
            all
        }
        Body::Settled { .. }
        | Body::Resumed
        | Body::Reclassified { .. }
        | Body::Relocated { .. }
        | Body::PhotoAdded { .. }
        | Body::Rated { .. }
        | Body::Supervised { on: false, .. }
        | Body::Shown { .. }
        | Body::Signed
        | Body::Absorbed { .. }
        | Body::Split { .. }
        | Body::Asked { .. }
        | Body::Whistled { .. }
        | Body::Reckoned
        | Body::Erased { .. } => Vec::new(),
    }
}

/// On whose behalf the question was asked that an event is about.
fn asker(log: &[Event], version: u32) -> Option<&UnitCode> {
    let before = log.iter().take(version as usize).rev();
    let mut asked = before.filter(|event| matches!(event.body, Body::Asked { .. }));
    asked.next().and_then(|event| event.by.unit())
}

/// The units whose parts in a case were open when an event happened.
fn at_work(log: &[Event], version: u32) -> Vec<Option<&UnitCode>> {
    let mut open: Vec<Option<&UnitCode>> = Vec::new();
    for event in log.iter().take(version as usize) {
        match &event.body {
            Body::JointAssigned { unit, .. } => open.push(Some(unit)),
            Body::JointHandled { unit } | Body::JointReleased { unit } | Body::Assigned { unit } => {
                open.retain(|one| *one != Some(unit));
            }
            _ => {}
        }
    }
    open
}

/// The unit that had a case when an event happened.
fn lead_before(log: &[Event], version: u32) -> Option<&UnitCode> {
    let before = log.iter().take(version as usize).rev();
    let mut changes = before.filter_map(|event| match &event.body {
        Body::Assigned { unit } => Some(Some(unit)),
        Body::Returned { .. } => Some(None),
        Body::Handled { .. } => event.by.unit().map(Some),
        _ => None,
    });
    changes.next().flatten()
}
