//! What a structure of the protocol is: a type id and fields in an order. The macro makes code of the tables.

use crate::DecodeError;
use crate::loose::{Reader, Writer};

/// A structure's row of the protocol's table: what a test holds against ActiveMQ's own marshallers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Its name, which is that of the Java class.
    pub name: &'static str,
    /// Its type id (`CommandTypes`).
    pub id: u8,
    /// Its fields in the order in which they are written.
    pub fields: &'static [&'static str],
}

/// What stands behind a type id: one structure, or one of several.
pub(crate) trait Nested: Sized {
    /// Its type id.
    fn type_id(&self) -> u8;
    /// Reads the fields of a structure of this type.
    fn read_fields(id: u8, input: &mut Reader) -> Result<Self, DecodeError>;
    /// Writes the fields.
    fn write_fields(&self, output: &mut Writer);
}

impl<T: Nested> Nested for Box<T> {
    fn type_id(&self) -> u8 {
        (**self).type_id()
    }

    fn read_fields(id: u8, input: &mut Reader) -> Result<Self, DecodeError> {
        T::read_fields(id, input).map(Self::new)
    }

    fn write_fields(&self, output: &mut Writer) {
        (**self).write_fields(output);
    }
}

/// Declares structures: name, type id, fields in the order of the wire.
macro_rules! structures {
    ($(
        $(#[$meta:meta])*
        $name:ident = $id:literal {
            $( $(#[$field_meta:meta])* $field:ident: $type:ty, )*
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl $name {
            /// The row of the protocol's table.
            pub const LAYOUT: crate::Layout =
                crate::Layout { name: stringify!($name), id: $id, fields: &[$(stringify!($field)),*] };
        }

        impl crate::structure::Nested for $name {
            fn type_id(&self) -> u8 {
                $id
            }

            fn read_fields(id: u8, _input: &mut crate::loose::Reader) -> Result<Self, crate::DecodeError> {
                if id != $id {
                    return Err(crate::DecodeError::UnknownType { what: stringify!($name), id });
                }
                Ok(Self { $( $field: crate::loose::Loose::read(_input)?, )* })
            }

            fn write_fields(&self, _output: &mut crate::loose::Writer) {
                $( crate::loose::Loose::write(&self.$field, _output); )*
            }
        }
    )*};
}

/// Declares an enum of structures, of which the type id tells which it is.
macro_rules! one_of {
    (
        $(#[$meta:meta])*
        $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident($type:ty) = $ids:pat, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $( $(#[$variant_meta])* $variant($type), )*
        }

        $(
            impl From<$type> for $name {
                fn from(from: $type) -> Self {
                    Self::$variant(from)
                }
            }
        )*

        impl crate::structure::Nested for $name {
            fn type_id(&self) -> u8 {
                match self {
                    $( Self::$variant(inner) => crate::structure::Nested::type_id(inner), )*
                }
            }

            fn read_fields(id: u8, input: &mut crate::loose::Reader) -> Result<Self, crate::DecodeError> {
                match id {
                    $( $ids => crate::structure::Nested::read_fields(id, input).map(Self::$variant), )*
                    _ => Err(crate::DecodeError::UnknownType { what: stringify!($name), id }),
                }
            }

            fn write_fields(&self, output: &mut crate::loose::Writer) {
                match self {
                    $( Self::$variant(inner) => crate::structure::Nested::write_fields(inner, output), )*
                }
            }
        }
    };
}

pub(crate) use {one_of, structures};
