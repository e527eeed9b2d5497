//! Accounts: added, signed in, signed out, kept by administrators; their sessions; and the API keys of other systems.

use std::{net::IpAddr, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp, civil::Date};
use whistle_domain::{
    case::Actor,
    place::Post,
    rights::{self, Scope},
    words::{PostCode, UnitCode},
};
use whistle_store::{
    Tx, account as stored,
    admin::{self, Deed, Doer},
    case::Hash,
    push, second_factor as factors,
};

use crate::{
    Whistle,
    admin::doer,
    error::{Error, Result, allowed},
    password,
    place::Here,
    provider::taken,
    second_factor::take_off,
};

pub use whistle_store::account::{Change, Key, Listed};

/// How long a session lasts: a shift and some.
pub(crate) const SESSION_LASTS: SignedDuration = SignedDuration::from_hours(12);

/// How long a good API key is not looked up again: within this time a revoked one is refused by every process.
const KEY_REMEMBERED: Duration = Duration::from_secs(1);

/// How many good keys are remembered.
const KEYS_REMEMBERED: usize = 1_000;

/// Tries to sign in with one name from one network address within [`TRIES_WINDOW`], by all processes together: a person who
/// mistypes is far below, a machine soon above. Who knows a name locks only their own address out of it.
const TRIES: u32 = 20;

/// The same from all addresses together: more than one address can use up, and still no way to guess a password.
const TRIES_OF_ALL: u32 = 10 * TRIES;

/// How long tries to sign in count.
pub(crate) const TRIES_WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// How many accounts a page lists.
pub const ACCOUNTS_AT_ONCE: usize = 100;

/// How often the use of a session is noted: often enough to tell a forgotten one, seldom enough to cost nothing.
const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// How long after signing in a way to sign in can be added: a session that somebody else got hold of later makes no way in
/// that outlasts it.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// An open session of one's own.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// By which it is ended.
    pub id: String,
    /// The post it acts for.
    pub post: PostCode,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, to within [`SEEN_EVERY`].
    pub seen_at: Timestamp,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// One change of the keys, in one transaction with what the acts say of it.
type KeyChange = Box<dyn Fn(&mut Tx<'_>) -> Result<()> + Send>;

fn may_keep_keys(here: &Here, by: &Actor) -> Result<()> {
    allowed(rights::may_keep_keys(by, &here.place))
}

/// The moment at which the last day of a key is over in the place.
pub fn end_of(day: Date, here: &Here, now: Timestamp) -> Result<Timestamp> {
    let end = day
        .tomorrow()
        .and_then(|next| here.place.calendar.zone().to_timestamp(next.at(0, 0, 0, 0)))
        .map_err(|_| Error::invalid("expires", "is too far away; write a date such as 2027-12-31"))?;
    if end > now {
        Ok(end)
    } else {
        Err(Error::invalid("expires", "is over already; name a day to come"))
    }
}

/// Who is signed in, and for which post they act.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The account's number.
    pub account: i64,
    /// The name it signed in with.
    pub login: String,
    /// The post it acts for.
    pub post: Post,
    /// The same as an actor.
    pub actor: Actor,
    /// All posts it holds.
    pub posts: Vec<PostCode>,
    /// Whether it must choose itself a password before anything else.
    pub must_change_password: bool,
    /// Whether it must get itself a second factor before anything else.
    pub must_enrol: bool,
    /// When the session was opened.
    pub opened_at: Timestamp,
}

/// What comes of a name and a password that fit.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// The token for the cookie.
    Done(String),
    /// A code is still needed: what to send along with it to [`Whistle::sign_in_with_code`].
    HalfWay(String),
}

/// Another system, by its key.
#[derive(Debug, Clone)]
pub struct Client {
    key: i64,
    scopes: Vec<Scope>,
}

impl Client {
    /// The system as an actor, if its key may do what it is about to.
    pub fn actor(&self, wanted: Scope) -> Result<Actor> {
        if self.scopes.contains(&wanted) {
            Ok(Actor::Client { key: self.key })
        } else {
            Err(Error::MissingScope(wanted))
        }
    }
}

