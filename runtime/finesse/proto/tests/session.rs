//! One agent's session, case by case.

mod support;

use std::time::Duration;

use support::{Dice, ms, secs};
use topoc_finesse_proto::cluster::{Deployment, NodeId, Sign};
use topoc_finesse_proto::dialog::{CallVariable, Dialog, MediaProperties, Participant, ParticipantState};
use topoc_finesse_proto::notification;
use topoc_finesse_proto::reason_code::ReasonCode;
use topoc_finesse_proto::session::{
    Answer, Ask, Attempt, CLOSE_WITHIN, Change, Connection, End, Event, FORCED_WITHIN, LATE, Loss, Notice, OPEN_WITHIN,
    Order, Phase, Refusal, Request, Session, SignIn, TRANSITIONS, Wish,
};
use topoc_finesse_proto::user::{MobileAgent, MobileMode, User, UserState};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);

struct Room {
    session: Session,
    dice: Dice,
    now: Duration,
    /// What was ordered and not looked at yet.
    orders: Vec<Order>,
}

fn sign_in() -> SignIn {
    SignIn { extension: "2001".to_owned(), mobile: None }
}

/// A time of change, by the second.
fn at(second: u64) -> Option<String> {
    Some(format!("2026-01-01T08:{:02}:{:02}.000Z", second / 60, second % 60))
}

fn user(state: UserState, code: Option<i64>, second: u64) -> User {
    User {
        login_id: Some("1001".to_owned()),
        extension: (state != UserState::Logout).then(|| "2001".to_owned()),
        state: Some(state),
        state_change_time: at(second),
        reason_code_id: Some(code.unwrap_or(-1)),
        reason_code: code.map(|code| ReasonCode { code: Some(code), ..ReasonCode::default() }),
        ..User::default()
    }
}

fn call(id: &str, state: ParticipantState, second: u64) -> Dialog {
    let participant = Participant {
        media_address: Some("2001".to_owned()),
        state: Some(state),
        state_change_time: at(second),
        ..Participant::default()
    };
    Dialog { own_id: Some(id.to_owned()), participants: vec![participant], ..Dialog::default() }
}

fn changed(user: User) -> notification::Event {
    notification::Event::UserChanged(Box::new(user))
}

fn removed(id: &str) -> notification::Event {
    notification::Event::DialogRemoved { id: id.to_owned(), dialog: None }
}

impl Room {
    fn of(deployment: Deployment, sign_in: Option<SignIn>) -> Self {
        let (session, dice) = (Session::new(deployment), Dice::new(5));
        let mut room = Self { session, dice, now: secs(100), orders: Vec::new() };
        room.tell(Event::Start(sign_in));
        room.tell(Event::Use(A, ms(0)));
        room
    }

    /// At the first server, with everything read: ready, in no call.
    fn live() -> Self {
        let mut room = Self::of(Deployment::Ucce, Some(sign_in()));
        room.opens();
        room.reads(user(UserState::Ready, None, 10), vec![]);
        room.orders.clear();
        // Events that are older than the answer come no more.
        room.pass(LATE);
        room
    }

