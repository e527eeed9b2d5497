//! Declarations: `indicators.toml`, read and checked.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use whistle_domain::words::{Lang, Text};

use super::{
    Book, Indicator, RULES, Rule, Subject, Unit,
    column::columns,
    condition::{self, Condition, Context, Flaw, KnownCodes, Measured, RESERVED, Statistic},
};

/// The most indicators of a file: more than anybody reads, and few enough to list on a page.
pub const MAX_INDICATORS: usize = 500;
/// The most named conditions of a file.
const MAX_NAMED: usize = 200;
/// The longest code, in letters.
const MAX_CODE: usize = 64;
/// The longest label, in letters: it heads a column.
const MAX_LABEL: usize = 80;
/// The longest note, in letters.
const MAX_NOTE: usize = 1_000;
/// The highest version: some thousand years of daily change.
const MAX_VERSION: u32 = 1_000_000;

const SHIPPED: &str = include_str!("shipped.toml");

/// What is wrong with a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclarationFault {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong.
    pub what: String,
    /// A word that is not known, with those that are; the nearest of them is what was meant.
    pub unknown: Option<(String, Arc<[String]>)>,
    /// What would be right.
    pub mend: String,
}

/// The shipped indicators. Tests hold them without fault.
pub(super) fn shipped() -> Book {
    let mut reader = Reader::of(SHIPPED, &Lang::ALL);
    let codes = KnownCodes::default();
    reader.read(&codes, &HashMap::new());
    debug_assert_eq!(reader.faults, []);
    reader.book
}

impl Book {
    /// The shipped indicators, with those of a place added, or in place of a shipped one that has their code. All faults of the
    /// file are found in one go; the book has what is right.
    pub fn read(own: &str, codes: &KnownCodes, languages: &[Lang]) -> (Self, Vec<DeclarationFault>) {
        let shipped = named_conditions(SHIPPED);
        let mut reader = Reader::of(own, languages);
        reader.read(codes, &shipped);
        let mut book = Self::shipped().clone();
        for indicator in reader.book.list {
            book.put(indicator);
        }
        let mut faults = reader.faults;
        faults.sort_by_key(|fault| fault.line);
        (book, faults)
    }
}

/// The shipped conditions, which a place may use too.
fn named_conditions(text: &str) -> HashMap<String, String> {
    let Ok(table) = DeTable::parse(text) else {
        return HashMap::new();
    };
    let conditions = table
        .get_ref()
        .get("conditions")
        .and_then(|it| it.get_ref().as_table());
    let texts = conditions.into_iter().flatten().filter_map(|(name, value)| {
        let text = value.get_ref().as_str()?;
        Some((name.get_ref().to_string(), text.to_owned()))
    });
    texts.collect()
}

/// A text of the file, and where it stands.
#[derive(Debug, Clone)]
struct Written {
    text: String,
    span: Range<usize>,
}

struct Reader<'t> {
    text: &'t str,
    line_ends: Vec<usize>,
    languages: Vec<Lang>,
    book: Book,
    faults: Vec<DeclarationFault>,
}

type Table<'t, 'i> = &'t DeTable<'i>;

const KEYS: [&str; 11] = [
    "code",
    "subject",
    "period",
    "numerator",
    "denominator",
    "exclude",
    "measure",
    "unit",
    "label",
    "note",
    "version",
];

