//! Dovecot's LMTP server, which delivers for every address into a Maildir of its own, and its
//! authentication server.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::peer::{self, Peer};

/// What everybody's password is.
pub const PASSWORD: &str = "sesame";

/// Starts an LMTP server that takes mail for everybody.
pub fn start() -> Peer {
    start_with(settings)
}

/// Starts an authentication server, over TCP as Postfix asks it and at [`socket`] as we do, which
/// knows everybody by [`PASSWORD`].
pub fn start_authentication() -> Peer {
    start_with(authentication)
}

/// The UNIX socket of an authentication server.
pub fn socket(dovecot: &Peer) -> PathBuf {
    dovecot.folder().join("auth-client")
}

fn start_with(settings: fn(&Path, SocketAddr) -> String) -> Peer {
    let prepare = |folder: &Path, address: SocketAddr| {
        peer::owned_folder(folder, "mail");
        for name in ["run", "state"] {
            fs::create_dir(folder.join(name)).expect("the folder is new");
        }
        let file = folder.join("dovecot.conf");
        fs::write(&file, settings(folder, address)).expect("the folder is ours");
        let words = ["dovecot", "-F", "-c"].map(str::to_owned);
        words.into_iter().chain([file.display().to_string()]).collect()
    };
    Peer::start("dovecot", prepare, peer::accepts)
}

/// The Maildir of one recipient.
pub fn maildir(dovecot: &Peer, recipient: &str) -> PathBuf {
    dovecot.folder().join("mail").join(recipient)
}

fn authentication(folder: &Path, address: SocketAddr) -> String {
    let (folder, ip, port) = (folder.display(), address.ip(), address.port());
    format!(
        "\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 scram-sha-256
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = allow_all_users=yes
}}
service auth {{
  inet_listener {{
    address = {ip}
    port = {port}
  }}
  unix_listener {folder}/auth-client {{
    mode = 0666
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"
    )
}

fn settings(folder: &Path, address: SocketAddr) -> String {
    let (folder, ip, port) = (folder.display(), address.ip(), address.port());
    let owner = peer::OWNER;
    format!(
        "\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
protocols = lmtp
listen = {ip}
ssl = no
hostname = lmtp.example.test
mail_location = maildir:{folder}/mail/%u
mail_uid = {owner}
mail_gid = {owner}
first_valid_uid = 1
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = allow_all_users=yes
}}
service lmtp {{
  inet_listener lmtp {{
    address = {ip}
    port = {port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"
    )
}
