//! Indicators: asked for figures, and for the rows behind them.
//!
//! Who may see a figure as it was counted, and the rows behind it, says `rights::may_see_figures`. Everybody else gets the same
//! figures without those of few cases, and without services that are not everybody's.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    str::FromStr,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use whistle_domain::{
    case::{Actor, Case},
    place::{Level, Place},
    rights::{self, Access},
    words::{CaseNumber, Lang},
};
use whistle_figures::{
    facts::Facts,
    indicator::{
        self as figures, Answer, Ask, AskError, Book, Cut, Figure, Figures, Filters, Indicator, Key,
        KnownCodes, LEAST, Part, Period, Ratio, Sight, Step, Subject, Unit, column,
    },
};
use whistle_store::{account, admin as acts, case as stored};

use crate::{
    Whistle,
    admin::doer,
    elsewhere,
    error::{Error, Result, allowed},
    export::{ExportFormat, case_sheet, code_sheet},
    list::Viewer,
    place::Here,
};

/// The most figures of one answer: a hundred indicators of two hundred areas.
pub const MAX_CELLS: usize = 20_000;

/// The most questions that are answered together: those of the longest page, with some to spare.
pub const MAX_QUESTIONS: usize = 16;

/// The most rows of a page.
pub const MAX_ROWS: usize = 100;

/// The most rows of a file: it is made in memory. More come by a shorter period, or by `whistle export`.
pub const MAX_ROWS_OF_FILE: u64 = 50_000;

/// Cases that are read at a time for a file.
const READ_AT_ONCE: usize = 500;

/// Questions that are counted at once: each takes all cores for a moment, and requests need them too.
const COUNTED_AT_ONCE: usize = 2;

/// Files of rows that are made at once.
const FILES_AT_ONCE: usize = 2;

/// Answers that are remembered: those of the pages that are looked at, in both languages and some periods.
const REMEMBERED: usize = 256;

/// How long an answer is given again though cases have changed meanwhile: less than what a page says it may be old.
const GIVEN_AGAIN: Duration = Duration::from_secs(1);

/// Indicators of pages, which no place declares.
static OF_PAGES: LazyLock<Book> = LazyLock::new(|| {
    let (book, faults) = Book::read(
        include_str!("indicator/pages.toml"),
        &KnownCodes::default(),
        &Lang::ALL,
    );
    debug_assert!(faults.is_empty(), "{faults:?}");
    book
});

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Codes of indicators.
    pub indicators: Vec<String>,
    /// When.
    pub period: Period,
    /// By what to cut.
    pub cut: Cut,
    /// What rows to look at.
    pub filters: Filters,
    /// Whether to compare with the period before.
    pub with_before: bool,
    /// Whether to compare with the same of last year.
    pub with_last_year: bool,
}

impl Question {
    /// One about everything, in one figure each.
    pub fn new(indicators: &[&str], period: Period) -> Self {
        Self {
            indicators: indicators.iter().map(|&code| code.to_owned()).collect(),
            period,
            cut: Cut::Nothing,
            filters: Filters::default(),
            with_before: false,
            with_last_year: false,
        }
    }
}

/// What some questions came to, all at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// One for each question.
    pub answers: Vec<Answer>,
    /// Of each, whether figures of few cases are kept back.
    pub masked: Vec<bool>,
    /// When it was counted.
    pub counted_at: Timestamp,
    /// By how much it may lag behind the cases.
    pub lag: Duration,
    /// By what it is known again: the same as long as neither the cases nor the place changed, nor time that matters passed.
    pub mark: String,
    counted: Duration,
}

/// What is behind a figure.
#[derive(Debug, Clone, Default)]
pub struct Behind {
    /// Cases, by their numbers.
    pub cases: Vec<Case>,
    /// Of what is counted from the place itself: codes.
    pub codes: Vec<String>,
    /// How many cases or codes may be listed, on all pages.
    pub total: u64,
    /// How many rows stand behind the figure; a case may have several.
    pub rows: u64,
    /// How many of them are not listed, because the reader may not see the case.
    pub hidden: u64,
    /// What to go on after.
    pub next: Option<u32>,
}

/// Rows that are looked for.
#[derive(Debug, Clone)]
pub struct Sought {
    /// The figure: its one indicator, with period, cut and filters.
    pub question: Question,
    /// At which key of the cut; none for the whole.
    pub key: Option<Key>,
    /// Those that are counted, or those out of which they are.
    pub part: Part,
}

