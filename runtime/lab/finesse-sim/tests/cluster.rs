//! The contact centre as a value, situation by situation: what goes over the wire, when, and to whom.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as the test itself may")]

use topoc_finesse_sim::cluster::{
    Cluster, Config, Credentials, Deployment, Entry, Health, KEPT, Method, NOT_HERE, Output, Reasons, Request, Service,
    State,
};

/// Everybody's password, of the list that nothing may print (`runtime/lab/unmistakable-secrets`).
const PASSWORD: &str = "Tn8-simulated";

struct World {
    cluster: Cluster,
    now: u64,
}

impl World {
    fn new(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(20, &["fin-a.test", "fin-b.test"]);
        config.password = PASSWORD.to_owned();
        change(&mut config);
        Self { cluster: Cluster::new(config, 0), now: 0 }
    }

    fn wait(&mut self, time: u64) -> Vec<Output> {
        self.now += time;
        self.cluster.advance(self.now);
        self.cluster.outputs()
    }

    fn ask(&mut self, node: usize, user: &str, method: Method, path: &str, body: &str) -> (u16, String) {
        self.ask_as(node, user, PASSWORD, method, path, body)
    }

    fn ask_as(
        &mut self,
        node: usize,
        user: &str,
        password: &str,
        method: Method,
        path: &str,
        body: &str,
    ) -> (u16, String) {
        let request = Request {
            method,
            path: format!("/finesse/api/{path}"),
            query: String::new(),
            credentials: Credentials::Basic(user.to_owned(), password.to_owned()),
            request_id: Some("r-7".to_owned()),
            body: body.to_owned(),
        };
        let reply = self.cluster.rest(self.now, node, &request);
        (reply.status, reply.body.map(|body| body.to_string()).unwrap_or_default())
    }

    fn state(&mut self, node: usize, user: &str, inside: &str) -> (u16, String) {
        self.ask(node, user, Method::Put, &format!("User/{user}"), &format!("<User>{inside}</User>"))
    }

    fn login(&mut self, index: usize) -> &mut Self {
        let inside = format!("<state>LOGIN</state><extension>{}</extension>", 2001 + index);
        assert_eq!(self.state(0, &(1001 + index).to_string(), &inside).0, 202);
        self.wait(100);
        self
    }

    fn ready(&mut self, index: usize) -> &mut Self {
        self.login(index);
        assert_eq!(self.state(0, &(1001 + index).to_string(), "<state>READY</state>").0, 202);
        self.wait(100);
        self
    }

    /// A session that is there, with what it was told at its beginning taken away.
    fn enter(&mut self, node: usize, index: usize) -> u64 {
        let session = self.cluster.open_session(node, index, "test");
        self.cluster.set_presence(self.now, node, session, Some(0));
        self.cluster.outputs();
        session
    }

    fn act(&mut self, index: usize, call: u64, action: &str, more: &str) {
        let body = format!(
            "<Dialog><requestedAction>{action}</requestedAction><targetMediaAddress>{}</targetMediaAddress>{more}</Dialog>",
            2001 + index
        );
        let (status, text) = self.ask(0, &(1001 + index).to_string(), Method::Put, &format!("Dialog/{call}"), &body);
        assert_eq!(status, 202, "{text}");
        self.wait(200);
    }

    fn is(&self, index: usize) -> State {
        self.cluster.agents()[index].state
    }

    /// An outside call that this agent, who is ready, has answered.
    fn talk(&mut self, index: usize) -> u64 {
        self.ready(index);
        let call =
            self.cluster.call_from_outside(self.now, "5550000", &(2001 + index).to_string(), Vec::new()).unwrap();
        self.wait(100);
        assert_eq!(self.is(index), State::Reserved);
        self.act(index, call, "ANSWER", "");
        assert_eq!(self.is(index), State::Talking);
        call
    }

    fn parties(&self, call: u64) -> String {
        let Some(call) = self.cluster.calls().get(&call) else { return "gone".to_owned() };
        let parties: Vec<String> = call.parties.iter().map(|p| format!("{} {}", p.address, p.state.name())).collect();
        format!("{}: {}", call.state.name(), parties.join(", "))
    }
}

fn texts(outputs: &[Output]) -> Vec<&str> {
    outputs
        .iter()
        .filter_map(|output| if let Output::Stanza { text, .. } = output { Some(text.as_str()) } else { None })
        .collect()
}

