//! The real protocol between two whole parties, over the scheme that hides
//! nothing: what is shown here is that runtime, delivery and recovery of links
//! change no bit of it.

use entente_protocol::{
    acml::{ActiveHalf, Model, PassiveHalf, Purpose, private_seed, reference::Reference},
    job::{EarlyStopping, Job, Keep, Metric, Task, TaskSpec, Training},
    schedule::Place,
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

/// The plaintext network on the validation rows after each epoch, on the test
/// rows, and its model.
pub(super) fn reference(job: &Job) -> (Vec<Score>, Score, Model) {
    let seeds = ["bank-a", "bank-b"].map(|name| {
        let name = name.parse().unwrap();
        fixed_weight_seed(FIXED_SEED, &name)
    });
    let seed = private_seed(&seeds[0], job, Purpose::Bottom);
    let bottom = network::build(job, seed.expose(), None);
    let features = data::open_features(&iris("features"), job).unwrap();
    let mut reference = Reference::new(
        job,
        features,
        data::open_labels(&iris("labels"), job).unwrap(),
        bottom.unwrap(),
        [&seeds[0], &seeds[1]],
    )
    .unwrap();
    let (mut validated, mut tested) = (Vec::new(), Score::default());
    let mut index = 0;
    while let Some(place) = reference.schedule().place(index) {
        let report = reference.exchange(index).unwrap();
        match place {
            Place::Validate { epoch, .. } => {
                validated.resize(epoch as usize + 1, Score::default());
                validated[epoch as usize].add(&report);
            }
            Place::Evaluate { .. } => tested.add(&report),
            _ => {}
        }
        index += 1;
    }
    (validated, tested, reference.model())
}

/// The job of the assignments with validation rows, and with this training.
fn trained_so(change: impl FnOnce(&mut Training)) -> Job {
    let TaskSpec::Train(mut spec) = assignment(1, "bank-a", "bank-b").spec else {
        panic!("it trains")
    };
    spec.data.validation_fraction = 0.2;
    change(&mut spec.training);
    Job::try_from(*spec).unwrap()
}

/// The job of the assignments, for five epochs and with validation rows.
pub(super) fn five_epochs() -> Job {
    trained_so(|training| training.epochs = 5)
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
    let (validated, tested, expected) = reference(&job);
    let validated = validated[4];
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
    assert_eq!((labels_side.best, labels_side.stopped_early), (None, false));
    assert_eq!(features_side.samples, labels_side.samples);
    world.line.called(2).await;
    world.stop().await;
}

/// No epoch betters the first by as much as is asked for, so it is known when
/// training stops, whatever the weights are.
#[actix_rt::test]
async fn training_that_stops_early_ends_well_and_with_the_best_epochs_weights() {
    let job = trained_so(|training| {
        training.epochs = 30;
        training.early_stopping = Some(EarlyStopping {
            patience: 2,
            min_delta: 1e9,
            metric: Metric::Accuracy,
        });
        training.keep = Keep::Best;
    });
    let mut assignment = assignment(1, "bank-a", "bank-b");
    assignment.spec = Task::from(job.clone()).spec();
    let world = World::over(60_000, Launches::Acml).await;
    let id = world.wish_for(assignment);
    let [half_a, half_b] = world.finish(id).await;
    let model = Model::join(
        ActiveHalf::open(&job, &half_a).unwrap(),
        PassiveHalf::open(&job, &half_b).unwrap(),
    );
    let (validated, tested, expected) = reference(&job);
    assert_eq!(validated.len(), 3);
    assert!(model.is_bit_identical(&expected));

    let labels_side = world.coordinator.finished("bank-b").await.progress;
    assert_eq!(labels_side.test_accuracy, tested.accuracy());
    let (best, last) = (labels_side.best.unwrap(), labels_side.validation.unwrap());
    assert_eq!((best.epoch, last.epoch), (1, 3));
    assert_eq!(Some(best.loss), validated[0].loss());
    assert_eq!(Some(last.accuracy), validated[2].accuracy());
    let features_side = world.coordinator.finished("bank-a").await.progress;
    assert_eq!(features_side.best, None);
    let schedule = job.schedule(150);
    for progress in [labels_side, features_side] {
        assert!(progress.stopped_early);
        assert_eq!(progress.epoch, 3);
        assert_eq!(progress.exchanges_done, progress.exchanges);
        assert_eq!(progress.rounds_done, progress.rounds);
        assert_eq!(progress.rounds, 3 * schedule.rounds_per_epoch());
    }
    world.stop().await;
}
