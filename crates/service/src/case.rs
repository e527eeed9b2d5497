//! Cases: reported, joined, acted upon, read.

use jiff::{SignedDuration, Timestamp};
use whistle_domain::{
    case::{Actor, Body, Case, Channel, Event, Photo, Question, Respondent},
    command::{self, Act, Context, NewReport, Whereabouts},
    duplicate::{Near, near_duplicates},
    geometry::{BBox, Point, Spot},
    rights,
    round::Finding,
    transition::{self, Verb},
    words::{CaseNumber, JurisdictionId, ServiceCode, StopCode},
};
use whistle_store::{
    case::{self as stored, Hash, Prepared, Stored, Tell},
    intake::{self, Answered, Sealed},
    lease::{self, Held},
    list::{Filter, List, Order, Sight},
    round as looks,
};

use crate::{
    Whistle,
    error::{Error, Result},
    list::{Viewer, sight_of},
    place::Here,
    round::{look, walked_stop},
    secret::Contact,
};

/// What comes with a report besides the matter.
#[derive(Debug, Clone, Default)]
pub struct With {
    /// How the reporter can be reached.
    pub contact: Contact,
    /// The client's key for this request: sent again with it, the request makes no second case.
    pub idempotency_key: Option<String>,
    /// When it was made by the reporter's clock, where it was kept without a network.
    pub made_at: Option<Timestamp>,
    /// The stop of a round where it was found. Where the report has no point, it is the stop's.
    pub stop: Option<StopCode>,
}

/// What comes with an act besides what is done.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// As [`With::idempotency_key`].
    pub idempotency_key: Option<String>,
    /// As [`With::made_at`].
    pub made_at: Option<Timestamp>,
    /// Photos that are added with it.
    pub photos: Vec<Photo>,
}

/// The longest that something is kept without a network, in hours: a phone that lay in a drawer for a month. As long as retries are
/// known again, so that what is still taken is never done twice.
pub(crate) const KEPT_HOURS: i64 = 30 * 24;

/// How far a clock elsewhere may be fast before it is not believed, in seconds.
const FAST_SECONDS: i64 = 300;

/// The most letters of an idempotency key.
const MAX_IDEMPOTENCY_KEY: usize = 200;

/// What a reporter gets.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The case.
    pub number: CaseNumber,
    /// Which report of the case this was.
    pub report: u32,
    /// The code with which the reporter follows, rates and asks to reopen.
    pub code: String,
    /// Whether this answers an earlier request again.
    pub again: bool,
}

/// How a reporter can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reachable {
    /// The case that they reported: it, or one that was merged into it. Their pick-up code is for this one.
    pub number: CaseNumber,
    /// Which report of that case is theirs.
    pub report: u32,
    /// How they can be reached.
    pub contact: Contact,
    /// Since when no mail goes to their address, because it came back from there.
    pub failing_since: Option<Timestamp>,
}

/// Work that was handed in, and the one who may judge it by a link.
#[derive(Debug, Clone)]
pub struct Judging {
    /// The case.
    pub case: Case,
    /// Its log.
    pub log: Vec<Event>,
    /// Who has the link.
    pub by: Actor,
    /// Whether it is still theirs to judge.
    pub open: bool,
}

/// A question and who answers it by its link.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The case.
    pub case: Case,
    /// The question; none when it was answered, or can no longer be.
    pub open: Option<Question>,
    /// Who has the link.
    pub by: Actor,
}

/// See [`stored::MAX_MERGED`].
pub(crate) const MAX_MERGED: usize = stored::MAX_MERGED;

/// A case or whistle as it is now, and which version of it an act led to. That is an earlier one where the act was sent again and
/// something else was done since.
#[derive(Debug, Clone)]
pub struct Acted<T> {
    /// As it is now.
    pub now: T,
    /// What the act led to.
    pub version: u32,
}

impl Acted<Case> {
    fn done(case: Case) -> Self {
        Self {
            version: case.version,
            now: case,
        }
    }
}

