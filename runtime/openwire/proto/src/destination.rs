//! Where messages go: queues and topics, permanent and temporary.

use std::fmt;

use crate::structure::{one_of, structures};

structures! {
    /// A queue: each message goes to one consumer.
    Queue = 100 {
        /// Its name, which may have wildcards where one subscribes.
        physical_name: Option<String>,
    }
    /// A topic: each message goes to every subscriber.
    Topic = 101 {
        /// Its name.
        physical_name: Option<String>,
    }
    /// A queue that lives as long as its connection.
    TempQueue = 102 {
        /// `connection:number`.
        physical_name: Option<String>,
    }
    /// A topic that lives as long as its connection.
    TempTopic = 103 {
        /// `connection:number`.
        physical_name: Option<String>,
    }
}

one_of! {
    /// A destination.
    Destination {
        /// `queue://NAME`
        Queue(Queue) = 100,
        /// `topic://NAME`
        Topic(Topic) = 101,
        /// `temp-queue://NAME`
        TempQueue(TempQueue) = 102,
        /// `temp-topic://NAME`
        TempTopic(TempTopic) = 103,
    }
}

impl Destination {
    /// The queue of this name.
    pub fn queue(name: impl Into<String>) -> Self {
        Queue { physical_name: Some(name.into()) }.into()
    }

    /// The topic of this name.
    pub fn topic(name: impl Into<String>) -> Self {
        Topic { physical_name: Some(name.into()) }.into()
    }

    /// The name without its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        let name = match self {
            Self::Queue(queue) => &queue.physical_name,
            Self::Topic(topic) => &topic.physical_name,
            Self::TempQueue(queue) => &queue.physical_name,
            Self::TempTopic(topic) => &topic.physical_name,
        };
        name.as_deref().unwrap_or_default()
    }

    /// Whether each message goes to one consumer.
    #[must_use]
    pub fn is_queue(&self) -> bool {
        matches!(self, Self::Queue(_) | Self::TempQueue(_))
    }

    /// Whether it lives as long as the connection that made it.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::TempQueue(_) | Self::TempTopic(_))
    }
}

/// As ActiveMQ writes it: `queue://GC.REQUESTS`.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Queue(_) => "queue",
            Self::Topic(_) => "topic",
            Self::TempQueue(_) => "temp-queue",
            Self::TempTopic(_) => "temp-topic",
        };
        write!(f, "{kind}://{}", self.name())
    }
}
