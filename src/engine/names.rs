//! What a name alone says of a file.

use bstr::{BStr, ByteSlice};

use crate::lens::class_of;

/// Whether a file of history is likely to hold data, by its name alone: nothing of history is read to know who changed
/// what.
pub(super) fn looks_like_data(path: &BStr) -> bool {
    const ENDINGS: [&str; 20] = [
        "jsonl", "ndjson", "csv", "tsv", "parquet", "arrow", "feather", "conll", "conllu", "conllx", "conllup", "iob",
        "iob2", "bio", "bioes", "gz", "zst", "txt", "json", "md",
    ];
    const FIRST_TEXT: usize = 17;
    let ending = path.rsplit_str(".").next().unwrap_or_default().to_ascii_lowercase();
    let name = path.rsplit_str("/").next().unwrap_or_default();
    let stem = name.split_str(".").next().unwrap_or_default().to_ascii_lowercase();
    let in_data =
        path.split_str("/").any(|part| matches!(part, b"data" | b"dataset" | b"datasets" | b"train" | b"corpus"))
            || matches!(stem.as_slice(), b"train" | b"valid" | b"validation" | b"dev" | b"test");
    match ENDINGS.iter().position(|known| known.as_bytes() == ending) {
        // Text, JSON and Markdown are data only where the folder says so.
        Some(at) if at >= FIRST_TEXT => in_data || class_of(path).is_some(),
        Some(_) => true,
        // `eng.train`, and what stands for data that is kept elsewhere.
        None if matches!(ending.as_slice(), b"train" | b"dev" | b"testa" | b"testb" | b"dvc") => true,
        None if name == b"dvc.lock" => true,
        // `rt-polarity.neg`.
        None => (in_data && matches!(ending.as_slice(), b"yml" | b"yaml")) || class_of(path).is_some(),
    }
}
