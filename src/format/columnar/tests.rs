use std::collections::HashMap;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, Encoding};
use ::parquet::file::properties::{WriterProperties, WriterVersion};
use arrow_array::builder::*;
use arrow_array::types::*;
use arrow_array::*;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use bstr::BStr;

use super::*;
use crate::format::{Coding, Decoded, Encoding as TextEncoding, Offsets, Records, References};
use crate::lens::{FieldRoles, Lens, Role};
use crate::span::{At, BlobId, Fresh, Span};

mod fuzz;
mod hostile;

/// What a sink was given: a list of (field, value) for each record, `None` for null.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    rows: Vec<Vec<(String, Option<String>)>>,
    numbers: Vec<u64>,
    flaws: Vec<(&'static str, Option<u64>, String)>,
    names: Vec<(String, Role, u32)>,
    fresh: Vec<u64>,
    batches: usize,
    longest: usize,
}

impl Sink for Seen {
    fn records(&mut self, records: &Records<'_>) {
        self.batches += 1;
        self.longest = self.longest.max(records.text.len());
        self.names = records.names.iter().map(|name| (name.path.clone(), name.role, name.column)).collect();
        for record in records.iter() {
            self.numbers.push(record.number());
            self.fresh.extend(record.is_fresh().then_some(record.number()));
            let value = |field: crate::format::Field<'_>| {
                (field.dotted(), (field.coding() != Coding::Null).then(|| field.text().into_owned()))
            };
            self.rows.push(record.fields().map(value).collect());
            for field in record.fields() {
                let At::Cell { row, column } = field.locate(0..0).at else { panic!("a cell has a place") };
                assert_eq!((row, column), (record.number() - 1, field.name().column));
            }
        }
        for flaw in records.flaws {
            assert!(matches!(records.place(flaw.span).at, At::Cell { .. }));
            self.flaws.push((flaw.kind, flaw.record, flaw.detail.clone()));
        }
    }

    fn references(&mut self, _: &References<'_>) {}
}

fn look(bytes: &[u8], limits: &Limits, lens: &Lens, fresh: &Fresh) -> (Result<Read, String>, Seen) {
    let decoded = Decoded { bytes: bytes.into(), offsets: Offsets::Same, encoding: TextEncoding::Binary };
    let path = BStr::new("data/train.parquet");
    let blob = Blob { id: BlobId(0), path, lens, decoded: &decoded, fresh };
    let mut seen = Seen::default();
    let read = super::read(&blob, limits, &mut seen);
    (read, seen)
}

fn seen_in(bytes: &[u8]) -> Seen {
    let (read, seen) = look(bytes, &Limits::default(), &Lens::default(), &Fresh::All);
    let read = read.unwrap();
    assert_eq!(read.unread, Vec::<String>::new());
    assert_eq!(read.records, seen.rows.len() as u64);
    seen
}

fn refused(bytes: &[u8]) -> String {
    refused_by(bytes, &Limits::default())
}

fn refused_by(bytes: &[u8], limits: &Limits) -> String {
    let (read, seen) = look(bytes, limits, &Lens::default(), &Fresh::All);
    assert_eq!(seen.rows.len(), 0);
    read.map(|read| format!("read {} records", read.records)).unwrap_or_else(|reason| reason)
}

fn parquet_with(batch: &RecordBatch, properties: WriterProperties) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut out, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    out
}

fn parquet(batch: &RecordBatch) -> Vec<u8> {
    parquet_with(batch, WriterProperties::builder().set_compression(Compression::SNAPPY).build())
}

fn stream(batches: &[RecordBatch], compression: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let mut out = Vec::new();
    let mut writer = StreamWriter::try_new_with_options(&mut out, &batches[0].schema(), options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    drop(writer);
    out
}

fn file(batches: &[RecordBatch]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = FileWriter::try_new(&mut out, &batches[0].schema()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    drop(writer);
    out
}

fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn strings(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn intents(rows: usize) -> RecordBatch {
    let text: Vec<String> = (0..rows).map(|i| format!("please do thing number {i}")).collect();
    let label: Vec<&str> = (0..rows).map(|i| ["cancel", "refund", "greet"][i % 3]).collect();
    table(vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..rows as i64))),
        ("text", Arc::new(StringArray::from_iter_values(text))),
        ("label", strings(&label)),
    ])
}

