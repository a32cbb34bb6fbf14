//! TOPO0417 store-limit-below-journal: a limit that not one file of the journal fits into.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::model::{Broker, Set, SettingValue, SettingsExt, Store, StoreKind};
use std::collections::HashSet;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0417",
    name: "store-limit-below-journal",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a limit that not one file of the journal fits into",
    page: include_str!("store_limit_below_journal.md"),
    check: Check::Model(check),
};

/// A file of the journal, in bytes (ActiveMQ, `Journal.DEFAULT_MAX_FILE_LENGTH`).
const FILE: i64 = 32 << 20;

fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashSet<Loc> = HashSet::new();
    for broker in &context.model.brokers {
        let journals =
            [("store", &broker.limits.store, of_store(broker)), ("temp", &broker.limits.temp, of_temp(broker))];
        for (field, limit, file) in journals {
            let (Some(limit), Some(file)) = (limit, file) else { continue };
            // 0 means no limit.
            if limit.value != 0 && limit.value < file && seen.insert(limit.at) {
                report.add(found(broker, field, limit, file));
            }
        }
    }
}

/// The length of a file of the store's journal; none where it has no such journal, or one of a length that cannot be read.
fn of_store(broker: &Broker) -> Option<i64> {
    let Some(store) = &broker.store else { return Some(FILE) };
    match store.kind {
        StoreKind::KahaDb => journal_of(store),
        StoreKind::Jdbc | StoreKind::Memory | StoreKind::LevelDb => None,
    }
}

fn journal_of(store: &Store) -> Option<i64> {
    let Some(setting) = store.settings.find("journalMaxFileLength") else { return Some(FILE) };
    match &setting.value {
        SettingValue::Integer(bytes) => Some(*bytes),
        SettingValue::Text(text) => bytes(text),
        SettingValue::Bool(_) | SettingValue::Number(_) | SettingValue::Secret(_) => None,
    }
}

/// Messages that need not survive go to a journal of their own, whose length is not a setting.
fn of_temp(broker: &Broker) -> Option<i64> {
    let in_memory = broker.store.as_ref().is_some_and(|store| store.kind == StoreKind::Memory);
    (!in_memory && broker.settings.bool("persistent") != Some(false)).then_some(FILE)
}

/// `32mb` as ActiveMQ reads it (`XBeanByteConverterUtil`).
fn bytes(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: i64 = digits.parse().ok()?;
    let shift = match text.get(digits.len()..)?.trim() {
        "" | "b" => 0,
        "k" | "kb" => 10,
        "m" | "mb" => 20,
        "g" | "gb" => 30,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

fn found(broker: &Broker, field: &str, limit: &Set<i64>, file: i64) -> Diagnostic {
    let size = shown(file);
    let message =
        format!("the {field} limit of broker `{}` is below the {size} of a file of its journal", broker.name.value);
    Diagnostic::new(&RULE, limit.at, message)
        .here("the broker says that it `will not accept any data when used`")
        .help(format!("write the room that messages need, at least `{field} = {size}`"))
        .fix(format!("write {size}"), Safety::Unsafe, limit.at, size)
}

/// Bytes as one would write them.
fn shown(bytes: i64) -> String {
    match bytes % (1 << 20) {
        0 => format!("{}MiB", bytes >> 20),
        _ => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn lengths_are_read_as_activemq_reads_them() {
        for (text, expected) in [
            ("1048576", Some(1 << 20)),
            (" 64 MB ", Some(64 << 20)),
            ("8m", Some(8 << 20)),
            ("1gb", Some(1 << 30)),
            ("512k", Some(512 << 10)),
            ("${journal}", None),
            ("8MiB", None),
            ("", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
