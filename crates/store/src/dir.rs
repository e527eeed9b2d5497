//! The data directory: which files are in it, and who may replace them.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

const DATABASE: &str = "whistle.db";
const LOCK: &str = "whistle.lock";

/// Where the database of a data directory is.
pub(crate) fn database(dir: &Path) -> PathBuf {
    dir.join(DATABASE)
}

/// A held claim on a data directory; it ends with the process at the latest. Any number of processes may share the
/// directory, since SQLite orders their writes; only replacing the database needs it alone.
pub(crate) struct Claim {
    _file: File,
}

impl Claim {
    /// Makes the directory if there is none, readable by its owner alone: it holds contact data.
    pub fn shared(dir: &Path) -> Result<Self> {
        Self::take(dir, File::try_lock_shared)
    }

    /// Refused while any other process, or another store of this one, has the directory open.
    pub fn alone(dir: &Path) -> Result<Self> {
        Self::take(dir, File::try_lock)
    }

    fn take(dir: &Path, lock: impl FnOnce(&File) -> Result<(), TryLockError>) -> Result<Self> {
        make_private_dir(dir).map_err(|error| Error::io(dir, error))?;
        let path = dir.join(LOCK);
        let file = private_file(&path).map_err(|error| Error::io(&path, error))?;
        match lock(&file) {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(error)) => Err(Error::io(&path, error)),
        }
    }
}

/// Makes an empty file for its owner alone, or leaves what is there. SQLite's own files take after it.
pub(crate) fn prepare(path: &Path) -> Result<()> {
    private_file(path)
        .map(drop)
        .map_err(|error| Error::io(path, error))
}

/// Puts a finished file in its place, so that after a power cut there is the old one, the new one, never a part.
pub(crate) fn settle(finished: &Path, place: &Path) -> Result<()> {
    sync(finished)?;
    fs::rename(finished, place).map_err(|error| Error::io(place, error))?;
    sync(parent(place))
}

/// The directory a path lies in; the current one for a bare name.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

pub(crate) fn sync(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|error| Error::io(path, error))
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}
