//! The sample, the effective values and the reference come from the table, all of it.

use std::path::Path;

use super::contract::CONTRACT;
use super::{config, errors};
use crate::actions::ACTIONS;
use crate::methods::METHODS;
use crate::{Built, Config, Door, NextHop, Reload, Row, reference_markdown, sample, show, table};

#[test]
fn what_is_shown_describes_the_same_configuration() {
    let everything = "hostname = \"a.test\"\n[resolver]\nzone = \"z\"\n[spf]\n\
        void_lookups_max = 0\n[methods]\nspf = \"report\"\ndmarc = \"off\"\n\
        [actions.spf]\nhelo = { pass = \"accept\", none = \"discard\" }\n\
        [[listen]]\ndoor = \"gateway\"\naddress = \"unix:a \\\"b\\\\\"\nnext_hop = \"lmtp:[::1]:24\"\n\
        recipient_domains = [\"bücher.example\"]\nproxy_from = [\"::1\"]\nsize_max = 4096\n\
        tls = { certificate = \"c\", key = \"k\", mode = \"implicit\" }\n\
        [[listen]]\ndoor = \"gateway\"\naddress = \"127.0.0.1:0\"\nnext_hop = \"maildir:m\"\n\
        [[exception]]\nnetworks = [\"192.0.2.0/24\"]\nskip = true\n\
        [[exception]]\ndomains = [\"b.test\"]\nactions.spf.helo.fail = \"defer\"\n";
    for text in [everything, CONTRACT, &sample(), ""] {
        let config = config(text);
        let shown = show(&config);
        assert_eq!(Config::parse(&shown, Path::new("/elsewhere")), Ok(config), "{shown}");
    }
}

#[test]
fn the_default_without_a_file_is_shown_and_marks_only() {
    let config = Config::default_for(Path::new("/home/u/.local/share/quivive"));
    assert_eq!(Config::parse(&show(&config), Path::new("/")), Ok(config.clone()));
    assert!(config.listen[0].address.is_loopback());
    assert_eq!(
        config.listen[0].next_hop,
        Some(NextHop::Maildir("/home/u/.local/share/quivive/Maildir".into()))
    );
    assert_eq!(config.policy().actions.iter().count(), 0);
}

#[test]
fn the_sample_parses_and_is_the_default() {
    let sample = config(&sample());
    let default = Config { listen: sample.listen.clone(), ..Config::default() };
    assert_eq!(sample, default);
}

/// Every line of the sample holds when its comment mark is taken away.
#[test]
fn the_samples_comments_parse() {
    let sample = sample();
    let (above, exception) = sample.split_once("# [[exception]]").unwrap();
    let mut tried = 0;
    // The listener of the sample is a gateway, at an address of the network; and a relay's user
    // needs a password.
    let of_others = [
        "user",
        "password_file",
        "hosts",
        "url",
        "map",
        "srs",
        "prepend_prefix",
        "token_file",
        "requests_per_minute",
        "progress_seconds",
        "socket_",
        "ca_file",
        "users",
        "dovecot_auth",
        "client_ca_file",
    ];
    for line in above.lines() {
        let Some(setting) = line.strip_prefix("# e.g. ").or(line.strip_prefix("# ")) else {
            continue;
        };
        // The head of the file speaks of such lines and is none.
        if setting.starts_with(|first: char| first.is_lowercase())
            && setting.contains(" = ")
            && !setting.contains('`')
            && !of_others.iter().any(|key| setting.starts_with(key))
        {
            assert_eq!(errors(&above.replacen(line, setting, 1)), [""; 0], "{setting}");
            tried += 1;
        }
    }
    assert!(tried > 15, "{tried}");
    let exception = exception.replace("# e.g. ", "").replace("\n# ", "\n");
    assert_eq!(errors(&format!("[[exception]]{exception}")), [""; 0]);
}

#[test]
fn the_sample_has_every_setting_that_is_built_and_no_other() {
    let sample = sample();
    let has = |row: &Row| {
        sample.lines().any(|line| {
            let line = line.strip_prefix("# e.g. ").or(line.strip_prefix("# ")).unwrap_or(line);
            line.starts_with(&format!("{} = ", row.name))
        })
    };
    for section in table() {
        assert_eq!(sample.contains(&section.header), section.is_built(), "{}", section.header);
        let rows = section.rows.iter().filter(|_| section.is_built()).chain([&section]);
        for row in rows.filter(|row| row.header.is_empty()) {
            assert_eq!(has(row), row.is_built(), "{} in {}", row.name, section.header);
        }
    }
}

#[test]
fn the_sample_speaks_of_nothing_that_is_not_built() {
    let doors = Door::ALL.iter().map(|(door, built)| (door.word(), *built));
    let actions = ACTIONS.iter().map(|(action, built)| (action.word(), *built));
    let sample = sample();
    for (word, built) in doors.chain(actions) {
        assert_eq!(sample.contains(&format!("\"{word}\"")), built == Built::Now, "{word}");
    }
    for row in METHODS {
        let line = format!("{} = ", row.method);
        let lines = [format!("\n{line}"), format!("\n# e.g. {line}")];
        let has = lines.iter().any(|line| sample.contains(line));
        assert_eq!(has, row.built == Built::Now, "{}", row.method);
    }
}

/// SIGHUP takes everything but the addresses of listeners and the database.
#[test]
fn only_addresses_and_the_database_need_a_restart() {
    let restart: Vec<_> = table()
        .into_iter()
        .flat_map(|section| [vec![section.clone()], section.rows].concat())
        .filter(|row| row.reload == Reload::Restart)
        .map(|row| row.name)
        .collect();
    let store = ["path", "retain_days", "retain_mib", "hash_addresses_after_days"];
    let listen = ["address", "socket_mode", "socket_owner", "socket_group"];
    assert_eq!(restart, [store, listen].concat());
}

#[test]
fn the_reference_has_every_setting() {
    fn cells(rows: &[Row]) -> Vec<String> {
        let cell = |row: &Row| {
            let later = if row.built == Built::Later { " (not in this version)" } else { "" };
            format!("| `{}`{later} | {}", row.name, row.kind)
        };
        let plain = rows.iter().filter(|row| row.header.is_empty()).map(cell);
        plain.chain(rows.iter().flat_map(|row| cells(&row.rows))).collect()
    }
    let reference = reference_markdown();
    for cell in cells(&table()) {
        assert!(reference.contains(&cell), "{cell}");
    }
}

#[test]
fn every_row_has_a_sentence() {
    fn all(rows: Vec<Row>) -> Vec<Row> {
        rows.into_iter().flat_map(|row| [vec![row.clone()], all(row.rows)].concat()).collect()
    }
    for row in all(table()) {
        assert!(row.prose.ends_with('.') && !row.prose.contains('|'), "{}", row.name);
        assert!(!row.example.is_empty(), "{}", row.name);
    }
}
