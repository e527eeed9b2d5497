//! The type that is printed with: what is in the program, and what an operator adds.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use flate2::read::GzDecoder;
use rust_embed::Embed;
use typst::{
    foundations::Bytes,
    text::{Font, FontBook},
    utils::LazyHash,
};

use crate::Error;

/// What `front/` left: Noto Sans SC, regular and bold, packed.
#[derive(Embed)]
#[folder = "../../front/type/"]
#[allow_missing = true]
struct Shipped;

/// The largest font: some three times one of all Chinese letters.
const MAX_FONT_BYTES: u64 = 64 << 20;
/// The most files of a folder of fonts that are looked at.
const MAX_FILES: usize = 500;
/// How deep such a folder may be nested.
const MAX_DEPTH: usize = 4;

/// Fonts, unpacked.
#[derive(Debug, Clone)]
pub struct Fonts {
    pub(crate) all: Arc<Vec<Font>>,
    pub(crate) book: Arc<LazyHash<FontBook>>,
    /// For the drawing of pictures.
    pub(crate) drawn: Arc<resvg::usvg::fontdb::Database>,
}

impl Fonts {
    /// Those in the program.
    pub fn shipped() -> Result<Self, Error> {
        static UNPACKED: LazyLock<Vec<Bytes>> = LazyLock::new(|| {
            let unpacked = Shipped::iter()
                .filter(|name| name.ends_with(".gz"))
                .filter_map(|name| {
                    let packed = Shipped::get(&name)?;
                    let mut bytes = Vec::new();
                    let unpacked = GzDecoder::new(&*packed.data)
                        .take(MAX_FONT_BYTES)
                        .read_to_end(&mut bytes);
                    unpacked.ok().map(|_| Bytes::new(bytes))
                });
            unpacked.collect()
        });
        Self::of(UNPACKED.iter().cloned())
    }

    /// Those of a folder before those in the program.
    pub fn with_folder(folder: &Path) -> Result<Self, Error> {
        let mut files = Vec::new();
        let failed = |error| Error::Folder {
            path: folder.display().to_string(),
            error,
        };
        find(folder, 0, &mut files).map_err(failed)?;
        files.sort();
        let mut added = Vec::new();
        for file in files {
            let mut bytes = Vec::new();
            let read =
                fs::File::open(&file).and_then(|file| file.take(MAX_FONT_BYTES).read_to_end(&mut bytes));
            read.map_err(failed)?;
            added.push(Bytes::new(bytes));
        }
        let shipped = Self::shipped().map(|shipped| shipped.all).unwrap_or_default();
        let shipped = shipped.iter().map(|font| font.data().clone());
        Self::of(added.into_iter().chain(shipped))
    }

    fn of(files: impl Iterator<Item = Bytes>) -> Result<Self, Error> {
        let mut drawn = resvg::usvg::fontdb::Database::new();
        let mut fonts: Vec<Font> = Vec::new();
        for bytes in files {
            drawn.load_font_source(resvg::usvg::fontdb::Source::Binary(Arc::new(bytes.clone())));
            fonts.extend(Font::iter(bytes));
        }
        let Some(first) = fonts.first() else {
            return Err(Error::NoFonts);
        };
        drawn.set_sans_serif_family(first.info().family.as_str());
        let book = FontBook::from_fonts(&fonts);
        Ok(Self {
            book: Arc::new(LazyHash::new(book)),
            all: Arc::new(fonts),
            drawn: Arc::new(drawn),
        })
    }

    /// The families, in the order in which they are tried.
    pub(crate) fn families(&self) -> Vec<String> {
        let mut families: Vec<String> = Vec::new();
        for font in self.all.iter() {
            let family = font.info().family.as_str().to_owned();
            if !families.contains(&family) {
                families.push(family);
            }
        }
        families
    }

    /// Fails with the first letter that no font has.
    pub(crate) fn ensure(&self, text: &str) -> Result<(), Error> {
        let has = |letter: char| {
            letter.is_control()
                || letter.is_whitespace()
                || self
                    .all
                    .iter()
                    .any(|font| font.info().coverage.contains(u32::from(letter)))
        };
        match text.chars().find(|letter| !has(*letter)) {
            None => Ok(()),
            Some(letter) => Err(Error::Letter {
                letter,
                within: text.chars().take(80).collect(),
            }),
        }
    }
}

fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && depth < MAX_DEPTH {
            find(&path, depth + 1, files)?;
        }
        let ending = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
        let is_font =
            ending.is_some_and(|ending| ["ttf", "otf", "ttc", "otc"].iter().any(|known| ending == *known));
        if is_font && files.len() < MAX_FILES {
            files.push(path);
        }
    }
    Ok(())
}
