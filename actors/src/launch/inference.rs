//! From an assignment that asks a model to a role that can begin.

use entente_he::Scheme;
use entente_protocol::{
    acml::{ActiveInference, ActiveInferenceSetUp, Aim, PassiveInference, PassiveInferenceSetUp},
    job::{Inference, Protocol, Question, Side},
};
use entente_wire::Secret;

use super::{LaunchError, Launcher, Plan, Prepared, Ready};
use crate::{
    data::{Asked, Preparation, RowNames},
    entropy,
    keeping::Keeps,
    models::{ModelError, Models, OpenModel},
    network,
    rotation::KeyWish,
};

impl<S: Scheme> Launcher<S> {
    /// Opens this party's half of the model and the rows that it is asked
    /// about. The coordinator's word counts for nothing: the manifest beside
    /// the half says who may ask it.
    pub(super) fn prepare_inference(
        &self,
        plan: &Plan,
        inference: &Inference,
        checkpoint: Option<&Secret<Vec<u8>>>,
    ) -> Result<Box<dyn Ready>, LaunchError> {
        let name = &inference.spec().model.name;
        let version = inference.spec().model.version;
        let version = version.ok_or_else(|| ModelError::WithoutVersion(name.clone()))?;
        let model = Models::below(&self.config.party.state_dir).open(name, version)?;
        model.check_parties(plan.side, &self.own, &plan.peer)?;
        match (model.job().spec().protocol, plan.side) {
            (Protocol::Acml, Side::Active) => {
                self.prepare_active(plan, inference, model, checkpoint)
            }
            (Protocol::Acml, Side::Passive) => {
                self.prepare_passive(plan, inference, model, checkpoint)
            }
        }
    }

    fn prepare_active(
        &self,
        plan: &Plan,
        inference: &Inference,
        model: OpenModel,
        checkpoint: Option<&Secret<Vec<u8>>>,
    ) -> Result<Box<dyn Ready>, LaunchError> {
        let trained = model.job().clone();
        let mut half = model.active()?;
        let preparation = Preparation::decoded(&half.preparation)
            .map_err(|error| model.damaged(format!("has no preparation: {error}")))?;
        let (features, rows) = self.asked(inference, &model)?.features(preparation)?;
        // Nothing is drawn from a seed: no weight, and in inference no dropout.
        let weights = std::mem::take(&mut half.bottom);
        let bottom = network::build(&trained, &[0; 32], Some(weights));
        let set_up = ActiveInferenceSetUp {
            inference: inference.clone(),
            trained,
            half,
            bottom: bottom.map_err(ModelError::from)?,
            features,
            backend: self.backend.clone(),
            witness: self.witness(plan),
            rng: Box::new(entropy::generator()?),
        };
        let role = match checkpoint {
            None => ActiveInference::<S>::new(set_up)?,
            Some(checkpoint) => ActiveInference::resume(set_up, checkpoint)?,
        };
        let keeper = self.keeper(plan, results(inference, model, rows));
        Ok(Box::new(Prepared {
            role,
            keeper,
            // It has one key.
            key_wish: KeyWish::default(),
        }))
    }

    fn prepare_passive(
        &self,
        plan: &Plan,
        inference: &Inference,
        model: OpenModel,
        checkpoint: Option<&Secret<Vec<u8>>>,
    ) -> Result<Box<dyn Ready>, LaunchError> {
        let (aim, rows) = match inference.question() {
            Question::Evaluate => {
                let labels = self.asked(inference, &model)?.labels()?;
                (Aim::Evaluate(labels), RowNames::Numbered)
            }
            Question::Predict { results_at } => {
                let (ids, rows) = match inference.dataset(Side::Passive) {
                    None => (None, RowNames::Numbered),
                    Some(_) => {
                        let (ids, rows) = self.asked(inference, &model)?.ids()?;
                        (Some(ids), rows)
                    }
                };
                match results_at {
                    Side::Active => (Aim::PredictThere(ids), rows),
                    Side::Passive => (Aim::PredictHere(ids), rows),
                }
            }
        };
        let set_up = PassiveInferenceSetUp {
            inference: inference.clone(),
            trained: model.job().clone(),
            half: model.passive()?,
            aim,
            backend: self.backend.clone(),
            witness: self.witness(plan),
            rng: Box::new(entropy::generator()?),
        };
        let role = match checkpoint {
            None => PassiveInference::<S>::new(set_up),
            Some(checkpoint) => PassiveInference::resume(set_up, checkpoint)?,
        };
        let keeper = self.keeper(plan, results(inference, model, rows));
        Ok(Box::new(Prepared {
            role,
            keeper,
            // It has one key.
            key_wish: KeyWish::default(),
        }))
    }

    fn asked<'a>(
        &'a self,
        inference: &'a Inference,
        model: &'a OpenModel,
    ) -> Result<Asked<'a>, LaunchError> {
        Ok(Asked {
            config: self.config.datasets.named(&inference.spec().data.dataset)?,
            inference,
            trained: model.job(),
            classes: model.manifest.classes.as_deref(),
            spool: &self.config.party.state_dir,
        })
    }
}

fn results(inference: &Inference, model: OpenModel, rows: RowNames) -> Keeps {
    Keeps::Results {
        inference: Box::new(inference.clone()),
        version: model.manifest.version,
        rows,
        classes: model.manifest.classes.clone(),
        _model: model.into_hold(),
    }
}
