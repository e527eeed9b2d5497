//! `whistle briefing`: what the program writes, keeps and tells.

mod harness;

use std::fs;

use harness::Home;

const JUNE: [&str; 4] = ["--from", "2026-06-01", "--to", "2026-06-30"];

#[test]
fn a_briefing_is_written_in_all_formats_issued_listed_and_compared() {
    let home = Home::village();
    let briefing = |more: &[&str]| home.run(&[&["briefing"], more].concat());
    let folder = home.copy_of_village();
    let file = |name: &str| folder.join(name).display().to_string();

    let page = briefing(&[&JUNE[..], &["--lang", "en"]].concat()).good().out;
    assert!(
        page.contains("<html lang=\"en\">") && page.contains("Work report"),
        "{page}"
    );
    // What needs cases is left out until there is evidence of them.
    assert!(page.contains("“4. The grid” is left out"), "{page}");

    for (name, begin) in [
        ("a.pdf", &b"%PDF-"[..]),
        ("a.docx", b"PK"),
        ("a.json", b"{"),
        ("a.html", b"<!doctype"),
    ] {
        briefing(&[&JUNE[..], &["--lang", "en", "--output", &file(name)]].concat()).good();
        assert!(fs::read(file(name)).unwrap().starts_with(begin), "{name}");
    }

    let json = briefing(&[&JUNE[..], &["--format", "json", "--issue", "--public"]].concat()).good();
    assert!(json.err.contains("issued as 1"), "{}", json.err);
    let again = briefing(&["--issued", "1", "--format", "json"]).good();
    assert_eq!(again.out, json.out);
    let listed = briefing(&["--list", "--json"]).good().json();
    assert_eq!(listed[0]["id"], 1);
    assert_eq!(listed[0]["public"], true);
    briefing(&[&JUNE[..], &["--issue"]].concat()).good();
    assert_eq!(
        briefing(&["--compare", "1", "2", "--json"]).good().json(),
        serde_json::json!([])
    );
    assert_eq!(briefing(&["--issued", "9"]).code, 1);
    assert_eq!(home.run(&["verify"]).good().code, 0);
}

#[test]
fn the_template_that_ships_can_be_begun_with_and_is_not_written_over() {
    let home = Home::village();
    let folder = home.copy_of_village();
    let at = folder.display().to_string();
    home.run(&["briefing", "--begin", &at]).good();
    home.run(&["plan", &at]).good();
    let refused = home.run(&["briefing", "--begin", &at]);
    assert_eq!(refused.code, 1);

    let chapter = folder.join("briefing/en/close.md");
    let text = fs::read_to_string(&chapter)
        .unwrap()
        .replace("\"overdue\"", "\"overdue\", perod=\"before\"");
    fs::write(&chapter, text).unwrap();
    let refused = home.run(&["plan", &at]);
    assert_eq!(refused.code, 1);
    assert!(
        (refused.out + &refused.err).contains("briefing/en/close.md:4:"),
        "the fault has no line"
    );
}
