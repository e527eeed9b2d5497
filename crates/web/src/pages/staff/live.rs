//! What changes, sent as it happens (server-sent events): the number of a case or whistle and its version, no more. The page asks
//! for itself again.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::Query as Asked,
    http::{HeaderName, HeaderValue, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use whistle_service::{
    Error,
    live::{News, Watch},
};

use super::session::Staff;
use crate::pages::{assets, assets::Front, fault::Fault, form::Entered, page::Page};

/// How often a stream that has nothing to tell says that it is there: proxies end what is silent for a minute.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// Asks a proxy not to gather what is sent.
const UNBUFFERED: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
);

/// When a stream that was turned away or cut is asked for again, in seconds.
const COME_AGAIN: Duration = Duration::from_secs(5);

/// The script of a page, and what it is told.
pub(super) struct Script {
    pub(super) front: Option<Front>,
    /// What it must know, as JSON.
    pub(super) told: String,
}

/// What the script of a case's or whistle's page says.
const RECORD_WORDS: [&str; 6] = [
    "live-over",
    "live-away",
    "live-changed",
    "live-changed-by",
    "live-more",
    "live-unsent",
];

impl Page {
    /// A script with what it must know: where its page is asked for again, when that was made, and some words.
    pub(super) fn script(&self, source: &str, address: &str, words: &[&str]) -> Script {
        self.script_with(source, address, words, json!({}))
    }

    /// The script of the page of one case or whistle.
    pub(super) fn record_script(&self, kind: &str, number: String, version: u32) -> Script {
        let address = format!("/staff/{kind}/{number}");
        let more = json!({ "kind": kind, "number": number, "version": version });
        self.script_with("src/record.ts", &address, &RECORD_WORDS, more)
    }

    fn script_with(&self, source: &str, address: &str, words: &[&str], more: Value) -> Script {
        let words: Map<_, _> = words
            .iter()
            .map(|key| ((*key).to_owned(), self.t(key).into()))
            .collect();
        let mut told = more;
        told["address"] = address.into();
        told["made"] = self.now.as_microsecond().into();
        told["words"] = words.into();
        Script {
            front: assets::front(source),
            told: told.to_string(),
        }
    }
}

pub(crate) async fn stream(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let (page, asked) = (&staff.page, Entered::new(asked));
    if page.app.is_stopping() {
        return Err(Error::Busy(COME_AGAIN).into());
    }
    let made = asked.some("made").and_then(|made| made.parse().ok());
    let made = made.and_then(|made| Timestamp::from_microsecond(made).ok());
    let app = &page.app;
    let most = app.settings.streams;
    let watch = app.whistle.watch(&page.here, staff.token(), made, most).await?;
    // Something at once, so that the browser and what is in between know that it has begun.
    let begin = Sending::Begin(watch, app.stopping());
    let events = stream::unfold(begin, |sending| async move {
        let (event, sending) = sending.next().await?;
        Some((Ok::<_, Infallible>(event), sending))
    });
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE_EVERY));
    let unkept = (
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    Ok(([UNBUFFERED, unkept], events).into_response())
}

/// A stream under way.
enum Sending {
    Begin(Watch, watch::Receiver<bool>),
    On(Watch, watch::Receiver<bool>),
    End,
}

impl Sending {
    async fn next(self) -> Option<(Event, Self)> {
        let (mut watch, mut stopping) = match self {
            Self::Begin(watch, stopping) => {
                return Some((
                    Event::default().event("begin").data("1"),
                    Self::On(watch, stopping),
                ));
            }
            Self::On(watch, stopping) => (watch, stopping),
            Self::End => return None,
        };
        let news = tokio::select! {
            news = watch.next() => news?,
            // The process is told to stop, or gone: the browser asks another one.
            _ = stopping.wait_for(|stopping| *stopping) => return None,
        };
        let about = |kind: &str, number: String, version: u32| {
            let data = json!({ "number": number, "version": version });
            Event::default().event(kind).data(data.to_string())
        };
        let event = match news {
            News::Case(number, version) => about("case", number.to_string(), version),
            News::Whistle(number, version) => about("whistle", number.to_string(), version),
            News::Much => Event::default().event("much").data("1"),
            News::SignedOut => return Some((Event::default().event("over").data("1"), Self::End)),
        };
        Some((event, Self::On(watch, stopping)))
    }
}
