use moka::sync::Cache as Moka;
use quivive_evidence::{DnsAnswer, DnsQuestion};
use std::time::Duration;
use tokio::time::Instant;

use crate::metrics::Counter;
use crate::records::weight;
use crate::settings::Settings;

/// Answers that are still good, bounded in number and in memory.
pub(crate) struct Cache {
    entries: Moka<DnsQuestion, Entry>,
    pub(crate) hits: Counter,
    pub(crate) misses: Counter,
}

#[derive(Clone)]
struct Entry {
    answer: DnsAnswer,
    expires_at: Instant,
}

impl Cache {
    pub(crate) fn new(settings: &Settings) -> Self {
        // No entry weighs less than its share, so that one bound of weight holds the number too.
        let share = settings.cache_octets_max / settings.cache_entries_max.max(1);
        let weigher = move |question: &DnsQuestion, entry: &Entry| {
            let octets = size_of::<DnsQuestion>() + question.name.len() + weight(&entry.answer);
            u32::try_from(share.max(octets as u64)).unwrap_or(u32::MAX)
        };
        let entries =
            Moka::builder().max_capacity(settings.cache_octets_max).weigher(weigher).build();
        Self { entries, hits: Counter::default(), misses: Counter::default() }
    }

    /// The answer to a question, while its TTL lasts.
    pub(crate) fn get(&self, question: &DnsQuestion) -> Option<DnsAnswer> {
        let answer = self.peek(question);
        if answer.is_some() { &self.hits } else { &self.misses }.add(1);
        answer
    }

    /// As [`Cache::get`], uncounted.
    pub(crate) fn peek(&self, question: &DnsQuestion) -> Option<DnsAnswer> {
        let entry = self.entries.get(question)?;
        (Instant::now() < entry.expires_at).then_some(entry.answer)
    }

    /// Until when this very answer is kept.
    pub(crate) fn good_until(&self, question: &DnsQuestion, answer: &DnsAnswer) -> Option<Instant> {
        let entry = self.entries.get(question)?;
        entry.answer.is(answer).then_some(entry.expires_at)
    }

    /// Keeps an answer for as long as it says.
    pub(crate) fn insert(&self, question: DnsQuestion, answer: DnsAnswer, seconds: u32) {
        if seconds > 0 {
            let expires_at = Instant::now() + Duration::from_secs(seconds.into());
            self.entries.insert(question, Entry { answer, expires_at });
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.entries.run_pending_tasks();
        self.entries.entry_count()
    }
}

#[cfg(test)]
mod tests {
    use quivive_evidence::{Octets, Outcome, RecordType, Source};

    use super::*;

    fn question(index: usize) -> DnsQuestion {
        DnsQuestion { name: format!("{index}.example").into(), record_type: RecordType::Txt }
    }

    fn answer(octets: usize) -> DnsAnswer {
        let record = Octets(vec![0; octets].into());
        let outcome = Outcome::of(vec![record]);
        DnsAnswer::Txt(quivive_evidence::Answer::new(outcome, Source::default()).into())
    }

    fn cache(entries: u64, octets: u64) -> Cache {
        let settings = Settings {
            cache_entries_max: entries,
            cache_octets_max: octets,
            ..Settings::default()
        };
        Cache::new(&settings)
    }

    #[test]
    fn entries_are_bounded() {
        let cache = cache(10, 1 << 20);
        for index in 0..100 {
            cache.insert(question(index), answer(1), 60);
        }
        assert_eq!(cache.len(), 10);
    }

    #[test]
    fn memory_is_bounded() {
        let cache = cache(1_000, 1 << 20);
        for index in 0..100 {
            cache.insert(question(index), answer(100 << 10), 60);
        }
        assert_eq!(cache.len(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_last_as_long_as_their_ttl() {
        let cache = cache(10, 1 << 20);
        cache.insert(question(0), answer(1), 0);
        cache.insert(question(1), answer(1), 60);
        assert!(cache.get(&question(0)).is_none(), "a TTL of zero is not kept");
        tokio::time::advance(Duration::from_millis(59_999)).await;
        assert!(cache.get(&question(1)).is_some());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(cache.get(&question(1)).is_none());
        assert_eq!((cache.hits.get(), cache.misses.get()), (1, 2));
    }
}
