//! A month in a simulated town, on both databases, beside an independent model of it: `tests/month` draws what people do
//! there and works out, from the documents alone, what must come of it. Here it is done, with a clock that the test moves,
//! and compared event by event: what happened, who did it, when each limit and each step of its ladder is due.
//!
//! Among it all are commands that must be refused, stale ones, retries, processes that end in good order or not, a calendar
//! and ladders that change, and two days in which nobody looks after the clocks.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use whistle_domain::{
    case::{Actor, Body, Case, Channel, Event},
    command::{Act, NewReport, Whereabouts},
    geometry::Point,
    whistle::{
        Event as WhistleEvent, Whistle as Blown,
        command::{Act as WhistleAct, NewWhistle},
    },
    words::{CaseNumber, UnitCode, WhistleNumber},
};
use whistle_service::{
    Error, Here, Site, Whistle,
    case::With,
    secret::Contact,
    time::{Chance, Clock},
};
use whistle_testbed::{Bed, copy_folder};

/// Reports of one month: as many as every run has the time for; `WHISTLE_TEST_MONTH` says how many instead.
const CASES: usize = 100;

/// Where chance begins; `WHISTLE_TEST_SEED` says where instead.
const SEED: u64 = 28310;

/// So many differences are shown: the others mostly follow from them.
const SHOWN: usize = 12;

