//! One step done to several cases of the queue: those that are picked, the forms of the steps that all of them allow, and what came
//! of each. Every case is changed by itself, by the same command as on its own page, with the version that was on the screen.

use askama::Template;
use axum::{extract::Path, http::StatusCode, response::Response};
use whistle_domain::{
    case::Case,
    command::{Act, Refusal},
    transition::{Transition, Verb},
    words::CaseNumber,
};
use whistle_service::Error;

use super::{
    act::{perform, read},
    case::{ActForm, TextField, Tried, form, seen},
    queue::canonical,
    session::{Staff, StaffForm},
};
use crate::pages::{
    fault::Fault,
    form::{Entered, Posted, Wrongs},
    page::Page,
    show::Line,
    words::verb,
};

/// Cases that one step is done to: two pages of the queue, which is done well within the time of a request.
const MAX_PICKED: usize = 100;

/// The steps that several cases can take together. What is said of one alone (a merge, a place, a question, handed-in work, a check) is not
/// among them.
const STEPS: [Verb; 17] = [
    Verb::Accept,
    Verb::Decline,
    Verb::Refer,
    Verb::Assign,
    Verb::AssignJoint,
    Verb::Sign,
    Verb::ReportIn,
    Verb::Park,
    Verb::Resume,
    Verb::Extend,
    Verb::AskToPark,
    Verb::AskToExtend,
    Verb::GrantRequest,
    Verb::RefuseRequest,
    Verb::Comment,
    Verb::Supervise,
    Verb::Show,
];

/// A case that was picked, with the version that was on the screen.
#[derive(Clone, Copy)]
struct Pick {
    number: CaseNumber,
    version: u32,
}

impl Pick {
    fn read(text: &str) -> Option<Self> {
        let (number, version) = text.split_once('.')?;
        Some(Self {
            number: number.parse().ok()?,
            version: version.parse().ok()?,
        })
    }
}

fn picked(fields: &Entered) -> Vec<Pick> {
    let mut picks: Vec<Pick> = Vec::new();
    for pick in fields.all("case").filter_map(Pick::read).take(MAX_PICKED) {
        if picks.iter().all(|known| known.number != pick.number) {
            picks.push(pick);
        }
    }
    picks
}

#[derive(Template)]
#[template(path = "staff/bulk.html")]
struct Bulk<'a> {
    p: &'a Page,
    lines: Vec<Line>,
    forms: Vec<ActForm>,
    /// Where the forms go, and what goes along.
    base: String,
    picks: Vec<String>,
    version: u32,
    key: String,
    query: String,
    refused: Option<String>,
    pick: bool,
}

/// What came of a case.
struct Row {
    number: String,
    service: String,
    is_done: bool,
    said: String,
}

#[derive(Template)]
#[template(path = "staff/bulk_done.html")]
struct BulkDonePage<'a> {
    p: &'a Page,
    title: String,
    done: i64,
    refused: i64,
    rows: Vec<Row>,
    /// Those that were refused, as they are now, to be picked again.
    picks: Vec<String>,
    query: String,
}

/// The picked cases with the steps that all of them allow.
pub(crate) async fn ask(StaffForm { staff, posted }: StaffForm) -> Result<Response, Fault> {
    show(&staff, &posted, None).await
}

async fn show(staff: &Staff, posted: &Posted, tried: Option<Tried<'_>>) -> Result<Response, Fault> {
    let (page, fields) = (&staff.page, &posted.fields);
    let picks = picked(fields);
    let cases = cases(staff, &picks).await?;
    let status = tried.as_ref().map_or(StatusCode::OK, |tried| tried.status);
    page.render_as(
        status,
        &Bulk {
            p: page,
            lines: cases.iter().map(|case| page.staff_line(case)).collect(),
            forms: forms(staff, &cases, tried.as_ref()),
            base: "/staff/bulk".to_owned(),
            picks: picks
                .iter()
                .map(|pick| format!("{}.{}", pick.number, pick.version))
                .collect(),
            version: 0,
            key: String::new(),
            query: canonical(fields.get("query")),
            refused: tried.as_ref().map(|_| page.t("see-below")),
            pick: false,
        },
    )
}

/// The picked cases that the post may see, in their order.
async fn cases(staff: &Staff, picks: &[Pick]) -> Result<Vec<Case>, Fault> {
    let page = &staff.page;
    let numbers = picks.iter().map(|pick| pick.number).collect();
    let whistle = &page.app.whistle;
    Ok(whistle.staff_cases(&page.here, numbers, staff.actor()).await?)
}

