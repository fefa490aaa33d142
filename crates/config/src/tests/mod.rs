//! Shared by the tests: the configuration, errors and warnings of a text.

mod binding;
mod bounds;
mod contract;
mod documents;
mod errors;
mod milter;
mod practice;
mod warnings;

use std::path::Path;

use crate::{Config, Error, Warning};

const FOLDER: &str = "/etc/quivive";

fn errors(text: &str) -> Vec<String> {
    match Config::parse(text, Path::new(FOLDER)) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(Error::to_string).collect(),
    }
}

fn config(text: &str) -> Config {
    Config::parse(text, Path::new(FOLDER)).unwrap()
}

fn warnings(text: &str) -> Vec<String> {
    let (_, warnings) = Config::parse_with_warnings(text, Path::new(FOLDER)).unwrap();
    warnings.iter().map(Warning::to_string).collect()
}
