//! areas.geojson: the grid, from the city down to the cells.
//!
//! Knows features, levels and parents. Whether one shape is sound is [`crate::shape`]'s to say, whether the shapes fit
//! together [`crate::tiling`]'s.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use geo::{BoundingRect as _, MultiPolygon};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use whistle_domain::{
    geometry,
    place::{Area, AreaIndex, Level},
    words::{AreaCode, Text},
};

use crate::{
    fault::{At, Faults, at, whole},
    jurisdiction::{self, Gaps},
    shape::{self, near},
    table::Codes,
    text::{Lines, decode, shown},
    tiling::{self, Misfit, Piece},
};

pub(crate) const FILE: &str = "areas.geojson";
/// What the file should be.
const COLLECTION: &str = "write {\"type\": \"FeatureCollection\", \"features\": […]}";
/// The most areas of a place.
const MAX_AREAS: usize = 500_000;

#[derive(Deserialize)]
struct Collection<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(borrow)]
    features: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    crs: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Feature<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    properties: Option<Properties>,
    #[serde(borrow)]
    geometry: Option<&'a RawValue>,
}

/// The properties of a feature. One that is there twice is an error, where a plain map would take the last one.
struct Properties(BTreeMap<String, Value>);

/// How an error of ours begins that tells of a property that is there twice; serde's own of a member are alike.
const TWICE: &str = "duplicate field `";

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EachOnce;
        impl<'de> Visitor<'de> for EachOnce {
            type Value = Properties;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Properties, A::Error> {
                let mut properties = BTreeMap::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    if properties.contains_key(&name) {
                        return Err(A::Error::custom(format_args!("{TWICE}{name}`")));
                    }
                    properties.insert(name, value);
                }
                Ok(Properties(properties))
            }
        }
        deserializer.deserialize_map(EachOnce)
    }
}

/// The name of the member or property that is there twice, when that is the error.
fn twice(error: &serde_json::Error) -> Option<String> {
    let error = error.to_string();
    let (name, _) = error.strip_prefix(TWICE)?.rsplit_once('`')?;
    Some(name.to_owned())
}

/// One feature as far as it could be read.
#[derive(Debug)]
struct Draft {
    line: u32,
    /// What faults call it: `area "1"`, and its number where several features share a line.
    called: String,
    code: String,
    level: Level,
    kind: String,
    name: Text,
    parent: Option<String>,
    /// None when it is faulty; the fault is told already.
    shape: Option<MultiPolygon>,
}

/// The features of a file.
#[derive(Debug, Default)]
struct Drafts {
    sound: Vec<Draft>,
    lost: Lost,
}

/// Where areas are missing for a fault that is told already, so that the hole they leave is not told too.
#[derive(Debug, Default)]
struct Lost {
    /// Nobody knows where.
    anywhere: bool,
    /// Below any area of this level.
    levels: [bool; 4],
    /// Below these areas.
    below: HashSet<String>,
    /// Their own codes.
    codes: Vec<String>,
}

/// The areas of a place by code, for the other files to refer to.
#[derive(Debug)]
pub(crate) struct AreaBook {
    codes: Codes,
    indexes: HashMap<String, AreaIndex>,
    drafts: Vec<Draft>,
    /// West, south, east, north of the whole place.
    bounds: Option<[f64; 4]>,
}

impl AreaBook {
    /// The codes of all areas, in order.
    pub fn known(&self) -> Vec<String> {
        self.codes.known()
    }

    /// The area with a code, and a fault that offers the nearest one when there is none.
    pub fn expect(&self, code: &str, at: At<'_>, faults: &mut Faults) -> Option<(AreaIndex, Level)> {
        if !self.codes.expect(code, at, faults) {
            return None;
        }
        let index = *self.indexes.get(code)?;
        Some((index, self.drafts[index as usize].level))
    }

    /// The whole place: the first one.
    pub const CITY: AreaIndex = 0;

    /// What faults call an area.
    fn called(&self, code: &str) -> String {
        let draft = self.indexes.get(code).map(|index| &self.drafts[*index as usize]);
        draft.map_or_else(|| format!("area {}", shown(code)), |draft| draft.called.clone())
    }

    pub fn code(&self, index: AreaIndex) -> &str {
        self.drafts.get(index as usize).map_or("", |draft| &draft.code)
    }

    pub fn parent(&self, index: AreaIndex) -> Option<AreaIndex> {
        let parent = self.drafts.get(index as usize)?.parent.as_ref()?;
        self.indexes.get(parent).copied().filter(|above| *above < index)
    }

