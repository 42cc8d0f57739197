//! A client for the status API of a running fleet: plain HTTP/1.1 to an address of this machine.
//!
//! Every call ends: in an answer, or in an error within [`PATIENCE`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{AdminTokenError, Config};
use crate::secret::Secret;

/// How long a connection to a port of this machine may take.
const CONNECT: Duration = Duration::from_secs(3);
/// How long a whole call may take; a reload compiles and tries scripts before it answers.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest head and body that are read.
const LONGEST_HEAD: usize = 64 * 1024;
const LONGEST_BODY: usize = 64 * 1024 * 1024;

/// Why a call brought no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum RemoteError {
    /// Nobody listens there.
    #[error("no fleet answers at {address}")]
    NoFleet {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    /// The config lets the fleet choose its port.
    #[error("the fleet's address is not known: http.listen has port 0")]
    AnyPort,
    /// The connection broke.
    #[error("the connection to {address} broke")]
    Broken {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    /// It took too long.
    #[error("{address} did not answer within {} seconds", PATIENCE.as_secs())]
    Slow { address: SocketAddr },
    /// Something other than a fleet is there.
    #[error("{address} does not answer as a fleet does: {what}")]
    NotAFleet { address: SocketAddr, what: &'static str },
    /// The fleet said no.
    #[error("the fleet refused (status {status}): {message}")]
    Refused { status: u16, message: String, hint: Option<String> },
    /// A control needs the token, and it cannot be read.
    #[error(transparent)]
    Token(#[from] AdminTokenError),
}

impl RemoteError {
    /// What to do about it.
    pub(super) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoFleet { .. } => {
                "is `fleet run` running? The address is http.listen of the config: use the same --config and --set"
            }
            Self::AnyPort => "name the port that the fleet logged: --set http.listen=127.0.0.1:PORT",
            Self::NotAFleet { .. } => "another program may use the port: see http.listen in `fleet config`",
            Self::Slow { .. } => "the fleet may be overloaded: see its log",
            Self::Refused { status: 401 | 403, hint: None, .. } => {
                "the admin token does not fit: set the variable of http.admin_token_env, or use the fleet's --data"
            }
            Self::Refused { hint, .. } => return hint.clone(),
            Self::Broken { .. } | Self::Token(_) => return None,
        };
        Some(hint.to_owned())
    }
}

/// Where the running fleet is, and how to prove that we may command it.
pub(super) struct Remote {
    address: SocketAddr,
    token: Result<Option<Secret>, AdminTokenError>,
}

impl Remote {
    /// The fleet that runs with this config.
    pub(super) fn of(config: &Config) -> Result<Self, RemoteError> {
        let mut address = config.http.listen;
        if address.port() == 0 {
            return Err(RemoteError::AnyPort);
        }
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        Ok(Self { address, token: config.admin_token() })
    }

    /// Asks for something. Works without a token where the fleet allows it.
    pub(super) fn get(self, path: &str) -> Result<Value, RemoteError> {
        let token = self.token.ok().flatten();
        call(self.address, "GET", path, token.as_ref(), None)
    }

    /// Commands something.
    pub(super) fn post(self, path: &str, body: &Value) -> Result<Value, RemoteError> {
        call(self.address, "POST", path, self.token?.as_ref(), Some(body))
    }
}

fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&Secret>,
    body: Option<&Value>,
) -> Result<Value, RemoteError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| RemoteError::Broken { address, source })?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: floimg-fleet/{}\r\nAccept: application/json\r\n\
         Connection: close\r\n",
        env!("CARGO_PKG_VERSION")
    );
    if let Some(token) = token {
        request.push_str(&format!("Authorization: Bearer {}\r\n", token.expose()));
    }
    if method == "POST" {
        request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(&body);
    let exchange = async {
        match timeout(PATIENCE, exchange(address, request.as_bytes())).await {
            Ok(reply) => reply,
            Err(_) => Err(RemoteError::Slow { address }),
        }
    };
    let (status, body) = runtime.block_on(exchange)?;
    answer(address, status, &body)
}

