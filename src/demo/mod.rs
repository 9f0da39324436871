//! `entente demo`: the whole thing on one machine.
//!
//! Three processes, as in the field: a coordinator and two parties, each with
//! a certificate of its own, over mutual TLS on loopback. The one difference is
//! at the end, when this process, which made both parties' folders, puts their
//! halves together and compares.

mod check;
mod data;
mod folder;
mod job;
mod processes;
mod report;
mod scrape;

use std::{
    net::SocketAddr,
    path::Path,
    pin::pin,
    time::{Duration, Instant},
};

use entente_coordinator::client::Client;
use entente_protocol::job::{Job, Side, Task};
use entente_tls::{Credentials, Identity};
use tokio::time::sleep;

use self::{
    folder::Folder,
    job::{ACTIVE, COORDINATOR, PASSIVE},
    processes::{Service, stop_all},
    report::Report,
    scrape::Samples,
};
use crate::{
    cli::DemoArgs,
    data::declared::Half,
    exit::Failure,
    job::follow::Follower,
    serve::{runtime, told_to_stop},
    sides::Sides,
};

/// How often the processes are looked after.
const CHECK: Duration = Duration::from_millis(300);

/// Runs the demonstration. Whatever ends it, every process that it started is
/// ended with it.
pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    let job = job::job(args)?;
    let halves = data::halves(args, &job.spec().data.dataset)?;
    let folder = Folder::create()?;
    runtime().block_on(async {
        let mut services = Vec::new();
        let outcome = tokio::select! {
            outcome = demonstrate(args, &job, &halves, &folder, &mut services) => outcome,
            () = told_to_stop() => Err(Failure::Interrupted),
        };
        stop_all(services).await;
        outcome
    })
}

async fn demonstrate(
    args: &DemoArgs,
    job: &Job,
    halves: &Sides<Half>,
    folder: &Folder,
    services: &mut Vec<Service>,
) -> Result<(), Failure> {
    println!(
        "{}, {}, {} bits: {ACTIVE} has the features, {PASSIVE} the labels.",
        args.dataset.title(),
        job::model(job),
        args.key_bits
    );
    let (report, places) = train(job, halves, folder, services).await?;
    report.print();
    if let Some(file) = &args.report {
        report.write(file)?;
        println!("\nWritten to {}.", file.display());
    }
    if !report.weights_bit_identical {
        return Err(Failure::Mismatch(
            "the weights differ from the plaintext reference; please report this".into(),
        ));
    }
    if args.keep_running {
        keep_running(folder.path(), services, places).await?;
    }
    Ok(())
}

/// Trains `job` as in the field, in three processes on this machine, and ends
/// them.
pub(crate) async fn measure(job: &Job, halves: &Sides<Half>) -> Result<Report, Failure> {
    let folder = Folder::create()?;
    let mut services = Vec::new();
    let outcome = train(job, halves, &folder, &mut services).await;
    stop_all(services).await;
    outcome.map(|(report, _)| report)
}

/// Who listens where, and for what.
type Places = [(&'static str, Option<SocketAddr>, &'static str); 3];

