//! `entente cert`: certificates from their request to their end.

mod made;
mod show;
mod there;

use std::{
    fs,
    path::{Path, PathBuf},
};

use entente_tls::{
    Authority, CertificateFacts, DevelopmentCa, Facts, Identity, IdentityKind, Name, Naming,
    NewRequest, Reason, Request, Signed, TlsFiles, TrustDomain, Validity, facts, install,
};

pub(crate) use self::{
    made::Made,
    show::{View, days_left},
};
use crate::{
    cli::{CertArgs, CertCommand, Format, RenewArgs, RevokeArgs, SignArgs},
    exit::Failure,
};

/// Makes what was asked for and says where it lies.
pub(crate) fn run(args: CertArgs) -> Result<(), Failure> {
    let format = args.shown.output;
    match args.command {
        CertCommand::Request {
            kind,
            name,
            out,
            host,
            trust_domain,
        } => {
            let (identity, domain) = (identity(&kind, &name)?, domain(&trust_domain)?);
            let request = NewRequest::make(&identity, &domain, &host);
            request
                .and_then(|request| request.save(&out, &name))
                .map_err(Failure::configuration)?;
            let at = |ending: &str| out.join(format!("{name}.{ending}"));
            let made = Made {
                request: Some(at("csr")),
                key: Some(at("key")),
                ..Made::default()
            };
            made.show(format)
        }
        CertCommand::Sign(sign) => self::sign(&sign, format),
        CertCommand::Renew(renew) => self::renew(&renew, format),
        CertCommand::Show {
            files,
            trust_domain,
        } => show::run(&files, &naming(&trust_domain)?, format),
        CertCommand::Revoke(revoke) => self::revoke(&revoke, format),
        CertCommand::Ca { out, name, again } => {
            if let Some(there) = there::authority(again, &out)? {
                return there.show(format);
            }
            let ca = DevelopmentCa::create(&name).map_err(Failure::configuration)?;
            ca.save(&out).map_err(Failure::configuration)?;
            let made = Made {
                certificate: Some(out.join("ca.pem")),
                key: Some(out.join("ca.key")),
                ..Made::default()
            };
            made.show(format)
        }
        CertCommand::Issue {
            kind,
            name,
            ca,
            out,
            host,
            days,
            again,
        } => {
            let identity = identity(&kind, &name)?;
            if let Some(there) = there::member(again, &out, &name, &identity)? {
                return there.show(format);
            }
            let authority = DevelopmentCa::load(&ca).map_err(Failure::configuration)?;
            let files = authority
                .issue(&identity, &host, Validity::days(days))
                .and_then(|issued| {
                    issued.note(&ca)?;
                    issued.save(&out, &name)
                })
                .map_err(Failure::configuration)?;
            let made = Made {
                certificate: Some(files.certificate),
                speaks_for: Some(identity.to_string()),
                key: Some(files.key),
                ..Made::default()
            };
            made.show(format)
        }
    }
}

fn identity(kind: &str, name: &str) -> Result<Identity, Failure> {
    Ok(Identity {
        kind: kind
            .parse::<IdentityKind>()
            .map_err(Failure::configuration)?,
        name: name.parse::<Name>().map_err(Failure::configuration)?,
    })
}

fn domain(text: &str) -> Result<TrustDomain, Failure> {
    text.parse().map_err(Failure::configuration)
}

fn naming(trust_domain: &str) -> Result<Naming, Failure> {
    Ok(Naming {
        trust_domain: domain(trust_domain)?,
        ..Naming::default()
    })
}

fn stem(path: &Path) -> Result<&str, Failure> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.ok_or_else(|| Failure::Configuration(format!("{} has no file name", path.display())))
}

fn sign(args: &SignArgs, format: Format) -> Result<(), Failure> {
    let authority = Authority::load(&args.ca).map_err(Failure::configuration)?;
    let request = Request::read(&args.request).map_err(Failure::configuration)?;
    let signed = authority.sign(&args.request, &request, Validity::days(args.days));
    let signed = signed.map_err(Failure::configuration)?;
    if let Some(expected) = &args.expect {
        let expected: Identity = expected.parse().map_err(Failure::configuration)?;
        if *signed.member() != expected {
            return Err(Failure::Configuration(format!(
                "{} is about {}, and {expected} was expected: nothing was signed",
                args.request.display(),
                signed.member()
            )));
        }
    }
    let files = signed
        .note(&args.ca)
        .and_then(|()| signed.save(&args.out, stem(&args.request).unwrap_or_default()))
        .map_err(Failure::configuration)?;
    shown(&signed, &files, format)
}

