//! Briefings: written from the place's template and its evidence, issued, kept, compared.

use std::sync::Arc;

use jiff::civil::Date;
use whistle_briefing::{
    compare::{self, Difference},
    document::Document,
    evidence::{Evidence, Period},
};
use whistle_domain::{
    case::Actor,
    rights,
    words::{JurisdictionId, Lang, PostCode},
};
use whistle_store::{
    Conn,
    briefing::{self as stored, Draft},
};

use crate::{
    Whistle, elsewhere,
    error::{Error, Result, allowed},
    list::Viewer,
    place::Here,
};

mod counted;
mod paper;

pub(crate) use counted::COUNTED;
pub use counted::Counted;
pub use paper::Paper;
pub use whistle_store::briefing::Issue;

/// Issues on a page.
pub const ISSUES_AT_ONCE: usize = 50;

/// How many issues a new briefing is compared with: two years of months.
const LOOKED_BACK: usize = 24;

/// The longest period, in days: a reader of ten years would rather read ten briefings.
const MAX_DAYS: i32 = 3_700;

/// A period that can be reported on.
pub fn period(from: Date, to: Date) -> Result<Period> {
    let days = (to - from).get_days();
    if days < 0 {
        return Err(Error::invalid(
            "to",
            format!("{to} is before {from}; name a later day"),
        ));
    }
    if days > MAX_DAYS {
        return Err(Error::invalid(
            "to",
            "is more than ten years after from; name an earlier day",
        ));
    }
    Ok(Period { from, to })
}

/// What briefing is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Over which days.
    pub period: Period,
    /// In which language.
    pub lang: Lang,
    /// Whether anybody may read it: figures of fewer than five are kept back then.
    pub public: bool,
}

/// Whether a viewer reads all issues, or those that are for everybody.
fn readable(here: &Here, viewer: Viewer<'_>) -> bool {
    match viewer {
        Viewer::Staff(actor) => rights::may_read_briefings(actor, &here.place),
        Viewer::Public => false,
    }
}

impl Whistle {
    /// A briefing to read before it is issued, for who may read those of the place. It is kept for a day, for [`Self::issue_draft`].
    pub async fn draft_briefing(
        &self,
        here: &Here,
        by: &Actor,
        wanted: Wanted,
        base: String,
    ) -> Result<Document> {
        allowed(rights::may_read_briefings(by, &here.place))?;
        let (whistle, here) = (self.clone(), here.clone());
        self.one_at_a_time(move || {
            let evidence = Arc::new(Counted::of(&whistle, &here, wanted.public)?);
            let document = whistle.briefing(&here, evidence, wanted, &base)?;
            whistle.keep_draft(&here, wanted, &document)?;
            Ok(document)
        })
        .await
    }

    /// Issues a draft as it was read. `said` is its [`Document::said_hash`]. Sent twice, it is issued once. A draft that is not kept
    /// any more, or that another process keeps, is not found: then it must be read anew.
    pub async fn issue_draft(&self, here: &Here, by: &Actor, wanted: Wanted, said: String) -> Result<i64> {
        allowed(rights::may_issue_briefings(by, &here.place))?;
        let Actor::Post { post, .. } = by else {
            return Err(Error::Forbidden);
        };
        let (whistle, here, post) = (self.clone(), here.clone(), post.clone());
        self.one_at_a_time(move || {
            let document = whistle.kept_draft(&here, wanted, &said)?;
            let newest = whistle.store.examine(|conn| -> Result<_> {
                let all = issued(conn, here.id, wanted.lang, wanted.public)?;
                Ok(all.into_iter().next())
            })?;
            match newest {
                Some((id, newest)) if newest.said_hash() == said => Ok(id),
                _ => whistle.issue_briefing(&here, &document, Some(&post), wanted.public),
            }
        })
        .await
    }

