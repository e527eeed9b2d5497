//! When work is done in a place, and so when a limit ends.
//!
//! A calendar knows the place's time zone, its weekly working slots, its holidays and its make-up working
//! days (调休). It turns a start and a [`Limit`] into a due instant and can say why. It knows nothing of
//! cases, and it never asks what time it is.
//!
//! All answers are exact to the microsecond, as instants are stored; what is finer is cut off.
//!
//! Two promises hold for every unit, whatever the calendar: a later start never gives an earlier due, and a
//! pause never makes a due earlier. Where the civil clock misbehaves (daylight saving) it is therefore read
//! as a clock that only goes forward: civil times that never happen mean the instant of the jump, and while
//! an hour is repeated the civil clock stands still.

mod explanation;
mod forward_clock;
#[cfg(test)]
mod tests;
mod work_table;

pub use explanation::{Explanation, Part, PartKind, Skip};

use crate::limit::{Limit, LimitUnit};
use crate::words::Lang;
use forward_clock::ForwardClock;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use thiserror::Error;
use work_table::{WorkTable, WorkingDate};

const MICROS_PER_MINUTE: i64 = 60_000_000;
const MICROS_PER_DAY: i64 = 24 * 60 * MICROS_PER_MINUTE;

/// The years whose working time is laid out in memory, about 1 MB. Other years answer too, but are laid out
/// anew on each call. From the oldest cases anyone imports to ten years past any deadline we shall see.
const HORIZON: RangeInclusive<i16> = 2015..=2060;

/// Instants outside the years 1 to 9000 are read as these ends, so that no date arithmetic can overflow.
const EARLIEST: i64 = -62_135_596_800_000_000;
const LATEST: i64 = 221_845_392_000_000_000;

/// With less working time a week, a limit of some hours would end in another generation: a slip of the pen.
const LEAST_WORK_A_WEEK: u32 = 60;

/// Some forty years of holidays and make-up days; bounds what a place folder can make us hold.
const MOST_SPECIAL_DATES: usize = 2_000;

/// One stretch of working time within a date, in minutes since midnight on the civil clock: `08:00-12:00`.
/// The end may be `24:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slot {
    start: u16,
    end: u16,
}

impl Slot {
    /// A slot from `start` to `end`, in minutes since midnight; refuses an end that is not after the start
    /// or is after 24:00.
    pub fn new(start: u16, end: u16) -> Result<Self, CalendarError> {
        if start < end && end <= 24 * 60 {
            Ok(Self { start, end })
        } else {
            Err(CalendarError::InvertedSlot {
                start: time_of(start),
                end: time_of(end),
            })
        }
    }

    /// Minutes since midnight.
    pub const fn start(self) -> u16 {
        self.start
    }

    /// Minutes since midnight, at most 1440.
    pub const fn end(self) -> u16 {
        self.end
    }
}

fn time_of(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Minutes since midnight of a civil time `HH:MM`, up to 24:00.
fn minute_of(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let is_digits = |part: &str, most: usize| {
        (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_digits(hour, 2) || !is_digits(minute, 2) || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let of_day = hour * 60 + minute;
    (minute < 60 && of_day <= 24 * 60).then_some(of_day)
}

impl fmt::Display for Slot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", time_of(self.start), time_of(self.end))
    }
}

impl FromStr for Slot {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let no_slot = || CalendarError::NotASlot {
            text: text.to_owned(),
        };
        let (start, end) = text.split_once(['-', '–']).ok_or_else(no_slot)?;
        let (start, end) = minute_of(start).zip(minute_of(end)).ok_or_else(no_slot)?;
        Slot::new(start, end)
    }
}

impl From<Slot> for String {
    fn from(slot: Slot) -> Self {
        slot.to_string()
    }
}

impl TryFrom<String> for Slot {
    type Error = CalendarError;

    fn try_from(text: String) -> Result<Self, CalendarError> {
        text.parse()
    }
}

/// What a holiday is called; either language may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HolidayName {
    #[serde(default)]
    pub zh: Option<String>,
    #[serde(default)]
    pub en: Option<String>,
}

impl HolidayName {
    /// The name in `lang`, else in the other language, else a general word.
    pub fn text(&self, lang: Lang) -> &str {
        let (wanted, other, general) = match lang {
            Lang::Zh => (&self.zh, &self.en, "节假日"),
            Lang::En => (&self.en, &self.zh, "the holiday"),
        };
        wanted.as_deref().or(other.as_deref()).unwrap_or(general)
    }
}

/// A date on which nobody works, whatever its weekday.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    pub date: Date,
    #[serde(default)]
    pub name: HolidayName,
}

