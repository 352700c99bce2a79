//! Vehicle identification numbers (ISO 3779), with the check digit that North America asks for (49 CFR 565.15).

/// Weights of the 17 places; the ninth holds the digit itself.
const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
/// Place of the check digit.
const CHECK: usize = 8;

/// Whether this is a number of 17 places whose check digit fits.
pub(super) fn fits(number: &str) -> bool {
    let Ok(places) = <&[u8; 17]>::try_from(number.as_bytes()) else { return false };
    let mut sum = 0;
    for (place, weight) in places.iter().zip(WEIGHTS) {
        let Some(value) = value(*place) else { return false };
        sum += value * weight;
    }
    let stated = match places.get(CHECK) {
        Some(b'X') => 10,
        Some(digit) if digit.is_ascii_digit() => u32::from(digit - b'0'),
        _ => return false,
    };
    sum % 11 == stated
}

/// The letters I, O and Q are never used: they look like digits.
fn value(place: u8) -> Option<u32> {
    let value = match place {
        b'0'..=b'9' => place - b'0',
        b'A'..=b'H' => place - b'A' + 1,
        b'J'..=b'N' => place - b'J' + 1,
        b'P' => 7,
        b'R' => 9,
        b'S'..=b'Z' => place - b'S' + 2,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn check_digits_are_computed() {
        for good in ["11111111111111111", "1M8GDM9AXKP042788", "1ZZAA11B8P0000017", "1ZZAA11B7P0000025"] {
            assert!(fits(good), "{good}");
        }
        for bad in [
            "",
            "1M8GDM9A0KP042788",
            "1M8GDM9AXKP04278",
            "1m8gdm9axkp042788",
            "IM8GDM9AXKP042788",
            "1ZZAA11B8P0000018",
            "1M8GDM9AAKP042788",
            "ВВВВВВВВВ",
        ] {
            assert!(!fits(bad), "{bad}");
        }
    }

    /// No change of one place goes unnoticed, but for the letters that share a value.
    #[test]
    fn a_changed_place_is_noticed() {
        let number = "1M8GDM9AXKP042788";
        for at in (0..17).filter(|at| *at != 8) {
            let mut changed = number.as_bytes().to_vec();
            changed[at] = if changed[at] == b'5' { b'6' } else { b'5' };
            let changed = String::from_utf8(changed).unwrap();
            let same = super::value(number.as_bytes()[at]) == super::value(changed.as_bytes()[at]);
            assert_eq!(fits(&changed), same, "{changed}");
        }
    }
}
