//! `entente ca`: authorities.

use std::path::Path;

use entente_tls::{Authority, Reason, TrustDomain, Validity};
use serde::Serialize;

use crate::{
    cert::{Made, View, days_left},
    cli::{CaArgs, CaCommand, Format},
    exit::Failure,
    output,
};

/// Root authorities live long: every member has one in its configuration.
const ROOT_DAYS: u16 = 3650;
/// The others can be replaced without asking anybody.
const BELOW_DAYS: u16 = 365;

/// Makes what was asked for and says where it lies.
pub(crate) fn run(args: CaArgs) -> Result<(), Failure> {
    match args.command {
        CaCommand::Init {
            out,
            name,
            intermediate_of,
            days,
            trust_domain,
            crl_days,
        } => {
            let domain = trust_domain
                .map(|text| text.parse::<TrustDomain>())
                .transpose();
            let domain = domain.map_err(Failure::configuration)?.unwrap_or_default();
            let name = name.map_or_else(Authority::unique_name, Ok);
            let name = name.map_err(Failure::configuration)?;
            let made = match &intermediate_of {
                Some(root) => below(root, &name, days.unwrap_or(BELOW_DAYS), &out),
                None => {
                    let validity = Validity::days(days.unwrap_or(ROOT_DAYS));
                    let root = Authority::root(&name, &domain, validity);
                    root.and_then(|root| root.save(&out).map(|()| root))
                        .map_err(Failure::configuration)
                }
            }?;
            let list = made.revoke(&out, &[], Reason::default(), crl_days);
            let list = list.map_err(Failure::configuration)?;
            let made = Made {
                certificate: Some(out.join("ca.pem")),
                root: intermediate_of.is_some().then(|| out.join("root.pem")),
                key: Some(out.join("ca.key")),
                list: Some(list),
                list_days: Some(crl_days),
                ..Made::default()
            };
            made.show(args.shown.output)
        }
        CaCommand::Crl { ca, days } => {
            let authority = Authority::load(&ca).map_err(Failure::configuration)?;
            let list = authority.revoke(&ca, &[], Reason::default(), days);
            let list = list.map_err(Failure::configuration)?;
            let made = Made {
                list: Some(list),
                list_days: Some(days),
                ..Made::default()
            };
            made.show(args.shown.output)
        }
        CaCommand::List { ca } => list(&ca, args.shown.output),
    }
}

fn below(root: &Path, name: &str, days: u16, out: &Path) -> Result<Authority, Failure> {
    let authority = Authority::load(root).map_err(Failure::configuration)?;
    let made = authority.intermediate(root, name, Validity::days(days));
    let made = made.map_err(Failure::configuration)?;
    made.save(out)
        .and_then(|()| authority.note_authority(root, &made))
        .map_err(Failure::configuration)?;
    Ok(made)
}

/// A certificate as its authority knows it.
#[derive(Serialize)]
struct Known {
    #[serde(flatten)]
    certificate: View,
    revoked: Option<String>,
}

fn list(ca: &Path, format: Format) -> Result<(), Failure> {
    let authority = Authority::load(ca).map_err(Failure::configuration)?;
    let issued = authority.issued(ca).map_err(Failure::configuration)?;
    let revoked = authority.list(ca).map_err(Failure::configuration)?;
    let why = |serial: &str| {
        let mut revoked = revoked.iter().flat_map(|list| &list.revoked);
        revoked.find_map(|(one, _, why)| (one == serial).then(|| why.clone()))
    };
    let known: Vec<Known> = issued
        .into_iter()
        .map(|facts| Known {
            revoked: why(&facts.serial),
            certificate: View::of(facts),
        })
        .collect();
    if format == Format::Json {
        return output::json(&known);
    }
    let rows = known.into_iter().map(|known| {
        let facts = known.certificate;
        [
            facts.identity().to_owned(),
            facts.serial().to_owned(),
            facts.not_after.clone(),
            known.revoked.map_or_else(
                || days_left(facts.remaining_s),
                |why| format!("revoked: {why}"),
            ),
        ]
    });
    println!("{}", output::table(["for", "serial", "ends", "left"], rows));
    Ok(())
}
