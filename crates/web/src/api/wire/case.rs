//! Cases on the wire: what each viewer sees of one, of its log, and of a list.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use whistle_domain::{
    case::{self as domain, Actor as DomainActor, Body, Event},
    clock::Clock as DomainClock,
    place::Place,
    public, transition,
    words::Lang as DomainLang,
};

use super::{
    AreaPath, Channel, ClockKind, Code, Cursor, Day, Lang, Need, Outcome, PhotoKind, Point, Rating, Stage,
    Step, SupervisionKind, Tier, Time, Verb, WhistleStage, Words, commas, report::Answer,
};

/// In whose eyes. The fullest that the credentials give when absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum View {
    /// What anyone may see.
    Public,
    /// What the signed-in post may see.
    Staff,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Reported last comes first.
    #[default]
    Newest,
    /// Changed first comes first; for those who follow the changes.
    Updated,
    /// Due first comes first; open cases only.
    Due,
}

/// Which cases.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CaseListQuery {
    /// The jurisdiction; needed only where one install serves several.
    #[param(required = false)]
    #[expect(dead_code, reason = "read by the extractor of the place")]
    jurisdiction_id: Option<Code>,
    /// In whose eyes; the fullest that the credentials give when absent.
    #[param(inline)]
    pub(crate) view: Option<View>,
    /// Open ones, or closed ones.
    pub(crate) open: Option<bool>,
    /// In one of these stages.
    #[serde(default, deserialize_with = "commas::<_, _, 7>")]
    #[param(required = false, style = Form, explode = false, min_items = 1, max_items = 7)]
    pub(crate) stage: Vec<Stage>,
    /// Of one of these services; a group stands for all its services.
    #[serde(default, deserialize_with = "commas::<_, _, 100>")]
    #[param(required = false, style = Form, explode = false, min_items = 1, max_items = 100)]
    pub(crate) service: Vec<Code>,
    /// In this area, at any level.
    pub(crate) area: Option<Code>,
    /// Led by this unit.
    pub(crate) unit: Option<Code>,
    /// With a part of this unit in it, while another leads.
    pub(crate) joint: Option<Code>,
    /// Told of so high up or higher because a clock ran out, or nearly did: `unit` for every such case. For staff.
    #[param(inline)]
    pub(crate) escalated: Option<Tier>,
    /// Reported from this time on.
    pub(crate) reported_from: Option<Time>,
    /// Reported up to this time.
    pub(crate) reported_to: Option<Time>,
    /// Changed from this time on.
    pub(crate) updated_from: Option<Time>,
    /// Changed up to this time.
    pub(crate) updated_to: Option<Time>,
    /// With a clock due before this time.
    pub(crate) due_before: Option<Time>,
    /// Inside this box: west, south, east, north.
    #[serde(default, deserialize_with = "numbers")]
    #[param(required = false, style = Form, explode = false, min_items = 4, max_items = 4, example = json!([131.8, 46.2, 131.84, 46.22]))]
    pub(crate) bbox: Vec<f64>,
    /// With `lat` and `radius`: near this point. Degrees east.
    #[param(minimum = -180, maximum = 180)]
    pub(crate) lon: Option<f64>,
    /// Degrees north.
    #[param(minimum = -90, maximum = 90)]
    pub(crate) lat: Option<f64>,
    /// How near, in metres.
    #[param(exclusive_minimum = 0, maximum = 100_000)]
    pub(crate) radius: Option<f64>,
    /// With every word of this text in them. Two Chinese letters side by side are a word; of a number, the last three digits or
    /// more are. The public finds what the public view shows, staff also what is written for staff only. Only in the order
    /// `newest`, which is then that of the numbers; the case with that very number comes before all others.
    #[param(min_length = 1, max_length = 100)]
    pub(crate) q: Option<String>,
    /// In which order; `newest` by default.
    #[serde(default)]
    #[param(required = false, inline)]
    pub(crate) order: Order,
    /// Where the page begins; `next` of the page before.
    pub(crate) after: Option<Cursor>,
    /// How many at most; 50 by default.
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<usize>,
}

fn numbers<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Vec<f64>, D::Error> {
    let parts: Vec<String> = commas::<_, _, 4>(reader)?;
    parts
        .iter()
        .map(|part| {
            part.trim()
                .parse()
                .map_err(|_| serde::de::Error::custom(format!("{part:?} is no number")))
        })
        .collect()
}

