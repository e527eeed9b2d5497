//! What administrators and operators did, for who keeps the whole place.

use askama::Template;
use axum::{extract::Query as Asked, response::Response};
use whistle_service::admin::{ACTS_AT_ONCE, Act, Before, Deed, Doer};

use super::session::Staff;
use crate::pages::{
    fault::Fault,
    form::{Entered, with_query},
    page::Page,
    show::Moment,
};

struct Line {
    at: Moment,
    who: String,
    post: String,
    what: String,
    subject: String,
    detail: String,
}

#[derive(Template)]
#[template(path = "staff/acts.html")]
struct ActsPage<'a> {
    p: &'a Page,
    lines: Vec<Line>,
    next: Option<String>,
}

pub(crate) async fn list(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let (page, asked) = (&staff.page, Entered::new(asked));
    let before = asked.some("before").and_then(read);
    let mut found = page
        .app
        .whistle
        .acts_for(&page.here, staff.actor(), before)
        .await?;
    let more = found.len() > ACTS_AT_ONCE;
    found.truncate(ACTS_AT_ONCE);
    let last = found.last().filter(|_| more);
    let next = last.map(|last| {
        let place = format!("{}.{}", last.at.as_microsecond(), last.id);
        with_query("/staff/acts", &[("before".to_owned(), place)])
    });
    page.render(&ActsPage {
        p: page,
        lines: found.into_iter().map(|act| line(page, act)).collect(),
        next,
    })
}

fn read(text: &str) -> Option<Before> {
    let (at, id) = text.split_once('.')?;
    Some(Before {
        at: at.parse().ok()?,
        id: id.parse().ok()?,
    })
}

fn line(page: &Page, act: Act) -> Line {
    let (who, post) = match act.by {
        Doer::Post { account, post } => (
            act.login.unwrap_or_else(|| account.to_string()),
            page.post_name(post.as_str()),
        ),
        Doer::Operator => (page.t("audit-operator"), String::new()),
        Doer::System => (page.t("audit-system"), String::new()),
    };
    // A newer program may have written one that this one has no words for.
    let known = Deed::ALL.into_iter().find(|deed| deed.as_str() == act.deed);
    Line {
        at: page.moment(act.at),
        who,
        post,
        what: if known.is_some() {
            page.words.of("admin-act", &act.deed)
        } else {
            act.deed
        },
        subject: act.subject,
        detail: match known {
            Some(deed) if deed.is_told_by_sums() => sums(page, act.detail),
            _ => act.detail,
        },
    }
}

/// The details of an act in words, where all of them are known.
fn sums(page: &Page, detail: String) -> String {
    let word = |part: &str| {
        let (sum, value) = part.split_once('=').unwrap_or((part, ""));
        Deed::SUMS
            .contains(&sum)
            .then(|| page.x(&format!("audit-detail-{sum}"), value))
    };
    let words: Option<Vec<String>> = detail.split_whitespace().map(word).collect();
    words.map_or(detail, |words| words.join(&page.t("audit-detail-and")))
}
