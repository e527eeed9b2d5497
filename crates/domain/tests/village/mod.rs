//! A small but complete place in code, and a tale: a case with its log, told command by command.
//!
//! The village lies in a strip of 0.4° by 0.1°: a city, two towns, four communities of 0.1° each, the first two with
//! two cells each. Towns east and west each have a community called Spring, to make names ambiguous.

#![allow(dead_code, reason = "every test file uses another part of it")]

pub mod lots;

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp, civil::date};
use whistle_domain::{
    calendar::{Calendar, CalendarRules, Holiday, HolidayName, MakeUpDay},
    case::{Actor, Case, Channel, Event, Question as Asked, Stage},
    clock::{Clock, ClockKind},
    command::{Act, Context, NewReport, Refusal, Whereabouts, decide, report},
    escalation::{Ladder, Rung, To},
    geometry::{MultiPolygon, Point},
    place::{
        Area, AreaIndex, Areas, Datatype, Jurisdiction, Level, Partly, Parts, Place, Post, Question, Service,
        Settings, Standard, Unit, UnitKind, Verification, WhistleKind,
    },
    rights::{Access, Narrowing, Role},
    routing::{Leader, Matter, Routing, Rule},
    transition::{Transition, allows},
    words::{CaseNumber, Lang, Text},
};

pub const CITY: AreaIndex = 0;
pub const WEST: AreaIndex = 1;
pub const EAST: AreaIndex = 2;
pub const MILL: AreaIndex = 3;
pub const WEST_SPRING: AreaIndex = 4;
pub const EAST_SPRING: AreaIndex = 5;
pub const HARBOUR: AreaIndex = 6;

/// The village as it stands.
pub static VILLAGE: LazyLock<Place> = LazyLock::new(|| Place::new(parts()));

/// A village that differs.
pub fn village_with(change: impl FnOnce(&mut Parts)) -> Place {
    let mut parts = parts();
    change(&mut parts);
    Place::new(parts)
}

fn strip(west: f64, east: f64) -> MultiPolygon {
    let (south, north) = (30.0, 30.1);
    MultiPolygon::new(vec![vec![vec![
        [west, south],
        [east, south],
        [east, north],
        [west, north],
    ]]])
    .unwrap()
}

fn areas() -> Areas {
    let area = |code: &str, level, parent, zh: &str, en: &str, west, east| Area {
        code: code.parse().unwrap(),
        level,
        kind: String::new(),
        name: Text::both(zh, en),
        parent,
        shape: strip(west, east),
    };
    use Level::{Cell, City, Community, Town};
    Areas::new(vec![
        area("V", City, None, "三溪市", "Three Brooks", 120.0, 120.4),
        area("V1", Town, Some(CITY), "西街道", "West End", 120.0, 120.2),
        area("V2", Town, Some(CITY), "东街道", "East End", 120.2, 120.4),
        area("V11", Community, Some(WEST), "磨坊社区", "Mill", 120.0, 120.1),
        area("V12", Community, Some(WEST), "泉水社区", "Spring", 120.1, 120.2),
        area("V21", Community, Some(EAST), "泉水社区", "Spring", 120.2, 120.3),
        area("V22", Community, Some(EAST), "港口社区", "Harbour", 120.3, 120.4),
        area("V11-1", Cell, Some(MILL), "第一网格", "Cell 1", 120.0, 120.05),
        area("V11-2", Cell, Some(MILL), "第二网格", "Cell 2", 120.05, 120.1),
        area(
            "V12-1",
            Cell,
            Some(WEST_SPRING),
            "第三网格",
            "Cell 3",
            120.1,
            120.15,
        ),
        area(
            "V12-2",
            Cell,
            Some(WEST_SPRING),
            "第四网格",
            "Cell 4",
            120.15,
            120.2,
        ),
    ])
}

fn calendar() -> Calendar {
    static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| {
        let mut rules = CalendarRules::office_week("Asia/Shanghai");
        rules.holidays = vec![Holiday {
            date: date(2026, 5, 15),
            name: HolidayName::default(),
        }];
        rules.make_up_days = vec![MakeUpDay::new(date(2026, 5, 16))];
        Calendar::new(rules).unwrap()
    });
    CALENDAR.clone()
}

