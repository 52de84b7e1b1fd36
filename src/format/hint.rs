//! What a name says of a blob. Only a hint for data; for code and configuration it decides. This is the one list of names.

use bstr::{BStr, ByteSlice};

use crate::format::Kind;

/// What a name says.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(in crate::format) enum Hint {
    /// Code or configuration.
    Code(Kind),
    /// A table, and its delimiter.
    Table(Option<u8>),
    /// JSON of some kind.
    Json,
    /// One JSON value a line.
    JsonLines,
    /// Running text.
    Text,
    /// Nothing.
    Nothing,
}

impl Hint {
    /// Whether the name is one of data files alone.
    pub(in crate::format) fn is_data(self) -> bool {
        matches!(self, Hint::Table(_) | Hint::JsonLines)
    }
}

/// What the path, and for a name without an extension the first line, say.
pub(in crate::format) fn of(path: &BStr, text: &[u8]) -> Hint {
    let name = path.rsplit_once_str("/").map_or(path.as_bytes(), |(_, name)| name).to_ascii_lowercase();
    let name = without_compression(&name);
    let stem = name.split(|&b| matches!(b, b'.' | b'-' | b'_')).next().unwrap_or_default();
    match name {
        b"dockerfile" | b"containerfile" | b".gitmodules" | b"makefile" | b"gnumakefile" | b"justfile"
        | b"rakefile" | b"procfile" => {
            return Hint::Code(Kind::Shell);
        }
        b"pipfile" | b"poetry.lock" | b"cargo.lock" | b"uv.lock" | b"pdm.lock" => return Hint::Code(Kind::Toml),
        b"dvc.lock" | b"conda-lock.yml" => return Hint::Code(Kind::Yaml),
        b"cmakelists.txt" | b"robots.txt" | b"codeowners" => return Hint::Code(Kind::Code),
        // `Dockerfile-gpu` has no extension, and that of `Dockerfile.gpu2` means nothing.
        _ if name.starts_with(b"dockerfile.") || name.starts_with(b"dockerfile-") => return Hint::Code(Kind::Shell),
        _ => {}
    }
    // Text files that every repository has and that nobody trains on.
    let papers: [&[u8]; 14] = [
        b"license",
        b"licence",
        b"copying",
        b"notice",
        b"authors",
        b"contributors",
        b"changelog",
        b"changes",
        b"readme",
        b"requirements",
        b"constraints",
        b"install",
        b"todo",
        b"version",
    ];
    let extension = name.iter().rposition(|&b| b == b'.').map(|at| &name[at + 1..]);
    if papers.contains(&stem) && matches!(extension, None | Some(b"txt" | b"rst" | b"in")) {
        return Hint::Code(if stem == b"readme" { Kind::Markdown } else { Kind::Code });
    }
    let Some(extension) =
        extension.filter(|_| !name.starts_with(b".") || name.iter().filter(|&&b| b == b'.').count() > 1)
    else {
        // `_default_template_yaml`: what the tasks of an evaluation harness include.
        if name.ends_with(b"_yaml") || name.ends_with(b"_yml") {
            return Hint::Code(Kind::Yaml);
        }
        return match name.starts_with(b".") {
            true => Hint::Code(Kind::Code),
            false => shebang(text).or_else(|| included(text)).map_or(Hint::Nothing, Hint::Code),
        };
    };
    match extension {
        b"jsonl" | b"ndjson" | b"jsonlines" | b"jsonlist" => Hint::JsonLines,
        b"json" | b"jsonc" | b"json5" | b"jsonld" | b"geojson" | b"webmanifest" => Hint::Json,
        b"csv" => Hint::Table(Some(b',')),
        b"tsv" | b"tab" => Hint::Table(Some(b'\t')),
        b"psv" => Hint::Table(Some(b'|')),
        b"txt" | b"text" | b"conll" | b"conllu" | b"iob" | b"iob2" | b"bio" => Hint::Text,
        b"data" | b"dat" | b"train" | b"test" | b"dev" | b"valid" | b"val" | b"raw" | b"all" | b"labels" => {
            Hint::Nothing
        }
        b"py" | b"pyi" | b"pyw" => Hint::Code(Kind::Python),
        b"ipynb" => Hint::Code(Kind::Notebook),
        b"yaml" | b"yml" | b"dvc" | b"cff" => Hint::Code(Kind::Yaml),
        b"toml" => Hint::Code(Kind::Toml),
        b"sh" | b"bash" | b"zsh" | b"ksh" | b"fish" | b"dockerfile" | b"mk" | b"slurm" | b"sbatch" => {
            Hint::Code(Kind::Shell)
        }
        b"md" | b"markdown" | b"mdx" | b"rmd" | b"qmd" | b"mdown" => Hint::Code(Kind::Markdown),
        // `data.2024`, `file.v2`: no extension that means anything.
        _ if extension.iter().any(u8::is_ascii_digit) && !KNOWN_WITH_DIGITS.contains(&extension) => Hint::Nothing,
        _ => Hint::Code(Kind::Code),
    }
}

/// Which reader finds the references of a file; `None` where it can hold none.
///
/// `head` is the first few hundred bytes: it tells a script by its first line, and JSON that is an object.
pub(crate) fn kind_of(path: &BStr, head: &[u8]) -> Option<Kind> {
    match of(path, head) {
        Hint::Code(kind) => kind.names_sources().then_some(kind),
        Hint::Json => {
            let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
            start.starts_with(b"{").then_some(Kind::JsonConfig)
        }
        _ => None,
    }
}

/// Whether a name is one of words with labels.
pub(in crate::format) fn is_tokens(path: &BStr) -> bool {
    let ending = path.rsplit_once_str(".").map_or(&b""[..], |(_, ending)| ending).to_ascii_lowercase();
    ending.starts_with(b"conll") || matches!(&ending[..], b"iob" | b"iob2" | b"bio" | b"bioes" | b"bmes" | b"ner")
}

const KNOWN_WITH_DIGITS: &[&[u8]] =
    &[b"f90", b"f95", b"mp3", b"mp4", b"m4", b"py3", b"s3", b"1", b"3", b"5", b"7", b"8"];

/// A compressed file is named after what it holds.
fn without_compression(name: &[u8]) -> &[u8] {
    let endings: [&[u8]; 4] = [b".gz", b".zst", b".zstd", b".gzip"];
    endings.iter().find_map(|ending| name.strip_suffix(*ending)).unwrap_or(name)
}

/// What tasks of an evaluation harness include often has no ending at all.
fn included(text: &[u8]) -> Option<Kind> {
    let head = &text[..text.len().min(2048)];
    head.lines().any(|line| line.starts_with(b"dataset_path: ")).then_some(Kind::Yaml)
}

/// The language that the first line of a script names.
fn shebang(text: &[u8]) -> Option<Kind> {
    let line = text.lines().next()?.strip_prefix(b"#!")?;
    Some(match line {
        _ if line.contains_str("python") => Kind::Python,
        _ if line.contains_str("sh") => Kind::Shell,
        _ => Kind::Code,
    })
}
