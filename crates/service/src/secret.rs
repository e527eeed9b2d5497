//! The install's secret: a key, in a file beside the database or given by whoever starts the process, never in it. From it come
//! the pick-up codes of reporters, the seals of contact data, of webhooks, of devices and of second factors, the tokens of forms and of
//! notices. Who has the database without it has none of these.
//!
//! A key that is rotated stays behind the new one: what it sealed is sealed anew by [`rotate`], and what it gave out, the
//! codes of reporters, links and recovery codes, stays good until it is given up by [`forget`]. Wishes to get no mail outlive it.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    io::Write,
    path::Path,
    str::FromStr,
};

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use whistle_domain::words::{CaseNumber, JurisdictionId, Lang, Subject};
use whistle_notices::{
    choice::{Choice, Kinds, Pace},
    push::Subscription,
    told::Reader,
};
use whistle_store::{
    Store,
    admin::{self, Deed, Doer},
    case::Hash,
    intake, key_mark, notice, place, push, second_factor,
};

use crate::{
    Site, Whistle,
    error::{Error, Result},
    time::{Chance, Clock, SystemClock},
};

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// The most keys of an install: with one a year, the codes of cases of this many years open.
const MAX_KEYS: usize = 8;

/// The keys of an install: the one in force first, then those that were before it, the youngest first. Prints nothing of
/// itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys(Vec<[u8; KEY_BYTES]>);

impl Keys {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (keys, rest) = bytes.as_chunks::<KEY_BYTES>();
        (rest.is_empty() && (1..=MAX_KEYS).contains(&keys.len())).then(|| Self(keys.to_vec()))
    }

    /// As they are in the file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.concat()
    }
}

impl FromStr for Keys {
    type Err = String;

    /// Reads hexadecimal digits, with commas between keys.
    fn from_str(text: &str) -> Result<Self, String> {
        let key = |text: &str| {
            let digits = text.trim().as_bytes();
            let is_key = digits.len() == 2 * KEY_BYTES && digits.iter().all(u8::is_ascii_hexdigit);
            let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
            is_key.then(|| {
                let (pairs, _) = digits.as_chunks::<2>();
                pairs
                    .iter()
                    .flat_map(|[high, low]| [value(*high) << 4 | value(*low)])
                    .collect::<Vec<u8>>()
            })
        };
        let bytes = text.split(',').map(key).collect::<Option<Vec<_>>>();
        bytes.and_then(|keys| Self::read(&keys.concat())).ok_or_else(|| {
            format!(
                "write 64 hexadecimal digits, `openssl rand -hex 32` makes some; earlier keys after it, with commas, {MAX_KEYS} \
                 in all"
            )
        })
    }
}

/// The keys of an install with what is made from each.
pub struct Secret {
    keys: Keys,
    /// Of each key, in their order.
    made: Vec<Made>,
    /// By which wishes are known that were noted under keys before those.
    opt_out_keys: HashMap<JurisdictionId, Vec<OptOutKey>>,
}

/// A key by which it is known who wants no mail; good for nothing else here.
type OptOutKey = [u8; 32];

/// What is made from one key.
struct Made {
    pickup: [u8; 32],
    contact: XChaCha20Poly1305,
    form: [u8; 32],
    photo: [u8; 32],
    notice: [u8; 32],
    webhook: XChaCha20Poly1305,
    push: XChaCha20Poly1305,
    second_factor: XChaCha20Poly1305,
    recovery: [u8; 32],
    question: [u8; 32],
    opt_outs: XChaCha20Poly1305,
    /// What it leaves in the database.
    mark: Hash,
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
    /// Which notices they want.
    #[serde(skip_serializing_if = "is_usual")]
    pub kinds: Kinds,
    /// When they want them.
    #[serde(skip_serializing_if = "is_usual")]
    pub pace: Pace,
}

/// Whether something was left as it is for everybody.
fn is_usual<T: Default + PartialEq>(chosen: &T) -> bool {
    *chosen == T::default()
}

impl Contact {
    /// Whether nothing is known of whom to reach.
    pub fn is_empty(&self) -> bool {
        self.name.is_empty() && self.email.is_empty() && self.phone.is_empty()
    }

    /// What they chose of notices.
    pub fn choice(&self) -> Choice {
        Choice {
            kinds: self.kinds,
            pace: self.pace,
            lang: self.lang,
        }
    }

    /// The same with another choice.
    pub fn with_choice(self, choice: Choice) -> Self {
        let Choice { kinds, pace, lang } = choice;
        Self {
            lang,
            kinds,
            pace,
            ..self
        }
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
    /// of theirs; nor beside other processes, which have theirs.
    pub(crate) fn load(site: &Site, store: &Store, chance: &Chance) -> Result<Self> {
        if let Some(key) = &site.key {
            return Ok(Self::from_keys(key.clone()));
        }
        let path = site.dir.join(FILE);
        let shown = path.display().to_string();
        match fs::read(&path) {
            Ok(bytes) => {
                let keys = Keys::read(&bytes).ok_or_else(|| {
                    let why = format!(
                        "{shown} has {} bytes, and a key has {KEY_BYTES}; restore it from your backup",
                        bytes.len()
                    );
                    Error::invalid("secret.key", why)
                })?;
                Ok(Self::from_keys(keys))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let is_shared = site.database_url.is_some();
                let is_claimed = is_shared && store.read_blocking(key_mark::find)?.is_some();
                if is_claimed || store.read_blocking(whistle_store::case::is_any)? {
                    return Err(Error::invalid(
                        "secret.key",
                        format!(
                            "this database is in use, but {shown} is missing, without which contact data and pick-up codes are \
                             lost; put it back from a backup, or give it as WHISTLE_SECRET_KEY. If it is lost for good, run \
                             `whistle secret adopt` with the same --data and --database-url: that makes a new one"
                        ),
                    ));
                }
                match make(&path, chance) {
                    Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                        Self::load(site, store, chance)
                    }
                    made => made
                        .map_err(Error::io(shown))
                        .map(|key| Self::from_keys(Keys(vec![key]))),
                }
            }
            Err(error) => Err(Error::io(shown)(error)),
        }
    }

    fn from_keys(keys: Keys) -> Self {
        let made = keys.0.iter().map(Made::from_key).collect();
        Self {
            keys,
            made,
            opt_out_keys: HashMap::new(),
        }
    }

