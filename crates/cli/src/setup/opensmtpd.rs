use quivive_config::{Address, Config, Door};

use super::{Instructions, listeners, nothing_to_ask, reached};
use crate::error::Error;

/// What smtpd runs if nobody knows where this program lies.
const PROGRAM: &str = "/usr/bin/quivive";

/// Who runs filters, as the packages of Linux and OpenBSD have it.
const ACCOUNT: &str = "the account that smtpd runs filters as (`opensmtpd`; on OpenBSD `_smtpd`)";

pub(super) fn instructions(config: &Config) -> Result<Instructions, Error> {
    let listen = listeners(config, Door::Opensmtpd).next();
    let listen = listen.ok_or_else(|| nothing_to_ask("OpenSMTPD", "opensmtpd", 10041))?;
    let socket = match &listen.address {
        Address::Tcp(address) => reached(*address).to_string(),
        Address::Unix(path) => format!("unix:{}", path.display()),
    };
    let program = std::env::current_exe();
    let program =
        program.map_or_else(|_| PROGRAM.to_owned(), |program| program.display().to_string());
    let words = ["opensmtpd-filter", "--socket", &socket].map(str::to_owned);
    let mut command = shell_word(&program);
    for word in words {
        command = format!("{command} {}", shell_word(&word));
    }
    let filter = format!("filter \"quivive\" proc-exec \"{}\"\n", within_quotes(&command));
    let mut instructions = Instructions::default();
    instructions.part("/etc/smtpd.conf, above the `listen` lines", Door::Opensmtpd, filter);
    instructions.part(
        "/etc/smtpd.conf, at the end of each `listen on ...` line for mail from outside (port 25)",
        Door::Opensmtpd,
        "filter \"quivive\"\n".to_owned(),
    );
    instructions.check(format!("{ACCOUNT} may run {program}"));
    instructions.check_way_to(listen, ACCOUNT);
    instructions.check(
        "listeners for your own users alone (ports 465 and 587) have no filter, unless `binding` is \
         to judge them",
    );
    instructions.check(
        "mail is to be deferred while Quivive is not there; with `--when-down accept` behind the \
         socket it is taken without results",
    );
    instructions.check("`quivive serve` runs, and `smtpd -n` says that the configuration is OK");
    instructions.check("smtpd is stopped and started: it reads nothing again while it runs");
    instructions.check("`quivive case list` shows the messages that it asks about");
    Ok(instructions)
}

/// A word as the shell reads it with which smtpd starts filters.
fn shell_word(word: &str) -> String {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"/._-:+,@%=".contains(&octet);
    match word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A text between the double quotes of smtpd.conf.
fn within_quotes(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_one_word_in_the_shell() {
        assert_eq!(shell_word("/usr/bin/quivive"), "/usr/bin/quivive");
        assert_eq!(shell_word("[::1]:10041"), "'[::1]:10041'");
        assert_eq!(shell_word("/a b/it's"), "'/a b/it'\\''s'");
        assert_eq!(within_quotes("'a\"b\\c'"), "'a\\\"b\\\\c'");
    }
}
