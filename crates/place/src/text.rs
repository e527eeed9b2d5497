//! From bytes to text, from offsets to lines, and from a misspelt word to the one that was meant.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030};

use crate::fault::{At, Faults, whole};

/// Above this many candidates no near word is looked for: it would take longer than the reader's own eye.
const MAX_CANDIDATES: usize = 20_000;

/// The text of a file: UTF-8 with or without a byte order mark, UTF-16 with one, or GB18030 (and so GBK) with a
/// warning. None, and a fault, when it is no text.
pub(crate) fn decode<'b>(file: &str, bytes: &'b [u8], faults: &mut Faults) -> Option<Cow<'b, str>> {
    let (text, has_errors) = if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        encoding.decode_without_bom_handling(&bytes[length..])
    } else if let Ok(text) = std::str::from_utf8(bytes) {
        (Cow::Borrowed(text), false)
    } else {
        let (text, has_errors) = GB18030.decode_without_bom_handling(bytes);
        if !has_errors {
            faults.warn(
                whole(file),
                "is not UTF-8; it was read as GBK (GB18030)",
                "look whether the names are right, and save it as UTF-8",
            );
        }
        (text, has_errors)
    };
    if has_errors || text.contains('\0') {
        faults.error(whole(file), "is no text in UTF-8 or GBK", "save it as UTF-8");
        return None;
    }
    Some(text)
}

/// Where the lines of a text begin.
pub(crate) struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    pub fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        Self {
            ends: ends.map(|(i, _)| i).collect(),
        }
    }

    /// The line, from 1, of a byte.
    pub fn at(&self, offset: usize) -> u32 {
        self.ends.partition_point(|end| *end < offset) as u32 + 1
    }
}

/// A piece of a mend: `did you mean "X"?`, or what else to do when no candidate is near.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    otherwise: &str,
) -> String {
    match nearest(word, candidates) {
        Some(near) => format!("did you mean {near:?}?"),
        None => otherwise.to_owned(),
    }
}

/// The candidate that differs least from the word, when it differs in no more than a third of its letters.
fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = |text: &str| text.trim().to_lowercase().chars().collect::<Vec<_>>();
    let wanted = letters(word);
    let most = (wanted.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for (count, candidate) in candidates.into_iter().enumerate() {
        if count >= MAX_CANDIDATES {
            return None;
        }
        let other = letters(candidate);
        if other.len().abs_diff(wanted.len()) > most {
            continue;
        }
        let distance = strsim::generic_levenshtein(&wanted, &other);
        // A code of one or two letters is near to every other one.
        if distance <= most && distance < wanted.len() && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// A word as a fault shows it: quoted, and cut when it is long.
pub(crate) fn shown(word: &str) -> String {
    const MOST: usize = 60;
    if word.chars().count() > MOST {
        let start: String = word.chars().take(MOST).collect();
        format!("{:?}", format!("{start}…"))
    } else {
        format!("{word:?}")
    }
}

/// `yes` or `no`, in the words that people type and programs export.
pub(crate) fn yes_no(word: &str) -> Option<bool> {
    match word.trim().to_lowercase().as_str() {
        "yes" | "y" | "true" | "1" | "是" | "√" => Some(true),
        "no" | "n" | "false" | "0" | "否" => Some(false),
        _ => None,
    }
}

/// Reads a value by its `FromStr`; the refusal becomes a fault.
pub(crate) fn parsed<T>(word: &str, at: At<'_>, faults: &mut Faults) -> Option<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    match word.parse() {
        Ok(value) => Some(value),
        Err(refusal) => {
            faults.refusal(at, &refusal);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_offered_and_a_far_one_is_not() {
        let known = ["WATER", "ROADS", "PARKS"];
        assert_eq!(nearest("WATRE", known), None);
        assert_eq!(nearest("WATERS", known), Some("WATER"));
        assert_eq!(nearest("roads", known), Some("ROADS"));
        assert_eq!(nearest("LIGHT", known), None);
    }

    #[test]
    fn a_byte_lies_on_the_line_that_it_is_written_on() {
        let lines = Lines::of("a\nbc\n\nd");
        let found: Vec<u32> = (0..7).map(|offset| lines.at(offset)).collect();
        assert_eq!(found, [1, 1, 2, 2, 2, 3, 4]);
    }
}