/// Starts the three processes, which are left running, trains, and compares.
async fn train(
    job: &Job,
    halves: &Sides<Half>,
    folder: &Folder,
    services: &mut Vec<Service>,
) -> Result<(Report, Places), Failure> {
    let (spec, path) = (job.spec(), folder.path());
    let (dataset, seed) = (&spec.data.dataset, spec.training.seed);
    folder.configure_coordinator()?;
    let (service, at) = Service::start("coordinator", COORDINATOR, path).await?;
    services.push(service);
    let api = announced(at.api)?;
    folder.configure_party(PASSIVE, api, None, (dataset, &halves.passive), seed)?;
    let (service, passive) = Service::start("party", PASSIVE, path).await?;
    services.push(service);
    let half = (dataset.as_str(), &halves.active);
    folder.configure_party(ACTIVE, api, passive.peers, half, seed)?;
    let (service, active) = Service::start("party", ACTIVE, path).await?;
    services.push(service);

    let credentials = Credentials::load(&folder.user()).map_err(Failure::runtime)?;
    let name = COORDINATOR.parse().map_err(Failure::runtime)?;
    let url = format!("https://localhost:{}/", api.port())
        .parse()
        .map_err(Failure::runtime)?;
    let client =
        Client::new(&credentials, url, &Identity::coordinator(name)).map_err(Failure::runtime)?;
    let begun = Instant::now();
    let task = Task::from(job.clone()).spec();
    let submitted = client.submit(&task).await.map_err(Failure::runtime)?;
    let mut follower = Follower::new();
    let (mut first, mut last) = (None, None);
    let mut events = client.watch(submitted.id);
    let view = loop {
        let mut told = pin!(events.next());
        let told = loop {
            let told = tokio::select! {
                told = &mut told => Some(told),
                () = sleep(CHECK) => None,
            };
            // A process that died is the reason for whatever else fails.
            for service in services.iter_mut() {
                service.check()?;
            }
            if let Some(told) = told {
                break told;
            }
        };
        let view = told.map_err(Failure::runtime)?;
        follower.show(&view);
        let done = view.progress(Side::Passive).rounds_done;
        if done > 0 {
            first.get_or_insert((Instant::now(), done));
        }
        if last.is_none_or(|(_, before)| done > before) {
            last = Some((Instant::now(), done));
        }
        if view.state.is_ended() {
            break view;
        }
    };
    let seconds = begun.elapsed().as_secs_f64();
    follower.finish(&view)?;

    let parties = Sides {
        active: Samples::of(&credentials, ACTIVE, announced(active.metrics)?).await?,
        passive: Samples::of(&credentials, PASSIVE, announced(passive.metrics)?).await?,
    };
    let id = view.id.to_string();
    let saved = [ACTIVE, PASSIVE].map(|party| folder.half(party, &id));
    let [active_half, passive_half] = saved;
    let verdict = check::check(job, halves, &active_half?, &passive_half?)?;
    let progress = view.progress(Side::Passive);
    let report = Report {
        dataset: dataset.clone(),
        model: job::model(job),
        scheme: "paillier".into(),
        key_bits: spec.encryption.key_bits,
        epochs: spec.training.epochs,
        epochs_done: progress.epoch,
        best_epoch: view.best.map(|best| best.epoch),
        rounds: progress.rounds_done,
        test_accuracy: progress.test_accuracy,
        plaintext_accuracy: verdict.plaintext_accuracy,
        weights_bit_identical: verdict.weights_bit_identical,
        weights: verdict.weights,
        samples_per_second: progress.samples as f64 / seconds,
        seconds,
        seconds_per_epoch: first.zip(last).and_then(|((since, from), (until, to))| {
            let per_epoch = progress.rounds as f64 / f64::from(progress.epoch.max(1));
            let rounds = to.checked_sub(from).filter(|rounds| *rounds > 0)?;
            Some((until - since).as_secs_f64() / rounds as f64 * per_epoch)
        }),
        bytes_sent: Sides {
            active: parties.active.bytes_sent(),
            passive: parties.passive.bytes_sent(),
        },
        he_ops: scrape::operations(&parties),
        step_seconds: Sides {
            active: parties.active.steps(),
            passive: parties.passive.steps(),
        },
    };
    let places = [
        (COORDINATOR, at.api, "v1/jobs"),
        (ACTIVE, active.metrics, "metrics"),
        (PASSIVE, passive.metrics, "metrics"),
    ];
    Ok((report, places))
}

fn announced(address: Option<SocketAddr>) -> Result<SocketAddr, Failure> {
    address
        .ok_or_else(|| Failure::runtime("a process announced fewer addresses than it listens on"))
}

/// Until Ctrl-C, or until one of them ends by itself.
async fn keep_running(
    path: &Path,
    services: &mut [Service],
    places: Places,
) -> Result<(), Failure> {
    println!("\nStill running, until Ctrl-C:");
    for (name, address, page) in places {
        let port = announced(address)?.port();
        println!("  {name:<12} https://localhost:{port}/{page}");
    }
    println!(
        "Ask them with: curl --cacert {0}/ca.pem --cert {0}/demo.pem --key {0}/demo.key URL",
        path.display()
    );
    loop {
        for service in services.iter_mut() {
            service.check()?;
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}
