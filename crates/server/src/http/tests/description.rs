//! The description is true: of the paths, of what they are asked, of what they answer.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use quivive_contract::Request;
use quivive_evidence::{FindingResult, Identity};
use quivive_verdict::{Action, Mode};
use serde_json::{Map, Value, json};

use super::world::{Answer, World, about, request};
use crate::http::DESCRIPTION;
use crate::http::router::{open_routes, routes_with_token};

fn description() -> Value {
    serde_json::from_str(DESCRIPTION).unwrap()
}

/// What stands at `#/components/schemas/Name`.
fn at<'d>(description: &'d Value, reference: &str) -> &'d Value {
    let found = description.pointer(reference.strip_prefix('#').unwrap());
    found.unwrap_or_else(|| panic!("{reference} is nowhere"))
}

/// What of a value is not as its schema says, or is not in it at all.
fn differences(description: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let schema = schema.as_object().unwrap();
    let mut found = Vec::new();
    for (key, rule) in schema {
        match key.as_str() {
            "$ref" => {
                let schema = at(description, rule.as_str().unwrap());
                found.extend(differences(description, schema, value, place));
            }
            "type" if !is_of_type(rule, value) => found.push(format!("{place}: no {rule}")),
            "enum" if !rule.as_array().unwrap().contains(value) => {
                found.push(format!("{place}: {value} is not in the list"));
            }
            "maxItems"
                if value
                    .as_array()
                    .is_some_and(|all| all.len() as u64 > rule.as_u64().unwrap()) =>
            {
                found.push(format!("{place}: too many"));
            }
            "required" => {
                let names = rule.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                let missing = names.filter(|name| value.get(name).is_none());
                found.extend(missing.map(|name| format!("{place}: {name} is missing")));
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    let place = format!("{place}[{index}]");
                    found.extend(differences(description, rule, item, &place));
                }
            }
            "properties" | "additionalProperties" => {}
            "type" | "enum" | "maxItems" | "maxLength" | "description" => {}
            unknown => panic!("{place}: this test knows no {unknown}"),
        }
    }
    found.extend(properties(description, schema, value, place));
    found
}

/// Every key is described.
fn properties(
    description: &Value,
    schema: &Map<String, Value>,
    value: &Value,
    place: &str,
) -> Vec<String> {
    let Some(object) = value.as_object() else { return Vec::new() };
    let known = schema.get("properties").and_then(Value::as_object);
    let others = schema.get("additionalProperties").filter(|others| others.is_object());
    if known.is_none() && others.is_none() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (name, value) in object {
        let place = format!("{place}.{name}");
        match known.and_then(|known| known.get(name)).or(others) {
            Some(schema) => found.extend(differences(description, schema, value, &place)),
            None => found.push(format!("{place} is not described")),
        }
    }
    found
}

fn is_of_type(rule: &Value, value: &Value) -> bool {
    let is = |word: &Value| match word.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("no type: {other}"),
    };
    match rule.as_array() {
        Some(words) => words.iter().any(is),
        None => is(rule),
    }
}

