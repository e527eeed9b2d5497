//! The columns of an export: one table for all formats. Which the public gets, what they are called, what they hold.
//!
//! The first ones are those of Open311's draft for bulk CSV files, in its order.

use std::borrow::Cow;

use jiff::{Timestamp, civil::Date};
use whistle_domain::{
    case::{Case, Stage, Wish},
    clock::ClockKind,
    place::{Level, Place, Standard},
    public::{self, Step},
    words::Lang,
};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Int,
    Float,
    Bool,
    Time,
    Date,
}

impl Kind {
    /// The word in the dictionary of open data.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Time => "time",
            Self::Date => "date",
        }
    }
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'c> {
    Text(Cow<'c, str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    Time(Timestamp),
    Date(Date),
    None,
}

impl Cell<'_> {
    pub(super) fn text(text: &str) -> Cell<'_> {
        if text.is_empty() {
            Cell::None
        } else {
            Cell::Text(Cow::Borrowed(text))
        }
    }

    pub(super) fn owned(text: String) -> Cell<'static> {
        if text.is_empty() {
            Cell::None
        } else {
            Cell::Text(Cow::Owned(text))
        }
    }

    /// Codes and numbers in one cell, with a blank between two.
    pub(super) fn list<T: ToString>(all: impl Iterator<Item = T>) -> Cell<'static> {
        let all: Vec<String> = all.map(|one| one.to_string()).collect();
        Cell::owned(all.join(" "))
    }

    pub(super) fn time(time: Option<Timestamp>) -> Cell<'static> {
        time.map_or(Cell::None, Cell::Time)
    }
}

/// What the cells of a row are made from.
#[derive(Clone, Copy)]
pub(super) struct Subject<'c> {
    pub case: &'c Case,
    pub place: &'c Place,
    pub lang: Lang,
    pub now: Timestamp,
    /// Whether it is for the public: free text is masked.
    pub open: bool,
}

/// What a format must know of a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub name: &'static str,
    pub kind: Kind,
}

/// One column.
pub(super) struct Column {
    pub head: Head,
    /// Whether the public gets it.
    pub open: bool,
    pub cell: for<'c> fn(Subject<'c>) -> Cell<'c>,
}

