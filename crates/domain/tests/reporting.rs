//! What a report must say, where it is found to lie, and what is offered as the same matter.

mod village;

use jiff::SignedDuration;
use village::{Tale, VILLAGE, in_mill, matter, may, post};
use whistle_domain::{
    case::{Actor, Answer, Case, MAX_PHOTOS, MAX_TEXT, Photo, PhotoKind},
    command::{Act, NewReport, Refusal, Whereabouts, locate},
    duplicate::{MAX_OFFERED, near_duplicates},
    geometry::Point,
    words::CaseNumber,
};

fn at_address(text: &str) -> Whereabouts {
    Whereabouts {
        address: text.into(),
        ..Whereabouts::default()
    }
}

fn area_of(whereabouts: &Whereabouts) -> String {
    locate(&VILLAGE, whereabouts)
        .unwrap()
        .areas
        .deepest()
        .unwrap()
        .to_string()
}

fn refusal(new: &NewReport, by: &Actor) -> Option<Refusal> {
    Tale::told(&VILLAGE, new, by, may(13, 9, 0), 0.5).err()
}

#[test]
fn a_point_lies_in_its_cell_or_where_there_is_none_in_its_community() {
    let at = |lon| Whereabouts {
        point: Some(Point::new(lon, 30.05).unwrap()),
        area: Some("V1".parse().unwrap()),
        ..Whereabouts::default()
    };
    assert_eq!(area_of(&at(120.02)), "V11-1");
    assert_eq!(area_of(&at(120.17)), "V12-2");
    assert_eq!(area_of(&at(120.33)), "V22");
    let location = locate(&VILLAGE, &at(120.02)).unwrap();
    let codes: Vec<_> = location
        .areas
        .0
        .iter()
        .flatten()
        .map(whistle_domain::words::AreaCode::as_str)
        .collect();
    assert_eq!(codes, ["V", "V1", "V11", "V11-1"]);
    assert_eq!(locate(&VILLAGE, &at(121.0)).unwrap_err().word(), "outside_place");
}

#[test]
fn without_a_point_the_area_that_was_picked_holds() {
    let picked = |code: &str| Whereabouts {
        area: Some(code.parse().unwrap()),
        ..at_address("Harbour Street 5")
    };
    assert_eq!(area_of(&picked("V21")), "V21");
    assert_eq!(
        locate(&VILLAGE, &picked("V9")).unwrap_err().word(),
        "unknown_area"
    );
}

#[test]
fn without_both_the_deepest_area_named_in_the_address_holds() {
    for (address, area) in [
        ("Harbour Street 5", "V22"),
        ("5 HARBOUR street", "V22"),
        ("港口社区12号楼", "V22"),
        ("东街道泉水社区3号", "V21"),
        ("泉水社区3号，西街道", "V12"),
        ("West End, Spring, house 3", "V12"),
        ("west end 12", "V1"),
        ("三溪市某处", "V"),
        ("somewhere", "V"),
    ] {
        assert_eq!(area_of(&at_address(address)), area, "{address}");
    }
    assert_eq!(
        locate(&VILLAGE, &at_address("  ")).unwrap_err().word(),
        "no_location"
    );
}

#[test]
fn a_name_within_another_word_names_nothing() {
    for (address, area) in [
        ("Miller's Lane 3", "V"),
        ("Springfield Road", "V"),
        ("Old Windmill", "V"),
        ("Mill-Lane 3", "V11"),
    ] {
        assert_eq!(area_of(&at_address(address)), area, "{address}");
    }
}

#[test]
fn an_address_that_may_mean_two_areas_names_the_one_that_holds_both() {
    for (address, area) in [
        ("泉水社区3号", "V"),
        ("Spring", "V"),
        ("between Mill and Spring in West End", "V1"),
        ("Mill, East End", "V"),
        ("Harbour or Mill", "V"),
    ] {
        assert_eq!(area_of(&at_address(address)), area, "{address}");
    }
    let new = NewReport {
        whereabouts: at_address("Spring 12"),
        ..matter("lamp")
    };
    let tale = Tale::of(&VILLAGE, &new, &Actor::Public);
    assert_eq!(
        tale.words(),
        ["reported"],
        "a doubtful address does not go straight through"
    );
}

