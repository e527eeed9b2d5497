//! From a folder to a place, or to all that is wrong with it.

use jiff::{Timestamp, tz::TimeZone};
use whistle_domain::{
    place::{Areas, Parts, Place, WhistleKind},
    routing::Routing,
    words::{AccessClass, Lang},
};
use whistle_figures::indicator::{Book, KnownCodes};

use crate::{
    areas::{self, AreaBook},
    calendar::{self, CALENDAR},
    escalations::{self, ESCALATIONS, LadderBook},
    fault::{Fault, Faults, at, whole},
    folder::{Folder, KNOWN_FILES, NEEDED_FILES, text_folder},
    indicators,
    jurisdiction::{self, Charter},
    rounds::{self, ROUNDS},
    routing::{self, Books, ROUTING},
    services::{self, QUESTIONS, SERVICES, ServiceBook},
    standards::{self, STANDARDS, StandardBook},
    table::{self, Codes, Layout, Table},
    text::{decode, did_you_mean, shown},
    units::{self, POSTS, UNITS},
    whistles::{self, WHISTLES},
};

/// A place, and what somebody should look at in its folder.
#[derive(Debug)]
pub struct Compiled {
    /// The place.
    pub place: Place,
    /// Its indicators: those that are shipped, and its own.
    pub indicators: Book,
    /// Faults that do not stand in the way, by file and line.
    pub warnings: Vec<Fault>,
}

/// Checks a folder and builds its place. Gives all faults at once, by file and line, when there is an error among
/// them.
pub fn compile(folder: &Folder, version: u32) -> Result<Compiled, Faults> {
    let mut faults = Faults::default();
    let place = place(folder, version, &mut faults);
    let faults = faults.sorted();
    match place {
        Some((place, indicators)) if !faults.has_errors() => Ok(Compiled {
            place,
            indicators,
            warnings: faults.into_list(),
        }),
        _ => Err(faults),
    }
}

fn place(folder: &Folder, version: u32, faults: &mut Faults) -> Option<(Place, Book)> {
    check_files(folder, faults);
    let table = |layout: &'static Layout, faults: &mut Faults| -> Option<Table> {
        table::read(layout, folder.file(layout.file)?, faults)
    };

    let charter = folder
        .file(jurisdiction::FILE)
        .and_then(|bytes| jurisdiction::read(bytes, faults));
    let gaps = charter.as_ref().map(|charter| &charter.gaps);
    let areas = folder
        .file(areas::FILE)
        .and_then(|bytes| areas::read(bytes, gaps, faults));
    if let (Some(charter), Some(areas)) = (&charter, &areas) {
        check_side(&charter.time_zone, areas, faults);
    }
    let units = table(&UNITS, faults).map(|rows| units::read_units(&rows, areas.as_ref(), faults));
    let post_rows = table(&POSTS, faults);
    let mut services = table(&SERVICES, faults).map(|rows| services::read_services(&rows, faults));
    if let Some(rows) = table(&QUESTIONS, faults) {
        services::read_questions(&rows, services.as_mut(), faults);
    }
    // None where there is a file and it cannot be read.
    let ladders = match folder.file(ESCALATIONS.file) {
        None => Some(LadderBook::default()),
        Some(_) => table(&ESCALATIONS, faults)
            .map(|rows| escalations::read(&rows, units.as_ref(), post_rows.as_ref(), faults)),
    };
    let standards = table(&STANDARDS, faults)
        .map(|rows| standards::read(&rows, services.as_ref(), units.as_ref(), ladders.as_ref(), faults));
    let classes = match (&charter, &services, &standards) {
        (Some(charter), Some(services), Some(standards)) => {
            Some(declared_classes(charter, services, standards, faults))
        }
        _ => None,
    };
    let posts = post_rows.as_ref().map(|rows| {
        let (units, areas) = (units.as_ref(), areas.as_ref());
        units::read_posts(rows, units, areas, services.as_ref(), classes.as_deref(), faults)
    });
    let books = Books {
        areas: areas.as_ref(),
        units: units.as_ref(),
        services: services.as_ref(),
        standards: standards.as_ref(),
    };
    let rules = table(&ROUTING, faults).map(|rows| routing::read(&rows, books, faults));
    let kinds = table(&WHISTLES, faults).map(|rows| whistles::read(&rows, faults));
    let rounds = table(&ROUNDS, faults).map(|rows| {
        let posts = post_rows.as_ref().map(codes_of_posts);
        rounds::read(&rows, areas.as_ref(), posts.as_ref(), services.as_ref(), faults)
    });
    let dates = table(&CALENDAR, faults);
    let calendar = charter
        .as_ref()
        .and_then(|charter| calendar::read(charter, dates.as_ref(), faults));
    let known = match folder.file(indicators::FILE) {
        None => KnownCodes::default(),
        Some(_) => KnownCodes {
            areas: areas.as_ref().map(|book| book.known().into()),
            services: services.as_ref().map(|book| book.known().into()),
            groups: services.as_ref().map(|book| book.groups().into()),
            standards: standards.as_ref().map(|book| book.codes.known().into()),
            units: units.as_ref().map(|book| book.codes.known().into()),
        },
    };
    let languages = charter
        .as_ref()
        .map_or(&Lang::ALL[..], |charter| &charter.jurisdiction.languages);
    let indicators = indicators::read(folder.file(indicators::FILE), &known, languages, faults);
    if faults.has_errors() {
        return None;
    }

    let lines = services.as_ref().map(|services| services.codes.clone());
    let areas = Areas::new(areas?.build(faults)?);
    let rounds = rounds.unwrap_or_default();
    rounds.check_points(&areas, faults);
    let place = Place::new(Parts {
        jurisdiction: charter?.jurisdiction,
        version,
        areas,
        calendar: calendar?,
        routing: Routing::new(rules?),
        units: units?.units,
        posts: posts?,
        services: services?.services,
        standards: standards?.standards,
        ladders: ladders?.ladders,
        whistle_kinds: kinds.unwrap_or_else(WhistleKind::defaults),
        rounds: rounds.rounds,
    });
    warn_of_unseen(&place, lines.as_ref(), faults);
    Some((place, indicators))
}

