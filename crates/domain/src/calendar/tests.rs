//! Hand-worked examples, then the promises as properties over random calendars.

use super::*;
use jiff::civil::{DateTime, date};
use proptest::prelude::*;

/// The mainland's office week of 2026 around National Day: off from Thursday 1 to Wednesday 7 October, made
/// up on Sunday 20 September and Saturday 10 October.
fn national_day_2026() -> Calendar {
    let mut rules = CalendarRules::office_week("Asia/Shanghai");
    let name = HolidayName {
        zh: Some("国庆节".into()),
        en: Some("National Day".into()),
    };
    rules.holidays = (1..=7)
        .map(|day| Holiday {
            date: date(2026, 10, day),
            name: name.clone(),
        })
        .collect();
    rules.make_up_days = vec![
        MakeUpDay::new(date(2026, 10, 10)),
        MakeUpDay::new(date(2026, 9, 20)),
    ];
    short(rules)
}

fn zurich() -> Calendar {
    short(CalendarRules::office_week("Europe/Zurich"))
}

/// A calendar with two years laid out, so that tests are quick and meet both sides of the horizon.
fn short(rules: CalendarRules) -> Calendar {
    Calendar::with_horizon(rules, 2025..=2026).unwrap()
}

fn limit(text: &str) -> Limit {
    text.parse().unwrap()
}

fn at(calendar: &Calendar, civil: &str) -> Timestamp {
    calendar
        .zone()
        .to_timestamp(civil.parse::<DateTime>().unwrap())
        .unwrap()
}

fn civil(calendar: &Calendar, at: Timestamp) -> String {
    calendar.zone().to_datetime(at).strftime("%F %H:%M").to_string()
}

fn due(calendar: &Calendar, start: &str, limit_text: &str) -> String {
    civil(calendar, calendar.due(at(calendar, start), limit(limit_text)))
}

fn due_paused(calendar: &Calendar, start: &str, limit_text: &str, pauses: &[(&str, &str)]) -> String {
    let pauses: Vec<_> = pauses
        .iter()
        .map(|(from, to)| (at(calendar, from), at(calendar, to)))
        .collect();
    civil(
        calendar,
        calendar.due_with_pauses(at(calendar, start), limit(limit_text), &pauses),
    )
}

fn sentences(
    calendar: &Calendar,
    start: &str,
    limit_text: &str,
    pauses: &[(&str, &str)],
) -> (String, String) {
    let pauses: Vec<_> = pauses
        .iter()
        .map(|(from, to)| (at(calendar, from), at(calendar, to)))
        .collect();
    let why = calendar.explain_with_pauses(at(calendar, start), limit(limit_text), &pauses);
    (why.sentence(Lang::En), why.sentence(Lang::Zh))
}

// Working hours

#[test]
fn working_hours_step_over_lunch_and_night() {
    let calendar = national_day_2026();
    assert_eq!(
        due(&calendar, "2026-05-07T10:30", "4h working"),
        "2026-05-07 16:30"
    );
    assert_eq!(
        due(&calendar, "2026-05-07T15:20", "4h working"),
        "2026-05-08 09:20"
    );
    assert_eq!(
        due(&calendar, "2026-05-07T15:20", "90m working"),
        "2026-05-07 16:50"
    );
}

#[test]
fn a_deadline_at_closing_time_is_at_closing_time_and_not_at_the_next_opening() {
    let calendar = national_day_2026();
    assert_eq!(
        due(&calendar, "2026-05-08T14:00", "4h working"),
        "2026-05-08 18:00"
    );
    assert_eq!(
        due(&calendar, "2026-05-08T08:00", "4h working"),
        "2026-05-08 12:00"
    );
}

#[test]
fn a_start_outside_working_time_begins_at_the_next_opening() {
    let calendar = national_day_2026();
    for start in [
        "2026-05-08T18:00",
        "2026-05-08T23:59",
        "2026-05-09T12:00",
        "2026-05-11T03:00",
        "2026-05-11T08:00",
    ] {
        assert_eq!(due(&calendar, start, "1h working"), "2026-05-11 09:00", "{start}");
    }
    for start in ["2026-05-08T12:00", "2026-05-08T13:00", "2026-05-08T14:00"] {
        assert_eq!(due(&calendar, start, "1h working"), "2026-05-08 15:00", "{start}");
    }
}

#[test]
fn working_hours_step_over_national_day_and_use_the_make_up_days() {
    let calendar = national_day_2026();
    assert_eq!(
        due(&calendar, "2026-09-30T16:00", "4h working"),
        "2026-10-08 10:00"
    );
    assert_eq!(
        due(&calendar, "2026-09-18T17:00", "4h working"),
        "2026-09-20 11:00"
    );
    assert_eq!(
        due(&calendar, "2026-10-09T17:00", "8h working"),
        "2026-10-10 17:00"
    );
    assert_eq!(
        due(&calendar, "2026-10-09T17:00", "10h working"),
        "2026-10-12 09:00"
    );
}

