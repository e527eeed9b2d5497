//! Signing in by a provider of OpenID Connect: the way there and back, and which account it leads to. Accounts are linked,
//! never made: an administrator says by which name the provider knows an account's holder, or the holder, who is signed in,
//! goes to the provider and comes back. From the first time on the provider's subject counts, which is given to nobody else.
//!
//! What is on the way is in the database, so that any process takes the answer, and bound to the browser by a cookie.

mod client;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use whistle_domain::{
    rights,
    words::{JurisdictionId, Text},
};
use whistle_store::{
    account as stored,
    admin::{self, Deed, Doer},
    passkey, second_factor as factors,
    sign_in::{self, Step, Taken},
};

pub(crate) use client::Client;
use client::{Person, Way};

use crate::{
    Whistle,
    account::{SignIn, SignedIn, token_hash},
    error::{Error, Result},
    place::Here,
};

pub use whistle_store::sign_in::Link;

/// How long the way to the provider and back may take, and a challenge may wait: time to find the telephone.
pub(crate) const STEP_LASTS: SignedDuration = SignedDuration::from_mins(10);

/// The longest name of a link: an address.
const MAX_NAME: usize = 254;

/// The longest of what comes back in an address.
const MAX_PART: usize = 4096;

/// The word of these steps in the database.
const KIND: &str = "provider";

/// A provider of sign-ins. Prints nothing of itself, since it holds a secret.
#[derive(Clone)]
pub struct Provider {
    /// Its address, as it writes it into tokens.
    pub issuer: String,
    /// What it knows Whistle by.
    pub client_id: String,
    /// By which Whistle shows that it is that.
    pub client_secret: String,
    /// What the button on the sign-in page says.
    pub label: Text,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that holds the name by which an account is awaited.
    pub name_claim: String,
    /// Whether it counts as a second factor.
    pub second_factor: Counts,
}

/// When a sign-in at the provider counts as a second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counts {
    /// Never.
    Never,
    /// Always: the provider lets nobody in without one.
    Always,
    /// When the token says one of these: `acr:` or `amr:` and a value.
    When(Vec<String>),
}

/// Why somebody was not signed in by the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It does not answer, or not as one.
    #[error("the sign-in service does not answer; try again later, or sign in with your password")]
    Down,
    /// It says no, or the person did.
    #[error("the sign-in service did not let you in")]
    Refused,
    /// The token was made for another sign-in.
    #[error("the sign-in service answered another request (nonce); begin again")]
    WrongNonce,
    /// The token was made for another service.
    #[error("the sign-in service answered somebody else (audience); tell the operator")]
    WrongAudience,
    /// Another one made the token.
    #[error("another sign-in service answered (issuer); tell the operator")]
    WrongIssuer,
    /// The token is over.
    #[error(
        "the answer of the sign-in service is too old; begin again, and if that does not help, its clock is wrong"
    )]
    ExpiredToken,
    /// The token is not good in another way.
    #[error("the answer of the sign-in service is not good; tell the operator")]
    BadToken,
    /// No account is linked to them.
    #[error("no account here is linked to this person; ask the administrator to link yours")]
    Unlinked,
    /// The account may not sign in.
    #[error("this account is disabled, or holds no post any more")]
    Disabled,
    /// Another account has them already.
    #[error("this person is linked to another account already")]
    Taken,
}

impl Fault {
    /// The stable word for machines.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Down => "provider_down",
            Self::Refused => "provider_refused",
            Self::WrongNonce => "provider_nonce",
            Self::WrongAudience => "provider_audience",
            Self::WrongIssuer => "provider_issuer",
            Self::ExpiredToken => "provider_expired",
            Self::BadToken => "provider_token",
            Self::Unlinked => "provider_unlinked",
            Self::Disabled => "provider_disabled",
            Self::Taken => "provider_taken",
        }
    }
}

