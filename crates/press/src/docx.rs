//! DOCX: headings as styles, tables, pictures of charts, links, an annex. Opened by Word and LibreOffice.

use std::io::Cursor;

use docx_rs::{
    AbstractNumbering, AlignmentType, BreakType, Docx, Footer, Header, Hyperlink, HyperlinkType, IndentLevel,
    Level, LevelJc, LevelText, LineSpacing, NumPages, NumberFormat, Numbering, NumberingId, PageMargin,
    PageNum, Paragraph, Pic, Run as Letters, RunFonts, Shading, SpecialIndentType, Start, Style, StyleType,
    Table, TableCell, TableLayoutType, TableOfContents, TableRow, VAlignType, WidthType,
};
use whistle_briefing::{
    Word,
    document::{Block, Document, Run},
    html, word,
};
use whistle_domain::words::Lang;

use crate::{Error, Fonts, picture, pictures};

/// A4 in twentieths of a point.
const PAGE: (u32, u32) = (11_906, 16_838);
/// Its margins.
const MARGIN: i32 = 1_440;
/// The width of the text.
const WIDTH: usize = PAGE.0 as usize - 2 * MARGIN as usize;
/// The tallest picture, so that its caption stands on the same page.
const TALL: u32 = 11_900;
/// EMU of a twentieth of a point, the measure of pictures.
const EMU: u32 = 635;

const BLUE: &str = "1F4E79";
const GROUND: &str = "EEF3F8";
/// The list with dots; each counted list has a numbering of its own after it.
const DOTS: usize = 2;

/// A document as DOCX. `fonts` are what its charts are drawn with; the text is set in what the reader's machine has.
pub fn docx(document: &Document, fonts: &Fonts) -> Result<Vec<u8>, Error> {
    let mut drawn = Vec::new();
    for picture in pictures(document) {
        drawn.push(picture.map(|svg| picture::png(&svg, fonts)).transpose()?);
    }
    let mut sheet = Sheet {
        document,
        drawn: drawn.into_iter(),
        parts: Vec::new(),
        alts: Vec::new(),
        numberings: Vec::new(),
    };
    sheet.whole();
    let Sheet {
        parts,
        alts,
        numberings,
        ..
    } = sheet;
    let mut docx = styled(document);
    for numbering in numberings {
        docx = docx.add_numbering(numbering);
    }
    for part in parts {
        docx = match part {
            Part::Paragraph(paragraph) => docx.add_paragraph(*paragraph),
            Part::Table(table) => docx.add_table(*table),
            Part::Contents(contents) => docx.add_table_of_contents(*contents),
        };
    }
    let mut packed = docx.build();
    amend(&mut packed, document, &alts);
    let mut bytes = Cursor::new(Vec::new());
    packed
        .pack(&mut bytes)
        .map_err(|error| Error::Packing(error.to_string()))?;
    Ok(bytes.into_inner())
}

