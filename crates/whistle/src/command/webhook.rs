//! `whistle webhook`: systems that are told by signed requests.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Which, open};
use crate::{config::Config, failure::Result, output};

#[derive(Debug, Args)]
pub(super) struct Webhook {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a webhook and print its secret, alone, as the last line; it is shown this once only
    #[command(
        after_help = "Example: SECRET=$(whistle webhook add https://example.org/whistle --events verified,declined)"
    )]
    Add {
        /// Where requests go
        url: String,
        /// Words of events, by commas: reported, assigned, verified, whistle.blown …; * for all; sms for texts to telephones
        #[arg(long, value_name = "WORDS", value_delimiter = ',', default_value = "*")]
        events: Vec<String>,
        /// Tell also what the public does not see; never how a reporter can be reached
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        which: Which,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the webhooks, without their secrets
    #[command(after_help = "Example: whistle webhook list --data /var/lib/whistle")]
    List {
        #[command(flatten)]
        which: Which,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a webhook; what waits for it is dropped
    #[command(after_help = "Example: whistle webhook remove 2 --data /var/lib/whistle")]
    Remove {
        /// Its number in `whistle webhook list`
        id: i64,
        #[command(flatten)]
        which: Which,
    },
}

impl Webhook {
    pub(super) fn run(self, config: &Config) -> Result<()> {
        let whistle = open(config)?;
        match self.action {
            Action::Add {
                url,
                events,
                all,
                which,
                json,
            } => {
                let here = which.here(&whistle)?;
                let private = config.outgoing.private_webhooks;
                let (id, secret) = whistle.add_webhook(&here, &url, &events, all, private)?;
                if json {
                    output::json(&serde_json::json!({ "id": id, "url": url, "secret": secret }));
                } else {
                    output::line(secret);
                }
            }
            Action::List { which, json } => {
                #[derive(Serialize)]
                struct Row {
                    id: i64,
                    url: String,
                    events: Vec<String>,
                    scope: &'static str,
                    created_at: jiff::Timestamp,
                }
                let found = whistle.webhooks(&which.here(&whistle)?)?;
                let rows = found.into_iter().map(|hook| Row {
                    id: hook.id,
                    url: hook.url,
                    events: hook.events,
                    scope: if hook.all { "all" } else { "public" },
                    created_at: hook.created_at,
                });
                let rows: Vec<Row> = rows.collect();
                if json {
                    output::json(&rows);
                } else {
                    let cells = |row: Row| {
                        [
                            row.id.to_string(),
                            row.scope.to_owned(),
                            row.events.join(","),
                            row.url,
                        ]
                    };
                    let rows: Vec<_> = rows.into_iter().map(cells).collect();
                    output::table(&["ID", "SCOPE", "EVENTS", "URL"], &rows);
                }
            }
            Action::Remove { id, which } => {
                whistle.remove_webhook(&which.here(&whistle)?, id)?;
                output::line(format!("webhook {id} is removed"));
            }
        }
        Ok(())
    }
}
