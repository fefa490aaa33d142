use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use quivive_binding::GrantTable;
use quivive_evidence::{Answer, Failure, Outcome, Source as AnswerSource};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use super::users::{User, Users};
use super::*;
use crate::grants::TableGrants;
use crate::tables::{Entries, Lookup, Table};

const PASSWORD: &str = "correct horse";

/// A user with this password.
fn user() -> User {
    // Made once: by intent it is work.
    static USER: OnceLock<User> = OnceLock::new();
    USER.get_or_init(|| User::with_password(PASSWORD).unwrap()).clone()
}

struct Site {
    folder: tempfile::TempDir,
    tables: Tables,
}

impl Site {
    fn new(grants: &str) -> Self {
        let rules: Arc<Rules> = Arc::default();
        let table = GrantTable::parse(grants, &rules).unwrap();
        let grants: Arc<dyn Table> = Arc::new(TableGrants::new(table, rules));
        Self {
            folder: tempfile::tempdir().unwrap(),
            tables: Tables::default().with(GRANTS, grants),
        }
    }

    fn with_users(names: &[&str]) -> Self {
        let site = Self::new("as:boss alice\nas:late alice [until=2020-01-01]\n");
        for name in names {
            users::change(&site.file(), |users| users.set(name, user())).unwrap();
        }
        site
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("users")
    }

    fn logins(&self) -> Arc<Logins> {
        self.logins_of(&LoginSource::Users(self.file()))
    }

    fn logins_of(&self, source: &LoginSource) -> Arc<Logins> {
        let logins = Logins::new(source, self.tables.clone(), Arc::default(), Logins::tries());
        Arc::new(logins.unwrap())
    }
}

fn stranger() -> Applicant {
    Applicant { address: [192, 0, 2, 1].into(), certificate: None }
}

fn known_as(name: &str) -> Applicant {
    Applicant { certificate: Some(name.to_owned()), ..stranger() }
}

async fn plain(logins: &Arc<Logins>, message: &str) -> Turn {
    let mut dialogue = logins.begin(Mechanism::Plain, stranger()).unwrap();
    dialogue.respond(Some(message.as_bytes())).await
}

fn logged_in(name: &str) -> Turn {
    Turn::LoggedIn(name.to_owned())
}

#[tokio::test]
async fn plain_and_login() {
    let logins = Site::with_users(&["Alice", "bob"]).logins();
    let mechanisms = logins.mechanisms(&stranger()).await.unwrap();
    assert_eq!(mechanisms.to_string(), "SCRAM-SHA-256 PLAIN LOGIN");
    // Under the name that the file has.
    assert_eq!(plain(&logins, "\0alice\0correct horse").await, logged_in("Alice"));
    for message in ["\0alice\0wrong horse", "\0nobody\0correct horse"] {
        assert_eq!(plain(&logins, message).await, Turn::Denied(Denied::Wrong), "{message:?}");
    }
    assert_eq!(plain(&logins, "alice").await, Turn::Denied(Denied::Malformed));
    let mut login = logins.begin(Mechanism::Login, stranger()).unwrap();
    assert_eq!(login.respond(None).await, Turn::Challenge(b"Username:".to_vec()));
    assert_eq!(login.respond(Some(b"bob")).await, Turn::Challenge(b"Password:".to_vec()));
    assert_eq!(login.respond(Some(PASSWORD.as_bytes())).await, logged_in("bob"));
}

#[tokio::test]
async fn bypass_14_another_authorisation_identity() {
    let logins = Site::with_users(&["alice", "bob"]).logins();
    for (message, turn) in [
        ("\0alice\0correct horse", logged_in("alice")),
        ("alice\0alice\0correct horse", logged_in("alice")),
        ("boss\0alice\0correct horse", logged_in("boss")),
        ("bob\0alice\0correct horse", Turn::Denied(Denied::Wrong)),
        ("boss\0bob\0correct horse", Turn::Denied(Denied::Wrong)),
        ("late\0alice\0correct horse", Turn::Denied(Denied::Wrong)),
        ("boss\0alice\0wrong", Turn::Denied(Denied::Wrong)),
    ] {
        assert_eq!(plain(&logins, message).await, turn, "{message:?}");
    }
}

