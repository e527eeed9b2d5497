//! `whistle demo`: a sample place with a history, to try everything out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum, ValueHint};
use jiff::{Span, Timestamp};
use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};
use whistle_service::{
    Here, Site, Whistle,
    demo::{DemoAccount, DemoOptions},
    keep,
    notices::Outgoing,
};

use super::{plan, serve};
use crate::{
    config::{Config, ServeFlags},
    failure::{Failure, Result},
    output,
};

pub(super) const EXAMPLE: &str = "The same place, cases, seed and end make the same cases. Started again, it serves \
    what it has made, with new passwords.\n\
    Example: whistle demo --dir demo --cases 20000 --seed 1 --listen 127.0.0.1:8311";

/// Three Rivers, so that the binary alone can show it.
#[derive(RustEmbed)]
#[folder = "../../examples/three-rivers"]
struct ThreeRivers;

/// What the demo in a folder is; its presence says that the folder is a demo's and may be made anew.
const MARK: &str = "demo.json";

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The demo's own data folder
    #[arg(long, value_name = "DIR", default_value = "whistle-demo", value_hint = ValueHint::DirPath)]
    dir: PathBuf,
    /// How many cases
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    cases: u64,
    /// How many years they took
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i16).range(1..=MOST_YEARS))]
    years: i16,
    /// A demo of a known size: the reference place, 216,000 cases in five years
    #[arg(long, value_name = "SCALE", conflicts_with_all = ["cases", "years"])]
    scale: Option<Scale>,
    /// Where chance begins
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// When the history ends, such as 2027-01-31T12:00Z [default: the beginning of today]
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Another place than Three Rivers
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    place: Option<PathBuf>,
    /// Make it anew, and lose what is in the demo's folder
    #[arg(long)]
    fresh: bool,
    /// Make it, and do not serve it
    #[arg(long)]
    no_serve: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) serve: ServeFlags,
}

/// The longest history of a demo: what an archive keeps.
const MOST_YEARS: i64 = 30;

/// Sizes with a name.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scale {
    /// What the reference place had: more than 200,000 closed cases in five years
    Reference,
}

impl Scale {
    /// Cases and years. Of a hundred cases some three are still open at the end, so that 200,000 closed ones need more.
    const fn size(self) -> (u64, i16) {
        match self {
            Self::Reference => (216_000, 5),
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    cases: u64,
    seed: u64,
    #[serde(default = "one_year")]
    years: i16,
    place: Option<PathBuf>,
    /// In which PostgreSQL database; none for the folder's own.
    #[serde(default)]
    database: Option<String>,
}

/// What a mark without years means.
const fn one_year() -> i16 {
    1
}

/// The mark of a demo's folder.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    #[serde(flatten)]
    asked: Asked,
    until: Option<Timestamp>,
    /// One that is not was being made when it was stopped.
    finished: bool,
}

/// What is told once it is ready.
#[derive(Serialize)]
struct Ready<'a> {
    url: Option<&'a str>,
    jurisdiction: &'a str,
    data: &'a Path,
    accounts: &'a [DemoAccount],
}

impl Demo {
    pub(super) fn run(self, mut config: Config) -> Result<()> {
        config.site.dir.clone_from(&self.dir);
        // Nobody is told of cases that are made up, whatever file of settings lies here.
        config.outgoing = Outgoing::default();
        let whistle = self.whistle(&config.site)?;
        let here = whistle.places().named(None)?.clone();
        let accounts = whistle.demo_accounts(&here)?;
        if self.no_serve {
            self.tell(None, &here, &accounts);
            return Ok(());
        }
        serve::serve(&config, whistle, |url| self.tell(Some(url), &here, &accounts))
    }

    /// How many cases in how many years.
    fn size(&self) -> (u64, i16) {
        self.scale.map_or((self.cases, self.years), Scale::size)
    }

    /// The demo that is there, if it is what is asked for, or a new one.
    fn whistle(&self, site: &Site) -> Result<Whistle> {
        let (cases, years) = self.size();
        let asked = Asked {
            cases,
            seed: self.seed,
            years,
            place: self.place.clone(),
            database: site.database_url.as_deref().map(without_password),
        };
        match (mark(&self.dir), site.is_taken()?) {
            (None, true) if site.database_url.is_some() => Err(Failure::Refused(
                "the database holds an install that is no demo; name an empty one with --database-url"
                    .to_owned(),
            )),
            (Some(mark), true) if site.database_url.is_some() && (self.fresh || !mark.finished) => {
                Err(Failure::Refused(
                    "a demo in PostgreSQL is made anew in an empty database; name one with --database-url"
                        .to_owned(),
                ))
            }
            (None, true) => Err(Failure::Refused(format!(
                "{} holds an install that is no demo; name another folder with --dir",
                self.dir.display()
            ))),
            (Some(mark), true) if mark.finished && !self.fresh => {
                if mark.asked.database != asked.database {
                    return Err(Failure::Refused(format!(
                        "the demo of {} is in another database; unset WHISTLE_DATABASE_URL, or name another folder with --dir",
                        self.dir.display()
                    )));
                }
                if mark.asked == asked && self.until.is_none_or(|until| mark.until == Some(until)) {
                    return Ok(Whistle::open(site.clone())?);
                }
                Err(Failure::Refused(format!(
                    "{} holds another demo ({} cases in {}, seed {}); name another folder with --dir, or lose it with --fresh",
                    self.dir.display(),
                    mark.asked.cases,
                    output::count(mark.asked.years.unsigned_abs().into(), "year", "years"),
                    mark.asked.seed
                )))
            }
            _ => self.make(site, asked),
        }
    }

