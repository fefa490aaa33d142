//! Certificates and keys: ours, and those of authorities that we trust.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
pub use tokio_rustls::{TlsAcceptor, TlsConnector};

/// All permissions of those who are neither the owner nor of the group.
const EVERYBODY: u32 = 0o007;

/// Why a certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds nothing of the kind.
    #[error("{path} cannot be read as PEM: {source}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: pem::Error,
    },
    /// The key does not belong to the certificate, or TLS cannot use them.
    #[error("{certificate} cannot be used with its key: {source}")]
    Unusable {
        /// The file of the certificate.
        certificate: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// No certificate could be verified.
    #[error("no authority is trusted: name a `ca_file`, or install the system's certificates")]
    NoAuthority,
    /// Nobody's certificate could be verified.
    #[error("the authorities in {path} cannot be used: {reason}")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// What takes TLS connections with this certificate chain and key, both PEM files.
///
/// # Errors
/// The files cannot be read or used.
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    acceptor_of_clients(certificate, key, None)
}

/// As [`acceptor`], asking clients for a certificate from one of the authorities in a PEM file. A
/// client without one is taken; one with another is not.
///
/// # Errors
/// The files cannot be read or used.
pub fn acceptor_of_clients(
    certificate: &Path,
    key: &Path,
    authorities: Option<&Path>,
) -> Result<TlsAcceptor, TlsError> {
    let pem = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Pem { path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(pem(certificate))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(pem(key))?;
    warn_of_open(key);
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let clients = match authorities {
        None => Arc::new(NoClientAuth),
        Some(path) => verifier(path, provider.clone())?,
    };
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_client_cert_verifier(clients).with_single_cert(chain, private)
        })
        .map_err(|source| TlsError::Unusable { certificate: certificate.to_owned(), source })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A key that everybody may read is hardly private. It is used all the same: some systems lay
/// keys into a container so, where nobody else is.
fn warn_of_open(key: &Path) {
    if let Some(mode) = open_to_everybody(key) {
        let path = key.display();
        tracing::warn!(
            "everybody may read the private key {path} (mode {mode:03o}); say: chmod o= {path}"
        );
    }
}

/// The permissions of a file that everybody may read or change.
fn open_to_everybody(path: &Path) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & EVERYBODY != 0).then_some(mode)
}

/// What makes TLS connections to servers whose certificates an authority of this PEM file vouches
/// for; without one, an authority that the system trusts.
///
/// # Errors
/// The file cannot be read or used, or the system trusts nobody.
pub fn connector(authorities: Option<&Path>) -> Result<TlsConnector, TlsError> {
    let mut roots = RootCertStore::empty();
    match authorities {
        Some(path) => {
            let pem = |source| TlsError::Pem { path: path.to_owned(), source };
            for certificate in CertificateDer::pem_file_iter(path).map_err(pem)? {
                roots.add(certificate.map_err(pem)?).map_err(|source| TlsError::Unusable {
                    certificate: path.to_owned(),
                    source,
                })?;
            }
        }
        None => {
            let of_system = rustls_native_certs::load_native_certs().certs;
            roots.add_parsable_certificates(of_system);
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NoAuthority);
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| TlsError::NoAuthority)?;
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn verifier(
    path: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let unusable = |reason: String| TlsError::Authorities { path: path.to_owned(), reason };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|source| TlsError::Pem { path: path.to_owned(), source })?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = builder.allow_unauthenticated().build();
    verifier.map(|verifier| verifier as _).map_err(|error| unusable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_for_its_owner_and_group() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("k.pem");
        std::fs::write(&key, "").unwrap();
        for (mode, told) in [(0o600, None), (0o640, None), (0o644, Some(0o644))] {
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(open_to_everybody(&key), told);
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let made = || rcgen::generate_simple_self_signed(["mx.example".to_owned()]).unwrap();
        let (ours, other) = (made(), made());
        let certificate = file("c.pem", &ours.cert.pem());
        let key = file("k.pem", &ours.signing_key.serialize_pem());
        let foreign_key = file("f.pem", &other.signing_key.serialize_pem());
        let empty = file("e.pem", "");
        assert!(acceptor(&certificate, &key).is_ok());
        for (certificate, key, named) in [
            (&certificate, &foreign_key, "c.pem"),
            (&certificate, &empty, "e.pem"),
            (&empty, &key, "e.pem"),
            (&certificate, &folder.path().join("missing.pem"), "missing.pem"),
        ] {
            let error = acceptor(certificate, key).err().unwrap().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
