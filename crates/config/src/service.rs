use crate::Domain;
use crate::settings::settings;

settings! {
    /// Addresses of the service's own.
    pub struct Service: Default {
        /// The domain of service addresses, whose mail reaches our gateway.
        domain: Option<Domain> = None, example "\"q.example.test\""; Live, Later;
    }
}
