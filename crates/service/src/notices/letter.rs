//! From deliveries to what is sent: the case or whistle is read again as it was then, and the reader's address is looked up now.

use jiff::Timestamp;
use whistle_domain::{
    case::{self, Body, Case},
    place::Post,
    rights,
    whistle::{self, Whistle as Blown},
    words::{Lang, Subject},
};
use whistle_notices::{
    Notice, Why,
    mail::Letter,
    push::{Key, Message, Push},
    template::Words,
    told::Reader,
    view::{Item, Links, View},
    webhook::{self, Call, SMS},
};
use whistle_store::{
    Conn, case as cases, intake,
    notice::{self as stored, Channel, Delivery},
    push, whistle as whistles,
};

use crate::{
    Whistle,
    case::judges,
    error::Result,
    place::Here,
    secret::{Contact, Purpose},
};

/// What a delivery, or several to one reader, became.
pub(super) enum Made {
    /// A mail, and to whom it goes.
    Letter(Box<Letter>, Reader),
    Call(Call),
    /// What a device shows.
    Push(Box<Push>),
    /// Nobody wants it any more, and why.
    Unwanted(Why),
    /// It cannot be made, and why, as it is kept.
    Broken(String),
}

/// What something was told of, as it was then.
enum Then {
    Case(Box<Case>, Vec<case::Event>, Answering),
    Whistle(Box<Blown>, Vec<whistle::Event>),
}

/// What its reader may answer to it now.
enum Answering {
    Nothing,
    /// The last part of the address of the page.
    Question(String),
    /// The same.
    Work(String),
    /// It was answered, or no longer can be.
    Over,
}

impl Then {
    fn view(&self, here: &Here, lang: Lang, reader: &Reader, links: &Links) -> View {
        let place = &here.place;
        match self {
            Self::Case(case, log, answering) => {
                let answer = match answering {
                    Answering::Question(link) => format!("{}/ask/{link}", links.base),
                    Answering::Work(link) => format!("{}/judge/{link}", links.base),
                    Answering::Nothing | Answering::Over => String::new(),
                };
                let links = Links {
                    answer,
                    ..links.clone()
                };
                View::new(case, log, place, lang, reader, &links)
            }
            Self::Whistle(blown, log) => View::of_whistle(blown, log, place, lang, reader, links),
        }
    }

