use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quivive_binding::GrantTable;
use sqlx::Executor;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

fn rules() -> Arc<Rules> {
    Arc::default()
}

async fn ask(table: &dyn Table, key: &str) -> Result<Vec<String>, Failure> {
    let entries = match table.at_hand(key) {
        Some(entries) => entries,
        None => table.look_up(key).await,
    };
    let text = |entry: &Octets| String::from_utf8(entry.0.to_vec()).unwrap();
    entries.records().map(|records| records.iter().map(text).collect())
}

#[tokio::test]
async fn a_table_is_at_hand() {
    let table = GrantTable::parse("alice@e.test alice, bob\n", &rules()).unwrap();
    let table = TableGrants::new(table, rules());
    let alice = ask(&table, "alice@e.test alice").await.unwrap();
    assert_eq!(alice, ["alice@e.test alice", "alice@e.test -"]);
    assert!(ask(&table, "x@e.test alice").await.unwrap().is_empty());
    assert_eq!(ask(&table, "nonsense").await, Err(Failure::Malformed));
}

async fn database(folder: &std::path::Path, sql: &'static str) -> std::path::PathBuf {
    let path = folder.join("accounts.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    pool.execute(sql).await.unwrap();
    pool.close().await;
    path
}

const ACCOUNTS: &str = "\
CREATE TABLE alias (address TEXT, users TEXT, options TEXT);
INSERT INTO alias VALUES ('alice@e.test', 'alice', 'detail'), ('team@e.test', 'alice, bob', ''),
    ('team@e.test', 'carol', NULL), ('@e.test', 'gw', NULL), ('odd@e.test', 'a b [', NULL);
";

#[tokio::test]
async fn a_database_is_asked_pattern_by_pattern() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(folder.path(), ACCOUNTS).await;
    let sql = "SELECT users, options FROM alias WHERE address = ?1;";
    let table = DatabaseGrants::open(&path, sql, rules()).await.unwrap();
    for (key, entries) in [
        ("alice+x@e.test alice", &["alice@e.test alice [detail]"][..]),
        ("team@e.test carol", &["team@e.test carol", "team@e.test -"]),
        ("team@e.test bob", &["team@e.test bob", "team@e.test -"]),
        ("other@e.test gw", &["@e.test gw"]),
        ("other@f.test gw", &[]),
    ] {
        assert_eq!(ask(&table, key).await.unwrap(), entries, "{key}");
    }
    // What cannot be read is no grant, and no absence of one.
    assert_eq!(ask(&table, "odd@e.test a").await, Err(Failure::Malformed));
    let one_column = "SELECT users FROM alias WHERE address = ?1";
    let table = DatabaseGrants::open(&path, one_column, rules()).await.unwrap();
    assert_eq!(ask(&table, "alice@e.test alice").await.unwrap(), ["alice@e.test alice"]);
}

#[tokio::test]
async fn a_database_that_cannot_be_asked_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(folder.path(), ACCOUNTS).await;
    let open = async |path: &std::path::Path, sql: &str| {
        let opened = DatabaseGrants::open(path, sql, rules()).await;
        opened.err().expect("it cannot be asked").to_string()
    };
    let sql = "SELECT users FROM alias WHERE address = ?1";
    let missing = open(&folder.path().join("none.db"), sql).await;
    assert!(missing.contains("none.db"), "{missing}");
    assert!(!folder.path().join("none.db").exists());
    let error = open(&path, "SELECT nothing FROM alias WHERE address = ?1").await;
    assert!(error.contains("nothing"), "{error}");
    // A query reads, whatever it says.
    for sql in
        ["DELETE FROM alias WHERE address = ?1 RETURNING users", "SELECT ?1); DROP TABLE alias"]
    {
        open(&path, sql).await;
    }
    let table = DatabaseGrants::open(&path, sql, rules()).await.unwrap();
    assert_eq!(ask(&table, "alice@e.test alice").await.unwrap().len(), 1);
    std::fs::write(&path, "no database").unwrap();
    let broken = DatabaseGrants::open(&path, sql, rules()).await;
    assert!(broken.is_err());
}

#[tokio::test]
async fn a_database_has_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE alias (address TEXT, users TEXT);
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
        INSERT INTO alias SELECT 'big@e.test', 'u' || i FROM n;";
    let path = database(folder.path(), sql).await;
    let sql = "SELECT users FROM alias WHERE address = ?1";
    let table = DatabaseGrants::open(&path, sql, rules()).await.unwrap();
    assert_eq!(ask(&table, "big@e.test u1").await, Err(Failure::TooLarge));
}

