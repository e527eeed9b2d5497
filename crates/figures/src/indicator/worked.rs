//! Every shipped indicator, worked by hand: ten cases and their runs, and what March 2025 comes to.

use std::collections::HashSet;

use whistle_domain::{
    place::{Level, Place},
    words::Lang,
};

use super::{
    Ask, AskError, Book, Cut, Figure, Filters, Key, KnownCodes, Page, Part, Period, Ratio, Sight, Step, ask,
    rows,
    testing::{at, cases, indicator, moment, runs, village},
};
use crate::facts::Facts;

/// The village's March. 5 is of February and carried over; 6 is parked; 9 is due on the first of April; 10 is handled, and
/// waits for its verification.
const CASES: &str = "
number channel stage       outcome         rating reports returned reworked reopened extended metres reported    accepted    dispatched  arrived     handled     closed      due         area            service   unit  flags
1      web     closed      resolved        good   2       0        0        0        0        300    03-03T08:00 03-03T09:00 03-03T09:30 03-03T10:30 03-03T14:00 03-04T08:00 03-04T09:30 230599100200001 WAT-LEAK  WATER by_public+public+proved
2      phone   closed      partly_resolved fair   1       1        0        0        1        1500   03-05T08:00 03-05T08:30 03-05T09:00 03-06T09:00 03-10T09:00 03-11T09:00 03-07T09:00 230599100200001 RD-HOLE   ROADS by_public+public+handled_late+escalated+supervised
3      patrol  closed      resolved        -      1       0        0        0        0        50     03-06T10:00 03-06T10:00 -           -           03-06T10:00 03-06T10:00 -           230599100201001 RD-SIGN   -     on_the_spot+public
4      web     closed      duplicate       -      1       0        0        0        0        1000   03-07T08:00 -           -           -           -           03-07T09:00 -           230599101202001 WAT-LEAK  -     by_public
5      counter in_progress -               -      1       0        0        0        0        -      02-20T08:00 02-20T09:00 02-20T10:00 -           -           -           02-25T10:00 -               RD-HOLE   ROADS by_public
6      open311 assigned    -               -      1       0        0        0        0        2000   03-10T08:00 03-10T08:10 03-10T08:20 -           -           -           03-20T08:00 230599101202001 RD-HOLE   ROADS parked+was_parked+public+by_public
7      phone   closed      explained       poor   1       0        1        1        0        700    03-12T08:00 03-12T09:00 03-12T10:00 03-12T11:00 03-15T10:00 03-20T10:00 03-16T10:00 230599101203001 WAT-DRAIN ROADS by_public+joint+whistled+recheck+verified_late+public
8      web     closed      declined        -      1       0        0        0        0        4000   03-15T08:00 -           -           -           -           03-15T12:00 -           230599101203001 RD-SIGN   -     by_public
9      api     assigned    -               -      1       0        0        0        0        900    03-25T08:00 03-25T10:00 03-25T12:00 03-26T12:00 -           -           04-01T12:00 230599100201001 WAT-LEAK  WATER dispatched_late+by_public
10     patrol  handled     resolved        -      1       0        0        0        0        100    03-01T08:00 03-01T08:00 03-01T08:00 03-01T20:00 03-30T08:00 -           03-10T08:00 230599100201001 RD-HOLE   ROADS handled_late+proved
";

const RUNS: &str = "
case kind      ended    unit  started     due         stopped
1    triage    done     CITY  03-03T08:00 03-03T10:00 03-03T09:30
2    triage    done     CITY  03-05T08:00 03-05T08:30 03-05T09:00
4    triage    dropped  CITY  03-07T08:00 03-07T10:00 03-07T09:00
5    triage    done     CITY  02-20T08:00 02-20T10:30 02-20T10:00
6    triage    done     CITY  03-10T08:00 03-10T10:00 03-10T08:20
1    sign      done     WATER 03-03T09:30 03-03T10:30 03-03T10:00
2    sign      running  ROADS 03-05T09:00 03-05T10:00 -
1    report_in done     WATER 03-03T09:30 03-03T12:30 03-03T10:30
2    report_in done     ROADS 03-05T09:00 03-05T12:00 03-06T09:00
7    report_in done     ROADS 03-12T10:00 03-12T13:00 03-12T11:00
1    verify    done     CITY  03-03T14:00 03-05T14:00 03-04T08:00
7    verify    done     CITY  03-15T10:00 03-17T10:00 03-20T10:00
7    joint     done     WATER 03-12T10:00 03-16T10:00 03-14T10:00
1    resolve   done     WATER 03-03T09:30 03-04T09:30 03-03T14:00
2    resolve   returned WATER 03-05T09:00 03-06T09:00 03-05T12:00
2    resolve   done     ROADS 03-05T13:00 03-07T09:00 03-10T09:00
6    resolve   standing ROADS 03-10T08:20 03-20T08:00 -
10   resolve   done     ROADS 03-01T08:00 03-10T08:00 03-30T08:00
";

