//! What is wrong with a folder: where, what, and what would be right.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

/// The most faults that one folder is told of; a file in the wrong format would otherwise give one for each line.
pub const MAX_FAULTS: usize = 1_000;

/// How much a fault weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The folder cannot be applied.
    Error,
    /// The folder can be applied; somebody should look.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file's path inside the folder, or the folder itself.
    pub file: String,
    /// The line, from 1; none when the fault is the whole file's.
    pub line: Option<u32>,
    /// How much it weighs.
    pub severity: Severity,
    /// What is wrong.
    pub what: String,
    /// What would be right; may be empty where `what` says it all.
    pub mend: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(out, ":{line}")?;
        }
        if self.severity == Severity::Warning {
            out.write_str(": warning")?;
        }
        write!(out, ": {}", self.what)?;
        if !self.mend.is_empty() {
            write!(out, "; {}", self.mend)?;
        }
        Ok(())
    }
}

/// A place in a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub file: &'a str,
    pub line: Option<u32>,
}

/// A place in a file that has lines.
pub(crate) const fn at(file: &str, line: u32) -> At<'_> {
    At {
        file,
        line: Some(line),
    }
}

/// A file as a whole.
pub(crate) const fn whole(file: &str) -> At<'_> {
    At { file, line: None }
}

/// All faults of a folder, by file and line. At most 1,000 are kept; the rest are only counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    list: Vec<Fault>,
    errors: usize,
    left_out: usize,
}

impl Faults {
    /// Whether anything stands in the way of applying the folder.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many faults stand in the way, those left out among them.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// The faults, by file and line.
    pub fn list(&self) -> &[Fault] {
        &self.list
    }

    /// How many more there are than [`Faults::list`] holds.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// The faults, by file and line.
    pub fn into_list(self) -> Vec<Fault> {
        self.list
    }

    pub(crate) fn error(&mut self, at: At<'_>, what: impl Into<String>, mend: impl Into<String>) {
        self.errors += 1;
        self.add(at, Severity::Error, what.into(), mend.into());
    }

    pub(crate) fn warn(&mut self, at: At<'_>, what: impl Into<String>, mend: impl Into<String>) {
        self.add(at, Severity::Warning, what.into(), mend.into());
    }

    /// Takes the domain's sentence, whose part after the first semicolon says what would be right.
    pub(crate) fn refusal(&mut self, at: At<'_>, refusal: &impl fmt::Display) {
        let sentence = refusal.to_string();
        let (what, mend) = sentence.split_once("; ").unwrap_or((&sentence, ""));
        self.error(at, what, mend);
    }

    fn add(&mut self, at: At<'_>, severity: Severity, what: String, mend: String) {
        if self.list.len() >= MAX_FAULTS {
            self.left_out += 1;
            return;
        }
        self.list.push(Fault {
            file: at.file.to_owned(),
            line: at.line,
            severity,
            what,
            mend,
        });
    }

    pub(crate) fn sorted(mut self) -> Self {
        self.list
            .sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        self
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.list.iter().enumerate() {
            if i > 0 {
                out.write_str("\n")?;
            }
            fault.fmt(out)?;
        }
        if self.left_out > 0 {
            write!(out, "\nand {} more; mend these first", self.left_out)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// With the faults that others than this crate have found.
impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(found: I) -> Self {
        let mut faults = Self::default();
        for fault in found {
            faults.errors += usize::from(fault.severity == Severity::Error);
            if faults.list.len() < MAX_FAULTS {
                faults.list.push(fault);
            } else {
                faults.left_out += 1;
            }
        }
        faults.sorted()
    }
}

impl Serialize for Faults {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Faults", 2)?;
        out.serialize_field("faults", &self.list)?;
        out.serialize_field("left_out", &self.left_out)?;
        out.end()
    }
}
