//! A model that two parties have trained, asked by them.

use std::fs;

use entente_protocol::{
    control::{Assignment, JobReport, Phase},
    job::{JobId, Task, TaskSpec},
};

use super::{
    acml::{five_epochs, reference},
    world::{Launches, Party, World},
};
use crate::{
    results::{EvaluationFile, evaluations_of},
    testbed::assignment,
};

/// A question about a version of the model "test".
fn question(number: u8, version: Option<JobId>, task: &str) -> Assignment {
    let version = version.map_or_else(String::new, |of| format!(", version = \"{of}\""));
    let text = format!(
        "name = \"asks\"\n{task}\nmodel = {{ name = \"test\"{version} }}\nbatch_size = 30\n\
         parties = {{ active = \"bank-a\", passive = \"bank-b\" }}\n\
         [data]\ndataset = \"iris\"\n"
    );
    let rows = if task.contains("evaluate") {
        "rows = \"test\"\n"
    } else {
        ""
    };
    Assignment {
        spec: TaskSpec::from_toml(&(text + rows)).unwrap(),
        ..assignment(number, "bank-a", "bank-b")
    }
}

const EVALUATE: &str = "task = \"evaluate\"";
const PREDICT: &str = "task = \"predict\"\nresults_at = \"passive\"";

impl World {
    /// Waits for the end of a job at a party; how.
    async fn ended(&self, party: &str, job: JobId) -> JobReport {
        let over = |report: &&JobReport| {
            let over = matches!(report.phase, Phase::Finished | Phase::Failed { .. });
            report.job == job && over
        };
        let there =
            |truth: &entente_protocol::control::Sync| truth.jobs.iter().any(|job| over(&job));
        let truth = self
            .coordinator
            .hears(party, "the end of a job", there)
            .await;
        truth.jobs.iter().find(over).unwrap().clone()
    }

    /// Has a question asked, to its end at both parties.
    async fn ask(&self, assignment: Assignment) -> [JobReport; 2] {
        let job = self.wish_for(assignment);
        [
            self.ended("bank-a", job).await,
            self.ended("bank-b", job).await,
        ]
    }
}

fn result(party: &Party, job: JobId, file: &str) -> Option<String> {
    let path = party.state_dir.join("results").join(job.to_string());
    fs::read_to_string(path.join(file)).ok()
}

async fn trained() -> (World, JobId) {
    let world = World::new(Launches::Acml).await;
    let mut assignment = assignment(1, "bank-a", "bank-b");
    assignment.spec = Task::from(five_epochs()).spec();
    let version = world.wish_for(assignment);
    world.finish(version).await;
    (world, version)
}

#[actix_rt::test]
async fn a_model_answers_as_it_was_trained_and_only_where_it_is_asked_to() {
    let (world, version) = trained().await;
    let (_, tested, _) = reference(&five_epochs());

    let asked = question(2, Some(version), EVALUATE);
    let job = asked.job;
    let [features_side, labels_side] = world.ask(asked).await;
    assert_eq!(labels_side.phase, Phase::Finished, "{labels_side:?}");
    let found = labels_side.progress.evaluation.unwrap();
    assert_eq!(found.rows, tested.samples());
    assert_eq!(Some(found.loss), tested.loss());
    assert_eq!(Some(found.accuracy), tested.accuracy());
    assert!(found.auc.is_some());
    let nothing = features_side.progress;
    assert_eq!((nothing.evaluation, nothing.test_accuracy), (None, None));
    let kept = evaluations_of(&world.bank_b.state_dir, version).unwrap();
    let EvaluationFile {
        found: in_file,
        confusion,
        ..
    } = &kept[0].1;
    assert_eq!(*in_file, found);
    assert_eq!(confusion.iter().flatten().sum::<u64>(), found.rows);
    assert!(result(&world.bank_a, job, "evaluation.json").is_none());

    let asked = question(3, Some(version), PREDICT);
    let job = asked.job;
    let ends = world.ask(asked).await;
    for end in ends {
        assert_eq!(end.phase, Phase::Finished, "{end:?}");
        let progress = end.progress;
        // 150 rows in batches of 30, behind the set-up.
        assert_eq!((progress.exchanges_done, progress.exchanges), (6, 6));
        assert_eq!((progress.loss, progress.evaluation), (None, None));
    }
    let table = result(&world.bank_b, job, "predictions.csv").unwrap();
    assert!(table.starts_with("row,class,p(0),p(1),p(2)\n1,"), "{table}");
    assert_eq!(table.lines().count(), 151);
    assert!(result(&world.bank_a, job, "predictions.csv").is_none());
    world.stop().await;
}

#[actix_rt::test]
async fn what_a_party_does_not_have_or_does_not_give_is_said_in_the_record() {
    let (world, version) = trained().await;
    let nowhere: JobId = "01890a5d-ac96-774b-bcce-b302099a9999".parse().unwrap();
    let for_features = "task = \"predict\"\nresults_at = \"active\"";
    for (number, version, task, label) in [
        (2, Some(nowhere), EVALUATE, "no_model"),
        (3, None, EVALUATE, "ambiguous_model"),
        (4, Some(version), for_features, "keeps_logits"),
    ] {
        // The other side may wait for it, until a coordinator ends the job.
        let job = world.wish_for(question(number, version, task));
        let labels_side = world.ended("bank-b", job).await;
        let Phase::Failed { failure } = labels_side.phase else {
            panic!("{label}: {labels_side:?}")
        };
        assert_eq!(failure.label, label, "{failure:?}");
        let path = world.bank_b.state_dir.display().to_string();
        assert!(!failure.message.contains(&path), "{failure:?}");
    }
    // What is there under that version is another model.
    let mut other = question(5, Some(version), EVALUATE);
    let TaskSpec::Infer(spec) = &mut other.spec else {
        panic!("it asks")
    };
    spec.model.name = "credit".to_owned().try_into().unwrap();
    let job = world.wish_for(other);
    let features_side = world.ended("bank-a", job).await;
    let Phase::Failed { failure } = features_side.phase else {
        panic!("{features_side:?}")
    };
    assert_eq!(failure.label, "other_model");
    world.stop().await;
}