/// Why the answer to a step was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepFault {
    /// It came too late.
    #[error("this took too long; begin again")]
    TooLate,
    /// One was taken before.
    #[error("this was sent before, and is good once only; begin again")]
    Before,
    /// It was not begun in this browser, or long ago.
    #[error("this was not begun in this browser, or too long ago; begin again here")]
    Unknown,
}

impl StepFault {
    /// The stable word for machines.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooLate => "step_late",
            Self::Before => "step_used",
            Self::Unknown => "step_unknown",
        }
    }
}

/// A way that is begun.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Where the browser goes.
    pub address: String,
    /// What the browser keeps, and shows when it comes back.
    pub browser: String,
}

/// What the browser came back with.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Of which way it is the end.
    pub state: String,
    /// What the token is fetched with.
    pub code: String,
    /// Who sent it, where the provider says so (RFC 9207).
    pub issuer: Option<String>,
    /// What the browser kept.
    pub browser: String,
    /// The token of the session that the browser has.
    pub session: Option<String>,
}

/// What the way led to.
#[derive(Debug, Clone)]
pub enum Ended {
    /// Somebody is signed in, or must still give a code; and where they wanted to go.
    SignedIn(SignIn, String),
    /// The account of who is signed in is linked.
    Linked,
}

/// The ways to sign in of an account besides its password, as an administrator sees them.
#[derive(Debug, Clone)]
pub struct Ways {
    /// The name it signs in with.
    pub login: String,
    /// Who it is at the provider.
    pub link: Option<Link>,
    /// How many passkeys it has.
    pub passkeys: i64,
}

/// What the end of a way is compared with.
#[derive(Serialize, Deserialize)]
struct Held {
    nonce: String,
    verifier: String,
    back: String,
    next: String,
    /// The account that is to be linked; none to sign in.
    links: Option<i64>,
}

impl Whistle {
    /// What the button for the provider says; none where there is no provider.
    pub fn provider_label(&self) -> Option<&Text> {
        self.provider.as_ref().map(|client| &client.provider().label)
    }

    fn client_of_provider(&self) -> Result<&Client> {
        self.provider
            .as_ref()
            .ok_or_else(|| Error::not_found("provider", "openid"))
    }

    /// Begins to sign in by the provider, which sends the browser back to `back`. `browser`: what this browser kept of another
    /// way that it began, so that several may be open at a time.
    pub async fn begin_at_provider(
        &self,
        here: &Here,
        (back, next): (&str, &str),
        browser: Option<&str>,
    ) -> Result<Begun> {
        self.begin_way(here, (back, next), None, browser).await
    }

    /// Begins to link the account of who is signed in.
    pub async fn begin_link(
        &self,
        here: &Here,
        by: &SignedIn,
        back: &str,
        browser: Option<&str>,
    ) -> Result<Begun> {
        self.must_be_fresh(by)?;
        self.begin_way(here, (back, ""), Some(by.account), browser).await
    }

    async fn begin_way(
        &self,
        here: &Here,
        (back, next): (&str, &str),
        links: Option<i64>,
        browser: Option<&str>,
    ) -> Result<Begun> {
        let client = self.client_of_provider()?;
        let state = self.drawn();
        let held = Held {
            nonce: self.drawn(),
            verifier: self.drawn(),
            back: back.to_owned(),
            next: next.chars().take(MAX_PART).collect(),
            links,
        };
        let way = held.way(&state);
        let address = client.address(&way, self.clock.running()).await?;
        let browser = self
            .begin_step(here, (&state, KIND), browser, held.written())
            .await?;
        Ok(Begun { address, browser })
    }