impl Whistle {
    /// Files a report: one case, straight through to its unit where nothing is in doubt.
    pub async fn report(&self, here: &Here, mut new: NewReport, by: Actor, with: With) -> Result<Receipt> {
        with.contact.check()?;
        let request = idempotency(&with, &by, || {
            let stop = with.stop.iter().map(ToString::to_string);
            std::iter::once(format!("{new:?}")).chain(stop).collect()
        })?;
        let (now, chance) = (self.clock.now(), self.chance.draw());
        let place = &here.place;
        let made_at = made(with.made_at, now)?;
        let look = with
            .stop
            .as_ref()
            .map(|stop| found_at(here, stop, &mut new, &by, made_at, now));
        let look = look.transpose()?;
        let number = self.number(here).await?;
        // All but the statements is worked out here, so that the one thread that writes only writes.
        let mut events = command::report(
            &new,
            number,
            Context {
                place,
                now,
                by: &by,
                chance,
            },
        )?;
        stamp(&mut events, made_at);
        let prepared = Prepared::new(here.id, number, None, events, &place.calendar)?;
        metrics::counter!("whistle_reports_total", "channel" => new.channel.as_str()).increment(1);
        let id = here.id;
        let sealed = self.seal(&with.contact, (id, number, 1));
        let written = self.store.write(move |tx| -> Result<_> {
            if let Some(earlier) = earlier(tx, id, request.as_ref())? {
                return Ok(Some(earlier));
            }
            prepared.write(tx, Tell::Outbox)?;
            keep_contact(tx, id, number, 1, sealed.as_deref())?;
            if let Some((stop, look)) = &look {
                looks::keep(tx, id, stop, look, Some(number))?;
            }
            keep_answer(tx, id, request.as_ref(), number, 1, now)?;
            Ok(None)
        });
        Ok(match written.await? {
            Some(earlier) => self.receipt(id, earlier.number, earlier.report, true),
            None => self.receipt(id, number, 1, false),
        })
    }

    /// The next free case number. Taken from a block that is reserved in memory; what is not used of it is a gap.
    async fn number(&self, here: &Here) -> Result<CaseNumber> {
        /// Numbers reserved at a time: a restart wastes no more.
        const BLOCK: usize = 128;
        let id = here.id;
        let reserved = || {
            self.numbers
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        };
        if let Some(number) = reserved().entry(id).or_default().pop_front() {
            return Ok(number);
        }
        let block = self.store.write(move |tx| {
            (0..BLOCK)
                .map(|_| stored::next_number(tx, id))
                .collect::<whistle_store::Result<Vec<_>>>()
        });
        let mut block = block.await?.into_iter();
        let first = block
            .next()
            .ok_or(Error::Busy(std::time::Duration::from_secs(1)))?;
        reserved().entry(id).or_default().extend(block);
        Ok(first)
    }

    /// Joins one more report to a case; its reporter gets a code of their own.
    pub async fn join(
        &self,
        here: &Here,
        number: CaseNumber,
        channel: Channel,
        text: String,
        by: Actor,
        with: With,
    ) -> Result<Receipt> {
        with.contact.check()?;
        let request = idempotency(&with, &by, || {
            vec!["join".into(), number.to_string(), text.clone()]
        })?;
        let (whistle, id, place) = (self.clone(), here.id, here.place.clone());
        let (now, chance) = (self.clock.now(), self.chance.draw());
        self.store
            .write(move |tx| {
                if let Some(earlier) = earlier(tx, id, request.as_ref())? {
                    return Ok(whistle.receipt(id, earlier.number, earlier.report, true));
                }
                let before = stored::find_to_change(tx, id, number)?
                    .ok_or_else(|| Error::not_found("case", number))?;
                if !before.case.public && !rights::may_see(&before.case, &by, &place) {
                    return Err(Error::not_found("case", number));
                }
                let context = Context {
                    place: &place,
                    now,
                    by: &by,
                    chance,
                };
                let events = command::decide(&before.case, &Act::Join { channel }, &text, context)?;
                let case = stored::commit(tx, id, before, events, &place.calendar, Tell::Outbox)?;
                let sealed = whistle.seal(&with.contact, (id, number, case.reports));
                keep_contact(tx, id, number, case.reports, sealed.as_deref())?;
                keep_answer(tx, id, request.as_ref(), number, case.reports, now)?;
                Ok(whistle.receipt(id, number, case.reports, false))
            })
            .await
    }

    /// Does something to a case. `seen` is the version that the actor saw: when something else happened meanwhile,
    /// the command is refused as stale.
    pub async fn act(
        &self,
        here: &Here,
        number: CaseNumber,
        seen: Option<u32>,
        act: Act,
        text: String,
        by: Actor,
    ) -> Result<Case> {
        self.act_with(here, number, seen, act, text, by, Contact::default())
            .await
    }

    /// The same; where it asks somebody outside a question, `respondent` says how to send them its link. That is erased when
    /// the question is over.
    #[expect(clippy::too_many_arguments, reason = "those of an act, and who is asked")]
    pub async fn act_with(
        &self,
        here: &Here,
        number: CaseNumber,
        seen: Option<u32>,
        act: Act,
        text: String,
        by: Actor,
        respondent: Contact,
    ) -> Result<Case> {
        let acted = self.act_once(here, number, seen, act, text, by, respondent, Sent::default());
        Ok(acted.await?.now)
    }

