//! Networks by name are built, learn, and have the parameters that are said.

use super::*;

fn job(network: &str) -> Job {
    let text = format!(
        r#"
        name = "preset"
        parties = {{ active = "a", passive = "p" }}
        data = {{ dataset = "made-up" }}
        [training]
        epochs = 1
        batch_size = 4
        learning_rate = 0.1
        bottom = {{ optimizer = "adam", learning_rate = 0.01 }}
        seed = 1
        [network]
        {network}
        "#
    );
    Job::from_toml(&text).unwrap()
}

#[test]
fn each_preset_is_built_and_learns() {
    for (preset, input) in [
        ("mlr", "input = [1, 28, 28]\nclasses = 10"),
        ("conv1", "input = [1, 28, 28]\nclasses = 10"),
        ("conv1", "input = [3, 32, 32]\nclasses = 10"),
        ("lenet5", "input = [1, 28, 28]\nclasses = 10"),
        ("lenet5", "input = [3, 32, 32]\nclasses = 10"),
        ("mlp-iris", ""),
        ("mlp-diabetes", ""),
        ("mlp-krkp", ""),
        ("resnet8", "input = [3, 32, 32]\nclasses = 10"),
    ] {
        let job = job(&format!("preset = \"{preset}\"\n{input}"));
        let mut network = super::super::build(&job, &SEED, None).unwrap();
        let learnt = |network: &dyn BottomNetwork| {
            let mut tensors = network.parameters();
            tensors.retain(|tensor| !tensor.name.contains("running"));
            tensors
        };
        let before = learnt(&*network);
        let count: usize = before.iter().map(|tensor| tensor.values.len()).sum();
        assert_eq!(count, job.blueprint().parameters(), "{preset}");
        train(&mut *network, job.blueprint().input().values(), 3, 0);
        for (before, after) in before.iter().zip(learnt(&*network)) {
            assert!(!before.is_bit_identical(&after), "{preset}: {before:?}");
        }
    }
}

/// Regression without a bottom hands on what it is given, and learns nothing.
#[test]
fn without_layers_the_cut_takes_the_samples() {
    let job = job("preset = \"mlr\"\ninputs = 3\nclasses = 2");
    let mut network = super::super::build(&job, &SEED, None).unwrap();
    let x = values(4, 3, 1);
    assert_eq!(network.forward(x.clone(), ANY).unwrap(), x);
    network.backward(x.clone()).unwrap();
    assert_eq!(network.infer(x.clone()).unwrap(), x);
    assert_eq!(network.backward(x).unwrap_err(), NetworkError::NoForward);
}
