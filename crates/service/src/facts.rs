//! The facts of all jurisdictions, in memory: made of the log once, then kept in step with it.
//!
//! Every process has its own. One thread of it follows what commits (`store/change.rs`): after its own commits at once, after those
//! of others twice a second. It reads the cases that changed, folds their logs and puts what they come to in the place of
//! what they came to before, so that reading something twice does no harm. What was kept is written to a file now and then and
//! when the process ends, so that a start need not read the whole log. Whatever is wrong with that file, the log is read anew.

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, File},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::{self, BufWriter},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use tokio::sync::watch;
use whistle_domain::words::{CaseNumber, JurisdictionId};
use whistle_figures::facts::{Fact, Facts, FoldError, LogPlace, Stations, fold, place_version};
use whistle_store::{
    Conn, audit,
    change::{self, Head, Log},
};

use crate::{
    Whistle,
    error::{Error, Result},
    keep,
    place::Here,
};

/// How often it is looked whether something was committed here: what commits meanwhile is read together.
pub const EVERY: Duration = Duration::from_millis(100);

/// How often it is looked what other processes committed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often a file is written while cases change: what changed since is then read again in a moment.
const SAVE_EVERY: Duration = Duration::from_hours(1);

/// How often some cases are compared with their logs.
const CHECK_EVERY: Duration = Duration::from_mins(1);

/// Cases that are compared at a time: one in a thousand a day of those that a city has, and nothing that anybody notices.
const CHECKED: usize = 20;

/// How often a case is looked at that changes while it is compared.
const LOOKS: usize = 5;

/// Commits that are read at a time, of one writer.
const COMMITS: usize = 500;

/// Cases of which the logs are read at a time.
const CASES: i64 = 500;

/// Threads that read and fold the whole log: each takes a core, and requests need the others.
const FOLDERS: usize = 4;

/// When who asks for facts that are not there yet should come again.
const COME_AGAIN: Duration = Duration::from_secs(5);

/// A page that is made of facts says how old they are beyond this.
pub const SHOWN_BEYOND: Duration = Duration::from_secs(2);

/// How long commits are remembered, and so how old a file may be from which a process goes on.
pub(crate) const COMMITS_KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// Where the files are, in the data directory.
pub(crate) const FOLDER: &str = "facts";

/// All that this process keeps.
#[derive(Default)]
pub(crate) struct Keeping {
    places: Mutex<HashMap<JurisdictionId, Arc<Kept>>>,
    /// Held by who follows.
    turn: Mutex<Turn>,
    stations: Mutex<HashMap<(JurisdictionId, u32), Arc<Stations>>>,
    /// Set when the process ends: what takes minutes is left then.
    is_ending: AtomicBool,
}

/// The facts of one jurisdiction.
#[derive(Default)]
struct Kept {
    state: RwLock<State>,
    /// When they were last known to have everything, in microseconds of the time that the process runs.
    whole_at: AtomicU64,
    /// Cases that were found to be kept otherwise than their logs say.
    differences: AtomicU64,
}

#[derive(Default)]
struct State {
    /// Copied when it changes while somebody holds an older state, as a briefing does for as long as it is written.
    facts: Arc<Facts>,
    /// How far the log was read.
    read: LogPlace,
    /// Whether they are all there.
    is_ready: bool,
    /// How far it was read for what is in the file.
    filed: Option<LogPlace>,
}

/// What who follows remembers between two looks.
#[derive(Default)]
struct Turn {
    committed: Option<watch::Receiver<()>>,
    looked_at: Option<Duration>,
    checked_at: Duration,
    saved_at: Duration,
}

/// What is kept, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FactsLoad {
    /// Cases.
    pub rows: u64,
    /// Bytes in memory.
    pub bytes: u64,
    /// How old the oldest of them may be; none while some are not there yet.
    pub lag: Option<Duration>,
    /// Cases that were found to be kept otherwise than their logs say, and put right, since the process began.
    pub differences: u64,
}

/// Whether a place of the log can be gone on from.
#[derive(PartialEq, Eq)]
enum Followed {
    ToTheEnd,
    /// What comes next is forgotten, or never was: it is a place of another log.
    Lost,
}

