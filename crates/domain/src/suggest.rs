//! Which services a text may be about: a small model over the words of a place, learnt from its own closed cases.
//!
//! Naive Bayes over which features a text has: words of writings with spaces, single characters and pairs of them of those
//! without. The names, descriptions and keywords of the services count as texts too, so that a place without a history
//! gets suggestions from those.
//!
//! The model holds counts of hashes and no word, and gives nothing but codes of services. What fewer than [`MIN_CASES`]
//! cases have in common is forgotten, so that nobody's turn of phrase can be asked for.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::{
    place::Service,
    words::{ServiceCode, Text},
};

/// Services that are suggested at most: what a phone shows without scrolling, and what a reader takes in at a glance.
pub const MAX_SUGGESTED: usize = 3;

/// Features of one text that are looked at; what follows repeats or digresses.
const MAX_FEATURES: usize = 400;

/// Pairs of feature and service that are counted: some 4 MB. A language has more words; the common ones come first.
const MAX_COUNTS: usize = 200_000;

/// Cases that must have a feature before it is believed: what only one or two said may be about themselves.
const MIN_CASES: u32 = 3;

/// How many texts a name or keyword of a service counts for; a description, which speaks of more, counts for one.
const NAME_COUNTS: f32 = 3.0;

/// Added to every count (Lidstone), so that an unknown feature rules nothing out.
const SMOOTHING: f64 = 0.1;

/// How much the commonness of a service counts. All of it would drown the rare ones, of which a text tells more.
const PRIOR: f64 = 0.5;

type Feature = u32;

/// The number of a service among those of the model.
type Label = u16;

/// A model in the making.
#[derive(Debug)]
pub struct Learner {
    services: Vec<ServiceCode>,
    labels: HashMap<ServiceCode, Label>,
    own: HashMap<(Feature, Label), f32>,
    told: HashMap<(Feature, Label), u32>,
    cases: Vec<u32>,
}

/// What suggests services.
#[derive(Debug, Default)]
pub struct Model {
    services: Vec<ServiceCode>,
    counts: HashMap<(Feature, Label), f32>,
    known: HashSet<Feature>,
    /// By service, the sum of its counts and the logarithm of how common it is.
    sums: Vec<(f64, f64)>,
    learnt_from: u32,
}

impl Learner {
    /// Begins with what those of some services that are the public's say of themselves.
    pub fn new(services: &[Service]) -> Self {
        let public = services.iter().filter(|s| s.public && !s.is_group());
        let services: Vec<&Service> = public.take(usize::from(Label::MAX)).collect();
        let mut learner = Self {
            services: services.iter().map(|s| s.code.clone()).collect(),
            labels: HashMap::new(),
            own: HashMap::new(),
            told: HashMap::new(),
            cases: vec![0; services.len()],
        };
        for (label, service) in (0..).zip(services) {
            learner.labels.insert(service.code.clone(), label);
            for name in wordings(&service.name).chain(service.keywords.iter().map(String::as_str)) {
                learner.own_words(label, name, NAME_COUNTS);
            }
            for text in wordings(&service.description) {
                learner.own_words(label, text, 1.0);
            }
        }
        learner
    }

    fn own_words(&mut self, label: Label, text: &str, weight: f32) {
        for feature in features(text) {
            *self.own.entry((feature, label)).or_default() += weight;
        }
    }

    /// Learns from a case that was closed as one of a service.
    pub fn read(&mut self, service: &ServiceCode, text: &str) {
        let Some(label) = self.labels.get(service).copied() else {
            return;
        };
        let features = features(text);
        if features.is_empty() {
            return;
        }
        self.cases[usize::from(label)] += 1;
        for feature in features {
            let is_full = self.told.len() >= MAX_COUNTS;
            match self.told.get_mut(&(feature, label)) {
                Some(count) => *count += 1,
                None if is_full => {}
                None => {
                    self.told.insert((feature, label), 1);
                }
            }
        }
    }

