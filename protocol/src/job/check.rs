//! From what was written to what is computed: every field is held against its
//! range once, here.

use entente_he::KeyBits;
use entente_wire::Digest;

use serde::Serialize;

use super::{
    Blueprint, Encryption, Job, JobError, JobSpec, Keep, KeyPolicy, Liveness, ModelName, Network,
    Objective, Parties, RowOrder, SampleShape, Training,
};
use crate::privacy::Privacy;

type Checked<T = ()> = Result<T, JobError>;

pub(super) fn check(ok: bool, field: &'static str, problem: &str) -> Checked {
    ok.then_some(())
        .ok_or_else(|| JobError::new(field, problem))
}

impl TryFrom<JobSpec> for Job {
    type Error = JobError;

    fn try_from(spec: JobSpec) -> Checked<Self> {
        check_name(&spec.name)?;
        check_parties(&spec.parties)?;
        check(
            (0.0..1.0).contains(&spec.data.test_fraction),
            "data.test_fraction",
            "must be at least 0 and below 1",
        )?;
        check(
            spec.data.test_rows.is_none() || spec.data.test_fraction == 0.0,
            "data.test_rows",
            "says what data.test_fraction says otherwise: leave one of them out",
        )?;
        check(
            spec.data.test_rows.is_none()
                || spec.data.match_on.is_none()
                || spec.data.order == Some(RowOrder::AsStored),
            "data.test_rows",
            "are the last rows as they are stored, and data.match_on puts rows into another \
             order: add data.order = \"as_stored\", or set apart a data.test_fraction",
        )?;
        check(
            spec.data.test_fold == 0
                || f64::from(spec.data.test_fold) * spec.data.test_fraction < 0.999
                    && spec.data.test_fraction > 0.0,
            "data.test_fold",
            "counts parts of the size of data.test_fraction, from 0: there is none of this number",
        )?;
        check(
            spec.data.validation_fraction >= 0.0
                && spec.data.validation_fraction + spec.data.test_fraction < 1.0,
            "data.validation_fraction",
            "must be at least 0, and below 1 together with data.test_fraction",
        )?;
        check_rows(
            &spec.data.dataset,
            spec.data.match_on.as_ref(),
            spec.data.order,
        )?;
        let blueprint = check_network(&spec.network)?;
        check_training(&spec.training)?;
        check_selection(&spec.training, spec.data.validation_fraction)?;
        check_liveness(&spec.liveness)?;
        spec.resources.check()?;
        spec.keys.check()?;
        check_privacy(&spec.privacy, spec.network.classes)?;
        let key_bits = spec.encryption.check()?;
        spec.fixed_point
            .check()
            .map_err(|problem| JobError::new("fixed_point", problem))?;
        let digest = canonical_digest(&spec)?;
        let learns = canonical_digest(&JobSpec {
            keys: KeyPolicy::default(),
            ..spec.clone()
        })?;
        let model = match &spec.model {
            Some(model) => model.clone(),
            None => ModelName::try_from(spec.name.clone())?,
        };
        Ok(Self {
            spec,
            model,
            key_bits,
            blueprint,
            digest,
            learns,
        })
    }
}

impl Encryption {
    /// The size of the key, if it is one that is offered.
    pub(super) fn check(&self) -> Checked<KeyBits> {
        KeyBits::new(self.key_bits)
            .map_err(|error| JobError::new("encryption.key_bits", error.to_string()))
    }
}