/// What a process remembers and bounds.
pub(crate) struct Asked {
    slots: Mutex<HashMap<u64, Arc<Slot>>>,
    counting: tokio::sync::Semaphore,
    writing: tokio::sync::Semaphore,
}

/// An answer; locked while it is counted, so that who comes meanwhile waits for it and counts nothing.
#[derive(Default)]
struct Slot(tokio::sync::Mutex<Option<Arc<Told>>>);

impl Default for Asked {
    fn default() -> Self {
        Self {
            slots: Mutex::default(),
            counting: tokio::sync::Semaphore::new(COUNTED_AT_ONCE),
            writing: tokio::sync::Semaphore::new(FILES_AT_ONCE),
        }
    }
}

impl Asked {
    fn slot(&self, key: u64) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= REMEMBERED && !slots.contains_key(&key) {
            // To count anew costs some milliseconds; to know who came last costs more than that in code.
            slots.clear();
        }
        slots.entry(key).or_default().clone()
    }
}

/// The indicators of a place, and those of pages.
pub fn indicators(here: &Here) -> impl Iterator<Item = &Indicator> {
    let shipped = Book::shipped();
    let own = book(here);
    let of_pages = OF_PAGES.all().iter();
    own.all()
        .iter()
        .chain(of_pages.filter(|it| shipped.get(&it.code).is_none() && own.get(&it.code).is_none()))
}

/// The one with a code.
pub fn indicator<'h>(here: &'h Here, code: &str) -> Result<&'h Indicator> {
    let found = book(here).get(code).or_else(|| OF_PAGES.get(code));
    found.ok_or_else(|| Error::not_found("indicator", code))
}

fn book(here: &Here) -> &Book {
    &here.indicators
}

/// What a word in an address cuts by: `area:town`, `unit`, `month` …
pub fn cut(text: &str) -> Result<Cut> {
    let step = || Step::ALL.into_iter().find(|step| step.as_str() == text);
    let level = |text: &str| Level::ALL.into_iter().find(|level| level.as_str() == text);
    Ok(match text {
        "" => Cut::Nothing,
        "unit" => Cut::Unit,
        "service" => Cut::Service,
        "group" => Cut::Group,
        "standard" => Cut::Standard,
        "channel" => Cut::Channel,
        "hour" => Cut::Hour,
        _ => match text.strip_prefix("area:").and_then(level) {
            Some(level) => Cut::Area(level),
            None => Cut::Time(step().ok_or_else(|| {
                Error::invalid(
                    "by",
                    "write area:city, area:town, area:community, area:cell, unit, service, group, standard, channel, hour, day, \
                     week, month, quarter or year",
                )
            })?),
        },
    })
}

/// The word of a cut in an address.
pub fn cut_word(cut: Cut) -> String {
    match cut {
        Cut::Nothing => String::new(),
        Cut::Area(level) => format!("area:{}", level.as_str()),
        Cut::Unit => "unit".to_owned(),
        Cut::Service => "service".to_owned(),
        Cut::Group => "group".to_owned(),
        Cut::Standard => "standard".to_owned(),
        Cut::Channel => "channel".to_owned(),
        Cut::Time(step) => step.as_str().to_owned(),
        Cut::Hour => "hour".to_owned(),
    }
}

/// The word of rows that belong to nothing that a cut tells apart.
const UNKNOWN: &str = "-";

/// A key of a cut as it stands in an address: a code, a channel, a period, `1-08` for Monday from eight to nine.
pub fn key_word(key: &Key) -> String {
    match key {
        Key::Code(code) => code.clone(),
        Key::Word(_, word) => (*word).to_owned(),
        Key::Step(period) => period.to_string(),
        Key::Hour { weekday, hour } => format!("{}-{hour:02}", weekday + 1),
        Key::Unknown => UNKNOWN.to_owned(),
    }
}

