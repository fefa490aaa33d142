use std::fmt;

/// In whose manner an address is signed. Secrets may be the same; signatures never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Mail::SRS, libsrs2 and PostSRSd: HMAC-SHA1 in base64.
    MailSrs,
    /// Exim's `srs_encode` and `inbound_srs`: HMAC-MD5 in hexadecimal over the original address
    /// alone. It knows no SRS1: what was rewritten before is rewritten again.
    Exim,
    /// OpenSMTPD's `srs`: SHA1 of the secret and the address, in base64, its case as it is.
    OpenSmtpd,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::MailSrs, Self::Exim, Self::OpenSmtpd];

    /// Its name in configuration and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::MailSrs => "mail-srs",
            Self::Exim => "exim",
            Self::OpenSmtpd => "opensmtpd",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
