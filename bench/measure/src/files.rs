use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// The results of SPF in the order of their numbers.
pub const RESULTS: [&str; 7] =
    ["pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"];

/// The number of a result's word.
pub fn result_number(word: &str) -> Option<u8> {
    let place = RESULTS.iter().position(|known| *known == word)?;
    u8::try_from(place).ok()
}

/// What is asked: a line `ADDRESS HELO SENDER EXPECTED`, separated by tabs.
#[derive(Debug, Clone)]
pub struct Query {
    /// The client's address as text.
    pub address: String,
    /// The argument of HELO.
    pub helo: String,
    /// The reverse-path.
    pub sender: String,
    /// The number of the right result.
    pub expected: u8,
}

/// What DNS knows: a line `NAME TYPE STATUS RECORD...`, separated by tabs.
#[derive(Debug, Clone)]
pub struct Known {
    /// In lower case, without a closing dot.
    pub name: String,
    /// The mnemonic.
    pub record_type: String,
    /// Whether there are records.
    pub status: Status,
    /// Addresses, `10 mail.example`, names, text.
    pub records: Vec<String>,
}

/// Whether there are records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There are.
    Found,
    /// The name exists, the records do not.
    NoData,
    /// The name does not exist.
    NoName,
}

/// Reads a file of answers.
///
/// # Errors
/// It cannot be read, or a line is not as described.
pub fn read_answers(path: &Path) -> Result<Vec<Known>> {
    lines(path, |fields| {
        let [name, record_type, status, records @ ..] = fields else { return None };
        let status = match *status {
            "found" => Status::Found,
            "nodata" => Status::NoData,
            "nxdomain" => Status::NoName,
            _ => return None,
        };
        let records = records.iter().map(|record| (*record).to_owned()).collect();
        Some(Known {
            name: (*name).to_owned(),
            record_type: (*record_type).to_owned(),
            status,
            records,
        })
    })
}

/// Reads a file of queries.
///
/// # Errors
/// It cannot be read, or a line is not as described.
pub fn read_queries(path: &Path) -> Result<Vec<Query>> {
    lines(path, |fields| {
        let [address, helo, sender, expected] = fields else { return None };
        address.parse::<IpAddr>().ok()?;
        let expected = result_number(expected)?;
        let [address, helo, sender] = [address, helo, sender].map(|field| (*field).to_owned());
        Some(Query { address, helo, sender, expected })
    })
}

/// Reads all groups of queries of a folder, from the first on.
///
/// # Errors
/// As [`read_queries`].
pub fn read_groups(folder: &Path) -> Result<Vec<Vec<Query>>> {
    let files = (0..).map(|group| queries_file(folder, group)).take_while(|file| file.is_file());
    files.map(|file| read_queries(&file)).collect()
}

/// The file of a group of queries in its folder.
pub fn queries_file(folder: &Path, group: usize) -> PathBuf {
    folder.join(format!("queries-{group}.tsv"))
}

fn lines<T>(path: &Path, read: impl Fn(&[&str]) -> Option<T>) -> Result<Vec<T>> {
    let text = fs::read_to_string(path)?;
    let line = |(number, line): (usize, &str)| {
        let fields: Vec<&str> = line.split('\t').collect();
        read(&fields).ok_or_else(|| {
            let place = format!("{}:{}: not understood", path.display(), number + 1);
            Error::new(ErrorKind::InvalidData, place)
        })
    };
    text.lines().enumerate().map(line).collect()
}
