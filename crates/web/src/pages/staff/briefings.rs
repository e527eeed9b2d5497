//! Writing a briefing: all issues, a draft to read, and issuing what was read.

use askama::Template;
use axum::{
    extract::Query as Asked,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::ToSpan as _;
use whistle_briefing::{document::Document, html};
use whistle_domain::{rights, words::Lang};
use whistle_service::{
    Error,
    briefing::{self, Issuing, Wanted},
    list::Viewer,
};

use super::session::{Staff, StaffForm};
use crate::{
    pages::{
        briefings::{Lines, STAFF},
        fault::Fault,
        figures::today,
        form::{Entered, Wrongs},
        page::Page,
        show::Choice,
    },
    status::status_of,
};

#[derive(Template)]
#[template(path = "staff/briefings.html")]
struct BriefingsPage<'a> {
    p: &'a Page,
    w: &'a Wrongs,
    /// Whether the post reads and writes briefings of the place.
    may_write: bool,
    from: String,
    to: String,
    languages: Vec<Choice>,
    public: bool,
    issues: Lines,
}

#[derive(Template)]
#[template(path = "staff/briefing_draft.html")]
struct DraftPage<'a> {
    p: &'a Page,
    may_issue: bool,
    /// Whether it says something else than what was read before.
    changed: bool,
    fields: Vec<(&'static str, String)>,
    public: bool,
    numbers: i64,
    typed: i64,
    marked: i64,
    left_out: i64,
    body: String,
}

/// All issues, and what a new one is asked for with.
pub(crate) async fn list(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    show(&staff, &Entered::new(asked), &Wrongs::default(), StatusCode::OK).await
}

async fn show(
    staff: &Staff,
    asked: &Entered,
    wrongs: &Wrongs,
    status: StatusCode,
) -> Result<Response, Fault> {
    let page = &staff.page;
    let last = today(page).first_of_month().saturating_sub(1.day());
    let or = |name: &str, day: jiff::civil::Date| asked.some(name).map_or(day.to_string(), str::to_owned);
    let chosen = asked.some("language").unwrap_or(page.lang().as_str());
    let language = |lang: Lang| Choice {
        value: lang.as_str().to_owned(),
        label: page.t(&format!("briefing-in-{}", lang.as_str())),
        chosen: chosen == lang.as_str(),
    };
    let issues = page.issues(STAFF, Viewer::Staff(staff.actor()), asked).await?;
    page.render_as(
        status,
        &BriefingsPage {
            w: wrongs,
            may_write: rights::may_read_briefings(staff.actor(), &page.here.place),
            from: or("from", last.first_of_month()),
            to: or("to", last),
            languages: Lang::ALL.map(language).into(),
            public: asked.has("public", "yes"),
            issues,
            p: page,
        },
    )
}

/// What is asked for, or the name of the field that is wrong, and why.
fn wanted(page: &Page, asked: &Entered) -> Result<Wanted, (&'static str, String)> {
    let day = |field: &'static str| {
        let day = asked.get(field).parse();
        day.map_err(|_| (field, page.t("briefing-wrong-day")))
    };
    let (from, to) = (day("from")?, day("to")?);
    let why = if to < from {
        "briefing-wrong-order"
    } else {
        "briefing-too-long"
    };
    let period = briefing::period(from, to).map_err(|_| ("to", page.t(why)))?;
    let lang = asked.get("language").parse();
    Ok(Wanted {
        period,
        lang: lang.map_err(|_| ("language", page.t("briefing-wrong-language")))?,
        public: asked.has("public", "yes"),
    })
}

/// The list with what is wrong with what was asked.
async fn refused(
    staff: &Staff,
    asked: &Entered,
    (field, message): (&'static str, String),
    status: StatusCode,
) -> Result<Response, Fault> {
    let mut wrongs = Wrongs::default();
    wrongs.add(field, message);
    show(staff, asked, &wrongs, status).await
}

/// A template that asks for what is not there, or a place that says nothing in a language, is told beside the form.
async fn failed(staff: &Staff, asked: &Entered, error: Error) -> Result<Response, Fault> {
    match error {
        Error::Invalid { ref what, .. } => {
            let message = staff.page.x("briefing-failed", what);
            refused(staff, asked, ("from", message), status_of(&error)).await
        }
        error => Err(error.into()),
    }
}

fn draft_page(staff: &Staff, wanted: Wanted, document: &Document, changed: bool) -> Result<Response, Fault> {
    let page = &staff.page;
    let marked = document.numbers.iter().filter(|cited| cited.was.is_some());
    let mut fields = vec![
        ("from", wanted.period.from.to_string()),
        ("to", wanted.period.to.to_string()),
        ("language", wanted.lang.as_str().to_owned()),
        ("said", document.said_hash()),
    ];
    if wanted.public {
        fields.push(("public", "yes".to_owned()));
    }
    page.render(&DraftPage {
        may_issue: rights::may_issue_briefings(staff.actor(), &page.here.place),
        changed,
        fields,
        public: wanted.public,
        numbers: document.numbers.len() as i64,
        typed: document.typed.len() as i64,
        marked: marked.count() as i64,
        left_out: document.left_out.len() as i64,
        body: html::body(document),
        p: page,
    })
}

/// A briefing as it would be issued.
pub(crate) async fn draft(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    let page = &staff.page;
    let wanted = match wanted(page, &asked) {
        Ok(wanted) => wanted,
        Err(wrong) => return refused(&staff, &asked, wrong, StatusCode::BAD_REQUEST).await,
    };
    let whistle = &page.app.whistle;
    match whistle
        .draft_briefing(&page.here, staff.actor(), wanted, page.base())
        .await
    {
        Ok(document) => draft_page(&staff, wanted, &document, false),
        Err(error) => failed(&staff, &asked, error).await,
    }
}

/// Issues what was read; shown once more where it says something else by now.
pub(crate) async fn issue(StaffForm { staff, posted }: StaffForm) -> Result<Response, Fault> {
    let page = &staff.page;
    let asked = &posted.fields;
    let wanted = match wanted(page, asked) {
        Ok(wanted) => wanted,
        Err(wrong) => return refused(&staff, asked, wrong, StatusCode::BAD_REQUEST).await,
    };
    let (whistle, by) = (&page.app.whistle, staff.actor());
    let said = asked.get("said");
    match whistle
        .issue_read_briefing(&page.here, by, wanted, page.base(), said)
        .await
    {
        Ok(Issuing::Issued(id)) => Ok(Redirect::to(&format!("{STAFF}/{id}")).into_response()),
        Ok(Issuing::Changed(document)) => draft_page(&staff, wanted, &document, true),
        Err(error) => failed(&staff, asked, error).await,
    }
}
