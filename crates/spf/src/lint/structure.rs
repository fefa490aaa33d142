//! What a record says as a whole: how it ends, what it repeats, what has no effect.

use std::ops::Range;

use quivive_evidence::{Remark, Severity};

use super::term::{self, Meaning, Term};
use super::tree;
use crate::domain_spec::DomainSpec;
use crate::macro_string::{Letter, Letters};
use crate::record::{Mechanism, Qualifier};

/// From this on a record is long: with the rest of the answer it may not fit into 512 octets (RFC
/// 7208 section 3.4).
pub(super) const LONG_OCTETS: usize = 450;

/// Modifiers that other documents define (RFC 6652 section 3).
const KNOWN_ELSEWHERE: &[&str] = &["ra", "rp", "rr"];

/// Characters that no host name has, although a record may hold them in one.
const ODD: &str = "@,;/:\"'()<>\\*=?";

/// Remarks about the terms of a record that takes up this part of the text.
pub(super) fn remarks(terms: &[Term<'_>], record: Range<usize>) -> Vec<Remark> {
    let mut remarks = Remarks(Vec::new());
    remarks.end(terms, &record);
    remarks.size(terms, &record);
    remarks.repetitions(terms);
    for term in terms {
        remarks.term(term);
    }
    remarks.explanation(terms);
    remarks.0
}

struct Remarks(Vec<Remark>);

impl Remarks {
    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.0.push(Remark::new(severity, code, span.clone(), message, help));
    }

    fn warn(
        &mut self,
        code: &'static str,
        term: &Term<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Warning, code, &term.span, message, help);
    }

    fn advise(
        &mut self,
        code: &'static str,
        term: &Term<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Advice, code, &term.span, message, help);
    }

    /// `all` and `redirect` (RFC 7208 sections 4.7, 5.1 and 6.1).
    fn end(&mut self, terms: &[Term<'_>], record: &Range<usize>) {
        let all = terms.iter().position(Term::is_all);
        let redirect = terms.iter().find(|term| matches!(term.meaning(), Ok(Meaning::Redirect(_))));
        match (all, redirect) {
            (Some(_), Some(redirect)) => self.warn(
                "redirect-with-all",
                redirect,
                "`redirect=` is never followed where there is an `all`",
                "remove the `all` to follow it, or remove the `redirect=`",
            ),
            (None, None) => {
                let is_broken = terms.iter().any(|term| term.error().is_some());
                let what = if is_broken { "once its errors are mended, the" } else { "the" };
                self.add(
                    Severity::Warning,
                    "no-all",
                    &(record.end..record.end),
                    format!(
                        "{what} record has no `all` at its end, so that it says nothing \
                         about everybody else"
                    ),
                    "end it with `-all`, or with `~all` as long as you are not sure of all your \
                     senders",
                );
            }
            _ => {}
        }
        let Some(all) = all else { return };
        self.all(&terms[all]);
        self.after(&terms[all], &terms[all + 1..]);
    }

    /// Directives behind the `all`, those that stand together in one remark.
    fn after(&mut self, all: &Term<'_>, terms: &[Term<'_>]) {
        let is_modifier = |term: &Term<'_>| {
            !matches!(term.meaning(), Ok(Meaning::Directive(..)) | Err(_))
                || term.text.contains('=')
        };
        for dead in terms.chunk_by(|one, next| is_modifier(one) == is_modifier(next)) {
            let (Some(first), Some(last)) = (dead.first(), dead.last()) else { continue };
            if is_modifier(first) {
                continue;
            }
            let (these, are, them) = match dead.len() {
                1 => ("this", "is", "it"),
                _ => ("these", "are", "them"),
            };
            self.add(
                Severity::Warning,
                "after-all",
                &(first.span.start..last.span.end),
                format!("`{}` ends the record, so that {these} {are} never looked at", all.text),
                format!("move {them} before `{}`, or remove {them}", all.text),
            );
        }
    }

    fn all(&mut self, term: &Term<'_>) {
        match term.directive() {
            Some((Qualifier::Pass, _)) => self.warn(
                "all-pass",
                term,
                format!("`{}` lets every host in the world send for this domain", term.text),
                "write `-all`, or `~all` as long as you are not sure of all your senders",
            ),
            Some((Qualifier::Neutral, _)) => self.advise(
                "all-neutral",
                term,
                "`?all` says nothing about everybody else, as if there were no record",
                "write `~all` once the senders before it are complete, and later `-all`",
            ),
            _ => {}
        }
    }

    /// RFC 7208 section 3.4.
    fn size(&mut self, terms: &[Term<'_>], record: &Range<usize>) {
        let octets = record.len();
        if octets > LONG_OCTETS {
            self.add(
                Severity::Warning,
                "long-record",
                &(record.start..record.start),
                format!(
                    "the record has {octets} octets; beyond {LONG_OCTETS} its answer may \
                     not fit into one packet of 512"
                ),
                match terms.iter().any(is_network) {
                    true => {
                        "move networks into a record of their own and include it; `quivive \
                         publish` does that"
                    }
                    false => "leave out what nobody needs, or name things more briefly",
                },
            );
        }
    }

    /// The same term twice, and modifiers that may stand only once (RFC 7208 section 6).
    fn repetitions(&mut self, terms: &[Term<'_>]) {
        let mut seen: std::collections::HashMap<String, &Term<'_>> =
            std::collections::HashMap::new();
        for term in terms {
            let key = match term.meaning() {
                Ok(Meaning::Redirect(_)) => "redirect=".to_owned(),
                Ok(Meaning::Explanation(_)) => "exp=".to_owned(),
                // Networks are compared as networks.
                Ok(Meaning::Directive(_, Mechanism::Ip4(..) | Mechanism::Ip6(..))) | Err(_) => {
                    continue;
                }
                // A macro in an upper-case letter is written otherwise (section 7.3).
                Ok(_) if term.text.contains('%') => term.bare().to_owned(),
                Ok(_) => term.bare().to_ascii_lowercase(),
            };
            let Some(first) = seen.get(&key) else {
                seen.insert(key, term);
                continue;
            };
            if key.ends_with('=') {
                let (first, second) = (&*first.text, &*term.text);
                let help = match first.eq_ignore_ascii_case(second) {
                    true => "remove one of them".to_owned(),
                    false => format!("keep `{first}` or `{second}`"),
                };
                self.add(
                    Severity::Error,
                    "repeated-modifier",
                    &term.span,
                    format!("`{key}` stands twice, and receivers take the record for broken"),
                    help,
                );
            } else if !term.is_all() {
                let before = first.text.to_string();
                self.warn(
                    "repeated-term",
                    term,
                    format!("`{before}` stands before it, so that this never adds anything"),
                    "remove it",
                );
            }
        }
    }

    fn term(&mut self, term: &Term<'_>) {
        match term.meaning() {
            Ok(Meaning::Directive(qualifier, mechanism)) => {
                self.directive(term, qualifier, &mechanism);
            }
            Ok(Meaning::Unknown) => self.unknown(term),
            _ => {}
        }
        if let Some(target) = term.target() {
            self.target(term, target);
        }
    }

    fn directive(&mut self, term: &Term<'_>, qualifier: Qualifier, mechanism: &Mechanism<'_>) {
        match mechanism {
            Mechanism::Ptr(_) => self.warn(
                "ptr",
                term,
                "`ptr` is slow, unreliable and a load for the reverse zones, and should not be \
                 used (RFC 7208 section 5.5)",
                "name the hosts by `ip4:`, `ip6:` or `a:`",
            ),
            Mechanism::Include(_) if matches!(qualifier, Qualifier::Fail | Qualifier::Softfail) => {
                self.warn(
                    "negated-include",
                    term,
                    format!(
                        "`{}` refuses the hosts that the other domain permits, and not those that \
                         it refuses",
                        term.text
                    ),
                    format!("write `{}` to permit them", term.bare()),
                );
            }
            Mechanism::Exists(target) if target.is_constant() => self.warn(
                "constant-exists",
                term,
                "`exists` without a macro of the message matches everybody or nobody",
                "put the client's address into the name, as in \
                 `exists:%{i}._spf.example.net`, or remove it",
            ),
            _ => {}
        }
    }

    /// RFC 7208 section 6: an unknown modifier is ignored, whatever it was meant to say.
    fn unknown(&mut self, term: &Term<'_>) {
        const MECHANISMS: &[&str] =
            &["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists", "ip", "ipv4", "ipv6"];
        let (name, value) = term.text.split_once('=').unwrap_or((&term.text, ""));
        let lower = name.to_ascii_lowercase();
        if KNOWN_ELSEWHERE.contains(&&*lower) {
            return;
        }
        if lower == "v" {
            return self.warn(
                "repeated-version",
                term,
                "a second version section stands within the record and is ignored: two records \
                 were joined",
                "remove it, and look at what stands before it: there may be an `all` too early",
            );
        }
        if MECHANISMS.contains(&&*lower) {
            let known = match &*lower {
                "ip" | "ipv4" => "ip4",
                "ipv6" => "ip6",
                known => known,
            };
            return self.warn(
                "equals-for-colon",
                term,
                format!(
                    "with an equals sign `{name}` is an unknown modifier, and everybody ignores \
                     it"
                ),
                written(format!("{known}:{value}"), "remove it"),
            );
        }
        let is_close = |known: &&str| strsim::damerau_levenshtein(&lower, known) <= known.len() / 3;
        let close = ["redirect", "exp"].into_iter().find(is_close);
        self.warn(
            "unknown-modifier",
            term,
            format!(
                "`{name}=` is a modifier that SPF does not know, so that everybody ignores \
                 it"
            ),
            match close {
                Some(known) => written(format!("{known}={value}"), "remove it"),
                None => "remove it".to_owned(),
            },
        );
    }

    fn target(&mut self, term: &Term<'_>, target: DomainSpec<'_>) {
        let is_policy = matches!(
            term.meaning(),
            Ok(Meaning::Redirect(_) | Meaning::Directive(_, Mechanism::Include(_)))
        );
        if target.uses(Letters::of(Letter::ValidatedName)) {
            self.warn(
                "ptr-macro",
                term,
                "`%{p}` needs the client's names, which is as slow and unreliable as `ptr`, and \
                 should not be used (RFC 7208 section 7.2)",
                "use `%{i}`, the client's address",
            );
        }
        if target.uses(Letters::OF_THE_LOCAL_PART) && is_policy {
            self.warn(
                "sender-macro",
                term,
                "the policy depends on the sender's local part, so that each sender costs \
                 receivers a look-up and no answer can be kept",
                "use `exists:` with the macro for single senders, or `%{d}` and `%{o}` for \
                 domains",
            );
        }
        match target {
            DomainSpec::Literal(name) => self.name(term, name),
            DomainSpec::Macros(_) if !target.uses(Letters::ALL) => {
                self.name(term, tree::name_of(Some(target), None).as_deref());
            }
            DomainSpec::Macros(_) => {}
        }
    }

    /// Names that DNS could hold and nobody has.
    fn name(&mut self, term: &Term<'_>, name: Option<&str>) {
        let Some(name) = name else {
            return self.warn(
                "impossible-name",
                term,
                "the name has an empty label or one of more than 63 octets, so that it can \
                 never be found",
                "write the name as DNS has it",
            );
        };
        let Some(odd) = name.chars().find(|c| ODD.contains(*c)) else { return };
        let bare = name.trim_start_matches("https://").trim_start_matches("http://");
        let host = bare.split(|c| ODD.contains(c)).find(|part| part.contains('.')).unwrap_or(bare);
        let named = term.bare().find([':', '=']).map_or(&*term.text, |at| &term.bare()[..=at]);
        self.warn(
            "odd-name",
            term,
            format!("`{odd}` stands in the name, and no host or domain has one"),
            written(format!("{}{named}{host}", term.sign()), "write the name as DNS has it"),
        );
    }

    /// RFC 7208 section 6.2: the text is for a fail alone.
    fn explanation(&mut self, terms: &[Term<'_>]) {
        let explanation =
            terms.iter().find(|term| matches!(term.meaning(), Ok(Meaning::Explanation(_))));
        let refuses = terms.iter().any(|term| {
            matches!(
                term.meaning(),
                Ok(Meaning::Redirect(_) | Meaning::Directive(Qualifier::Fail, _))
            )
        });
        if let Some(explanation) = explanation.filter(|_| !refuses) {
            self.advise(
                "unused-explanation",
                explanation,
                "`exp=` explains a fail, and this record never fails",
                "remove it, or end the record with `-all`",
            );
        }
    }
}

fn is_network(term: &Term<'_>) -> bool {
    matches!(term.directive(), Some((_, Mechanism::Ip4(..) | Mechanism::Ip6(..))))
}

/// The cure that these terms are, if they keep to the grammar; or else these words.
fn written(terms: String, or: &str) -> String {
    match term::mended(&terms, &(0..0)) {
        Some(_) => format!("write `{terms}`"),
        None => or.to_owned(),
    }
}
