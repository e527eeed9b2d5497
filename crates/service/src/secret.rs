//! The install's secret: a key, in a file beside the database or given by whoever starts the process, never in it. From it come
//! the pick-up codes of reporters, the seals of contact data and the tokens of forms. Who has the database without it has none
//! of these.
//!
//! A key that is rotated stays behind the new one: what it sealed is sealed anew by [`rotate`], and the codes that
//! reporters were given under it still open their cases, until it is given up by [`forget`].

use std::{fs, io::Write, path::Path, str::FromStr};

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use whistle_domain::words::{CaseNumber, JurisdictionId};
use whistle_store::{Store, intake};

use crate::{
    Site, Whistle,
    error::{Error, Result},
    time::Chance,
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
}

/// What is made from one key.
struct Made {
    pickup: [u8; 32],
    contact: XChaCha20Poly1305,
    form: [u8; 32],
    photo: [u8; 32],
}

/// The file's name in the data directory.
const FILE: &str = "secret.key";

/// How many letters a pick-up code has: 50 bits, guessed at one try a second in 35 million years.
const CODE_LETTERS: usize = 10;

/// How many letters the tag of a photo's ticket has: 128 bits.
const TAG_LETTERS: usize = 32;

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
}

impl Contact {
    /// Whether nothing is known.
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
                    other => other
                        .map_err(Error::io(shown))
                        .map(|()| Self::from_keys(Keys(vec![key]))),
                }
            }
            Err(error) => Err(Error::io(shown)(error)),
        }
    }

    fn from_keys(keys: Keys) -> Self {
        let made = keys.0.iter().map(Made::from_key).collect();
        Self { keys, made }
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
        let nonce = chance.bytes::<24>();
        let text = serde_json::to_vec(contact).expect("a contact has string keys only");
        let payload = Payload {
            msg: &text,
            aad: &bound_to(place),
        };
        let sealed = self
            .now()
            .contact
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a short text can always be sealed");
        [&nonce[..], &sealed].concat()
    }

    /// Opens what [`Secret::seal`] sealed; none when it was sealed with none of these keys or for another report.
    pub fn open(&self, sealed: &[u8], place: (JurisdictionId, CaseNumber, u32)) -> Option<Contact> {
        self.made.iter().find_map(|made| made.open(sealed, place))
    }

    /// Whether the key in force opens it, too.
    fn is_sealed_now(&self, sealed: &[u8], place: (JurisdictionId, CaseNumber, u32)) -> bool {
        self.now().open(sealed, place).is_some()
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
        let is_ours = |made: &Made| {
            let right = made.photo_ticket(jurisdiction, id);
            bool::from(right.as_bytes().ct_eq(ticket.as_bytes()))
        };
        self.made.iter().any(is_ours).then_some(id)
    }

    /// The token that a form of this session must send back (against forged requests).
    pub fn form_token(&self, session: &str) -> String {
        self.now().form_token(session)
    }

    /// Whether a form sent the right token.
    pub fn is_form_token(&self, session: &str, token: &str) -> bool {
        let is_ours = |made: &Made| bool::from(made.form_token(session).as_bytes().ct_eq(token.as_bytes()));
        self.made.iter().any(is_ours)
    }
}

impl Made {
    fn from_key(key: &[u8; KEY_BYTES]) -> Self {
        let contact = blake3::derive_key("whistle 2026 contact data", key);
        Self {
            pickup: blake3::derive_key("whistle 2026 pick-up codes", key),
            contact: XChaCha20Poly1305::new((&contact).into()),
            form: blake3::derive_key("whistle 2026 form tokens", key),
            photo: blake3::derive_key("whistle 2026 photos", key),
        }
    }

    fn pickup_code(&self, jurisdiction: JurisdictionId, number: CaseNumber, report: u32) -> String {
        let mut message = Vec::with_capacity(20);
        message.extend(jurisdiction.0.to_le_bytes());
        message.extend(number.0.to_le_bytes());
        message.extend(report.to_le_bytes());
        let hash = blake3::keyed_hash(&self.pickup, &message);
        let mut code: String = hash.as_bytes()[..CODE_LETTERS]
            .iter()
            .map(|b| LETTERS[usize::from(b & 31)] as char)
            .collect();
        code.insert(CODE_LETTERS / 2, '-');
        code
    }

