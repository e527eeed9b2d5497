//! `whistle key`: API keys of other systems.

use clap::{Args, Subcommand};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use whistle_domain::rights::Scope;
use whistle_service::{Error, Here, Whistle, account};

use super::{Which, open};
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

#[derive(Debug, Args)]
pub(super) struct Key {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key and print it, alone, as the last line; it is shown this once only
    #[command(
        after_help = "Example: KEY=$(whistle key add 'town app' --scope report --expires 2027-12-31 --data /var/lib/whistle)"
    )]
    Add {
        /// Which system uses it
        name: String,
        /// What it may do, of report (file and join reports, send photos) and update (say what happened to a case); may
        /// be given several times
        #[arg(long = "scope", value_name = "SCOPE", default_values = Scope::ALL.map(Scope::as_str))]
        scopes: Vec<Scope>,
        /// The last day on which it is good, in the place's time zone
        #[arg(long, value_name = "DATE")]
        expires: Option<Date>,
        #[command(flatten)]
        which: Which,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the keys, without the keys themselves
    #[command(after_help = "Example: whistle key list --data /var/lib/whistle")]
    List {
        #[command(flatten)]
        which: Which,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key
    #[command(after_help = "Example: whistle key revoke 3 --data /var/lib/whistle")]
    Revoke {
        /// Its number in `whistle key list`
        id: i64,
        #[command(flatten)]
        which: Which,
    },
}

impl Key {
    pub(super) fn run(self, config: &Config) -> Result<()> {
        let whistle = open(config)?;
        match self.action {
            Action::Add {
                name,
                scopes,
                expires,
                which,
                json,
            } => {
                let here = which.here(&whistle)?;
                let end = |day| match account::end_of(day, &here, whistle.now()) {
                    Err(Error::Invalid { what, .. }) => {
                        Err(Failure::Usage(format!("--expires {day}: {what}")))
                    }
                    end => Ok(end?),
                };
                let expires_at = expires.map(end).transpose()?;
                let key = whistle.add_key(&here, &name, &scopes, expires_at)?;
                if json {
                    output::json(
                        &serde_json::json!({ "name": name, "key": key, "scopes": words(&scopes), "expires_at": expires_at }),
                    );
                } else {
                    output::line(key);
                }
            }
            Action::List { which, json } => list(&whistle, &which.here(&whistle)?, json)?,
            Action::Revoke { id, which } => {
                whistle.revoke_key(&which.here(&whistle)?, id)?;
                output::line(format!("key {id} is revoked"));
            }
        }
        Ok(())
    }
}

fn words(scopes: &[Scope]) -> Vec<&'static str> {
    scopes.iter().map(|scope| scope.as_str()).collect()
}

fn list(whistle: &Whistle, here: &Here, json: bool) -> Result<()> {
    #[derive(Serialize)]
    struct Row {
        id: i64,
        name: String,
        scopes: Vec<&'static str>,
        created_at: Timestamp,
        expires_at: Option<Timestamp>,
        revoked_at: Option<Timestamp>,
        state: &'static str,
    }
    let now = whistle.now();
    let row = |key: account::Key| Row {
        state: match (key.revoked_at, key.expires_at) {
            (Some(_), _) => "revoked",
            (None, Some(end)) if end <= now => "over",
            (None, _) => "good",
        },
        id: key.id,
        name: key.name,
        scopes: words(&key.scopes),
        created_at: key.created_at,
        expires_at: key.expires_at,
        revoked_at: key.revoked_at,
    };
    let rows: Vec<Row> = whistle.keys(here)?.into_iter().map(row).collect();
    if json {
        output::json(&rows);
        return Ok(());
    }
    let zone = here.place.calendar.zone();
    let shown = |at: Timestamp| zone.to_datetime(at).strftime("%F %H:%M").to_string();
    let rows: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let expires = row.expires_at.map_or_else(|| "never".to_owned(), shown);
            [
                row.id.to_string(),
                row.state.to_owned(),
                shown(row.created_at),
                expires,
                row.scopes.join(", "),
                row.name,
            ]
        })
        .collect();
    output::table(&["id", "state", "made", "ends", "may", "name"], &rows);
    Ok(())
}
