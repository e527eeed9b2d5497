//! Import: cases of another system from a file, through the rules of the domain at their own times. The same file again
//! adds nothing, so that an import that was stopped is simply started again.
//!
//! A row becomes a report by Whistle itself through the channel `import`, and where it was closed there, its settling.
//! What is known of it there since is brought in by the next import: a case still open here that is closed there by then
//! is settled. Once our own staff reopened a case, the other system has no more say in it.

mod field;
mod open;
mod read;
mod rejects;
mod row;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Serialize;
use whistle_domain::{
    case::{Actor, Case, Event},
    command::{self, Act, Context},
    place::Place,
    words::{CaseNumber, JurisdictionId},
};
use whistle_store::{
    Tx, admin,
    case::{self as stored, Prepared, Tell},
    intake,
};

use self::{
    field::Mapping,
    read::{Input, Record},
    rejects::Rejects,
    row::{Closing, Row, Translator, Why},
};
use crate::{
    Whistle,
    behind::{Behind, write_behind},
    error::{Error, Result},
    place::Here,
};

pub use self::read::ImportFormat;

/// Rows committed together: enough that the disk is waited for rarely, few enough that others need not wait long.
const GROUP: usize = intake::MAX_REFERENCES;

/// References remembered to tell a number that the file has twice from one that an earlier run brought: 8 bytes each.
/// After so many, a second one is counted as brought before.
const REMEMBERED: usize = 8_000_000;

/// What to import, and how.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The file.
    pub file: PathBuf,
    /// What it is; told from its content by default.
    pub format: ImportFormat,
    /// How it is encoded, where that is not told rightly: a label such as `gbk` or `windows-1252`.
    pub encoding: Option<String>,
    /// The name of the other system; ids are unique within it.
    pub source: String,
    /// Columns that are called otherwise: (column, field), see `docs/import-export.md`.
    pub map: Vec<(String, String)>,
    /// A CSV of two columns, their name of a service and our code.
    pub services: Option<PathBuf>,
    /// Where rows that are not imported are written to.
    pub rejects: PathBuf,
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportProgress {
    /// How many bytes the file has.
    pub bytes: u64,
    /// How many were read.
    pub read: u64,
    /// How many rows were read.
    pub rows: u64,
    /// How many were rejected.
    pub rejected: u64,
}

/// What an import did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ImportReport {
    /// What the file is.
    pub format: ImportFormat,
    /// How it was encoded.
    pub encoding: &'static str,
    /// Rows read.
    pub rows: u64,
    /// Cases added.
    pub added: u64,
    /// Cases of earlier imports that were settled, because they are closed there by now.
    pub settled: u64,
    /// Rows of which nothing new is known.
    pub unchanged: u64,
    /// Rows not imported.
    pub rejected: u64,
    /// The same by reason.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Where they were written to.
    pub rejects: PathBuf,
}

/// What the writer is to do for a row.
enum Deed {
    /// A new case.
    Add { reference: String, events: Vec<Event> },
    /// A case of an earlier import is closed there by now.
    Settle { number: CaseNumber, closing: Closing },
}

/// What the writer did.
#[derive(Clone, Copy, Default)]
struct Tally {
    added: u64,
    settled: u64,
    unchanged: u64,
}

impl Tally {
    fn add(&mut self, more: Self) {
        self.added += more.added;
        self.settled += more.settled;
        self.unchanged += more.unchanged;
    }
}

