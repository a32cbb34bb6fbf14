//! Whatever a file holds, the real program says what is wrong with it: it never panics, hangs or touches the file. `--nocapture`
//! shows the time of each run.
#![expect(clippy::print_stdout, reason = "how long each run takes is worth seeing")]
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// No run of a debug build takes this long on an idle machine by far: who does hangs.
const DEADLINE: Duration = Duration::from_secs(120);

const CLEAN: i32 = 0;
const FINDINGS: i32 = 1;
const FAILED: i32 = 2;

const TOPOLOGY: &str = "topology t { activemq = \"6.2\" }\n";
const SOUND: &str = "topology t { activemq = \"6.2\" }\nsite east {\n  broker amq-1 {\n    host = \"amq-1\"\n    listen openwire { port = 61616 }\n    users { user gc { password = secret(\"env:GC_PASSWORD\") } }\n  }\n}\n";

/// What a run did.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    time: Duration,
}

/// Runs the real program in a folder. Its output goes to files: nobody has to empty a pipe meanwhile.
fn run(folder: &Path, arguments: &[&str]) -> Ran {
    let streams = tempfile::tempdir().unwrap();
    let (stdout, stderr) = (streams.path().join("stdout"), streams.path().join("stderr"));
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_topoc"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .stdout(File::create(&stdout).unwrap())
        .stderr(File::create(&stderr).unwrap())
        .spawn()
        .unwrap();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > DEADLINE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("topoc {arguments:?} runs for more than {DEADLINE:?}");
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let read = |path| String::from_utf8(fs::read(path).unwrap()).unwrap();
    Ran { code: status.code(), stdout: read(&stdout), stderr: read(&stderr), time: start.elapsed() }
}

/// What a verb must do: its exit code, and what it must say.
type Said<'a> = (i32, &'a str);

/// Runs every verb on `path` and looks at what each says and leaves.
fn verbs(situation: &str, folder: &Path, path: &str, check: Said<'_>, fmt: Said<'_>) {
    let before = fs::symlink_metadata(folder.join(path)).ok().filter(fs::Metadata::is_file);
    let before = before.and_then(|_| fs::read(folder.join(path)).ok());
    let human = expect(situation, run(folder, &["check", path]), "check", check);
    assert_eq!(human.stdout.is_empty(), check.0 == FAILED, "{situation}: a report, or a failure on stderr");
    let json =
        expect(situation, run(folder, &["check", path, "--format", "json"]), "check --format json", (check.0, ""));
    if check.0 != FAILED {
        let report: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON and nothing else");
        assert_eq!(report["summary"]["errors"] != 0, check.0 == FINDINGS, "{situation}");
    }
    let said = if check.0 == CLEAN { "written" } else { check.1 };
    let out = tempfile::tempdir_in(folder).unwrap();
    let dist = out.path().join("dist");
    let build = run(folder, &["build", path, "--out", dist.to_str().unwrap()]);
    let build = expect(situation, build, "build", (check.0, said));
    if check.0 != CLEAN {
        assert_eq!(build.stdout, "", "{situation}");
        assert!(!dist.exists(), "{situation}: something was written");
    }
    let formatted = expect(situation, run(folder, &["fmt", path]), "fmt", fmt);
    if fmt.0 == FAILED {
        assert_eq!(formatted.stdout, "", "{situation}");
        assert!(before.is_none_or(|bytes| fs::read(folder.join(path)).unwrap() == bytes), "{situation}: fmt wrote");
    }
}

#[track_caller]
fn expect(situation: &str, ran: Ran, verb: &str, (code, said): Said<'_>) -> Ran {
    println!("{:6.2} s  {verb:19} {situation}", ran.time.as_secs_f64());
    let start = |text: &str| text.chars().take(2000).collect::<String>();
    let shown = format!(
        "{situation}: {verb}: {:?}\n--- stdout\n{}\n--- stderr\n{}",
        ran.code,
        start(&ran.stdout),
        start(&ran.stderr)
    );
    assert_eq!(ran.code, Some(code), "{shown}");
    assert!(ran.stdout.contains(said) || ran.stderr.contains(said), "no {said:?} in {shown}");
    assert!(!ran.stderr.contains("panicked"), "{shown}");
    ran
}

