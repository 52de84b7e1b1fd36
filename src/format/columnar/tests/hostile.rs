//! Files that lie.

use super::*;
use crate::format::columnar::thrift::{self, Damaged, PageHeader};

/// A footer in the compact Thrift encoding: just as much as is needed to lie.
struct Thrift(Vec<u8>);

impl Thrift {
    fn varint(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    /// A field that follows the last one by `step`.
    fn field(&mut self, step: u8, kind: u8) -> &mut Self {
        self.0.push(step << 4 | kind);
        self
    }

    fn list(&mut self, len: u64, kind: u8) -> &mut Self {
        self.0.push(0xf0 | kind);
        self.varint(len)
    }

    fn int(&mut self, value: i64) -> &mut Self {
        self.varint((value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned())
    }

    fn stop(&mut self) -> &mut Self {
        self.0.push(0);
        self
    }

    /// A schema element that has so many children.
    fn element(&mut self, name: &[u8], children: i64) -> &mut Self {
        self.field(4, 8).varint(name.len() as u64);
        self.0.extend_from_slice(name);
        self.field(1, 5).int(children).stop()
    }

    fn file(&self) -> Vec<u8> {
        let len = u32::try_from(self.0.len()).unwrap().to_le_bytes();
        [b"PAR1", self.0.as_slice(), &len, b"PAR1"].concat()
    }
}

fn thrift() -> Thrift {
    Thrift(Vec::new())
}

#[test]
fn cut_and_foreign_files_are_refused() {
    let whole = parquet(&intents(50));
    for end in [4, 12, whole.len() / 2, whole.len() - 1] {
        assert_eq!(refused(&whole[..end]), "Parquet: no Parquet magic at the end: cut off or damaged");
    }
    assert_eq!(refused(b"PAR1PAR1"), "Parquet: no Parquet magic at the end: cut off or damaged");
    assert_eq!(refused(b"PAR1\xff\xff\xff\xffPAR1"), "Parquet: footer longer than the file");
    assert_eq!(refused(b"PAR1\0\0\0\0\0\0\0\0PARE"), "Parquet: encrypted");
    assert_eq!(refused(b"PARE\0\0\0\0\0\0\0\0PARE"), "Parquet: encrypted");
    let arrow = file(&[intents(50)]);
    assert_eq!(refused(&arrow[..arrow.len() - 1]), "Arrow: no Arrow magic at the end: cut off or damaged");
    assert_eq!(refused(&stream(&[intents(50)], None)[..100]), "Arrow: cut off");
}

#[test]
fn a_cut_stream_is_read_up_to_the_cut() {
    let batch = intents(100);
    let bytes = stream(&[batch.slice(0, 50), batch.slice(50, 50)], None);
    let (read, seen) = look(&bytes[..bytes.len() - 100], &Limits::default(), &Lens::default(), &Fresh::All);
    assert_eq!(seen.rows.len(), 50);
    assert_eq!(read.unwrap().unread, ["Arrow message 2: cut off"]);
}

#[test]
fn encrypted_columns_are_refused() {
    let mut footer = thrift();
    footer.field(1, 5).int(2).field(1, 9).list(1, 12).element(b"schema", 0);
    footer.field(6, 12).stop().stop();
    assert_eq!(refused(&footer.file()), "Parquet: encrypted");
}

#[test]
fn lists_longer_than_the_footer_are_refused() {
    let mut footer = thrift();
    footer.field(2, 9).list(1 << 60, 12);
    assert_eq!(thrift::check_footer(&footer.0), Err("damaged footer".to_owned()));
}

#[test]
fn groups_with_more_children_than_there_are_elements_are_refused() {
    let mut footer = thrift();
    footer.field(2, 9).list(1, 12).element(b"schema", i64::from(i32::MAX)).stop();
    assert_eq!(refused(&footer.file()), "Parquet: damaged footer");
}

#[test]
fn a_schema_as_deep_as_a_stack_is_refused() {
    let mut footer = thrift();
    footer.field(2, 9).list(100_000, 12);
    for _ in 0..99_999 {
        footer.element(b"g", 1);
    }
    footer.element(b"leaf", 0).stop();
    assert_eq!(refused(&footer.file()), "Parquet: schema nested too deeply");
}

#[test]
fn long_names_over_many_columns_are_refused() {
    let mut footer = thrift();
    footer.field(2, 9).list(1002, 12).element(b"schema", 1).element(&[b'n'; 100_000], 1000);
    for _ in 0..1000 {
        footer.element(b"leaf", 0);
    }
    footer.stop();
    assert_eq!(refused(&footer.file()), "Parquet: column names too long");
}

#[test]
fn columns_times_row_groups_are_capped() {
    let mut footer = thrift();
    footer.field(2, 9).list(1001, 12).element(b"schema", 1000);
    for _ in 0..1000 {
        footer.element(b"leaf", 0);
    }
    footer.field(2, 9).list(1000, 12);
    footer.0.extend([0; 2000]);
    assert_eq!(refused(&footer.file()), "Parquet: too many columns and row groups");
}

#[test]
fn page_headers_are_read_as_the_library_writes_them() {
    let file = parquet_with(&intents(10), WriterProperties::builder().build());
    let (header, len) = PageHeader::read(&file[4..]).unwrap();
    assert!(header.kind == 2 && header.values == 10 && len > 5, "{header:?}");
    let next = 4 + len + usize::try_from(header.compressed).unwrap();
    let (header, _) = PageHeader::read(&file[next..]).unwrap();
    assert_eq!((header.kind, header.values), (0, 10));
    assert_eq!(PageHeader::read(&file[4..6]), Err(Damaged));
}

/// Changes the size that the first page of the first column claims, without changing the length of its header.
fn with_first_page_claiming(file: &mut [u8], size: i64) {
    assert_eq!((file[4], file[6]), (0x15, 0x15), "kind, then uncompressed size");
    let mut claim = thrift();
    claim.int(size);
    let old = file[7..].iter().position(|b| b & 0x80 == 0).unwrap() + 1;
    assert_eq!(claim.0.len(), old, "of the same length");
    file[7..7 + old].copy_from_slice(&claim.0);
}

fn one_large_page(compression: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_dictionary_enabled(false)
        .set_data_page_size_limit(1 << 30)
        .build();
    parquet_with(&table(vec![("text", strings(&["x".repeat(60 << 20).as_str()]))]), properties)
}

#[test]
fn pages_that_claim_too_much_are_refused() {
    let gzip = one_large_page(Compression::GZIP(Default::default()));
    assert_eq!(refused(&gzip), "Parquet row group 1: a page too large when decompressed");
    let mut lies = gzip;
    with_first_page_claiming(&mut lies, 2 << 20);
    assert_eq!(refused(&lies), "Parquet row group 1: a page that lies about its size");
    let mut lies = one_large_page(Compression::ZSTD(Default::default()));
    with_first_page_claiming(&mut lies, 2 << 20);
    assert_eq!(refused(&lies), "Parquet row group 1: damaged page");
}

#[test]
fn runs_of_deltas_say_how_many_they_claim_to_be() {
    // Block of 128 in 4 parts, one value, which is 5.
    assert_eq!(thrift::delta_run(&[0x80, 1, 4, 1, 10, 0xee]), Ok((1, 5)));
    // As many values as anybody wants, all the same, in two bytes a block.
    let mut run = thrift();
    run.varint(1 << 31).varint(1).varint(1 << 40).varint(0);
    for _ in 0..512 {
        run.varint(0).varint(0);
    }
    assert_eq!(thrift::delta_run(&run.0), Ok((1 << 40, run.0.len())));
    run.0.truncate(500);
    assert_eq!(thrift::delta_run(&run.0), Err(Damaged));
    assert_eq!(thrift::delta_run(&[0, 0, 9, 9]), Err(Damaged));
}

#[test]
fn a_small_file_of_one_large_value_stops_at_the_cap() {
    let limits = Limits { blob: 4 << 20, ..Limits::default() };
    let value = "y".repeat(100_000);
    let values: Vec<&str> = std::iter::repeat_n(value.as_str(), 2000).collect();
    let bomb = parquet(&table(vec![("text", strings(&values))]));
    assert!(bomb.len() < 100_000, "{} bytes", bomb.len());
    let (read, seen) = look(&bomb, &limits, &Lens::default(), &Fresh::All);
    assert_eq!(read.unwrap().unread, ["Parquet row group 1: larger than the limit when written out"]);
    assert!(seen.rows.len() < 200 && seen.longest < 2 << 20, "{} rows, {} bytes", seen.rows.len(), seen.longest);

    let keys = Int32Array::from_iter_values(std::iter::repeat_n(0, 2000));
    let dictionary = DictionaryArray::try_new(keys, strings(&[&value])).unwrap();
    let bomb = stream(&[table(vec![("text", Arc::new(dictionary))])], None);
    let (read, _) = look(&bomb, &limits, &Lens::default(), &Fresh::All);
    assert_eq!(read.unwrap().unread, ["Arrow message 2: larger than the limit when written out"]);
}

#[test]
fn rows_without_bytes_stop_at_the_cap() {
    let limits = Limits { blob: 1 << 16, ..Limits::default() };
    let nothing = RecordBatch::try_from_iter([("n", Arc::new(NullArray::new(1 << 40)) as ArrayRef)]).unwrap();
    let (read, _) = look(&stream(&[nothing], None), &limits, &Lens::default(), &Fresh::All);
    assert_eq!(read.unwrap().unread, ["Arrow message 1: larger than the limit when written out"]);
    // Elements that hold nothing, in one record.
    let empty = Arc::new(Field::new("item", DataType::Null, true));
    let list = FixedSizeListArray::try_new(empty, i32::MAX, Arc::new(NullArray::new(i32::MAX as usize)), None).unwrap();
    let (read, seen) =
        look(&stream(&[table(vec![("n", Arc::new(list))])], None), &limits, &Lens::default(), &Fresh::All);
    assert_eq!(read.unwrap().unread, ["Arrow message 1: larger than the limit when written out"]);
    assert_eq!(seen.flaws[0].0, "oversized-record");
}

#[test]
fn a_broken_row_group_does_not_hide_the_others() {
    let properties = || {
        let plain = WriterProperties::builder().set_dictionary_enabled(false).set_max_row_group_row_count(Some(10));
        plain.set_compression(Compression::UNCOMPRESSED).build()
    };
    let mut file = parquet_with(&intents(30), properties());
    let at = file
        .windows(10)
        .position(|w| w == b"number 15p")
        .unwrap_or_else(|| file.windows(9).position(|w| w == b"number 15").expect("the text of row 16 is in the file"));
    // The length of the string behind it.
    file[at + 9..at + 13].copy_from_slice(&[0xff; 4]);
    let (read, seen) = look(&file, &Limits::default(), &Lens::default(), &Fresh::All);
    assert_eq!(read.unwrap().unread, ["Parquet row group 2: damaged page"]);
    assert_eq!(seen.numbers, (1..=10).chain(21..=30).collect::<Vec<_>>());
    assert_eq!(seen.rows[10][1].1.as_deref(), Some("please do thing number 20"));
}