fn units() -> Vec<Unit> {
    use UnitKind::{Department, Station, Team};
    [
        ("S-V", Station, CITY, None),
        ("S-V1", Station, WEST, None),
        ("S-V2", Station, EAST, None),
        ("S-V11", Station, MILL, None),
        ("S-V12", Station, WEST_SPRING, None),
        ("S-V21", Station, EAST_SPRING, None),
        ("S-V22", Station, HARBOUR, None),
        ("roads", Department, CITY, None),
        ("road-crew", Team, CITY, Some("roads")),
        ("lights", Department, CITY, None),
        ("cleaners", Department, CITY, None),
    ]
    .into_iter()
    .map(|(code, kind, area, parent)| Unit {
        code: code.parse().unwrap(),
        name: Text::plain(code),
        kind,
        area,
        parent: parent.map(|p| p.parse().unwrap()),
        point: None,
        phone: String::new(),
        email: String::new(),
    })
    .collect()
}

/// Every post: its code, its unit, the area it answers for, its roles.
pub const POSTS: [(&str, &str, AreaIndex, &[Role]); 16] = [
    ("dispatcher", "S-V", CITY, &[Role::Dispatcher]),
    ("city-lead", "S-V", CITY, &[Role::Lead]),
    ("calls", "S-V", CITY, &[Role::CallTaker]),
    ("auditor", "S-V", CITY, &[Role::Auditor]),
    ("administrator", "S-V", CITY, &[Role::Administrator]),
    (
        "west-dispatcher",
        "S-V1",
        WEST,
        &[Role::Dispatcher, Role::CallTaker],
    ),
    ("west-lead", "S-V1", WEST, &[Role::Lead]),
    ("east-dispatcher", "S-V2", EAST, &[Role::Dispatcher]),
    ("mill-patrol", "S-V11", MILL, &[Role::Patrol]),
    ("mill-handler", "S-V11", MILL, &[Role::Handler, Role::Lead]),
    ("east-patrol", "S-V21", EAST_SPRING, &[Role::Patrol]),
    ("roads-handler", "roads", CITY, &[Role::Handler]),
    ("roads-lead", "roads", CITY, &[Role::Lead]),
    ("lights-handler", "lights", CITY, &[Role::Handler]),
    ("cleaners-handler", "cleaners", CITY, &[Role::Handler]),
    ("cleaners-patrol", "cleaners", CITY, &[Role::Patrol]),
];

fn posts() -> Vec<Post> {
    POSTS
        .iter()
        .map(|(code, unit, area, roles)| Post {
            code: code.parse().unwrap(),
            name: Text::plain(*code),
            unit: unit.parse().unwrap(),
            area: *area,
            roles: roles.to_vec(),
            narrowed: Narrowing::default(),
        })
        .collect()
}

fn services() -> Vec<Service> {
    let service = |code: &str, group: Option<&str>, public, questions| Service {
        code: code.parse().unwrap(),
        group: group.map(|g| g.parse().unwrap()),
        name: Text::plain(code),
        description: Text::default(),
        keywords: vec![],
        public,
        access: if public { Access::Public } else { Access::Staff },
        questions,
    };
    let question = |code: &str, datatype, required, values: &[&str]| Question {
        code: code.to_owned(),
        datatype,
        variable: true,
        required,
        label: Text::plain(code),
        hint: Text::default(),
        values: values
            .iter()
            .map(|v| ((*v).to_owned(), Text::plain(*v)))
            .collect(),
    };
    let notice = Question {
        variable: false,
        ..question("notice", Datatype::Text, true, &[])
    };
    vec![
        service("street", None, true, vec![]),
        service("pothole", Some("street"), true, vec![]),
        service("lamp", Some("street"), true, vec![]),
        service("waste", None, true, vec![]),
        service("litter", Some("waste"), true, vec![]),
        service("rats", Some("waste"), false, vec![]),
        service(
            "tree",
            Some("street"),
            true,
            vec![
                question("size", Datatype::SingleValueList, true, &["small", "large"]),
                question(
                    "harm",
                    Datatype::MultiValueList,
                    false,
                    &["leans", "broken", "dead"],
                ),
                question("height", Datatype::Number, false, &[]),
                question("since", Datatype::Datetime, false, &[]),
                question("more", Datatype::String, false, &[]),
                notice,
            ],
        ),
    ]
}

