//! Which blocks exist, where, and which fields each has: the one table that the checker, `explain --fields`, hovering and
//! completion read.
//!
//! A block's fields come from three places: those written down in `fields.rs`, the attributes of the ActiveMQ element
//! that the block becomes, and the URI options of the place where it is dialled or listens.

mod fields;
mod words;

use crate::kebab::kebab;
use crate::options::{self, OptionSpec, OptionType};
use crate::schema::{self, AttrType};
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

pub use fields::OWN;

/// The kinds of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the keyword of the same name; `BLOCKS` says what it is")]
pub enum Kind {
    File,
    Topology,
    Site,
    Broker,
    Listen,
    Store,
    Queue,
    Limits,
    Users,
    User,
    Options,
    Pair,
    Finesse,
    Connector,
    Client,
    Failover,
    Bridge,
    Deployment,
    Scenario,
    Guarantee,
    Except,
    Defaults,
    Override,
}

/// What stands between a block's keyword and its brace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Nothing.
    None,
    /// A name.
    Name,
    /// A name or a text.
    NameOrText,
    /// A title in quotes.
    Title,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A name and one of these words.
    NameAndWord(&'static [&'static str]),
    /// `a -> b`, `a <-> b` or `a -> discovery "uri"`.
    Ends,
    /// The keyword of another block.
    Block,
    /// The keyword of another block, and the name of one.
    BlockAndName,
}

/// A kind of block.
#[derive(Debug)]
pub struct Block {
    /// Which.
    pub kind: Kind,
    /// The word it starts with.
    pub keyword: &'static str,
    /// What stands between the keyword and the brace.
    pub label: Label,
    /// The blocks it may stand in.
    pub within: &'static [Kind],
    /// One line of what it is.
    pub doc: &'static str,
    /// How one is written, for messages.
    pub example: &'static str,
}

/// Every kind of block.
pub static BLOCKS: &[Block] = &[
    block(
        Kind::Topology,
        "topology",
        Label::Name,
        &[Kind::File],
        "names the topology and what it runs on",
        "topology contact-centre { activemq = \"6.2\" }",
    ),
    block(Kind::Site, "site", Label::Name, &[Kind::File], "a place whose parts fail together", "site east { ... }"),
    block(
        Kind::Broker,
        "broker",
        Label::Name,
        &[Kind::Site],
        "an ActiveMQ broker",
        "broker amq-1 { host = \"amq-1\" }",
    ),
    block(
        Kind::Listen,
        "listen",
        Label::Name,
        &[Kind::Broker],
        "a transport connector of a broker",
        "listen openwire { port = 61616 }",
    ),
    block(
        Kind::Store,
        "store",
        Label::Word(STORES),
        &[Kind::Broker],
        "where a broker keeps messages",
        "store kahadb { directory = \"/var/lib/activemq\" }",
    ),
    block(
        Kind::Queue,
        "queue",
        Label::NameOrText,
        &[Kind::Broker],
        "the policy of one queue or a pattern of queues",
        "queue \"GC.REQUESTS\" { }",
    ),
    block(
        Kind::Limits,
        "limits",
        Label::None,
        &[Kind::Broker],
        "how much memory and disk a broker may use",
        "limits { memory = 512MiB }",
    ),
    block(
        Kind::Users,
        "users",
        Label::None,
        &[Kind::Broker],
        "who may connect to a broker",
        "users { user gc { password = secret(\"env:GC_PASSWORD\") } }",
    ),
    block(
        Kind::User,
        "user",
        Label::NameOrText,
        &[Kind::Users],
        "one user of a broker",
        "user gc { password = secret(\"env:GC_PASSWORD\") }",
    ),
    block(
        Kind::Options,
        "options",
        Label::None,
        &[Kind::Broker, Kind::Listen, Kind::Store, Kind::Connector, Kind::Client, Kind::Bridge],
        "dotted options under their real names",
        "options { \"wireFormat.maxFrameSize\" = 104857600 }",
    ),
    block(
        Kind::Pair,
        "pair",
        Label::Name,
        &[Kind::File, Kind::Site],
        "a master and a slave on one shared store",
        "pair hub { master = hub-a; slave = hub-b }",
    ),
    block(
        Kind::Finesse,
        "finesse",
        Label::Name,
        &[Kind::Site],
        "a Cisco Finesse node",
        "finesse finesse-1 { host = \"finesse-1\" }",
    ),
    block(
        Kind::Connector,
        "connector",
        Label::Name,
        &[Kind::Site],
        "takes agents' requests off a queue and drives Finesse",
        "connector gc-1 { brokers = [amq-1, amq-2]; finesse = [finesse-1] }",
    ),
    block(
        Kind::Client,
        "client",
        Label::Name,
        &[Kind::Site],
        "an application that sends requests",
        "client desktop-1 { brokers = [amq-1, amq-2] }",
    ),
    block(
        Kind::Failover,
        "failover",
        Label::None,
        &[Kind::Connector, Kind::Client],
        "options of the failover transport",
        "failover { max-reconnect-delay = 500ms }",
    ),
    block(
        Kind::Bridge,
        "bridge",
        Label::Ends,
        &[Kind::File, Kind::Site],
        "a network connector between brokers",
        "bridge amq-1 <-> amq-2",
    ),
    block(
        Kind::Deployment,
        "deployment",
        Label::NameAndWord(MODES),
        &[Kind::File],
        "connectors that stand in for each other",
        "deployment main active-active { connectors = [gc-1, gc-2] }",
    ),
    block(
        Kind::Scenario,
        "scenario",
        Label::Title,
        &[Kind::File],
        "events and who handles requests after them",
        "scenario \"AMQ-1 is down\" { fail amq-1; expect desktop-1 -> amq-2 -> gc-1 }",
    ),
    block(
        Kind::Guarantee,
        "guarantee",
        Label::Word(GUARANTEES),
        &[Kind::File],
        "what must hold whatever fails",
        "guarantee every-request-handled { survives = 1 }",
    ),
    block(
        Kind::Except,
        "except",
        Label::None,
        &[Kind::Guarantee],
        "failures that a guarantee need not survive",
        "except { fail amq-1, amq-2 }",
    ),
    block(
        Kind::Defaults,
        "defaults",
        Label::Block,
        &[Kind::File, Kind::Site],
        "values for every such block in scope",
        "defaults connector { timeout = 10s }",
    ),
    block(
        Kind::Override,
        "override",
        Label::BlockAndName,
        &[Kind::File],
        "in an overlay: fields that replace those of one block",
        "override broker amq-1 { host = \"127.0.0.1\" }",
    ),
];

