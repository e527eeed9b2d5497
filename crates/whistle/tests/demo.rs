//! The demo, and files of cases in and out.

mod harness;

use std::fs;

use harness::{Home, village};

#[test]
fn a_demo_is_made_once_verifies_and_exports_and_is_never_lost_unasked() {
    let home = Home::empty();
    let make = |more: &[&str]| {
        let demo = [
            "demo",
            "--dir",
            "data",
            "--no-serve",
            "--json",
            "--until",
            "2026-11-01T00:00:00Z",
        ];
        home.run(&[&demo[..], &["--place", village().to_str().unwrap()], more].concat())
    };
    let first = make(&["--cases", "60"]).good();
    let accounts = first.json()["accounts"].as_array().unwrap().clone();
    assert!(accounts.iter().any(|a| a["role"] == "dispatcher"), "{first:#?}");
    home.run(&["verify"]).good();
    home.run(&["export", "first.csv", "--full"]).good();
    let cases = fs::read_to_string(home.path().join("first.csv")).unwrap();
    assert_eq!(cases.lines().count(), 61, "{cases}");

    make(&["--cases", "60"]).good();
    let other = make(&["--cases", "61"]);
    assert_eq!(other.code, 1);
    assert!(other.err.contains("--fresh"), "{other:#?}");
    let longer = make(&["--cases", "60", "--years", "2"]);
    assert_eq!(longer.code, 1);
    assert!(longer.err.contains("60 cases in 1 year"), "{longer:#?}");
    assert_eq!(
        make(&["--cases", "60", "--scale", "reference"]).code,
        2,
        "a scale says how many"
    );
    if home.is_on_postgres() {
        // A database is not ours to empty.
        assert!(make(&["--cases", "60", "--fresh"]).err.contains("--database-url"));
        return;
    }
    make(&["--cases", "60", "--fresh"]).good();
    home.run(&["export", "second.csv", "--full"]).good();
    assert_eq!(cases, fs::read_to_string(home.path().join("second.csv")).unwrap());
}

#[test]
fn a_demo_does_not_touch_an_install_that_is_none() {
    let home = Home::village();
    let run = home.run(&["demo", "--dir", "data", "--no-serve", "--fresh"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("is no demo"), "{run:#?}");
    home.run(&["check"]).good();
}

#[test]
fn a_file_imported_twice_adds_nothing_and_what_is_refused_says_why() {
    let home = Home::village();
    let rows = "service_request_id,service_code,requested_datetime,lat,long,description\n\
                A1,RD-HOLE,2026-03-02T08:00:00+08:00,46.205,131.815,a hole\n\
                A2,RD-HOLE,2026-03-02T09:00:00+08:00,46.206,131.816,another\n\
                A3,NO-SUCH,2026-03-02T09:00:00+08:00,46.206,131.816,what\n";
    fs::write(home.path().join("old.csv"), rows).unwrap();
    let import = ["import", "cases", "old.csv", "--json"];
    let first = home.run(&import).good().json();
    assert_eq!(
        (&first["added"], &first["rejected"]),
        (&2.into(), &1.into()),
        "{first}"
    );
    let rejects = fs::read_to_string(home.path().join("old.csv.rejects.csv")).unwrap();
    assert!(rejects.contains("A3"), "{rejects}");
    let second = home.run(&import).good().json();
    assert_eq!(
        (&second["added"], &second["unchanged"]),
        (&0.into(), &2.into()),
        "{second}"
    );
    home.run(&["verify"]).good();
}

#[test]
fn the_clocks_of_a_case_are_explained_in_both_languages_and_as_json() {
    let home = Home::village();
    let rows = "service_request_id,service_code,requested_datetime,lat,long,description\n\
                A1,RD-HOLE,2026-03-02T08:00:00+08:00,46.205,131.815,a hole\n";
    fs::write(home.path().join("old.csv"), rows).unwrap();
    home.run(&["import", "cases", "old.csv"]).good();
    let number = home.run(&["export", "all.csv", "--full"]).good();
    assert!(number.out.contains("1 case"), "{number:#?}");
    let cases = fs::read_to_string(home.path().join("all.csv")).unwrap();
    let number = cases.lines().nth(1).unwrap().split(',').next().unwrap();
    let told = home.run(&["explain", number]).good().out;
    assert!(told.contains("due ") && told.contains("working"), "{told}");
    assert!(told.contains("[ ]") && told.contains("80%"), "{told}");
    let told = home.run(&["explain", number, "--lang", "zh"]).good().out;
    assert!(told.contains("到期：自") && told.contains("市级"), "{told}");
    let json = home.run(&["explain", number, "--json"]).good().json();
    let steps = json["clocks"].as_array().unwrap().iter().rev();
    let steps = steps.flat_map(|clock| clock["steps"].as_array().unwrap());
    assert!(steps.filter(|step| step["at"] == "300%").count() > 0, "{json}");
    let nobody = home.run(&["explain", "987654321"]);
    assert_eq!(nobody.code, 1);
    assert!(nobody.err.contains("987654321"), "{nobody:#?}");
}
