//! Each error, with its exact place and words.

use super::{config, errors};

/// A listener that lacks nothing, for tests of what stands beside it.
const LISTEN: &str = "[[listen]]\ndoor = \"gateway\"\naddress = \"127.0.0.1:25\"\n\
                      next_hop = \"maildir:m\"\n";

#[track_caller]
fn only_error(text: &str, error: &str) {
    assert_eq!(errors(text), [error], "{text}");
}

/// The error of a line below [`LISTEN`], which is the fifth.
#[track_caller]
fn listen_error(line: &str, error: &str) {
    only_error(&format!("{LISTEN}{line}\n"), error);
}

#[test]
fn a_text_that_is_not_toml() {
    only_error(
        "hostname =\n",
        "1:11: this is not TOML: string values must be quoted, expected literal string",
    );
    only_error("[resolver\n", "1:10: this is not TOML: unclosed table, expected `]`");
}

#[test]
fn keys_that_stand_twice() {
    only_error(
        "[spf]\nvoid_lookups_max = 1\nvoid_lookups_max = 2\n",
        "3:1: duplicate key `void_lookups_max`; keep one of them",
    );
    only_error("[spf]\n[resolver]\n[spf]\n", "3:2: duplicate key `spf`; keep one of them");
}

#[test]
fn keys_that_are_unknown() {
    only_error("host_name = \"a\"\n", "1:1: unknown key `host_name`; did you mean `hostname`?");
    only_error("\n  [resolvr]\n", "2:4: unknown key `resolvr`; did you mean `resolver`?");
    only_error(
        "[resolver]\ncolour = 1\n",
        "2:1: unknown key `colour`; there are: servers, trust_ad, zone",
    );
    listen_error(
        "recipient_domain = []",
        "5:1: unknown key `recipient_domain`; did you mean `recipient_domains`?",
    );
    listen_error(
        "tls = { certificate = \"c\", key = \"k\", mod = \"x\" }",
        "5:39: unknown key `mod`; did you mean `mode`?",
    );
    let names: Vec<_> = crate::table().iter().map(|row| row.name).collect();
    let error = format!("1:1: unknown key `a\\nb`; there are: {}", names.join(", "));
    only_error("\"a\\nb\" = 1", &error);
}

#[test]
fn values_of_another_type() {
    only_error(
        "hostname = 1",
        "1:12: expected a domain such as \"example.test\", found an integer",
    );
    only_error("resolver = 1", "1:12: expected a table such as {}, found an integer");
    only_error(
        "[listen]\n",
        "1:1: expected a list, each a table such as [{ door = \"gateway\", address = \"127.0.0.1:2525\", next_hop = \"maildir:Maildir\" }], found a table",
    );
    only_error(
        "[resolver]\nservers = \"127.0.0.1\"\n",
        "2:11: expected a list, each an address such as [\"127.0.0.1:53\"], found a string",
    );
    only_error(
        "[resolver]\nservers = [\"127.0.0.1\", 1]\n",
        "2:25: expected an address such as \"127.0.0.1:53\", found an integer",
    );
    listen_error(
        "xclient_to_next_hop = \"yes\"",
        "5:23: expected true or false such as true, found a string",
    );
    listen_error("size_max = 1e6", "5:12: expected a number such as 10, found a float");
    only_error(
        "[actions]\nspf = \"reject\"\n",
        "2:7: expected a table METHOD.IDENTITY.RESULT = ACTION such as { spf = { mailfrom = { fail = \"reject\" } } }, found a string",
    );
    only_error(
        "methods = 2000-01-01",
        "1:11: expected a table METHOD = MODE such as { spf = \"enforce\" }, found a datetime",
    );
}

#[test]
fn numbers_out_of_range() {
    only_error("[spf]\nvoid_lookups_max = 11\n", "2:20: expected a number from 0 to 10, found 11");
    only_error("[spf]\nvoid_lookups_max = -1\n", "2:20: expected a number from 0 to 10, found -1");
    listen_error("size_max = 1023", "5:12: expected a number from 1024 to 2147483648, found 1023");
    listen_error(
        "connections_per_address = 0",
        "5:27: expected a number from 1 to 100000, found 0",
    );
    listen_error(
        "size_max = 99999999999999999999",
        "5:12: expected a number from 1024 to 2147483648, found 99999999999999999999",
    );
}