impl<'i> Reader<'i> {
    fn of(text: &'i str, languages: &[Lang]) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            text,
            line_ends: ends.map(|(at, _)| at).collect(),
            languages: languages.to_vec(),
            book: Book::default(),
            faults: Vec::new(),
        }
    }

    fn read(&mut self, codes: &KnownCodes, shipped: &HashMap<String, String>) {
        let text = self.text;
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let offset = error.span().map_or(0, |span| span.start);
            let message = error.message().replace('\n', ", ");
            let mend = if message.contains("duplicate key") {
                "leave one of the two"
            } else {
                "write key = \"value\""
            };
            self.fault(offset, format!("is no TOML here: {message}"), mend);
        }
        if !errors.is_empty() {
            return;
        }
        self.only(table.get_ref(), "", &["conditions", "indicator"]);
        let (named, broken) = self.conditions(table.get_ref(), codes, shipped);
        let Some(list) = table.get_ref().get("indicator") else {
            return;
        };
        let Some(list_of) = list.get_ref().as_array() else {
            let what = "indicator is no list of tables";
            return self.fault(
                list.span().start,
                what,
                "write [[indicator]] on a line of its own",
            );
        };
        if list_of.len() > MAX_INDICATORS {
            let what = format!("declares more than {MAX_INDICATORS} indicators");
            return self.fault(list.span().start, what, "remove those that nobody looks at");
        }
        let mut lines: HashMap<String, u32> = HashMap::new();
        for value in list_of {
            let Some(table) = value.get_ref().as_table() else {
                self.fault(
                    value.span().start,
                    "is no table",
                    "write [[indicator]] on a line of its own",
                );
                continue;
            };
            let start = value.span().start;
            self.indicator(table, start, codes, &named, &broken, &mut lines);
        }
    }

    /// The named conditions, those shipped among them, and the names of those that have a flaw of their own.
    fn conditions(
        &mut self,
        root: Table<'_, 'i>,
        codes: &KnownCodes,
        shipped: &HashMap<String, String>,
    ) -> (HashMap<String, String>, HashSet<String>) {
        let mut named = shipped.clone();
        let mut broken = HashSet::new();
        let Some(value) = root.get("conditions") else {
            return (named, broken);
        };
        let Some(table) = value.get_ref().as_table() else {
            self.fault(
                value.span().start,
                "conditions is no table",
                "write [conditions] on a line of its own",
            );
            return (named, broken);
        };
        if table.len() > MAX_NAMED {
            let what = format!("names more than {MAX_NAMED} conditions");
            self.fault(value.span().start, what, "remove those that no indicator uses");
            return (named, broken);
        }
        let mut own: Vec<(String, Written)> = Vec::new();
        for (name, value) in table {
            let (offset, name) = (name.span().start, name.get_ref().to_string());
            let columns = || Subject::ALL.into_iter().flat_map(columns);
            let is_taken = RESERVED.contains(&name.as_str()) || columns().any(|column| column.name == name);
            if is_taken || shipped.contains_key(&name) {
                let what = format!("condition {name:?} has a name that means something already");
                self.fault(offset, what, "give it another");
            } else if name.chars().count() > MAX_CODE
                || !name.chars().all(|c| c.is_alphanumeric() || c == '_')
                || name.starts_with(|c: char| c.is_ascii_digit())
            {
                let what = format!("condition {name:?} has no usable name");
                let mend = format!("write at most {MAX_CODE} letters, digits and '_'");
                self.fault(offset, what, mend);
            } else if let Some(written) = self.written(&name, value) {
                named.insert(name.clone(), written.text.clone());
                own.push((name, written));
            }
        }
        // Each is right for at least one subject; which, shows where it is used.
        let none = HashSet::new();
        for (name, written) in &own {
            let flaw = |subject| {
                let context = Context {
                    subject,
                    named: &named,
                    broken: &none,
                    codes,
                };
                condition::named(name, &written.text, context).err()
            };
            let flaws: Vec<Option<Flaw>> = Subject::ALL.into_iter().map(flaw).collect();
            if flaws.iter().all(Option::is_some)
                && let Some(flaw) = flaws.into_iter().flatten().next()
            {
                self.flaw(&format!("condition {name:?}"), written, flaw);
                broken.insert(name.clone());
            }
        }
        (named, broken)
    }

    fn indicator(
        &mut self,
        table: Table<'_, 'i>,
        start: usize,
        codes: &KnownCodes,
        named: &HashMap<String, String>,
        broken: &HashSet<String>,
        lines: &mut HashMap<String, u32>,
    ) {
        let before = self.faults.len();
        self.only(table, "", &KEYS);
        let code = self.code(table, start, lines);
        let title = code
            .as_ref()
            .map_or("indicator".to_owned(), |code| format!("indicator {code:?}"));
        let subject = self.word(
            table,
            "subject",
            &title,
            start,
            &Subject::ALL.map(|it| (it.as_str(), it)),
        );
        let unit = self.word(
            table,
            "unit",
            &title,
            start,
            &Unit::ALL.map(|it| (it.as_str(), it)),
        );
        let rule = subject.and_then(|subject| {
            let rules = RULES.iter().filter(|rule| rule.of.contains(&subject));
            let rules: Vec<(&str, &'static Rule)> = rules.map(|rule| (rule.name, rule)).collect();
            if subject.is_of_place() && table.get("period").is_none() {
                return rules.first().map(|(_, rule)| *rule);
            }
            self.word(table, "period", &title, start, &rules)
        });
        let label = self.label(table, "label", &title, start, MAX_LABEL, true);
        let note = self.label(table, "note", &title, start, MAX_NOTE, false);
        let version = self.version(table, &title);
        let Some(subject) = subject else {
            return;
        };
        let context = Context {
            subject,
            named,
            broken,
            codes,
        };
        let part = |this: &mut Self, key: &str| -> Option<Condition> {
            let written = this.written(key, table.get(key)?)?;
            match condition::condition(&written.text, context) {
                Ok(condition) => Some(condition),
                Err(flaw) => {
                    this.flaw(&format!("{title}, {key}"), &written, flaw);
                    None
                }
            }
        };
        let numerator = part(self, "numerator");
        let denominator = part(self, "denominator");
        let exclude = part(self, "exclude");
        let measure = table
            .get("measure")
            .and_then(|value| self.written("measure", value))
            .and_then(|written| {
                let found = condition::measure(&written.text, context);
                found
                    .map_err(|flaw| self.flaw(&format!("{title}, measure"), &written, flaw))
                    .ok()
            });
        if let Some(unit) = unit {
            self.fitting(table, start, &title, unit, measure.as_ref());
        }
        let whole = (code, rule, unit, label);
        let (Some(code), Some(rule), Some(unit), Some(label)) = whole else {
            return;
        };
        if self.faults.len() > before {
            return;
        }
        let none = HashMap::new();
        let no_codes = KnownCodes::default();
        let own = Context {
            subject,
            named: &none,
            broken,
            codes: &no_codes,
        };
        let period = condition::condition(rule.text, own).unwrap_or(Condition::Everything);
        self.book.put(Indicator {
            code,
            subject,
            rule,
            period,
            numerator: numerator.unwrap_or(Condition::Everything),
            denominator: denominator.unwrap_or(Condition::Everything),
            exclude,
            measure,
            unit,
            label,
            note: note.unwrap_or_default(),
            version,
        });
    }

    /// What a unit needs, and what it has no use for.
    fn fitting(
        &mut self,
        table: Table<'_, 'i>,
        start: usize,
        title: &str,
        unit: Unit,
        measure: Option<&condition::Measure>,
    ) {
        let at = |key: &str| table.get(key).map_or(start, |value| value.span().start);
        let lacks = |this: &mut Self, key: &str, mend: &str| {
            if table.get(key).is_none() {
                this.fault(start, format!("{title} has no {key}"), mend);
            }
        };
        let refuses = |this: &mut Self, key: &str, mend: &str| {
            if table.get(key).is_some() {
                let what = format!("{title} has a {key}, and a {} has none", unit.as_str());
                this.fault(at(key), what, mend);
            }
        };
        match unit {
            Unit::Percent | Unit::PerThousand => {
                lacks(
                    self,
                    "numerator",
                    "write which rows are counted: numerator = \"…\"",
                );
                lacks(
                    self,
                    "denominator",
                    "write out of which rows: denominator = \"…\", or \"all\" for every row of the period",
                );
                refuses(self, "measure", "remove it, or write unit = \"duration\"");
            }
            Unit::Count => {
                refuses(self, "denominator", "write unit = \"percent\", or remove it");
            }
            Unit::Duration | Unit::Distance | Unit::Number => {
                lacks(
                    self,
                    "measure",
                    "write what is measured: measure = \"median of …\"",
                );
                refuses(
                    self,
                    "numerator",
                    "write which rows are measured as the denominator",
                );
            }
        }
        let Some(measure) = measure else {
            return;
        };
        let fits = match (unit, &measure.of) {
            (Unit::Count, Measured::Count(_)) => measure.statistic == Statistic::Sum,
            (Unit::Duration, Measured::Span(..))
            | (Unit::Distance, Measured::Distance(_))
            | (Unit::Number, Measured::Count(_)) => true,
            (Unit::Percent | Unit::PerThousand, _) => return,
            _ => false,
        };
        if !fits {
            let mend = match unit {
                Unit::Count => "a count is a sum of a count: sum of reports",
                Unit::Duration => "a duration is measured of a span: median of handled - dispatched",
                Unit::Distance => "a distance is measured of a distance: median of distance",
                _ => "a number is measured of a count: mean of returned",
            };
            let what = format!("{title} measures what is no {}", unit.as_str());
            self.fault(at("measure"), what, mend);
        }
        if unit == Unit::Count && table.get("numerator").is_some() {
            let what = format!("{title} has a numerator and a measure");
            self.fault(
                at("measure"),
                what,
                "write which rows are summed as exclude, or remove one",
            );
        }
    }

    fn code(
        &mut self,
        table: Table<'_, 'i>,
        start: usize,
        lines: &mut HashMap<String, u32>,
    ) -> Option<String> {
        let Some(value) = table.get("code") else {
            self.fault(start, "an indicator has no code", "write code = \"on_time\"");
            return None;
        };
        let written = self.written("code", value)?;
        let is_usable = !written.text.is_empty()
            && written.text.len() <= MAX_CODE
            && written
                .text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if !is_usable {
            let what = format!("code {:?} is not usable", shortened(&written.text));
            let mend = format!("write 1 to {MAX_CODE} of a to z, digits, '_', '-' and '.'");
            self.fault(written.span.start, what, mend);
            return None;
        }
        let line = self.line(written.span.start);
        if let Some(first) = lines.get(&written.text) {
            let what = format!("indicator {:?} is already on line {first}", written.text);
            self.fault(written.span.start, what, "give each indicator its own code");
            return None;
        }
        lines.insert(written.text.clone(), line);
        Some(written.text)
    }

    fn word<T: Copy>(
        &mut self,
        table: Table<'_, 'i>,
        key: &str,
        title: &str,
        start: usize,
        known: &[(&str, T)],
    ) -> Option<T> {
        let list = || known.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let Some(value) = table.get(key) else {
            let mend = format!("write {key} = \"…\", one of {}", list());
            self.fault(start, format!("{title} has no {key}"), mend);
            return None;
        };
        let written = self.written(key, value)?;
        let found = known.iter().find(|(word, _)| *word == written.text);
        if found.is_none() {
            let line = self.line(written.span.start);
            let words = known.iter().map(|(word, _)| (*word).to_owned()).collect();
            self.faults.push(DeclarationFault {
                line,
                what: format!("{title}, {key}: {:?} is not known", shortened(&written.text)),
                unknown: Some((written.text, words)),
                mend: format!("write one of {}", list()),
            });
        }
        found.map(|(_, meant)| *meant)
    }

    /// A text in every language of the place.
    fn label(
        &mut self,
        table: Table<'_, 'i>,
        key: &str,
        title: &str,
        start: usize,
        most: usize,
        is_needed: bool,
    ) -> Option<Text> {
        let Some(value) = table.get(key) else {
            if is_needed {
                let mend = format!("write {key} = {{ zh = \"…\", en = \"…\" }}");
                self.fault(start, format!("{title} has no {key}"), mend);
            }
            return None;
        };
        let offset = value.span().start;
        let texts: Vec<(Lang, &Spanned<DeValue<'i>>)> = if let Some(texts) = value.get_ref().as_table() {
            self.only(texts, key, &Lang::ALL.map(Lang::as_str));
            let given = |lang: Lang| texts.get(lang.as_str()).map(|text| (lang, text));
            Lang::ALL.into_iter().filter_map(given).collect()
        } else {
            // One wording is enough for a place of one language.
            match self.languages[..] {
                [only] => vec![(only, value)],
                _ => Vec::new(),
            }
        };
        let mut text = Text::default();
        for (lang, value) in &texts {
            let written = self.written(key, value)?;
            let words = written.text.trim().to_owned();
            if words.chars().count() > most {
                let what = format!("{title}, {key} in {lang} has more than {most} letters");
                self.fault(written.span.start, what, "make it shorter");
            }
            if words.is_empty() {
                continue;
            }
            match lang {
                Lang::Zh => text.zh = Some(words),
                Lang::En => text.en = Some(words),
            }
        }
        for lang in self.languages.clone() {
            let is_there = match lang {
                Lang::Zh => text.zh.is_some(),
                Lang::En => text.en.is_some(),
            };
            if !is_there {
                let mend = format!("write {key} = {{ zh = \"…\", en = \"…\" }}");
                self.fault(offset, format!("{title} has no {key} in {lang}"), mend);
            }
        }
        let first = self.languages.first().copied().unwrap_or_default();
        let own = match first {
            Lang::Zh => text.zh.clone().or_else(|| text.en.clone()),
            Lang::En => text.en.clone().or_else(|| text.zh.clone()),
        };
        text.own = own?;
        Some(text)
    }

    fn version(&mut self, table: Table<'_, 'i>, title: &str) -> u32 {
        let Some(value) = table.get("version") else {
            return 1;
        };
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|n| n.to_string().parse::<u32>().ok());
        match number {
            Some(number) if (1..=MAX_VERSION).contains(&number) => number,
            _ => {
                let what = format!("{title}, version is no whole number from 1 to {MAX_VERSION}");
                self.fault(value.span().start, what, "write version = 1");
                1
            }
        }
    }

    fn written(&mut self, key: &str, value: &Spanned<DeValue<'i>>) -> Option<Written> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            let what = format!("{key} is no text");
            self.fault(value.span().start, what, format!("write {key} = \"…\""));
        }
        Some(Written {
            text: text?,
            span: value.span(),
        })
    }

    fn only(&mut self, table: Table<'_, 'i>, path: &str, known: &[&str]) {
        for (key, _) in table {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let shown = shortened(name);
                let what = match path {
                    "" => format!("key {shown:?} is not known"),
                    path => format!("key {shown:?} of {path} is not known"),
                };
                let line = self.line(key.span().start);
                self.faults.push(DeclarationFault {
                    line,
                    what,
                    unknown: Some((name.to_owned(), known.iter().map(|it| (*it).to_owned()).collect())),
                    mend: format!("the keys are {}", known.join(", ")),
                });
            }
        }
    }

    fn line(&self, offset: usize) -> u32 {
        self.line_ends.partition_point(|end| *end < offset) as u32 + 1
    }

    fn fault(&mut self, offset: usize, what: impl Into<String>, mend: impl Into<String>) {
        self.faults.push(DeclarationFault {
            line: self.line(offset),
            what: what.into(),
            unknown: None,
            mend: mend.into(),
        });
    }

    /// A flaw in a text, told with the line and the letter of the file.
    fn flaw(&mut self, title: &str, written: &Written, flaw: Flaw) {
        let raw = &self.text[written.span.clone()];
        let opening = if raw.starts_with("\"\"\"") || raw.starts_with("'''") {
            let line_end = ["\r\n", "\n"].into_iter().find(|end| raw[3..].starts_with(end));
            3 + line_end.map_or(0, str::len)
        } else {
            1
        };
        // Where letters are written by escapes, their places differ.
        let is_plain = raw[opening..].starts_with(written.text.as_str());
        let offset = written.span.start + if is_plain { opening + flaw.offset } else { 0 };
        let line = self.line(offset);
        let start = match line {
            1 => 0,
            line => self.line_ends[line as usize - 2] + 1,
        };
        let column = self.text[start..offset].chars().count() + 1;
        self.faults.push(DeclarationFault {
            line,
            what: format!("{title}, column {column}: {}", flaw.what),
            unknown: flaw.unknown,
            mend: flaw.mend,
        });
    }
}

fn shortened(word: &str) -> String {
    const MOST: usize = 60;
    if word.chars().count() <= MOST {
        return word.to_owned();
    }
    let start: String = word.chars().take(MOST).collect();
    format!("{start}…")
}