/// What the library cannot say: the title and the language, what a picture shows, and that the head of a table stands on each page.
fn amend(packed: &mut docx_rs::XMLDocx, document: &Document, alts: &[String]) {
    let replaced = |bytes: &mut Vec<u8>, edit: &dyn Fn(String) -> String| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        *bytes = edit(text).into_bytes();
    };
    let title = escape(&format!(
        "{} · {} · {}",
        document.place, document.title, document.period_said
    ));
    let place = escape(&document.place);
    let lang = match document.lang() {
        Lang::Zh => "zh-CN",
        Lang::En => "en-GB",
    };
    replaced(&mut packed.doc_props.core, &|text| {
        text.replace(
            "</cp:coreProperties>",
            &format!("<dc:language>{lang}</dc:language><dc:title>{title}</dc:title></cp:coreProperties>"),
        )
        .replace(
            "<dc:creator>unknown</dc:creator>",
            &format!("<dc:creator>{place}</dc:creator>"),
        )
        .replace("<cp:lastModifiedBy>unknown<", "<cp:lastModifiedBy>Whistle<")
    });
    replaced(&mut packed.styles, &|text| {
        let default = format!("<w:lang w:val=\"{lang}\" w:eastAsia=\"zh-CN\" /></w:rPr></w:rPrDefault>");
        text.replacen("</w:rPr></w:rPrDefault>", &default, 1)
    });
    replaced(&mut packed.document, &|text| {
        // The first row of each table that has a head cannot be split, and only that.
        let mut text = text.replace("<w:cantSplit />", "<w:cantSplit /><w:tblHeader />");
        for (at, alt) in alts.iter().enumerate() {
            let named = format!(
                "<wp:docPr id=\"{}\" name=\"chart {0}\" descr=\"{}\" />",
                at + 1,
                escape(alt)
            );
            text = text.replacen("<wp:docPr id=\"1\" name=\"Figure\" />", &named, 1);
        }
        text
    });
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn styled(document: &Document) -> Docx {
    let zh = document.lang() == Lang::Zh;
    let fonts = RunFonts::new()
        .ascii("Noto Sans SC")
        .hi_ansi("Noto Sans SC")
        .east_asia(if zh { "宋体" } else { "Noto Sans SC" });
    let heads = RunFonts::new()
        .ascii("Noto Sans SC")
        .hi_ansi("Noto Sans SC")
        .east_asia("黑体");
    let heading = |level: usize, size: usize, colour: &str| {
        Style::new(format!("Heading{level}"), StyleType::Paragraph)
            .name(format!("heading {level}"))
            .based_on("Normal")
            .next("Normal")
            .q_format(true)
            .outline_lvl(level - 1)
            .size(size)
            .bold()
            .color(colour)
            .fonts(heads.clone())
            .line_spacing(LineSpacing::new().before(240).after(120))
    };
    let paragraph = |id: &str, name: &str| Style::new(id, StyleType::Paragraph).name(name).based_on("Normal");
    let level = |format: &str, text: &str| {
        Level::new(
            0,
            Start::new(1),
            NumberFormat::new(format),
            LevelText::new(text),
            LevelJc::new("left"),
        )
        .indent(Some(720), Some(SpecialIndentType::Hanging(360)), None, None)
    };
    let said = format!(
        "{} · {} · {}",
        document.place, document.title, document.period_said
    );
    let header = Header::new().add_paragraph(
        Paragraph::new()
            .align(AlignmentType::Right)
            .add_run(Letters::new().size(18).color("555555").add_text(said)),
    );
    let pages = word(document.lang(), Word::Page);
    let (before, rest) = pages.split_once("{page}").unwrap_or((pages, ""));
    let (between, after) = rest.split_once("{pages}").unwrap_or((rest, ""));
    let footer = Footer::new().add_paragraph(
        Paragraph::new()
            .align(AlignmentType::Center)
            .add_run(Letters::new().size(18).add_text(before))
            .add_page_num(PageNum::new())
            .add_run(Letters::new().size(18).add_text(between))
            .add_num_pages(NumPages::new())
            .add_run(Letters::new().size(18).add_text(after)),
    );
    Docx::new()
        .page_size(PAGE.0, PAGE.1)
        .page_margin(PageMargin {
            top: MARGIN,
            left: MARGIN,
            bottom: MARGIN,
            right: MARGIN,
            header: 720,
            footer: 720,
            gutter: 0,
        })
        .default_fonts(fonts)
        .default_size(22)
        .default_line_spacing(LineSpacing::new().line(360).after(80))
        .add_style(
            Style::new("Normal", StyleType::Paragraph)
                .name("Normal")
                .q_format(true),
        )
        .add_style(
            paragraph("Title", "Title")
                .q_format(true)
                .size(52)
                .bold()
                .color(BLUE)
                .fonts(heads.clone())
                .align(AlignmentType::Center),
        )
        .add_style(
            paragraph("Subtitle", "Subtitle")
                .q_format(true)
                .size(26)
                .align(AlignmentType::Center),
        )
        .add_style(heading(1, 32, BLUE))
        .add_style(heading(2, 26, "000000"))
        .add_style(heading(3, 23, "000000"))
        .add_style(heading(4, 22, "000000"))
        .add_style(
            paragraph("Caption", "caption")
                .q_format(true)
                .size(20)
                .bold()
                .align(AlignmentType::Center),
        )
        .add_style(paragraph("Note", "Note").size(20))
        .add_style(
            paragraph("TableText", "Table Text")
                .size(19)
                .line_spacing(LineSpacing::new().line(260).after(0)),
        )
        .add_style(paragraph("TOC1", "toc 1"))
        .add_style(paragraph("TOC2", "toc 2").indent(Some(420), None, None, None))
        .add_style(
            Style::new("Hyperlink", StyleType::Character)
                .name("Hyperlink")
                .color(BLUE),
        )
        .add_abstract_numbering(AbstractNumbering::new(DOTS).add_level(level("bullet", "•")))
        .add_abstract_numbering(AbstractNumbering::new(DOTS + 1).add_level(level("decimal", "%1.")))
        .add_numbering(Numbering::new(DOTS, DOTS))
        .header(header)
        .footer(footer)
}

