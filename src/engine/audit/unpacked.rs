//! Blobs that are unpacked for a second look. Commits ask for them in the order of the history, which runs against the
//! deltas of a pack: one by one each would cost all the deltas it rests on. So those that are asked for next are
//! unpacked together, in the order of the packs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Mutex;

use rustc_hash::FxHashMap;

use crate::source::{ObjectId, Repository};

/// Bytes that are unpacked ahead.
const AHEAD: u64 = 64 << 20;
/// Bytes that are kept.
const KEPT: usize = 96 << 20;

/// Blobs by their ids, the last used at the end.
pub(super) struct Unpacked<'r> {
    repository: &'r Repository,
    limit: u64,
    /// What will be asked for, with its size, and how much of it was unpacked.
    plan: Vec<(ObjectId, u64)>,
    next: RefCell<usize>,
    kept: RefCell<VecDeque<(ObjectId, Rc<Vec<u8>>)>>,
}

impl<'r> Unpacked<'r> {
    /// Of which these will be asked for, in this order.
    pub(super) fn new(repository: &'r Repository, limit: u64, plan: Vec<(ObjectId, u64)>) -> Self {
        Self { repository, limit, plan, next: RefCell::default(), kept: RefCell::default() }
    }

    /// The bytes of a blob.
    pub(super) fn get(&self, id: ObjectId) -> Option<Rc<Vec<u8>>> {
        if let Some(bytes) = self.held(id) {
            return Some(bytes);
        }
        self.ahead(id);
        self.held(id)
    }

    fn held(&self, id: ObjectId) -> Option<Rc<Vec<u8>>> {
        let mut kept = self.kept.borrow_mut();
        let at = kept.iter().position(|(of, _)| *of == id)?;
        let found = kept.remove(at)?;
        let bytes = Rc::clone(&found.1);
        kept.push_back(found);
        Some(bytes)
    }

    /// Unpacks a blob, and those that are asked for behind it.
    fn ahead(&self, id: ObjectId) {
        let mut next = self.next.borrow_mut();
        let mut wanted = vec![id];
        if let Some(at) = self.plan[*next..].iter().position(|(of, _)| *of == id) {
            let mut left = AHEAD;
            *next += at;
            while let Some(&(of, size)) = self.plan.get(*next)
                && let Some(rest) = left.checked_sub(size.max(1))
            {
                (left, *next) = (rest, *next + 1);
                wanted.push(of);
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        let found: Mutex<FxHashMap<usize, Vec<u8>>> = Mutex::default();
        self.repository.each_blob(&wanted, self.limit, &|at, bytes| {
            if let Ok(bytes) = bytes {
                found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(at, bytes.to_vec());
            }
        });
        let mut found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut kept = self.kept.borrow_mut();
        for (at, of) in wanted.iter().enumerate().filter(|(_, of)| **of != id) {
            if let Some(bytes) = found.remove(&at) {
                kept.push_back((*of, Rc::new(bytes)));
            }
        }
        // What is wanted now is the last to go.
        if let Some(bytes) = wanted.binary_search(&id).ok().and_then(|at| found.remove(&at)) {
            kept.push_back((id, Rc::new(bytes)));
        }
        let mut bytes: usize = kept.iter().map(|(_, bytes)| bytes.len()).sum();
        while bytes > KEPT && kept.len() > 1 {
            bytes -= kept.pop_front().map_or(0, |(_, bytes)| bytes.len());
        }
    }
}
