//! How Finesse's objects are spelled in XML: one table for each object, which reading, writing and tests share.
//!
//! Finesse's documents and captures disagree about the order of elements and about capitals (`user` and `User`, `errorType` and
//! `ErrorType`), leave elements out or leave them empty. So names are compared without regard to case, order means nothing,
//! what is empty counts as absent, and what nobody knows is passed over.

use crate::xml::Element;

/// Something that the text or the elements of one element say.
pub(crate) trait Value: Sized {
    /// What this element says; `None` if it says nothing, or nothing of this kind.
    fn read(element: &Element) -> Option<Self>;

    /// The element's content, added to it.
    fn write(&self, element: Element) -> Element;
}

impl Value for String {
    fn read(element: &Element) -> Option<Self> {
        let text = element.text();
        let trimmed = text.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    fn write(&self, element: Element) -> Element {
        element.saying(self)
    }
}

impl Value for i64 {
    fn read(element: &Element) -> Option<Self> {
        element.text().trim().parse().ok()
    }

    fn write(&self, element: Element) -> Element {
        element.saying(self.to_string())
    }
}

impl Value for u16 {
    fn read(element: &Element) -> Option<Self> {
        element.text().trim().parse().ok()
    }

    fn write(&self, element: Element) -> Element {
        element.saying(self.to_string())
    }
}

impl Value for bool {
    fn read(element: &Element) -> Option<Self> {
        match element.text().trim() {
            yes if yes.eq_ignore_ascii_case("true") => Some(true),
            no if no.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    fn write(&self, element: Element) -> Element {
        element.saying(self.to_string())
    }
}

/// A field of an object. Its path is the name of an element, or `outer/inner`.
pub(crate) trait Field: Sized {
    fn read_field(object: &Element, path: &str) -> Self;
    fn write_field(&self, object: Element, path: &str) -> Element;
}

impl<T: Value> Field for Option<T> {
    fn read_field(object: &Element, path: &str) -> Self {
        match path.split_once('/') {
            Some((outer, inner)) => Self::read_field(child(object, outer)?, inner),
            None => T::read(child(object, path)?),
        }
    }

    fn write_field(&self, object: Element, path: &str) -> Element {
        match self {
            Some(value) => object.containing(value.write(Element::new(path, ""))),
            None => object,
        }
    }
}

/// The path of a list is `outer/inner`: `inner` comes as often as it likes.
impl<T: Value> Field for Vec<T> {
    fn read_field(object: &Element, path: &str) -> Self {
        let (outer, inner) = path.split_once('/').unwrap_or((path, path));
        child(object, outer).map_or_else(Self::new, |list| list_of(list, inner))
    }

    fn write_field(&self, object: Element, path: &str) -> Element {
        if self.is_empty() {
            return object;
        }
        let (outer, inner) = path.split_once('/').unwrap_or((path, path));
        let write = |list: Element, value: &T| list.containing(value.write(Element::new(inner, "")));
        object.containing(self.iter().fold(Element::new(outer, ""), write))
    }
}

/// The first element of this name right inside, whatever its capitals.
pub(crate) fn child<'a>(element: &'a Element, name: &str) -> Option<&'a Element> {
    element.elements().find(|child| child.name.eq_ignore_ascii_case(name))
}

/// What all elements of this name right inside say.
pub(crate) fn list_of<T: Value>(list: &Element, name: &str) -> Vec<T> {
    list.elements().filter(|item| item.name.eq_ignore_ascii_case(name)).filter_map(T::read).collect()
}

/// Declares an object of Finesse: the element's name; then for each field its element, or path of elements, its name here and type.
macro_rules! record {
    ($(#[$meta:meta])* $object:ident $element:literal { $( $(#[$field_meta:meta])* $path:literal $field:ident: $type:ty; )* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $object {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl $object {
            /// The element's name.
            pub const ELEMENT: &str = $element;

            /// The elements that are read from it, in the order in which they are written.
            pub const PATHS: &[&str] = &[$($path),*];

            /// Reads the object from its element, whatever the element is called.
            #[must_use]
            pub fn read(element: &$crate::xml::Element) -> Self {
                Self { $( $field: $crate::record::Field::read_field(element, $path), )* }
            }

            /// Its element.
            #[must_use]
            pub fn to_element(&self) -> $crate::xml::Element {
                $crate::record::Value::write(self, $crate::xml::Element::new(Self::ELEMENT, ""))
            }
        }

        impl $crate::record::Value for $object {
            /// An object of which nothing is known counts as absent.
            fn read(element: &$crate::xml::Element) -> Option<Self> {
                let read = Self::read(element);
                (read != Self::default()).then_some(read)
            }

            fn write(&self, element: $crate::xml::Element) -> $crate::xml::Element {
                $( let element = $crate::record::Field::write_field(&self.$field, element, $path); )*
                element
            }
        }
    };
}

/// Declares the words that Finesse uses for something; a word that it does not list is kept as it came.
macro_rules! words {
    ($(#[$meta:meta])* $words:ident { $( $(#[$word_meta:meta])* $word:literal $variant:ident, )* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $words {
            $( $(#[$word_meta])* $variant, )*
            /// A word that no document lists, as it came.
            Other(Box<str>),
        }

        impl $words {
            /// All words that are known.
            pub const KNOWN: &[Self] = &[$(Self::$variant),*];

            /// The word as Finesse spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $word, )*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $words {
            fn from(word: &str) -> Self {
                match word {
                    $( $word => Self::$variant, )*
                    other => Self::Other(other.into()),
                }
            }
        }

        impl std::fmt::Display for $words {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::record::Value for $words {
            fn read(element: &$crate::xml::Element) -> Option<Self> {
                let text = element.text();
                let word = text.trim();
                (!word.is_empty()).then(|| Self::from(word))
            }

            fn write(&self, element: $crate::xml::Element) -> $crate::xml::Element {
                element.saying(self.as_str())
            }
        }
    };
}

pub(crate) use {record, words};
