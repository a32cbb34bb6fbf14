//! The language's field names: the kebab-case of ActiveMQ's own names, and the way back through a table.

/// The kebab-case of a Java name: `networkTTL` is `network-ttl`, `updateURIsSupported` is `update-uris-supported`.
///
/// A run of capitals is one word, with its plural `s`; the last capital before a small letter begins the next word.
/// Dots stay: each side of one is a name of its own.
#[must_use]
pub fn kebab(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut written = String::with_capacity(name.len() + 8);
    for (at, &char) in chars.iter().enumerate() {
        if begins_word(&chars, at) {
            written.push('-');
        }
        written.extend(char.to_lowercase());
    }
    written
}

/// The name among `names` whose kebab-case is `written`.
///
/// The way back needs a table since capitals are lost on the way there.
pub fn from_kebab<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names.into_iter().find(|name| kebab(name) == written)
}

fn begins_word(chars: &[char], at: usize) -> bool {
    let Some(&before) = at.checked_sub(1).and_then(|before| chars.get(before)) else { return false };
    if !chars[at].is_uppercase() || !before.is_alphanumeric() {
        return false;
    }
    let after = chars.get(at + 1).copied();
    let small_follows = after.is_some_and(char::is_lowercase) && !is_plural_s(chars, at + 1);
    !before.is_uppercase() || small_follows
}

/// Whether the small letter at `at` is the `s` of a plural like `URIs`: capitals before it, and no small letter behind.
fn is_plural_s(chars: &[char], at: usize) -> bool {
    let after = chars.get(at + 1);
    chars[at] == 's'
        && at >= 2
        && chars[at - 1].is_uppercase()
        && chars[at - 2].is_uppercase()
        && !after.is_some_and(|after| after.is_lowercase())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::options;

    #[test]
    fn names_of_the_trade() {
        let cases = [
            ("updateURIsSupported", "update-uris-supported"),
            ("updateURIsURL", "update-uris-url"),
            ("priorityURIs", "priority-uris"),
            ("rebalanceUpdateURIs", "rebalance-update-uris"),
            ("networkTTL", "network-ttl"),
            ("consumerTTL", "consumer-ttl"),
            ("useJmx", "use-jmx"),
            ("discoveryURI", "discovery-uri"),
            ("discoveryUri", "discovery-uri"),
            ("brokerURL", "broker-url"),
            ("maxInactivityDuration", "max-inactivity-duration"),
            ("useBrokerNameAsIdSees", "use-broker-name-as-id-sees"),
            ("activeMQSubscriptionPrefetch", "active-mq-subscription-prefetch"),
            ("URIsList", "uris-list"),
            ("enableJMXStats", "enable-jmx-stats"),
            ("wireFormat.maxFrameSize", "wire-format.max-frame-size"),
            ("level2Cache", "level2-cache"),
            ("timeout", "timeout"),
            ("TCPState", "tcp-state"),
            ("", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(kebab(name), expected);
        }
    }

    #[test]
    fn every_table_can_be_read_back() {
        for (table, specs) in options::TABLES {
            let mut seen = BTreeMap::new();
            for spec in *specs {
                let written = kebab(spec.name);
                assert_eq!(seen.insert(written.clone(), spec.name), None, "{table}: {written} stands for two names");
                assert_eq!(from_kebab(&written, specs.iter().map(|spec| spec.name)), Some(spec.name), "{table}");
                assert!(written.chars().all(|c| !c.is_uppercase()), "{table}: {written}");
                assert!(!written.contains("--") && !written.ends_with('-'), "{table}: {written}");
            }
        }
        assert_eq!(from_kebab("no-such-option", options::FAILOVER.iter().map(|spec| spec.name)), None);
    }
}
