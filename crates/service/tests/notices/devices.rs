//! Push: who is at a post is told on their devices what its unit is, sealed for each, at least once, for as long as it is theirs to
//! know; and on no others.

use whistle_service::{
    account::{Change, SignedIn},
    notices::{Choice, Kinds, MAX_DEVICES, NewDevice, Pace, Why},
    secret,
};
use whistle_testbed::device::{Device, sender};

use super::*;

const PASSWORD: &str = "lusu-bade-41";
const CONTACT: &str = "mailto:ops@example.org";

/// Somebody who is signed in, in one browser.
struct Holder {
    login: String,
    signed: SignedIn,
    token: String,
}

impl World {
    /// A push service of its own for each; what comes to it is what the devices there get.
    fn push_service() -> Receiver {
        Receiver::new()
    }
}

impl Process {
    fn account(&self, login: &str, posts: &[&str]) -> Holder {
        let posts: Vec<_> = posts.iter().map(|post| post.parse().unwrap()).collect();
        self.whistle
            .add_user(&self.here, login, PASSWORD, &posts)
            .unwrap();
        self.sign_in(login)
    }

    fn sign_in(&self, login: &str) -> Holder {
        let token = wait(self.whistle.sign_in(&self.here, login, PASSWORD.to_owned(), None))
            .unwrap()
            .done()
            .unwrap();
        Holder {
            login: login.to_owned(),
            signed: wait(self.whistle.signed_in(&self.here, &token)).unwrap(),
            token,
        }
    }

    fn add(&self, holder: &Holder, subscription: &str, browser: Option<&str>) -> Result<String, Error> {
        let new = NewDevice {
            subscription,
            name: "telephone",
            lang: Lang::En,
            private: true,
        };
        wait(self.whistle.add_device(&self.here, &holder.signed, new, browser))
    }

    /// Subscribes a device at a push service.
    fn subscribe(&self, holder: &Holder, device: &Device, service: &Receiver) -> String {
        let endpoint = format!("http://{}/{:p}", service.address, device);
        self.add(holder, &device.subscription(&endpoint), None).unwrap()
    }

    fn devices(&self, holder: &Holder) -> usize {
        let own = self.whistle.own_devices(&self.here, &holder.signed, None);
        wait(own).unwrap().len()
    }

    fn push_on(&self) -> String {
        self.whistle.switch_push_on(&self.here, CONTACT).unwrap()
    }

    /// A reported case, which goes straight to the water department.
    fn leak(&self) -> CaseNumber {
        let number = self.report(li());
        self.round();
        number
    }

    fn why(&self, state: State) -> Vec<String> {
        let all = self.in_state(state).into_iter();
        all.filter(|one| one.device > 0).map(|one| one.error).collect()
    }
}

fn titles(device: &Device, service: &Receiver) -> Vec<String> {
    let said = |call| device.open(call)["title"].as_str().unwrap().to_owned();
    service.desk.taken().iter().map(said).collect()
}

