//! Briefings are written, issued, kept and compared; on whichever database the run has.

use std::{fs, path::Path, sync::Arc};

use jiff::civil::date;
use whistle_briefing::{document::Document, evidence::Period, example::Example};
use whistle_domain::{case::Actor, words::Lang};
use whistle_service::{
    Error, Here, Site, Whistle,
    briefing::{Counted, Paper, Wanted, period},
    demo::DemoOptions,
    list::Viewer,
};
use whistle_testbed::{Bed, copy_folder};

fn wanted(period: Period, lang: Lang, public: bool) -> Wanted {
    Wanted { period, lang, public }
}

struct Village {
    bed: Bed,
    whistle: Whistle,
    here: Here,
}

impl Village {
    fn open() -> Self {
        let bed = Bed::new();
        let site = Site {
            database_url: bed.database_url().map(str::to_owned),
            ..bed.path().into()
        };
        let whistle = Whistle::open(site).unwrap();
        let folder = bed.path().join("place");
        let village = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
        copy_folder(&village, &folder);
        whistle.apply(&folder).unwrap();
        let here = whistle.places().all()[0].clone();
        Self { bed, whistle, here }
    }

    /// From the real rules, with real times.
    fn june_of_cases(&self, cases: u64) {
        let at = |text: &str| Some(text.parse().unwrap());
        let options = DemoOptions {
            cases,
            seed: 1,
            from: at("2026-06-01T00:00:00Z"),
            to: at("2026-06-28T00:00:00Z").unwrap(),
        };
        self.whistle.make_demo(&self.here, options, |_| ()).unwrap();
    }

    /// What the facts say of June.
    fn counted(&self, lang: Lang, public: bool) -> Document {
        self.whistle.follow_facts().unwrap();
        let june = period(date(2026, 6, 1), date(2026, 6, 30)).unwrap();
        let evidence = Counted::of(&self.whistle, &self.here, public).unwrap();
        self.whistle
            .briefing(&self.here, Arc::new(evidence), wanted(june, lang, public), "")
            .unwrap()
    }

    fn june(&self, more: i64) -> Document {
        let mut evidence = Example::default();
        evidence.more = more;
        let june = period(date(2026, 6, 1), date(2026, 6, 30)).unwrap();
        self.whistle
            .briefing(&self.here, Arc::new(evidence), wanted(june, Lang::Zh, true), "")
            .unwrap()
    }
}

