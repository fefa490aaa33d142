use quivive_config::{
    Address, Config, Door, FieldPrefix, Listen, Map, MilterSrs, NextHop, Prepend,
};

use super::{Instructions, escaped, listeners, nothing_to_ask, reached};
use crate::error::Error;

const MAIN: &str = "/etc/postfix/main.cf";
const MASTER: &str = "/etc/postfix/master.cf";
const RULES: &str = "/etc/postfix/quivive.header_checks";

pub(super) fn instructions(config: &Config) -> Result<Instructions, Error> {
    let mut instructions = Instructions::default();
    // A mail server asks one service of a kind.
    if let Some(listen) = listeners(config, Door::Policy).next() {
        policy(config, listen, &mut instructions)?;
    }
    let mut milters = listeners(config, Door::Milter);
    if let Some(listen) = milters.clone().find(|listen| listen.srs != MilterSrs::Alone) {
        milter(listen, &mut instructions);
    }
    if let Some(listen) = milters.find(|listen| listen.srs == MilterSrs::Alone) {
        rewriting_milter(config, listen, &mut instructions);
    }
    maps(config, &mut instructions);
    for listen in listeners(config, Door::Gateway) {
        behind_gateway(listen, &mut instructions);
    }
    if instructions.parts.is_empty() {
        return Err(nothing_to_ask("Postfix", "policy", 10040));
    }
    instructions.check("`postfix check` says nothing; then `postfix reload`");
    instructions.check("`quivive case list` shows the messages that it asks about");
    Ok(instructions)
}

fn policy(config: &Config, listen: &Listen, instructions: &mut Instructions) -> Result<(), Error> {
    let service = place(&listen.address);
    let mut main = format!(
        "smtpd_recipient_restrictions =\n    permit_mynetworks\n    permit_sasl_authenticated\n    \
         reject_unauth_destination\n    check_policy_service {service}\n"
    );
    if listen.prepend_prefix.is_some() {
        main += &format!("header_checks = regexp:{RULES}\n");
    }
    instructions.part(MAIN, Door::Policy, main);
    if listen.prepend.contains(&Prepend::ReceivedSpf) {
        let text = format!(
            "smtpd_data_restrictions =\n    permit_mynetworks\n    permit_sasl_authenticated\n    \
             check_policy_service {service}\n"
        );
        instructions.part(format!("{MAIN}, for the second field"), Door::Policy, text);
    }
    let name = config.authserv_id.as_str();
    match &listen.prepend_prefix {
        Some(prefix) => instructions.part(RULES, Door::Policy, rules(name, prefix)),
        None if listen.prepend.is_empty() => {}
        None => {
            let mut random = [0; 6];
            getrandom::fill(&mut random)?;
            let word: String = random.iter().map(|octet| format!("{octet:02x}")).collect();
            instructions.check(format!(
                "results that come with a message and claim to be of {name} are removed: write \
                 `prepend_prefix = \"X-Quivive-{word}-\"` into the listener, and ask again"
            ));
        }
    }
    instructions.check(
        "your own rules are in the list, in their places: nothing that permits strangers stands \
         above `check_policy_service`, and `reject_unauth_destination` does",
    );
    instructions.check_way_to(listen, "Postfix's group");
    Ok(())
}

fn rules(name: &str, prefix: &FieldPrefix) -> String {
    let (name, prefix) = (escaped(name), prefix.as_str());
    format!(
        "/^Authentication-Results[[:space:]]*:[^;]*([(\\\\]|{name})/  IGNORE\n\
         /^Received-SPF[[:space:]]*:/  IGNORE\n\
         /^{prefix}([[:alpha:]-]+: .*)/  REPLACE $1\n"
    )
}

fn milter(listen: &Listen, instructions: &mut Instructions) {
    let service = place(&listen.address);
    let text = format!("smtpd_milters = {service}\nmilter_default_action = tempfail\n");
    instructions.part(MAIN, Door::Milter, text);
    instructions.check_way_to(listen, "Postfix's group");
}

/// Bounces that Postfix writes itself are for addresses that we rewrote.
fn rewriting_milter(config: &Config, listen: &Listen, instructions: &mut Instructions) {
    let service = place(&listen.address);
    let domains = config.srs.domain.iter().chain(&config.srs.former_domains);
    let domains: Vec<String> = domains.map(ToString::to_string).collect();
    let text = format!(
        "relay_domains = {}\nnon_smtpd_milters = {service}\n\
         internal_mail_filter_classes = bounce\n",
        domains.join(", ")
    );
    instructions.part(MAIN, Door::Milter, text);
    instructions.check(
        "`relay_domains` has your own, too; and mail comes to the milter that rewrites by one of \
         the two ways of docs/srs.md: with the alias table, or a second time",
    );
    instructions.check_way_to(listen, "Postfix's group");
}

fn maps(config: &Config, instructions: &mut Instructions) {
    let mut lines = [None, None];
    let mut door = Door::Socketmap;
    for (line, map) in lines.iter_mut().zip([Map::Forward, Map::Reverse]) {
        let of_map = |listen: &&Listen| listen.map == Some(map);
        if let Some(listen) = listeners(config, Door::Socketmap).next() {
            *line = Some(format!("socketmap:{}:{}", place(&listen.address), map.word()));
            instructions.check_way_to(listen, "Postfix's group");
        } else if let Some(listen) = listeners(config, Door::TcpTable).find(of_map) {
            door = Door::TcpTable;
            *line = place(&listen.address).strip_prefix("inet:").map(|to| format!("tcp:{to}"));
            instructions.check_way_to(listen, "Postfix's group");
        }
    }
    let [forward, reverse] = lines;
    let forward = forward.map(|map| {
        format!("sender_canonical_maps = {map}\nsender_canonical_classes = envelope_sender\n")
    });
    let reverse = reverse.map(|map| {
        format!(
            "recipient_canonical_maps = {map}\n\
             recipient_canonical_classes = envelope_recipient, header_recipient\n"
        )
    });
    let text: String = forward.into_iter().chain(reverse).collect();
    if !text.is_empty() {
        instructions.part(MAIN, door, text);
    }
}

/// Where a gateway hands its mail to a Postfix of this host.
fn behind_gateway(listen: &Listen, instructions: &mut Instructions) {
    let Some(NextHop::Smtp { host, port }) = &listen.next_hop else { return };
    let host = match host.parse::<std::net::IpAddr>() {
        Ok(address) if address.is_loopback() => std::net::SocketAddr::new(address, *port),
        _ => return,
    };
    let xclient = match listen.xclient_to_next_hop {
        true => format!("    -o smtpd_authorized_xclient_hosts={}\n", host.ip()),
        false => String::new(),
    };
    let text = format!(
        "{host} inet n - y - - smtpd\n{xclient}    -o mynetworks=\n    \
         -o smtpd_relay_restrictions=reject_unauth_destination\n    \
         -o smtpd_client_connection_count_limit=0\n"
    );
    instructions.part(MASTER, Door::Gateway, text);
    instructions.check("Postfix no longer listens where the gateway does");
}

/// As Postfix writes where a service is.
fn place(address: &Address) -> String {
    match address {
        Address::Tcp(address) => format!("inet:{}", reached(*address)),
        Address::Unix(path) => format!("unix:{}", path.display()),
    }
}
