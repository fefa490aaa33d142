//! Numbers of paired rounds: what they say together, and how noisy they were.

/// The values of one quantity, one a round.
#[derive(Debug, Clone, Default)]
pub struct Series(Vec<f64>);

impl Series {
    /// Adds the value of a round.
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// How many rounds there were.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// There were none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of each round divided by that of the other series in the same round; rounds that
    /// only one of them has are left out.
    pub fn ratio_to(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(own, other)| own / other).collect())
    }

    /// The value of each round less that of the other series in the same round.
    pub fn less(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(own, other)| own - other).collect())
    }

    /// The middle value.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Half the distance between the first and the ninth tenth, as a part of the median: nine in
    /// ten values of a quiet run lie so near.
    pub fn noise(&self) -> f64 {
        (self.quantile(0.9) - self.quantile(0.1)) / 2.0 / self.median()
    }

    /// The value below which this part of the values lies, by linear interpolation.
    fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
        let place = part * last as f64;
        let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        below + (above - below) * place.fract()
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_ratios_is_paired() {
        let own: Series = [1.0, 10.0, 3.0].into_iter().collect();
        let other: Series = [2.0, 20.0, 6.0, 1.0].into_iter().collect();
        let ratio = own.ratio_to(&other);
        assert_eq!((ratio.len(), ratio.median(), ratio.noise()), (3, 0.5, 0.0));
        assert_eq!(own.less(&other).median(), -3.0);
    }

    #[test]
    fn quantiles_lie_between_values() {
        let series: Series = (0..=10).map(f64::from).collect();
        assert_eq!(series.median(), 5.0);
        assert_eq!(series.noise(), 4.0 / 5.0);
    }
}
