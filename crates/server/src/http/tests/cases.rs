use axum::http::StatusCode;
use serde_json::json;

use super::world::{World, about};

#[tokio::test]
async fn a_check_is_a_case_at_once() {
    let world = World::new().await;
    let mut asked = about("a@fail.example");
    asked["rcpt"] = json!(["b@here.example"]);
    asked["auth_user"] = json!("u");
    // What is asked for by name is judged, whoever logged in.
    asked["methods"] = json!(["spf"]);
    let checked = world.check(&asked).await.body;
    let id = checked["case"].as_str().unwrap();
    let case = world.get(&format!("/v1/cases/{id}")).await;
    assert_eq!(case.status, StatusCode::OK, "{}", case.body);
    let case = case.body;
    assert_eq!((&case["id"], &case["door"]), (&json!(id), &json!("http")));
    assert!(case["outcome"].as_str().unwrap().starts_with("550 5.7.23 SPF: "), "{case}");
    assert_eq!(case["facts"]["recipients"], json!(["b@here.example"]));
    assert_eq!(case["facts"]["auth_user"], "u");
    for same in ["findings", "verdict", "headers", "questions"] {
        assert_eq!(case[same], checked[same], "{same}");
    }
    let text = checked["verdict"]["text"].as_str().unwrap();
    assert!(text.contains(&format!("(case {id})")), "{text}");
}

#[tokio::test]
async fn no_such_case() {
    let world = World::new().await;
    let long = format!("/v1/cases/{}", "a".repeat(10_000));
    for path in ["/v1/cases/0123456789abcdef", "/v1/cases/%00", "/v1/cases/%ff", &long] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, answer.kind()), (StatusCode::NOT_FOUND, "no-case"), "{path}");
    }
    assert_eq!(World::without_store().get("/v1/cases/0").await.kind(), "no-store");
}

#[tokio::test]
async fn a_store_in_trouble_is_said() {
    let world = World::new().await;
    world.ledger.store.clone().unwrap().close().await;
    let answer = world.get("/v1/cases/0123456789abcdef").await;
    assert_eq!((answer.status, answer.kind()), (StatusCode::SERVICE_UNAVAILABLE, "store"));
    let checked = world.check(&about("a@pass.example")).await;
    assert_eq!(checked.status, StatusCode::OK, "checks go on");
}
