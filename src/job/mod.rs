//! `entente job`: submit and follow jobs.

pub(crate) mod follow;
mod logs;
pub(crate) mod show;

use std::{fs, path::Path};

use entente_actors::CoordinatorSection;
use entente_coordinator::{
    client::{Client, ClientError},
    job::{ApprovalView, FailureRecord, IdempotencyKey, JobState, JobView},
};
use entente_protocol::job::{JobId, Question, Side, Task};
use entente_tls::{Credentials, Identity, TlsFiles};
use serde::Deserialize;

use self::follow::Follower;
use crate::{
    cli::{Format, JobArgs, JobCommand},
    contract,
    exit::Failure,
    output, serve, settings,
};

/// Who asks, and whom: the file behind `--client`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientConfig {
    tls: TlsFiles,
    /// As a party's.
    coordinator: CoordinatorSection,
}

/// Asks the coordinator and shows what it says.
pub(crate) fn run(args: JobArgs) -> Result<(), Failure> {
    // What a person wrote is checked before anybody is called.
    let spec = match &args.command {
        JobCommand::Submit { spec, .. } => Some(read_task(spec)?),
        _ => None,
    };
    let key = match &args.command {
        JobCommand::Submit {
            idempotency_key: Some(key),
            ..
        } => key.parse().map_err(Failure::configuration)?,
        _ => IdempotencyKey::fresh(),
    };
    let client = connect(&args.asking.client)?;
    serve::runtime().block_on(async {
        let client = client()?;
        match (args.command, spec) {
            (
                JobCommand::Submit {
                    watch, priority, ..
                },
                Some(task),
            ) => {
                warn(&task);
                let submitted = client.submit_as(&task.spec(), &key, priority).await;
                let view = submitted.map_err(|error| not_submitted(&error, &key))?;
                if watch {
                    watch_to_end(&client, view.id, args.asking.shown.output).await
                } else {
                    show::job(&view, args.asking.shown.output)
                }
            }
            (JobCommand::List { state, limit }, _) => {
                let state = state.map(|state| state.parse::<JobState>()).transpose();
                let state = state.map_err(Failure::configuration)?;
                let limit = limit.unwrap_or(usize::MAX);
                let jobs = client.newest(state, limit).await;
                let jobs = jobs.map_err(Failure::runtime)?;
                show::jobs(&jobs, args.asking.shown.output)
            }
            (JobCommand::Show { id }, _) => {
                let view = client.show(parse(&id)?).await.map_err(Failure::runtime)?;
                show::job(&view, args.asking.shown.output)
            }
            (JobCommand::Why { id }, _) => {
                let why = client.why(parse(&id)?).await.map_err(Failure::runtime)?;
                show::why(&why, args.asking.shown.output)
            }
            (JobCommand::Logs { id, follow }, _) => {
                logs::show(&client, parse(&id)?, follow, args.asking.shown.output).await
            }
            (JobCommand::Contract { id }, _) => {
                let id = parse(&id)?;
                let found = client.contract(id).await.map_err(Failure::runtime)?;
                contract::show(&found, args.asking.shown.output)
            }
            (JobCommand::Watch { id }, _) => {
                watch_to_end(&client, parse(&id)?, args.asking.shown.output).await
            }
            (JobCommand::Cancel { id }, _) => {
                let view = client.cancel(parse(&id)?).await.map_err(Failure::runtime)?;
                show::job(&view, args.asking.shown.output)
            }
            (JobCommand::Pause { id }, _) => {
                let view = client.pause(parse(&id)?).await.map_err(Failure::runtime)?;
                show::job(&view, args.asking.shown.output)
            }
            (JobCommand::Resume { id }, _) => {
                let view = client.resume(parse(&id)?).await.map_err(Failure::runtime)?;
                show::job(&view, args.asking.shown.output)
            }
            (JobCommand::RotateKey { id }, _) => {
                let view = client.rotate_key(parse(&id)?).await;
                show::job(&view.map_err(Failure::runtime)?, args.asking.shown.output)
            }
            (JobCommand::Retry { id, watch }, _) => {
                let view = client.retry(parse(&id)?).await.map_err(Failure::runtime)?;
                if watch {
                    watch_to_end(&client, view.id, args.asking.shown.output).await
                } else {
                    show::job(&view, args.asking.shown.output)
                }
            }
            (JobCommand::Submit { .. }, None) => Err(Failure::runtime("no specification was read")),
        }
    })
}