    /// Whether a position may lie in the place, as far as its bounds say.
    pub fn may_hold(&self, [lon, lat]: [f64; 2]) -> bool {
        self.bounds.is_none_or(|[west, south, east, north]| {
            (west..=east).contains(&lon) && (south..=north).contains(&lat)
        })
    }

    /// The middle of the place, longitude first.
    pub fn middle(&self) -> Option<[f64; 2]> {
        let [west, south, east, north] = self.bounds?;
        Some([f64::midpoint(west, east), f64::midpoint(south, north)])
    }

    /// The areas for the domain, parents before children. None, with a fault, when one is not usable; only asked for
    /// when there was no other fault.
    pub fn build(self, faults: &mut Faults) -> Option<Vec<Area>> {
        let indexes = self.indexes;
        let areas = self.drafts.into_iter().map(|draft| {
            let place = at(FILE, draft.line);
            let code: AreaCode = crate::text::parsed(&draft.code, place, faults)?;
            let shape = to_domain(draft.shape?)
                .map_err(|refusal| faults.refusal(place, &refusal))
                .ok()?;
            Some(Area {
                code,
                level: draft.level,
                kind: draft.kind,
                name: draft.name,
                parent: draft.parent.and_then(|parent| indexes.get(&parent).copied()),
                shape,
            })
        });
        areas.collect()
    }
}

fn to_domain(shape: MultiPolygon) -> Result<geometry::MultiPolygon, geometry::ShapeError> {
    let ring = |line: geo::LineString| line.0.into_iter().map(|at| [at.x, at.y]).collect();
    let polygons = shape.0.into_iter().map(|polygon| {
        let (exterior, holes) = polygon.into_inner();
        std::iter::once(exterior).chain(holes).map(ring).collect()
    });
    geometry::MultiPolygon::new(polygons.collect())
}

/// The features of a file as they are written: code, properties and shape. For comparing two versions; what cannot be
/// read is left out.
pub(crate) fn features(bytes: &[u8]) -> Vec<Plain> {
    let mut faults = Faults::default();
    let Some(text) = decode(FILE, bytes, &mut faults) else {
        return Vec::new();
    };
    let drafts = drafts(&text, &mut faults)
        .map(|drafts| drafts.sound)
        .unwrap_or_default();
    let plain = drafts.into_iter().map(|draft| Plain {
        code: draft.code,
        level: draft.level,
        kind: draft.kind,
        name: draft.name,
        parent: draft.parent,
        shape: draft.shape.unwrap_or_else(|| MultiPolygon::new(Vec::new())),
    });
    plain.collect()
}

/// One area, as [`features`] gives it.
pub(crate) struct Plain {
    pub code: String,
    pub level: Level,
    pub kind: String,
    pub name: Text,
    pub parent: Option<String>,
    pub shape: MultiPolygon,
}

/// Reads and checks areas.geojson. None, with faults, when no areas can be made out at all. `gaps` is none when nobody
/// knows which are allowed; then none is told of.
pub(crate) fn read(bytes: &[u8], gaps: Option<&Gaps>, faults: &mut Faults) -> Option<AreaBook> {
    let text = decode(FILE, bytes, faults)?;
    let drafts = drafts(&text, faults)?;
    let mut codes = Codes::of("area");
    // Codes are unique from here on: the second of two is dropped with its fault.
    let mut lost = drafts.lost;
    let mut first: HashMap<String, String> = HashMap::new();
    let mut drafts: Vec<Draft> = drafts
        .sound
        .into_iter()
        .filter(|draft| {
            let is_new = codes.line(&draft.code).is_none();
            if is_new {
                codes.add(&draft.code, at(FILE, draft.line), faults);
                first.insert(draft.code.clone(), draft.called.clone());
            } else {
                lost.below.extend(draft.parent.clone());
                tell_twice(draft, &codes, &first[&draft.code], faults);
            }
            is_new
        })
        .collect();
    for code in lost.codes.drain(..) {
        codes.note(code);
    }
    drafts.sort_by_key(|draft| draft.level);
    let indexes: HashMap<String, AreaIndex> = drafts
        .iter()
        .zip(0..)
        .map(|(draft, i)| (draft.code.clone(), i))
        .collect();
    let city = check_cities(&drafts, &mut lost, faults)?;
    let bounds = drafts[city]
        .shape
        .as_ref()
        .and_then(geo::MultiPolygon::bounding_rect);
    let book = AreaBook {
        codes,
        indexes,
        drafts,
        bounds: bounds.map(|b| [b.min().x, b.min().y, b.max().x, b.max().y]),
    };
    let children = check_parents(&book, &mut lost, faults);
    for (code, line) in gaps.into_iter().flat_map(|gaps| &gaps.below) {
        book.codes.expect(code, at(jurisdiction::FILE, *line), faults);
    }
    for (parent, children) in children {
        let level = book.drafts[parent].level.depth();
        let is_whole =
            !lost.anywhere && !lost.levels[level] && !lost.below.contains(&book.drafts[parent].code);
        check_tiling(&book, parent, &children, gaps.filter(|_| is_whole), faults);
    }
    Some(book)
}

