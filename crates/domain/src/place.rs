//! A place: the compiled form of its folder (§4). Immutable once built; a change is a new version.
//!
//! Knows areas, units, posts, services, standards, kinds of whistle, routing and calendar, and how they refer to each other.
//! Does not know files, lines or faults: the `place` crate reads those and hands over what is right.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{
    calendar::Calendar,
    case::Case,
    escalation::Ladder,
    geometry::{MultiPolygon, Point},
    grid::LevelledGrid,
    limit::Limit,
    rights::{Access, Narrowing, Role},
    round::{Round, Stop},
    routing::Routing,
    words::{
        AreaCode, JurisdictionCode, LadderCode, Lang, PostCode, RoundCode, ServiceCode, StandardCode,
        StopCode, Text, UnitCode, WhistleKindCode,
    },
};

/// How deep an area lies in the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The whole place.
    City,
    /// A town, street or district.
    Town,
    /// A village, community or quarter.
    Community,
    /// A cell of the grid, the smallest piece.
    Cell,
}

impl Level {
    /// All levels, from the top.
    pub const ALL: [Self; 4] = [Self::City, Self::Town, Self::Community, Self::Cell];

    /// 0 for the city, 3 for a cell.
    pub const fn depth(self) -> usize {
        self as usize
    }

    /// The level at a depth.
    pub fn at(depth: usize) -> Option<Self> {
        Self::ALL.get(depth).copied()
    }

    /// The word in codes and columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Town => "town",
            Self::Community => "community",
            Self::Cell => "cell",
        }
    }
}

/// Where an area stands in [`Areas`].
pub type AreaIndex = u32;

/// A node of the grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// Its code, unique in the place.
    pub code: AreaCode,
    /// Its level.
    pub level: Level,
    /// What the place calls such an area: "district", "里"; may be empty.
    pub kind: String,
    /// Its name.
    pub name: Text,
    /// The area it lies in; none for the city.
    pub parent: Option<AreaIndex>,
    /// Its shape.
    pub shape: MultiPolygon,
}

/// The areas of a place, parents before children, with the index that finds a point's owner.
#[derive(Debug)]
pub struct Areas {
    all: Vec<Area>,
    by_code: HashMap<AreaCode, AreaIndex>,
    /// The names by which an address may call an area, in small letters. Cells have none that people use.
    names: Vec<(String, AreaIndex)>,
    grid: LevelledGrid,
}

impl Areas {
    /// Builds the index. `all` has the city first and every parent before its children, with unique codes;
    /// the `place` crate has checked that.
    pub fn new(all: Vec<Area>) -> Self {
        let by_code = all
            .iter()
            .enumerate()
            .map(|(i, a)| (a.code.clone(), i as AreaIndex))
            .collect();
        let grid = LevelledGrid::new(
            all.iter()
                .enumerate()
                .map(|(i, a)| (a.level.depth() as u8, i as AreaIndex, &a.shape)),
        );
        let names = (0..)
            .zip(&all)
            .filter(|(_, area)| area.level != Level::Cell)
            .flat_map(|(i, area)| spoken_names(&area.name).into_iter().map(move |name| (name, i)))
            .collect();
        Self {
            all,
            by_code,
            names,
            grid,
        }
    }

    /// Every area.
    pub fn all(&self) -> &[Area] {
        &self.all
    }

    /// The area at an index that this value gave out.
    pub fn get(&self, index: AreaIndex) -> &Area {
        &self.all[index as usize]
    }

    /// The area with a code.
    pub fn find(&self, code: &str) -> Option<AreaIndex> {
        self.by_code.get(code).copied()
    }

    /// The deepest area that holds a point; none outside the place.
    pub fn locate(&self, point: Point) -> Option<AreaIndex> {
        self.grid.deepest(point)
    }