    /// Leaves the mark of the key in a database that has none. Fails where none of these keys is the one that left its mark there:
    /// what one of them seals the other does not open, and codes given out under one are none under the other. Which of several keys
    /// it is changes with [`rotate`], once nothing is sealed by the former. `is_shared`: other processes may use the database, so that
    /// its mark stands even before the first case.
    pub(crate) fn claim(&self, store: &Store, is_shared: bool) -> Result<()> {
        let mark = self.now().mark;
        let found = match store.read_blocking(key_mark::find)? {
            Some(found) => found,
            None => store.write_blocking(move |tx| key_mark::leave(tx, &mark))?,
        };
        if self.made.iter().any(|made| made.mark == found) {
            return Ok(());
        }
        // Nothing was sealed yet that somebody waits for; and nobody else can be at work here.
        if !is_shared && !store.read_blocking(whistle_store::case::is_any)? {
            return Ok(store.write_blocking(move |tx| key_mark::replace(tx, &mark))?);
        }
        let why = "this database is used with another secret key, and what that one sealed is lost without it; put the secret.key \
                   of its data folder, or of the other processes, into this one, or give it as WHISTLE_SECRET_KEY. If it is lost \
                   for good, run `whistle secret adopt` with the same --data and --database-url";
        Err(Error::invalid("secret.key", why))
    }

    /// Reads by which keys of before it is still known who wants no mail.
    pub(crate) fn remember(&mut self, store: &Store) -> Result<()> {
        let found = store.read_blocking(|conn| -> whistle_store::Result<Vec<_>> {
            let mut found = Vec::new();
            for one in place::all(conn)? {
                found.push((one.id, notice::opt_out_keys(conn, one.id)?));
            }
            Ok(found)
        })?;
        for (id, kept) in found {
            let opened = kept.iter().filter_map(|key| {
                let key =
                    self.open_by_any(|made| &made.opt_outs, &key.sealed, &of_opt_outs(id, &key.hash))?;
                OptOutKey::try_from(key).ok()
            });
            let opened: Vec<OptOutKey> = opened.collect();
            self.opt_out_keys.insert(id, opened);
        }
        Ok(())
    }

    /// What is made from the key in force.
    fn now(&self) -> &Made {
        &self.made[0]
    }

    /// The keys themselves, for a backup.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The pick-up code of a report: `ABCDE-FGHJK`. Computed, so it is stored nowhere.
    pub fn pickup_code(&self, jurisdiction: JurisdictionId, number: CaseNumber, report: u32) -> String {
        self.now().pickup_code(jurisdiction, number, report)
    }

    /// Which report of a case a code belongs to, whichever key it was made with. Tells nothing by its time but how many
    /// reports and keys there are.
    pub fn report_of_code(
        &self,
        jurisdiction: JurisdictionId,
        number: CaseNumber,
        reports: u32,
        code: &str,
    ) -> Option<u32> {
        let given = normalise(code);
        let is_right = |made: &Made, report: u32| {
            let right = normalise(&made.pickup_code(jurisdiction, number, report));
            bool::from(right.as_bytes().ct_eq(given.as_bytes()))
        };
        (1..=reports).find(|report| self.made.iter().any(|made| is_right(made, *report)))
    }

    /// Seals contact data; it opens only for the same report of the same case.
    pub fn seal(
        &self,
        contact: &Contact,
        place: (JurisdictionId, CaseNumber, u32),
        chance: &Chance,
    ) -> Vec<u8> {
        let text = serde_json::to_vec(contact).expect("a contact has string keys only");
        seal(&self.now().contact, &text, &bound_to(place), chance)
    }

    /// Seals the address of whoever outside is asked a question; it opens only for the same question.
    pub(crate) fn seal_respondent(
        &self,
        contact: &Contact,
        question: (JurisdictionId, CaseNumber, u32),
        chance: &Chance,
    ) -> Vec<u8> {
        let text = serde_json::to_vec(contact).expect("a contact has string keys only");
        seal(&self.now().contact, &text, &of_question(question), chance)
    }

    /// Opens what [`Secret::seal_respondent`] sealed.
    pub(crate) fn open_respondent(
        &self,
        sealed: &[u8],
        question: (JurisdictionId, CaseNumber, u32),
    ) -> Option<Contact> {
        let text = self.open_by_any(|made| &made.contact, sealed, &of_question(question))?;
        serde_json::from_slice(&text).ok()
    }

    /// Seals the secret of a second factor; it opens only for the same account.
    pub(crate) fn seal_second_factor(
        &self,
        secret: &[u8; 20],
        account: (JurisdictionId, i64),
        chance: &Chance,
    ) -> Vec<u8> {
        seal(&self.now().second_factor, secret, &of_account(account), chance)
    }

    /// Opens what [`Secret::seal_second_factor`] sealed.
    pub(crate) fn open_second_factor(
        &self,
        sealed: &[u8],
        account: (JurisdictionId, i64),
    ) -> Option<[u8; 20]> {
        let secret = self.open_by_any(|made| &made.second_factor, sealed, &of_account(account))?;
        secret.try_into().ok()
    }

    /// By which a new recovery code is known, however it is written. Without the key nobody finds the code by trying all.
    pub(crate) fn recovery_hash(&self, jurisdiction: JurisdictionId, account: i64, code: &str) -> Hash {
        self.now().recovery_hash(jurisdiction, account, code)
    }

    /// By which a recovery code may be known, whichever key it was made with.
    pub(crate) fn recovery_hashes(
        &self,
        jurisdiction: JurisdictionId,
        account: i64,
        code: &str,
    ) -> Vec<Hash> {
        let hash = |made: &Made| made.recovery_hash(jurisdiction, account, code);
        self.made.iter().map(hash).collect()
    }

    /// Opens what [`Secret::seal`] sealed; none when it was sealed with none of these keys or for another report.
    pub fn open(&self, sealed: &[u8], place: (JurisdictionId, CaseNumber, u32)) -> Option<Contact> {
        let text = self.open_by_any(|made| &made.contact, sealed, &bound_to(place))?;
        serde_json::from_slice(&text).ok()
    }

    fn open_by_any(&self, cipher: Cipher, sealed: &[u8], bound_to: &[u8]) -> Option<Vec<u8>> {
        self.made
            .iter()
            .find_map(|made| open(cipher(made), sealed, bound_to))
    }

    /// The same, sealed by the key in force.
    fn seal_anew(&self, cipher: Cipher, sealed: &[u8], bound_to: &[u8], chance: &Chance) -> Anew {
        let now = cipher(self.now());
        if open(now, sealed, bound_to).is_some() {
            return Anew::NotNeeded;
        }
        match self.open_by_any(cipher, sealed, bound_to) {
            Some(text) => Anew::Sealed(seal(now, &text, bound_to, chance)),
            None => Anew::Lost,
        }
    }