const fn column(name: &'static str, kind: Kind, cell: for<'c> fn(Subject<'c>) -> Cell<'c>) -> Column {
    Column {
        head: Head { name, kind },
        open: true,
        cell,
    }
}

const fn inner(name: &'static str, kind: Kind, cell: for<'c> fn(Subject<'c>) -> Cell<'c>) -> Column {
    Column {
        head: Head { name, kind },
        open: false,
        cell,
    }
}

/// Columns of what somebody wrote, and of addresses.
const TEXTS: [&str; 3] = ["status_notes", "description", "address"];

impl Column {
    /// Whether it holds what somebody wrote, or an address.
    pub(super) fn is_text(&self) -> bool {
        TEXTS.contains(&self.head.name)
    }
}

/// All columns. `cell_code` stands before the areas above it, so that an import of the file takes the narrowest.
pub(super) const COLUMNS: &[Column] = &[
    column("service_request_id", Kind::Text, |s| {
        Cell::owned(s.case.number.to_string())
    }),
    column("requested_datetime", Kind::Time, |s| {
        Cell::Time(s.case.times.reported_at)
    }),
    column("updated_datetime", Kind::Time, |s| {
        Cell::Time(s.case.times.updated_at)
    }),
    column("closed_date", Kind::Time, |s| Cell::time(s.case.times.closed_at)),
    column("status_description", Kind::Text, |s| {
        Cell::text(if s.case.state.is_open() { "open" } else { "closed" })
    }),
    column("status_notes", Kind::Text, |s| {
        masked(s, &s.case.resolution, public::resolution)
    }),
    column("source", Kind::Text, |s| Cell::text(s.case.channel.as_str())),
    column("service_name", Kind::Text, |s| {
        s.place
            .service(s.case.service.as_str())
            .map_or(Cell::None, |service| Cell::text(service.name.get(s.lang)))
    }),
    column("service_subtype", Kind::Text, |s| {
        standard(s).map_or(Cell::None, |standard| Cell::text(standard.condition.get(s.lang)))
    }),
    column("description", Kind::Text, |s| {
        masked(s, &s.case.description, public::description)
    }),
    column("agency_responsible", Kind::Text, |s| {
        let lead = s.case.lead.as_ref().and_then(|code| s.place.unit(code.as_str()));
        lead.map_or(Cell::None, |unit| Cell::text(unit.name.get(s.lang)))
    }),
    column("address", Kind::Text, |s| {
        masked(s, &s.case.location.address, public::address)
    }),
    column("lat", Kind::Float, |s| {
        s.case.location.point.map_or(Cell::None, |p| Cell::Float(p.lat))
    }),
    column("long", Kind::Float, |s| {
        s.case.location.point.map_or(Cell::None, |p| Cell::Float(p.lon))
    }),
    column("step", Kind::Text, |s| {
        Cell::text(Step::of(s.case.state).as_str())
    }),
    inner("stage", Kind::Text, |s| Cell::text(s.case.state.stage().as_str())),
    column("outcome", Kind::Text, |s| {
        // What a unit only claims is not yet how it ended.
        let ended = !matches!(s.case.state.stage(), Stage::Handled) || !s.open;
        let outcome = s.case.state.outcome().filter(|_| ended);
        outcome.map_or(Cell::None, |o| Cell::text(o.as_str()))
    }),
    column("service_code", Kind::Text, |s| {
        Cell::text(s.case.service.as_str())
    }),
    column("service_group", Kind::Text, |s| {
        let service = s.place.service(s.case.service.as_str());
        let group = service.and_then(|service| service.group.as_ref());
        group.map_or(Cell::None, |code| Cell::text(code.as_str()))
    }),
    column("standard_code", Kind::Text, |s| {
        s.case
            .standard
            .as_ref()
            .map_or(Cell::None, |code| Cell::text(code.as_str()))
    }),
    column("cell_code", Kind::Text, |s| area(s, Level::Cell)),
    column("community_code", Kind::Text, |s| area(s, Level::Community)),
    column("town_code", Kind::Text, |s| area(s, Level::Town)),
    column("city_code", Kind::Text, |s| area(s, Level::City)),
    column("lead_unit", Kind::Text, |s| {
        s.case
            .lead
            .as_ref()
            .map_or(Cell::None, |code| Cell::text(code.as_str()))
    }),
    column("accepted_at", Kind::Time, |s| {
        Cell::time(s.case.times.accepted_at)
    }),
    column("assigned_at", Kind::Time, |s| {
        Cell::time(s.case.times.assigned_at)
    }),
    column("signed_at", Kind::Time, |s| Cell::time(s.case.times.signed_at)),
    column("reported_in_at", Kind::Time, |s| {
        Cell::time(s.case.times.reported_in_at)
    }),
    column("handled_at", Kind::Time, |s| Cell::time(s.case.times.handled_at)),
    column("due_at", Kind::Time, |s| Cell::time(due_at(s.case))),
    column("on_time", Kind::Bool, |s| {
        on_time(s.case, s.now).map_or(Cell::None, Cell::Bool)
    }),
    column("reports", Kind::Int, |s| Cell::Int(s.case.reports.into())),
    column("returned", Kind::Int, |s| Cell::Int(s.case.flags.returned.into())),
    column("reworked", Kind::Int, |s| Cell::Int(s.case.flags.reworked.into())),
    column("reopened", Kind::Int, |s| Cell::Int(s.case.flags.reopened.into())),
    column("extended", Kind::Int, |s| Cell::Int(s.case.flags.extended.into())),
    column("parked_until", Kind::Date, |s| {
        s.case.flags.parked_until.map_or(Cell::None, Cell::Date)
    }),
    column("was_parked", Kind::Bool, |s| Cell::Bool(s.case.flags.was_parked)),
    column("verification", Kind::Text, |s| {
        standard(s).map_or(Cell::None, |standard| Cell::text(standard.verification.as_str()))
    }),
    column("on_the_spot", Kind::Bool, |s| {
        Cell::Bool(s.case.flags.on_the_spot)
    }),
    column("rating", Kind::Text, |s| {
        s.case.rating.map_or(Cell::None, |r| Cell::text(r.as_str()))
    }),
    column("duplicate_of", Kind::Text, |s| {
        s.case
            .duplicate_of
            .map_or(Cell::None, |n| Cell::owned(n.to_string()))
    }),
    inner("public", Kind::Bool, |s| Cell::Bool(s.case.public)),
    inner("supervised", Kind::Bool, |s| Cell::Bool(s.case.flags.supervised)),
    inner("supervision", Kind::Text, |s| {
        s.case
            .supervision
            .as_ref()
            .map_or(Cell::None, |watched| Cell::text(watched.kind.as_str()))
    }),
    inner("escalated", Kind::Text, |s| {
        s.case
            .flags
            .escalated
            .map_or(Cell::None, |tier| Cell::text(tier.as_str()))
    }),
    inner("joint_units", Kind::Text, |s| {
        Cell::list(s.case.joint.iter().map(|part| &part.unit))
    }),
    inner("joint_open", Kind::Int, |s| {
        Cell::Int(s.case.joint.iter().filter(|part| part.is_open()).count() as i64)
    }),
    inner("joint_overdue", Kind::Int, |s| {
        Cell::Int(s.case.joint.iter().filter(|part| part.is_overdue(s.now)).count() as i64)
    }),
    inner("asks_for", Kind::Text, |s| {
        match s.case.request.as_ref().map(|asked| asked.wish) {
            Some(Wish::Park { .. }) => Cell::text("park"),
            Some(Wish::Extend) => Cell::text("extend"),
            None => Cell::None,
        }
    }),
    inner("awaits_answer_until", Kind::Time, |s| {
        Cell::time(s.case.question.as_ref().map(|question| question.until))
    }),
    inner("merged_cases", Kind::Text, |s| Cell::list(s.case.absorbed.iter())),
    inner("split_from", Kind::Text, |s| Cell::list(s.case.split_from.iter())),
    inner("split_into", Kind::Text, |s| Cell::list(s.case.split_into.iter())),
    inner("recheck", Kind::Bool, |s| Cell::Bool(s.case.flags.recheck)),
    inner("right_unit", Kind::Text, |s| {
        s.case
            .right_unit
            .as_ref()
            .map_or(Cell::None, |code| Cell::text(code.as_str()))
    }),
    inner("fixer_unit", Kind::Text, |s| {
        s.case
            .fixer
            .as_ref()
            .map_or(Cell::None, |fixer| Cell::text(fixer.unit.as_str()))
    }),
    inner("place_version", Kind::Int, |s| {
        Cell::Int(s.case.place_version.into())
    }),
    inner("version", Kind::Int, |s| Cell::Int(s.case.version.into())),
];

fn standard(subject: Subject<'_>) -> Option<&Standard> {
    let code = subject.case.standard.as_ref()?;
    subject.place.standard(code.as_str())
}

fn masked<'c>(subject: Subject<'c>, raw: &'c str, mask: fn(&Case) -> String) -> Cell<'c> {
    if subject.open && !raw.is_empty() {
        Cell::owned(mask(subject.case))
    } else {
        Cell::text(raw)
    }
}

fn area(subject: Subject<'_>, level: Level) -> Cell<'_> {
    let code = subject.case.location.areas.at(level);
    code.map_or(Cell::None, |code| Cell::text(code.as_str()))
}

/// When the work is due; before a unit has it, when the clock that runs is.
fn due_at(case: &Case) -> Option<Timestamp> {
    let clocks = &case.clocks;
    let clock = clocks.get(ClockKind::Resolve).or_else(|| clocks.next_due());
    clock.map(|clock| clock.due_at)
}

/// Whether the work was handed in, or ended otherwise, in time. Not known while time is left or the clock stands.
fn on_time(case: &Case, now: Timestamp) -> Option<bool> {
    let clock = case.clocks.get(ClockKind::Resolve)?;
    if clock.stopped_at.is_some() || clock.is_overdue(now) {
        Some(!clock.is_overdue(now))
    } else {
        None
    }
}
