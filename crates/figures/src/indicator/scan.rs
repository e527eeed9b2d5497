//! The scan: conditions bound to columns, asked of blocks of rows.
//!
//! A test fills a block's bits at once, a bit for each row, so that its loop is a compare over a slice that the compiler makes
//! wide. Tests that are joined look no further where no row is left, so that what the period leaves out costs one compare.
//! Nothing is allocated for a row but the values of a percentile.

use std::{
    collections::HashMap,
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
};

use whistle_domain::place::{AreaPath, Level, Place};

use super::{
    Subject,
    column::{Byte, Moment as MomentColumn, Source},
    condition::{Code, Comparison, Condition, Measured, Point, Ref},
    house::House,
};
use crate::facts::{self, CaseBlock, Dictionary, Facts, Moment, NEVER, NONE, RunBlock, Span};

/// Rows of a block: its bits and the pieces of some columns fit the nearest cache.
pub(super) const BLOCK: usize = 2_048;
const WORDS: usize = BLOCK / 64;
/// Below so many rows for each thread, starting it costs more than it saves.
const ROWS_OF_A_THREAD: usize = 1 << 17;
/// The most threads of one question: others ask too.
const MAX_THREADS: usize = 8;
/// How many rows a thread takes at a time.
const PIECE: usize = 32 * BLOCK;

/// A bit for each row of a block.
pub(super) type Bits = [u64; WORDS];

/// Values that have one which stands for none.
pub(super) trait Absent: Copy + Default {
    const ABSENT: Self;
}

impl Absent for u8 {
    const ABSENT: Self = Self::MAX;
}

impl Absent for u16 {
    const ABSENT: Self = Self::MAX;
}

impl Absent for u32 {
    const ABSENT: Self = Self::MAX;
}

/// A column, of the rows themselves or of the cases that they belong to.
#[derive(Clone, Copy)]
pub(super) struct Col<'a, T> {
    values: &'a [T],
    through: Option<&'a [u32]>,
}

impl<T: Absent> Col<'_, T> {
    pub fn get(self, row: usize) -> T {
        let row = match self.through {
            None => row,
            Some(through) => through[row] as usize,
        };
        self.values.get(row).copied().unwrap_or(T::ABSENT)
    }

    #[expect(
        clippy::inline_always,
        reason = "its loop is compiled for each test it is given"
    )]
    #[inline(always)]
    fn with<R>(self, rows: Range<usize>, read: impl FnOnce(&[T]) -> R) -> R {
        let Some(through) = self.through else {
            return read(&self.values[rows]);
        };
        let mut gathered = [T::ABSENT; BLOCK];
        let length = rows.len();
        for (value, row) in gathered.iter_mut().zip(&through[rows]) {
            *value = self.values.get(*row as usize).copied().unwrap_or(T::ABSENT);
        }
        read(&gathered[..length])
    }

    fn is_same(self, other: Self) -> bool {
        std::ptr::eq(self.values, other.values) && self.through.is_some() == other.through.is_some()
    }
}

/// The moments that a period gives to conditions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instants {
    pub start: Moment,
    pub end: Moment,
    pub next_day: Moment,
    pub day_after: Moment,
}

/// The columns of a subject.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    pub subject: Subject,
    pub facts: &'a Facts,
    pub house: &'a House,
    pub place: &'a Place,
}

impl<'a> Table<'a> {
    pub fn rows(self) -> usize {
        match self.subject {
            Subject::Case => self.facts.cases.number.len(),
            Subject::Run => self.facts.runs.case.len(),
            _ => self.house.codes.len(),
        }
    }

    fn column<T>(self, values: &'a [T], of_case: bool) -> Col<'a, T> {
        Col {
            values,
            through: of_case.then_some(self.facts.runs.case.as_slice()),
        }
    }

    pub fn byte(self, byte: Byte, of_case: bool) -> Col<'a, u8> {
        let (cases, runs) = (&self.facts.cases, &self.facts.runs);
        let values = match byte {
            Byte::Channel => &cases.channel,
            Byte::Stage => &cases.stage,
            Byte::Outcome => &cases.outcome,
            Byte::Rating => &cases.rating,
            Byte::Reports => &cases.reports,
            Byte::Returned => &cases.returned,
            Byte::Reworked => &cases.reworked,
            Byte::Reopened => &cases.reopened,
            Byte::Extended => &cases.extended,
            Byte::RunKind => &runs.kind,
            Byte::Ended => &runs.ended,
            Byte::UnitKind => &self.house.kind,
            Byte::Level => &self.house.level,
        };
        self.column(values, of_case)
    }

