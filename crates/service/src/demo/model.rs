//! What the demo's figures follow: how often what is reported, when, by whom, and how long it takes; one table for all.
//!
//! The figures are those that `scripts/explore` counts in two real dumps, rounded; docs/demo.md shows both side by side.
//! *Zürich*: "Züri wie neu", 62,245 reports of ten whole years with their days, no hours, no closings. *New York*: 2,924
//! requests of 311 in three runs of some night hours, with closings; the run of 2019 alone was drawn long enough after. What
//! neither has is ours, and is marked so.
//!
//! Knows no place: a row finds its services by words of their names.

use whistle_domain::place::Service;

/// How much comes in each hour of a day, from midnight on.
pub(super) type Hours = [u32; 24];

/// One kind of matter.
pub(super) struct Matter {
    /// How the names or keywords of its services contain it, in lower case; ASCII ones at the beginning of a word.
    signs: &'static [&'static str],
    /// Of a thousand reports, together for all its services.
    pub share: f64,
    /// Each month against the mean month.
    pub year: &'static [f64; 12],
    /// Each weekday against the mean day, Monday first: of what residents report.
    pub week: &'static [f64; 7],
    /// When residents report it.
    pub hours: &'static Hours,
    /// Which part of it patrols find.
    pub patrol: f64,
    /// How long it takes.
    pub pace: Pace,
}

/// How long a unit needs, from the report to its word that it is done: log-normal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The median in hours where no limit presses; none where the limit alone sets it.
    pub median: Option<f64>,
    /// The standard deviation of the logarithm.
    pub spread: f64,
    /// Of what is late, the share that then lies about.
    pub stuck: f64,
}

/// A pace as it was measured: the logarithm of 90th percentile over median is 1.2816 standard deviations.
const fn measured(median: f64, spread: f64, stuck: f64) -> Pace {
    Pace {
        median: Some(median),
        spread,
        stuck,
    }
}

/// Ours: what the limit sets. A little narrower than noise and parking are, the best measured ones.
pub(super) const BY_LIMIT: Pace = Pace {
    median: None,
    spread: 1.0,
    stuck: 0.5,
};

/// New York 2019, 419 closings: median 1.9 h, 90 % in 10.2 h. The police either come that night or not at all.
const NOISE: Pace = measured(1.9, 1.3, 0.04);
/// New York 2019, 225 closings: median 3.9 h, 90 % in 17.3 h.
const PARKING: Pace = measured(3.9, 1.16, 0.04);
/// New York 2019, 109 closings: median 44.7 h, 90 % in 66.8 h.
const HEATING: Pace = measured(44.7, 0.31, 0.1);
/// New York 2019, 22 closings: median 10.3 h, 90 % in 327 h: a burst at once, a drain some day.
const WATER: Pace = measured(10.3, 2.2, 0.5);
/// New York 2019, 36 closings: median 286 h, 90 % in 948 h.
const HOUSING: Pace = measured(286.0, 0.94, 0.5);
/// New York 2019, 28 closings: median 891 h, 90 % in 3000 h.
const BUILDING: Pace = measured(891.0, 0.95, 0.5);
/// New York 2019, 19 closings, median 1744 h: too few for more than the median.
const TRADE: Pace = measured(1744.0, 1.15, 0.5);
/// New York 2019, 18 closings: median 62 h, 75 % in 182 h.
const ROADS: Pace = measured(62.0, 1.15, 0.5);
/// New York 2019, 8 closings: median 53 h, 75 % in 168 h.
const LIGHTS: Pace = measured(53.0, 1.15, 0.5);
/// New York 2019, 12 closings: median 1.8 h, 75 % in 20 h.
const SIGNALS: Pace = measured(1.8, 2.2, 0.5);

/// Of a limit, a unit with no measured pace needs this in the middle. Ours; with [`BY_LIMIT`] four of five are in time.
pub(super) const MEDIAN_OF_LIMIT: f64 = 0.4;

