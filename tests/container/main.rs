//! The image and the stack of containers, on the engine of this machine; without
//! one they are skipped by name.
//!
//! `ENTENTE_IMAGE_BINARY` names the static binary to put into the image, as
//! `deploy/image/build` makes it. Left out, it is the binary under test with the
//! shared objects that it loads: the same image and the same stack but for that,
//! and nothing is built twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod engine;
#[path = "../house/mod.rs"]
mod house;
mod image;
mod samples;
mod stack;

use entente_protocol::{
    acml::{ActiveHalf, Model, PassiveHalf},
    job::Job,
};
use serde_json::Value;

use crate::{engine::Engine, house::eventually, image::Image, stack::Stack};

#[test]
fn the_image_is_small_and_has_nothing_in_it_that_it_does_not_need() {
    let Some(engine) = Engine::find() else { return };
    let image = Image::build(&engine, "inside");
    let known = engine.json(&["image", "inspect", image.tag()]);
    let (known, config) = (&known[0], &known[0]["Config"]);
    assert_eq!(known["Id"], image.made["id"], "{known:#}");
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], serde_json::json!(["/entente"]));
    for (label, value) in [
        ("title", "entente"),
        ("version", env!("CARGO_PKG_VERSION")),
        ("description", env!("CARGO_PKG_DESCRIPTION")),
    ] {
        let label = format!("org.opencontainers.image.{label}");
        assert_eq!(config["Labels"][&label], value, "{config:#}");
    }
    let licences = &config["Labels"]["org.opencontainers.image.licenses"];
    assert!(licences.as_str().unwrap().contains("Apache-2.0"));
    image.is_of_known_size();

    let files = image.files();
    let may_run = files.iter().filter(|(mode, path)| {
        mode.starts_with('-') && mode.contains('x') && !path.contains(".so")
    });
    let programs: Vec<&str> = may_run.map(|(_, path)| path.as_str()).collect();
    assert_eq!(programs, ["entente"], "{files:#?}");
    let shell = ["run", "--rm", "--entrypoint", "/bin/sh", image.tag()];
    let (code, said) = engine.fail(&shell);
    assert_eq!(code, 127, "{said}");

    // What it says of itself, by a user that is not root, on a root that is read-only.
    let run = |arguments: &[&str]| {
        let start = ["run", "--rm", "--read-only", "--network=none", image.tag()];
        engine.run(&[&start[..], arguments].concat())
    };
    let version = run(&["--version"]);
    assert_eq!(
        version.trim(),
        concat!("entente ", env!("CARGO_PKG_VERSION"))
    );
    let api: Value = serde_json::from_str(&run(&["api", "-o", "json"])).unwrap();
    assert_eq!(api["openapi"], "3.1.0");
    if image.is_static() {
        let (code, said) = engine.fail(&[
            "run",
            "--rm",
            "--read-only",
            image.tag(),
            "bench",
            "he",
            "--quick",
            "--key-bits",
            "2048",
            "--against",
            "openssl",
        ]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("is static"), "{said}");
    }
}

#[test]
fn the_same_files_make_the_same_image_and_its_bill_of_materials_is_whole() {
    let Some(engine) = Engine::find() else { return };
    let image = Image::build(&engine, "once");
    let again = Image::build(&engine, "again");
    for what in ["id", "digest", "bytes"] {
        assert_eq!(image.made[what], again.made[what], "{what}");
    }
    assert_eq!(image.beside(), again.beside());
    let inside = engine.file_in(image.tag(), "/usr/share/sbom/entente.cdx.json");
    assert_eq!(inside, image.beside());

    let bill: Value = serde_json::from_slice(&inside).unwrap();
    assert_eq!(bill["bomFormat"], "CycloneDX");
    assert_eq!(bill["metadata"]["component"]["name"], "entente");
    let of_binary = &bill["metadata"]["component"]["hashes"][0]["content"];
    assert_eq!(
        *of_binary,
        image::sha256(&engine.file_in(image.tag(), "/entente"))
    );
    let components = bill["components"].as_array().unwrap();
    image::holds_what_is_linked(components);
    // Everything that is spoken of is there.
    let known = |reference: &Value| {
        let root = &bill["metadata"]["component"]["bom-ref"];
        reference == root || components.iter().any(|of| of["bom-ref"] == *reference)
    };
    for entry in bill["dependencies"].as_array().unwrap() {
        assert!(known(&entry["ref"]), "{entry}");
        for used in entry["dependsOn"].as_array().unwrap() {
            assert!(known(used), "{used}");
        }
    }
}

/// So many epochs of 24 mini-batches: long enough for what happens meanwhile.
const JOB: [(&str, &str); 2] = [
    ("epochs = 30", "epochs = 8"),
    ("batch_size = 16", "batch_size = 5"),
];

#[test]
fn a_party_is_killed_and_a_network_cut_and_the_weights_are_those_of_a_quiet_run() {
    let Some(engine) = Engine::find() else { return };
    let image = Image::build(&engine, "trains");
    let stack = Stack::up(&engine, &image, &JOB);
    stack.is_healthy();
    stack.is_confined();

    let quiet = stack.submit();
    let end = stack.end_of(&quiet);
    assert_eq!(end["state"], "succeeded", "{end:#}\n{}", stack.last_words());

    let id = stack.submit();
    let under_way = |than: u64| {
        eventually("the job goes on", || {
            let done = done(&stack.show(&id));
            (done > than).then_some(done)
        })
    };
    let at_the_kill = under_way(8);
    stack.kill("bank-b");
    stack.start("bank-b");
    let at_the_cut = under_way(at_the_kill + 8);
    stack.cut("between-banks", "bank-a");
    // Nothing goes on without that line: there is no other way round.
    eventually("both wait for each other", || {
        (stack.show(&id)["state"] == "parked").then_some(())
    });
    let stood = done(&stack.show(&id));
    assert!(
        stood >= at_the_cut && stood < done(&end),
        "{stood}: too late to matter"
    );
    stack.mend("between-banks", "bank-a");

    let disturbed = stack.end_of(&id);
    let words = stack.last_words();
    assert_eq!(disturbed["state"], "succeeded", "{disturbed:#}\n{words}");
    assert_eq!(disturbed["attempt"], end["attempt"], "it was begun anew");
    assert_eq!(disturbed["test_accuracy"], end["test_accuracy"]);
    assert!(model(&stack, &quiet).is_bit_identical(&model(&stack, &id)));

    // What is set up again and again is set up once, and so is the sample job.
    let authority = stack.run("authority", &[]);
    assert!(authority.contains("ca.pem"), "{authority}");
    let sample = [
        "job",
        "submit",
        "/etc/entente/job.toml",
        "--idempotency-key",
        "sample",
    ];
    let [first, second] = [(), ()].map(|()| stack.alice(&[&sample[..], &["-o", "json"]].concat()));
    assert_eq!(first["id"], second["id"]);
}

/// Exchanges of the labels' side.
fn done(job: &Value) -> u64 {
    let done = &job["sides"]["passive"]["progress"]["exchanges_done"];
    done.as_u64().unwrap_or(0)
}

/// Both halves of a job's model together: each is masked anew in every run.
fn model(stack: &Stack<'_>, id: &str) -> Model {
    let job = Job::from_toml(&stack.specification()).unwrap();
    let active = ActiveHalf::open(&job, &stack.half("bank-a", id)).unwrap();
    let passive = PassiveHalf::open(&job, &stack.half("bank-b", id)).unwrap();
    Model::join(active, passive)
}
