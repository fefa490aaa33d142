use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use quivive_evidence::Method;
use quivive_verdict::{Action, Actions, MethodSettings, Mode, Policy, Repair};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::actions;
use crate::methods::MethodRow;
use crate::milter_srs;
use crate::practice;
use crate::problem::quoted;
use crate::reading::Reading;
use crate::section::Section;
use crate::settings::{Settings, settings};
use crate::value::Word;
use crate::{
    AuthservId, Binding, Dmp, Dnsbl, Dnswl, Domain, Door, Doubt, Drip, Error, Exception,
    Forwarding, GuessedRecord, LISTENERS_MAX, Listen, Local, MailFromMx, Methods, Outgoing, Place,
    Problem, Refusal, Resolver, Rmx, SenderId, Service, Spf, Srs, Store, Warning,
};

/// How long a configuration may be.
pub const FILE_OCTETS_MAX: usize = 1 << 20;

/// What holds without a configuration.
const WITHOUT_FILE: &str = r#"
[[listen]]
door = "gateway"
address = "127.0.0.1:2525"
next_hop = "maildir:Maildir"
[[listen]]
door = "console"
address = "127.0.0.1:2580"
[store]
path = "quivive.db"
"#;

settings! {
    /// The whole configuration.
    pub struct Config: Default {
        /// Our name in the greeting, in Received and in EHLO.
        hostname: Domain = Domain::of_this_host(),
            shown "the name of this host", example "\"mx.example.test\""; Live, Now;
        /// The name under which results are written (RFC 8601 section 2.5).
        authserv_id: AuthservId = AuthservId::from(&hostname), shown "hostname"; Live, Now;
        /// Where DNS answers come from.
        resolver: Resolver = Resolver::default(); Live, Now;
        /// Where cases and held messages are kept.
        store: Store = Store::default(); Live, Now;
        /// How probes, fetches and mail of our own go out.
        outgoing: Outgoing = Outgoing::default(); Live, Now;
        /// Addresses of the service's own.
        service: Service = Service::default(); Live, Now;
        /// A listener; there may be several.
        listen: Vec<Listen> = Vec::new(); Live, Now;
        /// Limits of SPF, and what is guessed.
        spf: Spf = Spf::default(); Live, Now;
        /// What Sender ID leaves to the receiver. Its limits are those of `[spf]`.
        sender_id: SenderId = SenderId::default(); Live, Now;
        /// What MAIL-FROM MX leaves to the receiver.
        mail_from_mx: MailFromMx = MailFromMx::default(); Live, Now;
        /// What the RMX drafts leave to the receiver.
        rmx: Rmx = Rmx::default(); Live, Now;
        /// What the DMP drafts leave to the receiver.
        dmp: Dmp = Dmp::default(); Live, Now;
        /// What the DRIP drafts leave to the receiver.
        drip: Drip = Drip::default(); Live, Now;
        /// Which DNS block lists are asked (RFC 5782).
        dnsbl: Dnsbl = Dnsbl::default(); Live, Now;
        /// Which DNS white lists are asked (RFC 8904).
        dnswl: Dnswl = Dnswl::default(); Live, Now;
        /// Which addresses a client may use as its own (submission binding).
        binding: Binding = Binding::default(); Live, Now;
        /// How each method runs: "off", "report" (its findings are written down) or "enforce" (they
        /// decide). Without this table SPF is enforced; with it, what it does not name is off.
        methods: Methods = Methods::default(); Live, Now;
        /// What follows from a finding: `[actions.METHOD.IDENTITY] RESULT = ACTION`; the identities
        /// of SPF are helo and mailfrom. "accept" is firm and stops later findings; otherwise the
        /// strictest wins: "reject", "defer", "hold" (taken and kept back by the mail server that asks
        /// our milter), "discard" (taken and thrown away) and "mark" (the result travels with the
        /// message). What is not named marks; of binding, where it is enforced, fail and permerror
        /// are refused, temperror and policy deferred.
        actions: Actions = Actions::default(); Live, Now;
        /// An exception from the actions; there may be several, and the first that matches holds.
        exception: Vec<Exception> = Vec::new(); Live, Now;
        /// Local practice: what you know that no record says.
        local: Local = Local::default(); Live, Now;
        /// What a refused client hears.
        refusal: Refusal = Refusal::default(); Live, Now;
        /// How addresses are rewritten when mail is forwarded (Sender Rewriting Scheme).
        srs: Srs = Srs::default(); Live, Now;
        /// How mail is forwarded by gateways and filters of ours.
        forwarding: Forwarding = Forwarding::default(); Live, Now;
    }
    check together
}

