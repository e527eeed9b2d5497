//! Open data: what there is, what is in it, and the files.

use askama::Template;
use axum::{
    extract::{Path, Request},
    response::Response,
};
use whistle_figures::indicator::grouped;
use whistle_service::{
    export::open_columns,
    open_data::{COLUMNS, OpenFile},
};

use crate::pages::{download, fault::Fault, page::Page};

struct Offered {
    name: &'static str,
    what: String,
    /// How large it is, and when it was made; empty while it is not there.
    made: String,
}

struct Explained {
    name: &'static str,
    kind: String,
    what: String,
}

#[derive(Template)]
#[template(path = "open_data.html")]
struct OpenPage<'a> {
    p: &'a Page,
    files: Vec<Offered>,
    licence: String,
    cases: Vec<Explained>,
    indicators: Vec<Explained>,
}

/// What there is.
pub(crate) async fn page(page: Page) -> Result<Response, Fault> {
    let offered = |file: OpenFile| {
        let made = page.app.whistle.open_file_made(&page.here, file).map(|made| {
            let at = page.moment(made.at).text;
            page.words.with(
                "open-made",
                &[
                    ("at", at.into()),
                    ("kilobytes", grouped(made.bytes.div_ceil(1_000)).into()),
                ],
            )
        });
        Offered {
            name: file.name(),
            what: page.t(&format!("open-file-{}", file.name().replace('.', "-"))),
            made: made.unwrap_or_else(|| page.t("open-not-made")),
        }
    };
    let explained = |of: &str, name: &'static str, kind: &str| Explained {
        name,
        kind: page.t(&format!("open-kind-{kind}")),
        what: page.t(&format!("open-{of}-{name}")),
    };
    let licence = page.here.place.jurisdiction.open_data_licence.get(page.lang());
    page.render(&OpenPage {
        files: OpenFile::ALL.into_iter().map(offered).collect(),
        licence: licence.to_owned(),
        cases: open_columns()
            .map(|column| explained("case", column.name, column.kind))
            .collect(),
        indicators: COLUMNS
            .into_iter()
            .map(|(name, kind)| explained("indicator", name, kind))
            .collect(),
        p: &page,
    })
}

/// A file. One that is not there is made, and it is said when to come again.
pub(crate) async fn file(page: Page, Path(name): Path<String>, request: Request) -> Result<Response, Fault> {
    let file = OpenFile::named(&name).ok_or(Fault::NoSuchPage)?;
    let made = page.app.whistle.open_file(&page.here, file)?;
    let cached = "public, max-age=3600";
    Ok(download::file(&made.path, request, file.media_type(), cached, file.name()).await)
}