/// A unit works to its limit: its median is no later than where two of three are in time, whatever New York's is. Ours, from what
/// Chinese bulletins say of being in time (Xuchang 73.9 %, Tianmen 75.8 %); in standard deviations.
pub(super) const IN_TIME_AT_LEAST: f64 = 0.4;

/// A slow unit takes so many times as long. Ours.
pub(super) const SLOW: f64 = 1.7;

/// The second time it takes so much of the first. Ours.
pub(super) const AGAIN: f64 = 0.3;

/// What lies about does so for some three weeks: of what Xuchang did not close in time in its month, more than half was still
/// open at its end (on time 73.92 %, closed 85.19 %). Median in hours, and the standard deviation of the logarithm.
pub(super) const LIES_ABOUT: (f64, f64) = (24.0 * 21.0, 0.9);

/// Of what is overdue when a quarter ends and would be done later, the share that is rushed in its last days. Ours; that it is
/// so, an audit of the region said in 2018.
pub(super) const RUSHED: f64 = 0.4;
/// How many days before a quarter's end the rush begins.
pub(super) const RUSH_DAYS: i64 = 6;
/// How much of what was rushed is not good enough when it is checked; of the rest it is [`REWORKED`]. Ours.
pub(super) const REWORKED_IN_RUSH: f64 = 0.18;
/// How much of what is handled does not stand the check. Ours.
pub(super) const REWORKED: f64 = 0.06;

/// Works in the ground wait for spring when the frost has come: the share of roads and green that is parked then. Ours.
pub(super) const FROZEN: f64 = 0.1;

/// How residents report. New York, all three runs: phone 33.1 %, on line 39.4 %, mobile 23.5 %, unknown 4.0 %. A mobile app speaks
/// Open311 or the API; who is not told apart comes to the counter.
pub(super) const PHONE: f64 = 0.331;
pub(super) const ONLINE: f64 = 0.394;
pub(super) const OPEN311: f64 = 0.20;
pub(super) const API: f64 = 0.035;

/// Of what patrols find and could mend, how much they do at once. Zhanjiang's patrols mended 6,709 of 12,356 finds.
pub(super) const ON_THE_SPOT: f64 = 0.65;

/// Of what patrols find and a stop of a round is for, how much they find at one. Ours.
pub(super) const AT_A_STOP: f64 = 0.03;

/// Patrols on a day when offices are closed, against a working day. Ours.
pub(super) const PATROLS_ON_FREE_DAYS: f64 = 0.3;

/// Residents on a holiday, against what the weekday lets one expect. Ours.
pub(super) const ON_HOLIDAYS: f64 = 0.85;

/// How much more comes from year to year. Zürich 2021–2025: 19 % a year, as over its ten years.
pub(super) const GROWTH: f64 = 1.19;

/// How far days and weeks stray beside chance. Zürich since 2021: days 0.33, of which 0.21 is chance; weeks 0.14 and 0.08.
pub(super) const DAYS_STRAY: f64 = 0.22;
pub(super) const WEEKS_STRAY: f64 = 0.11;
/// Now and then a day has much more: Zürich's busiest had 2.8 times what one expects.
pub(super) const STORM: (f64, f64) = (0.008, 2.1);

/// How unlike areas are: the standard deviation of the logarithm of what a community has, and of a cell within it. Zürich's
/// quarters and zones have Gini coefficients of 0.31 and 0.35, a tenth of them 22 % and 26 % of all; New York's districts 0.31.
pub(super) const COMMUNITIES_DIFFER: f64 = 0.56;
pub(super) const CELLS_DIFFER: f64 = 0.31;

/// Residents by day. Ours: neither dump tells of hours between 4 and 18, but little of this kind is reported at night
/// (New York: 11 of a hundred reports in the hours it tells of).
const BY_DAY: Hours = [
    2, 1, 1, 1, 1, 3, 10, 28, 55, 62, 60, 48, 34, 36, 50, 52, 50, 44, 34, 20, 14, 9, 6, 4,
];

