//! A model that has been trained, asked through its two halves.

use std::{collections::HashSet, sync::Arc};

use entente_he::{Backend, Paillier, PaillierBackend, Scheme, Transparent, TransparentBackend};
use entente_wire::{Encode, RingMatrix};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::{Case, hostile_messages::every_message_is_held_against_its_state, network::Table};
use crate::{
    Machine, Next, Outbox, Product, ProtocolError, Report, Role,
    acml::{
        ActiveHalf, ActiveInference, ActiveInferenceSetUp, Aim, Model, PassiveHalf,
        PassiveInference, PassiveInferenceSetUp, algebra::Corrected, loss,
    },
    job::{Inference, Job, Objective, Task, task::WhichRows},
    loopback,
    network::{BottomNetwork, Features, Labels},
    product::Predictions,
    rows::RowIds,
    schedule::Exchange,
};

/// A case that has been trained.
pub(super) struct Trained {
    case: Case,
    job: Job,
    /// Of the labels' side.
    reports: Vec<Report>,
    halves: [Vec<u8>; 2],
}

impl Trained {
    pub(super) fn new<S: Scheme>(case: &Case, backend: Arc<dyn Backend<S>>, masks: u64) -> Self {
        let job = case.job().with_insecure_key(512);
        let trained = loopback::train(
            case.active::<S, Corrected>(&job, backend.clone(), case.bottom(), masks),
            case.passive::<S, Corrected>(&job, backend, masks),
        )
        .unwrap();
        let halves = [trained.left.half(), trained.right.half()];
        Self {
            case: case.clone(),
            job,
            // An inference has one key and says nothing of it.
            reports: (trained.reports.into_iter())
                .map(|told| Report { key: None, ..told })
                .collect(),
            halves: halves.map(|half| half.expose().clone()),
        }
    }

    fn active_half(&self) -> ActiveHalf {
        ActiveHalf::open(&self.job, &self.halves[0]).unwrap()
    }

    fn passive_half(&self) -> PassiveHalf {
        PassiveHalf::open(&self.job, &self.halves[1]).unwrap()
    }

    pub(super) fn active<S: Scheme>(
        &self,
        asked: &Asked,
        backend: Arc<dyn Backend<S>>,
    ) -> ActiveInference<S> {
        ActiveInference::new(self.active_set_up(asked, backend)).unwrap()
    }

    pub(super) fn active_set_up<S: Scheme>(
        &self,
        asked: &Asked,
        backend: Arc<dyn Backend<S>>,
    ) -> ActiveInferenceSetUp<S> {
        let half = self.active_half();
        let mut bottom = self.case.bottom();
        bottom.set(&half.bottom);
        ActiveInferenceSetUp {
            inference: asked.inference(),
            trained: self.job.clone(),
            half,
            bottom: Box::new(bottom),
            features: Box::new(asked.table.clone()),
            backend,
            witness: loopback::witness(),
            rng: Box::new(ChaCha20Rng::seed_from_u64(asked.masks)),
        }
    }

    pub(super) fn passive<S: Scheme>(
        &self,
        asked: &Asked,
        backend: Arc<dyn Backend<S>>,
    ) -> PassiveInference<S> {
        PassiveInference::new(self.passive_set_up(asked, backend))
    }

    pub(super) fn passive_set_up<S: Scheme>(
        &self,
        asked: &Asked,
        backend: Arc<dyn Backend<S>>,
    ) -> PassiveInferenceSetUp<S> {
        let ids = asked
            .by_id
            .then(|| RowIds::numbered(Labels::rows(&asked.table)));
        PassiveInferenceSetUp {
            inference: asked.inference(),
            trained: self.job.clone(),
            half: self.passive_half(),
            aim: match asked.question {
                "evaluate" => Aim::Evaluate(Box::new(asked.table.clone())),
                "active" => Aim::PredictThere(ids),
                _ => Aim::PredictHere(ids),
            },
            backend,
            witness: loopback::witness(),
            rng: Box::new(ChaCha20Rng::seed_from_u64(asked.masks ^ 0xdead)),
        }
    }

