use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use hickory_proto::rr::rdata::{NULL, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType as WireType};
use quivive_evidence::{Failure, RecordType};
use quivive_resolver::{LookUp, Zone};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long a negative answer of the server may be kept, in seconds.
const NEGATIVE_TTL: u32 = 60;

/// How many aliases the server puts into one answer.
const ALIASES_MAX: usize = 8;

/// How often a port that is free for TCP is looked for until it is free for UDP too.
const PORTS_TRIED_MAX: usize = 100;

/// A name server on loopback, over UDP and TCP, that serves a [`Zone`] as a recursive one would.
///
/// Failures of the zone go over the wire: SERVFAIL as such, time-outs as silence. Single names can
/// be told to misbehave in other ways. It ends when it is dropped.
pub struct NameServer {
    address: SocketAddr,
    world: Arc<World>,
    release: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

/// How the server treats questions for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// No answer at all.
    Silent,
    /// The question's id and then octets that are no message.
    Garbage,
    /// A good answer to another id.
    WrongId,
    /// A good answer to another id, then the true one.
    ForgedFirst,
    /// A good answer, but to a question for another name.
    WrongQuestion,
    /// An answer with this code and nothing else.
    Code(u16),
    /// An answer with this code to questions with EDNS; others are answered well.
    CodeToEdns(u16),
    /// Truncated over UDP, whatever its size.
    Truncated,
    /// Truncated over UDP; over TCP the connection is closed without an answer.
    TruncatedThenClosed,
    /// The alias alone, without the records it leads to.
    AliasAlone,
    /// The AD bit is set.
    Authenticated,
    /// No answer until [`NameServer::release`].
    Held,
    /// A referral, as a server gives that does not ask others.
    Referral,
}

struct World {
    zone: Zone,
    manners: Mutex<HashMap<Vec<u8>, Manner>>,
    asked: Mutex<HashMap<Vec<u8>, Asked>>,
    released: watch::Receiver<bool>,
}

#[derive(Default, Clone, Copy)]
struct Asked {
    udp: usize,
    tcp: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
}