    fn tell(&mut self, event: Event) {
        let orders = self.session.handle(self.now, event, &mut self.dice);
        self.orders.extend(orders);
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.session.wakes_at().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.tell(Event::Timer);
        }
        self.now = end;
    }

    /// Takes the last order to open a session.
    fn opening(&mut self) -> (Attempt, NodeId) {
        let open = |order: &Order| if let Order::Open(attempt, node) = order { Some((*attempt, *node)) } else { None };
        let place = self.orders.iter().rposition(|order| open(order).is_some());
        let order = self.orders.remove(place.unwrap_or_else(|| panic!("{:?}", self.orders)));
        open(&order).unwrap_or_else(|| unreachable!("it was found by this"))
    }

    fn opens(&mut self) -> Attempt {
        let (attempt, _) = self.opening();
        self.tell(Event::Opened(attempt));
        attempt
    }

    /// Takes the last request.
    fn asked(&mut self) -> (Request, NodeId, Ask) {
        let ask = |order: &Order| match order {
            Order::Ask(request, node, ask) => Some((*request, *node, ask.clone())),
            _ => None,
        };
        let place = self.orders.iter().rposition(|order| ask(order).is_some());
        let order = self.orders.remove(place.unwrap_or_else(|| panic!("{:?}", self.orders)));
        ask(&order).unwrap_or_else(|| unreachable!("it was found by this"))
    }

    /// Takes the last request, which is this one, and answers it.
    fn answers(&mut self, expected: &Ask, answer: Answer) {
        let (request, _, ask) = self.asked();
        assert_eq!(&ask, expected);
        self.tell(Event::Answered(request, answer));
    }

    fn reads(&mut self, user: User, dialogs: Vec<Dialog>) {
        self.answers(&Ask::User, Answer::User(Box::new(user)));
        self.answers(&Ask::Dialogs, Answer::Dialogs(dialogs));
    }

    fn hears(&mut self, event: notification::Event) {
        let (attempt, _) = self.session.open().unwrap_or_else(|| panic!("no session: {:?}", self.session.phase()));
        self.tell(Event::Notified(attempt, Notice::Update(event)));
    }

    /// What was published since the last look, in short words.
    fn published(&mut self) -> Vec<String> {
        let words = |order: &Order| match order {
            Order::Publish(Change::Agent(user)) => user.state.as_ref().map(ToString::to_string),
            Order::Publish(Change::DialogAdded(dialog)) => dialog.id().map(|id| format!("+{id}")),
            Order::Publish(Change::DialogChanged(dialog)) => dialog.id().map(|id| format!("~{id}")),
            Order::Publish(Change::DialogRemoved(id)) => Some(format!("-{id}")),
            Order::Publish(Change::Connection(connection)) => Some(format!("{connection:?}")),
            _ => None,
        };
        let published = self.orders.iter().filter_map(words).collect();
        self.orders.retain(|order| !matches!(order, Order::Publish(_)));
        published
    }

    fn signs(&self) -> Vec<(NodeId, Sign)> {
        let sign = |order: &Order| if let Order::Tell(node, sign) = order { Some((*node, sign.clone())) } else { None };
        self.orders.iter().filter_map(sign).collect()
    }

    fn asks(&self) -> usize {
        self.orders.iter().filter(|order| matches!(order, Order::Ask(..))).count()
    }

    fn breaks(&mut self) {
        let (attempt, _) = self.session.open().unwrap_or_else(|| panic!("no session: {:?}", self.session.phase()));
        self.tell(Event::Lost(attempt, Loss::Broken));
    }
}

#[test]
fn notifications_then_the_agent_then_the_calls() {
    let mut room = Room::of(Deployment::Ucce, Some(sign_in()));
    let (attempt, node) = room.opening();
    assert_eq!((node, room.asks()), (A, 0), "nothing is asked before the session is open");
    room.tell(Event::Opened(attempt));
    assert_eq!(room.session.phase(), Phase::ReadingUser);
    room.answers(&Ask::User, Answer::User(Box::new(user(UserState::Talking, None, 10))));
    room.answers(&Ask::Dialogs, Answer::Dialogs(vec![call("7", ParticipantState::Active, 10)]));
    assert_eq!(room.published(), ["TALKING", "+7", "Live(NodeId(0))"]);
}

#[test]
fn only_differences_are_published_after_a_switch() {
    let mut room = Room::live();
    room.hears(notification::Event::DialogAdded(Box::new(call("1", ParticipantState::Active, 20))));
    room.hears(notification::Event::DialogAdded(Box::new(call("2", ParticipantState::Held, 21))));
    room.hears(changed(user(UserState::Talking, None, 20)));
    room.published();
    room.breaks();
    room.tell(Event::Use(B, ms(500)));
    room.pass(ms(500));
    room.opens();
    // The other server's clock is an hour behind, its list is in another order, and its names of things are its own.
    let same = Dialog { participants: vec![], ..call("1", ParticipantState::Active, 0) };
    let participant = Participant {
        state_change_time: Some("2026-01-01T07:00:00.000Z".to_owned()),
        ..call("1", ParticipantState::Active, 0).participants[0].clone()
    };
    let same = Dialog { participants: vec![participant], ..same };
    let agent =
        User { state_change_time: Some("2026-01-01T07:00:00.000Z".to_owned()), ..user(UserState::Talking, None, 0) };
    room.reads(agent, vec![call("3", ParticipantState::Active, 1), same]);
    assert_eq!(room.published(), ["Interrupted", "-2", "+3", "Live(NodeId(1))"]);
}

