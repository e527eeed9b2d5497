//! The lists of whistles, for the station and for the unit, and the form that blows one.

use askama::Template;
use axum::{
    extract::Query as Asked,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use whistle_domain::{
    place::UnitKind,
    rights,
    whistle::{
        Whistle,
        command::{MAX_CASES, NewWhistle, Refusal},
        transition::{Need, Verb, may_blow},
    },
    words::{CaseNumber, UnitCode},
};
use whistle_service::{Error, whistle::Query};

use super::{
    session::{Staff, StaffForm},
    whistle::local_time,
};
use crate::{
    pages::{
        fault::Fault,
        form::{Entered, Wrongs, with_query},
        page::Page,
        show::{Choice, Due, Group, Moment},
    },
    status::status_of,
};

/// Whistles on a page of a list.
const LENGTH: usize = 50;

/// A whistle in a list.
pub(super) struct Line {
    pub(super) number: String,
    pub(super) kind: String,
    pub(super) station: String,
    pub(super) place: String,
    pub(super) matter: String,
    pub(super) stage: String,
    pub(super) open: bool,
    pub(super) own: Option<String>,
    pub(super) there: String,
    pub(super) due: Option<Due>,
    pub(super) asked: Moment,
}

struct TabView {
    href: String,
    name: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "staff/whistles.html")]
struct List<'a> {
    p: &'a Page,
    tabs: Vec<TabView>,
    title: String,
    lines: Vec<Line>,
    may_blow: bool,
    next: Option<String>,
}

/// A tab of the list: whose, and whether they are over.
const TABS: [(&str, bool, bool); 4] = [
    ("called", true, false),
    ("area", false, false),
    ("called_over", true, true),
    ("area_over", false, true),
];

pub(super) async fn list(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let (page, asked) = (&staff.page, Entered::new(asked));
    let sees_area = rights::sight(staff.actor(), &page.here.place).area.is_some();
    let tabs: Vec<_> = TABS
        .iter()
        .filter(|(_, called, _)| *called || sees_area)
        .collect();
    // Who answers for an area looks after those that its stations blew.
    let first = if sees_area { "area" } else { "called" };
    let wanted = asked.some("tab").unwrap_or(first);
    let &&(tab, called, over) = tabs.iter().find(|(name, ..)| *name == wanted).unwrap_or(&tabs[0]);
    let query = Query {
        called,
        over,
        after: asked.some("after").map(str::to_owned),
        limit: LENGTH,
        ..Query::default()
    };
    let found = page
        .app
        .whistle
        .whistles(&page.here, &query, staff.actor())
        .await?;
    let view = |(name, ..): &&(&str, bool, bool)| TabView {
        href: format!("/staff/whistles?tab={name}"),
        name: page.words.of("whistle-tab", name),
        current: *name == tab,
    };
    let next = found.next.map(|after| {
        let pairs = [("tab".to_owned(), tab.to_owned()), ("after".to_owned(), after)];
        with_query("/staff/whistles", &pairs)
    });
    page.render(&List {
        p: page,
        tabs: tabs.iter().map(view).collect(),
        title: page.words.of("whistle-tab", tab),
        lines: found
            .items
            .iter()
            .map(|whistle| line(&staff, whistle, called))
            .collect(),
        may_blow: page.may_blow(),
        next,
    })
}

/// A whistle in a list; for a called unit with its own state and limit.
pub(super) fn line(staff: &Staff, whistle: &Whistle, called: bool) -> Line {
    let page = &staff.page;
    let own = staff.actor().unit().and_then(|unit| whistle.call(unit));
    let clock = if called {
        own.and_then(|call| call.clocks.next_due())
    } else {
        let clocks = whistle.calls.iter().filter_map(|call| call.clocks.next_due());
        clocks.min_by_key(|clock| clock.due_at)
    };
    Line {
        number: whistle.number.to_string(),
        kind: page.whistle_kind(whistle),
        station: page.stations(whistle).join(" → "),
        place: whistle.place.clone(),
        matter: page.excerpt(&whistle.matter),
        stage: page.words.of("whistle-stage", whistle.stage.as_str()),
        open: whistle.stage.is_open(),
        own: own.map(|call| page.words.of("call-state", call.state.as_str())),
        there: page.there(whistle),
        due: clock.map(|clock| page.due(clock)),
        asked: page.moment(whistle.times.asked_at),
    }
}

impl Page {
    /// Whether who is signed in may blow a whistle of any kind.
    pub(crate) fn may_blow(&self) -> bool {
        let place = &self.here.place;
        let kinds = place.whistle_kinds();
        self.signed
            .as_ref()
            .is_some_and(|signed| kinds.iter().any(|kind| may_blow(kind, &signed.post, place)))
    }
}

#[derive(Template)]
#[template(path = "staff/whistle_new.html")]
struct New<'a> {
    p: &'a Page,
    e: &'a Entered,
    w: &'a Wrongs,
    kinds: Vec<Choice>,
    units: Vec<Group>,
    leads: Vec<Choice>,
    key: String,
}

pub(super) async fn ask(staff: Staff, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let mut asked = Entered::new(asked);
    // The page of a case sends its number along.
    let case = asked.get("case").to_owned();
    if !case.is_empty() {
        asked.set("cases", &case);
    }
    if !staff.page.may_blow() {
        return Err(Error::from(Refusal::NotAllowed(Verb::Blow)).into());
    }
    form(&staff, &asked, &Wrongs::default(), StatusCode::OK)
}

