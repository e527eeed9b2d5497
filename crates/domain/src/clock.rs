//! Clocks: the running limits of a case, of a unit with a part in it, and of a unit that a whistle calls.
//!
//! A clock knows when it started, how long it may run and when it stood still. Its due time is computed once, by the
//! calendar, when something changes it, and is written into the event: folding the log needs no calendar. So is the time
//! of the next step of its ladder.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{calendar::Calendar, escalation::Mark, limit::Limit, words::UnitCode};

/// What a clock limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// From report to dispatch.
    Triage,
    /// From dispatch or call to "we have seen it and take it".
    Sign,
    /// From the call to the first word with the station.
    Contact,
    /// From dispatch or call to "we are here".
    ReportIn,
    /// From dispatch to handled.
    Resolve,
    /// From handled to verified.
    Verify,
    /// From "we are here" to leaving.
    Leave,
    /// From getting a part in a case that another unit leads to handing it in.
    Joint,
}

impl ClockKind {
    /// All kinds, in the order in which they are met.
    pub const ALL: [Self; 8] = [
        Self::Triage,
        Self::Sign,
        Self::Contact,
        Self::ReportIn,
        Self::Resolve,
        Self::Verify,
        Self::Leave,
        Self::Joint,
    ];

    /// Those of a case as a whole, in the order in which it meets them.
    pub const OF_CASE: [Self; 5] = [
        Self::Triage,
        Self::Sign,
        Self::ReportIn,
        Self::Resolve,
        Self::Verify,
    ];

    /// Those of a unit that a whistle calls.
    pub const OF_CALL: [Self; 4] = [Self::Sign, Self::Contact, Self::ReportIn, Self::Leave];

    /// The word in codes and columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Triage => "triage",
            Self::Sign => "sign",
            Self::Contact => "contact",
            Self::ReportIn => "report_in",
            Self::Resolve => "resolve",
            Self::Verify => "verify",
            Self::Leave => "leave",
            Self::Joint => "joint",
        }
    }
}

/// A time in which a clock stood still; open while it still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// When it was stopped.
    pub from: Timestamp,
    /// When it ran on.
    pub to: Option<Timestamp>,
}

/// One running or stopped limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// What it limits.
    pub kind: ClockKind,
    /// How long it may run.
    pub limit: Limit,
    /// When it started.
    pub started_at: Timestamp,
    /// When it is due.
    pub due_at: Timestamp,
    /// When it stood still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// How many times the limit was added once more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub extensions: u8,
    /// When it was stopped for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
    /// How many steps of its ladder were taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub steps_fired: u8,
    /// When the next step is due; none when no step is left, or while the clock does not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_at: Option<Timestamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(n: &u8) -> bool {
    *n == 0
}

impl Clock {
    /// One that begins to run, without steps.
    pub fn started(kind: ClockKind, limit: Limit, started_at: Timestamp, due_at: Timestamp) -> Self {
        Self {
            kind,
            limit,
            started_at,
            due_at,
            pauses: Vec::new(),
            extensions: 0,
            stopped_at: None,
            steps_fired: 0,
            step_at: None,
        }
    }

    /// Whether it runs now: neither stopped nor standing still.
    pub fn is_running(&self) -> bool {
        self.stopped_at.is_none() && !self.is_paused()
    }

    /// Whether it stands still for now.
    pub fn is_paused(&self) -> bool {
        self.stopped_at.is_none() && self.pauses.last().is_some_and(|p| p.to.is_none())
    }

    /// Whether it was, or is, over its due time at `now`. What stands still grows no older.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let ran_until = match self.pauses.last() {
            Some(Pause { from, to: None }) => *from,
            _ => self.stopped_at.unwrap_or(now),
        };
        ran_until > self.due_at
    }

    /// When it is due by this calendar, with its closed pauses left out and its extensions added.
    pub fn reckon(&self, calendar: &Calendar) -> Timestamp {
        let pauses = self.closed_pauses();
        let mut due = calendar.due_with_pauses(self.started_at, self.limit, &pauses);
        for _ in 0..self.extensions {
            due = calendar.due_with_pauses(due, self.limit, &pauses);
        }
        due
    }

    /// When it reaches a mark by this calendar, if it is due at `due_at`.
    pub(crate) fn reaches(&self, mark: Mark, due_at: Timestamp, calendar: &Calendar) -> Timestamp {
        let share_of = |start, hundredths| {
            calendar.share_with_pauses(start, self.limit, hundredths, &self.closed_pauses())
        };
        match mark {
            Mark::Share(100) => due_at,
            Mark::Share(share @ ..100) => {
                let limits = 1 + u32::from(self.extensions);
                share_of(self.started_at, u32::from(share) * limits).min(due_at)
            }
            Mark::Share(share) => share_of(due_at, u32::from(share) - 100),
            Mark::Overdue(limit) => calendar.due_with_pauses(due_at, limit, &self.closed_pauses()),
        }
    }

    /// The pauses that are over, as the calendar takes them.
    pub fn closed_pauses(&self) -> Vec<(Timestamp, Timestamp)> {
        let closed = self.pauses.iter().filter_map(|p| Some((p.from, p.to?)));
        closed.collect()
    }
}

