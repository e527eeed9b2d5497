//! Indicators: what there is to ask, what they come to, and the rows behind them.

use axum::{
    Json as Answer,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use whistle_service::{
    export::ExportFormat,
    indicator::{self, Sought},
    list::Viewer,
};

use super::{
    error::{ErrorAnswer, Problem, Result},
    extract::{Known, Query, Visit},
    wire::{
        Code,
        case::{Depth, StaffCase},
        indicator::{
            Answer as FigureAnswer, Compared, FigureQuery, Indicator, IndicatorList, RowPage, RowQuery,
        },
        place::PlaceOnly,
    },
};
use crate::{App, pages::map::tiles::marked};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(indicators))
        .routes(routes!(figures))
        .routes(routes!(rows))
}

/// What an answer of figures may be asked for without being asked for again: it is another one as soon as a case changes.
const ALWAYS_ASK: &str = "private, no-cache";

fn viewer(visit: &Visit) -> Viewer<'_> {
    let staff = visit.staff_if_any();
    staff.map_or(Viewer::Public, |signed_in| Viewer::Staff(&signed_in.actor))
}

/// All indicators of the place: the shipped ones, with its own, each with its formula in words.
#[utoipa::path(get, path = "/indicators", tag = "figures", operation_id = "list_indicators", params(PlaceOnly),
    security((), ("api_key" = []), ("session" = [])),
    responses((status = 200, body = IndicatorList, description = "The indicators.")))]
async fn indicators(visit: Visit, _known: Query<PlaceOnly>) -> Answer<IndicatorList> {
    Answer(IndicatorList {
        place_version: visit.here.place.version,
        items: indicator::indicators(&visit.here).map(Indicator::from).collect(),
    })
}

/// What an indicator comes to in a period, whole and cut. Staff see every figure of their area or unit; to everybody else one of
/// fewer than five cases is masked, and what is known of services that are not everybody's stands together. `ETag` is the same as
/// long as nothing changed.
#[utoipa::path(get, path = "/indicators/{code}", tag = "figures", operation_id = "get_figures",
    params(("code" = Code, Path, description = "The indicator's code."), FigureQuery),
    security((), ("api_key" = []), ("session" = [])),
    responses(
        (status = 200, body = FigureAnswer, description = "The figures, with formula, version and lag."),
        (status = 304, description = "They are as `If-None-Match` has them."),
    ))]
async fn figures(
    State(app): State<App>,
    visit: Visit,
    Path(code): Path<String>,
    Query(query): Query<FigureQuery>,
    headers: HeaderMap,
) -> Result<Response> {
    let here = &visit.here;
    let found = indicator::indicator(here, &code)?;
    let mut question = query.question(&code, here, app.whistle.now())?;
    question.with_before = query.compare.contains(&Compared::Before);
    question.with_last_year = query.compare.contains(&Compared::LastYear);
    let told = app
        .whistle
        .told(here, viewer(&visit), std::slice::from_ref(&question))
        .await?;
    let answer =
        FigureAnswer::of(&told, &question, found).ok_or_else(|| Problem::not_found("indicator", &code))?;
    Ok(marked(&headers, &told.mark, ALWAYS_ASK, || {
        Answer(answer).into_response()
    }))
}

/// The rows behind a figure, for staff who may see it: of their area, or of their unit. A case that they may not see is not listed,
/// and it is said how many there are. With `format`, all rows as a file.
#[utoipa::path(get, path = "/indicators/{code}/rows", tag = "figures", operation_id = "list_rows",
    params(("code" = Code, Path, description = "The indicator's code."), RowQuery),
    security(("session" = [])),
    responses(
        (status = 200, description = "A page of rows; or, with `format`, a file of all of them.", content(
            (RowPage = "application/json"), (String = "text/csv"),
            (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (Vec<u8> = "application/vnd.apache.parquet"))),
        (status = 403, body = ErrorAnswer, description = "Not the post's area or unit; an API key has no staff view."),
    ))]
async fn rows(
    State(app): State<App>,
    Known(visit): Known,
    Path(code): Path<String>,
    Query(query): Query<RowQuery>,
) -> Result<Response> {
    let (here, whistle) = (&visit.here, &app.whistle);
    let actor = &visit.staff()?.actor;
    let question = query.question(&code, here, whistle.now())?;
    let key = query
        .key
        .as_deref()
        .map(|text| indicator::key(question.cut, text));
    let sought = Sought {
        key: key.transpose()?,
        part: query.part.into(),
        question,
    };
    if let Some(format) = query.format.of_file() {
        let lang = query.lang.map_or_else(
            || {
                here.place
                    .jurisdiction
                    .languages
                    .first()
                    .copied()
                    .unwrap_or_default()
            },
            Into::into,
        );
        let file = whistle.file_of_rows(here, actor, &sought, format, lang).await?;
        return Ok(attached(file, &code, format));
    }
    let limit = query.limit.unwrap_or(indicator::MAX_ROWS);
    if !(1..=indicator::MAX_ROWS).contains(&limit) {
        return Err(Problem::value(
            "limit",
            format!("a page has 1 to {} rows", indicator::MAX_ROWS),
        ));
    }
    let behind = whistle
        .rows_behind(here, actor, &sought, query.after, limit)
        .await?;
    let items = behind
        .cases
        .iter()
        .map(|case| StaffCase::of(case, &here.place, whistle.now(), Depth::Row));
    let page = RowPage {
        total: behind.total,
        rows: behind.rows,
        hidden: behind.hidden,
        items: items.collect(),
        codes: behind.codes,
        next: behind.next,
    };
    Ok(Answer(page).into_response())
}

/// A file to be saved.
pub(crate) fn attached(bytes: Vec<u8>, name: &str, format: ExportFormat) -> Response {
    let (kind, ending) = match format {
        ExportFormat::Csv => ("text/csv; charset=utf-8", "csv"),
        ExportFormat::GeoJson => ("application/geo+json", "geojson"),
        ExportFormat::Parquet => ("application/vnd.apache.parquet", "parquet"),
        ExportFormat::Xlsx => (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "xlsx",
        ),
    };
    let name: String = name
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
        .collect();
    let mut answer = ([(header::CONTENT_TYPE, kind)], bytes).into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.{ending}\"")) {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    answer
}
