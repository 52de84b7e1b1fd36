//! One file of the lock: a line with its hashes, and behind tabs what else was known of it when it was locked.

use std::collections::BTreeMap;
use std::fmt;

use bstr::{BStr, BString, ByteSlice};
use jiff::civil::Date;

use super::text::{day, digest, escape, escape_also, hex, number, stays_inside, unescape, unescape_also};
use crate::span::Span;

/// Classes that are written one by one. Free text that was declared a label must not fill the lock.
const MAX_CLASSES: usize = 256;
/// Signs that part the words of a fact.
const PARTS: [char; 4] = [',', ':', '=', '*'];

/// One file of the lock.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct LockedFile {
    pub(crate) path: BString,
    /// What is signed.
    pub(crate) sha256: [u8; 32],
    /// A second hash of another family, fast to check.
    pub(crate) blake3: [u8; 32],
    /// Bytes.
    pub(crate) size: u64,
    /// Records, where it holds data.
    pub(crate) records: Option<u64>,
    /// How many records have which label, where some have one.
    pub(crate) labels: Option<Labels>,
    /// Its source, by its name in the policy.
    pub(crate) source: Option<String>,
    /// The day on which this content was first locked.
    pub(crate) retrieved: Option<Date>,
    /// The hash that its publisher gives, where one is given.
    pub(crate) publisher: Option<Publisher>,
    /// Its line in the lock; empty for a line that is yet to be written.
    pub(crate) span: Span,
}

/// How many records have which label.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Labels {
    /// The classes with most records, by name.
    pub(crate) counts: BTreeMap<String, u64>,
    /// Records of all other classes.
    pub(crate) others: u64,
}

impl Labels {
    /// Keeps the classes with most records.
    pub(crate) fn new(all: impl IntoIterator<Item = (String, u64)>) -> Option<Self> {
        let mut all: Vec<(String, u64)> = all.into_iter().filter(|(_, count)| *count > 0).collect();
        if all.is_empty() {
            return None;
        }
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let others = all.split_off(all.len().min(MAX_CLASSES)).iter().map(|(_, count)| count).sum();
        Some(Self { counts: all.into_iter().collect(), others })
    }

    /// Classes whose numbers differ: name, before, after.
    pub(crate) fn changed(&self, after: &Labels) -> Vec<(String, u64, u64)> {
        let names: std::collections::BTreeSet<&String> = self.counts.keys().chain(after.counts.keys()).collect();
        let of = |labels: &Labels, name: &String| labels.counts.get(name).copied().unwrap_or(0);
        let each = names.into_iter().map(|name| (name.clone(), of(self, name), of(after, name)));
        each.chain([("(other classes)".to_owned(), self.others, after.others)]).filter(|(_, a, b)| a != b).collect()
    }
}

/// The hash under which a publisher gives a file out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Publisher {
    /// `lfs`, `croissant`, `dvc`.
    pub(crate) by: String,
    /// `sha256`, or `md5`, which proves nothing.
    pub(crate) algorithm: String,
    /// Lower-case hexadecimal digits.
    pub(crate) digest: String,
}

impl LockedFile {
    pub(super) fn parse(text: &str, span: Span) -> Result<Self, &'static str> {
        let mut columns = text.split('\t');
        let mut parts = columns.next().unwrap_or_default().splitn(5, ' ');
        let mut next = || parts.next().ok_or("a file line has five parts: sha256, blake3, size, records, path");
        let sha256 = digest(next()?).ok_or("the SHA-256 is not 64 hex digits")?;
        let blake3 = digest(next()?).ok_or("the BLAKE3 is not 64 hex digits")?;
        let size = number(next()?).ok_or("the size is not a number")?;
        let records = match next()? {
            "-" => None,
            text => Some(number(text).ok_or("the number of records is not a number")?),
        };
        let path = unescape(next()?).ok_or("the path is not written as `foretaste lock` writes it")?;
        if !stays_inside(path.as_ref()) {
            return Err("the path leaves the repository");
        }
        let mut file = Self { path, sha256, blake3, size, records, span, ..Self::default() };
        for column in columns {
            let wrong = "a fact behind the path is unknown, repeated or malformed";
            let (name, value) = column.split_once('=').ok_or(wrong)?;
            file.fact(name, value).ok_or(wrong)?;
        }
        // One form only: facts in their order, each once.
        if file.to_string() != text {
            return Err("the facts behind the path are not written as `foretaste lock` writes them");
        }
        Ok(file)
    }

    fn fact(&mut self, name: &str, value: &str) -> Option<()> {
        let word = |text: &str| String::from_utf8(unescape_also(text, &PARTS)?.into()).ok();
        match name {
            "labels" if self.labels.is_none() => {
                let mut labels = Labels::default();
                for part in value.split(',') {
                    let (name, count) = part.rsplit_once(':')?;
                    match name {
                        "*" => labels.others = number(count)?,
                        name => {
                            labels.counts.insert(word(name)?, number(count)?);
                        }
                    }
                }
                self.labels = Some(labels);
            }
            "source" if self.source.is_none() => self.source = Some(word(value)?),
            "retrieved" if self.retrieved.is_none() => self.retrieved = Some(day(value)?),
            "publisher" if self.publisher.is_none() => {
                let (by, rest) = value.split_once('-')?;
                let (algorithm, digest) = rest.split_once(':')?;
                let known = matches!((algorithm, digest.len()), ("sha256", 64) | ("md5", 32));
                if !known || !digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
                    return None;
                }
                let part = |text: &str| text.to_owned();
                let (by, algorithm, digest) = (part(by), part(algorithm), part(digest));
                self.publisher = Some(Publisher { by, algorithm, digest });
            }
            _ => return None,
        }
        Some(())
    }
}

