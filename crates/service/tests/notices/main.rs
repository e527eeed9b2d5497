//! Who is told of what happens to a case: each command at least once, whatever becomes of the process, and once when nothing
//! fails. Against a real mail server and a real receiver, on loopback.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use whistle_domain::{
    case::{Actor, Answer, Body, Channel, Outcome, Respondent, SupervisionKind},
    command::{Act, NewReport, Whereabouts},
    geometry::Point,
    whistle::{
        self, Whistle as Blown,
        command::{NewDuty, NewWhistle},
    },
    words::{CaseNumber, Lang, Subject, UnitCode, WhistleNumber},
};
use whistle_service::{
    Error, Here, Site, Whistle,
    account::actor_of,
    case::{Receipt, With},
    notices::{Courier, NewWebhook, Outgoing, Outlet, Round, State, Stopping, Taken, WebhookChange},
    secret::{self, Contact},
    time::{Chance, Clock},
};
use whistle_testbed::{
    Bed, copy_folder,
    post::{Fate, Mail, MailServer, Receiver},
};

mod devices;
mod readers;

const LI: &str = "li@example.org";

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
    fn pass(&self, time: Duration) {
        let mut hands = self.0.lock().unwrap();
        hands.0 += SignedDuration::try_from(time).unwrap();
        hands.1 += time;
    }
}

/// An install with what its notices arrive at. Processes come and go.
struct World {
    bed: Bed,
    hands: Hands,
    mail: MailServer,
    calls: Receiver,
    has_mail: bool,
    /// How long a mail server may keep a process waiting.
    patience: Duration,
}

/// One process.
struct Process {
    whistle: Whistle,
    here: Here,
    courier: Courier,
}

impl World {
    fn new() -> Self {
        let world = Self::unapplied();
        world.open(0).apply(&village(&world.bed)).unwrap();
        world
    }

    /// An install whose place's files an edit changes before they are applied: a file, what is in it, what shall be.
    fn with(edits: &[(&str, &str, &str)]) -> Self {
        let world = Self::unapplied();
        let folder = village(&world.bed);
        for (file, from, to) in edits {
            let path = folder.join(file);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{file}: {from}");
            fs::write(path, text.replace(from, to)).unwrap();
        }
        world.open(0).apply(&folder).unwrap();
        world
    }

    fn unapplied() -> Self {
        let monday = "2026-11-02T01:00:00Z".parse().unwrap();
        Self {
            bed: Bed::new(),
            hands: Hands(Arc::new(Mutex::new((monday, Duration::from_secs(1000))))),
            mail: MailServer::new(),
            calls: Receiver::new(),
            has_mail: true,
            patience: Outlet::TIMEOUT,
        }
    }

    fn open(&self, seed: u64) -> Whistle {
        let site = Site {
            database_url: self.bed.database_url().map(str::to_owned),
            ..self.bed.path().join("data").into()
        };
        Whistle::open_with(site, Box::new(self.hands.clone()), Chance::from_seed(seed)).unwrap()
    }

    /// A process that looks after the notices, once whoever did it before has been silent for long enough.
    fn start(&self, seed: u64) -> Process {
        let whistle = self.open(seed);
        whistle.do_duties().unwrap();
        self.hands.pass(Duration::from_secs(6));
        whistle.do_duties().unwrap();
        let here = whistle.places().all()[0].clone();
        let outgoing = Outgoing {
            mail: self.has_mail.then(|| Outlet {
                smtp: self.mail.url(),
                from: "Willow Brook <whistle@example.org>".to_owned(),
                reply: Some("reply@example.org".to_owned()),
                timeout: self.patience,
            }),
            base_url: Some("https://whistle.example.org".to_owned()),
            private_webhooks: true,
        };
        Process {
            courier: Courier::open(whistle.clone(), outgoing).unwrap(),
            here,
            whistle,
        }
    }

    /// The subjects of the mails that arrived, with whom they went to.
    fn subjects(&self) -> Vec<(String, String)> {
        let subject = |mail: &Mail| (mail.to.clone(), plain(&mail.header("Subject").unwrap()));
        self.mail.desk.taken().iter().map(subject).collect()
    }

    fn events(&self) -> Vec<String> {
        let calls = self.calls.desk.taken();
        calls.iter().map(|call| event(&call.body)).collect()
    }
}

fn event(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    format!("{} {}", body["data"]["number"], body["type"].as_str().unwrap())
}

/// A header in plain letters; ours are in English here and need no code.
fn plain(header: &str) -> String {
    assert!(!header.contains("=?"), "{header}");
    header.to_owned()
}

/// The village, with mail boxes for all units. Its ladders step far behind what these tests wait for.
fn village(bed: &Bed) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
    let to = bed.path().join("village");
    copy_folder(&from, &to);
    let edit = |name: &str, from: &str, with: &str| {
        let path = to.join(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{name}: {from}");
        fs::write(path, text.replace(from, with)).unwrap();
    };
    // What clocks tell has tests of its own.
    edit(
        "escalations.csv",
        "default,*,80%,@unit_lead\n,*,overdue,@unit_lead\n,*,200%,@town\n,*,300%,@city\n",
        "default,verify,30000%,@city\n",
    );
    edit(
        "units.csv",
        "department,,CITY,,,,",
        "department,,CITY,,,,water@example.org",
    );
    edit("units.csv", "230599,CITY,,,,", "230599,CITY,,,,roads@example.org");
    fs::write(
        to.join("escalations.csv"),
        "ladder,clock,at,to\ndefault,*,overdue + 900h running,CITY-L\n",
    )
    .unwrap();
    // One standard is left for a leak, so that it goes straight to its unit.
    edit("standards.csv", "WAT-LEAK-2,,", "RD-SIGN-2,RD-SIGN,");
    edit("jurisdiction.toml", "[\"zh\", \"en\"]", "[\"en\", \"zh\"]");
    to
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn li() -> Contact {
    Contact {
        email: LI.to_owned(),
        lang: Some(Lang::En),
        ..Contact::default()
    }
}

impl Process {
    fn report(&self, contact: Contact) -> CaseNumber {
        self.file(contact).number
    }

    fn file(&self, contact: Contact) -> Receipt {
        let new = NewReport {
            service: "WAT-LEAK".parse().unwrap(),
            standard: None,
            whereabouts: Whereabouts {
                point: Some(Point::new(131.8152, 46.2051).unwrap()),
                ..Whereabouts::default()
            },
            description: "Water on the road.".to_owned(),
            answers: vec![Answer {
                question: "size".to_owned(),
                values: vec!["drip".to_owned()],
            }],
            channel: Channel::Web,
            photos: Vec::new(),
            fixed: None,
        };
        let with = With {
            contact,
            ..With::default()
        };
        wait(self.whistle.report(&self.here, new, Actor::Public, with)).unwrap()
    }

    fn act(&self, number: CaseNumber, post: &str, act: Act, text: &str) {
        let by = actor_of(self.here.place.post(post).unwrap(), post.len() as i64);
        self.act_by(number, by, act, text);
    }

    /// What the first reporter does.
    fn answer(&self, number: CaseNumber, act: Act, text: &str) {
        self.act_by(number, Actor::Reporter { report: 1 }, act, text);
    }

    fn act_by(&self, number: CaseNumber, by: Actor, act: Act, text: &str) {
        wait(
            self.whistle
                .act(&self.here, number, None, act, text.to_owned(), by),
        )
        .unwrap();
    }

    fn comment(&self, number: CaseNumber, text: &str) {
        self.act(number, "CITY-D", Act::Comment { public: true }, text);
    }

    fn round(&self) -> Round {
        self.courier.round().unwrap()
    }

    /// Rounds and time, until nothing is left to do.
    fn finish(&self, hands: &Hands) {
        for _ in 0..60 {
            hands.pass(Duration::from_hours(1));
            self.whistle.do_duties().unwrap();
            self.round();
            if self.in_state(State::Waiting).is_empty() {
                return;
            }
        }
        panic!("{:#?}", self.in_state(State::Waiting));
    }

    fn in_state(&self, state: State) -> Vec<whistle_service::notices::Delivery> {
        self.whistle.deliveries(&self.here, state, None).unwrap()
    }

    fn stop_link(mail: &Mail) -> String {
        let link = mail.header("List-Unsubscribe").unwrap();
        let link = link.trim_matches(['<', '>']);
        link.strip_prefix("https://whistle.example.org/notices/stop?t=")
            .unwrap()
            .to_owned()
    }
}

// ---- who is told what ---------------------------------------------------------------------------------------------

#[test]
fn a_reporter_and_a_unit_are_told_of_a_case_from_receipt_to_close_once_each_and_in_order() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(li());
    let told = |act: Act, post: &str, text: &str| {
        process.act(number, post, act, text);
        world.hands.pass(Duration::from_hours(1));
        process.whistle.do_duties().unwrap();
        process.round();
    };
    process.round();
    told(Act::ReportIn, "WATER-H", "");
    let outcome = Outcome::Resolved;
    told(
        Act::Handle { outcome },
        "WATER-H",
        "The pipe is tight. Ask li@example.org.",
    );
    told(Act::Rework, "CITY-D", "It still leaks.");
    told(Act::Handle { outcome }, "WATER-H", "Now it is.");
    told(Act::Verify, "CITY-D", "");
    let n = number.0;
    let expected = [
        (LI, format!("We have your report: case {n}")),
        ("water@example.org", format!("[{n}] new: Leaking pipe")),
        (LI, format!("Case {n}: Water Department is on it")),
        (LI, format!("Case {n}: is it done?")),
        ("water@example.org", format!("[{n}] not done: Leaking pipe")),
        (LI, format!("Case {n}: is it done?")),
        (LI, format!("Case {n}: closed, resolved")),
    ];
    let expected = expected.map(|(to, subject)| (to.to_owned(), subject));
    let mut found = world.subjects();
    // Two readers are told at one time, in any order.
    found[..2].sort();
    let mut expected = expected.to_vec();
    expected[..2].sort();
    assert_eq!(found, expected);
    let handled = &world.mail.desk.taken()[3].text;
    assert!(
        handled.contains("Ask =E2=80=A2"),
        "an address in a public text is masked: {handled}"
    );
    assert!(handled.contains(&format!("/follow?number=3D{n}")), "{handled}");
    assert!(process.in_state(State::Waiting).is_empty());
    assert_eq!(process.in_state(State::Sent).len(), 7);
    assert_eq!(process.round(), Round::default(), "the outbox is empty");
}

