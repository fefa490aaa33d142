//! SRS, the Sender Rewriting Scheme.
//!
//! A forwarder that hands mail on under the original reverse-path fails the SPF check of the next
//! host. So it writes one of its own domain, in which the original can be found again when a bounce
//! comes: `SRS0=HHHH=TT=source.example=user@forwarder.example`. `TT` is the day, `HHHH` the
//! beginning of a hash under a secret, without which anybody could have bounces sent anywhere. A
//! second forwarder does not grow the address: it writes `SRS1=HHHH=first.example==...`, and sends
//! what comes back to the first.
//!
//! There is no RFC. The format is that of Mail::SRS, libsrs2 and PostSRSd; other [`Dialect`]s are
//! those of Exim and OpenSMTPD. [`Srs`] rewrites addresses and nothing else; [`Forwarder`] adds the
//! rules of a running server: which senders are rewritten, at which domains addresses come back,
//! and from whom.
//!
//! ```
//! use quivive_srs::{Forwarded, Reversed, Rules, Secrets, Srs};
//!
//! let now = 1_577_836_860;
//! let srs = Srs::new(&Secrets::parse(b"tops3cr3t\n")?, Rules::default());
//! let Forwarded::Rewritten(address) = srs.forward("test@otherdomain.com", "example.com", now)?
//! else { unreachable!() };
//! assert_eq!(address, "SRS0=vmyz=2W=otherdomain.com=test@example.com");
//! let Reversed::Original(original) = srs.reverse(&address, now)? else { unreachable!() };
//! assert_eq!(original.address, "test@otherdomain.com");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod dialect;
mod exim;
mod fields;
mod forward;
mod forwarder;
mod hash;
mod opensmtpd;
mod reverse;
mod rules;
mod secret;
mod srs;
mod stamp;
mod texts;
mod unsigned;

pub use address::{ADDRESS_OCTETS_MAX, Fault, LOCAL_PART_OCTETS, PATH_OCTETS, is_overlong};
pub use dialect::Dialect;
pub use forward::{Forwarded, Unusable};
pub use forwarder::{Bounces, Forwarder, Kept, Policy, ReturnRefusal, Returned, Written};
pub use reverse::{Form, Original, Refusal, Reversed};
pub use rules::{Alphabet, HASH_LENGTH_MAX, Rules, Separator};
pub use secret::{
    SECRET_OCTETS_ADVISED, SECRETS_MAX, SECRETS_OCTETS_MAX, Secret, Secrets, SecretsError,
};
pub use srs::Srs;
pub use stamp::Stamp;
pub use unsigned::Unsigned;
