//! The files of a place, as they were read. Knows names and sizes; what is in them is the other modules' to say.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
    path::Path,
};

use crate::fault::{Faults, whole};

/// The files that a place is made of, besides the texts below `briefing/` and `notices/`.
pub const KNOWN_FILES: [&str; 13] = [
    "jurisdiction.toml",
    "areas.geojson",
    "units.csv",
    "posts.csv",
    "services.csv",
    "questions.csv",
    "standards.csv",
    "routing.csv",
    "escalations.csv",
    "whistles.csv",
    "rounds.csv",
    "calendar.csv",
    "indicators.toml",
];

/// The files without which there is no place.
pub(crate) const NEEDED_FILES: [&str; 7] = [
    "jurisdiction.toml",
    "areas.geojson",
    "units.csv",
    "posts.csv",
    "services.csv",
    "standards.csv",
    "routing.csv",
];

/// The largest areas.geojson: some 200,000 cells of 45 vertices.
pub const MAX_AREAS_BYTES: u64 = 256 << 20;
/// The largest of the other files: some 100,000 rows.
pub const MAX_FILE_BYTES: u64 = 16 << 20;
/// The folders of texts.
const TEXT_FOLDERS: [&str; 2] = ["briefing", "notices"];
/// The most texts below each of them.
pub const MAX_TEXTS: usize = 200;
/// How deep they may be nested.
const MAX_DEPTH: usize = 4;

/// The raw files of a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folder {
    files: BTreeMap<String, Vec<u8>>,
    strangers: Vec<String>,
}

impl Folder {
    /// Reads the files that make a place. Others are left where they are, and [`compile`](crate::compile) warns of
    /// them; README, LICENSE and hidden files are passed over.
    ///
    /// Refuses a folder that cannot be read and files above their limit. What is missing or wrong in the files is
    /// for `compile` to say.
    pub fn read(dir: &Path) -> Result<Self, Faults> {
        let mut folder = Self::default();
        let mut faults = Faults::default();
        folder.read_below(dir, "", 0, &mut faults);
        folder.without_faults(faults)
    }

    /// Takes files by their path inside the folder, as the store keeps them.
    pub fn from_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, Faults> {
        let mut folder = Self::default();
        let mut faults = Faults::default();
        for (path, bytes) in files {
            match kind_of(&path) {
                Kind::Known => folder.keep(path, bytes, &mut faults),
                Kind::Stranger => folder.strangers.push(path),
                Kind::Passed => {}
            }
        }
        folder.without_faults(faults)
    }

    /// The files, by path.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// One file.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// The BLAKE3 hash of all names and contents in 64 hexadecimal digits: equal for equal folders only.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (path, bytes) in &self.files {
            for part in [path.as_bytes(), bytes] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Files that belong to no place.
    pub(crate) fn strangers(&self) -> &[String] {
        &self.strangers
    }

    fn without_faults(self, faults: Faults) -> Result<Self, Faults> {
        if faults.has_errors() {
            Err(faults.sorted())
        } else {
            Ok(self)
        }
    }

    fn read_below(&mut self, dir: &Path, prefix: &str, depth: usize, faults: &mut Faults) {
        let shown = || match prefix {
            "" => dir.display().to_string(),
            _ => prefix.trim_end_matches('/').to_owned(),
        };
        let entries: Result<Vec<_>, _> = fs::read_dir(dir).and_then(Iterator::collect);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                return faults.error(
                    whole(&shown()),
                    format!("cannot be read as a folder ({error})"),
                    "name the folder that holds jurisdiction.toml",
                );
            }
        };
        if depth >= MAX_DEPTH {
            return faults.error(whole(&shown()), "is nested too deeply", "move its texts up");
        }
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let is_dir = entry.path().is_dir();
            if is_dir && text_folder(&format!("{path}/")).is_some() {
                self.read_below(&entry.path(), &format!("{path}/"), depth + 1, faults);
                continue;
            }
            match kind_of(&path) {
                Kind::Known if is_dir => {
                    let mend = "put the file of this name in its place";
                    faults.error(whole(&path), "is a folder, not a file", mend);
                }
                Kind::Known => match read_bounded(&entry.path(), limit_of(&path)) {
                    Ok(bytes) => self.keep(path, bytes, faults),
                    Err(error) => faults.error(
                        whole(&path),
                        format!("cannot be read ({error})"),
                        "let this program read it",
                    ),
                },
                Kind::Stranger => self.strangers.push(path),
                Kind::Passed => {}
            }
        }
    }

    fn keep(&mut self, path: String, bytes: Vec<u8>, faults: &mut Faults) {
        let limit = limit_of(&path);
        if bytes.len() as u64 > limit {
            let what = format!("is larger than {} MiB", limit >> 20);
            return faults.error(whole(&path), what, "simplify it, or split the place");
        }
        if let Some(folder) = text_folder(&path) {
            let beside = self.files.keys().filter(|p| text_folder(p) == Some(folder));
            if beside.count() == MAX_TEXTS {
                let what = format!("is one text more than the {MAX_TEXTS} of {folder}/");
                return faults.error(whole(&path), what, "remove what is no longer used");
            }
        }
        self.files.insert(path, bytes);
    }
}

enum Kind {
    Known,
    Stranger,
    /// Belongs to the folder's keeper, not to the place.
    Passed,
}

fn kind_of(path: &str) -> Kind {
    const PASSED: [&str; 7] = [
        "README",
        "LICENSE",
        "LICENCE",
        "NOTICE",
        "COPYING",
        "CHANGELOG",
        "Makefile",
    ];
    if text_folder(path).is_some() {
        return if path.split('/').any(|part| part.starts_with('.')) {
            Kind::Passed
        } else {
            Kind::Known
        };
    }
    let stem = path.split('.').next().unwrap_or_default();
    if KNOWN_FILES.contains(&path) {
        Kind::Known
    } else if stem.is_empty() || PASSED.iter().any(|name| stem.eq_ignore_ascii_case(name)) {
        Kind::Passed
    } else {
        Kind::Stranger
    }
}

/// The folder of texts in which a file lies.
pub(crate) fn text_folder(path: &str) -> Option<&'static str> {
    let (folder, _) = path.split_once('/')?;
    TEXT_FOLDERS.into_iter().find(|known| *known == folder)
}

fn limit_of(path: &str) -> u64 {
    match path {
        "areas.geojson" => MAX_AREAS_BYTES,
        _ => MAX_FILE_BYTES,
    }
}

/// Reads one byte more than the limit at most, whatever the file system says of the size.
fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