enum Part {
    Paragraph(Box<Paragraph>),
    Table(Box<Table>),
    Contents(Box<TableOfContents>),
}

struct Sheet<'d> {
    document: &'d Document,
    drawn: std::vec::IntoIter<Option<picture::Picture>>,
    parts: Vec<Part>,
    /// What each picture shows, in their order.
    alts: Vec<String>,
    /// One for each counted list, so that each begins with 1.
    numberings: Vec<Numbering>,
}

impl Sheet<'_> {
    fn word(&self, of: Word) -> &'static str {
        word(self.document.lang(), of)
    }

    fn put(&mut self, paragraph: Paragraph) {
        self.parts.push(Part::Paragraph(Box::new(paragraph)));
    }

    fn line(&mut self, style: &str, text: &str) {
        self.put(
            Paragraph::new()
                .style(style)
                .add_run(Letters::new().add_text(text)),
        );
    }

    fn whole(&mut self) {
        let document = self.document;
        self.line("Subtitle", &document.place);
        self.line("Title", &document.title);
        self.line("Subtitle", &document.period_said);
        self.put(
            Paragraph::new()
                .style("Caption")
                .add_run(Letters::new().add_text(self.word(Word::Contents))),
        );
        let contents = TableOfContents::new()
            .heading_styles_range(1, 2)
            .hyperlink()
            .auto();
        self.parts.push(Part::Contents(Box::new(contents)));
        self.put(Paragraph::new().add_run(Letters::new().add_break(BreakType::Page)));
        self.blocks(&document.blocks, None);
        if !document.typed.is_empty() {
            self.line("Note", self.word(Word::TypedLegend));
        }
        if document.numbers.iter().any(|cited| cited.was.is_some()) {
            self.line("Note", self.word(Word::ChangedLegend));
        }
        self.annex();
    }

    fn blocks(&mut self, blocks: &[Block], list: Option<usize>) {
        for block in blocks {
            self.block(block, list);
        }
    }

    /// A block; in a list, its paragraphs are items of that numbering.
    fn block(&mut self, block: &Block, list: Option<usize>) {
        let zh = self.document.lang() == Lang::Zh;
        match block {
            Block::Heading { level, runs, .. } => {
                let paragraph = Paragraph::new().style(&format!("Heading{level}")).keep_next(true);
                let paragraph = self.written(paragraph, runs, None);
                self.put(paragraph);
            }
            Block::Paragraph { runs } => {
                let mut paragraph = Paragraph::new();
                if let Some(list) = list {
                    paragraph = paragraph.numbering(NumberingId::new(list), IndentLevel::new(0));
                } else if zh {
                    paragraph = paragraph.first_line_chars(200);
                }
                let paragraph = self.written(paragraph, runs, None);
                self.put(paragraph);
            }
            Block::Quote { blocks } => self.blocks(blocks, list),
            Block::List { ordered, items } => {
                let numbering = if *ordered {
                    let id = DOTS + 1 + self.numberings.len();
                    self.numberings.push(Numbering::new(id, DOTS + 1));
                    id
                } else {
                    DOTS
                };
                for item in items {
                    self.blocks(item, Some(numbering));
                }
            }
            Block::Table { caption, head, rows } => {
                self.caption(caption);
                self.table(head, rows);
            }
            Block::Chart {
                caption,
                columns,
                rows,
                ..
            } => {
                let (head, lines) = html::chart_table(columns, rows);
                self.figure(caption, &head, &lines);
            }
            Block::Map { caption, shapes } => {
                let (head, lines) = html::map_table(self.document, shapes);
                self.figure(caption, &head, &lines);
            }
            Block::Story {
                title,
                when_where,
                text,
                link,
            } => {
                let to = self.document.address(link);
                let title = linked(&to, Letters::new().bold().add_text(title));
                self.put(Paragraph::new().keep_next(true).add_hyperlink(title));
                self.line("Note", when_where);
                for paragraph in text {
                    self.put(
                        Paragraph::new()
                            .indent(Some(360), None, None, None)
                            .add_run(Letters::new().add_text(paragraph)),
                    );
                }
            }
            Block::Note { text } => self.line("Note", text),
        }
    }

    fn caption(&mut self, caption: &[Run]) {
        if !caption.is_empty() {
            let paragraph = self.written(Paragraph::new().style("Caption").keep_next(true), caption, None);
            self.put(paragraph);
        }
    }

    /// A picture with its caption, and its numbers: as a table where there are few, in the words for a screen reader always.
    fn figure(&mut self, caption: &[Run], head: &[Vec<Run>], lines: &[Vec<Vec<Run>>]) {
        let Some(drawn) = self.drawn.next().flatten() else {
            return;
        };
        let (across, down) = (drawn.width.max(1), drawn.height.max(1));
        let dot = (WIDTH as u32 * EMU / across).min(TALL * EMU / down);
        let (width, height) = (across * dot, down * dot);
        let pic = Pic::new_with_dimensions(drawn.png, drawn.width, drawn.height).size(width, height);
        self.put(
            Paragraph::new()
                .keep_next(true)
                .add_run(Letters::new().add_image(pic)),
        );
        self.caption(caption);
        let said = lines.iter().map(|line| {
            let cells: Vec<_> = line.iter().map(|cell| html::plain(self.document, cell)).collect();
            cells.join(" ")
        });
        let said: Vec<_> = said.collect();
        self.alts.push(format!(
            "{}: {}",
            html::plain(self.document, caption),
            said.join("; ")
        ));
        self.table(head, lines);
    }

    fn table(&mut self, head: &[Vec<Run>], rows: &[Vec<Vec<Run>>]) {
        let columns = head.len().max(1);
        let cell = |sheet: &Self, at: usize, runs: &[Run], is_head: bool| {
            let align = if at == 0 {
                AlignmentType::Left
            } else {
                AlignmentType::Right
            };
            let paragraph = Paragraph::new().style("TableText").align(align);
            let bold = is_head.then_some(());
            let cell = TableCell::new()
                .width(WIDTH / columns, WidthType::Dxa)
                .vertical_align(VAlignType::Center)
                .add_paragraph(sheet.written(paragraph, runs, bold));
            if is_head {
                cell.shading(Shading::new().fill(GROUND))
            } else {
                cell
            }
        };
        let line = |cells: &[Vec<Run>], is_head: bool| {
            let cells = cells
                .iter()
                .enumerate()
                .map(|(at, runs)| cell(self, at, runs, is_head));
            TableRow::new(cells.collect())
        };
        let mut lines = vec![line(head, true).cant_split()];
        lines.extend(rows.iter().map(|row| line(row, false)));
        let table = Table::new(lines)
            .set_grid(vec![WIDTH / columns; columns])
            .layout(TableLayoutType::Fixed)
            .width(WIDTH, WidthType::Dxa);
        self.parts.push(Part::Table(Box::new(table)));
        self.put(Paragraph::new().style("TableText"));
    }

    fn written(&self, mut paragraph: Paragraph, runs: &[Run], bold: Option<()>) -> Paragraph {
        let document = self.document;
        for run in runs {
            match run {
                Run::Text {
                    text,
                    strong,
                    emphasis,
                } => {
                    let mut letters = Letters::new().add_text(text);
                    if *strong || bold.is_some() {
                        letters = letters.bold();
                    }
                    if *emphasis {
                        letters = letters.italic();
                    }
                    paragraph = paragraph.add_run(letters);
                }
                Run::Number { number } => {
                    let Some(cited) = document.numbers.get(*number) else {
                        continue;
                    };
                    let to = document.address(&cited.link);
                    paragraph = paragraph.add_hyperlink(linked(&to, Letters::new().add_text(&cited.shown)));
                    if let Some(was) = &cited.was {
                        let text = self.word(Word::WasIn);
                        let text = text
                            .replace("{issue}", &was.issue.to_string())
                            .replace("{old}", &was.shown);
                        paragraph = paragraph
                            .add_run(Letters::new().color("8A2324").add_text(format!("‡（{text}）")));
                    }
                }
                Run::Typed { typed } => {
                    if let Some(typed) = document.typed.get(*typed) {
                        paragraph = paragraph.add_run(Letters::new().add_text(format!("{}†", typed.text)));
                    }
                }
                Run::Link { to, runs } => {
                    let text = html::plain(document, runs);
                    paragraph =
                        paragraph.add_hyperlink(linked(&document.address(to), Letters::new().add_text(text)));
                }
                Run::Break => {
                    paragraph = paragraph.add_run(Letters::new().add_break(BreakType::TextWrapping));
                }
            }
        }
        paragraph
    }

    fn annex(&mut self) {
        let document = self.document;
        let text = self.word(Word::Annex);
        self.put(
            Paragraph::new()
                .style("Heading1")
                .page_break_before(true)
                .add_run(Letters::new().add_text(text)),
        );
        for (name, value) in html::basis(document) {
            self.line("Note", &format!("{name}: {value}"));
        }
        let head = [Word::Number, Word::Of, Word::Period, Word::Value, Word::Counted];
        let head = head.map(|of| vec![Run::text(self.word(of))]);
        for group in html::annex(document) {
            self.line("Heading3", &group.label);
            self.line(
                "Note",
                &format!("{}: {}", self.word(Word::Formula), group.formula),
            );
            let rows: Vec<_> = group
                .numbers
                .into_iter()
                .map(|at| {
                    let cited = &document.numbers[at];
                    vec![
                        vec![Run::text((at + 1).to_string())],
                        vec![Run::text(html::scope(document, cited))],
                        vec![Run::text(format!("{} – {}", cited.period.from, cited.period.to))],
                        vec![Run::Number { number: at }],
                        vec![Run::text(html::counted(cited))],
                    ]
                })
                .collect();
            self.table(&head, &rows);
        }
        if !document.typed.is_empty() {
            self.line("Heading3", self.word(Word::AnnexTyped));
            for typed in &document.typed {
                self.line("Note", &format!("{}† — {}", typed.text, html::place_of(typed)));
            }
        }
        if !document.left_out.is_empty() {
            self.line("Heading3", self.word(Word::AnnexLeftOut));
            let separator = self.word(Word::ListSeparator);
            for part in &document.left_out {
                self.line(
                    "Note",
                    &format!("{} — {}", part.title, part.needs.join(separator)),
                );
            }
        }
    }
}

fn linked(to: &str, letters: Letters) -> Hyperlink {
    Hyperlink::new(to, HyperlinkType::External).add_run(letters.style("Hyperlink").color(BLUE))
}
