//! A document as HTML: a page that stands alone, or the body of a page of the server.

use std::fmt::Write as _;

use whistle_chart::{Chart, Kind, Map, Shape, Value};
use whistle_domain::words::Lang;

use crate::{
    document::{Block, ChartKind, ChartRow, Cited, Document, MapShape, Run},
    words::{Word, word},
};

/// The style of a document, wherever it stands.
pub const STYLE: &str = include_str!("briefing.css");

/// A whole page, with its style in it.
pub fn page(document: &Document) -> String {
    let lang = tag(document);
    let title = escape(&document.title);
    let place = escape(&document.place);
    let period = escape(&document.period_said);
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{place} · {title} · {period}</title>\n<style>\nbody {{ margin: 0; }}\n{STYLE}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
        body(document)
    )
}

/// The language as HTML names it.
fn tag(document: &Document) -> &'static str {
    match document.lang() {
        Lang::Zh => "zh-CN",
        Lang::En => "en",
    }
}

/// What stands between the head and the foot of a page.
pub fn body(document: &Document) -> String {
    let mut page = Page {
        document,
        out: String::new(),
        charts: 0,
    };
    page.whole();
    page.out
}

/// Text that is safe in HTML.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter => safe.push(letter),
        }
    }
    safe
}

/// A chart of a document as the drawing library takes it.
pub fn chart(
    document: &Document,
    caption: &[Run],
    kind: ChartKind,
    columns: &[String],
    rows: &[ChartRow],
) -> Chart {
    let value = |at: &usize| document.numbers.get(*at).map_or_else(nothing, value_of);
    let title = plain(document, caption);
    let rows: Vec<_> = rows
        .iter()
        .map(|row| whistle_chart::Row {
            name: row.name.clone(),
            values: row.numbers.iter().map(value).collect(),
        })
        .collect();
    let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    let ends = match columns {
        [] => String::new(),
        [only] => only.clone(),
        [first, .., last] => format!("{first} – {last}"),
    };
    let separator = word(document.lang(), Word::ListSeparator);
    Chart {
        kind: match kind {
            ChartKind::Bar => Kind::Bar,
            ChartKind::Stacked => Kind::Stacked,
            ChartKind::Line => Kind::Line,
            ChartKind::Heat => Kind::Heat,
        },
        description: format!("{} ({ends})", names.join(separator)),
        title,
        columns: columns.to_vec(),
        rows,
    }
}

/// A map of a document as the drawing library takes it.
pub fn map(document: &Document, caption: &[Run], shapes: &[MapShape]) -> Map {
    let title = plain(document, caption);
    Map {
        description: title.clone(),
        title,
        nothing: word(document.lang(), Word::Nothing).to_owned(),
        shapes: shapes
            .iter()
            .map(|shape| Shape {
                name: shape.name.clone(),
                rings: shape.rings.clone(),
                value: document.numbers.get(shape.number).map_or_else(nothing, value_of),
            })
            .collect(),
    }
}

fn nothing() -> Value {
    Value {
        size: None,
        shown: "—".to_owned(),
    }
}

/// Durations are drawn in hours, shares in percent: what stands beside the axis can be read.
fn value_of(cited: &Cited) -> Value {
    use crate::evidence::Measure;
    let scale = match cited.measure {
        Measure::Share => 100.0,
        Measure::Duration => 1.0 / 3600.0,
        Measure::Count | Measure::Amount => 1.0,
    };
    Value {
        size: cited.value.map(|value| value.as_f64() * scale),
        shown: cited.shown.clone(),
    }
}

/// A line without links and marks.
pub fn plain(document: &Document, runs: &[Run]) -> String {
    let mut text = String::new();
    for run in runs {
        match run {
            Run::Text { text: some, .. } => text.push_str(some),
            Run::Number { number } => {
                text.push_str(document.numbers.get(*number).map_or("—", |cited| &cited.shown));
            }
            Run::Typed { typed } => {
                text.push_str(document.typed.get(*typed).map_or("", |typed| &typed.text));
                text.push('†');
            }
            Run::Link { runs, .. } => text.push_str(&plain(document, runs)),
            Run::Break => text.push(' '),
        }
    }
    text
}

struct Page<'d> {
    document: &'d Document,
    out: String,
    charts: usize,
}

