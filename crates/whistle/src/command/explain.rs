//! `whistle explain`: why the clocks of a case stand where they do.

use clap::Args;
use serde::Serialize;
use whistle_domain::words::{CaseNumber, Lang};
use whistle_service::explain::{self, ClockStory};

use super::{Which, lang, open};
use crate::{config::Config, failure::Result, output};

pub(super) const EXAMPLE: &str = "For each clock: its limit, pauses and extensions, how the calendar comes to its due time, and who was and will be \
    told when.\n\
    Example: whistle explain 1024 --data /var/lib/whistle --lang zh";

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The number of the case
    #[arg(value_name = "CASE")]
    case: CaseNumber,
    /// The language: zh or en
    #[arg(long, value_name = "LANG", default_value = "en", value_parser = lang)]
    lang: Lang,
    #[command(flatten)]
    which: Which,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Explained {
    case: CaseNumber,
    clocks: Vec<ClockStory>,
}

impl Explain {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        let whistle = open(config)?;
        let here = self.which.here(&whistle)?;
        let (case, log) = whistle.explained(&here, self.case)?;
        let now = whistle.now();
        if self.json {
            output::json(&Explained {
                case: self.case,
                clocks: explain::clocks(&case, &log, &here.place, now),
            });
        } else {
            output::line(whistle_web::explain(&case, &log, &here.place, now, self.lang));
        }
        Ok(())
    }
}