/// In whose eyes, and in which language.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CaseQuery {
    /// The jurisdiction; needed only where one install serves several.
    #[param(required = false)]
    #[expect(dead_code, reason = "read by the extractor of the place")]
    jurisdiction_id: Option<Code>,
    /// In whose eyes; the fullest that the credentials give when absent.
    #[param(inline)]
    pub(crate) view: Option<View>,
    /// The language of explanations; the place's first one by default.
    #[param(inline)]
    pub(crate) lang: Option<Lang>,
}

/// A photo in which size.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PhotoQuery {
    /// The jurisdiction; needed only where one install serves several.
    #[param(required = false)]
    #[expect(dead_code, reason = "read by the extractor of the place")]
    jurisdiction_id: Option<Code>,
    /// `full` by default.
    #[serde(default)]
    #[param(required = false, inline)]
    pub(crate) size: PhotoSize,
}

/// The size of a photo: as it is kept, or for lists.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PhotoSize {
    #[default]
    Full,
    Thumbnail,
}

/// A case, in the eyes of who asks; `view` says whose.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "view", rename_all = "snake_case")]
pub(crate) enum CaseView {
    /// What anyone may see.
    Public(PublicCase),
    /// The same for one who reported it, with what they may do.
    Reporter(ReporterCase),
    /// What the signed-in post may see.
    Staff(Box<StaffCase>),
}

/// A page of cases.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CasePage {
    pub(crate) items: Vec<CaseView>,
    /// What to send as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// A case as anyone may see it: private words are masked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicCase {
    /// Its number.
    #[schema(minimum = 1, example = 42)]
    number: i64,
    /// How many events it has.
    version: u32,
    /// How far it is.
    step: Step,
    /// Whether it is open.
    open: bool,
    /// How it ended, once closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// What is asked for.
    service: Code,
    /// The service's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    service_name: Option<Words>,
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<Point>,
    /// How the place was described, masked.
    address: String,
    areas: AreaPath,
    /// What the reporter wrote, masked.
    description: String,
    /// What was done, or why it was closed, masked.
    resolution: String,
    /// The unit that leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    lead: Option<Code>,
    /// How many reports it has.
    reports: u32,
    /// The photos that the public may see.
    photos: Vec<Photo>,
    reported_at: Time,
    updated_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<Time>,
    /// When the work is due, while it is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Time>,
}

impl PublicCase {
    pub(crate) fn of(case: &domain::Case, place: &Place) -> Self {
        let due = case.clocks.get(whistle_domain::clock::ClockKind::Resolve);
        let outcome = (!case.state.is_open()).then(|| case.state.outcome()).flatten();
        Self {
            number: case.number.0,
            version: case.version,
            step: public::Step::of(case.state).into(),
            open: case.state.is_open(),
            outcome: outcome.map(Into::into),
            service: Code::of(&case.service),
            service_name: name_of_service(case, place),
            point: case.location.point.map(Into::into),
            address: public::address(case),
            areas: (&case.location.areas).into(),
            description: public::description(case),
            resolution: if case.state.is_open() {
                String::new()
            } else {
                public::resolution(case)
            },
            lead: case.lead.as_ref().map(Code::of),
            reports: case.reports,
            photos: public::photos(case).map(Photo::from).collect(),
            reported_at: Time(case.times.reported_at),
            updated_at: Time(case.times.updated_at),
            closed_at: case.times.closed_at.map(Time),
            due_at: due
                .filter(|clock| clock.is_running())
                .map(|clock| Time(clock.due_at)),
        }
    }
}

fn name_of_service(case: &domain::Case, place: &Place) -> Option<Words> {
    place
        .service(case.service.as_str())
        .map(|service| (&service.name).into())
}

/// A case as one who reported it sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReporterCase {
    #[serde(flatten)]
    case: PublicCase,
    /// What the reporter may do now.
    offered: Vec<Offered>,
}

impl ReporterCase {
    pub(crate) fn of(case: &domain::Case, actor: &DomainActor, place: &Place, now: Timestamp) -> Self {
        Self {
            case: PublicCase::of(case, place),
            offered: offered(case, actor, place, now),
        }
    }
}

