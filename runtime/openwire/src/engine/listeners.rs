//! Who gets what a broker sends unasked: consumers their messages, producers the room in their windows.

use std::collections::HashMap;
use std::sync::Arc;

use topoc_openwire_proto::command::{ConsumerControl, MessageDispatch, ProducerAck};
use topoc_openwire_proto::id::{ConsumerId, ProducerId};

use super::handle::Incoming;
use crate::inbox::{self, TooMuch};
use crate::producer::Window;

/// A consumer or producer of this connection: its session's number, and its own.
type Key = (i64, i64);

fn consumer_key(id: &ConsumerId) -> Key {
    (id.session_id, id.value)
}

fn producer_key(id: &ProducerId) -> Key {
    (id.session_id, id.value)
}

/// The consumers and producers of a connection.
#[derive(Default)]
pub(super) struct Listeners {
    consumers: HashMap<Key, inbox::Sender>,
    windows: HashMap<Key, Arc<Window>>,
}

impl Listeners {
    pub(super) fn listen(&mut self, consumer: &ConsumerId, inbox: inbox::Sender) {
        self.consumers.insert(consumer_key(consumer), inbox);
    }

    pub(super) fn unlisten(&mut self, consumer: &ConsumerId) {
        self.consumers.remove(&consumer_key(consumer));
    }

    pub(super) fn watch(&mut self, producer: &ProducerId, window: Arc<Window>) {
        self.windows.insert(producer_key(producer), window);
    }

    pub(super) fn unwatch(&mut self, producer: &ProducerId) {
        self.windows.remove(&producer_key(producer));
    }

    /// A message, over the connection that so many were lost before.
    pub(super) fn dispatch(&self, losses: u64, dispatch: MessageDispatch) -> Result<(), TooMuch> {
        // A consumer that is just closing no longer listens, and what it gets here will come to another.
        let Some(listener) = dispatch.consumer_id.as_ref().and_then(|id| self.consumers.get(&consumer_key(id))) else {
            return Ok(());
        };
        listener.send(Incoming::Dispatch(losses, Box::new(dispatch)))
    }

    pub(super) fn producer_ack(&self, ack: &ProducerAck) {
        if let Some(window) = ack.producer_id.as_ref().and_then(|id| self.windows.get(&producer_key(id))) {
            window.release(ack.size);
        }
    }

    pub(super) fn consumer_control(&mut self, control: &ConsumerControl) {
        let Some(id) = &control.consumer_id else { return };
        let Some(listener) = self.consumers.get(&consumer_key(id)) else { return };
        let _ = listener.send(if control.close { Incoming::Ended } else { Incoming::Prefetch(control.prefetch) });
        if control.close {
            self.consumers.remove(&consumer_key(id));
        }
    }

    /// The connection is lost: messages come again, and nobody will say what has become of the bytes on their way.
    pub(super) fn interrupted(&self) {
        self.consumers.values().for_each(inbox::Sender::forget_messages);
        self.windows.values().for_each(|window| window.reset());
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self) {
        self.windows.values().for_each(|window| window.reset());
        self.consumers.clear();
    }
}