fn standards() -> Vec<Standard> {
    use Verification::{Post, Reporter, SelfCheck};
    [
        ("P1", "pothole", true, Some("1h running"), "4h working", Post),
        ("P2", "pothole", false, Some("30m running"), "2h running", Post),
        ("L1", "lamp", true, Some("2h working"), "3d working", Reporter),
        ("T1", "litter", true, None, "2d calendar", SelfCheck),
        ("R1", "rats", true, Some("1d working"), "5d working", Post),
        ("B1", "tree", true, Some("4h working"), "10d working", Post),
    ]
    .into_iter()
    .map(
        |(code, service, default, report_in, resolve, verification)| Standard {
            code: code.parse().unwrap(),
            service: service.parse().unwrap(),
            condition: Text::default(),
            default,
            triage: (code == "P2").then(|| "10m running".parse().unwrap()),
            sign: (code == "R1").then(|| "2h working".parse().unwrap()),
            report_in: report_in.map(|limit: &str| limit.parse().unwrap()),
            resolve: resolve.parse().unwrap(),
            verify: (code == "L1").then(|| "1d calendar".parse().unwrap()),
            lead: None,
            closing: Text::default(),
            legal_basis: String::new(),
            verification,
            partly: if code == "P1" {
                Partly::Close
            } else {
                Partly::Rework
            },
            ladder: match code {
                "L1" => Some("steep".parse().unwrap()),
                "T1" => Some("none".parse().unwrap()),
                _ => None,
            },
            access: None,
        },
    )
    .collect()
}

pub fn rule(matter: Matter, area: AreaIndex, leader: Leader) -> Rule {
    Rule { matter, area, leader }
}

pub fn about(service: &str) -> Matter {
    Matter::Service(service.parse().unwrap())
}

pub fn unit(code: &str) -> Leader {
    Leader::Unit(code.parse().unwrap())
}

fn routing() -> Routing {
    Routing::new([
        rule(about("street"), CITY, unit("roads")),
        rule(about("lamp"), CITY, unit("lights")),
        rule(about("litter"), CITY, unit("cleaners")),
        rule(about("rats"), CITY, Leader::Station(Level::Town)),
        rule(Matter::All, CITY, Leader::Station(Level::Community)),
    ])
}

pub fn settings() -> Settings {
    Settings {
        anonymous_reports: true,
        straight_through: true,
        max_returns: 2,
        max_extensions: 1,
        max_park_days: 60,
        reopen_days: 15,
        recheck_share: 0.1,
        duplicate_metres: 100.0,
        duplicate_hours: 72,
        retention_days: 365,
        text_retention_days: None,
        look_retention_days: 400,
        audit_retention_days: 1095,
        digest: jiff::SignedDuration::from_hours(1),
        triage: "2h working".parse().unwrap(),
        sign: None,
        verify: "2d working".parse().unwrap(),
    }
}

pub fn parts() -> Parts {
    Parts {
        jurisdiction: Jurisdiction {
            code: "village".parse().unwrap(),
            name: Text::both("三溪", "Three Brooks"),
            languages: vec![Lang::Zh, Lang::En],
            contact: Text::default(),
            hosts: vec![],
            open_data_licence: Text::default(),
            level_names: [
                Text::plain("city"),
                Text::plain("town"),
                Text::plain("community"),
                Text::plain("cell"),
            ],
            settings: settings(),
        },
        version: 1,
        areas: areas(),
        calendar: calendar(),
        routing: routing(),
        units: units(),
        posts: posts(),
        services: services(),
        standards: standards(),
        ladders: vec![steep()],
        whistle_kinds: WhistleKind::defaults(),
        rounds: Vec::new(),
    }
}

/// A ladder with every kind of rung, for lamps.
pub fn steep() -> Ladder {
    use ClockKind::{Resolve, Triage, Verify};
    let rung = |clock, at: &str, to| Rung {
        clock,
        at: at.parse().unwrap(),
        to,
    };
    Ladder {
        code: "steep".parse().unwrap(),
        rungs: vec![
            rung(Triage, "50%", To::UnitLead),
            rung(Resolve, "50%", To::UnitLead),
            rung(Resolve, "overdue", To::ParentUnitLead),
            rung(
                Resolve,
                "overdue + 2h running",
                To::Unit("roads".parse().unwrap()),
            ),
            rung(Resolve, "150%", To::Station(Level::Community)),
            rung(Resolve, "overdue + 2d working", To::Station(Level::Town)),
            rung(Resolve, "300%", To::Post("city-lead".parse().unwrap())),
            rung(Verify, "90%", To::Station(Level::City)),
        ],
    }
}

