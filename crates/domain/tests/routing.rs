//! Who leads what where.

mod village;

use proptest::prelude::*;
use village::{
    CITY, EAST, EAST_SPRING, HARBOUR, MILL, VILLAGE, WEST, WEST_SPRING, about, rule, unit, village_with,
};
use whistle_domain::{
    place::{AreaIndex, Level, Place},
    routing::{Leader, Matter, OpenLink, Routing, Rule, open_links},
};

fn with_rules(rules: Vec<Rule>) -> Place {
    village_with(|p| p.routing = Routing::new(rules))
}

fn lead(place: &Place, standard: &str, area: AreaIndex) -> Option<String> {
    let standard = place.standard(standard).unwrap();
    place.lead(standard, area).map(|u| u.code.to_string())
}

fn of_standard(code: &str) -> Matter {
    Matter::Standard(code.parse().unwrap())
}

#[test]
fn the_narrower_matter_goes_before_the_deeper_area() {
    let place = with_rules(vec![
        rule(Matter::All, MILL, unit("cleaners")),
        rule(about("street"), WEST, unit("roads")),
        rule(about("lamp"), CITY, unit("lights")),
        rule(of_standard("P2"), CITY, unit("road-crew")),
    ]);
    assert_eq!(lead(&place, "L1", MILL).unwrap(), "lights");
    assert_eq!(lead(&place, "P1", MILL).unwrap(), "roads");
    assert_eq!(lead(&place, "P2", MILL).unwrap(), "road-crew");
    assert_eq!(lead(&place, "T1", MILL).unwrap(), "cleaners");
    assert_eq!(lead(&place, "T1", WEST_SPRING), None);
}

#[test]
fn of_rules_about_one_matter_the_deepest_area_wins_also_for_its_cells() {
    let place = with_rules(vec![
        rule(about("lamp"), CITY, unit("lights")),
        rule(about("lamp"), WEST, unit("roads")),
        rule(about("lamp"), MILL, unit("S-V11")),
    ]);
    let cell = place.areas.find("V11-2").unwrap();
    assert_eq!(lead(&place, "L1", cell).unwrap(), "S-V11");
    assert_eq!(lead(&place, "L1", WEST_SPRING).unwrap(), "roads");
    assert_eq!(lead(&place, "L1", HARBOUR).unwrap(), "lights");
}

#[test]
fn a_standards_own_lead_goes_after_rules_about_it_and_before_all_others() {
    let place = village_with(|p| {
        p.standards
            .iter_mut()
            .for_each(|s| s.lead = Some("road-crew".parse().unwrap()));
        p.routing = Routing::new([
            rule(of_standard("P1"), WEST, unit("roads")),
            rule(about("lamp"), MILL, unit("lights")),
        ]);
    });
    assert_eq!(lead(&place, "P1", MILL).unwrap(), "roads");
    assert_eq!(lead(&place, "P1", HARBOUR).unwrap(), "road-crew");
    assert_eq!(lead(&place, "L1", MILL).unwrap(), "road-crew");
}

#[test]
fn a_station_is_that_of_the_cases_own_area_or_the_nearest_above() {
    let cell = VILLAGE.areas.find("V12-1").unwrap();
    assert_eq!(lead(&VILLAGE, "R1", cell).unwrap(), "S-V1");
    assert_eq!(lead(&VILLAGE, "R1", CITY).unwrap(), "S-V");
    let place = village_with(|p| {
        p.units.retain(|u| u.code.as_str() != "S-V1");
        p.routing = Routing::new([rule(Matter::All, CITY, Leader::Station(Level::Community))]);
    });
    assert_eq!(lead(&place, "B1", cell).unwrap(), "S-V12");
    assert_eq!(lead(&place, "B1", WEST).unwrap(), "S-V");
}

#[test]
fn a_rule_that_names_an_unknown_unit_leaves_the_next_one_to_lead() {
    let place = with_rules(vec![
        rule(about("lamp"), MILL, unit("nobody")),
        rule(about("street"), CITY, unit("roads")),
    ]);
    assert_eq!(lead(&place, "L1", MILL).unwrap(), "roads");
}

#[test]
fn the_village_has_no_open_link() {
    assert_eq!(open_links(&VILLAGE), []);
}