    /// Takes what the browser came back with.
    pub async fn end_at_provider(&self, here: &Here, answer: Answer) -> Result<Ended> {
        let client = self.client_of_provider()?;
        let held = self
            .take_step(here, (&answer.state, KIND), &answer.browser)
            .await?;
        let held: Held = serde_json::from_str(&held).map_err(|_| StepFault::Unknown)?;
        if let Some(issuer) = &answer.issuer
            && *issuer != client.provider().issuer
        {
            return Err(Fault::WrongIssuer.into());
        }
        if answer.code.is_empty() || answer.code.len() > MAX_PART {
            return Err(Fault::Refused.into());
        }
        let times = (self.clock.now(), self.clock.running());
        let person = client
            .person(&held.way(&answer.state), &answer.code, times)
            .await?;
        match held.links {
            None => {
                let signed_in = self.sign_in_person(here, &person).await?;
                Ok(Ended::SignedIn(signed_in, held.next))
            }
            Some(account) => {
                // Who began must still be signed in here.
                let session = answer.session.ok_or(Error::SignedOut)?;
                let by = self.signed_in_to_enrol(here, &session).await?;
                if by.account != account {
                    return Err(Error::SignedOut);
                }
                self.link_person(here, &by, person).await?;
                Ok(Ended::Linked)
            }
        }
    }

    /// Signs in whom the provider has found.
    async fn sign_in_person(&self, here: &Here, person: &Person) -> Result<SignIn> {
        let (id, now) = (here.id, self.clock.now());
        let client = self.client_of_provider()?;
        let issuer = client.provider().issuer.clone();
        let subject = person.subject.clone();
        // Whose subject is known, the provider need say nothing else of.
        let name = if self.is_known(here, person).await? {
            None
        } else {
            client.name_of(person, self.clock.running()).await?
        };
        let account = self.store.write(move |tx| -> whistle_store::Result<_> {
            let known = sign_in::link_by_subject(tx, id, &issuer, &subject)?;
            let account = match (known, &name) {
                (Some(link), _) => link.account,
                (None, None) => return Ok(None),
                (None, Some(name)) => {
                    let Some(link) = sign_in::link_awaiting(tx, id, &issuer, name)? else {
                        return Ok(None);
                    };
                    if !sign_in::meet(tx, id, &issuer, (link.account, name, &subject))? {
                        return Ok(None);
                    }
                    link.account
                }
            };
            sign_in::see_link(tx, id, &issuer, account, now)?;
            let factor = factors::find(tx, id, account)?;
            let asks_code = factor.is_some_and(|factor| factor.is_confirmed);
            Ok(stored::by_id(tx, id, account)?.map(|account| (account, asks_code)))
        });
        let (account, asks_code) = account.await?.ok_or(Fault::Unlinked)?;
        if account.disabled {
            return Err(Fault::Disabled.into());
        }
        if asks_code && !person.is_strong {
            return Ok(SignIn::HalfWay(self.half_way(here, &account)));
        }
        let opened = self.open_session(here, account.id, None, person.is_strong).await;
        match opened {
            Ok(token) => Ok(SignIn::Done(token)),
            Err(Error::BadPassword) => Err(Fault::Disabled.into()),
            Err(error) => Err(error),
        }
    }

    async fn is_known(&self, here: &Here, person: &Person) -> Result<bool> {
        let (id, subject) = (here.id, person.subject.clone());
        let issuer = self.client_of_provider()?.provider().issuer.clone();
        let known = self
            .store
            .look_up(move |conn| sign_in::link_by_subject(conn, id, &issuer, &subject));
        Ok(known.await?.is_some())
    }

    async fn link_person(&self, here: &Here, by: &SignedIn, person: Person) -> Result<()> {
        let (id, account, now) = (here.id, by.account, self.clock.now());
        let (doer, login) = (crate::admin::doer(&by.actor), by.login.clone());
        let client = self.client_of_provider()?;
        let issuer = client.provider().issuer.clone();
        let name = client.name_of(&person, self.clock.running()).await?;
        let link = Link {
            account,
            name: name.unwrap_or_else(|| person.subject.clone()),
            subject: Some(person.subject),
            created_at: now,
            used_at: None,
        };
        self.store
            .write(move |tx| {
                sign_in::link(tx, id, &issuer, &link)?;
                admin::note(tx, id, &doer, Deed::AccountLinked, &login, "", now)
            })
            .await
            .map_err(taken)?;
        tracing::info!(account, "an account was linked by its holder");
        Ok(())
    }

