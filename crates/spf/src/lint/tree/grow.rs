//! Growing the tree: each record's terms, with what DNS says about them.

use quivive_evidence::{Answer, LookUps, Outcome};

use super::name::{Named, named};
use super::{Branch, Leaf, State, Trouble, Void};
use crate::domain_spec::DomainSpec;
use crate::lint::addresses::Addresses;
use crate::lint::term::{self, Meaning, Term};
use crate::matching::MX_HOSTS_MAX;
use crate::record::{DualPrefix, Mechanism, Qualifier, Record};
use crate::{Published, Scope};

/// How many records of others one subject is followed through.
pub const RECORDS_MAX: usize = 64;

/// The tree of a record with these terms; of others, the records of this scope belong to it.
pub(crate) fn grow(
    domain: Option<&str>,
    terms: &[Term<'_>],
    scope: Scope,
    look_ups: &LookUps<'_>,
) -> Branch {
    let mut grower = Grower { look_ups, scope, path: Vec::new(), records: 0 };
    grower.path.extend(domain.map(str::to_owned));
    let mut leaves = Vec::new();
    let mut redirect = None;
    for (index, term) in terms.iter().enumerate() {
        match term.meaning() {
            Ok(Meaning::Directive(qualifier, mechanism)) => {
                let leaf = grower.leaf(domain, &term.text, qualifier, mechanism);
                leaves.push(Leaf { index, ..leaf });
                if matches!(mechanism, Mechanism::All) {
                    break;
                }
            }
            Ok(Meaning::Redirect(target)) => redirect = Some((index, &*term.text, target)),
            _ => {}
        }
    }
    if let (Some((index, text, target)), false) = (redirect, ends(terms)) {
        leaves.push(Leaf { index, ..grower.redirect(domain, text, target) });
    }
    Branch { domain: domain.unwrap_or_default().to_owned(), state: State::Record, leaves }
}

/// The tree of a text that holds terms alone, as `domain` would publish them.
pub(crate) fn grow_text(domain: &str, text: &str, look_ups: &LookUps<'_>) -> Branch {
    let terms = term::mended(text, &(0..0)).unwrap_or_default();
    grow(Some(domain), &terms, Scope::Spf, look_ups)
}

fn ends(terms: &[Term<'_>]) -> bool {
    terms.iter().any(Term::is_all)
}

struct Grower<'g, 'e> {
    look_ups: &'g LookUps<'e>,
    scope: Scope,
    /// The domains from the root to here.
    path: Vec<String>,
    records: usize,
}

impl Grower<'_, '_> {
    /// The record of a domain.
    fn branch(&mut self, domain: &str) -> Branch {
        let branch = |state| Branch { domain: domain.to_owned(), state, leaves: Vec::new() };
        if self.path.iter().any(|above| above == domain) {
            return branch(State::Loop);
        }
        if self.records == RECORDS_MAX {
            self.look_ups.give_up();
            return branch(State::Unknown);
        }
        self.records += 1;
        let Some(answer) = self.look_ups.txt(domain) else { return branch(State::Unknown) };
        let record = match (&answer.outcome, Published::in_scope(answer, self.scope)) {
            (Outcome::Failed(failure), _) => return branch(State::Failed(*failure)),
            (Outcome::NoName, _) => return branch(State::NoDomain),
            (_, Published::Nothing) => return branch(State::NoRecord),
            (_, Published::Several) => return branch(State::Several),
            (_, Published::Broken(_, error)) => {
                return branch(State::Broken(error.kind.to_string()));
            }
            (_, Published::One(record)) => record,
        };
        self.path.push(domain.to_owned());
        let leaves = self.leaves(domain, record);
        self.path.pop();
        Branch { leaves, ..branch(State::Record) }
    }

    fn leaves(&mut self, domain: &str, record: &Record) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        for directive in record.directives() {
            let text = record.slice(directive.span());
            leaves.push(self.leaf(Some(domain), text, directive.qualifier, directive.mechanism));
            if matches!(directive.mechanism, Mechanism::All) {
                return leaves;
            }
        }
        if let Some(redirect) = record.redirect() {
            leaves.push(self.redirect(
                Some(domain),
                record.slice(redirect.span()),
                redirect.target,
            ));
        }
        leaves
    }

    fn redirect(&mut self, domain: Option<&str>, text: &str, target: DomainSpec<'_>) -> Leaf {
        let leaf = Leaf { qualifier: None, counts: true, ..Leaf::new(text, Qualifier::Pass) };
        self.with_policy(leaf, domain, target)
    }

    fn leaf(
        &mut self,
        domain: Option<&str>,
        text: &str,
        qualifier: Qualifier,
        mechanism: Mechanism<'_>,
    ) -> Leaf {
        let leaf = Leaf::new(text, qualifier);
        let asks = Leaf { counts: true, ..Leaf::new(text, qualifier) };
        match mechanism {
            Mechanism::All => Leaf { matches: Addresses::all(), ..leaf },
            Mechanism::Ip4(address, prefix) => {
                Leaf { matches: Addresses::ipv4(address, prefix), ..leaf }
            }
            Mechanism::Ip6(address, prefix) => {
                Leaf { matches: Addresses::ipv6(address, prefix), ..leaf }
            }
            Mechanism::Include(target) => self.with_policy(asks, domain, target),
            Mechanism::A(target, prefix) => match named(target, domain) {
                Named::Name(name) => self.with_host(asks, &name, prefix),
                named => asks.without_name(&named),
            },
            Mechanism::Mx(target, prefix) => match named(target, domain) {
                Named::Name(name) => self.with_mx(asks, &name, prefix),
                named => asks.without_name(&named),
            },
            Mechanism::Exists(target) => match named(Some(target), domain) {
                Named::Name(name) => self.with_exists(asks, &name),
                // Where it does not match, it has found nothing.
                Named::Varies => Leaf { void: Void { ipv4: 1, ipv6: 1 }, varies: true, ..asks },
                Named::Unusable => asks,
            },
            // Whose names a client has is the client's affair.
            Mechanism::Ptr(_) => Leaf { varies: true, ..asks },
        }
    }

    fn with_policy(&mut self, leaf: Leaf, domain: Option<&str>, target: DomainSpec<'_>) -> Leaf {
        let branch = match named(Some(target), domain) {
            Named::Name(name) => self.branch(&name),
            Named::Unusable => {
                Branch { domain: String::new(), state: State::NoDomain, leaves: Vec::new() }
            }
            Named::Varies => return Leaf { varies: true, ..leaf },
        };
        let (matches, varies) = (branch.permits(), branch.varies());
        Leaf { matches, varies, below: Some(Box::new(branch)), ..leaf }
    }

    /// The addresses of a host, of both families.
    fn with_host(&self, mut leaf: Leaf, name: &str, prefix: DualPrefix) -> Leaf {
        if !self.add_host(&mut leaf, name, prefix) {
            leaf.trouble.get_or_insert(Trouble::NoAddress(name.to_owned()));
        }
        leaf
    }

    /// False if the host certainly has no address.
    fn add_host(&self, leaf: &mut Leaf, name: &str, prefix: DualPrefix) -> bool {
        let (ipv4, ipv6) = (self.look_ups.ipv4(name), self.look_ups.ipv6(name));
        let ipv4 = found(leaf, name, ipv4, |leaf| leaf.void.ipv4 += 1);
        let ipv6 = found(leaf, name, ipv6, |leaf| leaf.void.ipv6 += 1);
        for address in ipv4.unwrap_or_default() {
            leaf.matches.add(&Addresses::ipv4(*address, prefix.ipv4));
        }
        for address in ipv6.unwrap_or_default() {
            leaf.matches.add(&Addresses::ipv6(*address, prefix.ipv6));
        }
        !(ipv4.is_some_and(<[_]>::is_empty) && ipv6.is_some_and(<[_]>::is_empty))
    }

    fn with_mx(&self, mut leaf: Leaf, name: &str, prefix: DualPrefix) -> Leaf {
        let hosts = self.look_ups.mx(name);
        let hosts = found(&mut leaf, name, hosts, |leaf| {
            leaf.void.ipv4 += 1;
            leaf.void.ipv6 += 1;
        });
        let Some(hosts) = hosts else { return leaf };
        let name = name.to_owned();
        match hosts {
            [] => leaf.trouble = Some(Trouble::NoMx(name)),
            [only] if only.exchange.is_empty() => leaf.trouble = Some(Trouble::NullMx(name)),
            hosts if hosts.len() > MX_HOSTS_MAX => {
                leaf.trouble = Some(Trouble::ManyMx(name, hosts.len()));
                leaf.varies = true;
            }
            hosts => {
                for host in hosts.iter().filter(|host| !host.exchange.is_empty()) {
                    if !self.add_host(&mut leaf, &host.exchange, prefix) {
                        let host = host.exchange.to_string();
                        leaf.trouble.get_or_insert(Trouble::NoAddress(host));
                    }
                }
            }
        }
        leaf
    }

    fn with_exists(&self, mut leaf: Leaf, name: &str) -> Leaf {
        let addresses = self.look_ups.ipv4(name);
        let addresses = found(&mut leaf, name, addresses, |leaf| {
            leaf.void.ipv4 += 1;
            leaf.void.ipv6 += 1;
        });
        match addresses {
            Some([]) => leaf.trouble = Some(Trouble::NoAddress(name.to_owned())),
            Some(_) => leaf.matches = Addresses::all(),
            None => {}
        }
        leaf
    }
}

/// The records of an answer, if it is known and usable. A void one is counted, a failure noted.
fn found<'e, T>(
    leaf: &mut Leaf,
    name: &str,
    answer: Option<&'e Answer<T>>,
    void: impl FnOnce(&mut Leaf),
) -> Option<&'e [T]> {
    let Some(answer) = answer else {
        leaf.varies = true;
        return None;
    };
    match answer.records() {
        Ok([]) => {
            void(leaf);
            Some(&[])
        }
        Ok(records) => Some(records),
        Err(failure) => {
            leaf.varies = true;
            leaf.trouble = Some(Trouble::Failed(name.to_owned(), failure));
            None
        }
    }
}

impl Leaf {
    /// Where there is no name to ask for, and so no look-up.
    fn without_name(self, named: &Named) -> Self {
        Self { varies: matches!(named, Named::Varies), ..self }
    }
}
