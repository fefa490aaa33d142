//! What other implementations do otherwise than RFC 7208 says, each with the section that settles
//! it. `docs/differences.md` tells them.
//!
//! A departure is no excuse by itself: [`reading`](super::reading) reads the case again with the
//! departures of a peer, and only if that gives what the peer says is its difference explained.

use super::peers::{LIBSPF2, MAIL_SPF, PYSPF};

/// One thing that is read otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Departure {
    /// An `include` of the record's own domain is an error as soon as the record is read.
    IncludeOfItself,
    /// Macros are expanded, and names of the client looked up for them, when a record is read.
    MacrosExpandedWhenRead,
    /// As many look-ups as there are may find nothing.
    VoidLookupsUnlimited,
    /// What finds or validates a name of the client counts as void where it finds nothing.
    NamesOfClientCountAsVoid,
    /// A `redirect` counts as a term although a directive matches: when it is read.
    RedirectCountsWhenRead,
    /// A `redirect` counts as a term although a directive matches: afterwards.
    RedirectCountsAfterMatch,
    /// The terms of an included record are counted on their own, and looked at before the next one.
    TermsCountedPerInclude,
    /// More than ten hosts of an `mx`: the first ten count.
    HostsBeyondTenIgnored,
    /// More than ten hosts of an `mx`: an error, unless one of the first ten matches.
    TenHostsComparedFirst,
    /// More than ten names of the client: an error, unless one of the first ten matches.
    NamesBeyondTenAreAnError,
    /// A name with an empty label stops the program.
    EmptyLabelCrashes,
    /// An over-long label is cut, and what remains is asked.
    LongLabelIsCut,
    /// A text of more than 255 octets in a domain-spec is an error of syntax.
    LongTextRefused,
    /// All addresses of all hosts, or of all names of the client, are looked up before any of them
    /// is compared.
    ComparesLast,
    /// Names of the client that cannot match a `ptr` are looked up, too.
    AllNamesValidated,
    /// A failing look-up of the client's names ends the check at a `ptr`.
    ReverseFailureStops,
    /// A failing look-up of a name's address ends the check at a `ptr`.
    NameFailureStops,
    /// Either failing look-up ends the check at a `%{p}`.
    FailureStopsExpansion,
    /// IPv4 clients are compared with `ip6` networks, as mapped addresses.
    MappedAddressesCompared,
    /// An `exists` with a qualifier needs no domain.
    ExistsWithoutDomain,
    /// Any modifier that stands twice is an error.
    RepeatedModifierRefused,
    /// Any modifier may stand twice.
    RepeatedModifierTaken,
    /// `redirect` is evaluated where it stands, and may be written as a mechanism.
    RedirectInPlace,
    /// The domain-spec may be empty, and end in anything.
    DomainEndUnchecked,
    /// `%{d0}` is a macro.
    ZeroLabels,
    /// The number of a macro counts the dots of what it stands for, and where there are not so many
    /// takes a character.
    LabelsCutByDots,
    /// A macro that is not well formed is an error only where it is expanded.
    MacrosCheckedWhenExpanded,
    /// A percent sign that begins no macro stands for itself.
    StrayPercentTaken,
    /// A name ends in letters of any script.
    LettersOfAnyScript,
    /// A domain-spec holds any octets.
    AnyOctetTaken,
    /// A prefix length of 0 is an error.
    ZeroPrefixRefused,
    /// A prefix length may have leading zeros.
    LeadingZerosTaken,
    /// The name of a modifier holds no dots.
    DottedModifierRefused,
    /// `%{p}` is the first validated name.
    FirstValidatedName,
    /// `%{p}` is looked up once for all domains of a check.
    ValidatedNameKept,
}

/// A departure: where it is told, and whose it is.
pub(crate) struct Rule {
    pub(crate) departure: Departure,
    pub(crate) peers: &'static [&'static str],
    /// The section of RFC 7208 first.
    pub(crate) name: &'static str,
}

/// The departures of a peer: all of them are in force at any time.
pub(crate) fn of(peer: &str) -> Vec<Departure> {
    let own = RULES.iter().filter(|rule| rule.peers.contains(&peer));
    own.map(|rule| rule.departure).collect()
}

/// What is said of a departure.
pub(crate) fn name(departure: Departure) -> &'static str {
    let rule = RULES.iter().find(|rule| rule.departure == departure);
    rule.map_or("no rule", |rule| rule.name)
}

const fn rule(departure: Departure, peers: &'static [&'static str], name: &'static str) -> Rule {
    Rule { departure, peers, name }
}