#[test]
fn an_event_that_came_before_the_question_is_older_than_the_answer() {
    let mut room = Room::of(Deployment::Ucce, Some(sign_in()));
    room.opens();
    room.hears(notification::Event::DialogAdded(Box::new(call("1", ParticipantState::Active, 9))));
    room.reads(user(UserState::Ready, None, 10), vec![]);
    assert_eq!(room.published(), ["READY", "Live(NodeId(0))"]);
}

#[test]
fn an_event_that_is_newer_than_the_answer_is_not_overwritten_by_it() {
    let mut room = Room::of(Deployment::Ucce, Some(sign_in()));
    room.opens();
    // It overtakes the answer, which was made before it.
    room.hears(changed(user(UserState::NotReady, Some(3), 12)));
    room.answers(&Ask::User, Answer::User(Box::new(user(UserState::Ready, None, 10))));
    room.hears(removed("1"));
    room.answers(&Ask::Dialogs, Answer::Dialogs(vec![call("1", ParticipantState::Active, 10)]));
    assert_eq!(room.published(), ["READY", "NOT_READY", "+1", "-1", "Live(NodeId(0))"]);
}

#[test]
fn an_event_that_is_older_than_the_answer_changes_nothing() {
    let mut room = Room::of(Deployment::Ucce, Some(sign_in()));
    room.opens();
    room.hears(changed(user(UserState::NotReady, Some(3), 8)));
    room.reads(user(UserState::Ready, None, 10), vec![call("1", ParticipantState::Held, 10)]);
    // Late ones.
    room.hears(changed(user(UserState::Talking, None, 9)));
    room.hears(notification::Event::DialogChanged(Box::new(call("1", ParticipantState::Active, 9))));
    assert_eq!(room.published(), ["READY", "+1", "Live(NodeId(0))"]);
    assert_eq!(room.session.phase(), Phase::Live);
}

#[test]
fn where_times_do_not_tell_everything_is_read_again() {
    // A call that is unknown may be new, or over; variables of a call change without a time.
    let variable = CallVariable { name: "callVariable1".to_owned(), value: "gold".to_owned() };
    let properties = MediaProperties { call_variables: vec![variable], ..MediaProperties::default() };
    let told = Dialog { media_properties: Some(properties), ..call("1", ParticipantState::Active, 10) };
    let pending = User { pending_state: Some(UserState::NotReady), ..user(UserState::Talking, None, 10) };
    let unclear = [
        notification::Event::DialogAdded(Box::new(call("2", ParticipantState::Active, 12))),
        notification::Event::DialogChanged(Box::new(told)),
        changed(pending),
    ];
    for event in unclear {
        let mut room = Room::of(Deployment::Ucce, Some(sign_in()));
        room.opens();
        room.reads(user(UserState::Talking, None, 10), vec![call("1", ParticipantState::Active, 10)]);
        room.published();
        room.hears(event);
        assert_eq!(room.published(), Vec::<String>::new());
        room.pass(ms(500));
        room.reads(user(UserState::Talking, None, 10), vec![]);
        assert_eq!(room.published(), ["-1"], "what is read decides");
    }
}

#[test]
fn what_is_heard_twice_is_published_once() {
    let mut room = Room::live();
    for _ in 0..3 {
        room.hears(changed(user(UserState::Talking, None, 20)));
        room.hears(notification::Event::DialogAdded(Box::new(call("1", ParticipantState::Active, 20))));
    }
    (0..2).for_each(|_| room.hears(removed("1")));
    assert_eq!(room.published(), ["TALKING", "+1", "-1"]);
}

#[test]
fn more_events_than_are_kept_are_read_again() {
    let mut room = Room::of(Deployment::Ucce, Some(sign_in()));
    room.opens();
    room.answers(&Ask::User, Answer::User(Box::new(user(UserState::Ready, None, 10))));
    (0..1000).for_each(|number| room.hears(removed(&number.to_string())));
    room.answers(&Ask::Dialogs, Answer::Dialogs(vec![]));
    room.pass(ms(500));
    assert_eq!(room.session.phase(), Phase::ReadingUser);
}