fn is_printable(text: &str) -> bool {
    (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

pub(super) fn check_name(name: &str) -> Checked {
    check(
        is_printable(name),
        "name",
        "give it 1 to 100 printable characters",
    )
}

pub(super) fn check_parties(parties: &Parties) -> Checked {
    check(
        parties.active != parties.passive,
        "parties",
        "active and passive must be two parties",
    )
}

/// Where rows come from, and how they are matched.
pub(super) fn check_rows(
    dataset: &str,
    match_on: Option<&String>,
    order: Option<RowOrder>,
) -> Checked {
    check(
        (1..=100).contains(&dataset.len()),
        "data.dataset",
        "name the dataset as the parties' configurations do",
    )?;
    check(
        match_on.is_none_or(|identifier| is_printable(identifier)),
        "data.match_on",
        "name the identifier as the parties' configurations do, or leave it out",
    )?;
    check(
        match_on.is_some() || order.is_none(),
        "data.order",
        "is for rows with ids: add data.match_on, or leave it out to match rows by position",
    )
}

pub(super) fn check_liveness(liveness: &Liveness) -> Checked {
    check(
        liveness.stall_budget_s >= 1,
        "liveness.stall_budget_s",
        "must be at least 1 second",
    )
}

/// A network whose layers fit.
fn check_network(network: &Network) -> Checked<Blueprint> {
    let in_range = |axis: &usize| (1..=1_000_000).contains(axis);
    let input = match network.input {
        SampleShape::Row(_) => "network.inputs",
        _ => "network.input",
    };
    check(
        network.input.axes().iter().all(in_range) && in_range(&network.input.values()),
        input,
        "must be from 1 to 1,000,000 along each axis and in all",
    )?;
    check(
        (2..=10_000).contains(&network.classes),
        "network.classes",
        "must be from 2 to 10,000",
    )?;
    check(
        network.loss != Objective::BinaryCrossEntropy || network.classes == 2,
        "network.loss",
        "binary_cross_entropy tells two classes apart: set classes = 2, or leave loss out",
    )?;
    let named = |initial: &String| (1..=100).contains(&initial.len());
    check(
        network.initial.as_ref().is_none_or(named),
        "network.initial",
        "name the weights as the active party's configuration does",
    )?;
    let blueprint = network.blueprint();
    blueprint.map_err(|error| JobError::new("network.bottom", error.to_string()))
}

fn check_training(training: &Training) -> Checked {
    check(
        (1..=1_000_000).contains(&training.epochs),
        "training.epochs",
        "must be from 1 to 1,000,000",
    )?;
    check(
        (1..=65_536).contains(&training.batch_size),
        "training.batch_size",
        "must be from 1 to 65,536",
    )?;
    let positive = |x: f64| x.is_finite() && x > 0.0;
    check(
        positive(training.learning_rate) && training.learning_rate <= 1000.0,
        "training.learning_rate",
        "must be above 0 and at most 1000",
    )?;
    check(
        training.bottom.is_sound(),
        "training.bottom",
        "the step must be above 0, a momentum at least 0 and below 1, a weight decay from 0 to 1",
    )?;
    check(
        training.warm_up_epochs <= training.epochs,
        "training.warm_up_epochs",
        "must be at most training.epochs",
    )?;
    check(
        training.decay.is_sound(),
        "training.decay",
        "every_epochs must be at least 1, a factor above 0 and at most 1, a floor from 0 to 1",
    )
}

/// Epochs are compared only where there is something to compare them by.
fn check_selection(training: &Training, validation_fraction: f64) -> Checked {
    const ROWS: &str = "compares epochs by the validation rows, and there are none: set \
                        data.validation_fraction above 0, or leave it out";
    if let Some(early) = &training.early_stopping {
        check(
            early.is_sound(),
            "training.early_stopping",
            "patience must be at least 1 epoch, min_delta at least 0",
        )?;
        check(validation_fraction > 0.0, "training.early_stopping", ROWS)?;
    }
    check(
        training.keep == Keep::Last || validation_fraction > 0.0,
        "training.keep",
        ROWS,
    )
}

fn check_privacy(privacy: &Privacy, classes: usize) -> Checked {
    check(
        privacy
            .max_leak_auc
            .is_none_or(|auc| (0.5..=1.0).contains(&auc)),
        "privacy.max_leak_auc",
        "must be from 0.5 (guessing) to 1 (certainty)",
    )?;
    let defence = privacy.defence.map_or(Ok(()), |d| d.check(classes));
    defence.map_err(|problem| JobError::new("privacy.defence", problem))
}

/// JSON with the fields in the order of their declaration and no white space:
/// one specification, one text.
pub(super) fn canonical_digest(spec: &impl Serialize) -> Result<Digest, JobError> {
    let canonical = serde_json::to_vec(spec)
        .map_err(|error| JobError::new("(whole)", format!("cannot be written down: {error}")))?;
    Ok(Digest::of("entente job specification", &[&canonical]))
}
