//! From a template and its evidence to a document.

use std::sync::Arc;

use whistle_domain::words::Lang;

use crate::{
    book::{self, Book},
    document::{Block, Document, FORMAT, LeftOut},
    evidence::{Evidence, Period},
    markdown,
    template::{Source, Template},
    words::{Word, need, of_period, word},
};

/// A template that could not be written, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {what}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct Failed {
    /// The template's file.
    pub file: String,
    /// Its line, from 1.
    pub line: Option<u32>,
    /// Why.
    pub what: String,
}

/// Writes the briefing of a period. `base` is where links lead: the address of the install, or nothing.
pub fn write(
    template: &Template,
    evidence: Arc<dyn Evidence>,
    lang: Lang,
    period: Period,
    base: &str,
) -> Result<Document, Failed> {
    let basis = evidence.basis();
    if !template.speaks(lang) {
        return Err(Failed {
            file: format!("{}briefing.toml", crate::template::FOLDER),
            line: None,
            what: format!("the template has no chapters in {lang}"),
        });
    }
    let book = Book::new(Arc::clone(&evidence), lang, period, template.allow.clone());
    let book = book::Shared::new(book.into());
    let environment = book::with_functions(&book);
    let mut blocks = Vec::new();
    let mut left_out = Vec::new();
    for chapter in &template.chapters {
        let title = chapter.title.of(lang);
        let missing: Vec<String> = chapter
            .needs
            .iter()
            .filter(|need| !evidence.has(need))
            .map(|missing| need(lang, missing))
            .collect();
        if !missing.is_empty() {
            let text = word(lang, Word::LeftOut)
                .replace("{title}", title)
                .replace("{needs}", &missing.join(word(lang, Word::ListSeparator)));
            blocks.push(Block::Note { text });
            left_out.push(LeftOut {
                title: title.to_owned(),
                needs: missing,
            });
            continue;
        }
        let Some(source) = chapter.texts.get(lang.as_str()) else {
            continue;
        };
        blocks.extend(chapter_of(&environment, &book, source)?);
    }
    let mut headings = 0;
    name_headings(&mut blocks, &mut headings);
    // The functions hold the book too, so it is emptied rather than taken.
    let mut book = book::open(&book);
    Ok(Document {
        format: FORMAT,
        title: template.title.of(lang).to_owned(),
        place: basis.place.of(lang).to_owned(),
        language: lang.as_str().to_owned(),
        period,
        period_said: of_period(lang, period),
        computed_at: basis.computed_at,
        data_hash: basis.data_hash,
        template_hash: template.hash().to_owned(),
        base: base.to_owned(),
        blocks,
        numbers: std::mem::take(&mut book.numbers),
        typed: std::mem::take(&mut book.typed),
        left_out,
    })
}

fn chapter_of(
    environment: &minijinja::Environment<'_>,
    shared: &book::Shared,
    source: &Source,
) -> Result<Vec<Block>, Failed> {
    let failed = |line: Option<u32>, what: String| Failed {
        file: source.file.clone(),
        line,
        what,
    };
    let marked = {
        let mut book = book::open(shared);
        book.file.clone_from(&source.file);
        markdown::with_typed_marked(&mut book, &source.text)
    };
    let rendered = environment
        .template_from_str(&marked)
        .and_then(|template| template.render(()))
        .map_err(|error| failed(error.line().map(|line| line as u32), book::said(&error)))?;
    markdown::blocks(&mut book::open(shared), &rendered).map_err(|what| failed(None, what))
}

fn name_headings(blocks: &mut [Block], headings: &mut usize) {
    for block in blocks {
        if let Block::Heading { id, .. } = block {
            *headings += 1;
            *id = format!("h{headings}");
        }
    }
}
