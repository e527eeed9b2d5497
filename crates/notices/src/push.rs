//! Push: a few words for the lock screen of one device. The browser's push service takes them (RFC 8030), signed by a key of
//! the place (VAPID, RFC 8292), and sealed for the device (RFC 8291), so that the push service reads nothing of it.
//!
//! On a lock screen anybody reads along, so that no word of what somebody wrote is in it, nor an address: what kind of notice,
//! of which number, in which area, and the page, which asks who it is.

use aes_gcm::{
    Aes128Gcm,
    aead::{Aead, KeyInit},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use jiff::{SignedDuration, Timestamp};
use p256::{
    PublicKey, SecretKey,
    ecdsa::{Signature, SigningKey, signature::Signer},
};
use reqwest::{
    Url,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use whistle_domain::{
    case::Case,
    place::Place,
    whistle::Whistle,
    words::{Lang, Subject},
};

use crate::{
    Failed, Notice, Why,
    webhook::{Hooks, check, not_taken, reason},
};

/// How long a push service keeps a message for a device that is off: over a weekend.
const KEPT: SignedDuration = SignedDuration::from_hours(72);

/// How long a signature is good; a day is the most that push services take.
const SIGNED_FOR: SignedDuration = SignedDuration::from_hours(12);

/// Bytes of an uncompressed point of the curve.
const POINT: usize = 65;

/// The one record that a message is; push services take 4096 bytes.
const RECORD: u32 = 4096;

/// A message is filled up to a multiple of this, so that its length does not say which it is.
const FILLED_TO: usize = 256;

/// The most letters of a line. Names of a place are its own to choose, and the message must fit into one record.
const MAX_LINE: usize = 120;

/// The most cases that several notices in one name.
const NAMED: usize = 5;

/// Where a device is reached, and what messages for it are sealed with: what its browser says when it subscribes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The address at its push service. Who has it and the place's key can send to the device.
    pub endpoint: String,
    /// Its public key.
    pub keys: SubscriptionKeys,
}

/// The keys of a [`Subscription`], in base64 as browsers write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionKeys {
    /// The device's public key.
    pub p256dh: String,
    /// A secret that the device and we share.
    pub auth: String,
}

/// What a [`Subscription`] says, read.
struct Device {
    point: Vec<u8>,
    key: PublicKey,
    auth: Vec<u8>,
}

impl Subscription {
    /// Reads what a browser says, and checks it: an address of a push service by https, or where `private`, of this machine or
    /// its network; keys that are some.
    pub fn read(text: &str, private: bool) -> Result<Self, String> {
        let wrong = "it is no subscription of a browser";
        let read: Self = serde_json::from_str(text).map_err(|_| wrong.to_owned())?;
        address(&read.endpoint, private)?;
        read.device().map_err(|()| wrong.to_owned())?;
        Ok(read)
    }

    /// Which push service it is: the same number for all devices of one.
    pub fn service(&self) -> i64 {
        let host = Url::parse(&self.endpoint).ok();
        let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
        let hash = Sha256::digest(host.as_bytes());
        let (head, _) = hash.split_at(6);
        // Never 0, which stands for none.
        1 + head.iter().fold(0, |number, byte| number << 8 | i64::from(*byte))
    }

    /// By which the same one is known again.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.endpoint.as_bytes()).into()
    }

    fn device(&self) -> Result<Device, ()> {
        // Some browsers write the signs that fill up.
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(drop);
        let (point, auth) = (bytes(&self.keys.p256dh)?, bytes(&self.keys.auth)?);
        if point.len() != POINT || auth.len() != 16 {
            return Err(());
        }
        let key = PublicKey::from_sec1_bytes(&point).map_err(drop)?;
        Ok(Device { point, key, auth })
    }
}

/// Checks the address of a push service: as that of a webhook; by https, unless it may be on this machine.
fn address(endpoint: &str, private: bool) -> Result<Url, String> {
    let url = check(endpoint, private)?;
    if url.scheme() == "https" || private {
        Ok(url)
    } else {
        Err("a push service is reached by https".to_owned())
    }
}

/// By which push services know that a message is from this place: a pair of keys. Browsers get the public one when they
/// subscribe, and take messages of no other.
#[derive(Clone)]
pub struct Key(SecretKey);

