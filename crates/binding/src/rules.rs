use ipnet::IpNet;

use crate::Rate;

/// How grants are read and what they are asked for: the operator's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// What becomes of an address that belongs to nobody.
    pub mode: Mode,
    /// Our own domains, as A-labels: an address in them that nobody was granted is nobody's in
    /// either mode, and a grant may leave them out.
    pub domains: Vec<String>,
    /// Networks whose clients are held to grants although they do not log in.
    pub networks: Vec<IpNet>,
    /// Whether others than our own clients may not use in the envelope what somebody was granted
    /// (`reject_unauthenticated_sender_login_mismatch` of Postfix).
    pub bind_outsiders: bool,
    /// Whether a login that is an address may use that address, with any detail.
    pub own_address: bool,
    /// What stands behind the `@` of a login that is none, as an A-label.
    pub login_domain: Option<String>,
    /// What parts a user's name from a detail: `+` in `user+box@example.com`.
    pub detail_separators: String,
    /// Whether local parts and logins compare without case.
    pub fold_case: bool,
    /// Which granted fields excuse a From that was not granted.
    pub excused_by: Vec<Excuse>,
    /// Whether Reply-To, too, must be granted.
    pub bind_reply_to: bool,
    /// Whether a name or a comment in From may not be the address of somebody else.
    pub bind_names: bool,
    /// How many messages an identity may send.
    pub rate: Option<Rate>,
    /// How many domains that are new for an identity its From fields may name in an hour; more
    /// look like a stolen account.
    pub new_domains_max: Option<u32>,
}

/// What becomes of an address that belongs to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is refused: a client uses what it was granted.
    Strict,
    /// It passes: what was granted to others is protected.
    ProtectKnown,
}

/// A field that can excuse a From which was not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excuse {
    /// Sender: somebody writes for somebody else.
    Sender,
    /// The newest Resent fields: somebody sends on what another wrote.
    Resent,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            mode: Mode::Strict,
            domains: Vec::new(),
            networks: Vec::new(),
            bind_outsiders: true,
            own_address: true,
            login_domain: None,
            detail_separators: "+".to_owned(),
            fold_case: true,
            excused_by: Vec::new(),
            bind_reply_to: false,
            bind_names: true,
            rate: None,
            new_domains_max: None,
        }
    }
}
