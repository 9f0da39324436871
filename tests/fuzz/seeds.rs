//! Writes what each target begins with, below a folder: `seeds FOLDER`. What is
//! committed as vectors and samples, and what the project itself writes.
//!
//! A fuzzer that begins with nothing finds the first title in hours, and the fields
//! behind it never.

use std::{env, fs, path::Path, sync::Arc};

use entente_fuzz::{JOB, Nothing};
use entente_he::{Backend, KeyBits, Paillier, PaillierBackend, Transparent, TransparentBackend};
use entente_protocol::{
    Role,
    acml::{ActiveRole, ActiveSetUp, MadeInTurn, PassiveRole, PassiveSetUp},
    fixed::Scales,
    loopback,
};
use entente_wire::{Encode, RingMatrix, Secret, Shape};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

type Anything = Box<dyn std::error::Error>;

struct Corpus<'a>(&'a Path);

impl Corpus<'_> {
    fn put(&self, target: &str, name: &str, bytes: impl AsRef<[u8]>) -> Result<(), Anything> {
        let folder = self.0.join(target);
        fs::create_dir_all(&folder)?;
        Ok(fs::write(folder.join(name), bytes)?)
    }
}

fn main() -> Result<(), Anything> {
    let folder = env::args_os().nth(1).ok_or("say where: seeds FOLDER")?;
    let corpus = Corpus(Path::new(&folder));
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = here.join("../..");
    frames(&corpus, &project)?;
    messages(&corpus, &project)?;
    control(&corpus, &project)?;
    ciphertexts(&corpus)?;
    roles(&corpus)?;
    datasets(&corpus)?;
    #[cfg(feature = "party")]
    networks(&corpus, &project)?;
    #[cfg(feature = "certificates")]
    signed(&corpus)?;
    #[cfg(feature = "coordinator")]
    audit(&corpus)?;
    Ok(())
}

/// Files of a folder of the project, by name.
fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Anything> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        if let (true, Some(name)) = (path.is_file(), name) {
            files.push((name, fs::read(&path)?));
        }
    }
    Ok(files)
}

fn digits(text: &str) -> Result<Vec<u8>, Anything> {
    Ok(hex::decode(text.split_whitespace().collect::<String>())?)
}

fn frames(corpus: &Corpus<'_>, project: &Path) -> Result<(), Anything> {
    for version in ["v1", "v2"] {
        for (name, text) in files(&project.join("protocol/wire/tests/vectors").join(version))? {
            let frame = digits(core::str::from_utf8(&text)?)?;
            corpus.put("frame", &format!("{version}-{name}"), &frame)?;
            corpus.put("journal", &format!("{version}-{name}"), &frame)?;
        }
    }
    Ok(())
}

fn messages(corpus: &Corpus<'_>, project: &Path) -> Result<(), Anything> {
    const OF_ROWS: [&str; 7] = [
        "row_list.hex",
        "row_list_answer.hex",
        "row_list_proof.hex",
        "blinded_ids.hex",
        "blinded_both.hex",
        "blinded_back.hex",
        "rows_compared.hex",
    ];
    const OF_INFERENCE: [&str; 3] = [
        "key_and_model.hex",
        "model_answer.hex",
        "product_and_mask.hex",
    ];
    for (name, text) in files(&project.join("protocol/tests/vectors/v1"))? {
        let text = core::str::from_utf8(&text)?;
        let Some((shape, payload)) = text.split_once('\n').filter(|_| name.ends_with(".hex"))
        else {
            continue;
        };
        let (rows, cols) = shape
            .split_once(" x ")
            .ok_or("a vector begins with a shape")?;
        let mut seed = match OF_ROWS.contains(&&*name) {
            // As many ids as the two sides of the vectors have.
            true => vec![2, 4, 3],
            false => {
                let who = u8::from(OF_INFERENCE.contains(&&*name));
                vec![who, rows.parse()?, cols.parse()?]
            }
        };
        seed.extend(digits(payload)?);
        corpus.put("messages", &name, seed)?;
    }
    Ok(())
}

