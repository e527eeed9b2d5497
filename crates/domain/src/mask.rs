//! Masks what could name or reach a person in a text that the public reads: e-mail addresses, telephone numbers,
//! identity-card numbers, vehicle plates (DESIGN §1).
//!
//! It would rather mask a house number too many than show a telephone number: it works by shape, not by meaning.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

/// What stands where something was masked.
pub const MASK: &str = "•••";

/// Each alternative is one kind; a run of digits counts as a number to call from seven digits on.
static PRIVATE: LazyLock<Regex> = LazyLock::new(|| {
    let email = r"[\p{L}\p{N}._%+-]+[@＠][\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+";
    let chinese_identity = r"\d{6}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]";
    let telephone = r"(?:\+|[(（]\s?)?\d(?:[\s()（）.\-‐‑–—－/]{0,2}\d){6,17}";
    let chinese_plate =
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·\s]?[A-Z0-9]{5,6}";
    let plate = r"\b[A-Z]{1,3}[ -]\d{3,6}(?:[ -]?[A-Z]{1,3})?\b";
    Regex::new(&format!(
        "{email}|{chinese_identity}|{telephone}|{chinese_plate}|{plate}"
    ))
    .expect("the pattern is a constant; a test compiles it")
});

/// ISO dates and times are no telephone numbers.
static DATE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\d{4}-\d{1,2}-\d{1,2}(?:[\s]\d{1,2})?$").expect("a constant"));

/// The text with everything private replaced by [`MASK`].
pub fn mask(text: &str) -> Cow<'_, str> {
    PRIVATE.replace_all(text, |found: &Captures<'_>| {
        if DATE.is_match(&found[0]) {
            found[0].to_owned()
        } else {
            MASK.to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn telephone_numbers_addresses_identities_and_plates_are_masked() {
        for (raw, shown) in [
            ("call me at 044 412 11 11", "call me at •••"),
            ("+41 44 412 11 11, please", "•••, please"),
            ("请打13812345678", "请打•••"),
            ("电话：（0451）8765—4321", "电话：•••"),
            ("电话１３８１２３４５６７８", "电话•••"),
            ("write to a.b+c@example.org.", "write to •••."),
            ("身份证 230805198001011234 丢了", "身份证 ••• 丢了"),
            ("车牌黑D·12345停在路上", "车牌•••停在路上"),
            ("the van ZH-123456 blocks it", "the van ••• blocks it"),
        ] {
            assert_eq!(mask(raw), shown, "{raw}");
        }
    }

    #[test]
    fn plain_words_house_numbers_and_dates_stay() {
        for text in [
            "Lamp 12 at Bahnhofstrasse 105 is dark",
            "since 2026-05-08",
            "三江路15号路灯坏了",
            "",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
