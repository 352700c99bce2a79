//! The comments of the protos, as the descriptors carry them.

use prost_reflect::{DescriptorPool, FileDescriptor};
use std::collections::HashMap;

/// Leading comments by file and by the path of the element within it (descriptor.proto, `Location`).
pub struct Comments(HashMap<(String, Vec<i32>), String>);

impl Comments {
    /// The comments of all files of `pool`.
    pub fn of(pool: &DescriptorPool) -> Self {
        let mut comments = HashMap::new();
        for file in pool.files() {
            let Some(source) = &file.file_descriptor_proto().source_code_info else { continue };
            for location in &source.location {
                if let Some(text) = &location.leading_comments {
                    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    comments.insert((file.name().to_owned(), location.path.clone()), text);
                }
            }
        }
        Self(comments)
    }

    /// The comment on one element, on one line; empty where there is none.
    pub fn on(&self, file: &FileDescriptor, path: &[i32]) -> &str {
        self.0.get(&(file.name().to_owned(), path.to_vec())).map_or("", String::as_str)
    }
}

/// The first paragraph of the agreement that a comment names, such as `5.2(a)`.
pub fn article(comment: &str) -> Option<String> {
    let (_, after) = comment.split_once("Article")?;
    let after = after.strip_prefix('s').unwrap_or(after).trim_start();
    let mut found: String = after.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let letter = after.get(found.len()..)?.get(..3).unwrap_or_default();
    if matches!(letter.as_bytes(), [b'(', b'a'..=b'z', b')']) {
        found.push_str(letter);
    }
    let found = found.trim_end_matches('.');
    (!found.is_empty()).then(|| found.to_owned())
}

/// The first sentence of a comment.
pub fn first_sentence(comment: &str) -> &str {
    let mut depth = 0_i32;
    for (place, character) in comment.char_indices() {
        let rest = comment.get(place + character.len_utf8()..).unwrap_or_default();
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            '.' if depth == 0 && rest.starts_with(' ') => {
                return comment.get(..=place).unwrap_or(comment);
            }
            _ => {}
        }
    }
    comment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_is_taken_from_a_comment() {
        assert_eq!(article("The object (Article 5.2(c)).").as_deref(), Some("5.2(c)"));
        assert_eq!(article("Either way (Articles 2.3 and 5.2(b)).").as_deref(), Some("2.3"));
        assert_eq!(article("Under Article 11.").as_deref(), Some("11"));
        assert_eq!(article("An article of clothing."), None);
        assert_eq!(article("Article"), None);
    }

    #[test]
    fn the_first_sentence_ends_at_its_full_stop() {
        assert_eq!(first_sentence("Kind. Not more."), "Kind.");
        assert_eq!(first_sentence("Number (RFC 1. and 2.) of it. More"), "Number (RFC 1. and 2.) of it.");
        assert_eq!(first_sentence("Scale 1.5"), "Scale 1.5");
    }

    #[test]
    fn the_descriptors_carry_comments() {
        let pool = crate::wire::descriptors();
        let envelope = pool.get_message_by_name("article6.channel.v1.Envelope").unwrap();
        assert!(!Comments::of(pool).on(&envelope.parent_file(), envelope.path()).is_empty());
    }
}
