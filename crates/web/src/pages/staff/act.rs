//! What a member of staff does to a case: a form of the case page, read, done, or shown again with why not.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use whistle_domain::{
    case::{Case, Channel, Outcome, PhotoKind, Respondent, SupervisionKind},
    command::{Act, Refusal, Whereabouts},
    place::Level,
    rights,
    transition::{Need, Verb},
    words::CaseNumber,
};
use whistle_service::{Error, secret::Contact};

use super::{
    case::{OUTSIDE, Tried, seen, show, whereabouts},
    session::{Staff, StaffForm},
};
use crate::{
    pages::{
        cases::number,
        fault::Fault,
        form::{Entered, Posted, Wrongs},
        page::Page,
        report::{join_with, read_point, staff_receipt},
        words::verb,
    },
    status::status_of,
};

pub(crate) async fn act(
    Path((text, word)): Path<(String, String)>,
    StaffForm { staff, posted }: StaffForm,
) -> Result<Response, Fault> {
    let verb = verb(&word).ok_or(Fault::NoSuchPage)?;
    let (case, _) = seen(&staff, number(&text)?).await?;
    if verb == Verb::Join {
        return join(&staff, &posted, case.number).await;
    }
    let mut wrongs = Wrongs::default();
    for wrong in &posted.wrong_photos {
        wrongs.add("photos", wrong.clone());
    }
    if verb == Verb::Split {
        return split(&staff, &posted.fields, &case, wrongs).await;
    }
    let acts = read(&staff.page, verb, &posted, &case, &mut wrongs);
    if !wrongs.is_empty() {
        return again(
            &staff,
            case.number,
            verb,
            &posted.fields,
            wrongs,
            StatusCode::BAD_REQUEST,
        )
        .await;
    }
    match perform(&staff, &posted.fields, case.number, acts).await {
        Ok(case) => Ok(onward(&staff, &case, verb)),
        Err(error) => refused(&staff, case.number, verb, &posted.fields, error).await,
    }
}

/// Joins a caller's report to the case; they are told their own code.
async fn join(staff: &Staff, posted: &Posted, number: CaseNumber) -> Result<Response, Fault> {
    let channel = Channel::Phone;
    match join_with(&staff.page, number, posted, channel, staff.actor().clone()).await {
        Ok(receipt) => staff_receipt(&staff.page, &receipt),
        Err(error) => refused(staff, number, Verb::Join, &posted.fields, error).await,
    }
}

/// Makes a part of the case a case of its own, and leads to it.
async fn split(staff: &Staff, fields: &Entered, case: &Case, mut wrongs: Wrongs) -> Result<Response, Fault> {
    let (page, verb) = (&staff.page, Verb::Split);
    let (entered, number) = (fields, case.number);
    let Ok(service) = fields.get("service").parse() else {
        let need = Need::Service;
        wrongs.add("service", page.words.refusal(&Refusal::Missing { verb, need }));
        return again(staff, number, verb, entered, wrongs, StatusCode::BAD_REQUEST).await;
    };
    if read_point(fields).is_err() {
        wrongs.add("lat", page.t("wrong-point"));
        return again(staff, number, verb, entered, wrongs, StatusCode::BAD_REQUEST).await;
    }
    // The form comes with the whole's address and area; where nobody changed them, its point holds for the part too.
    let said = whereabouts(fields);
    let area = case
        .location
        .areas
        .at(Level::Community)
        .or(case.location.areas.deepest());
    let is_there =
        said.point.is_none() && said.address == case.location.address && said.area.as_ref() == area;
    let done = page.app.whistle.split(
        &page.here,
        number,
        fields.some("seen").and_then(|seen| seen.parse().ok()),
        service,
        if is_there { Whereabouts::default() } else { said },
        fields.get("text").to_owned(),
        staff.actor().clone(),
    );
    match done.await {
        Ok((_, part)) => Ok(onward(staff, &part, verb)),
        Err(error) => refused(staff, number, verb, entered, error).await,
    }
}

/// To the case, or to the queue when the case is no longer this post's to see.
fn onward(staff: &Staff, case: &Case, verb: Verb) -> Response {
    let to = if rights::may_see(case, staff.actor(), &staff.page.here.place) {
        format!("/staff/cases/{}?done={}", case.number, verb.as_str())
    } else {
        format!("/staff?done={}", case.number)
    };
    Redirect::to(&to).into_response()
}

