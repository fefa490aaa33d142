//! Dovecot's LMTP server, which delivers for every address into a Maildir of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::peer::{self, Peer};

/// Starts an LMTP server that takes mail for everybody.
pub fn start() -> Peer {
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
