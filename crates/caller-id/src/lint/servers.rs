use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;
use quivive_evidence::{
    Count, LintNode, LintReport, LookUps, Outcome, permitted_host, permitted_network,
};
use quivive_mail::domain::is_askable;

use crate::document::{Document, Mailers, Part, Place, Servers};
use crate::outgoing::{DOCUMENTS_MAX, MX_HOSTS_MAX};
use crate::published::{Published, owner_name};

/// What a document says of servers, with the documents that it refers to.
pub(super) struct Walk<'l, 'e> {
    domain: Option<&'l str>,
    look_ups: &'l LookUps<'e>,
    documents: usize,
    /// The domains whose documents are being walked.
    path: Vec<String>,
}

/// Where in the report a document stands; nowhere, if it is another's: what is said about it is
/// said about the part that refers to it.
#[derive(Clone, Copy)]
enum Site<'r> {
    Own(&'r Range<usize>),
    Of(&'r Range<usize>),
}

impl<'l, 'e> Walk<'l, 'e> {
    pub(super) fn new(domain: Option<&'l str>, look_ups: &'l LookUps<'e>) -> Self {
        Self {
            domain,
            look_ups,
            documents: 0,
            path: domain.map(str::to_owned).into_iter().collect(),
        }
    }

    /// The domain's own document.
    pub(super) fn document(
        mut self,
        document: &Document,
        line: &Range<usize>,
        report: &mut LintReport,
    ) {
        let outgoing = document.outgoing.as_ref();
        let sets = match outgoing.map(|outgoing| &outgoing.servers) {
            None | Some(Servers::Unsaid) => {
                report.warn(
                    "no-servers",
                    &(line.start..line.start),
                    "the document names neither servers nor `noMailServers`, so that it says \
                     nothing about the domain's mail",
                    "name the servers in `<out><m>`, or write `<out><noMailServers/></out>`",
                );
                &[][..]
            }
            Some(Servers::Nobody) => &[],
            Some(Servers::Sets(sets)) => sets,
        };
        let domain = self.domain.map(str::to_owned);
        let children = self.sets(sets, document, domain.as_deref(), Site::Own(line), report);
        let text = domain.map_or_else(|| "the document".to_owned(), |domain| owner_name(&domain));
        let note = match outgoing.map(|outgoing| &outgoing.servers) {
            Some(Servers::Nobody) => "nobody sends".to_owned(),
            _ => String::new(),
        };
        report.tree = vec![LintNode { text, note, children }];
        report.counts =
            vec![Count { what: "documents of others", used: self.documents, most: DOCUMENTS_MAX }];
    }

    fn sets(
        &mut self,
        sets: &[Mailers],
        document: &Document,
        domain: Option<&str>,
        site: Site<'_>,
        report: &mut LintReport,
    ) -> Vec<LintNode> {
        let mut nodes = Vec::new();
        for set in sets {
            let is_indirect = |place: &&Place| matches!(place.part, Part::Indirect(_));
            let has_indirect = set.parts.iter().any(|place| is_indirect(&place));
            if set.parts.is_empty() {
                let span = site.start();
                self.mail_exchangers(domain, &span, report);
                nodes.push(node("<m/>", "the mail exchangers"));
            }
            for place in &set.parts {
                let span = site.span(place, &report.record);
                let text = document.slice(place.span);
                if has_indirect && !is_indirect(&place) {
                    if let Site::Own(_) = site {
                        report.warn(
                            "beside-indirect",
                            &span,
                            "beside an `indirect` nothing else in its `m` counts",
                            "put it into an `m` of its own",
                        );
                    }
                    nodes.push(node(text, "does not count"));
                    continue;
                }
                nodes.push(self.part(place, text, domain, (site, &span), report));
            }
            if let Site::Own(_) = site {
                exclusions(set, site, report);
            }
        }
        nodes
    }

    fn part(
        &mut self,
        place: &Place,
        text: &str,
        domain: Option<&str>,
        (site, span): (Site<'_>, &Range<usize>),
        report: &mut LintReport,
    ) -> LintNode {
        let mut children = Vec::new();
        match &place.part {
            Part::Address(address) => {
                network(IpNet::from(address.to_canonical()), site, span, report);
            }
            Part::Range { address, prefix, excluded } => {
                range(*address, *prefix, *excluded, (site, span), report);
            }
            Part::Host(name) => {
                if let Some(name) = name.as_deref().or(domain) {
                    let found = permitted_host(name, span, self.look_ups, &mut report.remarks);
                    report.networks.extend(found);
                }
            }
            Part::MailExchangers(name) => {
                self.mail_exchangers(name.as_deref().or(domain), span, report);
            }
            Part::Indirect(other) => children = self.indirect(other, span, report),
        }
        LintNode { text: text.to_owned(), note: String::new(), children }
    }

    /// The hosts that take a domain's mail in: its mail exchangers, or without any itself.
    fn mail_exchangers(&self, domain: Option<&str>, span: &Range<usize>, report: &mut LintReport) {
        let Some(domain) = domain else { return };
        let Some(answer) = self.look_ups.mx(domain) else { return };
        let hosts = answer.records().unwrap_or_default();
        if hosts.len() > MX_HOSTS_MAX {
            return report.error(
                "mx-limit",
                span,
                format!(
                    "{domain} has {} MX records, and receivers give up after {MX_HOSTS_MAX}",
                    hosts.len()
                ),
                "name the servers that send by `a`",
            );
        }
        let own = if hosts.is_empty() { Some(domain) } else { None };
        let names = hosts.iter().map(|mx| &*mx.exchange).chain(own);
        for name in names.filter(|name| is_askable(name) && !name.contains('\\')) {
            let found = permitted_host(name, span, self.look_ups, &mut report.remarks);
            report.networks.extend(found);
        }
    }

    /// Another domain's servers.
    fn indirect(
        &mut self,
        other: &str,
        span: &Range<usize>,
        report: &mut LintReport,
    ) -> Vec<LintNode> {
        if self.path.iter().any(|walked| walked == other) {
            report.error(
                "loop",
                span,
                format!("the document of {other} leads back to itself, so that nothing is said"),
                "remove the `indirect` that leads back",
            );
            return Vec::new();
        }
        self.documents += 1;
        if self.documents > DOCUMENTS_MAX {
            if self.documents == DOCUMENTS_MAX + 1 {
                report.error(
                    "indirect-limit",
                    span,
                    format!("receivers give up after {DOCUMENTS_MAX} documents of others"),
                    "name networks by `r` instead",
                );
            }
            return Vec::new();
        }
        if !is_askable(&owner_name(other)) {
            return Vec::new();
        }
        let Some(answer) = self.look_ups.txt(&owner_name(other)) else { return Vec::new() };
        if let Outcome::Failed(failure) = &answer.outcome {
            report.warn(
                "dns-failure",
                span,
                format!("DNS gives no answer about {}: {}", owner_name(other), failure.token()),
                "see to the name servers of that name",
            );
            return Vec::new();
        }
        match Published::of(answer) {
            Published::Nothing => {
                report.advise(
                    "no-document-below",
                    span,
                    format!("{other} has no document, so that its mail exchangers stand for it"),
                    format!("write `<mx>{other}</mx>` if they are meant"),
                );
                self.mail_exchangers(Some(other), span, report);
                Vec::new()
            }
            Published::Broken(_, fault) => {
                report.error(
                    "broken-below",
                    span,
                    format!("the document of {other} cannot be used: {}", fault.kind),
                    format!("tell {other}, and name its networks by `r` until it is mended"),
                );
                Vec::new()
            }
            Published::One(document) => self.below(document, other, span, report),
        }
    }

    fn below(
        &mut self,
        document: &Document,
        other: &str,
        span: &Range<usize>,
        report: &mut LintReport,
    ) -> Vec<LintNode> {
        let servers = document.outgoing.as_ref().map(|outgoing| &outgoing.servers);
        let Some(Servers::Sets(sets)) = servers.filter(|_| !document.testing) else {
            report.warn(
                "nothing-below",
                span,
                format!("the document of {other} names no servers, or only tries them out"),
                "ask them which servers send, and name those",
            );
            return Vec::new();
        };
        self.path.push(other.to_owned());
        let nodes = self.sets(sets, document, Some(other), Site::Of(span), report);
        self.path.pop();
        nodes
    }
}

impl Site<'_> {
    fn span(self, place: &Place, record: &str) -> Range<usize> {
        match self {
            Self::Own(line) => super::place(place.span, line, record),
            Self::Of(span) => span.clone(),
        }
    }

    fn start(self) -> Range<usize> {
        match self {
            Self::Own(line) => line.start..line.start,
            Self::Of(span) => span.clone(),
        }
    }
}

fn node(text: &str, note: &str) -> LintNode {
    LintNode { text: text.to_owned(), note: note.to_owned(), children: Vec::new() }
}

/// What others publish is theirs to mend.
fn network(network: IpNet, site: Site<'_>, span: &Range<usize>, report: &mut LintReport) {
    if let Site::Own(_) = site {
        report.remarks.extend(permitted_network(network, span));
    }
    report.networks.push(network);
}

fn range(
    address: IpAddr,
    prefix: u8,
    excluded: bool,
    (site, span): (Site<'_>, &Range<usize>),
    report: &mut LintReport,
) {
    let Ok(written) = IpNet::new(address, prefix) else { return };
    let truncated = written.trunc();
    if let (Site::Own(_), true) = (site, written != truncated && prefix > 0) {
        let sign = if excluded { "!" } else { "" };
        report.advise(
            "host-bits",
            span,
            "the address has bits behind its prefix, which are ignored",
            format!("write `<r>{sign}{truncated}</r>`"),
        );
    }
    match excluded {
        true => report.networks.push(truncated),
        false => network(truncated, site, span, report),
    }
}

/// Ranges that are taken out of a set in which nothing holds them.
fn exclusions(set: &Mailers, site: Site<'_>, report: &mut LintReport) {
    let net = |address: IpAddr, prefix| IpNet::new(address, prefix).ok().map(|net| net.trunc());
    let held: Vec<IpNet> = set
        .parts
        .iter()
        .filter_map(|place| match place.part {
            Part::Range { address, prefix, excluded: false } => net(address, prefix),
            _ => None,
        })
        .collect();
    // Whom a host or a mail exchanger is, is not said here.
    let is_open = set.parts.iter().any(|place| {
        matches!(place.part, Part::Host(_) | Part::MailExchangers(_) | Part::Address(_))
    });
    for place in &set.parts {
        let Part::Range { address, prefix, excluded: true } = place.part else { continue };
        let Some(out) = net(address, prefix) else { continue };
        if !is_open && !held.iter().any(|held| held.contains(&out) || out.contains(held)) {
            let span = site.span(place, &report.record);
            report.warn(
                "useless-exclusion",
                &span,
                "nothing in this `m` holds these addresses, so that there is nothing to take out",
                "remove it, or put it into the `m` that holds them",
            );
        }
    }
}
