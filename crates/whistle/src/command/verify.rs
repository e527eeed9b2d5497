//! `whistle verify`: whether everything in the store is as it must be.

use clap::Args;
use serde::Serialize;
use whistle_service::{Here, Whistle, keep::Audit};

use super::{Which, open};
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

pub(super) const EXAMPLE: &str = "Works while the server runs. Exit code 1 when anything is not as it must be.\n\
    Example: whistle verify --data /var/lib/whistle";

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    which: Which,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Serialize)]
pub(super) struct Verdict {
    /// What is wrong with the file itself.
    database: Option<String>,
    jurisdictions: Vec<Of>,
}

#[derive(Serialize)]
struct Of {
    jurisdiction: String,
    #[serde(flatten)]
    audit: Audit,
}

impl Verify {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        let whistle = open(config)?;
        let heres = match &self.which.jurisdiction {
            Some(_) => vec![self.which.here(&whistle)?],
            None => whistle.places().all().to_vec(),
        };
        let verdict = check(&whistle, &heres)?;
        if self.json {
            output::json(&verdict);
        } else {
            verdict.print();
        }
        verdict.judge()
    }
}

/// Checks the database and all that it keeps of these jurisdictions.
pub(super) fn check(whistle: &Whistle, heres: &[Here]) -> Result<Verdict> {
    let bar = output::progress("pages of the database", 0);
    let database = whistle.check_database()?;
    bar.finish_and_clear();
    let mut jurisdictions = Vec::new();
    // A damaged file would only make the audit stumble over what is known already.
    for here in heres.iter().filter(|_| database.is_none()) {
        let bar = output::progress("cases", 0);
        let audit = whistle.audit(here, |cases| bar.set_position(cases))?;
        bar.finish_and_clear();
        jurisdictions.push(Of {
            jurisdiction: here.place.jurisdiction.code.to_string(),
            audit,
        });
    }
    Ok(Verdict {
        database,
        jurisdictions,
    })
}

impl Verdict {
    fn findings(&self) -> usize {
        let found = self.jurisdictions.iter().map(|of| of.audit.findings.len());
        usize::from(self.database.is_some()) + found.sum::<usize>()
    }

    pub(super) fn print(&self) {
        if let Some(finding) = &self.database {
            output::line(finding);
        }
        for Of { jurisdiction, audit } in &self.jurisdictions {
            for finding in &audit.findings {
                output::line(format!("{jurisdiction}: {finding}"));
            }
            output::line(format!(
                "{jurisdiction}: {}, {}, {}, {}: {}",
                output::count(audit.cases, "case", "cases"),
                output::count(audit.whistles, "whistle", "whistles"),
                output::count(audit.events, "event", "events"),
                output::count(audit.counters, "counter", "counters"),
                match audit.findings.len() as u64 {
                    0 => "all as they must be".to_owned(),
                    n => output::count(n, "finding", "findings"),
                }
            ));
        }
        if self.jurisdictions.is_empty() && self.database.is_none() {
            output::line("no place is in force, so there is nothing to check but the file, which is whole");
        }
    }

    pub(super) fn judge(&self) -> Result<()> {
        match self.findings() as u64 {
            0 => Ok(()),
            n => Err(Failure::Found(format!(
                "{} that should not be there; keep a copy of the data folder, then restore a backup that verifies",
                output::count(n, "finding", "findings")
            ))),
        }
    }
}
