//! `whistle plan`: what a place folder would change.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Serialize;
use whistle_domain::words::{JurisdictionCode, ServiceCode, UnitCode};
use whistle_place::{Faults, LinkFault, UnclearedFault};
use whistle_service::{Error, Whistle, place};

use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

pub(super) const EXAMPLE: &str = "Exit code 1 when the folder has faults.\n\
    Example: whistle plan examples/three-rivers --data /var/lib/whistle";

#[derive(Debug, Args)]
pub(super) struct Plan {
    /// The place folder
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Plan {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        // A look must not leave a new data folder behind.
        let planned = if config.site.is_taken()? {
            Whistle::open(config.site.clone())?.plan(&self.dir)
        } else {
            place::plan_first(&self.dir)
        };
        let plan = planned.map_err(|error| faults_or(error, &self.dir, self.json))?;
        if self.json {
            output::json(&plan);
            return Ok(());
        }
        print(&plan);
        let (code, version) = (&plan.jurisdiction, plan.version);
        match plan.changes.len() as u64 {
            0 => output::line(format!(
                "{code}: nothing changes; version {version} stays in force"
            )),
            n => output::line(format!(
                "{code}: {}; applying it makes version {version}",
                output::count(n, "change", "changes")
            )),
        }
        Ok(())
    }
}

/// Prints what is odd, what changes and what is open.
pub(super) fn print(plan: &place::Plan) {
    for warning in &plan.warnings {
        output::line(warning.to_string());
    }
    for change in &plan.changes {
        output::line(change.to_string());
    }
    print_open_links(&plan.open_links);
    print_uncleared(&plan.uncleared);
}

pub(super) fn print_uncleared(faults: &[UnclearedFault]) {
    for fault in faults {
        output::line(format!("not cleared: {fault}"));
    }
}

pub(super) fn print_open_links(links: &[LinkFault]) {
    for link in links {
        output::line(format!("open link: {link}"));
    }
}

/// Prints the faults of a folder, if that is why it failed; they are what was asked for.
pub(super) fn faults_or(error: Error, dir: &Path, json: bool) -> Failure {
    let Error::Faults(faults) = error else {
        return error.into();
    };
    if json {
        output::json(&faults);
    } else {
        output::line(faults.to_string());
    }
    Failure::Found(summary(&faults, dir))
}

fn summary(faults: &Faults, dir: &Path) -> String {
    let n = output::count(faults.errors() as u64, "fault", "faults");
    format!(
        "{} has {n}; nothing of it is applied while one is left",
        dir.display()
    )
}

/// What is open in a place and the units without an address, as JSON.
#[derive(Serialize)]
pub(super) struct Checked {
    pub jurisdiction: JurisdictionCode,
    pub open_links: Vec<LinkFault>,
    pub unseen_services: Vec<ServiceCode>,
    pub uncleared: Vec<UnclearedFault>,
    pub unreached: Vec<UnitCode>,
}
