//! The civil clock of a time zone, read so that it only goes forward.
//!
//! Civil clocks jump (a gap: 02:00 becomes 03:00) and fall back (a fold: 02:00 to 03:00 happens twice).
//! Here a civil time inside a gap means the instant of the jump, one inside a fold its first occurrence;
//! and during the second pass of a fold the clock stands at the fold's end. Both readings are then
//! monotone, which every promise of the calendar rests on.

use super::instant;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

#[derive(Clone)]
pub(super) struct ForwardClock {
    zone: TimeZone,
}

impl ForwardClock {
    pub(super) const fn new(zone: TimeZone) -> Self {
        Self { zone }
    }

    pub(super) const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The date an instant lies in.
    pub(super) fn date(&self, at: i64) -> Date {
        self.zone.to_datetime(instant(at)).date()
    }

    /// The instant a date begins.
    pub(super) fn midnight(&self, date: Date) -> i64 {
        self.instant_of(date.to_datetime(Time::midnight()))
    }

    /// The instant of a minute of a date, where 1440 is the next date's beginning.
    pub(super) fn minute(&self, date: Date, minute: u16) -> i64 {
        let (hour, minute) = ((minute / 60) as i8, (minute % 60) as i8);
        match hour {
            24 => self.midnight(tomorrow(date)),
            _ => self.instant_of(date.at(hour, minute, 0, 0)),
        }
    }

    /// What the civil clock shows at an instant, in microseconds since 1970-01-01 00:00 on that clock.
    pub(super) fn civil(&self, at: i64) -> i64 {
        let offset = self.zone.to_offset(instant(at));
        match self
            .zone
            .to_ambiguous_timestamp(offset.to_datetime(instant(at)))
            .offset()
        {
            AmbiguousOffset::Fold { before, after } if offset == after => {
                shifted(self.transition_until(instant(at)), before)
            }
            _ => shifted(at, offset),
        }
    }

    /// The instant at which the civil clock shows this; the inverse of [`ForwardClock::civil`].
    pub(super) fn instant(&self, civil: i64) -> i64 {
        self.instant_of(Offset::UTC.to_datetime(instant(civil)))
    }

    fn instant_of(&self, civil: DateTime) -> i64 {
        let reading = self.zone.to_ambiguous_timestamp(civil);
        let is_gap = matches!(reading.offset(), AmbiguousOffset::Gap { .. });
        let at = reading
            .compatible()
            .expect("the calendar stays within the years a timestamp can hold");
        if is_gap {
            self.transition_until(at)
        } else {
            at.as_microsecond()
        }
    }

    /// The last change of the zone's offset at or before an instant that is known to follow one.
    fn transition_until(&self, at: Timestamp) -> i64 {
        let just_after = instant(at.as_microsecond() + 1);
        let transition = self.zone.preceding(just_after).next();
        transition
            .map_or(at, |change| change.timestamp())
            .as_microsecond()
    }
}

fn shifted(at: i64, offset: Offset) -> i64 {
    at + i64::from(offset.seconds()) * 1_000_000
}

pub(super) fn tomorrow(date: Date) -> Date {
    date.tomorrow()
        .expect("the calendar ends long before the last date")
}
