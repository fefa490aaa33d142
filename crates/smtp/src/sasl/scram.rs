//! SCRAM-SHA-256 (RFC 5802, RFC 7677), and what a server keeps for it (RFC 5803).

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Claim, Step, plain, prepare};

/// The most iterations of a verifier: a client is made to do them all.
pub const ITERATIONS_MAX: u32 = 10_000_000;

/// Octets of a verifier's salt.
pub const SALT_OCTETS_MAX: usize = 256;

/// Octets of a client's part of the nonce.
const NONCE_OCTETS_MAX: usize = 256;

const SCHEME: &str = "SCRAM-SHA-256";

type Key = [u8; 32];

/// What a server keeps of a password (RFC 5803): it cannot be used to log in elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    iterations: u32,
    salt: Vec<u8>,
    stored_key: Key,
    server_key: Key,
}

/// A text that is no verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no verifier `SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY` (RFC 5803)")]
pub struct VerifierError;

impl Verifier {
    /// The verifier of a password that was [prepared](prepare).
    pub fn of_password(password: &str, salt: &[u8], iterations: u32) -> Self {
        let mut salted = Key::default();
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, iterations, &mut salted);
        let client_key = hmac(&salted, b"Client Key");
        Self {
            iterations,
            salt: salt.to_vec(),
            stored_key: Sha256::digest(client_key).into(),
            server_key: hmac(&salted, b"Server Key"),
        }
    }

    /// The verifier of a user whom nobody knows. It has a salt, always the same for the same name
    /// and secret, and no password: whoever asks for names learns nothing, as long as those whom
    /// somebody knows have as many iterations.
    pub fn decoy(secret: &[u8], user: &str, iterations: u32) -> Self {
        let part = |label: &[u8]| hmac(secret, &[label, user.as_bytes()].concat());
        Self {
            iterations,
            salt: part(b"salt")[..16].to_vec(),
            stored_key: part(b"stored"),
            server_key: part(b"server"),
        }
    }

    /// How many iterations a client has to do.
    pub fn iterations(&self) -> u32 {
        self.iterations
    }
}

/// `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`, the last three in base64.
impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [salt, stored, server] = [&self.salt[..], &self.stored_key, &self.server_key]
            .map(|octets| BASE64.encode(octets));
        write!(f, "{SCHEME}${}:{salt}${stored}:{server}", self.iterations)
    }
}

impl FromStr for Verifier {
    type Err = VerifierError;

    fn from_str(text: &str) -> Result<Self, VerifierError> {
        read_verifier(text).ok_or(VerifierError)
    }
}

fn read_verifier(text: &str) -> Option<Verifier> {
    let [scheme, parameters, keys] = text.split('$').collect::<Vec<_>>()[..] else { return None };
    let (iterations, salt) = parameters.split_once(':')?;
    let (stored_key, server_key) = keys.split_once(':')?;
    let decode = |text: &str| BASE64.decode(text.as_bytes()).ok();
    let key = |text| decode(text).and_then(|octets| Key::try_from(octets).ok());
    let digits = iterations.bytes().all(|octet| octet.is_ascii_digit());
    let iterations = iterations.parse().ok().filter(|_| digits)?;
    let fits = scheme.eq_ignore_ascii_case(SCHEME) && (1..=ITERATIONS_MAX).contains(&iterations);
    let salt = decode(salt).filter(|salt| matches!(salt.len(), 1..=SALT_OCTETS_MAX))?;
    fits.then_some(())?;
    Some(Verifier { iterations, salt, stored_key: key(stored_key)?, server_key: key(server_key)? })
}

/// Shows nothing: whoever has it can try passwords.
impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}

/// The server's side of an exchange.
#[derive(Debug)]
pub(super) struct Scram {
    nonce: String,
    state: State,
}

#[derive(Debug)]
enum State {
    Begin,
    /// The client has named itself.
    Named(First),
    /// It was told salt and nonce; the server's message is here.
    Salted(First, String, Verifier),
    /// It has proven itself, and was told the server's own proof.
    Proven(Claim),
}

/// The client's first message.
#[derive(Debug, Clone)]
struct First {
    claim: Claim,
    /// What of it counts for channel binding.
    gs2_header: String,
    bare: String,
    nonce: String,
}

impl Scram {
    pub(super) fn new(nonce: &str) -> Self {
        Self { nonce: nonce.to_owned(), state: State::Begin }
    }

    pub(super) fn respond(&mut self, response: Option<&[u8]>) -> Step {
        match std::mem::replace(&mut self.state, State::Begin) {
            State::Begin => match response {
                None => Step::Challenge(Vec::new()),
                Some(message) => match First::read(message) {
                    Ok(first) => {
                        let user = first.claim.user.clone();
                        self.state = State::Named(first);
                        Step::Verifier(user)
                    }
                    Err(step) => step,
                },
            },
            State::Named(_) => Step::Malformed,
            State::Salted(first, server_first, verifier) => {
                let message = response.unwrap_or_default();
                match verify(message, &first, &server_first, &verifier) {
                    Ok(signature) => {
                        self.state = State::Proven(first.claim);
                        Step::Challenge(format!("v={}", BASE64.encode(&signature)).into_bytes())
                    }
                    Err(step) => step,
                }
            }
            State::Proven(claim) => match response {
                Some(b"") => Step::Proven(claim),
                _ => Step::Malformed,
            },
        }
    }

