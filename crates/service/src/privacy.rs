//! Privacy: what is stored of whom, in the store's own words; and what the holder of a pick-up code sees, corrects and
//! erases of their own.

use jiff::Timestamp;
use serde::Serialize;
use whistle_domain::{
    case::{Actor, Answer, Body, Case, Channel, Event, Location, Photo, Stage},
    command::{Act, Context, decide},
    place::Place,
    words::{CaseNumber, JurisdictionId, ServiceCode},
};
use whistle_store::{
    Tx,
    case::{self as stored, Stored, Tell},
    intake::{self, View},
    notice::{self, Delivery},
    photo,
};

pub use whistle_store::people::{About, Kept, Purpose, Seen};

use crate::{
    Here, Whistle,
    account::{SESSION_LASTS, TRIES_WINDOW},
    case::MAX_MERGED,
    duties::ANSWERS_KEPT,
    error::{Error, Result},
    handover::NOTES_KEPT,
    notices::DEAD_KEPT,
    secret::Contact,
};

/// Something that is stored about people.
#[derive(Debug, Clone)]
pub struct StoredOf {
    /// What for.
    pub purpose: Purpose,
    /// Of whom.
    pub about: &'static [About],
    /// How long.
    pub kept: Kept,
    /// How long that is here, in the unit of the word `kept`: days for what goes after closing, for notices, notes and retries, hours for
    /// sessions, minutes for tries; none where no time is set.
    pub time: Option<i64>,
    /// For whose eyes, at most.
    pub seen: Seen,
    /// In which columns, as `table.column`.
    pub columns: Vec<String>,
}

/// All that is stored about people in a place: everything that the schema has a column for, and nothing else.
pub fn stored_of_people(here: &Here) -> Vec<StoredOf> {
    let settings = &here.place.jurisdiction.settings;
    let time = |kept| match kept {
        Kept::AfterClosing => Some(i64::from(settings.retention_days)),
        Kept::TextsAfterClosing => settings.text_retention_days.map(i64::from),
        Kept::Retries => Some(ANSWERS_KEPT.as_hours() / 24),
        Kept::Session => Some(SESSION_LASTS.as_hours()),
        Kept::Tries => Some(TRIES_WINDOW.as_mins()),
        Kept::Notices => Some(DEAD_KEPT.as_hours() / 24),
        Kept::Acts => Some(i64::from(settings.audit_retention_days)),
        Kept::Handovers => Some(NOTES_KEPT.as_hours() / 24),
        Kept::WithCase | Kept::WithAccount | Kept::UntilTakenBack => None,
    };
    let kept = |purpose: Purpose| match purpose {
        Purpose::Matter if settings.text_retention_days.is_some() => Kept::TextsAfterClosing,
        other => other.kept(),
    };
    Purpose::ALL
        .into_iter()
        .map(|purpose| StoredOf {
            purpose,
            about: purpose.about(),
            kept: kept(purpose),
            time: time(kept(purpose)),
            seen: purpose.seen(),
            columns: purpose.columns().collect(),
        })
        .collect()
}

/// All that is stored of one who reported, as their pick-up code shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Own {
    /// The case.
    pub case: CaseNumber,
    /// Which report of it.
    pub report: u32,
    /// When they reported.
    pub reported_at: Timestamp,
    /// By which way.
    pub channel: Channel,
    /// How they can be reached; none where nothing is known.
    pub contact: Option<Contact>,
    /// What they wrote.
    pub texts: Vec<OwnText>,
    /// Their photos that the case still has.
    pub photos: Vec<Photo>,
    /// Of the first report: what it is about. Kind, point and areas are what is handled, and stay with the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matter: Option<Matter>,
    /// Which posts looked at contact data of the case since they reported.
    pub views: Vec<OwnView>,
    /// What they were told of the case, or were to be told, as long as that is kept.
    pub notices: Vec<OwnNotice>,
}