/// A form for each step that all of the cases allow.
fn forms(staff: &Staff, cases: &[Case], tried: Option<&Tried<'_>>) -> Vec<ActForm> {
    let Some((first, rest)) = cases.split_first() else {
        return Vec::new();
    };
    let page = &staff.page;
    let offered: Vec<Vec<&Transition>> = rest
        .iter()
        .map(|case| page.offered(case, staff.actor()))
        .collect();
    let is_for_all = |line: &&Transition| {
        let is_of = |lines: &Vec<&Transition>| lines.iter().any(|other| other.verb == line.verb);
        STEPS.contains(&line.verb) && offered.iter().all(is_of) && is_the_same(line.verb, cases)
    };
    let lines = page.offered(first, staff.actor());
    let open = tried.map(|tried| tried.verb);
    let mut forms: Vec<ActForm> = lines
        .into_iter()
        .filter(is_for_all)
        .map(|line| form(page, first, line, open, tried))
        .collect();
    if rest.iter().any(|case| case.service != first.service) {
        // Each gets the standard that its own service has by default.
        for form in &mut forms {
            form.standards.clear();
        }
    }
    forms
}

/// Two steps are switches: they are for cases that stand the same way.
fn is_the_same(verb: Verb, cases: &[Case]) -> bool {
    let all = |is_on: fn(&Case) -> bool| cases.iter().all(|case| is_on(case) == is_on(&cases[0]));
    match verb {
        Verb::Supervise => all(|case| case.flags.supervised),
        Verb::Show => all(|case| case.public),
        _ => true,
    }
}

/// Does the step to one case after the other.
pub(crate) async fn act(
    Path(word): Path<String>,
    StaffForm { staff, posted }: StaffForm,
) -> Result<Response, Fault> {
    let verb = verb(&word)
        .filter(|verb| STEPS.contains(verb))
        .ok_or(Fault::NoSuchPage)?;
    let (page, fields) = (&staff.page, &posted.fields);
    let picks = picked(fields);
    let cases = cases(&staff, &picks).await?;
    let mut wrongs = Wrongs::default();
    if let Some(first) = cases.first() {
        read(page, verb, &posted, first, &mut wrongs);
    }
    if !wrongs.is_empty() || cases.is_empty() {
        let tried = Tried {
            verb,
            entered: fields,
            wrongs,
            status: StatusCode::BAD_REQUEST,
            stale: None,
        };
        return show(&staff, &posted, Some(tried)).await;
    }
    let (mut rows, mut again) = (Vec::new(), Vec::new());
    let mut is_down = None;
    for pick in picks {
        let case = cases.iter().find(|case| case.number == pick.number);
        let done = match (&is_down, case) {
            (Some(said), _) => Err(String::clone(said)),
            (None, None) => Err(page.words.error(&Error::NotFound {
                what: "case",
                id: pick.number.to_string(),
            })),
            (None, Some(case)) => match one(&staff, verb, &posted, case, pick.version).await {
                Ok(()) => Ok(()),
                Err(error) => {
                    let said = why(&staff, &error, pick).await;
                    if !is_its_own(&error) {
                        is_down = Some(page.t("bulk-not-tried"));
                    }
                    again.extend(now(&staff, pick.number).await);
                    Err(said)
                }
            },
        };
        rows.push(Row {
            number: pick.number.to_string(),
            service: case.map_or_else(String::new, |case| page.service_name(case.service.as_str())),
            is_done: done.is_ok(),
            said: done.err().unwrap_or_else(|| page.words.of("done", verb.as_str())),
        });
    }
    let done = rows.iter().filter(|row| row.is_done).count();
    page.render(&BulkDonePage {
        p: page,
        title: page.words.of("verb", verb.as_str()),
        done: done as i64,
        refused: (rows.len() - done) as i64,
        rows,
        picks: again,
        query: canonical(fields.get("query")),
    })
}

/// Does the step to one case, if it is still what was on the screen.
async fn one(staff: &Staff, verb: Verb, posted: &Posted, case: &Case, version: u32) -> Result<(), Error> {
    let acts: Vec<Act> = read(&staff.page, verb, posted, case, &mut Wrongs::default());
    let mut fields = posted.fields.clone();
    fields.set("seen", &version.to_string());
    perform(staff, &fields, case.number, acts).await.map(drop)
}

/// Whether an error is that of one case; else the next ones would meet it too.
const fn is_its_own(error: &Error) -> bool {
    !matches!(
        error,
        Error::Store(_) | Error::Busy(_) | Error::Full | Error::Io { .. }
    )
}

/// Why a case was refused; of one that changed meanwhile, what was done to it last, and by whom.
async fn why(staff: &Staff, error: &Error, pick: Pick) -> String {
    let page = &staff.page;
    let said = page.words.error(error);
    if !matches!(error, Error::Refused(Refusal::Stale { .. })) {
        return said;
    }
    let Ok((_, log)) = seen(staff, pick.number).await else {
        return said;
    };
    let last = page.staff_timeline(&log).into_iter().next();
    last.map_or(said.clone(), |entry| {
        let parts = [said.as_str(), &entry.who, &entry.at.text, &entry.what];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" · ")
    })
}

/// A refused case as it is now, to be picked again.
async fn now(staff: &Staff, number: CaseNumber) -> Option<String> {
    let (case, _) = seen(staff, number).await.ok()?;
    Some(format!("{number}.{}", case.version))
}
