//! Searching cases by words, and the duty that keeps the index of words in step with the log.
//!
//! A commit only notes that a case has changed; what has is read here, cut into words off the thread that writes, and put into the
//! index some cases at a time. Where the rule of cutting or a name of the place has changed, or the index is new, all cases are
//! gone through in the same way, the newest first, whenever nothing else is to be done.

use std::{
    collections::HashMap,
    thread,
    time::{Duration, Instant},
};

use whistle_domain::{
    case::{Case, Event},
    place::Place,
    search::{Eyes, Search, SearchError, words},
    words::{CaseNumber, JurisdictionId},
};
use whistle_store::{
    Conn, case as stored, lease,
    list::{After, Filter},
    search::{self as index, Entry, Pass},
};

use crate::{
    Whistle,
    duties::Duty,
    error::{Error, Result},
    lease::InCharge,
    list::{Exact, Page, Viewer, write_cursor},
    place::Here,
};

/// How often it is looked for what has changed: what was reported is found within 2 s.
pub const EVERY: Duration = Duration::from_millis(500);

/// Cases that are put into the index in one go, while reports wait: some milliseconds on SQLite, and on PostgreSQL, where the index
/// is dearer, some tens of one of the two threads that write.
const ROUND: usize = 25;

/// How long one turn goes on while there is something to do.
const TURN: Duration = Duration::from_secs(1);

/// How many times as long as it wrote it lets others write.
const PAUSE: u32 = 3;

/// Cases read, cut, and what is to be noted of them.
struct Cut {
    entries: Vec<Entry>,
    /// Those that had changed.
    due: Vec<CaseNumber>,
    /// How far the pass through all cases is then.
    pass: Option<Pass>,
}

