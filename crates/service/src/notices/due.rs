//! The calendar of what is due: cases of the units in which an account holds posts, for a program that has only a link.

use std::collections::HashSet;

use whistle_domain::case::Case;
use whistle_store::account as stored;

use crate::{
    Whistle,
    account::{SignedIn, actor_of},
    error::{Error, Result},
    list::{MAX_PAGE, Order, Query, Viewer},
    place::Here,
};

impl Whistle {
    /// The key of an account's calendar. It is good for as long as the account is in force, and until it takes a new one, is
    /// signed out by others, or gets a new password from them.
    pub async fn calendar_key(&self, here: &Here, account: i64) -> Result<String> {
        let id = here.id;
        let before = self
            .store
            .look_up(move |conn| stored::calendar(conn, id, account))
            .await?;
        let before = before.ok_or_else(|| Error::not_found("account", account))?;
        Ok(self.secret.calendar_key(id, account, before))
    }

    /// Takes a new key for the calendar of who is signed in; the one before is good no more.
    pub async fn renew_calendar(&self, here: &Here, by: &SignedIn) -> Result<()> {
        let (id, account) = (here.id, by.account);
        Ok(self
            .store
            .write(move |tx| stored::renew_calendar(tx, id, account))
            .await?)
    }

    /// The open cases of the units in which the account of a key holds posts now, what is due first before the rest; at most
    /// [`MAX_PAGE`] of each unit.
    pub async fn calendar(&self, here: &Here, key: &str) -> Result<Vec<Case>> {
        let id = here.id;
        let unknown = || Error::not_found("calendar", "key");
        let account: i64 = key
            .split_once('-')
            .and_then(|(account, _)| account.parse().ok())
            .ok_or_else(unknown)?;
        let (before, posts) = self
            .store
            .read(move |conn| -> Result<_> {
                let before = stored::calendar(conn, id, account)?;
                Ok((before, stored::posts(conn, id, account)?))
            })
            .await?;
        let is_its = |before| self.secret.is_calendar_key(id, account, before, key);
        if !before.is_some_and(is_its) {
            return Err(unknown());
        }
        let mut cases = Vec::new();
        let mut listed = HashSet::new();
        for code in posts {
            let Some(post) = here.place.post(code.as_str()) else {
                continue;
            };
            let query = Query {
                open: Some(true),
                lead: Some(post.unit.clone()),
                order: Order::Due,
                limit: MAX_PAGE,
                ..Query::default()
            };
            let actor = actor_of(post, account);
            // Two posts of one unit may be for different cases of it.
            let found = self.cases(here, &query, Viewer::Staff(&actor)).await?.items;
            cases.extend(found.into_iter().filter(|case| listed.insert(case.number)));
        }
        Ok(cases)
    }
}
