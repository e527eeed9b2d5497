//! By which words a case is found, and what a search looks for: texts cut into words, with nothing of how they are kept.
//!
//! Chinese, Japanese and Korean write no spaces that a search could go by, so their runs are cut into overlapping pairs of
//! letters: who looks for 路灯 finds every text with these two letters side by side. Each letter is a word as well, for those who
//! look for one letter. Other scripts are cut into whole words, digits among them.
//!
//! What a text is masked for ([`mask`]) nobody finds, staff neither: a search finds matters, and no telephone number or plate
//! gathers the cases of a person.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use crate::{
    case::{Body, Case, Event},
    mask::mask,
    place::{Level, Place},
    public,
    words::{AccessClass, AreaCode, CaseNumber, ServiceCode, Text, UnitCode},
};

/// Counts up when texts are cut otherwise, or a case is found by other words, so that what was cut before is cut again.
pub const RULE: u32 = 1;

/// The most letters of a search: a long sentence. Each costs a look into the index.
pub const MAX_SEARCH: usize = 100;

/// The most words of a search, pairs of letters among them: more are no search, and each is looked up.
pub const MAX_SOUGHT: usize = 40;

/// The most words that a case is found by, so that one with hundreds of long remarks does not swell the index; those of what
/// happened first are kept.
pub const MAX_WORDS: usize = 4_000;

/// The most letters of a word; the rest of a longer one is not looked at. No word that people type has as many.
const MAX_WORD: usize = 40;

/// The fewest digits by which a case is found that ends with them: two are shared by one case in a hundred.
const MIN_TAIL: usize = 3;

/// What is written in letters and digits, without a sign between them.
static RUN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[\p{L}\p{M}\p{N}]+").expect("a constant"));

/// A part of that: of a script that writes no spaces, or of others.
static PART: LazyLock<Regex> = LazyLock::new(|| {
    let unspaced = r"\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Bopomofo}";
    Regex::new(&format!("(?<unspaced>[{unspaced}]+)|[^{unspaced}]+")).expect("a constant")
});

/// Calls `found` with each run of a text: its letters as they are compared, and whether it is of a script without spaces.
fn runs(text: &str, mut found: impl FnMut(&str, bool)) {
    // Small letters of some signs are no longer normal, so it is done once more.
    let text: String = text.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    for run in RUN.find_iter(&text) {
        for part in PART.captures_iter(run.as_str()) {
            found(part.get_match().as_str(), part.name("unspaced").is_some());
        }
    }
}

/// The pairs of neighbouring letters.
fn pairs(run: &str) -> impl Iterator<Item = &str> {
    let starts = run.char_indices();
    starts
        .zip(run.char_indices().skip(1))
        .map(|((start, _), (second, letter))| &run[start..second + letter.len_utf8()])
}

fn letters(run: &str) -> impl Iterator<Item = &str> {
    run.char_indices()
        .map(|(start, letter)| &run[start..start + letter.len_utf8()])
}

/// A word without what is behind its first letters.
fn shortened(word: &str) -> &str {
    word.char_indices()
        .nth(MAX_WORD)
        .map_or(word, |(end, _)| &word[..end])
}

/// Calls `word` with every word by which a text is found.
fn cut(text: &str, mut word: impl FnMut(&str)) {
    runs(text, |run, is_unspaced| {
        if is_unspaced {
            letters(run).chain(pairs(run)).for_each(&mut word);
        } else {
            word(shortened(run));
        }
    });
}

// ---- what a case is found by ------------------------------------------------------------------------------------

/// The sign before a word that only staff may read, and so only staff may find.
const STAFF: char = '~';

/// The sign before the number of a case, which is written backwards, so that its last digits are a beginning.
const NUMBER: char = '#';

