//! Evidence that is made up: by which templates are checked before there is any, and by which tests write documents that stay the
//! same.

use jiff::{ToSpan, civil::date};
use whistle_domain::place::Level;

use crate::{
    evidence::{
        Absent, Ask, Basis, By, Choice, Evidence, Fraction, Measure, Number, Period, Row, Said, Shape, Story,
    },
    template::Known,
};

/// The towns of the example; the last one has no cases.
const TOWNS: [(&str, &str); 12] = [
    ("东河镇", "Donghe"),
    ("西河镇", "Xihe"),
    ("三江口街道", "Sanjiangkou"),
    ("柳林镇", "Liulin"),
    ("石桥镇", "Shiqiao"),
    ("青山街道", "Qingshan"),
    ("古渡镇", "Gudu"),
    ("平安街道", "Ping'an"),
    ("永兴镇", "Yongxing"),
    ("金沙镇", "Jinsha"),
    ("白云街道", "Baiyun"),
    ("梅溪镇", "Meixi"),
];

/// Made-up evidence.
#[derive(Debug, Clone, Default)]
pub struct Example {
    codes: Option<Vec<String>>,
    needs: Option<Vec<String>>,
    without: Vec<String>,
    /// Added to every count, to play data that changed.
    pub more: i64,
}

impl Example {
    /// Evidence of everything; of what is known alone, where that is said.
    pub fn of(known: Option<Known<'_>>) -> Self {
        let owned = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
        Self {
            codes: known.map(|known| owned(known.indicators)),
            needs: known.map(|known| owned(known.needs)),
            ..Self::default()
        }
    }

    /// Without data of some kinds.
    pub fn without(needs: &[&str]) -> Self {
        Self {
            without: needs.iter().map(|&need| need.to_owned()).collect(),
            ..Self::default()
        }
    }
}

/// A number that a text always has.
fn drawn(text: &str) -> i64 {
    let hash = blake3::hash(text.as_bytes());
    i64::from(u32::from_le_bytes([
        hash.as_bytes()[0],
        hash.as_bytes()[1],
        hash.as_bytes()[2],
        0,
    ]))
}

fn measure_of(code: &str) -> Measure {
    let share = [
        "on_time",
        "rate",
        "coverage",
        "share",
        "first_time",
        "satisf",
        "rework",
        "reopen",
    ];
    if ["median", "p90", "time_to"]
        .iter()
        .any(|word| code.contains(word))
    {
        Measure::Duration
    } else if share.iter().any(|word| code.contains(word)) {
        Measure::Share
    } else {
        Measure::Count
    }
}

impl Evidence for Example {
    fn basis(&self) -> Basis {
        Basis {
            place: Said::new("三江", "Three Rivers"),
            computed_at: "2025-07-01 08:00".to_owned(),
            data_hash: format!("{:016x}", 0x5eed_i64 + self.more),
        }
    }

    fn has(&self, need: &str) -> bool {
        let is_known = |needs: &Vec<String>| needs.iter().any(|known| known == need);
        self.needs.as_ref().is_none_or(is_known) && !self.without.iter().any(|without| without == need)
    }

    fn number(&self, ask: &Ask) -> Result<Number, Absent> {
        let code = ask.indicator.as_str();
        if self
            .codes
            .as_ref()
            .is_some_and(|codes| !codes.iter().any(|known| known == code))
        {
            return Err(Absent::Indicator(code.to_owned()));
        }
        let of = match &ask.area {
            Some(area) => self.name("area", area).ok_or_else(|| Absent::Code {
                what: "area",
                code: area.clone(),
            })?,
            None => Said::default(),
        };
        let scale = if ask.area.is_some() || ask.cut.is_some() {
            90
        } else {
            9_000
        };
        let base = scale + drawn(&ask.key()) % scale;
        let measure = measure_of(code);
        let nothing = ask.area.as_deref() == Some("330112");
        let (value, numerator, denominator, shown) = match measure {
            _ if nothing && measure != Measure::Count => (None, Some(0), Some(0), Said::same("—")),
            Measure::Share => {
                let over = base * (80 + drawn(&ask.key()) % 18) / 100 + drawn(&ask.key()) % 3;
                let percent = Said::same(format!("{:.2}%", over as f64 * 100.0 / base as f64));
                (
                    Some(Fraction { over, under: base }),
                    Some(over),
                    Some(base),
                    percent,
                )
            }
            Measure::Duration => {
                let minutes = 40 + base % 3_000;
                let (hours, rest) = (minutes / 60, minutes % 60);
                let shown = Said::new(format!("{hours}小时{rest}分"), format!("{hours} h {rest} min"));
                (
                    Some(Fraction {
                        over: minutes * 60,
                        under: 1,
                    }),
                    None,
                    Some(base),
                    shown,
                )
            }
            Measure::Count | Measure::Amount => {
                let count = if nothing { 0 } else { base + self.more };
                (
                    Some(Fraction {
                        over: count,
                        under: 1,
                    }),
                    Some(count),
                    None,
                    Said::same(count.to_string()),
                )
            }
        };
        let unit = match measure {
            Measure::Count => Said::new("件", "cases"),
            _ => Said::default(),
        };
        Ok(Number {
            ask: ask.clone(),
            label: Said::new(format!("示例指标 {code}"), format!("example {code}")),
            of,
            measure,
            shown,
            unit,
            value,
            numerator,
            denominator,
            formula: Said::new(
                "符合条件的案件 ÷ 期内全部案件",
                "cases that meet it ÷ all cases of the period",
            ),
            link: format!("/figures/{code}?key={}", ask.key().replace(' ', "+")),
        })
    }