    /// Seals what requests to a webhook are signed with.
    pub(crate) fn seal_webhook(
        &self,
        secret: &[u8],
        webhook: (JurisdictionId, i64),
        chance: &Chance,
    ) -> Vec<u8> {
        seal(&self.now().webhook, secret, &of_webhook(webhook), chance)
    }

    /// Opens it again; none when it was sealed with another key or for another webhook.
    pub(crate) fn open_webhook(&self, sealed: &[u8], webhook: (JurisdictionId, i64)) -> Option<Vec<u8>> {
        self.open_by_any(|made| &made.webhook, sealed, &of_webhook(webhook))
    }

    /// Seals the key by which push services know a place.
    pub(crate) fn seal_push_key(
        &self,
        key: &[u8; 32],
        jurisdiction: JurisdictionId,
        chance: &Chance,
    ) -> Vec<u8> {
        seal(&self.now().push, key, &of_push_key(jurisdiction), chance)
    }

    /// Opens it again; none when it was sealed with another key.
    pub(crate) fn open_push_key(&self, sealed: &[u8], jurisdiction: JurisdictionId) -> Option<[u8; 32]> {
        let key = self.open_by_any(|made| &made.push, sealed, &of_push_key(jurisdiction))?;
        key.try_into().ok()
    }

    /// Seals where a device is reached; it opens only for the same device.
    pub(crate) fn seal_device(
        &self,
        subscription: &Subscription,
        device: (JurisdictionId, i64),
        chance: &Chance,
    ) -> Vec<u8> {
        let text = serde_json::to_vec(subscription).expect("a subscription has string keys only");
        seal(&self.now().push, &text, &of_device(device), chance)
    }

    /// Opens it again; none when it was sealed with another key or for another device.
    pub(crate) fn open_device(&self, sealed: &[u8], device: (JurisdictionId, i64)) -> Option<Subscription> {
        let text = self.open_by_any(|made| &made.push, sealed, &of_device(device))?;
        serde_json::from_slice(&text).ok()
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
        self.now().notice_token(purpose, id, subject, reader)
    }

    /// For whom a token was made; none when we did not make it for this.
    pub(crate) fn reader_of_token(
        &self,
        purpose: Purpose,
        token: &str,
    ) -> Option<(JurisdictionId, Subject, Reader)> {
        let given = token.to_ascii_lowercase();
        let (id, subject, reader) = claimed_reader(&given)?;
        let is_ours = self.is_of_any(&given, |made| made.notice_token(purpose, id, subject, &reader));
        is_ours.then_some((id, subject, reader))
    }

    /// By which a mail that comes back is recognised: of its reader and of the address to which it went, so that one that
    /// comes back late says nothing of the address that they gave since.
    pub(crate) fn bounce_token(
        &self,
        id: JurisdictionId,
        subject: Subject,
        reader: &Reader,
        email: &str,
    ) -> String {
        self.now().bounce_token(id, subject, reader, email)
    }

    /// Whether we made such a token for this reader at this address.
    pub(crate) fn is_bounce_token(
        &self,
        token: &str,
        (id, subject, reader): (JurisdictionId, Subject, &Reader),
        email: &str,
    ) -> bool {
        let given = token.to_ascii_lowercase();
        self.is_of_any(&given, |made| made.bounce_token(id, subject, reader, email))
    }

    /// By which it is noted that an address wants no mail, about one case or whistle or at all. Nobody finds the address
    /// by it, nor two cases of one reporter.
    pub(crate) fn opt_out(&self, id: JurisdictionId, email: &str, about: Option<Subject>) -> Hash {
        opt_out(&self.now().notice, id, email, about)
    }

    /// By which it may be noted, whichever key it was made with, those that were given up among them.
    pub(crate) fn opt_outs(&self, id: JurisdictionId, email: &str, about: Option<Subject>) -> Vec<Hash> {
        let of_keys = self.made.iter().map(|made| &made.notice);
        let given_up = self.opt_out_keys.get(&id).into_iter().flatten();
        let hash = |key| opt_out(key, id, email, about);
        of_keys.chain(given_up).map(hash).collect()
    }

    /// The key of a calendar of due cases, for the account that may see them: its first, or after how many others.
    pub(crate) fn calendar_key(&self, id: JurisdictionId, account: i64, before: i64) -> String {
        self.now().calendar_key(id, account, before)
    }

    /// Whether a calendar's key is this one.
    pub(crate) fn is_calendar_key(&self, id: JurisdictionId, account: i64, before: i64, key: &str) -> bool {
        self.is_of_any(key, |made| made.calendar_key(id, account, before))
    }

    /// The id of a photo: of its place and its picture, so that the same one sent twice to a place is kept once.
    pub fn photo_id(&self, jurisdiction: JurisdictionId, picture: &[u8]) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.now().photo);
        hasher.update(b"picture");
        hasher.update(&jurisdiction.0.to_le_bytes());
        hasher.update(picture);
        hasher.finalize().to_hex().to_string()
    }

    /// What the sender of a photo gets for it: the id with a tag that nobody else can make. Everybody who may look at a
    /// case reads the ids of its photos; only with the ticket may one be put into a case.
    pub fn photo_ticket(&self, jurisdiction: JurisdictionId, id: &str) -> String {
        self.now().photo_ticket(jurisdiction, id)
    }

    /// The id of the photo that a ticket is for; none when we did not give it out here.
    pub fn photo_of_ticket<'t>(&self, jurisdiction: JurisdictionId, ticket: &'t str) -> Option<&'t str> {
        let (id, _) = ticket.split_once('-')?;
        self.is_of_any(ticket, |made| made.photo_ticket(jurisdiction, id))
            .then_some(id)
    }

    /// The last part of the link of a question: who has it may answer.
    pub fn question_link(&self, jurisdiction: JurisdictionId, number: CaseNumber, question: u32) -> String {
        self.now().question_link(jurisdiction, number, question)
    }

    /// The case and the question that a link is for; none when we did not give it out here.
    pub fn question_of_link(&self, jurisdiction: JurisdictionId, link: &str) -> Option<(CaseNumber, u32)> {
        let mut parts = link.splitn(3, '-');
        let number: CaseNumber = parts.next()?.parse().ok()?;
        let question: u32 = parts.next()?.parse().ok()?;
        self.is_of_any(link, |made| made.question_link(jurisdiction, number, question))
            .then_some((number, question))
    }

    /// The last part of the link by which the first reporter of a case says whether the work is done that was handed in with a
    /// version of it.
    pub(crate) fn judging_link(
        &self,
        jurisdiction: JurisdictionId,
        number: CaseNumber,
        version: u32,
    ) -> String {
        self.now().judging_link(jurisdiction, number, version)
    }

    /// The case and the version that such a link is for; none when we did not give it out here.
    pub(crate) fn handled_of_link(
        &self,
        jurisdiction: JurisdictionId,
        link: &str,
    ) -> Option<(CaseNumber, u32)> {
        let mut parts = link.splitn(3, '-');
        let number: CaseNumber = parts.next()?.parse().ok()?;
        let version: u32 = parts.next()?.parse().ok()?;
        self.is_of_any(link, |made| made.judging_link(jurisdiction, number, version))
            .then_some((number, version))
    }

    /// The token that a form of this session must send back (against forged requests).
    pub fn form_token(&self, session: &str) -> String {
        self.now().form_token(session)
    }

    /// Whether a form sent the right token.
    pub fn is_form_token(&self, session: &str, token: &str) -> bool {
        self.is_of_any(token, |made| made.form_token(session))
    }

    /// Whether what somebody shows was given out under any of the keys.
    fn is_of_any(&self, given: &str, right: impl Fn(&Made) -> String) -> bool {
        let is_right = |made: &Made| bool::from(right(made).as_bytes().ct_eq(given.as_bytes()));
        self.made.iter().any(is_right)
    }
}

