//! The connector's properties by the names that the deployment-models document (000_f205e67ac5b4ee75.txt) gives them, and how
//! they change a plan.

use std::fmt;

use crate::{Address, Brokers, Listed, Node, Options, Plan};

/// How long a send may wait for a broker, in milliseconds.
pub const TIMEOUT: &str = "ActiveMq_Timeout";
/// The consumer priority.
pub const PRIORITY: &str = "GRC_CONSUMER_PRIORITY";
/// Whether the order of brokers is shuffled.
pub const RANDOMIZE: &str = "RANDOMIZE";
/// Whether it goes back to its first broker.
pub const PRIORITY_BACKUP: &str = "PRIORITY_BACKUP";
/// The brokers in the order of preference, with a number behind.
pub const BROKER: &str = "ActiveMq_URL_";
/// The Finesse servers in the order of preference, with a number behind.
pub const FINESSE: &str = "SERVER_ADDRESS_";
/// A heading of the document, without a value.
pub const HEADING: &str = "Finesse_";

/// Every name, those that end with `_` to be followed by a number from 1, and what it says.
pub const NAMES: [(&str, &str); 7] = [
    (TIMEOUT, "how long a send may wait for a broker, in milliseconds; -1 for ever"),
    (PRIORITY, "the consumer priority, from 0 to 127"),
    (RANDOMIZE, "whether the order of brokers is shuffled, true or false"),
    (PRIORITY_BACKUP, "whether the connector goes back to its first broker, true or false"),
    (BROKER, "a broker, as HOST:PORT; with SCHEME:// before it where that is not tcp"),
    (FINESSE, "a Finesse server by its full name; with :PORT of REST behind it where that is another"),
    (HEADING, "a heading, which has no value"),
];

/// The longest wait between two looks for the first broker, in milliseconds, where a connector goes back to it. ActiveMQ's
/// 30 s made the return take up to 30 s, this less than 1 s (seen on 5.17.2).
pub const FAIL_BACK_DELAY: &str = "500";

/// A property that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyError {
    /// Its name.
    pub name: String,
    /// What is wrong, as the end of a sentence that begins with the name.
    pub problem: String,
}

impl fmt::Display for PropertyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the property `{}` {}", self.name, self.problem)
    }
}

impl std::error::Error for PropertyError {}

/// The row of [`NAMES`] that a property belongs to. Upper and lower case matter, as they do in Java.
#[must_use]
pub fn known(name: &str) -> Option<&'static str> {
    let is_number = |rest: &str| rest.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == rest);
    let fits = |row: &&str| match row.ends_with('_') {
        true => name.strip_prefix(*row).is_some_and(is_number),
        false => name == *row,
    };
    NAMES.iter().map(|(row, _)| *row).find(fits)
}

/// The known name that somebody most likely meant who wrote this one: with other letter cases or signs between words.
#[must_use]
pub fn meant(name: &str) -> Option<String> {
    let letters =
        |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let number = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    let spelled = |row: &'static str| if row.ends_with('_') { format!("{row}{number}") } else { row.to_owned() };
    let rows = NAMES.iter().map(|(row, _)| spelled(row));
    rows.filter(|row| known(row).is_some() && row != name).find(|row| letters(row) == letters(name))
}

impl Plan {
    /// The plan as its own [`Plan::properties`] change it, which are empty then.
    ///
    /// # Errors
    /// [`PropertyError`] for the first that cannot be followed.
    pub fn settled(mut self) -> Result<Self, PropertyError> {
        let own = std::mem::take(&mut self.properties);
        self.with(&own)
    }