impl Key {
    /// A key of random bytes; none of the very few that are none.
    pub fn new(bytes: &[u8; 32]) -> Option<Self> {
        SecretKey::from_slice(bytes).ok().map(Self)
    }

    /// As it is kept.
    pub fn bytes(&self) -> [u8; 32] {
        self.0.to_bytes().into()
    }

    /// The public one, as browsers take it.
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(point_of(&self.0.public_key()))
    }

    /// The header that says who sends it, for the push service at an address.
    fn authorization(&self, to: &Url, contact: &str, at: Timestamp) -> String {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = part(json!({ "typ": "JWT", "alg": "ES256" }));
        let claims = part(json!({
            "aud": to.origin().ascii_serialization(),
            "exp": (at + SIGNED_FOR).as_second(),
            "sub": contact,
        }));
        let said = format!("{head}.{claims}");
        let signature: Signature = SigningKey::from(&self.0).sign(said.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.to_bytes());
        format!("vapid t={said}.{signature}, k={}", self.public())
    }
}

fn point_of(key: &PublicKey) -> Vec<u8> {
    use p256::elliptic_curve::sec1::ToSec1Point;
    key.to_sec1_point(false).as_bytes().to_vec()
}

/// Checks whom a push service writes to when something is wrong with our messages: an address of mail or a page.
pub fn check_contact(contact: &str) -> Result<(), String> {
    let mail = contact.strip_prefix("mailto:").is_some_and(|mail| {
        let plain = mail.chars().all(|c| c.is_ascii_graphic());
        plain
            && mail
                .split_once('@')
                .is_some_and(|(who, host)| !who.is_empty() && !host.is_empty())
    });
    let page = contact.starts_with("https://") && Url::parse(contact).is_ok();
    if (mail || page) && contact.len() <= 254 {
        Ok(())
    } else {
        Err("write mailto: and an address, or the https address of a page".to_owned())
    }
}

/// What a lock screen shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// What kind of notice, and of which number.
    pub title: String,
    /// Where: the name of an area; of a whistle, its kind.
    pub body: String,
    /// In which language that is.
    pub lang: Lang,
    /// The page that it is about, below the place's address.
    pub link: String,
}

impl Message {
    /// Of a notice about a case.
    pub fn of_case(case: &Case, notice: Notice, place: &Place, lang: Lang) -> Self {
        let mut areas = case.location.areas.0.iter().rev().flatten();
        let area = areas.find_map(|code| {
            let name = place.areas.get(place.areas.find(code.as_str())?).name.get(lang);
            (!name.is_empty()).then(|| name.to_owned())
        });
        let subject = Subject::Case(case.number);
        Self::new(subject, notice, area.unwrap_or_default(), lang)
    }

    /// Of a notice about a whistle.
    pub fn of_whistle(whistle: &Whistle, notice: Notice, place: &Place, lang: Lang) -> Self {
        let kind = place.whistle_kind(whistle.kind.as_str());
        let kind = kind.map_or(whistle.kind.as_str(), |kind| kind.name.get(lang));
        Self::new(Subject::Whistle(whistle.number), notice, kind.to_owned(), lang)
    }

    fn new(subject: Subject, notice: Notice, body: String, lang: Lang) -> Self {
        let (number, said) = (subject.number(), said(notice, lang));
        let (title, link) = match (subject, lang) {
            (Subject::Case(_), Lang::Zh) => (format!("［{number}］{said}"), "cases"),
            (Subject::Case(_), Lang::En) => (format!("[{number}] {said}"), "cases"),
            (Subject::Whistle(_), Lang::Zh) => (format!("［哨单 {number}］{said}"), "whistles"),
            (Subject::Whistle(_), Lang::En) => (format!("[whistle {number}] {said}"), "whistles"),
        };
        Self {
            title,
            body: line(&body),
            lang,
            link: format!("/staff/{link}/{number}"),
        }
    }