    /// What an account is linked to at the provider.
    pub async fn own_link(&self, here: &Here, by: &SignedIn) -> Result<Option<Link>> {
        self.link_of(here, by.account).await
    }

    pub(crate) async fn link_of(&self, here: &Here, account: i64) -> Result<Option<Link>> {
        let Some(client) = &self.provider else {
            return Ok(None);
        };
        let (id, issuer) = (here.id, client.provider().issuer.clone());
        let found = self
            .store
            .look_up(move |conn| sign_in::link_of(conn, id, &issuer, account));
        Ok(found.await?)
    }

    /// Ends what the account of who is signed in is linked to, and its other sessions.
    pub async fn unlink_own(&self, here: &Here, by: &SignedIn, token: &str) -> Result<()> {
        let (id, account, stays, now) = (here.id, by.account, token_hash(token), self.clock.now());
        let (doer, login) = (crate::admin::doer(&by.actor), by.login.clone());
        self.store
            .write(move |tx| {
                sign_in::unlink(tx, id, account)?;
                stored::end_other_sessions(tx, id, account, &stays)?;
                admin::note(tx, id, &doer, Deed::AccountUnlinked, &login, "", now)
            })
            .await?;
        tracing::info!(account, "an account was unlinked by its holder");
        Ok(())
    }

    /// Says by which name the provider knows the holder of an account that is a member of staff's to keep.
    pub async fn link_kept(&self, here: &Here, by: &SignedIn, account: i64, name: &str) -> Result<()> {
        let link = self.awaiting(account, name)?;
        let issuer = self.client_of_provider()?.provider().issuer.clone();
        let id = here.id;
        self.change_kept(here, by, account, Deed::AccountLinked, move |tx, _| {
            sign_in::link(tx, id, &issuer, &link)
        })
        .await?;
        Ok(())
    }

    /// Ends what an account that is a member of staff's to keep is linked to, and its sessions.
    pub async fn unlink_kept(&self, here: &Here, by: &SignedIn, account: i64) -> Result<()> {
        let id = here.id;
        self.change_kept(here, by, account, Deed::AccountUnlinked, move |tx, _| {
            sign_in::unlink(tx, id, account)?;
            stored::end_all_sessions(tx, id, account)
        })
        .await?;
        Ok(())
    }

    /// The ways to sign in of an account that is a member of staff's to keep and not their own.
    pub async fn kept_ways(&self, here: &Here, by: &SignedIn, account: i64) -> Result<Ways> {
        if !rights::may_administer(&by.actor, &here.place) {
            return Err(Error::Forbidden);
        }
        let id = here.id;
        let issuer = self
            .provider
            .as_ref()
            .map(|client| client.provider().issuer.clone());
        let found = self.store.read(move |conn| -> whistle_store::Result<_> {
            let Some(found) = stored::by_id(conn, id, account)? else {
                return Ok(None);
            };
            let link = issuer.map(|issuer| sign_in::link_of(conn, id, &issuer, account));
            let ways = Ways {
                login: found.login,
                link: link.transpose()?.flatten(),
                passkeys: passkey::count(conn, id, account)?,
            };
            Ok(Some((ways, stored::posts(conn, id, account)?)))
        });
        let kept = found
            .await?
            .filter(|(_, posts)| rights::may_keep_account(&by.actor, &here.place, posts));
        match kept {
            Some((ways, _)) if account != by.account => Ok(ways),
            _ => Err(Error::not_found("account", account)),
        }
    }

    /// Says by which name the provider knows the holder of an account.
    pub fn link_user(&self, here: &Here, login: &str, name: &str) -> Result<()> {
        let issuer = self.client_of_provider()?.provider().issuer.clone();
        let mut link = self.awaiting(0, name)?;
        let account = self.account_of(here.id, login)?;
        link.account = account.id;
        let (id, now) = (here.id, self.clock.now());
        self.store
            .write_blocking(move |tx| {
                sign_in::link(tx, id, &issuer, &link)?;
                let (by, deed) = (Doer::Operator, Deed::AccountLinked);
                admin::note(tx, id, &by, deed, &account.login, "", now)
            })
            .map_err(taken)
    }

