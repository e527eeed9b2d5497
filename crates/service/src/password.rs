//! Passwords: how long they are, how they are kept (argon2id), and which ones everybody tries first.
//!
//! The list of those is a local file: no password, nor a part of its hash, leaves this machine. It is either one password
//! a line, or the SHA-1 of each as 40 hexadecimal digits, sorted, each perhaps with `:` and how often it was seen, as the
//! large public lists come. Of a sorted one only some lines are read, however large it is.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::LazyLock,
};

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use sha1::{Digest, Sha1};
use whistle_store::account::ONCE;

use crate::{
    error::{Error, Result},
    time::Chance,
};

/// The fewest letters of a password (NIST SP 800-63B: at least 8; more where there is no second factor).
const MIN: usize = 10;

/// The most letters of a password: long enough for a sentence, short enough to hash.
const MAX: usize = 200;

/// The most bytes of a line of the list: longer than any password that is allowed, or a hash with its count.
const LONGEST_LINE: u64 = 4 * MAX as u64 + 2;

/// What is compared when nobody has the name, so that the answer takes as long.
pub(crate) static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash("nobody has this password").unwrap_or_default());

/// The argon2id string of a new password, if it is a good one.
pub(crate) fn new(password: &str, breached: Option<&Path>) -> Result<String> {
    let letters = password.chars().count();
    if !(MIN..=MAX).contains(&letters) {
        return Err(Error::invalid(
            "password",
            format!("choose one of {MIN} to {MAX} letters; a short sentence is good"),
        ));
    }
    if let Some(list) = breached
        && is_listed(password, list).map_err(Error::io(list.display().to_string()))?
    {
        return Err(Error::BreachedPassword);
    }
    hash(password)
}

fn hash(password: &str) -> Result<String> {
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| Error::invalid("password", error.to_string()))?;
    Ok(hash.to_string())
}

/// What is kept of a password that its holder must change first of all.
pub(crate) fn once(hash: &str) -> String {
    format!("{ONCE}{hash}")
}

/// A password such as `tamo-rike-lusu-bade-4`: 51 bits of chance that can be typed from paper.
pub(crate) fn readable(chance: &Chance) -> String {
    const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
    const VOWELS: &[u8; 4] = b"aeiu";
    let chance = chance.bytes::<20>();
    let mut password = String::new();
    for (i, byte) in chance[..8].iter().enumerate() {
        if i > 0 && i % 2 == 0 {
            password.push('-');
        }
        password.push(char::from(CONSONANTS[usize::from(byte >> 4)]));
        password.push(char::from(VOWELS[usize::from(byte & 3)]));
    }
    for byte in &chance[8..10] {
        password.push(if password.len() == 19 {
            '-'
        } else {
            char::from(b'0' + byte % 10)
        });
    }
    password
}

/// Whether a password is the one of an argon2id string.
pub(crate) fn fits(password: &str, hash: &str) -> bool {
    let hash = hash.strip_prefix(ONCE).unwrap_or(hash);
    password.chars().count() <= MAX
        && PasswordHash::new(hash).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        })
}

/// Whether a list has a password.
fn is_listed(password: &str, list: &Path) -> std::io::Result<bool> {
    let mut lines = Lines {
        file: BufReader::new(File::open(list)?),
    };
    match lines.next()? {
        Some(first) if sha1_of(&first).is_some() => lines.has_hash(Sha1::digest(password.as_bytes()).into()),
        _ => lines.has(password),
    }
}

/// The hash at the beginning of a line.
fn sha1_of(line: &str) -> Option<[u8; 20]> {
    let digits = line.split(':').next()?;
    if digits.len() != 40 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let number = u128::from_str_radix(&digits[..32], 16).ok()?;
    let rest = u32::from_str_radix(&digits[32..], 16).ok()?;
    let mut hash = [0; 20];
    hash[..16].copy_from_slice(&number.to_be_bytes());
    hash[16..].copy_from_slice(&rest.to_be_bytes());
    Some(hash)
}

/// A list, line by line.
struct Lines {
    file: BufReader<File>,
}

