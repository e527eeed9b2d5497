//! Evidence of what stands, whatever the period: units, stations, posts and who holds them. Chapters that need more than that are
//! left out.

use std::{collections::HashSet, sync::Arc};

use whistle_briefing::evidence::{
    Absent, Ask, Basis, By, Choice, Evidence, Fraction, Measure, Number, Row, Said, Shape, Story,
};
use whistle_domain::{
    place::{AreaIndex, Level, Place, Post, UnitKind},
    words::{Lang, PostCode, Text},
};
use whistle_store::account;

use crate::{Whistle, error::Result, place::Here};

/// What stands in a place.
pub struct Standing {
    place: Arc<Place>,
    held: HashSet<PostCode>,
    computed_at: String,
}

/// What it can count, with words for label, unit of counting and formula.
const COUNTED: [(&str, [&str; 2], [&str; 2], [&str; 2]); 4] = [
    (
        "stations",
        ["服务站数", "Stations"],
        ["个", ""],
        ["现行辖区文件中的站点数", "stations of the place version in force"],
    ),
    (
        "units",
        ["单位数", "Units"],
        ["家", ""],
        [
            "现行辖区文件中的单位数",
            "units of the place version in force, stations included",
        ],
    ),
    (
        "posts",
        ["岗位数", "Posts"],
        ["个", ""],
        ["现行辖区文件中的岗位数", "posts of the place version in force"],
    ),
    (
        "post_coverage",
        ["岗位到岗率", "Posts held"],
        ["", ""],
        [
            "有人在岗的岗位数 ÷ 岗位数",
            "posts that an enabled account holds ÷ posts",
        ],
    ),
];

impl Standing {
    /// What stands now.
    pub fn of(whistle: &Whistle, here: &Here) -> Result<Self> {
        let held = whistle
            .store
            .examine(|conn| -> Result<_> { Ok(account::holders(conn, here.id)?) })?;
        let zone = here.place.calendar.zone();
        Ok(Self {
            place: Arc::clone(&here.place),
            held: held.into_iter().map(|(_, post)| post).collect(),
            computed_at: zone
                .to_datetime(whistle.clock.now())
                .strftime("%Y-%m-%d %H:%M")
                .to_string(),
        })
    }

    fn area(&self, code: Option<&str>) -> std::result::Result<Option<AreaIndex>, Absent> {
        code.map(|code| {
            self.place.areas.find(code).ok_or_else(|| Absent::Code {
                what: "area",
                code: code.to_owned(),
            })
        })
        .transpose()
    }

    fn posts(&self, within: Option<AreaIndex>) -> impl Iterator<Item = &Post> {
        let lies = move |area| within.is_none_or(|within| self.place.areas.is_within(area, within));
        self.place.posts().filter(move |post| lies(post.area))
    }

    fn units(&self, within: Option<AreaIndex>, kind: Option<UnitKind>) -> usize {
        let lies = |area| within.is_none_or(|within| self.place.areas.is_within(area, within));
        let units = self.place.units().iter();
        units
            .filter(|unit| lies(unit.area) && kind.is_none_or(|kind| unit.kind == kind))
            .count()
    }
}

fn said(text: &Text) -> Said {
    Said::new(text.get(Lang::Zh), text.get(Lang::En))
}