/// Kinds of stores.
pub const STORES: &[&str] = &["kahadb", "jdbc", "memory", "leveldb"];
/// Modes of deployments (000_f205e67ac5b4ee75.txt).
pub const MODES: &[&str] = &["simplex", "active-passive", "active-active"];
/// Guarantees that can be asked for.
pub const GUARANTEES: &[&str] =
    &["every-request-handled", "one-handler-per-agent", "handled-locally", "replies-return", "no-stuck-requests"];
/// Statements of a scenario that are events.
pub const EVENTS: &[&str] = &["fail", "restore", "hang", "cut", "heal", "out-of-service", "settle"];

/// A statement that is neither a block nor a field.
#[derive(Debug)]
pub struct Form {
    /// The word it starts with.
    pub keyword: &'static str,
    /// The blocks it may stand in.
    pub within: &'static [Kind],
    /// How it is written.
    pub example: &'static str,
    /// One line of what it does.
    pub doc: &'static str,
}

/// Every statement that is neither a block nor a field.
pub static FORMS: &[Form] = &[
    form("import", &[Kind::File], "import \"east.topo\"", "reads another file as part of this topology"),
    form("let", &[Kind::File], "let fast = 500ms", "a value with a name, used as `$fast`"),
    form("property", &[Kind::Connector, Kind::Client], "property \"KEY\" = \"value\"", "a property that has no field"),
    form("address", &[Kind::Listen], "address from east = \"proxy:7001\"", "how one site reaches this listener"),
    form("raw-xml", &[Kind::Broker], "raw-xml \"\"\"<plugins/>\"\"\"", "XML put into the broker element as it is"),
    form("fail", &[Kind::Scenario, Kind::Except], "fail amq-1, gc-1", "these stop"),
    form("restore", &[Kind::Scenario], "restore amq-1", "these start again"),
    form("hang", &[Kind::Scenario], "hang amq-1", "it accepts and answers nothing"),
    form("cut", &[Kind::Scenario, Kind::Except], "cut site-1 <-> site-2", "the link between two is down"),
    form("heal", &[Kind::Scenario], "heal site-1 <-> site-2", "the link between two is up again"),
    form("out-of-service", &[Kind::Scenario], "out-of-service finesse-1", "a Finesse node reports OUT_OF_SERVICE"),
    form("settle", &[Kind::Scenario], "settle before fail-back", "looks before anything has failed back"),
    form("expect", &[Kind::Scenario], "expect desktop-1 -> amq-2 -> gc-1", "the path of a client's request"),
];

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Type {
    /// Text in quotes.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// A whole number in this range; durations (as milliseconds) and sizes (as bytes) are taken where ActiveMQ counts them.
    Integer(i64, i64),
    /// A number with or without a fraction.
    Number,
    /// A duration with its unit. With `true` also `-1`, for no limit.
    Duration(bool),
    /// A size with its unit, or bytes.
    Size,
    /// 1 to 65535.
    Port,
    /// An IP address and a port.
    Socket,
    /// A list of texts, or one text.
    Texts,
    /// A list of names of things of these kinds, or one.
    Refs(&'static [Kind]),
    /// The name of one thing of these kinds.
    Ref(&'static [Kind]),
    /// `secret("env:NAME")` or `secret("file:PATH")`; a text is a literal secret, which a rule refuses.
    Secret,
    /// A release: `"6.2"`, `"5.17.6"`.
    Release,
    /// A raw URI.
    Uri,
    /// Whatever ActiveMQ takes as text: a text, a boolean, a number, a size or a duration.
    Loose,
}

/// Where a field ends up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// topoc's own: decides what is written.
    Own,
    /// An attribute of the element that the block becomes.
    Attribute(&'static str),
    /// An option of the listener's URI.
    ServerOption,
    /// An option of the failover URI.
    FailoverOption,
}

/// A field of a kind of block.
#[derive(Debug, Clone)]
pub struct Field {
    /// As it is written in a topology.
    pub name: String,
    /// ActiveMQ's name for it, or nothing where topoc's field has no counterpart.
    pub real: &'static str,
    /// What values it takes.
    pub ty: Type,
    /// What holds when it is not written, in words.
    pub default: &'static str,
    /// Where it ends up.
    pub place: Place,
    /// Whether a block without it is refused.
    pub required: bool,
    /// One line of what it is.
    pub doc: &'static str,
}

/// A field that is written down here, in a constant.
#[derive(Debug, Clone, Copy)]
pub struct OwnField {
    /// The block it belongs to.
    pub kind: Kind,
    /// As it is written in a topology.
    pub name: &'static str,
    /// ActiveMQ's name for it, or nothing.
    pub real: &'static str,
    /// What values it takes.
    pub ty: Type,
    /// What holds when it is not written.
    pub default: &'static str,
    /// Whether a block without it is refused.
    pub required: bool,
    /// One line of what it is.
    pub doc: &'static str,
}

/// The fields of one kind of block, by name.
pub type Fields = FxHashMap<String, Field>;

/// By [`Kind`] as a number.
static FIELDS: LazyLock<Vec<Fields>> = LazyLock::new(|| {
    let mut fields = vec![Fields::default(); Kind::Override as usize + 1];
    for block in BLOCKS {
        fields[block.kind as usize] = fields_of(block.kind);
    }
    fields
});

/// The fields of a kind of block. A store has those of all kinds of stores; `store_fields` tells them apart.
#[must_use]
pub fn fields(kind: Kind) -> &'static Fields {
    &FIELDS[kind as usize]
}

/// One field by its name.
#[must_use]
pub fn field(kind: Kind, name: &str) -> Option<&'static Field> {
    fields(kind).get(name)
}