impl Lines {
    /// The line that begins here, without its end; what is beyond the longest is left out.
    fn next(&mut self) -> std::io::Result<Option<String>> {
        let mut line = Vec::new();
        let read = (&mut self.file).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if read as u64 == LONGEST_LINE && !line.ends_with(b"\n") {
            self.file.skip_until(b'\n')?;
        }
        let text = String::from_utf8_lossy(&line);
        Ok((read > 0).then(|| text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn has(&mut self, password: &str) -> std::io::Result<bool> {
        self.file.rewind()?;
        while let Some(line) = self.next()? {
            if line == password {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Looks for a hash by halves. The line in question begins at `low` or later, and before `high`.
    fn has_hash(&mut self, wanted: [u8; 20]) -> std::io::Result<bool> {
        let (mut low, mut high) = (0, self.file.get_ref().metadata()?.len());
        while low < high {
            let middle = low.midpoint(high);
            // The first line that begins at or after the middle.
            self.file.seek(SeekFrom::Start(middle.saturating_sub(1)))?;
            if middle > 0 {
                self.file.skip_until(b'\n')?;
            }
            let begins = self.file.stream_position()?;
            let line = if begins < high { self.next()? } else { None };
            let Some(line) = line else {
                high = middle;
                continue;
            };
            let broken = || {
                let what = format!(
                    "the line at byte {begins} is no SHA-1; each line of this list must begin with one"
                );
                std::io::Error::new(std::io::ErrorKind::InvalidData, what)
            };
            match sha1_of(&line).ok_or_else(broken)?.cmp(&wanted) {
                std::cmp::Ordering::Equal => return Ok(true),
                std::cmp::Ordering::Less => low = self.file.stream_position()?,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(false)
    }
}

/// Refuses a list that cannot be read, so that a start says so and not the first password.
pub(crate) fn check_list(list: Option<&PathBuf>) -> Result<()> {
    let Some(list) = list else {
        return Ok(());
    };
    is_listed("", list)
        .map(drop)
        .map_err(Error::io(format!("breached_passwords = {}", list.display())))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    fn listed(text: &str, password: &str) -> bool {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("list");
        fs::write(&list, text).unwrap();
        is_listed(password, &list).unwrap()
    }

    fn digits(password: &str) -> String {
        let hash: [u8; 20] = Sha1::digest(password.as_bytes()).into();
        let (number, rest) = hash.split_at(16);
        format!(
            "{:032X}{:08X}",
            u128::from_be_bytes(number.try_into().unwrap()),
            u32::from_be_bytes(rest.try_into().unwrap())
        )
    }

    #[test]
    fn a_plain_list_has_its_lines_and_nothing_else() {
        let list = format!("correct horse\r\nletmeinplease\n{}\nlast one", "x".repeat(5_000));
        for password in ["correct horse", "letmeinplease", "last one"] {
            assert!(listed(&list, password), "{password}");
        }
        for password in ["correct", "letmeinplease\n", "x", ""] {
            assert!(!listed(&list, password), "{password}");
        }
    }

    #[test]
    fn the_hash_in_the_list_is_the_well_known_one() {
        // SHA-1 of "password", as it stands in every such list.
        let list = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:10434004\n";
        assert!(listed(list, "password"));
        assert!(!listed(list, "Password"));
    }

    #[test]
    fn a_list_that_is_not_of_hashes_throughout_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("list");
        fs::write(&list, format!("{}:1\nwhat is this\n", "0".repeat(40))).unwrap();
        assert!(is_listed("password", &list).is_err());
    }

    #[test]
    fn a_listed_password_is_refused_wherever_one_is_set_and_a_list_that_is_missing_at_the_start() {
        let bed = whistle_testbed::Bed::new();
        let list = bed.path().join("list");
        let site = crate::Site {
            database_url: bed.database_url().map(str::to_owned),
            breached_passwords: Some(list.clone()),
            ..bed.path().into()
        };
        assert!(crate::Whistle::open(site.clone()).is_err());
        fs::write(&list, "correct horse battery\n").unwrap();
        let whistle = crate::Whistle::open(site).unwrap();
        let village = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
        whistle.apply(&village).unwrap();
        let here = whistle.places().named(None).unwrap().clone();
        let posts = ["CITY-D".parse().unwrap()];
        let add = |password: &str| whistle.add_user(&here, "desk", password, &posts);
        assert!(matches!(
            add("correct horse battery"),
            Err(Error::BreachedPassword)
        ));
        add("another horse battery").unwrap();
        let set = whistle.set_password(&here, "desk", "correct horse battery");
        assert!(matches!(set, Err(Error::BreachedPassword)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_sorted_list_of_any_length_has_exactly_its_passwords(
            words in proptest::collection::btree_set("[a-z]{1,8}", 1..60),
            others in proptest::collection::vec("[a-z]{1,8}", 10),
            counted: bool,
            lower: bool,
            ends: bool,
        ) {
            let mut lines: Vec<String> = words.iter().map(|word| digits(word)).collect();
            lines.sort();
            let line = |(i, hash): (usize, String)| {
                let hash = if lower { hash.to_lowercase() } else { hash };
                if counted { format!("{hash}:{}", 7_u64.pow((i % 12) as u32)) } else { hash }
            };
            let lines: Vec<String> = lines.into_iter().enumerate().map(line).collect();
            let text = lines.join("\n") + if ends { "\n" } else { "" };
            for word in &words {
                prop_assert!(listed(&text, word), "{}", word);
            }
            for word in others.iter().filter(|word| !words.contains(*word)) {
                prop_assert!(!listed(&text, word), "{}", word);
            }
        }
    }
}
