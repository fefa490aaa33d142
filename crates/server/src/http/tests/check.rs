use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::world::{World, about};
use crate::http::{ENVELOPE_OCTETS_MAX, ID_OCTETS_MAX, RECIPIENTS_MAX};

#[tokio::test]
async fn a_message_is_judged_as_check_does() {
    let world = World::new().await;
    let mut asked = about("a@fail.example");
    asked["id"] = json!([1, {"a": null}]);
    asked["rcpt"] = json!(["<b@here.example>", "c@here.example"]);
    let answer = world.check(&asked).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let body = answer.body;
    assert_eq!(body["id"], json!([1, {"a": null}]));
    let verdict = &body["verdict"];
    assert_eq!((&verdict["action"], &verdict["code"]), (&json!("reject"), &json!(550)));
    assert_eq!(verdict["recipients"][0]["rcpt"], "b@here.example");
    assert_eq!(verdict["recipients"][1]["code"], 550);
    let of = |identity: &str| {
        let all = body["findings"].as_array().unwrap();
        all.iter().find(|finding| finding["identity"] == identity).unwrap()
    };
    assert_eq!(of("mailfrom")["result"], "fail");
    assert_eq!(of("mailfrom")["explanation"], "192.0.2.1 does not send for fail.example");
    assert_eq!(of("helo")["result"], "none");
    let results = body["headers"]["authentication_results"].as_str().unwrap();
    assert!(results.starts_with("mx.example;") && results.contains("spf=fail"), "{results}");
}

#[tokio::test]
async fn keys_stand_in_their_order_and_what_is_not_there_is_not_said() {
    let world = World::without_store();
    let answer = world.check(&about("a@pass.example")).await;
    assert!(answer.body.get("id").is_none() && answer.body.get("case").is_none());
    assert_eq!(answer.body["verdict"]["action"], "accept");
}

#[tokio::test]
async fn what_is_selected_is_judged() {
    let world = World::without_store();
    let mut asked = about("a@pass.example");
    asked["methods"] = json!(["spf"]);
    asked["identities"] = json!(["mailfrom"]);
    let findings = world.check(&asked).await.body["findings"].take();
    assert_eq!(findings.as_array().unwrap().len(), 1);
    assert_eq!(findings[0]["result"], "pass");
}

#[tokio::test]
async fn the_header_of_the_message_is_a_fact() {
    let world = World::new().await;
    for (key, message) in [
        ("message", "From: a@pass.example\nSubject: secret\n\nbody"),
        ("message_base64", "RnJvbTogYUBwYXNzLmV4YW1wbGUNCg0K"),
    ] {
        let mut asked = about("a@pass.example");
        asked[key] = json!(message);
        let answer = world.check(&asked).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let case = world.get(&format!("/v1/cases/{}", answer.body["case"].as_str().unwrap())).await;
        let header = &case.body["facts"]["header"]["fields"];
        assert_eq!(header, &json!([{"name": "From", "value": " a@pass.example"}]));
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_with_the_reason() {
    let world = World::without_store();
    let with = |key: &str, value: Value| {
        let mut object = about("a@pass.example");
        object[key] = value;
        object.to_string()
    };
    for (text, kind) in [
        (String::new(), "syntax"),
        ("[]".to_owned(), "syntax"),
        ("{\"ip\":".to_owned(), "syntax"),
        (format!("{} x", about("")), "syntax"),
        ("{}".to_owned(), "field"),
        (with("mailfrom", json!("a")), "field"),
        (with("ip", json!(1)), "field"),
        (with("ip", json!("1.2.3")), "ip"),
        (with("methods", json!(["nose"])), "method"),
        (with("methods", json!([])), "field"),
        (with("methods", json!(["dkim"])), "not-in-this-version"),
        (with("identities", json!(["nose"])), "identity"),
        (with("message_base64", json!("?")), "message"),
        (with("message_file", json!("/etc/hostname")), "message-file"),
        // Nothing here is for whoever asks from elsewhere to choose.
        (with("resolver", json!("192.0.2.1")), "field"),
        (with("zone", json!("/etc/hostname")), "field"),
        (with("config", json!("/etc/hostname")), "field"),
        (with("now", json!(1)), "field"),
    ] {
        let answer = world.check_text(&text).await;
        assert_eq!((answer.status, answer.kind()), (StatusCode::BAD_REQUEST, kind), "{text}");
    }
    let not_text = world.request(Method::POST, "/v1/check", b"{\"ip\":\"\xff\"}".to_vec());
    assert_eq!(world.send(not_text).await.kind(), "encoding");
}

#[tokio::test]
async fn what_is_told_of_a_message_is_bounded() {
    let world = World::without_store();
    let with = |key: &str, value: Value| {
        let mut object = about("");
        object["helo"] = json!("");
        object[key] = value;
        object
    };
    for (longest, longer) in [
        (
            with("id", json!("x".repeat(ID_OCTETS_MAX - 2))),
            with("id", json!("x".repeat(ID_OCTETS_MAX - 1))),
        ),
        (
            with("rcpt", json!(vec!["b@here.example"; RECIPIENTS_MAX])),
            with("rcpt", json!(vec!["b@here.example"; RECIPIENTS_MAX + 1])),
        ),
        (
            with("helo", json!("h".repeat(ENVELOPE_OCTETS_MAX))),
            with("helo", json!("h".repeat(ENVELOPE_OCTETS_MAX + 1))),
        ),
        (
            with("auth_user", json!("u".repeat(ENVELOPE_OCTETS_MAX))),
            with("auth_user", json!("u".repeat(ENVELOPE_OCTETS_MAX + 1))),
        ),
    ] {
        assert_eq!(world.check(&longest).await.status, StatusCode::OK);
        assert_eq!(world.check(&longer).await.kind(), "too-long");
    }
}

#[tokio::test]
async fn nesting_is_bounded() {
    let world = World::without_store();
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    for text in [
        deep("[", "]"),
        deep("{\"id\":", "}"),
        deep("{\"ip\":", "}"),
        format!("{{\"rcpt\":{},\"ip\":\"192.0.2.1\"}}", deep("[", "]")),
        format!("{{\"id\":{},\"ip\":\"192.0.2.1\"}}", deep("[", "]")),
        "[".repeat(1_000_000),
    ] {
        let answer = world.check_text(&text).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    }
    // What nests deep in an id that is short enough is only a text for us.
    let id = deep("[", "]");
    let text = about("").to_string().replacen('{', &format!("{{\"id\":{id},"), 1);
    assert_eq!(world.check_text(&text).await.kind(), "too-long");
}

#[tokio::test]
async fn a_restless_domain_is_a_finding_and_no_error() {
    let world = World::without_store();
    let answer = world.check(&about("a@slow.example")).await;
    assert_eq!(answer.body["verdict"]["action"], "defer");
    assert_eq!(answer.body["verdict"]["code"], 451);
}