#[test]
fn texts_that_say_nothing() {
    only_error("hostname = \"a b\"", "1:12: `a b` is no domain, such as `example.test`");
    only_error(
        "authserv_id = \"a b\"",
        "1:15: `a b` cannot be an authserv-id; write a name such as `mx.example.test`",
    );
    only_error(
        "[resolver]\nservers = [\"dns.test\"]\n",
        "2:12: `dns.test` is no name server; write its address, such as `127.0.0.1:53` or `[::1]:53`",
    );
    only_error("[resolver]\nzone = \"\"\n", "2:8: `` is no path");
    listen_error(
        "recipient_domains = [\"*.a.test\"]",
        "5:22: `*.a.test` is no domain; write `a.test`",
    );
    listen_error(
        "proxy_from = [\"10.0.0.1/8\"]",
        "5:15: `10.0.0.1/8` has bits behind its prefix; write `10.0.0.0/8`",
    );
    listen_error("xclient_from = [\"all\"]", "5:17: `all` is no network, such as `192.0.2.0/24`");
    only_error(
        &LISTEN.replace("127.0.0.1:25", "localhost"),
        "3:11: `localhost` is no address to listen on; write `127.0.0.1:2525`, `[::1]:0` or `unix:/run/quivive/m.sock`",
    );
    only_error(
        &LISTEN.replace("maildir:m", "relay:25"),
        "4:12: `relay:25` is no next hop; write `smtp:HOST:PORT`, `lmtp:HOST:PORT`, `lmtp:unix:/PATH` or `maildir:PATH`",
    );
}

#[test]
fn words_that_are_unknown() {
    only_error(
        &LISTEN.replace("gateway", "gatway"),
        "2:8: unknown door `gatway`; did you mean `gateway`?",
    );
    only_error(
        "[methods]\nspf = \"on\"\n",
        "2:7: unknown mode `on`; there are: off, report, enforce",
    );
    only_error(
        "[methods]\nspf = \"enforce\"\nsenderid = \"off\"\n",
        "3:1: unknown method `senderid`; did you mean `sender-id`?",
    );
    only_error("[actions.sfp.mailfrom]\n", "1:10: unknown method `sfp`; did you mean `spf`?");
    only_error(
        "[actions.spf.pra]\nfail = \"reject\"\n",
        "1:14: unknown identity `pra`; there are: helo, mailfrom",
    );
    only_error(
        "[actions.spf.mailfrom]\nfailure = \"reject\"\n",
        "2:1: unknown result `failure`; there are: pass, fail, softfail, neutral, none, temperror, permerror, policy",
    );
    only_error(
        "[actions.spf.mailfrom]\nfail = \"rejct\"\n",
        "2:8: unknown action `rejct`; did you mean `reject`?",
    );
    listen_error(
        "tls = { certificate = \"c\", key = \"k\", mode = \"ssl\" }",
        "5:46: unknown TLS mode `ssl`; there are: starttls, implicit",
    );
}

#[test]
fn keys_that_are_missing() {
    listen_error(
        "tls = { certificate = \"c.pem\" }",
        "5:7: missing key `key`: The private key, as PEM. For example: key = \"file\"",
    );
    listen_error(
        "tls = { key = \"k.pem\" }",
        "5:7: missing key `certificate`: The certificate chain, as PEM. For example: certificate = \"file\"",
    );
    let keys = errors("\n[[listen]]\n");
    assert!(keys[0].starts_with("2:1: missing key `door`: What is spoken here."), "{keys:?}");
    assert!(keys[0].ends_with(" For example: door = \"gateway\""), "{keys:?}");
    assert_eq!(
        keys[1..],
        [
            "2:1: missing key `address`: ADDRESS:PORT or \"unix:/PATH\"; port 0 is a free one. For example: address = \"127.0.0.1:2525\""
        ]
    );
    only_error(
        "[[listen]]\ndoor = \"gateway\"\naddress = \"127.0.0.1:25\"\n",
        "1:1: missing key `next_hop`: Where a gateway's mail goes: \"smtp:HOST:PORT\", \"lmtp:HOST:PORT\", \"lmtp:unix:/PATH\", or \"maildir:PATH\", one Maildir for all. For example: next_hop = \"maildir:Maildir\"",
    );
    only_error(
        "[[listen]]\ndoor = \"public\"\naddress = \"127.0.0.1:80\"\n",
        "1:1: missing key `url`: Where strangers reach the public pages; refusals name it. For example: url = \"https://mx.example.test/\"",
    );
}