#[test]
fn nobody_is_told_and_nothing_stays_where_nothing_is_set_up() {
    let mut world = World::new();
    world.has_mail = false;
    let process = world.start(1);
    process.report(li());
    assert_eq!(process.round(), Round::default());
    world.has_mail = true;
    let process = world.start(2);
    assert_eq!(process.round(), Round::default(), "it was left in the outbox");
    assert!(world.subjects().is_empty());
}

#[test]
fn a_mail_says_in_its_head_how_to_answer_it_and_how_to_get_no_more() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(li());
    process.round();
    let mails = world.mail.desk.taken();
    let mail = mails.iter().find(|mail| mail.to == LI).unwrap();
    let header = mail.header("From").unwrap();
    assert!(header.contains("<whistle@example.org>"), "{header}");
    assert!(
        mail.from.starts_with("reply+n-"),
        "what bounces is known: {}",
        mail.from
    );
    assert_eq!(mail.header("Auto-Submitted").as_deref(), Some("auto-generated"));
    assert_eq!(
        mail.header("List-Unsubscribe-Post").as_deref(),
        Some("List-Unsubscribe=One-Click")
    );
    let reply = mail.header("Reply-To").unwrap();
    assert!(reply.starts_with(&format!("reply+n-1-{number}-1-")), "{reply}");
    let unit = mails.iter().find(|mail| mail.to == "water@example.org").unwrap();
    assert_eq!(unit.header("Reply-To"), None);
    assert!(unit.header("List-Unsubscribe").is_some());
    let code = wait(process.whistle.case(&process.here, number)).is_ok();
    assert!(code && !unit.text.contains("code"), "a unit gets no code");
}

#[test]
fn a_place_says_it_in_its_own_words_and_what_is_wrong_in_them_is_not_applied() {
    let world = World::new();
    let process = world.start(1);
    let folder = world.bed.path().join("village");
    fs::create_dir_all(folder.join("notices/en")).unwrap();
    let path = folder.join("notices/en/received.txt");
    fs::write(&path, "Got it\n\nDear {{ citizen }}\n").unwrap();
    match process.whistle.apply(&folder).unwrap_err() {
        Error::Faults(faults) => {
            let shown = faults.to_string();
            assert!(
                shown.contains("notices/en/received.txt:3: \"citizen\" is not known"),
                "{shown}"
            );
        }
        other => panic!("{other}"),
    }
    fs::write(&path, "Got it, {{ number }}\n\nDear neighbour\n").unwrap();
    process.whistle.apply(&folder).unwrap();
    let number = process.report(li());
    process.round();
    assert!(
        world
            .subjects()
            .contains(&(LI.to_owned(), format!("Got it, {number}")))
    );
}

/// Mails without a window, so that each is seen by itself.
const AT_ONCE: (&str, &str, &str) = (
    "jurisdiction.toml",
    "triage = \"30m working\"",
    "triage = \"30m working\"\ndigest = \"0\"",
);

/// What arrived since this was last asked: to whom, and the subject.
fn news<'w>(world: &'w World, process: &'w Process) -> impl FnMut() -> Vec<String> + 'w {
    let mut before = 0;
    move || {
        process.round();
        let all = world.subjects();
        let mut new: Vec<String> = all[before..]
            .iter()
            .map(|(to, subject)| format!("{}: {subject}", to.split('@').next().unwrap()))
            .collect();
        before = all.len();
        new.sort();
        new
    }
}

#[test]
fn a_station_hears_what_it_must_decide_and_a_unit_what_was_decided() {
    let world = World::with(&[UPSTREAM, AT_ONCE]);
    let process = world.start(1);
    let number = process.report(Contact::default());
    let mut news = news(&world, &process);
    assert_eq!(
        news(),
        ["water: [1] new: Leaking pipe"],
        "it went straight through"
    );
    process.act(number, "WATER-H", Act::ReportIn, "");
    let until = "2026-11-09".parse().unwrap();
    process.act(number, "WATER-H", Act::AskToPark { until }, "No pipe is there.");
    assert_eq!(news(), ["upstream: [1] asked to let it wait: Leaking pipe"]);
    process.act(number, "CITY-D", Act::RefuseRequest, "There is one.");
    assert_eq!(news(), ["water: [1] refused: Leaking pipe"]);
    let mail = world.mail.desk.taken().pop().unwrap().text;
    assert!(mail.contains("There is one."), "{mail}");
    process.act(number, "WATER-H", Act::AskToExtend, "It is deep.");
    assert_eq!(news(), ["upstream: [1] asked for more time: Leaking pipe"]);
    process.act(number, "CITY-D", Act::GrantRequest, "");
    assert_eq!(news(), ["water: [1] more time: Leaking pipe"]);
    process.act(number, "WATER-H", Act::AskToPark { until }, "Now there is none.");
    assert_eq!(news().len(), 1);
    process.act(number, "CITY-D", Act::GrantRequest, "");
    assert_eq!(news(), ["water: [1] waits until 2026-11-09: Leaking pipe"]);
    process.act(number, "CITY-D", Act::Resume, "");
    assert_eq!(news(), [""; 0]);
    process.act(
        number,
        "CITY-L",
        Act::Supervise {
            on: true,
            kind: SupervisionKind::Important,
        },
        "The mayor asks.",
    );
    assert_eq!(news(), ["water: [1] watched over: Leaking pipe"]);
    process.answer(number, Act::Comment { public: false }, "It grows.");
    assert_eq!(
        news(),
        [
            "upstream: [1] the reporter says: Leaking pipe",
            "water: [1] the reporter says: Leaking pipe"
        ]
    );
    let outcome = Outcome::Resolved;
    process.act(number, "WATER-H", Act::Handle { outcome }, "Done.");
    process.act(number, "CITY-D", Act::Verify, "");
    process.answer(number, Act::RequestReopen, "It leaks again.");
    assert_eq!(news(), ["upstream: [1] asked to open again: Leaking pipe"]);
    let mail = world.mail.desk.taken().pop().unwrap().text;
    assert!(mail.contains("It leaks again."), "{mail}");
}

#[test]
fn who_asked_and_the_unit_of_the_case_hear_the_answer_with_its_question() {
    let world = World::with(&[UPSTREAM, AT_ONCE]);
    let process = world.start(1);
    let number = process.report(Contact::default());
    let mut news = news(&world, &process);
    news();
    let ask = |choices: &[&str]| Act::Ask {
        of: Respondent::Reporter { report: 1 },
        choices: choices.iter().map(|&choice| choice.to_owned()).collect(),
        until: "2026-11-04".parse().unwrap(),
        reachable: true,
    };
    process.act(number, "CITY-D", ask(&["yes", "no"]), "Is it hot?");
    assert_eq!(news(), [""; 0]);
    let choice = Some("yes".to_owned());
    process.answer(number, Act::Answer { choice }, "Very.");
    let answered = "[1] answered: Leaking pipe";
    assert_eq!(
        news(),
        [format!("centre: {answered}"), format!("water: {answered}")]
    );
    let mail = world.mail.desk.taken().pop().unwrap().text;
    for part in ["Question: Is it hot?", "Answer: yes\nVery."] {
        assert!(mail.contains(part), "{part}: {mail}");
    }
    process.act(number, "WATER-H", ask(&[]), "How deep?");
    world.hands.pass(Duration::from_hours(72));
    process.whistle.do_duties().unwrap();
    process.whistle.take_steps().unwrap();
    assert_eq!(news(), ["water: [1] no answer: Leaking pipe"]);
}

