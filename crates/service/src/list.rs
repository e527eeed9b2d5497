//! Lists of cases: filtered, in one order, page by page. A list is filtered by the same rule of sight as a single case.

use std::{collections::HashMap, ops::RangeInclusive};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use whistle_domain::{
    case::{Actor, Case, Event, Stage},
    escalation::Tier,
    geometry::{BBox, Point, Spot},
    place::Place,
    rights::{self, Access},
    words::{AreaCode, CaseNumber, PostCode, ServiceCode, UnitCode},
};
use whistle_store::{
    case as stored,
    intake::Count,
    list::{After, Filter, List, Sight},
};

use crate::{
    Whistle,
    account::actor_of,
    error::{Error, Result},
    place::Here,
    search::Wanted,
};

pub use whistle_store::{
    case::Happening,
    list::{MAX_PAGE, Order},
};

/// Which cases are asked for. Every condition that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Open ones, or closed ones.
    pub open: Option<bool>,
    /// In one of these stages.
    pub stages: Vec<Stage>,
    /// Of one of these services; a group stands for all its services.
    pub services: Vec<ServiceCode>,
    /// In this area, at any level.
    pub area: Option<AreaCode>,
    /// Led by this unit.
    pub lead: Option<UnitCode>,
    /// With a part of this unit in it, while another leads.
    pub part: Option<UnitCode>,
    /// Told of so high up or higher, because a clock ran out or nearly did; for staff.
    pub escalated: Option<Tier>,
    /// Those that this post may see, too; for staff.
    pub post: Option<PostCode>,
    /// Those that wait until a date, or those that do not.
    pub parked: Option<bool>,
    /// Reported from this time on.
    pub reported_from: Option<Timestamp>,
    /// Reported up to this time.
    pub reported_to: Option<Timestamp>,
    /// Changed from this time on.
    pub updated_from: Option<Timestamp>,
    /// Changed up to this time.
    pub updated_to: Option<Timestamp>,
    /// Due before this time.
    pub due_before: Option<Timestamp>,
    /// Inside this box.
    pub bbox: Option<BBox>,
    /// Not further than this many metres from this point.
    pub near: Option<(Point, f64)>,
    /// With every word of this text in them, or the last digits of this number; the cases that were numbered last come first.
    pub text: Option<String>,
    /// In which order.
    pub order: Order,
    /// Where the page begins; from [`Page::next`].
    pub after: Option<String>,
    /// How many to skip; for APIs that count pages. Only the end may lie beyond [`MAX_SKIP`].
    pub skip: usize,
    /// How many at most, up to [`MAX_PAGE`]; 50 when 0.
    pub limit: usize,
}

/// How many cases a page of a default list has.
pub const DEFAULT_PAGE: usize = 50;

/// The most cases that a counting API may skip; who wants more follows the keyset.
pub const MAX_SKIP: usize = 100_000;

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// What to ask with to get this page again without counting; none when nothing was skipped.
    pub again: Option<String>,
    /// What to ask with to get the next page; none at the end.
    pub next: Option<String>,
}

/// For whom a list is made.
#[derive(Debug, Clone, Copy)]
pub enum Viewer<'a> {
    /// Anyone: public cases only.
    Public,
    /// A member of staff: what their post may see.
    Staff(&'a Actor),
}