impl Whistle {
    /// Adds an account that holds posts.
    pub fn add_user(&self, here: &Here, login: &str, password: &str, posts: &[PostCode]) -> Result<i64> {
        let login = login.trim().to_lowercase();
        let fits = (1..=64).contains(&login.chars().count())
            && login
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@'));
        if !fits {
            return Err(Error::invalid(
                "name",
                "write 1 to 64 letters, digits, '.', '-', '_' or '@'",
            ));
        }
        for post in posts {
            here.place
                .post(post.as_str())
                .ok_or_else(|| Error::not_found("post", post))?;
        }
        let password = self.new_password(password)?;
        let (id, now, posts) = (here.id, self.clock.now(), posts.to_vec());
        let taken = format!("{login:?} is taken; choose another name");
        self.store
            .write_blocking(move |tx| {
                let account = stored::add(tx, id, &login, &password, &posts, now)?;
                let held: Vec<&str> = posts.iter().map(PostCode::as_str).collect();
                let (by, deed) = (Doer::Operator, Deed::AccountAdded);
                admin::note(tx, id, &by, deed, &login, &held.join(" "), now)?;
                Ok(account)
            })
            .map_err(|error| {
                if stored::is_taken(&error) {
                    Error::invalid("name", taken)
                } else {
                    error.into()
                }
            })
    }

    /// Sets a new password and ends the account's sessions.
    pub fn set_password(&self, here: &Here, login: &str, password: &str) -> Result<()> {
        let (id, login, password) = (here.id, login.trim().to_lowercase(), self.new_password(password)?);
        let (wanted, now) = (login.clone(), self.clock.now());
        let known = self.store.write_blocking(move |tx| -> whistle_store::Result<_> {
            let known = stored::set_password(tx, id, &login, &password)?;
            if known {
                admin::note(tx, id, &Doer::Operator, Deed::PasswordReset, &login, "", now)?;
            }
            Ok(known)
        })?;
        if known {
            Ok(())
        } else {
            Err(Error::not_found("account", wanted))
        }
    }

    /// Disables an account and ends its sessions, or lets it sign in again, or ends its sessions alone.
    pub fn change_user(&self, here: &Here, login: &str, change: Change) -> Result<()> {
        let (id, login, now) = (here.id, login.trim().to_lowercase(), self.clock.now());
        let wanted = login.clone();
        let known = self.store.write_blocking(move |tx| -> whistle_store::Result<_> {
            let known = stored::change(tx, id, &login, change, now)?;
            if known {
                admin::note(tx, id, &Doer::Operator, deed_of(change), &login, "", now)?;
            }
            Ok(known)
        })?;
        if known {
            Ok(())
        } else {
            Err(Error::not_found("account", wanted))
        }
    }