/// What lists look for in a case, as a word: so that a search comes to the cases of an area or a unit without looking at all
/// others. It never decides who sees a case; the row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark<'a> {
    /// In this area.
    Area(&'a str),
    /// This unit leads, or has a part in it.
    Unit(&'a str),
    /// Of this service.
    Service(&'a str),
    /// Of this class of access.
    Class(&'a str),
    /// Open, or closed.
    Open(bool),
    /// The public sees it.
    Public,
}

impl Mark<'_> {
    /// The word. Codes that differ in other signs than letters and digits may have the same, which makes a search look at more.
    pub fn word(self) -> String {
        let (sign, code) = match self {
            Self::Area(code) => ('@', code),
            Self::Unit(code) => ('&', code),
            Self::Service(code) => ('%', code),
            Self::Class(code) => ('=', code),
            Self::Open(true) => ('+', "open"),
            Self::Open(false) => ('+', "closed"),
            Self::Public => ('+', "public"),
        };
        let code = code.chars().flat_map(char::to_lowercase);
        let plain = code.map(|letter| if letter.is_alphanumeric() { letter } else { '_' });
        std::iter::once(sign).chain(plain).collect()
    }
}

/// Words in the making.
#[derive(Default)]
struct Gathered(BTreeSet<String>);

impl Gathered {
    fn mark(&mut self, mark: Mark<'_>) {
        self.0.insert(mark.word());
    }

    fn add(&mut self, word: impl Into<String>) {
        if self.0.len() < MAX_WORDS {
            self.0.insert(word.into());
        }
    }

    /// What everybody may read who may see the case.
    fn open(&mut self, text: &str) {
        cut(text, |word| self.add(word));
    }

    /// What staff may read besides. To be called once all that is open was.
    fn closed(&mut self, text: &str) {
        cut(&mask(text), |word| {
            if !self.0.contains(word) {
                self.add(format!("{STAFF}{word}"));
            }
        });
    }

    fn name(&mut self, name: &Text) {
        let all = [Some(&name.own), name.zh.as_ref(), name.en.as_ref()];
        all.into_iter().flatten().for_each(|name| self.open(name));
    }
}

/// All words by which a case is found, in their order: of what was told and written, of the names of its service and
/// areas, its number, and its marks. Those of masked public texts stand as they are, others behind a sign.
pub fn words(case: &Case, log: &[Event], place: &Place) -> Vec<String> {
    let mut found = Gathered::default();
    marks(case, &mut found);
    found.add(number_word(&case.number.to_string()));
    if let Some(service) = place.service(case.service.as_str()) {
        found.name(&service.name);
        let group = service
            .group
            .as_ref()
            .and_then(|code| place.service(code.as_str()));
        if let Some(group) = group {
            found.name(&group.name);
        }
    }
    for index in areas(case).filter_map(|code| place.areas.find(code.as_str())) {
        found.name(&place.areas.get(index).name);
    }
    for text in [
        public::address(case),
        public::description(case),
        public::resolution(case),
    ] {
        found.open(&text);
    }
    for entry in public::timeline(log) {
        found.open(&entry.text);
    }
    for event in log {
        closed(event, &mut found);
    }
    found.0.into_iter().collect()
}

fn areas(case: &Case) -> impl Iterator<Item = &AreaCode> {
    Level::ALL
        .into_iter()
        .filter_map(|level| case.location.areas.at(level))
}

fn marks(case: &Case, found: &mut Gathered) {
    areas(case).for_each(|area| found.mark(Mark::Area(area.as_str())));
    let units = case.lead.iter().chain(case.joint.iter().map(|part| &part.unit));
    units
        .map(UnitCode::as_str)
        .for_each(|unit| found.mark(Mark::Unit(unit)));
    found.mark(Mark::Service(ServiceCode::as_str(&case.service)));
    if let Some(class) = &case.access {
        found.mark(Mark::Class(AccessClass::as_str(class)));
    }
    found.mark(Mark::Open(case.state.is_open()));
    if case.public {
        found.mark(Mark::Public);
    }
}

/// What was written with an event, and typed into it.
fn closed(event: &Event, found: &mut Gathered) {
    found.closed(&event.text);
    match &event.body {
        Body::Reported {
            location, answers, ..
        } => {
            found.closed(&location.address);
            let values = answers.iter().flat_map(|answer| &answer.values);
            values.for_each(|value| found.closed(value));
        }
        Body::Relocated { location } => found.closed(&location.address),
        Body::Asked { choices, .. } => choices.iter().for_each(|choice| found.closed(choice)),
        _ => {}
    }
}

fn number_word(digits: &str) -> String {
    std::iter::once(NUMBER).chain(digits.chars().rev()).collect()
}

// ---- what is looked for -----------------------------------------------------------------------------------------

/// Who looks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eyes {
    /// Anyone: in masked public texts.
    Public,
    /// Staff: in all that is written in a case.
    Staff,
}

/// A word of the index that would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The word, or its beginning.
    pub word: String,
    /// Whether the words that begin so do as well.
    pub is_prefix: bool,
}

