//! Numbers that are given out once: 1, 2, 3, …, with gaps.
//!
//! A block of numbers is taken from the table at a time and handed out from memory. A block is ours only by the
//! transaction that took it: where that is undone, the block is forgotten, since the table will give it again,
//! perhaps to another process. Numbers handed out from a block that stands are never taken back: a gap is harmless,
//! a number given twice is not.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use crate::conn::Conn;
use crate::error::Result;
use crate::params;

/// Numbers taken at a time: few enough that a restart wastes little, enough that the table is rarely touched.
const BLOCK: i64 = 64;

type Name = (i64, &'static str);

#[derive(Default)]
pub(crate) struct Sequences {
    blocks: HashMap<Name, Range<i64>>,
    /// Blocks taken by transactions not committed, oldest first.
    taken: Vec<Name>,
}

/// How far [`Sequences`] had come when a command began.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mark(usize);

impl Sequences {
    pub fn next(&mut self, conn: &Conn, jurisdiction_id: i64, name: &'static str) -> Result<i64> {
        let key = (jurisdiction_id, name);
        let mut entry = match self.blocks.entry(key) {
            Entry::Occupied(block) if !block.get().is_empty() => block,
            used_up_or_none => {
                let end = take_block(conn, jurisdiction_id, name)?;
                self.taken.push(key);
                used_up_or_none.insert_entry(end - BLOCK..end)
            }
        };
        let block = entry.get_mut();
        let number = block.start;
        block.start += 1;
        Ok(number)
    }

    pub fn mark(&self) -> Mark {
        Mark(self.taken.len())
    }

    /// What was done since `mark` is undone in the database: its blocks are no longer ours.
    pub fn undo(&mut self, mark: Mark) {
        for key in self.taken.drain(mark.0..) {
            self.blocks.remove(&key);
        }
    }

    /// What was done is committed: its blocks are ours.
    pub fn keep(&mut self) {
        self.taken.clear();
    }
}

/// Takes the next block from the table; gives the number after its last.
fn take_block(conn: &Conn, jurisdiction_id: i64, name: &'static str) -> Result<i64> {
    conn.row(
        "INSERT INTO sequence (jurisdiction_id, name, next)
         VALUES ($1, $2, 1 + $3)
         ON CONFLICT (jurisdiction_id, name)
         DO UPDATE SET next = sequence.next + $3
         RETURNING next",
        params![jurisdiction_id, name, BLOCK],
        |row| row.int(0),
    )
}