/// A kind of block by its keyword.
#[must_use]
pub fn block_of(keyword: &str) -> Option<&'static Block> {
    BLOCKS.iter().find(|block| block.keyword == keyword)
}

/// What is known of a kind of block.
#[must_use]
pub fn spec(kind: Kind) -> Option<&'static Block> {
    BLOCKS.iter().find(|block| block.kind == kind)
}

/// A statement form by its keyword.
#[must_use]
pub fn form_of(keyword: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.keyword == keyword)
}

/// The keywords that may start a statement in a block: blocks and forms.
pub fn keywords(within: Kind) -> impl Iterator<Item = &'static str> {
    let blocks = BLOCKS.iter().filter(move |block| block.within.contains(&within)).map(|block| block.keyword);
    let forms = FORMS.iter().filter(move |form| form.within.contains(&within)).map(|form| form.keyword);
    blocks.chain(forms)
}

/// The ActiveMQ elements whose attributes are fields of a kind of block.
#[must_use]
pub fn elements(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Broker => &["broker"],
        Kind::Listen => &["transportConnector", "publishedAddressPolicy"],
        Kind::Store => &["kahaDB", "jdbcPersistenceAdapter", "levelDB", "shared-file-locker", "lease-database-locker"],
        Kind::Queue => &["policyEntry", "conditionalNetworkBridgeFilterFactory"],
        Kind::Bridge => &["networkConnector"],
        _ => &[],
    }
}