#[test]
fn a_missing_rule_gives_exactly_one_line_at_the_topmost_unled_area() {
    let all_but = |missing: &[AreaIndex]| {
        let rules = [MILL, WEST_SPRING, EAST_SPRING, HARBOUR, EAST, WEST, CITY]
            .into_iter()
            .filter(|area| !missing.contains(area))
            .map(|area| rule(about("lamp"), area, unit("lights")));
        let rest = ["pothole", "waste", "tree"].map(|s| rule(about(s), CITY, unit("roads")));
        open_links(&with_rules(rules.chain(rest).collect()))
            .into_iter()
            .map(|OpenLink { standard, area, .. }| (standard.to_string(), area))
            .collect::<Vec<_>>()
    };
    let line = |area| ("L1".to_owned(), area);
    assert_eq!(all_but(&[]), []);
    assert_eq!(all_but(&[CITY]), [line(CITY)]);
    assert_eq!(
        all_but(&[CITY, EAST, EAST_SPRING, HARBOUR]),
        [line(CITY), line(EAST)]
    );
    assert_eq!(
        all_but(&[CITY, EAST, HARBOUR]),
        [line(CITY), line(EAST), line(HARBOUR)]
    );
    let everywhere = [CITY, WEST, EAST, MILL, WEST_SPRING, EAST_SPRING, HARBOUR];
    assert_eq!(all_but(&everywhere), [line(CITY)]);
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let matter = prop_oneof![
        prop::sample::select(vec!["P1", "P2", "L1", "T1", "R1", "B1"]).prop_map(of_standard),
        prop::sample::select(vec![
            "pothole", "lamp", "litter", "rats", "tree", "street", "waste"
        ])
        .prop_map(about),
        Just(Matter::All),
    ];
    let leader = prop_oneof![
        4 => prop::sample::select(vec!["roads", "lights", "S-V11", "nobody"]).prop_map(unit),
        1 => prop::sample::select(&Level::ALL[..]).prop_map(Leader::Station),
    ];
    (matter, 0_u32..11, leader).prop_map(|(matter, area, leader)| Rule {
        matter,
        area: if area > 6 { CITY } else { area },
        leader,
    })
}

/// Who leads, said once more and as simply as can be: of the rules that hold and name a unit that is there, the one
/// about the narrowest matter, then of the deepest area, then the first.
fn lead_by_the_book<'p>(
    place: &'p Place,
    rules: &[Rule],
    standard: &str,
    area: AreaIndex,
) -> Option<&'p str> {
    let standard = place.standard(standard).unwrap();
    let service = place.service(standard.service.as_str()).unwrap();
    let breadth = |matter: &Matter| match matter {
        Matter::Standard(code) => (*code == standard.code).then_some(0),
        Matter::Service(code) if *code == service.code => Some(1),
        Matter::Service(code) => (Some(code) == service.group.as_ref()).then_some(2),
        Matter::All => Some(3),
    };
    let station = |level: Level| {
        place
            .areas
            .upward(area)
            .filter(|i| place.areas.get(*i).level <= level)
            .find_map(|i| place.station(i))
    };
    let mut seen = std::collections::HashSet::new();
    rules
        .iter()
        .filter(|r| seen.insert((r.matter.clone(), r.area)))
        .filter(|r| place.areas.is_within(area, r.area))
        .filter_map(|r| {
            let unit = match &r.leader {
                Leader::Unit(code) => place.unit(code.as_str()),
                Leader::Station(level) => station(*level),
            };
            let depth = place.areas.get(r.area).level.depth();
            Some((breadth(&r.matter)?, std::cmp::Reverse(depth), unit?.code.as_str()))
        })
        .min()
        .map(|(.., code)| code)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn routing_is_total_exactly_where_no_link_is_open(rules in prop::collection::vec(any_rule(), 0..25)) {
        let place = with_rules(rules.clone());
        let open = open_links(&place);
        for standard in place.standards() {
            for area in 0..place.areas.all().len() as AreaIndex {
                let lead = place.lead(standard, area).map(|u| u.code.as_str());
                prop_assert_eq!(lead, lead_by_the_book(&place, &rules, standard.code.as_str(), area));
                let named = |at| open.iter().any(|link| link.standard == standard.code && link.area == at);
                if lead.is_some() {
                    prop_assert!(!named(area));
                } else {
                    prop_assert!(place.areas.upward(area).any(named));
                }
            }
        }
    }
}
