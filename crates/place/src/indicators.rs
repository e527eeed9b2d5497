//! indicators.toml: the place's own indicators, beside those that are shipped.
//!
//! What a declaration means is for [`whistle_figures::indicator`] to say; in here its faults become those of the folder.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};
use whistle_domain::words::Lang;
use whistle_figures::indicator::{Book, KnownCodes};

use crate::{
    fault::{Faults, at},
    jurisdiction::{flat_table, written},
    text::{decode, did_you_mean},
};

pub(crate) const FILE: &str = "indicators.toml";

/// The shipped indicators with those of the place.
pub(crate) fn read(
    bytes: Option<&[u8]>,
    codes: &KnownCodes,
    languages: &[Lang],
    faults: &mut Faults,
) -> Book {
    let text = bytes.and_then(|bytes| decode(FILE, bytes, faults));
    let Some(text) = text else {
        return Book::shipped().clone();
    };
    let (book, found) = Book::read(&text, codes, languages);
    for fault in found {
        let mend = match &fault.unknown {
            Some((word, known)) => did_you_mean(word, known.iter().map(String::as_str), &fault.mend),
            None => fault.mend,
        };
        faults.error(at(FILE, fault.line), fault.what, mend);
    }
    book
}

/// What a plan compares: of each indicator what it declares by its keys, and of each condition what it says. Empty where the file is
/// no TOML.
pub(crate) fn declared(bytes: &[u8]) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let Some(text) = decode(FILE, bytes, &mut Faults::default()) else {
        return found;
    };
    let Ok(root) = DeTable::parse(&text) else {
        return found;
    };
    let section = |key: &str| root.get_ref().get(key).map(toml::Spanned::get_ref);
    for indicator in section("indicator")
        .and_then(DeValue::as_array)
        .into_iter()
        .flatten()
    {
        let Some(table) = indicator.get_ref().as_table() else {
            continue;
        };
        let mut keys = flat_table(table);
        let code = table.get("code").and_then(|code| code.get_ref().as_str());
        let Some(code) = code else {
            continue;
        };
        keys.remove("code");
        found.insert(code.to_owned(), keys);
    }
    for (name, value) in section("conditions")
        .and_then(DeValue::as_table)
        .into_iter()
        .flatten()
    {
        let says = BTreeMap::from([("says".to_owned(), written(value.get_ref()))]);
        found.insert(format!("condition {}", name.get_ref()), says);
    }
    found
}