/// The key of a cut that a word in an address stands for.
pub fn key(cut: Cut, text: &str) -> Result<Key> {
    let unknown = || Error::not_found("key", text);
    if text == UNKNOWN {
        return Ok(Key::Unknown);
    }
    Ok(match cut {
        Cut::Nothing => {
            return Err(Error::invalid(
                "key",
                "a figure that is cut by nothing has no keys; leave it out",
            ));
        }
        Cut::Channel => {
            let place = column::CHANNELS.iter().position(|word| word.code == text);
            let place = place.ok_or_else(unknown)?;
            Key::Word(place as u8, column::CHANNELS[place].code)
        }
        Cut::Time(_) => {
            Key::Step(Period::from_str(text).map_err(|error| Error::invalid("key", error.to_string()))?)
        }
        Cut::Hour => {
            let parsed = || {
                let (weekday, hour) = text.split_once('-')?;
                let (weekday, hour): (u8, u8) = (weekday.parse().ok()?, hour.parse().ok()?);
                let is_one = (1..=7).contains(&weekday) && hour < 24;
                is_one.then_some((weekday - 1, hour))
            };
            let (weekday, hour) = parsed().ok_or_else(unknown)?;
            Key::Hour { weekday, hour }
        }
        Cut::Area(_) | Cut::Unit | Cut::Service | Cut::Group | Cut::Standard => Key::Code(text.to_owned()),
    })
}

fn refused(error: AskError) -> Error {
    match error {
        AskError::TooMany(_) => Error::invalid("indicators", error.to_string()),
        AskError::TooManySteps | AskError::NoSuchCut { .. } => Error::invalid("by", error.to_string()),
        AskError::NoSuchFilter { filter, .. } => Error::invalid(filter, error.to_string()),
        AskError::Unknown { what, code } => Error::not_found(what, code),
        AskError::Period(_) => Error::invalid("period", error.to_string()),
    }
}

impl Whistle {
    /// Answers some questions, all of one moment. What the viewer may not see as it was counted is masked.
    pub async fn told(&self, here: &Here, viewer: Viewer<'_>, questions: &[Question]) -> Result<Arc<Told>> {
        if questions.len() > MAX_QUESTIONS {
            return Err(Error::invalid(
                "questions",
                format!("at most {MAX_QUESTIONS} are answered together"),
            ));
        }
        let mut masked = Vec::with_capacity(questions.len());
        for question in questions {
            check(here, question)?;
            let is_masked = !may_see(here, viewer, question);
            if is_masked {
                check_public(&here.place, &question.filters)?;
            }
            masked.push(is_masked);
        }
        let mut hash = DefaultHasher::new();
        let _ = write!(Hashed(&mut hash), "{} {masked:?} {questions:?}", here.id.0);
        let slot = self.asking.slot(hash.finish());
        let mut kept = slot.0.lock().await;
        let now = self.clock.now();
        let mark = self.mark(here, questions, &masked, now)?;
        if let Some(told) = &*kept {
            let is_fresh = self.clock.running() < told.counted + GIVEN_AGAIN;
            let is_of_this_place = told
                .answers
                .iter()
                .all(|it| it.place_version == here.place.version);
            if told.mark == mark || (is_fresh && is_of_this_place) {
                return Ok(told.clone());
            }
        }
        let held = self.held_posts(here, questions).await?;
        let _turn = self.asking.counting.acquire().await;
        let (whistle, of, asked) = (self.clone(), here.clone(), questions.to_vec());
        let answers = elsewhere(move || whistle.count(&of, &asked, held.as_ref(), now)).await??;
        let shown = |((answer, is_masked), question): ((Answer, &bool), &Question)| {
            if *is_masked {
                for_public(&here.place, answer, question.cut)
            } else {
                answer
            }
        };
        let told = Arc::new(Told {
            answers: answers
                .into_iter()
                .zip(&masked)
                .zip(questions)
                .map(shown)
                .collect(),
            masked,
            counted_at: now,
            lag: self.facts_lag(here).unwrap_or_default(),
            mark,
            counted: self.clock.running(),
        });
        *kept = Some(told.clone());
        Ok(told)
    }

    /// A page of the rows behind a figure, for staff who may see it.
    pub async fn rows_behind(
        &self,
        here: &Here,
        by: &Actor,
        sought: &Sought,
        after: Option<u32>,
        limit: usize,
    ) -> Result<Behind> {
        check(here, &sought.question)?;
        allowed(may_see(here, Viewer::Staff(by), &sought.question))?;
        let held = self
            .held_posts(here, std::slice::from_ref(&sought.question))
            .await?;
        let sight = sight(by, &here.place);
        let (whistle, of, asked, now) = (self.clone(), here.clone(), sought.clone(), self.clock.now());
        let limit = if limit == 0 { MAX_ROWS } else { limit.min(MAX_ROWS) };
        let listed =
            elsewhere(move || whistle.list(&of, &asked, held.as_ref(), sight, after, limit, now)).await??;
        let numbers: Vec<CaseNumber> = listed
            .cases
            .iter()
            .map(|number| CaseNumber((*number).into()))
            .collect();
        let asked_for = numbers.len();
        let cases = self.staff_cases(here, numbers, by).await?;
        Ok(Behind {
            hidden: listed.hidden + (asked_for - cases.len()) as u64,
            cases,
            codes: listed.codes,
            total: listed.total,
            rows: listed.rows,
            next: listed.next,
        })
    }

