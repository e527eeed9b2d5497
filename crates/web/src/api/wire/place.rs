//! The place on the wire: areas, units, services, standards, the table of transitions.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use whistle_domain::{
    place::{self as domain, AreaIndex},
    transition::{To, Transition as Line, Who as DomainWho},
    words::{Lang as DomainLang, Text},
};
use whistle_service::{Here, privacy};

use super::{AreaPath, Code, Datatype, Lang, Level, Need, Partly, Point, Role, Stage, UnitKind, Verb, Words};
use crate::pages::words::Words as Catalogue;

/// Which place.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PlaceOnly {
    /// The jurisdiction; needed only where one install serves several.
    #[param(required = false)]
    #[expect(dead_code, reason = "read by the extractor of the place")]
    jurisdiction_id: Option<Code>,
}

/// A place that runs Whistle.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Place {
    /// Its code; `jurisdiction_id` of every address.
    jurisdiction_id: Code,
    /// Its name.
    name: Words,
    /// How the public reaches it.
    contact: Words,
    /// The languages it answers in, the first one by default.
    languages: Vec<Lang>,
    /// The time zone of its calendar.
    #[schema(example = "Asia/Shanghai")]
    time_zone: String,
    /// The version of the place folder in force.
    version: u32,
    /// Its levels from the top, with what it calls them and how many areas they have.
    levels: Vec<LevelOfPlace>,
    /// Its rules, as far as they matter to clients.
    settings: Settings,
}

/// A level of the grid.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LevelOfPlace {
    level: Level,
    /// What the place calls it.
    name: Words,
    /// How many areas it has.
    areas: usize,
}

/// The rules of a place that matter to clients.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Settings {
    /// Whether anyone may report without an API key.
    anonymous_reports: bool,
    /// How long after closing a reporter may rate and ask to reopen, in days.
    reopen_days: u16,
    /// A near duplicate lies at most this far away, in metres.
    duplicate_metres: f64,
    /// A near duplicate was reported at most this long ago, in hours.
    duplicate_hours: u32,
    /// Contact data is erased this many days after closing.
    retention_days: u32,
    /// What reporters wrote is erased this many days after closing; absent where it stays with the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    text_retention_days: Option<u32>,
    /// How often a unit may return a case before the station's lead must decide.
    max_returns: u8,
    /// How often a limit may be extended.
    max_extensions: u8,
    /// The longest that a case may be parked, in days.
    max_park_days: u16,
    /// The most photos of one report.
    max_photos: usize,
    /// The most bytes of a photo.
    max_photo_bytes: usize,
}

impl From<&domain::Place> for Place {
    fn from(place: &domain::Place) -> Self {
        let jurisdiction = &place.jurisdiction;
        let settings = &jurisdiction.settings;
        let zone = &place.calendar.rules().zone;
        let mut counts = [0; 4];
        for area in place.areas.all() {
            counts[area.level.depth()] += 1;
        }
        let levels = domain::Level::ALL
            .into_iter()
            .filter(|level| counts[level.depth()] > 0);
        Self {
            jurisdiction_id: Code::of(&jurisdiction.code),
            name: (&jurisdiction.name).into(),
            contact: (&jurisdiction.contact).into(),
            languages: jurisdiction.languages.iter().map(|lang| (*lang).into()).collect(),
            time_zone: zone.clone(),
            version: place.version,
            levels: levels
                .map(|level| LevelOfPlace {
                    level: level.into(),
                    name: (&jurisdiction.level_names[level.depth()]).into(),
                    areas: counts[level.depth()],
                })
                .collect(),
            settings: Settings {
                anonymous_reports: settings.anonymous_reports,
                reopen_days: settings.reopen_days,
                duplicate_metres: settings.duplicate_metres,
                duplicate_hours: settings.duplicate_hours,
                retention_days: settings.retention_days,
                text_retention_days: settings.text_retention_days,
                max_returns: settings.max_returns,
                max_extensions: settings.max_extensions,
                max_park_days: settings.max_park_days,
                max_photos: whistle_domain::case::MAX_PHOTOS,
                max_photo_bytes: whistle_service::media::MAX_PHOTO_BYTES,
            },
        }
    }
}