#[test]
fn a_make_up_day_is_worked_with_the_slots_of_its_named_weekday() {
    let mut rules = CalendarRules::office_week("Asia/Shanghai");
    rules.week[4] = vec!["08:00-12:00".parse().unwrap()];
    rules.make_up_days = vec![MakeUpDay {
        date: date(2026, 10, 10),
        like: Weekday::Friday,
    }];
    let calendar = short(rules);
    assert_eq!(
        due(&calendar, "2026-10-09T20:00", "4h working"),
        "2026-10-10 12:00"
    );
    assert_eq!(
        due(&calendar, "2026-10-09T20:00", "5h working"),
        "2026-10-12 09:00"
    );
}

#[test]
fn a_slot_may_end_at_midnight_and_run_into_the_next() {
    let mut rules = CalendarRules::office_week("Asia/Shanghai");
    rules.week = std::array::from_fn(|_| vec!["00:00-24:00".parse().unwrap()]);
    let calendar = short(rules);
    assert_eq!(
        due(&calendar, "2026-05-07T15:20", "36h working"),
        "2026-05-09 03:20"
    );
    assert_eq!(
        due(&calendar, "2026-05-07T15:20", "1d working"),
        "2026-05-09 00:00"
    );
    assert!(calendar.is_working(at(&calendar, "2026-05-08T00:00")));
}

#[test]
fn work_is_done_from_a_slots_start_until_before_its_end() {
    let calendar = national_day_2026();
    let table = [
        ("2026-05-07T07:59", false),
        ("2026-05-07T08:00", true),
        ("2026-05-07T11:59", true),
        ("2026-05-07T12:00", false),
        ("2026-05-07T14:00", true),
        ("2026-05-07T18:00", false),
        ("2026-05-09T10:00", false),
        ("2026-10-01T10:00", false),
        ("2026-10-10T10:00", true),
        ("2031-05-07T10:00", true),
    ];
    for (when, working) in table {
        assert_eq!(calendar.is_working(at(&calendar, when)), working, "{when}");
    }
}

#[test]
fn working_time_between_two_instants_leaves_out_what_is_not_worked() {
    let calendar = national_day_2026();
    let between = |from, to| {
        calendar
            .working_between(at(&calendar, from), at(&calendar, to))
            .as_mins()
    };
    assert_eq!(between("2026-05-07T11:00", "2026-05-07T15:00"), 120);
    assert_eq!(between("2026-09-30T17:00", "2026-10-08T09:00"), 120);
    assert_eq!(between("2026-10-08T09:00", "2026-09-30T17:00"), -120);
    assert_eq!(between("2026-05-09T00:00", "2026-05-10T00:00"), 0);
    // Four office weeks across the end of what is laid out.
    assert_eq!(between("2026-12-14T00:00", "2027-01-11T00:00"), 4 * 40 * 60);
}

// Working days

#[test]
fn working_days_end_at_the_close_of_the_nth_working_date_after_the_start() {
    let calendar = national_day_2026();
    for start in [
        "2026-05-08T09:00",
        "2026-05-08T19:00",
        "2026-05-09T09:00",
        "2026-05-10T23:59",
    ] {
        assert_eq!(due(&calendar, start, "1d working"), "2026-05-11 18:00", "{start}");
    }
    assert_eq!(
        due(&calendar, "2026-05-11T00:00", "1d working"),
        "2026-05-12 18:00"
    );
    assert_eq!(
        due(&calendar, "2026-05-07T15:20", "5d working"),
        "2026-05-14 18:00"
    );
}

#[test]
fn working_days_step_over_national_day_and_use_the_make_up_days() {
    let calendar = national_day_2026();
    assert_eq!(
        due(&calendar, "2026-09-30T16:00", "3d working"),
        "2026-10-10 18:00"
    );
    assert_eq!(
        due(&calendar, "2026-10-03T16:00", "1d working"),
        "2026-10-08 18:00"
    );
    assert_eq!(
        due(&calendar, "2026-09-18T09:00", "1d working"),
        "2026-09-20 18:00"
    );
}

// Running hours, calendar days and the changing clock

#[test]
fn running_hours_count_nights_holidays_and_the_hour_the_clock_jumps_over() {
    let shanghai = national_day_2026();
    assert_eq!(
        due(&shanghai, "2026-09-30T23:00", "2h running"),
        "2026-10-01 01:00"
    );
    let zurich = zurich();
    assert_eq!(
        due(&zurich, "2026-03-28T12:00", "24h running"),
        "2026-03-29 13:00"
    );
    assert_eq!(
        due(&zurich, "2026-10-24T12:00", "24h running"),
        "2026-10-25 11:00"
    );
}