impl Config {
    /// The configuration that a text describes. Relative paths start at the folder, which should be
    /// absolute.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Vec<Error>> {
        parse(text, folder, None).map(|(config, _)| config)
    }

    /// As [`Self::parse`], with the warnings in the order of the text.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_with_warnings(
        text: &str,
        folder: &Path,
    ) -> Result<(Self, Vec<Warning>), Vec<Error>> {
        parse(text, folder, None)
    }

    /// The configuration in a file. Relative paths start at the file's folder.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text; or that it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Vec<Error>> {
        Self::read_with_warnings(path).map(|(config, _)| config)
    }

    /// As [`Self::read`], with the warnings in the order of the text.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_with_warnings(path: &Path) -> Result<(Self, Vec<Warning>), Vec<Error>> {
        let octets = read(path).map_err(|problem| whole(Some(path), problem))?;
        let text = str::from_utf8(&octets).map_err(|error| {
            let valid = String::from_utf8_lossy(&octets[..error.valid_up_to()]);
            let place = Place::of(&valid, valid.len(), Some(path.to_owned()));
            vec![Error { place, problem: Problem::NotUtf8 }]
        })?;
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        parse(text, absolute.parent().unwrap_or(Path::new("/")), Some(path))
    }

    /// What holds without a configuration: a gateway on loopback that checks, marks, and delivers
    /// into a Maildir below the data folder.
    pub fn default_for(data_folder: &Path) -> Self {
        Self::parse(WITHOUT_FILE, data_folder).expect("this text is a configuration")
    }

    /// What the verdict goes by.
    pub fn policy(&self) -> Policy {
        Policy {
            methods: self.methods.iter().collect(),
            actions: self.actions.clone(),
            exceptions: self.exception.iter().map(Exception::rule).collect(),
            spf_void_lookups_max: self.spf.void_lookups_max,
            spf_terms_max: self.spf.terms_max,
            spf_best_guess: self.spf.best_guess.as_ref().and_then(GuessedRecord::rule),
            practice: self.local.rule(),
            refusal: self.refusal.text.clone(),
            settings: self.method_settings(),
            legacy_headers: self.methods.legacy_headers(),
            binding: Arc::new(self.binding.rules()),
            repair: self.binding.repair,
            public_url: self.public_url(),
            ..Policy::new(self.authserv_id.as_str())
        }
    }

    /// What the documents of methods leave to us.
    fn method_settings(&self) -> MethodSettings {
        MethodSettings {
            mail_from_mx: self.mail_from_mx.rule(),
            rmx: self.rmx.rule(),
            rmx_not_listed_acts: self.rmx.not_listed_acts,
            dmp: self.dmp.rule(),
            drip: self.drip.rule(),
            sender_id_submitter: self.sender_id.submitter,
            dnsbl: self.dnsbl.lists.clone(),
            dnswl: self.dnswl.lists.clone(),
        }
    }

    /// Where the explanations of refusals are published: what the first public listener says. They
    /// are those of cases: where none is kept, nothing leads anywhere.
    fn public_url(&self) -> Option<String> {
        self.store.path.0.as_ref()?;
        let mut public = self.listen.iter().filter(|listen| listen.door == Door::Public);
        public.find_map(|listen| listen.url.as_ref()).map(|url| format!("{url}why/"))
    }
}

/// An error of the file as a whole.
fn whole(file: Option<&Path>, problem: Problem) -> Vec<Error> {
    vec![Error { place: Place { file: file.map(Path::to_owned), position: None }, problem }]
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let unreadable = |error: std::io::Error| Problem::Unreadable(error.kind());
    let mut octets = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_OCTETS_MAX as u64 + 1).read_to_end(&mut octets).map_err(unreadable)?;
    if octets.len() > FILE_OCTETS_MAX {
        return Err(Problem::TooLong(FILE_OCTETS_MAX));
    }
    Ok(octets)
}

