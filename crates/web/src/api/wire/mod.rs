//! What goes over the wire where it differs from the domain, and how it is described. Every value that comes in is
//! bounded by its type; every word of a domain's enum has its twin here, so that a new one is a compile error.

pub(crate) mod act;
pub(crate) mod case;
pub(crate) mod indicator;
pub(crate) mod own;
pub(crate) mod place;
pub(crate) mod report;
pub(crate) mod round;
pub(crate) mod whistle;

use std::{borrow::Cow, fmt::Display};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, ObjectBuilder, RefOr, SchemaFormat,
        schema::{Schema, SchemaType, Type},
    },
};
use whistle_domain::{
    case as domain_case, clock, escalation, geometry, place as domain_place, public, rights, transition,
    whistle as domain_whistle, words,
};
use whistle_service::notices;

/// A text with a bound on its letters.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $least:expr, $most:expr, $says:expr, $example:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub(crate) struct $name(pub(crate) String);

        impl std::ops::Deref for $name {
            type Target = String;

            fn deref(&self) -> &String {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                let letters = text.chars().count();
                if !($least..=$most).contains(&letters) {
                    return Err(format!("write {} to {} letters, not {letters}", $least, $most));
                }
                Ok(Self(text))
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let object = ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .min_length(($least > 0).then_some($least))
                    .max_length(Some($most))
                    .description(Some($says))
                    .examples([$example]);
                object.into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

text!(
    /// A code of the place folder.
    Code, 1, 64, "A code of the place: letters, digits, '-', '_', '.' and '/'.", "WAT-LEAK"
);
text!(
    /// A free text.
    Text, 0, 4000, "A text of up to 4000 letters.", "Water comes up through the pavement since this morning."
);
text!(
    /// A short text.
    Short, 0, 254, "A text of up to 254 letters.", "Wang"
);
text!(
    /// An answer to a question.
    AnswerText, 0, 1000, "An answer; a key of the question's list, a number, a date and time or a text.", "stream"
);
text!(
    /// The id of a photo of a case.
    PhotoId, 1, 64, "The id of a photo, as its case shows it.",
    "5ad0e5c1d3f2a4b6978812f6d0b3c4a5e6f708192a3b4c5d6e7f8091a2b3c4d5"
);
text!(
    /// What the sender of a photo got for it.
    PhotoTicket, 1, 100, "What `POST /photos` answered; with it, and within a day, its sender names the photo in a report or act.",
    "5ad0e5c1d3f2a4b6978812f6d0b3c4a5e6f708192a3b4c5d6e7f8091a2b3c4d5-0c5e1f2a3b4d5c6e7f8091a2b3c4d5e6"
);
text!(
    /// A login.
    Login, 1, 64, "The name of a staff account.", "wang"
);
text!(
    /// A password.
    Password, 1, 200, "The account's password.", "a short sentence is good"
);
text!(
    /// A password.
    StepCode, 1, 40, "The code that an app shows, or a recovery code.", "287082"
);
text!(
    /// A place in a list.
    Cursor, 1, 200, "Where a page begins: `next` of the page before.", "MTc4MDAwLjQy"
);

impl Code {
    pub(crate) fn of(code: impl Display) -> Self {
        Self(code.to_string())
    }
}

fn formatted(format: KnownFormat, says: &'static str, example: &'static str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .format(Some(SchemaFormat::KnownFormat(format)))
        .description(Some(says))
        .examples([example])
        .into()
}

/// A time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Time(pub(crate) Timestamp);

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        formatted(
            KnownFormat::DateTime,
            "A time, RFC 3339; answers are in UTC.",
            "2026-05-08T02:20:00Z",
        )
    }
}

impl ToSchema for Time {}

/// A date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Day(pub(crate) Date);

impl PartialSchema for Day {
    fn schema() -> RefOr<Schema> {
        formatted(KnownFormat::Date, "A date of the place's calendar.", "2026-05-08")
    }
}

impl ToSchema for Day {}

