//! What fits, what does not, and what is said then.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn network(text: &str) -> Network {
    toml::from_str(text).unwrap()
}

fn unreadable(text: &str) -> String {
    toml::from_str::<Network>(text).unwrap_err().to_string()
}

/// The blueprint of layers written as a job writes them.
fn fitted(input: &str, bottom: &str) -> Result<Blueprint, LayerError> {
    network(&format!(
        "input = {input}\nbottom = [{bottom}]\nclasses = 3"
    ))
    .blueprint()
}

fn refused(input: &str, bottom: &str) -> String {
    fitted(input, bottom).unwrap_err().to_string()
}

const DENSE: &str = r#"{ kind = "dense", units = 5 }"#;
const FLATTEN: &str = r#"{ kind = "flatten" }"#;
const CONV2D: &str = r#"{ kind = "conv2d", channels = 6, kernel = 5 }"#;

#[test]
fn an_error_names_the_layer_and_both_shapes() {
    for (input, bottom, expected) in [
        (
            "[6, 28, 28]",
            DENSE.to_owned(),
            "layer 0 (dense) takes a row of values (put a flatten layer before it), got 6 x 28 x 28",
        ),
        (
            "[4]",
            format!("{DENSE}, {CONV2D}"),
            "layer 1 (conv2d) takes an image (channels x height x width) of 5 x 5 points or more, got 5",
        ),
        (
            "[1, 4, 28]",
            CONV2D.to_owned(),
            "layer 0 (conv2d) takes an image (channels x height x width) of 5 x 5 points or more, got 1 x 4 x 28",
        ),
        (
            "[2, 2]",
            r#"{ kind = "conv1d", channels = 1, kernel = 4 }"#.to_owned(),
            "layer 0 (conv1d) takes a signal (channels x length) of length 4 or more, got 2 x 2",
        ),
        (
            "[3, 1, 9]",
            r#"{ kind = "max_pool", kernel = 2 }"#.to_owned(),
            "layer 0 (max_pool) takes a signal (channels x length) or an image (channels x height x width) of 2 points or more along each axis, got 3 x 1 x 9",
        ),
        (
            "[1, 8, 8]",
            CONV2D.to_owned(),
            "layer 1 (cut) takes a row of values (end with a flatten layer), got 6 x 4 x 4",
        ),
        (
            "[4]",
            r#"{ kind = "tanh" }, { kind = "dense", units = 0 }"#.to_owned(),
            "layer 1 (dense) takes from 1 to 100000 units (here 0), got 4",
        ),
        (
            "[2, 9]",
            r#"{ kind = "conv1d", channels = 1, kernel = 3, padding = 3 }"#.to_owned(),
            "layer 0 (conv1d) takes a kernel and a stride from 1 to 10000 and a padding below the kernel (here 3, 1 and 3), got 2 x 9",
        ),
        (
            "[2, 9]",
            r#"{ kind = "mean_pool", kernel = 2, stride = 0 }"#.to_owned(),
            "layer 0 (mean_pool) takes a kernel and a stride from 1 to 10000 and a padding below the kernel (here 2, 0 and 0), got 2 x 9",
        ),
        (
            "[4]",
            r#"{ kind = "dropout", rate = 1.0 }"#.to_owned(),
            "layer 0 (dropout) takes a rate of at least 0 and below 1, got 4",
        ),
        (
            "[4]",
            r#"{ kind = "leaky_relu", slope = nan }"#.to_owned(),
            "layer 0 (leaky_relu) takes a slope from 0 to 1, got 4",
        ),
    ] {
        assert_eq!(refused(input, &bottom), expected);
    }
}

#[test]
fn a_layer_inside_blocks_is_named_by_its_path() {
    let inner = format!(r#"{{ kind = "residual", layers = [{{ kind = "tanh" }}, {CONV2D}] }}"#);
    let outer = format!(r#"{DENSE}, {{ kind = "residual", layers = [{inner}] }}"#);
    let error = fitted("[4]", &outer).unwrap_err();
    assert_eq!(error.layer.places(), [1, 0, 1]);
    assert!(
        error
            .to_string()
            .starts_with("layer 1.0.1 (conv2d) takes an image")
    );
}

#[test]
fn a_shortcut_must_meet_what_the_layers_leave() {
    let block = |channels: usize, stride: usize, shortcut: &str| {
        format!(
            r#"{{ kind = "residual", shortcut = "{shortcut}", layers = [
                {{ kind = "conv2d", channels = {channels}, kernel = 3, stride = {stride}, padding = 1 }}
            ] }}, {FLATTEN}"#
        )
    };
    assert_eq!(
        refused("[4, 9, 9]", &block(8, 1, "identity")),
        "layer 0 (residual) takes layers that keep the shape 4 x 9 x 9 (or shortcut = \
         \"projection\"), got 8 x 9 x 9"
    );
    assert_eq!(
        fitted("[4, 9, 9]", &block(4, 1, "identity"))
            .unwrap()
            .width(),
        324
    );
    let projected = fitted("[4, 9, 9]", &block(8, 2, "projection")).unwrap();
    assert_eq!((projected.width(), projected.parameters()), (200, 296 + 32));
    assert_eq!(projected.layers()[0].projection, Some(2));
    let flat = format!(r#"{{ kind = "residual", shortcut = "projection", layers = [{FLATTEN}] }}"#);
    assert!(refused("[4, 9, 9]", &flat).contains("got 324"));
}

