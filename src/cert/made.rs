//! What was made, and where it lies.

use std::path::PathBuf;

use serde::Serialize;

use crate::{cli::Format, exit::Failure, output};

/// Files that were made; a command makes some of them.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Made {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<PathBuf>,
    /// Whom the certificate is of; nobody, of an authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) speaks_for: Option<String>,
    /// Above the certificate, of an authority that is no root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) root: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<PathBuf>,
    /// Serial numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) revoked: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Of what is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) list: Option<PathBuf>,
    /// Until the list ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) list_days: Option<u16>,
}

impl Made {
    pub(crate) fn show(&self, format: Format) -> Result<(), Failure> {
        if format == Format::Json {
            return output::json(self);
        }
        let about = match &self.speaks_for {
            Some(identity) => format!("  speaks for {identity}"),
            None => String::new(),
        };
        for serial in &self.revoked {
            let reason = self.reason.as_deref().unwrap_or_default();
            println!("{serial}  revoked: {reason}");
        }
        for (file, about) in [
            (&self.certificate, about.as_str()),
            (&self.root, "  (what members trust)"),
            (&self.request, "  for the authority"),
            (&self.key, "  (keep it to yourself)"),
        ] {
            if let Some(file) = file {
                println!("{}{about}", file.display());
            }
        }
        if let (Some(list), Some(days)) = (&self.list, self.list_days) {
            println!(
                "{}  to where [tls] crls says (ends in {days} days)",
                list.display()
            );
        }
        Ok(())
    }
}
