//! Where a store is, as a configuration says it.

use std::{fmt, path::PathBuf, sync::Arc};

use entente_wire::Secret;
use serde::Deserialize;
use thiserror::Error;
use url::Url;
use zeroize::Zeroizing;

/// Where a store is: a file, or a PostgreSQL server.
///
/// ```text
/// state/jobs.sqlite                     a file of SQLite
/// sqlite:///var/lib/entente/jobs        the same, said as a URL
/// postgres://entente@db.example/jobs    a database of a PostgreSQL server
/// ```
///
/// What it prints as has no password, whichever way it is printed.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub enum Location {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(Server),
}

/// A database of a PostgreSQL server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Without the password.
    url: Url,
    password: Option<Arc<Secret<String>>>,
}

/// Why a text is no location. It does not repeat the text, which may have a
/// password in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LocationError {
    /// The beginning of a URL that no store has.
    #[error("a store is a path, or a URL that begins with sqlite:// or postgres://")]
    Scheme,
    /// No path, or not what a URL looks like.
    #[error("it cannot be read: write postgres://USER@HOST:PORT/DATABASE ({0})")]
    Url(#[from] url::ParseError),
    /// The password is where everybody prints it.
    #[error(
        "the password stands behind the ?: put it into a file that store_password_file names, \
         or between user and host"
    )]
    PasswordInQuery,
}

impl Server {
    /// The same with another password.
    pub fn with_password(self, password: Secret<String>) -> Self {
        Self {
            password: Some(Arc::new(password)),
            ..self
        }
    }

    /// Whether it was said how to identify oneself.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// With everything that it takes to connect.
    ///
    /// Over a network TLS with the server's certificate verified is what it
    /// takes if nothing is said: the driver's own choice would go without TLS,
    /// silently, when the server offers none.
    pub(super) fn connection_url(&self, session: &[(&str, String)]) -> Url {
        let mut url = self.url.clone();
        if let Some(password) = &self.password {
            // What would be read as an encoded letter is a letter here.
            let password = Zeroizing::new(password.expose().replace('%', "%25"));
            // Fails for a URL without host; the server says what it lacks then.
            let _ = url.set_password(Some(&password));
        }
        let said = |name: &str| self.url.query_pairs().any(|(key, _)| key == name);
        let tls_is_said = said("sslmode") || said("ssl-mode");
        let mut query = url.query_pairs_mut();
        if !tls_is_said && !self.is_on_this_machine() {
            query.append_pair("sslmode", "verify-full");
        }
        query.append_pair("application_name", "entente-coordinator");
        for (setting, value) in session {
            query.append_pair(&format!("options[{setting}]"), value);
        }
        drop(query);
        url
    }

    fn is_on_this_machine(&self) -> bool {
        let asked = self.url.query_pairs().find(|(key, _)| key == "host");
        let host = match &asked {
            Some((_, host)) => host,
            None => self.url.host_str().unwrap_or_default(),
        };
        // A socket's path is percent-encoded where a host stands.
        let socket = host.starts_with('/') || host.to_ascii_lowercase().starts_with("%2f");
        socket || ["", "localhost", "127.0.0.1", "[::1]", "::1"].contains(&host)
    }
}

impl TryFrom<String> for Location {
    type Error = LocationError;

    fn try_from(text: String) -> Result<Self, LocationError> {
        text.parse()
    }
}

impl std::str::FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        match text.split_once("://") {
            None => Ok(Self::Sqlite(text.into())),
            Some(("sqlite", path)) => Ok(Self::Sqlite(path.into())),
            Some(("postgres" | "postgresql", _)) => {
                let mut url: Url = text.parse()?;
                if url.query_pairs().any(|(key, _)| key == "password") {
                    return Err(LocationError::PasswordInQuery);
                }
                let password = url.password().map(decoded);
                // Fails for a URL without host, which has no password either.
                let _ = url.set_password(None);
                let password = password.map(|password| Arc::new(Secret::new(password)));
                Ok(Self::Postgres(Server { url, password }))
            }
            Some(_) => Err(LocationError::Scheme),
        }
    }
}