fn row(fields: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect()
}

#[test]
fn all_containers_give_the_same_rows() {
    let batch = intents(10);
    let seen = seen_in(&parquet(&batch));
    assert_eq!(seen.rows[4], row(&[("id", "4"), ("text", "please do thing number 4"), ("label", "refund")]));
    assert_eq!(seen.numbers, (1..=10).collect::<Vec<_>>());
    for bytes in [
        stream(std::slice::from_ref(&batch), None),
        stream(std::slice::from_ref(&batch), Some(CompressionType::ZSTD)),
        stream(std::slice::from_ref(&batch), Some(CompressionType::LZ4_FRAME)),
        stream(&[batch.slice(0, 3), batch.slice(3, 7)], None),
        file(&[batch.slice(0, 9), batch.slice(9, 1)]),
    ] {
        assert_eq!(seen_in(&bytes), seen);
    }
}

#[test]
fn a_stream_may_end_without_its_mark() {
    let bytes = stream(&[intents(3)], None);
    assert_eq!(seen_in(&bytes[..bytes.len() - 8]).rows.len(), 3);
}

#[test]
fn every_compression_and_encoding_gives_the_same_rows() {
    let batch = intents(3000);
    let expected = seen_in(&stream(std::slice::from_ref(&batch), None));
    assert!(expected.batches > 1);
    let compressions = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::ZSTD(Default::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ];
    for compression in compressions {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let properties = WriterProperties::builder().set_compression(compression).set_writer_version(version);
            assert_eq!(seen_in(&parquet_with(&batch, properties.build())), expected, "{compression} {version:?}");
        }
    }
    for encoding in [Encoding::PLAIN, Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY] {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let properties = WriterProperties::builder()
                .set_dictionary_enabled(false)
                .set_writer_version(version)
                .set_column_encoding("text".into(), encoding)
                .set_column_encoding("label".into(), encoding);
            assert_eq!(seen_in(&parquet_with(&batch, properties.build())), expected, "{encoding} {version:?}");
        }
    }
}

#[test]
fn row_groups_follow_one_another() {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(7)).build();
    let seen = seen_in(&parquet_with(&intents(20), properties));
    assert_eq!(seen.numbers, (1..=20).collect::<Vec<_>>());
    assert_eq!(seen.rows[19][0].1.as_deref(), Some("19"));
}

#[test]
fn nested_values_have_dotted_names() {
    let fields =
        Fields::from(vec![Field::new("role", DataType::Utf8, true), Field::new("content", DataType::Utf8, true)]);
    let item = StructBuilder::from_fields(fields, 4);
    let mut messages = ListBuilder::new(item);
    for talk in [vec![("user", "hi"), ("assistant", "hello")], vec![], vec![("user", "bye")]] {
        for (role, content) in talk {
            let message = messages.values();
            message.field_builder::<StringBuilder>(0).unwrap().append_value(role);
            message.field_builder::<StringBuilder>(1).unwrap().append_value(content);
            message.append(true);
        }
        messages.append(true);
    }
    messages.append(false);
    let mut tags = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for i in 0..4 {
        tags.values().values().append_value(format!("a{i}"));
        tags.values().values().append_null();
        tags.values().append(true);
        tags.values().values().append_value(format!("b{i}"));
        tags.values().append(true);
        tags.append(true);
    }
    let batch = table(vec![("messages", Arc::new(messages.finish())), ("tags", Arc::new(tags.finish()))]);
    for bytes in [parquet(&batch), stream(std::slice::from_ref(&batch), None)] {
        let seen = seen_in(&bytes);
        let paths: Vec<_> = seen.names.iter().map(|(path, _, column)| (path.as_str(), *column)).collect();
        assert_eq!(paths, [("messages[].role", 0), ("messages[].content", 0), ("tags[][]", 1)]);
        let mut first = row(&[
            ("messages.0.role", "user"),
            ("messages.0.content", "hi"),
            ("messages.1.role", "assistant"),
            ("messages.1.content", "hello"),
            ("tags.0[]", "a0"),
            ("tags.0[]", ""),
            ("tags.1[]", "b0"),
        ]);
        first[5].1 = None;
        assert_eq!(seen.rows[0], first);
        assert_eq!(seen.rows[1][0].0, "tags.0[]");
        assert_eq!(seen.rows[2][1], row(&[("messages.0.content", "bye")])[0]);
        assert_eq!(seen.rows[3][..2], [("messages.0.role".to_owned(), None), ("messages.0.content".to_owned(), None)]);
    }
}

