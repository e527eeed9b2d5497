//! Signing in by a passkey (WebAuthn): a key pair of a device, whose holder shows the device who they are. That is both what one
//! has and what one is or knows, so it counts as a second factor by itself. The device finds the account; nobody types a name.
//!
//! Challenges are steps as those of [`crate::provider`]: in the database, taken once, in time, in the browser that began.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{
        DiscoverableAuthentication, Passkey as Credential, PasskeyRegistration, PublicKeyCredential,
        RegisterPublicKeyCredential, Url, Uuid,
    },
};
use whistle_store::{
    account as stored,
    admin::{self, Deed},
    passkey::{self, MAX_PASSKEYS, Passkey},
};

use crate::{
    Whistle,
    account::{SignedIn, token_hash},
    error::{Error, Result},
    place::Here,
};

/// The longest name of a passkey.
const MAX_NAME: usize = 64;

/// The word of the step that adds one, in the database.
const ADDING: &str = "passkey added";

/// The word of the step that signs in by one.
const SIGNING_IN: &str = "passkey";

/// A passkey, as its holder sees it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// By which it is renamed or removed.
    pub id: String,
    /// What its holder calls it.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last signed them in.
    pub used_at: Option<Timestamp>,
}

/// What the browser is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The options for the browser, JSON.
    pub options: String,
    /// What the browser keeps, and shows with its answer.
    pub browser: String,
}

/// What the device answered.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// JSON.
    pub text: &'a str,
    /// What the browser kept.
    pub browser: &'a str,
}

/// What a new passkey is compared with.
#[derive(Serialize, Deserialize)]
struct Adding {
    account: i64,
    user: Uuid,
    state: PasskeyRegistration,
}

/// For whom passkeys are made: the address under which the public reaches this install. None where browsers would refuse: at a
/// number in place of a name, or without https but on this machine.
fn relying_party(base: &str, name: &str) -> Option<Webauthn> {
    let origin = Url::parse(base).ok()?;
    let domain = origin.domain()?.to_owned();
    if origin.scheme() != "https" && domain != "localhost" {
        return None;
    }
    let party = WebauthnBuilder::new(&domain, &origin).ok()?.rp_name(name);
    party.build().ok()
}

impl Whistle {
    /// Whether passkeys can be used where the public reaches this install.
    pub fn has_passkeys(&self, base: Option<&str>) -> bool {
        base.is_some_and(|base| relying_party(base, "Whistle").is_some())
    }

    fn party(here: &Here, base: Option<&str>) -> Result<Webauthn> {
        let jurisdiction = &here.place.jurisdiction;
        let lang = jurisdiction.languages.first().copied().unwrap_or_default();
        base.and_then(|base| relying_party(base, jurisdiction.name.get(lang)))
            .ok_or_else(|| Error::not_found("passkey", "address"))
    }

    /// Begins to add a passkey to the account of who is signed in. `base`: the address of the install.
    pub async fn begin_passkey(
        &self,
        here: &Here,
        by: &SignedIn,
        base: Option<&str>,
        browser: Option<&str>,
    ) -> Result<Asked> {
        self.must_be_fresh(by)?;
        let party = Self::party(here, base)?;
        let known = self.passkeys_of(here, by.account).await?;
        if known.len() >= MAX_PASSKEYS {
            return Err(no_room());
        }
        let user = match known.first() {
            Some(one) => Uuid::from_slice(&one.user_handle).map_err(bad)?,
            None => Uuid::from_bytes(self.chance.bytes()),
        };
        let exclude = known.into_iter().map(|one| one.id).collect();
        let (options, state) = party
            .start_passkey_registration(user, &by.login, &by.login, Some(exclude))
            .map_err(bad)?;
        let mut options = serde_json::to_value(options).map_err(bad)?;
        // The device must find the account by itself, and see who holds it.
        let selection = &mut options["publicKey"]["authenticatorSelection"];
        selection["residentKey"] = json!("required");
        selection["requireResidentKey"] = json!(true);
        let adding = Adding {
            account: by.account,
            user,
            state,
        };
        self.begin_challenge(here, ADDING, options, &adding, browser)
            .await
    }

