//! The press: a briefing on paper, as PDF and DOCX.
//!
//! Knows pages, type and the two formats. Takes a finished [`Document`] and changes nothing of what it says. It is a crate of its own
//! because the typesetter is long to compile.

mod docx;
mod fonts;
mod pdf;
mod picture;

pub use docx::docx;
pub use fonts::Fonts;
pub use pdf::pdf;

use whistle_briefing::document::{Block, Document};

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder of fonts that cannot be read.
    #[error("the fonts in {path} cannot be read: {error}")]
    Folder {
        /// The folder.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// No type at all.
    #[error(
        "there is no type to print with: this program was built without front/ (run `make front` and build again), so name a \
         folder of fonts with --fonts DIR"
    )]
    NoFonts,
    /// A letter that no font has.
    #[error(
        "no font has the letter {letter:?} (U+{:04X}), which stands in {within:?}; name a folder with a font that has it with --fonts DIR",
        u32::from(*letter)
    )]
    Letter {
        /// The letter.
        letter: char,
        /// Where it stands.
        within: String,
    },
    /// What the typesetter says.
    #[error("the pages cannot be set: {0}")]
    Setting(String),
    /// A picture that cannot be drawn.
    #[error("a chart cannot be drawn: {0}")]
    Picture(String),
    /// A file that cannot be packed.
    #[error("the file cannot be packed: {0}")]
    Packing(String),
}

/// The pictures of a document in the order of its text, each as SVG; none where there is nothing to draw.
fn pictures(document: &Document) -> Vec<Option<String>> {
    fn collect(document: &Document, blocks: &[Block], pictures: &mut Vec<Option<String>>) {
        for block in blocks {
            match block {
                Block::Chart {
                    caption,
                    kind,
                    columns,
                    rows,
                } => {
                    let chart = whistle_briefing::html::chart(document, caption, *kind, columns, rows);
                    pictures.push(whistle_chart::svg(&chart).ok());
                }
                Block::Map { caption, shapes } => {
                    let map = whistle_briefing::html::map(document, caption, shapes);
                    pictures.push(whistle_chart::map(&map).ok());
                }
                Block::Quote { blocks } => collect(document, blocks, pictures),
                Block::List { items, .. } => {
                    for item in items {
                        collect(document, item, pictures);
                    }
                }
                _ => {}
            }
        }
    }
    let mut pictures = Vec::new();
    collect(document, &document.blocks, &mut pictures);
    pictures
}