/// Something that may be done now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Offered {
    verb: Verb,
    /// What must be sent with it; `unit` may be left out where routing names one.
    needs: Vec<Need>,
}

fn offered(case: &domain::Case, actor: &DomainActor, place: &Place, now: Timestamp) -> Vec<Offered> {
    transition::offered(case, actor, place, now)
        .map(|line| Offered {
            verb: line.verb.into(),
            needs: line
                .needs
                .iter()
                .filter(|need| need.is_sent())
                .map(|need| (*need).into())
                .collect(),
        })
        .collect()
}

/// A case as staff sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StaffCase {
    /// Its number.
    #[schema(minimum = 1, example = 42)]
    number: i64,
    /// How many events it has; what a command must send as `seen`.
    version: u32,
    stage: Stage,
    /// The outcome, claimed or final.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    open: bool,
    flags: Flags,
    /// The version of the place folder it was filed under.
    place_version: u32,
    service: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_name: Option<Words>,
    /// The standard it is held to.
    #[serde(skip_serializing_if = "Option::is_none")]
    standard: Option<Code>,
    channel: Channel,
    /// Who reported it first.
    reporter: Actor,
    /// How many reports it has.
    reports: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<Point>,
    address: String,
    areas: AreaPath,
    /// What the first reporter wrote.
    description: String,
    answers: Vec<Answer>,
    /// Whether the public may see it.
    public: bool,
    /// Its class of access, where it is only for the posts that name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<Code>,
    /// The unit that leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    lead: Option<Code>,
    /// The unit that the last return named as the right one.
    #[serde(skip_serializing_if = "Option::is_none")]
    right_unit: Option<Code>,
    /// The unit that handed in the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_by: Option<Code>,
    /// What was done, or why it was closed.
    resolution: String,
    /// The case it is a duplicate of.
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_of: Option<i64>,
    /// The cases that were merged into it.
    absorbed: Vec<i64>,
    /// The case that it was a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    split_from: Option<i64>,
    /// The cases that its parts became.
    split_into: Vec<i64>,
    /// The parts of other units in it.
    joint: Vec<JointPart>,
    /// What its unit asks of the station.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Request>,
    /// The question that awaits an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<Question>,
    /// Who watches over it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    supervision: Option<Supervision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<Rating>,
    photos: Vec<Photo>,
    clocks: Vec<Clock>,
    times: Times,
    /// What the signed-in post may do now; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    offered: Option<Vec<Offered>>,
}

/// How much of a staff view is wanted.
#[derive(Clone, Copy)]
pub(crate) enum Depth<'a> {
    /// For lists.
    Row,
    /// For one case: what may be done, and clocks that explain themselves.
    Whole(&'a DomainActor, DomainLang),
}

impl StaffCase {
    pub(crate) fn of(case: &domain::Case, place: &Place, now: Timestamp, depth: Depth<'_>) -> Self {
        let lang = match depth {
            Depth::Row => None,
            Depth::Whole(_, lang) => Some(lang),
        };
        let clock = |clock: &DomainClock| Clock::of(clock, place, now, lang);
        Self {
            number: case.number.0,
            version: case.version,
            stage: case.state.stage().into(),
            outcome: case.state.outcome().map(Into::into),
            open: case.state.is_open(),
            flags: (&case.flags).into(),
            place_version: case.place_version,
            service: Code::of(&case.service),
            service_name: name_of_service(case, place),
            standard: case.standard.as_ref().map(Code::of),
            channel: case.channel.into(),
            reporter: (&case.reporter).into(),
            reports: case.reports,
            point: case.location.point.map(Into::into),
            address: case.location.address.clone(),
            areas: (&case.location.areas).into(),
            description: case.description.clone(),
            answers: case.answers.iter().map(Answer::from).collect(),
            public: case.public,
            access: case.access.as_ref().map(Code::of),
            lead: case.lead.as_ref().map(Code::of),
            right_unit: case.right_unit.as_ref().map(Code::of),
            fixed_by: case.fixer.as_ref().map(|fixer| Code::of(&fixer.unit)),
            resolution: case.resolution.clone(),
            duplicate_of: case.duplicate_of.map(|number| number.0),
            absorbed: case.absorbed.iter().map(|number| number.0).collect(),
            split_from: case.split_from.map(|number| number.0),
            split_into: case.split_into.iter().map(|number| number.0).collect(),
            joint: case.joint.iter().map(|part| JointPart::of(part, clock)).collect(),
            request: case.request.as_ref().map(Request::from),
            question: case.question.as_ref().map(Question::from),
            supervision: case.supervision.as_ref().map(Supervision::from),
            rating: case.rating.map(Into::into),
            photos: case.photos.iter().map(Photo::from).collect(),
            clocks: case.clocks.all().iter().map(clock).collect(),
            times: (&case.times).into(),
            offered: match depth {
                Depth::Row => None,
                Depth::Whole(actor, _) => Some(offered(case, actor, place, now)),
            },
        }
    }
}

