//! An authority of the tests' own: the server's certificate, those of its clients, and TLS with
//! either.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, crypto,
};
use tempfile::TempDir;

use crate::peer;

/// The server's name; its certificate is for 127.0.0.1, too.
pub const SERVER: &str = "localhost";

/// An authority, with its files in a folder: `ca.pem`, and `c.pem` with `k.pem` for the server.
pub struct Trust {
    folder: TempDir,
    authority: Issuer<'static, KeyPair>,
}

/// A client's certificate and key.
pub struct ClientCertificate {
    /// The file of the certificate.
    pub certificate: PathBuf,
    /// The file of its key.
    pub key: PathBuf,
}

impl Default for Trust {
    fn default() -> Self {
        Self::new()
    }
}

impl Trust {
    /// A new authority.
    ///
    /// # Panics
    /// When its files cannot be written.
    pub fn new() -> Self {
        let folder = peer::open_folder();
        let mut params = named("The tests' authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.self_signed(&key).expect("a certificate can be made");
        write(&folder.path().join("ca.pem"), &certificate.pem());
        let trust = Self { authority: Issuer::new(params, key), folder };
        let mut server = named(SERVER);
        server.subject_alt_names = vec![
            SanType::DnsName(SERVER.try_into().expect("it is a name")),
            SanType::IpAddress([127, 0, 0, 1].into()),
        ];
        trust.issue(&server, "c.pem", "k.pem");
        trust
    }

    /// Where a file of it lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate for a client of this mail address.
    ///
    /// # Panics
    /// When it is no address.
    pub fn client(&self, address: &str) -> ClientCertificate {
        let mut params = named(address);
        let name = address.try_into().expect("an address in ASCII");
        params.subject_alt_names = vec![SanType::Rfc822Name(name)];
        let (certificate, key) = (format!("{address}.pem"), format!("{address}.key"));
        self.issue(&params, &certificate, &key);
        ClientCertificate { certificate: self.path(&certificate), key: self.path(&key) }
    }

    /// What a client makes TLS by.
    ///
    /// # Panics
    /// When a file is not what it was.
    pub fn connection(&self, own: Option<&ClientCertificate>) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&self.path("ca.pem"))).expect("it is an authority");
        let builder =
            ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("they are provided")
                .with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => builder
                .with_client_auth_cert(vec![certificate(&own.certificate)], private_key(&own.key))
                .expect("they belong together"),
        };
        let name = ServerName::try_from(SERVER).expect("it is a name");
        ClientConnection::new(Arc::new(config), name).expect("a connection can begin")
    }

    /// What a server makes TLS by.
    ///
    /// # Panics
    /// When a file is not what it was.
    pub fn accepted(&self) -> ServerConnection {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("they are provided")
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate(&self.path("c.pem"))],
                private_key(&self.path("k.pem")),
            )
            .expect("they belong together");
        ServerConnection::new(Arc::new(config)).expect("a connection can begin")
    }

    fn issue(&self, params: &CertificateParams, certificate: &str, key: &str) {
        let pair = KeyPair::generate().expect("a key can be made");
        let issued = params.signed_by(&pair, &self.authority).expect("a certificate can be made");
        write(&self.path(certificate), &issued.pem());
        write(&self.path(key), &pair.serialize_pem());
    }
}

/// A certificate needs a name of its own: one that is its authority's passes for that.
fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("the folder is ours");
}

fn certificate(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).expect("it is a certificate")
}

fn private_key(path: &Path) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_file(path).expect("it is a key")
}
