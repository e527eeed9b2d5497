//! The three real cities: their areas as they are published, their departments and services as people know them.

use std::{error::Error, fs, path::Path};

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{Area, Name, Place};

#[derive(Deserialize)]
struct Collection {
    features: Vec<Feature>,
}

#[derive(Deserialize)]
struct Feature {
    properties: Properties,
    geometry: Box<RawValue>,
}

#[derive(Deserialize)]
struct Properties {
    code: String,
    level: usize,
    kind: String,
    name: String,
    #[serde(default)]
    name_en: String,
    parent: Option<String>,
}

fn read(data: &Path, city: &str) -> Result<Vec<Area>, Box<dyn Error>> {
    let path = data.join(city).join("areas.geojson");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let collection: Collection = serde_json::from_str(&text)?;
    let areas = collection.features.into_iter().map(|feature| {
        let Properties {
            code,
            level,
            kind,
            name,
            name_en,
            parent,
        } = feature.properties;
        Area {
            code,
            level,
            kind,
            name: Name {
                own: name,
                zh: String::new(),
                en: name_en,
            },
            parent: parent.unwrap_or_default(),
            geometry: feature.geometry.get().to_owned(),
            station: None,
        }
    });
    Ok(areas.collect())
}

/// Stadt, Kreise, Quartiere, statistische Zonen.
pub fn zurich(data: &Path) -> Result<Place, Box<dyn Error>> {
    let mut areas = read(data, "zurich")?;
    for area in &mut areas {
        if area.level == 0 {
            "苏黎世市".clone_into(&mut area.name.zh);
            "City of Zurich".clone_into(&mut area.name.en);
        }
        if let Some(number) = area.name.own.strip_prefix("Kreis ") {
            area.name.zh = format!("第{number}区");
            area.name.en = format!("District {number}");
        }
    }
    Ok(Place {
        folder: "zurich",
        written: vec![
            ("jurisdiction.toml", include_str!("zurich/jurisdiction.toml")),
            ("services.csv", include_str!("zurich/services.csv")),
            ("questions.csv", include_str!("zurich/questions.csv")),
            ("standards.csv", include_str!("zurich/standards.csv")),
            ("routing.csv", include_str!("zurich/routing.csv")),
            ("calendar.csv", include_str!("zurich/calendar.csv")),
        ],
        units: include_str!("zurich/units.csv"),
        areas,
        stations_down_to: 2,
        station_name: |area| {
            let name = &area.name;
            let or_own = |text: &str| {
                if text.is_empty() {
                    name.own.clone()
                } else {
                    text.to_owned()
                }
            };
            match area.level {
                0 => Name {
                    own: "Zentrale Anlaufstelle".to_owned(),
                    zh: "市协调指挥中心".to_owned(),
                    en: "City Contact Centre".to_owned(),
                },
                1 => Name {
                    own: format!("Kreisbüro {}", name.own),
                    zh: format!("{}服务站", or_own(&name.zh)),
                    en: format!("{} Office", or_own(&name.en)),
                },
                _ => Name {
                    own: format!("Quartierbüro {}", name.own),
                    zh: format!("{}街区服务站", name.own),
                    en: format!("{} Quarter Office", name.own),
                },
            }
        },
        titles: [
            ("Disposition", "派遣员", "Dispatcher"),
            ("Leitung", "负责人", "Lead"),
            ("Rundgang", "巡查员", "Patrol"),
            ("Bearbeitung", "处置员", "Handler"),
            ("Telefon", "受理员", "Call taker"),
            ("Aufsicht", "监督员", "Auditor"),
            ("Verwaltung", "管理员", "Administrator"),
        ],
    })
}

