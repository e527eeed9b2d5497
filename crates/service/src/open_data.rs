//! Open data: what anybody may have as files. Cases that are public, without what anybody wrote; indicators, without figures of
//! few cases. Made in the small hours, and when somebody asks for one that is not there or a day old.
//!
//! Each process keeps its own, in the data directory: they are made of what all have.

use std::{
    fs,
    io::Write as _,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use whistle_domain::{place::Level, words::Lang};
use whistle_figures::indicator::{Answer, Cut, Figure, Key, Period, Step, Subject, Unit};
use whistle_store::{account, lease};

use crate::{
    Whistle,
    error::{Error, Result},
    export::{ExportFormat, ExportOptions, written_whole},
    indicator::{Question, for_public, indicator, indicators, key_word},
    lease::InCharge,
    place::Here,
};

/// How old a file may be before it is made anew when somebody asks for it.
const OLD: SignedDuration = SignedDuration::from_hours(24);

/// The hours of the place's day in which the files are made: few people wait for anything then.
const HOURS: std::ops::Range<i8> = 2..5;

/// How long a file that was made by night is good for that night.
const A_NIGHT: SignedDuration = SignedDuration::from_hours(20);

/// How long it is waited after files could not be made.
const WAIT: Duration = Duration::from_mins(10);

/// When who asks for a file that is being made should come again.
const COME_AGAIN: Duration = Duration::from_secs(20);

/// Months that indicators go back.
const MONTHS: i64 = 36;

/// Where they are, in the data directory.
const FOLDER: &str = "open-data";

/// A file of open data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OpenFile {
    /// Public cases as CSV.
    CasesCsv,
    /// The same as Parquet.
    CasesParquet,
    /// Indicators by month and by town, as CSV.
    IndicatorsCsv,
}

impl OpenFile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CasesCsv, Self::CasesParquet, Self::IndicatorsCsv];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CasesCsv => "cases.csv",
            Self::CasesParquet => "cases.parquet",
            Self::IndicatorsCsv => "indicators.csv",
        }
    }

    /// The file with a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.name() == name)
    }

    /// What it is, for HTTP.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::CasesCsv | Self::IndicatorsCsv => "text/csv; charset=utf-8",
            Self::CasesParquet => "application/vnd.apache.parquet",
        }
    }
}

/// A file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Where.
    pub path: PathBuf,
    /// How large.
    pub bytes: u64,
    /// When it was made.
    pub at: Timestamp,
}

/// Whether files are being made.
#[derive(Default)]
pub(crate) struct Opening {
    /// Held by who makes them: two would write into each other's drafts.
    making: Mutex<()>,
    is_going_on: Arc<AtomicBool>,
    /// In the time that the process runs, in seconds, from 1; when it last failed.
    failed_at: AtomicU64,
}

impl Whistle {
    /// A file, if it is there.
    pub fn open_file_made(&self, here: &Here, file: OpenFile) -> Option<Made> {
        let path = self.open_folder(here).join(file.name());
        let known = fs::metadata(&path).ok()?;
        let at = Timestamp::try_from(known.modified().ok()?).ok()?;
        Some(Made {
            path,
            bytes: known.len(),
            at,
        })
    }

    /// A file that somebody asks for. One that is a day old is given, and made anew meanwhile; of one that is not there it is said
    /// when to come again.
    pub fn open_file(&self, here: &Here, file: OpenFile) -> Result<Made> {
        let made = self.open_file_made(here, file);
        let is_old = |made: &Made| self.clock.now().duration_since(made.at) > OLD;
        if made.as_ref().is_none_or(is_old) {
            self.begin_to_open(here, None);
        }
        made.ok_or(Error::Busy(COME_AGAIN))
    }

    /// Makes all files of a place. Takes as long as an export of all its cases; blocks.
    pub fn make_open_data(&self, here: &Here) -> Result<()> {
        let _making = self.opening.making.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.open_folder(here);
        fs::create_dir_all(&folder).map_err(Error::io(format!("making {}", folder.display())))?;
        for (file, format) in [
            (OpenFile::CasesCsv, ExportFormat::Csv),
            (OpenFile::CasesParquet, ExportFormat::Parquet),
        ] {
            let options = ExportOptions {
                format,
                without_texts: true,
                lang: own_language(here),
                ..ExportOptions::default()
            };
            written_whole(&folder.join(file.name()), |out| {
                self.export_cases(here, &options, out, |_| {})
            })?;
        }
        written_whole(&folder.join(OpenFile::IndicatorsCsv.name()), |out| {
            let lines = self.indicator_lines(here)?;
            out.write_all(&lines).map_err(Error::io("writing indicators"))
        })
    }

    /// Makes them, if it is the hour and they were not made this night.
    pub(crate) fn open_by_night(&self, charge: &InCharge, here: &Here) {
        let now = self.clock.now();
        let hour = here.place.calendar.zone().to_datetime(now).hour();
        let is_done = charge
            .done_at
            .is_some_and(|at| at <= now && now.duration_since(at) < A_NIGHT);
        if HOURS.contains(&hour) && !is_done {
            self.begin_to_open(here, Some(*charge));
        }
    }

