//! The engine against a reader of one row after the other.

use std::collections::BTreeMap;

use proptest::prelude::*;
use whistle_domain::place::{Level, Place};

use super::{
    Ask, Cut, Figure, Indicator, Key, Page, Part, Period, RULES, Ratio, Rule, Sight, Statistic, Step,
    Subject, ask,
    column::{Byte, Column, Kind, Moment as MomentColumn, Source, columns},
    condition::{Code, Condition, Measured, Point, Ref},
    rows,
    testing::{Chance, NO_CASE, area, at, indicator, moment, push_case, push_run, village},
};
use crate::facts::{CaseRow, Facts, Moment, NEVER, NONE, NOTHING, RunRow};

const AREAS: [&str; 5] = [
    "230599100200001",
    "230599100201002",
    "230599101202001",
    "230599101",
    "-",
];
const SERVICES: [&str; 4] = ["WAT-LEAK", "RD-HOLE", "RD-SIGN", "GONE"];
const UNITS: [&str; 3] = ["WATER", "ROADS", "CITY"];

/// Facts of some months around March 2025, so dense that moments meet.
fn facts(place: &Place, chance: &mut Chance, rows: u64) -> Facts {
    let mut facts = Facts::default();
    let start = moment("2024-12-01T00:00");
    let when = |chance: &mut Chance| match chance.below(4) {
        0 => NEVER,
        _ => start + chance.below(24 * 180) as Moment * 3_600,
    };
    for number in 0..rows {
        let byte = |chance: &mut Chance, words: u64| match chance.below(words + 1) {
            0 => NOTHING,
            word => word as u8 - 1,
        };
        let row = CaseRow {
            number: (number * 2 + chance.below(2)) as u32,
            area: area(&mut facts, place, chance.of(&AREAS)),
            service: facts.services.number(chance.of(&SERVICES)),
            standard: facts.standards.number("WAT-LEAK-1"),
            lead: match chance.below(5) {
                0 => NONE,
                _ => facts.units.number(chance.of(&UNITS)),
            },
            channel: chance.below(7) as u8,
            stage: chance.below(7) as u8,
            outcome: byte(chance, 8),
            rating: byte(chance, 3),
            reports: chance.below(3) as u8,
            returned: chance.below(3) as u8,
            reworked: chance.below(3) as u8,
            reopened: chance.below(3) as u8,
            extended: chance.below(3) as u8,
            flags: chance.below(1 << 17) as u32,
            reported: when(chance),
            accepted: when(chance),
            dispatched: when(chance),
            arrived: when(chance),
            handled: when(chance),
            closed: when(chance),
            due: when(chance),
            distance: match chance.below(5) {
                0 => NONE,
                _ => chance.below(300) as u16,
            },
        };
        push_case(&mut facts, row);
        for _ in 0..chance.below(2) {
            let run = RunRow {
                kind: chance.below(8) as u8,
                ended: chance.below(5) as u8,
                unit: facts.units.number(chance.of(&UNITS)),
                started: when(chance),
                due: when(chance),
                stopped: when(chance),
            };
            let case = match chance.below(8) {
                0 => u32::MAX,
                _ => number as u32,
            };
            push_run(&mut facts, case, run);
        }
    }
    facts
}

