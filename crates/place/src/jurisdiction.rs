//! jurisdiction.toml: the place's name, languages, levels, working hours, settings, and the gaps it admits.

use std::{collections::BTreeMap, fmt::Display, ops::RangeInclusive, str::FromStr};

use jiff::{SignedDuration, tz::TimeZone};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use whistle_domain::{
    limit::Limit,
    place::{Jurisdiction, Level, Settings},
    rights::Access,
    words::{AccessClass, JurisdictionCode, Lang, Text},
};

use crate::{
    fault::{At, Faults, at, whole},
    text::{Lines, decode, did_you_mean, shown},
    units,
};

pub(crate) const FILE: &str = "jurisdiction.toml";
/// The most host names of a place.
const MAX_HOSTS: usize = 100;
pub(crate) const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What jurisdiction.toml says.
#[derive(Debug)]
pub(crate) struct Charter {
    pub jurisdiction: Jurisdiction,
    /// An IANA name that is known.
    pub time_zone: String,
    /// The working slots of each weekday, Monday first, with the line that states them.
    pub week: [Vec<(String, u32)>; 7],
    /// The line of `[working_hours]`, or of the file's end.
    pub week_line: u32,
    pub gaps: Gaps,
    /// Classes of access that posts may name though no service has them, with the line of each.
    pub access_classes: Vec<(AccessClass, u32)>,
}

/// The areas below which a gap is no fault.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    pub is_everywhere: bool,
    /// Codes with the line that names them.
    pub below: Vec<(String, u32)>,
    pub reason: String,
}

impl Gaps {
    pub fn allow(&self, code: &str) -> bool {
        self.is_everywhere || self.below.iter().any(|(below, _)| below == code)
    }
}

/// The settings of a place that says nothing about them.
pub(crate) fn default_settings() -> Settings {
    let limit = |text: &str| text.parse().expect("a default limit is a limit");
    Settings {
        anonymous_reports: true,
        straight_through: true,
        max_returns: 2,
        max_extensions: 2,
        max_park_days: 365,
        reopen_days: 30,
        recheck_share: 0.1,
        duplicate_metres: 50.0,
        duplicate_hours: 72,
        retention_days: 180,
        text_retention_days: None,
        // A year can be told of in its report, and the same month of the year before be compared.
        look_retention_days: 400,
        // As long as claims may be made in most places.
        audit_retention_days: 1095,
        digest: SignedDuration::from_hours(1),
        triage: limit("4h working"),
        sign: None,
        verify: limit("2d working"),
    }
}

/// Every value of a TOML file by its dotted key, as it is written; empty when the file is no TOML.
pub(crate) fn flat(bytes: &[u8]) -> BTreeMap<String, String> {
    let text = decode(FILE, bytes, &mut Faults::default());
    let table = text.as_ref().and_then(|text| DeTable::parse(text).ok());
    table.map(|table| flat_table(table.get_ref())).unwrap_or_default()
}

/// Every value of a table by its dotted key, as it is written.
pub(crate) fn flat_table(table: &DeTable<'_>) -> BTreeMap<String, String> {
    fn collect(table: &DeTable<'_>, path: &str, into: &mut BTreeMap<String, String>) {
        for (key, value) in table {
            let below = match path {
                "" => key.get_ref().to_string(),
                _ => format!("{path}.{}", key.get_ref()),
            };
            match value.get_ref().as_table() {
                Some(table) => collect(table, &below, into),
                None => {
                    into.insert(below, written(value.get_ref()));
                }
            }
        }
    }
    let mut values = BTreeMap::new();
    collect(table, "", &mut values);
    values
}

pub(crate) fn written(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(values) => {
            let values: Vec<String> = values.iter().map(|v| written(v.get_ref())).collect();
            format!("[{}]", values.join(", "))
        }
        DeValue::Table(_) => "{…}".to_owned(),
    }
}

