use crate::settings::settings;

settings! {
    /// Where cases and held messages are kept.
    pub struct Store: Default {
        /// The database, a path or `postgres://`; "" for none.
        path: String = String::new(), example "\"quivive.db\""; Live, Later;
        /// How many days a case is kept.
        retain_days: usize = 30, in 1..=3650; Live, Later;
        /// How many MiB all cases may take.
        retain_mib: usize = 1024, in 1..=1_048_576; Live, Later;
    }
}
