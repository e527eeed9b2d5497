//! Near duplicates: the same service, near in place and time, not closed. Offered before a report is sent.

use jiff::{SignedDuration, Timestamp};

use crate::{case::Case, geometry::Point, place::Settings, words::ServiceCode};

/// The most near duplicates that are offered.
pub const MAX_OFFERED: usize = 5;

/// A case that may be the same matter.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// The case.
    pub case: Case,
    /// How far away, in metres.
    pub metres: f64,
}

/// Those of the candidates that are near duplicates of a matter, nearest first. The caller brings only cases that the
/// asker may see.
pub fn near_duplicates(
    candidates: impl IntoIterator<Item = Case>,
    service: &ServiceCode,
    point: Point,
    now: Timestamp,
    settings: &Settings,
) -> Vec<Near> {
    let ago = SignedDuration::from_hours(i64::from(settings.duplicate_hours));
    let since = now.saturating_sub(ago).unwrap_or(Timestamp::MIN);
    let mut near: Vec<Near> = candidates
        .into_iter()
        .filter(|case| case.service == *service && case.state.is_open() && case.times.reported_at >= since)
        .filter_map(|case| {
            let metres = case.location.point?.distance_metres(&point);
            (metres <= settings.duplicate_metres).then_some(Near { case, metres })
        })
        .collect();
    near.sort_by(|a, b| {
        a.metres
            .total_cmp(&b.metres)
            .then_with(|| b.case.number.cmp(&a.case.number))
    });
    near.truncate(MAX_OFFERED);
    near
}