    /// The same by a member of staff, for an account that is theirs to keep and not their own.
    pub async fn keep_account(&self, here: &Here, by: &SignedIn, account: i64, change: Change) -> Result<()> {
        let (id, now) = (here.id, self.clock.now());
        self.change_kept(here, by, account, deed_of(change), move |tx, kept| {
            stored::change(tx, id, &kept.login, change, now)?;
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// Gives such an account a new password, by which its holder gets no further than to choose their own, and ends its sessions.
    /// Answers the name it signs in with and the password, which is kept nowhere.
    pub async fn reset_password(&self, here: &Here, by: &SignedIn, account: i64) -> Result<(String, String)> {
        if !rights::may_administer(&by.actor, &here.place) {
            return Err(Error::Forbidden);
        }
        let id = here.id;
        let (whistle, password) = (self.clone(), password::readable(&self.chance));
        let plain = password.clone();
        let hash = self.hashing(move || Some(whistle.new_password(&plain))).await;
        let hash = password::once(&hash.unwrap_or(Err(Error::BadPassword))?);
        let login = self.change_kept(here, by, account, Deed::PasswordReset, move |tx, kept| {
            stored::set_password(tx, id, &kept.login, &hash)?;
            Ok(())
        });
        Ok((login.await?, password))
    }

    /// Takes the second factor off such an account whose holder lost it, and ends its sessions. Answers the name it signs in with.
    pub async fn reset_kept_second_factor(&self, here: &Here, by: &SignedIn, account: i64) -> Result<String> {
        let (id, now) = (here.id, self.clock.now());
        self.change_kept(here, by, account, Deed::SecondFactorReset, move |tx, kept| {
            take_off(tx, id, kept, now)
        })
        .await
    }

    /// Changes an account that is a member of staff's to keep and not their own. Answers the name it signs in with.
    pub(crate) async fn change_kept(
        &self,
        here: &Here,
        by: &SignedIn,
        account: i64,
        deed: Deed,
        change: impl Fn(&mut Tx<'_>, &stored::Account) -> whistle_store::Result<()> + Send + 'static,
    ) -> Result<String> {
        if !rights::may_administer(&by.actor, &here.place) {
            return Err(Error::Forbidden);
        }
        if account == by.account {
            return Err(Error::invalid(
                "account",
                "ask another administrator to change your own",
            ));
        }
        let (id, now, doer) = (here.id, self.clock.now(), crate::admin::doer(&by.actor));
        let (actor, place) = (by.actor.clone(), here.place.clone());
        let lets_in = matches!(
            deed,
            Deed::PasswordReset | Deed::SecondFactorReset | Deed::AccountLinked
        );
        let changed = self.store.write(move |tx| -> whistle_store::Result<_> {
            let Some(kept) = stored::by_id(tx, id, account)? else {
                return Ok(Changed::NotFound);
            };
            let posts = stored::posts(tx, id, account)?;
            if !rights::may_keep_account(&actor, &place, &posts) {
                return Ok(Changed::NotFound);
            }
            if lets_in && !rights::may_let_in(&actor, &place, &posts) {
                return Ok(Changed::NotLetIn);
            }
            change(tx, &kept)?;
            admin::note(tx, id, &doer, deed, &kept.login, "", now)?;
            Ok(Changed::Account(kept.login))
        });
        let login = match changed.await.map_err(taken)? {
            Changed::Account(login) => login,
            Changed::NotFound => return Err(Error::not_found("account", account)),
            Changed::NotLetIn => {
                let why = "it sees cases that your post does not see; ask the operator to let its holder in";
                return Err(Error::invalid("account", why));
            }
        };
        tracing::info!(
            by = by.account,
            account,
            change = deed.as_str(),
            "an account was changed"
        );
        Ok(login)
    }

    /// The accounts that are a member of staff's to keep, from the one after `after` on, at most [`ACCOUNTS_AT_ONCE`] and
    /// one more if there are.
    pub async fn kept_accounts(&self, here: &Here, by: &SignedIn, after: &str) -> Result<Vec<Listed>> {
        if !rights::may_administer(&by.actor, &here.place) {
            return Err(Error::Forbidden);
        }
        let (id, now) = (here.id, self.clock.now());
        let all = self
            .store
            .read(move |conn| stored::accounts(conn, id, now))
            .await?;
        let kept = all.into_iter().filter(|account| {
            account.login.as_str() > after && rights::may_keep_account(&by.actor, &here.place, &account.posts)
        });
        Ok(kept.take(ACCOUNTS_AT_ONCE + 1).collect())
    }

    /// The logins with the posts they hold.
    pub fn holders(&self, here: &Here) -> Result<Vec<(String, PostCode)>> {
        Ok(self.store.read_blocking(|conn| stored::holders(conn, here.id))?)
    }

    /// Signs in from a network address. Takes the same time whether the name is known or
    /// not; runs the hash on a thread where it may take its time. Those whose address is not known count as one.
    pub async fn sign_in(
        &self,
        here: &Here,
        login: &str,
        password: String,
        from: Option<IpAddr>,
    ) -> Result<SignIn> {
        let id = here.id;
        let login = login.trim().to_lowercase();
        let tried = Tried::new(&login, from);
        self.count_try(here, tried, [TRIES, TRIES_OF_ALL]).await?;
        let found = self
            .store
            .look_up(move |conn| stored::by_login(conn, id, &login))
            .await?;
        let hash = found.as_ref().map(|account| account.password.clone());
        let fits = self
            .hashing(move || password::fits(&password, hash.as_ref().unwrap_or(&password::NOBODY)))
            .await;
        let account = found.filter(|a| fits && !a.disabled).ok_or(Error::BadPassword)?;
        let number = account.id;
        let factor = self
            .store
            .look_up(move |conn| factors::find(conn, id, number))
            .await?;
        if factor.is_some_and(|factor| factor.is_confirmed) {
            return Ok(SignIn::HalfWay(self.half_way(here, &account)));
        }
        if self.demands_passkey(here, number).await? {
            return Err(Error::PasskeyNeeded);
        }
        self.open_session(here, number, Some(tried), false)
            .await
            .map(SignIn::Done)
    }

    /// Opens a session of an account that has shown all it must, and answers its token; the try that led here is forgotten.
    /// `is_strong`: more than a password was shown.
    pub(crate) async fn open_session(
        &self,
        here: &Here,
        account: i64,
        tried: Option<Tried>,
        is_strong: bool,
    ) -> Result<String> {
        let id = here.id;
        let posts = self
            .store
            .look_up(move |conn| stored::posts(conn, id, account))
            .await?;
        let post = posts
            .into_iter()
            .find(|p| here.place.post(p.as_str()).is_some())
            .ok_or(Error::BadPassword)?;
        let token = URL_SAFE_NO_PAD.encode(self.chance.bytes::<32>());
        let now = self.clock.now();
        let session = stored::NewSession {
            token_hash: token_hash(&token),
            account,
            post,
            is_strong,
            expires_at: now + SESSION_LASTS,
        };
        self.store
            .write(move |tx| {
                if let Some(tried) = &tried {
                    stored::forget_tries(tx, id, &tried.from_here)?;
                    stored::take_back_try(tx, id, &tried.from_anywhere)?;
                }
                stored::open_session(tx, id, &session, now)
            })
            .await?;
        Ok(token)
    }

    /// Refuses who signed in too long ago to add a way to sign in.
    pub(crate) fn must_be_fresh(&self, by: &SignedIn) -> Result<()> {
        if self.clock.now().duration_since(by.opened_at) <= FRESH {
            Ok(())
        } else {
            Err(Error::SignInAgain)
        }
    }

    /// Counts a try to sign in before it is looked at, so that no two processes give the last one away. One that is refused
    /// for its address does not count against the name: else one address could lock it for all.
    pub(crate) async fn count_try(&self, here: &Here, tried: Tried, most: [u32; 2]) -> Result<()> {
        let (id, now) = (here.id, self.clock.now());
        let refused_since = self
            .store
            .write(move |tx| -> whistle_store::Result<_> {
                for (what, most) in [(&tried.from_here, most[0]), (&tried.from_anywhere, most[1])] {
                    let (tries, since) = stored::try_sign_in(tx, id, what, now, TRIES_WINDOW)?;
                    if tries > most {
                        return Ok(Some(since));
                    }
                }
                Ok(None)
            })
            .await?;
        let Some(since) = refused_since else {
            return Ok(());
        };
        let wait = (since + TRIES_WINDOW).duration_since(now);
        Err(Error::TooManyTries(wait.try_into().unwrap_or_default()))
    }

    /// Runs a hash on a thread where it may take its time, when it is its turn.
    async fn hashing<T: Default + Send + 'static>(&self, hash: impl FnOnce() -> T + Send + 'static) -> T {
        let turn = self.hashing.clone().acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            // Held to the end, also when who asked has gone.
            let _turn = turn;
            hash()
        });
        done.await.unwrap_or_default()
    }

    /// The hash of a new password, if it is a good one.
    fn new_password(&self, password: &str) -> Result<String> {
        password::new(password, self.site.breached_passwords.as_deref())
    }

    /// Whether who is signed in knows their password: their account, and what the try was counted by.
    pub(crate) async fn check_password(
        &self,
        here: &Here,
        by: &SignedIn,
        password: String,
        from: Option<IpAddr>,
    ) -> Result<(stored::Account, Tried)> {
        let (id, account) = (here.id, by.account);
        let tried = Tried::new(&by.login, from);
        self.count_try(here, tried, [TRIES, TRIES_OF_ALL]).await?;
        let found = self
            .store
            .look_up(move |conn| stored::by_id(conn, id, account))
            .await?
            .ok_or(Error::SignedOut)?;
        let hash = found.password.clone();
        if self.hashing(move || password::fits(&password, &hash)).await {
            Ok((found, tried))
        } else {
            Err(Error::BadPassword)
        }
    }

    /// Sets a new password of who is signed in and knows the old one; ends their other sessions. Tries count like those to sign
    /// in, so that a stolen session does not find the password out.
    pub async fn change_password(
        &self,
        here: &Here,
        by: &SignedIn,
        token: &str,
        (old, new): (String, String),
        from: Option<IpAddr>,
    ) -> Result<()> {
        let (id, account) = (here.id, by.account);
        if old == new {
            return Err(Error::SamePassword);
        }
        let (found, tried) = self.check_password(here, by, old, from).await?;
        let whistle = self.clone();
        let hash = self.hashing(move || Some(whistle.new_password(&new))).await;
        let hash = hash.unwrap_or(Err(Error::BadPassword))?;
        let (stays, now, doer) = (token_hash(token), self.clock.now(), crate::admin::doer(&by.actor));
        let changed = self
            .store
            .write(move |tx| -> whistle_store::Result<_> {
                stored::forget_tries(tx, id, &tried.from_here)?;
                stored::take_back_try(tx, id, &tried.from_anywhere)?;
                let changed = stored::change_password(tx, id, account, (&found.password, &hash), &stays)?;
                if changed {
                    admin::note(tx, id, &doer, Deed::PasswordChanged, &found.login, "", now)?;
                }
                Ok(changed)
            })
            .await?;
        // Somebody else set another one meanwhile.
        if changed { Ok(()) } else { Err(Error::BadPassword) }
    }

    /// The open sessions of who is signed in, the one that was used last first.
    pub async fn own_sessions(&self, here: &Here, by: &SignedIn, token: &str) -> Result<Vec<OpenSession>> {
        let (id, account, now) = (here.id, by.account, self.clock.now());
        let found = self
            .store
            .look_up(move |conn| stored::own_sessions(conn, id, account, now))
            .await?;
        let this = token_hash(token);
        let open = |session: stored::OwnSession| OpenSession {
            id: URL_SAFE_NO_PAD.encode(session.token_hash),
            post: session.post,
            created_at: session.created_at,
            seen_at: session.seen_at,
            is_this: session.token_hash == this,
        };
        Ok(found.into_iter().map(open).collect())
    }

    /// Ends a session of who is signed in, by its id in [`Self::own_sessions`]. One that has ended already is fine.
    pub async fn end_own_session(&self, here: &Here, by: &SignedIn, session: &str) -> Result<()> {
        let hash = URL_SAFE_NO_PAD.decode(session).ok();
        let hash: Hash = hash
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| Error::not_found("session", session))?;
        let (id, account) = (here.id, by.account);
        Ok(self
            .store
            .write(move |tx| stored::close_own_session(tx, id, account, &hash))
            .await?)
    }

