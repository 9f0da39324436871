//! Where a party launches: over a server of ours, or over a real one.

use std::{
    sync::{Arc, mpsc},
    thread,
};

use serde_json::json;

use crate::{
    api::Server,
    control_plane::{Caller, ControlPlane, Namespace, Tenant},
    jobs::Controller,
};

/// Who keeps the objects and makes pods of Jobs; it ends with the site.
enum Behind {
    Ours {
        _controller: Controller,
        _server: Arc<Server>,
    },
    Real {
        _tenant: Tenant,
    },
}

/// A namespace to launch in.
pub(crate) struct Site {
    /// For whoever runs it.
    pub(crate) namespace: Namespace,
    /// For the party.
    pub(crate) kubeconfig: String,
    _behind: Behind,
}

impl Site {
    /// Over a server of ours, with a controller of ours.
    pub(crate) fn ours() -> Self {
        let server = server();
        let base = format!("http://{}", server.address);
        let namespace = Namespace {
            caller: Caller::plain(base.clone()),
            name: "entente".to_owned(),
        };
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{ "name": "test", "cluster": { "server": base } }],
            "users": [{ "name": "test", "user": {} }],
            "contexts": [{ "name": "test", "context": {
                "cluster": "test", "user": "test", "namespace": namespace.name,
            } }],
        });
        let controller = Controller::start(namespace.clone());
        Self {
            namespace,
            kubeconfig: kubeconfig.to_string(),
            _behind: Behind::Ours {
                _controller: controller,
                _server: server,
            },
        }
    }

    /// Over a real one; none without its programs, which is said.
    pub(crate) fn real(test: &str) -> Option<Self> {
        let tenant = ControlPlane::shared(test)?.tenant();
        Some(Self {
            namespace: tenant.namespace.clone(),
            kubeconfig: tenant.kubeconfig(),
            _behind: Behind::Real { _tenant: tenant },
        })
    }
}

/// Runs a server on a thread of its own, for as long as the test does.
fn server() -> Arc<Server> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            tell.send(Arc::new(Server::start())).unwrap();
            std::future::pending::<()>().await
        })
    });
    told.recv().unwrap()
}
