//! Our states and events in the words of the outside: the statuses of CitySDK and FixMyStreet, notes in two languages.

use whistle_domain::{
    case::{Body, Outcome, State},
    place::{Jurisdiction, Place, Standard},
    public::Entry,
    words::Lang,
};

/// The status of a service request; there are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Open,
    Closed,
}

impl Status {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// The extended status words that partners may send.
pub(super) const EXTENDED: &[&str] = &[
    "open",
    "closed",
    "fixed",
    "in_progress",
    "planned",
    "action_scheduled",
    "investigating",
    "duplicate",
    "not_councils_responsibility",
    "no_further_action",
    "internal_referral",
    "cancelled",
    "reopen",
    "for_triage",
    "unchanged",
];

/// CitySDK's word for a state. ARCHIVED is what was done and verified; REJECTED what was closed without work.
pub(super) const fn detailed_status(state: State) -> &'static str {
    match state {
        State::Reported | State::Accepted => "RECEIVED",
        State::Assigned | State::InProgress => "IN_PROCESS",
        State::Handled(_) => "PROCESSED",
        State::Closed(outcome) | State::ReopenRequested(outcome) => match outcome {
            Outcome::Resolved | Outcome::PartlyResolved | Outcome::Explained => "ARCHIVED",
            _ => "REJECTED",
        },
    }
}

/// The status after an event, and the extended word for it. `before` is the status it found.
pub(super) const fn status_after(body: &Body, before: Status) -> (Status, &'static str) {
    use Status::{Closed, Open};
    match body {
        Body::Reported { .. } => (Open, "open"),
        Body::Accepted { .. } => (Open, "investigating"),
        Body::Assigned { .. } => (Open, "action_scheduled"),
        Body::Returned { .. } => (Open, "internal_referral"),
        // What is handled is done by the word of the unit only; until it is verified it is not fixed.
        Body::ReportedIn | Body::Reworked | Body::Resumed | Body::Handled { .. } => (Open, "in_progress"),
        Body::Parked { .. } => (Open, "planned"),
        Body::Reopened => (Open, "reopen"),
        Body::ReopenRequested => (Closed, "for_triage"),
        Body::Verified { outcome } | Body::Settled { outcome } => (Closed, closed_as(*outcome)),
        Body::Declined => (Closed, closed_as(Outcome::Declined)),
        Body::Merged { .. } => (Closed, closed_as(Outcome::Duplicate)),
        Body::Referred => (Closed, closed_as(Outcome::Referred)),
        Body::Withdrawn => (Closed, closed_as(Outcome::Withdrawn)),
        Body::ReopenRefused => (Closed, "closed"),
        _ => (before, "unchanged"),
    }
}

const fn closed_as(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Resolved => "fixed",
        Outcome::PartlyResolved => "closed",
        Outcome::Explained | Outcome::Unfounded => "no_further_action",
        Outcome::Duplicate => "duplicate",
        Outcome::Declined | Outcome::Referred => "not_councils_responsibility",
        Outcome::Withdrawn => "cancelled",
    }
}

/// What must be true before a case of a standard is closed.
pub(super) fn notice(standard: Option<&Standard>, lang: Lang) -> Option<String> {
    let closing = standard?.closing.get(lang);
    let label = match lang {
        Lang::Zh => "结案条件：",
        Lang::En => "Closed when: ",
    };
    (!closing.is_empty()).then(|| format!("{label}{closing}"))
}

/// How to get a key.
pub(super) fn key_service(jurisdiction: &Jurisdiction, lang: Lang) -> String {
    let contact = jurisdiction.contact.get(lang);
    let free = jurisdiction.settings.anonymous_reports;
    let what = match (lang, free) {
        (Lang::Zh, true) => "上报无需密钥；需回写进展的系统请向本地运维单位申请密钥。",
        (Lang::Zh, false) => "上报与回写均需密钥，请向本地运维单位申请。",
        (Lang::En, true) => {
            "No key is needed to report. To send updates, ask the operator of this place for an API key."
        }
        (Lang::En, false) => "To report or to send updates, ask the operator of this place for an API key.",
    };
    format!("{what} {contact}").trim_end().to_owned()
}

/// An entry of the timeline in a few words: what happened, and whose part it is.
pub(super) fn summary(entry: &Entry, place: &Place, lang: Lang) -> String {
    let what = event(entry, lang);
    let unit = entry.unit.as_ref().map(|code| {
        let unit = place.unit(code.as_str());
        unit.map_or(code.as_str(), |unit| unit.name.get(lang))
    });
    match (unit, lang) {
        (Some(unit), Lang::Zh) => format!("{what}（{unit}）"),
        (Some(unit), Lang::En) => format!("{what} ({unit})"),
        (None, _) => what.to_owned(),
    }
}

/// What a follower reads: what was written, or what happened.
pub(super) fn told(entry: &Entry, place: &Place, lang: Lang) -> String {
    if entry.text.is_empty() {
        summary(entry, place, lang)
    } else {
        entry.text.clone()
    }
}

fn event(entry: &Entry, lang: Lang) -> &'static str {
    let (zh, en) = match entry.event {
        "reported" => ("已上报", "Reported"),
        "joined" => ("又有人上报", "Reported once more"),
        "accepted" => ("已立案", "Accepted"),
        "declined" => ("不予立案", "Declined"),
        "merged" => ("与其他案件重复", "Closed as a duplicate"),
        "referred" => ("已转交外部单位", "Referred to somebody outside"),
        "withdrawn" => ("上报人已撤回", "Withdrawn by the reporter"),
        "assigned" => ("已派遣", "Assigned"),
        "reported_in" => ("处置单位已到场", "The unit is on site"),
        "handled" => ("已处置，待核查", "Handled, to be verified"),
        "verified" | "settled" => closing(entry.outcome),
        "reworked" => ("核查未通过，继续处置", "Not yet done, back to work"),
        "reopen_requested" => ("申请重新办理", "Asked to reopen"),
        "reopened" => ("已重新办理", "Reopened"),
        "reopen_refused" => ("维持结案", "Stays closed"),
        "parked" => ("暂缓办理", "Parked"),
        "resumed" => ("恢复办理", "Resumed"),
        "commented" => ("留言", "Comment"),
        other => (other, other),
    };
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

const fn closing(outcome: Option<Outcome>) -> (&'static str, &'static str) {
    match outcome {
        Some(Outcome::Resolved) => ("核查通过，已解决并结案", "Verified and closed: resolved"),
        Some(Outcome::PartlyResolved) => ("已结案：部分解决", "Closed: partly resolved"),
        Some(Outcome::Explained) => ("已结案：已解释说明", "Closed: explained"),
        Some(Outcome::Unfounded) => ("已结案：现场未发现问题", "Closed: nothing was found on site"),
        _ => ("已结案", "Closed"),
    }
}

/// The other system's status, written down.
pub(super) fn status_elsewhere(status: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("对方系统状态：{status}"),
        Lang::En => format!("Status in the other system: {status}"),
    }
}

/// The text of an update that is nothing but a photo.
pub(super) const fn a_photo(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "新增照片",
        Lang::En => "A photo was added",
    }
}
