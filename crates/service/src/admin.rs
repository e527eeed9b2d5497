//! Acts of administration, as those who answer for the install read them.

use jiff::Timestamp;
use serde::Serialize;
use whistle_domain::{case::Actor, rights};
use whistle_store::admin as stored;

use crate::{
    Whistle,
    error::{Error, Result},
    place::Here,
};

pub use whistle_store::admin::{Act, Before, Deed, Doer};

/// Acts of one page.
pub const ACTS_AT_ONCE: usize = 100;

/// An act as JSON tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// `post`, `operator` or `system`.
    pub actor: &'static str,
    /// The account's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<i64>,
    /// The name it signs in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The post.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post: Option<String>,
    /// The word of what was done.
    pub act: String,
    /// What it was done to.
    pub subject: String,
    /// More of it.
    pub detail: String,
}

impl From<Act> for Told {
    fn from(act: Act) -> Self {
        let (account, post) = match &act.by {
            Doer::Post { account, post } => (Some(*account), Some(post.to_string())),
            Doer::Operator | Doer::System => (None, None),
        };
        Self {
            id: act.id,
            at: act.at,
            actor: act.by.as_str(),
            account,
            login: act.login,
            post,
            act: act.deed,
            subject: act.subject,
            detail: act.detail,
        }
    }
}

/// Who of the staff does something; nobody of them is the operator.
pub(crate) fn doer(by: &Actor) -> Doer {
    match by {
        Actor::Post { account, post, .. } => Doer::Post {
            account: *account,
            post: post.clone(),
        },
        _ => Doer::Operator,
    }
}

impl Whistle {
    /// Writes down what an operator did that is no transaction of its own.
    pub(crate) fn note_act(&self, here: &Here, deed: Deed, subject: &str, detail: &str) -> Result<()> {
        let (id, now) = (here.id, self.clock.now());
        let (subject, detail) = (subject.to_owned(), detail.to_owned());
        Ok(self
            .store
            .write_blocking(move |tx| stored::note(tx, id, &Doer::Operator, deed, &subject, &detail, now))?)
    }

    /// The acts before one, the youngest first, at most `limit`; for operators.
    pub fn acts(&self, here: &Here, before: Option<Before>, limit: usize) -> Result<Vec<Act>> {
        let id = here.id;
        Ok(self
            .store
            .read_blocking(|conn| stored::page(conn, id, before, limit))?)
    }

    /// The same for a member of staff who may read them; at most [`ACTS_AT_ONCE`], and one more if there are.
    pub async fn acts_for(&self, here: &Here, by: &Actor, before: Option<Before>) -> Result<Vec<Act>> {
        if !rights::may_read_acts(by, &here.place) {
            return Err(Error::Forbidden);
        }
        let id = here.id;
        Ok(self
            .store
            .look_up(move |conn| stored::page(conn, id, before, ACTS_AT_ONCE + 1))
            .await?)
    }
}
