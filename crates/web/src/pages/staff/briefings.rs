//! Writing a briefing: all issues, a draft to read, and issuing what was read.

use askama::Template;
use axum::{
    extract::Query as Asked,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::ToSpan as _;
use whistle_domain::{rights, words::Lang};
use whistle_service::{
    Error,
    briefing::{self, Wanted},
    list::Viewer,
};

use super::session::{Staff, StaffForm};
use crate::{
    pages::{
        briefings::{Lines, STAFF, shown},
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
    /// Why the template of the place could not be written.
    failed: String,
    issues: Lines,
}

#[derive(Template)]
#[template(path = "staff/briefing_draft.html")]
struct DraftPage<'a> {
    p: &'a Page,
    may_issue: bool,
    /// Whether the one that was read is not kept any more, so that this one must be read first.
    anew: bool,
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
    show(
        &staff,
        &Entered::new(asked),
        &Wrongs::default(),
        String::new(),
        StatusCode::OK,
    )
    .await
}

async fn show(
    staff: &Staff,
    asked: &Entered,
    wrongs: &Wrongs,
    failed: String,
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
            languages: Lang::ALL
                .into_iter()
                .filter(|lang| page.here.briefing.speaks(*lang))
                .map(language)
                .collect(),
            failed,
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
    show(staff, asked, &wrongs, String::new(), status).await
}

/// A template that asks for what is not there is told above the form.
async fn failed(staff: &Staff, asked: &Entered, error: Error) -> Result<Response, Fault> {
    match error {
        Error::Invalid { ref what, .. } => {
            let message = staff.page.x("briefing-failed", what);
            show(staff, asked, &Wrongs::default(), message, status_of(&error)).await
        }
        error => Err(error.into()),
    }
}

async fn draft_page(staff: &Staff, asked: &Entered, wanted: Wanted, anew: bool) -> Result<Response, Fault> {
    let page = &staff.page;
    // Only an address that was set is printed for good; what the browser calls this place may be another one's name.
    let base = page.app.settings.base_url.clone().unwrap_or_default();
    let drafted = page
        .app
        .whistle
        .draft_briefing(&page.here, staff.actor(), wanted, base)
        .await;
    let document = match drafted {
        Ok(document) => document,
        Err(error) => return failed(staff, asked, error).await,
    };
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
        anew,
        fields,
        public: wanted.public,
        numbers: document.numbers.len() as i64,
        typed: document.typed.len() as i64,
        marked: marked.count() as i64,
        left_out: document.left_out.len() as i64,
        body: shown(document),
        p: page,
    })
}

/// A briefing as it would be issued.
pub(crate) async fn draft(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    match wanted(&staff.page, &asked) {
        Ok(wanted) => draft_page(&staff, &asked, wanted, false).await,
        Err(wrong) => refused(&staff, &asked, wrong, StatusCode::BAD_REQUEST).await,
    }
}

/// Issues what was read. Where it is not kept here any more, it is written anew, to be read first.
pub(crate) async fn issue(StaffForm { staff, posted }: StaffForm) -> Result<Response, Fault> {
    let page = &staff.page;
    let asked = &posted.fields;
    let wanted = match wanted(page, asked) {
        Ok(wanted) => wanted,
        Err(wrong) => return refused(&staff, asked, wrong, StatusCode::BAD_REQUEST).await,
    };
    let (whistle, by) = (&page.app.whistle, staff.actor());
    let said = asked.get("said").to_owned();
    match whistle.issue_draft(&page.here, by, wanted, said).await {
        Ok(id) => Ok(Redirect::to(&format!("{STAFF}/{id}")).into_response()),
        Err(Error::NotFound { .. }) => draft_page(&staff, asked, wanted, true).await,
        Err(error) => Err(error.into()),
    }
}