/// Which of the ciphers of a key.
type Cipher = fn(&Made) -> &XChaCha20Poly1305;

/// What came of sealing something anew.
enum Anew {
    /// The key in force opens it.
    NotNeeded,
    /// An earlier key opens it.
    Sealed(Vec<u8>),
    /// No key opens it.
    Lost,
}

impl Made {
    fn from_key(key: &[u8; KEY_BYTES]) -> Self {
        let contact = blake3::derive_key("whistle 2026 contact data", key);
        let webhook = blake3::derive_key("whistle 2026 webhooks", key);
        let push = blake3::derive_key("whistle 2026 push", key);
        let second_factor = blake3::derive_key("whistle 2026 second factors", key);
        let opt_outs = blake3::derive_key("whistle 2026 wishes to get no mail", key);
        Self {
            pickup: blake3::derive_key("whistle 2026 pick-up codes", key),
            contact: XChaCha20Poly1305::new((&contact).into()),
            form: blake3::derive_key("whistle 2026 form tokens", key),
            photo: blake3::derive_key("whistle 2026 photos", key),
            notice: blake3::derive_key("whistle 2026 notices", key),
            webhook: XChaCha20Poly1305::new((&webhook).into()),
            push: XChaCha20Poly1305::new((&push).into()),
            second_factor: XChaCha20Poly1305::new((&second_factor).into()),
            recovery: blake3::derive_key("whistle 2026 recovery codes", key),
            question: blake3::derive_key("whistle 2026 questions", key),
            opt_outs: XChaCha20Poly1305::new((&opt_outs).into()),
            mark: blake3::derive_key("whistle 2026 mark in the database", key),
        }
    }

    fn pickup_code(&self, jurisdiction: JurisdictionId, number: CaseNumber, report: u32) -> String {
        let mut message = Vec::with_capacity(20);
        message.extend(jurisdiction.0.to_le_bytes());
        message.extend(number.0.to_le_bytes());
        message.extend(report.to_le_bytes());
        let hash = blake3::keyed_hash(&self.pickup, &message);
        written(&hash.as_bytes()[..CODE_LETTERS])
    }

    fn photo_ticket(&self, jurisdiction: JurisdictionId, id: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.photo);
        hasher.update(b"ticket");
        hasher.update(&jurisdiction.0.to_le_bytes());
        hasher.update(id.as_bytes());
        let tag = hasher.finalize().to_hex();
        format!("{id}-{}", &tag[..TAG_LETTERS])
    }

    /// The last part of the link of a question. Computed, so it is stored nowhere; that it serves once only is the case's
    /// to know.
    fn question_link(&self, jurisdiction: JurisdictionId, number: CaseNumber, question: u32) -> String {
        let mut message = Vec::with_capacity(20);
        message.extend(jurisdiction.0.to_le_bytes());
        message.extend(number.0.to_le_bytes());
        message.extend(question.to_le_bytes());
        let tag = blake3::keyed_hash(&self.question, &message).to_hex();
        format!("{number}-{question}-{}", &tag[..TAG_LETTERS])
    }

    /// Computed like the link of a question; that it serves only until the work was judged, is the case's to know.
    fn judging_link(&self, jurisdiction: JurisdictionId, number: CaseNumber, version: u32) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.question);
        hasher.update(b"is it done");
        hasher.update(&jurisdiction.0.to_le_bytes());
        hasher.update(&number.0.to_le_bytes());
        hasher.update(&version.to_le_bytes());
        let tag = hasher.finalize().to_hex();
        format!("{number}-{version}-{}", &tag[..TAG_LETTERS])
    }

    fn recovery_hash(&self, jurisdiction: JurisdictionId, account: i64, code: &str) -> Hash {
        let text = [
            &of_account((jurisdiction, account))[..],
            b"/",
            normalise(code).as_bytes(),
        ]
        .concat();
        *blake3::keyed_hash(&self.recovery, &text).as_bytes()
    }

    fn notice_token(
        &self,
        purpose: Purpose,
        id: JurisdictionId,
        subject: Subject,
        reader: &Reader,
    ) -> String {
        let head = token_head(id, subject, reader);
        let mut hasher = blake3::Hasher::new_keyed(&self.notice);
        hasher.update(purpose.as_str().as_bytes());
        hasher.update(head.as_bytes());
        token_of(&head, &hasher)
    }

    fn bounce_token(&self, id: JurisdictionId, subject: Subject, reader: &Reader, email: &str) -> String {
        let head = token_head(id, subject, reader);
        let mut hasher = blake3::Hasher::new_keyed(&self.notice);
        hasher.update(b"bounce");
        hasher.update(head.as_bytes());
        hasher.update(b" ");
        hasher.update(email.trim().to_lowercase().as_bytes());
        token_of(&head, &hasher)
    }

    fn calendar_key(&self, id: JurisdictionId, account: i64, before: i64) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.notice);
        hasher.update(b"calendar");
        hasher.update(&id.0.to_le_bytes());
        hasher.update(&account.to_le_bytes());
        // The first was made before there were others.
        if before > 0 {
            hasher.update(&before.to_le_bytes());
        }
        let tag = hasher.finalize().to_hex();
        format!("{account}-{}", &tag[..TAG_LETTERS])
    }

    fn form_token(&self, session: &str) -> String {
        blake3::keyed_hash(&self.form, session.as_bytes())
            .to_hex()
            .to_string()
    }
}