/// A date that is worked with the slots of the weekday `like`, whatever its own weekday (调休上班).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeUpDay {
    pub date: Date,
    #[serde(with = "weekday_name", default = "monday")]
    pub like: Weekday,
}

impl MakeUpDay {
    /// A make-up day that is worked like a Monday.
    pub const fn new(date: Date) -> Self {
        Self {
            date,
            like: Weekday::Monday,
        }
    }
}

fn monday() -> Weekday {
    Weekday::Monday
}

const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "monday"),
    (Weekday::Tuesday, "tuesday"),
    (Weekday::Wednesday, "wednesday"),
    (Weekday::Thursday, "thursday"),
    (Weekday::Friday, "friday"),
    (Weekday::Saturday, "saturday"),
    (Weekday::Sunday, "sunday"),
];

fn weekday_text(weekday: Weekday) -> &'static str {
    WEEKDAYS[weekday.to_monday_zero_offset() as usize].1
}

mod weekday_name {
    use super::{WEEKDAYS, Weekday, weekday_text};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub fn serialize<S: Serializer>(weekday: &Weekday, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(weekday_text(*weekday))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Weekday, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = WEEKDAYS.iter().find(|(_, name)| *name == text);
        known
            .map(|(weekday, _)| *weekday)
            .ok_or_else(|| D::Error::custom(format!("\"{text}\" is no weekday; write monday to sunday")))
    }
}

/// What a calendar is made of, as its place states it. [`Calendar::new`] checks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarRules {
    /// The time zone's IANA name, such as `Asia/Shanghai`.
    pub zone: String,
    /// The working slots of each weekday, Monday first; an empty list is a day of rest.
    pub week: [Vec<Slot>; 7],
    #[serde(default)]
    pub holidays: Vec<Holiday>,
    #[serde(default)]
    pub make_up_days: Vec<MakeUpDay>,
}

impl CalendarRules {
    /// Monday to Friday, 08:00–12:00 and 14:00–18:00, no holidays: what most places begin with.
    pub fn office_week(zone: &str) -> Self {
        let slots = || {
            vec![
                Slot {
                    start: 8 * 60,
                    end: 12 * 60,
                },
                Slot {
                    start: 14 * 60,
                    end: 18 * 60,
                },
            ]
        };
        let week = [
            slots(),
            slots(),
            slots(),
            slots(),
            slots(),
            Vec::new(),
            Vec::new(),
        ];
        Self {
            zone: zone.to_owned(),
            week,
            holidays: Vec::new(),
            make_up_days: Vec::new(),
        }
    }

    fn slots_of(&self, weekday: Weekday) -> &[Slot] {
        &self.week[weekday.to_monday_zero_offset() as usize]
    }

    /// What kind of date this is. Needs the special dates in order.
    fn day(&self, date: Date) -> Day<'_> {
        if let Ok(found) = self.holidays.binary_search_by_key(&date, |holiday| holiday.date) {
            return Day::Holiday(&self.holidays[found].name);
        }
        let weekday = match self.make_up_days.binary_search_by_key(&date, |day| day.date) {
            Ok(found) => self.make_up_days[found].like,
            Err(_) => date.weekday(),
        };
        match self.slots_of(weekday) {
            [] => Day::Rest,
            slots => Day::Working(slots),
        }
    }

    /// Puts slots and special dates in order and refuses what contradicts itself.
    fn in_order(mut self) -> Result<Self, CalendarError> {
        for ((weekday, _), slots) in WEEKDAYS.iter().zip(&mut self.week) {
            slots.sort_unstable();
            if let Some(pair) = slots.windows(2).find(|pair| pair[1].start < pair[0].end) {
                let weekday = weekday_text(*weekday);
                return Err(CalendarError::OverlappingSlots {
                    weekday,
                    first: pair[0],
                    second: pair[1],
                });
            }
        }
        let minutes: u32 = self
            .week
            .iter()
            .flatten()
            .map(|slot| u32::from(slot.end - slot.start))
            .sum();
        if minutes < LEAST_WORK_A_WEEK {
            return Err(CalendarError::TooLittleWork { minutes });
        }

        let special_dates = self.holidays.len() + self.make_up_days.len();
        if special_dates > MOST_SPECIAL_DATES {
            return Err(CalendarError::TooManyDates { count: special_dates });
        }
        self.holidays.sort_by_key(|holiday| holiday.date);
        self.make_up_days.sort_by_key(|day| day.date);
        let holiday_twice = self.holidays.windows(2).find(|pair| pair[0].date == pair[1].date);
        let make_up_twice = self
            .make_up_days
            .windows(2)
            .find(|pair| pair[0].date == pair[1].date);
        if let Some(date) = holiday_twice
            .map(|pair| pair[0].date)
            .or(make_up_twice.map(|pair| pair[0].date))
        {
            return Err(CalendarError::DateTwice { date });
        }
        for MakeUpDay { date, like } in &self.make_up_days {
            if self
                .holidays
                .binary_search_by_key(date, |holiday| holiday.date)
                .is_ok()
            {
                return Err(CalendarError::HolidayAndMakeUpDay { date: *date });
            }
            if self.slots_of(*like).is_empty() {
                return Err(CalendarError::IdleMakeUpDay {
                    date: *date,
                    like: weekday_text(*like),
                });
            }
        }
        Ok(self)
    }
}