#[test]
fn who_is_at_a_post_is_told_on_a_device_what_the_unit_is_and_nothing_that_somebody_wrote() {
    let world = World::new();
    let process = world.start(1);
    let key = process.push_on();
    let (service, phone) = (World::push_service(), Device::new(1));
    let holder = process.account("wen", &["WATER-H"]);
    process.subscribe(&holder, &phone, &service);
    process.account("lu", &["ROADS-H"]);
    let number = process.leak();
    let calls = service.desk.taken();
    assert_eq!(calls.len(), 1);
    let said = phone.open(&calls[0]);
    assert_eq!(said["title"], format!("[{number}] new case"));
    assert_eq!(said["link"], format!("/staff/cases/{number}"));
    assert_eq!(said["lang"], "en");
    let area = said["body"].as_str().unwrap();
    assert!(!area.is_empty(), "{said}");
    let all = said.to_string();
    assert!(
        !all.contains("Water on the road") && !all.contains(LI) && !all.contains("Leaking pipe"),
        "{all}"
    );
    let claims = sender(&calls[0], &key);
    assert_eq!(claims["sub"], CONTACT);
    assert_eq!(claims["aud"], format!("http://{}", service.address));
    let good_for = claims["exp"].as_i64().unwrap() - process.whistle.now().as_second();
    assert!((3600..=24 * 3600).contains(&good_for), "{good_for}");
    assert_eq!(calls[0].header("ttl"), Some("259200"));
    assert_eq!(calls[0].header("urgency"), Some("normal"));
    // The unit has its mail all the same; and what was sent is seen with the case.
    assert_eq!(world.mails_to_water(), 1);
    let told = wait(process.whistle.deliveries_of(&process.here, number)).unwrap();
    let pushed: Vec<_> = told.iter().filter(|one| one.device > 0).collect();
    assert_eq!(pushed.len(), 1);
    assert_eq!(pushed[0].state, State::Sent);
    let own = wait(process.whistle.own_devices(&process.here, &holder.signed, None)).unwrap();
    assert!(own[0].told_at.is_some());
    let standing = process.whistle.push_standing(&process.here).unwrap().unwrap();
    assert_eq!((standing.key, standing.devices), (key, 1));
}

impl World {
    fn mails_to_water(&self) -> usize {
        let taken = self.mail.desk.taken();
        taken.iter().filter(|mail| mail.to == "water@example.org").count()
    }
}

#[test]
fn devices_are_told_where_no_mail_goes_and_none_where_push_is_off() {
    let world = World {
        has_mail: false,
        ..World::new()
    };
    let process = world.start(1);
    let holder = process.account("wen", &["WATER-H"]);
    let (service, phone) = (World::push_service(), Device::new(1));
    let endpoint = format!("http://{}/x", service.address);
    let off = process.add(&holder, &phone.subscription(&endpoint), None);
    assert!(
        matches!(off, Err(Error::NotFound { what: "push", .. })),
        "{off:?}"
    );
    process.push_on();
    process.subscribe(&holder, &phone, &service);
    process.leak();
    assert_eq!(service.desk.taken().len(), 1);
    process.whistle.switch_push_off(&process.here).unwrap();
    assert!(
        process.whistle.switch_push_off(&process.here).is_err(),
        "it is off"
    );
    process.leak();
    assert_eq!(service.desk.taken().len(), 1);
    assert_eq!(process.devices(&holder), 0);
    assert!(process.in_state(State::Waiting).is_empty());
}

#[test]
fn a_message_that_fails_goes_again_under_its_id_and_the_next_waits_for_it() {
    let world = World::new();
    let process = world.start(1);
    process.push_on();
    let (service, phone) = (World::push_service(), Device::new(1));
    let holder = process.account("wen", &["WATER-H"]);
    process.subscribe(&holder, &phone, &service);
    // Taken, but nobody says so; too many; out of order; then all is well.
    service.desk.next([
        Fate::TakeAndHangUp,
        Fate::Refuse("429 Too Many Requests"),
        Fate::Refuse("503 Service Unavailable"),
    ]);
    let number = process.leak();
    let kind = SupervisionKind::Important;
    process.act(number, "CITY-L", Act::Supervise { on: true, kind }, "Look at it.");
    process.finish(&world.hands);
    let calls = service.desk.taken();
    let said: Vec<_> = calls.iter().map(|call| phone.open(call)).collect();
    let titles: Vec<_> = said.iter().map(|said| said["title"].as_str().unwrap()).collect();
    let [new, watched] = ["new case", "watched over"].map(|what| format!("[{number}] {what}"));
    assert_eq!(titles, [&new, &new, &watched]);
    assert_eq!(said[0]["id"], said[1]["id"], "the device shows it once");
    assert_ne!(said[1]["id"], said[2]["id"]);
    assert_eq!(calls[0].header("topic"), calls[1].header("topic"));
    assert_ne!(calls[1].header("topic"), calls[2].header("topic"));
    assert!(calls[0].header("topic").unwrap().len() <= 32);
    assert_ne!(calls[0].bytes, calls[1].bytes, "sealed anew each time");
}

