//! Records that are nearly the same: mutual best matches by the tokens they share.

use rustc_hash::FxHashMap;

use super::hash::hash;

/// The sorted sets of token hashes of many records, one after the other.
#[derive(Debug, Default)]
pub(super) struct TokenSets {
    tokens: Vec<u32>,
    ends: Vec<usize>,
}

/// Tokens of one record that count. What lies behind is the same or it is not; a cap keeps a long document from
/// costing more than it tells.
const LONGEST: usize = 512;
/// Tokens of all records together.
const MOST: usize = 1 << 23;

impl TokenSets {
    /// Adds the record with this normalised text. `false` where there is no room for it any more.
    pub(super) fn push(&mut self, text: &str) -> bool {
        let start = self.tokens.len();
        if start >= MOST {
            return false;
        }
        self.tokens.extend(tokens(text).take(LONGEST).map(token_hash));
        self.tokens[start..].sort_unstable();
        let mut end = start;
        for at in start..self.tokens.len() {
            if at == start || self.tokens[at] != self.tokens[end - 1] {
                self.tokens[end] = self.tokens[at];
                end += 1;
            }
        }
        self.tokens.truncate(end);
        self.ends.push(end);
        true
    }

    /// Number of records.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, record: usize) -> &[u32] {
        let start = if record == 0 { 0 } else { self.ends[record - 1] };
        &self.tokens[start..self.ends[record]]
    }
}

/// The hash of a token; numbers have their last bit set.
fn token_hash(token: &str) -> u32 {
    let number = token.bytes().any(|byte| byte.is_ascii_digit());
    (hash(token.as_bytes()) as u32 & !1) | u32::from(number)
}

/// Words, and single characters of scripts that are written without blanks.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let first = rest.chars().next()?;
        let end = if is_unspaced(first) {
            first.len_utf8()
        } else {
            rest.find(|c: char| !c.is_alphanumeric() || is_unspaced(c)).unwrap_or(rest.len())
        };
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0xe00..=0xeff | 0x3040..=0x30ff | 0x3400..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

/// What two records share: their common tokens and all of their tokens.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Likeness {
    common: usize,
    all: usize,
    /// Whether a number stands in one of them only. Records that are made from a pattern differ in nothing else.
    numbers: bool,
}

impl Likeness {
    pub(super) fn of(a: &TokenSets, i: usize, b: &TokenSets, j: usize) -> Self {
        let (a, b) = (a.get(i), b.get(j));
        let (mut i, mut j, mut common, mut single) = (0, 0, 0, 0);
        while i < a.len() && j < b.len() {
            let (left, right) = (a[i] <= b[j], b[j] <= a[i]);
            if left && right {
                common += 1;
            } else {
                single |= if left { a[i] } else { b[j] };
            }
            i += usize::from(left);
            j += usize::from(right);
        }
        single |= a[i..].iter().chain(&b[j..]).fold(0, |all, token| all | token);
        Self { common, all: a.len() + b.len() - common, numbers: single & 1 == 1 }
    }

    /// Whether at least so many hundredths are shared.
    pub(super) fn at_least(self, hundredths: usize) -> bool {
        self.all > 0 && self.common * 100 >= self.all * hundredths
    }

    fn beats(self, other: Self) -> bool {
        self.common * other.all > other.common * self.all
    }
}

/// Hundredths of their tokens that near-duplicates share, and the tokens they need to have. At 70 and 3 a real
/// history gave ten pairs with another label, all of them wrong.
const NEAR: usize = 85;
const FEWEST: usize = 6;

