//! Sendmail, which takes mail for `example.test` from anybody and hands it on.

use std::fs;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

use crate::dovecot::PASSWORD;
use crate::peer::{self, Peer};

/// Gives Sendmail a full name for this host, without which it waits a minute, makes its
/// configuration, and becomes it.
const START: &str = r#"
mount --bind hosts /etc/hosts || exit 97
mount -t tmpfs -o mode=755 quivive /run && mkdir /run/quivive || exit 97
mount --bind run /run/quivive || exit 97
if [ -e run/Sendmail.conf ]; then
    # Believed only where nobody else could write.
    mount -t tmpfs -o mode=755 quivive /usr/lib/sasl2 || exit 97
    cp run/Sendmail.conf /usr/lib/sasl2 || exit 97
fi
m4 sendmail.mc > sendmail.cf || exit 97
exec /usr/libexec/sendmail/sendmail -bD -C "$PWD/sendmail.cf" -X "$PWD/dialogue"
"#;

/// Starts a Sendmail that hands mail on to another server. `lines` of its `sendmail.mc` lead to a
/// filter; it finds this folder as `/run/quivive`.
pub fn start(next_hop: SocketAddr, lines: &str, run: &Path) -> Peer {
    let prepare = |folder: &Path, address: SocketAddr| {
        fs::create_dir(folder.join("queue")).expect("the folder is new");
        symlink(run, folder.join("run")).expect("the folder is new");
        let host = fs::read_to_string("/proc/sys/kernel/hostname").expect("the host has a name");
        let hosts = format!("127.0.0.1 localhost\n127.0.0.2 mail.sender.test {host}\n");
        fs::write(folder.join("hosts"), hosts).expect("the folder is ours");
        fs::write(folder.join("switch"), "hosts files\n").expect("the folder is ours");
        let settings = settings(folder, address, next_hop, lines);
        fs::write(folder.join("sendmail.mc"), settings).expect("the folder is ours");
        let start = format!("cd {} && {START}", folder.display());
        ["sh", "-c", &start].map(str::to_owned).to_vec()
    };
    Peer::start("sendmail", prepare, peer::accepts)
}

/// Lines of `sendmail.mc` by which everybody may log in with [`PASSWORD`], as Cyrus' library asks
/// an authentication server in this folder, which is started.
///
/// # Panics
/// When it cannot be started.
pub fn logins(folder: &Path) -> String {
    let socket = folder.join("mux");
    let listener = UnixListener::bind(&socket).expect("the folder is ours");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever asks and does not wait for an answer needs none.
            let _ = answer(stream);
        }
    });
    let asking = format!(
        "pwcheck_method: saslauthd\nsaslauthd_path: {}\nmech_list: PLAIN\n",
        socket.display()
    );
    fs::write(folder.join("Sendmail.conf"), asking).expect("the folder is ours");
    "define(`confAUTH_MECHANISMS', `PLAIN')dnl\nTRUST_AUTH_MECH(`PLAIN')dnl".to_owned()
}

/// Answers a question of the protocol of saslauthd: user, password, service and realm, each with
/// its length in two octets; so has the answer.
fn answer(mut stream: UnixStream) -> io::Result<()> {
    let mut texts = Vec::new();
    for _ in 0..4 {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut text = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut text)?;
        texts.push(text);
    }
    let word = if texts[1] == PASSWORD.as_bytes() { b"OK" } else { b"NO" };
    stream.write_all(&[&[0, 2][..], word].concat())
}

fn settings(folder: &Path, address: SocketAddr, next_hop: SocketAddr, lines: &str) -> String {
    let folder = folder.display();
    format!(
        "\
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `mail.sender.test')dnl
define(`QUEUE_DIR', `{folder}/queue')dnl
define(`ALIAS_FILE', `')dnl
define(`STATUS_FILE', `')dnl
define(`confPID_FILE', `{folder}/pid')dnl
define(`confSERVICE_SWITCH_FILE', `{folder}/switch')dnl
define(`confTO_IDENT', `0s')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe')dnl
define(`SMART_HOST', `relay:[{next_ip}]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {next_port}')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Name=MTA, Addr={ip}, Port={port}')dnl
DAEMON_OPTIONS(`Name=MTA6, Family=inet6, Addr=::1, Port={port}')dnl
RELAY_DOMAIN(`example.test')dnl
{lines}
MAILER(`smtp')dnl
",
        ip = address.ip(),
        port = address.port(),
        next_ip = next_hop.ip(),
        next_port = next_hop.port(),
    )
}
