//! What is known of the script around a command.

use std::ops::Range;
use std::rc::Rc;

use super::lexer::Command;
use crate::format::references::passage::Passage;
use crate::format::references::pin::is_commit;
use crate::format::references::variables::Variables;
use crate::span::Span;

/// What is known of the script around a command.
#[derive(Debug, Default)]
pub(super) struct Around {
    pub(super) variables: Rc<Variables>,
    /// Whether a checksum of SHA-2 is checked.
    pub(super) checked: bool,
    /// A commit that a clone is moved to.
    pub(super) checkout: Option<String>,
}

impl Around {
    /// What all commands of a script together set and check.
    pub(super) fn of(commands: &[Command], outer: Rc<Variables>) -> Self {
        let (mut around, mut variables) = (Self::default(), Variables::within(outer));
        commands.iter().for_each(|command| around.learn(command, &mut variables));
        around.variables = Rc::new(variables);
        around
    }

    fn learn(&mut self, command: &Command, variables: &mut Variables) {
        let texts: Vec<&str> = command.words.iter().map(Passage::text).collect();
        let sets = texts
            .first()
            .is_some_and(|word| matches!(*word, "export" | "local" | "readonly" | "declare" | "typeset" | "set"));
        for word in command.words.iter().skip(usize::from(sets)) {
            let Some((name, value)) = word.text().split_once('=') else { break };
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                break;
            }
            let mut passage = Passage::default();
            passage.append(word, name.len() + 1..name.len() + 1 + value.len());
            variables.set(name, passage);
        }
        let program = texts.first().and_then(|word| word.rsplit('/').next()).unwrap_or("");
        let sums = program.starts_with("sha256sum") || program.starts_with("sha512sum") || program == "shasum";
        self.checked |= sums
            && texts.iter().any(|word| {
                *word == "--check" || (word.starts_with('-') && !word.starts_with("--") && word.contains('c'))
            });
        if program == "git" && texts.iter().any(|word| matches!(*word, "checkout" | "reset" | "fetch" | "switch")) {
            let commit = texts.iter().find(|word| is_commit(word));
            self.checkout = self.checkout.take().or_else(|| commit.map(|word| (*word).to_owned()));
        }
    }

    /// A value with the variable it consists of replaced.
    pub(super) fn resolve(&self, value: &Passage<'_>, range: Range<usize>) -> (String, Span) {
        let text = value.text().get(range.clone()).unwrap_or("");
        let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let name = name.or_else(|| text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')')));
        let name = name.or_else(|| text.strip_prefix('$'));
        if let Some(known) = name.and_then(|name| self.variables.get(name)) {
            return (known.text().to_owned(), known.span(0..known.text().len()));
        }
        (text.to_owned(), value.span(range))
    }
}
