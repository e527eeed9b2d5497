//! The template folder of a place, `briefing/`: read, and checked to the line.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use serde::Deserialize;
use whistle_domain::words::Lang;

use crate::{
    book::FUNCTIONS,
    evidence::{Period, Said},
    example::Example,
    markdown, write,
};

/// The folder in a place.
pub const FOLDER: &str = "briefing/";

/// The file that says what belongs to the briefing.
const MANIFEST: &str = "briefing.toml";

/// The longest file of a chapter, in bytes: some eighty pages.
const MAX_BYTES: usize = 256 * 1024;
/// The most chapters and sections.
const MAX_CHAPTERS: usize = 60;
/// The most phrases that may bear digits.
const MAX_ALLOWED: usize = 200;

/// From which likeness on a code is offered in the place of one that is unknown (Jaro and Winkler: 1 is the same).
const ALIKE: f64 = 0.85;

/// What the engine has of its own.
const BUILT_IN: [&str; 3] = ["range", "dict", "namespace"];

/// What ships: used where a place has no `briefing/` of its own.
const SHIPPED: [(&str, &str); 19] = [
    (
        "briefing/briefing.toml",
        include_str!("../template/briefing.toml"),
    ),
    (
        "briefing/zh/leading.md",
        include_str!("../template/zh/leading.md"),
    ),
    (
        "briefing/zh/training.md",
        include_str!("../template/zh/training.md"),
    ),
    (
        "briefing/zh/livelihood.md",
        include_str!("../template/zh/livelihood.md"),
    ),
    (
        "briefing/zh/together.md",
        include_str!("../template/zh/together.md"),
    ),
    ("briefing/zh/grid.md", include_str!("../template/zh/grid.md")),
    (
        "briefing/zh/whistles.md",
        include_str!("../template/zh/whistles.md"),
    ),
    ("briefing/zh/legal.md", include_str!("../template/zh/legal.md")),
    (
        "briefing/zh/content.md",
        include_str!("../template/zh/content.md"),
    ),
    ("briefing/zh/close.md", include_str!("../template/zh/close.md")),
    (
        "briefing/en/leading.md",
        include_str!("../template/en/leading.md"),
    ),
    (
        "briefing/en/training.md",
        include_str!("../template/en/training.md"),
    ),
    (
        "briefing/en/livelihood.md",
        include_str!("../template/en/livelihood.md"),
    ),
    (
        "briefing/en/together.md",
        include_str!("../template/en/together.md"),
    ),
    ("briefing/en/grid.md", include_str!("../template/en/grid.md")),
    (
        "briefing/en/whistles.md",
        include_str!("../template/en/whistles.md"),
    ),
    ("briefing/en/legal.md", include_str!("../template/en/legal.md")),
    (
        "briefing/en/content.md",
        include_str!("../template/en/content.md"),
    ),
    ("briefing/en/close.md", include_str!("../template/en/close.md")),
];

/// What can be asked for in a place.
#[derive(Debug, Clone, Copy)]
pub struct Known<'k> {
    /// The codes of its indicators.
    pub indicators: &'k [&'k str],
    /// The kinds of data of which something is counted. A chapter that needs another one is not looked at: it stands ready for the day
    /// on which there are indicators of it.
    pub needs: &'k [&'k str],
}

/// Something wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file's path in the place folder.
    pub file: String,
    /// The line, from 1; none when it is the whole file's.
    pub line: Option<u32>,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub mend: String,
}

/// A template that was read.
#[derive(Debug, Clone)]
pub struct Template {
    pub(crate) title: Said,
    pub(crate) allow: Vec<String>,
    pub(crate) chapters: Vec<Chapter>,
    pub(crate) languages: Vec<Lang>,
    hash: String,
}

/// A chapter or a section of one.
#[derive(Debug, Clone)]
pub(crate) struct Chapter {
    pub(crate) title: Said,
    pub(crate) needs: Vec<String>,
    /// Its file in each language.
    pub(crate) texts: BTreeMap<&'static str, Source>,
}

/// A file of prose.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    title: Titles,
    #[serde(default)]
    allow: Vec<toml::Spanned<String>>,
    #[serde(rename = "chapter")]
    chapters: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Titles {
    zh: Option<String>,
    en: Option<String>,
}

