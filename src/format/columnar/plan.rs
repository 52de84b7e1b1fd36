//! How the columns of a schema become fields of records: one plan a column, made once and followed for every row.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrowPrimitiveType, OffsetSizeTrait};
use arrow_schema::{DataType, Fields, IntervalUnit, Schema, TimeUnit};

use crate::format::Name;
use crate::lens::Role;

/// The key of the metadata in which the Hugging Face libraries describe the fields.
pub(super) const FEATURES: &str = "huggingface";

/// Bytes of one part of a dotted name. Names are data too, and each leaf repeats those of its parents.
const NAME: usize = 200;

/// Whole numbers of a list get a cell each up to here; the rest, of a list of tokens, shares one.
const ELEMENTS: usize = 256;

/// How to read one column, or what is nested in it.
pub(super) enum Plan {
    /// Nothing is read from it.
    Left,
    /// It only ever holds null.
    Null { name: u16 },
    /// Strings, and bytes that may be text.
    Bytes { name: u16, get: Get, binary: bool },
    /// Anything that is written out as text.
    Number { name: u16, write: WriteOut, float: bool },
    /// A class by its number; trainers see its name.
    Class { name: u16, number: fn(&dyn Array, usize) -> i64, classes: Arc<[String]> },
    /// Several fields under one name.
    Struct(Vec<Plan>),
    /// A list, of which `range` gives the elements. Those from `apart` on share one cell.
    List { range: Elements, values: Values, item: Box<Plan>, apart: usize },
    /// Values that are kept elsewhere, once each.
    Coded { key: Key, values: Values, item: Box<Plan> },
}

// How a value, or what it is kept in, is taken out of an array whose type the plan knows.
type Get = for<'a> fn(&'a dyn Array, usize) -> &'a [u8];
type Elements = fn(&dyn Array, usize) -> Range<usize>;
type Key = fn(&dyn Array, usize) -> Option<usize>;
type Values = for<'a> fn(&'a dyn Array) -> &'a dyn Array;
type WriteOut = fn(&dyn Array, usize, &mut Vec<u8>);

impl Plan {
    /// The name under it, where it holds numbers only, nested in lists or not.
    pub(super) fn number(&self) -> Option<u16> {
        match self {
            Plan::Number { name, .. } => Some(*name),
            Plan::List { item, .. } => item.number(),
            _ => None,
        }
    }
}

/// The plans of a schema and the names of what they read.
pub(super) struct Plans {
    pub(super) columns: Vec<Plan>,
    pub(super) names: Vec<Name>,
    /// Columns that are not read, with the reason.
    pub(super) unread: Vec<String>,
    /// Whether two columns have the same name.
    pub(super) twins: bool,
}

impl Plans {
    /// `numbers` gives the number in the file for each column of `schema`; at most `limit` fields are read.
    pub(super) fn new(schema: &Schema, numbers: &[u32], limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(usize::from(u16::MAX));
        let mut maker = Maker { names: Vec::new(), classes: classes(schema), limit, cut: 0, strange: 0, column: 0 };
        let mut columns = Vec::new();
        for (field, &number) in schema.fields().iter().zip(numbers) {
            maker.column = number;
            columns.push(maker.plan(&part(field.name()), field.data_type(), 0));
        }
        let mut unread = Vec::new();
        if maker.cut > 0 {
            unread.push(format!("{} fields over the limit", maker.cut));
        }
        if maker.strange > 0 {
            unread.push(format!("{} fields of a type that has no reader", maker.strange));
        }
        let mut sorted: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        sorted.sort_unstable();
        let twins = sorted.windows(2).any(|pair| pair[0] == pair[1]);
        Self { columns, names: maker.names, unread, twins }
    }
}

struct Maker {
    names: Vec<Name>,
    classes: BTreeMap<String, Arc<[String]>>,
    limit: usize,
    cut: u64,
    strange: u64,
    column: u32,
}

