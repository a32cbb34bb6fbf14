//! The log: forms, levels, ids of request and agent, and what is left out.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use topoc_connector::logs::{self, Log, Settings, SettingsError};
use tracing::{debug, error, info, trace, warn};

/// What was written, and a clock that stands still until it is moved.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>, Arc<AtomicU64>);

impl Write for Paper {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    fn objects(&self) -> Vec<Value> {
        self.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn pass(&self, seconds: u64) {
        self.1.fetch_add(seconds, Ordering::Relaxed);
    }
}

/// Does something while it is logged.
fn logged(settings: &Settings, does: impl FnOnce(&Paper, &Log)) -> Paper {
    let paper = Paper::default();
    let (to, clock) = (paper.clone(), Arc::clone(&paper.1));
    let (subscriber, log) =
        logs::subscriber(settings, move || to.clone(), move || Duration::from_secs(clock.load(Ordering::Relaxed)));
    tracing::subscriber::with_default(subscriber, || does(&paper, &log));
    paper
}

fn settings(form: &str, level: &str) -> Settings {
    Settings::new(Some(form), Some(level), false).unwrap()
}

#[test]
fn json_has_the_fields_of_spans_and_event_beside_each_other() {
    let paper = logged(&settings("json", "info"), |_, _| {
        let _request = logs::of_request("ID:a-1", Some("1001")).entered();
        warn!(server = "fin-a", tries = 2, took = 0.5, done = true, "asked");
        let _other = logs::of_agent("1002").entered();
        warn!("inner counts more");
    });
    let [first, second] = &paper.objects()[..] else { panic!("{}", paper.text()) };
    for (name, value) in [("message", "asked"), ("request", "ID:a-1"), ("agent", "1001"), ("server", "fin-a")] {
        assert_eq!(first[name], value);
    }
    assert_eq!((&first["tries"], &first["took"], &first["done"]), (&2.into(), &0.5.into(), &true.into()));
    assert_eq!((&first["level"], &first["target"]), (&"warn".into(), &"logs".into()));
    let time = first["time"].as_str().unwrap();
    assert!(time.starts_with("20") && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
    assert_eq!((&second["agent"], &second["request"]), (&"1002".into(), &"ID:a-1".into()));
}

#[test]
fn people_read_the_ids_too() {
    let paper = logged(&settings("human", "error"), |_, _| {
        let _request = logs::of_request("ID:a-1", Some("1001")).entered();
        error!("no answer");
        let _unknown = logs::of_request("ID:a-2", None).entered();
        error!("no answer either");
    });
    let lines = paper.lines();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("request=\"ID:a-1\"") && lines[0].contains("agent=\"1001\""), "{}", lines[0]);
    assert!(lines[0].contains("ERROR") && lines[0].ends_with("no answer"), "{}", lines[0]);
    assert!(!lines[1].split("ID:a-2").nth(1).unwrap().contains("agent"), "{}", lines[1]);
}

#[test]
fn a_strangers_text_begins_no_line_and_colours_nothing() {
    let evil = "1001\n2026-11-23T00:00:00Z ERROR forged\u{1b}[31m";
    for form in ["human", "json"] {
        let paper = logged(&settings(form, "info"), |_, _| {
            let _agent = logs::of_agent(evil).entered();
            warn!(command = evil, shown = %evil, "{evil}");
        });
        assert_eq!(paper.lines().len(), 1, "{}", paper.text());
        assert!(!paper.text().contains('\u{1b}'), "{}", paper.text());
    }
    let coloured = Settings::new(None, None, true).unwrap();
    let paper = logged(&coloured, |_, _| warn!("{evil}"));
    assert!(paper.text().contains('\u{1b}') && !paper.text().contains("\u{1b}[31m"), "{:?}", paper.text());
    assert_eq!(paper.lines().len(), 1);
    let json = Settings::new(Some("json"), None, true).unwrap();
    assert!(!logged(&json, |_, _| warn!("plain")).text().contains('\u{1b}'));
}

#[test]
fn a_line_is_not_endless() {
    let long = "é".repeat(100_000);
    for form in ["human", "json"] {
        let paper = logged(&settings(form, "info"), |_, _| warn!(long, "{long}"));
        assert!(paper.text().len() < 20_000, "{form}: {}", paper.text().len());
    }
}

/// What is logged of ours and of another crate.
fn shown(level: &str) -> Vec<String> {
    let paper = logged(&settings("json", level), |_, _| {
        error!(target: "topoc_openwire::engine", "our error");
        info!(target: "topoc_openwire::engine", "our info");
        debug!(target: "topoc_finesse::client", "our debug");
        trace!(target: "topoc_finesse::client", "our trace");
        warn!(target: "hyper", "their warn");
        info!(target: "hyper", "their info");
        debug!(target: "hyper", "their debug");
    });
    paper.objects().iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn levels_are_of_this_program_and_others_are_asked_for_by_name() {
    assert_eq!((shown("off"), shown("OFF")), (vec![], vec![]));
    assert_eq!(shown("error"), ["our error"]);
    assert_eq!(shown("warn"), ["our error", "their warn"]);
    assert_eq!(shown("info"), ["our error", "our info", "their warn"]);
    assert_eq!(shown(""), shown("info"), "the default");
    assert_eq!(shown("trace"), ["our error", "our info", "our debug", "our trace", "their warn"]);
    assert_eq!(shown("error,topoc_finesse=debug"), ["our error", "our debug"]);
    assert_eq!(shown("warn, hyper=debug"), ["our error", "their warn", "their info", "their debug"]);
}

#[test]
fn what_is_no_level_or_form_is_said() {
    for level in ["loud", "debgu", "3", "info,", "info,x=loud", "=info", "info,topoc_openwire", "[span]=info"] {
        let refused = Settings::new(None, Some(level), false);
        assert_eq!(refused, Err(SettingsError::Level(level.to_owned())));
    }
    assert_eq!(Settings::new(Some("xml"), None, false), Err(SettingsError::Form("xml".to_owned())));
    let said = SettingsError::Level("loud".to_owned()).to_string();
    assert!(said.contains("`loud`") && said.contains("`debug`"), "{said}");
}

/// One place that writes; another place is another one.
fn again(number: usize) {
    warn!(number, "again");
}

#[test]
fn a_place_that_writes_too_much_is_left_out_and_counted() {
    let paper = logged(&settings("json", "info"), |paper, log| {
        for number in 0..1000 {
            again(number);
            if number % 100 == 0 {
                warn!("another place");
            }
        }
        assert_eq!(log.missing().left_out, 900);
        paper.pass(10);
        (0..1000).for_each(again);
        assert_eq!(log.missing().left_out, 1890, "one a second from then on");
        log.summarise();
        log.summarise();
        paper.pass(1_000_000);
        (0..1000).for_each(again);
        assert_eq!(log.missing().left_out, 2790, "never more at once than in the beginning");
    });
    let count =
        |message: &str| paper.objects().into_iter().filter(|line| line["message"] == message).collect::<Vec<_>>();
    assert_eq!((count("again").len(), count("another place").len()), (100 + 10 + 100, 10));
    let said = count("the log left out lines of which too many came");
    assert_eq!(said.len(), 1, "what was said is not said again");
    assert_eq!((&said[0]["lines"], &said[0]["example"]), (&1890.into(), &"logs: again".into()));
}

#[test]
fn who_asks_for_more_gets_all_of_it() {
    let paper = logged(&Settings::new(Some("json"), Some("info,logs=debug"), false).unwrap(), |_, log| {
        for number in 0..500 {
            debug!(number, "step");
        }
        assert_eq!(log.missing().left_out, 0);
    });
    assert_eq!(paper.lines().len(), 500);
}
