//! Finding the address of a host.
//!
//! A connection is made only to an address that came out of here, so that a second look-up cannot bring another.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// Finds the addresses of a name.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// The system's own.
pub fn system_lookup() -> Lookup {
    // The port is put in by whoever connects.
    Arc::new(|name| Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) }))
}

/// Hands on the public addresses of a name, and only those.
pub(super) struct Checked {
    lookup: Lookup,
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checked")
    }
}

/// Why a name brought no address.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to {0}, which is no public address")]
pub(super) struct NotPublic(pub String);

impl Checked {
    pub(super) fn new(lookup: Lookup) -> Self {
        Self { lookup }
    }
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await?;
            let public: Vec<SocketAddr> = found.iter().copied().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                let private = found.first().map(|address| address.ip().to_string());
                return Err(match private {
                    Some(private) => NotPublic(private).into(),
                    None => io::Error::new(io::ErrorKind::NotFound, "the name has no address").into(),
                });
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}
