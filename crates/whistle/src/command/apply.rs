//! `whistle apply`: puts a place folder in force.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use whistle_service::{Whistle, place};

use super::plan;
use crate::{config::Config, failure::Result, output};

pub(super) const EXAMPLE: &str = "A server that is running takes the new version over within seconds.\n\
    Example: whistle apply examples/three-rivers --data /var/lib/whistle";

#[derive(Debug, Args)]
pub(super) struct Apply {
    /// The place folder
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Apply {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        let fault = |error| plan::faults_or(error, &self.dir, self.json);
        if !config.site.is_taken()? {
            // A folder with faults must not leave a new data folder behind.
            place::plan_first(&self.dir).map_err(fault)?;
        }
        let applied = Whistle::open(config.site.clone())?
            .apply(&self.dir)
            .map_err(fault)?;
        if self.json {
            output::json(&applied);
            return Ok(());
        }
        plan::print(&applied.plan);
        let (code, version) = (&applied.plan.jurisdiction, applied.plan.version);
        match applied.plan.changes.len() as u64 {
            0 => output::line(format!(
                "{code}: nothing changed; version {version} stays in force"
            )),
            n => output::line(format!(
                "{code}: version {version} is in force, with {}",
                output::count(n, "change", "changes")
            )),
        }
        if applied.reckoned > 0 {
            let cases = output::count(applied.reckoned, "open case", "open cases");
            output::line(format!("{code}: the clocks of {cases} were computed anew"));
        }
        Ok(())
    }
}