/// Noise. From 19 to 2 as New York's runs have it, one after the other; the rest is ours.
const AT_NIGHT: Hours = [
    60, 38, 12, 8, 6, 6, 10, 12, 14, 14, 14, 14, 18, 18, 14, 14, 14, 18, 28, 60, 58, 66, 80, 88,
];

/// What is seen when one comes home. Ours, but for being a good part of New York's evenings.
const IN_THE_EVENING: Hours = [
    14, 9, 4, 3, 3, 6, 20, 42, 48, 40, 34, 30, 30, 28, 28, 30, 36, 48, 58, 58, 52, 46, 36, 24,
];

/// Staff: the working day with its rest at noon. Ours.
pub(super) const ON_DUTY: Hours = [
    0, 0, 0, 0, 0, 0, 2, 14, 70, 98, 100, 66, 8, 14, 82, 92, 84, 40, 10, 4, 2, 1, 0, 0,
];

const EVEN_YEAR: [f64; 12] = [1.0; 12];
/// All of Zürich.
const WEEK: [f64; 7] = [1.09, 1.10, 1.05, 1.01, 0.91, 0.81, 1.03];
/// Ours: offices are asked on working days.
const OFFICE_WEEK: [f64; 7] = [1.35, 1.25, 1.2, 1.15, 1.05, 0.55, 0.45];
/// Ours: the louder days.
const LOUD_WEEK: [f64; 7] = [0.86, 0.85, 0.86, 0.9, 1.06, 1.28, 1.19];