fn opt_out(key: &OptOutKey, id: JurisdictionId, email: &str, about: Option<Subject>) -> Hash {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(match about {
        Some(Subject::Whistle(_)) => b"opt out of a whistle".as_slice(),
        Some(Subject::Case(_)) | None => b"opt out",
    });
    hasher.update(&id.0.to_le_bytes());
    hasher.update(&about.map_or(0, Subject::number).to_le_bytes());
    hasher.update(email.trim().to_lowercase().as_bytes());
    *hasher.finalize().as_bytes()
}

/// Makes a key, readable by its owner only; not where there is a file.
fn make(path: &Path, chance: &Chance) -> std::io::Result<[u8; KEY_BYTES]> {
    let key = chance.bytes();
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(&key)?;
    file.sync_all()?;
    Ok(key)
}

/// What a rotation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Rotated {
    /// Whether a new key was made; not when an earlier rotation had to be finished, or the key is given from outside.
    pub new_key: bool,
    /// How many of what is sealed, contact data, devices, and the secrets of webhooks, push and second factors, were sealed anew.
    pub sealed: u64,
    /// How many no key of the install opens. They are left as they are.
    pub lost: u64,
    /// How many keys the install has now.
    pub keys: usize,
}

/// How many are sealed anew at a time: few enough that nobody is kept waiting.
const ROUND: usize = 500;

/// Makes a new key and seals with it what is sealed. The file with both is on the disk before anything is sealed by the
/// new one, so that a rotation that was stopped anywhere has lost nothing; run again, it is finished, without a further
/// key. Nobody may serve meanwhile: who started with the old key alone cannot read what is sealed by the new one.
///
/// Where the keys are given from outside, none is made; what an earlier one sealed is sealed anew by the first, also while
/// processes that have both serve.
pub fn rotate(site: &Site) -> Result<Rotated> {
    if site.key.is_none() && site.database_url.is_none() {
        crate::keep::ensure_unused(&site.dir)?;
    }
    let whistle = Whistle::open(site.clone())?;
    let unfinished = whistle.seal_anew()?;
    let keys = &whistle.secret.keys;
    if site.key.is_some() && keys.0.len() == 1 {
        let why = "the key is given from outside, and there is no earlier one; give the new key before the old one, with a comma";
        return Err(Error::invalid("secret_key", why));
    }
    if unfinished.sealed > 0 || site.key.is_some() {
        whistle.note_secret(Deed::SecretRotated, &format!("sealed={}", unfinished.sealed))?;
        return Ok(unfinished);
    }
    if keys.0.len() == MAX_KEYS {
        let why = format!("there are {MAX_KEYS} keys already; give up those before the last one first");
        return Err(Error::invalid("secret.key", why));
    }
    let mut with_new = keys.clone();
    with_new.0.insert(0, whistle.chance.bytes());
    write(&with_new, &site.dir)?;
    whistle.close();
    drop(whistle);
    let whistle = Whistle::open(site.clone())?;
    let done = whistle.seal_anew()?;
    whistle.note_secret(Deed::SecretRotated, &format!("sealed={}", done.sealed))?;
    whistle.close();
    Ok(Rotated {
        new_key: true,
        ..done
    })
}

/// Gives up all keys but the one in force: codes that reporters were given under those open nothing any more. Wishes to get no
/// mail stay good. Fails where contact data is still sealed by one of them. Answers how many it were.
pub fn forget(site: &Site) -> Result<usize> {
    if site.key.is_some() {
        let why = "the key is given from outside; leave the earlier ones away there";
        return Err(Error::invalid("secret_key", why));
    }
    if site.database_url.is_none() {
        crate::keep::ensure_unused(&site.dir)?;
    }
    let whistle = Whistle::open(site.clone())?;
    whistle.seal_anew()?;
    let keys = &whistle.secret.keys;
    let earlier = keys.0.len() - 1;
    if earlier > 0 {
        for here in whistle.places().all() {
            let (id, now) = (here.id, whistle.clock.now());
            whistle.store.write_blocking(move |tx| {
                second_factor::end_codes(tx, id)?;
                let (by, deed) = (Doer::Operator, Deed::SecretForgotten);
                admin::note(tx, id, &by, deed, "", &format!("earlier_keys={earlier}"), now)
            })?;
        }
        let mark = whistle.secret.now().mark;
        whistle
            .store
            .write_blocking(move |tx| key_mark::replace(tx, &mark))?;
        write(&Keys(vec![keys.0[0]]), &site.dir)?;
    }
    whistle.close();
    Ok(earlier)
}

/// Puts a file with these keys in the place of the one that is there, whole or not at all.
fn write(keys: &Keys, dir: &Path) -> Result<()> {
    let (draft, path) = (dir.join("secret.key.part"), dir.join(FILE));
    crate::keep::write_private(&keys.bytes(), &draft)?;
    fs::rename(&draft, &path).map_err(Error::io(path.display().to_string()))?;
    crate::keep::sync(dir)
}

/// Lets a database be used with the key that is given, or that of the data directory, from now on, where its own is lost for good;
/// a key is made where there is none. Answers whether that is another one.
pub fn adopt(site: &Site) -> Result<bool> {
    if site.database_url.is_none() {
        crate::keep::ensure_unused(&site.dir)?;
    }
    let store = Store::open(site.database(), SystemClock.now())?;
    let chance = Chance::from_machine();
    let path = site.dir.join(FILE);
    if site.key.is_none() && !path.exists() {
        make(&path, &chance).map_err(Error::io(path.display().to_string()))?;
    }
    let mark = Secret::load(site, &store, &chance)?.now().mark;
    let is_other = store.write_blocking(move |tx| -> Result<bool> {
        let is_other = key_mark::find(tx)?.is_some_and(|found| found != mark);
        if is_other {
            key_mark::replace(tx, &mark)?;
            for here in place::all(tx)? {
                let (by, deed) = (Doer::Operator, Deed::SecretAdopted);
                admin::note(tx, here.id, &by, deed, "", "", SystemClock.now())?;
            }
        }
        Ok(is_other)
    })?;
    store.close();
    Ok(is_other)
}

impl Whistle {
    /// Seals by the key in force what another one sealed.
    fn seal_anew(&self) -> Result<Rotated> {
        let mut done = Rotated {
            keys: self.secret.keys.0.len(),
            ..Rotated::default()
        };
        for here in self.places().all() {
            self.seal_contacts_anew(here.id, &mut done)?;
            self.seal_respondents_anew(here.id, &mut done)?;
            self.seal_webhooks_anew(here.id, &mut done)?;
            self.seal_push_anew(here.id, &mut done)?;
            self.seal_second_factors_anew(here.id, &mut done)?;
            self.keep_opt_out_keys(here.id)?;
        }
        if done.lost == 0 {
            // Nothing needs the earlier keys to be opened any more.
            let mark = self.secret.now().mark;
            self.store
                .write_blocking(move |tx| key_mark::replace(tx, &mark))?;
        }
        Ok(done)
    }

