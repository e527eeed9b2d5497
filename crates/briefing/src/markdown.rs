//! From Markdown with tokens in it to blocks, and from a template's source to one whose typed numbers are marked.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream};

use crate::{
    book::{Book, CLOSE, OPEN, Token},
    digits,
    document::{Block, Run},
    template::line_at,
};

/// A link that a template may lead to: on this server, by the web, by mail.
fn is_safe(link: &str) -> bool {
    ["https://", "http://", "mailto:", "/"]
        .iter()
        .any(|begin| link.starts_with(begin))
}

/// How deep lists and quotes may be in each other.
const MAX_DEPTH: usize = 6;

/// Letters that mark tokens, and may stand in no text.
pub(crate) fn is_reserved(letter: char) -> bool {
    ('\u{FDD0}'..='\u{FDEF}').contains(&letter)
}

fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

/// A source with its expressions blanked out, byte for byte, so that what is left can be read as Markdown.
fn without_expressions(source: &str) -> String {
    let mut bytes = source.as_bytes().to_vec();
    let mut at = 0;
    while let Some(found) = source[at..].find('{') {
        let from = at + found;
        let (close, blank) = match source.as_bytes().get(from + 1) {
            Some(b'{') => ("}}", b'x'),
            Some(b'%') => ("%}", b' '),
            Some(b'#') => ("#}", b' '),
            _ => {
                at = from + 1;
                continue;
            }
        };
        let to = source[from..]
            .find(close)
            .map_or(source.len(), |length| from + length + close.len());
        for byte in &mut bytes[from..to] {
            if *byte != b'\n' {
                *byte = blank;
            }
        }
        at = to;
    }
    // Blanks are ASCII and whole letters were blanked, so this is text still.
    String::from_utf8(bytes).unwrap_or_default()
}

/// The lines on which HTML stands.
pub(crate) fn html_lines(source: &str) -> Vec<u32> {
    let blanked = without_expressions(source);
    let mut lines: Vec<u32> = parser(&blanked)
        .into_offset_iter()
        .filter(|(event, _)| matches!(event, Event::Html(_) | Event::InlineHtml(_)))
        .map(|(_, range)| line_at(source, range.start))
        .collect();
    lines.dedup();
    lines
}

/// The source with a token in place of each number that was typed into its prose, so that each is known with its line.
pub(crate) fn with_typed_marked(book: &mut Book, source: &str) -> String {
    let blanked = without_expressions(source);
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut heading = false;
    for (event, range) in parser(&blanked).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = true,
            Event::End(TagEnd::Heading(_)) => heading = false,
            // What is written with an escape is not the text that stands there: the reading afterwards finds it.
            Event::Text(text) if blanked.get(range.clone()) == Some(&*text) => {
                // Only the first text of a heading can begin with its number.
                let typed = digits::typed(&text, heading, &book.allow);
                found.extend(
                    typed
                        .into_iter()
                        .map(|typed| typed.start + range.start..typed.end + range.start),
                );
            }
            _ => {}
        }
    }
    let mut marked = String::with_capacity(source.len());
    let mut at = 0;
    for range in found {
        let number = book.type_in(&source[range.clone()], Some(line_at(source, range.start)));
        marked.push_str(&source[at..range.start]);
        marked.push_str(&Token::Typed(number).to_string());
        at = range.end;
    }
    marked.push_str(&source[at..]);
    marked
}

/// A line of plain text with tokens in it.
pub(crate) fn runs(book: &mut Book, text: &str, heading: bool) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut line = Line {
        runs: &mut runs,
        strong: false,
        emphasis: false,
    };
    // A table has no place within a line; what calls this has no Markdown that could hold one.
    let _ = line.take(book, text, heading);
    runs
}

struct Line<'r> {
    runs: &'r mut Vec<Run>,
    strong: bool,
    emphasis: bool,
}

