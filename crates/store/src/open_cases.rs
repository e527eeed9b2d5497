//! The open cases of every jurisdiction in memory: what lists of them look for, in some 100 bytes a case.
//!
//! On SQLite, an index whose keys come in no order (by lead, by area, by place on the map) makes every report write a page
//! of its own into the log; four of them made a report five times as dear. Open cases are few, some tens of thousands
//! in a city of millions, so here they are a flat table that is looked through for every list: faster than the
//! index was, and nothing to write. PostgreSQL writes rows of its log instead of pages and keeps its indexes.
//!
//! The writer changes the table after each commit and before the answers, so who was answered finds what was written. What
//! other processes write comes once a second (`Store::keep_up`). A reader takes numbers from here before its first
//! statement fixes the state that it sees (`list::List`): rows as new as the numbers or newer, which are held against the
//! filter once more. A list of open cases may take them later too: what it misses then is closed by now.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, BinaryHeap, HashMap},
    sync::{PoisonError, RwLock},
};

use whistle_domain::{
    case::Case,
    place::Level,
    rights::Unclassed,
    words::{CaseNumber, JurisdictionId},
};

use crate::{
    Conn,
    case::{Columns, Due, NEVER},
    error::Result,
    list::{After, Filter, Order, Sight},
    params,
};

/// What a command made of a case.
pub(crate) struct Change {
    jurisdiction: JurisdictionId,
    number: i64,
    /// None when it is closed now.
    open: Option<Looks>,
    /// When the next step is due of one that is closed, and asked to be reopened; else [`NEVER`].
    requested: i64,
}

impl Change {
    pub(crate) fn of(jurisdiction: JurisdictionId, columns: &Columns<'_>) -> Self {
        let state = columns.case.state;
        let is_requested = state.is_undecided() && !state.is_open();
        Self {
            jurisdiction,
            number: columns.case.number.0,
            open: state.is_open().then(|| Looks::of(columns)),
            requested: if is_requested { columns.step_at } else { NEVER },
        }
    }
}

/// What lists look for in a case, with its words written out.
struct Looks {
    due_at: i64,
    step_at: i64,
    reported_at: i64,
    updated_at: i64,
    spot: Option<i64>,
    escalated: i64,
    is_public: bool,
    is_parked: bool,
    words: [Option<Box<str>>; WORDS],
    /// The units with a part in it.
    joint: Vec<Box<str>>,
}

/// The columns that hold words, in the order of [`Looks::words`]: the areas from the city down, then these.
const WORDS: usize = Level::ALL.len() + 4;
const LEAD: usize = Level::ALL.len();
const SERVICE: usize = LEAD + 1;
const STAGE: usize = LEAD + 2;
/// The class of access; none where there is none.
const ACCESS: usize = LEAD + 3;

impl Looks {
    fn of(columns: &Columns<'_>) -> Self {
        let case = columns.case;
        let mut words: [Option<&str>; WORDS] = [None; WORDS];
        for level in Level::ALL {
            words[level.depth()] = columns.area(level);
        }
        words[LEAD] = case.lead.as_ref().map(whistle_domain::words::UnitCode::as_str);
        words[SERVICE] = Some(case.service.as_str());
        words[STAGE] = Some(case.state.stage().as_str());
        words[ACCESS] = case
            .access
            .as_ref()
            .map(whistle_domain::words::AccessClass::as_str);
        Self {
            due_at: columns.due_at,
            step_at: columns.step_at,
            reported_at: case.times.reported_at.as_microsecond(),
            updated_at: case.times.updated_at.as_microsecond(),
            spot: columns.spot,
            escalated: columns.escalated,
            is_public: case.public,
            is_parked: case.flags.parked_until.is_some(),
            words: words.map(|word| word.map(Into::into)),
            joint: case.joint.iter().map(|part| part.unit.as_str().into()).collect(),
        }
    }
}

/// A word by its number in [`Table::names`].
#[derive(Clone, Copy, PartialEq, Eq)]
struct Word(u32);

struct Entry {
    number: i64,
    due_at: i64,
    step_at: i64,
    reported_at: i64,
    updated_at: i64,
    spot: Option<i64>,
    escalated: i64,
    words: [Option<Word>; WORDS],
    joint: Box<[Word]>,
    is_public: bool,
    is_parked: bool,
}

impl Entry {
    fn key(&self, order: Order) -> After {
        let key = match order {
            Order::Newest => self.reported_at,
            Order::Updated => self.updated_at,
            Order::Due => self.due_at,
        };
        After {
            key,
            number: self.number,
        }
    }
}