pub(crate) const RULES: &[Rule] = {
    use Departure::*;
    &[
        rule(
            IncludeOfItself,
            &[PYSPF],
            "4.6: an include of the record's own domain counts when the walk comes to it",
        ),
        rule(
            MacrosExpandedWhenRead,
            &[PYSPF],
            "4.6.2: a term is evaluated, and its macros expanded, when the walk comes to it",
        ),
        rule(VoidLookupsUnlimited, &[LIBSPF2], "4.6.4: more than two void look-ups are an error"),
        rule(
            NamesOfClientCountAsVoid,
            &[PYSPF, MAIL_SPF],
            "4.6.4: what finds or validates a name of the client is no void look-up of a term",
        ),
        rule(RedirectCountsWhenRead, &[PYSPF], "4.6.4: a redirect counts when it is followed"),
        rule(
            RedirectCountsAfterMatch,
            &[MAIL_SPF],
            "4.6.4: a redirect counts when it is followed, not after a match",
        ),
        rule(
            TermsCountedPerInclude,
            &[LIBSPF2],
            "4.6.4: the limit of ten terms holds for a check with all its includes",
        ),
        rule(
            HostsBeyondTenIgnored,
            &[MAIL_SPF],
            "4.6.4: an mx with more than ten hosts is an error",
        ),
        rule(
            TenHostsComparedFirst,
            &[LIBSPF2],
            "4.6.4: an mx with more than ten hosts is an error, whichever would match",
        ),
        rule(
            NamesBeyondTenAreAnError,
            &[LIBSPF2],
            "4.6.4: more than ten names of the client are no error",
        ),
        rule(EmptyLabelCrashes, &[MAIL_SPF], "4.8: a name with an empty label is no name"),
        rule(
            LongLabelIsCut,
            &[MAIL_SPF],
            "4.8: a name with an over-long label is no name, and no look-up of it void",
        ),
        rule(
            LongTextRefused,
            &[LIBSPF2],
            "7.3: a name that is too long loses labels from the left",
        ),
        rule(
            ComparesLast,
            &[PYSPF],
            "5.4: hosts and names are looked up in turn, and a match before a void one stands",
        ),
        rule(
            AllNamesValidated,
            &[PYSPF, LIBSPF2],
            "5.5: a name of the client outside the target cannot match",
        ),
        rule(
            ReverseFailureStops,
            &[PYSPF, MAIL_SPF, LIBSPF2],
            "5.5: where the client's names cannot be had, ptr does not match",
        ),
        rule(
            NameFailureStops,
            &[PYSPF, LIBSPF2],
            "5.5: a name of the client whose address cannot be had is skipped",
        ),
        rule(
            FailureStopsExpansion,
            &[PYSPF],
            "7.3: where no name of the client can be had, %{p} is unknown",
        ),
        rule(
            MappedAddressesCompared,
            &[MAIL_SPF],
            "5.6: ip6 is compared with clients of IPv6 alone",
        ),
        rule(
            ExistsWithoutDomain,
            &[PYSPF],
            "5.7: exists has a domain-spec; without one it is an error of syntax",
        ),
        rule(
            RepeatedModifierRefused,
            &[PYSPF],
            "6: an unknown modifier is ignored, however often it stands",
        ),
        rule(RepeatedModifierTaken, &[LIBSPF2], "6: redirect and exp stand at most once"),
        rule(
            RedirectInPlace,
            &[LIBSPF2],
            "6.1: a redirect is followed where no directive matches, wherever it stands",
        ),
        rule(DomainEndUnchecked, &[LIBSPF2], "7.1: a domain-spec ends in a top label or a macro"),
        rule(
            ZeroLabels,
            &[PYSPF],
            "7.1: a macro's number is not zero, or the whole record is unusable",
        ),
        rule(
            MacrosCheckedWhenExpanded,
            &[MAIL_SPF],
            "7.1: a macro that is not well formed makes the whole record unusable",
        ),
        rule(
            StrayPercentTaken,
            &[LIBSPF2],
            "7.1: a percent sign alone makes the whole record unusable",
        ),
        rule(LettersOfAnyScript, &[MAIL_SPF], "12: a letter outside ASCII is an error of syntax"),
        rule(
            AnyOctetTaken,
            &[LIBSPF2],
            "12: an octet outside printable ASCII is an error of syntax",
        ),
        rule(ZeroPrefixRefused, &[LIBSPF2], "12: a prefix length of 0 is one"),
        rule(LeadingZerosTaken, &[LIBSPF2], "12: a prefix length has no leading zeros"),
        rule(DottedModifierRefused, &[LIBSPF2], "12: the name of a modifier may hold dots"),
        rule(
            LabelsCutByDots,
            &[LIBSPF2],
            "7.3: a macro's number counts labels, and all of them stay where there are not so many",
        ),
        rule(
            FirstValidatedName,
            &[LIBSPF2],
            "7.3: %{p} is by preference the domain itself, then a name below it",
        ),
        rule(
            ValidatedNameKept,
            &[PYSPF],
            "7.3: %{p} depends on the domain whose record is evaluated",
        ),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_in_the_book() {
        let book = include_str!("../../../docs/differences.md");
        for rule in RULES {
            let (section, says) = rule.name.split_once(": ").expect("the section comes first");
            let begin = format!("| {section} | {} | ", rule.peers.join(", "));
            let told =
                |line: &str| line.starts_with(&begin) && line.ends_with(&format!(" | {says} |"));
            assert!(book.lines().any(told), "docs/differences.md lacks {begin}... | {says} |");
        }
        let rows = book.lines().filter(|line| line.starts_with("| ")).count();
        assert_eq!(rows, RULES.len() + 1, "a row that is no rule");
    }

    #[test]
    fn each_stands_once() {
        for (index, rule) in RULES.iter().enumerate() {
            let again = RULES[index + 1..].iter().any(|other| other.departure == rule.departure);
            assert!(!again, "{:?}", rule.departure);
        }
    }
}