/// The fault of a code that an area before has too.
fn tell_twice(draft: &Draft, codes: &Codes, first: &str, faults: &mut Faults) {
    let line = codes.line(&draft.code).unwrap_or(1);
    let what = if line == draft.line {
        format!("{} has the code of {first}", draft.called)
    } else {
        format!("{} is already on line {line}", draft.called)
    };
    faults.error(at(FILE, draft.line), what, "give each area its own code");
}

fn drafts(text: &str, faults: &mut Faults) -> Option<Drafts> {
    if text.trim().is_empty() {
        faults.error(whole(FILE), "is empty", COLLECTION);
        return None;
    }
    let collection: Collection<'_> = match serde_json::from_str(text) {
        Ok(collection) => collection,
        Err(error) if error.is_data() => {
            faults.error(
                at(FILE, error.line() as u32),
                "is no FeatureCollection",
                COLLECTION,
            );
            return None;
        }
        Err(error) => {
            faults.error(
                at(FILE, error.line() as u32),
                format!("is no GeoJSON: {error}"),
                "write a FeatureCollection, as a GIS exports it",
            );
            return None;
        }
    };
    let features = match (collection.kind.as_deref(), collection.features) {
        (Some("FeatureCollection"), Some(features)) => features,
        (kind, _) => {
            let kind = kind.map_or("no type".to_owned(), shown);
            faults.error(
                whole(FILE),
                format!("is no FeatureCollection but has {kind}"),
                COLLECTION,
            );
            return None;
        }
    };
    if features.len() > MAX_AREAS {
        let what = format!("has {} areas, more than {MAX_AREAS}", features.len());
        faults.error(whole(FILE), what, "split the place");
        return None;
    }
    if let Some(crs) = collection.crs.map(RawValue::get) {
        let is_wgs84 = ["CRS84", "EPSG::4326", "EPSG:4326", "EPSG::4490", "null"]
            .iter()
            .any(|known| crs.contains(known));
        if !is_wgs84 {
            faults.error(
                whole(FILE),
                format!("is in another reference system: {}", shown(crs)),
                "convert it to WGS 84",
            );
        }
    }
    let lines = Lines::of(text);
    let line_of = |feature: &RawValue| {
        // Features are borrowed from the text, so their address tells where they stand in it.
        let offset = feature.get().as_ptr() as usize - text.as_ptr() as usize;
        lines.at(offset)
    };
    let mut line_above = 0;
    let mut drafts = Drafts::default();
    for (number, feature) in features.iter().enumerate() {
        let line = line_of(feature);
        let shares_its_line =
            line == line_above || features.get(number + 1).is_some_and(|next| line_of(next) == line);
        line_above = line;
        let draft = draft(
            feature,
            number + 1,
            line,
            shares_its_line,
            &mut drafts.lost,
            faults,
        );
        drafts.sound.extend(draft);
    }
    Some(drafts)
}

