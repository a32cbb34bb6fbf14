//! Which known name a misspelt one most likely stands for.

/// Longer texts are no misspelt names; the bound keeps a comparison cheap.
const MAX_CHARS: usize = 64;

/// The candidate nearest to `name`, or `None` when none is near.
///
/// Nearness is the Damerau-Levenshtein distance without regard to case: at most a third of the name's letters.
/// Of several equally near ones the first in alphabetical order, so that a message does not depend on their order.
/// A candidate equal to `name` is no suggestion.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    near(name, candidates).min().map(|(_distance, candidate)| candidate)
}

/// Whether exactly one candidate is near `name`, so that a fix may be applied without asking.
pub fn only_near<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> bool {
    let mut found = near(name, candidates).map(|(_distance, candidate)| candidate);
    let Some(first) = found.next() else { return false };
    found.all(|other| other == first)
}

fn near<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = (usize, &'a str)> {
    let wanted = name.to_lowercase();
    let length = wanted.chars().count();
    candidates.into_iter().filter(move |_| length <= MAX_CHARS).filter(move |candidate| *candidate != name).filter_map(
        move |candidate| {
            let allowed = length / 3;
            let candidate_length = candidate.chars().count();
            if candidate_length.abs_diff(length) > allowed {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase());
            (distance <= allowed).then_some((distance, candidate))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &[&str] = &["randomize", "backup", "backupPoolSize", "timeout", "maxReconnectDelay"];

    #[test]
    fn a_misspelt_name_finds_its_nearest() {
        let cases: &[(&str, &[&str], Option<&str>)] = &[
            ("randomise", OPTIONS, Some("randomize")),
            ("RANDOMIZE", OPTIONS, Some("randomize")),
            ("ranodmize", OPTIONS, Some("randomize")),
            ("back-up", OPTIONS, Some("backup")),
            ("maxReconectDelay", OPTIONS, Some("maxReconnectDelay")),
            ("backups", OPTIONS, Some("backup")),
            ("priority", OPTIONS, None),
            ("", OPTIONS, None),
            ("x", &["y"], None),
            ("X", &["x"], Some("x")),
            ("timeout", OPTIONS, None),
            ("amq-3", &["amq-2", "amq-1"], Some("amq-1")),
            ("amq-3", &["amq-1", "amq-2"], Some("amq-1")),
            ("brücke", &["brucke"], Some("brucke")),
            // The edge: a third of six letters is two.
            ("abcdef", &["abcdxy"], Some("abcdxy")),
            ("abcdef", &["abcxyz"], None),
        ];
        for (name, candidates, expected) in cases {
            assert_eq!(suggest(name, candidates.iter().copied()), *expected, "{name}");
        }
    }

    #[test]
    fn a_fix_needs_a_single_near_name() {
        assert!(only_near("randomise", OPTIONS.iter().copied()));
        assert!(!only_near("amq-3", ["amq-1", "amq-2"]));
        assert!(only_near("amq-3", ["amq-1", "amq-1"]), "the same name twice is one name");
        assert!(!only_near("zebra", OPTIONS.iter().copied()));
    }

    #[test]
    fn a_huge_text_is_no_misspelt_name() {
        let huge = "a".repeat(100_000);
        assert_eq!(suggest(&huge, [huge.to_uppercase().as_str()]), None);
    }
}
