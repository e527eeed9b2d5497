//! `whistle export`: cases or whistles to a file.

use std::{io, path::PathBuf};

use clap::{Args, ValueHint};
use jiff::{Timestamp, civil::Date};
use whistle_domain::words::{AccessClass, Lang};
use whistle_service::{
    Error, Here,
    export::{Content, ExportFormat, ExportOptions, ExportReport, Rows},
};

use super::{Which, lang, open};
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

pub(super) const EXAMPLE: &str = "Public cases with masked text, unless --full. Never contact data.\n\
    Example: whistle export cases.parquet --from 2027-01-01 --until 2027-01-31 --data /var/lib/whistle";

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The file; `-` is standard output
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// What the rows are: cases, whistles, or calls (one row for each unit that a whistle calls)
    #[arg(long, value_name = "WHAT", default_value = "cases")]
    rows: Rows,
    /// csv, geojson, parquet or xlsx [default: what the file's name says, else csv]
    #[arg(long, value_name = "FORMAT")]
    format: Option<ExportFormat>,
    /// All cases and inner columns, text as it was written: for the staff only
    #[arg(long)]
    full: bool,
    /// With --full: cases of this class of access too; may be given several times
    #[arg(long, value_name = "CLASS", requires = "full")]
    access: Vec<AccessClass>,
    /// The first day of reporting, or of whistles, in the place's time zone
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// The last day of reporting
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// The language of names: zh or en
    #[arg(long, value_name = "LANG", default_value = "en", value_parser = lang)]
    lang: Lang,
    /// Begin a CSV with a byte order mark, for old spreadsheets
    #[arg(long)]
    mark: bool,
    #[command(flatten)]
    which: Which,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Export {
    pub(super) fn run(self, config: &Config) -> Result<()> {
        let whistle = open(config)?;
        let here = self.which.here(&whistle)?;
        let named = ExportFormat::of(&self.file).unwrap_or_default();
        let options = ExportOptions {
            rows: self.rows,
            format: self.format.unwrap_or(named),
            content: if self.full { Content::Full } else { Content::Open },
            from: self.from.map(|day| midnight(&here, day)).transpose()?,
            to: self.until.map(|day| after(&here, day)).transpose()?,
            lang: self.lang,
            access: self.access,
            without_texts: false,
            mark: self.mark,
        };
        let bar = output::progress("rows", 0);
        let progress = |rows| bar.set_position(rows);
        if self.file.as_os_str() == "-" {
            let written = whistle.export_to(&here, &options, io::stdout(), progress);
            bar.finish_and_clear();
            return match written {
                // Who reads no further (`whistle … | head`) has what they wanted.
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                other => Ok(other.map(drop)?),
            };
        }
        let report = whistle.export(&here, &options, &self.file, progress)?;
        bar.finish_and_clear();
        if self.json {
            output::json(&report);
        } else {
            output::line(format!(
                "{}: {}",
                self.file.display(),
                written(self.rows, &report)
            ));
        }
        Ok(())
    }
}

fn written(rows: Rows, report: &ExportReport) -> String {
    match rows {
        Rows::Cases => output::count(report.cases, "case", "cases"),
        Rows::Whistles => output::count(report.whistles, "whistle", "whistles"),
        Rows::Calls => output::count(report.calls, "call", "calls"),
    }
}

fn midnight(here: &Here, day: Date) -> Result<Timestamp> {
    let zone = here.place.calendar.zone();
    zone.to_timestamp(day.at(0, 0, 0, 0))
        .map_err(|_| Failure::Usage(format!("{day} is too far away; write a date such as 2027-01-31")))
}

/// The end of a day, which is the midnight after it.
fn after(here: &Here, day: Date) -> Result<Timestamp> {
    midnight(here, day.tomorrow().unwrap_or(day))
}
