//! What a template may ask for: the functions of its expressions, and the book in which what they gave is kept.
//!
//! An expression does not put a number into the text but a token, which is found again when the Markdown was read: so no number
//! loses its evidence on the way, and no word of the evidence is read as Markdown.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value,
    value::{Kwargs, Object, Rest, ValueOrKwargs},
};
use whistle_chart::{MAX_ROWS as MAX_CHART_ROWS, MAX_VALUES};
use whistle_domain::{place::Level, words::Lang};

use crate::{
    change,
    document::{Block, ChartKind, ChartRow, Cited, MapShape, Run, Typed},
    evidence::{Absent, Ask, By, Choice, Evidence, Number, Period, Row, STORIES, Said},
    words::{Word, of_period, word},
};

/// Steps that a chapter may take: some thousand lines with loops.
const FUEL: u64 = 500_000;
/// The most numbers of a briefing: some hundred tables by town.
const MAX_NUMBERS: usize = 20_000;
/// The most tables, charts, maps and stories.
const MAX_BLOCKS: usize = 500;
/// The most rows of a table: every community of a large city.
const MAX_ROWS: usize = 1_000;
/// The most stories that one call gives.
const MAX_STORIES: usize = 20;

/// What a chapter may call or name.
pub(crate) const FUNCTIONS: [&str; 12] = [
    "indicator",
    "change",
    "table",
    "chart",
    "map",
    "stories",
    "name",
    "has",
    "place",
    "period",
    "before",
    "last_year",
];

/// Encloses what stands for something in the book. No text: Unicode keeps these for a program's own use.
pub(crate) const OPEN: char = '\u{FDD0}';
pub(crate) const CLOSE: char = '\u{FDD1}';

/// What a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Number(usize),
    Typed(usize),
    Told(usize),
    Block(usize),
}

impl Token {
    /// What is between [`OPEN`] and [`CLOSE`].
    pub(crate) fn read(inside: &str) -> Option<Self> {
        let at = inside.get(1..)?.parse().ok()?;
        match inside.get(..1)? {
            "n" => Some(Self::Number(at)),
            "t" => Some(Self::Typed(at)),
            "s" => Some(Self::Told(at)),
            "b" => Some(Self::Block(at)),
            _ => None,
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, at) = match self {
            Self::Number(at) => ('n', at),
            Self::Typed(at) => ('t', at),
            Self::Told(at) => ('s', at),
            Self::Block(at) => ('b', at),
        };
        write!(f, "{OPEN}{kind}{at}{CLOSE}")
    }
}

/// What the expressions of a briefing gave.
pub(crate) struct Book {
    pub(crate) evidence: Arc<dyn Evidence>,
    pub(crate) lang: Lang,
    pub(crate) period: Period,
    pub(crate) numbers: Vec<Cited>,
    by_key: HashMap<String, usize>,
    pub(crate) typed: Vec<Typed>,
    pub(crate) told: Vec<String>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) allow: Vec<String>,
    /// The file that is being written.
    pub(crate) file: String,
}

impl Book {
    pub(crate) fn new(evidence: Arc<dyn Evidence>, lang: Lang, period: Period, allow: Vec<String>) -> Self {
        Self {
            evidence,
            lang,
            period,
            numbers: Vec::new(),
            by_key: HashMap::new(),
            typed: Vec::new(),
            told: Vec::new(),
            blocks: Vec::new(),
            allow,
            file: String::new(),
        }
    }

    /// Puts a number into the book, once.
    pub(crate) fn cite(&mut self, number: &Number) -> Result<usize, Error> {
        let key = number.ask.key();
        if let Some(at) = self.by_key.get(&key) {
            return Ok(*at);
        }
        if self.numbers.len() == MAX_NUMBERS {
            return Err(refused(format!(
                "the briefing has more than {MAX_NUMBERS} numbers"
            )));
        }
        let lang = self.lang;
        let at = self.numbers.len();
        self.numbers.push(Cited {
            key: key.clone(),
            indicator: number.ask.indicator.clone(),
            label: number.label.of(lang).to_owned(),
            of: number.of.of(lang).to_owned(),
            period: number.ask.period,
            measure: number.measure,
            shown: number.shown.of(lang).to_owned(),
            unit: number.unit.of(lang).to_owned(),
            value: number.value,
            numerator: number.numerator,
            denominator: number.denominator,
            formula: number.formula.of(lang).to_owned(),
            link: number.link.clone(),
            was: None,
        });
        self.by_key.insert(key, at);
        Ok(at)
    }

