//! Figures: what the counters of all jurisdictions add up to, in one question to the store.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use whistle_domain::{tally::Counted, words::JurisdictionCode};
use whistle_store::{Store, Within, place, sums};

use crate::{
    error::Result,
    site::Site,
    time::{Clock, SystemClock},
};

/// By what the figures of a jurisdiction are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Not at all: one row for each jurisdiction, also for one without a case.
    Jurisdiction,
    /// A row for each service of which there were cases.
    Service,
    /// A row for each month in which something was counted; what is open now belongs to none.
    Month,
}

impl By {
    /// What has a figure in each row.
    pub fn counted(self) -> impl Iterator<Item = Counted> {
        let has_day = |counted: &Counted| *counted != Counted::Open;
        Counted::ALL
            .into_iter()
            .filter(move |counted| self != Self::Month || has_day(counted))
    }
}

/// One row of figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Of which jurisdiction.
    pub jurisdiction: JurisdictionCode,
    /// The code of the service, or the month as `2027-01`; none for the whole jurisdiction.
    pub part: Option<String>,
    /// How many of what; what is missing is none.
    pub counts: BTreeMap<Counted, i64>,
}

/// The figures of all jurisdictions of an install for the days from `from` to `to`, both included, each place's in its own
/// time zone. What is open is open now, whatever the days. In the order of codes and parts.
///
/// Needs neither the install's key nor its places in memory: whoever may read the database may run it from any machine.
pub fn figures(site: &Site, by: By, from: Date, to: Date) -> Result<Vec<Figures>> {
    let within = match by {
        By::Jurisdiction => Within::Jurisdiction,
        By::Service => Within::Service,
        By::Month => Within::Day,
    };
    site.prepare()?;
    let store = Store::open(site.database(), SystemClock.now())?;
    let rows = store.examine(|conn| -> Result<_> {
        let current = place::all(conn)?;
        let codes: HashMap<i64, &JurisdictionCode> = current.iter().map(|it| (it.id.0, &it.code)).collect();
        let mut rows = BTreeMap::<(JurisdictionCode, Option<String>), BTreeMap<Counted, i64>>::new();
        if by == By::Jurisdiction {
            rows.extend(
                codes
                    .values()
                    .map(|code| (((*code).clone(), None), BTreeMap::new())),
            );
        }
        sums(conn, within, from, to, |sum| {
            // What a newer program counts has no column here.
            let counted = Counted::ALL
                .into_iter()
                .find(|counted| counted.as_str() == sum.name);
            let (Some(code), Some(counted)) = (codes.get(&sum.jurisdiction_id), counted) else {
                return;
            };
            let month = sum.day.map(|day| day.strftime("%Y-%m").to_string());
            let part = sum.service_code.map(str::to_owned).or(month);
            let counts = rows.entry(((*code).clone(), part)).or_default();
            *counts.entry(counted).or_default() += sum.n;
        })?;
        Ok(rows)
    })?;
    let rows = rows.into_iter().map(|((jurisdiction, part), counts)| Figures {
        jurisdiction,
        part,
        counts,
    });
    Ok(rows.collect())
}
