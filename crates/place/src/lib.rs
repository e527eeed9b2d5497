//! The place folder: the plain files by which a place says what it is, read, checked and compiled.
//!
//! Knows files, lines and faults. Does not know the store, HTTP or accounts; what it builds is the domain's
//! [`Place`](whistle_domain::place::Place). The formats are described for operators in `docs/place-folder.md`.
//!
//! Every fault of a folder is found in one go. A fault in one row never hides those of the rows that refer to it,
//! and never makes new ones of them.

mod areas;
mod calendar;
mod compile;
mod difference;
mod escalations;
mod fault;
mod folder;
mod indicators;
mod jurisdiction;
mod rounds;
mod routing;
mod services;
mod shape;
mod standards;
mod table;
mod text;
mod tiling;
mod units;
mod whistles;

pub use compile::{Compiled, compile};
pub use difference::{Change, Sign, difference};
pub use fault::{Fault, Faults, Severity};
pub use folder::{Folder, KNOWN_FILES, MAX_AREAS_BYTES, MAX_FILE_BYTES, MAX_TEXTS};
pub use routing::{LinkFault, UnclearedFault, check, uncleared};
pub use units::unreached;
