//! Structs of optional effects: what a rule sets, and how rules are laid over each other.
//!
//! [`effects!`] makes such a struct. A value that a later rule sets replaces the earlier one; lists and tables add up.

use std::collections::BTreeMap;

/// A value that a rule can set.
pub(crate) trait Effect {
    /// Lays a more specific rule's value over this one.
    fn lay(&mut self, over: Self);
}

macro_rules! replaced {
    ($($kind:ty),* $(,)?) => {
        $(impl $crate::content::effects::Effect for $kind {
            fn lay(&mut self, over: Self) {
                *self = over;
            }
        })*
    };
}
pub(crate) use replaced;

replaced!(bool, u8, u16, u32, String);

impl<T: PartialEq> Effect for Vec<T> {
    fn lay(&mut self, over: Self) {
        for value in over {
            if !self.contains(&value) {
                self.push(value);
            }
        }
    }
}

impl<K: Ord, V> Effect for BTreeMap<K, V> {
    fn lay(&mut self, over: Self) {
        self.extend(over);
    }
}

/// A struct whose fields are all optional effects, read from TOML: an unknown key is an error.
macro_rules! effects {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$doc:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $(
                $(#[$doc])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $field: Option<$kind>,
            )*
        }

        impl $name {
            /// The names of all effects.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];

            /// Lays the effects of a more specific rule over these.
            pub fn lay(&mut self, over: Self) {
                $(
                    match (&mut self.$field, over.$field) {
                        (Some(value), Some(over)) => $crate::content::effects::Effect::lay(value, over),
                        (value @ None, over) => *value = over,
                        (Some(_), None) => {}
                    }
                )*
            }

            /// Whether nothing is set.
            pub fn is_empty(&self) -> bool {
                $(self.$field.is_none())&&*
            }
        }
    };
}
pub(crate) use effects;
