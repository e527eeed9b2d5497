//! The courier: sends what is due, notes what became of it, and tries again what did not arrive.
//!
//! Each way out, the mail of a place or one of its webhooks, has at most one job at a time, with a bounded batch of its own. A
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

use jiff::SignedDuration;
use tokio::{
    runtime::{Builder, Runtime},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
};
use whistle_domain::{
    mask::mask,
    words::{JurisdictionId, Subject, UnitCode},
};
use whistle_notices::{
    Failed, Why,
    mail::{MAX_CONNECTIONS, Mailer, Outlet},
    webhook::Hooks,
};
use whistle_store::{
    lease::{self, Held},
    notice::{self as stored, Channel, Delivery, State, Tried},
};

use super::{letter::Made, spread::Ways};
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

/// Requests to one webhook at once. Of mail, as many as there are connections.
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
    /// Whether webhooks may lead to this machine or its network.
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

/// One way out: mail, or one webhook.
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
            // 0 is mail; and what was for a webhook that is gone must be dropped.
            for way in std::iter::once((here.id, Channel::Mail, 0))
                .chain(hooks)
                .filter(free)
            {
                due.push((way, stored::due(conn, here.id, way.1, way.2, now, BATCH)?));
            }
            let gone = (here.id, Channel::Webhook, 0);
            if free(&gone) {
                due.push((gone, stored::orphans(conn, here.id, BATCH)?));
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
            let mut counts = [(Channel::Mail, 0), (Channel::Webhook, 0)];
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

/// Deliveries to one reader that go one after the other, or as one.
type Group = Vec<Delivery>;

/// Puts together what goes to one reader: all mail to a unit about cases, or to a reporter about a case; all calls about a case.
/// What is about a whistle goes by itself: who is called must not look for that among other notices.
fn grouped(deliveries: Vec<Delivery>) -> VecDeque<Group> {
    type Reader = (Option<UnitCode>, u32, Option<Subject>);
    let mut order: Vec<Reader> = Vec::new();
    let mut groups: HashMap<Reader, Group> = HashMap::new();
    for delivery in deliveries {
        let together = delivery.unit.is_some() && matches!(delivery.subject, Subject::Case(_));
        let about = (!together).then_some(delivery.subject);
        let reader = (delivery.unit.clone(), delivery.report, about);
        groups
            .entry(reader.clone())
            .or_insert_with(|| {
                order.push(reader);
                Vec::new()
            })
            .push(delivery);
    }
    let mut in_order: VecDeque<Group> = order.iter().filter_map(|reader| groups.remove(reader)).collect();
    for group in &mut in_order {
        group.sort_by_key(|one| (one.subject, one.version));
    }
    in_order
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
            Channel::Webhook => CALLS_AT_ONCE,
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
            match self.way.1 {
                // Several mails to one reader at one time are one mail.
                Channel::Mail => {
                    self.deliver(group).await?;
                }
                Channel::Webhook => {
                    for one in group {
                        if !self.deliver(vec![one]).await? {
                            break;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends a group and notes what became of it. Answers whether what comes after it to the same reader may go.
    async fn deliver(&self, group: Group) -> Result<bool> {
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
        let sent = match made {
            Made::Unwanted(why) => {
                self.note(&group, State::Dropped, 0, why.as_str().to_owned())
                    .await?;
                return Ok(true);
            }
            Made::Broken(what) => Err(Failed::Later(what)),
            Made::Letter(letter) => match &self.transports.mailer {
                Some(mailer) => {
                    // Never closed.
                    let _one = self.transports.at_once.acquire().await;
                    mailer.send(&letter).await
                }
                None => Err(Why::MailNotSetUp.later()),
            },
            Made::Call(call) => self.transports.hooks.send(&call).await,
        };
        let (state, why) = match sent {
            Ok(()) => (State::Sent, String::new()),
            Err(Failed::Never(why)) => (State::Dead, why),
            Err(Failed::Later(why)) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                (State::Waiting, why)
            }
        };
        if state != State::Waiting {
            self.failures.store(0, Ordering::Relaxed);
        }
        self.note(&group, state, 1, why).await?;
        Ok(state != State::Waiting)
    }

    async fn note(&self, group: &[Delivery], state: State, tries: u32, why: String) -> Result<()> {
        let now = self.whistle.now();
        // A server names the address that it refuses.
        let error = mask(&why).into_owned();
        let mut tried = Vec::with_capacity(group.len());
        for one in group {
            let last = one.tries + tries >= MAX_TRIES;
            let state = if state == State::Waiting && last {
                State::Dead
            } else {
                state
            };
            let at = match state {
                State::Waiting => now + self.wait(one.tries),
                _ => now,
            };
            tried.push(Tried {
                id: one.id,
                state,
                at,
                tries,
                error: error.clone(),
            });
            self.tell(one, state, &error);
        }
        let (id, held) = (self.here.id, self.held);
        self.whistle
            .store
            .write(move |tx| {
                lease::hold(tx, &held)?;
                tried.iter().try_for_each(|one| stored::note(tx, id, one))
            })
            .await?;
        Ok(())
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
    use jiff::Timestamp;
    use whistle_domain::words::{CaseNumber, WhistleNumber};

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
            unit: unit.map(|unit| unit.parse().unwrap()),
            webhook: 0,
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
            .map(|group| group.iter().map(|one| (one.subject, one.version)).collect())
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
