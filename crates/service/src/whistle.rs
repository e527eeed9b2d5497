//! Whistles: blown, acted upon, read, listed. What one does to its cases (that it is told in their logs, that the minutes'
//! duties become assignments) happens in the same transaction.

use jiff::Timestamp;
use whistle_domain::{
    case::{Actor, Case, MAX_TEXT},
    command::{self, Act as CaseAct, Context},
    place::{AreaIndex, Level, Place},
    rights,
    whistle::{
        Event, Stage, Whistle as Blown,
        command::{Act, NewWhistle, Refusal, blow, decide},
    },
    words::{CaseNumber, JurisdictionId, UnitCode, WhistleNumber},
};
use whistle_store::{
    Tx,
    case::{self as cases, Tell},
    lease::{self, Held},
    list::MAX_PAGE,
    whistle::{self as stored, Stored, Whose},
};

use crate::{
    Whistle,
    case::{Acted, Request, With, earlier, idempotency, keep_act},
    error::{Error, Result},
    escalation::is_everybodys,
    list::{DEFAULT_PAGE, Page, read_cursor, write_cursor},
    place::Here,
};

/// Which whistles a list shows.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Those by which the actor's unit is called; else those of its area.
    pub called: bool,
    /// Of the area that the actor sees, those of a part of it alone.
    pub area: Option<AreaIndex>,
    /// Those that are over, or with which the unit has no more to do.
    pub over: bool,
    /// Where the page begins; from [`Page::next`].
    pub after: Option<String>,
    /// How many at most, up to [`MAX_PAGE`]; 50 when 0.
    pub limit: usize,
}

impl Whistle {
    /// Blows a whistle, or asks for it where somebody must approve it. Sent again under the same key it is not blown twice.
    pub async fn blow(
        &self,
        here: &Here,
        new: NewWhistle,
        by: Actor,
        idempotency_key: Option<String>,
    ) -> Result<Blown> {
        let request = request(idempotency_key, &by, || vec!["blow".into(), format!("{new:?}")])?;
        let (id, place) = (here.id, here.place.clone());
        let now = self.clock.now();
        let whistle = self
            .store
            .write(move |tx| {
                if let Some(Acted { now, .. }) = answered(tx, id, request.as_ref())? {
                    return Ok(now);
                }
                let mut numbers = new.cases.clone();
                numbers.sort_unstable();
                numbers.dedup();
                let mut about = Vec::with_capacity(numbers.len());
                for number in numbers.into_iter().take(command_limit()) {
                    about.extend(cases::find_to_change(tx, id, number)?.map(|found| found.case));
                }
                // A case that the post may not see is not told apart from one that is not there.
                // Whoever is called sees what it is about, so it is about no case of a class of access.
                about.retain(|case| rights::may_see(case, &by, &place) && case.access.is_none());
                let number = stored::next_number(tx, id)?;
                let events = blow(&new, number, &about, at(&place, now, &by))?;
                let whistle = stored::commit(tx, id, number, None, events, Tell::Outbox)?;
                tell_cases(tx, id, &place, &whistle, now)?;
                let version = whistle.version;
                keep_act(tx, id, request.as_ref(), CaseNumber(number.0), version, now)?;
                Ok::<_, Error>(whistle)
            })
            .await?;
        metrics::counter!("whistle_blown_total", "kind" => whistle.kind.to_string()).increment(1);
        Ok(whistle)
    }

