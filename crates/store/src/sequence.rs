//! Numbers that are given out once: 1, 2, 3, …, with gaps.
//!
//! A block of numbers is taken from the table at a time and handed out from memory. A block is ours only by the
//! transaction that took it: where that is undone, the block is forgotten, since the table will give it again,
//! perhaps to another process. Numbers handed out from a block that stands are never taken back: a gap is harmless,
//! a number given twice is not.
//!
//! Where other processes write too, who takes a block holds them up until its transaction ends. So there the next block is
//! taken between two groups, for itself, and a group takes one only for its first numbers or for uncommonly many.

use std::collections::HashMap;
use std::mem;
use std::ops::Range;

use crate::conn::Conn;
use crate::error::Result;
use crate::params;

/// Numbers taken at a time: few enough that a restart wastes little, enough that the table is rarely touched.
const BLOCK: i64 = 64;

type Name = (i64, &'static str);

#[derive(Default)]
pub(crate) struct Sequences {
    stocks: HashMap<Name, Stock>,
    /// Blocks taken by transactions not committed, oldest first.
    taken: Vec<Name>,
}

/// Numbers of one sequence that are ours.
#[derive(Default)]
struct Stock {
    block: Range<i64>,
    /// The block after it; empty where none was reserved.
    reserve: Range<i64>,
    /// Numbers handed out since a block was last reserved: so many may be wanted again.
    used: i64,
}

/// How far [`Sequences`] had come when a command began.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mark(usize);

impl Sequences {
    pub fn next(&mut self, conn: &Conn, jurisdiction_id: i64, name: &'static str) -> Result<i64> {
        let key = (jurisdiction_id, name);
        let stock = self.stocks.entry(key).or_default();
        if stock.block.is_empty() {
            stock.block = mem::take(&mut stock.reserve);
        }
        if stock.block.is_empty() {
            stock.block = take_block(conn, key, BLOCK)?;
            self.taken.push(key);
        }
        let number = stock.block.start;
        stock.block.start += 1;
        stock.used += 1;
        Ok(number)
    }

    /// Takes blocks for the groups to come, each in a transaction of its own.
    pub fn reserve(&mut self, conn: &Conn) -> Result<()> {
        for (key, stock) in &mut self.stocks {
            let wanted = stock.used.max(BLOCK / 2);
            if stock.reserve.is_empty() && stock.block.end - stock.block.start < wanted {
                stock.reserve = take_block(conn, *key, stock.used.max(BLOCK))?;
                stock.used = 0;
            }
        }
        Ok(())
    }

    pub fn mark(&self) -> Mark {
        Mark(self.taken.len())
    }

    /// What was done since `mark` is undone in the database: its blocks are no longer ours.
    pub fn undo(&mut self, mark: Mark) {
        for key in self.taken.drain(mark.0..) {
            self.stocks.remove(&key);
        }
    }

    /// What was done is committed: its blocks are ours.
    pub fn keep(&mut self) {
        self.taken.clear();
    }
}

/// Takes so many numbers from the table.
fn take_block(conn: &Conn, (jurisdiction_id, name): Name, length: i64) -> Result<Range<i64>> {
    let end = conn.row(
        "INSERT INTO sequence (jurisdiction_id, name, next)
         VALUES ($1, $2, 1 + $3)
         ON CONFLICT (jurisdiction_id, name)
         DO UPDATE SET next = sequence.next + $3
         RETURNING next",
        params![jurisdiction_id, name, length],
        |row| row.int(0),
    )?;
    Ok(end - length..end)
}
