//! From the outbox to deliveries: who must be told of each command, by which way, and when.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use whistle_domain::{
    case::{Body, Case, Event, Respondent},
    words::{CaseNumber, Subject, UnitCode, WhistleNumber},
};
use whistle_notices::{
    Notice, Why,
    choice::{Choice, Pace},
    told::{self, Reached, Reader, Told},
    webhook::{self, SMS, WHISTLE},
};
use whistle_store::{
    Conn, case as cases, intake,
    lease::{self, Held},
    notice::{self as stored, Channel, Delivery, Message, State, Webhook},
    push, whistle as whistles,
};

use super::choices;
use crate::{Whistle, case::MAX_MERGED, error::Result, place::Here};

/// Messages of one transaction: few enough that commands are not kept waiting.
const BATCH: usize = 50;

/// Batches before something is sent: after an import or a night without a process, what is due is not kept waiting.
const BATCHES: usize = 20;

/// Mails, or pushes, to one reader within the place's window that go at once; the others are gathered, but for those that cannot wait: what
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
        if messages.is_empty() {
            return Ok(Made::default());
        }
        let mut webhooks = stored::webhooks(conn, here.id)?;
        webhooks.retain(|hook| hook.paused_at.is_none());
        let devices = devices_by_unit(conn, here)?;
        if !ways.mail && webhooks.is_empty() && devices.is_empty() {
            return Ok(Made::default());
        }
        let mut spreading = Spreading {
            whistle: self,
            conn,
            here,
            ways,
            webhooks,
            devices,
            units: choices::of_units(conn, here.id)?,
            gathered: Gathered::new(here.place.jurisdiction.settings.digest, now),
            now,
            made: Made::default(),
        };
        for message in messages {
            match message.subject {
                Subject::Case(number) => spreading.case(number, message)?,
                Subject::Whistle(number) => spreading.whistle(number, message)?,
            }
        }
        Ok(spreading.made)
    }
}

/// The devices of those who are at posts of each unit; none where push is off.
fn devices_by_unit(conn: &Conn, here: &Here) -> Result<HashMap<UnitCode, Vec<ToDevice>>> {
    let mut devices: HashMap<UnitCode, Vec<ToDevice>> = HashMap::new();
    if push::key(conn, here.id)?.is_none() {
        return Ok(devices);
    }
    for one in push::at_posts(conn, here.id)? {
        let Some(post) = here.place.post(one.post.as_str()) else {
            continue;
        };
        let of_unit = devices.entry(post.unit.clone()).or_default();
        let device = ToDevice {
            id: one.device,
            service: one.service,
        };
        // Who holds two posts of a unit is told once.
        if of_unit.last() != Some(&device) {
            of_unit.push(device);
        }
    }
    Ok(devices)
}

/// A device that is told what a unit is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ToDevice {
    id: i64,
    service: i64,
}

/// Readers who can be reached in one way, by report, with what they chose.
#[derive(Default)]
struct Readers {
    reporters: Vec<(u32, Choice)>,
    merged: Vec<((CaseNumber, u32), Choice)>,
}

impl Readers {
    fn add(&mut self, own: CaseNumber, told: CaseNumber, report: u32, choice: Choice) {
        if own == told {
            self.reporters.push((report, choice));
        } else {
            self.merged.push(((own, report), choice));
        }
    }

