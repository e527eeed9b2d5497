//! From deliveries to what is sent: the case or whistle is read again as it was then, and the reader's address is looked up now.

use jiff::Timestamp;
use whistle_domain::{
    case::{self, Case},
    whistle::{self, Whistle as Blown},
    words::{Lang, Subject},
};
use whistle_notices::{
    Notice, Why,
    mail::Letter,
    template::Words,
    told::Reader,
    view::{Item, Links, View},
    webhook::{self, Call, SMS},
};
use whistle_store::{
    Conn, case as cases, intake,
    notice::{self as stored, Channel, Delivery},
    whistle as whistles,
};

use crate::{
    Whistle,
    error::Result,
    place::Here,
    secret::{Contact, Purpose},
};

/// What a delivery, or several to one reader, became.
pub(super) enum Made {
    Letter(Letter),
    Call(Call),
    /// Nobody wants it any more, and why.
    Unwanted(Why),
    /// It cannot be made, and why, as it is kept.
    Broken(String),
}

/// What something was told of, as it was then.
enum Then {
    Case(Box<Case>, Vec<case::Event>),
    Whistle(Box<Blown>, Vec<whistle::Event>),
}

impl Then {
    fn view(&self, here: &Here, lang: Lang, reader: &Reader, links: &Links) -> View {
        let place = &here.place;
        match self {
            Self::Case(case, log) => View::new(case, log, place, lang, reader, links),
            Self::Whistle(blown, log) => View::of_whistle(blown, log, place, lang, reader, links),
        }
    }

    /// What a webhook is told of its last event; none when that is not for it.
    fn event(&self, here: &Here, all: bool, base: &str) -> Option<String> {
        match self {
            Self::Case(case, log) => webhook::case_event(case, log, &here.place, all, base),
            Self::Whistle(blown, log) if all => webhook::whistle_event(blown, log, &here.place, base),
            Self::Whistle(..) => None,
        }
    }
}

impl Whistle {
    /// What is sent for some deliveries to one reader by one way; of webhooks it is one.
    pub(super) fn made(
        &self,
        conn: &Conn,
        here: &Here,
        group: &[Delivery],
        base: Option<&str>,
        now: Timestamp,
    ) -> Result<Made> {
        let Some(first) = group.first() else {
            return Ok(Made::Unwanted(Why::Gone));
        };
        let Some(base) = base else {
            return Ok(Made::Broken(Why::NoBaseUrl.as_str().to_owned()));
        };
        match first.channel {
            Channel::Mail => self.letter(conn, here, group, base),
            Channel::Webhook => self.call(conn, here, first, base, now),
        }
    }

    fn letter(&self, conn: &Conn, here: &Here, group: &[Delivery], base: &str) -> Result<Made> {
        let first = &group[0];
        let own_lang = own_language(here);
        let (reader, email, lang) = if let Some(unit) = &first.unit {
            let email = here.place.unit(unit.as_str()).map(|unit| unit.email.clone());
            (Reader::Unit(unit.clone()), email.unwrap_or_default(), own_lang)
        } else {
            let contact = self.contact_of(conn, here, first.subject, first.report)?;
            let lang = contact.lang.unwrap_or(own_lang);
            (Reader::Reporter(first.report), contact.email, lang)
        };
        if email.is_empty() {
            return Ok(Made::Unwanted(Why::AddressErased));
        }
        if stored::is_opted_out(conn, here.id, &self.secret.opt_outs(here.id, &email, None))? {
            return Ok(Made::Unwanted(Why::NoMailWanted));
        }
        let stop_token = self
            .secret
            .notice_token(Purpose::Stop, here.id, first.subject, &reader);
        let links = |subject: Subject| Links {
            base: base.to_owned(),
            stop: format!("{base}/notices/stop?t={stop_token}"),
            code: match (&reader, subject) {
                (Reader::Reporter(report), Subject::Case(number)) => {
                    self.secret.pickup_code(here.id, number, *report)
                }
                _ => String::new(),
            },
        };
        let mut said: Vec<(Words, View)> = Vec::new();
        for delivery in group {
            let about = self.secret.opt_outs(here.id, &email, Some(delivery.subject));
            if stored::is_opted_out(conn, here.id, &about)? {
                continue;
            }
            let Some(then) = then(conn, here, delivery)? else {
                continue;
            };
            let view = then.view(here, lang, &reader, &links(delivery.subject));
            match worded(here, &delivery.notice, lang, &view) {
                Ok(words) => said.push((words, view)),
                Err(what) => return Ok(template_failed(&what)),
            }
        }
        let Some((_, view)) = said.first().cloned() else {
            return Ok(Made::Unwanted(Why::NoneAboutThis));
        };
        let words = match said.as_slice() {
            [(words, _)] => Ok(words.clone()),
            several => here.notices.render(Notice::Digest, lang, &digest(&view, several)),
        };
        let footer = here.notices.render(Notice::Footer, lang, &view);
        let (mut words, footer) = match (words, footer) {
            (Ok(words), Ok(footer)) => (words, footer),
            (Err(what), _) | (_, Err(what)) => return Ok(template_failed(&what)),
        };
        words.text = format!("{}\n\n-- \n{}\n{}\n", words.text, footer.subject, footer.text);
        let reply_token = match reader {
            Reader::Reporter(_) => {
                Some(
                    self.secret
                        .notice_token(Purpose::Reply, here.id, first.subject, &reader),
                )
            }
            Reader::Unit(_) => None,
        };
        let id = reply_token.as_ref().unwrap_or(&stop_token);
        Ok(Made::Letter(Letter {
            to: email,
            words,
            id: format!("{id}.{}", which(group)),
            reply_token,
            stop: links(first.subject).stop,
        }))
    }