impl Whistle {
    /// A page of cases.
    pub async fn cases(&self, here: &Here, query: &Query, viewer: Viewer<'_>) -> Result<Page<Case>> {
        let after = query.after.as_deref().map(read_cursor).transpose()?;
        let limit = if query.limit == 0 {
            DEFAULT_PAGE
        } else {
            query.limit.min(MAX_PAGE)
        };
        let filter = filter(here, query, viewer)?;
        let exact = Exact::of(query);
        if let Some(text) = query.text.clone() {
            if query.order != Order::Newest {
                return Err(Error::invalid(
                    "order",
                    "what is found by words comes newest first",
                ));
            }
            let wanted = Wanted {
                text,
                filter,
                exact,
                after,
                limit,
            };
            return self.search(here, wanted, viewer).await;
        }
        let (order, id, skip) = (query.order, here.id, query.skip.min(MAX_SKIP));
        // With the last one of those skipped, the next who asks for this page need not count.
        let one_before = usize::from(skip > 0 && limit < MAX_PAGE);
        let (skip, limit) = (skip - one_before, limit + one_before);
        let mut sought = self
            .store
            .read(move |conn| seek(conn, id, filter, order, after, skip, limit, &exact))
            .await?;
        let before = sought.0.drain(..one_before.min(sought.0.len())).next();
        let again = before.map(|case| write_cursor(key_of(&case, order)));
        // A page past the end is empty, however far; only one that may hold cases is refused.
        if query.skip > MAX_SKIP {
            if sought.0.is_empty() {
                return Ok(Page {
                    items: Vec::new(),
                    again: None,
                    next: None,
                });
            }
            return Err(Error::invalid(
                "page",
                format!("at most {MAX_SKIP} cases can be skipped; narrow the dates"),
            ));
        }
        let next = sought.1.take().map(write_cursor);
        Ok(Page {
            items: sought.0,
            again,
            next,
        })
    }

    /// Events of public cases in a span of time, for followers; without the first `skip` of them.
    pub async fn happenings(
        &self,
        here: &Here,
        from: Timestamp,
        to: Timestamp,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<Happening>> {
        let id = here.id;
        Ok(self
            .store
            .read(move |conn| stored::happenings(conn, id, from, to, skip, limit))
            .await?)
    }

    /// The public ones of some cases, in the order of their numbers as given; who has none is left out.
    pub async fn public_cases(&self, here: &Here, numbers: Vec<CaseNumber>) -> Result<Vec<Case>> {
        let mut cases = self.some_cases(here, numbers).await?;
        cases.retain(|case| case.public);
        Ok(cases)
    }

    /// Those of some cases that an actor may see, in the order of their numbers as given.
    pub async fn staff_cases(&self, here: &Here, numbers: Vec<CaseNumber>, by: &Actor) -> Result<Vec<Case>> {
        let mut cases = self.some_cases(here, numbers).await?;
        cases.retain(|case| rights::may_see(case, by, &here.place));
        Ok(cases)
    }

    async fn some_cases(&self, here: &Here, numbers: Vec<CaseNumber>) -> Result<Vec<Case>> {
        let id = here.id;
        let order = numbers.clone();
        let mut found = self
            .store
            .read(move |conn| stored::some(conn, id, &numbers))
            .await?;
        Ok(order.iter().filter_map(|number| found.remove(number)).collect())
    }

    /// The whole logs of some cases, by number.
    pub async fn logs(
        &self,
        here: &Here,
        numbers: Vec<CaseNumber>,
    ) -> Result<HashMap<CaseNumber, Vec<Event>>> {
        let id = here.id;
        let events = self
            .store
            .read(move |conn| stored::logs(conn, id, &numbers))
            .await?;
        let mut logs: HashMap<CaseNumber, Vec<Event>> = HashMap::new();
        for (number, event) in events {
            logs.entry(number).or_default().push(event);
        }
        Ok(logs)
    }

    /// Counters, summed up over the last days, today among them; what is open in any case. A count of cases tells of each of
    /// them: those of a service are counted for who may see them all.
    pub async fn counts(&self, here: &Here, days: i32, viewer: Viewer<'_>) -> Result<Vec<Count>> {
        let (id, since) = (here.id, since(here, self.clock.now(), days));
        let mut counts = self
            .store
            .read(move |conn| whistle_store::intake::counts(conn, id, since))
            .await?;
        counts.retain(|count| {
            count.service_code.is_empty() || is_counted(&here.place, &count.service_code, viewer)
        });
        Ok(counts)
    }
}

/// The day on which so many days began, today the last of them, as counters know it.
pub(crate) fn since(here: &Here, now: Timestamp, days: i32) -> i64 {
    let today = here.place.calendar.zone().to_datetime(now).date();
    stored::day_number(today.saturating_sub(jiff::Span::new().days(days - 1)))
}

/// Whether all cases that a service may have are for such eyes.
fn is_counted(place: &Place, service: &str, viewer: Viewer<'_>) -> bool {
    let sight = match viewer {
        Viewer::Public => None,
        Viewer::Staff(actor) => Some(rights::sight(actor, place)).filter(rights::Sight::is_whole),
    };
    let is_shown = |access: &Access| {
        let is_cleared = |sight: &rights::Sight| sight.narrowed.clearance.is_enough(access);
        *access == Access::Public || sight.as_ref().is_some_and(is_cleared)
    };
    place.service(service).is_some() && place.accesses_of(service).all(is_shown)
}

/// What the store's boxes of Z-order keys only approach.
pub(crate) struct Exact {
    bbox: Option<BBox>,
    near: Option<(Point, f64)>,
}

impl Exact {
    fn of(query: &Query) -> Self {
        Self {
            bbox: query.bbox,
            near: query.near,
        }
    }

