//! Charts and maps as somebody meets them: what stands in the SVG.

use whistle_chart::{Chart, Error, Kind, MAX_VALUES, Map, Row, Shape, Value, map, svg};

fn value(size: f64) -> Value {
    Value {
        size: Some(size),
        shown: size.to_string(),
    }
}

fn chart(kind: Kind, columns: &[&str], rows: &[(&str, &[f64])]) -> Chart {
    Chart {
        kind,
        title: "受理量 & 其他".to_owned(),
        description: "各月 <受理>".to_owned(),
        columns: columns.iter().map(|&name| name.to_owned()).collect(),
        rows: rows
            .iter()
            .map(|(name, sizes)| Row {
                name: (*name).to_owned(),
                values: sizes.iter().map(|size| value(*size)).collect(),
            })
            .collect(),
    }
}

/// The texts of a picture; fails where it is no XML.
fn texts(picture: &str) -> Vec<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(picture);
    let mut texts = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Text(text) => {
                let text = text.trim().to_owned();
                if !text.is_empty() {
                    texts.push(text);
                }
            }
            Event::Eof => return texts,
            _ => {}
        }
    }
}

#[test]
fn a_picture_has_a_title_and_a_description_that_are_text() {
    let picture = svg(&chart(Kind::Bar, &["1月"], &[("受理", &[3.0])])).unwrap();
    assert!(
        picture.contains("<title>受理量 &amp; 其他</title>\n<desc>各月 &lt;受理&gt;</desc>"),
        "{picture}"
    );
    assert!(picture.contains("role=\"img\""));
    texts(&picture);
}

#[test]
fn no_picture_has_styles_or_scripts_that_a_strict_policy_would_refuse() {
    for kind in [Kind::Bar, Kind::Stacked, Kind::Line, Kind::Heat] {
        let picture = svg(&chart(
            kind,
            &["1月", "2月"],
            &[("受理", &[3.0, 4.0]), ("办结", &[1.0, 2.0])],
        ))
        .unwrap();
        assert!(!picture.contains("style=") && !picture.contains("<script") && !picture.contains("<style"));
    }
}

#[test]
fn bars_bear_their_numbers_and_both_names() {
    let picture = svg(&chart(
        Kind::Bar,
        &["东河镇", "西河镇"],
        &[("受理", &[37.0, 41.0]), ("办结", &[29.0, 40.0])],
    ))
    .unwrap();
    let texts = texts(&picture);
    for wanted in ["37", "41", "29", "40", "东河镇", "西河镇", "受理", "办结"] {
        assert!(
            texts.iter().any(|text| text == wanted),
            "{wanted} is not in {texts:?}"
        );
    }
}

#[test]
fn rows_are_told_apart_by_more_than_colour() {
    let one = svg(&chart(Kind::Stacked, &["a"], &[("x", &[30.0])])).unwrap();
    let two = svg(&chart(Kind::Stacked, &["a"], &[("x", &[30.0]), ("y", &[30.0])])).unwrap();
    // The hatching of the second row.
    assert!(two.matches("<polyline").count() > one.matches("<polyline").count() + 10);
}

