//! A granted host: where a script may send a request, as the operator wrote it.
//!
//! A grant covers one scheme, one port, and one host or the hosts below one; nothing in it is guessed.

use std::fmt;

use url::Host;

/// A host that somebody may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostGrant {
    is_plain: bool,
    host: GrantedHost,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum GrantedHost {
    /// This one.
    One(Host),
    /// Every host below this domain, and not itself.
    Below(String),
}

/// Why a text grants no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAGrant(String);

impl HostGrant {
    /// Reads `hooks.example.com`, `*.example.com`, `example.com:8443`, `http://127.0.0.1:9000` or `[2001:db8::1]:8443`.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn parse(text: &str) -> Result<Self, NotAGrant> {
        let wrong = |why: &str| {
            Err(NotAGrant(format!(
                "{why}; a host is written as \"hooks.example.com\", \"*.example.com\", \"example.com:8443\" or \
                 \"http://127.0.0.1:9000\""
            )))
        };
        let (is_plain, rest) = match text.split_once("://") {
            Some(("http", rest)) => (true, rest),
            Some(("https", rest)) => (false, rest),
            Some(_) => return wrong("only https:// and http:// can be granted"),
            None => (false, text),
        };
        if rest.contains(['/', '?', '#', '\\']) {
            return wrong("a grant is for a whole host, without a path");
        }
        if rest.contains('@') {
            return wrong("a grant has no user and password");
        }
        let (name, port) = match rest.rsplit_once(':') {
            // The last colon of `[::1]` stands within the brackets.
            Some((name, port)) if !port.ends_with(']') => match port.parse::<u16>() {
                Ok(port) if port > 0 => (name, port),
                _ => return wrong("the port must be a number from 1 to 65535"),
            },
            _ => (rest, if is_plain { 80 } else { 443 }),
        };
        let (is_below, name) = match name.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, name),
        };
        if name.contains('*') {
            return wrong("`*` stands only at the beginning, before a dot");
        }
        if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
            return wrong("a name has no empty part");
        }
        let Ok(host) = Host::parse(name) else { return wrong("this is no host") };
        let host = match (is_below, host) {
            (true, Host::Domain(domain)) if domain.contains('.') => GrantedHost::Below(domain),
            (true, Host::Domain(_)) => {
                return wrong("`*.` needs a domain of at least two parts, like \"*.example.com\"");
            }
            (true, _) => return wrong("an address has nothing below it"),
            (false, Host::Domain(domain)) if domain == "localhost" || domain.ends_with(".localhost") => {
                return wrong("this machine is granted by its address");
            }
            // `127.1` and `0x7f.1` are addresses too, and nobody writes them who wants to be understood.
            (false, Host::Ipv4(address)) if address.to_string() != name => {
                return wrong("an IPv4 address has four decimal numbers");
            }
            (false, host) => GrantedHost::One(host),
        };
        Ok(Self { is_plain, host, port })
    }

    /// Whether it covers a request to this scheme, host and port.
    pub fn covers(&self, scheme: &str, host: &Host<&str>, port: u16) -> bool {
        if scheme != if self.is_plain { "http" } else { "https" } || port != self.port {
            return false;
        }
        match (&self.host, host) {
            (GrantedHost::One(Host::Domain(granted)), Host::Domain(host)) => granted == without_dot(host),
            (GrantedHost::One(Host::Ipv4(granted)), Host::Ipv4(host)) => granted == host,
            (GrantedHost::One(Host::Ipv6(granted)), Host::Ipv6(host)) => granted == host,
            (GrantedHost::Below(domain), Host::Domain(host)) => {
                without_dot(host).strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            _ => false,
        }
    }
}

/// `example.com.` is the same host as `example.com`.
fn without_dot(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

impl fmt::Display for HostGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usual = if self.is_plain { 80 } else { 443 };
        f.write_str(if self.is_plain { "http://" } else { "https://" })?;
        match &self.host {
            GrantedHost::One(host) => write!(f, "{host}")?,
            GrantedHost::Below(domain) => write!(f, "*.{domain}")?,
        }
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}
