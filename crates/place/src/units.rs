//! units.csv and posts.csv: who handles cases, and the duties that staff accounts hold.

use std::collections::HashMap;

use whistle_domain::{
    place::{AreaIndex, Level, Place, Post, Unit, UnitKind},
    rights::{Access, Clearance, Narrowing, Role},
    words::{AccessClass, ServiceCode, UnitCode, WordError},
};

use crate::{
    areas::AreaBook,
    fault::{Faults, whole},
    services::ServiceBook,
    table::{Codes, Layout, NAME, Row, Table, filled, free},
    text::{did_you_mean, shown},
};

pub(crate) const UNITS: Layout = Layout {
    file: "units.csv",
    row: "unit",
    columns: &[
        filled("code", &["编码", "编号", "单位编码", "代码"]),
        NAME[0],
        NAME[1],
        NAME[2],
        filled("kind", &["类型", "單位類型"]),
        free("area", &["网格", "区域", "辖区", "网格编码"]),
        free("parent", &["上级", "上级单位"]),
        free("lon", &["经度", "longitude", "lng"]),
        free("lat", &["纬度", "latitude"]),
        free("phone", &["电话", "联系电话"]),
        free("email", &["邮箱", "电子邮箱"]),
    ],
};

pub(crate) const POSTS: Layout = Layout {
    file: "posts.csv",
    row: "post",
    columns: &[
        filled("code", &["编码", "编号", "岗位编码", "代码"]),
        NAME[0],
        NAME[1],
        NAME[2],
        filled("unit", &["单位", "单位编码", "所属单位"]),
        free("area", &["网格", "区域", "辖区", "网格编码"]),
        filled("roles", &["角色", "职责"]),
        free("units", &["限单位", "单位范围"]),
        free("services", &["限类别", "类别范围"]),
        free("access", &["可见级别"]),
    ],
};

const KINDS: [(&str, UnitKind); 8] = [
    ("department", UnitKind::Department),
    ("team", UnitKind::Team),
    ("station", UnitKind::Station),
    ("部门", UnitKind::Department),
    ("单位", UnitKind::Department),
    ("班组", UnitKind::Team),
    ("队伍", UnitKind::Team),
    ("服务站", UnitKind::Station),
];

/// The units as far as they could be read, and all their codes.
#[derive(Debug)]
pub(crate) struct UnitBook {
    pub units: Vec<Unit>,
    pub codes: Codes,
    /// Of each unit, its area and what it is.
    area_of: HashMap<String, (AreaIndex, UnitKind)>,
}

/// Reads units.csv. `areas` is none when areas.geojson could not be read; areas are not looked up then.
pub(crate) fn read_units(table: &Table, areas: Option<&AreaBook>, faults: &mut Faults) -> UnitBook {
    let mut codes = table.codes("unit");
    let mut units = Vec::new();
    for row in &table.rows {
        let code: Option<UnitCode> = row.value("code", faults);
        let is_new = codes.add(row.cell("code"), row.at(), faults);
        let kind = row.word("kind", &KINDS, faults);
        let area = area_of_unit(row, kind, areas, faults);
        let parent: Option<UnitCode> = row.value("parent", faults);
        let point = point(row, areas, faults);
        let email = row.cell("email");
        if !email.is_empty() && !email.contains('@') {
            let what = format!("email {} is no address", shown(email));
            faults.error(row.at(), what, "write name@example.org, or leave it blank");
        }
        if let (Some(code), true, Some(kind), Some(area)) = (code, is_new, kind, area) {
            units.push(Unit {
                code,
                name: row.text("name"),
                kind,
                area,
                parent,
                point,
                phone: row.cell("phone").to_owned(),
                email: email.to_owned(),
            });
        }
    }
    for row in &table.rows {
        let parent = row.cell("parent");
        if !parent.is_empty() {
            codes.expect(parent, row.at(), faults);
        }
    }
    refuse_cycles(table, faults);
    refuse_second_stations(&units, &codes, areas, faults);
    let area_of = units
        .iter()
        .map(|u| (u.code.as_str().to_owned(), (u.area, u.kind)))
        .collect();
    UnitBook {
        units,
        codes,
        area_of,
    }
}