    /// The same, with photos, at the time when it was made; sent again under the same key it is done once.
    #[expect(
        clippy::too_many_arguments,
        reason = "those of an act, and what comes with it"
    )]
    pub async fn act_once(
        &self,
        here: &Here,
        number: CaseNumber,
        seen: Option<u32>,
        act: Act,
        text: String,
        by: Actor,
        respondent: Contact,
        sent: Sent,
    ) -> Result<Acted<Case>> {
        respondent.check()?;
        let asks_outside = matches!(
            act,
            Act::Ask {
                of: Respondent::Outside,
                ..
            }
        );
        if !respondent.is_empty() && !asks_outside {
            let why = "an address is taken only of somebody outside who is asked a question";
            return Err(Error::invalid("email", why));
        }
        let whistle = self.clone();
        let (id, place) = (here.id, here.place.clone());
        let (now, chance) = (self.clock.now(), self.chance.draw());
        let verb = act.verb().as_str();
        let made_at = made(sent.made_at, now)?;
        let with = With {
            idempotency_key: sent.idempotency_key,
            ..With::default()
        };
        let request = idempotency(&with, &by, || {
            let photos = sent.photos.iter().map(|photo| photo.id.clone());
            let parts = [
                "act on case".to_owned(),
                number.to_string(),
                format!("{act:?}"),
                text.clone(),
            ];
            parts.into_iter().chain(photos).collect()
        })?;
        let photos = sent.photos;
        let act = self.with_reach(here, number, act).await?;
        let acted = self
            .store
            .write(move |tx| -> Result<Acted<Case>> {
                let before = stored::find_to_change(tx, id, number)?
                    .filter(|found| is_in_sight(&found.case, &by, &place))
                    .ok_or_else(|| Error::not_found("case", number))?;
                if let Some(earlier) = earlier(tx, id, request.as_ref())? {
                    return Ok(Acted {
                        version: earlier.version.unwrap_or(before.case.version),
                        now: before.case,
                    });
                }
                let Act::Merge { into } = &act else {
                    let moment = Moment { now, made_at, chance };
                    let case = change_made(tx, id, &place, before, seen, &act, &text, &by, moment)?;
                    let case = add_photos(tx, id, &place, case, &photos, &by, moment)?;
                    keep_act(tx, id, request.as_ref(), number, case.version, now)?;
                    if let Some(question) = case.question.as_ref().filter(|_| !respondent.is_empty()) {
                        let of = (id, number, question.number);
                        let sealed = whistle.secret.seal_respondent(&respondent, of, &whistle.chance);
                        intake::keep_respondent(tx, id, number, question.number, &sealed)?;
                    }
                    return Ok(Acted::done(case));
                };
                let original = stored::find_to_change(tx, id, *into)?
                    .filter(|found| rights::may_see(&found.case, &by, &place))
                    .ok_or_else(|| Error::not_found("case", into))?;
                if before.case.access != original.case.access {
                    return Err(command::Refusal::OtherClass.into());
                }
                if let Some(further) = original.case.duplicate_of {
                    return Err(command::Refusal::OriginalMerged(further).into());
                }
                let merged = change(tx, id, &place, before, seen, &act, &text, &by, now, chance)?;
                // What the public did not see, it does not see there either.
                let shown = |photo: &Photo| Photo {
                    public: photo.public && merged.public,
                    ..photo.clone()
                };
                let absorb = Act::Absorb {
                    from: number,
                    photos: merged.photos.iter().map(shown).collect(),
                };
                change(
                    tx,
                    id,
                    &place,
                    original,
                    None,
                    &absorb,
                    "",
                    &Actor::System,
                    now,
                    chance,
                )?;
                keep_act(tx, id, request.as_ref(), number, merged.version, now)?;
                Ok(Acted::done(merged))
            })
            .await?;
        metrics::counter!("whistle_commands_total", "verb" => verb).increment(1);
        Ok(acted)
    }

    /// Says with a question whether the reporter who is asked can be reached.
    async fn with_reach(&self, here: &Here, number: CaseNumber, mut act: Act) -> Result<Act> {
        if let Act::Ask {
            of: Respondent::Reporter { report },
            reachable,
            ..
        } = &mut act
        {
            let id = here.id;
            let sealed = self
                .store
                .look_up(move |conn| intake::contacts(conn, id, number))
                .await?;
            let theirs = sealed.iter().find(|(of, _)| of == report);
            let contact = theirs.and_then(|(_, sealed)| self.secret.open(sealed, (id, number, *report)));
            *reachable =
                contact.is_some_and(|contact| !contact.email.is_empty() || !contact.phone.is_empty());
        }
        Ok(act)
    }

    /// Makes a part of a case a case of its own, described by `text`; it lies where the whole does, unless it is said
    /// where. Answers the case it was in, and the new one.
    #[expect(clippy::too_many_arguments, reason = "those of an act, and what the part is")]
    pub async fn split(
        &self,
        here: &Here,
        number: CaseNumber,
        seen: Option<u32>,
        service: ServiceCode,
        whereabouts: Whereabouts,
        text: String,
        by: Actor,
    ) -> Result<(Case, Case)> {
        let (id, place) = (here.id, here.place.clone());
        let (now, chance) = (self.clock.now(), self.chance.draw());
        let into = self.number(here).await?;
        let cases = self
            .store
            .write(move |tx| -> Result<_> {
                let before = stored::find_to_change(tx, id, number)?
                    .filter(|found| is_in_sight(&found.case, &by, &place))
                    .ok_or_else(|| Error::not_found("case", number))?;
                refuse_stale(seen, &before)?;
                let context = Context {
                    place: &place,
                    now,
                    by: &by,
                    chance,
                };
                let whole = &before.case;
                let part = NewReport {
                    service: service.clone(),
                    standard: None,
                    whereabouts: if whereabouts == Whereabouts::default() {
                        Whereabouts {
                            point: whole.location.point,
                            address: whole.location.address.clone(),
                            area: whole.location.areas.deepest().cloned(),
                        }
                    } else {
                        whereabouts.clone()
                    },
                    description: text.clone(),
                    answers: Vec::new(),
                    channel: whole.channel,
                    photos: Vec::new(),
                    fixed: None,
                };
                let told = command::split(&before.case, &part, into, context)?;
                let original = stored::commit(tx, id, before, told.original, &place.calendar, Tell::Outbox)?;
                let part = Prepared::new(id, into, None, told.part, &place.calendar)?;
                part.write(tx, Tell::Outbox)?;
                Ok((original, part.into_case()))
            })
            .await?;
        metrics::counter!("whistle_commands_total", "verb" => "split").increment(1);
        Ok(cases)
    }

    /// The question that a link leads to. A link that we did not give out, and one to no case, look the same.
    pub async fn asked(&self, here: &Here, link: &str) -> Result<Asked> {
        let unknown = || Error::not_found("question", "");
        let (number, question) = self.secret.question_of_link(here.id, link).ok_or_else(unknown)?;
        let case = self.case(here, number).await?;
        let now = self.clock.now();
        let open = case.question.clone();
        let open = open.filter(|open| open.number == question && open.until > now);
        let by = match open.as_ref().map(|open| open.of) {
            Some(Respondent::Reporter { report }) => Actor::Reporter { report },
            _ => Actor::Asked { question },
        };
        Ok(Asked { case, open, by })
    }

    /// The last part of the link to the question that is open.
    pub fn question_link(&self, here: &Here, case: &Case) -> Option<String> {
        let question = case.question.as_ref()?;
        Some(self.secret.question_link(here.id, case.number, question.number))
    }

    /// The work that a link leads to, handed in with one version of a case. A link that we did not give out, and one to no
    /// case, look the same.
    pub async fn judging(&self, here: &Here, link: &str) -> Result<Judging> {
        let unknown = || Error::not_found("link like this", "");
        let (number, version) = self.secret.handled_of_link(here.id, link).ok_or_else(unknown)?;
        let (case, log) = self.case_and_log(here, number).await?;
        let by = Actor::Reporter { report: 1 };
        let open = judges(here, &case, &log, version, self.clock.now());
        Ok(Judging { case, log, by, open })
    }

    /// The case that goes on where this one was merged into another, and its log; none where it was not.
    pub async fn goes_on_as(&self, here: &Here, case: &Case) -> Result<Option<(Case, Vec<Event>)>> {
        let (id, Some(next)) = (here.id, case.duplicate_of) else {
            return Ok(None);
        };
        let found = self.store.read(move |conn| -> whistle_store::Result<_> {
            match stored::goes_on_as(conn, id, next)? {
                Some(last) => stored::with_log(conn, id, last.number),
                None => Ok(None),
            }
        });
        Ok(found.await?)
    }

    /// How many reports the cases have that were merged into one, and into those, as far as the actor may reach them.
    pub async fn merged_reports(&self, here: &Here, case: &Case, by: &Actor) -> Result<u32> {
        if case.absorbed.is_empty() {
            return Ok(0);
        }
        let (id, case) = (here.id, case.clone());
        let cases = self.store.read(move |conn| with_merged(conn, id, case)).await?;
        let merged = cases.iter().skip(1);
        let reached = merged.filter(|case| rights::may_reach_merged(case, by, &here.place));
        Ok(reached.map(|case| case.reports).sum())
    }

    /// Says something publicly about a public case, with photos; for other systems that follow it. Sent again under the
    /// same key it is not said twice. Answers which event of the log it became.
    pub async fn remark(
        &self,
        here: &Here,
        number: CaseNumber,
        text: String,
        photos: Vec<Photo>,
        by: Actor,
        idempotency_key: Option<String>,
    ) -> Result<u32> {
        let with = With {
            idempotency_key,
            ..With::default()
        };
        let request = idempotency(&with, &by, || {
            vec![
                "remark".into(),
                number.to_string(),
                text.clone(),
                format!("{photos:?}"),
            ]
        })?;
        let (id, place) = (here.id, here.place.clone());
        let (now, chance) = (self.clock.now(), self.chance.draw());
        self.store
            .write(move |tx| {
                // The number that is kept with the answer is the event's here, not the report's.
                if let Some(earlier) = earlier(tx, id, request.as_ref())? {
                    return Ok(earlier.report);
                }
                let find = |tx: &mut whistle_store::Tx<'_>| -> Result<Stored> {
                    stored::find_to_change(tx, id, number)?
                        .filter(|found| found.case.public)
                        .ok_or_else(|| Error::not_found("case", number))
                };
                let before = find(tx)?;
                let said = before.case.version + 1;
                let act = Act::Comment { public: true };
                change(tx, id, &place, before, None, &act, &text, &by, now, chance)?;
                for photo in &photos {
                    let before = find(tx)?;
                    let act = Act::AddPhoto { photo: photo.clone() };
                    change(tx, id, &place, before, None, &act, "", &by, now, chance)?;
                }
                keep_answer(tx, id, request.as_ref(), number, said, now)?;
                Ok(said)
            })
            .await
    }

    /// The case with a number.
    pub async fn case(&self, here: &Here, number: CaseNumber) -> Result<Case> {
        let id = here.id;
        let found = self
            .store
            .look_up(move |conn| stored::find(conn, id, number))
            .await?;
        found
            .map(|s| s.case)
            .ok_or_else(|| Error::not_found("case", number))
    }

    /// The case with a number and its whole log, of one moment.
    pub async fn case_and_log(&self, here: &Here, number: CaseNumber) -> Result<(Case, Vec<Event>)> {
        let id = here.id;
        self.store
            .look_up(move |conn| stored::with_log(conn, id, number))
            .await?
            .ok_or_else(|| Error::not_found("case", number))
    }

    /// The same, if the public may see it.
    pub async fn public_case_and_log(&self, here: &Here, number: CaseNumber) -> Result<(Case, Vec<Event>)> {
        let (case, log) = self.case_and_log(here, number).await?;
        if case.public {
            Ok((case, log))
        } else {
            Err(Error::not_found("case", number))
        }
    }

    /// The case, its log and who the holder of a pick-up code is. A wrong code and a wrong number look the same.
    pub async fn case_by_code(
        &self,
        here: &Here,
        number: CaseNumber,
        code: &str,
    ) -> Result<(Case, Vec<Event>, Actor)> {
        let wrong = || Error::not_found("case with that code", number);
        let (case, log) = self
            .case_and_log(here, number)
            .await
            .map_err(|error| match error {
                Error::NotFound { .. } => wrong(),
                other => other,
            })?;
        let report = self
            .secret
            .report_of_code(here.id, number, case.reports, code)
            .ok_or_else(wrong)?;
        Ok((case, log, Actor::Reporter { report }))
    }

    /// Open cases that may be the same matter and that the viewer may see, nearest first; for the offer before a report
    /// is sent.
    pub async fn near(
        &self,
        here: &Here,
        service: ServiceCode,
        point: Point,
        viewer: Viewer<'_>,
    ) -> Result<Vec<Near>> {
        /// Candidates looked at: a spot with more open cases of one service offers the newest of them.
        const CANDIDATES: usize = 200;
        let settings = &here.place.jurisdiction.settings;
        let now = self.clock.now();
        let since = now - jiff::SignedDuration::from_hours(i64::from(settings.duplicate_hours));
        let sight = match viewer {
            Viewer::Public => None,
            Viewer::Staff(actor) => Some(Sight {
                or_public: true,
                ..sight_of(actor, &here.place)
            }),
        };
        let filter = Filter {
            open: Some(true),
            public: matches!(viewer, Viewer::Public),
            sight,
            services: vec![service.to_string()],
            reported: Some(since.as_microsecond()..=i64::MAX),
            spots: Some(Spot::cover(BBox::around(point, settings.duplicate_metres), 8)),
            ..Filter::default()
        };
        let id = here.id;
        let (candidates, _) = self
            .store
            .look_up(move |conn| List::begin(conn, id, filter, Order::Newest).page(None, 0, CANDIDATES))
            .await?;
        Ok(near_duplicates(candidates, &service, point, now, settings))
    }

    /// Computes the clocks of some cases anew. Answers how many changed.
    pub(crate) fn reckon_round(
        &self,
        here: &Here,
        numbers: Vec<CaseNumber>,
        held: Option<Held>,
    ) -> Result<u64> {
        let (id, place, now) = (here.id, here.place.clone(), self.clock.now());
        self.store.write_blocking(move |tx| {
            if let Some(held) = &held {
                lease::hold(tx, held)?;
            }
            let mut changed = 0;
            for &number in &numbers {
                let Some(before) =
                    stored::find_to_change(tx, id, number)?.filter(|s| s.case.state.is_undecided())
                else {
                    continue;
                };
                let context = Context {
                    place: &place,
                    now,
                    by: &Actor::System,
                    chance: 1.0,
                };
                let events = command::decide(&before.case, &Act::Reckon, "", context)?;
                if !events.is_empty() {
                    stored::commit(tx, id, before, events, &place.calendar, Tell::Nobody)?;
                    changed += 1;
                }
            }
            Ok(changed)
        })
    }

    fn receipt(&self, id: JurisdictionId, number: CaseNumber, report: u32, again: bool) -> Receipt {
        Receipt {
            number,
            report,
            code: self.secret.pickup_code(id, number, report),
            again,
        }
    }

    /// The contact data of a report, sealed; none when there is none.
    pub(crate) fn seal(
        &self,
        contact: &Contact,
        report: (JurisdictionId, CaseNumber, u32),
    ) -> Option<Vec<u8>> {
        (!contact.is_empty()).then(|| self.secret.seal(contact, report, &self.chance))
    }

    /// How those can be reached who reported a case, and who reported the cases that were merged into it: whoever answers for
    /// the one that goes on answers them too. The view is logged before anything is shown, with each case of theirs.
    pub async fn contacts(&self, here: &Here, number: CaseNumber, by: &Actor) -> Result<Vec<Reachable>> {
        let Actor::Post { post, account, .. } = by else {
            return Err(Error::Forbidden);
        };
        let case = self.case(here, number).await?;
        if !rights::may_reach_reporters(&case, by, &here.place, self.clock.now()) {
            return Err(Error::Forbidden);
        }
        let (id, now, account, post) = (here.id, self.clock.now(), *account, post.to_string());
        let whistle = self.clone();
        let (actor, place) = (by.clone(), here.place.clone());
        self.store
            .write(move |tx| -> Result<_> {
                let is_reached =
                    |case: &Case| case.number == number || rights::may_reach_merged(case, &actor, &place);
                let sealed = sealed_contacts(tx, id, number, is_reached)?;
                let mut shown: Vec<CaseNumber> = sealed.iter().map(|one| one.number).collect();
                shown.dedup();
                // That of the case itself says that somebody looked, also where only merged ones have any.
                if !shown.is_empty() && !shown.contains(&number) {
                    shown.push(number);
                }
                for number in shown {
                    intake::log_contact_view(tx, id, number, now, account, &post)?;
                }
                let open = |one: Sealed| {
                    let opened = (whistle.secret).open(&one.sealed, (id, one.number, one.report));
                    opened.map(|contact| (one.number, one.report, contact))
                };
                let found: Vec<_> = sealed.into_iter().filter_map(open).collect();
                let emails = found.iter().map(|(.., contact)| contact.email.as_str());
                let failing = whistle.failing_among(tx, id, emails)?;
                let reachable = found.into_iter().zip(failing);
                Ok(reachable
                    .map(|((number, report, contact), failing_since)| Reachable {
                        number,
                        report,
                        contact,
                        failing_since,
                    })
                    .collect())
            })
            .await
    }
}