    /// The model of what was learnt.
    pub fn done(self) -> Model {
        let mut cases_with: HashMap<Feature, u32> = HashMap::new();
        for ((feature, _), count) in &self.told {
            *cases_with.entry(*feature).or_default() += count;
        }
        let mut counts = self.own;
        for ((feature, label), count) in self.told {
            if cases_with.get(&feature).is_some_and(|n| *n >= MIN_CASES) {
                *counts.entry((feature, label)).or_default() += count as f32;
            }
        }
        let learnt_from: u32 = self.cases.iter().sum();
        let mut sums = vec![0.0; self.services.len()];
        for ((_, label), count) in &counts {
            sums[usize::from(*label)] += f64::from(*count);
        }
        // Every service counts for one case, so that one without any is still possible.
        let of_all = f64::from(learnt_from) + self.services.len() as f64;
        let common = self.cases.iter().map(|n| ((f64::from(*n) + 1.0) / of_all).ln());
        Model {
            known: counts.keys().map(|(feature, _)| *feature).collect(),
            sums: sums.into_iter().zip(common).collect(),
            services: self.services,
            counts,
            learnt_from,
        }
    }
}

impl Model {
    /// How many cases it has learnt from.
    pub const fn learnt_from(&self) -> u32 {
        self.learnt_from
    }

    /// The services that a text may be about, the likeliest first, [`MAX_SUGGESTED`] at most. None where nothing in the text is
    /// known: a guess by how common services are would be no help.
    pub fn suggest(&self, text: &str) -> Vec<&ServiceCode> {
        let mut known = features(text);
        known.retain(|feature| self.known.contains(feature));
        let mut scored: Vec<(f64, &ServiceCode)> = (0..)
            .zip(&self.services)
            .filter_map(|(label, service)| Some((self.score(label, &known)?, service)))
            .collect();
        scored.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        scored.truncate(MAX_SUGGESTED);
        scored.into_iter().map(|(_, service)| service).collect()
    }

    /// How likely a service is, as a logarithm; none when it has no feature of the text.
    fn score(&self, label: Label, features: &BTreeSet<Feature>) -> Option<f64> {
        let (sum, common) = *self.sums.get(usize::from(label))?;
        let of_all = sum + SMOOTHING * self.known.len() as f64;
        let mut score = PRIOR * common;
        let mut shares_any = false;
        for feature in features {
            let count = self.counts.get(&(*feature, label)).copied().unwrap_or_default();
            shares_any |= count > 0.0;
            score += ((f64::from(count) + SMOOTHING) / of_all).ln();
        }
        shares_any.then_some(score)
    }
}

fn wordings(text: &Text) -> impl Iterator<Item = &str> {
    let all = [Some(&text.own), text.zh.as_ref(), text.en.as_ref()];
    // The same wording twice would count twice.
    let all: BTreeSet<&str> = all.into_iter().flatten().map(String::as_str).collect();
    all.into_iter()
}

/// The features of a text, as hashes. Figures are left out: they are house numbers, dates and telephone numbers.
fn features(text: &str) -> BTreeSet<Feature> {
    let mut found = BTreeSet::new();
    let lower = text.to_lowercase();
    let runs = lower.split(|c: char| !c.is_alphabetic());
    for run in runs.filter(|run| !run.is_empty()) {
        if found.len() >= MAX_FEATURES {
            break;
        }
        if run.chars().any(is_spaceless) {
            spaceless(run, &mut found);
        } else {
            found.insert(hashed(stem(run)));
        }
    }
    found
}

/// Characters, and pairs of neighbours.
fn spaceless(run: &str, found: &mut BTreeSet<Feature>) {
    let mut before = None;
    for (at, c) in run.char_indices().take(MAX_FEATURES) {
        let end = at + c.len_utf8();
        found.insert(hashed(&run[at..end]));
        if let Some(start) = before.replace(at) {
            found.insert(hashed(&run[start..end]));
        }
    }
}

/// Whether a character is of a writing that has no spaces between words: Han, kana, Thai, Lao, Khmer, Burmese.
const fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// One lamp and two lamps are the same word; what is done to an English plural harms no other language much.
fn stem(word: &str) -> &str {
    /// Shorter words end in s by themselves: gas, bus.
    const SHORTEST: usize = 4;
    let is_plural = word.len() >= SHORTEST && !word.ends_with("ss");
    word.strip_suffix('s').filter(|_| is_plural).unwrap_or(word)
}