fn area_of_unit(
    row: &Row,
    kind: Option<UnitKind>,
    areas: Option<&AreaBook>,
    faults: &mut Faults,
) -> Option<AreaIndex> {
    let code = row.cell("area");
    if code.is_empty() {
        if kind == Some(UnitKind::Station) {
            faults.error(
                row.at(),
                "a station names no area",
                "write the code of the city, town or community that it serves",
            );
            return None;
        }
        return Some(AreaBook::CITY);
    }
    let Some(areas) = areas else {
        return Some(0);
    };
    let (index, level) = areas.expect(code, row.at(), faults)?;
    if kind == Some(UnitKind::Station) && level == Level::Cell {
        faults.error(
            row.at(),
            format!("area {} of the station is a cell", shown(code)),
            "write the city, town or community that it serves",
        );
        return None;
    }
    Some(index)
}

fn point(
    row: &Row,
    areas: Option<&AreaBook>,
    faults: &mut Faults,
) -> Option<whistle_domain::geometry::Point> {
    let (lon, lat) = (row.cell("lon"), row.cell("lat"));
    if lon.is_empty() && lat.is_empty() {
        return None;
    }
    let read = |text: &str, most: f64| text.parse::<f64>().ok().filter(|n| n.abs() <= most);
    let Some((lon, lat)) = read(lon, 180.0).zip(read(lat, 90.0)) else {
        let swapped = read(lat, 180.0).is_some() && read(lon, 90.0).is_some();
        let mend = if swapped {
            "the two look swapped"
        } else {
            "write degrees of WGS 84 such as 131.9671 and 46.6412, or leave both blank"
        };
        let what = format!("lon {} and lat {} are no place on earth", shown(lon), shown(lat));
        faults.error(row.at(), what, mend);
        return None;
    };
    if let Some(areas) = areas
        && !areas.may_hold([lon, lat])
    {
        let mend = if areas.may_hold([lat, lon]) {
            "the two look swapped"
        } else {
            "look whether it is right"
        };
        faults.warn(row.at(), format!("{lon}, {lat} lies outside the place"), mend);
    }
    Some(whistle_domain::geometry::Point { lon, lat })
}

fn refuse_cycles(table: &Table, faults: &mut Faults) {
    let mut parent_of: HashMap<&str, &str> = HashMap::new();
    for row in &table.rows {
        parent_of.entry(row.cell("code")).or_insert(row.cell("parent"));
    }
    for (code, way) in cycles(table.rows.iter().map(|row| row.cell("code")), |code| {
        parent_of.get(code).copied().filter(|parent| !parent.is_empty())
    }) {
        let row = table.rows.iter().find(|row| row.cell("code") == code);
        if let Some(row) = row {
            faults.error(
                row.at(),
                format!("unit {} is above itself: {way}", shown(code)),
                "leave the parent of the uppermost one blank",
            );
        }
    }
}

/// Each ring of parents once, as its first code in file order and the way around.
pub(crate) fn cycles<'a>(
    codes: impl Iterator<Item = &'a str>,
    parent: impl Fn(&str) -> Option<&'a str>,
) -> Vec<(&'a str, String)> {
    // The round in which a code was met first; a walk that meets a code of its own round has gone in a circle.
    let mut met: HashMap<&str, usize> = HashMap::new();
    let mut found = Vec::new();
    for (round, code) in codes.enumerate() {
        let mut at = Some(code);
        while let Some(here) = at {
            match met.get(here) {
                None => met.insert(here, round),
                Some(other) if *other == round => {
                    let mut way = vec![here];
                    let mut next = parent(here);
                    while let Some(step) = next.filter(|step| *step != here) {
                        way.push(step);
                        next = parent(step);
                    }
                    way.push(here);
                    found.push((here, way.join(" > ")));
                    break;
                }
                Some(_) => break,
            };
            at = parent(here);
        }
    }
    found
}

