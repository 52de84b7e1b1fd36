//! Bytes and records in memory: the same checks, without git and without files.

use std::sync::Arc;

use super::gather::Run;
use super::scan::Reader;
use super::{Checker, Error, Outcome, Silent};
use crate::source::{Scope, Source};

impl Checker {
    /// Looks at bytes that the caller holds as if they were the file `name`, judged by the policy given with
    /// [`Checker::policy`] or else the built-in one.
    ///
    /// # Errors
    /// A policy that cannot be used. Bytes that cannot be read are no error but [`Outcome::unread`].
    pub fn check_bytes(&self, name: &str, bytes: impl Into<Arc<[u8]>>) -> Result<Outcome, Error> {
        let reader = Reader { source: Source::plain(), memory: Some((name.into(), bytes.into())) };
        Run { checker: self, reader, scope: Scope::Files(vec![name.into()]), progress: &Silent }.go()
    }

    /// Looks at records that the caller holds, each an iterator of field names and values. They are judged as the lines
    /// of a JSON Lines file `name`; [`Mark::record`](crate::Mark::record) and [`Mark::field`](crate::Mark::field) lead
    /// back to them.
    ///
    /// # Errors
    /// A policy that cannot be used.
    pub fn check_records<'r, R>(&self, name: &str, records: impl IntoIterator<Item = R>) -> Result<Outcome, Error>
    where
        R: IntoIterator<Item = (&'r str, &'r str)>,
    {
        let mut lines = Vec::new();
        for record in records {
            lines.push(b'{');
            for (index, (field, value)) in record.into_iter().enumerate() {
                if index > 0 {
                    lines.push(b',');
                }
                for (text, end) in [(field, b':'), (value, b' ')] {
                    // Writing a string into a Vec cannot fail.
                    let _ = serde_json::to_writer(&mut lines, text);
                    lines.push(end);
                }
            }
            lines.extend_from_slice(b"}\n");
        }
        self.check_bytes(name, lines)
    }
}
