use std::path::{Path, PathBuf};

use ipnet::IpNet;
use quivive_binding::{Excuse, Mode, Rate, Rules};
use quivive_verdict::Repair;

use crate::reading::Reading;
use crate::section::Section;
use crate::settings::settings;
use crate::value::{Word, choose};
use crate::{Domain, Problem, ServiceUrl};

settings! {
    /// Which addresses a client may use as its own (submission binding).
    pub struct Binding: Default {
        /// The file with the grants: an address, who may use it, for what; it reads as Postfix's
        /// smtpd_sender_login_maps.
        grants: Option<PathBuf> = None, example "\"grants\""; Live, Now;
        /// An SQLite database with the grants.
        sqlite: Option<PathBuf> = None, example "\"accounts.db\""; Live, Now;
        /// What the database is asked for each pattern ?1 (user@domain, @domain, ...), the most
        /// exact first: who may use it, and the options in a second column if there is one.
        query: String = "SELECT holder FROM grants WHERE pattern = ?1".to_owned(); Live, Now;
        /// A service that knows the grants: it is asked by GET with ?address=...&identity=... and
        /// answers with JSON.
        url: Option<ServiceUrl> = None; Live, Now;
        /// The file with the token that the service wants to see (Authorization: Bearer).
        token_file: Option<PathBuf> = None, example "\"grants.token\""; Live, Now;
        /// The authorities that the service's certificate may come from, as PEM.
        ca_file: Option<PathBuf> = None, shown "those of the system",
            example "\"ca.pem\""; Live, Now;
        /// How many seconds an answer of the service is kept.
        cache_seconds: usize = 60, in 0..=3600; Live, Now;
        /// "strict": a client may use what it was granted. "protect-known": also what nobody was.
        mode: Mode = Mode::Strict; Live, Now;
        /// Our own domains: an address in them that nobody was granted is for nobody in either
        /// mode, and a grant may leave the domain out.
        domains: Vec<Domain> = Vec::new(); Live, Now;
        /// Networks whose clients are held to grants although they do not log in.
        networks: Vec<IpNet> = Vec::new(); Live, Now;
        /// Whether mail from outside may not have a reverse-path that somebody was granted.
        bind_outsiders: bool = true; Live, Now;
        /// Whether a login that is an address may use that address, with any detail.
        own_address: bool = true; Live, Now;
        /// What stands behind the @ of a login that is no address.
        login_domain: Option<Domain> = None; Live, Now;
        /// What parts a user's name from a detail, as in user+box@example.test.
        detail_separators: String = "+".to_owned(); Live, Now;
        /// Whether logins and what stands before the @ compare without case.
        fold_case: bool = true; Live, Now;
        /// Which fields excuse a From that was not granted, if they were: "sender", "resent".
        excused_by: Vec<Excuse> = Vec::new(); Live, Now;
        /// Whether Reply-To, too, must be granted.
        bind_reply_to: bool = false; Live, Now;
        /// Whether a name or a comment in From may not be the address of somebody else.
        bind_names: bool = true; Live, Now;
        /// What is done about a From that was not granted, before it is refused: "nothing",
        /// "rewrite-from" (the reverse-path takes its place) or "add-sender" (the reverse-path is
        /// named as the sender).
        repair: Repair = Repair::Nothing; Live, Now;
        /// How many messages an identity may send, unless its grant says it: 100/h, 1000/d.
        rate: Option<Rate> = None; Live, Now;
        /// How many domains that are new for an identity its From fields may name in an hour; more
        /// look like a stolen account, and are deferred. 0: any number.
        new_from_domains: usize = 10, in 0..=100_000; Live, Now;
    }
    check one_source
}

impl Binding {
    /// Whether there is anywhere to look for grants.
    pub fn has_source(&self) -> bool {
        self.grants.is_some() || self.sqlite.is_some() || self.url.is_some()
    }

