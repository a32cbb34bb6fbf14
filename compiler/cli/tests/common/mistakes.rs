//! Sound topologies with mistakes put in: one in each of some pairs of sites, drawn by a seed.

#[path = "../../benches/scale/generate.rs"]
mod generate;

/// Kind, what stands in a pair, what stands there instead; `#` is the pair's number. The first occurrence is meant.
pub const MISTAKES: &[(&str, &str, &str)] = &[
    ("missing-broker", "brokers  = [amq-#-a, amq-#-b]", "brokers  = [amq-#-a, amq-#-missing]"),
    ("misspelt-broker", "finesse  = [fin-#-a, fin-#-b]", "finesse  = [fin-#-a, fin-#-bb]"),
    ("misspelt-field", "priority = 127", "priorty = 127"),
    ("misspelt-block", "  connector gc-#-a", "  conector gc-#-a"),
    ("wrong-type", "priority = 127", "priority = \"high\""),
    ("wrong-unit", "timeout  = 10s", "timeout  = 10parsecs"),
    ("missing-port", "listen openwire { port = 61616 }", "listen openwire { }"),
    ("failover-on-listener", "{ port = 61616 }", "{ uri = \"failover:(tcp://amq-#-a.example.com:61616)\" }"),
    (
        "port-collision",
        "listen openwire { port = 61616 }",
        "listen openwire { port = 61616 }\n    listen second { port = 61616 }",
    ),
    ("equal-priorities", "priority = 100", "priority = 127"),
    ("priority-out-of-range", "priority = 127", "priority = 1270"),
    ("duplicate-field", "timeout  = 10s", "timeout  = 10s\n    timeout  = 20s"),
    ("duplicate-name", "finesse fin-#-b {", "finesse fin-#-a {"),
    ("double-bridge", "bridge amq-#-a <-> amq-#-b", "bridge amq-#-a <-> amq-#-b\nbridge amq-#-b <-> amq-#-a"),
    ("literal-password", "timeout  = 10s", "timeout  = 10s\n    user     = \"gc\"\n    password = \"secret\""),
    ("text-without-quotes", "host = \"amq-#-a.example.com\"", "host = amq-#-a.example.com"),
    ("brace-too-many", "  finesse fin-#-a {", "  finesse fin-#-a { {"),
];

/// Numbers that look like chance and are the same for the same seed (SplitMix64).
pub struct Chance(pub u64);

impl Chance {
    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }
}

/// A topology of so many pairs, about two thirds of which have a mistake, and the kinds of those.
pub fn topology(pairs: usize, seed: u64) -> (String, Vec<&'static str>) {
    let mut chance = Chance(seed);
    let mut text = generate::topology(2 * pairs);
    let mut kinds = Vec::new();
    // From the last on, so that places in front stay where they are.
    for pair in (0..pairs).rev() {
        if chance.below(3) == 0 {
            continue;
        }
        let (kind, old, new) = MISTAKES[chance.below(MISTAKES.len())];
        let named = |text: &str| text.replace('#', &pair.to_string());
        let start = text.find(&format!("site east-{pair} {{")).unwrap();
        let at = start + text[start..].find(&named(old)).unwrap_or_else(|| panic!("{kind}"));
        text.replace_range(at..at + named(old).len(), &named(new));
        kinds.push(kind);
    }
    (text, kinds)
}
