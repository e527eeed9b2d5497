//! `whistle secret`: the key by which contact data is sealed and pick-up codes are made.

use clap::{Args, Subcommand};
use whistle_service::secret;

use super::ensure_taken;
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

#[derive(Debug, Args)]
pub(super) struct Secret {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a new key and seal with it what is sealed; the codes that reporters have stay good
    #[command(
        after_help = "With all servers stopped. Stopped itself, it goes on when it is run again. Make a backup afterwards: the \
        ones before have the old key only.\n\
        Example: systemctl stop whistle && whistle secret rotate --data /var/lib/whistle && systemctl start whistle"
    )]
    Rotate {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give up all keys before the one in force, with what was given out under those, and all recovery codes
    #[command(
        after_help = "For a key that came into wrong hands: who has it can compute these codes.\n\
        Example: whistle secret forget --data /var/lib/whistle"
    )]
    Forget,
    /// Use another key from now on, where that of the database is lost for good
    #[command(
        after_help = "With all servers stopped. What the lost key sealed stays lost: contact data, webhooks, second factors; and codes of \
        reporters open nothing any more.\n\
        Example: whistle secret adopt --data /var/lib/whistle"
    )]
    Adopt,
}

impl Secret {
    pub(super) fn run(self, config: &Config) -> Result<()> {
        ensure_taken(&config.site)?;
        match self.action {
            Action::Rotate { json } => {
                let done = secret::rotate(&config.site)?;
                if json {
                    output::json(&done);
                } else {
                    let what = match (done.new_key, config.site.key.is_some()) {
                        (true, _) => "a new key is in force",
                        (false, true) => "the first of the given keys is in force",
                        (false, false) => "an earlier rotation is finished",
                    };
                    output::line(format!(
                        "{what}; sealed anew: {}",
                        output::count(done.sealed, "secret", "secrets")
                    ));
                }
                if done.lost > 0 {
                    return Err(Failure::Found(format!(
                        "{} opened by no key of this install, of contact data, devices, webhooks, push or second factors; if you have an older secret.key, append it to \
                         the one that is there and run this again",
                        output::count(done.lost, "secret is", "secrets are")
                    )));
                }
            }
            Action::Adopt => {
                let what = if secret::adopt(&config.site)? {
                    "the key that is here is that of the database from now on; set up webhooks and second factors again"
                } else {
                    "the key that is here is that of the database already"
                };
                output::line(what);
            }
            Action::Forget => {
                let earlier = secret::forget(&config.site)?;
                output::line(format!(
                    "{} given up",
                    output::count(earlier as u64, "earlier key is", "earlier keys are")
                ));
            }
        }
        Ok(())
    }
}