#[test]
fn calendar_days_keep_the_time_of_day_when_the_clock_changes() {
    let zurich = zurich();
    assert_eq!(
        due(&zurich, "2026-03-28T12:00", "1d calendar"),
        "2026-03-29 12:00"
    );
    assert_eq!(
        due(&zurich, "2026-10-24T12:00", "1d calendar"),
        "2026-10-25 12:00"
    );
    assert_eq!(
        due(&zurich, "2026-02-26T09:30", "2d calendar"),
        "2026-02-28 09:30"
    );
}

#[test]
fn a_calendar_day_that_ends_in_the_jumped_hour_is_due_at_the_jump() {
    let zurich = zurich();
    assert_eq!(
        due(&zurich, "2026-03-28T02:30", "1d calendar"),
        "2026-03-29 03:00"
    );
    assert_eq!(
        due(&zurich, "2026-03-28T03:00", "1d calendar"),
        "2026-03-29 03:00"
    );
}

#[test]
fn a_window_of_days_ends_at_the_time_of_day_at_which_it_began_also_where_clocks_change() {
    let calendar = zurich();
    let end = |start: &str, days| civil(&calendar, calendar.days_after(at(&calendar, start), days));
    // An hour longer than five times 24 in autumn, an hour shorter in spring.
    assert_eq!(end("2026-10-22T14:30", 5), "2026-10-27 14:30");
    assert_eq!(end("2026-03-27T14:30", 5), "2026-04-01 14:30");
    assert_eq!(end("2026-03-28T02:30", 1), "2026-03-29 03:00");
    let start = at(&calendar, "2026-05-04T10:00");
    assert_eq!(calendar.days_after(start, 0), start);
}

#[test]
fn a_calendar_day_that_starts_in_the_repeated_hour_starts_at_its_end() {
    let zurich = zurich();
    let first_pass: Timestamp = "2026-10-25T02:50:00+02:00".parse().unwrap();
    let second_pass: Timestamp = "2026-10-25T02:10:00+01:00".parse().unwrap();
    assert_eq!(
        civil(&zurich, zurich.due(first_pass, limit("1d calendar"))),
        "2026-10-26 02:50"
    );
    assert_eq!(
        civil(&zurich, zurich.due(second_pass, limit("1d calendar"))),
        "2026-10-26 03:00"
    );
}

#[test]
fn a_night_shift_is_an_hour_shorter_when_the_clock_jumps_and_longer_when_it_repeats() {
    let mut rules = CalendarRules::office_week("Europe/Zurich");
    rules.week[6] = vec!["00:00-06:00".parse().unwrap()];
    let calendar = short(rules);
    let worked_on = |date| {
        let (from, to) = (
            at(&calendar, &format!("{date}T00:00")),
            at(&calendar, &format!("{date}T12:00")),
        );
        calendar.working_between(from, to).as_hours()
    };
    assert_eq!(worked_on("2026-03-22"), 6);
    assert_eq!(worked_on("2026-03-29"), 5);
    assert_eq!(worked_on("2026-10-25"), 7);
}

#[test]
fn a_date_that_a_zone_skipped_is_no_working_date() {
    // Samoa went from Thursday 29 to Saturday 31 December 2011.
    let calendar = Calendar::with_horizon(CalendarRules::office_week("Pacific/Apia"), 2011..=2012).unwrap();
    assert_eq!(
        due(&calendar, "2011-12-29T09:00", "1d working"),
        "2012-01-02 18:00"
    );
    assert_eq!(
        due(&calendar, "2011-12-29T17:00", "2h working"),
        "2012-01-02 09:00"
    );
    assert_eq!(
        due(&calendar, "2011-12-29T09:00", "2d calendar"),
        "2011-12-31 09:00"
    );
}

// Pauses

#[test]
fn working_hours_stand_still_during_a_pause() {
    let calendar = national_day_2026();
    let parked = [("2026-05-07T16:00", "2026-05-11T09:00")];
    assert_eq!(
        due_paused(&calendar, "2026-05-07T15:20", "4h working", &parked),
        "2026-05-11 14:20"
    );
    // A pause that takes no working time costs none.
    let lunch_and_night = [
        ("2026-05-07T18:00", "2026-05-08T08:00"),
        ("2026-05-08T12:00", "2026-05-08T14:00"),
    ];
    assert_eq!(
        due_paused(&calendar, "2026-05-07T15:20", "4h working", &lunch_and_night),
        "2026-05-08 09:20"
    );
}

#[test]
fn a_limit_used_up_when_the_pause_begins_is_due_then() {
    let calendar = national_day_2026();
    let weekend = [("2026-05-09T00:00", "2026-06-09T00:00")];
    assert_eq!(
        due_paused(&calendar, "2026-05-08T14:00", "4h working", &weekend),
        "2026-05-08 18:00"
    );
    let at_once = [("2026-05-08T16:00", "2026-06-09T00:00")];
    assert_eq!(
        due_paused(&calendar, "2026-05-08T14:00", "2h running", &at_once),
        "2026-05-08 16:00"
    );
}

