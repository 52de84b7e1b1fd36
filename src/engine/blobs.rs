//! The table of blobs of a run, by their numbers.

use std::sync::Arc;

use bstr::BString;

use super::Judged;
use crate::format::Feeds;
use crate::source::{Before, Content, Entry};
use crate::span::BlobId;

/// The number of the entry at `index`.
pub(super) fn number(index: usize) -> BlobId {
    BlobId(u32::try_from(index).unwrap_or(u32::MAX))
}

/// The table of blobs: the entries in scope, and behind them foretaste's own files where those are not among them.
pub(super) struct Blobs {
    list: Vec<Judged>,
}

impl Blobs {
    pub(super) fn new(entries: &[Entry]) -> Self {
        let list = entries
            .iter()
            .map(|entry| {
                // What the change removed is shown as it was.
                let before = entry.before.as_ref().map(|before: &Before| Content::Object(before.id));
                Judged {
                    path: entry.path.clone(),
                    content: entry.content.clone().or(before),
                    held: None,
                    feeds: Vec::new(),
                }
            })
            .collect();
        Self { list }
    }

    pub(super) fn path(&self, id: BlobId) -> BString {
        self.list.get(id.0 as usize).map(|blob| blob.path.clone()).unwrap_or_default()
    }

    /// The number of one of foretaste's own files, which is added where it is not in scope.
    pub(super) fn own(&mut self, name: &str, bytes: Vec<u8>) -> BlobId {
        if let Some(at) = self.list.iter().position(|blob| blob.path == name) {
            return number(at);
        }
        self.list.push(Judged { path: name.into(), content: None, held: Some(bytes.into()), feeds: Vec::new() });
        number(self.list.len() - 1)
    }

    /// All of them, with what reading them has left behind.
    pub(super) fn with(mut self, held: Vec<(BlobId, Arc<[u8]>)>, feeds: Vec<(BlobId, Vec<Feeds>)>) -> Vec<Judged> {
        for (id, bytes) in held {
            self.list[id.0 as usize].held = Some(bytes);
        }
        for (id, feeds) in feeds {
            self.list[id.0 as usize].feeds = feeds;
        }
        self.list
    }
}
