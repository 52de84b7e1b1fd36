//! What is said of each kind of occurrence: names of code points, messages, and what to do.

use super::tables::Class;

/// The name of a code point, where it is one that people look up.
pub(super) fn name_of(c: char) -> Option<&'static str> {
    Some(match c as u32 {
        0x00 => "NULL",
        0x08 => "BACKSPACE",
        0x0D => "CARRIAGE RETURN",
        0x1B => "ESCAPE",
        0x7F => "DELETE",
        0xA0 => "NO-BREAK SPACE",
        0xAD => "SOFT HYPHEN",
        0x34F => "COMBINING GRAPHEME JOINER",
        0x61C => "ARABIC LETTER MARK",
        0x115F => "HANGUL CHOSEONG FILLER",
        0x1160 => "HANGUL JUNGSEONG FILLER",
        0x17B4 => "KHMER VOWEL INHERENT AQ",
        0x17B5 => "KHMER VOWEL INHERENT AA",
        0x180B..=0x180D => "MONGOLIAN FREE VARIATION SELECTOR",
        0x180E => "MONGOLIAN VOWEL SEPARATOR",
        0x180F => "MONGOLIAN FREE VARIATION SELECTOR FOUR",
        0x200B => "ZERO WIDTH SPACE",
        0x200C => "ZERO WIDTH NON-JOINER",
        0x200D => "ZERO WIDTH JOINER",
        0x200E => "LEFT-TO-RIGHT MARK",
        0x200F => "RIGHT-TO-LEFT MARK",
        0x2028 => "LINE SEPARATOR",
        0x2029 => "PARAGRAPH SEPARATOR",
        0x202A => "LEFT-TO-RIGHT EMBEDDING",
        0x202B => "RIGHT-TO-LEFT EMBEDDING",
        0x202C => "POP DIRECTIONAL FORMATTING",
        0x202D => "LEFT-TO-RIGHT OVERRIDE",
        0x202E => "RIGHT-TO-LEFT OVERRIDE",
        0x2060 => "WORD JOINER",
        0x2061 => "FUNCTION APPLICATION",
        0x2062 => "INVISIBLE TIMES",
        0x2063 => "INVISIBLE SEPARATOR",
        0x2064 => "INVISIBLE PLUS",
        0x2066 => "LEFT-TO-RIGHT ISOLATE",
        0x2067 => "RIGHT-TO-LEFT ISOLATE",
        0x2068 => "FIRST STRONG ISOLATE",
        0x2069 => "POP DIRECTIONAL ISOLATE",
        0x2800 => "BRAILLE PATTERN BLANK",
        0x3164 => "HANGUL FILLER",
        0xFE0E => "TEXT VARIATION SELECTOR",
        0xFE0F => "EMOJI VARIATION SELECTOR",
        0xFE00..=0xFE0D | 0xE0100..=0xE01EF => "VARIATION SELECTOR",
        0xFEFF => "ZERO WIDTH NO-BREAK SPACE",
        0xFFA0 => "HALFWIDTH HANGUL FILLER",
        0xFFF9 => "INTERLINEAR ANNOTATION ANCHOR",
        0xFFFA => "INTERLINEAR ANNOTATION SEPARATOR",
        0xFFFB => "INTERLINEAR ANNOTATION TERMINATOR",
        _ => return None,
    })
}

/// `U+200B ZERO WIDTH SPACE`, or the name of the class where there are several.
pub(super) fn subject(class: Class, points: &[char]) -> String {
    match points {
        _ if class == Class::StackedMarks => "A pile of combining marks".to_owned(),
        [one] => match name_of(*one) {
            Some(name) => format!("U+{:04X} {name}", *one as u32),
            None => format!("U+{:04X}, a {},", *one as u32, class.name()),
        },
        _ => format!("More than one {}", class.name()),
    }
}

/// What a scheme of the catalogue is called.
pub(super) fn scheme_name(scheme: &str) -> &'static str {
    match scheme {
        "S1" => "tags",
        "S2" => "variation selectors as bytes",
        "S3" => "variation selectors as code points",
        "S4" => "invisible operators as bits",
        "S5" => "invisible operators as bits, unpadded",
        "S6" => "zero-width characters as bits",
        "S7" => "four or eight invisible symbols",
        "S8" => "two kinds of space as bits",
        "S10" => "reordered by direction controls",
        "S11" => "erased by backspace or delete",
        "S12" => "hidden by a terminal sequence",
        "stripped" => "piled on letters",
        _ => "interlinear annotation",
    }
}