    fn open(&self, sealed: &[u8], place: (JurisdictionId, CaseNumber, u32)) -> Option<Contact> {
        let (nonce, sealed) = sealed.split_first_chunk::<24>()?;
        let payload = Payload {
            msg: sealed,
            aad: &bound_to(place),
        };
        let text = self.contact.decrypt(&XNonce::from(*nonce), payload).ok()?;
        serde_json::from_slice(&text).ok()
    }

    fn photo_ticket(&self, jurisdiction: JurisdictionId, id: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.photo);
        hasher.update(b"ticket");
        hasher.update(&jurisdiction.0.to_le_bytes());
        hasher.update(id.as_bytes());
        let tag = hasher.finalize().to_hex();
        format!("{id}-{}", &tag[..TAG_LETTERS])
    }

    fn form_token(&self, session: &str) -> String {
        blake3::keyed_hash(&self.form, session.as_bytes())
            .to_hex()
            .to_string()
    }
}

/// What a rotation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Rotated {
    /// Whether a new key was made; not when an earlier rotation had to be finished, or the key is given from outside.
    pub new_key: bool,
    /// Reports whose contact data was sealed anew.
    pub sealed: u64,
    /// Reports whose contact data no key of the install opens. It is left as it is.
    pub lost: u64,
    /// How many keys the install has now.
    pub keys: usize,
}

/// Contact data sealed anew at a time: few enough that nobody is kept waiting.
const ROUND: usize = 500;

/// Makes a new key and seals all contact data with it. The file with both is on the disk before anything is sealed by the
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
    whistle.close();
    Ok(Rotated {
        new_key: true,
        ..done
    })
}

/// Gives up all keys but the one in force: codes that reporters were given under those open nothing any more. Fails where
/// contact data is still sealed by one of them. Answers how many it were.
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

impl Whistle {
    /// Seals all contact data by the key in force that another one sealed.
    fn seal_anew(&self) -> Result<Rotated> {
        let mut done = Rotated {
            keys: self.secret.keys.0.len(),
            ..Rotated::default()
        };
        for here in self.places().all() {
            let id = here.id;
            let mut after = (CaseNumber(0), 0);
            loop {
                let contacts = self
                    .store
                    .read_blocking(|conn| intake::contacts_after(conn, id, after, ROUND))?;
                let Some(last) = contacts.last() else { break };
                after = (last.number, last.report);
                let mut anew = Vec::new();
                for old in contacts {
                    let report = (id, old.number, old.report);
                    if self.secret.is_sealed_now(&old.sealed, report) {
                        continue;
                    }
                    match self.secret.open(&old.sealed, report) {
                        Some(contact) => {
                            let sealed = self.secret.seal(&contact, report, &self.chance);
                            anew.push((old, sealed));
                        }
                        None => done.lost += 1,
                    }
                }
                done.sealed += self.store.write_blocking(move |tx| -> Result<u64> {
                    let mut changed = 0;
                    for (old, sealed) in &anew {
                        changed += intake::seal_anew(tx, id, old, sealed)?;
                    }
                    Ok(changed)
                })?;
            }
        }
        Ok(done)
    }
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
        let many = vec![old.as_str(); MAX_KEYS + 1].join(",");
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
        assert!(!both.is_sealed_now(&sealed, PLACE));
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
        };
        let sealed = secret.seal(&contact, PLACE, &Chance::from_seed(1));
        assert_eq!(secret.open(&sealed, PLACE), Some(contact));
        assert_eq!(secret.open(&sealed, (PLACE.0, PLACE.1, 2)), None);
        assert_eq!(of_key(8).open(&sealed, PLACE), None);
        assert_eq!(secret.open(&sealed[..10], PLACE), None);
    }
}
