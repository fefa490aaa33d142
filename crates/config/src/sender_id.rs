use crate::settings::settings;

settings! {
    /// What Sender ID leaves to the receiver. Its limits are those of `[spf]`.
    pub struct SenderId: Default {
        /// Offers SUBMITTER (RFC 4405) to clients of gateways where Sender ID runs: they announce
        /// the responsible address, which is then judged before the message comes, and must be
        /// that of the header.
        submitter: bool = true; Live, Now;
    }
}