#[test]
fn an_http_interface_has_tokens() {
    only_error(
        "[[listen]]\ndoor = \"http\"\naddress = \"127.0.0.1:80\"\n",
        "1:1: missing key `token_file`: The tokens of the HTTP interface, as hashes: `quivive token new` makes them. Without a token nobody is answered, on loopback neither. For example: token_file = \"http.tokens\"",
    );
    let http = "[[listen]]\ndoor = \"http\"\naddress = \"unix:/q\"\ntoken_file = \"t\"\n";
    assert_eq!(errors(http), [""; 0]);
    for line in ["next_hop = \"maildir:m\"", "password_file = \"p\"", "url = \"http://q.test\""] {
        let error = "5:1: this door has no use for it; leave it out";
        only_error(&format!("{http}{line}\n"), error);
    }
    listen_error("token_file = \"t\"", "5:1: this door has no use for it; leave it out");
}

#[test]
fn a_console_that_others_reach_has_a_password() {
    let console = |address: &str, more: &str| {
        errors(&format!("[[listen]]\ndoor = \"console\"\naddress = \"{address}\"\n{more}"))
    };
    let open = "3:1: everybody could look at the mail's cases; name a `password_file`, or a \
                loopback address";
    assert_eq!(console("127.0.0.1:0", ""), [""; 0]);
    assert_eq!(console("unix:/run/q", ""), [""; 0]);
    assert_eq!(console("0.0.0.0:80", ""), [open]);
    assert_eq!(console("192.0.2.1:80", "hosts = [\"q.test\"]"), [open]);
    assert_eq!(console("[::]:80", "password_file = \"p\"\nhosts = [\"q.test\"]"), [""; 0]);
}

#[test]
fn each_door_has_keys_of_its_own() {
    let no_use = |line: &str| vec![format!("{line}: this door has no use for it; leave it out")];
    listen_error("hosts = [\"q.test\"]", &no_use("5:1")[0]);
    listen_error("url = \"https://q.test/\"", &no_use("5:1")[0]);
    let public =
        "[[listen]]\ndoor = \"public\"\naddress = \"0.0.0.0:80\"\nurl = \"http://q.test\"\n";
    assert_eq!(errors(public), [""; 0]);
    for line in
        ["next_hop = \"maildir:m\"", "recipient_domains = [\"a.test\"]", "hosts = [\"a.test\"]"]
    {
        assert_eq!(errors(&format!("{public}{line}\n")), no_use("5:1"), "{line}");
    }
    let store = "[store]\npath = \"q.db\"\n";
    let kept = config(&format!("{LISTEN}{public}{store}"));
    assert_eq!(kept.policy().public_url.as_deref(), Some("http://q.test/why/"));
    let unkept = config(&format!("{LISTEN}{public}"));
    assert_eq!(unkept.policy().public_url, None, "there is nothing to show");
}

#[test]
fn settings_that_cannot_hold_together() {
    only_error(
        "[resolver]\nservers = [\"127.0.0.1\"]\nzone = \"z\"\n",
        "3:1: `zone` answers instead of `servers`; leave out one of them",
    );
    only_error(&format!("{LISTEN}{LISTEN}"), "5:1: a listener above has this address already");
    only_error(
        "[[exception]]\nskip = true\n",
        "1:1: this exception would hold for everybody; name its `networks` or `domains`",
    );
    only_error(
        "[[exception]]\ndomains = [\"a.test\"]\nskip = true\nactions.spf.helo.fail = \"mark\"\n",
        "3:1: `skip = true` checks nothing, so that `actions` have no effect; leave out one of them",
    );
}

