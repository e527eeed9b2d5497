//! Services and what they ask.

use axum::{
    extract::{Path, rejection::PathRejection},
    response::Response,
};
use whistle_domain::{
    place::{AreaIndex, Datatype, Place, Question, Service},
    words::Lang,
};

use super::{
    answer::{Faults, Node},
    asked::{Asked, public_service, stem},
};

/// GET services: what residents may ask for; with lat and long, what some unit answers for there.
pub(super) async fn list(asked: Asked) -> Result<Response, Faults> {
    let here = asked.here(&asked.query)?;
    let (place, lang) = (&here.place, asked.language(&here.place, &asked.query));
    let extensions = asked.query.is_true("extensions");
    let point = asked.query.point()?;
    let area = point.map(|point| place.areas.locate(point));
    let shown = |service: &&Service| {
        let offered = service.public && !service.is_group();
        offered && area.is_none_or(|area| area.is_some_and(|area| is_led(place, service, area)))
    };
    let services = place
        .services()
        .iter()
        .filter(shown)
        .map(|s| entry(place, s, lang, extensions));
    Ok(asked.answer("services", &Node::List("service", services.collect())))
}

fn is_led(place: &Place, service: &Service, area: AreaIndex) -> bool {
    place
        .standards_of(&service.code)
        .any(|standard| place.lead(standard, area).is_some())
}

fn entry<'a>(place: &'a Place, service: &'a Service, lang: Lang, extensions: bool) -> Node<'a> {
    let group = service
        .group
        .as_ref()
        .and_then(|code| place.service(code.as_str()))
        .map(|group| group.name.get(lang));
    let mut fields = vec![
        ("service_code", service.code.as_str().into()),
        ("service_name", service.name.get(lang).into()),
        ("description", service.description.get(lang).into()),
        ("metadata", Node::Bool(!service.questions.is_empty())),
        ("type", "realtime".into()),
        ("keywords", service.keywords.join(",").into()),
        ("group", group.into()),
    ];
    if extensions {
        let groups = group.into_iter().map(Node::from).collect();
        fields.push(("groups", Node::List("group", groups)));
    }
    Node::Object(fields)
}

/// GET services/CODE: what a service asks.
pub(super) async fn definition(
    asked: Asked,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Faults> {
    let code = stem(path)?;
    let here = asked.here(&asked.query)?;
    let lang = asked.language(&here.place, &asked.query);
    let service = public_service(&here.place, &code)?;
    let attributes = (1..)
        .zip(&service.questions)
        .map(|(order, q)| attribute(q, order, lang));
    let node = Node::Object(vec![
        ("service_code", service.code.as_str().into()),
        ("attributes", Node::List("attribute", attributes.collect())),
    ]);
    Ok(asked.answer("service_definition", &node))
}

fn attribute(question: &Question, order: i64, lang: Lang) -> Node<'_> {
    let mut fields = vec![
        ("variable", Node::Bool(question.variable)),
        ("code", question.code.as_str().into()),
        ("datatype", datatype(question.datatype).into()),
        ("required", Node::Bool(question.required && question.variable)),
        ("datatype_description", question.hint.get(lang).into()),
        ("order", Node::Whole(order)),
        ("description", question.label.get(lang).into()),
    ];
    if matches!(
        question.datatype,
        Datatype::SingleValueList | Datatype::MultiValueList
    ) {
        let values = question
            .values
            .iter()
            .map(|(key, name)| value(key, name.get(lang)));
        fields.push(("values", Node::List("value", values.collect())));
    }
    Node::Object(fields)
}

/// A value of a list, as a definition and an answer name it.
pub(super) fn value<'a>(key: &'a str, name: &'a str) -> Node<'a> {
    Node::Object(vec![("key", key.into()), ("name", name.into())])
}

const fn datatype(datatype: Datatype) -> &'static str {
    match datatype {
        Datatype::String => "string",
        Datatype::Number => "number",
        Datatype::Datetime => "datetime",
        Datatype::Text => "text",
        Datatype::SingleValueList => "singlevaluelist",
        Datatype::MultiValueList => "multivaluelist",
    }
}
