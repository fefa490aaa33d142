//! Terms that break the grammar: what is wrong, and what was probably meant.

mod argument;
mod octet;
mod word;

use std::ops::Range;

use quivive_evidence::{Remark, Severity};

use super::term::{self, Term};
use crate::syntax::SyntaxErrorKind;

/// What somebody did, and what to write instead.
struct Slip {
    code: &'static str,
    message: String,
    cure: Cure,
    /// How many of the terms after it belong to it.
    following: usize,
}

/// What to do about it.
enum Cure {
    /// Write these terms: the only cure that there is.
    Write(String),
    /// Words to whoever wrote it.
    Say(String),
}

/// How many times what is written instead is mended again.
const MENDED_MAX: usize = 8;

/// How a slip is recognised: by the term, and by those after it.
type Recognise = fn(&Term<'_>, &[Term<'_>]) -> Option<Slip>;

/// In this order: what is seen first explains what comes of it.
const SLIPS: &[Recognise] = &[
    octet::quotes,
    octet::beyond_ascii,
    word::missing_colon,
    octet::separator,
    word::lone_qualifier,
    word::all,
    word::missing_blank,
    word::colon_for_equals,
    word::modifier_with_qualifier,
    word::bare_address,
    word::bare_domain,
    argument::address_for_domain,
    argument::network,
    argument::prefix,
    argument::percent,
    argument::domain,
    word::unknown_name,
];

/// A remark for each term that breaks the grammar, and the terms as they would be without the slips
/// whose cure is certain: what else is wrong with them is seen then.
pub(super) fn mend<'r>(terms: Vec<Term<'r>>) -> (Vec<Remark>, Vec<Term<'r>>) {
    let mut remarks = Vec::new();
    let mut mended = Vec::new();
    let mut index = 0;
    while let Some(term) = terms.get(index) {
        let after = &terms[index + 1..];
        index += 1;
        let Some(kind) = term.error() else {
            mended.push(term.clone());
            continue;
        };
        let slip = recognised(term, kind, after);
        let slip = Slip { cure: settled(slip.cure, MENDED_MAX), ..slip };
        let last = terms[index - 1 + slip.following].span.end;
        index += slip.following;
        let whole = term.span.start..last;
        let better = match &slip.cure {
            Cure::Write(written) => term::mended(written, &whole),
            Cure::Say(_) => None,
        };
        mended.extend(better.unwrap_or_else(|| vec![term.clone()]));
        let span = if slip.following > 0 { whole } else { place(term) };
        remarks.push(Remark::new(Severity::Error, slip.code, span, slip.message, slip.cure.help()));
    }
    (remarks, mended)
}

fn recognised(term: &Term<'_>, kind: SyntaxErrorKind, after: &[Term<'_>]) -> Slip {
    let slip = SLIPS.iter().find_map(|recognise| recognise(term, after));
    slip.unwrap_or_else(|| Slip::plain(kind))
}

/// A cure after which nothing breaks the grammar: what is wrong still with what would be written is
/// mended, too; where that has no certain cure, words say what to do.
fn settled(cure: Cure, left: usize) -> Cure {
    let Cure::Write(written) = cure else { return cure };
    let record = [term::VERSION, &written].concat();
    let terms = term::split(&record, 0);
    if terms.iter().all(|term| term.error().is_none()) {
        return Cure::Write(written);
    }
    let mut better = Vec::new();
    let mut rest = &*terms;
    while let [term, after @ ..] = rest {
        rest = after;
        let Some(kind) = term.error() else {
            better.push(term.text.to_string());
            continue;
        };
        let slip = recognised(term, kind, after);
        rest = &after[slip.following..];
        match slip.cure {
            Cure::Write(written) if left > 0 => better.push(written),
            Cure::Write(_) => return say("type the term anew"),
            words => return words,
        }
    }
    settled(Cure::Write(better.join(" ")), left.saturating_sub(1))
}

