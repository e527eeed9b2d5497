//! Rounds through the use cases, on whichever database the run has: what was seen is said once however often it is sent, by
//! whom is no track, and what is done without a network keeps both of its times.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp, civil::date};
use proptest::prelude::*;
use whistle_domain::{
    case::{Actor, Channel, PhotoKind},
    command::{Act, NewReport, Whereabouts},
    geometry::Point,
    round::Finding,
    words::{CaseNumber, StopCode},
};
use whistle_service::{
    Here, Site, Whistle,
    account::actor_of,
    case::{Sent, With},
    round::{Found, Walk, Walked},
    secret::Contact,
    time::{Chance, Clock},
};
use whistle_testbed::{Bed, copy_folder};

#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

const ROUNDS: &str = "round,round_name,area,post,code,name,lon,lat,service,every
UP,upstream,230599100,,UP-1,well,131.805,46.205,WAT-DRAIN,1
UP,,,,UP-2,bridge,131.815,46.205,,7
DOWN,downstream,230599101,,DOWN-1,dyke,131.825,46.205,,1
OWN,of the roads,230599101,ROADS-H,OWN-1,gate,131.835,46.205,,1
";

/// The village with rounds.
struct Village {
    whistle: Whistle,
    here: Here,
    hands: Hands,
    runtime: tokio::runtime::Runtime,
    bed: Bed,
}

impl Village {
    fn open() -> Self {
        let bed = Bed::new();
        let site = Site {
            database_url: bed.database_url().map(str::to_owned),
            ..bed.path().into()
        };
        let begin: Timestamp = "2026-05-13T01:00:00Z".parse().unwrap();
        let hands = Hands(Arc::new(AtomicI64::new(begin.as_second())));
        let whistle = Whistle::open_with(site, Box::new(hands.clone()), Chance::from_seed(5)).unwrap();
        let folder = bed.path().join("place");
        copy_folder(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village"),
            &folder,
        );
        fs::write(folder.join("rounds.csv"), ROUNDS).unwrap();
        whistle.apply(&folder).unwrap();
        let here = whistle.places().all()[0].clone();
        Self {
            whistle,
            here,
            hands,
            runtime: tokio::runtime::Runtime::new().unwrap(),
            bed,
        }
    }

    fn post(&self, code: &str) -> Actor {
        actor_of(self.here.place.post(code).unwrap(), 1)
    }

    fn later(&self, minutes: i64) {
        self.hands.0.fetch_add(minutes * 60, Ordering::Relaxed);
    }

    fn before(&self, minutes: i64) -> Timestamp {
        self.hands.now() - SignedDuration::from_mins(minutes)
    }

    fn rounds(&self, by: &str) -> Vec<Walk> {
        let by = self.post(by);
        let page = self.whistle.rounds(&self.here, &by, None);
        self.runtime.block_on(page).unwrap().items
    }

    fn codes(&self, by: &str) -> Vec<String> {
        let rounds = self.rounds(by);
        rounds.iter().map(|walk| walk.round.code.to_string()).collect()
    }

    fn walked(&self, by: &str, stop: &str) -> Walked {
        let mut stops = self.rounds(by).into_iter().flat_map(|walk| walk.stops);
        stops.find(|walked| walked.stop.code.as_str() == stop).unwrap()
    }

    fn see(
        &self,
        by: &str,
        at: &str,
        made: Option<Timestamp>,
        key: Option<&str>,
    ) -> Result<(), &'static str> {
        let (by, at) = (self.post(by), stop(at));
        let seen = self
            .whistle
            .saw_fine(&self.here, &at, made, &by, key.map(str::to_owned));
        self.runtime.block_on(seen).map_err(|error| error.word())
    }

    fn found(&self, by: &str, at: &str) -> Result<Vec<Found>, &'static str> {
        let by = self.post(by);
        let found = self
            .runtime
            .block_on(self.whistle.found_at(&self.here, &stop(at), &by));
        found.map_err(|error| error.word())
    }

    fn report(&self, by: &str, new: NewReport, with: With) -> Result<CaseNumber, &'static str> {
        let filed = self.whistle.report(&self.here, new, self.post(by), with);
        let filed = self.runtime.block_on(filed);
        filed.map(|receipt| receipt.number).map_err(|error| error.word())
    }

    /// What the database itself says.
    fn number(&self, query: &str) -> i64 {
        match self.bed.database_url() {
            Some(url) => whistle_testbed::sql(url, query).parse().unwrap(),
            None => rusqlite::Connection::open(self.bed.path().join("whistle.db"))
                .and_then(|database| database.query_row(query, [], |row| row.get(0)))
                .unwrap(),
        }
    }

    fn is_sound(&self) {
        let audit = self.whistle.audit(&self.here, |_| {}).unwrap();
        assert_eq!(audit.findings, Vec::<String>::new());
    }
}