/// The open cases of one jurisdiction.
#[derive(Default)]
struct Table {
    entries: Vec<Entry>,
    /// Where the entry of a case stands.
    places: HashMap<i64, usize>,
    /// Words of the place: codes of areas, units and services, stages. Few, and never forgotten.
    names: HashMap<Box<str>, Word>,
    /// The cases with a step to come, by its time: looked at every second, and must not cost what all of them would.
    steps: BTreeSet<Due>,
    /// Those of the steps that are of cases which are closed and asked to be reopened. No list looks for these.
    requested: HashMap<i64, Due>,
}

fn step(number: i64, at: i64) -> Option<Due> {
    let number = CaseNumber(number);
    (at != NEVER).then_some(Due { at, number })
}

impl Entry {
    fn step(&self) -> Option<Due> {
        step(self.number, self.step_at)
    }
}

impl Table {
    fn put(&mut self, number: i64, looks: Looks) {
        let words = looks.words.map(|word| word.map(|word| self.word(word)));
        let joint = looks.joint.into_iter().map(|word| self.word(word)).collect();
        let entry = Entry {
            number,
            due_at: looks.due_at,
            step_at: looks.step_at,
            reported_at: looks.reported_at,
            updated_at: looks.updated_at,
            spot: looks.spot,
            escalated: looks.escalated,
            words,
            joint,
            is_public: looks.is_public,
            is_parked: looks.is_parked,
        };
        let step = entry.step();
        if let Some(place) = self.places.get(&number) {
            let before = std::mem::replace(&mut self.entries[*place], entry).step();
            if before == step {
                return;
            }
            if let Some(before) = before {
                self.steps.remove(&before);
            }
        } else {
            self.places.insert(number, self.entries.len());
            self.entries.push(entry);
        }
        self.steps.extend(step);
    }

    fn remove(&mut self, number: i64) {
        let Some(place) = self.places.remove(&number) else {
            return;
        };
        if let Some(step) = self.entries.swap_remove(place).step() {
            self.steps.remove(&step);
        }
        if let Some(moved) = self.entries.get(place) {
            self.places.insert(moved.number, place);
        }
    }

    /// Notes the next step of a case that is asked to be reopened; that it is not, by [`NEVER`].
    fn request(&mut self, number: i64, step_at: i64) {
        if let Some(before) = self.requested.remove(&number) {
            self.steps.remove(&before);
        }
        if let Some(step) = step(number, step_at) {
            self.requested.insert(number, step);
            self.steps.insert(step);
        }
    }

    fn add_part(&mut self, place: usize, unit: Box<str>) {
        let word = self.word(unit);
        let joint = &mut self.entries[place].joint;
        *joint = joint.iter().copied().chain([word]).collect();
    }

    fn word(&mut self, text: Box<str>) -> Word {
        let next = Word(self.names.len() as u32);
        *self.names.entry(text).or_insert(next)
    }
}

/// A filter in the words of one table. None when it names a word that no open case has, so that none fits.
struct Wanted<'f> {
    filter: &'f Filter,
    stages: Vec<Word>,
    services: Vec<Word>,
    area: Option<(usize, Word)>,
    lead: Option<Word>,
    part: Option<Word>,
    sights: Vec<Seen<'f>>,
}

/// What an actor may see.
struct Seen<'f> {
    sight: &'f Sight,
    area: Option<(usize, Word)>,
    units: Option<Vec<Word>>,
    unit: Option<Word>,
    services: Option<Vec<Word>>,
    classes: Vec<Word>,
}

impl Seen<'_> {
    /// Whether it shows a case: the conditions are those of `list.rs`.
    fn shows(&self, entry: &Entry) -> bool {
        let has = |column: usize, word: Word| entry.words[column] == Some(word);
        let concerns = |word: Word| has(LEAD, word) || entry.joint.contains(&word);
        let in_area = || {
            let is_there = || self.area.is_some_and(|(column, word)| has(column, word));
            self.sight.everywhere || is_there()
        };
        let is_with = || {
            let units = self.units.as_ref();
            units.is_none_or(|units| units.iter().any(|unit| concerns(*unit)))
        };
        let is_for = || {
            let services = self.services.as_ref();
            services.is_none_or(|services| services.iter().any(|service| has(SERVICE, *service)))
        };
        let is_cleared = || match entry.words[ACCESS] {
            Some(class) => self.classes.contains(&class),
            None if entry.is_public => self.sight.unclassed != Unclassed::Nothing,
            None => self.sight.unclassed == Unclassed::All,
        };
        let among = (in_area() && is_with()) || self.unit.is_some_and(concerns);
        self.sight.or_public && entry.is_public || among && is_for() && is_cleared()
    }
}

