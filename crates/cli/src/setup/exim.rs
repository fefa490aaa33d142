use quivive_config::{Address, Config, Door};

use super::{Instructions, escaped, listeners, nothing_to_ask, reached};
use crate::error::Error;

const MACROS: &str = r"QUIVIVE_SOCKET = {socket}
QUIVIVE_ABSENT = action=DEFER_IF_PERMIT 4.3.5 The sender could not be checked; \
  please try again later
QUIVIVE_MESSAGE = request=smtpd_access_policy\nclient_address=$sender_host_address\n\
  helo_name=$sender_helo_name\nsender=$sender_address\nsasl_username=$authenticated_id\n\
  instance=$acl_m_quivive\n
";

const AT_RCPT: &str = r"  warn
    condition = ${if !def:acl_m_quivive}
    set acl_m_quivive = $pid.$tod_epoch_l
  warn
    set acl_m_answer = ${readsocket{QUIVIVE_SOCKET}{QUIVIVE_MESSAGE\
      protocol_state=RCPT\nrecipient=$local_part@$domain\nheader_base64=\n\n}\
      {30s}{ }{QUIVIVE_ABSENT}}
  deny
    condition = ${if match{$acl_m_answer}{\N^action=5\N}}
    message = ${sg{$acl_m_answer}{\N^action=|\s+$\N}{}}
  defer
    condition = ${if match{$acl_m_answer}{\N^action=DEFER\N}}
    message = 451 ${sg{$acl_m_answer}{\N^action=DEFER_IF_PERMIT |\s+$\N}{}}
";

const AT_DATA: &str = r"  warn
    condition = ${if match{$h_Authentication-Results:}{\N(?i){name}|[(\\]\N}}
    remove_header = Authentication-Results
  warn
    remove_header = Received-SPF
  warn
    set acl_m_answer = ${if !def:acl_m_quivive{action=DUNNO}{\
      ${readsocket{QUIVIVE_SOCKET}{QUIVIVE_MESSAGE\
      protocol_state=DATA\nheader_base64=${base64:${substr{0}{65536}{$message_headers_raw}}}\n\n}\
      {30s}{ }{QUIVIVE_ABSENT}}}}
  deny
    condition = ${if match{$acl_m_answer}{\N^action=5\N}}
    message = ${sg{$acl_m_answer}{\N^action=|\s+$\N}{}}
  defer
    condition = ${if match{$acl_m_answer}{\N^action=DEFER\N}}
    message = 451 ${sg{$acl_m_answer}{\N^action=DEFER_IF_PERMIT |\s+$\N}{}}
  warn
    condition = ${if match{$acl_m_answer}{\N^action=PREPEND \N}}
    add_header = :at_start:${sg{$acl_m_answer}{\N^action=PREPEND |\s+$\N}{}}
";

pub(super) fn instructions(config: &Config) -> Result<Instructions, Error> {
    let listen = listeners(config, Door::Policy).next();
    let listen = listen.ok_or_else(|| nothing_to_ask("Exim", "policy", 10040))?;
    let socket = match &listen.address {
        Address::Tcp(address) => format!("inet:{}", reached(*address)),
        Address::Unix(path) => path.display().to_string(),
    };
    let mut instructions = Instructions::default();
    let mut part = |place: &str, text: String| instructions.part(place, Door::Policy, text);
    part("exim4.conf, at the top", MACROS.replace("{socket}", &socket));
    part(
        "exim4.conf, in the ACL of acl_smtp_rcpt, below what accepts your own and what refuses to \
         relay",
        AT_RCPT.to_owned(),
    );
    let name = escaped(config.authserv_id.as_str());
    part("exim4.conf, in the ACL of acl_smtp_data", AT_DATA.replace("{name}", &name));
    if listen.prepend.len() > 1 {
        instructions.check(
            "the listener has `prepend = [\"authentication-results\"]`: at DATA there is room for \
             one field",
        );
    }
    if listen.prepend_prefix.is_some() {
        instructions.check("the listener has no `prepend_prefix`: Exim would not take it away");
    }
    instructions.check("what follows the lines in the ACL of acl_smtp_data need not run for local mail, which they accept");
    instructions.check_way_to(listen, "Exim's account");
    instructions.check("`exim4 -bV` reads the configuration without a complaint; then reload it");
    instructions.check("`quivive case list` shows the messages that it asks about");
    Ok(instructions)
}
