//! Who else is told: who is asked a question, who judges the work, who follows a case that theirs was merged into, who approves a
//! whistle; what readers choose; and what comes back.

use jiff::{ToSpan, civil::Date};
use whistle_domain::case::{Respondent, Stage};
use whistle_service::notices::{Choice, Chosen, Kinds, Pace, Taken, Why};

use super::*;

const WANG: &str = "wang@example.org";
const MUSEUM: &str = "museum@example.org";

fn wang() -> Contact {
    Contact {
        email: WANG.to_owned(),
        lang: Some(Lang::Zh),
        ..Contact::default()
    }
}

impl World {
    /// The mails to somebody, oldest first.
    pub(super) fn mails_to(&self, who: &str) -> Vec<Mail> {
        let taken = self.mail.desk.taken();
        taken.into_iter().filter(|mail| mail.to == who).collect()
    }

    fn subjects_to(&self, who: &str) -> Vec<String> {
        let subject = |mail: &Mail| plain(&mail.header("Subject").unwrap());
        self.mails_to(who).iter().map(subject).collect()
    }

    /// Lets an hour pass, in which each reader's window ends.
    fn hour(&self, process: &Process) -> Round {
        self.hands.pass(Duration::from_hours(1));
        process.whistle.do_duties().unwrap();
        process.round()
    }
}

/// A mail without the line ends and signs of its coding.
fn readable(mail: &Mail) -> String {
    mail.text.replace("=\n", "").replace("=3D", "=")
}

/// The last part of a link in a mail.
fn link(mail: &Mail, path: &str) -> String {
    let text = readable(mail);
    let start = format!("https://whistle.example.org{path}");
    let from = text.find(&start).unwrap_or_else(|| panic!("no {path} in {text}"));
    let rest = &text[from + start.len()..];
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    rest[..end.unwrap_or(rest.len())].to_owned()
}

impl Process {
    fn in_days(&self, days: i64) -> Date {
        let zone = self.here.place.calendar.zone();
        zone.to_datetime(self.whistle.now()).date() + days.days()
    }

    fn ask(&self, number: CaseNumber, of: Respondent, choices: &[&str], email: &str) {
        let act = Act::Ask {
            of,
            choices: choices.iter().map(|&choice| choice.to_owned()).collect(),
            until: self.in_days(1),
            reachable: false,
        };
        let by = actor_of(self.here.place.post("WATER-H").unwrap(), 7);
        let contact = Contact {
            email: email.to_owned(),
            ..Contact::default()
        };
        let question = "Which house is it?".to_owned();
        let asked = self
            .whistle
            .act_with(&self.here, number, None, act, question, by, contact);
        wait(asked).unwrap();
    }

    fn last(&self, number: CaseNumber) -> (Actor, Body, String) {
        let (_, log) = wait(self.whistle.case_and_log(&self.here, number)).unwrap();
        let event = log.last().unwrap();
        (event.by.clone(), event.body.clone(), event.text.clone())
    }

    fn handle(&self, number: CaseNumber) {
        let outcome = Outcome::Resolved;
        self.act(number, "WATER-H", Act::Handle { outcome }, "The pipe is tight.");
    }
}

fn answer_to(mail: &Mail, id: &str, text: &str) -> String {
    let to = mail.header("Reply-To").unwrap();
    format!(
        "From: <{}>\r\nTo: {to}\r\nMessage-ID: <{id}@example.org>\r\n\r\n{text}\r\n",
        mail.to
    )
}

// ---- questions ----------------------------------------------------------------------------------------------------