impl Own {
    /// Whether there is an address or an answer that they typed.
    pub fn is_told(&self) -> bool {
        let told = |matter: &Matter| !matter.location.address.is_empty() || !matter.answers.is_empty();
        self.matter.as_ref().is_some_and(told)
    }
}

/// Words of a reporter.
#[derive(Debug, Clone, Serialize)]
pub struct OwnText {
    /// When.
    pub at: Timestamp,
    /// The word of the event that it came with.
    pub event: &'static str,
    /// The words.
    pub text: String,
}

/// What a report is about.
#[derive(Debug, Clone, Serialize)]
pub struct Matter {
    /// What is asked for.
    pub service: ServiceCode,
    /// Where.
    pub location: Location,
    /// What was answered to the questions of the service.
    pub answers: Vec<Answer>,
}

/// A look at contact data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnView {
    /// When.
    pub at: Timestamp,
    /// The code of the post that looked.
    pub post: String,
}

/// A notice to a reporter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnNotice {
    /// When it went, or is to go.
    pub at: Timestamp,
    /// The word of the notice; of a text message, after `sms `.
    pub notice: String,
    /// By which way.
    pub channel: &'static str,
    /// How far it is.
    pub state: &'static str,
    /// Why it did not arrive; empty when it did.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
}

impl From<Delivery> for OwnNotice {
    fn from(delivery: Delivery) -> Self {
        Self {
            at: delivery.next_at,
            notice: delivery.notice,
            channel: delivery.channel.as_str(),
            state: delivery.state.as_str(),
            error: delivery.error,
        }
    }
}

impl From<View> for OwnView {
    fn from(view: View) -> Self {
        let View { at, post } = view;
        Self { at, post }
    }
}

impl Whistle {
    /// Which posts looked at the contact data of a case, first things first; for its history.
    pub async fn contact_views(&self, here: &Here, number: CaseNumber) -> Result<Vec<OwnView>> {
        let id = here.id;
        let views = self
            .store
            .look_up(move |conn| intake::contact_views(conn, id, number))
            .await?;
        Ok(views.into_iter().map(OwnView::from).collect())
    }

    /// All that is stored of the holder of a code.
    pub async fn own(&self, here: &Here, number: CaseNumber, code: &str) -> Result<Own> {
        let (case, log, report) = self.own_case(here, number, code).await?;
        let id = here.id;
        let (sealed, views, notices) = self
            .store
            .read(move |conn| -> Result<_> {
                let sealed = intake::contacts(conn, id, number)?;
                let views = intake::contact_views(conn, id, number)?;
                Ok((sealed, views, notice::of_reporter(conn, id, number, report)?))
            })
            .await?;
        let contact = sealed
            .into_iter()
            .find(|(of, _)| *of == report)
            .and_then(|(_, sealed)| self.secret.open(&sealed, (id, number, report)));
        let own = || log.iter().filter(|event| event.report() == Some(report));
        let first = own().next().ok_or_else(|| Error::not_found("report", report))?;
        let texts = own().filter(|event| !event.text.is_empty());
        let own_photos = own_photos(&case, &log, Some(report));
        Ok(Own {
            case: number,
            report,
            reported_at: first.at,
            channel: match &first.body {
                Body::Joined { channel, .. } => *channel,
                _ => case.channel,
            },
            contact,
            texts: texts
                .map(|event| OwnText {
                    at: event.at,
                    event: event.body.as_str(),
                    text: event.text.clone(),
                })
                .collect(),
            photos: case
                .photos
                .iter()
                .filter(|photo| own_photos.contains(&photo.id))
                .cloned()
                .collect(),
            matter: (report == 1).then(|| Matter {
                service: case.service.clone(),
                location: case.location.clone(),
                answers: case.answers.clone(),
            }),
            views: views
                .into_iter()
                .filter(|view| view.at >= first.at)
                .map(OwnView::from)
                .collect(),
            notices: notices.into_iter().map(OwnNotice::from).collect(),
        })
    }

