use std::collections::BTreeMap;
use std::sync::Arc;

use quivive_postfix::{Answer, Input, Netstrings, socketmap};

use super::conversation::{Door, Unreadable};
use super::{Map, NO_PLACE, look_up};
use crate::asking::Patience;
use crate::ledger::Ledger;

/// A question without the name of a map, or with that of none (in the words of PostSRSd 2).
const INVALID_MAP: Answer = Answer::Permanent("Invalid map.");

/// What is no question (in the words of PostSRSd 2).
const INVALID_QUERY: Answer = Answer::Permanent("Invalid query.");

/// Maps by the names under which a socketmap has them.
#[derive(Clone, Default)]
pub struct Socketmap {
    /// The maps.
    pub maps: BTreeMap<String, Arc<dyn Map>>,
    /// How long programs are waited for.
    pub patience: Patience,
    /// Where connections are counted.
    pub ledger: Ledger,
}

impl Socketmap {
    fn look_up(&self, question: &[u8]) -> Answer {
        let Some(question) = socketmap::Question::parse(question) else { return INVALID_MAP };
        match str::from_utf8(question.map).ok().and_then(|name| self.maps.get(name)) {
            Some(map) => look_up(&**map, question.key),
            None => INVALID_MAP,
        }
    }
}

impl Door for Socketmap {
    const WORD: &'static str = "socketmap";
    type Questions = Netstrings;

    fn questions() -> Netstrings {
        Netstrings::new(socketmap::QUESTION_OCTETS_MAX)
    }

    fn input(questions: &mut Netstrings) -> &mut Input {
        questions.input()
    }

    fn answer(&self, questions: &mut Netstrings, output: &mut Vec<u8>) -> Result<bool, Unreadable> {
        match questions.content() {
            Ok(Some(question)) => socketmap::write(&self.look_up(question), output),
            Ok(None) => return Ok(false),
            Err(error) => {
                socketmap::write(&INVALID_QUERY, output);
                return Err(Unreadable(error.to_string()));
            }
        }
        Ok(true)
    }

    fn too_many() -> Vec<u8> {
        let mut word = Vec::new();
        socketmap::write(&NO_PLACE, &mut word);
        word
    }

    fn patience(&self) -> Patience {
        self.patience
    }

    fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}