/// A file with these bytes, alone in its folder.
fn bytes(situation: &str, bytes: &[u8], check: Said<'_>, fmt: Said<'_>) {
    files(situation, &[("main.topo", bytes)], check, fmt);
}

fn text(situation: &str, text: &str, check: Said<'_>, fmt: Said<'_>) {
    bytes(situation, text.as_bytes(), check, fmt);
}

/// A topology of several files, the first of which is the entry.
fn files(situation: &str, files: &[(&str, &[u8])], check: Said<'_>, fmt: Said<'_>) {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        fs::write(folder.path().join(path), bytes).unwrap();
    }
    verbs(situation, folder.path(), files[0].0, check, fmt);
}

/// `count` lines, each made of its number.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut all, n| {
        writeln!(all, "{}", line(n)).unwrap();
        all
    })
}

/// Bytes without any order, the same in every run (xorshift).
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..count).map(|_| next()).collect()
}

const MIB: usize = 1024 * 1024;

/// Well-formed statements with long comments: a file that somebody could have.
fn of_size(size: usize) -> String {
    let mut all = SOUND.to_owned();
    let comment = "// why this broker is here\n".repeat(3000);
    let mut n = 0;
    while all.len() + comment.len() + 200 < size {
        writeln!(
            all,
            "{comment}site s-{n} {{ broker b-{n} {{ host = \"b-{n}\"; listen openwire {{ port = 61616 }} }} }}"
        )
        .unwrap();
        n += 1;
    }
    all.push_str(&"\n".repeat(size - all.len()));
    all
}

#[test]
fn nothing_to_read() {
    let folder = |name: &str| -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), "").unwrap();
        folder
    };
    let at = folder("x");
    verbs(
        "no such file",
        at.path(),
        "main.topo",
        (FAILED, "there is no file `main.topo`"),
        (FAILED, "there is no file"),
    );
    fs::create_dir(at.path().join("main.topo")).unwrap();
    verbs("a folder", at.path(), "main.topo", (FAILED, "no `.topo` file in `main.topo`"), (FAILED, "no `.topo` file"));
    let path = "/dev/zero";
    verbs(
        "a device",
        at.path(),
        path,
        (FAILED, "is a device, pipe or socket"),
        (FAILED, "is a device, pipe or socket"),
    );
}

#[test]
#[cfg(unix)]
fn unreadable() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.topo");
    fs::write(&path, SOUND).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let refused = File::open(&path).is_err();
    // Who may read everything reads this too.
    let said = if refused { (FAILED, "may not be read by this user") } else { (CLEAN, "") };
    verbs("without permission", folder.path(), "main.topo", said, said);
    symlink("nowhere", folder.path().join("dangling.topo")).unwrap();
    let said = (FAILED, "there is no file `dangling.topo`");
    verbs("a link to nothing", folder.path(), "dangling.topo", said, said);
    symlink("loop.topo", folder.path().join("loop.topo")).unwrap();
    let said = (FAILED, "cannot read `loop.topo`");
    verbs("a link to itself", folder.path(), "loop.topo", said, said);
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe.topo")).status().unwrap().success());
    let said = (FAILED, "is a device, pipe or socket");
    verbs("a pipe without a writer", folder.path(), "pipe.topo", said, said);
    for (import, why) in [
        ("pipe.topo", "device, pipe or socket"),
        ("/dev/zero", "device, pipe or socket"),
        ("dangling.topo", "there is no file"),
        ("loop.topo", "`loop.topo`"),
        ("..", "folder"),
    ] {
        fs::write(folder.path().join("entry.topo"), format!("import \"{import}\"\n{SOUND}")).unwrap();
        verbs(&format!("an import of {import}"), folder.path(), "entry.topo", (FINDINGS, why), (CLEAN, ""));
    }
}