    /// All rows behind a figure as a file, for staff who may see it; those that they may not see are left out. It is written down
    /// first.
    pub async fn file_of_rows(
        &self,
        here: &Here,
        by: &Actor,
        sought: &Sought,
        format: ExportFormat,
        lang: Lang,
    ) -> Result<Vec<u8>> {
        check(here, &sought.question)?;
        allowed(may_see(here, Viewer::Staff(by), &sought.question))?;
        let held = self
            .held_posts(here, std::slice::from_ref(&sought.question))
            .await?;
        let _turn = self.asking.writing.acquire().await;
        let code = sought.question.indicators.first().cloned().unwrap_or_default();
        let (id, who, now) = (here.id, doer(by), self.clock.now());
        self.store
            .write(move |tx| {
                acts::note(
                    tx,
                    id,
                    &who,
                    acts::Deed::Exported,
                    "",
                    &format!("rows {code}"),
                    now,
                )
            })
            .await?;
        let (whistle, here, by, sought) = (self.clone(), here.clone(), by.clone(), sought.clone());
        elsewhere(move || whistle.write_rows(&here, &by, &sought, held.as_ref(), format, lang)).await?
    }

    fn write_rows(
        &self,
        here: &Here,
        by: &Actor,
        sought: &Sought,
        held: Option<&HashSet<String>>,
        format: ExportFormat,
        lang: Lang,
    ) -> Result<Vec<u8>> {
        let (now, sight) = (self.clock.now(), sight(by, &here.place));
        let (mut numbers, mut codes, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            let listed = self.list(here, sought, held, sight, after, FOUND_AT_ONCE, now)?;
            if listed.total > MAX_ROWS_OF_FILE {
                let what = format!(
                    "there are {} rows, and a file has at most {MAX_ROWS_OF_FILE}; take a shorter period",
                    listed.total
                );
                return Err(Error::invalid("period", what));
            }
            numbers.extend(listed.cases);
            codes.extend(listed.codes);
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        let subject = indicator(
            here,
            sought.question.indicators.first().map_or("", String::as_str),
        )?
        .subject;
        let mut file = Vec::new();
        if subject.is_of_place() {
            code_sheet(&mut file, &here.place, subject, &codes, format, lang)?;
            return Ok(file);
        }
        let mut sheet = case_sheet(&mut file, format)?;
        for few in numbers.chunks(READ_AT_ONCE) {
            let few: Vec<CaseNumber> = few.iter().map(|number| CaseNumber((*number).into())).collect();
            let mut found = self
                .store
                .read_blocking(|conn| stored::some(conn, here.id, &few))?;
            let cases = few.iter().filter_map(|number| found.remove(number));
            for case in cases.filter(|case| rights::may_see(case, by, &here.place)) {
                sheet.add(&case, &here.place, lang, now)?;
            }
        }
        sheet.finish()?;
        Ok(file)
    }

    pub(crate) fn count(
        &self,
        here: &Here,
        questions: &[Question],
        held: Option<&HashSet<String>>,
        now: Timestamp,
    ) -> Result<Vec<Answer>> {
        self.with_facts(here, |facts| {
            let answers = questions
                .iter()
                .map(|question| count_in(facts, here, question, held, now));
            answers.collect()
        })?
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "private; each is a part of one question"
    )]
    fn list(
        &self,
        here: &Here,
        sought: &Sought,
        held: Option<&HashSet<String>>,
        sight: Sight,
        after: Option<u32>,
        most: usize,
        now: Timestamp,
    ) -> Result<figures::Listed> {
        let ask = asking(here, &sought.question, held, now)?;
        self.with_facts(here, |facts| {
            let page = figures::Page {
                key: sought.key.as_ref(),
                part: sought.part,
                sight,
                after,
                most,
            };
            figures::rows(facts, &here.place, &ask, page)
        })?
        .map_err(refused)
    }

