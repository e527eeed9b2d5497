//! The courier: sends what is due, notes what became of it, and tries again what did not arrive.
//!
//! Each way out, the mail of a place, one of its webhooks or one push service, has at most one job at a time, with a bounded batch of its own. A
//! turn spreads the outboxes and begins jobs for the ways that have none; it waits for no answer from outside, so that a receiver
//! that is slow keeps only what is for itself.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
};
use whistle_domain::{
    mask::mask,
    words::{CaseNumber, JurisdictionId, Subject, UnitCode},
};
use whistle_notices::{
    Failed, Why,
    mail::{MAX_CONNECTIONS, Mailer, Outlet},
    told::Reader,
    webhook::Hooks,
};
use whistle_store::{
    lease::{self, Held},
    notice::{self as stored, Channel, Delivery, State, Tried},
    push,
};

use super::{letter::Made, returned::Returned, spread::Ways};
use crate::{
    Whistle,
    duties::Duty,
    error::{Error, Result},
    place::Here,
};

/// Deliveries of one way that are taken up by a job.
const BATCH: usize = 256;

/// How long a job takes up deliveries. The rest is looked for again: the place may have changed, or another process looks after
/// it now.
const LONGEST_JOB: Duration = Duration::from_secs(30);

/// Requests to one webhook or push service at once. Of mail, as many as there are connections.
const CALLS_AT_ONCE: usize = 4;

/// Tries before a delivery is given up: with the waits between them some two days.
const MAX_TRIES: u32 = 16;

/// The wait after the first failed try; twice as long after each more.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// The longest wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);

/// Failures in a row after which the rest of a way is left for later: the other side is away, and each try would wait for
/// it in vain.
const FAILURES: u32 = 3;

/// How long a way then rests.
const REST: Duration = Duration::from_secs(15);

/// How often it is counted what waits.
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// How notices leave an install.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// How mail goes; none where none does.
    pub mail: Option<Outlet>,
    /// The address under which the public reaches the install, without a slash at the end.
    pub base_url: Option<String>,
    /// Whether webhooks and push services may be on this machine or its network.
    pub private_webhooks: bool,
}

/// What was done since the last turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Deliveries made of the outbox.
    pub made: u64,
    /// Deliveries that arrived.
    pub sent: u64,
    /// Tries that failed, and are tried again.
    pub failed: u64,
    /// Deliveries that were given up.
    pub dead: u64,
    /// Deliveries that nobody wants any more.
    pub dropped: u64,
}

impl Round {
    fn add(&mut self, more: Self) {
        self.made += more.made;
        self.sent += more.sent;
        self.failed += more.failed;
        self.dead += more.dead;
        self.dropped += more.dropped;
    }
}

/// Sends notices for as long as this process looks after that duty. Has a runtime of its own, so that no request waits for it.
pub struct Courier {
    whistle: Whistle,
    outgoing: Outgoing,
    /// None only while it is dropped.
    transports: Option<Transports>,
    runtime: Runtime,
    stopped: watch::Sender<bool>,
    jobs: Mutex<Vec<(Way, JoinHandle<()>)>>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Clone)]
struct Transports {
    mailer: Option<Mailer>,
    /// Mails of all places at once: they have one server.
    at_once: Arc<Semaphore>,
    hooks: Hooks,
}

/// One way out: mail, one webhook, or one push service.
type Way = (JurisdictionId, Channel, i64);

#[derive(Default)]
struct Memory {
    /// Ways that rest, and until when, in the time that this process runs.
    resting: HashMap<Way, Duration>,
    counted: Option<Duration>,
    /// What jobs did that no turn has told of.
    done: Round,
    /// The first fault in one.
    fault: Option<Error>,
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.stop();
        self.wait();
        // Connections are closed by tasks.
        let _inside = self.runtime.enter();
        self.transports = None;
    }
}

