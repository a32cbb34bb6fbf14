//! The parser behind [`super::parse`]: one look at the characters, then one pass over the text for each nesting level.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::{MAX_DEPTH, Part, Port, Uri, UriError, UriFault, UriKind, UriOption};

/// Schemes whose text is a list of URIs even without parentheses: those that ActiveMQ gives to `parseComposite`
/// (`FailoverTransportFactory`, `FanoutTransportFactory`, `DiscoveryTransportFactory`, `MockTransportFactory`,
/// `SimpleDiscoveryAgentFactory`, `MasterSlaveDiscoveryAgentFactory`).
const LIST_SCHEMES: &[&str] = &["failover", "fanout", "discovery", "mock", "static", "simple", "masterslave"];

/// Schemes whose "host" is the name of a broker and need not be a host name (`VMTransportFactory.extractHost`).
const NAMING_SCHEMES: &[&str] = &["vm", "peer"];

/// A placeholder is the name of a property; the bound keeps scanning linear in a text full of `${`.
const MAX_PLACEHOLDER: usize = 1024;

/// Refuses what `java.net.URI` refuses anywhere in a URI, and unclosed placeholders.
pub(super) fn check_characters(source: &str) -> Result<(), UriError> {
    let mut in_brackets = false;
    let mut skip_to = 0;
    for (at, char) in source.char_indices() {
        if at < skip_to {
            continue;
        }
        let here = at..at + char.len_utf8();
        match char {
            '$' if source[at..].starts_with("${") => {
                skip_to = placeholder_end(source.as_bytes(), at).ok_or_else(|| {
                    UriError::new(UriFault::OpenPlaceholder, at..at + 2, "`${` has no `}`: close the placeholder")
                })?;
            }
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            '#' => {
                let message = "ActiveMQ cuts a URI off at `#`: remove it, or write `%23` inside a value";
                return Err(UriError::new(UriFault::Fragment, here, message));
            }
            // The scope of an IPv6 address (`[fe80::1%eth0]`) is no escape.
            '%' if !in_brackets && !is_escape(&source.as_bytes()[at..]) => {
                let message = "`%` needs two hexadecimal digits: write `%25` for a percent sign";
                return Err(UriError::new(UriFault::BadEscape, here, message));
            }
            _ if char.is_whitespace() => {
                let message = "a broker URI may hold no blank and no line break: remove it, also after a comma";
                return Err(UriError::new(UriFault::Blank, here, message));
            }
            '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | '\0'..='\x1f' | '\x7f'..='\u{9f}' => {
                let message = format!("a broker URI may not hold {char:?}: remove it, or percent-encode it in a value");
                return Err(UriError::new(UriFault::IllegalCharacter, here, message));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Parses the URI at `range`. The caller has checked the characters and cuts only outside placeholders.
pub(super) fn uri(source: &str, range: Range<usize>, depth: usize) -> Result<Uri, UriError> {
    if range.is_empty() {
        return Err(UriError::new(UriFault::Empty, range, "there is no URI here: write one, like `tcp://host:61616`"));
    }
    if depth > MAX_DEPTH {
        let message = format!("URIs are nested more than {MAX_DEPTH} deep here: ActiveMQ needs two or three levels");
        return Err(UriError::new(UriFault::TooDeep, range, message));
    }
    let Some(colon) = scheme_end(source, &range) else { return without_scheme(source, range) };
    let scheme = Part::from(range.start..colon);
    check_scheme(source, scheme)?;
    let rest = colon + 1..range.end;
    let slashes = source[rest.clone()].starts_with("//");
    let body = if slashes { rest.start + 2..rest.end } else { rest };
    if body.is_empty() {
        let message = format!("nothing follows `{}`: name a host", &source[range.clone()]);
        let fault = if is_list_scheme(source, scheme) { UriFault::EmptyList } else { UriFault::Empty };
        return Err(UriError::new(fault, range, message));
    }
    let (kind, options) = if is_list_scheme(source, scheme) || source[body.clone()].starts_with('(') {
        if slashes {
            check_hierarchical(source, scheme, &body)?;
        }
        composite(source, scheme, body, depth)?
    } else {
        address(source, scheme, body, slashes)?
    };
    Ok(Uri { scheme, kind, options, range })
}

fn is_list_scheme(source: &str, scheme: Part) -> bool {
    LIST_SCHEMES.contains(&scheme.text(source))
}

/// With `//` a list is a path to Java, and a path may not hold the brackets of an IPv6 address.
fn check_hierarchical(source: &str, scheme: Part, body: &Range<usize>) -> Result<(), UriError> {
    let mut path = outside(source, body).take_while(|it| it.1 != b'?');
    let Some((at, _)) = path.find(|it| it.1 == b'[') else { return Ok(()) };
    let scheme = scheme.text(source);
    let message = format!("Java refuses `[` after `{scheme}://`: write `{scheme}:(...)` without the slashes");
    Err(UriError::new(UriFault::IllegalCharacter, at..at + 1, message))
}

/// The first colon, if it comes before anything that cannot belong to a scheme.
fn scheme_end(source: &str, range: &Range<usize>) -> Option<usize> {
    outside(source, range)
        .find(|(_, byte)| b":/?(),&=[@".contains(byte))
        .filter(|&(_, byte)| byte == b':')
        .map(|it| it.0)
}

/// A URI that is a placeholder altogether; anything else without a scheme is a fault.
fn without_scheme(source: &str, range: Range<usize>) -> Result<Uri, UriError> {
    if !source[range.clone()].starts_with("${") {
        return Err(no_scheme(source, range));
    }
    let (host, query) = split_query(source, range.clone());
    let kind = UriKind::Address { host: host.clone().into(), port: None, path: (host.end..host.end).into() };
    Ok(Uri { scheme: (range.start..range.start).into(), kind, options: options(source, query)?, range })
}

fn no_scheme(source: &str, range: Range<usize>) -> UriError {
    let text = shortened(&source[range.clone()]);
    UriError::new(UriFault::NoScheme, range, format!("`{text}` names no transport: write `tcp://{text}`"))
}

fn check_scheme(source: &str, scheme: Part) -> Result<(), UriError> {
    let text = scheme.text(source);
    // RFC 2396, 3.1, as java.net.URI checks it.
    let starts_well = text.starts_with(|first: char| first.is_ascii_alphabetic()) || text.starts_with("${");
    let bad = outside(source, &scheme.range())
        .find(|(_, byte)| !byte.is_ascii_alphanumeric() && !b"+-.".contains(byte))
        .map(|(at, _)| at);
    if starts_well && bad.is_none() {
        return Ok(());
    }
    if text.starts_with(|first: char| first.is_ascii_digit()) || text.is_empty() {
        let message = format!("no transport is named before `{}:`: write `tcp://`", shortened(text));
        return Err(UriError::new(UriFault::NoScheme, scheme.range(), message));
    }
    let message = format!("`{}` is no transport name: letters, digits, `+`, `-` and `.` only", shortened(text));
    Err(UriError::new(UriFault::BadScheme, scheme.range(), message))
}

fn composite(
    source: &str,
    scheme: Part,
    body: Range<usize>,
    depth: usize,
) -> Result<(UriKind, Vec<UriOption>), UriError> {
    if depth == 0 {
        check_balance(source, &body)?;
    }
    let parenthesised = source[body.clone()].starts_with('(');
    let (list, after) = if parenthesised {
        let close = closing(source, &body).ok_or_else(|| unbalanced(body.start, '('))?;
        (body.start + 1..close, close + 1..body.end)
    } else {
        (body.clone(), body.end..body.end)
    };
    let (text, query) = split_query(source, after);
    if !text.is_empty() {
        let shown = shortened(&source[text.clone()]);
        let message = format!("ActiveMQ ignores `{shown}` after the list: options begin with `?`");
        return Err(UriError::new(UriFault::TextAfterList, text, message));
    }
    let members = members(source, scheme, list, depth)?;
    Ok((UriKind::Composite { members, parenthesised }, options(source, query)?))
}

fn members(source: &str, scheme: Part, list: Range<usize>, depth: usize) -> Result<Vec<Uri>, UriError> {
    if list.is_empty() {
        let message = format!("`{}:` names no broker: write at least one URI in its list", scheme.text(source));
        return Err(UriError::new(UriFault::EmptyList, scheme.start..list.end, message));
    }
    split_list(source, &list)
        .into_iter()
        .map(|member| {
            if member.is_empty() {
                let message = "there is no URI before this comma: remove the comma, or name a broker";
                return Err(UriError::new(UriFault::EmptyMember, member.start..member.start + 1, message));
            }
            uri(source, member, depth + 1)
        })
        .collect()
}

/// The pieces between commas outside parentheses. Like ActiveMQ it overlooks a comma at the very end.
fn split_list(source: &str, list: &Range<usize>) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = list.start;
    let mut open = 0_usize;
    for (at, byte) in outside(source, list) {
        match byte {
            b'(' => open += 1,
            b')' => open = open.saturating_sub(1),
            b',' if open == 0 => {
                pieces.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < list.end {
        pieces.push(start..list.end);
    }
    pieces
}

fn check_balance(source: &str, body: &Range<usize>) -> Result<(), UriError> {
    let mut open = Vec::new();
    for (at, byte) in outside(source, body) {
        match byte {
            b'(' => open.push(at),
            b')' if open.pop().is_none() => return Err(unbalanced(at, ')')),
            _ => {}
        }
    }
    open.last().map_or(Ok(()), |&at| Err(unbalanced(at, '(')))
}

fn unbalanced(at: usize, parenthesis: char) -> UriError {
    let (partner, place) = if parenthesis == '(' { (')', "after it") } else { ('(', "before it") };
    let message = format!("`{parenthesis}` has no `{partner}` {place}: add one, or remove this one");
    UriError::new(UriFault::Unbalanced, at..at + 1, message)
}

/// The parenthesis that closes the one at the start of `body`.
fn closing(source: &str, body: &Range<usize>) -> Option<usize> {
    let mut open = 0_usize;
    outside(source, body).find_map(|(at, byte)| {
        match byte {
            b'(' => open += 1,
            b')' => open = open.saturating_sub(1),
            _ => return None,
        }
        (open == 0).then_some(at)
    })
}

fn address(
    source: &str,
    scheme: Part,
    body: Range<usize>,
    slashes: bool,
) -> Result<(UriKind, Vec<UriOption>), UriError> {
    let (location, query) = split_query(source, body);
    if !slashes {
        // `broker-1:61616`: what looks like a scheme is a host.
        if source[location.clone()].bytes().all(|byte| byte.is_ascii_digit()) && !location.is_empty() {
            return Err(no_scheme(source, scheme.start..location.end));
        }
        let nowhere = Part::from(location.start..location.start);
        let kind = UriKind::Address { host: nowhere, port: None, path: location.into() };
        return Ok((kind, options(source, query)?));
    }
    let path_start = outside(source, &location).find(|it| it.1 == b'/').map_or(location.end, |it| it.0);
    let (host, port) = authority(source, scheme, location.start..path_start)?;
    let path = Part::from(path_start..location.end);
    if host.is_empty() && path.is_empty() {
        let message = format!("nothing follows `{}://`: name a host", scheme.text(source));
        return Err(UriError::new(UriFault::Empty, scheme.start..location.end, message));
    }
    Ok((UriKind::Address { host, port, path }, options(source, query)?))
}

fn authority(source: &str, scheme: Part, range: Range<usize>) -> Result<(Part, Option<Port>), UriError> {
    if let Some((at, _)) = outside(source, &range).find(|it| it.1 == b',') {
        let message = "several brokers in one URI need a list: write `failover:(a,b)`";
        return Err(UriError::new(UriFault::ListWithoutScheme, at..at + 1, message));
    }
    let user_info = outside(source, &range).filter(|it| it.1 == b'@').last();
    let range = user_info.map_or(range.start, |it| it.0 + 1)..range.end;
    let host = if source[range.clone()].starts_with('[') {
        ipv6_host(source, &range)?
    } else {
        let end = outside(source, &range).find(|it| it.1 == b':').map_or(range.end, |it| it.0);
        check_host(source, scheme, range.start..end)?;
        Part::from(range.start..end)
    };
    let port = port(source, host.end..range.end)?;
    if host.is_empty() && port.is_some() {
        return Err(UriError::new(UriFault::BadHost, range, "no host is named before the port: write one"));
    }
    Ok((host, port))
}

fn ipv6_host(source: &str, range: &Range<usize>) -> Result<Part, UriError> {
    let bad = |range| {
        let message = "this is no IPv6 address: write it in brackets, like `[::1]`";
        UriError::new(UriFault::BadHost, range, message)
    };
    let close = outside(source, range).find(|it| it.1 == b']').map(|it| it.0).ok_or_else(|| bad(range.clone()))?;
    let inner = &source[range.start + 1..close];
    let number = inner.split_once('%').map_or(inner, |(number, _scope)| number);
    if number.parse::<Ipv6Addr>().is_err() && !inner.contains("${") {
        return Err(bad(range.start..close + 1));
    }
    Ok((range.start..close + 1).into())
}

/// Java takes letters, digits, `-` and `.`; with anything else `URI.getHost` is null and the port is lost as well.
fn check_host(source: &str, scheme: Part, host: Range<usize>) -> Result<(), UriError> {
    if NAMING_SCHEMES.contains(&scheme.text(source)) {
        return Ok(());
    }
    let Some((at, _)) = outside(source, &host).find(|(_, byte)| !byte.is_ascii_alphanumeric() && !b"-.".contains(byte))
    else {
        return Ok(());
    };
    let char = source[at..].chars().next().unwrap_or_default();
    let shown = shortened(&source[host.clone()]);
    let message = format!("Java reads no host from `{shown}`: a host name may not hold `{char}`");
    Err(UriError::new(UriFault::BadHost, host, message))
}

/// `:61616` after a host, or nothing.
fn port(source: &str, range: Range<usize>) -> Result<Option<Port>, UriError> {
    if range.is_empty() {
        return Ok(None);
    }
    let text = &source[range.clone()];
    let bad = |message: String| Err(UriError::new(UriFault::BadPort, range.clone(), message));
    let Some(digits) = text.strip_prefix(':') else {
        return bad(format!("`{}` follows the address: a port begins with `:`", shortened(text)));
    };
    let place = range.start + 1..range.end;
    if digits.contains("${") {
        return Ok(Some(Port { number: None, range: place }));
    }
    if digits.contains(':') {
        return bad("two colons after a host: an IPv6 address needs brackets, like `[::1]:61616`".into());
    }
    if digits.is_empty() {
        return bad("no port follows the colon: write its number".into());
    }
    match digits.parse() {
        Ok(number) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(Some(Port { number: Some(number), range: place }))
        }
        _ => bad(format!("`{}` is no port: write a number from 1 to 65535", shortened(digits))),
    }
}

/// What stands before the first `?`, and what stands behind it.
fn split_query(source: &str, range: Range<usize>) -> (Range<usize>, Option<Range<usize>>) {
    match outside(source, &range).find(|it| it.1 == b'?') {
        Some((at, _)) => (range.start..at, Some(at + 1..range.end)),
        None => (range, None),
    }
}

fn options(source: &str, query: Option<Range<usize>>) -> Result<Vec<UriOption>, UriError> {
    let Some(query) = query else { return Ok(Vec::new()) };
    let mut pieces = Vec::new();
    let mut start = query.start;
    for (at, byte) in outside(source, &query) {
        if byte == b'?' {
            let message =
                "ActiveMQ reads only what follows the last `?`: join options with `&`, write `%3F` in a value";
            return Err(UriError::new(UriFault::SecondQuestionMark, at..at + 1, message));
        }
        if byte == b'&' {
            pieces.push(option(source, start..at)?);
            start = at + 1;
        }
    }
    // A `?` or `&` at the very end stands for nothing, as in Java's `String.split`.
    if start < query.end {
        pieces.push(option(source, start..query.end)?);
    }
    Ok(pieces)
}

fn option(source: &str, range: Range<usize>) -> Result<UriOption, UriError> {
    let equals = outside(source, &range).find(|it| it.1 == b'=').map(|it| it.0);
    let key = Part::from(range.start..equals.unwrap_or(range.end));
    if key.is_empty() {
        let place = range.start..range.end.max(range.start + 1);
        return Err(UriError::new(UriFault::EmptyOption, place, "an option has no name here: write `name=value`"));
    }
    let value = Part::from(equals.map_or(range.end, |at| at + 1)..range.end);
    Ok(UriOption { key, value, range })
}

/// The bytes of `range` with their offsets, without those inside placeholders.
fn outside<'a>(source: &'a str, range: &Range<usize>) -> impl Iterator<Item = (usize, u8)> + use<'a> {
    let bytes = source.as_bytes().get(..range.end).unwrap_or_default();
    let mut at = range.start;
    std::iter::from_fn(move || {
        while bytes.get(at) == Some(&b'$') {
            let Some(end) = placeholder_end(bytes, at) else { break };
            at = end;
        }
        let byte = *bytes.get(at)?;
        at += 1;
        Some((at - 1, byte))
    })
}

/// The end of the placeholder at `at`, which may hold others (`${port:${other}}`); `None` when there is none.
pub(super) fn placeholder_end(bytes: &[u8], at: usize) -> Option<usize> {
    let text = bytes.get(at..bytes.len().min(at + MAX_PLACEHOLDER))?;
    if !text.starts_with(b"${") {
        return None;
    }
    let mut open = 0_usize;
    for (index, byte) in text.iter().enumerate().skip(1) {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at + index + 1);
        }
    }
    None
}