/// What kind of date it is.
enum Day<'a> {
    Working(&'a [Slot]),
    /// No slots on this weekday.
    Rest,
    Holiday(&'a HolidayName),
}

/// Why rules make no calendar.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CalendarError {
    #[error("\"{text}\" is no working slot; write 08:00-12:00, up to 24:00")]
    NotASlot { text: String },
    #[error(
        "working slot {start}-{end} does not end after it starts; write the earlier time first, up to 24:00"
    )]
    InvertedSlot { start: String, end: String },
    #[error("{weekday} has the overlapping slots {first} and {second}; join them or part them")]
    OverlappingSlots {
        weekday: &'static str,
        first: Slot,
        second: Slot,
    },
    #[error("the week has {minutes} working minutes; give it slots of at least 60 minutes in all")]
    TooLittleWork { minutes: u32 },
    #[error("{date} is both a holiday and a make-up working day; strike one of the two")]
    HolidayAndMakeUpDay { date: Date },
    #[error("{date} is listed twice; strike one of the two")]
    DateTwice { date: Date },
    #[error("make-up day {date} is worked like a {like}, which has no slots; name a weekday that is worked")]
    IdleMakeUpDay { date: Date, like: &'static str },
    #[error("{count} holidays and make-up days are too many; keep at most 2000 and strike the oldest")]
    TooManyDates { count: usize },
    #[error("time zone \"{zone}\" is unknown; write an IANA name such as Asia/Shanghai or Europe/Zurich")]
    UnknownZone { zone: String },
}

/// The working time of one place, ready to answer. See the module's head for what it promises.
///
/// Equal calendars give equal answers; in JSON a calendar is its [`CalendarRules`] in canonical order, so
/// that a hash of that text notices every change.
#[derive(Clone)]
pub struct Calendar {
    rules: CalendarRules,
    clock: ForwardClock,
    horizon: WorkTable,
}

impl Calendar {
    /// Checks the rules and lays out the working time of some decades, which takes milliseconds: make a
    /// calendar once per place version. The zone comes from the system's time zone database.
    pub fn new(rules: CalendarRules) -> Result<Self, CalendarError> {
        Self::with_horizon(rules, HORIZON)
    }

    fn with_horizon(rules: CalendarRules, horizon: RangeInclusive<i16>) -> Result<Self, CalendarError> {
        let mut rules = rules.in_order()?;
        let unknown = || CalendarError::UnknownZone {
            zone: rules.zone.clone(),
        };
        let zone = TimeZone::get(rules.zone.trim()).map_err(|_| unknown())?;
        let name = zone.iana_name().ok_or_else(unknown)?.to_owned();
        rules.zone = name;
        let clock = ForwardClock::new(zone);
        let horizon = WorkTable::of_years(&rules, &clock, horizon);
        Ok(Self {
            rules,
            clock,
            horizon,
        })
    }

    /// The rules the calendar was made of, in canonical order.
    pub const fn rules(&self) -> &CalendarRules {
        &self.rules
    }

    pub const fn zone(&self) -> &TimeZone {
        self.clock.zone()
    }

    /// When a date begins: its midnight, or the moment of the jump where that is jumped over.
    pub fn start_of(&self, date: Date) -> Timestamp {
        instant(self.clock.midnight(date))
    }

    /// When a window of whole days ends that begins at `start`: at the same time of day so many dates later, as a limit of
    /// calendar days does.
    pub fn days_after(&self, start: Timestamp, days: u16) -> Timestamp {
        let end = self.clock.civil(micros(start)) + i64::from(days) * MICROS_PER_DAY;
        instant(self.clock.instant(end.min(LATEST))).max(start)
    }