/// Does all that a form asks for. Only the first act is bound to the version that the form was made for.
pub(super) async fn perform(
    staff: &Staff,
    fields: &Entered,
    number: CaseNumber,
    acts: Vec<Act>,
) -> Result<Case, Error> {
    let page = &staff.page;
    let (mut seen, mut text) = (
        fields.some("seen").and_then(|v| v.parse().ok()),
        fields.get("text"),
    );
    let mut last = None;
    for act in acts {
        // What stands beside the case's course is not made stale by it.
        if matches!(act, Act::Comment { .. } | Act::AddPhoto { .. }) {
            seen = None;
        }
        let whistle = &page.app.whistle;
        let by = staff.actor().clone();
        // To whom the link of a question goes.
        let respondent = Contact {
            email: fields.get("email").trim().to_owned(),
            ..Contact::default()
        };
        let outside = Respondent::Outside;
        let respondent = match act {
            Act::Ask { of, .. } if of == outside => respondent,
            _ => Contact::default(),
        };
        last = Some(
            whistle
                .act_with(&page.here, number, seen, act, text.to_owned(), by, respondent)
                .await?,
        );
        (seen, text) = (None, "");
    }
    match last {
        Some(case) => Ok(case),
        None => page.app.whistle.case(&page.here, number).await,
    }
}

/// A refusal, on the case's page with the form as it was filled in. Anything else is a fault.
async fn refused(
    staff: &Staff,
    number: CaseNumber,
    verb: Verb,
    fields: &Entered,
    error: Error,
) -> Result<Response, Fault> {
    let named = matches!(error, Error::NotFound { what: "case", .. }) && verb == Verb::Merge;
    if !named
        && !matches!(
            error,
            Error::Refused(_) | Error::Invalid { .. } | Error::KeyReused
        )
    {
        return Err(error.into());
    }
    let mut wrongs = Wrongs::default();
    let field = match &error {
        Error::Invalid { field: "email", .. } => "email",
        _ => "done",
    };
    wrongs.add(field, staff.page.words.error(&error));
    again(staff, number, verb, fields, wrongs, status_of(&error)).await
}

/// The page of the case as it is now, with what was tried.
async fn again(
    staff: &Staff,
    number: CaseNumber,
    verb: Verb,
    fields: &Entered,
    wrongs: Wrongs,
    status: StatusCode,
) -> Result<Response, Fault> {
    let (case, log) = seen(staff, number).await?;
    let saw = fields.some("seen").and_then(|v| v.parse().ok());
    let tried = Tried {
        verb,
        entered: fields,
        wrongs,
        status,
        stale: saw.filter(|seen| *seen < case.version),
    };
    show(staff, &case, &log, Some(tried), None, None).await
}

