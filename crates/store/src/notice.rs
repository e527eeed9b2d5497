//! What is told to whom: the outbox that commands fill, the deliveries that are made of it, webhooks, and who wants none.

use std::str::FromStr;

use jiff::Timestamp;
use whistle_domain::words::{CaseNumber, JurisdictionId, Subject, UnitCode, WhistleNumber};

use crate::{
    Conn, Tx,
    case::{Hash, hash_at},
    error::Result,
    params,
    value::Row,
};

/// Events of one command that somebody may have to be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// The case or whistle.
    pub subject: Subject,
    /// The last event.
    pub version: u32,
    /// The first event.
    pub since: u32,
}

/// Messages that wait in the outbox, by case and in the order in which its events happened. Those of whistles come first: they are
/// few, and whoever is called must not wait behind an import.
pub fn outbox(conn: &Conn, jurisdiction: JurisdictionId, limit: usize) -> Result<Vec<Message>> {
    let mut messages = conn.rows(
        "SELECT number, version, since_version
         FROM whistle_outbox
         WHERE jurisdiction_id = $1
         ORDER BY number, version
         LIMIT $2",
        params![jurisdiction.0, limit as i64],
        |row| message(row, Subject::Whistle(WhistleNumber(row.int(0)?))),
    )?;
    let left = limit - messages.len();
    messages.extend(conn.rows(
        "SELECT number, version, since_version
         FROM outbox
         WHERE jurisdiction_id = $1
         ORDER BY number, version
         LIMIT $2",
        params![jurisdiction.0, left as i64],
        |row| message(row, Subject::Case(CaseNumber(row.int(0)?))),
    )?);
    Ok(messages)
}

fn message(row: &Row<'_>, subject: Subject) -> Result<Message> {
    Ok(Message {
        subject,
        version: row.int(1)? as u32,
        since: row.int(2)? as u32,
    })
}

/// Takes a message out of the outbox.
pub fn take(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, message: &Message) -> Result<()> {
    let delete = match message.subject {
        Subject::Case(_) => {
            "DELETE FROM outbox
             WHERE jurisdiction_id = $1 AND number = $2 AND version = $3"
        }
        Subject::Whistle(_) => {
            "DELETE FROM whistle_outbox
             WHERE jurisdiction_id = $1 AND number = $2 AND version = $3"
        }
    };
    tx.queue(
        delete,
        params![jurisdiction.0, message.subject.number(), message.version],
    )
}

/// By which way something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// E-mail.
    Mail,
    /// A signed request.
    Webhook,
    /// A few words to the push service of a device.
    Push,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mail, Self::Webhook, Self::Push];

    /// The word in columns and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
            Self::Push => "push",
        }
    }
}

impl FromStr for Channel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|channel| channel.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no channel"))
    }
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It goes at its time.
    Waiting,
    /// It went.
    Sent,
    /// Nobody wants it any more.
    Dropped,
    /// It was given up; somebody should look.
    Dead,
}

impl State {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Sent, Self::Dropped, Self::Dead];

    /// The word in columns and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Dropped => "dropped",
            Self::Dead => "dead",
        }
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no state; it is waiting, sent, dropped or dead"))
    }
}

/// One thing that is told to one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// By which the reader knows the same one when it comes twice; 0 until it is kept.
    pub id: i64,
    /// The case or whistle.
    pub subject: Subject,
    /// The event that is told of.
    pub version: u32,
    /// By which way.
    pub channel: Channel,
    /// The word of the notice or the event.
    pub notice: String,
    /// Which report's reader, or 0: a unit's, a webhook's, or somebody outside who was asked with the event.
    pub report: u32,
    /// The case that this reader reported, where it was merged into the one that is told of.
    pub merged: Option<CaseNumber>,
    /// Which unit.
    pub unit: Option<UnitCode>,
    /// Which webhook, or 0; of what goes to a device, which push service.
    pub webhook: i64,
    /// Which device, or 0.
    pub device: i64,
    /// How far it is.
    pub state: State,
    /// How often it was tried.
    pub tries: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is tried next; when it was sent, dropped or given up.
    pub next_at: Timestamp,
    /// Why the last try failed, or why it was dropped.
    pub error: String,
}

macro_rules! columns {
    () => {
        "d.delivery_id, d.number, d.version, d.channel, d.notice, d.report, d.unit_code, d.webhook_id, d.state, d.tries,
                d.created_at, d.next_at, d.error, d.subject, d.merged_number, d.device_id"
    };
}

