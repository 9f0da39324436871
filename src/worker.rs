//! `entente worker`: one attempt at one job, for a party that runs elsewhere.

use std::time::Duration;

use entente_actors::workers::{Parting, PartyAt, WorkerId, WorkerSettings};

use crate::{
    cli::WorkerArgs,
    exit::Failure,
    serve::{self, Made, told_to_stop},
    settings,
};

/// Runs a worker until its party needs it no more, or it is told to stop.
pub(crate) fn run(args: WorkerArgs) -> Result<(), Failure> {
    let config = settings::load(&args.config)?;
    let job = args.job.parse().map_err(|_| {
        let job = &args.job;
        Failure::Configuration(format!("{job:?} is no job's identity"))
    })?;
    let party = match (args.party, args.party_file) {
        (Some(address), _) => PartyAt::Address(address),
        (None, Some(path)) => PartyAt::File(path),
        (None, None) => {
            let needed = "say where the party is: --party HOST:PORT";
            return Err(Failure::configuration(needed));
        }
    };
    let settings = WorkerSettings {
        id: WorkerId {
            job,
            attempt: args.attempt,
        },
        party,
        patience: args.patience_s.map(Duration::from_secs),
        state_dir: args.state_dir,
    };
    let Made {
        credentials,
        sealing,
        backend,
        registry,
    } = serve::made(&config)?;
    let work = entente_actors::workers::work(
        config,
        settings,
        credentials,
        sealing,
        backend,
        registry,
        told_to_stop(),
    );
    match serve::runtime().block_on(work).map_err(Failure::runtime)? {
        Some(Parting::Dismissed) => Ok(()),
        Some(Parting::Alone) => Err(Failure::runtime(
            "the party was away for too long; what the job goes on from is kept",
        )),
        // Not done: whoever started it is to start it again.
        None => Err(Failure::Interrupted),
    }
}