/// Whether the first reporter may say of the work that was handed in with a version whether it is done.
pub(crate) fn judges(here: &Here, case: &Case, log: &[Event], version: u32, now: Timestamp) -> bool {
    let handed_in = log
        .iter()
        .rposition(|event| matches!(event.body, Body::Handled { .. }));
    let by = Actor::Reporter { report: 1 };
    handed_in.is_some_and(|at| at + 1 == version as usize)
        && transition::offered(case, &by, &here.place, now).any(|line| line.verb == Verb::Verify)
}

/// Whether an actor may name a case: for a post one that it sees, or that everybody does. A case that it may not see is not told
/// apart from one that is not there. Others do what their line of the table of transitions says.
fn is_in_sight(case: &Case, by: &Actor, place: &whistle_domain::place::Place) -> bool {
    !matches!(by, Actor::Post { .. }) || case.public || rights::may_see(case, by, place)
}

/// A case, and after it those that were merged into it, then those that were merged into these: a statement for each such step.
fn with_merged(
    conn: &whistle_store::Conn,
    id: JurisdictionId,
    case: Case,
) -> whistle_store::Result<Vec<Case>> {
    let (mut numbers, mut found) = (case.absorbed.clone(), vec![case]);
    while !numbers.is_empty() && found.len() < MAX_MERGED {
        numbers.truncate(MAX_MERGED - found.len());
        let mut cases = stored::some(conn, id, &numbers)?;
        let step = numbers.iter().filter_map(|number| cases.remove(number));
        let step: Vec<Case> = step.collect();
        numbers = step.iter().flat_map(|case| case.absorbed.clone()).collect();
        found.extend(step);
    }
    Ok(found)
}

