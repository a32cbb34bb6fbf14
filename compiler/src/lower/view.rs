//! A block as it counts: overlays first, then what it says itself, then the defaults in scope.

use super::{Item, Lower};
use crate::diagnostic::Loc;
use crate::language::{self, Kind, Place};
use crate::model::{Set, Setting, SettingValue, Settings, SiteId};
use crate::value::{self, Lets, Meaning, Written};
use std::borrow::Cow;
use std::cell::Cell;
use topoc_dsl::FileId;
use topoc_dsl::Span;
use topoc_dsl::syntax::{Statement, Tail, decode};

/// The statements of one body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer<'a> {
    pub(super) file: FileId,
    pub(super) text: &'a str,
    pub(super) statements: &'a [Statement],
    damaged: bool,
    /// From `{` to `}`.
    body: Span,
}

/// `override KIND NAME { ... }`
#[derive(Debug)]
pub(super) struct Override<'a> {
    pub(super) kind: Kind,
    pub(super) keyword: &'a str,
    pub(super) name: String,
    pub(super) at: Loc,
    pub(super) used: Cell<bool>,
    layer: Layer<'a>,
}

/// A block with everything that is laid over it.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) kind: Kind,
    layers: Vec<Layer<'a>>,
    /// A statement in the block itself could not be read.
    pub(super) damaged: bool,
    /// The block's own body.
    pub(super) body: Option<Loc>,
    /// What stands before its brace: `broker amq-1`.
    pub(super) header: &'a str,
}

impl<'a> Layer<'a> {
    pub(super) fn of(item: &Item<'a>) -> Option<Self> {
        let body = item.statement.body()?;
        Some(Self {
            file: item.file,
            text: item.text,
            statements: &body.statements,
            damaged: body.damaged,
            body: body.span,
        })
    }

    fn items(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        let layer = *self;
        layer.statements.iter().map(move |statement| Item { file: layer.file, text: layer.text, statement, site: None })
    }
}

impl<'a> Override<'a> {
    pub(super) fn read(item: &Item<'a>) -> Option<Self> {
        let keyword = item.word(0)?;
        let kind = language::block_of(keyword)?.kind;
        let name =
            item.word(1).map(|word| decode(word).map_or_else(|_| word.to_owned(), Cow::into_owned)).unwrap_or_default();
        Some(Self { kind, keyword, name, at: item.at(), used: Cell::new(false), layer: Layer::of(item)? })
    }

    fn matches(&self, kind: Kind, name: &str, site: Option<&str>) -> bool {
        let qualified = || {
            site.is_some_and(|site| self.name.strip_prefix(site).and_then(|rest| rest.strip_prefix('.')) == Some(name))
        };
        self.kind == kind && (self.name == name || qualified())
    }
}