fn delivery(row: &Row<'_>) -> Result<Delivery> {
    let unit = match row.text(6)? {
        "" => None,
        _ => Some(row.parsed(6)?),
    };
    Ok(Delivery {
        id: row.int(0)?,
        subject: match row.text(13)? {
            "whistle" => Subject::Whistle(WhistleNumber(row.int(1)?)),
            _ => Subject::Case(CaseNumber(row.int(1)?)),
        },
        version: row.int(2)? as u32,
        channel: row.parsed(3)?,
        notice: row.text(4)?.to_owned(),
        report: row.int(5)? as u32,
        merged: Some(CaseNumber(row.int(14)?)).filter(|number| number.0 > 0),
        unit,
        webhook: row.int(7)?,
        device: row.int(15)?,
        state: row.parsed(8)?,
        tries: row.int(9)? as u32,
        created_at: row.time(10)?,
        next_at: row.time(11)?,
        error: row.text(12)?.to_owned(),
    })
}

/// Keeps a delivery under a new id.
pub fn keep(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, new: &Delivery) -> Result<()> {
    let id = tx.next_id(jurisdiction.0, "delivery")?;
    tx.put(
        "INSERT INTO delivery (jurisdiction_id, delivery_id, number, version, channel, notice, report, unit_code,
                               webhook_id, state, tries, created_at, next_at, error, subject, merged_number, device_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        params![
            jurisdiction.0,
            id,
            new.subject.number(),
            new.version,
            new.channel.as_str(),
            new.notice,
            new.report,
            new.unit.as_ref().map_or("", UnitCode::as_str),
            new.webhook,
            new.state.as_str(),
            new.tries,
            new.created_at,
            new.next_at,
            new.error,
            new.subject.as_str(),
            merged_number(new),
            new.device
        ],
    )
}

fn merged_number(delivery: &Delivery) -> i64 {
    delivery.merged.map_or(0, |number| number.0)
}

/// Lets what waits for a reader about a case or whistle go now, because what came after it cannot wait. What failed before
/// keeps its time.
pub fn hasten(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    urgent: &Delivery,
    now: Timestamp,
) -> Result<()> {
    tx.queue(
        "UPDATE delivery
         SET next_at = $8
         WHERE jurisdiction_id = $1 AND subject = $2 AND number = $3 AND state = 'waiting' AND tries = 0
           AND channel = $4 AND report = $5 AND unit_code = $6 AND merged_number = $7 AND device_id = $9 AND next_at > $8",
        params![
            jurisdiction.0,
            urgent.subject.as_str(),
            urgent.subject.number(),
            urgent.channel.as_str(),
            urgent.report,
            urgent.unit.as_ref().map_or("", UnitCode::as_str),
            merged_number(urgent),
            now,
            urgent.device
        ],
    )
}

/// Those before which none of the same case or whistle waits for the same reader.
const DUE: &str = concat!(
    "SELECT ",
    columns!(),
    "
         FROM delivery AS d
         WHERE d.jurisdiction_id = $1 AND d.state = 'waiting' AND d.channel = $2 AND d.webhook_id = $3
           AND d.next_at <= $4
           AND NOT EXISTS (SELECT 1
                           FROM delivery AS e
                           WHERE e.jurisdiction_id = d.jurisdiction_id AND e.subject = d.subject AND e.number = d.number
                             AND e.version < d.version AND e.state = 'waiting'
                             AND e.channel = d.channel AND e.webhook_id = d.webhook_id AND e.report = d.report
                             AND e.unit_code = d.unit_code AND e.merged_number = d.merged_number
                             AND e.device_id = d.device_id)
         ORDER BY d.next_at, d.number, d.version
         LIMIT $5"
);

