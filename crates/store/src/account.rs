//! Accounts with the posts they hold, their sessions, and the API keys of other systems.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use whistle_domain::{
    rights::Scope,
    words::{JurisdictionId, PostCode},
};

use crate::{
    Conn, Row, Tx,
    case::{Hash, hash_at},
    error::{Error, Result},
    params, push,
};

/// An account, without what it holds.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its number.
    pub id: i64,
    /// The name it signs in with.
    pub login: String,
    /// The argon2id string of its password, with [`ONCE`] before it where it must be changed.
    pub password: String,
    /// Whether it may not sign in any more.
    pub disabled: bool,
}

/// What stands before the argon2id string of a password that somebody else chose: it is good for nothing but choosing another.
pub const ONCE: &str = "once:";

/// A session, as the cookie's token finds it.
#[derive(Debug, Clone)]
pub struct Session {
    /// Whose it is.
    pub account: i64,
    /// The name the account signs in with.
    pub login: String,
    /// The post it acts for.
    pub post: PostCode,
    /// All posts that the account holds, in the order of their codes.
    pub posts: Vec<PostCode>,
    /// When it was last used, to within a few minutes.
    pub seen_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether the account has a second factor in force.
    pub second_factor: bool,
    /// Whether its password must be changed.
    pub password_once: bool,
    /// Whether more than a password was shown when it was opened.
    pub is_strong: bool,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// A session as its account sees it among its own.
#[derive(Debug, Clone)]
pub struct OwnSession {
    /// The hash of its token.
    pub token_hash: Hash,
    /// The post it acts for.
    pub post: PostCode,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, to within a few minutes.
    pub seen_at: Timestamp,
}

/// An API key, without the key.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its number.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Adds an account that holds posts. Fails with [`Error::Conflict`] when the login is taken.
pub fn add(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    login: &str,
    password: &str,
    posts: &[PostCode],
    now: Timestamp,
) -> Result<i64> {
    let id = tx.next_id(jurisdiction.0, "account")?;
    tx.exec(
        "INSERT INTO account (jurisdiction_id, account_id, login, password, created_at)
         VALUES ($1, $2, $3, $4, $5)",
        params![jurisdiction.0, id, login, password, now],
    )?;
    for post in posts {
        tx.exec(
            "INSERT INTO holding (jurisdiction_id, account_id, post_code)
             VALUES ($1, $2, $3)",
            params![jurisdiction.0, id, post.as_str()],
        )?;
    }
    Ok(id)
}

/// The account with a login.
pub fn by_login(conn: &Conn, jurisdiction: JurisdictionId, login: &str) -> Result<Option<Account>> {
    conn.row_optional(
        "SELECT account_id, login, password, disabled_at
         FROM account
         WHERE jurisdiction_id = $1 AND login = $2",
        params![jurisdiction.0, login],
        read_account,
    )
}

/// How often an account took a new address for its calendar; none where there is no such account or it is disabled.
pub fn calendar(conn: &Conn, jurisdiction: JurisdictionId, account: i64) -> Result<Option<i64>> {
    conn.row_optional(
        "SELECT calendar
         FROM account
         WHERE jurisdiction_id = $1 AND account_id = $2 AND disabled_at IS NULL",
        params![jurisdiction.0, account],
        |row| row.int(0),
    )
}

/// Takes a new address for the calendar of an account; the one before is good no more.
pub fn renew_calendar(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, account: i64) -> Result<()> {
    tx.exec(
        "UPDATE account
         SET calendar = calendar + 1
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account],
    )?;
    Ok(())
}

fn read_account(row: &Row<'_>) -> Result<Account> {
    Ok(Account {
        id: row.int(0)?,
        login: row.text(1)?.to_owned(),
        password: row.text(2)?.to_owned(),
        disabled: row.time_opt(3)?.is_some(),
    })
}

/// The posts an account holds, in the order of their codes.
pub fn posts(conn: &Conn, jurisdiction: JurisdictionId, account: i64) -> Result<Vec<PostCode>> {
    conn.rows(
        "SELECT post_code
         FROM holding
         WHERE jurisdiction_id = $1 AND account_id = $2
         ORDER BY post_code",
        params![jurisdiction.0, account],
        |row| row.parsed(0),
    )
}

