//! A simulation for people: two bars, then the senders, those first whose mail would break.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quivive_evidence::{FindingResult, grouped};
use quivive_verdict::simulation::{Forecast, Tally, Told};

use crate::style::{self, QUIET, STRONG, excerpt};
use crate::terminal::Report;

/// How wide a bar of all messages is, in columns.
const BAR_COLUMNS: u64 = 40;

/// How wide the bar of a sender is at most.
const SENDER_COLUMNS: usize = 16;

/// How much of what decides is shown, in characters; on narrow terminals at least.
const REASON_CHARACTERS_MAX: usize = 40;
const REASON_CHARACTERS_MIN: usize = 8;

/// How many senders are shown whose result changes, and how many whose result does not.
const CHANGED_MAX: usize = 200;
const UNCHANGED_MAX: usize = 15;

/// How much of a record is shown, in characters.
const RECORD_CHARACTERS_MAX: usize = 160;

/// Writes what comes of the senders, who are in the order of urgency.
pub(super) fn write<W: Write>(
    out: &mut Report<W>,
    domain: &str,
    records: &[String],
    forecasts: &[Forecast],
) -> io::Result<()> {
    let tally = Tally::of(forecasts);
    writeln!(
        out,
        "{STRONG}{domain}{STRONG:#}  {}, {}",
        counted(forecasts.len() as u64, "sender"),
        counted(tally.messages, "message")
    )?;
    for record in records {
        writeln!(out, "{QUIET}what if{QUIET:#} {}", excerpt(record, RECORD_CHARACTERS_MAX))?;
    }
    writeln!(out)?;
    write_bar(out, "today", &tally.today, tally.messages)?;
    write_bar(out, "tomorrow", &tally.tomorrow, tally.messages)?;
    writeln!(out)?;
    write_senders(out, forecasts)?;
    writeln!(out)?;
    write_summary(out, &tally)
}

/// The messages by result, each with its part of the bar.
fn write_bar<W: Write>(
    out: &mut Report<W>,
    title: &str,
    counts: &BTreeMap<FindingResult, u64>,
    messages: u64,
) -> io::Result<()> {
    let whole = out.columns().map_or(BAR_COLUMNS, |columns| BAR_COLUMNS.min(columns as u64 / 2));
    write!(out, "{STRONG}{title:<9}{STRONG:#}")?;
    let mut below = 0;
    for (result, count) in counts {
        let edge = |sum: u64| scaled(sum, messages, whole);
        let columns = edge(below + count) - edge(below);
        below += count;
        let style = style::of_result(*result);
        let columns = usize::try_from(columns).unwrap_or_default();
        write!(out, "{style}{}{style:#}", fill(*result).repeat(columns))?;
    }
    for (result, count) in counts.iter().filter(|(_, count)| **count > 0) {
        let style = style::of_result(*result);
        write!(
            out,
            "  {style}{result}{style:#} {} ({})",
            grouped(*count),
            share(*count, messages)
        )?;
    }
    writeln!(out)
}

fn write_senders<W: Write>(out: &mut Report<W>, forecasts: &[Forecast]) -> io::Result<()> {
    let most = forecasts.iter().map(|one| one.sender.count).max().unwrap_or(1);
    let (changed, unchanged): (Vec<_>, Vec<_>) = forecasts.iter().partition(|one| one.changes());
    let shown = changed.iter().take(CHANGED_MAX).chain(unchanged.iter().take(UNCHANGED_MAX));
    let shown: Vec<&Forecast> = shown.copied().collect();
    let layout = Layout::of(&shown, most, out.columns());
    layout.write_head(out)?;
    shown.iter().try_for_each(|forecast| layout.write_row(out, forecast))?;
    for (all, most, what) in [
        (changed.len(), CHANGED_MAX, "whose result changes"),
        (unchanged.len(), UNCHANGED_MAX, "whose result stays"),
    ] {
        if all > most {
            writeln!(
                out,
                "{QUIET}  and {} {what}{QUIET:#}",
                counted((all - most) as u64, "sender")
            )?;
        }
    }
    Ok(())
}

/// How wide the columns of the senders are, in characters.
struct Layout {
    address: usize,
    count: usize,
    /// Of the longest bar; 0 where there is no room for bars.
    bar: usize,
    reason: usize,
    /// The messages that the longest bar stands for.
    most: u64,
}

impl Layout {
    fn of(shown: &[&Forecast], most: u64, columns: Option<usize>) -> Self {
        let width = |text: &dyn Fn(&Forecast) -> usize| shown.iter().map(|one| text(one)).max();
        let address = width(&|one| one.sender.address.to_string().len()).unwrap_or_default().max(6);
        let count = width(&|one| grouped(one.sender.count).len()).unwrap_or_default().max(8);
        let layout =
            Self { address, count, bar: SENDER_COLUMNS, reason: REASON_CHARACTERS_MAX, most };
        let Some(columns) = columns else { return layout };
        // Before the reason: marks, gaps, two results, and its own parentheses.
        let room = |bar: usize| {
            let bar = if bar > 0 { bar + 2 } else { 0 };
            columns.saturating_sub(2 + address + 2 + count + 2 + bar + 11 + 10 + 2)
        };
        let bar = if room(SENDER_COLUMNS) < REASON_CHARACTERS_MIN { 0 } else { SENDER_COLUMNS };
        let reason = room(bar).clamp(REASON_CHARACTERS_MIN, REASON_CHARACTERS_MAX);
        // What is cut has a mark behind it.
        Self { bar, reason: reason - 1, ..layout }
    }

