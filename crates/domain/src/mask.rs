//! Masks what could name or reach a person in a text that the public reads: e-mail addresses, telephone numbers,
//! identity-card numbers, vehicle plates (DESIGN §1).
//!
//! It works by shape, not by meaning, and would rather mask the number of a thing too many than show a telephone number:
//! seven digits on are one, so that an identity number with a slip in it is masked as well as a right one. What has the
//! shape of a date, and what is said to be money or a case, stays.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// What stands where something was masked.
pub const MASK: &str = "•••";

/// Each alternative is one kind.
static PRIVATE: LazyLock<Regex> = LazyLock::new(|| {
    // A host in ASCII ends where Chinese goes on; it would take the beginning of a plate with it.
    let email = r"[\p{L}\p{N}._%+-]+[@＠](?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[\p{L}\p{N}-]+(?:[.．][\p{L}\p{N}-]+)+)";
    // Only for the X at the end; without one it is a run of digits like others.
    let identity = r"\d(?:[ \-]?\d){16}[ \-]?[XxＸｘ]";
    let telephone = r"(?:[+＋]|[(（]\s?)?\d(?:[\s()（）.\-‐‑–—－/]{0,2}\d){6,}";
    // The province, the office, then five letters and digits, six for new-energy cars: 京A·12345, 京AD12345.
    let chinese_plate = r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Za-zＡ-Ｚ][·•・.\-\s]?[A-Za-zＡ-Ｚ\d]{4,}[A-Za-zＡ-Ｚ\d挂学警港澳]";
    // Of ASCII words: the other boundary keeps all of it from the fast engines, and would let 车ZH-123456 pass.
    let plate = r"(?-u:\b)[A-Z]{2,3}[ -]\d{3,6}(?:[ -]?[A-Z]{1,3})?(?-u:\b)";
    Regex::new(&format!(
        "(?<email>{email})|(?<number>{identity}|{telephone})|(?<plate>{chinese_plate})|{plate}"
    ))
    .expect("the pattern is a constant; a test compiles it")
});

/// A date at the beginning of what looks like a number to call.
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^[(（]?\s?((?:19|20)\d{2}[-./－](?:0?[1-9]|1[0-2])[-./－](?:0?[1-9]|[12]\d|3[01])|(?:0?[1-9]|[12]\d|3[01])[-./](?:0?[1-9]|1[0-2])[-./](?:19|20)\d{2})(?:\D|$)",
    )
    .expect("a constant")
});

/// What stands before or after a sum of money.
static CURRENCY_BEFORE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:[¥￥$€]|\b(?:CHF|RMB|CNY|EUR|USD))\s?$").expect("a constant"));
static CURRENCY_AFTER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s?(?:[万亿]?元|€|(?:CHF|RMB|CNY|EUR|USD|yuan)\b)").expect("a constant"));

/// What stands before the number of a case.
static CASE_BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i:案件(?:编号)?|案号|工单(?:号)?|\bcase(?: no\.?| number)?)\s?[:：#]?\s?$")
        .expect("a constant")
});

/// The most digits of a sum or a case: a mobile number has more, and is masked whatever it is said to be.
const MAX_DIGITS_OF_THINGS: usize = 10;

/// The fewest digits of a plate; words after the short name of a province have fewer. Nothing but an e-mail address is
/// masked that has fewer.
const MIN_DIGITS_OF_PLATE: usize = 3;

/// The text with everything private replaced by [`MASK`].
pub fn mask(text: &str) -> Cow<'_, str> {
    // Every list asks this of every text it shows, and most have nothing of the kind.
    if !text.contains(['@', '＠']) && digits(text) < MIN_DIGITS_OF_PLATE {
        return Cow::Borrowed(text);
    }
    let (mut shown, mut done, mut at) = (String::new(), 0, 0);
    while let Some(found) = PRIVATE.captures_at(text, at) {
        let whole = found.get_match();
        let (start, end) = (whole.start(), whole.end());
        let kept = if found.name("number").is_some() {
            end_of_thing(text, start, end)
        } else if found.name("plate").is_some() && digits(whole.as_str()) < MIN_DIGITS_OF_PLATE {
            Some(start + whole.as_str().chars().next().map_or(1, char::len_utf8))
        } else {
            None
        };
        if let Some(kept) = kept {
            at = kept;
            continue;
        }
        shown.push_str(&text[done..start]);
        shown.push_str(MASK);
        (done, at) = (end, end);
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    shown.push_str(&text[done..]);
    Cow::Owned(shown)
}

/// Where a date, a sum or a case's number ends that a run of digits begins with or is; none when it is a number to call.
fn end_of_thing(text: &str, start: usize, end: usize) -> Option<usize> {
    if let Some(date) = DATE.captures(&text[start..]).and_then(|found| found.get(1)) {
        return Some(start + date.end());
    }
    let run = &text[start..end];
    if digits(run) > MAX_DIGITS_OF_THINGS || run.starts_with(['+', '＋', '(', '（', '0']) {
        return None;
    }
    let (before, after) = (&text[..start], &text[end..]);
    let is_plain = run.chars().all(|c| c.is_ascii_digit());
    let is_sum = run.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '.'))
        && (CURRENCY_BEFORE.is_match(before) || CURRENCY_AFTER.is_match(after));
    (is_sum || (is_plain && CASE_BEFORE.is_match(before))).then_some(end)
}

