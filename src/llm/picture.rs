//! Pictures for models to look at.
//!
//! A picture is fetched only from the studio itself, whatever address a script names, and no more of it than a model takes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::CONTENT_TYPE;
use url::{Origin, Url};

use super::error::Error;
use super::{Lane, Llm, provider};
use crate::config::Images;

/// The largest picture that is sent along.
const MOST: usize = 8 << 20;
/// Kinds that models read.
const KINDS: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/gif"];
/// How long fetching one may take.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(15);

/// Fetches pictures.
#[derive(Debug, Clone)]
pub(super) struct Pictures {
    servers: Vec<(Origin, reqwest::Client)>,
}

impl Pictures {
    pub(super) fn new(studios: &[Url]) -> Result<Self, Error> {
        // `Err` means that the process has a provider of TLS, and then that one is right.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut servers = Vec::new();
        for studio in studios {
            let client = provider::http_client(studio)
                .map_err(|source| Error::Setup { provider: "the studio".to_owned(), source })?;
            servers.push((studio.origin(), client));
        }
        Ok(Self { servers })
    }

    async fn fetch(&self, address: &str) -> Result<String, Error> {
        let none = |why: String| Error::NoPicture { why };
        let url = Url::parse(address).map_err(|_| none("its address is none".to_owned()))?;
        let server = self.servers.iter().find(|(origin, _)| *origin == url.origin());
        let (_, client) = server.ok_or_else(|| none("it is not on the studio's server".to_owned()))?;
        let gone = |_| none("the studio did not give it".to_owned());
        let mut response = client.get(url).timeout(TIMEOUT).send().await.map_err(gone)?;
        if !response.status().is_success() {
            return Err(none(format!("the studio answered with status {}", response.status().as_u16())));
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let kind = KINDS.into_iter().find(|known| *known == kind);
        let kind = kind.ok_or_else(|| none(format!("it is none of {}", KINDS.join(", "))))?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(gone)? {
            if bytes.len() + chunk.len() > MOST {
                return Err(none(format!("it has more than {MOST} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(format!("data:{kind};base64,{}", STANDARD.encode(bytes)))
    }
}

impl Llm {
    /// The address by which a model gets to see a picture: its own, or one that holds the picture itself; nothing for a model
    /// that does not see.
    ///
    /// # Errors
    /// When the picture cannot be had.
    pub async fn picture(&self, lane: &Lane, address: &str) -> Result<Option<String>, Error> {
        match lane.config.images {
            Images::None => Ok(None),
            Images::Url if address.starts_with("https://") || address.starts_with("http://") => {
                Ok(Some(address.to_owned()))
            }
            Images::Url => Err(Error::NoPicture { why: "its address is none".to_owned() }),
            Images::Inline => self.pictures.fetch(address).await.map(Some),
        }
    }
}
