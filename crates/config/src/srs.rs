use std::path::{Path, PathBuf};

use quivive_srs::{Alphabet, Dialect, HASH_LENGTH_MAX, Separator};

use crate::reading::Reading;
use crate::section::Section;
use crate::settings::settings;
use crate::value::{Word, choose};
use crate::{Domain, Doubt, Problem};

settings! {
    /// How addresses are rewritten when mail is forwarded (Sender Rewriting Scheme).
    pub struct Srs: Default {
        /// The domain of rewritten addresses. Its SPF record permits the hosts that forward, and
        /// its mail reaches us.
        domain: Option<Domain> = None, example "\"fwd.example\""; Live, Now;
        /// The file with the secrets, one a line; the first signs, all are believed. `quivive srs
        /// key new` makes it. Nobody but its owner and its group may read it.
        secret_file: Option<PathBuf> = None, example "\"srs.secret\""; Live, Now;
        /// Further domains at which rewritten addresses come back: those of former years.
        former_domains: Vec<Domain> = Vec::new(); Live, Now;
        /// Domains whose senders are never rewritten, beside those that our gateways take mail for.
        own_domains: Vec<Domain> = Vec::new(); Live, Now;
        /// Only senders in one of these domains or below are rewritten; none: all.
        only_domains: Vec<Domain> = Vec::new(); Live, Now;
        /// Senders in one of these domains or below are not rewritten.
        except_domains: Vec<Domain> = Vec::new(); Live, Now;
        /// Those of our domains at which addresses of the early form without a hash,
        /// `user=source.example@fwd.example`, still come back. While they do, anybody can have
        /// bounces sent anywhere.
        unsigned_domains: Vec<Domain> = Vec::new(); Live, Now;
        /// Whether nothing but bounces comes back to rewritten addresses.
        bounces_only: bool = true; Live, Now;
        /// For how many days a rewritten address is good.
        max_age_days: usize = 21, in 1..=1000; Live, Now;
        /// What follows SRS0 and SRS1: "=", "+" or "-".
        separator: Separator = Separator::Equals; Live, Now;
        /// How many characters of the hash are written.
        hash_length: usize = 4, in 4..=HASH_LENGTH_MAX as u64; Live, Now;
        /// How many characters of the hash an address must have to be believed.
        hash_length_min: usize = hash_length, in 4..=HASH_LENGTH_MAX as u64,
            shown "hash_length", example "4"; Live, Now;
        /// The last two characters of hashes: "classic" (`+` and `/`) or "url" (`-` and `_`, as
        /// PostSRSd since 2.2.6). Both are read.
        alphabet: Alphabet = Alphabet::Classic; Live, Now;
        /// In whose manner addresses are signed: "mail-srs" (also libsrs2 and PostSRSd), "exim" or
        /// "opensmtpd". Machines that share addresses must have the same.
        dialect: Dialect = Dialect::MailSrs; Live, Now;
        /// Whose signatures are believed besides, if they were made with our secrets.
        believed_dialects: Vec<Dialect> = Vec::new(), example "[\"exim\"]"; Live, Now;
        /// How many octets a rewritten local part may have. A sender that would become longer stays
        /// as it is. Not every server takes more than 64.
        local_part_max: usize = 64, in 64..=250; Live, Now;
    }
    check holds_together
}

impl Srs {
    /// Whether addresses are rewritten at all.
    pub fn is_set(&self) -> bool {
        self.domain.is_some()
    }
}

fn holds_together(srs: &Srs, section: &Section<'_>, reading: &mut Reading<'_>) {
    if srs.domain.is_some() != srs.secret_file.is_some() {
        let there = if srs.domain.is_some() { "domain" } else { "secret_file" };
        let problem = Problem::Conflict("`domain` and `secret_file` belong together; name both");
        reading.error(&section.key_span(&[there]), problem);
    }
    if srs.hash_length_min > srs.hash_length {
        let problem = Problem::Conflict(
            "no address that is written would be believed: `hash_length` is less than this",
        );
        reading.error(&section.key_span(&["hash_length_min"]), problem);
    }
    let ours = |domain: &Domain| {
        srs.domain.as_ref() == Some(domain) || srs.former_domains.contains(domain)
    };
    if !srs.unsigned_domains.iter().all(ours) {
        let problem = Problem::Conflict(
            "these must be among `domain` and `former_domains`: nothing comes back elsewhere",
        );
        reading.error(&section.key_span(&["unsigned_domains"]), problem);
    }
    if !srs.unsigned_domains.is_empty() {
        reading.warn(&section.key_span(&["unsigned_domains"]), Doubt::UnsignedAddresses);
    }
}

impl Word for Separator {
    const KIND: &'static str = "\"=\", \"+\" or \"-\"";
    const EXAMPLE: &'static str = "=";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        let words = Self::ALL.into_iter().zip(["=", "+", "-"]);
        choose("separator", text, words.map(|(separator, word)| (word, separator)))
    }

    fn text(&self) -> String {
        self.character().to_string()
    }
}

impl Word for Alphabet {
    const KIND: &'static str = "\"classic\" or \"url\"";
    const EXAMPLE: &'static str = "classic";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        let words = [("classic", Self::Classic), ("url", Self::Url)];
        choose("alphabet", text, words.into_iter())
    }

    fn text(&self) -> String {
        match self {
            Self::Classic => "classic".to_owned(),
            Self::Url => "url".to_owned(),
        }
    }
}

impl Word for Dialect {
    const KIND: &'static str = "\"mail-srs\", \"exim\" or \"opensmtpd\"";
    const EXAMPLE: &'static str = "mail-srs";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        choose("dialect", text, Self::ALL.iter().map(|dialect| (dialect.word(), *dialect)))
    }

    fn text(&self) -> String {
        self.word().to_owned()
    }
}