/// Deliveries of one way whose time has come, the oldest first: mail, or those to one webhook or push service. One that comes after another to
/// the same reader about the same case stands behind it, or waits for it, so that nobody is told of the end before the
/// beginning. Which comes after which, the version says: ids of two processes do not follow time. `limit` bounds how many cases
/// of a reader there are.
pub fn due(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    channel: Channel,
    webhook: i64,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Delivery>> {
    let heads = conn.rows(
        DUE,
        params![jurisdiction.0, channel.as_str(), webhook, now, limit as i64],
        delivery,
    )?;
    let mut all = Vec::with_capacity(heads.len());
    for head in heads {
        let behind = behind(conn, jurisdiction, &head, now)?;
        all.push(head);
        all.extend(behind);
    }
    Ok(all)
}

/// What is due to the same reader about the same case after a delivery.
fn behind(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    head: &Delivery,
    now: Timestamp,
) -> Result<Vec<Delivery>> {
    /// More of one case at one time are left for the next time.
    const MOST: i64 = 50;
    let waiting = conn.rows(
        concat!(
            "SELECT ",
            columns!(),
            "
         FROM delivery AS d
         WHERE d.jurisdiction_id = $1 AND d.number = $2 AND d.version > $3 AND d.state = 'waiting'
           AND d.channel = $4 AND d.webhook_id = $5 AND d.report = $6 AND d.unit_code = $7 AND d.subject = $8
           AND d.merged_number = $9 AND d.device_id = $11
         ORDER BY d.version
         LIMIT $10"
        ),
        params![
            jurisdiction.0,
            head.subject.number(),
            head.version,
            head.channel.as_str(),
            head.webhook,
            head.report,
            head.unit.as_ref().map_or("", UnitCode::as_str),
            head.subject.as_str(),
            merged_number(head),
            MOST,
            head.device
        ],
        delivery,
    )?;
    // Up to the first whose time has not come: none goes before it.
    Ok(waiting.into_iter().take_while(|one| one.next_at <= now).collect())
}

/// Deliveries to webhooks, or to devices, that are there no more.
pub fn orphans(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    to: Channel,
    limit: usize,
) -> Result<Vec<Delivery>> {
    match to {
        Channel::Mail => Ok(Vec::new()),
        Channel::Webhook => of_removed_webhooks(conn, jurisdiction, limit),
        Channel::Push => of_removed_devices(conn, jurisdiction, limit),
    }
}

fn of_removed_devices(conn: &Conn, jurisdiction: JurisdictionId, limit: usize) -> Result<Vec<Delivery>> {
    conn.rows(
        concat!(
            "SELECT ",
            columns!(),
            "
         FROM delivery AS d
         WHERE d.jurisdiction_id = $1 AND d.state = 'waiting' AND d.channel = 'push'
           AND NOT EXISTS (SELECT 1
                           FROM push_device AS p
                           WHERE p.jurisdiction_id = d.jurisdiction_id AND p.device_id = d.device_id)
         LIMIT $2"
        ),
        params![jurisdiction.0, limit as i64],
        delivery,
    )
}

fn of_removed_webhooks(conn: &Conn, jurisdiction: JurisdictionId, limit: usize) -> Result<Vec<Delivery>> {
    conn.rows(
        concat!(
            "SELECT ",
            columns!(),
            "
         FROM delivery AS d
         WHERE d.jurisdiction_id = $1 AND d.state = 'waiting' AND d.channel = 'webhook'
           AND NOT EXISTS (SELECT 1
                           FROM webhook AS w
                           WHERE w.jurisdiction_id = d.jurisdiction_id AND w.webhook_id = d.webhook_id)
         LIMIT $2"
        ),
        params![jurisdiction.0, limit as i64],
        delivery,
    )
}

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Which delivery.
    pub id: i64,
    /// How far it is now.
    pub state: State,
    /// When it is tried next, or when that was.
    pub at: Timestamp,
    /// Whether it was a try: what is dropped without one was none.
    pub tries: u32,
    /// Why it did not go; empty when it did.
    pub error: String,
}

/// Notes what became of a try. One that is no longer waiting stays as it is: somebody has decided otherwise.
pub fn note(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, tried: &Tried) -> Result<()> {
    tx.queue(
        "UPDATE delivery
         SET state = $3, next_at = $4, tries = tries + $5, error = $6
         WHERE jurisdiction_id = $1 AND delivery_id = $2 AND state = 'waiting'",
        params![
            jurisdiction.0,
            tried.id,
            tried.state.as_str(),
            tried.at,
            tried.tries,
            tried.error
        ],
    )
}

/// How many deliveries in one state there are, of one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// By which way.
    pub channel: Channel,
    /// How many.
    pub n: u64,
    /// When the oldest of them was made.
    pub oldest: Timestamp,
}

/// How many deliveries wait, or were given up.
pub fn standing(conn: &Conn, jurisdiction: JurisdictionId, state: State) -> Result<Vec<Standing>> {
    conn.rows(
        "SELECT channel, COUNT(*), MIN(created_at)
         FROM delivery
         WHERE jurisdiction_id = $1 AND state = $2
         GROUP BY channel",
        params![jurisdiction.0, state.as_str()],
        |row| {
            Ok(Standing {
                channel: row.parsed(0)?,
                n: row.int(1)? as u64,
                oldest: row.time(2)?,
            })
        },
    )
}

/// Deliveries in one state, the newest first, below an id.
pub fn in_state(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    state: State,
    below: i64,
    limit: usize,
) -> Result<Vec<Delivery>> {
    conn.rows(
        concat!(
            "SELECT ",
            columns!(),
            "
         FROM delivery AS d
         WHERE d.jurisdiction_id = $1 AND d.state = $2 AND d.delivery_id < $3
         ORDER BY d.delivery_id DESC
         LIMIT $4"
        ),
        params![jurisdiction.0, state.as_str(), below, limit as i64],
        delivery,
    )
}

/// The delivery with an id.
pub fn find(conn: &Conn, jurisdiction: JurisdictionId, id: i64) -> Result<Option<Delivery>> {
    conn.row_optional(
        concat!(
            "SELECT ",
            columns!(),
            "
         FROM delivery AS d
         WHERE d.jurisdiction_id = $1 AND d.delivery_id = $2"
        ),
        params![jurisdiction.0, id],
        delivery,
    )
}

