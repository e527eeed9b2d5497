//! Conditions: short expressions over columns, read from text into a tree in which every type is right.
//!
//! Knows the grammar and the columns. Does not know rows: [`super::scan`] asks them. Logic has two values: what compares a
//! moment that has not come to pass, or an unknown distance, is false, and its negation true.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use winnow::{
    Parser as _,
    ascii::multispace0,
    combinator::{alt, delimited},
    stream::{LocatingSlice, Location as _, Stream as _},
    token::{one_of, take_till, take_while},
};

use super::{
    Subject,
    column::{CodeOf, Column, Kind, Source, columns},
};

/// The longest text of a condition, in letters: what a reader can still take in.
pub const MAX_LETTERS: usize = 2_000;
/// How deep brackets and negations may be nested; the tree is walked by recursion.
pub const MAX_DEPTH: usize = 24;
/// The most words of a list.
pub const MAX_LIST: usize = 500;
/// The most tests of a condition, with those of the named conditions in it: each is asked of every row.
pub const MAX_TESTS: usize = 1_000;
/// The longest span that is compared with: a century.
const MAX_SECONDS: u64 = 36_525 * 86_400;
/// The longest distance: from pole to pole.
const MAX_METRES: u64 = 20_100_000;

/// What is wrong in a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The byte of the text at which it stands.
    pub offset: usize,
    /// What is wrong.
    pub what: String,
    /// A word that is not known, and the words that are.
    pub unknown: Option<(String, Arc<[String]>)>,
    /// What would be right.
    pub mend: String,
}

impl Flaw {
    fn new(offset: usize, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            offset,
            what: what.into(),
            unknown: None,
            mend: mend.into(),
        }
    }

    fn among<'k>(mut self, word: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        let known = known.into_iter().map(str::to_owned).collect();
        self.unknown = Some((word.to_owned(), known));
        self
    }

    fn among_codes(mut self, code: &str, known: &Arc<[String]>) -> Self {
        self.unknown = Some((code.to_owned(), Arc::clone(known)));
        self
    }
}

/// A column, as a condition names it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ref {
    /// Which.
    pub column: &'static Column,
    /// Of a run: whether it is a column of its case.
    pub of_case: bool,
}

/// A moment that can be compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Point {
    /// Of a row.
    Column(Ref),
    /// The period's start.
    Start,
    /// The period's end, or now where that is earlier.
    End,
    /// The start of the day after [`Point::End`].
    NextDay,
    /// The end of that day.
    DayAfter,
}

/// How two things are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// Whether it holds.
    pub fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }

    fn read(sign: &str) -> Option<Self> {
        Some(match sign {
            "==" => Self::Equal,
            "!=" => Self::Unequal,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::More,
            ">=" => Self::AtLeast,
            _ => return None,
        })
    }

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// A code, or all services of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// One code.
    One(Box<str>),
    /// `group:CODE`
    Group(Box<str>),
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Any row.
    Everything,
    /// A flag is set.
    Flag(Ref),
    /// There is a moment, word, code or distance.
    Known(Ref),
    /// A word is one of these.
    Words(Ref, Vec<u8>),
    /// A code is one of these.
    Codes(Ref, Vec<Code>),
    /// A count compared with a number.
    Count(Ref, Comparison, u32),
    /// A distance compared with one in metres.
    Distance(Ref, Comparison, u32),
    /// Two moments compared.
    Moments(Point, Comparison, Point),
    /// The span from the second moment to the first compared with seconds.
    Span(Point, Point, Comparison, u32),
    /// What does not hold.
    Not(Box<Condition>),
    /// All of several.
    All(Vec<Condition>),
    /// At least one of several.
    Any(Vec<Condition>),
}

/// What a measure takes of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    /// The span from the second moment to the first, in seconds.
    Span(Point, Point),
    /// A count.
    Count(Ref),
    /// A distance in metres.
    Distance(Ref),
}

/// What becomes of the values that were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// The value at this share of the rows: nearest rank, a value that some row has. The median is the fiftieth.
    Percentile(u8),
    /// The sum by the number of rows.
    Mean,
    /// The sum.
    Sum,
}

