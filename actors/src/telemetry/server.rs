//! `/metrics`, `/healthz`, `/readyz`, over mutual TLS as everything.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{
    App, Error, HttpResponse, HttpResponseBuilder, HttpServer,
    body::{EitherBody, MessageBody},
    dev::{ServerHandle, ServiceRequest, ServiceResponse},
    http::header::ContentType,
    middleware::{Next, from_fn},
    rt::net::TcpStream,
    web::{self, Data},
};
use entente_metrics::{CertificateMeters, REVOKED_REQUEST, Registry};
use entente_tls::{Credentials, Peer, TlsError};
use thiserror::Error;

use super::Readiness;

/// How long open requests may take when the server stops, in seconds.
const FAREWELL_S: u64 = 1;

/// A server that runs until it is stopped.
pub(crate) struct MetricsServer {
    address: SocketAddr,
    handle: ServerHandle,
}

/// The server cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; choose another [metrics] listen")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// No configuration can be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl MetricsServer {
    /// Serves `registry`, and what `readiness` says.
    ///
    /// # Errors
    /// [`ServerError`].
    pub(crate) fn start(
        address: SocketAddr,
        credentials: &Arc<Credentials>,
        registry: Registry,
        certificates: CertificateMeters,
        readiness: Readiness,
    ) -> Result<Self, ServerError> {
        let bind = |source| ServerError::Bind { address, source };
        let tls = Arc::unwrap_or_clone(credentials.server_config()?);
        let listener = TcpListener::bind(address).map_err(bind)?;
        let bound = listener.local_addr().map_err(bind)?;
        let remembered = credentials.clone();
        let credentials = Data::from(credentials.clone());
        let app = move || {
            App::new()
                .app_data(credentials.clone())
                .app_data(Data::new(certificates.clone()))
                .wrap(from_fn(turn_away_the_revoked))
                .app_data(Data::new(registry.clone()))
                .app_data(Data::new(readiness.clone()))
                .route("/metrics", web::get().to(metrics))
                .route("/healthz", web::get().to(healthz))
                .route("/readyz", web::get().to(readyz))
        };
        let server = HttpServer::new(app)
            .on_connect(move |connection, extensions| {
                let stream = connection.downcast_ref::<TlsStream<TcpStream>>();
                let chain = stream.and_then(|stream| stream.get_ref().1.peer_certificates());
                if let Ok(peer) = remembered.peer(chain) {
                    extensions.insert(peer);
                }
            })
            .workers(1)
            .disable_signals()
            .shutdown_timeout(FAREWELL_S)
            .listen_rustls_0_23(listener, tls)
            .map_err(bind)?
            .run();
        let handle = server.handle();
        actix_rt::spawn(server);
        Ok(Self {
            address: bound,
            handle,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn stop(self) {
        self.handle.stop(true).await;
    }
}

/// A connection is kept between scrapes, and its peer may be revoked meanwhile.
async fn turn_away_the_revoked<B: MessageBody>(
    credentials: Data<Credentials>,
    certificates: Data<CertificateMeters>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let peer = request.conn_data::<Peer>();
    let standing = peer.map(|peer| (peer.identity(), peer.standing(&credentials)));
    let Some((who, Err(revocation))) = standing else {
        return next
            .call(request)
            .await
            .map(ServiceResponse::map_into_left_body);
    };
    tracing::warn!(%who, "turned away: {revocation}");
    certificates.revoked(REVOKED_REQUEST);
    let refusal = HttpResponse::Forbidden()
        .force_close()
        .content_type(ContentType::plaintext())
        .body(format!("you are turned away: {revocation}\n"));
    Ok(request.into_response(refusal).map_into_right_body())
}

async fn metrics(registry: Data<Registry>) -> HttpResponse {
    match registry.render() {
        Ok(text) => HttpResponse::Ok()
            .content_type("text/plain; version=0.0.4; charset=utf-8")
            .body(text),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written down");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// The party's mailbox answers. Says nothing of the coordinator, nor of the disk: a
/// restart repairs neither.
async fn healthz(readiness: Data<Readiness>) -> HttpResponse {
    match readiness.lives().await {
        Ok(()) => said(HttpResponse::Ok(), "ok\n"),
        Err(hung) => said(HttpResponse::ServiceUnavailable(), hung.text()),
    }
}

/// Jobs can come: it is not ending, nobody drains it, and the coordinator has answered
/// last time.
async fn readyz(readiness: Data<Readiness>) -> HttpResponse {
    match readiness.check().await {
        Ok(()) => said(HttpResponse::Ok(), "ready\n"),
        Err(why) => said(HttpResponse::ServiceUnavailable(), why.text()),
    }
}

fn said(mut status: HttpResponseBuilder, text: &'static str) -> HttpResponse {
    status.content_type(ContentType::plaintext()).body(text)
}
