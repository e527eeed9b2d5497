//! The rules of the service: no I/O, no clock of its own, no async.

pub mod geometry;
pub mod grid;
