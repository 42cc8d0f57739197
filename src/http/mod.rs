//! The status API.

use crate::runtime::fleet::Fleet;
use crate::secret::Secret;
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

/// Options.
pub struct Options {
    /// Token.
    pub admin_token: Secret,
    /// Address.
    pub listen: SocketAddr,
    /// Gallery.
    pub gallery_url: String,
    /// Stop.
    pub stop: CancellationToken,
}

/// Serves.
pub async fn serve(_fleet: Fleet, options: Options, _listener: tokio::net::TcpListener) -> std::io::Result<()> {
    options.stop.cancelled().await;
    Ok(())
}
