//! How the brokers of a plan are spelled as the URI that a client of ActiveMQ dials.

use std::fmt;

use crate::{Address, Brokers, Listed, Options};

/// The URI, with every option percent-encoded once, as `topoc-openwire` reads it.
impl fmt::Display for Brokers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(listed) => listed.fmt(f),
            Self::Uri(uri) => f.write_str(uri),
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.failover.is_some() { "failover:(" } else { "" })?;
        for (place, address) in self.addresses.iter().enumerate() {
            write!(f, "{}{address}", if place == 0 { "" } else { "," })?;
        }
        let Some(options) = &self.failover else { return Ok(()) };
        f.write_str(")")?;
        write_options(options, f)
    }
}

/// With its options.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority())?;
        write_options(&self.options, f)
    }
}

impl Address {
    /// `host:port`, with brackets around an IPv6 address.
    #[must_use]
    pub fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// An address as properties have it: `HOST:PORT`, with `SCHEME://` before it where that is not tcp. None if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://").unwrap_or(("tcp", text));
        let (host, port) = authority.rsplit_once(':')?;
        let host = match host.strip_prefix('[') {
            Some(host) => host.strip_suffix(']')?,
            None if host.contains(':') => return None,
            None => host,
        };
        let is_name =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !",()?&/#@".contains(c));
        let port = port.parse().ok().filter(|port| *port != 0)?;
        (is_name(scheme) && is_name(host)).then(|| Self {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            port,
            options: Options::new(),
        })
    }
}

fn write_options(options: &Options, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (place, (name, value)) in options.iter().enumerate() {
        write!(f, "{}{}={}", if place == 0 { '?' } else { '&' }, encoded(name), encoded(value))?;
    }
    Ok(())
}

/// Everything encoded that ends an option, an address or a list.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!*$:/@;[]".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_properties() {
        for (text, expected) in [
            ("amq-1:61616", Some("tcp://amq-1:61616")),
            ("ssl://amq-1:61617", Some("ssl://amq-1:61617")),
            ("[::1]:61616", Some("tcp://[::1]:61616")),
            ("amq-1", None),
            ("amq-1:0", None),
            ("amq-1:65536", None),
            (":61616", None),
            ("a,b:1", None),
            ("a b:1", None),
            ("::1:61616", None),
            ("[::1:61616", None),
            ("tcp://a:1?x=y", None),
            ("gc:secret@a:1", None),
            ("", None),
        ] {
            assert_eq!(Address::parse(text).map(|address| address.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn options_are_spelled_so_that_none_ends_early() {
        let mut address = Address::parse("a:1").unwrap();
        address.options.insert("x".into(), "1,2)&3%".into());
        let failover = Some(Options::from([("randomize".to_owned(), "false".to_owned())]));
        let listed = Listed { addresses: vec![address.clone(), Address::parse("b:2").unwrap()], failover };
        assert_eq!(listed.to_string(), "failover:(tcp://a:1?x=1%2C2%29%263%25,tcp://b:2)?randomize=false");
        let alone = Listed { addresses: vec![address], failover: None };
        assert_eq!(alone.to_string(), "tcp://a:1?x=1%2C2%29%263%25");
    }
}