#[test]
fn forwarding_needs_a_domain_with_secrets_and_addresses_that_can_come_back() {
    let both = "`domain` and `secret_file` belong together; name both";
    only_error("[srs]\ndomain = \"fwd.example\"\n", &format!("2:1: {both}"));
    only_error("[srs]\nsecret_file = \"srs.secret\"\n", &format!("2:1: {both}"));
    let srs = "[srs]\ndomain = \"fwd.example\"\nsecret_file = \"srs.secret\"\n";
    only_error(
        &format!("{srs}hash_length_min = 5\n"),
        "4:1: no address that is written would be believed: `hash_length` is less than this",
    );
    assert_eq!(errors(&format!("{srs}hash_length = 8\nhash_length_min = 5\n")), [""; 0]);
    only_error(
        &format!("{srs}unsigned_domains = [\"other.example\"]\n"),
        "4:1: these must be among `domain` and `former_domains`: nothing comes back elsewhere",
    );
    only_error(
        &format!("{srs}separator = \"*\"\n"),
        "4:13: unknown separator `*`; did you mean `=`?",
    );
}

#[test]
fn a_relay_is_smtp_and_hears_no_password_in_the_clear() {
    only_error(
        "[outgoing]\nrelay = \"maildir:m\"\n",
        "2:1: a relay takes mail for others by SMTP; write `smtp:HOST:PORT`",
    );
    let both = "`user` and `password_file` belong together; name both";
    only_error("[outgoing]\nuser = \"u\"\n", &format!("2:1: {both}"));
    let login = "user = \"u\"\npassword_file = \"p\"\n";
    let clear = format!("[outgoing]\nrelay = \"smtp:mx.test:587\"\ntls = \"off\"\n{login}");
    only_error(&clear, "3:1: the password would cross the network in the clear; leave this out");
    for good in [clear.replace("tls = \"off\"\n", ""), clear.replace("mx.test", "127.0.0.1")] {
        assert_eq!(errors(&good), [""; 0]);
    }
    only_error(
        "[outgoing]\ntls = \"on\"\n",
        "2:7: unknown manner `on`; there are: off, starttls, implicit",
    );
}

#[test]
fn a_maildir_hears_no_xclient() {
    listen_error("xclient_to_next_hop = true", "5:1: a Maildir hears no XCLIENT; leave it out");
    let smtp = LISTEN.replace("maildir:m", "smtp:127.0.0.1:26");
    let text = format!("{smtp}recipient_domains = [\"a.test\"]\nxclient_to_next_hop = true\n");
    assert_eq!(errors(&text), [""; 0]);
}

#[test]
fn a_gateway_is_never_an_open_relay() {
    let relay = "this gateway would relay for everybody; name its `recipient_domains`, or let it \
                 deliver to a Maildir on a loopback address";
    only_error(&LISTEN.replace("127.0.0.1", "0.0.0.0"), &format!("1:1: {relay}"));
    only_error(&LISTEN.replace("maildir:m", "smtp:127.0.0.1:26"), &format!("1:1: {relay}"));
    let named = LISTEN.replace("maildir:m", "smtp:127.0.0.1:26");
    only_error(&format!("{named}recipient_domains = []"), &format!("5:1: {relay}"));
    assert_eq!(errors(&format!("{named}recipient_domains = [\"a.test\"]")), [""; 0]);
    assert_eq!(errors(LISTEN), [""; 0]);
}

#[test]
fn keys_that_are_not_in_this_version() {
    for (section, line) in [
        ("outgoing", "allow_private = [\"10.0.0.0/8\"]"),
        ("service", "domain = \"q.example.test\""),
    ] {
        let (key, _) = line.split_once(' ').unwrap();
        let error = format!("2:1: key `{key}` is not in this version; leave it out");
        only_error(&format!("[{section}]\n{line}\n"), &error);
    }
    only_error(
        "[store]\npath = \"postgres://localhost/q\"\n",
        "2:8: database `postgres:` is not in this version; name the file of a SQLite database",
    );
}

/// With its default a key asks for nothing.
#[test]
fn what_is_not_built_may_be_written_with_its_default() {
    let text = "[store]\npath = \"\"\nretain_days = 30\nretain_mib = 1024\n[outgoing]\n\
                allow_private = []\n[service]\n[srs]\n[methods]\nspf = \"report\"\n\
                rmx = \"off\"\nlegacy_headers = false\n";
    assert_eq!(errors(text), [""; 0]);
}