fn parse(
    text: &str,
    folder: &Path,
    file: Option<&Path>,
) -> Result<(Config, Vec<Warning>), Vec<Error>> {
    let mut reading = Reading::new(text, folder, file);
    if text.len() > FILE_OCTETS_MAX {
        return Err(whole(file, Problem::TooLong(FILE_OCTETS_MAX)));
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        let problem = match error.message() {
            "duplicate key" => {
                Problem::DuplicateKey(quoted(text.get(span.clone()).unwrap_or_default()))
            }
            message => Problem::Syntax(message.to_owned()),
        };
        reading.error(&span, problem);
    }
    // What stands in a text that is not TOML is guesswork; a key too many leaves the rest clear.
    let clear = errors.iter().all(|error| error.message() == "duplicate key");
    let section = Section::new(table.get_ref(), 0..0, &reading);
    let config = if clear { Config::read_table(&section, &mut reading) } else { None };
    let warnings = reading.finish()?;
    let mut config = config.expect("without errors there is a configuration");
    actions::complete(&mut config.actions, &config.methods);
    Ok((config, warnings))
}

/// What several sections must agree on.
fn together(config: &Config, section: &Section<'_>, reading: &mut Reading<'_>) {
    listeners_differ(config, section, reading);
    doors_can_act(config, section, reading);
    look_ups_have_maps(config, section, reading);
    methods_and_actions_agree(config, section, reading);
    header_is_seen(config, section, reading);
    refusals_lead_somewhere(config, section, reading);
    practice::something_passes(config, section, reading);
    logins_are_held_to_grants(config, section, reading);
    milter_srs::milters_can_rewrite(config, section, reading);
}

fn listeners_differ(config: &Config, section: &Section<'_>, reading: &mut Reading<'_>) {
    let spans = array_spans(section, "listen");
    if let Some(first_beyond) = spans.get(LISTENERS_MAX) {
        let problem =
            Problem::TooMany { what: "listeners", found: spans.len(), max: LISTENERS_MAX };
        return reading.error(first_beyond, problem);
    }
    // A listener with an error is not in the list, and its place would be another's.
    if config.listen.len() != spans.len() {
        return;
    }
    for (index, listen) in config.listen.iter().enumerate() {
        let above = &config.listen[..index];
        if above.iter().any(|other| other.address.collides_with(&listen.address)) {
            let problem = Problem::Conflict("a listener above has this address already");
            reading.error(&spans[index], problem);
        }
    }
}

/// A door that answers look-ups has something to look in.
fn look_ups_have_maps(config: &Config, section: &Section<'_>, reading: &mut Reading<'_>) {
    if config.srs.is_set() {
        return;
    }
    for (door, span) in doors(section) {
        if matches!(door, Door::Socketmap | Door::TcpTable) {
            let problem = Problem::Conflict(
                "there is no map to look in; [srs] with `domain` and `secret_file` makes `forward` \
                 and `reverse`",
            );
            reading.error(&span, problem);
        }
    }
}

/// The doors of all listeners that name one, with their places.
fn doors(section: &Section<'_>) -> Vec<(Door, Range<usize>)> {
    let Some(DeValue::Array(listeners)) = section.item("listen").map(|item| item.get_ref()) else {
        return Vec::new();
    };
    let door = |listener: &Spanned<DeValue<'_>>| {
        let item = listener.get_ref().get("door")?;
        let door = Door::parse(item.get_ref().as_str()?, Path::new("")).ok()?;
        Some((door, item.span()))
    };
    listeners.iter().filter_map(door).collect()
}

/// A door that answers before there is a message cannot keep or lose one, and only a milter has
/// somebody who keeps it.
fn doors_can_act(config: &Config, section: &Section<'_>, reading: &mut Reading<'_>) {
    let exceptions = config.exception.iter().map(|exception| &exception.actions);
    let all: Vec<&Actions> = exceptions.chain([&config.actions]).collect();
    let has = |wanted| all.iter().any(|actions| actions.iter().any(|(_, action)| action == wanted));
    let (holds, discards) = (has(Action::Hold), has(Action::Discard));
    let repairs = config.binding.repair != Repair::Nothing;
    for (door, span) in doors(section) {
        if repairs && door.leaves_mail_as_it_is() {
            let problem = Problem::Conflict(
                "this door cannot mend a From field, as [binding] `repair` says: mail would go on \
                 as it came; only gateway, submission and milter can",
            );
            reading.error(&span, problem);
        } else if (holds || discards) && door.is_without_message() {
            let problem = Problem::Conflict(
                "this door answers before there is a message, and cannot hold or discard as the \
                 actions say",
            );
            reading.error(&span, problem);
        } else if (holds || discards) && door == Door::Opensmtpd {
            let problem = Problem::Conflict(
                "OpenSMTPD takes mail or refuses it, and cannot hold or discard it as the actions \
                 say",
            );
            reading.error(&span, problem);
        } else if holds && matches!(door, Door::Gateway | Door::Submission) {
            let problem = Problem::Conflict(
                "a gateway cannot hold mail in this version, as the actions say; behind a milter \
                 the mail server can",
            );
            reading.error(&span, problem);
        }
    }
}