/// The client's side of SCRAM-SHA-256 (RFC 5802).
async fn scram(logins: &Arc<Logins>, first: &str, password: &str) -> Turn {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::{Digest, Sha256};
    let mac = |key: &[u8], text: &[u8]| -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text);
        mac.finalize().into_bytes().into()
    };
    let encode = |octets: &[u8]| data_encoding::BASE64.encode(octets);
    let mut dialogue = logins.begin(Mechanism::ScramSha256, stranger()).unwrap();
    let turn = dialogue.respond(Some(first.as_bytes())).await;
    let Turn::Challenge(challenge) = turn else { return turn };
    let server_first = String::from_utf8(challenge).unwrap();
    let value = |name: &str| {
        let part = server_first.split(',').find_map(|part| part.strip_prefix(name));
        part.unwrap().to_owned()
    };
    let salt = data_encoding::BASE64.decode(value("s=").as_bytes()).unwrap();
    let mut salted = [0; 32];
    let iterations = value("i=").parse().unwrap();
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, iterations, &mut salted);
    let header = &first[..first.match_indices(',').nth(1).unwrap().0 + 1];
    let without_proof = format!("c={},r={}", encode(header.as_bytes()), value("r="));
    let message = format!("{},{server_first},{without_proof}", &first[header.len()..]);
    let client_key = mac(&salted, b"Client Key");
    let signature = mac(&Sha256::digest(client_key), message.as_bytes());
    let proof: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
    let last = format!("{without_proof},p={}", encode(&proof));
    let turn = dialogue.respond(Some(last.as_bytes())).await;
    let Turn::Challenge(server_final) = turn else { return turn };
    let server_key = mac(&salted, b"Server Key");
    let expected = format!("v={}", encode(&mac(&server_key, message.as_bytes())));
    assert_eq!(server_final, expected.as_bytes(), "the server proves itself too");
    dialogue.respond(Some(b"")).await
}

#[tokio::test]
async fn scram_for_those_who_are_known_and_for_others() {
    let logins = Site::with_users(&["alice"]).logins();
    assert_eq!(scram(&logins, "n,,n=alice,r=abc", PASSWORD).await, logged_in("alice"));
    assert_eq!(scram(&logins, "n,a=boss,n=alice,r=abc", PASSWORD).await, logged_in("boss"));
    let wrong = Turn::Denied(Denied::Wrong);
    assert_eq!(scram(&logins, "n,,n=alice,r=abc", "wrong").await, wrong);
    assert_eq!(scram(&logins, "n,,n=nobody,r=abc", PASSWORD).await, wrong);
    assert_eq!(scram(&logins, "n,a=bob,n=alice,r=abc", PASSWORD).await, wrong);
    // Who asks for a salt learns nothing: whom nobody knows has one too, and keeps it.
    let salt = async |name: &str| {
        let mut dialogue = logins.begin(Mechanism::ScramSha256, stranger()).unwrap();
        let first = format!("n,,n={name},r=abc");
        match dialogue.respond(Some(first.as_bytes())).await {
            Turn::Challenge(challenge) => {
                let text = String::from_utf8(challenge).unwrap();
                text.split_once(",s=").unwrap().1.to_owned()
            }
            turn => panic!("{turn:?}"),
        }
    };
    let (nobody, again) = (salt("nobody").await, salt("nobody").await);
    assert_eq!(nobody, again);
    let iterations = |text: &str| text.split_once(",i=").unwrap().1.to_owned();
    assert_eq!(iterations(&nobody), iterations(&salt("alice").await));
}

