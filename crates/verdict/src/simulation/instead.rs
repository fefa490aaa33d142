use quivive_evidence::{RecordType, Recorded, what_if};

/// What would be published, as answers: texts of `NAME TYPE TEXT`; a record alone, such as
/// `v=spf1 -all`, is the domain's.
///
/// # Errors
/// The first text that cannot be read, and how it is written.
pub fn instead<T: AsRef<str>>(domain: &str, texts: &[T]) -> Result<Vec<Recorded>, String> {
    what_if(&named(domain, texts), 0)
}

/// The texts of [`instead`], each with its name and type.
pub fn named<T: AsRef<str>>(domain: &str, texts: &[T]) -> Vec<String> {
    let named = |text: &T| {
        let text = text.as_ref().trim();
        if is_record_alone(text) { format!("{domain} TXT {text}") } else { text.to_owned() }
    };
    texts.iter().map(named).collect()
}

/// Whether a text is that of a record, without name and type.
fn is_record_alone(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    let has_type = words.next().is_some_and(|word| word.parse::<RecordType>().is_ok());
    first.to_ascii_lowercase().starts_with("v=spf") || (!has_type && first.contains('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_alone_is_the_domains() {
        let of = |text: &str| named("a.example", &[text]).remove(0);
        assert_eq!(of("v=spf1 -all"), "a.example TXT v=spf1 -all");
        assert_eq!(of(" V=SPF1 "), "a.example TXT V=SPF1");
        assert_eq!(of("b.example TXT v=spf1 -all"), "b.example TXT v=spf1 -all");
        assert_eq!(of("b.example A 192.0.2.1"), "b.example A 192.0.2.1");
        assert_eq!(of("b.example TXT"), "b.example TXT");
        assert!(instead("a.example", &["b.example SPF x"]).is_err());
    }
}
