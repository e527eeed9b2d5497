//! The document that a template becomes: what all outputs are made from, and what is kept when a briefing is issued.
//!
//! Its JSON is the format of `--format json`, described in `docs/briefing.md`. A number stands in it once, in `numbers`, and is
//! referred to by its place there.

use serde::{Deserialize, Serialize};
use whistle_domain::words::Lang;

use crate::evidence::{Fraction, Measure, Period};

/// The version of the format: counted up when a reader of the last one would misread it.
pub const FORMAT: u32 = 1;

/// A briefing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// [`FORMAT`].
    pub format: u32,
    /// What it is called.
    pub title: String,
    /// The name of the place.
    pub place: String,
    /// `zh` or `en`.
    pub language: String,
    /// Over which days.
    pub period: Period,
    /// The period in words.
    pub period_said: String,
    /// When it was counted.
    pub computed_at: String,
    /// The hash of the data it was counted from.
    pub data_hash: String,
    /// The hash of the template.
    pub template_hash: String,
    /// Where links that begin with `/` lead; empty where they are left so.
    pub base: String,
    /// The text.
    pub blocks: Vec<Block>,
    /// Every number of it, once.
    pub numbers: Vec<Cited>,
    /// Every number typed by hand.
    pub typed: Vec<Typed>,
    /// Parts that were left out, since their data is not there.
    pub left_out: Vec<LeftOut>,
}

impl Document {
    /// Its language.
    pub fn lang(&self) -> Lang {
        if self.language == Lang::Zh.as_str() {
            Lang::Zh
        } else {
            Lang::En
        }
    }

    /// Where a link leads.
    pub fn address(&self, link: &str) -> String {
        if link.starts_with('/') {
            format!("{}{link}", self.base.trim_end_matches('/'))
        } else {
            link.to_owned()
        }
    }

    /// As it is kept and hashed: JSON, the same bytes for the same document.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The hash by which an issue is known, of [`Self::to_json`].
    pub fn hash(&self) -> String {
        blake3::hash(self.to_json().as_bytes()).to_hex().to_string()
    }

    /// A hash of what it says: the same when it was counted twice and came to the same, whatever was issued meanwhile.
    pub fn said_hash(&self) -> String {
        let mut said = Self {
            computed_at: String::new(),
            data_hash: String::new(),
            ..self.clone()
        };
        for cited in &mut said.numbers {
            cited.was = None;
        }
        said.hash()
    }

    /// The numbers of its text, tables and charts as they are written, in order: what each output must show.
    pub fn shown(&self) -> Vec<&str> {
        let mut shown = Vec::new();
        for block in &self.blocks {
            block.each_number(&mut |at| {
                if let Some(cited) = self.numbers.get(at) {
                    shown.push(cited.shown.as_str());
                }
            });
        }
        shown
    }
}

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Block {
    /// A heading; 1 is a chapter.
    Heading {
        /// 1 to 4.
        level: u8,
        /// By which a page links to it.
        id: String,
        /// Its text.
        runs: Vec<Run>,
    },
    /// A paragraph.
    Paragraph {
        /// Its text.
        runs: Vec<Run>,
    },
    /// What is said in somebody's words.
    Quote {
        /// Its paragraphs.
        blocks: Vec<Block>,
    },
    /// A list.
    List {
        /// Whether its items are counted.
        ordered: bool,
        /// Its items.
        items: Vec<Vec<Block>>,
    },
    /// A table.
    Table {
        /// What it shows.
        caption: Vec<Run>,
        /// The heads of the columns.
        head: Vec<Vec<Run>>,
        /// The rows.
        rows: Vec<Vec<Vec<Run>>>,
    },
    /// A chart. Its numbers stand in a table beside it.
    Chart {
        /// What it shows.
        caption: Vec<Run>,
        /// What it looks like.
        kind: ChartKind,
        /// The names of the columns.
        columns: Vec<String>,
        /// The rows.
        rows: Vec<ChartRow>,
    },
    /// A map by area.
    Map {
        /// What it shows.
        caption: Vec<Run>,
        /// The areas.
        shapes: Vec<MapShape>,
    },
    /// A case that tells what was done.
    Story {
        /// What it is called.
        title: String,
        /// When and where.
        when_where: String,
        /// Its paragraphs.
        text: Vec<String>,
        /// Its page.
        link: String,
    },
    /// Says that something was left out.
    Note {
        /// The sentence.
        text: String,
    },
}