fn tell_syntax(file: &str, lines: &Lines, errors: &[toml::de::Error], faults: &mut Faults) {
    for error in errors {
        let place = match error.span() {
            Some(span) => at(file, lines.at(span.start)),
            None => whole(file),
        };
        let mend = match error.message() {
            twice if twice.contains("duplicate key") => "leave one of the two",
            _ => "write key = \"value\"",
        };
        faults.error(
            place,
            format!("is no TOML here: {}", error.message().replace('\n', ", ")),
            mend,
        );
    }
}

/// Reads jurisdiction.toml. None, with faults, when it is no TOML; where a value is wrong the fault is told and a
/// default stands in for it, so that the rest of the folder can still be checked.
pub(crate) fn read(bytes: &[u8], faults: &mut Faults) -> Option<Charter> {
    let text = decode(FILE, bytes, faults)?;
    let lines = Lines::of(&text);
    let (table, errors) = DeTable::parse_recoverable(&text);
    tell_syntax(FILE, &lines, &errors, faults);
    if !errors.is_empty() {
        return None;
    }
    let last_line = lines.at(text.trim_end().len());
    let root = Section {
        path: String::new(),
        table: table.get_ref(),
        line: 1,
        lines: &lines,
    };
    Some(charter(&root, last_line, faults))
}

fn charter(root: &Section<'_, '_>, last_line: u32, faults: &mut Faults) -> Charter {
    root.only(
        &[
            "code",
            "name",
            "time_zone",
            "languages",
            "contact",
            "hosts",
            "open_data_licence",
            "access_classes",
            "levels",
            "working_hours",
            "settings",
            "gaps",
        ],
        faults,
    );
    let code: Option<JurisdictionCode> = root.parsed("code", faults);
    if code.is_none() && root.get("code").is_none() {
        root.lacks("code", "write code = \"my-city\"", faults);
    }
    let name = root.text("name", faults);
    if name.is_empty() {
        root.lacks("name", "write name = \"My City\"", faults);
    }
    let mut time_zone = root.string("time_zone", faults).unwrap_or_else(|| {
        if root.get("time_zone").is_none() {
            root.lacks("time_zone", "write time_zone = \"Asia/Shanghai\"", faults);
        }
        "UTC".to_owned()
    });
    if TimeZone::get(&time_zone).is_err() {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let mend = did_you_mean(
            &time_zone,
            known.iter().map(String::as_str),
            "write an IANA name such as Asia/Shanghai",
        );
        faults.error(
            root.at("time_zone"),
            format!("time zone {} is not known", shown(&time_zone)),
            mend,
        );
        "UTC".clone_into(&mut time_zone);
    }
    let languages = languages(root, faults);
    let hosts = root.strings("hosts", faults);
    if hosts.len() > MAX_HOSTS {
        faults.error(root.at("hosts"), format!("names more than {MAX_HOSTS} hosts"), "");
    }
    for (host, line) in &hosts {
        let is_host = !host.is_empty()
            && host
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
        if !is_host {
            faults.error(
                at(FILE, *line),
                format!("host {} is no host name", shown(host)),
                "write it without https:// and without a path",
            );
        }
    }

    let mut week = WEEKDAYS.map(|_| Vec::new());
    let hours = root.section("working_hours", faults);
    match &hours {
        Some(hours) => {
            hours.only(&WEEKDAYS, faults);
            for (slots, day) in week.iter_mut().zip(WEEKDAYS) {
                *slots = hours.strings(day, faults);
            }
        }
        None => {
            for slots in &mut week[..5] {
                *slots = ["08:00-12:00", "14:00-18:00"]
                    .map(|slot| (slot.to_owned(), last_line))
                    .to_vec();
            }
        }
    }

    let nameless = || "nameless".parse().expect("a plain word is a code");
    Charter {
        jurisdiction: Jurisdiction {
            code: code.unwrap_or_else(nameless),
            name,
            languages,
            contact: root.text("contact", faults),
            hosts: hosts.into_iter().map(|(host, _)| host).collect(),
            open_data_licence: root.text("open_data_licence", faults),
            level_names: level_names(root, faults),
            settings: settings(root, faults),
        },
        time_zone,
        week,
        week_line: hours.map_or(last_line, |hours| hours.line),
        gaps: gaps(root, faults),
        access_classes: access_classes(root, faults),
    }
}

