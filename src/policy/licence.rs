//! SPDX licence expressions, as far as an allowlist needs them: whether one satisfies another.
//!
//! Grammar: SPDX specification, annex "SPDX license expressions". Names are compared without regard to case; whether a
//! name is on the list of SPDX is not asked, since datasets have licences of their own (`LicenseRef-…`).

/// A licence expression.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Licence {
    /// A licence, with its exception where there is one, in lower case.
    Name(String),
    /// All hold.
    And(Vec<Licence>),
    /// One may be chosen.
    Or(Vec<Licence>),
}

/// Nesting of parentheses.
const MAX_DEPTH: usize = 16;
/// Words of an expression.
const MAX_WORDS: usize = 200;

impl Licence {
    /// Reads an expression; `None` where it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        if words.len() > MAX_WORDS {
            return None;
        }
        let mut rest = words.as_slice();
        let licence = or(&mut rest, 0)?;
        rest.is_empty().then_some(licence)
    }

    /// Whether somebody who may use what `allowed` names may use what is under this licence.
    pub(crate) fn satisfies(&self, allowed: &Licence) -> bool {
        match self {
            Licence::Name(name) => allowed.names(name),
            Licence::And(all) => all.iter().all(|licence| licence.satisfies(allowed)),
            Licence::Or(any) => any.iter().any(|licence| licence.satisfies(allowed)),
        }
    }

    /// Whether two ways to say the licence of one thing can both be true: one satisfies the other. Whether later versions
    /// are meant, many leave open.
    pub(crate) fn agrees(&self, other: &Licence) -> bool {
        let (one, two) = (self.bare(), other.bare());
        one.satisfies(&two) || two.satisfies(&one)
    }

    fn bare(&self) -> Licence {
        let all = |parts: &[Licence]| parts.iter().map(Licence::bare).collect();
        match self {
            Licence::Name(name) => {
                let endings = ["-only", "-or-later", "+"];
                Licence::Name(endings.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned())
            }
            Licence::And(parts) => Licence::And(all(parts)),
            Licence::Or(parts) => Licence::Or(all(parts)),
        }
    }

    fn names(&self, wanted: &str) -> bool {
        match self {
            Licence::Name(name) => name == wanted,
            Licence::And(parts) | Licence::Or(parts) => parts.iter().any(|part| part.names(wanted)),
        }
    }
}

fn or(rest: &mut &[&str], depth: usize) -> Option<Licence> {
    joined(rest, depth, "OR", and, Licence::Or)
}

fn and(rest: &mut &[&str], depth: usize) -> Option<Licence> {
    joined(rest, depth, "AND", one, Licence::And)
}

/// Parts between a word, or the part alone.
fn joined(
    rest: &mut &[&str],
    depth: usize,
    word: &str,
    part: fn(&mut &[&str], usize) -> Option<Licence>,
    join: fn(Vec<Licence>) -> Licence,
) -> Option<Licence> {
    let mut parts = vec![part(rest, depth)?];
    while rest.first().is_some_and(|next| next.eq_ignore_ascii_case(word)) {
        *rest = &rest[1..];
        parts.push(part(rest, depth)?);
    }
    Some(if parts.len() == 1 { parts.remove(0) } else { join(parts) })
}

fn one(rest: &mut &[&str], depth: usize) -> Option<Licence> {
    let (first, more) = rest.split_first()?;
    *rest = more;
    if *first == "(" {
        if depth >= MAX_DEPTH {
            return None;
        }
        let inner = or(rest, depth + 1)?;
        let (close, more) = rest.split_first()?;
        *rest = more;
        return (*close == ")").then_some(inner);
    }
    let is_id =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+:".contains(&b));
    let is_word = |text: &str| ["AND", "OR", "WITH"].iter().any(|word| text.eq_ignore_ascii_case(word));
    if !is_id(first) || is_word(first) {
        return None;
    }
    let mut name = first.to_lowercase();
    if rest.first().is_some_and(|next| next.eq_ignore_ascii_case("WITH")) {
        let exception = rest.get(1).filter(|text| is_id(text) && !is_word(text))?;
        name = format!("{name} with {}", exception.to_lowercase());
        *rest = &rest[2..];
    }
    Some(Licence::Name(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_licence_satisfies_what_allows_it() {
        for (licence, allowed, satisfied) in [
            ("MIT", "MIT OR CC-BY-4.0", true),
            ("cc-by-4.0", "MIT OR CC-BY-4.0", true),
            ("GPL-3.0-only", "MIT OR CC-BY-4.0", false),
            ("MIT OR GPL-3.0-only", "MIT", true),
            ("MIT AND GPL-3.0-only", "MIT", false),
            ("(MIT AND CC-BY-4.0) OR GPL-2.0-only", "MIT OR CC-BY-4.0", true),
            ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", false),
        ] {
            let parse = |text| Licence::parse(text).unwrap();
            assert_eq!(parse(licence).satisfies(&parse(allowed)), satisfied, "{licence} in {allowed}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for bad in
            ["", "MIT OR", "(MIT", "MIT)", "MIT CC0-1.0", "AND", "proprietary, ask us", "MIT WITH", "MIT WITH OR"]
        {
            assert_eq!(Licence::parse(bad), None, "{bad}");
        }
        assert!(Licence::parse(&format!("{}MIT{}", "(".repeat(40), ")".repeat(40))).is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,80}") {
            let _ = Licence::parse(&text);
        }
    }
}