/// The rest of such a listener is not asked for, but what is there is still checked.
#[test]
fn doors_that_are_not_in_this_version() {
    let error = "2:8: door `authority` is not in this version; there are: gateway, submission, \
                 milter, policy, socketmap, tcp-table, opensmtpd, http, console, public";
    only_error("[[listen]]\ndoor = \"authority\"\naddress = \"unix:/run/q\"\n", error);
    assert_eq!(
        errors("[[listen]]\ndoor = \"authority\"\naddress = \"x:\"\n").len(),
        2,
        "the address is checked too"
    );
}

#[test]
fn lists_that_are_none() {
    only_error(
        "[dnsbl]\nlists = [\"bl.test\", \"local\"]\n",
        "2:21: `local` is no zone of a list, such as `bl.example.test`",
    );
    only_error(
        "[dnswl]\nlists = [\"wl.test=127.0.0.[4..2]\"]\n",
        "2:10: `127.0.0.[4..2]` are no answers of a list, such as `127.0.0.2` or `127.0.0.[2..11]`",
    );
    let many = vec!["\"bl.test\""; crate::LISTS_MAX + 1].join(", ");
    let found = crate::LISTS_MAX + 1;
    let error = format!("2:1: too many lists: {found}, at most {} are taken", crate::LISTS_MAX);
    only_error(&format!("[dnsbl]\nlists = [{many}]\n"), &error);
}

#[test]
fn methods_that_are_not_in_this_version() {
    let built: Vec<_> = quivive_verdict::methods().collect();
    for method in quivive_evidence::Method::ALL.iter().filter(|method| !built.contains(method)) {
        let cure = "is not in this version; write \"off\" in [methods], or leave it out";
        for mode in ["report", "enforce"] {
            let text = format!("[methods]\nspf = \"report\"\n{method} = \"{mode}\"\n");
            only_error(&text, &format!("3:1: method `{method}` {cure}"));
        }
        only_error(&format!("[actions.{method}]\n"), &format!("1:10: method `{method}` {cure}"));
        let off = format!("methods = {{ spf = \"report\", {method} = \"off\" }}\n");
        assert_eq!(errors(&off), [""; 0]);
        assert_eq!(errors(&format!("{off}[actions.{method}]\n")), [""; 0]);
    }
}

#[test]
fn every_action_parses() {
    for action in ["accept", "mark", "defer", "hold", "reject", "discard"] {
        assert_eq!(errors(&format!("[actions.spf.helo]\nfail = \"{action}\"\n")), [""; 0]);
    }
}

#[test]
fn a_milter_holds_and_a_gateway_does_not() {
    let holds = "actions.spf.helo.fail = \"hold\"\n";
    let gateway = "address = \"127.0.0.1:0\", next_hop = \"maildir:box\"";
    let text = format!("{holds}listen = [{{ door = \"gateway\", {gateway} }}]");
    let error = "2:20: a gateway cannot hold mail in this version, as the actions say; behind a \
                 milter the mail server can";
    only_error(&text, error);
    let milter = format!("{holds}listen = [{{ door = \"milter\", address = \"unix:q\" }}]");
    assert_eq!(errors(&milter), [""; 0]);
}

#[test]
fn only_unix_sockets_have_an_owner_and_a_mode() {
    let listen = |address: &str, line: &str| {
        format!("[[listen]]\ndoor = \"milter\"\naddress = \"{address}\"\n{line}\n")
    };
    for line in ["socket_mode = \"0660\"", "socket_owner = \"postfix\"", "socket_group = \"61000\""]
    {
        assert_eq!(errors(&listen("unix:/run/q", line)), [""; 0]);
        only_error(
            &listen("127.0.0.1:0", line),
            "4:1: only a UNIX socket has an owner and a mode; leave it out, or write an address \
             such as `unix:/run/quivive/milter.sock`",
        );
    }
    for mode in ["0888", "660 ", "rw", "", "01777", "66", "+660"] {
        only_error(
            &listen("unix:/run/q", &format!("socket_mode = \"{mode}\"")),
            &format!("4:15: `{mode}` is no mode of a socket; write one such as `0660`"),
        );
    }
}