/// The part of the term that is wrong; all of it where that says more.
fn place(term: &Term<'_>) -> Range<usize> {
    let Err(error) = term.meaning() else { return term.span.clone() };
    let whole = matches!(error.kind, SyntaxErrorKind::UnknownMechanism)
        || error.span.is_empty()
        || error.span.end > term.text.len();
    if whole {
        return term.span.clone();
    }
    // A length alone says what is wrong with it; all that stands before it is in order.
    let slash = term.text.rfind('/').filter(|_| error.kind == SyntaxErrorKind::PrefixLength);
    if let Some(slash) = slash {
        return term.span.start + slash..term.span.end;
    }
    let mut end = error.span.end;
    while !term.text.is_char_boundary(end) {
        end += 1;
    }
    term.span.start + error.span.start..term.span.start + end
}

impl Slip {
    fn new(code: &'static str, message: impl Into<String>, cure: Cure) -> Self {
        Self { code, message: message.into(), cure, following: 0 }
    }

    /// What the grammar says, where nothing better is known.
    fn plain(kind: SyntaxErrorKind) -> Self {
        let help = match kind {
            SyntaxErrorKind::MissingArgument => {
                "write what it is about behind a colon, as in `include:_spf.example.net`"
            }
            SyntaxErrorKind::UnexpectedArgument => "leave out what follows its name",
            SyntaxErrorKind::RepeatedModifier => "keep one of them",
            SyntaxErrorKind::ExplanationMacro => {
                "the letters c, r and t may stand only in the text that `exp=` points to"
            }
            _ => "remove it, or mend it by RFC 7208 section 12",
        };
        Self::new(
            code(kind),
            format!("{kind}; one error makes the whole record unusable"),
            say(help),
        )
    }
}

/// These terms are the cure.
fn write(terms: impl Into<String>) -> Cure {
    Cure::Write(terms.into())
}

/// These words are the cure.
fn say(words: impl Into<String>) -> Cure {
    Cure::Say(words.into())
}

impl Cure {
    fn map(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Write(terms) => Self::Write(change(terms)),
            Self::Say(words) => Self::Say(change(words)),
        }
    }

    fn help(&self) -> String {
        match self {
            Self::Write(terms) => format!("write `{terms}`"),
            Self::Say(words) => words.clone(),
        }
    }
}

/// The stable word for an error of the grammar.
fn code(kind: SyntaxErrorKind) -> &'static str {
    match kind {
        SyntaxErrorKind::Version => "version",
        SyntaxErrorKind::TooLong => "too-long",
        SyntaxErrorKind::Octet => "not-ascii",
        SyntaxErrorKind::UnknownMechanism => "unknown-mechanism",
        SyntaxErrorKind::UnexpectedArgument => "unexpected-argument",
        SyntaxErrorKind::MissingArgument => "missing-argument",
        SyntaxErrorKind::Ipv4Network => "ipv4-network",
        SyntaxErrorKind::Ipv6Network => "ipv6-network",
        SyntaxErrorKind::PrefixLength => "prefix-length",
        SyntaxErrorKind::DomainEnd => "domain-end",
        SyntaxErrorKind::Macro => "macro",
        SyntaxErrorKind::ExplanationMacro => "explanation-macro",
        SyntaxErrorKind::RepeatedModifier => "repeated-modifier",
    }
}

/// Whether a text is the argument of `ip4:` or `ip6:`: an address or a network, and of which
/// mechanism.
fn network_mechanism(text: &str) -> Option<&'static str> {
    let address = text.split_once('/').map_or(text, |(address, _)| address);
    match address.parse::<std::net::IpAddr>().ok()? {
        std::net::IpAddr::V4(_) => Some("ip4"),
        std::net::IpAddr::V6(_) => Some("ip6"),
    }
}

/// Whether a text is a name of several labels, as hosts and domains have them.
fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet))
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    let last_is_name = text
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().any(|octet| octet.is_ascii_alphabetic()));
    text.contains('.') && text.split('.').all(label) && last_is_name
}
