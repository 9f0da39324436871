//! Parties: list.

use actix_web::web;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Api, caller::Overseer, problem::Problem};
use crate::job::PartyView;

/// The answer to `GET /v1/parties`. An object, so that it can grow.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct PartyList {
    /// By name.
    pub(crate) parties: Vec<PartyView>,
}

/// `GET /v1/parties`
pub(super) async fn list(
    _: Overseer,
    api: web::Data<Api>,
) -> Result<web::Json<PartyList>, Problem> {
    let read = api.coordinator.read(|engine, now| engine.parties(now));
    let parties = read.await?;
    Ok(web::Json(PartyList { parties }))
}
