use std::sync::Arc;

use arc_swap::ArcSwap;
use quivive_postfix::Input;

use crate::asking::{Asker, Patience};
use crate::gateway::Arrival;
use crate::ledger::Ledger;

/// How much is answered before it is sent, to whoever asks many questions ahead.
const OUTPUT_OCTETS_MAX: usize = 16 * 1024;

/// A way in which maps are asked.
pub(crate) trait Door: Send + Sync + 'static {
    /// Its name in the configuration.
    const WORD: &'static str;

    /// What reads the questions.
    type Questions: Send;

    fn questions() -> Self::Questions;

    /// Where to read to.
    fn input(questions: &mut Self::Questions) -> &mut Input;

    /// Answers the next question; false if it has not come. After an error, for which there is an
    /// answer, too, nothing more can be read.
    fn answer(
        &self,
        questions: &mut Self::Questions,
        output: &mut Vec<u8>,
    ) -> Result<bool, Unreadable>;

    /// What is said to a connection for which there is no place.
    fn too_many() -> Vec<u8>;

    fn patience(&self) -> Patience;

    fn ledger(&self) -> &Ledger;
}

/// Why questions cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable(pub(crate) String);

/// Answers a program until it is gone. Each question is answered from the maps of its time.
pub(crate) async fn converse<D: Door>(current: Arc<ArcSwap<D>>, arrival: Arrival) {
    let (_counted, patience) = {
        let door = current.load();
        (door.ledger().session(D::WORD), door.patience())
    };
    let peer = arrival.peer;
    let mut asker = Asker::new(arrival.stream, arrival.drain, patience);
    let mut questions = D::questions();
    let mut output = Vec::new();
    loop {
        let answered = current.load().answer(&mut questions, &mut output);
        let is_starved = match answered {
            Ok(answered) => !answered,
            Err(Unreadable(reason)) => {
                tracing::warn!(door = D::WORD, ?peer, "a question cannot be read: {reason}");
                return asker.close(output).await;
            }
        };
        if (is_starved || output.len() >= OUTPUT_OCTETS_MAX)
            && asker.answer(&mut output).await.is_none()
        {
            return;
        }
        if is_starved && asker.read(D::input(&mut questions)).await.is_none() {
            return;
        }
    }
}
