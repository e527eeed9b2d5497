//! What readers of notices say: that they want no more, or something about the case.

use whistle_domain::{
    case::{Actor, Body, MAX_TEXT, Respondent},
    command::Act,
    words::{CaseNumber, JurisdictionId, Subject},
};
use whistle_notices::{
    bounce::{self, Bounce},
    reply::{self, NoReply, Reply},
    told::Reader,
};
use whistle_store::{case as cases, notice as stored};

use super::returned::Returned;
use crate::{
    Whistle,
    case::{change_once, was_done},
    error::{Error, Result},
    place::Here,
    secret::{Purpose, claimed_reader},
};

/// How much mail somebody wants no more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopping {
    /// What is about this case or whistle.
    This,
    /// All of this install.
    All,
}

/// What became of a mail that came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was added to a case, as its reporter's words.
    Said(CaseNumber),
    /// It answered the question that was asked about a case.
    Answered(CaseNumber),
    /// It reports that one of ours was not delivered.
    Returned {
        /// Whether nothing is sent to that address any more.
        given_up: bool,
    },
    /// A program sent it, and it says nothing to us.
    LeftAside,
}

impl Whistle {
    /// What a link out of the mails is about; refused when we did not make it for this place.
    pub fn subject_of_stop(&self, here: &Here, token: &str) -> Result<Subject> {
        self.reader_of_stop(here, token).map(|(subject, _)| subject)
    }