    /// The plan as these properties change it, of which all are [`known`]. Of one name the last counts, as in Java.
    ///
    /// # Errors
    /// [`PropertyError`] for the first that cannot be followed.
    pub fn with(mut self, properties: &[(String, String)]) -> Result<Self, PropertyError> {
        let last =
            |(at, (name, _)): &(usize, &(String, String))| !properties[at + 1..].iter().any(|(later, _)| later == name);
        let mut counting: Vec<_> = properties.iter().enumerate().filter(last).map(|(_, property)| property).collect();
        // A list is lengthened one by one, in whatever order its properties were written.
        counting.sort_by_key(|(name, _)| (known(name), number(name)));
        for (name, value) in counting {
            let wrong = |problem: String| PropertyError { name: name.clone(), problem };
            self.follow(name, value.trim()).map_err(wrong)?;
        }
        Ok(self)
    }

    fn follow(&mut self, name: &str, value: &str) -> Result<(), String> {
        match known(name) {
            Some(TIMEOUT) => {
                let valid = value.parse::<i64>().is_ok_and(|milliseconds| milliseconds >= -1);
                let value = valid.then_some(value).ok_or("takes milliseconds, or -1 for ever")?;
                self.set("timeout", value, "-1")
            }
            Some(PRIORITY) => {
                let priority = value.parse::<i8>().ok().filter(|priority| *priority >= 0);
                self.requests.priority = priority.ok_or("takes a number from 0 to 127")?;
                Ok(())
            }
            Some(RANDOMIZE) => self.set("randomize", flag(value)?, "true"),
            Some(PRIORITY_BACKUP) => self.goes_back(flag(value)?),
            Some(BROKER) => self.dial(number(name), value),
            Some(FINESSE) => self.ask(number(name), value),
            Some(_) if value.is_empty() => Ok(()),
            Some(_) => Err("is a heading and takes no value".to_owned()),
            None => Err("has no meaning here".to_owned()),
        }
    }

    fn listed(&mut self) -> Result<&mut Listed, String> {
        match &mut self.brokers {
            Brokers::Listed(listed) => Ok(listed),
            Brokers::Uri(_) => Err("cannot change a URI that the topology has as a whole".to_owned()),
        }
    }

    /// Sets an option of the failover transport, which does not change what that does by default.
    fn set(&mut self, option: &str, value: &str, default: &str) -> Result<(), String> {
        let listed = self.listed()?;
        match &mut listed.failover {
            Some(options) if value == default => {
                options.remove(option);
            }
            None if value == default => {}
            options => {
                options.get_or_insert_default().insert(option.to_owned(), value.to_owned());
            }
        }
        Ok(())
    }

    fn goes_back(&mut self, value: &str) -> Result<(), String> {
        self.set("priorityBackup", value, "false")?;
        if let Some(options) = self.listed()?.failover.as_mut().filter(|_| value == "true") {
            options.entry("maxReconnectDelay".to_owned()).or_insert_with(|| FAIL_BACK_DELAY.to_owned());
        }
        Ok(())
    }

    /// The options of an address stay when its broker is another; a broker at the end has those of the one before.
    fn dial(&mut self, number: usize, value: &str) -> Result<(), String> {
        let address = Address::parse(value).ok_or("takes a broker as HOST:PORT")?;
        let listed = self.listed()?;
        let place = place(number, listed.addresses.len())?;
        let like = listed.addresses.get(place).or(listed.addresses.last());
        let options = like.map(|like| like.options.clone()).unwrap_or_default();
        put(&mut listed.addresses, place, Address { options, ..address });
        if listed.addresses.len() > 1 {
            listed.failover.get_or_insert_with(Options::new);
        }
        Ok(())
    }

    fn ask(&mut self, number: usize, value: &str) -> Result<(), String> {
        let place = place(number, self.finesse.len())?;
        let wrong = "takes a Finesse server as HOST or HOST:PORT";
        let is_name =
            |host: &str| !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
        let (host, port) = match value.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port != 0).ok_or(wrong)?)),
            None => (value, None),
        };
        let host = Some(host).filter(|host| is_name(host)).ok_or(wrong)?;
        let node = self.finesse.get(place).cloned().unwrap_or_else(|| Node::new(""));
        let rest_port = port.unwrap_or(node.rest_port);
        put(&mut self.finesse, place, Node { host: host.to_owned(), rest_port, ..node });
        Ok(())
    }
}

