//! Syntax to model, model to diagnostics, model to artifacts. Pure: no files, no clock, no environment.

pub mod addresses;
pub mod assist;
pub mod destination;
pub mod diagnostic;
pub mod dialling;
pub mod dispatch;
pub mod emit;
pub mod kebab;
pub mod language;
pub mod loopback;
mod lower;
pub mod model;
pub mod network;
pub mod options;
pub mod policy;
pub mod release;
pub mod rules;
pub mod schema;
pub mod secrets;
mod shape;
pub mod sources;
pub mod suggest;
pub mod uri;
pub mod value;

use diagnostic::{Diagnostic, Report, Severity};
use model::Model;
use network::Network;
use sources::{Files, Sources};

/// Everything that is known of a topology after one look.
#[derive(Debug)]
pub struct Analysis {
    /// The files, in the order of their ids.
    pub sources: Sources,
    /// What was meant, as far as it could be read.
    pub model: Model,
    /// How brokers are bridged.
    pub network: Network,
    /// What is wrong, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// Notes that are not among them ([`Notes::Counted`]).
    pub counted: usize,
    /// Something could not be read: no judgement makes artifacts of it.
    unread: bool,
}

/// A model without errors: what artifacts are made of.
#[derive(Debug, Clone, Copy)]
pub struct CheckedModel<'a> {
    model: &'a Model,
    network: &'a Network,
}

impl<'a> CheckedModel<'a> {
    /// The model.
    #[must_use]
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// The network of its brokers.
    #[must_use]
    pub fn network(&self) -> &'a Network {
        self.network
    }
}

/// Reads `entry`, what it imports and `overlays`, and checks all of it.
#[must_use]
pub fn analyze(entry: &str, overlays: &[String], files: &dyn Files) -> Analysis {
    analyze_with(entry, overlays, files, Notes::Kept)
}

/// What becomes of notes. A large topology has more of them than of all else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notes {
    /// They are findings as any other.
    Kept,
    /// They are counted only, for somebody who is not shown them. Where a file has an `allow`, which has to know what it
    /// is for, they are kept all the same.
    Counted,
}

/// As [`analyze`], with notes as they are wanted.
#[must_use]
pub fn analyze_with(entry: &str, overlays: &[String], files: &dyn Files, notes: Notes) -> Analysis {
    analyze_again(Sources::default(), entry, overlays, files, notes)
}

/// As [`analyze_with`], after an earlier look: of files that are in `before` only what has changed is parsed and
/// looked at by itself. What is found is the same.
#[must_use]
pub fn analyze_again(before: Sources, entry: &str, overlays: &[String], files: &dyn Files, notes: Notes) -> Analysis {
    let mut report = Report::default();
    let mut sources = sources::load_again(before, entry, overlays, files, &mut report);
    let unread = report.has_errors();
    let lets = lower::lets(&sources, &mut report);
    // Neither needs the other's findings, and on two cores they cost the time of the longer one.
    let ((model, network, lowered), (shaped, passed)) = rayon::join(
        || {
            let mut lowered = Report::default();
            let model = lower::lower(&sources, &lets, unread, &mut lowered);
            let network = Network::of(&model);
            (model, network, lowered)
        },
        || shape::check(&sources, &lets),
    );
    drop(lets);
    for (source, passed) in sources.files.iter_mut().zip(passed) {
        source.tree.pass(passed);
    }
    report.diagnostics.extend(shaped);
    report.diagnostics.extend(lowered.diagnostics);
    let addresses = addresses::Addresses::of(&model);
    let dialled = rules::dialled::look(&model, &addresses);
    let context = rules::Context {
        model: &model,
        network: &network,
        sources: &sources,
        addresses: &addresses,
        dialled: &dialled,
    };
    let counts = notes == Notes::Counted && !policy::has_allows(&sources);
    let counted = rules::run(&context, counts, &mut report);
    drop(dialled);
    let mut diagnostics = report.diagnostics;
    sources.secrets = rules::literal_places(&diagnostics);
    diagnostic::sort(&mut diagnostics);
    let unread = diagnostics.iter().any(|found| found.rule.is_fixed() && found.severity == Severity::Error);
    Analysis { sources, model, network, diagnostics, counted, unread }
}

impl Analysis {
    /// The model, when nothing in it is an error: what could not be read always is one, the rest as it was judged.
    #[must_use]
    pub fn checked(&self) -> Option<CheckedModel<'_>> {
        let sound = !self.unread && self.diagnostics.iter().all(|found| found.severity != Severity::Error);
        sound.then_some(CheckedModel { model: &self.model, network: &self.network })
    }
}
