//! What somebody wants to do to a case, on the wire: the domain's acts but for those that are the system's own, and
//! for joining, which is a report.

use serde::Deserialize;
use utoipa::ToSchema;
use whistle_domain::{
    case::Respondent,
    command::{Act as Wanted, Whereabouts},
    limit::LimitError,
    words::ServiceCode,
};

use whistle_service::secret::Contact;

use super::{Code, Day, Outcome, Point, Rating, SupervisionKind, Text, Time, few, report::NewPhoto};
use crate::api::{
    error::{Problem, Result},
    read,
};

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty),* $(,)? }),* $(,)?) => {
        /// Something to do to a case; `verb` says what. Which verbs are offered, and what each needs, is in the case
        /// itself (`offered`) and in `/transitions`.
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
        pub(crate) enum Act {
            $(
                $(#[$doc])*
                $name {
                    $($(#[$field_meta])* $field: $kind,)*
                    /// The reason, resolution or remark that goes with it.
                    #[serde(default)]
                    text: Text,
                    /// The version of the case that was seen. Staff must say it: when something else happened since,
                    /// the act is refused.
                    #[schema(maximum = 2_147_483_647)]
                    seen: Option<u32>,
                    /// Staff only: when it was made, if that was without a network: in the last thirty days.
                    made_at: Option<Time>,
                    /// Staff only: photos that are added with it.
                    #[serde(default, deserialize_with = "few::<_, _, 20>")]
                    #[schema(max_items = 20)]
                    photos: Vec<NewPhoto>,
                }
            ),*
        }

        impl Act {
            /// The version that was seen.
            pub(crate) fn seen(&self) -> Option<u32> {
                match self { $(Self::$name { seen, .. })|* => *seen }
            }

            /// When it was made.
            pub(crate) fn made_at(&self) -> Option<Time> {
                match self { $(Self::$name { made_at, .. })|* => *made_at }
            }

            /// Takes the photos out that are added with it.
            pub(crate) fn take_photos(&mut self) -> Vec<NewPhoto> {
                match self { $(Self::$name { photos, .. })|* => std::mem::take(photos) }
            }

            /// Takes the text out.
            pub(crate) fn take_text(&mut self) -> String {
                match self { $(Self::$name { text, .. })|* => std::mem::take(&mut text.0) }
            }
        }
    };
}

acts! {
    /// Take it on, under a standard.
    Accept {
        /// The standard; the service's default one when absent.
        standard: Option<Code>,
    },
    /// Refuse it.
    Decline {},
    /// Close it as a duplicate of another case.
    Merge {
        /// The case that goes on.
        #[schema(minimum = 1)]
        into: i64,
    },
    /// Make a part of it a case of its own; `text` describes it. Where no place is given it lies where the whole does.
    Split {
        /// What is asked for in it.
        service: Code,
        /// The point.
        point: Option<Point>,
        /// Street, number, landmark.
        #[serde(default)]
        address: Text,
        /// The code of the area.
        area: Option<Code>,
    },
    /// Hand it to somebody outside.
    Refer {},
    /// Take it back.
    Withdraw {},
    /// Give it to a unit.
    Assign {
        /// The unit; the one that routing names when absent.
        unit: Option<Code>,
    },
    /// Give another unit a part in it; `text` says what it is to do.
    AssignJoint {
        /// The unit.
        unit: Code,
        /// How long it may take.
        #[schema(example = "4h working")]
        limit: Option<Text>,
    },
    /// Hand in one's part.
    HandleJoint {},
    /// Let another unit off its part.
    ReleaseJoint {
        /// The unit.
        unit: Code,
    },
    /// Say "we have seen it and take it".
    Sign {},
    /// Say "we are here".
    ReportIn {},
    /// Say "not ours", and whose it is.
    Return {
        /// Whose it is.
        right_unit: Code,
    },
    /// Hand in the work.
    Handle {
        /// What the unit claims: `resolved`, `partly_resolved`, `explained` or `unfounded`.
        outcome: Outcome,
    },
    /// Find the work done.
    Verify {},
    /// Find a part of the work done; the standard says whether that closes the case.
    VerifyPartly {},
    /// Find the work not done.
    Rework {},
    /// Ask to go on with a closed case.
    RequestReopen {},
    /// Grant that.
    Reopen {},
    /// Refuse that.
    RefuseReopen {},
    /// Let it wait until a date.
    Park {
        /// Until the start of this date.
        until: Day,
    },
    /// Let it wait no longer.
    Resume {},
    /// Add the running limit once more.
    Extend {},
    /// Ask the station to let it wait.
    AskToPark {
        /// Until the start of this date.
        until: Day,
    },
    /// Ask the station for more time.
    AskToExtend {},
    /// Grant what the unit asked for.
    GrantRequest {},
    /// Refuse that.
    RefuseRequest {},
    /// Ask a reporter, or somebody outside, one question; `text` is the question.
    Ask {
        /// Which report's reporter; somebody outside when absent. The clocks stand while a reporter is asked.
        #[schema(minimum = 1, maximum = 2_147_483_647)]
        report: Option<u32>,
        /// The answers to choose from: none for free text, or 2 to 8.
        #[serde(default)]
        #[schema(max_items = 8)]
        choices: Vec<Text>,
        /// Until the start of this date.
        until: Day,
        /// Where the link is mailed to, when somebody outside is asked; erased when the question is over.
        #[serde(default)]
        email: Text,
    },
    /// Answer the question that is open.
    Answer {
        /// The answer that is chosen, where the question offers some.
        choice: Option<Text>,
    },
    /// Change its service.
    Reclassify {
        /// What is asked for.
        service: Code,
    },
    /// Change its place; at least one of the three.
    Relocate {
        /// The point.
        point: Option<Point>,
        /// Street, number, landmark.
        #[serde(default)]
        address: Text,
        /// The code of the area.
        area: Option<Code>,
    },
    /// Say something.
    Comment {
        /// Whether the public may read it.
        #[serde(default)]
        public: bool,
    },
    /// Add a photo.
    AddPhoto {
        /// The photo.
        photo: NewPhoto,
    },
    /// Say how content one is.
    Rate {
        /// How content.
        rating: Rating,
    },
    /// Watch over it, or no longer.
    Supervise {
        /// Whether it is watched over.
        on: bool,
        /// Why; `important` when absent.
        kind: Option<SupervisionKind>,
    },
    /// Show it to the public or hide it.
    Show {
        /// Whether it is shown.
        public: bool,
    },
}

impl Act {
    /// The photo that it adds.
    pub(crate) fn photo_mut(&mut self) -> Option<&mut NewPhoto> {
        match self {
            Self::AddPhoto { photo, .. } => Some(photo),
            _ => None,
        }
    }

    /// How to send the link of a question to somebody outside.
    pub(crate) fn respondent(&self) -> Contact {
        let email = match self {
            Self::Ask { email, .. } => email.0.trim().to_owned(),
            _ => String::new(),
        };
        Contact {
            email,
            ..Contact::default()
        }
    }

    /// The service and the place of the part, where the act splits one off.
    pub(crate) fn split(&self) -> Result<Option<(ServiceCode, Whereabouts)>> {
        let Self::Split {
            service,
            point,
            address,
            area,
            ..
        } = self
        else {
            return Ok(None);
        };
        let whereabouts = whereabouts(*point, address.clone(), area.as_ref())?;
        Ok(Some((read::service(service)?, whereabouts)))
    }

    /// The same in the domain's types. A split is none of one case only: see [`Act::split`].
    pub(crate) fn wanted(self) -> Result<Wanted> {
        Ok(match self {
            Self::Accept { standard, .. } => Wanted::Accept {
                standard: standard.as_ref().map(read::standard).transpose()?,
            },
            Self::Decline { .. } => Wanted::Decline,
            Self::Merge { into, .. } => Wanted::Merge {
                into: read::number(&into.to_string())?,
            },
            Self::Split { .. } => {
                return Err(Problem::value("verb", "a case is split by its own call"));
            }
            Self::Refer { .. } => Wanted::Refer,
            Self::Withdraw { .. } => Wanted::Withdraw,
            Self::Assign { unit, .. } => Wanted::Assign {
                unit: unit.as_ref().map(read::unit).transpose()?,
            },
            Self::AssignJoint { unit, limit, .. } => Wanted::AssignJoint {
                unit: read::unit(&unit)?,
                limit: limit
                    .map(|limit| limit.0.parse())
                    .transpose()
                    .map_err(|error: LimitError| Problem::value("limit", error.to_string()))?,
            },
            Self::HandleJoint { .. } => Wanted::HandleJoint,
            Self::ReleaseJoint { unit, .. } => Wanted::ReleaseJoint {
                unit: read::unit(&unit)?,
            },
            Self::Sign { .. } => Wanted::Sign,
            Self::ReportIn { .. } => Wanted::ReportIn,
            Self::Return { right_unit, .. } => Wanted::Return {
                right_unit: read::unit(&right_unit)?,
            },
            Self::Handle { outcome, .. } => Wanted::Handle {
                outcome: outcome.into(),
            },
            Self::Verify { .. } => Wanted::Verify,
            Self::VerifyPartly { .. } => Wanted::VerifyPartly,
            Self::Rework { .. } => Wanted::Rework,
            Self::RequestReopen { .. } => Wanted::RequestReopen,
            Self::Reopen { .. } => Wanted::Reopen,
            Self::RefuseReopen { .. } => Wanted::RefuseReopen,
            Self::Park { until, .. } => Wanted::Park { until: until.0 },
            Self::Resume { .. } => Wanted::Resume,
            Self::Extend { .. } => Wanted::Extend,
            Self::AskToPark { until, .. } => Wanted::AskToPark { until: until.0 },
            Self::AskToExtend { .. } => Wanted::AskToExtend,
            Self::GrantRequest { .. } => Wanted::GrantRequest,
            Self::RefuseRequest { .. } => Wanted::RefuseRequest,
            Self::Ask {
                report,
                choices,
                until,
                ..
            } => Wanted::Ask {
                of: report.map_or(Respondent::Outside, |report| Respondent::Reporter { report }),
                choices: choices.into_iter().map(|choice| choice.0).collect(),
                until: until.0,
                reachable: false,
            },
            Self::Answer { choice, .. } => Wanted::Answer {
                choice: choice.map(|choice| choice.0),
            },
            Self::Reclassify { service, .. } => Wanted::Reclassify {
                service: read::service(&service)?,
            },
            Self::Relocate {
                point, address, area, ..
            } => Wanted::Relocate {
                whereabouts: whereabouts(point, address, area.as_ref())?,
            },
            Self::Comment { public, .. } => Wanted::Comment { public },
            Self::AddPhoto { photo, .. } => Wanted::AddPhoto {
                photo: whistle_domain::case::Photo {
                    id: photo.id.0,
                    kind: photo.kind.into(),
                    public: photo.public,
                },
            },
            Self::Rate { rating, .. } => Wanted::Rate {
                rating: rating.into(),
            },
            Self::Supervise { on, kind, .. } => Wanted::Supervise {
                on,
                kind: kind.map(Into::into).unwrap_or_default(),
            },
            Self::Show { public, .. } => Wanted::Show { public },
        })
    }
}

/// Where a reporter says it is.
pub(crate) fn whereabouts(point: Option<Point>, address: Text, area: Option<&Code>) -> Result<Whereabouts> {
    let point = point
        .map(|p| whistle_domain::geometry::Point::new(p.lon, p.lat))
        .transpose()
        .map_err(|error| Problem::value("point", error.to_string()))?;
    Ok(Whereabouts {
        point,
        address: address.0,
        area: area.map(read::area).transpose()?,
    })
}
