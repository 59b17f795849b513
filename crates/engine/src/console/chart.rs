//! Calls an hour by how they ended, and the deliveries that were refused, as bars.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// The height of the highest bar.
const HEIGHT: i64 = 64;

/// From one bar to the next.
const STEP: i64 = 40;

/// What an hour had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hour {
    pub(super) answered: i64,
    pub(super) unanswered: i64,
    /// Events that say nothing of how a call ended.
    pub(super) other: i64,
    /// Deliveries.
    pub(super) refused: i64,
}

impl Hour {
    /// Calls that ended so, in the words of [`What::Call`](crate::tally::What::Call).
    pub(super) fn count(&mut self, ending: &str, times: i64) {
        match ending {
            "answered" => self.answered += times,
            "unanswered" => self.unanswered += times,
            _ => self.other += times,
        }
    }

    /// From below, each with a class of the style sheet.
    fn parts(self) -> [(&'static str, i64); 4] {
        let Self { answered, unanswered, other, refused } = self;
        [("answered", answered), ("unanswered", unanswered), ("other", other), ("refused", refused)]
    }

    fn sum(self) -> i64 {
        self.parts().iter().map(|(_, times)| times).sum()
    }
}

/// The bars of 24 hours.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) bars: Vec<Bar>,
    /// What the highest of them stands for.
    pub(super) highest: i64,
}

#[derive(Debug)]
pub(super) struct Bar {
    pub(super) hour: DateTime<Utc>,
    pub(super) of: Hour,
    pub(super) x: i64,
    /// From below: a class of the style sheet, the upper edge and the height.
    pub(super) parts: Vec<(&'static str, i64, i64)>,
}

impl Chart {
    /// The last 24 hours, this one included.
    pub(super) fn of(hours: &BTreeMap<DateTime<Utc>, Hour>, now: DateTime<Utc>) -> Self {
        let this = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
        let highest = hours.values().map(|hour| hour.sum()).max().unwrap_or(0);
        let bar = |n: i64| {
            let hour = this - TimeDelta::hours(23 - n);
            let of = hours.get(&hour).copied().unwrap_or_default();
            let mut top = HEIGHT;
            let part = |(class, times): (_, i64)| {
                // What there is, is seen.
                let height = (times * HEIGHT / highest.max(1)).max(i64::from(times > 0));
                top -= height;
                (class, top, height)
            };
            let parts = of.parts().into_iter().map(part).filter(|(.., height)| *height > 0).collect();
            Bar { hour, of, x: n * STEP, parts }
        };
        Self { bars: (0..24).map(bar).collect(), highest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_hour_has_the_full_height_and_a_single_refusal_is_seen() {
        let now: DateTime<Utc> = "2026-11-27T10:20:00Z".parse().unwrap();
        let at = |hour: &str| format!("2026-11-27T{hour}:00:00Z").parse().unwrap();
        let hours = [
            (at("10"), Hour { answered: 500, unanswered: 500, ..Hour::default() }),
            (at("09"), Hour { refused: 1, ..Hour::default() }),
        ];
        let chart = Chart::of(&hours.into(), now);
        assert_eq!((chart.bars.len(), chart.highest), (24, 1000));
        assert_eq!(chart.bars[23].parts, [("answered", 32, 32), ("unanswered", 0, 32)]);
        assert_eq!(chart.bars[22].parts, [("refused", 63, 1)]);
        assert!(chart.bars[..22].iter().all(|bar| bar.parts.is_empty()));
    }
}
