//! Briefings as files in the data directory: drafts that somebody reads, for a day; what was issued, pressed once and kept under its
//! hash. Each process keeps its own; those of issues are made of what all have.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::PathBuf,
    time::Duration,
};

use whistle_briefing::document::Document;

use super::{Issue, Wanted, readable};
use crate::{
    Whistle, elsewhere,
    error::{Error, Result},
    export::written_whole,
    list::Viewer,
    place::Here,
};

/// Where they are, in the data directory.
const FOLDER: &str = "briefings";

/// Where drafts are, beside them.
const DRAFTS: &str = "drafts";

/// How long a draft is kept.
const KEPT: Duration = Duration::from_hours(24);

/// As what an issue can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Paper {
    /// To print.
    Pdf,
    /// To go on writing in.
    Docx,
    /// For machines: the document itself, of which the hash is.
    Json,
}

impl Paper {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pdf, Self::Docx, Self::Json];

    /// The ending of its name.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Json => "json",
        }
    }

    /// What it is, for HTTP.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Json => "application/json",
        }
    }
}

impl Whistle {
    /// A file of an issue that the viewer may read. The first one to ask waits until it is set, a few seconds.
    pub async fn briefing_file(
        &self,
        here: &Here,
        viewer: Viewer<'_>,
        id: i64,
        paper: Paper,
    ) -> Result<(Issue, PathBuf)> {
        let all = readable(here, viewer);
        let (whistle, of) = (self.clone(), here.clone());
        let issue = elsewhere(move || whistle.issue(&of, all, id)).await??;
        // Another program may set the same document otherwise.
        let name = format!("{}-{}.{}", issue.hash, env!("CARGO_PKG_VERSION"), paper.ending());
        let path = self.briefing_folder(here).join(name);
        if path.exists() {
            return Ok((issue, path));
        }
        let (whistle, of, file) = (self.clone(), here.clone(), path.clone());
        self.one_at_a_time(move || whistle.press(&of, id, paper, &file))
            .await?;
        Ok((issue, path))
    }

    fn press(&self, here: &Here, id: i64, paper: Paper, file: &std::path::Path) -> Result<()> {
        if file.exists() {
            return Ok(());
        }
        let (_, json) = self.issued_text(here, id)?;
        let bytes = match paper {
            // As it was hashed.
            Paper::Json => json.into_bytes(),
            Paper::Pdf | Paper::Docx => {
                let document = super::read(id, &json)?;
                let failed = |error: whistle_press::Error| {
                    Error::io(format!("setting issue {id} as {}", paper.ending()))(std::io::Error::other(
                        error,
                    ))
                };
                let fonts = whistle_press::Fonts::shipped().map_err(failed)?;
                let press = if paper == Paper::Pdf {
                    whistle_press::pdf
                } else {
                    whistle_press::docx
                };
                press(&document, &fonts).map_err(failed)?
            }
        };
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(Error::io(format!("making {}", folder.display())))?;
        }
        written_whole(file, |out| {
            out.write_all(&bytes).map_err(Error::io("writing a briefing"))
        })
    }

    /// Keeps what somebody reads, and throws out what is older than a day.
    pub(super) fn keep_draft(&self, here: &Here, wanted: Wanted, document: &Document) -> Result<()> {
        let folder = self.briefing_folder(here).join(DRAFTS);
        fs::create_dir_all(&folder).map_err(Error::io(format!("making {}", folder.display())))?;
        let listed = fs::read_dir(&folder).map_err(Error::io(format!("reading {}", folder.display())))?;
        for entry in listed.flatten() {
            let modified = entry.metadata().and_then(|about| about.modified()).ok();
            let age = modified.and_then(|at| at.elapsed().ok());
            if age.is_some_and(|age| age > KEPT) {
                // One that cannot be removed now is removed with the next draft.
                let _ = fs::remove_file(entry.path());
            }
        }
        let file = folder.join(draft_name(wanted, &document.said_hash()));
        written_whole(&file, |out| {
            out.write_all(document.to_json().as_bytes())
                .map_err(Error::io("writing a draft"))
        })
    }

    /// A draft that was read here within the last day.
    pub(super) fn kept_draft(&self, here: &Here, wanted: Wanted, said: &str) -> Result<Document> {
        let gone = || Error::not_found("draft", said.to_owned());
        // A name in the folder, and nothing else.
        if said.len() != 64 || !said.bytes().all(|letter| letter.is_ascii_hexdigit()) {
            return Err(gone());
        }
        let file = self
            .briefing_folder(here)
            .join(DRAFTS)
            .join(draft_name(wanted, said));
        let text = fs::read_to_string(&file).map_err(|error| match error.kind() {
            ErrorKind::NotFound => gone(),
            _ => Error::io(format!("reading {}", file.display()))(error),
        })?;
        serde_json::from_str(&text).map_err(|_| gone())
    }

    fn briefing_folder(&self, here: &Here) -> PathBuf {
        self.site.dir.join(FOLDER).join(here.id.0.to_string())
    }
}

/// What a draft is kept as: a draft for the staff is never issued for everybody.
fn draft_name(wanted: Wanted, said: &str) -> String {
    let readers = if wanted.public { "public" } else { "staff" };
    format!("{readers}-{}-{said}.json", wanted.lang.as_str())
}
