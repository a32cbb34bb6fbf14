//! What a connection is told before it begins.

use std::time::Duration;

use topoc_openwire_proto::client::ClientOptions;
use topoc_openwire_proto::failover::{Attempts, Options};
use topoc_openwire_proto::uri::{Address, Uri};
use tracing::warn;

use crate::list::Source;
use crate::{Connection, Error, TlsConfig};

/// Where to connect, as whom, and how to stay connected. Everything but TLS can be said in the URI, as with ActiveMQ's own
/// client: `failover:(tcp://a:61616)?randomize=false&jms.userName=u`.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) addresses: Vec<Address>,
    pub(crate) failover: Options,
    /// Whether there is a list at all; a single address is tried once and never again.
    pub(crate) fault_tolerant: bool,
    pub(crate) client: ClientOptions,
    pub(crate) tls: TlsConfig,
    pub(crate) largest_body: u64,
}

/// The largest body that is inflated, unless told otherwise: that of the largest frame that brokers take by default.
const LARGEST_BODY: u64 = 100 * 1024 * 1024;

impl Config {
    /// Reads a URI: one address, or `failover:` with a list.
    ///
    /// # Errors
    /// [`Error::Uri`] and [`Error::Option`]: nothing is guessed, an unknown option is refused as by ActiveMQ's own client. One of
    /// that client which has no meaning here ([`topoc_openwire_proto::client::WITHOUT_MEANING`]) is taken, with a warning in the
    /// log.
    pub fn new(uri: &str) -> Result<Self, Error> {
        let mut uri = Uri::parse(uri)?;
        let (client, without_meaning) = ClientOptions::take(&mut uri)?;
        for (name, why) in without_meaning {
            warn!("`{name}` changes nothing here: {why}");
        }
        let (addresses, failover, fault_tolerant) = match uri {
            Uri::Failover { addresses, options } => (addresses, Options::read(&options)?, true),
            Uri::Single(address) => (vec![address], once(), false),
        };
        for mut address in addresses.iter().cloned() {
            address.options.extend(failover.nested.iter().cloned());
            crate::socket::check(&address)?;
        }
        if let Some(url) = &failover.update_uris_url {
            Source::parse(url)?;
        }
        let tls = TlsConfig::default();
        Ok(Self { addresses, failover, fault_tolerant, client, tls, largest_body: LARGEST_BODY })
    }

    /// Logs in as this user.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.client.user = Some(user.into());
        self.client.password = password.into().into();
        self
    }

    /// The JMS client id: at most one connection of a broker has it.
    #[must_use]
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client.client_id = Some(id.into());
        self
    }

    /// Whom to believe, and who one is, where an address is `ssl`.
    #[must_use]
    pub fn tls(mut self, tls: TlsConfig) -> Self {
        self.tls = tls;
        self
    }

    /// How long a send waits for the broker's answer.
    #[must_use]
    pub fn send_timeout(mut self, limit: Duration) -> Self {
        self.client.send_timeout = Some(limit);
        self
    }

    /// Waits for a broker as long as it takes, whatever `timeout` of `failover:` says: for a program that bounds by itself what waits.
    #[must_use]
    pub fn wait_for_brokers(mut self) -> Self {
        self.failover.timeout = None;
        self
    }

    /// Gives expired messages to the application, too (`jms.consumerExpiryCheckEnabled=false`): for a program that answers them.
    #[must_use]
    pub fn keep_expired(mut self) -> Self {
        self.client.consumer_expiry_check = false;
        self
    }

    /// How long closing the connection waits for the broker.
    #[must_use]
    pub fn close_timeout(mut self, limit: Duration) -> Self {
        self.client.close_timeout = limit;
        self
    }

    /// Where the URI says that brokers are.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The largest body that a compressed message may become, in bytes: 100 MiB.
    #[must_use]
    pub fn largest_body(mut self, bytes: u64) -> Self {
        self.largest_body = bytes;
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub async fn connect(self) -> Result<Connection, Error> {
        Connection::with(self).await
    }
}

/// One address is tried once, and nobody tells where else to go.
fn once() -> Options {
    Options {
        max_reconnect_attempts: Attempts::Limited(0),
        update_uris_supported: false,
        reconnect_supported: false,
        ..Options::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_go_where_they_belong() {
        let config = Config::new("failover:(tcp://a:1?soTimeout=5)?timeout=7&jms.userName=u").unwrap();
        assert_eq!(config.failover.timeout, Some(Duration::from_millis(7)));
        assert_eq!(config.client.user.as_deref(), Some("u"));
        assert!(config.fault_tolerant);
        let config = Config::new("tcp://a:1?jms.userName=u").unwrap();
        assert_eq!(config.failover.max_reconnect_attempts, Attempts::Limited(0));
        assert!(!config.fault_tolerant);
    }

    #[test]
    fn what_cannot_be_used_is_refused_before_anything_is_dialled() {
        for uri in [
            "",
            "tcp://a",
            "tcp://a:1?timeuot=1",
            "failover:(tcp://a:1)?timeuot=1",
            "tcp://a:1?wireFormat.x=1",
            "failover:(tcp://a:1)?nested.wireFormat.x=1",
            "failover:(tcp://a:1)?updateURIsURL=ftp://b/list",
        ] {
            assert!(Config::new(uri).is_err(), "{uri}");
        }
    }
}
