//! `whistle check`: whether somebody leads every service everywhere and may see its cases, and who hears of nothing.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use whistle_domain::words::UnitCode;
use whistle_service::place;

use super::{Which, open, plan};
use crate::{
    config::Config,
    failure::{Failure, Result},
    output,
};

pub(super) const EXAMPLE: &str = "Exit code 1 when a link is open, or work on cases is done by nobody who may see them.\n\
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
        let found = if let Some(dir) = &self.dir {
            let plan = place::plan_first(dir).map_err(|error| plan::faults_or(error, dir, self.json))?;
            plan::Checked {
                jurisdiction: plan.jurisdiction,
                open_links: plan.open_links,
                unseen_services: plan.unseen_services,
                uncleared: plan.uncleared,
                unreached: plan.unreached,
            }
        } else {
            let here = self.which.here(&open(config)?)?;
            let place = &here.place;
            plan::Checked {
                jurisdiction: place.jurisdiction.code.clone(),
                open_links: whistle_place::check(place),
                unseen_services: place::unseen_services(place),
                uncleared: place::uncleared(place),
                unreached: whistle_place::unreached(place),
            }
        };
        if self.json {
            output::json(&found);
        } else {
            plan::print_open_links(&found.open_links);
            for service in &found.unseen_services {
                output::line(format!(
                    "service {service}: no post may see its cases; name it, or its class of access, in posts.csv"
                ));
            }
            plan::print_uncleared(&found.uncleared);
            print_unreached(&found.unreached);
        }
        verdict(&found, self.json)
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

fn verdict(found: &plan::Checked, json: bool) -> Result<()> {
    let code = &found.jurisdiction;
    let (open, unseen) = (found.open_links.len() as u64, found.unseen_services.len() as u64);
    match (open, unseen, found.uncleared.len() as u64) {
        (0, 0, 0) if json => Ok(()),
        (0, 0, 0) => {
            output::line(format!("{code}: somebody leads every service everywhere"));
            Ok(())
        }
        (0, 0, n) => Err(Failure::Found(format!(
            "{code} has {} that nobody does who may see them; name their class in posts.csv and apply the place again",
            output::count(n, "kind of work on cases", "kinds of work on cases")
        ))),
        (0, n, _) => Err(Failure::Found(format!(
            "{code} has {} whose cases no post may see",
            output::count(n, "service", "services")
        ))),
        (n, ..) => Err(Failure::Found(format!(
            "{code} has {} in its chain of responsibility; add the lines to routing.csv and apply the place again",
            output::count(n, "open link", "open links")
        ))),
    }
}
