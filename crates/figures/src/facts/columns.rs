//! The columns themselves: one list of values for each thing that is known of a case or a run, and for each block of rows between
//! which moments its values lie, so that who asks for a year need not look at the others.

use std::{collections::HashMap, ops::Range};

use super::{CaseRow, Moment, NEVER, NONE, RunRow};

/// Rows of a block: their moments are a few pages of memory, and a table of the blocks of ten million cases fits into a cache.
pub const BLOCK: usize = 4096;

/// Codes by the small number that stands for them in a column. Numbers are given out in the order in which codes are met, and
/// are of one process: only codes leave it.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    codes: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u16>,
}

impl Dictionary {
    /// The number of a code, a new one where it has none; [`NONE`] when there are too many, which no place has.
    pub fn number(&mut self, code: &str) -> u16 {
        match self.numbers.get(code) {
            Some(number) => *number,
            None => self.once_more(code),
        }
    }

    /// A new number of a code, whether it has one or not. By the code, the first one is found.
    pub(crate) fn once_more(&mut self, code: &str) -> u16 {
        let Some(number) = u16::try_from(self.codes.len()).ok().filter(|it| *it != NONE) else {
            return NONE;
        };
        self.codes.push(code.into());
        self.numbers.entry(code.into()).or_insert(number);
        number
    }

    /// The number of a code that was met.
    pub fn find(&self, code: &str) -> Option<u16> {
        self.numbers.get(code).copied()
    }

    /// The code of a number.
    pub fn code(&self, number: u16) -> Option<&str> {
        self.codes.get(usize::from(number)).map(|code| &**code)
    }

    /// All codes, in the order of their numbers.
    pub fn codes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.codes.iter().map(|code| &**code)
    }
}

/// The columns of [`CaseRow`]. All are of one length.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each is the column of the field of that name")]
pub struct Cases {
    pub number: Vec<u32>,
    pub area: Vec<u16>,
    pub service: Vec<u16>,
    pub standard: Vec<u16>,
    pub lead: Vec<u16>,
    pub channel: Vec<u8>,
    pub stage: Vec<u8>,
    pub outcome: Vec<u8>,
    pub rating: Vec<u8>,
    pub reports: Vec<u8>,
    pub returned: Vec<u8>,
    pub reworked: Vec<u8>,
    pub reopened: Vec<u8>,
    pub extended: Vec<u8>,
    pub flags: Vec<u32>,
    pub reported: Vec<Moment>,
    pub accepted: Vec<Moment>,
    pub dispatched: Vec<Moment>,
    pub arrived: Vec<Moment>,
    pub handled: Vec<Moment>,
    pub closed: Vec<Moment>,
    pub due: Vec<Moment>,
    pub distance: Vec<u16>,
    pub(crate) spans: Vec<[Span; 7]>,
}

/// The columns of [`RunRow`]. All are of one length.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each is the column of the field of that name")]
pub struct Runs {
    /// Which row of [`Cases`] it belongs to; [`u32::MAX`] where a newer row has taken its place.
    pub case: Vec<u32>,
    pub kind: Vec<u8>,
    pub ended: Vec<u8>,
    pub unit: Vec<u16>,
    pub started: Vec<Moment>,
    pub due: Vec<Moment>,
    pub stopped: Vec<Moment>,
    pub(crate) spans: Vec<[Span; 3]>,
}

/// What is done with every column alike. A macro, since each column has a type and a name of its own, and this is the one list of them.
macro_rules! columns {
    ($columns:ident of $row:ident: $($field:ident)* $(; beside them: $beside:ident)?) => {
        impl $columns {
            /// The row at a place.
            pub fn row(&self, at: usize) -> $row {
                $row { $($field: self.$field[at]),* }
            }

            /// Bytes of all columns in memory.
            pub(crate) fn bytes(&self) -> usize {
                fn of<T>(column: &Vec<T>) -> usize {
                    column.capacity() * size_of::<T>()
                }
                of(&self.spans) $(+ of(&self.$field))* $(+ of(&self.$beside))?
            }

            pub(crate) fn reserve(&mut self, more: usize) {
                $(self.$field.reserve(more);)*
                $(self.$beside.reserve(more);)?
            }

            /// Makes every column so long, of zeros.
            pub(crate) fn resize(&mut self, rows: usize) {
                $(self.$field.resize(rows, 0);)*
                $(self.$beside.resize(rows, 0);)?
            }

            /// The columns by name, as they lie in memory.
            pub(crate) fn raw(&self) -> Vec<(&'static str, &[u8])> {
                vec![
                    $((stringify!($field), bytemuck::cast_slice(&self.$field)),)*
                    $((stringify!($beside), bytemuck::cast_slice(&self.$beside)),)?
                ]
            }

            pub(crate) fn raw_mut(&mut self) -> Vec<(&'static str, &mut [u8])> {
                vec![
                    $((stringify!($field), bytemuck::cast_slice_mut(&mut self.$field)),)*
                    $((stringify!($beside), bytemuck::cast_slice_mut(&mut self.$beside)),)?
                ]
            }

            fn add(&mut self, row: &$row) {
                $(self.$field.push(row.$field);)*
            }

            fn replace(&mut self, at: usize, row: &$row) {
                $(self.$field[at] = row.$field;)*
            }
        }
    };
}