    /// The area that a text names: the deepest one that fits all names in it. Where they leave a doubt (two areas of
    /// one name, two neighbours named at once) it is the area that holds all that may be meant; the city at last.
    pub fn named_in(&self, text: &str) -> AreaIndex {
        const CITY: AreaIndex = 0;
        let text = text.to_lowercase();
        let found: Vec<_> = self
            .names
            .iter()
            .flat_map(|(name, area)| occurrences(&text, name).map(move |span| (span, *area)))
            .collect();
        let within_longer = |span: &Range<usize>| {
            found.iter().any(|(other, _)| {
                other.len() > span.len() && other.start <= span.start && span.end <= other.end
            })
        };
        let mut named: Vec<AreaIndex> = found
            .iter()
            .filter(|(span, _)| !within_longer(span))
            .map(|(_, area)| *area)
            .collect();
        named.sort_unstable();
        named.dedup();

        let level = |i: &AreaIndex| self.get(*i).level;
        let Some(deepest) = named.iter().map(level).max() else {
            return CITY;
        };
        let (candidates, above): (Vec<_>, Vec<_>) = named.iter().partition(|i| level(i) == deepest);
        let borne_out = |i: &AreaIndex| above.iter().filter(|outer| self.is_within(*i, **outer)).count();
        let most = candidates.iter().map(borne_out).max().unwrap_or(0);
        let meant: Vec<AreaIndex> = if most == above.len() {
            candidates.into_iter().filter(|i| borne_out(i) == most).collect()
        } else {
            named
        };
        self.upward(meant[0])
            .find(|outer| meant.iter().all(|inner| self.is_within(*inner, *outer)))
            .unwrap_or(CITY)
    }

    /// The area and all above it, deepest first.
    pub fn upward(&self, index: AreaIndex) -> impl Iterator<Item = AreaIndex> + '_ {
        std::iter::successors(Some(index), |i| self.get(*i).parent)
    }

    /// The codes from the city down to this area, one per level; missing levels are empty.
    pub fn path(&self, index: AreaIndex) -> AreaPath {
        let mut path = AreaPath::default();
        for i in self.upward(index) {
            let area = self.get(i);
            path.0[area.level.depth()] = Some(area.code.clone());
        }
        path
    }

    /// The areas directly below.
    pub fn children(&self, index: AreaIndex) -> impl Iterator<Item = AreaIndex> + '_ {
        self.all
            .iter()
            .enumerate()
            .filter(move |(_, a)| a.parent == Some(index))
            .map(|(i, _)| i as AreaIndex)
    }

    /// Whether `inner` is `outer` or lies below it.
    pub fn is_within(&self, inner: AreaIndex, outer: AreaIndex) -> bool {
        self.upward(inner).any(|i| i == outer)
    }
}

fn spoken_names(name: &Text) -> Vec<String> {
    let mut names: Vec<String> = [Some(&name.own), name.zh.as_ref(), name.en.as_ref()]
        .into_iter()
        .flatten()
        .map(|name| name.trim().to_lowercase())
        .filter(|name| name.chars().count() > 1)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Where a name stands in a text as a word of its own: "Enge" is not in "Engelweg", nor "Kreis 1" in "Kreis 12".
/// Chinese is written without gaps, so there every place counts.
fn occurrences<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
    let spelled = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && c < '\u{2E80}');
    text.match_indices(name).filter_map(move |(start, _)| {
        let end = start + name.len();
        let runs_in = spelled(text[..start].chars().next_back()) && spelled(name.chars().next());
        let runs_on = spelled(name.chars().next_back()) && spelled(text[end..].chars().next());
        (!runs_in && !runs_on).then_some(start..end)
    })
}

/// The area codes of a case, one per level, city first. Kept in the case, so that a redrawn grid changes nothing
/// about where the case was filed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AreaPath(pub [Option<AreaCode>; 4]);

impl AreaPath {
    /// The deepest code.
    pub fn deepest(&self) -> Option<&AreaCode> {
        self.0.iter().rev().flatten().next()
    }

    /// The code at a level.
    pub fn at(&self, level: Level) -> Option<&AreaCode> {
        self.0[level.depth()].as_ref()
    }

