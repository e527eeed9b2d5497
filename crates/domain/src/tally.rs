//! Counters: what an event adds to which count. The store adds it in the same transaction as the event;
//! a full recount must give the same numbers.

use jiff::civil::Date;

use crate::{
    calendar::Calendar,
    case::{Body, Case, Event},
    place::Level,
};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Counted {
    /// Cases reported, on the day of the report.
    Filed,
    /// Cases closed, on the day of the closing.
    Closed,
    /// Cases that went on after closing, on the day of the reopening.
    Reopened,
    /// Returns by units, on their day.
    Returned,
    /// Failed verifications, on their day.
    Reworked,
    /// Cases open now; no day.
    Open,
}

impl Counted {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Filed,
        Self::Closed,
        Self::Reopened,
        Self::Returned,
        Self::Reworked,
        Self::Open,
    ];

    /// The word in columns and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Filed => "filed",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Returned => "returned",
            Self::Reworked => "reworked",
            Self::Open => "open",
        }
    }
}

/// By what it is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum By<'a> {
    /// By the community of the case, or the deepest area above that; areas higher up are sums.
    Area(&'a str),
    /// By service.
    Service(&'a str),
}

/// One addition to one counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition<'a> {
    /// What is counted.
    pub counted: Counted,
    /// By what.
    pub by: By<'a>,
    /// On which day, in the place's own time zone; none for what is open now.
    pub day: Option<Date>,
    /// How many more, or fewer.
    pub delta: i64,
}

/// What an event adds. `before` is the case before it (none for the first event), `after` the case after it. A case
/// that changes its service or place while open moves its own open count; what was counted on a day stays.
pub fn additions<'a>(
    before: Option<&'a Case>,
    after: &'a Case,
    event: &Event,
    calendar: &Calendar,
) -> Vec<Addition<'a>> {
    let mut all = Vec::new();
    let was_open = before.is_some_and(|case| case.state.is_open());
    let is_open = after.state.is_open();
    let day = || Some(calendar.zone().to_datetime(event.at).date());
    if before.is_none() {
        add(&mut all, Counted::Filed, after, day(), 1);
    }
    match event.body {
        Body::Returned { .. } => add(&mut all, Counted::Returned, after, day(), 1),
        Body::Reworked => add(&mut all, Counted::Reworked, after, day(), 1),
        Body::Reopened => add(&mut all, Counted::Reopened, after, day(), 1),
        _ => {}
    }
    if was_open && !is_open {
        add(&mut all, Counted::Closed, after, day(), 1);
    }
    let moved = before.is_some_and(|b| b.service != after.service || counted_area(b) != counted_area(after));
    if was_open != is_open || moved {
        if let Some(before) = before.filter(|_| was_open) {
            add(&mut all, Counted::Open, before, None, -1);
        }
        if is_open {
            add(&mut all, Counted::Open, after, None, 1);
        }
    }
    all
}

fn add<'a>(all: &mut Vec<Addition<'a>>, counted: Counted, case: &'a Case, day: Option<Date>, delta: i64) {
    all.push(Addition {
        counted,
        by: By::Area(counted_area(case)),
        day,
        delta,
    });
    all.push(Addition {
        counted,
        by: By::Service(case.service.as_str()),
        day,
        delta,
    });
}

/// The area that a case counts for: its community, or the deepest area above that.
pub fn counted_area(case: &Case) -> &str {
    let areas = &case.location.areas;
    [Level::Community, Level::Town, Level::City]
        .into_iter()
        .find_map(|level| areas.at(level))
        .map_or("", |code| code.as_str())
}