/// The part of a unit in a case that another leads.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JointPart {
    unit: Code,
    /// What it is to do.
    task: String,
    assigned_at: Time,
    /// Until when, where the desk set a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Time>,
    /// Its clock, where the desk set a limit; not in parts from before parts had clocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<Clock>,
    /// When it handed in its part; absent while it is at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    handed_in_at: Option<Time>,
    /// What was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
}

impl JointPart {
    fn of(part: &domain::JointPart, clock: impl Fn(&DomainClock) -> Clock) -> Self {
        let done = part.handed_in.as_ref();
        Self {
            unit: Code::of(&part.unit),
            task: part.task.clone(),
            assigned_at: Time(part.assigned_at),
            due_at: part.due_at.map(Time),
            clock: part.clock().map(clock),
            handed_in_at: done.map(|done| Time(done.at)),
            result: done.map(|done| done.result.clone()),
        }
    }
}

/// What the unit of a case asks of its station: to park it until a date, or, without a date, for more time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Request {
    #[serde(skip_serializing_if = "Option::is_none")]
    park_until: Option<Day>,
    at: Time,
    why: String,
}

impl From<&domain::Request> for Request {
    fn from(request: &domain::Request) -> Self {
        Self {
            park_until: match request.wish {
                domain::Wish::Park { until } => Some(Day(until)),
                domain::Wish::Extend => None,
            },
            at: Time(request.at),
            why: request.why.clone(),
        }
    }
}

/// A question that awaits an answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Question {
    /// Which report's reporter is asked; somebody outside when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<u32>,
    text: String,
    /// The answers to choose from; free text when there are none.
    choices: Vec<String>,
    /// Until when it can be answered.
    until: Time,
}

impl From<&domain::Question> for Question {
    fn from(question: &domain::Question) -> Self {
        Self {
            report: report_of(question.of),
            text: question.text.clone(),
            choices: question.choices.clone(),
            until: Time(question.until),
        }
    }
}

const fn report_of(respondent: domain::Respondent) -> Option<u32> {
    match respondent {
        domain::Respondent::Reporter { report } => Some(report),
        domain::Respondent::Outside => None,
    }
}

/// Who watches over a case, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Supervision {
    kind: SupervisionKind,
    /// The post that began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    post: Option<Code>,
    since: Time,
    why: String,
}

impl From<&domain::Supervision> for Supervision {
    fn from(supervision: &domain::Supervision) -> Self {
        Self {
            kind: supervision.kind.into(),
            post: supervision.post.as_ref().map(Code::of),
            since: Time(supervision.since),
            why: supervision.why.clone(),
        }
    }
}

/// What is true of a case besides its state.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Flags {
    /// Parked until this date; its clocks stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    parked_until: Option<Day>,
    /// Whether it was ever parked; once only.
    was_parked: bool,
    /// How often a limit was extended.
    extended: u8,
    /// How often a unit returned it.
    returned: u8,
    /// How often the work failed the verification.
    reworked: u8,
    /// How often it was reopened.
    reopened: u8,
    /// Watched over from above.
    supervised: bool,
    /// Fixed by the one who found it.
    on_the_spot: bool,
    /// Drawn for a re-check by another post.
    recheck: bool,
    /// How high up it was told of that a clock ran out, or nearly did.
    #[serde(skip_serializing_if = "Option::is_none")]
    escalated: Option<Tier>,
}

