//! Why a limit ends when it does, as a list of spans and as a sentence.

use super::forward_clock::tomorrow;
use super::work_table::WorkingDate;
use super::{Calendar, Day, HolidayName, MICROS_PER_MINUTE, Span, instant, micros};
use crate::limit::{Limit, LimitUnit};
use crate::words::Lang;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// More spans than this are counted, not listed: a reader follows a dozen, not a year of days.
const MOST_PARTS: usize = 12;

/// Within this time a weekday alone tells the date.
const NAMED_BY_WEEKDAY: SignedDuration = SignedDuration::from_hours(6 * 24);

/// How a due came about: the spans from `start` to `due` in order and without holes, the first
/// `MOST_PARTS` (12) of them, and how many more there are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    pub start: Timestamp,
    pub due: Timestamp,
    pub limit: Limit,
    pub parts: Vec<Part>,
    /// Parts that are not listed.
    pub more: usize,
    #[serde(skip)]
    zone: TimeZone,
}

/// A span that counts towards the limit as a whole, or does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    pub from: Timestamp,
    pub to: Timestamp,
    pub kind: PartKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// All of the span's time counts.
    Counted,
    /// The span is this many working dates, each counted as one.
    CountedDates(u32),
    Skipped(Skip),
}

/// Why a span does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// Before the first and after the last slot of working dates.
    Night,
    /// Between two slots around noon.
    Lunch,
    /// Between two slots at another time of day.
    Break,
    /// Saturday and Sunday without slots, with the nights beside them.
    Weekend,
    /// Another weekday without slots, with the nights beside it.
    RestDay,
    /// With the nights beside it.
    Holiday(HolidayName),
    /// What is left of the date on which a limit of working days starts.
    StartDate,
    /// The clock stood: parked, or the reporter's papers were awaited. For working days, the dates so lost.
    Paused,
}

impl Skip {
    /// Whether the skip is of whole dates, which take in the nights beside them.
    fn swallows_nights(&self) -> bool {
        matches!(self, Skip::Weekend | Skip::RestDay | Skip::Holiday(_))
    }
}

/// Explains a limit; `pauses` are in order and without overlaps.
pub(super) fn explain(calendar: &Calendar, start: Timestamp, limit: Limit, pauses: &[Span]) -> Explanation {
    let from = micros(start);
    let due = calendar.due_micros(from, limit, pauses);
    let mut trail = Trail {
        start: from,
        due,
        parts: Vec::new(),
    };
    match limit.unit() {
        LimitUnit::RunningHours | LimitUnit::CalendarDays => {
            trail.add_around(pauses, (from, due), PartKind::Counted);
        }
        LimitUnit::WorkingHours => {
            trail.for_each_date(calendar, |trail, date| {
                add_hours_of(calendar, trail, date, pauses);
            });
        }
        LimitUnit::WorkingDays => {
            trail.for_each_date(calendar, |trail, date| add_date(calendar, trail, date, pauses));
        }
    }
    let mut parts = trail.parts;
    let more = parts.len().saturating_sub(MOST_PARTS);
    parts.truncate(MOST_PARTS);
    Explanation {
        start,
        due: instant(due).max(start),
        limit,
        parts,
        more,
        zone: calendar.zone().clone(),
    }
}

/// Adds the spans of one date for a limit of working hours.
fn add_hours_of(calendar: &Calendar, trail: &mut Trail, date: Date, pauses: &[Span]) {
    let clock = &calendar.clock;
    let (midnight, next_midnight) = (clock.midnight(date), clock.midnight(tomorrow(date)));
    let slots = match calendar.rules.day(date) {
        Day::Working(slots) => slots,
        idle => {
            trail.add_around(
                pauses,
                (midnight, next_midnight),
                PartKind::Skipped(idle_skip(date, &idle)),
            );
            return;
        }
    };
    let mut reached = midnight;
    let mut before = Skip::Night;
    for slot in slots {
        let (open, close) = (clock.minute(date, slot.start()), clock.minute(date, slot.end()));
        trail.add_around(pauses, (reached, open), PartKind::Skipped(before));
        trail.add_around(pauses, (open, close), PartKind::Counted);
        reached = close;
        let is_noon = (11 * 60..14 * 60).contains(&slot.end());
        before = if is_noon { Skip::Lunch } else { Skip::Break };
    }
    trail.add_around(pauses, (reached, next_midnight), PartKind::Skipped(Skip::Night));
}