/// What stands in a URL is percent-encoded.
fn decoded(text: &str) -> String {
    // A query without pairs is one key; `+` means itself here, not a space.
    let text = text
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    let mut pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs
        .next()
        .map(|(key, _)| key.into_owned())
        .unwrap_or_default()
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(server) => server.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    fn server(text: &str) -> Server {
        match text.parse().unwrap() {
            Location::Postgres(server) => server,
            Location::Sqlite(path) => panic!("{}", path.display()),
        }
    }

    #[test]
    fn paths_are_files_and_urls_say_what_they_are() {
        for (text, path) in [
            ("jobs.sqlite", "jobs.sqlite"),
            ("/var/lib/jobs", "/var/lib/jobs"),
            ("sqlite:///var/lib/jobs", "/var/lib/jobs"),
            ("sqlite://jobs", "jobs"),
        ] {
            let Location::Sqlite(found) = text.parse().unwrap() else {
                panic!("{text}")
            };
            assert_eq!(found, PathBuf::from(path));
        }
        let wrong = "mysql://root:hunter2@db/jobs".parse::<Location>();
        assert_eq!(wrong.unwrap_err(), LocationError::Scheme);
        let wrong = "postgres://db:port/jobs?password=hunter2".parse::<Location>();
        assert!(matches!(wrong.unwrap_err(), LocationError::Url(_)));
        let wrong = "postgres://db/jobs?password=hunter2".parse::<Location>();
        assert_eq!(wrong.unwrap_err(), LocationError::PasswordInQuery);
    }

    #[test]
    fn a_password_is_used_and_never_shown() {
        for (text, password) in [
            ("postgres://ann:hunter2@db/jobs", "hunter2"),
            ("postgresql://ann:a%40b%25+&=%2F@db/jobs", "a@b%+&=/"),
        ] {
            let server = server(text);
            assert_eq!(server.password.as_ref().unwrap().expose(), password);
            let shown = format!(
                "{server} {server:?} {:?}",
                Location::Postgres(server.clone())
            );
            assert!(
                !shown.contains("hunter2") && !shown.contains("a%40b"),
                "{shown}"
            );
            assert!(
                shown.contains("postgres") && shown.contains("ann@db/jobs"),
                "{shown}"
            );
            // Encoded once and not twice.
            let url = server.connection_url(&[]);
            assert_eq!(decoded(url.password().unwrap()), password);
        }
        let from_file =
            server("postgres://ann@db/jobs").with_password(Secret::new("p:@/%41".into()));
        assert!(from_file.has_password());
        let url = from_file.connection_url(&[]);
        assert_eq!(decoded(url.password().unwrap()), "p:@/%41");
        assert_eq!(url.host_str(), Some("db"));
    }

    #[test]
    fn whatever_crosses_a_network_is_verified_unless_somebody_says_otherwise() {
        let verified = |text| {
            let url = server(text).connection_url(&[]);
            url.query().unwrap().contains("sslmode=verify-full")
        };
        assert!(verified("postgres://db.example/jobs"));
        assert!(verified("postgres://db.example/jobs?sslrootcert=ca.pem"));
        assert!(!verified("postgres://db.example/jobs?sslmode=require"));
        for local in [
            "postgres://localhost/jobs",
            "postgres://127.0.0.1:5433/jobs",
            "postgres://[::1]/jobs",
            "postgres://%2Frun%2Fpostgresql/jobs",
            "postgres:///jobs?host=/run/postgresql",
        ] {
            assert!(!verified(local), "{local}");
        }
        let url = server("postgres://db/jobs").connection_url(&[("lock_timeout", "5000".into())]);
        let mut pairs = url.query_pairs();
        assert!(pairs.any(|(key, value)| key == "options[lock_timeout]" && value == "5000"));
    }
}
