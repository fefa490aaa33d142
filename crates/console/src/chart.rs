//! Charts in SVG. Text stands outside of them, so that it stays readable at every width; all that a
//! chart shows stands in a table too.

use crate::words::{Moment, done, number};
use quivive_verdict::Action;

/// How wide and high a chart is, in its own units; the page stretches it.
const WIDTH: u64 = 600;
const HEIGHT: u64 = 200;

/// In which order actions lie upon each other, from the ground.
pub(crate) const ACTIONS: [Action; 5] =
    [Action::Accept, Action::Discard, Action::Hold, Action::Defer, Action::Reject];

/// Bars, one an hour or a day, of the actions upon each other.
#[derive(Debug)]
pub(crate) struct Bars {
    pub(crate) bars: Vec<Bar>,
    /// The numbers beside the lines, from above.
    pub(crate) scale: Vec<String>,
    /// The times below, from the first to the last.
    pub(crate) along: Vec<String>,
    /// What there is to see, in a sentence.
    pub(crate) description: String,
}

/// What a bar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Hour,
    Day,
}

/// An hour or a day.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) x: u64,
    pub(crate) width: u64,
    pub(crate) title: String,
    pub(crate) parts: Vec<Part>,
    pub(crate) row: Row,
}

/// A bar as a row of a table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) time: String,
    pub(crate) counts: Vec<String>,
    pub(crate) total: String,
}

/// A rectangle.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) class: &'static str,
    pub(crate) x: u64,
    pub(crate) y: u64,
    pub(crate) width: u64,
    pub(crate) height: u64,
}

/// How many messages of some time had each of [`ACTIONS`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    /// When the time begins, in seconds since 1970.
    pub(crate) at: u64,
    pub(crate) counts: [u64; ACTIONS.len()],
}

impl Unit {
    /// `14:00`, `Tue 3 Nov 2026`
    fn long(self, at: u64) -> String {
        match self {
            Self::Hour => Moment(at).hour(),
            Self::Day => Moment(at).long_day(),
        }
    }

    /// `14:00`, `3 Nov`
    fn short(self, at: u64) -> String {
        match self {
            Self::Hour => Moment(at).hour(),
            Self::Day => Moment(at).day(),
        }
    }

    fn in_table(self, at: u64) -> String {
        match self {
            Self::Hour => Moment(at).hour(),
            Self::Day => Moment(at).date(),
        }
    }
}