fn refuse_second_stations(units: &[Unit], codes: &Codes, areas: Option<&AreaBook>, faults: &mut Faults) {
    let Some(areas) = areas else {
        return;
    };
    let mut stations: HashMap<AreaIndex, &Unit> = HashMap::new();
    for unit in units.iter().filter(|u| u.kind == UnitKind::Station) {
        let Some(first) = stations.insert(unit.area, unit) else {
            continue;
        };
        let line = |unit: &Unit| codes.line(unit.code.as_str()).unwrap_or(1);
        faults.error(
            crate::fault::at(UNITS.file, line(unit)),
            format!(
                "area {:?} has station {} already on line {}",
                areas.code(unit.area),
                shown(first.code.as_str()),
                line(first)
            ),
            "give each area one station, and make the other a team",
        );
        stations.insert(unit.area, first);
    }
    if !stations.contains_key(&AreaBook::CITY) {
        faults.warn(
            whole(UNITS.file),
            format!("the city {:?} has no station", areas.code(AreaBook::CITY)),
            "add one: it decides when no other station does",
        );
    }
}

/// Reads posts.csv. `classes` are the classes of access that are declared; none when those that declare them could not be
/// read.
pub(crate) fn read_posts(
    table: &Table,
    units: Option<&UnitBook>,
    areas: Option<&AreaBook>,
    services: Option<&ServiceBook>,
    classes: Option<&[AccessClass]>,
    faults: &mut Faults,
) -> Vec<Post> {
    let mut codes = table.codes("post");
    let mut posts = Vec::new();
    for row in &table.rows {
        let code = row.value("code", faults);
        let is_new = codes.add(row.cell("code"), row.at(), faults);
        let unit: Option<UnitCode> = row.value("unit", faults);
        let is_known = units.is_none_or(|units| units.codes.expect(row.cell("unit"), row.at(), faults));
        let area = match (row.cell("area"), areas) {
            ("", _) => units.and_then(|units| units.area_of.get(row.cell("unit")).map(|(area, _)| *area)),
            (code, Some(areas)) => areas.expect(code, row.at(), faults).map(|(index, _)| index),
            (_, None) => None,
        };
        let roles = roles(row, faults);
        let narrowed = Narrowing {
            units: narrowed_units(row, units, &roles, faults),
            services: narrowed_services(row, services, faults),
            clearance: clearance(row, classes, faults),
        };
        if let (Some(code), true, Some(unit), true, Some(area)) = (code, is_new, unit, is_known, area) {
            posts.push(Post {
                code,
                name: row.text("name"),
                unit,
                area,
                roles,
                narrowed,
            });
        }
    }
    posts
}

/// Whether a cell narrows the post at all. One with nothing between its bars would leave nothing of it.
fn names_any(column: &str, row: &Row, faults: &mut Faults) -> bool {
    if row.cell(column).is_empty() {
        return false;
    }
    let is_any = row.parts(column).next().is_some();
    if !is_any {
        let what = format!("{column} is {}, which names nothing", shown(row.cell(column)));
        faults.error(
            row.at(),
            what,
            "write codes with | between, or leave it blank for all",
        );
    }
    is_any
}

/// The units whose cases of its area a post is for.
fn narrowed_units(
    row: &Row,
    units: Option<&UnitBook>,
    roles: &[Role],
    faults: &mut Faults,
) -> Option<Vec<UnitCode>> {
    if !names_any("units", row, faults) {
        return None;
    }
    let mut named: Vec<UnitCode> = Vec::new();
    for part in row.parts("units") {
        if units.is_none_or(|units| units.codes.expect(part, row.at(), faults)) {
            let unit: Option<UnitCode> = crate::text::parsed(part, row.at(), faults);
            named.extend(unit.filter(|unit| !named.contains(unit)));
        }
    }
    let of_unit = units.and_then(|units| units.area_of.get(row.cell("unit")));
    let is_station = || of_unit.is_none_or(|(_, kind)| *kind == UnitKind::Station);
    if !roles.iter().any(|role| role.sees_area(is_station)) {
        faults.warn(
            row.at(),
            "units narrows nothing: the post sees no area, only the cases of its own unit",
            "leave units blank, or give it a role that answers for its area",
        );
    }
    Some(named)
}