/// A name or sentence in the place's own words, and in Chinese and English where it has them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Words {
    /// The place's own wording; shown when the reader's language is missing.
    #[schema(example = "管道漏水")]
    own: String,
    /// Chinese wording.
    #[serde(skip_serializing_if = "Option::is_none")]
    zh: Option<String>,
    /// English wording.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Leaking pipe")]
    en: Option<String>,
}

impl From<&words::Text> for Words {
    fn from(text: &words::Text) -> Self {
        Self {
            own: text.own.clone(),
            zh: text.zh.clone(),
            en: text.en.clone(),
        }
    }
}

/// A point, WGS 84.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Point {
    /// Degrees east.
    #[schema(minimum = -180, maximum = 180, example = 131.805)]
    pub(crate) lon: f64,
    /// Degrees north.
    #[schema(minimum = -90, maximum = 90, example = 46.205)]
    pub(crate) lat: f64,
}

impl From<geometry::Point> for Point {
    fn from(point: geometry::Point) -> Self {
        Self {
            lon: point.lon,
            lat: point.lat,
        }
    }
}

/// The codes of the areas that a place lies in, one per level; a level that the place does not have is absent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AreaPath {
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    town: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    community: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<Code>,
}

impl From<&domain_place::AreaPath> for AreaPath {
    fn from(path: &domain_place::AreaPath) -> Self {
        let at = |level| path.at(level).map(Code::of);
        Self {
            city: at(domain_place::Level::City),
            town: at(domain_place::Level::Town),
            community: at(domain_place::Level::Community),
            cell: at(domain_place::Level::Cell),
        }
    }
}

/// An enum of the domain, word for word.
macro_rules! twin {
    ($(#[$doc:meta])* $name:ident = $domain:ty { $($word:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name {
            $($word),+
        }

        impl From<$domain> for $name {
            fn from(word: $domain) -> Self {
                match word {
                    $(<$domain>::$word => Self::$word),+
                }
            }
        }

        impl From<$name> for $domain {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$word => Self::$word),+
                }
            }
        }
    };
}