    /// Whether the path leads through this area.
    pub fn passes(&self, code: &AreaCode) -> bool {
        self.0.iter().flatten().any(|c| c == code)
    }
}

/// What a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitKind {
    /// A department or company.
    Department,
    /// A crew below a department.
    Team,
    /// The service station of one city, town or community area.
    Station,
}

/// An organisation that handles cases.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// Its code, unique in the place.
    pub code: UnitCode,
    /// Its name.
    pub name: Text,
    /// What it is.
    pub kind: UnitKind,
    /// The area it serves; a station's own area.
    pub area: AreaIndex,
    /// The unit above it.
    pub parent: Option<UnitCode>,
    /// Where its house stands.
    pub point: Option<Point>,
    /// A public telephone number of the unit (never of a person).
    pub phone: String,
    /// A public e-mail address of the unit (never of a person).
    pub email: String,
}

/// A duty in a unit or area that a staff account holds; may be vacant.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// Its code, unique in the place.
    pub code: PostCode,
    /// Its name.
    pub name: Text,
    /// The unit it belongs to.
    pub unit: UnitCode,
    /// The area it answers for; its unit's area when the folder says nothing.
    pub area: AreaIndex,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Of what lies in its area and with its unit, what it is for.
    pub narrowed: Narrowing,
}

/// The type of an Open311 service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceType {
    /// The case number is given at once.
    #[default]
    Realtime,
}

/// What may be asked for: a group, or a service in a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its code, unique in the place.
    pub code: ServiceCode,
    /// The group it belongs to; none for a group itself.
    pub group: Option<ServiceCode>,
    /// Its name.
    pub name: Text,
    /// What it is for, in a sentence.
    pub description: Text,
    /// Words by which it is found.
    pub keywords: Vec<String>,
    /// Whether residents may choose it.
    pub public: bool,
    /// For whose eyes its cases are; never the public's where a case tells of somebody's need or quarrel.
    pub access: Access,
    /// What is asked of the reporter besides the description.
    pub questions: Vec<Question>,
}

impl Service {
    /// Whether this is a group, which no case can have.
    pub fn is_group(&self) -> bool {
        self.group.is_none()
    }
}

/// The kind of answer a question takes; Open311's `datatype`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Datatype {
    /// One line.
    String,
    /// A number.
    Number,
    /// An ISO 8601 date and time.
    Datetime,
    /// Several lines.
    Text,
    /// One of the values.
    SingleValueList,
    /// Some of the values.
    MultiValueList,
}

/// A question of a service; Open311's `attribute`.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Its code, unique in the service.
    pub code: String,
    /// The kind of answer.
    pub datatype: Datatype,
    /// False: shown only, nothing is asked (Open311's `variable`).
    pub variable: bool,
    /// Whether a report without an answer is refused.
    pub required: bool,
    /// The question.
    pub label: Text,
    /// How to answer.
    pub hint: Text,
    /// The values of a list, as (key, name).
    pub values: Vec<(String, Text)>,
}

/// Who may verify the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verification {
    /// Any post outside the unit that fixed it, or the reporter.
    #[default]
    Post,
    /// The reporter first; another post when the reporter does not answer.
    Reporter,
    /// The fixer's word is enough, but for the declared share that is drawn for a re-check.
    #[serde(rename = "self")]
    SelfCheck,
}

impl Verification {
    /// The word in standards.csv and exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Reporter => "reporter",
            Self::SelfCheck => "self",
        }
    }
}

/// What it means that the one who verifies finds a part of the work done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Partly {
    /// The unit does the rest.
    #[default]
    Rework,
    /// The case is closed as partly resolved.
    Close,
}

