//! Which known name a misspelt one most likely stands for.

/// Longer texts are no misspelt names; the bound keeps a comparison cheap.
const MAX_CHARS: usize = 64;

/// The candidate nearest to `name`, or `None` when none is near.
///
/// Nearness is the Damerau-Levenshtein distance without regard to case: at most a third of the name's letters.
/// Of several equally near ones the first in alphabetical order, so that a message does not depend on their order.
/// A candidate equal to `name` is no suggestion.
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    suggest_sure(name, candidates).map(|(candidate, _only)| candidate)
}

/// The same, and whether exactly one candidate is near `name`, so that a fix may be applied without asking.
pub fn suggest_sure<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<(&'a str, bool)> {
    let mut best: Option<(usize, &str)> = None;
    let mut only = true;
    for found in near(name, candidates) {
        only &= best.is_none_or(|(_, other)| other == found.1);
        best = Some(best.map_or(found, |best| best.min(found)));
    }
    best.map(|(_distance, candidate)| (candidate, only))
}

/// Whether exactly one candidate is near `name`.
pub fn only_near<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> bool {
    suggest_sure(name, candidates).is_some_and(|(_candidate, only)| only)
}

fn near<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = (usize, &'a str)> {
    let wanted = name.to_lowercase();
    let length = wanted.chars().count();
    let allowed = length / 3;
    let letters = Letters::of(&wanted);
    candidates.into_iter().filter(move |_| length <= MAX_CHARS).filter(move |candidate| *candidate != name).filter_map(
        move |candidate| {
            // A character has four bytes at most, so that most names of another length are seen without being counted.
            let too_long = candidate.len() > 4 * (length + allowed) || candidate.len() + allowed < length;
            if too_long || candidate.chars().count().abs_diff(length) > allowed {
                return None;
            }
            let candidate_lower = candidate.to_lowercase();
            if letters.at_least(&Letters::of(&candidate_lower)) > allowed {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&wanted, &candidate_lower);
            (distance <= allowed).then_some((distance, candidate))
        },
    )
}

/// How often each letter stands in a short text; letters that share a place count as one.
struct Letters([u8; 32]);

impl Letters {
    fn of(text: &str) -> Self {
        let mut counts = [0_u8; 32];
        for letter in text.chars() {
            if let Some(count) = counts.get_mut(letter as usize % 32) {
                *count = count.saturating_add(1);
            }
        }
        Self(counts)
    }

    /// What the distance of two texts is at least: a change puts one letter in another's place, and swaps none in.
    fn at_least(&self, other: &Self) -> usize {
        let excess = |one: &Self, other: &Self| -> usize {
            one.0.iter().zip(&other.0).map(|(one, other)| usize::from(one.saturating_sub(*other))).sum()
        };
        excess(self, other).max(excess(other, self))
    }
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
        let only_near = |name, candidates: &[&'static str]| suggest_sure(name, candidates.iter().copied());
        assert_eq!(only_near("randomise", OPTIONS), Some(("randomize", true)));
        assert_eq!(only_near("amq-3", &["amq-2", "amq-1"]), Some(("amq-1", false)));
        assert_eq!(only_near("amq-3", &["amq-1", "amq-1"]), Some(("amq-1", true)), "the same name twice is one name");
        assert_eq!(only_near("amq-3", &["amq-1", "amq-2", "amq-1"]), Some(("amq-1", false)));
        assert_eq!(only_near("zebra", OPTIONS), None);
    }

    #[test]
    fn counting_letters_never_hides_a_near_name() {
        let texts =
            ["", "a", "ab", "ba", "abc", "acb", "brücke", "brucke", "amq-east-1", "amq-west-1", "aaaa", "openwire"];
        for one in texts {
            for other in texts {
                let distance = strsim::damerau_levenshtein(one, other);
                assert!(Letters::of(one).at_least(&Letters::of(other)) <= distance, "{one} {other}");
            }
        }
    }

    #[test]
    fn a_huge_text_is_no_misspelt_name() {
        let huge = "a".repeat(100_000);
        assert_eq!(suggest(&huge, [huge.to_uppercase().as_str()]), None);
    }
}