    pub(crate) fn tell(&mut self, text: &str) -> Token {
        self.told.push(text.to_owned());
        Token::Told(self.told.len() - 1)
    }

    pub(crate) fn type_in(&mut self, text: &str, line: Option<u32>) -> usize {
        self.typed.push(Typed {
            text: text.to_owned(),
            file: self.file.clone(),
            line,
        });
        self.typed.len() - 1
    }

    fn put(&mut self, block: Block) -> Result<Token, Error> {
        if self.blocks.len() == MAX_BLOCKS {
            return Err(refused(format!(
                "the briefing has more than {MAX_BLOCKS} tables and charts"
            )));
        }
        self.blocks.push(block);
        Ok(Token::Block(self.blocks.len() - 1))
    }

    fn ask(&self, code: &str, options: &Kwargs) -> Result<Ask, Error> {
        Ok(Ask {
            indicator: code.to_owned(),
            area: options.get("area")?,
            unit: options.get("unit")?,
            service: options.get("service")?,
            period: self.period_of(options.get("period")?)?,
            cut: None,
        })
    }

    fn period_of(&self, name: Option<&str>) -> Result<Period, Error> {
        match name {
            None | Some("this") => Ok(self.period),
            Some("before") => Ok(self.period.before()),
            Some("last_year") => Ok(self.period.last_year()),
            Some(name) => Period::named(name).ok_or_else(|| {
                refused(format!(
                    "period {name:?} is none; write \"before\", \"last_year\", \"2025-06\" or \"2025\""
                ))
            }),
        }
    }

    /// A text of the template that is no Markdown: a caption.
    fn caption(&mut self, given: Option<&str>, else_: impl FnOnce(Lang) -> String) -> Vec<Run> {
        match given {
            None => vec![Run::text(else_(self.lang))],
            Some(text) => crate::markdown::runs(self, text, false),
        }
    }
}

/// What the functions share.
pub(crate) type Shared = Arc<Mutex<Book>>;

pub(crate) fn open(book: &Shared) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Without functions: enough to tell whether a template is one.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment
}

/// With all that a chapter may call.
pub(crate) fn with_functions(book: &Shared) -> Environment<'static> {
    let mut environment = environment();
    let it = Arc::clone(book);
    environment.add_function("indicator", move |code: &str, options: Kwargs| {
        indicator(&it, code, &options)
    });
    let it = Arc::clone(book);
    environment.add_function("change", move |code: &str, options: Kwargs| {
        changed(&it, code, &options)
    });
    let it = Arc::clone(book);
    environment.add_function("table", move |given: Rest<ValueOrKwargs>| {
        table(&it, given.into_values())
    });
    let it = Arc::clone(book);
    environment.add_function("chart", move |given: Rest<ValueOrKwargs>| {
        chart(&it, given.into_values())
    });
    let it = Arc::clone(book);
    environment.add_function("map", move |code: &str, options: Kwargs| map(&it, code, &options));
    let it = Arc::clone(book);
    environment.add_function("stories", move |options: Kwargs| stories(&it, &options));
    let it = Arc::clone(book);
    environment.add_function("name", move |options: Kwargs| name(&it, &options));
    let it = Arc::clone(book);
    environment.add_function("has", move |need: &str| open(&it).evidence.has(need));
    let mut told = open(book);
    let (lang, period) = (told.lang, told.period);
    let place = told.evidence.basis().place;
    let place = told.tell(place.of(lang)).to_string();
    let named = [
        ("period", period),
        ("before", period.before()),
        ("last_year", period.last_year()),
    ];
    let named = named.map(|(name, period)| (name, told.tell(&of_period(lang, period)).to_string()));
    drop(told);
    environment.add_global("place", place);
    for (name, said) in named {
        environment.add_global(name, said);
    }
    environment
}

