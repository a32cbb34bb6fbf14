//! The programs of connectors: what `topoc build` makes of a template, and what it says when it cannot.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

mod common;

use common::{TEMPLATE, plain, project};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use topoc::template::{NAME, THIRD_PARTY, places};
use topoc::terminal::{Io, Out};
use topoc::{CLEAN, FAILED, FINDINGS};
use topoc_plan::slot::{self, Slot};
use topoc_plan::{Plan, decode, encode};

const TWO_SITES: &str = r#"topology t { activemq = "6.2" }
site east {
  broker amq-1 { host = "amq-1"; listen openwire { port = 61616 } }
  connector gc-1 { brokers = [amq-1, amq-2]; timeout = 10s }
  connector gc-3 { brokers = [amq-1, amq-2]; timeout = 10s }
}
site west {
  broker amq-2 { host = "amq-2"; listen openwire { port = 61616 } }
  connector gc-2 { brokers = [amq-2, amq-1]; timeout = 10s }
}
bridge amq-1 <-> amq-2
deployment main active-active { connectors = [gc-1, gc-2, gc-3] }
"#;

/// What a run returns, and all that it says.
fn build(folder: &Path, templates: &[PathBuf], more: &[&str]) -> (u8, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut io = Io {
        stdin: &mut std::io::empty(),
        stdout: Out::new(&mut stdout),
        stderr: Out::new(&mut stderr),
        out: plain(),
        err: plain(),
        folder: folder.to_owned(),
        templates: templates.to_vec(),
    };
    let arguments = ["topoc", "build", "--out", "dist"].iter().chain(more).map(Into::into);
    let code = topoc::run(arguments, &mut io);
    drop(io);
    (code, String::from_utf8([stdout, stderr].concat()).unwrap())
}

/// The same with a template.
fn build_with(folder: &Path, more: &[&str]) -> (u8, String) {
    build(folder, std::slice::from_ref(&*TEMPLATE), more)
}

