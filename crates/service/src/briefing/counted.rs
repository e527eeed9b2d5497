//! Evidence that is counted: indicators over the facts, stories of cases, and the shapes of the place.

use std::{collections::HashSet, sync::Arc};

use jiff::{Timestamp, civil::Date};
use whistle_briefing::evidence::{
    Absent, Ask, Basis, By, Choice, Evidence, Fraction, Measure, Number, Row, Said, Shape, Story,
};
use whistle_domain::{
    case::{Outcome, Rating},
    place::{Level, Place, UnitKind},
    words::{Lang, Text},
};
use whistle_figures::{
    facts::{Facts, Moment, NEVER, flag},
    indicator::{Answer, Cut, Figure, Figures, Indicator, Key, Period, Step, Unit, column},
};
use whistle_store::account;

use crate::{
    Whistle,
    error::{Error, Result},
    indicator::{Question, check_public, count_in, cut_word, for_public, indicator, key, key_word},
    place::Here,
};

type Told<T> = std::result::Result<T, Absent>;

/// Days of the week, Monday first.
const WEEKDAYS: [[&str; 2]; 7] = [
    ["星期一", "Monday"],
    ["星期二", "Tuesday"],
    ["星期三", "Wednesday"],
    ["星期四", "Thursday"],
    ["星期五", "Friday"],
    ["星期六", "Saturday"],
    ["星期日", "Sunday"],
];

/// The kinds of data that are counted; of all others [`Evidence::has`] says that there is none.
pub(crate) const COUNTED: [&str; 5] = ["posts", "stations", "cases", "whistles", "ratings"];

/// What is counted from a place and from its work.
pub struct Counted {
    /// Of one moment: what is told in a sentence and in a table is the same number.
    facts: Arc<Facts>,
    here: Here,
    /// The posts that somebody holds.
    held: HashSet<String>,
    /// When it was counted; every number of a briefing is of this moment.
    now: Timestamp,
    /// Whether it is for everybody: then figures of few cases are kept back.
    public: bool,
}

impl Counted {
    /// What the facts say now. Fails with [`Error::Busy`] while they are not there.
    pub fn of(whistle: &Whistle, here: &Here, public: bool) -> Result<Self> {
        let facts = whistle.facts_now(here)?;
        let holders = whistle
            .store
            .examine(|conn| -> Result<_> { Ok(account::holders(conn, here.id)?) })?;
        Ok(Self {
            held: holders.into_iter().map(|(_, post)| post.to_string()).collect(),
            now: whistle.clock.now(),
            facts,
            here: here.clone(),
            public,
        })
    }

    fn place(&self) -> &Arc<Place> {
        &self.here.place
    }

    /// The figures of some indicators that are asked alike. What the first one's `cut` says, all are held to.
    fn ask(&self, asks: &[Ask], cut: Cut) -> Told<Answer> {
        let Some(ask) = asks.first() else {
            return Err(Absent::Failed("nothing is asked".to_owned()));
        };
        let period = Period::between(ask.period.from, ask.period.to);
        let mut question = Question {
            indicators: asks.iter().map(|ask| ask.indicator.clone()).collect(),
            cut,
            ..Question::new(&[], period.map_err(|error| Absent::Failed(error.to_string()))?)
        };
        let filters = &mut question.filters;
        filters.areas.extend(ask.area.clone());
        filters.units.extend(ask.unit.clone());
        if let Some(code) = &ask.service {
            let list = if self.is_group(code) {
                &mut filters.groups
            } else {
                &mut filters.services
            };
            list.push(code.clone());
        }
        if let Some(channel) = ask.cut.as_deref().and_then(|cut| cut.strip_prefix("channel=")) {
            filters.channels.push(channel.to_owned());
        }
        if self.public {
            check_public(self.place(), &question.filters).map_err(|error| absent(error, &question))?;
        }
        let counted = count_in(&self.facts, &self.here, &question, Some(&self.held), self.now);
        let answer = counted.map_err(|error| absent(error, &question))?;
        Ok(if self.public {
            for_public(self.place(), answer, cut)
        } else {
            answer
        })
    }