/// What the engine says, in one line.
pub(crate) fn said(error: &Error) -> String {
    error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned)
        .replace('\n', " ")
}

pub(crate) fn refused(what: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

impl From<Absent> for Error {
    fn from(absent: Absent) -> Self {
        refused(absent.to_string())
    }
}

/// A number in a template: shows as its token; `value` can be compared, and `known` says whether there is one.
#[derive(Debug)]
struct Shown {
    token: Token,
    value: Option<f64>,
}

impl Object for Shown {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "value" => Some(self.value.map_or_else(|| Value::from(0.0), Value::from)),
            "known" => Some(Value::from(self.value.is_some())),
            _ => None,
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.token)
    }
}

fn indicator(book: &Shared, code: &str, options: &Kwargs) -> Result<Value, Error> {
    let mut book = open(book);
    let ask = book.ask(code, options)?;
    options.assert_all_used()?;
    let number = book.evidence.number(&ask)?;
    let token = Token::Number(book.cite(&number)?);
    Ok(Value::from_object(Shown {
        token,
        value: number.value.map(crate::evidence::Fraction::as_f64),
    }))
}

fn changed(book: &Shared, code: &str, options: &Kwargs) -> Result<String, Error> {
    let mut book = open(book);
    let ask = book.ask(code, options)?;
    let against: Option<&str> = options.get("against")?;
    options.assert_all_used()?;
    let (other, compared) = match against {
        None | Some("before") => (ask.period.before(), Word::ThanBefore),
        Some("last_year") => (ask.period.last_year(), Word::ThanLastYear),
        Some(other) => {
            return Err(refused(format!(
                "against {other:?} is none; write \"before\" or \"last_year\""
            )));
        }
    };
    let new = book.evidence.number(&ask)?;
    let old = book.evidence.number(&Ask { period: other, ..ask })?;
    // Both stand in the annex, so that the change can be worked out by hand.
    book.cite(&new)?;
    book.cite(&old)?;
    let lang = book.lang;
    let compared = word(lang, compared);
    match change::between(&new, &old) {
        change::Change::Unknown => {
            let text = word(lang, Word::NoComparison).replace("{than}", compared);
            Ok(book.tell(&text).to_string())
        }
        change::Change::Same => {
            let text = word(lang, Word::Unchanged).replace("{than}", compared);
            Ok(book.tell(&text).to_string())
        }
        change::Change::By { number, direction } => {
            let at = Token::Number(book.cite(&number)?);
            let pattern = word(lang, direction).replace("{than}", compared);
            let (before, after) = pattern.split_once("{by}").unwrap_or((&pattern, ""));
            Ok(format!("{}{at}{}", book.tell(before), book.tell(after)))
        }
    }
}

/// Positional codes of indicators, and the options behind them.
fn codes_and_options(mut given: Vec<Value>) -> Result<(Vec<String>, Kwargs), Error> {
    let options = match given.pop_if(|last| last.is_kwargs()) {
        Some(options) => Kwargs::try_from(options)?,
        None => Kwargs::from_iter(Vec::<(String, Value)>::new()),
    };
    let codes: Option<Vec<String>> = given
        .iter()
        .map(|code| code.as_str().map(str::to_owned))
        .collect();
    match codes {
        Some(codes) if !codes.is_empty() => Ok((codes, options)),
        _ => Err(refused(
            "write the codes of indicators first, each in quotation marks",
        )),
    }
}

fn by_of(options: &Kwargs) -> Result<By, Error> {
    let by: &str = options.get("by")?;
    let level: Option<&str> = options.get("level")?;
    let found = match (by, level) {
        ("area", None) => Some(By::Area(Level::Town)),
        ("area", Some(level)) => By::of(level).filter(|by| matches!(by, By::Area(_))),
        (by, None) => By::of(by),
        (_, Some(_)) => None,
    };
    found.ok_or_else(|| {
        let words: Vec<_> = By::WORDS.iter().map(|(word, _)| *word).collect();
        let words = words.join(", ");
        refused(format!(
            "by={by:?}{} is none; write by=\"area\" with level=\"town\", or by one of {words}",
            level
                .map(|level| format!(", level={level:?}"))
                .unwrap_or_default()
        ))
    })
}