    /// Adds the passkey that a device has made, under a name. The session has shown more than a password then.
    pub async fn add_passkey(
        &self,
        here: &Here,
        by: &SignedIn,
        (token, base): (&str, Option<&str>),
        name: &str,
        answer: Answer<'_>,
    ) -> Result<()> {
        self.must_be_fresh(by)?;
        let party = Self::party(here, base)?;
        let name = named(name)?;
        let made: RegisterPublicKeyCredential = serde_json::from_str(answer.text).map_err(bad)?;
        let adding: Adding = self
            .answered(here, ADDING, &made.response.client_data_json, answer)
            .await?;
        if adding.account != by.account {
            return Err(Error::BadPasskey);
        }
        let credential = party
            .finish_passkey_registration(&made, &adding.state)
            .map_err(bad)?;
        let passkey = Passkey {
            id: credential.cred_id().clone(),
            account: by.account,
            name,
            user_handle: adding.user.as_bytes().to_vec(),
            credential: serde_json::to_string(&credential).map_err(bad)?,
            created_at: self.clock.now(),
            used_at: None,
        };
        let (id, session, now) = (here.id, token_hash(token), self.clock.now());
        let (doer, login) = (crate::admin::doer(&by.actor), by.login.clone());
        let added = self.store.write(move |tx| {
            let added = passkey::add(tx, id, &passkey)?;
            if added {
                stored::strengthen_session(tx, id, &session)?;
                admin::note(tx, id, &doer, Deed::PasskeyAdded, &login, &passkey.name, now)?;
            }
            Ok(added)
        });
        let added = added.await.map_err(|error: whistle_store::Error| {
            if stored::is_taken(&error) {
                Error::BadPasskey
            } else {
                error.into()
            }
        })?;
        if !added {
            return Err(no_room());
        }
        tracing::info!(account = by.account, "a passkey was added by its holder");
        Ok(())
    }

    /// Begins to sign in by a passkey: whose it is, the device tells.
    pub async fn begin_passkey_sign_in(
        &self,
        here: &Here,
        base: Option<&str>,
        browser: Option<&str>,
    ) -> Result<Asked> {
        let party = Self::party(here, base)?;
        let (options, state) = party.start_discoverable_authentication().map_err(bad)?;
        let mut options = serde_json::to_value(options).map_err(bad)?;
        // Asked for by a button, not offered while somebody types.
        if let Some(options) = options.as_object_mut() {
            options.remove("mediation");
        }
        self.begin_challenge(here, SIGNING_IN, options, &state, browser)
            .await
    }

    /// Signs in by the answer of a device. Answers the token for the cookie.
    pub async fn sign_in_with_passkey(
        &self,
        here: &Here,
        base: Option<&str>,
        answer: Answer<'_>,
    ) -> Result<String> {
        let party = Self::party(here, base)?;
        let shown: PublicKeyCredential = serde_json::from_str(answer.text).map_err(bad)?;
        let state: DiscoverableAuthentication = self
            .answered(here, SIGNING_IN, &shown.response.client_data_json, answer)
            .await?;
        let (user, credential_id) = party.identify_discoverable_authentication(&shown).map_err(bad)?;
        let (id, credential_id) = (here.id, credential_id.to_vec());
        let found = self
            .store
            .look_up(move |conn| passkey::find(conn, id, &credential_id))
            .await?
            .filter(|found| found.user_handle == user.as_bytes())
            .ok_or(Error::BadPasskey)?;
        let mut credential: Credential = serde_json::from_str(&found.credential).map_err(bad)?;
        // Also refuses a counter that has not gone on: two devices have the same key then.
        let result = party
            .finish_discoverable_authentication_v2(&shown, state, &credential)
            .map_err(bad)?;
        if !result.user_verified() || credential.update_credential(&result).is_none() {
            return Err(Error::BadPasskey);
        }
        let newer = serde_json::to_string(&credential).map_err(bad)?;
        let (account, now) = (found.account, self.clock.now());
        let seen = self.store.write(move |tx| -> whistle_store::Result<_> {
            let seen = passkey::see(tx, id, &found.id, (&found.credential, &newer), now)?;
            let found = stored::by_id(tx, id, account)?;
            Ok(seen && found.is_some_and(|account| !account.disabled))
        });
        if !seen.await? {
            return Err(Error::BadPasskey);
        }
        match self.open_session(here, account, None, true).await {
            Err(Error::BadPassword) => Err(Error::BadPasskey),
            other => other,
        }
    }

    /// The passkeys of who is signed in, the oldest first.
    pub async fn own_passkeys(&self, here: &Here, by: &SignedIn) -> Result<Vec<Shown>> {
        let shown = |one: Passkey| Shown {
            id: URL_SAFE_NO_PAD.encode(&one.id),
            name: one.name,
            created_at: one.created_at,
            used_at: one.used_at,
        };
        let own = self.passkeys_of(here, by.account).await?;
        Ok(own.into_iter().map(shown).collect())
    }