    /// Keeps, sealed by the key in force, by what the wishes that were noted under earlier keys are known: nobody's address is
    /// noted with a wish, so that it cannot be noted anew, and it must outlive the key.
    fn keep_opt_out_keys(&self, id: JurisdictionId) -> Result<()> {
        let secret = &self.secret;
        let given_up = secret.opt_out_keys.get(&id).into_iter().flatten();
        let earlier = secret.made[1..].iter().map(|made| &made.notice);
        let keys: BTreeSet<&OptOutKey> = earlier.chain(given_up).collect();
        let sealed: Vec<notice::OptOutKey> = keys
            .into_iter()
            .map(|key| {
                let hash = *blake3::hash(key).as_bytes();
                let sealed = seal(&secret.now().opt_outs, key, &of_opt_outs(id, &hash), &self.chance);
                notice::OptOutKey { hash, sealed }
            })
            .collect();
        let now = self.clock.now();
        Ok(self.store.write_blocking(move |tx| {
            sealed
                .iter()
                .try_for_each(|key| notice::keep_opt_out_key(tx, id, key, now))
        })?)
    }

    /// Writes down what was done to the keys, in every jurisdiction.
    fn note_secret(&self, deed: Deed, detail: &str) -> Result<()> {
        let now = self.clock.now();
        for here in self.places().all() {
            let (id, detail) = (here.id, detail.to_owned());
            self.store
                .write_blocking(move |tx| admin::note(tx, id, &Doer::Operator, deed, "", &detail, now))?;
        }
        Ok(())
    }

    fn seal_contacts_anew(&self, id: JurisdictionId, done: &mut Rotated) -> Result<()> {
        let mut after = (CaseNumber(0), 0);
        loop {
            let contacts = self
                .store
                .read_blocking(|conn| intake::contacts_after(conn, id, after, ROUND))?;
            let Some(last) = contacts.last() else {
                return Ok(());
            };
            after = (last.number, last.report);
            let anew = Self::anew(contacts, done, |old| {
                let bound_to = bound_to((id, old.number, old.report));
                self.secret
                    .seal_anew(|made| &made.contact, &old.sealed, &bound_to, &self.chance)
            });
            done.sealed += self.store.write_blocking(move |tx| -> Result<u64> {
                let mut changed = 0;
                for (old, sealed) in &anew {
                    changed += intake::seal_anew(tx, id, old, sealed)?;
                }
                Ok(changed)
            })?;
        }
    }

    fn seal_respondents_anew(&self, id: JurisdictionId, done: &mut Rotated) -> Result<()> {
        let mut after = (CaseNumber(0), 0);
        loop {
            let asked = self
                .store
                .read_blocking(|conn| intake::respondents_after(conn, id, after, ROUND))?;
            let Some(last) = asked.last() else {
                return Ok(());
            };
            after = (last.number, last.report);
            let anew = Self::anew(asked, done, |old| {
                let bound_to = of_question((id, old.number, old.report));
                self.secret
                    .seal_anew(|made| &made.contact, &old.sealed, &bound_to, &self.chance)
            });
            done.sealed += self.store.write_blocking(move |tx| -> Result<u64> {
                let mut changed = 0;
                for (old, sealed) in &anew {
                    changed += intake::seal_respondent_anew(tx, id, old, sealed)?;
                }
                Ok(changed)
            })?;
        }
    }

    /// All at once: a place has few webhooks.
    fn seal_webhooks_anew(&self, id: JurisdictionId, done: &mut Rotated) -> Result<()> {
        let hooks = self.store.read_blocking(|conn| notice::webhooks(conn, id))?;
        let anew = Self::anew(hooks, done, |old| {
            let bound_to = of_webhook((id, old.id));
            self.secret
                .seal_anew(|made| &made.webhook, &old.sealed, &bound_to, &self.chance)
        });
        done.sealed += self.store.write_blocking(move |tx| -> Result<u64> {
            let mut changed = 0;
            for (old, sealed) in &anew {
                changed += notice::seal_anew(tx, id, old, sealed)?;
            }
            Ok(changed)
        })?;
        Ok(())
    }

    fn seal_push_anew(&self, id: JurisdictionId, done: &mut Rotated) -> Result<()> {
        let key = self.store.read_blocking(|conn| push::key(conn, id))?;
        let anew = Self::anew(key.into_iter().collect(), done, |old: &push::Key| {
            let bound_to = of_push_key(id);
            self.secret
                .seal_anew(|made| &made.push, &old.sealed, &bound_to, &self.chance)
        });
        done.sealed += self.store.write_blocking(move |tx| -> Result<u64> {
            let mut changed = 0;
            for (old, sealed) in &anew {
                changed += push::seal_key_anew(tx, id, old, sealed)?;
            }
            Ok(changed)
        })?;
        let mut after = 0;
        loop {
            let devices = self
                .store
                .read_blocking(|conn| push::after(conn, id, after, ROUND))?;
            let Some(last) = devices.last() else {
                return Ok(());
            };
            after = last.id;
            let anew = Self::anew(devices, done, |old| {
                let bound_to = of_device((id, old.id));
                self.secret
                    .seal_anew(|made| &made.push, &old.sealed, &bound_to, &self.chance)
            });
            done.sealed += self.store.write_blocking(move |tx| -> Result<u64> {
                let mut changed = 0;
                for (old, sealed) in &anew {
                    changed += push::seal_anew(tx, id, old, sealed)?;
                }
                Ok(changed)
            })?;
        }
    }

    fn seal_second_factors_anew(&self, id: JurisdictionId, done: &mut Rotated) -> Result<()> {
        let mut after = 0;
        loop {
            let factors = self
                .store
                .read_blocking(|conn| second_factor::after(conn, id, after, ROUND))?;
            let Some((last, _)) = factors.last() else {
                return Ok(());
            };
            after = *last;
            let anew = Self::anew(factors, done, |(account, secret)| {
                let bound_to = of_account((id, *account));
                self.secret
                    .seal_anew(|made| &made.second_factor, secret, &bound_to, &self.chance)
            });
            done.sealed += self.store.write_blocking(move |tx| -> Result<u64> {
                let mut changed = 0;
                for ((account, old), sealed) in &anew {
                    changed += second_factor::seal_anew(tx, id, *account, old, sealed)?;
                }
                Ok(changed)
            })?;
        }
    }