/// The account of a post is its place in the list, so that no two posts share one.
pub fn post(code: &str) -> Actor {
    let at = POSTS
        .iter()
        .position(|(c, ..)| *c == code)
        .expect("a post of the village");
    Actor::Post {
        post: code.parse().unwrap(),
        unit: POSTS[at].1.parse().unwrap(),
        account: at as i64,
    }
}

pub const REPORTER: Actor = Actor::Reporter { report: 1 };

/// A civil time of the village, in May 2026. The 13th is a Wednesday, the 15th a holiday, Saturday the 16th worked.
pub fn may(day: i8, hour: i8, minute: i8) -> Timestamp {
    date(2026, 5, day)
        .at(hour, minute, 0, 0)
        .in_tz("Asia/Shanghai")
        .unwrap()
        .timestamp()
}

/// In Mill's first cell.
pub fn in_mill() -> Point {
    Point::new(120.02, 30.05).unwrap()
}

/// A report about a point in Mill.
pub fn matter(service: &str) -> NewReport {
    NewReport {
        service: service.parse().unwrap(),
        standard: None,
        whereabouts: Whereabouts {
            point: Some(in_mill()),
            ..Whereabouts::default()
        },
        description: "It is broken.".into(),
        answers: vec![],
        channel: Channel::Web,
        photos: vec![],
        fixed: None,
    }
}

/// A case and its log, told command by command.
pub struct Tale<'p> {
    pub place: &'p Place,
    pub case: Case,
    pub log: Vec<Event>,
    pub now: Timestamp,
    pub chance: f64,
}

impl<'p> Tale<'p> {
    /// Begins with a report; on Wednesday the 13th at nine when nothing else is said.
    pub fn of(place: &'p Place, new: &NewReport, by: &Actor) -> Self {
        Self::told(place, new, by, may(13, 9, 0), 0.5).expect("the report is accepted")
    }

    pub fn told(
        place: &'p Place,
        new: &NewReport,
        by: &Actor,
        now: Timestamp,
        chance: f64,
    ) -> Result<Self, Refusal> {
        let context = Context {
            place,
            now,
            by,
            chance,
        };
        let log = report(new, CaseNumber(7), context)?;
        let tale = Self {
            place,
            case: Case::fold(CaseNumber(7), &log).unwrap(),
            log,
            now,
            chance,
        };
        tale.holds_from(0);
        Ok(tale)
    }

