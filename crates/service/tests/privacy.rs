//! What the holder of a pick-up code sees, corrects and erases of their own, on whichever database the run has.

use std::{
    future::Future,
    io::Cursor,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use jiff::Timestamp;
use whistle_domain::{
    case::{Actor, Answer, Body, Channel, Outcome, PhotoKind},
    command::{Act, NewReport, Whereabouts},
    geometry::Point,
    words::CaseNumber,
};
use whistle_service::{
    Here, Site, Whistle,
    account::{SignIn, actor_of},
    case::{Receipt, With},
    media::{KeptPhoto, Size},
    notices::NewWebhook,
    secret::{self, Contact},
    time::{Chance, Clock},
};
use whistle_store::intake;
use whistle_testbed::{Bed, copy_folder};

#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

struct Village {
    bed: Bed,
    whistle: Whistle,
    here: Here,
    hands: Hands,
    runtime: tokio::runtime::Runtime,
}

impl Village {
    /// The same where SQL may be said beside it, and by which address; none without PostgreSQL.
    fn beside_sql() -> Option<(Self, String)> {
        let bed = Bed::postgres()?;
        let url = bed.database_url().unwrap().to_owned();
        let whistle = Whistle::open(site(&bed)).unwrap();
        whistle
            .apply(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village"))
            .unwrap();
        let village = Self {
            here: whistle.places().all()[0].clone(),
            whistle,
            bed,
            hands: Hands(Arc::new(AtomicI64::new(0))),
            runtime: tokio::runtime::Runtime::new().unwrap(),
        };
        Some((village, url))
    }

    fn open() -> Self {
        let bed = Bed::new();
        let site = site(&bed);
        let begin: Timestamp = "2026-05-13T01:00:00Z".parse().unwrap();
        let hands = Hands(Arc::new(AtomicI64::new(begin.as_second())));
        let whistle = Whistle::open_with(site, Box::new(hands.clone()), Chance::from_seed(3)).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
        whistle.apply(&folder).unwrap();
        let here = whistle.places().all()[0].clone();
        Self {
            bed,
            whistle,
            here,
            hands,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    fn site(&self) -> Site {
        site(&self.bed)
    }

    /// Lets go of the install; a throw-away one takes its place.
    fn shut(&mut self) {
        self.whistle.close();
        let elsewhere = self.bed.path().join("elsewhere");
        self.whistle = Whistle::open(elsewhere).unwrap();
    }

    fn open_again(&mut self) {
        let clock = Box::new(self.hands.clone());
        // Tokens that were drawn before are not drawn again.
        let chance = Chance::from_seed(self.hands.0.load(Ordering::Relaxed) as u64);
        self.whistle = Whistle::open_with(self.site(), clock, chance).unwrap();
        self.here = self.whistle.places().all()[0].clone();
    }

    fn wait<T, E: std::fmt::Debug>(&self, f: impl Future<Output = Result<T, E>>) -> T {
        self.runtime.block_on(f).unwrap()
    }

    fn hours_pass(&self, hours: i64) {
        self.hands.0.fetch_add(hours * 3600, Ordering::Relaxed);
    }

    fn photo(&self, red: u8) -> KeptPhoto {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::from(RgbImage::from_pixel(2, 2, Rgb([red, 0, 0])))
            .write_to(&mut bytes, ImageFormat::Png)
            .unwrap();
        self.wait(
            self.whistle
                .keep_photo(&self.here, Bytes::from(bytes.into_inner())),
        )
    }

    fn is_there(&self, photo: &KeptPhoto) -> bool {
        self.runtime
            .block_on(self.whistle.photo(&photo.id, Size::Full))
            .is_ok()
    }

    fn report(&self, text: &str, phone: &str, photos: &[&KeptPhoto]) -> Receipt {
        let new = NewReport {
            service: "RD-HOLE".parse().unwrap(),
            standard: None,
            whereabouts: Whereabouts {
                point: Some(Point::new(131.81, 46.21).unwrap()),
                ..Whereabouts::default()
            },
            description: text.to_owned(),
            answers: vec![],
            channel: Channel::Web,
            photos: photos.iter().map(|p| p.shown(PhotoKind::Before, true)).collect(),
            fixed: None,
        };
        self.wait(self.whistle.report(&self.here, new, Actor::Public, with(phone)))
    }

    fn says(&self, number: CaseNumber, by: Actor, text: &str) {
        let act = Act::Comment { public: false };
        self.wait(self.whistle.act(&self.here, number, None, act, text.into(), by));
    }

    fn desk(&self) -> Actor {
        actor_of(self.here.place.post("CITY-D").unwrap(), 1)
    }

    /// Checks all of the store against the log.
    fn is_whole(&self) {
        let audit = self.whistle.audit(&self.here, |_| {}).unwrap();
        assert_eq!(audit.findings, Vec::<String>::new());
    }
}

fn site(bed: &Bed) -> Site {
    Site {
        database_url: bed.database_url().map(str::to_owned),
        ..bed.path().into()
    }
}

fn with(phone: &str) -> With {
    With {
        contact: Contact {
            phone: phone.into(),
            ..Contact::default()
        },
        ..With::default()
    }
}

#[test]
fn a_reporter_sees_what_is_stored_of_them_and_who_looked_since_they_reported() {
    let village = Village::open();
    let (whistle, here) = (&village.whistle, &village.here);
    let first = village.report("a hole", "0700 1", &[]);
    let number = first.number;
    village.hours_pass(1);
    village.wait(whistle.contacts(here, number, &village.desk()));
    village.hours_pass(1);
    let joined = village.wait(whistle.join(
        here,
        number,
        Channel::Web,
        "I fell".into(),
        Actor::Public,
        with("0700 2"),
    ));
    village.says(number, Actor::Reporter { report: 2 }, "twice");
    village.says(number, village.desk(), "seen");
    village.hours_pass(1);
    village.wait(whistle.contacts(here, number, &village.desk()));

    let own = village.wait(whistle.own(here, number, &first.code));
    assert_eq!(own.contact.unwrap().phone, "0700 1");
    assert_eq!(own.views.len(), 2);
    assert_eq!(own.views[0].post, "CITY-D");
    let texts: Vec<_> = own.texts.iter().map(|own| own.text.as_str()).collect();
    assert_eq!(texts, ["a hole"]);
    assert!(own.matter.is_some());

    let own = village.wait(whistle.own(here, number, &joined.code));
    assert_eq!((own.report, own.contact.unwrap().phone), (2, "0700 2".to_owned()));
    assert_eq!(
        own.views.len(),
        1,
        "the look before they joined was not at theirs"
    );
    let texts: Vec<_> = own.texts.iter().map(|own| own.text.as_str()).collect();
    assert_eq!(texts, ["I fell", "twice"]);
    assert!(own.matter.is_none());
    assert!(
        village
            .runtime
            .block_on(whistle.own(here, number, "AAAAA-AAAAA"))
            .is_err()
    );
    assert_eq!(village.wait(whistle.contact_views(here, number)).len(), 2);
}

#[test]
fn a_reporter_corrects_how_they_can_be_reached() {
    let village = Village::open();
    let (whistle, here) = (&village.whistle, &village.here);
    let Receipt { number, code, .. } = village.report("a hole", "", &[]);
    let contact = || village.wait(whistle.own(here, number, &code)).contact;
    assert_eq!(contact(), None);
    for phone in ["0700 1", "0700 2"] {
        let with = with(phone).contact;
        village.wait(whistle.correct_contact(here, number, &code, with));
        assert_eq!(contact().unwrap().phone, phone);
    }
    let wrong = Contact {
        email: "nobody".into(),
        ..Contact::default()
    };
    let refused = whistle.correct_contact(here, number, &code, wrong);
    assert!(village.runtime.block_on(refused).is_err());
    village.wait(whistle.correct_contact(here, number, &code, Contact::default()));
    assert_eq!(contact(), None);
}

#[test]
fn what_a_reporter_erases_is_gone_from_case_log_and_photos_while_the_case_goes_on() {
    let village = Village::open();
    let (whistle, here) = (&village.whistle, &village.here);
    let [alone, shared] = [10, 200].map(|red| village.photo(red));
    let Receipt { number, code, .. } = village.report("my own hole", "0700 1", &[&alone, &shared]);
    let other = village.report("another hole", "0700 9", &[&shared]);
    let joined = village.wait(whistle.join(
        here,
        number,
        Channel::Web,
        "me too".into(),
        Actor::Public,
        with("0700 2"),
    ));
    village.says(number, Actor::Reporter { report: 1 }, "call me at home");
    village.says(number, village.desk(), "we come");
    let before = village.wait(whistle.case(here, number));
    assert!(village.wait(whistle.erase_own(here, number, &code)));

    let (case, log) = village.wait(whistle.case_and_log(here, number));
    assert_eq!((case.state, case.version), (before.state, before.version + 1));
    assert_eq!(case.description, "");
    assert!(case.photos.is_empty());
    let texts: Vec<_> = log
        .iter()
        .map(|event| event.text.as_str())
        .filter(|t| !t.is_empty())
        .collect();
    assert_eq!(texts, ["me too", "we come"]);
    let last = log.last().unwrap();
    assert_eq!(last.by, Actor::Reporter { report: 1 });
    let Body::Erased {
        contact,
        texts,
        photos,
    } = &last.body
    else {
        panic!("{last:?}");
    };
    assert_eq!((*contact, *texts, photos.len()), (true, 2, 2));
    village.is_whole();
    let own = village.wait(whistle.own(here, number, &code));
    assert!(own.contact.is_none() && own.texts.is_empty() && own.photos.is_empty());
    // Nobody else lost anything, and there is nothing left to erase.
    let own = village.wait(whistle.own(here, number, &joined.code));
    assert_eq!(own.contact.unwrap().phone, "0700 2");
    assert!(!village.wait(whistle.erase_own(here, number, &code)));
    // The list in memory has the same case.
    village.says(number, village.desk(), "still open");
    whistle.do_duties().unwrap();
    assert!(!village.is_there(&alone));
    assert!(village.is_there(&shared), "another case names it");
    let case = village.wait(whistle.case(here, other.number));
    assert_eq!(case.photos[0].id, shared.id);
    // Erased there as well, it goes at the next hour.
    assert!(village.wait(whistle.erase_own(here, other.number, &other.code)));
    village.hours_pass(2);
    whistle.do_duties().unwrap();
    assert!(!village.is_there(&shared));
    village.is_whole();
}

#[test]
fn a_photo_that_is_erased_goes_from_the_cases_too_into_which_its_case_was_merged() {
    let village = Village::open();
    let (whistle, here) = (&village.whistle, &village.here);
    let [own, both] = [10, 200].map(|red| village.photo(red));
    let original = village.report("a hole", "", &[&both]);
    let middle = village.report("the same hole", "", &[]);
    let merged = village.report("the same hole again", "0700 1", &[&own, &both]);
    for (number, into) in [(merged.number, middle.number), (middle.number, original.number)] {
        let merge = Act::Merge { into };
        village.wait(whistle.act(here, number, None, merge, "one matter".into(), village.desk()));
    }
    let photos = |number| {
        let case = village.wait(whistle.case(here, number));
        case.photos.into_iter().map(|photo| photo.id).collect::<Vec<_>>()
    };
    assert_eq!(photos(original.number), [both.id.clone(), own.id.clone()]);
    assert!(village.wait(whistle.erase_own(here, merged.number, &merged.code)));
    assert_eq!(photos(middle.number), Vec::<String>::new());
    assert_eq!(
        photos(original.number),
        std::slice::from_ref(&both.id),
        "the first reporter sent it as well"
    );
    whistle.do_duties().unwrap();
    assert!(!village.is_there(&own));
    village.is_whole();
}

#[test]
fn what_is_to_be_erased_is_looked_for_a_few_cases_at_a_time() {
    let village = Village::open();
    let numbers: Vec<CaseNumber> = (0..5)
        .map(|n| {
            village
                .report("a hole", if n == 3 { "" } else { "0700 1" }, &[])
                .number
        })
        .collect();
    for &number in &numbers[1..] {
        let act = Act::Settle {
            outcome: Outcome::Resolved,
        };
        let whistle = &village.whistle;
        village.wait(whistle.act(&village.here, number, None, act, String::new(), Actor::System));
    }
    village.hours_pass(1);
    let (id, before) = (village.here.id, village.whistle.now());
    let target = village.bed.target(whistle_store::Target::Postgres);
    let store = whistle_store::Store::open(target, Timestamp::UNIX_EPOCH).unwrap();
    let after = |nth: Option<usize>| nth.map_or(CaseNumber(0), |nth| numbers[nth]);
    let texts = |nth| {
        let found = store.read_blocking(|conn| intake::texts_to_erase(conn, id, before, after(nth), 2));
        let found = found.unwrap();
        (found.cases, found.last)
    };
    // The first one is still open.
    assert_eq!(texts(None), (vec![numbers[1]], Some(numbers[1])));
    assert_eq!(texts(Some(1)), (vec![numbers[2], numbers[3]], Some(numbers[3])));
    assert_eq!(texts(Some(3)), (vec![numbers[4]], Some(numbers[4])));
    assert_eq!(texts(Some(4)), (vec![], None));
    let contacts = |nth| {
        let found = store.read_blocking(|conn| intake::contacts_to_erase(conn, id, before, after(nth), 2));
        let found = found.unwrap();
        let cases: Vec<_> = found.cases.iter().map(|over| over.number).collect();
        (cases, found.last)
    };
    assert_eq!(contacts(None), (vec![numbers[1]], Some(numbers[1])));
    // The fourth has none.
    assert_eq!(
        contacts(Some(1)),
        (vec![numbers[2], numbers[4]], Some(numbers[4]))
    );
    assert_eq!(contacts(Some(4)), (vec![], None));
}

#[test]
fn contact_data_of_merged_cases_is_kept_until_the_one_that_goes_on_is_over() {
    let village = Village::open();
    let (whistle, here) = (&village.whistle, &village.here);
    let reports: Vec<_> = (1..=4)
        .map(|n| village.report("the same hole", &format!("0700 {n}"), &[]))
        .collect();
    let number = |nth: usize| reports[nth].number;
    let act = |nth, act, by: &Actor| {
        village.wait(whistle.act(here, number(nth), None, act, String::new(), by.clone()));
    };
    let desk = actor_of(here.place.post("CITY-D").unwrap(), 7);
    let settle = || Act::Settle {
        outcome: Outcome::Resolved,
    };
    let kept = |nth: usize| {
        let own = village.wait(whistle.own(here, number(nth), &reports[nth].code));
        own.contact.is_some()
    };
    // The first goes into the second, that one into the third; the fourth stands alone.
    act(0, Act::Merge { into: number(1) }, &desk);
    village.hours_pass(24);
    act(1, Act::Merge { into: number(2) }, &desk);
    act(3, settle(), &Actor::System);
    village.hours_pass(24 * 181);
    let due = whistle.retention_due(here).unwrap();
    let alone = village.wait(whistle.case(here, number(3)));
    assert_eq!((due.contacts.n, due.contacts.oldest), (1, alone.times.closed_at));
    assert_eq!(whistle.retain_now(here).unwrap().erased, 1);
    assert_eq!([0, 1, 2, 3].map(kept), [true, true, true, false]);
    act(2, settle(), &Actor::System);
    village.hours_pass(24 * 179);
    assert_eq!(whistle.retention_due(here).unwrap().contacts.n, 0);
    assert_eq!(whistle.retain_now(here).unwrap().erased, 0);
    village.hours_pass(24 * 2);
    let due = whistle.retention_due(here).unwrap();
    let last = village.wait(whistle.case(here, number(2)));
    assert_eq!((due.contacts.n, due.contacts.oldest), (3, last.times.closed_at));
    assert_eq!(whistle.retain_now(here).unwrap().erased, 3);
    assert_eq!([0, 1, 2, 3].map(kept), [false; 4]);
    assert_eq!(whistle.retention_due(here).unwrap().contacts.n, 0);
}

#[test]
fn a_photo_that_was_erased_and_sent_anew_is_kept_for_its_new_case() {
    let village = Village::open();
    let (whistle, here) = (&village.whistle, &village.here);
    let photo = village.photo(10);
    let Receipt { number, code, .. } = village.report("a hole", "", &[&photo]);
    assert!(village.wait(whistle.erase_own(here, number, &code)));
    assert_eq!(village.photo(10), photo);
    whistle.do_duties().unwrap();
    assert!(village.is_there(&photo), "its sender is still at the form");
    village.report("a hole again", "", &[&photo]);
    village.hours_pass(48);
    whistle.do_duties().unwrap();
    assert!(village.is_there(&photo));
}

#[test]
fn a_changed_text_and_a_row_that_kept_an_erased_one_are_found() {
    let Some((village, url)) = Village::beside_sql() else {
        return;
    };
    village.report("a hole", "", &[]);
    village.is_whole();
    whistle_testbed::sql(&url, "UPDATE event SET text = NULL WHERE version = 1");
    let audit = village.whistle.audit(&village.here, |_| {}).unwrap();
    assert_eq!(audit.findings.len(), 1, "{:?}", audit.findings);
    assert!(audit.findings[0].contains("is not what its log folds to"));
}

#[test]
fn a_rotation_seals_anew_leaves_codes_good_and_is_finished_when_it_was_stopped() {
    let mut village = Village::open();
    let site = village.site();
    let mut reports: Vec<_> = (0..3)
        .map(|i| village.report("a hole", &format!("0700 {i}"), &[]))
        .collect();
    let opens = |village: &Village, receipt: &Receipt| {
        let own = village.whistle.own(&village.here, receipt.number, &receipt.code);
        village
            .runtime
            .block_on(own)
            .ok()
            .map(|own| own.contact.unwrap().phone)
    };
    village.shut();
    let done = secret::rotate(&site).unwrap();
    assert_eq!((done.new_key, done.sealed, done.lost, done.keys), (true, 3, 0, 2));
    village.open_again();
    for (i, receipt) in reports.iter().enumerate() {
        assert_eq!(opens(&village, receipt), Some(format!("0700 {i}")));
    }
    reports.push(village.report("a hole", "0700 3", &[]));
    // As if it had been stopped after the new key was written: one more key, and nothing is sealed by it.
    village.shut();
    let file = site.dir.join("secret.key");
    let keys = std::fs::read(&file).unwrap();
    std::fs::write(&file, [&[9; 32], keys.as_slice()].concat()).unwrap();
    let done = secret::rotate(&site).unwrap();
    assert_eq!((done.new_key, done.sealed, done.keys), (false, 4, 3));
    village.open_again();
    for receipt in &reports {
        assert!(opens(&village, receipt).is_some());
    }
    reports.push(village.report("a hole", "0700 4", &[]));
    village.shut();
    assert_eq!(secret::forget(&site).unwrap(), 2);
    assert_eq!(std::fs::read(&file).unwrap(), [9; 32]);
    village.open_again();
    let good: Vec<_> = reports
        .iter()
        .map(|receipt| opens(&village, receipt).is_some())
        .collect();
    assert_eq!(good, [false, false, false, false, true]);
    let desk = village.desk();
    let contacts = village.whistle.contacts(&village.here, reports[0].number, &desk);
    assert_eq!(
        village.wait(contacts)[0].contact.phone,
        "0700 0",
        "staff still reach them"
    );
}

#[test]
fn webhooks_and_second_factors_are_sealed_anew_and_recovery_codes_are_good_until_keys_are_given_up() {
    const PASSWORD: &str = "a long enough password";
    let mut village = Village::open();
    let (site, whistle) = (village.site(), village.whistle.clone());
    let here = village.here.clone();
    whistle
        .add_user(&here, "desk", PASSWORD, &["CITY-D".parse().unwrap()])
        .unwrap();
    let hook = NewWebhook {
        url: "https://example.org/hook".to_owned(),
        events: vec!["*".to_owned()],
        all: true,
        private: false,
    };
    whistle.add_webhook(&here, &hook).unwrap();
    let signed_in = whistle.sign_in(&here, "desk", PASSWORD.to_owned(), None);
    let token = village.wait(signed_in).done().unwrap();
    let by = village.wait(whistle.signed_in(&here, &token));
    let enrolment = village.wait(whistle.begin_second_factor(&here, &by, PASSWORD.to_owned(), None));
    let code = |village: &Village| {
        let secret = totp_rs::Secret::try_from_base32(&enrolment.secret).unwrap();
        let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
        totp.generate(village.whistle.now().as_second() as u64)
            .to_string()
    };
    let first = code(&village);
    let confirmed = whistle.confirm_second_factor(&here, &by, &token, &first, None);
    let recovery = village.wait(confirmed);
    drop(whistle);
    village.shut();
    let done = secret::rotate(&site).unwrap();
    assert_eq!((done.new_key, done.sealed, done.lost), (true, 2, 0));
    village.open_again();

    // What is shown besides the password; answers whether it was good.
    let is_good = |village: &Village, code: &str| {
        let half = village.whistle.sign_in(&here, "desk", PASSWORD.to_owned(), None);
        let SignIn::HalfWay(half) = village.wait(half) else {
            panic!("a password alone lets in");
        };
        let done = village.whistle.sign_in_with_code(&here, &half, code, None);
        village.runtime.block_on(done).is_ok()
    };
    village.hours_pass(1);
    assert!(is_good(&village, &code(&village)));
    assert!(is_good(&village, &recovery[0]));
    assert!(!is_good(&village, &recovery[0]), "used before");
    village.shut();
    assert_eq!(secret::forget(&site).unwrap(), 1);
    village.open_again();
    village.hours_pass(1);
    assert!(!is_good(&village, &recovery[1]));
    assert!(is_good(&village, &code(&village)));
    let standing = village.wait(village.whistle.second_factor(&here, &by));
    assert_eq!((standing.is_on, standing.codes_left), (true, 0));
}

/// Whether a text is in any file of the data directory or, on PostgreSQL, in a dump of the database.
fn is_kept(bed: &Bed, text: &str) -> bool {
    let has = |bytes: &[u8]| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    let in_files = std::fs::read_dir(bed.path()).unwrap().flatten().any(|entry| {
        let is_file = entry.path().is_file();
        is_file && has(&std::fs::read(entry.path()).unwrap())
    });
    let in_dump = bed.database_url().is_some_and(|url| {
        let dump = std::process::Command::new("pg_dump").arg(url).output().unwrap();
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        has(&dump.stdout)
    });
    in_files || in_dump
}

/// Words that nothing else holds.
const ADDRESS: &str = "Zwiebelgasse 77 behind the blue gate";
const ANSWER: &str = "2021-03-04T05:06:07Z";
const TEXT: &str = "my neighbour Quirin said so";

impl Village {
    /// A report with an address and an answer.
    fn report_at(&self, address: &str) -> Receipt {
        let new = NewReport {
            service: "WAT-LEAK".parse().unwrap(),
            standard: None,
            whereabouts: Whereabouts {
                point: Some(Point::new(131.81, 46.21).unwrap()),
                address: address.to_owned(),
                area: None,
            },
            description: TEXT.to_owned(),
            answers: [("size", "drip"), ("since", ANSWER)]
                .map(|(question, value)| Answer {
                    question: question.to_owned(),
                    values: vec![value.to_owned()],
                })
                .into(),
            channel: Channel::Web,
            photos: vec![],
            fixed: None,
        };
        self.wait(
            self.whistle
                .report(&self.here, new, Actor::Public, with("0700 1")),
        )
    }
}

#[test]
fn no_word_of_a_reporter_is_left_in_the_whole_database_once_it_is_erased() {
    let mut village = Village::open();
    let Receipt { number, code, .. } = village.report_at(ADDRESS);
    let other = village.report_at("Rathausplatz 1");
    village.says(number, Actor::Reporter { report: 1 }, "Quirin called again");
    // The desk hands the address on: to a part, and to where the case lies now.
    let split = village.whistle.split(
        &village.here,
        number,
        None,
        "WAT-LEAK".parse().unwrap(),
        Whereabouts::default(),
        "the other hole".to_owned(),
        village.desk(),
    );
    let (_, part) = village.wait(split);
    assert_eq!(part.location.address, ADDRESS);
    let act = Act::Relocate {
        whereabouts: Whereabouts {
            point: Some(Point::new(131.82, 46.21).unwrap()),
            address: ADDRESS.to_owned(),
            area: None,
        },
    };
    village.wait(
        village
            .whistle
            .act(&village.here, number, None, act, String::new(), village.desk()),
    );
    village.is_whole();
    let words = [ADDRESS, ANSWER, "Quirin"];
    for word in words {
        assert!(is_kept(&village.bed, word), "{word}");
    }
    assert!(village.wait(village.whistle.erase_own(&village.here, number, &code)));
    let case = village.wait(village.whistle.case(&village.here, number));
    assert_eq!((case.location.address.as_str(), case.answers.len()), ("", 0));
    assert!(case.location.point.is_some() && case.location.areas.deepest().is_some());
    let part = village.wait(village.whistle.case(&village.here, part.number));
    assert_eq!(
        (part.location.address.as_str(), part.description.as_str()),
        ("", "the other hole")
    );
    let own = village.wait(village.whistle.own(&village.here, number, &code));
    assert!(!own.is_told() && own.texts.is_empty());
    assert!(
        !village.wait(village.whistle.erase_own(&village.here, number, &code)),
        "nothing is left"
    );
    // Whoever else answered keeps it.
    let case = village.wait(village.whistle.case(&village.here, other.number));
    assert_eq!(
        (case.location.address.as_str(), case.answers.len()),
        ("Rathausplatz 1", 2)
    );
    assert!(
        village.wait(
            village
                .whistle
                .erase_own(&village.here, other.number, &other.code)
        )
    );
    village.is_whole();
    village.shut();
    for word in words {
        assert!(!is_kept(&village.bed, word), "{word} is still there");
    }
    village.open_again();
    village.is_whole();
}

#[test]
fn what_a_program_before_this_one_kept_inside_the_event_is_erased_too() {
    let Some(bed) = Bed::postgres() else { return };
    let url = bed.database_url().unwrap().to_owned();
    let whistle = Whistle::open(site(&bed)).unwrap();
    whistle
        .apply(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village"))
        .unwrap();
    let mut village = Village {
        here: whistle.places().all()[0].clone(),
        whistle,
        bed,
        hands: Hands(Arc::new(AtomicI64::new(0))),
        runtime: tokio::runtime::Runtime::new().unwrap(),
    };
    let Receipt { number, code, .. } = village.report_at(ADDRESS);
    // As it was written then; the chain of hashes is another one by that, and made whole by the erasure.
    whistle_testbed::sql(
        &url,
        "UPDATE event
         SET entry = jsonb_set(jsonb_set((entry::jsonb - 'told'), '{body,location,address}',
                                         told::jsonb -> 'address'), '{body,answers}', told::jsonb -> 'answers')::text,
             told = NULL
         WHERE told IS NOT NULL",
    );
    assert!(village.wait(village.whistle.erase_own(&village.here, number, &code)));
    village.is_whole();
    village.shut();
    for word in [ADDRESS, ANSWER] {
        assert!(!is_kept(&village.bed, word), "{word} is still there");
    }
}

#[test]
fn a_changed_address_beside_an_event_is_found() {
    let Some((village, url)) = Village::beside_sql() else {
        return;
    };
    village.report_at(ADDRESS);
    village.is_whole();
    whistle_testbed::sql(&url, "UPDATE event SET told = replace(told, 'blue', 'red')");
    let audit = village.whistle.audit(&village.here, |_| {}).unwrap();
    assert!(
        audit
            .findings
            .iter()
            .any(|finding| finding.contains("told was changed")),
        "{:?}",
        audit.findings
    );
}

#[test]
fn nothing_is_rotated_under_a_process_that_has_the_folder_open() {
    let village = Village::open();
    if village.bed.database_url().is_none() {
        assert!(secret::rotate(&village.site()).is_err());
    }
    let given = Site {
        key: Some("07".repeat(32).parse().unwrap()),
        ..village.site()
    };
    assert!(
        secret::rotate(&given).is_err(),
        "there is no new key to rotate to"
    );
}

#[test]
fn what_was_kept_for_long_enough_is_told_first_and_erased_then_and_nothing_else() {
    let mut village = Village::open();
    let folder = village.bed.path().join("place");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
    copy_folder(&from, &folder);
    let settings = folder.join("jurisdiction.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(
        &settings,
        text.replace("[settings]", "[settings]\ntext_retention_days = 365"),
    )
    .unwrap();
    village.whistle.apply(&folder).unwrap();
    village.here = village.whistle.places().all()[0].clone();
    let (whistle, here) = (&village.whistle, &village.here);

    let closed = village.report("my hole", "0700 1", &[]);
    let number = closed.number;
    village.wait(whistle.join(
        here,
        number,
        Channel::Web,
        "mine too".into(),
        Actor::Public,
        with(""),
    ));
    village.says(number, Actor::Reporter { report: 1 }, "please");
    let close = |number, text: &str| {
        let act = Act::Settle {
            outcome: Outcome::Unfounded,
        };
        village.wait(whistle.act(here, number, None, act, text.to_owned(), Actor::System))
    };
    close(number, "no hole is there");
    village.hours_pass(24 * 100);
    let late = village.report("another", "0700 2", &[]);
    close(late.number, "nor there");
    let open = village.report("a hole", "0700 3", &[]);

    village.hours_pass(24 * 100);
    let due = whistle.retention_due(here).unwrap();
    assert_eq!((due.contacts.n, due.texts.n, due.photos.n), (1, 0, 0));
    let done = whistle.retain_now(here).unwrap();
    assert_eq!((done.erased, done.texts_erased), (1, 0));
    village.hours_pass(24 * 200);
    let due = whistle.retention_due(here).unwrap();
    assert_eq!((due.contacts.n, due.texts.n), (1, 3));
    let closed_at = village.wait(whistle.case(here, number)).times.closed_at;
    assert_eq!(due.texts.oldest, closed_at);
    // Beside a process that has the duty.
    whistle.do_duties().unwrap();
    let due = whistle.retention_due(here).unwrap();
    assert_eq!((due.contacts.n, due.texts.n), (0, 0));
    village.hours_pass(24 * 100);
    let other = Whistle::open_with(
        village.site(),
        Box::new(village.hands.clone()),
        Chance::from_seed(9),
    )
    .unwrap();
    let done = other.retain_now(here).unwrap();
    assert_eq!((done.erased, done.texts_erased), (0, 1));
    other.close();
    whistle.do_duties().unwrap();

    let (case, log) = village.wait(whistle.case_and_log(here, number));
    let texts: Vec<_> = log
        .iter()
        .map(|event| event.text.as_str())
        .filter(|t| !t.is_empty())
        .collect();
    assert_eq!(texts, ["no hole is there"], "what staff wrote stays");
    assert_eq!(
        (case.description.as_str(), case.resolution.as_str()),
        ("", "no hole is there")
    );
    assert_eq!(log.last().unwrap().by, Actor::System);
    let case = village.wait(whistle.case(here, open.number));
    assert_eq!(case.description, "a hole");
    let own = village.wait(whistle.own(here, open.number, &open.code));
    assert_eq!(own.contact.unwrap().phone, "0700 3");
    village.is_whole();
    let kept = whistle_service::privacy::stored_of_people(here);
    assert_eq!(
        (kept[0].kept.as_str(), kept[0].time),
        ("texts_after_closing", Some(365))
    );
}
