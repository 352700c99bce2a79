//! Fingerprints as words that two people can read to each other by telephone.

use super::Digest;

/// Words of one fingerprint: one for each of its first 16 bytes. Who wants another key with the same words must try
/// 2^128 keys.
pub const WORDS: usize = 16;

/// The word of each byte. No two begin with the same four letters. The list never changes: people compare by it.
#[rustfmt::skip]
const LIST: [&str; 256] = [
    "acorn", "actor", "admiral", "agate", "airport", "album", "alpine", "amber", "anchor", "angle",
    "apple", "apron", "arch", "arrow", "artist", "aspen", "atlas", "attic", "autumn", "avenue", "badge",
    "bagel", "baker", "balloon", "bamboo", "banner", "barrel", "basket", "beacon", "beaver", "bench",
    "berry", "bicycle", "birch", "bishop", "blanket", "blossom", "boat", "bonfire", "border", "bottle",
    "boulder", "bracelet", "breeze", "brick", "bridge", "bronze", "brush", "bucket", "buffalo", "bugle",
    "butter", "cabin", "cactus", "camel", "canal", "candle", "canyon", "carbon", "carpet", "castle",
    "cedar", "cello", "center", "chalk", "cherry", "chess", "chimney", "cinema", "circle", "citrus",
    "clover", "cobalt", "coffee", "comet", "copper", "coral", "cotton", "cradle", "crater", "cricket",
    "crystal", "curtain", "cymbal", "daisy", "dancer", "delta", "desert", "diamond", "dolphin", "domino",
    "donkey", "dragon", "drum", "eagle", "earth", "easel", "echo", "elbow", "elephant", "ember", "emerald",
    "engine", "envelope", "falcon", "farmer", "feather", "fern", "fiddle", "finger", "flame", "flute",
    "forest", "fossil", "fountain", "fragile", "freight", "frost", "furnace", "galaxy", "garden", "garlic",
    "gazelle", "ginger", "glacier", "globe", "goblet", "golden", "jacket", "jasmine", "jersey", "jewel",
    "jigsaw", "journal", "jungle", "kayak", "kettle", "kidney", "kitchen", "kiwi", "ladder", "lagoon",
    "lantern", "lavender", "lemon", "lentil", "lilac", "linen", "lizard", "lobster", "lotus", "lumber",
    "magnet", "mango", "maple", "marble", "meadow", "melon", "meteor", "mirror", "monkey", "mosaic",
    "mountain", "museum", "mustard", "napkin", "nectar", "needle", "nickel", "nomad", "nutmeg", "oasis",
    "obelisk", "ocean", "olive", "onion", "opera", "orange", "orchard", "osprey", "otter", "oxygen",
    "paddle", "palace", "panda", "paper", "parrot", "pearl", "pebble", "pencil", "pepper", "piano",
    "pigeon", "pillow", "planet", "plaza", "pocket", "pollen", "poplar", "prairie", "prism", "pumpkin",
    "purple", "puzzle", "quarry", "quilt", "rabbit", "radish", "raven", "ribbon", "river", "rocket",
    "rubber", "saddle", "saffron", "salmon", "sandal", "satin", "scarlet", "shadow", "sherpa", "silver",
    "sketch", "smoke", "sofa", "spiral", "spruce", "stable", "statue", "summer", "sunset", "table",
    "tango", "teapot", "temple", "thistle", "tiger", "timber", "tomato", "topaz", "tractor", "tulip",
    "tundra", "turtle", "umbrella", "valley", "vanilla", "velvet", "violin", "walnut", "whisper", "willow",
    "window", "winter", "yellow", "zebra",
];

/// The words of a fingerprint.
pub fn words(fingerprint: &Digest) -> Vec<&'static str> {
    let bytes = fingerprint.as_bytes().iter().take(WORDS);
    bytes.filter_map(|byte| LIST.get(usize::from(*byte)).copied()).collect()
}

/// Whether a word is one of the list.
pub fn is_word(word: &str) -> bool {
    LIST.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_word_is_told_from_every_other_by_its_first_four_letters() {
        let beginnings: BTreeSet<&str> = LIST.iter().map(|word| &word[..4]).collect();
        assert_eq!(beginnings.len(), 256);
        assert!(
            LIST.iter().all(|word| word.len() <= 8 && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        );
        assert!(LIST.is_sorted());
        assert!(LIST.iter().all(|word| is_word(word)) && !is_word("tigre") && !is_word(""));
    }

    #[test]
    fn a_fingerprint_is_its_first_bytes_in_words() {
        let words = words(&Digest::from_slice(&(0..32).collect::<Vec<u8>>()).unwrap());
        assert_eq!(words.len(), WORDS);
        assert_eq!((words[0], words[15]), (LIST[0], LIST[15]));
    }
}