/// Of each shipped indicator its numerator and denominator in March 2025, with the rows that make them.
const SHARES: &[(&str, u64, u64, &str)] = &[
    ("filed", 9, 9, "all but 5, which is of February"),
    ("accepted", 7, 7, "1 2 3 6 7 9 10; 4 and 8 never were"),
    ("dispatched", 6, 6, "1 2 6 7 9 10; 3 was fixed on the spot"),
    ("handled", 5, 5, "1 2 3 7 10"),
    ("closed", 6, 6, "1 2 3 4 7 8"),
    ("due", 5, 5, "1 2 6 7 10; 5 was due in February and 9 is in April"),
    ("not_closed", 4, 4, "5 6 9 10"),
    (
        "overdue",
        1,
        3,
        "5, of 5 9 10; 6 is parked, 9 is not due, 10 is handled",
    ),
    ("carried_over_overdue", 1, 1, "5"),
    ("due_tomorrow", 1, 1, "9, on the first of April"),
    (
        "on_time_dispatch",
        2,
        3,
        "1 6 of 1 2 6; the run of 4 was dropped, that of 5 is of February",
    ),
    ("dispatch_accuracy", 5, 6, "all that were dispatched but 2"),
    ("on_time_sign", 1, 2, "1; 2 never signed"),
    ("on_time_report_in", 2, 3, "1 7; 2 came a day late"),
    ("on_time_verification", 1, 2, "1; 7 was three days late"),
    ("on_time_joint", 1, 1, "7"),
    (
        "on_time_work",
        1,
        3,
        "1 of 1 2 10; what was returned is nobody's, 6 is parked",
    ),
    (
        "handling_rate",
        4,
        4,
        "1 2 7 10, of what was due without the parked 6",
    ),
    ("on_time_handling", 2, 4, "1 7; 2 and 10 were late"),
    ("closing_rate", 3, 4, "1 2 7; 10 waits for its verification"),
    ("on_time_closing", 1, 4, "1; 7 was verified late"),
    ("overdue_closing", 2, 4, "2 7"),
    ("not_closed_rate", 3, 9, "6 9 10 of what was reported"),
    ("rework_rate", 1, 5, "7 of what was handled"),
    ("reopen_rate", 1, 6, "7 of what was closed"),
    ("first_time_right", 2, 4, "1 3 of 1 2 3 7; 4 and 8 were no work"),
    ("return_rate", 1, 6, "2"),
    ("park_rate", 1, 9, "6"),
    ("extension_rate", 1, 5, "2 of 1 2 6 7 10"),
    ("on_the_spot_share", 1, 9, "3"),
    ("supervision_rate", 1, 9, "2"),
    ("escalation_rate", 1, 9, "2"),
    ("duplicate_share", 1, 6, "4"),
    ("declined_share", 1, 6, "8"),
    ("unfounded_share", 0, 6, "none"),
    ("recheck_share", 1, 6, "7"),
    ("proof_share", 2, 5, "1 10 of what was handled"),
    (
        "response_rate",
        3,
        3,
        "1 2 7 of the public's; 4 and 8 needed nothing",
    ),
    ("resolution_rate", 2, 3, "1 2; 7 was explained, and reopened"),
    ("satisfaction_rate", 1, 3, "1 of the rated 1 2 7"),
    ("rating_share", 3, 5, "1 2 7 of the public's 1 2 4 7 8"),
    ("open_over_7_days", 3, 4, "5 6 10; 9 is six days old"),
    ("open_over_30_days", 2, 4, "5 10"),
    ("open_over_90_days", 0, 4, "none"),
    ("within_1_km", 6, 9, "1 3 4 7 9 10; 4 at 1,000 m is within"),
    ("web_share", 3, 9, "1 4 8"),
    ("phone_share", 2, 9, "2 7"),
    ("counter_share", 0, 9, "5 is of February"),
    ("patrol_share", 2, 9, "3 10"),
    ("system_share", 2, 9, "6 9"),
    ("by_public_share", 7, 9, "all but the patrol's 3 10"),
    ("public_share", 5, 9, "1 2 3 6 7"),
    ("joint_share", 1, 6, "7"),
    ("whistled_share", 1, 6, "7"),
    ("stations", 3, 3, "of the city and both towns"),
    ("units", 6, 6, "three stations, two departments, a crew"),
    (
        "areas_with_station",
        3,
        7,
        "the city and both towns, of these and four villages; cells have none",
    ),
    ("posts", 6, 6, "all"),
    ("post_coverage", 3, 6, "half of them are held"),
    ("vacant_posts", 3, 6, "the other half"),
];

const MIN: u64 = 60;
const HOUR: u64 = 60 * MIN;

