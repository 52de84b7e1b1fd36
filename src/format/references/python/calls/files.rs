//! Calls that read a file or an address, and commands that a program starts.

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::Ranged;

use crate::format::references::collector::Nested;
use crate::format::references::passage::Passage;
use crate::format::references::pin::is_digest;
use crate::format::references::python::reader::Reader;
use crate::format::references::python::scope::text_of;
use crate::format::references::url::{self, Asked};
use crate::format::{Target, Verdict};

impl<'a> Reader<'a, '_> {
    /// A download that is given the hash it must have.
    pub(super) fn hashed(&mut self, call: &'a ExprCall, hash: &str, framework: &'static str) {
        let Some(expr) = self.argument(call, &["url", "origin"], Some(if framework == "keras" { 1 } else { 0 })) else {
            return;
        };
        let hashes = self
            .argument(call, &[hash], if framework == "keras" { None } else { Some(1) })
            .map(|expr| self.eval(expr).texts());
        let known = hashes.as_ref().and_then(|list| list.first()).map(|(text, _)| *text);
        for (text, range) in self.eval(expr).texts() {
            let Some(found) = url::locate(text, Asked::Data).filter(|found| found.verdict != Verdict::NotADataset)
            else {
                continue;
            };
            let verdict = match known {
                Some(known) if is_digest(known) => Verdict::Pinned,
                Some(_) => Verdict::Weak,
                None => found.verdict,
            };
            let fix = format!("Pass the SHA-256 of the file: {hash}=\"…\".");
            self.judged(Target::UrlData, found.hub, &found.target, known, verdict, range, framework, "download", &fix);
        }
    }

    pub(super) fn read(&mut self, call: &'a ExprCall, last: &str) {
        let Some(expr) = self.argument(call, &["filepath_or_buffer", "path_or_buf", "path", "io", "source"], Some(0))
        else {
            return;
        };
        for (text, range) in self.eval(expr).texts() {
            let named = self.named(Target::UrlData, text, range, call, "python", last);
            self.loaded(named);
        }
    }

    pub(super) fn fetch(&mut self, call: &'a ExprCall, last: &str) {
        let place = usize::from(last == "stream");
        let Some(expr) = self.argument(call, &["url", "urlpath", "id"], Some(place)) else { return };
        let checked = self.checked();
        for (text, range) in self.eval(expr).texts() {
            let Some(found) = url::locate(text, Asked::Any).filter(|found| found.verdict != Verdict::NotADataset)
            else {
                continue;
            };
            let span = self.span(range);
            self.out.located(found, checked, span, "python", last);
        }
    }

    pub(super) fn boto(&mut self, call: &'a ExprCall, last: &str) {
        let bucket = self.argument(call, &["Bucket"], Some(0)).map(|expr| self.eval(expr).texts());
        let Some(key) = self.argument(call, &["Key"], Some(1)) else { return };
        let (Some([(bucket, _)]), keys) = (bucket.as_deref(), self.eval(key).texts()) else { return };
        let source = self.code.text().get(std::ops::Range::<usize>::from(call.range())).unwrap_or("");
        let verdict = if source.contains("VersionId") { Verdict::Pinned } else { Verdict::Unpinned };
        for (text, range) in keys {
            let target = format!("s3://{bucket}/{text}");
            self.judged(
                Target::UrlData,
                "s3",
                &target,
                None,
                verdict,
                range,
                "boto3",
                last,
                "Name the version: VersionId=\"…\".",
            );
        }
    }

    /// `FROM 'https://…'` in a query.
    pub(super) fn duckdb(&mut self, call: &'a ExprCall) {
        let Some(expr) = self.argument(call, &["query"], Some(0)) else { return };
        for (text, range) in self.eval(expr).texts() {
            let mut inner = Passage::default();
            inner.append_decoded(text, self.code, range.into());
            let mut at = 0;
            for (index, part) in text.split('\'').enumerate() {
                let start = at;
                at += part.len() + 1;
                if index % 2 == 1 && part.contains("://") {
                    let mut named = self.named(Target::UrlData, part, range, call, "duckdb", "sql");
                    named.span = inner.span(start..start + part.len());
                    self.loaded(named);
                }
            }
        }
    }

    /// A command that the program starts.
    pub(super) fn shell(&mut self, call: &'a ExprCall) {
        let Some(expr) = self.argument(call, &["args", "cmd"], Some(0)) else { return };
        let passage = |reader: &Self, text: &str, range: ruff_text_size::TextRange| {
            let mut passage = Passage::default();
            passage.append_decoded(text, reader.code, range.into());
            passage
        };
        match expr {
            Expr::List(list) => {
                let words: Vec<_> = list
                    .elts
                    .iter()
                    .map(|item| text_of(item).map_or_else(Passage::default, |(text, range)| passage(self, text, range)))
                    .collect();
                self.out.nest(Nested::Command { words, framework: "python" });
            }
            _ => {
                for (text, range) in self.eval(expr).texts() {
                    let script = passage(self, text, range);
                    self.out.nest(Nested::shell(script, "python"));
                }
            }
        }
    }
}
