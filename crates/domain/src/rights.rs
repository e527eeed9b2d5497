//! The rights: what each role may do and where. The table of transitions says which role may move a case; this
//! file says what the roles are, what an actor may see, and which other doors a role opens.

use serde::{Deserialize, Serialize};

/// What a post may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reports what it sees on its rounds, and verifies what others fixed.
    Patrol,
    /// Takes reports by telephone or at the counter and accepts them.
    CallTaker,
    /// Accepts, assigns, verifies, in its area.
    Dispatcher,
    /// Reports in and handles, for its unit.
    Handler,
    /// Leads a unit or station: decides after returns, approves, reopens.
    Lead,
    /// Reads everything in its area, changes nothing.
    Auditor,
    /// Keeps accounts, keys and the place folder.
    Administrator,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 7] = [
        Self::Patrol,
        Self::CallTaker,
        Self::Dispatcher,
        Self::Handler,
        Self::Lead,
        Self::Auditor,
        Self::Administrator,
    ];

    /// The word in posts.csv.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patrol => "patrol",
            Self::CallTaker => "call_taker",
            Self::Dispatcher => "dispatcher",
            Self::Handler => "handler",
            Self::Lead => "lead",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let wanted = text.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|r| r.as_str() == wanted)
            .ok_or(UnknownRole(text.trim().to_owned()))
    }
}

/// A role that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "role {0:?} does not exist; write patrol, call_taker, dispatcher, handler, lead, auditor or administrator"
)]
pub struct UnknownRole(pub String);