#[test]
fn a_sign_in_is_told_in_the_documented_form() {
    let mut world = World::new(|_| ());
    world.enter(0, 0);
    world.state(0, "1001", "<state>LOGIN</state><extension>2001</extension>");
    assert!(world.cluster.outputs().is_empty(), "nothing is told before CTI has confirmed it");
    let told = world.wait(100);
    let told = texts(&told);
    assert_eq!(told.len(), 1);
    let (head, rest) = told[0].split_once("<item id=\"").unwrap();
    assert_eq!(
        head,
        "<message from=\"pubsub.fin-a.test\" to=\"1001@fin-a.test\" id=\"n2\">\
         <event xmlns=\"http://jabber.org/protocol/pubsub#event\"><items node=\"/finesse/api/User/1001\">"
    );
    let (_, rest) = rest.split_once("\"><notification xmlns=\"urn:xmpp:push:0\">").unwrap();
    assert!(
        rest.starts_with(
            "&lt;Update&gt;&lt;data&gt;&lt;user&gt;&lt;dialogs&gt;/finesse/api/User/1001/Dialogs&lt;/dialogs&gt;"
        ),
        "{rest}"
    );
    assert!(
        rest.ends_with(
            "&lt;/user&gt;&lt;/data&gt;&lt;event&gt;PUT&lt;/event&gt;&lt;requestId&gt;r-7&lt;/requestId&gt;\
             &lt;source&gt;/finesse/api/User/1001&lt;/source&gt;&lt;/Update&gt;</notification></item></items></event></message>"
        ),
        "{rest}"
    );
}

#[test]
fn what_cti_refuses_comes_as_an_event_in_small_letters() {
    let mut world = World::new(|_| ());
    world.enter(0, 0);
    world.state(0, "1001", "<state>LOGIN</state><extension>99</extension>");
    let told = world.wait(100);
    let payload = texts(&told)[0].replace("&lt;", "<").replace("&gt;", ">");
    assert!(
        payload.contains(
            "<apiErrors><apiError><errorData>260</errorData><errorMessage>CF_INVALID_LOGON_DEVICE_SPECIFIED</errorMessage>\
             <errorType>Invalid Device</errorType><peripheralErrorCode>10125</peripheralErrorCode></apiError></apiErrors>"
        ),
        "{payload}"
    );
    assert!(payload.contains("<event>put</event>"), "{payload}");
}

#[test]
fn requests_are_refused_with_the_documented_errors() {
    let cases: &[(&str, Method, &str, &str, u16, &str)] = &[
        ("1001", Method::Get, "User/1002", "", 401, "Invalid Authorization User Specified"),
        ("1001", Method::Get, "User/9", "", 404, "User Not Found"),
        ("1001", Method::Get, "Nothing", "", 404, "Not Found"),
        ("1001", Method::Get, "User/1001/Nothing", "", 404, "Not Found"),
        ("1001", Method::Get, "", "", 404, "Not Found"),
        ("1001", Method::Other, "User/1001", "", 405, "Method Not Allowed"),
        ("1001", Method::Get, "User/agent1002", "", 401, "Invalid Authorization User Specified"),
        ("1001", Method::Get, "User/agent9", "", 404, "User Not Found"),
        ("1001", Method::Get, "User/1002/Media", "", 401, "Invalid Authorization User Specified"),
        ("1001", Method::Put, "User/1001/Media/5001", "<Media/>", 404, "Not Found"),
        ("1001", Method::Get, "Dialog/5", "", 404, "Dialog Not Found"),
        ("1001", Method::Put, "User/1001", "<User>", 400, "Bad Request"),
        ("1001", Method::Put, "User/1001", "<User><state>LOGIN</state></User>", 400, "Parameter Missing"),
        ("1001", Method::Put, "User/1001", "<User><state>LUNCH</state></User>", 400, "Invalid Input"),
        ("1001", Method::Put, "User/1001", "<User><state>LOGOUT</state></User>", 400, "Invalid State"),
        (
            "1001",
            Method::Put,
            "User/1001",
            "<User><state>LOGIN</state><extension>x</extension></User>",
            400,
            "Bad Request",
        ),
        ("sup2", Method::Put, "User/1001", "<User><state>READY</state></User>", 401, "Invalid Supervisor"),
        (
            "sup1",
            Method::Put,
            "User/1001",
            "<User><state>NOT_READY</state><reasonCodeId>16</reasonCodeId></User>",
            400,
            "Bad Request",
        ),
        ("1001", Method::Put, "User/1001", "<User><state>NOT_READY</state></User>", 400, "Parameter Missing"),
        (
            "1001",
            Method::Post,
            "User/1001/Dialogs",
            "<Dialog><requestedAction>MAKE_CALL</requestedAction><fromAddress>2001</fromAddress><toAddress>1</toAddress></Dialog>",
            401,
            "Invalid State",
        ),
    ];
    for (user, method, path, body, status, kind) in cases {
        let mut world = World::new(|config| config.reasons = Reasons::Both);
        let (found, text) = world.ask(0, user, *method, path, body);
        assert_eq!(found, *status, "{path} {body}: {text}");
        assert!(
            text.contains(&format!("<ApiErrors><ApiError><ErrorType>{kind}</ErrorType><ErrorMessage>")),
            "{path} {body}: {text}"
        );
    }
}