#[test]
fn a_joint_unit_is_told_of_its_part_and_its_limit_and_the_lead_of_what_became_of_it() {
    let world = World::with(&[AT_ONCE]);
    let process = world.start(1);
    let number = process.report(Contact::default());
    let mut news = news(&world, &process);
    news();
    let joint = || Act::AssignJoint {
        unit: code("ROADS"),
        limit: Some("1d calendar".parse().unwrap()),
    };
    process.act(number, "CITY-D", joint(), "Open the road.");
    assert_eq!(news(), ["roads: [1] your part: Leaking pipe"]);
    let mail = world.mail.desk.taken().pop().unwrap().text.replace("=\n", "");
    for part in [
        "You have a part in case 1. Water Department leads it.",
        "Your part is due: 2026-11-03 ",
        "Open the road.",
    ] {
        assert!(mail.contains(part), "{part}: {mail}");
    }
    process.act(number, "ROADS-H", Act::HandleJoint, "It is open.");
    assert_eq!(
        news(),
        ["water: [1] Roads Department has done its part: Leaking pipe"]
    );
    process.act(number, "CITY-D", joint(), "Once more.");
    news();
    let unit = code("ROADS");
    process.act(number, "CITY-D", Act::ReleaseJoint { unit }, "It is not needed.");
    assert_eq!(
        news(),
        [
            "roads: [1] no longer yours: Leaking pipe",
            "water: [1] Roads Department is let off its part: Leaking pipe"
        ]
    );
}

#[test]
fn a_unit_hears_that_its_case_was_withdrawn_merged_or_given_away() {
    let world = World::with(&[AT_ONCE]);
    let process = world.start(1);
    let [one, two, three] = [1, 2, 3].map(|_| process.report(Contact::default()));
    let mut news = news(&world, &process);
    news();
    process.answer(one, Act::Withdraw, "It stopped.");
    assert_eq!(news(), ["water: [1] no longer yours: Leaking pipe"]);
    let mail = world.mail.desk.taken().pop().unwrap().text.replace("=\n", "");
    assert!(
        mail.contains("It is closed: withdrawn.") && mail.contains("It stopped."),
        "{mail}"
    );
    process.act(two, "CITY-D", Act::Merge { into: three }, "");
    assert_eq!(news(), ["water: [2] no longer yours: Leaking pipe"]);
    let mail = world.mail.desk.taken().pop().unwrap().text.replace("=\n", "");
    assert!(mail.contains("It goes on as case 3."), "{mail}");
    let unit = Some(code("ROADS"));
    process.act(three, "CITY-D", Act::Assign { unit }, "A drain.");
    assert_eq!(
        news(),
        [
            "roads: [3] new: Leaking pipe",
            "water: [3] no longer yours: Leaking pipe"
        ]
    );
    let mails = world.mail.desk.taken();
    let away = mails.iter().rfind(|mail| mail.to == "water@example.org").unwrap();
    let text = away.text.replace("=\n", "");
    assert!(text.contains("With: Roads Department"), "{text}");
}

#[test]
fn a_station_hears_of_a_new_case_that_no_unit_has() {
    // Two standards again, so that somebody must say which.
    let world = World::with(&[UPSTREAM, ("standards.csv", "RD-SIGN-2,RD-SIGN,", "WAT-LEAK-2,,")]);
    let process = world.start(1);
    process.report(Contact::default());
    assert_eq!(
        news(&world, &process)(),
        ["upstream: [1] to take up: Leaking pipe"]
    );
    let mail = world.mail.desk.taken().pop().unwrap().text;
    assert!(mail.contains("Water on the road."), "{mail}");
}

#[test]
fn who_joins_is_told_so_and_is_not_offered_to_take_the_case_back() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(Contact::default());
    process.round();
    let with = With {
        contact: li(),
        ..With::default()
    };
    let text = "Here, too.".to_owned();
    let joined = process
        .whistle
        .join(&process.here, number, Channel::Web, text, Actor::Public, with);
    wait(joined).unwrap();
    process.round();
    let subject = "We have your report: it joins case 1".to_owned();
    assert_eq!(world.subjects().pop(), Some((LI.to_owned(), subject)));
    let mail = world.mail.desk.taken().pop().unwrap().text;
    assert!(
        !mail.contains("back") && mail.contains("Water Department"),
        "{mail}"
    );
}

#[test]
fn a_unit_without_an_address_is_seen_among_what_was_dropped() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(Contact::default());
    let unit = Some(code("PIPES"));
    process.act(number, "CITY-D", Act::Assign { unit }, "");
    process.round();
    let dropped = process.in_state(State::Dropped);
    let seen: Vec<_> = dropped
        .iter()
        .map(|one| (one.unit.clone().unwrap(), one.notice.as_str(), one.error.as_str()))
        .collect();
    assert_eq!(seen, [(code("PIPES"), "unit_assigned", "no_address")]);
}

// ---- at least once ------------------------------------------------------------------------------------------------

#[test]
fn a_process_that_is_killed_at_any_point_loses_no_notice_and_the_order_of_a_case_stands() {
    let world = World::new();
    let hook = {
        let process = world.start(1);
        let all = new_webhook(&world.calls.url(), &["*"], true, true);
        process.whistle.add_webhook(&process.here, &all).unwrap()
    };
    assert_eq!(hook.0, 1);
    let mut numbers = Vec::new();
    // Each fate is a point at which the process is gone: before it sent, in the middle, and when it had sent but not noted.
    let fates = [
        Fate::TakeAndWait,
        Fate::HangUp,
        Fate::TakeAndHangUp,
        Fate::Take,
        Fate::TakeAndWait,
    ];
    for (at, fate) in fates.into_iter().enumerate() {
        let process = world.start(10 + at as u64);
        numbers.push(process.report(li()));
        for number in &numbers {
            process.comment(*number, &format!("Round {at}."));
        }
        let waits = matches!(fate, Fate::TakeAndWait);
        world.mail.desk.next([fate.clone()]);
        world.calls.desk.next([fate]);
        thread::scope(|scope| {
            let round = scope.spawn(|| process.round());
            if waits {
                // The mail is with the server; the process goes before it hears so.
                world.mail.desk.wait_until_held(if at == 0 { 1 } else { 2 });
                process.courier.stop();
            }
            round.join().unwrap();
        });
        drop(process);
        world.mail.desk.release();
        world.calls.desk.release();
    }
    let process = world.start(99);
    process.finish(&world.hands);
    assert!(process.in_state(State::Dead).is_empty());
    // Each event of each case arrived, at first in its order; what came again came under the same id.
    for number in numbers {
        let (_, log) = wait(process.whistle.case_and_log(&process.here, number)).unwrap();
        let expected: Vec<String> = log
            .iter()
            .map(|event| format!("{number} case.{}", event.body.as_str()))
            .collect();
        let mut seen = Vec::new();
        let mut first = Vec::new();
        for call in world.calls.desk.taken() {
            let body: serde_json::Value = serde_json::from_str(&call.body).unwrap();
            let id = call.header("webhook-id").unwrap().to_owned();
            if body["data"]["number"] == number.0 && !seen.contains(&id) {
                seen.push(id);
                first.push(event(&call.body));
            }
        }
        assert_eq!(first, expected);
    }
    let sent = process.in_state(State::Sent);
    let mails = world.mail.desk.taken();
    let ids: std::collections::BTreeSet<String> = mails
        .iter()
        .map(|mail| mail.header("Message-ID").unwrap())
        .collect();
    assert!(ids.len() < mails.len(), "one at least came twice");
    for delivery in sent.iter().filter(|one| one.report == 1) {
        let arrived = mails.iter().any(|mail| {
            let id = mail.header("Message-ID").unwrap();
            let alone = id.contains(&format!(".{}@", delivery.id));
            alone || plain(&mail.header("Subject").unwrap()).contains("notices")
        });
        assert!(arrived, "{delivery:?}");
    }
}

