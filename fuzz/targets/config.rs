//! Configurations: what is taken can be shown, and means the same again.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use quivive_config::{Config, show};

fuzz_target!(|text: &str| {
    let folder = Path::new("/nonexistent");
    match Config::parse(text, folder) {
        Ok(config) => {
            let shown = show(&config);
            let again = Config::parse(&shown, folder);
            let again = again.unwrap_or_else(|errors| panic!("{errors:?}\n{shown}"));
            assert_eq!(show(&again), shown);
        }
        Err(errors) => assert!(!errors.is_empty()),
    }
});
