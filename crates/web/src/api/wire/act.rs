//! What somebody wants to do to a case, on the wire: the domain's acts but for those that are the system's own, and
//! for joining, which is a report.

use serde::Deserialize;
use utoipa::ToSchema;
use whistle_domain::command::{Act as Wanted, Whereabouts};

use super::{Code, Day, Outcome, Point, Rating, Text, report::NewPhoto};
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
                }
            ),*
        }

        impl Act {
            /// The version that was seen.
            pub(crate) fn seen(&self) -> Option<u32> {
                match self { $(Self::$name { seen, .. })|* => *seen }
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
    /// Hand it to somebody outside.
    Refer {},
    /// Take it back.
    Withdraw {},
    /// Give it to a unit.
    Assign {
        /// The unit; the one that routing names when absent.
        unit: Option<Code>,
    },
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

    /// The same in the domain's types.
    pub(crate) fn wanted(self) -> Result<Wanted> {
        Ok(match self {
            Self::Accept { standard, .. } => Wanted::Accept {
                standard: standard.as_ref().map(read::standard).transpose()?,
            },
            Self::Decline { .. } => Wanted::Decline,
            Self::Merge { into, .. } => Wanted::Merge {
                into: read::number(&into.to_string())?,
            },
            Self::Refer { .. } => Wanted::Refer,
            Self::Withdraw { .. } => Wanted::Withdraw,
            Self::Assign { unit, .. } => Wanted::Assign {
                unit: unit.as_ref().map(read::unit).transpose()?,
            },
            Self::ReportIn { .. } => Wanted::ReportIn,
            Self::Return { right_unit, .. } => Wanted::Return {
                right_unit: read::unit(&right_unit)?,
            },
            Self::Handle { outcome, .. } => Wanted::Handle {
                outcome: outcome.into(),
            },
            Self::Verify { .. } => Wanted::Verify,
            Self::Rework { .. } => Wanted::Rework,
            Self::RequestReopen { .. } => Wanted::RequestReopen,
            Self::Reopen { .. } => Wanted::Reopen,
            Self::RefuseReopen { .. } => Wanted::RefuseReopen,
            Self::Park { until, .. } => Wanted::Park { until: until.0 },
            Self::Resume { .. } => Wanted::Resume,
            Self::Extend { .. } => Wanted::Extend,
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
            Self::Supervise { on, .. } => Wanted::Supervise { on },
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
