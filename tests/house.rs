//! The rules of the house, read off its files: who may use whom, what is pure, where a library may be named, and
//! that the protos keep the style others rely on.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::source::{code_of, named, names_after, sources};
use support::tools::buf;

/// From left to right: a module may use what stands in a later group.
const ORDER: [&[&str]; 12] = [
    &["main"],
    &["commands"],
    &["app"],
    &["backoffice", "peer", "operations"],
    &["door"],
    &["exchange", "evidence"],
    &["store"],
    &["index", "journal", "vault"],
    &["treaty", "channel"],
    &["ledger"],
    &["crypto"],
    &["wire", "limits", "rules", "disk"],
];

/// Stands outside the order: read by these, and made of the settings of those.
const CONFIG_USERS: [&str; 2] = ["app", "commands"];
const CONFIG_USES: [&str; 6] = ["door", "exchange", "journal", "channel", "crypto", "wire"];

/// Uses inside a group, each with its reason. What is no longer used must leave the list.
const NEIGHBOURS: [(&str, &str, &str); 1] =
    [("rules", "wire", "compiles the rules from the descriptors of the protos")];

/// Modules that are computed with, and what they may therefore not name.
const PURE: [&str; 3] = ["treaty", "channel", "ledger"];
const IMPURE: [&str; 10] = [
    "std::fs",
    "std::net",
    "std::process",
    "SystemTime::now",
    "Instant",
    "tokio",
    "tonic",
    "sled",
    "ring::rand",
    "crypto::random",
];

/// Libraries and the modules that may name them.
const LIBRARIES: [(&str, &[&str]); 2] =
    [("sled", &["index"]), ("tonic", &["door", "backoffice", "peer", "operations", "commands", "app"])];

#[test]
fn modules_use_only_what_stands_to_their_right() {
    let mut found = Vec::new();
    let mut neighbours = BTreeSet::new();
    for (user, used, file) in uses() {
        if user == used {
            continue;
        }
        let allowed = match (user.as_str(), used.as_str()) {
            ("config", used) => CONFIG_USES.contains(&used),
            (user, "config") => CONFIG_USERS.contains(&user),
            (user, used) => match (place(user), place(used)) {
                (Some(left), Some(right)) if left == right => {
                    let known = NEIGHBOURS.iter().find(|(a, b, _)| (*a, *b) == (user, used));
                    neighbours.extend(known.map(|(a, b, _)| (*a, *b)));
                    known.is_some()
                }
                (Some(left), Some(right)) => left < right,
                _ => false,
            },
        };
        if !allowed {
            found.push(format!("{}: {user} uses {used}", file.display()));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    let listed: BTreeSet<_> = NEIGHBOURS.iter().map(|(user, used, _)| (*user, *used)).collect();
    assert_eq!(neighbours, listed, "the list of neighbours is not what is used");
}

#[test]
fn every_module_has_its_place() {
    let mut there: BTreeSet<String> = sources().map(|(module, ..)| module).collect();
    there.remove("lib");
    there.remove("config");
    let strangers: Vec<_> = there.iter().filter(|module| place(module).is_none()).collect();
    assert!(strangers.is_empty(), "no place in the order: {strangers:?}");
    assert!(there.len() > 15, "{there:?}");
}

#[test]
fn what_is_computed_with_is_pure() {
    let mut found = Vec::new();
    for (module, file, code) in sources() {
        if PURE.contains(&module.as_str()) {
            let impure = IMPURE.iter().filter(|name| named(&code, name));
            found.extend(impure.map(|name| format!("{} names {name}", file.display())));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for (module, file, code) in sources() {
        for (library, rooms) in LIBRARIES {
            if named(&code, library) {
                used.insert(library);
                if !rooms.contains(&module.as_str()) {
                    found.push(format!("{} names {library}", file.display()));
                }
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    assert_eq!(used.len(), LIBRARIES.len(), "a library is looked for that nobody uses: {used:?}");
}

/// A check that cannot fail proves nothing.
#[test]
fn the_reader_of_sources_sees_what_it_must() {
    let names = |code: &str| names_after(&code_of(code), "crate::");
    assert_eq!(names("use crate::ledger::Proof;"), ["ledger"]);
    assert_eq!(names("use crate::{ledger::{a, b}, wire, door as d};"), ["ledger", "wire", "door"]);
    assert_eq!(names("let a = crate::peer::x(\"// no comment\", crate::wire::y);"), ["peer", "wire"]);
    assert!(names("// crate::door\n/// [`crate::door`]\n//! crate::door").is_empty());
    assert!(names("xcrate::door").is_empty());
    assert!(named("use tokio::time;", "tokio") && named("std::time::Instant", "Instant"));
    assert!(!named("use tokio_stream::x; let instant = 1; Instants", "tokio"));
    assert!(!named("Instants", "Instant"));
}

/// A gRPC client of the other Party is made from these files.
#[test]
fn buf_finds_nothing_in_the_protos() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(buf()).arg("lint").current_dir(root).output().unwrap();
    let found = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{found}");
    // A known-bad control: the linter that finds nothing here finds something there.
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(root.join("buf.yaml"), folder.path().join("buf.yaml")).unwrap();
    std::fs::create_dir(folder.path().join("proto")).unwrap();
    std::fs::write(
        folder.path().join("proto/bad.proto"),
        "syntax = \"proto3\";\npackage bad;\nmessage bad {}\n",
    )
    .unwrap();
    let output = Command::new(buf()).arg("lint").arg(folder.path()).output().unwrap();
    assert!(!output.status.success());
}

/// The Python that the README shows is the file that the suite runs.
#[test]
fn the_readme_shows_what_is_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let example = std::fs::read_to_string(root.join("tests/python/example.py")).unwrap();
    assert!(
        readme.contains(&format!("```python\n{example}```")),
        "tests/python/example.py is not in README.md"
    );
    for path in readme.split('`').filter(|text| text.ends_with('/') && !text.contains(char::is_whitespace)) {
        assert!(root.join(path).is_dir(), "README.md names {path}");
    }
}

/// Every use of one top-level module by another: user, used, file.
fn uses() -> Vec<(String, String, PathBuf)> {
    let all: Vec<_> = sources().collect();
    let modules: BTreeSet<String> = all.iter().map(|(module, ..)| module.clone()).collect();
    let mut inner: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (module, file, _) in &all {
        let parts = file.iter().skip(1).map(|part| part.to_string_lossy().trim_end_matches(".rs").to_owned());
        inner.entry(module).or_default().extend(parts);
    }
    let mut uses = Vec::new();
    for (module, file, code) in &all {
        let root = if module == "main" { "article6::" } else { "crate::" };
        let mut used = names_after(code, root);
        // `super` may climb to the root as well; a module's own rooms are its own.
        let climbed = names_after(code, "super::").into_iter();
        used.extend(climbed.filter(|name| modules.contains(name) && !inner[module.as_str()].contains(name)));
        uses.extend(used.into_iter().map(|used| (module.clone(), used, file.clone())));
    }
    assert!(uses.len() > 100, "the sources were not found");
    uses
}

fn place(module: &str) -> Option<usize> {
    ORDER.iter().position(|group| group.contains(&module))
}