/// All kinds; the first whose sign is in a name has it. The last one takes what is left.
pub(super) const MATTERS: &[Matter] = &[
    // New York: a tenth of the reports of a night in December and in April, none of one in May. Winter of the northeast: ours.
    Matter {
        signs: &["heating", "heat/hot", "供热", "供暖"],
        share: 35.0,
        year: &[2.5, 2.1, 1.6, 0.9, 0.05, 0.02, 0.02, 0.02, 0.1, 1.2, 1.7, 2.3],
        week: &[1.05, 1.0, 1.0, 1.0, 1.0, 0.98, 0.97],
        hours: &IN_THE_EVENING,
        patrol: 0.0,
        pace: HEATING,
    },
    // Ours.
    Matter {
        signs: &["snow", "积雪"],
        share: 12.0,
        year: &[3.2, 2.2, 1.2, 0.2, 0.01, 0.01, 0.01, 0.01, 0.01, 0.3, 2.0, 3.0],
        week: &WEEK,
        hours: &BY_DAY,
        patrol: 0.5,
        pace: BY_LIMIT,
    },
    // Ours: after the harvest, and before sowing.
    Matter {
        signs: &["straw", "秸秆"],
        share: 5.0,
        year: &[0.1, 0.4, 2.6, 2.8, 0.3, 0.1, 0.1, 0.1, 0.5, 2.8, 1.9, 0.2],
        week: &WEEK,
        hours: &BY_DAY,
        patrol: 0.6,
        pace: BY_LIMIT,
    },
    // Half of what New York's runs have. Months and weekdays: ours.
    Matter {
        signs: &["noise", "噪声", "噪音", "lärm"],
        share: 120.0,
        year: &[0.72, 0.7, 0.85, 1.0, 1.15, 1.3, 1.36, 1.32, 1.1, 1.0, 0.8, 0.7],
        week: &LOUD_WEEK,
        hours: &AT_NIGHT,
        patrol: 0.03,
        pace: NOISE,
    },
    // Zürich, Beleuchtung/Uhren: 7.3 %.
    Matter {
        signs: &["street light", "street lamp", "路灯", "beleuchtung"],
        share: 36.0,
        year: &[
            1.14, 0.86, 0.81, 0.66, 0.64, 0.74, 0.75, 1.14, 1.22, 1.40, 1.53, 1.10,
        ],
        week: &[1.08, 1.16, 1.13, 1.09, 0.84, 0.80, 0.90],
        hours: &IN_THE_EVENING,
        patrol: 0.3,
        pace: LIGHTS,
    },
    // Zürich, Signalisation/Lichtsignal: 15.0 %.
    Matter {
        signs: &[
            "traffic light",
            "traffic sign",
            "street sign",
            "signalisation",
            "信号灯",
            "号志",
        ],
        share: 73.0,
        year: &[
            0.73, 0.78, 0.88, 0.93, 1.11, 1.19, 1.25, 1.31, 1.15, 1.00, 0.96, 0.71,
        ],
        week: &[1.11, 1.15, 1.15, 1.15, 0.99, 0.66, 0.78],
        hours: &BY_DAY,
        patrol: 0.3,
        pace: SIGNALS,
    },
    // Zürich, Brunnen/Hydranten: 1.9 %.
    Matter {
        signs: &[
            "water main",
            "water system",
            "sewer",
            "hydrant",
            "brunnen",
            "水管",
            "排水",
        ],
        share: 10.0,
        year: &[
            0.76, 0.40, 0.62, 1.09, 1.15, 1.65, 1.55, 1.32, 1.27, 0.79, 0.80, 0.60,
        ],
        week: &[1.04, 0.90, 1.03, 0.97, 0.98, 0.99, 1.09],
        hours: &BY_DAY,
        patrol: 0.2,
        pace: WATER,
    },
    // Ours: rain in July and August, ice in April.
    Matter {
        signs: &["flood", "dyke", "积水"],
        share: 6.0,
        year: &[0.05, 0.05, 0.4, 1.1, 0.8, 1.5, 3.0, 2.9, 1.2, 0.6, 0.3, 0.1],
        week: &WEEK,
        hours: &IN_THE_EVENING,
        patrol: 0.4,
        pace: BY_LIMIT,
    },
    // Ours.
    Matter {
        signs: &[
            "collapse",
            "chemical",
            "gas facility",
            "power facility",
            "telecom",
            "fire hazard",
        ],
        share: 14.0,
        year: &EVEN_YEAR,
        week: &WEEK,
        hours: &IN_THE_EVENING,
        patrol: 0.4,
        pace: BY_LIMIT,
    },
    // Ours, with Zürich's seasons: there is no ice to throw it on.
    Matter {
        signs: &["river", "河道"],
        share: 8.0,
        year: &[0.1, 0.1, 0.3, 1.0, 1.5, 1.9, 2.2, 2.0, 1.5, 1.0, 0.3, 0.1],
        week: &WEEK,
        hours: &BY_DAY,
        patrol: 0.6,
        pace: BY_LIMIT,
    },
    // Zürich, Graffiti: 5.2 %.
    Matter {
        signs: &["graffiti", "poster", "涂鸦", "小广告"],
        share: 26.0,
        year: &[
            0.90, 1.01, 0.99, 1.09, 1.09, 1.11, 0.89, 1.03, 1.10, 1.06, 0.92, 0.80,
        ],
        week: &[1.03, 1.11, 0.94, 1.06, 0.88, 0.91, 1.08],
        hours: &BY_DAY,
        patrol: 0.6,
        pace: BY_LIMIT,
    },
    // Zürich, Abfall/Sammelstelle: 38.7 %. New York closes too few of the kind to say how long it takes.
    Matter {
        signs: &[
            "rubbish",
            "waste",
            "bin",
            "toilet",
            "dirty",
            "collection",
            "litter",
            "sanitation",
            "unsanitary",
            "abfall",
            "垃圾",
            "废弃",
        ],
        share: 188.0,
        year: &[
            0.77, 0.67, 0.84, 1.00, 1.02, 1.14, 1.23, 1.28, 1.11, 1.10, 0.93, 0.90,
        ],
        week: &[1.10, 1.11, 0.97, 0.98, 0.85, 0.82, 1.18],
        hours: &BY_DAY,
        patrol: 0.5,
        pace: BY_LIMIT,
    },
    // New York: 18.5 % of its runs. Months and weekdays: ours.
    Matter {
        signs: &[
            "parking",
            "driveway",
            "abandoned vehicle",
            "bicycle",
            "违停",
            "停车",
        ],
        share: 70.0,
        year: &[0.95, 0.9, 1.0, 1.0, 1.02, 1.03, 1.02, 1.02, 1.03, 1.03, 1.0, 1.0],
        week: &[1.0, 1.0, 1.0, 1.0, 1.03, 1.02, 0.95],
        hours: &IN_THE_EVENING,
        patrol: 0.3,
        pace: PARKING,
    },
    // Ours: what patrols see in the streets.
    Matter {
        signs: &["trading", "dogs", "shop sign", "billboard", "vendor", "animal"],
        share: 62.0,
        year: &[0.55, 0.6, 0.85, 1.05, 1.2, 1.3, 1.35, 1.3, 1.15, 1.0, 0.9, 0.75],
        week: &WEEK,
        hours: &BY_DAY,
        patrol: 0.75,
        pace: BY_LIMIT,
    },
    // New York: 1 % of its runs, at night; the season of building is ours.
    Matter {
        signs: &[
            "unlawful building",
            "building",
            "dust",
            "digging",
            "site fence",
            "lorries",
            "construction",
            "施工",
        ],
        share: 34.0,
        year: &[0.15, 0.15, 0.5, 1.2, 1.5, 1.6, 1.5, 1.5, 1.5, 1.4, 0.7, 0.3],
        week: &[1.12, 1.1, 1.1, 1.08, 1.05, 0.85, 0.7],
        hours: &BY_DAY,
        patrol: 0.5,
        pace: BUILDING,
    },
    // Ours.
    Matter {
        signs: &["fumes", "discharge", "air quality"],
        share: 12.0,
        year: &[0.8, 0.75, 0.9, 1.0, 1.1, 1.2, 1.25, 1.2, 1.05, 1.0, 0.9, 0.85],
        week: &WEEK,
        hours: &IN_THE_EVENING,
        patrol: 0.15,
        pace: BY_LIMIT,
    },
    // Zürich, Grünflächen/Spielplätze: 10.0 %.
    Matter {
        signs: &["tree", "lawn", "park equipment", "playground", "grün", "树", "綠"],
        share: 49.0,
        year: &[
            0.77, 0.63, 0.90, 1.07, 1.22, 1.50, 1.48, 1.39, 0.99, 0.85, 0.61, 0.60,
        ],
        week: &[1.03, 0.95, 0.99, 0.89, 0.93, 0.94, 1.28],
        hours: &BY_DAY,
        patrol: 0.35,
        pace: BY_LIMIT,
    },
    // Zürich, VBZ/ÖV: 2.8 %.
    Matter {
        signs: &["bus stop", "vbz", "transport"],
        share: 14.0,
        year: &[
            0.89, 0.89, 0.92, 0.77, 1.09, 1.03, 1.00, 1.07, 1.23, 1.14, 0.97, 1.00,
        ],
        week: &[1.07, 1.02, 1.22, 0.96, 0.95, 0.81, 0.96],
        hours: &BY_DAY,
        patrol: 0.2,
        pace: BY_LIMIT,
    },
    // Zürich, Strasse/Trottoir/Platz: 11.5 %.
    Matter {
        signs: &[
            "road",
            "pavement",
            "sidewalk",
            "street condition",
            "bridge",
            "manhole",
            "pothole",
            "strasse",
            "道路",
        ],
        share: 56.0,
        year: &[
            0.74, 0.75, 0.88, 0.88, 1.14, 1.30, 1.31, 1.25, 1.11, 0.94, 0.95, 0.75,
        ],
        week: &[1.13, 1.12, 1.09, 1.03, 1.01, 0.81, 0.82],
        hours: &BY_DAY,
        patrol: 0.4,
        pace: ROADS,
    },
    // New York: a tenth of its runs. Months and weekdays: ours.
    Matter {
        signs: &[
            "property management",
            "plumbing",
            "paint",
            "leak",
            "door/window",
            "electric",
            "housing",
            "物业",
        ],
        share: 40.0,
        year: &[1.15, 1.0, 1.0, 0.95, 0.9, 0.95, 1.05, 1.05, 0.95, 0.95, 1.0, 1.05],
        week: &OFFICE_WEEK,
        hours: &IN_THE_EVENING,
        patrol: 0.0,
        pace: HOUSING,
    },
    // New York: 1 % of its runs.
    Matter {
        signs: &["food", "consumer", "taxi", "hire vehicle", "食品", "消费"],
        share: 22.0,
        year: &[1.2, 1.05, 0.9, 0.9, 0.95, 1.0, 1.0, 1.0, 1.0, 1.0, 0.95, 1.05],
        week: &OFFICE_WEEK,
        hours: &BY_DAY,
        patrol: 0.02,
        pace: TRADE,
    },
    // Ours: wages are asked for before the Spring Festival.
    Matter {
        signs: &["wages", "工资"],
        share: 10.0,
        year: &[2.9, 1.0, 0.5, 0.5, 0.6, 0.7, 0.7, 0.7, 0.8, 0.8, 1.1, 1.7],
        week: &OFFICE_WEEK,
        hours: &BY_DAY,
        patrol: 0.0,
        pace: BY_LIMIT,
    },
    // Ours.
    Matter {
        signs: &[
            "elderly",
            "hardship",
            "job",
            "school",
            "legal",
            "mediation",
            "homeless",
            "救助",
            "法律",
        ],
        share: 40.0,
        year: &[1.05, 0.8, 1.05, 1.0, 1.0, 1.0, 1.0, 1.0, 1.1, 1.0, 1.0, 1.0],
        week: &OFFICE_WEEK,
        hours: &BY_DAY,
        patrol: 0.03,
        pace: BY_LIMIT,
    },
    // Zürich, Allgemein: 6.0 %.
    Matter {
        signs: &[],
        share: 29.0,
        year: &[
            0.67, 0.71, 0.72, 0.80, 1.29, 1.35, 1.29, 1.24, 1.29, 1.00, 0.91, 0.74,
        ],
        week: &[1.02, 1.14, 1.23, 0.98, 0.97, 0.79, 0.88],
        hours: &BY_DAY,
        patrol: 0.05,
        pace: BY_LIMIT,
    },
];

