//! Issued briefings as files: pressed once, and kept in the data directory under their hash. Each process keeps its own; they are
//! made of what all have.

use std::{fs, io::Write as _, path::PathBuf};

use super::{Issue, readable};
use crate::{
    Whistle, elsewhere,
    error::{Error, Result},
    export::written_whole,
    list::Viewer,
    place::Here,
};

/// Where they are, in the data directory.
const FOLDER: &str = "briefings";

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
        let folder = self.site.dir.join(FOLDER).join(here.id.0.to_string());
        // Another program may set the same document otherwise.
        let name = format!("{}-{}.{}", issue.hash, env!("CARGO_PKG_VERSION"), paper.ending());
        let path = folder.join(name);
        if path.exists() {
            return Ok((issue, path));
        }
        // One at a time: two would set the same pages, and take both cores for it.
        let _turn = self.pressing.acquire().await;
        let (whistle, of, file) = (self.clone(), here.clone(), path.clone());
        elsewhere(move || {
            if file.exists() {
                return Ok(());
            }
            let (_, document) = whistle.issued_briefing(&of, id)?;
            let failed = |error: whistle_press::Error| Error::invalid("briefing", error.to_string());
            let bytes = match paper {
                Paper::Json => document.to_json().into_bytes(),
                Paper::Pdf | Paper::Docx => {
                    let fonts = whistle_press::Fonts::shipped().map_err(failed)?;
                    let press = if paper == Paper::Pdf {
                        whistle_press::pdf
                    } else {
                        whistle_press::docx
                    };
                    press(&document, &fonts).map_err(failed)?
                }
            };
            fs::create_dir_all(&folder).map_err(Error::io(format!("making {}", folder.display())))?;
            written_whole(&file, |out| {
                out.write_all(&bytes).map_err(Error::io("writing a briefing"))
            })
        })
        .await??;
        Ok((issue, path))
    }
}