#[test]
fn what_finesse_has_and_the_simulator_has_not_is_said_to_be_so() {
    let mut world = World::new(|_| ());
    for (about, names) in NOT_HERE {
        for name in *names {
            for path in [format!("{name}/1"), format!("User/1001/{name}")] {
                let (status, text) = world.ask(0, "1001", Method::Get, &path, "");
                assert_eq!(status, 501, "{path}: {text}");
                assert!(text.contains("<ErrorType>Not Implemented</ErrorType>") && text.contains(about), "{text}");
            }
        }
    }
    assert_eq!(world.ask_as(0, "1001", "wrong", Method::Get, "Queue/1", "").0, 401, "to nobody else");
}

#[test]
fn an_agent_of_unified_cce_is_found_by_the_login_name() {
    let mut world = World::new(|_| ());
    let (status, text) = world.ask(0, "agent1001", Method::Get, "User/agent1001", "");
    assert_eq!(status, 200);
    assert!(text.contains("<loginId>1001</loginId><loginName>agent1001</loginName>"), "{text}");
    let mut world = World::new(|config| config.deployment = Deployment::Uccx);
    assert_eq!(world.ask(0, "1001", Method::Get, "User/agent1001", "").0, 404);
}

#[test]
fn nobody_has_other_media_than_voice() {
    let mut world = World::new(|_| ());
    assert_eq!(world.ask(0, "1001", Method::Get, "User/1001/Media", ""), (200, "<MediaList/>".to_owned()));
    let mut world = World::new(|config| config.deployment = Deployment::Uccx);
    assert_eq!(world.ask(0, "1001", Method::Get, "User/1001/Media", "").0, 501);
}

#[test]
fn system_info_says_which_cti_server_is_in_use_and_for_how_long() {
    let mut world = World::new(|_| ());
    let servers = |world: &mut World| {
        let info = world.ask(0, "", Method::Get, "SystemInfo", "").1;
        info.split_once("<ctiServers>").unwrap().1.split_once("</ctiServers>").unwrap().0.to_owned()
    };
    let other = "<ctiServer><host>cti-b.localhost</host><connectedDuration>-1</connectedDuration><active>false</active></ctiServer>";
    let ours = |duration: &str, active: &str| {
        format!(
            "<ctiServer><host>cti-a.localhost</host><connectedDuration>{duration}</connectedDuration><active>{active}</active></ctiServer>{other}"
        )
    };
    world.wait(90_000);
    assert_eq!(servers(&mut world), ours("90", "true"));
    world.cluster.set_health(world.now, 0, Service::Cti, Health::Silent);
    world.wait(14_999);
    assert_eq!(servers(&mut world), ours("104", "true"), "nobody has noticed yet");
    world.wait(1);
    assert_eq!(servers(&mut world), ours("-1", "false"));
    world.cluster.set_health(world.now, 0, Service::Cti, Health::Up);
    world.wait(5_000);
    assert_eq!(servers(&mut world), ours("5", "true"));
}

#[test]
fn wrap_up_reasons_are_those_of_the_user_who_asks() {
    let mut world = World::new(|_| ());
    let (status, text) = world.ask(0, "1001", Method::Get, "User/1001/WrapUpReasons", "");
    assert_eq!(status, 200);
    assert!(text.contains("<label>Happy customer</label><forAll>true</forAll></WrapUpReason>"), "{text}");
    assert_eq!(world.ask(0, "1001", Method::Get, "User/1002/WrapUpReasons", "").0, 401);
}