/// `median of handled - dispatched`
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// What becomes of the values.
    pub statistic: Statistic,
    /// What is taken of each row.
    pub of: Measured,
}

/// The codes of a place that conditions may name, each list in order. One that could not be read is `None`, and its codes are not
/// blamed. Faults share the lists: a grid has some 200,000 areas.
#[derive(Debug, Clone, Default)]
pub struct KnownCodes {
    /// Of areas.
    pub areas: Option<Arc<[String]>>,
    /// Of services that are no groups.
    pub services: Option<Arc<[String]>>,
    /// Of groups.
    pub groups: Option<Arc<[String]>>,
    /// Of standards.
    pub standards: Option<Arc<[String]>>,
    /// Of units.
    pub units: Option<Arc<[String]>>,
}

/// What a text is read against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'c> {
    /// What the rows are.
    pub subject: Subject,
    /// Conditions by their names.
    pub named: &'c HashMap<String, String>,
    /// Those of them in which a flaw was found already.
    pub broken: &'c HashSet<String>,
    /// Codes of the place.
    pub codes: &'c KnownCodes,
}

/// Words that mean something in every condition, and are the name of none.
pub const RESERVED: [&str; 11] = [
    "and",
    "or",
    "not",
    "in",
    "of",
    "all",
    "none",
    "start",
    "end",
    "next_day",
    "day_after",
];

/// Reads a condition.
pub fn condition(text: &str, context: Context<'_>) -> Result<Condition, Flaw> {
    let mut tests = 0;
    let mut within = Vec::new();
    Reader::new(text, context, &mut tests, &mut within)?.whole()
}

/// Reads the condition of that name, so that its own flaws are found where it stands.
pub fn named(name: &str, text: &str, context: Context<'_>) -> Result<Condition, Flaw> {
    let mut tests = 0;
    let mut within = vec![name.to_owned()];
    Reader::new(text, context, &mut tests, &mut within)?.whole()
}

/// Reads a measure.
pub fn measure(text: &str, context: Context<'_>) -> Result<Measure, Flaw> {
    let mut tests = 0;
    let mut within = Vec::new();
    Reader::new(text, context, &mut tests, &mut within)?.measure()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    /// A name, a code, or a number with or without its unit.
    Word(&'t str),
    /// A code in quotation marks.
    Quoted(&'t str),
    Sign(&'t str),
}

impl<'t> Token<'t> {
    fn text(self) -> &'t str {
        match self {
            Self::Word(text) | Self::Quoted(text) | Self::Sign(text) => text,
        }
    }
}

fn token<'t>(input: &mut LocatingSlice<&'t str>) -> winnow::Result<Token<'t>> {
    // What codes are made of, and the colon of `group:`.
    let first = |c: char| c.is_alphanumeric() || c == '_';
    let word = (
        take_while(1, first),
        take_while(0.., move |c: char| first(c) || matches!(c, '-' | '.' | '/' | ':')),
    );
    alt((
        delimited('\'', take_till(1.., '\''), '\'').map(Token::Quoted),
        word.take().map(Token::Word),
        alt((
            alt(("<=", ">=", "==", "!=", "<", ">")),
            one_of(['(', ')', '[', ']', ',', '-']).take(),
        ))
        .map(Token::Sign),
    ))
    .parse_next(input)
}

fn tokens(text: &str) -> Result<Vec<(Token<'_>, usize)>, Flaw> {
    if text.chars().count() > MAX_LETTERS {
        let what = format!("has more than {MAX_LETTERS} letters");
        return Err(Flaw::new(0, what, "name a part of it below [conditions]"));
    }
    let mut input = LocatingSlice::new(text);
    let mut found = Vec::new();
    loop {
        let blank: winnow::Result<&str> = multispace0.parse_next(&mut input);
        debug_assert!(blank.is_ok(), "no blank is a blank too");
        if input.eof_offset() == 0 {
            return Ok(found);
        }
        let offset = input.current_token_start();
        if let Ok(token) = token(&mut input) {
            found.push((token, offset));
            continue;
        }
        let stranger = text[offset..].chars().next().unwrap_or_default();
        let mend = match stranger {
            '\'' => "close the quotation mark",
            '=' => "write == to compare",
            '&' => "write and",
            '|' => "write or",
            '!' => "write not",
            _ => "write names, numbers, and or not in, == != < <= > >=, ( ) [ ] and '…'",
        };
        let what = format!("sign {stranger:?} is not known here");
        return Err(Flaw::new(offset, what, mend));
    }
}

