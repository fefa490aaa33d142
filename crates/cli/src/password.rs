use std::io::{BufRead, IsTerminal, Read, Write};
use std::process::ExitCode;

use quivive_console::{PASSWORD_OCTETS_MAX, Password};

use crate::error::Error;

/// Reads a password, the first line of standard input, and prints its hash for `password_file`.
pub(crate) fn run() -> Result<ExitCode, Error> {
    let password = read()?;
    let hash = Password::hash(&password).map_err(|_| {
        Error::Serve(format!("a password has from 1 to {PASSWORD_OCTETS_MAX} octets"))
    })?;
    writeln!(std::io::stdout(), "{}", hash.as_str())?;
    Ok(ExitCode::SUCCESS)
}

/// The first line of standard input, without its line end.
pub(crate) fn read() -> Result<String, Error> {
    let input = std::io::stdin();
    if input.is_terminal() {
        writeln!(std::io::stderr(), "Type the password, which can be seen, and a line end:")?;
    }
    let mut line = String::new();
    // One octet more than there may be tells that there are too many.
    input.lock().take(PASSWORD_OCTETS_MAX as u64 + 3).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