fn shown(signed: &Signed, files: &TlsFiles, format: Format) -> Result<(), Failure> {
    let facts: Vec<CertificateFacts> = signed.facts().into_iter().collect();
    show::certificates(facts, format)?;
    if format == Format::Table {
        println!("\n{}", files.certificate.display());
        println!("{}  to be trusted: [tls] ca", files.ca.display());
    }
    Ok(())
}

fn renew(args: &RenewArgs, format: Format) -> Result<(), Failure> {
    let naming = naming(&args.trust_domain)?;
    let present = match facts(&args.certificate, &naming).map_err(Failure::configuration)? {
        Facts::Certificates(certificates) => certificates.into_iter().next(),
        Facts::Lists(_) => None,
    };
    let nobody = || {
        Failure::Configuration(format!(
            "{} speaks for no member: see --trust-domain",
            args.certificate.display()
        ))
    };
    let present = present.ok_or_else(nobody)?;
    let identity = present.identity.as_deref().ok_or_else(nobody)?;
    let identity: Identity = identity.parse().map_err(Failure::configuration)?;
    let mut files = TlsFiles::new(PathBuf::new(), args.certificate.clone(), args.key.clone());
    files.trust_domain = naming.trust_domain.clone();
    let folder = match args.certificate.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let next = format!("{}.next", stem(&args.certificate)?);
    if let Some(signed) = &args.install {
        let key = folder.join(format!("{next}.key"));
        let installed = install(signed, &key, &files).map_err(Failure::configuration)?;
        // It has been answered; a later one is to have its name.
        let _ = fs::remove_file(folder.join(format!("{next}.csr")));
        return show::certificates(vec![installed], format);
    }
    let hosts: Vec<String> = present
        .names
        .into_iter()
        .filter(|name| !name.contains("://"))
        .collect();
    let request = match args.same_key {
        true => NewRequest::with_key_of(&args.key, &identity, &naming.trust_domain, &hosts),
        false => NewRequest::make(&identity, &naming.trust_domain, &hosts),
    };
    let request = request.map_err(Failure::configuration)?;
    let Some(ca) = &args.ca else {
        request
            .save(folder, &next)
            .map_err(Failure::configuration)?;
        let made = Made {
            request: Some(folder.join(format!("{next}.csr"))),
            key: Some(folder.join(format!("{next}.key"))),
            ..Made::default()
        };
        return made.show(format);
    };
    let authority = Authority::load(ca).map_err(Failure::configuration)?;
    let signed = request
        .request()
        .and_then(|read| authority.sign(&args.certificate, &read, Validity::days(args.days)))
        .and_then(|signed| {
            signed.note(ca)?;
            signed.replace(&request, &files)?;
            Ok(signed)
        })
        .map_err(Failure::configuration)?;
    show::certificates(signed.facts().into_iter().collect(), format)
}

fn revoke(args: &RevokeArgs, format: Format) -> Result<(), Failure> {
    let reason: Reason = args.reason.parse().map_err(Failure::configuration)?;
    let authority = Authority::load(&args.ca).map_err(Failure::configuration)?;
    let issued = authority.issued(&args.ca).map_err(Failure::configuration)?;
    let serials = match (&args.certificate, &args.serial, &args.identity) {
        (Some(file), _, _) => vec![authority.serial_of(file).map_err(Failure::configuration)?],
        (_, Some(serial), _) => {
            let serial = serial.to_ascii_lowercase().replace(':', "");
            let known = issued.iter().any(|facts| facts.serial == serial);
            known.then_some(serial).into_iter().collect()
        }
        (_, _, Some(identity)) => {
            let identity: Identity = identity.parse().map_err(Failure::configuration)?;
            let now = show::now_unix_s();
            let theirs = issued.iter().filter(|facts| {
                facts.identity.as_deref() == Some(&*identity.to_string())
                    && facts.not_after_unix_s > now
            });
            theirs.map(|facts| facts.serial.clone()).collect()
        }
        (None, None, None) => Vec::new(),
    };
    if serials.is_empty() {
        return Err(Failure::Configuration(
            "this authority has signed no such certificate that has not ended; `entente ca list` \
             shows them"
                .to_owned(),
        ));
    }
    let list = authority.revoke(&args.ca, &serials, reason, args.crl_days);
    let list = list.map_err(Failure::configuration)?;
    let made = Made {
        revoked: serials,
        reason: Some(reason.to_string()),
        list: Some(list),
        list_days: Some(args.crl_days),
        ..Made::default()
    };
    made.show(format)
}