#[tokio::test]
async fn certificates_are_names() {
    let site = Site::with_users(&["alice"]);
    let logins = site.logins();
    let mechanisms = logins.mechanisms(&known_as("alice")).await.unwrap();
    assert!(mechanisms.contains(Mechanism::External));
    let external = async |applicant: Applicant, message: &str| {
        let mut dialogue = logins.begin(Mechanism::External, applicant).unwrap();
        dialogue.respond(Some(message.as_bytes())).await
    };
    assert_eq!(external(known_as("alice"), "").await, logged_in("alice"));
    assert_eq!(external(known_as("alice"), "Alice").await, logged_in("alice"));
    assert_eq!(external(known_as("alice"), "boss").await, logged_in("boss"));
    let wrong = Turn::Denied(Denied::Wrong);
    assert_eq!(external(known_as("alice"), "bob").await, wrong);
    assert_eq!(external(stranger(), "alice").await, wrong);
    let alone = site.logins_of(&LoginSource::Certificates);
    assert!(alone.mechanisms(&stranger()).await.unwrap().is_empty());
    assert_eq!(alone.mechanisms(&known_as("x")).await.unwrap().to_string(), "EXTERNAL");
    let mut dialogue = alone.begin(Mechanism::Plain, stranger()).unwrap();
    assert_eq!(dialogue.respond(Some(b"\0alice\0correct horse")).await, wrong);
}

#[tokio::test]
async fn failures_are_throttled_and_successes_are_not() {
    let logins = Site::with_users(&["alice"]).logins();
    for _ in 0..TRIES.0 + 1 {
        assert_eq!(plain(&logins, "\0alice\0correct horse").await, logged_in("alice"));
    }
    for _ in 0..TRIES.0 {
        assert_eq!(plain(&logins, "\0a").await, Turn::Denied(Denied::Malformed));
    }
    let denied = logins.begin(Mechanism::Plain, stranger()).err();
    assert_eq!(denied, Some(Denied::TooOften));
    let elsewhere = Applicant { address: [192, 0, 2, 2].into(), ..stranger() };
    assert!(logins.begin(Mechanism::Plain, elsewhere).is_ok());
}

/// A source of grants that does not answer.
struct Down;

impl Table for Down {
    fn at_hand(&self, _: &str) -> Option<Entries> {
        None
    }

    fn look_up(&self, _: &str) -> Lookup {
        let outcome = Outcome::Failed(Failure::Unreachable);
        let answer = Answer::new(outcome, AnswerSource::default());
        Box::pin(std::future::ready(Arc::new(answer)))
    }
}

#[tokio::test]
async fn nobody_acts_as_another_while_it_cannot_be_asked() {
    let mut site = Site::with_users(&["alice"]);
    site.tables = Tables::default().with(GRANTS, Arc::new(Down));
    let logins = site.logins();
    let turn = plain(&logins, "boss\0alice\0correct horse").await;
    assert_eq!(turn, Turn::Denied(Denied::Unavailable));
    assert_eq!(plain(&logins, "\0alice\0correct horse").await, logged_in("alice"));
}

#[test]
fn a_mechanism_is_offered_if_every_user_can_use_it() {
    let offered = |users: &[(&str, User)]| {
        let mut file = Users::default();
        users.iter().for_each(|(name, user)| drop(file.set(name, user.clone())));
        file.mechanisms().to_string()
    };
    let (hash, verifier) = (User { verifier: None, ..user() }, User { password: None, ..user() });
    assert_eq!(offered(&[]), "");
    assert_eq!(offered(&[("a", user())]), "SCRAM-SHA-256 PLAIN LOGIN");
    assert_eq!(offered(&[("a", user()), ("b", hash.clone())]), "PLAIN LOGIN");
    assert_eq!(offered(&[("a", user()), ("b", verifier.clone())]), "SCRAM-SHA-256");
    assert_eq!(offered(&[("a", hash), ("b", verifier)]), "");
}

