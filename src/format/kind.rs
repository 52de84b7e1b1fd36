//! What a blob turned out to be.

use serde::Serialize;

/// What a blob turned out to be.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// One JSON value a line.
    JsonLines,
    /// A JSON array of records, or an object of splits.
    Json,
    /// Separated values; the separator and the header are found by content.
    Csv,
    /// Running text, a line a record.
    Text,
    /// Words with their labels, a word a line and an empty line between sentences.
    Tokens,
    /// Markdown: text, and references in its code blocks and front matter.
    Markdown,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow IPC, file or stream.
    Arrow,
    /// Python source.
    Python,
    /// Jupyter notebook.
    Notebook,
    /// YAML configuration.
    Yaml,
    /// JSON configuration.
    JsonConfig,
    /// TOML configuration.
    Toml,
    /// Shell script, Dockerfile, workflow step.
    Shell,
    /// Source code or other text that is not data: only hidden characters are looked for.
    Code,
    /// Nothing that a reader of ours understands.
    Unknown,
}

impl Kind {
    /// Whether the blob holds records of data, not code or configuration.
    pub(crate) fn is_data(self) -> bool {
        matches!(
            self,
            Kind::JsonLines | Kind::Json | Kind::Csv | Kind::Text | Kind::Tokens | Kind::Parquet | Kind::Arrow
        )
    }

    /// Whether code, configuration or documents of this kind name datasets and models.
    pub(crate) fn names_sources(self) -> bool {
        use Kind::{JsonConfig, Markdown, Notebook, Python, Shell, Toml, Yaml};
        matches!(self, Python | Notebook | Yaml | JsonConfig | Toml | Shell | Markdown)
    }

    /// Whether each of its lines is a row, also those that are no record.
    pub(crate) fn is_lines(self) -> bool {
        matches!(self, Kind::Text | Kind::Tokens)
    }

    /// Whether its records are columns on disk: they have no bytes of their own there, and are told by their number.
    pub(crate) fn is_columnar(self) -> bool {
        matches!(self, Kind::Parquet | Kind::Arrow)
    }
}

/// The name of the field that holds the word in [`Kind::Tokens`].
pub(crate) const FORM: &str = "form";
