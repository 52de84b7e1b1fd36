//! A node of a policy as serde reads it.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::{ANYTHING, PLACED, WORDS};
use crate::policy::node::{Entry, Fault, Node, Value, short};
use crate::span::Span;

/// Reads one value.
#[derive(Copy, Clone)]
pub(super) struct Reader<'n>(pub(super) &'n Node);

impl<'n> Reader<'n> {
    fn wrong(self, wanted: &str) -> Fault {
        Fault::open(format!("takes {wanted}; here is {}", self.0.describe())).at(self.0.head())
    }

    fn scalar(self, wanted: &str) -> Result<&'n str, Fault> {
        match &self.0.value {
            Value::Scalar { text, .. } => Ok(text),
            _ => Err(self.wrong(wanted)),
        }
    }

    /// The text of a scalar without quotes, or with them where only quotes make it text.
    fn plain(self, wanted: &str) -> Result<&'n str, Fault> {
        match &self.0.value {
            Value::Scalar { text, plain: true } => Ok(text),
            Value::Scalar { plain: false, .. } => Err(self.wrong(wanted).help("take the quotes away")),
            _ => Err(self.wrong(wanted)),
        }
    }

    fn here<T>(self, result: Result<T, Fault>) -> Result<T, Fault> {
        result.map_err(|fault| fault.at(self.0.head()))
    }

    fn visit_entries<'de, V: Visitor<'de>>(self, wanted: &str, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Map { entries, .. } => self.here(visitor.visit_map(Block { entries: entries.iter(), value: None })),
            // A heading with nothing below it, as people leave it behind when they delete the last entry.
            Value::Null => self.here(visitor.visit_map(Block { entries: [].iter(), value: None })),
            _ => Err(self.wrong(wanted)),
        }
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $wanted:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            let text = self.plain($wanted)?;
            let number: $type = text.parse().map_err(|_| self.wrong($wanted))?;
            self.here(visitor.$visit(number))
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let result = match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Scalar { text, plain: false } => visitor.visit_str(text),
            Value::Scalar { text, plain: true } => match text.as_str() {
                "true" | "True" | "TRUE" => visitor.visit_bool(true),
                "false" | "False" | "FALSE" => visitor.visit_bool(false),
                _ => {
                    let number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
                    if let Some(n) = text.parse().ok().filter(|_| number) {
                        visitor.visit_u64(n)
                    } else if let Some(n) = text.parse().ok().filter(|_| number) {
                        visitor.visit_i64(n)
                    } else if let Some(n) = text.parse::<f64>().ok().filter(|n| number && n.is_finite()) {
                        visitor.visit_f64(n)
                    } else {
                        visitor.visit_str(text)
                    }
                }
            },
            Value::List { items, .. } => visitor.visit_seq(List(items.iter())),
            Value::Map { entries, .. } => visitor.visit_map(Block { entries: entries.iter(), value: None }),
        };
        self.here(result)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let value = match self.plain("true or false")? {
            "true" | "True" | "TRUE" | "yes" | "on" => true,
            "false" | "False" | "FALSE" | "no" | "off" => false,
            _ => return Err(self.wrong("true or false")),
        };
        self.here(visitor.visit_bool(value))
    }

    numbers! {
        deserialize_i8 visit_i64 i64, "a whole number";
        deserialize_i16 visit_i64 i64, "a whole number";
        deserialize_i32 visit_i64 i64, "a whole number";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u64 u64, "a whole number from 0";
        deserialize_u16 visit_u64 u64, "a whole number from 0";
        deserialize_u32 visit_u64 u64, "a whole number from 0";
        deserialize_u64 visit_u64 u64, "a whole number from 0";
        deserialize_f32 visit_f64 f64, "a number";
        deserialize_f64 visit_f64 f64, "a number";
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.here(visitor.visit_str(self.scalar("one character")?))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        // A number or a date is text where text is asked for: it was written as text.
        self.here(visitor.visit_str(self.scalar("text")?))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.0.value == Value::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.0.value == Value::Null { visitor.visit_unit() } else { Err(self.wrong("nothing")) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        if name == ANYTHING { visitor.visit_unit() } else { self.deserialize_unit(visitor) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        self.here(visitor.visit_newtype_struct(self))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::List { items, .. } => self.here(visitor.visit_seq(List(items.iter()))),
            Value::Null => self.here(visitor.visit_seq(List([].iter()))),
            _ => Err(self.wrong("a list").help("write it as a list: [first, second]")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match (name, &self.0.value) {
            (PLACED, _) => self.here(visitor.visit_seq(PlacedParts { node: self.0, next: 0 })),
            (WORDS, Value::Scalar { .. }) => self.here(visitor.visit_seq(List(std::slice::from_ref(self.0).iter()))),
            (WORDS, Value::Map { .. }) => Err(self.wrong("a word or a list of words")),
            _ => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit_entries("a block of names", visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.visit_entries("a block of keys", visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let choice = match &self.0.value {
            Value::Scalar { text, .. } => Choice { name: text, at: self.0.span, node: None },
            Value::Map { entries, .. } if entries.len() == 1 => {
                Choice { name: &entries[0].key, at: entries[0].at, node: Some(&entries[0].node) }
            }
            _ => return Err(self.wrong(&format!("one of {}", variants.join(", ")))),
        };
        self.here(visitor.visit_enum(choice))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        // Serde drops a key here that a struct does not know and does not deny. A policy drops nothing in silence.
        Err(Fault::open("is no key that is known here"))
    }
}

struct List<'n>(std::slice::Iter<'n, Node>);

impl<'de> SeqAccess<'de> for List<'_> {
    type Error = Fault;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        self.0.next().map(|node| seed.deserialize(Reader(node))).transpose()
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct PlacedParts<'n> {
    node: &'n Node,
    next: u8,
}

impl<'de> SeqAccess<'de> for PlacedParts<'_> {
    type Error = Fault;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        self.next += 1;
        let place = self.node.head();
        match self.next {
            1 => seed.deserialize(place.start.into_deserializer()).map(Some),
            2 => seed.deserialize(place.end.into_deserializer()).map(Some),
            3 => seed.deserialize(Reader(self.node)).map(Some),
            _ => Ok(None),
        }
    }
}

struct Block<'n> {
    entries: std::slice::Iter<'n, Entry>,
    value: Option<&'n Entry>,
}

