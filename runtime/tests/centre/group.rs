//! Four agents of two clients, who go through the course together.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;
use topoc_core::command::{Kind, Subject};
use topoc_finesse_proto::session::LATE;
use topoc_lab::PATIENCE;
use topoc_openwire::Outgoing;
use topoc_stage::Stage;

use crate::course::{Course, FORMS, Form, PARTS, Step, Used, written};
use crate::desk::{Desk, Mail, next};
use crate::shown::{Names, shown};

/// An agent at their desk.
struct Seat {
    agent: String,
    extension: String,
    desk: Arc<Desk>,
    mail: Mail,
    /// How many events were told of them.
    sequence: u64,
    /// That of the first event: the connector was never started again.
    epoch: Option<Value>,
}

/// Four agents.
pub(crate) struct Group {
    index: usize,
    seats: [Seat; 4],
    names: Parts,
    /// Steps so far, of all casts: each takes another form.
    steps: usize,
    used: Used,
    /// Answers and events that came.
    told: usize,
    /// When the last session was told to be there.
    live: Instant,
}

/// Who plays which part now, and what calls are called.
struct Parts {
    /// The places of the seats of A, B, C and D.
    cast: [usize; 4],
    extensions: [String; 4],
    /// The ids of calls, in the order in which they were first told.
    calls: Vec<String>,
}

impl Names for Parts {
    fn phone(&self, number: &str) -> String {
        let seat = self.extensions.iter().position(|extension| extension == number);
        let part = seat.and_then(|seat| self.cast.iter().position(|one| *one == seat));
        part.map_or(number, |part| PARTS[part]).to_owned()
    }

    fn call(&mut self, id: &str) -> String {
        let known = self.calls.iter().position(|call| call == id).unwrap_or_else(|| {
            self.calls.push(id.to_owned());
            self.calls.len() - 1
        });
        format!("call-{}", known + 1)
    }
}

/// Has all groups go through the course at the same time. Gives what they used, and how much they were told.
pub(crate) async fn run_all(course: Arc<Course>, groups: impl Iterator<Item = Group>) -> (Used, usize) {
    let mut running = JoinSet::new();
    for mut group in groups {
        let course = Arc::clone(&course);
        running.spawn(async move {
            group.run(&course).await;
            (group.used, group.told)
        });
    }
    let (mut used, mut told) = (Used::new(), 0);
    while let Some(group) = running.join_next().await {
        let (forms, count) = group.unwrap();
        used.extend(forms);
        told += count;
    }
    (used, told)
}

impl Group {
    /// The group of this number: two agents of each client, so that calls go from one to the other.
    pub(crate) fn new(index: usize, desks: [&Arc<Desk>; 2]) -> Self {
        let seats = [0, 1, 2, 3].map(|place| {
            let (number, desk) = (1001 + 4 * index + place, desks[place % 2]);
            let (agent, extension) = (number.to_string(), (number + 1000).to_string());
            Seat { mail: desk.mail(&agent), agent, extension, desk: Arc::clone(desk), sequence: 0, epoch: None }
        });
        let extensions = seats.each_ref().map(|seat| seat.extension.clone());
        let names = Parts { cast: [0, 1, 2, 3], extensions, calls: Vec::new() };
        Self { index, seats, names, steps: 0, used: Used::new(), told: 0, live: Instant::now() }
    }

    async fn run(&mut self, course: &Course) {
        self.all_in_turn("begin", &course.begin).await;
        // Until then what happens quickly may be told together.
        tokio::time::sleep_until(self.live + LATE).await;
        self.all_in_turn("calls", &course.calls).await;
        self.all_in_turn("end", &course.end).await;
        for place in 0..4 {
            self.last(place).await;
        }
        self.all_in_turn("gone", &course.gone).await;
        for seat in &mut self.seats {
            assert!(seat.mail.is_empty(), "{:?}", seat.mail.try_recv());
        }
    }

    /// Each agent is A once.
    async fn all_in_turn(&mut self, name: &str, steps: &[Step]) {
        for first in 0..4 {
            self.names.cast = [0, 1, 2, 3].map(|part| (first + part) % 4);
            self.names.calls.clear();
            for (number, step) in (1..).zip(steps) {
                self.step(step, &format!("group {}, {name} {number} with {first} as A", self.index)).await;
            }
        }
    }

