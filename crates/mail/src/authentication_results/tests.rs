use proptest::prelude::*;

use super::*;
use crate::field_body::{clean, keyword};

fn property(ptype: &str, property: &str, value: &str) -> Property {
    Property { ptype: ptype.into(), property: property.into(), value: value.into() }
}

fn spf(result: &str, mailfrom: &str) -> MethodResult {
    MethodResult {
        method: "spf".into(),
        result: result.into(),
        properties: vec![property("smtp", "mailfrom", mailfrom)],
        ..MethodResult::default()
    }
}

fn field(results: Vec<MethodResult>) -> AuthenticationResults {
    AuthenticationResults { authserv_id: "mx.example.test".into(), version: None, results }
}

#[test]
fn nothing_evaluated_is_none() {
    assert_eq!(field(vec![]).value(Charset::Ascii), "mx.example.test; none");
}

#[test]
fn results_stand_on_lines_of_their_own() {
    let mut fail = spf("fail", "user@example.com");
    fail.comment = Some("not (yet) listed".into());
    fail.reason = Some("because \"x\"".into());
    assert_eq!(
        field(vec![spf("pass", "example.com"), fail]).value(Charset::Ascii),
        "mx.example.test;\r\n spf=pass smtp.mailfrom=example.com;\r\n \
         spf=fail (not [yet] listed) reason=\"because \\\"x\\\"\"\r\n \
         smtp.mailfrom=user@example.com"
    );
}

#[test]
fn an_authserv_id_is_an_a_label_and_quoted_where_needed() {
    let mut field = field(vec![]);
    field.authserv_id = "b\u{fc}cher.example".into();
    field.version = Some(1);
    assert_eq!(field.value(Charset::Utf8), "xn--bcher-kva.example 1; none");
    field.authserv_id = "mail host; x".into();
    assert_eq!(field.value(Charset::Ascii), "\"mail host; x\" 1; none");
}

#[test]
fn nothing_breaks_out() {
    let attack = "a.test\r\nAuthentication-Results: mx.example.test; spf=pass\0\"; dkim=pass (";
    let mut result = spf("pass\r\nX: y", attack);
    result.comment = Some(attack.into());
    result.reason = Some(attack.into());
    let value = field(vec![result]).value(Charset::Ascii);
    let read = AuthenticationResults::parse(value.as_bytes()).unwrap();
    assert_eq!(read.results.len(), 1);
    assert_eq!(read.results[0].result, "passXy");
    assert_eq!(read.results[0].properties[0].value, clean(attack, Charset::Ascii));
}

#[test]
fn quoted_local_parts_keep_their_quotes() {
    let value = b"mx; spf=pass smtp.mailfrom=\"a b\"@example.com smtp.helo=\"x y\"";
    let read = AuthenticationResults::parse(value).unwrap();
    assert_eq!(read.results[0].properties[0].value, "\"a b\"@example.com");
    assert_eq!(read.results[0].properties[1].value, "x y");
}

#[test]
fn what_real_software_writes_is_read() {
    let value =
        b" mx.google.com;\r\n       dkim=pass header.i=@x.test header.s=s1 header.b=ab/c+d==;\
        \r\n       arc=pass (i=1 spf=pass);\r\n  x-tls_v.1=x";
    assert!(matches!(AuthenticationResults::parse(value), Err(Unreadable::Results(_))));
    let value = &value[..value.len() - "\r\n  x-tls_v.1=x".len() - 1];
    let read = AuthenticationResults::parse(value).unwrap();
    assert_eq!(read.results[0].properties[2].value, "ab/c+d==");
    assert_eq!((read.results.len(), read.authserv_id.as_str()), (2, "mx.google.com"));
}