/// City, boroughs, community districts.
pub fn new_york(data: &Path) -> Result<Place, Box<dyn Error>> {
    const BOROUGHS: [(&str, &str); 5] = [
        ("Manhattan", "曼哈顿"),
        ("Bronx", "布朗克斯"),
        ("Brooklyn", "布鲁克林"),
        ("Queens", "皇后区"),
        ("Staten Island", "史泰登岛"),
    ];
    let mut areas = read(data, "nyc")?;
    for area in &mut areas {
        // The source leaves large parks out of the districts and so out of the boroughs made from them. People report
        // from there too: city and boroughs get their parks back, and the districts keep the gaps.
        if area.level < 2 {
            area.geometry = without_holes(&area.geometry)?;
        }
        let chinese = BOROUGHS.iter().find(|(name, _)| area.name.own.starts_with(name));
        area.name.zh = match (area.level, chinese) {
            (0, _) => "纽约市".to_owned(),
            (1, Some((_, zh))) => (*zh).to_owned(),
            (_, Some((_, zh))) => {
                let number = area.name.own.rsplit(' ').next().unwrap_or_default();
                format!("{zh}第{number}社区")
            }
            (_, None) => String::new(),
        };
    }
    Ok(Place {
        folder: "new-york",
        written: vec![
            ("jurisdiction.toml", include_str!("new-york/jurisdiction.toml")),
            ("services.csv", include_str!("new-york/services.csv")),
            ("questions.csv", include_str!("new-york/questions.csv")),
            ("standards.csv", include_str!("new-york/standards.csv")),
            ("routing.csv", include_str!("new-york/routing.csv")),
            ("calendar.csv", include_str!("new-york/calendar.csv")),
        ],
        units: include_str!("new-york/units.csv"),
        areas,
        stations_down_to: 2,
        station_name: |area| Name {
            own: match area.level {
                0 => "311 Service Center".to_owned(),
                1 => format!("{} Borough Office", area.name.own),
                _ => area.name.own.replace("Community District", "Community Board"),
            },
            zh: match area.level {
                0 => "311 服务中心".to_owned(),
                1 => format!("{}办事处", area.name.zh),
                _ => format!("{}委员会", area.name.zh),
            },
            en: String::new(),
        },
        titles: [
            ("Dispatcher", "派遣员", ""),
            ("Lead", "负责人", ""),
            ("Inspector", "巡查员", ""),
            ("Handler", "处置员", ""),
            ("Call taker", "受理员", ""),
            ("Auditor", "监督员", ""),
            ("Administrator", "管理员", ""),
        ],
    })
}

fn without_holes(geometry: &str) -> Result<String, Box<dyn Error>> {
    let mut geometry: Value = serde_json::from_str(geometry)?;
    let is_single = geometry["type"] == "Polygon";
    let coordinates = geometry["coordinates"]
        .as_array_mut()
        .ok_or("a geometry has no coordinates")?;
    if is_single {
        coordinates.truncate(1);
    } else {
        for polygon in coordinates {
            polygon.as_array_mut().ok_or("a polygon is no list")?.truncate(1);
        }
    }
    Ok(geometry.to_string())
}

/// 市、區、里。
pub fn taipei(data: &Path) -> Result<Place, Box<dyn Error>> {
    let mut areas = read(data, "taipei")?;
    for area in &mut areas {
        ["市", "區", "里"][area.level].clone_into(&mut area.kind);
        area.name.own = area.name.own.replace("台北市", "臺北市");
        area.name.en = area.name.en.replace(" Vil.", " Village");
    }
    Ok(Place {
        folder: "taipei",
        written: vec![
            ("jurisdiction.toml", include_str!("taipei/jurisdiction.toml")),
            ("services.csv", include_str!("taipei/services.csv")),
            ("questions.csv", include_str!("taipei/questions.csv")),
            ("standards.csv", include_str!("taipei/standards.csv")),
            ("routing.csv", include_str!("taipei/routing.csv")),
            ("calendar.csv", include_str!("taipei/calendar.csv")),
        ],
        units: include_str!("taipei/units.csv"),
        areas,
        stations_down_to: 1,
        station_name: |area| match area.level {
            0 => Name {
                own: "1999 市民熱線話務中心".to_owned(),
                zh: String::new(),
                en: "1999 Citizen Hotline Centre".to_owned(),
            },
            _ => Name {
                own: format!("{}公所", area.name.own),
                zh: String::new(),
                en: format!("{} Office", area.name.en),
            },
        },
        titles: [
            ("派案員", "", "Dispatcher"),
            ("主管", "", "Lead"),
            ("巡查員", "", "Patrol"),
            ("承辦人", "", "Handler"),
            ("話務員", "", "Call taker"),
            ("督導", "", "Auditor"),
            ("管理員", "", "Administrator"),
        ],
    })
}