/// The rows of a cut, and the whole.
fn cut(book: &Book, codes: &[String], options: &Kwargs, by: By) -> Result<(Vec<Ask>, Vec<Row>), Error> {
    let asks: Vec<Ask> = codes
        .iter()
        .map(|code| book.ask(code, options))
        .collect::<Result<_, _>>()?;
    let mut rows = book.evidence.cut(&asks, by)?;
    if rows.len() > MAX_ROWS {
        return Err(refused(format!(
            "{} rows are more than the {MAX_ROWS} of a table",
            rows.len()
        )));
    }
    let columns = if by == By::Hour { 24 } else { asks.len() };
    if rows.iter().any(|row| row.numbers.len() != columns) {
        return Err(refused("a row has not one number for each column"));
    }
    // Times stay in their order; what else is set side by side can be put in the order of its first number.
    match options.get::<Option<&str>>("sort")? {
        None => {}
        Some("most") => rows.sort_by(|a, b| size(b).total_cmp(&size(a))),
        Some("least") => rows.sort_by(|a, b| size(a).total_cmp(&size(b))),
        Some(other) => {
            return Err(refused(format!(
                "sort={other:?} is none; write \"most\" or \"least\""
            )));
        }
    }
    if let Some(most) = options.get::<Option<usize>>("most")? {
        rows.truncate(most);
    }
    Ok((asks, rows))
}

fn size(row: &Row) -> f64 {
    let value = row.numbers.first().and_then(|number| number.value);
    value.map_or(f64::NEG_INFINITY, crate::evidence::Fraction::as_f64)
}

fn headed(label: &Said, unit: &Said, lang: Lang) -> String {
    let (label, unit) = (label.of(lang), unit.of(lang));
    match lang {
        _ if unit.is_empty() => label.to_owned(),
        Lang::Zh => format!("{label}（{unit}）"),
        Lang::En => format!("{label} ({unit})"),
    }
}

fn by_word(by: By) -> Word {
    match by {
        By::Area(_) => Word::Area,
        By::Unit => Word::Unit,
        By::Group | By::Service => Word::Service,
        By::Channel => Word::Channel,
        By::Day => Word::Day,
        By::Week => Word::Week,
        By::Month => Word::Month,
        By::Hour => Word::Hour,
    }
}

fn table(book: &Shared, given: Vec<Value>) -> Result<String, Error> {
    let (codes, options) = codes_and_options(given)?;
    let mut book = open(book);
    let by = by_of(&options)?;
    if by == By::Hour {
        return Err(refused("by=\"hour\" is for a chart of kind=\"heat\""));
    }
    let (asks, rows) = cut(&book, &codes, &options, by)?;
    let total: bool = options.get::<Option<bool>>("total")?.unwrap_or(true);
    let title: Option<String> = options.get("title")?;
    options.assert_all_used()?;
    let lang = book.lang;
    let whole: Vec<Number> = asks
        .iter()
        .map(|ask| book.evidence.number(ask))
        .collect::<Result<_, _>>()?;
    let mut head = vec![vec![Run::text(word(lang, by_word(by)))]];
    head.extend(
        whole
            .iter()
            .map(|number| vec![Run::text(headed(&number.label, &number.unit, lang))]),
    );
    let mut lines = Vec::new();
    for row in &rows {
        let mut line = vec![vec![Run::text(row.name.of(lang))]];
        for number in &row.numbers {
            line.push(vec![Run::Number {
                number: book.cite(number)?,
            }]);
        }
        lines.push(line);
    }
    if total {
        let strong = Run::Text {
            text: word(lang, Word::Whole).to_owned(),
            strong: true,
            emphasis: false,
        };
        let mut line = vec![vec![strong]];
        for number in &whole {
            line.push(vec![Run::Number {
                number: book.cite(number)?,
            }]);
        }
        lines.push(line);
    }
    let caption = book.caption(title.as_deref(), |lang| captioned(lang, &whole, by));
    let block = Block::Table {
        caption,
        head,
        rows: lines,
    };
    Ok(alone(book.put(block)?))
}