    pub(crate) fn holds(&self, case: &Case) -> bool {
        let Some(point) = case.location.point else {
            return self.bbox.is_none() && self.near.is_none();
        };
        self.bbox.is_none_or(|b| b.contains(point))
            && self
                .near
                .is_none_or(|(centre, metres)| centre.distance_metres(&point) <= metres)
    }
}

/// Reads pages of the store until enough cases hold exactly, or nothing is left, or enough was looked at.
#[expect(clippy::too_many_arguments, reason = "private, called once")]
fn seek(
    conn: &whistle_store::Conn,
    id: whistle_domain::words::JurisdictionId,
    filter: Filter,
    order: Order,
    after: Option<After>,
    mut skip: usize,
    limit: usize,
    exact: &Exact,
) -> whistle_store::Result<(Vec<Case>, Option<After>)> {
    /// A box with more cases than this is found faster in the order of the list than in that of the map.
    const SMALL_BOX: usize = 2_000;
    /// Rows looked at for one page of a box at most.
    const MOST_LOOKED_AT: usize = 200_000;
    let has_box = filter.spots.is_some();
    let mut list = List::begin(conn, id, filter, order);
    if has_box && list.count_up_to(SMALL_BOX)? == SMALL_BOX {
        list = list.everywhere();
    }
    let loose = exact.bbox.is_some() || exact.near.is_some();
    let mut found: Vec<Case> = Vec::with_capacity(limit);
    let (mut after, mut looked_at) = (after, 0);
    if !loose {
        return list.page(after, skip, limit);
    }
    loop {
        let (cases, next) = list.page(after, 0, MAX_PAGE)?;
        looked_at += cases.len();
        for case in cases.into_iter().filter(|c| exact.holds(c)) {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            after = Some(key_of(&case, order));
            found.push(case);
            if found.len() == limit {
                // What follows may hold nothing that fits: then the next page is empty, and the last.
                return Ok((found, after));
            }
        }
        match next {
            Some(next) if looked_at < MOST_LOOKED_AT => after = Some(next),
            more => return Ok((found, more)),
        }
    }
}

fn key_of(case: &Case, order: Order) -> After {
    let key = match order {
        Order::Newest => case.times.reported_at.as_microsecond(),
        Order::Updated => case.times.updated_at.as_microsecond(),
        Order::Due => case
            .clocks
            .next_due()
            .map_or(stored::NEVER, |c| c.due_at.as_microsecond()),
    };
    After {
        key,
        number: case.number.0,
    }
}

fn filter(here: &Here, query: &Query, viewer: Viewer<'_>) -> Result<Filter> {
    let place = &here.place;
    let mut services = Vec::new();
    for code in &query.services {
        let service = place
            .service(code.as_str())
            .ok_or_else(|| Error::not_found("service", code))?;
        if service.is_group() {
            let members = place.services().iter().filter(|s| s.group.as_ref() == Some(code));
            services.extend(members.map(|s| s.code.to_string()));
        } else {
            services.push(code.to_string());
        }
    }
    let area = match &query.area {
        Some(code) => {
            let index = place
                .areas
                .find(code.as_str())
                .ok_or_else(|| Error::not_found("area", code))?;
            Some((place.areas.get(index).level, code.to_string()))
        }
        None => None,
    };
    if matches!(viewer, Viewer::Public) && query.escalated.is_some() {
        return Err(Error::invalid(
            "escalated",
            "whom the service tells of a case is for staff; sign in, or leave it out",
        ));
    }
    let sight = match viewer {
        Viewer::Public => None,
        Viewer::Staff(actor) => Some(sight_of(actor, place)),
    };
    let seen_by = match (&query.post, viewer) {
        (None, _) => None,
        (Some(_), Viewer::Public) => {
            return Err(Error::invalid(
                "post",
                "what a post sees is for staff; sign in, or leave it out",
            ));
        }
        (Some(code), Viewer::Staff(_)) => {
            let post = place.post(code.as_str());
            let post = post.ok_or_else(|| Error::not_found("post", code))?;
            Some(sight_of(&actor_of(post, 0), place))
        }
    };
    let box_of_circle = query.near.map(|(centre, metres)| BBox::around(centre, metres));
    let span = |from: Option<Timestamp>, to: Option<Timestamp>| -> Option<RangeInclusive<i64>> {
        (from.is_some() || to.is_some()).then(|| {
            from.map_or(i64::MIN, Timestamp::as_microsecond)..=to.map_or(i64::MAX, Timestamp::as_microsecond)
        })
    };
    Ok(Filter {
        open: if query.order == Order::Due {
            Some(true)
        } else {
            query.open
        },
        public: matches!(viewer, Viewer::Public),
        stages: query.stages.iter().map(|s| s.as_str()).collect(),
        services,
        area,
        lead: query.lead.as_ref().map(ToString::to_string),
        part: query.part.as_ref().map(ToString::to_string),
        escalated: query.escalated.map(Tier::rank),
        sight,
        seen_by,
        parked: query.parked,
        reported: span(query.reported_from, query.reported_to),
        updated: span(query.updated_from, query.updated_to),
        due_before: query.due_before.map(Timestamp::as_microsecond),
        spots: query.bbox.or(box_of_circle).map(|b| Spot::cover(b, 16)),
    })
}

/// What an actor may see, as a list looks for it.
pub(crate) fn sight_of(actor: &Actor, place: &Place) -> Sight {
    let sight = rights::sight(actor, place);
    let area = sight.area.map(|i| {
        let area = place.areas.get(i);
        (area.level, area.code.to_string())
    });
    let rights::Narrowing {
        units,
        services,
        clearance,
    } = sight.narrowed;
    Sight {
        everywhere: sight.is_everywhere,
        area,
        units: units.map(|units| units.iter().map(ToString::to_string).collect()),
        unit: sight.unit.map(|unit| unit.to_string()),
        services: services.map(|services| services.iter().map(ToString::to_string).collect()),
        unclassed: clearance.unclassed,
        classes: clearance.classes.iter().map(ToString::to_string).collect(),
        or_public: false,
    }
}

pub(crate) fn write_cursor(after: After) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{}", after.key, after.number))
}

pub(crate) fn read_cursor(text: &str) -> Result<After> {
    let parse = || {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (key, number) = plain.split_once('.')?;
        Some(After {
            key: key.parse().ok()?,
            number: number.parse().ok()?,
        })
    };
    parse().ok_or_else(|| {
        Error::invalid(
            "after",
            "this is no place in a list; take it from the page before",
        )
    })
}