#[test]
fn the_old_session_is_closed_before_the_new_one_is_opened() {
    let mut room = Room::live();
    let (old, _) = room.session.open().unwrap_or_else(|| unreachable!("it is live"));
    room.tell(Event::Use(B, ms(0)));
    assert_eq!(
        room.orders.iter().filter(|order| matches!(order, Order::Close(_) | Order::Open(..))).collect::<Vec<_>>(),
        [&Order::Close(old)]
    );
    room.tell(Event::Closed(old));
    assert_eq!(room.opening().1, B);
    assert!(room.signs().contains(&(A, Sign::Closed)));
}

#[test]
fn a_silent_old_session_is_dropped() {
    let mut room = Room::live();
    let (old, _) = room.session.open().unwrap_or_else(|| unreachable!("it is live"));
    room.tell(Event::Use(B, ms(0)));
    room.pass(CLOSE_WITHIN - ms(1));
    assert!(!room.orders.contains(&Order::Drop(old)));
    room.pass(ms(1));
    assert!(room.orders.contains(&Order::Drop(old)));
    room.opens();
    room.published();
    room.tell(Event::Notified(old, Notice::Update(changed(user(UserState::Talking, None, 60)))));
    room.tell(Event::Notified(old, Notice::Presence(false)));
    room.tell(Event::Lost(old, Loss::Conflict));
    assert_eq!(room.published(), Vec::<String>::new(), "what comes over it is nothing any more");
    assert_eq!(room.session.phase(), Phase::ReadingUser);
    assert!(!room.signs().contains(&(A, Sign::Presence(false))));
}

#[test]
fn a_session_that_does_not_open_is_dropped_and_tried_again_later_and_later() {
    let mut room = Room::of(Deployment::Ucce, Some(sign_in()));
    let (attempt, _) = room.opening();
    room.pass(OPEN_WITHIN);
    assert!(room.orders.contains(&Order::Drop(attempt)));
    assert!(room.signs().contains(&(A, Sign::Refused)));
    let mut waits = Vec::new();
    for _ in 0..40 {
        let since = room.now;
        while room.session.phase() == Phase::Waiting {
            room.pass(ms(10));
        }
        waits.push(room.now - since);
        let (attempt, _) = room.opening();
        room.tell(Event::NotOpened(attempt, Refusal::Unreachable));
    }
    assert!(waits[0] <= ms(1010) && waits[1] <= ms(2010), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= secs(31)), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait > secs(15)), "{waits:?}");
    assert!(waits[10..].iter().any(|wait| *wait < secs(10)), "full jitter: {waits:?}");
}

#[test]
fn a_wrong_password_is_never_tried_again() {
    let mut room = Room::of(Deployment::Ucce, Some(sign_in()));
    let (attempt, _) = room.opening();
    room.tell(Event::NotOpened(attempt, Refusal::Unauthorized));
    assert_eq!(room.published(), ["Ended(WrongPassword)"]);
    room.tell(Event::Use(B, ms(0)));
    room.pass(secs(86_400));
    assert_eq!(room.session.phase(), Phase::Ended);
    assert!(!room.orders.iter().any(|order| matches!(order, Order::Open(..))));
    room.tell(Event::Start(None));
    assert_eq!(room.opening().1, B, "a new password is");
}

#[test]
fn a_password_that_was_right_has_a_second_try_and_no_third() {
    let mut room = Room::live();
    room.breaks();
    room.pass(secs(1));
    let (attempt, _) = room.opening();
    room.tell(Event::NotOpened(attempt, Refusal::Unauthorized));
    room.pass(secs(19));
    assert_eq!(room.session.phase(), Phase::Waiting);
    room.pass(secs(21));
    let (attempt, _) = room.opening();
    room.tell(Event::NotOpened(attempt, Refusal::Unauthorized));
    assert_eq!(room.session.connection(), Some(Connection::Ended(End::WrongPassword)));
    // The same for requests.
    let mut room = Room::of(Deployment::Ucce, Some(sign_in()));
    room.opens();
    room.answers(&Ask::User, Answer::Unauthorized);
    room.pass(secs(19));
    assert_eq!(room.asks(), 0);
    room.pass(secs(1));
    room.answers(&Ask::User, Answer::Unauthorized);
    assert_eq!(room.session.connection(), Some(Connection::Ended(End::WrongPassword)));
    assert!(room.orders.iter().any(|order| matches!(order, Order::Close(_))));
}

