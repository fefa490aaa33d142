use crate::settings::settings;

settings! {
    /// Limits of SPF.
    pub struct Spf: Default {
        /// How many terms of an SPF check may find nothing in DNS before the record is an error
        /// (RFC 7208 section 4.6.4).
        void_lookups_max: usize = 2, in 0..=10; Live, Now;
    }
}