/// The deliveries about a case, the newest first.
pub fn of_case(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    limit: usize,
) -> Result<Vec<Delivery>> {
    conn.rows(
        concat!(
            "SELECT ",
            columns!(),
            "
         FROM delivery AS d
         WHERE d.jurisdiction_id = $1 AND d.subject = 'case' AND d.number = $2
         ORDER BY d.version DESC, d.delivery_id DESC
         LIMIT $3"
        ),
        params![jurisdiction.0, number.0, limit as i64],
        delivery,
    )
}

/// The deliveries to a reporter of a case, first things first.
pub fn of_reporter(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    report: u32,
) -> Result<Vec<Delivery>> {
    conn.rows(
        concat!(
            "SELECT ",
            columns!(),
            "
         FROM delivery AS d
         WHERE d.jurisdiction_id = $1 AND d.subject = 'case' AND d.number = $2 AND d.report = $3
         ORDER BY d.version, d.delivery_id"
        ),
        params![jurisdiction.0, number.0, report],
        delivery,
    )
}

/// Erases those. Answers how many there were.
pub fn erase_of_reporter(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    report: u32,
) -> Result<u64> {
    tx.exec(
        "DELETE FROM delivery
         WHERE jurisdiction_id = $1 AND subject = 'case' AND number = $2 AND report = $3",
        params![jurisdiction.0, number.0, report],
    )
}

/// How many mails a unit was made since a time.
pub fn mails_to_unit(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    unit: &UnitCode,
    since: Timestamp,
) -> Result<u64> {
    conn.row(
        "SELECT COUNT(*)
         FROM delivery
         WHERE jurisdiction_id = $1 AND unit_code = $2 AND unit_code <> '' AND channel = 'mail' AND created_at > $3",
        params![jurisdiction.0, unit.as_str(), since],
        |row| Ok(row.int(0)? as u64),
    )
}

/// How many messages a device was made since a time.
pub fn pushes_to(conn: &Conn, jurisdiction: JurisdictionId, device: i64, since: Timestamp) -> Result<u64> {
    conn.row(
        "SELECT COUNT(*)
         FROM delivery
         WHERE jurisdiction_id = $1 AND device_id = $2 AND device_id <> 0 AND created_at > $3",
        params![jurisdiction.0, device, since],
        |row| Ok(row.int(0)? as u64),
    )
}

/// How many mails a reporter was made about a case since a time. `merged` is the case that they reported, where that was
/// merged into it.
pub fn mails_to_reporter(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    report: u32,
    merged: Option<CaseNumber>,
    since: Timestamp,
) -> Result<u64> {
    conn.row(
        "SELECT COUNT(*)
         FROM delivery
         WHERE jurisdiction_id = $1 AND subject = 'case' AND number = $2 AND report = $3 AND merged_number = $4
           AND channel = 'mail' AND created_at > $5",
        params![
            jurisdiction.0,
            number.0,
            report,
            merged.map_or(0, |number| number.0),
            since
        ],
        |row| Ok(row.int(0)? as u64),
    )
}

/// Lets a dead delivery wait again, with all its tries. Answers whether there was one.
pub fn retry(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, id: i64, now: Timestamp) -> Result<bool> {
    let changed = tx.exec(
        "UPDATE delivery
         SET state = 'waiting', tries = 0, next_at = $3
         WHERE jurisdiction_id = $1 AND delivery_id = $2 AND state = 'dead'",
        params![jurisdiction.0, id, now],
    )?;
    Ok(changed == 1)
}

/// Drops a delivery that waits or is dead. Answers whether there was one.
pub fn discard(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    id: i64,
    why: &str,
    now: Timestamp,
) -> Result<bool> {
    let changed = tx.exec(
        "UPDATE delivery
         SET state = 'dropped', next_at = $3, error = $4
         WHERE jurisdiction_id = $1 AND delivery_id = $2 AND state IN ('waiting', 'dead')",
        params![jurisdiction.0, id, now, why],
    )?;
    Ok(changed == 1)
}

/// Deliveries in a state since before a time, at most `most`.
pub fn over(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    state: State,
    before: Timestamp,
    most: usize,
) -> Result<Vec<i64>> {
    conn.rows(
        "SELECT delivery_id
         FROM delivery
         WHERE jurisdiction_id = $1 AND state = $2 AND next_at < $3
         LIMIT $4",
        params![jurisdiction.0, state.as_str(), before, most as i64],
        |row| row.int(0),
    )
}

/// Forgets deliveries that are still in a state.
pub fn forget(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, state: State, ids: &[i64]) -> Result<()> {
    for id in ids {
        tx.queue(
            "DELETE FROM delivery
             WHERE jurisdiction_id = $1 AND delivery_id = $2 AND state = $3",
            params![jurisdiction.0, *id, state.as_str()],
        )?;
    }
    Ok(())
}

