//! The numbers for Prometheus.

use crate::world::{Setting, get};

#[tokio::test]
async fn judgements_are_counted() {
    let setting = Setting::new("example.com. 300 TXT \"v=spf1 -all\"\n").await;
    let metrics = &setting.world.metrics;
    metrics.judged(&setting.judge("192.0.2.1", "h.example", "a@example.com", "c1"));
    metrics.judged(&setting.judge("192.0.2.1", "h.example", "a@other.example", "c2"));
    let _session = metrics.session("gateway");
    setting.keep("192.0.2.1", "h.example", "a@example.com", "c3").await;
    let answer = get(&setting.console(), "/metrics").await;
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let lines: Vec<&str> = answer.body.lines().collect();
    for line in [
        "quivive_findings_total{method=\"spf\",identity=\"mailfrom\",result=\"fail\"} 1",
        "quivive_findings_total{method=\"spf\",identity=\"helo\",result=\"none\"} 2",
        "quivive_verdicts_total{action=\"reject\"} 1",
        "quivive_verdicts_total{action=\"accept\"} 1",
        "quivive_check_duration_seconds_bucket{le=\"0.0025\"} 0",
        "quivive_check_duration_seconds_bucket{le=\"0.005\"} 2",
        "quivive_check_duration_seconds_bucket{le=\"+Inf\"} 2",
        "quivive_check_duration_seconds_sum 0.0086",
        "quivive_check_duration_seconds_count 2",
        "quivive_sessions_open{door=\"gateway\"} 1",
        "quivive_store_written_total 1",
        "quivive_store_working 1",
    ] {
        assert!(lines.contains(&line), "{line}\n{}", answer.body);
    }
}
