//! Contracts, as a coordinator hands them to parties and to whoever verifies them,
//! and the signatures in them.
#![no_main]

use std::sync::LazyLock;

use entente_protocol::contract::{Contract, Moment};
use entente_tls::{Authorities, DevelopmentCa, Signature, Validity};
use libfuzzer_sys::fuzz_target;

/// Those of an authority of which nobody has a certificate.
static AUTHORITIES: LazyLock<Authorities> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let ca = DevelopmentCa::create("fuzz").expect("an authority");
    let identity = "party/bank-a".parse().expect("an identity");
    let issued = ca
        .issue(&identity, &[], Validity::days(1))
        .expect("a certificate");
    let files = issued.save(folder.path(), "own").expect("room");
    let credentials = entente_tls::Credentials::load(&files).expect("credentials");
    credentials.authorities()
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = core::str::from_utf8(bytes)
        && let Ok(signature) = text.parse::<Signature>()
    {
        let again = signature.to_string().parse();
        assert_eq!(again.as_ref(), Ok(&signature));
        let signer = "party/bank-a".parse().expect("an identity");
        let verified = AUTHORITIES.verify(&signer, b"text", &signature, 1_763_733_600);
        assert!(verified.is_err(), "nobody has signed this");
    }
    let Ok(contract) = serde_json::from_slice::<Contract>(bytes) else {
        return;
    };
    for moment in [
        Moment::Arrival {
            now_ms: 1_763_733_600_123,
        },
        Moment::Later {
            now_ms: 1_763_733_600_123,
        },
    ] {
        let verified = contract.verify(moment, |signer, text, signature, at_s| {
            AUTHORITIES.verify_written(signer, text, signature, at_s)
        });
        assert!(verified.is_err(), "nobody has signed this");
        // Past the signatures, for what is behind them.
        let _ = contract.verify(moment, |_, _, _, _| Ok::<(), core::fmt::Error>(()));
    }
});
