use std::collections::BTreeMap;
use std::net::IpAddr;

use quivive_evidence::Facts;

/// How many senders a traffic may have.
pub const SENDERS_MAX: usize = 100_000;

/// How much of a line an error repeats, in characters.
const SHOWN_CHARACTERS_MAX: usize = 60;

/// Who sends a domain's mail, and how much.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Each address once, in the order in which they were named first.
    pub senders: Vec<Sender>,
}

/// A host that sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Its address.
    pub address: IpAddr,
    /// How many messages.
    pub count: u64,
    /// What it says in HELO; empty: the domain's name.
    pub helo: String,
    /// The reverse-path it uses; empty: postmaster of the domain.
    pub reverse_path: String,
}

/// A line that says nothing about a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it, and the cure.
    pub text: String,
}

impl Sender {
    /// A host of which only the address is known.
    pub fn new(address: IpAddr, count: u64) -> Self {
        let address = address.to_canonical();
        Self { address, count, helo: String::new(), reverse_path: String::new() }
    }

    /// The facts of a message of this sender for the domain.
    pub(super) fn facts(&self, domain: &str) -> Facts {
        let mut facts = Facts::new(self.address);
        facts.helo = if self.helo.is_empty() { domain.to_owned() } else { self.helo.clone() };
        facts.reverse_path = match &*self.reverse_path {
            "" => format!("postmaster@{domain}"),
            path => path.to_owned(),
        };
        facts
    }
}

impl Traffic {
    /// Reads lines of `ADDRESS [COUNT]`, apart by blanks, tabs, commas or semicolons. Empty lines,
    /// those that begin with `#`, and a line of headings before the first sender are skipped.
    /// Counts of one address are added. A text that begins with `<` is read as an aggregate report
    /// of DMARC (RFC 7489 appendix C): the `source_ip` and `count` of its rows.
    ///
    /// # Errors
    /// The first line that cannot be read, or one sender more than [`SENDERS_MAX`].
    pub fn parse(text: &str) -> Result<Self, TrafficError> {
        if text.trim_start_matches('\u{feff}').trim_start().starts_with('<') {
            return Self::parse_report(text);
        }
        let mut traffic = Self::default();
        let mut places = BTreeMap::new();
        let mut has_headings = false;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim().trim_start_matches('\u{feff}');
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let error = |text| TrafficError { line: index + 1, text };
            let sender = match read(line) {
                Ok(sender) => sender,
                Err(_) if places.is_empty() && !has_headings && is_headings(line) => {
                    has_headings = true;
                    continue;
                }
                Err(text) => return Err(error(text)),
            };
            traffic.add(&mut places, sender).map_err(error)?;
        }
        Ok(traffic)
    }

    fn parse_report(text: &str) -> Result<Self, TrafficError> {
        let mut traffic = Self::default();
        let mut places = BTreeMap::new();
        for row in text.split("<row>").skip(1) {
            let row = row.split("</row>").next().unwrap_or_default();
            let start = row.as_ptr() as usize - text.as_ptr() as usize;
            let error = |text_of_error| TrafficError {
                line: text[..start].lines().count().max(1),
                text: text_of_error,
            };
            let line = format!("{} {}", element(row, "source_ip"), element(row, "count"));
            let sender = read(line.trim()).map_err(error)?;
            traffic.add(&mut places, sender).map_err(error)?;
        }
        if traffic.senders.is_empty() {
            let text = "this is no aggregate report of DMARC: it has no `row`; write lines of an \
                        address and a count, as in `192.0.2.1 250`"
                .to_owned();
            return Err(TrafficError { line: 1, text });
        }
        Ok(traffic)
    }

    /// The traffic of these senders; counts of one address are added, and the first of each stands
    /// for the others.
    ///
    /// # Errors
    /// There are more than [`SENDERS_MAX`].
    pub fn of(senders: impl IntoIterator<Item = Sender>) -> Result<Self, String> {
        let mut traffic = Self::default();
        let mut places = BTreeMap::new();
        senders.into_iter().try_for_each(|sender| traffic.add(&mut places, sender))?;
        Ok(traffic)
    }

    fn add(&mut self, places: &mut BTreeMap<IpAddr, usize>, sender: Sender) -> Result<(), String> {
        if let Some(&at) = places.get(&sender.address) {
            let known = &mut self.senders[at];
            known.count = known.count.saturating_add(sender.count);
            return Ok(());
        }
        if self.senders.len() == SENDERS_MAX {
            return Err(format!(
                "there are more than {SENDERS_MAX} senders; leave out the smallest"
            ));
        }
        places.insert(sender.address, self.senders.len());
        self.senders.push(sender);
        Ok(())
    }
}

fn read(line: &str) -> Result<Sender, String> {
    let is_separator = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
    let mut fields = line.split(is_separator).map(unquoted).filter(|field| !field.is_empty());
    let address = fields.next().unwrap_or_default();
    let wrong = || {
        let shown: String = line.chars().take(SHOWN_CHARACTERS_MAX).collect();
        format!(
            "`{}` is no sender; write an address and a count, as in `192.0.2.1 250`",
            shown.escape_debug()
        )
    };
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    let address: IpAddr = bare.parse().map_err(|_| wrong())?;
    let count = match fields.next() {
        None => 1,
        Some(count) => count.parse().map_err(|_| wrong())?,
    };
    Ok(Sender::new(address, count))
}