fn form(staff: &Staff, entered: &Entered, wrongs: &Wrongs, status: StatusCode) -> Result<Response, Fault> {
    let (page, place) = (&staff.page, &staff.page.here.place);
    let kinds = place.whistle_kinds().iter();
    let kinds = kinds.filter(|kind| may_blow(kind, &staff.signed.post, place));
    let group = |label: &str, stations: bool| Group {
        label: page.t(label),
        choices: place
            .units()
            .iter()
            .filter(|unit| (unit.kind == UnitKind::Station) == stations)
            .filter(|unit| unit.code != staff.signed.post.unit)
            .map(|unit| Choice {
                value: unit.code.to_string(),
                label: unit.name.get(page.lang()).to_owned(),
                chosen: entered.has("unit", unit.code.as_str()),
            })
            .collect(),
    };
    let key = entered.some("key").map(str::to_owned);
    let view = New {
        p: page,
        e: entered,
        w: wrongs,
        kinds: kinds
            .map(|kind| Choice {
                value: kind.code.to_string(),
                label: kind.name.get(page.lang()).to_owned(),
                chosen: entered.get("kind") == kind.code.as_str(),
            })
            .collect(),
        units: vec![
            group("whistle-units", false),
            group("whistle-unit-stations", true),
        ],
        leads: page.units(None, Some(&staff.signed.post.unit), entered.get("lead")),
        key: key.unwrap_or_else(|| page.app.whistle.fresh_token()),
    };
    page.render_as(status, &view)
}

pub(super) async fn send(StaffForm { staff, posted }: StaffForm) -> Result<Response, Fault> {
    let (page, fields) = (&staff.page, &posted.fields);
    let mut wrongs = Wrongs::default();
    let Some(new) = read(page, fields, &mut wrongs) else {
        return form(&staff, fields, &wrongs, StatusCode::BAD_REQUEST);
    };
    let key = fields.some("key").map(str::to_owned);
    let blown = page
        .app
        .whistle
        .blow(&page.here, new, staff.actor().clone(), key)
        .await;
    match blown {
        Ok(whistle) => {
            let to = format!("/staff/whistles/{}?done=blow", whistle.number);
            Ok(Redirect::to(&to).into_response())
        }
        Err(error @ (Error::Whistle(_) | Error::Invalid { .. } | Error::KeyReused)) => {
            let field = match &error {
                Error::Whistle(Refusal::HowManyUnits | Refusal::UnknownUnit(_) | Refusal::CallsItself) => {
                    "unit"
                }
                Error::Whistle(Refusal::LeadNotCalled) => "lead",
                Error::Whistle(Refusal::MeetTime) => "meet_at",
                Error::Whistle(Refusal::Missing { .. } | Refusal::TextTooLong { .. }) => "matter",
                Error::Whistle(Refusal::UnknownKind(_) | Refusal::NotAllowed(_)) => "kind",
                _ => "cases",
            };
            wrongs.add(field, page.words.error(&error));
            form(&staff, fields, &wrongs, status_of(&error))
        }
        Err(error) => Err(error.into()),
    }
}

/// The whistle that a form asks for; what is missing or unreadable is noted at its field.
fn read(page: &Page, fields: &Entered, wrongs: &mut Wrongs) -> Option<NewWhistle> {
    let told = |refusal: Refusal| page.words.whistle_refusal(&refusal);
    let numbers = fields.get("cases").split([' ', ',', '，', '、', '\n', '\t']);
    let numbers: Result<Vec<CaseNumber>, _> = numbers
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .take(MAX_CASES + 1)
        .map(str::parse)
        .collect();
    let cases = numbers.unwrap_or_default();
    if cases.is_empty() {
        wrongs.add("cases", told(Refusal::HowManyCases));
    }
    let kind = fields.get("kind").parse().ok();
    if kind.is_none() {
        wrongs.add("kind", page.t("choose"));
    }
    let units: Vec<UnitCode> = fields.all("unit").filter_map(|unit| unit.parse().ok()).collect();
    if units.is_empty() {
        wrongs.add("unit", told(Refusal::HowManyUnits));
    }
    // One unit that is called leads without being named.
    let lead = fields.get("lead").parse().ok();
    let lead = lead.or_else(|| (units.len() == 1).then(|| units[0].clone()));
    if lead.is_none() {
        wrongs.add("lead", told(Refusal::LeadNotCalled));
    }
    let meet_at = fields.some("meet_at").map(|text| local_time(page, text));
    if meet_at == Some(None) {
        wrongs.add("meet_at", told(Refusal::MeetTime));
    }
    if fields.some("matter").is_none() {
        let (verb, need) = (Verb::Blow, Need::Text);
        wrongs.add("matter", told(Refusal::Missing { verb, need }));
    }
    if !wrongs.is_empty() {
        return None;
    }
    Some(NewWhistle {
        kind: kind?,
        cases,
        units,
        lead: lead?,
        place: fields.get("place").to_owned(),
        meet_at: meet_at.flatten(),
        matter: fields.get("matter").to_owned(),
    })
}
