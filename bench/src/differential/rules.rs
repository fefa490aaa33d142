//! Why a peer may say something else: rules, each with the section that settles it.
//! `docs/differences.md` tells them.

use super::Ours;
use super::peers::{MAIL_SPF, PYSPF};
use super::world::{Case, Known};

/// A case on which a peer says something else.
pub(crate) struct Difference<'d> {
    pub(crate) peer: &'static str,
    pub(crate) case: &'d Case,
    pub(crate) ours: &'d Ours,
    pub(crate) theirs: &'d str,
}

/// What explains differences.
pub(crate) struct Rule {
    /// The section of RFC 7208 first.
    pub(crate) name: &'static str,
    explains: fn(&Difference<'_>) -> bool,
}

pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "5.5: a name of the client whose address cannot be had is skipped",
        explains: |it| {
            it.is(PYSPF, "temperror")
                && (it.asked(" PTR") || it.any_term(|term| term.contains("%{p")))
                && it.has_failing_name()
        },
    },
    Rule {
        name: "4.8: a name with an empty or over-long label is no name, and no look-up of it void",
        explains: |it| {
            it.peer == MAIL_SPF
                && matches!(it.theirs, "crash" | "permerror")
                && it.any_term(has_impossible_label)
        },
    },
    Rule {
        name: "12: an octet outside printable ASCII is an error of syntax",
        explains: |it| {
            it.peer == MAIL_SPF
                && it.ours.cause == "syntax-error"
                && it.any_term(|term| !term.bytes().all(|octet| octet.is_ascii_graphic()))
        },
    },
    Rule {
        name: "4.6: an include of the record's own domain counts when the walk comes to it",
        explains: |it| {
            it.is(PYSPF, "permerror")
                && it.policies().any(|(name, text)| {
                    text.split(' ').any(|term| term.ends_with(&format!("include:{name}")))
                })
        },
    },
    Rule {
        name: "6: an unknown modifier is ignored, however often it stands",
        explains: |it| {
            it.is(PYSPF, "permerror")
                && it.policies().any(|(_, text)| text.matches(" unknown=").count() > 1)
        },
    },
    Rule {
        name: "5.7: exists has a domain-spec; without one it is an error of syntax",
        explains: |it| {
            it.peer == PYSPF
                && it.ours.cause == "syntax-error"
                && it.any_term(|term| term.trim_start_matches(['+', '-', '~', '?']) == "exists")
        },
    },
    Rule {
        name: "7.1: a macro that is not well formed makes the whole record unusable",
        explains: |it| {
            it.ours.cause == "syntax-error"
                && it.any_term(|term| {
                    ["%{d0}", "%{x}", "%{c}"].iter().any(|broken| term.contains(broken))
                })
        },
    },
    Rule {
        name: "4.6.4: what finds or validates a name of the client is no void look-up of a term",
        explains: |it| it.theirs == "permerror" && it.asked(" PTR"),
    },
    Rule {
        name: "5.4: the hosts of an mx are looked up in turn, and a match before a void one stands",
        explains: |it| it.is(PYSPF, "permerror") && it.has_void_host(),
    },
    Rule {
        name: "5.6: ip6 is compared with clients of IPv6 alone",
        explains: |it| {
            it.peer == MAIL_SPF
                && !it.case.address.contains(':')
                && it.any_term(|term| term.contains("ip6:::"))
        },
    },
];

impl Rule {
    pub(crate) fn explains(&self, difference: &Difference<'_>) -> bool {
        (self.explains)(difference)
    }
}

impl Difference<'_> {
    fn is(&self, peer: &str, theirs: &str) -> bool {
        self.peer == peer && self.theirs == theirs
    }

    fn asked(&self, end: &str) -> bool {
        self.ours.asked.iter().any(|question| question.ends_with(end))
    }

    /// Whether the client has a name whose address cannot be had.
    fn has_failing_name(&self) -> bool {
        let names = self.case.answers.iter().filter_map(|((_, record_type), known)| match known {
            Known::Found(names) if *record_type == "PTR" => Some(names),
            _ => None,
        });
        names.flatten().any(|name| {
            ["A", "AAAA"].iter().any(|record_type| {
                let known = self.case.answers.get(&(name.clone(), record_type));
                matches!(known, Some(Known::Failing))
            })
        })
    }

    /// Whether an `mx` that was evaluated has a host without an address.
    fn has_void_host(&self) -> bool {
        self.case.answers.iter().any(|((name, record_type), known)| match known {
            Known::Found(hosts) if *record_type == "MX" => {
                self.ours.asked.contains(&format!("{name} MX"))
                    && hosts.iter().any(|host| host.contains(" void."))
            }
            _ => false,
        })
    }

    /// The records that were read, with their names.
    fn policies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.case.answers.iter().flat_map(|((name, record_type), known)| {
            let texts = match known {
                Known::Found(texts)
                    if *record_type == "TXT"
                        && self.ours.asked.contains(&format!("{name} TXT")) =>
                {
                    &texts[..]
                }
                _ => &[],
            };
            texts.iter().map(move |text| (name.as_str(), text.as_str()))
        })
    }

    fn any_term(&self, holds: impl Fn(&str) -> bool) -> bool {
        self.policies().any(|(_, text)| text.split(' ').any(&holds))
    }
}

fn has_impossible_label(term: &str) -> bool {
    let name = term.split_once([':', '=']).map_or("", |(_, name)| name);
    let name = name.split('/').next().unwrap_or(name);
    let name = name.strip_suffix('.').unwrap_or(name);
    !name.is_empty() && name.split('.').any(|label| label.is_empty() || label.len() > 63)
}
