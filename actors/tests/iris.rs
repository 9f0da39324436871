//! The paper's Iris network on the Iris data: what the protocol costs in
//! accuracy, which is nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use entente_actors::{
    data::{Columns, DatasetConfig, open_features, open_labels},
    network::{self, plaintext::PlaintextClassifier},
};
use entente_he::{Backend, Paillier, PaillierBackend, Scheme, Transparent, TransparentBackend};
use entente_protocol::{
    acml::{
        ActiveHalf, ActiveRole, ActiveSetUp, MadeInTurn, Model, PassiveHalf, PassiveRole,
        PassiveSetUp, Purpose, private_seed, reference::Reference,
    },
    job::{Decay, Job},
    loopback,
    network::{BottomNetwork, Features, Labels},
};
use entente_wire::Secret;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

/// The sample that the demonstration trains.
fn job(seed: u64, epochs: u32) -> Job {
    let sample = Job::from_toml(include_str!("../../deploy/iris.toml")).unwrap();
    let mut spec = sample.spec().clone();
    spec.training.seed = seed;
    spec.training.epochs = epochs;
    spec.try_into().unwrap()
}

fn features(job: &Job) -> Box<dyn Features> {
    open_features(
        &DatasetConfig::Iris {
            columns: Columns::Features,
            standardise: None,
        },
        job,
    )
    .unwrap()
}

fn labels(job: &Job) -> Box<dyn Labels> {
    open_labels(
        &DatasetConfig::Iris {
            columns: Columns::Labels,
            standardise: None,
        },
        job,
    )
    .unwrap()
}

fn seeds(job: &Job) -> [Secret<[u8; 32]>; 2] {
    [1, 2].map(|party| Secret::new([party ^ job.spec().training.seed as u8; 32]))
}

fn bottom(job: &Job) -> Box<dyn BottomNetwork> {
    let seed = private_seed(&seeds(job)[0], job, Purpose::Bottom);
    network::build(job, seed.expose(), None).unwrap()
}

fn reference(job: &Job) -> Reference {
    let [active, passive] = seeds(job);
    Reference::new(
        job,
        features(job),
        labels(job),
        bottom(job),
        [&active, &passive],
    )
    .unwrap()
}

/// Test accuracy and model, trained through the protocol.
fn trained<S: Scheme>(job: &Job, backend: Arc<dyn Backend<S>>) -> (f64, Model) {
    let [active, passive] = seeds(job);
    let rng = |seed| Box::new(ChaCha20Rng::seed_from_u64(seed));
    let active = ActiveRole::new(ActiveSetUp {
        job: job.clone(),
        features: features(job),
        bottom: bottom(job),
        next_keys: Box::new(MadeInTurn::new(backend.clone(), job, rng(3))),
        witness: loopback::witness(),
        backend: backend.clone(),
        weight_seed: active,
        rng: rng(1),
    });
    let passive = PassiveRole::new(PassiveSetUp {
        job: job.clone(),
        labels: labels(job),
        backend,
        witness: loopback::witness(),
        weight_seed: passive,
        rng: rng(2),
    });
    let (active, passive) = (active.unwrap(), passive.unwrap());
    let trained = loopback::train(active, passive).unwrap();
    let accuracy = trained.test_accuracy().unwrap();
    let active = ActiveHalf::open(job, trained.left.half().expose()).unwrap();
    let passive = PassiveHalf::open(job, trained.right.half().expose()).unwrap();
    (accuracy, Model::join(active, passive))
}

/// The same network in floating point, from the same weights.
fn plaintext_accuracy(job: &Job) -> f64 {
    let start = reference(job).model();
    let scale = f64::from(job.spec().fixed_point.weight_bits()).exp2();
    let top = start
        .weights
        .as_array()
        .mapv(|x| x.0.cast_signed() as f64 / scale);
    let (features, labels) = (features(job), labels(job));
    PlaintextClassifier::train(job, features.as_ref(), labels.as_ref(), top, bottom(job))
        .unwrap()
        .test_accuracy
        .unwrap()
}

/// Five seeds by a rule and not by their luck. A seed draws the split too, and
/// with 30 test flowers one flower is 3.3 points: over seeds 1 to 60, whose mean
/// is 0.968, five at a time average 0.953 to 0.980, in plaintext as
/// under encryption.
const SEEDS: [u64; 5] = [10, 20, 30, 40, 50];

#[test]
fn accuracy_is_the_plaintext_networks_and_at_least_95_percent_on_average() {
    let mut accuracies = Vec::new();
    for seed in SEEDS {
        let job = job(seed, 30);
        let (accuracy, model) = trained::<Transparent>(&job, Arc::new(TransparentBackend));
        let mut reference = reference(&job);
        let in_fixed_point = reference.run().unwrap().unwrap();
        assert!(model.is_bit_identical(&reference.model()), "seed {seed}");
        assert_eq!(accuracy, in_fixed_point, "seed {seed}");
        let in_plaintext = plaintext_accuracy(&job);
        assert!(
            (accuracy - in_plaintext).abs() <= 0.01,
            "seed {seed}: {accuracy} {in_plaintext}"
        );
        accuracies.push(accuracy);
    }
    let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
    assert!(mean >= 0.95, "{mean}: {accuracies:?}");
}

/// The same roles and the same network under encryption: burn below the cut,
/// Paillier at it, every weight compared.
#[test]
fn under_paillier_every_weight_is_the_references() {
    let job = job(10, 5).with_insecure_key(512);
    let (_, model) = trained::<Paillier>(&job, Arc::new(PaillierBackend::default()));
    let mut reference = reference(&job);
    reference.run().unwrap();
    assert!(model.is_bit_identical(&reference.model()));
}

/// Flowers as images of four points: draws in training, statistics that run,
/// and a pace, and still not a bit between the protocol and the reference.
#[test]
fn what_is_drawn_and_kept_below_the_cut_changes_no_bit() {
    let mut spec = job(10, 4).spec().clone();
    spec.network = serde_json::from_value(serde_json::json!({
        "input": [1, 2, 2],
        "bottom": [
            { "kind": "conv2d", "channels": 3, "kernel": 2, "padding": 1 },
            { "kind": "batch_norm" },
            { "kind": "residual", "layers": [
                { "kind": "conv2d", "channels": 3, "kernel": 1 },
                { "kind": "leaky_relu" },
            ] },
            { "kind": "max_pool", "kernel": 2, "stride": 1 },
            { "kind": "flatten" },
            { "kind": "dropout", "rate": 0.2 },
            { "kind": "dense", "units": 4 },
            { "kind": "tanh" },
        ],
        "classes": 3,
    }))
    .unwrap();
    spec.training.warm_up_epochs = 1;
    spec.training.decay = Decay::Cosine { floor: 0.1 };
    let job = Job::try_from(spec).unwrap();
    let (accuracy, model) = trained::<Transparent>(&job, Arc::new(TransparentBackend));
    let mut reference = reference(&job);
    assert_eq!(reference.run().unwrap(), Some(accuracy));
    assert!(model.is_bit_identical(&reference.model()));
    let running = |name: &str| model.bottom.iter().any(|tensor| tensor.name == name);
    assert!(running("1.running_mean") && running("1.running_var"));
}
