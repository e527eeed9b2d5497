//! Two documents side by side, and a document beside the issues before it.

use std::collections::HashMap;

use serde::Serialize;

use crate::document::{Cited, Document, Was};

/// A number that is not the same in two documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// By which both are known.
    pub key: String,
    /// What it is called.
    pub label: String,
    /// Of which area, unit or service.
    pub of: String,
    /// As it is written in the first; none where it is not in it.
    pub old: Option<String>,
    /// As it is written in the second; none where it is not in it.
    pub new: Option<String>,
}

/// The numbers that two documents do not share, in the order of the second, then of the first.
pub fn compare(old: &Document, new: &Document) -> Vec<Difference> {
    let by_key = |document: &Document| -> HashMap<String, Cited> {
        document
            .numbers
            .iter()
            .map(|cited| (cited.key.clone(), cited.clone()))
            .collect()
    };
    let (before, after) = (by_key(old), by_key(new));
    let line = |cited: &Cited, old: Option<&Cited>, new: Option<&Cited>| Difference {
        key: cited.key.clone(),
        label: cited.label.clone(),
        of: cited.of.clone(),
        old: old.map(|cited| cited.shown.clone()),
        new: new.map(|cited| cited.shown.clone()),
    };
    let mut differences = Vec::new();
    for cited in &new.numbers {
        let other = before.get(&cited.key);
        if other.is_none_or(|other| changed(other, cited)) {
            differences.push(line(cited, other, Some(cited)));
        }
    }
    for cited in &old.numbers {
        if !after.contains_key(&cited.key) {
            differences.push(line(cited, Some(cited), None));
        }
    }
    differences
}

/// Marks each number that was another one when it was last issued. `issues` are those before, the newest first, each with its
/// number.
pub fn mark<'d>(document: &mut Document, issues: impl IntoIterator<Item = (i64, &'d Document)>) {
    let mut issued: HashMap<&str, (i64, &Cited)> = HashMap::new();
    for (issue, earlier) in issues {
        for cited in &earlier.numbers {
            issued.entry(&cited.key).or_insert((issue, cited));
        }
    }
    for cited in &mut document.numbers {
        cited.was = issued
            .get(cited.key.as_str())
            .filter(|(_, earlier)| changed(earlier, cited))
            .map(|(issue, earlier)| Was {
                shown: earlier.shown.clone(),
                issue: *issue,
            });
    }
}

fn changed(old: &Cited, new: &Cited) -> bool {
    let value = match (old.value, new.value) {
        (Some(old), Some(new)) => !old.equals(new),
        (old, new) => old.is_some() != new.is_some(),
    };
    value || old.numerator != new.numerator || old.denominator != new.denominator
}
