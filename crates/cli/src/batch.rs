//! `check --batch`: one object a line in, one a line out, in order, many at once.

mod line;
mod progress;
mod source;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use quivive_contract::Selection;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::examiner::Examiner;
use line::Answered;
use progress::Progress;
use source::{Read, Source};

/// How many lines are on their way at once.
const LINES_AT_ONCE_MAX: usize = 256;

/// A line on its way, and how many octets it had.
type Flight = (JoinHandle<Answered>, u64);

/// Judges a message for each line of a file, or of standard input for `-`.
///
/// # Errors
/// The file cannot be read, the output not be written, or some lines could not be used.
pub(crate) async fn run(
    examiner: Examiner,
    selection: Selection,
    path: &Path,
) -> Result<ExitCode, Error> {
    let source = Source::open(path)?;
    let progress = Progress::new(source.octets());
    let (sender, receiver) = mpsc::channel(LINES_AT_ONCE_MAX);
    let runtime = tokio::runtime::Handle::current();
    let desk = Arc::new((examiner, selection));
    // A thread of its own, for which nobody waits: a read of standard input cannot be called off.
    std::thread::spawn(move || read(source, &desk, &runtime, &sender));
    let bad = write(receiver, &progress).await?;
    progress.finish();
    match bad {
        0 => Ok(ExitCode::SUCCESS),
        bad => Err(Error::Lines(bad)),
    }
}

/// Sends lines on their way as long as there are any and somebody wants the answers.
fn read(
    mut source: Source,
    desk: &Arc<(Examiner, Selection)>,
    runtime: &tokio::runtime::Handle,
    sender: &mpsc::Sender<Result<Flight, Error>>,
) {
    loop {
        let (text, octets) = match source.next() {
            Ok(Some(Read { text, octets })) => (text, octets),
            Ok(None) => return,
            Err(error) => {
                // Whether anybody still listens makes no difference now.
                let _ = sender.blocking_send(Err(error));
                return;
            }
        };
        // Waits for a place before the work begins.
        let Ok(permit) = runtime.block_on(sender.reserve()) else { return };
        let desk = desk.clone();
        let flight = runtime.spawn(async move { line::answer(text, &desk.0, &desk.1).await });
        permit.send(Ok((flight, octets)));
    }
}

/// Writes the answers in the order of the lines; gives the number of those that were errors.
async fn write(
    mut receiver: mpsc::Receiver<Result<Flight, Error>>,
    progress: &Progress,
) -> Result<u64, Error> {
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut bad = 0;
    loop {
        let next = match receiver.try_recv() {
            Err(TryRecvError::Empty) => {
                // Whoever asks one by one gets each answer at once.
                out.flush()?;
                receiver.recv().await
            }
            other => other.ok(),
        };
        let Some(next) = next else { break };
        let (flight, octets) = next?;
        if !flight.is_finished() {
            out.flush()?;
        }
        let answered = flight.await.unwrap_or_else(|lost| {
            Answered::error(None::<Box<RawValue>>.as_deref(), &line::lost(&lost))
        });
        bad += u64::from(answered.is_error);
        out.write_all(&answered.line)?;
        progress.advance(octets);
    }
    out.flush()?;
    Ok(bad)
}
