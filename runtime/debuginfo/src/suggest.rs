//! Names that resemble a name that was not found.

/// So many suggestions at most.
const MAX: usize = 5;
/// Names longer than this are not compared: the cost grows with the product of the lengths.
const MAX_LENGTH: usize = 200;

/// The names nearest to `wanted`, best first.
///
/// The distance is Damerau-Levenshtein's without regard to case; a third of the length may differ, and names that begin with all of
/// `wanted` count as near. A name in a scope of C++ or Rust (`ns::counter`, `ns::Box<int>`) is also near where its last part, with or
/// without arguments of a template, is: people leave scopes out.
pub fn closest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    if wanted.is_empty() || wanted.len() > MAX_LENGTH {
        return Vec::new();
    }
    let limit = (wanted.len() / 3).max(1);
    let mut best: Vec<(usize, &str)> = Vec::new();
    for name in names {
        if name.len() > MAX_LENGTH {
            continue;
        }
        let mut nearest = distance(&wanted, name, limit);
        if let Some(last) = last_part(name).filter(|_| !wanted.contains("::")) {
            nearest = nearest.min(distance(&wanted, last, limit));
            if let Some((bare, _)) = last.split_once('<') {
                nearest = nearest.min(distance(&wanted, bare, limit));
            }
        } else if let Some((bare, _)) = name.split_once('<') {
            nearest = nearest.min(distance(&wanted, bare, limit));
        }
        if nearest > limit {
            continue;
        }
        if best.iter().any(|&(_, n)| n == name) {
            continue;
        }
        best.push((nearest, name));
        best.sort_unstable();
        best.truncate(MAX);
    }
    best.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// How far a name is from `wanted`, which is in lower case; beyond `limit`, any number that is larger.
fn distance(wanted: &str, name: &str, limit: usize) -> usize {
    let prefix = wanted.len() >= 3
        && name
            .get(..wanted.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(wanted));
    if name.len().abs_diff(wanted.len()) > limit && !prefix {
        return usize::MAX;
    }
    let distance = strsim::osa_distance(wanted, &name.to_lowercase());
    if prefix {
        distance.min(limit)
    } else {
        distance
    }
}

/// What follows the last `::` of a name outside of a template's arguments; `None` where the name is in no scope.
fn last_part(name: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut start = None;
    let mut letters = name.char_indices().peekable();
    while let Some((_, letter)) = letters.next() {
        match letter {
            '<' | '(' => depth += 1,
            '>' | ')' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                if let Some((at, _)) = letters.next_if(|(_, next)| *next == ':') {
                    start = Some(at + 1);
                }
            }
            _ => {}
        }
    }
    name.get(start?..).filter(|last| !last.is_empty())
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn nearest_first_and_far_ones_not_at_all() {
        let names = ["ngx_pool_t", "ngx_pool_s", "ngx_cycle_t", "main"];
        assert_eq!(
            closest("ngx_pol_t", names.into_iter()),
            ["ngx_pool_t", "ngx_pool_s"]
        );
        assert_eq!(
            closest("ngx_pool", names.into_iter()),
            ["ngx_pool_s", "ngx_pool_t"]
        );
        assert!(closest("zzzz", names.into_iter()).is_empty());
        assert!(closest("", names.into_iter()).is_empty());
    }

    #[test]
    fn names_in_scopes() {
        let names = [
            "ns::counter",
            "ns::inner::Box<a::b, 3>",
            "crate_name::{impl#0}::poll<u32>",
            "other::thing",
        ];
        for (wanted, found) in [
            ("counter", "ns::counter"),
            ("countr", "ns::counter"),
            ("ns::countr", "ns::counter"),
            ("Bax", "ns::inner::Box<a::b, 3>"),
            ("ns::inner::Bo<a::b, 3>", "ns::inner::Box<a::b, 3>"),
            ("pol", "crate_name::{impl#0}::poll<u32>"),
        ] {
            assert_eq!(closest(wanted, names.into_iter()), [found], "{wanted}");
        }
        assert!(closest("::", names.into_iter()).is_empty());
    }
}