/// Of each shipped measure how many rows were measured, and what it comes to.
const MEASURES: &[(&str, u64, u64, u64, &str)] = &[
    ("reports", 9, 10, 1, "two of 1 and one of each other"),
    ("returns_per_case", 6, 1, 6, "one return of 2, in six cases"),
    (
        "median_to_acceptance",
        7,
        30 * MIN,
        1,
        "0 0 10 30 60 60 120 minutes: the 4th",
    ),
    (
        "p90_to_acceptance",
        7,
        120 * MIN,
        1,
        "the 7th, as 6.3 is past the 6th",
    ),
    (
        "median_to_dispatch",
        6,
        60 * MIN,
        1,
        "0 20 60 90 120 240 minutes: the 3rd",
    ),
    ("p90_to_dispatch", 6, 240 * MIN, 1, "the 6th"),
    (
        "median_to_arrival",
        5,
        12 * HOUR,
        1,
        "1 1 12 24 24 hours: the 3rd",
    ),
    ("p90_to_arrival", 5, 24 * HOUR, 1, "the 5th"),
    (
        "median_of_handling",
        4,
        72 * HOUR,
        1,
        "4.5 72 120 696 hours: the 2nd; 3 was never dispatched",
    ),
    ("p90_of_handling", 4, 696 * HOUR, 1, "the 4th"),
    (
        "median_of_verification",
        4,
        18 * HOUR,
        1,
        "0 18 24 120 hours: the 2nd; 4 and 8 were never handled",
    ),
    ("p90_of_verification", 4, 120 * HOUR, 1, "the 4th"),
    ("median_whole", 6, 4 * HOUR, 1, "0 1 4 24 145 194 hours: the 3rd"),
    ("p90_whole", 6, 194 * HOUR, 1, "the 6th"),
    (
        "median_age_open",
        4,
        520 * HOUR,
        1,
        "160 520 736 952 hours on the first of April: the 2nd",
    ),
    (
        "median_distance",
        9,
        900,
        1,
        "50 100 300 700 900 1000 1500 2000 4000: the 5th",
    ),
    ("p90_distance", 9, 4_000, 1, "the 9th, as 8.1 is past the 8th"),
];

fn march() -> (&'static Place, Facts) {
    let place = village();
    let mut facts = cases(place, CASES);
    runs(&mut facts, RUNS);
    (place, facts)
}

fn held() -> HashSet<String> {
    ["CITY-D", "T100-P", "WATER-H"].map(str::to_owned).into()
}

fn question<'a>(book: &'a Book, codes: &[&str], period: &str) -> Ask<'a> {
    let indicators = codes
        .iter()
        .map(|code| book.get(code).expect("it is shipped"))
        .collect();
    Ask::new(indicators, period.parse().expect("a period"), at("04-10T00:00"))
}

#[test]
fn every_shipped_indicator_comes_to_what_was_worked_by_hand() {
    let (place, facts) = march();
    let book = Book::shipped();
    let codes: Vec<&str> = book.all().iter().map(|it| it.code.as_str()).collect();
    assert!(codes.len() >= 40);
    let held = held();
    let mut it = question(book, &codes, "2025-03");
    it.held = Some(&held);
    let answer = ask(&facts, place, &it).unwrap();
    let figure = |code: &str| answer.whole.now[codes.iter().position(|it| *it == code).expect(code)];
    for (code, numerator, denominator, why) in SHARES {
        let figure = figure(code);
        assert_eq!(
            (figure.numerator, figure.denominator),
            (*numerator, *denominator),
            "{code}: {why}"
        );
        let value = if book.get(code).unwrap().unit.is_share() {
            Ratio {
                over: *numerator,
                under: *denominator,
            }
        } else {
            Ratio::whole(*numerator)
        };
        assert_eq!(figure.value, Some(value), "{code}: {why}");
    }
    for (code, measured, over, under, why) in MEASURES {
        let figure = figure(code);
        assert_eq!(figure.denominator, *measured, "{code}: {why}");
        let value = Ratio {
            over: *over,
            under: *under,
        };
        assert_eq!(figure.value, Some(value), "{code}: {why}");
    }
    let worked: HashSet<&str> = SHARES
        .iter()
        .map(|it| it.0)
        .chain(MEASURES.iter().map(|it| it.0))
        .collect();
    let unworked: Vec<&&str> = codes.iter().filter(|code| !worked.contains(**code)).collect();
    assert!(unworked.is_empty(), "not worked by hand: {unworked:?}");
}

#[test]
fn a_share_of_nothing_is_none_and_never_a_hundred() {
    let (place, facts) = march();
    let answer = ask(
        &facts,
        place,
        &question(
            Book::shipped(),
            &["on_time_handling", "filed", "median_whole"],
            "2024-06",
        ),
    )
    .unwrap();
    let none = Figure::default();
    let zero = Figure {
        value: Some(Ratio::whole(0)),
        ..none
    };
    assert_eq!(answer.whole.now, [none, zero, none]);
}

