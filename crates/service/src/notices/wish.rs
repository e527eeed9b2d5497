//! What readers of notices say: that they want no more, or something about the case.

use whistle_domain::{
    case::{Actor, MAX_TEXT},
    command::Act,
    words::{CaseNumber, JurisdictionId, Subject},
};
use whistle_notices::{
    reply::{self, NoReply},
    told::Reader,
};
use whistle_store::notice as stored;

use crate::{
    Whistle,
    case::change_once,
    error::{Error, Result},
    place::Here,
    secret::Purpose,
};

/// How much mail somebody wants no more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopping {
    /// What is about this case or whistle.
    This,
    /// All of this install.
    All,
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The case that it was added to.
    pub number: CaseNumber,
    /// Which report's reader wrote it.
    pub report: u32,
}

impl Whistle {
    /// What a link out of the mails is about; refused when we did not make it for this place.
    pub fn subject_of_stop(&self, here: &Here, token: &str) -> Result<Subject> {
        self.stopper(here, token).map(|(subject, _)| subject)
    }

    /// Stops mail to who got this link, or begins it again. Where the address was erased meanwhile, there is nothing to stop.
    pub async fn stop_mail(&self, here: &Here, token: &str, what: Stopping, stop: bool) -> Result<()> {
        let (subject, reader) = self.stopper(here, token)?;
        let email = match &reader {
            Reader::Unit(unit) => {
                let unit = here.place.unit(unit.as_str());
                unit.map(|unit| unit.email.clone()).unwrap_or_default()
            }
            Reader::Reporter(report) => {
                let (whistle, here, report) = (self.clone(), here.clone(), *report);
                let found = self
                    .store
                    .look_up(move |conn| whistle.contact_of(conn, &here, subject, report));
                found.await?.email
            }
        };
        if email.is_empty() {
            return Ok(());
        }
        let about = (what == Stopping::This).then_some(subject);
        let who = self.secret.opt_out(here.id, &email, about);
        let whoever = self.secret.opt_outs(here.id, &email, about);
        let (id, now) = (here.id, self.clock.now());
        Ok(self
            .store
            .write(move |tx| {
                if stop {
                    stored::opt_out(tx, id, &who, now)
                } else {
                    stored::opt_in(tx, id, &whoever)
                }
            })
            .await?)
    }

    fn stopper(&self, here: &Here, token: &str) -> Result<(Subject, Reader)> {
        let found = self.secret.reader_of_token(Purpose::Stop, token);
        let found = found.filter(|(id, ..)| *id == here.id);
        let (_, subject, reader) = found.ok_or_else(|| Error::not_found("link like this", "t"))?;
        Ok((subject, reader))
    }

    /// Takes a mail that came back and adds what it says to the case that it answers, as its reporter's words. The same mail
    /// again adds nothing. What a program sent is left aside, with none; what answers no notice of ours is refused.
    pub fn take_mail(&self, mail: &[u8]) -> Result<Option<Answered>> {
        if mail.len() > reply::MAX_MAIL {
            let most = reply::MAX_MAIL / 1024 / 1024;
            return Err(Error::invalid("mail", format!("it is larger than {most} MiB")));
        }
        let reply = match reply::read(mail) {
            Ok(reply) => reply,
            Err(NoReply::Automatic) => return Ok(None),
            Err(why) => return Err(Error::invalid("mail", why.to_string())),
        };
        let known = |token: &String| self.secret.reader_of_token(Purpose::Reply, token);
        let found = reply.tokens.iter().find_map(known);
        let Some((id, Subject::Case(number), Reader::Reporter(report))) = found else {
            return Err(Error::invalid("mail", "it answers no notice of this install"));
        };
        let here = self.jurisdiction(id)?;
        let text: String = reply.text.chars().take(MAX_TEXT).collect();
        let by = Actor::Reporter { report };
        let act = Act::Comment { public: false };
        self.store.write_blocking({
            let now = self.clock.now();
            // An id can be as long as its writer likes.
            let key = blake3::hash(reply.id.as_bytes()).to_hex();
            let key = (!reply.id.is_empty()).then(|| format!("mail {key}"));
            move |tx| change_once(tx, &here, number, &act, &text, &by, key.as_deref(), now)
        })?;
        Ok(Some(Answered { number, report }))
    }

    fn jurisdiction(&self, id: JurisdictionId) -> Result<Here> {
        let places = self.places();
        let here = places.all().iter().find(|here| here.id == id).cloned();
        here.ok_or_else(|| Error::not_found("jurisdiction", id.0))
    }
}
