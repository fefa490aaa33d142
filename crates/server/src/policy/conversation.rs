use std::sync::Arc;

use arc_swap::ArcSwap;
use quivive_postfix::policy::Requests;

use super::{PolicyService, UNREADABLE};
use crate::asking::Asker;
use crate::gateway::Arrival;

/// Answers a mail server until it is gone. Each message is judged by the policy of its time.
pub(crate) async fn converse(current: Arc<ArcSwap<PolicyService>>, arrival: Arrival) {
    let (_counted, patience) = {
        let service = current.load();
        (service.ledger.session("policy"), service.settings.patience)
    };
    let peer = arrival.peer;
    let mut asker = Asker::new(arrival.stream, arrival.drain, patience);
    let mut requests = Requests::default();
    let mut output = Vec::new();
    let mut last = None;
    loop {
        let heard = match requests.request() {
            Ok(Some(request)) => {
                let service = current.load_full();
                service.answer(request, &mut last, &mut output).await;
                asker.answer(&mut output).await
            }
            Ok(None) => asker.read(requests.input()).await,
            Err(error) => {
                tracing::warn!(door = "policy", ?peer, "a question cannot be read: {error}");
                UNREADABLE.write(&mut output);
                return asker.close(output).await;
            }
        };
        if heard.is_none() {
            return;
        }
    }
}
