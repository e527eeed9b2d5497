//! `whistle briefing`: a period's report, written, issued, listed, compared.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
    sync::Arc,
};

use clap::{Args, ValueEnum, ValueHint};
use jiff::{ToSpan as _, civil::Date};
use serde_json::json;
use whistle_briefing::{document::Document, html, template::Template};
use whistle_domain::words::Lang;
use whistle_press::Fonts;
use whistle_service::{
    Here, Whistle,
    briefing::{self, Counted, Issue, Wanted},
};

use super::{Which, lang, open};
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

pub(super) const EXAMPLE: &str = "The template is briefing/ of the place folder, or the one that ships; docs/briefing.md says how one \
    is written.\n\
    Example: whistle briefing --from 2027-01-01 --to 2027-06-30 --lang zh --format pdf --output briefing.pdf --issue";

#[derive(Debug, Args)]
pub(super) struct Briefing {
    /// The first day [default: the first of the last month]
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<Date>,
    /// The last day [default: the last of the last month]
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<Date>,
    /// zh or en
    #[arg(long, value_name = "LANG", default_value = "zh", value_parser = lang)]
    lang: Lang,
    /// What is written [default: what the name of the file says, else html]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The file [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// A folder of fonts to print with, before those in the program
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    fonts: Option<PathBuf>,
    /// Keep it as an issue, for good
    #[arg(long)]
    issue: bool,
    /// With --issue: anybody may read it, and figures of fewer than five are kept back
    #[arg(long, requires = "issue")]
    public: bool,
    /// Write an issue that is kept, as it was issued
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["from", "issue"])]
    issued: Option<i64>,
    /// List the issues
    #[arg(long, conflicts_with_all = ["from", "issue", "issued", "compare"])]
    list: bool,
    /// Say which numbers two issues do not share
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with_all = ["from", "issue", "issued"])]
    compare: Option<Vec<i64>>,
    /// Write the template that ships into DIR/briefing, to begin with; needs no install
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with_all = ["from", "issue", "issued", "list", "compare"])]
    begin: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// Print lists and comparisons as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Html,
    Pdf,
    Docx,
    Json,
}

impl Briefing {
    pub(super) fn run(self, config: &Config) -> Result<()> {
        if let Some(folder) = &self.begin {
            return begin(folder);
        }
        let whistle = open(config)?;
        let here = self.which.here(&whistle)?;
        if self.list {
            return self.tell_issues(&whistle, &here);
        }
        if let Some([old, new]) = self.compare.as_deref() {
            return self.tell_differences(&whistle, &here, *old, *new);
        }
        let document = match self.issued {
            Some(issue) => whistle.issued_briefing(&here, issue)?.1,
            None => self.written(&whistle, &here, config)?,
        };
        self.write(&document)?;
        if self.issue {
            let issue = whistle.issue_briefing(&here, &document, None, self.public)?;
            eprintln!("issued as {issue}, {}", document.hash());
        }
        Ok(())
    }

    fn written(&self, whistle: &Whistle, here: &Here, config: &Config) -> Result<Document> {
        let (from, to) = match (self.from, self.to) {
            (Some(from), Some(to)) => (from, to),
            _ => last_month(here.place.calendar.zone().to_datetime(whistle.now()).date()),
        };
        let period = briefing::period(from, to)?;
        whistle.follow_facts()?;
        let evidence = Arc::new(Counted::of(whistle, here, self.public)?);
        let base = config.base_url.as_deref().unwrap_or_default();
        let wanted = Wanted {
            period,
            lang: self.lang,
            public: self.public,
        };
        Ok(whistle.briefing(here, evidence, wanted, base)?)
    }

    fn format(&self) -> Format {
        let named = || {
            let ending = self.output.as_ref()?.extension()?.to_str()?.to_lowercase();
            Format::from_str(&ending, true).ok()
        };
        self.format.or_else(named).unwrap_or(Format::Html)
    }

    fn write(&self, document: &Document) -> Result<()> {
        let fonts = || match &self.fonts {
            Some(folder) => Fonts::with_folder(folder),
            None => Fonts::shipped(),
        };
        let printed = |bytes: std::result::Result<Vec<u8>, whistle_press::Error>| {
            bytes.map_err(|error| Failure::Refused(error.to_string()))
        };
        let bytes = match self.format() {
            Format::Html => html::page(document).into_bytes(),
            // Without a last line break: its hash is that of the issue.
            Format::Json => document.to_json().into_bytes(),
            Format::Pdf => printed(fonts().and_then(|fonts| whistle_press::pdf(document, &fonts)))?,
            Format::Docx => printed(fonts().and_then(|fonts| whistle_press::docx(document, &fonts)))?,
        };
        match &self.output {
            Some(file) => fs::write(file, bytes)
                .map_err(|error| Failure::Refused(format!("{} cannot be written: {error}", file.display()))),
            None => match io::stdout().write_all(&bytes) {
                // Who reads no further has what they wanted.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Refused(format!(
                    "standard output cannot be written: {error}"
                ))),
                _ => Ok(()),
            },
        }
    }

    fn tell_issues(&self, whistle: &Whistle, here: &Here) -> Result<()> {
        let issues = whistle.briefings(here, true, None)?;
        if self.json {
            let issues = issues.iter().map(|issue| {
                json!({
                    "id": issue.id, "from": issue.from, "to": issue.to, "language": issue.language,
                    "template_hash": issue.template_hash, "issued_at": issue.issued_at, "post": issue.post,
                    "public": issue.public, "hash": issue.hash,
                })
            });
            output::json(&issues.collect::<Vec<_>>());
            return Ok(());
        }
        let zone = here.place.calendar.zone();
        let row = |issue: &Issue| {
            let shown = if issue.public { "public" } else { "" };
            vec![
                issue.id.to_string(),
                issue.from.to_string(),
                issue.to.to_string(),
                issue.language.clone(),
                zone.to_datetime(issue.issued_at)
                    .strftime("%Y-%m-%d %H:%M")
                    .to_string(),
                shown.to_owned(),
                issue.hash.chars().take(16).collect(),
            ]
        };
        let rows: Vec<Vec<String>> = issues.iter().map(row).collect();
        output::table(&["issue", "from", "to", "lang", "issued", "", "hash"], &rows);
        Ok(())
    }

    fn tell_differences(&self, whistle: &Whistle, here: &Here, old: i64, new: i64) -> Result<()> {
        let differences = whistle.compare_briefings(here, old, new)?;
        if self.json {
            output::json(&differences);
            return Ok(());
        }
        let absent = || "·".to_owned();
        let rows: Vec<Vec<String>> = differences
            .into_iter()
            .map(|it| {
                vec![
                    it.label,
                    it.of,
                    it.old.unwrap_or_else(absent),
                    it.new.unwrap_or_else(absent),
                    it.key,
                ]
            })
            .collect();
        output::table(&["number", "of", "old", "new", "key"], &rows);
        Ok(())
    }
}

fn last_month(today: Date) -> (Date, Date) {
    let last = today.first_of_month().saturating_sub(1.day());
    (last.first_of_month(), last)
}

/// Writes the template that ships, and nothing over what is there.
fn begin(folder: &std::path::Path) -> Result<()> {
    for (path, text) in Template::shipped_files() {
        let path = folder.join(path);
        let failed =
            |error: io::Error| Failure::Refused(format!("{} cannot be written: {error}", path.display()));
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).map_err(failed)?;
        }
        let mut file = fs::File::options()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        output::line(path.display().to_string());
    }
    Ok(())
}
