//! Names of destinations as ActiveMQ writes them, and the patterns that stand for several.

/// What kind of destination a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DestinationKind {
    /// One consumer gets each message.
    Queue,
    /// Every subscriber gets each message.
    Topic,
}

/// `queue://NAME`, `topic://NAME`, or a queue's name alone: its kind and its name.
#[must_use]
pub fn read(text: &str) -> (DestinationKind, &str) {
    match (text.strip_prefix("topic://"), text.strip_prefix("queue://")) {
        (Some(name), _) => (DestinationKind::Topic, name),
        (None, name) => (DestinationKind::Queue, name.unwrap_or(text)),
    }
}

/// Whether `text` names `queue` or is a pattern for it.
#[must_use]
pub fn means_queue(text: &str, queue: &str) -> bool {
    let (kind, pattern) = read(text);
    kind == DestinationKind::Queue && matches(pattern, queue)
}

/// Whether `name` fits `pattern`: `*` stands for one part between dots, a last `>` for any number of parts, also none
/// (ActiveMQ `PrefixDestinationFilter`, `WildcardDestinationFilter`).
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let mut names = name.split('.');
    for part in pattern.split('.') {
        match (part, names.next()) {
            (">", _) => return true,
            ("*", Some(_)) => {}
            (part, Some(name)) if part == name => {}
            _ => return false,
        }
    }
    names.next().is_none()
}

/// Whether every name that fits `other`, itself a name or a pattern, fits `pattern`.
#[must_use]
pub fn covers(pattern: &str, other: &str) -> bool {
    let ends_open = |text: &str| text == ">" || text.ends_with(".>");
    // To `matches` the last `>` of the other is one part like any other; it has to stand for as many here.
    matches(pattern, other) && (ends_open(pattern) || !ends_open(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, name: &str, expected: bool) {
        assert_eq!(matches(pattern, name), expected, "{pattern} for {name}");
    }

    #[test]
    fn patterns_stand_for_what_activemq_says() {
        check("GC.REQUESTS", "GC.REQUESTS", true);
        check("GC.REQUESTS", "GC.REPLIES", false);
        check("GC.>", "GC.REPLY.desktop-1", true);
        check("GC.>", "GC", true);
        check("GC.>", "OTHER.REPLY", false);
        check(">", "GC.REQUESTS", true);
        check("GC.*", "GC.REQUESTS", true);
        check("GC.*", "GC.REPLY.desktop-1", false);
        check("*.REQUESTS", "GC.REQUESTS", true);
        check("GC", "GC.REQUESTS", false);
    }

    #[test]
    fn a_pattern_covers_those_that_say_less() {
        let check =
            |pattern: &str, other: &str, expected| assert_eq!(covers(pattern, other), expected, "{pattern} {other}");
        check(">", "*", true);
        check("*", ">", false);
        check("GC.>", "GC.*", true);
        check("GC.*", "GC.>", false);
        check("*.>", "GC.>", true);
        check("GC.*", "GC.REQUESTS", true);
        check("GC.*", "*.REQUESTS", false);
        check("GC.>", ">", false);
    }

    #[test]
    fn a_name_alone_is_a_queue() {
        assert!(means_queue("GC.REQUESTS", "GC.REQUESTS"));
        assert!(means_queue("queue://GC.>", "GC.REQUESTS"));
        assert!(!means_queue("topic://GC.>", "GC.REQUESTS"));
    }
}