#[test]
fn class_numbers_are_shown_as_trainers_see_them() {
    let label = Int64Array::from(vec![Some(1), Some(0), Some(-1), None, Some(9)]);
    let mut tags = ListBuilder::new(Int32Builder::new());
    for i in 0..5 {
        tags.append_value([Some(i % 2), Some(1)]);
    }
    let batch = table(vec![("label", Arc::new(label)), ("ner", Arc::new(tags.finish()))]);
    let features = r#"{"info": {"features": {
        "label": {"names": ["negative", "positive"], "_type": "ClassLabel"},
        "ner": {"feature": {"names": ["O", "PER"], "_type": "ClassLabel"}, "_type": "Sequence"}
    }}}"#;
    let metadata = HashMap::from([("huggingface".to_owned(), features.to_owned())]);
    let schema = batch.schema().as_ref().clone().with_metadata(metadata);
    let batch = batch.with_schema(Arc::new(schema)).unwrap();
    for bytes in [parquet(&batch), file(std::slice::from_ref(&batch))] {
        let seen = seen_in(&bytes);
        let labels: Vec<_> = seen.rows.iter().map(|row| row[0].1.as_deref()).collect();
        assert_eq!(labels, [Some("positive"), Some("negative"), None, None, Some("9")]);
        assert_eq!(seen.rows[1][1..], row(&[("ner.0", "PER"), ("ner.1", "PER")]));
    }
}

#[test]
fn dictionaries_and_runs_are_resolved() {
    let label: DictionaryArray<Int8Type> = [Some("ham"), None, Some("spam"), Some("ham")].into_iter().collect();
    let batch = table(vec![("label", Arc::new(label))]);
    for bytes in [parquet(&batch), stream(std::slice::from_ref(&batch), None)] {
        let labels: Vec<_> = seen_in(&bytes).rows.into_iter().map(|row| row[0].1.clone()).collect();
        assert_eq!(labels, [Some("ham".to_owned()), None, Some("spam".to_owned()), Some("ham".to_owned())]);
    }
    let runs: RunArray<Int32Type> = ["a", "a", "b", "b", "b"].into_iter().collect();
    let batch = table(vec![("source", Arc::new(runs))]);
    let values: Vec<_> = seen_in(&stream(&[batch], None)).rows.into_iter().filter_map(|row| row[0].1.clone()).collect();
    assert_eq!(values, ["a", "a", "b", "b", "b"]);
}

#[test]
fn images_have_a_name_and_no_value_but_text_in_bytes_is_read() {
    let png: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let bytes = BinaryArray::from_iter_values([png, b"plain text".as_slice(), "caf\u{e9}".as_bytes()]);
    let batch = table(vec![("image", Arc::new(bytes)), ("label", strings(&["cat", "dog", "cat"]))]);
    for file in [parquet(&batch), stream(std::slice::from_ref(&batch), None)] {
        let seen = seen_in(&file);
        assert_eq!((seen.names[0].0.as_str(), seen.names[0].2), ("image", 0));
        assert_eq!(seen.rows[0], row(&[("label", "cat")]));
        assert_eq!(seen.rows[1], row(&[("image", "plain text"), ("label", "dog")]));
        assert_eq!(seen.rows[2][0].1.as_deref(), Some("caf\u{e9}"));
    }
}

