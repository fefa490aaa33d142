use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;
use quivive_evidence::{
    Answer, Count, LintNode, LintReport, LookUps, permitted_host, permitted_network,
};
use quivive_mail::domain::is_askable;

use crate::rmx::{
    Entry, Fault, FaultKind, LOOK_UPS_MAX, MX_HOSTS_MAX, PlacedEntry, Record, Rule, Settings,
    VOID_LOOK_UPS_MAX, read_apl,
};

/// The type of lists of address prefixes.
const APL: u16 = 42;

/// What the entries of records say, in their order.
pub(super) struct Entries<'l, 'e> {
    domain: Option<&'l str>,
    owner: String,
    settings: Settings,
    look_ups: &'l LookUps<'e>,
    /// The networks of entries before, and how those are written.
    before: Vec<(IpNet, bool, String)>,
    /// What matches everybody, so that nothing is read behind it.
    end: Option<String>,
    asking: usize,
    /// Look-ups that find nothing, for IPv4 clients and for IPv6 clients.
    void: [usize; 2],
    permits: bool,
}

impl<'l, 'e> Entries<'l, 'e> {
    pub(super) fn new(
        domain: Option<&'l str>,
        settings: Settings,
        look_ups: &'l LookUps<'e>,
    ) -> Self {
        Self {
            domain,
            owner: "the record".to_owned(),
            settings,
            look_ups,
            before: Vec::new(),
            end: None,
            asking: 0,
            void: [0; 2],
            permits: false,
        }
    }

    /// The same, of records at this name.
    pub(super) fn at(self, owner: &str) -> Self {
        Self { owner: owner.to_owned(), ..self }
    }

    /// Looks the entries over. Records count as one behind the other.
    pub(super) fn look_over(mut self, records: &[&Record], report: &mut LintReport) {
        report.published = true;
        let mut children = Vec::new();
        let mut last = 0..0;
        for record in records {
            let line = report.add_line(record.text());
            for placed in record.entries() {
                let span = within(&line, placed.span);
                let asking = self.asking;
                self.entry(placed, &span, report);
                let note = if self.asking > asking { "1 look-up" } else { "" };
                let text = record.slice(placed.span).to_owned();
                children.push(LintNode { text, note: note.to_owned(), children: Vec::new() });
                last = span;
            }
            if let Some(fault) = record.fault() {
                fault_remark(fault, &within(&line, fault.span), report);
            }
        }
        self.as_a_whole(records, &last, report);
        for (what, used, most) in [
            ("entries that look up", self.asking, LOOK_UPS_MAX),
            ("void look-ups", self.void[0].max(self.void[1]), VOID_LOOK_UPS_MAX),
        ] {
            report.counts.push(Count { what, used, most });
        }
        report.tree.push(LintNode { text: self.owner, note: String::new(), children });
    }

    fn entry(&mut self, placed: &PlacedEntry, span: &Range<usize>, report: &mut LintReport) {
        let Entry { negated, rule } = &placed.entry;
        if let Some(end) = &self.end {
            report.warn(
                "never-reached",
                span,
                format!("`{end}` before it matches everybody, so that this is never looked at"),
                format!("move it before `{end}`, or remove it"),
            );
        }
        self.permits |= !negated && *rule != Rule::Unused;
        match rule {
            Rule::Ipv4(address, prefix) => {
                self.network(placed, IpAddr::V4(*address), *prefix, span, report);
            }
            Rule::Ipv6(address, prefix) => {
                self.network(placed, IpAddr::V6(*address), *prefix, span, report);
            }
            Rule::Unused => self.end = Some(placed.entry.to_string()),
            Rule::Full => self.count(span, report),
            Rule::Host(name) => {
                self.count(span, report);
                self.host(name, span, report);
            }
            Rule::Apl(name) => {
                self.count(span, report);
                self.list(name, *negated, span, report);
            }
            Rule::Domain(_) => {
                self.count(span, report);
                report.advise(
                    "reverse-name",
                    span,
                    "the client's reverse name is slow to look up, and belongs to whoever has the \
                     address",
                    "name the hosts by `ipv4:`, `ipv6:` or `host:`",
                );
            }
            Rule::Mx { numbered } => {
                self.count(span, report);
                if *numbered && !self.settings.mx_entry_type {
                    report.error(
                        "private-entry-type",
                        span,
                        "no draft gives `mx` a number, so that receivers stop reading here",
                        "name the hosts by `host:`",
                    );
                }
                self.mail_exchangers(span, report);
            }
        }
    }

