//! Who may log in at our submission listeners: passwords set, users listed and removed.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use quivive_config::Door;
use quivive_server::logins::users::{self, User, UsersError};
use quivive_smtp::sasl::Mechanism;
use serde::Serialize;

use crate::command_line::{self, Global, UserFile, UserList, UserName};
use crate::error::Error;
use crate::style::{QUIET, STRONG, printable};
use crate::{json, password, world};

/// A user as `--json` shows it.
#[derive(Serialize)]
struct UserJson<'a> {
    user: &'a str,
    mechanisms: Vec<&'static str>,
}

/// What was done to a user, as `--json` says it.
#[derive(Serialize)]
struct DoneJson<'a> {
    user: &'a str,
    done: &'static str,
}

/// Does what was asked.
pub(crate) fn run(global: &Global, command: command_line::User) -> Result<ExitCode, Error> {
    match command {
        command_line::User::Add(user) => add(global, &user)?,
        command_line::User::Passwd(user) => passwd(global, &user)?,
        command_line::User::List(list) => self::list(global, &list)?,
        command_line::User::Remove(user) => remove(global, &user)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(global: &Global, user: &UserName) -> Result<(), Error> {
    let path = file(global, &user.file)?;
    let known = User::with_password(&password::read()?).map_err(UsersError::User)?;
    users::change(&path, |users| users.add(&user.name, known))?;
    tell(global, user, "added")
}

fn passwd(global: &Global, user: &UserName) -> Result<(), Error> {
    let path = file(global, &user.file)?;
    let known = User::with_password(&password::read()?).map_err(UsersError::User)?;
    let was_there = users::change(&path, |users| users.set(&user.name, known))?;
    tell(global, user, if was_there { "changed" } else { "added" })
}

fn remove(global: &Global, user: &UserName) -> Result<(), Error> {
    let path = file(global, &user.file)?;
    users::change(&path, |users| users.remove(&user.name))?;
    tell(global, user, "removed")
}

fn tell(global: &Global, user: &UserName, done: &'static str) -> Result<(), Error> {
    if global.json {
        let done = DoneJson { user: &user.name, done };
        io::stdout().lock().write_all(&json::line(&done))?;
    } else {
        let name = printable(&user.name);
        writeln!(io::stderr(), "{name} is {done}. A running daemon knows it within a second.")?;
    }
    Ok(())
}

fn list(global: &Global, list: &UserList) -> Result<(), Error> {
    let users = users::read(&file(global, &list.file)?)?;
    if global.json {
        let mut out = io::stdout().lock();
        for (name, user) in users.iter() {
            let shown = UserJson { user: name, mechanisms: mechanisms(user) };
            out.write_all(&json::line(&shown))?;
        }
        return Ok(());
    }
    let mut out = anstream::stdout().lock();
    let width = users.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, user) in users.iter() {
        let mechanisms = mechanisms(user).join(" ");
        writeln!(out, "{STRONG}{name:<width$}{STRONG:#}  {QUIET}{mechanisms}{QUIET:#}")?;
    }
    let offered = users.mechanisms();
    if offered.is_empty() {
        writeln!(io::stderr(), "There is no mechanism that all of them can use: none is offered.")?;
    }
    Ok(())
}

fn mechanisms(user: &User) -> Vec<&'static str> {
    let scram = user.verifier.is_some().then_some(Mechanism::ScramSha256);
    let plain = [Mechanism::Plain, Mechanism::Login].into_iter();
    let plain = plain.filter(|_| user.password.is_some());
    scram.into_iter().chain(plain).map(Mechanism::name).collect()
}

/// The file that is named, or that of the configuration's submission listeners.
fn file(global: &Global, named: &UserFile) -> Result<PathBuf, Error> {
    if let Some(file) = &named.file {
        return Ok(file.clone());
    }
    let config = world::config(global)?;
    let doors = config.listen.iter().filter(|listen| listen.door == Door::Submission);
    let mut files: Vec<_> = doors.filter_map(|listen| listen.users.clone()).collect();
    files.dedup();
    match <[PathBuf; 1]>::try_from(files) {
        Ok([file]) => Ok(file),
        Err(files) if files.is_empty() => Err(Error::Usage(
            "name the --file of users, or a --config with a submission listener that has one",
        )),
        Err(_) => {
            Err(Error::Usage("the configuration has several files of users; name the --file"))
        }
    }
}