/// What commits changed after a place of the log.
#[derive(Default)]
struct Ahead {
    numbers: BTreeSet<CaseNumber>,
    read: LogPlace,
    /// Whether there may be more.
    is_more: bool,
}

impl Keeping {
    fn of(&self, id: JurisdictionId) -> Arc<Kept> {
        lock(&self.places).entry(id).or_default().clone()
    }
}

impl Kept {
    fn read<T>(&self, f: impl FnOnce(&State) -> T) -> T {
        f(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Whistle {
    /// Looks at the facts of a jurisdiction as they are now. What is put meanwhile waits, so `f` is over in some hundred
    /// milliseconds; and where it takes more than one, it is not run by a thread that answers requests.
    ///
    /// Fails with [`Error::Busy`] while they are not there yet.
    pub fn with_facts<T>(&self, here: &Here, f: impl FnOnce(&Facts) -> T) -> Result<T> {
        self.keeping.of(here.id).read(|state| {
            if state.is_ready {
                Ok(f(&state.facts))
            } else {
                Err(Error::Busy(COME_AGAIN))
            }
        })
    }

    /// The facts of this moment, to be asked several things that must agree. Whoever holds them long makes the next change copy them:
    /// one at a time.
    pub(crate) fn facts_now(&self, here: &Here) -> Result<Arc<Facts>> {
        self.keeping.of(here.id).read(|state| {
            if state.is_ready {
                Ok(state.facts.clone())
            } else {
                Err(Error::Busy(COME_AGAIN))
            }
        })
    }

    /// How much older than now the facts of a jurisdiction may be; to be shown beyond [`SHOWN_BEYOND`]. None while they are not there.
    pub fn facts_lag(&self, here: &Here) -> Option<Duration> {
        let kept = self.keeping.of(here.id);
        let is_ready = kept.read(|state| state.is_ready);
        let whole_at = Duration::from_micros(kept.whole_at.load(Ordering::Relaxed));
        is_ready.then(|| self.clock.running().saturating_sub(whole_at))
    }

    /// By what the facts of a jurisdiction are known again: how far the log was read for them, which is the same in whichever
    /// process. Fails with [`Error::Busy`] while they are not there yet.
    pub(crate) fn facts_mark(&self, here: &Here) -> Result<u64> {
        self.keeping.of(here.id).read(|state| {
            if !state.is_ready {
                return Err(Error::Busy(COME_AGAIN));
            }
            let mut hash = DefaultHasher::new();
            state.read.hash(&mut hash);
            Ok(hash.finish())
        })
    }

    /// What is kept; for metrics.
    pub fn facts_load(&self) -> FactsLoad {
        let places = self.places();
        let lags: Option<Vec<Duration>> = places.all().iter().map(|here| self.facts_lag(here)).collect();
        let mut load = FactsLoad {
            lag: lags.map(|lags| lags.into_iter().max().unwrap_or_default()),
            ..FactsLoad::default()
        };
        for here in places.all() {
            let kept = self.keeping.of(here.id);
            load.differences += kept.differences.load(Ordering::Relaxed);
            let (rows, bytes) = kept.read(|state| (state.facts.len(), state.facts.bytes()));
            load.rows += rows as u64;
            load.bytes += bytes as u64;
        }
        load
    }

    /// Looks after the facts; to be called every [`EVERY`]. The first time, it makes them, which takes as long as the log is.
    pub fn look_after_facts(&self) -> Result<()> {
        let mut turn = lock(&self.keeping.turn);
        let now = self.clock.running();
        let committed = turn.committed.get_or_insert_with(|| self.store.committed());
        let is_news = committed.has_changed().unwrap_or(true);
        committed.mark_unchanged();
        if !is_news && turn.looked_at.is_some_and(|at| now < at + LOOK_EVERY) {
            return Ok(());
        }
        turn.looked_at = Some(now);
        let made = self.follow()?;
        if made || now >= turn.saved_at + SAVE_EVERY {
            turn.saved_at = now;
            self.save();
        }
        if now >= turn.checked_at + CHECK_EVERY {
            turn.checked_at = now;
            let places = self.places();
            let drawn = (self.chance.draw() * places.all().len() as f64) as usize;
            if let Some(here) = places.all().get(drawn) {
                self.check_some(here)?;
            }
        }
        Ok(())
    }

    /// Takes over now what was committed until now, and makes the facts where there are none; then the next process finds them in
    /// their file.
    pub fn follow_facts(&self) -> Result<()> {
        let _turn = lock(&self.keeping.turn);
        if self.follow()? {
            self.save();
        }
        Ok(())
    }

    /// Compares some cases with their logs, drawn by lot. Answers how many were kept otherwise; those are put right.
    pub fn check_facts(&self, here: &Here) -> Result<u64> {
        let _turn = lock(&self.keeping.turn);
        self.check_some(here)
    }

    /// Follows no more, and writes down what is kept. What cannot be written is logged: a file is worth some minutes of a start,
    /// no more.
    pub(crate) fn end_facts(&self) {
        self.keeping.is_ending.store(true, Ordering::Relaxed);
        let _turn = lock(&self.keeping.turn);
        self.save();
    }

    fn ensure_going(&self) -> Result<()> {
        if self.keeping.is_ending.load(Ordering::Relaxed) {
            return Err(Error::Store(whistle_store::Error::Closed));
        }
        Ok(())
    }

    /// Answers whether facts were made of the whole log.
    fn follow(&self) -> Result<bool> {
        let (now, mut made) = (self.clock.running(), false);
        let heads = self.store.read_blocking(change::heads)?;
        for here in self.places().all() {
            let kept = self.keeping.of(here.id);
            if !kept.read(|state| state.is_ready) {
                made |= self.begin(here, &kept, &heads)?;
            }
            if self.catch_up(here, &kept, &heads)? == Followed::Lost {
                tracing::warn!(
                    jurisdiction = here.id.0,
                    "what changed since the facts were last kept in step is forgotten; they are made anew"
                );
                self.make(here, &kept, &heads)?;
                made = true;
            }
            kept.whole_at.store(now.as_micros() as u64, Ordering::Relaxed);
            kept.write(|state| state.is_ready = true);
        }
        Ok(made)
    }

    /// Takes the facts from the file, else from the log. Answers whether it was the log.
    fn begin(&self, here: &Here, kept: &Kept, heads: &[Head]) -> Result<bool> {
        let began = self.clock.running();
        let path = self.facts_file(here.id);
        let loaded = match Facts::load(&path, &self.facts_name(here.id)?) {
            Ok(loaded) => Some(loaded),
            Err(error) => {
                tracing::info!(jurisdiction = here.id.0, file = %path.display(), %error, "no facts in a file");
                None
            }
        };
        if let Some((facts, read)) = loaded {
            if is_of(here.id, &read, heads) {
                let took = self.clock.running().checked_sub(began).unwrap().as_secs_f64();
                tracing::info!(
                    jurisdiction = here.id.0,
                    cases = facts.len(),
                    took,
                    "facts read from their file"
                );
                kept.write(|state| {
                    state.facts = Arc::new(facts);
                    state.filed = Some(read.clone());
                    state.read = read;
                });
                return Ok(false);
            }
            tracing::info!(jurisdiction = here.id.0, file = %path.display(), "the facts in the file are of another log");
        }
        self.make(here, kept, heads)?;
        Ok(true)
    }

    /// Makes the facts of the whole log: some threads read and fold a piece after the other, so that memory holds few logs at a time.
    fn make(&self, here: &Here, kept: &Kept, heads: &[Head]) -> Result<()> {
        let (began, id) = (self.clock.running(), here.id);
        // From before the log is read: what comes after is read once more, which does no harm.
        let own = heads.iter().filter(|head| head.jurisdiction == id);
        let read: LogPlace = own.map(|head| (head.writer.clone(), head.seq)).collect();
        let highest = self.store.read_blocking(|conn| change::highest(conn, id))?.0;
        let mut facts = Facts::new();
        facts.reserve(usize::try_from(highest).unwrap_or_default().min(MOST_RESERVED));
        let (next, cores) = (
            AtomicI64::new(0),
            thread::available_parallelism().map_or(1, usize::from),
        );
        thread::scope(|scope| {
            let (send, receive) = sync_channel(2 * FOLDERS);
            for _ in 0..(cores / 2).clamp(1, FOLDERS) {
                let (send, next) = (send.clone(), &next);
                scope.spawn(move || self.fold_pieces(here, next, highest, &send));
            }
            drop(send);
            receive.into_iter().try_for_each(|piece: Result<Vec<Fact>>| {
                piece?.iter().for_each(|fact| facts.put(fact));
                Ok::<(), Error>(())
            })
        })?;
        let took = self.clock.running().checked_sub(began).unwrap().as_secs_f64();
        tracing::info!(
            jurisdiction = id.0,
            cases = facts.len(),
            took,
            "facts made of the log"
        );
        kept.write(|state| {
            state.facts = Arc::new(facts);
            state.read = read;
        });
        Ok(())
    }

    /// Folds one piece of the log after the other until none is left, or nobody wants them.
    fn fold_pieces(&self, here: &Here, next: &AtomicI64, highest: i64, to: &SyncSender<Result<Vec<Fact>>>) {
        loop {
            let after = next.fetch_add(CASES, Ordering::Relaxed);
            if after >= highest {
                return;
            }
            let (id, upto) = (here.id, CaseNumber(after + CASES));
            let piece = loop {
                if let Err(error) = self.ensure_going() {
                    break Err(error);
                }
                let logs = self
                    .store
                    .read_blocking(|conn| change::logs_between(conn, id, CaseNumber(after), upto));
                match logs {
                    Err(whistle_store::Error::Busy { retry_after, .. }) => thread::sleep(retry_after),
                    logs => break logs.map_err(Error::from).map(|logs| self.folded(here, &logs)),
                }
            };
            if to.send(piece).is_err() {
                return;
            }
        }
    }

    fn folded(&self, here: &Here, logs: &[Log]) -> Vec<Fact> {
        let folded = logs
            .iter()
            .filter_map(|(number, log)| match self.fact(here, *number, log) {
                Ok(fact) => Some(fact),
                Err(error) => {
                    tracing::error!(case = number.0, %error, "a case is in no figure");
                    None
                }
            });
        folded.collect()
    }

    fn fact(
        &self,
        here: &Here,
        number: CaseNumber,
        log: &[whistle_domain::case::Event],
    ) -> Result<Fact, FoldError> {
        let version = place_version(log).unwrap_or(here.place.version);
        fold(number, log, &self.stations_of(here, version))
    }

    /// The stations of a version of a place. One that this program cannot read any more had those of today.
    fn stations_of(&self, here: &Here, version: u32) -> Arc<Stations> {
        let key = (here.id, version);
        if let Some(stations) = lock(&self.keeping.stations).get(&key) {
            return stations.clone();
        }
        let stations = if version == here.place.version {
            Stations::of(&here.place)
        } else {
            match self.place_of_version(here.id, version) {
                Ok(place) => Stations::of(&place),
                Err(error) => {
                    tracing::warn!(jurisdiction = here.id.0, version, %error, "stations of today stand in for those of then");
                    Stations::of(&here.place)
                }
            }
        };
        let stations = Arc::new(stations);
        lock(&self.keeping.stations).insert(key, stations.clone());
        stations
    }

    /// Reads what changed since, up to the heads at least.
    fn catch_up(&self, here: &Here, kept: &Kept, heads: &[Head]) -> Result<Followed> {
        let id = here.id;
        loop {
            self.ensure_going()?;
            let read = kept.read(|state| state.read.clone());
            let Some(ahead) = self.store.read_blocking(|conn| ahead(conn, id, &read, heads))? else {
                return Ok(Followed::Lost);
            };
            if ahead.read.is_empty() {
                return Ok(Followed::ToTheEnd);
            }
            let numbers: Vec<CaseNumber> = ahead.numbers.into_iter().collect();
            for few in numbers.chunks(CASES as usize) {
                let logs = self.store.read_blocking(|conn| change::logs_of(conn, id, few))?;
                let folded = self.folded(here, &logs);
                kept.write(|state| {
                    let facts = Arc::make_mut(&mut state.facts);
                    for fact in &folded {
                        facts.put(fact);
                    }
                });
            }
            kept.write(|state| state.read.extend(ahead.read));
            if !ahead.is_more {
                return Ok(Followed::ToTheEnd);
            }
        }
    }

    fn check_some(&self, here: &Here) -> Result<u64> {
        let (id, kept) = (here.id, self.keeping.of(here.id));
        if !kept.read(|state| state.is_ready) {
            return Ok(0);
        }
        let highest = self.store.read_blocking(|conn| change::highest(conn, id))?.0;
        let drawn = (0..CHECKED).map(|_| CaseNumber(1 + (self.chance.draw() * highest as f64) as i64));
        // Each once, however often it was drawn.
        let drawn: BTreeSet<CaseNumber> = drawn.collect();
        let mut numbers: Vec<CaseNumber> = drawn.into_iter().collect();
        let mut differing = Vec::new();
        for _ in 0..LOOKS {
            // Read first and followed then, so that what is kept is no older than what was read; where it is newer, look again.
            let logs = self
                .store
                .read_blocking(|conn| change::logs_of(conn, id, &numbers))?;
            let heads = self.store.read_blocking(change::heads)?;
            if self.catch_up(here, &kept, &heads)? == Followed::Lost {
                return Ok(0);
            }
            let read: HashMap<u32, Fact> = self
                .folded(here, &logs)
                .into_iter()
                .map(|fact| (fact.row.number, fact))
                .collect();
            differing = kept.read(|state| {
                let differs = |number: &&CaseNumber| {
                    let Ok(number) = u32::try_from(number.0) else {
                        return false;
                    };
                    state.facts.get(number).as_ref() != read.get(&number)
                };
                numbers.iter().filter(differs).copied().collect()
            });
            if differing.is_empty() {
                return Ok(0);
            }
            numbers.clone_from(&differing);
        }
        let logs = self
            .store
            .read_blocking(|conn| change::logs_of(conn, id, &differing))?;
        for fact in self.folded(here, &logs) {
            tracing::error!(
                case = fact.row.number,
                "what was kept of a case was not what its log comes to"
            );
            kept.write(|state| Arc::make_mut(&mut state.facts).put(&fact));
        }
        kept.differences
            .fetch_add(differing.len() as u64, Ordering::Relaxed);
        Ok(differing.len() as u64)
    }

    /// The name that a file of facts bears: of which database, and which jurisdiction of it.
    fn facts_name(&self, id: JurisdictionId) -> Result<String> {
        let since = self.store.read_blocking(change::since)?;
        Ok(format!("{}/{}", since.as_microsecond(), id.0))
    }

    fn facts_file(&self, id: JurisdictionId) -> PathBuf {
        self.site.dir.join(FOLDER).join(format!("{}.facts", id.0))
    }

    fn save(&self) {
        for here in self.places().all() {
            let (id, kept) = (here.id, self.keeping.of(here.id));
            if kept.read(|state| !state.is_ready || state.filed.as_ref() == Some(&state.read)) {
                continue;
            }
            let began = self.clock.running();
            match self.write_file(id, &kept) {
                Ok(bytes) => {
                    let took = self.clock.running().checked_sub(began).unwrap().as_secs_f64();
                    tracing::info!(jurisdiction = id.0, bytes, took, "facts written to their file");
                    kept.write(|state| state.filed = Some(state.read.clone()));
                }
                Err(error) => {
                    tracing::warn!(jurisdiction = id.0, %error, "facts cannot be written to their file");
                }
            }
        }
    }

    /// Writes a file beside its place and moves it there. Who reads facts meanwhile is not held up; nobody else puts any.
    fn write_file(&self, id: JurisdictionId, kept: &Kept) -> Result<u64> {
        let (path, name) = (self.facts_file(id), self.facts_name(id)?);
        let folder = self.site.dir.join(FOLDER);
        let draft = folder.join(format!("{}.facts.{}.part", id.0, std::process::id()));
        let written = kept.read(|state| -> io::Result<u64> {
            fs::create_dir_all(&folder)?;
            let mut options = File::options();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = BufWriter::new(options.open(&draft)?);
            let bytes = state.facts.save(&mut file, &name, &state.read)?;
            file.into_inner()?.sync_all()?;
            fs::rename(&draft, &path)?;
            Ok(bytes)
        });
        if written.is_err() {
            // What is half written helps nobody.
            let _ = fs::remove_file(&draft);
        }
        let bytes = written.map_err(Error::io(draft.display().to_string()))?;
        keep::sync(&folder)?;
        Ok(bytes)
    }

    /// Compares the facts in the file of a jurisdiction, if there is one that a start would use, with all logs. Answers what
    /// is otherwise; cases that changed since the file was written are left out, since a start reads those anew.
    pub(crate) fn audit_facts(&self, here: &Here, mut progress: impl FnMut(u64)) -> Result<Vec<String>> {
        let (id, path) = (here.id, self.facts_file(here.id));
        let Ok((facts, read)) = Facts::load(&path, &self.facts_name(id)?) else {
            return Ok(Vec::new());
        };
        let mut findings = Vec::new();
        let mut find = |what: String| {
            if findings.len() < audit::MAX_FINDINGS {
                findings.push(what);
            }
        };
        self.store.examine(|conn| -> Result<()> {
            let heads = change::heads(conn)?;
            if !is_of(id, &read, &heads) {
                return Ok(());
            }
            let mut changed = BTreeSet::new();
            let mut read = read;
            loop {
                let Some(ahead) = ahead(conn, id, &read, &heads)? else {
                    return Ok(());
                };
                changed.extend(ahead.numbers);
                read.extend(ahead.read);
                if !ahead.is_more {
                    break;
                }
            }
            let (highest, mut met) = (change::highest(conn, id)?.0, 0);
            for after in (0..highest).step_by(CASES as usize) {
                let upto = CaseNumber(after + CASES);
                for (number, log) in change::logs_between(conn, id, CaseNumber(after), upto)? {
                    let kept = u32::try_from(number.0).ok().and_then(|number| facts.get(number));
                    met += usize::from(kept.is_some());
                    let folded = self.fact(here, number, &log).ok();
                    if kept != folded && !changed.contains(&number) {
                        find(format!(
                            "case {number}: the facts in {} are not what its log comes to; {MENDED}",
                            path.display()
                        ));
                    }
                }
                progress(met as u64);
            }
            if met < facts.len() {
                find(format!(
                    "{} cases in {} have no log; {MENDED}",
                    facts.len() - met,
                    path.display()
                ));
            }
            Ok(())
        })?;
        Ok(findings)
    }
}

/// Cases for which room is made before any is there: ten times as many as any place has had. More find it as they come.
const MOST_RESERVED: usize = 100_000_000;

/// What is to be done about facts in a file that are not those of the log.
const MENDED: &str =
    "stop the server, remove that file and start it: facts are then made anew from the log, which is whole";

/// Whether a place of the log may be one of this log: each of its writers is known, and came as far.
fn is_of(id: JurisdictionId, read: &LogPlace, heads: &[Head]) -> bool {
    read.iter().all(|(writer, seq)| {
        let mut own = heads.iter().filter(|head| head.jurisdiction == id);
        own.any(|head| head.writer == *writer && head.seq >= *seq)
    })
}

/// What some commits after a place of the log changed; nothing where it is the end. None where a commit is missing.
fn ahead(
    conn: &Conn,
    id: JurisdictionId,
    read: &LogPlace,
    heads: &[Head],
) -> whistle_store::Result<Option<Ahead>> {
    let mut ahead = Ahead::default();
    for head in heads.iter().filter(|head| head.jurisdiction == id) {
        let seq = read.get(&head.writer).copied().unwrap_or(0);
        if head.seq <= seq {
            continue;
        }
        let commits = change::after(conn, id, &head.writer, seq, COMMITS)?;
        let mut last = seq;
        for commit in commits {
            if commit.seq != last + 1 {
                return Ok(None);
            }
            last = commit.seq;
            ahead.numbers.extend(commit.numbers);
        }
        if last == seq {
            return Ok(None);
        }
        ahead.is_more |= last < head.seq;
        ahead.read.insert(head.writer.clone(), last);
    }
    Ok(Some(ahead))
}