/// A system that is told by signed requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its number; 0 until it is kept.
    pub id: i64,
    /// Where requests go.
    pub url: String,
    /// Words of events, or `*`.
    pub events: Vec<String>,
    /// Whether it is told of what the public does not see.
    pub all: bool,
    /// What requests are signed with, sealed.
    pub sealed: Vec<u8>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when it is told nothing; none while it is told.
    pub paused_at: Option<Timestamp>,
}

/// All webhooks.
pub fn webhooks(conn: &Conn, jurisdiction: JurisdictionId) -> Result<Vec<Webhook>> {
    conn.rows(
        "SELECT webhook_id, url, events, scope, sealed, created_at, paused_at
         FROM webhook
         WHERE jurisdiction_id = $1
         ORDER BY webhook_id",
        params![jurisdiction.0],
        |row| {
            Ok(Webhook {
                id: row.int(0)?,
                url: row.text(1)?.to_owned(),
                events: row.text(2)?.split(',').map(str::to_owned).collect(),
                all: row.text(3)? == "all",
                sealed: row.bytes(4)?.to_vec(),
                created_at: row.time(5)?,
                paused_at: row.time_opt(6)?,
            })
        },
    )
}

/// Tells a webhook nothing from a time on, or again. Answers whether there was one for which that is a change.
pub fn pause_webhook(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    id: i64,
    paused_at: Option<Timestamp>,
) -> Result<bool> {
    let changed = match paused_at {
        Some(at) => tx.exec(
            "UPDATE webhook
             SET paused_at = $3
             WHERE jurisdiction_id = $1 AND webhook_id = $2 AND paused_at IS NULL",
            params![jurisdiction.0, id, at],
        )?,
        None => tx.exec(
            "UPDATE webhook
             SET paused_at = NULL
             WHERE jurisdiction_id = $1 AND webhook_id = $2 AND paused_at IS NOT NULL",
            params![jurisdiction.0, id],
        )?,
    };
    Ok(changed == 1)
}

macro_rules! of_webhook_in {
    ($state:literal) => {
        concat!(
            "SELECT * FROM (SELECT ",
            columns!(),
            "
                        FROM delivery AS d
                        WHERE d.jurisdiction_id = $1 AND d.state = '",
            $state,
            "' AND d.channel = 'webhook' AND d.webhook_id = $2
                        ORDER BY d.next_at DESC
                        LIMIT $3) AS ",
            $state
        )
    };
}

/// What was last sent to a webhook, given up, dropped, or waits for it: the newest of each state.
const OF_WEBHOOK: &str = concat!(
    of_webhook_in!("waiting"),
    "
         UNION ALL
         ",
    of_webhook_in!("sent"),
    "
         UNION ALL
         ",
    of_webhook_in!("dropped"),
    "
         UNION ALL
         ",
    of_webhook_in!("dead")
);

/// The last deliveries to a webhook: at most `limit` of each state, by the time of the last try, the newest first.
pub fn of_webhook(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    webhook: i64,
    limit: usize,
) -> Result<Vec<Delivery>> {
    let mut found = conn.rows(
        OF_WEBHOOK,
        params![jurisdiction.0, webhook, limit as i64],
        delivery,
    )?;
    found.sort_by_key(|one| std::cmp::Reverse((one.next_at, one.id)));
    Ok(found)
}

/// The number of a webhook to be.
pub fn next_webhook(tx: &mut Tx<'_>, jurisdiction: JurisdictionId) -> Result<i64> {
    tx.next_id(jurisdiction.0, "webhook")
}

/// Adds a webhook.
pub fn add_webhook(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, new: &Webhook) -> Result<()> {
    tx.put(
        "INSERT INTO webhook (jurisdiction_id, webhook_id, url, events, scope, sealed, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            jurisdiction.0,
            new.id,
            new.url,
            new.events.join(","),
            if new.all { "all" } else { "public" },
            new.sealed,
            new.created_at
        ],
    )
}

/// Keeps the same secret of a webhook sealed anew. Answers how many rows it were.
pub fn seal_anew(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, old: &Webhook, sealed: &[u8]) -> Result<u64> {
    tx.exec(
        "UPDATE webhook
         SET sealed = $4
         WHERE jurisdiction_id = $1 AND webhook_id = $2 AND sealed = $3",
        params![jurisdiction.0, old.id, old.sealed.as_slice(), sealed],
    )
}

/// Removes a webhook; what waits for it is dropped when its time comes. Answers whether there was one.
pub fn remove_webhook(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, id: i64) -> Result<bool> {
    let removed = tx.exec(
        "DELETE FROM webhook
         WHERE jurisdiction_id = $1 AND webhook_id = $2",
        params![jurisdiction.0, id],
    )?;
    Ok(removed == 1)
}