/// The pairs of records of `a` and `b` that are each other's best match.
pub(super) fn mutual(a: &TokenSets, b: &TokenSets) -> Vec<(usize, usize)> {
    /// Candidates that are compared for a record, so that rows made to look alike cost no more than others.
    const CANDIDATES: usize = 64;
    let mut frequency: FxHashMap<u32, u32> = FxHashMap::default();
    for &token in a.tokens.iter().chain(&b.tokens) {
        *frequency.entry(token).or_default() += 1;
    }
    // Two sets that share enough share one of their rarest tokens: only those are looked up.
    let rarest = |set: &[u32]| {
        let mut set = set.to_vec();
        set.sort_unstable_by_key(|token| (frequency[token], *token));
        let needed = (set.len() * NEAR).div_ceil(100);
        set.truncate(set.len() - needed + 1);
        set
    };
    let mut postings: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    for i in 0..a.len() {
        if a.get(i).len() >= FEWEST {
            for token in rarest(a.get(i)) {
                postings.entry(token).or_default().push(i as u32);
            }
        }
    }
    let mut best_of_a: Vec<(Likeness, usize)> =
        vec![(Likeness { common: 0, all: 1, numbers: false }, usize::MAX); a.len()];
    let mut best_of_b = vec![usize::MAX; b.len()];
    let mut candidates = Vec::new();
    for (j, best) in best_of_b.iter_mut().enumerate() {
        if b.get(j).len() < FEWEST {
            continue;
        }
        candidates.clear();
        for token in rarest(b.get(j)) {
            candidates.extend(postings.get(&token).into_iter().flatten().take(CANDIDATES).copied());
        }
        candidates.sort_unstable();
        candidates.dedup();
        let mut highest = Likeness { common: 0, all: 1, numbers: false };
        for &i in &candidates {
            let i = i as usize;
            let likeness = Likeness::of(a, i, b, j);
            if likeness.numbers || !likeness.at_least(NEAR) {
                continue;
            }
            if likeness.beats(highest) {
                (highest, *best) = (likeness, i);
            }
            if likeness.beats(best_of_a[i].0) {
                best_of_a[i] = (likeness, j);
            }
        }
    }
    best_of_b
        .iter()
        .enumerate()
        .filter(|&(j, &i)| i != usize::MAX && best_of_a[i].1 == j)
        .map(|(j, &i)| (i, j))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(texts: &[&str]) -> TokenSets {
        let mut sets = TokenSets::default();
        for text in texts {
            assert!(sets.push(text));
        }
        sets
    }

    #[test]
    fn words_and_unspaced_characters_are_tokens() {
        assert_eq!(tokens("where's my 2nd parcel?").collect::<Vec<_>>(), ["where", "s", "my", "2nd", "parcel"]);
        assert_eq!(tokens("我爱rust你").collect::<Vec<_>>(), ["我", "爱", "rust", "你"]);
    }

    #[test]
    fn a_small_edit_is_known_again_and_a_short_text_is_not() {
        let long = "please cancel the order that i made on the website last monday in the evening";
        let edited = "please cancel the order that i made on the website last monday in the evening now";
        let pairs = mutual(&sets(&["what time is it", long]), &sets(&[edited, "what time is it now"]));
        assert_eq!(pairs, [(1, 0)]);
    }

    #[test]
    fn rows_of_a_pattern_are_not_each_other() {
        let row = |n| format!("train {n} the span of this entity is marked in the third column of row");
        assert_eq!(mutual(&sets(&[&row(17)]), &sets(&[&row(18)])), []);
    }

    #[test]
    fn only_mutual_best_matches_are_pairs() {
        let a = "one two three four five six seven eight nine ten eleven twelve thirteen";
        let b = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen";
        let c = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen";
        // `c` is nearer to `b` than `a` is, so `a` stays alone.
        assert_eq!(mutual(&sets(&[a, b]), &sets(&[c])), [(1, 0)]);
    }

    #[test]
    fn many_rows_that_look_alike_are_done_at_once() {
        let text =
            |n: usize| format!("one two three four five six seven eight nine ten eleven twelve thirteen number{n}");
        let many = |from: usize| (from..from + 5_000).map(text).collect::<Vec<_>>();
        let (a, b) = (many(0), many(5_000));
        let refs = |texts: &[String]| sets(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        mutual(&refs(&a), &refs(&b));
    }

    #[test]
    fn likeness_counts_each_token_once() {
        let (a, b) = (sets(&["a a a b c"]), sets(&["a b b d"]));
        assert_eq!(Likeness::of(&a, 0, &b, 0), Likeness { common: 2, all: 4, numbers: false });
    }
}
