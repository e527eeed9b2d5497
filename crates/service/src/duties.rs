//! Duties: what must be done by itself while the service runs. Of several processes one looks after a duty (`lease`); each
//! of its transactions begins with `hold`, so that it changes nothing once another has taken over. Each is safe to be
//! stopped at any point.

use std::{collections::HashMap, sync::PoisonError, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use whistle_domain::{
    case::Actor,
    command::Act,
    words::{CaseNumber, JurisdictionId},
};
use whistle_store::{
    Tx, account,
    admin::{self, Deed, Doer},
    case as stored, change as changed, handover, intake, lease, photo, place, round, sign_in,
};

use crate::{
    Whistle,
    account::TRIES_WINDOW,
    case::{KEPT_HOURS, change},
    error::{Error, Result},
    facts::COMMITS_KEPT,
    handover::NOTES_KEPT,
    lease::InCharge,
    media::UNUSED_KEPT,
    place::{DRAFTS_KEPT, Here},
    privacy::{self, Whose},
    provider::STEP_LASTS,
};

/// How often the duties are looked after, and whether steps of clocks are due.
pub const EVERY: Duration = Duration::from_secs(1);

/// How often it is looked whether a place was applied: with the time to read and compile it, it is in force within 2 s.
pub const LOOK_AT_PLACES_EVERY: Duration = Duration::from_millis(500);

/// How long an idempotency key is remembered: as long as what was kept without a network is taken.
pub(crate) const ANSWERS_KEPT: SignedDuration = SignedDuration::from_hours(KEPT_HOURS);

/// How often what is kept long enough is erased and forgotten.
const TIDY_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// How often all closed cases are gone through for texts that were kept for long enough, which is told in days.
const TEXTS_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// Cases that are looked at in one go for what is to be erased: a query is over in a moment, however many there are.
const LOOKED_AT: usize = 2_000;

/// How long one look may take; the other duties have their turn then, and it goes on with the next.
const LOOK: Duration = Duration::from_secs(2);

/// Cases of one round: few enough that reports are not kept waiting.
const ROUND: usize = 100;

/// Cases whose texts are erased in one go: each is folded anew, while reports wait.
const TEXTS_AT_ONCE: usize = 10;

/// Rows that are forgotten in one go.
pub(crate) const FORGOTTEN_AT_ONCE: usize = 1_000;

/// What is looked after by one process at a time, for each jurisdiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Duty {
    /// Takes the steps of clocks that are due. Is done, in the words of its lease, with what changed when a place was
    /// applied: `done_at` is when the version was applied for which all clocks have been computed.
    Escalation,
    /// Lets parked cases run on.
    Parking,
    /// Erases and forgets what was kept for long enough.
    Retention,
    /// Tells who must be told. Sending takes its time, so the courier does it, on a thread of its own.
    Notices,
    /// Cuts cases into the words by which they are found. It goes on for longer where there is much to do, so a thread of its
    /// own does it.
    Search,
    /// Makes the files of open data, on a thread of its own.
    OpenData,
}

impl Duty {
    pub(crate) const ALL: [Self; 6] = [
        Self::Escalation,
        Self::Parking,
        Self::Retention,
        Self::Notices,
        Self::Search,
        Self::OpenData,
    ];

    /// Its name in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Escalation => "escalation",
            Self::Parking => "parking",
            Self::Retention => "retention",
            Self::Notices => "notices",
            Self::Search => "search",
            Self::OpenData => "open_data",
        }
    }
}

/// What the duties did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Steps of clocks that were taken.
    pub escalated: u64,
    /// Cases that need no longer wait.
    pub woken: u64,
    /// Cases whose clocks were computed anew after a place was applied.
    pub reckoned: u64,
    /// Reports whose contact data was erased.
    pub erased: u64,
    /// Cases of which what reporters wrote was erased.
    pub texts_erased: u64,
    /// Answers to retries, and deliveries that are over, that were forgotten.
    pub forgotten: u64,
    /// Photos removed that no case named.
    pub removed: u64,
}

/// What the retention would erase and remove.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RetentionDue {
    /// Reports whose contact data was kept for long enough.
    pub contacts: AmountDue,
    /// Texts of reporters that were.
    pub texts: AmountDue,
    /// Photos that no case names.
    pub photos: AmountDue,
}

/// How much, and how old.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct AmountDue {
    /// How many.
    pub n: u64,
    /// When the oldest's case was closed; when the oldest photo was sent.
    pub oldest: Option<Timestamp>,
}

