//! One key of one table of a configuration is changed; everything else, comments included, stays to the byte.

use toml::{Table, Value};

/// The text with `key` of `table` set. `None` where the text is no TOML, or written in a way that is not changed here: the
/// result must read as the text did, but for this one value.
pub(super) fn set(text: &str, table: &str, key: &str, value: &Value) -> Option<String> {
    let mut expected: Table = text.parse().ok()?;
    let inner = expected.entry(table).or_insert_with(|| Value::Table(Table::new())).as_table_mut()?;
    inner.insert(key.to_owned(), value.clone());
    let line = format!("{key} = {value}\n");
    let changed = match place(text, table, key) {
        Place::Value(from, to) => format!("{}{line}{}", text.get(..from)?, text.get(to..)?),
        Place::Table(at) => format!("{}{line}{}", text.get(..at)?, text.get(at..)?),
        Place::Nowhere => {
            format!(
                "{text}{}\n[{table}]\n{line}",
                if text.is_empty() || text.ends_with('\n') { "" } else { "\n" }
            )
        }
    };
    let read: Table = changed.parse().ok()?;
    (read == expected).then_some(changed)
}

enum Place {
    /// The lines of the value that is there.
    Value(usize, usize),
    /// Behind the table's header.
    Table(usize),
    Nowhere,
}

fn place(text: &str, table: &str, key: &str) -> Place {
    let (mut at, mut inside, mut header, mut value) = (0, false, None, None);
    for line in text.split_inclusive('\n') {
        let (from, to) = (at, at + line.len());
        at = to;
        let told = line.split('#').next().unwrap_or_default().trim();
        if let Some(begun) = value {
            // An array over several lines.
            if told.ends_with(']') {
                return Place::Value(begun, to);
            }
        } else if told.starts_with('[') {
            inside = told.strip_prefix('[').and_then(|it| it.strip_suffix(']')).map(str::trim) == Some(table);
            header = if inside { Some(to) } else { header };
        } else if inside
            && let Some((name, told)) = told.split_once('=')
            && name.trim() == key
        {
            if !told.trim().starts_with('[') || told.ends_with(']') {
                return Place::Value(from, to);
            }
            value = Some(from);
        }
    }
    header.map_or(Place::Nowhere, Place::Table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pinned(text: &str) -> Option<String> {
        set(text, "peer", "pins", &Value::Array(vec![Value::String("new.pem".into())]))
    }

    #[test]
    fn one_value_changes_and_nothing_else() {
        let before = "# a comment\n[channel]\npins = 1\n[peer] # the other\nlisten = \"x\" # y\n";
        let after = "\n# kept\n[store]\npins = 2\n";
        let line = "pins = [\"new.pem\"]\n";
        for old in
            ["pins = [\"a\"]\n", "pins=[ \"a\", \"b\" ] # both\n", "pins = [\n  \"a\", # one\n  \"b\",\n]\n"]
        {
            assert_eq!(
                pinned(&format!("{before}{old}{after}")),
                Some(format!("{before}{line}{after}")),
                "{old}"
            );
        }
        let bare = "[peer]\nlisten = \"x\"\n";
        assert_eq!(pinned(bare), Some(format!("[peer]\n{line}listen = \"x\"\n")));
        assert_eq!(pinned("[a]\nb = 1"), Some(format!("[a]\nb = 1\n\n[peer]\n{line}")));
        assert_eq!(pinned(""), Some(format!("\n[peer]\n{line}")));
    }

    #[test]
    fn what_would_read_otherwise_is_left_alone() {
        for text in [
            "no toml",
            "peer = 1\n",
            "peer.pins = [\"a\"]\n",
            "[peer]\nnote = '''\npins = [\"a\"]\n'''\n",
            "[peer]\n\"pins\" = [\"a\"]\n",
        ] {
            assert_eq!(pinned(text), None, "{text}");
        }
    }
}
