use crate::{DnsQuestion, Question, RecordType};

/// How many TXT questions an evaluation may put ahead of need in one round.
///
/// A domain's record decides what is asked, so that a hostile one could turn every receiver into an
/// amplifier. In strict order it can waste the permitted void look-ups and one more (RFC 7208
/// section 4.6.4), which is three; ahead of need it can waste no more than that in a round.
pub const AHEAD_TXT_ROUND_MAX: usize = 3;

/// How many questions of other types an evaluation may put ahead of need in one round.
pub const AHEAD_OTHER_ROUND_MAX: usize = 3;

/// The questions whose answers an evaluation lacks.
///
/// The first is needed: the result cannot be had without it. The others are ahead of need: a walk
/// without a match would come to them. A driver may drop any of those, never the first.
#[derive(Debug, Clone, Default)]
pub struct Missing {
    questions: Vec<Question>,
    ahead_txt: usize,
    ahead_other: usize,
}

/// Whether a question may be asked before it is known to be needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// Within the caps.
    Allowed,
    /// Never: the name holds something of the sender, or the answer serves nothing but this walk.
    Forbidden,
}

impl Missing {
    /// Notes that an answer is missing. The first note is the needed question; later ones are
    /// dropped when `ahead` forbids them or when a cap of the round is reached.
    pub fn note(&mut self, question: Question, ahead: Ahead) {
        if self.questions.is_empty() {
            self.questions.push(question);
            return;
        }
        if ahead == Ahead::Forbidden || self.questions.contains(&question) {
            return;
        }
        let (count, most) = match question {
            Question::Dns(DnsQuestion { record_type: RecordType::Txt, .. }) => {
                (&mut self.ahead_txt, AHEAD_TXT_ROUND_MAX)
            }
            _ => (&mut self.ahead_other, AHEAD_OTHER_ROUND_MAX),
        };
        if *count < most {
            *count += 1;
            self.questions.push(question);
        }
    }

    /// Nothing was missing.
    pub fn is_empty(&self) -> bool {
        self.questions.is_empty()
    }

    /// The needed question first, then those ahead of need in the order of the walk.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// As [`Missing::questions`], owned.
    pub fn into_questions(self) -> Vec<Question> {
        self.questions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(index: usize, record_type: RecordType) -> Question {
        Question::dns(&format!("{index}.example"), record_type)
    }

    #[test]
    fn caps_bound_a_round() {
        let mut missing = Missing::default();
        for index in 0..100 {
            missing.note(question(index, RecordType::Txt), Ahead::Allowed);
            missing.note(question(index, RecordType::A), Ahead::Allowed);
        }
        let most = 1 + AHEAD_TXT_ROUND_MAX + AHEAD_OTHER_ROUND_MAX;
        assert_eq!(missing.questions().len(), most);
        assert_eq!(missing.questions()[0], question(0, RecordType::Txt));
    }

    #[test]
    fn the_needed_question_is_always_noted() {
        let mut missing = Missing::default();
        missing.note(question(0, RecordType::A), Ahead::Forbidden);
        missing.note(question(1, RecordType::A), Ahead::Forbidden);
        missing.note(question(0, RecordType::A), Ahead::Allowed);
        assert_eq!(missing.questions(), [question(0, RecordType::A)]);
    }
}
