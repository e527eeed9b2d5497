//! Notices of the real binary: mail and requests go out of `whistle serve`, also after it was killed in the middle, and the
//! commands around them.

mod harness;

use std::collections::BTreeMap;

use harness::{Home, REQUESTS, Server, eventually, pothole};
use whistle_testbed::post::{Fate, MailServer, Receiver};

fn serve(home: &Home, mail: &MailServer) -> Server {
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0", "--rate", "0"]);
    command
        .env("WHISTLE_SMTP", mail.url())
        .env("WHISTLE_MAIL_FROM", "Willow Brook <whistle@example.org>")
        .env("WHISTLE_MAIL_REPLY", "reply@example.org")
        .env("WHISTLE_BASE_URL", "https://whistle.example.org")
        .env("WHISTLE_PRIVATE_WEBHOOKS", "true");
    Server::of(command)
}

/// A report of somebody with an address; answers the number.
fn report(server: &Server, key: &str) -> String {
    let fields = [&pothole(key, "A deep hole.")[..], &[("email", "li@example.org")]].concat();
    let answer = server.post(REQUESTS, &[], &fields).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()[0]["service_request_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_server_that_is_killed_while_it_sends_sends_again_under_the_same_id_and_an_answer_comes_back() {
    let home = Home::village();
    let (mail, calls) = (MailServer::new(), Receiver::new());
    let key = home.key();
    let mut add = home.command(&["webhook", "add", &calls.url(), "--events", "reported"]);
    add.env("WHISTLE_PRIVATE_WEBHOOKS", "true");
    let secret = harness::finish(add, "").good();
    assert!(secret.out.starts_with("whsec_"), "{secret:?}");
    let list = home.run(&["webhook", "list"]).good();
    assert!(
        list.out.contains(&calls.url()) && !list.out.contains(secret.out.trim()),
        "{list:?}"
    );

    mail.desk.next([Fate::TakeAndWait]);
    let mut server = serve(&home, &mail);
    let number = report(&server, &key);
    mail.desk.wait_until_held(1);
    server.kill();
    mail.desk.release();
    let server = serve(&home, &mail);
    let ids = || {
        let mut ids: BTreeMap<String, usize> = BTreeMap::new();
        for mail in mail.desk.taken() {
            *ids.entry(mail.header("Message-ID").unwrap()).or_default() += 1;
        }
        ids
    };
    eventually("the mail comes again", || ids().values().any(|times| *times == 2));
    eventually("the request comes", || calls.desk.taken().len() == 1);
    let metrics = || server.get("/metrics").body;
    eventually("it is counted", || {
        metrics().contains("whistle_notices_waiting{channel=\"mail\"} 0")
    });
    let sent = || {
        home.run(&["notices", "list", "--state", "sent", "--json"])
            .good()
            .json()
    };
    eventually("it is noted", || sent().as_array().unwrap().len() >= 2);
    assert!(!server.log().contains("li@example.org") && !sent().to_string().contains("li@example.org"));

    let received = mail.desk.taken().remove(0);
    let answer = format!(
        "From: li@example.org\r\nTo: {}\r\nMessage-ID: <1@example.org>\r\n\r\nIt is deeper now.\r\n",
        received.header("Reply-To").unwrap()
    );
    let run = home.run_with_input(&["mail-in"], &answer).good();
    assert_eq!(run.out, format!("case {number}: added\n"));
    let absent = answer.replace("Message-ID", "Auto-Submitted: auto-replied\r\nMessage-ID");
    assert_eq!(
        home.run_with_input(&["mail-in"], &absent).good().out,
        "left aside: a program sent this\n"
    );
    assert_eq!(
        home.run_with_input(&["mail-in"], "From: a@b\r\n\r\nHello\r\n")
            .code,
        1
    );
    server.stop();
    home.run(&["verify"]).good();
}

#[test]
fn what_was_given_up_is_listed_tried_again_and_dropped_by_command() {
    let home = Home::village();
    let mail = MailServer::new();
    let key = home.key();
    mail.desk.next([Fate::Refuse("550 <{to}> is not here")]);
    let server = serve(&home, &mail);
    report(&server, &key);
    let dead = || home.run(&["notices", "list", "--json"]).good().json();
    eventually("it is given up", || dead().as_array().unwrap().len() == 1);
    let list = home.run(&["notices", "list"]).good().out;
    assert!(
        list.contains("is not here") && !list.contains("li@example.org"),
        "{list}"
    );
    let id = dead()[0]["id"].to_string();
    home.run(&["notices", "retry", &id]).good();
    eventually("it goes", || mail.desk.taken().len() == 1);
    eventually("it is noted", || dead().as_array().unwrap().is_empty());
    assert_eq!(home.run(&["notices", "drop", &id]).code, 1, "it went");
    assert_eq!(
        home.run(&["notices", "drop", "--all"]).good().out,
        "0 deliveries are dropped\n"
    );
    assert_eq!(home.run(&["notices", "retry"]).code, 2, "which?");
    server.stop();
}

#[test]
fn a_notice_is_looked_at_before_anybody_gets_it() {
    let home = Home::village();
    let run = home
        .run(&["notices", "preview", "handled", "--lang", "en"])
        .good();
    assert!(
        run.out.starts_with("Subject: Case 1042: is it done?\n"),
        "{}",
        run.out
    );
    let zh = home.run(&["notices", "preview", "handled"]).good();
    assert!(zh.out.contains("请您核查"), "{}", zh.out);
    let place = home.copy_of_village();
    std::fs::create_dir_all(place.join("notices/zh")).unwrap();
    let own = place.join("notices/zh/handled.txt");
    std::fs::write(&own, "请看 {{ number }}\n\n谢谢\n").unwrap();
    let preview = || home.run(&["notices", "preview", "handled", "--place", "place"]);
    assert_eq!(preview().good().out, "Subject: 请看 1042\n\n谢谢\n");
    std::fs::write(&own, "请看 {{ nummer }}\n").unwrap();
    let broken = preview();
    assert!(
        broken.code == 1 && broken.err.contains("notices/zh/handled.txt:1"),
        "{broken:?}"
    );
    let wrong = home.run(&["notices", "preview", "news"]);
    assert!(
        wrong.code == 2 && wrong.err.contains("reopen_refused"),
        "{wrong:?}"
    );
}

#[test]
fn settings_of_mail_that_cannot_be_right_are_told_and_its_password_is_shown_to_nobody() {
    let home = Home::village();
    let with = |smtp: &str, from: &str, arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("WHISTLE_SMTP", smtp).env("WHISTLE_MAIL_FROM", from);
        harness::finish(command, "")
    };
    let secret = "smtps://whistle:hunter2@mail.example.org";
    let shown = with(secret, "whistle@example.org", &["config"]).good();
    assert!(!shown.out.contains("hunter2"), "{}", shown.out);
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let alone = with(secret, "", &serve);
    assert!(alone.code == 2 && alone.err.contains("mail_from"), "{alone:?}");
    let garbled = with("mail.example.org:hunter2", "whistle@example.org", &serve);
    assert_eq!(garbled.code, 2, "{garbled:?}");
    assert!(
        garbled.err.contains("smtps://") && !garbled.err.contains("hunter2"),
        "{garbled:?}"
    );
}