/// What is stored about people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Privacy {
    /// How to reach a reporter is erased this many days after the case is closed.
    retention_days: u32,
    /// All that is stored, by what it is for.
    items: Vec<StoredAboutPeople>,
}

/// Something that is stored about people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StoredAboutPeople {
    /// What it is for, as a word that stays.
    #[schema(example = "contact")]
    purpose: &'static str,
    /// Of whom: `reporter`, `staff`.
    about: Vec<&'static str>,
    /// What it is.
    what: Words,
    /// What it is for.
    why: Words,
    /// How long it is kept.
    kept: Words,
    /// For whose eyes it is, at most.
    seen_by: Words,
    /// The columns of the database that hold it.
    #[schema(example = json!(["contact.sealed"]))]
    columns: Vec<String>,
}

impl Privacy {
    pub(crate) fn of(here: &Here) -> Self {
        let items = privacy::stored_of_people(here).into_iter().map(|stored| {
            let [zh, en] = [DomainLang::Zh, DomainLang::En].map(|lang| Catalogue(lang).stored(&stored));
            StoredAboutPeople {
                purpose: stored.purpose.as_str(),
                about: stored.about.iter().map(|about| about.as_str()).collect(),
                what: (&Text::both(zh.what, en.what)).into(),
                why: (&Text::both(zh.why, en.why)).into(),
                kept: (&Text::both(zh.kept, en.kept)).into(),
                seen_by: (&Text::both(zh.seen, en.seen)).into(),
                columns: stored.columns,
            }
        });
        Self {
            retention_days: here.place.jurisdiction.settings.retention_days,
            items: items.collect(),
        }
    }
}

/// Which areas.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AreaQuery {
    /// The jurisdiction; needed only where one install serves several.
    #[param(required = false)]
    #[expect(dead_code, reason = "read by the extractor of the place")]
    jurisdiction_id: Option<Code>,
    /// Of this level.
    #[param(inline)]
    pub(crate) level: Option<Level>,
    /// Directly in this area.
    pub(crate) parent: Option<Code>,
    /// After this code; `next` of the page before.
    pub(crate) after: Option<Code>,
    /// How many at most; 50 by default.
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<usize>,
}

/// A point to look up.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PointQuery {
    /// The jurisdiction; needed only where one install serves several.
    #[param(required = false)]
    #[expect(dead_code, reason = "read by the extractor of the place")]
    jurisdiction_id: Option<Code>,
    /// Degrees east, WGS 84.
    #[param(minimum = -180, maximum = 180, example = 131.805)]
    pub(crate) lon: f64,
    /// Degrees north.
    #[param(minimum = -90, maximum = 90, example = 46.205)]
    pub(crate) lat: f64,
}

/// An area of the grid.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Area {
    code: Code,
    level: Level,
    /// What the place calls such an area; may be empty.
    kind: String,
    name: Words,
    /// The area it lies in; absent for the city.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Code>,
}

impl Area {
    pub(crate) fn of(place: &domain::Place, area: &domain::Area) -> Self {
        Self {
            code: Code::of(&area.code),
            level: area.level.into(),
            kind: area.kind.clone(),
            name: (&area.name).into(),
            parent: area.parent.map(|i| Code::of(&place.areas.get(i).code)),
        }
    }
}

/// A page of areas, in the order of their codes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AreaPage {
    pub(crate) items: Vec<Area>,
    /// What to send as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<Code>,
}

/// An area with what surrounds it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AreaDetail {
    #[serde(flatten)]
    area: Area,
    /// The codes from the city down to this area.
    path: AreaPath,
    /// The box around it: west, south, east, north.
    #[schema(min_items = 4, max_items = 4)]
    bbox: [f64; 4],
    /// The station that answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    station: Option<Code>,
    /// How many areas lie directly below.
    children: usize,
}

impl AreaDetail {
    pub(crate) fn of(place: &domain::Place, index: AreaIndex) -> Self {
        let area = place.areas.get(index);
        let bbox = area.shape.bbox();
        Self {
            area: Area::of(place, area),
            path: (&place.areas.path(index)).into(),
            bbox: [bbox.west, bbox.south, bbox.east, bbox.north],
            station: place.answering_station(index).map(|unit| Code::of(&unit.code)),
            children: place.areas.children(index).count(),
        }
    }
}

