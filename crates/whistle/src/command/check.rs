//! `whistle check`: whether somebody leads every service everywhere and may see its cases, and who hears of nothing.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use whistle_domain::words::{ServiceCode, UnitCode};
use whistle_place::LinkFault;
use whistle_service::place;

use super::{Which, open, plan};
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

pub(super) const EXAMPLE: &str = "Exit code 1 when a link is open, or no post may see the cases of a service.\n\
    Example: whistle check examples/three-rivers";

#[derive(Debug, Args)]
pub(super) struct Check {
    /// A place folder; without one, the place in force in the data folder
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(&self, config: &Config) -> Result<()> {
        let (jurisdiction, open_links, unseen, unreached) = if let Some(dir) = &self.dir {
            let plan = place::plan_first(dir).map_err(|error| plan::faults_or(error, dir, self.json))?;
            (
                plan.jurisdiction,
                plan.open_links,
                plan.unseen_services,
                plan.unreached,
            )
        } else {
            let here = self.which.here(&open(config)?)?;
            let place = &here.place;
            (
                place.jurisdiction.code.clone(),
                whistle_place::check(place),
                place::unseen_services(place),
                whistle_place::unreached(place),
            )
        };
        if self.json {
            output::json(&plan::Checked {
                jurisdiction: &jurisdiction,
                open_links: &open_links,
                unseen_services: &unseen,
                unreached: &unreached,
            });
        } else {
            plan::print_open_links(&open_links);
            for service in &unseen {
                output::line(format!(
                    "service {service}: no post may see its cases; name it, or its class of access, in posts.csv"
                ));
            }
            print_unreached(&unreached);
        }
        verdict(jurisdiction.as_str(), &open_links, &unseen, self.json)
    }
}

/// Odd, but no fault: a place may tell its units in another way.
fn print_unreached(units: &[UnitCode]) {
    if units.is_empty() {
        return;
    }
    let codes: Vec<_> = units.iter().map(UnitCode::as_str).collect();
    output::line(format!(
        "warning: told nothing by mail, {} without an address: {}; fill in email in units.csv",
        output::count(units.len() as u64, "unit", "units"),
        codes.join(", ")
    ));
}

fn verdict(code: &str, open_links: &[LinkFault], unseen: &[ServiceCode], json: bool) -> Result<()> {
    match open_links.len() as u64 {
        0 if !unseen.is_empty() => Err(Failure::Found(format!(
            "{code} has {} whose cases no post may see",
            output::count(unseen.len() as u64, "service", "services")
        ))),
        0 if json => Ok(()),
        0 => {
            output::line(format!("{code}: somebody leads every service everywhere"));
            Ok(())
        }
        n => Err(Failure::Found(format!(
            "{code} has {} in its chain of responsibility; add the lines to routing.csv and apply the place again",
            output::count(n, "open link", "open links")
        ))),
    }
}
