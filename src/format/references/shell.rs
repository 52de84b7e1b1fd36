//! References in shell: scripts, steps of workflows, recipes of Makefiles, instructions of Dockerfiles.
//!
//! Nothing is expanded but variables that the script itself sets once to a plain value.

use std::rc::Rc;

use self::around::Around;
use super::collector::{Collector, Nested};
use super::passage::Passage;
use super::variables::Variables;

mod around;
mod commands;
pub(super) mod docker;
mod lexer;
pub(super) mod make;

/// Finds the references of a script; `variables` are those that are set outside of it.
pub(super) fn find(script: &Passage<'_>, framework: &'static str, variables: Rc<Variables>, out: &mut Collector) {
    let (commands, inner) = lexer::lex(script);
    let around = Around::of(&commands, variables);
    for command in &commands {
        commands::find(&command.words, framework, &around, out);
        let program = command.words.iter().map(Passage::text).find(|word| !word.contains('=')).unwrap_or("");
        if let Some(document) = &command.document {
            let mut body = Passage::default();
            body.append(script, document.clone());
            if program.rsplit('/').next().is_some_and(|name| name.starts_with("python")) {
                out.nest(Nested::Python(body));
            } else if program.is_empty() || matches!(program, "bash" | "sh" | "sudo") {
                out.nest(Nested::Shell { script: body, framework, variables: around.variables.clone() });
            }
        }
    }
    for range in inner {
        let mut body = Passage::default();
        body.append(script, range);
        out.nest(Nested::Shell { script: body, framework, variables: around.variables.clone() });
    }
}

/// Finds the references of one command that is given as words: `command` and `args` of a container.
pub(super) fn words(words: &[Passage<'_>], framework: &'static str, out: &mut Collector) {
    // The arguments of an image whose program is named elsewhere.
    let program = Passage::default();
    let only_flags = words.first().is_some_and(|word| word.text().starts_with('-'));
    let words: Vec<Passage<'_>> = only_flags.then_some(program).into_iter().chain(words.iter().cloned()).collect();
    commands::find(&words, framework, &Around::default(), out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_lexed_without_panic(text in r#"[-a$(){}'"`\\ \n<>#;&|=\u{e9}]{0,80}"#) {
            let script = Passage::whole(text.as_bytes());
            find(&script, "shell", Rc::default(), &mut Collector::default());
            docker::find(&script, &mut Collector::default());
            make::find(&script, &mut Collector::default());
        }
    }
}