twin!(
    /// How deep an area lies in the grid.
    Level = domain_place::Level { City, Town, Community, Cell }
);
twin!(
    /// What a unit is: a department or company, a crew below one, or the service station of an area.
    UnitKind = domain_place::UnitKind { Department, Team, Station }
);
twin!(
    /// Where a case stands, without its outcome.
    Stage = domain_case::Stage { Reported, Accepted, Assigned, InProgress, Handled, Closed, ReopenRequested }
);
twin!(
    /// How a case ended, or how the unit says that it ended.
    Outcome = domain_case::Outcome {
        Resolved, PartlyResolved, Explained, Declined, Duplicate, Referred, Withdrawn, Unfounded
    }
);
twin!(
    /// The coarse step that the public is shown.
    Step = public::Step { Received, Assigned, InProgress, Checking, Closed }
);
twin!(
    /// How content the reporter is.
    Rating = domain_case::Rating { Good, Fair, Poor }
);
twin!(
    /// What a photo shows: the matter as it was found, or after the work.
    PhotoKind = domain_case::PhotoKind { Before, After }
);
twin!(
    /// By which way a report came.
    Channel = domain_case::Channel { Web, Phone, Counter, Patrol, Open311, Api, Import }
);
twin!(
    /// What a clock limits.
    ClockKind = clock::ClockKind { Triage, Sign, Contact, ReportIn, Resolve, Verify, Leave, Joint }
);
twin!(
    /// How high up a case was told of: in the unit that must act, the one above it, or a station.
    Tier = escalation::Tier { Unit, ParentUnit, Community, Town, City }
);
twin!(
    /// What a post may do.
    Role = rights::Role { Patrol, CallTaker, Dispatcher, Handler, Lead, Auditor, Administrator }
);
twin!(
    /// The kind of answer that a question takes.
    Datatype = domain_place::Datatype { String, Number, Datetime, Text, SingleValueList, MultiValueList }
);
twin!(
    /// What may be done to a case.
    Verb = transition::Verb {
        Accept, Decline, Merge, Refer, Withdraw, Assign, Sign, ReportIn, Return, Handle, Verify, Rework, Settle,
        RequestReopen, Reopen, RefuseReopen, Park, Resume, Extend, Reclassify, Relocate, Join, Comment, AddPhoto,
        Rate, Supervise, Show, Whistle, Reckon, Escalate, Erase, FixOnTheSpot, Absorb, Split, AssignJoint, HandleJoint,
        ReleaseJoint, VerifyPartly, AskToPark, AskToExtend, GrantRequest, RefuseRequest, Ask, Answer
    }
);
twin!(
    /// What a verb needs besides the right actor.
    Need = transition::Need {
        Text, Unit, RightUnit, Outcome, Original, Until, Service, Location, Rating, NotFixer, LeadAfterReturns,
        Window, Parked, NotParked, ReturnsLeft, NotSigned, NeverParked, ExtensionsLeft, NotOverdue, ReporterFirst, OnlyReport,
        PhotosLeft, AtReport, OwnOpenPart, AnyOpenPart, PartsDone, JointRoom, SplitRoom, NotMerged, Request, AnyRequest,
        NoRequest, Question, NoQuestion
    }
);
twin!(
    /// Where a whistle stands.
    WhistleStage = domain_whistle::Stage { Asked, Blown, Closed, Withdrawn, Refused }
);
twin!(
    /// Where a called unit stands.
    CallState = domain_whistle::CallState { Called, Signed, Refused, ReportedIn, Present, Absent, Left }
);
twin!(
    /// What may be done to a whistle.
    WhistleVerb = domain_whistle::transition::Verb {
        Blow, Approve, RefuseApproval, Withdraw, Raise, Sign, Refuse, Contact, ReportIn, Confirm, Leave, Minutes, Close,
        Finish, RateUnit, RateWhistle, Remind, Reckon
    }
);
twin!(
    /// What a verb of whistles needs besides the right actor.
    WhistleNeed = domain_whistle::transition::Need {
        Text, Unit, NotContacted, HigherStation, Minutes, Duty, Rating, AtBlow
    }
);
twin!(
    /// Who must approve a whistle: the lead of the station that blows it, or one of a station above.
    Approval = domain_place::Approval { Lead, Above }
);
twin!(
    /// Why a case is watched over from above: its limit is over, it matters, or somebody above ordered it.
    SupervisionKind = domain_case::SupervisionKind { Overdue, Important, Ordered }
);
twin!(
    /// What becomes of a case when a part of the work is found done: the unit does the rest, or it is closed.
    Partly = domain_place::Partly { Rework, Close }
);
twin!(
    /// A language that explanations are written in.
    Lang = words::Lang { Zh, En }
);
twin!(
    /// Which notices a reader wants: all, those of the stages, or what answers or asks them something.
    Kinds = notices::Kinds { All, Milestones, Answers }
);
twin!(
    /// When a reader wants notices: when something happens, or those of a day the next morning.
    Pace = notices::Pace { AtOnce, Daily }
);

/// At most `N` of something.
pub(crate) fn few<'de, D, T, const N: usize>(reader: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let all = Vec::<T>::deserialize(reader)?;
    if all.len() > N {
        return Err(serde::de::Error::custom(format!("at most {N} fit")));
    }
    Ok(all)
}

/// A list of at most `N` in one parameter, its parts between commas.
pub(crate) fn commas<'de, D, T, const N: usize>(reader: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    use serde::de::{IntoDeserializer, value::StrDeserializer};
    let text = String::deserialize(reader)?;
    let read = text.split(',').map(|part| {
        if part.is_empty() {
            return Err(serde::de::Error::custom(
                "a part is empty; write one thing, or several with a comma between, or leave it out",
            ));
        }
        let reader: StrDeserializer<'_, D::Error> = part.into_deserializer();
        T::deserialize(reader)
    });
    let all = read.take(N + 1).collect::<Result<Vec<_>, _>>()?;
    if all.len() > N {
        return Err(serde::de::Error::custom(format!("at most {N} fit")));
    }
    Ok(all)
}