#[test]
fn many_bars_lie_down_and_the_picture_grows() {
    let names: Vec<String> = (0..95).map(|n| format!("社区{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let sizes: Vec<f64> = (0..95).map(f64::from).collect();
    let picture = svg(&chart(Kind::Bar, &names, &[("受理", &sizes)])).unwrap();
    let texts = texts(&picture);
    assert!(texts.iter().any(|text| text == "社区94") && texts.iter().any(|text| text == "94"));
}

#[test]
fn a_line_has_a_gap_where_there_is_nothing() {
    let mut broken = chart(
        Kind::Line,
        &["1", "2", "3", "4", "5"],
        &[("x", &[1.0, 2.0, 3.0, 4.0, 5.0])],
    );
    let whole = svg(&broken).unwrap().matches("<polyline").count();
    broken.rows[0].values[2] = Value {
        size: None,
        shown: "—".to_owned(),
    };
    assert_eq!(svg(&broken).unwrap().matches("<polyline").count(), whole + 1);
}

#[test]
fn a_heat_chart_writes_its_numbers_and_leaves_what_is_not_known_white() {
    let hours: Vec<String> = (0..24).map(|hour| hour.to_string()).collect();
    let hours: Vec<&str> = hours.iter().map(String::as_str).collect();
    let sizes: Vec<f64> = (100..124).map(f64::from).collect();
    let picture = svg(&chart(Kind::Heat, &hours, &[("周一", &sizes), ("周日", &sizes)])).unwrap();
    assert_eq!(texts(&picture).iter().filter(|text| *text == "123").count(), 2);
}

#[test]
fn what_cannot_be_drawn_is_refused_and_says_why() {
    assert_eq!(svg(&chart(Kind::Bar, &[], &[])), Err(Error::Empty));
    assert_eq!(
        svg(&chart(Kind::Bar, &["a", "b"], &[("x", &[1.0])])),
        Err(Error::Uneven("x".to_owned()))
    );
    let many = vec!["a"; MAX_VALUES + 1];
    let sizes = vec![1.0; MAX_VALUES + 1];
    let refused = svg(&chart(Kind::Bar, &many, &[("x", &sizes)]));
    assert!(matches!(refused, Err(Error::Crowded { .. })), "{refused:?}");
}

#[test]
fn all_numbers_zero_or_equal_draw_all_the_same() {
    for kind in [Kind::Bar, Kind::Stacked, Kind::Line, Kind::Heat] {
        for size in [0.0, 7.0, 0.004] {
            svg(&chart(kind, &["a", "b"], &[("x", &[size, size])])).unwrap();
        }
    }
}

fn square(name: &str, x: f64, size: Option<f64>) -> Shape {
    Shape {
        name: name.to_owned(),
        rings: vec![vec![
            (x, 30.0),
            (x + 0.1, 30.0),
            (x + 0.1, 30.1),
            (x, 30.1),
            (x, 30.0),
        ]],
        value: Value {
            size,
            shown: size.map_or_else(|| "—".to_owned(), |size| size.to_string()),
        },
    }
}

fn of(shapes: Vec<Shape>) -> Map {
    Map {
        title: "受理量".to_owned(),
        description: "各镇".to_owned(),
        nothing: "— 无数据".to_owned(),
        shapes,
    }
}

#[test]
fn a_map_has_five_classes_whose_legend_says_the_numbers_in_them() {
    let shapes = (0..10)
        .map(|n| square("x", 120.0 + 0.1 * f64::from(n), Some(f64::from(n))))
        .collect();
    let picture = map(&of(shapes)).unwrap();
    let texts = texts(&picture);
    for class in ["0 – 1", "2 – 3", "4 – 5", "6 – 7", "8 – 9"] {
        assert!(
            texts.iter().any(|text| text == class),
            "{class} is not in {texts:?}"
        );
    }
    assert!(!texts.iter().any(|text| text == "— 无数据"));
}

#[test]
fn equal_numbers_are_of_one_class() {
    let shapes = (0..10)
        .map(|n| square("x", 120.0 + 0.1 * f64::from(n), Some(f64::from(n / 8))))
        .collect();
    let texts = texts(&map(&of(shapes)).unwrap());
    assert!(
        texts.iter().any(|text| text == "0") && !texts.iter().any(|text| text == "0 – 1"),
        "{texts:?}"
    );
}

#[test]
fn an_area_without_a_number_is_hatched_and_in_the_legend() {
    let with = map(&of(vec![square("a", 120.0, Some(3.0)), square("b", 120.1, None)])).unwrap();
    let without = map(&of(vec![
        square("a", 120.0, Some(3.0)),
        square("b", 120.1, Some(3.0)),
    ]))
    .unwrap();
    assert!(texts(&with).iter().any(|text| text == "— 无数据"));
    assert!(with.matches("<polyline").count() > without.matches("<polyline").count() + 20);
}
