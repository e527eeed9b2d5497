//! The rejects file: every row that was not imported, why, and the row itself, so that it can be mended and imported.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
};

use super::row::Why;
use crate::error::{Error, Result};

/// Writes rejects and counts them by reason.
pub(super) struct Rejects {
    writer: csv::Writer<BufWriter<File>>,
    path: PathBuf,
    pub by_reason: BTreeMap<&'static str, u64>,
    pub total: u64,
}

impl Rejects {
    /// Begins the file anew. The columns of the original follow ours.
    pub fn create(path: &Path, columns: &[String]) -> Result<Self> {
        let what = format!("writing {}", path.display());
        let file = File::create(path).map_err(Error::io(what))?;
        let mut rejects = Self {
            writer: csv::WriterBuilder::new()
                .flexible(true)
                .from_writer(BufWriter::new(file)),
            path: path.to_owned(),
            by_reason: BTreeMap::new(),
            total: 0,
        };
        let ours = ["reject_line", "reject_id", "reject_reason", "reject_why"];
        rejects.write(ours.into_iter().chain(columns.iter().map(String::as_str)))?;
        Ok(rejects)
    }

    pub fn add(&mut self, line: u64, id: &str, why: &Why, original: &[String]) -> Result<()> {
        self.total += 1;
        *self.by_reason.entry(why.word).or_default() += 1;
        let line = line.to_string();
        let ours = [line.as_str(), id, why.word, why.sentence.as_str()];
        self.write(ours.into_iter().chain(original.iter().map(String::as_str)))
    }

    /// Writes what is left. A file that nothing is in but its header is of no use and goes.
    pub fn finish(&mut self) -> Result<()> {
        let what = format!("writing {}", self.path.display());
        self.writer.flush().map_err(Error::io(what.clone()))?;
        // What is no plain file, such as /dev/null, is not ours to remove.
        if self.total == 0 && self.path.is_file() {
            fs::remove_file(&self.path).map_err(Error::io(what))?;
        }
        Ok(())
    }

    fn write<'c>(&mut self, cells: impl Iterator<Item = &'c str>) -> Result<()> {
        let path = self.path.display();
        self.writer
            .write_record(cells)
            .map_err(|error| Error::io(format!("writing {path}"))(error.into()))
    }
}
