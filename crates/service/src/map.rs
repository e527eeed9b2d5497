//! The map: every public case that has a point, in memory, in the order of its place.
//!
//! One scan of an index reads them all, when somebody asks and what is held is old; from then on a tile is two searches and
//! one pass over what lies in it, whatever is filtered, and no visitor costs the database anything. A list beside the map is
//! made from the same, so that both show the same cases. What is held is no secret and no truth: it forgets itself.
//!
//! Positions are those of the Z-order key of a case, half a metre fine: never finer than what the public list says.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    ops::{Range, RangeInclusive},
    str::FromStr,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use tokio::sync::Mutex;
use whistle_domain::{
    case::{Case, Stage},
    geometry::{BBox, Point, Spot},
    place::{AreaIndex, Place},
    public::Step,
    tile::{Key, MAX_ZOOM, Tile, project},
    words::{AreaCode, CaseNumber, JurisdictionId, ServiceCode},
};
use whistle_store::{list::After, map as stored};

use crate::{
    Whistle, elsewhere,
    error::{Error, Result},
    list::{DEFAULT_PAGE, MAX_PAGE, read_cursor, write_cursor},
    place::Here,
};

/// The most cases held in memory, of all places of this process together: 32 bytes each. Of a place that has more, the newest are
/// held, and [`Found::left_out`] says how many are not.
pub const MAX_CASES: usize = 1_000_000;

/// What is held is believed at least this long.
pub const BELIEVED: Duration = Duration::from_secs(5);

/// And so many times as long as it took to read, so that reading takes 2 % of a core at most.
const BELIEVED_TIMES: u32 = 50;

/// But no longer than this.
pub const BELIEVED_AT_MOST: Duration = Duration::from_mins(5);

/// How fine tiles gather: so many bits of zoom deeper than themselves. A side has 16 squares of 32 pixels.
pub const GATHERED: u8 = 4;

/// The same for a picture of where most cases are: squares of 8 pixels.
pub const FINELY_GATHERED: u8 = 6;

/// Where no area has a point.
const NOWHERE: AreaIndex = AreaIndex::MAX;

/// A span of time in which cases were reported, as it stands in an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Period {
    /// Always.
    #[default]
    Always,
    /// The last days, today included: `30d`.
    Days(u16),
    /// A year: `2026`.
    Year(i16),
    /// A month: `2026-05`.
    Month(i16, i8),
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no period; write 30d, 2026 or 2026-05, or leave it out");
        let year = |year: &str| {
            let four = year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit());
            year.parse().ok().filter(|_| four)
        };
        if text.is_empty() {
            return Ok(Self::Always);
        }
        if let Some(days) = text.strip_suffix('d') {
            let days = days.parse().ok().filter(|days| (1..=3660).contains(days));
            return days.map(Self::Days).ok_or_else(wrong);
        }
        let read = match text.split_once('-') {
            None => year(text).map(Self::Year),
            Some((before, month)) => {
                let month = month.parse().ok().filter(|month| (1..=12).contains(month));
                year(before)
                    .zip(month)
                    .map(|(year, month)| Self::Month(year, month))
            }
        };
        read.ok_or_else(wrong)
    }
}

impl Period {
    /// From when to before when, in the place's time; open at an end without a time.
    fn span(self, now: Timestamp, zone: &TimeZone) -> (Option<Timestamp>, Option<Timestamp>) {
        let begin = |date: Date| zone.to_timestamp(date.at(0, 0, 0, 0)).ok();
        let first = |year, month| Date::new(year, month, 1).ok();
        match self {
            Self::Always => (None, None),
            Self::Days(days) => {
                let today = zone.to_datetime(now).date();
                let from = today.saturating_sub((i64::from(days) - 1).days());
                (begin(from), None)
            }
            Self::Year(year) => (
                first(year, 1).and_then(begin),
                first(year.saturating_add(1), 1).and_then(begin),
            ),
            Self::Month(year, month) => {
                let from = first(year, month);
                let to = from.map(|date| date.saturating_add(1.month()));
                (from.and_then(begin), to.and_then(begin))
            }
        }
    }
}

