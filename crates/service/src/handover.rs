//! Handovers: what one holder of a post tells the next, beside the cases themselves.

use jiff::SignedDuration;
use whistle_domain::{case::Actor, words::PostCode};
use whistle_store::handover as stored;

use crate::{
    Whistle,
    error::{Error, Result},
    place::Here,
};

pub use whistle_store::handover::Handover;

/// The most letters of a note: a page, not a file.
pub const MAX_NOTE: usize = 2000;

/// How long a note is kept: it tells of what is at hand.
pub(crate) const NOTES_KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);

/// How many notes are shown; older ones were read by those whom they concerned.
const SHOWN: usize = 10;

impl Whistle {
    /// Keeps a note for the next holder of the actor's post. It belongs to the post and to the account that wrote it.
    pub async fn hand_over(&self, here: &Here, by: &Actor, note: &str) -> Result<()> {
        let Actor::Post { post, account, .. } = by else {
            return Err(Error::Forbidden);
        };
        let note = note.trim();
        if note.is_empty() || note.chars().count() > MAX_NOTE {
            return Err(Error::invalid(
                "note",
                format!("write what the next one must know, in at most {MAX_NOTE} letters"),
            ));
        }
        // Control characters are what no database takes.
        let unfit = |c: char| c < ' ' && !matches!(c, '\n' | '\r' | '\t');
        let note = note.replace(unfit, "");
        let (id, now, post, account) = (here.id, self.clock.now(), post.clone(), *account);
        self.store
            .write(move |tx| -> Result<()> { Ok(stored::keep(tx, id, &post, account, &note, now)?) })
            .await
    }

    /// The last notes of a post, the newest first.
    pub async fn handovers(&self, here: &Here, post: &PostCode) -> Result<Vec<Handover>> {
        let (id, post) = (here.id, post.clone());
        Ok(self
            .store
            .look_up(move |conn| stored::last(conn, id, &post, SHOWN))
            .await?)
    }
}