fn captioned(lang: Lang, numbers: &[Number], by: By) -> String {
    let labels: Vec<_> = numbers.iter().map(|number| number.label.of(lang)).collect();
    let by = word(lang, by_word(by));
    match lang {
        Lang::Zh => format!("{}（按{by}）", labels.join("、")),
        Lang::En => format!("{} by {}", labels.join(", "), by.to_lowercase()),
    }
}

/// A block stands in a paragraph of its own.
fn alone(token: Token) -> String {
    format!("\n\n{token}\n\n")
}

fn chart(book: &Shared, given: Vec<Value>) -> Result<String, Error> {
    let (codes, options) = codes_and_options(given)?;
    let mut book = open(book);
    let by = by_of(&options)?;
    let kind = match options.get::<Option<&str>>("kind")? {
        None if by == By::Hour => ChartKind::Heat,
        None if by.is_time() => ChartKind::Line,
        None | Some("bar") => ChartKind::Bar,
        Some("stacked") => ChartKind::Stacked,
        Some("line") => ChartKind::Line,
        Some("heat") => ChartKind::Heat,
        Some(kind) => {
            return Err(refused(format!(
                "kind={kind:?} is none; write bar, stacked, line or heat"
            )));
        }
    };
    if (by == By::Hour) != (kind == ChartKind::Heat) {
        return Err(refused("a heat chart is by=\"hour\", and only that"));
    }
    if by == By::Hour && codes.len() > 1 {
        return Err(refused("a heat chart shows one indicator"));
    }
    let against: Option<&str> = options.get("against")?;
    let (asks, rows) = cut(&book, &codes, &options, by)?;
    let title: Option<String> = options.get("title")?;
    let lang = book.lang;
    let whole: Vec<Number> = asks
        .iter()
        .map(|ask| book.evidence.number(ask))
        .collect::<Result<_, _>>()?;
    let (columns, drawn) = if by == By::Hour {
        let mut drawn = Vec::new();
        for row in &rows {
            drawn.push(ChartRow {
                name: row.name.of(lang).to_owned(),
                numbers: row
                    .numbers
                    .iter()
                    .map(|number| book.cite(number))
                    .collect::<Result<_, _>>()?,
            });
        }
        ((0..24).map(|hour: u8| hour.to_string()).collect(), drawn)
    } else {
        let columns: Vec<String> = rows.iter().map(|row| row.name.of(lang).to_owned()).collect();
        let mut drawn = transposed(&mut book, &whole, &rows, "")?;
        if let Some(against) = against {
            let (other, said) = match against {
                "before" => (book.period.before(), Word::Before),
                "last_year" => (book.period.last_year(), Word::LastYear),
                other => return Err(refused(format!("against {other:?} is none"))),
            };
            let asks: Vec<Ask> = asks.into_iter().map(|ask| Ask { period: other, ..ask }).collect();
            let mut earlier = book.evidence.cut(&asks, by)?;
            if !by.is_time() {
                // In the order of the rows beside which they stand.
                earlier.retain(|row| rows.iter().any(|other| other.code == row.code));
                earlier.sort_by_key(|row| rows.iter().position(|other| other.code == row.code));
            }
            if earlier.len() != rows.len() {
                return Err(refused("the periods that are compared have not as many steps"));
            }
            let said = word(lang, said);
            drawn.extend(transposed(&mut book, &whole, &earlier, said)?);
        }
        (columns, drawn)
    };
    options.assert_all_used()?;
    if drawn.len() > MAX_CHART_ROWS || drawn.len() * columns.len() > MAX_VALUES {
        return Err(refused(format!(
            "{} rows of {} numbers are more than the {MAX_CHART_ROWS} rows and {MAX_VALUES} numbers of a chart; write most=10, or a table",
            drawn.len(),
            columns.len()
        )));
    }
    let caption = book.caption(title.as_deref(), |lang| captioned(lang, &whole, by));
    let token = book.put(Block::Chart {
        caption,
        kind,
        columns,
        rows: drawn,
    })?;
    Ok(alone(token))
}

