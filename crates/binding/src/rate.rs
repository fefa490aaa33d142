use std::fmt;
use std::str::FromStr;

/// So many in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// In how many seconds.
    pub seconds: u32,
}

const UNITS: &[(&str, u32)] = &[("min", 60), ("h", 3600), ("d", 86_400)];

impl Rate {
    /// The lengths of time that a rate can be for, in seconds.
    pub const LENGTHS: [u32; 3] = [60, 3600, 86_400];
}

/// `100/h`; the units are min, h and d.
impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no rate; write 10/min, 100/h or 1000/d");
        let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
        let unit = UNITS.iter().find(|(word, _)| *word == unit).ok_or_else(wrong)?;
        let digits = !count.is_empty() && count.bytes().all(|octet| octet.is_ascii_digit());
        let count = count.parse().ok().filter(|_| digits).ok_or_else(wrong)?;
        Ok(Self { count, seconds: unit.1 })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, seconds)| *seconds == self.seconds) {
            Some((word, _)) => write!(f, "{}/{word}", self.count),
            None => write!(f, "{}/{} s", self.count, self.seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_units() {
        assert_eq!(UNITS.iter().map(|(_, seconds)| *seconds).collect::<Vec<_>>(), Rate::LENGTHS);
    }

    #[test]
    fn rates_come_back_as_they_were_written() {
        for text in ["10/min", "100/h", "1000/d", "0/h"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        for text in ["", "10", "/h", "-1/h", "+1/h", "10/w", "10/ h", "99999999999/h"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
