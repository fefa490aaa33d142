//! The senders: domains with records as providers have them, all of which the client passes, and
//! one that nobody passes.

/// How many domains send.
const DOMAINS: usize = 200;

/// How many providers they share.
const PROVIDERS: usize = 20;

/// A sender that every filter has to refuse.
pub(super) const STRICT: &str = "a@strict.bench-mail.net";

/// The records, in master form.
pub(super) fn records() -> String {
    let mut records = "strict.bench-mail.net. TXT \"v=spf1 -all\"\n".to_owned();
    records += "client.bench-mail.net. A 192.0.2.25\n";
    for provider in 0..PROVIDERS {
        let networks: String =
            (0..8).map(|network| format!(" ip4:198.51.{provider}.{}/28", network * 16)).collect();
        records += &format!(
            "_spf{provider}.bench-mail.net. TXT \"v=spf1{networks} ip4:192.0.2.0/24 ~all\"\n"
        );
    }
    for domain in 0..DOMAINS {
        let provider = domain % PROVIDERS;
        records += &format!(
            "d{domain}.bench-mail.net. TXT \"v=spf1 ip4:203.0.113.{domain} \
             include:_spf{provider}.bench-mail.net -all\"\n\
             d{domain}.bench-mail.net. MX 10 client.bench-mail.net.\n"
        );
    }
    records
}

/// The reverse-paths that pass.
pub(super) fn senders() -> Vec<String> {
    (0..DOMAINS).map(|domain| format!("user@d{domain}.bench-mail.net")).collect()
}
