//! What two sequences do not share: the difference of two multisets, found by walking along both where they run alike.

/// How far it is looked for the place where both run alike again.
pub(super) const WINDOW: usize = 32;
/// After so many vain looks in a row the two are held to be different texts, and nothing is looked for any more.
pub(super) const PATIENCE: usize = 64;

/// Tells `left` and `right` what the other sequence has no equal for, in order, as far as a walk along both finds it.
///
/// Equal elements are only ever taken out in pairs, so what is left still has the exact difference of the two
/// multisets in it. A walk alone does not find what was moved; the caller cancels that.
pub(super) fn align(
    (n, m): (usize, usize),
    equal: impl Fn(usize, usize) -> bool,
    mut left: impl FnMut(usize),
    mut right: impl FnMut(usize),
) {
    let (mut i, mut j, mut vain) = (0, 0, 0);
    'walk: while i < n && j < m {
        if equal(i, j) {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        if vain < PATIENCE {
            // The nearest pair first, and of equally near ones that which drops as much on both sides.
            for far in 1..=WINDOW {
                for skip in 0..=far {
                    let (a, b) = balanced(far, skip);
                    if i + a < n && j + b < m && equal(i + a, j + b) {
                        (i..i + a).for_each(&mut left);
                        (j..j + b).for_each(&mut right);
                        (i, j) = (i + a, j + b);
                        vain = 0;
                        continue 'walk;
                    }
                }
            }
            vain += 1;
        }
        left(i);
        right(j);
        (i, j) = (i + 1, j + 1);
    }
    (i..n).for_each(left);
    (j..m).for_each(right);
}

/// The ways to split `far` steps on two sides, the most even first.
pub(super) fn balanced(far: usize, skip: usize) -> (usize, usize) {
    let half = far / 2;
    let step = skip.div_ceil(2);
    let a = if skip.is_multiple_of(2) { half + step } else { half.wrapping_sub(step) };
    // With an odd number of steps the larger half has one more than the smaller.
    let a = if a > far { far } else { a };
    (a, far - a)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn leftovers(a: &[u8], b: &[u8]) -> (Vec<usize>, Vec<usize>) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        align((a.len(), b.len()), |i, j| a[i] == b[j], |i| left.push(i), |j| right.push(j));
        (left, right)
    }

    fn counts<'a>(items: impl Iterator<Item = &'a u8>) -> BTreeMap<u8, i64> {
        items.fold(BTreeMap::new(), |mut counts, &item| {
            *counts.entry(item).or_default() += 1;
            counts
        })
    }

    #[test]
    fn a_row_put_in_or_taken_out_costs_one_row() {
        assert_eq!(leftovers(b"abcdef", b"abxcdef"), (vec![], vec![2]));
        assert_eq!(leftovers(b"abcdef", b"abdef"), (vec![2], vec![]));
        assert_eq!(leftovers(b"abcdef", b"abXdef"), (vec![2], vec![2]));
    }

    #[test]
    fn every_split_of_the_steps_is_tried_once() {
        for far in 1..40 {
            let mut seen: Vec<_> = (0..=far).map(|skip| balanced(far, skip)).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..=far).map(|a| (a, far - a)).collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn the_difference_of_the_multisets_is_left(a in "[a-d]{0,60}", b in "[a-d]{0,60}") {
            let (left, right) = leftovers(a.as_bytes(), b.as_bytes());
            let mut whole = counts(a.as_bytes().iter());
            for (item, n) in counts(b.as_bytes().iter()) { *whole.entry(item).or_default() -= n; }
            let mut rest = counts(left.iter().map(|&i| &a.as_bytes()[i]));
            for (item, n) in counts(right.iter().map(|&j| &b.as_bytes()[j])) { *rest.entry(item).or_default() -= n; }
            whole.retain(|_, n| *n != 0);
            rest.retain(|_, n| *n != 0);
            prop_assert_eq!(whole, rest);
            prop_assert!(left.is_sorted() && right.is_sorted());
        }
    }
}