#[test]
fn who_holds_a_post_is_not_guessed() {
    let (place, facts) = march();
    let answer = ask(
        &facts,
        place,
        &question(Book::shipped(), &["vacant_posts", "posts"], "2025-03"),
    )
    .unwrap();
    assert_eq!(answer.whole.now[0].value, None);
    assert_eq!(answer.whole.now[1].value, Some(Ratio::whole(6)));
}

#[test]
fn a_period_that_is_not_over_ends_now() {
    let (place, facts) = march();
    let mut it = question(
        Book::shipped(),
        &["due", "not_closed", "due_tomorrow", "median_age_open"],
        "2025-03",
    );
    // 6, 7 and 8 are not due, or not reported, yet; 2 is handled and open; the day after is the tenth.
    it.now = at("03-09T12:00");
    let answer = ask(&facts, place, &it).unwrap();
    assert!(!answer.is_over);
    let now: Vec<u64> = answer.whole.now.iter().map(|figure| figure.numerator).collect();
    assert_eq!(now[..2], [2, 3], "due are 1 2, and open are 2 5 10");
    assert_eq!(
        now[2], 0,
        "10 is due on the tenth, and by what is known now it was handled, if late"
    );
    // 4 days 4 hours, 8 days 4 hours, 17 days 4 hours, and the second in which it is asked.
    assert_eq!(answer.whole.now[3].value, Some(Ratio::whole(196 * HOUR + 1)));
}

/// The rows of an answer as text.
fn shown(answer: &super::Answer, column: usize) -> Vec<String> {
    let key = |key: &Option<Key>| match key {
        Some(Key::Code(code)) => code.clone(),
        Some(Key::Word(_, word)) => (*word).to_owned(),
        Some(Key::Step(period)) => period.to_string(),
        Some(Key::Hour { weekday, hour }) => format!("{weekday}@{hour}"),
        Some(Key::Unknown) => "?".to_owned(),
        None => "whole".to_owned(),
    };
    let figure = |figure: &Figure| format!("{}/{}", figure.numerator, figure.denominator);
    answer
        .rows
        .iter()
        .map(|row| format!("{} {}", key(&row.key), figure(&row.now[column])))
        .collect()
}

fn cut(codes: &[&str], by: Cut) -> super::Answer {
    let (place, facts) = march();
    let mut it = question(Book::shipped(), codes, "2025-03");
    it.cut = by;
    ask(&facts, place, &it).unwrap()
}

#[test]
fn an_answer_is_cut_by_area_at_any_level() {
    let answer = cut(&["on_time_handling", "not_closed"], Cut::Area(Level::Town));
    assert_eq!(shown(&answer, 0), ["230599100 1/3", "230599101 1/1", "? 0/0"]);
    // 5 has no point, and so no town.
    assert_eq!(shown(&answer, 1), ["230599100 2/2", "230599101 1/1", "? 1/1"]);
    let answer = cut(&["filed"], Cut::Area(Level::Community));
    assert_eq!(
        shown(&answer, 0),
        [
            "230599100200 2/2",
            "230599100201 3/3",
            "230599101202 2/2",
            "230599101203 2/2"
        ]
    );
    // A run lies where its case does; and a town without one is a row too.
    let answer = cut(&["on_time_sign"], Cut::Area(Level::Town));
    assert_eq!(shown(&answer, 0), ["230599100 1/2", "230599101 0/0"]);
    let answer = cut(&["areas_with_station"], Cut::Area(Level::Town));
    assert_eq!(
        shown(&answer, 0),
        ["230599100 1/3", "230599101 1/3", "? 1/1"],
        "the city lies in no town"
    );
}

#[test]
fn an_answer_is_cut_by_unit_service_group_standard_and_channel() {
    assert_eq!(
        shown(&cut(&["on_time_handling"], Cut::Unit), 0),
        ["ROADS 1/3", "WATER 1/1"]
    );
    assert_eq!(
        shown(&cut(&["on_time_work"], Cut::Unit), 0),
        ["ROADS 0/2", "WATER 1/1"]
    );
    assert_eq!(
        shown(&cut(&["filed"], Cut::Service), 0),
        ["RD-HOLE 3/3", "RD-SIGN 2/2", "WAT-DRAIN 1/1", "WAT-LEAK 3/3"]
    );
    assert_eq!(shown(&cut(&["filed"], Cut::Group), 0), ["RD 5/5", "WAT 4/4"]);
    assert_eq!(
        shown(&cut(&["filed"], Cut::Standard), 0),
        ["? 9/9"],
        "the table has no standards"
    );
    assert_eq!(
        shown(&cut(&["filed"], Cut::Channel), 0),
        ["web 3/3", "phone 2/2", "patrol 2/2", "open311 1/1", "api 1/1"]
    );
}