#[test]
fn a_reporter_is_mailed_the_link_of_a_question_and_it_is_answered_once_by_it() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(li());
    process.round();
    process.ask(
        number,
        Respondent::Reporter { report: 1 },
        &["No. 12", "No. 14"],
        "",
    );
    process.round();
    let mails = world.mails_to(LI);
    let mail = mails.last().unwrap();
    assert_eq!(
        world.subjects_to(LI)[1],
        format!("Case {number}: a question for you")
    );
    let text = readable(mail);
    assert!(
        text.contains("Which house is it?") && text.contains("No. 12; No. 14"),
        "{text}"
    );
    let link = link(mail, "/ask/");
    let asked = wait(process.whistle.asked(&process.here, &link)).unwrap();
    assert_eq!(asked.by, Actor::Reporter { report: 1 });
    assert!(asked.open.is_some());
    let act = Act::Answer {
        choice: Some("No. 12".to_owned()),
    };
    wait(
        process
            .whistle
            .act(&process.here, number, None, act, String::new(), asked.by),
    )
    .unwrap();
    let again = wait(process.whistle.asked(&process.here, &link)).unwrap();
    assert!(again.open.is_none());
}

#[test]
fn a_question_goes_at_once_with_what_was_gathered_and_not_when_it_is_over() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(li());
    process.round();
    for n in 1..=4 {
        process.comment(number, &format!("Word {n}."));
        process.round();
    }
    let waiting = process.in_state(State::Waiting).len();
    assert!(waiting > 0, "some wait for the end of the window");
    process.ask(number, Respondent::Reporter { report: 1 }, &[], "");
    process.round();
    assert!(process.in_state(State::Waiting).is_empty());
    let digest = world.mails_to(LI).pop().unwrap();
    assert!(readable(&digest).contains("a question for you"));
    link(&digest, "/ask/");

    // The mail server is away until the question was answered.
    let act = Act::Answer { choice: None };
    process.act(number, "CITY-D", act.clone(), "No. 12.");
    process.round();
    world.mail.desk.next([Fate::Refuse("451 later")]);
    process.ask(number, Respondent::Reporter { report: 1 }, &[], "");
    process.round();
    process.act(number, "CITY-D", act, "No. 12.");
    let before = world.mails_to(LI).len();
    world.hour(&process);
    assert_eq!(world.mails_to(LI).len(), before);
    let dropped = process.in_state(State::Dropped);
    assert_eq!(dropped[0].error, Why::QuestionOver.as_str());
}

#[test]
fn somebody_outside_is_mailed_and_answers_by_mail_and_then_their_address_is_gone() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(Contact::default());
    process.ask(number, Respondent::Outside, &["Ours", "Not ours"], MUSEUM);
    process.round();
    let mail = world.mails_to(MUSEUM).pop().unwrap();
    link(&mail, "/ask/");
    assert!(!readable(&mail).contains("/follow?"), "they have no code");
    let unknown = answer_to(&mail, "m1", "Perhaps.");
    assert!(process.whistle.take_mail(unknown.as_bytes()).is_err());
    let answer = answer_to(&mail, "m2", "not ours.\r\n\r\nAsk the school.");
    for _ in 0..2 {
        let taken = process.whistle.take_mail(answer.as_bytes());
        assert_eq!(taken.unwrap(), Taken::Answered(number));
    }
    let (by, body, text) = process.last(number);
    assert!(matches!(by, Actor::Asked { .. }), "{by:?}");
    assert_eq!(
        body,
        Body::Answered {
            choice: Some("Not ours".to_owned())
        }
    );
    assert_eq!(text, "Ask the school.");
    let token = Process::stop_link(&mail);
    let (whistle, here) = (&process.whistle, &process.here);
    assert_eq!(wait(whistle.chosen_by_link(here, &token)).unwrap(), None);
    assert_eq!(process.round().sent, 1, "the unit hears of the answer");
    process.ask(number, Respondent::Outside, &[], "");
    assert_eq!(process.round().sent, 0, "nobody knows where this one goes");
    let act = Act::Comment { public: false };
    let by = actor_of(here.place.post("CITY-D").unwrap(), 7);
    let contact = Contact {
        email: MUSEUM.to_owned(),
        ..Contact::default()
    };
    let refused = wait(whistle.act_with(here, number, None, act, "x".to_owned(), by, contact));
    assert!(refused.is_err(), "an address belongs to a question");
}

