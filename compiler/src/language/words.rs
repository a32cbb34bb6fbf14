//! Fields in words, for `explain --fields`, the guide and editors.

use super::{Field, Kind, Type, spec};

impl Type {
    /// What values it takes, in a few words: `duration or -1`, `[broker | pair]`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Type::Text => "text".into(),
            Type::Word(words) => words.join(" | "),
            Type::Bool => "true | false".into(),
            Type::Integer(min, max) if *min > i64::from(i32::MIN) && *max < i64::from(i32::MAX) => {
                format!("{min} to {max}")
            }
            Type::Integer(..) => "integer".into(),
            Type::Number => "number".into(),
            Type::Duration(false) => "duration".into(),
            Type::Duration(true) => "duration or -1".into(),
            Type::Size => "size".into(),
            Type::Port => "1 to 65535".into(),
            Type::Socket => "IP address and port".into(),
            Type::Texts => "list of texts".into(),
            Type::Refs(kinds) => format!("[{}]", keywords(kinds)),
            Type::Ref(kinds) => keywords(kinds),
            Type::Secret => "secret(...)".into(),
            Type::Release => "release".into(),
            Type::Uri => "URI".into(),
            Type::Loose => "any value".into(),
        }
    }
}

impl Type {
    /// How a value is written, where the words alone do not show it.
    #[must_use]
    pub fn example(&self) -> Option<&'static str> {
        match self {
            Type::Duration(_) => Some("10s"),
            Type::Size => Some("64MiB"),
            Type::Socket => Some("\"127.0.0.1:9464\""),
            Type::Secret => Some("secret(\"env:NAME\")"),
            Type::Release => Some("\"6.2\""),
            _ => None,
        }
    }
}

impl Field {
    /// What holds when it is not written: `required`, the default with its unit, or `-` for nothing.
    #[must_use]
    pub fn default_words(&self) -> String {
        let number = self.default.parse::<u64>().is_ok_and(|number| number > 0);
        match (self.required, self.default, &self.ty) {
            (true, ..) => "required".into(),
            (false, "", _) => "-".into(),
            (false, default, Type::Duration(_)) if number => format!("{default} ms"),
            (false, default, Type::Size) if number => format!("{default} bytes"),
            (false, default, _) => default.into(),
        }
    }

    /// Where it stands in a list: what must be written first, then what topoc knows something of, then the rest of
    /// ActiveMQ's.
    #[must_use]
    pub fn rank(&self) -> (bool, bool, &str) {
        (!self.required, self.doc.is_empty(), &self.name)
    }
}

fn keywords(kinds: &[Kind]) -> String {
    let words = kinds.iter().filter_map(|kind| spec(*kind)).map(|block| block.keyword);
    words.collect::<Vec<_>>().join(" | ")
}
