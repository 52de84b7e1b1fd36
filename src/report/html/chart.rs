//! What charts share: a time axis that forged dates cannot stretch, and dates in words.

/// A span of time.
#[derive(Copy, Clone, Debug)]
pub(super) struct Axis {
    first: i64,
    last: i64,
}

impl Axis {
    /// The span of these times, in seconds since 1970. Commits may claim any date: where a few of them would stretch the
    /// axis over four times what the others need, these lie at its ends.
    pub(super) fn new(times: impl Iterator<Item = i64>) -> Self {
        let mut times: Vec<i64> = times.collect();
        times.sort_unstable();
        let (Some(&first), Some(&last)) = (times.first(), times.last()) else { return Self { first: 0, last: 1 } };
        let at = |per: usize| times[(times.len() - 1) * per / 100];
        let (low, high) = (at(2), at(98));
        let stretched = last.abs_diff(first) / 4 > high.abs_diff(low) && high > low;
        if stretched { Self { first: low, last: high } } else { Self { first, last } }
    }

    /// Where a time lies on an axis of this length.
    pub(super) fn at(self, seconds: i64, length: u64) -> u64 {
        let span = u128::from(self.last.abs_diff(self.first)).max(1);
        let off = u128::from(seconds.clamp(self.first, self.last).abs_diff(self.first));
        u64::try_from(off * u128::from(length) / span).unwrap_or(length)
    }

    /// The first day and the last.
    pub(super) fn days(self) -> (String, String) {
        (day(self.first), day(self.last))
    }

    /// The beginnings of the years in it, at most twelve.
    pub(super) fn years(self) -> Vec<(i64, i16)> {
        let year = |seconds: i64| {
            jiff::Timestamp::from_second(seconds).map_or(1970, |stamp| stamp.to_zoned(jiff::tz::TimeZone::UTC).year())
        };
        let (first, last) = (year(self.first), year(self.last));
        let stride = (last - first) / 12 + 1;
        let starts = (first + 1..=last).step_by(usize::try_from(stride).unwrap_or(1));
        let start = |year| {
            let day = jiff::civil::Date::new(year, 1, 1).ok()?;
            Some((day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second(), year))
        };
        starts.filter_map(start).collect()
    }
}

/// The day of a time, in UTC.
pub(super) fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map(|stamp| stamp.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
        .unwrap_or_else(|_| "?".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_date_does_not_stretch_the_axis() {
        let honest = (0..100).map(|n| 1_600_000_000 + n * 86_400);
        let axis = Axis::new(honest.clone().chain([0, i64::MAX]));
        assert!(axis.at(1_600_000_000 + 50 * 86_400, 1000).abs_diff(500) < 20);
        assert_eq!((axis.at(0, 1000), axis.at(i64::MAX, 1000)), (0, 1000));
        assert_eq!(Axis::new(honest).days(), ("2020-09-13".to_owned(), "2020-12-21".to_owned()));
    }

    #[test]
    fn years_begin_in_january() {
        let axis = Axis::new([1_577_836_800 - 10, 1_640_995_200 + 10].into_iter());
        assert_eq!(axis.years(), [(1_577_836_800, 2020), (1_609_459_200, 2021), (1_640_995_200, 2022)]);
        assert!(Axis::new(std::iter::empty()).years().is_empty());
    }
}