/// What a unit chose of its notices: the words are the reader's to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitChoice {
    /// Which notices.
    pub kinds: String,
    /// When.
    pub pace: String,
    /// In which language; empty for the place's own.
    pub lang: String,
}

/// What units chose, of those that did.
pub fn unit_choices(conn: &Conn, jurisdiction: JurisdictionId) -> Result<Vec<(UnitCode, UnitChoice)>> {
    conn.rows(
        "SELECT unit_code, kinds, pace, lang
         FROM unit_choice
         WHERE jurisdiction_id = $1",
        params![jurisdiction.0],
        |row| {
            let choice = UnitChoice {
                kinds: row.text(1)?.to_owned(),
                pace: row.text(2)?.to_owned(),
                lang: row.text(3)?.to_owned(),
            };
            Ok((row.parsed(0)?, choice))
        },
    )
}

/// Keeps what a unit chose.
pub fn choose(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    unit: &UnitCode,
    choice: &UnitChoice,
) -> Result<()> {
    tx.exec(
        "INSERT INTO unit_choice (jurisdiction_id, unit_code, kinds, pace, lang)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (jurisdiction_id, unit_code) DO UPDATE
         SET kinds = excluded.kinds, pace = excluded.pace, lang = excluded.lang",
        params![
            jurisdiction.0,
            unit.as_str(),
            choice.kinds,
            choice.pace,
            choice.lang
        ],
    )?;
    Ok(())
}

/// An address from which mail came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Its number; 0 until it is kept.
    pub id: i64,
    /// A keyed hash of the address.
    pub who: Hash,
    /// The case or whistle of the mail that came back last.
    pub subject: Subject,
    /// Which report's reader that was for, or 0.
    pub report: u32,
    /// Which unit.
    pub unit: Option<UnitCode>,
    /// How often mail came back.
    pub times: u32,
    /// Whether nothing is sent there any more.
    pub given_up: bool,
    /// When the last came back.
    pub at: Timestamp,
    /// Why, without the address.
    pub why: String,
}

fn failing_row(row: &Row<'_>) -> Result<Failing> {
    let unit = match row.text(5)? {
        "" => None,
        _ => Some(row.parsed(5)?),
    };
    Ok(Failing {
        id: row.int(0)?,
        who: hash(row, 1)?,
        subject: match row.text(2)? {
            "whistle" => Subject::Whistle(WhistleNumber(row.int(3)?)),
            _ => Subject::Case(CaseNumber(row.int(3)?)),
        },
        report: row.int(4)? as u32,
        unit,
        times: row.int(6)? as u32,
        given_up: row.int(7)? == 1,
        at: row.time(8)?,
        why: row.text(9)?.to_owned(),
    })
}

