//! The JDK is the judge: `java.util.Properties` must read what our writer means, and our reader what it reads. Needs `javac`
//! and `java` on the PATH.
#![expect(clippy::disallowed_methods, reason = "this test writes files and starts the JDK")]
#![expect(clippy::unwrap_used, reason = "a test helper that cannot go on fails the test")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use topoc_compiler::emit::write::properties::{Properties, parse};

/// Reads the files named on the command line and prints their keys and values, in file order, as UTF-16 in hexadecimal. The
/// first argument is how to decode them, because a file must mean the same either way.
const READER: &str = r#"
import java.io.*;
import java.nio.charset.*;
import java.nio.file.*;
import java.util.*;

public class Reader {
    public static void main(String[] args) throws Exception {
        Charset charset = Charset.forName(args[0]);
        StringBuilder out = new StringBuilder();
        for (int i = 1; i < args.length; i++) {
            out.append("file\n");
            List<Object[]> entries = new ArrayList<>();
            Properties properties = new Properties() {
                @Override public synchronized Object put(Object key, Object value) {
                    entries.add(new Object[] { key, value });
                    return super.put(key, value);
                }
            };
            try (InputStream in = new FileInputStream(args[i])) {
                if (charset == StandardCharsets.ISO_8859_1) properties.load(in);
                else properties.load(new InputStreamReader(in, charset));
                for (Object[] entry : entries) out.append(hex(entry[0])).append(' ').append(hex(entry[1])).append('\n');
            } catch (IllegalArgumentException malformed) {
                out.append("malformed\n");
            }
        }
        System.out.print(out);
    }

    static String hex(Object text) {
        StringBuilder out = new StringBuilder("x");
        for (char c : ((String) text).toCharArray()) out.append(String.format("%04x", (int) c));
        return out.toString();
    }
}
"#;

/// What one file holds, or nothing when it is malformed.
type Read = Option<Vec<(String, String)>>;

fn run(command: &mut Command) -> String {
    let output =
        command.output().unwrap_or_else(|error| panic!("{command:?} cannot be started, install a JDK: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A folder with the compiled reader in it.
fn java_reader() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Reader.java"), READER).unwrap();
    run(Command::new("javac").args(["-d", ".", "Reader.java"]).current_dir(folder.path()));
    folder
}

fn java_reads(folder: &Path, charset: &str, files: &[String]) -> Vec<Read> {
    let mut java = Command::new("java");
    java.args(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", ".", "Reader", charset]).current_dir(folder);
    for (index, text) in files.iter().enumerate() {
        let name = format!("{index}.properties");
        fs::write(folder.join(&name), text).unwrap();
        java.arg(name);
    }
    let out = run(&mut java);
    let answers: Vec<Read> = out.split("file\n").skip(1).map(answer).collect();
    assert_eq!(answers.len(), files.len());
    answers
}

fn answer(lines: &str) -> Read {
    let entry = |line: &str| line.split_once(' ').map(|(key, value)| (key.to_owned(), value.to_owned()));
    if lines.ends_with("malformed\n") { None } else { Some(lines.lines().map(|line| entry(line).unwrap()).collect()) }
}

/// UTF-16 in hexadecimal, as the Java side prints it.
fn hex(text: &str) -> String {
    text.encode_utf16().fold(String::from("x"), |mut out, unit| {
        write!(out, "{unit:04x}").unwrap();
        out
    })
}

fn hexed(entries: &[(String, String)]) -> Vec<(String, String)> {
    entries.iter().map(|(key, value)| (hex(key), hex(value))).collect()
}

fn hostile() -> impl Strategy<Value = String> {
    let special = proptest::sample::select(HOSTILE.chars().collect::<Vec<_>>());
    let one = prop_oneof![4 => special, 1 => any::<char>()];
    proptest::collection::vec(one, 0..14).prop_map(String::from_iter)
}

/// `count` values of a strategy, the same ones every time.
fn samples<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

const HOSTILE: &str = " \t\n\r\u{C}\u{B}=:#!\\utnrf\"'\0\u{7F}\u{85}\u{A0}\u{2028}éÿ漢😀\u{FFFF}\u{10FFFF}0aA";

#[test]
fn java_reads_back_hostile_keys_and_values() {
    let mut file = Properties::new();
    let mut expected = Vec::new();
    for (comment, key, value) in samples((hostile(), hostile(), hostile()), 400) {
        file.comment(&comment).entry(&key, &value).blank();
        expected.push((key, value));
    }
    let files = [file.write()];
    let folder = java_reader();
    for charset in ["ISO-8859-1", "UTF-8"] {
        assert_eq!(java_reads(folder.path(), charset, &files), [Some(hexed(&expected))], "{charset}");
    }
}

#[test]
fn our_reader_agrees_with_java_on_any_file() {
    // Without the digit d no escape can make half a surrogate pair, which only Java can hold.
    let alphabet: Vec<char> = " \t\n\n\r\u{C}=:#!\\\\\\unab0041é漢".chars().collect();
    let file = proptest::collection::vec(proptest::sample::select(alphabet), 0..40).prop_map(String::from_iter);
    let files = samples(file, 400);
    let folder = java_reader();
    let answers = java_reads(folder.path(), "UTF-8", &files);
    assert!(answers.iter().filter(|read| read.is_some()).count() > 100, "most files should be readable");
    assert!(answers.iter().any(Option::is_none), "some files should be malformed");
    for (text, java) in files.iter().zip(answers) {
        let ours = parse(text).ok();
        assert_eq!(ours.as_deref().map(hexed), java, "{text:?}");
    }
}
