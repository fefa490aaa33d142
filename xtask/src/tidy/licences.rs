//! Which licences a dependency may come under.

/// Permissive licences, by SPDX name. What is not here needs an exception with a reason.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    // Data: root certificates.
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    // The tables of the ICU crates below idna.
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Whether an SPDX expression leaves a choice within the allowed licences. The old form with a
/// slash means a choice too.
pub(super) fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let spaced = spaced.replace(" WITH ", "\u{a0}");
    let mut words = spaced.split_ascii_whitespace().peekable();
    let allowed = choice(&mut words);
    allowed && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitAsciiWhitespace<'a>>;

fn choice(words: &mut Words<'_>) -> bool {
    let mut allowed = conjunction(words);
    while words.next_if_eq(&"OR").is_some() {
        allowed |= conjunction(words);
    }
    allowed
}

fn conjunction(words: &mut Words<'_>) -> bool {
    let mut allowed = term(words);
    while words.next_if_eq(&"AND").is_some() {
        allowed &= term(words);
    }
    allowed
}

fn term(words: &mut Words<'_>) -> bool {
    match words.next() {
        Some("(") => {
            let allowed = choice(words);
            words.next_if_eq(&")").is_some() && allowed
        }
        Some(name) => ALLOWED.contains(&name.replace('\u{a0}', " WITH ").as_str()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn permissive_choices() {
        for expression in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0-only OR MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
            "ISC AND (Apache-2.0 OR ISC)",
        ] {
            assert!(is_allowed(expression), "{expression}");
        }
    }

    #[test]
    fn copyleft_and_nonsense() {
        for expression in [
            "GPL-3.0-or-later",
            "MIT AND MPL-2.0",
            "(MIT OR Apache-2.0) AND AGPL-3.0-only",
            "",
            "OR MIT",
            "(MIT",
            "MIT Apache-2.0",
        ] {
            assert!(!is_allowed(expression), "{expression}");
        }
    }
}