fn access_classes(root: &Section<'_, '_>, faults: &mut Faults) -> Vec<(AccessClass, u32)> {
    let mut classes: Vec<(AccessClass, u32)> = Vec::new();
    for (word, line) in root.strings("access_classes", faults) {
        let place = at(FILE, line);
        match units::access_word(&word) {
            Ok(Access::Class(class)) if classes.iter().any(|(other, _)| *other == class) => {
                faults.error(
                    place,
                    format!("class of access {word} is there twice"),
                    "remove one",
                );
            }
            Ok(Access::Class(class)) => classes.push((class, line)),
            Ok(Access::Public | Access::Staff) => {
                let what = format!("{} is no class of your own", shown(&word));
                faults.error(place, what, "remove it: every post may name it");
            }
            Err(refusal) => faults.refusal(place, &refusal),
        }
    }
    classes
}

fn languages(root: &Section<'_, '_>, faults: &mut Faults) -> Vec<Lang> {
    let mut languages = Vec::new();
    for (word, line) in root.strings("languages", faults) {
        match word.parse::<Lang>() {
            Ok(lang) if languages.contains(&lang) => {
                faults.error(
                    at(FILE, line),
                    format!("language {word} is there twice"),
                    "remove one",
                );
            }
            Ok(lang) => languages.push(lang),
            Err(refusal) => faults.refusal(at(FILE, line), &refusal),
        }
    }
    if languages.is_empty() && root.get("languages").is_none() {
        languages = vec![Lang::Zh, Lang::En];
    }
    languages
}

fn level_names(root: &Section<'_, '_>, faults: &mut Faults) -> [Text; 4] {
    const DEFAULTS: [(&str, &str); 4] = [
        ("全市", "City"),
        ("镇街", "Town"),
        ("社区", "Community"),
        ("网格", "Cell"),
    ];
    let names = root.section("levels", faults);
    if let Some(names) = &names {
        names.only(&Level::ALL.map(Level::as_str), faults);
    }
    Level::ALL.map(|level| {
        let given = names.as_ref().map(|names| names.text(level.as_str(), faults));
        given.filter(|text| !text.is_empty()).unwrap_or_else(|| {
            let (zh, en) = DEFAULTS[level.depth()];
            Text::both(zh, en)
        })
    })
}

fn settings(root: &Section<'_, '_>, faults: &mut Faults) -> Settings {
    let mut settings = default_settings();
    let Some(given) = root.section("settings", faults) else {
        return settings;
    };
    given.only(
        &[
            "anonymous_reports",
            "straight_through",
            "max_returns",
            "max_extensions",
            "max_park_days",
            "reopen_days",
            "recheck_share",
            "duplicate_metres",
            "duplicate_hours",
            "retention_days",
            "text_retention_days",
            "look_retention_days",
            "audit_retention_days",
            "digest",
            "triage",
            "sign",
            "verify",
        ],
        faults,
    );
    given.switch("anonymous_reports", &mut settings.anonymous_reports, faults);
    given.switch("straight_through", &mut settings.straight_through, faults);
    given.whole("max_returns", 0..=20, &mut settings.max_returns, faults);
    given.whole("max_extensions", 0..=20, &mut settings.max_extensions, faults);
    given.whole("max_park_days", 1..=3_660, &mut settings.max_park_days, faults);
    given.whole("reopen_days", 0..=3_660, &mut settings.reopen_days, faults);
    given.number("recheck_share", 0.0..=1.0, &mut settings.recheck_share, faults);
    given.number(
        "duplicate_metres",
        0.0..=10_000.0,
        &mut settings.duplicate_metres,
        faults,
    );
    given.whole(
        "duplicate_hours",
        0..=87_840,
        &mut settings.duplicate_hours,
        faults,
    );
    given.whole("retention_days", 1..=36_600, &mut settings.retention_days, faults);
    given.whole(
        "look_retention_days",
        1..=36_600,
        &mut settings.look_retention_days,
        faults,
    );
    given.whole(
        "audit_retention_days",
        30..=36_600,
        &mut settings.audit_retention_days,
        faults,
    );
    if given.get("text_retention_days").is_some() {
        let mut days = 0;
        given.whole("text_retention_days", 1..=36_600, &mut days, faults);
        settings.text_retention_days = (days > 0).then_some(days);
    }
    if let Some(text) = given.string("digest", faults) {
        match read_window(&text) {
            Some(window) => settings.digest = window,
            None => given.expected(
                "digest",
                "time from 5m to 24h",
                "KEY = \"1h\", or \"0\" for none",
                faults,
            ),
        }
    }
    if let Some(limit) = given.parsed::<Limit>("triage", faults) {
        settings.triage = limit;
    }
    settings.sign = given.parsed::<Limit>("sign", faults);
    if let Some(limit) = given.parsed::<Limit>("verify", faults) {
        settings.verify = limit;
    }
    settings
}