#[test]
fn numbers_and_times_are_written_as_people_read_them() {
    let batch = table(vec![
        ("flag", Arc::new(BooleanArray::from(vec![true]))),
        ("score", Arc::new(Float64Array::from(vec![0.25]))),
        ("count", Arc::new(UInt64Array::from(vec![u64::MAX]))),
        ("day", Arc::new(Date32Array::from(vec![20_000]))),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![1_700_000_000_000_000]).with_timezone("UTC"))),
        ("price", Arc::new(Decimal128Array::from(vec![12_345]).with_precision_and_scale(10, 2).unwrap())),
        ("nothing", Arc::new(NullArray::new(1))),
    ]);
    for bytes in [parquet(&batch), stream(std::slice::from_ref(&batch), None)] {
        let values: Vec<_> = seen_in(&bytes).rows[0].iter().map(|(_, value)| value.clone()).collect();
        let expected = [
            Some("true"),
            Some("0.25"),
            Some("18446744073709551615"),
            Some("2024-10-04"),
            Some("2023-11-14 22:13:20"),
            Some("123.45"),
            None,
        ];
        assert_eq!(values, expected.map(|value| value.map(str::to_owned)));
    }
}

#[test]
fn long_lists_of_numbers_share_a_cell() {
    let mut tokens = ListBuilder::new(Int32Builder::new());
    tokens.append_value((0..300).map(Some));
    let mut vector = ListBuilder::new(Float32Builder::new());
    vector.append_value([Some(0.5), None, Some(2.0)]);
    let mut pixels = ListBuilder::new(ListBuilder::new(UInt8Builder::new()));
    pixels.values().append_value([Some(1), Some(2)]);
    pixels.values().append_value([Some(3)]);
    pixels.append(true);
    let batch = table(vec![
        ("input_ids", Arc::new(tokens.finish())),
        ("vector", Arc::new(vector.finish())),
        ("pixels", Arc::new(pixels.finish())),
    ]);
    let rows = seen_in(&parquet(&batch)).rows;
    assert_eq!(rows[0].len(), 257 + 2);
    assert_eq!(rows[0][255], row(&[("input_ids.255", "255")])[0]);
    let rest = rows[0][256].1.clone().unwrap();
    assert!(rest.starts_with("256, 257, ") && rest.ends_with(", 299"), "{rest}");
    assert_eq!(rows[0][257..], row(&[("vector.0", "0.5, null, 2"), ("pixels.0[]", "[1, 2], [3]")]));
}

#[test]
fn declared_roles_hold() {
    let roles = FieldRoles { fields: vec![("text".to_owned(), Role::Text), ("label".to_owned(), Role::Label)] };
    let lens = Lens { roles: Some(roles), ..Lens::default() };
    let (read, seen) = look(&parquet(&intents(3)), &Limits::default(), &lens, &Fresh::All);
    assert_eq!(read.unwrap().guess, None);
    let roles: Vec<_> = seen.names.iter().map(|(_, role, _)| *role).collect();
    assert_eq!(roles, [Role::Other, Role::Text, Role::Label]);
}

#[test]
fn freshness_counts_records() {
    let fresh = Fresh::Only(vec![Span::new(1, 3), Span::new(7, 8)]);
    let (_, seen) = look(&parquet(&intents(10)), &Limits::default(), &Lens::default(), &fresh);
    assert_eq!(seen.fresh, [2, 3, 8]);
}