/// One service under one filing condition: its limits, lead unit, closing condition and legal basis.
#[derive(Debug, Clone, PartialEq)]
pub struct Standard {
    /// Its code, unique in the place.
    pub code: StandardCode,
    /// The service it belongs to.
    pub service: ServiceCode,
    /// When it holds: "manhole cover missing, with hazard".
    pub condition: Text,
    /// Taken when nobody chose one; exactly one of a service's standards.
    pub default: bool,
    /// From report to dispatch.
    pub triage: Option<Limit>,
    /// From dispatch to "we have seen it and take it"; the setting's when absent.
    pub sign: Option<Limit>,
    /// From dispatch to "we are here".
    pub report_in: Option<Limit>,
    /// From dispatch to handled.
    pub resolve: Limit,
    /// From handled to verified.
    pub verify: Option<Limit>,
    /// The unit that leads, when routing has no more specific rule.
    pub lead: Option<UnitCode>,
    /// What must be true to close.
    pub closing: Text,
    /// The rule it rests on.
    pub legal_basis: String,
    /// Who may verify.
    pub verification: Verification,
    /// What becomes of it when a part of the work is found done.
    pub partly: Partly,
    /// Who is told when its clocks run out; the default ladder when absent.
    pub ladder: Option<LadderCode>,
    /// For whose eyes its cases are; the service's when absent.
    pub access: Option<Access>,
}

/// Who must approve a whistle before it is blown. One who may approve it blows it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// The lead of the station that blows it.
    Lead,
    /// The lead of a station above; of the station itself where there is none above.
    Above,
}

/// A kind of whistle: who may blow it, who approves it, and how soon the units must come.
#[derive(Debug, Clone, PartialEq)]
pub struct WhistleKind {
    /// Its code, unique in the place.
    pub code: WhistleKindCode,
    /// Its name.
    pub name: Text,
    /// The levels whose stations may blow it.
    pub levels: Vec<Level>,
    /// The posts of such a station that may.
    pub roles: Vec<Role>,
    /// Who approves it; none when nobody need.
    pub approval: Option<Approval>,
    /// From the call to "we have read it".
    pub sign: Option<Limit>,
    /// From the call to the first word with the station.
    pub contact: Option<Limit>,
    /// From the call to "we are here".
    pub report_in: Limit,
    /// From "we are here" to leaving.
    pub leave: Option<Limit>,
    /// The highest level to which it may be raised.
    pub highest: Level,
}

impl WhistleKind {
    /// The kinds of a place that names none of its own: several units at one place, what a station cannot solve by
    /// itself, and what cannot wait.
    pub fn defaults() -> Vec<Self> {
        let limit = |text: &str| text.parse().expect("a constant");
        let kind = |code: &str, zh, en, levels: &[Level], roles: &[Role], approval| Self {
            code: code.parse().expect("a constant"),
            name: Text::both(zh, en),
            levels: levels.to_vec(),
            roles: roles.to_vec(),
            approval,
            sign: Some(limit("1h working")),
            contact: Some(limit("4h working")),
            report_in: limit("3d working"),
            leave: None,
            highest: Level::City,
        };
        let stations = [Level::City, Level::Town, Level::Community];
        vec![
            kind(
                "joint",
                "联合处置哨",
                "Joint handling",
                &stations,
                &[Role::Dispatcher, Role::Lead],
                None,
            ),
            Self {
                contact: Some(limit("1d working")),
                report_in: limit("5d working"),
                ..kind(
                    "hard",
                    "疑难哨",
                    "Hard problem",
                    &stations[..2],
                    &[Role::Dispatcher, Role::Lead],
                    Some(Approval::Lead),
                )
            },
            Self {
                sign: Some(limit("10m running")),
                contact: Some(limit("15m running")),
                report_in: limit("30m running"),
                ..kind(
                    "emergency",
                    "应急哨",
                    "Emergency",
                    &stations,
                    &[Role::Patrol, Role::CallTaker, Role::Dispatcher, Role::Lead],
                    None,
                )
            },
        ]
    }
}

