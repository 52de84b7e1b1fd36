//! What a name at another place was resolved to when it was locked.

use std::borrow::Cow;
use std::fmt;

use bstr::{BStr, ByteSlice};
use jiff::civil::Date;

use super::text::{day, escape, is_name, unescape};
use crate::span::Span;

/// A reference to a dataset or a model elsewhere, tied to content that cannot change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LockedReference {
    /// `dataset`, `model`, `code`, `image`, `url-data`.
    pub(crate) kind: String,
    /// `huggingface`, `git`, `url`, ….
    pub(crate) hub: String,
    /// A full commit id, or `sha256:` and 64 hexadecimal digits.
    pub(crate) pin: String,
    /// The day on which it was first resolved to this.
    pub(crate) retrieved: Date,
    /// Its name, as it is written.
    pub(crate) target: String,
    /// Where the pin comes from: `written` in the code, `cache` of the hub, `file` that was handed in.
    pub(crate) how: String,
    /// Its line in the lock; empty for a line that is yet to be written.
    pub(crate) span: Span,
}

/// Whether a pin ties down content: a full commit id or a SHA-256.
pub(crate) fn is_pin(text: &str) -> bool {
    let hex =
        |text: &str, len: usize| text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    hex(text, 40) || text.strip_prefix("sha256:").is_some_and(|digest| hex(digest, 64))
}

/// What a name is called in the lock: with the revision where one is written, since another revision is other content.
pub(crate) fn name<'t>(target: &'t str, revision: Option<&str>) -> Cow<'t, str> {
    match revision {
        Some(revision) => format!("{target}@{revision}").into(),
        None => target.into(),
    }
}

impl LockedReference {
    /// What tells it from others, in the order of the lock.
    pub(crate) fn key(&self) -> (&str, &str, &str) {
        (&self.kind, &self.hub, &self.target)
    }

    pub(super) fn parse(text: &str, span: Span) -> Result<Self, &'static str> {
        let (line, how) = text.split_once("\thow=").ok_or("a reference line ends in how it was resolved")?;
        let mut parts = line.splitn(5, ' ');
        let mut next = || parts.next().ok_or("a reference line has five parts: kind, hub, pin, day, name");
        let (kind, hub, pin) = (next()?.to_owned(), next()?.to_owned(), next()?.to_owned());
        let retrieved = day(next()?).ok_or("the day of a reference is not written 2026-11-23")?;
        let target = unescape(next()?).and_then(|target| String::from_utf8(target.into()).ok());
        let target = target.ok_or("the name of a reference is not written as `foretaste lock` writes it")?;
        if !is_pin(&pin) {
            return Err("the pin of a reference is neither a full commit id nor a SHA-256");
        }
        if ![&kind, &hub].into_iter().all(|word| is_name(word)) || !is_name(how) || target.is_empty() {
            return Err("a reference line has a malformed word");
        }
        Ok(Self { kind, hub, pin, retrieved, target, how: how.to_owned(), span })
    }
}

impl fmt::Display for LockedReference {
    /// The line, without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, hub, pin, retrieved, how, .. } = self;
        let target = escape(BStr::new(&self.target).as_bytes().as_bstr());
        write!(f, "reference {kind} {hub} {pin} {retrieved} {target}\thow={how}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_one_form() {
        let pin = "0123456789abcdef0123456789abcdef01234567";
        let line = format!("dataset huggingface {pin} 2026-11-23 org/name\thow=cache");
        let read = LockedReference::parse(&line, Span::default()).unwrap();
        assert_eq!(read.key(), ("dataset", "huggingface", "org/name"));
        assert_eq!(read.to_string(), format!("reference {line}"));
        for bad in [
            line.replace(pin, "main"),
            line.replace(pin, &pin.to_uppercase()),
            line.replace("2026-11-23", "2026-1-23"),
            line.replace("\thow=cache", ""),
            line.replace("org/name", ""),
        ] {
            assert!(LockedReference::parse(&bad, Span::default()).is_err(), "{bad}");
        }
        assert!(is_pin(&format!("sha256:{}", "a".repeat(64))) && !is_pin("sha256:abc"));
    }
}
