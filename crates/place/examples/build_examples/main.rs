//! Builds the places that ship under `examples/`:
//!
//! ```text
//! cargo run -p whistle-place --example build_examples -- DATA_DIR examples
//! ```
//!
//! `DATA_DIR` holds `zurich/`, `nyc/` and `taipei/`, each with an `areas.geojson`; without it only Three Rivers is
//! built, which needs no data. What people wrote by hand (units, services, standards, routing, calendar) lies beside
//! this file and is copied; areas are taken from the data or generated; stations and posts follow from both.
//! The same input always gives the same bytes.

mod cities;
mod three_rivers;

use std::{error::Error, fmt::Write as _, fs, path::Path, process::ExitCode};

use whistle_place::{Folder, check, compile};

/// A name in the place's own words, in Chinese and in English; blank where the own one will do.
#[derive(Clone, Default)]
struct Name {
    own: String,
    zh: String,
    en: String,
}

/// One area to write.
struct Area {
    code: String,
    level: usize,
    kind: String,
    name: Name,
    parent: String,
    /// GeoJSON text.
    geometry: String,
    /// Where its station stands, when that is known.
    station: Option<[f64; 2]>,
}

/// One place to write.
struct Place {
    folder: &'static str,
    /// Files copied as they are: name and text.
    written: Vec<(&'static str, &'static str)>,
    /// units.csv without its stations.
    units: &'static str,
    areas: Vec<Area>,
    /// The deepest level that has stations.
    stations_down_to: usize,
    station_name: fn(&Area) -> Name,
    /// Titles of the posts, in the order of [`POSTS`].
    titles: [(&'static str, &'static str, &'static str); 7],
}

/// The posts: the ending of the code, and the roles.
const POSTS: [(&str, &str); 7] = [
    ("D", "dispatcher|call_taker"),
    ("L", "lead"),
    ("P", "patrol"),
    ("H", "handler"),
    ("C", "call_taker"),
    ("A", "auditor"),
    ("ADMIN", "administrator"),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (data, out) = match arguments.as_slice() {
        [out] => (None, out),
        [data, out] => (Some(Path::new(data)), out),
        _ => return Err("usage: build_examples [DATA_DIR] OUT_DIR".into()),
    };
    let mut places = vec![three_rivers::place()];
    if let Some(data) = data {
        places.push(cities::zurich(data)?);
        places.push(cities::new_york(data)?);
        places.push(cities::taipei(data)?);
    }
    for place in places {
        let dir = Path::new(out).join(place.folder);
        write(&place, &dir)?;
        let compiled = compile(&Folder::read(&dir)?, 1)?;
        for warning in &compiled.warnings {
            println!("{}: {warning}", place.folder);
        }
        for link in check(&compiled.place) {
            println!("{}: {link}", place.folder);
        }
        println!("{}: {} areas", dir.display(), place.areas.len());
    }
    Ok(())
}

fn write(place: &Place, dir: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(dir)?;
    for (name, text) in &place.written {
        fs::write(dir.join(name), text)?;
    }
    fs::write(dir.join("areas.geojson"), areas(place))?;
    let (units, posts) = units_and_posts(place);
    fs::write(dir.join("units.csv"), units)?;
    fs::write(dir.join("posts.csv"), posts)?;
    Ok(())
}

/// One feature a line, so that a changed area is a changed line.
fn areas(place: &Place) -> String {
    let features: Vec<String> = place
        .areas
        .iter()
        .map(|area| {
            let mut properties = serde_json::Map::new();
            let mut add = |key: &str, value: &str| {
                if !value.is_empty() {
                    properties.insert(key.to_owned(), value.into());
                }
            };
            add("code", &area.code);
            add("kind", &area.kind);
            add("name", &area.name.own);
            add("name_zh", &area.name.zh);
            add("name_en", &area.name.en);
            add("parent", &area.parent);
            properties.insert("level".to_owned(), area.level.into());
            format!(
                r#"{{"type":"Feature","properties":{},"geometry":{}}}"#,
                serde_json::Value::Object(properties),
                area.geometry
            )
        })
        .collect();
    format!(
        "{{\"type\":\"FeatureCollection\",\"features\":[\n{}\n]}}\n",
        features.join(",\n")
    )
}

fn units_and_posts(place: &Place) -> (String, String) {
    let mut units = place.units.to_owned();
    let mut posts = "code,name,name_zh,name_en,unit,area,roles\n".to_owned();
    let mut add_posts = |unit: &str, wanted: &[usize]| {
        for i in wanted {
            let (ending, roles) = POSTS[*i];
            let (own, zh, en) = place.titles[*i];
            writeln!(posts, "{unit}-{ending},{own},{zh},{en},{unit},,{roles}").expect("a string takes all");
        }
    };
    let departments = place
        .units
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next());
    for department in departments {
        add_posts(department, &[3, 1]);
    }
    for area in place.areas.iter().filter(|a| a.level <= place.stations_down_to) {
        let code = format!("ST-{}", area.code);
        let name = (place.station_name)(area);
        let above = match area.parent.as_str() {
            "" => String::new(),
            parent => format!("ST-{parent}"),
        };
        let [lon, lat] = area
            .station
            .map_or([String::new(), String::new()], |p| p.map(|n| format!("{n:.6}")));
        writeln!(
            units,
            "{code},{},{},{},station,{},{above},{lon},{lat},,",
            name.own, name.zh, name.en, area.code
        )
        .expect("a string takes all");
        match area.level {
            0 => add_posts(&code, &[0, 1, 2, 3, 4, 5, 6]),
            _ => add_posts(&code, &[0, 1, 2, 3]),
        }
    }
    (units, posts)
}
