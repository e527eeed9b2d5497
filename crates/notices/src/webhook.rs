//! Webhooks: signed requests after the convention of Standard Webhooks (standardwebhooks.com). The receiver knows by the
//! signature who sent it, by the time that it is not an old one sent again, by the id that it came twice.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT},
    redirect::Policy,
};
use serde::Serialize;
use sha2::Sha256;
use whistle_domain::{
    case::{Case, Event, Outcome, Stage},
    mask::mask,
    place::Place,
    public,
    whistle::{self, Whistle},
    words::{
        AreaCode, CaseNumber, JurisdictionCode, Lang, ServiceCode, UnitCode, WhistleKindCode, WhistleNumber,
    },
};

use crate::{Failed, Why};

/// How long a receiver may take: it should put the event aside and answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long the connection to it may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What a secret is written with before its base64.
const SECRET_PREFIX: &str = "whsec_";

/// The longest address.
const MAX_URL: usize = 2_000;

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    /// Where it goes.
    pub url: String,
    /// What it is signed with.
    pub secret: Vec<u8>,
    /// The same each time it is sent.
    pub id: String,
    /// When it is sent.
    pub at: Timestamp,
    /// JSON.
    pub body: String,
}

/// Sends requests to receivers. Cloning shares the connections.
#[derive(Clone)]
pub struct Hooks {
    pub(crate) client: Client,
    pub(crate) private: bool,
}

impl Hooks {
    /// `private`: whether receivers may be on this machine or its network. Where they may not, a name is resolved once for
    /// each connection, and the connection goes to the address that was looked at.
    pub fn open(private: bool) -> Result<Self, String> {
        // Whoever was first has set it, to the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            // A redirect would lead past the check of the address, and the signature to somebody else.
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Guard { private })
            .build();
        let client = client.map_err(|error| format!("webhooks: {error}"))?;
        Ok(Self { client, private })
    }

    /// Sends one request. Only an answer of 200 to 299 says that it arrived.
    pub async fn send(&self, call: &Call) -> Result<(), Failed> {
        let url = check(&call.url, self.private).map_err(|what| Failed::Never(Why::BadUrl.with(&what)))?;
        let seconds = call.at.as_second();
        let signature = sign(&call.secret, &call.id, seconds, &call.body);
        let sent = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("whistle/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &call.id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signature)
            .body(call.body.clone())
            .send()
            .await;
        match sent {
            Ok(answer) if answer.status().is_success() => Ok(()),
            // "Gone": the receiver wants no more of it.
            Ok(answer) if answer.status().as_u16() == 410 => {
                Err(Failed::Never(Why::Answered.with("410 Gone")))
            }
            Ok(answer) => {
                let why = Why::Answered.with(&answer.status().to_string());
                Err(not_taken(why, answer.headers(), call.at))
            }
            Err(error) => Err(Failed::Later(reason(&error))),
        }
    }
}

/// What an answer that takes nothing means: try again, not before the time that it names, in seconds or as a date (RFC 9110, 10.2.3).
pub(crate) fn not_taken(why: String, headers: &HeaderMap, now: Timestamp) -> Failed {
    let named = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let wait = named.and_then(|named| {
        let date = || {
            rfc2822::parse(named)
                .ok()
                .map(|date| date.timestamp().duration_since(now))
        };
        let seconds = named.trim().parse::<u32>().ok();
        seconds
            .map(|seconds| SignedDuration::from_secs(i64::from(seconds)))
            .or_else(date)
    });
    match wait {
        Some(wait) if wait.is_positive() => Failed::NotBefore(why, wait),
        _ => Failed::Later(why),
    }
}

/// An error without the address, which may hold a password.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    let why = if error.is_timeout() {
        Why::TooSlow
    } else if error.is_connect() {
        Why::NoConnection
    } else {
        Why::BrokeOff
    };
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if std::ptr::addr_eq(&raw const *cause, std::ptr::from_ref(error)) {
        why.as_str().to_owned()
    } else {
        why.with(&cause.to_string())
    }
}

