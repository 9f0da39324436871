//! One who asks a server something, and waits for the answer.

use std::{
    path::Path,
    sync::{Arc, mpsc as answers},
    thread,
    time::Duration,
};

use actix_web::http::Method;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde_json::Value;
use tokio::sync::mpsc;

/// How long an answer may take; on a busy machine none takes long.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// As often a request is sent whose connection was cut.
const TRIES: usize = 3;

/// What a server has answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    /// Text where it is no JSON.
    pub(crate) body: Value,
}

struct Ask {
    method: Method,
    path: String,
    body: Option<Value>,
    answer: answers::Sender<Option<Answer>>,
}

/// Asks from a thread of its own, so that whoever asks needs no runtime and keeps no
/// other's from turning.
#[derive(Clone)]
pub(crate) struct Caller(mpsc::UnboundedSender<Ask>);

impl Caller {
    /// Of a server that asks for nothing.
    pub(crate) fn plain(base: String) -> Self {
        Self::new(base, RootCertStore::empty(), None)
    }

    /// Of a server whom `ca` has signed, with a token.
    pub(crate) fn bearer(base: String, ca: &Path, token: &str) -> Self {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_file(ca).unwrap();
        roots.add(ca).unwrap();
        Self::new(base, roots, Some(token.to_owned()))
    }

    fn new(base: String, roots: RootCertStore, token: Option<String>) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider);
        let tls = tls.with_safe_default_protocol_versions().unwrap();
        let tls = Arc::new(tls.with_root_certificates(roots).with_no_client_auth());
        let (asks, mut asked) = mpsc::unbounded_channel::<Ask>();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let connector = awc::Connector::new().rustls_0_23(tls);
                let client = awc::Client::builder().timeout(ANSWERS_WITHIN);
                let client = client.connector(connector.timeout(ANSWERS_WITHIN));
                let client = match token {
                    Some(token) => client.bearer_auth(token).finish(),
                    None => client.finish(),
                };
                while let Some(ask) = asked.recv().await {
                    let answer = send(&client, &base, &ask).await;
                    // Whoever has asked may be gone.
                    let _ = ask.answer.send(answer);
                }
            })
        });
        Self(asks)
    }

    /// The answer; none if nobody gives one.
    pub(crate) fn try_ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Option<Answer> {
        let (answer, answered) = answers::channel();
        let path = path.to_owned();
        let ask = Ask {
            method,
            path,
            body,
            answer,
        };
        self.0.send(ask).ok()?;
        answered.recv().ok()?
    }

    /// The answer, which is expected.
    pub(crate) fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut tries = (0..TRIES).filter_map(|_| {
            let (method, body) = (method.clone(), body.clone());
            self.try_ask(method, path, body)
        });
        let answer = tries.next();
        answer.unwrap_or_else(|| panic!("{method} {path}: no answer"))
    }
}

async fn send(client: &awc::Client, base: &str, ask: &Ask) -> Option<Answer> {
    let kind = match ask.method {
        Method::PATCH => "application/merge-patch+json",
        _ => "application/json",
    };
    let request = client.request(ask.method.clone(), format!("{base}{}", ask.path));
    let request = request.insert_header(("Content-Type", kind));
    let mut response = match &ask.body {
        Some(body) => request.send_body(body.to_string()).await.ok()?,
        None => request.send().await.ok()?,
    };
    let text = response.body().limit(64 << 20).await.ok()?;
    let text = String::from_utf8(text.to_vec()).ok()?;
    Some(Answer {
        code: response.status().as_u16(),
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    })
}
