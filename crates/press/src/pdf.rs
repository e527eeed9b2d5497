//! PDF: the document is handed to the typesetter as data, which the pages in `document.typ` are set from. No word of it is read as
//! the typesetter's language.

use std::collections::HashMap;

use serde_json::{Value, json};
use typst::{
    Library, LibraryExt as _, World,
    diag::{FileError, FileResult, SourceDiagnostic},
    foundations::{Bytes, Datetime, Duration, Smart},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};
use typst_layout::PagedDocument;
use typst_pdf::PdfOptions;
use whistle_briefing::{Word, document::Document, html, word};

use crate::{Error, Fonts, pictures};

const PAGES: &str = include_str!("document.typ");

/// A document as PDF: A4, tagged, with its title and language.
pub fn pdf(document: &Document, fonts: &Fonts) -> Result<Vec<u8>, Error> {
    ensure_letters(document, fonts)?;
    let setting = Setting::new(document, fonts)?;
    let told = |problems: &[SourceDiagnostic]| {
        let told: Vec<_> = problems
            .iter()
            .map(|problem| problem.message.to_string())
            .collect();
        Error::Setting(told.join("; "))
    };
    let pages = typst::compile::<PagedDocument>(&setting)
        .output
        .map_err(|problems| told(&problems))?;
    let options = PdfOptions {
        ident: Smart::Custom(document.hash()),
        creator: Smart::Custom(Some("Whistle".to_owned())),
        ..PdfOptions::default()
    };
    let bytes = typst_pdf::pdf(&pages, &options).map_err(|problems| told(&problems));
    // What was remembered of this document helps no other.
    typst::comemo::evict(0);
    bytes
}

/// Every word that is printed has its letters in some font.
fn ensure_letters(document: &Document, fonts: &Fonts) -> Result<(), Error> {
    fn walk(value: &Value, fonts: &Fonts) -> Result<(), Error> {
        match value {
            Value::String(text) => fonts.ensure(text),
            Value::Array(values) => values.iter().try_for_each(|value| walk(value, fonts)),
            Value::Object(values) => values.values().try_for_each(|value| walk(value, fonts)),
            _ => Ok(()),
        }
    }
    let value = serde_json::to_value(document).map_err(|error| Error::Setting(error.to_string()))?;
    walk(&value, fonts)
}

/// All that the pages are set from.
struct Setting {
    library: LazyHash<Library>,
    fonts: Fonts,
    main: Source,
    files: HashMap<FileId, Bytes>,
}

impl Setting {
    fn new(document: &Document, fonts: &Fonts) -> Result<Self, Error> {
        let id = |name: &str| -> Result<FileId, Error> {
            let path = VirtualPath::new(name).map_err(|error| Error::Setting(format!("{error:?}")))?;
            Ok(RootedPath::new(VirtualRoot::Project, path).intern())
        };
        let mut files = HashMap::new();
        let mut alts = Vec::new();
        for (at, picture) in pictures(document).into_iter().enumerate() {
            alts.push(picture.is_some());
            if let Some(svg) = picture {
                files.insert(id(&format!("/picture-{at}.svg"))?, Bytes::from_string(svg));
            }
        }
        let data = json!({
            "document": document,
            "words": words(document),
            "basis": html::basis(document),
            "annex": annex(document),
            "families": fonts.families(),
            "drawn": alts,
        });
        files.insert(id("/document.json")?, Bytes::from_string(data.to_string()));
        Ok(Self {
            library: LazyHash::new(Library::builder().build()),
            fonts: fonts.clone(),
            main: Source::new(id("/document.typ")?, PAGES.to_owned()),
            files,
        })
    }
}

fn words(document: &Document) -> Value {
    let lang = document.lang();
    let of = |of| word(lang, of);
    let head = [Word::Number, Word::Of, Word::Period, Word::Value, Word::Counted].map(of);
    json!({
        "contents": of(Word::Contents),
        "annex": of(Word::Annex),
        "typed": of(Word::AnnexTyped),
        "left_out": of(Word::AnnexLeftOut),
        "formula": of(Word::Formula),
        "head": head,
        "typed_legend": of(Word::TypedLegend),
        "changed_legend": of(Word::ChangedLegend),
        "was": of(Word::WasIn),
        "page": of(Word::Page),
        "separator": of(Word::ListSeparator),
    })
}

fn annex(document: &Document) -> Value {
    let groups = html::annex(document).into_iter().map(|group| {
        let rows = group.numbers.into_iter().map(|at| {
            let cited = &document.numbers[at];
            json!({
                "number": at,
                "of": html::scope(document, cited),
                "period": format!("{} – {}", cited.period.from, cited.period.to),
                "counted": html::counted(cited),
            })
        });
        json!({ "label": group.label, "formula": group.formula, "rows": rows.collect::<Vec<_>>() })
    });
    Value::Array(groups.collect())
}

impl World for Setting {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.fonts.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() {
            Ok(self.main.clone())
        } else {
            Err(FileError::AccessDenied)
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.get(&id).cloned().ok_or(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.all.get(index).cloned()
    }

    /// Nothing of a document hangs on the day on which it is printed.
    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