impl From<&domain::Flags> for Flags {
    fn from(flags: &domain::Flags) -> Self {
        Self {
            parked_until: flags.parked_until.map(Day),
            was_parked: flags.was_parked,
            extended: flags.extended,
            returned: flags.returned,
            reworked: flags.reworked,
            reopened: flags.reopened,
            supervised: flags.supervised,
            on_the_spot: flags.on_the_spot,
            recheck: flags.recheck,
            escalated: flags.escalated.map(Into::into),
        }
    }
}

/// When a case reached each stage last.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the times on the wire")]
pub(crate) struct Times {
    reported_at: Time,
    updated_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reported_in_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handled_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<Time>,
}

impl From<&domain::Times> for Times {
    fn from(times: &domain::Times) -> Self {
        Self {
            reported_at: Time(times.reported_at),
            updated_at: Time(times.updated_at),
            accepted_at: times.accepted_at.map(Time),
            assigned_at: times.assigned_at.map(Time),
            signed_at: times.signed_at.map(Time),
            reported_in_at: times.reported_in_at.map(Time),
            handled_at: times.handled_at.map(Time),
            closed_at: times.closed_at.map(Time),
        }
    }
}

/// A running or stopped limit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Clock {
    kind: ClockKind,
    /// How long it may run.
    #[schema(example = "4h working")]
    limit: String,
    started_at: Time,
    due_at: Time,
    state: ClockState,
    /// Whether it was, or is, over its due time.
    overdue: bool,
    /// How many times the limit was added once more.
    extensions: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_at: Option<Time>,
    /// How many steps of its ladder were taken.
    steps_taken: u8,
    /// When the next step is due, if one is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    step_at: Option<Time>,
    /// Why it is due then, in sentences; not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    explanation: Vec<String>,
}

/// Whether a clock runs, stands while the case is parked, or was stopped for good.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClockState {
    Running,
    Paused,
    Stopped,
}

impl Clock {
    pub(super) fn of(clock: &DomainClock, place: &Place, now: Timestamp, lang: Option<DomainLang>) -> Self {
        Self {
            kind: clock.kind.into(),
            limit: String::from(clock.limit),
            started_at: Time(clock.started_at),
            due_at: Time(clock.due_at),
            state: if clock.is_running() {
                ClockState::Running
            } else if clock.is_paused() {
                ClockState::Paused
            } else {
                ClockState::Stopped
            },
            overdue: clock.is_overdue(now),
            extensions: clock.extensions,
            stopped_at: clock.stopped_at.map(Time),
            steps_taken: clock.steps_fired,
            step_at: clock.step_at.map(Time),
            explanation: lang.map(|lang| explain(clock, place, lang)).unwrap_or_default(),
        }
    }
}

/// The limit and each of its extensions, explained by the calendar.
fn explain(clock: &DomainClock, place: &Place, lang: DomainLang) -> Vec<String> {
    let pauses = clock.closed_pauses();
    let mut last = place
        .calendar
        .explain_with_pauses(clock.started_at, clock.limit, &pauses);
    let mut sentences = vec![last.sentence(lang)];
    for _ in 0..clock.extensions {
        last = place.calendar.explain_with_pauses(last.due, clock.limit, &pauses);
        sentences.push(last.sentence(lang));
    }
    sentences
}

/// A photo of a case. Its picture is at `/cases/{number}/photos/{id}`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Photo {
    id: String,
    kind: PhotoKind,
    /// Whether the public may see it.
    public: bool,
}

impl From<&domain::Photo> for Photo {
    fn from(photo: &domain::Photo) -> Self {
        Self {
            id: photo.id.clone(),
            kind: photo.kind.into(),
            public: photo.public,
        }
    }
}

/// Who did something. Never names a person.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(tag = "who", rename_all = "snake_case")]
pub(crate) enum Actor {
    /// One who reported it; the first report is 1.
    Reporter { report: u32 },
    /// A post of a unit.
    Post { post: Code, unit: Code },
    /// Another system, by the number of its API key.
    Client { key: i64 },
    /// Anyone, without a code or key.
    Public,
    /// Somebody outside who was asked one question.
    Asked,
    /// Whistle itself, by its rules.
    #[default]
    System,
}