    /// Who a token belongs to, if the account has what it must have.
    pub async fn signed_in(&self, here: &Here, token: &str) -> Result<SignedIn> {
        self.signed_in_to_enrol(here, token).await.and_then(let_in)
    }

    /// Who a token belongs to; also of an account that must have a password of its own or a second factor and has none yet, so
    /// that it can get one.
    pub async fn signed_in_to_enrol(&self, here: &Here, token: &str) -> Result<SignedIn> {
        let (session, now) = (self.stored_session(here, token).await?, self.clock.now());
        if now.duration_since(session.seen_at) >= SEEN_EVERY {
            let (id, hash) = (here.id, token_hash(token));
            let seen = self
                .store
                .write(move |tx| stored::see_session(tx, id, &hash, now));
            if let Err(error) = seen.await {
                // The session is good all the same.
                tracing::debug!(%error, "the use of a session was not noted");
            }
        }
        self.holder(here, session)
    }

    /// Who a token belongs to, for what goes on by itself: that it asks is no use of the session.
    pub(crate) async fn session(&self, here: &Here, token: &str) -> Result<SignedIn> {
        let session = self.stored_session(here, token).await?;
        self.holder(here, session).and_then(let_in)
    }

    async fn stored_session(&self, here: &Here, token: &str) -> Result<stored::Session> {
        let (id, hash, now) = (here.id, token_hash(token), self.clock.now());
        let found = self
            .store
            .look_up(move |conn| stored::session(conn, id, &hash, now))
            .await?;
        found.ok_or(Error::SignedOut)
    }

