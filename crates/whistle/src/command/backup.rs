//! `whistle backup`: the whole install in a new folder.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use indicatif::ProgressBar;
use whistle_service::keep::Step;

use super::open;
use crate::{config::Config, failure::Result, output};

pub(super) const EXAMPLE: &str = "The folder holds whistle.db, secret.key and media/, and is there whole or not at \
    all. It holds the key to contact data: keep it as safe as the data folder.\n\
    Example: whistle backup /mnt/backups/2027-01-31 --data /var/lib/whistle";

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The new folder; never overwritten
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    to: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        let whistle = open(config)?;
        let mut bars = Bars::default();
        let kept = whistle.backup(&self.to, |step| bars.show(step))?;
        bars.clear();
        if self.json {
            output::json(&kept);
            return Ok(());
        }
        output::line(format!(
            "{}: a database of {} kB, {} and the secret key",
            self.to.display(),
            kept.database_bytes.div_ceil(1000),
            output::count(kept.photos, "photo file", "photo files"),
        ));
        Ok(())
    }
}

/// A bar for the database, then one for the photos.
#[derive(Default)]
pub(super) struct Bars(Option<(&'static str, ProgressBar)>);

impl Bars {
    pub(super) fn show(&mut self, step: Step) {
        let (what, done, total) = match step {
            Step::Database(done, total) => ("database", done, total),
            Step::Photos(done, total) => ("photos", done, total),
        };
        if self.0.as_ref().is_none_or(|(shown, _)| *shown != what) {
            self.clear();
            self.0 = Some((what, output::progress(what, total.max(1))));
        }
        if let Some((_, bar)) = &self.0 {
            bar.set_position(done);
        }
    }

    pub(super) fn clear(&mut self) {
        if let Some((_, bar)) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}