/// The contact data of a case and of those that were merged into it, as far as they are to be shown; case by case and by report.
fn sealed_contacts(
    conn: &whistle_store::Conn,
    id: JurisdictionId,
    number: CaseNumber,
    is_shown: impl Fn(&Case) -> bool,
) -> whistle_store::Result<Vec<Sealed>> {
    let mut all = Vec::new();
    let Some(Stored { case, .. }) = stored::find(conn, id, number)? else {
        return Ok(all);
    };
    for case in with_merged(conn, id, case)?.into_iter().filter(is_shown) {
        let number = case.number;
        let sealed = intake::contacts(conn, id, number)?.into_iter();
        all.extend(sealed.map(|(report, sealed)| Sealed {
            number,
            report,
            sealed,
        }));
    }
    Ok(all)
}

#[expect(
    clippy::too_many_arguments,
    reason = "each is a thing of its own; a struct would only rename them"
)]
pub(crate) fn change(
    tx: &mut whistle_store::Tx<'_>,
    id: JurisdictionId,
    place: &whistle_domain::place::Place,
    before: Stored,
    seen: Option<u32>,
    act: &Act,
    text: &str,
    by: &Actor,
    now: Timestamp,
    chance: f64,
) -> Result<Case> {
    let moment = Moment {
        now,
        made_at: None,
        chance,
    };
    change_made(tx, id, place, before, seen, act, text, by, moment)
}

