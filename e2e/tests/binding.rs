//! A real Postfix whose users are held to their addresses: a From field that is mended, and clients
//! that are known by their certificates.

use std::fs;
use std::path::Path;

use quivive_e2e::filtered::Filtered;
use quivive_e2e::milter::{OVER_TCP, by_tcp, inet};
use quivive_e2e::quivive::{self, Serve};
use quivive_e2e::{dovecot, maildir, peer};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;

const GRANTS: &str = "ann@vouched.test ann\nboss@vouched.test boss\n\
    printer@vouched.test cert:printer.vouched.test\n";

const POLICY: &str = "[[listen]]\ndoor = \"policy\"\naddress = \"127.0.0.1:0\"\n";

/// A folder with the grants.
fn grants() -> TempDir {
    let folder = peer::open_folder();
    fs::write(folder.path().join("grants"), GRANTS).expect("the folder is ours");
    folder
}

/// A Postfix that asks about its users' mail, with this repair and further lines.
fn start(folder: &TempDir, tables: &str, main_cf: impl FnOnce(&Serve) -> String) -> Filtered {
    let grants = folder.path().join("grants").display().to_string();
    let tables = format!("[binding]\ngrants = \"{grants}\"\n{tables}");
    let bound = |name_server| {
        let methods = "spf = \"enforce\"\n";
        quivive::doors(name_server, &tables)
            .replace(methods, &format!("{methods}binding = \"enforce\"\n"))
    };
    Filtered::start_as(bound, main_cf)
}

#[test]
fn a_from_that_is_not_the_logins_own_is_mended_by_the_milter() {
    let dovecot = dovecot::start_authentication();
    let sasl = format!(
        "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = {}\n",
        inet(dovecot.address)
    );
    let folder = grants();
    let send = |world: &Filtered, from: &str, header: &str| {
        let data = format!("From: {header}\\nSubject: x\\n\\nbody\\n");
        let login = ["--auth", "PLAIN", "--auth-user", "ann"];
        let password = ["--auth-password", dovecot::PASSWORD, "--data", &data];
        let envelope = ["--from", from, "--to", "b@example.test"];
        world.swaks(&[&login[..], &password, &envelope].concat())
    };
    let repair = format!("repair = \"rewrite-from\"\n{OVER_TCP}");
    let world = start(&folder, &repair, |serve| by_tcp(serve) + &sasl);
    let said = send(&world, "ann@vouched.test", "The Boss <boss@vouched.test>");
    assert!(said.contains("250 2.0.0 Ok: queued"), "{said}");
    let message = world.arrived(1).remove(0);
    let from = maildir::field(&message, "From");
    assert_eq!(from.as_deref(), Some("The Boss <ann@vouched.test>"), "{message}");
    assert_eq!(message.matches("\nFrom:").count(), 1, "{message}");
    let said = send(&world, "boss@vouched.test", "ann@vouched.test");
    assert!(said.contains("<** 550 5.7.1 You may not send as <boss@vouched.test>"), "{said}");

    let repair = format!("repair = \"add-sender\"\n{OVER_TCP}");
    let world = start(&folder, &repair, |serve| by_tcp(serve) + &sasl);
    let said = send(&world, "ann@vouched.test", "boss@vouched.test");
    assert!(said.contains("250 2.0.0 Ok: queued"), "{said}");
    let message = world.arrived(1).remove(0);
    assert_eq!(maildir::field(&message, "From").as_deref(), Some("boss@vouched.test"));
    assert_eq!(maildir::field(&message, "Sender").as_deref(), Some("<ann@vouched.test>"));

    // Without a repair it is refused.
    let world = start(&folder, OVER_TCP, |serve| by_tcp(serve) + &sasl);
    let said = send(&world, "ann@vouched.test", "boss@vouched.test");
    assert!(said.contains("<** 550 5.7.1 You may not use <boss@vouched.test>"), "{said}");
}

/// An authority, the server's certificate, and the clients' `NAME.pem` and `NAME.key`.
struct Certificates<'a> {
    folder: &'a Path,
    authority: Issuer<'static, KeyPair>,
}

impl<'a> Certificates<'a> {
    fn new(folder: &'a Path) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, "The authority");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        fs::write(folder.join("ca.pem"), certificate.pem()).expect("the folder is ours");
        Self { folder, authority: Issuer::new(params, key) }
    }

    /// A certificate of this name, by the authority or by nobody.
    fn make(&self, file: &str, name: &str, is_vouched: bool) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = match is_vouched {
            true => params.signed_by(&key, &self.authority),
            false => params.self_signed(&key),
        };
        let certificate = certificate.expect("a certificate");
        let write = |extension: &str, text: String| {
            let path = self.folder.join(format!("{file}.{extension}"));
            fs::write(path, text).expect("the folder is ours");
        };
        write("pem", certificate.pem());
        write("key", key.serialize_pem());
    }
}

#[test]
fn a_client_is_known_by_its_certificate() {
    let folder = grants();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let certificates = Certificates::new(folder.path());
    certificates.make("server", "next.example.test", true);
    certificates.make("printer", "printer.vouched.test", true);
    certificates.make("other", "other.vouched.test", true);
    certificates.make("claimed", "printer.vouched.test", false);
    let tls = format!(
        "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}\n\
         smtpd_tls_CAfile = {}\nsmtpd_tls_ask_ccert = yes\n",
        path("server.pem"),
        path("server.key"),
        path("ca.pem")
    );
    let by_policy = |serve: &Serve| {
        format!(
            "smtpd_recipient_restrictions = check_policy_service {}\n",
            inet(serve.address("policy"))
        )
    };
    for by_milter in [true, false] {
        let world = match by_milter {
            true => start(&folder, OVER_TCP, |serve| by_tcp(serve) + &tls),
            false => start(&folder, POLICY, |serve| by_policy(serve) + &tls),
        };
        let send = |client: &str| {
            let (certificate, key) =
                (path(&format!("{client}.pem")), path(&format!("{client}.key")));
            let tls = ["--tls", "--tls-cert", &certificate, "--tls-key", &key];
            let data = "From: printer@vouched.test\\nSubject: x\\n\\nbody\\n";
            let envelope = ["--from", "printer@vouched.test", "--to", "b@example.test"];
            world.swaks(&[&tls[..], &envelope, &["--data", data]].concat())
        };
        let said = send("printer");
        assert!(said.contains("250 2.0.0 Ok: queued"), "{by_milter}: {said}");
        for client in ["other", "claimed"] {
            let said = send(client);
            assert!(said.contains("<~* 550 5.7.1 "), "{by_milter} {client}: {said}");
        }
        assert_eq!(world.arrived(1).len(), 1);
    }
}