    /// Stops mail to who got this link, or begins it again. Where the address was erased meanwhile, there is nothing to stop.
    pub async fn stop_mail(&self, here: &Here, token: &str, what: Stopping, stop: bool) -> Result<()> {
        let (subject, reader) = self.reader_of_stop(here, token)?;
        let (whistle, at) = (self.clone(), here.clone());
        let found = self
            .store
            .read(move |conn| whistle.address_of(conn, &at, subject, &reader));
        let (email, _) = found.await?;
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

    pub(super) fn reader_of_stop(&self, here: &Here, token: &str) -> Result<(Subject, Reader)> {
        let found = self.secret.reader_of_token(Purpose::Stop, token);
        let found = found.filter(|(id, ..)| *id == here.id);
        let (_, subject, reader) = found.ok_or_else(|| Error::not_found("link like this", "t"))?;
        Ok((subject, reader))
    }

    /// Takes a mail that came in. What a reader wrote is added to the case as its reporter's words, or answers the question that
    /// the mail asked; the same mail again adds nothing. What a program sent is left aside, but for the report that one of ours
    /// was not delivered. What answers no notice of ours is refused.
    pub fn take_mail(&self, mail: &[u8]) -> Result<Taken> {
        if mail.len() > reply::MAX_MAIL {
            let most = reply::MAX_MAIL / 1024 / 1024;
            return Err(Error::invalid("mail", format!("it is larger than {most} MiB")));
        }
        if let Some(bounce) = bounce::read(mail) {
            return self.take_bounce(&bounce);
        }
        let reply = match reply::read(mail) {
            Ok(reply) => reply,
            Err(NoReply::Automatic) => return Ok(Taken::LeftAside),
            Err(why) => return Err(Error::invalid("mail", why.to_string())),
        };
        let known = |token: &String| self.secret.reader_of_token(Purpose::Reply, token);
        let found = reply.tokens.iter().find_map(known);
        let Some((id, Subject::Case(number), reader)) = found else {
            return Err(Error::invalid("mail", "it answers no notice of this install"));
        };
        let here = self.jurisdiction(id)?;
        match reader {
            Reader::Reporter(report) => self.take_words(&here, number, report, &reply),
            // Who follows the case that theirs was merged into speaks in theirs: nobody gave them a word in that.
            Reader::Merged(own, report) => self.take_words(&here, own, report, &reply),
            Reader::Asked(question) => self.take_answer(&here, number, question, &reply),
            Reader::Unit(_) => Err(Error::invalid("mail", "it answers no notice of this install")),
        }
    }

    fn take_words(&self, here: &Here, number: CaseNumber, report: u32, reply: &Reply) -> Result<Taken> {
        let text: String = reply.text.chars().take(MAX_TEXT).collect();
        let act = Act::Comment { public: false };
        self.act_by_mail(here, number, act, text, Actor::Reporter { report }, reply)?;
        Ok(Taken::Said(number))
    }

    /// An answer to the mail that asks a question. Where it no longer can be the answer, or is none of those to choose from, a
    /// reporter's is kept as their words; nobody else outside has a word in the case.
    fn take_answer(&self, here: &Here, number: CaseNumber, question: u32, reply: &Reply) -> Result<Taken> {
        let (id, now) = (here.id, self.clock.now());
        let found = self
            .store
            .read_blocking(|conn| cases::with_log(conn, id, number))?;
        let (case, log) = found.ok_or_else(|| Error::not_found("case", number))?;
        let asked = log
            .get((question as usize).saturating_sub(1))
            .map(|event| &event.body);
        let reporter = match asked {
            Some(Body::Asked {
                of: Respondent::Reporter { report },
                ..
            }) => Some(*report),
            _ => None,
        };
        let by = match reporter {
            Some(report) => Actor::Reporter { report },
            None => Actor::Asked { question },
        };
        let open = case.question.as_ref();
        let open = open.filter(|open| open.number == question && open.until > now);
        let answer = open.and_then(|open| answer_in(&open.choices, &reply.text));
        match (answer, reporter) {
            (Some((choice, text)), _) => {
                self.act_by_mail(here, number, Act::Answer { choice }, text, by, reply)?;
                Ok(Taken::Answered(number))
            }
            // The same mail again finds its question answered.
            (None, _) if self.was_taken(here, &by, reply)? => Ok(Taken::Answered(number)),
            (None, Some(report)) => self.take_words(here, number, report, reply),
            (None, None) => {
                let why = "the question is over, or this is none of the answers to choose from; use the link in the mail";
                Err(Error::invalid("mail", why))
            }
        }
    }

    fn act_by_mail(
        &self,
        here: &Here,
        number: CaseNumber,
        act: Act,
        text: String,
        by: Actor,
        reply: &Reply,
    ) -> Result<()> {
        let (now, key, here) = (self.clock.now(), key_of(reply), here.clone());
        self.store
            .write_blocking(move |tx| change_once(tx, &here, number, &act, &text, &by, key.as_deref(), now))
    }

    fn was_taken(&self, here: &Here, by: &Actor, reply: &Reply) -> Result<bool> {
        let Some(key) = key_of(reply) else {
            return Ok(false);
        };
        self.store.read_blocking(|conn| was_done(conn, here.id, by, &key))
    }

    /// Notes that a mail of ours came back. One that is none of ours, or went to an address that its reader gave up since, is
    /// left aside: to refuse it would only make another.
    fn take_bounce(&self, bounce: &Bounce) -> Result<Taken> {
        for token in &bounce.tokens {
            let Some((id, subject, reader)) = claimed_reader(&token.to_ascii_lowercase()) else {
                continue;
            };
            let Ok(here) = self.jurisdiction(id) else { continue };
            let (whistle, now, token) = (self.clone(), self.clock.now(), token.clone());
            let (for_good, why) = (bounce.status.is_of_address(), bounce.why.clone());
            let given_up = self.store.write_blocking(move |tx| -> Result<Option<bool>> {
                let (email, _) = whistle.address_of(tx, &here, subject, &reader)?;
                let of = (id, subject, &reader);
                if email.is_empty() || !whistle.secret.is_bounce_token(&token, of, &email) {
                    return Ok(None);
                }
                let returned = Returned {
                    email: &email,
                    subject,
                    reader: &reader,
                    for_good,
                    why: &why,
                };
                whistle.note_returned(tx, id, &returned, now).map(Some)
            })?;
            if let Some(given_up) = given_up {
                return Ok(Taken::Returned { given_up });
            }
        }
        Ok(Taken::LeftAside)
    }

    fn jurisdiction(&self, id: JurisdictionId) -> Result<Here> {
        let places = self.places();
        let here = places.all().iter().find(|here| here.id == id).cloned();
        here.ok_or_else(|| Error::not_found("jurisdiction", id.0))
    }
}

/// By which the same mail is known when it comes twice; none where it has no id of its own.
fn key_of(reply: &Reply) -> Option<String> {
    // An id can be as long as its writer likes.
    let key = blake3::hash(reply.id.as_bytes()).to_hex();
    (!reply.id.is_empty()).then(|| format!("mail {key}"))
}

/// What a mail answers to a question: its first line is one of the choices, where there are any. With the choice, what was
/// written besides.
fn answer_in(choices: &[String], text: &str) -> Option<(Option<String>, String)> {
    let text: String = text.chars().take(MAX_TEXT).collect();
    if choices.is_empty() {
        return Some((None, text));
    }
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let plain = |line: &str| {
        line.trim()
            .trim_end_matches(['.', '。', '!', '！'])
            .to_lowercase()
    };
    let choice = choices.iter().find(|choice| plain(choice) == plain(first))?;
    Some((Some(choice.clone()), rest.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_by_mail_is_one_of_the_choices_where_there_are_any() {
        let choices = ["Mended".to_owned(), "Not mended".to_owned()];
        let found = |text: &str| answer_in(&choices, text);
        assert_eq!(found("mended."), Some((Some("Mended".into()), String::new())));
        let more = found(" Not mended \n\nIt drips still.");
        assert_eq!(more, Some((Some("Not mended".into()), "It drips still.".into())));
        assert_eq!(found("It drips still."), None);
        assert_eq!(answer_in(&[], "No. 12"), Some((None, "No. 12".into())));
    }
}
