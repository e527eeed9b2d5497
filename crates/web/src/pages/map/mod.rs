//! The map and the list beside it. Both are made from the same filter and the same cases, so the list is all of the map for
//! whoever does not see it, and works without JavaScript.
//!
//! - [`tiles`]: what the map is drawn from, over HTTP. `grid`: the polygons of a place as tiles.

mod grid;
pub(crate) mod tiles;

use askama::Template;
use axum::{extract::Query as Asked, response::Response};
use jiff::civil::Date;
use serde_json::{Map, Value, json};
use whistle_domain::{geometry::BBox, public::Step};
use whistle_service::{
    Error,
    map::{Filter, Period},
};

pub(crate) use grid::Drawings;

use super::{
    assets::{self, Front},
    fault::Fault,
    form::{Entered, with_query},
    page::Page,
    show::{Choice, Group, Line},
};

/// Spans of days that are offered.
const DAYS: [u16; 4] = [7, 30, 90, 365];

/// Years that are offered, this one and those before.
const YEARS: i16 = 5;

/// The source of the script and style of the map.
const ENTRY: &str = "src/map.ts";

/// The filter of an address; the same for the list and for tiles.
fn wanted(asked: &Entered) -> Result<Filter, Error> {
    let wrong = |field, what: String| Error::Invalid { field, what };
    let bbox = asked.some("bbox").map(|text| {
        let sides: Vec<f64> = text
            .split(',')
            .map_while(|side| side.trim().parse().ok())
            .collect();
        let [west, south, east, north] = sides[..] else {
            return Err(wrong("bbox", "write west,south,east,north in degrees".to_owned()));
        };
        BBox::new(west, south, east, north).map_err(|error| wrong("bbox", error.to_string()))
    });
    let code = |field, what: &str| wrong(field, format!("{what:?} is no code"));
    Ok(Filter {
        open: match asked.get("state") {
            "open" => Some(true),
            "closed" => Some(false),
            "" => None,
            other => return Err(wrong("state", format!("{other:?} is neither open nor closed"))),
        },
        service: asked
            .some("service")
            .map(|text| text.parse().map_err(|_| code("service", text)))
            .transpose()?,
        area: asked
            .some("area")
            .map(|text| text.parse().map_err(|_| code("area", text)))
            .transpose()?,
        period: asked
            .get("period")
            .parse()
            .map_err(|what| wrong("period", what))?,
        bbox: bbox.transpose()?,
    })
}

#[derive(Template)]
#[template(path = "map.html")]
struct MapPage<'a> {
    p: &'a Page,
    e: &'a Entered,
    services: Vec<Group>,
    areas: Vec<Group>,
    periods: Vec<Group>,
    lines: Vec<Line>,
    count: i64,
    left_out: i64,
    /// What is shown, in words, for paper.
    summary: String,
    next: Option<String>,
    /// The map with no box around it, when there is one.
    whole: Option<String>,
    front: Option<Front>,
    /// What the script must know, as JSON.
    told: String,
}

/// The page of the map.
pub(crate) async fn map(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    let filter = wanted(&asked)?;
    let found = page
        .app
        .whistle
        .map_list(&page.here, &filter, asked.some("after"), 0)
        .await?;
    let address = |but: &[&str], more: Option<(&str, String)>| {
        let mut pairs = asked.carried(but);
        pairs.extend(more.map(|(name, value)| (name.to_owned(), value)));
        with_query("/map", &pairs)
    };
    let next = found.next.clone();
    page.render(&MapPage {
        p: &page,
        services: page.services_and_groups(asked.get("service")),
        areas: page.area_groups(asked.get("area")),
        periods: page.periods(asked.get("period")),
        lines: found.cases.iter().map(|case| page.public_line(case)).collect(),
        count: found.count as i64,
        left_out: found.left_out as i64,
        summary: page.in_words(&asked),
        next: next.map(|next| address(&["after", "lang"], Some(("after", next)))),
        whole: filter.bbox.map(|_| address(&["after", "bbox", "lang"], None)),
        front: assets::front(ENTRY),
        told: page.told(&asked),
        e: &asked,
    })
}