impl<'a> View<'a> {
    /// A field by its name: the first layer that has it.
    pub(super) fn find(&self, name: &str) -> Option<Written<'a>> {
        self.layers.iter().find_map(|layer| {
            let statement = layer.statements.iter().find(|statement| {
                matches!(statement.tail, Tail::Value(_))
                    && statement.arguments.is_empty()
                    && !statement.broken
                    && statement.head.span.len() == name.len()
                    && statement.head.span.of(layer.text) == name
            })?;
            Some(Written { file: layer.file, text: layer.text, value: statement.value()? })
        })
    }

    /// Whether something in it means nothing, which may well be the field that seems to be missing.
    pub(super) fn has_unknown(&self) -> bool {
        self.layers.iter().flat_map(Layer::items).filter(|item| !item.statement.broken).any(|item| {
            let head = item.statement.head.text(item.text);
            match value_of(&item) {
                Some(_) => language::field(self.kind, head).is_none(),
                None => language::block_of(head).is_none() && language::form_of(head).is_none(),
            }
        })
    }

    /// The statements of all layers that start with `keyword`.
    pub(super) fn forms(&self, keyword: &'static str) -> impl Iterator<Item = Item<'a>> + use<'a, '_> {
        self.layers.iter().flat_map(Layer::items).filter(move |item| item.begins(keyword) && !item.statement.broken)
    }

    fn own_settings(&self, lets: &Lets<'a>) -> (Settings, bool) {
        let mut settings = Settings::new();
        let mut whole = true;
        for item in self.layers.iter().flat_map(Layer::items) {
            let Some(found) = value_of(&item) else { continue };
            let name = item.statement.head.text(item.text);
            let Some(field) = language::field(self.kind, name) else { continue };
            if field.place == Place::Own || settings.iter().any(|setting| setting.name == field.name) {
                continue;
            }
            match value::mean(found, field.ty, lets).ok().and_then(setting_value) {
                Some(value) => settings.push(Setting {
                    real: Cow::Borrowed(field.real),
                    name: Cow::Borrowed(&field.name),
                    place: field.place,
                    value,
                    at: Loc { file: item.file, span: item.statement.span },
                    value_at: found.at(),
                }),
                None => whole = false,
            }
        }
        (settings, whole)
    }

    fn dotted(&self, lets: &Lets<'a>) -> Settings {
        let mut settings = Settings::new();
        for item in self.layers.iter().flat_map(Layer::items) {
            let Some(found) = value_of(&item) else { continue };
            let name = item.statement.head.text(item.text);
            if settings.iter().any(|setting| setting.real == name) {
                continue;
            }
            let Some(value) = value::mean(found, language::Type::Loose, lets).ok().and_then(setting_value) else {
                continue;
            };
            settings.push(Setting {
                real: Cow::Owned(name.to_owned()),
                name: Cow::Owned(name.to_owned()),
                place: Place::Own,
                value,
                at: Loc { file: item.file, span: item.statement.span },
                value_at: found.at(),
            });
        }
        settings
    }
}

fn value_of<'a>(item: &Item<'a>) -> Option<Written<'a>> {
    let value = item.statement.value().filter(|_| item.statement.arguments.is_empty() && !item.statement.broken)?;
    Some(Written { file: item.file, text: item.text, value })
}

fn setting_value(meaning: Meaning<'_>) -> Option<SettingValue> {
    Some(match meaning {
        Meaning::Text(text) => SettingValue::Text(text.into_owned()),
        Meaning::Bool(value) => SettingValue::Bool(value),
        Meaning::Integer(value) => SettingValue::Integer(value),
        Meaning::Number(value) => SettingValue::Number(value),
        Meaning::Texts(texts) => {
            let texts: Vec<String> = texts.into_iter().map(|(_, text)| text).collect();
            SettingValue::Text(texts.join(","))
        }
        Meaning::Secret(secret) => SettingValue::Secret(secret),
        Meaning::Names(_) => return None,
    })
}

