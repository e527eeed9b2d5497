//! The places that ship: sound, without an open link, and as large as they say.

use std::path::{Path, PathBuf};

use whistle_domain::place::{Level, Place, UnitKind};
use whistle_place::{Folder, check, compile, difference};

fn dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name)
}

fn example(name: &str) -> (Place, Vec<String>) {
    let folder = Folder::read(&dir(name)).expect("the example can be read");
    let compiled = compile(&folder, 1).unwrap_or_else(|faults| panic!("{faults}"));
    let warnings = compiled.warnings.iter().map(ToString::to_string).collect();
    (compiled.place, warnings)
}

fn counts(place: &Place) -> String {
    let at = |level: Level| place.areas.all().iter().filter(|a| a.level == level).count();
    let areas: Vec<String> = Level::ALL
        .map(|level| format!("{} {}", at(level), level.as_str()))
        .to_vec();
    let units = |kind: UnitKind| place.units().iter().filter(|u| u.kind == kind).count();
    let services = place.services();
    format!(
        "{}; {} stations, {} departments, {} teams; {} posts; {} groups, {} services, {} standards",
        areas.join(", "),
        units(UnitKind::Station),
        units(UnitKind::Department),
        units(UnitKind::Team),
        place.posts().count(),
        services.iter().filter(|s| s.is_group()).count(),
        services.iter().filter(|s| !s.is_group()).count(),
        place.standards().len(),
    )
}

#[test]
fn three_rivers_is_sound_and_whole() {
    let (place, warnings) = example("three-rivers");
    insta::assert_snapshot!(counts(&place), @r"1 city, 12 town, 95 community, 1200 cell; 108 stations, 24 departments, 6 teams; 495 posts; 11 groups, 60 services, 75 standards");
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(check(&place), []);
}

#[test]
fn three_rivers_speaks_chinese_and_english_throughout() {
    use whistle_domain::words::{Lang, Text};
    let (place, _) = example("three-rivers");
    let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let check = |text: &Text| {
        assert!(is_chinese(text.get(Lang::Zh)), "{text:?}");
        assert!(!is_chinese(text.get(Lang::En)), "{text:?}");
    };
    place.areas.all().iter().for_each(|area| check(&area.name));
    place.units().iter().for_each(|unit| check(&unit.name));
    place.posts().for_each(|post| check(&post.name));
    place.services().iter().for_each(|service| check(&service.name));
    for standard in place.standards() {
        check(&standard.closing);
        if !standard.condition.is_empty() {
            check(&standard.condition);
        }
    }
}

#[test]
fn zurich_is_sound_and_whole() {
    let (place, warnings) = example("zurich");
    insta::assert_snapshot!(counts(&place), @r"1 city, 12 town, 34 community, 216 cell; 47 stations, 9 departments, 3 teams; 215 posts; 5 groups, 10 services, 15 standards");
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(check(&place), []);
}

#[test]
fn new_york_is_sound_and_admits_its_gaps() {
    let (place, warnings) = example("new-york");
    insta::assert_snapshot!(counts(&place), @r"1 city, 5 town, 59 community, 0 cell; 65 stations, 12 departments, 2 teams; 291 posts; 12 groups, 51 services, 59 standards");
    insta::assert_snapshot!(warnings.join("\n"), @r#"
    areas.geojson:2: warning: area "NYC" has 2,251,424 m², 0.32 % of it, in no area below, near -73.845884, 40.703278; allowed: large parks lie in no community district; the borough or the city answers for them
    areas.geojson:3: warning: area "1" has 3,560,583 m², 6.09 % of it, in no area below, near -73.965592, 40.782431; allowed: large parks lie in no community district; the borough or the city answers for them
    areas.geojson:4: warning: area "2" has 2,922,250 m², 3.06 % of it, in no area below, near -73.875020, 40.856549; allowed: large parks lie in no community district; the borough or the city answers for them
    areas.geojson:5: warning: area "3" has 2,424,767 m², 1.45 % of it, in no area below, near -73.969488, 40.663280; allowed: large parks lie in no community district; the borough or the city answers for them
    "#);
    assert_eq!(check(&place), []);
}

#[test]
fn taipei_is_sound_and_whole() {
    let (place, warnings) = example("taipei");
    insta::assert_snapshot!(counts(&place), @r"1 city, 12 town, 456 community, 0 cell; 13 stations, 14 departments, 2 teams; 87 posts; 8 groups, 31 services, 37 standards");
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(check(&place), []);
}

#[test]
fn every_station_of_three_rivers_stands_in_its_area() {
    let (place, _) = example("three-rivers");
    for unit in place.units().iter().filter(|u| u.kind == UnitKind::Station) {
        let found = place.areas.locate(unit.point.expect("a station has a place"));
        assert!(
            found.is_some_and(|area| place.areas.is_within(area, unit.area)),
            "{}",
            unit.code
        );
    }
}

#[test]
fn an_example_does_not_differ_from_itself() {
    let folder = Folder::read(&dir("three-rivers")).expect("the example can be read");
    assert_eq!(difference(Some(&folder), &folder), []);
    assert_eq!(
        difference(None, &folder).len(),
        difference(Some(&Folder::default()), &folder).len()
    );
}
