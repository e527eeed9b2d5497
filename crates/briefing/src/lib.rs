//! The briefing: a period's report of a place, written from a template of prose with indicators in it.
//!
//! Knows templates, the document that one becomes, and its faces as HTML and JSON. Takes every number from
//! [`Evidence`](evidence::Evidence) and counts nothing itself; does not know the store, cases or how a PDF is made (the crate
//! `press` knows that). How templates are written is said in `docs/briefing.md`.

pub mod compare;
pub mod document;
pub mod evidence;
pub mod example;
pub mod html;
pub mod template;

mod book;
mod change;
mod digits;
mod markdown;
mod words;
mod write;

pub use words::{Word, of_period, word};
pub use write::{Failed, write};