    pub fn moment(self, moment: MomentColumn, of_case: bool) -> Col<'a, Moment> {
        let (cases, runs) = (&self.facts.cases, &self.facts.runs);
        let values = match moment {
            MomentColumn::Reported => &cases.reported,
            MomentColumn::Accepted => &cases.accepted,
            MomentColumn::Dispatched => &cases.dispatched,
            MomentColumn::Arrived => &cases.arrived,
            MomentColumn::Handled => &cases.handled,
            MomentColumn::Closed => &cases.closed,
            MomentColumn::Due => &cases.due,
            MomentColumn::Started => &runs.started,
            MomentColumn::RunDue => &runs.due,
            MomentColumn::Stopped => &runs.stopped,
        };
        self.column(values, of_case)
    }

    /// Of each block of the facts, whether it may have a row with a moment from `start` on and before `end`.
    fn may(self, moment: MomentColumn, start: Moment, end: Moment) -> Vec<bool> {
        let (cases, runs) = (self.facts.cases.blocks(), self.facts.runs.blocks());
        let of_cases =
            |span: fn(&CaseBlock) -> Span| cases.map(|block| span(&block).meets(start, end)).collect();
        let of_runs =
            |span: fn(&RunBlock) -> Span| runs.map(|block| span(&block).meets(start, end)).collect();
        match moment {
            MomentColumn::Reported => of_cases(|block| block.reported),
            MomentColumn::Accepted => of_cases(|block| block.accepted),
            MomentColumn::Dispatched => of_cases(|block| block.dispatched),
            MomentColumn::Arrived => of_cases(|block| block.arrived),
            MomentColumn::Handled => of_cases(|block| block.handled),
            MomentColumn::Closed => of_cases(|block| block.closed),
            MomentColumn::Due => of_cases(|block| block.due),
            MomentColumn::Started => of_runs(|block| block.started),
            MomentColumn::RunDue => of_runs(|block| block.due),
            MomentColumn::Stopped => of_runs(|block| block.stopped),
        }
    }

    pub fn flags(self, of_case: bool) -> Col<'a, u32> {
        let values = match self.subject {
            Subject::Case | Subject::Run => &self.facts.cases.flags,
            _ => &self.house.flags,
        };
        self.column(values, of_case)
    }

    pub fn distance(self, of_case: bool) -> Col<'a, u16> {
        self.column(&self.facts.cases.distance, of_case)
    }

    /// A column of codes, and what they mean.
    pub fn codes(self, source: Source, of_case: bool) -> (Col<'a, u16>, &'a Dictionary) {
        let (facts, house) = (self.facts, self.house);
        let is_of_place = self.subject.is_of_place();
        let (values, dictionary) = match source {
            Source::Area if is_of_place => (&house.area, &house.areas),
            Source::Unit if is_of_place => (&house.unit, &house.units),
            Source::Unit if self.subject == Subject::Run && !of_case => (&facts.runs.unit, &facts.units),
            Source::Unit => (&facts.cases.lead, &facts.units),
            Source::Service => (&facts.cases.service, &facts.services),
            Source::Standard => (&facts.cases.standard, &facts.standards),
            _ => (&facts.cases.area, &facts.areas),
        };
        (self.column(values, of_case), dictionary)
    }

    pub fn paths(self) -> &'a [AreaPath] {
        if self.subject.is_of_place() {
            &self.house.paths
        } else {
            &self.facts.paths
        }
    }

    /// The case that a row is of; of the place's own rows none.
    pub fn case_of(self, row: usize) -> Option<usize> {
        match self.subject {
            Subject::Case => Some(row),
            Subject::Run => Some(self.facts.runs.case[row] as usize),
            _ => None,
        }
    }

    /// Rows that no newer one has taken the place of.
    pub fn live(self) -> Test<'a> {
        match self.subject {
            Subject::Run => Test::Range {
                column: self.column(&self.facts.runs.case, false),
                low: 0,
                high: u32::MAX - 1,
            },
            _ => Test::Everything,
        }
    }
}

