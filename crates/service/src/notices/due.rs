//! The calendar of what is due: cases of the units in which an account holds posts, for a program that has only a link.

use std::collections::HashSet;

use whistle_domain::case::Case;
use whistle_store::account as stored;

use crate::{
    Whistle,
    account::actor_of,
    error::{Error, Result},
    list::{MAX_PAGE, Order, Query, Viewer},
    place::Here,
};

impl Whistle {
    /// The key of an account's calendar. It is good for as long as the account is in force.
    pub fn calendar_key(&self, here: &Here, account: i64) -> String {
        self.secret.calendar_key(here.id, account)
    }

    /// The open cases of the units in which the account of a key holds posts now, what is due first before the rest; at most
    /// [`MAX_PAGE`] of each unit.
    pub async fn calendar(&self, here: &Here, key: &str) -> Result<Vec<Case>> {
        let id = here.id;
        let unknown = || Error::not_found("calendar", "key");
        let account = self.secret.account_of_calendar_key(id, key).ok_or_else(unknown)?;
        let posts = self
            .store
            .read(move |conn| -> Result<_> {
                let in_force = stored::is_in_force(conn, id, account)?;
                Ok(in_force.then_some(stored::posts(conn, id, account)?))
            })
            .await?
            .ok_or_else(unknown)?;
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