    /// The page that shows the number once more: for the staff with the rows behind it.
    fn link(&self, ask: &Ask) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("from", &ask.period.from.to_string());
        query.append_pair("to", &ask.period.to.to_string());
        let is_group = ask.service.as_deref().is_some_and(|code| self.is_group(code));
        let service = if is_group { "group" } else { "service" };
        for (name, value) in [("area", &ask.area), ("unit", &ask.unit), (service, &ask.service)] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        if let Some((name, value)) = ask.cut.as_deref().and_then(|cut| cut.split_once('=')) {
            query.append_pair("by", name);
            query.append_pair("key", value);
        }
        let root = if self.public {
            "/figures/indicators"
        } else {
            "/staff/figures"
        };
        format!("{root}/{}?{}", ask.indicator, query.finish())
    }

    fn is_group(&self, code: &str) -> bool {
        let service = self.place().service(code);
        service.is_some_and(whistle_domain::place::Service::is_group)
    }

    fn indicator(&self, code: &str) -> Told<&Indicator> {
        indicator(&self.here, code).map_err(|_| Absent::Indicator(code.to_owned()))
    }

    fn told(&self, ask: Ask, figure: &Figure) -> Told<Number> {
        let indicator = self.indicator(&ask.indicator)?;
        let unit = indicator.unit;
        let is_count = unit == Unit::Count;
        let known = |n: u64| (!figure.is_masked).then_some(n as i64);
        Ok(Number {
            label: said(&indicator.label),
            of: self.within(&ask),
            measure: match unit {
                Unit::Count => Measure::Count,
                Unit::Percent => Measure::Share,
                Unit::Duration => Measure::Duration,
                Unit::PerThousand | Unit::Distance | Unit::Number => Measure::Amount,
            },
            // In a sentence: some cases were filed.
            shown: if figure.is_masked && is_count {
                Said::new("若干", "some")
            } else {
                Said::new(figure.shown(unit, Lang::Zh), figure.shown(unit, Lang::En))
            },
            unit: if is_count {
                Said::new(classifier(indicator), "")
            } else {
                Said::default()
            },
            value: figure.value.map(|value| Fraction {
                over: value.over as i64,
                under: value.under as i64,
            }),
            numerator: known(figure.numerator),
            denominator: known(figure.denominator).filter(|_| !is_count),
            formula: Said::new(indicator.formula(Lang::Zh), indicator.formula(Lang::En)),
            link: self.link(&ask),
            ask,
        })
    }

    /// The names of what the number is within.
    fn within(&self, ask: &Ask) -> Said {
        let parts = [
            ("area", &ask.area),
            ("unit", &ask.unit),
            ("service", &ask.service),
        ];
        let named = parts
            .into_iter()
            .filter_map(|(what, code)| self.name(what, code.as_deref()?));
        named
            .chain(ask.cut.as_deref().map(cut_name))
            .reduce(|all, one| Said::new(format!("{}{}", all.zh, one.zh), format!("{}, {}", all.en, one.en)))
            .unwrap_or_default()
    }

    /// The row of a key: what to ask for it alone, and its name.
    fn row(&self, ask: &Ask, by: By, key: &Key) -> (String, Said, Ask) {
        let mut of_key = ask.clone();
        let code = key_word(key);
        let named = |what: &str| self.name(what, &code).unwrap_or_else(|| Said::same(code.clone()));
        let name = match (by, key) {
            (_, Key::Unknown) => Said::new("其他", "Other"),
            (By::Area(_), _) => named("area"),
            (By::Unit, _) => named("unit"),
            (By::Group | By::Service, _) => named("service"),
            (_, Key::Word(place, _)) => match column::CHANNELS.get(usize::from(*place)) {
                Some(word) => Said::new(word.zh, word.en),
                None => Said::same(code.clone()),
            },
            (_, Key::Step(step)) => step_name(by, *step),
            _ => Said::same(code.clone()),
        };
        match (by, key) {
            (_, Key::Unknown) => of_key.cut = Some(format!("{}=-", word(by))),
            (By::Area(_), _) => of_key.area = Some(code.clone()),
            (By::Unit, _) => of_key.unit = Some(code.clone()),
            (By::Group | By::Service, _) => of_key.service = Some(code.clone()),
            (By::Channel, _) => of_key.cut = Some(format!("channel={code}")),
            (By::Hour, _) => of_key.cut = Some(format!("hour={code}")),
            (_, Key::Step(step)) => {
                of_key.period.from = step.first_day();
                of_key.period.to = step.last_day();
            }
            _ => {}
        }
        (code, name, of_key)
    }

    fn hours(&self, asks: &[Ask]) -> Told<Vec<Row>> {
        let Some(ask) = asks.first() else {
            return Ok(Vec::new());
        };
        let answer = self.ask(&asks[..1], Cut::Hour)?;
        let mut figures = vec![Figure::default(); 7 * 24];
        for row in &answer.rows {
            if let (Some(Key::Hour { weekday, hour }), Some(figure)) = (&row.key, row.now.first()) {
                figures[usize::from(*weekday) * 24 + usize::from(*hour)] = *figure;
            }
        }
        let day = |(weekday, figures): (usize, &[Figure])| {
            let numbers = figures.iter().enumerate().map(|(hour, figure)| {
                let cut = Some(format!("hour={}-{hour:02}", weekday + 1));
                self.told(Ask { cut, ..ask.clone() }, figure)
            });
            let [zh, en] = WEEKDAYS[weekday];
            Ok(Row {
                code: (weekday + 1).to_string(),
                name: Said::new(zh, en),
                numbers: numbers.collect::<Told<_>>()?,
            })
        };
        figures.chunks(24).enumerate().map(day).collect()
    }
}