    fn make(&self, site: &Site, asked: Asked) -> Result<Whistle> {
        self.clear()?;
        let mut mark = Mark {
            asked,
            until: self.until,
            finished: false,
        };
        self.write_mark(&mark)?;
        let place = self.place.clone().map_or_else(|| self.write_place(), Ok)?;
        let whistle = Whistle::open(site.clone())?;
        whistle
            .apply(&place)
            .map_err(|error| plan::faults_or(error, &place, self.json))?;
        let here = whistle.places().named(None)?.clone();
        let to = self.until.unwrap_or_else(|| today(&here, whistle.now()));
        let (cases, years) = self.size();
        let zone = here.place.calendar.zone();
        let began = zone.to_datetime(to).checked_sub(Span::new().years(years));
        let options = DemoOptions {
            cases,
            seed: self.seed,
            from: began.ok().and_then(|began| zone.to_timestamp(began).ok()),
            to,
        };
        let bar = output::progress("cases", cases.max(1));
        let report = whistle.make_demo(&here, options, |cases| bar.set_position(cases))?;
        bar.finish_and_clear();
        if report.refused > 0 {
            let refusals = report.refusals.join("\n  ");
            eprintln!(
                "warning: the rules refused {} deeds of the demo:\n  {refusals}",
                report.refused
            );
        }
        mark.until = Some(to);
        mark.finished = true;
        self.write_mark(&mark)?;
        Ok(whistle)
    }

    /// Empties the demo's folder, and no other's.
    fn clear(&self) -> Result<()> {
        if mark(&self.dir).is_some() {
            keep::ensure_unused(&self.dir)?;
            let failed = Failure::io(&self.dir, "remove the demo's folder by hand");
            fs::remove_dir_all(&self.dir).map_err(failed)?;
        }
        Ok(())
    }

    fn write_mark(&self, mark: &Mark) -> Result<()> {
        fs::create_dir_all(&self.dir).map_err(Failure::io(&self.dir, "name a folder that can be made"))?;
        let (path, text) = (self.dir.join(MARK), serde_json::to_vec_pretty(mark));
        let text = text.expect("a mark has string keys only");
        fs::write(&path, text).map_err(Failure::io(&path, "name a folder that can be written to"))
    }

    /// Lays Three Rivers beside the data, where it can be looked at, changed and applied again.
    fn write_place(&self) -> Result<PathBuf> {
        let folder = self.dir.join("place");
        for name in ThreeRivers::iter() {
            let path = folder.join(name.as_ref());
            let file = ThreeRivers::get(&name).expect("what is listed is embedded");
            let parent = path.parent().unwrap_or(&folder);
            fs::create_dir_all(parent)
                .and_then(|()| fs::write(&path, &file.data))
                .map_err(Failure::io(&path, "name a folder that can be written to"))?;
        }
        Ok(folder)
    }

    fn tell(&self, url: Option<&str>, here: &Here, accounts: &[DemoAccount]) {
        let jurisdiction = &here.place.jurisdiction;
        if self.json {
            output::json(&Ready {
                url,
                jurisdiction: jurisdiction.code.as_str(),
                data: &self.dir,
                accounts,
            });
            return;
        }
        output::line(format!(
            "\n{} with {} cases, in {}",
            jurisdiction.name.own,
            self.size().0,
            self.dir.display()
        ));
        if let Some(url) = url {
            let faces = [
                ("residents", "/"),
                ("staff", "/staff"),
                ("Open311", "/open311/discovery.json"),
                ("API", "/api/v1/openapi.json"),
                ("figures", "/metrics"),
            ];
            for (what, path) in faces {
                output::line(format!("  {what:<10} {url}{path}"));
            }
        }
        output::line("");
        let rows: Vec<_> = accounts
            .iter()
            .map(|a| {
                [
                    a.login.clone(),
                    a.password.clone(),
                    a.role.to_owned(),
                    a.post.to_string(),
                ]
            })
            .collect();
        output::table(&["login", "password", "role", "post"], &rows);
    }
}

fn mark(dir: &Path) -> Option<Mark> {
    serde_json::from_slice(&fs::read(dir.join(MARK)).ok()?).ok()
}

/// The beginning of today in the place: the same all day, so that the same demo can be made twice.
fn today(here: &Here, now: Timestamp) -> Timestamp {
    let zone = here.place.calendar.zone();
    let midnight = zone.to_datetime(now).date().at(0, 0, 0, 0);
    zone.to_timestamp(midnight).unwrap_or(now)
}

/// The address of a database as it may be written down.
fn without_password(url: &str) -> String {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let query: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.starts_with("password="))
        .collect();
    format!("{scheme}://{rest}?{}", query.join("&"))
}
