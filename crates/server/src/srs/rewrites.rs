use quivive_verdict::Rewrite;

/// How many addresses of a message are written down.
const REWRITES_NAMED_MAX: usize = 100;

/// What became of the addresses of one message's envelope.
#[derive(Debug, Default)]
pub(crate) struct Rewrites(Vec<Rewrite>);

impl Rewrites {
    pub(crate) fn note(&mut self, rewrite: Rewrite) {
        if self.0.len() < REWRITES_NAMED_MAX {
            self.0.push(rewrite);
        }
    }

    /// For the case.
    pub(crate) fn into_all(self) -> Vec<Rewrite> {
        self.0
    }

    /// For the log line, behind the results: ` srs.mailfrom=rewritten alias.rcpt=expanded`.
    pub(crate) fn words(&self) -> String {
        let word = |rewrite: &Rewrite| {
            format!(" {}.{}={}", rewrite.method, rewrite.identity, rewrite.result)
        };
        self.0.iter().map(word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_a_hundred_are_written_down() {
        let mut rewrites = Rewrites::default();
        for number in 0..REWRITES_NAMED_MAX + 5 {
            rewrites.note(Rewrite::of_sender(&format!("{number}@a.example"), "kept", ""));
        }
        assert!(rewrites.words().starts_with(" srs.mailfrom=kept srs.mailfrom=kept"));
        assert_eq!(rewrites.into_all().len(), REWRITES_NAMED_MAX);
    }
}