fn word(text: &str) -> String {
    escape_also(BStr::new(text), &PARTS)
}

impl fmt::Display for LockedFile {
    /// The line, without the word it begins with and without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records = self.records.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let path = escape(self.path.as_bstr());
        write!(f, "{} {} {} {records} {path}", hex(&self.sha256), hex(&self.blake3), self.size)?;
        if let Some(labels) = &self.labels {
            let mut parts: Vec<String> =
                labels.counts.iter().map(|(name, count)| format!("{}:{count}", word(name))).collect();
            if labels.others > 0 {
                parts.push(format!("*:{}", labels.others));
            }
            write!(f, "\tlabels={}", parts.join(","))?;
        }
        if let Some(source) = &self.source {
            write!(f, "\tsource={}", word(source))?;
        }
        if let Some(day) = self.retrieved {
            write!(f, "\tretrieved={day}")?;
        }
        if let Some(Publisher { by, algorithm, digest }) = &self.publisher {
            write!(f, "\tpublisher={by}-{algorithm}:{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn read(file: &LockedFile) -> Result<LockedFile, &'static str> {
        LockedFile::parse(&file.to_string(), Span::default())
    }

    #[test]
    fn facts_have_one_form() {
        let file = LockedFile {
            path: "a\tb".into(),
            labels: Labels::new([("x:y,z".to_owned(), 2), ("é".to_owned(), 1)]),
            source: Some("tickets".to_owned()),
            retrieved: Some(date(2026, 11, 23)),
            publisher: Some(Publisher { by: "dvc".into(), algorithm: "md5".into(), digest: "0".repeat(32) }),
            ..LockedFile::default()
        };
        assert_eq!(read(&file).unwrap(), file);
        let text = file.to_string();
        for bad in [
            text.replace("retrieved=2026-11-23", "retrieved=2026-11-23\tretrieved=2026-11-23"),
            text.replace("source=", "origin="),
            text.replace("labels=", "labels=zz:0,"),
            text.replace("dvc-md5", "dvc-sha256"),
            text.clone() + "\t",
        ] {
            assert!(LockedFile::parse(&bad, Span::default()).is_err(), "{bad}");
        }
    }

    #[test]
    fn many_classes_are_summed_and_what_changed_is_told_by_class() {
        let many = Labels::new((0..300).map(|n| (format!("c{n:03}"), 300 - n))).unwrap();
        assert_eq!((many.counts.len(), many.others), (256, (1..=44).sum()));
        let before = Labels::new([("spam".to_owned(), 3), ("ham".to_owned(), 5)]).unwrap();
        let after = Labels::new([("spam".to_owned(), 1), ("ham".to_owned(), 5), ("new".to_owned(), 2)]).unwrap();
        assert_eq!(before.changed(&after), [("new".to_owned(), 0, 2), ("spam".to_owned(), 3, 1)]);
    }

    proptest! {
        #[test]
        fn any_names_survive(names in proptest::collection::btree_map(".{0,8}", 1_u64..9, 1..6), source in ".{0,9}") {
            let labels = Labels::new(names);
            let file = LockedFile { path: "p".into(), labels, source: Some(source), ..LockedFile::default() };
            prop_assert_eq!(read(&file).unwrap(), file);
        }
    }
}
