//! Options of brokers and stores that are no attribute of their element, or no value of it: the parts of unknown-field and
//! wrong-type that need the model.

use super::{Context, place, unknown_field, wrong_type};
use crate::diagnostic::{Diagnostic, Loc, Report, Safety};
use crate::language::Place;
use crate::model::{Setting, SettingValue, StoreKind};
use crate::schema::{self, AttrType};
use crate::suggest;
use std::collections::HashSet;
use topoc_dsl::syntax::quote;

/// Options of brokers and stores become attributes of their elements, so they have to be some.
pub(super) fn check(context: &Context<'_>, report: &mut Report) {
    let mut seen: HashSet<Loc> = HashSet::new();
    for broker in &context.model.brokers {
        let mut look = |settings: &[Setting], element: &'static str| {
            for setting in settings.iter().filter(|setting| setting.place == Place::Own) {
                let diagnostic = option_found(context, &broker.name.value, setting, element);
                report.diagnostics.extend(diagnostic.filter(|found| seen.insert(found.primary())));
            }
        };
        look(&broker.settings, "broker");
        if let Some(store) = &broker.store {
            let element = match store.kind {
                StoreKind::KahaDb => "kahaDB",
                StoreKind::Jdbc => "jdbcPersistenceAdapter",
                StoreKind::LevelDb => "levelDB",
                StoreKind::Memory => "memoryPersistenceAdapter",
            };
            look(&store.settings, element);
        }
    }
}

/// What is wrong with `options { NAME = ... }` of an element.
fn option_found(context: &Context<'_>, broker: &str, setting: &Setting, element: &'static str) -> Option<Diagnostic> {
    let name = setting.real.as_ref();
    let known = schema::element(element)?;
    let at = place::key(context, setting);
    if name == "brokerName" {
        let message = format!("`brokerName` of broker `{broker}` is no option");
        return Some(
            Diagnostic::new(&unknown_field::RULE, at, message)
                .here("unknown here")
                .help("write the field `broker-name`"),
        );
    }
    if let Some(reason) = schema::not_for_users(known, name) {
        let message = format!("`{name}` of broker `{broker}` cannot be written: it {reason}");
        return Some(Diagnostic::new(&unknown_field::RULE, at, message).here("not for users").help("remove it"));
    }
    if let Some(attribute) = known.attribute(name) {
        return misfit(setting, attribute.ty).map(|takes| {
            let message = format!("`{name}` of broker `{broker}` takes {takes}, not the text `{}`", setting.value);
            Diagnostic::new(&wrong_type::RULE, setting.value_at, message)
                .here("the broker does not start: `is not a valid value`")
                .help(format!("write {takes}"))
        });
    }
    let message = format!("`<{element}>` of broker `{broker}` has no attribute `{name}` in any release");
    let diagnostic = Diagnostic::new(&unknown_field::RULE, at, message).here("unknown");
    let names = || schema::user_attributes(known).map(|attribute| attribute.name);
    let Some(near) = suggest::suggest(name, names()) else {
        return Some(diagnostic.help("remove it; `options` takes the names that ActiveMQ itself uses"));
    };
    let diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
    let safety = if suggest::only_near(name, names()) { Safety::Safe } else { Safety::Shown };
    let quoted = context.sources.text(at).starts_with('"');
    let text = if quoted { quote(near) } else { near.to_owned() };
    Some(if at == setting.at { diagnostic } else { diagnostic.fix(format!("write `{near}`"), safety, at, text) })
}

/// What an attribute takes, where a text is not that. Placeholders are for attributes that are text in ActiveMQ's schema.
fn misfit(setting: &Setting, ty: AttrType) -> Option<&'static str> {
    let SettingValue::Text(text) = &setting.value else { return None };
    let (fits, takes) = match ty {
        AttrType::Boolean => (matches!(text.trim(), "true" | "false" | "1" | "0"), "`true` or `false`"),
        AttrType::Integer | AttrType::Long | AttrType::Short => (text.trim().parse::<i64>().is_ok(), "a whole number"),
        AttrType::Float | AttrType::Double => (text.trim().parse::<f64>().is_ok(), "a number"),
        AttrType::Text | AttrType::Id => return None,
    };
    (!fits).then_some(takes)
}
