//! TOPO0107 transport-not-in-distribution: a scheme that Debian's package of ActiveMQ lacks.

use super::{Check, Context, FixKind, Level, Rule, place};
use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::model::{Broker, Listener, Remote};
use crate::options;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0107",
    name: "transport-not-in-distribution",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a scheme that Debian's package of ActiveMQ lacks",
    page: include_str!("transport_not_in_distribution.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    for broker in &context.model.brokers {
        let Some(debian) = broker.debian else { continue };
        for listener in &broker.listeners {
            let scheme = options::listener_scheme(&listener.scheme.value).filter(|scheme| !scheme.in_debian);
            if let Some(scheme) = scheme {
                report.add(listener_found(context, broker, listener, scheme.module).also(debian, "Debian's package"));
            }
        }
    }
    bridges(context, report);
}

fn listener_found(context: &Context<'_>, broker: &Broker, listener: &Listener, module: &str) -> Diagnostic {
    let scheme = &listener.scheme.value;
    let at = match &listener.raw {
        Some(raw) => place::inside(context, raw, raw.uri.as_ref().map_or(0..0, |uri| uri.scheme.range())),
        None => listener.scheme.at,
    };
    let message = format!(
        "listener `{}` of broker `{}` cannot listen on `{scheme}:`, which Debian's package lacks",
        listener.name.value, broker.name.value
    );
    diagnostic(at, message, &format!("Transport scheme NOT recognized: [{scheme}]"), module)
}

/// Bridges that find their brokers with a module that is not there.
fn bridges(context: &Context<'_>, report: &mut Report) {
    for bridge in &context.model.bridges {
        let Remote::Discovery(raw) = &bridge.to else { continue };
        let Ok(uri) = &raw.uri else { continue };
        let scheme = uri.scheme.text(&raw.text.value);
        let Some(agent) = options::discovery_scheme(scheme).filter(|agent| !agent.in_debian) else { continue };
        let members = context.model.members(&bridge.from);
        let broker = members.iter().map(|id| context.model.broker(*id)).find(|broker| broker.debian.is_some());
        if let Some((broker, debian)) = broker.and_then(|broker| Some((broker, broker.debian?))) {
            let at = place::inside(context, raw, uri.scheme.range());
            let message = format!(
                "a bridge of broker `{}` cannot find brokers with `{scheme}:`, which Debian's package lacks",
                broker.name.value
            );
            let refusal = format!("DiscoveryAgent scheme NOT recognized: [{scheme}]");
            report.add(diagnostic(at, message, &refusal, agent.module).also(debian, "Debian's package"));
        }
    }
}

fn diagnostic(at: Loc, message: String, refusal: &str, module: &str) -> Diagnostic {
    Diagnostic::new(&RULE, at, message).here(format!("the broker stops here with `{refusal}`")).help(format!(
        "install the distribution of the ActiveMQ project and write `distribution = apache`, or remove this; it needs \
         `{module}.jar`"
    ))
}