    /// What the model says of rows, in plain and over the ring.
    fn plain(&self, table: &Table, rows: &[usize]) -> (RingMatrix, Predictions) {
        let model = Model::join(self.active_half(), self.passive_half());
        let mut bottom = self.case.bottom();
        bottom.set(&model.bottom);
        let scales = self.job.spec().fixed_point;
        let a = bottom.infer(Features::batch(table, rows).unwrap()).unwrap();
        let a = scales.activations(&a).unwrap();
        let z = a.dot(&model.weights.transposed()).add_row(&model.bias);
        let mut predictions = Predictions::new(self.case.classes);
        let judged = loss::judged(self.case.loss, &scales.logits(&z).unwrap());
        predictions.add(rows, &judged);
        (z, predictions)
    }
}

/// A question.
#[derive(Clone)]
pub(super) struct Asked {
    /// `evaluate`, or where the predictions go.
    pub(super) question: &'static str,
    pub(super) rows: WhichRows,
    /// Whether the labels' side has ids of its own.
    pub(super) by_id: bool,
    pub(super) batch: usize,
    pub(super) table: Table,
    pub(super) masks: u64,
}

impl Asked {
    pub(super) fn of(case: &Case, question: &'static str) -> Self {
        Self {
            question,
            rows: WhichRows::All,
            by_id: false,
            batch: 3,
            table: case.table(),
            masks: 8,
        }
    }

    fn inference(&self) -> Inference {
        let task = match self.question {
            "evaluate" => "task = \"evaluate\"".to_owned(),
            at => format!("task = \"predict\"\nresults_at = \"{at}\""),
        };
        let matched = if self.by_id { "match_on = \"id\"" } else { "" };
        let text = format!(
            "name = \"asked\"\n{task}\nmodel = \"case\"\nbatch_size = {}\n\
             parties = {{ active = \"a\", passive = \"p\" }}\n\
             [data]\ndataset = \"made-up\"\n{matched}\n",
            self.batch
        );
        let Task::Infer(inference) = Task::from_toml(&text).unwrap() else {
            panic!("{text}")
        };
        let mut spec = inference.spec().clone();
        spec.data.rows = self.rows;
        Inference::try_from(spec).unwrap().with_insecure_key(512)
    }
}