#[test]
fn pauses_may_overlap_come_in_any_order_and_begin_before_the_start() {
    let calendar = national_day_2026();
    let pauses = [
        ("2026-05-07T11:00", "2026-05-07T12:00"),
        ("2026-05-07T08:00", "2026-05-07T10:00"),
        ("2026-05-07T09:30", "2026-05-07T10:30"),
        ("2026-05-07T18:00", "2026-05-07T17:00"),
    ];
    assert_eq!(
        due_paused(&calendar, "2026-05-07T09:00", "1h running", &pauses),
        "2026-05-07 12:30"
    );
}

#[test]
fn a_working_date_that_loses_working_time_to_a_pause_does_not_count() {
    let calendar = national_day_2026();
    let monday = "2026-05-11T09:00";
    let parked = [("2026-05-12T10:00", "2026-05-13T15:00")];
    assert_eq!(
        due_paused(&calendar, monday, "3d working", &parked),
        "2026-05-18 18:00"
    );
    let between_dates = [
        ("2026-05-12T18:00", "2026-05-13T08:00"),
        ("2026-05-13T12:00", "2026-05-13T14:00"),
    ];
    assert_eq!(
        due_paused(&calendar, monday, "3d working", &between_dates),
        "2026-05-14 18:00"
    );
}

#[test]
fn calendar_days_move_later_by_the_length_of_a_pause() {
    let calendar = zurich();
    let parked = [("2026-03-27T12:00", "2026-03-30T12:00")];
    assert_eq!(
        due_paused(&calendar, "2026-03-26T09:30", "2d calendar", &parked),
        "2026-03-31 09:30"
    );
}

// Explanations

#[test]
fn an_explanation_tells_nights_from_lunch() {
    let calendar = national_day_2026();
    let (en, zh) = sentences(&calendar, "2026-05-07T15:20", "4h working", &[]);
    assert_eq!(
        en,
        "due Fri 2026-05-08 09:20: 4 working hours from Thu 2026-05-07 15:20; Thu 15:20–18:00 counts 2 h 40 min; \
         the night does not count; Fri 08:00–09:20 counts 1 h 20 min"
    );
    assert_eq!(
        zh,
        "2026年5月8日（周五）09:20到期：自2026年5月7日（周四）15:20起算，时限 4 个工作小时；\
         周四 15:20–18:00 计 2 小时 40 分；夜间不计；周五 08:00–09:20 计 1 小时 20 分"
    );
    let (en, zh) = sentences(&calendar, "2026-05-07T11:00", "2h working", &[]);
    assert_eq!(
        en,
        "due Thu 2026-05-07 15:00: 2 working hours from Thu 2026-05-07 11:00; Thu 11:00–12:00 counts 1 h; \
         lunch Thu 12:00–14:00 does not count; Thu 14:00–15:00 counts 1 h"
    );
    assert!(zh.contains("午休（周四 12:00–14:00）不计"), "{zh}");
}

#[test]
fn an_explanation_names_the_holiday_and_the_weekend() {
    let calendar = national_day_2026();
    let (en, zh) = sentences(&calendar, "2026-09-30T16:00", "4h working", &[]);
    assert_eq!(
        en,
        "due Thu 2026-10-08 10:00: 4 working hours from Wed 2026-09-30 16:00; Wed 09-30 16:00–18:00 counts 2 h; \
         National Day does not count; Thu 10-08 08:00–10:00 counts 2 h"
    );
    assert!(
        zh.ends_with("9月30日 16:00–18:00 计 2 小时；国庆节不计；10月8日 08:00–10:00 计 2 小时"),
        "{zh}"
    );
    let (en, _) = sentences(&calendar, "2026-05-08T17:00", "2h working", &[]);
    assert!(
        en.ends_with("Fri 17:00–18:00 counts 1 h; the weekend does not count; Mon 08:00–09:00 counts 1 h"),
        "{en}"
    );
}

#[test]
fn an_explanation_of_working_days_counts_dates() {
    let calendar = national_day_2026();
    let (en, zh) = sentences(&calendar, "2026-05-07T15:20", "3d working", &[]);
    assert_eq!(
        en,
        "due Tue 2026-05-12 18:00: 3 working days from Thu 2026-05-07 15:20; Thu, the day of the start, does not \
         count; Fri counts 1 day; the weekend does not count; Mon–Tue count 2 days"
    );
    assert!(
        zh.ends_with("周四为起算当日，不计；周五计 1 天；周末不计；周一至周二计 2 天"),
        "{zh}"
    );
}

