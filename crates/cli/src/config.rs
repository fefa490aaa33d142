mod files;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use quivive_config::Config;
use serde::Serialize;

use crate::command_line::{self, CheckedFile, Global, SampleFile};
use crate::error::Error;
use crate::{password, world};

/// What `config check --json` says.
#[derive(Serialize)]
struct CheckedJson {
    valid: bool,
    errors: Vec<Remark>,
    warnings: Vec<Remark>,
    /// What keeps `serve` from starting with the files that are named.
    files: Vec<String>,
}

/// Something about a place in the file.
#[derive(Serialize)]
struct Remark {
    line: Option<usize>,
    column: Option<usize>,
    text: String,
}

/// What `config show --json` and `config sample --json` say.
#[derive(Serialize)]
struct TextJson {
    toml: String,
}

/// Checks, shows or samples a configuration.
pub(crate) fn run(global: &Global, command: command_line::Config) -> Result<ExitCode, Error> {
    match command {
        command_line::Config::Check(file) => check(global, &file),
        command_line::Config::Password => password::run(),
        command_line::Config::Show(file) => {
            let path = file.file.as_deref().or(global.config.as_deref());
            let config = match path {
                Some(path) => Config::read(path).map_err(Error::Config)?,
                None => world::daemon_config(global)?,
            };
            print(global, quivive_config::show(&config))
        }
        command_line::Config::Sample(SampleFile { file: None }) => {
            print(global, quivive_config::sample())
        }
        command_line::Config::Sample(SampleFile { file: Some(path) }) => write_new(&path),
    }
}

/// Writes the sample into a file, and never over one.
fn write_new(path: &Path) -> Result<ExitCode, Error> {
    let written = std::fs::File::create_new(path)
        .and_then(|mut file| file.write_all(quivive_config::sample().as_bytes()));
    written.map_err(|source| Error::Unwritable { path: path.to_owned(), source })?;
    Ok(ExitCode::SUCCESS)
}

/// Errors and warnings go to standard error with file, line and column, as compilers write them;
/// as JSON they are the answer, and go to standard output.
fn check(global: &Global, file: &CheckedFile) -> Result<ExitCode, Error> {
    let path = file.file.as_deref().or(global.config.as_deref());
    let path = path.ok_or(Error::Usage("name the file to check"))?;
    let checked = Config::read_with_warnings(path);
    let files = match &checked {
        Ok((config, _)) => tokio::runtime::Runtime::new()?.block_on(files::problems(config)),
        Err(_) => Vec::new(),
    };
    let is_strict = file.strict;
    if global.json {
        return check_json(checked.map(|(_, warnings)| warnings), files, is_strict);
    }
    let (_, warnings) = checked.map_err(Error::Config)?;
    for warning in &warnings {
        writeln!(std::io::stderr(), "{warning}")?;
    }
    for problem in &files {
        writeln!(std::io::stderr(), "{}: {problem}", path.display())?;
    }
    let verdict = match &*files {
        [] => good(path, warnings.len()),
        _ => format!(
            "{}: well written, but `serve` cannot start with these files{}",
            path.display(),
            if is_strict { "" } else { " (with --strict this is an error)" }
        ),
    };
    writeln!(std::io::stdout(), "{verdict}")?;
    Ok(exit_code(is_strict, warnings.len() + files.len()))
}

/// Where a configuration is written its files need not be: they fail a check that is to be strict.
fn exit_code(is_strict: bool, doubts: usize) -> ExitCode {
    if is_strict && doubts > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn good(path: &Path, warnings: usize) -> String {
    let path = path.display();
    match warnings {
        0 => format!("{path}: good"),
        1 => format!("{path}: usable, with a warning"),
        many => format!("{path}: usable, with {many} warnings"),
    }
}

fn check_json(
    checked: Result<Vec<quivive_config::Warning>, Vec<quivive_config::Error>>,
    files: Vec<String>,
    is_strict: bool,
) -> Result<ExitCode, Error> {
    let remark = |place: &quivive_config::Place, text: String| Remark {
        line: place.position.map(|(line, _)| line),
        column: place.position.map(|(_, column)| column),
        text,
    };
    let (errors, warnings) = match checked {
        Ok(warnings) => (Vec::new(), warnings),
        Err(errors) => (errors, Vec::new()),
    };
    let errors: Vec<_> =
        errors.iter().map(|error| remark(&error.place, error.problem.to_string())).collect();
    let warnings: Vec<_> =
        warnings.iter().map(|warning| remark(&warning.place, warning.doubt.to_string())).collect();
    let valid = errors.is_empty();
    let code = exit_code(is_strict, warnings.len() + files.len());
    print_json(&CheckedJson { valid, errors, warnings, files })?;
    Ok(if valid { code } else { ExitCode::FAILURE })
}

fn print(global: &Global, toml: String) -> Result<ExitCode, Error> {
    if global.json {
        print_json(&TextJson { toml })?;
    } else {
        std::io::stdout().lock().write_all(toml.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_json(value: &impl Serialize) -> Result<(), Error> {
    std::io::stdout().lock().write_all(&crate::json::line(value))?;
    Ok(())
}
