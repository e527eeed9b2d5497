//! The words of the notices: shipped in Chinese and English, and the place's own in `notices/LANGUAGE/NOTICE.txt`. The
//! first line of a template is the subject, the rest the text; both may name the values of a [`View`].

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior, value::Serde};
use whistle_domain::words::Lang;

use crate::{
    Notice,
    view::{VARIABLES, View},
};

/// The folder in a place.
pub const FOLDER: &str = "notices/";

/// The longest template, in bytes: some ten pages.
const MAX_BYTES: usize = 32 * 1024;

/// Steps that a template may take, so that a loop in one cannot hold up the others.
const FUEL: u64 = 50_000;

/// The longest subject, in letters.
const MAX_SUBJECT: usize = 200;

macro_rules! shipped {
    ($lang:literal: $($name:literal)*) => {
        [$(include_str!(concat!("../templates/", $lang, "/", $name, ".txt"))),*]
    };
}

/// In the order of the notices.
const ZH: [&str; 45] = shipped!("zh":
    "accepted" "assigned" "in_progress" "comment" "received" "joined" "handled" "reopened" "reopen_refused" "declined"
    "merged" "referred" "closed" "asked" "station_new" "unit_comment" "unit_part_done" "unit_part_released"
    "unit_answered" "unit_unanswered" "station_reopen" "station_park_asked" "station_extension_asked" "unit_parked"
    "unit_extended" "unit_request_refused" "unit_supervised" "unit_taken_away" "unit_returned" "unit_reopened"
    "unit_escalated" "unit_rework" "unit_joint" "unit_assigned" "whistle_approved" "whistle_refused" "whistle_asked"
    "whistle_raised" "station_refused" "unit_minuted" "call_overdue" "unit_whistled" "unit_whistle_withdrawn" "digest"
    "footer");

/// The same in English.
const EN: [&str; 45] = shipped!("en":
    "accepted" "assigned" "in_progress" "comment" "received" "joined" "handled" "reopened" "reopen_refused" "declined"
    "merged" "referred" "closed" "asked" "station_new" "unit_comment" "unit_part_done" "unit_part_released"
    "unit_answered" "unit_unanswered" "station_reopen" "station_park_asked" "station_extension_asked" "unit_parked"
    "unit_extended" "unit_request_refused" "unit_supervised" "unit_taken_away" "unit_returned" "unit_reopened"
    "unit_escalated" "unit_rework" "unit_joint" "unit_assigned" "whistle_approved" "whistle_refused" "whistle_asked"
    "whistle_raised" "station_refused" "unit_minuted" "call_overdue" "unit_whistled" "unit_whistle_withdrawn" "digest"
    "footer");

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Something wrong with a template of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The file's path in the place folder.
    pub file: String,
    /// The line, from 1; none when it is the whole file's.
    pub line: Option<u32>,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub mend: String,
}

