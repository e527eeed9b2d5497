//! `whistle import`: cases of another system from a file.

use std::{
    fs::File,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueHint};
use whistle_service::{
    Error,
    import::{ImportFormat, ImportOptions, ImportProgress, ImportReport},
};

use super::{Which, open};
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Import cases from CSV, or from Open311 JSON or XML; the same again adds nothing
    #[command(
        after_help = "Rows that are refused are in the rejects file, each with its reason. An import that was stopped \
                      is simply started again.\n\
                      Example: whistle import cases requests.csv --source zueri-wie-neu --data /var/lib/whistle"
    )]
    Cases(Cases),
}

#[derive(Debug, Args)]
struct Cases {
    /// The file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// The name of the other system, within which its numbers are unique [default: the file's name]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// What the file is: auto, csv, json or xml
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    format: ImportFormat,
    /// How the file is encoded, where that is told wrongly: gbk, windows-1252, …
    #[arg(long, value_name = "LABEL")]
    encoding: Option<String>,
    /// A column that is called otherwise; may be given several times; `COLUMN=-` leaves it out
    #[arg(long = "map", value_name = "COLUMN=FIELD", value_parser = pair)]
    map: Vec<(String, String)>,
    /// A CSV of two columns: their name of a service, our code
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    services: Option<PathBuf>,
    /// Where refused rows are written to [default: FILE.rejects.csv in the current folder]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    rejects: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (column, field) = text.split_once('=').ok_or("write COLUMN=FIELD")?;
    Ok((column.trim().to_owned(), field.trim().to_owned()))
}

impl Import {
    pub(super) fn run(self, config: &Config) -> Result<()> {
        let What::Cases(cases) = self.what;
        cases.run(config)
    }
}

impl Cases {
    fn run(self, config: &Config) -> Result<()> {
        check(&self.file)?;
        let whistle = open(config)?;
        let here = self.which.here(&whistle)?;
        let (rejects, source) = (rejects_of(&self.file), stem(&self.file));
        let options = ImportOptions {
            source: self.source.unwrap_or(source),
            rejects: self.rejects.unwrap_or(rejects),
            file: self.file,
            format: self.format,
            encoding: self.encoding,
            map: self.map,
            services: self.services,
        };
        let size = std::fs::metadata(&options.file).map_or(0, |metadata| metadata.len());
        let bar = output::progress("bytes", size);
        let report = whistle.import_cases(&here, &options, |progress: ImportProgress| {
            bar.set_position(progress.read);
        });
        bar.finish_and_clear();
        let report = report.map_err(|error| match error {
            Error::Invalid { field: "file", what } => {
                Failure::Refused(format!("{}: {what}", options.file.display()))
            }
            other => other.into(),
        })?;
        if self.json {
            output::json(&report);
        } else {
            print(&report, &options.source);
        }
        if report.rows > 0 && report.rejected == report.rows {
            return Err(Failure::Refused(format!(
                "no row of {} could be imported",
                options.file.display()
            )));
        }
        Ok(())
    }
}

/// Whether there is a file that can be read.
fn check(file: &Path) -> Result<()> {
    let shown = file.display();
    let wrong = match File::open(file).and_then(|opened| opened.metadata()) {
        Ok(metadata) if metadata.is_file() => return Ok(()),
        Ok(metadata) if metadata.is_dir() => format!("{shown} is a folder; name one file in it"),
        Ok(_) => format!("{shown} is no plain file; write what it gives to a file, and import that"),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            format!("{shown}: there is no such file; name the file to import")
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            format!("{shown} may not be read by this user; let it, or run this as another one")
        }
        Err(error) => format!("{shown} cannot be read: {error}"),
    };
    Err(Failure::Refused(wrong))
}

fn print(report: &ImportReport, source: &str) {
    output::line(format!(
        "{source}: {} read: {} added, {} settled, {} unchanged, {} rejected",
        output::count(report.rows, "row", "rows"),
        report.added,
        report.settled,
        report.unchanged,
        report.rejected
    ));
    for (reason, n) in &report.reasons {
        output::line(format!("  {n} rejected: {reason}"));
    }
    if report.rejected > 0 {
        let file = report.rejects.display();
        output::line(format!("rejected rows are in {file}, each with why"));
    }
}

fn stem(file: &Path) -> String {
    let name = file.file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn rejects_of(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default();
    PathBuf::from(format!("{}.rejects.csv", name.to_string_lossy()))
}
