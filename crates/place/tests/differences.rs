//! What `whistle plan` shows.

mod common;

use common::Village;
use insta::assert_snapshot;
use whistle_place::difference;

fn plan(old: &Village, new: &Village) -> String {
    let changes = difference(Some(&old.folder()), &new.folder());
    let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn a_plan_shows_what_is_added_removed_and_changed() {
    let old = Village::new();
    let new = old
        .clone()
        .replace("jurisdiction.toml", "max_returns = 2", "max_returns = 3")
        .in_area("230599100200", "东岸村", "新岸村")
        .in_area("230599100200001", "[131.81,46.21]", "[131.812,46.211]")
        .replace(
            "units.csv",
            "ROADS,公路局,,Roads Department",
            "ROADS,交通局,,Roads Department",
        )
        .map("units.csv", |text| {
            text + "PARKS,园林局,,Parks,department,,CITY,,,,\n"
        })
        .replace("posts.csv", "ROADS-H,处置员,,Handler,ROADS,,handler\n", "")
        .replace("standards.csv", "2d working", "3d working")
        .replace("routing.csv", "RD,*,ROADS", "RD,*,PIPES")
        .replace("whistles.csv", "5d working", "4d working")
        .map("calendar.csv", |text| text + "2027-01-01,holiday,元旦,,,\n")
        .with("briefing/year.md", "# 年报");
    assert_snapshot!(plan(&old, &new), @r#"
    ~ setting settings.max_returns: 2 → 3
    ~ area 230599100200: name 东岸村 → 新岸村
    ~ area 230599100200001: redrawn, 855,556 m² → 898,330 m², 114,077 m² change hands
    + unit PARKS: 园林局
    ~ unit ROADS: name 公路局 → 交通局
    - post ROADS-H: 处置员
    ~ standard WAT-LEAK-2: resolve 2d working → 3d working
    ~ rule RD *: unit ROADS → PIPES
    ~ kind of whistle HARD: report_in 5d working → 4d working
    + date 2027-01-01: holiday, 元旦
    + text briefing/year.md
    "#);
}

#[test]
fn a_plan_shows_stops_of_rounds() {
    let header = "round,round_name,area,code,name,lon,lat,every\n";
    let old = Village::new().with(
        "rounds.csv",
        &format!("{header}UP,up,230599100,UP-1,well,131.805,46.205,7\nUP,,,UP-2,bridge,131.815,46.205,1\n"),
    );
    let new = Village::new().with(
        "rounds.csv",
        &format!("{header}UP,up,230599100,UP-1,well,131.805,46.205,7天\nUP,,,UP-3,dyke,131.815,46.205,1d\n"),
    );
    assert_snapshot!(plan(&old, &new), @r"
    - stop UP-2: bridge
    + stop UP-3: dyke
    ");
}

#[test]
fn ways_of_writing_make_no_difference() {
    let old = Village::new();
    let new = old
        .clone()
        .replace("standards.csv", "4h running", "4H  Running")
        .map("units.csv", |text| text.replace('\n', "\r\n"))
        .replace("routing.csv", "RD,*,ROADS", "RD,,ROADS")
        .replace("services.csv", "WAT-DRAIN,,", "WAT-DRAIN,WAT,")
        .replace("calendar.csv", "2026-10-01", "2026/10/1")
        .map("posts.csv", |text| {
            let mut lines: Vec<&str> = text.lines().collect();
            lines[1..].reverse();
            lines.join("\n")
        });
    assert_eq!(plan(&old, &new), "");
}

#[test]
fn the_hash_of_a_folder_knows_its_files_and_their_names() {
    let village = Village::new();
    let same = Village::new().with("README.md", "not part of the place");
    assert_eq!(village.folder().hash(), same.folder().hash());
    let other = Village::new().replace("units.csv", "WATER,", "WATERS,");
    assert_ne!(village.folder().hash(), other.folder().hash());
    assert_eq!(village.folder().hash().len(), 64);
}

#[test]
fn a_plan_shows_the_steps_of_ladders() {
    let old = Village::new();
    let new = old
        .clone()
        .replace(
            "escalations.csv",
            ",*,200%,@town",
            ",*,overdue + 1d working,@town",
        )
        .replace("escalations.csv", ",*,overdue,@unit_lead", ",*, 100% ,@unit_lead");
    assert_snapshot!(plan(&old, &new), @r"
    - step default * 200% @town
    + step default * overdue + 1d working @town
    ");
}

#[test]
fn a_plan_shows_indicators_one_by_one() {
    let old = Village::new();
    let own = "
[[indicator]]
code = \"filed\"
subject = \"case\"
period = \"accepted\"
unit = \"count\"
label = { zh = \"受理上报数\", en = \"Accepted reports\" }
";
    let new = old
        .clone()
        .replace("indicators.toml", "group:WAT", "RD-HOLE")
        .replace(
            "indicators.toml",
            "denominator = \"leaks\"",
            "denominator = \"leaks\"\nversion = 2",
        )
        .map("indicators.toml", |text| text + own);
    assert_snapshot!(plan(&old, &new), @r#"
    ~ indicator condition leaks: says "service in [WAT-LEAK, group:WAT]" → "service in [WAT-LEAK, RD-HOLE]"
    + indicator filed: "受理上报数", instead of the shipped one
    ~ indicator leaks_on_time: version nothing → 2
    "#);
    assert_snapshot!(plan(&new, &new), @"");
    assert_snapshot!(plan(&new, &old).lines().nth(1).unwrap_or_default(), @r#"- indicator filed: "受理上报数", the shipped one counts again"#);
    assert_eq!(new.told(), "");
}
