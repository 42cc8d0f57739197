//! The status API and the live page, on one address.
//!
//! It asks and commands through [`Fleet`] and holds nothing of the fleet itself, so it can neither lose nor change
//! anything by stopping.

mod console;
mod control;
mod document;
mod events;
mod fields;
mod guard;
mod page;
mod plugins;
mod reads;
mod refused;
mod spend;
mod versions;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use axum::serve::ListenerExt;
use axum::{Router, middleware};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{debug, error, warn};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::runtime::fleet::{self, Fleet};
use crate::secret::Secret;
use refused::Refused;

/// What the status API needs besides the fleet.
#[derive(Debug)]
pub struct Options {
    /// What controls must show; empty lets nobody control.
    pub admin_token: Secret,
    /// Where it listens. On loopback, only requests for a name of this machine are answered.
    pub listen: SocketAddr,
    /// Where people see the gallery.
    pub gallery_url: String,
    /// Ends the server and its open streams.
    pub stop: CancellationToken,
}

/// What every handler shares.
#[derive(Debug)]
struct Site {
    fleet: Fleet,
    options: Options,
    /// Places for event streams; without one, a client is asked to come back later.
    streams: Arc<Semaphore>,
    /// The OpenAPI document as it is sent.
    document: String,
}

/// The most event streams at one time.
const STREAMS: usize = 256;
/// The longest body that is read.
const LONGEST_BODY: usize = 64 * 1024;
/// How long the fleet may take to answer a question.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long a control may take; a reload compiles and tries every script before it answers. Less than the command line
/// waits, so that it hears why.
const DONE_WITHIN: Duration = Duration::from_secs(50);
/// How long requests under way may take at the end.
const GRACE: Duration = Duration::from_secs(5);

impl Site {
    /// Waits for the fleet's answer, but not for ever.
    async fn asked<T>(&self, answer: impl Future<Output = Result<T, fleet::Error>>) -> Result<T, Refused> {
        within(ANSWER_WITHIN, answer).await
    }

    /// Waits until the fleet has done it, but not for ever.
    async fn told<T>(&self, answer: impl Future<Output = Result<T, fleet::Error>>) -> Result<T, Refused> {
        within(DONE_WITHIN, answer).await
    }
}

async fn within<T>(limit: Duration, answer: impl Future<Output = Result<T, fleet::Error>>) -> Result<T, Refused> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer.map_err(Refused::from),
        Err(_) => Err(Refused::slow(limit)),
    }
}

/// Everything that is served, as a service of axum's.
pub fn router(fleet: Fleet, options: Options) -> Router {
    let (router, document) = routes().split_for_parts();
    // The document is made of plain data, so that this cannot fail; if it did, the page and the API would still work.
    let document = document.to_pretty_json().unwrap_or_else(|problem| {
        error!(error = &problem as &dyn std::error::Error, "could not write the OpenAPI document");
        "{}".to_owned()
    });
    let site = Arc::new(Site { fleet, options, streams: Arc::new(Semaphore::new(STREAMS)), document });
    router
        .merge(page::routes())
        .method_not_allowed_fallback(refused::wrong_method)
        .fallback(refused::nothing_here)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard::admit))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::map_response(guard::dress))
        .with_state(site)
}

fn routes() -> OpenApiRouter<Arc<Site>> {
    OpenApiRouter::with_openapi(document::head())
        .routes(routes!(reads::livez))
        .routes(routes!(reads::readyz))
        .routes(routes!(reads::status))
        .routes(routes!(reads::bots))
        .routes(routes!(reads::bot))
        .routes(routes!(reads::personas))
        .routes(routes!(reads::scripts))
        .routes(routes!(versions::history))
        .routes(routes!(versions::files))
        .routes(routes!(versions::diff))
        .routes(routes!(versions::rollback))
        .routes(routes!(versions::pin))
        .routes(routes!(versions::unpin))
        .routes(routes!(versions::promote))
        .routes(routes!(plugins::plugins))
        .routes(routes!(plugins::plugin))
        .routes(routes!(plugins::pause))
        .routes(routes!(plugins::resume))
        .routes(routes!(reads::activities))
        .routes(routes!(spend::spend))
        .routes(routes!(spend::trust_clock))
        .routes(routes!(events::events))
        .routes(routes!(control::pause_bot))
        .routes(routes!(control::resume_bot))
        .routes(routes!(control::wake_bot))
        .routes(routes!(control::reload_bot))
        .routes(routes!(console::console))
        .routes(routes!(control::pause_persona))
        .routes(routes!(control::resume_persona))
        .routes(routes!(control::wake_persona))
        .routes(routes!(control::reload_persona))
        .routes(routes!(control::pause_fleet))
        .routes(routes!(control::resume_fleet))
        .routes(routes!(control::wake_fleet))
        .routes(routes!(control::reload_fleet))
        .routes(routes!(document::openapi))
}

fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let cause = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    error!(cause, "a handler panicked");
    axum::response::IntoResponse::into_response(Refused::broken())
}

/// Serves until told to stop: open streams end then, and requests under way are answered.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(fleet: Fleet, options: Options, listener: tokio::net::TcpListener) -> std::io::Result<()> {
    let stop = options.stop.clone();
    let told = stop.clone();
    // Events are small and should not wait for each other.
    let listener = listener.tap_io(|stream| {
        if let Err(problem) = stream.set_nodelay(true) {
            debug!(error = &problem as &dyn std::error::Error, "could not set TCP_NODELAY");
        }
    });
    let serving = axum::serve(listener, router(fleet, options)).with_graceful_shutdown(told.cancelled_owned());
    let too_late = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = serving.into_future() => ended,
        () = too_late => {
            warn!("some requests did not end in time, leaving them");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_like_any_other_and_keeps_its_cause_inside() {
        let breaks = get(|| async {
            if true {
                panic!("the secret cause")
            }
        });
        let router: Router = Router::new().route("/", breaks).layer(CatchPanicLayer::custom(panicked));
        let reply = router.oneshot(Request::new(Body::empty())).await.expect("an answer");
        assert_eq!(reply.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = to_bytes(reply.into_body(), 1024).await.expect("a body");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body, serde_json::json!({ "error": "the fleet could not answer", "hint": "its log says why" }));
    }
}
