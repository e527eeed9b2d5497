//! Briefings that were issued: the list, one with its files, and what changed from one to another. The public reads those that are
//! for everybody; the staff's pages are the same with all of them.

use askama::Template;
use axum::{
    extract::{Path, Query as Asked, Request},
    response::Response,
    routing::get,
};
use whistle_briefing::{
    compare::{Difference, compare},
    document::Document,
    html,
};
use whistle_domain::words::Lang;
use whistle_figures::indicator::Period;
use whistle_service::{
    Error,
    briefing::{ISSUES_AT_ONCE, Issue, Paper},
    list::Viewer,
};

use super::{
    download,
    fault::Fault,
    form::{Entered, with_query},
    page::Page,
    show::{Choice, Moment},
    staff::Staff,
};
use crate::routes::Routes;

/// Differences that are written out; two briefings of different periods share hardly any number.
const MOST: usize = 1_000;

/// The public's pages.
const PUBLIC: &str = "/briefings";
/// The staff's.
pub(super) const STAFF: &str = "/staff/briefings";

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/briefings", get(list))
        .route("/briefings/{briefing}", get(one))
        .route("/briefings/{briefing}/changes", get(changes))
        .route("/briefings/{briefing}/file/{format}", get(file))
        .route("/staff/briefings/{briefing}", get(staff_one))
        .route("/staff/briefings/{briefing}/changes", get(staff_changes))
        .route("/staff/briefings/{briefing}/file/{format}", get(staff_file))
}

/// A line of the list.
pub(super) struct Line {
    pub(super) href: String,
    pub(super) id: i64,
    pub(super) period: String,
    pub(super) language: &'static str,
    pub(super) issued: Moment,
    pub(super) by: String,
    pub(super) public: bool,
    pub(super) hash: String,
}

/// The list with the way to older ones.
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    pub(super) older: Option<String>,
}

#[derive(Template)]
#[template(path = "briefings.html")]
struct ListPage<'a> {
    p: &'a Page,
    issues: Lines,
}

#[derive(Template)]
#[template(path = "briefing.html")]
struct IssuePage<'a> {
    p: &'a Page,
    root: &'static str,
    line: Line,
    title: String,
    files: Vec<(&'static str, String)>,
    /// Other issues to compare it with.
    others: Vec<Choice>,
    body: String,
}

struct Changed {
    label: String,
    of: String,
    old: String,
    new: String,
    key: String,
}

#[derive(Template)]
#[template(path = "briefing_changes.html")]
struct ChangesPage<'a> {
    p: &'a Page,
    root: &'static str,
    old: Line,
    new: Line,
    lines: Vec<Changed>,
    /// How many more there are.
    more: i64,
}

impl Page {
    fn issue(&self, root: &str, issue: Issue) -> Line {
        let period = Period::between(issue.from, issue.to);
        Line {
            href: format!("{root}/{}", issue.id),
            id: issue.id,
            period: period.map_or_else(|_| String::new(), |period| self.span(period)),
            language: if issue.language == Lang::Zh.as_str() {
                "中文"
            } else {
                "English"
            },
            issued: self.moment(issue.issued_at),
            by: if issue.post.is_empty() {
                self.t("briefing-by-operator")
            } else {
                self.post_name(&issue.post)
            },
            public: issue.public,
            hash: issue.hash,
        }
    }

    /// The issues that a viewer may read, from an older one on where the address says so.
    pub(super) async fn issues(
        &self,
        root: &'static str,
        viewer: Viewer<'_>,
        asked: &Entered,
    ) -> Result<Lines, Fault> {
        let before = asked.some("before").and_then(|text| text.parse().ok());
        let issues = self
            .app
            .whistle
            .readable_briefings(&self.here, viewer, before)
            .await?;
        let last = issues.last().map(|issue| issue.id);
        let older = last.filter(|_| issues.len() == ISSUES_AT_ONCE);
        Ok(Lines {
            older: older.map(|id| with_query(root, &[("before".to_owned(), id.to_string())])),
            lines: issues.into_iter().map(|issue| self.issue(root, issue)).collect(),
        })
    }

