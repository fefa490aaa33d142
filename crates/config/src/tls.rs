use std::path::{Path, PathBuf};

use crate::Problem;
use crate::settings::settings;
use crate::value::{Word, choose};

settings! {
    /// How a listener speaks TLS.
    pub struct Tls {
        /// The certificate chain, as PEM.
        certificate: PathBuf, example "\"c.pem\""; Live, Now;
        /// The private key, as PEM.
        key: PathBuf, example "\"k.pem\""; Live, Now;
        /// "starttls" offers TLS within SMTP (RFC 3207), "implicit" begins with it (RFC 8314).
        mode: TlsMode = TlsMode::StartTls; Live, Now;
    }
}

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// When the client says STARTTLS (RFC 3207).
    StartTls,
    /// At once (RFC 8314 section 3).
    Implicit,
}

impl TlsMode {
    const ALL: &[Self] = &[Self::StartTls, Self::Implicit];

    /// The word used in configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Implicit => "implicit",
        }
    }
}

impl Word for TlsMode {
    const KIND: &'static str = "\"starttls\" or \"implicit\"";
    const EXAMPLE: &'static str = "starttls";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        choose("TLS mode", text, Self::ALL.iter().map(|mode| (mode.word(), *mode)))
    }

    fn text(&self) -> String {
        self.word().to_owned()
    }
}