#[test]
fn a_mail_server_that_fails_delays_and_doubles_gets_each_notice_under_one_id_over_restarts() {
    let seed = rand::rng().random::<u64>() % 1_000_000;
    eprintln!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World::new();
    world.patience = Duration::from_millis(400);
    // Subjects stand in a mail of several notices, too.
    let folder = world.bed.path().join("village");
    fs::create_dir_all(folder.join("notices/en")).unwrap();
    fs::write(
        folder.join("notices/en/comment.txt"),
        "Case {{ number }}: {{ text }}\n\n{{ service }}\n",
    )
    .unwrap();
    world.open(19).apply(&folder).unwrap();
    let mut remarks: Vec<(CaseNumber, String, String)> = Vec::new();
    let mut cases = Vec::new();
    for day in 0..6 {
        let mut process = world.start(20 + day);
        for _ in 0..3 {
            let to = format!("reader{}@example.org", cases.len());
            let contact = Contact {
                email: to.clone(),
                ..li()
            };
            cases.push((process.report(contact), to));
        }
        for round in 0..6 {
            let fates = [
                Fate::Refuse("421 too busy"),
                Fate::Refuse("451 <{to}> come again"),
                Fate::HangUp,
                Fate::TakeAndHangUp,
                Fate::TakeLate(Duration::from_millis(20)),
                // By then it was given up, and is sent again.
                Fate::TakeLate(world.patience * 2),
            ];
            let drawn: Vec<Fate> = (0..2)
                .map(|_| fates[rng.random_range(0..fates.len())].clone())
                .collect();
            world.mail.desk.next(drawn);
            for _ in 0..3 {
                let (number, to) = cases[rng.random_range(0..cases.len())].clone();
                let text = format!("Remark {}.", remarks.len());
                process.comment(number, &text);
                remarks.push((number, to, text));
            }
            if round == 3 {
                // Killed when the server has a mail, and before it says so.
                let to = format!("reader{}@example.org", cases.len());
                let contact = Contact {
                    email: to.clone(),
                    ..li()
                };
                cases.push((process.report(contact), to));
                // If mail rests after failures, it does so no longer.
                world.hands.pass(Duration::from_secs(16));
                process.whistle.do_duties().unwrap();
                let held = world.mail.desk.held();
                world.mail.desk.forget_fates();
                world.mail.desk.next([Fate::TakeAndWait]);
                thread::scope(|scope| {
                    let sending = scope.spawn(|| process.round());
                    world.mail.desk.wait_until_held(held + 1);
                    process.courier.stop();
                    sending.join().unwrap();
                });
                drop(process);
                world.mail.desk.release();
                process = world.start(100 + day);
            } else {
                process.round();
            }
            world.hands.pass(Duration::from_secs(rng.random_range(5..90)));
            process.whistle.do_duties().unwrap();
        }
    }
    let process = world.start(999);
    process.finish(&world.hands);
    assert_eq!(process.in_state(State::Dead), []);

    let mails = world.mail.desk.taken();
    let id = |mail: &Mail| mail.header("Message-ID").unwrap();
    let mut twice = 0;
    for (number, to, text) in &remarks {
        let to_them = mails
            .iter()
            .filter(|mail| mail.to == *to && mail.text.contains(text));
        let ids: Vec<String> = to_them.map(id).collect();
        twice += usize::from(ids.len() > 1);
        assert!(!ids.is_empty(), "{text} on case {number} never came");
        assert!(
            ids.iter().all(|id| *id == ids[0]),
            "{text} on case {number}: {ids:?}"
        );
    }
    assert!(twice > 0, "nothing came twice");
    // Who throws away what has an id that was there before, loses nothing.
    let mut said: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for mail in &mails {
        let of = remarks
            .iter()
            .filter(|one| mail.text.contains(&one.2))
            .map(|one| one.2.as_str());
        let of: Vec<&str> = of.collect();
        assert_eq!(
            *said.entry(id(mail)).or_insert_with(|| of.clone()),
            of,
            "{}",
            id(mail)
        );
    }
}

#[test]
fn who_was_taken_over_while_it_sent_notes_nothing_and_the_same_mail_comes_again() {
    let world = World::new();
    let slow = world.start(1);
    let number = slow.report(li());
    slow.act(
        number,
        "CITY-D",
        Act::Comment { public: false },
        "An inner remark is told to nobody.",
    );
    world.mail.desk.next([Fate::TakeAndWait, Fate::TakeAndWait]);
    thread::scope(|scope| {
        let round = scope.spawn(|| slow.round());
        world.mail.desk.wait_until_held(2);
        let other = world.start(2);
        world.mail.desk.release();
        round.join().unwrap();
        assert_eq!(
            other.in_state(State::Waiting).len(),
            2,
            "what the slow one sent is not noted"
        );
        assert_eq!(other.round().sent, 2);
    });
    let mails = world.mail.desk.taken();
    let of = |to: &str| -> Vec<String> {
        let to_them = mails.iter().filter(|mail| mail.to == to);
        to_them.map(|mail| mail.header("Message-ID").unwrap()).collect()
    };
    for to in [LI, "water@example.org"] {
        let ids = of(to);
        assert_eq!(ids.len(), 2, "{to}");
        assert_eq!(ids[0], ids[1]);
    }
}

// ---- what does not arrive -----------------------------------------------------------------------------------------

#[test]
fn a_mail_that_is_put_off_goes_later_and_what_comes_after_it_waits_for_it() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(li());
    world
        .mail
        .desk
        .next([Fate::Refuse("451 come again"), Fate::Refuse("451 come again")]);
    assert_eq!(process.round().failed, 2);
    process.comment(number, "We are looking.");
    world.hands.pass(Duration::from_secs(16));
    process.whistle.do_duties().unwrap();
    assert_eq!(
        process.round().sent,
        0,
        "the comment does not overtake the receipt"
    );
    let waiting = process.in_state(State::Waiting);
    assert!(
        waiting.iter().any(|one| one.error.contains("451")),
        "{waiting:#?}"
    );
    world.hands.pass(Duration::from_mins(1));
    process.whistle.do_duties().unwrap();
    process.round();
    // Both are due now, so they are one mail.
    let to_li: Vec<_> = world.subjects().into_iter().filter(|(to, _)| to == LI).collect();
    assert_eq!(to_li, [(LI.to_owned(), "2 notices: Willow Brook".to_owned())]);
    let mails = world.mail.desk.taken();
    let digest = mails.iter().find(|mail| mail.to == LI).unwrap();
    assert!(digest.text.contains("something was said"), "{}", digest.text);
}

#[test]
fn a_mail_that_is_refused_is_given_up_seen_without_its_address_and_tried_again_on_demand() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(li());
    let refused = Fate::Refuse("550 5.1.1 <{to}>: nobody here");
    world.mail.desk.next([refused.clone(), refused]);
    let round = process.round();
    assert_eq!((round.dead, round.sent), (2, 0));
    let dead = process.in_state(State::Dead);
    let error = dead
        .iter()
        .map(|one| one.error.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    assert!(error.contains("nobody here") && !error.contains('@'), "{error}");
    world.hands.pass(Duration::from_hours(48));
    process.whistle.do_duties().unwrap();
    assert_eq!(process.round(), Round::default(), "it stays given up");
    assert_eq!(process.whistle.retry_deliveries(&process.here, None).unwrap(), 2);
    assert_eq!(process.round().sent, 2);
    let of_case = wait(process.whistle.deliveries_of(&process.here, number)).unwrap();
    assert!(of_case.iter().all(|one| one.state == State::Sent), "{of_case:#?}");
    assert!(process.whistle.retry_deliveries(&process.here, Some(1)).is_err());
}

#[test]
fn what_never_arrives_is_given_up_after_two_days_and_can_be_dropped() {
    let world = World::new();
    let process = world.start(1);
    process.report(li());
    world
        .mail
        .desk
        .next(std::iter::repeat_n(Fate::Refuse("421 away"), 100));
    let mut hours = 0;
    process.round();
    while !process.in_state(State::Waiting).is_empty() {
        world.hands.pass(Duration::from_hours(1));
        process.whistle.do_duties().unwrap();
        process.round();
        hours += 1;
        assert!(hours < 80, "{:#?}", process.in_state(State::Waiting));
    }
    assert!(hours > 30, "{hours}");
    assert_eq!(process.in_state(State::Dead).len(), 2);
    assert_eq!(process.whistle.drop_deliveries(&process.here, None).unwrap(), 2);
    assert!(process.in_state(State::Dead).is_empty());
}

#[test]
fn a_mail_that_came_though_nobody_said_so_goes_again_as_it_was_and_another_by_itself() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(li());
    process.round();
    world.mail.desk.next([Fate::TakeAndHangUp]);
    process.comment(number, "The first.");
    assert_eq!(process.round().failed, 1);
    process.comment(number, "The second.");
    world.hands.pass(Duration::from_mins(1));
    process.whistle.do_duties().unwrap();
    process.round();
    let mails = world.mail.desk.taken();
    let to_li = mails.iter().filter(|mail| mail.to == LI);
    let heads: Vec<_> = to_li
        .map(|mail| {
            (
                mail.header("Subject").unwrap(),
                mail.header("Message-ID").unwrap(),
            )
        })
        .collect();
    let subjects: Vec<_> = heads.iter().map(|(subject, _)| subject.as_str()).collect();
    assert_eq!(subjects[1..], ["Case 1: something was said"; 3]);
    assert_eq!(heads[1].1, heads[2].1, "a server that drops duplicates keeps one");
    assert_ne!(heads[2].1, heads[3].1, "and does not lose the second");
}