#[test]
fn a_file_of_users_is_written_as_it_was() {
    let User { password, verifier } = user();
    let (hash, verifier) = (password.unwrap(), verifier.unwrap().to_string());
    let text = format!(
        "# comment\n\nalice:{hash}:{verifier}\nbob@e.test:{hash}:\ncarol::{verifier}\n",
        hash = hash.as_str()
    );
    let mut users = Users::parse(&text).unwrap();
    assert_eq!(users.to_string(), text);
    assert_eq!(users.iter().count(), 3);
    assert!(users.find("BOB@E.test").is_some() && users.find("dave").is_none());
    assert_eq!(users.remove("Bob@e.test"), Ok(()));
    assert!(users.find("carol").is_some() && users.find("bob@e.test").is_none());
    assert!(users.remove("dave").is_err());
    assert_eq!(users.set("ALICE", user()), Ok(true));
    assert_eq!(users.set("dave", user()), Ok(false));
    for name in ["", "a:b", "a\nb", "#a"] {
        assert!(users.set(name, user()).is_err(), "{name:?}");
    }
    let names: Vec<&str> = users.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["ALICE", "carol", "dave"]);
    assert!(users.to_string().starts_with("# comment\n\nALICE:$argon2id$"));
}

#[test]
fn lines_that_are_no_users_are_said() {
    let hash = user().password.unwrap();
    for (line, said) in [
        ("alice".to_owned(), "a line is NAME:HASH:VERIFIER"),
        ("alice:x".to_owned(), "a line is NAME:HASH:VERIFIER"),
        ("alice::".to_owned(), "`alice` has no password"),
        ("alice:x:".to_owned(), "this is no argon2 hash"),
        ("alice::x".to_owned(), "this is no verifier"),
        (format!(":{}:", hash.as_str()), "cannot be a user's name"),
        (format!("a:{0}:\nA:{0}:", hash.as_str()), "`A` stands above already"),
    ] {
        let (_, problem) = Users::parse(&format!("#\n{line}\n")).unwrap_err();
        assert!(problem.contains(said), "{line}: {problem}");
    }
    for password in ["", "\u{7}", &"x".repeat(1025)] {
        assert!(User::with_password(password).is_err());
    }
}

#[tokio::test]
async fn the_file_is_safe_and_is_followed() {
    let site = Site::with_users(&["alice"]);
    let set_mode = |mode| {
        std::fs::set_permissions(site.file(), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&site.file()), 0o600);
    for open in [0o604, 0o620, 0o644] {
        set_mode(open);
        let error = users::read(&site.file()).unwrap_err().to_string();
        assert!(error.contains("chmod"), "{error}");
    }
    set_mode(0o640);
    let file = UserFile::looking(&site.file(), Duration::ZERO).unwrap();
    let lazy = UserFile::looking(&site.file(), Duration::from_secs(3600)).unwrap();
    users::change(&site.file(), |users| users.set("bob", user())).unwrap();
    assert_eq!(mode(&site.file()), 0o640, "the mode stays");
    assert!(file.current().await.find("bob").is_some());
    assert!(lazy.current().await.find("bob").is_none());
    // What cannot be read changes nothing.
    std::fs::write(site.file(), "nonsense").unwrap();
    assert!(file.current().await.find("bob").is_some());
    let absent = users::read(&site.folder.path().join("none")).unwrap_err().to_string();
    assert!(absent.contains("quivive user passwd"), "{absent}");
}

/// An auth service that greets and then answers each line by what `respond` makes of it.
fn dovecot(site: &Site, greeting: &'static str, respond: fn(&str) -> String) -> LoginSource {
    let path = site.folder.path().join("auth");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                stream.write_all(greeting.as_bytes()).await.unwrap();
                let (mut lines, mut octets) = (String::new(), [0; 1024]);
                while let Ok(read) = stream.read(&mut octets).await {
                    lines.push_str(std::str::from_utf8(&octets[..read]).unwrap());
                    while let Some((line, rest)) = lines.clone().split_once('\n') {
                        let answer = respond(line);
                        if stream.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                        lines = rest.to_owned();
                    }
                    if read == 0 {
                        return;
                    }
                }
            });
        }
    });
    LoginSource::Dovecot(path)
}

