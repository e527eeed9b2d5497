//! `whistle search`: the index of words by which cases are found.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::open;
use crate::{config::Config, failure::Result, output};

#[derive(Debug, Args)]
pub(super) struct Search {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Throw the index away and make it anew from the cases
    #[command(
        after_help = "A server keeps the index in step by itself, and makes it anew where that is needed: this is \
        for when `whistle verify` finds it wrong. Works while the server runs; of some hundred thousand cases, reports wait \
        a moment while the old index is thrown away.\n\
        Example: whistle search rebuild --data /var/lib/whistle"
    )]
    Rebuild {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// What was done.
#[derive(Serialize)]
struct Rebuilt {
    cases: u64,
}

impl Search {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        let Action::Rebuild { json } = self.action;
        let whistle = open(config)?;
        let bar = output::progress("cases", 0);
        let cases = whistle.rebuild_search(|cases| bar.set_position(cases))?;
        bar.finish_and_clear();
        if json {
            output::json(&Rebuilt { cases });
        } else {
            let cases = output::count(cases, "case", "cases");
            output::line(format!("{cases} can be found by their words"));
        }
        Ok(())
    }
}
