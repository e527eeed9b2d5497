//! From the outbox to deliveries: who must be told of each command, by which way, and when.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use whistle_domain::{
    case::{Case, Event},
    whistle::Whistle as Blown,
    words::{CaseNumber, Subject, UnitCode, WhistleNumber},
};
use whistle_notices::{
    Why,
    told::{self, Reader, Told},
    webhook::{self, SMS, WHISTLE},
};
use whistle_store::{
    Conn, case as cases, intake,
    lease::{self, Held},
    notice::{self as stored, Channel, Delivery, Message, State, Webhook},
    whistle as whistles,
};

use crate::{Whistle, error::Result, place::Here};

/// Messages of one transaction: few enough that commands are not kept waiting.
const BATCH: usize = 50;

/// Batches before something is sent: after an import or a night without a process, what is due is not kept waiting.
const BATCHES: usize = 20;

/// Mails to one reader within the place's window that go at once; the others are gathered, but for those that cannot wait: what
/// runs out before the end of the window, and that something runs out.
const AT_ONCE: u64 = 3;

/// Which ways there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ways {
    /// Whether mail can be sent.
    pub(super) mail: bool,
}

impl Whistle {
    /// Empties the outbox. Answers how many deliveries were made of it. Where nobody is to be told, nothing stays either.
    pub(super) fn spread(&self, here: &Here, held: Held, ways: Ways) -> Result<u64> {
        let mut made = 0;
        for _ in 0..BATCHES {
            let now = self.clock.now();
            let (messages, Made { urgent, deliveries }) = self.store.read_blocking(|conn| -> Result<_> {
                let messages = stored::outbox(conn, here.id, BATCH)?;
                let made = self.made_of(conn, here, ways, &messages, now)?;
                Ok((messages, made))
            })?;
            let last = messages.len() < BATCH;
            if !messages.is_empty() {
                made += deliveries.len() as u64;
                let id = here.id;
                self.store.write_blocking(move |tx| {
                    lease::hold(tx, &held)?;
                    for delivery in &urgent {
                        stored::hasten(tx, id, delivery, now)?;
                    }
                    for delivery in &deliveries {
                        stored::keep(tx, id, delivery)?;
                    }
                    messages
                        .iter()
                        .try_for_each(|message| stored::take(tx, id, message))
                })?;
            }
            if last {
                break;
            }
        }
        Ok(made)
    }

    fn made_of(
        &self,
        conn: &Conn,
        here: &Here,
        ways: Ways,
        messages: &[Message],
        now: Timestamp,
    ) -> Result<Made> {
        let webhooks = stored::webhooks(conn, here.id)?;
        if !ways.mail && webhooks.is_empty() {
            return Ok(Made::default());
        }
        let mut spreading = Spreading {
            conn,
            here,
            ways,
            webhooks,
            gathered: Gathered::new(here.place.jurisdiction.settings.digest, now),
            now,
            made: Made::default(),
        };
        for message in messages {
            match message.subject {
                Subject::Case(number) => {
                    let (mailed, texted) = self.reachable(conn, here, number)?;
                    spreading.case(number, message, &mailed, &texted)?;
                }
                Subject::Whistle(number) => spreading.whistle(number, message)?,
            }
        }
        Ok(spreading.made)
    }

    /// The reporters of a case who gave an address of e-mail, and those who gave only a telephone number.
    fn reachable(&self, conn: &Conn, here: &Here, number: CaseNumber) -> Result<(Vec<u32>, Vec<u32>)> {
        let (mut mailed, mut texted) = (Vec::new(), Vec::new());
        for (report, sealed) in intake::contacts(conn, here.id, number)? {
            let contact = self.secret.open(&sealed, (here.id, number, report));
            match contact {
                Some(contact) if !contact.email.is_empty() => mailed.push(report),
                Some(contact) if !contact.phone.is_empty() => texted.push(report),
                _ => {}
            }
        }
        Ok((mailed, texted))
    }
}

/// The deliveries of a batch of messages.
#[derive(Default)]
struct Made {
    deliveries: Vec<Delivery>,
    /// Those that cannot wait, though others to their readers do.
    urgent: Vec<Delivery>,
}

