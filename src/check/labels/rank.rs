//! How a commit's flips rank among those of the commits before it.
//!
//! Counts of flips are far more spread than chance would have them: a few clean-ups hold most of a repository's flips. So
//! no tail of a plain distribution is used. Below thirty commits with flips the rank is an empirical one; from there on
//! the tail of a beta-binomial distribution stands beside it, fitted to the earlier commits. Either is a rank, never a
//! verdict.

use serde_json::{Value, json};

/// Fewer commits with flips than these say nothing about what is usual.
const CALIBRATED: usize = 8;
/// From so many on a distribution is fitted.
const FITTED: usize = 30;

/// Flips and touched records of the commits so far.
#[derive(Debug, Default)]
pub(super) struct Distribution {
    /// Of commits with flips: flips, and touched records.
    flipped: Vec<(u64, u64)>,
    /// Of all commits that touch records.
    commits: usize,
    flips: u64,
    touched: u64,
    /// Sums for the fit, over all commits: of t - 1, and of t.
    spread: u64,
}

impl Distribution {
    /// Takes in a commit.
    pub(super) fn add(&mut self, flips: u64, touched: u64) {
        let touched = touched.max(flips).max(1);
        self.commits += 1;
        self.flips = self.flips.saturating_add(flips);
        self.touched = self.touched.saturating_add(touched);
        self.spread = self.spread.saturating_add(touched - 1);
        if flips > 0 {
            self.flipped.push((flips, touched));
        }
    }

    /// What only one in twenty commits with flips exceeds; 0 where there are too few to say.
    pub(super) fn high(&self) -> u64 {
        if self.flipped.len() < CALIBRATED {
            return 0;
        }
        let mut counts: Vec<u64> = self.flipped.iter().map(|&(flips, _)| flips).collect();
        counts.sort_unstable();
        counts[(counts.len() - 1) * 95 / 100]
    }

    /// Where a commit with flips stands among those before it.
    pub(super) fn rank(&self, flips: u64, touched: u64) -> Value {
        let touched = touched.max(flips).max(1);
        let n = self.flipped.len();
        let fewer = self.flipped.iter().filter(|&&(other, _)| other < flips).count();
        let rarer = self.flipped.iter().filter(|&&(f, t)| {
            // Shares compared without division.
            u128::from(f) * u128::from(touched) < u128::from(flips) * u128::from(t)
        });
        let percent = |count: usize| (n > 0).then(|| count * 100 / n);
        let mut rank = json!({
            "earlier": n,
            "calibrated": n >= CALIBRATED,
            "percentile": percent(fewer),
            "share_percentile": percent(rarer.count()),
        });
        if n >= FITTED {
            // As a power of ten, in tenths: small differences between machines must not show.
            let tail = self.tail(flips, touched);
            rank["tail_log10_tenths"] = json!((tail * 10.0).round() as i64);
        }
        rank
    }

    /// The logarithm of the chance of so many flips or more, under a beta-binomial distribution fitted by moments to
    /// the earlier commits.
    fn tail(&self, flips: u64, touched: u64) -> f64 {
        let rate = (self.flips as f64 / self.touched as f64).clamp(1e-9, 1.0 - 1e-9);
        // The commits without flips add t * r / (1 - r) each, which sums up without a list of them.
        let without = (self.touched - self.flipped.iter().map(|&(_, t)| t).sum::<u64>()) as f64;
        let mut sum = without * rate / (1.0 - rate);
        for &(f, t) in &self.flipped {
            let t = t as f64;
            let off = f as f64 - t * rate;
            sum += off * off / (t * rate * (1.0 - rate));
        }
        let over = ((sum - self.commits as f64) / (self.spread as f64).max(1.0)).clamp(1e-6, 0.999);
        let size = 1.0 / over - 1.0;
        let (a, b) = (rate * size, (1.0 - rate) * size);
        // Terms far out matter little; the sum is cut where a commit touches very many records.
        let last = touched.min(flips.saturating_add(10_000));
        let terms = (flips..=last).map(|k| log_beta_binomial(k as f64, touched as f64, a, b));
        let terms: Vec<f64> = terms.collect();
        let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = terms.iter().map(|term| (term - most).exp()).sum();
        ((most + total.ln()) / std::f64::consts::LN_10).min(0.0)
    }
}

fn log_beta_binomial(k: f64, n: f64, a: f64, b: f64) -> f64 {
    let choose = log_gamma(n + 1.0) - log_gamma(k + 1.0) - log_gamma(n - k + 1.0);
    choose + log_beta(k + a, n - k + b) - log_beta(a, b)
}

fn log_beta(a: f64, b: f64) -> f64 {
    log_gamma(a) + log_gamma(b) - log_gamma(a + b)
}

/// Stirling's series after a shift, good to ten digits for positive arguments.
fn log_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0))) / x;
    shift + (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_of_gamma_is_that_of_factorials() {
        let mut factorial = 1.0_f64;
        for n in 1..20 {
            factorial *= f64::from(n);
            let found = log_gamma(f64::from(n) + 1.0);
            assert!((found - factorial.ln()).abs() < 1e-9, "{n}: {found}");
        }
        assert!((log_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-9);
    }

    #[test]
    fn many_flips_rank_high_and_few_low() {
        let mut past = Distribution::default();
        for n in 0..200 {
            past.add(if n % 5 == 0 { 1 + n / 50 } else { 0 }, 60);
        }
        let (few, many) = (past.rank(1, 60), past.rank(40, 60));
        assert_eq!(many["percentile"], 100);
        assert_eq!(few["percentile"], 0);
        let tail = |rank: &Value| rank["tail_log10_tenths"].as_i64().expect("there are forty commits with flips");
        assert!(tail(&many) < tail(&few) && tail(&few) <= 0, "{few} {many}");
        assert_eq!(past.high(), 4);
    }

    #[test]
    fn a_short_past_says_nothing() {
        let mut past = Distribution::default();
        past.add(3, 10);
        assert_eq!(past.high(), 0);
        assert_eq!(past.rank(3, 10)["calibrated"], false);
        assert!(past.rank(3, 10).get("tail_log10_tenths").is_none());
    }

    #[test]
    fn the_tail_of_everything_is_certain() {
        let mut past = Distribution::default();
        (0..40).for_each(|n| past.add(1 + n % 3, 20));
        assert!(past.tail(0, 50).abs() < 1e-6);
    }
}
