//! What readers choose of their notices: reporters with number and code, or by the link in a mail; a unit by its lead, or by
//! the link.

use std::collections::HashMap;

use whistle_domain::{
    case::Actor,
    rights::Role,
    words::{CaseNumber, JurisdictionId, Subject, UnitCode},
};
use whistle_notices::{choice::Choice, told::Reader};
use whistle_store::{
    Conn, intake,
    notice::{self as stored, UnitChoice},
};

use crate::{
    Whistle,
    error::{Error, Result},
    place::Here,
    secret::Contact,
};

/// What the reader of a mail chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// Of the notices of the case that they reported.
    OfReporter(Choice),
    /// Of the notices to their unit.
    OfUnit(Choice),
}

/// What a unit chose.
pub(super) fn of_unit(conn: &Conn, id: JurisdictionId, unit: &UnitCode) -> Result<Choice> {
    let mut all = of_units(conn, id)?;
    Ok(all.remove(unit).unwrap_or_default())
}

/// What units chose, of those that did.
pub(super) fn of_units(conn: &Conn, id: JurisdictionId) -> Result<HashMap<UnitCode, Choice>> {
    // A word of a newer program is not known; that is as good as none.
    let read = |kept: UnitChoice| Choice {
        kinds: kept.kinds.parse().unwrap_or_default(),
        pace: kept.pace.parse().unwrap_or_default(),
        lang: kept.lang.parse().ok(),
    };
    let all = stored::unit_choices(conn, id)?;
    Ok(all.into_iter().map(|(unit, kept)| (unit, read(kept))).collect())
}

impl Whistle {
    /// What the holder of a pick-up code chose of notices; none where nothing is known of how to reach them.
    pub async fn chosen(&self, here: &Here, number: CaseNumber, code: &str) -> Result<Option<Choice>> {
        let report = self.report_by_code(here, number, code).await?;
        let contact = self.kept_contact(here, number, report).await?;
        Ok(contact.map(|contact| contact.choice()))
    }

    /// Keeps another choice of the holder of a pick-up code.
    pub async fn choose(&self, here: &Here, number: CaseNumber, code: &str, choice: Choice) -> Result<()> {
        let report = self.report_by_code(here, number, code).await?;
        self.choose_as_reporter(here, number, report, choice).await
    }

    /// What the reader of a mail chose, by the link in it; none where there is nothing to choose: who is asked one thing gets
    /// one mail, and an address may be erased.
    pub async fn chosen_by_link(&self, here: &Here, token: &str) -> Result<Option<Chosen>> {
        let (subject, reader) = self.reader_of_stop(here, token)?;
        match (reader, subject) {
            (Reader::Unit(unit), _) => Ok(Some(Chosen::OfUnit(self.chosen_of_unit(here, &unit).await?))),
            (Reader::Reporter(report), Subject::Case(number)) | (Reader::Merged(number, report), _) => {
                let contact = self.kept_contact(here, number, report).await?;
                Ok(contact.map(|contact| Chosen::OfReporter(contact.choice())))
            }
            (Reader::Reporter(_) | Reader::Asked(_), _) => Ok(None),
        }
    }

    /// Keeps another choice of the reader of a mail.
    pub async fn choose_by_link(&self, here: &Here, token: &str, choice: Choice) -> Result<()> {
        let (subject, reader) = self.reader_of_stop(here, token)?;
        match (reader, subject) {
            (Reader::Unit(unit), _) => self.keep_choice_of_unit(here, unit, choice).await,
            (Reader::Reporter(report), Subject::Case(number)) | (Reader::Merged(number, report), _) => {
                self.choose_as_reporter(here, number, report, choice).await
            }
            (Reader::Reporter(_) | Reader::Asked(_), _) => Ok(()),
        }
    }

    /// What a unit chose of its notices.
    pub async fn chosen_of_unit(&self, here: &Here, unit: &UnitCode) -> Result<Choice> {
        let (id, unit) = (here.id, unit.clone());
        self.store.look_up(move |conn| of_unit(conn, id, &unit)).await
    }

    /// Keeps another choice of the unit of a post; its leads choose.
    pub async fn choose_for_unit(&self, here: &Here, by: &Actor, choice: Choice) -> Result<()> {
        let unit = led_unit(here, by).ok_or(Error::Forbidden)?;
        self.keep_choice_of_unit(here, unit, choice).await
    }

    async fn keep_choice_of_unit(&self, here: &Here, unit: UnitCode, choice: Choice) -> Result<()> {
        let id = here.id;
        let kept = UnitChoice {
            kinds: choice.kinds.to_string(),
            pace: choice.pace.to_string(),
            lang: choice.lang.map(|lang| lang.to_string()).unwrap_or_default(),
        };
        Ok(self
            .store
            .write(move |tx| stored::choose(tx, id, &unit, &kept))
            .await?)
    }

    async fn report_by_code(&self, here: &Here, number: CaseNumber, code: &str) -> Result<u32> {
        match self.case_by_code(here, number, code).await? {
            (_, _, Actor::Reporter { report }) => Ok(report),
            _ => Err(Error::not_found("case with that code", number)),
        }
    }

    async fn kept_contact(&self, here: &Here, number: CaseNumber, report: u32) -> Result<Option<Contact>> {
        let (whistle, here) = (self.clone(), here.clone());
        let found = self.store.look_up(move |conn| {
            whistle.contact_of(conn, &here, Subject::Case(number), &Reader::Reporter(report))
        });
        Ok(Some(found.await?).filter(|contact| !contact.is_empty()))
    }

    async fn choose_as_reporter(
        &self,
        here: &Here,
        number: CaseNumber,
        report: u32,
        choice: Choice,
    ) -> Result<()> {
        let (whistle, here) = (self.clone(), here.clone());
        self.store
            .write(move |tx| -> Result<()> {
                let reader = Reader::Reporter(report);
                let contact = whistle.contact_of(tx, &here, Subject::Case(number), &reader)?;
                // What was erased meanwhile stays so.
                let of = (here.id, number, report);
                if let Some(sealed) = whistle.seal(&contact.with_choice(choice), of) {
                    intake::correct_contact(tx, here.id, number, report, &sealed)?;
                }
                Ok(())
            })
            .await
    }
}

/// The unit that a post leads, and whose notices it may choose; none where it leads none that has an address.
pub fn led_unit(here: &Here, by: &Actor) -> Option<UnitCode> {
    let Actor::Post { post, unit, .. } = by else {
        return None;
    };
    let leads = here.place.post(post.as_str())?.roles.contains(&Role::Lead);
    let has_address = !here.place.unit(unit.as_str())?.email.is_empty();
    (leads && has_address).then(|| unit.clone())
}