    /// Who a session belongs to, as long as the place has its post.
    fn holder(&self, here: &Here, session: stored::Session) -> Result<SignedIn> {
        let post = here
            .place
            .post(session.post.as_str())
            .ok_or(Error::SignedOut)?
            .clone();
        let actor = actor_of(&post, session.account);
        let posts: Vec<PostCode> = session
            .posts
            .into_iter()
            .filter(|p| here.place.post(p.as_str()).is_some())
            .collect();
        Ok(SignedIn {
            must_change_password: session.password_once,
            must_enrol: !session.second_factor
                && !session.is_strong
                && self.demands_second_factor(here, &posts),
            opened_at: session.created_at,
            account: session.account,
            login: session.login,
            post,
            actor,
            posts,
        })
    }

    /// Lets a session act for another post that its account holds.
    pub async fn change_post(&self, here: &Here, token: &str, post: PostCode) -> Result<()> {
        let (id, hash, wanted) = (here.id, token_hash(token), post.clone());
        let changed = self
            .store
            .write(move |tx| stored::change_post(tx, id, &hash, &post))
            .await?;
        if changed {
            Ok(())
        } else {
            Err(Error::not_found("post", wanted))
        }
    }

    /// Ends a session. `device` is what its browser keeps where it is told by push: nobody is told there any more.
    pub async fn sign_out(&self, here: &Here, token: &str, device: Option<&str>) -> Result<()> {
        let (id, hash, device) = (here.id, token_hash(token), device.map(token_hash));
        Ok(self
            .store
            .write(move |tx| {
                if let Some(device) = &device {
                    push::remove_of_browser(tx, id, device)?;
                }
                stored::close_session(tx, id, &hash)
            })
            .await?)
    }

