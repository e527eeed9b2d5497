//! Asking: from indicators, a period and a cut to figures, and from a figure to the rows behind it.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use whistle_domain::place::{Level, Place, Service};

use super::{
    Indicator, Subject, Unit,
    answer::{Answer, Figure, Figures, Heading, Key, Ratio},
    column::{Byte, CHANNELS, Column, HELD, columns},
    condition::{Code, Condition, Ref, Statistic},
    house::House,
    period::{Period, PeriodError, Step, midnight},
    scan::{Base, Instants, Job, Keys, Table, Taken, Tally, Test, areas_at, each_row, run},
};
use crate::facts::{Facts, Moment, flag};

/// The most indicators of one question: a page full.
const MAX_ASKED: usize = 100;
/// The most steps of time of one answer: ten years of days.
const MAX_STEPS: usize = 3_700;
/// The most steps for what is a state: each is a pass of its own.
const MAX_STATES: usize = 400;
/// The most changes of a place's clocks in a period: four a year for the years of facts, with some to spare.
const MAX_OFFSETS: usize = 1_000;
/// The most rows of one page.
const MAX_PAGE: usize = 1_000;

/// By what an answer is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cut {
    /// By nothing: only the whole.
    Nothing,
    /// By areas of a level, as rows were filed.
    Area(Level),
    /// By unit: of a case the one that leads it, of a run the one it limits.
    Unit,
    /// By service.
    Service,
    /// By group of services.
    Group,
    /// By standard.
    Standard,
    /// By the way in which cases were told.
    Channel,
    /// By steps of time, by the moment that decides about the period.
    Time(Step),
    /// By hour and weekday of that moment, by the clocks of the place.
    Hour,
}

/// What rows are looked at, besides the period. Of each list one must fit; an empty one fits all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is a list of codes of that name")]
pub struct Filters {
    pub areas: Vec<String>,
    pub units: Vec<String>,
    pub services: Vec<String>,
    pub groups: Vec<String>,
    pub standards: Vec<String>,
    pub channels: Vec<String>,
}

/// A question.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// What to count. Those of one subject are counted in one pass.
    pub indicators: Vec<&'a Indicator>,
    /// When.
    pub period: Period,
    /// Now; a period that is not over ends here.
    pub now: Timestamp,
    /// By what to cut.
    pub cut: Cut,
    /// What rows to look at.
    pub filters: Filters,
    /// Whether to say what it came to in the period before.
    pub with_before: bool,
    /// Whether to say what it came to in the same of last year.
    pub with_last_year: bool,
    /// The posts that somebody holds. Where it is not known, what asks for it has no value.
    pub held: Option<&'a HashSet<String>>,
}

impl<'a> Ask<'a> {
    /// One that cuts by nothing and looks at everything.
    pub fn new(indicators: Vec<&'a Indicator>, period: Period, now: Timestamp) -> Self {
        Self {
            indicators,
            period,
            now,
            cut: Cut::Nothing,
            filters: Filters::default(),
            with_before: false,
            with_last_year: false,
            held: None,
        }
    }
}

/// A question that has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Too much at once.
    #[error("{0} indicators are too many for one question; ask for at most {MAX_ASKED}")]
    TooMany(usize),
    /// Too many steps of time.
    #[error("the period has too many steps; ask for longer steps or a shorter period")]
    TooManySteps,
    /// The rows have nothing of the kind.
    #[error("{indicator} cannot be cut by {cut}")]
    NoSuchCut {
        /// Whose.
        indicator: String,
        /// By what.
        cut: &'static str,
    },
    /// The rows have nothing of the kind.
    #[error("{indicator} cannot be filtered by {filter}")]
    NoSuchFilter {
        /// Whose.
        indicator: String,
        /// By what.
        filter: &'static str,
    },
    /// Neither the place nor its facts have it.
    #[error("{what} {code:?} is not known")]
    Unknown {
        /// What it should be.
        what: &'static str,
        /// Its code.
        code: String,
    },
    /// See [`PeriodError`].
    #[error(transparent)]
    Period(#[from] PeriodError),
}