    /// Makes them on a thread of its own, unless any are being made: one at a time, whoever asks.
    fn begin_to_open(&self, here: &Here, charge: Option<InCharge>) {
        let running = self.clock.running();
        let failed_at = Duration::from_secs(self.opening.failed_at.load(Ordering::Relaxed));
        let must_wait = !failed_at.is_zero() && running < failed_at + WAIT;
        if must_wait || self.opening.is_going_on.swap(true, Ordering::AcqRel) {
            return;
        }
        let (whistle, here, going_on) = (self.clone(), here.clone(), self.opening.is_going_on.clone());
        let made = thread::Builder::new().name("open-data".to_owned()).spawn(move || {
            let made = whistle.make_open_data(&here).and_then(|()| {
                let Some(InCharge { held, .. }) = charge else { return Ok(()) };
                let now = whistle.clock.now();
                Ok(whistle.store.write_blocking(move |tx| lease::finish(tx, &held, now))?)
            });
            let failed_at = match made {
                Ok(()) => 0,
                Err(error) => {
                    tracing::warn!(jurisdiction = here.id.0, %error, "the files of open data could not be made");
                    whistle.clock.running().as_secs().max(1)
                }
            };
            whistle.opening.failed_at.store(failed_at, Ordering::Relaxed);
            going_on.store(false, Ordering::Release);
        });
        if let Err(error) = made {
            tracing::warn!(%error, "no thread for the files of open data");
            self.opening.is_going_on.store(false, Ordering::Release);
        }
    }

    fn open_folder(&self, here: &Here) -> PathBuf {
        self.site.dir.join(FOLDER).join(here.id.0.to_string())
    }

    /// Indicators by month, and by town of this year and the last; masked as for everybody.
    fn indicator_lines(&self, here: &Here) -> Result<Vec<u8>> {
        let wrong = |error: csv::Error| Error::io("writing indicators")(error.into());
        let now = self.clock.now();
        let today = here.place.calendar.zone().to_datetime(now).date();
        let outside =
            |error: whistle_figures::indicator::PeriodError| Error::invalid("period", error.to_string());
        let first = today.first_of_month().saturating_sub((MONTHS - 1).months());
        let months = Period::between(first, today).map_err(outside)?;
        let year = Period::year(today.year()).map_err(outside)?;
        let last_year = year.last_year().map_err(outside)?;
        let held = self.store.read_blocking(|conn| account::holders(conn, here.id))?;
        let held = held.into_iter().map(|(_, post)| post.to_string()).collect();
        let of_cases = |subject: Subject| !subject.is_of_place();
        let codes = |wanted: &dyn Fn(Subject) -> bool| -> Vec<String> {
            indicators(here)
                .filter(|it| wanted(it.subject))
                .map(|it| it.code.clone())
                .collect()
        };
        let question = |indicators: Vec<String>, period, cut| Question {
            indicators,
            period,
            cut,
            ..Question::new(&[], period)
        };
        let questions = [
            question(codes(&of_cases), months, Cut::Time(Step::Month)),
            question(codes(&of_cases), last_year, Cut::Area(Level::Town)),
            question(codes(&of_cases), year, Cut::Area(Level::Town)),
            question(codes(&|subject| !of_cases(subject)), year, Cut::Nothing),
        ];
        let answers = self.count(here, &questions, Some(&held), now)?;
        let mut out = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        out.write_record(COLUMNS.map(|(name, _)| name)).map_err(wrong)?;
        for (question, answer) in questions.iter().zip(answers) {
            let answer = for_public(&here.place, answer, question.cut);
            write_lines(&mut out, here, question.cut, &answer).map_err(wrong)?;
        }
        out.into_inner()
            .map_err(|error| Error::io("writing indicators")(std::io::Error::other(error.to_string())))
    }
}

/// The columns of the file of indicators, with what each holds.
pub const COLUMNS: [(&str, &str); 10] = [
    ("indicator", "text"),
    ("version", "int"),
    ("label", "text"),
    ("unit", "text"),
    ("period", "text"),
    ("area", "text"),
    ("numerator", "int"),
    ("denominator", "int"),
    ("value", "float"),
    ("masked", "bool"),
];

fn write_lines(
    out: &mut csv::Writer<Vec<u8>>,
    here: &Here,
    cut: Cut,
    answer: &Answer,
) -> std::result::Result<(), csv::Error> {
    let lang = own_language(here);
    let whole = matches!(cut, Cut::Nothing).then_some(&answer.whole);
    for row in answer.rows.iter().chain(whole) {
        let (period, area) = match &row.key {
            Some(Key::Step(step)) => (step.to_string(), String::new()),
            Some(key) => (answer.period.to_string(), key_word(key)),
            None => (answer.period.to_string(), String::new()),
        };
        for (heading, figure) in answer.headings.iter().zip(&row.now) {
            let label = indicator(here, &heading.code).map_or("", |it| it.label.get(lang));
            let number = |number: u64| {
                if figure.is_masked {
                    String::new()
                } else {
                    number.to_string()
                }
            };
            out.write_record([
                heading.code.as_str(),
                &heading.version.to_string(),
                label,
                heading.unit.as_str(),
                &period,
                &area,
                &number(figure.numerator),
                &number(figure.denominator),
                &value(figure, heading.unit).map_or_else(String::new, |value| value.to_string()),
                if figure.is_masked { "true" } else { "false" },
            ])?;
        }
    }
    Ok(())
}

/// A figure in its unit: per cent in hundredths, lengths of time in seconds. For machines; what is shown is rounded elsewhere.
pub fn value(figure: &Figure, unit: Unit) -> Option<f64> {
    let ratio = figure.value?;
    let times = match unit {
        Unit::Percent => 100.0,
        Unit::PerThousand => 1000.0,
        _ => 1.0,
    };
    Some(ratio.over as f64 * times / ratio.under as f64)
}

/// The language of names in the files.
fn own_language(here: &Here) -> Lang {
    here.place
        .jurisdiction
        .languages
        .first()
        .copied()
        .unwrap_or_default()
}
