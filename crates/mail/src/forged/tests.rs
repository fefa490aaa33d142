use proptest::prelude::*;

use super::*;

const OWN: [&str; 2] = ["mx.example.test", "b\u{fc}cher.example"];

fn check(field: &str) -> bool {
    forged(field.as_bytes(), &OWN)
}

#[test]
fn results_in_our_name_go() {
    for field in [
        "Authentication-Results: mx.example.test; spf=pass smtp.mailfrom=a.test\r\n",
        "authentication-RESULTS:MX.Example.TEST;none\r\n",
        "Authentication-Results : mx.example.test; none\r\n",
        "Authentication-Results\t \t: mx.example.test; none\r\n",
        "Authentication-Results:\r\n (c (d\r\n \\)) )\r\n\tmx.example.test(x) 1 ; none\r\n",
        "Authentication-Results: \"mx.\\example.test\"; none\r\n",
        "Authentication-Results: mx.example.test.; none\r\n",
        "Authentication-Results: mx.example.test\r\n",
        "Authentication-Results: xn--bcher-kva.example; none\r\n",
        "Authentication-Results: b\u{fc}cher.example; none\r\n",
        "Authentication-Results: B\u{dc}CHER.example; none\r\n",
        "Authentication-Results: \u{ff4d}x.example.test; none\r\n",
        "Authentication-Results: mx\u{3002}example.test; none\r\n",
        "Authentication-Results: mx.example.test; none\n",
        "Authentication-Results: mx.example.test; none",
    ] {
        assert!(check(field), "{field:?}");
    }
}

#[test]
fn what_cannot_be_read_goes() {
    for field in [
        "Authentication-Results:\r\n",
        "Authentication-Results: ;\r\n",
        "Authentication-Results: mx.(c)example.test; none\r\n",
        "Authentication-Results: mx. example.test; none\r\n",
        "Authentication-Results: =?utf-8?q?mx.example.test?=; none\r\n",
        "Authentication-Results: spf=pass smtp.mailfrom=a.test\r\n",
        "Authentication-Results: (mx.example.test; none\r\n",
        "Authentication-Results: \"mx.example.test; none\r\n",
        "Authentication-Results: mx.example.test/1; none\r\n",
        "Authentication-Results: \0mx.example.test; none\r\n",
        "Authentication-Results: a.\u{fffd}.test; none\r\n",
        "Authentication-Results: \u{a0}mx.example.test; none\r\n",
        "Authentication-Results: other.example 2; none\r\n",
        "Authentication-Results: other.example 99999999999; none\r\n",
        "Authentication-Results\0: other.example; none\r\n",
        "Authentication\x07-Results: other.example; none\r\n",
        " Authentication-Results: other.example; none\r\n",
        "Authentication-Results\r\n : other.example; none\r\n",
        "Received-SPF: pass (other.example: x\r\n",
        "Received-SPF: pass \"x\r\n",
        "Received-SPF: pass \0\r\n",
        "Received\u{ad}-SPF: pass\r\n",
    ] {
        assert!(check(field), "{field:?}");
    }
    assert!(forged(b"Authentication-Results: \xe9.test; none\r\n", &OWN));
}

#[test]
fn what_others_say_stays() {
    for field in [
        "Authentication-Results: other.example; spf=pass (mx.example.test) smtp.mailfrom=a\r\n",
        "Authentication-Results: other.example 1; none\r\n",
        "Authentication-Results: mx.example.test.other.example; none\r\n",
        "Authentication-Results: mx.google.com;\r\n dkim=pass header.b=ab/cd=;\r\n \0broken\r\n",
        "Authentication-Results: other.example",
        "ARC-Authentication-Results: i=1; mx.example.test; none\r\n",
        "X-Authentication-Results: mx.example.test; none\r\n",
        "Authentication-Results-Original: mx.example.test; none\r\n",
        "Subject: Authentication-Results: mx.example.test; none\r\n",
        "Authentication-Results mx.example.test; none\r\n",
        "Received: from mx.example.test\r\n",
        "",
    ] {
        assert!(!check(field), "{field:?}");
    }
}