#[test]
fn an_answer_by_mail_to_a_question_is_its_answer_and_after_that_the_reporters_word() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(li());
    process.round();
    process.ask(number, Respondent::Reporter { report: 1 }, &[], "");
    process.round();
    let mail = world.mails_to(LI).pop().unwrap();
    let take = |id: &str, text: &str| {
        process
            .whistle
            .take_mail(answer_to(&mail, id, text).as_bytes())
            .unwrap()
    };
    assert_eq!(take("a1", "No. 12."), Taken::Answered(number));
    assert_eq!(process.last(number).1, Body::Answered { choice: None });
    assert_eq!(take("a2", "And it smells."), Taken::Said(number));
    let (by, body, text) = process.last(number);
    assert_eq!(
        (by, body),
        (Actor::Reporter { report: 1 }, Body::Commented { public: false })
    );
    assert_eq!(text, "And it smells.");
}

// ---- the work is judged -------------------------------------------------------------------------------------------

#[test]
fn who_reported_first_judges_the_work_by_the_link_of_the_mail_until_it_was_judged() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(li());
    process.act(number, "WATER-H", Act::ReportIn, "");
    process.round();
    process.handle(number);
    process.round();
    let first = link(&world.mails_to(LI).pop().unwrap(), "/judge/");
    let judging = |link: &str| wait(process.whistle.judging(&process.here, link));
    let open = judging(&first).unwrap();
    assert!(open.open);
    let judge = |act: Act, text: &str| {
        let by = open.by.clone();
        let (whistle, here) = (&process.whistle, &process.here);
        wait(whistle.act(here, number, None, act, text.to_owned(), by)).unwrap()
    };
    judge(Act::Rework, "It still drips.");
    assert!(!judging(&first).unwrap().open);
    process.handle(number);
    world.hour(&process);
    let second = link(&world.mails_to(LI).pop().unwrap(), "/judge/");
    assert!(!judging(&first).unwrap().open, "that was of other work");
    assert!(judging(&second).unwrap().open);
    assert_eq!(judge(Act::Verify, "").state.stage(), Stage::Closed);
    assert!(!judging(&second).unwrap().open);
    assert!(judging(&second.replacen(&format!("{number}-"), "99-", 1)).is_err());
}

#[test]
fn who_joined_a_report_is_told_that_it_was_handled_and_asked_nothing() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(Contact::default());
    let with = With {
        contact: li(),
        ..With::default()
    };
    let joined = process.whistle.join(
        &process.here,
        number,
        Channel::Web,
        "Here too.".to_owned(),
        Actor::Public,
        with,
    );
    wait(joined).unwrap();
    process.act(number, "WATER-H", Act::ReportIn, "");
    process.handle(number);
    process.round();
    world.hour(&process);
    let mail = world.mails_to(LI).pop().unwrap();
    assert!(!readable(&mail).contains("/judge/"));
    assert!(
        readable(&mail).contains("handled, resolved"),
        "{}",
        readable(&mail)
    );
}

// ---- merged cases -------------------------------------------------------------------------------------------------

#[test]
fn who_reported_a_case_that_was_merged_is_told_what_happens_to_the_one_that_goes_on() {
    let world = World::new();
    let process = world.start(1);
    let first = process.report(li());
    let (second, third) = (
        process.report(wang()),
        process.report(Contact {
            email: "zhao@example.org".to_owned(),
            lang: Some(Lang::En),
            ..Contact::default()
        }),
    );
    process.round();
    // A chain: the third into the second, that into the first.
    process.act(third, "CITY-D", Act::Merge { into: second }, "");
    world.hour(&process);
    process.act(second, "CITY-D", Act::Merge { into: first }, "");
    world.hour(&process);
    process.act(first, "WATER-H", Act::ReportIn, "");
    world.hour(&process);
    process.handle(first);
    world.hour(&process);
    process.act(first, "CITY-D", Act::Verify, "");
    world.hour(&process);
    assert_eq!(
        world.subjects_to("zhao@example.org"),
        [
            format!("We have your report: case {third}"),
            format!("Case {third}: reported before"),
            // The second's own merging.
            format!("Case {third}: reported before"),
            format!("Case {third}: Water Department is on it"),
            format!("Case {third}: closed, resolved"),
        ],
        "and nobody asks them whether it is done"
    );
    let mails = world.mails_to("zhao@example.org");
    let closed = readable(mails.last().unwrap());
    assert!(
        closed.contains(&format!("Your case {third} goes on as case {first}.")),
        "{closed}"
    );
    assert!(
        closed.contains(&format!("/follow?number={third}")),
        "their code opens theirs: {closed}"
    );
    assert!(!closed.contains("opened again"), "a merged case is not: {closed}");
    assert!(world.mails_to(WANG).len() >= 4);
    // What they answer is kept in theirs.
    let taken = process
        .whistle
        .take_mail(answer_to(mails.last().unwrap(), "z1", "Thank you.").as_bytes());
    assert_eq!(taken.unwrap(), Taken::Said(third));
    // The way out is out of the case that goes on.
    let token = Process::stop_link(mails.last().unwrap());
    let (whistle, here) = (&process.whistle, &process.here);
    assert_eq!(
        whistle.subject_of_stop(here, &token).unwrap(),
        Subject::Case(first)
    );
    wait(whistle.stop_mail(here, &token, Stopping::This, true)).unwrap();
    process.comment(first, "A last word.");
    world.hour(&process);
    assert_eq!(world.mails_to("zhao@example.org").len(), mails.len());
}

