//! The canonical layout, one small text per decision.

mod common;

/// A text and what it is formatted as.
struct Case {
    name: &'static str,
    before: &'static str,
    after: &'static str,
}

const CASES: &[Case] = &[
    Case { name: "an empty file stays empty", before: "", after: "" },
    Case { name: "blanks alone are nothing", before: " \n\r\n;\n", after: "" },
    Case { name: "one line end at the end", before: "a = 1\n\n\n", after: "a = 1\n" },
    Case {
        name: "a byte order mark and carriage returns go",
        before: "\u{feff}a = 1\r\nb = 2\r\n",
        after: "a = 1\nb = 2\n",
    },
    Case {
        name: "semicolons become line ends",
        before: "a; b = 1;; c { d = 1\n e = 2; f = 3 };",
        after: "\
a
b = 1
c {
  d = 1
  e = 2
  f = 3
}
",
    },
    Case {
        name: "fields beside each other are aligned",
        before: "site s {\nactivemq=1\nx   =  2\n\nlonger-name = 3\ny = 4\nb {}\nz = 5\n// c\nlonger = 6\n}",
        after: "\
site s {
  activemq = 1
  x        = 2

  longer-name = 3
  y           = 4
  b {}
  z = 5
  // c
  longer = 6
}
",
    },
    Case {
        name: "raw text is not aligned with",
        before: "a = \"\"\"x\n  y\"\"\"\nlong = 1\nb = 2",
        after: "a = \"\"\"x\n  y\"\"\"\nlong = 1\nb    = 2\n",
    },
    Case {
        name: "raw text is kept byte for byte",
        before: "a{\r\nraw-xml   \"\"\"\r\n <b/>  \n\t\"\"\"\r\n}",
        after: "a {\n  raw-xml \"\"\"\r\n <b/>  \n\t\"\"\"\n}\n",
    },
    Case {
        name: "one blank line at most",
        before: "\n\na\n\n\n\nb {\n\n  c\n  \t\n  d {\n   e\n }\n\n}\nf",
        after: "\
a

b {
  c

  d {
    e
  }
}
f
",
    },
    Case {
        name: "a block on one line stays there",
        before: "site  s{a=1;b  =[ x ,y ];c}\nt {}\nu {\n}\nv\n{ w }",
        after: "\
site s { a = 1; b = [x, y]; c }
t {}
u {}
v { w }
",
    },
    Case {
        name: "a nested block, a comment or raw text opens a block",
        before: "a { b { c = 1 } }\nd { e /* f */ }\ng { h \"\"\"i\"\"\" }",
        after: "\
a {
  b { c = 1 }
}
d {
  e  /* f */
}
g {
  h \"\"\"i\"\"\"
}
",
    },
    Case {
        name: "a list over lines has one element per line",
        before: "a = [ 1, 2,\n [3 , 4], [\n], [5\n] ]\nb = [ 1,2, ]\nc = [\n]",
        after: "\
a = [
  1,
  2,
  [3, 4],
  [],
  [
    5,
  ],
]
b = [1, 2]
c = []
",
    },
    Case {
        name: "comments stay with their elements",
        before: "a = [ // first\n 1, // one\n /* two */ 2 // also two\n /* rest */, 3\n // last\n]\nb = [1 /* one */]",
        after: "\
a = [
  // first
  1,  // one
  /* two */
  2,  // also two
  /* rest */
  3,
  // last
]
b = [
  1,  /* one */
]
",
    },
    Case {
        name: "comments in odd places move before their statement",
        before: "a /* b */ = /* c */ f(/* d */ 1)\nsite s // e\n{ g = 1 }\nh /* i */ j /* k */ { l = 1 }",
        after: "\
/* b */
/* c */
/* d */
a = f(1)
// e
site s { g = 1 }
/* i */
/* k */
h j { l = 1 }
",
    },
    Case {
        name: "comments behind a statement stay there, aligned with those beside them",
        before: "a = 1 // one\nlong = 22 //two\n\nb // three\nc { // four\n  d // five\n // six\n} // seven\n/* eight */ e = 1",
        after: "\
a    = 1   // one
long = 22  //two

b    // three
c {  // four
  d  // five
  // six
}  // seven
/* eight */
e = 1
",
    },
    Case {
        name: "a comment between two statements belongs to the second",
        before: "a = 1; /* b */ c = 2 /* d */; /* e */",
        after: "a = 1\n/* b */\nc = 2  /* d */ /* e */\n",
    },
    Case {
        name: "the lines of a comment are kept",
        before: "a {\n      /* one\r\n       * two */\n  }",
        after: "a {\n  /* one\n       * two */\n}\n",
    },
    Case {
        name: "arrows and commas",
        before: "bridge a<->b\nexpect a->b  ->c\nhandled a ,b,c",
        after: "bridge a <-> b\nexpect a -> b -> c\nhandled a, b, c\n",
    },
    Case {
        name: "values as typed",
        before: "a=\"x\\n\\u{41}\"\nb  =  -1.50ms\nc=$d\ne=secret ( \"env:X\",1 )\nproperty  \"k\"=site-1.x",
        after: "\
a            = \"x\\n\\u{41}\"
b            = -1.50ms
c            = $d
e            = secret(\"env:X\", 1)
property \"k\" = site-1.x
",
    },
];