#[test]
fn no_text_or_odd_text() {
    let crlf = SOUND.replace('\n', "\r\n");
    let misspelt = SOUND.replace("port", "prt");
    bytes("empty", b"", (FINDINGS, "missing-field"), (CLEAN, ""));
    bytes("blanks and a byte order mark", "\u{feff}\r\n \t".as_bytes(), (FINDINGS, "missing-field"), (CLEAN, ""));
    bytes("random bytes", &noise(4096), (FINDINGS, "is not UTF-8: byte"), (FAILED, "is not UTF-8"));
    bytes("a megabyte of random bytes", &noise(MIB), (FINDINGS, "is not UTF-8: byte"), (FAILED, "is not UTF-8"));
    bytes("UTF-16", b"\xff\xfes\0i\0t\0e\0", (FINDINGS, "is not UTF-8: byte 0"), (FAILED, "is not UTF-8"));
    bytes(
        "a program",
        &fs::read(env!("CARGO_BIN_EXE_topoc")).unwrap()[..65536],
        (FINDINGS, "is not UTF-8"),
        (FAILED, "is not UTF-8"),
    );
    bytes("bytes of zero", &[0; 5000], (FINDINGS, "syntax-error"), (FAILED, "syntax-error"));
    text(
        "a zero in a name",
        &SOUND.replace("amq-1 {", "amq\0-1 {"),
        (FINDINGS, "syntax-error"),
        (FAILED, "syntax-error"),
    );
    text(
        "a zero in a text",
        &SOUND.replace("\"amq-1\"", "\"amq\0-1\""),
        (FINDINGS, "U+0000, which no XML"),
        (CLEAN, ""),
    );
    text("carriage returns", &crlf, (CLEAN, "notes in 1 file"), (CLEAN, "main.topo"));
    text(
        "carriage returns and a slip",
        &misspelt.replace('\n', "\r\n"),
        (FINDINGS, "main.topo:5:23"),
        (CLEAN, "main.topo"),
    );
    text("lone carriage returns", &SOUND.replace('\n', "\r"), (FINDINGS, "error"), (FAILED, "error"));
    text("a byte order mark", &format!("\u{feff}{SOUND}"), (CLEAN, "notes in 1 file"), (CLEAN, ""));
    text(
        "two byte order marks",
        &format!("\u{feff}\u{feff}{SOUND}"),
        (FINDINGS, "syntax-error"),
        (FAILED, "syntax-error"),
    );
    let passwd = b"root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n";
    let main = format!("import \"passwd\"\n{SOUND}");
    files(
        "an import of no topology",
        &[("main.topo", main.as_bytes()), ("passwd", passwd)],
        (FINDINGS, "passwd:1:"),
        (CLEAN, ""),
    );
}

#[test]
fn thirty_one_mib_of_a_topology() {
    text("31 MiB of a topology", &of_size(31 * MIB), (CLEAN, "notes in 1 file"), (CLEAN, "formatted"));
}

#[test]
fn thirty_one_mib_of_garbage() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("main.topo"), "}{ = \" ]\n".repeat(31 * MIB / 9)).unwrap();
    let situation = "31 MiB of garbage";
    let check = run(folder.path(), &["check", "--max", "0", "--format", "short"]);
    expect(situation, check, "check --format short", (FINDINGS, "more than 10000 syntax errors in this file"));
    expect(situation, run(folder.path(), &["fmt"]), "fmt", (FAILED, "was left as it is"));
}

#[test]
fn too_large() {
    let said = (FINDINGS, "files of up to 32 MiB are read");
    text("33 MiB of a topology", &of_size(33 * MIB), said, (FAILED, "the limit is 32 MiB"));
    let main = format!("import \"large.topo\"\n{SOUND}");
    let large = vec![b'\n'; 33 * MIB];
    files("an import of 33 MiB", &[("main.topo", main.as_bytes()), ("large.topo", &large)], said, (CLEAN, ""));
}