    /// Whether work is done at this instant. A slot's end is no longer working time.
    pub fn is_working(&self, at: Timestamp) -> bool {
        let at = micros(at);
        self.table_at(at).is_working(at)
    }

    /// The working time from `from` to `to`; negative when `to` is the earlier one.
    pub fn working_between(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        let (from, to) = (micros(from), micros(to));
        let worked = if from <= to {
            self.worked(from, to)
        } else {
            -self.worked(to, from)
        };
        SignedDuration::from_micros(worked)
    }

    /// When a limit ends that starts at `start`.
    ///
    /// - **Running hours** count all the time.
    /// - **Working hours** count in working slots only. The due lies in working time or at its very end:
    ///   four hours from Friday 14:00 are due Friday 18:00, not Monday 08:00.
    /// - **Working days** count whole working dates. The date of the start does not count (as in Civil Code
    ///   of the PRC, art. 201); due is the close of the Nth working date after it. With an office week: one
    ///   working day from Friday 09:00, Friday 19:00, Saturday or Sunday is due Monday 18:00; from Monday
    ///   00:00 on it is due Tuesday 18:00.
    /// - **Calendar days**: the same civil time N dates later. The due may fall outside working time.
    ///
    /// A due past the year 9000 is given as its beginning, or as `start` when that is later.
    pub fn due(&self, start: Timestamp, limit: Limit) -> Timestamp {
        self.due_with_pauses(start, limit, &[])
    }

    /// When a limit ends whose clock stands during `pauses`, given in any order as (from, until);
    /// overlapping ones count once, inverted ones not at all. What lies before the start takes nothing
    /// away.
    ///
    /// - **Running hours** and **working hours**: time inside a pause does not count. When the limit is
    ///   used up at the moment a pause begins, it is due then.
    /// - **Working days**: only a full working date counts, so a date that loses any working time to a
    ///   pause does not. Parked Tuesday 10:00 to Wednesday 15:00, three working days from Monday are due
    ///   next Monday 18:00: Thursday, Friday, Monday. A pause in the lunch break or at night costs nothing.
    /// - **Calendar days**: the due moves later by the pause's length on the civil clock.
    pub fn due_with_pauses(
        &self,
        start: Timestamp,
        limit: Limit,
        pauses: &[(Timestamp, Timestamp)],
    ) -> Timestamp {
        let due = self.due_micros(micros(start), limit, &merged(pauses));
        instant(due).max(start)
    }

    /// When so many hundredths of a limit have passed; a hundred of them are [`Calendar::due_with_pauses`]. A part of a
    /// working day is that part of the working time of the date after the whole ones.
    pub fn share_with_pauses(
        &self,
        start: Timestamp,
        limit: Limit,
        hundredths: u32,
        pauses: &[(Timestamp, Timestamp)],
    ) -> Timestamp {
        let reached = self.share_micros(micros(start), limit, hundredths, &merged(pauses));
        instant(reached).max(start)
    }

    /// Why a limit ends when it does: [`Calendar::due`] with the spans that count and those that do not.
    pub fn explain(&self, start: Timestamp, limit: Limit) -> Explanation {
        self.explain_with_pauses(start, limit, &[])
    }

    /// Why a limit with pauses ends when it does; see [`Calendar::due_with_pauses`].
    pub fn explain_with_pauses(
        &self,
        start: Timestamp,
        limit: Limit,
        pauses: &[(Timestamp, Timestamp)],
    ) -> Explanation {
        explanation::explain(self, start, limit, &merged(pauses))
    }

    fn due_micros(&self, start: i64, limit: Limit, pauses: &[Span]) -> i64 {
        self.share_micros(start, limit, 100, pauses)
    }

    fn share_micros(&self, start: i64, limit: Limit, hundredths: u32, pauses: &[Span]) -> i64 {
        if hundredths == 0 {
            return start;
        }
        // In hundredths of a minute or a day; far from overflow, as limits end after ten years.
        let amount = i64::from(limit.amount()) * i64::from(hundredths);
        let elapsed = |from, to| to - from;
        let after = |from, need| from + need;
        match limit.unit() {
            LimitUnit::RunningHours => {
                through_pauses(start, amount * (MICROS_PER_MINUTE / 100), pauses, elapsed, after)
            }
            LimitUnit::WorkingHours => through_pauses(
                start,
                amount * (MICROS_PER_MINUTE / 100),
                pauses,
                |from, to| self.worked(from, to),
                |from, need| self.after_work(from, need),
            ),
            LimitUnit::WorkingDays => self.after_dates(start, amount, pauses),
            LimitUnit::CalendarDays => {
                let on_civil_clock =
                    |&(from, until): &Span| (self.clock.civil(from), self.clock.civil(until));
                let pauses: Vec<Span> = pauses.iter().map(on_civil_clock).collect();
                let start = self.clock.civil(start);
                let due = through_pauses(start, amount * (MICROS_PER_DAY / 100), &pauses, elapsed, after);
                self.clock.instant(due)
            }
        }
    }

