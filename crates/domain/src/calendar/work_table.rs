//! The working time of some years, laid out so that every question is a binary search.

use super::forward_clock::{ForwardClock, tomorrow};
use super::{CalendarRules, Day, Slot, Span};
use jiff::civil::Date;
use std::ops::RangeInclusive;

/// Working time from one New Year to another, in microseconds UTC.
#[derive(Clone)]
pub(super) struct WorkTable {
    start: i64,
    end: i64,
    slots: Vec<WorkedSlot>,
    dates: Vec<WorkingDate>,
}

/// One slot of one date. Slots are in order and never overlap, nor are they empty.
#[derive(Clone)]
struct WorkedSlot {
    start: i64,
    end: i64,
    /// Working time in this table before the slot.
    worked_before: i64,
}

/// A date with working time.
#[derive(Clone)]
pub(super) struct WorkingDate {
    pub(super) midnight: i64,
    pub(super) open: i64,
    pub(super) close: i64,
}

impl WorkingDate {
    /// The date as worked with these slots; none if the clock jumped over all of them.
    pub(super) fn of(date: Date, slots: &[Slot], clock: &ForwardClock) -> Option<Self> {
        let mut worked = worked_slots(date, slots, clock);
        let (open, first_close) = worked.next()?;
        let close = worked.last().map_or(first_close, |(_, close)| close);
        Some(Self {
            midnight: clock.midnight(date),
            open,
            close,
        })
    }
}

/// When the slots of a date begin and end. Leaves out those that fall wholly into an hour, or a date, that
/// the clock jumped over.
fn worked_slots(date: Date, slots: &[Slot], clock: &ForwardClock) -> impl Iterator<Item = Span> {
    let spans = slots
        .iter()
        .map(move |slot| (clock.minute(date, slot.start), clock.minute(date, slot.end)));
    spans.filter(|(start, end)| start < end)
}

impl WorkTable {
    pub(super) fn of_years(rules: &CalendarRules, clock: &ForwardClock, years: RangeInclusive<i16>) -> Self {
        let new_year = |year| Date::new(year, 1, 1).expect("the calendar stays within years that have dates");
        let (mut date, after_last) = (new_year(*years.start()), new_year(years.end() + 1));
        let (start, end) = (clock.midnight(date), clock.midnight(after_last));
        let mut slots: Vec<WorkedSlot> = Vec::new();
        let mut dates = Vec::new();
        let mut worked = 0;
        while date < after_last {
            if let Day::Working(of_date) = rules.day(date) {
                for (start, end) in worked_slots(date, of_date, clock) {
                    slots.push(WorkedSlot {
                        start,
                        end,
                        worked_before: worked,
                    });
                    worked += end - start;
                }
                dates.extend(WorkingDate::of(date, of_date, clock));
            }
            date = tomorrow(date);
        }
        Self {
            start,
            end,
            slots,
            dates,
        }
    }

    /// Where the table ends, exclusive.
    pub(super) const fn end(&self) -> i64 {
        self.end
    }

    pub(super) const fn holds(&self, at: i64) -> bool {
        self.start <= at && at < self.end
    }

    pub(super) fn is_working(&self, at: i64) -> bool {
        self.slot_at_or_after(at).is_some_and(|slot| slot.start <= at)
    }

    /// Working time from the table's start until `at`, which lies in the table or at its end.
    pub(super) fn worked_until(&self, at: i64) -> i64 {
        match self.slot_at_or_after(at) {
            Some(slot) => slot.worked_before + (at - slot.start).max(0),
            None => self.worked(),
        }
    }

    /// The first instant by which `need` > 0 of working time has passed since `from`, or how much is
    /// lacking when the table ends.
    pub(super) fn after_work(&self, from: i64, need: i64) -> Result<i64, i64> {
        let goal = self.worked_until(from) + need;
        if goal > self.worked() {
            return Err(goal - self.worked());
        }
        // The last slot that begins before the goal is reached. It ends at the goal rather than the next
        // slot beginning there: a deadline at closing time is at closing time.
        let later = self.slots.partition_point(|slot| slot.worked_before < goal);
        let slot = &self.slots[later - 1];
        Ok(slot.start + (goal - slot.worked_before))
    }

    /// The working dates that begin after `at`.
    pub(super) fn dates_after(&self, at: i64) -> &[WorkingDate] {
        let first = self.dates.partition_point(|date| date.midnight <= at);
        &self.dates[first..]
    }

    fn slot_at_or_after(&self, at: i64) -> Option<&WorkedSlot> {
        let first = self.slots.partition_point(|slot| slot.end <= at);
        self.slots.get(first)
    }

    fn worked(&self) -> i64 {
        self.slots
            .last()
            .map_or(0, |slot| slot.worked_before + slot.end - slot.start)
    }
}