#[test]
fn nesting() {
    let deep = (FINDINGS, "nesting-too-deep");
    let deep_fmt = (FAILED, "64");
    text("10,000 nested braces", &("a {".repeat(10_000) + &"}".repeat(10_000)), (FINDINGS, "64"), deep_fmt);
    text("10,000 bare braces", &"{".repeat(10_000), deep, deep_fmt);
    text("10,000 closing braces", &"}".repeat(10_000), (FINDINGS, "syntax-error"), (FAILED, "syntax-error"));
    text(
        "10,000 nested lists",
        &format!("let a = {}{}", "[".repeat(10_000), "]".repeat(10_000)),
        (FINDINGS, "64"),
        deep_fmt,
    );
    text(
        "10,000 nested calls",
        &format!("let a = {}{}", "b(".repeat(10_000), ")".repeat(10_000)),
        (FINDINGS, "64"),
        deep_fmt,
    );
    text("1,000 unclosed blocks in one line", &"site s {".repeat(1000), (FINDINGS, "error"), (FAILED, "error"));
    text(
        "1,000 unclosed blocks, one a line",
        &lines(1000, |n| format!("site s-{n} {{")),
        (FINDINGS, "error"),
        (FAILED, "error"),
    );
    let inner = lines(1000, |n| format!("site s-{n} {{\n  broker b-{n} {{\n    host = \"b\"\n}}"));
    text("1,000 sites, each with a brace too few", &inner, (FINDINGS, "error"), (FAILED, "error"));
    text(
        "an endless text",
        &format!("{SOUND}let a = \"{}", "x\n".repeat(100_000)),
        (FINDINGS, "error"),
        (FAILED, "error"),
    );
    text("an endless comment", &format!("{SOUND}/*{}", "x\n".repeat(100_000)), (FINDINGS, "error"), (FAILED, "error"));
}

#[test]
fn long_lines() {
    let whole: String = (0..12_000).fold(String::new(), |mut all, n| {
        write!(all, "; site s-{n} {{ broker b-{n} {{ host = \"b-{n}\"; listen openwire {{ prt = 61616 }} }} }}")
            .unwrap();
        all
    });
    assert!(whole.len() > 900_000);
    text(
        "a line of 1 MB",
        &(TOPOLOGY.trim_end().to_owned() + &whole),
        (FINDINGS, "unknown-field"),
        (CLEAN, "main.topo"),
    );
    text("a million semicolons", &";".repeat(1_000_000), (FINDINGS, "missing-field"), (CLEAN, ""));
    text("a word of 1 MB", &"a".repeat(1_000_000), (FINDINGS, "error"), (CLEAN, ""));
    text(
        "a text of 1 MB",
        &SOUND.replace("\"amq-1\"", &format!("\"{}\"", "a".repeat(1_000_000))),
        (CLEAN, ""),
        (CLEAN, ""),
    );
    let long = "n".repeat(10_000);
    let named = SOUND.replace("amq-1 {", &format!("{long} {{")) + &format!("bridge {long} -> {long}x\n");
    text("names of 10,000 characters", &named, (FINDINGS, "unknown-name"), (CLEAN, ""));
}

#[test]
fn many_blocks_of_one_name() {
    for (count, block, one) in [
        (100_000, "sites", "site s { }"),
        (20_000, "topologies", "topology t { activemq = \"6.2\" }"),
        (20_000, "deployments", "deployment d simplex { connectors = [] }"),
        (20_000, "lets", "let a = 1"),
        (20_000, "scenarios", "scenario \"s\" { }"),
    ] {
        let all = SOUND.to_owned() + &lines(count, |_| one.to_owned());
        text(&format!("{count} {block} of one name"), &all, (FINDINGS, "error"), (CLEAN, "unchanged"));
    }
    let second =
        SOUND.replace("  }\n}", "  }\n  broker amq-2 { host = \"amq-2\"; listen openwire { port = 61616 } }\n}");
    let all = second + &"bridge amq-1 -> amq-2\n".repeat(10_000);
    text("10,000 bridges from one broker to another", &all, (FINDINGS, "error"), (CLEAN, "unchanged"));
}