/// An address, by the hashes that it may be known by, if mail came back from it.
pub fn failing(conn: &Conn, jurisdiction: JurisdictionId, hashes: &[Hash]) -> Result<Option<Failing>> {
    for who in hashes {
        let found = conn.row_optional(
            "SELECT failing_id, who, subject, number, report, unit_code, times, given_up, at, why
             FROM failing_address
             WHERE jurisdiction_id = $1 AND who = $2",
            params![jurisdiction.0, *who],
            failing_row,
        )?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// All addresses to which nothing is sent any more, and since when. They are few: each is forgotten after some months.
pub fn given_up(conn: &Conn, jurisdiction: JurisdictionId) -> Result<Vec<(Hash, Timestamp)>> {
    conn.rows(
        "SELECT who, at
         FROM failing_address
         WHERE jurisdiction_id = $1 AND given_up = 1",
        params![jurisdiction.0],
        |row| Ok((hash(row, 0)?, row.time(1)?)),
    )
}

fn hash(row: &Row<'_>, column: usize) -> Result<Hash> {
    row.bytes(column)?
        .try_into()
        .map_err(|_| row.wrong(column, "a hash of 32 bytes", "another length"))
}

/// Addresses from which mail came back, the last first, below a number.
pub fn all_failing(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    below: i64,
    limit: usize,
) -> Result<Vec<Failing>> {
    conn.rows(
        "SELECT failing_id, who, subject, number, report, unit_code, times, given_up, at, why
         FROM failing_address
         WHERE jurisdiction_id = $1 AND failing_id < $2
         ORDER BY failing_id DESC
         LIMIT $3",
        params![jurisdiction.0, below, limit as i64],
        failing_row,
    )
}

/// Keeps that mail came back from an address, under a new number where it is the first time.
pub fn keep_failing(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, new: &Failing) -> Result<()> {
    let id = match new.id {
        0 => tx.next_id(jurisdiction.0, "failing_address")?,
        known => known,
    };
    tx.exec(
        "INSERT INTO failing_address (jurisdiction_id, who, failing_id, subject, number, report, unit_code, times, given_up,
                                      at, why)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (jurisdiction_id, who) DO UPDATE
         SET subject = excluded.subject, number = excluded.number, report = excluded.report,
             unit_code = excluded.unit_code, times = excluded.times, given_up = excluded.given_up, at = excluded.at,
             why = excluded.why",
        params![
            jurisdiction.0,
            new.who,
            id,
            new.subject.as_str(),
            new.subject.number(),
            new.report,
            new.unit.as_ref().map_or("", UnitCode::as_str),
            new.times,
            i64::from(new.given_up),
            new.at,
            new.why
        ],
    )?;
    Ok(())
}

/// Forgets that mail came back from an address. Answers whether it was known.
pub fn trust_again(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, id: i64) -> Result<bool> {
    let forgotten = tx.exec(
        "DELETE FROM failing_address
         WHERE jurisdiction_id = $1 AND failing_id = $2",
        params![jurisdiction.0, id],
    )?;
    Ok(forgotten == 1)
}

/// Forgets addresses from which no mail came back since a time: they are tried again. Answers how many.
pub fn forget_failing(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, before: Timestamp) -> Result<u64> {
    tx.exec(
        "DELETE FROM failing_address
         WHERE jurisdiction_id = $1 AND at < $2",
        params![jurisdiction.0, before],
    )
}

/// Notes that somebody wants no mail.
pub fn opt_out(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, who: &Hash, now: Timestamp) -> Result<()> {
    tx.exec(
        "INSERT INTO opt_out (jurisdiction_id, who, at)
         VALUES ($1, $2, $3)
         ON CONFLICT (jurisdiction_id, who) DO NOTHING",
        params![jurisdiction.0, *who, now],
    )?;
    Ok(())
}

/// Notes that they want it again, by the hashes that they may be known by.
pub fn opt_in(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, hashes: &[Hash]) -> Result<()> {
    for who in hashes {
        tx.queue(
            "DELETE FROM opt_out
             WHERE jurisdiction_id = $1 AND who = $2",
            params![jurisdiction.0, *who],
        )?;
    }
    Ok(())
}

/// Whether somebody wants no mail, by the hashes that they may be known by.
pub fn is_opted_out(conn: &Conn, jurisdiction: JurisdictionId, hashes: &[Hash]) -> Result<bool> {
    for who in hashes {
        let found = conn.row_optional(
            "SELECT 1
             FROM opt_out
             WHERE jurisdiction_id = $1 AND who = $2",
            params![jurisdiction.0, *who],
            |row| row.int(0),
        )?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The most keys by which earlier wishes are known: with a rotation a year, those of a hundred years.
const MAX_OPT_OUT_KEYS: i64 = 100;

/// A sealed key by which wishes are known that were noted while another one was in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOutKey {
    /// Its hash.
    pub hash: Hash,
    /// The key, sealed.
    pub sealed: Vec<u8>,
}

/// The keys by which earlier wishes are known, the youngest first.
pub fn opt_out_keys(conn: &Conn, jurisdiction: JurisdictionId) -> Result<Vec<OptOutKey>> {
    conn.rows(
        "SELECT key_hash, sealed
         FROM opt_out_key
         WHERE jurisdiction_id = $1
         ORDER BY kept_at DESC, key_hash
         LIMIT $2",
        params![jurisdiction.0, MAX_OPT_OUT_KEYS],
        |row| {
            Ok(OptOutKey {
                hash: hash_at(row, 0)?,
                sealed: row.bytes(1)?.to_vec(),
            })
        },
    )
}

/// Keeps such a key, sealed anew where it is there already.
pub fn keep_opt_out_key(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    key: &OptOutKey,
    now: Timestamp,
) -> Result<()> {
    tx.exec(
        "INSERT INTO opt_out_key (jurisdiction_id, key_hash, sealed, kept_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (jurisdiction_id, key_hash)
         DO UPDATE SET sealed = excluded.sealed",
        params![jurisdiction.0, key.hash, key.sealed.as_slice(), now],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn what_is_due_is_found_in_its_order_without_a_look_at_what_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        let steps = store.read_blocking(|conn| {
            conn.rows(
                &format!("EXPLAIN QUERY PLAN {DUE}"),
                params![1_i64, "mail", 0_i64, 0_i64, 10_i64],
                |row| Ok(row.text(3)?.to_owned()),
            )
        });
        let plan = steps.unwrap().join("; ");
        for index in ["delivery_by_state", "delivery_by_subject"] {
            assert!(plan.contains(index), "{plan}");
        }
        assert!(!plan.contains("SCAN"), "a full scan: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "a sort of everything: {plan}");
        let steps = store.read_blocking(|conn| {
            conn.rows(
                &format!("EXPLAIN QUERY PLAN {OF_WEBHOOK}"),
                params![1_i64, 1_i64, 10_i64],
                |row| Ok(row.text(3)?.to_owned()),
            )
        });
        let plan = steps.unwrap().join("; ");
        assert_eq!(plan.matches("delivery_by_state").count(), 4, "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "a sort of everything: {plan}");
    }

    fn to_reporter(version: u32, next_at: i64) -> Delivery {
        Delivery {
            id: 0,
            subject: Subject::Case(CaseNumber(7)),
            version,
            channel: Channel::Mail,
            notice: "comment".to_owned(),
            report: 1,
            merged: None,
            unit: None,
            webhook: 0,
            device: 0,
            state: State::Waiting,
            tries: 0,
            created_at: Timestamp::UNIX_EPOCH,
            next_at: Timestamp::from_second(next_at).unwrap(),
            error: String::new(),
        }
    }

    #[test]
    fn what_is_over_is_found_so_many_at_a_time_and_what_waits_again_is_not_forgotten() {
        const PLACE: JurisdictionId = JurisdictionId(1);
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        let dead = |version: u32, at: i64| Delivery {
            state: State::Dead,
            ..to_reporter(version, at)
        };
        let all = [dead(1, 10), dead(2, 20), dead(3, 30), dead(4, 50)];
        store
            .write_blocking(move |tx| all.iter().try_for_each(|one| keep(tx, PLACE, one)))
            .unwrap();
        let before = Timestamp::from_second(40).unwrap();
        let found = |most| {
            let found = store.read_blocking(|conn| over(conn, PLACE, State::Dead, before, most));
            found.unwrap()
        };
        assert_eq!(found(2).len(), 2);
        let ids = found(9);
        assert_eq!(ids.len(), 3);
        let again = ids[0];
        store
            .write_blocking(move |tx| {
                retry(tx, PLACE, again, before)?;
                forget(tx, PLACE, State::Dead, &ids)
            })
            .unwrap();
        let left = |state| {
            let left = store.read_blocking(|conn| in_state(conn, PLACE, state, i64::MAX, 9));
            left.unwrap().len()
        };
        assert_eq!((left(State::Waiting), left(State::Dead)), (1, 1));
    }

    #[test]
    fn what_cannot_wait_takes_along_what_waits_of_the_same_case_and_what_failed_keeps_its_time() {
        const PLACE: JurisdictionId = JurisdictionId(1);
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        let failed = Delivery {
            subject: Subject::Case(CaseNumber(8)),
            tries: 1,
            ..to_reporter(1, 30)
        };
        let urgent = to_reporter(2, 5);
        let all = [to_reporter(1, 30), urgent.clone(), failed.clone()];
        let now = Timestamp::from_second(5).unwrap();
        store
            .write_blocking(move |tx| {
                all.iter().try_for_each(|one| keep(tx, PLACE, one))?;
                hasten(tx, PLACE, &urgent, now)?;
                hasten(tx, PLACE, &failed, now)
            })
            .unwrap();
        let found = store.read_blocking(|conn| due(conn, PLACE, Channel::Mail, 0, now, 9));
        let versions: Vec<u32> = found.unwrap().iter().map(|one| one.version).collect();
        assert_eq!(versions, [1, 2]);
    }

    #[test]
    fn nothing_goes_before_what_came_before_it_whatever_their_times() {
        const PLACE: JurisdictionId = JurisdictionId(1);
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        // The second was put off, the last are of other readers, and of a whistle that has the number of the case.
        let other = Delivery {
            report: 2,
            ..to_reporter(4, 5)
        };
        let whistle = Delivery {
            subject: Subject::Whistle(WhistleNumber(7)),
            ..to_reporter(5, 6)
        };
        let merged = Delivery {
            merged: Some(CaseNumber(3)),
            ..to_reporter(6, 7)
        };
        let all = [
            to_reporter(1, 10),
            to_reporter(2, 30),
            to_reporter(3, 20),
            other,
            whistle,
            merged.clone(),
        ];
        store
            .write_blocking(move |tx| all.iter().try_for_each(|one| keep(tx, PLACE, one)))
            .unwrap();
        let due = |at: i64| {
            let now = Timestamp::from_second(at).unwrap();
            let found = store.read_blocking(|conn| due(conn, PLACE, Channel::Mail, 0, now, 9));
            let versions = |found: Vec<Delivery>| found.iter().map(|one| one.version).collect::<Vec<_>>();
            found.map(versions).unwrap()
        };
        assert_eq!(due(4), Vec::<u32>::new());
        assert_eq!(due(25), [4, 5, 6, 1]);
        assert_eq!(due(30), [4, 5, 6, 1, 2, 3]);
        // What cannot wait takes along what waits for the same reader, and nothing else.
        let now = Timestamp::from_second(6).unwrap();
        store
            .write_blocking(move |tx| hasten(tx, PLACE, &merged, now))
            .unwrap();
        assert_eq!(due(6), [4, 5, 6]);
    }
}