/// The templates of a place: its own, and the shipped ones for the rest.
#[derive(Debug, Clone, Default)]
pub struct Templates(BTreeMap<(&'static str, Notice), String>);

impl Templates {
    /// Takes a place's own templates from its files, or tells all that is wrong with them. Files elsewhere are passed over.
    pub fn read<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Result<Self, Vec<Wrong>> {
        let mut own = BTreeMap::new();
        let mut wrongs = Vec::new();
        for (path, bytes) in files {
            let Some(name) = path.strip_prefix(FOLDER) else {
                continue;
            };
            match read(path, name, bytes) {
                Ok((key, text)) => {
                    own.insert(key, text);
                }
                Err(found) => wrongs.extend(found),
            }
        }
        if wrongs.is_empty() {
            Ok(Self(own))
        } else {
            Err(wrongs)
        }
    }

    /// Whether the place has words of its own for a notice.
    pub fn is_own(&self, notice: Notice, lang: Lang) -> bool {
        self.0.contains_key(&(lang.as_str(), notice))
    }

    /// A notice in words. Fails when a template does, which those that were read do only for values that were not there
    /// when they were checked.
    pub fn render(&self, notice: Notice, lang: Lang, view: &View) -> Result<Words, String> {
        let own = self.0.get(&(lang.as_str(), notice)).map(String::as_str);
        let source = own.unwrap_or_else(|| shipped(notice, lang));
        rendered(source, view).map_err(|error| format!("the template {lang}/{notice} failed: {error}"))
    }
}

fn shipped(notice: Notice, lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => ZH[notice as usize],
        Lang::En => EN[notice as usize],
    }
}

fn rendered(source: &str, view: &View) -> Result<Words, minijinja::Error> {
    let text = environment().template_from_str(source)?.render(Serde(view))?;
    let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
    let subject: String = subject
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    Ok(Words {
        subject: subject.trim().chars().take(MAX_SUBJECT).collect(),
        text: without_gaps(text),
    })
}

/// Text without the empty lines that parts leave which do not apply: at most one at a time, none at the ends.
fn without_gaps(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    lines.join("\n").trim().to_owned()
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    // What is told is plain text; the mail's HTML is made from it afterwards.
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment
}

fn read(path: &str, name: &str, bytes: &[u8]) -> Result<((&'static str, Notice), String), Vec<Wrong>> {
    let wrong = |line: Option<usize>, what: String, mend: &str| {
        vec![Wrong {
            file: path.to_owned(),
            line: line.map(|line| line as u32),
            what,
            mend: mend.to_owned(),
        }]
    };
    let key = name.strip_suffix(".txt").and_then(|name| {
        let (lang, notice) = name.split_once('/')?;
        let lang = Lang::ALL.into_iter().find(|known| known.as_str() == lang)?;
        Some((lang, notice.parse::<Notice>().ok()?))
    });
    let Some((lang, notice)) = key else {
        let words: Vec<_> = Notice::all().map(Notice::as_str).collect();
        let mend = format!(
            "write notices/zh/ or notices/en/ and one of {}, with .txt",
            words.join(", ")
        );
        return Err(wrong(None, "is no template of a notice".to_owned(), &mend));
    };
    if bytes.len() > MAX_BYTES {
        let what = format!("is longer than {} KiB", MAX_BYTES / 1024);
        return Err(wrong(None, what, "say it in fewer words"));
    }
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let Ok(text) = std::str::from_utf8(text) else {
        return Err(wrong(None, "is no text in UTF-8".to_owned(), "save it as UTF-8"));
    };
    let text = text.replace("\r\n", "\n");
    let environment = environment();
    let template = environment.template_from_str(&text).map_err(|error| {
        let what = format!("is no template here: {}", said(&error));
        wrong(
            error.line(),
            what,
            "write {{ number }} for a value, {% if text %}…{% endif %} for a condition",
        )
    })?;
    let mut unknown: Vec<String> = template
        .undeclared_variables(false)
        .into_iter()
        .filter(|name| VARIABLES.iter().all(|(known, ..)| known != name))
        .collect();
    unknown.sort();
    let names: Vec<_> = VARIABLES.iter().map(|(name, ..)| *name).collect();
    let unknown: Vec<Wrong> = unknown
        .into_iter()
        .flat_map(|name| {
            let mend = format!("the names are {}", names.join(", "));
            wrong(line_of(&text, &name), format!("{name:?} is not known"), &mend)
        })
        .collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let words = rendered(&text, &View::example(lang)).map_err(|error| {
        wrong(
            error.line(),
            format!("fails: {}", said(&error)),
            "try it with `whistle notices preview`",
        )
    })?;
    if words.subject.is_empty() {
        let mend = "write the subject on the first line";
        return Err(wrong(Some(1), "has no subject".to_owned(), mend));
    }
    // Whatever else a place says there, nobody may be left without the way out.
    if notice == Notice::Footer && !words.text.contains(&View::example(lang).stop) {
        let mend = "write {{ stop }} where readers find how to be told no more";
        return Err(wrong(None, "does not name {{ stop }}".to_owned(), mend));
    }
    Ok(((lang.as_str(), notice), text))
}

/// What the engine says, in one line.
fn said(error: &minijinja::Error) -> String {
    let detail = error.detail().map(str::to_owned);
    detail
        .unwrap_or_else(|| error.kind().to_string())
        .replace('\n', " ")
}

/// The line on which a name first stands as a word inside braces.
fn line_of(text: &str, name: &str) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let holds = |line: &str| {
        line.match_indices(name).any(|(at, _)| {
            let before = line[..at].chars().next_back().is_some_and(is_word);
            let after = line[at + name.len()..].chars().next().is_some_and(is_word);
            !before && !after && line[..at].contains('{')
        })
    };
    text.lines().position(holds).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrongs(path: &str, text: &str) -> Vec<String> {
        let read = Templates::read([(path, text.as_bytes())]);
        let wrongs = read.err().unwrap_or_default();
        let line = |wrong: &Wrong| wrong.line.map_or(String::new(), |line| format!(":{line}"));
        wrongs
            .iter()
            .map(|wrong| format!("{}{}: {}", wrong.file, line(wrong), wrong.what))
            .collect()
    }

    #[test]
    fn every_shipped_template_passes_the_check_of_a_places_own() {
        for lang in Lang::ALL {
            for notice in Notice::all() {
                let path = format!("notices/{lang}/{notice}.txt");
                assert_eq!(wrongs(&path, shipped(notice, lang)), Vec::<String>::new());
            }
        }
    }

    #[test]
    fn every_shipped_notice_reads_as_it_should() {
        let mut all = Vec::new();
        for lang in Lang::ALL {
            for notice in Notice::all() {
                let words = Templates::default()
                    .render(notice, lang, &View::example(lang))
                    .unwrap();
                all.push(format!(
                    "==== {lang}/{notice}: {}\n{}\n",
                    words.subject, words.text
                ));
            }
        }
        insta::assert_snapshot!(all.concat());
    }

    #[test]
    fn a_place_says_it_in_its_own_words_in_one_language_and_is_shipped_the_other() {
        let own = "Case {{ number }}\n\nDear neighbour, thank you.\n";
        let templates = Templates::read([("notices/en/received.txt", own.as_bytes())]).unwrap();
        let words = |lang| {
            templates
                .render(Notice::Received, lang, &View::example(lang))
                .unwrap()
        };
        assert_eq!(words(Lang::En).text, "Dear neighbour, thank you.");
        assert_eq!(words(Lang::En).subject, "Case 1042");
        assert!(words(Lang::Zh).text.contains("路灯不亮"));
    }

    #[test]
    fn an_unknown_name_is_a_fault_with_its_line() {
        let text =
            "Case {{ number }}\n\n{% if text %}{{ text }}{% endif %}\nDear {{ citizen }},\n{{ phone }}\n";
        assert_eq!(
            wrongs("notices/en/closed.txt", text),
            [
                "notices/en/closed.txt:4: \"citizen\" is not known",
                "notices/en/closed.txt:5: \"phone\" is not known"
            ]
        );
    }

    #[test]
    fn what_is_no_template_is_a_fault_with_its_line() {
        for (path, text, found) in [
            (
                "notices/en/closed.txt",
                "Closed\n{% if text %}",
                ":2: is no template here",
            ),
            ("notices/en/closed.txt", "\nNo subject\n", ":1: has no subject"),
            ("notices/en/close.txt", "Closed\n", ": is no template of a notice"),
            ("notices/fr/closed.txt", "Fermé\n", ": is no template of a notice"),
            (
                "notices/en/closed.txt",
                "Closed\n{% for a in follow %}{% for b in follow %}{% for c in follow %}{{ c }}{% endfor %}{% endfor %}\n{% endfor %}",
                ":2: fails",
            ),
            (
                "notices/en/footer.txt",
                "--\nNo way out\n",
                ": does not name {{ stop }}",
            ),
            (
                "notices/en/closed.txt",
                "Closed\n{% for n in range(9999999) %}{% endfor %}",
                "\"range\" is not known",
            ),
        ] {
            let wrongs = wrongs(path, text);
            assert!(
                wrongs.len() == 1 && wrongs[0].contains(found),
                "{text:?}: {wrongs:?}"
            );
        }
    }

    #[test]
    fn a_value_cannot_break_out_of_the_subject() {
        let view = View {
            number: "1\r\nBcc: all@example.org".to_owned(),
            ..View::example(Lang::En)
        };
        let words = Templates::default()
            .render(Notice::Closed, Lang::En, &view)
            .unwrap();
        assert!(!words.subject.contains(['\r', '\n']), "{}", words.subject);
    }
}
