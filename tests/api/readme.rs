//! The README's example of a job of one's own compiles, runs and leaves its receipt.
