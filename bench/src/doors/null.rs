//! Filters that do nothing: what asking costs at the least.

use std::io::{Error, Result};
use std::net::Ipv4Addr;

use quivive_milter::{Actions, Answer, Event, Session, Steps, Wishes};
use quivive_server::milter::Milter;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};

/// A policy server that has nothing to say.
///
/// # Errors
/// There is no port.
pub async fn policy(listening: impl FnOnce(String)) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    listening(listener.local_addr()?.to_string());
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let mut request = Vec::with_capacity(4096);
            while stream.read_buf(&mut request).await? > 0 {
                if request.ends_with(b"\n\n") {
                    request.clear();
                    stream.write_all(b"action=DUNNO\n\n").await?;
                }
            }
            Ok::<(), Error>(())
        });
    }
}

/// Which events a milter asks for that does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The ones that ours asks for, answered as ours does.
    AsOurs,
    /// The ones that ours asks for, each of them answered.
    Answered,
    /// All there are, each of them answered.
    All,
}

impl Asked {
    fn wishes(self) -> Wishes {
        let ours = Milter::wishes();
        match self {
            Self::AsOurs => ours,
            Self::Answered => Wishes { unanswered: Steps::NONE, ..ours },
            Self::All => Wishes {
                steps: Steps::all(),
                unanswered: Steps::NONE,
                actions: Actions::NONE,
                macros: &[],
            },
        }
    }
}

/// A milter that has nothing to say, at a UNIX socket or a free port. `is_prompt`: what is not
/// answered over TCP is acknowledged at once.
///
/// # Errors
/// The address is not free.
pub async fn milter(
    socket: Option<&str>,
    asked: Asked,
    is_prompt: bool,
    listening: impl FnOnce(String),
) -> Result<()> {
    if let Some(path) = socket {
        let listener = UnixListener::bind(path)?;
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        std::fs::set_permissions(path, all)?;
        listening(path.to_owned());
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(go_on(stream, asked, |_| {}));
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    listening(listener.local_addr()?.to_string());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let acknowledge = move |stream: &tokio::net::TcpStream| {
            if is_prompt {
                let _ = stream.set_quickack(true);
            }
        };
        tokio::spawn(go_on(stream, asked, acknowledge));
    }
}

/// Answers everything by going on. `acknowledge` is called before something is waited for that was
/// not answered.
async fn go_on<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    asked: Asked,
    acknowledge: impl Fn(&S),
) -> Result<()> {
    let mut session = Session::new(asked.wishes());
    loop {
        match session.event().map_err(Error::other)? {
            Event::Starved => {
                let output = session.output();
                if output.is_empty() {
                    acknowledge(&stream);
                } else {
                    stream.write_all(output).await?;
                    output.clear();
                }
                let octets = stream.read(session.space()).await?;
                if octets == 0 {
                    return Ok(());
                }
                session.filled(octets);
            }
            Event::Quit => return Ok(()),
            Event::Abort | Event::NextClient => {}
            _ => session.answer(&Answer::Continue),
        }
    }
}
