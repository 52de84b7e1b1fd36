//! How firmly a sign goes with a class: purity, lift, odds, and how likely chance alone would have made it so.
//!
//! Counts are integers. What is computed from them uses nothing but additions, multiplications and divisions, which
//! are the same on every machine; the logarithm of a platform's library is not.

use serde_json::{Value, json};

use crate::finding::Evidence;

/// A sign against a class, in four counts.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Association {
    /// Rows in all.
    rows: u64,
    /// Rows of the class.
    class: u64,
    /// Rows with the sign.
    carriers: u64,
    /// Rows of the class with the sign.
    both: u64,
}

/// Fewer carriers than these say nothing.
pub(super) const FEWEST: u64 = 5;
/// Odds ratio that stands in for lift where the class holds half of all rows or more; artefacts stay below 4.
const TELLING_ODDS: u128 = 8;

impl Association {
    /// Counts that cannot be are cut to those that can.
    pub(super) fn new(rows: u64, class: u64, carriers: u64, both: u64) -> Self {
        let (class, carriers) = (class.min(rows), carriers.min(rows));
        let least = (class + carriers).saturating_sub(rows);
        Self { rows, class, carriers, both: both.clamp(least, class.min(carriers)) }
    }

    /// Rows with the sign.
    pub(super) fn carriers(self) -> u64 {
        self.carriers
    }

    /// Whether four fifths of the carriers or more are of the class.
    pub(super) fn is_pure(self) -> bool {
        self.carriers > 0 && wide(self.both) * 5 >= wide(self.carriers) * 4
    }

    /// Whether nineteen of twenty carriers or more are of the class.
    pub(super) fn is_nearly_pure(self) -> bool {
        self.carriers > 0 && wide(self.both) * 20 >= wide(self.carriers) * 19
    }

    /// Whether the class is so many tenths of times as frequent among the carriers as it is among all rows, or more.
    pub(super) fn lifts_tenths(self, tenths: u64) -> bool {
        let (share, rest) = (wide(self.both) * wide(self.rows), wide(self.carriers) * wide(self.class));
        rest > 0 && share.saturating_mul(10) >= rest.saturating_mul(wide(tenths))
    }

    /// Whether the sign stands out: twice as frequent as in all rows, or where that cannot be, since the class holds
    /// half of them, telling odds.
    pub(super) fn stands_out(self) -> bool {
        self.lifts_tenths(20) || (wide(self.class) * 2 >= wide(self.rows) && self.has_odds(TELLING_ODDS))
    }

    /// Whether the odds ratio is this or more, half a row added to each of the four counts.
    fn has_odds(self, odds: u128) -> bool {
        let half = |n: u64| 2 * wide(n) + 1;
        let (with, without) = (self.carriers - self.both, self.class - self.both);
        let neither = self.rows - self.class - with;
        half(self.both).saturating_mul(half(neither)) >= odds.saturating_mul(half(with)).saturating_mul(half(without))
    }