struct Reader<'r, 't> {
    tokens: Vec<(Token<'t>, usize)>,
    next: usize,
    end: usize,
    depth: usize,
    context: Context<'r>,
    /// How many tests were read, in this text and in all conditions that it names.
    tests: &'r mut usize,
    /// The named conditions that we are in.
    within: &'r mut Vec<String>,
}

/// What a name stands for.
enum Meant {
    Point(Point),
    Column(Ref),
}

impl<'r, 't> Reader<'r, 't> {
    fn new(
        text: &'t str,
        context: Context<'r>,
        tests: &'r mut usize,
        within: &'r mut Vec<String>,
    ) -> Result<Self, Flaw> {
        Ok(Self {
            tokens: tokens(text)?,
            next: 0,
            end: text.len(),
            depth: 0,
            context,
            tests,
            within,
        })
    }

    fn whole(mut self) -> Result<Condition, Flaw> {
        let condition = self.any()?;
        self.finished()?;
        Ok(condition)
    }

    fn finished(&self) -> Result<(), Flaw> {
        match self.tokens.get(self.next) {
            None => Ok(()),
            Some((token, offset)) => {
                let what = format!("{:?} does not belong here", token.text());
                Err(Flaw::new(*offset, what, "join conditions by and, or or"))
            }
        }
    }

    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.next).map(|(token, _)| *token)
    }

    fn offset(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(_, offset)| *offset)
    }

    fn take(&mut self, token: Token<'static>) -> bool {
        let is_next = self.peek() == Some(token);
        self.next += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: &'static str, mend: &str) -> Result<(), Flaw> {
        if self.take(Token::Sign(sign)) {
            return Ok(());
        }
        Err(Flaw::new(self.offset(), format!("lacks {sign:?} here"), mend))
    }

    fn count_test(&mut self) -> Result<(), Flaw> {
        *self.tests += 1;
        if *self.tests > MAX_TESTS {
            let what = format!("comes to more than {MAX_TESTS} tests");
            return Err(Flaw::new(self.offset(), what, "make it simpler"));
        }
        Ok(())
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Flaw>) -> Result<T, Flaw> {
        if self.depth >= MAX_DEPTH {
            let what = format!("is nested more than {MAX_DEPTH} deep");
            return Err(Flaw::new(self.offset(), what, "make it simpler"));
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn any(&mut self) -> Result<Condition, Flaw> {
        let mut all = vec![self.all()?];
        while self.take(Token::Word("or")) {
            all.push(self.all()?);
        }
        Ok(one_or(all, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, Flaw> {
        let mut all = vec![self.not()?];
        while self.take(Token::Word("and")) {
            all.push(self.not()?);
        }
        Ok(one_or(all, Condition::All))
    }

    fn not(&mut self) -> Result<Condition, Flaw> {
        if self.take(Token::Word("not")) {
            let inner = self.deeper(Self::not)?;
            return Ok(Condition::Not(Box::new(inner)));
        }
        if self.take(Token::Sign("(")) {
            let inner = self.deeper(Self::any)?;
            self.expect(")", "close the bracket")?;
            return Ok(inner);
        }
        self.test()
    }

    fn test(&mut self) -> Result<Condition, Flaw> {
        self.count_test()?;
        let offset = self.offset();
        let Some(Token::Word(name)) = self.peek() else {
            return Err(match self.peek() {
                None => Flaw::new(
                    offset,
                    "ends where a condition should stand",
                    "write a column, such as handled",
                ),
                Some(token) => Flaw::new(
                    offset,
                    format!("{:?} stands where a condition should", token.text()),
                    "write a column, such as handled",
                ),
            });
        };
        if name == "all" {
            self.next += 1;
            return Ok(Condition::Everything);
        }
        let Some(meant) = self.meant(name) else {
            self.next += 1;
            return self.by_name(name, offset);
        };
        self.next += 1;
        if self.take(Token::Sign("-")) {
            let later = point_of(meant, name, offset)?;
            let earlier = self.point()?;
            let comparison = self.comparison("compare the span: handled - dispatched <= 2h")?;
            let seconds = self.seconds()?;
            return Ok(Condition::Span(later, earlier, comparison, seconds));
        }
        let is_negated = self.peek() == Some(Token::Word("not"))
            && self.tokens.get(self.next + 1).map(|(token, _)| *token) == Some(Token::Word("in"));
        if is_negated {
            self.next += 1;
        }
        if self.take(Token::Word("in")) {
            let inner = self.one_of(&meant, name, offset)?;
            return Ok(if is_negated {
                Condition::Not(Box::new(inner))
            } else {
                inner
            });
        }
        let comparison = match self.peek() {
            Some(Token::Sign(sign)) => Comparison::read(sign),
            _ => None,
        };
        match comparison {
            Some(comparison) => {
                self.next += 1;
                self.compared(meant, name, offset, comparison)
            }
            None => bare(meant, name, offset),
        }
    }

    /// A condition by its name.
    fn by_name(&mut self, name: &str, offset: usize) -> Result<Condition, Flaw> {
        let Some(text) = self.context.named.get(name) else {
            return Err(self.unknown(name, offset));
        };
        if self.within.iter().any(|outer| outer == name) {
            let way = self.within.join(" → ");
            let what = format!("goes in a circle: {way} → {name}");
            return Err(Flaw::new(offset, what, "say one of them without the others"));
        }
        // Told where it stands.
        if self.context.broken.contains(name) {
            return Ok(Condition::Everything);
        }
        if self.within.len() >= MAX_DEPTH {
            let what = format!("is nested more than {MAX_DEPTH} deep");
            return Err(Flaw::new(offset, what, "make it simpler"));
        }
        self.within.push(name.to_owned());
        let inner =
            Reader::new(text, self.context, &mut *self.tests, &mut *self.within).and_then(Reader::whole);
        self.within.pop();
        inner.map_err(|flaw| Flaw {
            offset,
            what: format!("condition {name:?} does not fit here: {}", flaw.what),
            ..flaw
        })
    }

    fn meant(&self, name: &str) -> Option<Meant> {
        match name {
            "start" => return Some(Meant::Point(Point::Start)),
            "end" => return Some(Meant::Point(Point::End)),
            "next_day" => return Some(Meant::Point(Point::NextDay)),
            "day_after" => return Some(Meant::Point(Point::DayAfter)),
            _ => {}
        }
        let find = |subject: Subject, name: &str| columns(subject).iter().find(|column| column.name == name);
        let subject = self.context.subject;
        let of_case = match name.strip_prefix("case.") {
            Some(name) if subject == Subject::Run => find(Subject::Case, name),
            _ => None,
        };
        if let Some(column) = of_case {
            return Some(Meant::Column(Ref {
                column,
                of_case: true,
            }));
        }
        find(subject, name).map(|column| {
            Meant::Column(Ref {
                column,
                of_case: false,
            })
        })
    }

    fn unknown(&self, name: &str, offset: usize) -> Flaw {
        let subject = self.context.subject;
        let mend = if name.contains('-') {
            "write a blank before and after a minus".to_owned()
        } else if name.starts_with(|c: char| c.is_ascii_digit()) {
            "write the column first, then what it is compared with".to_owned()
        } else {
            format!("docs/place-folder.md has the columns of a {}", subject.as_str())
        };
        let own = columns(subject).iter().map(|column| column.name.to_owned());
        let of_case = columns(Subject::Case)
            .iter()
            .filter(|_| subject == Subject::Run)
            .map(|column| format!("case.{}", column.name));
        let named = self.context.named.keys().cloned();
        let known: Vec<String> = own.chain(of_case).chain(named).collect();
        let what = format!("{name:?} is no column of a {} and no condition", subject.as_str());
        Flaw::new(offset, what, mend).among(name, known.iter().map(String::as_str))
    }

    fn point(&mut self) -> Result<Point, Flaw> {
        let offset = self.offset();
        let Some(Token::Word(name)) = self.peek() else {
            return Err(Flaw::new(
                offset,
                "lacks a moment here",
                "write one, such as reported",
            ));
        };
        self.next += 1;
        match self.meant(name) {
            Some(meant) => point_of(meant, name, offset),
            None => Err(self.unknown(name, offset)),
        }
    }

    fn comparison(&mut self, mend: &str) -> Result<Comparison, Flaw> {
        let offset = self.offset();
        let found = match self.peek() {
            Some(Token::Sign(sign)) => Comparison::read(sign),
            _ => None,
        };
        self.next += 1;
        found.ok_or_else(|| Flaw::new(offset, "lacks a comparison here", mend))
    }

    fn quantity(
        &mut self,
        kind: &str,
        example: &str,
        most: u64,
        unit: impl Fn(&str) -> Option<u64>,
    ) -> Result<u32, Flaw> {
        let offset = self.offset();
        let wrong = |word: &str| {
            let what = format!("{word:?} is no {kind}");
            Flaw::new(offset, what, format!("write {example}"))
        };
        let Some(Token::Word(word)) = self.peek() else {
            return Err(wrong(self.peek().map_or("", Token::text)));
        };
        self.next += 1;
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let (number, name) = word.split_at(digits);
        let amount = number
            .parse::<u64>()
            .ok()
            .zip(unit(name))
            .and_then(|(number, unit)| number.checked_mul(unit));
        match amount {
            Some(amount) if amount <= most => Ok(u32::try_from(amount).unwrap_or(u32::MAX)),
            Some(_) => Err(Flaw::new(offset, format!("{word:?} is too much"), "write less")),
            None => Err(wrong(word)),
        }
    }

    fn seconds(&mut self) -> Result<u32, Flaw> {
        self.quantity("span of time", "30s, 15min, 4h, 7d or 2w", MAX_SECONDS, |unit| {
            Some(match unit {
                "s" => 1,
                "min" => 60,
                "h" => 3_600,
                "d" => 86_400,
                "w" => 7 * 86_400,
                _ => return None,
            })
        })
    }

    fn metres(&mut self) -> Result<u32, Flaw> {
        self.quantity("distance", "500m or 2km", MAX_METRES, |unit| match unit {
            "m" => Some(1),
            "km" => Some(1_000),
            _ => None,
        })
    }

    fn compared(
        &mut self,
        meant: Meant,
        name: &str,
        offset: usize,
        comparison: Comparison,
    ) -> Result<Condition, Flaw> {
        let column = match meant {
            Meant::Column(column) if column.column.kind != Kind::Moment => column,
            meant => {
                let left = point_of(meant, name, offset)?;
                let right = self.point()?;
                return Ok(Condition::Moments(left, comparison, right));
            }
        };
        let is_equal = match comparison {
            Comparison::Equal => Some(true),
            Comparison::Unequal => Some(false),
            _ => None,
        };
        match (column.column.kind, is_equal) {
            (Kind::Count, _) => {
                let number = self.quantity("whole number", "one, such as 1", u64::from(u8::MAX), |unit| {
                    unit.is_empty().then_some(1)
                })?;
                Ok(Condition::Count(column, comparison, number))
            }
            (Kind::Distance, _) => Ok(Condition::Distance(column, comparison, self.metres()?)),
            (Kind::Words(_) | Kind::Codes(_), Some(is_equal)) => {
                let inner = if self.take(Token::Word("none")) {
                    Condition::Not(Box::new(Condition::Known(column)))
                } else {
                    self.listed(column, false)?
                };
                Ok(if is_equal {
                    inner
                } else {
                    Condition::Not(Box::new(inner))
                })
            }
            (Kind::Words(_) | Kind::Codes(_), None) => Err(Flaw::new(
                offset,
                format!("{name:?} has no order"),
                format!("write {name} == … or {name} in […]"),
            )),
            (Kind::Flag | Kind::Moment, _) => Err(Flaw::new(
                offset,
                format!("{name:?} is yes or no and is compared with nothing"),
                format!("write {name}, or not {name}"),
            )),
        }
    }

    fn one_of(&mut self, meant: &Meant, name: &str, offset: usize) -> Result<Condition, Flaw> {
        match meant {
            Meant::Column(column) if matches!(column.column.kind, Kind::Words(_) | Kind::Codes(_)) => {
                self.listed(*column, true)
            }
            _ => Err(Flaw::new(
                offset,
                format!("{name:?} is not one of some words"),
                "use in for words and codes, and < <= > >= for numbers and moments",
            )),
        }
    }

    /// One word, or several in brackets.
    fn listed(&mut self, column: Ref, brackets: bool) -> Result<Condition, Flaw> {
        let mut found: Vec<(&'t str, usize)> = Vec::new();
        let mut word = |this: &mut Self| -> Result<(), Flaw> {
            let offset = this.offset();
            let Some(Token::Word(word) | Token::Quoted(word)) = this.peek() else {
                return Err(Flaw::new(offset, "lacks a word here", "write [a, b]"));
            };
            this.next += 1;
            found.push((word, offset));
            if found.len() > MAX_LIST {
                let what = format!("lists more than {MAX_LIST} words");
                return Err(Flaw::new(offset, what, "make it shorter"));
            }
            Ok(())
        };
        if brackets && self.take(Token::Sign("[")) {
            loop {
                word(self)?;
                if !self.take(Token::Sign(",")) {
                    break;
                }
            }
            self.expect("]", "close the list")?;
        } else {
            word(self)?;
        }
        match column.column.kind {
            Kind::Words(words) => {
                let mut numbers = Vec::with_capacity(found.len());
                for (text, offset) in found {
                    let place = words.iter().position(|word| word.code == text);
                    let Some(place) = place else {
                        let known = words.iter().map(|word| word.code);
                        let list = known.clone().collect::<Vec<_>>().join(", ");
                        let what = format!("{text:?} is no {}", column.column.name);
                        return Err(
                            Flaw::new(offset, what, format!("write one of {list}")).among(text, known)
                        );
                    };
                    numbers.push(place as u8);
                }
                numbers.sort_unstable();
                numbers.dedup();
                Ok(Condition::Words(column, numbers))
            }
            Kind::Codes(of) => {
                let codes = found
                    .into_iter()
                    .map(|(text, offset)| self.code(of, text, offset));
                Ok(Condition::Codes(column, codes.collect::<Result<_, _>>()?))
            }
            _ => Ok(Condition::Everything),
        }
    }

    fn code(&self, of: CodeOf, text: &str, offset: usize) -> Result<Code, Flaw> {
        let (known, code, what) = match (of, text.strip_prefix("group:")) {
            (CodeOf::Service, Some(group)) => (&self.context.codes.groups, group, "group"),
            (CodeOf::Service, None) => (&self.context.codes.services, text, "service"),
            (CodeOf::Area, _) => (&self.context.codes.areas, text, of.as_str()),
            (CodeOf::Standard, _) => (&self.context.codes.standards, text, of.as_str()),
            (CodeOf::Unit, _) => (&self.context.codes.units, text, of.as_str()),
        };
        if let Some(known) = known
            && !has(known, code)
        {
            let is_group = (what, &self.context.codes.groups);
            let mend = match is_group {
                ("service", Some(groups)) if has(groups, code) => {
                    format!("it is a group: write group:{code}")
                }
                _ => format!("write the code of a {what} of this place"),
            };
            let flaw = Flaw::new(offset, format!("{what} {code:?} is not known"), mend);
            return Err(flaw.among_codes(code, known));
        }
        Ok(if what == "group" {
            Code::Group(code.into())
        } else {
            Code::One(code.into())
        })
    }

    fn measure(mut self) -> Result<Measure, Flaw> {
        const SHAPE: &str = "write median of …, p90 of …, mean of … or sum of …";
        let Some(Token::Word(word)) = self.peek() else {
            return Err(Flaw::new(self.offset(), "is no measure", SHAPE));
        };
        let percent = word
            .strip_prefix('p')
            .and_then(|digits| digits.parse::<u8>().ok())
            .filter(|percent| (1..=99).contains(percent));
        let statistic = match (word, percent) {
            ("median", _) => Statistic::Percentile(50),
            ("mean", _) => Statistic::Mean,
            ("sum", _) => Statistic::Sum,
            (_, Some(percent)) => Statistic::Percentile(percent),
            _ => {
                let flaw = Flaw::new(self.offset(), format!("{word:?} is no measure"), SHAPE);
                return Err(flaw.among(word, ["median", "p90", "mean", "sum"]));
            }
        };
        self.next += 1;
        if !self.take(Token::Word("of")) {
            return Err(Flaw::new(self.offset(), "lacks \"of\" here", SHAPE));
        }
        let offset = self.offset();
        let Some(Token::Word(name)) = self.peek() else {
            return Err(Flaw::new(offset, "lacks what is measured", SHAPE));
        };
        self.next += 1;
        let Some(meant) = self.meant(name) else {
            return Err(self.unknown(name, offset));
        };
        let of = match meant {
            Meant::Column(column) if column.column.kind == Kind::Count => Measured::Count(column),
            Meant::Column(column) if column.column.kind == Kind::Distance => Measured::Distance(column),
            meant => {
                let later = point_of(meant, name, offset)?;
                self.expect("-", "write a span: handled - dispatched")?;
                Measured::Span(later, self.point()?)
            }
        };
        self.finished()?;
        Ok(Measure { statistic, of })
    }
}

fn has(known: &[String], code: &str) -> bool {
    known.binary_search_by(|it| it.as_str().cmp(code)).is_ok()
}

fn one_or(mut all: Vec<Condition>, several: fn(Vec<Condition>) -> Condition) -> Condition {
    match all.len() {
        1 => all.swap_remove(0),
        _ => several(all),
    }
}

fn point_of(meant: Meant, name: &str, offset: usize) -> Result<Point, Flaw> {
    match meant {
        Meant::Point(point) => Ok(point),
        Meant::Column(column) if column.column.kind == Kind::Moment => Ok(Point::Column(column)),
        Meant::Column(_) => Err(Flaw::new(
            offset,
            format!("{name:?} is no moment"),
            "write a moment, such as reported",
        )),
    }
}

fn bare(meant: Meant, name: &str, offset: usize) -> Result<Condition, Flaw> {
    match meant {
        Meant::Column(column) => match column.column.kind {
            Kind::Flag => Ok(Condition::Flag(column)),
            Kind::Moment | Kind::Words(_) | Kind::Codes(_) | Kind::Distance => Ok(Condition::Known(column)),
            Kind::Count => Err(Flaw::new(
                offset,
                format!("{name:?} is a number and says nothing by itself"),
                format!("write {name} >= 1"),
            )),
        },
        Meant::Point(_) => Err(Flaw::new(
            offset,
            format!("{name:?} is a moment of the period and says nothing by itself"),
            format!("compare it: reported < {name}"),
        )),
    }
}

impl Condition {
    /// Every part of it, itself among them.
    pub fn walk(&self, each: &mut impl FnMut(&Self)) {
        each(self);
        match self {
            Self::Not(inner) => inner.walk(each),
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.walk(each);
                }
            }
            _ => {}
        }
    }

    /// Whether it looks at a flag of the rows.
    pub(super) fn asks_flag(&self, bit: u32) -> bool {
        let mut found = false;
        self.walk(&mut |part| {
            if let Self::Flag(column) = part {
                found |= column.column.source == Source::Flag(bit);
            }
        });
        found
    }

    /// Whether it depends on where the period begins or ends.
    pub(super) fn asks_period(&self) -> bool {
        let is_row = |point: &Point| matches!(point, Point::Column(_));
        let mut found = false;
        self.walk(&mut |part| {
            if let Self::Moments(a, _, b) | Self::Span(a, b, _, _) = part {
                found |= !is_row(a) || !is_row(b);
            }
        });
        found
    }
}

impl Measured {
    /// Whether it depends on where the period begins or ends.
    pub(super) fn asks_period(&self) -> bool {
        match self {
            Self::Span(a, b) => [a, b].iter().any(|point| !matches!(point, Point::Column(_))),
            Self::Count(_) | Self::Distance(_) => false,
        }
    }
}