impl Courier {
    /// Reads the settings; refuses those that cannot be right. Not to be called, nor dropped, on a thread that runs async work.
    pub fn open(whistle: Whistle, outgoing: Outgoing) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("whistle-courier")
            .enable_all()
            .build()
            .map_err(Error::io("no threads can be started"))?;
        let wrong = |what: String| Error::invalid("notices", what);
        let inside = runtime.enter();
        let mailer = outgoing
            .mail
            .as_ref()
            .map(Mailer::open)
            .transpose()
            .map_err(wrong)?;
        let hooks = Hooks::open(outgoing.private_webhooks).map_err(wrong)?;
        drop(inside);
        Ok(Self {
            whistle,
            outgoing,
            transports: Some(Transports {
                mailer,
                at_once: Arc::new(Semaphore::new(MAX_CONNECTIONS as usize)),
                hooks,
            }),
            runtime,
            stopped: watch::Sender::new(false),
            jobs: Mutex::default(),
            memory: Arc::default(),
        })
    }

    /// Breaks off what is under way, and begins no more. What was being sent goes again another time, under the same id.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Empties the outboxes and begins to send what is due, without waiting for any of it. Answers what was done since the last
    /// turn; the first fault is answered at the end, and keeps no other place waiting.
    pub fn turn(&self) -> Result<Round> {
        let mut outcome = Ok(());
        self.end_jobs(false);
        let places = self.whistle.places();
        let charges = self.whistle.leases.own(Duty::Notices);
        let charges: Vec<Held> = charges.into_iter().map(|charge| charge.held).collect();
        let mut made = 0;
        for held in &charges {
            if *self.stopped.borrow() {
                break;
            }
            let Some(here) = places.all().iter().find(|here| here.id == held.jurisdiction) else {
                continue;
            };
            match self.serve(here, *held, &mut made) {
                // Another process looks after it now.
                Err(Error::Store(whistle_store::Error::Fenced { .. })) => {}
                failed => outcome = outcome.and(failed),
            }
        }
        let counted = self.count(&charges);
        let mut round = self.done(outcome.and(counted))?;
        round.made += made;
        Ok(round)
    }

    /// A turn, and waits for what is under way.
    pub fn round(&self) -> Result<Round> {
        let begun = self.turn();
        self.wait();
        let mut round = self.done(Ok(()))?;
        round.add(begun?);
        Ok(round)
    }

    /// What jobs did since this was last asked, unless there was a fault, before or in one of them.
    fn done(&self, before: Result<()>) -> Result<Round> {
        let mut memory = self.memory();
        let (round, fault) = (std::mem::take(&mut memory.done), memory.fault.take());
        before.and(fault.map_or(Ok(()), Err)).map(|()| round)
    }

    /// Waits until no job is under way.
    fn wait(&self) {
        self.end_jobs(true);
    }

    /// Forgets jobs that are over; of the others, waits for them or lets them be.
    fn end_jobs(&self, all: bool) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let (over, under_way) = std::mem::take(&mut *jobs)
            .into_iter()
            .partition(|(_, job)| all || job.is_finished());
        *jobs = under_way;
        drop(jobs);
        let over: Vec<(Way, JoinHandle<()>)> = over;
        for (_, job) in over {
            if let Err(error) = self.runtime.block_on(job) {
                tracing::error!(%error, "sending notices panicked; they are tried again");
            }
        }
    }

    fn serve(&self, here: &Here, held: Held, made: &mut u64) -> Result<()> {
        let ways = Ways {
            mail: self.outgoing.mail.is_some(),
        };
        *made += self.whistle.spread(here, held, ways)?;
        let now = self.whistle.now();
        let engaged = self.engaged();
        let due = self.whistle.store.read_blocking(|conn| -> Result<_> {
            let mut due = Vec::new();
            let free = |way: &Way| !engaged.contains(way);
            let hooks = stored::webhooks(conn, here.id)?.into_iter().map(|hook| hook.id);
            let hooks = hooks.map(|id| (here.id, Channel::Webhook, id));
            let services = push::services(conn, here.id)?.into_iter();
            let services = services.map(|id| (here.id, Channel::Push, id));
            // 0 is mail; and what was for a webhook or a device that is gone must be dropped.
            for way in std::iter::once((here.id, Channel::Mail, 0))
                .chain(hooks)
                .chain(services)
                .filter(free)
            {
                due.push((way, stored::due(conn, here.id, way.1, way.2, now, BATCH)?));
            }
            for to in [Channel::Webhook, Channel::Push] {
                let gone = (here.id, to, 0);
                if free(&gone) {
                    due.push((gone, stored::orphans(conn, here.id, to, BATCH)?));
                }
            }
            Ok(due)
        })?;
        for (way, deliveries) in due {
            if !deliveries.is_empty() {
                let job = Arc::new(self.job(here, held, way, deliveries));
                let job = self.runtime.spawn(job.run(self.stopped.subscribe()));
                let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
                jobs.push((way, job));
            }
        }
        Ok(())
    }

    /// The ways that have a job, or rest.
    fn engaged(&self) -> HashSet<Way> {
        let running = self.whistle.clock.running();
        let mut memory = self.memory();
        memory.resting.retain(|_, until| running < *until);
        let resting: Vec<Way> = memory.resting.keys().copied().collect();
        drop(memory);
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.iter().map(|(way, _)| *way).chain(resting).collect()
    }

    fn job(&self, here: &Here, held: Held, way: Way, deliveries: Vec<Delivery>) -> Job {
        let transports = self.transports.clone();
        Job {
            whistle: self.whistle.clone(),
            here: here.clone(),
            held,
            way,
            base: self.base(here),
            transports: transports.expect("it is there until the courier is dropped"),
            until: self.whistle.clock.running() + LONGEST_JOB,
            groups: Mutex::new(grouped(deliveries)),
            failures: AtomicU32::new(0),
            memory: Arc::clone(&self.memory),
        }
    }

    /// The address under which a place is reached: the install's; where that serves several places, each at a host of its own.
    fn base(&self, here: &Here) -> Option<String> {
        let host = here.place.jurisdiction.hosts.first();
        let alone = self.whistle.places().all().len() == 1;
        match (&self.outgoing.base_url, host) {
            (Some(base), host) if alone || host.is_none() => Some(base.clone()),
            (_, Some(host)) => Some(format!("https://{host}")),
            (base, None) => base.clone(),
        }
    }

    /// Tells the metrics what waits and what was given up.
    fn count(&self, charges: &[Held]) -> Result<()> {
        let running = self.whistle.clock.running();
        let before = self.memory().counted;
        if before.is_some_and(|before| running.saturating_sub(before) < COUNT_EVERY) {
            return Ok(());
        }
        let now = self.whistle.now();
        let mut oldest = SignedDuration::ZERO;
        for (state, name) in [
            (State::Waiting, "whistle_notices_waiting"),
            (State::Dead, "whistle_notices_dead"),
        ] {
            let mut counts = Channel::ALL.map(|channel| (channel, 0));
            for held in charges {
                let standing = self
                    .whistle
                    .store
                    .read_blocking(|conn| stored::standing(conn, held.jurisdiction, state))?;
                for one in standing {
                    for (channel, n) in &mut counts {
                        *n += if *channel == one.channel { one.n } else { 0 };
                    }
                    if state == State::Waiting {
                        oldest = oldest.max(now.duration_since(one.oldest));
                    }
                }
            }
            for (channel, n) in counts {
                metrics::gauge!(name, "channel" => channel.as_str()).set(n as f64);
            }
        }
        metrics::gauge!("whistle_notices_oldest_waiting_seconds").set(oldest.as_secs_f64());
        self.memory().counted = Some(running);
        Ok(())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Deliveries to one reader that go as one.
type Letter = Vec<Delivery>;

/// What goes to one reader, one after the other.
type Group = VecDeque<Letter>;

/// Puts together what goes to one reader: all mail to a unit, or to a device as at its posts, about cases, or to a reporter about a
/// case; all calls about a case.
/// What is about a whistle goes by itself: who is called must not look for that among other notices.
fn grouped(deliveries: Vec<Delivery>) -> VecDeque<Group> {
    type Reader = (i64, Option<UnitCode>, u32, Option<CaseNumber>, Option<Subject>);
    let mut order: Vec<Reader> = Vec::new();
    let mut groups: HashMap<Reader, Letter> = HashMap::new();
    for delivery in deliveries {
        let together = delivery.unit.is_some() && matches!(delivery.subject, Subject::Case(_));
        let about = (!together).then_some(delivery.subject);
        let reader = (
            delivery.device,
            delivery.unit.clone(),
            delivery.report,
            delivery.merged,
            about,
        );
        groups
            .entry(reader.clone())
            .or_insert_with(|| {
                order.push(reader);
                Vec::new()
            })
            .push(delivery);
    }
    let in_order = order.iter().filter_map(|reader| groups.remove(reader));
    in_order.map(lettered).collect()
}

/// Makes letters of what goes to one reader. Several mails at one time are one mail; but what its reader may have got already
/// goes again as it was: under one Message-ID stands one text. Each call goes by itself.
fn lettered(mut all: Vec<Delivery>) -> Group {
    all.sort_by_key(|one| (one.subject, one.version));
    if all[0].channel == Channel::Webhook {
        return all.into_iter().map(|one| vec![one]).collect();
    }
    let (mut again, anew): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| Why::is_perhaps(&one.error));
    // Those that went together wait for the same moment.
    again.sort_by_key(|one| (one.next_at, one.subject, one.version));
    let mut letters: Group = again
        .chunk_by(|one, next| one.next_at == next.next_at)
        .map(<[Delivery]>::to_vec)
        .collect();
    letters.extend((!anew.is_empty()).then_some(anew));
    letters
}