    fn network(
        &mut self,
        placed: &PlacedEntry,
        address: IpAddr,
        prefix: u8,
        span: &Range<usize>,
        report: &mut LintReport,
    ) {
        let Ok(network) = IpNet::new(address, prefix) else { return };
        let network = network.trunc();
        let written = placed.entry.to_string();
        let negated = placed.entry.negated;
        if placed.has_host_bits && prefix > 0 {
            report.advise(
                "host-bits",
                span,
                "the address has bits behind its prefix, which are ignored",
                format!(
                    "write `{}` for the network, or the address alone",
                    entry(network, negated)
                ),
            );
        }
        let around = self.before.iter().find(|(before, ..)| before.contains(&network));
        if let Some((_, same, before)) = around.map(|(one, is, text)| (one, *is == negated, text)) {
            let (message, help) = match same {
                true => (
                    format!("`{before}` before it holds these addresses already"),
                    "remove it".to_owned(),
                ),
                false => (
                    format!(
                        "`{before}` before it decides about these addresses, so that this is \
                             never looked at"
                    ),
                    format!("move it before `{before}`"),
                ),
            };
            report.warn("overlapping-networks", span, message, help);
        } else if !negated {
            report.remarks.extend(permitted_network(network, span));
        }
        self.before.push((network, negated, written));
        report.networks.push(network);
    }

    /// Counts an entry that looks something up.
    fn count(&mut self, span: &Range<usize>, report: &mut LintReport) {
        self.asking += 1;
        if self.asking == LOOK_UPS_MAX + 1 {
            report.error(
                "look-up-limit",
                span,
                format!("receivers give up after {LOOK_UPS_MAX} entries that look something up"),
                "name networks by `ipv4:` and `ipv6:`, which cost nothing",
            );
        }
    }

    fn host(&mut self, name: &str, span: &Range<usize>, report: &mut LintReport) {
        let is_void = |count: Option<usize>| usize::from(count == Some(0));
        let ipv4 = self.look_ups.ipv4(name).and_then(|answer| Some(answer.records().ok()?.len()));
        let ipv6 = self.look_ups.ipv6(name).and_then(|answer| Some(answer.records().ok()?.len()));
        self.void = [self.void[0] + is_void(ipv4), self.void[1] + is_void(ipv6)];
        let networks = permitted_host(name, span, self.look_ups, &mut report.remarks);
        report.networks.extend(networks);
    }

    fn list(&mut self, name: &str, negated: bool, span: &Range<usize>, report: &mut LintReport) {
        let answer = self.look_ups.other(name, APL).map(Answer::records);
        let lists = match answer {
            None => return,
            Some(Err(failure)) => {
                return report.warn(
                    "dns-failure",
                    span,
                    format!("DNS gives no answer about {name}: {}", failure.token()),
                    "see to the name servers of that name",
                );
            }
            Some(Ok(lists)) => lists,
        };
        if lists.is_empty() {
            self.void = self.void.map(|void| void + 1);
            report.warn(
                "no-list",
                span,
                format!("{name} has no APL record, so that this matches nobody"),
                "publish one there (RFC 3123), or name the networks here",
            );
        }
        if negated {
            report.advise(
                "negated-list",
                span,
                "the drafts do not say what a negated list means, and receivers may differ",
                "write the networks with `!ipv4:` and `!ipv6:`",
            );
        }
        for list in lists {
            let Some(items) = read_apl(&list.0) else {
                report.error(
                    "bad-apl",
                    span,
                    format!("the APL record of {name} cannot be read"),
                    "write it anew: an address family, a prefix and the address (RFC 3123)",
                );
                continue;
            };
            for item in items {
                let Ok(network) = IpNet::new(item.address, item.prefix) else { continue };
                if !item.negated && !negated {
                    report.remarks.extend(permitted_network(network.trunc(), span));
                }
                report.networks.push(network.trunc());
            }
        }
    }