#[test]
fn what_never_arrives_is_given_up_seen_and_tried_again_on_demand() {
    let world = World::new();
    let process = world.start(1);
    process.push_on();
    let (service, phone) = (World::push_service(), Device::new(1));
    let holder = process.account("wen", &["WATER-H"]);
    process.subscribe(&holder, &phone, &service);
    service
        .desk
        .next(std::iter::repeat_n(Fate::Refuse("500 Broken"), 100));
    process.leak();
    process.finish(&world.hands);
    let why = process.why(State::Dead);
    assert_eq!(why.len(), 1);
    assert!(Why::line(&why[0]).contains("500"), "{why:?}");
    service.desk.forget_fates();
    assert_eq!(process.whistle.retry_deliveries(&process.here, None).unwrap(), 1);
    process.finish(&world.hands);
    assert_eq!(service.desk.taken().len(), 1);
    // What the push service will never take is given up at once.
    service.desk.next([Fate::Refuse("413 Payload Too Large")]);
    process.leak();
    assert_eq!(process.why(State::Dead).len(), 1);
}

#[test]
fn a_device_that_its_push_service_knows_no_more_is_removed() {
    for gone in ["410 Gone", "404 Not Found"] {
        let world = World::new();
        let process = world.start(1);
        process.push_on();
        let (service, phone) = (World::push_service(), Device::new(1));
        let holder = process.account("wen", &["WATER-H"]);
        process.subscribe(&holder, &phone, &service);
        service.desk.next([Fate::Refuse(gone)]);
        process.leak();
        assert_eq!(process.devices(&holder), 0);
        assert_eq!(process.why(State::Dropped), [Why::DeviceGone.as_str()]);
        process.leak();
        assert!(service.desk.taken().is_empty());
        assert!(process.in_state(State::Dead).is_empty());
    }
}

#[test]
fn a_push_service_that_is_away_keeps_neither_mail_nor_another_waiting() {
    let world = World::new();
    let process = world.start(1);
    process.push_on();
    let (slow, quick) = (World::push_service(), World::push_service());
    let (phone, tablet) = (Device::new(1), Device::new(2));
    let holder = process.account("wen", &["WATER-H"]);
    // Told apart by their names; both are this machine.
    let at = |host: &str, service: &Receiver| format!("http://{host}:{}/x", service.address.port());
    process
        .add(&holder, &phone.subscription(&at("127.0.0.1", &slow)), None)
        .unwrap();
    process
        .add(&holder, &tablet.subscription(&at("localhost", &quick)), None)
        .unwrap();
    slow.desk.next([Fate::TakeAndWait]);
    process.report(li());
    process.courier.turn().unwrap();
    slow.desk.wait_until_held(1);
    quick.desk.wait_until_taken(1);
    world.mail.desk.wait_until_taken(2);
    slow.desk.release();
    process.finish(&world.hands);
    assert_eq!(titles(&tablet, &quick).len(), 1);
}