/// Answers a question.
pub fn ask(facts: &Facts, place: &Place, ask: &Ask<'_>) -> Result<Answer, AskError> {
    check(facts, place, ask)?;
    let now = pass(facts, place, ask, ask.period)?;
    let before = ask.with_before.then(|| ask.period.before()).transpose()?;
    let before = before.map(|period| pass(facts, place, ask, period)).transpose()?;
    let last_year = ask.with_last_year.then(|| ask.period.last_year()).transpose()?;
    let last_year = last_year
        .map(|period| pass(facts, place, ask, period))
        .transpose()?;
    Ok(Answer {
        place_version: place.version,
        period: ask.period,
        is_over: ask.period.bounds(place.calendar.zone()).1 <= moment(ask.now),
        headings: ask
            .indicators
            .iter()
            .map(|it| Heading {
                code: it.code.clone(),
                version: it.version,
                unit: it.unit,
                subject: it.subject,
            })
            .collect(),
        whole: Figures {
            key: None,
            now: now.whole.clone(),
            before: before.as_ref().map(|it| it.whole.clone()),
            last_year: last_year.as_ref().map(|it| it.whole.clone()),
        },
        rows: joined(
            ask.indicators.len(),
            now.rows,
            before.map(|it| it.rows),
            last_year.map(|it| it.rows),
        ),
    })
}

type Rows = BTreeMap<Key, Vec<Figure>>;

/// Puts the periods side by side: steps of time by their order, all else by its key.
fn joined(columns: usize, mut now: Rows, before: Option<Rows>, last_year: Option<Rows>) -> Vec<Figures> {
    let steps: Vec<Key> = now
        .keys()
        .filter(|key| matches!(key, Key::Step(_)))
        .cloned()
        .collect();
    let beside = |rows: Option<Rows>| {
        rows.map(|rows| {
            let mut at = 0;
            let moved = rows.into_iter().filter_map(|(key, figures)| match key {
                Key::Step(_) => {
                    at += 1;
                    Some((steps.get(at - 1)?.clone(), figures))
                }
                key => Some((key, figures)),
            });
            moved.collect::<Rows>()
        })
    };
    let (mut before, mut last_year) = (beside(before), beside(last_year));
    let none = || vec![Figure::default(); columns];
    for key in [&before, &last_year]
        .into_iter()
        .flatten()
        .flat_map(BTreeMap::keys)
    {
        if !now.contains_key(key) {
            now.insert(key.clone(), none());
        }
    }
    now.into_iter()
        .map(|(key, now)| {
            let other =
                |rows: &mut Option<Rows>| rows.as_mut().map(|rows| rows.remove(&key).unwrap_or_else(none));
            Figures {
                before: other(&mut before),
                last_year: other(&mut last_year),
                now,
                key: Some(key),
            }
        })
        .collect()
}

fn check(facts: &Facts, place: &Place, ask: &Ask<'_>) -> Result<(), AskError> {
    if ask.indicators.len() > MAX_ASKED {
        return Err(AskError::TooMany(ask.indicators.len()));
    }
    if let Cut::Time(step) = ask.cut
        && ask.period.steps(step).nth(MAX_STEPS).is_some()
    {
        return Err(AskError::TooManySteps);
    }
    let unknown = |what, codes: &[String], is_known: &dyn Fn(&str) -> bool| {
        let stranger = codes.iter().find(|code| !is_known(code));
        stranger.map_or(Ok(()), |code| {
            Err(AskError::Unknown {
                what,
                code: code.clone(),
            })
        })
    };
    let filters = &ask.filters;
    let in_facts = |code: &str| {
        let mut codes = facts.paths.iter().flat_map(|path| path.0.iter().flatten());
        codes.any(|it| it.as_str() == code)
    };
    unknown("area", &filters.areas, &|code| {
        place.areas.find(code).is_some() || in_facts(code)
    })?;
    unknown("unit", &filters.units, &|code| {
        place.unit(code).is_some() || facts.units.find(code).is_some()
    })?;
    unknown("service", &filters.services, &|code| {
        place.service(code).is_some_and(|it| !it.is_group()) || facts.services.find(code).is_some()
    })?;
    unknown("group", &filters.groups, &|code| {
        place.service(code).is_some_and(Service::is_group)
    })?;
    unknown("standard", &filters.standards, &|code| {
        place.standard(code).is_some() || facts.standards.find(code).is_some()
    })?;
    unknown("channel", &filters.channels, &|code| {
        CHANNELS.iter().any(|it| it.code == code)
    })
}

