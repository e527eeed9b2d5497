//! Notices: what people and systems are told of a case, in which words, and the ways by which it goes to them.
//!
//! Knows the domain, messages, templates and transports. Has no SQL and no HTTP server; what must be sent when, and to
//! which address, is the caller's to say.
//!
//! - [`told`]: who must be told what. The table of notices is [`Notice`].
//! - [`template`]: the words, shipped and the place's own. [`view`]: what the words may name.
//! - [`choice`]: which of them a reader wants, and when.
//! - [`mail`]: e-mail by SMTP. [`webhook`]: signed requests. [`push`]: words for a lock screen. [`reply`]: a mail that came back, [`bounce`]: undelivered.

pub mod bounce;
pub mod choice;
pub mod mail;
mod notice;
pub mod push;
pub mod reply;
pub mod template;
pub mod told;
pub mod view;
pub mod webhook;
mod why;

use jiff::SignedDuration;

pub use notice::Notice;
pub use why::Why;

/// That something was not delivered, and why: see [`Why`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// It was not taken; it may go another time.
    #[error("{0}")]
    Later(String),
    /// It was not taken, and who did not take it says how long to wait at the least.
    #[error("{0}")]
    NotBefore(String, SignedDuration),
    /// It may have been taken, and nobody said so; it goes again, as it was.
    #[error("{0}")]
    Perhaps(String),
    /// It never will.
    #[error("{0}")]
    Never(String),
    /// It never will, and nothing else will that goes to the same address.
    #[error("{0}")]
    Address(String),
}
