//! The file of users: one a line, `NAME:HASH:VERIFIER`. HASH is that of the password by argon2id,
//! for PLAIN and LOGIN; VERIFIER is what SCRAM-SHA-256 goes by (RFC 5803). Either may be empty.

mod file;

use std::collections::HashMap;
use std::fmt;

use quivive_console::{PASSWORD_OCTETS_MAX, Password};
use quivive_smtp::sasl::{Mechanism, Mechanisms, Verifier, prepare};

pub(crate) use self::file::UserFile;
pub use self::file::{FILE_OCTETS_MAX, UsersError, change, read};

/// How many iterations SCRAM takes for a new password: a client does them at each login.
pub const ITERATIONS: u32 = 10_000;

/// Octets of the salt of a verifier.
const SALT_OCTETS: usize = 16;

/// Who may log in by a password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    lines: Vec<Line>,
    /// Where a name stands, folded.
    places: HashMap<String, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    /// A comment, or nothing.
    Other(String),
    User(String, User),
}

/// What is known of a user's password.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// Its hash.
    pub password: Option<Password>,
    /// What SCRAM goes by.
    pub verifier: Option<Verifier>,
}

/// Why a user cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// A name that is none.
    #[error("`{0}` cannot be a user's name: it is empty, or has a colon or a control character")]
    Name(String),
    /// A password that nobody can type.
    #[error("a password has from 1 to {PASSWORD_OCTETS_MAX} octets, and no control characters")]
    Password,
    /// There is nobody of this name.
    #[error("there is no user `{0}`")]
    Unknown(String),
    /// There is somebody of this name.
    #[error("there is a user `{0}` already; `quivive user passwd {0}` sets a new password")]
    Known(String),
}

impl User {
    /// A user with this password.
    ///
    /// # Errors
    /// It cannot be one.
    pub fn with_password(password: &str) -> Result<Self, UserError> {
        let fits = password.len() <= PASSWORD_OCTETS_MAX;
        let prepared = prepare(password.as_bytes()).filter(|_| fits).ok_or(UserError::Password)?;
        let mut salt = [0; SALT_OCTETS];
        getrandom::fill(&mut salt).expect("the system has randomness");
        Ok(Self {
            password: Some(Password::hash(&prepared).map_err(|_| UserError::Password)?),
            verifier: Some(Verifier::of_password(&prepared, &salt, ITERATIONS)),
        })
    }
}

impl Users {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// The first line that cannot be used, from 1, and why.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut users = Self::default();
        for (line, number) in text.lines().zip(1..) {
            if line.trim().is_empty() || line.starts_with('#') {
                users.lines.push(Line::Other(line.to_owned()));
                continue;
            }
            let (name, user) = read_line(line).map_err(|problem| (number, problem))?;
            if users.places.contains_key(&name.to_lowercase()) {
                return Err((number, format!("`{name}` stands above already")));
            }
            users.push(name, user);
        }
        Ok(users)
    }

    /// The users, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &User)> {
        self.lines.iter().filter_map(|line| match line {
            Line::User(name, user) => Some((&**name, user)),
            Line::Other(_) => None,
        })
    }

    /// The user of this name, as it is written in the file; case does not matter.
    pub fn find(&self, name: &str) -> Option<(&str, &User)> {
        match self.lines.get(*self.places.get(&name.to_lowercase())?)? {
            Line::User(name, user) => Some((name, user)),
            Line::Other(_) => None,
        }
    }

    /// Adds a user.
    ///
    /// # Errors
    /// There is one of this name, or it cannot be one.
    pub fn add(&mut self, name: &str, user: User) -> Result<(), UserError> {
        match prepare(name.as_bytes())
            .and_then(|name| self.find(&name).map(|(name, _)| name.to_owned()))
        {
            Some(known) => Err(UserError::Known(known)),
            None => self.set(name, user).map(|_| ()),
        }
    }

    /// Puts a user in the place of the one of this name, or adds it; whether it was there.
    ///
    /// # Errors
    /// The name cannot be one.
    pub fn set(&mut self, name: &str, user: User) -> Result<bool, UserError> {
        let name = prepare(name.as_bytes()).filter(|name| is_name(name));
        let name = name.ok_or_else(|| UserError::Name(String::new()))?;
        match self.places.get(&name.to_lowercase()) {
            Some(at) => {
                self.lines[*at] = Line::User(name, user);
                Ok(true)
            }
            None => {
                self.push(name, user);
                Ok(false)
            }
        }
    }

    /// Takes a user out.
    ///
    /// # Errors
    /// There is nobody of this name.
    pub fn remove(&mut self, name: &str) -> Result<(), UserError> {
        let at = self.places.get(&name.to_lowercase());
        let at = *at.ok_or_else(|| UserError::Unknown(name.to_owned()))?;
        self.lines.remove(at);
        let lines = self.lines.iter().enumerate();
        self.places = lines
            .filter_map(|(at, line)| match line {
                Line::User(name, _) => Some((name.to_lowercase(), at)),
                Line::Other(_) => None,
            })
            .collect();
        Ok(())
    }

    /// The mechanisms that every user can use; none where there is no user.
    pub fn mechanisms(&self) -> Mechanisms {
        let any = self.iter().next().is_some();
        let by_password = any && self.iter().all(|(_, user)| user.password.is_some());
        let by_scram = any && self.iter().all(|(_, user)| user.verifier.is_some());
        let plain = [Mechanism::Plain, Mechanism::Login].into_iter().filter(|_| by_password);
        plain.chain(by_scram.then_some(Mechanism::ScramSha256)).collect()
    }

    /// How many iterations most verifiers have: what a user is told whom nobody knows.
    pub fn iterations(&self) -> u32 {
        let first = self.iter().find_map(|(_, user)| user.verifier.as_ref());
        first.map_or(ITERATIONS, Verifier::iterations)
    }

    fn push(&mut self, name: String, user: User) {
        self.places.insert(name.to_lowercase(), self.lines.len());
        self.lines.push(Line::User(name, user));
    }
}

fn read_line(line: &str) -> Result<(String, User), String> {
    let [name, hash, verifier] = line.splitn(3, ':').collect::<Vec<_>>()[..] else {
        return Err("a line is NAME:HASH:VERIFIER; `quivive user passwd NAME` writes it".to_owned());
    };
    let prepared = prepare(name.as_bytes()).filter(|prepared| prepared == name && is_name(name));
    let name = prepared.ok_or_else(|| UserError::Name(name.to_owned()).to_string())?;
    let password = match hash {
        "" => None,
        hash => Some(Password::parse(hash).map_err(|error| error.to_string())?),
    };
    let verifier = match verifier {
        "" => None,
        verifier => Some(verifier.parse::<Verifier>().map_err(|error| error.to_string())?),
    };
    if password.is_none() && verifier.is_none() {
        return Err(format!("`{name}` has no password; `quivive user passwd {name}` sets one"));
    }
    Ok((name, User { password, verifier }))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(':') && !name.starts_with('#')
}

impl fmt::Display for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            match line {
                Line::Other(text) => writeln!(f, "{text}")?,
                Line::User(name, User { password, verifier }) => {
                    let hash = password.as_ref().map_or("", Password::as_str);
                    let verifier = verifier.as_ref().map(Verifier::to_string).unwrap_or_default();
                    writeln!(f, "{name}:{hash}:{verifier}")?;
                }
            }
        }
        Ok(())
    }
}