#[test]
fn received_spf_in_our_name_goes() {
    for field in [
        "Received-SPF: pass (mx.example.test: domain of a@b.test) client-ip=192.0.2.1;\r\n",
        "Received-SPF: pass (\r\n MX.example.TEST : fine)\r\n",
        "Received-SPF: pass (mx.ex\\ample.test: fine)\r\n",
        "Received-SPF: pass (other) receiver=mx.example.test; client-ip=192.0.2.1\r\n",
        "received-spf : pass client-ip=192.0.2.1 Receiver = (x)\r\n \"mx.example.test\"\r\n",
        "Received-SPF: pass receiver=\u{a0}mx.example.test;\r\n",
        "Received-SPF: pass receiver=xn--bcher-kva.example;\r\n",
        "Received-SPF: pass (mx.example.test: x) receiver=other.example\r\n",
        // Nobody else is named, or not so that every reader sees the same.
        "Received-SPF: pass\r\n",
        "Received-SPF: pass (x)\r\n",
        "Received-SPF: pass ((mx.example.test: x))\r\n",
        "Received-SPF: pass (other.example: x) receiver=other\r\n",
        "Received-SPF: pass receiver=mx(c).example.test\r\n",
        "Received-SPF: pass receiver:mx.example.test\r\n",
        "Received-SPF: pass (a) x-receiver=mx.example.test\r\n",
        "Received-SPF: =?utf-8?q?pass_=28mx.example.test=3A_x=29?=\r\n",
        "Received-SPF: pass (=?utf-8?q?mx.example.test?=: x) receiver=other.example\r\n",
        "Received-SPF: pass receiver==?utf-8?q?mx.example.test?=\r\n",
    ] {
        assert!(check(field), "{field:?}");
    }
    for field in [
        "Received-SPF: pass (other.example: domain of mx.example.test) client-ip=::1\r\n",
        "Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip=::1; helo=mx.example.test; \
         envelope-from=a@b.test; receiver=other.example\r\n",
        "X-Received-SPF: pass (mx.example.test: x)\r\n",
    ] {
        assert!(!check(field), "{field:?}");
    }
}

#[test]
fn a_huge_field_is_judged_by_its_beginning() {
    let padding = "x".repeat(READ_MAX);
    assert!(!check(&format!("Authentication-Results: other.example; {padding}\r\n")));
    assert!(check(&format!("Authentication-Results: mx.example.test; {padding}\r\n")));
    // The authserv-id is cut: what it would have been is not known.
    assert!(check(&format!("Authentication-Results: {padding}\r\n")));
    assert!(check(&format!("Authentication-Results: ({padding}) other.example; none\r\n")));
    assert!(check(&format!("Received-SPF: pass {padding}\r\n")));
    assert!(!check(&format!("Subject: {padding}\r\n")));
    assert!(!check(&format!("{padding}Authentication-Results: mx.example.test; none\r\n")));
}

proptest! {
    #[test]
    fn no_octets_make_it_panic(
        name in "(Authentication-Results|Received-SPF)?",
        value in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        forged(&[name.as_bytes(), b":", &value].concat(), &OWN);
        forged(&value, &OWN);
    }

    #[test]
    fn a_longer_field_is_as_its_beginning(
        head in "(Authentication-Results|Received-SPF|X): ?(mx.example.test|other|\\(|\"|é)? ?;?",
        filler in "[a ;\\)é]",
        length in READ_MAX - 60..READ_MAX + 60,
        tail in "[a;\\)] mx.example.test;\r\n",
    ) {
        let whole = head + &filler.repeat(length) + &tail;
        let whole = whole.as_bytes();
        let beginning = &whole[..whole.len().min(READ_MAX + 1)];
        prop_assert_eq!(forged(whole, &OWN), forged(beginning, &OWN));
    }

    #[test]
    fn our_name_is_never_let_through(
        before in "[ \t]{0,3}",
        comment in "(\\([a-z ]{0,9}\\))?",
        upper in any::<u32>(),
        quoted in any::<bool>(),
    ) {
        let id: String = "mx.example.test".chars().enumerate()
            .map(|(at, c)| if upper >> at & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        let id = if quoted { format!("\"{id}\"") } else { id };
        let value = format!("{before}{comment}{id}{comment}; spf=pass\r\n");
        let field = format!("Authentication-Results{before}:{value}");
        prop_assert!(check(&field), "{}", field);
    }
}

#[test]
fn results_of_rmx() {
    let forged = |value: &str| forged(format!("X-RMX: {value}\r\n").as_bytes(), &["mx.example"]);
    for own in [
        "Granted addr 192.0.2.1 by mx.example on Thu, 1 Jan 1970 00:00:00 +0000 mechanism ipv4",
        "Granted addr 192.0.2.1 by\r\n MX.example. on x",
        "Granted addr 192.0.2.1 by \"mx.example\" on x",
        "Granted",
        "Granted by other.example",
        "Granted addr 192.0.2.1 by (other.example) mx.example",
        "",
    ] {
        assert!(forged(own), "{own}");
    }
    assert!(!forged("Granted addr 192.0.2.1 by other.example on Thu, 1 Jan 1970 00:00:00 +0000"));
    assert!(super::forged(
        b"X-R\0MX: Granted addr 192.0.2.1 by other.example on x\r\n",
        &["mx.example"]
    ));
}
