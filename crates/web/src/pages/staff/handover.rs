//! The handover of a shift: what is open for a post now, and a note from one holder to the next. To be read or printed.

use askama::Template;
use axum::{
    extract::Query as Asked,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use whistle_domain::{
    case::{Case, Stage},
    rights,
    transition::Verb,
};
use whistle_service::{
    Error,
    handover::MAX_NOTE,
    list::{MAX_PAGE, Order, Query, Viewer},
    whistle,
};

use super::{
    session::{Staff, StaffForm},
    whistles::{Line as WhistleLine, line},
};
use crate::{
    pages::{
        fault::Fault,
        form::{Entered, Wrongs},
        page::Page,
        show::{Line, Moment},
    },
    status::status_of,
};

/// Cases of one group on the page; a shift that leaves more does not hand them over one by one.
const SHOWN: usize = 100;

struct Group {
    title: String,
    lines: Vec<Line>,
    /// How many more there are.
    more: usize,
}

/// Whistles that are not over.
struct Whistles {
    title: String,
    lines: Vec<WhistleLine>,
    /// Whether there are more.
    more: bool,
}

struct Note {
    at: Moment,
    by: String,
    text: String,
}

#[derive(Template)]
#[template(path = "staff/handover.html")]
struct HandoverPage<'a> {
    p: &'a Page,
    w: &'a Wrongs,
    entered: &'a str,
    most: usize,
    post: String,
    now: Moment,
    groups: Vec<Group>,
    whistles: Vec<Whistles>,
    /// Where not all open cases were looked through: how many were.
    first: Option<i64>,
    notes: Vec<Note>,
    kept: bool,
}

pub(crate) async fn handover(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let kept = Entered::new(asked).has("done", "yes");
    show(&staff, "", &Wrongs::default(), kept, StatusCode::OK).await
}

/// Keeps a note for the next holder.
pub(crate) async fn keep(StaffForm { staff, posted }: StaffForm) -> Result<Response, Fault> {
    let page = &staff.page;
    let note = posted.fields.get("note");
    match page.app.whistle.hand_over(&page.here, staff.actor(), note).await {
        Ok(()) => Ok(Redirect::to("/staff/handover?done=yes").into_response()),
        Err(error @ Error::Invalid { .. }) => {
            let mut wrongs = Wrongs::default();
            wrongs.add("note", page.words.error(&error));
            show(&staff, note, &wrongs, false, status_of(&error)).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn show(
    staff: &Staff,
    entered: &str,
    wrongs: &Wrongs,
    kept: bool,
    status: StatusCode,
) -> Result<Response, Fault> {
    let (page, post) = (&staff.page, &staff.signed.post);
    let sees_area = rights::sight(staff.actor(), &page.here.place).area.is_some();
    // Who answers for an area hands that over; a unit, what it leads or has a part in: its sight is just that.
    let query = Query {
        area: sees_area.then(|| page.here.place.areas.get(post.area).code.clone()),
        order: Order::Due,
        limit: MAX_PAGE,
        ..Query::default()
    };
    let service = &page.app.whistle;
    let found = service
        .cases(&page.here, &query, Viewer::Staff(staff.actor()))
        .await?;
    let mut groups = groups(staff, &found.items);
    if sees_area {
        groups.insert(0, asked_again(staff, &query).await?);
    }
    let notes = service.handovers(&page.here, &post.code).await?;
    let note = |note: whistle_service::handover::Handover| Note {
        at: page.moment(note.at),
        by: note.login.unwrap_or_else(|| note.account.to_string()),
        text: note.note,
    };
    let view = HandoverPage {
        p: page,
        w: wrongs,
        entered,
        most: MAX_NOTE,
        post: page.post_name(post.code.as_str()),
        now: page.moment(page.now),
        first: found.next.is_some().then_some(MAX_PAGE as i64),
        groups,
        whistles: whistles(staff, sees_area).await?,
        notes: notes.into_iter().map(note).collect(),
        kept,
    };
    page.render_as(status, &view)
}

/// The closed cases that somebody wants reopened, as far as this post decides that: nothing of them is due, so they are in
/// no list of what is.
async fn asked_again(staff: &Staff, open: &Query) -> Result<Group, Fault> {
    let page = &staff.page;
    let query = Query {
        stages: vec![Stage::ReopenRequested],
        order: Order::Updated,
        ..open.clone()
    };
    let found = page
        .app
        .whistle
        .cases(&page.here, &query, Viewer::Staff(staff.actor()))
        .await?;
    let decides = |case: &&Case| {
        let offered = page.offered(case, staff.actor());
        offered.iter().any(|line| line.verb == Verb::Reopen)
    };
    let waiting: Vec<&Case> = found.items.iter().filter(decides).collect();
    Ok(group(page, "tab-reopen", &waiting))
}

/// The whistles that are not over: of the post's area, and those by which its unit is called.
async fn whistles(staff: &Staff, sees_area: bool) -> Result<Vec<Whistles>, Fault> {
    let page = &staff.page;
    let mut all: Vec<Whistles> = Vec::new();
    for (tab, called) in [("area", false), ("called", true)] {
        if !called && !sees_area {
            continue;
        }
        let query = whistle::Query {
            called,
            limit: SHOWN,
            ..whistle::Query::default()
        };
        let found = page
            .app
            .whistle
            .whistles(&page.here, &query, staff.actor())
            .await?;
        let known: Vec<String> = all
            .iter()
            .flat_map(|group| &group.lines)
            .map(|line| line.number.clone())
            .collect();
        let lines = found.items.iter().map(|one| line(staff, one, called));
        let lines: Vec<WhistleLine> = lines.filter(|line| !known.contains(&line.number)).collect();
        if !lines.is_empty() {
            all.push(Whistles {
                title: page.words.of("handover-whistles", tab),
                lines,
                more: found.next.is_some(),
            });
        }
    }
    Ok(all)
}

fn group(page: &Page, title: &str, cases: &[&Case]) -> Group {
    let shown = cases.iter().take(SHOWN);
    Group {
        title: page.t(title),
        lines: shown.map(|case| page.staff_line(case)).collect(),
        more: cases.len().saturating_sub(SHOWN),
    }
}

/// Each case stands in the first group that it belongs to.
fn groups(staff: &Staff, cases: &[Case]) -> Vec<Group> {
    let page = &staff.page;
    let unit = &staff.signed.post.unit;
    let is_overdue = |case: &Case| {
        let clocks = case.clocks.all().iter();
        clocks
            .filter(|clock| clock.is_running())
            .any(|clock| clock.is_overdue(page.now))
    };
    let key = |case: &Case| {
        if is_overdue(case) {
            "handover-overdue"
        } else if case.request.is_some() || case.question.is_some() {
            "handover-asked"
        } else if case.state.stage() == Stage::Accepted && case.flags.returned > 0 {
            "handover-returned"
        } else if case.flags.supervised {
            "handover-watched"
        } else if case.lead.as_ref() != Some(unit) && case.concerns(unit) {
            "handover-parts"
        } else {
            "handover-open"
        }
    };
    let in_group = |wanted: &'static str| {
        let all: Vec<&Case> = cases.iter().filter(|case| key(case) == wanted).collect();
        group(page, wanted, &all)
    };
    let all = [
        "handover-overdue",
        "handover-asked",
        "handover-returned",
        "handover-watched",
        "handover-parts",
        "handover-open",
    ];
    all.map(in_group).into()
}
