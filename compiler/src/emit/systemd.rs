//! Units of systemd for connectors, and what their secrets are called.
//!
//! Brokers get none: where ActiveMQ and Java lie, and as whom it runs, is for the package that installed it, which has a unit
//! already.

use super::Artifact;
use std::collections::BTreeMap;
use std::fmt::Write;
use topoc_plan::{Plan, Secret};

/// Where a connector's folder of `dist` goes on its machine (Filesystem Hierarchy Standard 3.0, 3.13).
const PROGRAMS: &str = "/opt/topoc";
/// Where its secrets are.
const SECRETS: &str = "/etc/topoc";
/// Exit codes of the program that starting it again does not change: wrong arguments or settings, and no plan or a damaged one.
const IN_VAIN: &str = "2 4";
/// What the program may take without agents, and for each agent, in KiB. An agent's session takes less than 64, and there is as
/// much again for what is in hand.
const MEMORY: (u64, u64) = (256 * 1024, 128);
/// How many agents a connector has room for where nobody says.
const AGENTS: u32 = 10_000;

/// What a service may not do. `systemd.exec(5)` says what each is.
const HARDENING: &str = "\
# It needs its sockets, and nothing else of the machine.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateDevices=yes
PrivateTmp=yes
PrivateUsers=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077
";

/// The unit of every connector, and its secrets' names where it takes any from the environment. By path.
#[must_use]
pub fn systemd(plans: &[Plan]) -> Vec<Artifact> {
    let mut artifacts: Vec<Artifact> = plans.iter().flat_map(of).collect();
    artifacts.sort_by(|a, b| a.path.cmp(&b.path));
    artifacts
}

fn of(plan: &Plan) -> impl Iterator<Item = Artifact> {
    let Plan { site, connector, .. } = plan;
    let artifact = |file: String, text: String| Artifact {
        path: format!("{site}/{connector}/{file}"),
        site: site.clone(),
        bytes: text.into_bytes(),
    };
    let secrets = environment(plan);
    let unit = artifact(format!("{connector}.service"), unit(plan, !secrets.is_empty()));
    let example = (!secrets.is_empty()).then(|| artifact(format!("{connector}.env.example"), example(plan, &secrets)));
    std::iter::once(unit).chain(example)
}

fn unit(plan: &Plan, has_secrets: bool) -> String {
    let Plan { site, connector, topology, .. } = plan;
    let mut out = format!(
        "# Connector {connector}. Written by topoc: change the topology, or put what differs here into a drop-in
# (systemctl edit {connector}).
[Unit]
Description=Connector {connector} of {topology} at {site}
Wants=network-online.target
After=network-online.target
# It is not given up, however often it ends.
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={PROGRAMS}/{connector}/{connector} run
"
    );
    if has_secrets {
        line(&mut out, &format!("EnvironmentFile={SECRETS}/{connector}.env"));
    }
    out += &format!(
        "Restart=on-failure
RestartSec=1
# Wrong settings and a damaged plan do not get better by starting again.
RestartPreventExitStatus={IN_VAIN}
# It is ready when a broker has taken it, which may be down for long.
TimeoutStartSec=infinity
# It finishes what it has in hand.
TimeoutStopSec=45
WatchdogSec=30

"
    );
    out += &user(plan);
    out += HARDENING;
    let memory = memory(plan);
    out += &format!(
        "
# A connection for each agent, and room for {} of them.
LimitNOFILE={}
TasksMax=1024
MemoryMax={memory}M

[Install]
WantedBy=multi-user.target
",
        agents(plan),
        files(plan)
    );
    out
}

/// A dynamic user owns no files; one of the same name that is there is taken instead (`systemd.exec(5)`, `DynamicUser=`).
fn user(plan: &Plan) -> String {
    let mut out = String::new();
    let files: Vec<&str> = plan
        .secrets()
        .filter_map(|(_, secret)| match secret {
            Secret::File(path) => Some(path.as_str()),
            Secret::Env(_) => None,
        })
        .collect();
    if files.is_empty() {
        line(
            &mut out,
            "# A user that is there while the service runs; one of that name that is there already is taken instead.",
        );
    } else {
        line(&mut out, "# Make this user, and let it alone read the files with secrets:");
        line(&mut out, "#   useradd --system --user-group --shell /usr/sbin/nologin topoc");
        for file in files {
            line(&mut out, &format!("#   chown root:topoc {file} && chmod 0640 {file}"));
        }
    }
    out + "DynamicUser=yes\nUser=topoc\nGroup=topoc\n"
}

fn agents(plan: &Plan) -> u32 {
    plan.limits.agents.unwrap_or(AGENTS)
}

/// A connection for each agent, and as much again for what is in hand, within what systemd takes.
fn files(plan: &Plan) -> u32 {
    agents(plan).saturating_mul(2).clamp(4096, 1_048_576)
}

/// In MiB.
fn memory(plan: &Plan) -> u64 {
    (MEMORY.0 + MEMORY.1 * u64::from(agents(plan))).div_ceil(1024)
}

/// The secrets that come from the environment by their names, each with what it is.
fn environment(plan: &Plan) -> BTreeMap<&str, Vec<&'static str>> {
    let mut named: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    for (what, secret) in plan.secrets() {
        if let Secret::Env(name) = secret {
            named.entry(name).or_default().push(what);
        }
    }
    named
}

/// Never the file that is read: that one has secrets in it, and no build may touch it.
fn example(plan: &Plan, secrets: &BTreeMap<&str, Vec<&'static str>>) -> String {
    let connector = &plan.connector;
    let mut out = format!(
        "# Secrets of connector {connector}. Fill them in where this is copied to, not here: every build writes this file anew.
#   install -m 0600 -o root -g root {connector}.env.example {SECRETS}/{connector}.env
"
    );
    for (name, what) in secrets {
        line(&mut out, "");
        what.iter().for_each(|what| line(&mut out, &format!("# {what}")));
        line(&mut out, &format!("{name}="));
    }
    out
}

fn line(out: &mut String, text: &str) {
    // Writing to a text never fails.
    let _ = writeln!(out, "{text}");
}
