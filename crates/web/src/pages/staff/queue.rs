//! The staff's lists: what is due next for my unit and in my area, and the search.

use askama::Template;
use axum::{extract::Query as Asked, response::Response};
use whistle_domain::{case::Stage, escalation::Tier, rights};
use whistle_service::list::{Order, Query, Viewer};

use super::session::Staff;
use crate::pages::{
    cases::{filters, listed, next_page},
    fault::Fault,
    form::{Entered, with_query},
    page::Page,
    show::{Choice, Group, Line},
};

/// Cases on a page of the queue.
const LENGTH: usize = 50;

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

    fn query(self, staff: &Staff, asked: &Entered) -> Query {
        let of = |stages: &[Stage], order| Query {
            stages: stages.to_vec(),
            order,
            ..Query::default()
        };
        match self {
            Self::Mine => Query {
                lead: Some(staff.signed.post.unit.clone()),
                ..of(&[], Order::Due)
            },
            Self::Joint => Query {
                part: Some(staff.signed.post.unit.clone()),
                ..of(&[], Order::Due)
            },
            Self::Escalated => Query {
                escalated: tier(asked).or(Some(Tier::Unit)),
                ..of(&[], Order::Due)
            },
            Self::Triage => of(&[Stage::Reported], Order::Due),
            Self::Assign => of(&[Stage::Accepted], Order::Due),
            Self::Verify => of(&[Stage::Handled], Order::Due),
            // Such a case is closed until that is granted, so it is not in the order of what is due.
            Self::Reopen => of(&[Stage::ReopenRequested], Order::Updated),
            Self::Open => of(&[], Order::Due),
        }
    }
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
    tabs: Vec<TabView>,
    title: String,
    /// How high up; on the tab of what was escalated.
    tiers: Vec<Choice>,
    lines: Vec<Line>,
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
    let (page, asked) = (&staff.page, Entered::new(asked));
    let sees_area = rights::sight(staff.actor(), &page.here.place).area.is_some();
    let tabs = &Tab::ALL[..if sees_area { 8 } else { 3 }];
    // Who answers for an area begins with what nobody has taken up yet.
    let first = if is_desk(&staff) { Tab::Triage } else { Tab::Mine };
    let tab = tabs
        .iter()
        .copied()
        .find(|t| t.as_str() == asked.get("tab"))
        .unwrap_or(first);
    let query = Query {
        after: asked.some("after").map(str::to_owned),
        limit: LENGTH,
        ..tab.query(&staff, &asked)
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
        tabs: tabs.iter().map(view).collect(),
        title: page.words.of("tab", tab.as_str()),
        tiers: match tab {
            Tab::Escalated => tiers(page, &asked),
            _ => Vec::new(),
        },
        lines: found.items.iter().map(|case| page.staff_line(case)).collect(),
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
}

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
        e: &asked,
        wrong,
    })
}