#[test]
fn what_is_over_is_forgotten_after_a_month() {
    let world = World::new();
    let process = world.start(1);
    process.report(li());
    process.round();
    assert_eq!(process.in_state(State::Sent).len(), 2);
    world.hands.pass(Duration::from_hours(31 * 24));
    process.whistle.do_duties().unwrap();
    assert!(process.in_state(State::Sent).is_empty());
}

// ---- privacy and choice -------------------------------------------------------------------------------------------

#[test]
fn no_address_of_a_reporter_stands_in_the_database() {
    let Some(_) = Bed::sqlite() else { return };
    let world = World::new();
    let process = world.start(1);
    process.report(li());
    world.mail.desk.next([
        Fate::Refuse("450 <{to}> is busy"),
        Fate::Refuse("550 <{to}> is gone"),
    ]);
    process.round();
    drop(process);
    for entry in fs::read_dir(world.bed.path().join("data")).unwrap().flatten() {
        let bytes = fs::read(entry.path()).unwrap_or_default();
        let name = entry.file_name();
        assert!(
            !bytes.windows(LI.len()).any(|part| part == LI.as_bytes()),
            "{name:?}"
        );
    }
}

#[test]
fn who_clicks_the_way_out_gets_no_more_of_the_case_or_of_any() {
    let world = World::new();
    let process = world.start(1);
    let (one, other) = (process.report(li()), process.report(li()));
    process.round();
    let mails = world.mail.desk.taken();
    let about = |number: CaseNumber| {
        let of = |mail: &&Mail| mail.to == LI && mail.text.contains(&format!("case {number}"));
        Process::stop_link(mails.iter().find(of).unwrap())
    };
    let token = about(one);
    assert_eq!(
        process.whistle.subject_of_stop(&process.here, &token).unwrap(),
        Subject::Case(one)
    );
    let stop = |token: &str, what, stop| wait(process.whistle.stop_mail(&process.here, token, what, stop));
    stop(&token, Stopping::This, true).unwrap();
    let comments = |text: &str| -> (u64, u64) {
        process.comment(one, text);
        process.comment(other, text);
        let round = process.round();
        (round.sent, round.dropped)
    };
    assert_eq!(comments("First."), (1, 1));
    stop(&about(other), Stopping::All, true).unwrap();
    assert_eq!(comments("Second."), (0, 2));
    stop(&token, Stopping::All, false).unwrap();
    stop(&token, Stopping::This, false).unwrap();
    world.hands.pass(Duration::from_hours(1));
    process.whistle.do_duties().unwrap();
    assert_eq!(comments("Third."), (2, 0));
    for wrong in ["", "n-1-1-1-x", &token.replace("n-1-", "n-2-")] {
        assert!(stop(wrong, Stopping::All, true).is_err(), "{wrong}");
    }
}

#[test]
fn who_wants_no_mail_gets_none_after_the_key_was_rotated_and_the_earlier_ones_given_up() {
    let world = World::new();
    let process = world.start(1);
    let (all, one, other) = (
        process.report(li()),
        process.report(wang()),
        process.report(wang()),
    );
    process.round();
    let mails = world.mail.desk.taken();
    let token = |to: &str, number: CaseNumber| {
        let of = |mail: &&Mail| mail.to == to && mail.text.contains(&format!("case {number}"));
        Process::stop_link(mails.iter().find(of).unwrap())
    };
    for (token, what) in [
        (token(LI, all), Stopping::All),
        (token(WANG, one), Stopping::This),
    ] {
        wait(process.whistle.stop_mail(&process.here, &token, what, true)).unwrap();
    }
    process.whistle.close();
    drop(process);
    let site = Site {
        database_url: world.bed.database_url().map(str::to_owned),
        ..world.bed.path().join("data").into()
    };
    // Twice, so that what was kept of the first key is sealed by the third.
    for n in 0..2 {
        assert!(secret::rotate(&site).unwrap().new_key);
        assert_eq!(secret::forget(&site).unwrap(), 1, "{n}");
    }
    let process = world.start(2);
    for number in [all, one, other] {
        process.comment(number, "We come.");
    }
    let round = process.round();
    assert_eq!((round.sent, round.dropped), (1, 2));
    // Whoever opted out of all is known in a new case too.
    let anew = process.report(li());
    process.comment(anew, "We come.");
    assert_eq!(process.round().sent, 0);
    // A wish that is taken back is gone under whichever key it was noted.
    let mails = world.mail.desk.taken();
    let mail = mails.iter().rev().find(|mail| mail.to == WANG).unwrap();
    let token = Process::stop_link(mail);
    wait(
        process
            .whistle
            .stop_mail(&process.here, &token, Stopping::This, true),
    )
    .unwrap();
    // Later than what would be gathered with the mail before.
    let hour_passes = || {
        world.hands.pass(Duration::from_hours(1));
        process.whistle.do_duties().unwrap();
    };
    hour_passes();
    let to_wang = || world.mails_to(WANG).len();
    let before = to_wang();
    process.comment(other, "Again.");
    assert_eq!(process.round().dropped, 1);
    assert_eq!(to_wang(), before);
    wait(
        process
            .whistle
            .stop_mail(&process.here, &token, Stopping::This, false),
    )
    .unwrap();
    hour_passes();
    process.comment(other, "And again.");
    process.round();
    assert_eq!(to_wang(), before + 1);
}

const WANG: &str = "wang@example.org";

fn wang() -> Contact {
    Contact {
        email: WANG.to_owned(),
        ..li()
    }
}

#[test]
fn a_notice_to_an_address_that_was_erased_is_dropped() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(li());
    world
        .mail
        .desk
        .next(std::iter::repeat_n(Fate::Refuse("451 later"), 2));
    process.round();
    process.act(number, "WATER-H", Act::ReportIn, "");
    let outcome = Outcome::Resolved;
    process.act(number, "WATER-H", Act::Handle { outcome }, "Done.");
    process.act(number, "CITY-D", Act::Verify, "");
    world.hands.pass(Duration::from_hours(200 * 24));
    assert!(process.whistle.do_duties().unwrap().erased > 0);
    let round = process.round();
    // The unit's goes; the reporter's does not, and what happened since was never made into any.
    assert_eq!((round.sent, round.dropped), (1, 1), "{round:?}");
    assert!(world.subjects().iter().all(|(to, _)| to != LI));
}

#[test]
fn a_reporter_sees_what_they_were_told_and_erases_it_with_the_rest() {
    let world = World::new();
    let process = world.start(1);
    let receipt = process.file(li());
    let other = process.report(li());
    let refused = Fate::Refuse("550 5.1.1 nobody here");
    world.mail.desk.next(std::iter::repeat_n(refused, 4));
    process.round();
    let (number, code) = (receipt.number, receipt.code.as_str());
    let own = wait(process.whistle.own(&process.here, number, code)).unwrap();
    let told: Vec<_> = own
        .notices
        .iter()
        .map(|one| (one.notice.as_str(), one.channel, one.state))
        .collect();
    assert_eq!(told, [("received", "mail", "dead")]);
    assert!(own.notices[0].error.contains("nobody here"), "{own:?}");

    assert!(wait(process.whistle.erase_own(&process.here, number, code)).unwrap());
    let own = wait(process.whistle.own(&process.here, number, code)).unwrap();
    assert_eq!(own.notices, []);
    assert!(!wait(process.whistle.erase_own(&process.here, number, code)).unwrap());
    // What the unit was told stays, and so does what is of another case.
    let of = |number| wait(process.whistle.deliveries_of(&process.here, number)).unwrap();
    assert!(of(number).iter().all(|one| one.unit.is_some()) && !of(number).is_empty());
    assert!(of(other).iter().any(|one| one.report == 1));
}

#[test]
fn a_unit_that_gets_many_at_once_gets_the_rest_in_one_mail() {
    let world = World::new();
    let process = world.start(1);
    for _ in 0..9 {
        process.report(Contact::default());
        process.round();
    }
    let to_water = || world.subjects().len();
    assert_eq!(to_water(), 3);
    world.hands.pass(Duration::from_hours(1));
    process.whistle.do_duties().unwrap();
    process.round();
    let subjects = world.subjects();
    assert_eq!(subjects.len(), 4);
    assert_eq!(subjects[3].1, "6 notices: Willow Brook");
    let digest = world.mail.desk.taken().pop().unwrap().text;
    let links = digest.replace("=\n", "").matches("/staff/cases/").count();
    assert_eq!(links, 3 * 6, "once in the text, twice in the HTML: {digest}");
    assert_eq!(process.in_state(State::Sent).len(), 9);
}

