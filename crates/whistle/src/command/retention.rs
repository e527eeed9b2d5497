//! `whistle retention`: erases what was kept for long enough, now instead of with the next hour.

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use whistle_service::{Here, duties::AmountDue, duties::RetentionDue};

use super::{Which, open};
use crate::{config::Config, failure::Result, output};

pub(super) const EXAMPLE: &str = "A server does the same by itself every hour. Works while it runs.\n\
    Example: whistle retention --dry-run --data /var/lib/whistle";

#[derive(Debug, Args)]
pub(super) struct Retention {
    #[command(flatten)]
    which: Which,
    /// Only print what would be erased
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is, or was, kept for long enough.
#[derive(Serialize)]
struct Of {
    jurisdiction: String,
    /// Whether it is erased now.
    done: bool,
    #[serde(flatten)]
    due: RetentionDue,
}

impl Retention {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        let whistle = open(config)?;
        let heres = match &self.which.jurisdiction {
            Some(_) => vec![self.which.here(&whistle)?],
            None => whistle.places().all().to_vec(),
        };
        let mut all = Vec::new();
        for here in &heres {
            let due = whistle.retention_due(here)?;
            if !self.dry_run {
                whistle.retain_now(here)?;
            }
            all.push((
                here,
                Of {
                    jurisdiction: here.place.jurisdiction.code.to_string(),
                    done: !self.dry_run,
                    due,
                },
            ));
        }
        if self.json {
            output::json(&all.iter().map(|(_, of)| of).collect::<Vec<_>>());
        } else {
            for (here, of) in &all {
                print(here, of);
            }
        }
        Ok(())
    }
}

fn print(here: &Here, of: &Of) {
    let zone = here.place.calendar.zone();
    let day = |at: Timestamp| zone.to_datetime(at).date().to_string();
    let tell = |amount: AmountDue, one: &str, many: &str, since: &str| {
        let oldest = amount
            .oldest
            .map_or_else(String::new, |at| format!(", the oldest {since} {}", day(at)));
        output::line(format!("  {}{oldest}", output::count(amount.n, one, many)));
    };
    let what = if of.done { "erased" } else { "would be erased" };
    output::line(format!("{}: {what}", of.jurisdiction));
    let RetentionDue {
        contacts,
        texts,
        photos,
    } = of.due;
    tell(
        contacts,
        "report's contact data",
        "reports' contact data",
        "of a case closed on",
    );
    tell(
        texts,
        "text of a reporter",
        "texts of reporters",
        "of a case closed on",
    );
    tell(
        photos,
        "photo that no case names",
        "photos that no case names",
        "sent on",
    );
}
