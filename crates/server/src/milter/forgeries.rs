//! Which fields of a message must go, by the positions under which mail servers know them.

use quivive_mail::header::Field;
use quivive_mail::{RESULT_FIELDS, forged};

/// How many fields are deleted from a message. Each costs the mail server a walk over the header;
/// a message with more of them is refused.
pub(super) const FORGERIES_MAX: usize = 500;

/// The forged fields of a header that comes field by field.
#[derive(Debug, Default)]
pub(super) struct Forgeries {
    /// Names as they came, and how many fields of each there were.
    counts: Vec<(Vec<u8>, u32)>,
    /// Fields to delete, from the top: the name's place in `counts`, and which of that name.
    forged: Vec<(usize, u32)>,
    too_many: bool,
}

/// A field that must go.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forgery<'a> {
    pub(super) name: &'a [u8],
    /// The first of that name has 1.
    pub(super) position: u32,
}

impl Forgeries {
    /// Looks at the next field: its name, and its lines as they came.
    pub(super) fn look_at(&mut self, name: &[u8], lines: &[u8], own_names: &[String]) {
        let field = Field::new(lines);
        if self.too_many || !RESULT_FIELDS.iter().any(|known| field.resembles(known)) {
            return;
        }
        let known = self.counts.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
        let place = known.unwrap_or_else(|| {
            self.counts.push((name.to_vec(), 0));
            self.counts.len() - 1
        });
        self.counts[place].1 += 1;
        if forged(lines, own_names) {
            self.forged.push((place, self.counts[place].1));
        }
        self.too_many = self.forged.len() > FORGERIES_MAX || self.counts.len() > FORGERIES_MAX;
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.forged.len()
    }

    /// Whether there are more than can be deleted.
    pub(super) fn are_too_many(&self) -> bool {
        self.too_many
    }

    /// What is to be deleted, in this order: of each name the last goes first, so that it does not
    /// matter whether the mail server still counts one that is gone.
    pub(super) fn last_first(&self) -> impl Iterator<Item = Forgery<'_>> {
        self.forged
            .iter()
            .rev()
            .map(|(place, position)| Forgery { name: &self.counts[*place].0, position: *position })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(fields: &[&str]) -> Forgeries {
        let mut forgeries = Forgeries::default();
        for field in fields {
            let (name, _) = field.split_once(':').unwrap();
            let lines = format!("{field}\n");
            forgeries.look_at(name.as_bytes(), lines.as_bytes(), &["mx.example".to_owned()]);
        }
        forgeries
    }

    fn told(forgeries: &Forgeries) -> Vec<String> {
        let told = |forgery: Forgery<'_>| {
            format!("{} {}", String::from_utf8_lossy(forgery.name), forgery.position)
        };
        forgeries.last_first().map(told).collect()
    }

    #[test]
    fn each_name_is_counted_for_itself_and_without_case() {
        let forgeries = look(&[
            "Authentication-Results: mx.example; none",
            "Subject: x",
            "Authentication-Results: other.example; none",
            "Received-SPF: pass (mx.example: king)",
            "AUTHENTICATION-RESULTS: mx.example; none",
            "Received-SPF: pass (other.example: x) receiver=other.example",
            "Received-SPF: pass (mx.example: king)",
        ]);
        assert_eq!(
            told(&forgeries),
            [
                "Received-SPF 3",
                "Authentication-Results 3",
                "Received-SPF 1",
                "Authentication-Results 1"
            ]
        );
        assert_eq!((forgeries.count(), forgeries.are_too_many()), (4, false));
    }

    #[test]
    fn a_name_goes_as_it_came() {
        let forgeries = look(&["Authentication-Results : mx.example; none"]);
        assert_eq!(told(&forgeries), ["Authentication-Results  1"]);
    }

    #[test]
    fn no_more_are_noted_than_can_be_deleted() {
        let mut forgeries = Forgeries::default();
        let field = b"Authentication-Results: mx.example; none\n";
        let own = ["mx.example".to_owned()];
        for _ in 0..10 * FORGERIES_MAX {
            forgeries.look_at(b"Authentication-Results", field, &own);
        }
        assert!(forgeries.are_too_many());
        assert_eq!(forgeries.count(), FORGERIES_MAX + 1);
        let mut names = Forgeries::default();
        for number in 0..10 * FORGERIES_MAX {
            let name = [&b"Received-SPF"[..], &vec![0x80; number]].concat();
            names.look_at(&name, &[&name, &b": x\n"[..]].concat(), &own);
        }
        assert!(names.are_too_many());
        assert_eq!(names.counts.len(), FORGERIES_MAX + 1);
    }
}
