//! `whistle distribute`: jurisdictions spread over the machines of a Citus cluster.

use clap::{Args, value_parser};
use serde::Serialize;
use whistle_service::transfer::SHARDS;

use super::open;
use crate::{config::Config, failure::Result, output};

pub(super) const EXAMPLE: &str = "Stop every server first. Run it again after an upgrade, for tables that are new; what \
    is in its place stays there.\n\
    Example: whistle distribute --database-url postgres://whistle@coordinator/whistle --dry-run";

#[derive(Debug, Args)]
pub(super) struct Distribute {
    /// Print the statements, run none; needs no Citus
    #[arg(long)]
    dry_run: bool,
    /// Shards, each with all of some jurisdictions; many times the machines there will ever be
    #[arg(long, value_name = "N", default_value_t = SHARDS, value_parser = value_parser!(u32).range(1..=64_000))]
    shards: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Done {
    ran: bool,
    statements: Vec<String>,
}

impl Distribute {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        let whistle = open(config)?;
        let statements = if self.dry_run {
            let statements = whistle.distribution(self.shards)?;
            self.print(&statements);
            statements
        } else {
            whistle.distribute(self.shards, |statement| self.print(&[statement]))?
        };
        if self.json {
            output::json(&Done {
                ran: !self.dry_run,
                statements,
            });
        } else if statements.is_empty() {
            output::line("every table is in its place; nothing to do");
        } else if !self.dry_run {
            let ran = output::count(statements.len() as u64, "statement", "statements");
            output::line(format!("{ran} run; every table is in its place"));
        }
        Ok(())
    }

    fn print(&self, statements: &[impl AsRef<str>]) {
        if !self.json {
            for statement in statements {
                output::line(format!("{};", statement.as_ref()));
            }
        }
    }
}