    fn call(
        &self,
        conn: &Conn,
        here: &Here,
        delivery: &Delivery,
        base: &str,
        now: Timestamp,
    ) -> Result<Made> {
        let hooks = stored::webhooks(conn, here.id)?;
        let Some(hook) = hooks.into_iter().find(|hook| hook.id == delivery.webhook) else {
            return Ok(Made::Unwanted(Why::WebhookRemoved));
        };
        let Some(secret) = self.secret.open_webhook(&hook.sealed, (here.id, hook.id)) else {
            return Ok(Made::Broken(Why::OtherKey.as_str().to_owned()));
        };
        let Some(then) = then(conn, here, delivery)? else {
            return Ok(Made::Unwanted(Why::Gone));
        };
        let body = match (&then, delivery.notice.strip_prefix(SMS)) {
            (Then::Case(case, _), Some(notice)) => {
                let contact = self.contact_of(conn, here, delivery.subject, delivery.report)?;
                if contact.phone.is_empty() {
                    return Ok(Made::Unwanted(Why::NumberErased));
                }
                let lang = contact.lang.unwrap_or_else(|| own_language(here));
                let reader = Reader::Reporter(delivery.report);
                let links = Links {
                    base: base.to_owned(),
                    stop: String::new(),
                    code: self.secret.pickup_code(here.id, case.number, delivery.report),
                };
                let view = then.view(here, lang, &reader, &links);
                match worded(here, notice.trim(), lang, &view) {
                    Ok(words) => {
                        let text = format!("{} {}", words.subject, view.follow);
                        webhook::sms(&contact.phone, &text, lang, now)
                    }
                    Err(what) => return Ok(template_failed(&what)),
                }
            }
            (then, _) => match then.event(here, hook.all, base) {
                Some(body) => body,
                None => return Ok(Made::Unwanted(Why::NotPublic)),
            },
        };
        Ok(Made::Call(Call {
            url: hook.url,
            secret,
            id: format!("{}-{}", here.id.0, delivery.id),
            at: now,
            body,
        }))
    }

    /// The contact data of a report; nothing in it when there is none any more.
    pub(super) fn contact_of(
        &self,
        conn: &Conn,
        here: &Here,
        subject: Subject,
        report: u32,
    ) -> Result<Contact> {
        let Subject::Case(number) = subject else {
            return Ok(Contact::default());
        };
        let sealed = intake::contacts(conn, here.id, number)?;
        let own = sealed.into_iter().find(|(of, _)| *of == report);
        Ok(own
            .and_then(|(_, sealed)| self.secret.open(&sealed, (here.id, number, report)))
            .unwrap_or_default())
    }
}

fn template_failed(what: &str) -> Made {
    Made::Broken(Why::TemplateFailed.with(what))
}

/// What tells a mail from all others: the delivery in it. Of several all, so that a server that has seen one of them before does
/// not take the others for it.
fn which(group: &[Delivery]) -> String {
    /// Letters of the hash: enough that no two sets of a reader's deliveries meet.
    const LETTERS: usize = 16;
    match group {
        [one] => one.id.to_string(),
        several => {
            let mut hasher = blake3::Hasher::new();
            for one in several {
                hasher.update(&one.id.to_le_bytes());
            }
            hasher.finalize().to_hex()[..LETTERS].to_owned()
        }
    }
}

fn own_language(here: &Here) -> Lang {
    let languages = &here.place.jurisdiction.languages;
    languages.first().copied().unwrap_or_default()
}

fn worded(here: &Here, notice: &str, lang: Lang, view: &View) -> Result<Words, String> {
    here.notices.render(notice.parse()?, lang, view)
}

/// The case or whistle and its log up to the event that is told of.
fn then(conn: &Conn, here: &Here, delivery: &Delivery) -> Result<Option<Then>> {
    let told = delivery.version as usize;
    Ok(match delivery.subject {
        Subject::Case(number) => {
            let found = cases::with_log(conn, here.id, number)?;
            found.and_then(|(_, mut log)| {
                log.truncate(told);
                Case::fold(number, &log)
                    .ok()
                    .map(|case| Then::Case(Box::new(case), log))
            })
        }
        Subject::Whistle(number) => {
            let mut log = whistles::log(conn, here.id, number)?;
            log.truncate(told);
            Blown::fold(number, &log)
                .ok()
                .map(|blown| Then::Whistle(Box::new(blown), log))
        }
    })
}

/// The values of a mail that holds several notices. They are about one case for a reporter, about any for a unit.
fn digest(first: &View, several: &[(Words, View)]) -> View {
    let item = |(words, view): &(Words, View)| Item {
        number: view.number.clone(),
        subject: words.subject.clone(),
        link: format!("{}{}", view.follow, view.staff),
    };
    View {
        count: several.len().to_string(),
        items: several.iter().map(item).collect(),
        ..first.clone()
    }
}