/// A moment of facts. Facts begin in 1970 and end in 2106.
fn moment(at: Timestamp) -> Moment {
    Moment::try_from(at.as_second().max(0)).unwrap_or(Moment::MAX - 2)
}

fn instants(period: Period, place: &Place, now: Timestamp) -> Instants {
    let zone = place.calendar.zone();
    let (start, to) = period.bounds(zone);
    let end = to.min(moment(now).saturating_add(1));
    // Of a period that is over the day after it; else tomorrow.
    let day = if to <= end {
        period.last_day().tomorrow().ok()
    } else {
        let of_end = Timestamp::from_second(i64::from(end)).unwrap_or_default();
        zone.to_datetime(of_end).date().tomorrow().ok()
    };
    let start_of = |day: Option<jiff::civil::Date>| day.map_or(end, |day| midnight(day, zone));
    Instants {
        start,
        end,
        next_day: start_of(day),
        day_after: start_of(day.and_then(|day| day.tomorrow().ok())),
    }
}

struct Passed {
    rows: Rows,
    whole: Vec<Figure>,
}

/// Counts everything in one period.
fn pass(facts: &Facts, place: &Place, ask: &Ask<'_>, period: Period) -> Result<Passed, AskError> {
    let columns = ask.indicators.len();
    let mut passed = Passed {
        rows: Rows::new(),
        whole: vec![Figure::default(); columns],
    };
    if let Cut::Time(step) = ask.cut {
        for step in period.steps(step) {
            passed
                .rows
                .insert(Key::Step(step), vec![Figure::default(); columns]);
        }
    }
    for subject in Subject::ALL {
        let of_subject = || {
            ask.indicators
                .iter()
                .enumerate()
                .filter(|(_, it)| it.subject == subject)
        };
        // What is a state, or looks at the ends of the period, is asked of each step by itself.
        let is_by_step = |it: &Indicator| matches!(ask.cut, Cut::Time(_)) && is_of_ends(it);
        let at_once: Vec<(usize, &Indicator)> = of_subject()
            .filter(|(_, it)| !is_by_step(it))
            .map(|(at, it)| (at, *it))
            .collect();
        let by_step: Vec<(usize, &Indicator)> = of_subject()
            .filter(|(_, it)| is_by_step(it))
            .map(|(at, it)| (at, *it))
            .collect();
        if at_once.is_empty() && by_step.is_empty() {
            continue;
        }
        let house = House::of(subject, place, ask.held);
        let table = Table {
            subject,
            facts,
            house: &house,
            place,
        };
        if !at_once.is_empty() {
            count(
                table,
                ask,
                &at_once,
                period,
                ask.cut,
                |at, key, figure| match key {
                    None => passed.whole[at] = figure,
                    Some(key) => {
                        let row = passed
                            .rows
                            .entry(key)
                            .or_insert_with(|| vec![Figure::default(); columns]);
                        row[at] = figure;
                    }
                },
            )?;
        }
        if let (Cut::Time(step), false) = (ask.cut, by_step.is_empty()) {
            if period.steps(step).nth(MAX_STATES).is_some() {
                return Err(AskError::TooManySteps);
            }
            count(table, ask, &by_step, period, Cut::Nothing, |at, key, figure| {
                if key.is_none() {
                    passed.whole[at] = figure;
                }
            })?;
            for step in period.steps(step) {
                let row = passed
                    .rows
                    .entry(Key::Step(step))
                    .or_insert_with(|| vec![Figure::default(); columns]);
                count(table, ask, &by_step, step, Cut::Nothing, |at, key, figure| {
                    if key.is_none() {
                        row[at] = figure;
                    }
                })?;
            }
        }
    }
    if let Cut::Area(level) = ask.cut {
        // A town without a case is a row too.
        let empty: Vec<Figure> = ask.indicators.iter().map(|it| empty(it)).collect();
        for area in place.areas.all().iter().filter(|area| area.level == level) {
            let key = Key::Code(area.code.as_str().to_owned());
            passed.rows.entry(key).or_insert_with(|| empty.clone());
        }
    }
    // What an indicator has no row for counts nothing: none of 0 is 0, and a share of nothing is none.
    for (at, indicator) in ask.indicators.iter().enumerate() {
        for row in passed
            .rows
            .values_mut()
            .filter(|row| row[at] == Figure::default())
        {
            if !is_unknowable(indicator, ask) {
                row[at] = empty(indicator);
            }
        }
    }
    Ok(passed)
}