#[test]
fn an_explanation_shows_the_pause() {
    let calendar = national_day_2026();
    let parked = [("2026-05-07T16:00", "2026-05-08T09:00")];
    let (en, zh) = sentences(&calendar, "2026-05-07T15:00", "2h working", &parked);
    assert_eq!(
        en,
        "due Fri 2026-05-08 10:00: 2 working hours from Thu 2026-05-07 15:00; Thu 15:00–16:00 counts 1 h; \
         the pause Thu 16:00–Fri 09:00 does not count; Fri 09:00–10:00 counts 1 h"
    );
    assert!(zh.contains("周四 16:00–周五 09:00 暂停计时"), "{zh}");
    let (en, _) = sentences(&calendar, "2026-05-06T15:00", "2d working", &parked);
    assert!(
        en.contains("; the pause Thu 05-07–Fri 05-08 does not count; the weekend does not count; "),
        "{en}"
    );
}

#[test]
fn an_explanation_without_any_skip_says_no_more_than_the_limit() {
    let calendar = national_day_2026();
    let (en, zh) = sentences(&calendar, "2026-05-07T23:30", "2h running", &[]);
    assert_eq!(
        en,
        "due Fri 2026-05-08 01:30: 2 running hours from Thu 2026-05-07 23:30"
    );
    assert_eq!(
        zh,
        "2026年5月8日（周五）01:30到期：自2026年5月7日（周四）23:30起算，时限 2 个紧急工作时"
    );
}

#[test]
fn a_long_explanation_lists_a_dozen_spans_and_counts_the_rest() {
    let calendar = national_day_2026();
    let why = calendar.explain(at(&calendar, "2026-05-04T08:00"), limit("40h working"));
    assert_eq!((why.parts.len(), why.more), (12, 7));
    assert!(why.sentence(Lang::En).ends_with("; and 7 more"));
    assert!(why.sentence(Lang::Zh).ends_with("；另有 7 段从略"));
}

// What a calendar is made of

fn refusal(change: impl FnOnce(&mut CalendarRules)) -> String {
    let mut rules = CalendarRules::office_week("Asia/Shanghai");
    change(&mut rules);
    Calendar::new(rules).unwrap_err().to_string()
}

#[test]
fn contradictions_are_refused_with_what_would_be_right() {
    let slots = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| text.parse().unwrap())
            .collect::<Vec<Slot>>()
    };
    assert_eq!(
        refusal(|rules| rules.week[1] = slots(&["14:00-18:00", "08:00-14:30"])),
        "tuesday has the overlapping slots 08:00-14:30 and 14:00-18:00; join them or part them"
    );
    assert_eq!(
        refusal(|rules| rules.week = Default::default()),
        "the week has 0 working minutes; give it slots of at least 60 minutes in all"
    );
    let holiday = Holiday {
        date: date(2026, 10, 10),
        name: HolidayName::default(),
    };
    assert_eq!(
        refusal(|rules| {
            rules.holidays.push(holiday.clone());
            rules.make_up_days.push(MakeUpDay::new(date(2026, 10, 10)));
        }),
        "2026-10-10 is both a holiday and a make-up working day; strike one of the two"
    );
    assert_eq!(
        refusal(|rules| rules.holidays = vec![holiday.clone(), holiday.clone()]),
        "2026-10-10 is listed twice; strike one of the two"
    );
    assert_eq!(
        refusal(|rules| {
            rules.make_up_days.push(MakeUpDay {
                date: date(2026, 10, 10),
                like: Weekday::Sunday,
            });
        }),
        "make-up day 2026-10-10 is worked like a sunday, which has no slots; name a weekday that is worked"
    );
    assert_eq!(
        refusal(|rules| rules.zone = "Asia/Atlantis".into()),
        "time zone \"Asia/Atlantis\" is unknown; write an IANA name such as Asia/Shanghai or Europe/Zurich"
    );
}

#[test]
fn slots_are_written_as_two_times_of_day() {
    let slot = |text: &str| text.parse::<Slot>();
    assert_eq!(slot("08:00-12:00").unwrap().to_string(), "08:00-12:00");
    assert_eq!(slot(" 8:00 – 24:00 ").unwrap(), Slot::new(480, 1440).unwrap());
    for text in [
        "12:00-08:00",
        "08:00-08:00",
        "8-12",
        "08:00",
        "08:00-24:01",
        "08:60-12:00",
        "+8:00-12:00",
        "08:0-9:00",
    ] {
        assert!(slot(text).is_err(), "{text}");
    }
    assert_eq!(
        slot("12:00-08:00").unwrap_err().to_string(),
        "working slot 12:00-08:00 does not end after it starts; write the earlier time first, up to 24:00"
    );
}

#[test]
fn touching_slots_are_one_stretch_of_work() {
    let mut rules = CalendarRules::office_week("Asia/Shanghai");
    rules.week[3] = vec!["12:00-18:00".parse().unwrap(), "08:00-12:00".parse().unwrap()];
    let calendar = short(rules);
    let why = calendar.explain(at(&calendar, "2026-05-07T10:00"), limit("4h working"));
    assert_eq!(
        (civil(&calendar, why.due).as_str(), why.parts.len()),
        ("2026-05-07 14:00", 1)
    );
}

