//! Authentication, with the vectors of the RFCs, and what a server can do wrong.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not as it should be")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use topoc_finesse_proto::secret::Secret;
use topoc_finesse_proto::xmpp::jid::{self, Jid};
use topoc_finesse_proto::xmpp::sasl::{Exchange, Mechanism, SaslError, choose};

fn encode(text: &str) -> String {
    STANDARD.encode(text)
}

fn decode(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
}

/// The conversations of RFC 5802 (5) and RFC 7677 (3).
const VECTORS: [(Mechanism, &str, &str, &str, &str); 2] = [
    (
        Mechanism::ScramSha1,
        "fyko+d2lbbFgONRv9qkxdawL",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    (
        Mechanism::ScramSha256,
        "rOprNGfwEbeRWgbNEkqO",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
];

fn begin(mechanism: Mechanism, nonce: &str) -> (Exchange, String) {
    Exchange::begin(mechanism, "user", &Secret::new("pencil"), nonce)
}

#[test]
fn scram_says_what_the_rfcs_say() {
    for (mechanism, nonce, challenge, answer, proof) in VECTORS {
        let (mut exchange, first) = begin(mechanism, nonce);
        assert_eq!(decode(&first), format!("n,,n=user,r={nonce}"));
        assert_eq!(decode(&exchange.challenge(&encode(challenge)).unwrap()), answer);
        assert_eq!(exchange.clone().success(&encode(proof)), Ok(()));
        // Some servers prove themselves in a challenge, and have nothing more to say then.
        assert_eq!(exchange.challenge(&encode(proof)), Ok(String::new()));
        assert_eq!(exchange.success("="), Ok(()));
    }
}

#[test]
fn a_server_that_does_not_know_the_password_is_not_believed() {
    for (mechanism, nonce, challenge, _, _) in VECTORS {
        let (mut exchange, _) = begin(mechanism, nonce);
        assert_eq!(exchange.success(""), Err(SaslError::Unproven), "before it was asked for anything");
        exchange.challenge(&encode(challenge)).unwrap();
        for proof in ["", "v=", "v=AAAA", "e=other-error", "v=rmF9pqV8S7suAoZWja4dJRkFsKR="] {
            assert!(exchange.clone().success(&encode(proof)).is_err(), "{proof}");
        }
    }
}

#[test]
fn a_challenge_for_somebody_else_or_of_no_strength_is_refused() {
    for (challenge, error) in [
        ("r=other,s=QSXCR+Q6sek8bf92,i=4096", SaslError::Nonce),
        ("r=fyko,s=QSXCR+Q6sek8bf92,i=4096", SaslError::Nonce),
        ("r=fyko1,s=QSXCR+Q6sek8bf92,i=4095", SaslError::Iterations(4095)),
        ("r=fyko1,s=QSXCR+Q6sek8bf92,i=100001", SaslError::Iterations(100_001)),
        ("r=fyko1,s=QSXCR+Q6sek8bf92,i=4294967296", SaslError::Malformed),
        ("r=fyko1,s=?,i=4096", SaslError::Malformed),
        ("m=more,r=fyko1,s=QSXCR+Q6sek8bf92,i=4096", SaslError::Malformed),
        ("", SaslError::Malformed),
    ] {
        let (mut exchange, _) = begin(Mechanism::ScramSha1, "fyko");
        assert_eq!(exchange.challenge(&encode(challenge)), Err(error), "{challenge}");
    }
    assert_eq!(begin(Mechanism::ScramSha1, "fyko").0.challenge("not Base64"), Err(SaslError::Malformed));
}

#[test]
fn plain_says_all_at_once() {
    let (mut exchange, said) = begin(Mechanism::Plain, "");
    assert_eq!(decode(&said), "\0user\0pencil");
    assert_eq!(exchange.challenge(""), Err(SaslError::Unexpected));
    assert_eq!(exchange.success(""), Ok(()));
}

#[test]
fn names_with_commas_do_not_break_scram() {
    let (_, first) = Exchange::begin(Mechanism::ScramSha256, "a=b,c", &Secret::new("x"), "n");
    assert_eq!(decode(&first), "n,,n=a=3Db=2Cc,r=n");
}

#[test]
fn the_password_is_shown_nowhere() {
    for mechanism in Mechanism::ALL {
        let (mut exchange, _) = Exchange::begin(mechanism, "user", &Secret::new("pencil"), "fyko");
        let _ = exchange.challenge(&encode("r=fyko1,s=QSXCR+Q6sek8bf92,i=4096"));
        let shown = format!("{exchange:?} {:?}", Secret::new("pencil"));
        assert!(!shown.contains("pencil") && !shown.contains("signature"), "{shown}");
    }
}

#[test]
fn the_best_mechanism_that_both_have_is_chosen() {
    let offered = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let all = offered(&["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]);
    assert_eq!(choose(&all, &Mechanism::ALL, true), Some(Mechanism::ScramSha256));
    let plain = offered(&["PLAIN", "EXTERNAL"]);
    assert_eq!(choose(&plain, &Mechanism::ALL, true), Some(Mechanism::Plain));
    assert_eq!(choose(&plain, &Mechanism::ALL, false), None);
    assert_eq!(choose(&all, &[Mechanism::Plain], false), None);
}

#[test]
fn odd_agent_ids_are_escaped_as_xep_0106_has_it() {
    // The examples of XEP-0106 (5.1), as far as an agent may be called so.
    for (id, local) in [
        ("1001", "1001"),
        ("space cadet", "space\\20cadet"),
        ("call me \"ishmael\"", "call\\20me\\20\\22ishmael\\22"),
        ("at&t guy", "at\\26t\\20guy"),
        ("d'artagnan", "d\\27artagnan"),
        ("/.fanboy", "\\2f.fanboy"),
        ("::foo::", "\\3a\\3afoo\\3a\\3a"),
        ("<foo>", "\\3cfoo\\3e"),
        ("user@host", "user\\40host"),
        ("c:\\net", "c\\3a\\net"),
        ("c:\\5commas", "c\\3a\\5c5commas"),
    ] {
        assert_eq!(jid::escape(id), local);
        assert_eq!(jid::unescape(local), id);
        assert_eq!(Jid::of_agent(id, "a.test", "r").unwrap().to_string(), format!("{local}@a.test/r"));
    }
}

#[test]
fn what_cannot_be_a_session_is_refused() {
    for (id, domain, resource) in [
        ("", "a.test", "r"),
        (" 1", "a.test", "r"),
        ("1\u{0}", "a.test", "r"),
        ("1", "", "r"),
        ("1", "a/b", "r"),
        ("1", "a.test", ""),
        ("1", "a.test", "desktop"),
        ("1", "a.test", "Desktop"),
        ("1", "a.test", &"r".repeat(1024)),
    ] {
        assert!(Jid::of_agent(id, domain, resource).is_err(), "{id:?} {domain:?}");
    }
    assert!(Jid::of_agent("1", "a.test", &"r".repeat(1023)).is_ok());
    assert!(jid::same("A@B.test/R", "a@b.TEST/R") && !jid::same("a@b/R", "a@b/r") && !jid::same("a@b", "a@b/r"));
}
