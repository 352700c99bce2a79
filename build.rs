//! Compiles the protos without `protoc`: message packages first, then the services that use them.

use prost::Message as _;
use std::path::{Path, PathBuf};

/// Packages without services, generated into `wire`; everything else refers to them there.
const MESSAGES: [&str; 3] = ["assistance", "channel", "ledger"];
/// Packages of the three doors, each generated into its own room.
const SERVICES: [&str; 3] = ["peer", "backoffice", "operations"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);

    let mut all = protos("rules")?;
    for package in MESSAGES.iter().chain(&SERVICES) {
        all.extend(protos(package)?);
    }
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_source_info(true).include_imports(true).open_files(&all)?;
    std::fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;

    let mut messages = Vec::new();
    for package in MESSAGES {
        messages.extend(protos(package)?);
    }
    let set = prost_types::FileDescriptorSet::decode(descriptors(&messages)?.as_slice())?;
    configure().compile_fds(only(set, &MESSAGES))?;

    for package in SERVICES {
        let set = prost_types::FileDescriptorSet::decode(descriptors(&protos(package)?)?.as_slice())?;
        let mut builder = configure();
        for message in MESSAGES {
            builder = builder.extern_path(format!(".article6.{message}.v1"), format!("crate::wire::{message}::v1"));
        }
        builder.compile_fds(only(set, &[package]))?;
    }
    Ok(())
}

fn configure() -> tonic_prost_build::Builder {
    tonic_prost_build::configure().bytes(".").build_transport(false)
}

/// The files of these packages alone: an imported package is generated once, in its own room.
fn only(mut set: prost_types::FileDescriptorSet, packages: &[&str]) -> prost_types::FileDescriptorSet {
    let wanted: Vec<String> = packages.iter().map(|package| format!("article6.{package}.v1")).collect();
    set.file.retain(|file| wanted.iter().any(|package| package == file.package()));
    set
}

fn descriptors(files: &[PathBuf]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_source_info(true).include_imports(true).open_files(files)?;
    Ok(compiler.encode_file_descriptor_set())
}

fn protos(package: &str) -> std::io::Result<Vec<PathBuf>> {
    let folder = Path::new("proto/article6").join(package).join("v1");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
