//! Names that resemble a name that was not found.

/// So many suggestions at most.
const MAX: usize = 5;
/// Names longer than this are not compared: the cost grows with the product of the lengths.
const MAX_LENGTH: usize = 200;

/// The names nearest to `wanted`, best first.
///
/// The distance is Damerau-Levenshtein's without regard to case; a third of the length may differ, and names that begin with all of
/// `wanted` count as near.
pub(crate) fn closest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
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
        let prefix = wanted.len() >= 3
            && name
                .get(..wanted.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(&wanted));
        if name.len().abs_diff(wanted.len()) > limit && !prefix {
            continue;
        }
        let distance = strsim::osa_distance(&wanted, &name.to_lowercase());
        let distance = if prefix {
            distance.min(limit)
        } else {
            distance
        };
        if distance > limit {
            continue;
        }
        if best.iter().any(|&(_, n)| n == name) {
            continue;
        }
        best.push((distance, name));
        best.sort_unstable();
        best.truncate(MAX);
    }
    best.into_iter().map(|(_, name)| name.to_owned()).collect()
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
}