#[test]
fn what_runs_out_before_the_end_of_the_window_is_told_at_once_with_what_waits_of_the_same_case() {
    let world = World::new();
    let process = world.start(1);
    let numbers: Vec<_> = (0..5)
        .map(|_| {
            let number = process.report(Contact::default());
            process.round();
            number
        })
        .collect();
    assert_eq!(world.subjects().len(), 3, "two wait for the end of the hour");
    let joint = |limit: &str| Act::AssignJoint {
        unit: code("WATER"),
        limit: Some(limit.parse().unwrap()),
    };
    let unit = Some(code("ROADS"));
    process.act(numbers[4], "CITY-D", Act::Assign { unit }, "");
    process.round();
    process.act(numbers[4], "CITY-D", joint("2d calendar"), "Later.");
    process.round();
    let to_water = || {
        let all = world.subjects().into_iter();
        all.filter(|(to, _)| to == "water@example.org").count()
    };
    assert_eq!(to_water(), 3);
    let unit = code("WATER");
    process.act(numbers[4], "CITY-D", Act::ReleaseJoint { unit }, "No.");
    process.act(numbers[4], "CITY-D", joint("20m running"), "Now.");
    process.round();
    assert_eq!(to_water(), 4);
    let mails = world.mail.desk.taken();
    let mail = mails.iter().rfind(|mail| mail.to == "water@example.org").unwrap();
    let mail = mail.text.replace("=\n", "");
    // The new case, that it is another's, the part, and that part once more.
    assert_eq!(
        mail.matches("[5] your part").count(),
        2 * 2,
        "text and HTML: {mail}"
    );
    let waiting = process.in_state(State::Waiting);
    let still: Vec<_> = waiting.iter().map(|one| one.subject.number()).collect();
    assert_eq!(still, [numbers[3].0], "of other cases it waits");
}

#[test]
fn that_a_limit_runs_out_is_told_at_once() {
    let world = World::with(&[(
        "escalations.csv",
        "default,*,overdue + 900h running,CITY-L\n",
        "default,resolve,1%,@unit_lead\n",
    )]);
    let process = world.start(1);
    for _ in 0..5 {
        process.report(Contact::default());
        process.round();
    }
    let before = world.subjects().len();
    assert_eq!(before, 3);
    world.hands.pass(Duration::from_mins(20));
    process.whistle.do_duties().unwrap();
    process.whistle.take_steps().unwrap();
    process.round();
    let mail = world.mail.desk.taken().pop().unwrap();
    assert_eq!(mail.to, "water@example.org");
    assert!(mail.text.contains("time runs out"), "{}", mail.text);
    assert_eq!(process.in_state(State::Waiting).len(), 0);
}

// ---- webhooks -----------------------------------------------------------------------------------------------------

fn new_webhook(url: &str, events: &[&str], all: bool, private: bool) -> NewWebhook {
    NewWebhook {
        url: url.to_owned(),
        events: events.iter().map(|&event| event.to_owned()).collect(),
        all,
        private,
    }
}

fn with_webhook(world: &World, process: &Process, events: &[&str], all: bool) -> (i64, Vec<u8>) {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let new = new_webhook(&world.calls.url(), events, all, true);
    let (id, shown) = process.whistle.add_webhook(&process.here, &new).unwrap();
    let secret = BASE64_STANDARD
        .decode(shown.strip_prefix("whsec_").unwrap())
        .unwrap();
    (id, secret)
}

#[test]
fn a_webhook_gets_each_public_event_signed_and_again_under_its_id_when_it_fails() {
    let world = World::new();
    let process = world.start(1);
    let (_, secret) = with_webhook(&world, &process, &["*"], false);
    let number = process.report(li());
    process.act(number, "CITY-D", Act::Comment { public: false }, "An inner word.");
    process.comment(number, "Call 0469-1234567 or li@example.org.");
    world
        .calls
        .desk
        .next([Fate::Refuse("500 Broken"), Fate::TakeAndHangUp]);
    process.finish(&world.hands);
    let calls = world.calls.desk.taken();
    let ids: Vec<&str> = calls
        .iter()
        .map(|call| call.header("webhook-id").unwrap())
        .collect();
    assert_eq!(ids[0], ids[1], "it was taken, but did not say so");
    assert_eq!(
        world.events()[1..],
        ["reported", "accepted", "assigned", "commented"].map(|word| format!("{number} case.{word}"))
    );
    for call in &calls {
        let at: i64 = call.header("webhook-timestamp").unwrap().parse().unwrap();
        let id = call.header("webhook-id").unwrap();
        let right = whistle_notices::webhook::sign(&secret, id, at, &call.body);
        assert_eq!(call.header("webhook-signature"), Some(right.as_str()));
        assert!(
            !call.body.contains("inner") && !call.body.contains("1234567") && !call.body.contains('@'),
            "{}",
            call.body
        );
    }
}

#[test]
fn a_webhook_that_may_hear_all_hears_inner_words_but_nothing_of_the_reporter() {
    let world = World::new();
    let process = world.start(1);
    with_webhook(&world, &process, &["commented"], true);
    let number = process.report(li());
    process.act(number, "CITY-D", Act::Comment { public: false }, "An inner word.");
    process.answer(
        number,
        Act::Comment { public: false },
        "Call 13900001111 or me@example.org.",
    );
    process.round();
    let calls = world.calls.desk.taken();
    assert_eq!(
        world.events(),
        ["commented", "commented"].map(|word| format!("{number} case.{word}"))
    );
    assert!(calls[0].body.contains("An inner word.") && !calls[0].body.contains(LI));
    let said = &calls[1].body;
    assert!(
        said.contains("Call ") && !said.contains("13900001111") && !said.contains("me@"),
        "{said}"
    );
}

#[test]
fn a_webhook_that_hangs_keeps_neither_mail_nor_another_webhook_waiting() {
    let world = World::new();
    let process = world.start(1);
    with_webhook(&world, &process, &["*"], false);
    let other = Receiver::new();
    process
        .whistle
        .add_webhook(&process.here, &new_webhook(&other.url(), &["*"], false, true))
        .unwrap();
    world.calls.desk.next([Fate::TakeAndWait]);
    process.report(li());
    process.courier.turn().unwrap();
    world.calls.desk.wait_until_held(1);
    world.mail.desk.wait_until_taken(2);
    other.desk.wait_until_taken(3);
    // What happens meanwhile is told, too.
    process.report(li());
    let begun = Instant::now();
    while world.mail.desk.taken().len() < 4 || other.desk.taken().len() < 6 {
        process.courier.turn().unwrap();
        assert!(
            begun.elapsed() < Duration::from_secs(8),
            "it waits for the hanging one"
        );
        thread::yield_now();
    }
    assert_eq!(
        world.calls.desk.taken().len(),
        1,
        "that one still waits for its answer"
    );
    world.calls.desk.release();
    process.finish(&world.hands);
    assert_eq!(world.calls.desk.taken().len(), 6);
}

/// The village and a second place like it, looked after by one process.
fn two_places() -> (World, Process, [Here; 2]) {
    let world = World::new();
    let folder = world.bed.path().join("second");
    copy_folder(&world.bed.path().join("village"), &folder);
    let settings = folder.join("jurisdiction.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let text = text
        .replace("willow-brook", "alder-brook")
        .replace("willow.example", "alder.example");
    fs::write(settings, text).unwrap();
    world.open(0).apply(&folder).unwrap();
    let process = world.start(1);
    let places = process.whistle.places().all().to_vec();
    (world, process, places.try_into().ok().unwrap())
}

#[test]
fn what_is_dead_or_hangs_in_one_place_keeps_no_other_place_waiting() {
    let (world, mut process, [first, second]) = two_places();
    with_webhook(&world, &process, &["*"], false);
    let other = Receiver::new();
    process
        .whistle
        .add_webhook(&second, &new_webhook(&other.url(), &["*"], false, true))
        .unwrap();
    world.calls.desk.next([Fate::TakeAndWait]);
    let refused = std::iter::repeat_n(Fate::Refuse("451 come again"), 4);
    world.mail.desk.next(refused);
    for _ in 0..2 {
        process.report(li());
    }
    // The mail of the first place is not taken, and its webhook does not answer.
    let begun = Instant::now();
    let refused = |process: &Process| {
        let waiting = process.in_state(State::Waiting).into_iter();
        waiting.filter(|one| one.error.contains("451")).count()
    };
    while refused(&process) < 4 {
        process.courier.turn().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(8));
        thread::yield_now();
    }
    world.calls.desk.wait_until_held(1);
    world.mail.desk.forget_fates();

    process.here = second;
    process.report(li());
    let begun = Instant::now();
    while world.mail.desk.taken().len() < 2 || other.desk.taken().len() < 3 {
        process.courier.turn().unwrap();
        assert!(
            begun.elapsed() < Duration::from_secs(8),
            "it waits for the other place"
        );
        thread::yield_now();
    }
    assert!(
        world
            .mail
            .desk
            .taken()
            .iter()
            .all(|mail| mail.text.contains("https://alder.example.org/")),
        "the mail of the first place rests"
    );
    assert!(
        world.calls.desk.taken().len() < 6,
        "one call waits for its answer, and what comes after it"
    );

    world.calls.desk.release();
    process.here = first;
    process.finish(&world.hands);
    let of_first = |mail: &Mail| mail.text.contains("https://willow.example.org/");
    assert!(
        world
            .mail
            .desk
            .taken()
            .iter()
            .filter(|mail| of_first(mail))
            .count()
            >= 2
    );
    assert!(
        world.calls.desk.taken().len() >= 6,
        "all of it arrives in the end"
    );
}