/// The settings of a jurisdiction, each with a default.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Whether anyone may report without an API key through Open311 and the JSON API.
    pub anonymous_reports: bool,
    /// Whether a report that leaves no doubt is accepted and assigned at once.
    pub straight_through: bool,
    /// How often a case may be returned before the station's lead must decide.
    pub max_returns: u8,
    /// How often a limit may be extended.
    pub max_extensions: u8,
    /// The longest a case may be parked, in days.
    pub max_park_days: u16,
    /// How long after closing the reporter may ask to reopen, in days.
    pub reopen_days: u16,
    /// The share of self-checked work that another post must verify, 0 to 1.
    pub recheck_share: f64,
    /// A near duplicate lies at most this far away, in metres.
    pub duplicate_metres: f64,
    /// A near duplicate was reported at most this long ago, in hours.
    pub duplicate_hours: u32,
    /// Contact data is erased this many days after closing.
    pub retention_days: u32,
    /// What reporters wrote is erased this many days after closing; none keeps it with the case.
    pub text_retention_days: Option<u32>,
    /// Looks at the stops of rounds are kept for so many days, but for the last of each stop.
    pub look_retention_days: u32,
    /// What administrators and operators did is kept for so many days.
    pub audit_retention_days: u32,
    /// Within how much time the notices to one reader are gathered into one mail, once there are several; zero: never.
    pub digest: SignedDuration,
    /// The triage limit of a report whose standard says none.
    pub triage: Limit,
    /// The sign limit of an assignment whose standard says none; no clock runs when absent.
    pub sign: Option<Limit>,
    /// The verify limit of work whose standard says none.
    pub verify: Limit,
}

/// The jurisdiction itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Jurisdiction {
    /// Its code.
    pub code: JurisdictionCode,
    /// Its name.
    pub name: Text,
    /// The languages it answers in, the first one by default.
    pub languages: Vec<Lang>,
    /// How the public reaches it: a sentence, an address, a telephone number.
    pub contact: Text,
    /// Host names that lead to it where one install serves many.
    pub hosts: Vec<String>,
    /// Under what its open data may be used; empty where it does not say.
    pub open_data_licence: Text,
    /// What the place calls its levels, city first.
    pub level_names: [Text; 4],
    /// Its rules.
    pub settings: Settings,
}

/// A whole place.
#[derive(Debug)]
pub struct Place {
    /// The jurisdiction.
    pub jurisdiction: Jurisdiction,
    /// The version of the folder; 1 is the first that was applied.
    pub version: u32,
    /// The grid.
    pub areas: Areas,
    /// The working time.
    pub calendar: Calendar,
    /// Who leads what where.
    pub routing: Routing,
    units: Vec<Unit>,
    unit_by_code: HashMap<UnitCode, usize>,
    stations: HashMap<AreaIndex, usize>,
    posts: BTreeMap<PostCode, Post>,
    services: Vec<Service>,
    service_by_code: HashMap<ServiceCode, usize>,
    standards: Vec<Standard>,
    standard_by_code: HashMap<StandardCode, usize>,
    standards_of: HashMap<ServiceCode, Vec<usize>>,
    ladders: HashMap<LadderCode, Ladder>,
    default_ladder: Ladder,
    whistle_kinds: Vec<WhistleKind>,
    rounds: BTreeMap<RoundCode, Round>,
    round_of: HashMap<StopCode, RoundCode>,
}

/// What a [`Place`] is made of. All references have been checked by the `place` crate.
#[derive(Debug)]
pub struct Parts {
    /// See [`Place::jurisdiction`].
    pub jurisdiction: Jurisdiction,
    /// See [`Place::version`].
    pub version: u32,
    /// See [`Place::areas`].
    pub areas: Areas,
    /// See [`Place::calendar`].
    pub calendar: Calendar,
    /// See [`Place::routing`].
    pub routing: Routing,
    /// All units, in file order.
    pub units: Vec<Unit>,
    /// All posts, in file order.
    pub posts: Vec<Post>,
    /// All groups and services, in file order.
    pub services: Vec<Service>,
    /// All standards, in file order.
    pub standards: Vec<Standard>,
    /// All ladders of escalation that the place declares.
    pub ladders: Vec<Ladder>,
    /// All kinds of whistle, in file order.
    pub whistle_kinds: Vec<WhistleKind>,
    /// All rounds.
    pub rounds: Vec<Round>,
}