fn control(corpus: &Corpus<'_>, project: &Path) -> Result<(), Anything> {
    for folder in [
        "protocol/tests/vectors/v1",
        "protocol/tests/vectors/v2",
        "deploy",
    ] {
        for (name, text) in files(&project.join(folder))? {
            if name.ends_with(".json") || name.ends_with(".toml") {
                corpus.put(
                    "control",
                    &format!("{}-{name}", folder.replace('/', "-")),
                    text,
                )?;
            }
        }
    }
    corpus.put("control", "job.json", serde_json::to_vec(JOB.spec())?)
}

fn ciphertexts(corpus: &Corpus<'_>) -> Result<(), Anything> {
    let (bits, rng) = (
        KeyBits::insecure_for_tests(512),
        &mut ChaCha20Rng::seed_from_u64(1),
    );
    let bounds = Scales::default().bounds(2, 2, 2, 0.5);
    let backend: &dyn Backend<Paillier> = &PaillierBackend::default();
    let owner = backend.generate(bits, bounds, rng)?;
    let matrix = RingMatrix::zeros(Shape::new(2, 2));
    corpus.put("ciphertexts", "key", owner.public_key().encoded())?;
    let activations = owner.encrypt_activations(&matrix, rng)?;
    corpus.put("ciphertexts", "activations", activations.encoded())?;
    let share = owner.encrypt_share(&matrix, 2, rng)?;
    corpus.put("ciphertexts", "share", share.encoded())
}

/// What both roles of a training write at its beginning.
fn roles(corpus: &Corpus<'_>) -> Result<(), Anything> {
    let backend = Arc::new(TransparentBackend);
    let rng = |seed| Box::new(ChaCha20Rng::seed_from_u64(seed));
    let active = ActiveRole::<Transparent>::new(ActiveSetUp {
        job: JOB.clone(),
        features: Box::new(Nothing),
        bottom: Box::new(Nothing),
        next_keys: Box::new(MadeInTurn::new(backend.clone(), &JOB, rng(2))),
        witness: loopback::witness(),
        backend: backend.clone(),
        weight_seed: Secret::new([1; 32]),
        rng: rng(1),
    })?;
    let passive = PassiveRole::<Transparent>::new(PassiveSetUp {
        job: JOB.clone(),
        labels: Box::new(Nothing),
        backend,
        witness: loopback::witness(),
        weight_seed: Secret::new([1; 32]),
        rng: rng(1),
    })?;
    corpus.put("model_half", "active", active.half().expose())?;
    corpus.put("model_half", "passive", passive.half().expose())?;
    let roles = [
        ("acml active", active.checkpoint()),
        ("acml passive", passive.checkpoint()),
    ];
    for (side, (role, checkpoint)) in roles.into_iter().enumerate() {
        let head = entente_fuzz::checkpoint_head(role, JOB.digest()).len();
        let checkpoint = checkpoint.expose();
        // The target puts the head there, and the digest behind.
        let body = &checkpoint[head..checkpoint.len() - 32];
        let seed = [&[side as u8], body].concat();
        corpus.put("checkpoint", role, &seed)?;
    }
    // Of an inference: a seed of masks, a key, and nothing that was found yet.
    for kind in 0..6 {
        corpus.put(
            "inference_checkpoint",
            &kind.to_string(),
            [&[kind][..], &[0; 64]].concat(),
        )?;
    }
    Ok(())
}

