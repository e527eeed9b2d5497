//! What is stored of a reporter, for themselves: seen, loaded down, corrected, erased. Number and code open it, as they
//! open the case.

use askama::Template;
use axum::{
    Json,
    extract::Query as Asked,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use whistle_domain::words::CaseNumber;
use whistle_service::{
    Error,
    notices::{Choice, Kinds},
    privacy::{Own, OwnNotice, OwnView},
    secret::Contact,
};

use super::{
    door,
    fault::Fault,
    form::{Entered, Posted, Wrongs},
    notices::ChoiceForm,
    page::Page,
    report::contact,
    show::{Answered, Moment, Picture},
};

/// Words of the reporter.
struct Said {
    at: Moment,
    what: String,
    text: String,
}

/// A notice to the reporter.
struct Told {
    at: Moment,
    notice: String,
    state: String,
    why: String,
}

/// A look at how they can be reached.
struct Look {
    at: Moment,
    post: String,
}

#[derive(Template)]
#[template(path = "mine.html")]
struct MinePage<'a> {
    p: &'a Page,
    number: String,
    reported: Moment,
    channel: String,
    whereabouts: Option<String>,
    answers: Vec<Answered>,
    said: Vec<Said>,
    photos: Vec<Picture>,
    looks: Vec<Look>,
    told: Vec<Told>,
    /// Whether there is anything to erase.
    any: bool,
    /// What they chose of notices; none where nothing is known of how to reach them.
    choice: Option<ChoiceForm>,
    e: &'a Entered,
    w: &'a Wrongs,
    done: Option<String>,
}

/// What the cookie leads to; none when it leads to nothing any more.
async fn own(page: &Page) -> Result<Option<(CaseNumber, String, Own)>, Fault> {
    let Some((number, code)) = door::following(page) else {
        return Ok(None);
    };
    match page.app.whistle.own(&page.here, number, &code).await {
        Ok(own) => Ok(Some((number, code, own))),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn to_the_door() -> Response {
    Redirect::to("/follow").into_response()
}

/// The page.
pub(crate) async fn mine(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let Some((number, _, own)) = own(&page).await? else {
        return Ok(to_the_door());
    };
    let done = match Entered::new(asked).get("done") {
        "contact" => Some(page.t("mine-corrected")),
        "erase" => Some(page.t("mine-erased")),
        "notices" => Some(page.t("choice-done")),
        _ => None,
    };
    show(&page, number, &own, None, done).await
}

/// The page, with what was entered and is wrong.
async fn show(
    page: &Page,
    number: CaseNumber,
    own: &Own,
    tried: Option<(&Entered, &Wrongs)>,
    done: Option<String>,
) -> Result<Response, Fault> {
    let case = page.app.whistle.case(&page.here, number).await?;
    let mut entered = tried.map(|(fields, _)| fields.clone()).unwrap_or_default();
    if let (None, Some(contact)) = (tried, &own.contact) {
        entered.set("name", &contact.name);
        entered.set("email", &contact.email);
        entered.set("phone", &contact.phone);
    }
    let is_right = Wrongs::default();
    let look = |view: &OwnView| Look {
        at: page.moment(view.at),
        post: page.post_name(&view.post),
    };
    let told = |one: &OwnNotice| Told {
        at: page.moment(one.at),
        notice: page.notice_name(&one.notice),
        state: page.words.of("told", one.state),
        why: page.undelivered(&one.error).0,
    };
    let template = MinePage {
        p: page,
        number: number.to_string(),
        reported: page.moment(own.reported_at),
        channel: page.words.of("channel", own.channel.as_str()),
        whereabouts: own
            .matter
            .as_ref()
            .map(|matter| page.whereabouts(&matter.location)),
        answers: match own.matter {
            Some(_) => page.answers(&case),
            None => Vec::new(),
        },
        said: own
            .texts
            .iter()
            .map(|said| Said {
                at: page.moment(said.at),
                what: page.words.of("event", said.event),
                text: said.text.clone(),
            })
            .collect(),
        photos: page.pictures(&case, own.photos.iter()),
        looks: own.views.iter().map(look).collect(),
        choice: own
            .contact
            .as_ref()
            .map(|contact| ChoiceForm::new(page, contact.choice(), &Kinds::ALL, "choice-reporter")),
        told: own.notices.iter().map(told).collect(),
        any: own.contact.is_some()
            || !own.texts.is_empty()
            || !own.photos.is_empty()
            || !own.notices.is_empty()
            || own.is_told(),
        e: &entered,
        w: tried.map_or(&is_right, |(_, wrongs)| wrongs),
        done,
    };
    let status = match tried {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    page.render_as(status, &template)
}

/// The same as a file.
pub(crate) async fn download(page: Page) -> Result<Response, Fault> {
    let Some((number, _, own)) = own(&page).await? else {
        return Ok(to_the_door());
    };
    let headers = [
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"whistle-{number}.json\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Json(own)).into_response())
}

/// Keeps other contact data.
pub(crate) async fn correct(page: Page, posted: Posted) -> Result<Response, Fault> {
    let Some((number, code, own)) = own(&page).await? else {
        return Ok(to_the_door());
    };
    let before = own.contact.as_ref().map(Contact::choice).unwrap_or_default();
    let lang = before.lang.or(Some(page.lang()));
    let contact = contact(&posted.fields, None).with_choice(Choice { lang, ..before });
    match page
        .app
        .whistle
        .correct_contact(&page.here, number, &code, contact)
        .await
    {
        Ok(()) => Ok(Redirect::to("/follow/mine?done=contact").into_response()),
        Err(error @ Error::Invalid { field, .. }) => {
            let mut wrongs = Wrongs::default();
            wrongs.add(field, page.words.error(&error));
            show(&page, number, &own, Some((&posted.fields, &wrongs)), None).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Keeps what the reporter chose of notices.
pub(crate) async fn choose(page: Page, posted: Posted) -> Result<Response, Fault> {
    let Some((number, code, _)) = own(&page).await? else {
        return Ok(to_the_door());
    };
    let choice = ChoiceForm::read(&posted.fields);
    page.app.whistle.choose(&page.here, number, &code, choice).await?;
    Ok(Redirect::to("/follow/mine?done=notices").into_response())
}

/// Erases what is the reporter's own.
pub(crate) async fn erase(page: Page, _posted: Posted) -> Result<Response, Fault> {
    let Some((number, code, _)) = own(&page).await? else {
        return Ok(to_the_door());
    };
    page.app.whistle.erase_own(&page.here, number, &code).await?;
    Ok(Redirect::to("/follow/mine?done=erase").into_response())
}