#[test]
fn doors_without_a_message_cannot_hold_or_discard() {
    let discards = "actions.spf.helo.fail = \"discard\"\n";
    for door in ["policy", "socketmap", "tcp-table", "http"] {
        let text = format!("{discards}listen = [{{ door = \"{door}\", address = \"unix:q\" }}]");
        let refusal = "2:20: this door answers before there is a message, and cannot hold or discard \
                       as the actions say";
        assert!(errors(&text).iter().any(|error| error == refusal), "{:?}", errors(&text));
        let exception = text
            .replace("actions", "exception = [{ skip = false, actions")
            .replace("\"discard\"", "\"discard\" }]");
        assert!(errors(&exception).iter().any(|error| error == refusal), "{exception}");
    }
    let opensmtpd =
        format!("{discards}listen = [{{ door = \"opensmtpd\", address = \"unix:q\" }}]");
    assert_eq!(
        errors(&opensmtpd),
        [
            "2:20: OpenSMTPD takes mail or refuses it, and cannot hold or discard it as the actions say"
        ]
    );
    let milter = format!("{discards}listen = [{{ door = \"milter\", address = \"unix:q\" }}]");
    assert!(!errors(&milter).iter().any(|error| error.contains("before there is a message")));
    assert_eq!(errors("listen = [{ door = \"policy\", address = \"unix:q\" }]"), [""; 0]);
}

#[test]
fn look_ups_need_maps() {
    let no_map = "there is no map to look in; [srs] with `domain` and `secret_file` makes `forward` \
                  and `reverse`";
    let listen = |door: &str| format!("[[listen]]\ndoor = \"{door}\"\naddress = \"unix:q\"\n");
    assert_eq!(errors(&listen("socketmap")), [format!("2:8: {no_map}")]);
    let tcp_table = errors(&listen("tcp-table"));
    assert!(tcp_table[0].starts_with("1:1: missing key `map`: What a tcp-table"), "{tcp_table:?}");
    assert_eq!(tcp_table[1..], [format!("2:8: {no_map}")]);
    let unknown = format!("{}map = \"sideways\"\n", listen("tcp-table"));
    let error = "4:7: unknown map `sideways`; there are: forward, reverse";
    assert!(errors(&unknown).iter().any(|one| one == error), "{:?}", errors(&unknown));
}

#[test]
fn what_a_policy_listener_writes() {
    let listen = |prepend: &str| {
        format!("[[listen]]\ndoor = \"policy\"\naddress = \"unix:q\"\nprepend = {prepend}\n")
    };
    for prepend in ["[]", "[\"received-spf\"]", "[\"received-spf\", \"authentication-results\"]"] {
        assert_eq!(errors(&listen(prepend)), [""; 0]);
    }
    only_error(
        &listen("[\"received\"]"),
        "4:12: unknown field `received`; did you mean `received-spf`?",
    );
    let prefix = |prefix: &str| listen("[]") + &format!("prepend_prefix = \"{prefix}\"\n");
    assert_eq!(errors(&prefix("X-1-")), [""; 0]);
    assert_eq!(errors(&prefix(&"x".repeat(crate::FIELD_PREFIX_OCTETS_MAX))), [""; 0]);
    for bad in ["", "-X", "X:", "X Y", "X_", "é", &"x".repeat(crate::FIELD_PREFIX_OCTETS_MAX + 1)]
    {
        let [error] = &errors(&prefix(bad))[..] else { panic!("one error: {bad}") };
        assert!(error.contains("cannot begin the name of a field; write up to 64"), "{error}");
    }
}

#[test]
fn all_errors_come_in_the_order_of_the_text() {
    let text = format!("[spf]\nvoid = 1\n{LISTEN}size = 1\n[methods]\nspf = 1\n[spf]\n");
    let places: Vec<_> =
        errors(&text).iter().map(|error| error.split_once(": ").unwrap().0.to_owned()).collect();
    assert_eq!(places, ["2:1", "7:1", "9:7", "10:2"]);
}