/// Adds one date as a whole for a limit of working days.
fn add_date(calendar: &Calendar, trail: &mut Trail, date: Date, pauses: &[Span]) {
    let (midnight, next_midnight) = (
        calendar.clock.midnight(date),
        calendar.clock.midnight(tomorrow(date)),
    );
    let kind = match calendar.rules.day(date) {
        Day::Working(_) if midnight <= trail.start => PartKind::Skipped(Skip::StartDate),
        Day::Working(slots) => match WorkingDate::of(date, slots, &calendar.clock) {
            Some(worked) if calendar.loses_work(&worked, pauses) => PartKind::Skipped(Skip::Paused),
            Some(_) => PartKind::CountedDates(1),
            None => PartKind::Skipped(Skip::RestDay),
        },
        idle => PartKind::Skipped(idle_skip(date, &idle)),
    };
    trail.add((midnight, next_midnight), kind);
}

fn idle_skip(date: Date, day: &Day<'_>) -> Skip {
    match (day, date.weekday()) {
        (Day::Holiday(name), _) => Skip::Holiday((*name).clone()),
        (_, Weekday::Saturday | Weekday::Sunday) => Skip::Weekend,
        _ => Skip::RestDay,
    }
}

/// Collects spans in order, cut to the time from start to due, joining what belongs together.
struct Trail {
    start: i64,
    due: i64,
    parts: Vec<Part>,
}

impl Trail {
    fn for_each_date(&mut self, calendar: &Calendar, mut add: impl FnMut(&mut Self, Date)) {
        let mut date = calendar.clock.date(self.start);
        while calendar.clock.midnight(date) < self.due {
            add(self, date);
            date = tomorrow(date);
        }
    }

    /// Adds a span, cut where the clock stood.
    fn add_around(&mut self, pauses: &[Span], span: Span, kind: PartKind) {
        let (mut from, to) = span;
        let first = pauses.partition_point(|&(_, resume)| resume <= from);
        for &(pause, resume) in pauses[first..].iter().take_while(|&&(pause, _)| pause < to) {
            self.add((from, pause), kind.clone());
            self.add((pause.max(from), resume.min(to)), PartKind::Skipped(Skip::Paused));
            from = resume.min(to);
        }
        self.add((from, to), kind);
    }

    fn add(&mut self, span: Span, kind: PartKind) {
        let (from, to) = (span.0.max(self.start), span.1.min(self.due));
        if from >= to {
            return;
        }
        let to = instant(to);
        if let Some(last) = self.parts.last_mut()
            && let Some(joined) = joined(&last.kind, &kind)
        {
            last.kind = joined;
            last.to = to;
        } else {
            self.parts.push(Part {
                from: instant(from),
                to,
                kind,
            });
        }
    }
}

/// What two neighbouring spans are together, if they are told as one.
fn joined(before: &PartKind, after: &PartKind) -> Option<PartKind> {
    use PartKind::{CountedDates, Skipped};
    match (before, after) {
        (CountedDates(before), CountedDates(after)) => Some(CountedDates(before + after)),
        _ if before == after => Some(after.clone()),
        (Skipped(Skip::Night), Skipped(skip)) | (Skipped(skip), Skipped(Skip::Night))
            if skip.swallows_nights() =>
        {
            Some(Skipped(skip.clone()))
        }
        _ => None,
    }
}

impl Explanation {
    /// The explanation as one sentence on the place's civil clock, to the minute, without a full stop: "due
    /// Fri 2026-05-08 09:20: 4 working hours from Thu 2026-05-07 15:20; Thu 15:20–18:00 counts 2 h 40 min;
    /// the night does not count; Fri 08:00–09:20 counts 1 h 20 min".
    pub fn sentence(&self, lang: Lang) -> String {
        let (start, due) = (self.civil(self.start), self.civil(self.due));
        let limit = self.limit.describe(lang);
        let mut clauses = vec![match lang {
            Lang::En => format!(
                "due {}: {limit} from {}",
                full_time(due, lang),
                full_time(start, lang)
            ),
            Lang::Zh => {
                format!(
                    "{}到期：自{}起算，时限 {limit}",
                    full_time(due, lang),
                    full_time(start, lang)
                )
            }
        }];
        let goes_without_saying = self.parts.len() == 1 && self.parts[0].kind == PartKind::Counted;
        if !goes_without_saying {
            clauses.extend(self.parts.iter().map(|part| self.clause(part, lang)));
        }
        match (lang, self.more) {
            (_, 0) => {}
            (Lang::En, more) => clauses.push(format!("and {more} more")),
            (Lang::Zh, more) => clauses.push(format!("另有 {more} 段从略")),
        }
        clauses.join(match lang {
            Lang::En => "; ",
            Lang::Zh => "；",
        })
    }

