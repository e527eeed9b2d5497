//! The rules of Whistle, quiet: no I/O, no async, no logging, no clock of its own.

pub mod calendar;
pub mod limit;
pub mod words;
