//! `whistle user`: staff accounts.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, IsTerminal, Read},
    path::PathBuf,
};

use clap::{Args, Subcommand, ValueHint};
use serde::Serialize;
use whistle_domain::words::PostCode;
use whistle_service::{Whistle, account::Change};

use super::{Which, open};
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

/// The most bytes of a password that is read: far more than is allowed, so that the refusal is the service's.
const MAX_PASSWORD_BYTES: u64 = 4096;

#[derive(Debug, Args)]
pub(super) struct User {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add an account that holds posts
    #[command(
        after_help = "Example: whistle user add mei --post CITY-D --post CITY-L --data /var/lib/whistle"
    )]
    Add {
        /// The name to sign in with
        name: String,
        /// A post that it holds, by its code in posts.csv; may be given several times
        #[arg(long = "post", value_name = "CODE", required = true)]
        posts: Vec<PostCode>,
        #[command(flatten)]
        password: PasswordFrom,
        #[command(flatten)]
        which: Which,
    },
    /// List the accounts and the posts they hold
    #[command(after_help = "Example: whistle user list --json --data /var/lib/whistle")]
    List {
        #[command(flatten)]
        which: Which,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Disable an account and end its sessions, its passkeys and its link to the provider
    #[command(after_help = "Example: whistle user disable mei --data /var/lib/whistle")]
    Disable(Named),
    /// Let an account that was disabled sign in again
    #[command(after_help = "Example: whistle user enable mei --data /var/lib/whistle")]
    Enable(Named),
    /// End all sessions of an account
    #[command(after_help = "Example: whistle user sign-out mei --data /var/lib/whistle")]
    SignOut(Named),
    /// Remove the second factor and the passkeys of an account whose holder lost them, and end its sessions
    #[command(after_help = "Example: whistle user reset-second-factor mei --data /var/lib/whistle")]
    ResetSecondFactor(Named),
    /// Say by which name the OpenID Connect provider knows the holder of an account
    #[command(after_help = "Example: whistle user link mei --name mei@city.example --data /var/lib/whistle")]
    Link {
        /// The name it signs in with
        #[arg(value_name = "ACCOUNT")]
        account: String,
        /// What the provider says in the claim oidc_name_claim: mostly an e-mail address
        #[arg(long)]
        name: String,
        #[command(flatten)]
        which: Which,
    },
    /// End what an account is linked to at the provider, and its sessions
    #[command(after_help = "Example: whistle user unlink mei --data /var/lib/whistle")]
    Unlink(Named),
    /// Set a new password and end the account's sessions
    #[command(
        after_help = "Example: whistle user password mei --password-file new.txt --data /var/lib/whistle"
    )]
    Password {
        /// The name it signs in with
        name: String,
        #[command(flatten)]
        password: PasswordFrom,
        #[command(flatten)]
        which: Which,
    },
}

/// One account.
#[derive(Debug, Args)]
struct Named {
    /// The name it signs in with
    name: String,
    #[command(flatten)]
    which: Which,
}

impl Named {
    fn change(&self, whistle: &Whistle, change: Change, done: &str) -> Result<()> {
        whistle.change_user(&self.which.here(whistle)?, &self.name, change)?;
        output::line(format!("account {} {done}", self.name));
        Ok(())
    }
}

/// Where a password comes from; asked for twice when neither is given. Never the command line, which others can see.
#[derive(Debug, Args)]
struct PasswordFrom {
    /// Read the password from a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    password_file: Option<PathBuf>,
    /// Read the password from standard input
    #[arg(long, conflicts_with = "password_file")]
    password_stdin: bool,
}

impl User {
    pub(super) fn run(self, config: &Config) -> Result<()> {
        let whistle = open(config)?;
        match self.action {
            Action::Add {
                name,
                posts,
                password,
                which,
            } => {
                let here = which.here(&whistle)?;
                whistle.add_user(&here, &name, &password.read()?, &posts)?;
                output::line(format!("account {name} is added"));
            }
            Action::List { which, json } => list(whistle.holders(&which.here(&whistle)?)?, json),
            Action::Disable(named) => named.change(&whistle, Change::Disable, "is disabled")?,
            Action::Enable(named) => named.change(&whistle, Change::Enable, "may sign in")?,
            Action::SignOut(named) => named.change(&whistle, Change::SignOut, "is signed out")?,
            Action::ResetSecondFactor(Named { name, which }) => {
                whistle.reset_second_factor(&which.here(&whistle)?, &name)?;
                output::line(format!(
                    "account {name} has no second factor and no passkeys any more"
                ));
            }
            Action::Link { account, name, which } => {
                whistle.link_user(&which.here(&whistle)?, &account, &name)?;
                output::line(format!("account {account} awaits {name}"));
            }
            Action::Unlink(Named { name, which }) => {
                whistle.unlink_user(&which.here(&whistle)?, &name)?;
                output::line(format!("account {name} is linked to nobody"));
            }
            Action::Password {
                name,
                password,
                which,
            } => {
                let here = which.here(&whistle)?;
                whistle.set_password(&here, &name, &password.read()?)?;
                output::line(format!("account {name} has a new password"));
            }
        }
        Ok(())
    }
}

fn list(holders: Vec<(String, PostCode)>, json: bool) {
    #[derive(Serialize)]
    struct Account {
        name: String,
        posts: Vec<String>,
    }
    let mut by_name = BTreeMap::<String, Vec<String>>::new();
    for (name, post) in holders {
        by_name.entry(name).or_default().push(post.to_string());
    }
    let accounts = by_name.into_iter().map(|(name, posts)| Account { name, posts });
    if json {
        output::json(&accounts.collect::<Vec<_>>());
    } else {
        let rows: Vec<_> = accounts.map(|a| [a.name, a.posts.join(", ")]).collect();
        output::table(&["name", "posts"], &rows);
    }
}

impl PasswordFrom {
    fn read(&self) -> Result<String> {
        let text = match &self.password_file {
            Some(path) => {
                let failed = |error| Failure::io(path, "name a file that holds the password alone")(error);
                first_line(fs::File::open(path).map_err(failed)?).map_err(failed)?
            }
            None if self.password_stdin => first_line(io::stdin().lock())
                .map_err(|error| Failure::Refused(format!("standard input: {error}")))?,
            None => return ask(),
        };
        Ok(text)
    }
}

fn first_line(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(MAX_PASSWORD_BYTES).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn ask() -> Result<String> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "there is no terminal to ask for the password; use --password-file FILE or --password-stdin"
                .to_owned(),
        ));
    }
    let read = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map_err(|error| Failure::Refused(format!("the password cannot be read: {error}")))
    };
    let password = read("Password: ")?;
    if read("The same again: ")? == password {
        Ok(password)
    } else {
        Err(Failure::Refused(
            "the two passwords are not the same; try again".to_owned(),
        ))
    }
}
