//! What `doctor` found.

use crate::telemetry::Safe;

/// How much was found so far; each line is printed as soon as it is known.
#[derive(Default)]
pub(super) struct Report {
    ticks: u32,
    crosses: u32,
    dashes: u32,
}

impl Report {
    /// It is as it should be.
    pub(super) fn tick(&mut self, what: &str, found: &str) {
        self.ticks += 1;
        println!("✓ {what}: {}", Safe(found));
    }

    /// It is wrong, and this is what to do.
    pub(super) fn cross(&mut self, what: &str, found: &str, to_do: &str) {
        self.crosses += 1;
        println!("✗ {what}: {} → {to_do}", Safe(found));
    }

    /// Sums up, and returns whether all is well.
    pub(super) fn end(self) -> bool {
        let Self { ticks, crosses, dashes } = self;
        println!("{ticks} well, {crosses} wrong, {dashes} not looked at");
        crosses == 0
    }

    /// It was not looked at, for this reason.
    pub(super) fn dash(&mut self, what: &str, why: &str) {
        self.dashes += 1;
        println!("- {what}: {}", Safe(why));
    }
}