/// The time of day, and how long the processes have run.
#[derive(Clone)]
struct Hands(Arc<Mutex<(Timestamp, Duration)>>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn running(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

impl Hands {
    fn set(&self, now: Timestamp) {
        let mut hands = self.0.lock().unwrap();
        let passed = now.duration_since(hands.0);
        hands.1 += Duration::try_from(passed).expect("time goes forward");
        hands.0 = now;
    }

    fn run(&self, time: Duration) {
        self.0.lock().unwrap().1 += time;
    }
}

/// A line of the script.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Do {
        at: Timestamp,
        r#do: Vec<Value>,
    },
    Restart {
        at: Timestamp,
        restart: Ending,
    },
    Apply {
        at: Timestamp,
        apply: String,
    },
    Look {
        at: Timestamp,
        #[serde(rename = "look")]
        _look: bool,
    },
    Case {
        case: usize,
        events: Vec<Map<String, Value>>,
        state: Value,
    },
    Whistle {
        whistle: usize,
        events: Vec<Map<String, Value>>,
        state: Value,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ending {
    /// In good order.
    Close,
    /// Without a word to anybody.
    Crash,
}

/// What became of a command.
enum Became {
    Case(usize, CaseNumber),
    Whistle(usize, WhistleNumber),
    Nothing,
}

struct Town {
    bed: Bed,
    hands: Hands,
    whistle: Whistle,
    here: Here,
    restarts: u64,
    runtime: tokio::runtime::Runtime,
    cases: HashMap<usize, CaseNumber>,
    whistles: HashMap<usize, WhistleNumber>,
    differences: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/month")
}

fn open(bed: &Bed, hands: &Hands, seed: u64) -> Whistle {
    let site = Site {
        database_url: bed.database_url().map(str::to_owned),
        ..bed.path().into()
    };
    Whistle::open_with(site, Box::new(hands.clone()), Chance::from_seed(seed)).unwrap()
}

impl Town {
    fn begin(at: Timestamp) -> Self {
        let bed = Bed::new();
        let hands = Hands(Arc::new(Mutex::new((at, Duration::from_secs(1000)))));
        let whistle = open(&bed, &hands, 1);
        whistle.apply(&folder().join("town")).unwrap();
        let here = whistle.places().all()[0].clone();
        Self {
            bed,
            hands,
            whistle,
            here,
            restarts: 1,
            runtime: tokio::runtime::Runtime::new().unwrap(),
            cases: HashMap::new(),
            whistles: HashMap::new(),
            differences: Vec::new(),
        }
    }

    /// Looks after the clocks until there is nothing more to do at this instant.
    fn look(&self) {
        loop {
            self.hands.run(Duration::from_secs(1));
            let done = self.whistle.do_duties().unwrap();
            if done.escalated + done.woken + done.reckoned == 0 {
                return;
            }
        }
    }

    fn restart(&mut self, ending: &Ending) {
        if let Ending::Close = ending {
            self.whistle.close();
        }
        self.restarts += 1;
        self.whistle = open(&self.bed, &self.hands, self.restarts);
        self.here = self.whistle.places().all()[0].clone();
        // Whoever was silent for long enough is replaced.
        for _ in 0..20 {
            self.hands.run(Duration::from_secs(1));
            self.whistle.do_duties().unwrap();
        }
    }

    /// Puts the town in force with the files of another folder in place of its own.
    fn apply(&mut self, name: &str) {
        let changed = self.bed.path().join(name);
        copy_folder(&folder().join("town"), &changed);
        copy_folder(&folder().join(name), &changed);
        self.whistle.apply(&changed).unwrap();
        self.here = self.whistle.places().all()[0].clone();
        for _ in 0..8 {
            self.hands.run(Duration::from_secs(1));
            self.whistle.do_duties().unwrap();
        }
    }

    /// Does what several people do at one instant, at once: each to another case.
    fn do_all(&mut self, at: Timestamp, commands: Vec<Value>) {
        let tasks: Vec<_> = commands
            .into_iter()
            .map(|mut command| {
                self.name_numbers(&mut command);
                let told = format!("{at} {command}");
                let (whistle, here) = (self.whistle.clone(), self.here.clone());
                (told, self.runtime.spawn(send(whistle, here, command)))
            })
            .collect();
        for (told, task) in tasks {
            match self.runtime.block_on(task).unwrap() {
                Ok(Became::Case(index, number)) => {
                    if self.cases.insert(index, number).is_some_and(|had| had != number) {
                        self.differs(format!("{told}\n  a retry made a second case"));
                    }
                }
                Ok(Became::Whistle(index, number)) => drop(self.whistles.insert(index, number)),
                Ok(Became::Nothing) => {}
                Err(differs) => self.differs(format!("{told}\n  {differs}")),
            }
        }
    }

    /// The script counts cases and whistles; Whistle has numbers for them.
    fn name_numbers(&self, command: &mut Value) {
        let number = |index: &Value| {
            let index = usize::try_from(index.as_u64().unwrap()).unwrap();
            json!(self.cases[&index].0)
        };
        if let Some(act) = command.get("act").map(number) {
            command["number"] = act;
        }
        if let Some(cases) = command.get_mut("cases").and_then(Value::as_array_mut) {
            for case in cases {
                *case = number(case);
            }
        }
        if let Some(duties) = command.pointer_mut("/verb/duties").and_then(Value::as_array_mut) {
            for duty in duties {
                duty["case"] = number(&duty["case"]);
            }
        }
        if let Some(index) = command.get("whistle_act").and_then(Value::as_u64) {
            command["number"] = json!(self.whistles[&usize::try_from(index).unwrap()].0);
        }
    }

    fn differs(&mut self, told: String) {
        self.differences.push(told);
    }

    fn case_is(&mut self, index: usize, expected: &[Map<String, Value>], state: &Value) {
        let number = self.cases[&index];
        let found = self.whistle.case_and_log(&self.here, number);
        let (case, log) = self.runtime.block_on(found).unwrap();
        let mut folded: Option<Case> = None;
        let found: Vec<Map<String, Value>> = log
            .iter()
            .map(|event| {
                let case = match folded.take() {
                    Some(mut case) => {
                        case.apply(event).unwrap();
                        case
                    }
                    None => Case::begin(number, event).unwrap(),
                };
                let clocks = clocks_of(&case);
                folded = Some(case);
                written(event, clocks)
            })
            .collect();
        self.log_is(&format!("case {index}"), &found, expected);
        let mut found = json!({
            "stage": case.state.stage(), "outcome": case.state.outcome(), "version": case.version,
            "standard": case.standard, "lead": case.lead,
        });
        let flags = &case.flags;
        let more = json!({
            "was_parked": flags.was_parked, "parked_until": flags.parked_until, "extended": flags.extended,
            "returned": flags.returned, "reworked": flags.reworked, "reopened": flags.reopened,
            "supervised": flags.supervised, "recheck": flags.recheck, "on_the_spot": flags.on_the_spot,
        });
        found
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        if found != *state {
            self.differs(format!("case {index} is\n  {found}, expected\n  {state}"));
        }
    }

    fn whistle_is(&mut self, index: usize, expected: &[Map<String, Value>], state: &Value) {
        let number = self.whistles[&index];
        let by = self.here.place.post("CITY-L").unwrap();
        let by = whistle_service::account::actor_of(by, 1);
        let found = self.whistle.whistle_and_log(&self.here, number, &by);
        let (whistle, log) = self.runtime.block_on(found).unwrap();
        let mut folded: Option<Blown> = None;
        let found: Vec<Map<String, Value>> = log
            .iter()
            .map(|event| {
                let whistle = match folded.take() {
                    Some(mut whistle) => {
                        whistle.apply(event).unwrap();
                        whistle
                    }
                    None => Blown::begin(number, event).unwrap(),
                };
                let clocks = calls_of(&whistle);
                folded = Some(whistle);
                written_of_whistle(event, clocks)
            })
            .collect();
        self.log_is(&format!("whistle {index}"), &found, expected);
        let calls: BTreeMap<_, _> = whistle
            .calls
            .iter()
            .map(|call| (call.unit.to_string(), json!(call.state)))
            .collect();
        let found = json!({ "stage": whistle.stage, "version": whistle.version, "calls": calls });
        if found != *state {
            self.differs(format!("whistle {index} is\n  {found}, expected\n  {state}"));
        }
    }

    /// All that is expected stands in the log, in this order, and no event more.
    fn log_is(&mut self, what: &str, found: &[Map<String, Value>], expected: &[Map<String, Value>]) {
        for position in 0..found.len().max(expected.len()) {
            let (found, expected) = (found.get(position), expected.get(position));
            let same = found.zip(expected).is_some_and(|(found, expected)| {
                expected
                    .iter()
                    .all(|(key, value)| found.get(key).unwrap_or(&Value::Null) == value)
            });
            if !same {
                let text = |event: Option<&Map<String, Value>>| {
                    event.map_or("nothing".to_owned(), |event| json!(event).to_string())
                };
                self.differs(format!(
                    "{what}, event {}:\n  {}, expected\n  {}",
                    position + 1,
                    text(found),
                    text(expected)
                ));
                return;
            }
        }
    }
}

fn field<T: serde::de::DeserializeOwned>(command: &Value, name: &str) -> T {
    let value = command.get(name).unwrap_or(&Value::Null).clone();
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{name}: {error} in {command}"))
}

async fn send(whistle: Whistle, here: Here, command: Value) -> Result<Became, String> {
    let by: Actor = field(&command, "by");
    let expect: Vec<String> = field::<Option<_>>(&command, "expect").unwrap_or_default();
    let has = |name: &str| command.get(name).is_some();
    let became: Result<Became, Error> = if has("report") {
        let (lon, lat): (f64, f64) = field(&command, "point");
        let new = NewReport {
            service: field(&command, "service"),
            standard: None,
            whereabouts: Whereabouts {
                point: Some(Point::new(lon, lat).unwrap()),
                ..Whereabouts::default()
            },
            description: "It is broken.".to_owned(),
            answers: Vec::new(),
            channel: Channel::Web,
            photos: Vec::new(),
            fixed: field(&command, "fixed"),
        };
        let with = With {
            contact: Contact {
                email: field(&command, "email"),
                ..Contact::default()
            },
            idempotency_key: field(&command, "key"),
            ..With::default()
        };
        let receipt = whistle.report(&here, new, by, with).await;
        receipt.map(|receipt| Became::Case(field(&command, "report"), receipt.number))
    } else if has("act") {
        let act: Act = field(&command, "verb");
        let (number, seen) = (field(&command, "number"), field(&command, "seen"));
        let done = whistle
            .act(&here, number, seen, act, field(&command, "text"), by)
            .await;
        done.map(|_| Became::Nothing)
    } else if has("blow") {
        let new = NewWhistle {
            kind: field(&command, "kind"),
            cases: field(&command, "cases"),
            units: field(&command, "units"),
            lead: field::<UnitCode>(&command, "lead"),
            place: "At the mill".to_owned(),
            meet_at: field(&command, "meet_at"),
            matter: "Too much for one".to_owned(),
        };
        let blown = whistle.blow(&here, new, by, None).await;
        blown.map(|blown| Became::Whistle(field(&command, "blow"), blown.number))
    } else {
        let act: WhistleAct = field(&command, "verb");
        let (number, seen, text) = (
            field(&command, "number"),
            field(&command, "seen"),
            field(&command, "text"),
        );
        let done = whistle
            .act_on_whistle(&here, number, seen, act, text, by, None)
            .await;
        done.map(|_| Became::Nothing)
    };
    match became {
        Ok(became) if expect.is_empty() => Ok(became),
        Ok(_) => Err("was done".to_owned()),
        Err(error) if expect.iter().any(|word| word == error.word()) => Ok(Became::Nothing),
        Err(error) => Err(format!("was refused as {:?}: {error}", error.word())),
    }
}

/// The clocks that run or stand, of the whole and of the parts that units are at work on.
fn clocks_of(case: &Case) -> Value {
    let whole = case.clocks.all().iter().map(|clock| (None, clock));
    let parts = case.part_clocks().map(|(unit, clock)| (Some(unit), clock));
    let open = whole.chain(parts).filter(|(_, clock)| clock.stopped_at.is_none());
    let open: BTreeMap<String, Value> = open
        .map(|(unit, clock)| {
            let kind = clock.kind.as_str();
            let name = unit.map_or_else(|| kind.to_owned(), |unit| format!("{kind} {unit}"));
            let told =
                json!({ "due_at": clock.due_at, "step_at": clock.step_at, "paused": clock.is_paused() });
            (name, told)
        })
        .collect();
    json!(open)
}

fn calls_of(whistle: &Blown) -> Value {
    let mut open = BTreeMap::new();
    for call in &whistle.calls {
        for clock in call
            .clocks
            .all()
            .iter()
            .filter(|clock| clock.stopped_at.is_none())
        {
            open.insert(format!("{} {}", call.unit, clock.kind.as_str()), clock.due_at);
        }
    }
    json!(open)
}

fn written(event: &Event, clocks: Value) -> Map<String, Value> {
    let mut body = match json!(event.body) {
        Value::Object(body) => body,
        other => panic!("{other}"),
    };
    if let Body::Whistled { .. } = event.body {
        body.remove("whistle");
    }
    body.insert("at".into(), json!(event.at));
    body.insert("by".into(), json!(event.by));
    body.insert("clocks".into(), clocks);
    body
}

fn written_of_whistle(event: &WhistleEvent, clocks: Value) -> Map<String, Value> {
    let mut body = match json!(event.body) {
        Value::Object(body) => body,
        other => panic!("{other}"),
    };
    body.insert("at".into(), json!(event.at));
    body.insert("by".into(), json!(event.by));
    body.insert("clocks".into(), clocks);
    body
}

fn script(season: &str, cases: usize, seed: u64) -> Vec<Line> {
    let script = folder().join("script.py");
    let output = Command::new("python3")
        .arg("-B")
        .arg(script)
        .args([season, &cases.to_string(), &seed.to_string()])
        .output()
        .expect("python3 is there; scripts/setup test installs it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn month(season: &str, begin: &str) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("WHISTLE_TEST_SEED").unwrap_or(SEED);
    let cases = number("WHISTLE_TEST_MONTH").map_or(CASES, |cases| usize::try_from(cases).unwrap());
    eprintln!("{season}, {cases} cases; again with WHISTLE_TEST_SEED={seed}");
    let lines = script(season, cases, seed);
    let mut town = Town::begin(begin.parse().unwrap());
    let began = Instant::now();
    let (mut commands, mut looks, mut events) = (0, 0, 0);
    for line in lines {
        if let Line::Do { at, .. }
        | Line::Restart { at, .. }
        | Line::Apply { at, .. }
        | Line::Look { at, .. } = &line
        {
            town.hands.set(*at);
        }
        match line {
            Line::Do { at, r#do } => {
                commands += r#do.len();
                town.do_all(at, r#do);
            }
            Line::Restart { restart, .. } => town.restart(&restart),
            Line::Apply { apply, .. } => town.apply(&apply),
            Line::Look { .. } => {
                looks += 1;
                town.look();
            }
            Line::Case {
                case,
                events: expected,
                state,
            } => {
                events += expected.len();
                town.case_is(case, &expected, &state);
            }
            Line::Whistle {
                whistle,
                events: expected,
                state,
            } => {
                events += expected.len();
                town.whistle_is(whistle, &expected, &state);
            }
        }
    }
    eprintln!(
        "{commands} commands, {looks} looks, {events} events in {:?}",
        began.elapsed()
    );
    let differences = &town.differences;
    assert!(
        differences.is_empty(),
        "{} differences between Whistle and the model; seed {seed}:\n{}",
        differences.len(),
        differences
            .iter()
            .take(SHOWN)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    );
    let audit = town.whistle.audit(&town.here, |_| {}).unwrap();
    assert_eq!(audit.findings, Vec::<String>::new());
}

#[test]
fn a_month_in_which_the_clock_jumps_goes_as_the_model_says() {
    month("spring", "2026-03-16T05:00:00Z");
}

#[test]
fn a_month_in_which_an_hour_is_repeated_goes_as_the_model_says() {
    month("autumn", "2026-10-05T05:00:00Z");
}
