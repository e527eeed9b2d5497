//! Codes and numbers from outside, as the domain's types. What cannot be a code is simply unknown.

use whistle_domain::{
    command::Refusal,
    geometry::Point,
    words::{AreaCode, CaseNumber, ServiceCode, StandardCode, StopCode, UnitCode},
};

use super::{
    error::{Problem, Result},
    wire::Code,
};

pub(crate) fn service(code: &Code) -> Result<ServiceCode> {
    code.as_str()
        .parse()
        .map_err(|_| Refusal::UnknownService(code.0.clone()).into())
}

pub(crate) fn standard(code: &Code) -> Result<StandardCode> {
    code.as_str()
        .parse()
        .map_err(|_| Refusal::UnknownStandard(code.0.clone()).into())
}

pub(crate) fn unit(code: &Code) -> Result<UnitCode> {
    code.as_str()
        .parse()
        .map_err(|_| Refusal::UnknownUnit(code.0.clone()).into())
}

pub(crate) fn stop(code: &Code) -> Result<StopCode> {
    let unknown = |_| Problem::not_found("stop", &code.0);
    code.as_str().parse().map_err(unknown)
}

pub(crate) fn area(code: &Code) -> Result<AreaCode> {
    code.as_str()
        .parse()
        .map_err(|_| Refusal::UnknownArea(code.0.clone()).into())
}

pub(crate) fn number(text: &str) -> Result<CaseNumber> {
    text.parse().map_err(|_| Problem::not_found("case", text))
}

pub(crate) fn point(lon: f64, lat: f64) -> Result<Point> {
    let field = if lon.abs() <= 180.0 { "lat" } else { "lon" };
    Point::new(lon, lat).map_err(|error| Problem::value(field, error.to_string()))
}

/// The length of a page, within what the store gives.
pub(crate) fn limit(wanted: Option<usize>) -> Result<usize> {
    use whistle_service::list::{DEFAULT_PAGE, MAX_PAGE};
    match wanted {
        None => Ok(DEFAULT_PAGE),
        Some(limit) if (1..=MAX_PAGE).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::value(
            "limit",
            format!("a page has 1 to {MAX_PAGE} items"),
        )),
    }
}
