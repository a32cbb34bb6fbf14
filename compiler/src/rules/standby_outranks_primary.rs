//! TOPO0402 standby-outranks-primary: a standby with a higher priority than the primary.

use super::equal_priorities::members;
use super::{Check, Context, FixKind, Level, Rule, priority_out_of_range};
use crate::diagnostic::{Diagnostic, Edit, Report, Safety};
use crate::model::{Connector, Deployment, Mode, Set};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0402",
    name: "standby-outranks-primary",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "active-passive: a standby with a higher priority than the primary",
    page: include_str!("standby_outranks_primary.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    let deployments = context.model.deployments.iter();
    for deployment in deployments.filter(|deployment| deployment.mode == Mode::ActivePassive && !deployment.damaged) {
        report.diagnostics.extend(check_deployment(context, deployment));
    }
}

fn check_deployment(context: &Context<'_>, deployment: &Deployment) -> Option<Diagnostic> {
    let primary = context.model.connector(deployment.connectors.first()?.value);
    let fits = |connector: &&Connector| priority_out_of_range::fits(connector.effective_priority());
    let standbys = members(context, deployment).filter(|member| !std::ptr::eq(*member, primary)).filter(fits);
    // Of several that are equal the first, which is the one to swap with.
    let highest = standbys.reduce(|a, b| if b.effective_priority() > a.effective_priority() { b } else { a })?;
    let judged = fits(&primary) && !primary.dialer.damaged;
    (judged && highest.effective_priority() > primary.effective_priority()).then(|| found(deployment, primary, highest))
}

fn found(deployment: &Deployment, primary: &Connector, standby: &Connector) -> Diagnostic {
    let (first, second) = (&primary.dialer.name.value, &standby.dialer.name.value);
    let (low, high) = (primary.effective_priority(), standby.effective_priority());
    let at = primary.priority.as_ref().map_or(primary.dialer.at, |priority| priority.at);
    let other = standby.priority.as_ref().map_or(standby.dialer.at, |priority| priority.at);
    let message =
        format!("primary `{first}` of deployment `{}` ranks below its standby `{second}`", deployment.name.value);
    let diagnostic = Diagnostic::new(&RULE, at, message)
        .here(format!("{low}: gets requests only when `{second}` is down or busy"))
        .also(other, format!("{high}: so this one does the work"))
        .also_at(deployment.connectors.first().map(|connector| connector.at), "named first, so the primary");
    mended(diagnostic, &primary.priority, &standby.priority)
}

/// Swaps the two where both are written, else raises the primary to the top.
fn mended(diagnostic: Diagnostic, primary: &Option<Set<i64>>, standby: &Option<Set<i64>>) -> Diagnostic {
    match (primary, standby) {
        (Some(low), Some(high)) if low.at != high.at => {
            let help = format!("swap them: {} for the primary, {} for the standby", high.value, low.value);
            let edits = vec![
                Edit { at: low.at, text: high.value.to_string().into() },
                Edit { at: high.at, text: low.value.to_string().into() },
            ];
            diagnostic.help(help).fix_all("swap the two priorities", Safety::Unsafe, edits)
        }
        (Some(low), _) => {
            diagnostic.help("write `priority = 127` for the primary").fix("write 127", Safety::Unsafe, low.at, "127")
        }
        (None, _) => diagnostic.help("write `priority = 127` for the primary"),
    }
}
