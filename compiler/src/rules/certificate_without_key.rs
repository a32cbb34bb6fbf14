//! TOPO0707 certificate-without-key: a certificate for brokers that nobody can prove to own, or a key without one.

use super::{Check, Context, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Loc, Report};
use crate::model::Connector;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0707",
    name: "certificate-without-key",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "a connector with a certificate and no private key, or the other way round",
    page: include_str!("certificate_without_key.md"),
    check: Check::Model(check),
};

fn check(context: &Context<'_>, report: &mut Report) {
    // A field that could not be read is not missing.
    let whole = context.model.connectors.iter().filter(|connector| !connector.dialer.damaged);
    for connector in whole.filter(|_| !context.model.incomplete) {
        let tls = &connector.tls;
        match (&tls.broker_certificate, &tls.broker_private_key) {
            (Some(certificate), None) => report.add(found(connector, certificate.at, CERTIFICATE, KEY)),
            (None, Some(key)) => report.add(found(connector, key.at, KEY, CERTIFICATE)),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}

/// A field, and how it is written.
type Field = (&'static str, &'static str);
const CERTIFICATE: Field = ("broker-certificate", "broker-certificate = \"/etc/topoc/gc.pem\"");
const KEY: Field = ("broker-private-key", "broker-private-key = secret(\"file:/etc/topoc/gc.key\")");

fn found(connector: &Connector, at: Loc, there: Field, missing: Field) -> Diagnostic {
    let name = &connector.dialer.name.value;
    Diagnostic::new(&RULE, at, format!("connector `{name}` has `{}` and no `{}`", there.0, missing.0))
        .here("brokers that ask for a certificate do not let it in")
        .help(format!("write `{}`, or take `{}` out", missing.1, there.0))
}