impl Matter {
    /// What kind of matter a service is.
    pub fn of(service: &Service) -> &'static Self {
        let name = &service.name;
        let names = [Some(&name.own), name.en.as_ref(), name.zh.as_ref()];
        let words = names.into_iter().flatten().chain(&service.keywords);
        let text = words.fold(String::new(), |text, word| text + " " + &word.to_lowercase());
        let has = |sign: &&str| {
            if sign.is_ascii() {
                text.contains(&format!(" {sign}"))
            } else {
                text.contains(sign)
            }
        };
        let found = MATTERS.iter().find(|matter| matter.signs.iter().any(has));
        found.unwrap_or(&MATTERS[MATTERS.len() - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_weekdays_are_told_against_their_mean_and_the_whole_is_a_thousand() {
        for matter in MATTERS {
            let year = matter.year.iter().sum::<f64>() / 12.0;
            let week = matter.week.iter().sum::<f64>() / 7.0;
            assert!((year - 1.0).abs() < 0.06, "{:?}: {year}", matter.signs);
            assert!((week - 1.0).abs() < 0.03, "{:?}: {week}", matter.signs);
            assert!(matter.share > 0.0 && (0.0..1.0).contains(&matter.patrol));
        }
        let whole: f64 = MATTERS.iter().map(|matter| matter.share).sum();
        assert!((whole - 1000.0).abs() < 50.0, "{whole} of a thousand");
    }
}
