//! Module names that resemble one.

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