/// The services that a post is for, those of groups written out.
fn narrowed_services(
    row: &Row,
    services: Option<&ServiceBook>,
    faults: &mut Faults,
) -> Option<Vec<ServiceCode>> {
    if !names_any("services", row, faults) {
        return None;
    }
    let services = services?;
    let mut named: Vec<ServiceCode> = Vec::new();
    for part in row.parts("services") {
        if services.codes.expect(part, row.at(), faults) {
            let of_part =
                services.services.iter().filter(|s| !s.is_group()).filter(|s| {
                    s.code.as_str() == part || s.group.as_ref().is_some_and(|g| g.as_str() == part)
                });
            named.extend(of_part.map(|s| s.code.clone()));
        }
    }
    named.sort();
    named.dedup();
    Some(named)
}

/// The classes of access that a post may see.
fn clearance(row: &Row, classes: Option<&[AccessClass]>, faults: &mut Faults) -> Clearance {
    if !names_any("access", row, faults) {
        return Clearance::default();
    }
    let mut named = Vec::new();
    for part in row.parts("access") {
        let Some(access) = access(part, row, faults) else {
            continue;
        };
        if let (Some(class), Some(known)) = (access.class(), classes)
            && !known.contains(class)
        {
            let words = known.iter().map(AccessClass::as_str);
            let words = words.chain([Access::PUBLIC, Access::STAFF]);
            let otherwise = "write public, staff, or a class that services.csv, standards.csv or access_classes in \
                             jurisdiction.toml declares";
            let mend = did_you_mean(part, words, otherwise);
            let what = format!("class of access {} is declared nowhere", shown(part));
            faults.error(row.at(), what, mend);
            continue;
        }
        named.push(access);
    }
    Clearance::of(named)
}

/// One word for whose eyes a case is.
pub(crate) fn access(word: &str, row: &Row, faults: &mut Faults) -> Option<Access> {
    if word.is_empty() {
        return None;
    }
    access_word(word)
        .map_err(|refusal| faults.refusal(row.at(), &refusal))
        .ok()
}

/// The same, wherever it stands.
pub(crate) fn access_word(word: &str) -> Result<Access, WordError> {
    match word {
        "公开" => Ok(Access::Public),
        "内部" => Ok(Access::Staff),
        word => word.parse(),
    }
}

/// The roles in a row's column `roles`, each once.
pub(crate) fn roles(row: &Row, faults: &mut Faults) -> Vec<Role> {
    let mut roles: Vec<Role> = Vec::new();
    for part in row.parts("roles") {
        let role = match part {
            "巡查" | "巡查员" => Some(Role::Patrol),
            "受理" | "受理员" => Some(Role::CallTaker),
            "派遣" | "派遣员" => Some(Role::Dispatcher),
            "处置" | "处置员" => Some(Role::Handler),
            "负责人" => Some(Role::Lead),
            "监督" | "监督员" => Some(Role::Auditor),
            "管理员" => Some(Role::Administrator),
            _ => crate::text::parsed(part, row.at(), faults),
        };
        roles.extend(role.filter(|role| !roles.contains(role)));
    }
    roles
}

/// Units without an address of e-mail, by code: nobody there is told of anything by mail.
pub fn unreached(place: &Place) -> Vec<UnitCode> {
    let without = place.units().iter().filter(|unit| unit.email.is_empty());
    without.map(|unit| unit.code.clone()).collect()
}