impl<'a> Lower<'a, '_> {
    /// A block of a topology or a site with all that is laid over it.
    pub(super) fn view(&mut self, kind: Kind, item: &Item<'a>, site: Option<SiteId>) -> View<'a> {
        let name = item.name().map(|name| name.value).unwrap_or_default();
        self.view_named(kind, item, site, &name)
    }

    /// The same for a block whose name is not what stands behind its keyword.
    pub(super) fn view_named(&mut self, kind: Kind, item: &Item<'a>, site: Option<SiteId>, name: &str) -> View<'a> {
        let own = Layer::of(item);
        let site_name = site.map(|site| self.model.site(site).name.value.as_str());
        let mut layers = Vec::with_capacity(1);
        for matching in self.overrides.iter().filter(|found| found.matches(kind, name, site_name)) {
            matching.used.set(true);
            layers.push(matching.layer);
        }
        layers.extend(own);
        self.lay_defaults(kind, site, &mut layers);
        View {
            kind,
            layers,
            damaged: own.is_some_and(|own| own.damaged),
            body: own.map(|own| Loc { file: own.file, span: own.body }),
            header: item.header(),
        }
    }

    fn lay_defaults(&self, kind: Kind, site: Option<SiteId>, layers: &mut Vec<Layer<'a>>) {
        if let Some(site) = site {
            layers.extend(self.site_defaults.get(&(site, kind)).into_iter().flatten());
        }
        layers.extend(self.defaults.get(&kind).into_iter().flatten());
    }

    /// The blocks of one kind inside a block. Those of an overlay are merged with the block's own of the same name.
    pub(super) fn children(&self, view: &View<'a>, kind: Kind, site: Option<SiteId>) -> Vec<(Item<'a>, View<'a>)> {
        let Some(spec) = language::spec(kind) else { return Vec::new() };
        let mut merged: Vec<(Item<'a>, View<'a>)> = Vec::new();
        for layer in &view.layers {
            let before = merged.len();
            for item in layer.items().filter(|item| item.begins(spec.keyword) && !item.statement.broken) {
                let Some(body) = Layer::of(&item) else { continue };
                let name = item.name().map(|name| name.value);
                // Two listeners of one name in one place are two, which a rule reports.
                let end = if kind == Kind::Listen { before } else { merged.len() };
                let earlier = merged.iter_mut().take(end);
                let same = earlier.into_iter().find(|(other, _)| other.name().map(|name| name.value) == name);
                match same {
                    Some((_, child)) => child.layers.push(body),
                    None => {
                        let at = Loc { file: body.file, span: body.body };
                        let (layers, header) = (vec![body], item.header());
                        let child = View { kind, layers, damaged: body.damaged, body: Some(at), header };
                        merged.push((item, child));
                    }
                }
            }
        }
        for (_, child) in &mut merged {
            self.lay_defaults(kind, site, &mut child.layers);
        }
        merged
    }

    /// Attributes and options of a block, from its fields.
    pub(super) fn settings(&mut self, view: &View<'a>) -> Settings {
        let (settings, whole) = view.own_settings(self.lets);
        self.model.incomplete |= !whole;
        settings
    }

    /// What its `options` block says.
    pub(super) fn options(&mut self, view: &View<'a>, site: Option<SiteId>) -> Settings {
        self.children(view, Kind::Options, site).iter().flat_map(|(_, options)| options.dotted(self.lets)).collect()
    }

    /// What its block of another kind says, where there is at most one.
    pub(super) fn child_settings(&mut self, view: &View<'a>, kind: Kind, site: Option<SiteId>) -> Settings {
        let children = self.children(view, kind, site);
        let mut settings = Settings::new();
        if children.is_empty() {
            let mut layers = Vec::new();
            self.lay_defaults(kind, site, &mut layers);
            let only_defaults = View { kind, layers, damaged: false, body: None, header: "" };
            settings.extend(self.settings(&only_defaults));
        }
        for (_, child) in children {
            settings.extend(self.settings(&child));
        }
        settings
    }

    /// The value of a form such as `property "KEY" = ...`.
    pub(super) fn form_text(&self, item: &Item<'a>) -> Option<Set<String>> {
        let written = value_of_form(item)?;
        match value::mean(written, language::Type::Loose, self.lets).ok().and_then(setting_value)? {
            SettingValue::Text(value) => Some(Set { value, at: written.at() }),
            other => Some(Set { value: other.to_string(), at: written.at() }),
        }
    }

    pub(super) fn form_secret(&self, item: &Item<'a>) -> Option<Set<value::Secret>> {
        let written = value_of_form(item)?;
        match value::mean(written, language::Type::Secret, self.lets) {
            Ok(Meaning::Secret(value)) => Some(Set { value, at: written.at() }),
            _ => None,
        }
    }
}

fn value_of_form<'a>(item: &Item<'a>) -> Option<Written<'a>> {
    Some(Written { file: item.file, text: item.text, value: item.statement.value()? })
}