#[test]
fn many_at_once_are_gathered_and_a_unit_chooses_for_its_devices_as_for_its_mail() {
    let world = World::new();
    let process = world.start(1);
    process.push_on();
    let (service, phone) = (World::push_service(), Device::new(1));
    let holder = process.account("wen", &["WATER-H"]);
    process.subscribe(&holder, &phone, &service);
    for _ in 0..9 {
        process.leak();
    }
    assert_eq!(service.desk.taken().len(), 3);
    process.finish(&world.hands);
    let titles_now = titles(&phone, &service);
    assert_eq!(titles_now.len(), 4);
    assert_eq!(titles_now[3], "6 notices: Willow Brook");
    let last = phone.open(&service.desk.taken()[3]);
    assert_eq!(last["body"], "4, 5, 6, 7, 8…");
    assert_eq!(last["link"], "/staff");
    let choose = |kinds, pace| {
        let choice = Choice {
            kinds,
            pace,
            ..Choice::default()
        };
        let lead = actor_of(process.here.place.post("WATER-H").unwrap(), 1);
        wait(process.whistle.choose_for_unit(&process.here, &lead, choice)).unwrap();
    };
    choose(Kinds::Answers, Pace::AtOnce);
    process.leak();
    process.finish(&world.hands);
    assert_eq!(service.desk.taken().len(), 4, "a new case is not urgent");
    choose(Kinds::All, Pace::Daily);
    let number = process.leak();
    assert_eq!(
        service.desk.taken().len(),
        5,
        "its limit runs out before the morning"
    );
    process.answer(number, Act::Withdraw, "");
    world.hands.pass(Duration::from_hours(1));
    process.whistle.do_duties().unwrap();
    process.round();
    assert_eq!(service.desk.taken().len(), 5, "it waits for the morning");
    process.finish(&world.hands);
    assert_eq!(titles(&phone, &service)[5], format!("[{number}] no longer yours"));
}

#[test]
fn who_is_called_by_a_whistle_is_woken() {
    let world = World::with_station();
    let process = world.start(1);
    process.push_on();
    let (service, phone) = (World::push_service(), Device::new(1));
    let holder = process.account("wen", &["ROADS-H"]);
    process.subscribe(&holder, &phone, &service);
    let number = process.report(Contact::default());
    let whistle = process.blow(number, &["ROADS", "WATER"]);
    process.round();
    let calls = service.desk.taken();
    assert_eq!(calls.len(), 1);
    let said = phone.open(&calls[0]);
    assert_eq!(said["title"], format!("[whistle {whistle}] you are called"));
    assert_eq!(said["link"], format!("/staff/whistles/{whistle}"));
    assert!(!said.to_string().contains("burst"), "{said}");
    assert_eq!(calls[0].header("urgency"), Some("high"));
}

/// What ends a device, and whether it is one of the account itself.
type End = fn(&Process, &Holder, &str);

#[test]
fn a_device_ends_with_what_ends_a_session() {
    const ENDS: [(&str, End); 6] = [
        ("signed out by others", |process, holder, _| {
            let (whistle, here) = (&process.whistle, &process.here);
            whistle.change_user(here, &holder.login, Change::SignOut).unwrap();
        }),
        ("disabled", |process, holder, _| {
            let (whistle, here) = (&process.whistle, &process.here);
            whistle.change_user(here, &holder.login, Change::Disable).unwrap();
        }),
        ("a new password from others", |process, holder, _| {
            let (whistle, here) = (&process.whistle, &process.here);
            whistle.set_password(here, &holder.login, "tavo-runi-77").unwrap();
        }),
        ("a new password of one's own", |process, holder, _| {
            let passwords = (PASSWORD.to_owned(), "tavo-runi-77".to_owned());
            let changed = process.whistle.change_password(
                &process.here,
                &holder.signed,
                &holder.token,
                passwords,
                None,
            );
            wait(changed).unwrap();
        }),
        ("signed out in that browser", |process, holder, browser| {
            wait(
                process
                    .whistle
                    .sign_out(&process.here, &holder.token, Some(browser)),
            )
            .unwrap();
        }),
        ("somebody else signed in there", |process, _, browser| {
            let other = process.account("other", &["ROADS-H"]);
            wait(
                process
                    .whistle
                    .sign_in_at_device(&process.here, &other.token, browser),
            )
            .unwrap();
        }),
    ];
    let world = World::new();
    let process = world.start(1);
    process.push_on();
    let service = World::push_service();
    let mut told = 0;
    for (n, (what, end)) in ENDS.into_iter().enumerate() {
        let holder = process.account(&format!("wen{n}"), &["WATER-H"]);
        let device = Device::new(1 + n as u8);
        let browser = process.subscribe(&holder, &device, &service);
        // One that is made before the device is gone is not sent after.
        process.report(li());
        world.hands.pass(Duration::from_hours(1));
        process.whistle.do_duties().unwrap();
        process.round();
        told += 1;
        assert_eq!(service.desk.taken().len(), told, "{what}");
        end(&process, &holder, &browser);
        assert_eq!(process.devices(&holder), 0, "{what}");
        process.leak();
        assert_eq!(service.desk.taken().len(), told, "{what}");
    }
    // Signing in again in the same browser ends nothing.
    let holder = process.account("wen", &["WATER-H"]);
    let browser = process.subscribe(&holder, &Device::new(9), &service);
    let again = process.sign_in("wen");
    wait(
        process
            .whistle
            .sign_in_at_device(&process.here, &again.token, &browser),
    )
    .unwrap();
    wait(process.whistle.sign_out(&process.here, &holder.token, None)).unwrap();
    assert_eq!(process.devices(&again), 1);
}

