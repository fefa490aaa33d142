use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::{Api, router};
use crate::doors::secured;
use crate::gateway::Arrival;

/// How long a client has to hear that there is no place.
const LAST_WORD_TIME: Duration = Duration::from_secs(2);

/// What a connection is told for which there is no place.
pub(crate) const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/json\r\ncontent-length: 70\r\nretry-after: 1\r\nconnection: close\r\n\
    \r\n{\"error\":{\"kind\":\"busy\",\"text\":\"there are too many connections now\"}}\n";

/// Talks with a client until it is gone.
pub(crate) async fn converse(api: Api, tls: Option<TlsAcceptor>, arrival: Arrival) {
    let _counted = api.0.ledger.session("http");
    let Arrival { stream, peer, seats, mut drain } = arrival;
    let address = peer.map(|peer| peer.ip().to_canonical());
    let seated = address.filter(|address| !address.is_loopback());
    let seat = seated.map(|seated| seats.take(seated, api.0.settings.connections_per_address));
    let Some(mut stream) = secured(stream, tls, address).await else { return };
    if matches!(seat, Some(None)) {
        let _ = timeout(LAST_WORD_TIME, async {
            stream.write_all(NO_PLACE).await?;
            stream.shutdown().await
        })
        .await;
        return;
    }
    let told_to_end = async move {
        // A sender that is gone wants it too.
        let _ = drain.wait_for(|drain| *drain).await;
    };
    quivive_console::converse(router(api), stream, address, told_to_end).await;
}
