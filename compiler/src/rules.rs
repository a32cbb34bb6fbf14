//! What topoc checks: the rules, in one table. A rule is a `.rs` file and a `.md` page of the same name.

use crate::addresses::Addresses;
use crate::diagnostic::{Diagnostic, Loc, Report, Severity};
use crate::model::Model;
use crate::network::Network;
use crate::sources::Sources;
use dialled::Dialled;

/// A rule: what `explain` prints, how bad it is, and the check.
#[derive(Debug)]
pub struct Rule {
    /// `TOPO`, two digits for the area, two for the rule.
    pub code: &'static str,
    /// Named for what is wrong.
    pub name: &'static str,
    /// How bad a finding is unless something else is said.
    pub level: Level,
    /// The version of topoc that has it.
    pub since: &'static str,
    /// What kind of fix it offers.
    pub fix: FixKind,
    /// One sentence for lists.
    pub summary: &'static str,
    /// The page: what, why, examples that tests execute, what to do, source.
    pub page: &'static str,
    /// How it is found.
    pub check: Check,
}

/// How bad the findings of a rule are unless something else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Will not work, or not as written.
    Error,
    /// Likely to hurt.
    Warning,
    /// Worth knowing.
    Note,
    /// Hygiene that a lab does without: a note, and a warning under the strict profile.
    Hygiene,
}

impl Level {
    /// The severity of a finding when nobody has asked for a profile.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Level::Error => Severity::Error,
            Level::Warning => Severity::Warning,
            Level::Note | Level::Hygiene => Severity::Note,
        }
    }

    /// The same under the strict profile.
    #[must_use]
    pub fn strict(self) -> Severity {
        match self {
            Level::Hygiene => Severity::Warning,
            other => other.severity(),
        }
    }
}

/// What kind of fix a rule offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FixKind {
    /// None.
    None,
    /// Sometimes one that may be applied without a person looking.
    Safe,
    /// Sometimes one that may change who gets what.
    Unsafe,
    /// Sometimes one to look at.
    Shown,
}

impl FixKind {
    /// `none`, `safe`, `unsafe` or `shown`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            FixKind::None => "none",
            FixKind::Safe => "safe",
            FixKind::Unsafe => "unsafe",
            FixKind::Shown => "shown",
        }
    }
}

/// How a rule is found.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// While the text is read and names are resolved, by the functions of the rule's file.
    Reading,
    /// By looking at the model.
    Model(fn(&Context<'_>, &mut Report)),
    /// While findings are judged: about `topoc.toml` and `allow` comments.
    Judging,
}

/// The areas of codes: their two digits, and the words for them in `topoc.toml`.
pub const AREAS: &[(&str, &str)] = &[
    ("00", "syntax"),
    ("01", "listeners"),
    ("02", "bridges"),
    ("03", "client-failover"),
    ("04", "roles"),
    ("05", "finesse"),
    ("06", "availability"),
    ("07", "secrets"),
    ("08", "releases"),
    ("09", "project"),
];

impl Rule {
    /// The two digits of its area.
    #[must_use]
    pub fn area(&self) -> &'static str {
        self.code.get(4..6).unwrap_or("")
    }

    /// Whether its findings are what they are, whatever anybody says: there is nothing sound to build from what could not
    /// be read, and settings that are not understood cannot be followed.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        let reads = matches!(self.check, Check::Reading) || self.area() == "00";
        reads || matches!(self.name, "unknown-setting" | "unknown-rule")
    }
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// What was meant.
    pub model: &'a Model,
    /// How brokers are bridged, and who sits where when nothing has failed.
    pub network: &'a Network,
    /// The text, for fixes that depend on how it was written.
    pub sources: &'a Sources,
    /// Who listens at which address.
    pub addresses: &'a Addresses,
    /// How connectors and clients connect.
    pub dialled: &'a [Dialled<'a>],
}

mod bridges;
mod cluster;
mod crossing;
mod element_options;
mod place;

macro_rules! rules {
    ($($name:ident)*) => {
        $(pub(crate) mod $name;)*

        /// Every rule, by code.
        pub static RULES: &[&Rule] = &[$(&$name::RULE),*];
    };
}

mod broker_order;
pub(crate) mod dialled;