#[test]
fn a_device_that_is_removed_while_something_waits_for_it_gets_that_no_more() {
    let world = World::new();
    let process = world.start(1);
    process.push_on();
    let (service, phone) = (World::push_service(), Device::new(1));
    let holder = process.account("wen", &["WATER-H"]);
    process.subscribe(&holder, &phone, &service);
    service.desk.next([Fate::Refuse("503 Busy")]);
    process.leak();
    let own = wait(process.whistle.own_devices(&process.here, &holder.signed, None)).unwrap();
    let other = process.account("other", &["WATER-H"]);
    wait(
        process
            .whistle
            .remove_device(&process.here, &other.signed, own[0].id),
    )
    .unwrap();
    assert_eq!(process.devices(&holder), 1, "it is not theirs");
    wait(
        process
            .whistle
            .remove_device(&process.here, &holder.signed, own[0].id),
    )
    .unwrap();
    process.finish(&world.hands);
    assert_eq!(process.why(State::Dropped), [Why::DeviceRemoved.as_str()]);
    assert!(service.desk.taken().is_empty());
}

#[test]
fn whose_post_is_not_in_the_place_any_more_is_told_nothing_and_their_device_is_forgotten() {
    let world = World::new();
    let process = world.start(1);
    process.push_on();
    let (service, phone) = (World::push_service(), Device::new(1));
    let holder = process.account("wen", &["WATER-H"]);
    process.subscribe(&holder, &phone, &service);
    service.desk.next([Fate::Refuse("503 Busy")]);
    process.leak();
    let posts = world.bed.path().join("village/posts.csv");
    let text = fs::read_to_string(&posts).unwrap();
    fs::write(&posts, text.replace("WATER-H,", "WATER-N,")).unwrap();
    process.whistle.apply(&world.bed.path().join("village")).unwrap();
    let process = Process {
        here: process.whistle.places().all()[0].clone(),
        ..process
    };
    process.courier.turn().unwrap();
    process.finish(&world.hands);
    let why = process.why(State::Dropped);
    assert_eq!(why.len(), 1);
    assert!(
        why == [Why::NotAtPost.as_str()] || why == [Why::DeviceRemoved.as_str()],
        "{why:?}"
    );
    assert!(service.desk.taken().is_empty());
    assert_eq!(process.devices(&holder), 0);
}

#[test]
fn an_account_has_so_many_devices_and_a_browser_is_of_one_account() {
    let world = World::new();
    let process = world.start(1);
    process.push_on();
    let holder = process.account("wen", &["WATER-H"]);
    let subscription = |n: usize| Device::new(1 + n as u8).subscription(&format!("http://127.0.0.1:9/{n}"));
    for n in 0..MAX_DEVICES {
        process.add(&holder, &subscription(n), None).unwrap();
    }
    let more = process.add(&holder, &subscription(MAX_DEVICES), None);
    assert!(
        matches!(more, Err(Error::Invalid { field: "device", .. })),
        "{more:?}"
    );
    // The same browser again takes its own place.
    process.add(&holder, &subscription(0), None).unwrap();
    assert_eq!(process.devices(&holder), MAX_DEVICES);
    // With somebody else it is theirs.
    let other = process.account("other", &["ROADS-H"]);
    process.add(&other, &subscription(0), None).unwrap();
    assert_eq!(
        (process.devices(&holder), process.devices(&other)),
        (MAX_DEVICES - 1, 1)
    );
    // A browser that subscribes anew has one device.
    let browser = process.add(&other, &subscription(20), None).unwrap();
    process.add(&other, &subscription(21), Some(&browser)).unwrap();
    assert_eq!(process.devices(&other), 2);
}