impl From<intake::Due> for AmountDue {
    fn from(due: intake::Due) -> Self {
        let intake::Due { n, oldest } = due;
        Self { n, oldest }
    }
}

/// How far the retention of the hour has come in each place. Lost with the process, which begins it anew then.
pub(crate) type Tidying = HashMap<JurisdictionId, Tidied>;

/// How far it has come in one place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tidied {
    /// Under which token; another one has no part in it.
    token: i64,
    contacts: Pass,
    texts: Pass,
    /// When the texts of all cases were last gone through.
    texts_at: Option<Timestamp>,
}

/// A walk through cases by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    After(CaseNumber),
    Over,
}

impl Pass {
    const BEGIN: Self = Self::After(CaseNumber(0));
}

impl Tidied {
    const fn begin(token: i64) -> Self {
        Self {
            token,
            contacts: Pass::BEGIN,
            texts: Pass::BEGIN,
            texts_at: None,
        }
    }
}

/// Before when a case was closed, or a photo sent, of which something is kept no longer.
struct Ends {
    contacts: Timestamp,
    texts: Option<Timestamp>,
    photos: Timestamp,
}

impl Ends {
    fn of(here: &Here, now: Timestamp) -> Self {
        let settings = &here.place.jurisdiction.settings;
        let days_ago = |days: u32| now - SignedDuration::from_hours(24 * i64::from(days));
        Self {
            contacts: days_ago(settings.retention_days),
            texts: settings.text_retention_days.map(days_ago),
            photos: now - UNUSED_KEPT,
        }
    }
}

impl Whistle {
    /// Looks once after the duties that this process has.
    pub fn do_duties(&self) -> Result<Done> {
        self.beating(|| self.do_round())
    }

    fn do_round(&self) -> Result<Done> {
        self.reload_places()?;
        self.store.keep_up()?;
        let places = self.places();
        let mut done = Done::default();
        // What fails in one place, or of one duty, keeps nobody else waiting; the first fault is answered at the end.
        let mut outcome = Ok(());
        for charge in self.hold_leases()? {
            let Some(here) = places
                .all()
                .iter()
                .find(|here| here.id == charge.held.jurisdiction)
            else {
                continue;
            };
            self.goes_on();
            match self.look_after(&charge, here, &mut done) {
                Err(Error::Store(whistle_store::Error::Fenced { name })) => {
                    tracing::info!(
                        jurisdiction = here.id.0,
                        duty = name,
                        "another process has taken a duty over"
                    );
                }
                failed => outcome = outcome.and(failed),
            }
        }
        outcome.map(|()| done)
    }

    fn look_after(&self, charge: &InCharge, here: &Here, done: &mut Done) -> Result<()> {
        match charge.duty {
            Duty::Escalation => {
                let climbed = self.climb(charge, here)?;
                done.escalated += climbed.steps;
                done.reckoned += climbed.reckoned;
            }
            Duty::Parking => done.woken += self.wake_parked(charge, here)?,
            Duty::Retention => {
                let now = self.clock.now();
                if is_over(TIDY_EVERY, charge.done_at, now) {
                    let mut retained = Done::default();
                    let outcome = self.erase_some(charge, here, &mut retained);
                    let is_all = *outcome.as_ref().unwrap_or(&false);
                    let removed = if is_all {
                        self.remove_unused_photos(charge, here)
                    } else {
                        Ok(0)
                    };
                    retained.removed = *removed.as_ref().unwrap_or(&0);
                    self.note_retained(charge, here, &Doer::System, &retained)?;
                    done.erased += retained.erased;
                    done.texts_erased += retained.texts_erased;
                    done.removed += retained.removed;
                    if outcome? {
                        done.forgotten += self.forget(charge, here, now)?;
                    }
                    removed?;
                }
            }
            Duty::Notices => {
                let now = self.clock.now();
                if is_over(TIDY_EVERY, charge.done_at, now) {
                    done.forgotten += self.forget_deliveries(charge, here, now)?;
                }
            }
            Duty::Search => {}
            Duty::OpenData => self.open_by_night(charge, here),
        }
        Ok(())
    }

