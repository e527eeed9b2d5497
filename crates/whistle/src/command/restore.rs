//! `whistle restore`: a backup becomes the install.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use whistle_service::{Error, keep};

use super::backup::Bars;
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

pub(super) const EXAMPLE: &str = "Stop the server first. Then check what was restored with `whistle verify`.\n\
    Example: whistle restore /mnt/backups/2027-01-31 --data /var/lib/whistle";

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// A folder that `whistle backup` wrote, or a whistle.db alone
    #[arg(value_name = "FROM", value_hint = ValueHint::AnyPath)]
    from: PathBuf,
    /// Replace the install that is there; its database and key stay beside it as `….before-restore…`
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Restore {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        if config.site.database_url.is_some() {
            return Err(Failure::Refused(
                "a backup of Whistle holds an SQLite database; restore PostgreSQL with pg_restore, or leave \
                 --database-url out"
                    .to_owned(),
            ));
        }
        let mut bars = Bars::default();
        let kept = keep::restore(&self.from, &config.site.dir, self.force, |step| bars.show(step))
            .map_err(|error| self.refused(error))?;
        bars.clear();
        if self.json {
            output::json(&kept);
            return Ok(());
        }
        output::line(format!(
            "{}: a database of {} kB and {} are restored; check them with `whistle verify`",
            config.site.dir.display(),
            kept.database_bytes.div_ceil(1000),
            output::count(kept.photos, "photo file", "photo files"),
        ));
        if !kept.key {
            eprintln!(
                "warning: the backup has no secret.key; without the old one in {}, contact data and pick-up codes of \
                 old cases are lost",
                config.site.dir.display()
            );
        }
        Ok(())
    }

    fn refused(&self, error: Error) -> Failure {
        match Failure::from(error) {
            Failure::Refused(why) if !self.force && why.ends_with("never overwritten unasked") => {
                Failure::Refused(format!(
                    "{why}; --force replaces it and keeps the old one beside it"
                ))
            }
            other => other,
        }
    }
}
