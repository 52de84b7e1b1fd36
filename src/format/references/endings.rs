//! What the name of a file says of its content: endings of data, of archives, of pages, and words of the trade.

const PACKED: &[&str] = &["gz", "bz2", "xz", "zst", "zip", "tar", "tgz", "7z", "lz4"];

/// Endings that only data has.
const DATA: &[&str] = &[
    "jsonl",
    "ndjson",
    "csv",
    "tsv",
    "parquet",
    "arrow",
    "feather",
    "avro",
    "orc",
    "npz",
    "npy",
    "h5",
    "hdf5",
    "tfrecord",
    "tfrecords",
    "lmdb",
    "sqlite",
    "safetensors",
    "pt",
    "pth",
    "ckpt",
    "gguf",
    "pkl",
    "pickle",
    "warc",
];

/// Endings that data shares with much else.
const SHARED: &[&str] = &["json", "txt", "bin", "xml", "db"];

const SKIP_ENDINGS: &[&str] = &[
    "svg", "png", "jpg", "jpeg", "gif", "webp", "ico", "css", "js", "html", "htm", "mp4", "woff", "woff2", "cff",
    "whl", "deb", "rpm", "exe", "dmg", "sh", "py", "md", "rst", "gpg", "asc", "pub", "yaml", "yml", "toml", "pdf",
    "ipynb", "mp3", "wav", "list", "key", "rb", "ps1",
];

fn endings(name: &str) -> (String, String) {
    let lower = name.to_ascii_lowercase();
    let mut parts = lower.rsplit('.');
    let last = parts.next().unwrap_or("").to_owned();
    let before = parts.next().unwrap_or("").to_owned();
    if lower.contains('.') { (last, before) } else { (String::new(), String::new()) }
}

/// Whether the ending is that of a page, a picture, a program or a document: nothing that is trained on.
pub(super) fn is_no_data(name: &str) -> bool {
    SKIP_ENDINGS.contains(&endings(name).0.as_str())
}

/// Whether the ending of a file name is one of data, archives included.
pub(super) fn has_data_ending(name: &str) -> bool {
    let (last, _) = endings(name);
    [DATA, SHARED, PACKED].iter().any(|list| list.contains(&last.as_str()))
}

/// Whether the words of a path speak of data. Archives, text and JSON are shared with tools and their settings.
pub(super) fn names_data(path: &str) -> bool {
    const WORDS: &[&str] = &[
        "data",
        "dataset",
        "datasets",
        "corpus",
        "corpora",
        "train",
        "training",
        "eval",
        "valid",
        "validation",
        "test",
        "tests",
        "prompts",
        "annotations",
        "labels",
        "model",
        "models",
        "weights",
        "checkpoint",
        "checkpoints",
        "embeddings",
        "glove",
        "wiki",
        "wikipedia",
        "wikitext",
        "squad",
        "imdb",
        "sft",
        "instructions",
        "alpaca",
        "sharegpt",
        "questions",
        "benchmark",
        "dump",
        "hf",
        "huggingface",
    ];
    let lower = path.to_ascii_lowercase();
    lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        WORDS.contains(&word) || word.ends_with("data") || word.ends_with("dataset") || word.ends_with("corpus")
    })
}

/// Whether a path that is downloaded leads to data by its own words.
pub(super) fn leads_to_data(path: &str) -> bool {
    const NEVER: &[&str] = &[
        "requirements.txt",
        "package.json",
        "package-lock.json",
        "config.json",
        "license.txt",
        "robots.txt",
        "manifest.json",
        "tsconfig.json",
        "cmakelists.txt",
        "readme.txt",
        "constraints.txt",
        "version.txt",
        "schema.json",
    ];
    let name = path.rsplit('/').next().unwrap_or("").to_ascii_lowercase();
    if NEVER.contains(&name.as_str()) || name.starts_with("requirements") || name.ends_with("schema.json") {
        return false;
    }
    let (last, before) = endings(&name);
    let packed = PACKED.contains(&last.as_str());
    let sure = DATA.contains(&last.as_str())
        || (packed && (DATA.contains(&before.as_str()) || SHARED.contains(&before.as_str())));
    sure || ((packed || SHARED.contains(&last.as_str())) && names_data(path))
}
