//! Backups of the SQLite database: one whole, checked file, or none. (PostgreSQL has its own tools.)

use std::fs;
use std::path::{Path, PathBuf};

use crate::conn::{Conn, Role};
use crate::dir::{self, Claim};
use crate::error::{Error, Result};
use crate::migrate::{self, MIGRATIONS};
use crate::sqlite;

/// How far a copy has come, in pages of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub done: u64,
    pub total: u64,
}

/// Writes one state of the database at `database` to the new file `to`. Readers and writers go on meanwhile.
pub(crate) fn backup(database: &Path, to: &Path, mut progress: impl FnMut(Progress)) -> Result<()> {
    if to.try_exists().map_err(|error| Error::io(to, error))? {
        return Err(Error::Exists { path: to.to_owned() });
    }
    let draft = Draft::beside(to)?;
    sqlite::copy(database, &draft.path, |done, total| {
        progress(Progress { done, total });
    })?;
    sqlite::verify(&draft.path)?;
    dir::settle(&draft.path, to)
}

/// Makes the backup `from` the database of `data_dir`, which no process may have open. It is checked first: a damaged
/// one, a foreign one, or one of a newer program is refused and nothing changed. With `force` a database that is there
/// gives way to it; it stays beside it as `whistle.before-restore.db`.
pub fn restore(from: &Path, data_dir: &Path, force: bool, mut progress: impl FnMut(Progress)) -> Result<()> {
    fs::metadata(from).map_err(|error| Error::io(from, error))?;
    let _alone = Claim::alone(data_dir)?;
    let place = dir::database(data_dir);
    let replaces = place.try_exists().map_err(|error| Error::io(&place, error))?;
    if replaces && !force {
        return Err(Error::Exists { path: place });
    }
    let draft = Draft::beside(&place)?;
    sqlite::copy(from, &draft.path, |done, total| {
        progress(Progress { done, total });
    })?;
    sqlite::verify(&draft.path)?;
    migrate::check(&Conn::from(sqlite::open(&draft.path, Role::Reader)?), MIGRATIONS)?;
    if replaces {
        set_aside(&place, &place.with_file_name("whistle.before-restore.db"))?;
    }
    dir::settle(&draft.path, &place)
}

/// Moves a database away with its log, the log first: a new file must never find the log of the old one.
fn set_aside(old: &Path, aside: &Path) -> Result<()> {
    for suffix in ["-wal", "-shm", ""] {
        let (from, to) = (with_suffix(old, suffix), with_suffix(aside, suffix));
        match fs::rename(&from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // Nor may the one set aside find the log of one set aside earlier.
                let _ = fs::remove_file(&to);
            }
            Err(error) => return Err(Error::io(&from, error)),
        }
    }
    dir::sync(dir::parent(old))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// An unfinished file beside its place; removed unless it was settled there.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn beside(place: &Path) -> Result<Self> {
        let draft = Self {
            path: with_suffix(place, ".part"),
        };
        // One left over from a process that was killed.
        draft.remove();
        dir::prepare(&draft.path)?;
        Ok(draft)
    }

    fn remove(&self) {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let _ = fs::remove_file(with_suffix(&self.path, suffix));
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.remove();
    }
}