#[test]
fn many_things_of_one_name_in_a_block() {
    let inside = |one: &str| SOUND.replace("  }\n}", &format!("  }}\n{}}}", format!("  {one}\n").repeat(100_000)));
    text(
        "100,000 brokers of one name",
        &inside("broker amq-1 { host = \"a\" }"),
        (FINDINGS, "duplicate-name"),
        (CLEAN, "unchanged"),
    );
    let inside =
        |one: &str| SOUND.replace("    listen", &format!("{}    listen", format!("    {one}\n").repeat(100_000)));
    text(
        "100,000 listeners of one name",
        &inside("listen openwire { port = 61616 }"),
        (FINDINGS, "error"),
        (CLEAN, "unchanged"),
    );
    text("100,000 fields of one name", &inside("host = \"b\""), (FINDINGS, "duplicate-field"), (CLEAN, "unchanged"));
}

#[test]
fn many_mistakes() {
    let brokers = lines(10_000, |n| format!("site s-{n} {{\n  broker b-{n} {{ host = \"b-{n}\" }}\n}}"));
    let unknown = lines(20_000, |n| format!("bridge b-1 -> nobody-{n}"));
    text("20,000 unknown names", &(TOPOLOGY.to_owned() + &brokers + &unknown), (FINDINGS, "unknown-name"), (CLEAN, ""));
    let letters = |n: usize| -> String {
        (0..12).map(|place| char::from(b'a' + ((n.wrapping_mul(2_654_435_761) >> (2 * place)) % 26) as u8)).collect()
    };
    let brokers = lines(10_000, |n| format!("site {} {{\n  broker x{} {{ host = \"h\" }}\n}}", letters(n), letters(n)));
    let unknown = lines(20_000, |n| format!("bridge x{} -> y{}", letters(1), letters(n)));
    text(
        "20,000 unknown names alike",
        &(TOPOLOGY.to_owned() + &brokers + &unknown),
        (FINDINGS, "unknown-name"),
        (CLEAN, ""),
    );
    text(
        "20,000 syntax errors",
        &lines(20_000, |n| format!("let a-{n} = = {n}")),
        (FINDINGS, "syntax-error"),
        (FAILED, "syntax-error"),
    );
    let block = format!("{TOPOLOGY}site s {{\n{}}}\n", lines(20_000, |n| format!("  = {n} =")));
    text("20,000 syntax errors in a block", &block, (FINDINGS, "syntax-error"), (FAILED, "syntax-error"));
    text(
        "20,000 unknown fields",
        &format!("topology t {{\n{}}}\n", lines(20_000, |n| format!("  field-{n} = 1"))),
        (FINDINGS, "unknown-field"),
        (CLEAN, ""),
    );
    text(
        "20,000 unknown blocks",
        &lines(20_000, |n| format!("block-{n} {{ }}")),
        (FINDINGS, "unknown-block"),
        (CLEAN, ""),
    );
}

#[test]
fn imports_in_circles_and_chains() {
    let numbered = |count: usize, last: &str| -> Vec<(String, Vec<u8>)> {
        let next = |n: usize| if n + 1 == count { last.to_owned() } else { format!("import \"f-{}.topo\"\n", n + 1) };
        let own = |n: usize| if n == 0 { SOUND } else { "" };
        (0..count).map(|n| (format!("f-{n}.topo"), (next(n) + own(n)).into_bytes())).collect()
    };
    let check = |situation: &str, numbered: &[(String, Vec<u8>)], said: Said<'_>| {
        let all: Vec<(&str, &[u8])> = numbered.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
        files(situation, &all, said, (CLEAN, ""));
    };
    check("a circle of 1,000 imports", &numbered(1000, "import \"f-0.topo\"\n"), (FINDINGS, "import each other"));
    check("a chain of 2,000 imports", &numbered(2000, ""), (CLEAN, "notes in 2000 files"));
    check(
        "a chain of 2,000 imports and no end",
        &numbered(2000, "import \"f-2000.topo\"\n"),
        (FINDINGS, "f-2000.topo"),
    );
    text("an import of itself", &format!("import \"main.topo\"\n{SOUND}"), (FINDINGS, "import-cycle"), (CLEAN, ""));
    let same = format!("{}{SOUND}", "import \"main.topo\"\n".repeat(10_000));
    text("10,000 imports of itself", &same, (FINDINGS, "import-cycle"), (CLEAN, ""));
    let missing = lines(10_000, |n| format!("import \"no-{n}.topo\"")) + SOUND;
    text("10,000 imports of nothing", &missing, (FINDINGS, "import-not-found"), (CLEAN, ""));
}

