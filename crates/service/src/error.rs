//! What can go wrong in a use case: one enum, each with a stable word for machines.

use std::time::Duration;

use whistle_domain::{command::Refusal, rights::Scope, whistle::command as whistle};
use whistle_place::Faults;

use crate::{media::BadPhoto, provider};

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a use case did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule of the place or the case says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A rule of whistles says no.
    #[error(transparent)]
    Whistle(#[from] whistle::Refusal),
    /// There is no such thing, or the asker may not know of it.
    #[error("there is no {what} {id:?} here")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// By what.
        id: String,
    },
    /// Several jurisdictions are served; the asker must name one.
    #[error("name the jurisdiction: jurisdiction_id is one of {}", .0.join(", "))]
    WhichJurisdiction(Vec<String>),
    /// The API key is missing or not good.
    #[error("{0}")]
    BadKey(&'static str),
    /// The API key is good, but not for this.
    #[error("this API key may not do that: it lacks the scope {:?}; ask the place for a key that has it", .0.as_str())]
    MissingScope(Scope),
    /// Nobody is signed in, or the session is over.
    #[error("sign in first")]
    SignedOut,
    /// The login and password do not fit. Does not say which.
    #[error("this name and password do not fit together")]
    BadPassword,
    /// The code of the second step is not right, or was used before. Does not say which.
    #[error("this code is not right or was used before; wait for the next one")]
    BadCode,
    /// The name and the password are right, and a code is still needed.
    #[error("this account has a second factor; send the code of its app as well")]
    CodeNeeded,
    /// The account must have a second factor and has none yet.
    #[error("this post needs a second factor; sign in on the staff pages and set one up")]
    MustEnrol,
    /// The account has a password that somebody else chose, and must have its own first.
    #[error("an administrator set this password; sign in on the staff pages and choose your own")]
    MustChangePassword,
    /// The new password is the old one.
    #[error("password: this is the one until now; choose another")]
    SamePassword,
    /// The password is right, but this account shows its passkey.
    #[error("this post needs more than a password, and this account has a passkey; sign in with that")]
    PasskeyNeeded,
    /// The passkey is not one of an account here, or its answer is not good. Does not say which.
    #[error("this passkey is not known here, or its answer is not good")]
    BadPasskey,
    /// What is asked for needs a session that was opened just now.
    #[error("sign in again first: ways to sign in are added soon after signing in")]
    SignInAgain,
    /// The provider signed nobody in.
    #[error(transparent)]
    Provider(#[from] provider::Fault),
    /// The answer to a step of signing in was not taken.
    #[error(transparent)]
    Step(#[from] provider::StepFault),
    /// The password is one that everybody tries first.
    #[error("password: this one is in a list of stolen passwords; choose another, a short sentence is good")]
    BreachedPassword,
    /// The actor may not look at this.
    #[error("this post may not see that")]
    Forbidden,
    /// A value is not what it must be.
    #[error("{field}: {what}")]
    Invalid {
        /// Which one.
        field: &'static str,
        /// What is wrong and what would be right.
        what: String,
    },
    /// What was sent as a photo cannot be kept, or put into a case.
    #[error("photo: {0}")]
    BadPhoto(BadPhoto),
    /// The idempotency key was used for another request.
    #[error("this Idempotency-Key came with another body before; use a new key for a new report")]
    KeyReused,
    /// The place folder has faults; nothing was applied.
    #[error("the place folder has {} faults", .0.errors())]
    Faults(Faults),
    /// Too many tries to sign in with this name, from one address or from all.
    #[error("too many tries to sign in with this name; try again in {} s", .0.as_secs().max(1))]
    TooManyTries(Duration),
    /// There is no room for what should be kept; nothing of it was.
    #[error("the server has no room left; nothing was kept, tell the operator")]
    Full,
    /// Too much at once.
    #[error("too many requests at once; try again in {} s", .0.as_secs())]
    Busy(Duration),
    /// The store failed.
    #[error("the store failed: {0}")]
    Store(whistle_store::Error),
    /// A file or the object store failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// Fails with [`Error::Forbidden`] where somebody may not.
pub(crate) fn allowed(may: bool) -> Result<()> {
    may.then_some(()).ok_or(Error::Forbidden)
}

impl Error {
    /// The stable word for machines.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.word(),
            Self::Whistle(refusal) => refusal.word(),
            Self::NotFound { .. } => "not_found",
            Self::WhichJurisdiction(_) => "which_jurisdiction",
            Self::BadKey(_) => "bad_key",
            Self::MissingScope(_) => "missing_scope",
            Self::SignedOut => "signed_out",
            Self::BadPassword => "bad_password",
            Self::BadCode => "bad_code",
            Self::CodeNeeded => "code_needed",
            Self::MustEnrol => "must_enrol",
            Self::MustChangePassword => "must_change_password",
            Self::SamePassword => "same_password",
            Self::PasskeyNeeded => "passkey_needed",
            Self::BadPasskey => "bad_passkey",
            Self::SignInAgain => "sign_in_again",
            Self::Provider(fault) => fault.word(),
            Self::Step(fault) => fault.word(),
            Self::BreachedPassword => "breached_password",
            Self::Forbidden => "forbidden",
            Self::BadPhoto(BadPhoto::Gone) => "photo_gone",
            Self::Invalid { .. } | Self::BadPhoto(_) => "invalid",
            Self::KeyReused => "key_reused",
            Self::Faults(_) => "faults",
            Self::TooManyTries(_) => "too_many_tries",
            Self::Full => "full",
            Self::Busy(_) => "busy",
            Self::Store(_) | Self::Io { .. } => "internal",
        }
    }

    pub(crate) fn invalid(field: &'static str, what: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            what: what.into(),
        }
    }

    pub(crate) fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound {
            what,
            id: id.to_string(),
        }
    }

    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

impl From<whistle_store::Error> for Error {
    fn from(error: whistle_store::Error) -> Self {
        if matches!(error, whistle_store::Error::Nul) {
            return Self::invalid("text", "the character U+0000 cannot be kept; leave it out");
        }
        if matches!(error, whistle_store::Error::PhotoGone { .. }) {
            return BadPhoto::Gone.into();
        }
        if matches!(error, whistle_store::Error::DiskFull) {
            tracing::error!(%error, "a command was not written");
            return Self::Full;
        }
        match error.retry_after() {
            Some(wait) => {
                if !matches!(error, whistle_store::Error::Busy { .. }) {
                    tracing::error!(%error, "the database did not answer");
                }
                Self::Busy(wait)
            }
            None => Self::Store(error),
        }
    }
}