    fn choice(&self, reader: &Reader) -> Choice {
        let found = match reader {
            Reader::Reporter(report) => self.reporters.iter().find(|(of, _)| of == report).map(|it| it.1),
            Reader::Merged(number, report) => {
                let own = (*number, *report);
                self.merged.iter().find(|(of, _)| *of == own).map(|it| it.1)
            }
            Reader::Asked(_) | Reader::Unit(_) => None,
        };
        found.unwrap_or_default()
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
    whistle: &'a Whistle,
    conn: &'a Conn,
    here: &'a Here,
    ways: Ways,
    webhooks: Vec<Webhook>,
    devices: HashMap<UnitCode, Vec<ToDevice>>,
    /// What units chose.
    units: HashMap<UnitCode, Choice>,
    gathered: Gathered,
    now: Timestamp,
    made: Made,
}

impl Spreading<'_> {
    /// What is told of a command on a case.
    fn case(&mut self, number: CaseNumber, message: &Message) -> Result<()> {
        let here = self.here;
        let Some((case, mut log)) = cases::with_log(self.conn, here.id, number)? else {
            return Ok(());
        };
        log.truncate(message.version as usize);
        let (mailed, texted) = self.reachable(number, &log, message.since)?;
        let outside = self.asks_outside(number, &log, message.since)?;
        let all = told_of(&case, &log, message.since, here, &mailed, &self.units, outside);
        for one in all {
            let choice = match &one.reader {
                Reader::Unit(unit) => self.units.get(unit).copied().unwrap_or_default(),
                other => mailed.choice(other),
            };
            let log = log.get(..one.version as usize).unwrap_or_default();
            let pushes = self.pushes(&one, message);
            for delivery in self.mail(&one, message).into_iter().chain(pushes) {
                self.gather(delivery, one.notice.is_urgent(), choice.pace, number, log)?;
            }
        }
        let texts = told_of(&case, &log, message.since, here, &texted, &self.units, false);
        for hook in &self.webhooks {
            for version in message.since..=message.version {
                let heard = log.get(..version as usize).unwrap_or_default();
                let Some(event) = heard.last() else { continue };
                let word = event.body.as_str();
                let sees = || {
                    Case::fold(number, heard).is_ok_and(|mut then| {
                        then.close_like(&case);
                        let case = then;
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
                    let (report, merged) = match one.reader {
                        Reader::Reporter(report) => (report, None),
                        Reader::Merged(own, report) => (report, Some(own)),
                        Reader::Asked(_) | Reader::Unit(_) => continue,
                    };
                    // The notice is found again by the event; see `letter`.
                    let notice = format!("{SMS} {}", one.notice);
                    self.made.deliveries.push(Delivery {
                        report,
                        merged,
                        ..self.to_hook(hook, message, one.version, &notice)
                    });
                }
            }
        }
        Ok(())
    }

    /// What is told of a command on a whistle: at once, whatever else its reader was sent of late, for the limits of a call may be
    /// shorter than the window in which mails are gathered. The public sees nothing of it.
    fn whistle(&mut self, number: WhistleNumber, message: &Message) -> Result<()> {
        let found = whistles::at_version(self.conn, self.here.id, number, message.version)?;
        let Some((whistle, log)) = found else {
            return Ok(());
        };
        let wanted = |reader: &Reader, notice: Notice| wanted_by_unit(&self.units, reader, notice);
        let all = told::told_of_whistle(&whistle, &log, message.since, &self.here.place, &wanted);
        for one in all {
            let deliveries = self.mail(&one, message).into_iter();
            let pushes = self.pushes(&one, message);
            self.made.deliveries.extend(deliveries.chain(pushes));
        }
        // For the posts that name its classes, and for no other system.
        let hooks = self
            .webhooks
            .iter()
            .filter(|hook| hook.all && whistle.classes.is_empty());
        for hook in hooks {
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

    /// Those who reported a case, and the cases that were merged into it before `since`: who can be reached by mail, and who
    /// only by telephone.
    fn reachable(&self, number: CaseNumber, log: &[Event], since: u32) -> Result<(Readers, Readers)> {
        let (id, conn) = (self.here.id, self.conn);
        let (mut mailed, mut texted) = (Readers::default(), Readers::default());
        let before = log.iter().take(since.saturating_sub(1) as usize);
        let merged = before.filter_map(|event| match &event.body {
            Body::Absorbed { from, .. } => Some(*from),
            _ => None,
        });
        let mut own: Vec<CaseNumber> = merged.chain([number]).collect();
        let mut seen = 0;
        while let Some(of) = own.pop().filter(|_| seen < MAX_MERGED) {
            seen += 1;
            for (report, sealed) in intake::contacts(conn, id, of)? {
                let contact = self.whistle.secret.open(&sealed, (id, of, report));
                match contact {
                    Some(contact) if !contact.email.is_empty() => {
                        mailed.add(of, number, report, contact.choice());
                    }
                    Some(contact) if !contact.phone.is_empty() => {
                        texted.add(of, number, report, contact.choice());
                    }
                    _ => {}
                }
            }
            if of != number
                && let Some(found) = cases::find(conn, id, of)?
            {
                own.extend(found.case.absorbed);
            }
        }
        Ok((mailed, texted))
    }

    /// Whether a command asks somebody outside whose address is known.
    fn asks_outside(&self, number: CaseNumber, log: &[Event], since: u32) -> Result<bool> {
        for (event, version) in log.iter().zip(1u32..).skip(since.saturating_sub(1) as usize) {
            let outside = matches!(
                event.body,
                Body::Asked {
                    of: Respondent::Outside,
                    ..
                }
            );
            if outside && intake::respondent(self.conn, self.here.id, number, version)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The mail that tells somebody something; none where no mail goes. That a unit has no address is noted, so that it is seen
    /// who hears nothing.
    fn mail(&self, told: &Told, message: &Message) -> Option<Delivery> {
        if !self.ways.mail {
            return None;
        }
        let (report, merged, unit) = match &told.reader {
            Reader::Reporter(report) => (*report, None, None),
            Reader::Merged(own, report) => (*report, Some(*own), None),
            // Known by the event with which they were asked.
            Reader::Asked(_) => (0, None, None),
            Reader::Unit(unit) => (0, None, Some(unit.clone())),
        };
        let reached = unit.as_ref().is_none_or(|unit| has_address(self.here, unit));
        let mut delivery = Delivery {
            notice: told.notice.to_string(),
            version: told.version,
            report,
            merged,
            unit,
            ..self.blank(message)
        };
        if !reached {
            delivery.state = State::Dropped;
            Why::NoAddress.as_str().clone_into(&mut delivery.error);
        }
        Some(delivery)
    }

    /// What tells the devices of those who are at posts of a unit the same.
    fn pushes(&self, told: &Told, message: &Message) -> Vec<Delivery> {
        let Reader::Unit(unit) = &told.reader else {
            return Vec::new();
        };
        let devices = self.devices.get(unit).into_iter().flatten();
        let push = |device: &ToDevice| Delivery {
            channel: Channel::Push,
            notice: told.notice.to_string(),
            version: told.version,
            unit: Some(unit.clone()),
            webhook: device.service,
            device: device.id,
            ..self.blank(message)
        };
        devices.map(push).collect()
    }

    /// Says when a mail, or a push, about a case goes, and keeps it. `log` ends with what it tells of.
    fn gather(
        &mut self,
        mut mail: Delivery,
        urgent: bool,
        pace: Pace,
        number: CaseNumber,
        log: &[Event],
    ) -> Result<()> {
        let end = match mail.state {
            State::Waiting if pace == Pace::Daily => Some(next_morning(self.here, self.now)),
            State::Waiting => self.gathered.until(self.conn, self.here, number, &mail)?,
            _ => None,
        };
        let cannot_wait =
            urgent || end.is_some_and(|end| self.is_due_before(end, number, mail.unit.as_ref(), log));
        if cannot_wait {
            let same = |one: &&mut Delivery| {
                (
                    one.subject,
                    one.channel,
                    one.report,
                    one.merged,
                    &one.unit,
                    one.device,
                ) == (
                    mail.subject,
                    mail.channel,
                    mail.report,
                    mail.merged,
                    &mail.unit,
                    mail.device,
                )
            };
            // What waits of the same case goes along: nobody is told of the end before the beginning.
            for before in self.made.deliveries.iter_mut().filter(same) {
                before.next_at = before.next_at.min(self.now);
            }
            self.made.urgent.push(mail.clone());
        } else if let Some(end) = end {
            mail.next_at = end;
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
        if let Some(part) = own {
            part.due_at.is_some_and(runs_out)
        } else {
            let mut clocks = case.clocks.all().iter();
            clocks.any(|clock| clock.is_running() && runs_out(clock.due_at))
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
            merged: None,
            unit: None,
            webhook: 0,
            device: 0,
            state: State::Waiting,
            tries: 0,
            created_at: self.now,
            next_at: self.now,
            error: String::new(),
        }
    }
}

/// What a command on a case tells to readers who can be reached in one way, and to units, as far as they want it.
fn told_of(
    case: &Case,
    log: &[Event],
    since: u32,
    here: &Here,
    readers: &Readers,
    units: &HashMap<UnitCode, Choice>,
    outside: bool,
) -> Vec<Told> {
    let reporters: Vec<u32> = readers.reporters.iter().map(|(report, _)| *report).collect();
    let merged: Vec<(CaseNumber, u32)> = readers.merged.iter().map(|(own, _)| *own).collect();
    let reached = Reached {
        reporters: &reporters,
        merged: &merged,
        outside,
    };
    let wants = |reader: &Reader, notice: Notice| match reader {
        Reader::Unit(_) => wanted_by_unit(units, reader, notice),
        _ => notice.is_among(readers.choice(reader).kinds),
    };
    told::told(case, log, since, &here.place, reached, &wants)
}

fn wanted_by_unit(units: &HashMap<UnitCode, Choice>, reader: &Reader, notice: Notice) -> bool {
    let Reader::Unit(unit) = reader else { return true };
    units.get(unit).is_none_or(|choice| notice.is_among(choice.kinds))
}

/// When notices go that somebody wants once a day: at eight, on the place's clock.
fn next_morning(here: &Here, now: Timestamp) -> Timestamp {
    const HOUR: i8 = 8;
    let zone = here.place.calendar.zone();
    let today = zone.to_datetime(now).date();
    let mornings = [today, today.saturating_add(jiff::Span::new().days(1))];
    let mornings = mornings
        .into_iter()
        .filter_map(|day| zone.to_timestamp(day.at(HOUR, 0, 0, 0)).ok());
    mornings.into_iter().find(|morning| *morning > now).unwrap_or(now)
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

/// Whose messages are counted together.
#[derive(PartialEq, Eq, Hash)]
enum To {
    Device(i64),
    Unit(UnitCode),
    /// One report's reader of one case, with the case that they reported where that is another.
    Reporter(CaseNumber, u32, Option<CaseNumber>),
}

/// Mails and pushes that were made of late, by reader, those of this round among them.
struct Gathered {
    window: SignedDuration,
    now: Timestamp,
    counts: HashMap<To, u64>,
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
        to: &Delivery,
    ) -> Result<Option<Timestamp>> {
        if self.window.is_zero() {
            return Ok(None);
        }
        let since = self.now - self.window;
        let to = match (&to.unit, to.device) {
            (None, _) => To::Reporter(number, to.report, to.merged),
            (Some(unit), 0) => To::Unit(unit.clone()),
            (Some(_), device) => To::Device(device),
        };
        let of_late = match &to {
            to if self.counts.contains_key(to) => 0,
            To::Device(device) => stored::pushes_to(conn, here.id, *device, since)?,
            To::Unit(unit) => stored::mails_to_unit(conn, here.id, unit, since)?,
            To::Reporter(number, report, merged) => {
                stored::mails_to_reporter(conn, here.id, *number, *report, *merged, since)?
            }
        };
        let count = self.counts.entry(to).or_insert(of_late);
        *count += 1;
        if *count <= AT_ONCE {
            return Ok(None);
        }
        let (window, now) = (self.window.as_micros() as i64, self.now.as_microsecond());
        let end = (now / window + 1) * window;
        Ok(Timestamp::from_microsecond(end).ok())
    }
}