/// Which cases of the map are asked for. Every condition that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Open ones, or closed ones.
    pub open: Option<bool>,
    /// Of this service, or of a service of this group.
    pub service: Option<ServiceCode>,
    /// In this area, as the grid is drawn now.
    pub area: Option<AreaCode>,
    /// Reported in this time.
    pub period: Period,
    /// Inside this box.
    pub bbox: Option<BBox>,
}

/// Cases that lie together in one square of a tile.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Where, on the plane of the map: the middle of them all. See [`project`].
    pub place: [f64; 2],
    /// How many are in each of [`Step::ALL`].
    pub steps: [u32; 5],
    /// When the first and the last of them was reported.
    pub reported: RangeInclusive<Timestamp>,
    /// Their service, where all have the same.
    pub service: Option<Arc<str>>,
    /// The case, when it is only one.
    pub only: Option<CaseNumber>,
}

impl Cluster {
    /// How many cases it stands for.
    pub fn count(&self) -> u32 {
        self.steps.iter().sum()
    }
}

/// A page of the list beside the map.
#[derive(Debug, Clone)]
pub struct Found {
    /// How many cases the map shows with this filter.
    pub count: usize,
    /// The newest of them.
    pub cases: Vec<Case>,
    /// What to ask with to get the next page; none at the end.
    pub next: Option<String>,
    /// How many of the place's oldest cases are not on its map, because it would be too much.
    pub left_out: usize,
}

/// A case as it is held.
#[derive(Debug, Clone, Copy)]
struct Spotted {
    key: Key,
    number: i64,
    /// Minutes since 1970.
    reported: u32,
    /// The deepest area that has it.
    area: AreaIndex,
    /// Which of [`Map::services`].
    service: u16,
    /// Which of [`Step::ALL`].
    step: u8,
}

/// The cases of a place as they were when they were read.
#[derive(Debug)]
pub struct Map {
    /// By place.
    cases: Vec<Spotted>,
    /// Codes of services that cases have.
    services: Vec<Arc<str>>,
    left_out: usize,
    fingerprint: [u8; 16],
    place: Arc<Place>,
    /// In the time that the process runs.
    believed_until: Duration,
}

const MINUTE: i64 = 60_000_000;

impl Map {
    fn read(
        conn: &whistle_store::Conn,
        id: JurisdictionId,
        place: Arc<Place>,
    ) -> whistle_store::Result<Self> {
        let steps: HashMap<&str, u8> = Stage::ALL
            .iter()
            .map(|stage| (stage.as_str(), Step::of_stage(*stage) as u8))
            .collect();
        let mut services: HashMap<Arc<str>, u16> = HashMap::new();
        let (mut cases, mut left_out) = (Vec::new(), 0);
        stored::each(conn, id, |case| {
            let service = services.get(case.service).copied();
            // More services than numbers: no place has that many, and one that had would show the last ones as one.
            let service = service.unwrap_or_else(|| {
                let next = services.len().min(usize::from(u16::MAX)) as u16;
                services.insert(case.service.into(), next);
                next
            });
            let point = Spot::from(case.spot).point();
            cases.push(Spotted {
                key: Key::of(point),
                number: case.number,
                reported: u32::try_from(case.reported_at / MINUTE).unwrap_or(0),
                area: place.areas.locate(point).unwrap_or(NOWHERE),
                service,
                step: steps.get(case.stage).copied().unwrap_or(Step::Received as u8),
            });
            if cases.len() == 2 * MAX_CASES {
                left_out += keep_newest(&mut cases);
            }
            Ok(())
        })?;
        left_out += keep_newest(&mut cases);
        cases.shrink_to_fit();
        cases.sort_unstable_by_key(|case| (case.key, case.number));
        let mut names: Vec<(u16, Arc<str>)> = services.into_iter().map(|(name, i)| (i, name)).collect();
        names.sort_unstable();
        let services: Vec<Arc<str>> = names.into_iter().map(|(_, name)| name).collect();
        Ok(Self {
            fingerprint: fingerprint(&cases, &services),
            cases,
            services,
            left_out,
            place,
            believed_until: Duration::ZERO,
        })
    }

