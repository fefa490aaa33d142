//! A Postfix whose users are held to grants, by the milter or the policy service, as the page on
//! submission says. Dovecot has its logins.

use std::fs;

use crate::client::Dialogue;
use crate::dovecot;
use crate::filtered::Filtered;
use crate::peer::Peer;
use crate::quivive::Serve;
use crate::submission::{block, plain};
use crate::trust::Trust;
use crate::{book, milter, submission};

/// The page's lines of `main.cf` for each door.
const BY_MILTER: usize = 0;
const BY_POLICY: usize = 1;

/// Postfix with a door of ours, and Dovecot.
pub struct Bound {
    /// Postfix, Quivive and DNS. It relays for whoever logs in, and for loopback.
    pub world: Filtered,
    /// Knows everybody by [`dovecot::PASSWORD`].
    pub dovecot: Peer,
    _files: Trust,
}

impl Bound {
    /// With the milter, with these grants beside the page's.
    pub fn by_milter(grants: &str) -> Self {
        Self::start(submission::MILTER, grants, |serve| {
            let ours = milter::inet(serve.address("milter"));
            block("main.cf", BY_MILTER).replace("inet:127.0.0.1:8891", &ours)
        })
    }

    /// With the policy service, with these grants beside the page's.
    pub fn by_policy(grants: &str) -> Self {
        Self::start(submission::POLICY, grants, |serve| {
            let ours = milter::inet(serve.address("policy"));
            block("main.cf", BY_POLICY).replace("inet:127.0.0.1:10041", &ours)
        })
    }

    fn start(configuration: usize, grants: &str, main_cf: impl FnOnce(&Serve) -> String) -> Self {
        let dovecot = dovecot::start_authentication();
        let files = Trust::new();
        let page = book::blocks(&book::page("submission.md"), "grants").remove(0);
        fs::write(files.path("grants"), page + grants).expect("the folder is ours");
        let ours = block("toml", configuration)
            .replace("127.0.0.1:8891", "127.0.0.1:0")
            .replace("127.0.0.1:10041", "127.0.0.1:0");
        let ours = submission::in_folder(&ours, &files);
        let resolved = |name_server| format!("{ours}[resolver]\nservers = [\"{name_server}\"]\n");
        let logins = format!(
            "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = {}\n\
             mynetworks = 127.0.0.0/8\nlocal_header_rewrite_clients =\n",
            milter::inet(dovecot.address)
        );
        let world = Filtered::start_as(resolved, |serve| logins + &main_cf(serve));
        Self { world, dovecot, _files: files }
    }

    /// A client that has said EHLO.
    pub fn connect(&self) -> Dialogue {
        let mut client = Dialogue::open(self.world.postfix.address);
        client.say("EHLO laptop.test", "250");
        client
    }

    /// A client that has logged in.
    pub fn log_in(&self, user: &str) -> Dialogue {
        let mut client = self.connect();
        client.say(&plain("", user, dovecot::PASSWORD), "235 2.7.0");
        client
    }
}
