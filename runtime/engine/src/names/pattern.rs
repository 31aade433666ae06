//! Module names with wildcards.

/// Whether a name matches a pattern in which `*` stands for any text and `?` for one character.
///
/// Takes time in proportion to the product of the lengths at most.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut here) = (0, 0);
    // Where to go on if a `*` must take one more character.
    let mut again: Option<(usize, usize)> = None;
    while here < name.len() {
        match pattern.get(at) {
            Some('*') => {
                again = Some((at + 1, here));
                at += 1;
            }
            Some('?') => {
                at += 1;
                here += 1;
            }
            Some(c) if Some(c) == name.get(here) => {
                at += 1;
                here += 1;
            }
            _ => match again {
                Some((star, from)) => {
                    again = Some((star, from + 1));
                    at = star;
                    here = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|c| *c == '*')
}

/// Shorter names are part of too many others.
const SHORTEST: usize = 3;

/// Names that contain the wanted one or begin alike, at most five.
pub(super) fn similar(wanted: &str, names: &[String]) -> Vec<String> {
    let stem = wanted.split(['.', '-']).next().unwrap_or(wanted);
    let mut found: Vec<String> = names
        .iter()
        .filter(|name| {
            let (long, short) = (stem.len() >= SHORTEST, name.len() >= SHORTEST);
            (long && name.contains(stem)) || (short && stem.contains(name.as_str()))
        })
        .cloned()
        .collect();
    found.truncate(5);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        assert!(matches("libc.so.6", "libc.so.6"));
        assert!(!matches("libc.so.6", "libc.so.60"));
        assert!(matches("libx*.so*", "libx-5.1.so.2.1.0"));
        assert!(matches("*", ""));
        assert!(matches("a?c*", "abcdef"));
        assert!(!matches("a?c", "ac"));
        assert!(matches("*a*b*c", "xxaybzc"));
        assert!(!matches("*a*b*c", "xxaybz"));
    }

    #[test]
    fn many_stars_end() {
        let pattern = "*a".repeat(40);
        assert!(!matches(&pattern, &"a".repeat(39)));
        assert!(matches(&pattern, &"a".repeat(400)));
    }
}