/// The window within which notices are gathered; none at all when it is 0.
fn read_window(text: &str) -> Option<SignedDuration> {
    if matches!(text, "0" | "0s" | "0h") {
        return Some(SignedDuration::ZERO);
    }
    let window: SignedDuration = text.parse().ok()?;
    let sensible = SignedDuration::from_mins(5)..=SignedDuration::from_hours(24);
    sensible.contains(&window).then_some(window)
}

fn gaps(root: &Section<'_, '_>, faults: &mut Faults) -> Gaps {
    let Some(section) = root.section("gaps", faults) else {
        return Gaps::default();
    };
    section.only(&["allowed", "reason"], faults);
    let is_everywhere = section.get("allowed").and_then(|v| v.get_ref().as_str()) == Some("all");
    let below = if is_everywhere {
        Vec::new()
    } else {
        section.strings("allowed", faults)
    };
    let reason = section.string("reason", faults).unwrap_or_default();
    if reason.trim().is_empty() {
        section.lacks(
            "reason",
            "write why these gaps are right: reason = \"parks and airports\"",
            faults,
        );
    }
    Gaps {
        is_everywhere,
        below,
        reason,
    }
}

/// A table of the file, and where it stands.
struct Section<'t, 'i> {
    /// Its dotted key; empty for the whole file.
    path: String,
    table: &'t DeTable<'i>,
    line: u32,
    lines: &'t Lines,
}