#[test]
fn without_a_token_that_is_accepted_there_is_no_second_try() {
    let mut live = Room::live();
    live.tell(Event::Barred);
    let mut opening = Room::live();
    opening.breaks();
    opening.pass(secs(1));
    opening.opening();
    opening.tell(Event::Barred);
    for mut room in [live, opening] {
        assert_eq!(room.published().last().map(String::as_str), Some("Ended(WrongPassword)"));
        room.pass(secs(600));
        assert_eq!(room.session.phase(), Phase::Ended);
        room.tell(Event::Barred);
        assert_eq!(room.published(), Vec::<String>::new(), "once");
    }
}

#[test]
fn without_a_token_for_now_the_session_is_opened_again_and_the_server_is_not_blamed() {
    let mut room = Room::live();
    room.breaks();
    for _ in 0..3 {
        room.pass(secs(5));
        let (attempt, _) = room.opening();
        room.orders.clear();
        room.tell(Event::NotOpened(attempt, Refusal::NoToken));
        assert_eq!(room.session.phase(), Phase::Waiting);
        assert_eq!(room.signs(), []);
    }
}

#[test]
fn who_takes_the_session_over_has_it() {
    let mut room = Room::live();
    let (attempt, _) = room.session.open().unwrap_or_else(|| unreachable!("it is live"));
    room.tell(Event::Lost(attempt, Loss::Conflict));
    assert_eq!(room.published(), ["Ended(Taken)"]);
    room.tell(Event::Use(B, ms(0)));
    room.pass(secs(600));
    assert_eq!(room.session.phase(), Phase::Ended);
    assert!(!room.orders.iter().any(|order| matches!(order, Order::Open(..))));
}

#[test]
fn a_conflict_with_a_session_of_ones_own_that_the_server_still_believes_in_passes() {
    let mut room = Room::live();
    room.breaks();
    room.pass(secs(1));
    let (attempt, _) = room.opening();
    room.tell(Event::NotOpened(attempt, Refusal::Conflict));
    assert_eq!(room.session.phase(), Phase::Waiting);
    let mut fresh = Room::of(Deployment::Ucce, Some(sign_in()));
    let (attempt, _) = fresh.opening();
    fresh.tell(Event::NotOpened(attempt, Refusal::Conflict));
    assert_eq!(fresh.session.connection(), Some(Connection::Ended(End::Taken)));
}

/// Moves to the second server, and is live there.
fn switched() -> Room {
    let mut room = Room::live();
    room.breaks();
    room.tell(Event::Use(B, ms(0)));
    room.opens();
    room.reads(user(UserState::Ready, None, 10), vec![]);
    room.pass(LATE);
    room.orders.clear();
    room
}

#[test]
fn a_late_forced_logout_is_undone() {
    let mut room = switched();
    room.pass(FORCED_WITHIN - secs(10));
    room.hears(changed(user(UserState::Logout, Some(255), 200)));
    assert_eq!(room.session.phase(), Phase::SigningIn);
    room.answers(&Ask::SignIn(sign_in()), Answer::Accepted);
    room.hears(changed(user(UserState::NotReady, None, 201)));
    room.pass(secs(2));
    room.answers(&Ask::Ready, Answer::Accepted);
    room.hears(changed(user(UserState::Ready, None, 202)));
    assert_eq!(room.published(), ["LOGOUT", "NOT_READY", "READY"]);
    assert_eq!(room.session.phase(), Phase::Live);
    room.pass(secs(600));
    assert_eq!(room.asks(), 0, "and that was all");
}

#[test]
fn a_forced_change_to_not_ready_is_undone_with_the_reason_from_before() {
    let mut room = switched();
    room.tell(Event::Wished(Wish::NotReady(Some(4))));
    room.hears(changed(user(UserState::NotReady, Some(4), 100)));
    room.hears(changed(user(UserState::NotReady, Some(255), 101)));
    room.answers(&Ask::NotReady(Some(4)), Answer::Accepted);
    room.hears(changed(user(UserState::NotReady, Some(4), 102)));
    assert_eq!(room.session.phase(), Phase::Live);
}