    async fn step(&mut self, step: &Step, at: &str) {
        let form = FORMS[(self.index + self.steps) % FORMS.len()];
        self.steps += 1;
        self.used.insert((step.row.name, form));
        let place = self.names.cast[step.by];
        let answer = self.seats[place].desk.ask(self.request(step, form)).await;
        self.told += 1;
        let at = format!("{at}: {} in {form:?}", step.row.name);
        if step.row.subject == Subject::Agent {
            assert_eq!(answer["agent"], self.seats[place].agent, "{at}: {answer}");
        }
        assert_eq!(shown(&answer, &mut self.names), step.answer, "{at}: {answer}");
        for (part, told) in &step.told {
            for expected in told {
                let place = self.names.cast[*part];
                let event = self.event(place, PATIENCE).await;
                let event = event.unwrap_or_else(|| panic!("{at}: {} is not told `{expected}`", PARTS[*part]));
                // What Finesse cannot do after all names the request.
                let correlation = if event["event"] == "Error" { &answer["correlation"] } else { &Value::Null };
                assert_eq!(event["correlation"], *correlation, "{at}: {event}");
                assert_eq!(shown(&event, &mut self.names), *expected, "{at}: {} is told {event}", PARTS[*part]);
            }
        }
    }

    /// The next event of an agent, counted without a gap by one connector in one life.
    async fn event(&mut self, place: usize, within: Duration) -> Option<Value> {
        let seat = &mut self.seats[place];
        let event = next(&mut seat.mail, within).await?;
        seat.desk.check(&event);
        seat.sequence += 1;
        assert_eq!(event["sequence"], json!(seat.sequence), "{event}");
        let epoch = seat.epoch.get_or_insert_with(|| event["epoch"].clone());
        assert!(event["epoch"].is_u64() && event["epoch"] == *epoch, "{event}");
        self.told += 1;
        if event["data"]["status"] == "CONNECTED" {
            self.live = Instant::now();
        }
        Some(event)
    }

    /// Asks what is answered behind all events: nothing else was told of this agent.
    async fn last(&mut self, place: usize) {
        let seat = &self.seats[place];
        let id = seat.desk.send(Outgoing::text("").message_type(format!("GetState#{}", seat.agent))).await;
        let event = self.event(place, PATIENCE).await.expect("an answer among the events");
        let said = shown(&event, &mut self.names);
        assert_eq!((&event["correlation"], said.as_str()), (&json!(id), "AgentState LOGOUT"), "{event}");
    }

    fn request(&self, step: &Step, form: Form) -> Outgoing {
        let seat = &self.seats[self.names.cast[step.by]];
        let subject = match step.row.subject {
            Subject::Agent => &seat.agent,
            Subject::Destination => &seat.desk.home,
        };
        let values = step.row.fields.iter().zip(&step.values).map(|(field, text)| self.value(field.kind, text, seat));
        let body = written(form, step.row, subject, &values.collect::<Vec<_>>());
        match form {
            Form::Enclosed => Outgoing::text(body),
            Form::Commas | Form::Json => Outgoing::text(body).message_type(format!("{}#{subject}", step.row.name)),
        }
    }

    /// What a word of the course stands for: `B` for their phone, `own` for what is the asking one's, `call-1` for its id.
    fn value(&self, kind: Kind, text: &str, seat: &Seat) -> String {
        match (kind, text) {
            (Kind::Destination, "own") => seat.desk.home.clone(),
            (Kind::Secret, "own") => Stage::PASSWORD.to_owned(),
            (Kind::Phone, "own") => seat.extension.clone(),
            (Kind::Phone, part) if PARTS.contains(&part) => {
                let part = PARTS.iter().position(|one| *one == part).unwrap();
                self.seats[self.names.cast[part]].extension.clone()
            }
            (Kind::Dialog, name) => {
                let number: usize = name.strip_prefix("call-").unwrap().parse().unwrap();
                self.names.calls[number - 1].clone()
            }
            _ => text.to_owned(),
        }
    }
}