const GREETING: &str = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tANONYMOUS\tanonymous\n\
                        MECH\tCRAM-MD5\tdictionary\tactive\nMECH\tEXTERNAL\nSPID\t1\nCUID\t2\nDONE\n";

#[tokio::test]
async fn dovecot_says_who_may() {
    let site = Site::new("");
    let source = dovecot(&site, GREETING, |line| match line.split('\t').next() {
        // "\0alice\0pw", "\0bob\0pw" and so on.
        Some("AUTH") => {
            assert!(line.contains("\tservice=smtp\tnologin\trip=192.0.2.1\tsecured"), "{line}");
            match line.rsplit('\t').next().unwrap() {
                "resp=AGFsaWNlAHB3" => "OK\t1\tuser=alice@e.test\n".to_owned(),
                "resp=AGJvYgBwdw==" => "FAIL\t1\tuser=bob\ttemp\n".to_owned(),
                "secured" => "CONT\t1\tPGhlbGxvPg==\n".to_owned(),
                "resp=" => "OK\t1\tuser=\n".to_owned(),
                "resp=eA==" => "NONSENSE\t1\n".to_owned(),
                _ => "FAIL\t7\tuser=x\nFAIL\t1\tuser=x\n".to_owned(),
            }
        }
        Some("CONT") if line == "CONT\t1\tYW5zd2Vy" => "OK\t1\tuser=carol\n".to_owned(),
        Some("CONT") => "FAIL\t1\n".to_owned(),
        _ => String::new(),
    });
    let logins = site.logins_of(&source);
    // Not ANONYMOUS; and a certificate is ours to verify.
    assert_eq!(logins.mechanisms(&stranger()).await.unwrap().to_string(), "PLAIN CRAM-MD5");
    assert!(logins.mechanisms(&known_as("x")).await.unwrap().contains(Mechanism::External));
    assert_eq!(plain(&logins, "\0alice\0pw").await, logged_in("alice@e.test"));
    assert_eq!(plain(&logins, "\0bob\0pw").await, Turn::Denied(Denied::Unavailable));
    assert_eq!(plain(&logins, "\0dave\0pw").await, Turn::Denied(Denied::Wrong));
    assert_eq!(plain(&logins, "").await, Turn::Denied(Denied::Wrong));
    assert_eq!(plain(&logins, "x").await, Turn::Denied(Denied::Unavailable));
    let cram = async |answer: &[u8]| {
        let mut dialogue = logins.begin(Mechanism::CramMd5, stranger()).unwrap();
        assert_eq!(dialogue.respond(None).await, Turn::Challenge(b"<hello>".to_vec()));
        dialogue.respond(Some(answer)).await
    };
    assert_eq!(cram(b"answer").await, logged_in("carol"));
    assert_eq!(cram(b"wrong").await, Turn::Denied(Denied::Wrong));
    let mut external = logins.begin(Mechanism::External, known_as("alice")).unwrap();
    assert_eq!(external.respond(Some(b"")).await, logged_in("alice"));
}

#[tokio::test]
async fn a_dovecot_that_is_down_lets_nobody_in_and_offers_nothing_less() {
    let site = Site::new("");
    let absent = LoginSource::Dovecot(site.folder.path().join("none"));
    let logins = site.logins_of(&absent);
    assert_eq!(logins.mechanisms(&stranger()).await, Err(Denied::Unavailable));
    assert_eq!(plain(&logins, "\0alice\0pw").await, Turn::Denied(Denied::Unavailable));
    let endless: &'static str = Box::leak("MECH\tPLAIN\n".repeat(101).into_boxed_str());
    let long: &'static str = Box::leak("x".repeat(20_000).into_boxed_str());
    for greeting in ["VERSION\t2\t0\nDONE\n", endless, long] {
        let site = Site::new("");
        let logins = site.logins_of(&dovecot(&site, greeting, |_| String::new()));
        let mechanisms = logins.mechanisms(&stranger()).await;
        assert_eq!(mechanisms, Err(Denied::Unavailable), "{greeting:.20}");
    }
}