fn said(text: &Text) -> Said {
    Said::new(text.get(Lang::Zh), text.get(Lang::En))
}

/// Why there is no figure.
fn absent(error: Error, question: &Question) -> Absent {
    let code = || question.indicators.first().cloned().unwrap_or_default();
    match error {
        Error::NotFound {
            what: "indicator",
            id,
        } => Absent::Indicator(id),
        Error::NotFound { what, id } => Absent::Code { what, code: id },
        Error::Invalid { field: "by", .. } => Absent::Cut(code()),
        error => Absent::Failed(error.to_string()),
    }
}

/// What Chinese counts such rows in.
fn classifier(indicator: &Indicator) -> &'static str {
    use whistle_figures::indicator::Subject;
    match indicator.subject {
        Subject::Case => "件",
        Subject::Run => "次",
        Subject::Unit => "家",
        Subject::Station | Subject::Post | Subject::Area => "个",
    }
}

/// What else a number is cut by, in words: the channel, the hour of a weekday.
fn cut_name(cut: &str) -> Said {
    let (by, key) = cut.split_once('=').unwrap_or((cut, ""));
    let channel = || column::CHANNELS.iter().find(|word| word.code == key);
    let hour = || {
        let (weekday, hour) = key.split_once('-')?;
        let [zh, en] = WEEKDAYS.get(weekday.parse::<usize>().ok()?.checked_sub(1)?)?;
        Some(Said::new(format!("{zh}{hour}时"), format!("{en} {hour}:00")))
    };
    match by {
        "channel" if key != "-" => channel().map(|word| Said::new(word.zh, word.en)),
        "hour" => hour(),
        _ => Some(Said::new("其他", "Other")),
    }
    .unwrap_or_else(|| Said::same(key))
}

fn cut(by: By) -> Cut {
    match by {
        By::Area(level) => Cut::Area(level),
        By::Unit => Cut::Unit,
        By::Group => Cut::Group,
        By::Service => Cut::Service,
        By::Channel => Cut::Channel,
        By::Day => Cut::Time(Step::Day),
        By::Week => Cut::Time(Step::Week),
        By::Month => Cut::Time(Step::Month),
        By::Hour => Cut::Hour,
    }
}

