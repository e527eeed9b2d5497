//! `whistle webhook`: systems that are told by signed requests.

use clap::{Args, Subcommand};
use serde::Serialize;

use whistle_service::notices::{NewWebhook, WebhookChange, Why};

use super::{Which, open};
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

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
    /// Send a webhook one request of the type `test`, and say whether it took it
    #[command(after_help = "Example: whistle webhook test 2 --data /var/lib/whistle")]
    Test {
        /// Its number in `whistle webhook list`
        id: i64,
        #[command(flatten)]
        which: Which,
    },
    /// Tell a webhook nothing until it is resumed; what waits for it is dropped
    #[command(after_help = "Example: whistle webhook pause 2 --data /var/lib/whistle")]
    Pause {
        /// Its number in `whistle webhook list`
        id: i64,
        #[command(flatten)]
        which: Which,
    },
    /// Tell a webhook what happens from now on
    #[command(after_help = "Example: whistle webhook resume 2 --data /var/lib/whistle")]
    Resume {
        /// Its number in `whistle webhook list`
        id: i64,
        #[command(flatten)]
        which: Which,
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
                let new = NewWebhook {
                    url: url.clone(),
                    events,
                    all,
                    private,
                };
                let (id, secret) = whistle.add_webhook(&here, &new)?;
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
                    paused_at: Option<jiff::Timestamp>,
                }
                let found = whistle.webhooks(&which.here(&whistle)?)?;
                let rows = found.into_iter().map(|hook| Row {
                    id: hook.id,
                    url: hook.url,
                    events: hook.events,
                    scope: if hook.all { "all" } else { "public" },
                    created_at: hook.created_at,
                    paused_at: hook.paused_at,
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
                            if row.paused_at.is_some() { "paused" } else { "" }.to_owned(),
                            row.url,
                        ]
                    };
                    let rows: Vec<_> = rows.into_iter().map(cells).collect();
                    output::table(&["ID", "SCOPE", "EVENTS", "NOW", "URL"], &rows);
                }
            }
            Action::Test { id, which } => {
                let here = which.here(&whistle)?;
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(|error| Failure::Refused(format!("no threads can be started: {error}")))?;
                let private = config.outgoing.private_webhooks;
                match runtime.block_on(whistle.test_webhook(&here, id, private))? {
                    None => output::line(format!("webhook {id} took the test")),
                    Some(why) => {
                        return Err(Failure::Refused(format!(
                            "webhook {id} did not take the test: {}",
                            Why::line(&why)
                        )));
                    }
                }
            }
            Action::Pause { id, which } => {
                whistle.change_webhook(&which.here(&whistle)?, id, WebhookChange::Pause)?;
                output::line(format!("webhook {id} is told nothing"));
            }
            Action::Resume { id, which } => {
                whistle.change_webhook(&which.here(&whistle)?, id, WebhookChange::Resume)?;
                output::line(format!("webhook {id} is told what happens"));
            }
            Action::Remove { id, which } => {
                whistle.change_webhook(&which.here(&whistle)?, id, WebhookChange::Remove)?;
                output::line(format!("webhook {id} is removed"));
            }
        }
        Ok(())
    }
}