/// Deliveries being made of a batch of messages.
struct Spreading<'a> {
    conn: &'a Conn,
    here: &'a Here,
    ways: Ways,
    webhooks: Vec<Webhook>,
    gathered: Gathered,
    now: Timestamp,
    made: Made,
}

impl Spreading<'_> {
    /// What is told of a command on a case. `mailed` and `texted` are the reporters who can be reached by mail, or only by
    /// telephone.
    fn case(&mut self, number: CaseNumber, message: &Message, mailed: &[u32], texted: &[u32]) -> Result<()> {
        let here = self.here;
        let Some((case, mut log)) = cases::with_log(self.conn, here.id, number)? else {
            return Ok(());
        };
        log.truncate(message.version as usize);
        for one in told::told(&case, &log, message.since, &here.place, mailed) {
            let Some(delivery) = self.mail(&one, message) else {
                continue;
            };
            let log = log.get(..one.version as usize).unwrap_or_default();
            self.gather(delivery, one.notice.is_urgent(), number, log)?;
        }
        let texts = told::told(&case, &log, message.since, &here.place, texted);
        for hook in &self.webhooks {
            for version in message.since..=message.version {
                let heard = log.get(..version as usize).unwrap_or_default();
                let Some(event) = heard.last() else { continue };
                let word = event.body.as_str();
                let sees = || {
                    Case::fold(number, heard).is_ok_and(|case| {
                        webhook::case_event(&case, heard, &here.place, hook.all, "").is_some()
                    })
                };
                if wants(hook, word) && sees() {
                    self.made
                        .deliveries
                        .push(self.to_hook(hook, message, version, word));
                }
            }
            if hook.events.iter().any(|event| event == SMS) {
                for one in &texts {
                    if let Reader::Reporter(report) = one.reader {
                        // The notice is found again by the event; see `letter`.
                        let notice = format!("{SMS} {}", one.notice);
                        self.made.deliveries.push(Delivery {
                            report,
                            ..self.to_hook(hook, message, one.version, &notice)
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// What is told of a command on a whistle: at once, whatever else its reader was sent of late, for the limits of a call may be
    /// shorter than the window in which mails are gathered. The public sees nothing of it.
    fn whistle(&mut self, number: WhistleNumber, message: &Message) -> Result<()> {
        let mut log = whistles::log(self.conn, self.here.id, number)?;
        log.truncate(message.version as usize);
        let Ok(whistle) = Blown::fold(number, &log) else {
            return Ok(());
        };
        for one in told::told_of_whistle(&whistle, &log, message.since) {
            if let Some(delivery) = self.mail(&one, message) {
                self.made.deliveries.push(delivery);
            }
        }
        for hook in self.webhooks.iter().filter(|hook| hook.all) {
            for version in message.since..=message.version {
                let Some(event) = log.get(version as usize - 1) else {
                    continue;
                };
                let word = format!("{WHISTLE}{}", event.body.as_str());
                if wants(hook, &word) {
                    self.made
                        .deliveries
                        .push(self.to_hook(hook, message, version, &word));
                }
            }
        }
        Ok(())
    }

    /// The mail that tells somebody something; none where no mail goes. That a unit has no address is noted, so that it is seen
    /// who hears nothing.
    fn mail(&self, told: &Told, message: &Message) -> Option<Delivery> {
        if !self.ways.mail {
            return None;
        }
        let (report, unit) = match &told.reader {
            Reader::Reporter(report) => (*report, None),
            Reader::Unit(unit) => (0, Some(unit.clone())),
        };
        let reached = unit.as_ref().is_none_or(|unit| has_address(self.here, unit));
        let mut delivery = Delivery {
            notice: told.notice.to_string(),
            version: told.version,
            report,
            unit,
            ..self.blank(message)
        };
        if !reached {
            delivery.state = State::Dropped;
            delivery.error = Why::NoAddress.as_str().to_owned();
        }
        Some(delivery)
    }

    /// Says when a mail about a case goes, and keeps it. `log` ends with what it tells of.
    fn gather(&mut self, mut mail: Delivery, urgent: bool, number: CaseNumber, log: &[Event]) -> Result<()> {
        let end = match mail.state {
            State::Waiting => self.gathered.until(self.conn, self.here, number, &mail)?,
            _ => None,
        };
        if let Some(end) = end {
            let cannot_wait = || urgent || self.is_due_before(end, number, mail.unit.as_ref(), log);
            if cannot_wait() {
                let same = |one: &&mut Delivery| {
                    (one.subject, one.channel, one.report, &one.unit)
                        == (mail.subject, mail.channel, mail.report, &mail.unit)
                };
                // What waits of the same case goes along: nobody is told of the end before the beginning.
                for before in self.made.deliveries.iter_mut().filter(same) {
                    before.next_at = before.next_at.min(self.now);
                }
                self.made.urgent.push(mail.clone());
            } else {
                mail.next_at = end;
            }
        }
        self.made.deliveries.push(mail);
        Ok(())
    }

    /// Whether a limit of a unit about a case runs out before a time, by which it must have been told.
    fn is_due_before(
        &self,
        end: Timestamp,
        number: CaseNumber,
        unit: Option<&UnitCode>,
        log: &[Event],
    ) -> bool {
        let (Some(unit), Ok(case)) = (unit, Case::fold(number, log)) else {
            return false;
        };
        let runs_out = |at: Timestamp| self.now < at && at <= end;
        let own = case
            .joint
            .iter()
            .find(|part| part.is_open() && part.unit == *unit);
        match own {
            Some(part) => part.due_at.is_some_and(runs_out),
            None => {
                let clocks = case.clocks.all().iter();
                clocks
                    .filter(|clock| clock.is_running())
                    .any(|clock| runs_out(clock.due_at))
            }
        }
    }

    fn to_hook(&self, hook: &Webhook, message: &Message, version: u32, notice: &str) -> Delivery {
        Delivery {
            channel: Channel::Webhook,
            webhook: hook.id,
            version,
            notice: notice.to_owned(),
            ..self.blank(message)
        }
    }

    fn blank(&self, message: &Message) -> Delivery {
        Delivery {
            id: 0,
            subject: message.subject,
            version: message.version,
            channel: Channel::Mail,
            notice: String::new(),
            report: 0,
            unit: None,
            webhook: 0,
            state: State::Waiting,
            tries: 0,
            created_at: self.now,
            next_at: self.now,
            error: String::new(),
        }
    }
}

fn has_address(here: &Here, unit: &UnitCode) -> bool {
    here.place
        .unit(unit.as_str())
        .is_some_and(|unit| !unit.email.is_empty())
}

/// Whether a webhook asked for an event.
fn wants(hook: &Webhook, word: &str) -> bool {
    hook.events.iter().any(|wanted| wanted == "*" || wanted == word)
}

/// A unit, or one report's reader of one case.
type MailedTo = (Option<UnitCode>, Option<(CaseNumber, u32)>);

/// Mails that were made of late, by reader, those of this round among them.
struct Gathered {
    window: SignedDuration,
    now: Timestamp,
    counts: HashMap<MailedTo, u64>,
}

impl Gathered {
    fn new(window: SignedDuration, now: Timestamp) -> Self {
        Self {
            window,
            now,
            counts: HashMap::new(),
        }
    }

    /// Until when a mail is gathered with others: the end of the window; none where it goes at once.
    fn until(
        &mut self,
        conn: &Conn,
        here: &Here,
        number: CaseNumber,
        mail: &Delivery,
    ) -> Result<Option<Timestamp>> {
        if self.window.is_zero() {
            return Ok(None);
        }
        let since = self.now - self.window;
        let (unit, report) = (mail.unit.as_ref(), mail.report);
        let key = (unit.cloned(), unit.is_none().then_some((number, report)));
        if !self.counts.contains_key(&key) {
            let of_late = match unit {
                Some(unit) => stored::mails_to_unit(conn, here.id, unit, since)?,
                None => stored::mails_to_reporter(conn, here.id, number, report, since)?,
            };
            self.counts.insert(key.clone(), of_late);
        }
        let count = self.counts.entry(key).or_default();
        *count += 1;
        if *count <= AT_ONCE {
            return Ok(None);
        }
        let (window, now) = (self.window.as_micros() as i64, self.now.as_microsecond());
        let end = (now / window + 1) * window;
        Ok(Timestamp::from_microsecond(end).ok())
    }
}
