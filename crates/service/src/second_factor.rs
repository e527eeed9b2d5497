//! The second step of signing in: a code that changes every half minute (TOTP, RFC 6238), shown by an app that got the secret
//! once, or one of ten recovery codes. The secret is sealed by the install's key; each code is taken once.

use std::{fmt::Write, net::IpAddr};

use jiff::{SignedDuration, Timestamp};
use totp_rs::{Builder, Totp};
use whistle_domain::{rights::Role, words::JurisdictionId};
use whistle_store::{
    Tx, account as stored,
    admin::{self, Deed, Doer},
    case::Hash,
    passkey, second_factor as factors,
};

use crate::{
    Whistle,
    account::{SignedIn, Tried, token_hash},
    error::{Error, Result},
    place::Here,
    secret::recovery_code,
};

/// How many recovery codes an account gets.
const CODES: usize = 10;

/// How long after the password the code may come.
const STEP_LASTS: SignedDuration = SignedDuration::from_mins(5);

/// Tries of codes within the window of tries: from one address, and from all together. Three codes of a million are good at a time.
const TRIES: [u32; 2] = [5, 20];

/// What an app needs to show the codes.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The secret, to type in.
    pub secret: String,
    /// The same as an address, for a QR code.
    pub address: String,
}

/// Where an account stands with its second factor.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Whether signing in asks for it.
    pub is_on: bool,
    /// Whether one was begun that no code has confirmed yet.
    pub is_begun: bool,
    /// How many recovery codes are left.
    pub codes_left: i64,
}

/// Who has given the right password and must still give a code. What the browser carries between the two is sealed.
pub(crate) struct Half {
    pub(crate) account: i64,
    pub(crate) until: Timestamp,
}

impl Whistle {
    /// Whether an account that holds some posts must have a second factor here.
    pub(crate) fn demands_second_factor(
        &self,
        here: &Here,
        posts: &[whistle_domain::words::PostCode],
    ) -> bool {
        let demanded = |role: &Role| self.site.second_factor_for.contains(role);
        posts
            .iter()
            .filter_map(|post| here.place.post(post.as_str()))
            .any(|post| post.roles.iter().any(demanded))
    }

    /// Whether a password is not enough for an account, because it has a passkey and holds a post that needs a second factor:
    /// else who knows the password alone could give it a second factor of their own.
    pub(crate) async fn demands_passkey(&self, here: &Here, account: i64) -> Result<bool> {
        if self.site.second_factor_for.is_empty() {
            return Ok(false);
        }
        let id = here.id;
        let found = self.store.read(move |conn| -> whistle_store::Result<_> {
            Ok((
                passkey::count(conn, id, account)?,
                stored::posts(conn, id, account)?,
            ))
        });
        let (passkeys, posts) = found.await?;
        Ok(passkeys > 0 && self.demands_second_factor(here, &posts))
    }

    /// What is carried from the password to the code. A new password makes it void.
    pub(crate) fn half_way(&self, here: &Here, account: &stored::Account) -> String {
        let until = self.clock.now() + STEP_LASTS;
        let text = half_text(here, account, until);
        format!(
            "{}.{}.{}",
            account.id,
            until.as_second(),
            self.secret.form_token(&text)
        )
    }

    /// Signs in who gave the right password before, by a code of their app or a recovery code. Answers the token for the cookie.
    pub async fn sign_in_with_code(
        &self,
        here: &Here,
        half_way: &str,
        code: &str,
        from: Option<IpAddr>,
    ) -> Result<String> {
        let id = here.id;
        let (half, seal) = read_half(half_way).ok_or(Error::SignedOut)?;
        let account = half.account;
        let found = self
            .store
            .look_up(move |conn| stored::by_id(conn, id, account))
            .await?
            .filter(|account| !account.disabled)
            .ok_or(Error::SignedOut)?;
        let text = half_text(here, &found, half.until);
        if !self.secret.is_form_token(&text, &seal) || half.until < self.clock.now() {
            return Err(Error::SignedOut);
        }
        let tried = self.check_code(here, account, code, from).await?;
        self.open_session(here, account, Some(tried), false).await
    }

