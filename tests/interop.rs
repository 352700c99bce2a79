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
use support::tools::{buf, python};

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

/// A client that has no protos asks the door for them.
#[test]
fn a_generic_client_needs_no_protos() {
    let buf = buf();
    let homes = Homes::new();
    let _us = homes.us.serve();
    let call = |method: &str, request: &str| {
        let mut command = Command::new(&buf);
        command.args(["curl", "--protocol", "grpc"]);
        let files =
            [("--cacert", "backoffice-ca"), ("--cert", "client-backoffice"), ("--key", "client-backoffice")];
        for (option, name) in files {
            let extension = if option == "--key" { "key" } else { "pem" };
            command.arg(option).arg(homes.us.keys.join(name).with_extension(extension));
        }
        command
            .arg("--header")
            .arg(format!("article6-official: {}", homes.us.official))
            .args(["--data", request]);
        let address = &homes.us.backoffice;
        succeed(command.arg(format!("https://{address}/article6.backoffice.v1.MessageService/{method}")))
    };
    assert_eq!(call("ListMessages", "{}").trim(), "{}");
    let submission = r#"{
        "requestId": "8f7c1c6e-6d7e-4a53-9f0e-0f1f4c1d2b3a",
        "submission": {
            "case": "cases/0b0e3a52-8c39-4f0f-a4c6-9a4c2b7f5d11",
            "language": "en",
            "body": {"consultation": {
                "threadId": "5d3c2a10-1b2c-4d3e-8f4a-5b6c7d8e9f00",
                "subject": "Working hours in December",
                "text": "May requests reach you between 24 December and 2 January?"
            }}
        }
    }"#;
    assert!(call("SubmitMessage", submission).contains("DELIVERY_STATE_QUEUED"));
    assert!(call("ListMessages", "{}").contains("cases/0b0e3a52-8c39-4f0f-a4c6-9a4c2b7f5d11"));
}
