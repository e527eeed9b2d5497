//! The install's secret: one key, in a file beside the database or given by whoever starts the process, never in it. From it come the pick-up codes of
//! reporters, the seals of contact data and of webhooks, the tokens of forms and of notices. Who has the database without it has none of these.

use std::{fs, io::Write};

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use whistle_domain::words::{CaseNumber, JurisdictionId, Lang, Subject};
use whistle_notices::told::Reader;
use whistle_store::{Store, case::Hash};

use crate::{
    Site,
    error::{Error, Result},
    time::Chance,
};

/// The key of an install. Prints nothing of itself.
pub struct Secret {
    key: [u8; 32],
    pickup: [u8; 32],
    contact: XChaCha20Poly1305,
    form: [u8; 32],
    photo: [u8; 32],
    notice: [u8; 32],
    webhook: XChaCha20Poly1305,
    second_factor: XChaCha20Poly1305,
    recovery: [u8; 32],
    question: [u8; 32],
}

/// The file's name in the data directory.
const FILE: &str = "secret.key";

/// How many letters a pick-up code has: 50 bits, guessed at one try a second in 35 million years.
const CODE_LETTERS: usize = 10;

/// How many letters the tag of a photo's ticket, and of a question's link, has: 128 bits.
const TAG_LETTERS: usize = 32;

/// How many letters the tag of a notice's token has: 100 bits.
const NOTICE_LETTERS: usize = 20;

/// Crockford's base 32: no I, L, O, U, so that a code can be read out on the telephone.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// How a reporter can be reached. Kept apart from the case, sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// What to call them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Their e-mail address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Their telephone number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// In which language they read; the place's own where it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
}

impl Contact {
    /// Whether nothing is known of whom to reach.
    pub fn is_empty(&self) -> bool {
        self.name.is_empty() && self.email.is_empty() && self.phone.is_empty()
    }

    /// Checks lengths and shapes.
    pub fn check(&self) -> Result<()> {
        const LONGEST: usize = 254;
        for (field, value) in [
            ("name", &self.name),
            ("email", &self.email),
            ("phone", &self.phone),
        ] {
            if value.chars().count() > LONGEST {
                return Err(Error::invalid(field, format!("at most {LONGEST} letters fit")));
            }
        }
        if !self.email.is_empty() && !is_address(&self.email) {
            return Err(Error::invalid(
                "email",
                "write an address such as name@example.org",
            ));
        }
        Ok(())
    }
}

/// Whether an install has its key already, so that none would be made for it.
pub(crate) fn is_given(site: &Site) -> bool {
    site.key.is_some() || site.dir.join(FILE).is_file()
}

/// Whether mail could go there: somebody at some host. Whether it arrives, only sending it tells.
fn is_address(email: &str) -> bool {
    let plain = !email.chars().any(|c| c.is_whitespace() || c.is_control());
    plain
        && email
            .rsplit_once('@')
            .is_some_and(|(who, host)| !who.is_empty() && !host.is_empty())
}

