//! Where grants come from: a file that changes, a database, a service by HTTPS. Whatever does not
//! answer lets nothing through.

use std::fs;
use std::sync::Arc;

use quivive_e2e::grants::Service;
use quivive_e2e::submission::{DATABASE, OWN, SERVICE, Submission, block, in_folder, with_binding};
use quivive_e2e::trust::Trust;
use quivive_e2e::wait;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

const TO: &str = "somebody@example.test";

/// What alice is told about a message in this envelope, with her own header.
fn answer(site: &Submission, sender: &str) -> String {
    site.log_in("alice").message(sender, TO, OWN)
}

#[track_caller]
fn taken(reply: &str) {
    assert!(reply.starts_with("250 "), "{reply}");
}

#[track_caller]
fn refused(reply: &str) {
    assert!(reply.starts_with("550 5.7.1 "), "{reply}");
}

#[track_caller]
fn deferred(reply: &str) {
    assert!(reply.starts_with("451 4.3.0 "), "{reply}");
}

#[test]
fn the_file_of_the_page() {
    let site = Submission::start("maildir:box");
    for sender in ["alice@example.org", "alice+box@example.org", "team@example.org"] {
        taken(&answer(&site, sender));
    }
    for sender in
        ["bob@example.org", "bob+x@example.org", "x@lists.example.org", "x@other.test", ""]
    {
        refused(&answer(&site, sender));
    }
    // Carol is in a group of the group.
    let team = OWN.replace("alice", "team");
    taken(&site.log_in("carol").message("team@example.org", TO, &team));
    refused(&site.log_in("secretary").message("team@example.org", TO, &team));
    let grants = site.trust.path("grants");
    let page = fs::read_to_string(&grants).expect("it is there");
    // What is broken changes nothing, and the log says where.
    fs::write(&grants, format!("{page}broken@@example.org alice\n")).expect("the folder is ours");
    site.serve.signal("HUP");
    let logged = |part: &str| {
        wait::until(part, || site.serve.log().contains(part).then_some(()));
    };
    logged("`broken@@example.org` is no address");
    taken(&answer(&site, "alice@example.org"));
    fs::write(&grants, page.replace("alice, bob, %second", "bob")).expect("the folder is ours");
    site.serve.signal("HUP");
    wait::until("the new grants", || {
        answer(&site, "team@example.org").starts_with("550 5.7.1 ").then_some(())
    });
    taken(&answer(&site, "alice@example.org"));
}

async fn run(path: &std::path::Path, sql: &str) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = options.connect().await.expect("the folder is ours");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .expect("it is SQL");
    connection.close().await.expect("nothing is under way");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_of_the_page() {
    let trust = Trust::new();
    let database = trust.path("accounts.db");
    run(&database, &block("sql", 0)).await;
    let binding = in_folder(&block("toml", DATABASE), &trust);
    let site = Submission::start_with("maildir:box", |configuration, _| {
        with_binding(&configuration, &binding)
    });
    for sender in ["alice@example.org", "alice+x@example.org", "team@example.org"] {
        taken(&answer(&site, sender));
    }
    refused(&answer(&site, "bob@example.org"));
    // It is asked each time.
    run(&database, "INSERT INTO grants VALUES ('bob@example.org', 'alice', 'scopes=mailfrom')")
        .await;
    taken(&answer(&site, "bob@example.org"));
    run(&database, "ALTER TABLE grants RENAME TO gone").await;
    deferred(&answer(&site, "bob@example.org"));
    deferred(&answer(&site, "alice@example.org"));
}

#[test]
fn the_service_of_the_page() {
    let trust = Arc::new(Trust::new());
    let service = Service::start(
        &trust,
        &["alice@example.org alice [detail]", "team@example.org alice, bob", "bob@example.org bob"],
    );
    fs::write(trust.path("grants.token"), "of-the-tests\n").expect("the folder is ours");
    let binding = in_folder(&block("toml", SERVICE), &trust)
        .replace("accounts.example.org", &format!("localhost:{}", service.address.port()))
        .replace("cache_seconds = 60", "cache_seconds = 0");
    let site = Submission::start_with("maildir:box", |configuration, _| {
        with_binding(&configuration, &binding)
    });
    for sender in ["alice@example.org", "alice+x@example.org", "team@example.org"] {
        taken(&answer(&site, sender));
    }
    refused(&answer(&site, "bob@example.org"));
    let asked = service.asked();
    let line = "GET /grants?address=alice%40example.org&identity=alice HTTP/1.1";
    assert!(asked.iter().any(|told| told == line), "{asked:?}");
    let token = "authorization: bearer of-the-tests";
    assert!(asked.iter().any(|told| told.to_lowercase() == token), "{asked:?}");
    service.answer("[\"alice@example.org alice [detail");
    deferred(&answer(&site, "alice@example.org"));
    service.answer("[\"alice@example.org alice [everything]\"]");
    deferred(&answer(&site, "alice@example.org"));
    service.answer("[\"alice@example.org alice\"]");
    taken(&answer(&site, "alice@example.org"));
    service.stop();
    deferred(&answer(&site, "alice@example.org"));
    deferred(&answer(&site, "bob@example.org"));
}
