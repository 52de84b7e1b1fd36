//! The tables of variation sequences are made from `fixtures/unicode/variants.txt`, and this is what makes them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Ranges of bases by selector, joined where they touch.
fn read(text: &str) -> BTreeMap<u32, Vec<(u32, u32)>> {
    let hex = |digits: &str| u32::from_str_radix(digits, 16).expect("code points are hexadecimal");
    let mut table: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let (selector, bases) = line.split_once(':').expect("a line is a selector, a colon and its bases");
        let ranges = bases.split_whitespace().map(|range| match range.split_once("..") {
            Some((first, last)) => (hex(first), hex(last)),
            None => (hex(range), hex(range)),
        });
        table.entry(hex(selector)).or_default().extend(ranges);
    }
    for ranges in table.values_mut() {
        ranges.sort_unstable();
        assert!(ranges.iter().all(|(first, last)| first <= last), "a range runs backwards");
        assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0), "a base stands twice");
    }
    table
}

/// The Rust source of the table.
fn generate(table: &BTreeMap<u32, Vec<(u32, u32)>>) -> String {
    let mut out = String::from(
        "//! Which characters a variation selector may follow. Written by `tests/tables.rs` from\n\
         //! `fixtures/unicode/variants.txt`; change that file, not this one.\n\n\
         /// Ranges of bases by selector. U+FE0E stands for U+FE0F, too.\n\
         #[rustfmt::skip]\n\
         pub(super) static VARIANTS: &[(u32, &[(u32, u32)])] = &[\n",
    );
    for (selector, ranges) in table {
        let _ = write!(out, "    ({selector:#X}, &[");
        for (n, (first, last)) in ranges.iter().enumerate() {
            let _ = write!(out, "{}({first:#X}, {last:#X}),", if n % 6 == 0 { "\n        " } else { " " });
        }
        out.push_str("\n    ]),\n");
    }
    out.push_str("];\n");
    out
}

#[test]
fn the_table_of_variation_sequences_is_what_its_input_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let input = std::fs::read_to_string(root.join("fixtures/unicode/variants.txt")).expect("the input is in place");
    let table = read(&input);
    let pairs = |range: std::ops::RangeInclusive<u32>| -> u32 {
        table.range(range).flat_map(|(_, ranges)| ranges).map(|(first, last)| last - first + 1).sum()
    };
    // What the standard lists, so that a line that gets lost shows.
    assert_eq!((pairs(0xFE00..=0xFE0D), pairs(0xFE0E..=0xFE0E)), (318, 354));
    let path = root.join("src/check/invisible_unicode/variants.rs");
    let fresh = generate(&table);
    if std::env::var_os("FORETASTE_WRITE_TABLES").is_some() {
        std::fs::write(&path, &fresh).expect("the table can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == fresh,
        "the table is old: run this test once with FORETASTE_WRITE_TABLES=1 and commit what it writes"
    );
}