impl Maker {
    fn plan(&mut self, path: &str, kind: &DataType, depth: u32) -> Plan {
        let classes = self.classes.get(&path.replace("[]", "")).cloned();
        if let (Some(classes), Some(number)) = (classes, integer(kind)) {
            return self.named(path, |name| Plan::Class { name, number, classes });
        }
        if let Some((get, binary)) = bytes(kind) {
            return self.named(path, |name| Plan::Bytes { name, get, binary });
        }
        if let Some(write) = number(kind) {
            let float = matches!(kind, DataType::Float16 | DataType::Float32 | DataType::Float64);
            return self.named(path, |name| Plan::Number { name, write, float });
        }
        if let Some((range, values)) = list(kind) {
            // Readers refuse schemas nested more deeply; the check keeps this function safe by itself.
            let Some(item) = item(kind).filter(|_| depth < 128) else { return self.strange() };
            let item = Box::new(self.plan(&format!("{path}[]"), item, depth + 1));
            let apart = match *item {
                Plan::Number { float: false, .. } => ELEMENTS,
                _ if item.number().is_some() => 0,
                _ => usize::MAX,
            };
            return Plan::List { range, values, item, apart };
        }
        match kind {
            DataType::Null => self.named(path, |name| Plan::Null { name }),
            DataType::Struct(fields) if depth < 128 => Plan::Struct(self.children(path, fields, depth)),
            DataType::Dictionary(key, value) if depth < 128 => {
                let Some(key) = dictionary(key) else { return self.strange() };
                let item = Box::new(self.plan(path, value, depth + 1));
                Plan::Coded { key, values: |array| array.as_any_dictionary().values().as_ref(), item }
            }
            DataType::RunEndEncoded(ends, value) if depth < 128 => {
                let Some((key, values)) = runs(ends.data_type()) else { return self.strange() };
                let item = Box::new(self.plan(path, value.data_type(), depth + 1));
                Plan::Coded { key, values, item }
            }
            _ => self.strange(),
        }
    }

    fn children(&mut self, path: &str, fields: &Fields, depth: u32) -> Vec<Plan> {
        let child = |field: &str| format!("{path}.{}", part(field));
        fields.iter().map(|field| self.plan(&child(field.name()), field.data_type(), depth + 1)).collect()
    }

    fn named(&mut self, path: &str, plan: impl FnOnce(u16) -> Plan) -> Plan {
        if self.names.len() >= self.limit {
            self.cut += 1;
            return Plan::Left;
        }
        let Ok(name) = u16::try_from(self.names.len()) else { return Plan::Left };
        self.names.push(Name { path: path.to_owned(), role: Role::Other, column: self.column });
        plan(name)
    }

    fn strange(&mut self) -> Plan {
        self.strange += 1;
        Plan::Left
    }
}