    /// Working microseconds from `from` to `to`, which is not earlier.
    fn worked(&self, from: i64, to: i64) -> i64 {
        let mut from = from;
        let mut worked = 0;
        loop {
            let table = self.table_at(from);
            worked += table.worked_until(to.min(table.end())) - table.worked_until(from);
            from = table.end();
            if to <= from {
                return worked;
            }
        }
    }

    /// The first instant by which `need` working microseconds, at least one, have passed since `from`.
    fn after_work(&self, from: i64, need: i64) -> i64 {
        let (mut from, mut need) = (from, need);
        while from < LATEST {
            let table = self.table_at(from);
            match table.after_work(from, need) {
                Ok(reached) => return reached,
                Err(lacking) => need = lacking,
            }
            from = table.end();
        }
        LATEST
    }

    /// When so many hundredths of full working dates have passed after the date of `start`.
    fn after_dates(&self, start: i64, hundredths: i64, pauses: &[Span]) -> i64 {
        let mut from = start;
        let mut left = hundredths;
        while from < LATEST {
            let table = self.table_at(from);
            for date in table.dates_after(start) {
                if self.loses_work(date, pauses) {
                    continue;
                }
                if left < 100 {
                    let work = self.worked(date.open, date.close) * left / 100;
                    return self.after_work(date.open, work.max(1));
                }
                left -= 100;
                if left == 0 {
                    return date.close;
                }
            }
            from = table.end();
        }
        LATEST
    }

    /// Whether a pause takes working time from this date.
    fn loses_work(&self, date: &WorkingDate, pauses: &[Span]) -> bool {
        pauses.iter().any(|&(from, until)| {
            let (from, until) = (from.max(date.open), until.min(date.close));
            from < until && self.worked(from, until) > 0
        })
    }

    /// A table of working time that holds this instant.
    fn table_at(&self, at: i64) -> Cow<'_, WorkTable> {
        if self.horizon.holds(at) {
            return Cow::Borrowed(&self.horizon);
        }
        let year_of = |year| WorkTable::of_years(&self.rules, &self.clock, year..=year);
        let year = self.clock.date(at).year();
        let table = year_of(year);
        // Where the clocks go back at New Year's midnight, the last hour of the old year is read as the new
        // one.
        let table = if table.holds(at) { table } else { year_of(year + 1) };
        Cow::Owned(table)
    }
}

impl PartialEq for Calendar {
    fn eq(&self, other: &Self) -> bool {
        self.rules == other.rules
    }
}

impl Eq for Calendar {}

impl fmt::Debug for Calendar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Calendar").field(&self.rules).finish()
    }
}

impl Serialize for Calendar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rules.serialize(serializer)
    }
}

/// A stretch of time in microseconds, from and until.
type Span = (i64, i64);

fn micros(at: Timestamp) -> i64 {
    // Floor also before 1970, where as_microsecond would cut towards zero and so forward in time.
    let nanos = at.as_nanosecond().div_euclid(1_000);
    (nanos as i64).clamp(EARLIEST, LATEST)
}

fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).expect("years 1 to 9999 are within a timestamp's range")
}

/// The pauses in order, without overlaps.
fn merged(pauses: &[(Timestamp, Timestamp)]) -> Vec<Span> {
    let mut given: Vec<Span> = pauses
        .iter()
        .map(|&(from, until)| (micros(from), micros(until)))
        .filter(|(from, until)| from < until)
        .collect();
    given.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(given.len());
    for (from, until) in given {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => merged.push((from, until)),
        }
    }
    merged
}

/// Walks a clock that stands during `pauses`: when has `need` of counted time passed since `start`?
/// `counted` measures the time between two points, `after` finds the point where an amount has passed.
fn through_pauses(
    start: i64,
    need: i64,
    pauses: &[Span],
    counted: impl Fn(i64, i64) -> i64,
    after: impl Fn(i64, i64) -> i64,
) -> i64 {
    let (mut from, mut need) = (start, need);
    for &(pause, resume) in pauses {
        if resume <= from {
            continue;
        }
        let before_pause = counted(from, pause.max(from));
        if need <= before_pause {
            break;
        }
        need -= before_pause;
        from = resume;
    }
    after(from, need)
}
