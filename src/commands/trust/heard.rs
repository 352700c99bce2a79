//! What was heard on the telephone, held against a key.

use super::fingerprint;
use crate::crypto::digest::Digest;
use crate::crypto::words::{WORDS, is_word, words};

/// Why what was heard is not this key. What the file says is not told: who types it from here has heard nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misheard {
    #[error("{0} words were given, and a fingerprint has {WORDS}: have them read again")]
    Count(usize),
    #[error("word {0}, \"{1}\", is none of the words that are read out: have it read again")]
    Unknown(usize, String),
    #[error(
        "word {0}, \"{1}\", is not the one of this file's key{2}: have the words read again; if they stay, the file holds another key and must not be trusted"
    )]
    Differs(usize, String, String),
    #[error("{0}")]
    Fingerprint(String),
    #[error(
        "the fingerprint is not that of this file's key: the file holds another key and must not be trusted"
    )]
    OtherKey,
}

/// Whether these words, or this fingerprint, are the key's.
pub(super) fn compare(heard: &[String], key: &Digest) -> Result<(), Misheard> {
    let heard: Vec<String> =
        heard.iter().flat_map(|part| part.split_whitespace()).map(str::to_lowercase).collect();
    if let [one] = heard.as_slice() {
        let heard = fingerprint(one).map_err(Misheard::Fingerprint)?;
        return if heard == *key { Ok(()) } else { Err(Misheard::OtherKey) };
    }
    if heard.len() != WORDS {
        return Err(Misheard::Count(heard.len()));
    }
    let numbered = || heard.iter().enumerate().map(|(at, word)| (at + 1, word));
    if let Some((number, word)) = numbered().find(|(_, word)| !is_word(word)) {
        return Err(Misheard::Unknown(number, word.clone()));
    }
    let mut wrong = numbered().zip(words(key)).filter(|((_, word), is)| *word != is).map(|(heard, _)| heard);
    let Some((number, word)) = wrong.next() else { return Ok(()) };
    let others: Vec<String> = wrong.map(|(number, _)| number.to_string()).collect();
    let others = if others.is_empty() { String::new() } else { format!(", nor is {}", others.join(", ")) };
    Err(Misheard::Differs(number, word.clone(), others))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_all_the_words_or_the_whole_fingerprint_are_the_key() {
        let key = Digest::of(b"key");
        let said = words(&key);
        let one = |text: String| compare(&[text], &key);
        assert_eq!(one(said.join(" ")), Ok(()));
        assert_eq!(one(said.join("  ").to_uppercase()), Ok(()));
        assert_eq!(compare(&said.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), &key), Ok(()));
        assert_eq!(one(format!("sha256:{key}")), Ok(()));
        assert_eq!(one(format!("sha256:{}", Digest::of(b"another"))), Err(Misheard::OtherKey));
        assert!(matches!(one("sha256:00".into()), Err(Misheard::Fingerprint(_))));
        assert_eq!(one(said[..15].join(" ")), Err(Misheard::Count(15)));
        let other = if said[4] == "zebra" { "acorn" } else { "zebra" };
        let mut wrong = said.clone();
        wrong[4] = other;
        assert_eq!(one(wrong.join(" ")), Err(Misheard::Differs(5, other.into(), String::new())));
        wrong[0] = if said[0] == "zebra" { "acorn" } else { "zebra" };
        assert!(matches!(one(wrong.join(" ")), Err(Misheard::Differs(1, _, more)) if more == ", nor is 5"));
        wrong[2] = "tigre";
        assert_eq!(one(wrong.join(" ")), Err(Misheard::Unknown(3, "tigre".into())));
        // Whatever is changed in one word is noticed.
        for at in 0..WORDS {
            let mut wrong = said.clone();
            wrong[at] = if said[at] == "opera" { "onion" } else { "opera" };
            assert!(matches!(one(wrong.join(" ")), Err(Misheard::Differs(number, ..)) if number == at + 1));
        }
    }
}
