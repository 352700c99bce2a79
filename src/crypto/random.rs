//! Randomness from the operating system.

use ring::rand::{SecureRandom, SystemRandom};

/// The operating system gave no randomness. Nothing can be signed, salted or sealed without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no randomness")]
pub struct RandomError;

/// Fills `bytes` with cryptographically secure randomness.
pub fn fill(bytes: &mut [u8]) -> Result<(), RandomError> {
    SystemRandom::new().fill(bytes).map_err(|_| RandomError)
}

/// `N` fresh random bytes: a salt, a seed, a nonce.
pub fn array<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(array::<32>().unwrap(), array::<32>().unwrap());
        fill(&mut []).unwrap();
    }
}
