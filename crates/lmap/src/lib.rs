//! The early DNS lists of permitted senders, which their time called LMAP (Lightweight MTA
//! Authentication Protocol), each as a pure function of recorded evidence:
//!
//! - [`mail_from_mx`]: MAIL-FROM MX (Vixie, "Repudiating MAIL FROM", 2002): MX records at
//!   `MAIL-FROM.DOMAIN`,
//! - [`rmx`]: Reverse MX (draft-danisch-dns-rr-smtp-00 to -04, 2002 to 2004): a record of its own,
//!   or TXT, at `_rmx.DOMAIN`,
//! - [`dmp`]: Designated Mailers Protocol (draft-fecyk-dmp-00 to -02, 2003 and 2004): a name for
//!   each permitted address,
//! - [`drip`]: Designated Relays Inquiry Protocol (draft-brand-drip-00 to -02, 2003): the same for
//!   HELO names.
//!
//! *Trusts:* nothing. *Can be made to do:* ask as many questions as each module's
//! `QUESTIONS_MAX`, of names that a domain's records choose. *Known harm:* DMP and DRIP show the
//! client's address to the name servers of the domain, by design.

pub mod dmp;
pub mod drip;
mod identity;
mod lint;
pub mod mail_from_mx;
mod publish;
pub mod rmx;
mod wire_name;

pub use dmp::Dmp;
pub use drip::Drip;
pub use lint::{DmpLint, DripLint, MailFromMxLint, RmxLint};
pub use mail_from_mx::MailFromMx;
pub use publish::{DmpPublish, DripPublish, MailFromMxPublish, RmxPublish};
pub use rmx::Rmx;