fn fields_of(kind: Kind) -> Fields {
    let mut fields = Fields::default();
    for own in OWN.iter().filter(|own| own.kind == kind) {
        let field = Field {
            name: own.name.to_owned(),
            real: own.real,
            ty: own.ty,
            default: own.default,
            place: own_place(kind, own),
            required: own.required,
            doc: own.doc,
        };
        fields.insert(field.name.clone(), field);
    }
    for element in elements(kind).iter().filter_map(|name| schema::element(name)) {
        for attribute in schema::user_attributes(element) {
            let field = attribute_field(element.name, attribute.name, attribute.ty);
            fields.entry(field.name.clone()).or_insert(field);
        }
    }
    let (options, place) = match kind {
        Kind::Listen => (options::SERVER_OPTIONS, Place::ServerOption),
        Kind::Failover => (options::FAILOVER, Place::FailoverOption),
        _ => (&[][..], Place::Own),
    };
    for option in options.iter().filter(|option| !option.name.contains(['.', '*'])) {
        let field = option_field(option, place);
        fields.entry(field.name.clone()).or_insert(field);
    }
    fields
}

/// Fields written down by hand that are attributes all the same.
fn own_place(kind: Kind, own: &OwnField) -> Place {
    let known = |element: &&&'static str| {
        schema::element(element)
            .is_some_and(|found| found.attributes.iter().any(|attribute| attribute.name == own.real))
    };
    // The lock belongs to the locker inside the store's element, whatever the store is.
    if own.real == "lockAcquireSleepInterval" {
        return Place::Attribute("shared-file-locker");
    }
    match elements(kind).iter().find(known) {
        Some(element) if !own.real.is_empty() => Place::Attribute(element),
        _ => Place::Own,
    }
}

fn attribute_field(element: &'static str, name: &'static str, ty: AttrType) -> Field {
    let ty = match ty {
        AttrType::Text if fields::is_boolean(element, name) => Type::Bool,
        AttrType::Boolean => Type::Bool,
        AttrType::Integer => Type::Integer(i32::MIN as i64, i32::MAX as i64),
        AttrType::Long => Type::Integer(i64::MIN, i64::MAX),
        AttrType::Short => Type::Integer(i16::MIN as i64, i16::MAX as i64),
        AttrType::Float | AttrType::Double => Type::Number,
        AttrType::Text | AttrType::Id => Type::Loose,
    };
    let documented = fields::attribute_doc(element, name);
    Field {
        name: kebab(name),
        real: name,
        ty,
        default: documented.map_or("ActiveMQ's own", |(default, _)| default),
        place: Place::Attribute(element),
        required: false,
        doc: documented.map_or("", |(_, doc)| doc),
    }
}

fn option_field(option: &'static OptionSpec, place: Place) -> Field {
    let unlimited = option.default == "-1";
    let ty = match option.ty {
        OptionType::Boolean => Type::Bool,
        OptionType::Millis => Type::Duration(unlimited),
        OptionType::Bytes => Type::Size,
        OptionType::Integer => Type::Integer(i32::MIN as i64, i64::MAX),
        OptionType::Number => Type::Number,
        OptionType::UriList | OptionType::Regexes => Type::Texts,
        OptionType::Url | OptionType::Text => Type::Text,
    };
    Field {
        name: kebab(option.name),
        real: option.name,
        ty,
        default: option.default,
        place,
        required: false,
        doc: option.doc,
    }
}

const fn block(
    kind: Kind,
    keyword: &'static str,
    label: Label,
    within: &'static [Kind],
    doc: &'static str,
    example: &'static str,
) -> Block {
    Block { kind, keyword, label, within, doc, example }
}

const fn form(keyword: &'static str, within: &'static [Kind], example: &'static str, doc: &'static str) -> Form {
    Form { keyword, within, example, doc }
}