#[test]
fn clocks_of_nodes_are_apart_as_asked() {
    let mut world = World::new(|_| ());
    world.wait(3_600_000);
    world.cluster.node_mut(1).clock_offset = 180_000;
    world.login(0);
    let changed = |world: &mut World, node| {
        let text = world.ask(node, "1001", Method::Get, "User/1001", "").1;
        text.split("<stateChangeTime>").nth(1).unwrap()[..19].to_owned()
    };
    assert_eq!(changed(&mut world, 0), "1970-01-01T01:00:00");
    assert_eq!(changed(&mut world, 1), "1970-01-01T01:03:00");
    let info = world.ask(1, "", Method::Get, "SystemInfo", "").1;
    assert!(info.contains("<currentTimestamp>1970-01-01T01:03:00"), "{info}");
}

#[test]
fn five_wrong_passwords_lock_an_account_for_five_minutes() {
    let mut world = World::new(|_| ());
    for _ in 0..4 {
        assert_eq!(world.ask_as(0, "1001", "wrong", Method::Get, "User/1001", "").0, 401);
    }
    assert_eq!(world.ask(0, "1001", Method::Get, "User/1001", "").0, 200, "four are forgiven");
    for _ in 0..5 {
        assert_eq!(world.ask_as(0, "1001", "wrong", Method::Get, "User/1001", "").0, 401);
    }
    assert_eq!(world.ask(0, "1001", Method::Get, "User/1001", "").0, 401, "the right one is refused, too");
    world.wait(299_999);
    assert_eq!(world.ask(0, "1001", Method::Get, "User/1001", "").0, 401);
    world.wait(1);
    assert_eq!(world.ask(0, "1001", Method::Get, "User/1001", "").0, 200);
}

#[test]
fn whoever_is_gone_for_too_long_is_made_not_ready() {
    for (by_its_own_word, after) in [(true, 60_000), (false, 180_000)] {
        let mut world = World::new(|_| ());
        world.ready(0);
        let session = world.enter(0, 0);
        world.cluster.close_session(world.now, 0, session, by_its_own_word);
        world.wait(after - 1);
        assert_eq!(world.is(0), State::Ready);
        world.wait(1);
        assert_eq!((world.is(0), world.cluster.agents()[0].base.reason()), (State::NotReady, Some(255)));
    }
}

#[test]
fn whoever_comes_back_in_time_stays_but_not_on_another_node() {
    let mut world = World::new(|_| ());
    for (node, stays) in [(0, State::Ready), (1, State::NotReady)] {
        world.ready(0);
        let session = world.enter(0, 0);
        world.cluster.close_session(world.now, 0, session, true);
        world.enter(node, 0);
        world.wait(60_000);
        assert_eq!(world.is(0), stays, "back on node {node}");
    }
}

#[test]
fn load_1_and_unified_ccx_sign_out_even_during_a_call() {
    let ccx = |config: &mut Config| config.deployment = Deployment::Uccx;
    let load = |config: &mut Config| config.logout_on_disconnect = true;
    for change in [ccx as fn(&mut Config), load] {
        let mut world = World::new(change);
        world.talk(0);
        world.cluster.forced_logout(world.now, 0);
        assert_eq!(world.is(0), State::Logout);
    }
    let mut world = World::new(|_| ());
    let call = world.talk(0);
    world.cluster.forced_logout(world.now, 0);
    assert_eq!(world.is(0), State::Talking, "with LOAD 0 the call goes on");
    world.cluster.hang_up_outside(world.now, call).unwrap();
    assert_eq!(world.is(0), State::NotReady);
}

#[test]
fn a_change_during_a_call_waits_for_its_end() {
    let mut world = World::new(|_| ());
    let call = world.talk(0);
    world.state(0, "1001", "<state>NOT_READY</state><reasonCodeId>16</reasonCodeId>");
    world.wait(100);
    assert_eq!(world.is(0), State::Talking);
    assert!(world.ask(0, "1001", Method::Get, "User/1001", "").1.contains("<pendingState>NOT_READY</pendingState>"));
    world.act(0, call, "DROP", "");
    assert_eq!(world.is(0), State::NotReady);
    assert!(
        world.ask(0, "1001", Method::Get, "User/1001", "").1.contains("<reasonCodeId>16</reasonCodeId><ReasonCode>")
    );
}

