//! `whistle notices`: what was told to whom, what did not arrive, and how it reads.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use serde::Serialize;
use whistle_domain::words::Lang;
use whistle_service::{
    Here, Whistle,
    notices::{Delivery, Failing, Notice, State, Why, Words},
    place,
};

use super::{Which, open};
use crate::{config::Config, failure::Result, output};

#[derive(Debug, Args)]
pub(super) struct Notices {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List deliveries, the newest first; those that were given up, unless another state is named
    #[command(after_help = "Example: whistle notices list --state waiting --data /var/lib/whistle")]
    List {
        /// waiting, sent, dropped or dead
        #[arg(long, value_name = "STATE", default_value = "dead")]
        state: State,
        /// Only those below this number, for the next page
        #[arg(long, value_name = "ID")]
        below: Option<i64>,
        #[command(flatten)]
        which: Which,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Try deliveries again that were given up
    #[command(after_help = "Example: whistle notices retry --all --data /var/lib/whistle")]
    Retry(Chosen),
    /// Drop deliveries that wait or were given up
    #[command(after_help = "Example: whistle notices drop 117 --data /var/lib/whistle")]
    Drop(Chosen),
    /// List addresses from which mail came back, the last first, by whose they are
    #[command(after_help = "Example: whistle notices failing --data /var/lib/whistle")]
    Failing {
        /// Only those below this number, for the next page
        #[arg(long, value_name = "ID")]
        below: Option<i64>,
        #[command(flatten)]
        which: Which,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Send to an address again from which mail came back
    #[command(after_help = "Example: whistle notices trust 4 --data /var/lib/whistle")]
    Trust {
        /// Its number in `whistle notices failing`
        id: i64,
        #[command(flatten)]
        which: Which,
    },
    /// Print a notice of the place in force, or of a folder, with made-up values
    #[command(after_help = "Example: whistle notices preview handled --lang zh --place ./my-city")]
    Preview {
        /// Which: received, assigned, handled, closed …
        notice: Notice,
        /// zh or en [default: the place's first language]
        #[arg(long, value_name = "LANG")]
        lang: Option<Lang>,
        /// A place folder that need not be applied
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        place: Option<PathBuf>,
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Debug, Args)]
struct Chosen {
    /// Its number in `whistle notices list`
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<i64>,
    /// All that were given up
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    which: Which,
}

impl Notices {
    pub(super) fn run(self, config: &Config) -> Result<()> {
        if let Action::Preview {
            notice,
            lang,
            place: Some(dir),
            ..
        } = &self.action
        {
            print(&place::preview(dir, *notice, *lang)?);
            return Ok(());
        }
        let whistle = open(config)?;
        match self.action {
            Action::List {
                state,
                below,
                which,
                json,
            } => list(&whistle, &which.here(&whistle)?, state, below, json),
            Action::Retry(Chosen { id, which, .. }) => {
                let n = whistle.retry_deliveries(&which.here(&whistle)?, id)?;
                output::line(format!(
                    "{} again",
                    output::count(n, "delivery waits", "deliveries wait")
                ));
                Ok(())
            }
            Action::Drop(Chosen { id, which, .. }) => {
                let n = whistle.drop_deliveries(&which.here(&whistle)?, id)?;
                output::line(format!(
                    "{} dropped",
                    output::count(n, "delivery is", "deliveries are")
                ));
                Ok(())
            }
            Action::Failing { below, which, json } => failing(&whistle, &which.here(&whistle)?, below, json),
            Action::Trust { id, which } => {
                whistle.trust_address(&which.here(&whistle)?, id)?;
                output::line(format!("mail goes to address {id} again"));
                Ok(())
            }
            Action::Preview {
                notice, lang, which, ..
            } => {
                print(&whistle.preview(&which.here(&whistle)?, notice, lang)?);
                Ok(())
            }
        }
    }
}

fn print(words: &Words) {
    output::line(format!("Subject: {}\n\n{}", words.subject, words.text));
}

fn list(whistle: &Whistle, here: &Here, state: State, below: Option<i64>, json: bool) -> Result<()> {
    #[derive(Serialize)]
    struct Row {
        id: i64,
        subject: &'static str,
        number: i64,
        state: &'static str,
        channel: &'static str,
        notice: String,
        to: String,
        tries: u32,
        at: jiff::Timestamp,
        error: String,
    }
    let row = |one: Delivery| Row {
        id: one.id,
        subject: one.subject.as_str(),
        number: one.subject.number(),
        state: one.state.as_str(),
        channel: one.channel.as_str(),
        to: reader(&one),
        notice: one.notice,
        tries: one.tries,
        at: one.next_at,
        error: one.error,
    };
    let found = whistle.deliveries(here, state, below)?;
    let rows: Vec<Row> = found.into_iter().map(row).collect();
    if json {
        output::json(&rows);
        return Ok(());
    }
    let zone = here.place.calendar.zone();
    let rows: Vec<_> = rows
        .into_iter()
        .map(|row| {
            [
                row.id.to_string(),
                format!("{} {}", row.subject, row.number),
                row.channel.to_owned(),
                row.notice,
                row.to,
                row.tries.to_string(),
                zone.to_datetime(row.at).strftime("%F %H:%M").to_string(),
                Why::line(&row.error),
            ]
        })
        .collect();
    output::table(
        &["ID", "ABOUT", "BY", "NOTICE", "TO", "TRIES", "AT", "WHY"],
        &rows,
    );
    Ok(())
}

fn failing(whistle: &Whistle, here: &Here, below: Option<i64>, json: bool) -> Result<()> {
    #[derive(Serialize)]
    struct Row {
        id: i64,
        subject: &'static str,
        number: i64,
        to: String,
        times: u32,
        given_up: bool,
        at: jiff::Timestamp,
        why: String,
    }
    let row = |one: Failing| Row {
        id: one.id,
        subject: one.subject.as_str(),
        number: one.subject.number(),
        to: match (&one.unit, one.report) {
            (Some(unit), _) => unit.to_string(),
            (None, 0) => "who was asked".to_owned(),
            (None, report) => format!("report {report}"),
        },
        times: one.times,
        given_up: one.given_up,
        at: one.at,
        why: one.why,
    };
    let found = whistle.failing_addresses(here, below)?;
    let rows: Vec<Row> = found.into_iter().map(row).collect();
    if json {
        output::json(&rows);
        return Ok(());
    }
    let zone = here.place.calendar.zone();
    let cells = |row: Row| {
        [
            row.id.to_string(),
            format!("{} {}", row.subject, row.number),
            row.to,
            row.times.to_string(),
            if row.given_up { "given up" } else { "tried" }.to_owned(),
            zone.to_datetime(row.at).strftime("%F %H:%M").to_string(),
            row.why,
        ]
    };
    let rows: Vec<_> = rows.into_iter().map(cells).collect();
    output::table(&["ID", "ABOUT", "TO", "TIMES", "NOW", "LAST", "WHY"], &rows);
    Ok(())
}

/// For whom it is, without an address.
fn reader(one: &Delivery) -> String {
    if let Some(own) = one.merged {
        return format!("report {} of case {own}", one.report);
    }
    match (&one.unit, one.report, one.webhook) {
        (Some(unit), ..) if one.device > 0 => format!("{unit} on device {}", one.device),
        (Some(unit), ..) => unit.to_string(),
        (None, 0, 0) => "who was asked".to_owned(),
        (None, 0, hook) => format!("webhook {hook}"),
        (None, report, 0) => format!("report {report}"),
        (None, report, hook) => format!("report {report} by webhook {hook}"),
    }
}