    /// What the method goes by.
    pub fn rules(&self) -> Rules {
        let names = |domains: &[Domain]| domains.iter().map(Domain::to_string).collect();
        Rules {
            mode: self.mode,
            domains: names(&self.domains),
            networks: self.networks.clone(),
            bind_outsiders: self.bind_outsiders,
            own_address: self.own_address,
            login_domain: self.login_domain.as_ref().map(Domain::to_string),
            detail_separators: self.detail_separators.clone(),
            fold_case: self.fold_case,
            excused_by: self.excused_by.clone(),
            bind_reply_to: self.bind_reply_to,
            bind_names: self.bind_names,
            rate: self.rate,
            new_domains_max: u32::try_from(self.new_from_domains).ok().filter(|most| *most > 0),
        }
    }
}

fn one_source(binding: &Binding, section: &Section<'_>, reading: &mut Reading<'_>) {
    let sources = [
        ("grants", binding.grants.is_some()),
        ("sqlite", binding.sqlite.is_some()),
        ("url", binding.url.is_some()),
    ];
    let mut named = sources.iter().filter(|(_, is_named)| *is_named);
    if let (Some(_), Some((second, _))) = (named.next(), named.next()) {
        let problem = Problem::Conflict("grants come from one source; keep one of them");
        reading.error(&section.key_span(&[second]), problem);
    }
    let of_service =
        [("token_file", binding.token_file.is_some()), ("ca_file", binding.ca_file.is_some())];
    for (key, _) in of_service.iter().filter(|(_, is_named)| *is_named && binding.url.is_none()) {
        let problem = Problem::Conflict("it is for a service, and there is no `url` of one");
        reading.error(&section.key_span(&[key]), problem);
    }
    let bad = |c: char| c.is_whitespace() || c.is_alphanumeric() || "@.\"\\".contains(c);
    if binding.detail_separators.contains(bad) {
        let problem = Problem::Conflict("letters, digits, dots and quotes part nothing");
        reading.error(&section.key_span(&["detail_separators"]), problem);
    }
    if !binding.query.contains("?1") {
        let problem = Problem::Conflict("the pattern that is looked up has no place; write ?1");
        reading.error(&section.key_span(&["query"]), problem);
    }
}

impl Word for Mode {
    const KIND: &'static str = "\"strict\" or \"protect-known\"";
    const EXAMPLE: &'static str = "strict";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        let words = [("strict", Self::Strict), ("protect-known", Self::ProtectKnown)];
        choose("mode", text, words.into_iter())
    }

    fn text(&self) -> String {
        match self {
            Self::Strict => "strict".to_owned(),
            Self::ProtectKnown => "protect-known".to_owned(),
        }
    }
}

impl Word for Excuse {
    const KIND: &'static str = "\"sender\" or \"resent\"";
    const EXAMPLE: &'static str = "sender";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        choose("field", text, [("sender", Self::Sender), ("resent", Self::Resent)].into_iter())
    }

    fn text(&self) -> String {
        match self {
            Self::Sender => "sender".to_owned(),
            Self::Resent => "resent".to_owned(),
        }
    }
}

impl Word for Repair {
    const KIND: &'static str = "\"nothing\", \"rewrite-from\" or \"add-sender\"";
    const EXAMPLE: &'static str = "rewrite-from";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        let words = [
            ("nothing", Self::Nothing),
            ("rewrite-from", Self::RewriteFrom),
            ("add-sender", Self::AddSender),
        ];
        choose("repair", text, words.into_iter())
    }

    fn text(&self) -> String {
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::RewriteFrom => "rewrite-from".to_owned(),
            Self::AddSender => "add-sender".to_owned(),
        }
    }
}

impl Word for Rate {
    const KIND: &'static str = "a rate";
    const EXAMPLE: &'static str = "100/h";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        text.parse().map_err(Problem::Invalid)
    }

    fn text(&self) -> String {
        self.to_string()
    }
}
