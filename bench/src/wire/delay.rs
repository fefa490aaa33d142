//! A name server far away: every answer of another one, later.

use std::io::Result;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;

/// The longest message that is passed on.
const MESSAGE_OCTETS_MAX: usize = 4096;

/// How long an answer is waited for: one that does not come is the client's to miss.
const PATIENCE: Duration = Duration::from_secs(5);

/// Passes on what comes to a socket to a name server, and its answers after `delay`. It ends with
/// the process.
///
/// # Errors
/// The socket is none any more.
pub(super) fn start(
    socket: std::net::UdpSocket,
    server: SocketAddr,
    delay: Duration,
) -> Result<()> {
    socket.set_nonblocking(true)?;
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(pass_on(socket, server, delay))
    });
    Ok(())
}

async fn pass_on(socket: std::net::UdpSocket, server: SocketAddr, delay: Duration) -> Result<()> {
    let socket = Arc::new(UdpSocket::from_std(socket)?);
    let mut message = [0; MESSAGE_OCTETS_MAX];
    loop {
        let (length, client) = socket.recv_from(&mut message).await?;
        let (socket, question) = (socket.clone(), message[..length].to_vec());
        tokio::spawn(async move {
            if let Ok(Ok(answer)) = tokio::time::timeout(PATIENCE, ask(server, &question)).await {
                tokio::time::sleep(delay).await;
                let _ = socket.send_to(&answer, client).await;
            }
        });
    }
}

async fn ask(server: SocketAddr, question: &[u8]) -> Result<Vec<u8>> {
    let socket = UdpSocket::bind((server.ip(), 0)).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut message = vec![0; MESSAGE_OCTETS_MAX];
    let length = socket.recv(&mut message).await?;
    message.truncate(length);
    Ok(message)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn what_is_asked_comes_back() {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let server_address = server.local_addr().unwrap();
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        start(socket, server_address, Duration::from_millis(1)).unwrap();
        tokio::spawn(async move {
            let mut message = [0; 16];
            let (length, client) = server.recv_from(&mut message).await.unwrap();
            message[..length].reverse();
            server.send_to(&message[..length], client).await.unwrap();
        });
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        client.send_to(b"abc", address).await.unwrap();
        let mut message = [0; 16];
        let came = tokio::time::timeout(Duration::from_secs(30), client.recv(&mut message)).await;
        assert_eq!(came.expect("an answer in time").unwrap(), 3);
        assert_eq!(&message[..3], b"cba");
    }
}
