//! Keeps syntax trees shallow: a tree as deep as its file is long would overflow the stack when it is dropped.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

/// Brackets, blocks and strings within each other. Python itself stops at 200 brackets and 100 blocks.
const MAX_NESTING: usize = 300;
/// Tokens that can hang on each other without a comma between them: `a.b.c`, `1 + 2 + 3`, `not not x`.
const MAX_CHAIN: usize = 1500;

/// Whether no expression and no block of the text can nest deeper than a stack has room for.
pub(super) fn is_shallow(text: &str) -> bool {
    let mut lexer = lexer::lex(text, Mode::Module);
    // For each open bracket, the tokens that can hang on each other: those since the last comma, and lambdas.
    let mut open: Vec<(usize, usize)> = vec![(0, 0)];
    let (mut blocks, mut sum) = (0_usize, 0_usize);
    loop {
        match lexer.next_token() {
            TokenKind::EndOfFile => return true,
            TokenKind::Indent => blocks += 1,
            TokenKind::Dedent => blocks = blocks.saturating_sub(1),
            TokenKind::Newline | TokenKind::Semi => {
                open.truncate(1);
                open[0] = (0, 0);
                sum = 0;
            }
            TokenKind::Comma => {
                if let Some((chain, _)) = open.last_mut() {
                    sum -= std::mem::take(chain);
                }
            }
            TokenKind::Lambda => {
                sum += 1;
                open.last_mut().expect("the outermost frame is never taken").1 += 1;
            }
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                sum += 1;
                open.last_mut().expect("the outermost frame is never taken").0 += 1;
                open.push((0, 0));
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace | TokenKind::FStringEnd | TokenKind::TStringEnd => {
                if open.len() > 1 {
                    let (chain, lambdas) = open.pop().expect("there is more than one");
                    sum -= chain + lambdas;
                }
            }
            TokenKind::String
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline => {}
            _ => {
                sum += 1;
                open.last_mut().expect("the outermost frame is never taken").0 += 1;
            }
        }
        if open.len() + blocks > MAX_NESTING || sum > MAX_CHAIN {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_code_is_refused_and_long_code_is_not() {
        for deep in [
            "(".repeat(100_000),
            "[".repeat(100_000),
            "x = ".to_owned() + &"not ".repeat(100_000) + "y",
            "x = a".to_owned() + &".b".repeat(100_000),
            "x = a".to_owned() + &"+b".repeat(100_000),
            "x = a".to_owned() + &"()".repeat(100_000),
            "x = ".to_owned() + &"lambda a, b: ".repeat(100_000) + "0",
            "x = ".to_owned() + &"f'{".repeat(100_000),
            (0..1000).map(|n| " ".repeat(n) + "if x:\n").collect::<String>(),
        ] {
            assert!(!is_shallow(&deep), "{}", &deep[..40]);
        }
        assert!(is_shallow(&"x = f(a.b, c)\n".repeat(10_000)));
        assert!(is_shallow(&format!("x = [{}]", "1, ".repeat(100_000))));
        assert!(is_shallow(&format!("x = ({})", "'a'\n".repeat(10_000))));
    }
}