fn word(by: By) -> String {
    cut_word(cut(by))
}

fn step_name(by: By, step: Period) -> Said {
    let day = step.first_day();
    match by {
        By::Month => Said::new(
            format!("{}年{}月", day.year(), day.month()),
            day.strftime("%b %Y").to_string(),
        ),
        By::Week => {
            let week = day.iso_week_date();
            Said::new(
                format!("{}年第{}周", week.year(), week.week()),
                format!("{} week {}", week.year(), week.week()),
            )
        }
        _ => Said::same(day.to_string()),
    }
}

/// Whether there is anything of the key: a unit or service without a row in the period would only lengthen a table.
fn is_anything(row: &Figures) -> bool {
    row.now
        .iter()
        .any(|figure| figure.is_masked || figure.numerator > 0 || figure.denominator > 0)
}

impl Evidence for Counted {
    fn basis(&self) -> Basis {
        let zone = self.place().calendar.zone();
        let hash = self.facts.fingerprint(self.place().version);
        Basis {
            place: said(&self.place().jurisdiction.name),
            computed_at: zone.to_datetime(self.now).strftime("%Y-%m-%d %H:%M").to_string(),
            data_hash: hash,
        }
    }

    fn has(&self, need: &str) -> bool {
        let cases = &self.facts.cases;
        match need {
            "posts" => self.place().posts().next().is_some(),
            "stations" => self
                .place()
                .units()
                .iter()
                .any(|unit| unit.kind == UnitKind::Station),
            "cases" => !self.facts.is_empty(),
            "whistles" => cases.flags.iter().any(|flags| flags & flag::WHISTLED != 0),
            "ratings" => {
                let is_rated = |rating: &u8| usize::from(*rating) < Rating::ALL.len();
                cases.rating.iter().any(is_rated)
            }
            _ => false,
        }
    }

    fn number(&self, ask: &Ask) -> Told<Number> {
        let wanted = ask.cut.as_deref().and_then(|cut| cut.strip_prefix("hour="));
        let Some(wanted) = wanted else {
            let answer = self.ask(std::slice::from_ref(ask), Cut::Nothing)?;
            return self.told(ask.clone(), &first(&answer.whole));
        };
        let wanted = key(Cut::Hour, wanted).map_err(|_| Absent::Cut(ask.indicator.clone()))?;
        let answer = self.ask(std::slice::from_ref(ask), Cut::Hour)?;
        let found = answer.rows.iter().find(|row| row.key.as_ref() == Some(&wanted));
        self.told(ask.clone(), &found.map(first).unwrap_or_default())
    }

    fn cut(&self, asks: &[Ask], by: By) -> Told<Vec<Row>> {
        if by == By::Hour {
            return self.hours(asks);
        }
        let Some(ask) = asks.first() else {
            return Ok(Vec::new());
        };
        let answer = self.ask(asks, cut(by))?;
        let within = ask.area.as_deref().and_then(|code| self.place().areas.find(code));
        let mut rows: Vec<(Key, Vec<Figure>)> = Vec::new();
        if let By::Area(level) = by {
            // Every area stands in its place, also one without a case.
            let areas = &self.place().areas;
            for (at, area) in (0..).zip(areas.all()) {
                let is_in = within.is_none_or(|within| areas.is_within(at, within));
                if area.level == level && is_in {
                    rows.push((
                        Key::Code(area.code.to_string()),
                        vec![Figure::default(); asks.len()],
                    ));
                }
            }
        }
        for row in answer.rows {
            let Some(key) = row.key.clone().filter(|_| by.is_time() || is_anything(&row)) else {
                continue;
            };
            match rows.iter_mut().find(|(known, _)| *known == key) {
                Some((_, figures)) => *figures = row.now,
                None => rows.push((key, row.now)),
            }
        }
        let rows = rows.into_iter().map(|(key, figures)| {
            let (code, name, _) = self.row(ask, by, &key);
            let numbers = asks.iter().zip(&figures).map(|(ask, figure)| {
                let (.., of_key) = self.row(ask, by, &key);
                self.told(of_key, figure)
            });
            Ok(Row {
                code,
                name,
                numbers: numbers.collect::<Told<_>>()?,
            })
        });
        rows.collect()
    }

