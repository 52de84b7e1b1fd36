//! Versions that are unpacked for a second look: a commit asks for the same two several times, and the next one for the
//! later of them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::source::{Bytes, ObjectId, Repository};

/// Bytes that are kept; the last two versions always are.
const KEPT: usize = 48 << 20;

/// Blobs by their ids, the last used at the end.
pub(super) struct Unpacked<'r> {
    repository: &'r Repository,
    limit: u64,
    kept: RefCell<VecDeque<(ObjectId, Rc<Bytes>)>>,
}

impl<'r> Unpacked<'r> {
    pub(super) fn new(repository: &'r Repository, limit: u64) -> Self {
        Self { repository, limit, kept: RefCell::default() }
    }

    /// The bytes of a blob.
    pub(super) fn get(&self, id: ObjectId) -> Option<Rc<Bytes>> {
        let mut kept = self.kept.borrow_mut();
        let held = kept.iter().position(|(of, _)| *of == id).and_then(|at| kept.remove(at));
        let bytes = match held {
            Some((_, bytes)) => bytes,
            None => Rc::new(self.repository.version(id, self.limit).ok()?),
        };
        kept.push_back((id, Rc::clone(&bytes)));
        let mut held: usize = kept.iter().map(|(_, bytes)| bytes.len()).sum();
        while held > KEPT && kept.len() > 2 {
            held -= kept.pop_front().map_or(0, |(_, bytes)| bytes.len());
        }
        Some(bytes)
    }
}