impl Page<'_> {
    fn word(&self, of: Word) -> &'static str {
        word(self.document.lang(), of)
    }

    fn add(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// An element around escaped text.
    fn element(&mut self, name: &str, text: &str) {
        let end = name.split(' ').next().unwrap_or(name);
        let _ = write!(self.out, "<{name}>{}</{end}>", escape(text));
    }

    fn whole(&mut self) {
        let document = self.document;
        let _ = writeln!(
            self.out,
            "<article class=\"briefing\" lang=\"{}\">",
            tag(document)
        );
        self.add("<header class=\"briefing-head\">\n");
        self.element("p class=\"place\"", &document.place);
        self.element("h1", &document.title);
        self.element("p class=\"period\"", &document.period_said);
        self.add("</header>\n");
        self.contents();
        let blocks = &document.blocks;
        self.blocks(blocks);
        self.legends();
        self.annex();
        self.add("</article>\n");
    }

    fn contents(&mut self) {
        let document = self.document;
        let chapters = document.blocks.iter().filter_map(|block| match block {
            Block::Heading { level: 1, id, runs } => Some((id, runs)),
            _ => None,
        });
        let label = escape(self.word(Word::Contents));
        let _ = writeln!(self.out, "<nav class=\"contents\" aria-label=\"{label}\">\n<ol>");
        for (id, runs) in chapters {
            let text = escape(&plain(document, runs));
            let _ = writeln!(self.out, "<li><a href=\"#{id}\">{text}</a></li>");
        }
        let annex = escape(self.word(Word::Annex));
        let _ = writeln!(self.out, "<li><a href=\"#annex\">{annex}</a></li>\n</ol>\n</nav>");
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
            self.add("\n");
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading { level, id, runs } => {
                let level = (level + 1).min(6);
                let _ = write!(self.out, "<h{level} id=\"{id}\">");
                self.runs(runs);
                let _ = write!(self.out, "</h{level}>");
            }
            Block::Paragraph { runs } => {
                self.add("<p>");
                self.runs(runs);
                self.add("</p>");
            }
            Block::Quote { blocks } => {
                self.add("<blockquote>\n");
                self.blocks(blocks);
                self.add("</blockquote>");
            }
            Block::List { ordered, items } => {
                let name = if *ordered { "ol" } else { "ul" };
                let _ = writeln!(self.out, "<{name}>");
                for item in items {
                    self.add("<li>");
                    match item.as_slice() {
                        [Block::Paragraph { runs }] => self.runs(runs),
                        blocks => self.blocks(blocks),
                    }
                    self.add("</li>\n");
                }
                let _ = write!(self.out, "</{name}>");
            }
            Block::Table { caption, head, rows } => self.table(caption, head, rows),
            Block::Chart {
                caption,
                kind,
                columns,
                rows,
            } => self.chart(caption, *kind, columns, rows),
            Block::Map { caption, shapes } => self.map(caption, shapes),
            Block::Story {
                title,
                when_where,
                text,
                link,
            } => {
                self.add("<aside class=\"story\">\n<h4>");
                let _ = writeln!(
                    self.out,
                    "<a href=\"{}\">{}</a></h4>",
                    escape(&self.document.address(link)),
                    escape(title)
                );
                self.element("p class=\"when\"", when_where);
                for paragraph in text {
                    self.element("p", paragraph);
                }
                self.add("</aside>");
            }
            Block::Note { text } => self.element("p class=\"left-out\"", text),
        }
    }

    fn runs(&mut self, runs: &[Run]) {
        for run in runs {
            match run {
                Run::Text {
                    text,
                    strong,
                    emphasis,
                } => {
                    let text = escape(text);
                    match (strong, emphasis) {
                        (false, false) => self.add(&text),
                        (true, false) => self.add(&format!("<strong>{text}</strong>")),
                        (false, true) => self.add(&format!("<em>{text}</em>")),
                        (true, true) => self.add(&format!("<strong><em>{text}</em></strong>")),
                    }
                }
                Run::Number { number } => self.number(*number),
                Run::Typed { typed } => {
                    if let Some(typed) = self.document.typed.get(*typed) {
                        let _ = write!(
                            self.out,
                            "<span class=\"typed\">{}<sup>†</sup></span>",
                            escape(&typed.text)
                        );
                    }
                }
                Run::Link { to, runs } => {
                    let _ = write!(self.out, "<a href=\"{}\">", escape(&self.document.address(to)));
                    self.runs(runs);
                    self.add("</a>");
                }
                Run::Break => self.add("<br>\n"),
            }
        }
    }

    fn number(&mut self, at: usize) {
        let document = self.document;
        let Some(cited) = document.numbers.get(at) else {
            return;
        };
        let link = escape(&document.address(&cited.link));
        let _ = write!(
            self.out,
            "<a class=\"number\" href=\"{link}\">{}</a>",
            escape(&cited.shown)
        );
        if let Some(was) = &cited.was {
            let text = self.word(Word::WasIn);
            let text = text
                .replace("{issue}", &was.issue.to_string())
                .replace("{old}", &was.shown);
            let _ = write!(
                self.out,
                "<span class=\"changed\"><sup>‡</sup> ({})</span>",
                escape(&text)
            );
        }
    }

    fn table(&mut self, caption: &[Run], head: &[Vec<Run>], rows: &[Vec<Vec<Run>>]) {
        self.add("<div class=\"wide\" tabindex=\"0\">\n<table>\n");
        if !caption.is_empty() {
            self.add("<caption>");
            self.runs(caption);
            self.add("</caption>\n");
        }
        self.add("<thead>\n<tr>");
        for cell in head {
            // The corner of a chart's table heads nothing.
            if cell.is_empty() {
                self.add("<td></td>");
                continue;
            }
            self.add("<th scope=\"col\">");
            self.runs(cell);
            self.add("</th>");
        }
        self.add("</tr>\n</thead>\n<tbody>\n");
        for row in rows {
            self.add("<tr>");
            for (at, cell) in row.iter().enumerate() {
                let (open, close) = if at == 0 {
                    ("<th scope=\"row\">", "</th>")
                } else {
                    ("<td>", "</td>")
                };
                self.add(open);
                self.runs(cell);
                self.add(close);
            }
            self.add("</tr>\n");
        }
        self.add("</tbody>\n</table>\n</div>");
    }

    /// A picture with its caption, and the table of its numbers behind it.
    fn figure(
        &mut self,
        caption: &[Run],
        picture: Result<String, whistle_chart::Error>,
        table: impl FnOnce(&mut Self),
    ) {
        self.charts += 1;
        self.add("<figure>\n");
        match picture {
            Ok(svg) => self.add(&svg),
            Err(error) => self.element("p class=\"left-out\"", &error.to_string()),
        }
        self.add("\n<figcaption>");
        self.runs(caption);
        self.add("</figcaption>\n<details>\n<summary>");
        self.add(&escape(self.word(Word::ChartData)));
        self.add("</summary>\n");
        table(self);
        self.add("\n</details>\n</figure>");
    }

    fn chart(&mut self, caption: &[Run], kind: ChartKind, columns: &[String], rows: &[ChartRow]) {
        let picture = whistle_chart::svg(&chart(self.document, caption, kind, columns, rows));
        let (head, lines) = chart_table(columns, rows);
        self.figure(caption, picture, |page| page.table(&[], &head, &lines));
    }

    fn map(&mut self, caption: &[Run], shapes: &[MapShape]) {
        let picture = whistle_chart::map(&map(self.document, caption, shapes));
        let (head, lines) = map_table(self.document, shapes);
        self.figure(caption, picture, |page| page.table(&[], &head, &lines));
    }

    fn legends(&mut self) {
        let changed = self.document.numbers.iter().any(|cited| cited.was.is_some());
        if !self.document.typed.is_empty() {
            self.element("p class=\"legend\"", self.word(Word::TypedLegend));
            self.add("\n");
        }
        if changed {
            self.element("p class=\"legend\"", self.word(Word::ChangedLegend));
            self.add("\n");
        }
    }

    fn annex(&mut self) {
        let document = self.document;
        self.add("<section class=\"annex\" id=\"annex\">\n");
        self.element("h2", self.word(Word::Annex));
        self.add("\n<dl>\n");
        for (name, value) in basis(document) {
            self.element("dt", name);
            self.element("dd", value);
        }
        self.add("</dl>\n");
        for group in annex(document) {
            let _ = write!(
                self.out,
                "<h3>{}</h3>\n<p class=\"formula\">",
                escape(&group.label)
            );
            self.add(&escape(self.word(Word::Formula)));
            let _ = writeln!(self.out, ": {}</p>", escape(&group.formula));
            self.add("<div class=\"wide\" tabindex=\"0\">\n<table>\n<thead>\n<tr>");
            for head in [Word::Number, Word::Of, Word::Period, Word::Value, Word::Counted] {
                self.element("th scope=\"col\"", self.word(head));
            }
            self.add("</tr>\n</thead>\n<tbody>\n");
            for at in group.numbers {
                let cited = &document.numbers[at];
                self.add("<tr>");
                self.element("td", &(at + 1).to_string());
                self.element("td", scope(document, cited));
                self.element("td", &format!("{} – {}", cited.period.from, cited.period.to));
                self.add("<td>");
                self.number(at);
                self.add("</td>");
                self.element("td", &counted(cited));
                self.add("</tr>\n");
            }
            self.add("</tbody>\n</table>\n</div>\n");
        }
        if !document.typed.is_empty() {
            self.element("h3", self.word(Word::AnnexTyped));
            self.add("\n<ul>\n");
            for typed in &document.typed {
                self.element("li", &format!("{}† — {}", typed.text, place_of(typed)));
                self.add("\n");
            }
            self.add("</ul>\n");
        }
        if !document.left_out.is_empty() {
            self.element("h3", self.word(Word::AnnexLeftOut));
            self.add("\n<ul>\n");
            let separator = self.word(Word::ListSeparator);
            for part in &document.left_out {
                self.element("li", &format!("{} — {}", part.title, part.needs.join(separator)));
                self.add("\n");
            }
            self.add("</ul>\n");
        }
        self.add("</section>\n");
    }
}

