use quivive_config::{Address, Config, Door};

use super::{Instructions, listeners, nothing_to_ask, reached};
use crate::error::Error;

pub(super) fn instructions(config: &Config) -> Result<Instructions, Error> {
    let listen = listeners(config, Door::Milter).next();
    let listen = listen.ok_or_else(|| nothing_to_ask("Sendmail", "milter", 8891))?;
    let socket = match &listen.address {
        Address::Tcp(address) => {
            let address = reached(*address);
            let kind = if address.is_ipv4() { "inet" } else { "inet6" };
            format!("{kind}:{}@{}", address.port(), address.ip())
        }
        Address::Unix(path) => format!("unix:{}", path.display()),
    };
    let mut instructions = Instructions::default();
    let text =
        format!("INPUT_MAIL_FILTER(`quivive', `S={socket}, F=T, T=C:10s;S:30s;R:60s;E:5m')dnl\n");
    instructions.part("/etc/mail/sendmail.mc", Door::Milter, text);
    instructions
        .check("`F=T` defers mail while Quivive is not there; without it mail passes unchecked");
    instructions.check_way_to(listen, "Sendmail's account");
    instructions.check("sendmail.cf is made again from sendmail.mc, and Sendmail restarted");
    instructions.check("`quivive case list` shows the messages that it asks about");
    Ok(instructions)
}