impl<'f> Wanted<'f> {
    fn of(filter: &'f Filter, table: &Table) -> Option<Self> {
        let word = |text: &str| table.names.get(text).copied();
        // Of several, those that no case has are left out; one must remain.
        let any = |texts: &mut dyn Iterator<Item = &str>| {
            let texts: Vec<&str> = texts.collect();
            let known: Vec<Word> = texts.iter().filter_map(|text| word(text)).collect();
            (texts.is_empty() || !known.is_empty()).then_some(known)
        };
        let words = |codes: &[String]| codes.iter().filter_map(|code| word(code)).collect();
        let seen = |sight: &'f Sight| {
            let area = sight.area.as_ref().map(|(level, code)| (level.depth(), code));
            Seen {
                sight,
                area: area.and_then(|(column, code)| Some((column, word(code)?))),
                units: sight.units.as_deref().map(words),
                unit: sight.unit.as_ref().and_then(|code| word(code)),
                services: sight.services.as_deref().map(words),
                classes: words(&sight.classes),
            }
        };
        let sights = filter.sight.iter().chain(&filter.seen_by);
        Some(Self {
            filter,
            stages: any(&mut filter.stages.iter().copied())?,
            services: any(&mut filter.services.iter().map(String::as_str))?,
            area: match &filter.area {
                Some((level, code)) => Some((level.depth(), word(code)?)),
                None => None,
            },
            lead: match &filter.lead {
                Some(code) => Some(word(code)?),
                None => None,
            },
            part: match &filter.part {
                Some(code) => Some(word(code)?),
                None => None,
            },
            sights: sights.map(seen).collect(),
        })
    }

    fn holds(&self, entry: &Entry) -> bool {
        let filter = self.filter;
        let has = |(column, word): &(usize, Word)| entry.words[*column] == Some(*word);
        let one_of = |column: usize, words: &[Word]| {
            words.is_empty() || entry.words[column].is_some_and(|word| words.contains(&word))
        };
        (!filter.public || entry.is_public)
            && self.lead.is_none_or(|word| has(&(LEAD, word)))
            && self.area.is_none_or(|wanted| has(&wanted))
            && self.part.is_none_or(|word| entry.joint.contains(&word))
            && self.sights.iter().all(|seen| seen.shows(entry))
            && filter.parked.is_none_or(|parked| entry.is_parked == parked)
            && one_of(STAGE, &self.stages)
            && one_of(SERVICE, &self.services)
            && filter
                .escalated
                .is_none_or(|rank| entry.escalated > 0 && entry.escalated >= rank)
            && filter.due_before.is_none_or(|before| entry.due_at < before)
            && within(filter.reported.as_ref(), entry.reported_at)
            && within(filter.updated.as_ref(), entry.updated_at)
            && filter.spots.as_ref().is_none_or(|spots| {
                let among = |spot| spots.iter().any(|range| range.contains(&spot));
                entry.spot.is_some_and(among)
            })
    }
}

fn within(range: Option<&std::ops::RangeInclusive<i64>>, value: i64) -> bool {
    range.is_none_or(|range| range.contains(&value))
}

/// A key in the order of its list: the one that comes last is the greatest.
#[derive(PartialEq, Eq)]
struct Ranked(After, Order);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.1.compare(&self.0, &other.0)
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct OpenCases {
    tables: RwLock<HashMap<i64, Table>>,
}

impl OpenCases {
    /// Reads them all anew: at the start, and after another process wrote.
    pub(crate) fn load(&self, conn: &Conn) -> Result<()> {
        let mut tables = HashMap::<i64, Table>::new();
        conn.each(
            "SELECT c.jurisdiction_id, c.number, c.due_at, c.reported_at, c.updated_at, c.spot, c.is_public,
                    c.step_at, c.escalated, c.city_code, c.town_code, c.community_code, c.cell_code, c.lead_code,
                    c.service_code, c.stage, c.access_code, u.unit_code, c.parked_until
             FROM cases AS c
             LEFT JOIN case_unit AS u ON u.jurisdiction_id = c.jurisdiction_id AND u.number = c.number
             WHERE c.is_open = 1",
            params![],
            |row| {
                let table = tables.entry(row.int(0)?).or_default();
                let (number, unit) = (row.int(1)?, row.text_opt(9 + WORDS)?);
                // A case has a row for each unit with a part in it.
                if let (Some(unit), Some(place)) = (unit, table.places.get(&number).copied()) {
                    table.add_part(place, unit.into());
                    return Ok(());
                }
                let mut words = [const { None }; WORDS];
                for (i, word) in words.iter_mut().enumerate() {
                    *word = row
                        .text_opt(9 + i)?
                        .filter(|word| !word.is_empty())
                        .map(Into::into);
                }
                let looks = Looks {
                    due_at: row.int(2)?,
                    step_at: row.int(7)?,
                    reported_at: row.int(3)?,
                    updated_at: row.int(4)?,
                    spot: row.int_opt(5)?,
                    escalated: row.int(8)?,
                    is_public: row.int(6)? == 1,
                    is_parked: row.int_opt(10 + WORDS)?.is_some(),
                    words,
                    joint: unit.into_iter().map(Into::into).collect(),
                };
                table.put(number, looks);
                Ok(())
            },
        )?;
        conn.each(
            "SELECT jurisdiction_id, number, step_at
             FROM cases
             WHERE stage = 'reopen_requested'",
            params![],
            |row| {
                let table = tables.entry(row.int(0)?).or_default();
                table.request(row.int(1)?, row.int(2)?);
                Ok(())
            },
        )?;
        *self.tables.write().unwrap_or_else(PoisonError::into_inner) = tables;
        Ok(())
    }

