//! The way out of mails, for a person and for a mail program (RFC 8058); and what a reader chooses instead.

use askama::Template;
use axum::{
    extract::Query as Asked,
    http::header,
    response::{IntoResponse, Response},
};
use whistle_domain::words::{Lang, Subject};
use whistle_service::notices::{Choice, Chosen, Kinds, Pace, Stopping};

use super::{
    fault::Fault,
    form::{Entered, Posted},
    page::Page,
    show::Choice as Offer,
};

#[derive(Template)]
#[template(path = "stop.html")]
struct StopPage<'a> {
    p: &'a Page,
    lead: String,
    this: String,
    token: String,
    done: Option<String>,
    choice: Option<ChoiceForm>,
}

/// The form by which a reader chooses their notices.
pub(crate) struct ChoiceForm {
    pub(crate) kinds: Vec<Offer>,
    pub(crate) paces: Vec<Offer>,
    pub(crate) langs: Vec<Offer>,
}

impl ChoiceForm {
    /// `kinds` are those to choose from, and `of` says in the catalogue whose words they are.
    pub(crate) fn new(page: &Page, choice: Choice, kinds: &[Kinds], of: &str) -> Self {
        let own = page.here.place.jurisdiction.languages.first().copied();
        let lang = choice.lang.or(own).unwrap_or_default();
        let kinds = kinds.iter().map(|kind| Offer {
            value: kind.to_string(),
            label: page.words.of(of, kind.as_str()),
            chosen: *kind == choice.kinds,
        });
        let pace = |pace: Pace| Offer {
            value: pace.to_string(),
            label: page.words.of("choice-pace", pace.as_str()),
            chosen: pace == choice.pace,
        };
        let name = |one: Lang| Offer {
            value: one.to_string(),
            // A language is named in itself.
            label: match one {
                Lang::Zh => "中文".to_owned(),
                Lang::En => "English".to_owned(),
            },
            chosen: one == lang,
        };
        Self {
            kinds: kinds.collect(),
            paces: Pace::ALL.map(pace).into(),
            langs: Lang::ALL.map(name).into(),
        }
    }

    /// What the form says; what it does not say is as for everybody.
    pub(crate) fn read(fields: &Entered) -> Choice {
        Choice {
            kinds: fields.get("kinds").parse().unwrap_or_default(),
            pace: fields.get("pace").parse().unwrap_or_default(),
            lang: fields.some("lang").and_then(|lang| lang.parse().ok()),
        }
    }
}

/// What a unit may choose from: all, or what cannot wait.
pub(crate) const OF_UNITS: [Kinds; 2] = [Kinds::All, Kinds::Answers];

/// Asks how much somebody wants no more of. Opening the link changes nothing: programs that look at mail open links.
pub(crate) async fn ask(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    show(&page, Entered::new(asked).get("t"), None).await
}

/// Does it. A mail program's one click stops what is about the case or whistle.
pub(crate) async fn stop(
    page: Page,
    Asked(asked): Asked<Vec<(String, String)>>,
    posted: Posted,
) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    let token = asked.get("t");
    if posted.fields.has("what", "choose") {
        let choice = ChoiceForm::read(&posted.fields);
        page.app.whistle.choose_by_link(&page.here, token, choice).await?;
        return show(&page, token, Some(page.t("choice-done"))).await;
    }
    let what = match posted.fields.get("what") {
        "all" => Stopping::All,
        _ => Stopping::This,
    };
    let again = posted.fields.has("again", "yes");
    let whistle = &page.app.whistle;
    whistle.stop_mail(&page.here, token, what, !again).await?;
    if again && what == Stopping::All {
        // Who wants mail again wants that of this one as well.
        whistle
            .stop_mail(&page.here, token, Stopping::This, false)
            .await?;
    }
    let done = page.t(match (again, what) {
        (true, _) => "stop-done-again",
        (false, Stopping::This) => "stop-done-this",
        (false, Stopping::All) => "stop-done-all",
    });
    if posted.fields.has("List-Unsubscribe", "One-Click") {
        let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        return Ok((kind, format!("{done}\n")).into_response());
    }
    show(&page, token, Some(done)).await
}

async fn show(page: &Page, token: &str, done: Option<String>) -> Result<Response, Fault> {
    let subject = page.app.whistle.subject_of_stop(&page.here, token)?;
    let chosen = page.app.whistle.chosen_by_link(&page.here, token).await?;
    let choice = chosen.map(|chosen| match chosen {
        Chosen::OfUnit(choice) => ChoiceForm::new(page, choice, &OF_UNITS, "choice-unit"),
        Chosen::OfReporter(choice) => ChoiceForm::new(page, choice, &Kinds::ALL, "choice-reporter"),
    });
    let number = subject.number().to_string();
    let (lead, this) = match subject {
        Subject::Case(_) => ("stop-lead", "stop-case"),
        Subject::Whistle(_) => ("stop-lead-whistle", "stop-whistle"),
    };
    page.render(&StopPage {
        p: page,
        lead: page.x(lead, &number),
        this: page.x(this, &number),
        token: token.to_owned(),
        done,
        choice,
    })
}