impl From<&DomainActor> for Actor {
    fn from(actor: &DomainActor) -> Self {
        match actor {
            DomainActor::Reporter { report } => Self::Reporter { report: *report },
            DomainActor::Post { post, unit, .. } => Self::Post {
                post: Code::of(post),
                unit: Code::of(unit),
            },
            DomainActor::Client { key } => Self::Client { key: *key },
            DomainActor::Public => Self::Public,
            DomainActor::Asked { .. } => Self::Asked,
            DomainActor::System => Self::System,
        }
    }
}

/// What happened to a case, in the eyes of who asks; `view` says whose.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "view", rename_all = "snake_case")]
pub(crate) enum EventLog {
    /// The public timeline.
    Public(PublicEvents),
    /// The whole log.
    Staff(StaffEvents),
}

/// The public timeline, first things first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicEvents {
    items: Vec<PublicEvent>,
}

/// The whole log, first things first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StaffEvents {
    items: Vec<StaffEvent>,
}

impl EventLog {
    /// What the public may know of the log from the event after `seen` on.
    pub(crate) fn public(log: &[Event], seen: u32) -> Self {
        let entries = public::timeline(log)
            .into_iter()
            .filter(|entry| entry.version > seen);
        Self::Public(PublicEvents {
            items: entries.map(PublicEvent::from).collect(),
        })
    }

    /// The log from the event after `seen` on.
    pub(crate) fn staff(log: &[Event], seen: u32) -> Self {
        let events = log.iter().zip(1..).filter(|(_, version)| *version > seen);
        Self::Staff(StaffEvents {
            items: events
                .map(|(event, version)| StaffEvent::of(event, version))
                .collect(),
        })
    }
}

/// One line of the public timeline.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublicEvent {
    /// Which event of the log, from 1; inner ones are left out.
    version: u32,
    at: Time,
    /// The event's word.
    #[schema(example = "assigned")]
    event: &'static str,
    /// The unit that did it or got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// What was written, masked.
    text: String,
}

impl From<public::Entry> for PublicEvent {
    fn from(entry: public::Entry) -> Self {
        Self {
            version: entry.version,
            at: Time(entry.at),
            event: entry.event,
            unit: entry.unit.as_ref().map(Code::of),
            outcome: entry.outcome.map(Into::into),
            text: entry.text,
        }
    }
}

/// One event of the log, with what belongs to it.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct StaffEvent {
    /// Which event of the log, from 1.
    version: u32,
    /// When it was received.
    at: Time,
    /// When it was made, where it was kept without a network.
    #[serde(skip_serializing_if = "Option::is_none")]
    made_at: Option<Time>,
    by: Actor,
    /// The event's word.
    #[schema(example = "assigned")]
    event: &'static str,
    /// What was written with it.
    text: String,
    /// `reported`, `reclassified`: what is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Code>,
    /// `reported`, `joined`: by which way.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<Channel>,
    /// `joined`: which report of the case. `asked`: whose reporter; absent when somebody outside is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<u32>,
    /// `reported`, `relocated`: where.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
    /// `accepted`: the standard it is held to.
    #[serde(skip_serializing_if = "Option::is_none")]
    standard: Option<Code>,
    /// `merged`: the case that goes on. `split`: the new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    into: Option<i64>,
    /// `absorbed`: the case that was merged into it. `reported`: the one that it was split off from.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<i64>,
    /// `joint_assigned`, `joint_handled`, `joint_released`: the unit with a part in it. `assigned`: the unit that has it. `returned`: the right one. `escalated`: the one whose leads are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<Code>,
    /// `handled`, `verified`, `settled`: how it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// `handled`: found and fixed by the same post.
    #[serde(skip_serializing_if = "Option::is_none")]
    on_the_spot: Option<bool>,
    /// `handled`: drawn for a re-check.
    #[serde(skip_serializing_if = "Option::is_none")]
    recheck: Option<bool>,
    /// `parked`, `park_asked`: until the start of this date.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Day>,
    /// `reported`, `commented`, `shown`: whether the public may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    public: Option<bool>,
    /// `photo_added`, `reported`, `absorbed`: the photos.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    photos: Vec<Photo>,
    /// `rated`: how content.
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<Rating>,
    /// `supervised`: whether it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<bool>,
    /// `supervised`: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<SupervisionKind>,
    /// `asked`: until when it can be answered. `joint_assigned`: until when the unit is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Time>,
    /// `asked`: the answers to choose from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    choices: Vec<String>,
    /// `answered`: the answer that was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    choice: Option<String>,
    /// `escalated`: which step of which clock, and who is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    escalation: Option<Escalation>,
    /// `whistled`: which whistle.
    #[serde(skip_serializing_if = "Option::is_none")]
    whistle: Option<i64>,
    /// `whistled`: where that whistle stands since.
    #[serde(skip_serializing_if = "Option::is_none")]
    whistle_stage: Option<WhistleStage>,
    /// `erased`: what was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<Erased>,
    /// Which clocks it touched, and when they are due since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    clocks: Vec<ClockChange>,
}