impl<'t, 'i> Section<'t, 'i> {
    fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'i>>> {
        let found = self.table.iter().find(|(name, _)| name.get_ref() == key);
        found.map(|(_, value)| value)
    }

    fn named(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }

    fn line_of(&self, value: &Spanned<DeValue<'i>>) -> u32 {
        self.lines.at(value.span().start)
    }

    fn at(&self, key: &str) -> At<'static> {
        at(FILE, self.get(key).map_or(self.line, |value| self.line_of(value)))
    }

    fn lacks(&self, key: &str, mend: &str, faults: &mut Faults) {
        faults.error(self.at(key), format!("{} is missing", self.named(key)), mend);
    }

    fn expected(&self, key: &str, kind: &str, example: &str, faults: &mut Faults) {
        let value = self.get(key).map(|v| written(v.get_ref())).unwrap_or_default();
        faults.error(
            self.at(key),
            format!("{} is {value}, which is no {kind}", self.named(key)),
            format!("write {}", example.replace("KEY", key)),
        );
    }

    /// Refuses keys that mean nothing here.
    fn only(&self, known: &[&str], faults: &mut Faults) {
        for (key, _) in self.table {
            let name = key.get_ref();
            if !known.contains(&name.as_ref()) {
                let otherwise = format!("the keys are {}", known.join(", "));
                faults.error(
                    at(FILE, self.lines.at(key.span().start)),
                    format!("key {} is not known", shown(&self.named(name))),
                    did_you_mean(name, known.iter().copied(), &otherwise),
                );
            }
        }
    }

    fn section(&self, key: &str, faults: &mut Faults) -> Option<Section<'t, 'i>> {
        let value = self.get(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.expected(key, "table", "[KEY] on a line of its own", faults);
        }
        Some(Section {
            path: self.named(key),
            table: table?,
            line: self.line_of(value),
            lines: self.lines,
        })
    }

    fn string(&self, key: &str, faults: &mut Faults) -> Option<String> {
        let text = self.get(key)?.get_ref().as_str();
        if text.is_none() {
            self.expected(key, "text", "KEY = \"…\"", faults);
        }
        text.map(|text| text.trim().to_owned())
    }

    fn strings(&self, key: &str, faults: &mut Faults) -> Vec<(String, u32)> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let strings: Option<Vec<_>> = value.get_ref().as_array().and_then(|values| {
            let text = |v: &Spanned<DeValue<'i>>| {
                let text = v.get_ref().as_str()?.trim().to_owned();
                Some((text, self.line_of(v)))
            };
            values.iter().map(text).collect()
        });
        strings.unwrap_or_else(|| {
            self.expected(key, "list of texts", "KEY = [\"…\", \"…\"]", faults);
            Vec::new()
        })
    }

    /// A text in one wording, or a table of `own`, `zh` and `en`.
    fn text(&self, key: &str, faults: &mut Faults) -> Text {
        let Some(value) = self.get(key) else {
            return Text::default();
        };
        if value.get_ref().as_table().is_none() {
            return Text::plain(self.string(key, faults).unwrap_or_default());
        }
        let Some(table) = self.section(key, faults) else {
            return Text::default();
        };
        table.only(&["own", "zh", "en"], faults);
        let zh = table.string("zh", faults).filter(|text| !text.is_empty());
        let en = table.string("en", faults).filter(|text| !text.is_empty());
        let own = table
            .string("own", faults)
            .or_else(|| zh.clone())
            .or_else(|| en.clone());
        Text {
            own: own.unwrap_or_default(),
            zh,
            en,
        }
    }

    fn parsed<T>(&self, key: &str, faults: &mut Faults) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let text = self.string(key, faults)?;
        crate::text::parsed(&text, self.at(key), faults)
    }

    fn switch(&self, key: &str, setting: &mut bool, faults: &mut Faults) {
        if let Some(value) = self.get(key) {
            match value.get_ref().as_bool() {
                Some(yes) => *setting = yes,
                None => self.expected(key, "switch", "KEY = true or KEY = false", faults),
            }
        }
    }

    fn whole<T: TryFrom<u32>>(
        &self,
        key: &str,
        range: RangeInclusive<u32>,
        setting: &mut T,
        faults: &mut Faults,
    ) {
        let Some(value) = self.get(key) else {
            return;
        };
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|n| n.to_string().parse().ok());
        if let Some(Ok(number)) = number.filter(|n| range.contains(n)).map(T::try_from) {
            *setting = number;
        } else {
            let kind = format!("whole number from {} to {}", range.start(), range.end());
            self.expected(key, &kind, &format!("KEY = {}", range.start()), faults);
        }
    }

    fn number(&self, key: &str, range: RangeInclusive<f64>, setting: &mut f64, faults: &mut Faults) {
        let Some(value) = self.get(key) else {
            return;
        };
        let value = value.get_ref();
        let written = value.as_float().map(ToString::to_string);
        let written = written.or_else(|| value.as_integer().map(ToString::to_string));
        let number = written.and_then(|n| n.parse::<f64>().ok());
        if let Some(number) = number.filter(|n| range.contains(n)) {
            *setting = number;
        } else {
            let kind = format!("number from {} to {}", range.start(), range.end());
            self.expected(key, &kind, &format!("KEY = {}", range.start()), faults);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_of_a_digest_is_none_or_a_sensible_time() {
        assert_eq!(read_window("1h"), Some(SignedDuration::from_hours(1)));
        assert_eq!(read_window("15m"), Some(SignedDuration::from_mins(15)));
        assert_eq!(read_window("0"), Some(SignedDuration::ZERO));
        for wrong in ["", "1s", "2d", "-1h", "soon"] {
            assert_eq!(read_window(wrong), None, "{wrong}");
        }
    }
}
