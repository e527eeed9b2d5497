//! The place, for who keeps the whole of it: its versions, and files that are sent, looked at and put in force.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{FromRequest, FromRequestParts, Multipart, Query as Asked, Request},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use whistle_domain::rights;
use whistle_service::{
    Error,
    place::{Drafted, MAX_FILE_BYTES, Plan, VERSIONS_AT_ONCE, Version},
};

use super::session::{Staff, StaffForm};
use crate::{
    App,
    pages::{
        fault::Fault,
        form::{Entered, Wrongs, unreadable, whole, with_query},
        page::Page,
        show::Moment,
    },
    status::status_of,
};

/// The most files that are sent together: every file of a place but its texts, and some of these.
const MAX_FILES: usize = 60;

/// Lines of a plan that a page shows; the rest is counted.
const MAX_LINES: usize = 500;

/// Something that is odd or wrong, in the words of the command line.
struct Lines {
    title: &'static str,
    shown: Vec<String>,
    more: i64,
    all: usize,
}

impl Lines {
    fn of<T: ToString>(title: &'static str, all: &[T]) -> Self {
        Self {
            title,
            shown: all.iter().take(MAX_LINES).map(ToString::to_string).collect(),
            more: all.len().saturating_sub(MAX_LINES) as i64,
            all: all.len(),
        }
    }
}

struct DraftShown {
    files: Vec<String>,
    hash: String,
    version: i64,
    changes: Lines,
    /// What is odd about it.
    odd: Vec<Lines>,
    may_apply: bool,
}

struct VersionLine {
    version: u32,
    applied: Moment,
    in_force: bool,
}

#[derive(Template)]
#[template(path = "staff/place.html")]
struct PlacePage<'a> {
    p: &'a Page,
    w: &'a Wrongs,
    done: Option<String>,
    draft: Option<DraftShown>,
    /// Why what was sent cannot be put in force.
    faults: Option<Lines>,
    versions: Vec<VersionLine>,
    next: Option<String>,
}

fn odd(plan: &Plan) -> Vec<Lines> {
    let mut odd = vec![
        Lines::of("place-warnings", &plan.warnings),
        Lines::of("place-open-links", &plan.open_links),
        Lines::of("place-uncleared", &plan.uncleared),
        Lines::of("place-unseen", &plan.unseen_services),
        Lines::of("place-unreached", &plan.unreached),
    ];
    odd.retain(|lines| !lines.shown.is_empty());
    odd
}

impl From<Drafted> for DraftShown {
    fn from(drafted: Drafted) -> Self {
        Self {
            files: drafted.paths,
            hash: drafted.hash,
            version: i64::from(drafted.plan.version),
            changes: Lines::of("place-changes", &drafted.plan.changes),
            odd: odd(&drafted.plan),
            may_apply: drafted.may_apply,
        }
    }
}

pub(crate) async fn show(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    let done = asked
        .some("applied")
        .and_then(|version| version.parse().ok())
        .map(|version| staff.page.n("place-applied", &version));
    let before = asked.some("before").and_then(|version| version.parse().ok());
    show_all(&staff, before, done, &Wrongs::default(), StatusCode::OK).await
}

async fn show_all(
    staff: &Staff,
    before: Option<u32>,
    done: Option<String>,
    w: &Wrongs,
    status: StatusCode,
) -> Result<Response, Fault> {
    let page = &staff.page;
    let (whistle, here) = (&page.app.whistle, &page.here);
    let mut versions = whistle.versions(here, staff.actor(), before).await?;
    let more = versions.len() > VERSIONS_AT_ONCE;
    versions.truncate(VERSIONS_AT_ONCE);
    let next = versions.last().filter(|_| more).map(|last| {
        let before = ("before".to_owned(), last.version.to_string());
        with_query("/staff/place", &[before])
    });
    let (draft, faults) = match whistle.drafted(here, &staff.signed).await {
        Ok(draft) => (draft.map(DraftShown::from), None),
        Err(error) => match faults_of(&error) {
            Some(faults) => (None, Some(faults)),
            None => return Err(error.into()),
        },
    };
    let line = |one: Version| VersionLine {
        version: one.version,
        applied: page.moment(one.applied_at),
        in_force: one.version == here.place.version,
    };
    page.render_as(
        status,
        &PlacePage {
            p: page,
            w,
            done,
            draft,
            faults,
            versions: versions.into_iter().map(line).collect(),
            next,
        },
    )
}

