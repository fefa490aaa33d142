//! Imports go to a lower layer. ARCHITECTURE.md says what lives in each.

use super::Report;
use super::metadata::{Metadata, Package};

/// Every package of the workspace and its layer.
const LAYERS: &[(&str, Layer)] = &[
    ("quivive-mail", Layer::Number(0)),
    ("quivive-evidence", Layer::Number(0)),
    ("quivive-spf", Layer::Number(1)),
    ("quivive-binding", Layer::Number(1)),
    ("quivive-caller-id", Layer::Number(1)),
    ("quivive-lists", Layer::Number(1)),
    ("quivive-sender-id", Layer::Number(1)),
    ("quivive-lmap", Layer::Number(1)),
    ("quivive-smtp", Layer::Number(1)),
    ("quivive-opensmtpd", Layer::Number(1)),
    ("quivive-postfix", Layer::Number(1)),
    ("quivive-srs", Layer::Number(1)),
    ("quivive-milter", Layer::Number(1)),
    ("quivive-verdict", Layer::Number(2)),
    ("quivive-contract", Layer::Number(2)),
    ("quivive-resolver", Layer::Number(3)),
    ("quivive-store", Layer::Number(3)),
    ("quivive-store", Layer::Number(3)),
    ("quivive-config", Layer::Number(4)),
    ("quivive-console", Layer::Number(4)),
    ("quivive-server", Layer::Number(4)),
    ("quivive", Layer::Number(4)),
    ("quivive-testkit", Layer::Side),
    ("quivive-e2e", Layer::Side),
    ("quivive-bench", Layer::Side),
    ("quivive-bench-measure", Layer::Side),
    ("xtask", Layer::Side),
];

/// Imports inside a layer: from, to.
const INSIDE: &[(&str, &str)] = &[
    ("quivive-evidence", "quivive-mail"),
    ("quivive-sender-id", "quivive-spf"),
    ("quivive-contract", "quivive-verdict"),
    ("quivive-server", "quivive-config"),
    ("quivive-server", "quivive-console"),
    ("quivive", "quivive-config"),
    ("quivive", "quivive-console"),
    ("quivive", "quivive-server"),
];

/// The highest layer that knows no async runtime and no socket.
const PURE_MAX: u8 = 2;

/// What such layers must not link, not even through others. A closing `*` stands for any rest.
const IMPURE: &[&str] =
    &["tokio*", "hickory-*", "mio", "socket2", "async-*", "smol", "hyper*", "reqwest", "rustls*"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Number(u8),
    /// Developers' tools: may import anything, nothing shipped imports them.
    Side,
}

pub(super) fn check(metadata: &Metadata, report: &mut Report) {
    for package in metadata.members() {
        let Some(layer) = layer(&package.name) else {
            report.problem(format!("{}: no layer: add it to xtask's table", package.name));
            continue;
        };
        for linked in metadata.links(package).filter(|linked| linked.is_member) {
            if !may_import((&package.name, layer), &linked.name) {
                report.problem(format!(
                    "{} must not import {}: not in a lower layer",
                    package.name, linked.name
                ));
            }
        }
        if is_pure(package) {
            for linked in metadata.closure(package).iter().filter(|linked| is_impure(&linked.name))
            {
                report.problem(format!(
                    "{} links {}: layers 0 to {PURE_MAX} know no runtime and no socket",
                    package.name, linked.name
                ));
            }
        }
    }
}

/// Whether a package of the workspace lies in the layers without runtime, clock and sockets.
pub(super) fn is_pure(package: &Package) -> bool {
    matches!(layer(&package.name), Some(Layer::Number(number)) if number <= PURE_MAX)
}

fn layer(name: &str) -> Option<Layer> {
    LAYERS.iter().find(|(known, _)| *known == name).map(|(_, layer)| *layer)
}

fn may_import((from, layer): (&str, Layer), to: &str) -> bool {
    match (layer, self::layer(to)) {
        (Layer::Side, _) => true,
        (Layer::Number(from_number), Some(Layer::Number(to_number))) => {
            to_number < from_number || INSIDE.contains(&(from, to))
        }
        _ => false,
    }
}

fn is_impure(name: &str) -> bool {
    IMPURE.iter().any(|banned| match banned.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *banned,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_go_down() {
        let may = |from, to| may_import((from, layer(from).unwrap()), to);
        assert!(may("quivive-spf", "quivive-mail"));
        assert!(!may("quivive-mail", "quivive-spf"));
        assert!(!may("quivive-spf", "quivive-smtp"));
        assert!(may("quivive-evidence", "quivive-mail"));
        assert!(!may("quivive-mail", "quivive-evidence"));
        assert!(may("quivive-server", "quivive-config"));
        assert!(!may("quivive-config", "quivive-server"));
        assert!(!may("quivive-server", "quivive-testkit"));
        assert!(may("quivive-testkit", "quivive-server"));
    }

    #[test]
    fn runtimes_are_known_by_name() {
        assert!(is_impure("tokio") && is_impure("tokio-rustls") && is_impure("hickory-proto"));
        assert!(!is_impure("ipnet") && !is_impure("miow"));
    }
}
