//! What was judged, in numbers.

use std::collections::BTreeMap;

use quivive_evidence::{FindingResult, Identity, Method};
use quivive_verdict::Action;
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use crate::error::Error;
use crate::packs;
use crate::store::Store;
use crate::tally::{DAY, HOUR};

/// How many days an overview covers at most.
pub const DAYS_MAX: u32 = 366;

/// How many domains are named.
const DOMAINS_SHOWN: i64 = 10;

/// What was judged, in numbers. Days are those of UTC. Counters outlive the cases they count.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// From midnight on.
    pub today: Period,
    /// From the midnight before to now less a day, to the hour: today's trend.
    pub yesterday: Period,
    /// The last days, with today.
    pub period: Period,
    /// As many days before them: their trend.
    pub before: Period,
    /// Each of the last days, the oldest first, with today.
    pub per_day: Vec<Period>,
    /// Each hour of today up to now, the oldest first.
    pub per_hour: Vec<Period>,
    /// The domains with the most refused messages in the last days. The empty name stands for all
    /// that were too many to be counted by name.
    pub refused_domains: Vec<(String, u64)>,
    /// How many cases are kept.
    pub cases_kept: u64,
    /// How many of them are packed still, as they came in a flood. They are found all the same.
    pub cases_packed: u64,
}

/// A stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Period {
    /// When it begins, in seconds since 1970.
    pub since: u64,
    /// When it ends.
    pub until: u64,
    /// How many messages were judged.
    pub cases: u64,
    /// By what was done.
    pub actions: BTreeMap<Action, u64>,
    /// By method, identity and result: messages with such a finding.
    pub findings: BTreeMap<(Method, Identity, FindingResult), u64>,
}

/// Counters of an hour or a day.
#[derive(Default)]
struct Counts {
    actions: Vec<(i64, Action, u64)>,
    findings: Vec<(i64, (Method, Identity, FindingResult), u64)>,
}

impl Store {
    /// What was judged up to `now` (seconds since 1970), today and in the last `days`, from 1 to
    /// [`DAYS_MAX`].
    ///
    /// # Errors
    /// The file cannot be used.
    pub async fn overview(&self, now: u64, days: u32) -> Result<Overview, Error> {
        let shared = self.shared();
        let mut reading = shared.readers()?.begin().await.map_err(|error| shared.reading(error))?;
        let now = i64::try_from(now).unwrap_or(i64::MAX - DAY);
        let days = i64::from(days.clamp(1, DAYS_MAX));
        overview(&mut reading, now, days).await.map_err(|error| shared.reading(error))
    }
}

async fn overview(
    connection: &mut SqliteConnection,
    now: i64,
    days: i64,
) -> Result<Overview, sqlx::Error> {
    let today = now / DAY;
    let by_day = Counts::read(connection, 24, (today + 1 - 2 * days, today)).await?;
    let hour = now / HOUR;
    let by_hour = Counts::read(connection, 1, ((today - 1) * 24, hour)).await?;
    let day = |from: i64, to: i64| by_day.period(DAY, from, to);
    let hours = |from: i64, to: i64| by_hour.period(HOUR, from, to);
    let first = today + 1 - days;
    Ok(Overview {
        today: day(today, today),
        yesterday: hours((today - 1) * 24, hour - 24),
        period: day(first, today),
        before: day(first - days, first - 1),
        per_day: (first..=today).map(|one| day(one, one)).collect(),
        per_hour: (today * 24..=hour).map(|one| hours(one, one)).collect(),
        refused_domains: refused_domains(connection, first, today).await?,
        cases_kept: cases_kept(connection).await?,
        cases_packed: packs::cases(connection).await?,
    })
}

impl Counts {
    /// The counters of units (of so many hours) from the first to the last.
    async fn read(
        connection: &mut SqliteConnection,
        hours: i64,
        (first, last): (i64, i64),
    ) -> Result<Self, sqlx::Error> {
        let (from, before) = (first * hours, (last + 1) * hours);
        let mut counts = Self::default();
        let sql = "SELECT hour / $1, action, CAST(sum(cases) AS BIGINT) FROM hour_action \
                   WHERE hour >= $2 AND hour < $3 GROUP BY hour / $1, action";
        let rows = sqlx::query(sql).bind(hours).bind(from).bind(before);
        for row in rows.fetch_all(&mut *connection).await? {
            let word: String = row.try_get(1)?;
            // A word of another version counts nowhere.
            let known = Action::ALL.iter().find(|action| action.word() == word);
            let Some(action) = known else { continue };
            counts.actions.push((row.try_get(0)?, *action, unsigned(row.try_get(2)?)));
        }
        let sql = "SELECT hour / $1, method, identity, result, CAST(sum(findings) AS BIGINT) \
                   FROM hour_finding WHERE hour >= $2 AND hour < $3 \
                   GROUP BY hour / $1, method, identity, result";
        let rows = sqlx::query(sql).bind(hours).bind(from).bind(before);
        for row in rows.fetch_all(connection).await? {
            let (method, identity, result): (String, String, String) =
                (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
            let (Ok(method), Ok(identity), Ok(result)) =
                (method.parse(), identity.parse(), result.parse())
            else {
                continue;
            };
            let count = unsigned(row.try_get(4)?);
            counts.findings.push((row.try_get(0)?, (method, identity, result), count));
        }
        Ok(counts)
    }

    /// Units (of so many seconds) from the first to the last together.
    fn period(&self, seconds: i64, first: i64, last: i64) -> Period {
        let mut period = Period {
            since: unsigned(first * seconds),
            until: unsigned((last + 1) * seconds),
            ..Period::default()
        };
        let wanted = first..=last;
        for (_, action, cases) in self.actions.iter().filter(|(unit, ..)| wanted.contains(unit)) {
            period.cases += cases;
            *period.actions.entry(*action).or_default() += cases;
        }
        for (_, finding, count) in self.findings.iter().filter(|(unit, ..)| wanted.contains(unit)) {
            *period.findings.entry(*finding).or_default() += count;
        }
        period
    }
}

async fn refused_domains(
    connection: &mut SqliteConnection,
    first: i64,
    last: i64,
) -> Result<Vec<(String, u64)>, sqlx::Error> {
    let sql = "SELECT domain, CAST(sum(cases) AS BIGINT) FROM day_refused \
               WHERE day BETWEEN $1 AND $2 GROUP BY domain ORDER BY 2 DESC, 1 LIMIT $3";
    let rows = sqlx::query(sql).bind(first).bind(last).bind(DOMAINS_SHOWN);
    let rows = rows.fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, unsigned(row.try_get(1)?)))).collect()
}

async fn cases_kept(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    sqlx::query_scalar("SELECT cases FROM kept").fetch_one(connection).await.map(unsigned)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
