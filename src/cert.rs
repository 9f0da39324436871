//! `entente cert`: certificates for development.

use std::path::Path;

use entente_tls::{DevelopmentCa, Identity, IdentityKind, Name, Validity};

use crate::{
    cli::{CertArgs, CertCommand},
    exit::Failure,
};

/// Makes what was asked for and says where it lies.
pub(crate) fn run(args: CertArgs) -> Result<(), Failure> {
    match args.command {
        CertCommand::Ca { out, name } => {
            let ca = DevelopmentCa::create(&name).map_err(Failure::configuration)?;
            ca.save(&out).map_err(Failure::configuration)?;
            println!("{}", out.join("ca.pem").display());
            println!("{}  (keep it to yourself)", out.join("ca.key").display());
            Ok(())
        }
        CertCommand::Issue {
            kind,
            name,
            ca,
            out,
            host,
            days,
        } => issue(&kind, &name, &ca, &out, &host, days),
    }
}

fn issue(
    kind: &str,
    name: &str,
    ca: &Path,
    out: &Path,
    hosts: &[String],
    days: u16,
) -> Result<(), Failure> {
    let identity = Identity {
        kind: kind
            .parse::<IdentityKind>()
            .map_err(Failure::configuration)?,
        name: name.parse::<Name>().map_err(Failure::configuration)?,
    };
    let ca = DevelopmentCa::load(ca).map_err(Failure::configuration)?;
    let files = ca
        .issue(&identity, hosts, Validity::days(days))
        .and_then(|issued| issued.save(out, name))
        .map_err(Failure::configuration)?;
    println!("{}  speaks for {identity}", files.certificate.display());
    println!("{}  (keep it to yourself)", files.key.display());
    Ok(())
}