/// One part of a dotted name, cut where it is too long.
fn part(name: &str) -> String {
    let mut end = name.len().min(NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

fn bytes(kind: &DataType) -> Option<(Get, bool)> {
    Some(match kind {
        DataType::Utf8 => (|array, i| array.as_string::<i32>().value(i).as_bytes(), false),
        DataType::LargeUtf8 => (|array, i| array.as_string::<i64>().value(i).as_bytes(), false),
        DataType::Utf8View => (|array, i| array.as_string_view().value(i).as_bytes(), false),
        DataType::Binary => (|array, i| array.as_binary::<i32>().value(i), true),
        DataType::LargeBinary => (|array, i| array.as_binary::<i64>().value(i), true),
        DataType::BinaryView => (|array, i| array.as_binary_view().value(i), true),
        DataType::FixedSizeBinary(_) => (|array, i| array.as_fixed_size_binary().value(i), true),
        _ => return None,
    })
}

fn number(kind: &DataType) -> Option<WriteOut> {
    Some(match kind {
        DataType::Boolean => |array, i, out| put(out, array.as_boolean().value(i)),
        DataType::Int8 => plain::<Int8Type>,
        DataType::Int16 => plain::<Int16Type>,
        DataType::Int32 => plain::<Int32Type>,
        DataType::Int64 => plain::<Int64Type>,
        DataType::UInt8 => plain::<UInt8Type>,
        DataType::UInt16 => plain::<UInt16Type>,
        DataType::UInt32 => plain::<UInt32Type>,
        DataType::UInt64 => plain::<UInt64Type>,
        DataType::Float16 => |array, i, out| put(out, array.as_primitive::<Float16Type>().value(i).to_f32()),
        DataType::Float32 => plain::<Float32Type>,
        DataType::Float64 => plain::<Float64Type>,
        DataType::Decimal32(..) => |array, i, out| put(out, array.as_primitive::<Decimal32Type>().value_as_string(i)),
        DataType::Decimal64(..) => |array, i, out| put(out, array.as_primitive::<Decimal64Type>().value_as_string(i)),
        DataType::Decimal128(..) => |array, i, out| put(out, array.as_primitive::<Decimal128Type>().value_as_string(i)),
        DataType::Decimal256(..) => |array, i, out| put(out, array.as_primitive::<Decimal256Type>().value_as_string(i)),
        DataType::Date32 => date::<Date32Type>,
        DataType::Date64 => moment::<Date64Type>,
        DataType::Time32(TimeUnit::Second) => clock::<Time32SecondType>,
        DataType::Time32(_) => clock::<Time32MillisecondType>,
        DataType::Time64(TimeUnit::Microsecond) => clock::<Time64MicrosecondType>,
        DataType::Time64(_) => clock::<Time64NanosecondType>,
        DataType::Timestamp(TimeUnit::Second, _) => moment::<TimestampSecondType>,
        DataType::Timestamp(TimeUnit::Millisecond, _) => moment::<TimestampMillisecondType>,
        DataType::Timestamp(TimeUnit::Microsecond, _) => moment::<TimestampMicrosecondType>,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => moment::<TimestampNanosecondType>,
        DataType::Duration(TimeUnit::Second) => plain::<DurationSecondType>,
        DataType::Duration(TimeUnit::Millisecond) => plain::<DurationMillisecondType>,
        DataType::Duration(TimeUnit::Microsecond) => plain::<DurationMicrosecondType>,
        DataType::Duration(TimeUnit::Nanosecond) => plain::<DurationNanosecondType>,
        DataType::Interval(IntervalUnit::YearMonth) => plain::<IntervalYearMonthType>,
        _ => return None,
    })
}

fn put(out: &mut Vec<u8>, value: impl Display) {
    // Writing into memory cannot fail.
    let _ = write!(out, "{value}");
}

fn plain<T: ArrowPrimitiveType>(array: &dyn Array, i: usize, out: &mut Vec<u8>)
where
    T::Native: Display,
{
    put(out, array.as_primitive::<T>().value(i));
}

fn date<T: ArrowTemporalType>(array: &dyn Array, i: usize, out: &mut Vec<u8>)
where
    T::Native: Display,
    i64: From<T::Native>,
{
    match array.as_primitive::<T>().value_as_date(i) {
        Some(date) => put(out, date),
        None => plain::<T>(array, i, out),
    }
}

fn moment<T: ArrowTemporalType>(array: &dyn Array, i: usize, out: &mut Vec<u8>)
where
    T::Native: Display,
    i64: From<T::Native>,
{
    match array.as_primitive::<T>().value_as_datetime(i) {
        Some(moment) => put(out, moment),
        None => plain::<T>(array, i, out),
    }
}

fn clock<T: ArrowTemporalType>(array: &dyn Array, i: usize, out: &mut Vec<u8>)
where
    T::Native: Display,
    i64: From<T::Native>,
{
    match array.as_primitive::<T>().value_as_time(i) {
        Some(time) => put(out, time),
        None => plain::<T>(array, i, out),
    }
}

fn integer(kind: &DataType) -> Option<fn(&dyn Array, usize) -> i64> {
    Some(match kind {
        DataType::Int8 => |array, i| array.as_primitive::<Int8Type>().value(i).into(),
        DataType::Int16 => |array, i| array.as_primitive::<Int16Type>().value(i).into(),
        DataType::Int32 => |array, i| array.as_primitive::<Int32Type>().value(i).into(),
        DataType::Int64 => |array, i| array.as_primitive::<Int64Type>().value(i),
        DataType::UInt8 => |array, i| array.as_primitive::<UInt8Type>().value(i).into(),
        DataType::UInt16 => |array, i| array.as_primitive::<UInt16Type>().value(i).into(),
        DataType::UInt32 => |array, i| array.as_primitive::<UInt32Type>().value(i).into(),
        _ => return None,
    })
}

fn list(kind: &DataType) -> Option<(Elements, Values)> {
    Some(match kind {
        DataType::List(_) => (listed::<i32>, |array| array.as_list::<i32>().values().as_ref()),
        DataType::LargeList(_) => (listed::<i64>, |array| array.as_list::<i64>().values().as_ref()),
        DataType::ListView(_) => (viewed::<i32>, |array| array.as_list_view::<i32>().values().as_ref()),
        DataType::LargeListView(_) => (viewed::<i64>, |array| array.as_list_view::<i64>().values().as_ref()),
        DataType::FixedSizeList(..) => (
            |array, i| {
                let list = array.as_fixed_size_list();
                let size = usize::try_from(list.value_length()).unwrap_or(0);
                i * size..(i + 1) * size
            },
            |array| array.as_fixed_size_list().values().as_ref(),
        ),
        DataType::Map(..) => (
            |array, i| {
                let offsets = array.as_map().value_offsets();
                offset(offsets[i])..offset(offsets[i + 1])
            },
            |array| array.as_map().entries(),
        ),
        _ => return None,
    })
}

fn item(kind: &DataType) -> Option<&DataType> {
    match kind {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => Some(item.data_type()),
        _ => None,
    }
}

fn offset(value: i32) -> usize {
    usize::try_from(value).unwrap_or(0)
}

fn listed<O: OffsetSizeTrait>(array: &dyn Array, i: usize) -> Range<usize> {
    let offsets = array.as_list::<O>().value_offsets();
    offsets[i].as_usize()..offsets[i + 1].as_usize()
}

fn viewed<O: OffsetSizeTrait>(array: &dyn Array, i: usize) -> Range<usize> {
    let list = array.as_list_view::<O>();
    let start = list.value_offset(i).as_usize();
    start..start + list.value_size(i).as_usize()
}

fn dictionary(key: &DataType) -> Option<Key> {
    Some(match key {
        DataType::Int8 => |array, i| array.as_dictionary::<Int8Type>().key(i),
        DataType::Int16 => |array, i| array.as_dictionary::<Int16Type>().key(i),
        DataType::Int32 => |array, i| array.as_dictionary::<Int32Type>().key(i),
        DataType::Int64 => |array, i| array.as_dictionary::<Int64Type>().key(i),
        DataType::UInt8 => |array, i| array.as_dictionary::<UInt8Type>().key(i),
        DataType::UInt16 => |array, i| array.as_dictionary::<UInt16Type>().key(i),
        DataType::UInt32 => |array, i| array.as_dictionary::<UInt32Type>().key(i),
        DataType::UInt64 => |array, i| array.as_dictionary::<UInt64Type>().key(i),
        _ => return None,
    })
}

fn runs(ends: &DataType) -> Option<(Key, Values)> {
    Some(match ends {
        DataType::Int16 => (run::<Int16Type>, |array| array.as_run_opt::<Int16Type>().expect(RUNS).values().as_ref()),
        DataType::Int32 => (run::<Int32Type>, |array| array.as_run_opt::<Int32Type>().expect(RUNS).values().as_ref()),
        DataType::Int64 => (run::<Int64Type>, |array| array.as_run_opt::<Int64Type>().expect(RUNS).values().as_ref()),
        _ => return None,
    })
}

const RUNS: &str = "an array has the type that its schema gives it";

fn run<R: RunEndIndexType>(array: &dyn Array, i: usize) -> Option<usize> {
    Some(array.as_run_opt::<R>().expect(RUNS).get_physical_index(i))
}

/// Names of classes by dotted path without `[]`, as the Hugging Face `datasets` library writes them into the schema.
fn classes(schema: &Schema) -> BTreeMap<String, Arc<[String]>> {
    let mut found = BTreeMap::new();
    let text = schema.metadata().get(FEATURES).map(String::as_str).unwrap_or_default();
    // Damaged or foreign metadata names no classes; labels are then the numbers that they are.
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(features) = value.pointer("/info/features").and_then(serde_json::Value::as_object) {
        for (name, feature) in features {
            gather(&part(name), feature, &mut found);
        }
    }
    found
}

fn gather(path: &str, feature: &serde_json::Value, found: &mut BTreeMap<String, Arc<[String]>>) {
    use serde_json::Value;
    match feature {
        Value::Array(items) => {
            if let [item] = items.as_slice() {
                gather(path, item, found);
            }
        }
        Value::Object(keys) => match keys.get("_type").and_then(Value::as_str) {
            Some("ClassLabel") => {
                let names = keys.get("names").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                let names: Option<Arc<[String]>> = names.iter().map(|n| n.as_str().map(str::to_owned)).collect();
                if let Some(names) = names.filter(|names| !names.is_empty()) {
                    found.insert(path.to_owned(), names);
                }
            }
            Some(_) => {
                if let Some(inner) = keys.get("feature") {
                    gather(path, inner, found);
                }
            }
            None => {
                for (name, inner) in keys {
                    gather(&format!("{path}.{}", part(name)), inner, found);
                }
            }
        },
        _ => {}
    }
}
