//! The rules of Whistle, free of I/O: areas, calendar, clocks, standards, cases, whistles, routing, words.
//!
//! Given (state, command, now, place) the domain returns events or a refusal with its reason. It has no clock of
//! its own, no logging, no async, no global; the layers above bring time and chance.

pub mod calendar;
pub mod case;
pub mod clock;
pub mod command;
pub mod duplicate;
pub mod escalation;
pub mod geometry;
pub mod grid;
pub mod limit;
pub mod mask;
pub mod place;
pub mod public;
pub mod rights;
pub mod round;
pub mod routing;
pub mod search;
pub mod suggest;
pub mod tally;
pub mod tile;
pub mod transition;
pub mod whistle;
pub mod words;