// ---- whistles -----------------------------------------------------------------------------------------------------

/// The town's hard problems are approved by the station above.
fn with_approval() -> World {
    let world = World::with_station();
    let folder = world.bed.path().join("village");
    let edit = |name: &str, change: &dyn Fn(String) -> String| {
        let path = folder.join(name);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, change(text)).unwrap();
    };
    edit("posts.csv", &|text| {
        format!(
            "{text}T100-D,派遣员,,Dispatcher,T100,230599100,dispatcher\nT100-L,站长,,Lead,T100,230599100,lead\n"
        )
    });
    edit("whistles.csv", &|text| {
        let own = "HARD,疑难哨,Hard problem,town,dispatcher|lead,lead,";
        assert!(text.contains(own), "{text}");
        text.replace(own, "HARD,疑难哨,Hard problem,town,dispatcher|lead,above,")
    });
    world.open(0).apply(&folder).unwrap();
    world
}

impl Process {
    fn blow_hard(&self, case: CaseNumber) -> WhistleNumber {
        let new = NewWhistle {
            kind: "HARD".parse().unwrap(),
            cases: vec![case],
            units: vec![code("WATER")],
            lead: code("WATER"),
            place: MILL.to_owned(),
            meet_at: None,
            matter: "Whose pipe is it?".to_owned(),
        };
        let by = actor_of(self.here.place.post("T100-D").unwrap(), 1);
        wait(self.whistle.blow(&self.here, new, by, None)).unwrap().number
    }
}

#[test]
fn who_must_approve_a_whistle_is_asked_and_who_asked_is_told_what_came_of_it() {
    use whistle::command::Act;
    let world = with_approval();
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
    let (centre, upstream) = ("centre@example.org", "upstream@example.org");
    let first = process.blow_hard(case);
    assert_eq!(told(), sent(&[(centre, "[whistle 1] to approve: Hard problem")]));
    let asked = world.mails_to(centre).pop().unwrap();
    assert!(readable(&asked).contains("Whose pipe is it?"));
    process.meet(first, "CITY-L", Act::RefuseApproval, "It is yours.");
    assert_eq!(
        told(),
        sent(&[(upstream, "[whistle 1] not approved: Hard problem")])
    );
    let second = process.blow_hard(case);
    told();
    process.meet(second, "CITY-L", Act::Approve, "");
    assert_eq!(
        told(),
        sent(&[
            (upstream, "[whistle 2] approved: Hard problem"),
            (
                "water@example.org",
                "[whistle 2] Hard problem: come to At the mill"
            ),
        ])
    );
}