    /// Those that must be kept anew, with what they are sealed as then; counts those that no key opens.
    fn anew<T>(all: Vec<T>, done: &mut Rotated, seal: impl Fn(&T) -> Anew) -> Vec<(T, Vec<u8>)> {
        let mut anew = Vec::new();
        for old in all {
            match seal(&old) {
                Anew::NotNeeded => {}
                Anew::Sealed(sealed) => anew.push((old, sealed)),
                Anew::Lost => done.lost += 1,
            }
        }
        anew
    }
}

/// What a reader's token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An answer by mail. Who has it speaks as the reporter.
    Reply,
    /// To be told less, or no more. It stands in a header that programs on the way read, so it is good for nothing else.
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

/// What a token says in the clear: whose it is.
fn token_head(id: JurisdictionId, subject: Subject, reader: &Reader) -> String {
    let subject = match subject {
        Subject::Case(number) => number.to_string(),
        Subject::Whistle(number) => format!("w{number}"),
    };
    let reader = match reader {
        Reader::Reporter(report) => report.to_string(),
        Reader::Merged(number, report) => format!("m{number}r{report}"),
        Reader::Asked(question) => format!("q{question}"),
        // A code may have letters that an address cannot have.
        Reader::Unit(unit) => format!("u{}", hex(unit.as_str().as_bytes())),
    };
    format!("n-{}-{subject}-{reader}", id.0)
}

fn token_of(head: &str, hasher: &blake3::Hasher) -> String {
    let tag: String = hasher.finalize().as_bytes()[..NOTICE_LETTERS]
        .iter()
        .map(|byte| LETTERS[usize::from(byte & 31)] as char)
        .collect();
    format!("{head}-{}", tag.to_ascii_lowercase())
}