impl Block {
    /// Calls with the place of each number, in the order of reading.
    pub fn each_number(&self, call: &mut impl FnMut(usize)) {
        fn of(runs: &[Run], call: &mut impl FnMut(usize)) {
            for run in runs {
                match run {
                    Run::Number { number } => call(*number),
                    Run::Link { runs, .. } => of(runs, call),
                    _ => {}
                }
            }
        }
        match self {
            Self::Heading { runs, .. } | Self::Paragraph { runs } => of(runs, call),
            Self::Quote { blocks } => blocks.iter().for_each(|block| block.each_number(&mut *call)),
            Self::List { items, .. } => {
                items
                    .iter()
                    .flatten()
                    .for_each(|block| block.each_number(&mut *call));
            }
            Self::Table { caption, head, rows } => {
                of(caption, call);
                for runs in head.iter().chain(rows.iter().flatten()) {
                    of(runs, &mut *call);
                }
            }
            Self::Chart { caption, rows, .. } => {
                of(caption, call);
                rows.iter().flat_map(|row| &row.numbers).for_each(|at| call(*at));
            }
            Self::Map { caption, shapes } => {
                of(caption, call);
                for shape in shapes {
                    call(shape.number);
                }
            }
            Self::Story { .. } | Self::Note { .. } => {}
        }
    }
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Run {
    /// Text.
    Text {
        /// The letters.
        text: String,
        /// Said strongly.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        strong: bool,
        /// Said with emphasis.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        emphasis: bool,
    },
    /// A number with evidence: its place in [`Document::numbers`].
    Number {
        /// Its place.
        number: usize,
    },
    /// A number that somebody typed: its place in [`Document::typed`].
    Typed {
        /// Its place.
        typed: usize,
    },
    /// A link.
    Link {
        /// Where it leads.
        to: String,
        /// Its text.
        runs: Vec<Run>,
    },
    /// A new line.
    Break,
}

impl Run {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text {
            text: text.into(),
            strong: false,
            emphasis: false,
        }
    }
}

/// What a chart looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// Bars beside each other.
    Bar,
    /// Bars on top of each other.
    Stacked,
    /// Lines.
    Line,
    /// Fields, the darker the more.
    Heat,
}

/// A row of a chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartRow {
    /// Its name.
    pub name: String,
    /// The places of its numbers, one for each column.
    pub numbers: Vec<usize>,
}

/// An area of a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapShape {
    /// Its name.
    pub name: String,
    /// The place of its number.
    pub number: usize,
    /// Its rings.
    pub rings: Vec<Vec<(f64, f64)>>,
}

/// A number with what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cited {
    /// What is the same in two briefings for the same number.
    pub key: String,
    /// The indicator's code.
    pub indicator: String,
    /// What it is called.
    pub label: String,
    /// Of which area, unit or service; empty for the whole place.
    pub of: String,
    /// Over which days.
    pub period: Period,
    /// What kind of number.
    pub measure: Measure,
    /// How it is written.
    pub shown: String,
    /// What it counts in.
    pub unit: String,
    /// Exactly.
    pub value: Option<Fraction>,
    /// What was counted.
    pub numerator: Option<i64>,
    /// Of how many.
    pub denominator: Option<i64>,
    /// How it is counted.
    pub formula: String,
    /// The page that lists the rows behind it.
    pub link: String,
    /// What it was in an earlier issue, where that was another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Was>,
}

/// What a number was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Was {
    /// As it was written.
    pub shown: String,
    /// In which issue.
    pub issue: i64,
}

/// A number that somebody typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// As it stands.
    pub text: String,
    /// The template's file.
    pub file: String,
    /// Its line; none where the template put it together.
    pub line: Option<u32>,
}

/// A part that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The part.
    pub title: String,
    /// What is not there, in words.
    pub needs: Vec<String>,
}