impl Whistle {
    /// Brings the index up to date, for the places that this process does so for. Answers how many cases were cut into
    /// words: none when there is nothing left to do.
    pub fn index_cases(&self) -> Result<u64> {
        let mut done = 0;
        let mut outcome = Ok(());
        let places = self.places();
        for charge in self.leases.own(Duty::Search) {
            let here = places.all().iter().find(|h| h.id == charge.held.jurisdiction);
            match here.map_or(Ok(0), |here| self.index_for_a_turn(&charge, here)) {
                Ok(cases) => done += cases,
                Err(Error::Store(whistle_store::Error::Fenced { name })) => {
                    tracing::info!(duty = name, "another process has taken a duty over");
                }
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        outcome.map(|()| done)
    }

    fn index_for_a_turn(&self, charge: &InCharge, here: &Here) -> Result<u64> {
        let (began, mut done) = (Instant::now(), 0);
        loop {
            let Some((cases, wrote)) = self.index_some(charge, here)? else {
                return Ok(done);
            };
            done += cases;
            if began.elapsed() >= TURN {
                return Ok(done);
            }
            thread::sleep(PAUSE * wrote);
        }
    }

    /// Cuts some cases. Answers how many, and how long it took to write; none where nothing is to be done.
    fn index_some(&self, charge: &InCharge, here: &Here) -> Result<Option<(u64, Duration)>> {
        let (id, held) = (here.id, charge.held);
        let cut = self
            .store
            .read_blocking(|conn| read_and_cut(conn, id, &here.place))?;
        let Some(cut) = cut else { return Ok(None) };
        let (cases, began) = (cut.entries.len() as u64, Instant::now());
        self.store.write_blocking(move |tx| -> Result<()> {
            lease::hold(tx, &held)?;
            index::put(tx, &cut.entries)?;
            let versions: HashMap<CaseNumber, u32> =
                cut.entries.iter().map(|e| (e.number, e.version)).collect();
            for number in &cut.due {
                let version = versions.get(number).copied().unwrap_or(u32::MAX);
                index::settle(tx, id, *number, version)?;
            }
            if let Some(pass) = cut.pass {
                index::note_pass(tx, id, pass)?;
            }
            Ok(())
        })?;
        Ok(Some((cases, began.elapsed())))
    }

    /// Makes the index of words anew, from nothing. Nobody finds anything that is not yet in it, and reports wait while the old
    /// one is thrown away. Works beside a server. `progress` gets the cases done so far.
    pub fn rebuild_search(&self, mut progress: impl FnMut(u64)) -> Result<u64> {
        let places = self.places();
        let charges = places.all().iter().map(|here| self.seize(here, Duty::Search));
        let charges: Vec<InCharge> = charges.collect::<Result<_>>()?;
        let mut run = || -> Result<u64> {
            let held: Vec<lease::Held> = charges.iter().map(|charge| charge.held).collect();
            self.store.write_blocking(move |tx| -> Result<()> {
                held.iter().try_for_each(|held| lease::hold(tx, held))?;
                let all: Vec<JurisdictionId> = held.iter().map(|held| held.jurisdiction).collect();
                Ok(index::clear(tx, &all)?)
            })?;
            let mut done = 0;
            for (charge, here) in charges.iter().zip(places.all()) {
                while let Some((cases, _)) = self.index_some(charge, here)? {
                    self.goes_on();
                    done += cases;
                    progress(done);
                }
            }
            Ok(done)
        };
        let outcome = self.beating_for(&charges, &mut run);
        let given_back = charges.iter().try_for_each(|charge| self.give_back(charge));
        outcome.and_then(|done| given_back.map(|()| done))
    }

    /// A page of the cases that have every word of a text, newest first; the case with that number before all others.
    pub(crate) async fn search(&self, here: &Here, wanted: Wanted, viewer: Viewer<'_>) -> Result<Page<Case>> {
        let Wanted {
            text,
            filter,
            exact,
            after,
            limit,
        } = wanted;
        let search: Search = text
            .parse()
            .map_err(|error: SearchError| Error::invalid("q", error.to_string()))?;
        let terms = search.terms(match viewer {
            Viewer::Public => Eyes::Public,
            Viewer::Staff(_) => Eyes::Staff,
        });
        let (id, named) = (here.id, search.number());
        let (items, next) = self
            .store
            .read(move |conn| {
                let fits = |case: &Case| exact.holds(case);
                let below = after.map(|after| after.number);
                // It stands at the top, and nowhere else.
                let others = |case: &Case| fits(case) && Some(case.number) != named;
                let (mut cases, next) = index::page(conn, id, &terms, &filter, below, limit, others)?;
                if let (None, Some(number)) = (below, named) {
                    let one = index::one(conn, id, number, &filter)?;
                    cases.splice(0..0, one.filter(fits));
                }
                Ok::<_, whistle_store::Error>((cases, next))
            })
            .await?;
        let cursor = |number| After { key: number, number };
        Ok(Page {
            items,
            again: None,
            next: next.map(|number| write_cursor(cursor(number))),
        })
    }
}

/// What is searched, as the list has made it out.
pub(crate) struct Wanted {
    pub(crate) text: String,
    pub(crate) filter: Filter,
    pub(crate) exact: Exact,
    pub(crate) after: Option<After>,
    pub(crate) limit: usize,
}

/// The next cases to be put into the index: those that changed, else some more of all.
fn read_and_cut(conn: &Conn, id: JurisdictionId, place: &Place) -> whistle_store::Result<Option<Cut>> {
    let due = index::due(conn, id, ROUND)?;
    let (numbers, pass) = if due.is_empty() {
        let Some(pass) = index::unfinished(conn, id, index::rule(place))? else {
            return Ok(None);
        };
        let numbers = index::cases_below(conn, id, pass.below, ROUND)?;
        let below = match numbers.last() {
            Some(last) if numbers.len() == ROUND => last.0,
            _ => 0,
        };
        (numbers, Some(Pass { below, ..pass }))
    } else {
        (due.clone(), None)
    };
    let mut logs: Vec<(CaseNumber, Vec<Event>)> = Vec::with_capacity(numbers.len());
    for (number, event) in stored::logs(conn, id, &numbers)? {
        match logs.last_mut() {
            Some((last, log)) if *last == number => log.push(event),
            _ => logs.push((number, vec![event])),
        }
    }
    let mut entries: Vec<Entry> = logs
        .iter()
        .filter_map(|(number, log)| entry(id, *number, log, place))
        .collect();
    entries.sort_unstable_by_key(|entry| entry.number);
    Ok(Some(Cut { entries, due, pass }))
}

fn entry(id: JurisdictionId, number: CaseNumber, log: &[Event], place: &Place) -> Option<Entry> {
    match Case::fold(number, log) {
        Ok(case) => Some(Entry {
            jurisdiction: id,
            number,
            version: case.version,
            words: words(&case, log, place),
        }),
        Err(error) => {
            tracing::error!(case = number.0, %error, "a case cannot be found by its words");
            None
        }
    }
}
