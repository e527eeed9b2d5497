//! Discovery: where the endpoint is and what it speaks. Its changeset moves with every version of the place, so that
//! clients know when to ask for the services again.

use axum::response::Response;
use jiff::tz::TimeZone;

use super::{
    answer::{Faults, Format, Node},
    asked::{Asked, datetime},
    words,
};

/// The specification's own address; the one XML name that clients compare.
const SPECIFICATION: &str = "http://wiki.open311.org/GeoReport_v2";

/// GET discovery.
pub(super) async fn discovery(asked: Asked) -> Result<Response, Faults> {
    let here = asked.here_by_host()?;
    let jurisdiction = &here.place.jurisdiction;
    let lang = asked.language(&here.place, &asked.query);
    let applied_at = asked.done(asked.app.whistle.applied_at(&here).await)?;
    // Of one zone all year, so that texts sort as times do.
    let changeset = datetime(applied_at.unwrap_or_default(), &TimeZone::UTC);
    let contact = jurisdiction.contact.get(lang);
    let key_service = words::key_service(jurisdiction, lang);
    let formats = Format::ALL.map(|format| format.media_type().into());
    let endpoint = Node::Object(vec![
        ("specification", SPECIFICATION.into()),
        ("url", format!("{}/open311/v2", asked.base()).into()),
        ("changeset", changeset.clone().into()),
        ("type", "production".into()),
        ("formats", Node::List("format", formats.into())),
    ]);
    let node = Node::Object(vec![
        ("changeset", changeset.into()),
        ("contact", contact.into()),
        ("key_service", key_service.into()),
        ("endpoints", Node::List("endpoint", vec![endpoint])),
    ]);
    Ok(asked.answer("discovery", &node))
}
