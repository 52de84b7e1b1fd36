//! What a dataset card or a Croissant file says of the data that it lies beside: its licence, its files, their hashes.
//!
//! What a publisher says of itself is a claim. It fills in what people would otherwise type, and it can contradict what
//! they have written down; it proves nothing.

use bstr::{BStr, BString, ByteSlice};

use super::Blob;
use crate::policy::licence::Licence;
use crate::span::Span;

/// What a card says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Card {
    /// Whether it is a Croissant file; else the front matter of a README.
    pub(crate) croissant: bool,
    /// Licences, as written. Several are a choice or a sum: cards do not say which.
    pub(crate) licences: Vec<Said>,
    /// The files of the dataset with what is said of their content. Croissant only.
    pub(crate) files: Vec<CardFile>,
    /// Where it says that the dataset changes all the time (`isLiveDataset`).
    pub(crate) live: Option<Span>,
}

/// A word of a card, and where it stands in the decoded blob.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A file of a Croissant distribution.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct CardFile {
    /// Its address, or its path from the folder of the card.
    pub(crate) location: Said,
    /// SHA-256, as written: 64 hexadecimal digits where it is one.
    pub(crate) sha256: Option<Said>,
    /// MD5, as written.
    pub(crate) md5: Option<Said>,
}

/// A card with the blob it stands in.
#[derive(Debug)]
pub(crate) struct Carded<'a> {
    pub(crate) blob: Blob<'a>,
    pub(crate) card: &'a Card,
}

impl Card {
    /// The licences that are SPDX expressions, or can be written as one.
    pub(crate) fn spdx(&self) -> impl Iterator<Item = (&Said, Licence)> {
        self.licences.iter().filter_map(|said| Some((said, Licence::parse(&spdx(&said.text)?)?)))
    }
}

impl CardFile {
    /// The SHA-256 that is said, where it is one.
    pub(crate) fn digest(&self) -> Option<[u8; 32]> {
        crate::policy::lock::digest(&self.sha256.as_ref()?.text.to_ascii_lowercase())
    }

    /// The path in the repository that is meant, for a card at `card`; `None` for an address and what leaves the repository.
    pub(crate) fn path(&self, card: &BStr) -> Option<BString> {
        let text = self.location.text.strip_prefix("file://").unwrap_or(&self.location.text);
        if text.contains("://") || text.starts_with('/') {
            return None;
        }
        let mut parts: Vec<&[u8]> = card.split_str("/").collect();
        parts.pop();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part.as_bytes()),
            }
        }
        Some(bstr::join("/", parts).into())
    }
}

/// A licence as cards write it, as an SPDX expression: the words of the hub in lower case, addresses of well-known texts.
pub(crate) fn spdx(text: &str) -> Option<String> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let Some((_, rest)) = lower.split_once("://") else {
        return match lower.as_str() {
            "" | "other" | "unknown" | "cc" | "none" => None,
            // The hub leaves open whether later versions are meant; so does the comparison.
            _ => Some(text.to_owned()),
        };
    };
    let rest = rest.trim_end_matches('/').trim_start_matches("www.");
    let parts: Vec<&str> = rest.split('/').collect();
    let name = parts.last().copied().unwrap_or("");
    let name = [".html", ".json", ".txt", ".php"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    match parts.as_slice() {
        ["spdx.org", "licenses", ..] | ["opensource.org", "license" | "licenses", ..] | ["choosealicense.com", ..] => {
            Some(name.to_owned())
        }
        ["creativecommons.org", "licenses", kind, version, ..] => Some(format!("CC-{}-{version}", kind.to_uppercase())),
        ["creativecommons.org", "publicdomain", "zero", version, ..] => Some(format!("CC0-{version}")),
        ["apache.org", "licenses", ..] => name.strip_prefix("license-").map(|version| format!("Apache-{version}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_of_cards_become_expressions() {
        for (written, expected) in [
            ("mit", Some("mit")),
            ("cc-by-4.0", Some("cc-by-4.0")),
            ("https://creativecommons.org/licenses/by-nc/4.0/", Some("CC-BY-NC-4.0")),
            ("https://creativecommons.org/publicdomain/zero/1.0/", Some("CC0-1.0")),
            ("https://spdx.org/licenses/MIT.html", Some("mit")),
            ("https://www.apache.org/licenses/LICENSE-2.0", Some("Apache-2.0")),
            ("https://choosealicense.com/licenses/apache-2.0/", Some("apache-2.0")),
            ("other", None),
            ("https://acme.org/terms", None),
        ] {
            assert_eq!(spdx(written).as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn files_of_a_card_lie_below_its_folder() {
        let file = |location: &str| CardFile {
            location: Said { text: location.into(), span: Span::default() },
            ..CardFile::default()
        };
        assert_eq!(file("data/a.csv").path("sets/croissant.json".into()), Some("sets/data/a.csv".into()));
        assert_eq!(file("./a.csv").path("croissant.json".into()), Some("a.csv".into()));
        assert_eq!(file("../../a.csv").path("x/croissant.json".into()), None);
        assert_eq!(file("https://acme.org/a.csv").path("croissant.json".into()), None);
    }
}
