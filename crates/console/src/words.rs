//! How things are written on pages: times, numbers, shares, what the protocol's words mean.

use std::fmt;

use askama::filters::HtmlSafe;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use quivive_evidence::{FindingResult, Identity, Method};
use quivive_verdict::Action;

/// A moment, in seconds since 1970, written in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    fn zoned(self) -> jiff::Zoned {
        let second = i64::try_from(self.0).unwrap_or(i64::MAX);
        let timestamp = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        timestamp.to_zoned(TimeZone::UTC)
    }

    /// `3 Nov`
    pub(crate) fn day(self) -> String {
        self.zoned().strftime("%-d %b").to_string()
    }

    /// `Tue 3 Nov 2026`
    pub(crate) fn long_day(self) -> String {
        self.zoned().strftime("%a %-d %b %Y").to_string()
    }

    /// `14:00`
    pub(crate) fn hour(self) -> String {
        self.zoned().strftime("%H:00").to_string()
    }

    /// `2026-11-03`
    pub(crate) fn date(self) -> String {
        self.zoned().strftime("%Y-%m-%d").to_string()
    }
}

impl HtmlSafe for Moment {}

/// `<time datetime="2026-11-03T10:20:30Z">2026-11-03 10:20:30</time>`
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zoned = self.zoned();
        let exact = zoned.strftime("%Y-%m-%dT%H:%M:%SZ");
        let (day, time) = (zoned.strftime("%Y-%m-%d"), zoned.strftime("%H:%M:%S"));
        write!(f, "<time datetime=\"{exact}\">{day} <span class=\"clock\">{time}</span></time>")
    }
}

/// `12,345`
pub(crate) fn number(count: u64) -> String {
    quivive_evidence::grouped(count)
}

/// `1 question`, `2 questions`
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `3.1 ms`
#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
pub(crate) fn milliseconds(micros: u64) -> String {
    format!("{:.1} ms", micros as f64 / 1000.0)
}

/// `12.5 %` of a whole; empty for a part of nothing.
#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    match percent {
        percent if part > 0 && percent < 0.1 => "< 0.1 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

/// How a number has changed against the time before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trend {
    /// `up`, `down`, `same` or `new`: also the class on the page.
    pub(crate) direction: &'static str,
    /// `12 %`; empty where there is no share to tell.
    pub(crate) amount: String,
    /// What it was: `1,234`.
    pub(crate) before: String,
}

impl Trend {
    #[expect(clippy::cast_precision_loss, reason = "shown without fractions")]
    pub(crate) fn new(now: u64, before: u64) -> Self {
        let direction = match (now, before) {
            (0, 0) => "same",
            (_, 0) => "new",
            (now, before) if now > before => "up",
            (now, before) if now < before => "down",
            _ => "same",
        };
        let change = (now as f64 - before as f64).abs() * 100.0 / (before.max(1)) as f64;
        let amount = match (direction, change) {
            ("new" | "same", _) => String::new(),
            (_, change) if change < 1.0 => "< 1 %".to_owned(),
            (_, change) if change > 999.0 => "> 999 %".to_owned(),
            (_, change) => format!("{change:.0} %"),
        };
        Self { direction, amount, before: number(before) }
    }

    /// What is drawn; the words say it too.
    pub(crate) fn sign(&self) -> &'static str {
        match self.direction {
            "up" => "▲",
            "down" => "▼",
            _ => "",
        }
    }

    /// What is read where only the sign is seen.
    pub(crate) fn words(&self) -> &'static str {
        match self.direction {
            "up" => "up by",
            "down" => "down by",
            _ => "",
        }
    }

    /// What stands behind: `from 20`, `as before`.
    pub(crate) fn rest(&self) -> String {
        match self.direction {
            "same" => "as before".to_owned(),
            _ => format!("from {}", self.before),
        }
    }
}

