//! Acts of administration: who changed accounts, keys, webhooks, the place or the secret, and what was erased on schedule.
//! Written in the transaction of the act itself. Nothing here is ever changed; what is old enough is removed.

use jiff::Timestamp;
use whistle_domain::words::{JurisdictionId, PostCode};

use crate::{Conn, Row, Tx, error::Result, params};

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doer {
    /// An account, for one of its posts.
    Post {
        /// The account.
        account: i64,
        /// The post.
        post: PostCode,
    },
    /// Whoever may run commands on the machine.
    Operator,
    /// Whistle itself, on schedule.
    System,
}

impl Doer {
    /// The word in the column and in JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Post { .. } => "post",
            Self::Operator => "operator",
            Self::System => "system",
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// An account was added, with posts.
    AccountAdded,
    /// It may not sign in any more.
    AccountDisabled,
    /// It may sign in again.
    AccountEnabled,
    /// Its sessions were ended.
    AccountSignedOut,
    /// It was given another password.
    PasswordReset,
    /// Its holder chose another password.
    PasswordChanged,
    /// Its holder shows a code from now on.
    SecondFactorAdded,
    /// Its holder shows none any more.
    SecondFactorRemoved,
    /// The second factor of somebody else was removed.
    SecondFactorReset,
    /// Its holder's name at the provider of sign-ins was said, or its holder signed in there for it.
    AccountLinked,
    /// It is linked to nobody there any more.
    AccountUnlinked,
    /// Its holder signs in by a further passkey.
    PasskeyAdded,
    /// A passkey of it is gone, or all of them.
    PasskeyRemoved,
    /// A system got a key.
    KeyAdded,
    /// A key was taken back.
    KeyRevoked,
    /// A system is told.
    WebhookAdded,
    /// It is told nothing for now.
    WebhookPaused,
    /// It is told again.
    WebhookResumed,
    /// It is told no more.
    WebhookRemoved,
    /// Staff may be told on their devices.
    PushSwitchedOn,
    /// Nobody is told on devices any more.
    PushSwitchedOff,
    /// A version of the place was put in force.
    PlaceApplied,
    /// What is sealed was sealed by another key.
    SecretRotated,
    /// Earlier keys were given up.
    SecretForgotten,
    /// Another key was put in place of one that is lost.
    SecretAdopted,
    /// What was kept for long enough was erased.
    RetentionDone,
    /// Cases or whistles were written to a file, or were to be.
    Exported,
    /// Cases of another system were added, or settled.
    Imported,
    /// The whole install was copied, its secret key too.
    BackedUp,
}

impl Deed {
    /// All of them.
    pub const ALL: [Self; 29] = [
        Self::AccountAdded,
        Self::AccountDisabled,
        Self::AccountEnabled,
        Self::AccountSignedOut,
        Self::PasswordReset,
        Self::PasswordChanged,
        Self::SecondFactorAdded,
        Self::SecondFactorRemoved,
        Self::SecondFactorReset,
        Self::AccountLinked,
        Self::AccountUnlinked,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::KeyAdded,
        Self::KeyRevoked,
        Self::WebhookAdded,
        Self::WebhookPaused,
        Self::WebhookResumed,
        Self::WebhookRemoved,
        Self::PushSwitchedOn,
        Self::PushSwitchedOff,
        Self::PlaceApplied,
        Self::SecretRotated,
        Self::SecretForgotten,
        Self::SecretAdopted,
        Self::RetentionDone,
        Self::Exported,
        Self::Imported,
        Self::BackedUp,
    ];

    /// The words in the details of acts that are told by sums: each stands alone or before `=` and a value, with blanks between.
    pub const SUMS: [&str; 14] = [
        "changes",
        "sealed",
        "earlier_keys",
        "contacts",
        "texts",
        "photos",
        "cases",
        "whistles",
        "calls",
        "full",
        "class",
        "added",
        "settled",
        "rejected",
    ];

    /// Whether the details of such acts are those words, and not names.
    pub const fn is_told_by_sums(self) -> bool {
        matches!(
            self,
            Self::PlaceApplied
                | Self::SecretRotated
                | Self::SecretForgotten
                | Self::RetentionDone
                | Self::Exported
                | Self::Imported
                | Self::BackedUp
        )
    }