fn put<T>(list: &mut Vec<T>, place: usize, value: T) {
    match list.get_mut(place) {
        Some(there) => *there = value,
        None => list.push(value),
    }
}

fn flag(value: &str) -> Result<&'static str, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok("true"),
        "false" => Ok("false"),
        _ => Err("takes `true` or `false`".to_owned()),
    }
}

/// The number at the end of a name.
fn number(name: &str) -> usize {
    name.rsplit_once('_').and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}

/// The index of a number from 1, in a list that grows by one at most.
fn place(number: usize, length: usize) -> Result<usize, String> {
    let place = number.checked_sub(1).filter(|place| *place <= length);
    place.ok_or_else(|| format!("leaves a gap: there are {length} so far"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, LogFormat, Login, Product, Requests, Tls};

    fn plan() -> Plan {
        let mut address = Address::parse("amq-1:61616").unwrap();
        address.options.insert("soTimeout".into(), "1".into());
        let failover = Some(Options::from([("randomize".to_owned(), "false".to_owned())]));
        Plan {
            topology: "t".into(),
            site: "s".into(),
            connector: "gc".into(),
            deployment: None,
            brokers: Brokers::Listed(Listed { addresses: vec![address], failover }),
            login: Login::default(),
            tls: Tls::default(),
            requests: Requests { queue: "Q".into(), priority: 1, prefetch: None, exclusive: false, selector: None },
            finesse: Vec::new(),
            product: Product::Ucce,
            limits: Limits::default(),
            admin: None,
            log: LogFormat::Human,
            properties: Vec::new(),
        }
    }

    fn with(properties: &[(&str, &str)]) -> Result<Plan, PropertyError> {
        let owned: Vec<_> = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        plan().with(&owned)
    }

    #[test]
    fn each_property_changes_what_it_names() {
        for (properties, expected) in [
            (&[("RANDOMIZE", "TRUE")][..], "failover:(tcp://amq-1:61616?soTimeout=1)"),
            (
                &[("ActiveMq_Timeout", "10000")],
                "failover:(tcp://amq-1:61616?soTimeout=1)?randomize=false&timeout=10000",
            ),
            (
                &[("PRIORITY_BACKUP", "true")],
                "failover:(tcp://amq-1:61616?soTimeout=1)?maxReconnectDelay=500&priorityBackup=true&randomize=false",
            ),
            (&[("ActiveMq_URL_1", "ssl://b:2")], "failover:(ssl://b:2?soTimeout=1)?randomize=false"),
            (
                &[("ActiveMq_URL_3", "d:4"), ("ActiveMq_URL_2", "c:3")],
                "failover:(tcp://amq-1:61616?soTimeout=1,tcp://c:3?soTimeout=1,tcp://d:4?soTimeout=1)?randomize=false",
            ),
            // The last one of a name.
            (&[("ActiveMq_URL_1", "x"), ("ActiveMq_URL_1", "b:2")], "failover:(tcp://b:2?soTimeout=1)?randomize=false"),
        ] {
            assert_eq!(with(properties).unwrap().brokers.to_string(), expected, "{properties:?}");
        }
        let plan = with(&[
            ("GRC_CONSUMER_PRIORITY", "100"),
            ("Finesse_1", ""),
            ("SERVER_ADDRESS_1", "fin-a.example.test"),
            ("SERVER_ADDRESS_2", "fin-b.example.test:443"),
        ])
        .unwrap();
        assert_eq!(plan.requests.priority, 100);
        let nodes: Vec<_> = plan.finesse.iter().map(|node| (node.host.as_str(), node.rest_port)).collect();
        assert_eq!(nodes, [("fin-a.example.test", 8445), ("fin-b.example.test", 443)]);
    }

    #[test]
    fn values_that_cannot_be_followed_are_refused_by_name() {
        for (name, value, problem) in [
            ("ActiveMq_Timeout", "10s", "milliseconds"),
            ("ActiveMq_Timeout", "-2", "milliseconds"),
            ("GRC_CONSUMER_PRIORITY", "128", "0 to 127"),
            ("GRC_CONSUMER_PRIORITY", "-1", "0 to 127"),
            ("RANDOMIZE", "yes", "`true` or `false`"),
            ("PRIORITY_BACKUP", "", "`true` or `false`"),
            ("ActiveMq_URL_1", "amq-1", "HOST:PORT"),
            ("ActiveMq_URL_3", "a:1", "gap"),
            ("SERVER_ADDRESS_2", "a", "gap"),
            ("SERVER_ADDRESS_1", "https://a", "HOST"),
            ("Finesse_1", "x", "heading"),
            ("LOG_LEVEL", "x", "no meaning"),
        ] {
            let error = with(&[(name, value)]).unwrap_err();
            assert_eq!(error.name, name);
            assert!(error.problem.contains(problem), "{name}={value}: {error}");
        }
    }

    #[test]
    fn a_uri_as_a_whole_is_not_changed() {
        let whole = Plan { brokers: Brokers::Uri("discovery:(multicast://default)".into()), ..plan() };
        let error = whole.with(&[("RANDOMIZE".to_owned(), "true".to_owned())]).unwrap_err();
        assert!(error.to_string().contains("`RANDOMIZE` cannot change a URI"), "{error}");
    }

    #[test]
    fn a_single_address_becomes_a_list_only_when_it_must() {
        let Brokers::Listed(listed) = plan().brokers else { unreachable!() };
        let single = || Plan { brokers: Brokers::Listed(Listed { failover: None, ..listed.clone() }), ..plan() };
        let after = |name: &str, value: &str| {
            single().with(&[(name.to_owned(), value.to_owned())]).unwrap().brokers.to_string()
        };
        assert_eq!(after("RANDOMIZE", "true"), "tcp://amq-1:61616?soTimeout=1");
        assert_eq!(after("PRIORITY_BACKUP", "false"), "tcp://amq-1:61616?soTimeout=1");
        assert_eq!(after("ActiveMq_URL_1", "b:2"), "tcp://b:2?soTimeout=1");
        assert_eq!(after("RANDOMIZE", "false"), "failover:(tcp://amq-1:61616?soTimeout=1)?randomize=false");
        assert_eq!(after("ActiveMq_URL_2", "b:2"), "failover:(tcp://amq-1:61616?soTimeout=1,tcp://b:2?soTimeout=1)");
    }

    #[test]
    fn names_and_slips() {
        for (name, row) in [
            ("RANDOMIZE", Some(RANDOMIZE)),
            ("ActiveMq_URL_12", Some(BROKER)),
            ("ActiveMq_URL_0", None),
            ("ActiveMq_URL_01", None),
            ("ActiveMq_URL_", None),
            ("randomize", None),
        ] {
            assert_eq!(known(name), row, "{name}");
        }
        for (name, expected) in [
            ("randomize", Some("RANDOMIZE")),
            ("ACTIVEMQ_URL_1", Some("ActiveMq_URL_1")),
            ("ActiveMq.Url.2", Some("ActiveMq_URL_2")),
            ("LOG_LEVEL", None),
            ("RANDOMIZE", None),
        ] {
            assert_eq!(meant(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_plan_is_settled_by_its_own_properties() {
        let own = Plan { properties: vec![("GRC_CONSUMER_PRIORITY".into(), "9".into())], ..plan() };
        let settled = own.settled().unwrap();
        assert_eq!((settled.requests.priority, settled.properties.len()), (9, 0));
    }
}