impl Secret {
    /// The key that is given, or that of the data directory. Where there is none it is made, readable by its owner only; but
    /// not for an install that has cases, as `store` tells: they were reported under a key, and another one opens nothing
    /// of theirs.
    pub(crate) fn load(site: &Site, store: &Store, chance: &Chance) -> Result<Self> {
        if let Some(key) = &site.key {
            return Ok(Self::from_key(key));
        }
        let path = site.dir.join(FILE);
        let shown = path.display().to_string();
        match fs::read(&path) {
            Ok(bytes) => {
                let key: [u8; 32] = bytes.try_into().map_err(|_| {
                    Error::invalid(
                        "secret.key",
                        format!("{shown} has not 32 bytes; restore it from your backup"),
                    )
                })?;
                Ok(Self::from_key(&key))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if store.read_blocking(whistle_store::case::is_any)? {
                    return Err(Error::invalid(
                        "secret.key",
                        format!(
                            "there are cases, but {shown} is missing, without which their contact data and pick-up codes are \
                             lost; put it back from a backup, or give it as WHISTLE_SECRET_KEY. If it is lost for good, begin \
                             with a new one: head -c 32 /dev/urandom > {shown}"
                        ),
                    ));
                }
                let key = chance.bytes::<32>();
                let mut options = fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let written = options
                    .open(&path)
                    .and_then(|mut file| file.write_all(&key).and_then(|()| file.sync_all()));
                match written {
                    Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                        Self::load(site, store, chance)
                    }
                    other => other.map_err(Error::io(shown)).map(|()| Self::from_key(&key)),
                }
            }
            Err(error) => Err(Error::io(shown)(error)),
        }
    }

    fn from_key(key: &[u8; 32]) -> Self {
        let contact = blake3::derive_key("whistle 2026 contact data", key);
        let webhook = blake3::derive_key("whistle 2026 webhooks", key);
        let second_factor = blake3::derive_key("whistle 2026 second factors", key);
        Self {
            key: *key,
            pickup: blake3::derive_key("whistle 2026 pick-up codes", key),
            contact: XChaCha20Poly1305::new((&contact).into()),
            form: blake3::derive_key("whistle 2026 form tokens", key),
            photo: blake3::derive_key("whistle 2026 photos", key),
            notice: blake3::derive_key("whistle 2026 notices", key),
            webhook: XChaCha20Poly1305::new((&webhook).into()),
            second_factor: XChaCha20Poly1305::new((&second_factor).into()),
            recovery: blake3::derive_key("whistle 2026 recovery codes", key),
            question: blake3::derive_key("whistle 2026 questions", key),
        }
    }

    /// The key itself, for a backup.
    pub(crate) fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The pick-up code of a report: `ABCDE-FGHJK`. Computed, so it is stored nowhere.
    pub fn pickup_code(&self, jurisdiction: JurisdictionId, number: CaseNumber, report: u32) -> String {
        let mut message = Vec::with_capacity(20);
        message.extend(jurisdiction.0.to_le_bytes());
        message.extend(number.0.to_le_bytes());
        message.extend(report.to_le_bytes());
        let hash = blake3::keyed_hash(&self.pickup, &message);
        written(&hash.as_bytes()[..CODE_LETTERS])
    }

    /// Which report of a case a code belongs to. Tells nothing by its time but how many reports there are.
    pub fn report_of_code(
        &self,
        jurisdiction: JurisdictionId,
        number: CaseNumber,
        reports: u32,
        code: &str,
    ) -> Option<u32> {
        let given = normalise(code);
        (1..=reports).find(|report| {
            let right = normalise(&self.pickup_code(jurisdiction, number, *report));
            right.as_bytes().ct_eq(given.as_bytes()).into()
        })
    }

    /// Seals contact data; it opens only for the same report of the same case.
    pub fn seal(
        &self,
        contact: &Contact,
        place: (JurisdictionId, CaseNumber, u32),
        chance: &Chance,
    ) -> Vec<u8> {
        let text = serde_json::to_vec(contact).expect("a contact has string keys only");
        seal(&self.contact, &text, &bound_to(place), chance)
    }

    /// Seals the secret of a second factor; it opens only for the same account.
    pub(crate) fn seal_second_factor(
        &self,
        secret: &[u8; 20],
        account: (JurisdictionId, i64),
        chance: &Chance,
    ) -> Vec<u8> {
        seal(&self.second_factor, secret, &of_account(account), chance)
    }

    /// Opens what [`Secret::seal_second_factor`] sealed.
    pub(crate) fn open_second_factor(
        &self,
        sealed: &[u8],
        account: (JurisdictionId, i64),
    ) -> Option<[u8; 20]> {
        let secret = open(&self.second_factor, sealed, &of_account(account))?;
        secret.try_into().ok()
    }

    /// By which a recovery code is known, however it is written. Without the key nobody finds the code by trying all.
    pub(crate) fn recovery_hash(&self, jurisdiction: JurisdictionId, account: i64, code: &str) -> [u8; 32] {
        let text = [
            &of_account((jurisdiction, account))[..],
            b"/",
            normalise(code).as_bytes(),
        ]
        .concat();
        *blake3::keyed_hash(&self.recovery, &text).as_bytes()
    }

    /// Opens what [`Secret::seal`] sealed; none when it was sealed with another key or for another report.
    pub fn open(&self, sealed: &[u8], place: (JurisdictionId, CaseNumber, u32)) -> Option<Contact> {
        let text = open(&self.contact, sealed, &bound_to(place))?;
        serde_json::from_slice(&text).ok()
    }

    /// Seals what requests to a webhook are signed with.
    pub(crate) fn seal_webhook(
        &self,
        secret: &[u8],
        webhook: (JurisdictionId, i64),
        chance: &Chance,
    ) -> Vec<u8> {
        seal(&self.webhook, secret, &of_webhook(webhook), chance)
    }

    /// Opens it again; none when it was sealed with another key or for another webhook.
    pub(crate) fn open_webhook(&self, sealed: &[u8], webhook: (JurisdictionId, i64)) -> Option<Vec<u8>> {
        open(&self.webhook, sealed, &of_webhook(webhook))
    }

    /// A token that says for which reader of notices it was made, and for what. Letters, digits and dashes in any case of
    /// letters, short enough for the local part of an address.
    pub(crate) fn notice_token(
        &self,
        purpose: Purpose,
        id: JurisdictionId,
        subject: Subject,
        reader: &Reader,
    ) -> String {
        let subject = match subject {
            Subject::Case(number) => number.to_string(),
            Subject::Whistle(number) => format!("w{number}"),
        };
        let reader = match reader {
            Reader::Reporter(report) => report.to_string(),
            // A code may have letters that an address cannot have.
            Reader::Unit(unit) => format!("u{}", hex(unit.as_str().as_bytes())),
        };
        let head = format!("n-{}-{subject}-{reader}", id.0);
        let mut hasher = blake3::Hasher::new_keyed(&self.notice);
        hasher.update(purpose.as_str().as_bytes());
        hasher.update(head.as_bytes());
        let tag: String = hasher.finalize().as_bytes()[..NOTICE_LETTERS]
            .iter()
            .map(|byte| LETTERS[usize::from(byte & 31)] as char)
            .collect();
        format!("{head}-{}", tag.to_ascii_lowercase())
    }

    /// For whom a token was made; none when we did not make it for this.
    pub(crate) fn reader_of_token(
        &self,
        purpose: Purpose,
        token: &str,
    ) -> Option<(JurisdictionId, Subject, Reader)> {
        let given = token.to_ascii_lowercase();
        let mut parts = given.split('-').skip(1);
        let id = JurisdictionId(parts.next()?.parse().ok()?);
        let subject = parts.next()?;
        let subject = match subject.strip_prefix('w') {
            Some(number) => Subject::Whistle(number.parse().ok()?),
            None => Subject::Case(subject.parse().ok()?),
        };
        let reader = parts.next()?;
        let reader = match reader.strip_prefix('u') {
            Some(digits) => Reader::Unit(String::from_utf8(unhex(digits)?).ok()?.parse().ok()?),
            None => Reader::Reporter(reader.parse().ok()?),
        };
        let right = self.notice_token(purpose, id, subject, &reader);
        bool::from(right.as_bytes().ct_eq(given.as_bytes())).then_some((id, subject, reader))
    }

    /// By which it is known that an address wants no mail, about one case or whistle or at all. Nobody finds the address by it,
    /// nor two cases of one reporter.
    pub(crate) fn opt_out(&self, id: JurisdictionId, email: &str, about: Option<Subject>) -> Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.notice);
        hasher.update(match about {
            Some(Subject::Whistle(_)) => b"opt out of a whistle".as_slice(),
            Some(Subject::Case(_)) | None => b"opt out",
        });
        hasher.update(&id.0.to_le_bytes());
        hasher.update(&about.map_or(0, Subject::number).to_le_bytes());
        hasher.update(email.trim().to_lowercase().as_bytes());
        *hasher.finalize().as_bytes()
    }

    /// The key of a calendar of due cases, for the account that may see them.
    pub(crate) fn calendar_key(&self, id: JurisdictionId, account: i64) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.notice);
        hasher.update(b"calendar");
        hasher.update(&id.0.to_le_bytes());
        hasher.update(&account.to_le_bytes());
        let tag = hasher.finalize().to_hex();
        format!("{account}-{}", &tag[..TAG_LETTERS])
    }

    /// The account that a calendar's key was made for; none when we did not make it.
    pub(crate) fn account_of_calendar_key(&self, id: JurisdictionId, key: &str) -> Option<i64> {
        let (account, _) = key.split_once('-')?;
        let account = account.parse().ok()?;
        let right = self.calendar_key(id, account);
        bool::from(right.as_bytes().ct_eq(key.as_bytes())).then_some(account)
    }

    /// The id of a photo: of its place and its picture, so that the same one sent twice to a place is kept once.
    pub fn photo_id(&self, jurisdiction: JurisdictionId, picture: &[u8]) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.photo);
        hasher.update(b"picture");
        hasher.update(&jurisdiction.0.to_le_bytes());
        hasher.update(picture);
        hasher.finalize().to_hex().to_string()
    }

    /// What the sender of a photo gets for it: the id with a tag that nobody else can make. Everybody who may look at a
    /// case reads the ids of its photos; only with the ticket may one be put into a case.
    pub fn photo_ticket(&self, jurisdiction: JurisdictionId, id: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.photo);
        hasher.update(b"ticket");
        hasher.update(&jurisdiction.0.to_le_bytes());
        hasher.update(id.as_bytes());
        let tag = hasher.finalize().to_hex();
        format!("{id}-{}", &tag[..TAG_LETTERS])
    }

    /// The id of the photo that a ticket is for; none when we did not give it out here.
    pub fn photo_of_ticket<'t>(&self, jurisdiction: JurisdictionId, ticket: &'t str) -> Option<&'t str> {
        let (id, _) = ticket.split_once('-')?;
        let right = self.photo_ticket(jurisdiction, id);
        bool::from(right.as_bytes().ct_eq(ticket.as_bytes())).then_some(id)
    }

    /// The last part of the link of a question: who has it may answer. Computed, so it is stored nowhere; that it serves
    /// once only is the case's to know.
    pub fn question_link(&self, jurisdiction: JurisdictionId, number: CaseNumber, question: u32) -> String {
        let mut message = Vec::with_capacity(20);
        message.extend(jurisdiction.0.to_le_bytes());
        message.extend(number.0.to_le_bytes());
        message.extend(question.to_le_bytes());
        let tag = blake3::keyed_hash(&self.question, &message).to_hex();
        format!("{number}-{question}-{}", &tag[..TAG_LETTERS])
    }

    /// The case and the question that a link is for; none when we did not give it out here.
    pub fn question_of_link(&self, jurisdiction: JurisdictionId, link: &str) -> Option<(CaseNumber, u32)> {
        let mut parts = link.splitn(3, '-');
        let number: CaseNumber = parts.next()?.parse().ok()?;
        let question: u32 = parts.next()?.parse().ok()?;
        let right = self.question_link(jurisdiction, number, question);
        bool::from(right.as_bytes().ct_eq(link.as_bytes())).then_some((number, question))
    }

    /// The token that a form of this session must send back (against forged requests).
    pub fn form_token(&self, session: &str) -> String {
        blake3::keyed_hash(&self.form, session.as_bytes())
            .to_hex()
            .to_string()
    }

    /// Whether a form sent the right token.
    pub fn is_form_token(&self, session: &str, token: &str) -> bool {
        self.form_token(session).as_bytes().ct_eq(token.as_bytes()).into()
    }
}