impl Whistle {
    /// Imports a file of cases. Rows that cannot be told are in the rejects file, which every run begins anew.
    ///
    /// Whatever stops it, each case is there whole or not at all; the same call again goes on. Blocks; not for async
    /// threads.
    pub fn import_cases(
        &self,
        here: &Here,
        options: &ImportOptions,
        mut progress: impl FnMut(ImportProgress),
    ) -> Result<ImportReport> {
        let source = options.source.trim().to_owned();
        if source.is_empty() || source.chars().count() > 100 {
            return Err(Error::invalid(
                "source",
                "name the system it comes from in 1 to 100 letters, as in zueri-wie-neu",
            ));
        }
        let same = |a: &Path, b: &Path| match (a.canonicalize(), b.canonicalize()) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        };
        if same(&options.file, &options.rejects) {
            return Err(Error::invalid(
                "rejects",
                "the rejects file would overwrite the file that is imported; name another one",
            ));
        }
        let mapping = Mapping::new(&options.map)?;
        let input = Input::open(
            &options.file,
            options.format,
            options.encoding.as_deref(),
            mapping,
        )?;
        let translator = Translator::new(&here.place, options.services.as_deref(), self.clock.now())?;
        let mut report = ImportReport {
            format: input.format,
            encoding: input.encoding,
            rejects: options.rejects.clone(),
            ..ImportReport::default()
        };
        let mut intake = Intake {
            whistle: self,
            here,
            source: &source,
            translator,
            rejects: Rejects::create(&options.rejects, &input.columns)?,
            seen: Seen::default(),
            group: Vec::with_capacity(GROUP),
            unchanged: 0,
        };
        let mut tally = Tally::default();
        let position = input.position();
        let bytes = input.bytes;
        let writer = {
            let (id, place, source) = (here.id, Arc::clone(&here.place), source.clone());
            move |tx: &mut Tx<'_>, deeds: &Vec<Deed>| write(tx, id, &place, &source, deeds)
        };
        let read = write_behind(
            &self.store,
            writer,
            |group| tally.add(group),
            |behind| {
                let mut rows = 0;
                input.each(&mut |record| {
                    rows += 1;
                    intake.take(record)?;
                    if intake.group.len() >= GROUP {
                        intake.send(behind)?;
                    }
                    if rows % GROUP as u64 == 0 {
                        progress(ImportProgress {
                            bytes,
                            read: position.bytes().min(bytes),
                            rows,
                            rejected: intake.rejects.total,
                        });
                    }
                    Ok(())
                })?;
                intake.send(behind)?;
                Ok(rows)
            },
        );
        // What is here is here, and what was rejected is of use, even when the file broke off.
        if tally.added + tally.settled > 0 {
            let rejected = intake.rejects.total;
            let (added, settled) = (tally.added, tally.settled);
            let detail = format!("added={added} settled={settled} rejected={rejected}");
            self.note_act(here, admin::Deed::Imported, &source, &detail)?;
        }
        intake.rejects.finish()?;
        report.rows = read?;
        report.rejected = intake.rejects.total;
        report.reasons = intake.rejects.by_reason;
        report.added = tally.added;
        report.settled = tally.settled;
        report.unchanged = intake.unchanged + tally.unchanged;
        progress(ImportProgress {
            bytes,
            read: bytes,
            rows: report.rows,
            rejected: report.rejected,
        });
        Ok(report)
    }
}

/// The reading side: from records to groups of deeds.
struct Intake<'a> {
    whistle: &'a Whistle,
    here: &'a Here,
    source: &'a str,
    translator: Translator<'a>,
    rejects: Rejects,
    seen: Seen,
    group: Vec<(Record, Row)>,
    unchanged: u64,
}