    fn clause(&self, part: &Part, lang: Lang) -> String {
        let by_date = self.limit.unit() == LimitUnit::WorkingDays;
        let (times, dates) = (|| self.times(part, lang), || self.dates(part, lang));
        match (&part.kind, lang) {
            (PartKind::Counted, Lang::En) => format!("{} counts {}", times(), length(part, lang)),
            (PartKind::Counted, Lang::Zh) => format!("{} 计 {}", times(), length(part, lang)),
            (PartKind::CountedDates(1), Lang::En) => format!("{} counts 1 day", dates()),
            (PartKind::CountedDates(days), Lang::En) => format!("{} count {days} days", dates()),
            (PartKind::CountedDates(days), Lang::Zh) => format!("{}计 {days} 天", dates()),
            (PartKind::Skipped(skip), Lang::En) => match skip {
                Skip::Night => "the night does not count".to_owned(),
                Skip::Lunch => format!("lunch {} does not count", times()),
                Skip::Break => format!("the break {} does not count", times()),
                Skip::Weekend => "the weekend does not count".to_owned(),
                Skip::RestDay => "the day of rest does not count".to_owned(),
                Skip::Holiday(name) => format!("{} does not count", name.text(lang)),
                Skip::StartDate => format!("{}, the day of the start, does not count", dates()),
                Skip::Paused if by_date => format!("the pause {} does not count", dates()),
                Skip::Paused => format!("the pause {} does not count", times()),
            },
            (PartKind::Skipped(skip), Lang::Zh) => match skip {
                Skip::Night => "夜间不计".to_owned(),
                Skip::Lunch => format!("午休（{}）不计", times()),
                Skip::Break => format!("班间休息（{}）不计", times()),
                Skip::Weekend => "周末不计".to_owned(),
                Skip::RestDay => "休息日不计".to_owned(),
                Skip::Holiday(name) => format!("{}不计", name.text(lang)),
                Skip::StartDate => format!("{}为起算当日，不计", dates()),
                Skip::Paused if by_date => format!("{}暂停计时", dates()),
                Skip::Paused => format!("{} 暂停计时", times()),
            },
        }
    }

    /// "Thu 15:20–18:00", "Thu 15:20–Fri 09:20".
    fn times(&self, part: &Part, lang: Lang) -> String {
        let (from, to) = (self.civil(part.from), self.civil(part.to));
        let begins = format!("{} {}", self.date(from.date(), lang), hour(from));
        let to_midnight = to.time() == Time::midnight() && tomorrow(from.date()) == to.date();
        if to_midnight {
            format!("{begins}–24:00")
        } else if from.date() == to.date() {
            format!("{begins}–{}", hour(to))
        } else {
            format!("{begins}–{} {}", self.date(to.date(), lang), hour(to))
        }
    }

    /// "Thu", "Tue–Thu".
    fn dates(&self, part: &Part, lang: Lang) -> String {
        let last_moment = part.to - SignedDuration::from_micros(1);
        let (first, last) = (self.civil(part.from).date(), self.civil(last_moment).date());
        if first == last {
            return self.date(first, lang);
        }
        let joint = match lang {
            Lang::En => "–",
            Lang::Zh => "至",
        };
        format!("{}{joint}{}", self.date(first, lang), self.date(last, lang))
    }

    /// A date so short as the whole allows: "Thu", else "Thu 05-07".
    fn date(&self, date: Date, lang: Lang) -> String {
        let weekday = weekday(date, lang);
        if self.due.duration_since(self.start) < NAMED_BY_WEEKDAY {
            return weekday.to_owned();
        }
        match lang {
            Lang::En => format!("{weekday} {:02}-{:02}", date.month(), date.day()),
            Lang::Zh => format!("{}月{}日", date.month(), date.day()),
        }
    }

    fn civil(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }
}

/// "Thu 2026-05-07 15:20".
fn full_time(at: DateTime, lang: Lang) -> String {
    let weekday = weekday(at.date(), lang);
    match lang {
        Lang::En => format!("{weekday} {} {}", at.date(), hour(at)),
        Lang::Zh => format!(
            "{}年{}月{}日（{weekday}）{}",
            at.year(),
            at.month(),
            at.day(),
            hour(at)
        ),
    }
}

fn hour(at: DateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

fn weekday(date: Date, lang: Lang) -> &'static str {
    const EN: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const ZH: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
    let names = match lang {
        Lang::En => EN,
        Lang::Zh => ZH,
    };
    names[date.weekday().to_monday_zero_offset() as usize]
}

/// "2 h 40 min", between the minutes that a reader sees, so that the parts add up.
fn length(part: &Part, lang: Lang) -> String {
    let minute_of = |at| micros(at).div_euclid(MICROS_PER_MINUTE);
    let minutes = minute_of(part.to) - minute_of(part.from);
    match (lang, minutes / 60, minutes % 60) {
        (Lang::En, 0, minutes) => format!("{minutes} min"),
        (Lang::En, hours, 0) => format!("{hours} h"),
        (Lang::En, hours, minutes) => format!("{hours} h {minutes} min"),
        (Lang::Zh, 0, minutes) => format!("{minutes} 分钟"),
        (Lang::Zh, hours, 0) => format!("{hours} 小时"),
        (Lang::Zh, hours, minutes) => format!("{hours} 小时 {minutes} 分"),
    }
}