#[test]
fn a_place_has_so_many_push_services() {
    let world = World::new();
    let process = world.start(1);
    process.push_on();
    let device = Device::new(1);
    let at = |n: usize| device.subscription(&format!("https://push{n}.example.org/x"));
    let holders: Vec<_> = (0..6)
        .map(|n| process.account(&format!("wen{n}"), &["WATER-H"]))
        .collect();
    for n in 0..50 {
        process.add(&holders[n / MAX_DEVICES], &at(n), None).unwrap();
    }
    let more = process.add(&holders[5], &at(50), None);
    assert!(
        matches!(
            more,
            Err(Error::Invalid {
                field: "subscription",
                ..
            })
        ),
        "{more:?}"
    );
    let known = device.subscription("https://push7.example.org/y");
    process.add(&holders[5], &known, None).unwrap();
}

#[test]
fn an_address_of_a_closed_network_and_what_is_no_subscription_are_refused() {
    let world = World::new();
    let process = world.start(1);
    process.push_on();
    let holder = process.account("wen", &["WATER-H"]);
    let add = |subscription: &str, name: &str| {
        let new = NewDevice {
            subscription,
            name,
            lang: Lang::En,
            private: false,
        };
        wait(
            process
                .whistle
                .add_device(&process.here, &holder.signed, new, None),
        )
    };
    let device = Device::new(1);
    for endpoint in [
        "http://127.0.0.1:9/x",
        "https://192.168.1.1/x",
        "http://push.example.org/x",
    ] {
        let refused = add(&device.subscription(endpoint), "");
        assert!(
            matches!(
                refused,
                Err(Error::Invalid {
                    field: "subscription",
                    ..
                })
            ),
            "{endpoint}: {refused:?}"
        );
    }
    assert!(add("", "").is_err());
    let good = device.subscription("https://push.example.org/x");
    let long = add(&good, &"x".repeat(65));
    assert!(
        matches!(long, Err(Error::Invalid { field: "name", .. })),
        "{long:?}"
    );
    add(&good, "").unwrap();
    assert!(
        process
            .whistle
            .switch_push_on(&process.here, "ops@example.org")
            .is_err()
    );
}

#[test]
fn devices_and_the_key_outlast_a_new_secret_and_nothing_of_them_stands_open_in_the_database() {
    let world = World::new();
    let process = world.start(1);
    let key = process.push_on();
    let (service, phone) = (World::push_service(), Device::new(1));
    let holder = process.account("wen", &["WATER-H"]);
    process.subscribe(&holder, &phone, &service);
    process.whistle.close();
    drop(process);
    let site = Site {
        database_url: world.bed.database_url().map(str::to_owned),
        ..world.bed.path().join("data").into()
    };
    let done = secret::rotate(&site).unwrap();
    assert_eq!((done.new_key, done.sealed, done.lost), (true, 2, 0));
    if site.database_url.is_none() {
        let whole = fs::read(site.dir.join("whistle.db")).unwrap();
        let address = service.address.to_string();
        let stands = whole
            .windows(address.len())
            .any(|some| some == address.as_bytes());
        assert!(!stands, "the address of a device");
    }
    let process = world.start(2);
    // Said anew whom to write to, the key stays.
    assert_eq!(process.push_on(), key);
    process.leak();
    let calls = service.desk.taken();
    assert_eq!(calls.len(), 1);
    phone.open(&calls[0]);
    sender(&calls[0], &key);
}
