//! rounds.csv: the places to look at, one a line, in the order of the way. The first line of a round says what the round is.

use std::collections::HashMap;

use whistle_domain::{
    geometry::Point,
    place::Areas,
    round::{MAX_EVERY_DAYS, MAX_STOPS, Round, Stop},
    words::{PostCode, RoundCode, ServiceCode, StopCode},
};

use crate::{
    areas::AreaBook,
    fault::{Faults, at},
    services::ServiceBook,
    table::{Codes, Layout, NAME, Row, Table, carried, filled, free},
    text::shown,
};

pub(crate) const ROUNDS: Layout = Layout {
    file: "rounds.csv",
    row: "stop",
    columns: &[
        carried("round", &["巡查", "巡查编码", "路线"]),
        free("round_name", &["巡查名称", "路线名称"]),
        free("round_name_zh", &["巡查中文名称"]),
        free("round_name_en", &["巡查英文名称"]),
        free("area", &["网格", "区域", "辖区", "网格编码"]),
        free("post", &["岗位", "岗位编码"]),
        filled("code", &["编码", "编号", "点位编码", "代码"]),
        NAME[0],
        NAME[1],
        NAME[2],
        filled("lon", &["经度", "longitude", "lng"]),
        filled("lat", &["纬度", "latitude"]),
        free("service", &["类别", "类别编码"]),
        free("asset", &["部件", "部件编码"]),
        filled("every", &["间隔", "间隔天数", "频次"]),
    ],
};

/// What a line may say of its round besides its code; on the first line of the round, or the same again.
const OF_ROUND: [&str; 5] = ["round_name", "round_name_zh", "round_name_en", "area", "post"];

/// The rounds as far as they could be read, and the lines of their stops.
#[derive(Debug, Default)]
pub(crate) struct RoundBook {
    pub rounds: Vec<Round>,
    lines: HashMap<StopCode, u32>,
}

impl RoundBook {
    /// Refuses stops that do not lie in the area of their round. Needs the finished grid.
    pub fn check_points(&self, areas: &Areas, faults: &mut Faults) {
        for round in &self.rounds {
            for stop in &round.stops {
                let lies_in = areas.locate(stop.point);
                if lies_in.is_some_and(|area| areas.is_within(area, round.area)) {
                    continue;
                }
                let line = self.lines.get(&stop.code).copied().unwrap_or(1);
                let Point { lon, lat } = stop.point;
                let swapped = Point { lon: lat, lat: lon };
                let mend = if areas.locate(swapped).is_some() {
                    "the two look swapped".to_owned()
                } else {
                    lies_in.map_or_else(
                        || "look whether it is right".to_owned(),
                        |area| format!("it lies in area {}", shown(areas.get(area).code.as_str())),
                    )
                };
                let area = shown(areas.get(round.area).code.as_str());
                let what = format!("{lon}, {lat} lies outside area {area} of its round");
                faults.error(at(ROUNDS.file, line), what, mend);
            }
        }
    }
}

/// Reads rounds.csv. What other files could not say is none; it is not looked up then.
pub(crate) fn read(
    table: &Table,
    areas: Option<&AreaBook>,
    posts: Option<&Codes>,
    services: Option<&ServiceBook>,
    faults: &mut Faults,
) -> RoundBook {
    let mut codes = table.codes("stop");
    let mut book = RoundBook::default();
    let mut first: HashMap<&str, &Row> = HashMap::new();
    let mut index: HashMap<RoundCode, usize> = HashMap::new();
    for row in &table.rows {
        let is_new = codes.add(row.cell("code"), row.at(), faults);
        let stop = stop(row, services, faults);
        let Some(code) = row.value::<RoundCode>("round", faults) else {
            continue;
        };
        if let Some(first) = first.get(row.cell("round")) {
            refuse_another(row, first, faults);
        } else {
            first.insert(row.cell("round"), row);
            if let Some(round) = round(row, code.clone(), areas, posts, faults) {
                index.insert(code.clone(), book.rounds.len());
                book.rounds.push(round);
            }
        }
        let round = index.get(&code).map(|i| &mut book.rounds[*i]);
        if let (Some(stop), true, Some(round)) = (stop, is_new, round) {
            if round.stops.len() == MAX_STOPS {
                let what = format!("is one stop more than the {MAX_STOPS} that a round has");
                faults.error(row.at(), what, "make two rounds of it");
            }
            book.lines.insert(stop.code.clone(), row.line());
            round.stops.push(stop);
        }
    }
    book
}

