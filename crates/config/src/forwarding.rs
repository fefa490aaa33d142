use std::path::PathBuf;

use crate::settings::settings;

settings! {
    /// How mail is forwarded by gateways and filters of ours.
    pub struct Forwarding: Default {
        /// The table of addresses that stand for others, as Postfix's virtual(5) writes it:
        /// `info@here.example someone@there.example`. What leads elsewhere goes out by the relay of
        /// `[outgoing]`, under a reverse-path that `[srs]` rewrites.
        alias_file: Option<PathBuf> = None, example "\"aliases\""; Live, Now;
    }
}