#[test]
fn the_station_to_which_a_whistle_is_raised_is_told_and_so_is_who_is_called_with_it() {
    let world = World::with_station();
    let folder = world.bed.path().join("village");
    let path = folder.join("posts.csv");
    let posts = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{posts}T100-L,站长,,Lead,T100,230599100,lead\n")).unwrap();
    world.open(0).apply(&folder).unwrap();
    let process = world.start(1);
    let case = process.report(Contact::default());
    process.round();
    let number = process.blow(case, &["WATER"]);
    process.round();
    let before = world.subjects().len();
    let units = vec![code("ROADS")];
    process.meet(
        number,
        "T100-L",
        whistle::command::Act::Raise { units },
        "The road sinks.",
    );
    process.round();
    let mut new = world.subjects()[before..].to_vec();
    new.sort();
    assert_eq!(
        new,
        sent(&[
            ("centre@example.org", "[whistle 1] raised to you: Emergency"),
            ("roads@example.org", "[whistle 1] Emergency: come to At the mill"),
        ])
    );
}

// ---- choices ------------------------------------------------------------------------------------------------------

#[test]
fn a_reporter_chooses_which_notices_when_and_in_which_language() {
    let world = World::new();
    let process = world.start(1);
    let (whistle, here) = (&process.whistle, &process.here);
    let number = process.report(li());
    process.round();
    let token = Process::stop_link(&world.mails_to(LI).pop().unwrap());
    let chosen = || wait(whistle.chosen_by_link(here, &token)).unwrap();
    let all = Choice {
        lang: Some(Lang::En),
        ..Choice::default()
    };
    assert_eq!(chosen(), Some(Chosen::OfReporter(all)));
    let choose = |choice| wait(whistle.choose_by_link(here, &token, choice)).unwrap();
    choose(Choice {
        kinds: Kinds::Milestones,
        ..all
    });
    process.comment(number, "We are looking.");
    process.act(number, "WATER-H", Act::ReportIn, "");
    world.hour(&process);
    assert_eq!(world.subjects_to(LI).len(), 1, "neither is a milestone");
    choose(Choice {
        kinds: Kinds::Answers,
        ..all
    });
    process.comment(number, "Tomorrow.");
    world.hour(&process);
    assert_eq!(world.subjects_to(LI).len(), 2);
    choose(Choice {
        pace: Pace::Daily,
        ..all
    });
    // It is some time of the day; the next morning at eight all goes as one.
    process.comment(number, "One.");
    process.comment(number, "Two.");
    process.round();
    assert_eq!(world.subjects_to(LI).len(), 2);
    let waiting = process.in_state(State::Waiting);
    let zone = here.place.calendar.zone();
    let at = zone.to_datetime(waiting[0].next_at);
    assert_eq!((at.hour(), at.minute()), (8, 0));
    for _ in 0..24 {
        world.hour(&process);
    }
    assert_eq!(world.subjects_to(LI)[2], "2 notices: Willow Brook");
    choose(Choice {
        lang: Some(Lang::Zh),
        ..Choice::default()
    });
    process.comment(number, "完成。");
    process.round();
    let mail = world.mails_to(LI).pop().unwrap();
    assert!(mail.header("Subject").unwrap().starts_with("=?utf-8?"));
}

#[test]
fn a_question_does_not_wait_for_the_morning() {
    let world = World::new();
    let process = world.start(1);
    let (whistle, here) = (&process.whistle, &process.here);
    let number = process.report(li());
    process.round();
    let token = Process::stop_link(&world.mails_to(LI).pop().unwrap());
    let daily = Choice {
        pace: Pace::Daily,
        lang: Some(Lang::En),
        ..Choice::default()
    };
    wait(whistle.choose_by_link(here, &token, daily)).unwrap();
    process.comment(number, "One.");
    process.round();
    assert_eq!(world.subjects_to(LI).len(), 1);
    process.ask(number, Respondent::Reporter { report: 1 }, &[], "");
    process.round();
    assert_eq!(world.subjects_to(LI)[1], "2 notices: Willow Brook");
}

