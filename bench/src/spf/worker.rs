use std::ffi::OsString;
use std::io::{BufRead, BufReader, Error, Result, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::str::FromStr;

use quivive_bench_measure::{Pass, ThreadsRequest, WirePass, WireRequest};

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
        self.ask(&format!("pass {group} {repeats}"))
    }

    /// As [`Worker::pass`], for what it leaves behind.
    pub(crate) fn warm(&mut self, group: usize, repeats: usize) -> Result<Pass> {
        self.ask(&format!("warm {group} {repeats}"))
    }

    /// Has the first group checked by several threads.
    pub(crate) fn threads(&mut self, request: ThreadsRequest) -> Result<WirePass> {
        self.ask(&request.to_string())
    }

    /// Has queries checked by a name server.
    pub(crate) fn wire(&mut self, request: WireRequest) -> Result<WirePass> {
        self.ask(&request.to_string())
    }

    fn ask<T: FromStr>(&mut self, request: &str) -> Result<T> {
        let input = self.input.as_mut().expect("taken when dropped only");
        writeln!(input, "{request}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        line.trim_end().parse().map_err(|_| {
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
