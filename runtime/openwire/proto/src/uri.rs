//! URIs as ActiveMQ's clients take them: an address with options, or `failover:` over a list of them
//! (`URISupport.parseComposite`, `FailoverTransportFactory`).

use std::fmt;

/// Where a broker listens, with the options that belong to it: `tcp://amq-1:61616?wireFormat.maxInactivityDuration=10000`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    /// In lower case.
    pub scheme: String,
    /// A name or a literal; of an IPv6 literal without the brackets.
    pub host: String,
    /// The port. OpenWire has no default: ActiveMQ's own clients ask for one.
    pub port: u16,
    /// Names and values as they were written, percent signs decoded.
    pub options: Vec<(String, String)>,
}

/// How a connection to an address is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dial {
    /// Plain TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

/// Where to connect, and how to stay connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Uri {
    /// One broker.
    Single(Address),
    /// Any of several, with the options of `failover:`.
    Failover {
        /// The brokers in their order.
        addresses: Vec<Address>,
        /// Names and values as they were written, percent signs decoded.
        options: Vec<(String, String)>,
    },
}

/// Why a text is no URI that a client can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriError {
    /// What was to be read.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.text, self.reason)
    }
}

impl std::error::Error for UriError {}

/// Schemes that listeners have, and how a client gets through to OpenWire behind them. Brokers push the listener's own
/// scheme to clients, `nio` and `auto` included (activemq.md 2; TransportConnector.getPublishableConnectURI).
const SCHEMES: [(&str, Dial); 8] = [
    ("tcp", Dial::Tcp),
    ("nio", Dial::Tcp),
    ("auto", Dial::Tcp),
    ("auto+nio", Dial::Tcp),
    ("ssl", Dial::Tls),
    ("nio+ssl", Dial::Tls),
    ("auto+ssl", Dial::Tls),
    ("auto+nio+ssl", Dial::Tls),
];

impl Address {
    /// Reads `scheme://host:port?name=value&name=value`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let wrong = |reason| UriError { text: text.to_owned(), reason };
        if text.chars().any(char::is_whitespace) {
            return Err(wrong("has white space in it"));
        }
        let (scheme, rest) = text.split_once("://").ok_or(wrong("has no `scheme://`"))?;
        let scheme = scheme.to_ascii_lowercase();
        if SCHEMES.iter().all(|(known, _)| *known != scheme) {
            return Err(wrong("has a scheme that OpenWire does not travel over"));
        }
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let (host, port) = authority.rsplit_once(':').ok_or(wrong("has no port"))?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(wrong("has no port from 1 to 65535"))?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() || host.contains(['/', '@']) {
            return Err(wrong("has no host"));
        }
        Ok(Self { scheme, host: host.to_owned(), port, options: options(query) })
    }

    /// How a connection is made.
    #[must_use]
    pub fn dial(&self) -> Dial {
        SCHEMES.iter().find(|(scheme, _)| *scheme == self.scheme).map_or(Dial::Tcp, |(_, dial)| *dial)
    }

    /// The value of an option, the last one where it comes twice.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// As it was written, but for the case of the scheme and the spelling of percent signs.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port, options } = self;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        write!(f, "{scheme}://{host}:{port}")?;
        for (index, (name, value)) in options.iter().enumerate() {
            write!(f, "{}{}={}", if index == 0 { '?' } else { '&' }, encoded(name), encoded(value))?;
        }
        Ok(())
    }
}

impl Uri {
    /// Reads an address, `failover:(a,b)?options`, `failover://(a,b)?options` or `failover:a,b`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let prefix = text.get(..FAILOVER.len()).filter(|prefix| prefix.eq_ignore_ascii_case(FAILOVER));
        if prefix.is_none() {
            return Address::parse(text).map(Self::Single);
        }
        let wrong = |reason| UriError { text: text.to_owned(), reason };
        let rest = &text[FAILOVER.len()..];
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (list, query) = match rest.strip_prefix('(') {
            Some(rest) => {
                let (list, after) = rest.rsplit_once(')').ok_or(wrong("has a parenthesis that is not closed"))?;
                match after.strip_prefix('?') {
                    Some(query) => (list, query),
                    None if after.is_empty() => (list, ""),
                    None => return Err(wrong("has something else than `?` after its list")),
                }
            }
            // Without parentheses whatever stands behind `?` belongs to the last broker.
            None => (rest, ""),
        };
        let addresses: Vec<Address> =
            list.split(',').filter(|address| !address.is_empty()).map(Address::parse).collect::<Result<_, _>>()?;
        if addresses.is_empty() {
            return Err(wrong("lists no broker"));
        }
        Ok(Self::Failover { addresses, options: options(query) })
    }
}