    /// The posts that somebody holds, where it matters.
    async fn held_posts(&self, here: &Here, questions: &[Question]) -> Result<Option<HashSet<String>>> {
        let mut codes = questions.iter().flat_map(|question| &question.indicators);
        let matters = codes.any(|code| indicator(here, code).is_ok_and(|it| it.subject == Subject::Post));
        if !matters {
            return Ok(None);
        }
        let id = here.id;
        let holders = self.store.read(move |conn| account::holders(conn, id)).await?;
        Ok(Some(
            holders.into_iter().map(|(_, post)| post.to_string()).collect(),
        ))
    }

    /// What an answer is known by. One about a time that is not over is another one every minute; and so is one about posts, which
    /// are taken and left without a case.
    fn mark(&self, here: &Here, questions: &[Question], masked: &[bool], now: Timestamp) -> Result<String> {
        let zone = here.place.calendar.zone();
        let today = zone.to_datetime(now).date();
        let is_over = |question: &Question| {
            let mut codes = question.indicators.iter();
            question.period.last_day() < today
                && codes.all(|code| indicator(here, code).is_ok_and(|it| !it.subject.is_of_place()))
        };
        let minute = if questions.iter().all(is_over) {
            0
        } else {
            now.as_second() / 60
        };
        let mut hash = DefaultHasher::new();
        (
            self.facts_mark(here)?,
            here.place.version,
            minute,
            masked,
            env!("CARGO_PKG_VERSION"),
        )
            .hash(&mut hash);
        Ok(format!("{:016x}", hash.finish()))
    }
}

/// Numbers of cases that are found at a time for a file: the most that a page of rows may have.
const FOUND_AT_ONCE: usize = 1_000;

/// Writes text into a hash.
struct Hashed<'h>(&'h mut DefaultHasher);

impl std::fmt::Write for Hashed<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

fn asking<'a>(
    here: &'a Here,
    question: &Question,
    held: Option<&'a HashSet<String>>,
    now: Timestamp,
) -> Result<Ask<'a>> {
    let indicators = question.indicators.iter().map(|code| indicator(here, code));
    let mut ask = Ask::new(indicators.collect::<Result<_>>()?, question.period, now);
    ask.cut = question.cut;
    ask.filters = question.filters.clone();
    ask.with_before = question.with_before;
    ask.with_last_year = question.with_last_year;
    ask.held = held;
    Ok(ask)
}

fn may_see(here: &Here, viewer: Viewer<'_>, question: &Question) -> bool {
    let Viewer::Staff(actor) = viewer else {
        return false;
    };
    rights::may_see_figures(
        actor,
        &here.place,
        &question.filters.areas,
        &question.filters.units,
    )
}

/// Which rows may be listed, before each case is looked at: who is cleared for no class need not look at those that have one.
fn sight(by: &Actor, place: &Place) -> Sight {
    if rights::sight(by, place).narrowed.clearance.classes.is_empty() {
        Sight::Unclassed
    } else {
        Sight::Everything
    }
}

/// What one question comes to.
pub(crate) fn count_in(
    facts: &Facts,
    here: &Here,
    question: &Question,
    held: Option<&HashSet<String>>,
    now: Timestamp,
) -> Result<Answer> {
    let ask = asking(here, question, held, now)?;
    figures::ask(facts, &here.place, &ask).map_err(refused)
}

/// Refuses what would come to too much.
fn check(here: &Here, question: &Question) -> Result<()> {
    let place = &here.place;
    let areas = |level: Level| {
        place
            .areas
            .all()
            .iter()
            .filter(|area| area.level == level)
            .count()
    };
    let rows = match question.cut {
        Cut::Nothing => 1,
        Cut::Area(level) => areas(level),
        Cut::Unit => place.units().len(),
        Cut::Service | Cut::Group => place.services().len(),
        Cut::Standard => place.standards().len(),
        Cut::Channel => column::CHANNELS.len(),
        Cut::Time(step) => question.period.steps(step).take(MAX_CELLS + 1).count(),
        Cut::Hour => 7 * 24,
    };
    let times = 1 + usize::from(question.with_before) + usize::from(question.with_last_year);
    let cells = (rows + 1)
        .saturating_mul(question.indicators.len())
        .saturating_mul(times);
    if cells > MAX_CELLS {
        let what = format!(
            "this would be {cells} figures, and an answer has at most {MAX_CELLS}; ask for fewer rows or indicators"
        );
        return Err(Error::invalid("by", what));
    }
    let filters = &question.filters;
    let lists = [
        &filters.areas,
        &filters.units,
        &filters.services,
        &filters.groups,
        &filters.standards,
        &filters.channels,
    ];
    if lists.iter().any(|codes| codes.len() > MAX_CODES) {
        return Err(Error::invalid(
            "filters",
            format!("at most {MAX_CODES} codes of a kind fit"),
        ));
    }
    question
        .indicators
        .iter()
        .try_for_each(|code| indicator(here, code).map(drop))
}