fn draft(
    feature: &RawValue,
    number: usize,
    line: u32,
    shares_its_line: bool,
    lost: &mut Lost,
    faults: &mut Faults,
) -> Option<Draft> {
    let place = at(FILE, line);
    let feature: Feature<'_> = match serde_json::from_str(feature.get()) {
        Ok(feature) => feature,
        Err(error) => {
            let (what, mend) = match twice(&error) {
                Some(name) => (format!("has {} twice", shown(&name)), "leave one of the two"),
                None => (
                    "is no feature with properties and a geometry".to_owned(),
                    "write {\"type\": \"Feature\", \"properties\": {…}, \"geometry\": {…}}",
                ),
            };
            faults.error(place, format!("feature {number} {what}"), mend);
            lost.anywhere = true;
            return None;
        }
    };
    let properties = feature
        .properties
        .map(|properties| properties.0)
        .unwrap_or_default();
    let word = |key: &str| match properties.get(key) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    if feature.kind.as_deref() != Some("Feature") {
        let what = format!("feature {number} has no type \"Feature\"");
        faults.error(place, what, "write {\"type\": \"Feature\", …}");
    }
    let code = word("code");
    if code.is_empty() {
        let what = format!("feature {number} has no code");
        faults.error(place, what, "give it a property code, unique in the place");
        lost.below.insert(word("parent"));
        return None;
    }
    let called = if shares_its_line {
        format!("area {} (feature {number})", shown(&code))
    } else {
        format!("area {}", shown(&code))
    };
    if let Err(refusal) = code.parse::<AreaCode>() {
        let refusal = refusal.to_string();
        let number = called
            .strip_prefix(&format!("area {}", shown(&code)))
            .unwrap_or_default();
        let (what, mend) = refusal.split_once("; ").unwrap_or((&refusal, ""));
        faults.error(place, format!("{what}{number}"), mend);
    }
    let level = match word("level").to_lowercase().as_str() {
        "0" | "0.0" | "city" => Some(Level::City),
        "1" | "1.0" | "town" => Some(Level::Town),
        "2" | "2.0" | "community" => Some(Level::Community),
        "3" | "3.0" | "cell" => Some(Level::Cell),
        "" => {
            faults.error(
                place,
                format!("{called} has no level"),
                "write 0 for the city, 1, 2, or 3 for a cell",
            );
            None
        }
        other => {
            faults.error(
                place,
                format!("{called} has level {}, which is none", shown(other)),
                "write 0 for the city, 1, 2, or 3 for a cell",
            );
            None
        }
    };
    let given = |key: &str| Some(word(key)).filter(|text| !text.is_empty());
    let (zh, en) = (given("name_zh"), given("name_en"));
    let own = given("name").or_else(|| zh.clone()).or_else(|| en.clone());
    if own.is_none() {
        faults.error(place, format!("{called} has no name"), "give it a property name");
    }
    let shape = shape::read(feature.geometry).map_err(|found| {
        for fault in found {
            faults.error(place, format!("{called} {}", fault.what), fault.mend);
        }
    });
    let Some(level) = level else {
        lost.below.insert(word("parent"));
        lost.codes.push(code);
        return None;
    };
    Some(Draft {
        line,
        called,
        code,
        level,
        kind: word("kind"),
        name: Text {
            own: own.unwrap_or_default(),
            zh,
            en,
        },
        parent: given("parent"),
        shape: shape.ok(),
    })
}

/// Exactly one city: its place in the drafts, when there is at least one.
fn check_cities(drafts: &[Draft], lost: &mut Lost, faults: &mut Faults) -> Option<usize> {
    let mut cities = drafts.iter().filter(|draft| draft.level == Level::City);
    let Some(first) = cities.next() else {
        faults.error(
            whole(FILE),
            "has no city",
            "add one area of level 0 that is the whole place",
        );
        return None;
    };
    for other in cities {
        lost.levels[0] = true;
        faults.error(
            at(FILE, other.line),
            format!("{} is a second city beside {}", other.called, shown(&first.code)),
            "leave one area of level 0",
        );
    }
    Some(0)
}

/// The children of each area, by their places in the drafts; faults where a parent is wrong.
fn check_parents(book: &AreaBook, lost: &mut Lost, faults: &mut Faults) -> BTreeMap<usize, Vec<usize>> {
    let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (i, draft) in book.drafts.iter().enumerate() {
        let place = at(FILE, draft.line);
        let called = &draft.called;
        let mut misplaced = || lost.levels[draft.level.depth().saturating_sub(1)] = true;
        let Some(parent) = &draft.parent else {
            if draft.level != Level::City {
                misplaced();
                faults.error(
                    place,
                    format!("{called} is a {} and has no parent", draft.level.as_str()),
                    format!("name the {} that it lies in", above(draft.level)),
                );
            }
            continue;
        };
        if draft.level == Level::City {
            let what = format!("{called} is the city and has the parent {}", shown(parent));
            faults.error(place, what, "leave the city's parent out");
            continue;
        }
        if book.codes.line(parent).is_none() {
            misplaced();
            let what = format!("{called} has the parent {}, which is no area here", shown(parent));
            let otherwise = format!("name the {} that it lies in", above(draft.level));
            faults.error(place, what, book.codes.near(parent, &otherwise));
            continue;
        }
        let Some(index) = book.indexes.get(parent).map(|i| *i as usize) else {
            continue;
        };
        let level = book.drafts[index].level;
        if level.depth() + 1 != draft.level.depth() {
            misplaced();
            faults.error(
                place,
                format!(
                    "{called} is a {} and has the parent {}, a {}",
                    draft.level.as_str(),
                    shown(parent),
                    level.as_str()
                ),
                format!(
                    "name the {} that it lies in; no level may be left out",
                    above(draft.level)
                ),
            );
            continue;
        }
        children.entry(index).or_default().push(i);
    }
    let by_file: HashMap<&str, &str> = book
        .drafts
        .iter()
        .filter_map(|draft| Some((draft.code.as_str(), draft.parent.as_deref()?)))
        .collect();
    let codes = book.drafts.iter().map(|draft| draft.code.as_str());
    for (code, way) in crate::units::cycles(codes, |code| by_file.get(code).copied()) {
        faults.error(
            at(FILE, book.codes.line(code).unwrap_or(1)),
            format!("{} lies in itself: {way}", book.called(code)),
            "name the area above it as its parent",
        );
    }
    children
}