impl Intake<'_> {
    fn take(&mut self, record: Record) -> Result<()> {
        let row = self.translator.row(&record).and_then(|row| {
            if self.seen.is_new(&row.reference) {
                Ok(row)
            } else {
                Err(Why::new(
                    "duplicate_id",
                    format!("the file has id {:?} before", row.reference),
                ))
            }
        });
        match row {
            Ok(row) => {
                self.group.push((record, row));
                Ok(())
            }
            Err(why) => self.reject(&record, &why),
        }
    }

    fn reject(&mut self, record: &Record, why: &Why) -> Result<()> {
        self.rejects
            .add(record.line, record.get(field::Field::Id), why, &record.original)
    }

    /// Decides the rows of a group and hands them to the writer.
    fn send(&mut self, behind: &Behind<Vec<Deed>>) -> Result<()> {
        let group = std::mem::take(&mut self.group);
        let references: Vec<&str> = group.iter().map(|(_, row)| row.reference.as_str()).collect();
        let known = self
            .whistle
            .store
            .read_blocking(|conn| intake::imported_among(conn, self.here.id, self.source, &references))?;
        let known: HashMap<String, (CaseNumber, bool)> = known
            .into_iter()
            .map(|(reference, number, open)| (reference, (number, open)))
            .collect();
        let mut deeds = Vec::with_capacity(group.len());
        for (record, row) in group {
            match known.get(&row.reference) {
                Some((number, true)) if row.closing.is_some() => {
                    deeds.extend(row.closing.map(|closing| Deed::Settle {
                        number: *number,
                        closing,
                    }));
                }
                Some(_) => self.unchanged += 1,
                None => match events(&self.here.place, &row, self.whistle.chance.draw()) {
                    Ok(events) => deeds.push(Deed::Add {
                        reference: row.reference,
                        events,
                    }),
                    Err(why) => self.reject(&record, &why)?,
                },
            }
        }
        if deeds.is_empty() {
            return Ok(());
        }
        behind.send(deeds)
    }
}

/// The events of a row, by the rules of the domain. `drawn` is an even number from 0 to 1.
fn events(place: &Place, row: &Row, drawn: f64) -> Result<Vec<Event>, Why> {
    const UNNUMBERED: CaseNumber = CaseNumber(0);
    let context = Context {
        place,
        now: row.reported_at,
        by: &Actor::System,
        // Above every share: what comes from elsewhere is drawn for no re-check here.
        chance: 1.0 + drawn,
    };
    let mut events = command::report(&row.new, UNNUMBERED, context)?;
    if let Some(closing) = &row.closing {
        let case =
            Case::fold(UNNUMBERED, &events).map_err(|error| Why::new("unreadable", error.to_string()))?;
        events.extend(settle(&case, place, closing)?);
    }
    Ok(events)
}

fn settle(case: &Case, place: &Place, closing: &Closing) -> Result<Vec<Event>, command::Refusal> {
    let context = Context {
        place,
        now: closing.at,
        by: &Actor::System,
        chance: 1.0,
    };
    let act = Act::Settle {
        outcome: closing.outcome,
    };
    command::decide(case, &act, &closing.text, context)
}

/// The writing side: one group in one transaction.
fn write(tx: &mut Tx<'_>, id: JurisdictionId, place: &Place, source: &str, deeds: &[Deed]) -> Result<Tally> {
    let mut tally = Tally::default();
    for deed in deeds {
        match deed {
            Deed::Add { reference, events } => {
                let number = stored::next_number(tx, id)?;
                // Another import of the same may run beside this one.
                if !intake::claim_imported(tx, id, source, reference, number)? {
                    tally.unchanged += 1;
                    continue;
                }
                Prepared::new(id, number, None, events.clone(), &place.calendar)?.write(tx, Tell::Nobody)?;
                tally.added += 1;
            }
            Deed::Settle { number, closing } => {
                let before = stored::find_to_change(tx, id, *number)?
                    .filter(|s| s.case.state.is_open() && s.case.flags.reopened == 0);
                let Some(before) = before else {
                    tally.unchanged += 1;
                    continue;
                };
                let events = settle(&before.case, place, closing)?;
                stored::commit(tx, id, before, events, &place.calendar, Tell::Nobody)?;
                tally.settled += 1;
            }
        }
    }
    Ok(tally)
}

/// The references of this run, as hashes.
#[derive(Default)]
struct Seen {
    hashes: HashSet<u64>,
    hasher: BuildHasherDefault<DefaultHasher>,
}

impl Seen {
    fn is_new(&mut self, reference: &str) -> bool {
        let hash = self.hasher.hash_one(reference);
        if self.hashes.len() < REMEMBERED {
            self.hashes.insert(hash)
        } else {
            !self.hashes.contains(&hash)
        }
    }
}