/// One row of a chart for each indicator.
fn transposed(book: &mut Book, whole: &[Number], rows: &[Row], said: &str) -> Result<Vec<ChartRow>, Error> {
    let lang = book.lang;
    let mut drawn = Vec::new();
    for (at, number) in whole.iter().enumerate() {
        let label = headed(&number.label, &number.unit, lang);
        drawn.push(ChartRow {
            name: match (lang, said) {
                (_, "") => label,
                (Lang::Zh, said) => format!("{label}·{said}"),
                (Lang::En, said) => format!("{label}, {said}"),
            },
            numbers: rows
                .iter()
                .map(|row| book.cite(&row.numbers[at]))
                .collect::<Result<_, _>>()?,
        });
    }
    Ok(drawn)
}

fn map(book: &Shared, code: &str, options: &Kwargs) -> Result<String, Error> {
    let mut book = open(book);
    let by = by_of(options)?;
    let By::Area(level) = by else {
        return Err(refused("a map is by=\"town\" or by=\"community\""));
    };
    let (asks, rows) = cut(&book, &[code.to_owned()], options, by)?;
    let title: Option<String> = options.get("title")?;
    options.assert_all_used()?;
    let lang = book.lang;
    let whole = vec![book.evidence.number(&asks[0])?];
    let mut shapes = Vec::new();
    for shape in book.evidence.shapes(level) {
        let Some(row) = rows.iter().find(|row| row.code == shape.code) else {
            continue;
        };
        shapes.push(MapShape {
            name: shape.name.of(lang).to_owned(),
            number: book.cite(&row.numbers[0])?,
            rings: shape.rings,
        });
    }
    let caption = book.caption(title.as_deref(), |lang| captioned(lang, &whole, by));
    Ok(alone(book.put(Block::Map { caption, shapes })?))
}

/// A story in a template: shows as its block; its parts can be named.
#[derive(Debug)]
struct Telling {
    token: String,
    parts: HashMap<&'static str, String>,
}

impl Object for Telling {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.parts
            .get(key.as_str()?)
            .map(|part| Value::from(part.as_str()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.token)
    }
}

fn stories(book: &Shared, options: &Kwargs) -> Result<Value, Error> {
    let mut book = open(book);
    let kind: String = options.get("kind")?;
    if !STORIES.contains(&kind.as_str()) {
        return Err(refused(format!(
            "kind={kind:?} is none; write one of {}",
            STORIES.join(", ")
        )));
    }
    let most = options.get::<Option<usize>>("most")?.unwrap_or(1);
    if most > MAX_STORIES {
        return Err(refused(format!("most={most} is more than {MAX_STORIES}")));
    }
    let choice = Choice {
        kind,
        most,
        area: options.get("area")?,
        service: options.get("service")?,
        period: book.period_of(options.get("period")?)?,
    };
    options.assert_all_used()?;
    let lang = book.lang;
    let mut told = Vec::new();
    for story in book.evidence.stories(&choice)?.into_iter().take(most) {
        let date = crate::words::of_day(lang, story.date);
        let (title, area) = (story.title.of(lang), story.area.of(lang));
        let when_where = match lang {
            Lang::Zh => format!("{area} {date}"),
            Lang::En => format!("{area}, {date}"),
        };
        let parts = [("title", title), ("area", area), ("date", date.as_str())];
        let parts = parts
            .map(|(name, text)| (name, book.tell(text).to_string()))
            .into();
        let block = Block::Story {
            title: title.to_owned(),
            when_where,
            text: story.text.iter().map(|text| text.of(lang).to_owned()).collect(),
            link: story.link.clone(),
        };
        let token = alone(book.put(block)?);
        told.push(Value::from_object(Telling { token, parts }));
    }
    Ok(Value::from(told))
}

fn name(book: &Shared, options: &Kwargs) -> Result<String, Error> {
    let mut book = open(book);
    for what in ["area", "unit", "service"] {
        if let Some(code) = options.get::<Option<&str>>(what)? {
            options.assert_all_used()?;
            let Some(name) = book.evidence.name(what, code) else {
                return Err(refused(format!("there is no {what} {code:?}")));
            };
            let lang = book.lang;
            return Ok(book.tell(name.of(lang)).to_string());
        }
    }
    Err(refused(
        "name(area=\"…\"), name(unit=\"…\") or name(service=\"…\")",
    ))
}
