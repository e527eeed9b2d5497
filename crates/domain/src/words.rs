//! The words that every layer shares: languages, names in several languages, codes and numbers.
//!
//! Knows nothing of cases or places; everything else is built from these.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A language that the pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    #[default]
    En,
}

impl Lang {
    /// Every language, in the order in which the pages offer them.
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// The BCP 47 code, `zh` or `en`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Lang {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let primary = text.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("zh") {
            Ok(Self::Zh)
        } else if primary.eq_ignore_ascii_case("en") {
            Ok(Self::En)
        } else {
            Err(WordError::Language(text.to_owned()))
        }
    }
}

/// A name or sentence in the place's own words, and in Chinese and English where it has them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Text {
    /// The place's own wording; shown when the reader's language is missing.
    pub own: String,
    /// Chinese wording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zh: Option<String>,
    /// English wording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
}

impl Text {
    /// One wording for all readers.
    pub fn plain(own: impl Into<String>) -> Self {
        Self {
            own: own.into(),
            zh: None,
            en: None,
        }
    }

    /// A wording in Chinese and one in English; the Chinese is the place's own.
    pub fn both(zh: impl Into<String>, en: impl Into<String>) -> Self {
        let zh = zh.into();
        Self {
            own: zh.clone(),
            zh: Some(zh),
            en: Some(en.into()),
        }
    }

    /// The wording for a reader.
    pub fn get(&self, lang: Lang) -> &str {
        let wanted = match lang {
            Lang::Zh => self.zh.as_deref(),
            Lang::En => self.en.as_deref(),
        };
        wanted.unwrap_or(&self.own)
    }

    /// Whether nothing is written in any language.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.zh.is_none() && self.en.is_none()
    }
}

/// A word that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    /// A language Whistle does not speak.
    #[error("language {0:?} is not spoken here; write zh or en")]
    Language(String),
    /// A code with letters that codes do not have.
    #[error("code {0:?} is not usable; write 1 to 64 letters, digits, '-', '_', '.' or '/', no spaces")]
    Code(String),
    /// A case number that is no positive whole number.
    #[error("case number {0:?} is not usable; write its digits, as on the receipt")]
    Number(String),
    /// The number of a whistle that is no positive whole number.
    #[error("whistle number {0:?} is not usable; write its digits")]
    WhistleNumber(String),
}

/// The most letters a code may have.
pub const MAX_CODE: usize = 64;

macro_rules! code {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The code as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = WordError;

            fn from_str(text: &str) -> Result<Self, WordError> {
                checked_code(text).map(|code| Self(code.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = WordError;

            fn try_from(text: String) -> Result<Self, WordError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> Self {
                code.0.into()
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

fn checked_code(text: &str) -> Result<&str, WordError> {
    let text = text.trim();
    let fits = !text.is_empty()
        && text.chars().count() <= MAX_CODE
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
    if fits {
        Ok(text)
    } else {
        Err(WordError::Code(text.to_owned()))
    }
}

code!(
    /// The code of a jurisdiction; Open311's `jurisdiction_id`.
    JurisdictionCode
);
code!(
    /// The code of an area. Text, because schemes differ from place to place (§4).
    AreaCode
);
code!(
    /// The code of a unit.
    UnitCode
);
code!(
    /// The code of a post.
    PostCode
);
code!(
    /// The code of a service or a service group; Open311's `service_code`.
    ServiceCode
);
code!(
    /// The code of a standard.
    StandardCode
);
code!(
    /// The code of a ladder of escalation.
    LadderCode
);
code!(
    /// The code of a kind of whistle.
    WhistleKindCode
);
code!(
    /// The code of a round.
    RoundCode
);
code!(
    /// The code of a stop of a round.
    StopCode
);
code!(
    /// A class of access: cases of it are only for the posts that name it.
    AccessClass
);

/// The key of a jurisdiction in the store; small, given when the place is first applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JurisdictionId(pub i64);

/// The number of a case, unique in its jurisdiction, as printed on the receipt; Open311's `service_request_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseNumber(pub i64);

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for CaseNumber {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        match text.trim().parse::<i64>() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err(WordError::Number(text.to_owned())),
        }
    }
}

/// The number of a whistle, unique in its jurisdiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WhistleNumber(pub i64);

impl fmt::Display for WhistleNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for WhistleNumber {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        match text.trim().parse::<i64>() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err(WordError::WhistleNumber(text.to_owned())),
        }
    }
}

/// What somebody is told of: the numbers of cases and whistles are not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A case.
    Case(CaseNumber),
    /// A whistle.
    Whistle(WhistleNumber),
}

impl Subject {
    /// The word in columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Case(_) => "case",
            Self::Whistle(_) => "whistle",
        }
    }

    /// The number of either.
    pub const fn number(self) -> i64 {
        match self {
            Self::Case(number) => number.0,
            Self::Whistle(number) => number.0,
        }
    }
}