/// The figure of no rows.
fn empty(indicator: &Indicator) -> Figure {
    Figure {
        value: (indicator.unit == Unit::Count).then_some(Ratio::whole(0)),
        ..Figure::default()
    }
}

/// Whether it is a state, or what it asks of a row depends on where the period begins or ends.
fn is_of_ends(indicator: &Indicator) -> bool {
    let conditions = [
        Some(&indicator.numerator),
        Some(&indicator.denominator),
        indicator.exclude.as_ref(),
    ];
    indicator.rule.moment.is_none()
        || conditions.into_iter().flatten().any(Condition::asks_period)
        || indicator
            .measure
            .as_ref()
            .is_some_and(|measure| measure.of.asks_period())
}

/// Whether it asks who holds a post, and nobody said.
fn is_unknowable(indicator: &Indicator, ask: &Ask<'_>) -> bool {
    let conditions = [
        Some(&indicator.numerator),
        Some(&indicator.denominator),
        indicator.exclude.as_ref(),
    ];
    let asks = || conditions.into_iter().flatten().any(|it| it.asks_flag(HELD));
    indicator.subject == Subject::Post && ask.held.is_none() && asks()
}

/// Counts indicators of one subject in one pass, and hands over each figure with its key; the whole has none.
fn count(
    table: Table<'_>,
    ask: &Ask<'_>,
    indicators: &[(usize, &Indicator)],
    period: Period,
    cut: Cut,
    mut hand_over: impl FnMut(usize, Option<Key>, Figure),
) -> Result<(), AskError> {
    let instants = instants(period, table.place, ask.now);
    let mut bases: Vec<Base<'_>> = Vec::new();
    let mut rules: Vec<&'static str> = Vec::new();
    let mut keys: Vec<(Keys<'_>, Vec<Key>)> = Vec::new();
    let mut key_of: Vec<Option<super::column::Moment>> = Vec::new();
    let mut jobs: Vec<Job<'_>> = Vec::new();
    // What is counted alike is counted once: a median and a ninetieth percentile of one span.
    let mut distinct: Vec<&Indicator> = Vec::new();
    let mut asked: Vec<(usize, &Indicator, usize)> = Vec::new();
    for (at, indicator) in indicators {
        let is_alike = |other: &&Indicator| {
            let of = |it: &Indicator| {
                it.measure
                    .as_ref()
                    .map(|measure| (measure.of.clone(), keeps_values(it)))
            };
            other.rule == indicator.rule
                && other.numerator == indicator.numerator
                && other.denominator == indicator.denominator
                && other.exclude == indicator.exclude
                && of(other) == of(indicator)
        };
        if let Some(job) = distinct.iter().position(is_alike) {
            asked.push((*at, *indicator, job));
            continue;
        }
        let base = if let Some(base) = rules.iter().position(|rule| *rule == indicator.rule.name) {
            base
        } else {
            let filters = filters(table, indicator, &ask.filters)?;
            let filters = filters.iter().map(|it| Test::bind(it, table, &instants));
            let period = Test::bind(&indicator.period, table, &instants);
            let test = Test::all([period, table.live()].into_iter().chain(filters));
            bases.push(Base::new(test, table, indicator.rule.moment, &instants));
            rules.push(indicator.rule.name);
            bases.len() - 1
        };
        let by = match cut {
            Cut::Time(_) | Cut::Hour => indicator.rule.moment,
            _ => None,
        };
        let key = if let Some(key) = key_of.iter().position(|other| *other == by) {
            key
        } else {
            keys.push(grouped(table, indicator, period, cut)?);
            key_of.push(by);
            keys.len() - 1
        };
        let bind = |condition: &Condition| Test::bind(condition, table, &instants);
        let exclude = indicator
            .exclude
            .as_ref()
            .map_or(Test::Everything, |it| Test::not(bind(it)));
        distinct.push(indicator);
        asked.push((*at, *indicator, jobs.len()));
        jobs.push(Job {
            base,
            keys: key,
            denominator: Test::all([bind(&indicator.denominator), exclude]),
            numerator: bind(&indicator.numerator),
            taken: indicator
                .measure
                .as_ref()
                .map(|it| Taken::bind(&it.of, table, &instants)),
            keeps_values: keeps_values(indicator),
        });
    }
    let (keys, names): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    let mut tallies = run(table.rows(), &bases, &keys, &jobs);
    for (at, indicator, job) in asked {
        let (groups, whole) = figures(indicator, &mut tallies[job], is_unknowable(indicator, ask));
        hand_over(at, None, whole);
        if cut == Cut::Nothing {
            continue;
        }
        let names = names[jobs[job].keys].iter().cloned().chain([Key::Unknown]);
        for (key, figure) in names.zip(groups) {
            let is_kept = figure.denominator > 0 || matches!(key, Key::Step(_) | Key::Hour { .. });
            if is_kept {
                hand_over(at, Some(key), figure);
            }
        }
    }
    Ok(())
}

fn keeps_values(indicator: &Indicator) -> bool {
    let statistic = indicator.measure.as_ref().map(|measure| measure.statistic);
    matches!(statistic, Some(Statistic::Percentile(_)))
}

/// The figures of all groups, and the whole's.
fn figures(indicator: &Indicator, tally: &mut Tally, is_unknowable: bool) -> (Vec<Figure>, Figure) {
    let whole_counts = tally
        .counts
        .iter()
        .fold([0, 0], |sum, it| [sum[0] + it[0], sum[1] + it[1]]);
    if is_unknowable {
        return (vec![Figure::default(); tally.counts.len()], Figure::default());
    }
    let figure = |counts: [u64; 2], value: Option<Ratio>| Figure {
        numerator: counts[0],
        denominator: counts[1],
        value,
        is_masked: false,
    };
    let divided = |over: u64, under: u64| (under > 0).then_some(Ratio { over, under });
    let counts = tally.counts.clone();
    match indicator.measure.as_ref().map(|measure| measure.statistic) {
        None => {
            let of = |counts: [u64; 2]| {
                let value = if indicator.unit.is_share() {
                    divided(counts[0], counts[1])
                } else {
                    Some(Ratio::whole(counts[0]))
                };
                figure(counts, value)
            };
            (counts.into_iter().map(of).collect(), of(whole_counts))
        }
        Some(Statistic::Percentile(percent)) => {
            let (groups, whole) = tally.percentile(percent);
            let of = |counts, value: Option<u32>| {
                figure(counts, value.map(|value| Ratio::whole(u64::from(value))))
            };
            let groups = counts
                .into_iter()
                .zip(groups)
                .map(|(counts, value)| of(counts, value));
            (groups.collect(), of(whole_counts, whole))
        }
        Some(statistic) => {
            let of = |counts: [u64; 2], sum: u64| {
                let value = if statistic == Statistic::Mean {
                    divided(sum, counts[1])
                } else {
                    Some(Ratio::whole(sum))
                };
                figure(counts, value)
            };
            let whole = of(whole_counts, tally.sums.iter().sum());
            let groups = counts
                .into_iter()
                .zip(&tally.sums)
                .map(|(counts, sum)| of(counts, *sum));
            (groups.collect(), whole)
        }
    }
}

/// A column of the rows, or of their cases.
fn find(subject: Subject, name: &'static str) -> Option<Ref> {
    let own =
        |subject: Subject| -> Option<&'static Column> { columns(subject).iter().find(|it| it.name == name) };
    if let Some(column) = own(subject) {
        return Some(Ref {
            column,
            of_case: false,
        });
    }
    let column = own(Subject::Case).filter(|_| subject == Subject::Run)?;
    Some(Ref {
        column,
        of_case: true,
    })
}

fn filters(table: Table<'_>, indicator: &Indicator, filters: &Filters) -> Result<Vec<Condition>, AskError> {
    let mut conditions = Vec::new();
    let one = |codes: &[String]| {
        codes
            .iter()
            .map(|code| Code::One(code.as_str().into()))
            .collect::<Vec<_>>()
    };
    let mut services = one(&filters.services);
    services.extend(
        filters
            .groups
            .iter()
            .map(|code| Code::Group(code.as_str().into())),
    );
    let lists = [
        ("area", one(&filters.areas)),
        ("unit", one(&filters.units)),
        ("service", services),
        ("standard", one(&filters.standards)),
    ];
    let refused = |filter| AskError::NoSuchFilter {
        indicator: indicator.code.clone(),
        filter,
    };
    for (name, codes) in lists {
        if !codes.is_empty() {
            let column = find(table.subject, name).ok_or_else(|| refused(name))?;
            conditions.push(Condition::Codes(column, codes));
        }
    }
    if !filters.channels.is_empty() {
        let column = find(table.subject, "channel").ok_or_else(|| refused("channel"))?;
        let place = |code: &String| CHANNELS.iter().position(|it| it.code == *code);
        let mut words: Vec<u8> = filters
            .channels
            .iter()
            .filter_map(place)
            .map(|at| at as u8)
            .collect();
        words.sort_unstable();
        words.dedup();
        conditions.push(Condition::Words(column, words));
    }
    Ok(conditions)
}

/// The groups of a cut, and their names but for the last, which is of those that belong to none.
fn grouped<'a>(
    table: Table<'a>,
    indicator: &Indicator,
    period: Period,
    cut: Cut,
) -> Result<(Keys<'a>, Vec<Key>), AskError> {
    let subject = table.subject;
    let refused = |cut| AskError::NoSuchCut {
        indicator: indicator.code.clone(),
        cut,
    };
    let by_code = |name: &'static str| {
        let at = find(subject, name).ok_or_else(|| refused(name))?;
        let (column, dictionary) = table.codes(at.column.source, at.of_case);
        Ok::<_, AskError>((column, dictionary))
    };
    let by_moment = |cut| {
        let moment = indicator.rule.moment.ok_or_else(|| refused(cut))?;
        Ok::<_, AskError>(table.moment(moment, false))
    };
    let coded = |names: Vec<String>| names.into_iter().map(Key::Code).collect::<Vec<_>>();
    Ok(match cut {
        Cut::Nothing => (Keys::One, Vec::new()),
        Cut::Area(level) => {
            let (column, _) = by_code("area")?;
            let (groups, names) = areas_at(table.paths(), level);
            let none = names.len() as u16;
            (Keys::Codes { column, groups, none }, coded(names))
        }
        Cut::Unit | Cut::Service | Cut::Standard => {
            let name = match cut {
                Cut::Unit => "unit",
                Cut::Service => "service",
                _ => "standard",
            };
            let (column, dictionary) = by_code(name)?;
            let names: Vec<String> = dictionary.codes().map(str::to_owned).collect();
            let none = names.len() as u16;
            let groups = (0..none).collect();
            (Keys::Codes { column, groups, none }, coded(names))
        }
        Cut::Group => {
            let (column, dictionary) = by_code("service")?;
            let group_of = |code: &str| {
                let group = table.place.service(code).and_then(|it| it.group.as_ref());
                group.map_or(code, |group| group.as_str()).to_owned()
            };
            let of_services: Vec<String> = dictionary.codes().map(group_of).collect();
            let names: Vec<String> = of_services
                .iter()
                .cloned()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect();
            let none = names.len() as u16;
            let groups = of_services
                .iter()
                .map(|it| names.binary_search(it).map_or(none, |at| at as u16));
            let groups = groups.collect();
            (Keys::Codes { column, groups, none }, coded(names))
        }
        Cut::Channel => {
            let at = find(subject, "channel").ok_or_else(|| refused("channel"))?;
            let names = CHANNELS
                .iter()
                .enumerate()
                .map(|(at, word)| Key::Word(at as u8, word.code));
            let column = table.byte(Byte::Channel, at.of_case);
            let none = CHANNELS.len() as u16;
            (Keys::Bytes { column, none }, names.collect())
        }
        Cut::Time(step) => {
            let column = by_moment("time")?;
            let steps: Vec<Period> = period.steps(step).collect();
            let zone = table.place.calendar.zone();
            let mut starts: Vec<Moment> = steps.iter().map(|step| step.bounds(zone).0).collect();
            starts.push(period.bounds(zone).1);
            (
                Keys::Steps { column, starts },
                steps.into_iter().map(Key::Step).collect(),
            )
        }
        Cut::Hour => {
            let column = by_moment("hour")?;
            let names = (0..7).flat_map(|weekday| (0..24).map(move |hour| Key::Hour { weekday, hour }));
            let offsets = offsets(period, table.place);
            (Keys::Hours { column, offsets }, names.collect())
        }
    })
}

