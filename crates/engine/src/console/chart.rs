//! Deliveries an hour, as bars.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// The height of the highest bar.
const HEIGHT: i64 = 64;

/// From one bar to the next.
const STEP: i64 = 40;

/// What an hour had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hour {
    pub(super) stored: i64,
    pub(super) duplicate: i64,
    pub(super) refused: i64,
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
        let highest =
            hours.values().map(|hour| hour.stored + hour.duplicate + hour.refused).max().unwrap_or(0);
        let bar = |n: i64| {
            let hour = this - TimeDelta::hours(23 - n);
            let of = hours.get(&hour).copied().unwrap_or_default();
            let mut top = HEIGHT;
            let mut part = |class, times: i64| {
                // What there is, is seen.
                let height = (times * HEIGHT / highest.max(1)).max(i64::from(times > 0));
                top -= height;
                (class, top, height)
            };
            let parts =
                vec![part("stored", of.stored), part("duplicate", of.duplicate), part("refused", of.refused)];
            Bar {
                hour,
                of,
                x: n * STEP,
                parts: parts.into_iter().filter(|(.., height)| *height > 0).collect(),
            }
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
            (at("10"), Hour { stored: 500, duplicate: 500, refused: 0 }),
            (at("09"), Hour { stored: 0, duplicate: 0, refused: 1 }),
        ];
        let chart = Chart::of(&hours.into(), now);
        assert_eq!((chart.bars.len(), chart.highest), (24, 1000));
        assert_eq!(chart.bars[23].parts, [("stored", 32, 32), ("duplicate", 0, 32)]);
        assert_eq!(chart.bars[22].parts, [("refused", 63, 1)]);
        assert!(chart.bars[..22].iter().all(|bar| bar.parts.is_empty()));
    }
}