impl NameServer {
    /// Starts a server on a free port.
    ///
    /// # Errors
    /// There is no port to be had.
    pub async fn start(zone: Zone) -> io::Result<Self> {
        let (udp, tcp) = bind().await?;
        let address = tcp.local_addr()?;
        let (release, released) = watch::channel(false);
        let world = World { zone, manners: Mutex::default(), asked: Mutex::default(), released };
        let world = Arc::new(world);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_udp(udp, world.clone()));
        tasks.spawn(serve_tcp(tcp, world.clone()));
        Ok(Self { address, world, release, _tasks: tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells it how to treat questions for a name, of whatever type.
    pub fn treat(&self, name: &str, manner: Manner) {
        lock(&self.world.manners).insert(key_of(name), manner);
    }

    /// Lets the answers go that are held.
    pub fn release(&self) {
        self.release.send_replace(true);
    }

    /// How many questions it received for a name, over UDP and TCP together.
    pub fn questions(&self, name: &str) -> usize {
        let asked = self.asked(name);
        asked.udp + asked.tcp
    }

    /// How many questions it received for a name over TCP.
    pub fn tcp_questions(&self, name: &str) -> usize {
        self.asked(name).tcp
    }

    /// How many questions it received in all.
    pub fn questions_in_all(&self) -> usize {
        lock(&self.world.asked).values().map(|asked| asked.udp + asked.tcp).sum()
    }

    fn asked(&self, name: &str) -> Asked {
        lock(&self.world.asked).get(&key_of(name)).copied().unwrap_or_default()
    }
}

impl World {
    /// The octets to send back, if any.
    async fn replies(&self, octets: &[u8], transport: Transport) -> Vec<Vec<u8>> {
        let Ok(request) = Message::from_vec(octets) else { return Vec::new() };
        let [query] = &request.queries[..] else { return Vec::new() };
        let key = key(&query.name);
        let manner = lock(&self.manners).get(&key).copied();
        self.count(key, transport);
        match manner {
            Some(Manner::Silent) => return Vec::new(),
            Some(Manner::Garbage) => return vec![[&octets[..2], b"\x81\x80garbage"].concat()],
            Some(Manner::TruncatedThenClosed) if transport == Transport::Tcp => return Vec::new(),
            Some(Manner::Held) => {
                let mut released = self.released.clone();
                if released.wait_for(|released| *released).await.is_err() {
                    return Vec::new();
                }
            }
            _ => {}
        }
        let Some(reply) = self.reply(&request, query, manner) else { return Vec::new() };
        let reply = in_manner(reply, manner);
        let reply = encode(&reply, &request, transport, manner);
        let mut forged = reply.clone();
        forged[1] ^= 1;
        match manner {
            Some(Manner::WrongId) => vec![forged],
            Some(Manner::ForgedFirst) => vec![forged, reply],
            _ => vec![reply],
        }
    }

    fn count(&self, key: Vec<u8>, transport: Transport) {
        let mut asked = lock(&self.asked);
        let asked = asked.entry(key).or_default();
        match transport {
            Transport::Udp => asked.udp += 1,
            Transport::Tcp => asked.tcp += 1,
        }
    }

    /// What a recursive server says, or nothing where the zone times out.
    fn reply(&self, request: &Message, query: &Query, manner: Option<Manner>) -> Option<Message> {
        let mut reply = Message::response(request.id, request.op_code);
        reply.metadata.recursion_desired = request.recursion_desired;
        reply.metadata.recursion_available = true;
        reply.add_query(query.clone());
        if let Some(asked) = &request.edns {
            let mut edns = Edns::new();
            edns.set_max_payload(asked.max_payload());
            reply.edns = Some(edns);
        }
        let record_type = RecordType::from_number(query.query_type.into());
        let mut name = query.name.clone();
        for _ in 0..ALIASES_MAX {
            match self.zone.look_up(&key(&name), record_type) {
                LookUp::Records { ttl, rdata } => {
                    for rdata in rdata {
                        reply.add_answer(record(&name, ttl, query.query_type, rdata));
                    }
                    return Some(reply);
                }
                LookUp::Alias { ttl, target } => {
                    reply.add_answer(record(&name, ttl, WireType::CNAME, target));
                    name = wire_name(target);
                    if manner == Some(Manner::AliasAlone) {
                        return Some(reply);
                    }
                }
                LookUp::NoData => return Some(negative(reply, ResponseCode::NoError)),
                LookUp::NoName => return Some(negative(reply, ResponseCode::NXDomain)),
                LookUp::Failing(Failure::Timeout) => return None,
                LookUp::Failing(failure) => {
                    reply.metadata.response_code = match failure {
                        Failure::ServerFailure => ResponseCode::ServFail,
                        _ => ResponseCode::Refused,
                    };
                    return Some(reply);
                }
            }
        }
        Some(reply)
    }
}

/// The reply as this manner has it.
fn in_manner(mut reply: Message, manner: Option<Manner>) -> Message {
    match manner {
        Some(Manner::WrongQuestion) => reply.queries[0].name = wire_name(b"\x05other\0"),
        Some(Manner::Authenticated) => reply.metadata.authentic_data = true,
        Some(Manner::Code(code)) => {
            reply.answers.clear();
            reply.authorities.clear();
            reply.metadata.response_code = ResponseCode::from_low(code as u8);
        }
        Some(Manner::CodeToEdns(code)) if reply.edns.is_some() => {
            reply.edns = None;
            return in_manner(reply, Some(Manner::Code(code)));
        }
        Some(Manner::Referral) => {
            reply.answers.clear();
            reply.authorities.clear();
            reply.metadata.recursion_available = false;
            reply.metadata.response_code = ResponseCode::NoError;
            reply.add_authority(record(&Name::root(), 60, WireType::NS, b"\x02ns\0"));
        }
        _ => {}
    }
    reply
}

/// The reply's octets, cut down to its head where it is too long for UDP.
fn encode(
    reply: &Message,
    request: &Message,
    transport: Transport,
    manner: Option<Manner>,
) -> Vec<u8> {
    let octets = reply.to_vec().expect("the zone's records fit a message");
    let truncated = match manner {
        Some(Manner::Truncated | Manner::TruncatedThenClosed) => true,
        _ => octets.len() > usize::from(request.max_payload()),
    };
    if transport == Transport::Tcp || !truncated {
        return octets;
    }
    let mut head = reply.clone();
    head.answers.clear();
    head.authorities.clear();
    head.metadata.truncation = true;
    head.to_vec().expect("a message without records fits")
}

async fn bind() -> io::Result<(UdpSocket, TcpListener)> {
    let mut tried = 0;
    loop {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) if tried == PORTS_TRIED_MAX => return Err(error),
            Err(_) => tried += 1,
        }
    }
}