    /// Takes a code of an account, and what its tries are counted by. Each is good once.
    pub(crate) async fn check_code(
        &self,
        here: &Here,
        account: i64,
        code: &str,
        from: Option<IpAddr>,
    ) -> Result<Tried> {
        let (id, now) = (here.id, self.clock.now());
        let tried = Tried::new(&format!("second step/{account}"), from);
        self.count_try(here, tried, TRIES).await?;
        let step = self.step_of(here, account, code, now).await?;
        let hashes = self.secret.recovery_hashes(id, account, code);
        let taken = self
            .store
            .write(move |tx| match step {
                Some(step) => factors::take_step(tx, id, account, step),
                None => factors::take_code(tx, id, account, &hashes),
            })
            .await?;
        if taken { Ok(tried) } else { Err(Error::BadCode) }
    }

    /// The step of time whose code this is; none when it is no code of the app's now.
    async fn step_of(&self, here: &Here, account: i64, code: &str, now: Timestamp) -> Result<Option<i64>> {
        let id = here.id;
        let factor = self
            .store
            .look_up(move |conn| factors::find(conn, id, account))
            .await?;
        let Some(factor) = factor else {
            return Ok(None);
        };
        let secret = self
            .secret
            .open_second_factor(&factor.secret, (id, account))
            .ok_or_else(|| {
                Error::invalid(
                    "secret.key",
                    "it is not the one under which this second factor was sealed",
                )
            })?;
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).take(7).collect();
        let step = totp(secret).and_then(|totp| totp.check(&digits, now.as_second().max(0) as u64));
        Ok(step.map(|step| step as i64))
    }

    /// Where who is signed in stands with their second factor.
    pub async fn second_factor(&self, here: &Here, by: &SignedIn) -> Result<Standing> {
        let (id, account) = (here.id, by.account);
        let found = self.store.read(move |conn| -> whistle_store::Result<_> {
            let factor = factors::find(conn, id, account)?;
            Ok((factor, factors::codes_left(conn, id, account)?))
        });
        let (factor, codes_left) = found.await?;
        Ok(Standing {
            is_on: factor.as_ref().is_some_and(|factor| factor.is_confirmed),
            is_begun: factor.is_some_and(|factor| !factor.is_confirmed),
            codes_left,
        })
    }

    /// Begins a second factor of who is signed in and knows the password: a new secret, asked for only once it is confirmed. It
    /// is shown this once only, so that whoever gets hold of the session cannot make it theirs and lock the holder out.
    pub async fn begin_second_factor(
        &self,
        here: &Here,
        by: &SignedIn,
        password: String,
        from: Option<IpAddr>,
    ) -> Result<Enrolment> {
        let (_, tried) = self.check_password(here, by, password, from).await?;
        let (id, account, now) = (here.id, by.account, self.clock.now());
        let secret = self.chance.bytes::<20>();
        let sealed = self
            .secret
            .seal_second_factor(&secret, (id, account), &self.chance);
        let begun = self
            .store
            .write(move |tx| {
                stored::forget_tries(tx, id, &tried.from_here)?;
                stored::take_back_try(tx, id, &tried.from_anywhere)?;
                factors::begin(tx, id, account, &sealed, now)
            })
            .await?;
        if !begun {
            return Err(Error::invalid(
                "second_factor",
                "there is one already; remove it first",
            ));
        }
        Ok(enrolment(here, by, secret))
    }

    /// Confirms the second factor that was begun, by a code of it, and ends all other sessions. Answers the recovery codes, which
    /// are shown this once only.
    pub async fn confirm_second_factor(
        &self,
        here: &Here,
        by: &SignedIn,
        token: &str,
        code: &str,
        from: Option<IpAddr>,
    ) -> Result<Vec<String>> {
        let (id, account, now) = (here.id, by.account, self.clock.now());
        if self.second_factor(here, by).await?.is_on {
            return Err(Error::invalid(
                "second_factor",
                "there is one already; remove it first",
            ));
        }
        let tried = self.check_code(here, account, code, from).await?;
        let codes: Vec<String> = (0..CODES).map(|_| recovery_code(&self.chance)).collect();
        let hashes: Vec<Hash> = codes
            .iter()
            .map(|code| self.secret.recovery_hash(id, account, code))
            .collect();
        let (stays, doer, login) = (token_hash(token), crate::admin::doer(&by.actor), by.login.clone());
        self.store
            .write(move |tx| {
                stored::forget_tries(tx, id, &tried.from_here)?;
                factors::confirm(tx, id, account, &hashes, now)?;
                stored::end_other_sessions(tx, id, account, &stays)?;
                admin::note(tx, id, &doer, Deed::SecondFactorAdded, &login, "", now)
            })
            .await?;
        Ok(codes)
    }

    /// Removes the second factor of who is signed in and shows a code of it.
    pub async fn remove_second_factor(
        &self,
        here: &Here,
        by: &SignedIn,
        code: &str,
        from: Option<IpAddr>,
    ) -> Result<()> {
        let (id, account, now) = (here.id, by.account, self.clock.now());
        self.check_code(here, account, code, from).await?;
        let (doer, login) = (crate::admin::doer(&by.actor), by.login.clone());
        self.store
            .write(move |tx| {
                factors::remove(tx, id, account)?;
                admin::note(tx, id, &doer, Deed::SecondFactorRemoved, &login, "", now)
            })
            .await?;
        Ok(())
    }

    /// Removes the second factor of an account whose holder lost it, and its passkeys, and ends its sessions.
    pub fn reset_second_factor(&self, here: &Here, login: &str) -> Result<()> {
        let (id, login, now) = (here.id, login.trim().to_lowercase(), self.clock.now());
        let wanted = login.clone();
        let known = self.store.write_blocking(move |tx| -> whistle_store::Result<_> {
            let Some(account) = stored::by_login(tx, id, &login)? else {
                return Ok(false);
            };
            take_off(tx, id, &account, now)?;
            admin::note(tx, id, &Doer::Operator, Deed::SecondFactorReset, &login, "", now)?;
            Ok(true)
        })?;
        if known {
            Ok(())
        } else {
            Err(Error::not_found("account", wanted))
        }
    }
}