    /// Does something to a whistle. `seen` is the version that the actor saw: when something else happened meanwhile, the
    /// command is refused as stale. Sent again under the same key it is done once.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a thing of its own, as with cases"
    )]
    pub async fn act_on_whistle(
        &self,
        here: &Here,
        number: WhistleNumber,
        seen: Option<u32>,
        act: Act,
        text: String,
        by: Actor,
        idempotency_key: Option<String>,
    ) -> Result<Acted<Blown>> {
        let request = request(idempotency_key, &by, || {
            vec![
                "act on whistle".into(),
                number.to_string(),
                format!("{act:?}"),
                text.clone(),
            ]
        })?;
        let (id, place) = (here.id, here.place.clone());
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                if let Some(acted) = answered(tx, id, request.as_ref())? {
                    return Ok(acted);
                }
                let before = stored::find_to_change(tx, id, number)?
                    .filter(|found| rights::may_see_whistle(&found.whistle, &by, &place))
                    .ok_or_else(|| Error::not_found("whistle", number))?;
                if let Some(seen) = seen
                    && seen != before.whistle.version
                {
                    let now = before.whistle.version;
                    return Err(Refusal::Stale { seen, now }.into());
                }
                let stage = before.whistle.stage;
                let events = decide(&before.whistle, &act, &text, at(&place, now, &by))?;
                let whistle = stored::commit(tx, id, number, Some(before), events, Tell::Outbox)?;
                if whistle.stage != stage {
                    tell_cases(tx, id, &place, &whistle, now)?;
                }
                if whistle.stage == Stage::Closed && stage == Stage::Blown {
                    hand_out(tx, id, &place, &whistle, &by, now)?;
                }
                let version = whistle.version;
                keep_act(tx, id, request.as_ref(), CaseNumber(number.0), version, now)?;
                Ok::<_, Error>(Acted {
                    now: whistle,
                    version,
                })
            })
            .await
    }

    /// A whistle and its whole log, of one moment, if the actor may see it.
    pub async fn whistle_and_log(
        &self,
        here: &Here,
        number: WhistleNumber,
        by: &Actor,
    ) -> Result<(Blown, Vec<Event>)> {
        let id = here.id;
        let found = self
            .store
            .read(move |conn| -> Result<_> {
                let found = stored::find(conn, id, number)?;
                let log = stored::log(conn, id, number)?;
                Ok(found.map(|found| (found.whistle, log)))
            })
            .await?;
        found
            .filter(|(whistle, _)| rights::may_see_whistle(whistle, by, &here.place))
            .ok_or_else(|| Error::not_found("whistle", number))
    }

    /// A page of whistles that the actor may see.
    pub async fn whistles(&self, here: &Here, query: &Query, by: &Actor) -> Result<Page<Blown>> {
        let after = query.after.as_deref().map(read_cursor).transpose()?;
        let limit = match query.limit {
            0 => DEFAULT_PAGE,
            limit => limit.min(MAX_PAGE),
        };
        let nothing = Page {
            items: Vec::new(),
            again: None,
            next: None,
        };
        let Some(whose) = whose(&here.place, by, query) else {
            return Ok(nothing);
        };
        let (id, open) = (here.id, !query.over);
        let cleared = rights::sight(by, &here.place).narrowed.clearance.classes;
        let (items, next) = self
            .store
            .read(move |conn| stored::list(conn, id, &whose, &cleared, open, after, limit))
            .await?;
        Ok(Page {
            items,
            again: None,
            next: next.map(write_cursor),
        })
    }

    /// The whistles on a case that the actor may see, newest first.
    pub async fn whistles_on(&self, here: &Here, case: CaseNumber, by: &Actor) -> Result<Vec<Blown>> {
        let id = here.id;
        let mut found = self
            .store
            .look_up(move |conn| stored::of_case(conn, id, case))
            .await?;
        found.retain(|whistle| rights::may_see_whistle(whistle, by, &here.place));
        Ok(found)
    }

    /// Has the rules do something to whistles, in one transaction; where it fails, to each in one of its own, so that one that
    /// cannot be read stops no other. Answers how many changed, and what is wrong with which.
    pub(crate) fn in_round(
        &self,
        held: Option<Held>,
        here: &Here,
        act: &Act,
        numbers: Vec<WhistleNumber>,
    ) -> Result<(u64, Vec<(WhistleNumber, Error)>)> {
        if numbers.is_empty() {
            return Ok((0, Vec::new()));
        }
        match self.change_blown(held, here, act, numbers.clone()) {
            Ok(changed) => return Ok((changed, Vec::new())),
            Err(error) if is_everybodys(&error) => return Err(error),
            Err(_) => {}
        }
        let (mut changed, mut failed) = (0, Vec::new());
        for number in numbers {
            match self.change_blown(held, here, act, vec![number]) {
                Ok(more) => changed += more,
                Err(error) if is_everybodys(&error) => return Err(error),
                Err(error) => failed.push((number, error)),
            }
        }
        Ok((changed, failed))
    }

    fn change_blown(
        &self,
        held: Option<Held>,
        here: &Here,
        act: &Act,
        numbers: Vec<WhistleNumber>,
    ) -> Result<u64> {
        let (id, place, now, act) = (here.id, here.place.clone(), self.clock.now(), act.clone());
        self.store.write_blocking(move |tx| -> Result<u64> {
            if let Some(held) = &held {
                lease::hold(tx, held)?;
            }
            let mut changed = 0;
            for &number in &numbers {
                let found = stored::find_to_change(tx, id, number)?;
                let Some(before) = found.filter(|found| found.whistle.stage == Stage::Blown) else {
                    continue;
                };
                let events = decide(&before.whistle, &act, "", at(&place, now, &Actor::System))?;
                if !events.is_empty() {
                    stored::commit(tx, id, number, Some(before), events, Tell::Outbox)?;
                    changed += 1;
                }
            }
            Ok(changed)
        })
    }

    /// Computes the clocks of some more open whistles anew, after one. Answers the last one that was looked at; none when there
    /// are no more.
    pub(crate) fn reckon_whistles_after(
        &self,
        here: &Here,
        after: WhistleNumber,
        held: Option<Held>,
    ) -> Result<Option<WhistleNumber>> {
        /// Whistles of one round: few enough that reports are not kept waiting.
        const ROUND: usize = 100;
        let id = here.id;
        let numbers = self
            .store
            .read_blocking(|conn| stored::open_after(conn, id, after, ROUND))?;
        let last = numbers.last().copied();
        let (_, failed) = self.in_round(held, here, &Act::Reckon, numbers)?;
        for (number, error) in failed {
            tracing::error!(whistle = number.0, %error, "the clocks of a whistle cannot be computed anew");
        }
        Ok(last)
    }
}