    /// A random token that nobody guesses: the idempotency key of a form.
    pub fn fresh_token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.chance.bytes::<16>())
    }

    /// The token that forms of a session carry.
    pub fn form_token(&self, session: &str) -> String {
        self.secret.form_token(session)
    }

    /// Whether a form carried the right token.
    pub fn is_form_token(&self, session: &str, token: &str) -> bool {
        self.secret.is_form_token(session, token)
    }

    /// Makes an API key that may do some things, and answers it; it is shown this once only.
    pub fn add_key(
        &self,
        here: &Here,
        name: &str,
        scopes: &[Scope],
        expires_at: Option<Timestamp>,
    ) -> Result<String> {
        let (key, adding) = self.adding_key(here, Doer::Operator, name, scopes, expires_at)?;
        self.store.write_blocking(adding)?;
        Ok(key)
    }

    /// The same, by a post.
    pub async fn add_key_as(
        &self,
        here: &Here,
        by: &Actor,
        name: &str,
        scopes: &[Scope],
        expires_at: Option<Timestamp>,
    ) -> Result<String> {
        may_keep_keys(here, by)?;
        let (key, adding) = self.adding_key(here, doer(by), name, scopes, expires_at)?;
        self.store.write(adding).await?;
        Ok(key)
    }

    fn adding_key(
        &self,
        here: &Here,
        by: Doer,
        name: &str,
        scopes: &[Scope],
        expires_at: Option<Timestamp>,
    ) -> Result<(String, KeyChange)> {
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 100 {
            return Err(Error::invalid(
                "name",
                "say in 1 to 100 letters which system uses the key",
            ));
        }
        let mut scopes = scopes.to_vec();
        scopes.sort();
        scopes.dedup();
        if scopes.is_empty() {
            return Err(Error::invalid("scopes", "say what the key may do"));
        }
        let now = self.clock.now();
        let key = format!("whk_{}", URL_SAFE_NO_PAD.encode(self.chance.bytes::<24>()));
        let (id, hash) = (here.id, token_hash(&key));
        let adding = move |tx: &mut Tx<'_>| -> Result<()> {
            let number = stored::add_key(tx, id, &hash, &name, &scopes, now, expires_at)?;
            let may: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
            let detail = format!("{name}: {}", may.join(" "));
            admin::note(tx, id, &by, Deed::KeyAdded, &number.to_string(), &detail, now)?;
            Ok(())
        };
        Ok((key, Box::new(adding)))
    }

    /// All API keys, without the keys.
    pub fn keys(&self, here: &Here) -> Result<Vec<Key>> {
        Ok(self.store.read_blocking(|conn| stored::keys(conn, here.id))?)
    }

    /// The same, for a post.
    pub async fn keys_for(&self, here: &Here, by: &Actor) -> Result<Vec<Key>> {
        may_keep_keys(here, by)?;
        let id = here.id;
        Ok(self.store.look_up(move |conn| stored::keys(conn, id)).await?)
    }

    /// Revokes an API key.
    pub fn revoke_key(&self, here: &Here, key: i64) -> Result<()> {
        self.store
            .write_blocking(self.revoking(here, Doer::Operator, key))
    }

    /// The same, by a post.
    pub async fn revoke_key_as(&self, here: &Here, by: &Actor, key: i64) -> Result<()> {
        may_keep_keys(here, by)?;
        self.store.write(self.revoking(here, doer(by), key)).await
    }

    fn revoking(&self, here: &Here, by: Doer, key: i64) -> KeyChange {
        let (id, now) = (here.id, self.clock.now());
        Box::new(move |tx| {
            if !stored::revoke_key(tx, id, key, now)? {
                return Err(Error::not_found("key", key));
            }
            admin::note(tx, id, &by, Deed::KeyRevoked, &key.to_string(), "", now)?;
            Ok(())
        })
    }

    /// The client that a key belongs to.
    pub async fn client(&self, here: &Here, key: &str) -> Result<Client> {
        let (id, hash, now) = (here.id, token_hash(key), self.clock.now());
        let running = self.clock.running();
        let good = || {
            self.keys
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        };
        if let Some((client, until)) = good().get(&(id, hash))
            && running < *until
        {
            return Ok(client.clone());
        }
        let found = self
            .store
            .look_up(move |conn| stored::key(conn, id, &hash, now))
            .await?;
        let (key, scopes) = found.ok_or(Error::BadKey("the api_key is unknown, revoked or over"))?;
        let client = Client { key, scopes };
        let mut good = good();
        if good.len() >= KEYS_REMEMBERED {
            good.clear();
        }
        good.insert((id, hash), (client.clone(), running + KEY_REMEMBERED));
        Ok(client)
    }

    /// Who reports: the client of a key; without one the public, where the place allows that.
    pub async fn reporter(&self, here: &Here, key: Option<&str>) -> Result<Actor> {
        match key.filter(|k| !k.is_empty()) {
            Some(key) => self.client(here, key).await?.actor(Scope::Report),
            None if here.place.jurisdiction.settings.anonymous_reports => Ok(Actor::Public),
            None => Err(Error::BadKey(
                "an api_key is needed to report here; ask the place for one",
            )),
        }
    }
}