    pub(super) fn verify_with(&mut self, verifier: Verifier) -> Step {
        let State::Named(first) = std::mem::replace(&mut self.state, State::Begin) else {
            return Step::Malformed;
        };
        let salt = BASE64.encode(&verifier.salt);
        let nonce = [&*first.nonce, &*self.nonce].concat();
        let server_first = format!("r={nonce},s={salt},i={}", verifier.iterations);
        let first = First { nonce, ..first };
        self.state = State::Salted(first, server_first.clone(), verifier);
        Step::Challenge(server_first.into_bytes())
    }
}

impl First {
    /// `gs2-cbind-flag "," [ "a=" authzid ] "," "n=" user "," "r=" nonce [ "," extensions ]` (RFC
    /// 5802 section 7).
    fn read(message: &[u8]) -> Result<Self, Step> {
        let text = std::str::from_utf8(message).map_err(|_| Step::Malformed)?;
        let mut parts = text.splitn(3, ',');
        let (flag, authzid) = (parts.next(), parts.next());
        let bare = parts.next().ok_or(Step::Malformed)?;
        // "y": the client could bind channels and believes that we cannot, which is so.
        match flag {
            Some("n" | "y") => {}
            Some(flag) if flag.starts_with("p=") => return Err(Step::Refused),
            _ => return Err(Step::Malformed),
        }
        let gs2_header = text[..text.len() - bare.len()].to_owned();
        let mut attributes = bare.split(',');
        let name = attributes.next().and_then(|attribute| attribute.strip_prefix("n="));
        let user = name.and_then(saslname).ok_or(Step::Malformed)?;
        let nonce = attributes.next().and_then(|attribute| attribute.strip_prefix("r="));
        let nonce = nonce.filter(|nonce| is_nonce(nonce)).ok_or(Step::Malformed)?.to_owned();
        let acts_as = match authzid {
            Some("") | None => None,
            Some(authzid) => {
                let name = authzid.strip_prefix("a=").and_then(saslname).ok_or(Step::Malformed)?;
                plain::other(name.as_bytes(), &user).ok_or(Step::Malformed)?
            }
        };
        let claim = Claim { user, acts_as };
        Ok(Self { claim, gs2_header, bare: bare.to_owned(), nonce })
    }
}

/// The server's signature, if the client's final message proves that it knows the password.
fn verify(
    message: &[u8],
    first: &First,
    server_first: &str,
    verifier: &Verifier,
) -> Result<Key, Step> {
    let text = std::str::from_utf8(message).map_err(|_| Step::Malformed)?;
    let (without_proof, proof) = text.rsplit_once(",p=").ok_or(Step::Malformed)?;
    let mut attributes = without_proof.split(',');
    let binding = attributes.next().and_then(|attribute| attribute.strip_prefix("c="));
    let binding = binding.ok_or(Step::Malformed)?;
    let nonce = attributes.next().and_then(|attribute| attribute.strip_prefix("r="));
    let nonce = nonce.ok_or(Step::Malformed)?;
    let proof = BASE64.decode(proof.as_bytes()).ok().and_then(|proof| Key::try_from(proof).ok());
    let proof = proof.ok_or(Step::Malformed)?;
    if binding != BASE64.encode(first.gs2_header.as_bytes()) || nonce != first.nonce {
        return Err(Step::Refused);
    }
    let message = [&*first.bare, server_first, without_proof].join(",");
    let mut client_key = hmac(&verifier.stored_key, message.as_bytes());
    client_key.iter_mut().zip(proof).for_each(|(octet, proven)| *octet ^= proven);
    let seen: Key = Sha256::digest(client_key).into();
    match seen.ct_eq(&verifier.stored_key).into() {
        true => Ok(hmac(&verifier.server_key, message.as_bytes())),
        false => Err(Step::Refused),
    }
}

/// `saslname` of RFC 5802 section 7: `=2C` is a comma and `=3D` an equals sign.
fn saslname(text: &str) -> Option<String> {
    let mut parts = text.split('=');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let rest = part.strip_prefix("2C").map(|rest| (',', rest));
        let (c, rest) = rest.or_else(|| part.strip_prefix("3D").map(|rest| ('=', rest)))?;
        name.push(c);
        name.push_str(rest);
    }
    prepare(name.as_bytes())
}

fn is_nonce(nonce: &str) -> bool {
    matches!(nonce.len(), 1..=NONCE_OCTETS_MAX)
        && nonce.bytes().all(|octet| octet.is_ascii_graphic() && octet != b',')
}

fn hmac(key: &[u8], message: &[u8]) -> Key {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}