fn stop(code: &str) -> StopCode {
    code.parse().unwrap()
}

fn drain(fixed: Option<&str>) -> NewReport {
    NewReport {
        service: "WAT-DRAIN".parse().unwrap(),
        standard: None,
        whereabouts: Whereabouts::default(),
        description: "leaves in the drain".into(),
        answers: vec![],
        channel: Channel::Patrol,
        photos: vec![],
        fixed: fixed.map(str::to_owned),
    }
}

fn at_stop(code: &str, key: &str, made_at: Option<Timestamp>) -> With {
    With {
        idempotency_key: Some(key.to_owned()),
        made_at,
        stop: Some(stop(code)),
        ..With::default()
    }
}

#[test]
fn a_post_sees_the_rounds_of_its_area_and_the_one_that_is_its_own() {
    let village = Village::open();
    assert_eq!(village.codes("CITY-D"), ["DOWN", "OWN", "UP"]);
    assert_eq!(village.codes("T100-P"), ["UP"]);
    assert_eq!(village.codes("T101-P"), ["DOWN", "OWN"]);
    assert_eq!(village.codes("ROADS-H"), ["OWN"]);
    assert_eq!(village.codes("WATER-H"), Vec::<String>::new());
    assert_eq!(village.see("T100-P", "DOWN-1", None, None), Err("not_found"));
    assert_eq!(village.see("T100-P", "NO-SUCH", None, None), Err("not_found"));
    assert_eq!(village.found("T100-P", "DOWN-1"), Err("not_found"));
    assert_eq!(village.see("ROADS-H", "OWN-1", None, None), Ok(()));
}

#[test]
fn what_was_seen_keeps_its_own_day_and_that_of_its_arrival() {
    let village = Village::open();
    assert!(village.walked("T100-P", "UP-1").is_due);
    // 9 in the morning of the 13th, in the place.
    let made = village.before(98);
    village.see("T100-P", "UP-1", Some(made), Some("a")).unwrap();
    let walked = village.walked("CITY-D", "UP-1");
    let last = walked.last.unwrap();
    assert_eq!(
        (last.made_on, last.received_on),
        (date(2026, 5, 13), date(2026, 5, 13))
    );
    assert!(!walked.is_due);
    // A phone that comes later with something older does not take the newer away.
    village
        .see("CITY-D", "UP-1", Some(village.before(24 * 60)), Some("b"))
        .unwrap();
    assert_eq!(
        village.walked("CITY-D", "UP-1").last.unwrap().made_on,
        date(2026, 5, 13)
    );
    let found = village.found("CITY-D", "UP-1").unwrap();
    let days: Vec<_> = found.iter().map(|one| (one.made_on, one.received_on)).collect();
    assert_eq!(
        days,
        [
            (date(2026, 5, 13), date(2026, 5, 13)),
            (date(2026, 5, 12), date(2026, 5, 13))
        ]
    );
    village.later(24 * 60);
    assert!(village.walked("T100-P", "UP-1").is_due);
    assert_eq!(village.rounds("T100-P")[0].due(), 2);
}

