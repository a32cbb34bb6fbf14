//! The options of a client itself, `jms.*` in a URI: one table that reads them and gives their defaults
//! (`ActiveMQConnectionFactory`, `ActiveMQPrefetchPolicy`, `RedeliveryPolicy`).

use std::fmt;
use std::time::Duration;

use crate::acks::RedeliveryPolicy;
use crate::failover::Attempts;
use crate::option::{OptionError, Setting, options};
use crate::uri::Uri;

options! {
    /// Who a client is and how it works.
    ClientOptions {
        /// The user to log in as.
        "jms.userName" user: Option<String> = None;
        /// The password of the user.
        "jms.password" password: Secret = Secret::default();
        /// The JMS client id; none for one of the client's own making.
        "jms.clientID" client_id: Option<String> = None;
        /// What stands before the number in a client id of its own making.
        "jms.clientIDPrefix" client_id_prefix: Option<String> = None;
        /// How many messages of a queue may be on their way to a consumer. 0: each is asked for.
        "jms.prefetchPolicy.queuePrefetch" queue_prefetch: u32 = 1000;
        /// The same for who only looks.
        "jms.prefetchPolicy.queueBrowserPrefetch" browser_prefetch: u32 = 500;
        /// The same for a subscriber of a topic.
        "jms.prefetchPolicy.topicPrefetch" topic_prefetch: u32 = 32_766;
        /// The same for a durable subscription.
        "jms.prefetchPolicy.durableTopicPrefetch" durable_prefetch: u32 = 100;
        /// Whether nobody waits for the broker to have a persistent message.
        "jms.useAsyncSend" use_async_send: bool = false;
        /// Whether every send waits until the broker has the message.
        "jms.alwaysSyncSend" always_sync_send: bool = false;
        /// How many bytes a producer may have on their way to the broker without waiting; 0 for any number.
        "jms.producerWindowSize" producer_window: u32 = 0;
        /// How long a send waits for the broker's answer; none for ever.
        "jms.sendTimeout" send_timeout: Option<Duration> = None;
        /// How long the first answer of a broker is waited for; none for ever.
        "jms.connectResponseTimeout" connect_timeout: Option<Duration> = None;
        /// How long closing waits for the broker.
        "jms.closeTimeout" close_timeout: Duration = Duration::from_secs(15);
        /// Whether the broker gives messages to consumers from a thread of its own.
        "jms.dispatchAsync" dispatch_async: bool = true;
        /// Whether a message that has expired on its way is left to the broker instead of being given to the application.
        "jms.consumerExpiryCheckEnabled" consumer_expiry_check: bool = true;
        /// How often a message comes again after a rollback before it is poison.
        "jms.redeliveryPolicy.maximumRedeliveries" maximum_redeliveries: Attempts = Attempts::Limited(6);
        /// How long that waits the first time.
        "jms.redeliveryPolicy.initialRedeliveryDelay" initial_redelivery_delay: Duration = Duration::from_secs(1);
        /// How long it waits later.
        "jms.redeliveryPolicy.redeliveryDelay" redelivery_delay: Duration = Duration::from_secs(1);
        /// Whether that delay grows.
        "jms.redeliveryPolicy.useExponentialBackOff" use_exponential_back_off: bool = false;
        /// How much it grows each time.
        "jms.redeliveryPolicy.backOffMultiplier" back_off_multiplier: f64 = 5.0;
        /// The longest such delay; none for any.
        "jms.redeliveryPolicy.maximumRedeliveryDelay" maximum_redelivery_delay: Option<Duration> = None;
    }
}

/// The name of an option, and why it changes nothing here.
pub type WithoutMeaning = (&'static str, &'static str);

/// Options of Java's client that change nothing that a program could see here, each with why: a URI that works there need not be
/// rewritten. Those whose absence a program could see stay unknown (`ActiveMQConnectionFactory` of 5.18.3 and 6.3.1).
pub const WITHOUT_MEANING: [WithoutMeaning; 27] = [
    ("jms.alwaysSessionAsync", "there are no threads of sessions"),
    ("jms.auditDepth", "duplicates are recognised by what is acknowledged, without a window"),
    ("jms.auditMaximumProducerNumber", "duplicates are recognised by what is acknowledged, without a window"),
    ("jms.blobTransferPolicy.defaultUploadUrl", "there are no blob messages"),
    ("jms.blobTransferPolicy.uploadUrl", "there are no blob messages"),
    ("jms.checkForDuplicates", "duplicates are recognised by what is acknowledged, without a window"),
    ("jms.connectionIDPrefix", "the id of a connection is of its own making"),
    ("jms.copyMessageOnSend", "a message is given away when it is sent"),
    ("jms.disableTimeStampsByDefault", "every message has its time"),
    ("jms.maxThreadPoolSize", "there are no threads of sessions"),
    ("jms.messagePrioritySupported", "messages come in the order in which the broker sends them"),
    ("jms.nestedMapAndListEnabled", "maps and lists nest always"),
    ("jms.objectMessageSerializationDefered", "objects are bytes"),
    ("jms.optimizeAcknowledge", "acknowledgements are put together anyway, half a prefetch at a time"),
    ("jms.optimizeAcknowledgeTimeOut", "acknowledgements are put together anyway, half a prefetch at a time"),
    ("jms.optimizedAckScheduledAckInterval", "acknowledgements are put together anyway, half a prefetch at a time"),
    ("jms.optimizedMessageDispatch", "messages wait in one place only"),
    ("jms.sendAcksAsync", "nobody waits for an acknowledgement"),
    ("jms.statsEnabled", "there are no such statistics"),
    ("jms.strictCompliance", "what JMS leaves open is said in the documentation"),
    ("jms.trustAllPackages", "objects are bytes"),
    ("jms.trustedPackages", "objects are bytes"),
    ("jms.useCompression", "bodies are sent as they are; compressed ones are read"),
    ("jms.useDedicatedTaskRunner", "there are no threads of sessions"),
    ("jms.warnAboutUnstartedConnectionTimeout", "nothing has to be started"),
    ("jms.watchTopicAdvisories", "nothing that an advisory tells is needed"),
    ("jms.xaAckMode", "there are no XA transactions"),
];

