//! Settled policies: what a domain's policy comes to, with all that it includes.
//!
//! Evidence that outlives a message, as that of a simulation or of a batch, never changes an
//! answer. So what check_host() comes to for a domain, as far as only answers and the client's
//! address decide, is the same for as long as the evidence lives. It is kept beside the domain's
//! answer in that evidence (`quivive_evidence::Derived`) as spans of addresses, with all that the
//! limits count; it has no other life, and so needs no invalidation.
//!
//! No meaning is written down here: the walk itself is run for the first address of each span, and
//! says what it compares. Where it needs more of the message than the address, an answer that is
//! missing, or meets a limit, the span is left open, and the walk is run as ever.

use crate::cause::Cause;
use crate::conclusion::{Conclusion, Decider, Stop};
use crate::spans::{Bits, Bounds, NextEdge, Spans};
use crate::trace::Watch;
use crate::walk::Walk;
use crate::{Limits, Request};
use quivive_evidence::{Ahead, DERIVED_OCTETS_MAX, Derived, Evidence, FindingResult};

/// At which use in one evidence a domain's policy is settled. That takes as long as a few dozen
/// walks: too long for the evidence of a single message, which seldom uses a domain so often.
pub const SETTLED_AT: u32 = 20;

/// A domain with more spans than these is walked for its own senders: a million domains are to fit
/// into memory, and what they share is settled where they include it.
pub const OWN_SPANS_MAX: usize = 64;

/// A policy with more spans than these is walked wherever it is included.
pub const INCLUDED_SPANS_MAX: usize = 256;

/// A policy that comes to more different ends than these is walked.
const ENDS_MAX: usize = 64;

/// With how many networks addresses may be compared to settle a policy: a bound on the time for it,
/// which grows with the square of the number of networks.
pub const COMPARISONS_MAX: usize = 1 << 17;

/// What a policy is looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// For its own senders.
    Own,
    /// For those of a domain that includes it: which directive decides is not told.
    Included,
}

/// What check_host() comes to for a span of addresses, and what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    end: End,
    pub(crate) terms: u8,
    pub(crate) void_lookups: u8,
    pub(crate) questions: u8,
    /// The text of the directive that decided: where it stands among those of the policy, and its
    /// length.
    decided_by: (u16, u16),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Concluded(FindingResult, Cause),
    Stopped(Stop),
    /// That is to be found out.
    Open,
}

/// A settled policy, for the addresses of one family.
#[derive(Debug)]
pub(crate) struct Policy<A> {
    /// Which of the ends it comes to; few spans come to one of their own.
    spans: Spans<A, u16>,
    ends: Box<[Settled]>,
    texts: Box<str>,
}

/// As they are kept: none where there is nothing to keep.
struct ForOwn<A>(Option<Policy<A>>);
struct ForIncluded<A>(Option<Policy<A>>);

/// All that can be settled for a name keeps to what may be derived.
const _: () = {
    let span = size_of::<(u32, u16)>() + size_of::<(u128, u16)>();
    let spans = OWN_SPANS_MAX + INCLUDED_SPANS_MAX;
    // In two roles, for addresses of two families.
    let ends = 4 * ENDS_MAX * size_of::<Settled>();
    assert!(spans * span + ends + 4 * size_of::<Policy<u128>>() <= DERIVED_OCTETS_MAX);
};

/// What a domain's policy comes to for a client, if that is settled, or it is time to settle it.
#[inline]
pub(crate) fn look_up<'a, A: Bits, E: Evidence + ?Sized>(
    (evidence, derived): (&'a E, &'a Derived),
    domain: &str,
    role: Role,
    client: A,
) -> Option<(&'a Policy<A>, Settled)> {
    let memo = derived.memo();
    let kept = match role {
        Role::Own => memo.get().map(|ForOwn(policy)| policy),
        Role::Included => memo.get().map(|ForIncluded(policy)| policy),
    };
    let kept = match kept {
        Some(kept) => kept,
        None if derived.count_use() + 1 < SETTLED_AT => return None,
        None => settle((evidence, derived), domain, role),
    };
    let policy = kept.as_ref()?;
    let settled = policy.ends[usize::from(*policy.spans.at(client))];
    (settled.end != End::Open).then_some((policy, settled))
}

#[cold]
fn settle<'a, A: Bits, E: Evidence + ?Sized>(
    (evidence, derived): (&'a E, &'a Derived),
    domain: &str,
    role: Role,
) -> &'a Option<Policy<A>> {
    let make = || Policy::of(evidence, domain, role);
    match role {
        Role::Own => &derived.memo().get_or_make(|| ForOwn(make())).0,
        Role::Included => &derived.memo().get_or_make(|| ForIncluded(make())).0,
    }
}