/// A condition over the columns of one table and the moments of one period.
pub(super) enum Test<'a> {
    Everything,
    Nothing,
    Bytes {
        column: Col<'a, u8>,
        low: u8,
        high: u8,
    },
    ByteSet {
        column: Col<'a, u8>,
        set: Box<[bool; 256]>,
    },
    Shorts {
        column: Col<'a, u16>,
        low: u16,
        high: u16,
    },
    ShortSet {
        column: Col<'a, u16>,
        set: Box<[bool]>,
    },
    Range {
        column: Col<'a, u32>,
        low: u32,
        high: u32,
    },
    /// `value & mask == wanted`
    Masked {
        column: Col<'a, u32>,
        mask: u32,
        wanted: u32,
    },
    Pair {
        left: Col<'a, u32>,
        right: Col<'a, u32>,
        comparison: Comparison,
    },
    /// The first is at least the second, and no more than so much after it.
    Span {
        later: Col<'a, u32>,
        earlier: Col<'a, u32>,
        low: u32,
        high: u32,
    },
    Not(Box<Test<'a>>),
    All(Vec<Test<'a>>),
    Any(Vec<Test<'a>>),
}

impl<'a> Test<'a> {
    pub fn bind(condition: &Condition, table: Table<'a>, instants: &Instants) -> Self {
        let bind = |part: &Condition| Self::bind(part, table, instants);
        match condition {
            Condition::Everything => Self::Everything,
            Condition::Flag(at) => match at.column.source {
                Source::Flag(bit) => Self::Masked {
                    column: table.flags(at.of_case),
                    mask: bit,
                    wanted: bit,
                },
                _ => Self::Nothing,
            },
            Condition::Known(at) => known(*at, table),
            Condition::Words(at, words) => match at.column.source {
                Source::Byte(byte) => among(table.byte(byte, at.of_case), words),
                _ => Self::Nothing,
            },
            Condition::Codes(at, codes) => coded(*at, codes, table),
            Condition::Count(at, comparison, number) => match at.column.source {
                Source::Byte(byte) => {
                    let column = table.byte(byte, at.of_case);
                    ranges(*comparison, *number, u32::from(u8::MAX), |low, high| {
                        Self::Bytes {
                            column,
                            low: low as u8,
                            high: high as u8,
                        }
                    })
                }
                _ => Self::Nothing,
            },
            Condition::Distance(at, comparison, metres) => {
                farther(table.distance(at.of_case), *comparison, *metres)
            }
            Condition::Moments(left, comparison, right) => compared(
                operand(*left, table, instants),
                *comparison,
                operand(*right, table, instants),
            ),
            Condition::Span(later, earlier, comparison, seconds) => {
                let (later, earlier) = (
                    operand(*later, table, instants),
                    operand(*earlier, table, instants),
                );
                ranges(*comparison, *seconds, NEVER - 1, |low, high| {
                    spanned(later, earlier, low, high)
                })
            }
            Condition::Not(inner) => Self::not(bind(inner)),
            Condition::All(parts) => Self::all(parts.iter().map(bind)),
            Condition::Any(parts) => Self::any(parts.iter().map(bind).collect()),
        }
    }

    pub fn not(inner: Self) -> Self {
        match inner {
            Self::Everything => Self::Nothing,
            Self::Nothing => Self::Everything,
            Self::Masked { column, mask, wanted } if mask.is_power_of_two() => Self::Masked {
                column,
                mask,
                wanted: wanted ^ mask,
            },
            Self::Not(inner) => *inner,
            inner => Self::Not(Box::new(inner)),
        }
    }

    /// All of several. Ranges of one column become one, and so do bits of one.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut joined: Vec<Self> = Vec::new();
        let mut todo: Vec<Self> = parts.into_iter().collect();
        todo.reverse();
        while let Some(part) = todo.pop() {
            match part {
                Self::Everything => {}
                Self::Nothing => return Self::Nothing,
                Self::All(inner) => todo.extend(inner.into_iter().rev()),
                Self::Range { column, low, high } => {
                    let same = joined.iter_mut().find_map(|it| match it {
                        Self::Range {
                            column: other,
                            low,
                            high,
                        } if other.is_same(column) => Some((low, high)),
                        _ => None,
                    });
                    if let Some((least, most)) = same {
                        *least = low.max(*least);
                        *most = high.min(*most);
                        if *least > *most {
                            return Self::Nothing;
                        }
                    } else {
                        joined.push(Self::Range { column, low, high });
                    }
                }
                Self::Masked { column, mask, wanted } => {
                    let same = joined.iter_mut().find_map(|it| match it {
                        Self::Masked {
                            column: other,
                            mask,
                            wanted,
                        } if other.is_same(column) => Some((mask, wanted)),
                        _ => None,
                    });
                    if let Some((other_mask, other_wanted)) = same {
                        let both = *other_mask & mask;
                        if *other_wanted & both != wanted & both {
                            return Self::Nothing;
                        }
                        *other_mask |= mask;
                        *other_wanted |= wanted;
                    } else {
                        joined.push(Self::Masked { column, mask, wanted });
                    }
                }
                other => joined.push(other),
            }
        }
        match joined.len() {
            0 => Self::Everything,
            1 => joined.swap_remove(0),
            _ => Self::All(joined),
        }
    }

    pub fn any(mut parts: Vec<Self>) -> Self {
        if parts.iter().any(|part| matches!(part, Self::Everything)) {
            return Self::Everything;
        }
        parts.retain(|part| !matches!(part, Self::Nothing));
        match parts.len() {
            0 => Self::Nothing,
            1 => parts.swap_remove(0),
            _ => Self::Any(parts),
        }
    }

    /// Sets the bits of the rows for which it holds, and no others. At most [`BLOCK`] rows.
    #[expect(
        clippy::needless_bitwise_bool,
        reason = "a loop without branches is made wide"
    )]
    pub fn fill(&self, rows: &Range<usize>, out: &mut Bits) {
        match self {
            Self::Everything => *out = full(rows.len()),
            Self::Nothing => *out = [0; WORDS],
            Self::Bytes { column, low, high } => {
                let (low, width) = (*low, high - low);
                column.with(rows.clone(), |values| {
                    pack(values, out, |value| value.wrapping_sub(low) <= width);
                });
            }
            Self::ByteSet { column, set } => {
                column.with(rows.clone(), |values| {
                    pack(values, out, |value| set[usize::from(value)]);
                });
            }
            Self::Shorts { column, low, high } => {
                let (low, width) = (*low, high - low);
                column.with(rows.clone(), |values| {
                    pack(values, out, |value| value.wrapping_sub(low) <= width);
                });
            }
            Self::ShortSet { column, set } => {
                let holds = |value: u16| set.get(usize::from(value)).copied().unwrap_or(false);
                column.with(rows.clone(), |values| pack(values, out, holds));
            }
            Self::Range { column, low, high } => {
                let (low, width) = (*low, high - low);
                column.with(rows.clone(), |values| {
                    pack(values, out, |value| value.wrapping_sub(low) <= width);
                });
            }
            Self::Masked { column, mask, wanted } => {
                let (mask, wanted) = (*mask, *wanted);
                column.with(rows.clone(), |values| {
                    pack(values, out, |value| value & mask == wanted);
                });
            }
            Self::Pair {
                left,
                right,
                comparison,
            } => left.with(rows.clone(), |left| {
                right.with(rows.clone(), |right| {
                    let is_known = |a: u32, b: u32| (a != NEVER) & (b != NEVER);
                    match comparison {
                        Comparison::Equal => pack_two(left, right, out, |a, b| is_known(a, b) & (a == b)),
                        Comparison::Unequal => pack_two(left, right, out, |a, b| is_known(a, b) & (a != b)),
                        Comparison::Less => pack_two(left, right, out, |a, b| is_known(a, b) & (a < b)),
                        Comparison::AtMost => pack_two(left, right, out, |a, b| is_known(a, b) & (a <= b)),
                        Comparison::More => pack_two(left, right, out, |a, b| is_known(a, b) & (a > b)),
                        Comparison::AtLeast => pack_two(left, right, out, |a, b| is_known(a, b) & (a >= b)),
                    }
                });
            }),
            Self::Span {
                later,
                earlier,
                low,
                high,
            } => {
                let (low, width) = (*low, high - low);
                later.with(rows.clone(), |later| {
                    earlier.with(rows.clone(), |earlier| {
                        // An earlier moment that never came is after every later one.
                        pack_two(later, earlier, out, |a, b| {
                            (a != NEVER) & (a >= b) & (a.wrapping_sub(b).wrapping_sub(low) <= width)
                        });
                    });
                });
            }
            Self::Not(inner) => {
                inner.fill(rows, out);
                for (word, all) in out.iter_mut().zip(full(rows.len())) {
                    *word = all & !*word;
                }
            }
            Self::All(parts) => {
                *out = full(rows.len());
                for part in parts {
                    if is_empty(out) {
                        return;
                    }
                    part.narrow(rows, out);
                }
            }
            Self::Any(parts) => {
                *out = [0; WORDS];
                let mut bits = [0; WORDS];
                for part in parts {
                    part.fill(rows, &mut bits);
                    for (word, more) in out.iter_mut().zip(bits) {
                        *word |= more;
                    }
                }
            }
        }
    }

    /// Clears the bits of the rows for which it does not hold.
    pub fn narrow(&self, rows: &Range<usize>, out: &mut Bits) {
        if matches!(self, Self::Everything) || is_empty(out) {
            return;
        }
        let mut bits = [0; WORDS];
        self.fill(rows, &mut bits);
        for (word, more) in out.iter_mut().zip(bits) {
            *word &= more;
        }
    }
}