#[test]
fn what_a_request_does_that_was_given_up_is_not_taken_for_the_agents_choice() {
    let mut room = switched();
    room.tell(Event::Wished(Wish::NotReady(Some(4))));
    room.hears(changed(user(UserState::NotReady, Some(4), 100)));
    room.hears(changed(user(UserState::NotReady, Some(255), 101)));
    assert_eq!(room.asked().2, Ask::NotReady(Some(4)));
    // Before it is answered everybody moves, and then the agent chooses to be ready.
    room.tell(Event::Use(A, ms(0)));
    room.pass(CLOSE_WITHIN);
    room.opens();
    room.reads(user(UserState::NotReady, Some(255), 101), vec![]);
    room.tell(Event::Wished(Wish::Ready));
    room.hears(changed(user(UserState::Ready, None, 102)));
    room.hears(changed(user(UserState::NotReady, Some(4), 103)));
    room.pass(secs(1));
    room.answers(&Ask::Ready, Answer::Accepted);
    room.hears(changed(user(UserState::Ready, None, 104)));
    assert_eq!(room.session.phase(), Phase::Live);
    // Much later, or for another reason, it is their choice.
    room.hears(changed(user(UserState::NotReady, Some(5), 105)));
    room.pass(secs(20));
    room.hears(changed(user(UserState::NotReady, Some(4), 120)));
    room.pass(secs(20));
    assert_eq!(room.asks(), 0);
}

#[test]
fn to_be_made_ready_late_is_undone_where_the_agent_has_chosen_not_to_be() {
    for reason in [Some(4), None] {
        let mut room = switched();
        room.hears(changed(user(UserState::NotReady, Some(255), 101)));
        room.pass(secs(1));
        assert_eq!(room.asked().2, Ask::Ready);
        // Before it is answered everybody moves, and then the agent chooses not to be ready.
        room.tell(Event::Use(A, ms(0)));
        room.pass(CLOSE_WITHIN);
        room.opens();
        room.reads(user(UserState::NotReady, Some(255), 101), vec![]);
        // And again, which their choice overtakes.
        assert_eq!(room.asked().2, Ask::Ready);
        room.tell(Event::Wished(Wish::NotReady(reason)));
        room.hears(changed(user(UserState::NotReady, reason, 102)));
        room.hears(changed(user(UserState::Ready, None, 103)));
        room.pass(secs(3));
        room.answers(&Ask::NotReady(reason), Answer::Accepted);
        room.hears(changed(user(UserState::NotReady, reason, 104)));
        assert_eq!(room.session.phase(), Phase::Live);
        // Whatever comes then, the agent wants.
        room.hears(changed(user(UserState::Ready, None, 105)));
        room.pass(secs(20));
        assert_eq!(room.asks(), 0);
    }
}

#[test]
fn a_forced_change_that_waits_for_the_end_of_a_call_is_undone_then() {
    let pending = |second| User { pending_state: Some(UserState::NotReady), ..user(UserState::Talking, None, second) };
    let mut room = switched();
    room.hears(changed(user(UserState::Talking, None, 100)));
    room.hears(changed(pending(100)));
    room.hears(changed(user(UserState::NotReady, Some(255), 110)));
    room.pass(secs(2));
    assert_eq!(room.asked().2, Ask::Ready);
    // Long after every session that ended, it can only be somebody's wish.
    let mut wish = switched();
    wish.pass(FORCED_WITHIN + LATE);
    wish.hears(changed(pending(300)));
    wish.hears(changed(user(UserState::NotReady, Some(255), 310)));
    wish.pass(secs(60));
    assert!(!wish.orders.iter().any(|order| matches!(order, Order::Ask(_, _, Ask::Ready))), "{:?}", wish.orders);
}

#[test]
fn an_event_from_before_a_wish_says_nothing_of_the_wish() {
    let mut room = switched();
    room.tell(Event::Wished(Wish::NotReady(Some(4))));
    // It was on its way when the agent spoke, and what the agent then became is never heard of.
    let before = User { extension: Some("2002".to_owned()), ..user(UserState::Ready, None, 100) };
    room.hears(changed(before));
    room.pass(secs(20));
    room.hears(changed(user(UserState::NotReady, Some(255), 110)));
    assert_eq!(room.asked().2, Ask::NotReady(Some(4)));
}

