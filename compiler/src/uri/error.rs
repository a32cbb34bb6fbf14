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

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for UriError {}