    /// Lets cases run on whose parking is over. One that cannot run on is logged and left.
    fn wake_parked(&self, charge: &InCharge, here: &Here) -> Result<u64> {
        let (id, now) = (here.id, self.clock.now());
        let today = here.place.calendar.zone().to_datetime(now).date();
        let parked = self
            .store
            .read_blocking(|conn| stored::parked_until(conn, id, today, ROUND))?;
        let mut woken = 0;
        for number in parked {
            let (place, held) = (here.place.clone(), charge.held);
            let result = self.store.write_blocking(move |tx| -> Result<bool> {
                lease::hold(tx, &held)?;
                let Some(before) = stored::find_to_change(tx, id, number)? else {
                    return Ok(false);
                };
                if before.case.flags.parked_until.is_none_or(|until| until > today) {
                    return Ok(false);
                }
                change(
                    tx,
                    id,
                    &place,
                    before,
                    None,
                    &Act::Resume,
                    "",
                    &Actor::System,
                    now,
                    1.0,
                )?;
                Ok(true)
            });
            match result {
                Ok(done) => woken += u64::from(done),
                Err(Error::Refused(refusal)) => {
                    tracing::error!(case = number.0, %refusal, "a parked case cannot be resumed");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(woken)
    }

    /// What the retention would erase and remove now. Reads all that is kept.
    pub fn retention_due(&self, here: &Here) -> Result<RetentionDue> {
        let (id, ends) = (here.id, Ends::of(here, self.clock.now()));
        self.store.examine(|conn| {
            Ok(RetentionDue {
                contacts: intake::contacts_due(conn, id, ends.contacts)?.into(),
                texts: match ends.texts {
                    Some(before) => intake::texts_due(conn, id, before)?.into(),
                    None => AmountDue::default(),
                },
                photos: photo::unused(conn, id, ends.photos)?.into(),
            })
        })
    }

    /// Does the retention now, also beside a process that has the duty; that one has it again afterwards.
    pub fn retain_now(&self, here: &Here) -> Result<Done> {
        let charge = self.seize(here, Duty::Retention)?;
        let mut done = Done::default();
        let (mut contacts, mut texts) = (Pass::BEGIN, Pass::BEGIN);
        let mut run = || -> Result<()> {
            while contacts != Pass::Over {
                self.goes_on();
                done.erased += self.erase_contacts(&charge, here, &mut contacts)?;
            }
            while texts != Pass::Over {
                self.goes_on();
                done.texts_erased += self.erase_texts(&charge, here, &mut texts)?;
            }
            self.goes_on();
            done.removed = self.remove_unused_photos(&charge, here)?;
            Ok(())
        };
        let outcome = self.beating_for(&[charge], &mut run);
        let noted = self.note_retained(&charge, here, &Doer::Operator, &done);
        self.give_back(&charge)?;
        outcome.and(noted).map(|()| done)
    }

    /// Writes down what the retention did, if it did anything: once for all of one look, of which some cases at a time are erased
    /// in a transaction of their own.
    fn note_retained(&self, charge: &InCharge, here: &Here, by: &Doer, done: &Done) -> Result<()> {
        let Done {
            erased,
            texts_erased,
            removed,
            ..
        } = *done;
        if erased + texts_erased + removed == 0 && *by == Doer::System {
            return Ok(());
        }
        let detail = format!("contacts={erased} texts={texts_erased} photos={removed}");
        let (id, held, now, by) = (here.id, charge.held, self.clock.now(), by.clone());
        self.store.write_blocking(move |tx| -> Result<()> {
            lease::hold(tx, &held)?;
            Ok(admin::note(tx, id, &by, Deed::RetentionDone, "", &detail, now)?)
        })
    }

    /// Erases some more of what was kept for long enough. Answers whether that is all of it for this hour.
    fn erase_some(&self, charge: &InCharge, here: &Here, done: &mut Done) -> Result<bool> {
        let token = charge.held.token;
        let mut tidying = self.tidying.lock().unwrap_or_else(PoisonError::into_inner);
        let tidied = tidying.entry(here.id).or_insert(Tidied::begin(token));
        if tidied.token != token {
            *tidied = Tidied::begin(token);
        }
        let now = self.clock.now();
        if !is_over(TEXTS_EVERY, tidied.texts_at, now) {
            tidied.texts = Pass::Over;
        }
        let began = self.clock.running();
        loop {
            if tidied.contacts != Pass::Over {
                done.erased += self.erase_contacts(charge, here, &mut tidied.contacts)?;
            } else if tidied.texts != Pass::Over {
                done.texts_erased += self.erase_texts(charge, here, &mut tidied.texts)?;
                if tidied.texts == Pass::Over {
                    tidied.texts_at = Some(now);
                }
            } else {
                let texts_at = tidied.texts_at;
                *tidied = Tidied {
                    texts_at,
                    ..Tidied::begin(token)
                };
                return Ok(true);
            }
            if self.clock.running().saturating_sub(began) >= LOOK {
                return Ok(false);
            }
        }
    }

    /// Erases what reporters wrote in cases that are closed for long enough, where the place says so: of some more cases.
    fn erase_texts(&self, charge: &InCharge, here: &Here, pass: &mut Pass) -> Result<u64> {
        let now = self.clock.now();
        let (Pass::After(after), Some(before)) = (*pass, Ends::of(here, now).texts) else {
            *pass = Pass::Over;
            return Ok(0);
        };
        let (id, held, mut erased) = (here.id, charge.held, 0);
        let found = self
            .store
            .read_blocking(|conn| intake::texts_to_erase(conn, id, before, after, LOOKED_AT))?;
        for few in found.cases.chunks(TEXTS_AT_ONCE) {
            let (few, place) = (few.to_vec(), here.place.clone());
            erased += self.store.write_blocking(move |tx| -> Result<u64> {
                lease::hold(tx, &held)?;
                let mut erased = 0;
                for &number in &few {
                    let whose = Whose::AllSince(before);
                    erased += u64::from(privacy::erase(tx, id, &place, number, whose, now)?);
                }
                Ok(erased)
            })?;
        }
        *pass = found.last.map_or(Pass::Over, Pass::After);
        Ok(erased)
    }

    /// Erases contact data that was kept long enough after closing, of some more cases, in rounds that keep nobody waiting.
    fn erase_contacts(&self, charge: &InCharge, here: &Here, pass: &mut Pass) -> Result<u64> {
        let Pass::After(after) = *pass else {
            return Ok(0);
        };
        let (id, held, before) = (here.id, charge.held, Ends::of(here, self.clock.now()).contacts);
        let found = self
            .store
            .read_blocking(|conn| intake::contacts_to_erase(conn, id, before, after, LOOKED_AT))?;
        let mut erased = 0;
        for few in found.cases.chunks(ROUND) {
            let few = few.to_vec();
            erased += self.store.write_blocking(move |tx| -> Result<u64> {
                lease::hold(tx, &held)?;
                let mut erased = 0;
                for &over in &few {
                    erased += intake::erase_contacts(tx, id, over, before)?;
                }
                Ok(erased)
            })?;
        }
        *pass = found.last.map_or(Pass::Over, Pass::After);
        Ok(erased)
    }

    /// Forgets answers, tries, sessions, looks at stops and notes to the next holder of a post that are old, in rounds that keep nobody waiting, and notes that the duties of the
    /// hour are done. Answers how many answers it were.
    fn forget(&self, charge: &InCharge, here: &Here, now: Timestamp) -> Result<u64> {
        let id = here.id;
        let in_rounds = |round: fn(&mut Tx<'_>, JurisdictionId, Timestamp, usize) -> _, before: Timestamp| {
            let (mut forgotten, held) = (0, charge.held);
            loop {
                let gone = self.store.write_blocking(move |tx| -> Result<u64> {
                    lease::hold(tx, &held)?;
                    Ok(round(tx, id, before, FORGOTTEN_AT_ONCE)?)
                })?;
                forgotten += gone;
                if gone < FORGOTTEN_AT_ONCE as u64 {
                    return Ok::<u64, Error>(forgotten);
                }
            }
        };
        in_rounds(account::forget_old_tries, now - TRIES_WINDOW)?;
        in_rounds(account::forget_old_sessions, now)?;
        let settings = &here.place.jurisdiction.settings;
        let days_ago = |days: u32| now - SignedDuration::from_hours(24 * i64::from(days));
        in_rounds(admin::forget, days_ago(settings.audit_retention_days))?;
        in_rounds(round::forget, days_ago(settings.look_retention_days))?;
        in_rounds(place::forget_drafts, now - DRAFTS_KEPT)?;
        in_rounds(handover::forget_old, now - NOTES_KEPT)?;
        in_rounds(sign_in::forget_old_steps, now - STEP_LASTS)?;
        in_rounds(changed::forget, now - COMMITS_KEPT)?;
        let forgotten = in_rounds(intake::forget_answers, now - ANSWERS_KEPT)?;
        let held = charge.held;
        self.store
            .write_blocking(move |tx| lease::finish(tx, &held, now))?;
        Ok(forgotten)
    }
}

/// Whether something that is done so often is due. What was done in the future was done by a clock that has been put right
/// since.
fn is_over(every: SignedDuration, done_at: Option<Timestamp>, now: Timestamp) -> bool {
    done_at.is_none_or(|at| at > now || now.duration_since(at) >= every)
}