/// Where a point lies.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Located {
    pub(crate) point: Point,
    /// The deepest area that holds it.
    pub(crate) area: Area,
    /// The codes from the city down to that area.
    pub(crate) path: AreaPath,
}

/// An organisation that handles cases.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Unit {
    code: Code,
    name: Words,
    kind: UnitKind,
    /// The area it serves.
    area: Code,
    /// The unit above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Code>,
    /// Where its house stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<Point>,
    /// Its public telephone number; may be empty.
    phone: String,
    /// Its public e-mail address; may be empty.
    email: String,
}

impl Unit {
    pub(crate) fn of(place: &domain::Place, unit: &domain::Unit) -> Self {
        Self {
            code: Code::of(&unit.code),
            name: (&unit.name).into(),
            kind: unit.kind.into(),
            area: Code::of(&place.areas.get(unit.area).code),
            parent: unit.parent.as_ref().map(Code::of),
            point: unit.point.map(Into::into),
            phone: unit.phone.clone(),
            email: unit.email.clone(),
        }
    }
}

/// All units, in the place folder's order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnitList {
    pub(crate) items: Vec<Unit>,
}

/// What may be asked for: a group, or a service in a group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Service {
    code: Code,
    /// The group it belongs to; absent for a group itself, which no case can have.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<Code>,
    name: Words,
    /// What it is for.
    description: Words,
    /// Words by which it is found.
    keywords: Vec<String>,
    /// Whether residents may choose it and see its cases.
    public: bool,
    /// What is asked of the reporter besides the description.
    questions: Vec<Question>,
}

impl From<&domain::Service> for Service {
    fn from(service: &domain::Service) -> Self {
        Self {
            code: Code::of(&service.code),
            group: service.group.as_ref().map(Code::of),
            name: (&service.name).into(),
            description: (&service.description).into(),
            keywords: service.keywords.clone(),
            public: service.public,
            questions: service.questions.iter().map(Question::from).collect(),
        }
    }
}

/// A question of a service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Question {
    /// Its code, unique in the service.
    code: String,
    datatype: Datatype,
    /// Whether an answer is taken; where not, the label is only shown.
    answerable: bool,
    /// Whether a report without an answer is refused.
    required: bool,
    /// The question.
    label: Words,
    /// How to answer.
    hint: Words,
    /// The values of a list.
    values: Vec<QuestionValue>,
}

/// A value of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuestionValue {
    /// What to send.
    key: String,
    name: Words,
}

impl From<&domain::Question> for Question {
    fn from(question: &domain::Question) -> Self {
        let values = question.values.iter().map(|(key, name)| QuestionValue {
            key: key.clone(),
            name: name.into(),
        });
        Self {
            code: question.code.clone(),
            datatype: question.datatype.into(),
            answerable: question.variable,
            required: question.required,
            label: (&question.label).into(),
            hint: (&question.hint).into(),
            values: values.collect(),
        }
    }
}

/// Services and their groups, in the place folder's order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceList {
    pub(crate) items: Vec<Service>,
}

/// Which standards.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StandardQuery {
    /// The jurisdiction; needed only where one install serves several.
    #[param(required = false)]
    #[expect(dead_code, reason = "read by the extractor of the place")]
    jurisdiction_id: Option<Code>,
    /// Of this service.
    pub(crate) service: Option<Code>,
}

/// One service under one filing condition. Limits are written `30m running`, `4h working`, `5d working`, `2d calendar`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Standard {
    code: Code,
    service: Code,
    /// When it holds.
    condition: Words,
    /// Whether it is taken when nobody chose one.
    default: bool,
    /// From report to dispatch.
    #[serde(skip_serializing_if = "Option::is_none")]
    triage: Option<String>,
    /// From dispatch to "we have seen it and take it".
    #[serde(skip_serializing_if = "Option::is_none")]
    sign: Option<String>,
    /// From dispatch to "we are here".
    #[serde(skip_serializing_if = "Option::is_none")]
    report_in: Option<String>,
    /// From dispatch to handled.
    #[schema(example = "4h running")]
    resolve: String,
    /// From handled to verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<String>,
    /// The unit that leads, when routing has no more specific rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    lead: Option<Code>,
    /// What must be true to close.
    closing: Words,
    /// The rule it rests on.
    legal_basis: String,
    verification: Verification,
    partly: Partly,
    /// Who is told when its clocks run out: a ladder of escalations.csv; the default one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    ladder: Option<Code>,
}