fn above(level: Level) -> &'static str {
    level
        .depth()
        .checked_sub(1)
        .and_then(Level::at)
        .map_or("", Level::as_str)
}

fn check_tiling(
    book: &AreaBook,
    parent: usize,
    children: &[usize],
    gaps: Option<&Gaps>,
    faults: &mut Faults,
) {
    let drafts = &book.drafts;
    let parent = &drafts[parent];
    // A faulty shape is told already; what it leaves open would only say so again.
    let shapes: Option<Vec<&MultiPolygon>> = children.iter().map(|i| drafts[*i].shape.as_ref()).collect();
    let (Some(outer), Some(shapes)) = (&parent.shape, shapes) else {
        return;
    };
    for misfit in tiling::misfits(outer, &shapes) {
        match misfit {
            Misfit::Overlap(a, b, piece) => {
                let mut pair = [&drafts[children[a]], &drafts[children[b]]];
                pair.sort_by_key(|draft| draft.line);
                let what = format!(
                    "{} and {} overlap by {}, {} of the smaller, near {}",
                    pair[0].called,
                    pair[1].called,
                    square_metres(piece.square_metres),
                    percent(piece.share),
                    near(piece.near),
                );
                tell(
                    pair[1].line,
                    &piece,
                    what,
                    "give the ground to one of them",
                    faults,
                );
            }
            Misfit::Outside(i, piece) => {
                let child = &drafts[children[i]];
                let what = format!(
                    "{} sticks out of its parent {} by {}, {} of it, near {}",
                    child.called,
                    shown(&parent.code),
                    square_metres(piece.square_metres),
                    percent(piece.share),
                    near(piece.near),
                );
                let mend = if swapped_fits(shapes[i], outer) {
                    "its longitude and latitude look swapped: write longitude first"
                } else {
                    "cut it at its parent's border, or name another parent"
                };
                faults.error(at(FILE, child.line), what, mend);
            }
            Misfit::Gap(piece) => {
                let Some(gaps) = gaps else {
                    continue;
                };
                let what = format!(
                    "{} has {}, {} of it, in no area below, near {}",
                    parent.called,
                    square_metres(piece.square_metres),
                    percent(piece.share),
                    near(piece.near),
                );
                if gaps.allow(&parent.code) {
                    let mend = format!("allowed: {}", gaps.reason);
                    faults.warn(at(FILE, parent.line), what, mend);
                } else {
                    let mend = format!(
                        "draw the missing areas, or say in jurisdiction.toml [gaps] allowed = [{:?}] with a reason",
                        parent.code
                    );
                    tell(parent.line, &piece, what, &mend, faults);
                }
            }
        }
    }
}

fn tell(line: u32, piece: &Piece, what: String, mend: &str, faults: &mut Faults) {
    if piece.is_grave {
        faults.error(at(FILE, line), what, mend);
    } else {
        faults.warn(
            at(FILE, line),
            format!("{what}: a sliver between two borders"),
            "",
        );
    }
}

fn swapped_fits(shape: &MultiPolygon, outer: &MultiPolygon) -> bool {
    let (Some(inner), Some(outer)) = (shape.bounding_rect(), outer.bounding_rect()) else {
        return false;
    };
    let holds = |x: f64, y: f64| {
        (outer.min().x..=outer.max().x).contains(&x) && (outer.min().y..=outer.max().y).contains(&y)
    };
    holds(inner.min().y, inner.min().x) && holds(inner.max().y, inner.max().x)
}

/// `1,234 m²`.
pub(crate) fn square_metres(amount: f64) -> String {
    let digits = format!("{amount:.0}");
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + " m²"
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 10.0 {
        format!("{percent:.0} %")
    } else if percent >= 0.01 {
        format!("{percent:.2} %")
    } else {
        format!("{percent:.6} %")
    }
}