impl Titles {
    fn said(self) -> Option<Said> {
        let own = self.zh.clone().or(self.en.clone())?;
        Some(Said {
            zh: self.zh.unwrap_or_else(|| own.clone()),
            en: self.en.unwrap_or(own),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: toml::Spanned<String>,
    title: Titles,
    #[serde(default)]
    needs: Vec<toml::Spanned<String>>,
}

impl Template {
    /// The one that ships.
    pub fn shipped() -> Arc<Self> {
        static READ: LazyLock<Arc<Template>> = LazyLock::new(|| {
            let files = SHIPPED.iter().map(|(path, text)| (*path, text.as_bytes()));
            Arc::new(read(files).0.unwrap_or_else(|| Template {
                title: Said::default(),
                allow: Vec::new(),
                chapters: Vec::new(),
                languages: Vec::new(),
                hash: String::new(),
            }))
        });
        Arc::clone(&READ)
    }

    /// The files of the one that ships, to begin with.
    pub fn shipped_files() -> impl Iterator<Item = (&'static str, &'static str)> {
        SHIPPED.into_iter()
    }

    /// The template of a place, from its files; the one that ships where it has none. Without what is `known` in
    /// the place, indicators are not checked.
    pub fn of_place<'f>(
        files: impl IntoIterator<Item = (&'f str, &'f [u8])>,
        known: Option<Known<'_>>,
    ) -> Result<Arc<Self>, Vec<Fault>> {
        let own: Vec<_> = files
            .into_iter()
            .filter(|(path, _)| path.starts_with(FOLDER))
            .collect();
        if own.is_empty() {
            return Ok(Self::shipped());
        }
        let (template, mut faults) = read(own);
        if let Some(template) = &template {
            faults.extend(template.check(known));
        }
        match template {
            Some(template) if faults.is_empty() => Ok(Arc::new(template)),
            _ => {
                faults.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
                Err(faults)
            }
        }
    }

    /// The BLAKE3 hash of its files.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Whether it is written in a language.
    pub fn speaks(&self, lang: Lang) -> bool {
        self.languages.contains(&lang)
    }

    /// What is wrong with its chapters: expressions that are none, names that nobody knows, indicators that the place does not have,
    /// what fails when it is written with made-up numbers.
    fn check(&self, known: Option<Known<'_>>) -> Vec<Fault> {
        let mut faults = Vec::new();
        for chapter in &self.chapters {
            let is_counted = |known: &Known<'_>| {
                let mut needs = chapter.needs.iter();
                needs.all(|need| known.needs.contains(&need.as_str()))
            };
            let codes = known.filter(is_counted).map(|known| known.indicators);
            for source in chapter.texts.values() {
                faults.extend(source.check(codes));
            }
        }
        if faults.is_empty() {
            for lang in &self.languages {
                let evidence = Arc::new(Example::of(known));
                let period = Period::named("2025-06").unwrap_or_default();
                if let Err(failed) = write(self, evidence, *lang, period, "") {
                    faults.push(Fault {
                        file: failed.file,
                        line: failed.line,
                        what: failed.what,
                        mend: "compare it with docs/briefing.md".to_owned(),
                    });
                }
            }
        }
        faults
    }
}

/// Reads a template, as much as can be read of it, with what is wrong.
fn read<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> (Option<Template>, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut hasher = blake3::Hasher::new();
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (path, bytes) in files {
        for part in [path.as_bytes(), bytes] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let Some(name) = path.strip_prefix(FOLDER) else {
            continue;
        };
        if bytes.len() > MAX_BYTES {
            let what = format!("is longer than {} KiB", MAX_BYTES / 1024);
            faults.push(fault(path, None, what, "make two chapters of it"));
            continue;
        }
        match std::str::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)) {
            Ok(text) => {
                texts.insert(name.to_owned(), text.replace("\r\n", "\n"));
            }
            Err(_) => faults.push(fault(path, None, "is no text in UTF-8", "save it as UTF-8")),
        }
    }
    let manifest_path = format!("{FOLDER}{MANIFEST}");
    let Some(text) = texts.remove(MANIFEST) else {
        faults.push(fault(
            &manifest_path,
            None,
            "is missing",
            "name the chapters in it",
        ));
        return (None, faults);
    };
    let manifest: Manifest = match toml::from_str(&text) {
        Ok(manifest) => manifest,
        Err(error) => {
            let line = error.span().map(|span| line_at(&text, span.start));
            let mend =
                "write title = { zh = \"…\", en = \"…\" } and a [[chapter]] with file and title for each";
            faults.push(fault(&manifest_path, line, error.message().to_owned(), mend));
            return (None, faults);
        }
    };
    if manifest.chapters.len() > MAX_CHAPTERS || manifest.allow.len() > MAX_ALLOWED {
        let what =
            format!("names more than {MAX_CHAPTERS} chapters or allows more than {MAX_ALLOWED} phrases");
        faults.push(fault(&manifest_path, None, what, "say it in fewer"));
        return (None, faults);
    }
    for phrase in &manifest.allow {
        if !phrase.get_ref().contains(|letter: char| letter.is_numeric()) {
            let line = Some(line_at(&text, phrase.span().start));
            let what = format!("{:?} has no digit", phrase.get_ref());
            faults.push(fault(
                &manifest_path,
                line,
                what,
                "allow only what would be marked otherwise",
            ));
        }
    }
    let mut languages: Vec<Lang> = Vec::new();
    for lang in Lang::ALL {
        if texts.keys().any(|name| name.starts_with(&format!("{lang}/"))) {
            languages.push(lang);
        }
    }
    let mut chapters = Vec::new();
    for entry in manifest.chapters {
        let line = Some(line_at(&text, entry.file.span().start));
        let name = entry.file.into_inner();
        let mut sources = BTreeMap::new();
        for lang in &languages {
            let path = format!("{lang}/{name}.md");
            if let Some(text) = texts.remove(&path) {
                let file = format!("{FOLDER}{path}");
                sources.insert(lang.as_str(), Source { file, text });
            } else {
                let what = format!("the chapter {name:?} has no file {FOLDER}{path}");
                faults.push(fault(
                    &manifest_path,
                    line,
                    what,
                    "write it, or take the chapter out",
                ));
            }
        }
        let Some(title) = entry.title.said() else {
            let what = format!("the chapter {name:?} has no title");
            faults.push(fault(
                &manifest_path,
                line,
                what,
                "write title = { zh = \"…\", en = \"…\" }",
            ));
            continue;
        };
        for need in &entry.needs {
            if !crate::words::NEEDS
                .iter()
                .any(|(known, ..)| known == need.get_ref())
            {
                let known: Vec<_> = crate::words::NEEDS.iter().map(|(known, ..)| *known).collect();
                let line = Some(line_at(&text, need.span().start));
                let what = format!("nothing is called {:?} that a chapter may need", need.get_ref());
                faults.push(fault(
                    &manifest_path,
                    line,
                    what,
                    &format!("it is one of {}", known.join(", ")),
                ));
            }
        }
        chapters.push(Chapter {
            title,
            needs: entry.needs.into_iter().map(toml::Spanned::into_inner).collect(),
            texts: sources,
        });
    }
    if languages.is_empty() || chapters.is_empty() {
        faults.push(fault(
            &manifest_path,
            None,
            "has no chapter",
            "write one below zh/ or en/",
        ));
    }
    for name in texts.keys() {
        let path = format!("{FOLDER}{name}");
        faults.push(fault(
            &path,
            None,
            "belongs to no chapter",
            "name it in briefing.toml, or remove it",
        ));
    }
    let Some(title) = manifest.title.said() else {
        faults.push(fault(
            &manifest_path,
            None,
            "has no title",
            "write title = { zh = \"…\", en = \"…\" }",
        ));
        return (None, faults);
    };
    let template = Template {
        title,
        allow: manifest
            .allow
            .into_iter()
            .map(toml::Spanned::into_inner)
            .collect(),
        chapters,
        languages,
        hash: hasher.finalize().to_hex().to_string(),
    };
    (Some(template), faults)
}