#[test]
fn calendars_are_equal_whatever_order_their_rules_came_in_and_a_change_is_noticed() {
    let calendar = national_day_2026();
    let mut rules = calendar.rules().clone();
    rules.holidays.reverse();
    rules.week[0].reverse();
    let same = short(rules.clone());
    assert_eq!(same, calendar);
    let json = serde_json::to_string(&calendar).unwrap();
    assert_eq!(serde_json::to_string(&same).unwrap(), json);
    rules.holidays.pop();
    let other = short(rules);
    assert_ne!(other, calendar);
    assert_ne!(serde_json::to_string(&other).unwrap(), json);
}

#[test]
fn rules_are_read_back_from_json() {
    let calendar = national_day_2026();
    let json = serde_json::to_string(&calendar).unwrap();
    assert!(
        json.contains(r#""08:00-12:00""#) && json.contains(r#""like":"monday""#),
        "{json}"
    );
    assert_eq!(
        &serde_json::from_str::<CalendarRules>(&json).unwrap(),
        calendar.rules()
    );
}

#[test]
fn instants_at_the_ends_of_time_are_answered_without_a_panic() {
    let calendar = national_day_2026();
    for start in [
        Timestamp::MIN,
        Timestamp::MAX,
        instant(LATEST),
        instant(EARLIEST),
        instant(LATEST - 1),
    ] {
        for unit in LimitUnit::ALL {
            let longest = Limit::new(unit.longest(), unit).unwrap();
            assert!(calendar.due(start, longest) >= start);
        }
        calendar.is_working(start);
        calendar.explain(start, limit("4h working")).sentence(Lang::En);
    }
}

#[test]
fn ten_years_of_the_sparsest_week_still_end() {
    let mut rules = CalendarRules::office_week("Asia/Shanghai");
    rules.week = Default::default();
    rules.week[2] = vec!["09:00-10:00".parse().unwrap()];
    let calendar = short(rules);
    let longest = Limit::new(LimitUnit::WorkingHours.longest(), LimitUnit::WorkingHours).unwrap();
    assert_eq!(
        civil(
            &calendar,
            calendar.due(at(&calendar, "2026-05-06T09:00"), longest)
        ),
        "2428-01-12 10:00"
    );
}

// Properties

/// Zones with jumps of an hour, of half an hour, at midnight, and none at all.
const ZONES: [&str; 5] = [
    "Asia/Shanghai",
    "Europe/Zurich",
    "Australia/Lord_Howe",
    "America/Santiago",
    "America/St_Johns",
];

prop_compose! {
    fn slots()(edges in prop::collection::btree_set(0_u16..=96, 0..7)) -> Vec<Slot> {
        let edges: Vec<u16> = edges.into_iter().map(|quarter| quarter * 15).collect();
        edges.chunks_exact(2).map(|pair| Slot::new(pair[0], pair[1]).unwrap()).collect()
    }
}

fn dates(most: usize) -> impl Strategy<Value = Vec<Date>> {
    let day = (0_i32..1461).prop_map(|days| {
        date(2024, 1, 1)
            .checked_add(jiff::Span::new().days(days))
            .unwrap()
    });
    prop::collection::btree_set(day, 0..most).prop_map(|dates| dates.into_iter().collect())
}

prop_compose! {
    fn calendars()(
        zone in prop::sample::select(&ZONES),
        week in prop::array::uniform7(slots()),
        holidays in dates(40),
        make_up in dates(20),
        like in 0_usize..7,
    ) -> Calendar {
        let mut week = week;
        // Some weekday is worked for an hour at least, and make-up days are like it.
        if week[like].is_empty() || week.iter().flatten().map(|slot| slot.end - slot.start).sum::<u16>() < 60 {
            week[like] = vec![Slot::new(60, 240).unwrap()];
        }
        let like = WEEKDAYS[like].0;
        let make_up = make_up.into_iter().filter(|date| !holidays.contains(date));
        let make_up_days = make_up.map(|date| MakeUpDay { date, like }).collect();
        let holidays = holidays.iter().map(|&date| Holiday { date, name: HolidayName::default() }).collect();
        Calendar::with_horizon(CalendarRules { zone: zone.to_owned(), week, holidays, make_up_days }, 2025..=2025)
            .unwrap()
    }
}

/// The seconds at which a zone's clock changes in the years that the properties look at.
fn changes(zone: &str) -> Vec<i64> {
    let from = "2024-01-01T00:00Z".parse().unwrap();
    let zone = TimeZone::get(zone).unwrap();
    zone.following(from)
        .take(8)
        .map(|change| change.timestamp().as_second())
        .collect()
}

/// Instants from 2024 to 2027, half of them within hours of a change of some zone's clock, give or take some
/// days.
fn instants() -> impl Strategy<Value = Timestamp> {
    let changes: Vec<i64> = ZONES.into_iter().flat_map(changes).collect();
    let near_change = (prop::sample::select(changes), -3_i64..=3, -10_800_i64..=10_800)
        .prop_map(|(change, days, seconds)| change + days * 86_400 + seconds);
    let seconds = prop_oneof![1_704_067_200_i64..1_830_297_600, near_change];
    (seconds, prop_oneof![Just(0_i32), 0_i32..1_000_000]).prop_map(|(seconds, micros)| {
        let seconds = if micros == 0 {
            seconds - seconds % 900
        } else {
            seconds
        };
        Timestamp::new(seconds, micros * 1_000).unwrap()
    })
}

fn limits(units: &'static [LimitUnit]) -> impl Strategy<Value = Limit> {
    (prop::sample::select(units), 1_u32..=1_200).prop_map(|(unit, amount)| {
        let amount = if unit.counts_days() {
            amount.div_ceil(100)
        } else {
            amount
        };
        Limit::new(amount, unit).unwrap()
    })
}

/// Pauses of up to some days near `start`.
fn pauses() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((-200_000_i64..500_000, 0_i64..300_000), 0..4)
}