#[test]
fn an_answer_is_cut_by_time_and_by_the_hours_of_the_week() {
    let (place, facts) = march();
    let mut it = question(Book::shipped(), &["filed", "not_closed"], "2025-Q1");
    it.cut = Cut::Time(Step::Month);
    let answer = ask(&facts, place, &it).unwrap();
    assert_eq!(shown(&answer, 0), ["2025-01 0/0", "2025-02 1/1", "2025-03 9/9"]);
    // What is open is a state: of each month's end.
    assert_eq!(shown(&answer, 1), ["2025-01 0/0", "2025-02 1/1", "2025-03 4/4"]);
    assert_eq!(answer.whole.now[1].numerator, 4);
    it.cut = Cut::Hour;
    it.indicators.truncate(1);
    let answer = ask(&facts, place, &it).unwrap();
    assert_eq!(answer.rows.len(), 7 * 24);
    let busy: Vec<String> = shown(&answer, 0)
        .into_iter()
        .filter(|row| !row.ends_with("0/0"))
        .collect();
    // Monday the 3rd and 10th; Tuesday the 25th; Wednesday the 5th and 12th; Thursday the 6th at ten, and 20 February; Friday
    // the 7th; Saturday the 1st and 15th.
    assert_eq!(
        busy,
        [
            "0@8 2/2", "1@8 1/1", "2@8 2/2", "3@8 1/1", "3@10 1/1", "4@8 1/1", "5@8 2/2"
        ]
    );
}

#[test]
fn a_period_stands_beside_the_one_before_and_that_of_last_year() {
    let (place, facts) = march();
    let mut it = question(Book::shipped(), &["filed", "on_time_handling"], "2025-03");
    it.with_before = true;
    it.with_last_year = true;
    it.cut = Cut::Service;
    let answer = ask(&facts, place, &it).unwrap();
    let before = answer.whole.before.unwrap();
    assert_eq!(
        (before[0].numerator, before[1].numerator, before[1].denominator),
        (1, 0, 1),
        "5"
    );
    assert_eq!(answer.whole.last_year.unwrap()[0].numerator, 0);
    let row = answer
        .rows
        .iter()
        .find(|row| row.key == Some(Key::Code("RD-HOLE".into())))
        .unwrap();
    assert_eq!(row.before.as_ref().unwrap()[0].numerator, 1);
}

#[test]
fn steps_of_two_periods_stand_side_by_side() {
    let (place, facts) = march();
    let mut it = question(Book::shipped(), &["filed"], "2025-03");
    it.with_before = true;
    it.cut = Cut::Time(Step::Day);
    let answer = ask(&facts, place, &it).unwrap();
    assert_eq!(answer.rows.len(), 31);
    let twentieth = &answer.rows[19];
    assert_eq!(twentieth.key, Some(Key::Step("2025-03-20".parse().unwrap())));
    assert_eq!(
        twentieth.before.as_ref().unwrap()[0].numerator,
        1,
        "the 20th of February"
    );
}

#[test]
fn filters_narrow_and_strangers_are_refused() {
    let (place, facts) = march();
    let mut it = question(Book::shipped(), &["filed"], "2025-03");
    let with = |filters: Filters| {
        let mut it = it.clone();
        it.filters = filters;
        ask(&facts, place, &it).map(|answer| answer.whole.now[0].numerator)
    };
    let one = |code: &str| vec![code.to_owned()];
    let town = Filters {
        areas: one("230599101"),
        ..Filters::default()
    };
    assert_eq!(with(town.clone()), Ok(4), "4 6 7 8");
    let group = Filters {
        groups: one("RD"),
        ..town
    };
    assert_eq!(with(group), Ok(2), "6 8");
    let channels = Filters {
        channels: vec!["web".into(), "phone".into()],
        ..Filters::default()
    };
    assert_eq!(with(channels), Ok(5));
    let stranger = Filters {
        units: one("PARKS"),
        ..Filters::default()
    };
    assert_eq!(
        with(stranger),
        Err(AskError::Unknown {
            what: "unit",
            code: "PARKS".into()
        })
    );
    it.indicators = vec![Book::shipped().get("posts").unwrap()];
    it.filters.channels = one("web");
    assert!(matches!(
        ask(&facts, place, &it),
        Err(AskError::NoSuchFilter { .. })
    ));
    it.filters = Filters::default();
    it.cut = Cut::Channel;
    assert!(matches!(ask(&facts, place, &it), Err(AskError::NoSuchCut { .. })));
    it.indicators = vec![Book::shipped().get("not_closed").unwrap()];
    it.cut = Cut::Hour;
    assert!(
        matches!(ask(&facts, place, &it), Err(AskError::NoSuchCut { .. })),
        "a state has no hour"
    );
}

