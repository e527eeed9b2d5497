//! The languages Whistle speaks.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A language that every text for readers exists in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    Zh,
    En,
}

/// The text names no language that Whistle speaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("language \"{0}\" is not spoken here; write zh or en")]
pub struct UnknownLang(pub String);

impl Lang {
    /// The language's code, as in URLs, files and columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Lang::Zh => "zh",
            Lang::En => "en",
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Lang {
    type Err = UnknownLang;

    fn from_str(text: &str) -> Result<Self, UnknownLang> {
        match text {
            "zh" => Ok(Lang::Zh),
            "en" => Ok(Lang::En),
            _ => Err(UnknownLang(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_written_the_same_in_text_and_json() {
        for lang in [Lang::Zh, Lang::En] {
            assert_eq!(lang.as_str().parse(), Ok(lang));
            assert_eq!(serde_json::to_value(lang).unwrap(), lang.as_str());
        }
        let refused = "fr".parse::<Lang>().unwrap_err();
        assert_eq!(
            refused.to_string(),
            r#"language "fr" is not spoken here; write zh or en"#
        );
    }
}