fn digits(text: &str) -> usize {
    text.chars().filter(|c| c.is_numeric()).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn telephone_numbers_addresses_identities_and_plates_are_masked() {
        for (raw, shown) in [
            ("call me at 044 412 11 11", "call me at •••"),
            ("+41 44 412 11 11, please", "•••, please"),
            ("＋86 138 1234 5678", "•••"),
            ("请打13812345678", "请打•••"),
            ("13812345678 或 13987654321", "••• 或 •••"),
            ("13812345678 13987654321", "•••"),
            ("2026-05-08 13812345678", "2026-05-08 •••"),
            ("电话：（0451）8765—4321", "电话：•••"),
            ("座机0451-87654321转3", "座机•••转3"),
            ("电话１３８１２３４５６７８", "电话•••"),
            ("案件 13812345678", "案件 •••"),
            ("13812345678元", "•••元"),
            ("write to a.b+c@example.org.", "write to •••."),
            ("发到 wang＠例子．中国", "发到 •••"),
            ("身份证 230805198001011234 丢了", "身份证 ••• 丢了"),
            ("身份证23080519800101123X", "身份证•••"),
            ("23080519800101123x", "•••"),
            ("旧证 230805800101123", "旧证 •••"),
            ("车牌黑D·12345停在路上", "车牌•••停在路上"),
            ("黑D12345", "•••"),
            ("黑d 12345", "•••"),
            ("京AD12345占道", "•••占道"),
            ("粤B·12345F占道", "•••占道"),
            ("粤Z·1234港", "•••"),
            ("the van ZH-123456 blocks it", "the van ••• blocks it"),
            ("车ZH-123456占道", "车•••占道"),
        ] {
            assert_eq!(mask(raw), shown, "{raw}");
        }
    }

    #[test]
    fn plain_words_house_numbers_dates_sums_and_cases_stay() {
        for text in [
            "Lamp 12 at Bahnhofstrasse 105 is dark",
            "Block A-105, flat 1203",
            "since 2026-05-08",
            "from 2026-05-08 14:30 to 2026-05-09 08:00",
            "(2026/5/8) und 8.5.2026",
            "从2026年5月8日起",
            "三江路15号路灯坏了",
            "3号楼2单元1203室",
            "It cost CHF 1200000 and 1 200 000.50 yuan",
            "造价12500000元，补贴￥3500000",
            "同案件 1234567",
            "see case no. 12345678",
            "贵A level of noise",
            "新C区的路灯",
            "",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    /// Words that are nobody's.
    fn word() -> impl Strategy<Value = String> {
        prop::sample::select(vec![
            "路灯坏了",
            "请联系",
            "at the corner",
            "，",
            "。",
            "停在",
            " and ",
            "：",
            "旁边",
            "; ",
        ])
        .prop_map(str::to_owned)
    }

    /// Something private, of every kind.
    fn private() -> impl Strategy<Value = String> {
        prop_oneof![
            "1[3-9][0-9]{9}",
            "0[1-9][0-9]{1,2}-[2-8][0-9]{6,7}",
            "（0[1-9][0-9]{2}）[2-8][0-9]{7}",
            r"\+[1-9][0-9]{0,2}( [0-9]{2,4}){3,4}",
            "[a-z]{1,8}(\\.[a-z]{1,5})?@[a-z]{1,8}\\.(cn|org|com)",
            "[1-6][0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9])[0-9]{3}[0-9Xx]",
            "[京沪黑粤川][A-HJ-NP-Z]·?[0-9]{5}",
            "[京沪黑粤川][A-HJ-NP-Z][DF][0-9]{5}",
            "[京沪黑粤川][A-HJ-NP-Z][0-9]{5}[DF]",
        ]
    }

    /// What has digits and is nobody's.
    fn ordinary() -> impl Strategy<Value = String> {
        prop_oneof![
            "[1-9][0-9]{0,3}号",
            "[1-9]号楼[1-9]单元[1-9][0-9]{3}室",
            "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9])",
            "20[0-9]{2}年[1-9]月[1-9]日",
            "20[0-9]{2}/[1-9]/[1-9] 1[0-9]:[0-5][0-9]",
            "[1-9][0-9]{0,8}元",
            "[1-9][0-9]{0,4}万元",
            "¥[1-9][0-9]{0,8}",
            "案件 [1-9][0-9]{0,7}",
            "case [1-9][0-9]{0,7}",
            "Lamp [A-Z]-[1-9][0-9]{0,4}",
        ]
    }

    proptest! {
        #[test]
        fn a_masked_text_has_nothing_private_left(
            parts in prop::collection::vec((word(), private()), 1..5),
            end in word(),
        ) {
            let text: String = parts.iter().flat_map(|(word, private)| [word.as_str(), private]).collect();
            let text = text + &end;
            let shown = mask(&text).into_owned();
            for (_, private) in &parts {
                prop_assert!(!shown.contains(private.as_str()), "{text:?} became {shown:?}");
            }
            let run = Regex::new(r"\d{5}").unwrap();
            prop_assert!(!run.is_match(&shown), "{text:?} became {shown:?}");
            prop_assert_eq!(mask(&shown), shown.as_str());
        }

        #[test]
        fn an_ordinary_text_stays_as_it_is(parts in prop::collection::vec((word(), ordinary()), 1..5)) {
            let text: String = parts.iter().flat_map(|(word, ordinary)| [word.as_str(), "，", ordinary]).collect();
            prop_assert_eq!(mask(&text), text.as_str());
        }
    }
}