/// What the first line of a round says of it.
fn round(
    row: &Row,
    code: RoundCode,
    areas: Option<&AreaBook>,
    posts: Option<&Codes>,
    faults: &mut Faults,
) -> Option<Round> {
    let name = row.text("round_name");
    if name.is_empty() {
        faults.error(
            row.at(),
            format!("round {} has no name", shown(code.as_str())),
            "write one in round_name on its first line",
        );
    }
    let area = match (row.cell("area"), areas) {
        ("", _) => {
            faults.error(
                row.at(),
                format!("round {} names no area", shown(code.as_str())),
                "write on its first line the code of the area that it belongs to",
            );
            None
        }
        (area, Some(areas)) => areas.expect(area, row.at(), faults).map(|(index, _)| index),
        (_, None) => None,
    };
    let named = row.cell("post");
    let is_known = named.is_empty() || posts.is_none_or(|posts| posts.expect(named, row.at(), faults));
    let post: Option<PostCode> = row.value("post", faults).filter(|_| is_known);
    Some(Round {
        code,
        name,
        area: area?,
        post,
        stops: Vec::new(),
    })
}

/// Refuses a line that says something else of its round than the first one.
fn refuse_another(row: &Row, first: &Row, faults: &mut Faults) {
    for column in OF_ROUND {
        let (here, there) = (row.cell(column), first.cell(column));
        if !here.is_empty() && here != there {
            faults.error(
                row.at(),
                format!(
                    "{column} is {}, on line {} it is {}",
                    shown(here),
                    first.line(),
                    shown(there)
                ),
                "say it once, on the first line of the round",
            );
        }
    }
}

fn stop(row: &Row, services: Option<&ServiceBook>, faults: &mut Faults) -> Option<Stop> {
    let code: Option<StopCode> = row.value("code", faults);
    let point = point(row, faults);
    let every_days = every(row, faults);
    let service = service(row, services, faults);
    Some(Stop {
        code: code?,
        name: row.text("name"),
        point: point?,
        service,
        asset: row.cell("asset").to_owned(),
        every_days: every_days?,
    })
}

fn point(row: &Row, faults: &mut Faults) -> Option<Point> {
    let (lon, lat) = (row.cell("lon"), row.cell("lat"));
    let read = |lon: &str, lat: &str| Point::new(lon.parse().ok()?, lat.parse().ok()?).ok();
    let point = read(lon, lat);
    if point.is_none() {
        let mend = if read(lat, lon).is_some() {
            "the two look swapped"
        } else {
            "write degrees of WGS 84 such as 131.9671 and 46.6412"
        };
        let what = format!("lon {} and lat {} are no place on earth", shown(lon), shown(lat));
        faults.error(row.at(), what, mend);
    }
    point
}

/// How many days a cell says: "7", "7d", "7天".
pub(crate) fn days(cell: &str) -> Option<u16> {
    let number = cell
        .strip_suffix('d')
        .or_else(|| cell.strip_suffix('天'))
        .unwrap_or(cell);
    let days = number.trim().parse().ok()?;
    (1..=MAX_EVERY_DAYS).contains(&days).then_some(days)
}

fn every(row: &Row, faults: &mut Faults) -> Option<u16> {
    let cell = row.cell("every");
    let days = days(cell);
    if days.is_none() {
        faults.error(
            row.at(),
            format!("every {} is no number of days", shown(cell)),
            format!("write 1 for every day, 7 for every week, at most {MAX_EVERY_DAYS}"),
        );
    }
    days
}

/// The service that is mostly the matter; never a group, which no case can have.
fn service(row: &Row, services: Option<&ServiceBook>, faults: &mut Faults) -> Option<ServiceCode> {
    let cell = row.cell("service");
    if cell.is_empty() || !services.is_none_or(|services| services.codes.expect(cell, row.at(), faults)) {
        return None;
    }
    if services.is_some_and(|services| services.is_group(cell)) {
        let what = format!("service {} is a group", shown(cell));
        faults.error(row.at(), what, "write one of its services");
        return None;
    }
    row.value("service", faults)
}