    /// The same as long as it holds the same cases in the same steps, whichever process read them.
    pub fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }

    /// The cases of a tile that a filter lets through, gathered by squares that are so many zooms deeper than the tile.
    fn clusters(&self, tile: Tile, finer: u8, wanted: &Wanted) -> Vec<Cluster> {
        let zoom = (tile.zoom() + finer).min(MAX_ZOOM + FINELY_GATHERED);
        let keys = tile.keys();
        let from = self.cases.partition_point(|case| case.key < *keys.start());
        let to = self.cases.partition_point(|case| case.key <= *keys.end());
        let squares =
            self.cases[from..to].chunk_by(|one, other| one.key.prefix(zoom) == other.key.prefix(zoom));
        squares
            .filter_map(|square| self.cluster(square, wanted))
            .collect()
    }

    fn cluster(&self, square: &[Spotted], wanted: &Wanted) -> Option<Cluster> {
        let mut steps = [0; Step::ALL.len()];
        let (mut sum, mut count) = ([0.0, 0.0], 0.0);
        let (mut oldest, mut newest) = (u32::MAX, 0);
        let mut service = None;
        let (mut last, mut is_mixed) = (None, false);
        for case in square.iter().filter(|case| wanted.holds(case)) {
            let [x, y] = case.key.place();
            sum = [sum[0] + x, sum[1] + y];
            count += 1.0;
            steps[usize::from(case.step)] += 1;
            (oldest, newest) = (oldest.min(case.reported), newest.max(case.reported));
            is_mixed |= service.is_some_and(|known| known != case.service);
            service = Some(case.service);
            last = Some(case.number);
        }
        let service = service.filter(|_| !is_mixed);
        let only = last.filter(|_| steps.iter().sum::<u32>() == 1);
        last?;
        Some(Cluster {
            place: sum.map(|sum| sum / count),
            steps,
            reported: minute(oldest)..=minute(newest),
            service: service.and_then(|i| self.services.get(usize::from(i)).cloned()),
            only: only.map(CaseNumber),
        })
    }

    /// How many cases a filter lets through, and the first `limit` of them after a place in the list, newest first.
    fn newest(&self, wanted: &Wanted, after: Option<(u32, i64)>, limit: usize) -> (usize, Vec<(u32, i64)>) {
        let mut first = BinaryHeap::with_capacity(limit + 1);
        let mut count = 0;
        for case in self.cases.iter().filter(|case| wanted.holds(case)) {
            count += 1;
            let place = (case.reported, case.number);
            if after.is_some_and(|after| place >= after) {
                continue;
            }
            first.push(Reverse(place));
            if first.len() > limit {
                first.pop();
            }
        }
        let newest = first.into_sorted_vec().into_iter().map(|Reverse(place)| place);
        (count, newest.collect())
    }

    fn wanted(&self, filter: &Filter, now: Timestamp) -> Result<Wanted> {
        let place = &self.place;
        let services = match &filter.service {
            None => None,
            Some(code) => {
                let asked = place
                    .service(code.as_str())
                    .ok_or_else(|| Error::not_found("service", code))?;
                let is_wanted = |held: &Arc<str>| {
                    let service = place.service(held);
                    **held == *code.as_str()
                        || (asked.is_group() && service.is_some_and(|s| s.group.as_ref() == Some(code)))
                };
                Some(self.services.iter().map(is_wanted).collect())
            }
        };
        let areas = match &filter.area {
            None => None,
            Some(code) => {
                let outer = place
                    .areas
                    .find(code.as_str())
                    .ok_or_else(|| Error::not_found("area", code))?;
                let indexes = 0..place.areas.all().len() as AreaIndex;
                Some(indexes.map(|inner| place.areas.is_within(inner, outer)).collect())
            }
        };
        let (from, to) = filter.period.span(now, place.calendar.zone());
        let minutes = |time: Timestamp| u32::try_from(time.as_microsecond().div_euclid(MINUTE)).unwrap_or(0);
        Ok(Wanted {
            open: filter.open,
            services,
            areas,
            reported: from.map_or(0, minutes)..to.map_or(u32::MAX, minutes),
            frame: filter.bbox.map(Frame::of),
        })
    }
}