#[test]
fn a_figure_opens_its_rows_in_order_and_by_pages() {
    let (place, mut facts) = march();
    let book = Book::shipped();
    let list = |facts: &Facts, code: &str, part, key: Option<&Key>, by, sight, after, most| {
        let mut it = question(book, &[code], "2025-03");
        it.cut = by;
        let page = Page {
            key,
            part,
            sight,
            after,
            most,
        };
        rows(facts, place, &it, page).unwrap()
    };
    let all = Sight::Everything;
    let first = list(
        &facts,
        "on_time_handling",
        Part::Denominator,
        None,
        Cut::Nothing,
        all,
        None,
        3,
    );
    assert_eq!(
        (first.cases.as_slice(), first.total, first.next),
        ([1, 2, 7].as_slice(), 4, Some(7))
    );
    let second = list(
        &facts,
        "on_time_handling",
        Part::Denominator,
        None,
        Cut::Nothing,
        all,
        first.next,
        3,
    );
    assert_eq!((second.cases.as_slice(), second.next), ([10].as_slice(), None));
    let good = list(
        &facts,
        "on_time_handling",
        Part::Numerator,
        None,
        Cut::Nothing,
        all,
        None,
        10,
    );
    assert_eq!(good.cases, [1, 7]);
    let roads = Key::Code("ROADS".into());
    let of_roads = list(
        &facts,
        "on_time_handling",
        Part::Denominator,
        Some(&roads),
        Cut::Unit,
        all,
        None,
        10,
    );
    assert_eq!(of_roads.cases, [2, 7, 10]);
    let month = Key::Step("2025-02".parse().unwrap());
    let of_february = list(
        &facts,
        "not_closed",
        Part::Numerator,
        Some(&month),
        Cut::Time(Step::Month),
        all,
        None,
        10,
    );
    assert_eq!(of_february.cases, [5]);
    let measured = list(
        &facts,
        "median_of_handling",
        Part::Denominator,
        None,
        Cut::Nothing,
        all,
        None,
        10,
    );
    assert_eq!(measured.cases, [1, 2, 7, 10], "3 was never dispatched");
    let stations = list(
        &facts,
        "stations",
        Part::Numerator,
        None,
        Cut::Nothing,
        all,
        None,
        2,
    );
    assert_eq!(
        (stations.codes, stations.next),
        (vec!["CITY".to_owned(), "T100".to_owned()], Some(2))
    );
    // A classed case is counted and not named.
    facts.cases.flags[1] |= super::testing::flag("classed");
    let seen = list(
        &facts,
        "on_time_handling",
        Part::Denominator,
        None,
        Cut::Nothing,
        Sight::Unclassed,
        None,
        10,
    );
    assert_eq!(
        (seen.cases.as_slice(), seen.rows, seen.hidden),
        ([1, 7, 10].as_slice(), 4, 1)
    );
    let public = list(
        &facts,
        "on_time_handling",
        Part::Denominator,
        None,
        Cut::Nothing,
        Sight::Public,
        None,
        10,
    );
    assert_eq!(public.cases, [1, 7]);
}

#[test]
fn what_is_asked_of_a_moment_that_never_came_is_false() {
    let place = village();
    let facts = cases(
        place,
        "
        number reported    handled     due
        1      03-01T08:00 -           03-02T08:00
        2      03-01T08:00 03-01T09:00 -
        3      03-01T08:00 03-01T09:00 03-02T08:00",
    );
    let count = |condition: &str| {
        let it = indicator("case", "filed", "count", &[("numerator", condition)]);
        let ask_of = Ask::new(vec![&it], Period::month(2025, 3).unwrap(), at("04-10T00:00"));
        ask(&facts, place, &ask_of).unwrap().whole.now[0].numerator
    };
    assert_eq!(count("handled <= due"), 1);
    assert_eq!(count("handled > due"), 0);
    assert_eq!(count("handled != due"), 1);
    assert_eq!(count("not handled <= due"), 2);
    assert_eq!(count("handled - reported <= 1h"), 2);
    assert_eq!(count("handled - reported < 1h"), 0);
    assert_eq!(count("due - reported >= 24h and handled"), 1);
    assert_eq!(count("end - reported > 30d"), 3);
    assert_eq!(count("reported - start == 8h"), 3);
    assert_eq!(count("distance"), 0);
    assert_eq!(count("not distance <= 1km"), 3);
    assert_eq!(moment("03-01T09:00") - moment("03-01T08:00"), 3_600);
}