/// The table of a chart: a row for each of its columns.
pub fn chart_table(columns: &[String], rows: &[ChartRow]) -> (Vec<Vec<Run>>, Vec<Vec<Vec<Run>>>) {
    // What has more columns than rows, as hours by weekday, lies across.
    let mut head = vec![Vec::new()];
    head.extend(rows.iter().map(|row| vec![Run::text(row.name.as_str())]));
    let lines = columns.iter().enumerate().map(|(at, name)| {
        let mut line = vec![vec![Run::text(name.as_str())]];
        line.extend(rows.iter().map(|row| {
            let number = row.numbers.get(at).copied();
            number
                .map(|number| vec![Run::Number { number }])
                .unwrap_or_default()
        }));
        line
    });
    (head, lines.collect())
}

/// The table of a map.
pub fn map_table(document: &Document, shapes: &[MapShape]) -> (Vec<Vec<Run>>, Vec<Vec<Vec<Run>>>) {
    let lang = document.lang();
    let label = shapes
        .first()
        .and_then(|shape| document.numbers.get(shape.number));
    let label = label.map_or("", |cited| cited.label.as_str());
    let head = vec![vec![Run::text(word(lang, Word::Area))], vec![Run::text(label)]];
    let lines = shapes.iter().map(|shape| {
        vec![
            vec![Run::text(shape.name.as_str())],
            vec![Run::Number { number: shape.number }],
        ]
    });
    (head, lines.collect())
}

