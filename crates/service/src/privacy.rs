//! Privacy: what is stored of whom, in the store's own words.

pub use whistle_store::people::{About, Kept, Purpose, Seen};

use crate::{Here, account::SESSION_LASTS, account::TRIES_WINDOW, duties::ANSWERS_KEPT};

/// Something that is stored about people.
#[derive(Debug, Clone)]
pub struct StoredOf {
    /// What for.
    pub purpose: Purpose,
    /// Of whom.
    pub about: &'static [About],
    /// How long.
    pub kept: Kept,
    /// How long that is here, in the unit of the word `kept`: days for what goes after closing and for retries, hours for
    /// sessions, minutes for tries; none where no time is set.
    pub time: Option<i64>,
    /// For whose eyes, at most.
    pub seen: Seen,
    /// In which columns, as `table.column`.
    pub columns: Vec<String>,
}

/// All that is stored about people in a place: everything that the schema has a column for, and nothing else.
pub fn stored_of_people(here: &Here) -> Vec<StoredOf> {
    let settings = &here.place.jurisdiction.settings;
    let time = |kept| match kept {
        Kept::AfterClosing => Some(i64::from(settings.retention_days)),
        Kept::Retries => Some(ANSWERS_KEPT.as_hours() / 24),
        Kept::Session => Some(SESSION_LASTS.as_hours()),
        Kept::Tries => Some(TRIES_WINDOW.as_mins()),
        Kept::WithCase | Kept::WithAccount => None,
    };
    Purpose::ALL
        .into_iter()
        .map(|purpose| StoredOf {
            purpose,
            about: purpose.about(),
            kept: purpose.kept(),
            time: time(purpose.kept()),
            seen: purpose.seen(),
            columns: purpose.columns().collect(),
        })
        .collect()
}
