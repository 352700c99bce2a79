//! The second verifier, in another language; and bundles that are packed in ways that no honest program packs them.

use super::bundles::{Files, manifest, seal, verify};
use super::tools::python;
use article6::crypto::{LedgerKey, keyfile};
use article6::ledger::note::{Note, Vkey};
use flate2::{Compression, Crc, write::DeflateEncoder};
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What both verifiers must agree on; `None` for a file that proves nothing.
pub type Verdict = Option<(Vec<(String, bool)>, Option<u64>, Option<u64>)>;

/// Runs the second verifier.
pub fn second(folder: &Path, arguments: &[String]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python());
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(root.join("tests/python/verify_bundle.py"));
    command.arg("--protos").arg(root.join("proto")).arg("--build").arg(folder.join("protos"));
    command.args(arguments).output().unwrap()
}

/// Its verdicts on files.
pub fn theirs(folder: &Path, files: &[PathBuf], trust: &[String]) -> Vec<Verdict> {
    let mut arguments: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    arguments.extend(trust.iter().flat_map(|key| ["--trust".to_owned(), key.clone()]));
    let output = second(folder, &arguments);
    let told = String::from_utf8(output.stdout).unwrap();
    let reports: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(reports.len(), files.len(), "{}", String::from_utf8_lossy(&output.stderr));
    let code = |pair: &Value| (pair[0].as_str().unwrap().to_owned(), pair[1].as_bool().unwrap());
    let verdict = |report: &Value| verdict(report, report["codes"].as_array().unwrap().iter().map(code));
    reports.iter().map(verdict).collect()
}

/// The program's verdict on a file.
pub fn ours(file: &Path, trust: &[String]) -> Verdict {
    let trust: Vec<&str> = trust.iter().map(String::as_str).collect();
    let (_, report) = verify(file, &trust);
    let claims = report["claims"].as_array().expect("a report").iter();
    let code =
        |claim: &Value| (claim["code"].as_str().unwrap().to_owned(), claim["trusted"].as_bool().unwrap());
    verdict(&report, claims.map(code))
}

fn verdict(report: &Value, codes: impl Iterator<Item = (String, bool)>) -> Verdict {
    let sound = report["sound"].as_bool().unwrap();
    sound.then(|| (codes.collect(), report["earliest"].as_u64(), report["latest"].as_u64()))
}

/// The ledger key in a folder of keys.
pub fn ledger_key(folder: &Path) -> LedgerKey {
    let key = std::fs::read(folder.join("ledger.key")).unwrap();
    LedgerKey::from_pkcs8(&keyfile::pkcs8(&key).unwrap()).unwrap()
}

/// The files with a manifest that their exporter signed: what a Party can do that wants to deceive.
pub fn signed(files: &Files, key: &LedgerKey) -> Files {
    let old = Note::parse(std::str::from_utf8(&files["MANIFEST"]).unwrap()).unwrap();
    let (text, name) = (manifest(files), &old.signatures()[0].name);
    let line = Vkey::new(name, key.public()).unwrap().signature(&key.sign(text.as_bytes()));
    let mut files = files.clone();
    files.insert("MANIFEST".into(), Note::new(text, vec![line]).unwrap().encode().into_bytes());
    files
}

/// How an archive is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    Stored,
    Deflated,
    Utf8,
    Attributes,
    Gap,
    Prefix,
    BeforeEnd,
    Extra,
    LocalExtra,
    Remark,
    Descriptor,
    LocalName,
    LocalTime,
    LocalSize,
    Version,
    Encrypted,
    Method,
    Trailing,
    Reversed,
    Twice,
    Disk,
    Zip64,
}

/// All of them; the first four are in order.
pub const QUIRKS: [Quirk; 22] = {
    use Quirk::*;
    [
        Stored, Deflated, Utf8, Attributes, Gap, Prefix, BeforeEnd, Extra, LocalExtra, Remark, Descriptor,
        LocalName, LocalTime, LocalSize, Version, Encrypted, Method, Trailing, Reversed, Twice, Disk, Zip64,
    ]
};

