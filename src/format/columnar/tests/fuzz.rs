//! Damaged files by the thousand: nothing panics out of the reader, and nothing takes more memory than it may.

#![allow(clippy::disallowed_methods)]

use super::*;

/// Files of every kind of column, in every container.
fn seeds() -> Vec<Vec<u8>> {
    let mut tags = ListBuilder::new(StringBuilder::new());
    let mut vector = FixedSizeListBuilder::new(Float32Builder::new(), 2);
    for i in 0..40 {
        tags.append_value((0..i % 4).map(|n| Some(format!("tag {n}"))));
        vector.values().append_slice(&[i as f32, 0.5]);
        vector.append(true);
    }
    let label: DictionaryArray<Int8Type> = (0..40).map(|i| Some(["a", "b", "c"][i % 3])).collect();
    let text: Vec<String> = (0..40).map(|i| format!("row {i} of the table")).collect();
    let batch = table(vec![
        ("text", Arc::new(StringArray::from_iter_values(&text))),
        ("wide", Arc::new(StringViewArray::from_iter_values(&text))),
        ("tags", Arc::new(tags.finish())),
        ("vector", Arc::new(vector.finish())),
        ("label", Arc::new(label)),
        ("flag", Arc::new((0..40).map(|i| (i % 5 > 0).then_some(i % 2 == 0)).collect::<BooleanArray>())),
        ("at", Arc::new(TimestampMillisecondArray::from_iter_values(0..40))),
        ("price", Arc::new(Decimal128Array::from_iter_values(0..40))),
    ]);
    let delta = |version| {
        let builder = WriterProperties::builder().set_dictionary_enabled(false).set_writer_version(version);
        builder
            .set_column_encoding("text".into(), Encoding::DELTA_BYTE_ARRAY)
            .set_column_encoding("wide".into(), Encoding::DELTA_LENGTH_BYTE_ARRAY)
            .set_compression(Compression::UNCOMPRESSED)
            .build()
    };
    let groups = WriterProperties::builder().set_max_row_group_row_count(Some(15));
    vec![
        parquet(&batch),
        parquet_with(&batch, delta(WriterVersion::PARQUET_1_0)),
        parquet_with(&batch, delta(WriterVersion::PARQUET_2_0)),
        parquet_with(&batch, groups.set_compression(Compression::GZIP(Default::default())).build()),
        parquet_with(&batch, WriterProperties::builder().set_compression(Compression::LZ4).build()),
        stream(&[batch.slice(0, 20), batch.slice(20, 20)], None),
        stream(std::slice::from_ref(&batch), Some(CompressionType::LZ4_FRAME)),
        stream(std::slice::from_ref(&batch), Some(CompressionType::ZSTD)),
        file(&[batch.slice(0, 20), batch.slice(20, 20)]),
    ]
}

/// Numbers that follow from one another, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below.max(1) as u64).unwrap()
    }
}

fn damaged(seed: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.roll(6) {
        // Half of the time near the end, where the footer is.
        let from = if dice.roll(2) == 0 { bytes.len() / 2 } else { 0 };
        let at = from + dice.roll(bytes.len() - from);
        match dice.roll(6) {
            0 => bytes[at] ^= 1 << dice.roll(8),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xfe, 0xff][dice.roll(6)],
            2 => {
                let huge = [[0xff; 4], [0xff, 0xff, 0xff, 0x7f], [0, 0, 0, 0x40], [0; 4]][dice.roll(4)];
                let end = bytes.len().min(at + 4);
                bytes[at..end].copy_from_slice(&huge[..end - at]);
            }
            3 => {
                bytes.remove(at);
            }
            4 => bytes.insert(at, dice.roll(256) as u8),
            _ => {
                let from = dice.roll(bytes.len());
                bytes[at] = bytes[from];
            }
        }
    }
    bytes
}

/// Runs in a process of its own that may have only so much memory: an allocation that fails would end it, and so would
/// a stack that overflows. The limit is on addresses, so that a reservation counts that is never touched.
#[test]
fn damaged_files_end_in_an_answer() {
    const NAME: &str = "format::columnar::tests::fuzz::damaged_files_end_in_an_answer";
    if std::env::var_os("FORETASTE_TEST_CHILD").is_some_and(|name| name == NAME) {
        return throw();
    }
    let mut child = if cfg!(unix) {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "ulimit -v 3000000; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
        shell
    } else {
        std::process::Command::new(std::env::current_exe().unwrap())
    };
    let child = child.args(["--exact", NAME, "--nocapture"]).env("FORETASTE_TEST_CHILD", NAME).output().unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    let tail = String::from_utf8_lossy(&child.stderr);
    let tail: String = tail.chars().rev().take(600).collect::<Vec<_>>().into_iter().rev().collect();
    assert!(child.status.success() && said.contains("1 passed"), "{}\n{said}\n{tail}", child.status);
}

fn throw() {
    let seeds = seeds();
    std::panic::set_hook(Box::new(|_| {}));
    let limits = Limits { blob: 16 << 20, ..Limits::default() };
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut read_some, mut refused, mut gave_up) = (0, 0, 0);
    let rounds = std::env::var("FORETASTE_FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(4000);
    for round in 0..rounds {
        let bytes = damaged(&seeds[round % seeds.len()], &mut dice);
        let (read, seen) = look(&bytes, &limits, &Lens::default(), &Fresh::All);
        assert!(seen.longest <= (limits.record as usize) * 17 + (1 << 20));
        match read {
            Ok(_) => read_some += 1,
            Err(reason) => {
                refused += 1;
                gave_up += usize::from(reason.contains("parser panic"));
            }
        }
    }
    // Both happen, else the damage would be too much or too little to learn from.
    assert!(read_some > rounds / 20 && refused > rounds / 20, "{read_some} read, {refused} refused, {gave_up} panics");
    println!("{read_some} read, {refused} refused, {gave_up} panics");
}