#[test]
fn a_unit_chooses_by_its_lead_or_by_the_link_and_nobody_else_chooses_for_it() {
    let world = World::new();
    let process = world.start(1);
    let (whistle, here) = (&process.whistle, &process.here);
    process.report(Contact::default());
    process.round();
    let water = "water@example.org";
    let token = Process::stop_link(&world.mails_to(water).pop().unwrap());
    let of = |post: &str| actor_of(here.place.post(post).unwrap(), 1);
    let urgent = Choice {
        kinds: Kinds::Answers,
        ..Choice::default()
    };
    assert!(
        wait(whistle.choose_for_unit(here, &of("ROADS-H"), urgent)).is_err(),
        "no lead"
    );
    assert!(wait(whistle.choose_for_unit(here, &Actor::Public, urgent)).is_err());
    wait(whistle.choose_for_unit(here, &of("WATER-H"), urgent)).unwrap();
    assert_eq!(
        wait(whistle.chosen_by_link(here, &token)).unwrap(),
        Some(Chosen::OfUnit(urgent))
    );
    let number = process.report(Contact::default());
    world.hour(&process);
    assert_eq!(world.mails_to(water).len(), 1, "a new case is not urgent");
    process.act(number, "WATER-H", Act::ReportIn, "");
    process.handle(number);
    process.act(number, "CITY-D", Act::Rework, "It leaks.");
    world.hour(&process);
    assert_eq!(world.mails_to(water).len(), 2);
    let zh = Choice {
        lang: Some(Lang::Zh),
        ..Choice::default()
    };
    wait(whistle.choose_by_link(here, &token, zh)).unwrap();
    process.report(Contact::default());
    world.hour(&process);
    let mail = world.mails_to(water).pop().unwrap();
    assert!(mail.header("Subject").unwrap().starts_with("=?utf-8?"));
}

// ---- webhooks -----------------------------------------------------------------------------------------------------

#[test]
fn who_administers_the_whole_place_keeps_its_webhooks_and_a_paused_one_is_told_nothing() {
    let world = World::new();
    let process = world.start(1);
    let (whistle, here) = (&process.whistle, &process.here);
    let of = |post: &str| actor_of(here.place.post(post).unwrap(), 1);
    let (lead, desk) = (of("CITY-L"), of("CITY-D"));
    let new = new_webhook(&world.calls.url(), &["*"], false, true);
    assert!(
        wait(whistle.add_webhook_as(here, &desk, &new)).is_err(),
        "no administrator"
    );
    assert!(wait(whistle.webhooks_as(here, &desk)).is_err());
    let sms = new_webhook(&world.calls.url(), &["sms"], false, true);
    assert!(
        wait(whistle.add_webhook_as(here, &lead, &sms)).is_err(),
        "it would hold numbers"
    );
    let (id, _) = wait(whistle.add_webhook_as(here, &lead, &new)).unwrap();
    let test = || wait(whistle.test_webhook_as(here, &lead, id, true)).unwrap();
    assert_eq!(test(), None);
    let call = world.calls.desk.taken().pop().unwrap();
    let body: serde_json::Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(body["type"], "test");
    assert!(call.header("webhook-signature").is_some());
    world.calls.desk.next([Fate::Refuse("500 Broken")]);
    assert!(test().unwrap().contains("500"));

    world.calls.desk.next([Fate::Refuse("500 Broken")]);
    process.report(Contact::default());
    process.round();
    let seen = || wait(whistle.webhook_as(here, &lead, id)).unwrap();
    let (hook, deliveries) = seen();
    assert!(hook.paused_at.is_none());
    assert!(
        deliveries.iter().any(|one| one.error.contains("500")),
        "{deliveries:#?}"
    );
    let change = |change| wait(whistle.change_webhook_as(here, &lead, id, change));
    change(WebhookChange::Pause).unwrap();
    assert!(change(WebhookChange::Pause).is_err(), "it is paused");
    let before = world.calls.desk.taken().len();
    process.report(Contact::default());
    world.hour(&process);
    assert_eq!(world.calls.desk.taken().len(), before);
    let (hook, deliveries) = seen();
    assert!(hook.paused_at.is_some());
    assert!(
        deliveries.iter().all(|one| one.state != State::Waiting),
        "{deliveries:#?}"
    );
    change(WebhookChange::Resume).unwrap();
    process.report(Contact::default());
    process.round();
    assert!(world.calls.desk.taken().len() > before);
    assert!(wait(whistle.change_webhook_as(here, &desk, id, WebhookChange::Remove)).is_err());
    change(WebhookChange::Remove).unwrap();
    assert!(wait(whistle.webhook_as(here, &lead, id)).is_err());
}