impl Place {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            jurisdiction,
            version,
            areas,
            calendar,
            routing,
            units,
            posts,
            services,
            standards,
            ladders,
            whistle_kinds,
            rounds,
        } = parts;
        let round_of = rounds
            .iter()
            .flat_map(|round| {
                round
                    .stops
                    .iter()
                    .map(|stop| (stop.code.clone(), round.code.clone()))
            })
            .collect();
        let ladders: HashMap<_, _> = ladders
            .into_iter()
            .chain([Ladder::none()])
            .map(|ladder| (ladder.code.clone(), ladder))
            .collect();
        let default_ladder = ladders.values().find(|l| l.code.as_str() == Ladder::DEFAULT);
        let default_ladder = default_ladder.cloned().unwrap_or_else(Ladder::usual);
        let mut standards_of: HashMap<ServiceCode, Vec<usize>> = HashMap::new();
        for (i, standard) in standards.iter().enumerate() {
            standards_of.entry(standard.service.clone()).or_default().push(i);
        }
        Self {
            unit_by_code: units
                .iter()
                .enumerate()
                .map(|(i, u)| (u.code.clone(), i))
                .collect(),
            stations: units
                .iter()
                .enumerate()
                .filter(|(_, u)| u.kind == UnitKind::Station)
                .map(|(i, u)| (u.area, i))
                .collect(),
            posts: posts.into_iter().map(|p| (p.code.clone(), p)).collect(),
            service_by_code: services
                .iter()
                .enumerate()
                .map(|(i, s)| (s.code.clone(), i))
                .collect(),
            standard_by_code: standards
                .iter()
                .enumerate()
                .map(|(i, s)| (s.code.clone(), i))
                .collect(),
            standards_of,
            ladders,
            default_ladder,
            jurisdiction,
            version,
            areas,
            calendar,
            routing,
            units,
            services,
            standards,
            whistle_kinds,
            rounds: rounds
                .into_iter()
                .map(|round| (round.code.clone(), round))
                .collect(),
            round_of,
        }
    }

    /// All rounds, by code.
    pub fn rounds(&self) -> impl Iterator<Item = &Round> {
        self.rounds.values()
    }

    /// The round with a code.
    pub fn round(&self, code: &str) -> Option<&Round> {
        self.rounds.get(code)
    }

    /// The stop with a code, and its round.
    pub fn stop(&self, code: &str) -> Option<(&Round, &Stop)> {
        let round = self.rounds.get(self.round_of.get(code)?)?;
        let stop = round.stops.iter().find(|stop| stop.code.as_str() == code)?;
        Some((round, stop))
    }

    /// All units, in file order.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// The unit with a code.
    pub fn unit(&self, code: &str) -> Option<&Unit> {
        self.unit_by_code.get(code).map(|i| &self.units[*i])
    }

    /// The station of an area.
    pub fn station(&self, area: AreaIndex) -> Option<&Unit> {
        self.stations.get(&area).map(|i| &self.units[*i])
    }

    /// The station that answers for an area: its own, or the nearest above.
    pub fn answering_station(&self, area: AreaIndex) -> Option<&Unit> {
        self.areas.upward(area).find_map(|i| self.station(i))
    }

    /// All posts, by code.
    pub fn posts(&self) -> impl Iterator<Item = &Post> {
        self.posts.values()
    }

    /// The post with a code.
    pub fn post(&self, code: &str) -> Option<&Post> {
        self.posts.get(code)
    }

    /// All groups and services, in file order.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The group or service with a code.
    pub fn service(&self, code: &str) -> Option<&Service> {
        self.service_by_code.get(code).map(|i| &self.services[*i])
    }

    /// All standards, in file order.
    pub fn standards(&self) -> &[Standard] {
        &self.standards
    }

    /// The standard with a code.
    pub fn standard(&self, code: &str) -> Option<&Standard> {
        self.standard_by_code.get(code).map(|i| &self.standards[*i])
    }

    /// The standards of a service, in file order.
    pub fn standards_of(&self, service: &ServiceCode) -> impl Iterator<Item = &Standard> {
        self.standards_of
            .get(service)
            .into_iter()
            .flatten()
            .map(|i| &self.standards[*i])
    }

    /// The standard that holds when nobody chose one.
    pub fn default_standard(&self, service: &ServiceCode) -> Option<&Standard> {
        self.standards_of(service).find(|s| s.default)
    }

    /// For whose eyes the cases of a service are by a standard, which may be stricter or laxer than the service.
    pub fn access<'p>(&'p self, service: &'p Service, standard: Option<&'p Standard>) -> &'p Access {
        standard
            .and_then(|standard| standard.access.as_ref())
            .unwrap_or(&service.access)
    }

    /// For whose eyes cases of a service may be, by any of its standards; nothing for a service that there is not.
    pub fn accesses_of<'p>(&'p self, service: &str) -> impl Iterator<Item = &'p Access> + use<'p> {
        let service = self.service(service);
        service.into_iter().flat_map(|service| {
            let of_standards = self.standards_of(&service.code).filter_map(|s| s.access.as_ref());
            std::iter::once(&service.access).chain(of_standards)
        })
    }

    /// The services whose cases no post may see, whatever its role: each is left out by what the posts are narrowed to.
    pub fn unseen_services(&self) -> impl Iterator<Item = &Service> {
        let seen = |service: &Service| {
            let mut accesses = self
                .standards_of(&service.code)
                .map(|s| self.access(service, Some(s)));
            accesses.all(|access| {
                self.posts().any(|post| {
                    post.narrowed.is_for(&service.code) && post.narrowed.clearance.is_enough(access)
                })
            })
        };
        let services = self.services.iter().filter(|service| !service.is_group());
        services.filter(move |service| !seen(service))
    }

    /// Who is told when the clocks of a case of this standard run out; by the default ladder where it names none, or none
    /// that there is.
    pub fn ladder(&self, standard: Option<&Standard>) -> &Ladder {
        let named = standard.and_then(|standard| standard.ladder.as_ref());
        named
            .and_then(|code| self.ladders.get(code))
            .unwrap_or(&self.default_ladder)
    }

    /// The ladder that the clocks of a case climb.
    pub fn ladder_of(&self, case: &Case) -> &Ladder {
        let held = case
            .standard
            .as_ref()
            .and_then(|code| self.standard(code.as_str()));
        self.ladder(held.or_else(|| self.default_standard(&case.service)))
    }

    /// Whether the clocks of the same case climb the same ladders in another place.
    pub fn climbs_like(&self, other: &Self) -> bool {
        self.ladders == other.ladders
            && self.default_ladder == other.default_ladder
            && self.standards.len() == other.standards.len()
            && self.standards.iter().all(|standard| {
                let twin = other.standard(standard.code.as_str());
                twin.is_some_and(|twin| twin.ladder == standard.ladder && twin.service == standard.service)
            })
    }

    /// All kinds of whistle, in file order.
    pub fn whistle_kinds(&self) -> &[WhistleKind] {
        &self.whistle_kinds
    }

    /// The kind of whistle with a code.
    pub fn whistle_kind(&self, code: &str) -> Option<&WhistleKind> {
        self.whistle_kinds.iter().find(|kind| kind.code.as_str() == code)
    }

    /// The station next above the area of another.
    pub fn station_above(&self, area: AreaIndex) -> Option<&Unit> {
        self.areas
            .get(area)
            .parent
            .and_then(|parent| self.answering_station(parent))
    }

    /// The unit that leads a case of this standard in this area, or none when the chain of responsibility is open.
    pub fn lead(&self, standard: &Standard, area: AreaIndex) -> Option<&Unit> {
        let service = self.service(standard.service.as_str())?;
        self.routing.lead(self, service, standard, area)
    }
}
