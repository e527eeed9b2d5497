//! The message catalogue: every word that the pages say, in Chinese and English, under `locales/`.

use std::{
    collections::HashMap,
    sync::{LazyLock, PoisonError, RwLock},
};

use fluent_templates::{LanguageIdentifier, fluent_bundle::FluentValue, langid, static_loader};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use whistle_domain::{
    command::Refusal,
    transition::{Need, Verb},
    whistle::command as whistle,
    words::Lang,
};
use whistle_service::{Error, privacy::StoredOf};

static_loader! {
    static CATALOGUE = {
        locales: "./locales",
        fallback_language: "en",
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

const ZH: LanguageIdentifier = langid!("zh");
const EN: LanguageIdentifier = langid!("en");

/// Messages without a variable part, by language, once they were asked for: a page has some two hundred of them, and
/// making them anew was half of its time.
static PLAIN: LazyLock<[Kept; 2]> = LazyLock::new(Default::default);

/// Messages by their keys.
type Kept = RwLock<HashMap<Box<str>, String>>;

/// What a page shows in place of a message that is missing; the tests look for it.
pub(crate) const MISSING: char = '⟦';

/// The catalogue in one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words(pub(crate) Lang);

impl Words {
    /// The message of a key.
    pub(crate) fn t(self, key: &str) -> String {
        let kept = &PLAIN[self.0 as usize];
        if let Some(text) = kept.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return text.clone();
        }
        let text = self.with(key, &[]);
        // Only what the catalogue has is kept, so that no reader's words can make it grow.
        if !text.contains(MISSING) {
            let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
            kept.insert(key.into(), text.clone());
        }
        text
    }

    /// The message of a key with a number in it.
    pub(crate) fn n(self, key: &str, n: i64) -> String {
        self.with(key, &[("n", n.into())])
    }

    /// The message of a key with a word in it.
    pub(crate) fn x(self, key: &str, x: &str) -> String {
        self.with(key, &[("x", x.into())])
    }

    /// A text with another in brackets, which are not the same in both languages.
    pub(crate) fn aside(self, text: &str, aside: &str) -> String {
        self.with("with-aside", &[("text", text.into()), ("aside", aside.into())])
    }

    /// The message of a key with what belongs in it.
    pub(crate) fn with(self, key: &str, parts: &[(&str, FluentValue<'_>)]) -> String {
        let parts: HashMap<&str, FluentValue<'_>> = parts.iter().cloned().collect();
        let language = match self.0 {
            Lang::Zh => &ZH,
            Lang::En => &EN,
        };
        CATALOGUE
            .lookup_single_language(language, key, Some(&parts))
            .unwrap_or_else(|_| format!("{MISSING}{key}⟧"))
    }

    /// A post with its unit. Lists of posts have hundreds, so the message is read once and the names are put in.
    pub(crate) fn post_of_unit(self, post: &str, unit: &str) -> String {
        const POST: &str = "\u{1}";
        const UNIT: &str = "\u{2}";
        static PATTERNS: LazyLock<[String; Lang::ALL.len()]> = LazyLock::new(|| {
            Lang::ALL
                .map(|lang| Words(lang).with("post-of-unit", &[("post", POST.into()), ("unit", UNIT.into())]))
        });
        let at = Lang::ALL.iter().position(|lang| *lang == self.0);
        let pattern = &PATTERNS[at.unwrap_or_default()];
        pattern.replacen(POST, post, 1).replacen(UNIT, unit, 1)
    }

    /// The message of a word of the domain: a stage, an outcome, an event …
    pub(crate) fn of(self, kind: &str, word: &str) -> String {
        self.t(&format!("{kind}-{word}"))
    }

    /// Date and time on the place's clock.
    pub(crate) fn time(self, at: Timestamp, zone: &TimeZone) -> String {
        let at = zone.to_datetime(at);
        format!("{} {:02}:{:02}", self.date(at.date()), at.hour(), at.minute())
    }

    /// A date.
    pub(crate) fn date(self, date: jiff::civil::Date) -> String {
        match self.0 {
            Lang::Zh => date.strftime("%Y年%-m月%-d日").to_string(),
            Lang::En => date.strftime("%-d %b %Y").to_string(),
        }
    }

    /// A month of a year.
    pub(crate) fn month(self, first: jiff::civil::Date) -> String {
        match self.0 {
            Lang::Zh => first.strftime("%Y年%-m月").to_string(),
            Lang::En => first.strftime("%B %Y").to_string(),
        }
    }

    /// How long there is until a time, or how long it is over.
    pub(crate) fn until(self, due: Timestamp, now: Timestamp) -> String {
        let (kind, span) = if now > due {
            ("overdue", now.duration_since(due))
        } else {
            ("due", due.duration_since(now))
        };
        let (unit, n) = in_words(span);
        self.n(&format!("{kind}-{unit}"), n)
    }

    /// Why a command was refused.
    pub(crate) fn refusal(self, refusal: &Refusal) -> String {
        let key = format!("refusal-{}", refusal.word());
        match refusal {
            Refusal::WrongStage { verb, stage } => self.with(
                &key,
                &[
                    ("verb", self.of("verb", verb.as_str()).into()),
                    ("stage", self.of("stage", stage.as_str()).into()),
                ],
            ),
            Refusal::NotAllowed(verb) => self.x(&key, &self.of("verb", verb.as_str())),
            Refusal::Missing { need, .. } => self.x(&key, &self.of("need", need_word(*need))),
            Refusal::LeadMustDecide(n) | Refusal::NoMoreReturns(n) | Refusal::NoMoreExtensions(n) => {
                self.n(&key, i64::from(*n))
            }
            Refusal::ParkDate(date) | Refusal::AskDate(date) => self.x(&key, &self.date(*date)),
            Refusal::WindowOver(days) => self.n(&key, i64::from(*days)),
            Refusal::TextTooLong { letters } => self.n(&key, *letters as i64),
            Refusal::UnknownService(x)
            | Refusal::IsGroup(x)
            | Refusal::NotPublic(x)
            | Refusal::OfAClass(x)
            | Refusal::UnknownStandard(x)
            | Refusal::UnknownUnit(x)
            | Refusal::UnknownArea(x)
            | Refusal::BadAnswer { question: x, .. } => self.x(&key, x),
            Refusal::MergedInto(number) | Refusal::OriginalMerged(number) => {
                self.x(&key, &number.to_string())
            }
            Refusal::NoSuchReport(report) => self.n(&key, i64::from(*report)),
            Refusal::NotAnOutcomeOfWork(outcome) => self.x(&key, &self.of("outcome", outcome.as_str())),
            Refusal::MayNotReport
            | Refusal::OtherClass
            | Refusal::MayNotNameStandard
            | Refusal::FixerCannotVerify
            | Refusal::ParkedBefore
            | Refusal::Overdue
            | Refusal::NoLead
            | Refusal::OutsidePlace { .. }
            | Refusal::NoLocation
            | Refusal::NoDescription
            | Refusal::TooManyPhotos
            | Refusal::TooManyParts
            | Refusal::TooManySplit
            | Refusal::BadChoices
            | Refusal::NotAChoice
            | Refusal::QuestionOver
            | Refusal::MergedIntoItself
            | Refusal::OnlyPostsFix
            | Refusal::Stale { .. } => self.t(&key),
        }
    }

    /// Why a command on a whistle was refused.
    pub(crate) fn whistle_refusal(self, refusal: &whistle::Refusal) -> String {
        use whistle::Refusal;
        let key = format!("whistle-refusal-{}", refusal.word());
        match refusal {
            Refusal::WrongStage { stage, .. } => self.x(&key, &self.of("whistle-stage", stage.as_str())),
            Refusal::WrongCall { state, .. } => self.x(&key, &self.of("call-state", state.as_str())),
            Refusal::NotAllowed(verb) => self.x(&key, &self.of("whistle-verb", verb.as_str())),
            Refusal::Missing { need, .. } => self.x(&key, &self.of("whistle-need", whistle_need_word(*need))),
            Refusal::UnknownKind(x) | Refusal::UnknownUnit(x) | Refusal::NotCalled(x) => self.x(&key, x),
            Refusal::HowManyCases => self.n(&key, whistle::MAX_CASES as i64),
            Refusal::HowManyUnits => self.n(&key, whistle::MAX_UNITS as i64),
            Refusal::TooManyDuties => self.n(&key, whistle::MAX_DUTIES as i64),
            Refusal::MeetTime => self.n(&key, whistle::MAX_DAYS_AHEAD),
            Refusal::CaseElsewhere(number) | Refusal::CaseClosed(number) => self.x(&key, &number.to_string()),
            Refusal::BadDuty(duty) => self.n(&key, i64::from(*duty)),
            Refusal::TextTooLong { letters } => self.n(&key, *letters as i64),
            Refusal::CallsItself | Refusal::LeadNotCalled | Refusal::MadeTime | Refusal::Stale { .. } => {
                self.t(&key)
            }
        }
    }

    /// What is stored about people, in words.
    pub(crate) fn stored(self, stored: &StoredOf) -> StoredWords {
        let kept = format!("privacy-kept-{}", stored.kept.as_str());
        StoredWords {
            what: self.of("privacy-what", stored.purpose.as_str()),
            why: self.of("privacy-why", stored.purpose.as_str()),
            kept: stored
                .time
                .map_or_else(|| self.t(&kept), |time| self.n(&kept, time)),
            seen: self.of("privacy-seen", stored.seen.as_str()),
            columns: stored.columns.clone(),
        }
    }

    /// What the reader is told of an error of the service. Nothing of its insides.
    pub(crate) fn error(self, error: &Error) -> String {
        match error {
            Error::Refused(refusal) => self.refusal(refusal),
            Error::Whistle(refusal) => self.whistle_refusal(refusal),
            Error::Invalid { field, .. } => match *field {
                "email" | "name" | "phone" | "after" | "page" | "password" | "note" | "text" | "account"
                | "view" | "views" | "second_factor" => self.of("invalid", field),
                "secret.key" => self.t("invalid-secret_key"),
                // No form of the pages has another; its name would tell a reader nothing.
                _ => self.of("error", error.word()),
            },
            Error::BadPhoto(bad) => self.of("bad-photo", bad.word()),
            other => self.of("error", other.word()),
        }
    }
}

/// Something that is stored about people, in the reader's words.
pub(crate) struct StoredWords {
    pub(crate) what: String,
    pub(crate) why: String,
    pub(crate) kept: String,
    pub(crate) seen: String,
    pub(crate) columns: Vec<String>,
}

/// The word of a need in the catalogue.
const fn need_word(need: Need) -> &'static str {
    match need {
        Need::Text => "text",
        Need::Unit => "unit",
        Need::RightUnit => "right_unit",
        Need::Outcome => "outcome",
        Need::Original => "original",
        Need::Until => "until",
        Need::Service => "service",
        Need::Location => "location",
        Need::Rating => "rating",
        Need::NotFixer => "not_fixer",
        Need::LeadAfterReturns => "lead_after_returns",
        Need::Window => "window",
        Need::Parked => "parked",
        Need::NotParked => "not_parked",
        Need::ReturnsLeft => "returns_left",
        Need::NotSigned => "not_signed",
        Need::NeverParked => "never_parked",
        Need::ExtensionsLeft => "extensions_left",
        Need::NotOverdue => "not_overdue",
        Need::ReporterFirst => "reporter_first",
        Need::OnlyReport => "only_report",
        Need::PhotosLeft => "photos_left",
        Need::AtReport => "at_report",
        Need::OwnOpenPart => "own_open_part",
        Need::AnyOpenPart => "any_open_part",
        Need::PartsDone => "parts_done",
        Need::JointRoom => "joint_room",
        Need::SplitRoom => "split_room",
        Need::NotMerged => "not_merged",
        Need::Request => "request",
        Need::AnyRequest => "any_request",
        Need::NoRequest => "no_request",
        Need::Question => "question",
        Need::NoQuestion => "no_question",
    }
}

/// The word of a need of whistles in the catalogue.
const fn whistle_need_word(need: whistle_domain::whistle::transition::Need) -> &'static str {
    use whistle_domain::whistle::transition::Need;
    match need {
        Need::Text => "text",
        Need::Unit => "unit",
        Need::NotContacted => "not_contacted",
        Need::HigherStation => "higher_station",
        Need::Minutes => "minutes",
        Need::Duty => "duty",
        Need::Rating => "rating",
        Need::AtBlow => "at_blow",
    }
}

/// A span in its largest sensible unit.
fn in_words(span: SignedDuration) -> (&'static str, i64) {
    let minutes = span.as_mins().max(0);
    match minutes {
        0..=89 => ("minutes", minutes),
        90..=2_879 => ("hours", (minutes + 30) / 60),
        _ => ("days", (minutes + 720) / 1_440),
    }
}

/// Every verb, for the tests and for reading one from a path.
pub(crate) fn verb(word: &str) -> Option<Verb> {
    whistle_domain::transition::TRANSITIONS
        .iter()
        .map(|line| line.verb)
        .find(|verb| verb.as_str() == word)
}

#[cfg(test)]
mod tests;
