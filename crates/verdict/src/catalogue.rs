//! What methods have for those who publish: linters and generators.

use quivive_caller_id::{CallerIdLint, CallerIdPublish};
use quivive_evidence::{Lint, Method, Publish};
use quivive_lmap::rmx::PRIVATE_TYPE;
use quivive_lmap::{
    DmpLint, DmpPublish, DripLint, DripPublish, MailFromMxLint, MailFromMxPublish, RmxLint,
    RmxPublish,
};
use quivive_sender_id::{SenderIdLint, SenderIdPublish};
pub use quivive_spf::{Flattened, Flattening, Unflattened, flatten};
use quivive_spf::{Limits, SpfLint, SpfPublish};

use crate::Policy;

/// What a method has for those who publish for it.
struct Entry {
    method: Method,
    lint: fn(&Policy) -> Box<dyn Lint>,
    publish: fn(&Policy) -> Box<dyn Publish>,
}

/// Every method that something is published for, in the order of the command-line contract.
const ENTRIES: &[Entry] = &[
    Entry {
        method: Method::Spf,
        lint: |policy| Box::new(SpfLint::new(limits(policy))),
        publish: |_| Box::new(SpfPublish),
    },
    Entry {
        method: Method::SenderId,
        lint: |policy| Box::new(SenderIdLint::new(limits(policy))),
        publish: |_| Box::new(SenderIdPublish),
    },
    Entry {
        method: Method::CallerId,
        lint: |_| Box::new(CallerIdLint),
        publish: |_| Box::new(CallerIdPublish),
    },
    Entry {
        method: Method::MailFromMx,
        lint: |_| Box::new(MailFromMxLint),
        publish: |_| Box::new(MailFromMxPublish),
    },
    Entry {
        method: Method::Rmx,
        lint: |policy| Box::new(RmxLint::new(policy.settings.rmx)),
        publish: |policy| {
            let mut settings = policy.settings.rmx;
            settings.type_number.get_or_insert(PRIVATE_TYPE);
            Box::new(RmxPublish::new(settings))
        },
    },
    Entry { method: Method::Dmp, lint: |_| Box::new(DmpLint), publish: |_| Box::new(DmpPublish) },
    Entry {
        method: Method::Drip,
        lint: |_| Box::new(DripLint),
        publish: |_| Box::new(DripPublish),
    },
];

fn limits(policy: &Policy) -> Limits {
    Limits { void_lookups_max: policy.spf_void_lookups_max, terms_max: policy.spf_terms_max }
}

/// The methods for which something is published.
pub fn published_methods() -> impl Iterator<Item = Method> {
    ENTRIES.iter().map(|entry| entry.method)
}

/// The methods whose records can be looked over.
pub fn linted_methods() -> impl Iterator<Item = Method> {
    published_methods()
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
            assert_eq!(publisher(method, &policy).map(|one| one.method()), Some(method));
        }
        for method in linted_methods() {
            assert_eq!(linter(method, &policy).map(|linter| linter.method()), Some(method));
        }
        assert!(linter(Method::Challenge, &policy).is_none());
    }
}
