//! From the outbox to deliveries: who must be told of each command, by which way, and when.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use whistle_domain::{
    case::Case,
    words::{CaseNumber, UnitCode},
};
use whistle_notices::{
    told::{self, Reader},
    webhook::{self, SMS},
};
use whistle_store::{
    Conn, case as cases, intake,
    lease::{self, Held},
    notice::{self as stored, Channel, Delivery, Message, State, Webhook},
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
        let mut gathered = Gathered::new(here.place.jurisdiction.settings.digest, now);
        let mut all = Vec::new();
        if !ways.mail && webhooks.is_empty() {
            return Ok(all);
        }
        for message in messages {
            let Some((case, mut log)) = cases::with_log(conn, here.id, message.number)? else {
                continue;
            };
            log.truncate(message.version as usize);
            let blank = Delivery {
                id: 0,
                number: message.number,
                version: message.version,
                channel: Channel::Mail,
                notice: String::new(),
                report: 0,
                unit: None,
                webhook: 0,
                state: State::Waiting,
                tries: 0,
                created_at: now,
                next_at: now,
                error: String::new(),
            };
            let (mailed, texted) = self.reachable(conn, here, message.number)?;
            let told = told::told(&case, &log, message.since, &here.place, &mailed);
            for one in told.into_iter().filter(|_| ways.mail) {
                let (report, unit) = match one.reader {
                    Reader::Reporter(report) => (report, None),
                    Reader::Unit(unit) if has_address(here, &unit) => (0, Some(unit)),
                    Reader::Unit(_) => continue,
                };
                let next_at = gathered.when(conn, here, message.number, report, unit.as_ref())?;
                all.push(Delivery {
                    notice: one.notice.to_string(),
                    version: one.version,
                    report,
                    unit,
                    next_at,
                    ..blank.clone()
                });
            }
            let texts = told::told(&case, &log, message.since, &here.place, &texted);
            for hook in &webhooks {
                let to_hook = |version, notice: &str, report| Delivery {
                    channel: Channel::Webhook,
                    webhook: hook.id,
                    version,
                    notice: notice.to_owned(),
                    report,
                    ..blank.clone()
                };
                for version in message.since..=message.version {
                    let heard = log.get(..version as usize).unwrap_or_default();
                    if wants(hook, here, message.number, heard) {
                        let word = heard.last().map_or("", |event| event.body.as_str());
                        all.push(to_hook(version, word, 0));
                    }
                }
                if hook.events.iter().any(|event| event == SMS) {
                    for one in &texts {
                        if let Reader::Reporter(report) = one.reader {
                            // The notice is found again by the event; see `letter`.
                            all.push(to_hook(one.version, &format!("{SMS} {}", one.notice), report));
                        }
                    }
                }
            }
        }
        Ok(all)
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

fn has_address(here: &Here, unit: &UnitCode) -> bool {
    here.place
        .unit(unit.as_str())
        .is_some_and(|unit| !unit.email.is_empty())
}

/// Whether a webhook is told of the last event of a log.
fn wants(hook: &Webhook, here: &Here, number: CaseNumber, log: &[whistle_domain::case::Event]) -> bool {
    let Some(event) = log.last() else { return false };
    let word = event.body.as_str();
    if !hook.events.iter().any(|wanted| wanted == "*" || wanted == word) {
        return false;
    }
    Case::fold(number, log)
        .is_ok_and(|case| webhook::case_event(&case, log, &here.place, hook.all, "").is_some())
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
