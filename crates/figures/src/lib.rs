//! Figures: facts folded from the log of cases, and indicators, which are declared formulas over them.
//!
//! Knows what a fact is, how a log folds to facts, how an indicator is declared and what it comes to. Does not know the store, the
//! server or what is done with a figure.

pub mod facts;
pub mod indicator;