/// From when on the place's clocks are how far ahead of UTC.
fn offsets(period: Period, place: &Place) -> Vec<(Moment, i32)> {
    let zone = place.calendar.zone();
    let (start, end) = period.bounds(zone);
    let first = Timestamp::from_second(i64::from(start)).unwrap_or_default();
    let mut offsets = vec![(0, zone.to_offset(first).seconds())];
    let changes = zone.following(first).take(MAX_OFFSETS);
    for change in changes {
        let at = moment(change.timestamp());
        if at >= end {
            break;
        }
        offsets.push((at, change.offset().seconds()));
    }
    offsets
}

/// Which of the rows behind a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Those that are counted.
    Numerator,
    /// Those out of which they are; of a measure those that are measured.
    Denominator,
}

/// What rows a reader may be told of by name. All of them are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Those that the public sees.
    Public,
    /// Those without a class of access.
    Unclassed,
    /// All.
    Everything,
}

/// Rows behind a figure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// The numbers of the cases, in their order, each once.
    pub cases: Vec<u32>,
    /// Of what is counted from the place itself: the codes of units, posts or areas.
    pub codes: Vec<String>,
    /// How many cases or codes there are on all pages.
    pub total: u64,
    /// How many rows stand behind the figure; a case can have several runs.
    pub rows: u64,
    /// How many of the rows the reader may not be told of.
    pub hidden: u64,
    /// What to go on after, where there are more.
    pub next: Option<u32>,
}

