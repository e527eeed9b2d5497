//! The pages of figures: of the place, of an area, of a unit, of one indicator; and open data.
//!
//! - `number`: figures and periods in the reader's words. `picture`: charts with the tables behind them. `kept`: pages that are the
//!   same for every reader until something changes.
//! - `sheet`: the page of a place, an area or a unit. `one`: one indicator, and all of them. `open`: open data.

pub(crate) mod kept;
pub(crate) mod number;
mod one;
mod open;
pub(crate) mod picture;
mod sheet;

use std::sync::Arc;

use askama::Template;
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::{ToSpan as _, civil::Date};
use whistle_figures::indicator::{Period, Step};
use whistle_service::{
    Error,
    indicator::{Question, Told},
    list::Viewer,
};

pub(crate) use kept::KeptPages;

use super::{
    fault::Fault,
    form::Entered,
    map::tiles::marked,
    page::Page,
    show::{Choice, Group},
};
use crate::routes::Routes;

/// Years, quarters and months that are offered.
const YEARS: i64 = 5;
const QUARTERS: i64 = 5;
const MONTHS: i64 = 13;

/// A page of figures is asked for again each time, and mostly found to be the same.
pub(crate) const ALWAYS_ASK: &str = "private, no-cache";

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/figures", get(sheet::of_place))
        .route("/figures/areas/{code}", get(sheet::of_area))
        .route("/figures/units/{code}", get(sheet::of_unit))
        .route("/figures/indicators", get(one::all))
        .route("/figures/indicators/{code}", get(one::one))
        .route("/open-data", get(open::page))
        .route("/open-data/{name}", get(open::file))
}

#[derive(Template)]
#[template(path = "figures_wait.html")]
struct Waiting<'a> {
    p: &'a Page,
}

/// What a page of figures is made of; while it is being counted anew after a start, a page that says so.
pub(crate) async fn told(
    page: &Page,
    viewer: Viewer<'_>,
    questions: &[Question],
) -> Result<Result<Arc<Told>, Response>, Fault> {
    match page.app.whistle.told(&page.here, viewer, questions).await {
        Ok(told) => Ok(Ok(told)),
        Err(Error::Busy(after)) => {
            let mut answer = page.render_as(StatusCode::SERVICE_UNAVAILABLE, &Waiting { p: page })?;
            let seconds = after.as_secs().max(1);
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            Ok(Err(answer))
        }
        Err(error) => Err(error.into()),
    }
}

/// Answers with a page that is known by what it was made of, without it when the reader has it.
pub(crate) fn answered(
    page: &Page,
    headers: &HeaderMap,
    mark: &str,
    text: impl FnOnce() -> Result<Response, Fault>,
) -> Result<Response, Fault> {
    // The page of another session has another token in its forms, and that of another post other figures.
    let own = page.signed.as_ref().map(|signed| {
        page.app
            .whistle
            .form_token(&format!("{}/{}", page.form_token, signed.post.code))
    });
    let own = own.as_deref().and_then(|own| own.get(..12)).unwrap_or_default();
    let mark = format!("{mark}-{}{own}", page.lang().as_str());
    let mut made = Ok(());
    let answer = marked(headers, &mark, ALWAYS_ASK, || match text() {
        Ok(answer) => answer,
        Err(fault) => {
            made = Err(fault);
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    });
    made.map(|()| answer)
}

/// The period of an address; this year where there is none, and the last one while this has hardly begun.
pub(crate) fn period(page: &Page, asked: &Entered) -> Result<Period, Fault> {
    let today = today(page);
    let read = |text: &str| {
        text.parse::<Date>()
            .map_err(|_| wrong(format!("{text:?} is no day")))
    };
    let period = match (asked.some("from"), asked.some("period")) {
        (Some(from), _) => {
            let to = asked.some("to").map(read).transpose()?.unwrap_or(today);
            Period::between(read(from)?, to)
        }
        (None, Some(text)) => text.parse(),
        (None, None) => Period::year(today.saturating_sub(31.days()).year()),
    };
    Ok(period.map_err(|error| wrong(error.to_string()))?)
}

fn wrong(what: String) -> Error {
    Error::Invalid {
        field: "period",
        what,
    }
}

pub(crate) fn today(page: &Page) -> Date {
    page.here.place.calendar.zone().to_datetime(page.now).date()
}

/// Steps of time that are neither too many for a chart nor too few.
pub(crate) fn step(period: Period) -> Step {
    let days = (period.last_day() - period.first_day()).get_days() + 1;
    match days {
        ..=31 => Step::Day,
        32..=100 => Step::Week,
        101..=1_200 => Step::Month,
        _ => Step::Year,
    }
}

impl Page {
    /// The periods that are offered, and the one that was asked for.
    pub(crate) fn spans(&self, chosen: Period) -> Vec<Group> {
        let today = today(self);
        let mut is_offered = false;
        let mut choice = |period: Period| {
            is_offered |= period == chosen;
            Choice {
                chosen: period == chosen,
                value: period.to_string(),
                label: self.span(period),
            }
        };
        let mut back = |n: i64, step: Step, span: fn(i64) -> jiff::Span| {
            let periods = (0..n).filter_map(|back| Period::of(step, today.saturating_sub(span(back))).ok());
            periods.map(&mut choice).collect::<Vec<_>>()
        };
        let years = back(YEARS, Step::Year, jiff::ToSpan::years);
        let quarters = back(QUARTERS, Step::Quarter, |n| (3 * n).months());
        let months = back(MONTHS, Step::Month, jiff::ToSpan::months);
        let mut groups = vec![
            Group {
                label: self.t("figures-years"),
                choices: years,
            },
            Group {
                label: self.t("figures-quarters"),
                choices: quarters,
            },
            Group {
                label: self.t("figures-months"),
                choices: months,
            },
        ];
        if !is_offered {
            let choice = Choice {
                chosen: true,
                value: chosen.to_string(),
                label: self.span(chosen),
            };
            groups.insert(
                0,
                Group {
                    label: self.t("figures-chosen"),
                    choices: vec![choice],
                },
            );
        }
        groups
    }
}
