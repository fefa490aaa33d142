use std::net::IpAddr;

/// How much of a `Received` field is read, in octets.
pub const RECEIVED_READ_MAX: usize = 4096;

/// Whom a hop had the message from, as its `Received` field tells (RFC 5321 section 4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedFrom {
    /// What the client said in HELO or EHLO.
    pub helo: String,
    /// The client's address, as the hop saw it; never an IPv4-mapped IPv6 address.
    pub address: IpAddr,
}

impl ReceivedFrom {
    /// Reads the value of a `Received` field. None where it names no client that could be told from
    /// what the client said of itself.
    ///
    /// The forms are those of the common mail servers: Postfix and Sendmail write
    /// `from HELO (NAME [ADDRESS])`, Exim `from NAME ([ADDRESS] helo=HELO)` or
    /// `from [ADDRESS] (helo=HELO)`, qmail `from NAME (HELO HELO) (ADDRESS)`, Exchange
    /// `from HELO (ADDRESS)`. HELO is the client's: it is one word up to the next blank, whatever
    /// stands in it, and no address is read from it unless the hop wrote nothing else.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let value = &value[..value.len().min(RECEIVED_READ_MAX)];
        let text = String::from_utf8_lossy(value);
        let rest = text.trim_start();
        let word = rest.get(..4).filter(|word| word.eq_ignore_ascii_case("from"))?;
        let rest = &rest[word.len()..];
        let rest = Some(rest.trim_start()).filter(|trimmed| trimmed.len() < rest.len())?;
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (named, rest) = rest.split_at(end);
        let comments = comments(rest);
        let mut said = None;
        let mut seen = None;
        for comment in comments.iter().filter(|comment| !is_of_session(comment)) {
            read_comment(comment, &mut said, &mut seen);
        }
        let address = seen.map(|(_, address)| address).or_else(|| literal(named))?;
        Some(Self { helo: said.unwrap_or(named).to_owned(), address: address.to_canonical() })
    }
}

/// The comments directly behind the client's name, up to the first word that is none.
fn comments(text: &str) -> Vec<&str> {
    let mut comments = Vec::new();
    let mut rest = text.trim_start();
    while rest.starts_with('(') {
        let Some(end) = comment_end(rest) else { break };
        comments.push(&rest[1..end]);
        rest = rest[end + 1..].trim_start();
    }
    comments
}

/// Where the comment ends that a text begins with.
fn comment_end(text: &str) -> Option<usize> {
    let (mut depth, mut is_quoted) = (0_usize, false);
    for (at, octet) in text.bytes().enumerate() {
        match octet {
            _ if is_quoted => is_quoted = false,
            b'\\' => is_quoted = true,
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a comment is about encryption or a login: names in it are the client's.
fn is_of_session(comment: &str) -> bool {
    let comment = comment.trim_start().to_ascii_lowercase();
    ["using ", "client cn", "no client cert", "authenticated", "version=", "envelope-"]
        .iter()
        .any(|beginning| comment.starts_with(beginning))
}

/// What a comment says: HELO where it is marked as such, and an address, one in brackets before one
/// without.
fn read_comment<'t>(
    comment: &'t str,
    said: &mut Option<&'t str>,
    seen: &mut Option<(bool, IpAddr)>,
) {
    let mut words = comment.split_whitespace();
    while let Some(word) = words.next() {
        if let Some(helo) = word.strip_prefix("helo=") {
            said.get_or_insert(helo);
        } else if matches!(word, "HELO" | "EHLO") {
            if let Some(helo) = words.next() {
                said.get_or_insert(helo);
            }
        } else if word.contains('=') {
            // `ident=`, and what else a client may have a say in.
        } else if let Some(address) = literal(word) {
            if !matches!(seen, Some((true, _))) {
                *seen = Some((true, address));
            }
        } else if let Ok(address) = word.parse() {
            seen.get_or_insert((false, address));
        }
    }
}

/// `[192.0.2.1]`, `[IPv6:2001:db8::1]`, `[192.0.2.1]:25`
fn literal(word: &str) -> Option<IpAddr> {
    let (inside, after) = word.strip_prefix('[')?.split_once(']')?;
    let is_port = |port: &str| port.bytes().all(|octet| octet.is_ascii_digit());
    if !after.is_empty() && !after.strip_prefix(':').is_some_and(is_port) {
        return None;
    }
    let bare = inside.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:"));
    inside[bare.map_or(0, str::len)..].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(value: &str, expected: &str) {
        let read = ReceivedFrom::parse(value.as_bytes());
        let read = read.map(|read| format!("{} {}", read.helo, read.address));
        assert_eq!(read.as_deref().unwrap_or("nothing"), expected, "{value}");
    }

    #[test]
    fn the_forms_of_mail_servers() {
        read(
            " from mx.a.example (mx.a.example [192.0.2.1])\r\n\tby us (Postfix) with ESMTPS id 1",
            "mx.a.example 192.0.2.1",
        );
        read("from x (unknown [IPv6:2001:db8::1]) by us", "x 2001:db8::1");
        read("from x (may.be [192.0.2.1] (may be forged)) by us", "x 192.0.2.1");
        read("from name.example ([192.0.2.1] helo=x) by us", "x 192.0.2.1");
        read("from name.example ([192.0.2.1]:4711 helo=x) by us", "x 192.0.2.1");
        read("from [192.0.2.1] (helo=x) by us with esmtp (Exim 4.96)", "x 192.0.2.1");
        read("from [192.0.2.1] (port=4711 helo=x) by us", "x 192.0.2.1");
        read("from unknown (HELO x) (192.0.2.1) by us with SMTP", "x 192.0.2.1");
        read("from x (192.0.2.1) by us (10.0.0.1) with Microsoft SMTP Server", "x 192.0.2.1");
        read("from x ([::ffff:192.0.2.1]) by us", "x 192.0.2.1");
        read(
            "from x (x [192.0.2.1])\r\n (using TLSv1.3 with cipher X (256/256 bits))\r\n \
             (Client CN \"[10.0.0.1]\", Issuer \"i\" (verified OK)) by us",
            "x 192.0.2.1",
        );
    }

    #[test]
    fn what_the_client_says_of_itself_is_no_address() {
        read("from [10.0.0.1] (unknown [192.0.2.1]) by us", "[10.0.0.1] 192.0.2.1");
        read("from x(y[10.0.0.1]) (unknown [192.0.2.1]) by us", "x(y[10.0.0.1]) 192.0.2.1");
        read("from [192.0.2.1] (helo=[10.0.0.1]) by us", "[10.0.0.1] 192.0.2.1");
        read("from n.example ([192.0.2.1] helo=[10.0.0.1]) by us", "[10.0.0.1] 192.0.2.1");
        read("from unknown (HELO 10.0.0.1) (192.0.2.1) by us", "10.0.0.1 192.0.2.1");
        read("from x ([192.0.2.1] ident=[10.0.0.1]) by us", "x 192.0.2.1");
    }

    #[test]
    fn what_names_no_client() {
        for value in [
            "",
            "by us with local id 1",
            "from x by us ([192.0.2.1])",
            "from x (unknown) by us",
            "from x (unknown [192.0.2) by us",
            "from x (unclosed [192.0.2.1] by us",
            "fromx ([192.0.2.1])",
            "from",
            "from x (y [192.0.2.300])",
        ] {
            read(value, "nothing");
        }
    }

    #[test]
    fn little_of_a_field_is_read() {
        let long = format!("from x {}(y [192.0.2.1])", " ".repeat(RECEIVED_READ_MAX));
        read(&long, "nothing");
    }
}