#[test]
fn an_sms_gateway_gets_a_text_for_who_gave_a_telephone_only() {
    let world = World::new();
    let process = world.start(1);
    with_webhook(&world, &process, &["sms"], false);
    process.report(li());
    let number = process.report(Contact {
        phone: "13900001111".to_owned(),
        lang: Some(Lang::En),
        ..Contact::default()
    });
    process.round();
    let calls = world.calls.desk.taken();
    assert_eq!(calls.len(), 1);
    let body: serde_json::Value = serde_json::from_str(&calls[0].body).unwrap();
    assert_eq!(body["type"], "sms");
    assert_eq!(body["data"]["to"], "13900001111");
    let text =
        format!("We have your report: case {number} https://whistle.example.org/follow?number={number}");
    assert_eq!(body["data"]["text"], text.as_str());
}

#[test]
fn what_waits_for_a_webhook_that_is_removed_is_dropped_and_mail_does_not_wait_for_one_that_is_away() {
    let world = World::new();
    let process = world.start(1);
    let (id, _) = with_webhook(&world, &process, &["*"], false);
    world.calls.desk.next(std::iter::repeat_n(Fate::HangUp, 100));
    process.report(li());
    let round = process.round();
    assert_eq!((round.sent, round.made), (2, 5));
    assert!(round.failed > 0);
    let remove = WebhookChange::Remove;
    process.whistle.change_webhook(&process.here, id, remove).unwrap();
    assert_eq!(process.round().dropped, 3);
    assert!(process.in_state(State::Waiting).is_empty());
}

#[test]
fn a_webhook_to_a_closed_network_or_of_an_unknown_event_is_refused() {
    let world = World::new();
    let process = world.start(1);
    let add = |url: &str, events: &[&str], private| {
        let new = new_webhook(url, events, false, private);
        process.whistle.add_webhook(&process.here, &new)
    };
    assert!(add("http://169.254.169.254/", &["*"], false).is_err());
    assert!(add("https://example.org/", &["closed"], false).is_err());
    assert!(add("https://example.org/", &[], false).is_err());
    assert!(add("https://example.org/", &["verified", "sms"], false).is_ok());
}

// ---- whistles -----------------------------------------------------------------------------------------------------

const UPSTREAM: (&str, &str, &str) = (
    "units.csv",
    "230599100,CITY,131.81,46.21,,",
    "230599100,CITY,131.81,46.21,,upstream@example.org",
);

const MILL: &str = "At the mill";

fn code(unit: &str) -> UnitCode {
    unit.parse().unwrap()
}

impl World {
    /// An install whose station upstream has a mail box too.
    fn with_station() -> Self {
        Self::with(&[UPSTREAM])
    }
}

impl Process {
    fn blow(&self, case: CaseNumber, units: &[&str]) -> WhistleNumber {
        let new = NewWhistle {
            kind: "URGENT".parse().unwrap(),
            cases: vec![case],
            units: units.iter().map(|unit| code(unit)).collect(),
            lead: code(units[0]),
            place: MILL.to_owned(),
            meet_at: None,
            matter: "The main has burst.".to_owned(),
        };
        let by = actor_of(self.here.place.post("T100-P").unwrap(), 1);
        wait(self.whistle.blow(&self.here, new, by, None)).unwrap().number
    }

    fn meet(&self, number: WhistleNumber, post: &str, act: whistle::command::Act, text: &str) -> Blown {
        let by = actor_of(self.here.place.post(post).unwrap(), 1);
        let done = self
            .whistle
            .act_on_whistle(&self.here, number, None, act, text.to_owned(), by, None);
        wait(done).unwrap().now
    }
}

fn sent(to: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all: Vec<_> = to
        .iter()
        .map(|&(to, subject)| (to.to_owned(), subject.to_owned()))
        .collect();
    all.sort();
    all
}

#[test]
fn called_units_and_the_station_are_told_of_a_whistle_from_call_to_minutes_once_each() {
    use whistle::command::Act;
    let world = World::with_station();
    let process = world.start(1);
    let case = process.report(Contact::default());
    process.round();
    let mut before = world.subjects().len();
    let mut told = || {
        process.round();
        let all = world.subjects();
        let mut new = all[before..].to_vec();
        before = all.len();
        new.sort();
        new
    };
    let number = process.blow(case, &["WATER", "PIPES"]);
    assert_eq!(
        (case.0, number.0),
        (1, 1),
        "the numbers are not told apart by themselves"
    );
    let call = "[whistle 1] Emergency: come to At the mill";
    assert_eq!(
        told(),
        sent(&[("water@example.org", call)]),
        "the pipe crew has no mail box"
    );
    let mail = world.mail.desk.taken().pop().unwrap().text.replace("=\n", "");
    for part in [
        "Upstream Station has blown whistle 1",
        "Cases: 1",
        "When: as soon as possible",
        "Limits: sign by 2026-11-02 09:10; report in by 2026-11-02 09:30",
        "The main has burst.",
        "https://whistle.example.org/staff/whistles/1",
    ] {
        assert!(mail.contains(part), "{part}: {mail}");
    }
    process.meet(number, "WATER-H", Act::Sign, "");
    assert_eq!(told(), sent(&[]));
    let units = vec![code("ROADS")];
    process.meet(number, "T100-P", Act::Raise { units }, "The road as well.");
    let raised = "[whistle 1] raised to you: Emergency";
    assert_eq!(
        told(),
        sent(&[("centre@example.org", raised), ("roads@example.org", call)])
    );
    process.meet(number, "ROADS-H", Act::Refuse, "No road of ours.");
    let refused = "[whistle 1] Roads Department does not come: Emergency";
    let found = told();
    let readers: Vec<_> = found.iter().map(|(to, _)| to.as_str()).collect();
    assert_eq!(
        readers,
        ["centre@example.org", "upstream@example.org"],
        "{refused}"
    );
    let mail = world.mail.desk.taken().pop().unwrap().text;
    assert!(mail.contains("No road of ours."), "{mail}");
    let duties = vec![NewDuty {
        case,
        unit: code("WATER"),
        what: "mend the pipe".to_owned(),
        limit: "2d calendar".parse().unwrap(),
    }];
    process.meet(number, "T100-P", Act::Minutes { duties }, "All agree.");
    let minutes = "[whistle 1] minutes: Emergency";
    assert_eq!(
        told(),
        sent(&[("water@example.org", minutes)]),
        "who refused is out of it"
    );
    let mail = world.mail.desk.taken().pop().unwrap().text.replace("=\n", "");
    assert!(
        mail.contains("All agree.") && mail.contains("1 Water Department: mend the pipe (by 2026-11-04"),
        "{mail}"
    );
    process.meet(number, "T100-P", Act::Withdraw, "It is mended.");
    let over = "[whistle 1] taken back: Emergency";
    assert_eq!(told(), sent(&[("water@example.org", over)]));
    assert!(process.in_state(State::Waiting).is_empty());
    assert_eq!(process.round(), Round::default(), "the outbox is empty");
}

