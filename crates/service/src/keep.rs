//! Keeping: backups of an install, restoring them, and the check that everything in the store is as it must be.
//!
//! A backup is a folder that looks like a data directory: `whistle.db`, `secret.key`, `media/`. It is there whole or
//! not at all. Without the key the contact data in it could never be read again, so it holds the key, too: keep it as
//! safe as the data directory.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use whistle_store::{Store, admin::Deed};

use crate::{
    Whistle,
    error::{Error, Result},
    place::Here,
};

pub use whistle_store::audit::Audit;

const DATABASE: &str = "whistle.db";
const KEY: &str = "secret.key";
const MEDIA: &str = "media";

/// How far a backup or a restore has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Pages of the database, of all.
    Database(u64, u64),
    /// Files of the photos, of all.
    Photos(u64, u64),
}

/// What a backup holds, or a restore brought back.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Kept {
    /// Bytes of the database.
    pub database_bytes: u64,
    /// Files of photos, thumbnails included.
    pub photos: u64,
    /// Whether the secret key is in it.
    pub key: bool,
}

impl Whistle {
    /// Writes the whole install to the new folder `to` while work goes on. The database in it is one state, checked;
    /// every photo that it names is there, since photos are kept before the cases that name them.
    pub fn backup(&self, to: &Path, mut progress: impl FnMut(Step)) -> Result<Kept> {
        if to.try_exists().map_err(io_at(to))? {
            return Err(Error::Store(whistle_store::Error::Exists { path: to.to_owned() }));
        }
        let draft = Draft::beside(to)?;
        let database = draft.0.join(DATABASE);
        self.store
            .backup(&database, |p| progress(Step::Database(p.done, p.total)))?;
        // The keys in force, which need not be those in the directory, nor in any file.
        write_private(&self.secret.keys().bytes(), &draft.0.join(KEY))?;
        let photos = copy_photos(&self.site.dir.join(MEDIA), &draft.0.join(MEDIA), &mut progress)?;
        let kept = Kept {
            database_bytes: fs::metadata(&database).map_err(io_at(&database))?.len(),
            photos,
            key: true,
        };
        sync(&draft.0)?;
        fs::rename(&draft.0, to).map_err(io_at(to))?;
        sync(parent(to))?;
        for here in self.places().all() {
            self.note_act(here, Deed::BackedUp, "", &format!("photos={photos}"))?;
        }
        Ok(kept)
    }

    /// Checks everything the store keeps of a jurisdiction: the chain of hashes of every log, the fold of every log
    /// against its row, every counter against a recount; and the facts in their file, if there is one, against the logs. `progress` gets the cases done so far.
    pub fn audit(&self, here: &Here, mut progress: impl FnMut(u64)) -> Result<Audit> {
        let mut audit = self
            .store
            .examine(|conn| whistle_store::audit::audit(conn, here.id, &here.place, &mut progress))?;
        audit.findings.extend(self.audit_facts(here, progress)?);
        Ok(audit)
    }

