//! Accounts: added, signed in, signed out; and the API keys of other systems.

use std::{net::IpAddr, sync::LazyLock, time::Duration};

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use whistle_domain::{
    case::Actor,
    place::Post,
    words::{PostCode, UnitCode},
};
use whistle_store::{account as stored, case::Hash};

use crate::{
    Whistle,
    error::{Error, Result},
    place::Here,
};

pub use whistle_store::account::Key;

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

/// The fewest letters of a password (NIST SP 800-63B: at least 8; more where there is no second factor).
const MIN_PASSWORD: usize = 10;

/// The most letters of a password: long enough for a sentence, short enough to hash.
const MAX_PASSWORD: usize = 200;

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
        let password = hash_password(password)?;
        let (id, now, posts) = (here.id, self.clock.now(), posts.to_vec());
        let taken = format!("{login:?} is taken; choose another name");
        self.store
            .write_blocking(move |tx| stored::add(tx, id, &login, &password, &posts, now))
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
        let (id, login, password) = (here.id, login.trim().to_lowercase(), hash_password(password)?);
        let wanted = login.clone();
        let known = self
            .store
            .write_blocking(move |tx| stored::set_password(tx, id, &login, &password))?;
        if known {
            Ok(())
        } else {
            Err(Error::not_found("account", wanted))
        }
    }

    /// Disables an account and ends its sessions.
    pub fn disable_user(&self, here: &Here, login: &str) -> Result<()> {
        let (id, login, now) = (here.id, login.trim().to_lowercase(), self.clock.now());
        let wanted = login.clone();
        let known = self
            .store
            .write_blocking(move |tx| stored::disable(tx, id, &login, now))?;
        if known {
            Ok(())
        } else {
            Err(Error::not_found("account", wanted))
        }
    }

    /// The logins with the posts they hold.
    pub fn holders(&self, here: &Here) -> Result<Vec<(String, PostCode)>> {
        Ok(self.store.read_blocking(|conn| stored::holders(conn, here.id))?)
    }

    /// Signs in from a network address and answers the token for the cookie. Takes the same time whether the name is known or
    /// not; runs the hash on a thread where it may take its time. Those whose address is not known count as one.
    pub async fn sign_in(
        &self,
        here: &Here,
        login: &str,
        password: String,
        from: Option<IpAddr>,
    ) -> Result<String> {
        let id = here.id;
        let login = login.trim().to_lowercase();
        let tried = Tried::new(&login, from);
        self.count_try(here, tried).await?;
        let found = self
            .store
            .look_up(move |conn| stored::by_login(conn, id, &login))
            .await?;
        let known = found.is_some();
        let hash = found
            .as_ref()
            .map_or_else(|| NOBODY.clone(), |account| account.password.clone());
        let turn = self.hashing.clone().acquire_owned().await;
        let fits = tokio::task::spawn_blocking(move || {
            // Held to the end, also when who asked has gone.
            let _turn = turn;
            password.chars().count() <= MAX_PASSWORD && is_password(&password, &hash)
        });
        let fits = fits.await.unwrap_or(false);
        let account = found
            .filter(|a| known && fits && !a.disabled)
            .ok_or(Error::BadPassword)?;
        let posts = self
            .store
            .look_up(move |conn| stored::posts(conn, id, account.id))
            .await?;
        let post = posts
            .into_iter()
            .find(|p| here.place.post(p.as_str()).is_some())
            .ok_or(Error::BadPassword)?;
        let token = URL_SAFE_NO_PAD.encode(self.chance.bytes::<32>());
        let (hash, now) = (token_hash(&token), self.clock.now());
        self.store
            .write(move |tx| {
                stored::forget_tries(tx, id, &tried.from_here)?;
                stored::take_back_try(tx, id, &tried.from_anywhere)?;
                stored::open_session(tx, id, &hash, account.id, &post, now, now + SESSION_LASTS)
            })
            .await?;
        Ok(token)
    }

    /// Counts a try to sign in before it is looked at, so that no two processes give the last one away. One that is refused
    /// for its address does not count against the name: else one address could lock it for all.
    async fn count_try(&self, here: &Here, tried: Tried) -> Result<()> {
        let (id, now) = (here.id, self.clock.now());
        let refused_since = self
            .store
            .write(move |tx| -> whistle_store::Result<_> {
                for (what, most) in [(&tried.from_here, TRIES), (&tried.from_anywhere, TRIES_OF_ALL)] {
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

    /// Who a token belongs to.
    pub async fn signed_in(&self, here: &Here, token: &str) -> Result<SignedIn> {
        let (id, hash, now) = (here.id, token_hash(token), self.clock.now());
        let found = self
            .store
            .look_up(move |conn| stored::session(conn, id, &hash, now))
            .await?;
        let session = found.ok_or(Error::SignedOut)?;
        let post = here
            .place
            .post(session.post.as_str())
            .ok_or(Error::SignedOut)?
            .clone();
        let actor = actor_of(&post, session.account);
        let posts = session
            .posts
            .into_iter()
            .filter(|p| here.place.post(p.as_str()).is_some())
            .collect();
        Ok(SignedIn {
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

    /// Ends a session.
    pub async fn sign_out(&self, here: &Here, token: &str) -> Result<()> {
        let (id, hash) = (here.id, token_hash(token));
        Ok(self
            .store
            .write(move |tx| stored::close_session(tx, id, &hash))
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

    /// Makes an API key and answers it; it is shown this once only.
    pub fn add_key(&self, here: &Here, name: &str, expires_at: Option<Timestamp>) -> Result<String> {
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 100 {
            return Err(Error::invalid(
                "name",
                "say in 1 to 100 letters which system uses the key",
            ));
        }
        let key = format!("whk_{}", URL_SAFE_NO_PAD.encode(self.chance.bytes::<24>()));
        let (id, hash, now) = (here.id, token_hash(&key), self.clock.now());
        self.store
            .write_blocking(move |tx| stored::add_key(tx, id, &hash, &name, now, expires_at))?;
        Ok(key)
    }

    /// All API keys, without the keys.
    pub fn keys(&self, here: &Here) -> Result<Vec<Key>> {
        Ok(self.store.read_blocking(|conn| stored::keys(conn, here.id))?)
    }

    /// Revokes an API key.
    pub fn revoke_key(&self, here: &Here, key: i64) -> Result<()> {
        let (id, now) = (here.id, self.clock.now());
        let known = self
            .store
            .write_blocking(move |tx| stored::revoke_key(tx, id, key, now))?;
        if known {
            Ok(())
        } else {
            Err(Error::not_found("key", key))
        }
    }

    /// The client that a key belongs to.
    pub async fn client(&self, here: &Here, key: &str) -> Result<Actor> {
        let (id, hash, now) = (here.id, token_hash(key), self.clock.now());
        let running = self.clock.running();
        let good = || {
            self.keys
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        };
        if let Some((key, until)) = good().get(&(id, hash))
            && running < *until
        {
            return Ok(Actor::Client { key: *key });
        }
        let found = self
            .store
            .look_up(move |conn| stored::key(conn, id, &hash, now))
            .await?;
        let key = found.ok_or(Error::BadKey("the api_key is unknown, revoked or over"))?;
        let mut good = good();
        if good.len() >= KEYS_REMEMBERED {
            good.clear();
        }
        good.insert((id, hash), (key, running + KEY_REMEMBERED));
        Ok(Actor::Client { key })
    }

    /// Who reports: the client of a key; without one the public, where the place allows that.
    pub async fn reporter(&self, here: &Here, key: Option<&str>) -> Result<Actor> {
        match key.filter(|k| !k.is_empty()) {
            Some(key) => self.client(here, key).await,
            None if here.place.jurisdiction.settings.anonymous_reports => Ok(Actor::Public),
            None => Err(Error::BadKey(
                "an api_key is needed to report here; ask the place for one",
            )),
        }
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

/// What tries to sign in are counted by.
#[derive(Clone, Copy)]
struct Tried {
    /// The name and the network address.
    from_here: Hash,
    /// The name alone.
    from_anywhere: Hash,
}

impl Tried {
    fn new(login: &str, from: Option<IpAddr>) -> Self {
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

/// What is compared when nobody has the name, so that the answer takes as long.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash_password("nobody has this password").unwrap_or_default());

fn token_hash(token: &str) -> Hash {
    *blake3::hash(token.as_bytes()).as_bytes()
}

fn hash_password(password: &str) -> Result<String> {
    let letters = password.chars().count();
    if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&letters) {
        return Err(Error::invalid(
            "password",
            format!("choose one of {MIN_PASSWORD} to {MAX_PASSWORD} letters; a short sentence is good"),
        ));
    }
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| Error::invalid("password", error.to_string()))?;
    Ok(hash.to_string())
}

fn is_password(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}