impl StaffEvent {
    fn of(event: &Event, version: u32) -> Self {
        let mut line = Self {
            version,
            at: Time(event.at),
            made_at: event.made_at.map(Time),
            by: (&event.by).into(),
            event: event.body.as_str(),
            text: event.text.clone(),
            clocks: ClockChange::of(event),
            ..Self::default()
        };
        match &event.body {
            Body::Reported {
                service,
                channel,
                location,
                public,
                photos,
                split_from,
                ..
            } => {
                line.from = split_from.map(|number| number.0);
                line.service = Some(Code::of(service));
                line.channel = Some((*channel).into());
                line.location = Some(location.into());
                line.public = Some(*public);
                line.photos = photos.iter().map(Photo::from).collect();
            }
            Body::Joined { report, channel } => {
                line.report = Some(*report);
                line.channel = Some((*channel).into());
            }
            Body::Accepted { standard, .. } => line.standard = Some(Code::of(standard)),
            Body::Merged { into } | Body::Split { into } => line.into = Some(into.0),
            Body::Absorbed { from, photos } => {
                line.from = Some(from.0);
                line.photos = photos.iter().map(Photo::from).collect();
            }
            Body::JointAssigned { unit, due_at } => {
                line.unit = Some(Code::of(unit));
                line.due_at = due_at.map(Time);
            }
            Body::Asked {
                of, choices, until, ..
            } => {
                line.report = report_of(*of);
                line.choices.clone_from(choices);
                line.due_at = Some(Time(*until));
            }
            Body::Answered { choice } => line.choice.clone_from(choice),
            Body::Assigned { unit }
            | Body::Returned { right_unit: unit }
            | Body::JointHandled { unit }
            | Body::JointReleased { unit } => line.unit = Some(Code::of(unit)),
            Body::Handled {
                outcome,
                on_the_spot,
                recheck,
            } => {
                line.outcome = Some((*outcome).into());
                line.on_the_spot = Some(*on_the_spot);
                line.recheck = Some(*recheck);
            }
            Body::Verified { outcome } | Body::Settled { outcome } => line.outcome = Some((*outcome).into()),
            Body::Parked { until } | Body::ParkAsked { until } => line.until = Some(Day(*until)),
            Body::Reclassified { service, .. } => line.service = Some(Code::of(service)),
            Body::Relocated { location } => line.location = Some(location.into()),
            Body::Commented { public } | Body::Shown { public } => line.public = Some(*public),
            Body::PhotoAdded { photo } => line.photos = vec![photo.into()],
            Body::Rated { rating } => line.rating = Some((*rating).into()),
            Body::Supervised { on, kind } => {
                line.on = Some(*on);
                line.kind = kind.map(Into::into);
            }
            Body::Escalated {
                clock,
                part,
                step,
                due_at,
                level,
                unit,
                post,
            } => {
                line.unit = unit.as_ref().map(Code::of);
                line.escalation = Some(Escalation {
                    clock: (*clock).into(),
                    part: part.as_ref().map(Code::of),
                    step: *step,
                    due_at: Time(*due_at),
                    level: (*level).into(),
                    post: post.as_ref().map(Code::of),
                });
            }
            Body::Whistled { whistle, stage } => {
                line.whistle = Some(whistle.0);
                line.whistle_stage = Some((*stage).into());
            }
            Body::Erased {
                contact,
                texts,
                photos,
            } => {
                line.erased = Some(Erased {
                    contact: *contact,
                    texts: *texts,
                    photos: photos.len(),
                });
            }
            Body::Declined
            | Body::Referred
            | Body::Withdrawn
            | Body::Signed
            | Body::ReportedIn
            | Body::Reworked
            | Body::ReopenRequested
            | Body::Reopened
            | Body::ReopenRefused
            | Body::Resumed
            | Body::Extended
            | Body::ExtensionAsked
            | Body::RequestRefused
            | Body::Unanswered
            | Body::Reckoned => {}
        }
        line
    }
}

