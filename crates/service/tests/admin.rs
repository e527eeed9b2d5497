//! What administrators and operators did is written down with it, and read by who keeps the whole place; on whichever
//! database the run has.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::Timestamp;
use whistle_domain::{
    case::{Actor, Channel},
    command::{NewReport, Whereabouts},
    rights::Scope,
    words::PostCode,
};
use whistle_service::{
    Error, Here, Site, Whistle,
    account::{Change, SignIn, SignedIn, actor_of},
    admin::{Before, Deed, Doer, Told},
    case::With,
    export::{Content, ExportOptions, Rows},
    import::ImportOptions,
    notices::{NewWebhook, WebhookChange},
    secret,
    time::{Chance, Clock},
};
use whistle_testbed::{Bed, copy_folder};

const PASSWORD: &str = "a long enough password";

#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

struct Town {
    bed: Bed,
    hands: Hands,
    whistle: Whistle,
    here: Here,
    runtime: tokio::runtime::Runtime,
}

impl Town {
    fn open() -> Self {
        let bed = Bed::new();
        let begin: Timestamp = "2026-05-13T01:00:00Z".parse().unwrap();
        let hands = Hands(Arc::new(AtomicI64::new(begin.as_second())));
        let chance = Chance::from_seed(1);
        let whistle = Whistle::open_with(site(&bed), Box::new(hands.clone()), chance).unwrap();
        let folder = bed.path().join("place");
        copy_folder(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village"),
            &folder,
        );
        whistle.apply(&folder).unwrap();
        let here = whistle.places().all()[0].clone();
        Self {
            bed,
            hands,
            whistle,
            here,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    fn days_pass(&self, days: i64) {
        self.hands.0.fetch_add(days * 24 * 3600, Ordering::Relaxed);
    }

    fn add(&self, login: &str, post: &str) -> i64 {
        let post: PostCode = post.parse().unwrap();
        self.whistle
            .add_user(&self.here, login, PASSWORD, &[post])
            .unwrap()
    }

    fn sign_in(&self, login: &str) -> (String, SignedIn) {
        let signed_in = self.whistle.sign_in(&self.here, login, PASSWORD.to_owned(), None);
        let token = self.wait(signed_in).and_then(SignIn::done).unwrap();
        let by = self.wait(self.whistle.signed_in(&self.here, &token)).unwrap();
        (token, by)
    }

    /// What was done, first things first: by whom, what, to what, and more of it.
    fn acts(&self) -> Vec<String> {
        let acts = self.whistle.acts(&self.here, None, 1000).unwrap();
        let shown = acts.into_iter().rev().map(Told::from).map(|told| {
            let who = told.login.unwrap_or_else(|| told.actor.to_owned());
            let post = told.post.unwrap_or_default();
            format!("{who} {post} {} {} {}", told.act, told.subject, told.detail)
        });
        shown.collect()
    }
}

fn site(bed: &Bed) -> Site {
    Site {
        database_url: bed.database_url().map(str::to_owned),
        ..bed.path().join("store").into()
    }
}

#[test]
fn every_act_is_written_down_with_who_did_it_and_none_that_was_refused() {
    let town = Town::open();
    let (whistle, here) = (&town.whistle, &town.here);
    let mei = town.add("mei", "T100-P");
    town.add("lead", "CITY-L");
    let taken = whistle.add_user(here, "mei", PASSWORD, &["T100-P".parse().unwrap()]);
    assert!(taken.is_err());
    whistle
        .set_password(here, "mei", "another long enough one")
        .unwrap();
    assert!(whistle.set_password(here, "nobody", PASSWORD).is_err());
    whistle.change_user(here, "mei", Change::SignOut).unwrap();
    whistle.add_key(here, "town app", &[Scope::Report], None).unwrap();
    whistle.revoke_key(here, 1).unwrap();
    assert!(whistle.revoke_key(here, 1).is_err(), "revoked already");
    let hook = NewWebhook {
        url: "https://example.org/hook".to_owned(),
        events: vec!["verified".to_owned()],
        all: true,
        private: false,
    };
    whistle.add_webhook(here, &hook).unwrap();
    whistle.change_webhook(here, 1, WebhookChange::Remove).unwrap();
    assert!(whistle.change_webhook(here, 1, WebhookChange::Pause).is_err());
    let (token, lead) = town.sign_in("lead");
    town.wait(whistle.keep_account(here, &lead, mei, Change::Disable))
        .unwrap();
    town.wait(whistle.keep_account(here, &lead, mei, Change::Enable))
        .unwrap();
    assert!(
        town.wait(whistle.keep_account(here, &lead, 99, Change::Disable))
            .is_err()
    );
    town.wait(whistle.reset_password(here, &lead, mei)).unwrap();
    town.wait(whistle.reset_kept_second_factor(here, &lead, mei))
        .unwrap();
    assert!(
        town.wait(whistle.reset_password(here, &lead, lead.account))
            .is_err()
    );
    let passwords = (PASSWORD.to_owned(), "yet another long one".to_owned());
    town.wait(whistle.change_password(here, &lead, &token, passwords, None))
        .unwrap();
    let enrolment = town
        .wait(whistle.begin_second_factor(here, &lead, "yet another long one".to_owned(), None))
        .unwrap();
    let code = || {
        let secret = totp_rs::Secret::try_from_base32(&enrolment.secret).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        totp.generate(whistle.now().as_second() as u64).to_string()
    };
    town.wait(whistle.confirm_second_factor(here, &lead, &token, &code(), None))
        .unwrap();
    town.hands.0.fetch_add(60, Ordering::Relaxed);
    town.wait(whistle.remove_second_factor(here, &lead, &code(), None))
        .unwrap();
    whistle.reset_second_factor(here, "mei").unwrap();
    town.wait(whistle.add_webhook_as(here, &lead.actor, &hook))
        .unwrap();
    for change in [WebhookChange::Pause, WebhookChange::Resume] {
        town.wait(whistle.change_webhook_as(here, &lead.actor, 2, change))
            .unwrap();
    }
    town.wait(whistle.remove_kept_passkeys(here, &lead, mei)).unwrap();
    town.wait(whistle.unlink_kept(here, &lead, mei)).unwrap();
    whistle.retain_now(here).unwrap();
    assert_eq!(
        town.acts(),
        [
            "operator  place_applied 1 DETAIL".replace(
                "DETAIL",
                &whistle.acts(here, None, 100).unwrap().last().unwrap().detail
            ),
            "operator  account_added mei T100-P".to_owned(),
            "operator  account_added lead CITY-L".to_owned(),
            "operator  password_reset mei ".to_owned(),
            "operator  account_signed_out mei ".to_owned(),
            "operator  key_added 1 town app: report".to_owned(),
            "operator  key_revoked 1 ".to_owned(),
            "operator  webhook_added 1 https://example.org/hook (all): verified".to_owned(),
            "operator  webhook_removed 1 ".to_owned(),
            "lead CITY-L account_disabled mei ".to_owned(),
            "lead CITY-L account_enabled mei ".to_owned(),
            "lead CITY-L password_reset mei ".to_owned(),
            "lead CITY-L second_factor_reset mei ".to_owned(),
            "lead CITY-L password_changed lead ".to_owned(),
            "lead CITY-L second_factor_added lead ".to_owned(),
            "lead CITY-L second_factor_removed lead ".to_owned(),
            "operator  second_factor_reset mei ".to_owned(),
            "lead CITY-L webhook_added 2 https://example.org/hook (all): verified".to_owned(),
            "lead CITY-L webhook_paused 2 ".to_owned(),
            "lead CITY-L webhook_resumed 2 ".to_owned(),
            "lead CITY-L passkey_removed mei ".to_owned(),
            "lead CITY-L account_unlinked mei ".to_owned(),
            "operator  retention_done  contacts=0 texts=0 photos=0".to_owned(),
        ]
    );
    let known: Vec<&str> = Deed::ALL.into_iter().map(Deed::as_str).collect();
    for act in whistle.acts(here, None, 100).unwrap() {
        assert!(known.contains(&act.deed.as_str()), "{}", act.deed);
        assert_eq!(act.by == Doer::Operator, act.login.is_none());
    }
}

#[test]
fn a_rotation_and_what_was_given_up_are_written_down() {
    let Town {
        bed, whistle, here, ..
    } = Town::open();
    whistle.close();
    drop(whistle);
    secret::rotate(&site(&bed)).unwrap();
    secret::forget(&site(&bed)).unwrap();
    let whistle = Whistle::open(site(&bed)).unwrap();
    let acts = whistle.acts(&here, None, 2).unwrap();
    let words: Vec<&str> = acts.iter().map(|act| act.deed.as_str()).collect();
    assert_eq!(words, ["secret_forgotten", "secret_rotated"]);
    assert_eq!(
        (acts[0].detail.as_str(), acts[1].detail.as_str()),
        ("earlier_keys=1", "sealed=0")
    );
}

#[test]
fn what_leaves_the_install_and_what_enters_it_is_written_down() {
    let town = Town::open();
    let (whistle, here) = (&town.whistle, &town.here);
    let file = |name: &str| town.bed.path().join(name);
    let export = |content, rows, access: &[&str]| {
        let options = ExportOptions {
            content,
            rows,
            access: access.iter().map(|class| class.parse().unwrap()).collect(),
            ..ExportOptions::default()
        };
        whistle.export(here, &options, &file("out.csv"), |_| {})
    };
    export(Content::Open, Rows::Cases, &[]).unwrap();
    export(Content::Full, Rows::Cases, &["confidential", "family"]).unwrap();
    export(Content::Full, Rows::Calls, &[]).unwrap();
    assert!(export(Content::Open, Rows::Whistles, &[]).is_err());
    std::fs::write(
        file("in.csv"),
        "id,date,service_code,lat,long,description\n7,2026-05-01,WAT-DRAIN,46.205,131.805,wet\n8,x,NONE,,,\n",
    )
    .unwrap();
    let import = || {
        let options = ImportOptions {
            file: file("in.csv"),
            source: "the old one".to_owned(),
            rejects: file("rejects.csv"),
            ..ImportOptions::default()
        };
        whistle.import_cases(here, &options, |_| {}).unwrap()
    };
    let report = import();
    assert_eq!((report.added, report.rejected), (1, 1), "{report:?}");
    // A second time nothing is new.
    assert_eq!(import().added, 0);
    let mut done = vec![
        "operator  exported  cases",
        "operator  exported  cases full class=confidential class=family",
        "operator  exported  calls full",
        "operator  imported the old one added=1 settled=0 rejected=1",
    ];
    let kept = whistle.backup(&file("kept"), |_| {});
    if town.bed.database_url().is_none() {
        kept.unwrap();
        done.push("operator  backed_up  photos=0");
        assert!(whistle.backup(&file("kept"), |_| {}).is_err(), "it is there");
    }
    assert_eq!(town.acts()[1..], done);
}

#[test]
fn a_folder_that_would_hide_cases_of_a_class_from_everybody_is_refused() {
    let town = Town::open();
    let folder = town.bed.path().join("place");
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let (standards, posts) = (read("standards.csv"), read("posts.csv"));
    let wider = |text: &str, row: &str, word: &str| -> String {
        let line = |(n, line): (usize, &str)| match n {
            0 => format!("{line},access\n"),
            _ if line.starts_with(row) => format!("{line},{word}\n"),
            _ => format!("{line},\n"),
        };
        text.lines().enumerate().map(line).collect()
    };
    let write = |class: &str, seen: &str| {
        std::fs::write(
            folder.join("standards.csv"),
            wider(&standards, "RD-SIGN-1", class),
        )
        .unwrap();
        std::fs::write(folder.join("posts.csv"), wider(&posts, "CITY-D", seen)).unwrap();
    };
    write("confidential", "staff|confidential");
    town.whistle.apply(&folder).unwrap();
    let here = town.whistle.places().all()[0].clone();
    for _ in 0..2 {
        let new = NewReport {
            service: "RD-SIGN".parse().unwrap(),
            standard: None,
            whereabouts: Whereabouts {
                area: Some("230599100".parse().unwrap()),
                ..Whereabouts::default()
            },
            description: "bent".to_owned(),
            answers: vec![],
            channel: Channel::Phone,
            photos: vec![],
            fixed: None,
        };
        let desk = actor_of(here.place.post("CITY-D").unwrap(), 1);
        let report = town.whistle.report(&here, new, desk, With::default());
        town.wait(report).unwrap();
    }
    let told = |what: whistle_service::Result<_>| match what {
        Err(Error::Faults(faults)) => faults.to_string(),
        Err(other) => panic!("{other}"),
        Ok(()) => "good".to_owned(),
    };
    // The class has another name, or the service has none any more.
    for (class, seen) in [("secret", "staff|secret"), ("", "")] {
        write(class, seen);
        let faults = told(town.whistle.plan(&folder).map(drop));
        assert_eq!(
            faults,
            "posts.csv: 2 cases have the class of access \"confidential\", and no post would see them any more; name \
             confidential in the column access of a post, and in access_classes of jurisdiction.toml where no service has it; \
             or reclassify the cases first"
        );
        assert_eq!(told(town.whistle.apply(&folder).map(drop)), faults);
    }
    write("", "staff|confidential");
    assert!(told(town.whistle.plan(&folder).map(drop)).contains("is declared nowhere"));
    let charter = read("jurisdiction.toml");
    std::fs::write(
        folder.join("jurisdiction.toml"),
        format!("access_classes = [\"confidential\"]\n{charter}"),
    )
    .unwrap();
    assert_eq!(told(town.whistle.apply(&folder).map(drop)), "good");
}

#[test]
fn who_keeps_the_whole_place_reads_acts_page_by_page_and_nobody_else_does() {
    let town = Town::open();
    for n in 0..150 {
        town.hands.0.fetch_add(i64::from(n % 3 == 0), Ordering::Relaxed);
        town.whistle
            .add_key(&town.here, &format!("system {n}"), &[Scope::Report], None)
            .unwrap();
    }
    let read = |by: &Actor, before| town.wait(town.whistle.acts_for(&town.here, by, before));
    let of = |post: &str| actor_of(town.here.place.post(post).unwrap(), 1);
    for post in ["CITY-D", "T100-P", "WATER-H"] {
        assert!(matches!(read(&of(post), None), Err(Error::Forbidden)), "{post}");
    }
    assert!(matches!(read(&Actor::Public, None), Err(Error::Forbidden)));
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let mut page = read(&of("CITY-L"), before).unwrap();
        let more = page.len() > whistle_service::admin::ACTS_AT_ONCE;
        page.truncate(whistle_service::admin::ACTS_AT_ONCE);
        before = page.last().map(|act| Before {
            at: act.at.as_microsecond(),
            id: act.id,
        });
        all.extend(page);
        if !more {
            break;
        }
    }
    assert_eq!(all.len(), 151);
    assert!(all.is_sorted_by(|one, next| (one.at, one.id) > (next.at, next.id)));
}

#[test]
fn acts_are_kept_as_long_as_the_place_says_and_no_longer() {
    let town = Town::open();
    let settings = town.bed.path().join("place/jurisdiction.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(
        &settings,
        text.replace("[settings]", "[settings]\naudit_retention_days = 60"),
    )
    .unwrap();
    town.whistle.apply(&town.bed.path().join("place")).unwrap();
    town.days_pass(40);
    town.whistle
        .add_key(&town.here, "town app", &[Scope::Report], None)
        .unwrap();
    town.whistle.do_duties().unwrap();
    assert_eq!(town.acts().len(), 3);
    town.days_pass(30);
    town.whistle.do_duties().unwrap();
    assert_eq!(town.acts(), ["operator  key_added 1 town app: report"]);
    let kept = whistle_service::privacy::stored_of_people(&town.whistle.places().all()[0]);
    let acts = kept.iter().find(|of| of.purpose.as_str() == "acts").unwrap();
    assert_eq!((acts.kept.as_str(), acts.time), ("acts", Some(60)));
}

#[test]
fn files_that_nobody_came_back_to_are_forgotten_after_a_month() {
    let town = Town::open();
    town.add("lead", "CITY-L");
    let (_, by) = town.sign_in("lead");
    let folder = town.bed.path().join("place");
    let units = std::fs::read(folder.join("units.csv")).unwrap();
    let files = [("units.csv".to_owned(), units)].into();
    town.wait(town.whistle.draft(&town.here, &by, files)).unwrap();
    let waits = || {
        town.wait(town.whistle.drafted(&town.here, &by))
            .unwrap()
            .is_some()
    };
    town.days_pass(29);
    town.whistle.do_duties().unwrap();
    assert!(waits());
    town.days_pass(2);
    town.whistle.do_duties().unwrap();
    assert!(!waits());
}

#[test]
fn a_key_is_refused_after_its_last_day() {
    let town = Town::open();
    let end = town.whistle.now() + jiff::SignedDuration::from_hours(36);
    let key = || {
        let scopes = [Scope::Report];
        town.whistle
            .add_key(&town.here, "town app", &scopes, Some(end))
            .unwrap()
    };
    // A good key is remembered for a moment: the second one is asked for first when its time is over.
    let (good, over) = (key(), key());
    let client = |key: &str| town.wait(town.whistle.client(&town.here, key));
    assert!(client(&good).is_ok());
    town.days_pass(2);
    assert!(matches!(client(&over), Err(Error::BadKey(_))));
}
