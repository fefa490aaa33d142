//! The real servers and clients that tests meet, as Debian packages unpacked into
//! `target/peers/NAME`: mail servers conflict with each other, and none is to be installed.
//!
//! `quivive-e2e` runs them in a mount namespace with `NAME/usr` and `NAME/etc` laid over the
//! machine's own, so that compiled-in paths hold.

use std::fs;
use std::path::Path;

use crate::program::{is_root, program, run};
use crate::{Result, apt, root};

struct Peer {
    name: &'static str,
    packages: &'static [&'static str],
    /// A file below `/` without which the peer is of no use.
    proof: &'static str,
    /// Accounts that its packages would have made, also groups of the same name.
    accounts: &'static [&'static str],
}

const PEERS: &[Peer] = &[
    Peer { name: "nsd", packages: &["nsd"], proof: "usr/sbin/nsd", accounts: &[] },
    Peer {
        name: "unbound",
        packages: &["unbound", "ldnsutils"],
        proof: "usr/sbin/unbound",
        accounts: &["unbound"],
    },
    Peer {
        name: "postfix",
        packages: &["postfix"],
        proof: "usr/sbin/smtp-source",
        accounts: &["postfix", "postdrop"],
    },
    Peer {
        name: "policyd-spf",
        packages: &["postfix", "postfix-policyd-spf-python"],
        proof: "usr/bin/policyd-spf",
        accounts: &["postfix", "postdrop"],
    },
    Peer { name: "rspamd", packages: &["rspamd"], proof: "usr/bin/rspamd", accounts: &["_rspamd"] },
    Peer {
        name: "sendmail",
        packages: &["sendmail-bin", "sendmail-cf", "m4", "libsasl2-modules"],
        proof: "usr/libexec/sendmail/sendmail",
        accounts: &["smmta", "smmsp"],
    },
    Peer {
        name: "mail-spf",
        packages: &["libmail-spf-perl", "libnet-dns-resolver-programmable-perl"],
        proof: "usr/share/perl5/Mail/SPF.pm",
        accounts: &[],
    },
    Peer {
        name: "libspf2",
        packages: &["libspf2-2"],
        proof: "usr/lib/libspf2.so.2",
        accounts: &[],
    },
    Peer {
        name: "swaks",
        packages: &["swaks", "libnet-ssleay-perl"],
        proof: "usr/bin/swaks",
        accounts: &[],
    },
    Peer { name: "msmtp", packages: &["msmtp"], proof: "usr/bin/msmtp", accounts: &[] },
    Peer {
        name: "dovecot",
        packages: &["dovecot-lmtpd"],
        proof: "usr/lib/dovecot/lmtp",
        accounts: &["dovecot", "dovenull"],
    },
    Peer { name: "curl", packages: &["curl", "jq"], proof: "usr/bin/jq", accounts: &[] },
    Peer { name: "postsrsd", packages: &["postsrsd"], proof: "usr/sbin/postsrsd", accounts: &[] },
    Peer {
        name: "mail-srs",
        packages: &["libmail-srs-perl"],
        proof: "usr/share/perl5/Mail/SRS.pm",
        accounts: &[],
    },
    Peer {
        name: "exim",
        packages: &["exim4-daemon-heavy"],
        proof: "usr/sbin/exim4",
        accounts: &["Debian-exim"],
    },
    Peer {
        name: "opensmtpd",
        packages: &["opensmtpd"],
        proof: "usr/sbin/smtpd",
        accounts: &["opensmtpd", "opensmtpq"],
    },
    Peer {
        name: "chromium",
        packages: &["chromium", "chromium-driver"],
        proof: "usr/bin/chromedriver",
        accounts: &[],
    },
    Peer {
        name: "prometheus",
        packages: &["prometheus"],
        proof: "usr/bin/promtool",
        accounts: &[],
    },
];

/// The file in a peer's folder that names the packages it was unpacked from.
const PACKAGES: &str = "packages";

/// The first user and group number given to a peer's accounts.
const FIRST_ACCOUNT: u32 = 61_000;

/// Every peer is in its folder.
///
/// # Errors
/// Without root: unpacking could be done, running in a mount namespace could not.
pub(crate) fn unpack() -> Result {
    let folder = root().join("target/peers");
    let missing: Vec<&Peer> = PEERS.iter().filter(|peer| !peer.is_unpacked(&folder)).collect();
    if !is_root() {
        let mut names: Vec<&str> = missing.iter().flat_map(|peer| peer.packages).copied().collect();
        names.push("root (the peers run in mount namespaces)");
        return Err(format!("missing: {}", names.join(", ")).into());
    }
    let namespaces = ["--mount", "--pid", "--fork", "true"];
    run(&mut program("unshare", &namespaces, root()))
        .map_err(|error| format!("{error}: the peers need namespaces, which are denied here"))?;
    for peer in missing {
        eprintln!("unpacking {}", peer.name);
        peer.unpack(&folder)?;
    }
    Ok(())
}

impl Peer {
    /// Whether its folder is there, and of the packages that are wanted now.
    fn is_unpacked(&self, folder: &Path) -> bool {
        let packages = fs::read_to_string(folder.join(self.name).join(PACKAGES));
        packages.is_ok_and(|packages| packages == self.packages.join(" "))
    }

    fn unpack(&self, folder: &Path) -> Result {
        let work = folder.join(format!(".{}", self.name));
        fs::create_dir_all(&work)?;
        apt::unpack(self.packages, &work)?;
        let tree = work.join("tree");
        for needed in ["usr", "etc"] {
            fs::create_dir_all(tree.join(needed))?;
        }
        if !tree.join(self.proof).exists() && !Path::new("/").join(self.proof).exists() {
            return Err(format!("{:?} bring no {}", self.packages, self.proof).into());
        }
        add_accounts(&tree, self.accounts)?;
        fs::write(tree.join(PACKAGES), self.packages.join(" "))?;
        let unpacked = folder.join(self.name);
        if unpacked.exists() {
            fs::remove_dir_all(&unpacked)?;
        }
        // Renamed last: what is there is whole.
        fs::rename(&tree, unpacked)?;
        fs::remove_dir_all(&work)?;
        Ok(())
    }
}

/// Copies the machine's accounts into the tree and adds those that are not among them.
fn add_accounts(tree: &Path, accounts: &[&str]) -> Result {
    let mut users = fs::read_to_string("/etc/passwd")?;
    let mut groups = fs::read_to_string("/etc/group")?;
    for (account, id) in accounts.iter().zip(FIRST_ACCOUNT..) {
        let known = |lines: &str| lines.lines().any(|line| line.split(':').next() == Some(account));
        if !known(&users) {
            users += &format!("{account}:x:{id}:{id}::/nonexistent:/usr/sbin/nologin\n");
        }
        if !known(&groups) {
            groups += &format!("{account}:x:{id}:\n");
        }
    }
    fs::write(tree.join("etc/passwd"), users)?;
    fs::write(tree.join("etc/group"), groups)?;
    Ok(())
}