    fn stories(&self, choice: &Choice) -> Told<Vec<Story>> {
        Ok(stories(&self.facts, self.place(), choice))
    }

    fn shapes(&self, level: Level) -> Vec<Shape> {
        let areas = self.place().areas.all().iter().filter(|area| area.level == level);
        areas
            .map(|area| Shape {
                code: area.code.to_string(),
                name: said(&area.name),
                rings: area
                    .shape
                    .polygons()
                    .iter()
                    .flat_map(whistle_domain::geometry::Polygon::rings)
                    .map(|ring| ring.iter().map(|vertex| (vertex[0], vertex[1])).collect())
                    .collect(),
            })
            .collect()
    }

    fn name(&self, what: &str, code: &str) -> Option<Said> {
        let place = self.place();
        match what {
            "area" => place
                .areas
                .find(code)
                .map(|area| said(&place.areas.get(area).name)),
            "unit" => place.unit(code).map(|unit| said(&unit.name)),
            "service" => place.service(code).map(|service| said(&service.name)),
            _ => None,
        }
    }
}

fn first(figures: &Figures) -> Figure {
    figures.now.first().copied().unwrap_or_default()
}

// ---- stories ----------------------------------------------------------------------------------------------------

/// What makes a case a story of a kind: none where it is none, else how telling it is.
fn telling(facts: &Facts, at: usize, kind: &str) -> Option<u32> {
    let cases = &facts.cases;
    let flags = cases.flags[at];
    let took = |from: Moment, to: Moment| (from != NEVER && to != NEVER).then(|| to.saturating_sub(from));
    let is_praised = usize::from(cases.rating[at]) < 1;
    let was_handled_on_time = cases.handled[at] != NEVER && flags & flag::HANDLED_LATE == 0;
    match kind {
        // The most units to bring together are behind the longest way.
        "whistle" => (flags & flag::WHISTLED != 0)
            .then(|| took(cases.reported[at], cases.closed[at]))
            .flatten(),
        "praised" => is_praised.then(|| u32::from(cases.reports[at])),
        "shared" => (cases.reports[at] > 1).then(|| u32::from(cases.reports[at])),
        "fast" => was_handled_on_time
            .then(|| took(cases.reported[at], cases.handled[at]))
            .flatten()
            .filter(|_| flags & flag::ON_THE_SPOT == 0)
            .map(|took| Moment::MAX - took),
        "hard" => (cases.reworked[at] + cases.returned[at] > 0 || cases.extended[at] > 0)
            .then(|| took(cases.reported[at], cases.closed[at]))
            .flatten(),
        _ => None,
    }
}

/// Public cases that were solved in the period, the most telling first. They tell no word that a resident wrote.
fn stories(facts: &Facts, place: &Place, choice: &Choice) -> Vec<Story> {
    let Ok(period) = Period::between(choice.period.from, choice.period.to) else {
        return Vec::new();
    };
    let (start, end) = period.bounds(place.calendar.zone());
    let cases = &facts.cases;
    let solved = Outcome::ALL
        .iter()
        .position(|outcome| *outcome == Outcome::Resolved)
        .unwrap_or_default();
    let is_of_service = |at: usize| {
        let Some(wanted) = &choice.service else {
            return true;
        };
        let code = facts.services.code(cases.service[at]).unwrap_or_default();
        let group = place.service(code).and_then(|service| service.group.as_ref());
        code == wanted || group.is_some_and(|group| group.as_str() == wanted)
    };
    let is_in_area = |at: usize| {
        let Some(wanted) = &choice.area else { return true };
        let path = facts.paths.get(usize::from(cases.area[at]));
        path.is_some_and(|path| path.0.iter().flatten().any(|code| code.as_str() == wanted))
    };
    let mut found: Vec<(u32, u32, usize)> = (0..facts.len())
        .filter(|&at| (start..end).contains(&cases.closed[at]))
        .filter(|&at| cases.flags[at] & (flag::PUBLIC | flag::CLASSED) == flag::PUBLIC)
        .filter(|&at| usize::from(cases.outcome[at]) == solved && is_of_service(at) && is_in_area(at))
        .filter_map(|at| Some((telling(facts, at, &choice.kind)?, cases.number[at], at)))
        .collect();
    // Of two as telling, the newer one.
    found.sort_unstable_by(|one, other| other.cmp(one));
    found.truncate(choice.most);
    found
        .into_iter()
        .filter_map(|(_, _, at)| story(facts, place, at))
        .collect()
}

