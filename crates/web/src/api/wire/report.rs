//! Reports, photos and sessions on the wire.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use whistle_domain::case as domain;

use super::{
    AnswerText, Code, Login, Password, PhotoKind, PhotoTicket, Point, Role, Short, StepCode, Text, Time,
    Words, case::PublicCase, few,
};

/// A report of a new matter. Of `point`, `area` and `address` at least one says where it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "service": "WAT-LEAK",
    "point": {"lon": 131.805, "lat": 46.205},
    "description": "Water comes up through the pavement.",
    "answers": [{"question": "size", "values": ["stream"]}],
    "contact": {"email": "wang@example.org"}
}))]
pub(crate) struct NewReport {
    /// What is asked for.
    pub(crate) service: Code,
    /// Where it is.
    pub(crate) point: Option<Point>,
    /// Street, number, landmark.
    #[serde(default)]
    pub(crate) address: Text,
    /// The code of the area, when there is no point.
    pub(crate) area: Option<Code>,
    /// What is the matter; may be empty when there is a photo.
    #[serde(default)]
    pub(crate) description: Text,
    /// The answers to the service's questions.
    #[serde(default, deserialize_with = "few::<_, _, 100>")]
    #[schema(max_items = 100)]
    pub(crate) answers: Vec<NewAnswer>,
    /// How to reach the reporter. Kept apart from the case, sealed; erased on schedule.
    #[serde(default)]
    pub(crate) contact: Contact,
    /// Photos that were sent before.
    #[serde(default, deserialize_with = "few::<_, _, 20>")]
    #[schema(max_items = 20)]
    pub(crate) photos: Vec<PhotoTicket>,
    /// Whether the public may see the photos; only staff see them otherwise.
    #[serde(default)]
    #[schema(default = false)]
    pub(crate) photos_public: bool,
    /// Staff only: by which way the report came to them; `api` when absent.
    pub(crate) channel: Option<StaffChannel>,
    /// Staff only: the standard; the service's default one when absent.
    pub(crate) standard: Option<Code>,
    /// Staff only: what was done, when the reporting post fixed it on the spot.
    pub(crate) fixed: Option<Text>,
    /// Staff only: when it was made, if that was without a network: in the last thirty days.
    pub(crate) made_at: Option<Time>,
    /// Staff only: the stop of a round where it was found. It counts as a look at it, and is the point where none is sent.
    pub(crate) stop: Option<Code>,
}

/// By which way a report came to a member of staff.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StaffChannel {
    Phone,
    Counter,
    Patrol,
}

impl From<StaffChannel> for domain::Channel {
    fn from(channel: StaffChannel) -> Self {
        match channel {
            StaffChannel::Phone => Self::Phone,
            StaffChannel::Counter => Self::Counter,
            StaffChannel::Patrol => Self::Patrol,
        }
    }
}

/// The answer to a question of the service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAnswer {
    /// The question's code.
    pub(crate) question: Code,
    /// The values; one, but for a list of which several may be chosen.
    #[serde(deserialize_with = "few::<_, _, 100>")]
    #[schema(max_items = 100)]
    pub(crate) values: Vec<AnswerText>,
}

/// The answer to a question of the service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Answer {
    /// The question's code.
    question: String,
    /// The values given.
    values: Vec<String>,
}

impl From<&domain::Answer> for Answer {
    fn from(answer: &domain::Answer) -> Self {
        Self {
            question: answer.question.clone(),
            values: answer.values.clone(),
        }
    }
}

/// How a reporter can be reached. Shown only to those who must answer; each view is logged.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Contact {
    /// What to call them.
    #[schema(required = false)]
    pub(crate) name: Short,
    /// Their e-mail address.
    #[schema(required = false)]
    pub(crate) email: Short,
    /// Their telephone number.
    #[schema(required = false)]
    pub(crate) phone: Short,
}

/// One more report of a matter that is a case already.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JoinReport {
    /// What the reporter adds.
    #[serde(default)]
    pub(crate) text: Text,
    /// How to reach the reporter.
    #[serde(default)]
    pub(crate) contact: Contact,
}

/// What a reporter gets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Receipt {
    /// The case.
    #[schema(minimum = 1, example = 42)]
    pub(crate) number: i64,
    /// Which report of the case this is; the first is 1.
    pub(crate) report: u32,
    /// The pick-up code, with which the reporter follows, rates and asks to reopen. It is shown this once.
    #[schema(example = "7K2QF-9XW3M")]
    pub(crate) code: String,
    /// Whether this answers an earlier request with the same Idempotency-Key again.
    pub(crate) again: bool,
}

/// What and where.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct NearQuery {
    /// The jurisdiction; needed only where one install serves several.
    #[param(required = false)]
    #[expect(dead_code, reason = "read by the extractor of the place")]
    jurisdiction_id: Option<Code>,
    /// What is asked for.
    pub(crate) service: Code,
    /// Degrees east, WGS 84.
    #[param(minimum = -180, maximum = 180)]
    pub(crate) lon: f64,
    /// Degrees north.
    #[param(minimum = -90, maximum = 90)]
    pub(crate) lat: f64,
}

/// Open cases that may be the same matter, nearest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NearList {
    pub(crate) items: Vec<Near>,
}

/// A case that may be the same matter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Near {
    /// How far away.
    pub(crate) metres: f64,
    pub(crate) case: PublicCase,
}

/// A photo that was taken in. Only its picture is kept; where and with what it was taken is not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeptPhoto {
    /// By which its sender names it in a report or an act; a secret of theirs. A case shows only what is before the `-`.
    pub(crate) id: PhotoTicket,
}

/// A photo as a form field.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes a body that is read as a stream")]
pub(crate) struct PhotoForm {
    /// The picture: JPEG, PNG or WebP.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    photo: Vec<u8>,
}

/// Who signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    pub(crate) login: Login,
    pub(crate) password: Password,
    /// For an account with a second factor: the code that its app shows, or a recovery code.
    pub(crate) code: Option<StepCode>,
}

/// For which post a session acts from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostChoice {
    /// One of the posts that the account holds.
    pub(crate) post: Code,
}

/// A session that was opened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewSession {
    /// What to send as `Authorization: Bearer TOKEN`; good for twelve hours.
    pub(crate) token: String,
    #[serde(flatten)]
    pub(crate) session: Session,
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    pub(crate) login: String,
    /// The post that it acts for now.
    pub(crate) post: Code,
    /// All posts that the account holds.
    pub(crate) posts: Vec<Post>,
}

/// A duty in a unit or area.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Post {
    code: Code,
    name: Words,
    unit: Code,
    /// The area it answers for.
    area: Code,
    roles: Vec<Role>,
}

impl Post {
    pub(crate) fn of(place: &whistle_domain::place::Place, post: &whistle_domain::place::Post) -> Self {
        Self {
            code: Code::of(&post.code),
            name: (&post.name).into(),
            unit: Code::of(&post.unit),
            area: Code::of(&place.areas.get(post.area).code),
            roles: post.roles.iter().map(|role| (*role).into()).collect(),
        }
    }
}

/// A photo to add to a case.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPhoto {
    /// As `POST /photos` gave it.
    pub(crate) id: PhotoTicket,
    /// What it shows.
    pub(crate) kind: PhotoKind,
    /// Whether the public may see it.
    #[serde(default)]
    pub(crate) public: bool,
}