fn is_escape(bytes: &[u8]) -> bool {
    bytes.len() >= 3 && bytes[0] == b'%' && bytes[1].is_ascii_hexdigit() && bytes[2].is_ascii_hexdigit()
}

/// Decodes a key or a value as ActiveMQ does: for a composite once, in the manner of forms (`URISupport.parseQuery`);
/// for an address first by `URI.getQuery` and then once more in the same manner.
pub(super) fn decode(text: &str, of_address: bool) -> String {
    let bytes = text.as_bytes();
    let mut decoded = String::with_capacity(text.len());
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        match placeholder_end(bytes, at) {
            Some(end) => {
                decoded.push_str(&decode_plain(&text[start..at], of_address));
                decoded.push_str(&text[at..end]);
                start = end;
                at = end;
            }
            None => at += 1,
        }
    }
    decoded.push_str(&decode_plain(&text[start..], of_address));
    decoded
}

fn decode_plain(text: &str, of_address: bool) -> String {
    if of_address { unescape(&unescape(text, false), true) } else { unescape(text, true) }
}

fn unescape(text: &str, plus_is_blank: bool) -> String {
    let mut rest = text.as_bytes();
    let mut decoded = Vec::with_capacity(rest.len());
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'%' if after.len() >= 2 => match hex(after[0]).zip(hex(after[1])) {
                Some((high, low)) => {
                    decoded.push(high << 4 | low);
                    rest = &after[2..];
                }
                None => decoded.push(first),
            },
            b'+' if plus_is_blank => decoded.push(b' '),
            _ => decoded.push(first),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// At most as much of a text as a reader needs to recognise it.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}