fn is_empty(bits: &Bits) -> bool {
    bits.iter().all(|word| *word == 0)
}

fn full(rows: usize) -> Bits {
    let mut bits = [u64::MAX; WORDS];
    for (place, word) in bits.iter_mut().enumerate() {
        let left = rows.saturating_sub(place * 64);
        if left < 64 {
            *word = (1_u64 << left) - 1;
        }
    }
    bits
}

/// Eight bytes of 0 or 1 become eight bits: each is moved to its place in the highest byte.
const GATHER: u64 = 0x0102_0408_1020_4080;

#[expect(
    clippy::inline_always,
    reason = "its loop is compiled for each test it is given"
)]
#[inline(always)]
fn word_of(flags: &[u8; 64]) -> u64 {
    let mut word = 0;
    for (place, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        word |= (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56) << (8 * place);
    }
    word
}

#[expect(
    clippy::inline_always,
    reason = "its loop is compiled for each test it is given"
)]
#[inline(always)]
fn pack<T: Copy>(values: &[T], out: &mut Bits, holds: impl Fn(T) -> bool) {
    *out = [0; WORDS];
    for (word, values) in out.iter_mut().zip(values.chunks(64)) {
        let mut flags = [0_u8; 64];
        for (flag, value) in flags.iter_mut().zip(values) {
            *flag = u8::from(holds(*value));
        }
        *word = word_of(&flags);
    }
}

#[expect(
    clippy::inline_always,
    reason = "its loop is compiled for each test it is given"
)]
#[inline(always)]
fn pack_two<T: Copy>(left: &[T], right: &[T], out: &mut Bits, holds: impl Fn(T, T) -> bool) {
    *out = [0; WORDS];
    for ((word, left), right) in out.iter_mut().zip(left.chunks(64)).zip(right.chunks(64)) {
        let mut flags = [0_u8; 64];
        for ((flag, a), b) in flags.iter_mut().zip(left).zip(right) {
            *flag = u8::from(holds(*a, *b));
        }
        *word = word_of(&flags);
    }
}

