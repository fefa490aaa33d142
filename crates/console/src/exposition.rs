//! The counters in the text format of Prometheus.

use std::fmt::Write;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use quivive_resolver::ServerMetrics;
use quivive_store::State as StoreState;

use crate::metrics::{CHECK_BOUNDS, Metrics};
use crate::state::{Console, World};

/// The numbers.
pub(crate) async fn show(State(console): State<Console>) -> Response {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], exposition(console.world())).into_response()
}

/// Text as it grows: a name has its help and type once, then its samples.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    /// A sample; values of labels are escaped.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let escape =
            |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        match labels.is_empty() {
            true => self.line(format_args!("{name} {value}")),
            false => self.line(format_args!("{name}{{{}}} {value}", labels.join(","))),
        }
    }

    /// A family of one sample.
    fn single(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a String takes all text");
    }
}

fn exposition(world: &World) -> String {
    let mut text = Text::default();
    text.family("quivive_build_info", "gauge", "The version that runs.");
    text.sample("quivive_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    judged(&mut text, &world.metrics);
    checks(&mut text, &world.metrics);
    sessions(&mut text, &world.metrics);
    logins(&mut text, &world.metrics);
    srs(&mut text, &world.metrics);
    resolver(&mut text, &world.resolver.metrics());
    store(&mut text, world);
    text.0
}

fn judged(text: &mut Text, metrics: &Metrics) {
    let name = "quivive_findings_total";
    text.family(name, "counter", "Findings by method, identity and result.");
    for ((method, identity, result), count) in metrics.findings() {
        let labels =
            [("method", method.word()), ("identity", identity.word()), ("result", result.word())];
        text.sample(name, &labels, count);
    }
    let name = "quivive_verdicts_total";
    text.family(name, "counter", "Messages by what was done.");
    for (action, count) in metrics.actions() {
        text.sample(name, &[("action", action.word())], count);
    }
}

fn checks(text: &mut Text, metrics: &Metrics) {
    let name = "quivive_check_duration_seconds";
    text.family(name, "histogram", "Time from the first to the last evaluation of a message.");
    let (counts, sum) = metrics.checks().cumulated();
    let bucket = format!("{name}_bucket");
    for (bound, count) in CHECK_BOUNDS.iter().zip(&counts) {
        text.sample(&bucket, &[("le", &seconds(*bound))], count);
    }
    let all = counts.last().copied().unwrap_or_default();
    text.sample(&bucket, &[("le", "+Inf")], all);
    text.sample(&format!("{name}_sum"), &[], seconds(sum));
    text.sample(&format!("{name}_count"), &[], all);
}

/// Microseconds as seconds, exactly: `0.0025`.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn sessions(text: &mut Text, metrics: &Metrics) {
    let sessions = metrics.sessions();
    text.family("quivive_sessions_total", "counter", "Sessions of clients by door.");
    for (door, counts) in &sessions {
        text.sample("quivive_sessions_total", &[("door", door)], counts.begun);
    }
    text.family("quivive_sessions_open", "gauge", "Sessions that are open now, by door.");
    for (door, counts) in &sessions {
        text.sample("quivive_sessions_open", &[("door", door)], counts.open);
    }
}

fn logins(text: &mut Text, metrics: &Metrics) {
    let name = "quivive_logins_total";
    text.family(name, "counter", "Attempts to log in by mechanism and result.");
    for ((mechanism, result), count) in metrics.logins() {
        text.sample(name, &[("mechanism", mechanism), ("result", result.word())], count);
    }
}

fn srs(text: &mut Text, metrics: &Metrics) {
    let name = "quivive_srs_total";
    text.family(name, "counter", "Addresses rewritten and found again by what came of it.");
    for (result, count) in metrics.srs_counts() {
        let (operation, result) = result.words();
        text.sample(name, &[("operation", operation), ("result", result)], count);
    }
}

fn resolver(text: &mut Text, metrics: &quivive_resolver::Metrics) {
    type Read = fn(&ServerMetrics) -> u64;
    let counters: [(&str, &str, Read); 6] = [
        ("questions", "Questions sent to a name server.", |server| server.questions),
        ("answers", "Replies with records, NODATA or NXDOMAIN.", |server| server.answers),
        ("timeouts", "Questions that ran out of time.", |server| server.timeouts),
        ("servfails", "SERVFAIL replies.", |server| server.servfails),
        ("failures", "Other failures: refused, malformed, unreachable.", |s| s.other_failures),
        ("truncated", "Replies asked for again over TCP.", |server| server.truncated),
    ];
    for (what, help, read) in counters {
        let name = format!("quivive_dns_{what}_total");
        text.family(&name, "counter", help);
        for server in &metrics.servers {
            text.sample(&name, &[("server", &server.address.to_string())], read(server));
        }
    }
    let name = "quivive_dns_reply_seconds_total";
    text.family(name, "counter", "Time from question to reply, summed.");
    for server in &metrics.servers {
        text.sample(name, &[("server", &server.address.to_string())], seconds(server.micros));
    }
    let counter = "counter";
    text.single("quivive_dns_cache_hits_total", counter, "Found in the cache.", metrics.cache_hits);
    let help = "Not found in the cache.";
    text.single("quivive_dns_cache_misses_total", counter, help, metrics.cache_misses);
    let help = "Questions that joined an equal one.";
    text.single("quivive_dns_joined_total", counter, help, metrics.joined_flights);
    let help = "Answers in the cache.";
    text.single("quivive_dns_cache_entries", "gauge", help, metrics.cache_entries);
    text.single("quivive_dns_in_flight", "gauge", "Questions on their way.", metrics.flights);
}

fn store(text: &mut Text, world: &World) {
    let Some(store) = &world.store else { return };
    let health = store.health();
    let working = u64::from(health.state == StoreState::Working);
    text.single("quivive_store_working", "gauge", "Whether cases are being written.", working);
    let help = "Cases that wait to be written.";
    text.single("quivive_store_queue_length", "gauge", help, health.queue_length as u64);
    let help = "How many cases can wait.";
    text.single("quivive_store_queue_capacity", "gauge", help, health.queue_capacity as u64);
    text.single("quivive_store_written_total", "counter", "Cases written.", health.written);
    let help = "Cases dropped or lost.";
    text.single("quivive_store_dropped_total", "counter", help, health.dropped);
    let help = "Transactions that failed.";
    text.single("quivive_store_failed_batches_total", "counter", help, health.failed_batches);
    text.single("quivive_store_file_bytes", "gauge", "Size of the file.", health.file_octets);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_exact() {
        for (micros, text) in [
            (0, "0"),
            (500, "0.0005"),
            (1_000_000, "1"),
            (25_000_000, "25"),
            (1_250_001, "1.250001"),
        ] {
            assert_eq!(seconds(micros), text);
        }
    }

    #[test]
    fn values_of_labels_are_escaped() {
        let mut text = Text::default();
        text.sample("a", &[("b", "x\"y\\z\n")], 1);
        assert_eq!(text.0, "a{b=\"x\\\"y\\\\z\\n\"} 1\n");
    }
}