columns!(Cases of CaseRow: number area service standard lead channel stage outcome rating reports returned reworked reopened
    extended flags reported accepted dispatched arrived handled closed due distance);

columns!(Runs of RunRow: kind ended unit started due stopped; beside them: case);

/// Between which moments the values of a block lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// No moment is before this one.
    pub first: Moment,
    /// Nor after this one.
    pub last: Moment,
}

impl Span {
    /// Of a block in which nothing has come to pass.
    const EMPTY: Self = Self {
        first: NEVER,
        last: 0,
    };

    /// Of a block of which nothing is known.
    const ALL: Self = Self {
        first: 0,
        last: NEVER,
    };

    /// Whether a moment from `from` on and before `until` may be among them.
    pub fn meets(self, from: Moment, until: Moment) -> bool {
        self.first < until && self.last >= from
    }

    fn widen(&mut self, moment: Moment) {
        if moment != NEVER {
            self.first = self.first.min(moment);
            self.last = self.last.max(moment);
        }
    }
}

/// Some rows of [`Cases`] that stand together, and between which moments each column lies. Moments that never came do not count.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is of the column of that name")]
pub struct CaseBlock {
    /// Which rows.
    pub rows: Range<usize>,
    pub reported: Span,
    pub accepted: Span,
    pub dispatched: Span,
    pub arrived: Span,
    pub handled: Span,
    pub closed: Span,
    pub due: Span,
}

/// The same of [`Runs`]; dead ones may be among them.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is of the column of that name")]
pub struct RunBlock {
    /// Which rows.
    pub rows: Range<usize>,
    pub started: Span,
    pub due: Span,
    pub stopped: Span,
}

impl Cases {
    pub(crate) fn push(&mut self, row: &CaseRow) {
        self.add(row);
        self.span(self.number.len() - 1, row);
    }

    pub(crate) fn set(&mut self, at: usize, row: &CaseRow) {
        self.replace(at, row);
        self.span(at, row);
    }

    /// The rows in blocks, in their order. What was once in a block may be outside its values by now, never the other way round.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = CaseBlock> {
        let all = self.number.len();
        (0..all.div_ceil(BLOCK)).map(move |block| {
            let [reported, accepted, dispatched, arrived, handled, closed, due] =
                self.spans.get(block).copied().unwrap_or([Span::ALL; 7]);
            CaseBlock {
                rows: block * BLOCK..all.min((block + 1) * BLOCK),
                reported,
                accepted,
                dispatched,
                arrived,
                handled,
                closed,
                due,
            }
        })
    }

    pub(crate) fn span_all(&mut self) {
        self.spans.clear();
        for at in 0..self.number.len() {
            self.widen(at, self.moments(at));
        }
    }

    fn moments(&self, at: usize) -> [Moment; 7] {
        [
            self.reported[at],
            self.accepted[at],
            self.dispatched[at],
            self.arrived[at],
            self.handled[at],
            self.closed[at],
            self.due[at],
        ]
    }

    fn span(&mut self, at: usize, row: &CaseRow) {
        let moments = [
            row.reported,
            row.accepted,
            row.dispatched,
            row.arrived,
            row.handled,
            row.closed,
            row.due,
        ];
        self.widen(at, moments);
    }

    fn widen(&mut self, at: usize, moments: [Moment; 7]) {
        widen(&mut self.spans, at, moments);
    }
}

impl Runs {
    pub(crate) fn push_of(&mut self, case: u32, row: &RunRow) {
        self.add(row);
        self.case.push(case);
        widen(
            &mut self.spans,
            self.case.len() - 1,
            [row.started, row.due, row.stopped],
        );
    }

    pub(crate) fn set(&mut self, at: usize, row: &RunRow) {
        self.replace(at, row);
        widen(&mut self.spans, at, [row.started, row.due, row.stopped]);
    }

    /// The rows in blocks, like [`Cases::blocks`].
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = RunBlock> {
        let all = self.case.len();
        (0..all.div_ceil(BLOCK)).map(move |block| {
            let [started, due, stopped] = self.spans.get(block).copied().unwrap_or([Span::ALL; 3]);
            RunBlock {
                rows: block * BLOCK..all.min((block + 1) * BLOCK),
                started,
                due,
                stopped,
            }
        })
    }

    pub(crate) fn span_all(&mut self) {
        self.spans.clear();
        for at in 0..self.case.len() {
            let moments = [self.started[at], self.due[at], self.stopped[at]];
            widen(&mut self.spans, at, moments);
        }
    }

    /// Throws out the runs that belong to no case any more.
    pub(crate) fn retain_live(&mut self) {
        let mut kept = 0;
        for at in 0..self.case.len() {
            if self.case[at] == u32::MAX {
                continue;
            }
            if kept < at {
                let row = self.row(at);
                self.replace(kept, &row);
                self.case[kept] = self.case[at];
            }
            kept += 1;
        }
        self.resize(kept);
        self.span_all();
    }
}

/// Widens the spans of the block that a row is in.
fn widen<const N: usize>(spans: &mut Vec<[Span; N]>, at: usize, moments: [Moment; N]) {
    let block = at / BLOCK;
    if spans.len() <= block {
        spans.resize(block + 1, [Span::EMPTY; N]);
    }
    for (span, moment) in spans[block].iter_mut().zip(moments) {
        span.widen(moment);
    }
}