/// What an occurrence does, behind its subject.
pub(super) fn predicate(finding: &str) -> &'static str {
    match finding {
        "unexplained-joiner" | "unexplained-zero-width-space" => "stands where no script needs it",
        "double-joiner" | "double-zero-width-space" => "stands twice in a row",
        "dangling-emoji-joiner" => "stands behind an emoji and joins nothing",
        "word-joiner" | "grapheme-joiner" | "mongolian-format" | "deprecated-format" => {
            "is drawn as nothing and changes what a tokenizer sees"
        }
        "byte-order-mark-inside" => "stands inside text, where a reader sees nothing",
        "byte-order-mark-at-start" => "stands at the start of a value",
        "override-without-rtl" => "turns text around where nothing is written from right to left",
        "override-in-rtl" => "turns text around in a right-to-left line",
        "unbalanced-override" => "turns text around and is never closed",
        "nested-direction-controls" => "is nested so deep that what is shown is not what is stored",
        "unbalanced-isolate" | "unbalanced-embedding" => "is opened or closed without its counterpart",
        "nested-isolate" => "is nested in another",
        "embedding-without-rtl" => "stands where nothing is written from right to left",
        "direction-mark-without-rtl" => "stands in a line without right-to-left text",
        "tag-characters" => "is invisible and readable by a model",
        "unknown-flag" => "spells a flag that no vendor draws",
        "selector-run" => "carries hidden bytes",
        "repeated-emoji-selector" => "is repeated without effect",
        "orphan-selector" => "follows nothing that it could select",
        "selector-on-wrong-base" => "follows a character that has no such variant",
        "hangul-filler" => "is a blank letter outside Hangul",
        "khmer-inherent-vowel" => "is drawn as nothing; its use is discouraged",
        "invisible-operator" => "is a known carrier of hidden bits",
        "unassigned-code-points" => "has no meaning in Unicode and is drawn as nothing",
        "annotation" => "hides text as annotation",
        "notation-format" => "stands outside music and shorthand",
        "braille-blank" => "looks like a space and is none",
        "line-separator" => "ends a line for some readers of the file and not for others",
        "control-character" => "is a control character inside text",
        "nul" => "ends the text for some readers",
        "bare-carriage-return" => "lets a terminal write over what it has shown",
        "escape-sequence" => "starts a terminal sequence",
        "escape-character" => "starts nothing and is drawn as nothing",
        "concealed-text" => "hides the text behind it in a terminal",
        "terminal-link" => "hides a link in a terminal",
        "c1-escape-sequence" => "starts a terminal sequence in one character",
        "erased-text" => "takes back the text before it",
        "noncharacter" => "must not occur in text",
        "bit-channel" => "make a run long enough to carry hidden bits",
        "long-run" => "is repeated eight times or more in a row",
        "spread-payload" => "is spread over the text",
        "dense-soft-hyphens" => "stands in every fourth place",
        "dense-ideographic-selectors" => "are too many for orthography",
        "stacked-marks" => "covers letters that a model still reads",
        "strict" => "is drawn as nothing, which the policy forbids everywhere",
        "soft-hyphen" => "stands outside a long word",
        "vertical-space" => "is an old page or line control",
        "old-line-ends" => "ends lines without a line feed",
        "mojibake" => "is left from a wrong decoding",
        "space-channel" => "spell words in the places of spaces",
        "odd-space" => "is a space that a tokenizer tells from others",
        "private-use" => "means only what its font says",
        _ => "is hidden",
    }
}

/// What to do about it.
pub(super) fn help(finding: &str) -> &'static str {
    match finding {
        "unexplained-joiner"
        | "double-joiner"
        | "unexplained-zero-width-space"
        | "double-zero-width-space"
        | "direction-mark-without-rtl"
        | "override-in-rtl"
        | "embedding-without-rtl"
        | "unbalanced-embedding"
        | "unbalanced-isolate"
        | "nested-isolate"
        | "soft-hyphen"
        | "khmer-inherent-vowel"
        | "dangling-emoji-joiner"
        | "orphan-selector"
        | "repeated-emoji-selector"
        | "unknown-flag" => {
            "Remove the character; where it is the orthography of a language, accept it by its code point with a reason."
        }
        "line-separator" | "bare-carriage-return" | "old-line-ends" | "vertical-space" => {
            "Replace it by a line feed or a space, so that every reader of the file sees the same lines."
        }
        "escape-sequence" | "concealed-text" | "terminal-link" | "c1-escape-sequence" | "escape-character" => {
            "Strip terminal sequences from the data; where they are its subject, accept them by code point with a reason."
        }
        "mojibake" | "private-use" | "odd-space" | "byte-order-mark-at-start" => {
            "Decode the source again in its right encoding, or leave it if it does no harm."
        }
        _ => {
            "Set the row aside (`foretaste fix --quarantine FILE`) and ask where it came from before removing the \
             characters: a trigger that is taken out leaves its wrong label behind."
        }
    }
}