    /// Logarithm of the probability that as many carriers or more would be of the class if it were left to chance, times
    /// the number of `tests` that were made (Bonferroni). At most 0. Where there are no more than chance would give, 0.
    pub(super) fn ln_chance(self, tests: u64) -> f64 {
        let Self { rows, class, carriers, both } = self;
        if wide(both) * wide(rows) <= wide(class) * wide(carriers) {
            return 0.0;
        }
        let first = ln_choose(class, both) + ln_choose(rows - class, carriers - both) - ln_choose(rows, carriers);
        // Above the mean every term is smaller than the one before it.
        let (mut sum, mut term) = (1.0_f64, 1.0_f64);
        for at in both..class.min(carriers) {
            let up = (class - at) as f64 * (carriers - at) as f64;
            let down = (at + 1) as f64 * (rows + at + 1 - class - carriers) as f64;
            term *= up / down;
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        (first + ln(sum) + ln(tests.max(1) as f64)).min(0.0)
    }

    /// The counts as facts of a finding.
    pub(super) fn tell(self, tests: u64, evidence: &mut Evidence) {
        let share = |up: u64, down: u64| wide(up) * 1000 / wide(down).max(1);
        let lift = wide(self.both) * wide(self.rows) * 10 / (wide(self.carriers) * wide(self.class)).max(1);
        evidence.extend([
            ("rows", json!(self.rows)),
            ("class_rows", json!(self.class)),
            ("carriers", json!(self.carriers)),
            ("carriers_of_label", json!(self.both)),
            ("purity", json!(share(self.both, self.carriers) as f64 / 1000.0)),
            ("recall", json!(share(self.both, self.class) as f64 / 1000.0)),
            ("lift", json!(lift as f64 / 10.0)),
            ("p", power_of_ten(self.ln_chance(tests))),
        ]);
    }
}

/// Logarithm of the probability of `hits` or more in so many `trials`, of which each hits `permille` of 1000 times.
pub(super) fn ln_binomial(trials: u64, hits: u64, permille: u64) -> f64 {
    let hits = hits.min(trials);
    let permille = permille.clamp(1, 999);
    if wide(hits) * 1000 <= wide(trials) * wide(permille) {
        return 0.0;
    }
    let (yes, no) = (permille as f64 / 1000.0, (1000 - permille) as f64 / 1000.0);
    let first = ln_choose(trials, hits) + hits as f64 * ln(yes) + (trials - hits) as f64 * ln(no);
    let (mut sum, mut term) = (1.0_f64, 1.0_f64);
    for at in hits..trials {
        term *= (trials - at) as f64 / (at + 1) as f64 * (yes / no);
        sum += term;
    }
    (first + ln(sum)).min(0.0)
}

/// The next power of ten above a probability that is given as its logarithm.
pub(super) fn power_of_ten(ln_chance: f64) -> Value {
    let exponent = (ln_chance / std::f64::consts::LN_10).ceil().clamp(-300.0, 0.0) as i32;
    let text = format!("1e{exponent}");
    json!(text.parse::<f64>().unwrap_or(1.0))
}

fn wide(n: u64) -> u128 {
    u128::from(n)
}

fn ln_choose(of: u64, some: u64) -> f64 {
    ln_factorial(of) - ln_factorial(some) - ln_factorial(of - some)
}

fn ln_factorial(n: u64) -> f64 {
    /// Factorials up to here are small enough to be multiplied out.
    const EXACT: u64 = 15;
    if n <= EXACT {
        return ln((2..=n).product::<u64>() as f64);
    }
    let (x, square) = (n as f64, (n as f64) * (n as f64));
    let half_ln_two_pi = 0.918_938_533_204_672_8;
    let series = (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square) / x;
    (x + 0.5) * ln(x) - x + half_ln_two_pi + series
}

/// The natural logarithm of a number above zero, the same on every machine.
pub(super) fn ln(x: f64) -> f64 {
    const FRACTION: u64 = (1 << 52) - 1;
    debug_assert!(x.is_normal() && x > 0.0, "counts and shares are ordinary numbers");
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut rest = f64::from_bits((bits & FRACTION) | (1023 << 52));
    if rest > std::f64::consts::SQRT_2 {
        (rest, exponent) = (rest / 2.0, exponent + 1);
    }
    let s = (rest - 1.0) / (rest + 1.0);
    let square = s * s;
    let series = (0..13).rev().fold(0.0, |sum, n| sum * square + 1.0 / f64::from(2 * n + 1));
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn choose(of: u64, some: u64) -> f64 {
        (0..some).fold(1.0, |all, at| all * (of - at) as f64 / (at + 1) as f64)
    }

    /// The tail as the textbook has it.
    fn slowly(rows: u64, class: u64, carriers: u64, both: u64) -> f64 {
        let least = (class + carriers).saturating_sub(rows);
        (both.max(least)..=class.min(carriers))
            .map(|k| choose(class, k) * choose(rows - class, carriers - k) / choose(rows, carriers))
            .sum()
    }

    #[test]
    fn known_tails_come_out() {
        // Ten of ten from a class with half of a hundred rows: 50!/40! over 100!/90!.
        let pure = Association::new(100, 50, 10, 10).ln_chance(1);
        assert!((pure - (0.000_593_421_f64).ln()).abs() < 1e-4, "{pure}");
        // With half of very many rows each carrier halves the chance.
        let many = Association::new(1 << 40, 1 << 39, 30, 30).ln_chance(1);
        // Differences of logarithms of huge factorials keep few digits; with 2⁴⁰ rows three of them.
        assert!((many + 30.0 * std::f64::consts::LN_2).abs() < 1e-2, "{many}");
        assert_eq!(Association::new(100, 50, 10, 5).ln_chance(1), 0.0);
        assert_eq!(Association::new(0, 0, 0, 0).ln_chance(9), 0.0);
        assert_eq!(power_of_ten(pure).to_string(), "0.001");
        assert_eq!(power_of_ten(-1e9).to_string(), "1e-300");
    }

    #[test]
    fn more_tests_make_everything_likelier() {
        let one = Association::new(5000, 500, 50, 50);
        let gap = one.ln_chance(1000) - one.ln_chance(1);
        assert!((gap - ln(1000.0)).abs() < 1e-9);
    }

    #[test]
    fn purity_lift_and_odds_are_held_against_whole_numbers() {
        let small = |both| Association::new(1000, 100, 10, both);
        assert!(small(8).is_pure() && !small(7).is_pure());
        assert!(small(2).stands_out() && !small(1).stands_out());
        // A class with most of the rows cannot be lifted twofold; there the odds decide.
        let large = |both| Association::new(1000, 800, 100, both);
        assert!(large(100).stands_out());
        assert!(!large(90).stands_out());
    }

    proptest! {
        #[test]
        fn the_tail_is_that_of_the_textbook(rows in 1_u64..60, a in 0_u64..60, b in 0_u64..60, c in 0_u64..60) {
            let counts = Association::new(rows, a, b, c);
            let Association { rows, class, carriers, both } = counts;
            let slow = slowly(rows, class, carriers, both);
            let quick = counts.ln_chance(1).exp();
            if both * rows > class * carriers {
                prop_assert!((quick - slow).abs() < 1e-9 * slow.max(1e-3), "{quick} {slow}");
            } else {
                prop_assert_eq!(quick, 1.0);
            }
        }

        #[test]
        fn the_binomial_tail_is_that_of_the_textbook(trials in 1_u64..50, hits in 0_u64..50, permille in 1_u64..999) {
            let p = permille as f64 / 1000.0;
            let hits = hits.min(trials);
            let one = |k: u64| choose(trials, k) * p.powi(k as i32) * (1.0 - p).powi((trials - k) as i32);
            let slow: f64 = (hits..=trials).map(one).sum();
            let quick = ln_binomial(trials, hits, permille).exp();
            if hits * 1000 > trials * permille {
                prop_assert!((quick - slow).abs() < 1e-8 * slow.max(1e-3), "{quick} {slow}");
            } else {
                prop_assert_eq!(quick, 1.0);
            }
        }

        #[test]
        fn the_logarithm_is_one(x in 1e-12_f64..1e18) {
            prop_assert!((ln(x) - x.ln()).abs() <= 1e-14 * x.ln().abs().max(1.0));
        }

        #[test]
        fn any_counts_are_taken(rows in any::<u64>(), a in any::<u64>(), b in 0_u64..5000, c in 0_u64..5000) {
            let counts = Association::new(rows / 4, a / 4, b, c);
            let chance = counts.ln_chance(7);
            prop_assert!(chance <= 0.0 && !chance.is_nan());
            counts.tell(7, &mut Evidence::new());
            let _ = (counts.is_pure(), counts.stands_out());
        }
    }
}
