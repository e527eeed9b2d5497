//! Where the parts of an install are: the database, the secret key, the photos.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use whistle_store::{Store, Target};

use crate::error::{Error, Result};

/// Where an install is. Processes that share one name the same database and have the same key.
#[derive(Clone)]
pub struct Site {
    /// The data directory: the photos, and what is not named below.
    pub dir: PathBuf,
    /// The address of a PostgreSQL database; without one, SQLite's is in the directory.
    pub database_url: Option<String>,
    /// The secret key; without it, it is a file in the directory.
    pub key: Option<[u8; 32]>,
}

impl From<&Path> for Site {
    fn from(dir: &Path) -> Self {
        dir.to_owned().into()
    }
}

impl From<PathBuf> for Site {
    fn from(dir: PathBuf) -> Self {
        Self {
            dir,
            database_url: None,
            key: None,
        }
    }
}

impl Site {
    /// Whether there is an install. Makes nothing.
    pub fn is_taken(&self) -> Result<bool> {
        Ok(Store::is_at(&self.database())?)
    }

    pub(crate) fn database(&self) -> Target {
        match &self.database_url {
            Some(url) => Target::Postgres(url.clone()),
            None => Target::Directory(self.dir.clone()),
        }
    }

    /// Makes the directory if there is none, for its owner alone.
    pub(crate) fn prepare(&self) -> Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let made: io::Result<()> = builder.create(&self.dir);
        made.map_err(Error::io(self.dir.display().to_string()))
    }
}