/// When something is done, when it was made where that was before, and what was drawn for it.
#[derive(Debug, Clone, Copy)]
struct Moment {
    now: Timestamp,
    made_at: Option<Timestamp>,
    chance: f64,
}

#[expect(
    clippy::too_many_arguments,
    reason = "each is a thing of its own; a struct would only rename them"
)]
fn change_made(
    tx: &mut whistle_store::Tx<'_>,
    id: JurisdictionId,
    place: &whistle_domain::place::Place,
    before: Stored,
    seen: Option<u32>,
    act: &Act,
    text: &str,
    by: &Actor,
    moment: Moment,
) -> Result<Case> {
    refuse_stale(seen, &before)?;
    let Moment { now, made_at, chance } = moment;
    let mut events = command::decide(
        &before.case,
        act,
        text,
        Context {
            place,
            now,
            by,
            chance,
        },
    )?;
    if events.is_empty() {
        return Ok(before.case);
    }
    stamp(&mut events, made_at);
    Ok(stored::commit(
        tx,
        id,
        before,
        events,
        &place.calendar,
        Tell::Outbox,
    )?)
}

/// Adds photos to a case that was just changed, in the same transaction.
fn add_photos(
    tx: &mut whistle_store::Tx<'_>,
    id: JurisdictionId,
    place: &whistle_domain::place::Place,
    mut case: Case,
    photos: &[Photo],
    by: &Actor,
    moment: Moment,
) -> Result<Case> {
    for photo in photos {
        let number = case.number;
        let before =
            stored::find_to_change(tx, id, number)?.ok_or_else(|| Error::not_found("case", number))?;
        let act = Act::AddPhoto { photo: photo.clone() };
        case = change_made(tx, id, place, before, None, &act, "", by, moment)?;
    }
    Ok(case)
}

