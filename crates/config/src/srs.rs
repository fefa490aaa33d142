use std::path::PathBuf;

use crate::Domain;
use crate::settings::settings;

settings! {
    /// How addresses are rewritten when mail is forwarded (Sender Rewriting Scheme).
    pub struct Srs: Default {
        /// The domain of rewritten addresses.
        domain: Option<Domain> = None, example "\"fwd.example\""; Live, Later;
        /// The file with the secrets, one a line; the first signs.
        secret_file: Option<PathBuf> = None, example "\"srs.secret\""; Live, Later;
    }
}