fn placed(start: Timestamp, pauses: &[(i64, i64)]) -> Vec<(Timestamp, Timestamp)> {
    let after = |seconds| start + SignedDuration::from_secs(seconds);
    pauses
        .iter()
        .map(|&(from, length)| (after(from), after(from + length)))
        .collect()
}

const WORKING: [LimitUnit; 2] = [LimitUnit::WorkingHours, LimitUnit::WorkingDays];

proptest! {
    #[test]
    fn a_due_of_working_units_never_falls_outside_working_time(
        calendar in calendars(), start in instants(), limit in limits(&WORKING), pauses in pauses(),
    ) {
        let due = calendar.due_with_pauses(start, limit, &placed(start, &pauses));
        let just_before = due - SignedDuration::from_micros(1);
        prop_assert!(calendar.is_working(due) || calendar.is_working(just_before), "due {due}");
    }

    #[test]
    fn a_later_start_never_makes_a_due_earlier(
        calendar in calendars(), start in instants(), limit in limits(&LimitUnit::ALL), pauses in pauses(),
        later in prop_oneof![0_i64..10_000, 0_i64..1_000_000],
    ) {
        let later_start = start + SignedDuration::from_secs(later);
        prop_assert!(calendar.due(start, limit) <= calendar.due(later_start, limit));
        let pauses = placed(start, &pauses);
        let (due, later_due) = (
            calendar.due_with_pauses(start, limit, &pauses),
            calendar.due_with_pauses(later_start, limit, &pauses),
        );
        prop_assert!(due <= later_due, "{due} from {start}, {later_due} from {later_start}");
    }

    #[test]
    fn a_changing_clock_never_makes_the_due_of_a_later_start_earlier(
        zone in prop::sample::select(&ZONES[1..]), which in 0_usize..8, days in 1_u32..4,
        minutes in -70_i64..70, later in 0_i64..70, meets_in_due: bool, pauses in pauses(),
    ) {
        let mut rules = CalendarRules::office_week(zone);
        rules.week = std::array::from_fn(|_| vec![Slot::new(0, 150).unwrap(), Slot::new(150, 1440).unwrap()]);
        let calendar = short(rules);
        // The change is near the start, or as many days later as the limit has.
        let days_before = if meets_in_due { i64::from(days) } else { 0 };
        let start = changes(zone)[which] - days_before * 86_400 + minutes * 60;
        let start = Timestamp::from_second(start).unwrap();
        let later_start = start + SignedDuration::from_mins(later);
        let pauses = placed(start, &pauses);
        for limit in LimitUnit::ALL.map(|unit| Limit::new(days, unit).unwrap()) {
            prop_assert!(calendar.due(start, limit) <= calendar.due(later_start, limit), "{limit} from {start}");
            let (due, later_due) = (
                calendar.due_with_pauses(start, limit, &pauses),
                calendar.due_with_pauses(later_start, limit, &pauses),
            );
            prop_assert!(due <= later_due, "{limit}: {due} from {start}, {later_due} from {later_start}");
        }
    }

    #[test]
    fn a_window_of_days_ends_when_a_limit_of_as_many_calendar_days_does(
        zone in prop::sample::select(&ZONES[..]), start in instants(), days in 1_u16..60,
    ) {
        let calendar = short(CalendarRules::office_week(zone));
        let limit = Limit::new(days.into(), LimitUnit::CalendarDays).unwrap();
        prop_assert_eq!(calendar.days_after(start, days), calendar.due(start, limit));
    }

    #[test]
    fn a_due_is_after_its_start_and_a_pause_never_makes_it_earlier(
        calendar in calendars(), start in instants(), limit in limits(&LimitUnit::ALL), pauses in pauses(),
    ) {
        let due = calendar.due(start, limit);
        prop_assert!(due >= start);
        let pauses = placed(start, &pauses);
        let mut least = due;
        for count in 1..=pauses.len() {
            let paused = calendar.due_with_pauses(start, limit, &pauses[..count]);
            prop_assert!(least <= paused, "{least} became {paused} by {:?}", pauses[count - 1]);
            least = paused;
        }
    }

    #[test]
    fn the_working_time_until_a_due_of_working_hours_is_the_limit(
        calendar in calendars(), start in instants(), limit in limits(&WORKING[..1]), pauses in pauses(),
    ) {
        let worked = calendar.working_between(start, calendar.due(start, limit));
        prop_assert_eq!(worked, SignedDuration::from_mins(i64::from(limit.amount())));
        let pauses = merged(&placed(start, &pauses));
        let given: Vec<_> = pauses.iter().map(|&(from, until)| (instant(from), instant(until))).collect();
        let due = calendar.due_with_pauses(start, limit, &given);
        let paused: SignedDuration = given.iter().map(|&(from, until)| {
            calendar.working_between(from.clamp(start, due), until.clamp(start, due))
        }).sum();
        prop_assert_eq!(calendar.working_between(start, due) - paused, worked);
    }

    #[test]
    fn an_explanation_has_the_same_due_and_no_holes(
        calendar in calendars(), start in instants(), limit in limits(&LimitUnit::ALL), pauses in pauses(),
    ) {
        let pauses = placed(start, &pauses);
        let why = calendar.explain_with_pauses(start, limit, &pauses);
        prop_assert_eq!(why.due, calendar.due_with_pauses(start, limit, &pauses));
        prop_assert!(why.parts.len() <= 12);
        let continues = |pair: &[Part]| pair[0].to == pair[1].from && pair[0].kind != pair[1].kind;
        prop_assert!(why.parts.windows(2).all(continues));
        prop_assert_eq!(why.parts.first().map(|part| part.from), Some(start));
        if why.more == 0 {
            prop_assert_eq!(why.parts.last().map(|part| part.to), Some(why.due));
            let counted: SignedDuration = why.parts.iter()
                .filter(|part| part.kind == PartKind::Counted)
                .map(|part| part.to.duration_since(part.from))
                .sum();
            let dates: u32 = why.parts.iter()
                .map(|part| if let PartKind::CountedDates(dates) = part.kind { dates } else { 0 })
                .sum();
            match limit.unit() {
                LimitUnit::RunningHours | LimitUnit::WorkingHours => {
                    prop_assert_eq!(counted, SignedDuration::from_mins(i64::from(limit.amount())));
                }
                LimitUnit::WorkingDays => prop_assert_eq!(dates, limit.amount()),
                LimitUnit::CalendarDays => {}
            }
        }
        for lang in [Lang::En, Lang::Zh] {
            prop_assert!(!why.sentence(lang).is_empty());
        }
    }

    #[test]
    fn working_time_is_what_a_minute_by_minute_count_finds(
        calendar in calendars(), from in instants(), minutes in 0_i64..3_000,
    ) {
        // Every quarter of an hour at once: slots and changes of the clock in these zones keep to quarters.
        let from = instant(micros(from).div_euclid(15 * MICROS_PER_MINUTE) * 15 * MICROS_PER_MINUTE);
        let quarters = minutes / 15;
        let quarter = |index: i64| from + SignedDuration::from_mins(15 * index);
        let zone = calendar.zone();
        // Where the clock repeats an hour, a slot's edges mean the first pass; leave that to the examples.
        let (first, last) = (zone.to_offset(from), zone.to_offset(quarter(quarters)));
        prop_assume!(first.seconds() <= last.seconds());
        let counted = (0..quarters).filter(|&index| {
            let civil = zone.to_datetime(quarter(index));
            let minute = civil.hour() as u16 * 60 + civil.minute() as u16;
            matches!(calendar.rules().day(civil.date()), Day::Working(slots)
                if slots.iter().any(|slot| slot.start <= minute && minute < slot.end))
        }).count();
        let worked = calendar.working_between(from, quarter(quarters));
        prop_assert_eq!(worked.as_mins(), 15 * counted as i64);
    }
}

proptest! {
    // Fewer cases: each lays out seven years.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_laid_out_ahead_and_what_is_not_give_the_same_answers(
        calendar in calendars(), start in instants(), limit in limits(&LimitUnit::ALL),
    ) {
        let ahead = Calendar::with_horizon(calendar.rules().clone(), 2024..=2028).unwrap();
        prop_assert_eq!(calendar.due(start, limit), ahead.due(start, limit));
        prop_assert_eq!(calendar.is_working(start), ahead.is_working(start));
    }
}
