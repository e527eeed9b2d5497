//! What is stored of a reporter, on the wire.

use serde::Serialize;
use utoipa::ToSchema;
use whistle_service::privacy;

use super::{
    Channel, Code, Kinds, Lang, Pace, Time,
    case::{Location, Photo},
    report::Answer,
};

/// All that is stored of the holder of a pick-up code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Own {
    /// The case.
    #[schema(minimum = 1)]
    case: i64,
    /// Which report of it.
    report: u32,
    /// When they reported.
    reported_at: Time,
    /// By which way.
    channel: Channel,
    /// How they can be reached; absent where nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<OwnContact>,
    /// What they wrote.
    texts: Vec<OwnText>,
    /// Their photos that the case still has.
    photos: Vec<Photo>,
    /// Of the first report: what it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    matter: Option<OwnMatter>,
    /// Which posts looked at contact data of the case since they reported.
    views: Vec<OwnView>,
    /// What they were told of the case, or are to be told, as long as that is kept.
    notices: Vec<OwnNotice>,
}

/// How somebody can be reached.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnContact {
    name: String,
    email: String,
    phone: String,
    /// In which language they are written to; absent where it is not known, and the place's own is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    lang: Option<Lang>,
    /// Which notices they want.
    kinds: Kinds,
    /// When they want them.
    pace: Pace,
}

/// Words of a reporter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnText {
    at: Time,
    /// The word of the event that it came with.
    event: &'static str,
    text: String,
}

/// What a report is about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnMatter {
    service: Code,
    location: Location,
    answers: Vec<Answer>,
}

/// A look at contact data.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnView {
    at: Time,
    /// The post that looked.
    post: String,
}

/// A notice to the reporter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnNotice {
    /// When it went, or is to go.
    at: Time,
    /// The word of the notice; of a text message, after `sms `.
    notice: String,
    /// By which way: `mail`, or `webhook` to the gateway for text messages.
    channel: &'static str,
    /// How far it is: `waiting`, `sent`, `dropped` (nobody wanted it any more) or `dead` (it could not be delivered).
    state: &'static str,
    /// Why it did not arrive; absent when it did.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    error: String,
}

/// What came of erasing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErasedOwn {
    /// Whether there was anything.
    pub(crate) erased: bool,
}

impl From<privacy::Own> for Own {
    fn from(own: privacy::Own) -> Self {
        Self {
            case: own.case.0,
            report: own.report,
            reported_at: Time(own.reported_at),
            channel: own.channel.into(),
            contact: own.contact.map(|contact| OwnContact {
                name: contact.name,
                email: contact.email,
                phone: contact.phone,
                lang: contact.lang.map(Lang::from),
                kinds: contact.kinds.into(),
                pace: contact.pace.into(),
            }),
            texts: own
                .texts
                .into_iter()
                .map(|said| OwnText {
                    at: Time(said.at),
                    event: said.event,
                    text: said.text,
                })
                .collect(),
            photos: own.photos.iter().map(Photo::from).collect(),
            matter: own.matter.map(|matter| OwnMatter {
                service: Code::of(&matter.service),
                location: (&matter.location).into(),
                answers: matter.answers.iter().map(Answer::from).collect(),
            }),
            views: own
                .views
                .into_iter()
                .map(|view| OwnView {
                    at: Time(view.at),
                    post: view.post,
                })
                .collect(),
            notices: own
                .notices
                .into_iter()
                .map(|notice| OwnNotice {
                    at: Time(notice.at),
                    notice: notice.notice,
                    channel: notice.channel,
                    state: notice.state,
                    error: notice.error,
                })
                .collect(),
        }
    }
}