/// An account as those see it who keep it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its number.
    pub id: i64,
    /// The name it signs in with.
    pub login: String,
    /// Since when it may not sign in.
    pub disabled_at: Option<Timestamp>,
    /// The posts it holds, in the order of their codes.
    pub posts: Vec<PostCode>,
    /// How many sessions of it are open.
    pub sessions: i64,
}

/// The most accounts that are listed.
pub const MAX_ACCOUNTS: i64 = 10_000;

/// All accounts, in the order of their logins.
pub fn accounts(conn: &Conn, jurisdiction: JurisdictionId, now: Timestamp) -> Result<Vec<Listed>> {
    let mut accounts = conn.rows(
        "SELECT a.account_id, a.login, a.disabled_at,
                (SELECT COUNT(*)
                 FROM session AS s
                 WHERE s.jurisdiction_id = a.jurisdiction_id AND s.account_id = a.account_id
                   AND s.expires_at > $2)
         FROM account AS a
         WHERE a.jurisdiction_id = $1
         ORDER BY a.login
         LIMIT $3",
        params![jurisdiction.0, now, MAX_ACCOUNTS],
        |row| {
            Ok(Listed {
                id: row.int(0)?,
                login: row.text(1)?.to_owned(),
                disabled_at: row.time_opt(2)?,
                posts: Vec::new(),
                sessions: row.int(3)?,
            })
        },
    )?;
    let held = conn.rows(
        "SELECT account_id, post_code
         FROM holding
         WHERE jurisdiction_id = $1
         ORDER BY account_id, post_code",
        params![jurisdiction.0],
        |row| Ok((row.int(0)?, row.parsed(1)?)),
    )?;
    let mut by_account: HashMap<i64, Vec<PostCode>> = HashMap::new();
    for (account, post) in held {
        by_account.entry(account).or_default().push(post);
    }
    for account in &mut accounts {
        account.posts = by_account.remove(&account.id).unwrap_or_default();
    }
    Ok(accounts)
}

/// The account with a number.
pub fn by_id(conn: &Conn, jurisdiction: JurisdictionId, account: i64) -> Result<Option<Account>> {
    conn.row_optional(
        "SELECT account_id, login, password, disabled_at
         FROM account
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account],
        read_account,
    )
}

/// Every account's login with the posts it holds; for the list of who holds what.
pub fn holders(conn: &Conn, jurisdiction: JurisdictionId) -> Result<Vec<(String, PostCode)>> {
    conn.rows(
        "SELECT a.login, h.post_code
         FROM holding AS h
         JOIN account AS a ON a.jurisdiction_id = h.jurisdiction_id AND a.account_id = h.account_id
         WHERE h.jurisdiction_id = $1 AND a.disabled_at IS NULL
         ORDER BY h.post_code, a.login",
        params![jurisdiction.0],
        |row| Ok((row.text(0)?.to_owned(), row.parsed(1)?)),
    )
}

/// What befalls an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It may not sign in any more; its sessions, its devices, its passkeys and what it is linked to end.
    Disable,
    /// It may sign in again.
    Enable,
    /// Its sessions end, and its devices are told nothing any more.
    SignOut,
}

/// Changes an account. Who takes its sessions from it takes the address of its calendar, too: that may have been found with
/// them. Answers whether there is one.
pub fn change(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    login: &str,
    change: Change,
    now: Timestamp,
) -> Result<bool> {
    // One that is disabled twice has been since the first time.
    let known = tx.exec(
        "UPDATE account
         SET disabled_at = CASE WHEN $3 = 'enable' THEN NULL
                                WHEN $3 = 'disable' THEN COALESCE(disabled_at, $4)
                                ELSE disabled_at END,
             calendar = CASE WHEN $3 = 'enable' THEN calendar ELSE calendar + 1 END
         WHERE jurisdiction_id = $1 AND login = $2",
        params![jurisdiction.0, login, change.as_str(), now],
    )?;
    if change != Change::Enable {
        end_sessions(tx, jurisdiction, login)?;
        push::remove_all_of(tx, jurisdiction, login)?;
    }
    if change == Change::Disable {
        end_other_ways(tx, jurisdiction, login)?;
    }
    Ok(known == 1)
}

impl Change {
    /// The word in the address of a form and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::SignOut => "sign-out",
        }
    }
}

