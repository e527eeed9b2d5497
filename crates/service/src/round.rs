//! Rounds: what a post has to look at, when each was last seen, and that it was seen.
//!
//! Knows the rounds of the place and the looks in the store. Does not know where anybody is.

use jiff::{Timestamp, civil::Date};
use whistle_domain::{
    case::Actor,
    rights,
    round::{Finding, Round, Stop},
    words::{CaseNumber, RoundCode, StopCode},
};
use whistle_store::round as stored;

use crate::{
    Whistle,
    case::{With, earlier, idempotency, keep_answer, made},
    error::{Error, Result, allowed},
    list::Page,
    place::Here,
};

pub use whistle_store::round::{Found, Look};

/// How many rounds a page has; with the most stops of each, what one answer may weigh.
pub const MAX_ROUNDS: usize = 50;

/// How many looks at a stop are shown: a month of every day, and room.
const SHOWN: usize = 50;

/// A round with when each of its stops was last seen.
#[derive(Debug, Clone)]
pub struct Walk {
    /// The round.
    pub round: Round,
    /// Its stops, in the order of the way.
    pub stops: Vec<Walked>,
    /// Whether the actor may say that one was seen.
    pub may_walk: bool,
}

/// A stop with when it was last seen.
#[derive(Debug, Clone)]
pub struct Walked {
    /// The stop.
    pub stop: Stop,
    /// The last look; none when nobody ever looked.
    pub last: Option<Look>,
    /// The day from which on it should be looked at again; none for at once.
    pub due_on: Option<Date>,
    /// Whether that day has come.
    pub is_due: bool,
}

impl Walk {
    /// How many stops should be looked at today.
    pub fn due(&self) -> usize {
        self.stops.iter().filter(|stop| stop.is_due).count()
    }
}

impl Whistle {
    /// A page of the rounds that an actor may see, by code, from the one after `after` on.
    pub async fn rounds(&self, here: &Here, by: &Actor, after: Option<&RoundCode>) -> Result<Page<Walk>> {
        let place = &here.place;
        let mut seen = place
            .rounds()
            .filter(|round| after.is_none_or(|after| round.code > *after))
            .filter(|round| rights::may_see_round(round, by, place));
        let rounds: Vec<Round> = seen.by_ref().take(MAX_ROUNDS).cloned().collect();
        let next = seen.next().and_then(|_| rounds.last());
        Ok(Page {
            next: next.map(|round| round.code.to_string()),
            items: self.walked(here, rounds, by).await?,
            again: None,
        })
    }

    /// One round, if the actor may see it.
    pub async fn round(&self, here: &Here, code: &str, by: &Actor) -> Result<Walk> {
        let found = here.place.round(code);
        let round = found.filter(|round| rights::may_see_round(round, by, &here.place));
        let round = round.ok_or_else(|| Error::not_found("round", code))?.clone();
        let walked = self.walked(here, vec![round], by).await?.pop();
        walked.ok_or_else(|| Error::not_found("round", code))
    }

    /// Says that a stop was looked at and all was well. Sent again under the same key it is said once.
    pub async fn saw_fine(
        &self,
        here: &Here,
        stop: &StopCode,
        made_at: Option<Timestamp>,
        by: &Actor,
        idempotency_key: Option<String>,
    ) -> Result<()> {
        walked_stop(here, stop, by)?;
        let with = With {
            idempotency_key,
            ..With::default()
        };
        let request = idempotency(&with, by, || vec!["saw fine".to_owned(), stop.to_string()])?;
        let now = self.now();
        let look = look(here, Finding::Fine, by, made(made_at, now)?, now)?;
        let (id, stop) = (here.id, stop.clone());
        self.store
            .write(move |tx| -> Result<()> {
                if earlier(tx, id, request.as_ref())?.is_none() {
                    stored::keep(tx, id, &stop, &look, None)?;
                    keep_answer(tx, id, request.as_ref(), CaseNumber(0), 0, now)?;
                }
                Ok(())
            })
            .await?;
        metrics::counter!("whistle_looks_total").increment(1);
        Ok(())
    }

    /// What was found at a stop of late, the newest first, if the actor may see its round.
    pub async fn found_at(&self, here: &Here, stop: &StopCode, by: &Actor) -> Result<Vec<Found>> {
        seen_stop(here, stop, by)?;
        let (id, stop) = (here.id, stop.clone());
        let found = self
            .store
            .look_up(move |conn| stored::history(conn, id, &stop, SHOWN));
        Ok(found.await?)
    }

    async fn walked(&self, here: &Here, rounds: Vec<Round>, by: &Actor) -> Result<Vec<Walk>> {
        let stops = rounds.iter().flat_map(|round| &round.stops);
        let codes: Vec<StopCode> = stops.map(|stop| stop.code.clone()).collect();
        let id = here.id;
        let mut last = self
            .store
            .read(move |conn| stored::last(conn, id, &codes))
            .await?;
        let today = here.place.calendar.zone().to_datetime(self.now()).date();
        let mut walked = |stop: &Stop| {
            let last = last.remove(&stop.code);
            let seen = last.as_ref().map(|look| look.made_on);
            Walked {
                due_on: stop.due_on(seen),
                is_due: stop.is_due(seen, today),
                stop: stop.clone(),
                last,
            }
        };
        let walk = |round: Round| Walk {
            stops: round.stops.iter().map(&mut walked).collect(),
            may_walk: rights::may_walk(&round, by, &here.place),
            round,
        };
        Ok(rounds.into_iter().map(walk).collect())
    }
}

/// A stop of a round that an actor may see. One that it may not is not told apart from one that is not there.
fn seen_stop<'h>(here: &'h Here, code: &StopCode, by: &Actor) -> Result<(&'h Round, &'h Stop)> {
    let found = here.place.stop(code.as_str());
    let seen = found.filter(|(round, _)| rights::may_see_round(round, by, &here.place));
    seen.ok_or_else(|| Error::not_found("stop", code))
}

/// A stop of a round that an actor may walk.
pub(crate) fn walked_stop<'h>(here: &'h Here, code: &StopCode, by: &Actor) -> Result<&'h Stop> {
    let (round, stop) = seen_stop(here, code, by)?;
    allowed(rights::may_walk(round, by, &here.place))?;
    Ok(stop)
}

/// A look by an actor's unit. The minute and the post are not kept.
pub(crate) fn look(
    here: &Here,
    finding: Finding,
    by: &Actor,
    made_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Look> {
    let Actor::Post { unit, .. } = by else {
        return Err(Error::Forbidden);
    };
    let day = |at: Timestamp| here.place.calendar.zone().to_datetime(at).date();
    Ok(Look {
        finding,
        made_on: day(made_at.unwrap_or(now)),
        received_on: day(now),
        unit: Some(unit.clone()),
    })
}
