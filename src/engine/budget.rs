//! Bounds the bytes of decoded blobs in flight, so that memory does not grow with the number of threads.

use std::sync::{Condvar, Mutex, PoisonError};

/// A semaphore that counts bytes.
#[derive(Debug)]
pub(super) struct Budget {
    free: Mutex<u64>,
    freed: Condvar,
    whole: u64,
}

/// Bytes taken from a [`Budget`], given back when dropped.
#[derive(Debug)]
pub(super) struct Share<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Self { free: Mutex::new(bytes), freed: Condvar::new(), whole: bytes }
    }

    /// Waits until `bytes` are free and takes them. A blob larger than the whole budget takes all of it and so goes
    /// alone; it never waits for ever.
    pub(super) fn take(&self, bytes: u64) -> Share<'_> {
        let bytes = bytes.min(self.whole);
        // A thread that panicked while it held the lock has left a number behind, which is still right.
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free < bytes {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= bytes;
        Share { budget: self, bytes }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.budget.free.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_never_more_than_the_budget() {
        let budget = Budget::new(10);
        let most = Mutex::new((0_u64, 0_u64));
        std::thread::scope(|s| {
            for n in 0..8 {
                let (budget, most) = (&budget, &most);
                s.spawn(move || {
                    for i in 0..200 {
                        let bytes = (n + i) % 13;
                        let share = budget.take(bytes);
                        let mut now = most.lock().unwrap();
                        now.0 += share.bytes;
                        now.1 = now.1.max(now.0);
                        drop(now);
                        most.lock().unwrap().0 -= share.bytes;
                    }
                });
            }
        });
        let (left, peak) = *most.lock().unwrap();
        assert_eq!(left, 0);
        assert!(peak > 0 && peak <= 10, "peak {peak}");
    }
}