/// Every file below `dist`, without the manifest.
fn built(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (root, mut files, mut open) = (folder.join("dist"), BTreeMap::new(), vec![folder.join("dist")]);
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if !path.ends_with("manifest.json") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

fn plan_in(program: &[u8]) -> Plan {
    decode(slot::read(program).unwrap()).unwrap()
}

#[test]
fn each_connector_gets_a_program_with_its_own_plan_and_what_must_go_with_it() {
    let folder = project(&[("main.topo", TWO_SITES)]);
    let (code, said) = build_with(folder.path(), &[]);
    assert_eq!(code, CLEAN, "{said}");
    let files = built(folder.path());
    for (site, connector) in [("east", "gc-1"), ("east", "gc-3"), ("west", "gc-2")] {
        let plan = plan_in(&files[&format!("{site}/{connector}/{connector}")]);
        assert_eq!((&*plan.site, &*plan.connector), (site, connector));
        assert_eq!(files[&format!("{site}/{connector}/THIRD-PARTY.txt")], THIRD_PARTY.as_bytes());
    }
    let manifest = fs::read_to_string(folder.path().join("dist/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let executable = |row: &&serde_json::Value| row["executable"] == true;
    let programs: Vec<_> = manifest["artifacts"].as_array().unwrap().iter().filter(executable).collect();
    assert_eq!(
        programs.iter().map(|row| row["path"].as_str().unwrap()).collect::<Vec<_>>(),
        ["east/gc-1/gc-1", "east/gc-3/gc-3", "west/gc-2/gc-2"]
    );
}

#[test]
#[cfg(unix)]
fn programs_can_be_run_and_are_left_alone_when_nothing_changes() {
    use std::os::unix::fs::PermissionsExt;
    let folder = project(&[("main.topo", TWO_SITES)]);
    assert_eq!(build_with(folder.path(), &[]).0, CLEAN);
    let path = folder.path().join("dist/east/gc-1/gc-1");
    let first = fs::metadata(&path).unwrap();
    assert_eq!(first.permissions().mode() & 0o7777, 0o755);
    let (_, said) = build_with(folder.path(), &[]);
    assert!(said.contains("0 files written"), "{said}");
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), first.modified().unwrap());
    assert_eq!(build_with(folder.path(), &["--check"]).0, CLEAN);

    let mut program = fs::read(&path).unwrap();
    *program.last_mut().unwrap() ^= 1;
    fs::write(&path, program).unwrap();
    let (code, said) = build_with(folder.path(), &["--check"]);
    assert_eq!(code, FINDINGS);
    assert!(said.contains("differs  east/gc-1/gc-1"), "{said}");
}

#[test]
fn a_change_of_one_connector_writes_its_program_alone() {
    let folder = project(&[("main.topo", TWO_SITES)]);
    assert_eq!(build_with(folder.path(), &[]).0, CLEAN);
    let changed = TWO_SITES.replacen("timeout = 10s", "timeout = 10s; selector = \"a = 1\"", 1);
    fs::write(folder.path().join("main.topo"), changed).unwrap();
    let (_, said) = build_with(folder.path(), &[]);
    assert!(said.contains("1 file written"), "{said}");
}

#[test]
fn without_a_template_nothing_is_written_and_it_is_said_what_to_do() {
    let folder = project(&[("main.topo", TWO_SITES)]);
    let places = places(None, Some(&folder.path().join("bin/topoc")));
    let (code, said) = build(folder.path(), &places, &[]);
    assert_eq!(code, FAILED);
    for part in
        ["`topoc-connector`, is missing", "bin/topoc-connector", "lib/topoc", "--template FILE", "--no-binaries"]
    {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    assert!(!folder.path().join("dist").exists());
}

#[test]
fn a_template_is_found_where_it_is_installed() {
    for place in ["bin", "lib/topoc", "libexec/topoc"] {
        let prefix = project(&[("demo/main.topo", TWO_SITES), ("bin/empty", "")]);
        let template = prefix.path().join(place).join(format!("{NAME}{}", std::env::consts::EXE_SUFFIX));
        fs::create_dir_all(template.parent().unwrap()).unwrap();
        fs::copy(&*TEMPLATE, template).unwrap();
        let places = places(None, Some(&prefix.path().join("bin/topoc")));
        let (code, said) = build(&prefix.path().join("demo"), &places, &[]);
        assert_eq!(code, CLEAN, "{place}: {said}");
    }
}

#[test]
fn programs_can_be_left_out_and_need_no_template_then() {
    let folder = project(&[("main.topo", TWO_SITES)]);
    assert_eq!(build(folder.path(), &[], &["--no-binaries"]).0, CLEAN);
    let without = built(folder.path());
    assert!(without.keys().all(|path| path.ends_with(".xml") || path.ends_with(".properties")), "{:?}", without.keys());
    assert_eq!(build_with(folder.path(), &[]).0, CLEAN);
    let (_, said) = build(folder.path(), &[], &["--no-binaries"]);
    assert!(said.contains("6 removed"), "{said}");
    assert_eq!(built(folder.path()), without);
}

#[test]
fn a_site_without_connectors_needs_no_template() {
    let text = TWO_SITES.replace("deployment", "site south { broker amq-3 { host = \"amq-3\" } }\ndeployment");
    let folder = project(&[("main.topo", &text)]);
    assert_eq!(build(folder.path(), &[], &["--site", "south"]).0, CLEAN);
    assert_eq!(build(folder.path(), &[], &["--site", "west"]).0, FAILED);
    let (code, said) = build_with(folder.path(), &["--site", "west"]);
    assert_eq!(code, CLEAN, "{said}");
    assert!(built(folder.path()).keys().any(|path| path == "west/gc-2/gc-2"));
    assert!(!built(folder.path()).keys().any(|path| path.starts_with("east")));
}

#[test]
fn what_is_no_pristine_template_is_refused_and_nothing_is_written() {
    let folder = project(&[("main.topo", TWO_SITES)]);
    assert_eq!(build_with(folder.path(), &[]).0, CLEAN);
    let emitted = fs::read(folder.path().join("dist/east/gc-1/gc-1")).unwrap();
    let empty = Slot::empty().bytes();
    let mut garbage = empty.clone();
    garbage[100] = 1;
    let mut old = empty.clone();
    // Behind the marker and the capacity: the versions that it understands.
    old[36..44].copy_from_slice(&[1, 0, 0, 0, 1, 0, 0, 0]);
    let elf = |file: &[u8]| [b"\x7fELF\x02\x01".as_slice(), &[0; 58], file].concat();
    let cut = {
        let mut file = elf(&empty);
        file[40..48].copy_from_slice(&u64::MAX.to_le_bytes());
        file
    };
    assert!(slot::embed(&elf(&empty), &encode(&plan_in(&emitted))).is_ok());
    for (situation, program, why) in [
        ("emitted", emitted, "it has a plan already"),
        ("text", b"#!/bin/sh\n".to_vec(), "it has no place for a plan"),
        ("empty", Vec::new(), "it has no place for a plan"),
        ("two", [empty.clone(), vec![0; 64 - empty.len() % 64], empty.clone()].concat(), "several places"),
        ("garbage", garbage, "something in the place of the plan that is none"),
        ("old", old, "understands plans of version 1 to 1 of the format, and this one has 2"),
        ("cut", cut, "it is cut off"),
    ] {
        let folder = project(&[("main.topo", TWO_SITES)]);
        fs::write(folder.path().join("template"), program).unwrap();
        let (code, said) = build_with(folder.path(), &["--template", "template"]);
        assert_eq!(code, FAILED, "{situation}: {said}");
        assert!(
            said.contains("`template` is no program to put a plan into") && said.contains(why),
            "{situation}: {said}"
        );
        assert!(said.contains("help:"), "{situation}: {said}");
        assert!(!folder.path().join("dist").exists(), "{situation}");
    }
}

#[test]
fn a_deployment_that_no_plan_has_room_for_is_said_by_name() {
    let names: Vec<String> = (0..2000).map(|n| format!("gc-{n}")).collect();
    let connectors: String = names.iter().map(|name| format!("  connector {name} {{ brokers = [amq-1] }}\n")).collect();
    let text = format!(
        "topology t {{ activemq = \"6.2\" }}\nsite east {{\n  broker amq-1 {{ host = \"a\"; listen openwire {{ port = 1 }} }}\n{connectors}}}\n\
         deployment main active-active {{ connectors = [{}] }}\n",
        names.join(", ")
    );
    let folder = project(&[("main.topo", &text)]);
    let (code, said) = build_with(folder.path(), &[]);
    assert_eq!(code, FAILED, "{said}");
    assert!(
        said.contains("the plan of connector `gc-0` has") && said.contains("2000 connectors into smaller"),
        "{said}"
    );
    assert!(!folder.path().join("dist").exists());
}