/// When something was made that was kept without a network; none where that is now. A clock that is a little fast is taken
/// back to now.
pub(crate) fn made(made_at: Option<Timestamp>, now: Timestamp) -> Result<Option<Timestamp>> {
    let Some(made_at) = made_at else { return Ok(None) };
    let earliest = now - SignedDuration::from_hours(KEPT_HOURS);
    let latest = now + SignedDuration::from_secs(FAST_SECONDS);
    if (earliest..=latest).contains(&made_at) {
        return Ok((made_at < now).then_some(made_at));
    }
    let days = KEPT_HOURS / 24;
    let what = format!("send when it was made: in the last {days} days, and not later than now");
    Err(Error::invalid("made_at", what))
}

/// Says of events when they were made.
fn stamp(events: &mut [Event], made_at: Option<Timestamp>) {
    for event in events {
        event.made_at = made_at;
    }
}

/// The look at a stop where something was found that is reported; the report lies where the stop does, unless it says where.
fn found_at(
    here: &Here,
    stop: &StopCode,
    new: &mut NewReport,
    by: &Actor,
    made_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(StopCode, looks::Look)> {
    let found = walked_stop(here, stop, by)?;
    let said = &mut new.whereabouts;
    if said.point.is_none() && said.area.is_none() {
        said.point = Some(found.point);
    }
    let finding = if new.fixed.is_some() {
        Finding::Fixed
    } else {
        Finding::Reported
    };
    Ok((stop.clone(), look(here, finding, by, made_at, now)?))
}

/// Does something to a case, once for each key.
#[expect(
    clippy::too_many_arguments,
    reason = "each is a thing of its own; a struct would only rename them"
)]
pub(crate) fn change_once(
    tx: &mut whistle_store::Tx<'_>,
    here: &Here,
    number: CaseNumber,
    act: &Act,
    text: &str,
    by: &Actor,
    key: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let with = With {
        idempotency_key: key.map(str::to_owned),
        ..With::default()
    };
    let body = || {
        vec![
            act.verb().as_str().to_owned(),
            number.to_string(),
            text.to_owned(),
        ]
    };
    let request = idempotency(&with, by, body)?;
    if earlier(tx, here.id, request.as_ref())?.is_some() {
        return Ok(());
    }
    let before =
        stored::find_to_change(tx, here.id, number)?.ok_or_else(|| Error::not_found("case", number))?;
    let case = change(tx, here.id, &here.place, before, None, act, text, by, now, 1.0)?;
    keep_act(tx, here.id, request.as_ref(), number, case.version, now)
}