/// Leaves the newest [`MAX_CASES`], in no order, and says how many were left out.
fn keep_newest(cases: &mut Vec<Spotted>) -> usize {
    let Some(too_many) = cases.len().checked_sub(MAX_CASES).filter(|many| *many > 0) else {
        return 0;
    };
    cases.select_nth_unstable_by_key(MAX_CASES, |case| Reverse((case.reported, case.number)));
    cases.truncate(MAX_CASES);
    too_many
}

fn minute(minutes: u32) -> Timestamp {
    Timestamp::from_second(i64::from(minutes) * 60).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn fingerprint(cases: &[Spotted], services: &[Arc<str>]) -> [u8; 16] {
    let mut hash = blake3::Hasher::new();
    for case in cases {
        let service = services.get(usize::from(case.service)).map_or("", |name| &**name);
        hash.update(&case.key.prefix(u8::MAX).to_le_bytes());
        hash.update(&case.number.to_le_bytes());
        hash.update(&case.reported.to_le_bytes());
        hash.update(&case.area.to_le_bytes());
        hash.update(&[case.step, service.len() as u8]);
        hash.update(service.as_bytes());
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize().as_bytes()[..16]);
    short
}

/// A filter in the numbers of one map.
struct Wanted {
    open: Option<bool>,
    /// Which of the map's services.
    services: Option<Vec<bool>>,
    /// Which of the place's areas.
    areas: Option<Vec<bool>>,
    /// Minutes since 1970.
    reported: Range<u32>,
    frame: Option<Frame>,
}

impl Wanted {
    fn holds(&self, case: &Spotted) -> bool {
        let is_open = Step::ALL[usize::from(case.step)].is_open();
        let among = |all: &Vec<bool>, i: usize| all.get(i).copied().unwrap_or(false);
        self.open.is_none_or(|open| open == is_open)
            && self.reported.contains(&case.reported)
            && self
                .services
                .as_ref()
                .is_none_or(|all| among(all, usize::from(case.service)))
            && self
                .areas
                .as_ref()
                .is_none_or(|all| among(all, case.area as usize))
            && self.frame.as_ref().is_none_or(|frame| frame.holds(case.key))
    }
}

/// A box on the plane of the map.
struct Frame {
    x: RangeInclusive<f64>,
    y: RangeInclusive<f64>,
}

impl Frame {
    fn of(bbox: BBox) -> Self {
        let corner = |lon, lat| project(Point { lon, lat });
        let ([west, north], [east, south]) = (corner(bbox.west, bbox.north), corner(bbox.east, bbox.south));
        Self {
            x: west..=east,
            y: north..=south,
        }
    }

    fn holds(&self, key: Key) -> bool {
        let [x, y] = key.place();
        self.x.contains(&x) && self.y.contains(&y)
    }
}

/// The maps of all places, the one used last at the end.
#[derive(Default)]
pub(crate) struct Maps(std::sync::Mutex<Vec<(JurisdictionId, Arc<Held>)>>);

/// One place's map; locked while it is read, so that who comes meanwhile waits for it and reads nothing.
#[derive(Default)]
struct Held(Mutex<Option<Arc<Map>>>);

impl Maps {
    fn of(&self, id: JurisdictionId) -> Arc<Held> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.iter().position(|(known, _)| *known == id);
        let held = known.map_or_else(Arc::default, |i| all.remove(i).1);
        all.push((id, held.clone()));
        held
    }

    /// Forgets what was not used for longest until no more is held than may be.
    fn make_room(&self) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut room = MAX_CASES;
        for (_, held) in all.iter().rev() {
            // One that is being read counts once it is.
            let Ok(mut map) = held.0.try_lock() else { continue };
            let size = map.as_ref().map_or(0, |map| map.cases.len());
            match room.checked_sub(size) {
                Some(left) => room = left,
                None => *map = None,
            }
        }
        all.retain(|(_, held)| {
            Arc::strong_count(held) > 1 || held.0.try_lock().is_ok_and(|map| map.is_some())
        });
    }
}