/// Runs the whole of an inference; what both sides are left with, the reports
/// of the labels' side, and what was sent.
type Answered = ([Product; 2], Vec<Report>, Vec<(&'static str, Vec<u8>)>);

fn ask<S: Scheme>(
    trained: &Trained,
    asked: &Asked,
    backend: Arc<dyn Backend<S>>,
) -> Result<Answered, ProtocolError> {
    let mut active = trained.active(asked, backend.clone());
    let mut passive = trained.passive(asked, backend);
    let (mut reports, mut sent) = (Vec::new(), Vec::new());
    for index in 0..active.schedule().exchanges() {
        let mut seen = |_: loopback::Speaker, name: &'static str, payload: &mut Vec<u8>| {
            sent.push((name, payload.clone()))
        };
        let (one, other) = loopback::exchange(index, active, passive, &mut seen)?;
        reports.push(other.report);
        (active, passive) = (one.role, other.role);
        assert_eq!(active.schedule(), passive.schedule(), "after the set-up");
    }
    Ok(([active.product(), passive.product()], reports, sent))
}

fn cases() -> impl Strategy<Value = Case> {
    (
        (1_usize..5, 1_usize..5, 2_usize..5, 1_usize..8),
        (5_usize..25, any::<u64>(), any::<bool>()),
    )
        .prop_map(
            |((inputs, width, classes, batch), (rows, seed, binary))| Case {
                rows,
                inputs,
                width,
                classes: if binary { 2 } else { classes },
                loss: match binary {
                    true => Objective::BinaryCrossEntropy,
                    false => Objective::CrossEntropy,
                },
                batch,
                epochs: 3,
                seed,
                ..Case::small()
            },
        )
}

pub(super) fn bits(predictions: &Predictions) -> Vec<(usize, usize, Vec<u64>)> {
    let bits =
        |p: &crate::product::Prediction<'_>| p.probabilities.iter().map(|p| p.to_bits()).collect();
    predictions
        .iter()
        .map(|p| (p.row, p.class, bits(&p)))
        .collect()
}

/// Asks in every way, and compares with training's own look at the test rows
/// and with the plain model, bit for bit.
fn agrees<S: Scheme>(case: &Case, backend: Arc<dyn Backend<S>>, masks: u64) {
    let trained = Trained::new(case, backend.clone(), masks);
    let schedule = trained.job.schedule(case.rows);
    let own: Vec<Report> = (0..)
        .zip(&trained.reports)
        .filter(|(index, _)| matches!(schedule.exchange(*index), Some(Exchange::Evaluate { .. })))
        .map(|(_, report)| *report)
        .collect();
    let evaluation = Asked {
        rows: WhichRows::Test,
        batch: case.batch,
        ..Asked::of(case, "evaluate")
    };
    let ([nothing, found], reports, _) = ask(&trained, &evaluation, backend.clone()).unwrap();
    assert_eq!(reports[1..], own, "{case:?}");
    assert!(matches!(nothing, Product::Nothing));
    match found {
        Product::Evaluation(found) => {
            let rows = schedule.test_rows().len() as u64;
            assert_eq!((found.told.rows, found.confusion.sum()), (rows, rows));
            let right: u64 = found.confusion.diag().sum();
            assert_eq!(found.told.accuracy, right as f64 / rows as f64);
        }
        Product::Nothing => assert!(own.is_empty()),
        other => panic!("{other:?}"),
    }

    let other_rows = Table::random(case.rows + 2, case.inputs, case.classes, case.seed ^ 1);
    let all: Vec<usize> = (0..case.rows + 2).collect();
    let (_, expected) = trained.plain(&other_rows, &all);
    for (place, question) in [(0, "active"), (1, "passive")] {
        for by_id in [false, true] {
            let asked = Asked {
                by_id,
                table: other_rows.clone(),
                ..Asked::of(case, question)
            };
            let (products, reports, _) = ask(&trained, &asked, backend.clone()).unwrap();
            for (side, product) in products.iter().enumerate() {
                match product {
                    Product::Predictions(got) if side == place => {
                        assert_eq!(bits(got), bits(&expected), "{question} {case:?}");
                    }
                    Product::Nothing if side != place => {}
                    other => panic!("{question}, side {side}: {other:?}"),
                }
            }
            assert!(reports.iter().all(|told| told.loss.is_none()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn answers_are_the_plain_models_bit_for_bit(case in cases(), masks: u64) {
        agrees::<Transparent>(&case, Arc::new(TransparentBackend), masks);
    }
}

#[test]
fn answers_under_paillier_are_the_plain_models_bit_for_bit() {
    for case in [Case::small(), Case::binary()] {
        agrees::<Paillier>(&case, Arc::new(PaillierBackend::default()), 4);
    }
}

#[test]
fn the_side_that_is_not_answered_is_sent_nothing_to_answer_itself_with() {
    let case = Case::small();
    let backend: Arc<dyn Backend<Paillier>> = Arc::new(PaillierBackend::default());
    let trained = Trained::new(&case, backend.clone(), 4);
    let rows: Vec<usize> = (0..case.rows).collect();
    let (z, _) = trained.plain(&case.table(), &rows);
    let words: Vec<Vec<u8>> = z.encoded()[8..].chunks(8).map(<[u8]>::to_vec).collect();
    for (question, batch) in [
        (
            "active",
            &["activations_for_inference", "product_and_mask"][..],
        ),
        (
            "passive",
            &[
                "activations_for_inference",
                "masked_product",
                "masked_logits",
            ],
        ),
    ] {
        let (_, _, sent) = ask(&trained, &Asked::of(&case, question), backend.clone()).unwrap();
        let names: Vec<&str> = sent.iter().map(|(name, _)| *name).collect();
        // By position nothing is compared: the set-up is two messages.
        assert_eq!(names[..2], ["key_and_model", "model_answer"]);
        assert!(names[2..].chunks(batch.len()).all(|names| names == batch));
        let stream: Vec<u8> = sent.into_iter().flat_map(|(_, payload)| payload).collect();
        let windows: HashSet<&[u8]> = stream.windows(8).collect();
        assert!(words.iter().all(|word| !windows.contains(word.as_slice())));
    }
}

/// The same job, the same weights at the start, other masks: the halves look
/// alike in every way and answer noise together.
#[test]
fn halves_of_two_trainings_are_refused_on_both_sides_before_anything_is_asked() {
    let case = Case::small();
    let backend: Arc<dyn Backend<Paillier>> = Arc::new(PaillierBackend::default());
    let here = Trained::new(&case, backend.clone(), 4);
    let there = Trained::new(&case, backend.clone(), 5);
    assert_ne!(here.active_half().pairing, there.passive_half().pairing);
    assert_eq!(here.active_half().pairing, here.passive_half().pairing);
    let asked = Asked::of(&case, "evaluate");
    let (mut forth, mut back) = (Outbox::new(), Outbox::new());
    let active = here.active(&asked, backend.clone());
    let Next::Continue(active) = active.begin(0, &mut forth).unwrap() else {
        panic!("it waits for an answer")
    };
    let passive = there.passive(&asked, backend);
    let Next::Continue(passive) = passive.begin(0, &mut back).unwrap() else {
        panic!("it waits for a key")
    };
    let [key] = &forth.drain()[..] else {
        panic!("one message")
    };
    let Next::Continue(passive) = passive.handle(&key.payload, &mut back).unwrap() else {
        panic!("it waits for the other side to end")
    };
    assert_eq!(passive.certain_end(), Some(ProtocolError::ModelsDiffer));
    let [answer] = &back.drain()[..] else {
        panic!("one message")
    };
    let error = active.handle(&answer.payload, &mut forth).err();
    assert_eq!(error, Some(ProtocolError::ModelsDiffer));
    assert!(forth.drain().is_empty());
    let anything = passive.handle(&answer.payload, &mut back).err();
    assert_eq!(anything, Some(ProtocolError::ModelsDiffer));
}

/// Why that matters: what halves of two trainings say together is no error, and
/// nonsense.
#[test]
fn halves_of_two_trainings_would_answer_without_an_error() {
    let case = Case::small();
    let backend: Arc<dyn Backend<Transparent>> = Arc::new(TransparentBackend);
    let here = Trained::new(&case, backend.clone(), 4);
    let there = Trained::new(&case, backend, 5);
    let own = Model::join(here.active_half(), here.passive_half());
    let mixed = Model::join(here.active_half(), there.passive_half());
    assert_eq!(mixed.weights.shape(), own.weights.shape());
    assert_ne!(mixed.weights, own.weights);
}

#[test]
fn rows_that_differ_are_an_error_where_the_labels_side_has_its_own() {
    let case = Case::small();
    let backend: Arc<dyn Backend<Transparent>> = Arc::new(TransparentBackend);
    let trained = Trained::new(&case, backend.clone(), 4);
    for question in ["evaluate", "passive"] {
        let here = Asked {
            by_id: true,
            ..Asked::of(&case, question)
        };
        let mut there = here.clone();
        there.table = Table::random(case.rows + 1, case.inputs, case.classes, 1);
        let active = trained.active(&here, backend.clone());
        let passive = trained.passive(&there, backend.clone());
        let ended = loopback::exchange(0, active, passive, &mut |_, _, _| {});
        let error = ended.err().unwrap();
        assert_eq!(error.label(), "rows_differ", "{question}: {error}");
    }
}

#[test]
fn every_message_is_held_against_its_state_here_too() {
    let case = Case {
        rows: 4,
        width: 2,
        classes: 2,
        ..Case::small()
    };
    let backend: Arc<dyn Backend<Transparent>> = Arc::new(TransparentBackend);
    let trained = Trained::new(&case, backend.clone(), 4);
    // With three messages that compare rows, and without; then two batches.
    for (question, messages) in [("evaluate", 5 + 6), ("active", 2 + 4)] {
        let asked = Asked::of(&case, question);
        every_message_is_held_against_its_state(messages, &|| {
            (
                trained.active(&asked, backend.clone()),
                trained.passive(&asked, backend.clone()),
            )
        });
    }
}
