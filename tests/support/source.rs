//! Reads the sources as text: which names stand in the code, comments aside.

use std::path::{Path, PathBuf};

/// Every source file of the program: its top-level module, its path below `src`, its code without comments. Tests are
/// no part of the program.
pub fn sources() -> impl Iterator<Item = (String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.retain(|file| !is_test(file));
    files.sort();
    files.into_iter().map(move |path| {
        let code = code_of(&std::fs::read_to_string(&path).unwrap());
        let path = path.strip_prefix(&root).unwrap().to_owned();
        let first = path.iter().next().unwrap().to_string_lossy();
        (first.trim_end_matches(".rs").to_owned(), path.clone(), code)
    })
}

fn is_test(file: &Path) -> bool {
    let named = |part: &std::ffi::OsStr| {
        ["tests", "tests.rs", "testing.rs", "sim.rs"].iter().any(|name| part == *name)
    };
    file.iter().any(named)
}

/// The text without line comments. Whatever stands behind two slashes in a string is lost too, which hides no path.
pub fn code_of(text: &str) -> String {
    text.lines().map(|line| without_comment(line).to_owned() + "\n").collect()
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        match character {
            '"' if before != '\\' && before != '\'' => quoted = !quoted,
            '/' if before == '/' && !quoted => return &line[..at - 1],
            _ => {}
        }
        before = character;
    }
    line
}

/// The first name of every path that begins with `root`, those in braces included.
pub fn names_after(code: &str, root: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(root) {
        if code[..at].chars().next_back().is_some_and(is_name) {
            continue;
        }
        let rest = &code[at + root.len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(members(group)),
            None => names.push(first_name(rest)),
        }
    }
    names.retain(|name| !name.is_empty() && name != "super" && name != "self");
    names
}

/// The first names of the members of a group whose opening brace was read.
fn members(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (0, Vec::new(), true);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            character if start && is_name(character) => {
                names.push(first_name(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    names
}

/// Whether a name or path stands in the code as whole words.
pub fn named(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + name.len()..].chars().next();
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    })
}

fn first_name(text: &str) -> String {
    text.chars().take_while(|character| is_name(*character)).collect()
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