    fn cut(&self, asks: &[Ask], by: By) -> Result<Vec<Row>, Absent> {
        let row = |code: String, name: Said, change: &dyn Fn(&mut Ask)| -> Result<Row, Absent> {
            let numbers = asks.iter().map(|ask| {
                let mut ask = ask.clone();
                change(&mut ask);
                self.number(&ask)
            });
            Ok(Row {
                code,
                name,
                numbers: numbers.collect::<Result<_, _>>()?,
            })
        };
        match by {
            By::Area(_) => (0..TOWNS.len())
                .map(|at| {
                    let code = format!("3301{:02}", at + 1);
                    let name = Said::new(TOWNS[at].0, TOWNS[at].1);
                    row(code.clone(), name, &|ask| ask.area = Some(code.clone()))
                })
                .collect(),
            By::Day | By::Week | By::Month => {
                let period = asks.first().map(|ask| ask.period).unwrap_or_default();
                (0..period.months().clamp(1, 36))
                    .map(|month| {
                        let from = period.from.saturating_add(month.months());
                        let to = from.last_of_month();
                        let name =
                            Said::new(format!("{}月", from.month()), format!("{}", from.strftime("%b")));
                        row(from.to_string(), name, &|ask| ask.period = Period { from, to })
                    })
                    .collect()
            }
            By::Hour => ["一", "二", "三", "四", "五", "六", "日"]
                .into_iter()
                .zip(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
                .enumerate()
                .map(|(day, (zh, en))| {
                    let numbers = (0..24).map(|hour: i64| {
                        let mut ask = asks[0].clone();
                        ask.cut = Some(format!("hour={}-{hour}", day + 1));
                        let mut number = self.number(&ask)?;
                        number.of = Said::new(format!("周{zh} {hour}时"), format!("{en} {hour}:00"));
                        let count = (12 - (hour - 11).abs()).max(0) * (7 - day as i64);
                        number.value = Some(Fraction {
                            over: count,
                            under: 1,
                        });
                        number.numerator = Some(count);
                        number.shown = Said::same(count.to_string());
                        Ok(number)
                    });
                    Ok(Row {
                        code: (day + 1).to_string(),
                        name: Said::new(format!("周{zh}"), en),
                        numbers: numbers.collect::<Result<_, Absent>>()?,
                    })
                })
                .collect(),
            By::Unit | By::Group | By::Service | By::Channel => {
                let names = [
                    ("市容环境", "Cleanliness"),
                    ("道路交通", "Roads"),
                    ("公用设施", "Utilities"),
                    ("园林绿化", "Greens"),
                ];
                let rows = names.into_iter().enumerate().map(|(at, (zh, en))| {
                    let name = Said::new(zh, en);
                    let mut row = row(format!("s{at}"), name.clone(), &|ask| {
                        ask.cut = Some(format!("{by:?}=s{at}"));
                    })?;
                    for number in &mut row.numbers {
                        number.of = name.clone();
                    }
                    Ok(row)
                });
                rows.collect()
            }
        }
    }

    fn stories(&self, choice: &Choice) -> Result<Vec<Story>, Absent> {
        let story = |at: usize| Story {
            title: Said::new(
                format!("{}：一声哨响，六家单位到场", TOWNS[at % 12].0),
                format!("{}: one whistle, six units on site", TOWNS[at % 12].1),
            ),
            text: vec![Said::new(
                "6月12日8时40分，社区巡查发现排水管破裂，路面塌陷约3平方米。服务站吹哨，6家单位22分钟内报到，当日16时恢复通行。",
                "At 8:40 on 12 June a patrol found a burst drain and 3 square metres of road fallen in. The station blew the \
                 whistle; 6 units reported in within 22 minutes, and the road was open again at 16:00.",
            )],
            date: date(2025, 6, 12),
            area: Said::new(TOWNS[at % 12].0, TOWNS[at % 12].1),
            link: format!("/cases/{}", 1000 + at),
        };
        Ok((0..choice.most.min(12)).map(story).collect())
    }

    fn shapes(&self, _: Level) -> Vec<Shape> {
        (0..TOWNS.len())
            .map(|at| {
                let (x, y) = (120.0 + 0.1 * (at % 4) as f64, 30.0 + 0.08 * (at / 4) as f64);
                Shape {
                    code: format!("3301{:02}", at + 1),
                    name: Said::new(TOWNS[at].0, TOWNS[at].1),
                    rings: vec![vec![
                        (x, y),
                        (x + 0.1, y + 0.01),
                        (x + 0.1, y + 0.09),
                        (x, y + 0.08),
                        (x, y),
                    ]],
                }
            })
            .collect()
    }

    fn name(&self, what: &str, code: &str) -> Option<Said> {
        match what {
            "area" => {
                let at: usize = code.strip_prefix("3301")?.parse().ok()?;
                let (zh, en) = TOWNS.get(at.checked_sub(1)?)?;
                Some(Said::new(*zh, *en))
            }
            _ => Some(Said::same(code)),
        }
    }
}
