//! Jobs that ask a model: which version, and of whom.

use entente_protocol::{
    control::{Evaluated, Phase},
    job::{JobId, Side, Task, TaskSpec},
};

use super::{World, report, running_world, short};
use crate::{
    engine::{EngineError, Event, NoModel},
    job::{JobState, Priority, Submission},
    testbed::{SPEC, id, job, job_between, party},
};

/// A question about `model`, by position.
fn question(task: &str, model: &str) -> Task {
    let text = format!(
        "name = \"asks\"\n{task}\nmodel = {model}\n\
         parties = {{ active = \"bank-a\", passive = \"bank-b\" }}\n\
         data = {{ dataset = \"iris\" }}\n"
    );
    Task::from_toml(&text).unwrap()
}

fn evaluate(model: &str) -> Task {
    question("task = \"evaluate\"", model)
}

fn named(model: &str) -> Task {
    Task::from_toml(&format!("model = \"{model}\"\n{SPEC}")).unwrap()
}

impl World {
    /// Trains a model, from submission to success.
    fn train(&mut self, number: u128, task: Task) {
        let parties = [Side::Active, Side::Passive].map(|side| task.party(side).to_string());
        for name in &parties {
            self.sync(name, vec![]);
        }
        self.submit(number, task);
        for phase in [Phase::Running, Phase::Finished] {
            for name in &parties {
                self.sync(name, vec![report(number, phase.clone(), 100)]);
            }
        }
        assert_eq!(self.state(number), JobState::Succeeded);
    }

    fn refused(&mut self, task: Task) -> NoModel {
        let event = Event::Submit {
            id: id(99),
            task: Box::new(task),
            by: "user/alice".parse().unwrap(),
            submission: None,
            priority: Priority::Normal,
        };
        match self.engine.handle(event, self.now) {
            Err(EngineError::Model(no)) => no,
            other => panic!("{other:?}"),
        }
    }

    /// The version that both parties are told to ask.
    fn version(&self) -> JobId {
        let [one, other] = ["bank-a", "bank-b"].map(|name| {
            let wish = self.engine.wish(&party(name));
            match &wish.jobs.last().unwrap().spec {
                TaskSpec::Infer(spec) => spec.model.version.unwrap(),
                other => panic!("{other:?}"),
            }
        });
        assert_eq!(one, other);
        one
    }
}

#[test]
fn the_newest_success_of_the_name_is_asked_and_stays_the_one() {
    let mut world = World::new();
    world.train(1, named("credit"));
    world.train(2, named("credit"));
    world.train(3, named("other"));
    world.submit(4, evaluate("\"credit\""));
    assert_eq!(world.version(), id(2));
    let asked = world.view(4);
    assert_eq!(
        (asked.task.as_str(), asked.model.version),
        ("evaluate", id(2))
    );
    assert_eq!(asked.epochs, 0);
    world.train(5, named("credit"));
    assert_eq!(world.view(4).model.version, id(2), "what is trained later");
    let trained = world.view(5);
    assert_eq!(
        (trained.task.as_str(), trained.model.version),
        ("train", id(5))
    );
    assert_eq!(trained.model.name.as_str(), "credit");
}

/// Whoever asks again after a lost answer asks for "the newest" once more.
#[test]
fn asking_again_under_one_key_finds_the_job_whatever_the_newest_is_by_now() {
    let mut world = World::new();
    world.train(1, named("credit"));
    let ask = |world: &mut World, number| {
        let event = Event::Submit {
            id: id(number),
            task: Box::new(evaluate("\"credit\"")),
            by: "user/alice".parse().unwrap(),
            priority: Priority::Normal,
            submission: Some(Submission {
                key: "nightly".parse().unwrap(),
                digest: evaluate("\"credit\"").digest().to_string(),
            }),
        };
        world.engine.handle(event, world.now).unwrap()
    };
    assert!(!ask(&mut world, 2).is_empty());
    world.train(3, named("credit"));
    assert!(ask(&mut world, 4).is_empty(), "no second job");
    assert_eq!(world.view(2).model.version, id(1));
}

#[test]
fn an_older_version_is_asked_by_its_number_and_an_unknown_one_is_the_parties_to_judge() {
    for (version, number) in [(1, 1), (77, 77)] {
        let mut world = World::new();
        world.train(1, named("credit"));
        world.train(2, named("credit"));
        let model = format!("{{ name = \"credit\", version = \"{}\" }}", id(version));
        world.submit(3, evaluate(&model));
        assert_eq!(world.version(), id(number));
    }
}

#[test]
fn what_did_not_succeed_or_belongs_to_others_is_refused_by_name() {
    let mut world = running_world();
    let never = world.refused(evaluate("\"iris\""));
    assert!(never.to_string().contains("'iris'"), "{never}");
    let model = |number| format!("{{ name = \"iris\", version = \"{}\" }}", id(number));
    let unfinished = world.refused(evaluate(&model(1)));
    assert!(
        unfinished.to_string().contains("is running"),
        "{unfinished}"
    );
    world.train(2, job_between("bank-c", "bank-b"));
    assert!(matches!(
        world.refused(evaluate("\"iris\"")),
        NoModel::Never { .. }
    ));
    let others = world.refused(evaluate(&model(2)));
    assert!(others.to_string().contains("bank-c (active)"), "{others}");
    world.train(3, named("credit"));
    let other = world.refused(evaluate(&model(3)));
    assert!(other.to_string().contains("'credit'"), "{other}");
    world.train(4, job());
    world.submit(5, evaluate("\"iris\""));
    let asks = world.refused(evaluate(&model(5)));
    assert!(asks.to_string().contains("trained none"), "{asks}");
    assert_eq!(
        world.engine.count_jobs().values().sum::<usize>(),
        5,
        "none was kept"
    );
}

#[test]
fn the_labels_side_needs_the_dataset_only_where_it_has_rows_of_its_own() {
    let predict = |at| {
        question(
            &format!("task = \"predict\"\nresults_at = \"{at}\""),
            "\"iris\"",
        )
    };
    for (task, starts) in [
        (predict("passive"), true),
        (predict("active"), true),
        (evaluate("\"iris\""), false),
    ] {
        let mut world = World::new();
        world.train(1, job());
        let mut sync = super::truth();
        sync.datasets = vec![];
        sync.seen_revision = world.engine.wish(&party("bank-b")).revision;
        world.handle(Event::Sync {
            party: party("bank-b"),
            sync,
        });
        let commands = short(&world.submit(2, task));
        assert_eq!(world.state(2) == JobState::Reserved, starts, "{commands:?}");
    }
}

#[test]
fn what_an_evaluation_finds_stands_in_the_view() {
    let mut world = World::new();
    world.train(1, job());
    world.submit(2, evaluate("\"iris\""));
    let found = Evaluated {
        rows: 150,
        loss: 0.25,
        accuracy: 0.9,
        auc: Some(0.95),
    };
    for (name, evaluation) in [("bank-a", None), ("bank-b", Some(found))] {
        let mut finished = report(2, Phase::Finished, 100);
        finished.progress.evaluation = evaluation;
        world.sync(name, vec![finished]);
    }
    let view = world.view(2);
    assert_eq!(
        (view.state, view.evaluation),
        (JobState::Succeeded, Some(found))
    );
}