/// What a form asks for; what is missing or unreadable is noted at its field.
pub(super) fn read(page: &Page, verb: Verb, posted: &Posted, case: &Case, wrongs: &mut Wrongs) -> Vec<Act> {
    let fields = &posted.fields;
    let missing = |need| page.words.refusal(&Refusal::Missing { verb, need });
    let mut code = |name: &str, need| {
        if fields.some(name).is_none() {
            wrongs.add(name, missing(need));
        }
        fields.get(name)
    };
    let act = match verb {
        Verb::Accept => Some(Act::Accept {
            standard: fields.some("standard").and_then(|s| s.parse().ok()),
        }),
        Verb::Decline => Some(Act::Decline),
        Verb::Merge => code("into", Need::Original)
            .parse()
            .ok()
            .map(|into| Act::Merge { into }),
        Verb::Refer => Some(Act::Refer),
        Verb::Assign => code("unit", Need::Unit)
            .parse()
            .ok()
            .map(|unit| Act::Assign { unit: Some(unit) }),
        Verb::AssignJoint => {
            let unit = code("unit", Need::Unit).parse().ok();
            let limit = fields.some("limit").map(str::parse).transpose();
            if limit.is_err() {
                wrongs.add("limit", page.t("wrong-limit"));
            }
            unit.zip(limit.ok())
                .map(|(unit, limit)| Act::AssignJoint { unit, limit })
        }
        Verb::HandleJoint => Some(Act::HandleJoint),
        Verb::ReleaseJoint => code("unit", Need::Unit)
            .parse()
            .ok()
            .map(|unit| Act::ReleaseJoint { unit }),
        Verb::Sign => Some(Act::Sign),
        Verb::ReportIn => Some(Act::ReportIn),
        Verb::Return => {
            let unit = code("right_unit", Need::RightUnit);
            unit.parse().ok().map(|right_unit| Act::Return { right_unit })
        }
        Verb::Handle => {
            let chosen = code("outcome", Need::Outcome);
            let outcome = Outcome::OF_WORK.into_iter().find(|o| o.as_str() == chosen);
            outcome.map(|outcome| Act::Handle { outcome })
        }
        Verb::Verify => Some(Act::Verify),
        Verb::VerifyPartly => Some(Act::VerifyPartly),
        Verb::Rework => Some(Act::Rework),
        Verb::RequestReopen => Some(Act::RequestReopen),
        Verb::Reopen => Some(Act::Reopen),
        Verb::RefuseReopen => Some(Act::RefuseReopen),
        Verb::Park => code("until", Need::Until)
            .parse()
            .ok()
            .map(|until| Act::Park { until }),
        Verb::Resume => Some(Act::Resume),
        Verb::Extend => Some(Act::Extend),
        Verb::AskToPark => code("until", Need::Until)
            .parse()
            .ok()
            .map(|until| Act::AskToPark { until }),
        Verb::AskToExtend => Some(Act::AskToExtend),
        Verb::GrantRequest => Some(Act::GrantRequest),
        Verb::RefuseRequest => Some(Act::RefuseRequest),
        Verb::Ask => {
            let of = match fields.get("report") {
                OUTSIDE => Some(Respondent::Outside),
                report => report.parse().ok().map(|report| Respondent::Reporter { report }),
            };
            let lines = fields.get("choices").lines().map(str::trim);
            let choices = lines.filter(|line| !line.is_empty()).map(str::to_owned);
            let until = code("until", Need::Until).parse().ok();
            if of.is_none() {
                wrongs.add("report", page.t("wrong-respondent"));
            }
            of.zip(until).map(|(of, until)| Act::Ask {
                of,
                choices: choices.collect(),
                until,
                reachable: false,
            })
        }
        Verb::Answer => Some(Act::Answer {
            choice: fields.some("choice").map(str::to_owned),
        }),
        Verb::Reclassify => {
            let service = code("service", Need::Service);
            service.parse().ok().map(|service| Act::Reclassify { service })
        }
        Verb::Relocate => {
            if read_point(fields).is_err() {
                wrongs.add("lat", page.t("wrong-point"));
            }
            Some(Act::Relocate {
                whereabouts: whereabouts(fields),
            })
        }
        Verb::Comment => Some(Act::Comment {
            public: fields.has("public", "yes"),
        }),
        Verb::Supervise => {
            let chosen = fields.get("kind");
            let kind = SupervisionKind::ALL.into_iter().find(|k| k.as_str() == chosen);
            Some(Act::Supervise {
                on: !case.flags.supervised,
                kind: kind.unwrap_or_default(),
            })
        }
        Verb::Show => Some(Act::Show { public: !case.public }),
        Verb::AddPhoto => None,
        Verb::Withdraw
        | Verb::Settle
        | Verb::Absorb
        | Verb::Split
        | Verb::Join
        | Verb::Rate
        | Verb::Whistle
        | Verb::Reckon
        | Verb::Escalate
        | Verb::Erase
        | Verb::FixOnTheSpot => {
            wrongs.add("done", page.words.refusal(&Refusal::NotAllowed(verb)));
            None
        }
    };
    let needs_photo = verb == Verb::AddPhoto;
    if needs_photo && posted.photos.is_empty() && wrongs.is_empty() {
        wrongs.add("photos", page.t("photo-none"));
    }
    if act.is_none() && !needs_photo && wrongs.is_empty() {
        wrongs.add("done", page.t("fault-garbled"));
    }
    let before = fields.has("kind", "before");
    let kind = if before {
        PhotoKind::Before
    } else {
        PhotoKind::After
    };
    let photos = posted.photos(kind, fields.has("photos_public", "yes"));
    act.into_iter()
        .chain(photos.into_iter().map(|photo| Act::AddPhoto { photo }))
        .collect()
}