impl<A: Bits> Policy<A> {
    fn of<E: Evidence + ?Sized>(evidence: &E, domain: &str, role: Role) -> Option<Self> {
        let spans_max = match role {
            Role::Own => OWN_SPANS_MAX,
            Role::Included => INCLUDED_SPANS_MAX,
        };
        let bounds = Bounds { spans: spans_max, comparisons: COMPARISONS_MAX };
        let mut request = Request::of_sender(A::of(0).address(), ("", domain), "");
        let mut texts = String::new();
        let mut ends = Vec::new();
        let spans = Spans::over(bounds, |client, edges| {
            request.address = client;
            let watch = Dependence { edges, on_message: false };
            let mut walk = Walk::new(&request, evidence, Limits::default(), watch);
            let end = walk.check_host(domain, Ahead::Allowed);
            let settled = match role {
                Role::Own => Settled::of(&walk, end, Some(&mut texts)),
                Role::Included => Settled::of(&walk, end, None),
            };
            place_of(settled.unwrap_or(Settled::OPEN), &mut ends)
        })?;
        let is_open = ends.iter().all(|settled: &Settled| settled.end == End::Open);
        (!is_open && ends.len() <= ENDS_MAX).then(|| Self {
            spans,
            ends: ends.into(),
            texts: texts.into(),
        })
    }

    /// What the walk would have come to.
    pub(crate) fn conclude(&self, settled: Settled) -> Result<Conclusion<'_>, Stop> {
        let (result, cause) = match settled.end {
            End::Concluded(result, cause) => (result, cause),
            End::Stopped(stop) => return Err(stop),
            End::Open => (FindingResult::None, Cause::Missing),
        };
        let (start, length) = settled.decided_by;
        let kept = Decider::Kept { texts: &self.texts, start, length };
        Ok(Conclusion { result, cause, decided_by: (length > 0).then_some(kept) })
    }
}

impl Settled {
    const OPEN: Self =
        Self { end: End::Open, terms: 0, void_lookups: 0, questions: 0, decided_by: (0, 0) };

    /// What a walk came to, if every walk for this address comes to it.
    fn of<E: Evidence + ?Sized>(
        walk: &Walk<'_, E, Dependence<'_>>,
        end: Result<Conclusion<'_>, Stop>,
        texts: Option<&mut String>,
    ) -> Option<Self> {
        if walk.watch.on_message || !walk.missing.is_empty() {
            return None;
        }
        let decider = end.as_ref().ok().and_then(|conclusion| conclusion.decided_by);
        let end = match end {
            Ok(conclusion) => End::Concluded(conclusion.result, conclusion.cause),
            // How far it is to a limit is another matter in every walk.
            Err(stop) if stop.cause.is_limit_of_walk() => return None,
            Err(stop) => End::Stopped(stop),
        };
        let decided_by = match (decider, texts) {
            (Some(decider), Some(texts)) => keep(decider.text(), texts)?,
            _ => (0, 0),
        };
        let [terms, void_lookups, questions] = walk.counted().map(u8::try_from);
        Some(Self {
            end,
            terms: terms.ok()?,
            void_lookups: void_lookups.ok()?,
            questions: questions.ok()?,
            decided_by,
        })
    }
}

/// Where an end stands among those that are kept, of which there are no more than spans.
fn place_of(settled: Settled, ends: &mut Vec<Settled>) -> u16 {
    let known = ends.iter().position(|known| *known == settled);
    known.unwrap_or_else(|| {
        ends.push(settled);
        ends.len() - 1
    }) as u16
}

/// Where a text stands among those that are kept; none where there are too many.
fn keep(text: &str, texts: &mut String) -> Option<(u16, u16)> {
    let start = texts.find(text).unwrap_or_else(|| {
        texts.push_str(text);
        texts.len() - text.len()
    });
    Some((start.try_into().ok()?, text.len().try_into().ok()?))
}

/// Looks for what a walk depends on.
struct Dependence<'w> {
    edges: &'w mut NextEdge,
    on_message: bool,
}

impl Watch for Dependence<'_> {
    const LOOKS_AT_ALL: bool = true;

    fn compared(&mut self, network: std::net::IpAddr, prefix: u8) {
        self.edges.compared(network, prefix);
    }

    fn depends_on_message(&mut self) {
        self.on_message = true;
    }
}

#[cfg(test)]
mod tests;
