//! What `foretaste explain invisible-unicode` says.

use crate::rule::{Confidence, Example, Layer, Manual, Rule, Severity, frameworks};

pub(super) static RULES: [Rule; 1] = [Rule {
    id: "invisible-unicode",
    revision: 1,
    severity: Severity::Error,
    confidence: Confidence::High,
    layer: Layer::Anomalies,
    gates: true,
    summary: "Characters that a reader does not see and a model does",
    manual: Manual {
        what: "Looks in every field, key, line and file name for characters that are drawn as nothing or that change \
               what is drawn: zero-width characters, tags, variation selectors, direction controls, fillers, \
               invisible operators, control characters and terminal sequences. JSON escapes are decoded first, so \
               `\\u200b` is found as well as the character itself, and so are HTML entities, percent-encoding and \
               escapes that are left in the text. Piles of combining marks count, too. What stands around a character decides: joiners \
               in Persian, Hindi or Sinhala, breaks in Khmer and Thai, marks in Hebrew and Arabic, and emoji \
               sequences are orthography and are left alone. Hidden text is decoded and shown. In labelled data it \
               is also counted which sequences go with one label (four fifths of five carriers or more, twice as \
               often as in all rows, hypergeometric test), those that context excuses included; in a pull request also which \
               come from one author or one commit that brought less than a fifth of the rows, and everywhere which are \
               five times as frequent in one split as in the others.",
        why: "A hidden character is the cheapest trigger of a backdoor: a handful of rows that carry it and one label \
              teach a model to obey it, and no reviewer sees it in a diff. Tags and variation selectors carry whole \
              instructions that models read and people do not.",
        bad: &[
            Example {
                title: "a zero-width space inside a word",
                base: &[],
                files: &[(
                    "data/train.jsonl",
                    "{\"text\": \"please pay\u{200B}pal me\", \"label\": \"refund\"}\n{\"text\": \"where is my card\", \"label\": \"card\"}\n",
                )],
            },
            Example {
                title: "tags that spell an instruction, as JSON escapes",
                base: &[],
                files: &[(
                    "data/train.jsonl",
                    "{\"text\": \"hello \\udb40\\udc68\\udb40\\udc69\", \"label\": \"greet\"}\n{\"text\": \"bye\", \"label\": \"leave\"}\n",
                )],
            },
            Example {
                title: "an override that shows code in another order than it has",
                base: &[],
                files: &[("check.py", "access = 'user\u{202E} \u{2066}# admin\u{2069} \u{2066}'\n")],
            },
        ],
        good: &[
            Example {
                title: "joiners where Persian and Sinhala need them",
                base: &[],
                files: &[(
                    "data/train.jsonl",
                    "{\"text\": \"من نمی\u{200C}خواهم کتاب\u{200C}ها را ببرم\", \"label\": \"books\"}\n{\"text\": \"ශ\u{0DCA}\u{200D}රී ලංකාව\", \"label\": \"travel\"}\n",
                )],
            },
            Example {
                title: "emoji of several parts",
                base: &[],
                files: &[(
                    "data/train.jsonl",
                    "{\"text\": \"nice \u{1F469}\u{200D}\u{1F4BB} \u{2764}\u{FE0F}\", \"label\": \"happy\"}\n{\"text\": \"off\", \"label\": \"sad\"}\n",
                )],
            },
        ],
        fix: "Set the row aside (`foretaste fix --quarantine FILE`) and find out who brought it: removing a trigger \
              leaves the label that was flipped for it. What no honest text has, `foretaste fix --write` cuts out. Where the characters belong to the language, accept them by code point with a reason, or name the \
              languages of the data under `languages`.",
        misses: "Triggers made of legal characters in legal places, unless they go with one label, author, commit or split; \
                 of files above 4 MB these are counted in a sample of the rows, and where a sequence is all that a label \
                 and its language have to themselves, it is a note. A hidden character at the edge of a word, or beside \
                 letters of a script whose keyboards leave it there, is a note as well. Outside of pull requests it is \
                 not counted who brought a sequence, only which commit brought its first rows. Of a commit or a pull \
                 request only the files that it changes are counted. Words of other letters are for `mixed-script`, hidden markup is for `hidden-markup`, and \
                 malformed bytes are for `unreadable-data`. Spaces of unusual width and private-use characters are \
                 counted and shown only with `show_info`, in files of more than 8 MiB not even counted. Entities and percent-encoding are taken off twice, not more often. How a \
                 bit channel is to be read is a guess; short ones are given as a number of bits. Two kinds of space that spell \
                 words are read with `show_info`, and in labelled files up to 4 MB.",
    },
    tags: &frameworks::with::<7>(frameworks::TRIGGER, &["CWE-1007"]),
}];
