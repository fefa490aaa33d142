//! What processes use, by what the kernel writes of them (proc(5)).

use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::Duration;

/// Ticks a second in `/proc/PID/stat`: what Linux shows to programs, whatever it counts in.
const TICKS_A_SECOND: f64 = 100.0;

/// Processes with all that they have started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    roots: Vec<u32>,
    /// Only those whose command line holds this.
    word: Option<&'static str>,
}

/// A process as it is now.
struct Process {
    parent: u32,
    /// Its own time, and that of its children which have ended.
    ticks: u64,
}

impl Tree {
    /// A process and its descendants.
    pub(crate) fn of(root: u32) -> Self {
        Self { roots: vec![root], word: None }
    }

    /// Of these, the ones whose command line holds a word.
    pub(crate) fn with(self, word: &'static str) -> Self {
        Self { word: Some(word), ..self }
    }

    /// The processor time that they have used since they began. It only grows: what a process has
    /// used that ended is its parent's.
    pub(crate) fn processor(&self) -> Duration {
        let processes = processes();
        let ticks = self.members(&processes).iter().map(|id| processes[id].ticks).sum::<u64>();
        Duration::from_secs_f64(ticks as f64 / TICKS_A_SECOND)
    }

    /// What the threads that they have now used until now, to the nanosecond. For processes that
    /// neither end nor end threads: what those used would be missing.
    pub(crate) fn processor_of_threads(&self) -> Duration {
        let nanoseconds = self.members(&processes()).into_iter().map(threads_nanoseconds).sum();
        Duration::from_nanos(nanoseconds)
    }

    /// Their resident memory in MiB; what several share counts for each.
    pub(crate) fn resident_mib(&self) -> f64 {
        let kib = self.members(&processes()).into_iter().map(resident_kib).sum::<u64>();
        kib as f64 / 1024.0
    }

    fn members(&self, processes: &HashMap<u32, Process>) -> HashSet<u32> {
        let is_below = |id: &u32| {
            let up = std::iter::successors(Some(*id), |id| processes.get(id).map(|one| one.parent));
            up.take(processes.len()).any(|id| self.roots.contains(&id))
        };
        let has_word = |id: &u32| self.word.is_none_or(|word| command_line(*id).contains(word));
        processes.keys().copied().filter(|id| is_below(id) && has_word(id)).collect()
    }
}

fn processes() -> HashMap<u32, Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return HashMap::new() };
    let read = |entry: fs::DirEntry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name is in parentheses, and may hold anything.
        let (_, fields) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
        // Fields 4 and 14 to 17: utime, stime, cutime, cstime.
        let parent = number(1)?.try_into().ok()?;
        Some((id, Process { parent, ticks: number(11)? + number(12)? + number(13)? + number(14)? }))
    };
    entries.flatten().filter_map(read).collect()
}

fn threads_nanoseconds(id: u32) -> u64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{id}/task")) else { return 0 };
    let used = |thread: fs::DirEntry| {
        let line = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    threads.flatten().filter_map(used).sum()
}

fn command_line(id: u32) -> String {
    let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

fn resident_kib(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn what_children_used_counts_after_their_end() {
        let own = Tree::of(std::process::id());
        let before = own.processor();
        let burn = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        Command::new("sh").args(["-c", burn]).status().unwrap();
        assert!(own.processor() > before);
        assert!(own.resident_mib() > 1.0);
    }

    #[test]
    fn threads_are_measured_finely() {
        let own = Tree::of(std::process::id());
        let before = own.processor_of_threads();
        let sum = std::hint::black_box((0..5_000_000_u64).fold(0, |sum, one| sum ^ one));
        assert!(own.processor_of_threads() > before, "{sum}");
    }

    #[test]
    fn a_word_of_the_command_line_chooses() {
        let mut child = Command::new("sh")
            .args(["-c", "read unlikely-word"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let own = Tree::of(std::process::id());
        let members = |tree: &Tree| tree.members(&processes());
        assert!(members(&own).contains(&child.id()));
        assert!(!members(&own.with("no-such-word")).contains(&child.id()));
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