#[test]
fn a_consult_is_transferred_or_made_a_conference() {
    for (action, expected) in [
        ("TRANSFER", "ACTIVE: 5550000 ACTIVE, 2001 DROPPED, 2002 ACTIVE"),
        ("CONFERENCE", "ACTIVE: 5550000 ACTIVE, 2001 ACTIVE, 2002 ACTIVE"),
    ] {
        let mut world = World::new(|_| ());
        world.login(1);
        let call = world.talk(0);
        world.act(0, call, "CONSULT_CALL", "<toAddress>2002</toAddress>");
        assert_eq!(world.is(0), State::Hold);
        let consult = *world.cluster.calls().keys().last().unwrap();
        assert_eq!(world.parties(call), "ACTIVE: 5550000 ACTIVE, 2001 HELD");
        assert_eq!(world.parties(consult), "ALERTING: 2001 INITIATED, 2002 ALERTING");
        let may = |world: &World| world.cluster.calls()[&call].party("2001").unwrap().actions().len();
        assert_eq!(may(&world), 3, "there is nothing to join yet");
        world.act(1, consult, "ANSWER", "");
        assert_eq!(may(&world), 5);
        world.act(0, call, action, "");
        assert_eq!(world.parties(call), expected);
        assert_eq!(world.parties(consult), "gone");
        assert_eq!(world.cluster.calls()[&call].secondary, Some(consult));
        let (_, text) = world.ask(1, "1002", Method::Get, "User/1002/Dialogs", "");
        assert!(text.contains(&format!("<secondaryId>{consult}</secondaryId>")), "{text}");
    }
}

#[test]
fn mobile_agents_are_known_to_the_node_that_they_signed_in_at() {
    let mut world = World::new(|_| ());
    let mobile = "<mobileAgent><mode>CALL_BY_CALL</mode><dialNumber>5551</dialNumber></mobileAgent>";
    world.state(0, "1001", &format!("<state>LOGIN</state><extension>2001</extension>{mobile}"));
    world.wait(100);
    assert!(world.ask(0, "1001", Method::Get, "User/1001", "").1.contains(mobile));
    assert!(!world.ask(1, "1001", Method::Get, "User/1001", "").1.contains("mobileAgent"));
}

#[test]
fn a_node_without_cti_serves_nobody_and_tells_everything_when_it_is_back() {
    let mut world = World::new(|_| ());
    world.login(0);
    world.enter(0, 0);
    world.cluster.set_health(world.now, 0, Service::Cti, Health::Down);
    let told = world.wait(0);
    assert!(texts(&told)[0].contains("OUT_OF_SERVICE"), "{told:?}");
    let (status, text) = world.ask(0, "1001", Method::Get, "User/1001", "");
    assert_eq!(status, 503);
    assert_eq!(
        text,
        "<ApiErrors><ApiError><ErrorType>Service Unavailable</ErrorType><ErrorMessage>SERVER_OUT_OF_SERVICE</ErrorMessage>\
         <ErrorData/></ApiError></ApiErrors>"
    );
    assert!(world.ask(0, "", Method::Get, "SystemInfo", "").1.contains("<status>OUT_OF_SERVICE</status>"));
    world.state(1, "1001", "<state>READY</state>");
    assert!(world.wait(1_000).is_empty(), "no events");
    world.cluster.set_health(world.now, 0, Service::Cti, Health::Up);
    let told = world.wait(100);
    assert!(texts(&told)[0].contains("&lt;state&gt;READY&lt;/state&gt;"), "the state that was missed: {told:?}");
    assert!(texts(&told)[1].contains("IN_SERVICE"), "{told:?}");
}

#[test]
fn cti_that_says_nothing_is_missed_after_three_heartbeats() {
    let mut world = World::new(|_| ());
    world.cluster.set_health(world.now, 0, Service::Cti, Health::Silent);
    world.wait(14_999);
    assert!(world.cluster.nodes()[0].in_service);
    world.wait(1);
    assert!(!world.cluster.nodes()[0].in_service);
}

#[test]
fn the_presence_of_finesse_is_that_of_tomcat() {
    let mut world = World::new(|_| ());
    world.enter(0, 0);
    world.cluster.set_health(world.now, 0, Service::Tomcat, Health::Down);
    let told = world.wait(0);
    assert_eq!(
        texts(&told),
        ["<presence from=\"finesse@fin-a.test/application\" to=\"1001@fin-a.test/test\" type=\"unavailable\"/>"]
    );
    world.cluster.set_health(world.now, 0, Service::Tomcat, Health::Up);
    let told = world.wait(0);
    assert_eq!(texts(&told)[0], "<presence from=\"finesse@fin-a.test/application\" to=\"1001@fin-a.test/test\"/>");
    assert!(texts(&told)[1].contains("IN_SERVICE"), "then the system: {told:?}");
}