/// A service that answers every request by what `respond` makes of its target and its number.
struct Service {
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Service {
    async fn start(respond: fn(&str, usize) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/grants", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let count = count.clone();
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    let mut octets = [0; 4096];
                    while let Ok(read) = stream.read(&mut octets).await {
                        request.extend_from_slice(&octets[..read]);
                        if read == 0 {
                            return;
                        }
                        if request.ends_with(b"\r\n\r\n") {
                            let text = String::from_utf8(std::mem::take(&mut request)).unwrap();
                            let number = count.fetch_add(1, Ordering::SeqCst);
                            let response = respond(&text, number);
                            stream.write_all(response.as_bytes()).await.unwrap();
                            if response.contains("close") {
                                return;
                            }
                        }
                    }
                });
            }
        });
        Self { url, asked }
    }

    fn grants(&self, keep: Duration) -> ServiceGrants {
        let token = Some("secret".to_owned());
        let settings = ServiceSettings { url: self.url.clone(), token, ca_file: None, keep };
        ServiceGrants::new(&settings, rules()).unwrap()
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_service_is_asked_and_its_answer_kept() {
    let service = Service::start(|request, _| {
        let wanted = "GET /grants?address=alice%2Bx%40e.test&identity=alice HTTP/1.1\r\n";
        assert!(request.starts_with(wanted), "{request}");
        assert!(request.contains("authorization: Bearer secret\r\n"), "{request}");
        ok(r#"["@e.test gw", "alice@e.test alice, bob [detail]", "unasked@e.test alice"]"#)
    });
    let service = service.await;
    let grants = service.grants(Duration::from_secs(60));
    for _ in 0..3 {
        let entries = ask(&grants, "alice+x@e.test alice").await.unwrap();
        assert_eq!(entries, ["alice@e.test alice [detail]", "alice@e.test -"]);
    }
    assert_eq!(service.asked(), 1);
    let grants = service.grants(Duration::ZERO);
    ask(&grants, "alice+x@e.test alice").await.unwrap();
    ask(&grants, "alice+x@e.test alice").await.unwrap();
    assert_eq!(service.asked(), 3);
}

#[tokio::test]
async fn a_service_that_goes_wrong_grants_nothing() {
    for (response, failure) in [
        (ok("no json"), Failure::Malformed),
        (ok(r#"{"alice": true}"#), Failure::Malformed),
        (ok(r#"["alice@e.test"]"#), Failure::Malformed),
        (ok(&format!("[\"{}\"]", "x".repeat(ANSWER_OCTETS_MAX))), Failure::TooLarge),
        ("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_owned(), Failure::ServerFailure),
        ("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n".to_owned(), Failure::ServerFailure),
        (
            "HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
                .to_owned(),
            Failure::ServerFailure,
        ),
        ("nonsense\r\n\r\n close".to_owned(), Failure::Unreachable),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nclose".to_owned(), Failure::TooLarge),
    ] {
        static RESPONSE: std::sync::Mutex<String> = std::sync::Mutex::new(String::new());
        RESPONSE.lock().unwrap().clone_from(&response);
        let service = Service::start(|_, _| RESPONSE.lock().unwrap().clone()).await;
        let grants = service.grants(Duration::from_secs(60));
        assert_eq!(ask(&grants, "a@e.test alice").await, Err(failure), "{response:.60}");
        // A failure is not kept.
        assert_eq!(ask(&grants, "a@e.test alice").await, Err(failure));
        assert!(service.asked() >= 2);
    }
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let service = Service { url: format!("http://{nobody}/"), asked: Arc::default() };
    let grants = service.grants(Duration::ZERO);
    assert_eq!(ask(&grants, "a@e.test alice").await, Err(Failure::Unreachable));
}

#[tokio::test]
async fn a_connection_that_was_closed_is_made_anew() {
    let service = Service::start(|_, number| match number {
        // Said to stay open, and closed.
        0 => ok("[\"a@e.test alice\"] close"),
        _ => ok("[\"a@e.test alice\"]"),
    });
    let service = service.await;
    let grants = service.grants(Duration::ZERO);
    assert_eq!(ask(&grants, "a@e.test alice").await, Err(Failure::Malformed));
    for _ in 0..2 {
        assert_eq!(ask(&grants, "a@e.test alice").await.unwrap(), ["a@e.test alice"]);
    }
    let unknown =
        Service::start(|_, _| "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".into()).await;
    let grants = unknown.grants(Duration::ZERO);
    assert!(ask(&grants, "a@e.test alice").await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_silent_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let service = Service { url, asked: Arc::default() };
    let grants = service.grants(Duration::ZERO);
    assert_eq!(ask(&grants, "a@e.test alice").await, Err(Failure::Timeout));
    drop(listener);
}

#[test]
fn settings_that_cannot_be_used() {
    let new = |url: &str, token: Option<&str>, ca_file: Option<&str>| {
        let settings = ServiceSettings {
            url: url.to_owned(),
            token: token.map(str::to_owned),
            ca_file: ca_file.map(Into::into),
            keep: Duration::ZERO,
        };
        ServiceGrants::new(&settings, rules()).err().map(|error| error.to_string())
    };
    assert_eq!(new("/path", None, None).unwrap(), "`/path` is no URL of a service");
    assert!(new("http://127.0.0.1/", Some("a\nb"), None).unwrap().contains("token"));
    let error = new("https://127.0.0.1/", None, Some("/nowhere/ca.pem")).unwrap();
    assert!(error.contains("/nowhere/ca.pem"), "{error}");
}
