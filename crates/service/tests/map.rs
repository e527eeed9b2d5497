//! The map shows what a plain look through all cases shows, whichever tile, filter or page is asked for.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use whistle_domain::{
    case::{Actor, Case, Channel},
    command::{Act, NewReport, Whereabouts},
    geometry::{BBox, Point},
    public::Step,
    tile::{Key, Tile},
    words::CaseNumber,
};
use whistle_service::{
    Here, Site, Whistle,
    case::With,
    demo::DemoOptions,
    map::{BELIEVED, FINELY_GATHERED, Filter, GATHERED},
    time::{Chance, Clock},
};
use whistle_store::case as stored;
use whistle_testbed::Bed;

const NOW: &str = "2026-11-01T03:00:00Z";

/// The time stands still, and the process runs for as long as it is told.
struct Told(Arc<AtomicU64>);

impl Clock for Told {
    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }

    fn running(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

struct Village {
    bed: Bed,
    whistle: Whistle,
    here: Here,
    running: Arc<AtomicU64>,
    runtime: tokio::runtime::Runtime,
}

fn open(bed: &Bed, running: &Arc<AtomicU64>) -> Whistle {
    let site = Site {
        database_url: bed.database_url().map(str::to_owned),
        ..bed.path().into()
    };
    Whistle::open_with(site, Box::new(Told(running.clone())), Chance::from_seed(1)).unwrap()
}

impl Village {
    fn with(cases: u64) -> Self {
        let (bed, running) = (Bed::new(), Arc::default());
        let whistle = open(&bed, &running);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
        whistle.apply(&folder).unwrap();
        let here = whistle.places().all()[0].clone();
        if cases > 0 {
            let to: Timestamp = NOW.parse().unwrap();
            let options = DemoOptions {
                cases,
                seed: 7,
                from: Some(to - SignedDuration::from_hours(24 * 500)),
                to,
            };
            whistle.make_demo(&here, options, |_| {}).unwrap();
        }
        Self {
            bed,
            whistle,
            here,
            running,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    fn all(&self) -> Vec<Case> {
        let store = whistle_store::Store::open(
            self.bed.target(whistle_store::Target::Postgres),
            Timestamp::UNIX_EPOCH,
        );
        let mut cases = Vec::new();
        store
            .unwrap()
            .read_blocking(|conn| {
                stored::each(conn, self.here.id, |case| {
                    cases.push(case);
                    Ok(())
                })
            })
            .unwrap();
        cases
    }

    /// Numbers and steps of the tiles of a zoom around a point: how many cases each step has.
    fn counted(&self, zoom: u8, finer: u8, filter: &Filter) -> [u32; 5] {
        let map = self.runtime.block_on(self.whistle.map(&self.here)).unwrap();
        let mut steps = [0; 5];
        for tile in tiles(&self.here, zoom) {
            let clusters = self
                .runtime
                .block_on(self.whistle.map_tile(&map, tile, finer, filter))
                .unwrap();
            for cluster in clusters {
                assert!(cluster.count() > 0);
                assert_eq!(cluster.only.is_some(), cluster.count() == 1);
                let [x, y] = tile.units(cluster.place);
                assert!(
                    (0.0..=4096.0).contains(&x) && (0.0..=4096.0).contains(&y),
                    "{x} {y}"
                );
                for (sum, n) in steps.iter_mut().zip(cluster.steps) {
                    *sum += n;
                }
            }
        }
        steps
    }

    /// Every number of the list, page by page.
    fn listed(&self, filter: &Filter) -> Vec<i64> {
        let (mut numbers, mut after) = (Vec::new(), None);
        loop {
            let page = self
                .runtime
                .block_on(self.whistle.map_list(&self.here, filter, after.as_deref(), 7))
                .unwrap();
            numbers.extend(page.cases.iter().map(|case| case.number.0));
            after = page.next;
            if after.is_none() {
                assert_eq!(page.count, numbers.len());
                return numbers;
            }
        }
    }

    fn report(&self, service: &str, lon: f64, lat: f64) -> CaseNumber {
        let new = NewReport {
            service: service.parse().unwrap(),
            standard: None,
            whereabouts: Whereabouts {
                point: Some(Point::new(lon, lat).unwrap()),
                ..Whereabouts::default()
            },
            description: "a thing".to_owned(),
            answers: Vec::new(),
            channel: Channel::Phone,
            photos: Vec::new(),
            fixed: None,
        };
        let filed = self
            .whistle
            .report(&self.here, new, Actor::System, With::default());
        self.runtime.block_on(filed).unwrap().number
    }
}

/// The tiles of a zoom that the place lies in, and those around them.
fn tiles(here: &Here, zoom: u8) -> Vec<Tile> {
    let bbox = here.place.areas.get(0).shape.bbox();
    let side = f64::from(1_u32 << zoom);
    let at = |lon, lat| {
        let [x, y] = whistle_domain::tile::project(Point { lon, lat });
        ((x * side) as u32, (y * side) as u32)
    };
    let ((west, north), (east, south)) = (at(bbox.west, bbox.north), at(bbox.east, bbox.south));
    let mut all = Vec::new();
    for x in west.saturating_sub(1)..=east + 1 {
        for y in north.saturating_sub(1)..=south + 1 {
            all.extend(Tile::new(zoom, x, y));
        }
    }
    all
}

/// What the map must show.
fn looked_through<'c>(
    here: &Here,
    cases: &'c [Case],
    filter: &Filter,
    span: Option<(&str, &str)>,
) -> Vec<&'c Case> {
    let place = &here.place;
    let fits = |case: &&Case| {
        let Some(point) = case.location.point else {
            return false;
        };
        // Where the map says that it is.
        let point = Key::of(point).point();
        let in_area = filter.area.as_ref().is_none_or(|code| {
            let outer = place.areas.find(code.as_str()).unwrap();
            place
                .areas
                .locate(point)
                .is_some_and(|inner| place.areas.is_within(inner, outer))
        });
        let of_service = filter.service.as_ref().is_none_or(|code| {
            let service = place.service(case.service.as_str()).unwrap();
            service.code == *code || service.group.as_ref() == Some(code)
        });
        let in_span = span.is_none_or(|(from, to)| {
            let at = |text: &str| text.parse::<Timestamp>().unwrap();
            at(from) <= case.times.reported_at && case.times.reported_at < at(to)
        });
        case.public
            && filter.open.is_none_or(|open| case.state.is_open() == open)
            && filter.bbox.is_none_or(|bbox| bbox.contains(point))
            && in_area
            && of_service
            && in_span
    };
    let mut found: Vec<&Case> = cases.iter().filter(fits).collect();
    found.sort_by_key(|case| {
        let minutes = case.times.reported_at.as_second().div_euclid(60);
        std::cmp::Reverse((minutes, case.number))
    });
    found
}

#[test]
fn at_every_zoom_the_clusters_count_what_a_look_through_all_cases_counts() {
    let village = Village::with(400);
    let cases = village.all();
    assert!(cases.iter().any(|case| !case.public), "a case that is not public");
    let mut expected = [0; 5];
    let filter = Filter::default();
    for case in looked_through(&village.here, &cases, &filter, None) {
        expected[Step::of(case.state) as usize] += 1;
    }
    assert!(expected[1] > 0 && expected[4] > 0, "{expected:?}");
    for zoom in [0, 3, 8, 11, 13] {
        for finer in [0, GATHERED, FINELY_GATHERED] {
            assert_eq!(
                village.counted(zoom, finer, &filter),
                expected,
                "zoom {zoom}, {finer} finer"
            );
        }
    }
}

#[test]
fn the_list_has_the_cases_of_the_map_for_every_filter() {
    let village = Village::with(300);
    let cases = village.all();
    let place = &village.here.place;
    let town = place.areas.all()[1].code.clone();
    let group = place
        .services()
        .iter()
        .find(|service| service.is_group())
        .unwrap()
        .code
        .clone();
    let service = cases[0].service.clone();
    let centre = place.areas.get(0).shape.inside_point();
    let all = Filter::default;
    let filters: Vec<(Filter, Option<(&str, &str)>)> = vec![
        (all(), None),
        (
            Filter {
                open: Some(true),
                ..all()
            },
            None,
        ),
        (
            Filter {
                open: Some(false),
                area: Some(town.clone()),
                ..all()
            },
            None,
        ),
        (
            Filter {
                service: Some(group),
                ..all()
            },
            None,
        ),
        (
            Filter {
                service: Some(service),
                ..all()
            },
            None,
        ),
        (
            Filter {
                bbox: Some(BBox::around(centre, 900.0)),
                ..all()
            },
            None,
        ),
        (
            Filter {
                period: "2026".parse().unwrap(),
                ..all()
            },
            Some(("2025-12-31T16:00:00Z", "2026-12-31T16:00:00Z")),
        ),
        (
            Filter {
                period: "2026-03".parse().unwrap(),
                area: Some(town),
                ..all()
            },
            Some(("2026-02-28T16:00:00Z", "2026-03-31T16:00:00Z")),
        ),
        (
            Filter {
                period: "30d".parse().unwrap(),
                ..all()
            },
            Some(("2026-10-02T16:00:00Z", "2027-01-01T00:00:00Z")),
        ),
    ];
    for (filter, span) in filters {
        let expected = looked_through(&village.here, &cases, &filter, span);
        assert!(!expected.is_empty() && expected.len() < cases.len(), "{filter:?}");
        let numbers: Vec<i64> = expected.iter().map(|case| case.number.0).collect();
        assert_eq!(village.listed(&filter), numbers, "{filter:?}");
        if filter.bbox.is_none() {
            let on_map: u32 = village.counted(12, GATHERED, &filter).iter().sum();
            assert_eq!(on_map as usize, numbers.len(), "{filter:?}");
        }
    }
}

#[test]
fn what_is_no_period_is_refused_with_what_would_be_one() {
    use whistle_service::map::Period;
    for wrong in [
        "x", "0d", "30", "2026-13", "2026-00", "-026", "20260", "99999d", "2026-", "+202",
    ] {
        let refused = wrong.parse::<Period>().unwrap_err();
        assert!(refused.contains("write 30d, 2026 or 2026-05"), "{refused}");
    }
    assert_eq!("".parse(), Ok(Period::Always));
    assert_eq!("2026-05".parse(), Ok(Period::Month(2026, 5)));
}

#[test]
fn a_map_is_believed_for_a_while_and_then_shows_what_happened() {
    let village = Village::with(0);
    let look = || {
        village
            .runtime
            .block_on(village.whistle.map(&village.here))
            .unwrap()
    };
    let number = village.report("RD-HOLE", 131.805, 46.205);
    let before = look();
    village.report("RD-HOLE", 131.805, 46.205);
    assert_eq!(look().fingerprint(), before.fingerprint());
    assert_eq!(village.listed(&Filter::default()), [number.0]);
    village
        .running
        .fetch_add(BELIEVED.as_secs() + 60, Ordering::Relaxed);
    let after = look();
    assert_ne!(after.fingerprint(), before.fingerprint());
    assert_eq!(village.listed(&Filter::default()).len(), 2);
    // Nothing has happened, so another process that reads it anew gets the same.
    let beside = open(&village.bed, &village.running);
    let read = village.runtime.block_on(beside.map(&village.here)).unwrap();
    assert_eq!(read.fingerprint(), after.fingerprint());
}

#[test]
fn a_case_that_is_closed_is_counted_as_closed_and_one_that_is_not_public_nowhere() {
    let village = Village::with(0);
    let number = village.report("RD-HOLE", 131.805, 46.205);
    village.report("RD-SIGN", 131.805, 46.205);
    assert_eq!(
        village
            .counted(14, GATHERED, &Filter::default())
            .iter()
            .sum::<u32>(),
        1
    );
    let closed = village.whistle.act(
        &village.here,
        number,
        None,
        Act::Withdraw,
        String::new(),
        Actor::Reporter { report: 1 },
    );
    village.runtime.block_on(closed).unwrap();
    village.running.fetch_add(600, Ordering::Relaxed);
    assert_eq!(village.counted(14, GATHERED, &Filter::default()), [0, 0, 0, 0, 1]);
    let open = Filter {
        open: Some(true),
        ..Filter::default()
    };
    assert_eq!(village.counted(14, GATHERED, &open), [0; 5]);
    assert!(village.listed(&open).is_empty());
}
