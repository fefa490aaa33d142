use crate::{Known, Query, Subject};

/// Records without the rest of a check: right is what is parsed.
pub struct Parsing<P> {
    records: Vec<String>,
    expected: Vec<Vec<u8>>,
    parses: P,
}

impl<P: FnMut(&str) -> bool> Parsing<P> {
    /// The SPF records among the answers (RFC 7208 section 4.5), one a query of these groups.
    pub fn of(answers: Vec<Known>, groups: &[Vec<Query>], parses: P) -> Self {
        let texts = answers.into_iter().filter(|known| known.record_type == "TXT");
        let records = texts.flat_map(|known| known.records).filter(|text| is_spf(text)).collect();
        let expected = |group: &Vec<Query>| group.iter().map(|query| query.expected).collect();
        Self { records, expected: groups.iter().map(expected).collect(), parses }
    }
}

impl<P: FnMut(&str) -> bool> Subject for Parsing<P> {
    fn check(&mut self, group: usize, query: usize) -> u8 {
        let record = &self.records[query % self.records.len()];
        if (self.parses)(record) { self.expected[group][query] } else { u8::MAX }
    }
}

fn is_spf(text: &str) -> bool {
    text.get(..6).is_some_and(|version| version.eq_ignore_ascii_case("v=spf1"))
        && matches!(text.as_bytes().get(6), None | Some(b' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;

    #[test]
    fn records_that_are_spf_are_parsed_and_nothing_else() {
        let known = |record_type: &str, record: &str| Known {
            name: "a.test".to_owned(),
            record_type: record_type.to_owned(),
            status: Status::Found,
            records: vec![record.to_owned()],
        };
        let answers = vec![
            known("TXT", "V=SPF1"),
            known("TXT", "v=spf10 -all"),
            known("TXT", "v=spf1 +all"),
            known("MX", "v=spf1 -all"),
        ];
        let [address, helo, sender] = [(); 3].map(|()| String::new());
        let groups = [vec![Query { address, helo, sender, expected: 5 }; 3]];
        let mut seen = Vec::new();
        let mut parsing = Parsing::of(answers, &groups, |record: &str| {
            seen.push(record.to_owned());
            record.ends_with("all")
        });
        assert_eq!([0, 1, 2].map(|query| parsing.check(0, query)), [u8::MAX, 5, u8::MAX]);
        drop(parsing);
        assert_eq!(seen, ["V=SPF1", "v=spf1 +all", "V=SPF1"]);
    }
}
