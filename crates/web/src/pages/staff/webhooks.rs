//! The webhooks of the place, for who administers the whole of it: added, tried, paused, removed, and what became of what was
//! sent.

use askama::Template;
use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use whistle_service::{
    Error,
    notices::{Delivery, KnownWebhook, NewWebhook, WebhookChange},
};

use super::session::{Staff, StaffForm};
use crate::{
    pages::{
        fault::Fault,
        form::{Entered, Wrongs},
        page::Page,
        show::Moment,
    },
    status::status_of,
};

/// The word of the test in addresses, beside those of changes.
const TEST: &str = "test";

struct HookLine {
    id: i64,
    url: String,
    events: String,
    all: bool,
    added: Moment,
    paused: Option<Moment>,
}

struct SentLine {
    at: Moment,
    about: String,
    event: String,
    state: String,
    tries: i64,
    why: String,
}

#[derive(Template)]
#[template(path = "staff/webhooks.html")]
struct WebhooksPage<'a> {
    p: &'a Page,
    w: &'a Wrongs,
    e: &'a Entered,
    hooks: Vec<HookLine>,
    /// The secret of the one that was just added.
    secret: Option<String>,
}

#[derive(Template)]
#[template(path = "staff/webhook.html")]
struct WebhookPage<'a> {
    p: &'a Page,
    hook: HookLine,
    sent: Vec<SentLine>,
    done: Option<String>,
    failed: Option<String>,
}

fn line(page: &Page, hook: KnownWebhook) -> HookLine {
    HookLine {
        id: hook.id,
        url: hook.url,
        events: hook.events.join(", "),
        all: hook.all,
        added: page.moment(hook.created_at),
        paused: hook.paused_at.map(|at| page.moment(at)),
    }
}

pub(crate) async fn list(staff: Staff) -> Result<Response, Fault> {
    show_all(
        &staff,
        &Entered::default(),
        &Wrongs::default(),
        None,
        StatusCode::OK,
    )
    .await
}

async fn show_all(
    staff: &Staff,
    e: &Entered,
    w: &Wrongs,
    secret: Option<String>,
    status: StatusCode,
) -> Result<Response, Fault> {
    let page = &staff.page;
    let found = page.app.whistle.webhooks_as(&page.here, staff.actor()).await?;
    let hooks = found.into_iter().map(|hook| line(page, hook)).collect();
    page.render_as(
        status,
        &WebhooksPage {
            p: page,
            w,
            e,
            hooks,
            secret,
        },
    )
}

/// Adds one. Its secret is on the answer alone.
pub(crate) async fn add(StaffForm { staff, posted }: StaffForm) -> Result<Response, Fault> {
    let (page, fields) = (&staff.page, &posted.fields);
    let words = fields.some("events").unwrap_or("*");
    let new = NewWebhook {
        url: fields.get("url").trim().to_owned(),
        events: words
            .split([',', '，', '、', ' ', '\n'])
            .map(str::to_owned)
            .collect(),
        all: fields.has("all", "yes"),
        private: page.app.settings.private_webhooks,
    };
    let added = page
        .app
        .whistle
        .add_webhook_as(&page.here, staff.actor(), &new)
        .await;
    match added {
        Ok((_, secret)) => {
            let (nothing, right) = (Entered::default(), Wrongs::default());
            show_all(&staff, &nothing, &right, Some(secret), StatusCode::CREATED).await
        }
        Err(error @ Error::Invalid { field, .. }) => {
            let mut wrongs = Wrongs::default();
            let (field, message) = match field {
                "url" => ("url", "webhook-wrong-url"),
                "events" => ("events", "webhook-wrong-events"),
                _ => ("url", "webhook-too-many"),
            };
            wrongs.add(field, page.t(message));
            show_all(&staff, fields, &wrongs, None, status_of(&error)).await
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn one(staff: Staff, Path(webhook): Path<String>) -> Result<Response, Fault> {
    let done = match staff.page.address().split_once("?done=") {
        Some((_, "pause")) => Some(staff.page.t("webhook-done-pause")),
        Some((_, "resume")) => Some(staff.page.t("webhook-done-resume")),
        _ => None,
    };
    show(&staff, number(&webhook)?, done, None).await
}

fn number(text: &str) -> Result<i64, Fault> {
    text.parse().map_err(|_| Fault::NoSuchPage)
}

async fn show(
    staff: &Staff,
    webhook: i64,
    done: Option<String>,
    failed: Option<String>,
) -> Result<Response, Fault> {
    let page = &staff.page;
    let (hook, deliveries) = page
        .app
        .whistle
        .webhook_as(&page.here, staff.actor(), webhook)
        .await?;
    let sent = |one: Delivery| SentLine {
        why: why(page, &one.error),
        at: page.moment(one.next_at),
        about: format!(
            "{} {}",
            page.words.of("about", one.subject.as_str()),
            one.subject.number()
        ),
        event: one.notice,
        state: page.words.of("told", one.state.as_str()),
        tries: i64::from(one.tries),
    };
    page.render(&WebhookPage {
        p: page,
        hook: line(page, hook),
        sent: deliveries.into_iter().map(sent).collect(),
        done,
        failed,
    })
}

/// Why a request did not arrive, and what the other side said.
fn why(page: &Page, kept: &str) -> String {
    match page.undelivered(kept) {
        (why, "") => why,
        (why, said) if why.is_empty() => said.to_owned(),
        (why, said) => format!("{why}{}{said}", page.t("colon")),
    }
}

/// Tries one, pauses it, lets it go on, or removes it.
pub(crate) async fn change(
    Path((webhook, word)): Path<(String, String)>,
    StaffForm { staff, .. }: StaffForm,
) -> Result<Response, Fault> {
    let (page, webhook) = (&staff.page, number(&webhook)?);
    let whistle = &page.app.whistle;
    if word == TEST {
        let private = page.app.settings.private_webhooks;
        let failed = whistle
            .test_webhook_as(&page.here, staff.actor(), webhook, private)
            .await?;
        let done = failed.is_none().then(|| page.t("webhook-done-test"));
        let failed = failed.map(|kept| why(page, &kept));
        return show(&staff, webhook, done, failed).await;
    }
    let change = WebhookChange::ALL
        .into_iter()
        .find(|change| change.as_str() == word)
        .ok_or(Fault::NoSuchPage)?;
    whistle
        .change_webhook_as(&page.here, staff.actor(), webhook, change)
        .await?;
    let to = match change {
        WebhookChange::Remove => "/staff/webhooks".to_owned(),
        other => format!("/staff/webhooks/{webhook}?done={}", other.as_str()),
    };
    Ok(Redirect::to(&to).into_response())
}
