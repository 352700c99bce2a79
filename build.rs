//! Compiles the protos without `protoc`: message packages first, then the services that use them.

use prost::Message as _;
use std::path::{Path, PathBuf};

/// Packages without services, generated into `wire`; everything else refers to them there.
const MESSAGES: [&str; 3] = ["assistance", "channel", "ledger"];
/// Packages of the three doors, each generated into its own room.
const SERVICES: [&str; 3] = ["backoffice", "peer", "operations"];

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
    generate(&messages, &out.join("messages"), configure())?;

    let mut services = configure();
    for package in MESSAGES {
        services =
            services.extern_path(format!(".article6.{package}.v1"), format!("crate::wire::{package}::v1"));
    }
    for package in SERVICES {
        generate(&protos(package)?, &out.join(package), services.clone())?;
    }
    Ok(())
}

fn configure() -> tonic_prost_build::Builder {
    tonic_prost_build::configure().bytes(".").build_transport(false)
}

/// Each run has its own folder: imported packages leave an empty file there, which nobody includes.
fn generate(
    files: &[PathBuf],
    out: &Path,
    builder: tonic_prost_build::Builder,
) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(out)?;
    let set = prost_types::FileDescriptorSet::decode(descriptors(files)?.as_slice())?;
    builder.out_dir(out).compile_fds(set)?;
    Ok(())
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
