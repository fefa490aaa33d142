use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use quivive_store::{CaseLine, Filter, LIMIT_MAX};

use super::{open_to_read, time};
use crate::command_line::{CaseFilter, CaseList, Global};
use crate::error::Error;
use crate::json;
use crate::style::{self, QUIET, STRONG, excerpt};
use crate::terminal;

/// How much of an address is shown, in characters.
const ADDRESS_CHARACTERS_MAX: usize = 60;

/// Writes a line for each case, the newest first.
pub(super) async fn run(global: &Global, list: CaseList) -> Result<(), Error> {
    let mut filter = filter(&list.filter)?;
    filter.text = Some(list.text.join(" ")).filter(|text| !text.is_empty());
    let (_, store) = open_to_read(global, &list.store)?;
    let mut left = list.limit;
    while left > 0 {
        filter.limit = u32::try_from(left).unwrap_or(LIMIT_MAX).min(LIMIT_MAX);
        let page = store.list(&filter).await?;
        left -= page.lines.len().min(left);
        write_lines(global, &page.lines)?;
        filter.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    Ok(())
}

/// What the flags choose.
pub(super) fn filter(flags: &CaseFilter) -> Result<Filter, Error> {
    Ok(Filter {
        since: time_of(flags.since.as_deref())?,
        until: time_of(flags.until.as_deref())?,
        domain: flags.domain.clone(),
        address: flags.address.clone(),
        client: flags.client,
        method: flags.method,
        identity: flags.identity,
        result: flags.result,
        action: flags.action,
        ..Filter::default()
    })
}

/// A flag's time, if there is one.
///
/// # Errors
/// It is no time, with how one is written.
pub(crate) fn time_of(text: Option<&str>) -> Result<Option<u64>, Error> {
    let read = |time: &str| {
        moment(time).ok_or_else(|| {
            Error::Unclear(format!(
                "`{time}` is no time; write seconds since 1970, 2026-01-31, \
                 2026-01-31T12:00:00Z, or 30m, 2h, 7d for so long ago"
            ))
        })
    };
    text.map(read).transpose()
}

/// A time, in seconds since 1970. Days begin in UTC.
fn moment(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    if let Some(ago) = seconds_ago(text) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        return Some(now.saturating_sub(ago));
    }
    let date = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
    let at = text.parse().ok().or_else(|| date().map(|date| date.timestamp()))?;
    u64::try_from(jiff::Timestamp::as_second(at)).ok()
}

fn seconds_ago(text: &str) -> Option<u64> {
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    text[..text.len() - 1].parse::<u64>().ok()?.checked_mul(unit)
}

fn write_lines(global: &Global, lines: &[CaseLine]) -> Result<(), Error> {
    if global.json {
        let mut out = io::stdout().lock();
        for line in lines {
            out.write_all(&json::line(line))?;
        }
        return Ok(());
    }
    let mut out = terminal::stdout();
    for line in lines {
        write_line(&mut out, line)?;
    }
    Ok(())
}

fn write_line(out: &mut impl Write, line: &CaseLine) -> io::Result<()> {
    let style = style::of_action(line.action);
    let (at, id, action, code) = (time(line.at), &line.id, line.action, line.code);
    let sender = match line.reverse_path.as_str() {
        "" => "<>".to_owned(),
        path => excerpt(path, ADDRESS_CHARACTERS_MAX),
    };
    let login = match &line.login {
        Some(login) => format!(" ({})", excerpt(login, ADDRESS_CHARACTERS_MAX)),
        None => String::new(),
    };
    let recipient = line.recipients.first().map_or("nobody", String::as_str);
    let more = match line.recipients_count {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    write!(
        out,
        "{QUIET}{at}{QUIET:#}  {STRONG}{}{STRONG:#}  {style}{action:<7}{style:#} {code}  {}{login}  \
         {sender} → {}{more} ",
        excerpt(id, ADDRESS_CHARACTERS_MAX),
        line.client,
        excerpt(recipient, ADDRESS_CHARACTERS_MAX),
    )?;
    if line.findings.is_empty() {
        write!(out, " {QUIET}not checked{QUIET:#}")?;
    }
    for finding in &line.findings {
        let style = style::of_result(finding.result);
        let (method, identity, result) = (finding.method, finding.identity, finding.result);
        write!(out, " {method}.{identity}={style}{result}{style:#}")?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(moment("1794916800"), Some(1_794_916_800));
        assert_eq!(moment("2026-11-17T12:00:00Z"), Some(1_794_916_800));
        assert_eq!(moment("2026-11-17T13:00:00+01:00"), Some(1_794_916_800));
        assert_eq!(moment("2026-11-17"), Some(1_794_916_800 - 12 * 3600));
        assert_eq!(seconds_ago("2h"), Some(7200));
        assert_eq!(seconds_ago("7d"), Some(604_800));
        for text in ["", "yesterday", "-1", "d", "1y", "2026-13-01", "99999999999999999999d", "1ü"]
        {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