#[test]
fn the_day_is_that_of_the_place_also_late_in_its_evening_and_early_in_its_morning() {
    let village = Village::open();
    village.later(14 * 60 + 59);
    village.see("T100-P", "UP-1", None, None).unwrap();
    let last = village.walked("T100-P", "UP-1");
    assert_eq!(
        (last.last.unwrap().made_on, last.is_due),
        (date(2026, 5, 13), false)
    );
    village.later(2);
    assert!(village.walked("T100-P", "UP-1").is_due);
    village.see("T100-P", "UP-1", None, None).unwrap();
    assert_eq!(
        village.walked("T100-P", "UP-1").last.unwrap().made_on,
        date(2026, 5, 14)
    );
}

#[test]
fn of_a_look_neither_the_post_nor_the_minute_is_in_the_database() {
    let village = Village::open();
    village.later(17);
    village.see("T100-P", "UP-1", None, Some("a")).unwrap();
    village
        .report("T100-P", drain(None), at_stop("UP-2", "b", None))
        .unwrap();
    let last = village.walked("T100-P", "UP-1").last.unwrap();
    assert_eq!(last.unit.unwrap().as_str(), "T100");
    for table in ["look", "last_look"] {
        let minutes = format!("SELECT MAX(made_at % 86400000000 + received_at % 86400000000) FROM {table}");
        assert_eq!(village.number(&minutes), 0, "{table}");
    }
    assert_eq!(
        village.number("SELECT COUNT(*) FROM last_look WHERE unit_code = 'T100'"),
        2
    );
}

#[test]
fn looks_are_forgotten_in_time_but_for_the_last_of_each_stop() {
    let village = Village::open();
    let here = &village.here;
    assert_eq!(here.place.jurisdiction.settings.look_retention_days, 400);
    village.see("T100-P", "UP-1", None, None).unwrap();
    // A day is over when it ends, everywhere.
    village.later(400 * 24 * 60 - 120);
    village.see("T100-P", "UP-2", None, None).unwrap();
    village.whistle.do_duties().unwrap();
    assert_eq!(village.found("T100-P", "UP-1").unwrap().len(), 1);
    village.later(24 * 60);
    village.whistle.do_duties().unwrap();
    assert!(village.found("T100-P", "UP-1").unwrap().is_empty());
    assert_eq!(village.found("T100-P", "UP-2").unwrap().len(), 1);
    assert_eq!(
        village.walked("T100-P", "UP-1").last.unwrap().made_on,
        date(2026, 5, 13)
    );
}

#[test]
fn a_time_that_cannot_be_is_refused_and_a_clock_that_is_a_little_fast_is_taken_back() {
    let village = Village::open();
    for wrong in [village.before(-6), village.before(30 * 24 * 60 + 1)] {
        assert_eq!(
            village.see("T100-P", "UP-1", Some(wrong), None),
            Err("invalid"),
            "{wrong}"
        );
    }
    village
        .see("T100-P", "UP-1", Some(village.before(-4)), None)
        .unwrap();
    let last = village.walked("T100-P", "UP-1").last.unwrap();
    assert_eq!(
        (last.made_on, last.received_on),
        (date(2026, 5, 13), date(2026, 5, 13))
    );
}

#[test]
fn what_is_found_or_fixed_at_a_stop_is_a_case_there_and_a_look_in_one() {
    let village = Village::open();
    let made = village.before(30);
    let number = village
        .report("T100-P", drain(None), at_stop("UP-1", "a", Some(made)))
        .unwrap();
    let (case, log) = village
        .runtime
        .block_on(village.whistle.case_and_log(&village.here, number))
        .unwrap();
    assert_eq!(case.location.point, Some(Point::new(131.805, 46.205).unwrap()));
    assert_eq!((log[0].made_at, log[0].at), (Some(made), village.hands.now()));
    let last = village.walked("T100-P", "UP-1").last.unwrap();
    assert_eq!(
        (last.finding, last.made_on),
        (Finding::Reported, date(2026, 5, 13))
    );

    let fixed = drain(Some("Leaves taken out."));
    let spot = village
        .report("T100-P", fixed.clone(), at_stop("UP-1", "b", None))
        .unwrap();
    assert_eq!(
        village.report("T100-P", fixed, at_stop("UP-1", "b", None)),
        Ok(spot)
    );
    assert_eq!(
        village.walked("T100-P", "UP-1").last.unwrap().finding,
        Finding::Fixed
    );
    let found = village.found("T100-P", "UP-1").unwrap();
    let found: Vec<_> = found.iter().map(|one| one.finding).collect();
    assert_eq!(found, [Finding::Fixed, Finding::Reported]);
    // At a stop of another's round nothing is reported as seen there.
    assert_eq!(
        village.report("T100-P", drain(None), at_stop("DOWN-1", "c", None)),
        Err("not_found")
    );
    village.is_sound();
}