/// Who may verify the work: any post outside the unit that fixed it, the reporter first, or the fixer's word is enough.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verification {
    Post,
    Reporter,
    #[serde(rename = "self")]
    SelfCheck,
}

impl From<&domain::Standard> for Standard {
    fn from(standard: &domain::Standard) -> Self {
        let limit = |limit: Option<whistle_domain::limit::Limit>| limit.map(String::from);
        Self {
            code: Code::of(&standard.code),
            service: Code::of(&standard.service),
            condition: (&standard.condition).into(),
            default: standard.default,
            triage: limit(standard.triage),
            sign: limit(standard.sign),
            report_in: limit(standard.report_in),
            resolve: String::from(standard.resolve),
            verify: limit(standard.verify),
            lead: standard.lead.as_ref().map(Code::of),
            closing: (&standard.closing).into(),
            legal_basis: standard.legal_basis.clone(),
            verification: match standard.verification {
                domain::Verification::Post => Verification::Post,
                domain::Verification::Reporter => Verification::Reporter,
                domain::Verification::SelfCheck => Verification::SelfCheck,
            },
            partly: standard.partly.into(),
            ladder: standard.ladder.as_ref().map(Code::of),
        }
    }
}

/// Standards, in the place folder's order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandardList {
    pub(crate) items: Vec<Standard>,
}

/// One line of the table of transitions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Transition {
    verb: Verb,
    /// In which stages it may be done.
    from: Vec<Stage>,
    /// Where it leads; empty when the case stays in its stage.
    to: Vec<Stage>,
    /// By whom.
    who: Vec<Who>,
    /// What it needs besides the right actor.
    needs: Vec<Need>,
}

/// Who may do something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Who {
    who: WhoWord,
    /// With `in_area` and `in_lead`: the role of the post.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
}

/// A reporter by pick-up code, only the one who reported first, anyone who may report, a system with an API key, Whistle itself, a post whose area holds the case, one
/// in a station whose area holds it, one in the unit that leads it.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhoWord {
    Reporter,
    FirstReporter,
    Anyone,
    Client,
    System,
    InArea,
    InStation,
    InLead,
    InJoint,
    Respondent,
}

impl From<&Line> for Transition {
    fn from(line: &Line) -> Self {
        let to = match line.to {
            To::Stage(stages) => stages,
            To::Same => &[],
        };
        Self {
            verb: line.verb.into(),
            from: line.from.iter().map(|stage| (*stage).into()).collect(),
            to: to.iter().map(|stage| (*stage).into()).collect(),
            who: line.who.iter().map(|who| Who::from(*who)).collect(),
            needs: line.needs.iter().map(|need| (*need).into()).collect(),
        }
    }
}

impl From<DomainWho> for Who {
    fn from(who: DomainWho) -> Self {
        let (who, role) = match who {
            DomainWho::Reporter => (WhoWord::Reporter, None),
            DomainWho::FirstReporter => (WhoWord::FirstReporter, None),
            DomainWho::Anyone => (WhoWord::Anyone, None),
            DomainWho::Client => (WhoWord::Client, None),
            DomainWho::System => (WhoWord::System, None),
            DomainWho::InArea(role) => (WhoWord::InArea, Some(role.into())),
            DomainWho::InLead(role) => (WhoWord::InLead, Some(role.into())),
            DomainWho::InJoint(role) => (WhoWord::InJoint, Some(role.into())),
            DomainWho::Respondent => (WhoWord::Respondent, None),
            DomainWho::InStation(role) => (WhoWord::InStation, Some(role.into())),
        };
        Self { who, role }
    }
}

/// The table of transitions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransitionTable {
    pub(crate) items: Vec<Transition>,
}