    fn mail_exchangers(&mut self, span: &Range<usize>, report: &mut LintReport) {
        let Some(domain) = self.domain else { return };
        let Some(answer) = self.look_ups.mx(domain) else { return };
        let hosts = answer.records().unwrap_or_default();
        if hosts.is_empty() {
            self.void = self.void.map(|void| void + 1);
            return report.warn(
                "no-mx",
                span,
                format!("{domain} has no MX record, so that `mx:` matches nobody"),
                "remove it, or name the hosts by `host:`",
            );
        }
        if hosts.len() > MX_HOSTS_MAX {
            return report.error(
                "mx-limit",
                span,
                format!(
                    "{domain} has {} MX records, and receivers give up after {MX_HOSTS_MAX}",
                    hosts.len()
                ),
                "name the hosts that send by `host:`",
            );
        }
        for host in hosts {
            let name = &*host.exchange;
            if is_askable(name) && !name.contains('\\') {
                self.host(name, span, report);
            }
        }
    }

    /// What the records say as a whole.
    fn as_a_whole(&self, records: &[&Record], last: &Range<usize>, report: &mut LintReport) {
        let is_whole = records.iter().all(|record| record.fault().is_none());
        let is_empty = records.iter().all(|record| record.entries().is_empty());
        if is_empty && is_whole {
            report.warn(
                "empty-record",
                last,
                "the record has no entry, so that nobody may send, which it does not say plainly",
                "write `unused:` if nobody sends, or the entries that were meant",
            );
        } else if !self.permits && self.end.is_none() && is_whole {
            report.warn(
                "permits-nobody",
                last,
                "no entry permits anybody, and whom no entry matches may not send",
                "add those who send, or write `unused:` alone",
            );
        }
        let limit = VOID_LOOK_UPS_MAX;
        let message = |whom: &str, count| {
            format!("{count} look-ups find nothing for {whom}: receivers give up after {limit}")
        };
        let help = "remove what finds nothing, or name addresses by `ipv4:` and `ipv6:`";
        match self.void {
            [ipv4, ipv6] if ipv4 > limit && ipv6 > limit => {
                report.error("void-look-up-limit", last, message("any client", ipv4), help);
            }
            [ipv4, _] if ipv4 > limit => {
                report.error("void-look-up-limit", last, message("IPv4 clients", ipv4), help);
            }
            [_, ipv6] if ipv6 > limit => {
                report.warn("void-look-up-limit", last, message("IPv6 clients", ipv6), help);
            }
            _ => {}
        }
    }
}

fn within(line: &Range<usize>, (start, end): (u32, u32)) -> Range<usize> {
    line.start + start as usize..line.start + end as usize
}

fn entry(network: IpNet, negated: bool) -> String {
    let rule = match network {
        IpNet::V4(network) => Rule::Ipv4(network.addr(), network.prefix_len()),
        IpNet::V6(network) => Rule::Ipv6(network.addr(), network.prefix_len()),
    };
    Entry { negated, rule }.to_string()
}

/// An entry that cannot be read ends the evaluation (draft-danisch-dns-rr-smtp-04 section 4).
fn fault_remark(fault: Fault, span: &Range<usize>, report: &mut LintReport) {
    let help = match fault.kind {
        FaultKind::UnknownType => {
            "write one of ipv4, ipv6, host, apl, domain, mx, unused and full before the colon"
        }
        FaultKind::Truncated => "write the record anew; `quivive publish --method rmx` does",
        FaultKind::Prefix => "write 0 to 32 behind the slash for IPv4, 0 to 128 for IPv6",
        FaultKind::Address => "write an address of the entry's family",
        FaultKind::Name => "write a name as DNS has it, uncompressed on the wire",
        FaultKind::Negated => "remove the `!`",
        FaultKind::Argument => "remove what stands behind the colon",
    };
    let message = format!("this is {}, and receivers read no further", fault.kind);
    report.error(fault.kind.cause(), span, message, help);
}