#[test]
fn the_formula_is_told_in_both_languages() {
    let book = Book::shipped();
    let told = |code: &str, lang| book.get(code).unwrap().formula(lang);
    assert_eq!(
        told("on_time_handling", Lang::En),
        "Rows: cases whose deadline of handling falls in the period. Counted: handled and not handled late. Out of: all of them. \
         Left out: outcome is declined or duplicate or referred or withdrawn or parked now. In per cent of the denominator; none \
         where that is empty."
    );
    assert_eq!(
        told("on_time_handling", Lang::Zh),
        "范围：处置期限在本期内届满的案件。分子：已处置完成且不属“超期处置”。分母：全部。不计：办理结果为“不予受理”或“重复上报”或“已转交其他部门”或“上报人撤回”或正在挂账。\
         以分子占分母的百分比表示；分母为零时不计算。"
    );
    assert_eq!(
        told("p90_of_handling", Lang::En),
        "Rows: cases handled in the period. 90th percentile (nearest rank) of the time from dispatched to handled, where it is known."
    );
    for it in book.all() {
        for lang in Lang::ALL {
            assert!(
                !it.formula(lang).is_empty() && !it.label.get(lang).is_empty(),
                "{}",
                it.code
            );
        }
    }
}

fn told(text: &str) -> Vec<String> {
    let codes = KnownCodes {
        services: Some(["RD-HOLE", "WAT-LEAK"].map(str::to_owned).into()),
        groups: Some(["WAT".to_owned()].into()),
        ..KnownCodes::default()
    };
    let (_, faults) = Book::read(text, &codes, &Lang::ALL);
    faults
        .into_iter()
        .map(|fault| format!("{}: {}; {}", fault.line, fault.what, fault.mend))
        .collect()
}

const RIGHT: &str = r#"[[indicator]]
code = "it"
subject = "case"
period = "due"
numerator = "handled"
denominator = "all"
unit = "percent"
label = { zh = "它", en = "It" }
"#;

#[test]
fn a_declaration_that_is_right_has_no_fault_and_takes_the_place_of_a_shipped_one() {
    assert_eq!(told(RIGHT), Vec::<String>::new());
    let own = RIGHT.replace("\"it\"", "\"on_time_handling\"") + "version = 2\n";
    let (book, faults) = Book::read(&own, &KnownCodes::default(), &Lang::ALL);
    assert_eq!(faults, []);
    assert_eq!(book.all().len(), Book::shipped().all().len());
    let it = book.get("on_time_handling").unwrap();
    assert_eq!((it.version, it.label.get(Lang::En)), (2, "It"));
}

#[test]
fn every_fault_of_a_declaration_says_where_and_what_would_be_right() {
    let with = |from: &str, to: &str| {
        assert!(RIGHT.contains(from), "{from}");
        told(&RIGHT.replacen(from, to, 1)).join("\n")
    };
    let it = |line: u32, column: u32, rest: &str| {
        format!("{line}: indicator \"it\", numerator, column {column}: {rest}")
    };
    let condition = |text: &str| with("\"handled\"", &format!("\"{text}\""));
    assert_eq!(
        condition("closed and handeld"),
        it(
            5,
            25,
            "\"handeld\" is no column of a case and no condition; docs/place-folder.md has the columns of a case"
        )
    );
    assert_eq!(
        condition("outcome == resolvd"),
        it(
            5,
            25,
            "\"resolvd\" is no outcome; write one of resolved, partly_resolved, explained, declined, duplicate, referred, withdrawn, unfounded"
        )
    );
    assert_eq!(
        condition("service in [WAT-LEEK]"),
        it(
            5,
            26,
            "service \"WAT-LEEK\" is not known; write the code of a service of this place"
        )
    );
    assert_eq!(
        condition("service == WAT"),
        it(
            5,
            25,
            "service \"WAT\" is not known; it is a group: write group:WAT"
        )
    );
    assert_eq!(
        condition("returned"),
        it(
            5,
            14,
            "\"returned\" is a number and says nothing by itself; write returned >= 1"
        )
    );
    assert_eq!(
        condition("handled <= 3"),
        it(
            5,
            25,
            "\"3\" is no column of a case and no condition; write the column first, then what it is compared with"
        )
    );
    assert_eq!(
        condition("public == yes"),
        it(
            5,
            14,
            "\"public\" is yes or no and is compared with nothing; write public, or not public"
        )
    );
    assert_eq!(
        condition("channel > web"),
        it(
            5,
            14,
            "\"channel\" has no order; write channel == … or channel in […]"
        )
    );
    assert_eq!(
        condition("handled - dispatched <= 2"),
        it(5, 38, "\"2\" is no span of time; write 30s, 15min, 4h, 7d or 2w")
    );
    assert_eq!(
        condition("distance < 2h"),
        it(5, 25, "\"2h\" is no distance; write 500m or 2km")
    );
    assert_eq!(
        condition("handled and"),
        it(
            5,
            25,
            "ends where a condition should stand; write a column, such as handled"
        )
    );
    assert_eq!(
        condition("(handled"),
        it(5, 22, "lacks \")\" here; close the bracket")
    );
    assert_eq!(
        condition("handled closed"),
        it(
            5,
            22,
            "\"closed\" does not belong here; join conditions by and, or or"
        )
    );
    assert_eq!(
        condition("handled = closed"),
        it(5, 22, "sign '=' is not known here; write == to compare")
    );
    assert_eq!(
        condition("handled-closed > 1h"),
        it(
            5,
            14,
            "\"handled-closed\" is no column of a case and no condition; write a blank before and after a minus"
        )
    );
    let deep = format!("{}handled{}", "(".repeat(30), ")".repeat(30));
    assert_eq!(
        condition(&deep),
        it(5, 39, "is nested more than 24 deep; make it simpler")
    );
    let long = vec!["closed"; 300].join(" or ");
    assert_eq!(
        condition(&long),
        it(
            5,
            14,
            "has more than 2000 letters; name a part of it below [conditions]"
        )
    );
    assert_eq!(
        with(
            "numerator = \"handled\"",
            "numerator = \"\"\"\nclosed and\n  handeld\"\"\""
        ),
        it(
            7,
            3,
            "\"handeld\" is no column of a case and no condition; docs/place-folder.md has the columns of a case"
        )
    );
    assert_eq!(
        with("denominator = \"all\"\n", ""),
        "1: indicator \"it\" has no denominator; write out of which rows: denominator = \"…\", or \"all\" for every row of the period"
    );
    assert_eq!(
        with(", en = \"It\"", ""),
        "8: indicator \"it\" has no label in en; write label = { zh = \"…\", en = \"…\" }"
    );
    assert_eq!(
        with("\"percent\"", "\"procent\""),
        "7: indicator \"it\", unit: \"procent\" is not known; write one of count, percent, per_thousand, duration, distance, number"
    );
    assert_eq!(
        with("\"due\"", "\"started\""),
        "4: indicator \"it\", period: \"started\" is not known; write one of filed, accepted, dispatched, arrived, handled, closed, due, \
         open_at_end, carried_over_overdue, due_next_day"
    );
    assert_eq!(
        with("unit = \"percent\"", "unit = \"duration\""),
        "1: indicator \"it\" has no measure; write what is measured: measure = \"median of …\"\n\
         5: indicator \"it\" has a numerator, and a duration has none; write which rows are measured as the denominator"
    );
    assert_eq!(with("code = \"it\"", "cod = \"it\"").lines().count(), 2);
    assert_eq!(
        told(&format!("{RIGHT}{RIGHT}")),
        ["10: indicator \"it\" is already on line 2; give each indicator its own code"]
    );
    assert_eq!(
        with("percent\"\n", "percent\"\nversion = 0\n"),
        "8: indicator \"it\", version is no whole number from 1 to 1000000; write version = 1"
    );
    let long = "长".repeat(81);
    assert_eq!(
        with("\"它\"", &format!("\"{long}\"")),
        "8: indicator \"it\", label in zh has more than 80 letters; make it shorter"
    );
}