#[test]
fn a_limit_of_a_call_that_runs_out_is_noted_once_and_told_to_each_unit_and_to_the_station() {
    let world = World::with_station();
    let process = world.start(1);
    let case = process.report(Contact::default());
    let number = process.blow(case, &["WATER", "ROADS"]);
    let begun = process.round();
    assert_eq!(begun.sent, 3, "{begun:?}");
    process.meet(number, "ROADS-H", whistle::command::Act::Sign, "");
    let before = world.subjects().len();
    for minutes in [9, 2, 2] {
        world.hands.pass(Duration::from_mins(minutes));
        process.whistle.do_duties().unwrap();
        process.whistle.take_steps().unwrap();
        process.round();
    }
    let late = "[whistle 1] overdue: Emergency";
    let to = |subjects: &[(String, String)]| {
        let mut found = subjects.to_vec();
        found.sort();
        found
    };
    let expected = [("upstream@example.org", late), ("water@example.org", late)];
    assert_eq!(to(&world.subjects()[before..]), sent(&expected));
    let mails = world.mail.desk.taken();
    let station = mails
        .iter()
        .rfind(|mail| mail.to == "upstream@example.org")
        .unwrap();
    let text = station.text.replace("=\n", "");
    assert!(
        text.contains("Water Department: sign by 2026-11-02 09:10"),
        "{text}"
    );
    world.hands.pass(Duration::from_mins(30));
    process.whistle.do_duties().unwrap();
    process.whistle.take_steps().unwrap();
    process.round();
    let by = actor_of(process.here.place.post("T100-P").unwrap(), 1);
    let (_, log) = wait(process.whistle.whistle_and_log(&process.here, number, &by)).unwrap();
    let words: Vec<_> = log.iter().map(|event| event.body.as_str()).collect();
    assert_eq!(
        words,
        ["asked", "blown", "signed", "overdue", "overdue", "overdue"]
    );
    let both = [
        ("upstream@example.org", late),
        ("roads@example.org", late),
        ("water@example.org", late),
    ];
    assert_eq!(to(&world.subjects()[before + 2..]), sent(&both));
    let audit = process.whistle.audit(&process.here, |_| {}).unwrap();
    assert_eq!(audit.findings, Vec::<String>::new());
}

#[test]
fn nothing_of_a_whistle_stays_where_nothing_is_set_up() {
    let mut world = World::with_station();
    world.has_mail = false;
    let process = world.start(1);
    let case = process.report(Contact::default());
    process.blow(case, &["WATER"]);
    assert_eq!(process.round(), Round::default());
    world.has_mail = true;
    let process = world.start(2);
    assert_eq!(process.round(), Round::default(), "it was left in the outbox");
    assert!(world.subjects().is_empty());
}

#[test]
fn a_call_is_not_gathered_with_other_mail() {
    let world = World::with_station();
    let process = world.start(1);
    let mut last = None;
    for _ in 0..9 {
        last = Some(process.report(Contact::default()));
    }
    let before = process.round();
    assert!(!process.in_state(State::Waiting).is_empty(), "{before:?}");
    let sent = world.subjects().len();
    process.blow(last.unwrap(), &["WATER"]);
    process.round();
    let call = "[whistle 1] Emergency: come to At the mill";
    let call = ("water@example.org".to_owned(), call.to_owned());
    assert_eq!(world.subjects()[sent..], [call]);
}

#[test]
fn the_way_out_of_a_whistles_mail_stops_what_is_about_that_whistle_alone() {
    let world = World::with_station();
    let process = world.start(1);
    let case = process.report(Contact::default());
    process.round();
    let first = process.blow(case, &["WATER"]);
    process.round();
    let token = Process::stop_link(&world.mail.desk.taken().pop().unwrap());
    let (whistle, here) = (&process.whistle, &process.here);
    assert_eq!(
        whistle.subject_of_stop(here, &token).unwrap(),
        Subject::Whistle(first)
    );
    wait(whistle.stop_mail(here, &token, Stopping::This, true)).unwrap();
    process.act(case, "WATER-H", Act::ReportIn, "");
    let outcome = Outcome::Resolved;
    process.act(case, "WATER-H", Act::Handle { outcome }, "Done.");
    process.act(case, "CITY-D", Act::Rework, "It still leaks.");
    process.meet(first, "T100-P", whistle::command::Act::Withdraw, "Over.");
    process.blow(case, &["WATER"]);
    let before = world.subjects().len();
    process.round();
    let mut subjects: Vec<_> = world.subjects()[before..]
        .iter()
        .map(|(_, s)| s.clone())
        .collect();
    subjects.sort();
    assert_eq!(
        subjects,
        [
            "[1] not done: Leaking pipe",
            "[whistle 2] Emergency: come to At the mill"
        ]
    );
    assert_eq!(process.in_state(State::Dropped).len(), 1);
}

#[test]
fn a_webhook_that_may_hear_all_gets_each_event_of_a_whistle_in_order_though_it_fails_at_first() {
    let world = World::with_station();
    let process = world.start(1);
    with_webhook(&world, &process, &["*"], true);
    let case = process.report(Contact::default());
    let number = process.blow(case, &["WATER", "ROADS"]);
    process.meet(number, "WATER-H", whistle::command::Act::Sign, "");
    process.meet(
        number,
        "ROADS-H",
        whistle::command::Act::Refuse,
        "No road of ours.",
    );
    world
        .calls
        .desk
        .next([Fate::Refuse("500 Broken"), Fate::TakeAndHangUp]);
    process.finish(&world.hands);
    let mut seen = Vec::new();
    let mut first = Vec::new();
    for call in world.calls.desk.taken() {
        let id = call.header("webhook-id").unwrap().to_owned();
        if !seen.contains(&id) {
            seen.push(id);
            first.push(event(&call.body));
        }
    }
    let of = |kind: &str| {
        let all = first.iter().filter(|event| event.contains(kind));
        all.cloned().collect::<Vec<_>>()
    };
    // The last while the receiver was away.
    let words = ["asked", "blown", "signed", "call_refused", "overdue"];
    assert_eq!(of("whistle."), words.map(|word| format!("1 whistle.{word}")));
    let words = ["reported", "accepted", "assigned"];
    assert_eq!(of("case."), words.map(|word| format!("1 case.{word}")));
    let last = world.calls.desk.taken().into_iter().rev();
    let refused = last
        .map(|call| call.body)
        .find(|body| body.contains("call_refused"));
    let refused: serde_json::Value = serde_json::from_str(&refused.unwrap()).unwrap();
    assert_eq!(refused["data"]["unit"], "ROADS");
    assert_eq!(refused["data"]["cases"], serde_json::json!([1]));
    assert_eq!(refused["data"]["text"], "No road of ours.");
}

#[test]
fn a_webhook_hears_of_whistles_what_it_asked_for_and_nothing_when_it_may_hear_only_what_is_public() {
    let world = World::with_station();
    let process = world.start(1);
    with_webhook(&world, &process, &["*"], false);
    with_webhook(&world, &process, &["whistle.signed", "sms"], true);
    let case = process.report(Contact::default());
    let number = process.blow(case, &["WATER"]);
    process.meet(number, "WATER-H", whistle::command::Act::Sign, "");
    process.finish(&world.hands);
    let events = world.events();
    let heard: Vec<_> = events.iter().filter(|event| event.contains("whistle.")).collect();
    assert_eq!(heard, ["1 whistle.signed"], "{events:?}");
    let unknown = new_webhook(&world.calls.url(), &["whistle.verified"], true, true);
    let added = process.whistle.add_webhook(&process.here, &unknown);
    assert!(added.is_err(), "that is a case's");
}

// ---- answers ------------------------------------------------------------------------------------------------------

#[test]
fn an_answer_to_a_mail_becomes_the_reporters_word_once() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(li());
    process.round();
    let mail = world
        .mail
        .desk
        .taken()
        .into_iter()
        .find(|mail| mail.to == LI)
        .unwrap();
    let answer = |headers: &str| {
        let text = format!(
            "From: Li <{LI}>\r\n{headers}Message-ID: <x1@example.org>\r\n\r\nStill wet.\r\n\r\n> We have your report\r\n"
        );
        process.whistle.take_mail(text.as_bytes())
    };
    let to = format!("To: {}\r\n", mail.header("Reply-To").unwrap());
    let answers = format!("In-Reply-To: {}\r\n", mail.header("Message-ID").unwrap());
    assert_eq!(answer(&to).unwrap(), Taken::Said(number));
    assert_eq!(answer(&answers).unwrap(), Taken::Said(number));
    let (_, log) = wait(process.whistle.case_and_log(&process.here, number)).unwrap();
    let said: Vec<_> = log
        .iter()
        .filter(|event| matches!(event.body, Body::Commented { public: false }))
        .map(|event| (event.by.clone(), event.text.as_str()))
        .collect();
    assert_eq!(said, [(Actor::Reporter { report: 1 }, "Still wet.")]);
    let absent = format!("{to}Auto-Submitted: auto-replied\r\n");
    assert_eq!(answer(&absent).unwrap(), Taken::LeftAside);
    for refused in [
        "To: reply+n-1-1-1-00000000000000000000@example.org\r\n",
        "To: reply@example.org\r\n",
        &format!("To: reply+{}@example.org\r\n", Process::stop_link(&mail)),
    ] {
        assert!(answer(refused).is_err(), "{refused}");
    }
}