#[test]
fn the_grammar_refuses() {
    for (value, error) in [
        ("", Unreadable::AuthservId),
        ("; none", Unreadable::AuthservId),
        ("(x", Unreadable::AuthservId),
        ("a 1 2; none", Unreadable::Results(4)),
        ("a none", Unreadable::Results(2)),
        ("a; none; spf=pass", Unreadable::Results(7)),
        ("a; spf=pass; none", Unreadable::Results(17)),
        ("a; spf=pass;", Unreadable::Results(12)),
        ("a; spf=pass smtp.mailfrom=", Unreadable::Results(26)),
        ("a; spf=pass smtp.mailfrom=b reason=c", Unreadable::Results(35)),
        ("a; spf=pass reason=b reason=c", Unreadable::Results(28)),
        ("a; spf=pass cause=b", Unreadable::Results(18)),
        ("a; spf/x=pass", Unreadable::Results(7)),
        ("a; spf=pass smtp.helo=\"\0\"", Unreadable::Results(23)),
    ] {
        assert_eq!(AuthenticationResults::parse(value.as_bytes()), Err(error), "{value:?}");
    }
    let long = format!("a; spf=pass ({})", "x".repeat(READ_MAX));
    assert_eq!(AuthenticationResults::parse(long.as_bytes()), Err(Unreadable::TooLong));
}

fn any_field() -> impl Strategy<Value = AuthenticationResults> {
    let property = (any::<String>(), any::<String>(), any::<String>())
        .prop_map(|(ptype, property, value)| Property { ptype, property, value });
    let result = (
        (any::<String>(), any::<Option<u32>>(), any::<String>()),
        any::<Option<String>>(),
        any::<Option<String>>(),
        proptest::collection::vec(property, 0..4),
    )
        .prop_map(|((method, method_version, result), comment, reason, properties)| {
            MethodResult { method, method_version, result, comment, reason, properties }
        });
    (any::<String>(), any::<Option<u32>>(), proptest::collection::vec(result, 0..4)).prop_map(
        |(authserv_id, version, results)| AuthenticationResults { authserv_id, version, results },
    )
}

/// What a reader has to find: each text as far as it may be written.
fn written(field: &AuthenticationResults, charset: Charset) -> AuthenticationResults {
    let id = &field.authserv_id;
    let id = if id.is_ascii() { id.clone() } else { domain::to_ascii(id) };
    let result = |result: &MethodResult| MethodResult {
        method: keyword(&result.method),
        method_version: result.method_version,
        result: keyword(&result.result),
        comment: None,
        reason: result.reason.as_deref().map(|reason| clean(reason, charset)),
        properties: result
            .properties
            .iter()
            .map(|property| Property {
                ptype: keyword(&property.ptype),
                property: keyword(&property.property),
                value: clean(&property.value, charset),
            })
            .collect(),
    };
    AuthenticationResults {
        authserv_id: clean(&id, charset),
        version: field.version,
        results: field.results.iter().map(result).collect(),
    }
}

proptest! {
    #[test]
    fn whatever_goes_in_reads_back(field in any_field(), utf8 in any::<bool>()) {
        let charset = if utf8 { Charset::Utf8 } else { Charset::Ascii };
        let value = field.value(charset);
        prop_assert!(!value.replace("\r\n ", " ").contains(char::is_control), "{:?}", value);
        prop_assert!(utf8 || value.is_ascii());
        prop_assert!(value.split("\r\n").all(|line| line.len() <= 998 && !line.trim().is_empty()));
        let read = AuthenticationResults::parse(value.as_bytes());
        prop_assert_eq!(read, Ok(written(&field, charset)), "{}", value);
    }

    #[test]
    fn no_octets_make_it_panic(value in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = AuthenticationResults::parse(&value);
    }

    #[test]
    fn near_misses_do_not_panic(
        value in "mx ?1?;( ?(spf|[a-z]{1,3})[/=.; ]{1,2}|\"|\\(|\\)|\\\\|\r\n |reason=|é){0,9}",
    ) {
        let _ = AuthenticationResults::parse(value.as_bytes());
    }
}