    /// Several in one, of one language, with the name of the place.
    pub fn together(several: &[(Subject, Self)], place: &str) -> Option<Self> {
        let (_, first) = several.first()?;
        if several.len() == 1 {
            return Some(first.clone());
        }
        let (n, lang) = (several.len(), first.lang);
        let mut numbers: Vec<String> = several
            .iter()
            .map(|(subject, _)| subject.number().to_string())
            .collect();
        numbers.dedup();
        let more = numbers.len() > NAMED;
        numbers.truncate(NAMED);
        let name = line(place);
        let (title, between) = match lang {
            Lang::Zh => (format!("{n} 条通知：{name}"), "、"),
            Lang::En => (format!("{n} notices: {name}"), ", "),
        };
        Some(Self {
            title,
            body: numbers.join(between) + if more { "…" } else { "" },
            lang,
            link: "/staff".to_owned(),
        })
    }
}

fn line(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(MAX_LINE).collect()
}

/// What a notice to a unit says in a few words. What is for others is pushed to nobody.
const fn said(notice: Notice, lang: Lang) -> &'static str {
    let (zh, en) = match notice {
        Notice::StationNew => ("新上报，待受理", "new, to be taken up"),
        Notice::UnitComment => ("上报人补充", "the reporter said something"),
        Notice::UnitPartDone => ("协办完毕", "a part is done"),
        Notice::UnitPartReleased => ("取消协办", "a part is not needed"),
        Notice::UnitAnswered => ("已答复", "answered"),
        Notice::UnitUnanswered => ("逾期未答复", "not answered"),
        Notice::StationReopen => ("申请重新办理", "asked to open again"),
        Notice::StationParkAsked => ("申请暂缓", "asked to let it wait"),
        Notice::StationExtensionAsked => ("申请延期", "asked for more time"),
        Notice::UnitParked => ("暂缓办理", "waits"),
        Notice::UnitExtended => ("已延期", "has more time"),
        Notice::UnitRequestRefused => ("申请未获批准", "request refused"),
        Notice::UnitSupervised => ("列入督办", "watched over"),
        Notice::UnitTakenAway => ("不再由贵单位办理", "no longer yours"),
        Notice::UnitReturned => ("退回", "returned"),
        Notice::UnitReopened => ("重新办理", "opened again"),
        Notice::UnitEscalated => ("时限预警", "time runs out"),
        Notice::UnitRework => ("返工", "not done"),
        Notice::UnitJoint => ("协办任务", "a part for you"),
        Notice::UnitAssigned => ("新案件", "new case"),
        Notice::WhistleApproved => ("已批准", "approved"),
        Notice::WhistleRefused => ("未批准", "not approved"),
        Notice::WhistleAsked => ("请审批", "to approve"),
        Notice::WhistleRaised => ("提级", "raised to you"),
        Notice::StationRefused => ("拒绝应哨", "a unit does not come"),
        Notice::UnitMinuted => ("会商纪要", "minutes"),
        Notice::CallOverdue => ("应哨超时", "a unit is late"),
        Notice::UnitWhistled => ("请应哨报到", "you are called"),
        Notice::UnitWhistleWithdrawn => ("已撤回", "taken back"),
        Notice::Accepted
        | Notice::Assigned
        | Notice::InProgress
        | Notice::Comment
        | Notice::Received
        | Notice::Joined
        | Notice::Handled
        | Notice::Reopened
        | Notice::ReopenRefused
        | Notice::Declined
        | Notice::Merged
        | Notice::Referred
        | Notice::Closed
        | Notice::Asked
        | Notice::Digest
        | Notice::Footer => ("有新情况", "something happened"),
    };
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// One message on its way to one device.
#[derive(Clone)]
pub struct Push {
    /// To which.
    pub to: Subscription,
    /// By which the push service knows who sends it.
    pub key: Key,
    /// Whom it writes to when something is wrong.
    pub contact: String,
    /// The same each time it is sent: of two that wait the push service keeps one, and the device shows one.
    pub id: String,
    /// Whether a device that saves its battery should wake.
    pub urgent: bool,
    /// When it is sent.
    pub at: Timestamp,
    /// What the lock screen shows.
    pub message: Message,
    /// Drawn for this one alone.
    pub chance: [u8; 48],
}

impl Push {
    /// What the device gets.
    fn text(&self) -> String {
        let Message {
            title,
            body,
            lang,
            link,
        } = &self.message;
        json!({ "id": self.id, "title": title, "body": body, "lang": lang, "link": link }).to_string()
    }

