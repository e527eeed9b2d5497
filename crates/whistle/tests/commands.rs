//! Places, accounts, keys and settings on the command line: what is printed, and the exit codes.

mod harness;

use std::fs;

use harness::{Home, Run, finish, village};

/// A run as a snapshot: temporary paths and times told alike everywhere.
macro_rules! assert_run {
    ($home:expr, $run:expr, @$expected:literal) => {{
        let run: Run = $run;
        let said = format!("exit {}\n{}---\n{}", run.code, run.out, run.err);
        let home = $home.path().to_str().unwrap().to_owned();
        let village = village().to_str().unwrap().to_owned();
        insta::with_settings!({filters => vec![
            (regex_of(&village).as_str(), "VILLAGE"),
            (regex_of(&home).as_str(), "HOME"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d", "TIME"),
        ]}, { insta::assert_snapshot!(said, @$expected) });
    }};
}

fn regex_of(path: &str) -> String {
    path.replace('.', r"\.").replace('+', r"\+")
}

#[test]
fn a_plan_of_a_new_place_shows_every_line_and_leaves_no_data_folder_behind() {
    let home = Home::empty();
    let run = home.run(&["plan", village().to_str().unwrap()]).good();
    assert!(run.out.contains("+ unit WATER: 水务局"), "{}", run.out);
    assert!(run.out.ends_with("applying it makes version 1\n"), "{}", run.out);
    assert!(!home.data().exists());
}

#[test]
fn what_was_applied_is_in_force_and_the_same_again_changes_nothing() {
    let home = Home::village();
    assert_run!(home, home.run(&["apply", village().to_str().unwrap()]), @r#"
    exit 0
    willow-brook: nothing changed; version 1 stays in force
    ---
    "#);
    assert_run!(home, home.run(&["check"]), @r#"
    exit 0
    warning: told nothing by mail, 5 units without an address: T100, T101, WATER, ROADS, PIPES; fill in email in units.csv
    willow-brook: somebody leads every service everywhere
    ---
    "#);
}

#[test]
fn a_change_is_planned_and_applied_as_the_next_version() {
    let home = Home::village();
    let place = home.copy_of_village();
    replace(&place.join("standards.csv"), "5d working", "3d working");
    replace(&place.join("units.csv"), "PIPES,管网抢修队", "PIPES,管网队");
    assert_run!(home, home.run(&["plan", "place"]), @r#"
    exit 0
    ~ unit PIPES: name 管网抢修队 → 管网队
    ~ standard RD-HOLE-1: resolve 5d working → 3d working
    willow-brook: 2 changes; applying it makes version 2
    ---
    "#);
    assert_run!(home, home.run(&["apply", "place"]), @r#"
    exit 0
    ~ unit PIPES: name 管网抢修队 → 管网队
    ~ standard RD-HOLE-1: resolve 5d working → 3d working
    willow-brook: version 2 is in force, with 2 changes
    ---
    "#);
}

#[test]
fn every_fault_of_a_broken_place_is_told_with_file_and_line_and_nothing_is_applied() {
    let home = Home::empty();
    let place = home.copy_of_village();
    replace(&place.join("standards.csv"), "5d working", "5 wd");
    replace(&place.join("units.csv"), "team,230599,WATER", "team,230599,WATR");
    replace(&place.join("posts.csv"), "handler|lead", "handler|boss");
    assert_run!(home, home.run(&["plan", "place"]), @r#"
    exit 1
    posts.csv:6: role "boss" does not exist; write patrol, call_taker, dispatcher, handler, lead, auditor or administrator
    standards.csv:5: limit "5 wd" is no duration; write 30m running, 4h working, 5d working or 2d calendar
    units.csv:7: unit "WATR" is not known; did you mean "WATER"?
    ---
    error: place has 3 faults; nothing of it is applied while one is left
    "#);
    assert_run!(home, home.run(&["apply", "place"]), @r#"
    exit 1
    posts.csv:6: role "boss" does not exist; write patrol, call_taker, dispatcher, handler, lead, auditor or administrator
    standards.csv:5: limit "5 wd" is no duration; write 30m running, 4h working, 5d working or 2d calendar
    units.csv:7: unit "WATR" is not known; did you mean "WATER"?
    ---
    error: place has 3 faults; nothing of it is applied while one is left
    "#);
    assert!(!home.data().exists());
    let faults = home.run(&["plan", "place", "--json"]);
    assert_eq!(faults.code, 1);
    assert_eq!(
        faults.json()["faults"].as_array().map(Vec::len),
        Some(3),
        "{faults:#?}"
    );
}

#[test]
fn a_broken_place_leaves_the_one_in_force_as_it_is() {
    let home = Home::village();
    let place = home.copy_of_village();
    replace(&place.join("standards.csv"), "5d working", "3d working");
    replace(&place.join("routing.csv"), "ROADS", "RAODS");
    assert_eq!(home.run(&["apply", "place"]).code, 1);
    let unchanged = home.run(&["plan", village().to_str().unwrap()]).good();
    assert!(
        unchanged.out.contains("version 1 stays in force"),
        "{}",
        unchanged.out
    );
}

#[test]
fn a_folder_that_is_not_there_is_told_by_its_name() {
    let home = Home::empty();
    assert_run!(home, home.run(&["plan", "nowhere"]), @r#"
    exit 1
    nowhere: cannot be read as a folder (No such file or directory (os error 2)); name the folder that holds jurisdiction.toml
    ---
    error: nowhere has 1 fault; nothing of it is applied while one is left
    "#);
}

#[test]
fn an_open_link_is_listed_and_is_no_success() {
    let home = Home::empty();
    let place = home.copy_of_village();
    replace(&place.join("routing.csv"), "*,*,@town\n", "");
    let checked = home.run(&["check", "place"]);
    assert_eq!(checked.code, 1);
    assert!(
        checked
            .out
            .starts_with("open link: nobody leads standard WAT-DRAIN-1 (service WAT-DRAIN) in "),
        "{checked:#?}"
    );
    assert!(
        checked
            .err
            .contains("in its chain of responsibility; add the lines to routing.csv"),
        "{checked:#?}"
    );
    home.run(&["apply", "place"]).good();
    let in_force = home.run(&["check", "--json"]);
    assert_eq!(in_force.code, 1);
    assert_eq!(in_force.json()["jurisdiction"], "willow-brook");
}

#[test]
fn a_command_on_a_folder_without_an_install_makes_none() {
    let home = Home::empty();
    for command in [
        &["verify"][..],
        &["user", "list"],
        &["key", "list"],
        &["backup", "b"],
        &["check"],
    ] {
        let run = home.run(command);
        assert_eq!(run.code, 1, "{run:#?}");
        assert!(run.err.starts_with("error: there is no install in"), "{run:#?}");
    }
    assert!(!home.data().exists());
}

#[test]
fn accounts_are_added_listed_and_disabled() {
    let home = Home::village();
    let add = [
        "user",
        "add",
        "Mei",
        "--post",
        "CITY-D",
        "--post",
        "CITY-L",
        "--password-stdin",
    ];
    assert_run!(home, home.run_with_input(&add, "a sentence to remember\n"), @r#"
    exit 0
    account Mei is added
    ---
    "#);
    assert_run!(home, home.run_with_input(&add, "a sentence to remember\n"), @r#"
    exit 1
    ---
    error: name: "mei" is taken; choose another name
    "#);
    fs::write(home.path().join("password"), "another long sentence\n").unwrap();
    let file = [
        "user",
        "add",
        "bo",
        "--post",
        "WATER-H",
        "--password-file",
        "password",
    ];
    home.run(&file).good();
    home.run(&["user", "password", "bo", "--password-file", "password"])
        .good();
    assert_run!(home, home.run(&["user", "list"]), @r#"
    exit 0
    NAME  POSTS
    bo    WATER-H
    mei   CITY-D, CITY-L
    ---
    "#);
    home.run(&["user", "disable", "bo"]).good();
    assert_eq!(
        home.run(&["user", "list", "--json"]).json(),
        serde_json::json!([
            { "name": "mei", "posts": ["CITY-D", "CITY-L"] }
        ])
    );
}

#[test]
fn an_account_with_a_short_password_or_an_unknown_post_is_refused() {
    let home = Home::village();
    let short = ["user", "add", "mei", "--post", "CITY-D", "--password-stdin"];
    assert_run!(home, home.run_with_input(&short, "short\n"), @r#"
    exit 1
    ---
    error: password: choose one of 10 to 200 letters; a short sentence is good
    "#);
    let unknown = ["user", "add", "mei", "--post", "MOON", "--password-stdin"];
    assert_run!(home, home.run_with_input(&unknown, "a sentence to remember\n"), @r#"
    exit 1
    ---
    error: there is no post "MOON" here; the place's posts.csv lists them all
    "#);
    assert_run!(home, home.run(&["user", "add", "mei", "--post", "CITY-D"]), @r#"
    exit 2
    ---
    error: there is no terminal to ask for the password; use --password-file FILE or --password-stdin
    "#);
    let good = ["user", "add", "mei", "--post", "CITY-D", "--password-stdin"];
    home.run_with_input(&good, "a sentence to remember\n").good();
    for (change, told) in [
        ("disable", "account mei is disabled"),
        ("enable", "account mei may sign in"),
        ("sign-out", "account mei is signed out"),
        (
            "reset-second-factor",
            "account mei has no second factor and no passkeys any more",
        ),
    ] {
        let run = home.run(&["user", change, "mei"]).good();
        assert!(run.out.contains(told), "{run:#?}");
    }
    assert_run!(home, home.run(&["user", "disable", "nobody"]), @r#"
    exit 1
    ---
    error: there is no account "nobody" here; `whistle user list` shows them all
    "#);
}

#[test]
fn an_account_is_linked_to_a_provider_that_is_set_up() {
    let home = Home::village();
    let good = ["user", "add", "mei", "--post", "CITY-D", "--password-stdin"];
    home.run_with_input(&good, "a sentence to remember\n").good();
    let link = ["user", "link", "mei", "--name", "mei@city.example"];
    assert_run!(home, home.run(&link), @r#"
    exit 1
    ---
    error: no provider of sign-ins is set up; set oidc_issuer, oidc_client_id and oidc_client_secret
    "#);
    let run = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command
            .env("WHISTLE_OIDC_ISSUER", "https://login.city.example")
            .env("WHISTLE_OIDC_CLIENT_ID", "whistle")
            .env("WHISTLE_OIDC_CLIENT_SECRET", "of both");
        finish(command, "")
    };
    assert!(
        run(&link)
            .good()
            .out
            .contains("account mei awaits mei@city.example")
    );
    assert!(
        run(&["user", "unlink", "mei"])
            .good()
            .out
            .contains("is linked to nobody")
    );
    let config = run(&["config"]).good();
    assert!(!config.out.contains("of both"), "{config:#?}");
}

#[test]
fn a_key_is_printed_alone_as_the_last_line_and_never_again() {
    let home = Home::village();
    let run = home
        .run(&["key", "add", "town app", "--expires", "2999-12-31"])
        .good();
    let key = run.out.lines().last().unwrap();
    assert!(key.starts_with("whk_") && !key.contains(' '), "{run:#?}");
    home.run(&["key", "add", "portal", "--scope", "report"]).good();
    let all = home.run(&["key", "list", "--json"]).good();
    assert!(!all.out.contains(key));
    let all = all.json();
    let named = |name: &str| {
        all.as_array()
            .unwrap()
            .iter()
            .find(|k| k["name"] == name)
            .unwrap()
    };
    assert_eq!(
        named("town app")["scopes"],
        serde_json::json!(["report", "update"])
    );
    assert_eq!(named("portal")["scopes"], serde_json::json!(["report"]));
    let portal = named("portal")["id"].to_string();
    home.run(&["key", "revoke", &portal]).good();
    let list = home.run(&["key", "list"]).good();
    assert!(
        list.out.contains("revoked") && !list.out.contains(key),
        "{list:#?}"
    );
    let refused = home.run(&["key", "add", "all", "--scope", "everything"]);
    assert!(refused.err.contains("write report or update"), "{refused:#?}");
    assert_run!(home, home.run(&["key", "revoke", "9"]), @r#"
    exit 1
    ---
    error: there is no key 9 in force here; `whistle key list` shows them all
    "#);
    assert_run!(home, home.run(&["key", "add", "old", "--expires", "2020-01-01"]), @r#"
    exit 2
    ---
    error: --expires 2020-01-01: is over already; name a day to come
    "#);
}

#[test]
fn a_jurisdiction_must_be_named_when_there_are_several() {
    let home = Home::village();
    let place = home.copy_of_village();
    replace(
        &place.join("jurisdiction.toml"),
        "\"willow-brook\"",
        "\"willow-hill\"",
    );
    replace(
        &place.join("jurisdiction.toml"),
        "willow.example.org",
        "hill.example.org",
    );
    home.run(&["apply", "place"]).good();
    assert_run!(home, home.run(&["key", "list"]), @r#"
    exit 2
    ---
    error: several jurisdictions are served; name one with --jurisdiction: willow-brook, willow-hill
    "#);
    home.run(&["key", "list", "--jurisdiction", "willow-hill"]).good();
    assert_run!(home, home.run(&["key", "list", "--jurisdiction", "moon"]), @r#"
    exit 1
    ---
    error: there is no jurisdiction "moon" here; it is one of willow-brook, willow-hill
    "#);
    let verified = home.run(&["verify", "--json"]).good().json();
    assert_eq!(verified["jurisdictions"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_flag_is_stronger_than_the_environment_that_than_the_file_that_than_the_default() {
    let home = Home::empty();
    let standing = |name: &str, variable: Option<&str>, flags: &[&str]| {
        let mut command = home.command(&["config", "--json"]);
        command.args(flags);
        if let Some(value) = variable {
            command.env(format!("WHISTLE_{}", name.to_uppercase()), value);
        }
        let settings = harness::finish(command, "").good().json();
        let found = settings
            .as_array()
            .unwrap()
            .iter()
            .find(|s| s["name"] == name)
            .cloned();
        let found = found.unwrap();
        (
            found["value"].as_str().unwrap().to_owned(),
            found["from"].as_str().unwrap().to_owned(),
        )
    };
    let pair = |value: &str, from: &str| (value.to_owned(), from.to_owned());
    assert_eq!(standing("rate", None, &[]), pair("20", "default"));
    fs::write(
        home.path().join("whistle.toml"),
        "rate = 1\ntrusted_proxies = [\"10.0.0.1\", \"::1\"]\n",
    )
    .unwrap();
    assert_eq!(standing("rate", None, &[]), pair("1", "whistle.toml"));
    assert_eq!(
        standing("trusted_proxies", None, &[]),
        pair("10.0.0.1, ::1", "whistle.toml")
    );
    assert_eq!(standing("rate", Some("2"), &[]), pair("2", "WHISTLE_RATE"));
    assert_eq!(standing("rate", Some("2"), &["--rate", "3"]), pair("3", "--rate"));
    fs::write(home.path().join("other.toml"), "rate = 4\n").unwrap();
    assert_eq!(
        standing("rate", None, &["--config", "other.toml"]),
        pair("4", "other.toml")
    );
}

#[test]
fn a_wrong_setting_is_told_with_its_source_and_is_wrong_usage() {
    let home = Home::village();
    assert_run!(home, home.run(&["serve", "--max-body", "much"]), @r#"
    exit 2
    ---
    error: setting max_body = "much", from --max-body: write a size such as 64 MiB, 500 kB or 65536
    "#);
    assert_run!(home, home.run(&["serve", "--listen", "8311"]), @r#"
    exit 2
    ---
    error: setting listen = "8311", from --listen: write ADDRESS:PORT, such as 127.0.0.1:8311 or [::]:8311
    "#);
    assert_run!(home, home.run(&["check", "--config", "none.toml"]), @r#"
    exit 2
    ---
    error: none.toml: there is no such file; `whistle config --example > none.toml` makes one
    "#);
    fs::write(home.path().join("whistle.toml"), "rate = \"fast\"\n").unwrap();
    assert_run!(home, home.run(&["check"]), @r#"
    exit 2
    ---
    error: setting rate = "fast", from whistle.toml: write a whole number
    "#);
    fs::write(home.path().join("whistle.toml"), "rate = 3\nspeed = 3\n").unwrap();
    assert_run!(home, home.run(&["check"]), @r#"
    exit 2
    ---
    error: whistle.toml: there is no setting "speed"; `whistle config` lists them all
    "#);
    fs::write(home.path().join("whistle.toml"), "rate = \n").unwrap();
    let broken = home.run(&["check"]);
    assert_eq!(broken.code, 2, "{broken:#?}");
    assert!(broken.err.contains("whistle.toml"), "{broken:#?}");
}

#[test]
fn the_example_file_is_good_as_it_is() {
    let home = Home::village();
    let example = home.run(&["config", "--example"]).good().out;
    let in_force = example
        .replace("\n# log = ", "\nlog = ")
        .replace("\n# timeout = ", "\ntimeout = ");
    fs::write(home.path().join("whistle.toml"), in_force).unwrap();
    home.run(&["check"]).good();
}

#[test]
fn every_command_has_help_with_an_example() {
    let home = Home::empty();
    let commands: &[&[&str]] = &[
        &["serve"],
        &["plan"],
        &["apply"],
        &["check"],
        &["backup"],
        &["restore"],
        &["verify"],
        &["import", "cases"],
        &["export"],
        &["figures"],
        &["briefing"],
        &["demo"],
        &["config"],
        &["user", "add"],
        &["user", "list"],
        &["user", "disable"],
        &["user", "password"],
        &["key", "add"],
        &["key", "list"],
        &["key", "revoke"],
        &["retention"],
        &["secret", "rotate"],
        &["secret", "forget"],
        &["notices", "list"],
        &["notices", "retry"],
        &["notices", "drop"],
        &["notices", "preview"],
        &["webhook", "add"],
        &["webhook", "list"],
        &["webhook", "remove"],
        &["mail-in"],
    ];
    for command in commands {
        let help = home.run(&[command, &["--help"][..]].concat()).good();
        assert!(help.out.contains("Example: "), "{command:?}\n{}", help.out);
    }
}

#[test]
fn what_was_kept_for_long_enough_is_told_before_it_is_erased() {
    let home = Home::village();
    assert_run!(home, home.run(&["retention", "--dry-run"]), @r#"
    exit 0
    willow-brook: would be erased
      0 reports' contact data
      0 texts of reporters
      0 photos that no case names
    ---
    "#);
    let erased = home.run(&["retention", "--json"]).good().json();
    assert_eq!(erased[0]["done"], true);
    assert_eq!(erased[0]["contacts"]["n"], 0);
}

#[test]
fn a_secret_key_is_rotated_and_the_earlier_one_given_up() {
    let home = Home::village();
    let file = home.data().join("secret.key");
    let old = fs::read(&file).unwrap();
    assert_run!(home, home.run(&["secret", "rotate"]), @r#"
    exit 0
    a new key is in force; sealed anew: 0 secrets
    ---
    "#);
    let both = fs::read(&file).unwrap();
    assert!(both.len() == 64 && both[32..] == old);
    assert_run!(home, home.run(&["secret", "forget"]), @r#"
    exit 0
    1 earlier key is given up
    ---
    "#);
    assert_eq!(fs::read(&file).unwrap(), both[..32]);
}

#[test]
fn what_operators_did_is_printed_the_youngest_first() {
    let home = Home::village();
    home.run(&["key", "add", "town app", "--scope", "report"]).good();
    home.run(&["key", "revoke", "1"]).good();
    home.run(&["key", "revoke", "1"]);
    let acts = home.run(&["audit", "--json"]).good().json();
    let words: Vec<&str> = acts
        .as_array()
        .unwrap()
        .iter()
        .map(|act| act["act"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["key_revoked", "key_added", "place_applied"]);
    assert_eq!(
        (&acts[1]["actor"], &acts[1]["subject"], &acts[1]["detail"]),
        (&"operator".into(), &"1".into(), &"town app: report".into())
    );
    assert_run!(home, home.run(&["audit", "--limit", "2"]), @r#"
    exit 0
    WHEN              WHO       DID          TO  DETAIL
    TIME  operator  key_revoked  1
    TIME  operator  key_added    1   town app: report
    ---
    "#);
}

#[test]
fn a_service_whose_cases_no_post_may_see_is_no_success() {
    let home = Home::empty();
    let place = home.copy_of_village();
    // The column stands in front of one that the rows fill in.
    replace(&place.join("services.csv"), "keywords,public", "keywords,access");
    for yes in ["漏水|leak,yes", "积水|drain,yes", "坑|pothole,yes"] {
        replace(&place.join("services.csv"), yes, &yes.replace("yes", "public"));
    }
    replace(&place.join("services.csv"), ",,no", ",,confidential");
    assert_run!(home, home.run(&["check", "place"]), @r#"
    exit 1
    service RD-SIGN: no post may see its cases; name it, or its class of access, in posts.csv
    warning: told nothing by mail, 5 units without an address: T100, T101, WATER, ROADS, PIPES; fill in email in units.csv
    ---
    error: willow-brook has 1 service whose cases no post may see
    "#);
    let checked = home.run(&["check", "place", "--json"]);
    assert_eq!(
        (checked.code, checked.json()["unseen_services"][0].as_str()),
        (1, Some("RD-SIGN"))
    );
}

#[test]
fn work_on_a_class_that_nobody_does_who_may_see_it_is_no_success() {
    let home = Home::empty();
    let place = home.copy_of_village();
    let wider = |file: &str, row: &str, word: &str| {
        let text = fs::read_to_string(place.join(file)).unwrap();
        let line = |(n, line): (usize, &str)| match n {
            0 => format!("{line},access\n"),
            _ if line.starts_with(row) => format!("{line},{word}\n"),
            _ => format!("{line},\n"),
        };
        let text: String = text.lines().enumerate().map(line).collect();
        fs::write(place.join(file), text).unwrap();
    };
    wider("standards.csv", "RD-SIGN-1", "confidential");
    wider("posts.csv", "T100-P", "staff|confidential");
    assert_run!(home, home.run(&["check", "place"]), @r#"
    exit 1
    not cleared: nobody who may see class confidential accepts cases of standard RD-SIGN-1 (service RD-SIGN) in city "230599" and all below it; write confidential into access of a call taker, a dispatcher or a station's lead in posts.csv
    not cleared: nobody who may see class confidential handles cases of standard RD-SIGN-1 (service RD-SIGN) in unit "ROADS"; write confidential into access of a handler or lead of that unit in posts.csv
    not cleared: nobody who may see class confidential verifies cases of standard RD-SIGN-1 (service RD-SIGN) in city "230599" itself, only in some areas below it; write confidential into access of a patrol, a dispatcher or a station's lead, not of the unit that handles them, in posts.csv
    not cleared: nobody who may see class confidential verifies cases of standard RD-SIGN-1 (service RD-SIGN) in town "230599101" and all below it; write confidential into access of a patrol, a dispatcher or a station's lead, not of the unit that handles them, in posts.csv
    warning: told nothing by mail, 5 units without an address: T100, T101, WATER, ROADS, PIPES; fill in email in units.csv
    ---
    error: willow-brook has 4 kinds of work on cases that nobody does who may see them; name their class in posts.csv and apply the place again
    "#);
    let checked = home.run(&["check", "place", "--json"]);
    let uncleared = &checked.json()["uncleared"];
    assert_eq!(
        (checked.code, &uncleared[1]["verb"], &uncleared[1]["unit"]),
        (1, &"handle".into(), &"ROADS".into()),
        "{uncleared}"
    );
    for post in ["CITY-D", "ROADS-H"] {
        let rows = fs::read_to_string(place.join("posts.csv")).unwrap();
        let row = rows.lines().find(|row| row.starts_with(post)).unwrap();
        replace(&place.join("posts.csv"), row, &format!("{row}staff|confidential"));
    }
    let checked = home.run(&["check", "place"]);
    assert_eq!(checked.code, 0, "{checked:#?}");
}

#[test]
fn a_command_that_does_not_exist_is_wrong_usage() {
    let home = Home::empty();
    assert_eq!(home.run(&["whisper"]).code, 2);
    assert_eq!(home.run(&[]).code, 2);
}

#[track_caller]
#[test]
fn what_cannot_be_imported_is_named_and_why() {
    let home = Home::village();
    let file = |name: &str, bytes: &[u8]| fs::write(home.path().join(name), bytes).unwrap();
    fs::create_dir(home.path().join("folder")).unwrap();
    file("table.xlsx", b"PK\x03\x04\x14\x00\x06\x00");
    file("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00");
    file("blank.csv", b" \n\n");
    file("strange.csv", b"a,b\n1,2\n");
    for (name, told) in [
        ("folder", "folder is a folder; name one file in it"),
        (
            "none.csv",
            "none.csv: there is no such file; name the file to import",
        ),
        (
            "table.xlsx",
            "table.xlsx: this is a spreadsheet or a ZIP archive; save its table as CSV",
        ),
        ("picture.csv", "picture.csv: this is no text"),
        ("blank.csv", "blank.csv: there is nothing in it"),
        ("strange.csv", "strange.csv: no column holds an id"),
    ] {
        let run = home.run(&["import", "cases", name]);
        assert_eq!(run.code, 1, "{run:#?}");
        assert!(run.err.contains(&format!("error: {told}")), "{run:#?}");
        assert!(
            !home.path().join(format!("{name}.rejects.csv")).exists(),
            "{name}"
        );
    }
}

#[test]
fn an_import_of_nothing_but_rejects_is_no_success_and_one_without_any_leaves_no_file_of_them() {
    let home = Home::village();
    let row = "1,2026-05-08 10:00,Volcano,46.205,131.805\n";
    fs::write(
        home.path().join("all.csv"),
        format!("id,date,type,lat,long\n{row}"),
    )
    .unwrap();
    let rejects = home.path().join("all.csv.rejects.csv");
    assert_run!(home, home.run(&["import", "cases", "all.csv"]), @r#"
    exit 1
    all: 1 row read: 0 added, 0 settled, 0 unchanged, 1 rejected
      1 rejected: unknown_service
    rejected rows are in all.csv.rejects.csv, each with why
    ---
    error: no row of all.csv could be imported
    "#);
    assert!(rejects.exists());
    replace(&home.path().join("all.csv"), "Volcano", "RD-HOLE");
    let run = home.run(&["import", "cases", "all.csv"]).good();
    assert!(run.out.contains("1 added"), "{run:#?}");
    assert!(!rejects.exists());
}

fn replace(file: &std::path::Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from:?} is not in {}", file.display());
    fs::write(file, text.replace(from, to)).unwrap();
}
