//! 三江市 / Three Rivers: a made-up place, the same on every run.
//!
//! Its cells are the hexagons of a lattice whose corners and edges are moved a little. Each corner and edge is moved
//! once, whoever looks at it, so that neighbours share it to the last digit; communities and towns are cells grown
//! together and dissolved. Hence no gap and no overlap can arise. Towards the centre everything is drawn smaller, as a
//! town's quarters are smaller than its fields.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Area, Name, Place};

const CELLS: usize = 1_200;
const COMMUNITIES: usize = 95;
const SEED: u64 = 108;
const CITY: &str = "230599";
/// The middle of the place, degrees of longitude and latitude.
const MIDDLE: [f64; 2] = [132.2, 46.5];
/// How far it reaches from there.
const REACH: [f64; 2] = [0.4, 0.29];

/// Streets first; the lattice's middle is theirs.
const TOWNS: [(&str, &str, &str); 12] = [
    ("001", "江滨街道", "Jiangbin Subdistrict"),
    ("002", "新华街道", "Xinhua Subdistrict"),
    ("003", "站前街道", "Zhanqian Subdistrict"),
    ("100", "三江口镇", "Sanjiangkou Town"),
    ("101", "青山镇", "Qingshan Town"),
    ("102", "柳河镇", "Liuhe Town"),
    ("103", "石桥镇", "Shiqiao Town"),
    ("104", "大兴镇", "Daxing Town"),
    ("105", "白桦镇", "Baihua Town"),
    ("106", "双龙镇", "Shuanglong Town"),
    ("107", "东升镇", "Dongsheng Town"),
    ("108", "永乐镇", "Yongle Town"),
];
const STREETS: usize = 3;

#[rustfmt::skip]
const NAMES: [(&str, &str); COMMUNITIES] = [
    ("和平", "Heping"), ("光明", "Guangming"), ("胜利", "Shengli"), ("团结", "Tuanjie"), ("文化", "Wenhua"),
    ("建设", "Jianshe"), ("向阳", "Xiangyang"), ("学府", "Xuefu"), ("永安", "Yong'an"), ("花园", "Huayuan"),
    ("长青", "Changqing"), ("幸福", "Xingfu"), ("铁西", "Tiexi"), ("铁东", "Tiedong"), ("站北", "Zhanbei"),
    ("码头", "Matou"), ("爱民", "Aimin"), ("友谊", "Youyi"), ("朝阳", "Chaoyang"), ("滨江", "Binjiang"),
    ("长安", "Chang'an"), ("平安", "Ping'an"), ("工农", "Gongnong"), ("曙光", "Shuguang"), ("兴隆", "Xinglong"),
    ("太平", "Taiping"), ("东风", "Dongfeng"), ("红星", "Hongxing"), ("新立", "Xinli"), ("富民", "Fumin"),
    ("福安", "Fu'an"), ("靠山", "Kaoshan"), ("河东", "Hedong"), ("河西", "Hexi"), ("江南", "Jiangnan"),
    ("江北", "Jiangbei"), ("柳树", "Liushu"), ("杨木", "Yangmu"), ("榆林", "Yulin"), ("松林", "Songlin"),
    ("桦树", "Huashu"), ("西山", "Xishan"), ("东山", "Dongshan"), ("南岗", "Nangang"), ("北岗", "Beigang"),
    ("沙河", "Shahe"), ("清泉", "Qingquan"), ("龙泉", "Longquan"), ("凤山", "Fengshan"), ("凤鸣", "Fengming"),
    ("双河", "Shuanghe"), ("三合", "Sanhe"), ("四方", "Sifang"), ("五星", "Wuxing"), ("六合", "Liuhe"),
    ("七星", "Qixing"), ("八岔", "Bacha"), ("九龙", "Jiulong"), ("十里", "Shili"), ("前进", "Qianjin"),
    ("先锋", "Xianfeng"), ("跃进", "Yuejin"), ("丰收", "Fengshou"), ("丰产", "Fengchan"), ("金山", "Jinshan"),
    ("银河", "Yinhe"), ("宝山", "Baoshan"), ("玉泉", "Yuquan"), ("明水", "Mingshui"), ("安邦", "Anbang"),
    ("兴农", "Xingnong"), ("合作", "Hezuo"), ("联合", "Lianhe"), ("新发", "Xinfa"), ("新胜", "Xinsheng"),
    ("新兴", "Xinxing"), ("永丰", "Yongfeng"), ("永胜", "Yongsheng"), ("永兴", "Yongxing"), ("长胜", "Changsheng"),
    ("长发", "Changfa"), ("吉祥", "Jixiang"), ("如意", "Ruyi"), ("平原", "Pingyuan"), ("东兴", "Dongxing"),
    ("西林", "Xilin"), ("南山", "Nanshan"), ("北山", "Beishan"), ("中兴", "Zhongxing"), ("桃山", "Taoshan"),
    ("杏林", "Xinglin"), ("梨树", "Lishu"), ("莲花", "Lianhua"), ("荷塘", "Hetang"), ("渡口", "Dukou"),
];