    /// The same, sealed for the device alone.
    fn sealed(&self) -> Result<Vec<u8>, ()> {
        let (salt, own) = self.chance.split_first_chunk::<16>().ok_or(())?;
        let own = SecretKey::from_slice(own).map_err(drop)?;
        let mut text = self.text().into_bytes();
        // The sign that the last record ends.
        text.push(2);
        text.resize(text.len().next_multiple_of(FILLED_TO), 0);
        seal(&text, &self.to.device()?, salt, &own)
    }
}

/// RFC 8291: one record of RFC 8188, under a key that only the device can find again.
fn seal(text: &[u8], to: &Device, salt: &[u8; 16], own: &SecretKey) -> Result<Vec<u8>, ()> {
    let own_point = point_of(&own.public_key());
    let shared = own.diffie_hellman(&to.key);
    let derived = |salt: &[u8], from: &[u8], what: &[u8], to: &mut [u8]| {
        Hkdf::<Sha256>::new(Some(salt), from)
            .expand(what, to)
            .map_err(drop)
    };
    let (mut secret, mut key, mut nonce) = ([0; 32], [0; 16], [0; 12]);
    let info = [b"WebPush: info\0", &to.point[..], &own_point].concat();
    derived(&to.auth, shared.raw_secret_bytes(), &info, &mut secret)?;
    derived(salt, &secret, b"Content-Encoding: aes128gcm\0", &mut key)?;
    derived(salt, &secret, b"Content-Encoding: nonce\0", &mut nonce)?;
    let sealed = Aes128Gcm::new(&key.into())
        .encrypt(&nonce.into(), text)
        .map_err(drop)?;
    if sealed.len() > RECORD as usize {
        return Err(());
    }
    let head = [&salt[..], &RECORD.to_be_bytes(), &[POINT as u8], &own_point].concat();
    Ok([head, sealed].concat())
}