/// What became of a message, in one word.
pub(crate) fn done(action: Action) -> &'static str {
    match action {
        Action::Accept | Action::Mark => "accepted",
        Action::Discard => "discarded",
        Action::Hold => "held",
        Action::Defer => "deferred",
        Action::Reject => "refused",
    }
}

/// What an identity is, in the words of mail.
pub(crate) fn identity_name(identity: Identity) -> &'static str {
    match identity {
        Identity::Helo => "HELO name",
        Identity::Mailfrom => "reverse-path",
        Identity::Pra => "purported responsible address",
        Identity::From => "author",
        Identity::Sender => "sender",
        Identity::Resent => "resender",
        Identity::Signature => "signature",
        Identity::Chain => "chain of seals",
        Identity::Ip => "client address",
    }
}

/// What a method's result says, in a sentence without an end.
pub(crate) fn meaning(method: Method, result: FindingResult) -> &'static str {
    match (method, result) {
        (Method::Dnsbl, FindingResult::Fail) | (Method::Dnswl, FindingResult::Pass) => {
            "this list has the client's address"
        }
        (Method::Dnsbl | Method::Dnswl, FindingResult::None) => {
            "this list does not have the client's address"
        }
        (Method::Dnsbl | Method::Dnswl, FindingResult::Permerror) => {
            "the list gives no answer to us"
        }
        (Method::Iprev, FindingResult::Pass) => "this name has the client's address",
        (Method::Iprev, FindingResult::Fail) => "no name of the client's address has that address",
        (Method::Iprev, FindingResult::Permerror) => "the client's address has no name",
        (Method::Binding, FindingResult::Pass) => "the client may use this address",
        (Method::Binding, FindingResult::Fail) => "the client may not use this address",
        (Method::Binding, FindingResult::None) => "there was nothing to judge",
        (Method::Binding, FindingResult::Permerror) => "the address cannot be read",
        (_, FindingResult::Pass) => "the domain says that this client may",
        (_, FindingResult::Fail) => "the domain says that this client may not",
        (_, FindingResult::Softfail) => "the domain says that this client probably may not",
        (_, FindingResult::Neutral) => "the domain says nothing about this client",
        (_, FindingResult::None) => "the domain publishes nothing, or there was nothing to judge",
        (_, FindingResult::Temperror) => "there was no answer at that time",
        (_, FindingResult::Permerror) => "what the domain publishes cannot be used",
        (_, FindingResult::Policy) => "it would pass, but local policy does not take it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_in_utc() {
        let moment = Moment(1_793_701_230);
        assert_eq!(moment.date(), "2026-11-03");
        assert_eq!(moment.day(), "3 Nov");
        assert_eq!(
            moment.to_string(),
            "<time datetime=\"2026-11-03T10:20:30Z\">2026-11-03 \
             <span class=\"clock\">10:20:30</span></time>"
        );
        assert!(Moment(u64::MAX).to_string().contains("9999"));
    }

    #[test]
    fn numbers_are_grouped() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(count), text);
        }
    }

    #[test]
    fn shares_of_a_whole() {
        assert_eq!(share(1, 8), "12.5 %");
        assert_eq!(share(1, 100_000), "< 0.1 %");
        assert_eq!(share(0, 5), "0.0 %");
        assert_eq!(share(0, 0), "");
    }

    #[test]
    fn trends_against_the_time_before() {
        let trend = |now, before| {
            let trend = Trend::new(now, before);
            (trend.direction, trend.amount)
        };
        assert_eq!(trend(3, 2), ("up", "50 %".into()));
        assert_eq!(trend(1, 2), ("down", "50 %".into()));
        assert_eq!(trend(1_001, 1_000), ("up", "< 1 %".into()));
        assert_eq!(trend(5, 0), ("new", String::new()));
        assert_eq!(trend(0, 0), ("same", String::new()));
        assert_eq!(trend(100, 1), ("up", "> 999 %".into()));
    }
}