/// A password, which nothing prints.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Option<String>);

impl Secret {
    /// The password, if there is one.
    #[must_use]
    pub fn reveal(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Some(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Secret(***)" } else { "Secret(none)" })
    }
}

impl Setting for Secret {
    fn read(_: &'static str, value: &str) -> Result<Self, OptionError> {
        Ok(Self(Some(value.to_owned())))
    }

    fn text(&self) -> String {
        if self.0.is_some() { "***".to_owned() } else { String::new() }
    }
}

/// Where the options of a client begin.
const PREFIX: &str = "jms.";

impl ClientOptions {
    /// Takes the options of the client out of a URI; those of an address and of `failover:` stay in it. Beside them the rows of
    /// [`WITHOUT_MEANING`] that were there: whoever wrote one is to be told.
    ///
    /// # Errors
    /// The first one that cannot be used.
    pub fn take(uri: &mut Uri) -> Result<(Self, Vec<WithoutMeaning>), OptionError> {
        let all = match uri {
            Uri::Single(address) => &mut address.options,
            Uri::Failover { options, .. } => options,
        };
        let (own, others) = std::mem::take(all).into_iter().partition(|(name, _)| name.starts_with(PREFIX));
        *all = others;
        let (mut read, mut without_meaning) = (Self::default(), Vec::new());
        let own: Vec<(String, String)> = own;
        for (name, value) in own {
            if name == "jms.prefetchPolicy.all" {
                read.set_all_prefetch(&value)?;
            } else if !read.set(&name, &value)? {
                let known = WITHOUT_MEANING.into_iter().find(|(other, _)| other.eq_ignore_ascii_case(&name));
                without_meaning.push(known.ok_or(OptionError::Unknown { of: PREFIX.to_owned(), name })?);
            }
        }
        Ok((read, without_meaning))
    }

    fn set_all_prefetch(&mut self, value: &str) -> Result<(), OptionError> {
        for name in Self::NAMES.iter().filter(|name| name.starts_with("jms.prefetchPolicy.")) {
            self.set(name, value)?;
        }
        Ok(())
    }

    /// How messages come again after a rollback.
    #[must_use]
    pub fn redelivery(&self) -> RedeliveryPolicy {
        RedeliveryPolicy {
            maximum_redeliveries: match self.maximum_redeliveries {
                Attempts::Unlimited => None,
                Attempts::Limited(most) => Some(most),
            },
            initial_redelivery_delay: self.initial_redelivery_delay,
            redelivery_delay: self.redelivery_delay,
            use_exponential_back_off: self.use_exponential_back_off,
            back_off_multiplier: self.back_off_multiplier,
            maximum_redelivery_delay: self.maximum_redelivery_delay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(text: &str) -> Result<(ClientOptions, Uri), OptionError> {
        let mut uri = Uri::parse(text).unwrap();
        ClientOptions::take(&mut uri).map(|(options, _)| (options, uri))
    }

    #[test]
    fn the_clients_own_options_are_taken_out() {
        let (options, uri) = take("tcp://a:1?jms.userName=u&wireFormat.version=12&jms.Password=p").unwrap();
        assert_eq!((options.user.as_deref(), options.password.reveal()), (Some("u"), Some("p")));
        assert!(!format!("{options:?}").contains("\"p\""), "{options:?}");
        assert_eq!(uri, Uri::parse("tcp://a:1?wireFormat.version=12").unwrap());
        let (options, uri) = take("failover:(tcp://a:1)?randomize=false&jms.prefetchPolicy.all=7").unwrap();
        assert_eq!((options.queue_prefetch, options.topic_prefetch, options.browser_prefetch), (7, 7, 7));
        assert_eq!(uri, Uri::parse("failover:(tcp://a:1)?randomize=false").unwrap());
    }

    #[test]
    fn what_has_no_meaning_here_is_told_and_no_obstacle() {
        for (name, why) in WITHOUT_MEANING {
            let mut uri = Uri::parse(&format!("failover:(tcp://a:1)?{name}=true&jms.userName=u")).unwrap();
            let (options, told) = ClientOptions::take(&mut uri).unwrap();
            assert_eq!((options.user.as_deref(), told), (Some("u"), vec![(name, why)]));
        }
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        for (uri, said) in [
            ("tcp://a:1?jms.userNane=u", "no option `jms.userNane`"),
            ("tcp://a:1?jms.useRetroactiveConsumer=true", "no option"),
            ("tcp://a:1?jms.prefetchPolicy.all=many", "a whole number"),
            ("failover:(tcp://a:1)?jms.sendTimeout=soon", "milliseconds"),
        ] {
            assert!(take(uri).unwrap_err().to_string().contains(said), "{uri}");
        }
    }
}