impl Counts {
    fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Bars {
    /// `places` is how many bars there is room for: 24 for a day of which some hours are to come.
    pub(crate) fn new(unit: Unit, counts: &[Counts], places: usize) -> Self {
        let most = counts.iter().map(Counts::total).max().unwrap_or_default();
        let top = round_top(most);
        let step = WIDTH / (counts.len().max(places).max(1) as u64);
        let bars =
            counts.iter().zip(0..).map(|(one, index)| bar(unit, one, index * step, step, top));
        Self {
            bars: bars.collect(),
            scale: [top, top / 2, 0].map(number).to_vec(),
            along: along(unit, counts, places),
            description: described(unit, counts),
        }
    }
}

fn bar(unit: Unit, day: &Counts, x: u64, step: u64, top: u64) -> Bar {
    let gap = (step / 5).max(1);
    let width = step.saturating_sub(gap).max(1);
    let mut parts = Vec::new();
    let mut below = 0;
    for (action, count) in ACTIONS.iter().zip(day.counts) {
        // Edges are rounded, not heights, so that the parts meet. What there is, is seen.
        let edge = (below + count) * HEIGHT / top;
        let height = (edge - below * HEIGHT / top).max(u64::from(count > 0) * 2);
        if count > 0 {
            let y = HEIGHT.saturating_sub((below * HEIGHT / top) + height);
            parts.push(Part { class: action.word(), x, y, width, height });
        }
        below += count;
    }
    let told = ACTIONS.iter().zip(day.counts).filter(|(_, count)| *count > 0);
    let told: Vec<_> =
        told.map(|(action, count)| format!("{} {}", number(count), done(*action))).collect();
    let told = if told.is_empty() { "no mail".to_owned() } else { told.join(", ") };
    Bar {
        x,
        width: step,
        title: format!("{}: {told}", unit.long(day.at)),
        parts,
        row: Row {
            time: unit.in_table(day.at),
            counts: day.counts.map(number).to_vec(),
            total: number(day.total()),
        },
    }
}

/// The least even number of the form 1, 2 or 5 times a power of ten that reaches so far.
fn round_top(most: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for factor in [2, 4, 6, 10] {
            let top = unit.saturating_mul(factor);
            if top >= most {
                return top;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

fn along(unit: Unit, counts: &[Counts], places: usize) -> Vec<String> {
    if unit == Unit::Hour && places == 24 {
        return [0, 6, 12, 18, 24].map(|hour| format!("{hour:02}:00")).to_vec();
    }
    let last = counts.len().saturating_sub(1);
    let mut places = if last < 6 { vec![0, last] } else { vec![0, last / 3, last * 2 / 3, last] };
    places.dedup();
    let short = |place: usize| counts.get(place).map(|one| unit.short(one.at));
    places.into_iter().filter_map(short).collect()
}

fn described(unit: Unit, counts: &[Counts]) -> String {
    let total = |index: usize| counts.iter().map(|one| one.counts[index]).sum::<u64>();
    let totals = ACTIONS.iter().enumerate().map(|(index, action)| (action, total(index)));
    let told = totals.filter(|(_, total)| *total > 0);
    let told: Vec<_> =
        told.map(|(action, total)| format!("{} {}", number(total), done(*action))).collect();
    let preposition = if unit == Unit::Day { "on" } else { "from" };
    match counts.iter().max_by_key(|one| one.total()) {
        Some(most) if most.total() > 0 => format!(
            "{} in all. The most {preposition} {}: {}.",
            told.join(", "),
            unit.long(most.at),
            number(most.total())
        ),
        _ => "No mail in this time.".to_owned(),
    }
}

/// How wide a share is at least.
const WIDTH_MIN: u64 = 2;

/// A bar of shares beside each other, of one width: each with its class and count. The smallest is
/// seen, too; the largest gives what that takes.
pub(crate) fn shares(counts: &[(&'static str, u64)]) -> Vec<Part> {
    let counts: Vec<_> = counts.iter().filter(|(_, count)| *count > 0).collect();
    let whole = counts.iter().map(|(_, count)| u128::from(*count)).sum::<u128>().max(1);
    let place = |sum: u128| u64::try_from(sum * u128::from(WIDTH) / whole).unwrap_or(WIDTH);
    let mut before = 0;
    let mut widths: Vec<u64> = Vec::new();
    for (_, count) in &counts {
        let (from, to) = (place(before), place(before + u128::from(*count)));
        widths.push((to - from).max(WIDTH_MIN));
        before += u128::from(*count);
    }
    let excess = widths.iter().sum::<u64>().saturating_sub(WIDTH);
    if let Some(largest) = widths.iter_mut().max() {
        *largest -= excess;
    }
    let mut x = 0;
    let part = |(&(class, _), width): (&&(&'static str, u64), u64)| {
        let part = Part { class, x, y: 0, width, height: 10 };
        x += width;
        part
    };
    counts.iter().zip(widths).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_a_round_number() {
        for (most, top) in [(0, 2), (1, 2), (3, 4), (7, 10), (11, 20), (61, 100), (1_234, 2_000)] {
            assert_eq!(round_top(most), top, "{most}");
        }
        assert!(round_top(u64::MAX) == u64::MAX);
    }

    #[test]
    fn parts_of_a_bar_lie_upon_each_other() {
        let day = Counts { at: 1_793_701_230, counts: [50, 0, 0, 1, 49] };
        let days = Bars::new(Unit::Day, &[day], 1);
        let parts = &days.bars[0].parts;
        let edges: Vec<_> = parts.iter().map(|part| (part.class, part.y, part.height)).collect();
        assert_eq!(edges, [("accept", 100, 100), ("defer", 98, 2), ("reject", 0, 98)]);
        assert_eq!(days.bars[0].title, "Tue 3 Nov 2026: 50 accepted, 1 deferred, 49 refused");
        assert_eq!(days.scale, ["100", "50", "0"]);
        assert_eq!(
            days.description,
            "50 accepted, 1 deferred, 49 refused in all. The most on Tue 3 Nov 2026: 100."
        );
    }

    #[test]
    fn no_days_and_no_mail() {
        assert_eq!(Bars::new(Unit::Day, &[], 30).description, "No mail in this time.");
        let days = Bars::new(Unit::Day, &[Counts::default(); 30], 30);
        assert_eq!(days.bars.len(), 30);
        assert!(days.bars.iter().all(|bar| bar.parts.is_empty()));
        assert_eq!(days.along.len(), 4);
    }

    #[test]
    fn shares_fill_the_bar() {
        let parts = shares(&[("pass", 3), ("fail", 0), ("none", 1)]);
        let widths: Vec<_> = parts.iter().map(|part| (part.class, part.x, part.width)).collect();
        assert_eq!(widths, [("pass", 0, 450), ("none", 450, 150)]);
        assert_eq!(shares(&[]), []);
        let parts = shares(&[("pass", 1), ("none", u64::MAX), ("fail", 1)]);
        let places: Vec<_> = parts.iter().map(|part| (part.x, part.width)).collect();
        assert_eq!(places, [(0, 2), (2, 596), (598, 2)], "none hides another");
        let parts = shares(&[("pass", u64::MAX), ("fail", u64::MAX)]);
        let widths: Vec<_> = parts.iter().map(|part| (part.x, part.width)).collect();
        assert_eq!(widths, [(0, 300), (300, 300)]);
    }
}
