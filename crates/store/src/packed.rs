//! A case in octets, as it waits to be written.
//!
//! To pack it is all that is done on its message's path, where it has just been made and is in the
//! processor's cache. All else, JSON and names and words, is left to the writer.

use std::cell::Cell;
use std::io;

use borsh::{BorshDeserialize, BorshSerialize};
use quivive_evidence::{Facts, Finding, Notebook, Noted, Recorded};
use quivive_verdict::{Case, Cost, Headers, Judgement, Verdict};

use crate::body::Own;
use crate::filter::{FindingHead, Looked};
use crate::tally::{Tally, is_refusal, refused, seconds};

/// The form in which cases are packed. Whoever changes it, be it by a new field of what is packed,
/// counts it up: a file may have cases that another version has packed.
pub(crate) const FORM: i64 = 1;

/// What almost all cases fit into.
const CASE_OCTETS: usize = 16 * 1024;

/// A case to be packed.
pub(crate) struct Packing<'c> {
    own: Own<'c>,
    findings: &'c [Finding],
    evidence: Evidence<'c>,
}

#[derive(Clone, Copy)]
enum Evidence<'c> {
    Noted(&'c Notebook),
    Recorded(&'c [Recorded]),
}

/// An answer to be packed.
#[derive(BorshSerialize)]
enum Answering<'a> {
    Noted(&'a Noted),
    Recorded(&'a Recorded),
}

/// An answer that was packed.
#[derive(BorshDeserialize)]
enum Answered {
    Noted(Noted),
    Recorded(Recorded),
}

/// What was packed. Findings and answers are unpacked only where they are looked at: a writer that
/// has met them before knows them by their octets.
pub(crate) struct Packed<'p> {
    pub(crate) facts: Facts,
    pub(crate) door: String,
    pub(crate) verdict: Verdict,
    pub(crate) headers: Headers,
    pub(crate) cost: Cost,
    pub(crate) outcome: String,
    pub(crate) cut: Vec<String>,
    /// The verdict for each recipient of the facts is that for the message.
    pub(crate) alike: bool,
    /// For [`finding`].
    pub(crate) findings: Vec<&'p [u8]>,
    /// For [`answer`].
    pub(crate) evidence: Vec<&'p [u8]>,
}

impl<'c> Packing<'c> {
    pub(crate) fn of_judgement(judgement: &'c Judgement, door: &'c str, outcome: &'c str) -> Self {
        let own = Own::of_judgement(judgement, door, outcome);
        let evidence = Evidence::Noted(&judgement.notebook);
        Self { own, findings: &judgement.findings, evidence }
    }

    pub(crate) fn of_case(case: &'c Case) -> Self {
        let evidence = Evidence::Recorded(&case.evidence);
        Self { own: Own::of_case(case), findings: &case.findings, evidence }
    }

    /// Has this done with the octets.
    pub(crate) fn packed<T>(&self, take: impl FnOnce(&[u8]) -> T) -> T {
        thread_local! {
            static OCTETS: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
        }
        let mut octets = OCTETS.take();
        self.write(&mut octets).expect("memory takes all octets");
        let taken = take(&octets);
        octets.clear();
        octets.shrink_to(CASE_OCTETS);
        OCTETS.set(octets);
        taken
    }

    /// Counts it.
    pub(crate) fn count(&self, tally: &mut Tally) {
        let Own { facts, verdict, .. } = self.own;
        let kinds = self.findings.iter().map(|it| (it.method, it.identity, it.result));
        tally.count(seconds(facts), verdict.action, kinds, refused(facts, verdict.action));
    }

    /// The ids under which it is asked for: its own, and that of its page if it has one.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &'c str> {
        let Own { facts, verdict, .. } = self.own;
        let public_id = Some(&*facts.public_id).filter(|_| is_refusal(verdict.action));
        [Some(&*facts.case_id), public_id].into_iter().flatten().filter(|id| !id.is_empty())
    }

    fn write(&self, octets: &mut Vec<u8>) -> io::Result<()> {
        let Own { facts, door, verdict, headers, cost, outcome, cut, alike } = self.own;
        // What a list looks at stands first.
        (facts, door, verdict, outcome).serialize(octets)?;
        self.findings.len().serialize(octets)?;
        self.findings.iter().try_for_each(|finding| sized(octets, finding))?;
        match self.evidence {
            Evidence::Noted(notebook) => {
                notebook.len().serialize(octets)?;
                notebook.noted().try_for_each(|noted| sized(octets, &Answering::Noted(&noted)))?;
            }
            Evidence::Recorded(answers) => {
                answers.len().serialize(octets)?;
                let mut answers = answers.iter();
                answers.try_for_each(|answer| sized(octets, &Answering::Recorded(answer)))?;
            }
        }
        (headers, cost, cut, alike).serialize(octets)
    }
}

