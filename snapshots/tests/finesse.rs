//! How the machines of Finesse and of the connector go from phase to phase: their tables, drawn. That the machines keep to them is
//! tested in `runtime/finesse/proto/tests/` and `runtime/core/tests/connector/`.

#![expect(clippy::unwrap_used, reason = "writing to a string does not fail")]

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use topoc_core::connector;
use topoc_finesse_proto::{cluster, session};

/// Mermaid, which code hosts draw. What stops everything is left out.
fn drawing<P: Copy + Ord + Debug, C: Copy + Ord + Debug>(rows: &[(P, C, P)], first: P, stop: Option<C>) -> String {
    let mut arrows: BTreeMap<(P, P), Vec<String>> = BTreeMap::new();
    for (from, cause, to) in rows.iter().filter(|(_, cause, _)| Some(*cause) != stop) {
        arrows.entry((*from, *to)).or_default().push(words(*cause));
    }
    let mut text = format!("stateDiagram-v2\n  [*] --> {first:?}\n");
    for ((from, to), causes) in arrows {
        writeln!(text, "  {from:?} --> {to:?}: {}", causes.join(" / ")).unwrap();
    }
    text
}

/// `TooEarly` is `too early`.
fn words(cause: impl Debug) -> String {
    let name = format!("{cause:?}");
    let spaced = name.chars().enumerate().flat_map(|(place, letter)| {
        let space = (place > 0 && letter.is_uppercase()).then_some(' ');
        space.into_iter().chain(letter.to_lowercase())
    });
    spaced.collect()
}

#[test]
fn finesse_and_requests_go_from_phase_to_phase_as_their_tables_say() {
    let cluster = drawing(cluster::TRANSITIONS, cluster::Phase::New, Some(cluster::Cause::Stop));
    let session = drawing(session::TRANSITIONS, session::Phase::New, Some(session::Cause::Stop));
    let request = drawing(connector::TRANSITIONS, connector::Phase::New, None);
    insta::with_settings!({ snapshot_path => "../protocol", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("finesse-cluster-drawing", cluster);
        insta::assert_snapshot!("finesse-session-drawing", session);
        insta::assert_snapshot!("connector-request-drawing", request);
    });
}