    /// Keeps other contact data of the holder of a code than before; none of it where it is empty.
    pub async fn correct_contact(
        &self,
        here: &Here,
        number: CaseNumber,
        code: &str,
        contact: Contact,
    ) -> Result<()> {
        contact.check()?;
        let (_, _, report) = self.own_case(here, number, code).await?;
        let id = here.id;
        let sealed = self.seal(&contact, (id, number, report));
        self.store
            .write(move |tx| -> Result<()> {
                match &sealed {
                    Some(sealed) => intake::correct_contact(tx, id, number, report, sealed)?,
                    None => {
                        intake::erase_contact(tx, id, number, report)?;
                    }
                }
                Ok(())
            })
            .await
    }

    /// Erases what the holder of a code wrote and sent, how they can be reached, and what they were told. The case goes on, and its log says
    /// that it was erased. Answers whether there was anything.
    pub async fn erase_own(&self, here: &Here, number: CaseNumber, code: &str) -> Result<bool> {
        let (_, _, report) = self.own_case(here, number, code).await?;
        let (id, place, now) = (here.id, here.place.clone(), self.clock.now());
        self.store
            .write(move |tx| erase(tx, id, &place, number, Whose::Of(report), now))
            .await
    }

    async fn own_case(&self, here: &Here, number: CaseNumber, code: &str) -> Result<(Case, Vec<Event>, u32)> {
        match self.case_by_code(here, number, code).await? {
            (case, log, Actor::Reporter { report }) => Ok((case, log, report)),
            _ => Err(Error::not_found("case with that code", number)),
        }
    }
}

/// The ids of the photos of a reporter, of all reporters where none is named, which nobody else put into the case as well.
fn own_photos(case: &Case, log: &[Event], report: Option<u32>) -> Vec<String> {
    let is_own = |event: &Event| match report {
        Some(report) => event.report() == Some(report),
        None => event.report().is_some(),
    };
    let brings = |event: &Event, id: &str| event.body.photos().iter().any(|photo| photo.id == id);
    let mut ids: Vec<String> = case.photos.iter().map(|photo| photo.id.clone()).collect();
    ids.dedup();
    ids.retain(|id| {
        let mut bringing = log.iter().filter(|event| brings(event, id)).peekable();
        bringing.peek().is_some() && bringing.all(is_own)
    });
    ids
}

/// What is erased of a case.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose {
    /// Contact data, notices, texts and photos of the one who made this report, at their wish.
    Of(u32),
    /// The texts of all reporters, if the case is closed since before this time.
    AllSince(Timestamp),
}