#[test]
fn the_same_full_jid_ends_the_older_session() {
    let mut world = World::new(|_| ());
    let older = world.enter(0, 0);
    world.cluster.open_session(0, 0, "test");
    assert_eq!(world.cluster.outputs(), [Output::Close { session: older, error: Some("conflict") }]);
}

#[test]
fn one_node_of_unified_ccx_serves_and_another_takes_over() {
    let mut world = World::new(|config| config.deployment = Deployment::Uccx);
    let serving = |world: &World| world.cluster.nodes().iter().map(|node| node.in_service).collect::<Vec<_>>();
    assert_eq!(serving(&world), [true, false]);
    world.cluster.set_health(world.now, 0, Service::Cti, Health::Down);
    assert_eq!(serving(&world), [false, true]);
    world.cluster.set_health(world.now, 0, Service::Cti, Health::Up);
    assert_eq!(serving(&world), [false, true], "nobody goes back by itself");
}

#[test]
fn events_are_held_back_and_lost_as_asked() {
    let mut world = World::new(|_| ());
    world.enter(0, 0);
    world.cluster.node_mut(0).event_delay = 5_000;
    world.login(0);
    assert!(world.wait(4_000).is_empty());
    assert_eq!(world.wait(2_000).len(), 1);
    world.cluster.node_mut(0).event_delay = 0;
    world.cluster.node_mut(0).event_loss = 100;
    world.state(0, "1001", "<state>READY</state>");
    assert!(world.wait(10_000).is_empty());
    assert_eq!(world.is(0), State::Ready);
}

#[test]
fn requests_for_one_user_are_dealt_with_in_their_order() {
    let mut world = World::new(|_| ());
    world.enter(0, 0);
    for inside in
        ["<state>LOGIN</state><extension>2001</extension>", "<state>READY</state>", "<state>NOT_READY</state>"]
    {
        assert_eq!(world.state(0, "1001", inside).0, 202);
    }
    let told = world.wait(1_000);
    let states: Vec<&str> = texts(&told)
        .iter()
        .map(|text| text.split("&lt;state&gt;").nth(1).unwrap().split("&lt;").next().unwrap())
        .collect();
    assert_eq!(states, ["NOT_READY", "READY", "NOT_READY"]);
}

#[test]
fn the_journal_has_what_was_accepted_and_nothing_else() {
    let mut world = World::new(|_| ());
    world.ready(0);
    assert_eq!(world.state(0, "1001", "<state>NOT_READY</state><reasonCodeId>999999</reasonCodeId>").0, 400);
    assert_eq!(world.ask_as(0, "1001", "wrong", Method::Put, "User/1001", "<User><state>READY</state></User>").0, 401);
    assert_eq!(world.state(1, "1001", "<state>NOT_READY</state><reasonCodeId>16</reasonCodeId>").0, 202);
    assert_eq!(world.ask(0, "1001", Method::Get, "User/1001", "").0, 200);
    let said = |world: &World, behind| -> Vec<String> {
        let entries = world.cluster.journal(behind);
        let line = |e: &Entry| {
            format!("{} {} {} {} {:?} {:?}", e.number, e.node, e.agent, e.what, e.of.as_deref(), e.request.as_deref())
        };
        entries.map(line).collect()
    };
    assert_eq!(
        said(&world, 0),
        [
            r#"1 0 1001 LOGIN Some("2001") Some("r-7")"#,
            r#"2 0 1001 READY None Some("r-7")"#,
            r#"3 1 1001 NOT_READY Some("1") Some("r-7")"#
        ]
    );
    assert_eq!(said(&world, 2).len(), 1);
}

#[test]
fn the_journal_is_bounded_and_shows_its_gap() {
    let mut world = World::new(|_| ());
    world.login(0);
    for _ in 0..KEPT {
        assert_eq!(world.state(0, "1001", "<state>NOT_READY</state>").0, 202);
        world.wait(100);
    }
    assert_eq!(world.cluster.journal(0).count(), KEPT);
    assert_eq!(world.cluster.journal(0).next().unwrap().number, 2);
}