/// The most codes of one filter.
const MAX_CODES: usize = 50;

/// Whether everybody may know of each case of a service.
fn is_everybodys(place: &Place, service: &str) -> bool {
    place
        .service(service)
        .is_some_and(|found| found.is_group() || found.public)
        && place.accesses_of(service).all(|access| *access == Access::Public)
}

/// Whether it is a group of which everybody may know something.
fn is_everybodys_group(place: &Place, group: &str) -> bool {
    let mut services = place.services().iter();
    services.any(|one| {
        one.group.as_ref().is_some_and(|of| of.as_str() == group) && is_everybodys(place, one.code.as_str())
    }) || is_everybodys(place, group)
}

fn is_everybodys_standard(place: &Place, standard: &str) -> bool {
    let found = place.standard(standard);
    found.is_some_and(|standard| is_everybodys(place, standard.service.as_str()))
}

/// What is not everybody's is not known to the public, by any filter.
pub(crate) fn check_public(place: &Place, filters: &Filters) -> Result<()> {
    let unknown = |what, codes: &[String], is_known: fn(&Place, &str) -> bool| {
        let stranger = codes.iter().find(|code| !is_known(place, code));
        stranger.map_or(Ok(()), |code| Err(Error::not_found(what, code)))
    };
    unknown("service", &filters.services, is_everybodys)?;
    unknown("group", &filters.groups, is_everybodys_group)?;
    unknown("standard", &filters.standards, is_everybodys_standard)
}

/// An answer for everybody: rows of services that are not everybody's stand together as one, and figures of few rows are kept back.
pub(crate) fn for_public(place: &Place, mut answer: Answer, cut: Cut) -> Answer {
    let is_known: Option<fn(&Place, &str) -> bool> = match cut {
        Cut::Service => Some(is_everybodys),
        Cut::Group => Some(is_everybodys_group),
        Cut::Standard => Some(is_everybodys_standard),
        _ => None,
    };
    if let Some(is_known) = is_known {
        let is_shown = |row: &Figures| matches!(&row.key, Some(Key::Code(code)) if is_known(place, code));
        let (shown, others): (Vec<Figures>, Vec<Figures>) = answer.rows.into_iter().partition(is_shown);
        answer.rows = shown;
        let units: Vec<Unit> = answer.headings.iter().map(|heading| heading.unit).collect();
        answer
            .rows
            .extend(others.into_iter().reduce(|sum, row| together(sum, &row, &units)));
        if let Some(last) = answer.rows.last_mut()
            && !is_shown(last)
        {
            last.key = Some(Key::Unknown);
        }
    }
    answer.masked(LEAST)
}

/// Two rows as one. What is no count and no share has no value for both.
fn together(mut sum: Figures, other: &Figures, units: &[Unit]) -> Figures {
    let add = |sum: &mut [Figure], other: &[Figure]| {
        for ((sum, other), unit) in sum.iter_mut().zip(other).zip(units) {
            sum.numerator += other.numerator;
            sum.denominator += other.denominator;
            sum.value = match unit {
                Unit::Count => {
                    let whole = |figure: &Figure| figure.value.map_or(0, |value| value.over);
                    Some(Ratio::whole(whole(sum) + whole(other)))
                }
                unit if unit.is_share() && sum.denominator > 0 => Some(Ratio {
                    over: sum.numerator,
                    under: sum.denominator,
                }),
                _ => None,
            };
        }
    };
    add(&mut sum.now, &other.now);
    for (sum, other) in [
        (&mut sum.before, &other.before),
        (&mut sum.last_year, &other.last_year),
    ] {
        if let (Some(sum), Some(other)) = (sum, other) {
            add(sum, other);
        }
    }
    sum
}
