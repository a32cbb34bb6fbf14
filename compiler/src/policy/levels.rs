//! Levels that are chosen for rules and areas: what a choice means, and which one wins.

use crate::diagnostic::Severity;
use crate::rules::{self, AREAS, RULES, Rule};
use std::fmt;

/// What a level is chosen for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Selector {
    /// Every rule of an area, by its digits.
    Area(&'static str),
    /// One rule.
    Rule(&'static Rule),
}

impl Selector {
    /// By code, name, or an area's digits or name.
    pub(super) fn find(text: &str) -> Option<Self> {
        let area = AREAS.iter().find(|(digits, name)| *digits == text || *name == text);
        let area = area.map(|(digits, _)| Selector::Area(digits));
        area.or_else(|| rules::find(text).map(Selector::Rule))
    }

    /// Whether no choice can change anything: see [`Rule::is_fixed`].
    pub(super) fn is_fixed(self) -> bool {
        match self {
            Selector::Area(area) => RULES.iter().filter(|rule| rule.area() == area).all(|rule| rule.is_fixed()),
            Selector::Rule(rule) => rule.is_fixed(),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::Area(area) => {
                f.write_str(AREAS.iter().find(|(digits, _)| digits == area).map_or("", |(_, name)| name))
            }
            Selector::Rule(rule) => f.write_str(rule.name),
        }
    }
}

/// A level for a rule or an area; none is `off`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    pub(super) selector: Selector,
    pub(super) level: Option<Severity>,
}

/// The choices of one table.
#[derive(Debug, Clone, Default)]
pub(super) struct Choices(Vec<Choice>);

impl Choices {
    pub(super) fn add(&mut self, choice: Choice) {
        self.0.push(choice);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was chosen for a rule: what is said of itself wins over what is said of its area.
    pub(super) fn of(&self, rule: &Rule) -> Option<Choice> {
        let chosen = |own: bool| {
            self.0.iter().rev().copied().find(|choice| match choice.selector {
                Selector::Rule(other) => own && other.code == rule.code,
                Selector::Area(area) => !own && area == rule.area(),
            })
        };
        chosen(true).or_else(|| chosen(false)).filter(|_| !rule.is_fixed())
    }
}
