//! From the outbox to deliveries: who must be told of each command, by which way, and when.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use whistle_domain::{
    case::Case,
    whistle::Whistle as Blown,
    words::{CaseNumber, Subject, UnitCode, WhistleNumber},
};
use whistle_notices::{
    told::{self, Reader},
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

/// Mails to one reader within the place's window that go at once; the others are gathered.
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
            let (messages, deliveries) = self.store.read_blocking(|conn| -> Result<_> {
                let messages = stored::outbox(conn, here.id, BATCH)?;
                let deliveries = self.made_of(conn, here, ways, &messages, now)?;
                Ok((messages, deliveries))
            })?;
            let last = messages.len() < BATCH;
            if !messages.is_empty() {
                made += deliveries.len() as u64;
                let id = here.id;
                self.store.write_blocking(move |tx| {
                    lease::hold(tx, &held)?;
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
    ) -> Result<Vec<Delivery>> {
        let webhooks = stored::webhooks(conn, here.id)?;
        if !ways.mail && webhooks.is_empty() {
            return Ok(Vec::new());
        }
        let mut spreading = Spreading {
            conn,
            here,
            ways,
            webhooks,
            gathered: Gathered::new(here.place.jurisdiction.settings.digest, now),
            now,
            all: Vec::new(),
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
        Ok(spreading.all)
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

/// Deliveries being made of a batch of messages.
struct Spreading<'a> {
    conn: &'a Conn,
    here: &'a Here,
    ways: Ways,
    webhooks: Vec<Webhook>,
    gathered: Gathered,
    now: Timestamp,
    all: Vec<Delivery>,
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
            let Some((report, unit)) = self.mailed_to(&one.reader) else {
                continue;
            };
            let next_at = self
                .gathered
                .when(self.conn, here, number, report, unit.as_ref())?;
            self.all.push(Delivery {
                notice: one.notice.to_string(),
                version: one.version,
                report,
                unit,
                next_at,
                ..self.blank(message)
            });
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
                    self.all.push(self.to_hook(hook, message, version, word));
                }
            }
            if hook.events.iter().any(|event| event == SMS) {
                for one in &texts {
                    if let Reader::Reporter(report) = one.reader {
                        // The notice is found again by the event; see `letter`.
                        let notice = format!("{SMS} {}", one.notice);
                        self.all.push(Delivery {
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
            if let Some((report, unit)) = self.mailed_to(&one.reader) {
                self.all.push(Delivery {
                    notice: one.notice.to_string(),
                    version: one.version,
                    report,
                    unit,
                    ..self.blank(message)
                });
            }
        }
        for hook in self.webhooks.iter().filter(|hook| hook.all) {
            for version in message.since..=message.version {
                let Some(event) = log.get(version as usize - 1) else {
                    continue;
                };
                let word = format!("{WHISTLE}{}", event.body.as_str());
                if wants(hook, &word) {
                    self.all.push(self.to_hook(hook, message, version, &word));
                }
            }
        }
        Ok(())
    }

    /// By which a reader who gets mail stands in a delivery.
    fn mailed_to(&self, reader: &Reader) -> Option<(u32, Option<UnitCode>)> {
        match reader {
            _ if !self.ways.mail => None,
            Reader::Reporter(report) => Some((*report, None)),
            Reader::Unit(unit) => has_address(self.here, unit).then(|| (0, Some(unit.clone()))),
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

    /// When a mail goes: at once, or with others at the end of the window.
    fn when(
        &mut self,
        conn: &Conn,
        here: &Here,
        number: CaseNumber,
        report: u32,
        unit: Option<&UnitCode>,
    ) -> Result<Timestamp> {
        if self.window.is_zero() {
            return Ok(self.now);
        }
        let since = self.now - self.window;
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
            return Ok(self.now);
        }
        let (window, now) = (self.window.as_micros() as i64, self.now.as_microsecond());
        let end = (now / window + 1) * window;
        Ok(Timestamp::from_microsecond(end).unwrap_or(self.now))
    }
}
