//! Figures: what the counters of all jurisdictions add up to, in one question to the store.

use std::collections::BTreeMap;

use jiff::civil::Date;
use whistle_domain::{
    tally::Counted,
    words::{JurisdictionCode, JurisdictionId},
};
use whistle_store::{Within, sums};

use crate::{Whistle, error::Result};

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

impl Whistle {
    /// The figures of all jurisdictions for the days from `from` to `to`, both included, each place's in its own time zone.
    /// What is open is open now, whatever the days. In the order of codes and parts.
    pub fn figures(&self, by: By, from: Date, to: Date) -> Result<Vec<Figures>> {
        let within = match by {
            By::Jurisdiction => Within::Jurisdiction,
            By::Service => Within::Service,
            By::Month => Within::Day,
        };
        let summed = self.store.read_blocking(|conn| sums(conn, within, from, to))?;
        let places = self.places();
        let codes: BTreeMap<JurisdictionId, &JurisdictionCode> = places
            .all()
            .iter()
            .map(|here| (here.id, &here.place.jurisdiction.code))
            .collect();
        let mut rows = BTreeMap::<_, BTreeMap<Counted, i64>>::new();
        if by == By::Jurisdiction {
            rows.extend(codes.values().map(|code| ((*code, None), BTreeMap::new())));
        }
        for sum in summed {
            // One that was applied a moment ago waits for the next time; what a newer program counts has no column here.
            let (Some(code), Some(counted)) = (
                codes.get(&JurisdictionId(sum.jurisdiction_id)),
                Counted::ALL
                    .into_iter()
                    .find(|counted| counted.as_str() == sum.name),
            ) else {
                continue;
            };
            let month = sum.day.map(|day| day.strftime("%Y-%m").to_string());
            let counts = rows.entry((*code, sum.service_code.or(month))).or_default();
            *counts.entry(counted).or_default() += sum.n;
        }
        let rows = rows.into_iter().map(|((code, part), counts)| Figures {
            jurisdiction: code.clone(),
            part,
            counts,
        });
        Ok(rows.collect())
    }
}