/// The codes in posts.csv, for what refers to them. What is wrong with them is said once, where the posts are read.
fn codes_of_posts(rows: &Table) -> Codes {
    let mut codes = rows.codes("post");
    for row in &rows.rows {
        codes.add(row.cell("code"), row.at(), &mut Faults::default());
    }
    codes
}

/// The classes of access that cases have, or may. One that is written in two ways would be two, of which posts name one.
fn declared_classes(
    charter: &Charter,
    services: &ServiceBook,
    standards: &StandardBook,
    faults: &mut Faults,
) -> Vec<AccessClass> {
    let line = |codes: &Codes, code: &str| codes.line(code).unwrap_or(1);
    let of_charter = charter.access_classes.iter();
    let of_charter = of_charter.map(|(class, line)| (class, at(jurisdiction::FILE, *line)));
    let of_services = services.services.iter().filter_map(|service| {
        let line = line(&services.codes, service.code.as_str());
        Some((service.access.class()?, at(SERVICES.file, line)))
    });
    let of_standards = standards.standards.iter().filter_map(|standard| {
        let line = line(&standards.codes, standard.code.as_str());
        Some((standard.access.as_ref()?.class()?, at(STANDARDS.file, line)))
    });
    let mut classes: Vec<AccessClass> = Vec::new();
    for (class, place) in of_charter.chain(of_services).chain(of_standards) {
        let folded = class.as_str().to_lowercase();
        match classes
            .iter()
            .find(|other| other.as_str().to_lowercase() == folded)
        {
            None => classes.push(class.clone()),
            Some(other) if other == class => {}
            Some(other) => {
                let (one, other) = (shown(class.as_str()), shown(other.as_str()));
                let what = format!("class of access {one} is {other} but for capital letters");
                faults.error(place, what, format!("write {other} here too"));
            }
        }
    }
    classes
}

/// Warns of services whose cases nobody would ever see. A place without posts has nobody yet.
fn warn_of_unseen(place: &Place, lines: Option<&Codes>, faults: &mut Faults) {
    if place.posts().next().is_none() {
        return;
    }
    for service in place.unseen_services() {
        let line = lines
            .and_then(|codes| codes.line(service.code.as_str()))
            .unwrap_or(1);
        faults.warn(
            at(SERVICES.file, line),
            format!(
                "no post may see the cases of service {}",
                shown(service.code.as_str())
            ),
            "name its class of access, or the service, in a row of posts.csv",
        );
    }
}

/// Refuses a place whose longitudes and latitudes are exchanged throughout. Where both are small enough to pass for
/// the other, only the time zone tells: zones lie within some 30° of their meridian, but for the far west of China,
/// whose latitudes are far from it too.
fn check_side(zone: &str, areas: &AreaBook, faults: &mut Faults) {
    const DEGREES_PER_HOUR: f64 = 15.0;
    const FAR: f64 = 30.0;
    const NEAR: f64 = 20.0;
    let midwinter = Timestamp::constant(1_768_435_200, 0);
    let (Some([lon, lat]), Ok(zone)) = (areas.middle(), TimeZone::get(zone)) else {
        return;
    };
    let meridian = f64::from(zone.to_offset(midwinter).seconds()) / 3_600.0 * DEGREES_PER_HOUR;
    let apart = |degrees: f64| (degrees - meridian + 540.0).rem_euclid(360.0) - 180.0;
    if apart(lon).abs() > FAR && apart(lat).abs() < NEAR {
        faults.error(
            whole(areas::FILE),
            format!(
                "lies around {lon:.2}, {lat:.2}, far from its time zone: longitude and latitude look swapped"
            ),
            "write longitude first, or mend time_zone in jurisdiction.toml",
        );
    }
}

/// Says what is missing and what belongs to no place, and looks at the files that others will read.
fn check_files(folder: &Folder, faults: &mut Faults) {
    for file in NEEDED_FILES {
        if folder.file(file).is_none() {
            faults.error(
                whole(file),
                "is missing",
                "add it; docs/place-folder.md says what is in it",
            );
        }
    }
    for stranger in folder.strangers() {
        let mend = did_you_mean(stranger, KNOWN_FILES, "remove it, or keep it elsewhere");
        faults.warn(whole(stranger), "is no file of a place and was not read", mend);
    }
    for (path, bytes) in folder
        .files()
        .iter()
        .filter(|(path, _)| text_folder(path).is_some())
    {
        decode(path, bytes, faults);
    }
}
