//! Who and what is meant: the identifiers of connections, sessions, consumers, producers, messages and transactions.

use std::fmt;

use bytes::Bytes;

use crate::structure::{one_of, structures};

structures! {
    /// A connection, by a text that its client makes unique.
    ConnectionId = 120 {
        /// The text, such as `ID:host-1-2-3:4`.
        value: Option<String>,
    }
    /// A session of a connection.
    SessionId = 121 {
        /// The connection's text.
        connection_id: Option<String>,
        /// Its number there; -1 is the connection's own, for what belongs to no session.
        value: i64,
    }
    /// A consumer of a session.
    ConsumerId = 122 {
        /// The connection's text.
        connection_id: Option<String>,
        /// The session's number.
        session_id: i64,
        /// Its number there.
        value: i64,
    }
    /// A producer of a session.
    ProducerId = 123 {
        /// The connection's text.
        connection_id: Option<String>,
        /// Its number in the session.
        value: i64,
        /// The session's number.
        session_id: i64,
    }
    /// A broker.
    BrokerId = 124 {
        /// The text that the broker has made for itself.
        value: Option<String>,
    }
    /// A message.
    MessageId = 110 {
        /// A text of another protocol's client, instead of the producer.
        text_view: Option<String>,
        /// Who sent it.
        producer_id: Option<ProducerId>,
        /// Its number among those of the producer.
        producer_sequence_id: i64,
        /// Its number at the broker; 0 until the broker has given one.
        broker_sequence_id: i64,
    }
    /// A transaction of one connection.
    LocalTransactionId = 111 {
        /// Its number there.
        value: i64,
        /// The connection.
        connection_id: Option<ConnectionId>,
    }
    /// A branch of a distributed transaction (X/Open XA).
    XATransactionId = 112 {
        /// Which kind of identifier it is.
        format_id: i32,
        /// The whole transaction.
        global_transaction_id: Option<Bytes>,
        /// The branch.
        branch_qualifier: Option<Bytes>,
    }
}

one_of! {
    /// A transaction.
    TransactionId {
        /// Of one connection.
        Local(LocalTransactionId) = 111,
        /// A branch of a distributed one.
        Xa(XATransactionId) = 112,
    }
}

impl ConnectionId {
    /// A connection of this text.
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: Some(value.into()) }
    }
}

/// As ActiveMQ writes it in logs: `connection:session:consumer`.
impl fmt::Display for ConsumerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.connection_id.as_deref().unwrap_or_default(), self.session_id, self.value)
    }
}

/// As ActiveMQ writes it in logs and as `JMSMessageID`: `connection:session:producer:number`.
impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.text_view, &self.producer_id) {
            (Some(text), _) => f.write_str(text),
            (None, Some(ProducerId { connection_id, value, session_id })) => {
                let connection = connection_id.as_deref().unwrap_or_default();
                write!(f, "{connection}:{session_id}:{value}:{}", self.producer_sequence_id)
            }
            (None, None) => write!(f, "{}", self.producer_sequence_id),
        }
    }
}

/// As ActiveMQ writes it in logs: `TX:connection:number`, or the parts of an XA branch with their bytes in hexadecimal.
impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |bytes: &Option<Bytes>| bytes.iter().flatten().map(|byte| format!("{byte:02x}")).collect::<String>();
        match self {
            Self::Local(LocalTransactionId { value, connection_id }) => {
                let connection = connection_id.as_ref().and_then(|id| id.value.as_deref()).unwrap_or_default();
                write!(f, "TX:{connection}:{value}")
            }
            Self::Xa(XATransactionId { format_id, global_transaction_id, branch_qualifier }) => {
                let (global, branch) = (hex(global_transaction_id), hex(branch_qualifier));
                write!(f, "XID:[{format_id},globalId={global},branchId={branch}]")
            }
        }
    }
}
