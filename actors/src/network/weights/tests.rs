#![allow(clippy::unwrap_used, clippy::expect_used)]

use entente_protocol::{
    job::{Job, SampleShape},
    network::{BottomNetwork, Step},
};
use ndarray::Array2;

use super::*;
use crate::network::build;

/// Every kind of tensor: of two, of three and of one axis, learnt and kept.
fn job() -> Job {
    let text = r#"
        name = "weights"
        parties = { active = "a", passive = "p" }
        data = { dataset = "made-up" }
        [network]
        input = [2, 7]
        classes = 2
        bottom = [
            { kind = "conv1d", channels = 3, kernel = 2 },
            { kind = "batch_norm" },
            { kind = "flatten" },
            { kind = "dense", units = 4 },
        ]
        [training]
        epochs = 1
        batch_size = 4
        learning_rate = 0.1
        bottom = { optimizer = "sgd", learning_rate = 0.1 }
        seed = 1
    "#;
    Job::from_toml(text).unwrap()
}

fn network(seed: u8) -> Box<dyn BottomNetwork> {
    build(&job(), &[seed; 32], None).unwrap()
}

fn tensor(name: &str, shape: &[usize], values: Vec<f32>) -> NamedTensor {
    NamedTensor {
        name: name.into(),
        shape: shape.into(),
        values,
    }
}

#[test]
fn what_is_saved_and_loaded_is_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    let mut trained = network(1);
    let x = Array2::from_shape_fn((5, 14), |(i, j)| ((3 * i + j) % 7) as f32 - 3.0);
    let step = Step {
        round: 0,
        pace: 1.0,
    };
    trained.forward(x.clone(), step).unwrap();
    trained.backward(Array2::ones((5, 4))).unwrap();

    save(&path, &trained.parameters()).unwrap();
    let loaded = build(&job(), &[2; 32], Some(load(&path).unwrap())).unwrap();
    assert_eq!(
        loaded.infer(x.clone()).unwrap(),
        trained.infer(x.clone()).unwrap()
    );
    let pairs = loaded.parameters().into_iter().zip(trained.parameters());
    assert!(pairs.into_iter().all(|(a, b)| a.is_bit_identical(&b)));
    assert_ne!(
        network(2).infer(x.clone()).unwrap(),
        trained.infer(x).unwrap()
    );
    assert_eq!(job().blueprint().input(), SampleShape::of(&[2, 7]).unwrap());
}

#[test]
fn a_tensor_that_does_not_fit_is_named_with_both_shapes() {
    let refused = |edit: &dyn Fn(&mut Vec<NamedTensor>)| {
        let mut tensors = network(1).parameters();
        edit(&mut tensors);
        let error = build(&job(), &[1; 32], Some(tensors)).err().unwrap();
        error.to_string()
    };
    assert_eq!(
        refused(&|tensors| tensors[6] = tensor("3.weight", &[18, 4], vec![0.0; 72])),
        "initial weights, tensor '3.weight': the network takes shape [4, 18], the file has \
         shape [18, 4]"
    );
    assert_eq!(
        refused(&|tensors| tensors.truncate(1)),
        "initial weights, tensor '0.bias': the network takes shape [3], the file has none of \
         that name"
    );
    assert_eq!(
        refused(&|tensors| tensors.push(tensor("4.weight", &[2, 4], vec![0.0; 8]))),
        "initial weights, tensor '4.weight': the network takes no such tensor, the file has \
         shape [2, 4]"
    );
    assert!(
        refused(&|tensors| tensors[0].name = "conv.weight".into()).contains(
            "'0.weight': the network takes shape [3, 2, 2], the file has none of that name (but"
        )
    );
}

#[test]
fn a_file_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = load(&path).unwrap_err().to_string();
        assert!(!error.contains(folder.path().to_str().unwrap()), "{error}");
        error
    };
    for bytes in [&b""[..], b"not weights at all", &[255; 64]] {
        assert!(refused("a.safetensors", bytes).contains("no safetensors file"));
    }
    assert!(refused("a.npz", b"").contains("must end in .safetensors"));
    assert!(load(&folder.path().join("absent.safetensors")).is_err());

    let path = folder.path().join("b.safetensors");
    save(&path, &[tensor("0.weight", &[2], vec![0.0, f32::NAN])]).unwrap();
    let error = load(&path).unwrap_err().to_string();
    assert!(
        error.contains("'0.weight' holds infinities or NaN"),
        "{error}"
    );

    let view = TensorView::new(Dtype::I64, vec![1], &[0; 8]).unwrap();
    let views = [("0.weight", view.clone()), ("1.num_batches_tracked", view)];
    fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    let error = load(&path).unwrap_err().to_string();
    assert!(error.contains("'0.weight' holds I64"), "{error}");
}

/// `{"0.weight": [[1, 2, 3], [4, 5, 6]], "0.bias": [0.5, -0.5],
/// "1.num_batches_tracked": 7}`, in the format of `torch.save` (1.6 and later).
#[cfg(feature = "pytorch")]
#[test]
fn a_state_dict_of_pytorch_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dense.pt");
    fs::write(&path, include_bytes!("dense.pt")).unwrap();
    let mut tensors = load(&path).unwrap();
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    let expected = [
        tensor("0.bias", &[2], vec![0.5, -0.5]),
        tensor("0.weight", &[2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
    ];
    assert_eq!(tensors.len(), 2);
    let mut pairs = tensors.iter().zip(&expected);
    assert!(pairs.all(|(read, expected)| read.is_bit_identical(expected)));
    fs::write(&path, b"not a state dict").unwrap();
    assert!(
        load(&path)
            .unwrap_err()
            .to_string()
            .contains("no PyTorch file")
    );
}