/// Takes the second factor off an account whose holder lost it, and ends its sessions.
pub(crate) fn take_off(
    tx: &mut Tx<'_>,
    id: JurisdictionId,
    account: &stored::Account,
    now: Timestamp,
) -> whistle_store::Result<()> {
    factors::remove(tx, id, account.id)?;
    passkey::remove_all(tx, id, account.id)?;
    stored::change(tx, id, &account.login, stored::Change::SignOut, now)?;
    Ok(())
}

/// What is shown of a secret.
fn enrolment(here: &Here, by: &SignedIn, secret: [u8; 20]) -> Enrolment {
    let jurisdiction = &here.place.jurisdiction;
    let lang = jurisdiction.languages.first().copied().unwrap_or_default();
    let issuer = escaped(jurisdiction.name.get(lang));
    let secret = totp_rs::Secret::new_stack(secret).to_base32();
    Enrolment {
        address: format!(
            "otpauth://totp/{issuer}:{}?secret={secret}&issuer={issuer}",
            escaped(&by.login)
        ),
        secret,
    }
}

fn totp(secret: [u8; 20]) -> Option<Totp> {
    // Six digits, thirty seconds, SHA-1: what every app can show; one step of time off in either direction is forgiven.
    let builder = Builder::new()
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(30)
        .with_secret(totp_rs::Secret::new_stack(secret));
    builder.build().ok()
}

/// What is sealed. No session's token holds a slash, so no form's token is ever the seal of this.
fn half_text(here: &Here, account: &stored::Account, until: Timestamp) -> String {
    let password = blake3::hash(account.password.as_bytes()).to_hex();
    format!(
        "second step/{}/{}/{}/{password}",
        here.id.0,
        account.id,
        until.as_second()
    )
}

fn read_half(text: &str) -> Option<(Half, String)> {
    let mut parts = text.splitn(3, '.');
    let account = parts.next()?.parse().ok()?;
    let until = Timestamp::from_second(parts.next()?.parse().ok()?).ok()?;
    Some((Half { account, until }, parts.next()?.to_owned()))
}

/// A text as a part of an address.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(byte as char),
            _ => {
                // Writing to a text cannot fail.
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, SHA-1; of its eight digits the last six.
        let totp = totp(*b"12345678901234567890").unwrap();
        for (at, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp.check(code, at), Some(at / 30), "{at}");
        }
        assert_eq!(totp.check("287082", 59 + 90), None);
    }

    #[test]
    fn a_name_is_whole_in_an_address() {
        assert_eq!(escaped("柳溪 a&b"), "%E6%9F%B3%E6%BA%AA%20a%26b");
    }
}