impl Hooks {
    /// Sends one message. What a push service takes it has promised to deliver. `Failed::Address`: the device is gone.
    pub async fn push(&self, push: &Push) -> Result<(), Failed> {
        let url = address(&push.to.endpoint, self.private)
            .map_err(|what| Failed::Never(Why::BadPushService.with(&what)))?;
        let Ok(body) = push.sealed() else {
            return Err(Why::Unwritable.never());
        };
        let topic = URL_SAFE_NO_PAD.encode(&Sha256::digest(push.id.as_bytes())[..18]);
        let sent = self
            .client
            .post(url.clone())
            .header(USER_AGENT, concat!("whistle/", env!("CARGO_PKG_VERSION")))
            .header(
                AUTHORIZATION,
                push.key.authorization(&url, &push.contact, push.at),
            )
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_ENCODING, "aes128gcm")
            .header("TTL", KEPT.as_secs().to_string())
            .header("Topic", topic)
            .header("Urgency", if push.urgent { "high" } else { "normal" })
            .body(body)
            .send()
            .await;
        let answer = match sent {
            Ok(answer) => answer,
            // Nobody was there to take it.
            Err(error) if error.is_connect() => return Err(Failed::Later(reason(&error))),
            Err(error) => return Err(Failed::Perhaps(reason(&error))),
        };
        let said = Why::PushAnswered.with(&answer.status().to_string());
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            404 | 410 => Err(Failed::Address(Why::DeviceGone.as_str().to_owned())),
            // What is wrong with it now is wrong with it tomorrow.
            400 | 413 => Err(Failed::Never(said)),
            _ => Err(not_taken(said, answer.headers(), push.at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use whistle_domain::words::CaseNumber;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// The device of the example in RFC 8291.
    fn device() -> Subscription {
        Subscription {
            endpoint: "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV".to_owned(),
            keys: SubscriptionKeys {
                p256dh:
                    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
                        .to_owned(),
                auth: "BTBZMqHH6r4Tts7J_aSIgg".to_owned(),
            },
        }
    }

    #[test]
    fn a_message_is_sealed_as_in_the_example_of_the_standard() {
        let text = [b"When I grow up, I want to be a watermelon", &[2][..]].concat();
        let own = SecretKey::from_slice(&bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).unwrap();
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let sealed = seal(&text, &device().device().unwrap(), &salt, &own).unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(sealed),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz\
             AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn every_message_is_as_long_as_the_others() {
        let push = |title: &str| Push {
            to: device(),
            key: Key::new(&[7; 32]).unwrap(),
            contact: "mailto:ops@example.org".to_owned(),
            id: "1-1".to_owned(),
            urgent: false,
            at: Timestamp::UNIX_EPOCH,
            message: Message {
                title: title.to_owned(),
                body: String::new(),
                lang: Lang::Zh,
                link: "/staff".to_owned(),
            },
            chance: [1; 48],
        };
        let length = |title| push(title).sealed().unwrap().len();
        assert_eq!(length("［1］返工"), length("［1042］新上报，待受理"));
        // The longest of all fits.
        assert!(push(&"字".repeat(2 * MAX_LINE)).sealed().is_ok());
    }

    #[test]
    fn a_subscription_of_no_push_service_is_refused() {
        let with = |endpoint: &str| {
            let subscription = Subscription {
                endpoint: endpoint.to_owned(),
                ..device()
            };
            serde_json::to_string(&subscription).unwrap()
        };
        for endpoint in [
            "http://push.example.net/x",
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://10.0.0.1/x",
            "https://u:p@push.example.net/x",
            "ftp://push.example.net/x",
            "",
        ] {
            assert!(Subscription::read(&with(endpoint), false).is_err(), "{endpoint}");
        }
        assert!(Subscription::read(&with("http://127.0.0.1:9/x"), true).is_ok());
        let good = with("https://push.example.net/x");
        assert!(Subscription::read(&good, false).is_ok());
        // What a browser says has more in it.
        let more = good.replacen('{', "{\"expirationTime\":null,", 1);
        assert!(Subscription::read(&more, false).is_ok());
        assert!(
            Subscription::read(&good.replace("BCVx", "BBBB"), false).is_err(),
            "no point of the curve"
        );
        assert!(
            Subscription::read(&good.replace("SIgg", "SI"), false).is_err(),
            "a short secret"
        );
        assert!(Subscription::read("{}", false).is_err());
    }

    #[test]
    fn devices_of_one_push_service_have_one_number() {
        let of = |endpoint: &str| {
            let endpoint = endpoint.to_owned();
            Subscription { endpoint, ..device() }.service()
        };
        assert_eq!(of("https://a.example/1"), of("https://a.example/2"));
        assert_ne!(of("https://a.example/1"), of("https://b.example/1"));
        assert!(of("https://a.example/1") > 0);
    }

    #[test]
    fn whom_push_services_write_to_is_an_address() {
        for right in ["mailto:ops@example.org", "https://example.org/contact"] {
            assert!(check_contact(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "ops@example.org",
            "mailto:ops",
            "mailto:a b@c",
            "http://example.org",
        ] {
            assert!(check_contact(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_notice_to_a_unit_has_words_of_its_own() {
        let to_unit = |notice: &Notice| {
            let word = notice.as_str();
            ["unit_", "station_", "whistle_", "call_"]
                .iter()
                .any(|head| word.starts_with(head))
        };
        for lang in Lang::ALL {
            let mut all: Vec<_> = Notice::all()
                .filter(to_unit)
                .map(|notice| said(notice, lang))
                .collect();
            let usual = said(Notice::Closed, lang);
            assert!(!all.contains(&usual), "{lang}");
            all.sort_unstable();
            let n = all.len();
            all.dedup();
            assert_eq!(all.len(), n, "{lang}: two say the same");
        }
    }

    #[test]
    fn several_in_one_say_how_many_and_of_which() {
        let place = "Willow Brook";
        let one = |number: i64| {
            let subject = Subject::Case(CaseNumber(number));
            (
                subject,
                Message::new(subject, Notice::UnitRework, "Bridge".to_owned(), Lang::En),
            )
        };
        let all: Vec<_> = [1, 1, 2, 3, 4, 5, 6].map(one).into();
        assert_eq!(Message::together(&all[..1], place), Some(all[0].1.clone()));
        assert_eq!(all[0].1.title, "[1] not done");
        let together = Message::together(&all, place).unwrap();
        assert_eq!(together.body, "1, 2, 3, 4, 5…");
        assert_eq!(together.link, "/staff");
        assert_eq!(together.title, "7 notices: Willow Brook");
        assert_eq!(Message::together(&[], place), None);
    }
}
