//! Reads settings key by key and remembers every mistake and every key that nobody asked for.

use config::{Config, ConfigError, Environment, File, FileFormat, Value, ValueKind};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// Prefix of environment variables: `ARTICLE6__STORE__DIR` stands for `[store] dir`.
const PREFIX: &str = "ARTICLE6";

/// One mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The key, such as `store.dir`.
    pub key: String,
    /// Where its value comes from.
    pub origin: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.key, self.what, self.origin)
    }
}

/// A table of settings that is being read.
pub struct Reader {
    prefix: String,
    values: BTreeMap<String, Value>,
    asked: BTreeSet<String>,
    mistakes: Vec<Mistake>,
    source: String,
    base: PathBuf,
}

impl Reader {
    /// Opens a file; the environment adds to it and wins over it.
    pub fn open(path: &Path) -> Result<Self, Mistake> {
        let environment =
            Environment::with_prefix(PREFIX).prefix_separator("__").separator("__").try_parsing(true);
        Self::open_with(path, Some(environment))
    }

    /// Opens a file that stands for itself: the environment speaks of the daemon, not of it.
    pub fn open_alone(path: &Path) -> Result<Self, Mistake> {
        Self::open_with(path, None)
    }

    fn open_with(path: &Path, environment: Option<Environment>) -> Result<Self, Mistake> {
        let text = std::fs::read_to_string(path).map_err(|error| Mistake {
            key: "configuration".into(),
            origin: path.display().to_string(),
            what: format!("the file cannot be read: {error}"),
        })?;
        let mut sources = Config::builder().add_source(File::from_str(&text, FileFormat::Toml));
        if let Some(environment) = environment {
            sources = sources.add_source(environment);
        }
        let table = sources
            .build()
            .and_then(|config| config.cache.into_table())
            .map_err(|error| unreadable(path, &error))?;
        let base = path.parent().map(Path::to_owned).unwrap_or_default();
        let source = path.display().to_string();
        Ok(Self {
            prefix: String::new(),
            values: table.into_iter().collect(),
            asked: BTreeSet::new(),
            mistakes: Vec::new(),
            source,
            base,
        })
    }

    /// Reads a table by name; one that is not there is empty.
    pub fn table(&mut self, name: &str, read: impl FnOnce(&mut Self)) {
        self.asked.insert(name.to_owned());
        let key = self.path_of(name);
        let values = match self.values.get(name).map(|value| value.clone().into_table()) {
            None => BTreeMap::new(),
            Some(Ok(table)) => table.into_iter().collect(),
            Some(Err(_)) => {
                self.mistake(name, format!("a table is expected: [{key}]"));
                BTreeMap::new()
            }
        };
        self.inside(key, values, read);
    }

    /// Reads each table of an array of tables.
    pub fn tables(&mut self, name: &str, mut read: impl FnMut(&mut Self)) {
        self.asked.insert(name.to_owned());
        let Some(value) = self.values.get(name) else { return };
        let Ok(array) = value.clone().into_array() else {
            let key = self.path_of(name);
            self.mistake(name, format!("an array of tables is expected: [[{key}]]"));
            return;
        };
        for (at, value) in array.into_iter().enumerate() {
            let key = format!("{}[{at}]", self.path_of(name));
            match value.into_table() {
                Ok(table) => self.inside(key, table.into_iter().collect(), &mut read),
                Err(_) => self.mistake(name, format!("a table is expected: [[{name}]]")),
            }
        }
    }

    fn inside(&mut self, prefix: String, values: BTreeMap<String, Value>, read: impl FnOnce(&mut Self)) {
        let mut inner = Self {
            prefix,
            values,
            asked: BTreeSet::new(),
            mistakes: Vec::new(),
            source: self.source.clone(),
            base: self.base.clone(),
        };
        read(&mut inner);
        inner.note_unknown();
        self.mistakes.append(&mut inner.mistakes);
    }

    /// A value that must be there; on a mistake `None`.
    pub fn required<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        if !self.values.contains_key(name) {
            self.asked.insert(name.to_owned());
            self.mistake(name, "the key is missing".to_owned());
            return None;
        }
        self.optional(name, parse)
    }

    /// A value that may be there.
    pub fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        self.asked.insert(name.to_owned());
        let value = self.values.get(name)?.clone();
        let parsed = match value.kind {
            ValueKind::Table(_) | ValueKind::Array(_) | ValueKind::Nil => {
                Err("a single value is expected".to_owned())
            }
            _ => value.into_string().map_err(|_| "text is expected".to_owned()).and_then(|text| parse(&text)),
        };
        parsed.map_err(|what| self.mistake(name, what)).ok()
    }

    /// A value that may be there, with what stands for it when it is not.
    pub fn or<T>(&mut self, name: &str, default: T, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        self.optional(name, parse).unwrap_or(default)
    }

    /// A list of values.
    pub fn list<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        self.asked.insert(name.to_owned());
        let Some(value) = self.values.get(name).cloned() else { return Vec::new() };
        let Ok(array) = value.into_array() else {
            self.mistake(name, "a list is expected: [\"...\"]".to_owned());
            return Vec::new();
        };
        let mut out = Vec::new();
        for value in array {
            match value.into_string().map_err(|_| "text is expected".to_owned()).and_then(|text| parse(&text))
            {
                Ok(value) => out.push(value),
                Err(what) => self.mistake(name, what),
            }
        }
        out
    }

    /// A path, taken from the folder of the configuration file.
    pub fn path(&mut self, name: &str) -> Option<PathBuf> {
        let base = self.base.clone();
        self.required(name, |text| Ok(base.join(text)))
    }

    /// A path that may be there.
    pub fn optional_path(&mut self, name: &str) -> Option<PathBuf> {
        let base = self.base.clone();
        self.optional(name, |text| Ok(base.join(text)))
    }

    /// A list of paths.
    pub fn paths(&mut self, name: &str) -> Vec<PathBuf> {
        let base = self.base.clone();
        self.list(name, |text| Ok(base.join(text)))
    }

    /// Notes a mistake at a key.
    pub fn mistake(&mut self, name: &str, what: String) {
        let origin = self.values.get(name).and_then(|value| value.origin().map(str::to_owned));
        let origin = origin.unwrap_or_else(|| self.source.clone());
        self.mistakes.push(Mistake { key: self.path_of(name), origin, what });
    }

    /// Every mistake; the reading is over.
    pub fn finish(mut self) -> Vec<Mistake> {
        self.note_unknown();
        self.mistakes.sort();
        self.mistakes
    }

    fn note_unknown(&mut self) {
        let unknown: Vec<String> =
            self.values.keys().filter(|key| !self.asked.contains(*key)).cloned().collect();
        for key in unknown {
            let known: Vec<_> = self.asked.iter().map(String::as_str).collect();
            let what = format!("the key is not known here; known are: {}", known.join(", "));
            self.mistake(&key, what);
        }
    }

    fn path_of(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}.{name}", self.prefix) }
    }
}

fn unreadable(path: &Path, error: &ConfigError) -> Mistake {
    let what = format!("the file is no TOML, or a variable {PREFIX}__… contradicts it: {error}");
    Mistake { key: "configuration".into(), origin: path.display().to_string(), what: what.replace('\n', " ") }
}