fn known(at: Ref, table: Table<'_>) -> Test<'_> {
    match at.column.source {
        Source::Byte(byte) => Test::Bytes {
            column: table.byte(byte, at.of_case),
            low: 0,
            high: u8::MAX - 1,
        },
        Source::Moment(moment) => Test::Range {
            column: table.moment(moment, at.of_case),
            low: 0,
            high: NEVER - 1,
        },
        Source::Distance => Test::Shorts {
            column: table.distance(at.of_case),
            low: 0,
            high: NONE - 1,
        },
        Source::Flag(_) => Test::Nothing,
        source => Test::Shorts {
            column: table.codes(source, at.of_case).0,
            low: 0,
            high: NONE - 1,
        },
    }
}

/// One of some bytes, given in order and each once.
fn among<'a>(column: Col<'a, u8>, words: &[u8]) -> Test<'a> {
    match words {
        [] => Test::Nothing,
        [low, .., high] if usize::from(high - low) + 1 == words.len() => Test::Bytes {
            column,
            low: *low,
            high: *high,
        },
        [one] => Test::Bytes {
            column,
            low: *one,
            high: *one,
        },
        several => {
            let mut set = Box::new([false; 256]);
            for word in several {
                set[usize::from(*word)] = true;
            }
            Test::ByteSet { column, set }
        }
    }
}

fn coded<'a>(at: Ref, codes: &[Code], table: Table<'a>) -> Test<'a> {
    let (column, dictionary) = table.codes(at.column.source, at.of_case);
    let mut set = vec![false; dictionary.codes().len()].into_boxed_slice();
    let mut add = |number: Option<u16>| {
        if let Some(is_in) = number.and_then(|number| set.get_mut(usize::from(number))) {
            *is_in = true;
        }
    };
    for code in codes {
        match code {
            Code::One(code) if at.column.source == Source::Area => {
                for (number, path) in table.paths().iter().enumerate() {
                    if path.0.iter().flatten().any(|outer| outer.as_str() == &**code) {
                        add(u16::try_from(number).ok());
                    }
                }
            }
            Code::One(code) => add(dictionary.find(code)),
            Code::Group(group) => {
                for service in table.place.services() {
                    if service.group.as_ref().is_some_and(|it| it.as_str() == &**group) {
                        add(dictionary.find(service.code.as_str()));
                    }
                }
            }
        }
    }
    if set.iter().any(|is_in| *is_in) {
        Test::ShortSet { column, set }
    } else {
        Test::Nothing
    }
}

/// The values from 0 to `most` for which a comparison with a number holds, as one range or two.
fn ranges<'a>(
    comparison: Comparison,
    number: u32,
    most: u32,
    test: impl Fn(u32, u32) -> Test<'a>,
) -> Test<'a> {
    let between = |low: Option<u32>, high: Option<u32>| match (low, high.map(|high| high.min(most))) {
        (Some(low), Some(high)) if low <= high => test(low, high),
        _ => Test::Nothing,
    };
    let (below, above) = (number.checked_sub(1), number.checked_add(1));
    match comparison {
        Comparison::Equal => between(Some(number), Some(number).filter(|number| *number <= most)),
        Comparison::Unequal => Test::any(vec![between(Some(0), below), between(above, Some(most))]),
        Comparison::Less => between(Some(0), below),
        Comparison::AtMost => between(Some(0), Some(number)),
        Comparison::More => between(above, Some(most)),
        Comparison::AtLeast => between(Some(number), Some(most)),
    }
}

/// Distances are kept in tens of metres.
fn farther(column: Col<'_, u16>, comparison: Comparison, metres: u32) -> Test<'_> {
    let shorts = |low: u32, high: u32| Test::Shorts {
        column,
        low: low as u16,
        high: high as u16,
    };
    let most = u32::from(NONE) - 1;
    let (whole, is_even) = (metres / 10, metres.is_multiple_of(10));
    match comparison {
        Comparison::Equal if !is_even => Test::Nothing,
        Comparison::Unequal if !is_even => shorts(0, most),
        // Between two tens, below is at most the lower one, and above at least the upper.
        Comparison::Less if !is_even => ranges(Comparison::AtMost, whole, most, shorts),
        Comparison::AtLeast if !is_even => ranges(Comparison::More, whole, most, shorts),
        comparison => ranges(comparison, whole, most, shorts),
    }
}

#[derive(Clone, Copy)]
pub(super) enum Operand<'a> {
    Column(Col<'a, u32>),
    Constant(Moment),
}

impl Operand<'_> {
    fn get(self, row: usize) -> Moment {
        match self {
            Self::Column(column) => column.get(row),
            Self::Constant(moment) => moment,
        }
    }
}

fn operand<'a>(point: Point, table: Table<'a>, instants: &Instants) -> Operand<'a> {
    match point {
        Point::Column(at) => match at.column.source {
            Source::Moment(moment) => Operand::Column(table.moment(moment, at.of_case)),
            _ => Operand::Constant(NEVER),
        },
        Point::Start => Operand::Constant(instants.start),
        Point::End => Operand::Constant(instants.end),
        Point::NextDay => Operand::Constant(instants.next_day),
        Point::DayAfter => Operand::Constant(instants.day_after),
    }
}

