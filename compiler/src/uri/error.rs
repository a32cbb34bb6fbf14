//! What can be wrong with the text of a URI, said so that the reader knows what to change.

use std::fmt;
use std::ops::Range;

/// Why a text is no URI that ActiveMQ could use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriError {
    /// Which fault it is, for rules that name one of them.
    pub fault: UriFault,
    /// The fault in words: what is wrong and what to write instead.
    pub message: String,
    /// Where it is, as byte offsets into the text.
    pub range: Range<usize>,
}

/// The faults, one for each thing that a reader would do differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UriFault {
    /// Nothing where a URI or its address should be.
    Empty,
    /// No scheme before the first colon.
    NoScheme,
    /// A scheme with a character that no scheme may have.
    BadScheme,
    /// A blank, tab or line break (ActiveMQ: "Illegal character in opaque part").
    Blank,
    /// Another character that a URI may hold only percent-encoded.
    IllegalCharacter,
    /// A `#`: everything behind it is cut off before ActiveMQ looks.
    Fragment,
    /// A `%` without two hexadecimal digits.
    BadEscape,
    /// A `${` without its `}`.
    OpenPlaceholder,
    /// A parenthesis without its partner.
    Unbalanced,
    /// A composite without members.
    EmptyList,
    /// Nothing between two commas.
    EmptyMember,
    /// Text between the closing parenthesis and the options, which ActiveMQ ignores.
    TextAfterList,
    /// A host name from which Java reads no host.
    BadHost,
    /// A port that is not a number from 0 to 65535.
    BadPort,
    /// Several addresses with a comma between, but no `failover:` around them.
    ListWithoutScheme,
    /// Nothing between `?` or `&` and the next `&` or `=`.
    EmptyOption,
    /// A second `?`: ActiveMQ reads only the options behind the last one.
    SecondQuestionMark,
    /// Composites nested deeper than [`super::MAX_DEPTH`].
    TooDeep,
}

impl UriError {
    pub(super) fn new(fault: UriFault, range: Range<usize>, message: impl Into<String>) -> Self {
        Self { fault, message: message.into(), range }
    }
}

impl UriError {
    /// The same without words of the URI itself, where that may hold a password.
    #[must_use]
    pub fn discreet(mut self, source: &str) -> Self {
        const SIGNS: [&str; 8] = ["@", "password", "passwd", "passphrase", "pwd", "secret", "token", "key="];
        let lower = source.to_ascii_lowercase();
        if SIGNS.iter().any(|sign| lower.contains(sign)) {
            self.message = self.fault.words().to_owned();
        }
        self
    }
}

impl UriFault {
    /// What to do about it, whatever the text is.
    fn words(self) -> &'static str {
        match self {
            Self::Empty | Self::EmptyMember => "an address is missing here: write one, like `tcp://host:61616`",
            Self::NoScheme => "no transport is named here: write `tcp://` before the host",
            Self::BadScheme => "this is no transport name: letters, digits, `+`, `-` and `.` only",
            Self::Blank => "a broker URI may hold no blank and no line break: remove it",
            Self::IllegalCharacter | Self::Fragment => "a broker URI may not hold this character: percent-encode it",
            Self::BadEscape => "`%` needs two hexadecimal digits: write `%25` for a percent sign",
            Self::OpenPlaceholder => "`${` has no `}`: close the placeholder",
            Self::Unbalanced => "this parenthesis has no partner: add one, or remove this one",
            Self::EmptyList => "this list names no broker: write one, like `tcp://host:61616`",
            Self::TextAfterList => "ActiveMQ ignores what follows the list: remove it, or put `?` before options",
            Self::BadHost => "Java reads no host here: letters, digits, `-` and `.` only",
            Self::BadPort => "this is no port: write a number from 1 to 65535",
            Self::ListWithoutScheme => "several brokers in one URI need a list: write `failover:(a,b)`",
            Self::EmptyOption => "an option has no name here: write `name=value`",
            Self::SecondQuestionMark => "a second `?`: put `&` between options",
            Self::TooDeep => "URIs are nested too deep here: ActiveMQ needs two or three levels",
        }
    }
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for UriError {}
