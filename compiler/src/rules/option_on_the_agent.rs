//! TOPO0212 option-on-the-agent: an option of `failover:` that stands outside its parentheses, where `static:` takes it.

use super::bridge_never_rebuilt::{ATTEMPTS, reconnects};
use super::{Check, Context, FixKind, Level, Rule, bridges, place};
use crate::diagnostic::{Diagnostic, Edit, Report, Safety};
use crate::model::{Bridge, RawUri};
use crate::options;
use crate::release::zero_attempts_means_forever;
use crate::uri::{Uri, UriKind, UriOption};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0212",
    name: "option-on-the-agent",
    level: Level::Warning,
    since: "0.1.0",
    fix: FixKind::Safe,
    summary: "an option of `failover:` outside its parentheses, where `static:` takes it",
    page: include_str!("option_on_the_agent.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for (bridge, raw, uri) in bridges::by_hand(context) {
        let source = &raw.text.value;
        if !matches!(uri.scheme.text(source), "static" | "simple") {
            continue;
        }
        let inner: Vec<&Uri> = uri.members().iter().filter(|member| member.scheme.text(source) == "failover").collect();
        let misplaced: Vec<&UriOption> =
            uri.options.iter().filter(|option| is_misplaced(context, uri, option, &inner, source)).collect();
        if let Some(first) = misplaced.first().filter(|_| !inner.is_empty()) {
            report.add(found(context, bridge, raw, uri, first, &misplaced, &inner));
        }
    }
}

/// Whether an option was meant for the failover inside. Delays are for either, so they are left alone.
fn is_misplaced(context: &Context<'_>, uri: &Uri, option: &UriOption, inner: &[&Uri], source: &str) -> bool {
    let key = uri.decoded(source, option.key);
    if options::same_name(&key, ATTEMPTS) {
        let release = context.model.release();
        let lacks = |failover: &&Uri| failover.find_option(source, ATTEMPTS).is_none();
        return inner.iter().any(|failover| lacks(failover) && reconnects(release, failover, source));
    }
    let of_agent = options::SIMPLE_AGENT.iter().any(|known| options::same_name(&key, known.name));
    !of_agent && options::failover_option(&key).is_some()
}

fn found(
    context: &Context<'_>,
    bridge: &Bridge,
    raw: &RawUri,
    uri: &Uri,
    first: &UriOption,
    misplaced: &[&UriOption],
    inner: &[&Uri],
) -> Diagnostic {
    let source = &raw.text.value;
    let agent = uri.scheme.text(source);
    let title = bridges::title(context.model, bridge);
    let names: Vec<String> = misplaced.iter().map(|option| format!("`{}`", option.key.text(source))).collect();
    let message = format!("{} of bridge `{title}` does not reach `failover:`", names.join(" and "));
    let attempts = options::same_name(&uri.decoded(source, first.key), ATTEMPTS);
    let label = match attempts {
        true => {
            format!("says how often `{agent}:` tries; the failover inside connects again without telling the bridge")
        }
        false => format!("goes to `{agent}:`, which does not know it and says nothing"),
    };
    let moved: Vec<String> = misplaced.iter().map(|option| wanted(context, uri, option, source)).collect();
    let moved = moved.join("&");
    let verbatim = misplaced.iter().all(|option| {
        let text = source.get(option.range.clone()).unwrap_or_default();
        wanted(context, uri, option, source) == text
    });
    let diagnostic = Diagnostic::new(&RULE, place::inside(context, raw, first.range.clone()), message)
        .here(label)
        .also(place::inside(context, raw, inner[0].range.clone()), "this is the failover it was meant for")
        .help(format!("write `{agent}:(failover:(...)?{moved})`, or leave `uri` out: topoc writes it"));
    let safety = if verbatim { Safety::Safe } else { Safety::Unsafe };
    match edits(context, raw, uri, misplaced, inner, &moved) {
        Some(edits) => diagnostic.fix_all("move it inside", safety, edits),
        None => diagnostic,
    }
}

/// An option as it has to stand inside: the number of attempts so that the bridge learns of a lost connection.
fn wanted(context: &Context<'_>, uri: &Uri, option: &UriOption, source: &str) -> String {
    if !options::same_name(&uri.decoded(source, option.key), ATTEMPTS) {
        return source.get(option.range.clone()).unwrap_or_default().to_owned();
    }
    let attempts = if zero_attempts_means_forever(context.model.release()) { "1" } else { "0" };
    format!("{ATTEMPTS}={attempts}")
}

/// Takes the options off the agent and gives them to every failover inside. None where one has no parentheses: there they
/// would go to its last broker.
fn edits(
    context: &Context<'_>,
    raw: &RawUri,
    uri: &Uri,
    misplaced: &[&UriOption],
    inner: &[&Uri],
    moved: &str,
) -> Option<Vec<Edit>> {
    let source = &raw.text.value;
    let mut edits = Vec::new();
    for failover in inner {
        let UriKind::Composite { parenthesised: true, .. } = failover.kind else { return None };
        let join = if failover.options.is_empty() { '?' } else { '&' };
        let end = failover.range.end;
        edits.push(bridges::edit(context, raw, end..end, format!("{join}{moved}"))?);
    }
    let stays = uri.options.iter().filter(|option| !misplaced.iter().any(|other| other.range == option.range));
    let stays: Vec<&str> = stays.filter_map(|option| source.get(option.range.clone())).collect();
    let rest = if stays.is_empty() { String::new() } else { format!("?{}", stays.join("&")) };
    let start = uri.options.first()?.range.start.checked_sub(1)?;
    edits.push(bridges::edit(context, raw, start..uri.range.end, rest)?);
    Some(edits)
}