/// An archive of these files with its seal; the second file has the quirk.
pub fn packed(files: &Files, quirk: Quirk) -> Vec<u8> {
    let mut body = if quirk == Quirk::Prefix { b"#!".to_vec() } else { Vec::new() };
    let mut entries = Vec::new();
    for (at, (name, bytes)) in files.iter().enumerate() {
        let quirk =
            if at == 1 || [Quirk::Deflated, Quirk::Utf8].contains(&quirk) { quirk } else { Quirk::Stored };
        entries.push(entry(&mut body, name, bytes, quirk));
        if quirk == Quirk::Twice {
            entries.push(entry(&mut body, name, bytes, quirk));
        }
    }
    if quirk == Quirk::Reversed {
        entries.reverse();
    }
    let start = u32::try_from(body.len()).unwrap();
    let count = u16::try_from(entries.len()).unwrap();
    let directory = entries.concat();
    let size = u32::try_from(directory.len()).unwrap();
    body.extend(directory);
    match quirk {
        Quirk::BeforeEnd => body.extend(b"hidden"),
        // A locator of a directory that is elsewhere.
        Quirk::Zip64 => body.extend([b"PK\x06\x07".as_slice(), &[0; 16]].concat()),
        _ => {}
    }
    let disk = u16::from(quirk == Quirk::Disk);
    body.extend(b"PK\x05\x06");
    body.extend([disk, disk, count, count].into_iter().flat_map(u16::to_le_bytes));
    body.extend([size, start].into_iter().flat_map(u32::to_le_bytes));
    body.extend([0, 0]);
    seal(body)
}

/// Appends a file; returns its entry in the directory.
fn entry(body: &mut Vec<u8>, name: &str, bytes: &[u8], quirk: Quirk) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(bytes);
    let method: u16 = match quirk {
        Quirk::Deflated | Quirk::Trailing => 8,
        Quirk::Method => 9,
        _ => 0,
    };
    let mut data = bytes.to_vec();
    if method == 8 {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        data = encoder.finish().unwrap();
    }
    if quirk == Quirk::Trailing {
        data.extend(b"hidden");
    }
    let version: u16 = if quirk == Quirk::Version { 45 } else { 20 };
    let flags: u16 = match quirk {
        Quirk::Utf8 => 0x800,
        Quirk::Descriptor => 8,
        Quirk::Encrypted => 1,
        _ => 0,
    };
    let [packed, size, name_bytes] =
        [data.len(), bytes.len(), name.len()].map(|it| u32::try_from(it).unwrap());
    let header = |time: u16, size: u32, extra: u16| {
        let mut fields: Vec<u8> =
            [version, flags, method, time, 33].into_iter().flat_map(u16::to_le_bytes).collect();
        fields.extend([crc.sum(), packed, size].into_iter().flat_map(u32::to_le_bytes));
        fields.extend([u16::try_from(name_bytes).unwrap(), extra].into_iter().flat_map(u16::to_le_bytes));
        fields
    };
    let extra: &[u8] = &[0xfe, 0xca, 0, 0];
    let (in_both, in_local) = (quirk == Quirk::Extra, [Quirk::Extra, Quirk::LocalExtra].contains(&quirk));
    if quirk == Quirk::Gap {
        body.extend(b"hidden");
    }
    let offset = u32::try_from(body.len()).unwrap();
    let local_size = if quirk == Quirk::LocalSize { size + 1 } else { size };
    body.extend(b"PK\x03\x04");
    body.extend(header(u16::from(quirk == Quirk::LocalTime), local_size, if in_local { 4 } else { 0 }));
    body.extend(if quirk == Quirk::LocalName { name.to_lowercase() } else { name.to_owned() }.as_bytes());
    body.extend(if in_local { extra } else { &[] });
    body.extend(data);
    if quirk == Quirk::Descriptor {
        body.extend([crc.sum(), packed, size].into_iter().flat_map(u32::to_le_bytes));
    }
    let remark: &[u8] = if quirk == Quirk::Remark { b"remark" } else { b"" };
    let attributes: u32 = if quirk == Quirk::Attributes { 0o100_755 << 16 } else { 0 };
    let mut entry =
        [b"PK\x01\x02\x14\x03".as_slice(), &header(0, size, if in_both { 4 } else { 0 })].concat();
    entry.extend([u16::try_from(remark.len()).unwrap(), 0, 0].into_iter().flat_map(u16::to_le_bytes));
    entry.extend([attributes, offset].into_iter().flat_map(u32::to_le_bytes));
    entry.extend(name.as_bytes());
    entry.extend(if in_both { extra } else { &[] });
    entry.extend(remark);
    entry
}