/// Sets a new password, and ends the account's sessions, its devices and the address of its calendar. Answers whether there was one.
pub fn set_password(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    login: &str,
    password: &str,
) -> Result<bool> {
    let changed = tx.exec(
        "UPDATE account
         SET password = $3, calendar = calendar + 1
         WHERE jurisdiction_id = $1 AND login = $2",
        params![jurisdiction.0, login, password],
    )?;
    end_sessions(tx, jurisdiction, login)?;
    push::remove_all_of(tx, jurisdiction, login)?;
    Ok(changed == 1)
}

/// Ends every session of an account.
fn end_sessions(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, login: &str) -> Result<()> {
    tx.exec(
        "DELETE FROM session
         WHERE jurisdiction_id = $1
           AND account_id IN (SELECT account_id FROM account WHERE jurisdiction_id = $1 AND login = $2)",
        params![jurisdiction.0, login],
    )?;
    Ok(())
}

/// Ends the ways to sign in of an account but its password: its passkeys and what it is linked to.
fn end_other_ways(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, login: &str) -> Result<()> {
    tx.exec(
        "DELETE FROM passkey
         WHERE jurisdiction_id = $1
           AND account_id IN (SELECT account_id FROM account WHERE jurisdiction_id = $1 AND login = $2)",
        params![jurisdiction.0, login],
    )?;
    tx.exec(
        "DELETE FROM account_link
         WHERE jurisdiction_id = $1
           AND account_id IN (SELECT account_id FROM account WHERE jurisdiction_id = $1 AND login = $2)",
        params![jurisdiction.0, login],
    )?;
    Ok(())
}

/// A session that is opened.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The hash of its token.
    pub token_hash: Hash,
    /// Whose it is.
    pub account: i64,
    /// The post it acts for first.
    pub post: PostCode,
    /// Whether more than a password was shown.
    pub is_strong: bool,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Opens a session.
pub fn open_session(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    session: &NewSession,
    now: Timestamp,
) -> Result<()> {
    tx.queue(
        "INSERT INTO session (jurisdiction_id, token_hash, account_id, post_code, created_at, expires_at, is_strong)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            jurisdiction.0,
            session.token_hash,
            session.account,
            session.post.as_str(),
            now,
            session.expires_at,
            session.is_strong
        ],
    )
}

/// Notes that more than a password was shown in a session.
pub fn strengthen_session(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, token_hash: &Hash) -> Result<()> {
    tx.queue(
        "UPDATE session
         SET is_strong = $3
         WHERE jurisdiction_id = $1 AND token_hash = $2",
        params![jurisdiction.0, *token_hash, true],
    )
}

/// Forgets what was shown besides passwords in the sessions of an account.
pub fn weaken_sessions(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, account: i64) -> Result<()> {
    tx.queue(
        "UPDATE session
         SET is_strong = $3
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account, false],
    )
}

/// The session of a token, if it has not ended and its account still holds the post; with all posts that it holds.
pub fn session(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    token_hash: &Hash,
    now: Timestamp,
) -> Result<Option<Session>> {
    let mut session = None::<Session>;
    conn.each(
        "SELECT s.account_id, a.login, s.post_code, COALESCE(s.seen_at, s.created_at), s.expires_at,
                (SELECT COUNT(*)
                 FROM second_factor AS f
                 WHERE f.jurisdiction_id = s.jurisdiction_id AND f.account_id = s.account_id
                   AND f.confirmed_at IS NOT NULL),
                h.post_code AS held, a.password, s.is_strong, s.created_at
         FROM session AS s
         JOIN account AS a ON a.jurisdiction_id = s.jurisdiction_id AND a.account_id = s.account_id
         JOIN holding AS h ON h.jurisdiction_id = s.jurisdiction_id AND h.account_id = s.account_id
         WHERE s.jurisdiction_id = $1 AND s.token_hash = $2 AND s.expires_at > $3 AND a.disabled_at IS NULL
         ORDER BY h.post_code",
        params![jurisdiction.0, *token_hash, now],
        |row| {
            let held = row.parsed(6)?;
            if let Some(session) = &mut session {
                session.posts.push(held);
                return Ok(());
            }
            session = Some(Session {
                account: row.int(0)?,
                login: row.text(1)?.to_owned(),
                post: row.parsed(2)?,
                posts: vec![held],
                seen_at: row.time(3)?,
                expires_at: row.time(4)?,
                second_factor: row.int(5)? == 1,
                password_once: row.text(7)?.starts_with(ONCE),
                is_strong: row.bool(8)?,
                created_at: row.time(9)?,
            });
            Ok(())
        },
    )?;
    Ok(session.filter(|session| session.posts.contains(&session.post)))
}