/// A condition at random, as text.
fn condition(chance: &mut Chance, subject: Subject, depth: u32) -> String {
    if depth > 0 && chance.below(3) > 0 {
        let inner = condition(chance, subject, depth - 1);
        return match chance.below(4) {
            0 => format!("not ({inner})"),
            1 => format!("({inner}) and {}", condition(chance, subject, depth - 1)),
            2 => format!("({inner}) or ({})", condition(chance, subject, depth - 1)),
            _ => inner,
        };
    }
    let (column, name) = column(chance, subject, |_| true);
    let sign = chance.of(&["==", "!=", "<", "<=", ">", ">="]);
    let equal = chance.of(&["==", "!="]);
    match column.kind {
        Kind::Flag => name,
        Kind::Words(words) => {
            let one = words[chance.below(words.len() as u64) as usize].code;
            let other = words[chance.below(words.len() as u64) as usize].code;
            match chance.below(4) {
                0 => name,
                1 => format!("{name} {equal} {one}"),
                2 => format!("{name} not in [{one}, {other}]"),
                _ => format!("{name} in [{one}, {other}]"),
            }
        }
        Kind::Codes(_) => match (column.source, chance.below(3)) {
            (_, 0) => format!("{name} {equal} none"),
            (Source::Area, _) => format!("{name} in [230599100, 230599101202]"),
            (Source::Service, 1) => format!("{name} in group:RD"),
            (Source::Service, _) => format!("{name} {equal} 'GONE'"),
            (Source::Unit, _) => format!("{name} {equal} ROADS"),
            _ => format!("{name} in [WAT-LEAK-1, WAT-LEAK-2]"),
        },
        Kind::Count => format!("{name} {sign} {}", chance.below(4)),
        Kind::Distance => format!("{name} {sign} {}m", chance.below(3_000)),
        Kind::Moment => {
            let other = point(chance, subject);
            match chance.below(4) {
                0 => name,
                1 => format!("{name} - {other} {sign} {}h", chance.below(2_000)),
                2 => format!("{other} - {name} {sign} {}d", chance.below(60)),
                _ => format!("{name} {sign} {other}"),
            }
        }
    }
}

fn column(
    chance: &mut Chance,
    subject: Subject,
    fits: impl Fn(&Column) -> bool,
) -> (&'static Column, String) {
    loop {
        let of_case = subject == Subject::Run && chance.below(2) == 0;
        let all = columns(if of_case { Subject::Case } else { subject });
        let column = &all[chance.below(all.len() as u64) as usize];
        if fits(column) {
            let name = if of_case {
                format!("case.{}", column.name)
            } else {
                column.name.to_owned()
            };
            return (column, name);
        }
    }
}

fn point(chance: &mut Chance, subject: Subject) -> String {
    match chance.below(6) {
        0 => "start".to_owned(),
        1 => "end".to_owned(),
        2 => "next_day".to_owned(),
        _ => column(chance, subject, |column| column.kind == Kind::Moment).1,
    }
}

/// A row, read by itself.
struct Row<'a> {
    facts: &'a Facts,
    place: &'a Place,
    subject: Subject,
    at: usize,
    /// start, end, next day, the day after.
    ends: [Moment; 4],
}

