//! References in shell: scripts, steps of workflows, recipes of Makefiles, instructions of Dockerfiles.
//!
//! Words are told apart as a shell would: quotes, continued lines, comments, here-documents, substitutions. Nothing is
//! expanded but variables that the script itself sets once to a plain value.

use std::collections::BTreeMap;
use std::ops::Range;

use super::passage::Passage;
use super::{Collector, python};
use crate::span::Span;

mod commands;
mod docker;
pub(super) mod flags;

pub(super) use docker::{gitmodules, image};

/// Substitutions within substitutions that are followed.
const MAX_NESTING: u32 = 8;

/// One command: its words, and the here-document it is given.
#[derive(Debug, Default)]
pub(super) struct Command {
    words: Vec<Passage<'static>>,
    document: Option<Range<usize>>,
}

/// Variables that are set once, to a plain value; `None` for those set again.
type Variables = BTreeMap<String, Option<Passage<'static>>>;

/// What is known of the script around a command.
#[derive(Debug, Default)]
pub(super) struct Around {
    variables: Variables,
    /// Whether a checksum of SHA-2 is checked.
    checked: bool,
    /// A commit that a clone is moved to.
    checkout: Option<String>,
}

/// Finds the references of a script.
pub(super) fn find(script: &Passage<'_>, framework: &'static str, out: &mut Collector) {
    find_with(script, framework, Variables::new(), MAX_NESTING, out);
}

/// The same with variables that are set outside of it.
fn find_with(script: &Passage<'_>, framework: &'static str, variables: Variables, nesting: u32, out: &mut Collector) {
    let mut lexer = Lexer { script, at: 0, commands: Vec::new(), inner: Vec::new(), pending: Vec::new() };
    lexer.run();
    let (commands, inner) = (lexer.commands, lexer.inner);
    let mut around = Around { variables, ..Around::default() };
    for command in &commands {
        around.learn(command);
    }
    for command in &commands {
        commands::find(&command.words, framework, &around, out);
        let program = command.words.iter().map(Passage::text).find(|word| !word.contains('=')).unwrap_or("");
        if let Some(document) = &command.document {
            let mut body = Passage::default();
            body.append(script, document.clone());
            if program.rsplit('/').next().is_some_and(|name| name.starts_with("python")) {
                python::find(&body, out);
            } else if nesting > 0 && (program.is_empty() || matches!(program, "bash" | "sh" | "sudo")) {
                find_with(&body, framework, around.variables.clone(), nesting - 1, out);
            }
        }
    }
    if nesting > 0 {
        for range in inner {
            let mut body = Passage::default();
            body.append(script, range);
            find_with(&body, framework, around.variables.clone(), nesting - 1, out);
        }
    }
}

/// Finds the references of one command that is given as words: `command` and `args` of a container.
pub(super) fn words(words: &[Passage<'_>], framework: &'static str, out: &mut Collector) {
    commands::find(words, framework, &Around::default(), out);
}

/// A Dockerfile or a Containerfile.
pub(super) fn dockerfile(file: &Passage<'_>, out: &mut Collector) {
    docker::find(file, out);
}

/// A Makefile: the recipes are scripts, and variables are set outside of them.
pub(super) fn makefile(file: &Passage<'_>, out: &mut Collector) {
    let (mut recipes, mut variables) = (Passage::default(), Variables::new());
    let mut at = 0;
    for line in file.text().split_inclusive('\n') {
        let start = at;
        at += line.len();
        if let Some(recipe) = line.strip_prefix('\t') {
            let lead = recipe.len() - recipe.trim_start_matches(['@', '-', '+', ' ', '\t']).len();
            recipes.append(file, start + 1 + lead..at);
        } else {
            if !recipes.text().ends_with('\n') {
                recipes.append_as("\n", file, start..start);
            }
            if let Some((name, value)) = line.split_once('=') {
                let value_at = start + name.len() + 1;
                let name = name.trim_end_matches([':', '?', '+', ' ', '\t']).trim();
                let lead = value.len() - value.trim_start().len();
                let value = value.trim();
                if !name.is_empty() && !name.contains([' ', '#', '$', ':']) {
                    let mut passage = Passage::default();
                    passage.append(file, value_at + lead..value_at + lead + value.len());
                    set(&mut variables, name, passage);
                }
            }
        }
    }
    find_with(&recipes, "make", variables, MAX_NESTING, out);
}

fn set(variables: &mut Variables, name: &str, value: Passage<'static>) {
    variables
        .entry(name.to_owned())
        .and_modify(|old| {
            if old.as_ref().is_some_and(|old| old.text() != value.text()) {
                *old = None;
            }
        })
        .or_insert(Some(value));
}

impl Around {
    fn learn(&mut self, command: &Command) {
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
            set(&mut self.variables, name, passage);
        }
        let program = texts.first().and_then(|word| word.rsplit('/').next()).unwrap_or("");
        let sums = program.starts_with("sha256sum") || program.starts_with("sha512sum") || program == "shasum";
        self.checked |= sums
            && texts.iter().any(|word| {
                *word == "--check" || (word.starts_with('-') && !word.starts_with("--") && word.contains('c'))
            });
        if program == "git" && texts.iter().any(|word| matches!(*word, "checkout" | "reset" | "fetch" | "switch")) {
            let commit = texts.iter().find(|word| super::verdict::is_commit(word));
            self.checkout = self.checkout.take().or_else(|| commit.map(|word| (*word).to_owned()));
        }
    }

    /// A value with the variable it consists of replaced.
    fn resolve(&self, value: &Passage<'_>, range: Range<usize>) -> (String, Span) {
        let text = value.text().get(range.clone()).unwrap_or("");
        let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let name = name.or_else(|| text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')')));
        let name = name.or_else(|| text.strip_prefix('$'));
        if let Some(Some(known)) = name.and_then(|name| self.variables.get(name)) {
            return (known.text().to_owned(), known.span(0..known.text().len()));
        }
        (text.to_owned(), value.span(range))
    }
}