/// What follows of a try besides how far its deliveries are.
enum After {
    Nothing,
    /// The mail server refuses an address for good, and whose it is.
    Refused(String, Reader),
    /// A push service knows a device no more.
    Gone(i64),
    /// A device was told something.
    Told(i64),
}

/// What is due of one way, worked on by several at once.
struct Job {
    whistle: Whistle,
    here: Here,
    held: Held,
    way: Way,
    base: Option<String>,
    transports: Transports,
    /// When no more is taken up, in the time that this process runs.
    until: Duration,
    groups: Mutex<VecDeque<Group>>,
    failures: AtomicU32,
    memory: Arc<Mutex<Memory>>,
}

impl Job {
    /// Sends what is due of the way, until it is done, nothing arrives any more, or the courier is stopped.
    async fn run(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let n = match self.way.1 {
            Channel::Mail => MAX_CONNECTIONS as usize,
            Channel::Webhook | Channel::Push => CALLS_AT_ONCE,
        };
        let mut workers = JoinSet::new();
        for _ in 0..n {
            workers.spawn(Arc::clone(&self).work());
        }
        let all = async {
            let mut outcome = Ok(());
            while let Some(worked) = workers.join_next().await {
                let worked = worked.unwrap_or_else(|error| {
                    tracing::error!(%error, "sending notices panicked; they are tried again");
                    Ok(())
                });
                outcome = outcome.and(worked);
            }
            outcome
        };
        let outcome = tokio::select! {
            outcome = all => outcome,
            _ = stopped.wait_for(|stopped| *stopped) => Ok(()),
        };
        let mut memory = self.memory();
        if self.failures.load(Ordering::Relaxed) >= FAILURES {
            let until = self.whistle.clock.running() + REST;
            memory.resting.insert(self.way, until);
        }
        match outcome {
            // Another process looks after it now.
            Ok(()) | Err(Error::Store(whistle_store::Error::Fenced { .. })) => {}
            Err(fault) => {
                memory.fault.get_or_insert(fault);
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_go_on(&self) -> bool {
        self.failures.load(Ordering::Relaxed) < FAILURES && self.whistle.clock.running() < self.until
    }

    async fn work(self: Arc<Self>) -> Result<()> {
        while self.may_go_on() {
            let next = self
                .groups
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            let Some(group) = next else { break };
            for letter in group {
                if !self.deliver(letter).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Sends a letter and notes what became of it. Answers whether what comes after it to the same reader may go.
    async fn deliver(&self, group: Letter) -> Result<bool> {
        let (whistle, here, base) = (self.whistle.clone(), self.here.clone(), self.base.clone());
        let now = self.whistle.now();
        let (made, group) = self
            .whistle
            .store
            .read(move |conn| -> Result<_> {
                let made = whistle.made(conn, &here, &group, base.as_deref(), now)?;
                Ok((made, group))
            })
            .await?;
        // Those that went together, and perhaps arrived, wait for the same moment, by which it is known that they did.
        let mut later = now + self.wait(group[0].tries);
        let (mut begun, mut addressee, mut device) = (0, None, 0);
        let sent = match made {
            Made::Unwanted(why) => {
                for one in &group {
                    self.tell(one, State::Dropped, why.as_str());
                }
                self.note(&group, |_| State::Dropped, later, 0, why.as_str(), After::Nothing)
                    .await?;
                return Ok(true);
            }
            Made::Broken(what) => Err(Failed::Later(what)),
            Made::Letter(letter, reader) => {
                let sent = match &self.transports.mailer {
                    Some(mailer) => {
                        // Never closed.
                        let _one = self.transports.at_once.acquire().await;
                        self.begin(&group, now).await?;
                        begun = 1;
                        mailer.send(&letter).await
                    }
                    None => Err(Why::MailNotSetUp.later()),
                };
                addressee = Some((letter.to, reader));
                sent
            }
            Made::Call(call) => self.transports.hooks.send(&call).await,
            Made::Push(push) => {
                self.begin(&group, now).await?;
                (begun, device) = (1, group[0].device);
                self.transports.hooks.push(&push).await
            }
        };
        let is_refused = matches!(sent, Err(Failed::Address(_)));
        let (went, why) = match sent {
            Ok(()) => (State::Sent, String::new()),
            // Whoever had the device has it no more, or wants nothing there.
            Err(Failed::Address(why)) if device > 0 => (State::Dropped, why),
            Err(Failed::Never(why) | Failed::Address(why)) => (State::Dead, why),
            // It may have been taken the time before.
            Err(Failed::Later(why)) if !Why::is_perhaps(&group[0].error) => (State::Waiting, why),
            Err(Failed::Later(why) | Failed::Perhaps(why)) => (State::Waiting, Why::perhaps(&why)),
            Err(Failed::NotBefore(why, wait)) => {
                later = later.max(now + wait.min(LONGEST_WAIT));
                (State::Waiting, why)
            }
        };
        if went == State::Waiting {
            self.failures.fetch_add(1, Ordering::Relaxed);
        } else {
            self.failures.store(0, Ordering::Relaxed);
        }
        let state = |one: &Delivery| match went {
            State::Waiting if one.tries + 1 >= MAX_TRIES => State::Dead,
            went => went,
        };
        // A server names the address that it refuses.
        let why = mask(&why);
        for one in &group {
            self.tell(one, state(one), &why);
        }
        let after = match (addressee, device) {
            (Some((email, reader)), _) if is_refused => After::Refused(email, reader),
            (None, 1..) if is_refused => After::Gone(device),
            (None, 1..) if went == State::Sent => After::Told(device),
            _ => After::Nothing,
        };
        self.note(&group, state, later, 1 - begun, &why, after).await?;
        Ok(went != State::Waiting)
    }

    /// Notes that something is being sent: should this process not live to note what became of it, the next one knows what went
    /// together.
    async fn begin(&self, group: &[Delivery], now: Timestamp) -> Result<()> {
        let why = Why::perhaps(Why::Unheard.as_str());
        self.note(group, |_| State::Waiting, now, 1, &why, After::Nothing)
            .await
    }

    /// Notes how far deliveries are that went together, and what follows of it. Those that wait go again `later`.
    async fn note(
        &self,
        group: &[Delivery],
        state: impl Fn(&Delivery) -> State,
        later: Timestamp,
        tries: u32,
        error: &str,
        after: After,
    ) -> Result<()> {
        let now = self.whistle.now();
        let tried: Vec<Tried> = group
            .iter()
            .map(|one| Tried {
                id: one.id,
                state: state(one),
                at: if state(one) == State::Waiting { later } else { now },
                tries,
                error: error.to_owned(),
            })
            .collect();
        let (id, held, whistle) = (self.here.id, self.held, self.whistle.clone());
        let (subject, error) = (group.first().map(|one| one.subject), error.to_owned());
        self.whistle
            .store
            .write(move |tx| -> Result<()> {
                lease::hold(tx, &held)?;
                for one in &tried {
                    stored::note(tx, id, one)?;
                }
                match (&after, subject) {
                    (After::Refused(email, reader), Some(subject)) => {
                        let returned = Returned {
                            email,
                            subject,
                            reader,
                            for_good: true,
                            why: &error,
                        };
                        whistle.note_returned(tx, id, &returned, now)?;
                    }
                    (After::Gone(device), _) => push::remove(tx, id, *device)?,
                    (After::Told(device), _) => push::told(tx, id, *device, now)?,
                    (After::Nothing | After::Refused(..), _) => {}
                }
                Ok(())
            })
            .await
    }

    /// How long to wait after a failed try: twice as long each time, and never for all at the same moment.
    fn wait(&self, tries: u32) -> SignedDuration {
        let doubled = FIRST_WAIT.saturating_mul(1 << tries.min(20)).min(LONGEST_WAIT);
        doubled.mul_f64(0.75 + self.whistle.chance.draw() / 2.0)
    }

    fn tell(&self, delivery: &Delivery, state: State, error: &str) {
        let channel = delivery.channel.as_str();
        let mut memory = self.memory();
        let done = &mut memory.done;
        let (count, name) = match state {
            State::Sent => (&mut done.sent, "whistle_notices_sent_total"),
            State::Waiting => (&mut done.failed, "whistle_notices_failed_total"),
            State::Dead => (&mut done.dead, "whistle_notices_given_up_total"),
            State::Dropped => (&mut done.dropped, "whistle_notices_dropped_total"),
        };
        *count += 1;
        drop(memory);
        metrics::counter!(name, "channel" => channel).increment(1);
        if matches!(state, State::Waiting | State::Dead) {
            let (subject, number) = (delivery.subject.as_str(), delivery.subject.number());
            let id = delivery.id;
            let given_up = state == State::Dead;
            tracing::warn!(
                subject,
                number,
                delivery = id,
                channel,
                given_up,
                error,
                "a notice did not arrive"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use whistle_domain::words::WhistleNumber;

    use super::*;

    #[test]
    fn a_delivery_is_tried_for_about_two_days() {
        let mut all = SignedDuration::ZERO;
        for tries in 0..MAX_TRIES - 1 {
            all += FIRST_WAIT.saturating_mul(1 << tries).min(LONGEST_WAIT);
        }
        let hours = all.as_hours();
        assert!((36..60).contains(&hours), "{hours}");
    }

    #[test]
    fn mail_to_a_unit_goes_together_but_of_whistles_and_calls_go_by_case_in_the_order_of_its_events() {
        let delivery = |subject: Subject, version: u32, unit: Option<&str>| Delivery {
            id: 1,
            subject,
            version,
            channel: Channel::Mail,
            notice: String::new(),
            report: 0,
            merged: None,
            unit: unit.map(|unit| unit.parse().unwrap()),
            webhook: 0,
            device: 0,
            state: State::Waiting,
            tries: 0,
            created_at: Timestamp::UNIX_EPOCH,
            next_at: Timestamp::UNIX_EPOCH,
            error: String::new(),
        };
        let case = |number| Subject::Case(CaseNumber(number));
        let whistle = Subject::Whistle(WhistleNumber(1));
        let groups = grouped(vec![
            delivery(case(7), 3, Some("A")),
            delivery(case(1), 2, None),
            delivery(whistle, 2, Some("A")),
            delivery(case(8), 1, Some("A")),
            delivery(case(1), 1, None),
            delivery(case(2), 1, None),
            delivery(whistle, 3, None),
        ]);
        let shown: Vec<Vec<(Subject, u32)>> = groups
            .iter()
            .map(|group| {
                group
                    .iter()
                    .flatten()
                    .map(|one| (one.subject, one.version))
                    .collect()
            })
            .collect();
        assert_eq!(
            shown,
            [
                vec![(case(7), 3), (case(8), 1)],
                vec![(case(1), 1), (case(1), 2)],
                vec![(whistle, 2)],
                vec![(case(2), 1)],
                vec![(whistle, 3)],
            ]
        );
    }
}