fn story(facts: &Facts, place: &Place, at: usize) -> Option<Story> {
    let row = facts.cases.row(at);
    let service = place.service(facts.services.code(row.service)?)?;
    let path = facts.paths.get(usize::from(row.area));
    let area = path.and_then(|path| path.at(Level::Community).or_else(|| path.at(Level::Town)));
    let area = area.and_then(|code| place.areas.find(code.as_str()));
    let area = area.map_or_else(Said::default, |area| said(&place.areas.get(area).name));
    let lead = facts.units.code(row.lead).and_then(|code| place.unit(code));
    let zone = place.calendar.zone();
    let day = |moment: Moment| -> Option<Date> {
        let time = Timestamp::from_second(i64::from(moment)).ok()?;
        (moment != NEVER).then(|| zone.to_datetime(time).date())
    };
    let span = |from: Moment, to: Moment| {
        let took = Figure {
            numerator: 1,
            denominator: 1,
            value: Some(whistle_figures::indicator::Ratio::whole(u64::from(
                to.saturating_sub(from),
            ))),
            is_masked: false,
        };
        Lang::ALL.map(|lang| took.shown(Unit::Duration, lang))
    };
    let (reported, closed) = (day(row.reported)?, day(row.closed)?);
    let mut text = vec![Said::new(
        format!(
            "{}年{}月{}日接到上报。",
            reported.year(),
            reported.month(),
            reported.day()
        ),
        format!("Reported on {reported}."),
    )];
    let mut tell = |zh: String, en: String| {
        text[0].zh.push_str(&zh);
        text[0].en.push(' ');
        text[0].en.push_str(&en);
    };
    if row.reports > 1 {
        tell(
            format!("先后有{}人次反映同一事项。", row.reports),
            format!("{} reports told of the same matter.", row.reports),
        );
    }
    if row.flags & flag::WHISTLED != 0 {
        tell(
            "所在站点吹哨，有关单位到场会商。".to_owned(),
            "Its station blew the whistle, and units came together there.".to_owned(),
        );
    }
    if let Some(lead) = lead.filter(|_| row.handled != NEVER) {
        let lead = said(&lead.name);
        let [zh, en] = span(row.reported, row.handled);
        tell(
            format!("由{}牵头，{zh}内处置完成。", lead.zh),
            format!("{} led and had it handled within {en}.", lead.en),
        );
    }
    if row.reworked > 0 {
        tell(
            format!("核查{}次未通过，责令返工后办结。", row.reworked),
            format!("It failed the check {} and was done again.", times(row.reworked)),
        );
    }
    if row.rating == 0 {
        tell(
            "上报人表示满意。".to_owned(),
            "The reporter was content.".to_owned(),
        );
    }
    let name = said(&service.name);
    let both = |area: &str, name: &str, between: &str| {
        if area.is_empty() {
            name.to_owned()
        } else {
            format!("{area}{between}{name}")
        }
    };
    Some(Story {
        title: Said::new(both(&area.zh, &name.zh, "："), both(&area.en, &name.en, ": ")),
        text,
        date: closed,
        area,
        link: format!("/cases/{}", row.number),
    })
}

fn times(n: u8) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}