#[test]
fn an_act_with_photos_is_done_once_and_says_when_it_was_made() {
    let village = Village::open();
    let number = village
        .report("CITY-D", drain(None), at_stop("UP-1", "a", None))
        .unwrap();
    let by = village.post("CITY-D");
    let photo = a_photo(&village);
    let made = village.before(98);
    let act = |seen| {
        let sent = Sent {
            idempotency_key: Some("k".to_owned()),
            made_at: Some(made),
            photos: vec![photo.clone()],
        };
        let comment = Act::Comment { public: false };
        let done = village.whistle.act_once(
            &village.here,
            number,
            Some(seen),
            comment,
            "looked at".to_owned(),
            by.clone(),
            Contact::default(),
            sent,
        );
        village.runtime.block_on(done).map_err(|error| error.word())
    };
    let case = village
        .runtime
        .block_on(village.whistle.case(&village.here, number))
        .unwrap();
    let first = act(case.version).unwrap();
    assert_eq!(
        (first.now.version, first.version),
        (case.version + 2, case.version + 2)
    );
    // Sent again it is not stale, though the case is another by now; and it does not pass for having seen what others did since.
    let remark = village.whistle.act(
        &village.here,
        number,
        None,
        Act::Comment { public: false },
        "mind the dog".to_owned(),
        village.post("CITY-L"),
    );
    village.runtime.block_on(remark).unwrap();
    let again = act(case.version).unwrap();
    assert_eq!(
        (again.now.version, again.version),
        (first.version + 1, first.version)
    );
    let (after, log) = village
        .runtime
        .block_on(village.whistle.case_and_log(&village.here, number))
        .unwrap();
    assert_eq!((after.photos.len(), after.version), (1, first.version + 1));
    assert!(
        log[case.version as usize..first.version as usize]
            .iter()
            .all(|event| event.made_at == Some(made))
    );
    village.is_sound();
}

/// A picture that was sent.
fn a_photo(village: &Village) -> whistle_domain::case::Photo {
    let mut bytes = Vec::new();
    let picture = image::DynamicImage::new_rgb8(4, 4);
    picture
        .write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png)
        .unwrap();
    let kept = village.whistle.keep_photo(&village.here, bytes.into());
    let kept = village.runtime.block_on(kept).unwrap();
    kept.shown(PhotoKind::After, false)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn seen_twice_is_once(sent in prop::collection::vec((0..6_usize, 0..9_000_i64), 1..20)) {
        let village = Village::open();
        // Each key comes with the time it first came with, in any order, as often as it likes.
        let mut made = [None; 6];
        for (key, minutes) in sent {
            let at = *made[key].get_or_insert_with(|| village.before(minutes));
            village.see("T100-P", "UP-2", Some(at), Some(&format!("key {key}"))).unwrap();
        }
        let zone = village.here.place.calendar.zone().clone();
        let mut wanted: Vec<_> = made.into_iter().flatten().map(|at| zone.to_datetime(at).date()).collect();
        wanted.sort_unstable_by(|a, b| b.cmp(a));
        let found = village.found("T100-P", "UP-2").unwrap();
        let days: Vec<_> = found.iter().map(|one| one.made_on).collect();
        prop_assert_eq!(&days, &wanted);
        prop_assert_eq!(village.walked("T100-P", "UP-2").last.unwrap().made_on, wanted[0]);
        prop_assert_eq!(village.see("T100-P", "UP-1", None, Some("key 0")).is_err(), made[0].is_some());
    }
}