#[cfg(feature = "party")]
fn networks(corpus: &Corpus<'_>, project: &Path) -> Result<(), Anything> {
    use entente_actors::network::{self, weights};
    use entente_protocol::network::NamedTensor;

    let network = network::build(&JOB, &[1; 32], None)?;
    corpus.put("network_state", "state", network.state().expose())?;
    let tensor = NamedTensor {
        name: "0.weight".into(),
        shape: vec![2, 2],
        values: vec![1.0, 2.0, 3.0, 4.0],
    };
    let safetensors = [&[0], &*weights::safetensors(&[tensor])?].concat();
    corpus.put("weights", "safetensors", safetensors)?;
    let pytorch = fs::read(project.join("actors/src/network/weights/dense.pt"))?;
    corpus.put("weights", "pytorch", [&[1], &*pytorch].concat())
}

fn datasets(corpus: &Corpus<'_>) -> Result<(), Anything> {
    // Two images of 2 x 2, and as many labels.
    corpus.put(
        "datasets",
        "images.idx",
        b"\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x02abcdefgh",
    )?;
    corpus.put("datasets", "labels.idx", b"\0\0\x08\x01\0\0\0\x02\x01\x02")?;
    corpus.put(
        "datasets",
        "table.csv",
        "id,x,\"y, z\"\n1,0.5,1e-3\n2,,\"\"\"\"\n",
    )?;
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n";
    let length = u16::try_from(header.len())?.to_le_bytes();
    let npy = [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), &[0; 8]].concat();
    corpus.put("datasets", "array.npy", npy)?;
    corpus.put("datasets", "cifar", [[3].as_slice(), &[127; 3072]].concat())
}

/// What is signed, and certificates.
#[cfg(feature = "certificates")]
fn signed(corpus: &Corpus<'_>) -> Result<(), Anything> {
    use entente_protocol::{
        contract::{Contract, Signatures, Signed},
        job::{Job, Task},
    };
    use entente_tls::{Credentials, DevelopmentCa, NewRequest, TrustDomain, Validity};

    let folder = tempfile::tempdir()?;
    let ca = DevelopmentCa::create("fuzz")?;
    let issued = ca.issue(&"party/bank-a".parse()?, &[], Validity::days(1))?;
    let files = issued.save(folder.path(), "own")?;
    let signature = Credentials::load(&files)?.sign(b"text")?.to_string();
    corpus.put("contracts", "signature", &signature)?;
    let task = Task::Train(Box::new(Job::from_toml(include_str!(
        "../../deploy/iris.toml"
    ))?));
    let job = "0190a000-0000-7000-8000-000000000000".parse()?;
    let signed = Signed {
        at_ms: 1_763_733_600_123,
        signature,
    };
    let signatures = Signatures {
        active: Some(signed.clone()),
        passive: Some(signed),
    };
    let contract = Contract::of(job, &task, &signatures).map_err(|party| party.to_string())?;
    corpus.put("contracts", "contract", serde_json::to_vec(&contract)?)?;

    let party = "party/bank-b".parse()?;
    let request = NewRequest::make(&party, &TrustDomain::default(), &["bank-b.example".into()])?;
    request.save(folder.path(), "asked")?;
    for entry in fs::read_dir(folder.path())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // Keys are nobody else's to hand over.
        if !name.ends_with(".key") {
            corpus.put("certificates", &name, fs::read(&path)?)?;
        }
    }
    Ok(())
}

/// A log of two entries.
#[cfg(feature = "coordinator")]
fn audit(corpus: &Corpus<'_>) -> Result<(), Anything> {
    use entente_coordinator::{
        audit::{Deed, Entry, What},
        clock::Millis,
    };

    let who: entente_tls::Identity = "operator/olga".parse()?;
    let mut log: Vec<Entry> = Vec::new();
    for (at_ms, what) in [(1, What::Drained), (2, What::Undrained)] {
        let deed = Deed::at_large(what, who.clone(), Millis(at_ms));
        let last = log.last().map(|entry| (entry.number, entry.hash.clone()));
        log.push(Entry::after(last, deed));
    }
    corpus.put("audit", "log", serde_json::to_vec(&log)?)?;
    let hash = &log[1].hash;
    corpus.put("audit", "head", format!("2:{hash}"))
}
