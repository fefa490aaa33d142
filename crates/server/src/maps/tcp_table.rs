use std::sync::Arc;

use quivive_postfix::tcp_table::{self, Question, Questions};
use quivive_postfix::{Answer, Input};

use super::conversation::{Door, Unreadable};
use super::{Map, NO_PLACE, look_up};
use crate::asking::Patience;
use crate::ledger::Ledger;

/// A map that has a listener of its own.
#[derive(Clone)]
pub struct TcpTable {
    /// The map.
    pub map: Arc<dyn Map>,
    /// How long programs are waited for.
    pub patience: Patience,
    /// Where connections are counted.
    pub ledger: Ledger,
}

/// What is no question has no answer: that is no reason to keep mail waiting (as PostSRSd 1.10).
const INVALID: Answer = Answer::NotFound("Invalid request");

impl Door for TcpTable {
    const WORD: &'static str = "tcp-table";
    type Questions = Questions;

    fn questions() -> Questions {
        Questions::default()
    }

    fn input(questions: &mut Questions) -> &mut Input {
        questions.input()
    }

    fn answer(&self, questions: &mut Questions, output: &mut Vec<u8>) -> Result<bool, Unreadable> {
        let answer = match questions.question() {
            Ok(Some(Question::Get(key))) => look_up(&*self.map, &key),
            Ok(Some(Question::Unknown)) => INVALID,
            Ok(None) => return Ok(false),
            Err(error) => {
                tcp_table::write(&INVALID, output);
                return Err(Unreadable(error.to_string()));
            }
        };
        tcp_table::write(&answer, output);
        Ok(true)
    }

    fn too_many() -> Vec<u8> {
        let mut word = Vec::new();
        tcp_table::write(&NO_PLACE, &mut word);
        word
    }

    fn patience(&self) -> Patience {
        self.patience
    }

    fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}