#[test]
fn an_issue_is_kept_as_it_was_and_found_by_its_number() {
    let village = Village::open();
    let document = village.june(0);
    let post = "VILLAGE".parse().unwrap();
    let first = village
        .whistle
        .issue_briefing(&village.here, &document, None, false)
        .unwrap();
    let second = village
        .whistle
        .issue_briefing(&village.here, &document, Some(&post), true)
        .unwrap();
    assert_eq!((first, second), (1, 2));

    let (issue, kept) = village.whistle.issued_briefing(&village.here, 2).unwrap();
    assert_eq!(kept, document);
    assert_eq!(
        (issue.hash, issue.post.as_str(), issue.public),
        (document.hash(), "VILLAGE", true)
    );
    assert_eq!((issue.from, issue.to), (date(2026, 6, 1), date(2026, 6, 30)));

    let listed = |all, before| {
        let issues = village.whistle.briefings(&village.here, all, before).unwrap();
        issues.iter().map(|issue| issue.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(true, None), [2, 1]);
    assert_eq!(listed(true, Some(2)), [1]);
    assert_eq!(listed(false, None), [2]);
    let missing = village.whistle.issued_briefing(&village.here, 3).unwrap_err();
    assert!(
        matches!(missing, Error::NotFound { what: "briefing", .. }),
        "{missing}"
    );
}

#[test]
fn a_number_whose_data_changed_since_the_last_issue_says_what_it_was() {
    let village = Village::open();
    let issued = village.june(0);
    village
        .whistle
        .issue_briefing(&village.here, &issued, None, true)
        .unwrap();
    assert!(village.june(0).numbers.iter().all(|cited| cited.was.is_none()));

    let later = village.june(2);
    let filed = later
        .numbers
        .iter()
        .find(|cited| cited.key.starts_with("filed 2026-06-01"))
        .unwrap();
    let was = filed.was.as_ref().unwrap();
    assert_eq!(was.issue, 1);
    assert_ne!(was.shown, filed.shown);
    village
        .whistle
        .issue_briefing(&village.here, &later, None, true)
        .unwrap();

    let differences = village.whistle.compare_briefings(&village.here, 1, 2).unwrap();
    let filed = differences.iter().find(|it| it.key == filed.key).unwrap();
    assert_eq!(filed.old.as_deref(), Some(was.shown.as_str()));
    assert!(
        village
            .whistle
            .compare_briefings(&village.here, 2, 2)
            .unwrap()
            .is_empty()
    );
    // What is for the staff is compared with what was for the staff: there is none.
    let mut evidence = Example::default();
    evidence.more = 5;
    let june = period(date(2026, 6, 1), date(2026, 6, 30)).unwrap();
    let inner = village
        .whistle
        .briefing(
            &village.here,
            Arc::new(evidence),
            wanted(june, Lang::Zh, false),
            "",
        )
        .unwrap();
    assert!(inner.numbers.iter().all(|cited| cited.was.is_none()));
    village
        .whistle
        .issue_briefing(&village.here, &inner, None, false)
        .unwrap();
    // Against the newest issue for everybody nothing changed.
    assert!(village.june(2).numbers.iter().all(|cited| cited.was.is_none()));
}

#[test]
fn without_a_case_what_stands_is_counted_and_chapters_that_need_more_are_left_out() {
    let village = Village::open();
    let document = village.counted(Lang::En, false);
    let posts = document
        .numbers
        .iter()
        .find(|cited| cited.indicator == "posts")
        .unwrap();
    assert_eq!(posts.numerator, Some(village.here.place.posts().count() as i64));
    let coverage = document
        .numbers
        .iter()
        .find(|cited| cited.indicator == "post_coverage")
        .unwrap();
    assert_eq!((coverage.numerator, coverage.shown.as_str()), (Some(0), "0.0%"));
    assert!(document.left_out.iter().any(|part| part.title == "4. The grid"));
}

#[test]
fn numbers_of_cases_are_those_of_the_indicators_and_say_how_they_are_counted() {
    let village = Village::open();
    village.june_of_cases(400);
    for lang in Lang::ALL {
        let document = village.counted(lang, false);
        let filed = document
            .numbers
            .iter()
            .find(|cited| cited.key == "filed 2026-06-01..2026-06-30")
            .unwrap();
        assert_eq!(filed.numerator, Some(400));
        assert_eq!(filed.shown, "400");
        assert!(!filed.formula.is_empty());
        assert!(
            filed
                .link
                .contains("/staff/figures/filed?from=2026-06-01&to=2026-06-30"),
            "{}",
            filed.link
        );
        let in_areas: i64 = document
            .numbers
            .iter()
            .filter(|cited| {
                cited.key.starts_with("filed area=") && cited.key.ends_with("2026-06-01..2026-06-30")
            })
            .filter_map(|cited| cited.numerator)
            .sum();
        assert_eq!(in_areas, 400, "each case lies in one town");
        let grid = ["4. The grid", "四、精细治理，夯实网格服务"];
        assert!(
            document
                .left_out
                .iter()
                .all(|part| !grid.contains(&part.title.as_str()))
        );
    }
}

#[test]
fn the_same_data_has_the_same_hash_and_a_case_more_another() {
    let village = Village::open();
    village.june_of_cases(30);
    let first = village.counted(Lang::Zh, false).data_hash;
    assert_eq!(village.counted(Lang::Zh, false).data_hash, first);
    village.june_of_cases(1);
    assert_ne!(village.counted(Lang::Zh, false).data_hash, first);
}

#[test]
fn a_briefing_for_everybody_keeps_back_figures_of_few_cases() {
    let village = Village::open();
    village.june_of_cases(3);
    let filed = |public| {
        let document = village.counted(Lang::En, public);
        let filed = document
            .numbers
            .iter()
            .find(|cited| cited.key == "filed 2026-06-01..2026-06-30")
            .unwrap();
        (filed.shown.clone(), filed.numerator)
    };
    assert_eq!(filed(false), ("3".to_owned(), Some(3)));
    assert_eq!(filed(true), ("some".to_owned(), None));
}

#[test]
fn plan_names_the_faults_of_a_template_with_file_and_line() {
    let village = Village::open();
    let folder = village.bed.path().join("place");
    fs::create_dir_all(folder.join("briefing/en")).unwrap();
    let toml = "title = { en = \"Report\" }\n[[chapter]]\nfile = \"one\"\ntitle = { en = \"One\" }\n";
    fs::write(folder.join("briefing/briefing.toml"), toml).unwrap();
    fs::write(
        folder.join("briefing/en/one.md"),
        "# One\n\n{{ indicater(\"filed\") }}\n",
    )
    .unwrap();
    let refused = village.whistle.plan(&folder).unwrap_err();
    let Error::Faults(faults) = refused else {
        panic!("{refused}")
    };
    let told: Vec<String> = faults.into_list().iter().map(ToString::to_string).collect();
    assert!(
        told.iter()
            .any(|fault| fault.starts_with("briefing/en/one.md:3: ") && fault.contains("indicater")),
        "{told:?}"
    );

    // An indicator that the place has not, in a template that is right otherwise.
    fs::write(
        folder.join("briefing/en/one.md"),
        "# One\n\n{{ indicator(\"field\") }}\n",
    )
    .unwrap();
    let Error::Faults(faults) = village.whistle.plan(&folder).unwrap_err() else {
        panic!("it has a fault")
    };
    let told: Vec<String> = faults.into_list().iter().map(ToString::to_string).collect();
    assert!(
        told.iter()
            .any(|fault| fault.starts_with("briefing/en/one.md:3: ")
                && fault.contains("\"field\"")
                && fault.contains("filed")),
        "{told:?}"
    );

    fs::write(
        folder.join("briefing/en/one.md"),
        "# One\n\n{{ indicator(\"filed\") }} of 20\n",
    )
    .unwrap();
    village.whistle.apply(&folder).unwrap();
    let here = village.whistle.places().all()[0].clone();
    let june = period(date(2026, 6, 1), date(2026, 6, 30)).unwrap();
    let own = village
        .whistle
        .briefing(
            &here,
            Arc::new(Example::default()),
            wanted(june, Lang::En, false),
            "",
        )
        .unwrap();
    assert_eq!((own.title.as_str(), own.typed.len()), ("Report", 1));
    let other = village.whistle.briefing(
        &here,
        Arc::new(Example::default()),
        wanted(june, Lang::Zh, false),
        "",
    );
    assert!(other.unwrap_err().to_string().contains("no chapters in zh"));
}

#[test]
fn a_period_that_ends_before_it_begins_is_refused() {
    assert!(period(date(2026, 6, 2), date(2026, 6, 1)).is_err());
    assert!(period(date(2006, 6, 2), date(2026, 6, 1)).is_err());
}

#[tokio::test]
async fn what_is_issued_is_what_was_read_and_only_who_answers_for_the_place_issues_it() {
    let village = tokio::task::spawn_blocking(|| {
        let village = Village::open();
        village.june_of_cases(30);
        village.whistle.follow_facts().unwrap();
        village
    })
    .await
    .unwrap();
    let (whistle, here) = (&village.whistle, &village.here);
    let actor = |post: &str, unit: &str| Actor::Post {
        post: post.parse().unwrap(),
        unit: unit.parse().unwrap(),
        account: 1,
    };
    let (centre, patrol) = (actor("CITY-D", "CITY"), actor("T100-P", "T100"));
    let june = period(date(2026, 6, 1), date(2026, 6, 30)).unwrap();
    let wanted = wanted(june, Lang::En, false);
    let draft = |by: Actor| async move { whistle.draft_briefing(here, &by, wanted, String::new()).await };
    assert!(matches!(draft(patrol.clone()).await, Err(Error::Forbidden)));
    let read = draft(centre.clone()).await.unwrap();
    let issue = |by: Actor, wanted: Wanted, said: String| async move {
        whistle.issue_draft(here, &by, wanted, said).await
    };
    let said = read.said_hash();
    let refused = issue(patrol.clone(), wanted, said.clone()).await;
    assert!(matches!(refused, Err(Error::Forbidden)));

    // A case more comes while it is read.
    let again = village.whistle.clone();
    let of = village.here.clone();
    tokio::task::spawn_blocking(move || {
        let options = DemoOptions {
            cases: 1,
            seed: 2,
            from: Some("2026-06-10T00:00:00Z".parse().unwrap()),
            to: "2026-06-28T00:00:00Z".parse().unwrap(),
        };
        again.make_demo(&of, options, |_| ()).unwrap();
        again.follow_facts().unwrap();
    })
    .await
    .unwrap();
    // Nobody issues for everybody what was written for the staff, nor what nobody read.
    let wide = Wanted {
        public: true,
        ..wanted
    };
    for (wanted, said) in [(wide, said.as_str()), (wanted, "../../../key"), (wanted, "")] {
        let gone = issue(centre.clone(), wanted, said.to_owned()).await;
        assert!(matches!(gone, Err(Error::NotFound { .. })), "{said}");
    }
    assert_eq!(issue(centre.clone(), wanted, said.clone()).await.unwrap(), 1);
    assert_eq!(
        issue(centre.clone(), wanted, said.clone()).await.unwrap(),
        1,
        "once"
    );
    let now = draft(centre.clone()).await.unwrap();
    assert_ne!(now.said_hash(), said, "a case more is another number");
    assert!(now.numbers.iter().any(|cited| cited.was.is_some()));

    // It is for the staff that see the whole place; nobody else is told that there is one.
    let (kept, document) = whistle
        .readable_briefing(here, Viewer::Staff(&centre), 1, |document| document)
        .await
        .unwrap();
    assert_eq!((kept.post.as_str(), document.said_hash()), ("CITY-D", said));
    for viewer in [Viewer::Public, Viewer::Staff(&patrol)] {
        assert!(matches!(
            whistle.readable_briefing(here, viewer, 1, drop).await,
            Err(Error::NotFound { .. })
        ));
        assert!(matches!(
            whistle.briefing_file(here, viewer, 1, Paper::Json).await,
            Err(Error::NotFound { .. })
        ));
    }
    let (_, file) = whistle
        .briefing_file(here, Viewer::Staff(&centre), 1, Paper::Json)
        .await
        .unwrap();
    assert_eq!(
        blake3::hash(&fs::read(file).unwrap()).to_hex().to_string(),
        kept.hash
    );
}