#[test]
fn signing_out_is_the_agents_own_right_and_a_supervisors() {
    let mut own = switched();
    own.tell(Event::Wished(Wish::SignedOut));
    own.hears(changed(user(UserState::Logout, None, 100)));
    let mut forced_after = switched();
    forced_after.tell(Event::Wished(Wish::SignedOut));
    forced_after.hears(changed(user(UserState::Logout, Some(255), 100)));
    let mut supervisor = switched();
    supervisor.hears(changed(user(UserState::Logout, Some(999), 100)));
    let mut not_ready = switched();
    not_ready.hears(changed(user(UserState::NotReady, Some(999), 100)));
    for mut room in [own, forced_after, supervisor, not_ready] {
        room.pass(secs(60));
        assert_eq!(room.asks(), 0);
    }
}

#[test]
fn a_logout_without_a_reason_is_forced_only_soon_after_the_end_of_a_session() {
    for (after, asks) in [(secs(170), 1), (secs(190), 0)] {
        let mut room = switched();
        room.pass(after);
        room.hears(changed(user(UserState::Logout, None, 200)));
        assert_eq!(room.asks(), asks, "{after:?}");
    }
}

#[test]
fn what_is_found_after_a_switch_is_mended_too() {
    let mut room = Room::live();
    room.breaks();
    room.tell(Event::Use(B, ms(0)));
    room.opens();
    room.reads(user(UserState::Logout, Some(255), 10), vec![]);
    assert_eq!(room.asked().2, Ask::SignIn(sign_in()));
}

#[test]
fn forced_logouts_are_undone_for_ever_and_more_and_more_slowly() {
    let mut room = switched();
    let mut second = 100;
    let mut waits = Vec::new();
    for _ in 0..12 {
        let since = room.now;
        room.hears(changed(user(UserState::Logout, Some(255), second)));
        while room.session.phase() != Phase::SigningIn {
            room.pass(ms(50));
        }
        waits.push(room.now - since);
        room.answers(&Ask::SignIn(sign_in()), Answer::Accepted);
        room.hears(changed(user(UserState::Ready, None, second + 1)));
        second += 2;
    }
    assert!(waits[0] < ms(10) && waits[11] > secs(10) && waits.iter().all(|wait| *wait <= secs(31)), "{waits:?}");
}

#[test]
fn a_restoration_that_is_refused_again_and_again_is_given_up() {
    let mut room = switched();
    room.hears(changed(user(UserState::NotReady, Some(255), 100)));
    for _ in 0..5 {
        room.answers(&Ask::Ready, Answer::Refused("Invalid State".to_owned()));
        while room.asks() == 0 {
            room.pass(ms(50));
        }
        room.reads(user(UserState::NotReady, Some(255), 100), vec![]);
    }
    room.pass(secs(600));
    assert_eq!((room.asks(), room.session.phase()), (0, Phase::Live));
    assert!(room.orders.iter().any(|order| matches!(order, Order::Warn(text) if text.contains("Invalid State"))));
}

/// A mobile agent whom the second server does not know as one.
fn phoneless() -> (Room, SignIn, User) {
    let mobile = MobileAgent { mode: Some(MobileMode::CallByCall), dial_number: Some("555".to_owned()) };
    let sign_in = SignIn { extension: "2001".to_owned(), mobile: Some(mobile.clone()) };
    let known = User { mobile_agent: Some(mobile), ..user(UserState::Ready, None, 10) };
    let mut room = Room::of(Deployment::Ucce, Some(sign_in.clone()));
    room.opens();
    room.reads(known.clone(), vec![]);
    assert_eq!(room.asks(), 0);
    room.breaks();
    room.tell(Event::Use(B, ms(0)));
    room.opens();
    room.reads(user(UserState::Ready, None, 10), vec![]);
    (room, sign_in, known)
}

#[test]
fn a_mobile_agent_is_signed_in_again_at_another_server() {
    let (mut room, sign_in, known) = phoneless();
    room.answers(&Ask::SignIn(sign_in), Answer::Accepted);
    room.pass(secs(1));
    room.hears(changed(User { state_change_time: at(20), ..known }));
    room.pass(secs(60));
    assert_eq!((room.asks(), room.session.phase()), (0, Phase::Live));
}

#[test]
fn a_sign_in_of_a_mobile_agent_that_is_not_served_is_tried_again() {
    let (mut room, sign_in, known) = phoneless();
    room.answers(&Ask::SignIn(sign_in.clone()), Answer::Unserved);
    room.pass(secs(2));
    room.reads(user(UserState::Ready, None, 10), vec![]);
    room.pass(secs(2));
    room.answers(&Ask::SignIn(sign_in), Answer::Accepted);
    room.hears(changed(User { state_change_time: at(20), ..known }));
    assert_eq!(room.session.phase(), Phase::Live);
}