#[test]
fn named_conditions_go_in_no_circle_and_fit_where_they_are_used() {
    let with = |conditions: &str, numerator: &str| {
        let text = format!(
            "[conditions]\n{conditions}\n{}",
            RIGHT.replacen("\"handled\"", &format!("\"{numerator}\""), 1)
        );
        told(&text)
    };
    assert_eq!(
        with("good = \"handled and not handled_late\"", "good"),
        Vec::<String>::new()
    );
    assert_eq!(
        with("a = \"b\"\nb = \"not c\"\nc = \"a or closed\"", "closed"),
        [
            "2: condition \"a\", column 6: condition \"b\" does not fit here: condition \"c\" does not fit here: goes in a circle: a → b → c → a; \
             say one of them without the others",
            "3: condition \"b\", column 10: condition \"c\" does not fit here: condition \"a\" does not fit here: goes in a circle: b → c → a → b; \
             say one of them without the others",
            "4: condition \"c\", column 6: condition \"a\" does not fit here: condition \"b\" does not fit here: goes in a circle: c → a → b → c; \
             say one of them without the others",
        ]
    );
    // One that is broken is told of once, and not where it is used.
    assert_eq!(with("bad = \"handeld\"", "bad").len(), 1);
    assert_eq!(
        with("of_run = \"kind == sign\"", "of_run"),
        [
            "7: indicator \"it\", numerator, column 14: condition \"of_run\" does not fit here: \"kind\" is no column of a case and no condition; \
             docs/place-folder.md has the columns of a case"
        ]
    );
    assert_eq!(
        with("closed = \"handled\"", "handled"),
        ["2: condition \"closed\" has a name that means something already; give it another"]
    );
    // Doubled twelve times, a test comes to four thousand.
    let doubled: Vec<String> = (1..12)
        .map(|n| format!("x{n} = \"x{0} or x{0}\"\n", n - 1))
        .collect();
    let doubled = format!("x0 = \"handled and closed\"\n{}", doubled.concat());
    assert!(
        with(&doubled, "x11")
            .iter()
            .any(|fault| fault.contains("comes to more than 1000 tests"))
    );
}