fn read_task(path: &Path) -> Result<Task, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::Configuration(format!("{}: {error}", path.display())))?;
    Task::from_toml(&text)
        .map_err(|error| Failure::Configuration(format!("{}: {error}", path.display())))
}

/// What a person should know before the parties do as they are told.
fn warn(task: &Task) {
    let Task::Infer(inference) = task else { return };
    let tells_features = Question::Predict {
        results_at: Side::Active,
    };
    if inference.question() == tells_features {
        let parties = task.parties();
        eprintln!(
            "entente: warning: {active} gets to see logits, and has the features: after one row \
             more than the cut is wide it can work out {passive}'s half of the model. {passive} \
             takes part only if its configuration has [models] give_logits = true",
            active = parties.active,
            passive = parties.passive,
        );
    }
}

/// What to do when nobody knows whether there is a job now.
fn not_submitted(error: &ClientError, key: &IdempotencyKey) -> Failure {
    match error {
        ClientError::AnswerLost { .. } => Failure::runtime(format!(
            "{error}; whether there is a job now is not known: submit it again with \
             --idempotency-key {key}, and there will be one"
        )),
        error => Failure::runtime(error),
    }
}

fn parse(id: &str) -> Result<JobId, Failure> {
    id.parse().map_err(|_| {
        Failure::Configuration(format!("{id:?} is no job; `entente job list` shows them"))
    })
}

/// Checks who asks and whom; the client itself is made inside the runtime.
pub(crate) fn connect(path: &Path) -> Result<impl FnOnce() -> Result<Client, Failure>, Failure> {
    let config: ClientConfig = settings::load(path)?;
    let credentials = Credentials::load(&config.tls).map_err(Failure::configuration)?;
    let coordinator = Identity::coordinator(config.coordinator.name);
    let urls = config.coordinator.url.iter().cloned().collect();
    Ok(
        move || {
            Client::of_several(&credentials, urls, &coordinator).map_err(Failure::configuration)
        },
    )
}

async fn watch_to_end(client: &Client, id: JobId, format: Format) -> Result<(), Failure> {
    let mut follower = Follower::new();
    let mut events = client.watch(id);
    loop {
        let view = tokio::select! {
            view = events.next() => view.map_err(Failure::runtime)?,
            () = serve::told_to_stop() => return Err(Failure::Interrupted),
        };
        if format == Format::Table {
            follower.show(&view);
        }
        if view.state.is_ended() {
            if format == Format::Json {
                output::json(&view)?;
            }
            return follower.finish(&view);
        }
    }
}

/// That training stopped early, after which epoch and with which best one;
/// nothing if it did not.
fn early_stop(view: &JobView) -> Option<String> {
    let (epoch, epochs) = (view.progress(Side::Passive).epoch, view.epochs);
    let best = view.best.map(|best| format!(", best was {}", best.epoch));
    let best = best.unwrap_or_default();
    view.stopped_early
        .then(|| format!("stopped early after epoch {epoch} of {epochs}{best}"))
}

/// Why a job did not succeed, in one sentence.
fn reason(view: &JobView) -> String {
    if view.failures.is_empty() {
        let rejections: Vec<String> = rejections(view).collect();
        return match rejections.is_empty() {
            true => format!("it is {}", view.state),
            false => rejections.join("; "),
        };
    }
    causes(view, &view.failures)
}

/// What each side said of why an attempt failed.
fn causes(view: &JobView, failures: &[FailureRecord]) -> String {
    let cause = |failure: &FailureRecord| {
        let side = failure.side.map(|side| &view.sides.of(side).party);
        let place = side.map_or_else(|| "the coordinator".to_owned(), ToString::to_string);
        let step = match &failure.state {
            Some(state) => format!("exchange {}, {state}", failure.exchange),
            None => format!("exchange {}", failure.exchange),
        };
        format!("{place}: {} ({step})", failure.message)
    };
    let causes: Vec<String> = failures.iter().map(cause).collect();
    causes.join("; ")
}

/// Who does not take part, and by which rule.
fn rejections(view: &JobView) -> impl Iterator<Item = String> {
    view.sides.iter().filter_map(|side| match &side.approval {
        Some(ApprovalView::Rejected(rejection)) => Some(format!(
            "{} does not take part: {} ({})",
            side.party, rejection.reason, rejection.rule
        )),
        Some(ApprovalView::Approved { .. }) | None => None,
    })
}
