//! The columns of an export of whistles, and of the calls in them: one row for each unit that a whistle calls. For the staff
//! alone: the public is shown no whistle.

use jiff::Timestamp;
use whistle_domain::{
    case::Rating,
    clock::ClockKind,
    place::{Level, Place},
    whistle::{Call, CallState, Whistle},
    words::{Lang, UnitCode},
};

use super::column::{Cell, Head, Kind};

/// What the cells of a row are made from.
#[derive(Clone, Copy)]
pub(super) struct Subject<'w> {
    pub whistle: &'w Whistle,
    /// The call that the row is of; none in a table of whistles.
    pub call: Option<&'w Call>,
    pub place: &'w Place,
    pub lang: Lang,
    pub now: Timestamp,
}

/// One column.
pub(super) struct Column {
    pub head: Head,
    pub cell: for<'w> fn(Subject<'w>) -> Cell<'w>,
}

const fn column(name: &'static str, kind: Kind, cell: for<'w> fn(Subject<'w>) -> Cell<'w>) -> Column {
    Column {
        head: Head { name, kind },
        cell,
    }
}

/// A row for each whistle.
pub(super) const WHISTLES: &[Column] = &[
    column("whistle", Kind::Text, |s| {
        Cell::owned(s.whistle.number.to_string())
    }),
    column("kind", Kind::Text, |s| Cell::text(s.whistle.kind.as_str())),
    column("kind_name", Kind::Text, |s| {
        let kind = s.place.whistle_kind(s.whistle.kind.as_str());
        kind.map_or(Cell::None, |kind| Cell::text(kind.name.get(s.lang)))
    }),
    column("stage", Kind::Text, |s| Cell::text(s.whistle.stage.as_str())),
    column("station", Kind::Text, |s| {
        s.whistle
            .stations
            .first()
            .map_or(Cell::None, |unit| Cell::text(unit.as_str()))
    }),
    // The stations to which it was raised, the highest last.
    column("raised_to", Kind::Text, |s| {
        Cell::list(s.whistle.stations.iter().skip(1))
    }),
    column("level", Kind::Text, |s| Cell::text(s.whistle.level.as_str())),
    column("community_code", Kind::Text, |s| area(s, Level::Community)),
    column("town_code", Kind::Text, |s| area(s, Level::Town)),
    column("city_code", Kind::Text, |s| area(s, Level::City)),
    column("cases", Kind::Text, |s| Cell::list(s.whistle.cases.iter())),
    column("units", Kind::Text, |s| {
        Cell::list(s.whistle.calls.iter().map(|call| &call.unit))
    }),
    column("lead_unit", Kind::Text, |s| Cell::text(s.whistle.lead.as_str())),
    column("place", Kind::Text, |s| Cell::text(&s.whistle.place)),
    column("lat", Kind::Float, |s| {
        s.whistle.point.map_or(Cell::None, |p| Cell::Float(p.lat))
    }),
    column("long", Kind::Float, |s| {
        s.whistle.point.map_or(Cell::None, |p| Cell::Float(p.lon))
    }),
    column("meet_at", Kind::Time, |s| Cell::time(s.whistle.meet_at)),
    column("asked_at", Kind::Time, |s| Cell::Time(s.whistle.times.asked_at)),
    column("blown_at", Kind::Time, |s| Cell::time(s.whistle.times.blown_at)),
    column("closed_at", Kind::Time, |s| Cell::time(s.whistle.times.closed_at)),
    column("called", Kind::Int, |s| Cell::Int(s.whistle.calls.len() as i64)),
    column("reported_in", Kind::Int, |s| {
        count(s, |call| call.reported_in_at.is_some())
    }),
    column("refused", Kind::Int, |s| {
        count(s, |call| call.state == CallState::Refused)
    }),
    column("reported_in_late", Kind::Int, |s| {
        let now = s.now;
        count(s, |call| is_late(call, ClockKind::ReportIn, now))
    }),
    column("duties", Kind::Int, |s| Cell::Int(s.whistle.duties.len() as i64)),
    column("duties_done", Kind::Int, |s| {
        let done = s.whistle.duties.iter().filter(|duty| duty.done_at.is_some());
        Cell::Int(done.count() as i64)
    }),
    column("rated_good", Kind::Int, |s| rated(s, Rating::Good)),
    column("rated_fair", Kind::Int, |s| rated(s, Rating::Fair)),
    column("rated_poor", Kind::Int, |s| rated(s, Rating::Poor)),
    column("matter", Kind::Text, |s| Cell::text(&s.whistle.matter)),
    column("minutes", Kind::Text, |s| Cell::text(&s.whistle.minutes)),
    column("ending", Kind::Text, |s| Cell::text(&s.whistle.ending)),
    column("version", Kind::Int, |s| Cell::Int(s.whistle.version.into())),
];

/// A row for each unit that a whistle calls.
pub(super) const CALLS: &[Column] = &[
    column("whistle", Kind::Text, |s| {
        Cell::owned(s.whistle.number.to_string())
    }),
    column("kind", Kind::Text, |s| Cell::text(s.whistle.kind.as_str())),
    column("unit", Kind::Text, |s| {
        of_call(s, |call| Cell::text(call.unit.as_str()))
    }),
    column("unit_name", Kind::Text, |s| {
        let unit = s.call.and_then(|call| s.place.unit(call.unit.as_str()));
        unit.map_or(Cell::None, |unit| Cell::text(unit.name.get(s.lang)))
    }),
    column("leads", Kind::Bool, |s| match s.call {
        Some(call) => Cell::Bool(call.unit == s.whistle.lead),
        None => Cell::None,
    }),
    column("state", Kind::Text, |s| {
        of_call(s, |call| Cell::text(call.state.as_str()))
    }),
    // Before a whistle is blown nobody is called.
    column("called_at", Kind::Time, |s| match s.whistle.times.blown_at {
        Some(_) => of_call(s, |call| Cell::Time(call.called_at)),
        None => Cell::None,
    }),
    column("sign_due_at", Kind::Time, |s| due(s, ClockKind::Sign)),
    column("signed_at", Kind::Time, |s| {
        of_call(s, |call| Cell::time(call.signed_at))
    }),
    column("contact_due_at", Kind::Time, |s| due(s, ClockKind::Contact)),
    column("contacted_at", Kind::Time, |s| {
        of_call(s, |call| Cell::time(call.contacted_at))
    }),
    column("report_in_due_at", Kind::Time, |s| due(s, ClockKind::ReportIn)),
    column("reported_in_at", Kind::Time, |s| {
        of_call(s, |call| Cell::time(call.reported_in_at))
    }),
    column("reported_in_late", Kind::Bool, |s| match s.call {
        Some(call) if call.clocks.get(ClockKind::ReportIn).is_some() => {
            Cell::Bool(is_late(call, ClockKind::ReportIn, s.now))
        }
        _ => Cell::None,
    }),
    column("near", Kind::Bool, |s| {
        of_call(s, |call| call.near.map_or(Cell::None, Cell::Bool))
    }),
    column("confirmed_at", Kind::Time, |s| {
        of_call(s, |call| Cell::time(call.confirmed_at))
    }),
    column("left_at", Kind::Time, |s| {
        of_call(s, |call| Cell::time(call.left_at))
    }),
    column("reason", Kind::Text, |s| {
        of_call(s, |call| Cell::text(&call.reason))
    }),
    column("duties", Kind::Int, |s| Cell::Int(duties(s, |_| true))),
    column("duties_done", Kind::Int, |s| Cell::Int(duties(s, |done| done))),
    column("speed", Kind::Text, |s| {
        of_call(s, |call| {
            call.rating.map_or(Cell::None, |r| Cell::text(r.speed.as_str()))
        })
    }),
    column("quality", Kind::Text, |s| {
        of_call(s, |call| {
            call.rating.map_or(Cell::None, |r| Cell::text(r.quality.as_str()))
        })
    }),
    column("rating_of_whistle", Kind::Text, |s| {
        of_call(s, |call| {
            call.rating_of_whistle
                .map_or(Cell::None, |r| Cell::text(r.as_str()))
        })
    }),
];

fn of_call<'w>(subject: Subject<'w>, cell: impl Fn(&'w Call) -> Cell<'w>) -> Cell<'w> {
    subject.call.map_or(Cell::None, cell)
}