    fn write_head(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { address, count, bar, .. } = *self;
        let gap = if bar > 0 { " ".repeat(bar + 2) } else { String::new() };
        writeln!(
            out,
            "{QUIET}  {:<address$}  {:>count$}  {gap}{:<10} tomorrow{QUIET:#}",
            "sender", "messages", "today"
        )
    }

    fn write_row(&self, out: &mut impl Write, forecast: &Forecast) -> io::Result<()> {
        let mark = match (forecast.breaks(), forecast.changes()) {
            (true, _) => "✗",
            (false, true) => "~",
            (false, false) => " ",
        };
        let mark_style = style::of_promise(!forecast.breaks());
        let Self { address, count, bar, .. } = *self;
        write!(
            out,
            "{mark_style}{mark}{mark_style:#} {:<address$}  {:>count$}  ",
            forecast.sender.address.to_string(),
            grouped(forecast.sender.count),
        )?;
        if bar > 0 {
            let columns = scaled(forecast.sender.count, self.most, bar as u64).max(1);
            let drawn = "█".repeat(usize::try_from(columns).unwrap_or_default());
            write!(out, "{QUIET}{drawn:<bar$}{QUIET:#}  ")?;
        }
        self.write_told(out, forecast)
    }

    fn write_told(&self, out: &mut impl Write, forecast: &Forecast) -> io::Result<()> {
        let (today, tomorrow) = (&forecast.today, &forecast.tomorrow);
        let style = style::of_result(today.result);
        write!(out, "{style}{:<9}{style:#}  ", today.result)?;
        let style = style::of_result(tomorrow.result);
        let reason = excerpt(reason(tomorrow), self.reason);
        writeln!(out, "{style}{:<9}{style:#} {QUIET}({reason}){QUIET:#}", tomorrow.result)
    }
}

fn reason(told: &Told) -> &str {
    told.decided_by.as_deref().unwrap_or(&told.cause)
}

fn write_summary(out: &mut impl Write, tally: &Tally) -> io::Result<()> {
    let style = style::of_promise(tally.broken == 0);
    if tally.broken == 0 {
        writeln!(out, "{style}nothing breaks{style:#}: what passes today passes tomorrow")?;
    } else {
        writeln!(
            out,
            "{style}{} would break{style:#}: {} of all, passing today",
            counted(tally.broken, "message"),
            share(tally.broken, tally.messages)
        )?;
    }
    if tally.hardened > 0 {
        let style = style::of_doubt();
        writeln!(
            out,
            "{style}{} would fail{style:#} and neither pass nor fail today: receivers may refuse them",
            counted(tally.hardened, "message")
        )?;
    }
    if tally.mended > 0 {
        let style = style::of_promise(true);
        writeln!(
            out,
            "{style}{} would pass{style:#} and do not today",
            counted(tally.mended, "message")
        )?;
    }
    Ok(())
}

/// What fills a part of a bar, told apart without colours too.
fn fill(result: FindingResult) -> &'static str {
    match result {
        FindingResult::Pass => "█",
        FindingResult::Softfail | FindingResult::Policy => "▒",
        FindingResult::Neutral | FindingResult::None => "░",
        FindingResult::Fail => "▓",
        FindingResult::Temperror | FindingResult::Permerror => "▚",
    }
}

fn scaled(part: u64, whole: u64, columns: u64) -> u64 {
    let scaled = u128::from(part) * u128::from(columns) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(columns)
}

fn share(part: u64, whole: u64) -> String {
    let percent = u128::from(part) * 100 / u128::from(whole.max(1));
    match percent {
        0 if part > 0 => "<1 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use quivive_verdict::simulation::Sender;

    use super::*;

    #[test]
    fn a_table_is_no_wider_than_its_terminal() {
        let told = |result, term: &str| Told {
            result,
            cause: "match".to_owned(),
            decided_by: Some(term.to_owned()),
        };
        let forecast = |address: &str, count| Forecast {
            sender: Sender::new(address.parse().unwrap(), count),
            today: told(FindingResult::Permerror, "a"),
            tomorrow: told(FindingResult::Softfail, "include:some-provider.of-mail.example"),
        };
        let forecasts =
            [forecast("192.0.2.1", 12_345_678), forecast("2001:db8:1234:5678:9abc:def0::1", 7)];
        for (columns, bars) in [(200, true), (120, true), (80, false), (60, false), (40, false)] {
            let mut octets = Vec::new();
            let mut report = Report::new(&mut octets, Some(columns));
            let records =
                ["a.example TXT v=spf1 include:some-provider.of-mail.example -all".into()];
            write(&mut report, "a.example", &records, &forecasts).unwrap();
            drop(report);
            let text = String::from_utf8(octets).unwrap();
            let text = anstream::adapter::strip_str(&text).to_string();
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= columns, "{columns}: {widest}\n{text}");
            assert_eq!(text.contains("12,345,678  █"), bars, "{columns}\n{text}");
        }
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!(grouped(0_u64), "0");
        assert_eq!(grouped(1_234_567_u64), "1,234,567");
        assert_eq!(share(1, 1000), "<1 %");
        assert_eq!(share(0, 0), "0 %");
        assert_eq!(scaled(u64::MAX, u64::MAX, 40), 40);
    }
}