fn hashed(feature: &str) -> Feature {
    let mut hash = DefaultHasher::new();
    feature.hash(&mut hash);
    hash.finish() as Feature
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn learner(services: &[(&str, &[&str])]) -> Learner {
        let codes: Vec<ServiceCode> = services.iter().map(|(code, _)| code.parse().unwrap()).collect();
        let mut learner = Learner {
            labels: (0..)
                .zip(&codes)
                .map(|(label, code)| (code.clone(), label))
                .collect(),
            cases: vec![0; codes.len()],
            services: codes,
            own: HashMap::new(),
            told: HashMap::new(),
        };
        for (label, (_, names)) in (0..).zip(services) {
            for name in *names {
                learner.own_words(label, name, NAME_COUNTS);
            }
        }
        learner
    }

    fn suggested(model: &Model, text: &str) -> Vec<String> {
        model.suggest(text).iter().map(ToString::to_string).collect()
    }

    const NAMES: [(&str, &[&str]); 3] = [
        ("LAMP", &["路灯", "Street lamp"]),
        ("RUBBISH", &["垃圾", "Rubbish"]),
        ("NOISE", &["噪声", "Noise"]),
    ];

    #[test]
    fn without_a_history_the_names_of_services_are_matched() {
        let model = learner(&NAMES).done();
        assert_eq!(model.learnt_from(), 0);
        assert_eq!(suggested(&model, "门口的路灯不亮了"), ["LAMP"]);
        assert_eq!(suggested(&model, "Two street LAMPS are out"), ["LAMP"]);
        assert_eq!(suggested(&model, "the dog barks"), [""; 0]);
        assert_eq!(suggested(&model, "  12345 !"), [""; 0]);
    }

    #[test]
    fn words_of_closed_cases_are_learnt_even_where_no_name_has_them() {
        let mut learner = learner(&NAMES);
        for text in ["晚上很吵，广场舞", "广场舞音乐太大", "楼下广场舞每天都有"] {
            learner.read(&"NOISE".parse().unwrap(), text);
        }
        let model = learner.done();
        assert_eq!(model.learnt_from(), 3);
        assert_eq!(suggested(&model, "又是广场舞"), ["NOISE"]);
    }

    #[test]
    fn what_only_two_cases_say_is_forgotten() {
        let mut learner = learner(&NAMES);
        for text in ["张家长李家短", "张家长李家短"] {
            learner.read(&"NOISE".parse().unwrap(), text);
        }
        assert_eq!(suggested(&learner.done(), "张家长李家短"), [""; 0]);
    }

    #[test]
    fn a_rare_service_wins_where_the_text_speaks_for_it() {
        let mut learner = learner(&NAMES);
        for _ in 0..500 {
            learner.read(&"RUBBISH".parse().unwrap(), "垃圾堆在楼下");
        }
        for _ in 0..5 {
            learner.read(&"LAMP".parse().unwrap(), "楼下的灯泡坏了");
        }
        assert_eq!(suggested(&learner.done(), "灯泡坏了")[0], "LAMP");
    }

    #[test]
    fn a_case_of_a_service_that_is_not_the_publics_teaches_nothing() {
        let mut learner = learner(&NAMES);
        for _ in 0..10 {
            learner.read(&"SECRET".parse().unwrap(), "家里的事");
        }
        let model = learner.done();
        assert_eq!(model.learnt_from(), 0);
        assert_eq!(suggested(&model, "家里的事"), [""; 0]);
    }

    #[test]
    fn the_counts_stay_within_their_bound() {
        let mut learner = learner(&NAMES);
        let text = |n: u32| -> String {
            let letter = |i: u32| char::from_u32(0x4e00 + (n * 397 + i * 53) % 20_000).unwrap();
            (0..300).map(letter).collect()
        };
        for n in 0..2_000 {
            learner.read(&"NOISE".parse().unwrap(), &text(n));
        }
        assert!(learner.told.len() <= MAX_COUNTS);
        assert!(features(&"一二".repeat(100_000)).len() <= MAX_FEATURES * 2);
    }

    proptest! {
        #[test]
        fn any_text_gets_three_known_services_at_most(text in ".{0,200}", learnt in ".{0,80}") {
            let mut learner = learner(&NAMES);
            for _ in 0..3 {
                learner.read(&"NOISE".parse().unwrap(), &learnt);
            }
            let model = learner.done();
            let found = suggested(&model, &text);
            prop_assert!(found.len() <= MAX_SUGGESTED);
            let distinct: HashSet<&String> = found.iter().collect();
            prop_assert_eq!(distinct.len(), found.len());
        }
    }
}