impl Term {
    /// The word itself.
    pub fn whole(word: impl Into<String>) -> Self {
        Self {
            word: word.into(),
            is_prefix: false,
        }
    }
}

/// Why a search is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// There is neither letter nor digit in it.
    #[error("there is no word in it; write letters or digits")]
    Empty,
    /// It is too long.
    #[error("it is too long; write at most {MAX_SEARCH} letters")]
    Long,
    /// It has too many words.
    #[error("it has too many words; write fewer")]
    Many,
}

impl SearchError {
    /// The word in the message catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Long => "long",
            Self::Many => "many",
        }
    }
}

/// What is looked for: a case that has every one of some words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    words: Vec<String>,
}

impl std::str::FromStr for Search {
    type Err = SearchError;

    fn from_str(text: &str) -> Result<Self, SearchError> {
        if text.chars().count() > MAX_SEARCH {
            return Err(SearchError::Long);
        }
        let mut words: Vec<String> = Vec::new();
        runs(text, |run, is_unspaced| {
            let mut add = |word: &str| {
                if !words.iter().any(|known| known == word) {
                    words.push(word.to_owned());
                }
            };
            match pairs(run).next() {
                Some(_) if is_unspaced => pairs(run).for_each(add),
                _ => add(shortened(run)),
            }
        });
        match words.len() {
            0 => Err(SearchError::Empty),
            1..=MAX_SOUGHT => Ok(Self { words }),
            _ => Err(SearchError::Many),
        }
    }
}

impl Search {
    /// The number of a case, if that is all it says.
    pub fn number(&self) -> Option<CaseNumber> {
        match self.words.as_slice() {
            [word] => word.parse().ok(),
            _ => None,
        }
    }

    /// What a case must have: of each of these lists one term.
    pub fn terms(&self, eyes: Eyes) -> Vec<Vec<Term>> {
        self.words.iter().map(|word| terms_of(word, eyes)).collect()
    }
}