#[test]
fn a_report_names_a_service_that_its_sender_may_use() {
    for (service, by, word) in [
        ("lampe", Actor::Public, "unknown_service"),
        ("street", Actor::Public, "is_group"),
        ("rats", Actor::Public, "not_public"),
        ("rats", Actor::Client { key: 1 }, "not_public"),
    ] {
        assert_eq!(refusal(&matter(service), &by).unwrap().word(), word, "{service}");
    }
    let tale = Tale::of(&VILLAGE, &matter("rats"), &post("mill-patrol"));
    assert!(!tale.case.public);
}

#[test]
fn a_report_needs_words_or_a_photo_within_bounds() {
    let mut new = matter("lamp");
    new.description = " \n".into();
    assert_eq!(refusal(&new, &Actor::Public), Some(Refusal::NoDescription));
    let photo = Photo {
        id: "0f".into(),
        kind: PhotoKind::Before,
        public: true,
    };
    new.photos = vec![photo.clone()];
    assert_eq!(refusal(&new, &Actor::Public), None);
    new.photos = vec![photo; MAX_PHOTOS + 1];
    assert_eq!(refusal(&new, &Actor::Public), Some(Refusal::TooManyPhotos));
    new.photos.clear();
    new.description = "灯".repeat(MAX_TEXT);
    assert_eq!(
        refusal(&new, &Actor::Public),
        None,
        "letters are counted, not bytes"
    );
    new.description.push('灯');
    assert_eq!(refusal(&new, &Actor::Public).unwrap().word(), "text_too_long");
    let mut tale = Tale::resident("lamp");
    let long = tale.tries(
        &post("dispatcher"),
        &Act::Comment { public: false },
        &new.description,
    );
    assert_eq!(long.unwrap_err().word(), "text_too_long");
}

#[test]
fn a_standard_must_belong_to_the_service() {
    let mut new = matter("lamp");
    new.standard = Some("P1".parse().unwrap());
    assert_eq!(refusal(&new, &post("calls")).unwrap().word(), "unknown_standard");
}

#[test]
fn who_names_a_standard_may_accept_the_case_where_it_lies() {
    let mut new = matter("pothole");
    new.standard = Some("P2".parse().unwrap());
    for code in ["calls", "dispatcher", "city-lead", "west-lead"] {
        let tale = Tale::of(&VILLAGE, &new, &post(code));
        assert_eq!(tale.words(), ["reported", "accepted", "assigned"], "{code}");
        assert_eq!(tale.case.standard.as_ref().unwrap().as_str(), "P2");
    }
    // A patrol does not accept, nor a handler, nor the lead of a department, nor a desk of another town, nor a system.
    let client = Actor::Client { key: 1 };
    let others = ["mill-patrol", "roads-handler", "roads-lead", "east-dispatcher"].map(post);
    for by in others.iter().chain([&client, &Actor::Public]) {
        assert_eq!(refusal(&new, by), Some(Refusal::MayNotNameStandard), "{by:?}");
        new.fixed = Some("filled it".into());
        assert_eq!(refusal(&new, by), Some(Refusal::MayNotNameStandard), "{by:?}");
        new.fixed = None;
    }
    new.standard = None;
    assert_eq!(refusal(&new, &post("mill-patrol")), None);
}

fn answered(answers: &[(&str, &[&str])]) -> Option<String> {
    let new = NewReport {
        answers: answers
            .iter()
            .map(|(question, values)| Answer {
                question: (*question).to_owned(),
                values: values.iter().map(|v| (*v).to_owned()).collect(),
            })
            .collect(),
        ..matter("tree")
    };
    match refusal(&new, &Actor::Public) {
        None => None,
        Some(Refusal::BadAnswer { question, what }) => Some(format!("{question}: {what}")),
        Some(other) => panic!("{other}"),
    }
}

#[test]
fn answers_that_fit_their_questions_are_taken() {
    for answers in [
        &[("size", &["small"][..])][..],
        &[
            ("size", &["large"]),
            ("harm", &["leans", "dead"]),
            ("height", &["3.5"]),
            ("since", &["2026-05-08T10:20:00Z"]),
            ("more", &["next to the school"]),
        ],
        &[("size", &["small"]), ("since", &["2026-05-08T10:20"])],
        &[("size", &["small"]), ("height", &[""]), ("more", &[])],
    ] {
        assert_eq!(answered(answers), None, "{answers:?}");
    }
}

