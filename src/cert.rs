//! `entente cert`: certificates for development.

use std::path::Path;

use entente_tls::{DevelopmentCa, Identity, IdentityKind, Name, Validity};

use serde::Serialize;

use crate::{
    cli::{CertArgs, CertCommand, Format},
    exit::Failure,
    output,
};

/// What was made.
#[derive(Serialize)]
struct Made<'a> {
    certificate: &'a Path,
    key: &'a Path,
    /// Nobody, of an authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    speaks_for: Option<String>,
}

impl Made<'_> {
    fn show(&self, format: Format) -> Result<(), Failure> {
        if format == Format::Json {
            return output::json(self);
        }
        match &self.speaks_for {
            Some(identity) => println!("{}  speaks for {identity}", self.certificate.display()),
            None => println!("{}", self.certificate.display()),
        }
        println!("{}  (keep it to yourself)", self.key.display());
        Ok(())
    }
}

/// Makes what was asked for and says where it lies.
pub(crate) fn run(args: CertArgs) -> Result<(), Failure> {
    match args.command {
        CertCommand::Ca { out, name } => {
            let ca = DevelopmentCa::create(&name).map_err(Failure::configuration)?;
            ca.save(&out).map_err(Failure::configuration)?;
            let made = Made {
                certificate: &out.join("ca.pem"),
                key: &out.join("ca.key"),
                speaks_for: None,
            };
            made.show(args.shown.output)
        }
        CertCommand::Issue {
            kind,
            name,
            ca,
            out,
            host,
            days,
        } => {
            let identity = Identity {
                kind: kind
                    .parse::<IdentityKind>()
                    .map_err(Failure::configuration)?,
                name: name.parse::<Name>().map_err(Failure::configuration)?,
            };
            let ca = DevelopmentCa::load(&ca).map_err(Failure::configuration)?;
            let files = ca
                .issue(&identity, &host, Validity::days(days))
                .and_then(|issued| issued.save(&out, &name))
                .map_err(Failure::configuration)?;
            let made = Made {
                certificate: &files.certificate,
                key: &files.key,
                speaks_for: Some(identity.to_string()),
            };
            made.show(args.shown.output)
        }
    }
}