impl Row<'_> {
    fn case(&self) -> usize {
        match self.subject {
            Subject::Run => self.facts.runs.case[self.at] as usize,
            _ => self.at,
        }
    }

    fn byte(&self, byte: Byte) -> u8 {
        let (cases, case) = (&self.facts.cases, self.case());
        match byte {
            Byte::Channel => cases.channel[case],
            Byte::Stage => cases.stage[case],
            Byte::Outcome => cases.outcome[case],
            Byte::Rating => cases.rating[case],
            Byte::Reports => cases.reports[case],
            Byte::Returned => cases.returned[case],
            Byte::Reworked => cases.reworked[case],
            Byte::Reopened => cases.reopened[case],
            Byte::Extended => cases.extended[case],
            Byte::RunKind => self.facts.runs.kind[self.at],
            Byte::Ended => self.facts.runs.ended[self.at],
            Byte::UnitKind | Byte::Level => unreachable!(),
        }
    }

    fn column_byte(&self, at: Ref) -> u8 {
        match at.column.source {
            Source::Byte(byte) => self.byte(byte),
            _ => unreachable!(),
        }
    }

    fn moment(&self, moment: MomentColumn) -> Option<Moment> {
        let (cases, case, runs) = (&self.facts.cases, self.case(), &self.facts.runs);
        let found = match moment {
            MomentColumn::Reported => cases.reported[case],
            MomentColumn::Accepted => cases.accepted[case],
            MomentColumn::Dispatched => cases.dispatched[case],
            MomentColumn::Arrived => cases.arrived[case],
            MomentColumn::Handled => cases.handled[case],
            MomentColumn::Closed => cases.closed[case],
            MomentColumn::Due => cases.due[case],
            MomentColumn::Started => runs.started[self.at],
            MomentColumn::RunDue => runs.due[self.at],
            MomentColumn::Stopped => runs.stopped[self.at],
        };
        (found != NEVER).then_some(found)
    }

    fn point(&self, point: Point) -> Option<Moment> {
        match point {
            Point::Column(at) => match at.column.source {
                Source::Moment(moment) => self.moment(moment),
                _ => unreachable!(),
            },
            Point::Start => Some(self.ends[0]),
            Point::End => Some(self.ends[1]),
            Point::NextDay => Some(self.ends[2]),
            Point::DayAfter => Some(self.ends[3]),
        }
    }

    fn code(&self, at: Ref) -> Option<&str> {
        let (facts, case) = (self.facts, self.case());
        match at.column.source {
            Source::Area => facts.areas.code(facts.cases.area[case]),
            Source::Service => facts.services.code(facts.cases.service[case]),
            Source::Standard => facts.standards.code(facts.cases.standard[case]),
            Source::Unit if self.subject == Subject::Run && !at.of_case => {
                facts.units.code(facts.runs.unit[self.at])
            }
            Source::Unit => facts.units.code(facts.cases.lead[case]),
            _ => unreachable!(),
        }
    }

    fn metres(&self) -> Option<u32> {
        let tens = self.facts.cases.distance[self.case()];
        (tens != NONE).then(|| u32::from(tens) * 10)
    }

    fn holds(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Everything => true,
            Condition::Flag(at) => match at.column.source {
                Source::Flag(bit) => self.facts.cases.flags[self.case()] & bit != 0,
                _ => unreachable!(),
            },
            Condition::Known(at) => match at.column.source {
                Source::Byte(byte) => self.byte(byte) != NOTHING,
                Source::Moment(moment) => self.moment(moment).is_some(),
                Source::Distance => self.metres().is_some(),
                _ => self.code(*at).is_some(),
            },
            Condition::Words(at, words) => words.contains(&self.column_byte(*at)),
            Condition::Codes(at, codes) => codes.iter().any(|code| match code {
                Code::One(code) if at.column.source == Source::Area => {
                    let area = self.facts.cases.area[self.case()];
                    let path = self.facts.paths.get(usize::from(area));
                    path.is_some_and(|path| path.0.iter().flatten().any(|it| it.as_str() == &**code))
                }
                Code::One(code) => self.code(*at) == Some(&**code),
                Code::Group(group) => {
                    let service = self.code(*at).and_then(|code| self.place.service(code));
                    service
                        .and_then(|it| it.group.as_ref())
                        .is_some_and(|it| it.as_str() == &**group)
                }
            }),
            Condition::Count(at, comparison, number) => {
                comparison.holds(&u32::from(self.column_byte(*at)), number)
            }
            Condition::Distance(_, comparison, metres) => {
                self.metres().is_some_and(|it| comparison.holds(&it, metres))
            }
            Condition::Moments(left, comparison, right) => {
                let both = self.point(*left).zip(self.point(*right));
                both.is_some_and(|(left, right)| comparison.holds(&left, &right))
            }
            Condition::Span(later, earlier, comparison, seconds) => self
                .span(*later, *earlier)
                .is_some_and(|span| comparison.holds(&span, seconds)),
            Condition::Not(inner) => !self.holds(inner),
            Condition::All(parts) => parts.iter().all(|part| self.holds(part)),
            Condition::Any(parts) => parts.iter().any(|part| self.holds(part)),
        }
    }

    fn span(&self, later: Point, earlier: Point) -> Option<u32> {
        let (later, earlier) = self.point(later).zip(self.point(earlier))?;
        later.checked_sub(earlier)
    }

    fn measured(&self, of: &Measured) -> Option<u32> {
        match of {
            Measured::Span(later, earlier) => self.span(*later, *earlier),
            Measured::Count(at) => Some(u32::from(self.column_byte(*at))),
            Measured::Distance(_) => self.metres(),
        }
    }
}

