//! The staff's lists: what is due next for my unit and in my area, with filters and kept views of them, and the search.

use askama::Template;
use axum::{extract::Query as Asked, response::Response};
use jiff::{Timestamp, ToSpan};
use whistle_domain::{case::Stage, escalation::Tier, rights};
use whistle_service::{
    list::{Order, Query, Viewer},
    view::{MAX_NAME, View},
};

use super::{live::Script, session::Staff};
use crate::pages::{
    cases::{filters, listed, next_page},
    fault::Fault,
    form::{Entered, with_query},
    page::Page,
    show::{Choice, Group, Line},
};

/// Cases on a page of the queue.
const LENGTH: usize = 50;

/// What the script of the queue says.
const QUEUE_WORDS: [&str; 6] = [
    "live-over",
    "live-away",
    "queue-news",
    "queue-gone",
    "queue-row-gone",
    "queue-fresh",
];

/// A tab of the queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Mine,
    Joint,
    Escalated,
    Triage,
    Assign,
    Verify,
    Reopen,
    Open,
}

impl Tab {
    const ALL: [Self; 8] = [
        Self::Mine,
        Self::Joint,
        Self::Escalated,
        Self::Triage,
        Self::Assign,
        Self::Verify,
        Self::Reopen,
        Self::Open,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Joint => "joint",
            Self::Escalated => "escalated",
            Self::Triage => "triage",
            Self::Assign => "assign",
            Self::Verify => "verify",
            Self::Reopen => "reopen",
            Self::Open => "open",
        }
    }

    fn query(self, staff: &Staff) -> Query {
        let of = |stages: &[Stage]| Query {
            stages: stages.to_vec(),
            open: Some(true),
            order: Order::Due,
            ..Query::default()
        };
        match self {
            Self::Mine => Query {
                lead: Some(staff.signed.post.unit.clone()),
                ..of(&[])
            },
            Self::Joint => Query {
                part: Some(staff.signed.post.unit.clone()),
                ..of(&[])
            },
            Self::Escalated => Query {
                escalated: Some(Tier::Unit),
                ..of(&[])
            },
            Self::Triage => of(&[Stage::Reported]),
            Self::Assign => of(&[Stage::Accepted]),
            Self::Verify => of(&[Stage::Handled]),
            // Such a case is closed until that is granted, so it is not in the order of what is due.
            Self::Reopen => Query {
                open: None,
                order: Order::Updated,
                ..of(&[Stage::ReopenRequested])
            },
            Self::Open => of(&[]),
        }
    }
}

/// The fields of the queue's filter, in the order in which addresses and kept views have them.
const FIELDS: [&str; 10] = [
    "tab",
    "unit",
    "post",
    "area",
    "service",
    "stage",
    "due",
    "escalated",
    "parked",
    "order",
];

/// What may stand in `due`.
const DUE: [&str; 3] = ["overdue", "today", "3d"];

/// What may stand in `parked`.
const PARKED: [&str; 2] = ["yes", "no"];

/// What may stand in `order`.
const ORDERS: [(&str, Order); 3] = [
    ("due", Order::Due),
    ("newest", Order::Newest),
    ("updated", Order::Updated),
];

/// Narrows a tab's list by what stands in the filter. A code that the place does not know, perhaps no longer, narrows nothing.
fn narrow(page: &Page, asked: &Entered, tab: Query) -> Query {
    let place = &page.here.place;
    let stage = Stage::ALL.into_iter().find(|s| s.as_str() == asked.get("stage"));
    let order = ORDERS.into_iter().find(|(word, _)| *word == asked.get("order"));
    let (unit, post, area, service) = (
        place.unit(asked.get("unit")),
        place.post(asked.get("post")),
        place.areas.find(asked.get("area")),
        place.service(asked.get("service")),
    );
    Query {
        lead: tab.lead.or_else(|| unit.map(|unit| unit.code.clone())),
        post: post.map(|post| post.code.clone()),
        area: area.map(|area| place.areas.get(area).code.clone()),
        services: service.into_iter().map(|service| service.code.clone()).collect(),
        stages: if tab.stages.is_empty() {
            stage.into_iter().collect()
        } else {
            tab.stages
        },
        escalated: tier(asked).or(tab.escalated),
        parked: match asked.get("parked") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
        due_before: due_before(page, asked.get("due")),
        // What is closed has nothing due.
        order: order
            .map(|(_, order)| order)
            .filter(|_| tab.open.is_some())
            .unwrap_or(tab.order),
        ..tab
    }
}

/// Until when a case must be due.
fn due_before(page: &Page, word: &str) -> Option<Timestamp> {
    let zone = page.here.place.calendar.zone();
    let today = zone.to_datetime(page.now).date();
    let end_of = |days: i64| {
        let day = today.saturating_add((days + 1).days());
        zone.to_timestamp(day.at(0, 0, 0, 0)).ok()
    };
    match word {
        "overdue" => Some(page.now),
        "today" => end_of(0),
        "3d" => end_of(3),
        _ => None,
    }
}

