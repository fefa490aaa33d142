//! What sessions run over: TCP, UNIX sockets, TLS over either, and pipes of memory in tests.

use tokio::io::{AsyncRead, AsyncWrite};

/// Octets in both directions.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Octets in both directions, from whatever source.
pub(crate) type Stream = Box<dyn Duplex>;