    /// Ends what an account is linked to, and its sessions.
    pub fn unlink_user(&self, here: &Here, login: &str) -> Result<()> {
        let (id, account, now) = (here.id, self.account_of(here.id, login)?, self.clock.now());
        Ok(self.store.write_blocking(move |tx| {
            sign_in::unlink(tx, id, account.id)?;
            stored::end_all_sessions(tx, id, account.id)?;
            let (by, deed) = (Doer::Operator, Deed::AccountUnlinked);
            admin::note(tx, id, &by, deed, &account.login, "", now)
        })?)
    }

    fn account_of(&self, id: JurisdictionId, login: &str) -> Result<stored::Account> {
        let login = login.trim().to_lowercase();
        let found = self
            .store
            .read_blocking(|conn| stored::by_login(conn, id, &login))?;
        found.ok_or_else(|| Error::not_found("account", login))
    }

    /// A link that waits for somebody of a name.
    fn awaiting(&self, account: i64, name: &str) -> Result<Link> {
        let name = name.trim().to_lowercase();
        let fits = (1..=MAX_NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        if !fits {
            return Err(Error::invalid(
                "name",
                format!("write what the sign-in service calls them, 1 to {MAX_NAME} letters"),
            ));
        }
        Ok(Link {
            account,
            subject: None,
            name,
            created_at: self.clock.now(),
            used_at: None,
        })
    }

    // ---- steps ----------------------------------------------------------------------------------------------------

    /// Begins a step that an answer with `key` ends. Answers what the browser keeps: what it kept already, if it is ours.
    pub(crate) async fn begin_step(
        &self,
        here: &Here,
        (key, kind): (&str, &'static str),
        browser: Option<&str>,
        held: String,
    ) -> Result<String> {
        let browser = browser
            .filter(|token| token.len() == self.drawn().len())
            .map_or_else(|| self.drawn(), str::to_owned);
        let step = Step {
            hash: token_hash(key),
            browser: token_hash(&browser),
            kind,
            held,
            expires_at: self.clock.now() + STEP_LASTS,
        };
        let id = here.id;
        self.store.write(move |tx| sign_in::begin(tx, id, &step)).await?;
        Ok(browser)
    }

    /// Takes the answer to a step: once, in time, in the browser that began it.
    pub(crate) async fn take_step(
        &self,
        here: &Here,
        (key, kind): (&str, &'static str),
        browser: &str,
    ) -> Result<String> {
        let (id, now) = (here.id, self.clock.now());
        let (hash, browser) = (token_hash(key), token_hash(browser));
        let taken = self
            .store
            .write(move |tx| sign_in::take(tx, id, (&hash, &browser, kind), now));
        match taken.await? {
            Taken::Now(held) => Ok(held),
            Taken::Before => Err(StepFault::Before.into()),
            Taken::TooLate => Err(StepFault::TooLate.into()),
            Taken::Unknown => Err(StepFault::Unknown.into()),
        }
    }

    /// 256 bits that nobody guesses.
    pub(crate) fn drawn(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.chance.bytes::<32>())
    }
}

impl Held {
    fn way<'a>(&'a self, state: &'a str) -> Way<'a> {
        Way {
            back: &self.back,
            state,
            nonce: &self.nonce,
            verifier: &self.verifier,
        }
    }

    fn written(&self) -> String {
        serde_json::to_string(self).expect("it has string keys only")
    }
}

/// Of a link's errors the one that says that somebody else has it.
pub(crate) fn taken(error: whistle_store::Error) -> Error {
    if stored::is_taken(&error) {
        Fault::Taken.into()
    } else {
        error.into()
    }
}