#[test]
fn only_records_that_were_not_there_before_are_fresh() {
    let limits = Limits::default();
    let before = parquet(&intents(10));
    let batch = intents(12);
    assert_eq!(fresh_records(&before, &parquet(&batch), &limits), Some(Fresh::Only(vec![Span::new(10, 12)])));
    // Written by another program, in another order, and with one record once more.
    let moved = stream(&[batch.slice(5, 5), batch.slice(0, 5), batch.slice(3, 1)], None);
    assert_eq!(fresh_records(&before, &moved, &limits), Some(Fresh::Only(vec![Span::new(10, 11)])));
    assert_eq!(fresh_records(&before, &before, &limits), Some(Fresh::Only(vec![])));
    assert_eq!(fresh_records(b"was a text", &before, &limits), Some(Fresh::All));
    assert_eq!(fresh_records(&before, b"is a text", &limits), None);
    // A value that moved into the next field is another record, and null is not empty.
    let pair = |a, b| parquet(&table(vec![("a", strings(&[a])), ("b", strings(&[b]))]));
    assert_eq!(fresh_records(&pair("x", "yz"), &pair("xy", "z"), &limits), Some(Fresh::Only(vec![Span::new(0, 1)])));
    let null = parquet(&table(vec![("a", Arc::new(StringArray::from(vec![None::<&str>])))]));
    let large = parquet(&table(vec![("a", strings(&["x".repeat(20_000).as_str(), "y"]))]));
    let small = Limits { record: 1000, ..Limits::default() };
    assert_eq!(fresh_records(&large, &large, &small), Some(Fresh::Only(vec![Span::new(0, 1)])));
    let empty = parquet(&table(vec![("a", strings(&[""]))]));
    assert_eq!(fresh_records(&null, &empty, &limits), Some(Fresh::Only(vec![Span::new(0, 1)])));
}

#[test]
fn two_columns_of_one_name_are_a_flaw() {
    let schema =
        Schema::new(vec![Field::new("label", DataType::Utf8, true), Field::new("label", DataType::Utf8, true)]);
    let batch = RecordBatch::try_new(Arc::new(schema), vec![strings(&["ham"]), strings(&["spam"])]).unwrap();
    let seen = seen_in(&parquet(&batch));
    assert_eq!(seen.flaws[0].0, "duplicate-key");
    assert_eq!(seen.rows[0], row(&[("label", "ham"), ("label", "spam")]));
}

#[test]
fn oversized_records_are_read_in_pieces_or_said() {
    let limits = Limits { record: 100, ..Limits::default() };
    let long = "\u{e9}".repeat(120);
    let longest = "x".repeat(2000);
    let batch = table(vec![("text", strings(&["short", &long, &longest, "after"]))]);
    let (read, seen) = look(&parquet(&batch), &limits, &Lens::default(), &Fresh::All);
    assert_eq!(read.unwrap().records, 4);
    let pieces: Vec<_> = seen.rows[1].iter().filter_map(|(_, piece)| piece.clone()).collect();
    assert!(pieces.len() == 3 && pieces.iter().all(|piece| piece.len() <= 100), "{pieces:?}");
    assert_eq!(pieces.concat(), long);
    assert_eq!(seen.rows[2], []);
    assert_eq!(seen.rows[3], row(&[("text", "after")]));
    let flaws: Vec<_> = seen.flaws.iter().map(|(kind, record, detail)| (*kind, *record, detail.as_str())).collect();
    let expected = [
        ("oversized-record", Some(2), "240 bytes, where the limit is 100"),
        ("oversized-record", Some(3), "more than 1600 bytes, not read"),
    ];
    assert_eq!(flaws, expected);
}

#[test]
fn fields_over_the_limit_are_said() {
    let limits = Limits { fields: 2, ..Limits::default() };
    for (bytes, reason) in [
        (parquet(&intents(3)), "Parquet: 1 fields over the limit"),
        (stream(&[intents(3)], None), "Arrow: 1 fields over the limit"),
    ] {
        let (read, seen) = look(&bytes, &limits, &Lens::default(), &Fresh::All);
        assert_eq!(read.unwrap().unread, [reason]);
        assert_eq!(seen.rows[1], row(&[("id", "1"), ("text", "please do thing number 1")]));
    }
}

#[test]
fn timestamps_out_of_range_are_numbers() {
    let batch = table(vec![("at", Arc::new(TimestampSecondArray::from(vec![i64::MAX])) as ArrayRef)]);
    assert_eq!(batch.schema().field(0).data_type(), &DataType::Timestamp(TimeUnit::Second, None));
    assert_eq!(seen_in(&stream(&[batch], None)).rows[0], row(&[("at", "9223372036854775807")]));
}
