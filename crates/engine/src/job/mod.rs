//! What a job is, and which there are.
//!
//! - `contract`: the trait, and the same without its type, as everything beneath sees it
//! - `outcome`: how a run ends
//! - `list`: all jobs of a program, and those that run

mod contract;
mod list;
mod outcome;

pub use contract::{AnyJob, Job};
pub use list::{Enabled, JobKind, Jobs, Listed, off, on};
pub use outcome::{JobError, Outcome, Receipt};

/// The setting's value, or an error that names the variable: `need!(settings.report_url)?`.
#[macro_export]
macro_rules! need {
    ($settings:ident.$name:ident) => {
        $settings.$name.as_ref().ok_or_else(|| $crate::config::ConfigError::missing(stringify!($name)))
    };
}
