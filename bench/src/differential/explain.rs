//! Why a peer says something else: its departures, held against the case itself.

use super::departures::{self, Departure};
use super::judge::Ours;
use super::reading;
use super::world::Case;

/// What a result of a peer comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Explanation {
    Agreement,
    /// The fewest departures of the peer that lead to what it says.
    Departures(Vec<Departure>),
    /// We do not say what RFC 7208 says, read plainly: this.
    OursIsOdd(&'static str),
    /// The departures that are known of the peer do not lead to what it says, but to this.
    TheirsIsOdd(&'static str),
}

/// Explains what a peer says of a case. Two readings decide, never the two results alone: without
/// departures RFC 7208 must give our result, and with all departures of the peer its own.
pub(crate) fn explain(case: &Case, ours: &Ours, peer: &str, theirs: &str) -> Explanation {
    let plain = reading::result(case, &[]);
    if plain != ours.result {
        return Explanation::OursIsOdd(plain);
    }
    if theirs == ours.result {
        return Explanation::Agreement;
    }
    let mut needed = departures::of(peer);
    let expected = reading::result(case, &needed);
    if expected != theirs {
        return Explanation::TheirsIsOdd(expected);
    }
    for departure in departures::of(peer) {
        let without: Vec<_> = needed.iter().copied().filter(|one| *one != departure).collect();
        if reading::result(case, &without) == theirs {
            needed = without;
        }
    }
    Explanation::Departures(needed)
}

#[cfg(test)]
mod tests {
    use super::super::judge::{Answers, judge};
    use super::super::peers::{LIBSPF2, MAIL_SPF, PYSPF};
    use super::super::random::Random;
    use super::super::world;
    use super::*;

    const RESULTS: [&str; 7] =
        ["pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"];

    const CASES: usize = 1_000;

    /// Whatever the peers say, a result of ours that is wrong is never explained.
    #[test]
    fn a_fault_of_ours_is_never_explained() {
        let mut random = Random(7);
        let mut departed = 0;
        for _ in 0..CASES {
            let case = world::Case::generate(&mut random);
            let ours = judge(&case, Answers::InTurn);
            for peer in [PYSPF, MAIL_SPF, LIBSPF2] {
                let theirs = reading::result(&case, &departures::of(peer));
                let explained = explain(&case, &ours, peer, theirs);
                assert!(!matches!(explained, Explanation::OursIsOdd(_)), "{explained:?} {case:?}");
                departed += usize::from(theirs != ours.result);
                for wrong in RESULTS.into_iter().filter(|word| *word != ours.result) {
                    let mut planted = ours.clone();
                    planted.result = wrong;
                    let explained = explain(&case, &planted, peer, theirs);
                    assert_eq!(explained, Explanation::OursIsOdd(ours.result), "{wrong} {peer}");
                }
            }
        }
        assert!(departed > CASES / 50, "{departed}");
    }

    /// What a peer says without a reason that is known of it is not explained, either.
    #[test]
    fn a_peer_may_not_say_anything() {
        let mut random = Random(8);
        for _ in 0..CASES {
            let case = world::Case::generate(&mut random);
            let ours = judge(&case, Answers::InTurn);
            for peer in [PYSPF, MAIL_SPF, LIBSPF2] {
                let expected = reading::result(&case, &departures::of(peer));
                for theirs in RESULTS.into_iter().filter(|word| *word != ours.result) {
                    match explain(&case, &ours, peer, theirs) {
                        Explanation::Departures(needed) => {
                            assert_eq!(theirs, expected);
                            assert!(!needed.is_empty());
                        }
                        odd => assert_eq!(odd, Explanation::TheirsIsOdd(expected)),
                    }
                }
            }
        }
    }
}
