//! Whatever plan is written is read back, and nothing else is taken for one.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first thing that is not there")]

use proptest::prelude::*;
use topoc_plan::slot::{self, CAPACITY, EmbedError, Slot};
use topoc_plan::{
    Address, Admin, Brokers, Deployment, Identity, Limits, Listed, LogFormat, Login, Mode, Node, Options, Peer, Plan,
    PlanError, Product, Requests, Secret, Tls, decode, digest, encode,
};

/// A plan with something in every place.
fn full() -> Plan {
    let options = Options::from([("wireFormat.maxInactivityDuration".to_owned(), "10000".to_owned())]);
    let address = |host: &str| Address { options: options.clone(), ..Address::parse(host).unwrap() };
    let peer = |site: &str, connector: &str| Peer { site: site.into(), connector: connector.into() };
    let failover = Some(Options::from([("randomize".to_owned(), "false".to_owned())]));
    Plan {
        topology: "contact-centre".into(),
        site: "site-1".into(),
        connector: "gc-1".into(),
        deployment: Some(Deployment {
            name: "main".into(),
            mode: Mode::ActiveActive,
            connectors: vec![peer("site-1", "gc-1"), peer("site-2", "gc-2")],
            sync: "GC.SYNC.main".into(),
            sync_keys: vec![Secret::Env("SYNC_KEY".into()), Secret::File("/run/keys/old".into())],
        }),
        brokers: Brokers::Listed(Listed { addresses: vec![address("amq-1:61616"), address("amq-2:61616")], failover }),
        login: Login { user: Some("gc".into()), password: Some(Secret::Env("GC_PASSWORD".into())) },
        tls: Tls {
            broker_roots: Some("/etc/topoc/brokers.pem".into()),
            broker_identity: Some(Identity {
                certificate: "/etc/topoc/gc-1.pem".into(),
                key: Secret::File("/etc/topoc/gc-1.key".into()),
            }),
            finesse_roots: Some("/etc/topoc/finesse.pem".into()),
        },
        requests: Requests {
            queue: "GC.REQUESTS".into(),
            priority: 127,
            prefetch: Some(1000),
            exclusive: false,
            selector: Some("JMSType LIKE 'Login%'".into()),
        },
        finesse: vec![Node::new("finesse-1"), Node::new("finesse-2")],
        product: Product::Uccx,
        limits: Limits { requests: Some(512), requests_of_agent: Some(8), agents: Some(10_000) },
        admin: Some(Admin {
            address: "127.0.0.1:8090".parse().unwrap(),
            token: Some(Secret::Env("ADMIN_TOKEN".into())),
        }),
        log: LogFormat::Json,
        properties: vec![("ActiveMq_Timeout".into(), "10000".into())],
    }
}

/// A program as far as embedding is concerned: something, a place, something.
fn program(slots: usize) -> Vec<u8> {
    let mut slot = slot_bytes();
    slot.resize(slot.len().next_multiple_of(64), 0);
    let mut program = vec![0x7f; 640];
    (0..slots).for_each(|_| program.extend_from_slice(&slot));
    program.extend_from_slice(b"the end");
    program
}

/// As a compiler lays the place out: marker, capacity, zeros.
fn slot_bytes() -> Vec<u8> {
    let mut bytes = b"topoc: a plan\n\0\0\x9b\x1e\xd6\x47\x83\xaa\x05\xf1\x2c\x70\xbe\x59\xc8\x34\xe7\x12".to_vec();
    for number in [u32::try_from(CAPACITY).unwrap(), 1, 2] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.resize(bytes.len() + CAPACITY, 0);
    bytes
}

#[test]
fn the_first_version_is_understood() {
    let mut old = full();
    old.tls = Tls::default();
    old.product = Product::Ucce;
    old.limits = Limits::default();
    old.admin = None;
    old.log = LogFormat::Human;
    old.deployment.as_mut().unwrap().sync_keys = Vec::new();
    assert_eq!(decode(include_bytes!("golden/version-1.plan")), Ok(old));
}

#[test]
fn the_second_version_stays_as_it_was() {
    let golden = include_bytes!("golden/version-2.plan");
    assert_eq!(decode(golden), Ok(full()));
    // True while it is the newest: encoding is the same for ever.
    assert_eq!(encode(&full()), golden, "{}", String::from_utf8_lossy(&encode(&full())));
}

#[test]
fn every_secret_is_listed() {
    let plan = full();
    let json = serde_json::to_string(&plan).unwrap();
    // In JSON nothing but a secret is `{"env":` or `{"file":`.
    let written = json.matches(r#"{"env":"#).count() + json.matches(r#"{"file":"#).count();
    assert_eq!((plan.secrets().count(), written), (5, 5));
}

#[test]
fn every_cut_is_noticed_and_what_follows_is_not_looked_at() {
    let whole = encode(&full());
    for length in 1..whole.len() {
        let error = decode(&whole[..length]).unwrap_err();
        assert!(matches!(error, PlanError::Truncated { found, .. } if found == length), "{length}: {error:?}");
    }
    assert_eq!(decode(&[]), Err(PlanError::None));
    assert_eq!(decode(&[0; 100]), Err(PlanError::None));
    let mut longer = whole;
    longer.extend_from_slice(b"behind");
    assert_eq!(decode(&longer), Ok(full()));
}

#[test]
fn every_bit_that_is_another_is_noticed() {
    let whole = encode(&full());
    for bit in 0..whole.len() * 8 {
        let mut other = whole.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(decode(&other).is_err(), "bit {bit}");
    }
}

#[test]
fn the_digest_is_what_the_bytes_carry() {
    let bytes = encode(&full());
    let carried: String = bytes[16..48].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest(&full()), carried);
}