/// Notes that a session was used.
pub fn see_session(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    token_hash: &Hash,
    now: Timestamp,
) -> Result<()> {
    tx.queue(
        "UPDATE session
         SET seen_at = $3
         WHERE jurisdiction_id = $1 AND token_hash = $2",
        params![jurisdiction.0, *token_hash, now],
    )
}

/// The open sessions of an account, the one that was used last first.
pub fn own_sessions(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    account: i64,
    now: Timestamp,
) -> Result<Vec<OwnSession>> {
    conn.rows(
        "SELECT token_hash, post_code, created_at, COALESCE(seen_at, created_at)
         FROM session
         WHERE jurisdiction_id = $1 AND account_id = $2 AND expires_at > $3
         ORDER BY COALESCE(seen_at, created_at) DESC
         LIMIT 100",
        params![jurisdiction.0, account, now],
        |row| {
            Ok(OwnSession {
                token_hash: hash_at(row, 0)?,
                post: row.parsed(1)?,
                created_at: row.time(2)?,
                seen_at: row.time(3)?,
            })
        },
    )
}

/// Ends a session if it is this account's.
pub fn close_own_session(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    account: i64,
    token_hash: &Hash,
) -> Result<()> {
    tx.queue(
        "DELETE FROM session
         WHERE jurisdiction_id = $1 AND token_hash = $3 AND account_id = $2",
        params![jurisdiction.0, account, *token_hash],
    )
}

/// Sets a new password of an account, if it still has the old one, and ends its sessions but one, and its devices. Answers whether
/// it did.
pub fn change_password(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    account: i64,
    (old, new): (&str, &str),
    stays: &Hash,
) -> Result<bool> {
    let changed = tx.exec(
        "UPDATE account
         SET password = $4
         WHERE jurisdiction_id = $1 AND account_id = $2 AND password = $3",
        params![jurisdiction.0, account, old, new],
    )?;
    if changed == 1 {
        end_other_sessions(tx, jurisdiction, account, stays)?;
        push::remove_all(tx, jurisdiction, account)?;
    }
    Ok(changed == 1)
}

/// Ends the sessions of an account but one.
pub fn end_other_sessions(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    account: i64,
    stays: &Hash,
) -> Result<()> {
    tx.queue(
        "DELETE FROM session
         WHERE jurisdiction_id = $1 AND account_id = $2 AND token_hash <> $3",
        params![jurisdiction.0, account, *stays],
    )
}

/// Ends all sessions of an account, and its devices.
pub fn end_all_sessions(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, account: i64) -> Result<()> {
    push::remove_all(tx, jurisdiction, account)?;
    tx.queue(
        "DELETE FROM session
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account],
    )
}

/// Lets a session act for another post that its account holds. Answers whether it does now.
pub fn change_post(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    token_hash: &Hash,
    post: &PostCode,
) -> Result<bool> {
    let changed = tx.exec(
        "UPDATE session
         SET post_code = $3
         WHERE jurisdiction_id = $1 AND token_hash = $2
           AND EXISTS (SELECT 1
                       FROM holding AS h
                       WHERE h.jurisdiction_id = session.jurisdiction_id
                         AND h.account_id = session.account_id AND h.post_code = $3)",
        params![jurisdiction.0, *token_hash, post.as_str()],
    )?;
    Ok(changed == 1)
}

/// Ends a session.
pub fn close_session(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, token_hash: &Hash) -> Result<()> {
    tx.exec(
        "DELETE FROM session
         WHERE jurisdiction_id = $1 AND token_hash = $2",
        params![jurisdiction.0, *token_hash],
    )?;
    Ok(())
}

/// Counts a try to sign in under a hash, of a name or of a name and an address, before it is known whether it succeeds; tries
/// that began before `window` ago are forgotten, and so are those of a clock that was far ahead. Answers how many there were
/// with this one, and when the first was.
pub fn try_sign_in(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    tried: &Hash,
    now: Timestamp,
    window: SignedDuration,
) -> Result<(u32, Timestamp)> {
    tx.row(
        "INSERT INTO sign_in_try (jurisdiction_id, login_hash, tries, since)
         VALUES ($1, $2, 1, $3)
         ON CONFLICT (jurisdiction_id, login_hash)
         DO UPDATE SET
             tries = CASE WHEN sign_in_try.since BETWEEN $4 AND $5 THEN sign_in_try.tries + 1 ELSE 1 END,
             since = CASE WHEN sign_in_try.since BETWEEN $4 AND $5 THEN sign_in_try.since ELSE $3 END
         RETURNING tries, since",
        params![jurisdiction.0, *tried, now, now - window, now + window],
        |row| Ok((row.int(0)? as u32, row.time(1)?)),
    )
}