/// What an indicator comes to, by town, read one row after the other.
fn naive(
    facts: &Facts,
    place: &Place,
    it: &Indicator,
    ends: [Moment; 4],
) -> BTreeMap<Option<String>, Figure> {
    let mut groups: BTreeMap<Option<String>, (u64, u64, Vec<u32>)> = BTreeMap::new();
    let rows = match it.subject {
        Subject::Run => facts.runs.case.len(),
        _ => facts.cases.number.len(),
    };
    for row in 0..rows {
        if it.subject == Subject::Run && facts.runs.case[row] == u32::MAX {
            continue;
        }
        let row = Row {
            facts,
            place,
            subject: it.subject,
            at: row,
            ends,
        };
        let is_out = it.exclude.as_ref().is_some_and(|exclude| row.holds(exclude));
        if is_out || !row.holds(&it.period) || !row.holds(&it.denominator) {
            continue;
        }
        let value = it.measure.as_ref().map(|measure| row.measured(&measure.of));
        if value == Some(None) {
            continue;
        }
        let path = facts.paths.get(usize::from(facts.cases.area[row.case()]));
        let town = path
            .and_then(|path| path.at(Level::Town))
            .map(|code| code.as_str().to_owned());
        let group = groups.entry(town).or_default();
        group.0 += u64::from(row.holds(&it.numerator));
        group.1 += 1;
        group.2.extend(value.flatten());
    }
    let figure = |(numerator, denominator, mut values): (u64, u64, Vec<u32>)| {
        values.sort_unstable();
        let sum: u64 = values.iter().map(|value| u64::from(*value)).sum();
        let value = match it.measure.as_ref().map(|measure| measure.statistic) {
            None if it.unit.is_share() => (denominator > 0).then_some(Ratio {
                over: numerator,
                under: denominator,
            }),
            None => Some(Ratio::whole(numerator)),
            // The first value that at least so many of a hundred are not above.
            Some(Statistic::Percentile(percent)) => (1..=values.len())
                .find(|rank| rank * 100 >= values.len() * usize::from(percent))
                .map(|rank| Ratio::whole(u64::from(values[rank - 1]))),
            Some(Statistic::Mean) => (denominator > 0).then_some(Ratio {
                over: sum,
                under: denominator,
            }),
            Some(Statistic::Sum) => Some(Ratio::whole(sum)),
        };
        Figure {
            numerator,
            denominator,
            value,
            is_masked: false,
        }
    };
    groups
        .into_iter()
        .map(|(town, group)| (town, figure(group)))
        .collect()
}

fn rules(subject: Subject) -> Vec<&'static Rule> {
    RULES.iter().filter(|rule| rule.of.contains(&subject)).collect()
}