#[test]
fn a_server_that_does_not_tell_of_a_phone_is_asked_once_more_how_the_agent_is() {
    let (mut room, sign_in, _) = phoneless();
    room.answers(&Ask::SignIn(sign_in), Answer::Accepted);
    assert_eq!(room.session.phase(), Phase::SigningIn);
    room.pass(secs(5));
    room.reads(user(UserState::Ready, None, 10), vec![]);
    room.pass(secs(60));
    assert_eq!((room.asks(), room.session.phase()), (0, Phase::Live));
}

#[test]
fn in_uccx_agent_logon_is_what_a_failover_leaves() {
    let reason = ReasonCode { label: Some("Agent Logon".to_owned()), system_code: Some(true), ..ReasonCode::default() };
    let left = User { reason_code: Some(reason), ..user(UserState::NotReady, None, 50) };
    for (deployment, asks) in [(Deployment::Ucce, 0), (Deployment::Uccx, 1)] {
        let mut room = Room::of(deployment, Some(sign_in()));
        room.opens();
        room.reads(user(UserState::Ready, None, 10), vec![]);
        room.pass(LATE);
        room.hears(changed(left.clone()));
        assert_eq!(room.asks(), asks, "{deployment:?}");
    }
}

#[test]
fn while_the_server_is_out_of_service_nothing_is_asked_and_afterwards_all() {
    let mut room = Room::live();
    room.tell(Event::Interrupted(A));
    assert_eq!(room.published(), ["Interrupted"]);
    room.pass(secs(120));
    assert_eq!((room.asks(), room.session.phase()), (0, Phase::Live), "the session stays");
    room.tell(Event::Use(A, secs(1)));
    room.pass(secs(1));
    room.reads(user(UserState::Ready, None, 10), vec![call("1", ParticipantState::Active, 11)]);
    assert_eq!(room.published(), ["+1", "Live(NodeId(0))"]);
}

#[test]
fn requests_that_fail_are_sent_again_and_told_to_the_cluster() {
    let mut room = Room::of(Deployment::Ucce, Some(sign_in()));
    room.opens();
    room.answers(&Ask::User, Answer::Unserved);
    assert!(room.signs().contains(&(A, Sign::Amiss)));
    room.pass(secs(1));
    let (request, ..) = room.asked();
    room.pass(secs(4));
    assert!(room.orders.contains(&Order::Abandon(request)), "no answer in time");
    room.pass(secs(2));
    room.reads(user(UserState::Ready, None, 10), vec![]);
    room.tell(Event::Answered(request, Answer::User(Box::new(user(UserState::Logout, None, 1)))));
    assert_eq!(room.published(), ["READY", "Live(NodeId(0))"]);
}

#[test]
fn in_a_call_an_agent_leaves_a_server_in_maintenance_later() {
    let mut room = Room::live();
    room.hears(notification::Event::DialogAdded(Box::new(call("1", ParticipantState::Active, 20))));
    room.tell(Event::Drain(B, secs(1), secs(300)));
    room.pass(secs(200));
    assert_eq!(room.session.phase(), Phase::Live);
    room.hears(removed("1"));
    assert_eq!(room.session.phase(), Phase::Closing);
}

#[test]
fn stopping_closes_the_session() {
    let mut room = Room::live();
    let (attempt, _) = room.session.open().unwrap_or_else(|| unreachable!("it is live"));
    room.tell(Event::Stop);
    assert!(room.orders.contains(&Order::Close(attempt)));
    assert_eq!((room.session.phase(), room.session.wakes_at()), (Phase::Stopped, None));
    room.orders.clear();
    room.tell(Event::Start(None));
    room.tell(Event::Use(B, ms(0)));
    room.pass(secs(60));
    assert_eq!(room.orders, []);
}

#[test]
fn no_two_rows_of_the_table_contradict_each_other() {
    let mut rows: Vec<_> = TRANSITIONS.iter().map(|(from, cause, _)| (from, cause)).collect();
    rows.sort();
    rows.dedup();
    assert_eq!(rows.len(), TRANSITIONS.len());
}
