//! Numbers that somebody typed: which digits of a text are numbers, and which are dates.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    // What is written full-width has its commas so, too; before ASCII digits such a comma is the sentence's.
    Regex::new(r"(?:[0-9]+(?:[.,][0-9]+)*|[０-９]+(?:[．，][０-９]+)*)(?:\s?[%‰％])?").expect("a pattern")
});

/// Dates as both languages write them, times of day, and months.
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    const MONTH: &str =
        "(?:January|February|March|April|May|June|July|August|September|October|November|December)";
    Regex::new(&format!(
        r"(?x)
        [0-9]{{4}}\s?年 (?:\s?[0-9]{{1,2}}\s?月 (?:\s?[0-9]{{1,2}}\s?[日号])?)?
        | (?-u:\b)[0-9]{{1,2}}\s?月 (?:\s?[0-9]{{1,2}}\s?[日号])?
        | (?-u:\b)[0-9]{{4}}-[0-9]{{2}}(?:-[0-9]{{2}})?(?-u:\b)
        | (?-u:\b)(?:[0-9]{{1,2}}\s)?{MONTH}(?:\s[0-9]{{1,2}},)?\s[0-9]{{4}}(?-u:\b)
        | (?-u:\b)[0-9]{{1,2}}\s{MONTH}(?-u:\b)
        | (?-u:\b){MONTH}\s[0-9]{{1,2}}(?-u:\b)
        | (?-u:\b)[0-2]?[0-9][:：][0-5][0-9](?-u:\b)"
    ))
    .expect("a pattern")
});

/// The number of a heading: "1.2 Grid", "1、", "第3章".
static HEADING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*第?\s*[0-9]+(?:\.[0-9]+)*\s*(?:[.、．)）章节部]|\s)").expect("a pattern")
});

/// Where numbers stand in a text that are neither a date nor part of what is allowed.
pub(crate) fn typed(text: &str, heading: bool, allow: &[String]) -> Vec<Range<usize>> {
    if !text.contains(|letter: char| letter.is_ascii_digit() || ('０'..='９').contains(&letter)) {
        return Vec::new();
    }
    let mut free: Vec<Range<usize>> = DATE.find_iter(text).map(|found| found.range()).collect();
    if heading {
        free.extend(HEADING.find(text).map(|found| found.range()));
    }
    for phrase in allow.iter().filter(|phrase| !phrase.is_empty()) {
        free.extend(
            text.match_indices(phrase.as_str())
                .map(|(at, _)| at..at + phrase.len()),
        );
    }
    NUMBER
        .find_iter(text)
        .map(|found| found.range())
        .filter(|number| {
            !free
                .iter()
                .any(|free| free.start <= number.start && number.end <= free.end)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::typed;

    fn found<'t>(text: &'t str, heading: bool, allow: &[&str]) -> Vec<&'t str> {
        let allow: Vec<String> = allow.iter().map(|&phrase| phrase.to_owned()).collect();
        typed(text, heading, &allow)
            .into_iter()
            .map(|range| &text[range])
            .collect()
    }

    #[test]
    fn a_number_in_prose_is_typed_by_hand() {
        assert_eq!(
            found("共受理 1,234 件，办结率98.5%。", false, &[]),
            ["1,234", "98.5%"]
        );
        assert_eq!(found("受理３５件", false, &[]), ["３５"]);
        assert_eq!(found("some 20 cases in 3 towns", false, &[]), ["20", "3"]);
    }

    #[test]
    fn a_date_is_not() {
        let none: [&str; 0] = [];
        assert_eq!(found("在2025年6月30日、于6月3日、2024 年", false, &[]), none);
        assert_eq!(found("2025-06-30, June 2025, 3 May, 8:30", false, &[]), none);
        assert_eq!(found("on 30 June 2025 and June 30, 2025", false, &[]), none);
    }

    #[test]
    fn a_length_of_time_is_no_date() {
        assert_eq!(found("3个月内、5日内", false, &[]), ["3", "5"]);
        assert_eq!(found("2025 cases", false, &[]), ["2025"]);
    }

    #[test]
    fn the_number_of_a_heading_is_free_and_others_in_it_are_not() {
        assert_eq!(found("1.2 网格 35 个", true, &[]), ["35"]);
        assert_eq!(found("第3章 办理", true, &[]), [""; 0]);
    }

    #[test]
    fn what_is_allowed_is_free_where_it_is_the_whole_number() {
        assert_eq!(found("12345 热线 123456 次", false, &["12345"]), ["123456"]);
        assert_eq!(found("“1+12+95”三级", false, &["1+12+95"]), [""; 0]);
    }
}