    /// Takes over what a commit changed.
    pub(crate) fn apply(&self, changes: impl Iterator<Item = Change>) {
        let mut changes = changes.peekable();
        if changes.peek().is_none() {
            return;
        }
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            let table = tables.entry(change.jurisdiction.0).or_default();
            match change.open {
                Some(looks) => table.put(change.number, looks),
                None => table.remove(change.number),
            }
            table.request(change.number, change.requested);
        }
    }

    /// The first `most` that fit, after `after`, in the order of the list.
    pub(crate) fn first(
        &self,
        jurisdiction: JurisdictionId,
        filter: &Filter,
        order: Order,
        after: Option<After>,
        most: usize,
    ) -> Vec<After> {
        self.with_fitting(jurisdiction, filter, |fitting| {
            first(fitting.map(|entry| entry.key(order)), order, after, most)
        })
    }

    /// All that fit, in no order.
    pub(crate) fn all(&self, jurisdiction: JurisdictionId, filter: &Filter, order: Order) -> Vec<After> {
        self.with_fitting(jurisdiction, filter, |fitting| {
            fitting.map(|entry| entry.key(order)).collect()
        })
    }

    /// The first cases with a step that is due by `until`, in the order of their steps.
    pub(crate) fn steps_until(&self, jurisdiction: JurisdictionId, until: i64, most: usize) -> Vec<Due> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let steps = tables.get(&jurisdiction.0).map(|table| &table.steps);
        let due = steps.into_iter().flatten().take_while(|due| due.at <= until);
        due.take(most).copied().collect()
    }

    /// How many fit.
    pub(crate) fn count(&self, jurisdiction: JurisdictionId, filter: &Filter) -> usize {
        self.with_fitting(jurisdiction, filter, |fitting| fitting.count())
    }

    fn with_fitting<T: Default>(
        &self,
        jurisdiction: JurisdictionId,
        filter: &Filter,
        look: impl FnOnce(&mut dyn Iterator<Item = &Entry>) -> T,
    ) -> T {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let Some(table) = tables.get(&jurisdiction.0) else {
            return T::default();
        };
        let Some(wanted) = Wanted::of(filter, table) else {
            return T::default();
        };
        look(&mut table.entries.iter().filter(|entry| wanted.holds(entry)))
    }
}

/// The first `most` keys after `after`, in the order of the list.
pub(crate) fn first(
    keys: impl Iterator<Item = After>,
    order: Order,
    after: Option<After>,
    most: usize,
) -> Vec<After> {
    let mut first = BinaryHeap::<Ranked>::with_capacity(most + 1);
    for key in keys {
        if after.is_some_and(|after| order.compare(&key, &after) != Ordering::Greater) {
            continue;
        }
        if first.len() < most {
            first.push(Ranked(key, order));
        } else if let Some(mut last) = first.peek_mut()
            && order.compare(&key, &last.0) == Ordering::Less
        {
            *last = Ranked(key, order);
        }
    }
    let sorted = first.into_sorted_vec();
    sorted.into_iter().map(|ranked| ranked.0).collect()
}

/// Whether a case fits a filter of open ones: for rows that may be newer than the table.
pub(crate) fn fits(case: &Case, filter: &Filter) -> bool {
    if !case.state.is_open() {
        return false;
    }
    let mut table = Table::default();
    table.put(case.number.0, Looks::of(&Columns::of(case, "")));
    Wanted::of(filter, &table).is_some_and(|wanted| table.entries.iter().all(|entry| wanted.holds(entry)))
}