/// An answer is one that the description promises for its path.
#[track_caller]
pub(super) fn is_promised(path: &str, method: &str, answer: &Answer) {
    let description = description();
    let responses = &description["paths"][path][method]["responses"];
    let mut response = &responses[answer.status.as_str()];
    if let Some(reference) = response.get("$ref") {
        response = at(&description, reference.as_str().unwrap());
    }
    let schema = response.pointer("/content/application~1json/schema");
    let schema = schema.unwrap_or_else(|| panic!("{path}: {} is not promised", answer.status));
    let found = differences(&description, schema, &answer.body, "");
    assert!(found.is_empty(), "{found:#?}\n{:#}", answer.body);
    for (name, _) in response.get("headers").and_then(Value::as_object).into_iter().flatten() {
        assert!(answer.headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn the_paths_are_the_routers() {
    let world = World::without_store();
    let description = description();
    let described = description["paths"].as_object().unwrap();
    let routed = routes_with_token().into_iter().map(|(path, _)| path);
    let routed: BTreeSet<&str> = routed.chain(open_routes().into_iter().map(|it| it.0)).collect();
    assert_eq!(described.keys().map(String::as_str).collect::<BTreeSet<_>>(), routed);
    for (path, methods) in described {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let is_described = methods.get(method.as_str().to_lowercase()).is_some();
            let asked = world.request(method.clone(), &path.replace("{id}", "0"), "");
            let is_there = world.send(asked).await.status != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(is_there, is_described, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn it_is_served_to_everybody_as_it_is() {
    let world = World::without_store();
    let answer = world.send(request(Method::GET, "/v1/openapi.json", None, "")).await;
    assert_eq!((answer.status, &answer.body), (StatusCode::OK, &description()));
    is_promised("/v1/openapi.json", "get", &answer);
    let elsewhere = world.send(request(Method::GET, "/v2/check", None, "")).await;
    assert_eq!((elsewhere.status, elsewhere.kind()), (StatusCode::NOT_FOUND, "path"));
}

#[tokio::test]
async fn answers_are_as_described() {
    // Every method that this version has may say something.
    let world = World::ruled_by(|policy| {
        policy.methods.extend(quivive_verdict::methods().map(|method| (method, Mode::Report)));
        policy.legacy_headers = true;
    })
    .await;
    for sender in ["a@pass.example", "a@fail.example", "a@broken.example", "a@slow.example", ""] {
        let mut asked = about(sender);
        asked["id"] = json!(1);
        asked["rcpt"] = json!(["b@here.example"]);
        asked["message"] = json!("From: a@pass.example\n\n");
        let checked = world.check(&asked).await;
        is_promised("/v1/check", "post", &checked);
        let path = format!("/v1/cases/{}", checked.body["case"].as_str().unwrap());
        is_promised("/v1/cases/{id}", "get", &world.get(&path).await);
    }
}

#[tokio::test]
async fn refusals_are_as_described() {
    let world = World::set_up(|settings| settings.requests_per_minute = 5, |_| {});
    let none = request(Method::POST, "/v1/check", None, "");
    is_promised("/v1/check", "post", &world.send(none).await);
    is_promised("/v1/check", "post", &world.check_text("{").await);
    is_promised("/v1/cases/{id}", "get", &world.get("/v1/cases/0").await);
    let none = request(Method::GET, "/v1/cases/0", None, "");
    is_promised("/v1/cases/{id}", "get", &world.send(none).await);
    let mut probing = about("");
    probing["methods"] = json!(["callback"]);
    is_promised("/v1/check", "post", &world.check(&probing).await);
    let too_many = world.check(&about("")).await;
    assert_eq!(too_many.status, StatusCode::TOO_MANY_REQUESTS);
    is_promised("/v1/check", "post", &too_many);
}

#[test]
fn the_keys_of_a_request_are_those_that_are_taken() {
    let description = description();
    let described = description["components"]["schemas"]["Request"]["properties"].as_object();
    let described: BTreeSet<&str> = described.unwrap().keys().map(String::as_str).collect();
    let error = Request::parse("{\"no such key\":1}").unwrap_err().text;
    let (_, listed) = error.split_once("expected one of ").unwrap();
    let taken: BTreeSet<&str> = listed.split('`').skip(1).step_by(2).collect();
    let from_elsewhere = taken.into_iter().filter(|key| *key != "message_file").collect();
    assert_eq!(described, from_elsewhere);
}

#[test]
fn words_are_those_of_the_program() {
    let description = description();
    let listed = |name: &str| {
        let words = description["components"]["schemas"][name]["enum"].as_array().unwrap();
        words.iter().map(|word| word.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let of = |words: &mut dyn Iterator<Item = &'static str>| {
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let methods = quivive_evidence::Method::ALL;
    assert_eq!(listed("Method"), of(&mut methods.iter().map(|method| method.word())));
    assert_eq!(listed("Identity"), of(&mut Identity::ALL.iter().map(|identity| identity.word())));
    assert_eq!(listed("Result"), of(&mut FindingResult::ALL.iter().map(|result| result.word())));
    assert_eq!(listed("Action"), of(&mut Action::ALL.iter().map(|action| action.word())));
}

#[test]
fn what_is_not_as_described_is_found() {
    let description = description();
    let schema = json!({"$ref": "#/components/schemas/Error"});
    let of = |value: Value| differences(&description, &schema, &value, "").len();
    assert_eq!(of(json!({"error": {"kind": "a", "text": "b"}})), 0);
    assert_eq!(of(json!({"error": {"kind": "a", "text": "b", "more": 1}})), 1);
    assert_eq!(of(json!({"error": {"kind": 1}})), 2);
    assert_eq!(of(json!([])), 2);
}
