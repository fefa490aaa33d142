//! What methods have for those who publish: linters and generators.

use quivive_evidence::{Lint, Method, Publish};
pub use quivive_spf::{Flattened, Flattening, flatten};
use quivive_spf::{SpfLint, SpfPublish};

use crate::Policy;
use crate::plan::spf_limits;

/// What a method has for those who publish for it.
struct Entry {
    method: Method,
    lint: fn(&Policy) -> Box<dyn Lint>,
    publish: fn(&Policy) -> Box<dyn Publish>,
}

/// Every method that something is published for, in the order of the command-line contract.
const ENTRIES: &[Entry] = &[Entry {
    method: Method::Spf,
    lint: |policy| Box::new(SpfLint::new(spf_limits(policy))),
    publish: |_| Box::new(SpfPublish),
}];

/// The methods for which something is published.
pub fn published_methods() -> impl Iterator<Item = Method> {
    ENTRIES.iter().map(|entry| entry.method)
}

/// The linter of a method, if it has one. It counts against the limits of the policy.
pub fn linter(method: Method, policy: &Policy) -> Option<Box<dyn Lint>> {
    let entry = ENTRIES.iter().find(|entry| entry.method == method)?;
    Some((entry.lint)(policy))
}

/// The generator of a method, if it has one.
pub fn publisher(method: Method, policy: &Policy) -> Option<Box<dyn Publish>> {
    let entry = ENTRIES.iter().find(|entry| entry.method == method)?;
    Some((entry.publish)(policy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_is_that_of_its_method() {
        let policy = Policy::new("mx.example");
        for method in published_methods() {
            assert_eq!(linter(method, &policy).map(|linter| linter.method()), Some(method));
            assert_eq!(publisher(method, &policy).map(|one| one.method()), Some(method));
        }
        assert!(linter(Method::Challenge, &policy).is_none());
    }
}