impl Evidence for Standing {
    fn basis(&self) -> Basis {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.place.version.to_le_bytes());
        let mut held: Vec<&str> = self.held.iter().map(PostCode::as_str).collect();
        held.sort_unstable();
        for post in held {
            hasher.update(post.as_bytes());
            hasher.update(&[0]);
        }
        Basis {
            place: said(&self.place.jurisdiction.name),
            computed_at: self.computed_at.clone(),
            data_hash: hasher.finalize().to_hex().to_string(),
        }
    }

    fn has(&self, need: &str) -> bool {
        matches!(need, "posts" | "stations")
    }

    fn number(&self, ask: &Ask) -> std::result::Result<Number, Absent> {
        let found = COUNTED.iter().find(|(code, ..)| *code == ask.indicator);
        let Some((code, label, unit, formula)) = found else {
            return Err(Absent::Indicator(ask.indicator.clone()));
        };
        if ask.unit.is_some() || ask.service.is_some() || ask.cut.is_some() {
            return Err(Absent::Cut(ask.indicator.clone()));
        }
        let area = self.area(ask.area.as_deref())?;
        let posts = || self.posts(area).count() as i64;
        let (numerator, denominator) = match *code {
            "stations" => (self.units(area, Some(UnitKind::Station)) as i64, None),
            "units" => (self.units(area, None) as i64, None),
            "posts" => (posts(), None),
            _ => {
                let held = self
                    .posts(area)
                    .filter(|post| self.held.contains(&post.code))
                    .count();
                (held as i64, Some(posts()))
            }
        };
        let value = match denominator {
            None => Some(Fraction {
                over: numerator,
                under: 1,
            }),
            Some(0) => None,
            Some(under) => Some(Fraction {
                over: numerator,
                under,
            }),
        };
        let shown = match (value, denominator) {
            (None, _) => "—".to_owned(),
            (Some(_), None) => numerator.to_string(),
            (Some(value), Some(_)) => format!("{:.1}%", value.as_f64() * 100.0),
        };
        let area_name = area.map(|area| said(&self.place.areas.get(area).name));
        Ok(Number {
            ask: ask.clone(),
            label: Said::new(label[0], label[1]),
            of: area_name.unwrap_or_default(),
            measure: if denominator.is_some() {
                Measure::Share
            } else {
                Measure::Count
            },
            shown: Said::same(shown),
            unit: Said::new(unit[0], unit[1]),
            value,
            numerator: Some(numerator),
            denominator,
            formula: Said::new(formula[0], formula[1]),
            link: "/staff/place".to_owned(),
        })
    }

    fn cut(&self, asks: &[Ask], by: By) -> std::result::Result<Vec<Row>, Absent> {
        let first = asks.first().map(|ask| ask.indicator.clone()).unwrap_or_default();
        let By::Area(level) = by else {
            return Err(Absent::Cut(first));
        };
        let within = self.area(asks.first().and_then(|ask| ask.area.as_deref()))?;
        let areas = self.place.areas.all().iter().enumerate().filter(|(at, area)| {
            let is_in = within.is_none_or(|within| self.place.areas.is_within(*at as AreaIndex, within));
            area.level == level && is_in
        });
        areas
            .map(|(_, area)| {
                let numbers = asks.iter().map(|ask| {
                    let area = Some(area.code.to_string());
                    self.number(&Ask { area, ..ask.clone() })
                });
                Ok(Row {
                    code: area.code.to_string(),
                    name: said(&area.name),
                    numbers: numbers.collect::<std::result::Result<_, _>>()?,
                })
            })
            .collect()
    }

    fn stories(&self, _: &Choice) -> std::result::Result<Vec<Story>, Absent> {
        Ok(Vec::new())
    }

    fn shapes(&self, level: Level) -> Vec<Shape> {
        let areas = self.place.areas.all().iter().filter(|area| area.level == level);
        areas
            .map(|area| Shape {
                code: area.code.to_string(),
                name: said(&area.name),
                rings: area
                    .shape
                    .polygons()
                    .iter()
                    .flat_map(|polygon| polygon.rings())
                    .map(|ring| ring.iter().map(|vertex| (vertex[0], vertex[1])).collect())
                    .collect(),
            })
            .collect()
    }

    fn name(&self, what: &str, code: &str) -> Option<Said> {
        match what {
            "area" => self
                .place
                .areas
                .find(code)
                .map(|area| said(&self.place.areas.get(area).name)),
            "unit" => self
                .place
                .units()
                .iter()
                .find(|unit| unit.code.as_str() == code)
                .map(|unit| said(&unit.name)),
            "service" => self.place.service(code).map(|service| said(&service.name)),
            _ => None,
        }
    }
}