impl Whistle {
    /// The map of a place, at most [`BELIEVED_AT_MOST`] old, and mostly [`BELIEVED`].
    pub async fn map(&self, here: &Here) -> Result<Arc<Map>> {
        let held = self.maps.of(here.id);
        let mut kept = held.0.lock().await;
        if let Some(map) = &*kept
            && self.clock.running() < map.believed_until
            && Arc::ptr_eq(&map.place, &here.place)
        {
            return Ok(map.clone());
        }
        // Not both at once: the old one goes before the new one is read, unless somebody still looks at it.
        *kept = None;
        let (id, place, began) = (here.id, here.place.clone(), Instant::now());
        let mut map = self.store.read(move |conn| Map::read(conn, id, place)).await?;
        let took = began.elapsed();
        metrics::histogram!("whistle_map_read_seconds").record(took.as_secs_f64());
        let believed = (took * BELIEVED_TIMES).clamp(BELIEVED, BELIEVED_AT_MOST);
        map.believed_until = self.clock.running() + believed;
        let map = Arc::new(map);
        *kept = Some(map.clone());
        drop(kept);
        self.maps.make_room();
        Ok(map)
    }

    /// What a tile of a map shows, gathered by squares so many zooms deeper; in the order of their place.
    pub async fn map_tile(
        &self,
        map: &Arc<Map>,
        tile: Tile,
        finer: u8,
        filter: &Filter,
    ) -> Result<Vec<Cluster>> {
        let (map, wanted) = (map.clone(), map.wanted(filter, self.clock.now())?);
        elsewhere(move || map.clusters(tile, finer, &wanted)).await
    }

    /// What a filter comes to today, in bytes by which answers can be known again: the same filter is another one tomorrow.
    pub fn map_filter_today(&self, map: &Map, filter: &Filter) -> Result<String> {
        let wanted = map.wanted(filter, self.clock.now())?;
        Ok(format!("{:?} {:?}", wanted.reported, filter))
    }

    /// A page of the cases that a map shows, newest first.
    pub async fn map_list(
        &self,
        here: &Here,
        filter: &Filter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Found> {
        let after = after.map(read_cursor).transpose()?;
        let after = after.map(|After { key, number }| (u32::try_from(key).unwrap_or(0), number));
        let limit = if limit == 0 {
            DEFAULT_PAGE
        } else {
            limit.min(MAX_PAGE)
        };
        let map = self.map(here).await?;
        let (wanted, left_out) = (map.wanted(filter, self.clock.now())?, map.left_out);
        let (count, mut newest) = elsewhere(move || map.newest(&wanted, after, limit + 1)).await?;
        let more = newest.len() > limit;
        newest.truncate(limit);
        let next = newest.last().filter(|_| more).map(|(reported, number)| {
            write_cursor(After {
                key: i64::from(*reported),
                number: *number,
            })
        });
        let numbers = newest.into_iter().map(|(_, number)| CaseNumber(number)).collect();
        Ok(Found {
            count,
            cases: self.public_cases(here, numbers).await?,
            next,
            left_out,
        })
    }
}
