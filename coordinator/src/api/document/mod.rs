//! The OpenAPI document, made of the [list of routes](super::routes) and of the
//! schemas of what is sent.
//!
//! No copy of it is kept: it is what the code says, and `entente api` prints it
//! without a coordinator. Whoever stands by answers it too, since it is of no state.

mod readable;

use std::{borrow::Cow, sync::LazyLock};

use actix_web::HttpResponse;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};

use self::readable::{make_readable, present};
use super::{
    problem::{Kind, MEDIA_TYPE, Problem},
    request_id,
    routes::{Answer, Body, Route, TABLE},
};

/// What [`show`] answers.
pub(super) struct Document;

impl JsonSchema for Document {
    fn schema_name() -> Cow<'static, str> {
        "Document".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "An OpenAPI 3.1 document.",
            "required": ["openapi", "info", "paths", "components"],
        })
    }
}

static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// `GET /v1/openapi.json`
pub(super) async fn show() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(TEXT.as_str())
}

/// The whole API, as OpenAPI 3.1.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Problem>().to_value();
    let mut paths = Map::new();
    for route in TABLE {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            let operation = operation(route, &mut generator, &problem);
            methods.insert(route.method.label().to_lowercase(), operation);
        }
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "entente coordinator",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": DESCRIPTION,
        },
        "security": [{ "mutualTLS": [] }],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": { "mutualTLS": {
                "type": "mutualTLS",
                "description": "A certificate of the deployment's authority. Who asks stands in \
                                it as spiffe://entente/KIND/NAME; x-callers says which kinds an \
                                operation is for.",
            } },
        },
        "x-problems": Kind::ALL.map(|kind| json!({
            "type": kind.urn(), "status": kind.status().as_u16(), "title": kind.title(),
        })),
    });
    make_readable(&mut document);
    document
}

const DESCRIPTION: &str = "Jobs: submit, follow, order about. Every error is a problem (RFC 9457) \
    whose detail says what to do; x-problems lists the kinds. What has no path is answered 404, a \
    path without the method 405 and Allow. Every answer has X-Request-Id: the caller's own, or \
    one that was made, under which the logs have the request. A coordinator that stands by answers \
    503 and where the one is that leads.";

fn operation(route: &Route, generator: &mut SchemaGenerator, problem: &Value) -> Value {
    let mut operation = json!({
        "operationId": route.operation,
        "summary": route.summary,
        "description": format!("For {}.", route.who.label()),
        "x-callers": route.who.kinds(),
        "parameters": parameters(route, generator),
        "responses": responses(route, generator, problem),
    });
    if let Some(Body { media, shape }) = &route.body {
        let content: Map<String, Value> = media
            .iter()
            .map(|media| {
                let schema = shape(generator);
                ((*media).to_owned(), json!({ "schema": schema }))
            })
            .collect();
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}

fn parameters(route: &Route, generator: &mut SchemaGenerator) -> Vec<Value> {
    let mut parameters = Vec::new();
    if route.path.contains("{id}") {
        parameters.push(json!({
            "name": "id", "in": "path", "required": true,
            "description": "The job's identity.",
            "schema": { "type": "string", "format": "uuid" },
        }));
    }
    let query = route.query.map(|query| query(generator).to_value());
    let fields = query
        .as_ref()
        .and_then(|query| query["properties"].as_object());
    for (name, schema) in fields.into_iter().flatten() {
        let mut schema = present(schema.clone());
        let what = schema
            .as_object_mut()
            .and_then(|schema| schema.remove("description"));
        parameters.push(json!({
            "name": name, "in": "query", "required": false,
            "description": what.unwrap_or_default(), "schema": schema,
        }));
    }
    let own = route
        .headers
        .iter()
        .map(|header| (header.name, header.what));
    for (name, what) in own.chain([(request_id::HEADER, request_id::WHAT)]) {
        parameters.push(json!({
            "name": name, "in": "header", "required": false,
            "description": what, "schema": { "type": "string" },
        }));
    }
    parameters
}

fn responses(
    route: &Route,
    generator: &mut SchemaGenerator,
    problem: &Value,
) -> Map<String, Value> {
    let mut responses = Map::new();
    for answer in route.answers {
        let content = json!({ answer.media: content(answer, generator) });
        let response = json!({ "description": answer.what, "content": content });
        responses.insert(answer.status.to_string(), response);
    }
    let refusals: Vec<Kind> = route.refusals().collect();
    for kind in &refusals {
        let same = refusals
            .iter()
            .filter(|other| other.status() == kind.status());
        let same: Vec<&Kind> = same.collect();
        let titles: Vec<&str> = same.iter().map(|kind| kind.title()).collect();
        let types: Vec<&str> = same.iter().map(|kind| kind.urn()).collect();
        let schema = json!({ "allOf": [problem, { "properties": { "type": { "enum": types } } }] });
        let response = json!({
            "description": format!("{}.", titles.join(". ")),
            "content": { MEDIA_TYPE: { "schema": schema } },
        });
        responses.insert(kind.status().as_u16().to_string(), response);
    }
    responses
}

fn content(answer: &Answer, generator: &mut SchemaGenerator) -> Value {
    let shape = answer.shape.map(|shape| shape(generator));
    match (answer.media, shape) {
        ("application/json", Some(shape)) => json!({ "schema": shape }),
        (_, Some(shape)) => json!({ "schema": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": shape,
        } }),
        (_, None) => json!({ "schema": { "type": "string" } }),
    }
}