/// The filter as it stands in an address and in a kept view.
fn carried(asked: &Entered) -> Vec<(String, String)> {
    let field = |name: &&str| Some(((*name).to_owned(), asked.some(name)?.to_owned()));
    FIELDS.iter().filter_map(field).collect()
}

/// A filter that a form sent back, as an address has it: its own fields and no others.
pub(super) fn canonical(query: &str) -> String {
    let fields = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    in_address(&carried(&Entered::new(fields)))
}

fn in_address(fields: &[(String, String)]) -> String {
    with_query("", fields).trim_start_matches('?').to_owned()
}

/// The fields to choose from.
struct FilterView {
    /// Whether anything but the tab is chosen.
    is_set: bool,
    units: Vec<Choice>,
    posts: Vec<Choice>,
    areas: Vec<Group>,
    services: Vec<Group>,
    stages: Vec<Choice>,
    due: Vec<Choice>,
    parked: Vec<Choice>,
    orders: Vec<Choice>,
}

impl FilterView {
    fn of(staff: &Staff, asked: &Entered, tab: &Query) -> Self {
        let page = &staff.page;
        let words = |field: &str, all: &[&str]| {
            let choice = |word: &&str| Choice {
                value: (*word).to_owned(),
                label: page.words.of(&format!("filter-{field}"), word),
                chosen: asked.has(field, word),
            };
            all.iter().map(choice).collect()
        };
        let stage = |stage: Stage| Choice {
            value: stage.as_str().to_owned(),
            label: page.words.of("stage", stage.as_str()),
            chosen: asked.has("stage", stage.as_str()),
        };
        let stages = Stage::ALL.into_iter().filter(|_| tab.stages.is_empty());
        let units = page.units(None, None, asked.get("unit"));
        Self {
            is_set: carried(asked).iter().any(|(name, _)| name != "tab"),
            units: units.into_iter().filter(|_| tab.lead.is_none()).collect(),
            posts: posts(staff, asked.get("post")),
            areas: page.area_groups(asked.get("area")),
            services: page.services_and_groups(asked.get("service")),
            stages: stages.map(stage).collect(),
            due: words("due", &DUE),
            parked: words("parked", &PARKED),
            orders: if tab.open.is_some() {
                words("order", &ORDERS.map(|(word, _)| word))
            } else {
                Vec::new()
            },
        }
    }
}

/// The posts of the area that somebody sees.
fn posts(staff: &Staff, chosen: &str) -> Vec<Choice> {
    let (page, place) = (&staff.page, &staff.page.here.place);
    let Some(area) = rights::sight(staff.actor(), place).area else {
        return Vec::new();
    };
    let posts = place
        .posts()
        .filter(|post| place.areas.is_within(post.area, area));
    let choice = |code: &str| Choice {
        value: code.to_owned(),
        label: page.post_name(code),
        chosen: code == chosen,
    };
    posts.map(|post| choice(post.code.as_str())).collect()
}

/// A kept view beside the queue.
struct ViewLink {
    id: i64,
    name: String,
    href: String,
    current: bool,
    shared: bool,
    first: bool,
}

impl ViewLink {
    fn of(view: &View, asked: &Entered) -> Self {
        Self {
            id: view.id,
            name: view.name.clone(),
            href: address_of(view.id, &view.query),
            current: asked.get("view") == view.id.to_string(),
            shared: view.post.is_some(),
            first: view.is_first,
        }
    }
}

/// Where the queue is shown as a view keeps it.
pub(super) fn address_of(view: i64, query: &str) -> String {
    let joint = if query.is_empty() { "" } else { "&" };
    format!("/staff?{query}{joint}view={view}")
}

struct TabView {
    href: String,
    name: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "staff/queue.html")]
struct Queue<'a> {
    p: &'a Page,
    script: Script,
    tabs: Vec<TabView>,
    tab: &'static str,
    title: String,
    views: Vec<ViewLink>,
    filter: FilterView,
    /// The filter, to be kept as a view.
    query: String,
    /// Letters of a view's name.
    most: usize,
    /// How high up; on the tab of what was escalated.
    tiers: Vec<Choice>,
    lines: Vec<Line>,
    /// Rows can be picked.
    pick: bool,
    next: Option<String>,
    /// The first page of the same list, from a later one.
    first: Option<String>,
    done: Option<String>,
    calendar: String,
}

