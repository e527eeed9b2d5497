//! `whistle figures`: what all jurisdictions counted, side by side.

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use serde_json::{Map, Value};
use whistle_domain::tally::Counted;
use whistle_service::figures;

use super::ensure_taken;
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

pub(super) const EXAMPLE: &str = "Read from the counters in one query, however many jurisdictions there are. Days are each \
    place's own; what is open is open now.\n\
    Example: whistle figures --from 2027-01-01 --until 2027-12-31 --by month --data /var/lib/whistle";

#[derive(Debug, Args)]
pub(super) struct Figures {
    /// The first day [default: the first there is]
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// The last day [default: the last there is]
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// What a row is of
    #[arg(long, value_enum, default_value_t)]
    by: By,
    /// Print CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum By {
    #[default]
    Jurisdiction,
    Service,
    Month,
}

impl Figures {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        let (from, until) = (self.from.unwrap_or(Date::MIN), self.until.unwrap_or(Date::MAX));
        if from > until {
            return Err(Failure::Usage(format!(
                "--until {until} is before --from {from}; name a later day"
            )));
        }
        let (by, part) = match self.by {
            By::Jurisdiction => (figures::By::Jurisdiction, None),
            By::Service => (figures::By::Service, Some("service")),
            By::Month => (figures::By::Month, Some("month")),
        };
        let mut head = vec!["jurisdiction"];
        head.extend(part);
        head.extend(by.counted().map(Counted::as_str));
        ensure_taken(&config.site)?;
        let rows: Vec<Vec<Value>> = figures::figures(&config.site, by, from, until)?
            .into_iter()
            .map(|row| {
                let codes = [row.jurisdiction.to_string()].into_iter().chain(row.part);
                let counts = by.counted().map(|counted| row.counts.get(&counted).copied());
                let counts = counts.map(|n| n.unwrap_or_default().into());
                codes.map(Value::from).chain(counts).collect()
            })
            .collect();
        if self.json {
            let rows = rows.into_iter().map(|row| {
                let names = head.iter().map(|name| (*name).to_owned());
                names.zip(row).collect::<Map<_, _>>()
            });
            output::json(&rows.collect::<Vec<_>>());
            return Ok(());
        }
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(text).collect()).collect();
        if self.csv {
            // Codes have no commas and no quotation marks.
            output::line(head.join(","));
            for row in &rows {
                output::line(row.join(","));
            }
        } else {
            output::table(&head, &rows);
        }
        Ok(())
    }
}
