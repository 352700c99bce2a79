//! Notes and proofs of a bundle with other lines.

use super::bundles::Files;
use super::mutations::{Mutation, text, with};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Notes and proofs with other lines.
pub fn relined(files: &Files, file: &str) -> Vec<Mutation> {
    let raw = text(files, file);
    let (head, lines) = raw.rsplit_once("\n\n").unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    let join = |lines: &[&str]| with(files, file, format!("{head}\n\n{}\n", lines.join("\n")));
    let mut found: Vec<Mutation> = Vec::new();
    let stranger = format!("\u{2014} example.com/witness {}", STANDARD.encode([5; 76]));
    let mut more = lines.clone();
    more.push(&stranger);
    found.push((format!("{file}: a stranger's line"), join(&more), Some(true)));
    found.push((format!("{file}: {} lines", 32), join(&padded(&lines, &stranger, 32)), Some(true)));
    found.push((format!("{file}: {} lines", 33), join(&padded(&lines, &stranger, 33)), Some(false)));
    found.push((
        format!("{file}: the lines in another order"),
        join(&lines.iter().rev().copied().collect::<Vec<_>>()),
        None,
    ));
    for (at, line) in lines.iter().enumerate() {
        let (name, base64) = line.rsplit_once(' ').unwrap();
        let mut bytes = STANDARD.decode(base64).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let wrong = format!("{name} {}", STANDARD.encode(&bytes));
        let (mut replaced, mut added, mut fewer, mut twice) =
            (lines.clone(), lines.clone(), lines.clone(), lines.clone());
        replaced[at] = &wrong;
        found.push((format!("{file}: line {at} is wrong"), join(&replaced), Some(false)));
        added.push(&wrong);
        found.push((format!("{file}: line {at} again, wrong"), join(&added), Some(false)));
        twice.push(line);
        found.push((format!("{file}: line {at} twice"), join(&twice), None));
        fewer.remove(at);
        found.push((format!("{file}: without line {at}"), join(&fewer), None));
    }
    if file.ends_with(".tlog-proof") {
        let extra = |text: &str| with(files, file, raw.replacen("\nindex", &format!("\n{text}\nindex"), 1));
        found.push((format!("{file}: something extra"), extra("extra AAAA"), Some(true)));
        found.push((format!("{file}: nothing extra"), extra("extra "), Some(false)));
        found.push((format!("{file}: twice extra"), extra("extra AAAA\nextra AAAA"), Some(false)));
        found.push((
            format!("{file}: no number"),
            with(files, file, raw.replacen("index ", "index 0", 1)),
            Some(false),
        ));
    }
    found.push((format!("{file}: CRLF"), with(files, file, raw.replace('\n', "\r\n")), Some(false)));
    found.into_iter().map(|mutation| carried_on(mutation, file)).collect()
}

/// The event before must end with the very checkpoint of the record: the one is changed with the other.
fn carried_on((what, mut files, sound): Mutation, file: &str) -> Mutation {
    match file {
        "record.tlog-proof" if files.contains_key("before.tlog-proof") => {
            let (record, before) = (text(&files, file), text(&files, "before.tlog-proof"));
            let (head, _) = before.split_once("\n\n").unwrap();
            if let Some((_, note)) = record.split_once("\n\n") {
                files.insert("before.tlog-proof".into(), format!("{head}\n\n{note}").into_bytes());
            }
            (what, files, sound)
        }
        "before.tlog-proof" => (what, files, sound.filter(|sound| !sound)),
        _ => (what, files, sound),
    }
}

fn padded<'a>(lines: &[&'a str], more: &'a str, count: usize) -> Vec<&'a str> {
    lines.iter().copied().chain(std::iter::repeat(more)).take(count).collect()
}