/// For whom a token says that it was made. Whoever takes its word checks the tag first.
pub(crate) fn claimed_reader(token: &str) -> Option<(JurisdictionId, Subject, Reader)> {
    let mut parts = token.split('-').skip(1);
    let id = JurisdictionId(parts.next()?.parse().ok()?);
    let subject = parts.next()?;
    let subject = match subject.strip_prefix('w') {
        Some(number) => Subject::Whistle(number.parse().ok()?),
        None => Subject::Case(subject.parse().ok()?),
    };
    let reader = parts.next()?;
    let reader = match (reader.get(..1)?, reader.get(1..)?) {
        ("u", digits) => Reader::Unit(String::from_utf8(unhex(digits)?).ok()?.parse().ok()?),
        ("q", question) => Reader::Asked(question.parse().ok()?),
        ("m", merged) => {
            let (number, report) = merged.split_once('r')?;
            Reader::Merged(number.parse().ok()?, report.parse().ok()?)
        }
        _ => Reader::Reporter(reader.parse().ok()?),
    };
    Some((id, subject, reader))
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

fn of_push_key(jurisdiction: JurisdictionId) -> Vec<u8> {
    format!("push key {}", jurisdiction.0).into_bytes()
}

fn of_device((jurisdiction, device): (JurisdictionId, i64)) -> Vec<u8> {
    format!("device {}/{device}", jurisdiction.0).into_bytes()
}

fn of_webhook((jurisdiction, webhook): (JurisdictionId, i64)) -> Vec<u8> {
    format!("webhook {}/{webhook}", jurisdiction.0).into_bytes()
}

fn of_opt_outs(jurisdiction: JurisdictionId, hash: &Hash) -> Vec<u8> {
    format!("opt-outs {}/{}", jurisdiction.0, hex(hash)).into_bytes()
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

fn of_question((jurisdiction, number, question): (JurisdictionId, CaseNumber, u32)) -> Vec<u8> {
    format!("question {}/{number}/{question}", jurisdiction.0).into_bytes()
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

    fn of_key(byte: u8) -> Secret {
        Secret::from_keys(Keys(vec![[byte; 32]]))
    }

    #[test]
    fn keys_are_read_as_digits_and_as_bytes_and_only_whole() {
        let [old, new] = ["07".repeat(32), "Fe".repeat(32)];
        let keys: Keys = format!("{new}, {old}").parse().unwrap();
        assert!(keys.0 == [[0xfe; 32], [7; 32]]);
        assert!(Keys::read(&keys.bytes()) == Some(keys));
        let many = [old.as_str(); MAX_KEYS + 1].join(",");
        for wrong in ["", ",", &old[1..], &format!("{old},"), &"g".repeat(64), &many] {
            assert!(wrong.parse::<Keys>().is_err(), "{wrong}");
        }
        assert!(Keys::read(&[0; 33]).is_none());
        assert!(Keys::read(&[]).is_none());
    }

    #[test]
    fn what_an_earlier_key_gave_out_is_good_and_what_is_given_out_now_is_the_new_ones() {
        let [old, new] = [7, 8].map(of_key);
        let both = Secret::from_keys(Keys(vec![[8; 32], [7; 32]]));
        let contact = Contact {
            phone: "0700".into(),
            ..Contact::default()
        };
        let chance = Chance::from_seed(1);
        let sealed = old.seal(&contact, PLACE, &chance);
        assert_eq!(both.open(&sealed, PLACE), Some(contact.clone()));
        let anew = |sealed: &[u8]| both.seal_anew(|made| &made.contact, sealed, &bound_to(PLACE), &chance);
        assert!(matches!(anew(&sealed), Anew::Sealed(now) if new.open(&now, PLACE) == Some(contact.clone())));
        assert!(matches!(
            anew(&new.seal(&contact, PLACE, &chance)),
            Anew::NotNeeded
        ));
        assert!(matches!(
            anew(&of_key(9).seal(&contact, PLACE, &chance)),
            Anew::Lost
        ));
        assert_eq!(
            new.open(&both.seal(&contact, PLACE, &chance), PLACE),
            Some(contact)
        );
        for code in [&old, &new].map(|one| one.pickup_code(PLACE.0, PLACE.1, 2)) {
            assert_eq!(both.report_of_code(PLACE.0, PLACE.1, 2, &code), Some(2));
        }
        assert_eq!(
            both.pickup_code(PLACE.0, PLACE.1, 1),
            new.pickup_code(PLACE.0, PLACE.1, 1)
        );
        let ticket = old.photo_ticket(PLACE.0, "0f");
        assert_eq!(both.photo_of_ticket(PLACE.0, &ticket), Some("0f"));
        assert!(both.is_form_token("s", &old.form_token("s")));
        let account = (PLACE.0, 3);
        for key in [&old, &new] {
            let factor = key.seal_second_factor(&[5; 20], account, &chance);
            assert_eq!(both.open_second_factor(&factor, account), Some([5; 20]));
            let hook = key.seal_webhook(b"hook", account, &chance);
            assert_eq!(both.open_webhook(&hook, account), Some(b"hook".to_vec()));
            assert_eq!(both.open_webhook(&hook, (PLACE.0, 4)), None);
            let hash = key.recovery_hash(PLACE.0, 3, "ABCDE-FGHJK");
            assert!(both.recovery_hashes(PLACE.0, 3, "abcde fghjk").contains(&hash));
            let case = Subject::Case(PLACE.1);
            let who = key.opt_out(PLACE.0, "li@example.org", Some(case));
            assert!(
                both.opt_outs(PLACE.0, "li@example.org", Some(case))
                    .contains(&who)
            );
            let calendar = key.calendar_key(PLACE.0, 3, 1);
            assert!(both.is_calendar_key(PLACE.0, 3, 1, &calendar));
            for (account, before) in [(3, 0), (3, 2), (4, 1)] {
                assert!(!both.is_calendar_key(PLACE.0, account, before, &calendar));
            }
            let link = key.question_link(PLACE.0, PLACE.1, 5);
            assert_eq!(both.question_of_link(PLACE.0, &link), Some((PLACE.1, 5)));
            let reader = Reader::Reporter(1);
            let token = key.notice_token(Purpose::Stop, PLACE.0, case, &reader);
            let whose = both.reader_of_token(Purpose::Stop, &token);
            assert_eq!(whose, Some((PLACE.0, case, reader)));
        }
        assert_eq!(both.calendar_key(PLACE.0, 3, 0), new.calendar_key(PLACE.0, 3, 0));
        assert!(!new.is_form_token("s", &old.form_token("s")));
    }

    const PLACE: (JurisdictionId, CaseNumber, u32) = (JurisdictionId(1), CaseNumber(42), 1);

    #[test]
    fn a_code_is_found_however_it_is_written_and_only_for_its_case() {
        let secret = of_key(7);
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
        let secret = of_key(7);
        let id = secret.photo_id(PLACE.0, b"a picture");
        let ticket = secret.photo_ticket(PLACE.0, &id);
        assert_eq!(secret.photo_of_ticket(PLACE.0, &ticket), Some(id.as_str()));
        let forged = format!("{id}-{}", "0".repeat(TAG_LETTERS));
        for wrong in [id.as_str(), &forged, "", "-", &ticket[1..]] {
            assert_eq!(secret.photo_of_ticket(PLACE.0, wrong), None, "{wrong}");
        }
        assert_eq!(secret.photo_of_ticket(JurisdictionId(2), &ticket), None);
        let other = of_key(8);
        assert_eq!(other.photo_of_ticket(PLACE.0, &ticket), None);
        assert_ne!(secret.photo_id(JurisdictionId(2), b"a picture"), id);
    }

    #[test]
    fn a_link_leads_to_its_own_question_only() {
        let secret = of_key(7);
        let link = secret.question_link(PLACE.0, PLACE.1, 5);
        assert_eq!(secret.question_of_link(PLACE.0, &link), Some((PLACE.1, 5)));
        let other = link.replacen("42-5-", "42-6-", 1);
        for wrong in [other.as_str(), "", "42", "42-5", "42-5-", &link[..link.len() - 1]] {
            assert_eq!(secret.question_of_link(PLACE.0, wrong), None, "{wrong}");
        }
        assert_eq!(secret.question_of_link(JurisdictionId(2), &link), None);
    }

    #[test]
    fn a_link_to_judge_the_work_is_no_link_of_a_question() {
        let secret = of_key(7);
        let link = secret.judging_link(PLACE.0, PLACE.1, 5);
        assert_eq!(secret.handled_of_link(PLACE.0, &link), Some((PLACE.1, 5)));
        assert_eq!(secret.question_of_link(PLACE.0, &link), None);
        let question = secret.question_link(PLACE.0, PLACE.1, 5);
        assert_eq!(secret.handled_of_link(PLACE.0, &question), None);
        let other = link.replacen("42-5-", "42-6-", 1);
        assert_eq!(secret.handled_of_link(PLACE.0, &other), None);
        assert_eq!(secret.handled_of_link(JurisdictionId(2), &link), None);
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
        let secret = of_key(7);
        let contact = Contact {
            name: "三毛".into(),
            email: "s@example.org".into(),
            phone: String::new(),
            lang: Some(Lang::Zh),
            kinds: Kinds::Answers,
            pace: Pace::Daily,
        };
        let sealed = secret.seal(&contact, PLACE, &Chance::from_seed(1));
        assert_eq!(secret.open(&sealed, PLACE), Some(contact));
        assert_eq!(secret.open(&sealed, (PLACE.0, PLACE.1, 2)), None);
        assert_eq!(of_key(8).open(&sealed, PLACE), None);
        assert_eq!(secret.open(&sealed[..10], PLACE), None);
    }

    #[test]
    fn a_notices_token_says_whose_it_is_and_is_good_for_one_purpose_only() {
        let secret = of_key(7);
        let unit = Reader::Unit("市政/1-a".parse().unwrap());
        let case = Subject::Case(PLACE.1);
        let whistle = Subject::Whistle(WhistleNumber(42));
        for (subject, reader) in [
            (case, Reader::Reporter(3)),
            (case, unit.clone()),
            (case, Reader::Asked(5)),
            (case, Reader::Merged(CaseNumber(17), 2)),
            (whistle, unit),
        ] {
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
            let of = (PLACE.0, subject, &reader);
            let bounce = secret.bounce_token(of.0, of.1, of.2, "li@example.org");
            assert!(secret.is_bounce_token(&bounce, of, "Li@Example.org"));
            assert!(!secret.is_bounce_token(&bounce, of, "wang@example.org"));
            assert!(!secret.is_bounce_token(&token, of, "li@example.org"));
            assert_eq!(found(Purpose::Reply, &bounce), None);
            assert_eq!(found(Purpose::Reply, &token.replace("42-", "43-")), None);
        }
        for wrong in [
            "",
            "n",
            "n-1-42-u-x",
            "n-1-42-u6-x",
            "n-1-42-m17-x",
            "n-1-42-q-x",
            "n-1-42-三-x",
            "n-1-42-uff-x",
            "n-1-0-1-x",
            "n-1-42-1",
        ] {
            assert_eq!(secret.reader_of_token(Purpose::Reply, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn who_opted_out_is_known_again_and_two_cases_of_one_reporter_are_not_tied_together() {
        let secret = of_key(7);
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