// ---- what comes back ----------------------------------------------------------------------------------------------

fn report_of(mail: &Mail, status: &str) -> String {
    format!(
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.net\r\nTo: {}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nI am sorry.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n\
         Final-Recipient: rfc822; {}\r\nAction: failed\r\nStatus: {status}\r\n\
         Diagnostic-Code: smtp; 550 {status} <{}> is not here\r\n\r\n--b--\r\n",
        mail.from, mail.to, mail.to
    )
}

#[test]
fn a_mail_that_comes_back_for_good_ends_mail_to_its_address_until_somebody_trusts_it_again() {
    let world = World::new();
    let process = world.start(1);
    let (whistle, here) = (&process.whistle, &process.here);
    let (one, other) = (process.report(li()), process.report(li()));
    process.round();
    let mail = world.mails_to(LI).remove(0);
    assert!(mail.from.starts_with("reply+n-"), "{}", mail.from);
    let taken = whistle.take_mail(report_of(&mail, "5.1.1").as_bytes()).unwrap();
    assert_eq!(taken, Taken::Returned { given_up: true });
    let failing = whistle.failing_addresses(here, None).unwrap();
    assert_eq!(failing.len(), 1);
    assert!(failing[0].given_up && failing[0].why.contains("5.1.1"));
    assert!(!failing[0].why.contains('@'), "{}", failing[0].why);
    process.comment(one, "Hello.");
    process.comment(other, "Hello.");
    let round = process.round();
    assert_eq!((round.sent, round.dropped), (0, 2));
    let desk = actor_of(here.place.post("CITY-D").unwrap(), 1);
    let seen = wait(whistle.contacts(here, one, &desk)).unwrap();
    assert_eq!(seen[0].failing_since, Some(failing[0].at));
    whistle.trust_address(here, failing[0].id).unwrap();
    assert!(whistle.trust_address(here, failing[0].id).is_err());
    process.comment(one, "Again.");
    assert_eq!(process.round().sent, 1);
}

#[test]
fn a_full_mailbox_ends_it_the_third_time_and_a_strangers_report_never() {
    let world = World::new();
    let process = world.start(1);
    process.report(li());
    process.round();
    let mail = world.mails_to(LI).remove(0);
    let stranger = Mail {
        from: "reply+n-1-1-1-00000000000000000000@example.org".to_owned(),
        ..mail.clone()
    };
    let take = |mail: &Mail, status| {
        process
            .whistle
            .take_mail(report_of(mail, status).as_bytes())
            .unwrap()
    };
    assert_eq!(take(&stranger, "5.1.1"), Taken::LeftAside);
    let of_a_reader = Mail {
        from: mail.header("Reply-To").unwrap(),
        ..mail.clone()
    };
    assert_eq!(
        take(&of_a_reader, "5.1.1"),
        Taken::LeftAside,
        "that is for answers"
    );
    for _ in 0..2 {
        assert_eq!(take(&mail, "5.2.2"), Taken::Returned { given_up: false });
    }
    assert_eq!(take(&mail, "5.2.2"), Taken::Returned { given_up: true });
    // After a while it is tried again.
    world.hands.pass(Duration::from_hours(91 * 24));
    process.whistle.do_duties().unwrap();
    assert!(
        process
            .whistle
            .failing_addresses(&process.here, None)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn an_address_that_the_server_refuses_for_good_is_not_tried_for_the_next_notice() {
    let world = World::new();
    let process = world.start(1);
    let number = process.report(li());
    let refused = Fate::Refuse("550 5.1.1 <{to}>: nobody here");
    world.mail.desk.next([refused.clone(), refused]);
    assert_eq!(process.round().dead, 2);
    let failing = process.whistle.failing_addresses(&process.here, None).unwrap();
    let units: Vec<_> = failing.iter().filter_map(|one| one.unit.clone()).collect();
    assert_eq!((failing.len(), units), (2, vec![code("WATER")]));
    process.comment(number, "Hello.");
    let round = process.round();
    assert_eq!((round.sent, round.dropped), (0, 1));
}