/// Sends a request and reads the whole reply.
async fn exchange(address: SocketAddr, request: &[u8]) -> Result<(u16, Vec<u8>), RemoteError> {
    let connected = match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(connected) => connected,
        Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
    };
    let mut stream = connected.map_err(|source| RemoteError::NoFleet { address, source })?;
    let broken = |source| RemoteError::Broken { address, source };
    let not_a_fleet = |what| RemoteError::NotAFleet { address, what };
    // A server may answer before it has read all and hang up; its answer counts more than our broken write.
    let sent = stream.write_all(request).await;
    let mut reply = Reply { stream, buffer: Vec::new() };
    let head = loop {
        let head = match reply.until(b"\r\n\r\n", LONGEST_HEAD).await {
            Ok(Some(head)) => head,
            Ok(None) if sent.is_ok() => return Err(not_a_fleet("its reply has no head")),
            Ok(None) => return Err(broken(sent.err().unwrap_or_else(|| std::io::ErrorKind::BrokenPipe.into()))),
            Err(source) => return Err(broken(source)),
        };
        let head = Head::parse(&head).ok_or_else(|| not_a_fleet("its reply is not HTTP"))?;
        // 100 to 199 only announce the real reply.
        if head.status >= 200 {
            break head;
        }
    };
    let body = if head.status == 204 || head.status == 304 {
        Vec::new()
    } else if head.chunked {
        reply.chunks().await.map_err(broken)?.ok_or_else(|| not_a_fleet("its reply is cut short or too long"))?
    } else {
        let length = head.length.unwrap_or(LONGEST_BODY);
        if length > LONGEST_BODY {
            return Err(not_a_fleet("its reply is too long"));
        }
        let complete = reply.fill(length).await.map_err(broken)?;
        if head.length.is_some() != complete {
            return Err(not_a_fleet("its reply is cut short or too long"));
        }
        reply.buffer.truncate(length);
        reply.buffer
    };
    Ok((head.status, body))
}

/// What a reply's head says.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: Option<usize>,
    chunked: bool,
}

impl Head {
    fn parse(head: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
        let mut first = lines.next()?.split(' ');
        if !first.next()?.starts_with("HTTP/1.") {
            return None;
        }
        let status = first.next()?.parse().ok().filter(|status| (100..600).contains(status))?;
        let mut head = Self { status, length: None, chunked: false };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                head.length = Some(value.parse().ok()?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.chunked = value.eq_ignore_ascii_case("chunked");
            }
        }
        Some(head)
    }
}

/// What was read from a connection and not yet used.
struct Reply {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Reply {
    /// Reads more; false at the end.
    async fn more(&mut self) -> std::io::Result<bool> {
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }

    /// Takes what comes before `mark`, and the mark itself; nothing if it does not come in `limit` bytes.
    async fn until(&mut self, mark: &[u8], limit: usize) -> std::io::Result<Option<Vec<u8>>> {
        let mut from = 0;
        loop {
            let found = self.buffer.get(from..).and_then(|rest| rest.windows(mark.len()).position(|part| part == mark));
            if let Some(at) = found {
                let mut taken: Vec<u8> = self.buffer.drain(..from + at + mark.len()).collect();
                taken.truncate(from + at);
                return Ok(Some(taken));
            }
            from = self.buffer.len().saturating_sub(mark.len() - 1);
            if self.buffer.len() > limit || !self.more().await? {
                return Ok(None);
            }
        }
    }

    /// Reads until there are `length` bytes; false if the end comes first.
    async fn fill(&mut self, length: usize) -> std::io::Result<bool> {
        while self.buffer.len() < length {
            if !self.more().await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes a chunked body; nothing if it is not well formed.
    async fn chunks(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut body = Vec::new();
        loop {
            let Some(line) = self.until(b"\r\n", 1024).await? else { return Ok(None) };
            let size = std::str::from_utf8(&line).ok().and_then(|line| line.split(';').next());
            let Some(size) = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok()) else { return Ok(None) };
            if size == 0 {
                return Ok(Some(body));
            }
            if size > LONGEST_BODY - body.len() || !self.fill(size + 2).await? {
                return Ok(None);
            }
            body.extend(self.buffer.drain(..size));
            if self.buffer.drain(..2).ne(*b"\r\n") {
                return Ok(None);
            }
        }
    }
}

/// What a status and a body mean.
fn answer(address: SocketAddr, status: u16, body: &[u8]) -> Result<Value, RemoteError> {
    let value = if body.is_empty() { Some(Value::Null) } else { serde_json::from_slice::<Value>(body).ok() };
    match (status, value) {
        (200..=299, Some(value)) => Ok(value),
        (200..=299, None) => Err(RemoteError::NotAFleet { address, what: "its reply is not JSON" }),
        (_, value) => {
            let field = |name: &str| value.as_ref().and_then(|value| value.get(name)?.as_str().map(str::to_owned));
            let message = field("error").or_else(|| field("message"));
            let message = message.unwrap_or_else(|| "it gave no reason".to_owned());
            Err(RemoteError::Refused { status, message, hint: field("hint") })
        }
    }
}

/// A text as one part of a path or query.
pub(super) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