pub(crate) async fn queue(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let (page, mut asked) = (&staff.page, Entered::new(asked));
    let views = page.app.whistle.views(&page.here, &staff.signed).await?;
    // Whoever chose a view to begin with, begins with it; a tab leads elsewhere.
    if let Some(first) = views.iter().find(|view| view.is_first)
        && carried(&asked).is_empty()
        && asked.some("view").is_none()
    {
        for (name, value) in form_urlencoded::parse(first.query.as_bytes()) {
            asked.set(&name, &value);
        }
        asked.set("view", &first.id.to_string());
    }
    let sees_area = rights::sight(staff.actor(), &page.here.place).area.is_some();
    let tabs = &Tab::ALL[..if sees_area { 8 } else { 3 }];
    // Who answers for an area begins with what nobody has taken up yet.
    let first = if is_desk(&staff) { Tab::Triage } else { Tab::Mine };
    let tab = tabs
        .iter()
        .copied()
        .find(|t| t.as_str() == asked.get("tab"))
        .unwrap_or(first);
    let of_tab = tab.query(&staff);
    let filter = FilterView::of(&staff, &asked, &of_tab);
    let query = Query {
        after: asked.some("after").map(str::to_owned),
        limit: LENGTH,
        ..narrow(page, &asked, of_tab)
    };
    let found = page
        .app
        .whistle
        .cases(&page.here, &query, Viewer::Staff(staff.actor()))
        .await?;
    let view = |t: &Tab| TabView {
        href: format!("/staff?tab={}", t.as_str()),
        name: page.words.of("tab", t.as_str()),
        current: *t == tab,
    };
    page.render(&Queue {
        p: page,
        script: page.script(
            "src/queue.ts",
            &with_query("/staff", &asked.carried(&["done", "calendar", "lang"])),
            &QUEUE_WORDS,
        ),
        tabs: tabs.iter().map(view).collect(),
        tab: tab.as_str(),
        title: page.words.of("tab", tab.as_str()),
        views: views.iter().map(|view| ViewLink::of(view, &asked)).collect(),
        filter,
        query: in_address(&carried(&asked)),
        most: MAX_NAME,
        tiers: tiers(page, &asked),
        lines: found.items.iter().map(|case| page.staff_line(case)).collect(),
        pick: true,
        next: next_page("/staff", &asked, &found),
        first: asked
            .some("after")
            .map(|_| with_query("/staff", &asked.carried(&["after", "done", "lang"]))),
        done: asked
            .some("done")
            .map(|number| page.words.x("done-and-gone", number))
            .or_else(|| asked.some("calendar").map(|_| page.t("due-renewed"))),
        calendar: format!(
            "/staff/due.ics?key={}",
            page.app
                .whistle
                .calendar_key(&page.here, staff.signed.account)
                .await?
        ),
    })
}

/// How high up a case must have been told of.
fn tier(asked: &Entered) -> Option<Tier> {
    Tier::ALL
        .into_iter()
        .find(|tier| tier.as_str() == asked.get("escalated"))
}

fn tiers(page: &Page, asked: &Entered) -> Vec<Choice> {
    let chosen = tier(asked);
    let choice = |tier: Tier| Choice {
        value: tier.as_str().to_owned(),
        label: page
            .words
            .x("escalated-from", &page.words.of("tier", tier.as_str())),
        chosen: Some(tier) == chosen,
    };
    Tier::ALL.map(choice).into()
}

/// Whether this post takes in and hands out cases.
fn is_desk(staff: &Staff) -> bool {
    use rights::Role::{CallTaker, Dispatcher};
    staff
        .signed
        .post
        .roles
        .iter()
        .any(|role| matches!(role, CallTaker | Dispatcher))
}

#[derive(Template)]
#[template(path = "staff/cases.html")]
struct Search<'a> {
    p: &'a Page,
    e: &'a Entered,
    services: Vec<Group>,
    areas: Vec<Group>,
    units: Vec<Choice>,
    stages: Vec<Choice>,
    tiers: Vec<Choice>,
    lines: Vec<Line>,
    next: Option<String>,
    wrong: Option<String>,
    /// Whether the filters are shown: where one is set, or nothing is looked for.
    narrowed: bool,
}

/// The filters of the list.
const FILTERS: [&str; 6] = ["state", "stage", "service", "area", "unit", "escalated"];

/// The list with filters, and what is found by words.
pub(crate) async fn search(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let (page, asked) = (&staff.page, Entered::new(asked));
    let stage = Stage::ALL.into_iter().find(|s| s.as_str() == asked.get("stage"));
    let query = Query {
        stages: stage.into_iter().collect(),
        escalated: tier(&asked),
        limit: LENGTH,
        ..filters(&asked)
    };
    let (found, wrong) = listed(page, &asked, query, Viewer::Staff(staff.actor())).await?;
    let choice = |s: Stage| Choice {
        value: s.as_str().to_owned(),
        label: page.words.of("stage", s.as_str()),
        chosen: Some(s) == stage,
    };
    page.render(&Search {
        p: page,
        services: page.service_groups(asked.get("service"), false),
        areas: page.area_groups(asked.get("area")),
        units: page.units(None, None, asked.get("unit")),
        stages: Stage::ALL.map(choice).into(),
        tiers: tiers(page, &asked),
        lines: found.items.iter().map(|case| page.staff_line(case)).collect(),
        next: next_page("/staff/cases", &asked, &found),
        narrowed: asked.some("q").is_none() || FILTERS.iter().any(|name| asked.some(name).is_some()),
        e: &asked,
        wrong,
    })
}