/// The terms by which a word is found.
fn terms_of(word: &str, eyes: Eyes) -> Vec<Term> {
    let mut terms = vec![Term::whole(word)];
    if eyes == Eyes::Staff {
        terms.push(Term::whole(format!("{STAFF}{word}")));
    }
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        terms.push(Term {
            word: number_word(word),
            is_prefix: word.len() >= MIN_TAIL,
        });
    }
    terms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words_in(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        cut(text, |word| words.push(word.to_owned()));
        words
    }

    fn sought(text: &str) -> Vec<String> {
        text.parse::<Search>().unwrap().words
    }

    /// Whether a text would be found.
    fn is_found(text: &str, by: &str) -> bool {
        let words = words_in(text);
        sought(by).iter().all(|word| words.contains(word))
    }

    #[test]
    fn chinese_is_cut_into_letters_and_overlapping_pairs() {
        assert_eq!(words_in("路灯坏"), ["路", "灯", "坏", "路灯", "灯坏"]);
        assert_eq!(words_in("灯"), ["灯"]);
        assert_eq!(words_in("3号楼1203室"), ["3", "号", "楼", "号楼", "1203", "室"]);
    }

    #[test]
    fn other_scripts_are_cut_into_words_in_one_spelling() {
        assert_eq!(words_in("The Lamp's OUT!"), ["the", "lamp", "s", "out"]);
        assert_eq!(words_in("ＬＥＤ１２ Straße"), ["led12", "straße"]);
        assert_eq!(words_in("уличный фонарь"), ["уличный", "фонарь"]);
        assert_eq!(words_in("ｶﾞｽ"), ["ガ", "ス", "ガス"]);
        assert_eq!(words_in("가로등"), ["가", "로", "등", "가로", "로등"]);
        assert_eq!(words_in(" …!"), Vec::<String>::new());
    }

    #[test]
    fn two_letters_are_found_wherever_they_stand_side_by_side() {
        let text = "三江路15号路灯坏了, since May";
        for by in [
            "路灯",
            "灯坏了",
            "三江路",
            "15",
            "灯",
            "了",
            "MAY",
            "路灯 坏了",
            "三江，may",
        ] {
            assert!(is_found(text, by), "{by}");
        }
        for by in ["江灯", "灯路", "井盖", "150", "ma", "路灯 井盖"] {
            assert!(!is_found(text, by), "{by}");
        }
    }

    #[test]
    fn a_search_asks_for_pairs_and_for_a_letter_only_where_it_stands_alone() {
        assert_eq!(sought("路灯坏了"), ["路灯", "灯坏", "坏了"]);
        assert_eq!(sought("灯"), ["灯"]);
        assert_eq!(sought("灯 Lamp 灯"), ["灯", "lamp"]);
    }

    #[test]
    fn a_search_without_a_word_or_with_too_much_is_refused() {
        assert_eq!("，—!".parse::<Search>(), Err(SearchError::Empty));
        assert_eq!("".parse::<Search>(), Err(SearchError::Empty));
        assert_eq!("灯".repeat(101).parse::<Search>(), Err(SearchError::Long));
        let letters: Vec<String> = ('a'..='z').chain('а'..='я').map(String::from).collect();
        assert_eq!(letters[..45].join(" ").parse::<Search>(), Err(SearchError::Many));
    }

    #[test]
    fn a_number_is_found_by_its_last_digits_and_digits_are_words_too() {
        let term = |word: &str, is_prefix| Term {
            word: word.to_owned(),
            is_prefix,
        };
        let terms = |text: &str| text.parse::<Search>().unwrap().terms(Eyes::Public);
        assert_eq!(terms("4567"), [[term("4567", false), term("#7654", true)]]);
        assert_eq!(terms("12"), [[term("12", false), term("#21", false)]]);
        assert_eq!(number_word("1234567"), "#7654321");
        assert_eq!(
            "１２３".parse::<Search>().unwrap().number(),
            Some(CaseNumber(123))
        );
        assert_eq!("123 路灯".parse::<Search>().unwrap().number(), None);
    }

    #[test]
    fn staff_find_what_the_public_may_read_and_what_only_they_may() {
        let search: Search = "路灯".parse().unwrap();
        assert_eq!(search.terms(Eyes::Public), [[Term::whole("路灯")]]);
        assert_eq!(
            search.terms(Eyes::Staff),
            [[Term::whole("路灯"), Term::whole("~路灯")]]
        );
    }

    #[test]
    fn a_mark_is_no_word_of_a_text() {
        for mark in [
            Mark::Area("T-1/2"),
            Mark::Unit("Wasser"),
            Mark::Service("WAT-LEAK"),
            Mark::Class("confidential"),
            Mark::Open(true),
            Mark::Public,
        ] {
            let word = mark.word();
            assert!(!words_in(&word).contains(&word), "{word}");
            assert!(!word.contains([' ', '\'', '"', '\\']), "{word}");
        }
        assert_eq!(Mark::Area("T-1/2").word(), "@t_1_2");
    }

    proptest! {
        #[test]
        fn every_piece_of_a_text_between_words_is_found(
            before in "[路灯坏了井盖 a-c0-9，]{0,12}",
            piece in "[\\p{Han}&&\\p{L}]{1,6}|[a-zA-Zäöüß]{1,10}|[0-9]{1,8}",
            after in "[路灯坏了井盖，]{0,8}",
        ) {
            let text = format!("{before} {piece}，{after}");
            prop_assert!(is_found(&text, &piece), "{text:?} by {piece:?}");
        }

        #[test]
        fn any_run_of_two_letters_or_more_inside_chinese_is_found(
            text in "[\\p{Han}&&\\p{L}]{2,20}", from in 0_usize..18, length in 2_usize..6,
        ) {
            let letters: Vec<char> = text.chars().collect();
            let from = from.min(letters.len() - 2);
            let piece: String = letters[from..(from + length).min(letters.len())].iter().collect();
            prop_assert!(is_found(&text, &piece), "{text:?} by {piece:?}");
        }

        #[test]
        fn what_was_cut_is_cut_to_itself(text in "\\PC{0,40}") {
            for word in words_in(&text) {
                prop_assert!(words_in(&word).contains(&word), "{word:?} of {text:?}");
            }
        }

        #[test]
        fn words_have_no_sign_by_which_an_index_reads_and_are_short(text in "\\PC{0,200}") {
            for word in words_in(&text) {
                prop_assert!(word.chars().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric()), "{word:?}");
                prop_assert!(!word.is_empty() && word.chars().count() <= MAX_WORD);
            }
        }

        #[test]
        fn a_search_never_has_more_than_its_bounds(text in "\\PC{0,200}") {
            if let Ok(search) = text.parse::<Search>() {
                prop_assert!((1..=MAX_SOUGHT).contains(&search.words.len()));
            }
        }
    }
}
