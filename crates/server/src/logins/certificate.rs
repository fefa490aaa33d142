//! Who a client is by its certificate.

use quivive_smtp::sasl::prepare;
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// The name of a certificate that was verified: its first mail address (RFC 5280 section 4.2.1.6),
/// or else its common name.
pub(crate) fn name(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let addresses = alternative.into_iter().flat_map(|extension| &extension.value.general_names);
    let address = addresses.into_iter().find_map(|name| match name {
        GeneralName::RFC822Name(address) => Some(*address),
        _ => None,
    });
    let common = || certificate.subject().iter_common_name().next()?.as_str().ok();
    prepare(address.or_else(common)?.as_bytes())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn named(common_name: Option<&str>, addresses: &[&str]) -> Option<String> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        let address = |address: &&str| SanType::Rfc822Name((*address).try_into().unwrap());
        params.subject_alt_names = addresses.iter().map(address).collect();
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        name(certificate.der())
    }

    #[test]
    fn an_address_goes_before_the_common_name() {
        let both = named(Some("Alice"), &["alice@e.test", "a@e.test"]);
        assert_eq!(both.as_deref(), Some("alice@e.test"));
        assert_eq!(named(Some("alice"), &[]).as_deref(), Some("alice"));
        assert_eq!(named(None, &[]), None);
        assert_eq!(named(Some("a\u{7}b"), &[]), None);
        assert_eq!(name(&CertificateDer::from(vec![1, 2, 3])), None);
    }
}