/// What a reader's token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An answer by mail. Who has it speaks as the reporter.
    Reply,
    /// To be told no more. It stands in a header that programs on the way read, so it is good for nothing else.
    Stop,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Stop => "stop",
        }
    }
}

/// A new recovery code, `ABCDE-FGHJK`.
pub(crate) fn recovery_code(chance: &Chance) -> String {
    written(&chance.bytes::<CODE_LETTERS>())
}

/// Seals a text that opens only with the same `bound_to`.
fn seal(cipher: &XChaCha20Poly1305, text: &[u8], bound_to: &[u8], chance: &Chance) -> Vec<u8> {
    let nonce = chance.bytes::<24>();
    let payload = Payload {
        msg: text,
        aad: bound_to,
    };
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .expect("a short text can always be sealed");
    [&nonce[..], &sealed].concat()
}

fn open(cipher: &XChaCha20Poly1305, sealed: &[u8], bound_to: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<24>()?;
    let payload = Payload {
        msg: sealed,
        aad: bound_to,
    };
    cipher.decrypt(&XNonce::from(*nonce), payload).ok()
}

fn of_webhook((jurisdiction, webhook): (JurisdictionId, i64)) -> Vec<u8> {
    format!("webhook {}/{webhook}", jurisdiction.0).into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || digits.len() % 2 == 1 {
        return None;
    }
    let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

/// Random bytes as the letters of a code, five bits of each.
fn written(bytes: &[u8]) -> String {
    let mut code: String = bytes
        .iter()
        .map(|b| LETTERS[usize::from(b & 31)] as char)
        .collect();
    code.insert(bytes.len() / 2, '-');
    code
}

fn of_account((jurisdiction, account): (JurisdictionId, i64)) -> Vec<u8> {
    format!("{}/{account}", jurisdiction.0).into_bytes()
}

fn bound_to((jurisdiction, number, report): (JurisdictionId, CaseNumber, u32)) -> Vec<u8> {
    format!("{}/{number}/{report}", jurisdiction.0).into_bytes()
}

/// A code as its letters mean it: spaces and dashes left out, O read as 0, I and L as 1.
fn normalise(code: &str) -> String {
    code.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–'))
        .take(CODE_LETTERS + 1)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use whistle_domain::words::WhistleNumber;

    use super::*;

    const PLACE: (JurisdictionId, CaseNumber, u32) = (JurisdictionId(1), CaseNumber(42), 1);

    #[test]
    fn a_code_is_found_however_it_is_written_and_only_for_its_case() {
        let secret = Secret::from_key(&[7; 32]);
        let code = secret.pickup_code(PLACE.0, PLACE.1, 2);
        let sloppy = code
            .to_lowercase()
            .replace('-', " ")
            .replace('0', "o")
            .replace('1', "l");
        assert_eq!(secret.report_of_code(PLACE.0, PLACE.1, 3, &sloppy), Some(2));
        assert_eq!(secret.report_of_code(PLACE.0, PLACE.1, 1, &code), None);
        assert_eq!(secret.report_of_code(PLACE.0, CaseNumber(43), 3, &code), None);
        assert_eq!(secret.report_of_code(PLACE.0, PLACE.1, 3, ""), None);
    }

    #[test]
    fn a_photo_is_put_into_a_case_by_its_ticket_only_and_only_at_its_place() {
        let secret = Secret::from_key(&[7; 32]);
        let id = secret.photo_id(PLACE.0, b"a picture");
        let ticket = secret.photo_ticket(PLACE.0, &id);
        assert_eq!(secret.photo_of_ticket(PLACE.0, &ticket), Some(id.as_str()));
        let forged = format!("{id}-{}", "0".repeat(TAG_LETTERS));
        for wrong in [id.as_str(), &forged, "", "-", &ticket[1..]] {
            assert_eq!(secret.photo_of_ticket(PLACE.0, wrong), None, "{wrong}");
        }
        assert_eq!(secret.photo_of_ticket(JurisdictionId(2), &ticket), None);
        let other = Secret::from_key(&[8; 32]);
        assert_eq!(other.photo_of_ticket(PLACE.0, &ticket), None);
        assert_ne!(secret.photo_id(JurisdictionId(2), b"a picture"), id);
    }

    #[test]
    fn a_link_leads_to_its_own_question_only() {
        let secret = Secret::from_key(&[7; 32]);
        let link = secret.question_link(PLACE.0, PLACE.1, 5);
        assert_eq!(secret.question_of_link(PLACE.0, &link), Some((PLACE.1, 5)));
        let other = link.replacen("42-5-", "42-6-", 1);
        for wrong in [other.as_str(), "", "42", "42-5", "42-5-", &link[..link.len() - 1]] {
            assert_eq!(secret.question_of_link(PLACE.0, wrong), None, "{wrong}");
        }
        assert_eq!(secret.question_of_link(JurisdictionId(2), &link), None);
    }

    #[test]
    fn an_e_mail_address_has_somebody_and_a_host() {
        for email in ["s@example.org", "三毛@例子.中国", ""] {
            let contact = Contact {
                email: email.into(),
                ..Contact::default()
            };
            assert!(contact.check().is_ok(), "{email}");
        }
        for email in ["s", "s@", "@example.org", "s @example.org"] {
            let contact = Contact {
                email: email.into(),
                ..Contact::default()
            };
            assert!(contact.check().is_err(), "{email}");
        }
    }

    #[test]
    fn contact_data_opens_only_for_its_own_report_and_key() {
        let secret = Secret::from_key(&[7; 32]);
        let contact = Contact {
            name: "三毛".into(),
            email: "s@example.org".into(),
            phone: String::new(),
            lang: Some(Lang::Zh),
        };
        let sealed = secret.seal(&contact, PLACE, &Chance::from_seed(1));
        assert_eq!(secret.open(&sealed, PLACE), Some(contact));
        assert_eq!(secret.open(&sealed, (PLACE.0, PLACE.1, 2)), None);
        assert_eq!(Secret::from_key(&[8; 32]).open(&sealed, PLACE), None);
        assert_eq!(secret.open(&sealed[..10], PLACE), None);
    }

    #[test]
    fn a_notices_token_says_whose_it_is_and_is_good_for_one_purpose_only() {
        let secret = Secret::from_key(&[7; 32]);
        let unit = Reader::Unit("市政/1-a".parse().unwrap());
        let case = Subject::Case(PLACE.1);
        let whistle = Subject::Whistle(WhistleNumber(42));
        for (subject, reader) in [(case, Reader::Reporter(3)), (case, unit.clone()), (whistle, unit)] {
            let token = secret.notice_token(Purpose::Reply, PLACE.0, subject, &reader);
            assert!(
                token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
                "{token}"
            );
            let found = |purpose, token: &str| secret.reader_of_token(purpose, token);
            assert_eq!(
                found(Purpose::Reply, &token),
                Some((PLACE.0, subject, reader.clone()))
            );
            assert_eq!(
                found(Purpose::Reply, &token.to_ascii_uppercase()),
                found(Purpose::Reply, &token)
            );
            assert_eq!(found(Purpose::Stop, &token), None);
            assert_eq!(found(Purpose::Reply, &token.replace("42-", "43-")), None);
        }
        for wrong in [
            "",
            "n",
            "n-1-42-u-x",
            "n-1-42-u6-x",
            "n-1-42-uff-x",
            "n-1-0-1-x",
            "n-1-42-1",
        ] {
            assert_eq!(secret.reader_of_token(Purpose::Reply, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn who_opted_out_is_known_again_and_two_cases_of_one_reporter_are_not_tied_together() {
        let secret = Secret::from_key(&[7; 32]);
        let who = |email: &str, number: Option<i64>| {
            let case = number.map(|number| Subject::Case(CaseNumber(number)));
            secret.opt_out(PLACE.0, email, case)
        };
        let whistle = Subject::Whistle(WhistleNumber(1));
        assert_ne!(
            secret.opt_out(PLACE.0, "li@example.org", Some(whistle)),
            who("li@example.org", Some(1))
        );
        assert_eq!(who("Li@Example.org ", Some(1)), who("li@example.org", Some(1)));
        assert_ne!(who("li@example.org", Some(1)), who("li@example.org", Some(2)));
        assert_ne!(who("li@example.org", None), who("li@example.org", Some(1)));
    }
}