#[test]
fn a_plan_goes_into_a_pristine_program_once() {
    let (template, plan) = (program(1), encode(&full()));
    let emitted = slot::embed(&template, &plan).unwrap();
    assert_eq!(emitted.len(), template.len());
    assert_eq!(emitted, slot::embed(&template, &plan).unwrap());
    assert_eq!(decode(slot::read(&emitted).unwrap()), Ok(full()));
    assert_eq!(decode(slot::read(&template).unwrap()), Err(PlanError::None));
    assert_eq!(slot::embed(&emitted, &plan), Err(EmbedError::AlreadyFilled));
    let changed = template.iter().zip(&emitted).filter(|(before, after)| before != after).count();
    assert!(changed <= plan.len());
}

#[test]
fn programs_and_plans_that_do_not_fit_are_refused() {
    let plan = encode(&full());
    let mut garbage = program(1);
    garbage[640 + 44 + 9] = 1;
    let mut cut = program(1);
    cut.truncate(cut.len() - 1000);
    for (program, expected) in [
        (program(0), EmbedError::NoSlot),
        (Vec::new(), EmbedError::NoSlot),
        (cut, EmbedError::NoSlot),
        (program(2), EmbedError::SeveralSlots),
        (garbage, EmbedError::Damaged),
    ] {
        assert_eq!(slot::embed(&program, &plan), Err(expected));
    }
    let elf = [b"\x7fELF\x02\x01".as_slice(), &program(1)[6..]].concat();
    assert_eq!(slot::embed(&elf, &plan), Err(EmbedError::CutOff));
    assert_eq!(slot::embed(&program(1), b"no plan"), Err(EmbedError::NotAPlan));
}

#[test]
fn a_program_that_does_not_understand_the_plan_is_refused() {
    let plan = encode(&full());
    let newest = 640 + 32 + 8;
    for (known, expected) in [((1, 3), None), ((2, 2), None), ((1, 1), Some((1, 1))), ((3, 4), Some((3, 4)))] {
        let mut program = program(1);
        program[newest - 4] = known.0;
        program[newest] = known.1;
        let expected = expected.map(|known| EmbedError::OtherVersion { plan: 2, known });
        assert_eq!(slot::embed(&program, &plan).err(), expected);
    }
}

#[test]
fn a_plan_may_fill_its_place_and_not_a_byte_more() {
    let program = program(1);
    let with = |selector: usize| {
        let mut plan = full();
        plan.requests.selector = Some("x".repeat(selector));
        encode(&plan)
    };
    let most = CAPACITY - with(0).len();
    assert!(slot::embed(&program, &with(most)).is_ok());
    let error = slot::embed(&program, &with(most + 1)).unwrap_err();
    assert_eq!(error, EmbedError::TooLong { plan: CAPACITY + 1, room: CAPACITY });
}

#[test]
fn the_marker_alone_is_no_place() {
    let mut program = program(1);
    let length = program.len().next_multiple_of(64);
    program.resize(length, 0);
    program.extend_from_slice(&slot_bytes()[..32]);
    program.extend_from_slice(&[0xff; 200]);
    assert!(slot::embed(&program, &encode(&full())).is_ok());
}

#[test]
fn a_place_that_a_program_has_is_empty() {
    static SLOT: Slot = Slot::empty();
    assert_eq!(SLOT.bytes(), slot_bytes());
    assert!(slot::embed(&SLOT.bytes(), &encode(&full())).is_ok());
    assert_eq!(SLOT.read().len(), CAPACITY);
    assert_eq!(decode(&SLOT.read()), Err(PlanError::None));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z.:-]{0,12}", any::<String>()]
}

fn options() -> impl Strategy<Value = Options> {
    proptest::collection::btree_map(text(), text(), 0..3)
}

fn address() -> impl Strategy<Value = Address> {
    (text(), text(), any::<u16>(), options()).prop_map(|(scheme, host, port, options)| Address {
        scheme,
        host,
        port,
        options,
    })
}

fn brokers() -> impl Strategy<Value = Brokers> {
    let listed = (proptest::collection::vec(address(), 0..4), proptest::option::of(options()));
    prop_oneof![
        listed.prop_map(|(addresses, failover)| Brokers::Listed(Listed { addresses, failover })),
        text().prop_map(Brokers::Uri)
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(brokers in brokers(), name in text(), user in proptest::option::of(text()), file in text(), priority: i8) {
        let mut plan = Plan { brokers, connector: name, ..full() };
        plan.login = Login { user, password: Some(Secret::File(file)) };
        plan.requests.priority = priority;
        prop_assert_eq!(decode(&encode(&plan)), Ok(plan));
    }

    #[test]
    fn bytes_of_strangers_are_no_plan(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(decode(&bytes).is_err());
        let begun = [b"topoplan\x01\0\0\0".as_slice(), &bytes].concat();
        prop_assert!(decode(&begun).is_err());
        prop_assert!(slot::embed(&bytes, &encode(&full())).is_err());
    }
}
