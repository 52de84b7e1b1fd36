//! Values with a form of their own: a day, a size.

use std::marker::PhantomData;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, de};

use crate::policy::node::short;

/// A day, written `2026-10-01`.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(crate) struct Day(pub(crate) Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The parser of dates also takes times and week dates; a policy has one way to write a day.
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(i, b)| if matches!(i, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
        match text.parse() {
            Ok(date) if shape => Ok(Day(date)),
            _ => Err(de::Error::custom(format!(
                "takes a day of the calendar, written 2026-10-01; here is `{}`",
                short(&text)
            ))),
        }
    }
}

impl JsonSchema for Day {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})
    }
}

/// A plain yes or no, or a block that says more.
#[derive(Clone, Debug)]
pub(crate) enum Plainly<T> {
    /// `true` or `false`.
    Said(bool),
    /// With the circumstances.
    Told(T),
}

/// What may stand in place of a plain yes or no.
pub(crate) trait Block {
    /// What is expected, in words.
    const EXPECTED: &'static str;
}

impl<'de, T: Block + Deserialize<'de>> Deserialize<'de> for Plainly<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Take<T>(PhantomData<T>);
        impl<'de, T: Block + Deserialize<'de>> Visitor<'de> for Take<T> {
            type Value = Plainly<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(T::EXPECTED)
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Plainly::Said(value))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(map)).map(Plainly::Told)
            }
        }
        deserializer.deserialize_any(Take(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Plainly<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Plainly{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let told = generator.subschema_for::<T>();
        json_schema!({"anyOf": [{"type": "boolean"}, told]})
    }
}

/// A number of bytes, written `1048576`, `1 MiB` or `1 MB`.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Size(pub(crate) u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = match text[digits.len()..].trim() {
            "" | "B" => Some(1),
            "KiB" => Some(1 << 10),
            "MiB" => Some(1 << 20),
            "GiB" => Some(1 << 30),
            "kB" | "KB" => Some(1_000),
            "MB" => Some(1_000_000),
            "GB" => Some(1_000_000_000),
            _ => None,
        };
        let size = digits.parse::<u64>().ok().zip(unit).and_then(|(n, unit)| n.checked_mul(unit));
        size.filter(|n| *n > 0).map(Size).ok_or_else(|| {
            de::Error::custom(format!("takes a number of bytes such as 1048576 or 1 MiB; here is `{}`", short(&text)))
        })
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Size".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": "^[0-9]+ ?([KMG]iB|[kKMG]?B)?$"}
        ]})
    }
}
