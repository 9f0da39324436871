#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const SPEC: &str = r#"
name = "credit"
parties = { active = "bank-a", passive = "bank-b" }
data = { dataset = "loans" }
network = { inputs = 4, bottom = [{ kind = "dense", units = 5 }], classes = 2 }

[training]
epochs = 3
batch_size = 16
learning_rate = 0.1
bottom = { optimizer = "sgd", learning_rate = 0.1 }
seed = 1
"#;
const NOW_MS: u64 = 1_763_733_600_123;
const ARRIVAL: Moment = Moment::Arrival { now_ms: NOW_MS };

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
struct Flaw(String);

fn task() -> Task {
    Task::from_toml(SPEC).unwrap()
}

fn job(number: u8) -> JobId {
    let text = format!("01890a5d-ac96-774b-bcce-b302099a80{number:02x}");
    text.parse().unwrap()
}

/// Stands for a signature: says who signed what, and from when to when the
/// certificate is in date.
fn sign(signer: &str, text: &str, certificate: std::ops::Range<u64>) -> String {
    let (from, to) = (certificate.start, certificate.end);
    format!("{from} {to} {signer}\n{text}")
}

fn check(signer: &str, text: &str, signature: &str, at_s: u64) -> Result<(), Flaw> {
    let flaw = |what: &str| Err(Flaw(what.to_owned()));
    let (head, signed) = signature.split_once('\n').unwrap();
    let head: Vec<&str> = head.split(' ').collect();
    if !(head[0].parse::<u64>().unwrap()..head[1].parse().unwrap()).contains(&at_s) {
        return flaw("expired");
    }
    if head[2] != signer {
        return flaw("somebody else's");
    }
    match text == signed {
        true => Ok(()),
        false => flaw("altered"),
    }
}

fn signed(terms: &Terms, side: Side, at_ms: u64) -> Signed {
    let day = (at_ms / 1000 - 10)..(at_ms / 1000 + 86_400);
    Signed {
        at_ms,
        signature: sign(&terms.signer(side), &terms.text(side, at_ms), day),
    }
}

fn contract() -> Contract {
    let terms = Terms::of(job(1), &task());
    let signatures = Signatures {
        active: Some(signed(&terms, Side::Active, NOW_MS - 5000)),
        passive: Some(signed(&terms, Side::Passive, NOW_MS - 3000)),
    };
    Contract::of(job(1), &task(), &signatures).unwrap()
}

#[test]
fn the_text_is_as_published() {
    let text = Terms::of(job(1), &task()).text(Side::Passive, 17);
    let digest = task().digest();
    assert_eq!(
        text,
        format!(
            "entente contract, version 1\n\
             job: 01890a5d-ac96-774b-bcce-b302099a8001\n\
             task: train\n\
             specification: {digest}\n\
             active: bank-a\n\
             passive: bank-b\n\
             signed by: party/bank-b\n\
             signed at: 17 ms since 1970-01-01 UTC\n"
        )
    );
}

#[test]
fn a_contract_is_the_same_after_it_was_written_down() {
    let written = serde_json::to_string(&contract()).unwrap();
    let read: Contract = serde_json::from_str(&written).unwrap();
    assert_eq!(read, contract());
    assert_eq!(read.verify(ARRIVAL, check), Ok(task()));
    let unknown = written.replacen('{', "{\"x\":1,", 1);
    assert!(serde_json::from_str::<Contract>(&unknown).is_err());
}

#[test]
fn nobody_is_bound_by_half_a_contract() {
    let terms = Terms::of(job(1), &task());
    let mut signatures = Signatures {
        active: Some(signed(&terms, Side::Active, NOW_MS)),
        passive: None,
    };
    let unsigned = |signatures: &Signatures| {
        let error = Contract::of(job(1), &task(), signatures);
        error.unwrap_err()
    };
    assert_eq!(unsigned(&signatures).as_str(), "bank-b");
    signatures.active = None;
    assert_eq!(unsigned(&signatures).as_str(), "bank-a");
}

/// What is not what was signed is refused, each for its own reason.
#[test]
fn what_was_altered_shows() {
    let refused = |edit: &dyn Fn(&mut Contract)| {
        let mut contract = contract();
        edit(&mut contract);
        let error = contract.verify(ARRIVAL, check).unwrap_err();
        (error.label(), error.to_string())
    };
    let (label, said) = refused(&|contract| contract.job = job(2));
    assert_eq!(label, "contract_signature");
    assert!(
        said.contains("bank-a") && said.contains("altered"),
        "{said}"
    );
    let epochs = |contract: &mut Contract| {
        let TaskSpec::Train(spec) = &mut contract.spec else {
            return;
        };
        spec.training.epochs += 1;
    };
    assert_eq!(refused(&epochs).0, "contract_other_specification");
    let both = |contract: &mut Contract| {
        epochs(contract);
        let task = Task::try_from(contract.spec.clone()).unwrap();
        contract.specification = task.digest().to_string();
    };
    assert_eq!(refused(&both).0, "contract_signature");
    let swapped = |contract: &mut Contract| {
        std::mem::swap(&mut contract.active, &mut contract.passive);
    };
    assert!(refused(&swapped).1.contains("somebody else's"));
    let (_, said) = refused(&|contract| contract.passive.at_ms += 1);
    assert!(
        said.contains("bank-b") && said.contains("altered"),
        "{said}"
    );
    assert_eq!(refused(&|c| c.contract = 2).0, "contract_version");
    let illegal = |contract: &mut Contract| {
        let TaskSpec::Train(spec) = &mut contract.spec else {
            return;
        };
        spec.encryption.key_bits = 512;
    };
    assert_eq!(refused(&illegal).0, "job_specification");
}

#[test]
fn a_certificate_that_has_ended_speaks_for_what_was_kept_alone() {
    let in_a_month = NOW_MS + 30 * 86_400_000;
    let late = Moment::Arrival { now_ms: in_a_month };
    let error = contract().verify(late, check).unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");
    let kept = Moment::Later { now_ms: in_a_month };
    assert_eq!(contract().verify(kept, check), Ok(task()));
}

#[test]
fn a_signature_of_tomorrow_is_refused() {
    let yesterday = Moment::Later {
        now_ms: NOW_MS - 86_400_000,
    };
    let error = contract().verify(yesterday, check).unwrap_err();
    assert_eq!(error.label(), "contract_future");
    let a_minute_ago = Moment::Arrival {
        now_ms: NOW_MS - 60_000,
    };
    // As of a minute ago the certificate was not there yet.
    assert_eq!(
        contract().verify(a_minute_ago, check).unwrap_err().label(),
        "contract_signature"
    );
}

proptest! {
    /// No byte of either signature can be another one.
    #[test]
    fn every_byte_counts(passive: bool, position in 0_usize..600, bit in 0_u8..7) {
        let mut contract = contract();
        let signed = match passive {
            true => &mut contract.passive,
            false => &mut contract.active,
        };
        let start = signed.signature.find('\n').unwrap() + 1;
        let mut bytes = signed.signature.clone().into_bytes();
        let position = start + position % (bytes.len() - start);
        bytes[position] ^= 1 << bit;
        if let Ok(altered) = String::from_utf8(bytes) {
            signed.signature = altered;
            prop_assert!(contract.verify(ARRIVAL, check).is_err());
        }
    }
}
