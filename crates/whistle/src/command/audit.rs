//! `whistle audit`: what administrators and operators did.

use clap::Args;
use whistle_service::admin::{Act, Before, Doer, Told};

use super::{Which, open};
use crate::{config::Config, failure::Result, output};

pub(super) const EXAMPLE: &str = "Accounts, keys, webhooks, second factors, the place, the secret, exports, imports, backups, retention; the youngest first.\n\
    Example: whistle audit --limit 20 --data /var/lib/whistle";

/// Acts that are read at a time.
const ROUND: usize = 1_000;

#[derive(Debug, Args)]
pub(super) struct Audit {
    #[command(flatten)]
    which: Which,
    /// How many at most; all that are kept without it
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Audit {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        let whistle = open(config)?;
        let here = self.which.here(&whistle)?;
        let zone = here.place.calendar.zone();
        let (mut before, mut left) = (None, self.limit.unwrap_or(usize::MAX));
        let mut all: Vec<Act> = Vec::new();
        while left > 0 {
            let acts = whistle.acts(&here, before, left.min(ROUND))?;
            let Some(last) = acts.last() else { break };
            before = Some(Before {
                at: last.at.as_microsecond(),
                id: last.id,
            });
            left -= acts.len();
            all.extend(acts);
        }
        if self.json {
            output::json(&all.into_iter().map(Told::from).collect::<Vec<_>>());
        } else {
            let rows: Vec<_> = all
                .into_iter()
                .map(|act| row(zone.to_datetime(act.at).strftime("%F %H:%M").to_string(), act))
                .collect();
            output::table(&["when", "who", "did", "to", "detail"], &rows);
        }
        Ok(())
    }
}

fn row(at: String, act: Act) -> [String; 5] {
    let who = match &act.by {
        Doer::Post { account, post } => {
            let login = act.login.unwrap_or_else(|| account.to_string());
            format!("{login} ({post})")
        }
        other => other.as_str().to_owned(),
    };
    [at, who, act.deed, act.subject, act.detail]
}
