//! `whistle push`: notices on the devices of staff.

use clap::{Args, Subcommand};

use super::{Which, open};
use crate::{config::Config, failure::Result, output};

#[derive(Debug, Args)]
pub(super) struct Push {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Let staff be told on their devices; makes the key of the place where it has none, and prints the public one
    #[command(
        after_help = "Example: whistle push on --contact mailto:ops@example.org --data /var/lib/whistle"
    )]
    On {
        /// Whom push services write to when something is wrong: mailto: and an address, or an https address
        #[arg(long, value_name = "ADDRESS")]
        contact: String,
        #[command(flatten)]
        which: Which,
    },
    /// Tell nobody on devices any more; the key and all devices are forgotten
    #[command(after_help = "Example: whistle push off --data /var/lib/whistle")]
    Off {
        #[command(flatten)]
        which: Which,
    },
    /// Say whether push is on, since when, and how many devices are told
    #[command(after_help = "Example: whistle push show --data /var/lib/whistle")]
    Show {
        #[command(flatten)]
        which: Which,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Push {
    pub(super) fn run(self, config: &Config) -> Result<()> {
        let whistle = open(config)?;
        match self.action {
            Action::On { contact, which } => {
                let key = whistle.switch_push_on(&which.here(&whistle)?, &contact)?;
                output::line(key);
            }
            Action::Off { which } => {
                whistle.switch_push_off(&which.here(&whistle)?)?;
                output::line("push is off, and all devices are forgotten");
            }
            Action::Show { which, json } => {
                let here = which.here(&whistle)?;
                let standing = whistle.push_standing(&here)?;
                if json {
                    output::json(&standing);
                    return Ok(());
                }
                let Some(push) = standing else {
                    output::line("push is off");
                    return Ok(());
                };
                let since = here.place.calendar.zone().to_datetime(push.created_at);
                output::line(format!(
                    "push is on since {}; push services write to {}; {}\n{}",
                    since.strftime("%F %H:%M"),
                    push.contact,
                    output::count(push.devices as u64, "device is told", "devices are told"),
                    push.key
                ));
            }
        }
        Ok(())
    }
}
