//! Patterns for paths: `*` and `?` within a name, `**` for any number of folders.

/// Whether `path`, with `/`, is what `pattern` means.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // How much of the path each beginning of the pattern can stand for: a table instead of trying every way.
    let mut reach = vec![false; path.len() + 1];
    if let Some(start) = reach.first_mut() {
        *start = true;
    }
    for part in pattern {
        reach = if part == "**" { onward(&reach) } else { step(&reach, &path, part) };
    }
    reach.last().copied().unwrap_or(false)
}

/// `**`: as far as before, and any further.
fn onward(reach: &[bool]) -> Vec<bool> {
    let mut reached = false;
    reach
        .iter()
        .map(|here| {
            reached |= here;
            reached
        })
        .collect()
}

fn step(reach: &[bool], path: &[&str], part: &str) -> Vec<bool> {
    let ahead = reach.iter().zip(path).map(|(reached, name)| *reached && names(part.as_bytes(), name.as_bytes()));
    std::iter::once(false).chain(ahead).collect()
}

/// One name against one part of a pattern; goes back to the last `*` only, so that no pattern takes long.
fn names(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_name, mut star) = (0, 0, None);
    while let Some(byte) = name.get(in_name) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(wanted) if wanted == byte || *wanted == b'?' => (at, in_name) = (at + 1, in_name + 1),
            _ => match star {
                Some((star_at, from)) => {
                    (at, in_name) = (star_at + 1, from + 1);
                    star = Some((star_at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_paths() {
        for (pattern, path, expected) in [
            ("lab/**", "lab/main.topo", true),
            ("lab/**", "lab/a/b/c.topo", true),
            ("lab/**", "laboratory/main.topo", false),
            ("lab/**", "other/lab/main.topo", false),
            ("**/lab/**", "other/lab/main.topo", true),
            ("**/lab/**", "lab/main.topo", true),
            ("lab/*", "lab/main.topo", true),
            ("lab/*", "lab/a/main.topo", false),
            ("*.topo", "main.topo", true),
            ("*.topo", "a/main.topo", false),
            ("**/*.topo", "a/b/main.topo", true),
            ("**", "a/b", true),
            ("site-?.topo", "site-1.topo", true),
            ("site-?.topo", "site-12.topo", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("./lab/", "lab", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} for {path}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        assert!(!matches(&"**/a*/".repeat(200), &"b/".repeat(2000)));
        assert!(!matches(&("a*".repeat(500) + "c"), &"a".repeat(5000)));
    }
}