fn compared<'a>(left: Operand<'a>, comparison: Comparison, right: Operand<'a>) -> Test<'a> {
    let in_range = |column, comparison, moment| {
        ranges(comparison, moment, NEVER - 1, |low, high| Test::Range {
            column,
            low,
            high,
        })
    };
    match (left, right) {
        (Operand::Column(left), Operand::Column(right)) => Test::Pair {
            left,
            right,
            comparison,
        },
        (Operand::Column(column), Operand::Constant(moment)) => in_range(column, comparison, moment),
        (Operand::Constant(moment), Operand::Column(column)) => {
            let turned = match comparison {
                Comparison::Less => Comparison::More,
                Comparison::AtMost => Comparison::AtLeast,
                Comparison::More => Comparison::Less,
                Comparison::AtLeast => Comparison::AtMost,
                same => same,
            };
            in_range(column, turned, moment)
        }
        (Operand::Constant(left), Operand::Constant(right)) => {
            if comparison.holds(&left, &right) {
                Test::Everything
            } else {
                Test::Nothing
            }
        }
    }
}

/// The later moment is from `low` to `high` seconds after the earlier one.
fn spanned<'a>(later: Operand<'a>, earlier: Operand<'a>, low: u32, high: u32) -> Test<'a> {
    let range = |column, low: Option<u32>, high: u32| match low {
        Some(low) if low <= high => Test::Range { column, low, high },
        _ => Test::Nothing,
    };
    match (later, earlier) {
        (Operand::Column(later), Operand::Column(earlier)) => Test::Span {
            later,
            earlier,
            low,
            high,
        },
        (Operand::Constant(moment), Operand::Column(column)) => match moment.checked_sub(low) {
            Some(latest) => range(column, Some(moment.saturating_sub(high)), latest),
            None => Test::Nothing,
        },
        (Operand::Column(column), Operand::Constant(moment)) => range(
            column,
            moment.checked_add(low),
            moment.saturating_add(high).min(NEVER - 1),
        ),
        (Operand::Constant(later), Operand::Constant(earlier)) => match later.checked_sub(earlier) {
            Some(span) if (low..=high).contains(&span) => Test::Everything,
            _ => Test::Nothing,
        },
    }
}

/// What a measure takes of a row.
#[derive(Clone, Copy)]
pub(super) enum Taken<'a> {
    Span(Operand<'a>, Operand<'a>),
    Count(Col<'a, u8>),
    Distance(Col<'a, u16>),
}

impl<'a> Taken<'a> {
    pub fn bind(measured: &Measured, table: Table<'a>, instants: &Instants) -> Self {
        match measured {
            Measured::Span(later, earlier) => Self::Span(
                operand(*later, table, instants),
                operand(*earlier, table, instants),
            ),
            Measured::Count(at) => match at.column.source {
                Source::Byte(byte) => Self::Count(table.byte(byte, at.of_case)),
                _ => Self::Count(table.byte(Byte::Reports, at.of_case)),
            },
            Measured::Distance(at) => Self::Distance(table.distance(at.of_case)),
        }
    }

    /// None where it is not known: a moment that never came, or a span that would be negative.
    pub fn get(self, row: usize) -> Option<u32> {
        match self {
            Self::Span(later, earlier) => {
                let (later, earlier) = (later.get(row), earlier.get(row));
                (later != NEVER).then(|| later.checked_sub(earlier)).flatten()
            }
            Self::Count(column) => Some(u32::from(column.get(row))),
            Self::Distance(column) => {
                let tens = column.get(row);
                (tens != NONE).then(|| u32::from(tens) * 10)
            }
        }
    }
}

/// To which group a row belongs. The last group is of the rows that belong to none.
pub(super) enum Keys<'a> {
    One,
    /// By a code, through what each code stands for.
    Codes {
        column: Col<'a, u16>,
        groups: Vec<u16>,
        none: u16,
    },
    /// By a byte.
    Bytes {
        column: Col<'a, u8>,
        none: u16,
    },
    /// By the step of time in which a moment lies: where each begins, and at last where the last ends.
    Steps {
        column: Col<'a, u32>,
        starts: Vec<Moment>,
    },
    /// By weekday and hour: from when on the place's clocks are how many seconds ahead of UTC.
    Hours {
        column: Col<'a, u32>,
        offsets: Vec<(Moment, i32)>,
    },
}