    async fn passkeys_of(&self, here: &Here, account: i64) -> Result<Vec<Passkey>> {
        let id = here.id;
        Ok(self
            .store
            .look_up(move |conn| passkey::of(conn, id, account))
            .await?)
    }

    /// Gives a passkey of who is signed in another name.
    pub async fn rename_passkey(&self, here: &Here, by: &SignedIn, passkey: &str, name: &str) -> Result<()> {
        let (id, account, name) = (here.id, by.account, named(name)?);
        let credential = credential_id(passkey)?;
        let known = self
            .store
            .write(move |tx| passkey::rename(tx, id, account, &credential, &name));
        if known.await? {
            Ok(())
        } else {
            Err(Error::not_found("passkey", passkey))
        }
    }

    /// Removes a passkey of who is signed in, and ends their other sessions. One that is gone already is fine.
    pub async fn remove_passkey(&self, here: &Here, by: &SignedIn, token: &str, passkey: &str) -> Result<()> {
        let (id, account, stays, now) = (here.id, by.account, token_hash(token), self.clock.now());
        let (doer, login) = (crate::admin::doer(&by.actor), by.login.clone());
        let credential = credential_id(passkey)?;
        self.store
            .write(move |tx| -> whistle_store::Result<_> {
                passkey::remove(tx, id, account, &credential)?;
                stored::end_other_sessions(tx, id, account, &stays)?;
                if passkey::count(tx, id, account)? == 0 {
                    // Who must have a second factor gets another one now.
                    stored::weaken_sessions(tx, id, account)?;
                }
                admin::note(tx, id, &doer, Deed::PasskeyRemoved, &login, "", now)
            })
            .await?;
        tracing::info!(account, "a passkey was removed by its holder");
        Ok(())
    }

    /// Removes all passkeys of an account that is a member of staff's to keep, and ends its sessions.
    pub async fn remove_kept_passkeys(&self, here: &Here, by: &SignedIn, account: i64) -> Result<()> {
        let id = here.id;
        self.change_kept(here, by, account, Deed::PasskeyRemoved, move |tx, _| {
            passkey::remove_all(tx, id, account)?;
            stored::end_all_sessions(tx, id, account)
        })
        .await?;
        Ok(())
    }

    /// Begins the step of a challenge; what it is compared with stays here.
    async fn begin_challenge(
        &self,
        here: &Here,
        kind: &'static str,
        options: Value,
        held: &impl Serialize,
        browser: Option<&str>,
    ) -> Result<Asked> {
        let held = serde_json::to_string(held).map_err(bad)?;
        let challenge = options["publicKey"]["challenge"].as_str().unwrap_or_default();
        let browser = self.begin_step(here, (challenge, kind), browser, held).await?;
        Ok(Asked {
            options: options.to_string(),
            browser,
        })
    }

    /// Takes the step that an answer belongs to, by the challenge that the device has signed.
    async fn answered<T: DeserializeOwned>(
        &self,
        here: &Here,
        kind: &'static str,
        client_data: &[u8],
        answer: Answer<'_>,
    ) -> Result<T> {
        #[derive(Deserialize)]
        struct Signed {
            challenge: String,
        }
        let signed: Signed = serde_json::from_slice(client_data).map_err(bad)?;
        let held = self
            .take_step(here, (&signed.challenge, kind), answer.browser)
            .await?;
        serde_json::from_str(&held).map_err(bad)
    }
}

/// A name that a passkey may have.
fn named(name: &str) -> Result<String> {
    let name = name.trim();
    let fits = (1..=MAX_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits {
        Ok(name.to_owned())
    } else {
        Err(Error::invalid(
            "name",
            format!("call the passkey something, in 1 to {MAX_NAME} letters"),
        ))
    }
}

fn credential_id(passkey: &str) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD
        .decode(passkey)
        .map_err(|_| Error::not_found("passkey", passkey))
}

fn no_room() -> Error {
    Error::invalid(
        "passkey",
        format!("there are {MAX_PASSKEYS} already; remove one first"),
    )
}

/// What is wrong with a passkey is for the log alone.
fn bad(error: impl std::fmt::Display) -> Error {
    tracing::warn!(%error, "a passkey is refused");
    Error::BadPasskey
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_need_a_name_and_https_as_browsers_demand() {
        let can = |base: &str| relying_party(base, "Three Rivers").is_some();
        assert!(can("https://whistle.example.org"));
        assert!(can("https://whistle.example.org:8443/below"));
        assert!(can("http://localhost:8311"));
        for wrong in [
            "http://whistle.example.org",
            "https://192.0.2.1",
            "http://127.0.0.1:8311",
            "",
        ] {
            assert!(!can(wrong), "{wrong}");
        }
    }
}