    /// The word in the column, in JSON and in the message catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountAdded => "account_added",
            Self::AccountDisabled => "account_disabled",
            Self::AccountEnabled => "account_enabled",
            Self::AccountSignedOut => "account_signed_out",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::SecondFactorAdded => "second_factor_added",
            Self::SecondFactorRemoved => "second_factor_removed",
            Self::SecondFactorReset => "second_factor_reset",
            Self::AccountLinked => "account_linked",
            Self::AccountUnlinked => "account_unlinked",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRemoved => "passkey_removed",
            Self::KeyAdded => "key_added",
            Self::KeyRevoked => "key_revoked",
            Self::WebhookAdded => "webhook_added",
            Self::WebhookPaused => "webhook_paused",
            Self::WebhookResumed => "webhook_resumed",
            Self::WebhookRemoved => "webhook_removed",
            Self::PushSwitchedOn => "push_switched_on",
            Self::PushSwitchedOff => "push_switched_off",
            Self::PlaceApplied => "place_applied",
            Self::SecretRotated => "secret_rotated",
            Self::SecretForgotten => "secret_forgotten",
            Self::SecretAdopted => "secret_adopted",
            Self::RetentionDone => "retention_done",
            Self::Exported => "exported",
            Self::Imported => "imported",
            Self::BackedUp => "backed_up",
        }
    }
}

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: Doer,
    /// The name that the account signs in with; none for others, and once the account is gone.
    pub login: Option<String>,
    /// The word of what was done; one that this program does not know is a newer one's.
    pub deed: String,
    /// What it was done to; may be empty.
    pub subject: String,
    /// More of it; may be empty. Names, or [`Deed::SUMS`].
    pub detail: String,
}

/// Where a page of acts begins: after this one, which is younger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// Its time; microseconds since 1970.
    pub at: i64,
    /// Its number.
    pub id: i64,
}

/// Writes an act down, in the transaction that does it.
pub fn note(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    by: &Doer,
    deed: Deed,
    subject: &str,
    detail: &str,
    now: Timestamp,
) -> Result<()> {
    let id = tx.next_id(jurisdiction.0, "admin_act")?;
    let (account, post) = match by {
        Doer::Post { account, post } => (Some(*account), Some(post.as_str())),
        Doer::Operator | Doer::System => (None, None),
    };
    tx.queue(
        "INSERT INTO admin_act (jurisdiction_id, act_id, at, account_id, post_code, actor, act, subject, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            jurisdiction.0,
            id,
            now,
            account,
            post,
            by.as_str(),
            deed.as_str(),
            subject,
            detail
        ],
    )
}

/// The acts before one, the youngest first.
pub fn page(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    before: Option<Before>,
    limit: usize,
) -> Result<Vec<Act>> {
    let before = before.unwrap_or(Before {
        at: i64::MAX,
        id: i64::MAX,
    });
    conn.rows(
        PAGE,
        params![jurisdiction.0, before.at, before.id, limit as i64],
        read,
    )
}

const PAGE: &str =
    "SELECT w.act_id, w.at, w.account_id, w.post_code, w.actor, a.login, w.act, w.subject, w.detail
         FROM admin_act AS w
         LEFT JOIN account AS a ON a.jurisdiction_id = w.jurisdiction_id AND a.account_id = w.account_id
         WHERE w.jurisdiction_id = $1 AND (w.at, w.act_id) < ($2, $3)
         ORDER BY w.at DESC, w.act_id DESC
         LIMIT $4";

fn read(row: &Row<'_>) -> Result<Act> {
    let by = match row.text(4)? {
        "post" => Doer::Post {
            account: row.int(2)?,
            post: row.parsed(3)?,
        },
        "operator" => Doer::Operator,
        "system" => Doer::System,
        other => return Err(row.wrong(4, "post, operator or system", other)),
    };
    Ok(Act {
        id: row.int(0)?,
        at: row.time(1)?,
        by,
        login: row.text_opt(5)?.map(str::to_owned),
        deed: row.text(6)?.to_owned(),
        subject: row.text(7)?.to_owned(),
        detail: row.text(8)?.to_owned(),
    })
}

/// Removes acts from before a time, at most `most`.
pub fn forget(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, before: Timestamp, most: usize) -> Result<u64> {
    tx.exec(
        "DELETE FROM admin_act
         WHERE jurisdiction_id = $1
           AND act_id IN (SELECT act_id FROM admin_act WHERE jurisdiction_id = $1 AND at < $2 LIMIT $3)",
        params![jurisdiction.0, before, most as i64],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn a_page_runs_along_the_time_of_the_acts() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        let steps = store.read_blocking(|conn| {
            conn.rows(
                &format!("EXPLAIN QUERY PLAN {PAGE}"),
                params![1_i64, 0_i64, 0_i64, 10_i64],
                |row| Ok(row.text(3)?.to_owned()),
            )
        });
        let plan = steps.unwrap().join("; ");
        assert!(plan.contains("USING INDEX admin_act_by_time"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}
