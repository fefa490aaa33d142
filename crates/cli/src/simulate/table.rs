//! A simulation for people: two bars, then the senders, those first whose mail would break.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quivive_evidence::{FindingResult, grouped};
use quivive_verdict::simulation::{Forecast, Tally, Told};

use crate::style::{self, QUIET, STRONG, excerpt};

/// How wide a bar of all messages is, in columns.
const BAR_COLUMNS: u64 = 40;

/// How wide the bar of a sender is at most.
const SENDER_COLUMNS: u64 = 16;

/// How many senders are shown whose result changes, and how many whose result does not.
const CHANGED_MAX: usize = 200;
const UNCHANGED_MAX: usize = 15;

/// How much of a record is shown, in characters.
const RECORD_CHARACTERS_MAX: usize = 160;

/// Writes what comes of the senders, who are in the order of urgency.
pub(super) fn write(
    out: &mut impl Write,
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
fn write_bar(
    out: &mut impl Write,
    title: &str,
    counts: &BTreeMap<FindingResult, u64>,
    messages: u64,
) -> io::Result<()> {
    write!(out, "{STRONG}{title:<9}{STRONG:#}")?;
    let mut below = 0;
    for (result, count) in counts {
        let edge = |sum: u64| scaled(sum, messages, BAR_COLUMNS);
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

fn write_senders(out: &mut impl Write, forecasts: &[Forecast]) -> io::Result<()> {
    let most = forecasts.iter().map(|one| one.sender.count).max().unwrap_or(1);
    let (changed, unchanged): (Vec<_>, Vec<_>) = forecasts.iter().partition(|one| one.changes());
    let shown = changed.iter().take(CHANGED_MAX).chain(unchanged.iter().take(UNCHANGED_MAX));
    let shown: Vec<_> = shown.collect();
    let width = |text: &dyn Fn(&Forecast) -> usize| shown.iter().map(|one| text(one)).max();
    let address = width(&|one| one.sender.address.to_string().len()).unwrap_or_default().max(6);
    let count = width(&|one| grouped(one.sender.count).len()).unwrap_or_default().max(8);
    writeln!(
        out,
        "{QUIET}  {:<address$}  {:>count$}  {:<16}  {:<10} tomorrow{QUIET:#}",
        "sender", "messages", "", "today"
    )?;
    for forecast in &shown {
        let mark = match (forecast.breaks(), forecast.changes()) {
            (true, _) => "✗",
            (false, true) => "~",
            (false, false) => " ",
        };
        let mark_style = style::of_promise(!forecast.breaks());
        let columns = scaled(forecast.sender.count, most, SENDER_COLUMNS).max(1);
        let bar = "█".repeat(usize::try_from(columns).unwrap_or_default());
        write!(
            out,
            "{mark_style}{mark}{mark_style:#} {:<address$}  {:>count$}  {QUIET}{bar:<16}{QUIET:#}  ",
            forecast.sender.address.to_string(),
            grouped(forecast.sender.count),
        )?;
        write_told(out, forecast)?;
    }
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

fn write_told(out: &mut impl Write, forecast: &Forecast) -> io::Result<()> {
    let (today, tomorrow) = (&forecast.today, &forecast.tomorrow);
    let style = style::of_result(today.result);
    write!(out, "{style}{:<9}{style:#}  ", today.result)?;
    let style = style::of_result(tomorrow.result);
    writeln!(out, "{style}{:<9}{style:#} {QUIET}({}){QUIET:#}", tomorrow.result, reason(tomorrow))
}

fn reason(told: &Told) -> String {
    match &told.decided_by {
        Some(term) => excerpt(term, 40),
        None => excerpt(&told.cause, 40),
    }
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
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(grouped(0_u64), "0");
        assert_eq!(grouped(1_234_567_u64), "1,234,567");
        assert_eq!(share(1, 1000), "<1 %");
        assert_eq!(share(0, 0), "0 %");
        assert_eq!(scaled(u64::MAX, u64::MAX, 40), 40);
    }
}
