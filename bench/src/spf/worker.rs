use std::ffi::OsString;
use std::io::{BufRead, BufReader, Error, Result, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use quivive_bench_measure::Pass;

/// A measured program that waits for requests. It ends with its input, when this is dropped.
pub(crate) struct Worker {
    name: String,
    words: Vec<OsString>,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Worker {
    pub(crate) fn start(name: &str, mut command: Command) -> Result<Self> {
        let program = command.get_program().to_owned();
        let words = std::iter::once(program.as_os_str()).chain(command.get_args());
        let words = words.map(ToOwned::to_owned).collect();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("the output is piped"));
        Ok(Self { name: name.to_owned(), words, child, input, output })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The command line.
    pub(crate) fn words(&self) -> &[OsString] {
        &self.words
    }

    /// Has a group of queries checked, all of them `repeats` times.
    pub(crate) fn pass(&mut self, group: usize, repeats: usize) -> Result<Pass> {
        let input = self.input.as_mut().expect("taken when dropped only");
        writeln!(input, "pass {group} {repeats}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        line.trim_end().parse().map_err(|()| {
            Error::other(format!("{}: an answer that is not understood: {line:?}", self.name))
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