/// What the numbers stand on, by name.
pub fn basis(document: &Document) -> [(&'static str, &str); 3] {
    let lang = document.lang();
    [
        (word(lang, Word::ComputedAt), &document.computed_at),
        (word(lang, Word::DataHash), &document.data_hash),
        (word(lang, Word::TemplateHash), &document.template_hash),
    ]
}

/// The numbers of one indicator in the annex.
pub struct Group {
    /// What it is called.
    pub label: String,
    /// How it is counted.
    pub formula: String,
    /// Its numbers, by their place.
    pub numbers: Vec<usize>,
}

/// The numbers, by indicator and formula, in the order in which each first stands in the text.
pub fn annex(document: &Document) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut found = std::collections::HashMap::new();
    for (at, cited) in document.numbers.iter().enumerate() {
        let group = *found.entry((&cited.label, &cited.formula)).or_insert_with(|| {
            groups.push(Group {
                label: cited.label.clone(),
                formula: cited.formula.clone(),
                numbers: Vec::new(),
            });
            groups.len() - 1
        });
        groups[group].numbers.push(at);
    }
    groups
}

/// Of what a number is, in the annex.
pub fn scope<'d>(document: &'d Document, cited: &'d Cited) -> &'d str {
    if cited.of.is_empty() {
        word(document.lang(), Word::Everywhere)
    } else {
        &cited.of
    }
}

/// What was counted, of how many.
pub fn counted(cited: &Cited) -> String {
    match (cited.numerator, cited.denominator) {
        (Some(over), Some(under)) => format!("{over} / {under}"),
        (Some(over), None) => over.to_string(),
        (None, Some(under)) => format!("– / {under}"),
        (None, None) => "–".to_owned(),
    }
}

/// Where a number was typed.
pub fn place_of(typed: &crate::document::Typed) -> String {
    match typed.line {
        Some(line) => format!("{}:{line}", typed.file),
        None => typed.file.clone(),
    }
}