impl<'de> MapAccess<'de> for Block<'_> {
    type Error = Fault;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.value = self.entries.next();
        let Some(entry) = self.value else { return Ok(None) };
        // A key is a value of its own for `Placed` keys.
        let key = Node { span: entry.at, value: Value::Scalar { text: entry.key.clone(), plain: true } };
        seed.deserialize(Reader(&key)).map(Some).map_err(|fault| fault.at(entry.at))
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let entry = self.value.take().expect("serde asks for a value after its key");
        seed.deserialize(Reader(&entry.node))
            .map_err(|fault| fault.named(&format!("`{}`", short(&entry.key))).at(entry.at))
    }
}

struct Choice<'n> {
    name: &'n str,
    at: Span,
    node: Option<&'n Node>,
}

impl<'de, 'n> EnumAccess<'de> for Choice<'n> {
    type Error = Fault;
    type Variant = Chosen<'n>;
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Chosen<'n>), Fault> {
        let name: StrDeserializer<'_, Fault> = self.name.into_deserializer();
        let value = seed.deserialize(name).map_err(|fault| fault.at(self.at))?;
        Ok((value, Chosen { at: self.at, node: self.node }))
    }
}

struct Chosen<'n> {
    at: Span,
    node: Option<&'n Node>,
}

impl<'n> Chosen<'n> {
    fn inside(&self) -> Result<Reader<'n>, Fault> {
        self.node.map(Reader).ok_or_else(|| Fault::open("needs a block below this word").at(self.at))
    }
}

impl<'de> VariantAccess<'de> for Chosen<'_> {
    type Error = Fault;
    fn unit_variant(self) -> Result<(), Fault> {
        match self.node {
            None => Ok(()),
            Some(node) => Err(Fault::open("is a word alone, with nothing below it").at(node.head())),
        }
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.inside()?)
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.inside()?.deserialize_seq(visitor)
    }
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        self.inside()?.deserialize_map(visitor)
    }
}