#[test]
fn answers_that_do_not_fit_are_refused_with_what_would() {
    let long = "x".repeat(1001);
    for (answers, why) in [
        (&[][..], "size: it must be answered"),
        (&[("size", &[" "][..])][..], "size: choose one of its values"),
        (&[("size", &[""])], "size: it must be answered"),
        (&[("size", &["huge"])], "size: choose one of its values"),
        (&[("size", &["small", "large"])], "size: it takes one value"),
        (
            &[("size", &["small"]), ("size", &["large"])],
            "size: it is answered twice",
        ),
        (&[("colour", &["red"])], "colour: this service does not ask it"),
        (&[("notice", &["seen"])], "notice: this service does not ask it"),
        (
            &[("size", &["small"]), ("height", &["tall"])],
            "height: write a number",
        ),
        (
            &[("size", &["small"]), ("height", &["inf"])],
            "height: write a number",
        ),
        (
            &[("size", &["small"]), ("since", &["May"])],
            "since: write a date and time, 2026-05-08T10:20:00Z",
        ),
        (
            &[
                ("size", &["small"]),
                ("harm", &["leans", "dead", "leans", "leans"]),
            ],
            "harm: it has fewer values to choose from",
        ),
        (
            &[("size", &["small"]), ("more", &[&long])],
            "more: it is longer than 1000 letters",
        ),
    ] {
        assert_eq!(answered(answers).as_deref(), Some(why), "{answers:?}");
    }
}

/// A lamp reported at some distance east of [`in_mill`], numbered by it.
fn lamp_at(metres: i64) -> Case {
    let point = in_mill();
    let degrees = metres as f64 / (111_195.0 * point.lat.to_radians().cos());
    let mut new = matter("lamp");
    new.whereabouts.point = Some(Point::new(point.lon + degrees, point.lat).unwrap());
    let mut case = Tale::of(&VILLAGE, &new, &Actor::Public).case;
    case.number = CaseNumber(metres);
    case
}

fn offered(candidates: Vec<Case>, hours_later: i64) -> Vec<i64> {
    let now = may(13, 9, 0) + SignedDuration::from_hours(hours_later);
    let settings = &VILLAGE.jurisdiction.settings;
    near_duplicates(candidates, &"lamp".parse().unwrap(), in_mill(), now, settings)
        .iter()
        .map(|near| {
            assert!(
                (near.metres - near.case.number.0 as f64).abs() < 0.5,
                "{}",
                near.metres
            );
            near.case.number.0
        })
        .collect()
}

#[test]
fn near_duplicates_are_near_in_place_and_time_nearest_first_and_few() {
    let cases = || [90, 10, 101, 50].map(lamp_at).to_vec();
    assert_eq!(offered(cases(), 1), [10, 50, 90]);
    assert_eq!(offered(cases(), 72), [10, 50, 90]);
    assert_eq!(offered(cases(), 73), [] as [i64; 0]);
    let many = (1..20).map(lamp_at).collect();
    assert_eq!(offered(many, 1).len(), MAX_OFFERED);
}

#[test]
fn another_service_a_closed_case_and_one_without_a_point_are_no_duplicates() {
    let mut other = lamp_at(1);
    other.service = "pothole".parse().unwrap();
    let mut closed = Tale::resident("lamp");
    closed.reporter_does(Act::Withdraw);
    let mut nowhere = lamp_at(2);
    nowhere.location.point = None;
    assert_eq!(offered(vec![other, closed.case, nowhere], 1), [] as [i64; 0]);
}

#[test]
fn a_place_may_look_back_for_ever() {
    let settings = whistle_domain::place::Settings {
        duplicate_hours: u32::MAX,
        ..village::settings()
    };
    let near = near_duplicates(
        [lamp_at(5)],
        &"lamp".parse().unwrap(),
        in_mill(),
        may(13, 9, 0),
        &settings,
    );
    assert_eq!(near.len(), 1);
}