/// What is wrong with a folder, line by line; none where it is no such error.
fn faults_of(error: &Error) -> Option<Lines> {
    match error {
        Error::Faults(faults) => {
            let mut lines = Lines::of("place-faults", faults.list());
            lines.more += faults.left_out() as i64;
            lines.all += faults.left_out();
            Some(lines)
        }
        Error::Invalid { what, .. } => Some(Lines::of("place-faults", &[what])),
        _ => None,
    }
}

/// The files of a form, and its token.
pub(crate) struct Sent {
    staff: Staff,
    files: BTreeMap<String, Vec<u8>>,
}

impl FromRequest<App> for Sent {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        let (mut parts, body) = request.into_parts();
        let staff = Staff::from_request_parts(&mut parts, app).await?;
        // Before anything large is read.
        if !rights::may_keep_place(staff.actor(), &staff.page.here.place) {
            return Err(Error::Forbidden.into());
        }
        let form = Multipart::from_request(Request::from_parts(parts, body), app).await;
        let mut form = form.map_err(|error| unreadable(error.status()))?;
        let (mut files, mut is_own) = (BTreeMap::new(), false);
        while let Some(field) = form.next_field().await.map_err(|e| unreadable(e.status()))? {
            let name = field.file_name().map(str::to_owned);
            let bytes = whole(field, MAX_FILE_BYTES as usize)
                .await?
                .ok_or(Fault::TooLarge)?;
            match name {
                // The only field beside the files. It comes before them, so that who did not ask is not listened to.
                None => {
                    is_own = app
                        .whistle
                        .is_form_token(staff.token(), &String::from_utf8_lossy(&bytes));
                }
                Some(_) if !is_own => return Err(Fault::Forged),
                Some(name) if name.is_empty() => {}
                Some(name) => {
                    files.insert(name, bytes.to_vec());
                }
            }
            if files.len() > MAX_FILES {
                return Err(Fault::TooLarge);
            }
        }
        if is_own {
            Ok(Self { staff, files })
        } else {
            Err(Fault::Forged)
        }
    }
}

/// Keeps files that were sent, and shows what they would change.
pub(crate) async fn send(Sent { staff, files }: Sent) -> Result<Response, Fault> {
    let page = &staff.page;
    match page.app.whistle.draft(&page.here, &staff.signed, files).await {
        Ok(()) => Ok(Redirect::to("/staff/place").into_response()),
        Err(error @ (Error::Invalid { .. } | Error::Faults(_))) => {
            let mut wrongs = Wrongs::default();
            wrongs.add("files", page.x("place-wrong-files", &error.to_string()));
            show_all(&staff, None, None, &wrongs, status_of(&error)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Puts in force what was looked at.
pub(crate) async fn apply(StaffForm { staff, posted }: StaffForm) -> Result<Response, Fault> {
    let page = &staff.page;
    let hash = posted.fields.get("hash").to_owned();
    match page
        .app
        .whistle
        .apply_draft(&page.here, &staff.signed, hash)
        .await
    {
        Ok(applied) => {
            let version = ("applied".to_owned(), applied.plan.version.to_string());
            Ok(Redirect::to(&with_query("/staff/place", &[version])).into_response())
        }
        Err(error @ (Error::Invalid { .. } | Error::Faults(_))) => {
            let mut wrongs = Wrongs::default();
            wrongs.add("files", page.x("place-not-applied", &error.to_string()));
            show_all(&staff, None, None, &wrongs, status_of(&error)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Drops what was sent.
pub(crate) async fn discard(StaffForm { staff, .. }: StaffForm) -> Result<Response, Fault> {
    let page = &staff.page;
    page.app.whistle.drop_draft(&page.here, &staff.signed).await?;
    Ok(Redirect::to("/staff/place").into_response())
}