impl Line<'_> {
    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let (is_strong, is_emphasis) = (self.strong, self.emphasis);
        if let Some(Run::Text {
            text: last,
            strong,
            emphasis,
        }) = self.runs.last_mut()
            && (*strong, *emphasis) == (is_strong, is_emphasis)
        {
            last.push_str(text);
            return;
        }
        self.runs.push(Run::Text {
            text: text.to_owned(),
            strong: is_strong,
            emphasis: is_emphasis,
        });
    }

    /// Text as it was rendered; what digits are left in it were put together by the template.
    fn plain(&mut self, book: &mut Book, text: &str, heading: bool) {
        let allow = std::mem::take(&mut book.allow);
        let mut at = 0;
        for typed in digits::typed(text, heading, &allow) {
            self.text(&text[at..typed.start]);
            let number = book.type_in(&text[typed.clone()], None);
            self.runs.push(Run::Typed { typed: number });
            at = typed.end;
        }
        book.allow = allow;
        self.text(&text[at..]);
    }

    /// Gives back the blocks that stand in the text.
    fn take(&mut self, book: &mut Book, text: &str, heading: bool) -> Result<Vec<usize>, String> {
        let mut blocks = Vec::new();
        let mut rest = text;
        let mut first = heading;
        while let Some((before, after)) = rest.split_once(OPEN) {
            self.plain(book, before, first);
            first = false;
            let (inside, after) = after.split_once(CLOSE).unwrap_or((after, ""));
            match Token::read(inside) {
                Some(Token::Number(number)) if number < book.numbers.len() => {
                    self.runs.push(Run::Number { number });
                }
                Some(Token::Typed(typed)) if typed < book.typed.len() => self.runs.push(Run::Typed { typed }),
                Some(Token::Told(told)) if told < book.told.len() => {
                    let text = book.told[told].clone();
                    self.text(&text);
                }
                Some(Token::Block(block)) if block < book.blocks.len() => blocks.push(block),
                _ => return Err("a number was changed by a filter; write it as it is".to_owned()),
            }
            rest = after;
        }
        self.plain(book, rest, first);
        Ok(blocks)
    }
}

/// A piece of the text that is being read.
enum Open {
    Blocks(Vec<Block>),
    Quote(Vec<Block>),
    List {
        ordered: bool,
        items: Vec<Vec<Block>>,
    },
    Table {
        head: Vec<Vec<Run>>,
        rows: Vec<Vec<Vec<Run>>>,
        in_head: bool,
    },
}