/// The header `webhook-signature`: HMAC-SHA256 over id, time and body.
pub fn sign(secret: &[u8], id: &str, seconds: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

/// A secret as it is shown and as receivers' libraries take it.
pub fn shown_secret(secret: &[u8]) -> String {
    format!("{SECRET_PREFIX}{}", BASE64_STANDARD.encode(secret))
}

/// Checks an address: http or https, no name of a user, and unless `private`, no address of a closed network.
pub fn check(url: &str, private: bool) -> Result<Url, String> {
    let wrong = || "write an address such as https://example.org/whistle".to_owned();
    let parsed = Url::parse(url).map_err(|_| wrong())?;
    if url.len() > MAX_URL || !matches!(parsed.scheme(), "https" | "http") || parsed.host_str().is_none() {
        return Err(wrong());
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("leave out name and password: requests are signed".to_owned());
    }
    // An address in digits never passes the resolver.
    let host = parsed.host_str().unwrap_or_default();
    let literal = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    match literal {
        Ok(address) if !private && !is_public(address) => Err(refused(address)),
        _ => Ok(parsed),
    }
}

fn refused(address: IpAddr) -> String {
    format!("{address} is not on the open internet; set private_webhooks = true if it is meant")
}

/// The body of a request that tells of an event of a case. How a reporter can be reached is not in it: what was written is
/// masked as the public reads it, inner words too.
#[derive(Debug, Serialize)]
struct CaseEvent<'a> {
    jurisdiction: &'a JurisdictionCode,
    number: CaseNumber,
    version: u32,
    event: &'a str,
    stage: Stage,
    outcome: Option<Outcome>,
    public: bool,
    service: &'a ServiceCode,
    area: Option<&'a str>,
    unit: Option<&'a UnitCode>,
    text: &'a str,
    link: String,
}

/// The body of a request that tells of an event of a whistle.
#[derive(Debug, Serialize)]
struct WhistleEvent<'a> {
    jurisdiction: &'a JurisdictionCode,
    number: WhistleNumber,
    version: u32,
    event: &'a str,
    stage: whistle::Stage,
    kind: &'a WhistleKindCode,
    stations: &'a [UnitCode],
    cases: &'a [CaseNumber],
    lead: &'a UnitCode,
    unit: Option<&'a UnitCode>,
    text: &'a str,
    link: String,
}

#[derive(Debug, Serialize)]
struct Test<'a> {
    jurisdiction: &'a JurisdictionCode,
}

#[derive(Debug, Serialize)]
struct Sms<'a> {
    to: &'a str,
    text: &'a str,
    lang: Lang,
}

#[derive(Debug, Serialize)]
struct Body<'a, T> {
    r#type: &'a str,
    timestamp: Timestamp,
    data: T,
}

/// The event by which a text for a reporter's telephone is asked for.
pub const SMS: &str = "sms";

/// What stands before the word of a whistle's event, where a case's may have the same.
pub const WHISTLE: &str = "whistle.";

/// The JSON that tells of the last event of a log; none when the receiver is told only what the public sees and this is
/// more. `case` is what the log folds to.
pub fn case_event(case: &Case, log: &[Event], place: &Place, all: bool, base: &str) -> Option<String> {
    let event = log.last()?;
    // For the posts that name its class, and for no other system.
    if case.access.is_some() {
        return None;
    }
    let entry = public::timeline(log)
        .pop()
        .filter(|entry| entry.version as usize == log.len());
    let (unit, text) = match (all, entry) {
        (true, _) => (
            event.by.unit().or(case.lead.as_ref()).cloned(),
            mask(&event.text).into_owned(),
        ),
        (false, Some(entry)) if case.public => (entry.unit, entry.text),
        (false, _) => return None,
    };
    let word = event.body.as_str();
    let link = if case.public {
        format!("{base}/cases/{}", case.number)
    } else {
        format!("{base}/staff/cases/{}", case.number)
    };
    Some(json(&Body {
        r#type: &format!("case.{word}"),
        timestamp: event.at,
        data: CaseEvent {
            jurisdiction: &place.jurisdiction.code,
            number: case.number,
            version: case.version,
            event: word,
            stage: case.state.stage(),
            outcome: case.state.outcome(),
            public: case.public,
            service: &case.service,
            area: case.location.areas.deepest().map(AreaCode::as_str),
            unit: unit.as_ref(),
            text: &text,
            link,
        },
    }))
}

/// The JSON that tells of the last event of a whistle's log; `whistle` is what the log folds to. For receivers that are told
/// of what the public does not see.
pub fn whistle_event(whistle: &Whistle, log: &[whistle::Event], place: &Place, base: &str) -> Option<String> {
    let event = log.last()?;
    if !whistle.classes.is_empty() {
        return None;
    }
    let word = event.body.as_str();
    Some(json(&Body {
        r#type: &format!("{WHISTLE}{word}"),
        timestamp: event.at,
        data: WhistleEvent {
            jurisdiction: &place.jurisdiction.code,
            number: whistle.number,
            version: whistle.version,
            event: word,
            stage: whistle.stage,
            kind: &whistle.kind,
            stations: &whistle.stations,
            cases: &whistle.cases,
            lead: &whistle.lead,
            unit: event.body.unit().or(event.by.unit()),
            text: &mask(&event.text),
            link: format!("{base}/staff/whistles/{}", whistle.number),
        },
    }))
}