/// A hexagon of the lattice.
type Hex = (i32, i32);
/// A corner: the three hexagons that meet there, in order.
type Corner = [Hex; 3];
type Position = [f64; 2];

/// The neighbours of a hexagon, counter-clockwise from the east.
const AROUND: [Hex; 6] = [(1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1)];

fn beside(hex: Hex, direction: usize) -> Hex {
    let (q, r) = AROUND[direction % 6];
    (hex.0 + q, hex.1 + r)
}

fn middle(hex: Hex) -> Position {
    let (q, r) = (f64::from(hex.0), f64::from(hex.1));
    [3_f64.sqrt() * (q + r / 2.0), 1.5 * r]
}

/// The corner between the neighbours in this direction and the next.
fn corner(hex: Hex, direction: usize) -> Corner {
    let mut three = [hex, beside(hex, direction), beside(hex, direction + 1)];
    three.sort_unstable();
    three
}

/// A number from -1 to 1 that depends on nothing but its key (SplitMix64). Our own, so that no new version of a crate
/// moves the place.
fn chance(key: &[Hex], nth: u64) -> f64 {
    let mix = |state: u64| {
        let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let state = key
        .iter()
        .flat_map(|(q, r)| [*q, *r])
        .fold(mix(SEED ^ (nth << 32)), |state, n| {
            mix(state ^ u64::from(n.cast_unsigned()))
        });
    (state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn moved(corner: Corner) -> Position {
    let sum = corner
        .iter()
        .map(|hex| middle(*hex))
        .fold([0.0, 0.0], |a, b| [a[0] + b[0], a[1] + b[1]]);
    [
        sum[0] / 3.0 + 0.3 * chance(&corner, 1),
        sum[1] / 3.0 + 0.3 * chance(&corner, 2),
    ]
}

/// The way from one corner to the next, without the last position: the corner and two bends.
fn way(from: Corner, to: Corner) -> [Position; 3] {
    let (low, high) = if from < to { (from, to) } else { (to, from) };
    let (a, b) = (moved(low), moved(high));
    let along = [b[0] - a[0], b[1] - a[1]];
    let key = [low[0], low[1], low[2], high[0], high[1], high[2]];
    let bend = |share: f64, nth: u64| {
        let aside = 0.12 * chance(&key, nth);
        [
            a[0] + share * along[0] - aside * along[1],
            a[1] + share * along[1] + aside * along[0],
        ]
    };
    let (first, second) = (bend(0.34, 3), bend(0.66, 4));
    if from < to {
        [a, first, second]
    } else {
        [b, second, first]
    }
}

/// The borders of some hexagons together, outer ring first; on the lattice.
fn dissolve(hexes: &BTreeSet<Hex>) -> Vec<Vec<Position>> {
    let mut next: BTreeMap<Corner, Corner> = BTreeMap::new();
    for hex in hexes {
        for direction in 0..6 {
            if !hexes.contains(&beside(*hex, direction)) {
                next.insert(corner(*hex, direction + 5), corner(*hex, direction));
            }
        }
    }
    let mut rings = Vec::new();
    while let Some((start, mut end)) = next.pop_first() {
        let mut ring = way(start, end).to_vec();
        while end != start {
            let after = next.remove(&end).expect("borders are closed");
            ring.extend(way(end, after));
            end = after;
        }
        ring.push(ring[0]);
        rings.push(ring);
    }
    let signed_area = |ring: &[Position]| -> f64 {
        ring.windows(2)
            .map(|pair| pair[0][0] * pair[1][1] - pair[1][0] * pair[0][1])
            .sum()
    };
    // The outer ring runs counter-clockwise, holes clockwise.
    rings.sort_by(|a, b| signed_area(b).total_cmp(&signed_area(a)));
    rings
}

/// From the lattice to the earth: smaller towards the middle, six decimals.
struct Map {
    reach: f64,
}

impl Map {
    fn position(&self, at: Position) -> Position {
        let [x, y] = at.map(|n| n / self.reach);
        let shrink = 0.35 + 0.65 * x.hypot(y);
        let on_earth = [
            MIDDLE[0] + REACH[0] * x * shrink,
            MIDDLE[1] + REACH[1] * y * shrink,
        ];
        on_earth.map(|degrees| (degrees * 1e6).round() / 1e6)
    }

    fn geometry(&self, hexes: &BTreeSet<Hex>) -> String {
        let rings: Vec<Vec<Position>> = dissolve(hexes)
            .into_iter()
            .map(|ring| ring.into_iter().map(|at| self.position(at)).collect())
            .collect();
        serde_json::json!({"type": "Polygon", "coordinates": rings}).to_string()
    }
}

/// The cells of the place: the hexagons nearest to the middle, by a border that bulges.
fn cells() -> BTreeSet<Hex> {
    let distance = |hex: Hex| {
        let [x, y] = middle(hex);
        let angle = y.atan2(x);
        let bulge = 1.0
            + 0.12 * (2.0 * angle + 1.0).sin()
            + 0.08 * (3.0 * angle + 2.0).sin()
            + 0.05 * (5.0 * angle).sin();
        x.hypot(y) / bulge
    };
    let mut all: Vec<Hex> = (-40..=40).flat_map(|q| (-40..=40).map(move |r| (q, r))).collect();
    all.sort_by(|a, b| distance(*a).total_cmp(&distance(*b)));
    all.into_iter().take(CELLS).collect()
}

fn apart(a: Position, b: Position) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// Shares hexagons out among seeds: each in turn takes the free neighbour nearest to its seed. All shares hang
/// together.
fn grow(hexes: &BTreeSet<Hex>, seeds: &[Position]) -> Vec<BTreeSet<Hex>> {
    let mut free = hexes.clone();
    let mut shares: Vec<BTreeSet<Hex>> = Vec::new();
    let nearest = |candidates: &mut dyn Iterator<Item = Hex>, seed: Position| {
        candidates.min_by(|a, b| apart(middle(*a), seed).total_cmp(&apart(middle(*b), seed)))
    };
    for seed in seeds {
        let first = nearest(&mut free.iter().copied(), *seed).expect("fewer seeds than hexagons");
        free.remove(&first);
        shares.push(BTreeSet::from([first]));
    }
    while !free.is_empty() {
        for (share, seed) in shares.iter_mut().zip(seeds) {
            let mut border = share
                .iter()
                .flat_map(|hex| (0..6).map(|direction| beside(*hex, direction)))
                .filter(|hex| free.contains(hex));
            if let Some(taken) = nearest(&mut border, *seed) {
                free.remove(&taken);
                share.insert(taken);
            }
        }
    }
    shares
}

/// Shares hexagons out evenly among `count`, each share round: seeds far apart, then moved to their share's middle.
fn divide(hexes: &BTreeSet<Hex>, count: usize) -> Vec<BTreeSet<Hex>> {
    let first = *hexes.first().expect("there are hexagons");
    let mut seeds = vec![middle(first)];
    while seeds.len() < count {
        let lonely = hexes.iter().max_by(|a, b| {
            let to_nearest = |hex: &Hex| {
                seeds
                    .iter()
                    .map(|s| apart(middle(*hex), *s))
                    .fold(f64::MAX, f64::min)
            };
            to_nearest(a).total_cmp(&to_nearest(b))
        });
        seeds.push(middle(*lonely.expect("there are hexagons")));
    }
    let mut shares = grow(hexes, &seeds);
    for _ in 0..6 {
        seeds = shares.iter().map(centre).collect();
        shares = grow(hexes, &seeds);
    }
    shares
}

fn centre(hexes: &BTreeSet<Hex>) -> Position {
    let sum = hexes
        .iter()
        .map(|hex| middle(*hex))
        .fold([0.0, 0.0], |a, b| [a[0] + b[0], a[1] + b[1]]);
    sum.map(|n| n / hexes.len() as f64)
}

/// The middle of the cell nearest to the middle of all.
fn heart(hexes: &BTreeSet<Hex>) -> Position {
    let centre = centre(hexes);
    let nearest = hexes
        .iter()
        .min_by(|a, b| apart(middle(**a), centre).total_cmp(&apart(middle(**b), centre)));
    middle(*nearest.expect("there are hexagons"))
}

/// How many communities each town gets, by its cells; they add up.
fn communities_of(towns: &[BTreeSet<Hex>]) -> Vec<usize> {
    let exact: Vec<f64> = towns
        .iter()
        .map(|town| (town.len() * COMMUNITIES) as f64 / CELLS as f64)
        .collect();
    let mut counts: Vec<usize> = exact.iter().map(|n| n.floor() as usize).collect();
    let mut by_rest: Vec<usize> = (0..towns.len()).collect();
    by_rest.sort_by(|a, b| (exact[*b].fract()).total_cmp(&exact[*a].fract()));
    let lacking = COMMUNITIES - counts.iter().sum::<usize>();
    for town in by_rest.into_iter().take(lacking) {
        counts[town] += 1;
    }
    counts
}

fn areas() -> Vec<Area> {
    let all = cells();
    let reach = all
        .iter()
        .map(|hex| {
            let [x, y] = middle(*hex);
            x.hypot(y)
        })
        .fold(0.0, f64::max);
    let map = Map { reach };
    let area = |code: String,
                level: usize,
                kind: &str,
                zh: String,
                en: String,
                parent: &str,
                hexes: &BTreeSet<Hex>| Area {
        station: Some(map.position(heart(hexes))),
        geometry: map.geometry(hexes),
        code,
        level,
        kind: kind.to_owned(),
        name: Name {
            own: zh,
            zh: String::new(),
            en,
        },
        parent: parent.to_owned(),
    };
    let mut areas = vec![area(
        CITY.to_owned(),
        0,
        "市",
        "三江市".to_owned(),
        "Three Rivers".to_owned(),
        "",
        &all,
    )];
    let mut below: HashMap<usize, Vec<Area>> = HashMap::new();

    let seeds: Vec<Position> = (0..TOWNS.len())
        .map(|i| {
            let (nth, of, out) = if i < STREETS {
                (i, STREETS, 0.27)
            } else {
                (i - STREETS, TOWNS.len() - STREETS, 0.74)
            };
            let angle = std::f64::consts::TAU * nth as f64 / of as f64 + 0.4;
            [out * reach * angle.cos(), out * reach * angle.sin()]
        })
        .collect();
    let towns = grow(&all, &seeds);
    let counts = communities_of(&towns);
    let mut names = NAMES.iter();
    for (i, town) in towns.iter().enumerate() {
        let (number, zh, en) = TOWNS[i];
        let town_code = format!("{CITY}{number}");
        let town_kind = if i < STREETS { "街道" } else { "镇" };
        areas.push(area(
            town_code.clone(),
            1,
            town_kind,
            zh.to_owned(),
            en.to_owned(),
            CITY,
            town,
        ));
        for (j, community) in divide(town, counts[i]).iter().enumerate() {
            let (zh, en) = names.next().expect("there is a name for each community");
            // Streets have residents' committees only; a town has one, at its seat, and villages.
            let is_urban = i < STREETS || j == 0;
            let (first, kind, kind_en) = if is_urban {
                (1, "社区", "Community")
            } else {
                (200, "村", "Village")
            };
            let code = format!("{town_code}{:03}", first + j);
            let (name, name_en) = (format!("{zh}{kind}"), format!("{en} {kind_en}"));
            areas.push(area(
                code.clone(),
                2,
                kind,
                name.clone(),
                name_en,
                &town_code,
                community,
            ));
            // Numbered from west to east, then from north to south.
            let mut rows: Vec<Hex> = community.iter().copied().collect();
            rows.sort_by_key(|(q, r)| (-r, *q));
            for (hex, n) in rows.into_iter().zip(1..) {
                let cell = area(
                    format!("{code}{n:03}"),
                    3,
                    "网格",
                    format!("{name}第{n}网格"),
                    format!("{en} Cell {n}"),
                    &code,
                    &BTreeSet::from([hex]),
                );
                below.entry(i).or_default().push(cell);
            }
        }
    }
    for i in 0..TOWNS.len() {
        areas.extend(below.remove(&i).unwrap_or_default());
    }
    areas.sort_by_key(|area| area.level);
    areas
}

/// The whole place.
pub fn place() -> Place {
    Place {
        folder: "three-rivers",
        written: vec![
            (
                "jurisdiction.toml",
                include_str!("three-rivers/jurisdiction.toml"),
            ),
            ("services.csv", include_str!("three-rivers/services.csv")),
            ("questions.csv", include_str!("three-rivers/questions.csv")),
            ("standards.csv", include_str!("three-rivers/standards.csv")),
            ("routing.csv", include_str!("three-rivers/routing.csv")),
            ("whistles.csv", include_str!("three-rivers/whistles.csv")),
            ("rounds.csv", include_str!("three-rivers/rounds.csv")),
            ("calendar.csv", include_str!("three-rivers/calendar.csv")),
        ],
        units: include_str!("three-rivers/units.csv"),
        areas: areas(),
        stations_down_to: 2,
        station_name: |area| {
            let (zh, en) = match area.level {
                0 | 1 => ("协调指挥中心", "Coordination Centre"),
                _ => ("服务站", "Service Station"),
            };
            Name {
                own: format!("{}{zh}", area.name.own),
                zh: String::new(),
                en: format!("{} {en}", area.name.en),
            }
        },
        titles: [
            ("派遣员", "", "Dispatcher"),
            ("负责人", "", "Lead"),
            ("巡查员", "", "Patrol"),
            ("处置员", "", "Handler"),
            ("受理员", "", "Call taker"),
            ("监督员", "", "Auditor"),
            ("管理员", "", "Administrator"),
        ],
    }
}
