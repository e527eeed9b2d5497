//! `whistle migrate`: a whole install moves to another database.

use std::{fmt::Display, path::PathBuf, str::FromStr};

use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;
use whistle_service::{
    Site, Whistle,
    transfer::{self, Doing, Same, Step},
};

use super::verify::{self, Verdict};
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

pub(super) const EXAMPLE: &str = "Stop every server of both first. Stopped or killed, it goes on when it is run again. \
    Photos and the secret key are not in a database and are not moved.\n\
    Example: whistle migrate --from sqlite:/var/lib/whistle --to postgres://whistle@db.example.org/whistle";

#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// Where the install is: sqlite:DIR or postgres://…
    #[arg(long, value_name = "DATABASE")]
    from: Database,
    /// An empty database: postgres://… or sqlite:DIR [default: the setting database_url, which no other user can see]
    #[arg(long, value_name = "DATABASE")]
    to: Option<Database>,
    /// Move nothing, only compare the rows of both
    #[arg(long)]
    compare: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One side of a move.
#[derive(Clone, Debug)]
enum Database {
    Sqlite(PathBuf),
    Postgres(String),
}

impl FromStr for Database {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("sqlite", dir)) if !dir.is_empty() => Ok(Self::Sqlite(dir.into())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            _ => Err("write sqlite:DIR or postgres://user@host/database"),
        }
    }
}

impl Database {
    /// With this database; with the key and the photos of its own folder, else of `folder`.
    fn site(&self, config: &Config, folder: &PathBuf) -> Site {
        let (dir, database_url) = match self {
            Self::Sqlite(dir) => (dir, None),
            Self::Postgres(url) => (folder, Some(url.clone())),
        };
        Site {
            dir: dir.clone(),
            database_url,
            ..config.site.clone()
        }
    }

    fn folder(&self) -> Option<&PathBuf> {
        match self {
            Self::Sqlite(dir) => Some(dir),
            Self::Postgres(_) => None,
        }
    }
}

/// What is told at the end.
#[derive(Serialize)]
struct Told {
    moved: bool,
    rows: u64,
    #[serde(flatten)]
    same: Same,
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<Verdict>,
}

impl Migrate {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        let to = match (&self.to, &config.site.database_url) {
            (Some(to), _) => to.clone(),
            (None, Some(url)) => Database::Postgres(url.clone()),
            (None, None) => {
                return Err(Failure::Usage(
                    "where to is not said; name an empty database with --to or WHISTLE_DATABASE_URL"
                        .to_owned(),
                ));
            }
        };
        let folder = self.from.folder().or(to.folder()).unwrap_or(&config.site.dir);
        let (from, to) = (self.from.site(config, folder), to.site(config, folder));
        let mut bars = Bars::default();
        let same = if self.compare {
            transfer::compare(&from, &to, |step| bars.show(step))
        } else {
            transfer::transfer(&from, &to, |step| bars.show(step))
        }?;
        bars.clear();
        let verify = if self.compare {
            None
        } else {
            let whistle = Whistle::open(to.clone())?;
            let heres = whistle.places().all().to_vec();
            Some(verify::check(&whistle, &heres)?)
        };
        let told = Told {
            moved: !self.compare,
            rows: same.rows(),
            same,
            verify,
        };
        if self.json {
            output::json(&told);
        } else {
            told.print();
            if !self.compare {
                tell_of_files(&from, &to);
            }
        }
        told.verify.as_ref().map_or(Ok(()), Verdict::judge)
    }
}

impl Told {
    fn print(&self) {
        output::line(format!(
            "{}{} in {}: the same on both sides, by number and by hash",
            if self.moved { "moved " } else { "" },
            output::count(self.rows, "row", "rows"),
            output::count(self.same.tables.len() as u64, "table", "tables"),
        ));
        if let Some(verdict) = &self.verify {
            verdict.print();
        }
    }
}

fn tell_of_files(from: &Site, to: &Site) {
    let serve = match to.database_url {
        Some(_) => "whistle serve --database-url … --data",
        None => "whistle serve --data",
    };
    output::line(format!(
        "photos and the secret key are in no database and were not moved: they are in {}; serve with `{serve} {}`, \
         and copy media/ and secret.key to every other machine that serves",
        from.dir.display(),
        shown(to.dir.display()),
    ));
}

/// A path as a shell takes it.
fn shown(path: impl Display) -> String {
    let path = path.to_string();
    if path.contains(char::is_whitespace) {
        format!("'{path}'")
    } else {
        path
    }
}

/// A bar for the move, then one for the comparison.
#[derive(Default)]
struct Bars(Option<(Doing, ProgressBar)>);

impl Bars {
    fn show(&mut self, step: Step) {
        if self.0.as_ref().is_none_or(|(doing, _)| *doing != step.doing) {
            self.clear();
            let what = match step.doing {
                Doing::Moving => "rows moved",
                Doing::Comparing => "rows compared",
            };
            self.0 = Some((step.doing, output::progress(what, step.total.max(1))));
        }
        if let Some((_, bar)) = &self.0 {
            bar.set_position(step.done);
        }
    }

    fn clear(&mut self) {
        if let Some((_, bar)) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}
