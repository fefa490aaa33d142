//! What goes on to a Postfix: the message, and who submitted it (RFC 4954 section 5).

use quivive_e2e::submission::{OWN, Submission};
use quivive_e2e::{client, dovecot, milter, postfix, wait};

#[test]
fn the_page_from_nothing_into_a_postfix_that_is_told_who_submitted() {
    let dovecot = dovecot::start_authentication();
    let next = postfix::start_with(&format!(
        "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = {}\n\
         mynetworks = 127.0.0.0/8\n",
        milter::inet(dovecot.address)
    ));
    let site = Submission::start_with(&format!("smtp:{}", next.address), |configuration, _| {
        configuration.replace("[binding]\n", "[binding]\nlogin_domain = \"example.org\"\n")
    });
    let login = ["--tls", "--auth-user", "alice", "--auth-password", "sesame"];
    let envelope = ["--from", "alice+box@example.org", "--to", "somebody@example.test"];
    let sent = client::swaks(site.by_starttls(), &[&login[..], &envelope].concat());
    let said = String::from_utf8_lossy(&sent.stdout).into_owned();
    assert!(sent.status.success(), "{said}");
    let arrived = || Some(quivive_e2e::maildir::messages(&postfix::maildir(&next)));
    let messages = wait::until("mail", || arrived().filter(|messages| !messages.is_empty()));
    assert!(messages[0].contains("with ESMTPSA"), "{}", messages[0]);
    assert!(messages[0].contains("smtp.auth=alice"), "{}", messages[0]);
    wait::until("the submitter in Postfix's log", || {
        next.log().contains("sasl_sender=alice@example.org").then_some(())
    });
    // What a user states of others is not believed, but has to be well formed.
    let mut client = site.log_in("alice");
    client.say("MAIL FROM:<alice@example.org> AUTH=a+b@example.org", "501 5.5.4");
    client.say("MAIL FROM:<alice@example.org> AUTH=boss+40example.org", "250");
    client.say("RCPT TO:<somebody@example.test>", "250");
    client.say("DATA", "354");
    client.say(&format!("{OWN}\r\n."), "250");
    assert!(!next.log().contains("sasl_sender=boss"), "{}", next.log());
}
