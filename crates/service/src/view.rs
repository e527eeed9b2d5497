//! Views of the queue that staff keep: a filter under a name, for oneself or for whoever holds the same post. A view is a filter and no
//! right: what it shows is what the post that looks may see.

use whistle_store::view as stored;

use crate::{
    Whistle,
    account::SignedIn,
    error::{Error, Result},
    place::Here,
};

pub use whistle_store::view::View;

/// The views that an account keeps, and those shared with a post: as many as one finds one's way among.
pub const MAX_VIEWS: usize = 20;

/// The letters of a name: a line beside the queue.
pub const MAX_NAME: usize = 40;

/// The bytes of a filter: all its fields with the longest codes.
const MAX_QUERY: usize = 1_000;

/// What is done to a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It gets another name.
    Rename(String),
    /// It goes.
    Remove,
    /// The account begins with it after signing in.
    BeginWith,
    /// The account begins with no view.
    BeginWithout,
}

impl Whistle {
    /// The views that somebody may use at their post: their own and those that are shared with it.
    pub async fn views(&self, here: &Here, by: &SignedIn) -> Result<Vec<View>> {
        let (id, account, post) = (here.id, by.account, by.post.code.clone());
        Ok(self
            .store
            .look_up(move |conn| stored::of(conn, id, account, &post, 2 * MAX_VIEWS))
            .await?)
    }

    /// Keeps a filter under a name; `shared`, for all who hold the post. Answers its number.
    pub async fn keep_view(
        &self,
        here: &Here,
        by: &SignedIn,
        name: &str,
        query: &str,
        shared: bool,
    ) -> Result<i64> {
        let name = good_name(name)?;
        if query.len() > MAX_QUERY {
            return Err(Error::invalid("view", "this filter is too long to be kept"));
        }
        let (id, now, account) = (here.id, self.clock.now(), by.account);
        let (post, query) = (by.post.code.clone(), query.to_owned());
        self.store
            .write(move |tx| -> Result<i64> {
                let there = stored::of(tx, id, account, &post, 2 * MAX_VIEWS)?;
                let (of_post, own): (Vec<_>, Vec<_>) = there.iter().partition(|view| view.post.is_some());
                if (if shared { of_post } else { own }).len() >= MAX_VIEWS {
                    let why = format!("{MAX_VIEWS} views are enough; remove one first");
                    return Err(Error::invalid("views", why));
                }
                let post = Some(&post).filter(|_| shared);
                Ok(stored::keep(tx, id, account, post, &name, &query, now)?)
            })
            .await
    }

    /// Changes a view that somebody may use at their post. One that is shared, whoever holds the post may rename and remove.
    pub async fn change_view(&self, here: &Here, by: &SignedIn, view: i64, change: Change) -> Result<()> {
        let change = match change {
            Change::Rename(name) => Change::Rename(good_name(&name)?),
            other => other,
        };
        let (id, account, post) = (here.id, by.account, by.post.code.clone());
        self.store
            .write(move |tx| -> Result<()> {
                let there = stored::of(tx, id, account, &post, 2 * MAX_VIEWS)?;
                if !there.iter().any(|one| one.id == view) {
                    return Err(Error::not_found("view", view));
                }
                match &change {
                    Change::Rename(name) => stored::rename(tx, id, view, name)?,
                    Change::Remove => stored::remove(tx, id, view)?,
                    Change::BeginWith => stored::begin_with(tx, id, account, Some(view))?,
                    Change::BeginWithout => stored::begin_with(tx, id, account, None)?,
                }
                Ok(())
            })
            .await
    }
}

fn good_name(name: &str) -> Result<String> {
    let name = name.trim();
    let fits = (1..=MAX_NAME).contains(&name.chars().count());
    if !fits || name.contains(|c: char| c.is_control()) {
        return Err(Error::invalid(
            "view",
            format!("give the view a name of at most {MAX_NAME} letters"),
        ));
    }
    Ok(name.to_owned())
}