    /// A resident's report in the village.
    pub fn resident(service: &str) -> Tale<'static> {
        Tale::of(&VILLAGE, &matter(service), &Actor::Public)
    }

    pub fn after(&mut self, minutes: i64) -> &mut Self {
        self.now += SignedDuration::from_mins(minutes);
        self
    }

    pub fn at(&mut self, now: Timestamp) -> &mut Self {
        self.now = now;
        self
    }

    pub fn tries(&mut self, by: &Actor, act: &Act, text: &str) -> Result<usize, Refusal> {
        let context = Context {
            place: self.place,
            now: self.now,
            by,
            chance: self.chance,
        };
        let events = decide(&self.case, act, text, context)?;
        let (before, told) = (self.case.state.stage(), self.log.len());
        for event in &events {
            self.case.apply(event).unwrap();
        }
        self.log.extend(events.iter().cloned());
        if !events.is_empty() {
            let line = Transition::of(act.verb());
            assert!(
                line.leads(before, self.case.state.stage()),
                "{act:?} from {before:?}"
            );
        }
        self.holds_from(told);
        Ok(events.len())
    }

    /// Does something that must not be refused. The text is some reason.
    pub fn does(&mut self, by: &str, act: Act) -> &mut Self {
        let tried = self.tries(&post(by), &act, "because");
        assert!(tried.is_ok(), "{by} does {act:?}: {tried:?}");
        self
    }

    pub fn reporter_does(&mut self, act: Act) -> &mut Self {
        let tried = self.tries(&REPORTER, &act, "because");
        assert!(tried.is_ok(), "the reporter does {act:?}: {tried:?}");
        self
    }

    /// The stable word of a refusal.
    pub fn refused(&mut self, by: &Actor, act: Act) -> &'static str {
        let before = self.case.clone();
        let refusal = self.tries(by, &act, "because").expect_err("it is refused");
        assert_eq!(self.case, before);
        refusal.word()
    }

    pub fn words(&self) -> Vec<&'static str> {
        self.log.iter().map(|e| e.body.as_str()).collect()
    }

    /// What is true of every case at any time; `told` events were looked at before.
    fn holds_from(&self, told: usize) {
        let Self { case, log, place, .. } = self;
        assert_eq!(case.version as usize, log.len());
        assert_eq!(Case::fold(case.number, log).as_ref(), Ok(case));
        let mut stage = match told {
            0 => None,
            _ => Some(Case::fold(case.number, &log[..told]).unwrap().state.stage()),
        };
        for (nth, event) in log.iter().enumerate().skip(told) {
            let so_far = Case::fold(case.number, &log[..=nth]).unwrap();
            let after = so_far.state.stage();
            assert!(
                allows(stage, &event.body, after),
                "{:?} from {stage:?} to {after:?}",
                event.body
            );
            stage = Some(after);
        }
        assert!(log.is_sorted_by_key(|e| e.at), "time goes backwards");

        let clocks = case.clocks.all();
        let of_parts = || case.joint.iter().flat_map(|part| part.clocks.all());
        for clock in clocks.iter().chain(of_parts()).filter(|c| c.is_running()) {
            assert_eq!(clock.due_at, clock.reckon(&place.calendar), "{clock:?}");
            let next = place.ladder_of(case).next(clock, &place.calendar);
            assert_eq!(clock.step_at, next.map(|(_, at)| at), "{clock:?}");
        }
        assert!(
            clocks
                .iter()
                .chain(of_parts())
                .all(|c| c.is_running() || c.step_at.is_none()),
            "{case:?}"
        );
        for part in &case.joint {
            assert!(part.clocks.all().len() <= 1, "two limits of one part: {part:?}");
            let Some(clock) = part.clock() else { continue };
            assert_eq!((clock.kind, Some(clock.due_at)), (ClockKind::Joint, part.due_at));
            let stands = case.flags.parked_until.is_some();
            match (part.is_open() && case.state.is_open(), stands) {
                (true, true) => assert!(clock.is_paused(), "it runs while the case is parked: {part:?}"),
                (true, false) => assert!(clock.stopped_at.is_none(), "stopped while at work: {part:?}"),
                (false, _) => assert!(clock.stopped_at.is_some(), "it runs on: {part:?}"),
            }
        }
        let running = clocks.iter().filter(|c| c.is_running()).count();
        let parked = case.flags.parked_until.is_some();
        if parked {
            assert!(case.state.is_open() && case.flags.was_parked);
        }
        if parked || !case.state.is_undecided() {
            assert_eq!(running, 0, "{clocks:?}");
            assert!(!of_parts().any(Clock::is_running), "{case:?}");
        } else {
            let awaits_reporter = case.question.as_ref().is_some_and(Asked::stops_clocks);
            assert!(
                running > 0 || awaits_reporter,
                "a case that awaits somebody, without a limit: {case:?}"
            );
            if awaits_reporter {
                let mut run_on = clocks.iter().filter(|c| c.is_running());
                assert!(
                    run_on.all(|clock| clock.is_overdue(log.last().unwrap().at)),
                    "it runs while the reporter is asked: {clocks:?}"
                );
            }
        }
        if parked {
            assert!(case.question.is_none(), "it waits for two things: {case:?}");
        }
        if matches!(case.state.stage(), Stage::Handled) {
            assert!(!case.has_open_part(), "handled before all handed in: {case:?}");
        }
        for part in case.joint.iter().filter(|part| part.is_open()) {
            let same = case.joint.iter().filter(|p| p.is_open() && p.unit == part.unit);
            assert_eq!(same.count(), 1, "two open parts of one unit: {case:?}");
            assert_ne!(
                case.lead.as_ref(),
                Some(&part.unit),
                "a part beside the lead: {case:?}"
            );
        }
        if !case.state.is_open() || case.lead.is_none() {
            assert_eq!(case.request, None, "a request of nobody");
        }
        if !case.state.is_undecided() {
            assert!(clocks.iter().all(|c| c.stopped_at.is_some()), "{clocks:?}");
        }
        if !case.state.is_open() {
            assert_eq!(case.question, None, "a question about what is over");
            assert!(case.times.closed_at.is_some());
        }
    }

    pub fn clock(&self, kind: ClockKind) -> &Clock {
        self.case.clocks.get(kind).expect("it has this clock")
    }
}