/// Which rows behind a figure are meant, and which page of them.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// At which key of the cut; none for the whole.
    pub key: Option<&'a Key>,
    /// Which of the rows.
    pub part: Part,
    /// What the reader may be told of.
    pub sight: Sight,
    /// After what an earlier page gave as [`Listed::next`].
    pub after: Option<u32>,
    /// How many, up to 1,000.
    pub most: usize,
}

/// The rows behind a figure of the first indicator of a question.
pub fn rows(facts: &Facts, place: &Place, ask: &Ask<'_>, page: Page<'_>) -> Result<Listed, AskError> {
    let Page {
        key,
        part,
        sight,
        after,
        most,
    } = page;
    check(facts, place, ask)?;
    let Some(indicator) = ask.indicators.first() else {
        return Ok(Listed::default());
    };
    if is_unknowable(indicator, ask) {
        return Ok(Listed::default());
    }
    let house = House::of(indicator.subject, place, ask.held);
    let table = Table {
        subject: indicator.subject,
        facts,
        house: &house,
        place,
    };
    // A step of a state is a period by itself.
    let (period, cut, key) = match (ask.cut, key) {
        (Cut::Time(_), Some(Key::Step(step))) => (*step, Cut::Nothing, None),
        (_, None) => (ask.period, Cut::Nothing, None),
        (cut, key) => (ask.period, cut, key),
    };
    let instants = instants(period, place, ask.now);
    let bind = |condition: &Condition| Test::bind(condition, table, &instants);
    let mut tests = vec![bind(&indicator.period), table.live()];
    tests.extend(filters(table, indicator, &ask.filters)?.iter().map(bind));
    tests.push(bind(&indicator.denominator));
    tests.extend(indicator.exclude.as_ref().map(|it| Test::not(bind(it))));
    if part == Part::Numerator {
        tests.push(bind(&indicator.numerator));
    }
    let test = Test::all(tests);
    let (keys, names) = grouped(table, indicator, period, cut)?;
    let wanted = match key {
        None => None,
        Some(Key::Unknown) => Some(names.len()),
        Some(key) => {
            let Some(group) = names.iter().position(|name| name == key) else {
                return Ok(Listed::default());
            };
            Some(group)
        }
    };
    let taken = indicator
        .measure
        .as_ref()
        .map(|it| Taken::bind(&it.of, table, &instants));
    let mut listed = Listed::default();
    let mut found: Vec<u32> = Vec::new();
    let mut near = 0;
    each_row(table.rows(), &test, |row| {
        let is_meant = wanted.is_none_or(|wanted| usize::from(keys.of(row, &mut near)) == wanted);
        if !is_meant || taken.is_some_and(|taken| taken.get(row).is_none()) {
            return;
        }
        listed.rows += 1;
        match table.case_of(row) {
            None => found.push(row as u32),
            Some(case) if is_seen(facts.cases.flags[case], sight) => found.push(facts.cases.number[case]),
            Some(_) => listed.hidden += 1,
        }
    });
    if indicator.subject.is_of_place() {
        found.sort_by(|a, b| house.codes[*a as usize].cmp(&house.codes[*b as usize]));
    } else {
        found.sort_unstable();
        found.dedup();
    }
    listed.total = found.len() as u64;
    let most = most.clamp(1, MAX_PAGE);
    let is_of_place = indicator.subject.is_of_place();
    let start = match after {
        None => 0,
        // Codes have no numbers; theirs is their place.
        Some(after) if is_of_place => (after as usize).min(found.len()),
        Some(after) => found.partition_point(|number| *number <= after),
    };
    let end = (start + most).min(found.len());
    if end < found.len() {
        listed.next = Some(if is_of_place { end as u32 } else { found[end - 1] });
    }
    let page = &found[start..end];
    if is_of_place {
        listed.codes = page
            .iter()
            .map(|row| house.codes[*row as usize].clone())
            .collect();
    } else {
        listed.cases = page.to_vec();
    }
    Ok(listed)
}

fn is_seen(flags: u32, sight: Sight) -> bool {
    match sight {
        Sight::Public => flags & (flag::PUBLIC | flag::CLASSED) == flag::PUBLIC,
        Sight::Unclassed => flags & flag::CLASSED == 0,
        Sight::Everything => true,
    }
}
