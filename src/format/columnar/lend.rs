//! Lends bytes to a library that wants to own what it reads, without copying more of them than it asks for.
//!
//! A file may be mapped and large, and the Parquet library takes nothing that is borrowed. So a thread of its own
//! stands beside the reader, holds the bytes, and answers with copies: of one page at a time.

use std::ops::Range;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use bytes::Bytes;

/// Asks for copies of lent bytes. They can be had as long as [`lend`] lasts.
#[derive(Clone)]
pub(super) struct Lent(Sender<Request>);

struct Request {
    range: Range<usize>,
    answer: Sender<Option<Bytes>>,
}

impl Lent {
    /// A copy of a range; `None` where it lies outside.
    pub(super) fn copy(&self, range: Range<usize>) -> Option<Bytes> {
        let (answer, answered) = channel();
        self.0.send(Request { range, answer }).ok()?;
        answered.recv().ok()?
    }
}

/// Calls `reader` with the bytes lent. It must not keep what it was given.
///
/// # Errors
/// Where the system gives no thread.
pub(super) fn lend<T>(bytes: &[u8], reader: impl FnOnce(Lent) -> T) -> Result<T, String> {
    let (ask, asked) = channel::<Request>();
    thread::scope(|scope| {
        let serve = move || {
            for Request { range, answer } in asked {
                // Nobody waits for the answer any more where this fails.
                let _ = answer.send(bytes.get(range).map(Bytes::copy_from_slice));
            }
        };
        thread::Builder::new().spawn_scoped(scope, serve).map_err(|_| "no thread to read it with".to_owned())?;
        Ok(reader(Lent(ask)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_what_was_lent() {
        let bytes = b"some bytes that nobody owns".to_vec();
        let lent = lend(&bytes, |lent| (lent.copy(5..10), lent.copy(20..28), lent.copy(3..3)));
        assert_eq!(lent, Ok((Some(Bytes::from_static(b"bytes")), None, Some(Bytes::new()))));
    }

    #[test]
    fn a_panic_ends_the_loan() {
        let ended = std::panic::catch_unwind(|| lend(b"bytes", |_| panic!("the reader gives up")));
        assert!(ended.is_err());
    }
}