    /// Runs what takes a core for seconds, after whatever else does. It keeps its turn until it is done, also when nobody waits for it any
    /// more.
    async fn one_at_a_time<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = self.pressing.clone().acquire_owned().await;
        elsewhere(move || {
            let _turn = turn;
            work()
        })
        .await?
    }

    /// Issues that a viewer may read, with a number below `before`, the newest first.
    pub async fn readable_briefings(
        &self,
        here: &Here,
        viewer: Viewer<'_>,
        before: Option<i64>,
    ) -> Result<Vec<Issue>> {
        let (whistle, of, all) = (self.clone(), here.clone(), readable(here, viewer));
        elsewhere(move || whistle.briefings(&of, all, before)).await?
    }

    /// An issue that a viewer may read, with what is made of its document. One that they may not read is not there for them.
    pub async fn readable_briefing<T: Send + 'static>(
        &self,
        here: &Here,
        viewer: Viewer<'_>,
        id: i64,
        make: impl FnOnce(Document) -> T + Send + 'static,
    ) -> Result<(Issue, T)> {
        let (whistle, of, all) = (self.clone(), here.clone(), readable(here, viewer));
        elsewhere(move || {
            whistle.issue(&of, all, id)?;
            let (issue, document) = whistle.issued_briefing(&of, id)?;
            Ok((issue, make(document)))
        })
        .await?
    }

    /// What a list tells of an issue that is for everybody, or of any.
    fn issue(&self, here: &Here, all: bool, id: i64) -> Result<Issue> {
        let found = self.store.examine(|conn| -> Result<_> {
            Ok(stored::list(conn, here.id, all, id.saturating_add(1), 1)?)
        })?;
        let mut found = found.into_iter().filter(|issue| issue.id == id);
        found
            .next()
            .ok_or_else(|| Error::not_found("briefing", id.to_string()))
    }

    /// The briefing of a period from the place's own template, or the one that ships. A number that was another one when it was last
    /// issued says so. `base` is the address that links lead to, or nothing.
    pub fn briefing(
        &self,
        here: &Here,
        evidence: Arc<dyn Evidence>,
        wanted: Wanted,
        base: &str,
    ) -> Result<Document> {
        let Wanted { period, lang, public } = wanted;
        let written = whistle_briefing::write(&here.briefing, evidence, lang, period, base);
        let mut document = written.map_err(|failed| Error::invalid("briefing", failed.to_string()))?;
        let issues = self.store.examine(|conn| issued(conn, here.id, lang, public))?;
        compare::mark(&mut document, issues.iter().map(|(id, document)| (*id, document)));
        Ok(document)
    }

    /// Keeps a briefing as an issue, for good. Without a post it is the operator's.
    pub fn issue_briefing(
        &self,
        here: &Here,
        document: &Document,
        post: Option<&PostCode>,
        public: bool,
    ) -> Result<i64> {
        let json = document.to_json();
        let draft = Draft {
            from: document.period.from,
            to: document.period.to,
            language: document.language.clone(),
            template_hash: document.template_hash.clone(),
            post: post.map(ToString::to_string).unwrap_or_default(),
            public,
            hash: document.hash(),
            document: json,
        };
        let (id, now) = (here.id, self.clock.now());
        self.store
            .write_blocking(move |tx| -> Result<i64> { Ok(stored::keep(tx, id, &draft, now)?) })
    }

    /// Issues below a number, the newest first; those that anybody may read, or all.
    pub fn briefings(&self, here: &Here, all: bool, before: Option<i64>) -> Result<Vec<Issue>> {
        let before = before.unwrap_or(i64::MAX);
        self.store
            .examine(|conn| Ok(stored::list(conn, here.id, all, before, ISSUES_AT_ONCE)?))
    }

    /// One issue with its document.
    pub fn issued_briefing(&self, here: &Here, id: i64) -> Result<(Issue, Document)> {
        let (issue, json) = self.issued_text(here, id)?;
        Ok((issue, read(id, &json)?))
    }

    /// One issue with its document as it was hashed.
    pub fn issued_text(&self, here: &Here, id: i64) -> Result<(Issue, String)> {
        self.store.examine(|conn| {
            let found = stored::one(conn, here.id, id)?;
            found.ok_or_else(|| Error::not_found("briefing", id.to_string()))
        })
    }

    /// The numbers that two issues do not share.
    pub fn compare_briefings(&self, here: &Here, old: i64, new: i64) -> Result<Vec<Difference>> {
        let (_, old) = self.issued_briefing(here, old)?;
        let (_, new) = self.issued_briefing(here, new)?;
        Ok(compare::compare(&old, &new))
    }
}

/// The last issues in a language for the same readers, the newest first. Of what is for the staff, nothing is said in what is for
/// everybody; and what was kept back there is no change here.
fn issued(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    lang: Lang,
    public: bool,
) -> Result<Vec<(i64, Document)>> {
    let mut issued = Vec::new();
    // In each language for each kind of readers as many.
    let most = 2 * LOOKED_BACK * Lang::ALL.len();
    for issue in stored::list(conn, jurisdiction, !public, i64::MAX, most)? {
        if issue.language == lang.as_str()
            && issue.public == public
            && issued.len() < LOOKED_BACK
            && let Some((_, json)) = stored::one(conn, jurisdiction, issue.id)?
        {
            issued.push((issue.id, read(issue.id, &json)?));
        }
    }
    Ok(issued)
}

/// An issue of a newer program may say what this one cannot read.
fn read(id: i64, json: &str) -> Result<Document> {
    serde_json::from_str(json).map_err(|error| {
        Error::invalid(
            "briefing",
            format!("issue {id} cannot be read by this program: {error}"),
        )
    })
}