    async fn issue_page(&self, root: &'static str, viewer: Viewer<'_>, id: &str) -> Result<Response, Fault> {
        let whistle = &self.app.whistle;
        let of_document = |document: Document| (document.title.clone(), shown(document));
        let (issue, (title, body)) = whistle
            .readable_briefing(&self.here, viewer, number(id)?, of_document)
            .await?;
        let earlier = whistle
            .readable_briefings(&self.here, viewer, Some(issue.id))
            .await?;
        let others = earlier
            .into_iter()
            .filter(|other| other.language == issue.language);
        let choice = |other: Issue| {
            let line = self.issue(root, other);
            Choice {
                value: line.id.to_string(),
                label: format!("{} · {}", line.id, line.period),
                chosen: false,
            }
        };
        self.render(&IssuePage {
            root,
            title,
            files: Paper::ALL
                .map(|paper| {
                    (
                        paper.ending(),
                        format!("{root}/{}/file/{}", issue.id, paper.ending()),
                    )
                })
                .into(),
            others: others.map(choice).collect(),
            line: self.issue(root, issue),
            body,
            p: self,
        })
    }

    async fn changes_page(
        &self,
        root: &'static str,
        viewer: Viewer<'_>,
        id: &str,
        asked: Vec<(String, String)>,
    ) -> Result<Response, Fault> {
        let since = Entered::new(asked);
        let whistle = &self.app.whistle;
        let (old, earlier) = whistle
            .readable_briefing(&self.here, viewer, number(since.get("since"))?, |document| {
                document
            })
            .await?;
        let differences = move |document: Document| compare(&earlier, &document);
        let (new, differences) = whistle
            .readable_briefing(&self.here, viewer, number(id)?, differences)
            .await?;
        let absent = || "·".to_owned();
        let line = |it: Difference| Changed {
            label: it.label,
            of: it.of,
            old: it.old.unwrap_or_else(absent),
            new: it.new.unwrap_or_else(absent),
            key: it.key,
        };
        self.render(&ChangesPage {
            root,
            more: differences.len().saturating_sub(MOST) as i64,
            lines: differences.into_iter().take(MOST).map(line).collect(),
            old: self.issue(root, old),
            new: self.issue(root, new),
            p: self,
        })
    }

    async fn briefing_file(
        &self,
        viewer: Viewer<'_>,
        (id, format): (String, String),
        request: Request,
    ) -> Result<Response, Fault> {
        let mut papers = Paper::ALL.into_iter();
        let paper = papers
            .find(|paper| paper.ending() == format)
            .ok_or(Fault::NoSuchPage)?;
        let whistle = &self.app.whistle;
        let (issue, path) = whistle
            .briefing_file(&self.here, viewer, number(&id)?, paper)
            .await?;
        let readers = if issue.public { "" } else { "-internal" };
        let Issue {
            from, to, language, ..
        } = &issue;
        let name = format!(
            "briefing-{}{readers}-{from}-{to}-{language}.{}",
            issue.id,
            paper.ending()
        );
        let cached = "private, no-cache";
        Ok(download::file(&path, request, paper.media_type(), cached, &name).await)
    }
}

/// A document as part of a page of the server: its links stay on it, whatever it calls itself on paper.
pub(super) fn shown(document: Document) -> String {
    let document = Document {
        base: String::new(),
        ..document
    };
    html::body(&document)
}

fn number(id: &str) -> Result<i64, Error> {
    id.parse().map_err(|_| Error::NotFound {
        what: "briefing",
        id: id.to_owned(),
    })
}

type Pairs = Asked<Vec<(String, String)>>;

async fn list(page: Page, Asked(asked): Pairs) -> Result<Response, Fault> {
    let issues = page.issues(PUBLIC, Viewer::Public, &Entered::new(asked)).await?;
    page.render(&ListPage { p: &page, issues })
}

async fn one(page: Page, Path(id): Path<String>) -> Result<Response, Fault> {
    page.issue_page(PUBLIC, Viewer::Public, &id).await
}

async fn changes(page: Page, Path(id): Path<String>, Asked(asked): Pairs) -> Result<Response, Fault> {
    page.changes_page(PUBLIC, Viewer::Public, &id, asked).await
}

async fn file(page: Page, Path(path): Path<(String, String)>, request: Request) -> Result<Response, Fault> {
    page.briefing_file(Viewer::Public, path, request).await
}

async fn staff_one(staff: Staff, Path(id): Path<String>) -> Result<Response, Fault> {
    let viewer = Viewer::Staff(staff.actor());
    staff.page.issue_page(STAFF, viewer, &id).await
}

async fn staff_changes(staff: Staff, Path(id): Path<String>, Asked(asked): Pairs) -> Result<Response, Fault> {
    let viewer = Viewer::Staff(staff.actor());
    staff.page.changes_page(STAFF, viewer, &id, asked).await
}

async fn staff_file(
    staff: Staff,
    Path(path): Path<(String, String)>,
    request: Request,
) -> Result<Response, Fault> {
    let viewer = Viewer::Staff(staff.actor());
    staff.page.briefing_file(viewer, path, request).await
}