/// An indicator at random.
fn declared(chance: &mut Chance) -> Indicator {
    let subject = chance.of(&[Subject::Case, Subject::Case, Subject::Run]);
    let rule = chance.of(&rules(subject));
    let (denominator, exclude) = (condition(chance, subject, 3), condition(chance, subject, 1));
    let numerator = condition(chance, subject, 3);
    let mut keys: Vec<(&str, &str)> = vec![("exclude", &exclude)];
    let measure;
    let unit = match chance.below(4) {
        0 => "count",
        1 => {
            let (a, b) = (point(chance, subject), point(chance, subject));
            measure = format!("p{} of {a} - {b}", 1 + chance.below(99));
            keys.push(("measure", &measure));
            "duration"
        }
        2 if subject == Subject::Case => {
            measure = chance
                .of(&["mean of returned", "median of reports", "sum of reopened"])
                .to_owned();
            keys.push(("measure", &measure));
            "number"
        }
        _ => "percent",
    };
    if unit != "count" {
        keys.push(("denominator", &denominator));
    }
    if matches!(unit, "count" | "percent") {
        keys.push(("numerator", &numerator));
    }
    indicator(subject.as_str(), rule.name, unit, &keys)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_engine_equals_a_reader_of_one_row_after_the_other(seed in any::<u64>()) {
        let mut chance = Chance(seed);
        let place = village();
        let facts = facts(place, &mut chance, 100 + chance_rows(seed));
        let indicators: Vec<Indicator> = (0..6).map(|_| declared(&mut chance)).collect();
        let march = Period::month(2025, 3).unwrap();
        let mut it = Ask::new(indicators.iter().collect(), march, at("06-01T00:00"));
        it.cut = Cut::Area(Level::Town);
        let answer = ask(&facts, place, &it).unwrap();
        let ends = ["03-01T00:00", "04-01T00:00", "04-01T00:00", "04-02T00:00"].map(moment);
        for (at, indicator) in indicators.iter().enumerate() {
            let wanted = naive(&facts, place, indicator, ends);
            for row in &answer.rows {
                let town = match &row.key {
                    Some(Key::Code(code)) => Some(code.clone()),
                    _ => None,
                };
                let got = row.now[at];
                if let Some(wanted) = wanted.get(&town) {
                    prop_assert_eq!(&got, wanted, "{:?} of {:?}", town, indicator);
                } else {
                    prop_assert_eq!(got.denominator, 0);
                }
            }
            // No group is left out, and what is counted adds up.
            let sum = |of: fn(&Figure) -> u64| answer.rows.iter().map(|row| of(&row.now[at])).sum::<u64>();
            prop_assert_eq!(sum(|it| it.denominator), wanted.values().map(|it| it.denominator).sum::<u64>());
            prop_assert_eq!(sum(|it| it.numerator), answer.whole.now[at].numerator);
            prop_assert_eq!(sum(|it| it.denominator), answer.whole.now[at].denominator);
            // And each figure opens as many rows as it says.
            let mut one = it.clone();
            one.indicators = vec![indicator];
            let part = if indicator.measure.is_some() { Part::Denominator } else { Part::Numerator };
            let page = Page { key: None, part, sight: Sight::Everything, after: None, most: 1_000 };
            let listed = rows(&facts, place, &one, page).unwrap();
            prop_assert_eq!(listed.rows, answer.whole.now[at].numerator);
        }
    }

    #[test]
    fn each_step_of_time_is_what_is_asked_of_it_alone(seed in any::<u64>()) {
        let mut chance = Chance(seed);
        let place = village();
        let facts = facts(place, &mut chance, 300);
        let indicators: Vec<Indicator> = (0..3).map(|_| declared(&mut chance)).collect();
        let quarter = Period::quarter(2025, 1).unwrap();
        // February is not over yet.
        let now = at("02-20T15:30");
        let mut it = Ask::new(indicators.iter().collect(), quarter, now);
        it.cut = Cut::Time(Step::Month);
        let answer = ask(&facts, place, &it).unwrap();
        prop_assert_eq!(answer.rows.len(), 3);
        for row in &answer.rows {
            let Some(Key::Step(step)) = row.key else {
                panic!("a step");
            };
            let alone = ask(&facts, place, &Ask::new(indicators.iter().collect(), step, now)).unwrap();
            prop_assert_eq!(&row.now, &alone.whole.now, "{}", step);
        }
    }

    #[test]
    fn hours_of_the_week_add_up_to_the_whole(seed in any::<u64>()) {
        let mut chance = Chance(seed);
        let place = village();
        let facts = facts(place, &mut chance, 300);
        let filed = indicator("case", "filed", "count", &[]);
        let mut it = Ask::new(vec![&filed], Period::year(2025).unwrap(), at("2026-01-01T00:00"));
        it.cut = Cut::Hour;
        let answer = ask(&facts, place, &it).unwrap();
        let sum: u64 = answer.rows.iter().map(|row| row.now[0].numerator).sum();
        prop_assert_eq!(sum, answer.whole.now[0].numerator);
    }
}

/// Mostly few rows, now and then more than two blocks.
fn chance_rows(seed: u64) -> u64 {
    match seed % 8 {
        0 => 4_500,
        _ => seed % 500,
    }
}

#[test]
fn threads_change_nothing() {
    let place = village();
    let mut facts = Facts::default();
    let area = area(&mut facts, place, AREAS[0]);
    let start = moment("2024-12-01T00:00");
    let mut chance = Chance(1);
    for number in 0..400_000_u32 {
        let reported = start + number * 30;
        let case = CaseRow {
            number,
            area,
            reported,
            closed: reported + chance.below(1_000_000) as u32,
            ..NO_CASE
        };
        push_case(&mut facts, case);
    }
    let median = indicator(
        "case",
        "filed",
        "duration",
        &[("measure", "median of closed - reported")],
    );
    let it = Ask::new(
        vec![&median],
        Period::month(2025, 3).unwrap(),
        at("2026-01-01T00:00"),
    );
    let answer = ask(&facts, place, &it).unwrap();
    let ends = ["03-01T00:00", "04-01T00:00", "04-01T00:00", "04-02T00:00"].map(moment);
    let wanted = naive(&facts, place, &median, ends);
    assert_eq!(Some(&answer.whole.now[0]), wanted.values().next());
    assert!(answer.whole.now[0].denominator > 80_000);
}
