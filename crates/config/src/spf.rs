use crate::GuessedRecord;
use crate::settings::settings;

settings! {
    /// Limits of SPF, and what is guessed.
    pub struct Spf: Default {
        /// How many terms of an SPF check may find nothing in DNS before the record is an error
        /// (RFC 7208 section 4.6.4).
        void_lookups_max: usize = 2, in 0..=10; Live, Now;
        /// How many terms of an SPF check may ask DNS before the record is an error. Ten is what
        /// the standard says and all others do (RFC 7208 section 4.6.4).
        terms_max: usize = 10, in 1..=20; Live, Now;
        /// A record that is tried where a domain publishes none. Where it would pass, the result
        /// is neutral, with the reason "best guess"; otherwise it stays none. Unset: nothing is
        /// guessed.
        best_guess: Option<GuessedRecord> = None, example "\"v=spf1 a/24 mx/24 ptr\""; Live, Now;
    }
}