#[test]
fn a_network_too_large_for_memory_is_refused_before_it_is_allocated() {
    let dense = |units: usize| format!(r#"{{ kind = "dense", units = {units} }}"#);
    assert!(refused("[1000000]", &dense(100_000)).starts_with("layer 0 (dense) takes at most"));
    // Each is within the limit, both together are not.
    let both = format!("{}, {}", dense(13_000), dense(13_000));
    assert!(refused("[13000]", &both).starts_with("layer 1"));
    let wide = r#"{ kind = "conv2d", channels = 100000, kernel = 1 }"#;
    assert!(refused("[1, 1000, 1000]", wide).contains("values a sample"));
    assert!(refused(&format!("[{}, {0}, 9]", u32::MAX), wide).starts_with("layer 0"));
    let many = vec![r#"{ kind = "tanh" }"#; 1001].join(",");
    assert!(refused("[4]", &many).starts_with("layer 1000 (tanh) takes at most 1000 layers"));
    let deep = (0..10).fold(DENSE.to_owned(), |inner, _| {
        format!(r#"{{ kind = "residual", layers = [{inner}] }}"#)
    });
    assert!(refused("[5]", &deep).contains("8 blocks inside each other"));
}

#[test]
fn nothing_below_the_cut_is_a_network_too() {
    let blueprint = fitted("[784]", "").unwrap();
    assert_eq!((blueprint.width(), blueprint.parameters()), (784, 0));
    assert!(refused("[1, 28, 28]", "").contains("layer 0 (cut) takes a row"));
}

/// Widths and parameters by the arithmetic of the papers: LeNet-5 has 61,706
/// with its ten classes, 850 of them above the cut; the residual network's are
/// those of its first convolution and of its three blocks.
#[test]
fn each_preset_has_its_width_and_its_parameters() {
    for (preset, input, width, parameters) in [
        ("mlr", "input = [1, 28, 28]", 784, 0),
        ("mlr", "input = [3, 32, 32]", 3072, 0),
        ("mlr", "inputs = 30", 30, 0),
        ("conv1", "input = [1, 28, 28]", 84, 156 + (864 + 1) * 84),
        ("conv1", "input = [3, 32, 32]", 84, 456 + (1176 + 1) * 84),
        ("lenet5", "input = [1, 28, 28]", 84, 61_706 - 850),
        ("lenet5", "input = [3, 32, 32]", 84, 61_706 - 850 + 300),
        ("mlp-iris", "", 5, 25),
        ("mlp-diabetes", "", 12, 108),
        ("mlp-krkp", "", 15, 555),
        (
            "resnet8",
            "input = [3, 32, 32]",
            64,
            480 + 4_704 + 14_528 + 57_728,
        ),
    ] {
        let fixed = preset.starts_with("mlp");
        let classes = if fixed { "" } else { "classes = 10" };
        let network = network(&format!("preset = \"{preset}\"\n{input}\n{classes}"));
        let blueprint = network.blueprint().unwrap();
        assert_eq!(
            (blueprint.width(), blueprint.parameters()),
            (width, parameters),
            "{preset} on {input}"
        );
    }
    for preset in Preset::ALL {
        assert_eq!(serde_json::to_value(preset).unwrap(), preset.name());
    }
}

#[test]
fn a_preset_for_one_dataset_brings_what_belongs_to_it() {
    let diabetes = network("preset = \"mlp-diabetes\"");
    assert_eq!((diabetes.classes, diabetes.logits()), (2, 1));
    assert_eq!(diabetes.loss, Objective::BinaryCrossEntropy);
    assert_eq!(diabetes.input, SampleShape::Row(8));
    assert_eq!(network("preset = \"mlp-iris\"\ninputs = 4").logits(), 3);
    assert!(unreadable("preset = \"mlp-iris\"\ninputs = 5").contains("network.input"));
    assert!(unreadable("preset = \"mlp-krkp\"\nclasses = 3").contains("network.classes"));
}

#[test]
fn a_preset_refuses_an_image_that_it_was_not_made_for() {
    let network = network("preset = \"lenet5\"\ninput = [1, 20, 20]\nclasses = 10");
    assert_eq!(
        network.blueprint().unwrap_err().to_string(),
        "layer 0 (lenet5) takes channels x 28 x 28 or channels x 32 x 32, got 1 x 20 x 20"
    );
}

#[test]
fn what_is_said_twice_or_not_at_all_is_an_error() {
    for (text, word) in [
        ("inputs = 4\nclasses = 3", "network.bottom"),
        (
            "inputs = 4\nclasses = 3\nbottom = []\npreset = \"mlr\"",
            "network.preset",
        ),
        (
            "inputs = 4\ninput = [4]\nclasses = 3\nbottom = []",
            "network.inputs",
        ),
        (
            "input = [1, 2, 3, 4]\nclasses = 3\nbottom = []",
            "network.input",
        ),
        (
            "classes = 3\npreset = \"lenet5\"",
            "network.input is missing",
        ),
        ("inputs = 4\npreset = \"mlr\"", "network.classes is missing"),
        ("inputs = 4\nclasses = 3\npreset = \"lenet6\"", "lenet6"),
    ] {
        let error = unreadable(text);
        assert!(error.contains(word), "{text}: {error}");
    }
}

#[test]
fn one_activation_takes_the_place_of_all() {
    let of = |network: &Network| -> Vec<Activation> {
        let layers = network.layers().unwrap().into_owned();
        layers.iter().filter_map(Activation::of).collect()
    };
    for (preset, input, count) in [
        ("lenet5", "input = [1, 28, 28]\nclasses = 10", 4),
        ("conv1", "input = [3, 32, 32]\nclasses = 10", 2),
        ("mlp-krkp", "", 1),
        ("mlr", "inputs = 9\nclasses = 3", 0),
    ] {
        let tanh = network(&format!("preset = \"{preset}\"\n{input}"));
        assert_eq!(of(&tanh), vec![Activation::Tanh; count], "{preset}");
        let square = tanh.with_activation(Activation::Square).unwrap();
        assert_eq!(of(&square), vec![Activation::Square; count], "{preset}");
        let [tanh, square] = [tanh, square].map(|network| network.blueprint().unwrap());
        assert_eq!(
            (tanh.width(), tanh.parameters(), tanh.layers().len()),
            (square.width(), square.parameters(), square.layers().len()),
        );
    }
    // Within blocks too; and what is written down names it.
    let block = r#"input = [4]
        classes = 2
        bottom = [{ kind = "residual", layers = [{ kind = "relu" }, { kind = "dense", units = 4 }] }]"#;
    let square = network(block).with_activation(Activation::Square).unwrap();
    let written = serde_json::to_string(&square).unwrap();
    assert!(written.contains(r#""layers":[{"kind":"square"},{"kind":"dense","units":4}]"#));
    assert_eq!(serde_json::from_str::<Network>(&written).unwrap(), square);
}

/// Both ways to write a shape are one specification, and one digest.
#[test]
fn what_is_written_down_again_reads_the_same() {
    let text = |network: &Network| serde_json::to_string(network).unwrap();
    assert_eq!(
        text(&network("input = [4]\nbottom = []\nclasses = 3")),
        r#"{"inputs":4,"bottom":[],"classes":3}"#
    );
    for written in [
        r#"{"input":[3,32,32],"preset":"resnet8","classes":10}"#,
        r#"{"inputs":2,"bottom":[{"kind":"leaky_relu","slope":0.1},{"kind":"residual","layers":[{"kind":"batch_norm"}],"shortcut":"identity"}],"classes":2,"loss":"binary_cross_entropy"}"#,
    ] {
        let network: Network = serde_json::from_str(written).unwrap();
        assert_eq!(text(&network), written);
    }
}

/// The README writes LeNet-5 down, and says what is said without its flatten
/// layer.
#[test]
fn the_readme_says_what_is_so() {
    let readme = include_str!("../../../../README.md");
    let section = readme.split("## Networks").nth(1).unwrap();
    let block = section.split("```").nth(1).unwrap();
    let text = block.strip_prefix("toml\n[network]\n").unwrap();
    let by_name =
        text.split("bottom").next().unwrap().to_owned() + "preset = \"lenet5\"\nclasses = 10";
    let written_down = network(text).blueprint().unwrap();
    assert_eq!(written_down, network(&by_name).blueprint().unwrap());
    let without = text.replace("{ kind = \"flatten\" },", "");
    let said = network(&without).blueprint().unwrap_err().to_string();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(section).contains(&said), "{said}");
    for preset in Preset::ALL {
        assert!(section.contains(&format!("| `{}` |", preset.name())));
    }
}