fn methods_and_actions_agree(config: &Config, section: &Section<'_>, reading: &mut Reading<'_>) {
    for method in Method::ALL.iter().copied() {
        let exceptions = config.exception.iter().map(|exception| &exception.actions);
        let acts = exceptions.chain([&config.actions]).any(|actions| actions.names(method));
        let enforced = config.methods.mode(method) == Mode::Enforce;
        // Those of binding have defaults.
        if enforced && !acts && method != Method::Binding {
            let span = section.key_span(&["methods", method.word()]);
            let identity = MethodRow::of(method).usual_identity();
            reading.warn(&span, Doubt::EnforcedWithoutActions(method, identity));
        }
        if acts && !enforced {
            let span = section.key_span(&["actions", method.word()]);
            reading.warn(&span, Doubt::ActionsWithoutEffect(method));
        }
    }
    let lists = [
        (Method::Dnsbl, config.dnsbl.lists.is_empty()),
        (Method::Dnswl, config.dnswl.lists.is_empty()),
    ];
    for (method, _) in lists.iter().filter(|(_, none_named)| *none_named) {
        if config.methods.mode(*method) != Mode::Off {
            let span = section.key_span(&["methods", method.word()]);
            reading.warn(&span, Doubt::NoLists(*method));
        }
    }
    if config.methods.mode(Method::Binding) != Mode::Off && !config.binding.has_source() {
        let span = section.key_span(&["methods", Method::Binding.word()]);
        reading.warn(&span, Doubt::WithoutGrants);
    }
    for (method, _) in Methods::default().iter() {
        if !config.methods.names(method) {
            reading.warn(&section.key_span(&["methods"]), Doubt::NotNamed(method));
        }
    }
}

/// Some door sees the header that methods read.
fn header_is_seen(config: &Config, section: &Section<'_>, reading: &mut Reading<'_>) {
    let seen: Vec<bool> =
        config.listen.iter().filter_map(|listen| listen.door.sees_header()).collect();
    if seen.is_empty() || seen.contains(&true) {
        return;
    }
    for (method, mode) in config.methods.iter() {
        if mode != Mode::Off && quivive_verdict::reads_header(method) {
            let span = section.key_span(&["methods", method.word()]);
            reading.warn(&span, Doubt::HeaderUnseen(method));
        }
    }
    if !config.local.upstreams.is_empty() {
        reading.warn(&section.key_span(&["local", "upstreams"]), Doubt::UpstreamsUnseen);
    }
}

/// What refusals name is there: cases for the public pages, and pages for a link.
fn refusals_lead_somewhere(config: &Config, section: &Section<'_>, reading: &mut Reading<'_>) {
    let spans = array_spans(section, "listen");
    if spans.len() == config.listen.len() && config.store.path.0.is_none() {
        let listeners = config.listen.iter().zip(&spans);
        for (_, span) in listeners.filter(|(listen, _)| listen.door == Door::Public) {
            reading.warn(span, Doubt::PagesWithoutCases);
        }
    }
    if config.public_url().is_none() && config.refusal.text.needs("link") {
        reading.warn(&section.key_span(&["refusal", "text"]), Doubt::LinkToNothing);
    }
}

/// Whoever logs in may send to everybody: as whom, is for binding to say.
fn logins_are_held_to_grants(config: &Config, section: &Section<'_>, reading: &mut Reading<'_>) {
    let spans = array_spans(section, "listen");
    let bound = config.methods.mode(Method::Binding) == Mode::Enforce;
    if bound || spans.len() != config.listen.len() {
        return;
    }
    let listeners = config.listen.iter().zip(&spans);
    for (_, span) in listeners.filter(|(listen, _)| listen.door == Door::Submission) {
        reading.warn(span, Doubt::UnboundLogins);
    }
}

pub(crate) fn array_spans(section: &Section<'_>, name: &str) -> Vec<Range<usize>> {
    match section.item(name).map(|item| item.get_ref()) {
        Some(DeValue::Array(items)) => items.iter().map(|item| item.span()).collect(),
        _ => Vec::new(),
    }
}