/// One more case than a whistle may have, so that too many are refused without reading them all.
const fn command_limit() -> usize {
    whistle_domain::whistle::command::MAX_CASES + 1
}

/// A whistle leaves nothing to chance.
fn at<'a>(place: &'a Place, now: Timestamp, by: &'a Actor) -> Context<'a> {
    Context {
        place,
        now,
        by,
        chance: 1.0,
    }
}

fn request(key: Option<String>, by: &Actor, body: impl FnOnce() -> Vec<String>) -> Result<Option<Request>> {
    let with = With {
        idempotency_key: key,
        ..With::default()
    };
    idempotency(&with, by, body)
}

/// The whistle that a request was answered with before. The number that is kept with the answer is the whistle's here.
fn answered(tx: &Tx<'_>, id: JurisdictionId, request: Option<&Request>) -> Result<Option<Acted<Blown>>> {
    let Some(answered) = earlier(tx, id, request)? else {
        return Ok(None);
    };
    let found = stored::find(tx, id, WhistleNumber(answered.number.0))?;
    Ok(found.map(|Stored { whistle, .. }| Acted {
        version: answered.version.unwrap_or(whistle.version),
        now: whistle,
    }))
}

/// Whose whistles a list of an actor shows: by the same rule of sight as a single one.
fn whose(place: &Place, by: &Actor, query: &Query) -> Option<Whose> {
    let sight = rights::sight(by, place);
    if query.called {
        return sight.unit.map(Whose::Unit);
    }
    if !sight.narrowed.is_whole() {
        return None;
    }
    let own = sight.area?;
    let wanted = query.area.unwrap_or(own);
    if !place.areas.is_within(wanted, own) {
        return None;
    }
    let area = place.areas.get(wanted);
    Some(match area.level {
        Level::City => Whose::All,
        level => Whose::Area(level, area.code.to_string()),
    })
}