/// Lets somebody in who has a password of their own, and a second factor where they must.
fn let_in(signed_in: SignedIn) -> Result<SignedIn> {
    if signed_in.must_change_password {
        Err(Error::MustChangePassword)
    } else if signed_in.must_enrol {
        Err(Error::MustEnrol)
    } else {
        Ok(signed_in)
    }
}

/// What a change of an account is called where it is written down.
const fn deed_of(change: Change) -> Deed {
    match change {
        Change::Disable => Deed::AccountDisabled,
        Change::Enable => Deed::AccountEnabled,
        Change::SignOut => Deed::AccountSignedOut,
    }
}

/// A post held by an account, as an actor.
pub fn actor_of(post: &Post, account: i64) -> Actor {
    let unit: UnitCode = post.unit.clone();
    Actor::Post {
        post: post.code.clone(),
        unit,
        account,
    }
}

impl SignIn {
    /// The token, where no code is needed.
    pub fn done(self) -> Result<String> {
        match self {
            Self::Done(token) => Ok(token),
            Self::HalfWay(_) => Err(Error::CodeNeeded),
        }
    }
}

/// What came of a change to an account.
enum Changed {
    /// Done, to the one that signs in with this name.
    Account(String),
    /// There is none, or it is not theirs to keep.
    NotFound,
    /// It would let somebody into more than they see.
    NotLetIn,
}

/// What tries to sign in are counted by.
#[derive(Clone, Copy)]
pub(crate) struct Tried {
    /// The name and the network address.
    pub(crate) from_here: Hash,
    /// The name alone.
    pub(crate) from_anywhere: Hash,
}

impl Tried {
    pub(crate) fn new(login: &str, from: Option<IpAddr>) -> Self {
        let from_anywhere = token_hash(login);
        let address = from.map(|address| address.to_string()).unwrap_or_default();
        let pair = [&from_anywhere, address.as_bytes()].concat();
        Self {
            // In a context of its own, so that no name that anybody types hashes to the pair of another one.
            from_here: blake3::derive_key("whistle 2026 sign-in from an address", &pair),
            from_anywhere,
        }
    }
}

pub(crate) fn token_hash(token: &str) -> Hash {
    *blake3::hash(token.as_bytes()).as_bytes()
}