impl Keys<'_> {
    /// How many groups there are, with the one for those that belong to none.
    pub fn groups(&self) -> usize {
        match self {
            Self::One => 1,
            Self::Codes { none, .. } | Self::Bytes { none, .. } => usize::from(*none) + 1,
            Self::Steps { starts, .. } => starts.len(),
            Self::Hours { .. } => 7 * 24 + 1,
        }
    }

    /// The group of a row. `near` is where the row before it was found.
    #[inline]
    pub fn of(&self, row: usize, near: &mut usize) -> u16 {
        match self {
            Self::One => 0,
            Self::Codes { column, groups, none } => {
                groups.get(usize::from(column.get(row))).copied().unwrap_or(*none)
            }
            Self::Bytes { column, none } => u16::from(column.get(row)).min(*none),
            Self::Steps { column, starts } => {
                let moment = column.get(row);
                let is_near = starts.get(*near).is_some_and(|start| *start <= moment)
                    && starts.get(*near + 1).is_some_and(|end| moment < *end);
                if !is_near {
                    let after = starts.partition_point(|start| *start <= moment);
                    *near = after.checked_sub(1).unwrap_or(starts.len() - 1);
                }
                *near as u16
            }
            Self::Hours { column, offsets } => {
                let moment = column.get(row);
                if moment == NEVER {
                    return 7 * 24;
                }
                let after = offsets.partition_point(|(from, _)| *from <= moment);
                let offset = offsets
                    .get(after.saturating_sub(1))
                    .map_or(0, |(_, offset)| *offset);
                let hours = (i64::from(moment) + i64::from(offset)).div_euclid(3_600);
                // The first of January 1970 was a Thursday; Monday is the first.
                let weekday = (hours.div_euclid(24) + 3).rem_euclid(7);
                (weekday * 24 + hours.rem_euclid(24)) as u16
            }
        }
    }
}

/// What is counted of the rows that a base leaves.
pub(super) struct Job<'a> {
    /// Which of the bases.
    pub base: usize,
    /// Which of the keys.
    pub keys: usize,
    pub denominator: Test<'a>,
    pub numerator: Test<'a>,
    pub taken: Option<Taken<'a>>,
    /// Whether values are kept, or only their sum.
    pub keeps_values: bool,
}

/// What a job came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Of each group the numerator and the denominator.
    pub counts: Vec<[u64; 2]>,
    /// Of each group the sum of what was taken.
    pub sums: Vec<u64>,
    /// What was taken, where it is kept, and of which group.
    /// Of each group, what a percentile is taken of.
    pub values: Vec<Vec<u32>>,
}

impl Tally {
    fn of(groups: usize) -> Self {
        Self {
            counts: vec![[0; 2]; groups],
            sums: vec![0; groups],
            values: vec![Vec::new(); groups],
        }
    }

    fn add(&mut self, other: Self) {
        for (mine, others) in self.counts.iter_mut().zip(other.counts) {
            mine[0] += others[0];
            mine[1] += others[1];
        }
        for (mine, others) in self.sums.iter_mut().zip(other.sums) {
            *mine += others;
        }
        for (mine, others) in self.values.iter_mut().zip(other.values) {
            if mine.is_empty() {
                *mine = others;
            } else {
                mine.extend(others);
            }
        }
    }
}

/// Which rows are looked at.
pub(super) struct Base<'a> {
    test: Test<'a>,
    /// Of each block of the facts, whether a row of it may fit; empty where nothing is known of them.
    may: Vec<bool>,
}

impl<'a> Base<'a> {
    /// Rows for which a condition holds that asks for `moment` to lie in the period: blocks without such a moment are passed over.
    pub fn new(test: Test<'a>, table: Table<'a>, moment: Option<MomentColumn>, instants: &Instants) -> Self {
        Self {
            test,
            may: moment.map_or_else(Vec::new, |moment| table.may(moment, instants.start, instants.end)),
        }
    }

    fn fill(&self, rows: &Range<usize>, out: &mut Bits) {
        if self.may.get(rows.start / facts::BLOCK) == Some(&false) {
            *out = [0; WORDS];
        } else {
            self.test.fill(rows, out);
        }
    }
}

/// Does all jobs in one pass over the rows.
pub(super) fn run(rows: usize, bases: &[Base<'_>], keys: &[Keys<'_>], jobs: &[Job<'_>]) -> Vec<Tally> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = (rows / ROWS_OF_A_THREAD).clamp(1, cores.min(MAX_THREADS));
    let none = || -> Vec<Tally> {
        let tallies = jobs.iter().map(|job| Tally::of(keys[job.keys].groups()));
        tallies.collect()
    };
    let mut whole = none();
    if threads == 1 {
        run_part(0..rows, bases, keys, jobs, &mut whole);
        return whole;
    }
    // Who is done takes the next piece: the rows of a period lie together, and would all be in one thread's half.
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut tallies = none();
                    loop {
                        let start = next.fetch_add(PIECE, Ordering::Relaxed);
                        if start >= rows {
                            return tallies;
                        }
                        run_part(start..rows.min(start + PIECE), bases, keys, jobs, &mut tallies);
                    }
                })
            })
            .collect();
        for part in parts {
            let tallies = part
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            for (mine, theirs) in whole.iter_mut().zip(tallies) {
                mine.add(theirs);
            }
        }
    });
    whole
}