/// Notes in the log of each case where the whistle stands now. A case is told of units that are called, not of a wish.
fn tell_cases(
    tx: &mut Tx<'_>,
    id: JurisdictionId,
    place: &Place,
    whistle: &Blown,
    now: Timestamp,
) -> Result<()> {
    if whistle.times.blown_at.is_none() {
        return Ok(());
    }
    let act = CaseAct::Whistle {
        whistle: whistle.number,
        stage: whistle.stage,
    };
    for &number in &in_order(whistle) {
        if let Some(before) = cases::find_to_change(tx, id, number)? {
            let events = command::decide(&before.case, &act, "", at(place, now, &Actor::System))?;
            // Reporters are not told of it; the units are, by the whistle's own messages.
            cases::commit(tx, id, before, events, &place.calendar, Tell::Nobody)?;
        }
    }
    Ok(())
}

/// Splits the minutes' duties into assignments: a case gets the unit of its first duty as its lead, unless that unit leads
/// it already, and each further unit with a duty in it as a joint unit, with what it is to do and its limit. All of a case is
/// one change of it. What the table of transitions does not let whoever closed the whistle do now, stays in the whistle alone.
fn hand_out(
    tx: &mut Tx<'_>,
    id: JurisdictionId,
    place: &Place,
    whistle: &Blown,
    by: &Actor,
    now: Timestamp,
) -> Result<()> {
    for number in in_order(whistle) {
        let Some(lead) = lead_of(whistle, number) else {
            continue;
        };
        let Some(before) = cases::find_to_change(tx, id, number)? else {
            continue;
        };
        let (mut case, mut events) = (before.case.clone(), Vec::new());
        for (act, text) in assignments(whistle, &case, lead) {
            match command::decide(&case, &act, &text, at(place, now, by)) {
                Ok(made) => {
                    for event in &made {
                        let folded = case.apply(event);
                        debug_assert!(folded.is_ok(), "{folded:?}");
                    }
                    events.extend(made);
                }
                Err(refusal) => {
                    tracing::info!(case = number.0, whistle = whistle.number.0, %refusal, "a duty became no assignment");
                }
            }
        }
        if !events.is_empty() {
            cases::commit(tx, id, before, events, &place.calendar, Tell::Outbox)?;
        }
    }
    Ok(())
}

/// What the minutes make of a case: its lead, and after it the parts of the other units. Of a unit with several duties in it
/// they are one part, with the longest of their limits: that is when the last of them is due.
pub(crate) fn assignments(whistle: &Blown, case: &Case, lead: &UnitCode) -> Vec<(CaseAct, String)> {
    let mut made = Vec::new();
    if case.lead.as_ref() != Some(lead) {
        let act = CaseAct::Assign {
            unit: Some(lead.clone()),
        };
        made.push((act, whistle.minutes.clone()));
    }
    let of_case = || whistle.duties.iter().filter(|duty| duty.case == case.number);
    let mut units: Vec<&UnitCode> = Vec::new();
    for duty in of_case() {
        if duty.unit != *lead && !units.contains(&&duty.unit) {
            units.push(&duty.unit);
        }
    }
    for unit in units {
        let duties = || of_case().filter(|duty| duty.unit == *unit);
        let last = duties().max_by_key(|duty| duty.due_at);
        let tasks: Vec<&str> = duties().map(|duty| duty.what.as_str()).collect();
        let act = CaseAct::AssignJoint {
            unit: unit.clone(),
            limit: last.map(|duty| duty.limit),
        };
        let task: String = tasks.join("\n").chars().take(MAX_TEXT).collect();
        made.push((act, task));
    }
    made
}

/// The unit that leads a case by the minutes: the whistle's lead if it has a duty there, else the first that has.
fn lead_of(whistle: &Blown, case: CaseNumber) -> Option<&UnitCode> {
    let duties = || whistle.duties.iter().filter(|duty| duty.case == case);
    let lead = duties().find(|duty| duty.unit == whistle.lead);
    lead.or_else(|| duties().next()).map(|duty| &duty.unit)
}

/// The cases in the order in which every command takes them, so that no two wait for each other.
fn in_order(whistle: &Blown) -> Vec<CaseNumber> {
    let mut numbers = whistle.cases.clone();
    numbers.sort_unstable();
    numbers
}
