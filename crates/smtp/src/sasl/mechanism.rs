use std::fmt;

macro_rules! mechanisms {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// A mechanism of SASL.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Mechanism { $($(#[doc = $doc])+ $variant,)+ }

        impl Mechanism {
            /// All that are known, in the order in which they are offered.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name in the registry of SASL mechanisms.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

mechanisms! {
    /// The certificate of the TLS handshake (RFC 4422 appendix A).
    External = "EXTERNAL",
    /// RFC 7677.
    ScramSha256 = "SCRAM-SHA-256",
    /// RFC 5802.
    ScramSha1 = "SCRAM-SHA-1",
    /// RFC 4616.
    Plain = "PLAIN",
    /// Prompts for name and password; never a standard, and spoken by all.
    Login = "LOGIN",
    /// RFC 7628.
    OauthBearer = "OAUTHBEARER",
    /// Its forerunner.
    Xoauth2 = "XOAUTH2",
    /// RFC 4752.
    Gssapi = "GSSAPI",
    /// RFC 2195, historic.
    CramMd5 = "CRAM-MD5",
    /// RFC 2831, historic.
    DigestMd5 = "DIGEST-MD5",
}

impl Mechanism {
    /// The mechanism of this name; case does not matter.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.name().eq_ignore_ascii_case(name))
    }

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A set of mechanisms.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Mechanisms(u16);

impl Mechanisms {
    /// The set with this one too.
    #[must_use]
    pub fn with(self, mechanism: Mechanism) -> Self {
        Self(self.0 | mechanism.bit())
    }

    /// The set without this one.
    #[must_use]
    pub fn without(self, mechanism: Mechanism) -> Self {
        Self(self.0 & !mechanism.bit())
    }

    /// Whether it is in the set.
    pub fn contains(self, mechanism: Mechanism) -> bool {
        self.0 & mechanism.bit() != 0
    }

    /// There is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of the set, in the order of [`Mechanism::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Mechanism> {
        Mechanism::ALL.iter().copied().filter(move |mechanism| self.contains(*mechanism))
    }
}

impl FromIterator<Mechanism> for Mechanisms {
    fn from_iter<I: IntoIterator<Item = Mechanism>>(mechanisms: I) -> Self {
        mechanisms.into_iter().fold(Self::default(), Self::with)
    }
}

/// Their names, a blank between them.
impl fmt::Display for Mechanisms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Mechanism::name).collect();
        f.write_str(&names.join(" "))
    }
}

impl fmt::Debug for Mechanisms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mechanisms({self})")
    }
}