fn run_part(
    rows: Range<usize>,
    bases: &[Base<'_>],
    keys: &[Keys<'_>],
    jobs: &[Job<'_>],
    tallies: &mut [Tally],
) {
    let mut near = vec![0; jobs.len()];
    let mut base_bits = vec![[0; WORDS]; bases.len()];
    let mut start = rows.start;
    while start < rows.end {
        let block = start..(start + BLOCK).min(rows.end);
        start = block.end;
        for (base, bits) in bases.iter().zip(&mut base_bits) {
            base.fill(&block, bits);
        }
        for ((job, tally), near) in jobs.iter().zip(&mut *tallies).zip(&mut near) {
            let mut denominator = base_bits[job.base];
            if is_empty(&denominator) {
                continue;
            }
            job.denominator.narrow(&block, &mut denominator);
            if is_empty(&denominator) {
                continue;
            }
            let mut numerator = denominator;
            job.numerator.narrow(&block, &mut numerator);
            tally.take(&block, &denominator, &numerator, &keys[job.keys], job, near);
        }
    }
}

impl Tally {
    fn take(
        &mut self,
        block: &Range<usize>,
        denominator: &Bits,
        numerator: &Bits,
        keys: &Keys<'_>,
        job: &Job<'_>,
        near: &mut usize,
    ) {
        if let (Keys::One, None) = (keys, job.taken) {
            let ones = |bits: &Bits| bits.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
            self.counts[0][0] += ones(numerator);
            self.counts[0][1] += ones(denominator);
            return;
        }
        for (place, (mut word, counted)) in denominator.iter().copied().zip(numerator).enumerate() {
            while word != 0 {
                let bit = word.trailing_zeros() as usize;
                word &= word - 1;
                let row = block.start + place * 64 + bit;
                let taken = match job.taken {
                    None => None,
                    Some(taken) => match taken.get(row) {
                        None => continue,
                        value => value,
                    },
                };
                let group = keys.of(row, near);
                let counts = &mut self.counts[usize::from(group)];
                counts[0] += (counted >> bit) & 1;
                counts[1] += 1;
                let Some(value) = taken else {
                    continue;
                };
                if job.keeps_values {
                    self.values[usize::from(group)].push(value);
                } else {
                    self.sums[usize::from(group)] += u64::from(value);
                }
            }
        }
    }

    /// The value at a share of each group's values, and of all: the nearest rank.
    pub fn percentile(&mut self, percent: u8) -> (Vec<Option<u32>>, Option<u32>) {
        let all: usize = self.values.iter().map(Vec::len).sum();
        let whole = self.of_all(rank(all, percent));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (all / ROWS_OF_A_THREAD).clamp(1, cores.min(MAX_THREADS));
        let each = |values: &mut Vec<u32>| {
            let at = rank(values.len(), percent)?;
            Some(*values.select_nth_unstable(at).1)
        };
        if threads == 1 {
            return (self.values.iter_mut().map(each).collect(), whole);
        }
        let part = self.values.len().div_ceil(threads).max(1);
        let groups = std::thread::scope(|scope| {
            let parts = self.values.chunks_mut(part);
            let parts: Vec<_> = parts
                .map(|values| scope.spawn(move || values.iter_mut().map(each).collect::<Vec<_>>()))
                .collect();
            let joined = parts.into_iter().flat_map(|part| {
                part.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            joined.collect()
        });
        (groups, whole)
    }

    /// The value at a place of all in their order: first they are counted by their upper bits, then those with the right ones are looked at.
    fn of_all(&self, at: Option<usize>) -> Option<u32> {
        const BITS: u32 = 16;
        let mut at = at?;
        let all = || self.values.iter().flatten().copied();
        let most = all().max()?;
        let shift = (u32::BITS - most.leading_zeros()).saturating_sub(BITS);
        let upper_of = |value: u32| (value >> shift) as usize;
        let mut counts = vec![0_usize; 1 << BITS];
        for value in all() {
            counts[upper_of(value)] += 1;
        }
        let upper = counts.iter().position(|count| {
            let is_here = at < *count;
            if !is_here {
                at -= count;
            }
            is_here
        })?;
        let mut few: Vec<u32> = all().filter(|value| upper_of(*value) == upper).collect();
        Some(*few.select_nth_unstable(at).1)
    }
}

/// Where in the order of so many values the smallest one stands that at least so many of a hundred are not above.
fn rank(values: usize, percent: u8) -> Option<usize> {
    let rank = (values as u64 * u64::from(percent)).div_ceil(100).max(1) as usize;
    (values > 0).then(|| rank - 1)
}

/// The rows for which a test holds, in their order.
pub(super) fn each_row(rows: usize, test: &Test<'_>, mut each: impl FnMut(usize)) {
    let mut bits = [0; WORDS];
    let mut start = 0;
    while start < rows {
        let block = start..(start + BLOCK).min(rows);
        test.fill(&block, &mut bits);
        for (place, word) in bits.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                each(start + place * 64 + word.trailing_zeros() as usize);
                word &= word - 1;
            }
        }
        start = block.end;
    }
}

/// The groups of areas at a level: of each area's number, and what each group is called.
pub(super) fn areas_at(paths: &[AreaPath], level: Level) -> (Vec<u16>, Vec<String>) {
    let mut numbers: HashMap<&str, u16> = HashMap::new();
    let mut names = Vec::new();
    let groups = paths.iter().map(|path| {
        path.at(level).map(|code| {
            *numbers.entry(code.as_str()).or_insert_with(|| {
                names.push(code.as_str().to_owned());
                (names.len() - 1) as u16
            })
        })
    });
    let groups: Vec<Option<u16>> = groups.collect();
    let none = names.len() as u16;
    (
        groups.into_iter().map(|group| group.unwrap_or(none)).collect(),
        names,
    )
}
