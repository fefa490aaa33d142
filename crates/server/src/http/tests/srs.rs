use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::description::is_promised;
use super::world::{Answer, World, request};
use crate::http::tokens::Scope;
use crate::srs::sample::rewriter;

/// With a rewriter, and a token that may use it.
fn world() -> (World, String) {
    let world = World::set_up(|settings| settings.rewriter = Some(rewriter()), |_| {});
    let token = world.add_token("srs", &[Scope::Srs], None);
    (world, token)
}

async fn ask(world: &World, token: &str, verb: &str, body: &Value) -> Answer {
    let path = format!("/v1/srs/{verb}");
    let asked = request(Method::POST, &path, Some(token), body.to_string());
    let answer = world.send(asked).await;
    is_promised(&path, "post", &answer);
    answer
}

#[tokio::test]
async fn addresses_are_rewritten_and_found_again() {
    let (world, token) = world();
    let answer = ask(&world, &token, "forward", &json!({"address": "user@source.example"})).await;
    assert_eq!(answer.body["result"], "rewritten");
    let address = answer.body["address"].as_str().unwrap().to_owned();
    assert!(address.ends_with("=source.example=user@fwd.example"), "{address}");
    let answer = ask(&world, &token, "reverse", &json!({"address": address, "sender": ""})).await;
    assert_eq!(answer.body["result"], "pass");
    assert_eq!(answer.body["address"], "user@source.example");
    assert_eq!((&answer.body["form"], &answer.body["secret"]), (&json!("SRS0"), &json!(1)));
    for (verb, asked, result) in [
        ("forward", json!({"address": "a@here.example"}), "unchanged"),
        ("forward", json!({"address": ""}), "unchanged"),
        ("reverse", json!({"address": "a@here.example"}), "none"),
        ("reverse", json!({"address": address, "sender": "a@b.example"}), "fail"),
        ("reverse", json!({"address": address.replace("user@", "used@")}), "fail"),
    ] {
        assert_eq!(ask(&world, &token, verb, &asked).await.body["result"], result, "{asked}");
    }
}

#[tokio::test]
async fn nothing_without_the_scope_or_without_a_rewriter() {
    let (world, token) = world();
    let asked = json!({"address": "user@source.example"});
    let refused = ask(&world, &world.token, "forward", &asked).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    for wrong in [json!({}), json!({"address": 1}), json!({"address": "a", "more": 1})] {
        let answer = ask(&world, &token, "reverse", &wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let without = World::without_store();
    let token = without.add_token("srs", &[Scope::Srs], None);
    let answer = ask(&without, &token, "forward", &asked).await;
    assert_eq!((answer.status, answer.kind()), (StatusCode::NOT_FOUND, "srs"));
}
