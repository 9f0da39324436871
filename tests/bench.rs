//! `entente bench he`: what it forecasts, and what it refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::process::Command;

use entente_he::Tier;
use house::{ENTENTE, configure, fail, succeed};
use serde_json::Value;

#[test]
fn a_job_is_forecast_from_its_own_cut() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "iris", &[]);
    let arguments = [
        "bench",
        "he",
        "--estimate",
        "iris.toml",
        "--rows",
        "150",
        "-o",
        "json",
    ];
    let estimate: Value = serde_json::from_str(&succeed(folder.path(), &arguments)).unwrap();
    // 120 training rows in batches of 16.
    assert_eq!(estimate["training_rows"], 120);
    assert_eq!(estimate["rounds_per_epoch"], 8);
    assert_eq!(
        (&estimate["width"], &estimate["classes"]),
        (&5.into(), &3.into())
    );
    let number = |key: &str| estimate[key].as_f64().unwrap();
    let epoch = number("seconds_per_epoch");
    assert!(epoch > 0.0);
    assert!((epoch - 8.0 * number("seconds_per_round")).abs() < 1e-9);
    assert!(number("seconds") > 30.0 * epoch);
    assert!(estimate["bytes_per_epoch"]["active"].as_u64().unwrap() > 50_000);
}

/// Every row that is promised is there, for people and for programs. How fast
/// anything is, is no test.
#[test]
fn a_quick_look_measures_every_row() {
    let folder = tempfile::tempdir().unwrap();
    // One tier, and the fastest: the rows are the same on all.
    let tier = Tier::detected().label();
    let arguments = ["bench", "he", "--quick", "--tier", tier];
    let arguments = [&arguments[..], &["--key-bits", "2048", "-o", "json"]].concat();
    let report: Value = serde_json::from_str(&succeed(folder.path(), &arguments)).unwrap();
    let named = |rows: &Value, figure: &str| -> Vec<String> {
        let row = |row: &Value| {
            assert!(row[figure].as_f64().unwrap() > 0.0, "{row}");
            row["operation"].as_str().unwrap().to_owned()
        };
        rows.as_array().unwrap().iter().map(row).collect()
    };
    assert_eq!(
        named(&report["primitives"], "microseconds"),
        [
            "generate_key",
            "encrypt_owner",
            "encrypt_owner_pooled",
            "encrypt_public",
            "encrypt_public_pooled",
            "encrypt_public_short",
            "rerandomise",
            "rerandomise_pooled",
            "add",
            "decrypt",
            "product_32_bit",
        ]
    );
    let measured = report["measured"].as_array().unwrap();
    let layouts: Vec<_> = measured.iter().map(|one| &one["layout"]).collect();
    assert_eq!(layouts, ["packed", "unpacked"]);
    for one in measured {
        assert_eq!(
            (&one["tier"], &one["key_bits"]),
            (&tier.into(), &2048.into())
        );
        assert_eq!(
            named(&one["operations"], "seconds"),
            [
                "encrypt_for_inference",
                "encrypt_activations",
                "encrypt_share",
                "forward",
                "weight_gradient",
                "input_gradient",
                "decrypt_forward",
                "decrypt_weight_gradient",
                "decrypt_input_gradient",
                "forward_pass",
            ]
        );
        assert!(one["round"]["seconds"].as_f64().unwrap() > 0.0, "{one}");
    }
    let sent =
        |layout: usize, operation: usize| &measured[layout]["operations"][operation]["bytes"];
    // Packed, training needs a second matrix; one value each serves both uses.
    assert!(sent(0, 0).as_u64() < sent(0, 1).as_u64());
    assert_eq!(sent(1, 0), sent(1, 1));
}

/// That it reports, on two thousand times too few decryptions for a verdict.
#[test]
fn the_time_of_decryptions_is_held_against_their_classes() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "bench",
        "he",
        "--timing=100",
        "--key-bits",
        "2048",
        "-o",
        "json",
    ];
    let arguments = [&arguments[..], &["--tier", Tier::detected().label()]].concat();
    let report: Value = serde_json::from_str(&succeed(folder.path(), &arguments)).unwrap();
    let timing = report["timing"].as_array().unwrap();
    let classes: Vec<_> = timing.iter().map(|one| &one["classes"]).collect();
    assert_eq!(
        classes,
        [
            "fixed_ciphertext",
            "zero_plaintext",
            "upper_half_mod_p",
            "upper_half_mod_q"
        ]
    );
    for one in timing {
        assert_eq!(one["samples"], 100);
        assert!(one["median_microseconds"].as_f64().unwrap() > 0.0);
        assert!(one["greatest_t"].as_f64().unwrap() >= 0.0);
    }
    assert_eq!(report["measured"], Value::Array(Vec::new()));
}

#[test]
fn what_cannot_be_measured_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "iris", &[("epochs = 30", "epochs = 0")]);
    for (arguments, code, word) in [
        (&["--key-bits", "1024"][..], 3, "1024"),
        (&["--tier", "abacus"], 3, "portable"),
        (&["--timing", "1"], 2, "100"),
        (
            &["--timing", "--estimate", "iris.toml", "--rows", "1"],
            2,
            "--estimate",
        ),
        (&["--estimate", "iris.toml"], 2, "--rows"),
        (
            &["--estimate", "nothing.toml", "--rows", "1"],
            3,
            "nothing.toml",
        ),
        (
            &["--estimate", "iris.toml", "--rows", "1"],
            3,
            "training.epochs",
        ),
    ] {
        let (got, said) = fail(folder.path(), &[&["bench", "he"][..], arguments].concat());
        assert_eq!(got, code, "{said}");
        assert!(said.contains(word), "{said}");
    }
}

/// The switch that forces a tier, with a tier that no machine has.
#[test]
fn a_tier_that_does_not_exist_is_refused_before_anything_runs() {
    let output = Command::new(ENTENTE)
        .args(["bench", "he", "--key-bits", "2048"])
        .env("ENTENTE_HE_TIER", "abacus")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("abacus") && said.contains("portable"),
        "{said}"
    );
}