async fn serve_udp(socket: UdpSocket, world: Arc<World>) {
    let socket = Arc::new(socket);
    let mut questions = JoinSet::new();
    let mut buffer = [0; 4096];
    while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
        let (socket, world, octets) = (socket.clone(), world.clone(), buffer[..length].to_vec());
        questions.spawn(async move {
            for reply in world.replies(&octets, Transport::Udp).await {
                // The peer may have gone.
                let _ = socket.send_to(&reply, peer).await;
            }
        });
        while questions.try_join_next().is_some() {}
    }
}

async fn serve_tcp(listener: TcpListener, world: Arc<World>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let world = world.clone();
        connections.spawn(async move {
            // The peer may end the connection when it likes.
            let _ = serve_connection(stream, &world).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn serve_connection(mut stream: TcpStream, world: &World) -> io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut octets = vec![0; length.into()];
        stream.read_exact(&mut octets).await?;
        let replies = world.replies(&octets, Transport::Tcp).await;
        if replies.is_empty() {
            return Ok(());
        }
        for reply in replies {
            let length = u16::try_from(reply.len()).map_err(io::Error::other)?;
            stream.write_all(&[&length.to_be_bytes()[..], &reply].concat()).await?;
        }
    }
}

/// RDATA goes out as the zone has it, names uncompressed.
fn record(name: &Name, ttl: u32, record_type: WireType, rdata: &[u8]) -> Record {
    let data = RData::Unknown { code: record_type, rdata: NULL::with(rdata.to_vec()) };
    Record::from_rdata(name.clone(), ttl, data)
}

fn negative(mut reply: Message, code: ResponseCode) -> Message {
    reply.metadata.response_code = code;
    let soa = SOA::new(Name::root(), Name::root(), 1, 3600, 600, 86_400, NEGATIVE_TTL);
    reply.add_authority(Record::from_rdata(Name::root(), NEGATIVE_TTL, RData::SOA(soa)));
    reply
}

/// A name as a zone looks it up.
fn key(name: &Name) -> Vec<u8> {
    let mut key = Vec::new();
    for label in name.iter() {
        key.push(label.len() as u8);
        key.extend_from_slice(&label.to_ascii_lowercase());
    }
    key.push(0);
    key
}

fn key_of(name: &str) -> Vec<u8> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let labels = name.split('.').filter(|label| !label.is_empty()).map(str::as_bytes);
    key(&Name::from_labels(labels).expect("a test names a domain name"))
}

fn wire_name(octets: &[u8]) -> Name {
    let mut labels = Vec::new();
    let mut rest = octets;
    while let Some((&length, after)) = rest.split_first().filter(|(length, _)| **length > 0) {
        let (label, after) = after.split_at(length.into());
        labels.push(label);
        rest = after;
    }
    Name::from_labels(labels).expect("the zone's names are names")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