const FAILOVER: &str = "failover:";

/// The addresses of a list that a broker pushes, and what of it is none.
#[must_use]
pub fn pushed(list: &str) -> (Vec<Address>, Vec<UriError>) {
    let mut wrong = Vec::new();
    let read = list.split(',').map(str::trim).filter(|address| !address.is_empty()).map(Address::parse);
    let addresses = read.filter_map(|address| address.map_err(|error| wrong.push(error)).ok()).collect();
    (addresses, wrong)
}

/// Names and values of a query.
fn options(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// `%41` is `A`; a percent sign that begins no such thing is itself.
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &after[2..];
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$'()*,;:@/[]".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(uri: &str) -> (Vec<String>, Vec<(String, String)>) {
        match Uri::parse(uri).unwrap() {
            Uri::Single(address) => (vec![address.to_string()], Vec::new()),
            Uri::Failover { addresses, options } => (addresses.iter().map(ToString::to_string).collect(), options),
        }
    }

    #[test]
    fn uris_are_read() {
        for (uri, addresses, options) in [
            ("tcp://a:1", &["tcp://a:1"][..], &[][..]),
            ("TCP://a:1/", &["tcp://a:1"], &[]),
            ("ssl://[::1]:1?a=b", &["ssl://[::1]:1?a=b"], &[]),
            ("failover:(tcp://a:1,ssl://b:2)?randomize=false", &["tcp://a:1", "ssl://b:2"], &[("randomize", "false")]),
            ("failover://(tcp://a:1)?x=1&y", &["tcp://a:1"], &[("x", "1"), ("y", "")]),
            ("failover:tcp://a:1,tcp://b:2?randomize=false", &["tcp://a:1", "tcp://b:2?randomize=false"], &[]),
            ("failover:(tcp://a:1?s=a%20b%26)", &["tcp://a:1?s=a%20b%26"], &[]),
            ("FAILOVER:(tcp://a:1)", &["tcp://a:1"], &[]),
        ] {
            let options: Vec<_> =
                options.iter().map(|(n, v): &(&str, &str)| ((*n).to_owned(), (*v).to_owned())).collect();
            let addresses: Vec<String> = addresses.iter().map(|&address| address.to_owned()).collect();
            assert_eq!(texts(uri), (addresses, options), "{uri}");
        }
    }

    #[test]
    fn what_is_no_uri_is_said() {
        for (uri, reason) in [
            ("", "no `scheme://`"),
            ("a:1", "no `scheme://`"),
            ("tcp://a", "no port"),
            ("tcp://a:0", "no port from 1"),
            ("tcp://a:65536", "no port from 1"),
            ("tcp://:1", "no host"),
            ("tcp://u@a:1", "no host"),
            ("amqp://a:1", "scheme"),
            ("failover:(tcp://a:1, tcp://b:1)", "white space"),
            ("failover:(tcp://a:1", "not closed"),
            ("failover:()", "lists no broker"),
            ("failover:", "lists no broker"),
            ("failover:(tcp://a:1)randomize=false", "after its list"),
        ] {
            let error = Uri::parse(uri).unwrap_err().to_string();
            assert!(error.contains(reason), "{uri}: {error}");
        }
    }

    #[test]
    fn listeners_are_dialled_as_what_they_are_under_their_scheme() {
        for (scheme, dial) in [("nio", Dial::Tcp), ("auto+nio+ssl", Dial::Tls), ("ssl", Dial::Tls), ("tcp", Dial::Tcp)]
        {
            assert_eq!(Address::parse(&format!("{scheme}://a:1")).unwrap().dial(), dial, "{scheme}");
        }
    }

    #[test]
    fn of_a_pushed_list_what_can_be_read_is_read() {
        let (addresses, wrong) = pushed(" tcp://a:1,,nio://b:2 ,ws://c:3");
        assert_eq!(addresses.iter().map(ToString::to_string).collect::<Vec<_>>(), ["tcp://a:1", "nio://b:2"]);
        assert_eq!(wrong.len(), 1);
    }
}