impl<'p> Packed<'p> {
    /// Unpacks a case.
    ///
    /// # Errors
    /// The octets are not those of a case.
    pub(crate) fn read(mut octets: &'p [u8]) -> io::Result<Self> {
        let rest = &mut octets;
        let (facts, door, verdict, outcome) = BorshDeserialize::deserialize(rest)?;
        let (findings, evidence) = (all_sized(rest)?, all_sized(rest)?);
        let (headers, cost, cut, alike) = BorshDeserialize::deserialize(rest)?;
        if !rest.is_empty() {
            return Err(io::Error::other("there are octets behind it"));
        }
        Ok(Self { facts, door, verdict, headers, cost, outcome, cut, alike, findings, evidence })
    }

    pub(crate) fn own(&self) -> Own<'_> {
        let Self { facts, door, verdict, headers, cost, outcome, cut, alike, .. } = self;
        Own { facts, door, verdict, headers, cost: *cost, outcome, cut, alike: *alike }
    }

    /// The case as a whole.
    ///
    /// # Errors
    /// A finding or an answer is none.
    pub(crate) fn case(self) -> io::Result<Case> {
        let Self { facts, door, mut verdict, headers, cost, outcome, cut, alike, .. } = self;
        if alike {
            verdict.recipients = verdict.for_each(&facts.recipients);
        }
        let findings = self.findings.into_iter().map(finding).collect::<io::Result<_>>()?;
        let evidence = self.evidence.into_iter().map(answer).collect::<io::Result<_>>()?;
        Ok(Case { facts, door, findings, verdict, headers, evidence, cost, outcome, cut })
    }
}

/// What a list looks at of a packed case.
pub(crate) struct Glance {
    pub(crate) facts: Facts,
    pub(crate) door: String,
    pub(crate) verdict: Verdict,
    pub(crate) outcome: String,
    pub(crate) findings: Vec<FindingHead>,
}

impl Glance {
    /// Unpacks no more than that.
    ///
    /// # Errors
    /// The octets are not those of a case.
    pub(crate) fn at(mut octets: &[u8]) -> io::Result<Self> {
        let rest = &mut octets;
        let (facts, door, verdict, outcome) = BorshDeserialize::deserialize(rest)?;
        let findings = all_sized(rest)?.into_iter();
        let findings = findings.map(|mut octets| FindingHead::deserialize(&mut octets));
        let findings = findings.collect::<io::Result<_>>()?;
        Ok(Self { facts, door, verdict, outcome, findings })
    }

    /// For a filter.
    pub(crate) fn looked(&self) -> Looked<'_> {
        Looked { facts: &self.facts, verdict: &self.verdict, findings: &self.findings }
    }
}

/// Unpacks a finding.
///
/// # Errors
/// The octets are not those of one.
pub(crate) fn finding(octets: &[u8]) -> io::Result<Finding> {
    Finding::try_from_slice(octets)
}

/// Unpacks an answer.
///
/// # Errors
/// The octets are not those of one.
pub(crate) fn answer(octets: &[u8]) -> io::Result<Recorded> {
    Ok(match Answered::try_from_slice(octets)? {
        Answered::Noted(noted) => Recorded::of(&noted),
        Answered::Recorded(recorded) => recorded,
    })
}

/// Writes how many octets it has, and these.
fn sized(octets: &mut Vec<u8>, value: &impl BorshSerialize) -> io::Result<()> {
    let start = octets.len();
    0_u32.serialize(octets)?;
    let begin = octets.len();
    value.serialize(octets)?;
    let length = u32::try_from(octets.len() - begin).map_err(io::Error::other)?;
    octets[start..begin].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

fn all_sized<'p>(octets: &mut &'p [u8]) -> io::Result<Vec<&'p [u8]>> {
    let count = usize::deserialize(octets)?;
    (0..count).map(|_| next_sized(octets)).collect()
}

/// Takes what [`sized`] has written.
pub(crate) fn next_sized<'p>(octets: &mut &'p [u8]) -> io::Result<&'p [u8]> {
    let length = u32::deserialize(octets)? as usize;
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (value, rest) = octets.split_at_checked(length).ok_or_else(cut)?;
    *octets = rest;
    Ok(value)
}