/// Forgets the tries under a hash: one succeeded.
pub fn forget_tries(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, tried: &Hash) -> Result<()> {
    tx.queue(
        "DELETE FROM sign_in_try
         WHERE jurisdiction_id = $1 AND login_hash = $2",
        params![jurisdiction.0, *tried],
    )
}

/// Takes one try back that succeeded; those before it stand.
pub fn take_back_try(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, tried: &Hash) -> Result<()> {
    tx.queue(
        "UPDATE sign_in_try
         SET tries = tries - 1
         WHERE jurisdiction_id = $1 AND login_hash = $2 AND tries > 0",
        params![jurisdiction.0, *tried],
    )
}

/// Forgets tries that began before a time, at most `most`.
pub fn forget_old_tries(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    before: Timestamp,
    most: usize,
) -> Result<u64> {
    tx.exec(
        "DELETE FROM sign_in_try
         WHERE jurisdiction_id = $1
           AND login_hash IN (SELECT login_hash FROM sign_in_try WHERE jurisdiction_id = $1 AND since < $2 LIMIT $3)",
        params![jurisdiction.0, before, most as i64],
    )
}

/// Forgets sessions that ended before a time, at most `most`.
pub fn forget_old_sessions(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    before: Timestamp,
    most: usize,
) -> Result<u64> {
    tx.exec(
        "DELETE FROM session
         WHERE jurisdiction_id = $1
           AND token_hash IN (SELECT token_hash FROM session WHERE jurisdiction_id = $1 AND expires_at < $2 LIMIT $3)",
        params![jurisdiction.0, before, most as i64],
    )
}

/// Adds an API key.
pub fn add_key(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    key_hash: &Hash,
    name: &str,
    scopes: &[Scope],
    now: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<i64> {
    let id = tx.next_id(jurisdiction.0, "api_key")?;
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    tx.exec(
        "INSERT INTO api_key (jurisdiction_id, key_id, key_hash, name, scopes, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            jurisdiction.0,
            id,
            *key_hash,
            name,
            scopes.join(" ").as_str(),
            now,
            expires_at
        ],
    )?;
    Ok(id)
}

/// The scopes of a row. One that this program does not know was given by a newer one, and is none here.
fn scopes(text: &str) -> Vec<Scope> {
    text.split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
}

/// The number of a key that is good now, and what it may do.
pub fn key(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    key_hash: &Hash,
    now: Timestamp,
) -> Result<Option<(i64, Vec<Scope>)>> {
    conn.row_optional(
        "SELECT key_id, scopes
         FROM api_key
         WHERE jurisdiction_id = $1 AND key_hash = $2 AND revoked_at IS NULL
           AND (expires_at IS NULL OR expires_at > $3)",
        params![jurisdiction.0, *key_hash, now],
        |row| Ok((row.int(0)?, scopes(row.text(1)?))),
    )
}

/// All keys, the newest first.
pub fn keys(conn: &Conn, jurisdiction: JurisdictionId) -> Result<Vec<Key>> {
    conn.rows(
        "SELECT key_id, name, scopes, created_at, expires_at, revoked_at
         FROM api_key
         WHERE jurisdiction_id = $1
         ORDER BY key_id DESC",
        params![jurisdiction.0],
        |row| {
            Ok(Key {
                id: row.int(0)?,
                name: row.text(1)?.to_owned(),
                scopes: scopes(row.text(2)?),
                created_at: row.time(3)?,
                expires_at: row.time_opt(4)?,
                revoked_at: row.time_opt(5)?,
            })
        },
    )
}

/// Revokes a key. Answers whether there was one in force.
pub fn revoke_key(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, id: i64, now: Timestamp) -> Result<bool> {
    let changed = tx.exec(
        "UPDATE api_key
         SET revoked_at = $3
         WHERE jurisdiction_id = $1 AND key_id = $2 AND revoked_at IS NULL",
        params![jurisdiction.0, id, now],
    )?;
    Ok(changed == 1)
}

/// Whether an error says that a login is taken.
pub fn is_taken(error: &Error) -> bool {
    matches!(error, Error::Conflict { .. })
}
