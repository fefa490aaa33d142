//! Certificates, and clients that trust and have them.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, crypto};
use tokio_rustls::TlsConnector;

use super::world::Client;
use crate::gateway::{Tls, TlsMode};

/// A certificate for mx.example, its files' settings, and a client that trusts it.
pub(super) struct Trust {
    roots: RootCertStore,
    pub(super) tls: Tls,
    /// Who vouches for clients.
    authority: Issuer<'static, KeyPair>,
}

impl Trust {
    pub(super) fn new(folder: &Path, mode: TlsMode) -> Self {
        let made = rcgen::generate_simple_self_signed(["mx.example".to_owned()]).unwrap();
        let (certificate, key) = (folder.join("c.pem"), folder.join("k.pem"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(made.cert.der().to_vec())).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key_pair = KeyPair::generate().unwrap();
        let authorities = folder.join("clients.pem");
        std::fs::write(&authorities, params.self_signed(&key_pair).unwrap().pem()).unwrap();
        let authority = Issuer::new(params, key_pair);
        let tls = Tls { certificate, key, mode, client_authorities: Some(authorities) };
        Self { roots, tls, authority }
    }

    /// A client without a certificate.
    pub(super) async fn handshake(&self, client: Client) -> Client {
        self.shake_hands(client, None).await
    }

    /// A client whose certificate names this address; `known`: our authority vouches for it.
    pub(super) async fn handshake_as(&self, client: Client, address: &str, known: bool) -> Client {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::Rfc822Name(address.try_into().unwrap())];
        let key = KeyPair::generate().unwrap();
        let certificate = match known {
            true => params.signed_by(&key, &self.authority).unwrap(),
            false => params.self_signed(&key).unwrap(),
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        self.shake_hands(client, Some((certificate.der().clone(), key))).await
    }

    async fn shake_hands(
        &self,
        client: Client,
        own: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>,
    ) -> Client {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone());
        let config = match own {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                builder.with_client_auth_cert(vec![certificate], key).unwrap()
            }
        };
        let (stream, session) = client.into_stream();
        let name = ServerName::try_from("mx.example").unwrap();
        let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        Client::over(Box::new(connected.unwrap()), session)
    }
}