struct Lexer<'s, 'a> {
    script: &'s Passage<'a>,
    at: usize,
    commands: Vec<Command>,
    /// Command substitutions, which are scripts of their own.
    inner: Vec<Range<usize>>,
    /// Here-documents that begin on the next line: delimiter, whether it is indented, number of the command.
    pending: Vec<(String, bool, usize)>,
}

impl Lexer<'_, '_> {
    fn run(&mut self) {
        let bytes = self.script.text().as_bytes();
        let mut command = Command::default();
        let mut redirected = false;
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if matches!(bytes.get(self.at + 1), Some(b'\n')) => self.at += 2,
                b'\\' if bytes[self.at + 1..].starts_with(b"\r\n") => self.at += 3,
                b'#' => self.at += memchr::memchr(b'\n', &bytes[self.at..]).unwrap_or(bytes.len() - self.at),
                b'\n' => {
                    self.end(&mut command);
                    self.at += 1;
                    self.documents();
                }
                b';' | b'&' | b'|' | b'(' | b')' => {
                    self.at += 1;
                    // `&>` redirects and does not end the command.
                    if byte == b'&' && bytes.get(self.at) == Some(&b'>') {
                        continue;
                    }
                    self.end(&mut command);
                }
                b'<' | b'>' => {
                    let here = bytes[self.at..].starts_with(b"<<") && !bytes[self.at..].starts_with(b"<<<");
                    self.at += bytes[self.at..].iter().take_while(|b| matches!(b, b'<' | b'>')).count();
                    let indented = here && bytes.get(self.at) == Some(&b'-');
                    self.at += usize::from(indented);
                    if bytes.get(self.at) == Some(&b'(') {
                        continue;
                    }
                    self.at += bytes[self.at..].iter().take_while(|b| matches!(b, b'&' | b' ' | b'\t')).count();
                    redirected = true;
                    if here {
                        let delimiter = self.word();
                        redirected = false;
                        if !delimiter.text().is_empty() {
                            self.pending.push((delimiter.text().to_owned(), indented, self.commands.len()));
                        }
                    }
                }
                _ => {
                    let word = self.word();
                    // A number right before a redirection belongs to it.
                    let number = matches!(bytes.get(self.at), Some(b'<' | b'>'))
                        && word.text().bytes().all(|b| b.is_ascii_digit());
                    if std::mem::take(&mut redirected) || number {
                        continue;
                    }
                    command.words.push(word);
                }
            }
        }
        self.end(&mut command);
    }

    fn end(&mut self, command: &mut Command) {
        if !command.words.is_empty() || self.pending.iter().any(|(_, _, number)| *number == self.commands.len()) {
            self.commands.push(std::mem::take(command));
        }
    }

    /// Takes the bodies of here-documents that begin here.
    fn documents(&mut self) {
        let text = self.script.text();
        for (delimiter, indented, number) in std::mem::take(&mut self.pending) {
            let start = self.at;
            let mut end = text.len();
            while self.at < text.len() {
                let line = text[self.at..].split_inclusive('\n').next().unwrap_or("");
                let bare = line.trim_end_matches(['\n', '\r']);
                let bare = if indented { bare.trim_start_matches('\t') } else { bare };
                let here = self.at;
                self.at += line.len();
                if bare == delimiter || bare.trim() == delimiter {
                    end = here;
                    break;
                }
            }
            if let Some(command) = self.commands.get_mut(number) {
                command.document = Some(start..end.max(start));
            }
        }
    }

    /// One word, with quotes taken off and variables left as they are.
    fn word(&mut self) -> Passage<'static> {
        let text = self.script.text();
        let bytes = text.as_bytes();
        let mut word = Passage::default();
        let mut quoted = false;
        let mut run = self.at;
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'\'' if !quoted => {
                    word.append(self.script, run..self.at);
                    let start = self.at + 1;
                    let end = memchr::memchr(b'\'', &bytes[start..]).map_or(bytes.len(), |n| start + n);
                    word.append(self.script, start..end);
                    self.at = (end + 1).min(bytes.len());
                    run = self.at;
                }
                b'"' => {
                    word.append(self.script, run..self.at);
                    quoted = !quoted;
                    self.at += 1;
                    run = self.at;
                }
                b'\\' => {
                    word.append(self.script, run..self.at);
                    let next = text[self.at + 1..].chars().next();
                    let len = next.map_or(0, char::len_utf8);
                    // In double quotes a backslash before most characters stands for itself.
                    let keeps = quoted && !matches!(next, Some('$' | '`' | '"' | '\\' | '\n'));
                    if keeps {
                        word.append(self.script, self.at..self.at + 1 + len);
                    } else if next.is_some_and(|c| c != '\n') {
                        word.append_as(&text[self.at + 1..self.at + 1 + len], self.script, self.at..self.at + 1 + len);
                    }
                    self.at += 1 + len;
                    run = self.at;
                    if next == Some('\n') && !quoted && word.text().is_empty() {
                        break;
                    }
                }
                b'$' if bytes.get(self.at + 1) == Some(&b'(') => self.substitution(),
                b'$' if bytes.get(self.at + 1) == Some(&b'{') => {
                    self.at += memchr::memchr2(b'}', b'\n', &bytes[self.at..]).map_or(bytes.len() - self.at, |n| n + 1);
                }
                b'`' => {
                    let start = self.at + 1;
                    let end = memchr::memchr(b'`', &bytes[start..]).map_or(bytes.len(), |n| start + n);
                    self.inner.push(start..end);
                    self.at = (end + 1).min(bytes.len());
                }
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' if !quoted => break,
                _ => self.at += 1,
            }
        }
        word.append(self.script, run..self.at);
        word
    }

    /// `$(…)`, to its closing bracket; what is inside is read later.
    fn substitution(&mut self) {
        let bytes = self.script.text().as_bytes();
        let start = self.at + 2;
        let (mut depth, mut at, mut quote) = (1_u32, start, None);
        while let Some(&byte) = bytes.get(at) {
            match (quote, byte) {
                (Some(open), byte) if byte == open => quote = None,
                (Some(b'\''), _) => {}
                (_, b'\\') => at += 1,
                (Some(_), _) => {}
                (None, b'\'' | b'"') => quote = Some(byte),
                (None, b'(') => depth += 1,
                (None, b')') => depth -= 1,
                _ => {}
            }
            at += 1;
            if depth == 0 {
                break;
            }
        }
        let at = at.min(bytes.len());
        let end = if depth == 0 { at - 1 } else { at };
        self.inner.push(start..end);
        self.at = at;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lexed(text: &str) -> Vec<String> {
        let script = Passage::whole(text.as_bytes());
        let mut lexer = Lexer { script: &script, at: 0, commands: Vec::new(), inner: Vec::new(), pending: Vec::new() };
        lexer.run();
        lexer.commands.iter().map(|c| c.words.iter().map(Passage::text).collect::<Vec<_>>().join("|")).collect()
    }

    #[test]
    fn words_are_told_apart_as_a_shell_would() {
        assert_eq!(lexed("a 'b c' \"d $e\" f\\ g # h\n"), ["a|b c|d $e|f g"]);
        assert_eq!(lexed("a \\\n  --b=c \\\n  d && e; f | g > out.txt 2>&1"), ["a|--b=c|d", "e", "f", "g"]);
        assert_eq!(lexed("cat <<'EOF' > x\nwget y\nEOF\nz"), ["cat", "z"]);
        assert_eq!(lexed("x=$(curl \"y z\") w"), ["x=$(curl \"y z\")|w"]);
        assert_eq!(lexed("a --b='c'\"d\"e"), ["a|--b=cde"]);
    }

    proptest! {
        #[test]
        fn any_text_is_lexed_without_panic(text in r#"[-a$(){}'"`\\ \n<>#;&|=\u{e9}]{0,80}"#) {
            find(&Passage::whole(text.as_bytes()), "shell", &mut Collector::default());
            dockerfile(&Passage::whole(text.as_bytes()), &mut Collector::default());
            makefile(&Passage::whole(text.as_bytes()), &mut Collector::default());
        }
    }
}
