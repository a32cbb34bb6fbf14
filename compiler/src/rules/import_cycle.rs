//! TOPO0010 import-cycle: files that import each other.

use super::{Check, FixKind, Level, Rule};
use crate::diagnostic::{Diagnostic, Report};
use crate::sources::{Import, Sources};

pub(super) static RULE: Rule = Rule {
    code: "TOPO0010",
    name: "import-cycle",
    level: Level::Error,
    since: "0.1.0",
    fix: FixKind::None,
    summary: "files that import each other",
    page: include_str!("import_cycle.md"),
    check: Check::Reading,
};

/// Looks for files that import each other and reports each cycle once.
pub(crate) fn report(sources: &Sources, imports: &[Import], report: &mut Report) {
    let mut state = vec![State::New; sources.files.len()];
    for start in 0..sources.files.len() {
        walk(start, imports, &mut state, &mut |cycle| report.add(found(sources, cycle)));
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

/// Depth first, with a stack of its own: a chain of imports may be long.
fn walk(start: usize, imports: &[Import], state: &mut [State], found: &mut dyn FnMut(&[Import])) {
    if state.get(start) != Some(&State::New) {
        return;
    }
    let leaving = |file: usize| imports.iter().filter(move |import| import.from.0 as usize == file).copied().collect();
    let mut path: Vec<Import> = Vec::new();
    let mut stack: Vec<(usize, Vec<Import>)> = vec![(start, leaving(start))];
    state[start] = State::Open;
    while let Some((file, rest)) = stack.last_mut() {
        let Some(import) = rest.pop() else {
            state[*file] = State::Done;
            stack.pop();
            path.pop();
            continue;
        };
        let to = import.to.0 as usize;
        match state.get(to) {
            Some(State::New) => {
                state[to] = State::Open;
                path.push(import);
                stack.push((to, leaving(to)));
            }
            Some(State::Open) => {
                let first = path.iter().position(|step| step.from == import.to).unwrap_or(path.len());
                let mut cycle = path[first..].to_vec();
                cycle.push(import);
                found(&cycle);
            }
            _ => {}
        }
    }
}

fn found(sources: &Sources, cycle: &[Import]) -> Diagnostic {
    let name = |file| sources.file(file).map_or("", |source| source.path.as_str());
    let first = cycle.first().map(|import| import.from).unwrap_or_default();
    let steps: Vec<&str> = cycle.iter().map(|import| name(import.from)).chain([name(first)]).collect();
    let last = cycle.last().map(|import| import.at).unwrap_or_default();
    let mut diagnostic = Diagnostic::new(&RULE, last, format!("these files import each other: {}", steps.join(" -> ")))
        .here(format!("closes the circle to `{}`", name(first)))
        .help("remove one of the imports; every file of a topology sees every other, whoever imports it");
    for import in cycle.iter().take(cycle.len().saturating_sub(1)) {
        diagnostic = diagnostic.also(import.at, format!("`{}` is imported here", name(import.to)));
    }
    diagnostic
}