/// What was erased of a reporter's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Erased {
    /// Whether it was known how they can be reached.
    contact: bool,
    /// How many texts.
    texts: u32,
    /// How many photos.
    photos: usize,
}

/// A step of a clock's ladder that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Escalation {
    clock: ClockKind,
    /// `joint`: the unit whose part the clock limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<Code>,
    /// Which step of the clock's ladder, from 1.
    step: u8,
    /// When it was due; the event may be later.
    due_at: Time,
    level: Tier,
    /// The one post that is told, where the ladder names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    post: Option<Code>,
}

/// Where a matter lies.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<Point>,
    address: String,
    areas: AreaPath,
}

impl From<&domain::Location> for Location {
    fn from(location: &domain::Location) -> Self {
        Self {
            point: location.point.map(Into::into),
            address: location.address.clone(),
            areas: (&location.areas).into(),
        }
    }
}

/// What an event did to a clock.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClockChange {
    kind: ClockKind,
    /// `joint`: the unit whose part it limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<Code>,
    #[serde(rename = "do")]
    done: ClockDeed,
    /// When it is due since.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Time>,
}

/// A new clock runs, one is stopped, stands, runs on, is extended, was computed anew, or a step of its ladder was taken.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClockDeed {
    Start,
    Stop,
    Pause,
    Resume,
    Extend,
    Reckon,
    Step,
}

impl ClockChange {
    fn of(event: &Event) -> Vec<Self> {
        let whole = event.clocks.iter().map(|change| Self::one(change, None));
        let parts = event.parts.iter();
        let parts = parts.map(|part| Self::one(&part.change, Some(Code::of(&part.unit))));
        whole.chain(parts).collect()
    }

    fn one(change: &whistle_domain::clock::ClockChange, part: Option<Code>) -> Self {
        use whistle_domain::clock::ClockChange as Change;
        let (kind, done, due_at) = match *change {
            Change::Start { kind, due_at, .. } => (kind, ClockDeed::Start, Some(due_at)),
            Change::Stop { kind } => (kind, ClockDeed::Stop, None),
            Change::Pause { kind } => (kind, ClockDeed::Pause, None),
            Change::Resume { kind, due_at, .. } => (kind, ClockDeed::Resume, Some(due_at)),
            Change::Extend { kind, due_at, .. } => (kind, ClockDeed::Extend, Some(due_at)),
            Change::Reckon { kind, due_at, .. } => (kind, ClockDeed::Reckon, Some(due_at)),
            Change::Step { kind, .. } => (kind, ClockDeed::Step, None),
        };
        Self {
            kind: kind.into(),
            part,
            done,
            due_at: due_at.map(Time),
        }
    }
}

/// How those who reported a case can be reached.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactList {
    pub(crate) items: Vec<ReportContact>,
}

/// How one who reported a case can be reached.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportContact {
    /// The case that they reported: the one that was asked for, or one that was merged into it.
    pub(crate) case: i64,
    /// Which report of that case; the first is 1.
    pub(crate) report: u32,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    /// Since when no mail goes to the address, because it came back from there.
    pub(crate) failing_since: Option<Time>,
}

/// Over how many days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CountQuery {
    /// The jurisdiction; needed only where one install serves several.
    #[param(required = false)]
    #[expect(dead_code, reason = "read by the extractor of the place")]
    jurisdiction_id: Option<Code>,
    /// How many days back, today included; 30 by default.
    #[param(minimum = 1, maximum = 3660)]
    pub(crate) days: Option<i32>,
}

/// Counters of the last days; what is open, in any case. Each is given by area and by service, never by both.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CountList {
    pub(crate) days: i32,
    pub(crate) items: Vec<Count>,
}

/// One counter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Count {
    /// What is counted: `filed`, `closed`, `reopened`, `returned`, `reworked`, `open`.
    #[schema(example = "filed")]
    pub(crate) name: String,
    /// The community, or the deepest area above it that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) area: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<Code>,
    pub(crate) n: i64,
}