fn area(subject: Subject<'_>, level: Level) -> Cell<'_> {
    let code = subject.whistle.areas.at(level);
    code.map_or(Cell::None, |code| Cell::text(code.as_str()))
}

fn count(subject: Subject<'_>, which: impl Fn(&Call) -> bool) -> Cell<'static> {
    let calls = subject.whistle.calls.iter();
    Cell::Int(calls.filter(|call| which(call)).count() as i64)
}

fn rated(subject: Subject<'_>, rating: Rating) -> Cell<'static> {
    count(subject, |call| call.rating_of_whistle == Some(rating))
}

fn is_late(call: &Call, kind: ClockKind, now: Timestamp) -> bool {
    call.clocks.get(kind).is_some_and(|clock| clock.is_overdue(now))
}

fn due(subject: Subject<'_>, kind: ClockKind) -> Cell<'_> {
    let clock = subject.call.and_then(|call| call.clocks.get(kind));
    Cell::time(clock.map(|clock| clock.due_at))
}

/// The duties of the row's unit, by whether they are done.
fn duties(subject: Subject<'_>, which: impl Fn(bool) -> bool) -> i64 {
    let unit: Option<&UnitCode> = subject.call.map(|call| &call.unit);
    let own = subject
        .whistle
        .duties
        .iter()
        .filter(|duty| Some(&duty.unit) == unit);
    own.filter(|duty| which(duty.done_at.is_some())).count() as i64
}
