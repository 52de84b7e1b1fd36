//! Words told apart as a shell would: quotes, continued lines, comments, here-documents, substitutions.

use std::ops::Range;

use crate::format::references::passage::Passage;

/// One command: its words, and the here-document it is given.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) words: Vec<Passage<'static>>,
    pub(super) document: Option<Range<usize>>,
}

/// The commands of a script, and where its command substitutions stand, which are scripts of their own.
pub(super) fn lex(script: &Passage<'_>) -> (Vec<Command>, Vec<Range<usize>>) {
    let mut lexer = Lexer { script, at: 0, commands: Vec::new(), inner: Vec::new(), pending: Vec::new() };
    lexer.run();
    (lexer.commands, lexer.inner)
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
    use super::*;

    fn lexed(text: &str) -> Vec<String> {
        let (commands, _) = lex(&Passage::whole(text.as_bytes()));
        commands.iter().map(|c| c.words.iter().map(Passage::text).collect::<Vec<_>>().join("|")).collect()
    }

    #[test]
    fn words_are_told_apart_as_a_shell_would() {
        assert_eq!(lexed("a 'b c' \"d $e\" f\\ g # h\n"), ["a|b c|d $e|f g"]);
        assert_eq!(lexed("a \\\n  --b=c \\\n  d && e; f | g > out.txt 2>&1"), ["a|--b=c|d", "e", "f", "g"]);
        assert_eq!(lexed("cat <<'EOF' > x\nwget y\nEOF\nz"), ["cat", "z"]);
        assert_eq!(lexed("x=$(curl \"y z\") w"), ["x=$(curl \"y z\")|w"]);
        assert_eq!(lexed("a --b='c'\"d\"e"), ["a|--b=cde"]);
    }
}
