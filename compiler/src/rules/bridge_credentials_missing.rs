//! TOPO0220 bridge-credentials-missing: a bridge that a broker with users does not let in.

use super::{Check, Context, FixKind, Level, Rule, bridges};
use crate::diagnostic::{Diagnostic, Edit, Loc, Report, Safety};
use crate::model::{Bridge, Broker, BrokerId, Model, Remote, SettingValue, User, Users};
use crate::network::node;
use crate::value::Secret;
use std::collections::BTreeSet;
use topoc_dsl::syntax::quote;

pub(super) static RULE: Rule = Rule {
    code: "TOPO0220",
    name: "bridge-credentials-missing",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::Unsafe,
    summary: "a bridge without a user that both of its brokers know",
    page: include_str!("bridge_credentials_missing.md"),
    check: Check::Model(check),
};

/// As whom a bridge connects to one of its ends, and where that is written.
struct Login<'a> {
    user: Option<&'a str>,
    at: Loc,
    password: bool,
    help: &'static str,
}

const BOTH_ENDS: &str = "write `user` and `password` of a user that the brokers at both ends of the bridge have";
const FAR_END: &str = "write `remote-user-name` and `remote-password` of a user that the far broker has";

fn check(context: &Context<'_>, report: &mut Report) {
    let model = context.model;
    if model.brokers.iter().all(|broker| broker.users.is_none()) {
        return;
    }
    // What stands in `defaults` is one mistake, however many bridges take it.
    let mut said = BTreeSet::new();
    for edge in context.network.edges() {
        let Some(bridge) = bridges::of(context, edge.bridge) else { continue };
        // Over a duplex bridge it is the owner as well who connects.
        if node(model, bridge.from.broker) != edge.from {
            continue;
        }
        let far = members(model, edge.to).into_iter().map(|broker| (broker, login(bridge, true)));
        // The far end of a duplex bridge logs in at its own broker as the near end does.
        let ends = if bridge.duplex { members(model, edge.to) } else { Vec::new() };
        let ends = model.members(&bridge.from).into_iter().chain(ends);
        let near = ends.map(|broker| (broker, login(bridge, false)));
        for (id, login) in far.chain(near) {
            let broker = model.broker(id);
            let refused = broker.users.as_ref().filter(|users| is_refused(users, &login));
            if let Some(users) = refused.filter(|_| said.insert(login.at)) {
                report.add(found(context, bridge, broker, users, &login));
            }
        }
    }
}

fn members(model: &Model, broker: BrokerId) -> Vec<BrokerId> {
    match model.broker(broker).pair.map(|pair| model.pair(pair)) {
        Some(pair) => vec![pair.master.value, pair.slave.value],
        None => vec![broker],
    }
}

/// A bridge's user is for both ends, unless `remoteUserName` is there for the far one.
fn login(bridge: &Bridge, far: bool) -> Login<'_> {
    if let Some(remote) = bridge.remote_user().filter(|_| far)
        && let SettingValue::Text(user) = &remote.value
    {
        let password = bridge.remote_password().is_some();
        return Login { user: Some(user), at: remote.value_at, password, help: FAR_END };
    }
    let user = bridge.user.as_ref();
    Login {
        user: user.map(|user| user.value.as_str()),
        at: user.map_or(bridge.at, |user| user.at),
        password: bridge.password.is_some(),
        help: BOTH_ENDS,
    }
}

/// Who gives neither a name nor a password is anonymous (`SimpleAuthenticationBroker.authenticate`).
fn is_refused(users: &Users, login: &Login<'_>) -> bool {
    match login.user {
        None => users.anonymous.is_none() || login.password,
        Some(name) => !login.password || !users.users.iter().any(|user| user.name.value == name),
    }
}

fn found(context: &Context<'_>, bridge: &Bridge, broker: &Broker, users: &Users, login: &Login<'_>) -> Diagnostic {
    let (name, title) = (&broker.name.value, bridges::title(context.model, bridge));
    let known = |user: &&str| users.users.iter().any(|known| known.name.value == **user);
    let message = match login.user {
        None => format!("bridge `{title}` has no user for broker `{name}`"),
        Some(user) if known(&user) => format!("bridge `{title}` has no password for broker `{name}`"),
        Some(user) => format!("broker `{name}` has no user `{user}` for bridge `{title}`"),
    };
    let diagnostic = Diagnostic::new(&RULE, login.at, message)
        .here(format!("refused: `User name [{}] or password is invalid`", login.user.unwrap_or("null")))
        .also(users.at, "these alone may connect")
        .help(login.help);
    match credentials(context, bridge, login) {
        Some(edit) => diagnostic.fix_all("connect as the user that both ends have", Safety::Unsafe, vec![edit]),
        None => diagnostic,
    }
}

/// The fields of the only user that every broker with users at the two ends has.
fn credentials(context: &Context<'_>, bridge: &Bridge, login: &Login<'_>) -> Option<Edit> {
    let Remote::Broker(far) = &bridge.to else { return None };
    let ends = [&bridge.from, far].into_iter().flat_map(|end| context.model.members(end));
    let lists: Vec<&Users> = ends.filter_map(|id| context.model.broker(id).users.as_ref()).collect();
    let everywhere = |user: &&User| {
        let has = |users: &&Users| users.users.iter().any(|other| other.name.value == user.name.value);
        lists.iter().all(has)
    };
    let mut common = lists.first()?.users.iter().filter(everywhere);
    let (Some(user), None) = (common.next(), common.next()) else { return None };
    let secret = user.password.as_ref().filter(|secret| secret.value != Secret::Literal)?;
    let written = context.sources.text(secret.at);
    let fields = format!("user = {}; password = {written}", quote(&user.name.value));
    let nothing_there = login.user.is_none() && bridge.password.is_none();
    bridges::add_field(context, bridge, &fields).filter(|_| nothing_there && written.starts_with("secret("))
}