#[test]
fn every_decision_of_the_layout() {
    for case in CASES {
        assert_eq!(topoc_dsl::format(case.before).as_deref(), Ok(case.after), "{}", case.name);
        common::check_parse(case.before);
        common::check_format(case.before);
    }
}

/// A hundred columns with the indentation, aligned keys and the comma of an inner list, and not one more.
#[test]
fn what_takes_more_than_100_columns_is_opened() {
    let shapes = [
        ("a { b = \"", "\" }\n"),
        ("a = [b, \"", "\"]\n"),
        ("a {\n  b = [\"", "\"]\n}\n"),
        ("a {\n  b    = [\"", "\"]\n  long = 1\n}\n"),
        ("a = [\n  [b, \"", "\"],\n]\n"),
    ];
    for (before, behind) in shapes {
        let line = before.lines().last().unwrap().len() + behind.lines().next().unwrap().len();
        let text = |columns: usize| format!("{before}{}{behind}", "é".repeat(columns - line));
        assert_eq!(topoc_dsl::format(&text(100)), Ok(text(100)));
        let opened = topoc_dsl::format(&text(101)).unwrap();
        assert!(opened.lines().count() > text(101).lines().count(), "{opened}");
        assert!(opened.lines().all(|line| line.chars().count() <= 100), "{opened}");
        common::check_format(&text(101));
    }
}

#[test]
fn a_file_with_errors_is_refused() {
    let errors = topoc_dsl::format("a = 1\nb = [1 2]\nc =").unwrap_err();
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(messages, ["a `,` is missing in this list", "`c` has no value"]);
}

/// The sample of the language's own documentation is canonical.
#[test]
fn a_whole_topology_stays_as_it_is() {
    let text = "\
topology contact-centre {
  activemq = \"6.2\"   // what the brokers run
  finesse  = \"12.6\"  // decides ports and endpoints
}

site site-1 {
  broker amq-1 {
    host = \"amq-1\"  // the name other machines reach it by
    listen openwire { port = 61616 }
    store kahadb { directory = \"/var/lib/activemq/amq-1\" }
  }
  finesse finesse-1 { host = \"finesse-1\" }
  connector gc-1 {
    brokers  = [amq-1, amq-2]  // order of preference
    finesse  = [finesse-1, finesse-2]
    priority = 127
    timeout  = 10s
  }
}

bridge amq-1 <-> amq-2

deployment main active-active { connectors = [gc-1, gc-2] }

scenario \"AMQ-1 is down while GC-1 is active\" {
  fail amq-1
  expect desktop-1 -> amq-2 -> gc-1
}
";
    assert_eq!(topoc_dsl::format(text).as_deref(), Ok(text));
}