    /// What a webhook is told of its last event; none when that is not for it.
    fn event(&self, here: &Here, all: bool, base: &str) -> Option<String> {
        match self {
            Self::Case(case, log, _) => webhook::case_event(case, log, &here.place, all, base),
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
        let Some(base) = base.or((first.channel == Channel::Push).then_some("")) else {
            return Ok(Made::Broken(Why::NoBaseUrl.as_str().to_owned()));
        };
        match first.channel {
            Channel::Mail => self.letter(conn, here, group, base, now),
            Channel::Webhook => self.call(conn, here, first, base, now),
            Channel::Push => self.push(conn, here, group, now),
        }
    }

    fn letter(
        &self,
        conn: &Conn,
        here: &Here,
        group: &[Delivery],
        base: &str,
        now: Timestamp,
    ) -> Result<Made> {
        let first = &group[0];
        let reader = reader_of(first);
        let (email, lang) = self.address_of(conn, here, first.subject, &reader)?;
        let lang = lang.unwrap_or_else(|| own_language(here));
        if email.is_empty() {
            return Ok(Made::Unwanted(Why::AddressErased));
        }
        if self.failing_since(conn, here.id, &email)?.is_some() {
            return Ok(Made::Unwanted(Why::AddressFails));
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
            code: self.code_of(here, subject, &reader),
            answer: String::new(),
        };
        let mut said: Vec<(Words, View)> = Vec::new();
        let mut over = false;
        for delivery in group {
            let about = self.secret.opt_outs(here.id, &email, Some(delivery.subject));
            if stored::is_opted_out(conn, here.id, &about)? {
                continue;
            }
            let Some(then) = self.then(conn, here, delivery, now)? else {
                continue;
            };
            if matches!(then, Then::Case(_, _, Answering::Over)) {
                over = true;
                continue;
            }
            let view = then.view(here, lang, &reader, &links(delivery.subject));
            match worded(here, &delivery.notice, lang, &view) {
                Ok(words) => said.push((words, view)),
                Err(what) => return Ok(template_failed(&what)),
            }
        }
        let Some((_, view)) = said.first().cloned() else {
            return Ok(Made::Unwanted(if over {
                Why::QuestionOver
            } else {
                Why::NoneAboutThis
            }));
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
        let token =
            |purpose, reader: &Reader| self.secret.notice_token(purpose, here.id, first.subject, reader);
        let reply_token = match (&reader, group) {
            (Reader::Unit(_), _) => None,
            // An answer to a mail that asks one question is the answer to that.
            (Reader::Reporter(_), [one]) if one.notice == Notice::Asked.as_str() => {
                Some(token(Purpose::Reply, &Reader::Asked(one.version)))
            }
            _ => Some(token(Purpose::Reply, &reader)),
        };
        let id = reply_token.as_ref().unwrap_or(&stop_token);
        let letter = Letter {
            words,
            id: format!("{id}.{}", which(group)),
            bounce_token: Some(self.secret.bounce_token(here.id, first.subject, &reader, &email)),
            to: email,
            reply_token,
            stop: links(first.subject).stop,
        };
        Ok(Made::Letter(Box::new(letter), reader))
    }

    /// The pick-up code of a reader, of the case that they reported.
    fn code_of(&self, here: &Here, subject: Subject, reader: &Reader) -> String {
        match (reader, subject) {
            (Reader::Reporter(report), Subject::Case(number)) => {
                self.secret.pickup_code(here.id, number, *report)
            }
            (Reader::Merged(number, report), _) => self.secret.pickup_code(here.id, *number, *report),
            _ => String::new(),
        }
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
        if hook.paused_at.is_some() {
            return Ok(Made::Unwanted(Why::WebhookPaused));
        }
        let Some(secret) = self.secret.open_webhook(&hook.sealed, (here.id, hook.id)) else {
            return Ok(Made::Broken(Why::OtherKey.as_str().to_owned()));
        };
        let Some(then) = self.then(conn, here, delivery, now)? else {
            return Ok(Made::Unwanted(Why::Gone));
        };
        let body = match (&then, delivery.notice.strip_prefix(SMS)) {
            (Then::Case(_, _, Answering::Over), Some(_)) => {
                return Ok(Made::Unwanted(Why::QuestionOver));
            }
            (Then::Case(..), Some(notice)) => {
                let reader = reader_of(delivery);
                let contact = self.contact_of(conn, here, delivery.subject, &reader)?;
                if contact.phone.is_empty() {
                    return Ok(Made::Unwanted(Why::NumberErased));
                }
                let lang = contact.lang.unwrap_or_else(|| own_language(here));
                let links = Links {
                    base: base.to_owned(),
                    stop: String::new(),
                    code: self.code_of(here, delivery.subject, &reader),
                    answer: String::new(),
                };
                let view = then.view(here, lang, &reader, &links);
                match worded(here, notice.trim(), lang, &view) {
                    Ok(words) => {
                        let link = where_to(&view);
                        let text = format!("{} {link}", words.subject);
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

    /// What a device is told of some deliveries: as long as its account is in force and at a post of the unit.
    fn push(&self, conn: &Conn, here: &Here, group: &[Delivery], now: Timestamp) -> Result<Made> {
        let first = &group[0];
        let Some((device, posts)) = push::reached(conn, here.id, first.device)? else {
            return Ok(Made::Unwanted(Why::DeviceRemoved));
        };
        let posts = posts.iter().filter_map(|post| here.place.post(post.as_str()));
        let at_unit: Vec<&Post> = posts
            .filter(|post| Some(&post.unit) == first.unit.as_ref())
            .collect();
        if at_unit.is_empty() {
            return Ok(Made::Unwanted(Why::NotAtPost));
        }
        // A post may be for some of its unit's cases only; who is called is called all the same.
        let is_for = |case: &Case| at_unit.iter().any(|post| rights::is_within(&post.narrowed, case));
        let is_met = |blown: &Blown| {
            at_unit.iter().any(|post| {
                post.narrowed.clearance.are_enough(&blown.classes)
                    && (post.narrowed.is_whole() || blown.call(&post.unit).is_some())
            })
        };
        let Some(key) = push::key(conn, here.id)? else {
            return Ok(Made::Unwanted(Why::PushOff));
        };
        let opened = self.secret.open_push_key(&key.sealed, here.id);
        let opened = opened.and_then(|bytes| Key::new(&bytes));
        let to = self.secret.open_device(&device.sealed, (here.id, device.id));
        let (Some(opened), Some(to)) = (opened, to) else {
            return Ok(Made::Broken(Why::OtherKey.as_str().to_owned()));
        };
        let (mut said, mut urgent) = (Vec::new(), false);
        for delivery in group {
            let Ok(notice) = delivery.notice.parse::<Notice>() else {
                continue;
            };
            let place = &here.place;
            let message = match self.then(conn, here, delivery, now)? {
                Some(Then::Case(case, ..)) if !is_for(&case) => continue,
                Some(Then::Case(case, ..)) => Message::of_case(&case, notice, place, device.lang),
                Some(Then::Whistle(blown, _)) if !is_met(&blown) => continue,
                Some(Then::Whistle(blown, _)) => Message::of_whistle(&blown, notice, place, device.lang),
                None => continue,
            };
            urgent |= notice.is_urgent() || matches!(delivery.subject, Subject::Whistle(_));
            said.push((delivery.subject, message));
        }
        let name = here.place.jurisdiction.name.get(device.lang);
        let Some(message) = Message::together(&said, name) else {
            return Ok(Made::Unwanted(Why::NotAtPost));
        };
        Ok(Made::Push(Box::new(Push {
            to,
            key: opened,
            contact: key.contact,
            id: format!("{}-{}", here.id.0, which(group)),
            urgent,
            at: now,
            message,
            chance: self.chance.bytes(),
        })))
    }

    /// The address of a reader, and the language that they chose; empty when it was erased.
    pub(super) fn address_of(
        &self,
        conn: &Conn,
        here: &Here,
        subject: Subject,
        reader: &Reader,
    ) -> Result<(String, Option<Lang>)> {
        let Reader::Unit(unit) = reader else {
            let contact = self.contact_of(conn, here, subject, reader)?;
            return Ok((contact.email, contact.lang));
        };
        let email = here.place.unit(unit.as_str()).map(|unit| unit.email.clone());
        let lang = super::choices::of_unit(conn, here.id, unit)?.lang;
        Ok((email.unwrap_or_default(), lang))
    }

    /// How a reader who is no unit can be reached; nothing in it when that is not known any more.
    pub(super) fn contact_of(
        &self,
        conn: &Conn,
        here: &Here,
        subject: Subject,
        reader: &Reader,
    ) -> Result<Contact> {
        let Subject::Case(number) = subject else {
            return Ok(Contact::default());
        };
        let (number, report) = match reader {
            Reader::Unit(_) => return Ok(Contact::default()),
            Reader::Reporter(report) => (number, *report),
            Reader::Merged(own, report) => (*own, *report),
            Reader::Asked(question) => {
                let sealed = intake::respondent(conn, here.id, number, *question)?;
                let of = (here.id, number, *question);
                return Ok(sealed
                    .and_then(|sealed| self.secret.open_respondent(&sealed, of))
                    .unwrap_or_default());
            }
        };
        let sealed = intake::contacts(conn, here.id, number)?;
        let own = sealed.into_iter().find(|(of, _)| *of == report);
        Ok(own
            .and_then(|(_, sealed)| self.secret.open(&sealed, (here.id, number, report)))
            .unwrap_or_default())
    }

    /// The case or whistle and its log up to the event that is told of.
    fn then(&self, conn: &Conn, here: &Here, delivery: &Delivery, now: Timestamp) -> Result<Option<Then>> {
        let told = delivery.version as usize;
        Ok(match delivery.subject {
            Subject::Case(number) => {
                let found = cases::with_log(conn, here.id, number)?;
                found.and_then(|(current, mut log)| {
                    let answering = self.answering(here, &current, &log, delivery, now);
                    log.truncate(told);
                    let mut case = Case::fold(number, &log).ok()?;
                    case.close_like(&current);
                    Some(Then::Case(Box::new(case), log, answering))
                })
            }
            Subject::Whistle(number) => {
                let found = whistles::at_version(conn, here.id, number, delivery.version)?;
                found.map(|(blown, log)| Then::Whistle(Box::new(blown), log))
            }
        })
    }

    /// What the reader of a notice may answer, as the case is now.
    fn answering(
        &self,
        here: &Here,
        case: &Case,
        log: &[case::Event],
        delivery: &Delivery,
        now: Timestamp,
    ) -> Answering {
        let (version, number) = (delivery.version, case.number);
        let notice = delivery
            .notice
            .strip_prefix(SMS)
            .unwrap_or(&delivery.notice)
            .trim();
        let is = |wanted: Notice| notice == wanted.as_str();
        let told = log.get(version as usize - 1).map(|event| &event.body);
        if is(Notice::Asked) && matches!(told, Some(Body::Asked { .. })) {
            let open = case.question.as_ref();
            let open = open.is_some_and(|open| open.number == version && open.until > now);
            return if open {
                Answering::Question(self.secret.question_link(here.id, number, version))
            } else {
                Answering::Over
            };
        }
        let is_first = reader_of(delivery) == Reader::Reporter(1);
        if is(Notice::Handled) && is_first && judges(here, case, log, version, now) {
            return Answering::Work(self.secret.judging_link(here.id, number, version));
        }
        Answering::Nothing
    }
}

/// For whom a delivery is.
pub(super) fn reader_of(delivery: &Delivery) -> Reader {
    match (&delivery.unit, delivery.merged, delivery.report) {
        (Some(unit), ..) => Reader::Unit(unit.clone()),
        (None, Some(number), report) => Reader::Merged(number, report),
        // Nobody else outside is told of anything.
        (None, None, 0) => Reader::Asked(delivery.version),
        (None, None, report) => Reader::Reporter(report),
    }
}

/// Where a reader sees what a notice is about, or answers it.
fn where_to(view: &View) -> String {
    if view.answer.is_empty() {
        format!("{}{}", view.follow, view.staff)
    } else {
        view.answer.clone()
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

/// The values of a mail that holds several notices. They are about one case for a reporter, about any for a unit.
fn digest(first: &View, several: &[(Words, View)]) -> View {
    let item = |(words, view): &(Words, View)| Item {
        number: view.number.clone(),
        subject: words.subject.clone(),
        link: where_to(view),
    };
    View {
        count: several.len().to_string(),
        items: several.iter().map(item).collect(),
        ..first.clone()
    }
}