// The one list of rules. A new one is its two files and a line here.
rules! {
    syntax_error
    unknown_block
    unknown_field
    wrong_type
    duplicate_field
    missing_field
    nesting_too_deep
    file_too_large
    import_not_found
    import_cycle
    bad_encoding
    unknown_name
    ambiguous_name
    unmatched_override
    failover_on_listener
    discovery_on_listener
    unknown_listener_scheme
    unknown_listener_option
    port_collision
    listener_name_collision
    transport_not_in_distribution
    rebalance_without_update
    on_remove_without_update
    cluster_filter_matches_nothing
    published_host_unreachable
    inactivity_monitor_off
    plain_text_listener
    no_connection_limit
    frame_limit_below_message
    raw_xml_repeats_element
    bridge_needs_discovery
    static_list_to_pair
    bridge_never_rebuilt
    masterslave_needs_two
    wrong_priority_across_bridge
    ttl_below_hops
    cyclic_network
    double_bridge
    no_return_path
    temporary_replies_cross_bridge
    bridge_prefetch_zero
    option_on_the_agent
    ttl_fields_conflict
    client_id_collision
    stuck_after_return
    conduit_with_selectors
    advisories_off
    static_bridge_without_destinations
    queue_not_bridged
    bridge_credentials_missing
    bridge_handshake_bug
    slow_pair_bridge
    bridge_to_itself
    unknown_failover_option
    option_on_last_broker
    priority_backup_with_randomize
    no_fail_back
    unordered_priority_uris
    priority_uri_not_listed
    unknown_address
    protocol_mismatch
    single_broker_client
    slow_fail_back
    unlimited_startup
    send_may_block
    zero_attempts_meaning
    blank_in_uri
    order_overridden_by_broker
    overruled_option
    not_a_boolean
    equal_priorities
    standby_outranks_primary
    priority_out_of_range
    literal_site_order
    local_broker_not_first
    mode_member_count
    connector_in_no_deployment
    duplicate_name
    duplicate_broker_name
    broker_name_characters
    shared_store_not_a_pair
    pair_with_two_stores
    prefetch_starves_standby
    exclusive_at_127
    lock_keep_alive
    store_limit_over_disk
    store_limit_below_journal
    finesse_port
    same_finesse_twice
    forbidden_character
    plain_http_finesse
    insecure_xmpp_port
    finesse_order_not_local
    finesse_host_not_full
    mixed_finesse_deployments
    literal_password
    anonymous_broker
    default_credentials
    secret_file_in_xml
    no_sync_key
    admin_without_token
    certificate_without_key
    attribute_too_new
    removed_store
    vulnerable_release
    end_of_life_release
    unknown_setting
    unknown_rule
    expired_allow
    unused_allow
    allow_without_reason
}

/// A rule by its code or name.
#[must_use]
pub fn find(code_or_name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.code.eq_ignore_ascii_case(code_or_name) || rule.name == code_or_name)
}

/// What the parser could not read, as a finding.
#[must_use]
pub fn syntax(file: topoc_dsl::FileId, error: &topoc_dsl::syntax::SyntaxError) -> Diagnostic {
    syntax_error::read(file, error)
}

/// Where secrets stand in the files themselves.
pub(crate) fn literal_places(diagnostics: &[Diagnostic]) -> Vec<Loc> {
    let literal = |found: &&Diagnostic| found.rule.code == literal_password::RULE.code;
    diagnostics.iter().filter(literal).map(Diagnostic::primary).collect()
}

/// Runs every rule that looks at the model. Notes are not kept where they are only to be counted; how many those are.
pub(crate) fn run(context: &Context<'_>, counts_notes: bool, report: &mut Report) -> usize {
    use rayon::prelude::*;
    let found: Vec<(Report, usize)> = RULES
        .par_iter()
        .filter_map(|rule| match rule.check {
            Check::Model(check) => Some(check),
            Check::Reading | Check::Judging => None,
        })
        .map(|check| {
            let mut report = Report::default();
            check(context, &mut report);
            let all = report.diagnostics.len();
            if counts_notes {
                report.diagnostics.retain(|finding| finding.severity > Severity::Note);
            }
            report.diagnostics.shrink_to_fit();
            let counted = all - report.diagnostics.len();
            (report, counted)
        })
        .collect();
    report.diagnostics.reserve_exact(found.iter().map(|(found, _)| found.diagnostics.len()).sum());
    let counted = found.iter().map(|(_, counted)| counted).sum();
    report.diagnostics.extend(found.into_iter().flat_map(|(found, _)| found.diagnostics));
    counted
}
