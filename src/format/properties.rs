//! What holds for any input: values come back as an independent writer wrote them, spans lead to what was written,
//! and nothing panics.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::testing::{read_bytes, read_with, try_read_with};
use super::*;
use crate::lens::FieldRoles;
use crate::policy::Limits;

/// Any JSON value, with keys that are distinct within an object and do not look like paths.
fn value() -> impl Strategy<Value = Value> {
    let text =
        prop_oneof![Just(String::new()), "[a-z ]{1,12}", "\\PC{0,8}", "[\"\\\\\n\t\u{0}-\u{1f}é😀\u{200b}]{1,6}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u32>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map("[a-dA-D\"\\\\é ]{1,3}", inner, 0..5)
                .prop_map(|map| Value::Object(Map::from_iter(map))),
        ]
    })
}

/// The scalars of a value in order, as text.
fn scalars(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Null => out.push(String::new()),
        Value::Bool(b) => out.push(b.to_string()),
        Value::Number(n) => out.push(n.to_string()),
        Value::String(s) => out.push(s.clone()),
        Value::Array(list) => list.iter().for_each(|v| scalars(v, out)),
        Value::Object(map) => map.values().for_each(|v| scalars(v, out)),
    }
}

/// As `serde_json` writes it, or with every character above ASCII, and some below, as an escape.
fn written(value: &Value, pretty: bool, escaped: bool) -> String {
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    let text = text.expect("a value can be written");
    if !escaped {
        return text;
    }
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

/// Separated values written by a writer of our own that knows nothing of the reader.
fn table(rows: &[Vec<String>], delimiter: char, crlf: bool, quote_all: bool) -> String {
    let mut out = String::new();
    for row in rows {
        for (i, field) in row.iter().enumerate() {
            if i > 0 {
                out.push(delimiter);
            }
            let special = field.contains(['"', '\n', '\r', delimiter]);
            match special || quote_all {
                true => out.push_str(&format!("\"{}\"", field.replace('"', "\"\""))),
                false => out.push_str(field),
            }
        }
        out.push_str(if crlf { "\r\n" } else { "\n" });
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn json_values_come_back(records in proptest::collection::vec(value(), 1..5), escaped in any::<bool>()) {
        let records: Vec<Value> = records.into_iter().map(|v| Value::Object(Map::from_iter([("k".to_owned(), v)]))).collect();
        let text: String = records.iter().map(|r| written(r, false, escaped) + "\n").collect();
        let seen = read_bytes("a.jsonl", text.as_bytes());
        prop_assert_eq!(seen.rows.len(), records.len());
        prop_assert!(seen.flaws.is_empty(), "{:?}", seen.flaws);
        for (row, record) in seen.rows.iter().zip(&records) {
            let mut expected = Vec::new();
            scalars(record, &mut expected);
            let found: Vec<&str> = row.fields.iter().map(|f| f.text.as_str()).collect();
            prop_assert_eq!(found, expected);
            // The span of the record, parsed by another parser, is the record.
            let again: Value = serde_json::from_slice(row.span.of(text.as_bytes())).expect("is JSON");
            prop_assert_eq!(&again, record);
        }
    }

    #[test]
    fn spans_slice_to_what_was_written(v in value(), pretty in any::<bool>(), escaped in any::<bool>()) {
        let record = Value::Array(vec![Value::Object(Map::from_iter([("k".to_owned(), v)]))]);
        let text = written(&record, pretty, escaped);
        let lens = Lens { dataset: Some("d".into()), ..Lens::default() };
        let seen = read_with("a.json", text.as_bytes(), &lens, &Limits::default());
        let mut expected = Vec::new();
        scalars(&record, &mut expected);
        let mut cells = 0;
        for field in seen.rows.iter().flat_map(|row| &row.fields) {
            let (start, end) = (field.span.start as usize, field.span.end as usize);
            // With its quotes, the span is a JSON value of its own.
            let quoted = start > 0 && text.as_bytes()[start - 1] == b'"' && text.as_bytes().get(end) == Some(&b'"');
            let own = if quoted { &text[start - 1..=end] } else { &text[start..end] };
            let own: Value = serde_json::from_str(own).expect("is JSON");
            let mut alone = Vec::new();
            scalars(&own, &mut alone);
            prop_assert_eq!(alone, vec![expected[cells].clone()]);
            cells += 1;
        }
        prop_assert_eq!(cells, expected.len());
    }

    #[test]
    fn tables_come_back(
        body in proptest::collection::vec(proptest::collection::vec("[a-z ,;\"\n\té]{0,10}", 3), 2..12),
        delimiter in prop_oneof![Just(','), Just(';'), Just('\t')],
        crlf in any::<bool>(),
        quote_all in any::<bool>(),
    ) {
        let header: Vec<String> = ["id", "text", "label"].map(str::to_owned).to_vec();
        let mut rows = vec![header.clone()];
        // A first field that is never empty, so that no row is a blank line.
        rows.extend(body.into_iter().enumerate().map(|(i, mut row)| { row[0] = format!("r{i}"); row }));
        let text = table(&rows, delimiter, crlf, quote_all);
        let name = if delimiter == '\t' { "a.tsv" } else { "a.csv" };
        let fields = header.iter().map(|n| (n.clone(), Role::Text)).collect();
        let lens = Lens { dataset: Some("d".into()), roles: Some(FieldRoles { fields }), ..Lens::default() };
        let seen = read_with(name, text.as_bytes(), &lens, &Limits::default());
        // With tabs, values that run over line ends read as a table without quoting; that is a guess about dialects.
        prop_assume!(delimiter != '\t' || !rows.iter().flatten().any(|f| f.contains(['\n', '"', '\t'])));
        let found: Vec<Vec<&str>> =
            seen.rows.iter().map(|row| row.fields.iter().map(|f| f.text.as_str()).collect()).collect();
        prop_assert_eq!(found, rows[1..].to_vec());
    }

    /// Any bytes under any name: no panic, and every span in bounds, sorted and inside its record.
    #[test]
    fn any_bytes_read(
        head in prop_oneof![Just(&b""[..]), Just(&b"[{\"a\":"[..]), Just(&b"{\"a\":1}\n"[..]), Just(&b"text,label\n"[..]),
            Just(&b"{\"train\":[[\""[..]), Just(&b"__label__a "[..]), Just(&b"{\"nbformat\":4,\"cells\":["[..])],
        pieces in proptest::collection::vec(prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..4),
            "[\\[\\]{}\",:\\\\\n\r\tu0-9a-z -]{0,12}".prop_map(String::into_bytes),
            Just(b"\"a\": \"b\", ".to_vec()),
            Just(b"{\"text\": \"x\", \"label\": 1}\n".to_vec()),
            Just(b"1,\"a,b\",c\n".to_vec()),
        ], 0..24),
        name in prop_oneof![Just("a.jsonl"), Just("a.json"), Just("a.csv"), Just("a.tsv"), Just("a.txt"), Just("a"),
            Just("a.md"), Just("a.ipynb")],
        is_dataset in any::<bool>(),
        record in prop_oneof![Just(64_u64), Just(1 << 20)],
    ) {
        let bytes = [head, &pieces.concat()].concat();
        let lens = Lens { dataset: is_dataset.then(|| "d".into()), ..Lens::default() };
        let limits = Limits { record, fields: 16, depth: 8, ..Limits::default() };
        let decoded = decode(&bytes, &limits).expect("small");
        let seen = match try_read_with(name, &bytes, &lens, &limits) {
            Ok(seen) => seen,
            Err(reason) => {
                prop_assert_eq!(reason, "named like a text of data, and its bytes are no text");
                return Ok(());
            }
        };
        let len = decoded.bytes.len() as u64;
        let beside = |row: &super::testing::SeenRow| row.fields.iter().any(|f| f.name.starts_with(['$', '(']));
        let mut last = 0;
        for row in &seen.rows {
            prop_assert!(row.span.start <= row.span.end && row.span.end <= len);
            prop_assert!(row.span.start >= last || beside(row), "{:?} behind {}", row, last);
            last = row.span.end;
            let mut at = row.span.start;
            for field in &row.fields {
                prop_assert!(at <= field.span.start && field.span.start <= field.span.end);
                prop_assert!(field.span.end <= row.span.end);
                at = field.span.end;
            }
        }
        for flaw in &seen.flaws {
            prop_assert!(flaw.span.start <= flaw.span.end && flaw.span.end <= len, "{:?}", flaw);
        }
    }
}
