//! The list of what is to be tested, written from the requirements.

const LIST: &str = include_str!("../treaty/paragraphs.txt");

/// One thing that the requirements want tested.
pub struct Line {
    /// Article and paragraph; `preamble` and `final` for what has no number.
    pub article: &'static str,
    /// Short name; `none` where the paragraph has no rule of its own.
    pub name: &'static str,
    /// What the software does, in a sentence.
    pub does: &'static str,
}

impl Line {
    /// The name of its test; `None` where there is nothing to test.
    pub fn test(&self) -> Option<String> {
        let numbered = self.article.starts_with(|first: char| first.is_ascii_digit());
        let article = self.article.replace('.', "_");
        let prefix = if numbered { format!("article_{article}") } else { article };
        (self.name != "none").then(|| format!("{prefix}_{}", self.name))
    }
}

/// All of them, in the order of the Agreement.
pub fn lines() -> Vec<Line> {
    let lines = LIST.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| match line.split(" | ").collect::<Vec<_>>()[..] {
            [article, name, does, _] => {
                Line { article: article.trim(), name: name.trim(), does: does.trim() }
            }
            _ => panic!("a line has four columns: {line}"),
        })
        .collect()
}
