//! The real protocol between two whole parties, over the scheme that hides
//! nothing: what is shown here is that runtime, delivery and recovery of links
//! change no bit of it.

use entente_protocol::{
    acml::{ActiveHalf, Model, PassiveHalf, Purpose, private_seed, reference::Reference},
    job::{Job, Task, TaskSpec},
    schedule::Exchange,
    score::Score,
};

use super::world::{FIXED_SEED, Launches, World};
use crate::{
    data::{self, DatasetConfig},
    fixed_weight_seed, network,
    testbed::assignment,
};

fn iris(columns: &str) -> DatasetConfig {
    let config = serde_json::json!({ "source": "iris", "columns": columns });
    serde_json::from_value(config).unwrap()
}

/// The plaintext network on the validation rows after the last epoch, on the
/// test rows, and its model.
pub(super) fn reference(job: &Job) -> ([Score; 2], Model) {
    let seeds = ["bank-a", "bank-b"].map(|name| {
        let name = name.parse().unwrap();
        fixed_weight_seed(FIXED_SEED, &name)
    });
    let seed = private_seed(&seeds[0], job, Purpose::Bottom);
    let bottom = network::build(job, seed.expose(), None);
    let features = data::open_features(&iris("features"), job).unwrap();
    let schedule = job.schedule(features.ids());
    let mut reference = Reference::new(
        job,
        features,
        data::open_labels(&iris("labels"), job).unwrap(),
        bottom.unwrap(),
        [&seeds[0], &seeds[1]],
    )
    .unwrap();
    let [mut validated, mut tested] = [Score::default(); 2];
    for index in 0..schedule.exchanges() {
        let report = reference.exchange(index).unwrap();
        match schedule.exchange(index) {
            Some(Exchange::Validate { epoch: 4, .. }) => validated.add(&report),
            Some(Exchange::Evaluate { .. }) => tested.add(&report),
            _ => {}
        }
    }
    ([validated, tested], reference.model())
}

/// The job of the assignments, for five epochs and with validation rows.
pub(super) fn five_epochs() -> Job {
    let TaskSpec::Train(mut spec) = assignment(1, "bank-a", "bank-b").spec else {
        panic!("it trains")
    };
    spec.training.epochs = 5;
    spec.data.validation_fraction = 0.2;
    Job::try_from(*spec).unwrap()
}

#[actix_rt::test]
async fn training_over_a_breaking_line_equals_the_reference_bit_for_bit() {
    let job = five_epochs();
    let mut assignment = assignment(1, "bank-a", "bank-b");
    assignment.spec = Task::from(job.clone()).spec();
    let world = World::over(60_000, Launches::Acml).await;
    let id = world.wish_for(assignment);
    let [half_a, half_b] = world.finish(id).await;
    let model = Model::join(
        ActiveHalf::open(&job, &half_a).unwrap(),
        PassiveHalf::open(&job, &half_b).unwrap(),
    );
    let ([validated, tested], expected) = reference(&job);
    assert_eq!((validated.samples(), tested.samples()), (30, 30));
    assert!(model.is_bit_identical(&expected));

    let labels_side = world.coordinator.finished("bank-b").await.progress;
    assert_eq!(labels_side.test_accuracy, tested.accuracy());
    let validation = labels_side.validation.unwrap();
    assert_eq!(validation.epoch, 5);
    assert_eq!(Some(validation.loss), validated.loss());
    assert_eq!(Some(validation.accuracy), validated.accuracy());
    assert!(labels_side.loss.unwrap() > 0.0);
    assert_eq!(labels_side.epoch, 5);
    let features_side = world.coordinator.finished("bank-a").await.progress;
    assert_eq!(
        (features_side.loss, features_side.test_accuracy),
        (None, None)
    );
    assert_eq!(features_side.validation, None);
    assert_eq!(features_side.samples, labels_side.samples);
    world.line.called(2).await;
    world.stop().await;
}