impl Source {
    fn check(&self, codes: Option<&[&str]>) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(at) = self.text.find(markdown::is_reserved) {
            let line = Some(line_at(&self.text, at));
            faults.push(fault(
                &self.file,
                line,
                "has a letter that is none",
                "remove it: U+FDD0 to U+FDEF are no text",
            ));
        }
        for line in markdown::html_lines(&self.text) {
            faults.push(fault(
                &self.file,
                Some(line),
                "is HTML, which is not taken",
                "write Markdown",
            ));
        }
        let environment = crate::book::environment();
        let template = match environment.template_from_str(&self.text) {
            Ok(template) => template,
            Err(error) => {
                let line = error.line().map(|line| line as u32);
                let what = format!("is no expression: {}", crate::book::said(&error));
                let mend =
                    "write {{ indicator(\"filed\") }} for a number, {% if … %}…{% endif %} for a condition";
                faults.push(fault(&self.file, line, what, mend));
                return faults;
            }
        };
        let mut unknown: Vec<String> = template
            .undeclared_variables(false)
            .into_iter()
            .filter(|name| !FUNCTIONS.contains(&name.as_str()) && !BUILT_IN.contains(&name.as_str()))
            .collect();
        unknown.sort();
        for name in unknown {
            let mend = format!("the names are {}", FUNCTIONS.join(", "));
            faults.push(fault(
                &self.file,
                self.line_of(&name),
                format!("{name:?} is not known"),
                &mend,
            ));
        }
        if let Some(codes) = codes {
            // What stands behind a condition is seen when it is written.
            let asked = if self.text.contains("has(") {
                Vec::new()
            } else {
                self.asked()
            };
            for (line, code) in asked {
                if !codes.contains(&code.as_str()) {
                    let what = format!("there is no indicator {code:?}");
                    faults.push(fault(&self.file, Some(line), what, &nearest(&code, codes)));
                }
            }
        }
        faults
    }

    /// The indicators that it asks for by name, with their lines; comments ask for nothing.
    fn asked(&self) -> Vec<(u32, String)> {
        static COMMENT: LazyLock<regex::Regex> =
            LazyLock::new(|| regex::Regex::new(r"(?s)\{#.*?#\}").expect("a pattern"));
        static CALL: LazyLock<regex::Regex> = LazyLock::new(|| {
            regex::Regex::new(r#"\b(?:indicator|change|table|chart|map)\(\s*((?:["'][^"']*["']\s*,?\s*)+)"#)
                .expect("a pattern")
        });
        static CODE: LazyLock<regex::Regex> =
            LazyLock::new(|| regex::Regex::new(r#"["']([^"']*)["']"#).expect("a pattern"));
        let blank = |comment: &regex::Captures<'_>| {
            let kept = |letter| if letter == '\n' { '\n' } else { ' ' };
            comment[0].chars().map(kept).collect::<String>()
        };
        let text = COMMENT.replace_all(&self.text, blank);
        let mut asked = Vec::new();
        for call in CALL.captures_iter(&text) {
            let Some(codes) = call.get(1) else { continue };
            for code in CODE.captures_iter(codes.as_str()) {
                if let Some(code) = code.get(1) {
                    asked.push((
                        line_at(&text, codes.start() + code.start()),
                        code.as_str().to_owned(),
                    ));
                }
            }
        }
        asked
    }

    /// The line on which a name first stands as a word inside braces.
    fn line_of(&self, name: &str) -> Option<u32> {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let holds = |line: &str| {
            line.match_indices(name).any(|(at, _)| {
                let before = line[..at].chars().next_back().is_some_and(is_word);
                let after = line[at + name.len()..].chars().next().is_some_and(is_word);
                !before && !after && line[..at].contains('{')
            })
        };
        self.text.lines().position(holds).map(|at| at as u32 + 1)
    }
}

/// What to write instead of a code that nobody knows.
fn nearest(code: &str, codes: &[&str]) -> String {
    let mut near: Vec<(&str, f64)> = codes
        .iter()
        .map(|&other| (other, strsim::jaro_winkler(code, other)))
        .filter(|(_, alike)| *alike >= ALIKE)
        .collect();
    near.sort_by(|one, other| other.1.total_cmp(&one.1));
    near.truncate(5);
    if near.is_empty() {
        "use the code of an indicator of indicators.toml or a shipped one".to_owned()
    } else {
        let near: Vec<&str> = near.into_iter().map(|(code, _)| code).collect();
        format!("did you mean {}?", near.join(", "))
    }
}

pub(crate) fn line_at(text: &str, at: usize) -> u32 {
    let before = text.get(..at).unwrap_or(text);
    before.matches('\n').count() as u32 + 1
}

fn fault(file: &str, line: Option<u32>, what: impl Into<String>, mend: &str) -> Fault {
    Fault {
        file: file.to_owned(),
        line,
        what: what.into(),
        mend: mend.to_owned(),
    }
}