    /// Checks the database file itself, page by page. Answers what is wrong with it, if anything is.
    pub fn check_database(&self) -> Result<Option<String>> {
        match self.store.check() {
            Ok(()) => Ok(None),
            Err(error @ whistle_store::Error::Corrupt { .. }) => Ok(Some(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}

/// Makes the backup `from` the install of `dir`, which no process may have open. `from` is a folder that
/// [`Whistle::backup`] wrote, or a database file alone. What is there is replaced only with `force`, and stays beside
/// it as `….before-restore…`. Nothing is changed unless the backup's database is whole.
pub fn restore(from: &Path, dir: &Path, force: bool, mut progress: impl FnMut(Step)) -> Result<Kept> {
    let folder = from.is_dir();
    let database = if folder {
        from.join(DATABASE)
    } else {
        from.to_owned()
    };
    if !database.is_file() {
        let why = format!("{} is no backup: there is no {DATABASE} in it", from.display());
        return Err(Error::invalid("backup", why));
    }
    let (key, new_key) = (from.join(KEY), dir.join("secret.key.part"));
    let has_key = folder && key.is_file();
    let path = dir.join(DATABASE);
    if !force && path.is_file() {
        return Err(Error::Store(whistle_store::Error::Exists { path }));
    }
    // The claim that the restore of the database takes comes too late for what is written before it.
    ensure_unused(dir)?;
    // Photos first: more than the database names do no harm, fewer would. The key last but one step apart from the
    // database, so that a process that is killed leaves the old pair or, with the same command again, the new one.
    let photos = if folder {
        copy_photos(&from.join(MEDIA), &dir.join(MEDIA), &mut progress)?
    } else {
        0
    };
    if has_key {
        write_private(&fs::read(&key).map_err(io_at(&key))?, &new_key)?;
    }
    whistle_store::restore(&database, dir, force, |p| {
        progress(Step::Database(p.done, p.total));
    })?;
    if has_key {
        let place = dir.join(KEY);
        let aside = dir.join("secret.before-restore.key");
        match fs::rename(&place, &aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_at(&place)(error)),
            _ => {}
        }
        fs::rename(&new_key, &place).map_err(io_at(&place))?;
        sync(dir)?;
    }
    // Of what was there before; they are made anew.
    match fs::remove_dir_all(dir.join(crate::facts::FOLDER)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_at(dir)(error)),
        _ => {}
    }
    let database = dir.join(DATABASE);
    Ok(Kept {
        database_bytes: fs::metadata(&database).map_err(io_at(&database))?.len(),
        photos,
        key: has_key,
    })
}

/// Refused while any process has a data directory open.
pub fn ensure_unused(dir: &Path) -> Result<()> {
    Ok(Store::claim_alone(dir)?)
}

/// An unfinished folder beside its place; removed unless it was renamed.
struct Draft(PathBuf);

impl Draft {
    fn beside(to: &Path) -> Result<Self> {
        let name = to
            .file_name()
            .ok_or_else(|| Error::invalid("backup", "name a new folder, such as backups/2027-01-31"))?;
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(".part");
        let draft = Self(to.with_file_name(hidden));
        // One left over from a process that was killed.
        draft.remove();
        fs::create_dir_all(parent(to)).map_err(io_at(parent(to)))?;
        make_private_dir(&draft.0).map_err(io_at(&draft.0))?;
        Ok(draft)
    }

    fn remove(&self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Copies all photos that `to` has not. They are named by what is in them, so one that is there is the same.
fn copy_photos(from: &Path, to: &Path, progress: &mut impl FnMut(Step)) -> Result<u64> {
    let mut folders = vec![PathBuf::new()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let source = from.join(&folder);
        let entries = match fs::read_dir(&source) {
            Ok(entries) => entries,
            // A backup of an install that never had a photo.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(io_at(&source)(error)),
        };
        let target = to.join(&folder);
        fs::create_dir_all(&target).map_err(io_at(&target))?;
        for entry in entries {
            let entry = entry.map_err(io_at(&source))?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type().map_err(io_at(&source))?;
            // What the object store is still writing has a `#` in its name and belongs to no case yet.
            let unfinished = entry.file_name().to_string_lossy().contains('#');
            match kind {
                kind if kind.is_dir() => folders.push(path),
                kind if kind.is_file() && !unfinished => files.push(path),
                _ => {}
            }
        }
    }
    let total = files.len() as u64;
    for (i, file) in files.iter().enumerate() {
        let target = to.join(file);
        if !target.exists() {
            copy(&from.join(file), &target)?;
        }
        progress(Step::Photos(i as u64 + 1, total));
    }
    Ok(total)
}

/// Copies a file through a draft beside its place, and waits for the disk.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut draft = to.as_os_str().to_owned();
    draft.push("#part");
    let draft = PathBuf::from(draft);
    fs::copy(from, &draft).map_err(io_at(from))?;
    sync(&draft)?;
    fs::rename(&draft, to).map_err(io_at(to))
}

/// Writes a file that only its owner may read, from its first byte on, and waits for the disk.
pub(crate) fn write_private(bytes: &[u8], to: &Path) -> Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(to).and_then(|mut file| {
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()
    });
    written.map_err(io_at(to))
}

fn make_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

pub(crate) fn sync(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(io_at(path))
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    Error::io(path.display().to_string())
}
