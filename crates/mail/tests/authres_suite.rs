//! The cases of the shared Authentication-Results suite, where it is at hand.

use std::path::Path;

use quivive_mail::AuthenticationResults;
use quivive_mail::authentication_results::{MethodResult, Property};
use serde_json::Value;

#[test]
#[allow(clippy::print_stderr)]
fn shared_cases() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/suites/authres/authres.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("skipped: {} is not there", file.display());
        return;
    };
    let suite: Value = serde_json::from_str(&text).unwrap();
    let cases = suite["cases"].as_array().unwrap();
    assert!(cases.len() >= 13);
    for case in cases {
        let read = AuthenticationResults::parse(case["value"].as_str().unwrap().as_bytes()).ok();
        let expected = case["expect"].as_object().map(|_| expected(&case["expect"]));
        assert_eq!(read, expected, "{}", case["id"]);
    }
}

fn expected(case: &Value) -> AuthenticationResults {
    AuthenticationResults {
        authserv_id: text(&case["authserv_id"]),
        version: number(&case["version"]),
        results: array(&case["results"]).map(result).collect(),
    }
}

fn result(case: &Value) -> MethodResult {
    MethodResult {
        method: text(&case["method"]),
        method_version: number(&case["method_version"]),
        result: text(&case["result"]),
        comment: None,
        reason: case["reason"].as_str().map(str::to_owned),
        properties: array(&case["props"]).map(property).collect(),
    }
}

fn property(case: &Value) -> Property {
    Property {
        ptype: text(&case["ptype"]),
        property: text(&case["property"]),
        value: text(&case["value"]),
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().map(|number| number.try_into().unwrap())
}