/// Whether somebody was answered under a key before, whatever they sent.
pub(crate) fn was_done(
    conn: &whistle_store::Conn,
    id: JurisdictionId,
    by: &Actor,
    key: &str,
) -> Result<bool> {
    let with = With {
        idempotency_key: Some(key.to_owned()),
        ..With::default()
    };
    let Some(request) = idempotency(&with, by, Vec::new)? else {
        return Ok(false);
    };
    Ok(intake::answered(conn, id, &request.key)?.is_some())
}

fn refuse_stale(seen: Option<u32>, before: &Stored) -> Result<()> {
    match (seen, before.case.version) {
        (Some(seen), now) if seen != now => Err(command::Refusal::Stale { seen, now }.into()),
        _ => Ok(()),
    }
}

fn keep_contact(
    tx: &mut whistle_store::Tx<'_>,
    id: JurisdictionId,
    number: CaseNumber,
    report: u32,
    sealed: Option<&[u8]>,
) -> Result<()> {
    match sealed {
        Some(sealed) => Ok(intake::keep_contact(tx, id, number, report, sealed)?),
        None => Ok(()),
    }
}

/// The hashes of an idempotent request: of who asks with which key, and of what they sent.
pub(crate) struct Request {
    key: Hash,
    body: Hash,
}

pub(crate) fn idempotency(
    with: &With,
    by: &Actor,
    body: impl FnOnce() -> Vec<String>,
) -> Result<Option<Request>> {
    let Some(key) = with.idempotency_key.as_deref().filter(|k| !k.is_empty()) else {
        return Ok(None);
    };
    if key.len() > MAX_IDEMPOTENCY_KEY {
        return Err(Error::invalid(
            "Idempotency-Key",
            format!("at most {MAX_IDEMPOTENCY_KEY} bytes fit"),
        ));
    }
    let hash = |parts: &[String]| {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        *hasher.finalize().as_bytes()
    };
    let mut body = body();
    body.push(format!("{:?}", with.contact));
    Ok(Some(Request {
        key: hash(&[format!("{by:?}"), key.to_owned()]),
        body: hash(&body),
    }))
}

pub(crate) fn earlier(
    conn: &whistle_store::Conn,
    id: JurisdictionId,
    request: Option<&Request>,
) -> Result<Option<Answered>> {
    let Some(request) = request else { return Ok(None) };
    match intake::answered(conn, id, &request.key)? {
        Some(answer) if answer.body == request.body => Ok(Some(answer)),
        Some(_) => Err(Error::KeyReused),
        None => Ok(None),
    }
}

/// Keeps which report of which case was made of a request.
pub(crate) fn keep_answer(
    tx: &mut whistle_store::Tx<'_>,
    id: JurisdictionId,
    request: Option<&Request>,
    number: CaseNumber,
    report: u32,
    now: Timestamp,
) -> Result<()> {
    let Some(request) = request else { return Ok(()) };
    let answer = Answered {
        body: request.body,
        number,
        report,
        version: None,
    };
    Ok(intake::keep_answer(tx, id, &request.key, &answer, now)?)
}

/// Keeps which version of a case, or of a whistle whose number this is, an act led to.
pub(crate) fn keep_act(
    tx: &mut whistle_store::Tx<'_>,
    id: JurisdictionId,
    request: Option<&Request>,
    number: CaseNumber,
    version: u32,
    now: Timestamp,
) -> Result<()> {
    let Some(request) = request else { return Ok(()) };
    let answer = Answered {
        body: request.body,
        number,
        report: 0,
        version: Some(version),
    };
    Ok(intake::keep_answer(tx, id, &request.key, &answer, now)?)
}