impl Page {
    /// The periods that are offered, and the one that was asked for.
    fn periods(&self, chosen: &str) -> Vec<Group> {
        let today = self.here.place.calendar.zone().to_datetime(self.now).date();
        let choice = |value: String, label: String| Choice {
            chosen: value == chosen,
            value,
            label,
        };
        let days = DAYS.map(|days| choice(format!("{days}d"), self.n("map-days", &i64::from(days))));
        let years = (0..YEARS).map(|back| {
            let year = today.year() - back;
            choice(year.to_string(), self.words.n("map-year", i64::from(year)))
        });
        let mut groups = vec![
            Group {
                label: self.t("map-lately"),
                choices: days.into(),
            },
            Group {
                label: self.t("map-years"),
                choices: years.collect(),
            },
        ];
        let is_offered = groups.iter().flat_map(|group| &group.choices).any(|c| c.chosen);
        if !is_offered && !chosen.is_empty() {
            groups[1]
                .choices
                .push(choice(chosen.to_owned(), self.period(chosen)));
        }
        groups
    }

    /// A period in words.
    fn period(&self, text: &str) -> String {
        match text.parse() {
            Ok(Period::Days(days)) => self.n("map-days", &i64::from(days)),
            Ok(Period::Year(year)) => self.words.n("map-year", i64::from(year)),
            Ok(Period::Month(year, month)) => {
                Date::new(year, month, 1).map_or_else(|_| text.to_owned(), |first| self.words.month(first))
            }
            _ => self.t("map-always"),
        }
    }

    /// The filter in words, for who reads it on paper.
    fn in_words(&self, asked: &Entered) -> String {
        let state = match asked.get("state") {
            "open" => self.t("filter-open"),
            "closed" => self.t("filter-closed"),
            _ => self.t("map-all-states"),
        };
        let service = asked.some("service").map(|code| self.service_name(code));
        let area = asked.some("area").map(|code| self.area_name(code));
        let parts = [Some(state), service, area, Some(self.period(asked.get("period")))];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// What the script must know: where, from what, and its words.
    fn told(&self, asked: &Entered) -> String {
        const WORDS: [&str; 14] = [
            "map-hide",
            "map-show",
            "map-near",
            "map-near-here",
            "map-near-denied",
            "map-near-outside",
            "map-broken",
            "map-list-broken",
            "map-whole-year",
            "map-open-case",
            "map-cluster",
            "map-cluster-open",
            "map-reported",
            "map-number",
        ];
        let steps = Step::ALL.map(|step| {
            let key = format!("step-{}", step.as_str());
            (key, self.of_kind("step", step.as_str()))
        });
        let words = WORDS.map(|key| (key.to_owned(), self.t(key)));
        Value::Object(self.told_of_ground(asked.some("area"), words.into_iter().chain(steps))).to_string()
    }

    /// What the script of any map must know: the language, the place, what is drawn, and the words, with more of them.
    pub(crate) fn told_of_ground(
        &self,
        area: Option<&str>,
        more: impl IntoIterator<Item = (String, String)>,
    ) -> Map<String, Value> {
        const WORDS: [&str; 6] = [
            "map-keys",
            "map-zoom-in",
            "map-zoom-out",
            "map-attribution",
            "map-close",
            "map-marker",
        ];
        let areas = &self.here.place.areas;
        let of_code = |code: &str| areas.find(code).map(|i| areas.get(i).shape.bbox());
        let bounds = areas.all().first().map(|city| city.shape.bbox());
        let own = WORDS.map(|key| (key.to_owned(), self.t(key)));
        let words = own.into_iter().chain(more);
        let drawing = self.app.drawings.of(&self.here.place);
        let told = [
            ("language", json!(self.lang().as_str())),
            ("bounds", json!(bounds.map(<[f64; 4]>::from))),
            ("area", json!(area.and_then(of_code).map(<[f64; 4]>::from))),
            ("grid", json!(drawing.version())),
            ("basemap", json!(tiles::basemap_of(self).is_some())),
            (
                "words",
                words
                    .map(|(key, text)| (key, text.into()))
                    .collect::<Map<_, _>>()
                    .into(),
            ),
        ];
        told.into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}