/// Erases what is a reporter's. Answers whether there was anything.
pub(crate) fn erase(
    tx: &mut Tx<'_>,
    id: JurisdictionId,
    place: &Place,
    number: CaseNumber,
    whose: Whose,
    now: Timestamp,
) -> Result<bool> {
    let Some(before) = stored::find_to_change(tx, id, number)? else {
        return Ok(false);
    };
    let (whose, by) = match whose {
        Whose::Of(report) => (Some(report), Actor::Reporter { report }),
        Whose::AllSince(time) => {
            let is_over = before.case.state.stage() == Stage::Closed
                && before.case.times.closed_at.is_some_and(|at| at < time);
            if !is_over {
                return Ok(false);
            }
            (None, Actor::System)
        }
    };
    let log: Vec<Event> = stored::logs(tx, id, &[number])?
        .into_iter()
        .map(|(_, event)| event)
        .collect();
    let (contact, notices, photos) = match whose {
        Some(report) => (
            intake::erase_contact(tx, id, number, report)?,
            notice::erase_of_reporter(tx, id, number, report)?,
            own_photos(&before.case, &log, whose),
        ),
        None => (false, 0, Vec::new()),
    };
    let is_own = |event: &Event| {
        event
            .report()
            .is_some_and(|of| whose.is_none_or(|report| of == report))
    };
    let versions = |wanted: &dyn Fn(&Event) -> bool| -> Vec<u32> {
        let all = log.iter().zip(1..).filter(|(event, _)| wanted(event));
        all.map(|(_, version)| version).collect()
    };
    // Where staff placed the case anew, they wrote down what the first reporter had said.
    let told = versions(&|event: &Event| event.body.is_told() && whose.is_none_or(|report| report == 1));
    if whose == Some(1) {
        erase_in_parts(tx, id, place, &before.case, &log, now)?;
    }
    let (before, texts): (Stored, u32) = stored::erase_texts(tx, id, before, versions(&is_own), told)?;
    if !contact && texts == 0 && photos.is_empty() {
        // Notices are no part of the case.
        return Ok(notices > 0);
    }
    for photo in &photos {
        photo::let_go(tx, id, photo)?;
    }
    let act = Act::Erase {
        contact,
        texts,
        photos: photos.clone(),
    };
    let context = |by| Context {
        place,
        now,
        by,
        chance: 1.0,
    };
    let events = decide(&before.case, &act, "", context(&by))?;
    let case = stored::commit(tx, id, before, events, &place.calendar, Tell::Nobody)?;
    // The photos went along where the case was merged into another.
    let (mut photos, mut from, mut into) = (photos, number, case.duplicate_of);
    for _ in 0..MAX_MERGED {
        let Some(next) = into else { break };
        let Some(before) = stored::find_to_change(tx, id, next)? else {
            break;
        };
        let logs = stored::logs(tx, id, &[next])?;
        photos.retain(|photo| only_from(from, photo, logs.iter().map(|(_, event)| event)));
        if photos.is_empty() {
            break;
        }
        let act = Act::Erase {
            contact: false,
            texts: 0,
            photos: photos.clone(),
        };
        let events = decide(&before.case, &act, "", context(&Actor::System))?;
        let case = stored::commit(tx, id, before, events, &place.calendar, Tell::Nobody)?;
        (from, into) = (next, case.duplicate_of);
    }
    Ok(true)
}

/// Whether a photo came into a case from that other case alone.
fn only_from<'e>(other: CaseNumber, photo: &str, log: impl Iterator<Item = &'e Event>) -> bool {
    let mut bringing = log
        .filter(|event| event.body.photos().iter().any(|brought| brought.id == photo))
        .peekable();
    let is_from = |event: &Event| matches!(event.body, Body::Absorbed { from, .. } if from == other);
    bringing.peek().is_some() && bringing.all(is_from)
}

/// Parts that are looked through for the address of the whole; nobody splits a case so often that it matters.
const MAX_PARTS: usize = 200;

/// Erases the address of a case in the cases that were split off from it, and in those that were split off from these: it
/// was handed on there, and whoever typed it has no code for them.
fn erase_in_parts(
    tx: &mut Tx<'_>,
    id: JurisdictionId,
    place: &Place,
    whole: &Case,
    log: &[Event],
    now: Timestamp,
) -> Result<()> {
    let address_of = |event: &Event| {
        let told = event.body.clone().take_told();
        told.map(|told| told.address)
            .filter(|address| !address.is_empty())
    };
    let typed: Vec<String> = log.iter().filter_map(address_of).collect();
    let mut parts = whole.split_into.clone();
    for _ in 0..MAX_PARTS {
        let (Some(number), false) = (parts.pop(), typed.is_empty()) else {
            break;
        };
        let Some(part) = stored::find_to_change(tx, id, number)? else {
            continue;
        };
        parts.extend(part.case.split_into.iter().copied());
        let log = stored::logs(tx, id, &[number])?;
        let told: Vec<u32> = (1..)
            .zip(&log)
            .filter(|(_, (_, event))| address_of(event).is_some_and(|address| typed.contains(&address)))
            .map(|(version, _)| version)
            .collect();
        let (part, texts) = stored::erase_texts(tx, id, part, [], told)?;
        if texts > 0 {
            let act = Act::Erase {
                contact: false,
                texts,
                photos: Vec::new(),
            };
            let by = &Actor::System;
            let context = Context {
                place,
                now,
                by,
                chance: 1.0,
            };
            let events = decide(&part.case, &act, "", context)?;
            stored::commit(tx, id, part, events, &place.calendar, Tell::Nobody)?;
        }
    }
    Ok(())
}
