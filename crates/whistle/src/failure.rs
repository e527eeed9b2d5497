//! How a command fails: a sentence for people, an exit code for scripts.

use std::{path::Path, process::ExitCode};

use whistle_service::Error;

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command did not do what it was asked, or that it found something.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line or the configuration is wrong: exit code 2.
    Usage(String),
    /// It was refused or did not work: exit code 1.
    Refused(String),
    /// It may work later, and whoever called should try again: exit code 75, which mail servers know.
    Later(String),
    /// It worked and found faults, which are printed already: exit code 1.
    Found(String),
}

impl Failure {
    pub(crate) fn io(what: &Path, mend: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.display().to_string();
        move |error| Self::Refused(format!("{what}: {error}; {mend}"))
    }

    /// Says why, and answers the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let (Self::Usage(why) | Self::Refused(why) | Self::Later(why) | Self::Found(why)) = self;
        eprintln!("error: {why}");
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Later(_) => ExitCode::from(75),
            Self::Refused(_) | Self::Found(_) => ExitCode::from(1),
        }
    }
}

/// The service's errors speak to whoever asks over HTTP as well; here they name flags and commands.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let why = match error {
            Error::WhichJurisdiction(codes) => {
                let which = format!(
                    "several jurisdictions are served; name one with --jurisdiction: {}",
                    codes.join(", ")
                );
                return Self::Usage(which);
            }
            Error::NotFound {
                what: "jurisdiction",
                id,
            } if id.is_empty() => "no place is in force; apply one with `whistle apply DIR`".to_owned(),
            Error::NotFound { what: "post", id } => {
                format!("there is no post {id:?} here; the place's posts.csv lists them all")
            }
            Error::NotFound { what: "account", id } => {
                format!("there is no account {id:?} here; `whistle user list` shows them all")
            }
            Error::NotFound { what: "key", id } => {
                format!("there is no key {id} in force here; `whistle key list` shows them all")
            }
            Error::NotFound { what: "webhook", id } => {
                format!("there is no webhook {id} here; `whistle webhook list` shows them all")
            }
            Error::NotFound { what: "push", .. } => "push is not on here; see `whistle push on`".to_owned(),
            Error::NotFound { what: "provider", .. } => {
                "no provider of sign-ins is set up; set oidc_issuer, oidc_client_id and oidc_client_secret"
                    .to_owned()
            }
            Error::Store(error) => error.to_string(),
            Error::Faults(faults) => format!("a place cannot be read:\n{faults}"),
            other => other.to_string(),
        };
        Self::Refused(why)
    }
}
