//! Two daemons as they are shipped, and a back office in another language that knows nothing but the protos.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use std::path::Path;
use std::process::Command;
use support::homes::{Homes, succeed};
use support::tools::python;

#[test]
fn a_back_office_in_python_sends_receives_and_proves() {
    let python = python();
    let homes = Homes::new();
    let (us, kz) = (homes.us.serve(), homes.kz.serve());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(root.join("tests/python/back_office.py"))
        .arg("--protos")
        .arg(root.join("proto"))
        .arg("--build")
        .arg(homes.path().join("protos"))
        .arg("--request")
        .arg(root.join("tests/fixtures/02_origin_verification.json"));
    for (role, home) in [("--sender", &homes.us), ("--receiver", &homes.kz)] {
        command.arg(role).arg(&home.backoffice).arg(&home.keys).arg(home.official);
    }
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}\nUS:\n{}\nKZ:\n{}", us.log(), kz.log());
    assert!(out.ends_with("all of it holds\n"), "{out}");
}

/// What the README shows is what works.
#[test]
fn the_example_of_the_readme_sends_a_message() {
    let python = python();
    let homes = Homes::new();
    let (_us, _kz) = (homes.us.serve(), homes.kz.serve());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let protos = homes.path().join("protos");
    let mut compile = Command::new(&python);
    compile.args(["-c", "import pathlib, sys; from protos import compile_protos; compile_protos(*map(pathlib.Path, sys.argv[1:]))"]);
    succeed(
        compile
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONPATH", root.join("tests/python"))
            .arg(root.join("proto"))
            .arg(&protos),
    );
    let example = |home: &support::homes::Home, what: &str| {
        let mut command = Command::new(&python);
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONPATH", &protos);
        command.arg(root.join("tests/python/example.py")).arg(&home.backoffice).arg(&home.keys);
        succeed(command.args([home.official, what]))
    };
    let sent = example(&homes.us, "send");
    assert!(sent.starts_with("messages/"), "{sent}");
    assert_eq!(example(&homes.kz, "receive"), sent);
}