/// Reads rendered Markdown.
pub(crate) fn blocks(book: &mut Book, text: &str) -> Result<Vec<Block>, String> {
    let mut open: Vec<Open> = vec![Open::Blocks(Vec::new())];
    let mut runs: Vec<Run> = Vec::new();
    // Links within a line: where each leads, and the runs before it.
    let mut links: Vec<(String, Vec<Run>)> = Vec::new();
    let (mut strong, mut emphasis) = (0_usize, 0_usize);
    let mut standing: Vec<usize> = Vec::new();
    let mut level = None;
    for event in TextMergeStream::new(parser(text)) {
        match event {
            Event::Start(tag) => match tag {
                Tag::Heading { level: of, .. } => level = Some(of),
                Tag::Strong => strong += 1,
                Tag::Emphasis => emphasis += 1,
                Tag::Link { dest_url, .. } => links.push((dest_url.to_string(), std::mem::take(&mut runs))),
                Tag::BlockQuote(_) => {
                    flush(book, &mut open, &mut runs, &mut standing)?;
                    open.push(Open::Quote(Vec::new()));
                }
                Tag::List(first) => {
                    flush(book, &mut open, &mut runs, &mut standing)?;
                    let ordered = first.is_some();
                    open.push(Open::List {
                        ordered,
                        items: Vec::new(),
                    });
                }
                Tag::Item => open.push(Open::Blocks(Vec::new())),
                Tag::Table(_) => open.push(Open::Table {
                    head: Vec::new(),
                    rows: Vec::new(),
                    in_head: false,
                }),
                Tag::TableHead => {
                    if let Some(Open::Table { in_head, .. }) = open.last_mut() {
                        *in_head = true;
                    }
                }
                Tag::TableRow => {
                    if let Some(Open::Table { rows, .. }) = open.last_mut() {
                        rows.push(Vec::new());
                    }
                }
                _ => {}
            },
            Event::End(tag) => match tag {
                TagEnd::Heading(_) => {
                    if !standing.is_empty() {
                        return Err("a table, chart, map or story stands in a heading".to_owned());
                    }
                    let level = match level.take() {
                        Some(HeadingLevel::H1) | None => 1,
                        Some(HeadingLevel::H2) => 2,
                        Some(HeadingLevel::H3) => 3,
                        Some(_) => 4,
                    };
                    let runs = std::mem::take(&mut runs);
                    put(
                        &mut open,
                        Block::Heading {
                            level,
                            id: String::new(),
                            runs,
                        },
                    );
                }
                TagEnd::Paragraph | TagEnd::CodeBlock | TagEnd::HtmlBlock => {
                    flush(book, &mut open, &mut runs, &mut standing)?;
                }
                TagEnd::Strong => strong = strong.saturating_sub(1),
                TagEnd::Emphasis => emphasis = emphasis.saturating_sub(1),
                TagEnd::Link => {
                    if let Some((to, before)) = links.pop() {
                        let inside = std::mem::replace(&mut runs, before);
                        if is_safe(&to) {
                            runs.push(Run::Link { to, runs: inside });
                        } else {
                            runs.extend(inside);
                        }
                    }
                }
                TagEnd::Item => {
                    flush(book, &mut open, &mut runs, &mut standing)?;
                    if let Some(Open::Blocks(blocks)) = open.pop()
                        && let Some(Open::List { items, .. }) = open.last_mut()
                    {
                        items.push(blocks);
                    }
                }
                TagEnd::List(_) | TagEnd::BlockQuote(_) => {
                    flush(book, &mut open, &mut runs, &mut standing)?;
                    match open.pop() {
                        Some(Open::List { ordered, items }) => put(&mut open, Block::List { ordered, items }),
                        Some(Open::Quote(blocks)) => put(&mut open, Block::Quote { blocks }),
                        _ => {}
                    }
                }
                TagEnd::TableHead => {
                    if let Some(Open::Table { in_head, .. }) = open.last_mut() {
                        *in_head = false;
                    }
                }
                TagEnd::TableCell => {
                    if !standing.is_empty() {
                        return Err("a table, chart, map or story stands in a table".to_owned());
                    }
                    let cell = std::mem::take(&mut runs);
                    if let Some(Open::Table { head, rows, in_head }) = open.last_mut() {
                        match rows.last_mut().filter(|_| !*in_head) {
                            Some(row) => row.push(cell),
                            None => head.push(cell),
                        }
                    }
                }
                TagEnd::Table => {
                    if let Some(Open::Table { head, rows, .. }) = open.pop() {
                        let caption = Vec::new();
                        put(&mut open, Block::Table { caption, head, rows });
                    }
                }
                _ => {}
            },
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                let mut line = Line {
                    runs: &mut runs,
                    strong: strong > 0,
                    emphasis: emphasis > 0,
                };
                let heads = level.is_some() && line.runs.is_empty();
                standing.extend(line.take(book, &text, heads)?);
            }
            Event::SoftBreak => {
                // Between Chinese letters the end of a line is no space.
                let after_chinese =
                    matches!(runs.last(), Some(Run::Text { text, .. }) if text.ends_with(is_chinese));
                if !after_chinese && !runs.is_empty() {
                    runs.push(Run::text(" "));
                }
            }
            Event::HardBreak => runs.push(Run::Break),
            _ => {}
        }
        if open.len() > MAX_DEPTH * 2 {
            return Err(format!("lists and quotes are more than {MAX_DEPTH} deep"));
        }
    }
    flush(book, &mut open, &mut runs, &mut standing)?;
    match open.into_iter().next() {
        Some(Open::Blocks(blocks)) => Ok(blocks),
        _ => Ok(Vec::new()),
    }
}

fn is_chinese(letter: char) -> bool {
    u32::from(letter) >= 0x2e80
}

fn put(open: &mut [Open], block: Block) {
    if let Some(Open::Blocks(blocks) | Open::Quote(blocks)) = open.last_mut() {
        blocks.push(block);
    }
}

/// Ends a paragraph: of text, or of blocks that stand alone in it.
fn flush(
    book: &mut Book,
    open: &mut [Open],
    runs: &mut Vec<Run>,
    standing: &mut Vec<usize>,
) -> Result<(), String> {
    let runs = std::mem::take(runs);
    let blank = runs
        .iter()
        .all(|run| matches!(run, Run::Text { text, .. } if text.trim().is_empty()) || *run == Run::Break);
    if !standing.is_empty() {
        if !blank {
            return Err(
                "a table, chart, map or story stands within a sentence; give it a paragraph of its own"
                    .to_owned(),
            );
        }
        for at in standing.drain(..) {
            let block = book.blocks[at].clone();
            put(open, block);
        }
        return Ok(());
    }
    if !blank {
        put(open, Block::Paragraph { runs });
    }
    Ok(())
}