/// The text of the first element of this name.
fn element<'t>(text: &'t str, name: &str) -> &'t str {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    let inner = text.split_once(&*start).and_then(|(_, rest)| rest.split_once(&*end));
    inner.map_or("", |(inner, _)| inner.trim())
}

fn unquoted(field: &str) -> &str {
    field.trim_matches('"')
}

/// `source_ip,count`: words, one of which names addresses, and no number.
fn is_headings(line: &str) -> bool {
    const NAMES: &[&str] = &["ip", "addr", "source", "sender", "client"];
    let lower = line.to_ascii_lowercase();
    line.chars().all(|c| c.is_alphabetic() || " \t,;_-\"".contains(c))
        && NAMES.iter().any(|name| lower.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> Vec<(String, u64)> {
        let senders = Traffic::parse(text).unwrap().senders;
        senders.iter().map(|sender| (sender.address.to_string(), sender.count)).collect()
    }

    #[test]
    fn lines_as_people_have_them() {
        let text = "\u{feff}source_ip,count\n# ours\n192.0.2.1,250\n\"192.0.2.2\";\"3\"\n\n2001:db8::1\t7\n\
                    ::ffff:192.0.2.1 50\n[2001:db8::2]\n";
        assert_eq!(
            read_all(text),
            [
                ("192.0.2.1".to_owned(), 300),
                ("192.0.2.2".to_owned(), 3),
                ("2001:db8::1".to_owned(), 7),
                ("2001:db8::2".to_owned(), 1),
            ]
        );
        assert_eq!(read_all(""), []);
    }

    #[test]
    fn what_is_no_sender_is_said_with_its_line() {
        for (text, line) in [
            ("192.0.2.1 1\nhost 2", 2),
            ("nobody", 1),
            ("ip\nip", 2),
            ("192.0.2.1 many", 1),
            ("192.0.2.300", 1),
            ("192.0.2.1 -3", 1),
            ("192.0.2.0/24 1", 1),
        ] {
            let error = Traffic::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text}");
            assert!(error.text.contains("192.0.2.1 250"), "{}", error.text);
        }
    }

    #[test]
    fn senders_are_bounded() {
        let line = |index: u32| format!("{}\n", std::net::Ipv4Addr::from_bits(index << 4));
        let text: String = (0..u32::try_from(SENDERS_MAX).unwrap()).map(line).collect();
        assert_eq!(Traffic::parse(&text).unwrap().senders.len(), SENDERS_MAX);
        let error = Traffic::parse(&(text + "255.255.255.255")).unwrap_err();
        assert!(error.text.contains("leave out"), "{}", error.text);
    }

    #[test]
    fn a_report_of_dmarc_is_read() {
        let report = "<?xml version=\"1.0\"?>\n<feedback>\n<record><row>\n  <source_ip> 192.0.2.1 \
                      </source_ip>\n  <count>250</count><policy_evaluated/></row></record>\n\
                      <record><row><count>3</count><source_ip>2001:db8::1</source_ip></row>\
                      </record><record><row><source_ip>192.0.2.1</source_ip><count>1</count></row>\
                      </record></feedback>";
        let expected = [("192.0.2.1".to_owned(), 251), ("2001:db8::1".to_owned(), 3)];
        assert_eq!(read_all(report), expected);
        let error = Traffic::parse("<html>").unwrap_err();
        assert!(error.text.contains("no aggregate report"), "{}", error.text);
        let broken = "<feedback>\n<row><source_ip>192.0.2.1</source_ip><count>1</count></row>\n\
                      <row><source_ip>me</source_ip><count>1</count></row></feedback>";
        let error = Traffic::parse(broken).unwrap_err();
        assert_eq!((error.line, error.text.starts_with("`me 1` is no sender")), (3, true));
    }

    proptest::proptest! {
        /// Lines, reports and what is neither: what is read is written and read again.
        #[test]
        fn any_text_is_read_or_refused(
            text in "([0-9a-f.:]{0,9}[ ,;<>\"]?|<row>|</row>|<source_ip>192\\.0\\.2\\.[0-9]</source_ip>\
                     |<count>[0-9]{0,3}</count>|192\\.0\\.2\\.[0-9] [0-9]{0,21}\n|\\PC){0,12}"
        ) {
            if let Ok(traffic) = Traffic::parse(&text) {
                let line = |one: &Sender| format!("{} {}\n", one.address, one.count);
                let again: String = traffic.senders.iter().map(line).collect();
                proptest::prop_assert_eq!(Traffic::parse(&again), Ok(traffic));
            }
        }
    }

    #[test]
    fn huge_counts_do_not_overflow() {
        let text = format!("192.0.2.1 {0}\n192.0.2.1 {0}", u64::MAX);
        assert_eq!(read_all(&text), [("192.0.2.1".to_owned(), u64::MAX)]);
    }
}
