//! Addresses taken apart, and what one was found to be.

use crate::format::references::endings::leads_to_data;
use crate::format::{Target, Verdict};

/// What an address was found to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::format::references) struct Located {
    /// Where it lives.
    pub(in crate::format::references) hub: &'static str,
    /// `owner/name` on a hub; elsewhere the address as written.
    pub(in crate::format::references) target: String,
    /// What it is, where the address says so.
    pub(in crate::format::references) kind: Option<Target>,
    /// The revision in it.
    pub(in crate::format::references) pin: Option<String>,
    /// How firm that is.
    pub(in crate::format::references) verdict: Verdict,
}

/// What the surroundings say of an address.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(in crate::format::references) enum Asked {
    /// It is handed to something that loads data.
    Data,
    /// It is downloaded, or just stands there: only one that says itself that it is data counts.
    Any,
}

impl Asked {
    /// Whether an address that ends in `path` counts.
    pub(super) fn wants(self, path: &str) -> bool {
        self == Asked::Data || leads_to_data(path)
    }
}

impl Located {
    /// An address that leads to nothing that is trained on.
    pub(super) fn nothing(hub: &'static str, url: &str) -> Self {
        Self { hub, target: url.to_owned(), kind: None, pin: None, verdict: Verdict::NotADataset }
    }
}

pub(super) struct Parts<'u> {
    pub(super) scheme: &'u str,
    pub(super) host: &'u str,
    pub(super) path: &'u str,
    pub(super) query: &'u str,
    pub(super) fragment: &'u str,
}

pub(super) fn split(url: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = url.split_once("://")?;
    if scheme.is_empty() || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
        return None;
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit('@').next().unwrap_or("");
    let host = host.split(':').next().unwrap_or("");
    Some(Parts { scheme, host, path, query, fragment })
}

pub(super) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = |i: usize| bytes.get(i).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
