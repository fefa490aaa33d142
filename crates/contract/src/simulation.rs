use std::collections::BTreeMap;
use std::net::IpAddr;

use quivive_evidence::FindingResult;
use quivive_verdict::simulation::{Forecast, Tally, Told};
use serde::Serialize;

/// A domain's traffic by what it publishes and by what it would.
#[derive(Serialize)]
pub struct SimulationJson<'a> {
    domain: &'a str,
    messages: u64,
    /// Messages that pass today and would not.
    broken: u64,
    /// Messages that do not pass today and would.
    mended: u64,
    /// Messages that neither pass nor fail today and would fail.
    hardened: u64,
    /// Messages by result.
    today: BTreeMap<&'static str, u64>,
    tomorrow: BTreeMap<&'static str, u64>,
    senders: Vec<ForecastJson<'a>>,
}

#[derive(Serialize)]
struct ForecastJson<'a> {
    sender: IpAddr,
    count: u64,
    breaks: bool,
    today: ToldJson<'a>,
    tomorrow: ToldJson<'a>,
}

#[derive(Serialize)]
struct ToldJson<'a> {
    result: &'static str,
    cause: &'a str,
    decided_by: Option<&'a str>,
}

impl<'a> SimulationJson<'a> {
    /// The object for these senders, in their order.
    pub fn new(domain: &'a str, forecasts: &'a [Forecast]) -> Self {
        let tally = Tally::of(forecasts);
        let words = |counts: &BTreeMap<FindingResult, u64>| {
            counts.iter().map(|(result, count)| (result.word(), *count)).collect()
        };
        Self {
            domain,
            messages: tally.messages,
            broken: tally.broken,
            mended: tally.mended,
            hardened: tally.hardened,
            today: words(&tally.today),
            tomorrow: words(&tally.tomorrow),
            senders: forecasts.iter().map(ForecastJson::new).collect(),
        }
    }
}

impl<'a> ForecastJson<'a> {
    fn new(forecast: &'a Forecast) -> Self {
        Self {
            sender: forecast.sender.address,
            count: forecast.sender.count,
            breaks: forecast.breaks(),
            today: ToldJson::new(&forecast.today),
            tomorrow: ToldJson::new(&forecast.tomorrow),
        }
    }
}

impl<'a> ToldJson<'a> {
    fn new(told: &'a Told) -> Self {
        Self {
            result: told.result.word(),
            cause: &told.cause,
            decided_by: told.decided_by.as_deref(),
        }
    }
}
