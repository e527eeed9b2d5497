//! Where the parts of an install are: the database, the secret key, the photos.

use std::{
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use whistle_domain::rights::Role;
use whistle_store::{Store, Target};

use crate::{
    error::{Error, Result},
    provider::Provider,
    secret::Keys,
};

/// Where an install is. Processes that share one name the same database and have the same key.
#[derive(Clone)]
pub struct Site {
    /// The data directory: the photos, and what is not named below.
    pub dir: PathBuf,
    /// The address of a PostgreSQL database; without one, SQLite's is in the directory.
    pub database_url: Option<String>,
    /// The secret keys, the one in force first; without them, they are in a file in the directory.
    pub key: Option<Keys>,
    /// Where the photos are; without it, they are in the directory.
    pub media: Option<Bucket>,
    /// A list of passwords that nobody may choose; see `password`.
    pub breached_passwords: Option<PathBuf>,
    /// Roles whose accounts must have a second factor.
    pub second_factor_for: Vec<Role>,
    /// Who else signs staff in.
    pub provider: Option<Provider>,
}

/// A bucket of an S3-compatible store, `s3://bucket/prefix`. How to reach it and by which right is in the environment, as
/// for other programs: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub(crate) name: String,
    pub(crate) prefix: String,
}

impl FromStr for Bucket {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write s3://BUCKET or s3://BUCKET/PREFIX".to_owned();
        let path = text.strip_prefix("s3://").ok_or_else(wrong)?;
        let (name, prefix) = path.split_once('/').unwrap_or((path, ""));
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(wrong());
        }
        Ok(Self {
            name: name.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
        })
    }
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
            media: None,
            breached_passwords: None,
            second_factor_for: Vec::new(),
            provider: None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_written_with_or_without_a_prefix() {
        let bucket = |name: &str, prefix: &str| Bucket {
            name: name.to_owned(),
            prefix: prefix.to_owned(),
        };
        assert_eq!("s3://photos".parse(), Ok(bucket("photos", "")));
        assert_eq!("s3://photos/".parse(), Ok(bucket("photos", "")));
        assert_eq!(
            "s3://city/whistle/photos/".parse(),
            Ok(bucket("city", "whistle/photos"))
        );
        for wrong in [
            "",
            "photos",
            "s3://",
            "s3:///photos",
            "https://photos.example.org",
        ] {
            assert!(wrong.parse::<Bucket>().is_err(), "{wrong}");
        }
    }
}