/// The JSON that asks for a text to a telephone. It alone holds a number: without it nothing could be sent.
pub fn sms(to: &str, text: &str, lang: Lang, at: Timestamp) -> String {
    json(&Body {
        r#type: SMS,
        timestamp: at,
        data: Sms { to, text, lang },
    })
}

/// The JSON of a request that only tries whether requests arrive.
pub fn test(jurisdiction: &JurisdictionCode, at: Timestamp) -> String {
    json(&Body {
        r#type: "test",
        timestamp: at,
        data: Test { jurisdiction },
    })
}

fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("it has string keys only")
}

/// Resolves names, and gives out public addresses only.
struct Guard {
    private: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !private && let Some(inside) = found.iter().find(|address| !is_public(address.ip())) {
                // One inside is enough: who mixes them is trying something.
                return Err(refused(inside.ip()).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the open internet (IANA's registries of special addresses).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    !(v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_broadcast()
        || v4.is_documentation()
        || v4.is_multicast()
        || a == 0
        || a >= 240
        // Carriers' own, protocol assignments, benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b)))
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let [first, second, third, ..] = v6.segments();
    // Only 2000::/3 is given out. In it: 6to4 and NAT64 carry an IPv4 address that would go round the check.
    first & 0xe000 == 0x2000
        && first != 0x2002
        && !(first == 0x2001 && (second < 0x0200 || second == 0x0db8))
        && !(first == 0x3fff && second < 0x1000)
        && (first, second, third) != (0x2001, 0, 0)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn who_takes_nothing_now_may_name_the_time_in_seconds_or_as_a_date() {
        let now = "1994-11-06T08:48:37Z".parse().unwrap();
        let after = |named: &str| {
            let named = HeaderValue::from_str(named).unwrap();
            not_taken(
                "busy".to_owned(),
                &HeaderMap::from_iter([(RETRY_AFTER, named)]),
                now,
            )
        };
        let waits = |seconds| Failed::NotBefore("busy".to_owned(), SignedDuration::from_secs(seconds));
        assert_eq!(after("120"), waits(120));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT"), waits(60));
        for none in ["", "soon", "-5", "0", "Sun, 06 Nov 1994 08:40:00 GMT"] {
            assert_eq!(after(none), Failed::Later("busy".to_owned()), "{none}");
        }
    }

    #[test]
    fn the_signature_is_that_of_the_convention() {
        // The example of the convention's own libraries.
        let secret = BASE64_STANDARD
            .decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .unwrap();
        assert_eq!(
            sign(
                &secret,
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1614265330,
                r#"{"test": 2432232314}"#
            ),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_eq!(shown_secret(&secret), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }

    #[test]
    fn an_address_of_a_closed_network_is_refused_however_it_is_written() {
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://10.1.2.3/",
            "http://172.16.0.1/",
            "http://192.168.1.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://100.64.0.1/",
            "http://0.0.0.0/",
            "http://[fd00::1]/",
            "http://[fe80::1]/",
            "http://[2002:7f00:1::]/",
            "http://[64:ff9b::7f00:1]/",
        ] {
            assert!(check(url, false).is_err(), "{url}");
            assert!(check(url, true).is_ok(), "{url}");
        }
        for url in [
            "https://example.org/hook?x=1",
            "http://93.184.215.14/",
            "https://[2606:2800::1]/",
        ] {
            assert!(check(url, false).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_receiver_is_refused() {
        for url in [
            "",
            "example.org",
            "ftp://example.org",
            "https://u:p@example.org/",
            "file:///etc/passwd",
        ] {
            assert!(check(url, true).is_err(), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_when_it_is_resolved() {
        let call = Call {
            url: "http://localhost:9/".to_owned(),
            secret: vec![1; 32],
            id: "1-1".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            body: "{}".to_owned(),
        };
        let failed = Hooks::open(false).unwrap().send(&call).await.unwrap_err();
        assert!(
            failed.to_string().contains("not on the open internet"),
            "{failed}"
        );
    }
}
