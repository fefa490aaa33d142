use std::path::PathBuf;

use ipnet::IpNet;

use crate::NextHop;
use crate::settings::settings;
use crate::value::Unsettled;

settings! {
    /// How probes, fetches and mail of our own go out.
    pub struct Outgoing: Default {
        /// Networks that probes and fetches may reach although they are private.
        allow_private: Vec<IpNet> = Vec::new(); Live, Later;
        /// The only way out for forwarded, challenged and released mail.
        relay: Option<NextHop> = None, example "\"smtp:127.0.0.1:587\""; Live, Later;
        /// The name for logging in at the relay.
        user: Option<String> = None; Live, Later;
        /// The file with the password for the relay.
        password_file: Option<PathBuf> = None; Live, Later;
        /// How the relay is spoken to.
        tls: Option<Unsettled> = None; Live, Later;
        /// Certificates of authorities that are trusted, as PEM.
        ca_file: Option<PathBuf> = None, example "\"ca.pem\""; Live, Later;
    }
}
