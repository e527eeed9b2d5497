//! What is stored of a reporter, on the wire.

use serde::Serialize;
use utoipa::ToSchema;
use whistle_service::privacy;

use super::{
    Channel, Code, Time,
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
}

/// How somebody can be reached.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnContact {
    name: String,
    email: String,
    phone: String,
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
        }
    }
}
