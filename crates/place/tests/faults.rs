//! What a broken folder is told: the village, each time with one thing wrong, and the exact sentences.

mod common;

use common::{Village, encoded_gbk};
use insta::assert_snapshot;
use whistle_domain::rights::Access;

#[test]
fn the_village_is_sound() {
    assert_snapshot!(Village::new().told(), @"");
}

// The files.

#[test]
fn a_missing_file_is_named_and_the_others_are_still_checked() {
    let village = Village::new().without("standards.csv").replace(
        "units.csv",
        "T100,上游镇服务站",
        "CITY,上游镇服务站",
    );
    assert_snapshot!(village.told(), @r#"
    posts.csv:4: unit "T100" is not known; did you mean "T101"?
    standards.csv: is missing; add it; docs/place-folder.md says what is in it
    units.csv:3: unit "CITY" is already on line 2; give each unit its own code
    "#);
}

#[test]
fn a_file_that_belongs_to_no_place_is_pointed_out() {
    let village = Village::new()
        .with("standard.csv", "code\n")
        .with("README.md", "hello")
        .with(".git", "");
    assert_snapshot!(village.told(), @r#"standard.csv: warning: is no file of a place and was not read; did you mean "standards.csv"?"#);
}

#[test]
fn an_empty_file_asks_for_its_header() {
    assert_snapshot!(Village::new().with("routing.csv", "").told(), @r"routing.csv: is empty; begin with a header: matter,unit");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    assert_snapshot!(Village::new().with_bytes("units.csv", vec![0xff, 0xff, 0x00, 0x81]).told(), @r"units.csv: is no text in UTF-8 or GBK; save it as UTF-8");
}

// Spreadsheets.

#[test]
fn a_byte_order_mark_does_no_harm() {
    let mut village = Village::new();
    for file in ["units.csv", "areas.geojson", "jurisdiction.toml", "standards.csv"] {
        village = village.map(file, |text| format!("\u{feff}{text}"));
    }
    assert_snapshot!(village.told(), @"");
}

#[test]
fn gbk_is_read_with_a_warning() {
    let village = Village::new();
    let gbk = encoded_gbk(&village.text("units.csv"));
    let village = village.with_bytes("units.csv", gbk);
    assert_snapshot!(village.told(), @r"units.csv: warning: is not UTF-8; it was read as GBK (GB18030); look whether the names are right, and save it as UTF-8");
    assert_eq!(
        village.place().unit("CITY").unwrap().name.own,
        "柳溪市协调指挥中心"
    );
}

#[test]
fn windows_line_ends_do_no_harm_and_lines_are_counted_right() {
    let village = Village::new().map("services.csv", |text| text.replace('\n', "\r\n"));
    assert_snapshot!(village.told(), @"");
    // The cell above holds a line end, so that this row is on the sixth line.
    let village = village.replace("services.csv", "RD,-", "R D,-");
    assert_snapshot!(village.told(), @r#"
    routing.csv:3: matter "RD" is not known; write the code of a group, service or standard, or *
    services.csv:6: code "R D" is not usable; write 1 to 64 letters, digits, '-', '_', '.' or '/', no spaces
    services.csv:6: warning: group "R D" has no service; add one, or remove the group
    services.csv:7: group "RD" is not known; did you mean "R D"?
    services.csv:8: group "RD" is not known; did you mean "R D"?
    "#);
}

#[test]
fn semicolons_and_tabs_are_read_as_excel_writes_them() {
    for delimiter in [";", "\t"] {
        let village = Village::new().map("units.csv", |text| text.replace(',', delimiter));
        assert_eq!(village.told(), "");
    }
    let village = Village::new().map("routing.csv", |text| format!("sep=;\n{}", text.replace(',', ";")));
    assert_eq!(village.told(), "");
}

#[test]
fn headers_may_be_chinese() {
    let village = Village::new()
        .replace(
            "units.csv",
            "code,name,name_zh,name_en,kind,area,parent",
            "编码,名称,中文名称,英文名称,类型,网格,上级",
        )
        .replace("units.csv", ",department,", ",部门,")
        .replace("standards.csv", "resolve", "处置时限");
    assert_snapshot!(village.told(), @"");
}

#[test]
fn blank_cells_carry_down_only_where_that_is_meant() {
    let place = Village::new().place();
    assert_eq!(
        place
            .service("WAT-DRAIN")
            .unwrap()
            .group
            .as_ref()
            .unwrap()
            .as_str(),
        "WAT"
    );
    assert_eq!(place.standard("WAT-LEAK-2").unwrap().service.as_str(), "WAT-LEAK");

    let village = Village::new().replace("units.csv", "Water Department,department", "Water Department,");
    assert_snapshot!(village.told(), @r"units.csv:5: kind is blank; every unit needs one");
    let village = Village::new().replace("services.csv", "WAT-DRAIN,,", ",,,,,,,\nWAT-DRAIN,,");
    assert_snapshot!(village.told(), @r"services.csv:6: group is blank and no row directly above has one; every service needs one");
}

#[test]
fn a_row_with_too_few_or_too_many_cells_is_named() {
    let village = Village::new()
        .replace(
            "posts.csv",
            "CITY-L,指挥长,,Lead,CITY,,lead|administrator",
            "CITY-L,指挥长,,Lead,CITY,lead",
        )
        .replace("posts.csv", "patrol\nWATER-H", "patrol,x\nWATER-H");
    assert_snapshot!(village.told(), @r#"
    posts.csv:3: has 6 cells where the header has 7; put cells that hold a delimiter or a line end in quotation marks
    posts.csv:5: has 8 cells where the header has 7; put cells that hold a delimiter or a line end in quotation marks
    "#);
}

#[test]
fn a_quotation_mark_that_is_not_closed_is_guessed() {
    let village = Village::new().map("posts.csv", |text| {
        format!(
            "{text}X,\"Open,,,CITY,,patrol\n{}",
            "Y,Z,,,CITY,,patrol\n".repeat(300)
        )
    });
    assert_snapshot!(village.told(), @r#"
    posts.csv:8: has 2 cells where the header has 7; put cells that hold a delimiter or a line end in quotation marks
    posts.csv:8: name is longer than 4000 letters; shorten it; perhaps a quotation mark is not closed
    "#);
}

#[test]
fn a_header_that_lacks_a_column_says_which() {
    assert_snapshot!(Village::new().replace("units.csv", "kind,area", "sort,area").told(), @r#"
    units.csv:1: warning: column "sort" is not known and was not read; remove it, or begin its name with #
    units.csv:1: the header lacks kind; the columns are code,name,name_zh,name_en,kind,area,parent,lon,lat,phone,email
    "#);
}

// Jurisdiction.

#[test]
fn an_unknown_key_is_answered_with_the_near_one() {
    let village = Village::new()
        .replace("jurisdiction.toml", "recheck_share", "recheck_shares")
        .replace("jurisdiction.toml", "[levels]", "motto = \"x\"\n\n[levels]");
    assert_snapshot!(village.told(), @r#"
    jurisdiction.toml:8: key "motto" is not known; the keys are code, name, time_zone, languages, contact, hosts, open_data_licence, access_classes, levels, working_hours, settings, gaps
    jurisdiction.toml:23: key "settings.recheck_shares" is not known; did you mean "recheck_share"?
    "#);
}

#[test]
fn wrong_values_in_jurisdiction_toml_are_named_with_their_lines() {
    let village = Village::new()
        .replace("jurisdiction.toml", "Asia/Shanghai", "Asia/Shangai")
        .replace("jurisdiction.toml", "\"en\"]", "\"fr\"]")
        .replace("jurisdiction.toml", "recheck_share = 0.2", "recheck_share = 20")
        .replace("jurisdiction.toml", "max_returns = 2", "max_returns = \"two\"")
        .replace("jurisdiction.toml", "30m working", "30 min")
        .replace("jurisdiction.toml", "fri = [\"08:00-12:00\"", "fri = [\"8-12\"");
    assert_snapshot!(village.told(), @r#"
    jurisdiction.toml:3: time zone "Asia/Shangai" is not known; did you mean "Asia/Shanghai"?
    jurisdiction.toml:4: language "fr" is not spoken here; write zh or en
    jurisdiction.toml:17: "8-12" is no working slot; write 08:00-12:00, up to 24:00
    jurisdiction.toml:20: settings.max_returns is "two", which is no whole number from 0 to 20; write max_returns = 0
    jurisdiction.toml:21: settings.recheck_share is 20, which is no number from 0 to 1; write recheck_share = 0
    jurisdiction.toml:23: limit "30 min" is no duration; write 30m running, 4h working, 5d working or 2d calendar
    "#);
}

#[test]
fn a_toml_file_that_is_none_says_where() {
    let village = Village::new()
        .replace("jurisdiction.toml", "time_zone = ", "time_zone : ")
        .with("indicators.toml", "[[indicator]\n");
    assert_snapshot!(village.told(), @r#"
    indicators.toml:1: is no TOML here: unclosed array table, expected `]`; write key = "value"
    jurisdiction.toml:3: is no TOML here: key with no value, expected `=`; write key = "value"
    "#);
}

#[test]
fn working_hours_that_overlap_are_refused() {
    let village = Village::new().replace(
        "jurisdiction.toml",
        "tue = [\"08:00-12:00\", \"14:00",
        "tue = [\"08:00-12:00\", \"11:00",
    );
    assert_snapshot!(village.told(), @r"jurisdiction.toml:12: tuesday has the overlapping slots 08:00-12:00 and 11:00-18:00; join them or part them");
}

// Areas.

#[test]
fn json_that_breaks_off_says_where() {
    let village = Village::new().map("areas.geojson", |text| text[..text.len() - 40].to_owned());
    assert_snapshot!(village.told(), @r"areas.geojson:16: is no GeoJSON: EOF while parsing a list at line 16 column 234; write a FeatureCollection, as a GIS exports it");
}

#[test]
fn an_overlap_names_both_areas_the_ground_and_the_place() {
    let village = Village::new().in_area("230599100200002", "[131.81,46.21]", "[131.81,46.215]");
    assert_snapshot!(village.told(), @r#"areas.geojson:10: area "230599100200002" and area "230599100200001" overlap by 213,899 m², 25 % of the smaller, near 131.807500, 46.212500; give the ground to one of them"#);
}

#[test]
fn a_gap_is_refused_unless_it_is_allowed_with_a_reason() {
    let village = Village::new().without_area("230599101203001");
    assert_snapshot!(village.told(), @r#"areas.geojson:8: area "230599101203" has 855,556 m², 50 % of it, in no area below, near 131.835000, 46.215000; draw the missing areas, or say in jurisdiction.toml [gaps] allowed = ["230599101203"] with a reason"#);
    let allowed = |gaps: &str| {
        let text = format!("\n[gaps]\n{gaps}\n");
        village.clone().map("jurisdiction.toml", |toml| toml + &text)
    };
    assert_snapshot!(allowed("allowed = [\"230599101203\"]\nreason = \"a lake\"").told(), @r#"areas.geojson:8: warning: area "230599101203" has 855,556 m², 50 % of it, in no area below, near 131.835000, 46.215000; allowed: a lake"#);
    assert_snapshot!(allowed("allowed = \"all\"").told(), @r#"
    areas.geojson:8: warning: area "230599101203" has 855,556 m², 50 % of it, in no area below, near 131.835000, 46.215000; allowed: 
    jurisdiction.toml:25: gaps.reason is missing; write why these gaps are right: reason = "parks and airports"
    "#);
    assert_snapshot!(allowed("allowed = [\"230599101204\"]\nreason = \"a lake\"").told(), @r#"
    areas.geojson:8: area "230599101203" has 855,556 m², 50 % of it, in no area below, near 131.835000, 46.215000; draw the missing areas, or say in jurisdiction.toml [gaps] allowed = ["230599101203"] with a reason
    jurisdiction.toml:26: area "230599101204" is not known; did you mean "230599101202"?
    "#);
}

#[test]
fn a_border_that_crosses_itself_is_shown_where() {
    let village = Village::new().in_area(
        "230599100200002",
        "[131.81,46.2],[131.81,46.21],[131.8,46.21]",
        "[131.81,46.21],[131.81,46.2],[131.8,46.21]",
    );
    assert_snapshot!(village.told(), @r#"areas.geojson:9: area "230599100200002" has a border that crosses or touches itself near 131.805000, 46.205000; redraw it there"#);
}

#[test]
fn a_ring_that_is_not_closed_or_has_too_few_corners_is_refused() {
    let village = Village::new()
        .in_area("230599100200002", ",[131.8,46.2]]]", "]]")
        .in_area(
            "230599100200001",
            "[131.8,46.21],[131.81,46.21],[131.81,46.22],[131.8,46.22],[131.8,46.21]",
            "[131.8,46.21],[131.81,46.21],[131.8,46.21]",
        );
    assert_snapshot!(village.told(), @r#"
    areas.geojson:9: area "230599100200002" has a ring that is not closed: it begins at 131.800000, 46.200000 and ends at 131.800000, 46.210000; repeat its first position at its end
    areas.geojson:10: area "230599100200001" has a ring of fewer than 3 corners near 131.800000, 46.210000; remove it, or draw it with 3 or more
    "#);
}

#[test]
fn a_hole_outside_its_shell_or_across_it_is_refused() {
    let hole = |ring: &str| {
        Village::new().in_area(
            "230599100200002",
            "[131.8,46.2]]]",
            &format!("[131.8,46.2]],{ring}]"),
        )
    };
    let outside = hole("[[131.9,46.3],[131.91,46.3],[131.91,46.31],[131.9,46.3]]");
    assert_snapshot!(outside.told(), @r#"areas.geojson:9: area "230599100200002" has a hole that lies outside its outer ring, near 131.900000, 46.300000; remove it, or make it a polygon of its own"#);
    let across = hole("[[131.805,46.205],[131.815,46.205],[131.805,46.208],[131.805,46.205]]");
    assert_snapshot!(across.told(), @r#"areas.geojson:9: area "230599100200002" has a hole whose border crosses another ring near 131.810000, 46.205000; redraw it there"#);
}

#[test]
fn a_hole_that_nobody_fills_is_a_gap() {
    let village = Village::new().in_area(
        "230599100200002",
        "[131.8,46.2]]]",
        "[131.8,46.2]],[[131.804,46.204],[131.804,46.206],[131.806,46.206],[131.806,46.204],[131.804,46.204]]]",
    );
    assert_snapshot!(village.told(), @r#"areas.geojson:5: area "230599100200" has 34,228 m², 2.00 % of it, in no area below, near 131.805000, 46.205000; draw the missing areas, or say in jurisdiction.toml [gaps] allowed = ["230599100200"] with a reason"#);
}

#[test]
fn swapped_and_projected_coordinates_are_recognised() {
    let swapped = Village::new().in_area("230599100200002", "[131.81,46.2]", "[46.2,131.81]");
    assert_snapshot!(swapped.told(), @r#"areas.geojson:9: area "230599100200002" has the position 46.2, 131.81, which is no place on earth; the two look swapped: write longitude first"#);
    let projected = Village::new().in_area("230599100200002", "[131.81,46.2]", "[2683000.5,1247000.25]");
    assert_snapshot!(projected.told(), @r#"areas.geojson:9: area "230599100200002" has the position 2683000.5, 1247000.25, which is no place on earth; these look like metres of a national grid: convert the file to WGS 84"#);
}

#[test]
fn a_file_with_all_coordinates_swapped_is_recognised_by_its_time_zone() {
    let place = |lon_first: bool| {
        let square = |x: f64, y: f64| {
            let corners = [(x, y), (x + 0.1, y), (x + 0.1, y + 0.1), (x, y + 0.1), (x, y)];
            corners
                .map(|(x, y)| {
                    if lon_first {
                        format!("[{x},{y}]")
                    } else {
                        format!("[{y},{x}]")
                    }
                })
                .join(",")
        };
        let city = format!(
            r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"code":"230599","level":0,"name":"Z"}},"geometry":{{"type":"Polygon","coordinates":[[{}]]}}}}]}}"#,
            square(8.5, 47.3)
        );
        let village = Village::new().with("areas.geojson", &city).replace(
            "jurisdiction.toml",
            "Asia/Shanghai",
            "Europe/Zurich",
        );
        let told: Vec<String> = village.told().lines().map(str::to_owned).collect();
        told.into_iter()
            .filter(|line| line.starts_with("areas"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_snapshot!(place(true), @"");
    assert_snapshot!(place(false), @r"areas.geojson: lies around 47.35, 8.55, far from its time zone: longitude and latitude look swapped; write longitude first, or mend time_zone in jurisdiction.toml");
}

#[test]
fn a_geometry_without_an_inside_is_refused() {
    let village = Village::new().in_area("230599100200002", "\"Polygon\"", "\"LineString\"");
    assert_snapshot!(village.told(), @r#"areas.geojson:9: area "230599100200002" is a LineString, which has no inside; draw its border as a Polygon or MultiPolygon"#);
}

#[test]
fn two_polygons_of_one_area_must_not_overlap() {
    let square = "[[[131.80,46.20],[131.81,46.20],[131.81,46.21],[131.80,46.21],[131.80,46.20]]]";
    let village = Village::new().in_area(
        "230599100200002",
        "\"Polygon\",\"coordinates\":[[[131.8,46.2],[131.81,46.2],[131.81,46.21],[131.8,46.21],[131.8,46.2]]]",
        &format!("\"MultiPolygon\",\"coordinates\":[{square},{square}]"),
    );
    assert_snapshot!(village.told(), @r#"areas.geojson:9: area "230599100200002" has two polygons, 1 and 2, that overlap by 855712 m² near 131.800000, 46.210000; join them into one"#);
}

#[test]
fn a_child_that_sticks_out_of_its_parent_is_refused() {
    let village = Village::new()
        .in_area("230599100200002", "[[[131.8,46.2]", "[[[131.795,46.2]")
        .in_area("230599100200002", "[131.8,46.2]]]", "[131.795,46.2]]]");
    assert_snapshot!(village.told(), @r#"areas.geojson:9: area "230599100200002" sticks out of its parent "230599100200" by 213,928 m², 20 % of it, near 131.798750, 46.205000; cut it at its parent's border, or name another parent"#);
}

#[test]
fn an_unknown_parent_and_one_of_the_wrong_level_are_refused() {
    let village = Village::new()
        .in_area(
            "230599100201",
            "\"parent\":\"230599100\"",
            "\"parent\":\"230599109\"",
        )
        .in_area(
            "230599101203",
            "\"parent\":\"230599101\"",
            "\"parent\":\"230599\"",
        );
    assert_snapshot!(village.told(), @r#"
    areas.geojson:6: area "230599100201" has the parent "230599109", which is no area here; did you mean "230599100"?
    areas.geojson:8: area "230599101203" is a community and has the parent "230599", a city; name the town that it lies in; no level may be left out
    "#);
}

#[test]
fn areas_that_lie_in_each_other_are_refused() {
    let village = Village::new()
        .in_area("230599100", "\"parent\":\"230599\"", "\"parent\":\"230599101\"")
        .in_area("230599101", "\"parent\":\"230599\"", "\"parent\":\"230599100\"");
    assert_snapshot!(village.told(), @r#"
    areas.geojson:3: area "230599100" is a town and has the parent "230599101", a town; name the city that it lies in; no level may be left out
    areas.geojson:3: area "230599100" lies in itself: 230599100 > 230599101 > 230599100; name the area above it as its parent
    areas.geojson:4: area "230599101" is a town and has the parent "230599100", a town; name the city that it lies in; no level may be left out
    "#);
}

#[test]
fn two_areas_with_one_code_and_two_cities_are_refused() {
    let village = Village::new()
        .in_area(
            "230599101203002",
            "\"code\":\"230599101203002\"",
            "\"code\":\"230599101203001\"",
        )
        .in_area("230599101", "\"level\":1", "\"level\":0");
    assert_snapshot!(village.told(), @r#"
    areas.geojson:4: area "230599101" is a second city beside "230599"; leave one area of level 0
    areas.geojson:4: area "230599101" is the city and has the parent "230599"; leave the city's parent out
    areas.geojson:7: area "230599101202" is a community and has the parent "230599101", a city; name the town that it lies in; no level may be left out
    areas.geojson:8: area "230599101203" is a community and has the parent "230599101", a city; name the town that it lies in; no level may be left out
    areas.geojson:16: area "230599101203001" is already on line 15; give each area its own code
    "#);
}

#[test]
fn without_a_city_there_is_no_place() {
    let village = Village::new().without_area("230599");
    assert_snapshot!(village.told(), @r"areas.geojson: has no city; add one area of level 0 that is the whole place");
}

#[test]
fn every_fault_of_a_file_of_one_line_names_its_feature() {
    let one_line = |village: Village| village.map("areas.geojson", |text| text.replace('\n', "")).told();
    let torn = Village::new()
        .in_area("230599100200002", "[131.81,46.21]", "[131.81,46.215]")
        .in_area(
            "230599100201",
            "\"parent\":\"230599100\"",
            "\"parent\":\"230599109\"",
        )
        .in_area(
            "230599101203002",
            "\"code\":\"230599101203002\"",
            "\"code\":\"230599101203001\"",
        );
    assert_snapshot!(one_line(torn), @r#"
    areas.geojson:1: area "230599101203001" (feature 15) has the code of area "230599101203001" (feature 14); give each area its own code
    areas.geojson:1: area "230599100201" (feature 5) has the parent "230599109", which is no area here; did you mean "230599100"?
    areas.geojson:1: area "230599100200002" (feature 8) and area "230599100200001" (feature 9) overlap by 213,899 m², 25 % of the smaller, near 131.807500, 46.212500; give the ground to one of them
    "#);
    let stretched = Village::new()
        .in_area("230599101203001", "[131.83,46.21]", "[131.83,46.205]")
        .in_area("230599", "\"code\":\"230599\"", "\"code\":\"2305 99\"");
    assert_snapshot!(one_line(stretched), @r#"
    areas.geojson:1: code "2305 99" is not usable (feature 1); write 1 to 64 letters, digits, '-', '_', '.' or '/', no spaces
    areas.geojson:1: area "230599101203001" (feature 15) has a ring that is not closed: it begins at 131.830000, 46.205000 and ends at 131.830000, 46.210000; repeat its first position at its end
    areas.geojson:1: area "230599100" (feature 2) has the parent "230599", which is no area here; did you mean "2305 99"?
    areas.geojson:1: area "230599101" (feature 3) has the parent "230599", which is no area here; did you mean "2305 99"?
    units.csv: warning: the city "2305 99" has no station; add one: it decides when no other station does
    units.csv:2: area "230599" is not known; did you mean "2305 99"?
    units.csv:6: area "230599" is not known; did you mean "2305 99"?
    units.csv:7: area "230599" is not known; did you mean "2305 99"?
    "#);
}

#[test]
fn what_is_no_collection_of_features_says_so_without_our_own_words() {
    for (text, told) in [
        (" \n", "areas.geojson: is empty"),
        ("[]", "areas.geojson:1: is no FeatureCollection"),
        (
            "{\"type\":\"Feature\"}",
            "areas.geojson: is no FeatureCollection but has \"Feature\"",
        ),
    ] {
        let all = Village::new().with("areas.geojson", text).told();
        let collection = "write {\"type\": \"FeatureCollection\", \"features\": […]}";
        assert!(all.contains(&format!("{told}; {collection}")), "{all}");
    }
    let words = Village::new().map("areas.geojson", |text| {
        text.replacen("\"features\":[", "\"features\":[\"x\",", 1)
    });
    let told = words.told();
    assert!(
        told.contains("feature 1 is no feature with properties and a geometry"),
        "{told}"
    );
}

#[test]
fn a_folder_in_place_of_a_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("units.csv")).unwrap();
    let faults = whistle_place::Folder::read(dir.path()).unwrap_err();
    assert_snapshot!(faults, @"units.csv: is a folder, not a file; put the file of this name in its place");
}

#[test]
fn a_key_that_is_there_twice_asks_for_one_of_them() {
    let village = Village::new().map("jurisdiction.toml", |toml| format!("code = \"other\"\n{toml}"));
    let told = village.told();
    assert!(told.contains("duplicate key; leave one of the two"), "{told}");
}

#[test]
fn what_a_feature_has_twice_is_never_taken_from_the_last_silently() {
    let twice = |old: &str, new: &str| Village::new().in_area("230599101203002", old, new).told();
    let property = twice("\"level\":3", "\"level\":3,\"parent\":\"230599100200\"");
    assert_snapshot!(property, @r#"areas.geojson:15: feature 14 has "parent" twice; leave one of the two"#);
    let member = twice("\"type\":\"Feature\"", "\"type\":\"Feature\",\"geometry\":null");
    assert_snapshot!(member, @r#"areas.geojson:15: feature 14 has "geometry" twice; leave one of the two"#);
    let inside = twice("\"type\":\"Polygon\"", "\"type\":\"Polygon\",\"coordinates\":[]");
    assert_snapshot!(inside, @r#"areas.geojson:15: area "230599101203002" has a geometry that cannot be read (duplicate field `coordinates`); draw its border as a Polygon or MultiPolygon"#);
}

#[test]
fn features_on_one_line_are_told_apart_by_their_number() {
    let village = Village::new()
        .in_area("230599100200002", "\"level\":3", "\"level\":4")
        .map("areas.geojson", |text| text.replace('\n', ""));
    assert_snapshot!(village.told(), @r#"areas.geojson:1: area "230599100200002" (feature 8) has level "4", which is none; write 0 for the city, 1, 2, or 3 for a cell"#);
}

// Units, posts, services.

#[test]
fn unknown_units_areas_and_roles_are_answered_with_the_near_ones() {
    let village = Village::new()
        .replace("posts.csv", "Handler,WATER,", "Handler,WATTER,")
        .replace("posts.csv", "T100,230599100,patrol", "T100,230599102,patrolman")
        .replace("units.csv", "department,230599,CITY", "department,230599,CTIY");
    assert_snapshot!(village.told(), @r#"
    posts.csv:4: area "230599102" is not known; did you mean "230599100"?
    posts.csv:4: role "patrolman" does not exist; write patrol, call_taker, dispatcher, handler, lead, auditor or administrator
    posts.csv:6: unit "WATTER" is not known; did you mean "WATER"?
    units.csv:6: unit "CTIY" is not known; write the code of a unit
    "#);
}

#[test]
fn units_above_each_other_are_refused_once() {
    let village = Village::new().replace(
        "units.csv",
        "Water Department,department,,CITY",
        "Water Department,department,,PIPES",
    );
    assert_snapshot!(village.told(), @r#"units.csv:5: unit "WATER" is above itself: WATER > PIPES > WATER; leave the parent of the uppermost one blank"#);
}

#[test]
fn an_area_has_one_station_and_a_cell_none() {
    let village = Village::new()
        .replace(
            "units.csv",
            "Downstream Station,station,230599101",
            "Downstream Station,station,230599100",
        )
        .map("units.csv", |text| {
            text + "S1,站,,,station,230599100200001,CITY,,,,\nS2,站,,,station,,CITY,46.2,131.8,,nobody\n"
        });
    assert_snapshot!(village.told(), @r#"
    units.csv:4: area "230599100" has station "T100" already on line 3; give each area one station, and make the other a team
    units.csv:8: area "230599100200001" of the station is a cell; write the city, town or community that it serves
    units.csv:9: a station names no area; write the code of the city, town or community that it serves
    units.csv:9: lon "46.2" and lat "131.8" are no place on earth; the two look swapped
    units.csv:9: email "nobody" is no address; write name@example.org, or leave it blank
    "#);
}

#[test]
fn a_second_code_names_the_line_of_the_first() {
    let village = Village::new()
        .replace("units.csv", "PIPES,", "ROADS,")
        .replace("standards.csv", "RD-SIGN-1,", "RD-HOLE-1,")
        .replace("services.csv", "WAT-DRAIN,", "WAT-LEAK,");
    assert_snapshot!(village.told(), @r#"
    routing.csv:4: matter "WAT-DRAIN" is not known; did you mean "WAT-DRAIN-1"?
    routing.csv:4: unit "PIPES" is not known; write the code of a unit
    services.csv:5: service "WAT-LEAK" is already on line 3; give each service its own code
    standards.csv:4: service "WAT-DRAIN" is not known; write the code of a service
    standards.csv:6: standard "RD-HOLE-1" is already on line 5; give each standard its own code
    units.csv:7: unit "ROADS" is already on line 6; give each unit its own code
    "#);
}

#[test]
fn a_service_needs_a_known_group_and_a_standard() {
    let village = Village::new()
        .replace("services.csv", "RD-HOLE,RD,", "RD-HOLE,ROAD,")
        .replace("services.csv", "WAT-LEAK,WAT,", "WAT-LEAK,RD-SIGN,")
        .map("services.csv", |text| text + "RD-LAMP,RD,路灯,,Lamp,,,perhaps\n");
    assert_snapshot!(village.told(), @r#"
    services.csv:2: warning: group "WAT" has no service; add one, or remove the group
    services.csv:3: "RD-SIGN" is a service, not a group; name a row whose group is -
    services.csv:5: "RD-SIGN" is a service, not a group; name a row whose group is -
    services.csv:7: group "ROAD" is not known; add a row for it whose group is -
    services.csv:8: group "ROAD" is not known; add a row for it whose group is -
    services.csv:9: public "perhaps" is neither yes nor no; write yes or no
    services.csv:9: service "RD-LAMP" has no standard; add a row for it to standards.csv
    "#);
}

#[test]
fn a_question_that_whistle_never_asks_is_refused_when_it_is_defined() {
    let village = Village::new().map("questions.csv", |text| {
        text + "RD-HOLE,minzu,string,yes,no,您的民族,,,\n,paper,string,yes,no,证件,Passport number,,\n,view,singlevaluelist,yes,no,Your view,,,a=Political left|b=Other\n"
    });
    assert_snapshot!(village.told(), @r#"
    questions.csv:5: question "minzu" asks for ethnicity, which Whistle never stores; remove it; where papers must be shown, ask whether they were seen
    questions.csv:6: question "paper" asks for identity papers, which Whistle never stores; remove it; where papers must be shown, ask whether they were seen
    questions.csv:7: question "view" asks for political view, which Whistle never stores; remove it; where papers must be shown, ask whether they were seen
    "#);
}

#[test]
fn a_question_must_be_answerable() {
    let village = Village::new()
        .replace("questions.csv", "singlevaluelist", "choice")
        .replace("questions.csv", "depth,number,yes,no", "depth,number,no,yes")
        .map("questions.csv", |text| {
            text + "WAT,x,singlevaluelist,yes,no,X,,,\n"
        });
    assert_snapshot!(village.told(), @r#"
    questions.csv:2: datatype "choice" is not known; write one of string, number, datetime, text, singlevaluelist, multivaluelist
    questions.csv:4: nothing can be answered where variable is no, yet it is required; write required no
    questions.csv:5: "WAT" is a group, which no case can have; ask the question for each of its services
    questions.csv:5: a list has no values; write them as key=name|key=name
    "#);
}

// Standards, routing, calendar.

#[test]
fn a_limit_that_is_none_says_what_would_be_one() {
    let village = Village::new()
        .replace("standards.csv", "4h running", "4 wh")
        .replace("standards.csv", "2d working", "2.5d working");
    assert_snapshot!(village.told(), @r#"
    standards.csv:2: limit "4 wh" is no duration; write 30m running, 4h working, 5d working or 2d calendar
    standards.csv:3: limit "2.5d working" is no whole number of days; write a whole number, such as 2d working
    "#);
}

#[test]
fn a_service_has_exactly_one_default() {
    let none = Village::new().replace("standards.csv", "Seeping,yes", "Seeping,");
    assert_snapshot!(none.told(), @r#"standards.csv:2: service "WAT-LEAK" has 2 standards and no default; write yes in the column default of the one to take when nobody chose"#);
    let two = Village::new().replace("standards.csv", "Main burst,,", "Main burst,yes,");
    assert_snapshot!(two.told(), @r#"standards.csv:3: service "WAT-LEAK" has its default already on line 2; leave default blank in all but one"#);
}

#[test]
fn a_standard_refers_to_a_service_and_a_unit_that_exist() {
    let village = Village::new()
        .replace("standards.csv", "RD-SIGN-1,RD-SIGN", "RD-SIGN-1,RD-SIGNS")
        .replace("standards.csv", "WATER,已止水", "WATERS,已止水")
        .replace("standards.csv", ",已更换,,post", ",已更换,,nobody");
    assert_snapshot!(village.told(), @r#"
    services.csv:8: service "RD-SIGN" has no standard; add a row for it to standards.csv
    standards.csv:2: unit "WATERS" is not known; did you mean "WATER"?
    standards.csv:6: service "RD-SIGNS" is not known; did you mean "RD-SIGN"?
    standards.csv:6: verification "nobody" is not known; write one of post, reporter, self
    "#);
}

#[test]
fn two_rules_about_one_thing_in_one_area_are_refused() {
    let village = Village::new().map("routing.csv", |text| {
        text + "RD,230599,WATER\nWAT-DRAIN,230599100,ROADS\n"
    });
    assert_snapshot!(village.told(), @r#"
    routing.csv:5: "RD" in area "230599" is already routed on line 3; remove one of the two rules
    routing.csv:6: "WAT-DRAIN" in area "230599100" is already routed on line 4; remove one of the two rules
    "#);
}

#[test]
fn a_rule_must_know_what_it_is_about_and_who_leads() {
    let village = Village::new().map("routing.csv", |text| {
        text + "RD-HOEL,*,@village\nRD-HOLE,23059910,POLICE\n"
    });
    assert_snapshot!(village.told(), @r#"
    routing.csv:5: matter "RD-HOEL" is not known; did you mean "RD-HOLE"?
    routing.csv:5: unit "@village" is not known; write one of @city, @town, @community
    routing.csv:6: area "23059910" is not known; did you mean "230599100"?
    routing.csv:6: unit "POLICE" is not known; write the code of a unit
    "#);
}

#[test]
fn a_rule_that_never_wins_is_pointed_out() {
    let village = Village::new().map("routing.csv", |text| text + "WAT-LEAK,230599101,PIPES\n");
    assert_snapshot!(village.told(), @r"routing.csv:5: warning: this rule never wins: every standard it is about has a lead or a narrower rule; remove it, or the lead in standards.csv");
}

#[test]
fn dates_that_are_none_and_dates_of_two_kinds_are_refused() {
    let village = Village::new().map("calendar.csv", |text| {
        text + "2026-02-30,holiday,,,,\n2026-10-01,workday,,,,mon\n2026-10-11,workday,,,,sun\n2026-10-12,feast,,,,\n"
    });
    assert_snapshot!(village.told(), @r#"
    calendar.csv:4: date "2026-02-30" is no date; write it as 2026-10-01
    calendar.csv:5: 2026-10-01 is already on line 2; make it a holiday or a workday, once
    calendar.csv:6: 2026-10-11 is worked like sun, on which nobody works; write a weekday that has working hours in jurisdiction.toml
    calendar.csv:7: kind "feast" is not known; write one of holiday, workday
    "#);
}

// The chain of responsibility.

#[test]
fn an_open_link_is_told_with_the_line_that_closes_it_and_once_for_all_below() {
    let village = Village::new().replace("routing.csv", "*,*,@town\n", "");
    let links: Vec<String> = whistle_place::check(&village.place())
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_snapshot!(links.join("\n"), @r#"
    nobody leads standard WAT-DRAIN-1 (service WAT-DRAIN) in city "230599" itself, only in some areas below it; add a line to routing.csv: WAT-DRAIN,*,UNIT; or name a lead in standards.csv
    nobody leads standard WAT-DRAIN-1 (service WAT-DRAIN) in town "230599101" and all below it; add a line to routing.csv: WAT-DRAIN,230599101,UNIT; or name a lead in standards.csv
    "#);
}

#[test]
fn every_fault_is_told_in_one_go() {
    let village = Village::new()
        .replace("standards.csv", "4h running", "soon")
        .replace("units.csv", "PIPES,", "ROADS,")
        .replace("jurisdiction.toml", "Asia/Shanghai", "Mars")
        .without_area("230599101203001");
    let told = village.told();
    for file in ["areas.geojson", "jurisdiction.toml", "standards.csv", "units.csv"] {
        assert!(told.contains(file), "{told}");
    }
}

#[test]
fn faults_are_machine_readable() {
    let village = Village::new().replace("standards.csv", "4h running", "4 wh");
    let faults = village.faults();
    insta::assert_json_snapshot!(faults, @r#"
    [
      {
        "file": "standards.csv",
        "line": 2,
        "severity": "error",
        "what": "limit \"4 wh\" is no duration",
        "mend": "write 30m running, 4h working, 5d working or 2d calendar"
      }
    ]
    "#);
}

// Escalation.

const LADDERS: &str = "ladder,clock,at,to\n";

#[test]
fn a_step_that_cannot_be_read_is_pointed_out_line_by_line() {
    let village = Village::new().with(
        "escalations.csv",
        &format!(
            "{LADDERS}quick,resolve,half,@unit_lead\n,solve,50%,@unit_lead\n,resolve,0%,@town\n,resolve,50%,@village\n,resolve,60%,NOBODY\nnone,resolve,60%,@town\n"
        ),
    );
    assert_snapshot!(village.told());
}

#[test]
fn the_steps_of_a_clock_stand_in_their_order() {
    let village = Village::new().with(
        "escalations.csv",
        &format!(
            "{LADDERS}quick,resolve,80%,@unit_lead\n,*,50%,@town\nslow,triage,overdue + 1h working,@town\n,triage,90%,@town\n"
        ),
    );
    assert_snapshot!(village.told());
}

#[test]
fn a_clock_has_a_bounded_number_of_steps() {
    let steps: Vec<String> = (1..=13).map(|n| format!("long,verify,{n}%,@city\n")).collect();
    let village = Village::new().with("escalations.csv", &format!("{LADDERS}{}", steps.concat()));
    assert_snapshot!(village.told());
}

#[test]
fn a_standard_names_a_ladder_that_is_there() {
    let ladder = |code: &str| {
        let code = code.to_owned();
        Village::new().map("standards.csv", |text| {
            let cell = |nth| match nth {
                0 => "ladder",
                1 => code.as_str(),
                _ => "",
            };
            let rows = text.lines().enumerate();
            let rows: Vec<String> = rows.map(|(nth, row)| format!("{row},{}", cell(nth))).collect();
            rows.join("\n") + "\n"
        })
    };
    for known in ["urgent", "default", "none"] {
        assert_eq!(ladder(known).told(), "", "{known}");
    }
    assert_snapshot!(ladder("urgnet").told(), @r#"standards.csv:2: ladder "urgnet" is not known; did you mean "urgent"?"#);
    assert_snapshot!(ladder("none").without("escalations.csv").told(), @"");
}

#[test]
fn a_limit_to_sign_is_a_setting_and_a_column() {
    let village = Village::new().replace("standards.csv", "triage,report_in", "sign,report_in");
    assert_snapshot!(village.told(), @"");
    let village = village.replace(
        "jurisdiction.toml",
        "[settings]",
        "[settings]\nsign = \"2 hours\"",
    );
    assert_snapshot!(village.told(), @r#"jurisdiction.toml:20: limit "2 hours" is no duration; write 30m running, 4h working, 5d working or 2d calendar"#);
}

// Whistles.

#[test]
fn a_place_without_kinds_of_whistle_has_three() {
    let place = Village::new().without("whistles.csv").place();
    let codes: Vec<&str> = place
        .whistle_kinds()
        .iter()
        .map(|kind| kind.code.as_str())
        .collect();
    assert_eq!(codes, ["joint", "hard", "emergency"]);
}

#[test]
fn a_kind_of_whistle_is_told_what_is_wrong_line_by_line() {
    let village = Village::new().map("whistles.csv", |text| {
        text.replace(
            "JOINT,联合处置哨,Joint handling,town|community",
            "JOINT,联合处置哨,Joint handling,town|cell",
        )
        .replace(
            "dispatcher|lead,lead,1h working,1d working",
            "dispatcher|handler,mayor,1 hour,1d working",
        )
        .replace("5d working,,city", "5d working,,community")
            + "JOINT,again,,city,lead,,,,3d working,,\nLATE,late,,city,lead,,,,,,\n"
    });
    assert_snapshot!(village.told(), @r#"
    whistles.csv:2: levels "cell" is not known; write city, town, community, or several with | between
    whistles.csv:3: role "handler" blows no whistle; write patrol, call_taker, dispatcher or lead
    whistles.csv:3: approval "mayor" is not known; write one of lead, above
    whistles.csv:3: a town may blow it, but it is raised no higher than a community; write in highest the uppermost level, or leave it blank for the city
    whistles.csv:3: limit "1 hour" is no duration; write 30m running, 4h working, 5d working or 2d calendar
    whistles.csv:5: kind of whistle "JOINT" is already on line 2; give each kind of whistle its own code
    whistles.csv:6: report_in is blank; every kind of whistle needs one
    "#);
}

#[test]
fn kinds_of_whistle_are_read_in_chinese_too() {
    let text = "编码,名称,层级,角色,审批,签收时限,对接时限,报到时限,离场时限,最高层级\n\
                Z,重点哨,街道|社区,派遣员|负责人,上级负责人,1h working,,3d working,,市\n";
    let place = Village::new().with("whistles.csv", text).place();
    let kind = &place.whistle_kinds()[0];
    assert_eq!(
        kind.levels,
        [
            whistle_domain::place::Level::Town,
            whistle_domain::place::Level::Community
        ]
    );
    assert_eq!(kind.approval, Some(whistle_domain::place::Approval::Above));
}

// What posts are narrowed to.

/// A table with more columns, which are blank but in the row that begins with a code.
fn wider(text: &str, columns: &str, code: &str, cells: &str) -> String {
    let blank = ",".repeat(columns.matches(',').count() + 1);
    let line = |(n, line): (usize, &str)| match n {
        0 => format!("{line},{columns}"),
        _ if line.starts_with(code) => format!("{line},{cells}"),
        // Within a cell.
        _ if line.matches('"').count() == 1 && line.contains(",\"") => line.to_owned(),
        _ => format!("{line}{blank}"),
    };
    let lines: Vec<String> = text.lines().enumerate().map(line).collect();
    lines.join("\n") + "\n"
}

/// The village with columns by which posts are narrowed, and a service of a class of access.
fn narrowed(patrol: &str) -> Village {
    Village::new()
        .map("services.csv", |text| {
            wider(&text, "access", "WAT-DRAIN,", "confidential")
        })
        .map("posts.csv", |text| {
            wider(&text, "units,services,access", "T100-P,", patrol)
        })
}

#[test]
fn a_post_is_narrowed_to_units_groups_services_and_classes() {
    let village = narrowed("WATER|PIPES,WAT|RD-HOLE,staff|confidential");
    assert_snapshot!(village.told(), @"");
    let place = village.place();
    let narrowed = &place.post("T100-P").unwrap().narrowed;
    assert_eq!(
        format!("{narrowed:?}"),
        r#"Narrowing { units: Some([UnitCode("WATER"), UnitCode("PIPES")]), services: Some([ServiceCode("RD-HOLE"), ServiceCode("WAT-DRAIN"), ServiceCode("WAT-LEAK")]), clearance: Clearance { unclassed: All, classes: [AccessClass("confidential")] } }"#
    );
    assert_eq!(place.post("T101-P").unwrap().narrowed, Default::default());
}

#[test]
fn units_services_and_classes_that_are_not_there_are_named_with_their_line() {
    assert_snapshot!(narrowed("WATRE,WAT-LAEK,confidental").told(), @r#"
    posts.csv:4: unit "WATRE" is not known; write the code of a unit
    posts.csv:4: service "WAT-LAEK" is not known; did you mean "WAT-LEAK"?
    posts.csv:4: class of access "confidental" is declared nowhere; did you mean "confidential"?
    "#);
}

#[test]
fn a_service_whose_cases_no_post_may_see_is_pointed_out() {
    assert_snapshot!(narrowed(",,").told(), @r#"services.csv:5: warning: no post may see the cases of service "WAT-DRAIN"; name its class of access, or the service, in a row of posts.csv"#);
}

#[test]
fn a_post_without_an_area_is_told_that_units_narrow_nothing() {
    let village =
        narrowed(",,confidential").replace("posts.csv", "ROADS,,handler,,,", "ROADS,,handler,PIPES,,");
    assert_snapshot!(village.told(), @r#"posts.csv:7: warning: units narrows nothing: the post sees no area, only the cases of its own unit; leave units blank, or give it a role that answers for its area"#);
}

#[test]
fn shown_and_access_must_not_contradict_each_other() {
    let village =
        narrowed(",,confidential").map("services.csv", |text| wider(&text, "shown", "WAT-DRAIN,", "yes"));
    assert_snapshot!(village.told(), @r#"services.csv:5: shown yes and access confidential contradict each other; leave shown blank where access is filled in"#);
}

#[test]
fn a_class_may_be_that_of_one_standard_alone() {
    let village = narrowed(",,confidential|family").map("standards.csv", |text| {
        wider(&text, "access", "RD-SIGN-1,", "family")
    });
    assert_snapshot!(village.told(), @"");
}

#[test]
fn public_and_staff_are_no_classes_however_they_are_written() {
    let village = narrowed(",,Staff|PUBLIC|confidential")
        .map("services.csv", |text| text.replace(",confidential", ",Staff"))
        .map("standards.csv", |text| {
            wider(&text, "access", "RD-SIGN-1,", "confidential")
        });
    assert_snapshot!(village.told(), @"");
    let place = village.place();
    assert_eq!(place.service("WAT-DRAIN").unwrap().access, Access::Staff);
    let clearance = &place.post("T100-P").unwrap().narrowed.clearance;
    assert_eq!(
        format!("{clearance:?}"),
        r#"Clearance { unclassed: All, classes: [AccessClass("confidential")] }"#
    );
}

#[test]
fn a_class_that_is_another_but_for_capitals_is_refused() {
    let village = narrowed(",,staff|confidential").map("standards.csv", |text| {
        wider(&text, "access", "RD-SIGN-1,", "Confidential")
    });
    assert_snapshot!(village.told(), @r#"standards.csv:6: class of access "Confidential" is "confidential" but for capital letters; write "confidential" here too"#);
    let village = narrowed(",,staff|Confidential");
    assert_snapshot!(village.told(), @r#"posts.csv:4: class of access "Confidential" is declared nowhere; did you mean "confidential"?"#);
}

#[test]
fn a_cell_that_names_nothing_does_not_narrow_a_post_to_nothing() {
    assert_snapshot!(narrowed("|,|,|").told(), @r#"
    posts.csv:4: units is "|", which names nothing; write codes with | between, or leave it blank for all
    posts.csv:4: services is "|", which names nothing; write codes with | between, or leave it blank for all
    posts.csv:4: access is "|", which names nothing; write codes with | between, or leave it blank for all
    "#);
    assert_snapshot!(narrowed(" | |,WAT,staff|confidential").told(), @r#"posts.csv:4: units is "| |", which names nothing; write codes with | between, or leave it blank for all"#);
}

#[test]
fn classes_that_no_service_has_any_more_are_declared_by_the_place() {
    let declared = |classes: &str| {
        let line = format!("access_classes = {classes}\n");
        narrowed(",,confidential|family").map("jurisdiction.toml", |text| format!("{line}{text}"))
    };
    assert_snapshot!(declared(r#"["family"]"#).told(), @"");
    assert_snapshot!(declared(r#"["Family", "public", "family", "Family", "a b", "Confidential"]"#).told(), @r#"
    jurisdiction.toml:1: "public" is no class of your own; remove it: every post may name it
    jurisdiction.toml:1: class of access Family is there twice; remove one
    jurisdiction.toml:1: code "a b" is not usable; write 1 to 64 letters, digits, '-', '_', '.' or '/', no spaces
    jurisdiction.toml:1: class of access "family" is "Family" but for capital letters; write "Family" here too
    posts.csv:4: class of access "confidential" is declared nowhere; did you mean "Confidential"?
    posts.csv:4: class of access "family" is declared nowhere; did you mean "Family"?
    services.csv:5: class of access "confidential" is "Confidential" but for capital letters; write "Confidential" here too
    "#);
}

/// The village with a round of some lines.
fn walked(lines: &str) -> Village {
    let header = "round,round_name,area,post,code,name,lon,lat,service,asset,every\n";
    Village::new().with("rounds.csv", &format!("{header}{lines}"))
}

#[test]
fn a_round_is_said_once_and_its_stops_follow() {
    let place = walked(
        "UP,上游日常巡查,230599100,T100-P,UP-1,水井,131.805,46.205,WAT-LEAK,W-1,1\n\
         UP,,,,UP-2,公告栏,131.815,46.205,,,7天\n",
    )
    .place();
    let round = place.round("UP").expect("the round");
    assert_eq!(
        round.post.as_ref().map(whistle_domain::words::PostCode::as_str),
        Some("T100-P")
    );
    let stops: Vec<_> = round
        .stops
        .iter()
        .map(|stop| (stop.code.as_str(), stop.every_days))
        .collect();
    assert_eq!(stops, [("UP-1", 1), ("UP-2", 7)]);
    assert_eq!(place.stop("UP-2").expect("the stop").0.code.as_str(), "UP");
}

#[test]
fn faults_of_rounds_are_named_with_file_and_line() {
    let village = walked(
        "UP,上游,230599102,T100-Q,UP-1,水井,131.805,46.205,WAT-LEEK,,1\n\
         DOWN,,230599101,,UP-1,水井,131.805,46.205,WAT,,0\n\
         EAST,东岸,230599100200,,E-1,水井,131.815,46.205,,,1\n\
         EAST,西岸,,,E-2,水井,46.205,131.805,,,1\n\
         EAST,,,,E-3,水井,46.205,31.805,,,often\n",
    );
    assert_snapshot!(village.told(), @r#"
    rounds.csv:2: service "WAT-LEEK" is not known; did you mean "WAT-LEAK"?
    rounds.csv:2: area "230599102" is not known; did you mean "230599100"?
    rounds.csv:2: post "T100-Q" is not known; did you mean "T100-P"?
    rounds.csv:3: stop "UP-1" is already on line 2; give each stop its own code
    rounds.csv:3: every "0" is no number of days; write 1 for every day, 7 for every week, at most 366
    rounds.csv:3: service "WAT" is a group; write one of its services
    rounds.csv:3: round "DOWN" has no name; write one in round_name on its first line
    rounds.csv:5: lon "46.205" and lat "131.805" are no place on earth; the two look swapped
    rounds.csv:5: round_name is "西岸", on line 4 it is "东岸"; say it once, on the first line of the round
    rounds.csv:6: every "often" is no number of days; write 1 for every day, 7 for every week, at most 366
    "#);
}

#[test]
fn a_point_of_a_stop_lies_in_the_area_of_its_round() {
    let village = walked(
        "EAST,东岸,230599100200,,E-1,水井,131.815,46.205,,,1\n\
         EAST,,,,E-2,水井,10.5,46.205,,,1\n\
         EAST,,,,E-3,水井,131.805,46.205,,,1\n",
    );
    assert_snapshot!(village.told(), @r#"
    rounds.csv:2: 131.815, 46.205 lies outside area "230599100200" of its round; it lies in area "230599100201002"
    rounds.csv:3: 10.5, 46.205 lies outside area "230599100200" of its round; look whether it is right
    "#);
}

// Indicators.

#[test]
fn an_indicator_is_checked_against_the_rest_of_the_folder() {
    let village = Village::new()
        .replace("indicators.toml", "[WAT-LEAK,", "[WAT-LEKA,")
        .replace("indicators.toml", "not handled_late", "not handled_lat")
        .replace("indicators.toml", "unit = \"percent\"", "unit = \"percents\"")
        .replace("indicators.toml", ", en = \"Water handled on time\"", "");
    assert_snapshot!(village.told(), @r#"
    indicators.toml:2: condition "leaks", column 22: service "WAT-LEKA" is not known; did you mean "WAT-LEAK"?
    indicators.toml:8: indicator "leaks_on_time", numerator, column 30: "handled_lat" is no column of a case and no condition; did you mean "handled_late"?
    indicators.toml:11: indicator "leaks_on_time", unit: "percents" is not known; did you mean "percent"?
    indicators.toml:12: indicator "leaks_on_time" has no label in en; write label = { zh = "…", en = "…" }
    "#);
}

#[test]
fn a_place_of_one_language_names_its_indicators_in_that_one() {
    let village = Village::new()
        .replace(
            "jurisdiction.toml",
            "languages = [\"zh\", \"en\"]",
            "languages = [\"zh\"]",
        )
        .replace(
            "indicators.toml",
            "{ zh = \"供水排水按期处置率\", en = \"Water handled on time\" }",
            "\"漏水\"",
        );
    assert_snapshot!(village.told(), @"");
}

#[test]
fn a_place_has_the_shipped_indicators_and_its_own() {
    let compiled = Village::new().compiled().unwrap();
    let shipped = whistle_figures::indicator::Book::shipped();
    assert_eq!(compiled.indicators.all().len(), shipped.all().len() + 1);
    assert!(compiled.indicators.get("leaks_on_time").is_some());
    let without = Village::new().without("indicators.toml").compiled().unwrap();
    assert_eq!(&without.indicators, shipped);
}
