use std::fmt;

const SECONDS_A_DAY: u64 = 86_400;

/// Days until stamps repeat: two digits of five bits.
const DAYS: u16 = 1024;

const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The day on which an address was made: days since 1970 modulo 1024, two base32 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(u16);

impl Stamp {
    /// The stamp of a time in seconds since 1970.
    pub fn at(now: u64) -> Self {
        Self((now / SECONDS_A_DAY % u64::from(DAYS)) as u16)
    }

    /// Reads two digits, in any case; none if they are others.
    pub fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [high, low] => Some(Self(digit(*high)? << 5 | digit(*low)?)),
            _ => None,
        }
    }

    /// Reads as many digits as Exim writes: it leaves out those before the first that counts.
    pub(crate) fn parse_short(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [] => Some(Self(0)),
            [low] => digit(*low).map(Self),
            _ => Self::parse(text),
        }
    }

    /// Its two digits.
    pub fn digits(self) -> [u8; 2] {
        [DIGITS[usize::from(self.0 >> 5)], DIGITS[usize::from(self.0 & 31)]]
    }

    /// How many days it is old. One of tomorrow cannot be told from one of 1023 days ago.
    pub fn age_days(self, now: u64) -> u16 {
        (Self::at(now).0 + DAYS - self.0) % DAYS
    }
}

fn digit(octet: u8) -> Option<u16> {
    match octet.to_ascii_uppercase() {
        letter @ b'A'..=b'Z' => Some(u16::from(letter - b'A')),
        number @ b'2'..=b'7' => Some(u16::from(number - b'2') + 26),
        _ => None,
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [high, low] = self.digits();
        write!(f, "{}{}", char::from(high), char::from(low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_day(day: u64) -> Stamp {
        Stamp::at(day * SECONDS_A_DAY)
    }

    #[test]
    fn days_wrap() {
        for (day, text) in [
            (0, "AA"),
            (1, "AB"),
            (31, "A7"),
            (32, "BA"),
            (1023, "77"),
            (1024, "AA"),
            (18262, "2W"),
        ] {
            assert_eq!(at_day(day).to_string(), text);
            assert_eq!(Stamp::parse(text), Some(at_day(day)));
            assert_eq!(Stamp::parse(&text.to_lowercase()), Some(at_day(day)));
        }
    }

    #[test]
    fn what_is_no_stamp() {
        for text in ["", "A", "AAA", "A1", "A8", "0A", "é", "A="] {
            assert_eq!(Stamp::parse(text), None, "{text}");
        }
        assert_eq!(Stamp::parse_short(""), Some(Stamp(0)));
        assert_eq!(Stamp::parse_short("c"), Some(Stamp(2)));
        assert_eq!(Stamp::parse_short("BA"), Some(Stamp(32)));
        assert_eq!(Stamp::parse_short("aba"), None);
    }

    #[test]
    fn tomorrow_is_long_ago() {
        let now = 18262 * SECONDS_A_DAY;
        assert_eq!(at_day(18262).age_days(now), 0);
        assert_eq!(at_day(18261).age_days(now), 1);
        assert_eq!(at_day(18263).age_days(now), 1023);
        // Over the end of the cycle.
        assert_eq!(at_day(1023).age_days(1025 * SECONDS_A_DAY), 2);
    }
}