/// What an event does to a clock. Times are the event's own; `step_at` is when the next step of its ladder is due, if one
/// is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum ClockChange {
    /// A new clock runs; an older one of its kind is forgotten.
    Start {
        /// Which.
        kind: ClockKind,
        /// How long it may run.
        limit: Limit,
        /// From when on; from the event on where that is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
        /// When it is due.
        due_at: Timestamp,
        /// When its first step is due.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step_at: Option<Timestamp>,
    },
    /// It is stopped for good.
    Stop {
        /// Which.
        kind: ClockKind,
    },
    /// It stands still.
    Pause {
        /// Which.
        kind: ClockKind,
    },
    /// It runs on, after a pause or after having been stopped; the time between does not count.
    Resume {
        /// Which.
        kind: ClockKind,
        /// When it is due now.
        due_at: Timestamp,
        /// When its next step is due now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step_at: Option<Timestamp>,
    },
    /// Its limit is added once more.
    Extend {
        /// Which.
        kind: ClockKind,
        /// When it is due now.
        due_at: Timestamp,
        /// When its next step is due now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step_at: Option<Timestamp>,
    },
    /// Its times were computed anew, because the calendar or its ladder changed.
    Reckon {
        /// Which.
        kind: ClockKind,
        /// When it is due now.
        due_at: Timestamp,
        /// When its next step is due now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step_at: Option<Timestamp>,
    },
    /// A step of its ladder was taken.
    Step {
        /// Which.
        kind: ClockKind,
        /// When the one after it is due.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step_at: Option<Timestamp>,
    },
}

impl ClockChange {
    /// Of which clock.
    pub const fn kind(&self) -> ClockKind {
        match *self {
            Self::Start { kind, .. }
            | Self::Stop { kind }
            | Self::Pause { kind }
            | Self::Resume { kind, .. }
            | Self::Extend { kind, .. }
            | Self::Reckon { kind, .. }
            | Self::Step { kind, .. } => kind,
        }
    }
}

/// What happens to a clock that a unit has for itself: one that a whistle calls, or one with a part in a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitClock {
    /// The unit.
    pub unit: UnitCode,
    /// What happens.
    #[serde(flatten)]
    pub change: ClockChange,
}

/// The clocks of a case, of a part of it, or of a unit that is called: at most one of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clocks(Vec<Clock>);

impl Clocks {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn all(&self) -> &[Clock] {
        &self.0
    }

    /// The clock of a kind, running or not.
    pub fn get(&self, kind: ClockKind) -> Option<&Clock> {
        self.0.iter().find(|c| c.kind == kind)
    }

    /// The running clock that is due first.
    pub fn next_due(&self) -> Option<&Clock> {
        self.0.iter().filter(|c| c.is_running()).min_by_key(|c| c.due_at)
    }

    /// The running clock whose next step is due first.
    pub fn next_step(&self) -> Option<&Clock> {
        let with_step = self.0.iter().filter(|c| c.is_running() && c.step_at.is_some());
        with_step.min_by_key(|c| c.step_at)
    }

    pub(crate) fn apply(&mut self, change: &ClockChange, at: Timestamp) {
        match *change {
            ClockChange::Start {
                kind,
                limit,
                from,
                due_at,
                step_at,
            } => {
                self.0.retain(|c| c.kind != kind);
                let clock = Clock::started(kind, limit, from.unwrap_or(at), due_at);
                self.0.push(Clock { step_at, ..clock });
            }
            ClockChange::Stop { kind } => self.change(kind, |c| {
                c.stopped_at = Some(at);
                c.step_at = None;
            }),
            ClockChange::Pause { kind } => self.change(kind, |c| {
                c.pauses.push(Pause { from: at, to: None });
                c.step_at = None;
            }),
            ClockChange::Resume {
                kind,
                due_at,
                step_at,
            } => self.change(kind, |c| {
                resume(c, at);
                (c.due_at, c.step_at) = (due_at, step_at);
            }),
            ClockChange::Extend {
                kind,
                due_at,
                step_at,
            } => self.change(kind, |c| {
                c.extensions = c.extensions.saturating_add(1);
                (c.due_at, c.step_at) = (due_at, step_at);
            }),
            ClockChange::Reckon {
                kind,
                due_at,
                step_at,
            } => {
                self.change(kind, |c| (c.due_at, c.step_at) = (due_at, step_at));
            }
            ClockChange::Step { kind, step_at } => self.change(kind, |c| {
                c.steps_fired = c.steps_fired.saturating_add(1);
                c.step_at = step_at;
            }),
        }
    }

    fn change(&mut self, kind: ClockKind, change: impl FnOnce(&mut Clock)) {
        if let Some(clock) = self.0.iter_mut().find(|c| c.kind == kind) {
            change(clock);
        }
    }
}

/// Lets a clock run on at `at`: closes the open pause, or turns the time since it was stopped into one.
pub(crate) fn resume(clock: &mut Clock, at: Timestamp) {
    if let Some(stopped) = clock.stopped_at.take() {
        // One that stood still when it was stopped stood until then.
        if let Some(pause) = clock.pauses.last_mut() {
            pause.to.get_or_insert(stopped);
        }
        clock.pauses.push(Pause {
            from: stopped,
            to: Some(at),
        });
    } else if let Some(pause) = clock.pauses.last_mut() {
        pause.to.get_or_insert(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_change_of_a_clock_stands_beside_its_unit_in_json() {
        let clock = UnitClock {
            unit: "roads".parse().unwrap(),
            change: ClockChange::Stop {
                kind: ClockKind::Sign,
            },
        };
        let text = r#"{"unit":"roads","do":"stop","kind":"sign"}"#;
        assert_eq!(serde_json::to_string(&clock).unwrap(), text);
        assert_eq!(serde_json::from_str::<UnitClock>(text).unwrap(), clock);
    }
}