#[test]
fn lets_that_lead_nowhere() {
    let host = |lets: &str| format!("{lets}{}", SOUND.replace("\"amq-1\"", "$a"));
    let check = |situation: &str, lets: &str, said: Said<'_>| text(situation, &host(lets), said, (CLEAN, ""));
    check("a let of itself", "let a = $a\n", (FINDINGS, "`$a`"));
    check("lets in a circle", "let a = $b\nlet b = $c\nlet c = $a\n", (FINDINGS, "error"));
    check("a let of an unknown one", "let a = $b\n", (FINDINGS, "$b"));
    let names = |n: usize| if n == 0 { "a".to_owned() } else { format!("a-{n}") };
    check(
        "a circle of 10,000 lets",
        &lines(10_000, |n| format!("let {} = ${}", names(n), names((n + 1) % 10_000))),
        (FINDINGS, "error"),
    );
    let chain = lines(10_000, |n| format!("let {} = ${}", names(n), names(n + 1))) + "let a-10000 = \"amq-1\"\n";
    check("a chain of 10,000 lets", &chain, (FINDINGS, "error"));
    let unknown = lines(10_000, |n| format!("    listen l-{n} {{ uri = $b-{n}x }}"));
    let many =
        lines(10_000, |n| format!("let b-{n} = {n}")) + &SOUND.replace("    listen", &format!("{unknown}    listen"));
    text("10,000 lets and 10,000 unknown ones", &many, (FINDINGS, "which no `let` defines"), (CLEAN, ""));
    check("100,000 lets", &(lines(100_000, |n| format!("let b-{n} = {n}")) + "let a = \"amq-1\"\n"), (CLEAN, ""));
    let doubled = lines(40, |n| format!("let {} = [${}, ${}]", names(n), names(n + 1), names(n + 1)));
    check("lets that double", &(doubled + "let a-40 = \"amq-1\"\n"), (FINDINGS, "error"));
}

#[test]
fn names_and_numbers_out_of_bounds() {
    let check = |situation: &str, from: &str, to: &str, said: &str| {
        assert!(SOUND.contains(from));
        text(situation, &SOUND.replace(from, to), (FINDINGS, said), (CLEAN, ""));
    };
    check("port 0", "61616", "0", "1 to 65535");
    check("port 65536", "61616", "65536", "1 to 65535");
    check("port -1", "61616", "-1", "1 to 65535");
    check("a port beyond i64", "61616", "99999999999999999999999", "port");
    check("a port of 10,000 digits", "61616", &"9".repeat(10_000), "port");
    check("a fraction of a port", "61616", "61616.5", "port");
    let timeout = |value: &str| {
        format!(
            "}}\n  client c {{ brokers = [amq-1]; timeout = {value} }}\n  broker amq-2 {{ host = \"b\"; listen o {{ port = 1 }}"
        )
    };
    for value in [
        "99999999999999999999s",
        "9223372036854775807h",
        "9223372036854775807d",
        "106751991168d",
        "1.5.5s",
        "10parsecs",
    ] {
        let slip = SOUND.replace("  }\n}", &format!("  {}\n  }}\n}}", timeout(value)));
        text(&format!("a timeout of {value}"), &slip, (FINDINGS, "timeout"), (CLEAN, ""));
    }
    for (name, said) in
        [("a.b.c.d.e", "a.b.c.d.e"), ("east.amq-1.openwire.x", "openwire"), (&"a.".repeat(5000), "error")]
    {
        let bridge = format!("{SOUND}bridge amq-1 -> {}\n", name.trim_end_matches('.'));
        text(&format!("the name {}", &name[..name.len().min(20)]), &bridge, (FINDINGS, said), (CLEAN, ""));
    }
}
